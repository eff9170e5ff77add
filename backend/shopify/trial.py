"""Try a key on a store: one or two requests that change nothing, and everything a person should know before they
connect it. The address is always `https://{something}.myshopify.com`, whatever somebody typed (`store_domain`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from backend.connector import Usage
from backend.core.values import UNREAD
from backend.errors import RetryLater
from backend.shopify import documents
from backend.shopify.auth import Credentials
from backend.shopify.client import Client, store_domain
from backend.shopify.permissions import Permission, expanded, permissions

PATIENCE_SECONDS = 6.0
"""A person waits for the answer."""

CUSTOMER = "query TryCustomers { customers(first: 1) { nodes { id firstName email } } }"


@dataclass(frozen=True, slots=True)
class Problem:
    message: str
    cure: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What a key opens. `scopes` is None where Shopify does not tell them."""

    store: str
    name: str
    currency: str
    timezone: str
    permissions: tuple[Permission, ...]
    problems: tuple[Problem, ...]
    answered_ms: int


def try_store(store: str, credentials: Credentials, *, version: str, admin_url: str | None = None) -> Trial:
    """Raises UserError for an address that is none, AccessError for a key that is refused, RetryLater where Shopify
    cannot be asked within seconds."""
    domain = store_domain(store)
    client = Client((admin_url or f"https://{domain}").rstrip("/"), version, credentials, Usage(), sleep=_patience())
    began = time.monotonic()
    answer = client.run(documents.PREPARE, {})
    shop = answer.root("shop", "the store's settings")
    took = time.monotonic() - began
    installation = answer.data.get("currentAppInstallation")
    found = installation.get("accessScopes") if isinstance(installation, dict) else None
    problems: list[Problem] = []
    scopes = {str(one["handle"]) for one in found} if isinstance(found, list) else None
    if scopes is None:
        problems.append(Problem("Shopify does not say which permissions the app has.",
                                "Missing ones show when they are used."))
    elif "read_customers" in expanded(scopes):
        problems += _customer_data(client)
    return Trial(domain, str(shop["name"]), str(shop["currencyCode"]), str(shop["ianaTimezone"]),
                 permissions(scopes) if scopes is not None else (), tuple(problems), round(took * 1000))


def _customer_data(client: Client) -> list[Problem]:
    """Names and addresses are kept from some apps even with the scope (facts §1, protected customer data)."""
    answer = client.run(CUSTOMER, {})
    customers = answer.data.get("customers", UNREAD)
    nodes = customers.get("nodes") if isinstance(customers, dict) else None
    hidden = customers is UNREAD or any(
        one is UNREAD or (isinstance(one, dict) and UNREAD in one.values()) for one in nodes or [])
    if not hidden:
        return []
    return [Problem(
        "Shopify keeps names, addresses and e-mails of customers from this app, so those cells stay as they are.",
        "An app of the Dev Dashboard gets them by asking for protected customer data; an app made in the store's admin "
        "needs the plan Grow or higher.")]


def _patience() -> Callable[[float], None]:
    """A sleep that gives up once it has waited some seconds in all."""
    waited = 0.0

    def sleep(seconds: float) -> None:
        nonlocal waited
        waited += seconds
        if waited > PATIENCE_SECONDS:
            raise RetryLater("Shopify does not answer now.", cure="Try again in a minute.", retry_after=seconds)
        time.sleep(seconds)

    return sleep

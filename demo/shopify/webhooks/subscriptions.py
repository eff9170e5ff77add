"""The subscriptions of the app, and why an address or a filter is refused (facts §11)."""
from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from ..errors import user_error
from ..model import Thing
from . import filters, topics

if TYPE_CHECKING:
    from ..state import Store

_ADDRESS = ["webhookSubscription", "callbackUrl"]
_ARN = re.compile(r"arn:aws:events:[\w-]+::event-source/aws\.partner/shopify\.com(\.test)?/\d+/[\w.-]+")


@dataclass(eq=False)
class Subscription(Thing):
    kind: ClassVar[str] = "WebhookSubscription"
    id: int
    topic: str  # PRODUCTS_UPDATE
    uri: str
    created_at: datetime
    updated_at: datetime
    format: str = "JSON"
    filter: str | None = None
    include_fields: tuple[str, ...] = ()
    metafield_namespaces: tuple[str, ...] = ()
    metafields: list[dict[str, str]] = field(default_factory=list)
    name: str | None = None
    by_api: bool = True

    @property
    def header(self) -> str:
        """`products/update`."""
        return topics.header_of(self.topic)


def problems(store: Store, topic: str, given: dict[str, Any], before: Subscription | None = None
             ) -> list[dict[str, Any]]:
    """What is wrong with an input, [] when it may be kept. `before` is what an update changes."""
    found = []
    if before is None or "uri" in given or "callbackUrl" in given:
        found += address_problems(store, address_of(given) or "")
    text = given.get("filter")
    if not found and text and not filters.is_valid(text):
        found.append(user_error(["webhookSubscription"], filters.INVALID))
    if before is None and not found:
        found += _topic_problems(store, topic)
    if not found and any(each is not before and (each.topic, each.uri, each.format, each.filter or "") == (
            topic, address_of(given) or (before.uri if before else ""), given.get("format") or "JSON", text or "")
            for each in store.webhooks.held.values()):
        found.append(user_error(_ADDRESS, "Address for this topic has already been taken"))
    return found


def address_of(given: dict[str, Any]) -> str | None:
    """The address of an input, trimmed; `callbackUrl` is its old name."""
    text = given.get("uri") or given.get("callbackUrl")
    return text.strip() if isinstance(text, str) else None


def address_problems(store: Store, address: str) -> list[dict[str, Any]]:
    if not address:
        return [user_error(_ADDRESS, "Address can't be blank")]
    if address.startswith("arn:"):
        return [] if _ARN.fullmatch(address) else [user_error(_ADDRESS, "Address is not a valid AWS ARN")]
    scheme = address.partition("://")[0] if "://" in address else ""
    if scheme == "pubsub":
        if re.fullmatch(r"pubsub://[\w-]+:[\w.~+%-]+", address):
            return []
        return [user_error(_ADDRESS, "Address protocol pubsub:// is not supported"),
                user_error(_ADDRESS, "Address is not a valid GCP pub/sub format. Format should be "
                                     "pubsub://project:topic")]
    if store.behaviour.local_webhook_addresses and scheme in ("http", "https"):
        return []
    if scheme != "https":
        return [user_error(_ADDRESS, f"Address protocol {scheme}:// is not supported" if scheme
                           else "Address is invalid")]
    host = urlsplit(address).hostname or ""
    if not host or ("." not in host and host != "localhost"):
        return [user_error(_ADDRESS, "Address is invalid")]
    if _is_internal(host):
        return [user_error(_ADDRESS, "Address cannot be a Shopify or an internal domain")]
    return []


def _is_internal(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".internal", ".local", ".localhost")) or any(
            host == name or host.endswith(f".{name}") for name in ("shopify.com", "myshopify.com", "shopifycs.com",
                                                                    "shopify.io", "shopifycloud.com"))


def _topic_problems(store: Store, topic: str) -> list[dict[str, Any]]:
    header = topics.header_of(topic)
    if not store.protected_data and header.startswith(tuple(f"{name}/" for name in topics.PROTECTED)):
        return [user_error(["topic"], "This app is not approved to subscribe to webhook topics containing protected "
                                      "customer data.")]
    if topics.missing_scope(store, header):
        return [user_error(["topic"], "You cannot create a webhook subscription with the specified topic")]
    return []

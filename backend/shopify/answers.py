"""What Shopify's answer means: the data, or one of our errors with a sentence that the shop's owner understands.

    HTTP status     not 200: credentials, scopes, a closed shop, or trouble at Shopify
    errors          the document, the rights or the server are the problem; may stand beside data
    data            every null that has an error on its path becomes UNREAD: not seen is not empty
    userErrors      the input is the problem: left in the data, for `writes` to give each to its row

Facts §2: a body can be anything, so it is read as bytes first and nothing about its shape is trusted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from backend.core.values import UNREAD
from backend.errors import (
    AccessError,
    InputRefused,
    OutcomeUnknown,
    RetryLater,
    SyncError,
    TokenRefused,
    TooCostly,
    UserError,
)
from backend.shopify.cost import Cost

RETRIED = "It is tried again by itself."
SUSPECTED_SECONDS = 30.0
"""The pause after a 430 that says nothing of one: sooner looks like an attack."""
LOOKED_AT = "The next sync looks before it does anything else."


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of `errors`. `path` leads into `data`, or is empty."""

    message: str
    code: str = ""
    path: tuple[str | int, ...] = ()
    request_id: str = ""
    """What Shopify's support finds a failure by."""

    @property
    def is_protected(self) -> bool:
        """Customer data that this app may not see, whatever its scopes; its code nobody has recorded (facts §1)."""
        return "is not approved to" in self.message or "personally identifiable information" in self.message

    @property
    def is_denial(self) -> bool:
        return self.code == "ACCESS_DENIED" or self.is_protected

    @property
    def scope(self) -> str:
        """The scope that would have helped, where the message names one."""
        found = re.search(r"`?((?:read|write)_[a-z_]+)`?", self.message)
        return found[1] if found else ""

    @property
    def is_within(self) -> bool:
        """Whether it lies below a field of the root: that field was carried out, and what it shows is missing."""
        return len(self.path) > 1

    @property
    def is_outage(self) -> bool:
        return self.code in {"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"}


@dataclass(frozen=True)
class Answer:
    """A good answer. `data` holds UNREAD wherever a null has an error on its path."""

    data: dict[str, Any]
    problems: tuple[Problem, ...] = ()
    cost: Cost | None = None
    warnings: tuple[str, ...] = ()
    """What Shopify's search says about the filter. A term it warns about is ignored, so everything matches."""
    version: str = ""
    at: float | None = None
    """When Shopify answered, by its own clock: seconds since 1970. None where it does not say."""

    def root(self, name: str, blocks: str = "") -> Any:
        """A field of the root, or the error that kept it from us. Null stays None.

        `blocks` is what people call that which cannot be read without it."""
        value = self.data.get(name, UNREAD)
        if value is not UNREAD:
            return value
        problem = self.problem_at(name) or Problem(f"The field {name!r} is not in the answer.")
        raise denied(problem, blocks) if problem.is_denial else error_from(problem, writes=False)

    def problem_at(self, name: str) -> Problem | None:
        return next((p for p in self.problems if p.path[:1] == (name,)), None)


    def swallowed(self, problem: Problem) -> bool:
        """Whether a whole thing of a list is not shown because of a problem with one field of it."""
        here: Any = self.data
        for at, step in enumerate(problem.path):
            try:
                here = here[step]
            except (KeyError, IndexError, TypeError):
                return False
            if here is UNREAD:
                return isinstance(step, int) and at < len(problem.path) - 1
        return False


def answer_from(status: int, headers: Dict[str, str], body: bytes, *, writes: bool) -> Answer:
    """The good answer in an HTTP response.

    `writes` says that the request was a mutation: where its answer is lost or garbled it may have happened.
    Raises TokenRefused, AccessError, UserError, RetryLater, OutcomeUnknown, TooCostly, InputRefused, SyncError.
    """
    content = _json(body)
    if status != 200:
        error = _status_error(status, headers, _text_of(content), writes)
        error.request_id = error.request_id or headers.get("X-Request-Id", "")
        raise error
    if not isinstance(content, dict):
        raise _lost("Shopify's answer could not be read: it is not JSON.", writes)
    extensions = content.get("extensions")
    extensions = extensions if isinstance(extensions, dict) else {}
    cost = Cost.of(extensions.get("cost"))
    problems = tuple(_problems(content.get("errors")))
    data = content.get("data")
    if not isinstance(data, dict):
        if not problems:
            raise _lost("Shopify's answer held neither data nor errors.", writes)
        if writes and "data" in content and problems[0].is_within:
            raise _lost("Shopify took a change and did not show what it stored.", writes)
        raise error_from(problems[0], writes=writes, cost=cost)
    for problem in problems:
        _mark_unread(data, problem)
    version = str(headers.get("X-Shopify-API-Version", ""))
    return Answer(data, problems, cost, tuple(_search_warnings(extensions.get("search"))), version,
                  _date(headers))


def error_from(problem: Problem, *, writes: bool, cost: Cost | None = None) -> SyncError:
    """The error that one entry of `errors` means when it took everything with it."""
    if problem.code == "THROTTLED":
        # Decided before anything runs (facts §3), so even a mutation may be sent again.
        return RetryLater("Shopify asks for a pause: too much was asked of it in a short time.", cure=RETRIED,
                          retry_after=cost.wait_seconds() if cost else 1.0)
    if problem.code == "MAX_COST_EXCEEDED":
        too_costly = TooCostly(problem.message)
        found = re.search(r"cost is (\d+)", problem.message)
        too_costly.points = float(found[1]) if found else None
        return too_costly
    if problem.is_denial:
        return denied(problem)
    if problem.code == "SHOP_INACTIVE":
        return AccessError("The Shopify store is not active.", cure="Open the store's admin and see what it asks for, "
                           "for example to choose a plan; then sync again.")
    if problem.is_outage:
        named = f" Its support finds it by the request id {problem.request_id}." if problem.request_id else ""
        error = _lost(f"Shopify reports an error on its own side.{named}", writes)
        error.request_id = problem.request_id
        return error
    if problem.code in {"INVALID_VARIABLE", "MAX_INPUT_SIZE_EXCEEDED", "BAD_REQUEST", "INVALID_FIELD_ARGUMENTS",
                        "RESOURCE_NOT_FOUND", "NOT_FOUND", "INVALID_PRODUCT_TAXONOMY_NODE_ID"} or (
                            not problem.code and problem.message.startswith(("Variable $", "Invalid global id"))):
        return InputRefused(problem.message)
    return SyncError(f"Shopify did not understand our request: {problem.message}",
                     cure="This is a mistake in this product: please report it with this sentence.")


def denied(problem: Problem, blocks: str = "") -> AccessError:
    """A right is missing. `blocks` says what cannot be done without it."""
    what = blocks or (".".join(str(step) for step in problem.path if isinstance(step, str)) or "this")
    if problem.is_protected:
        error = AccessError(f"Shopify does not show {what} to this app: it is protected customer data. It says: "
                            f"{problem.message}",
                            cure="An app of your own made in Shopify's Dev Dashboard may see it. A token of a custom "
                                 "app made in the store's admin may only on Shopify's larger plans. Or leave these "
                                 "fields out of the mapping.")
    elif problem.scope:
        needs = NEEDED_FOR.get(problem.scope, "")
        error = AccessError(f"Shopify does not let this app use {what}: it lacks the access scope {problem.scope}"
                            f"{f', which is needed {needs}' if needs else ''}.",
                            cure=f"Add {problem.scope} to the app's scopes, release and install that version on the "
                                 "store, then sync again.")
    else:
        error = AccessError(f"Shopify does not let this app use {what}: {problem.message}",
                            cure="Give the app that right in its configuration on Shopify, then sync again.")
    error.path = problem.path
    return error


NEEDED_FOR = {
    "read_products": "to read products, variants and collections",
    "write_products": "to change products, variants and collections",
    "read_inventory": "to read stock",
    "write_inventory": "to change stock, and SKU, cost and weight of variants",
    "read_locations": "to read locations",
    "write_locations": "to change metafields of locations",
    "read_orders": "to read orders and their lines",
    "read_all_orders": "to read orders older than 60 days",
    "write_orders": "to change orders",
    "read_customers": "to read customers",
    "write_customers": "to change customers",
    "read_draft_orders": "to read draft orders",
    "write_draft_orders": "to change draft orders",
    "read_publications": "to see in which sales channels a product is",
    "write_publications": "to publish products in sales channels",
    "read_merchant_managed_fulfillment_orders": "to see what of an order is to be sent",
    "write_merchant_managed_fulfillment_orders": "to fulfil orders",
    "read_assigned_fulfillment_orders": "to see what of an order is to be sent",
    "write_assigned_fulfillment_orders": "to fulfil orders",
    "read_third_party_fulfillment_orders": "to see what of an order somebody else sends",
    "write_third_party_fulfillment_orders": "to fulfil orders that somebody else sends",
}
"""What an owner cannot do without a scope (facts §1)."""


def _lost(sentence: str, writes: bool) -> RetryLater:
    if writes:
        return OutcomeUnknown(f"{sentence} A change was under way, and may have happened.", cure=LOOKED_AT)
    return RetryLater(sentence, cure=RETRIED)


# --- the parts of a body ------------------------------------------------------------------------


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _text_of(content: Any) -> str:
    """What an error body says, whether `errors` is a string, a list or an object."""
    if not isinstance(content, dict):
        return ""
    errors = content.get("errors", content.get("error_description", content.get("error", "")))
    if isinstance(errors, str):
        return errors.removeprefix("[API] ")
    if isinstance(errors, dict):
        return "; ".join(f"{name} {text}" for name, text in errors.items())
    return "; ".join(problem.message for problem in _problems(errors))


def _problems(errors: Any) -> list[Problem]:
    if errors is None:
        return []
    if isinstance(errors, dict) and "message" not in errors:
        return [Problem("; ".join(f"{name} {text}" for name, text in errors.items()))]
    found = []
    for entry in errors if isinstance(errors, list) else [errors]:
        if not isinstance(entry, dict):
            found.append(Problem(str(entry)))
            continue
        extensions = entry.get("extensions")
        code = extensions.get("code") if isinstance(extensions, dict) else None
        path = entry.get("path")
        request_id = extensions.get("requestId") if isinstance(extensions, dict) else None
        found.append(Problem(str(entry.get("message") or "An error without a message."), str(code or ""),
                             tuple(path) if isinstance(path, list) else (), str(request_id or "")))
    return found


def _search_warnings(search: Any) -> list[str]:
    warnings = []
    for part in search if isinstance(search, list) else []:
        for warning in (part.get("warnings") or []) if isinstance(part, dict) else []:
            warnings.append(f"{warning.get('field') or 'term'}: {warning.get('message') or warning.get('code')}")
    return warnings


def _mark_unread(data: dict[str, Any], problem: Problem) -> None:
    """Put UNREAD where the error's path meets its null: a null climbs to the next thing that may be null."""
    here: Any = data
    for step in problem.path:
        try:
            value = here[step]
        except (KeyError, IndexError, TypeError):
            return  # the path names an argument, or leaves what was selected
        if value is None:
            here[step] = UNREAD
            return
        here = value


# --- HTTP statuses ------------------------------------------------------------------------------


def _status_error(status: int, headers: Dict[str, str], text: str, writes: bool) -> SyncError:
    said = f' It said: "{text}"' if text else ""
    if status == 401:
        return TokenRefused("Shopify does not accept the access token: it is wrong, was revoked, or the app was "
                            "uninstalled from the store." + said,
                            cure="Paste a new token, or install the app on the store again; then sync again.")
    if status == 403:
        scope = Problem(text).scope
        if scope:
            return denied(Problem(text), "this store's data")
        return AccessError("Shopify refuses this app access to the store." + said,
                           cure="See in the store's admin whether the store is open and the app is installed with "
                                "the scopes it needs.")
    if status == 402:
        return AccessError("The Shopify store is frozen because a bill is unpaid." + said,
                           cure="Settle the bill in the store's admin under Settings, Billing; then sync again.")
    if status == 404:
        return UserError("Shopify knows no store of this name, or not this version of its API." + said,
                         cure="Check the store's address (SHOPIFY_STORE, something.myshopify.com) and "
                              "SHOPIFY_API_VERSION.")
    if status == 423:
        return AccessError("Shopify has locked the store." + said,
                           cure="Open the store's admin, or ask Shopify's support why it is locked; then sync again.")
    if status == 430:
        return RetryLater("Shopify refused the request for reasons of security." + said,
                          cure="It is tried again by itself. When it goes on, ask Shopify's support.",
                          retry_after=_retry_after(headers) or SUSPECTED_SECONDS)
    if status == 429:
        return RetryLater("Shopify asks for a pause: too many requests in a short time.", cure=RETRIED,
                          retry_after=_retry_after(headers) or 1.0)
    if 300 <= status < 400:
        return UserError("Shopify sends this store's requests elsewhere, so the address is not the store's own.",
                         cure="Use the store's permanent address, something.myshopify.com, as SHOPIFY_STORE.")
    if status in (530, 540, 783):
        return RetryLater(f"Shopify has trouble (status {status}).", cure=RETRIED)
    if status == 409:
        return _lost("Shopify is at work on the same thing already (status 409).", writes)
    if status >= 500:
        error = _lost(f"Shopify has trouble (status {status}).", writes)
        error.retry_after = None if writes else _retry_after(headers)
        return error
    return SyncError(f"Shopify refused our request with status {status}.{said}",
                     cure="This is a mistake in this product: please report it with this sentence.")


def _date(headers: Dict[str, str]) -> float | None:
    try:
        return parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (ValueError, TypeError):
        return None


def _retry_after(headers: Dict[str, str]) -> float | None:
    try:
        return max(float(headers.get("Retry-After", "")), 0.0)
    except ValueError:
        return None

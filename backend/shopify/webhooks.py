"""Shopify's webhooks: which ones are wanted, that they are there, that a delivery is genuine, and what it hints at.

    topics_for  the topics of the mapped resources that the app's scopes allow
    ensure      subscribe at an address to what is missing or was dropped; remove what is not wanted there
    verified    whether a body was signed with a secret of ours
    kind        what is to be done about a topic: look at hints, stop the link, answer a privacy request …
    hints       (resource, gid) of what may have changed

A delivery is a hint and nothing more (facts §13): no value of a payload is ever used, and one that is lost, late,
doubled or out of order is made good by the next poll. Where a gid names a relative (the order of order lines, the
inventory item of a variant), `ShopifyConnector.expand` turns it into the resource's own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from backend.core.model import Mapping
from backend.errors import InputRefused, RetryLater
from backend.shopify.answers import RETRIED, Answer
from backend.shopify.reading import chunks

log = logging.getLogger(__name__)

Kind = Literal["hints", "uninstalled", "scopes", "shop", "bulk", "privacy"]

ALWAYS = ("APP_UNINSTALLED", "APP_SCOPES_UPDATE", "SHOP_UPDATE")
SCOPES: dict[str, tuple[str, ...]] = {
    "PRODUCTS": ("read_products",), "COLLECTIONS": ("read_products",), "INVENTORY_ITEMS": ("read_inventory",),
    "INVENTORY_LEVELS": ("read_inventory",), "LOCATIONS": ("read_locations",), "ORDERS": ("read_orders",),
    "REFUNDS": ("read_orders",), "FULFILLMENTS": ("read_fulfillments",), "DRAFT_ORDERS": ("read_draft_orders",),
    "CUSTOMERS": ("read_customers",), "CUSTOMER_TAGS": ("read_customers",),
    "CUSTOMERS_MERGE": ("read_customer_merge",),
    "FULFILLMENT_ORDERS": ("read_merchant_managed_fulfillment_orders", "read_assigned_fulfillment_orders",
                           "read_third_party_fulfillment_orders"),
}
"""The scopes of which a topic asks for one, by the longest beginning of its name (facts §1)."""
PER_REQUEST = 20
"""Subscriptions cost 10 points each."""
CLOSE = timedelta(minutes=1)
"""A variant whose time stamp is further behind its product's was not what changed."""

LIST = """query Webhooks($after: String) {
  webhookSubscriptions(first: 250, after: $after) {
    nodes { id topic uri format filter }
    pageInfo { hasNextPage endCursor }
  }
}"""


class Asks(Protocol):
    """A connector of a store, or its client."""

    def run(self, document: str, variables: dict[str, Any], *, writes: bool = False) -> Answer: ...


@dataclass(frozen=True)
class Ensured:
    """What stands at an address now, by topic."""

    subscribed: tuple[str, ...] = ()
    """Everything that is subscribed to, whether it was there already or not."""
    put_back: tuple[str, ...] = ()
    """Of those, what had been there and was dropped: Shopify does that after eight failed deliveries in a row."""
    refused: dict[str, str] = field(default_factory=dict)
    """Topics that cannot be had, with the reason."""
    removed: tuple[str, ...] = ()


# --- subscribing --------------------------------------------------------------------------------------


def topics_for(mappings: Iterable[Mapping], scopes: Collection[str] | None) -> tuple[str, ...]:
    """The topics to subscribe to. `scopes` are the app's with what they imply, None where Shopify does not tell."""
    wanted = dict.fromkeys((*ALWAYS, *(topic for mapping in mappings for topic in mapping.resource.topics)))
    return tuple(topic for topic in wanted
                 if scopes is None or not needs(topic) or not set(needs(topic)).isdisjoint(scopes))


def needs(topic: str) -> tuple[str, ...]:
    """The scopes of which a topic cannot be subscribed to without one; none where it needs none."""
    return next((SCOPES[start] for start in sorted(SCOPES, key=len, reverse=True)
                 if topic == start or topic.startswith(f"{start}_")), ())


def ensure(shop: Asks, topics: Collection[str], address: str, before: Collection[str] = ()) -> Ensured:
    """Make the subscriptions at `address` (https) those of `topics`, no more and no less. `before` are the topics that
    were there when somebody looked last. Other addresses are left alone: a store may have several links.

    Raises RetryLater, AccessError; a topic that Shopify refuses is in `refused` and stops no other.
    """
    there = {one["topic"]: one["id"] for one in _subscriptions(shop) if one["uri"] == address}
    missing = [topic for topic in dict.fromkeys(topics) if topic not in there]
    refused: dict[str, str] = {}
    for chunk in chunks(missing, PER_REQUEST):
        refused |= _subscribe(shop, chunk, address)
    unwanted = [topic for topic in there if topic not in topics]
    _unsubscribe(shop, [there[topic] for topic in unwanted])
    made = [topic for topic in missing if topic not in refused]
    put_back = tuple(topic for topic in made if topic in before)
    if put_back:
        log.info("shopify: put back %d webhooks that had been dropped: %s", len(put_back), ", ".join(put_back))
    return Ensured(tuple(sorted({*there, *made} - set(unwanted))), put_back, refused, tuple(unwanted))


def remove(shop: Asks, address: str) -> int:
    """Unsubscribe from everything at `address`: the link is gone, or wants no webhooks. How many that were."""
    found = [one["id"] for one in _subscriptions(shop) if one["uri"] == address]
    _unsubscribe(shop, found)
    return len(found)


def _subscriptions(shop: Asks) -> Iterator[dict[str, Any]]:
    after = None
    while True:
        page = shop.run(LIST, {"after": after}).root("webhookSubscriptions", "the list of webhooks")
        yield from page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return
        if page["pageInfo"]["endCursor"] in (None, after):
            raise RetryLater("Shopify's list of webhooks did not go on where it should.", cure=RETRIED)
        after = page["pageInfo"]["endCursor"]


def subscribe_document(count: int) -> str:
    """Variables: the input, and t0, t1 …: a topic that this version does not know spoils a variable and no text."""
    variables = "".join(f", $t{n}: WebhookSubscriptionTopic!" for n in range(count))
    calls = "\n  ".join(f"s{n}: webhookSubscriptionCreate(topic: $t{n}, webhookSubscription: $input) {{ "
                        "userErrors { field message } }" for n in range(count))
    return f"mutation Subscribe($input: WebhookSubscriptionInput!{variables}) {{\n  {calls}\n}}"


def unsubscribe_document(count: int) -> str:
    """Variables: i0, i1 …"""
    variables = ", ".join(f"$i{n}: ID!" for n in range(count))
    calls = "\n  ".join(f"d{n}: webhookSubscriptionDelete(id: $i{n}) {{ userErrors {{ field message }} }}"
                        for n in range(count))
    return f"mutation Unsubscribe({variables}) {{\n  {calls}\n}}"


def _subscribe(shop: Asks, topics: Sequence[str], address: str) -> dict[str, str]:
    """The topics that were refused, with the reason."""
    variables = {"input": {"uri": address, "format": "JSON"}, **{f"t{n}": topic for n, topic in enumerate(topics)}}
    try:
        answer = shop.run(subscribe_document(len(topics)), variables, writes=True)
    except InputRefused as error:
        if len(topics) == 1:
            return {topics[0]: f"This version of Shopify's API does not know it: {error.message}"}
        half = len(topics) // 2
        return _subscribe(shop, topics[:half], address) | _subscribe(shop, topics[half:], address)
    refused = {}
    for n, topic in enumerate(topics):
        problem = answer.problem_at(f"s{n}")
        payload = answer.data.get(f"s{n}")
        said = [str(one["message"]) for one in payload["userErrors"]] if isinstance(payload, dict) else [
            problem.message if problem else "Shopify gave no answer."]
        # Somebody else of us was quicker: it is there.
        said = [sentence for sentence in said if "already been taken" not in sentence]
        if said:
            refused[topic] = " ".join(said)
            # Without a scope Shopify only says that it cannot be.
            if needs(topic) and (any("specified topic" in one for one in said) or (problem and problem.is_denial)):
                refused[topic] += f" It needs the access scope {' or '.join(needs(topic))}."
    return refused


def _unsubscribe(shop: Asks, ids: Sequence[str]) -> None:
    # One that is gone already is a user error, and just as well.
    for chunk in chunks(ids, PER_REQUEST):
        shop.run(unsubscribe_document(len(chunk)), {f"i{n}": one for n, one in enumerate(chunk)}, writes=True)


# --- deliveries ---------------------------------------------------------------------------------------


def verified(raw_body: bytes, header: str, secrets: Sequence[str]) -> bool:
    """Whether `header` (X-Shopify-Hmac-Sha256) signs these bytes with one of `secrets`: while a secret is being changed
    Shopify may sign with the old or the new one (facts §1). Without any secret nothing is genuine."""
    given = header.strip().encode("utf-8", "replace")
    good = False
    for secret in secrets:
        made = base64.b64encode(hmac.new(secret.encode(), raw_body, hashlib.sha256).digest())
        good |= bool(secret) and hmac.compare_digest(made, given)  # all of them, so that time tells nothing
    return good


def kind(topic: str) -> Kind:
    """What a delivery (X-Shopify-Topic: `products/update`) asks for."""
    return _KINDS.get(topic, "hints")


_KINDS: dict[str, Kind] = {
    "app/uninstalled": "uninstalled", "app/scopes_update": "scopes", "shop/update": "shop",
    "bulk_operations/finish": "bulk", "customers/data_request": "privacy", "customers/redact": "privacy",
    "shop/redact": "privacy",
}


def hints(topic: str, payload: Any) -> tuple[tuple[str, str], ...]:
    """(resource, gid) of everything that a delivery says may have changed, whether it is mapped or not. Nothing for a
    topic that is of another kind, or for a payload that is not what it should be."""
    if kind(topic) != "hints" or not isinstance(payload, dict):
        return ()
    what, _, happened = topic.partition("/")
    tell: Tell | None = _TELLS.get(what)
    return tuple(dict.fromkeys(tell(payload, happened))) if tell else ()


def _product(payload: dict[str, Any], happened: str) -> Iterator[tuple[str, str]]:
    yield from _own("products", "Product", payload)
    since = _moment(payload.get("updated_at"))
    # A product with very many variants shows only some of them, and lists all in `variant_gids` (facts §11).
    for one in (*_list(payload, "variants"), *_list(payload, "variant_gids")):
        moved = _moment(one.get("updated_at"))
        if happened == "create" or since is None or moved is None or since - moved <= CLOSE:
            yield from _own("variants", "ProductVariant", one)


def _item(payload: dict[str, Any], happened: str) -> Iterator[tuple[str, str]]:
    for _, item in _own("", "InventoryItem", payload):
        yield "variants", item
        if happened == "delete":
            yield "inventory", item


def _level(payload: dict[str, Any], _: str) -> Iterator[tuple[str, str]]:
    if payload.get("admin_graphql_api_id"):
        yield "inventory", str(payload["admin_graphql_api_id"])
    elif payload.get("inventory_item_id"):
        yield "inventory", f"gid://shopify/InventoryItem/{payload['inventory_item_id']}"


def _order(payload: dict[str, Any], _: str) -> Iterator[tuple[str, str]]:
    for _name, order in _own("orders", "Order", payload):
        yield from _with_lines(order)
    customer = payload.get("customer")
    if isinstance(customer, dict):  # what they have spent
        yield from _own("customers", "Customer", customer)


def _of_order(payload: dict[str, Any], _: str) -> Iterator[tuple[str, str]]:
    """A fulfilment or a refund: its order's."""
    if payload.get("order_id"):
        yield from _with_lines(f"gid://shopify/Order/{payload['order_id']}")


def _fulfillment_order(payload: dict[str, Any], _: str) -> Iterator[tuple[str, str]]:
    for name in ("fulfillment_order", "original_fulfillment_order", "moved_fulfillment_order",
                 "replacement_fulfillment_order", "remaining_fulfillment_order", "resulting_fulfillment_order"):
        one = payload.get(name)
        if isinstance(one, dict):
            yield from _own("fulfillment_orders", "FulfillmentOrder", one)
            yield from _of_order(one, "")


def _draft(payload: dict[str, Any], _: str) -> Iterator[tuple[str, str]]:
    for name, draft in _own("draft_orders", "DraftOrder", payload):
        yield name, draft
        yield "draft_order_lines", draft


def _customer(payload: dict[str, Any], _: str) -> Iterator[tuple[str, str]]:
    yield from _own("customers", "Customer", payload)
    for name in ("admin_graphql_api_customer_kept_id", "admin_graphql_api_customer_deleted_id", "customerId"):
        if payload.get(name):
            yield "customers", str(payload[name])


def _with_lines(order: str) -> Iterator[tuple[str, str]]:
    yield "orders", order
    yield "order_lines", order


def _own(resource: str, kind_of_thing: str, payload: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A thing by its global id, or by the number that a deletion tells alone."""
    gid, number = payload.get("admin_graphql_api_id"), payload.get("id")
    if isinstance(gid, str) and gid.startswith(f"gid://shopify/{kind_of_thing}/"):
        yield resource, gid
    elif isinstance(number, str) and number.startswith(f"gid://shopify/{kind_of_thing}/"):
        yield resource, number
    elif str(number).isdigit():
        yield resource, f"gid://shopify/{kind_of_thing}/{number}"


Tell = Callable[[dict[str, Any], str], Iterator[tuple[str, str]]]

_TELLS: dict[str, Tell] = {
    "products": _product, "inventory_items": _item, "inventory_levels": _level, "orders": _order,
    "refunds": _of_order, "fulfillments": _of_order, "fulfillment_orders": _fulfillment_order,
    "draft_orders": _draft, "customers": _customer, "customer.tags_added": _customer,
    "customer.tags_removed": _customer,
    "collections": lambda payload, _: _own("collections", "Collection", payload),
    "locations": lambda payload, _: _own("locations", "Location", payload),
}


def _list(payload: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = payload.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None

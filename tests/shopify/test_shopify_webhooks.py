"""Webhooks are there while they are wanted, are genuine, and hint at everything that their payloads speak of."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest
from shopify_helpers import mapping_of

from backend.shopify import webhooks
from backend.shopify.resources import RESOURCES
from backend.shopify.webhooks import ALWAYS, ensure, hints, kind, needs, remove, topics_for, verified

ADDRESS = "https://sync.example/hooks/shopify/k"
EVERYTHING = [mapping_of(name) for name in RESOURCES]
PRODUCT, VARIANT, ORDER = (f"gid://shopify/{name}/1" for name in ("Product", "ProductVariant", "Order"))
LEVEL = "gid://shopify/InventoryLevel/7?inventory_item_id=2"


# --- which ones ---------------------------------------------------------------------------------------


def test_topics_are_those_of_the_mapped_resources_that_the_scopes_allow() -> None:
    assert topics_for([mapping_of("collections")], {"read_products"}) == (
        *ALWAYS, "COLLECTIONS_CREATE", "COLLECTIONS_UPDATE", "COLLECTIONS_DELETE")
    assert topics_for(EVERYTHING, set()) == ALWAYS
    assert "FULFILLMENTS_CREATE" not in topics_for(EVERYTHING, {"read_orders"})
    assert "FULFILLMENTS_CREATE" in topics_for(EVERYTHING, None)
    sent = topics_for([mapping_of("fulfillment_orders")], {"read_assigned_fulfillment_orders"})
    assert len(sent) > len(ALWAYS)


def test_every_resource_is_heard_of() -> None:
    assert [name for name, resource in RESOURCES.items() if not resource.topics] == []


def test_topics_are_shopifys_own_and_every_one_but_the_apps_knows_its_scope() -> None:
    from demo.shopify.schema import load_schema

    names = topics_for(EVERYTHING, None)
    topic_type: Any = load_schema().type_map["WebhookSubscriptionTopic"]
    assert set(names) <= set(topic_type.values)
    assert {name for name in names if not needs(name)} == set(ALWAYS)


def test_subscribing_twice_changes_nothing_and_what_was_dropped_is_put_back(start: Callable[..., Any]) -> None:
    at = start(products=2)
    topics = topics_for([mapping_of("products")], at.connector.scopes)
    first = ensure(at.connector, topics, ADDRESS)
    assert (set(first.subscribed), first.put_back, first.refused) == (set(topics), (), {})
    before = at.connector.usage.requests
    assert ensure(at.connector, topics, ADDRESS, first.subscribed).put_back == ()
    assert at.connector.usage.requests == before + 1
    dropped = next(one for one in at.store.webhooks.held.values() if one.header == "products/update")
    del at.store.webhooks.held[dropped.id]
    again = ensure(at.connector, topics, ADDRESS, first.subscribed)
    assert again.put_back == ("PRODUCTS_UPDATE",)
    assert set(again.subscribed) == set(topics)


def test_what_is_not_wanted_any_more_goes_and_other_addresses_stay(start: Callable[..., Any]) -> None:
    at = start(products=1)
    ensure(at.connector, ("PRODUCTS_UPDATE",), "https://sync.example/hooks/shopify/another")
    ensure(at.connector, ("PRODUCTS_UPDATE", "ORDERS_UPDATED"), ADDRESS)
    assert ensure(at.connector, ("PRODUCTS_UPDATE",), ADDRESS).removed == ("ORDERS_UPDATED",)
    assert remove(at.connector, ADDRESS) == 1
    assert [one.uri for one in at.store.webhooks.held.values()] == ["https://sync.example/hooks/shopify/another"]


def test_what_shopify_refuses_is_told_and_stops_no_other(start: Callable[..., Any]) -> None:
    at = start(products=1)
    at.door("access", protected_data=False)
    found = ensure(at.connector, ("PRODUCTS_UPDATE", "CUSTOMERS_UPDATE", "NOT_A_TOPIC"), ADDRESS)
    assert found.subscribed == ("PRODUCTS_UPDATE",)
    assert "protected customer data" in found.refused["CUSTOMERS_UPDATE"]
    assert "does not know it" in found.refused["NOT_A_TOPIC"]
    at.door("access", scopes=["read_products"], protected_data=True)
    assert "read_orders" in ensure(at.connector, ("ORDERS_UPDATED",), ADDRESS).refused["ORDERS_UPDATED"]


# --- genuine ------------------------------------------------------------------------------------------


def signed(body: bytes, secret: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


@pytest.mark.parametrize(("body", "header", "secrets", "good"), [
    (b'{"id":1}', signed(b'{"id":1}', "new"), ["new"], True),
    (b'{"id":1}', signed(b'{"id":1}', "old"), ["new", "old"], True),
    (b'{"id":1}', signed(b'{"id":1}', "old"), ["new"], False),
    (b'{"id": 1}', signed(b'{"id":1}', "new"), ["new"], False),
    (b'{"id":1}', "", ["new"], False),
    (b'{"id":1}', "größer", ["new"], False),
    (b'{"id":1}', signed(b'{"id":1}', ""), [""], False),
    (b'{"id":1}', signed(b'{"id":1}', "new"), [], False),
])
def test_a_body_is_genuine_when_one_of_our_secrets_signed_its_bytes(
    body: bytes, header: str, secrets: list[str], good: bool
) -> None:
    assert verified(body, header, secrets) is good


# --- hints --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("topic", "payload", "expected"), [
    ("products/delete", {"id": 1}, {("products", PRODUCT)}),
    ("products/update", {"admin_graphql_api_id": PRODUCT, "updated_at": "2026-11-23T10:00:00-05:00", "variants": [
        {"id": 1, "admin_graphql_api_id": VARIANT, "updated_at": "2026-11-23T15:59:59+01:00"},
        {"id": 9, "updated_at": "2026-11-01T10:00:00-05:00"}]}, {("products", PRODUCT), ("variants", VARIANT)}),
    ("products/update", {"id": 1, "variants": [{"id": 1}], "variant_gids": [{
        "admin_graphql_api_id": "gid://shopify/ProductVariant/2"}]},
     {("products", PRODUCT), ("variants", VARIANT), ("variants", "gid://shopify/ProductVariant/2")}),
    ("collections/update", {"id": 3}, {("collections", "gid://shopify/Collection/3")}),
    ("inventory_items/update", {"id": 2}, {("variants", "gid://shopify/InventoryItem/2")}),
    ("inventory_items/delete", {"id": 2}, {("variants", "gid://shopify/InventoryItem/2"),
                                           ("inventory", "gid://shopify/InventoryItem/2")}),
    ("inventory_levels/update", {"inventory_item_id": 2, "location_id": 7, "admin_graphql_api_id": LEVEL},
     {("inventory", LEVEL)}),
    ("inventory_levels/disconnect", {"inventory_item_id": 2, "location_id": 7},
     {("inventory", "gid://shopify/InventoryItem/2")}),
    ("orders/updated", {"id": 1, "customer": {"id": 4}},
     {("orders", ORDER), ("order_lines", ORDER), ("customers", "gid://shopify/Customer/4")}),
    ("orders/delete", {"id": 1}, {("orders", ORDER), ("order_lines", ORDER)}),
    ("refunds/create", {"id": 8, "order_id": 1}, {("orders", ORDER), ("order_lines", ORDER)}),
    ("fulfillments/update", {"id": 8, "order_id": 1}, {("orders", ORDER), ("order_lines", ORDER)}),
    ("fulfillment_orders/split", {"fulfillment_order": {"id": "gid://shopify/FulfillmentOrder/6"}},
     {("fulfillment_orders", "gid://shopify/FulfillmentOrder/6")}),
    ("draft_orders/update", {"id": 5}, {("draft_orders", "gid://shopify/DraftOrder/5"),
                                        ("draft_order_lines", "gid://shopify/DraftOrder/5")}),
    ("customers/update", {"id": 4}, {("customers", "gid://shopify/Customer/4")}),
    ("customers/merge", {"admin_graphql_api_customer_kept_id": "gid://shopify/Customer/4",
                         "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/5"},
     {("customers", "gid://shopify/Customer/4"), ("customers", "gid://shopify/Customer/5")}),
    ("customer.tags_added", {"customerId": "gid://shopify/Customer/4", "tags": ["x"]},
     {("customers", "gid://shopify/Customer/4")}),
    ("locations/deactivate", {"id": 7}, {("locations", "gid://shopify/Location/7")}),
    ("app/uninstalled", {"id": 1}, set()),
    ("customers/redact", {"customer": {"id": 4}}, set()),
    ("carts/update", {"id": "x"}, set()),
    ("products/update", {"id": "../1", "variants": "none"}, set()),
    ("products/update", [1, 2], set()),
    ("orders/updated", None, set()),
])
def test_a_payload_hints_at_what_may_have_changed(
    topic: str, payload: Any, expected: set[tuple[str, str]]
) -> None:
    assert set(hints(topic, payload)) == expected


@pytest.mark.parametrize(("topic", "expected"), [
    ("products/update", "hints"), ("app/uninstalled", "uninstalled"), ("app/scopes_update", "scopes"),
    ("shop/update", "shop"), ("customers/data_request", "privacy"), ("customers/redact", "privacy"),
    ("shop/redact", "privacy"), ("bulk_operations/finish", "bulk"),
])
def test_a_topic_says_what_is_to_be_done(topic: str, expected: str) -> None:
    assert kind(topic) == expected


@pytest.mark.parametrize(("resource", "happen"), [
    ("products", lambda at, store: at.door("edit", product={"id": first(store.products).gid}, set={"title": "New"})),
    ("variants", lambda at, store: at.door("edit", variant={"id": first(store.variants).gid}, set={"price": "9.99"})),
    ("inventory", lambda at, store: store.sell(first(store.variants).id, 1)),
    ("order_lines", lambda at, store: store.touch(first(store.orders))),
    ("draft_orders", lambda at, store: store.touch(first(store.drafts))),
    ("customers", lambda at, store: store.touch(first(store.customers))),
    ("collections", lambda at, store: store.touch(first(store.collections))),
])
def test_what_happens_in_a_store_is_hinted_at_and_found_by_the_hint(
    start: Callable[..., Any], resource: str, happen: Callable[[Any, Any], None]
) -> None:
    """From the happening over the delivery to the row: every kind of thing, by the payloads of the simulated store."""
    import orjson

    at = start(products=4, orders=8, plan="unlimited")
    mapping = mapping_of(resource)
    ensure(at.connector, topics_for([mapping], at.connector.scopes), ADDRESS)
    happen(at, at.store)
    with at.store.lock:  # the store's own thread may be writing them down just now
        at.store.webhooks.told()
    deliveries = [one for one in at.store.webhooks.log if kind(one.topic) == "hints"]
    hinted: dict[str, set[Any]] = {}
    for one in deliveries:
        for name, gid in hints(one.topic, orjson.loads(one.body)):
            hinted.setdefault(name, set()).add(gid)
    keys, whole = at.connector.expand([mapping], hinted)
    assert (whole, keys.keys()) == (set(), {resource})
    snapshot = at.connector.read(mapping, keys[resource])
    assert keys[resource]
    assert snapshot.rows.keys() == keys[resource]
    assert snapshot.notes == ()


def first(things: Any) -> Any:
    return next(iter(things.values()))


def test_the_documents_fit_the_schema() -> None:
    from test_shopify_documents import assert_fits

    assert_fits(webhooks.LIST, {"after": None})
    assert_fits(webhooks.subscribe_document(2), {
        "input": {"uri": ADDRESS, "format": "JSON"}, "t0": "PRODUCTS_UPDATE", "t1": "ORDERS_UPDATED"})
    assert_fits(webhooks.unsubscribe_document(1), {"i0": "gid://shopify/WebhookSubscription/1"})

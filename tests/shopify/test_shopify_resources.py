"""Collections, customers, orders, draft orders and their lines, against the simulated store and scripted answers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from shopify_helpers import STORE, create, delete, mapping_of, row_of, says, scripted, update, write

from backend.connector import Stamp
from backend.core.mapping import in_order
from backend.core.model import Mapping
from backend.core.values import UNREAD
from backend.shopify import reading
from backend.shopify.auth import PastedToken
from backend.shopify.connector import ShopifyConnector
from backend.shopify.cures import cure_for
from backend.shopify.resources import RESOURCES

ORDER, LINE = "gid://shopify/Order/1", "gid://shopify/LineItem/11"
SHOP = {"data": {"shop": {"name": "F", "currencyCode": "EUR", "ianaTimezone": "Europe/Paris", "weightUnit": "GRAMS",
                          "myshopifyDomain": STORE},
                 "currentAppInstallation": {"accessScopes": [{"handle": "write_orders"}, {"handle": "read_products"}]}}}


def first_of(at: Any, mapping: Mapping) -> str:
    return str(next(iter(at.connector.read(mapping).rows)))


def test_what_is_referred_to_stands_first() -> None:
    names = list(RESOURCES)
    for resource in RESOURCES.values():
        assert all(names.index(field.target) < names.index(resource.name) for field in resource.fields
                   if field.kind == "ref")


def test_a_list_of_references_puts_its_mapping_behind_what_it_lists() -> None:
    wanted = [mapping_of(name, *fields) for name, fields in (
        ("products", ["title", "collectionRefs"]), ("variants", ["product"]), ("collections", ["title"]))]
    assert [one.name for one in in_order(wanted, list(RESOURCES))] == ["collections", "products", "variants"]
    wanted[0] = mapping_of("products", "title", "collections")
    assert [one.name for one in in_order(wanted, list(RESOURCES))] == ["products", "variants", "collections"]


# --- collections and customers ------------------------------------------------------------------


def test_collections_are_read_changed_made_and_deleted(start: Any) -> None:
    at = start()
    mapping = mapping_of("collections")
    key = first_of(at, mapping)
    held = row_of(at.connector, mapping, key)
    [changed] = write(at.connector, mapping, update(key, title=(held["title"], "Winter"), seo__title=(None, "Warm")))
    assert changed.done
    assert changed.stored.items() <= row_of(at.connector, mapping, key).items()
    assert (changed.stored["title"], changed.stored["seo.title"]) == ("Winter", "Warm")
    [made] = write(at.connector, mapping, create(1, title="Lamps"))
    assert made.done
    [gone] = write(at.connector, mapping, delete(str(made.key)))
    assert gone.done
    assert at.connector.read(mapping, [str(made.key)]).gone == {made.key}


def test_a_customer_is_made_changed_and_deleted(start: Any) -> None:
    at = start()
    mapping = mapping_of("customers", "firstName", "lastName", "email", "phone", "note", "tags", "numberOfOrders")
    [made] = write(at.connector, mapping, create(1, firstName="Ada", email="ada@example.com", tags=("vip",)))
    assert made.done
    assert (made.stored["email"], made.stored["tags"], made.stored["numberOfOrders"]) == (
        "ada@example.com", ("vip",), 0)
    [changed] = write(at.connector, mapping, update(
        str(made.key), lastName=(None, "Byron"), note=(None, "Calls"), tags=(("vip",), ("new",))))
    assert changed.done
    assert row_of(at.connector, mapping, str(made.key)) == {**made.stored, "lastName": "Byron", "note": "Calls",
                                                            "tags": ("new",)}
    [gone] = write(at.connector, mapping, delete(str(made.key)))
    assert gone.done


def test_an_email_that_somebody_has_is_refused_in_words(start: Any) -> None:
    at = start()
    mapping = mapping_of("customers", "firstName", "email")
    first, second = write(at.connector, mapping, create(1, firstName="Ada", email="ada@example.com"),
                          create(2, firstName="Bea", email="ada@example.com"))
    assert first.done
    assert second.refusal is not None
    assert (second.refusal.key, second.refusal.field) == (2, "email")
    assert "already been taken" in second.refusal.message


def test_a_customer_whose_answer_was_lost_is_found_by_email(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.shopify.creating.Keys._define", lambda self, resource: False)
    at = start()
    mapping, stamp = mapping_of("customers", "firstName", "email"), Stamp("key", "7")
    ada, nameless = create(1, firstName="Ada", email="ada@example.com"), create(2, firstName="Bea")
    at.connector.apply(mapping, [ada], stamp)
    count = len(at.connector.read(mapping).rows)
    [found] = at.connector.repeat(mapping, [ada], stamp) or []
    assert found.done
    assert at.connector.repeat(mapping, [nameless], stamp) is None, "nothing of it can be found: a person looks"
    assert len(at.connector.read(mapping).rows) == count


# --- orders and lines ---------------------------------------------------------------------------


def test_orders_and_their_lines_are_read(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BELOW_AT_FIRST", 1)
    at = start(products=6, orders=8)
    at.connector.prepare([], {}, write=False)
    orders, lines = at.connector.read(mapping_of("orders")), at.connector.read(mapping_of("order_lines"))
    assert len(orders.rows) == len(at.store.orders)
    assert len(lines.rows) == sum(len(order.lines) for order in at.store.orders.values())
    mapping = mapping_of("order_lines")
    assert {mapping.values(row)["order"] for row in lines.rows.values()} == set(orders.rows)
    assert all(isinstance(mapping.values(row)["total"], Decimal) for row in lines.rows.values())
    assert orders.complete


def test_a_line_read_by_id_still_knows_its_order_where_it_was_seen_before() -> None:
    line = {"id": LINE, "name": "Lamp", "quantity": 2}
    ends = {"hasNextPage": False, "endCursor": None}
    page = {"data": {"orders": {"nodes": [{"id": ORDER, "name": "#1001", "lineItems": {
        "nodes": [line], "pageInfo": ends}}], "pageInfo": ends}}}
    again = {"data": {"nodes": [line]}}
    mapping = mapping_of("order_lines", "order", "name", "quantity")
    with scripted(says(SHOP), says(page), says(again)) as (url, _):
        connector = connector_at(url)
        seen = connector.read(mapping)
        assert (seen.rows, seen.titles) == ({LINE: (ORDER, "Lamp", 2)}, {LINE: "#1001, Lamp"})
        assert connector.read(mapping, [LINE]).rows == seen.rows
    with scripted(says(SHOP), says(again)) as (url, _):
        assert connector_at(url).read(mapping, [LINE]).rows == {LINE: (UNREAD, "Lamp", 2)}


def test_an_orders_note_tags_and_po_number_are_written(start: Any) -> None:
    at = start(products=6, orders=3)
    mapping = mapping_of("orders", "note", "tags", "poNumber", "email")
    key = first_of(at, mapping)
    held = row_of(at.connector, mapping, key)
    [receipt] = write(at.connector, mapping, update(
        key, note=(held["note"], "Gift"), poNumber=(held["poNumber"], "PO-1"), tags=(held["tags"], ("rush",))))
    assert receipt.done
    assert row_of(at.connector, mapping, key) == {**held, **receipt.stored} == {
        **held, "note": "Gift", "poNumber": "PO-1", "tags": ("rush",)}


def test_one_line_of_an_address_leaves_the_others_as_they_are(start: Any) -> None:
    at = start(products=6, orders=6)
    mapping = mapping_of("orders", "shippingAddress.city", "shippingAddress.zip", "shippingAddress.address1",
                         "shippingAddress.lastName", "shippingAddress.countryCode")
    rows = at.connector.read(mapping).rows
    key = next(str(key) for key, row in rows.items() if mapping.values(row)["shippingAddress.city"])
    held = mapping.values(rows[key])
    [receipt] = write(at.connector, mapping, update(
        key, shippingAddress__address1=(held["shippingAddress.address1"], "Harbour 1")))
    assert receipt.done
    assert row_of(at.connector, mapping, key) == {**held, "shippingAddress.address1": "Harbour 1"}


def connector_at(url: str) -> ShopifyConnector:
    return ShopifyConnector(STORE, PastedToken("shpat_x"), admin_url=url, sleep=lambda seconds: None)


DENIED = {"message": "This app is not approved to access the Order object. See https://partners.shopify.com.",
          "path": ["orders", "nodes", 0, "email"]}


def test_protected_customer_data_is_unread_and_not_empty() -> None:
    page = {"data": {"orders": {"nodes": [{"id": ORDER, "name": "#1001", "email": None, "note": None}],
                                "pageInfo": {"hasNextPage": False, "endCursor": None}}}, "errors": [DENIED]}
    mapping = mapping_of("orders", "name", "email", "note")
    with scripted(says(SHOP), says(page)) as (url, _):
        connector = connector_at(url)
        [ready] = connector.prepare([mapping], {}, write=True).mappings
        seen = connector.read(ready)
    assert seen.rows[ORDER] == ("#1001", UNREAD, None)
    assert "email could not be read" in seen.notes[0]


def test_an_address_that_is_partly_hidden_is_never_sent() -> None:
    address = {"firstName": None, "lastName": None, "company": None, "address1": None, "address2": None, "zip": None,
               "city": "Lyon", "provinceCode": None, "countryCodeV2": "FR", "phone": None}
    page = {"data": {"orders": {"nodes": [{"id": ORDER, "name": "#1001", "shippingAddress": address}],
                                "pageInfo": {"hasNextPage": False, "endCursor": None}}},
            "errors": [{**DENIED, "path": ["orders", "nodes", 0, "shippingAddress", "address1"]}]}
    mapping = mapping_of("orders", "name", "shippingAddress.city")
    again = {"data": {"nodes": page["data"]["orders"]["nodes"]},  # type: ignore[index]
             "errors": [{**DENIED, "path": ["nodes", 0, "shippingAddress", "address1"]}]}
    with scripted(says(SHOP), says(page), says(again)) as (url, _):
        connector = connector_at(url)
        [ready] = connector.prepare([mapping], {}, write=True).mappings
        connector.read(ready)
        [receipt] = connector.apply(ready, [update(ORDER, shippingAddress__city=("Lyon", "Paris"))])
    assert receipt.refusal is not None
    assert "only as a whole" in receipt.refusal.message


@pytest.mark.parametrize(("scopes", "gone"), [
    (("write_orders",), False), (("write_orders", "read_all_orders"), True), (None, False)])
def test_an_order_is_proven_gone_only_where_the_app_sees_all_orders(scopes: tuple[str, ...] | None, gone: bool) -> None:
    installation = None if scopes is None else {"accessScopes": [{"handle": scope} for scope in scopes]}
    shop = {"data": {**SHOP["data"], "currentAppInstallation": installation}}
    with scripted(says(shop), says({"data": {"nodes": [None]}})) as (url, _):
        connector = connector_at(url)
        [ready] = connector.prepare([mapping_of("orders", "name")], {}, write=True).mappings
        seen = connector.read(ready, [ORDER])
    assert (seen.gone == {ORDER}, bool(seen.notes)) == (gone, not gone)


@pytest.mark.parametrize(("resource", "key", "message"), [
    ("orders", ORDER, "Order does not exist"),
    ("customers", "gid://shopify/Customer/1", "Customer does not exist"),
    ("draft_orders", "gid://shopify/DraftOrder/1", "Draft order does not exist"),
    ("collections", "gid://shopify/Collection/1", "Collection does not exist"),
])
def test_what_vanished_meanwhile_is_stale_and_not_refused(resource: str, key: str, message: str) -> None:
    mapping = mapping_of(resource, "note", "title")
    name = mapping.names[0]
    returns = {"orders": "order", "customers": "customer", "draft_orders": "draftOrder", "collections": "collection"}
    answer = {"data": {"m0": {returns[resource]: None, "userErrors": [{"field": ["id"], "message": message}]}}}
    look = {"data": {"nodes": [{"id": key, "note": None, "note2": None, "title": None}]}}
    with scripted(says(SHOP), says(look), says(answer)) as (url, _):
        [receipt] = connector_at(url).apply(mapping, [update(key, **{name: (None, "New")})])
    assert receipt.stale


def test_a_draft_order_is_written_by_its_own_id_argument() -> None:
    answer = {"data": {"m0": {"draftOrder": {"id": "gid://shopify/DraftOrder/1", "name": "#D1", "note2": "Gift"},
                              "userErrors": []}}}
    mapping = mapping_of("draft_orders", "name", "note")
    look = {"data": {"nodes": [{"id": "gid://shopify/DraftOrder/1", "note2": None}]}}
    with scripted(says(SHOP), says(look), says(answer)) as (url, script):
        [receipt] = connector_at(url).apply(mapping, [update("gid://shopify/DraftOrder/1", note=(None, "Gift"))])
    assert receipt.stored == {"note": "Gift"}
    assert script.asked[2]["variables"] == {"i0": "gid://shopify/DraftOrder/1", "p0": {"note": "Gift"}}


def test_a_right_that_no_scope_told_of_refuses_its_rows_and_nothing_more_is_tried() -> None:
    denied = {"message": "Access denied for orderUpdate field. Required access: `write_orders` access scope.",
              "path": ["m0"], "extensions": {"code": "ACCESS_DENIED"}}
    mapping = mapping_of("orders", "name", "note")
    look = {"data": {"nodes": [{"id": ORDER, "note": None}]}}
    with scripted(says(SHOP), says(look), says({"data": {"m0": None}, "errors": [denied]})) as (url, _):
        connector = connector_at(url)
        [first] = connector.apply(mapping, [update(ORDER, note=(None, "Gift"))])
        [second] = connector.apply(mapping, [update(ORDER, note=(None, "Gift"))])
    assert first.refusal is not None
    assert "write_orders" in first.refusal.message
    assert second.refusal == first.refusal


@pytest.mark.parametrize(("message", "cure"), [
    ("Email is invalid", "complete email"), ("Phone is invalid", "country"), ("Enter a ZIP code", "postcode"),
    ("Note is too long (maximum is 5000 characters)", "5000"), ("Tags cannot be more than 250", "250"),
    ("Value has a maximum length of 5.", "at most 5"), ("Value must be an integer.", "definition"),
    ("This order has been paid", "change its order"),
])
def test_a_refusal_says_what_to_do(message: str, cure: str) -> None:
    assert cure in cure_for(message)


# --- one more resource ----------------------------------------------------------------------------


def test_a_resource_that_was_added_as_one_file_is_read_like_any_other(start: Any) -> None:
    """`resources/fulfillment_orders.py` and its lines of docs are all that this resource is."""
    at = start(products=6, orders=8)
    mapping = mapping_of("fulfillment_orders")
    [ready] = at.connector.prepare([mapping], {}, write=True).mappings
    seen = at.connector.read(ready)
    pieces = {piece.gid: piece for order in at.store.orders.values() for piece in order.fulfillment_orders}
    assert seen.rows.keys() == pieces.keys()
    for key, row in seen.rows.items():
        values = mapping.values(row)
        assert (values["order"], values["status"]) == (pieces[str(key)].order.gid, pieces[str(key)].status)
        assert values["orderName"] == pieces[str(key)].order.name
    [one, *_] = pieces
    assert at.connector.read(ready, [one]).rows == {one: seen.rows[one]}

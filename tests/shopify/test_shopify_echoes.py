"""What Shopify changes on the way in (facts §12): the value that a mutation returns is the agreed one, and a read right
after finds nothing new. Each line of the facts' table is a test; those that nobody has recorded run with both answers.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from shopify_helpers import create, mapping_of, row_of, update, write

from backend.core.values import UNREAD, canonical
from backend.shopify.writing import spelled_handle
from demo.shopify import Behaviour
from demo.shopify.people import add_customer


def first(at: Any, kind: str) -> Any:
    return next(iter(getattr(at.store, kind).values()))


def written(at: Any, resource: str, key: str, field: str, value: Any) -> tuple[Any, Any]:
    """(what the receipt says is stored, what a read finds then) after `value` was written over what stands there."""
    mapping = mapping_of(resource, field)
    held = row_of(at.connector, mapping, key)[field]
    [receipt] = write(at.connector, mapping, update(key, **{field.replace(".", "__"): (held, value)}))
    assert receipt.done, receipt.refusal
    return receipt.stored[field], row_of(at.connector, mapping, key)[field]


PRODUCTS = [
    ("title", "  Lamp  ", "Lamp"), ("vendor", " Acme ", "Acme"), ("productType", None, None),
    ("descriptionHtml", "<p>New</p>\r\n", "<p>New</p>\n"), ("descriptionHtml", None, None),
    ("handle", " My Shirt! ", "my-shirt"), ("handle", "Blå Skjørt", "blå-skjørt"),
    ("seo.title", None, None), ("templateSuffix", None, None),
]


@pytest.mark.parametrize(("field", "sent", "stored"), PRODUCTS)
@pytest.mark.parametrize("trims", [True, False])
def test_a_product_agrees_on_what_shopify_made_of_it(
    start: Any, field: str, sent: Any, stored: Any, trims: bool
) -> None:
    at = start(behaviour=Behaviour(trims_titles=trims))
    value = canonical(mapping_of("products", field).rule(field).kind, sent) if field != "handle" else sent
    told, found = written(at, "products", first(at, "products").gid, field, value)
    assert told == found == canonical(mapping_of("products", field).rule(field).kind, stored)


@pytest.mark.parametrize("splits", [True, False])
def test_tags_are_trimmed_joined_over_case_and_sorted(start: Any, splits: bool) -> None:
    at = start(behaviour=Behaviour(splits_commas_in_tag_lists=splits))
    product = first(at, "products")
    product.tags = []
    told, found = written(at, "products", product.gid, "tags", canonical("list", [" Red ", "red", "RED",
                                                                                  "  big   sale "]))
    assert told == found == ("big   sale", "Red")


def test_a_tag_cannot_hold_a_comma_whatever_was_typed(start: Any) -> None:
    at = start()
    product = first(at, "products")
    product.tags = []
    told, found = written(at, "products", product.gid, "tags", ("a, b , c",))
    assert told == found == ("a", "b", "c")


@pytest.mark.parametrize("kind", ["products", "customers", "orders"])
def test_a_tag_in_other_case_is_no_change(start: Any, kind: str) -> None:
    at = start(products=6, orders=3)
    thing = first(at, kind)
    thing.tags = ["Red"]
    mapping = mapping_of(kind, "tags")
    assert row_of(at.connector, mapping, thing.gid)["tags"] == canonical("list", ["Red"])
    [receipt] = write(at.connector, mapping, update(thing.gid, tags=(("Red",), ("Red", "x"))))
    assert receipt.stored["tags"] == row_of(at.connector, mapping, thing.gid)["tags"] == ("Red", "x")


@pytest.mark.parametrize(("typed", "spelled"), [
    (" My Shirt! ", "my-shirt"), ("Blå Skjørt", "blå-skjørt"), ("A--B", "a-b"), ("O'Neill", "oneill")])
def test_a_handle_is_known_beforehand(start: Any, typed: str, spelled: str) -> None:
    at = start()
    assert spelled_handle(typed) == spelled
    told, found = written(at, "products", first(at, "products").gid, "handle", typed)
    assert told == found == spelled


def test_a_handle_of_signs_only_becomes_a_word_of_shopifys(start: Any) -> None:
    at = start()
    told, found = written(at, "products", first(at, "products").gid, "handle", "%%%")
    assert told == found == "product"


def test_a_new_product_gets_a_handle_that_is_free_and_keeps_it_when_renamed(start: Any) -> None:
    at = start()
    mapping = mapping_of("products", "title", "handle")
    receipts = write(at.connector, mapping, create(1, title="Oil lamp"), create(2, title="Oil lamp"))
    assert [receipt.stored["handle"] for receipt in receipts] == ["oil-lamp", "oil-lamp-1"]
    [renamed] = write(at.connector, mapping, update(str(receipts[0].key), title=("Oil lamp", "Lantern")))
    assert renamed.stored == {"title": "Lantern"}
    assert row_of(at.connector, mapping, str(renamed.key))["handle"] == "oil-lamp"


def test_a_new_product_without_a_vendor_has_the_shops_name(start: Any) -> None:
    at = start()
    [made] = write(at.connector, mapping_of("products", "title", "vendor"), create(1, title="Lamp"))
    assert made.stored["vendor"] == at.store.shop.name


VARIANTS = [
    ("price", Decimal("24"), Decimal("24.00")), ("price", Decimal("24.5"), Decimal("24.50")),
    ("compareAtPrice", None, None), ("cost", Decimal("12.5"), Decimal("12.50")),
    ("harmonizedSystemCode", "1234.56", "123456"), ("countryCodeOfOrigin", "no", "NO"),
    ("weight", Decimal("0.50"), Decimal("0.5")),
]


@pytest.mark.parametrize(("field", "sent", "stored"), VARIANTS)
def test_a_variant_agrees_on_what_shopify_made_of_it(start: Any, field: str, sent: Any, stored: Any) -> None:
    at = start()
    told, found = written(at, "variants", first(at, "variants").gid, field, sent)
    assert told == found == stored


@pytest.mark.parametrize("field", ["sku", "barcode", "compareAtPrice"])
@pytest.mark.parametrize("empty_is_null", [True, False])
def test_an_emptied_cell_is_empty_whichever_emptiness_shopify_keeps(
    start: Any, field: str, empty_is_null: bool
) -> None:
    at = start(behaviour=Behaviour(empty_text_becomes_null=empty_is_null))
    told, found = written(at, "variants", first(at, "variants").gid, field, None)
    assert told == found == canonical("text", "") is None


def test_money_is_the_same_however_many_decimals_shopify_writes() -> None:
    assert canonical("money", "24.0") == canonical("money", "24.00") == canonical("money", "24") == Decimal("24.00")
    assert canonical("money", "1200.00", decimals=0) == canonical("money", "1200", decimals=0)


CUSTOMERS = [
    ("email", " Jo@ Ex.com ", "Jo@Ex.com"), ("phone", "(613) 555-1212", "+16135551212"), ("firstName", " x ", "x"),
    ("lastName", None, None), ("note", None, None),
]


@pytest.mark.parametrize(("field", "sent", "stored"), CUSTOMERS)
@pytest.mark.parametrize("lower", [True, False])
def test_a_customer_agrees_on_what_shopify_made_of_it(
    start: Any, field: str, sent: Any, stored: Any, lower: bool
) -> None:
    at = start(products=1, behaviour=Behaviour(lowercases_emails=lower))
    at.store.shop.country = "CA"
    customer = add_customer(at.store, email="ada@example.com")
    told, found = written(at, "customers", customer.gid, field, sent)
    assert told == found == (stored.lower() if lower and field == "email" else stored)


def test_an_address_comes_back_in_shopifys_form(start: Any) -> None:
    at = start(products=1)
    customer = add_customer(at.store, email="ada@example.com")
    mapping = mapping_of("customers", *(f"defaultAddress.{n}" for n in (
        "address1", "city", "zip", "countryCode", "provinceCode", "phone")))
    [receipt] = write(at.connector, mapping, update(
        customer.gid, defaultAddress__address1=(None, "Main 1"), defaultAddress__city=(None, "Ottawa"),
        defaultAddress__zip=(None, "K1A 0B1"), defaultAddress__countryCode=(None, "ca"),
        defaultAddress__provinceCode=(None, "on"), defaultAddress__phone=(None, "(613) 555-1212")))
    assert receipt.done
    now = row_of(at.connector, mapping, customer.gid)
    assert receipt.stored == now
    assert (now["defaultAddress.countryCode"], now["defaultAddress.provinceCode"]) == ("CA", "ON")
    assert now["defaultAddress.phone"] == "+16135551212"


def test_a_new_collection_has_an_empty_description(start: Any) -> None:
    at = start()
    mapping = mapping_of("collections", "title", "descriptionHtml")
    [made] = write(at.connector, mapping, create(1, title="Winter"))
    assert made.stored["descriptionHtml"] is None
    assert row_of(at.connector, mapping, str(made.key)) == made.stored


def test_moments_are_the_same_in_any_zone() -> None:
    assert canonical("datetime", "2026-11-23T10:00:00-05:00") == canonical("datetime", "2026-11-23T15:00:00Z")


def test_an_empty_list_and_a_missing_object_are_empty_and_not_unread(start: Any) -> None:
    at = start()
    product = first(at, "products")
    product.tags, product.category = [], None
    assert row_of(at.connector, mapping_of("products", "tags", "category"), product.gid) == {
        "tags": None, "category": None}


def test_a_status_that_nobody_has_heard_of_is_read_as_it_is() -> None:
    assert canonical("choice", "HIBERNATING") == "HIBERNATING" != UNREAD


@pytest.mark.parametrize("kind", ["products", "customers", "orders", "draft_orders"])
def test_a_tag_is_taken_off_in_the_spelling_that_stands_there(start: Any, kind: str) -> None:
    """On orders and drafts the case of a tag counts when it is removed; on the others it does not."""
    at = start(products=6, orders=6)
    thing = first(at, "drafts" if kind == "draft_orders" else kind)
    thing.tags = ["Red", "x"]
    mapping = mapping_of(kind, "tags")
    [receipt] = write(at.connector, mapping, update(thing.gid, tags=(("Red", "x"), ("x",))))
    assert (receipt.done, thing.tags, receipt.stored["tags"]) == (True, ["x"], ("x",))


def test_a_handle_that_is_taken_is_refused_where_it_was_typed(start: Any) -> None:
    at = start()
    one, two = list(at.store.products.values())[:2]
    mapping = mapping_of("products", "handle")
    [refused] = write(at.connector, mapping, update(one.gid, handle=(one.handle, two.handle)))
    assert refused.refusal is not None
    assert (refused.refusal.field, "already in use" in refused.refusal.message) == ("handle", True)
    assert one.handle != two.handle


def test_counts_come_as_text_and_are_numbers_and_ids_stay_text_however_long(start: Any) -> None:
    at = start(products=1)
    customer = add_customer(at.store, id=9_007_199_254_740_993_001, email="ada@example.com")
    mapping = mapping_of("customers", "email", "numberOfOrders")
    snapshot = at.connector.read(mapping, [customer.gid])
    assert customer.gid.endswith("/9007199254740993001")
    assert mapping.values(snapshot.rows[customer.gid])["numberOfOrders"] == 0

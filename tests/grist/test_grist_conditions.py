"""Grist itself writes only rows that still are as they were seen (P2): what a person typed is not even touched."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from grist_helpers import PRODUCT, before_next, mapping, update
from places import Place

from backend.core.model import Create, Mapping, Mark, Side
from backend.core.values import UNREAD
from backend.errors import BundleRefused
from backend.grist import conditions
from backend.grist.connector import GristConnector

GID = PRODUCT.format
VARIANT = "gid://shopify/ProductVariant/{}".format


@pytest.fixture
def shop(place: Place) -> tuple[GristConnector, Mapping, Mapping]:
    """Three products and two variants of the first, read."""
    connector = place.connector()
    products, variants = connector.prepare([
        mapping("products", "title", "vendor", "tags", "status", "createdAt"),
        mapping("variants", "product", "sku", "price", "taxable"),
    ], {}, write=True).mappings
    place.act(["BulkAddRecord", "Products", [None] * 3, {
        "Title": ["A", "B", "C"], "Vendor": ["v", "v", None], "Shopify_ID": [GID(1), GID(2), GID(3)]}])
    place.act(["BulkAddRecord", "Variants", [None] * 2, {
        "Product": [1, 1], "SKU": ["a", "b"], "Price": [1.5, None], "Shopify_ID": [VARIANT(1), VARIANT(2)]}])
    connector.read(products)
    connector.read(variants)
    return connector, products, variants


def meanwhile(connector: GristConnector, place: Place, *actions: Any) -> None:
    """Let a person do `actions` after the connector's last look, right before its bundle."""
    before_next(connector._client, "apply", lambda: place.act(*actions))


@pytest.mark.parametrize(("table", "field", "column", "before", "after", "typed"), [
    ("Products", "title", "Title", "A", "ours", "typed"),
    ("Products", "title", "Title", "A", "ours", ""),
    ("Products", "title", "Title", "A", "ours", "a"),
    ("Products", "vendor", "Vendor", "v", None, "typed"),
    ("Products", "createdAt", "Created", None, datetime(2026, 3, 1, tzinfo=UTC), 1767323045),
    ("Variants", "price", "Price", Decimal("1.50"), Decimal("9.99"), 1.504),
    ("Variants", "price", "Price", Decimal("1.50"), Decimal("9.99"), None),
    ("Variants", "price", "Price", Decimal("1.50"), Decimal("9.99"), 0),
    ("Variants", "price", "Price", Decimal("1.50"), Decimal("9.99"), "about ten"),
    ("Variants", "product", "Product", 1, 2, 3),
    ("Variants", "product", "Product", 1, 2, 0),
    ("Variants", "taxable", "Taxable", False, True, "maybe"),
])
def test_a_row_that_a_person_changes_in_the_very_moment_of_the_write_is_not_written(
    place: Place, shop: Any, table: str, field: str, column: str, before: Any, after: Any, typed: Any
) -> None:
    connector, products, variants = shop
    meanwhile(connector, place, ["UpdateRecord", table, 1, {column: typed}])
    states = place.states()
    bound, gid = (products, GID(1)) if table == "Products" else (variants, VARIANT(1))
    [receipt] = connector.apply(bound, [update(1, gid, **{field: (before, after)})])
    assert place.rows(table)[1][column] == typed
    assert (receipt.stale, receipt.stored) == (True, {})
    assert place.states() - states == 2  # theirs, and ours that changed nothing: nothing had to be put back


@pytest.mark.parametrize(("row", "field", "before", "after", "stored"), [
    (1, "vendor", "v", "w", "w"),
    (3, "vendor", None, "w", "w"),  # a cell that holds null
    (1, "title", "A", None, None),
    (1, "createdAt", None, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
    (1, "status", None, "ACTIVE", "ACTIVE"),
])
def test_a_row_that_nobody_changed_is_written(
    place: Place, shop: Any, row: int, field: str, before: Any, after: Any, stored: Any
) -> None:
    connector, products, _ = shop
    [receipt] = connector.apply(products, [update(row, GID(row), **{field: (before, after)})])
    assert receipt.done
    assert receipt.stored == {field: stored}


@pytest.mark.parametrize(("row", "field", "before", "after"), [
    (1, "price", Decimal("1.50"), Decimal("0")),
    (2, "price", None, Decimal("9.99")),
    (1, "product", 1, 2),
    (1, "taxable", False, True),
])
def test_empty_cells_numbers_references_and_toggles_are_compared_as_grist_keeps_them(
    place: Place, shop: Any, row: int, field: str, before: Any, after: Any
) -> None:
    connector, _, variants = shop
    [receipt] = connector.apply(variants, [update(row, VARIANT(row), **{field: (before, after)})])
    assert receipt.done
    assert receipt.stored == {field: after}


@pytest.mark.parametrize(("resource", "field", "column", "held", "before", "after"), [
    ("variants", "price", "Price", "about ten", UNREAD, Decimal("1")),
    ("variants", "sku", "SKU", "  spaced  ", "spaced", "b"),
    ("variants", "price", "Price", 1.504, Decimal("1.50"), Decimal("2")),
    ("products", "createdAt", "Created", 1767323045.5, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), None),
    ("products", "title", "Title", "žluťoučký\n🐎", "žluťoučký\n🐎", "x"),
])
def test_the_cell_as_it_was_seen_is_compared_and_not_what_we_make_of_it(
    place: Place, shop: Any, resource: str, field: str, column: str, held: Any, before: Any, after: Any
) -> None:
    connector, products, variants = shop
    bound, gid = (products, GID(1)) if resource == "products" else (variants, VARIANT(1))
    place.act(["UpdateRecord", bound.table, 1, {column: held}])
    connector.read(bound)
    assert connector.apply(bound, [update(1, gid, **{field: (before, after)})])[0].done


def test_only_the_row_that_moved_waits(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    meanwhile(connector, place, ["UpdateRecord", "Products", 2, {"Title": "typed"}])
    receipts = connector.apply(products, [
        update(1, GID(1), title=("A", "x")), update(2, GID(2), title=("B", "y")), update(3, GID(3), title=("C", "z"))])
    assert [(r.done, r.stale) for r in receipts] == [(True, False), (False, True), (True, False)]
    assert [row["Title"] for row in place.rows("Products").values()] == ["x", "typed", "z"]
    assert connector.notes == []


def test_a_list_in_the_same_op_is_written_and_looked_after(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    assert connector.apply(products, [update(2, GID(2), tags=(None, ("red",)))])[0].done  # "red" is a choice by now
    meanwhile(connector, place, ["UpdateRecord", "Products", 1, {"Title": "typed"}])
    [receipt] = connector.apply(products, [update(1, GID(1), title=("A", "x"), tags=(None, ("red",)))])
    assert (receipt.stale, receipt.stored) == (True, {"tags": ("red",)})
    assert place.rows("Products")[1]["Title"] == "typed"
    assert place.rows("Products")[1]["Tags"] == ["L", "red"]


def test_a_list_that_somebody_edits_in_that_moment_is_put_back(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    assert connector.apply(products, [update(2, GID(2), tags=(None, ("red",)))])[0].done  # "red" is a choice by now
    meanwhile(connector, place, ["UpdateRecord", "Products", 1, {"Tags": ["L", "mine"]}])
    [receipt] = connector.apply(products, [update(1, GID(1), title=("A", "x"), tags=(None, ("red",)))])
    assert (receipt.stale, receipt.stored) == (True, {"title": "x"})
    assert place.rows("Products")[1]["Tags"] == ["L", "mine"]


def test_an_id_given_to_another_row_in_that_moment_is_not_written(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    meanwhile(connector, place, ["BulkRemoveRecord", "Products", [3]],
              ["AddRecord", "Products", None, {"Title": "C"}])
    assert connector.apply(products, [update(3, GID(3), title=("C", "x"))])[0].stale
    assert place.rows("Products")[3]["Title"] == "C"


def test_a_row_that_leaves_the_filter_in_that_moment_is_not_written(place: Place) -> None:
    connector = place.connector()
    [bound] = connector.prepare([mapping("products", "title", only_where="Sync")], {}, write=True).mappings
    connector.apply(bound, [Create(Side.LOCAL, GID(1), {"title": "A"})])
    connector.read(bound)
    meanwhile(connector, place, ["UpdateRecord", "Products", 1, {"Sync": False}])
    assert connector.apply(bound, [update(1, GID(1), title=("A", "x"))])[0].stale
    assert place.rows("Products")[1]["Title"] == "A"


def test_a_shopify_id_typed_in_that_moment_stays(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    place.act(["AddRecord", "Products", None, {"Title": "D"}])
    connector.read(products)
    meanwhile(connector, place, ["UpdateRecord", "Products", 4, {"Shopify_ID": GID(7)}])
    assert connector.apply(products, [Mark(4, GID(4))])[0].stale
    assert place.rows("Products")[4]["Shopify_ID"] == GID(7)


def test_what_a_trigger_formula_makes_of_a_write_is_what_is_stored(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    column = place.columns("Products")["Title"]["colRef"]
    place.act(["UpdateRecord", "_grist_Tables_column", column, {
        "formula": "value.upper()", "recalcWhen": 0, "recalcDeps": ["L", column]}])
    [products] = connector.prepare([products], {}, write=True).mappings
    [receipt] = connector.apply(products, [update(1, GID(1), title=("A", "ours"))])
    assert receipt.done
    assert receipt.stored == {"title": "OURS"}


def test_ten_rows_are_written_with_two_requests(place: Place) -> None:
    connector = place.connector()
    [bound] = connector.prepare([mapping("products", "title", "vendor")], {}, write=True).mappings
    place.act(["BulkAddRecord", "Products", [None] * 10, {
        "Title": [f"t{i}" for i in range(10)], "Shopify_ID": [GID(i) for i in range(10)]}])
    connector.read(bound)
    before = connector.usage.requests
    receipts = connector.apply(bound, [update(i + 1, GID(i), title=(f"t{i}", "x")) for i in range(10)])
    assert all(receipt.done for receipt in receipts)
    assert connector.usage.requests - before == 2  # a look at the rows, apply


def test_a_key_that_grist_compares_nothing_for_writes_without_and_looks_after_it(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    original = connector._client.apply

    def apply(actions: Any) -> Any:
        if "BulkAddOrUpdateRecord" in json.dumps(actions):
            said = "Blocked by table read access rules"
            raise BundleRefused(said, said)
        return original(actions)

    connector._client.apply = apply
    receipts = connector.apply(products, [update(1, GID(1), title=("A", "x")), update(2, GID(2), vendor=("v", "w"))])
    assert all(receipt.done for receipt in receipts)
    before = connector.usage.requests
    assert connector.apply(products, [update(1, GID(1), title=("x", "y"))])[0].done
    assert connector.usage.requests - before == 1  # it is not asked again


def test_an_odd_cell_that_cannot_be_compared_is_written_without(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    place.act(["ModifyColumn", "Products", "Vendor", {"formula": "1/0", "recalcWhen": 2}])
    place.act(["UpdateRecord", "Products", 1, {"Title": "B"}])
    assert place.call("GET", "/tables/Products/records?cellFormat=typed")["records"][0]["fields"]["Vendor"][0] == "E"
    connector.read(products)
    assert connector.apply(products, [update(1, GID(1), title=("B", "x"))])[0].done


def test_a_large_table_gets_no_index(place: Place, shop: Any, monkeypatch: Any) -> None:
    connector, products, _ = shop
    monkeypatch.setattr(conditions, "ROWS", 2)
    sent: list[Any] = []
    original = connector._client.apply
    connector._client.apply = lambda actions: (sent.extend(actions), original(actions))[1]
    connector.apply(products, [update(1, GID(1), title=("A", "x"))])
    assert [action[0] for action in sent] == ["BulkUpdateRecord"]


def test_cells_are_expected_as_grist_keeps_them() -> None:
    columns = [conditions.Column(i, name, name, kind) for i, (name, kind) in enumerate([
        ("T", "Text"), ("D", "Date"), ("M", "DateTime:UTC"), ("R", "Ref:Products"), ("N", "Numeric")])]
    cells = {"T": "", "D": ["d", 86400], "M": ["D", 1.5, "UTC"], "R": ["R", "Products", 3], "N": None, "Other": 1}
    assert conditions.expected(columns, cells) == {"T": "", "D": 86400, "M": 1.5, "R": 3, "N": None}
    assert conditions.expected(columns, cells | {"N": ["E", "TypeError"]}) is None
    assert conditions.expected(columns, cells | {"T": ["C"]}) is None

"""A read says what it proves: complete only where nothing can be hidden, and `gone` only where absence is certain."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from grist_helpers import PRODUCT, after_next, mapping
from places import Place

from backend.core.model import Field, Mapping, Resource
from backend.core.values import UNREAD, Unfit
from backend.errors import AccessError
from backend.grist.connector import GristConnector
from backend.grist.reading import RowReader
from backend.looks import Looks

EVERYTHING = Resource(
    name="things", label="Things", table="Things", type="Thing", match=(), title="text", scopes=(),
    fields=tuple(Field(kind, kind, kind.capitalize(), "x", write=kind) for kind in (
        "text", "html", "choice", "integer", "decimal", "money", "boolean", "date", "datetime", "list")),
)


def prepared(place: Place, wanted: Mapping) -> tuple[GristConnector, Mapping]:
    connector = place.connector()
    result = connector.prepare([wanted], {}, write=True)
    assert result.paused == {}
    return connector, result.mappings[0]


def add(place: Place, table: str, **columns: list[Any]) -> None:
    rows = len(next(iter(columns.values())))
    place.act(["BulkAddRecord", table, [None] * rows, columns])


def test_every_type_is_read_as_its_value(place: Place) -> None:
    connector, things = prepared(place, mapping(EVERYTHING, *(f.name for f in EVERYTHING.fields)))
    add(place, "Things", Text=["  ü 🎈 "], Html=["<p>a</p>"], Choice=["x"], Integer=[3], Decimal=[0.1], Money=[9.995],
        Boolean=[True], Date=[1770076800], Datetime=[1767323045], List=[["L", "b", "a"]])
    assert connector.read(things).rows == {1: (
        "ü 🎈", "<p>a</p>", "x", 3, Decimal("0.1"), Decimal("10.00"), True, date(2026, 2, 3),
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), ("a", "b"))}


def test_marks_and_titles_come_with_the_rows(place: Place) -> None:
    connector, products = prepared(place, mapping("products", "vendor", "title"))
    add(place, "Products", Title=["A", "B", ""], Shopify_ID=[PRODUCT.format(1), "", " "])
    snapshot = connector.read(products)
    assert snapshot.complete
    assert snapshot.marks == {1: PRODUCT.format(1)}
    assert snapshot.titles == {1: "A", 2: "B"}


def test_rows_whose_toggle_is_off_are_outside(place: Place) -> None:
    connector, products = prepared(place, mapping("products", "title", only_where="Sync"))
    add(place, "Products", Title=["A", "B"], Sync=[True, False], Shopify_ID=["", PRODUCT.format(2)])
    for snapshot in (connector.read(products), connector.read(products, [1, 2])):
        assert set(snapshot.rows) == {1}
        assert snapshot.outside == {2}
        assert snapshot.marks == {2: PRODUCT.format(2)}


def test_text_in_a_number_column_is_kept_and_a_formula_error_is_not_read(place: Place) -> None:
    place.act(["AddTable", "Variants", [
        {"id": "SKU", "type": "Text", "isFormula": False}, {"id": "Cost", "type": "Numeric", "isFormula": False},
        {"id": "Price", "type": "Any", "isFormula": True, "formula": "$Cost * 2"}]])
    connector, variants = prepared(place, mapping("variants", "sku", "cost", "price"))
    add(place, "Variants", SKU=["a", "b"], Cost=[2, None])
    place.call("PATCH", "/tables/Variants/records", {"records": [{"id": 2, "fields": {"Cost": "about ten"}}]})
    for snapshot in (connector.read(variants), connector.read(variants, [1, 2])):
        assert snapshot.rows[1] == ("a", Decimal(2), Decimal(4))
        assert snapshot.rows[2][1] == Unfit("about ten")
    place.act(["ModifyColumn", "Variants", "Price", {"formula": "$Cost + 1"}])
    for snapshot in (connector.read(variants), connector.read(variants, [1, 2])):
        assert snapshot.rows[2] == ("b", Unfit("about ten"), UNREAD)
        assert "Column 'Price' of table 'Variants' shows an error (TypeError) in row 2" in snapshot.notes[0]


def hide(place: Place, table: str, column: str, title: str) -> None:
    """Hide a row (by its title) and a column from everybody."""
    place.act(["AddRecord", "_grist_ACLResources", -1, {"tableId": table, "colIds": "*"}],
              ["AddRecord", "_grist_ACLRules", None, {"resource": -1, "aclFormula": f"rec.Title == '{title}'",
                                                     "permissionsText": "-R"}])
    if column:
        place.act(["AddRecord", "_grist_ACLResources", -2, {"tableId": table, "colIds": column}],
                  ["AddRecord", "_grist_ACLRules", None, {"resource": -2, "aclFormula": "", "permissionsText": "-R"}])


def test_a_hidden_row_makes_the_read_incomplete_and_is_never_gone(place: Place) -> None:
    connector, products = prepared(place, mapping("products", "title"))
    add(place, "Products", Title=["A", "Secret", "C"])
    assert connector.read(products).complete
    hide(place, "Products", "", "Secret")
    snapshot = connector.read(products)
    assert not snapshot.complete
    assert set(snapshot.rows) == {1, 3}
    assert "hide 1 of 3 rows" in snapshot.notes[0]
    asked = connector.read(products, [2, 3, 99])
    assert set(asked.rows) == {3}
    assert asked.gone == {99}


def test_a_hidden_column_pauses_its_field(place: Place) -> None:
    connector = place.connector()
    wanted = mapping("products", "title", "vendor")
    bindings = connector.prepare([wanted], {}, write=True).bindings
    hide(place, "Products", "Vendor", "nobody")
    prepared = connector.prepare([wanted], bindings, write=True)
    assert "access rules hide it" in prepared.notes[0]
    assert prepared.mappings[0].names == ("title",)


def test_a_hidden_cell_is_left_unread_and_said(place: Place) -> None:
    connector, products = prepared(place, mapping("products", "title", "vendor"))
    add(place, "Products", Title=["A", "B"], Vendor=["v", "w"])
    place.act(["AddRecord", "_grist_ACLResources", -1, {"tableId": "Products", "colIds": "Vendor"}],
              ["AddRecord", "_grist_ACLRules", None, {"resource": -1, "aclFormula": "rec.Title == 'B'",
                                                     "permissionsText": "-R"}])
    for snapshot in (connector.read(products), connector.read(products, [1, 2])):
        assert snapshot.rows == {1: ("A", "v"), 2: ("B", UNREAD)}
        assert snapshot.notes[0].startswith("Access rules hide 1 cells of column 'Vendor' of table 'Products'")


def test_without_sql_a_read_updates_but_proves_nothing(place: Place) -> None:
    connector, products = prepared(place, mapping("products", "title"))
    add(place, "Products", Title=["A", "B"])

    def refused(*_: Any) -> Any:
        raise AccessError("insufficient access")

    connector._client.count_rows = connector._client.existing = refused  # type: ignore[method-assign]
    snapshot = connector.read(products)
    assert set(snapshot.rows) == {1, 2}
    assert not snapshot.complete
    assert "nothing in it is created or deleted" in snapshot.notes[0]
    assert connector.read(products, [1, 9]).gone == frozenset()


def test_a_table_that_changes_while_it_is_read_is_read_again(place: Place) -> None:
    connector, products = prepared(place, mapping("products", "title"))
    add(place, "Products", Title=["A"])
    after_next(connector._client, "data", lambda: add(place, "Products", Title=["B"]))
    snapshot = connector.read(products)
    assert snapshot.complete
    assert set(snapshot.rows) == {1, 2}


def test_a_table_that_never_stands_still_is_not_complete(place: Place) -> None:
    connector, products = prepared(place, mapping("products", "title"))
    original = connector._client.data

    def data(table: str) -> Any:
        answer = original(table)
        add(place, "Products", Title=["more"])
        return answer

    connector._client.data = data  # type: ignore[method-assign]
    snapshot = connector.read(products)
    assert not snapshot.complete
    assert "kept changing while it was read" in snapshot.notes[0]


def test_a_deleted_row_is_proven_gone(place: Place) -> None:
    connector, products = prepared(place, mapping("products", "title"))
    add(place, "Products", Title=["A", "B"])
    place.act(["BulkRemoveRecord", "Products", [2]])
    snapshot = connector.read(products, [1, 2])
    assert snapshot.rows == {1: ("A",)}
    assert snapshot.gone == {2}


def test_a_quiet_table_costs_three_requests_and_no_write(place: Place) -> None:
    connector, products = prepared(place, mapping("products", "title"))
    add(place, "Products", Title=["A", "B"])
    connector.read(products)
    before = connector.usage.requests, connector.usage.writes
    connector.read(products)
    assert (connector.usage.requests - before[0], connector.usage.writes - before[1]) == (3, 0)


def test_what_looks_as_it_did_is_recognised_and_no_row_is_made_of_it(
        place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    connector, products = prepared(place, mapping("products", "title", "vendor", only_where="Sync"))
    add(place, "Products", Title=["A", "B", "C", "D"], Vendor=["v"] * 4, Sync=[True, True, True, False],
        Shopify_ID=[PRODUCT.format(n) for n in range(4)])
    first = connector.read(products, looks=Looks("as set"))
    assert first.digests.keys() >= {1, 2, 3}
    assert first.recognised == frozenset()
    place.act(["UpdateRecord", "Products", 2, {"Vendor": "w"}])
    place.act(["RemoveRecord", "Products", 3])
    made: list[Any] = []
    snapshot = RowReader._snapshot
    monkeypatch.setattr(RowReader, "_snapshot", lambda self, ids, cells: made.append(ids) or snapshot(self, ids, cells))
    now = connector.read(products, looks=Looks("as set", {row: first.digests[row] for row in (1, 2, 3)}))
    assert now.recognised == {1}
    assert now.rows == {2: ("B", "w")}
    assert now.outside == {4}
    assert now.marks == {2: PRODUCT.format(1), 4: PRODUCT.format(3)}
    assert [now.proves_gone(row) for row in (1, 2, 3, 4)] == [False, False, True, False]
    assert made == [[2, 4]]


@pytest.mark.parametrize(("what", "action"), [
    ("the Shopify ID", ["UpdateRecord", "Products", 1, {"Shopify_ID": PRODUCT.format(2)}]),
    ("the toggle", ["UpdateRecord", "Products", 1, {"Sync": False}]),
    ("another type of the same cell", ["UpdateRecord", "Products", 1, {"Title": ["L", "A"]}]),
    ("a column's name", ["RenameColumn", "Products", "Vendor", "Maker"]),
    ("a column's type", ["ModifyColumn", "Products", "Vendor", {"type": "Choice"}]),
])
def test_a_row_is_read_again_where_anything_of_what_it_looks_like_is_another(
        place: Place, what: str, action: list[Any]) -> None:
    connector, products = prepared(place, mapping("products", "title", "vendor", only_where="Sync"))
    add(place, "Products", Title=["A"], Vendor=["v"], Sync=[True], Shopify_ID=[PRODUCT.format(1)])
    bindings = connector.prepare([products], {}, write=True).bindings
    looks = Looks("as set", connector.read(products, looks=Looks("as set")).digests)
    assert connector.read(products, looks=looks).recognised == {1}
    place.act(action)
    connector = place.connector()
    (products,) = connector.prepare([products], bindings, write=True).mappings
    assert connector.read(products, looks=looks).recognised == frozenset()


def test_two_rows_with_equal_cells_do_not_look_alike(place: Place) -> None:
    connector, products = prepared(place, mapping("products", "title"))
    add(place, "Products", Title=["A", "A"], Shopify_ID=["", ""])
    digests = connector.read(products, looks=Looks("as set")).digests
    assert digests[1] != digests[2]
    looks = Looks("as set", {1: digests[2], 2: digests[1]})
    assert connector.read(products, looks=looks).recognised == frozenset()


def test_a_row_looks_another_where_its_reference_means_another_thing(place: Place) -> None:
    connector, _ = prepared(place, mapping("products", "title"))
    (_, variants) = connector.prepare([mapping("products", "title"), mapping("variants", "product", "sku")], {},
                                      write=True).mappings
    add(place, "Products", Title=["A", "B"])
    add(place, "Variants", Product=[1, 2], SKU=["a", "b"])
    things: dict[int, str | None] = {1: PRODUCT.format(1), 2: PRODUCT.format(2)}

    def find(target: str, rows: Collection[int]) -> dict[int, str | None]:
        assert target == "products"
        return {row: things.get(row) for row in rows}

    looks = Looks("as set", connector.read(variants, looks=Looks("as set", {}, find)).digests, find)
    assert connector.read(variants, looks=looks).recognised == {1, 2}
    assert looks.stands(find)
    things[2] = PRODUCT.format(3)
    assert not looks.stands(find)
    assert connector.read(variants, looks=Looks("as set", looks.agreed, find)).recognised == {1}

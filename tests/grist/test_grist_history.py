"""What the document's history says: on recorded comparisons of a real Grist, and as people edit the stand-in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from grist_helpers import PRODUCT, mapping
from hypothesis import given
from hypothesis import strategies as st
from places import Place

from backend.errors import AccessError
from backend.grist.client import State
from backend.grist.connector import GristConnector
from backend.grist.history import Watched, changed_rows, standing, table_delta

GID = PRODUCT.format
FIXTURES = Path(__file__).parents[1] / "fixtures" / "grist"


def recorded(scenario: str, step: str) -> dict[str, Any]:
    steps = json.loads((FIXTURES / f"{scenario}.json").read_text())["steps"]
    found: dict[str, Any] = next(s["body"] for s in steps if s["name"] == step)["details"]["rightChanges"]
    return found


@pytest.mark.parametrize(("scenario", "step", "columns", "rows"), [
    ("compare", "nothing changed", {7: "Price"}, set()),
    ("compare", "only the net change shows, formula results too", {7: "Price"}, {1}),
    ("compare", "only the net change shows, formula results too", {16: "Double"}, {1}),
    ("compare", "only the net change shows, formula results too", {8: "Qty"}, set()),
    ("compare", "a change and its reversal", {7: "Price"}, set()),
    ("compare", "all of it", {7: "Price"}, {2, 4}),
    ("compare", "bulk change, few inline rows", {7: "Price"}, {1, 2, 3, 4}),  # only the rows are told for certain
    ("compare", "after the rename", {8: "Qty"}, {1, 2, 3, 4}),
    ("compare", "after the rename", {8: "Stock"}, {1, 2, 3, 4}),
    ("compare", "after the table rename", {8: "Qty"}, {1, 2, 3, 4}),
    ("compare", "after the retype", {7: "Price"}, None),
    ("compare", "after the retype", {8: "Stock"}, {1, 2, 3, 4}),
    ("identity", "compare shows the id removed and added", {99: "Unchanged"}, {3}),
    ("identity", "compare over the re-made table", {99: "Title"}, None),
    ("inline", "compare with maxRows=null: all cells", {8: "Qty"}, set(range(1, 121))),
    ("inline", "compare without maxRows: all rows named, few cells", {8: "Qty"}, set(range(1, 121))),
])
def test_recorded_comparisons_name_the_rows(
    scenario: str, step: str, columns: dict[int, str], rows: set[int] | None
) -> None:
    found = changed_rows(recorded(scenario, step), {"products": Watched("Products", columns)})
    assert found == (None if rows is None else {"products": rows})


def test_a_table_is_followed_by_its_new_name_and_by_its_old_one() -> None:
    changes = recorded("compare", "after the table rename")
    for name in ("Products", "Goods"):
        assert changed_rows(changes, {"p": Watched(name, {7: "Price"})}) == {"p": {2, 4}}


def test_tables_that_changed_names_with_each_other_are_not_guessed_at() -> None:
    changes = {"tableRenames": [["A", "B"], ["B", "A"]], "tableDeltas": {}}
    assert changed_rows(changes, {"p": Watched("A", {1: "x"})}) is None


def test_a_removed_row_keeps_what_it_held_and_an_id_given_anew_both() -> None:
    delta = table_delta(recorded("identity", "compare shows the id removed and added"), "Products")
    assert (delta.removed, delta.added) == ({3}, {3})
    assert (delta.was[3, "Qty"], delta.held[3, "Title"]) == (5, "Impostor")
    assert (3, "Qty") not in delta.held  # what Grist gives to a new row is not told


@pytest.mark.parametrize(("states", "expected"), [
    ([(5, "e"), (4, "d")], "same"),
    ([(7, "g"), (6, "f"), (5, "e")], "ahead"),
    ([(9, "i"), (8, "h"), (7, "g")], "trimmed"),
    ([(4, "d"), (3, "c")], "restored"),
    ([(5, "x"), (4, "d")], "restored"),
    ([(7, "z"), (6, "y"), (5, "x")], "restored"),
    ([], "restored"),
])
def test_numbers_tell_a_trimmed_history_from_a_restored_one(states: list[tuple[int, str]], expected: str) -> None:
    assert standing([State(*state) for state in states], State(5, "e")) == expected


# --- over a document ---------------------------------------------------------------------------------

MAPPINGS = [mapping("products", "title", "vendor"), mapping("variants", "product", "sku")]


@pytest.fixture
def shop(place: Place) -> GristConnector:
    connector = place.connector()
    connector.prepare(MAPPINGS, {}, write=True)
    place.act(["BulkAddRecord", "Products", [None] * 3, {
        "Title": ["A", "B", "C"], "Vendor": ["v", "v", "v"], "Shopify_ID": [GID(1), GID(2), GID(3)]}])
    place.act(["AddColumn", "Products", "Remark", {"type": "Text", "isFormula": False}])
    return connector


def test_a_quiet_poll_is_one_request_and_a_busy_one_two(place: Place, shop: GristConnector) -> None:
    first = shop.changed(MAPPINGS, None)
    assert (first.keys, first.why) == (None, "first")
    before = shop.usage.requests
    quiet = shop.changed(MAPPINGS, first.checkpoint)
    assert (quiet.keys, quiet.why) == ({"products": set(), "variants": set()}, "same")
    assert quiet.checkpoint == first.checkpoint
    assert shop.usage.requests == before + 1
    place.act(["UpdateRecord", "Products", 2, {"Title": "typed"}])
    busy = shop.changed(MAPPINGS, quiet.checkpoint)
    assert busy.keys == {"products": {2}, "variants": set()}
    assert shop.usage.requests == before + 3
    assert shop.changed(MAPPINGS, busy.checkpoint).keys == {"products": set(), "variants": set()}


@pytest.mark.parametrize(("actions", "rows"), [
    ([["UpdateRecord", "Products", 1, {"Remark": "x"}]], set()),
    ([["UpdateRecord", "Products", 1, {"Title": "x"}], ["UpdateRecord", "Products", 1, {"Title": "A"}]], set()),
    ([["UpdateRecord", "Products", 1, {"Shopify_ID": ""}]], {1}),
    ([["AddRecord", "Products", None, {}]], {4}),
    ([["AddRecord", "Products", None, {}], ["RemoveRecord", "Products", 4]], set()),
    ([["RemoveRecord", "Products", 2]], {2}),
    ([["RemoveRecord", "Products", 3], ["AddRecord", "Products", None, {"Title": "C", "Vendor": "v"}]], {3}),
    ([["RenameColumn", "Products", "Title", "Name"], ["UpdateRecord", "Products", 1, {"Name": "x"}]], {1}),
    ([["RenameTable", "Products", "Goods"], ["UpdateRecord", "Goods", 1, {"Title": "x"}]], {1}),
    ([["ModifyColumn", "Products", "Vendor", {"type": "Int"}]], None),
    ([["RemoveColumn", "Products", "Vendor"]], None),
    ([["RemoveTable", "Products"]], None),
])
def test_each_change_names_its_rows_or_asks_for_a_full_read(
    place: Place, shop: GristConnector, actions: list[Any], rows: set[int] | None
) -> None:
    start = shop.changed(MAPPINGS, None).checkpoint
    for action in actions:
        place.act(action)
    found = shop.changed(MAPPINGS, start)
    assert (None if found.keys is None else found.keys["products"]) == rows
    assert found.why == ("remade" if rows is None else "compared")


def test_formula_results_and_cleared_references_are_changes_too(place: Place, shop: GristConnector) -> None:
    place.act(["AddRecord", "Variants", None, {"Product": 1, "SKU": "a"}])
    start = shop.changed(MAPPINGS, None).checkpoint
    place.act(["RemoveRecord", "Products", 1])
    assert shop.changed(MAPPINGS, start).keys == {"products": {1}, "variants": {1}}


def test_an_undone_deletion_is_looked_at(place: Place, shop: GristConnector) -> None:
    start = shop.changed(MAPPINGS, None).checkpoint
    row = place.rows("Products")[2]
    place.act(["RemoveRecord", "Products", 2])
    place.act(["AddRecord", "Products", 2, row])
    assert shop.changed(MAPPINGS, start).keys == {"products": {2}, "variants": set()}


def test_a_trimmed_history_and_a_restored_document_ask_for_a_full_read(place: Place, shop: GristConnector) -> None:
    start = shop.changed(MAPPINGS, None).checkpoint
    for title in "xyz":
        place.act(["UpdateRecord", "Products", 1, {"Title": title}])
    later = shop.changed(MAPPINGS, start).checkpoint
    place.call("POST", "/states/remove", {"keep": 2})
    trimmed = shop.changed(MAPPINGS, start)
    assert (trimmed.keys, trimmed.why, trimmed.checkpoint) == (None, "trimmed", later)
    if place.grist is None:
        return
    place.grist.documents[place.doc_id].restore(later["n"] - 1)
    assert shop.changed(MAPPINGS, later)[::2] == (None, "restored")
    place.act(["UpdateRecord", "Products", 1, {"Title": "another"}])  # the number is there again, the state is not
    assert shop.changed(MAPPINGS, later)[::2] == (None, "restored")


def test_a_document_that_moved_can_only_be_told_apart_once_the_mappings_are_prepared(
    place: Place, shop: GristConnector
) -> None:
    start = shop.changed(MAPPINGS, None).checkpoint
    fresh = place.connector()
    assert fresh.changed(MAPPINGS, start).keys == {"products": set(), "variants": set()}
    place.act(["UpdateRecord", "Products", 1, {"Title": "x"}])
    assert fresh.changed(MAPPINGS, start)[:3] == (None, start, "unprepared")
    fresh.prepare(MAPPINGS, {}, write=True)
    assert fresh.changed(MAPPINGS, start).keys == {"products": {1}, "variants": set()}


def test_a_key_that_may_not_compare_asks_for_a_full_read(place: Place, shop: GristConnector) -> None:
    start = shop.changed(MAPPINGS, None).checkpoint
    place.act(["UpdateRecord", "Products", 1, {"Title": "x"}])

    def refused(*_: Any) -> Any:
        raise AccessError("insufficient access")

    shop._client.compare = refused  # type: ignore[method-assign]
    assert shop.changed(MAPPINGS, start)[::2] == (None, "refused")


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 2)), max_size=12), st.integers(1, 9))
def test_standing_is_the_same_only_for_the_newest_and_ahead_only_for_known_states(
    raw: list[tuple[int, int]], n: int
) -> None:
    states = [State(number, str(tag)) for number, tag in sorted(dict(raw).items(), reverse=True)]
    known = State(n, "0")
    how = standing(states, known)
    assert (how == "same") == (bool(states) and states[0] == known)
    assert (how == "ahead") == (known in states[1:])


def test_where_more_changed_than_a_whole_read_costs_the_table_is_read_whole(
    place: Place, shop: GristConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.grist.connector.BY_ID", 2)
    start = shop.changed(MAPPINGS, None).checkpoint
    place.act(["BulkUpdateRecord", "Products", [1, 2], {"Title": ["x", "y"]}])
    assert shop.changed(MAPPINGS, start).audit == set()
    place.act(["BulkUpdateRecord", "Products", [1, 2, 3], {"Title": ["a", "b", "c"]}])
    changed = shop.changed(MAPPINGS, start)
    assert (changed.audit, changed.keys) == ({"products"}, {"products": {1, 2, 3}, "variants": set()})

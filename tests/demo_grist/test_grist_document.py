"""How the stand-in's document behaves between the recordings: bundles, ids, formulas, references, history."""
from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.grist import Document
from demo.grist.cells import convert
from demo.grist.document import UnknownAction
from demo.grist.history import UnknownState
from demo.grist.tables import SandboxError

COLUMNS = [
    {"id": "Title", "type": "Text"}, {"id": "Price", "type": "Numeric"}, {"id": "Qty", "type": "Int"},
    {"id": "Flag", "type": "Bool"}, {"id": "Day", "type": "Date"}, {"id": "Tags", "type": "ChoiceList"},
    {"id": "Total", "type": "Numeric", "isFormula": True, "formula": "$Price * $Qty"},
]


@pytest.fixture
def doc() -> Document:
    document = Document("d", "Shop")
    document.apply([["AddTable", "Products", [dict(column) for column in COLUMNS]],
                    ["AddTable", "Variants", [{"id": "SKU", "type": "Text"},
                                              {"id": "Product", "type": "Ref:Products"},
                                              {"id": "Others", "type": "RefList:Products"},
                                              {"id": "Name", "type": "Text", "isFormula": True,
                                               "formula": "$Product.Title.upper() + ' / ' + $SKU"}]]])
    document.apply([["BulkAddRecord", "Products", [None, None], {"Title": ["Shirt", "Hat"], "Price": [10, 20],
                                                                 "Qty": [2, 3]}]])
    return document


def test_a_bundle_with_one_bad_action_leaves_no_trace(doc: Document) -> None:
    before, newest = _everything(doc), doc.history.newest.h
    with pytest.raises(SandboxError, match="KeyError 'Nope'"):
        doc.apply([
            ["BulkUpdateRecord", "Products", [1, 2], {"Price": [1, 2]}],
            ["AddRecord", "Variants", None, {"SKU": "a", "Product": 1}],
            ["AddVisibleColumn", "Products", "Extra", {"type": "Text"}],
            ["RenameColumn", "Products", "Title", "Name"],
            ["RemoveColumn", "Products", "Total"],
            ["ModifyColumn", "Products", "Price", {"type": "Text"}],
            ["RenameTable", "Products", "Goods"],
            ["RemoveRecord", "Goods", 1],
            ["RemoveTable", "Goods"],
            ["UpdateRecord", "Variants", 1, {"Nope": 1}],
        ])
    assert _everything(doc) == before
    assert doc.history.newest.h == newest
    doc.table("Products").update(1, Qty=5)
    assert doc.table("Products").row(1)["Total"] == 50


@pytest.mark.parametrize("action", [["Frobnicate", "Products", 1], [], "UpdateRecord", [None]])
def test_an_unknown_action_is_refused_before_anything_is_done(doc: Document, action: Any) -> None:
    before = _everything(doc)
    with pytest.raises(UnknownAction):
        doc.apply([["UpdateRecord", "Products", 1, {"Price": 5}], action])
    assert _everything(doc) == before


@pytest.mark.parametrize("action", [
    ["UpdateRecord", "Products", 1], ["UpdateRecord", "Products", 1, None], ["BulkAddRecord", "Products", None, {}],
    ["BulkUpdateRecord", "Products", [1, 2], {"Price": [1]}], ["AddTable", "T", [{"type": "Text"}]],
    ["UpdateRecord", "Products", "1", {"Price": 1}], ["AddRecord", "Products", 2, {}],
    ["RemoveColumn", "Products", "X"],
])
def test_a_malformed_action_is_refused_by_the_engine(doc: Document, action: Any) -> None:
    before = _everything(doc)
    with pytest.raises(SandboxError, match=r"^\[Sandbox\] \w+Error "):
        doc.apply([["UpdateRecord", "Products", 1, {"Price": 5}], action], parse_text=True)
    assert _everything(doc) == before


def test_the_id_of_a_removed_last_row_is_given_again_and_an_inner_one_is_not(doc: Document) -> None:
    products = doc.table("Products")
    products.remove(2)
    assert products.add(Title="again") == 2
    products.remove(1)
    assert products.add(Title="after an inner one went") == 3


def test_temporary_ids_work_as_references_within_a_bundle(doc: Document) -> None:
    applied = doc.apply([
        ["BulkAddRecord", "Products", [-1, -2], {"Title": ["one", "two"]}],
        ["AddRecord", "Variants", None, {"SKU": "v", "Product": -2, "Others": ["L", -1, 1]}],
        ["UpdateRecord", "Products", -1, {"Price": 7}]])
    assert applied.values == [[3, 4], 1, None]
    variant = doc.table("Variants").row(1)
    assert (variant["Product"], variant["Others"]) == (4, ["L", 3, 1])
    assert doc.table("Products").row(3)["Price"] == 7


def test_removing_a_row_clears_the_references_to_it(doc: Document) -> None:
    doc.table("Variants").add(SKU="v", Product=1, Others=["L", 1, 2])
    applied = doc.table("Products").remove(1)
    variant = doc.table("Variants").row(1)
    assert (variant["Product"], variant["Others"]) == (0, ["L", 2])
    before = doc.history.states()[1]["h"]
    changed = doc.history.compare(before, applied.hash or "", None)["details"]["rightChanges"]["tableDeltas"]
    assert changed["Variants"]["columnDeltas"]["Product"] == {1: [[1], [0]]}


def test_a_formula_follows_a_reference(doc: Document) -> None:
    doc.table("Variants").add(SKU="S", Product=1)
    assert doc.table("Variants").row(1)["Name"] == "SHIRT / S"
    doc.table("Products").update(1, Title="Blouse")
    assert doc.table("Variants").row(1)["Name"] == "BLOUSE / S"


def test_renaming_a_column_keeps_formulas_and_renaming_a_table_keeps_references(doc: Document) -> None:
    doc.apply([["RenameColumn", "Products", "Price", "Cost"], ["RenameColumn", "Products", "Title", "Label"],
               ["RenameTable", "Products", "Goods"]])
    doc.table("Goods").update(1, Cost=100)
    doc.table("Variants").add(SKU="S", Product=1)
    assert doc.table("Goods").row(1)["Total"] == 200
    assert doc.table("Variants").row(1)["Name"] == "SHIRT / S"
    types = {column["id"]: column["fields"]["type"] for column in doc.columns("Variants")}
    assert types["Product"] == "Ref:Goods"
    assert types["Others"] == "RefList:Goods"


def test_a_removed_table_leaves_numbers_and_text_where_references_were(doc: Document) -> None:
    doc.table("Variants").add(SKU="S", Product=1, Others=["L", 1, 2])
    doc.apply([["RemoveTable", "Products"]])
    assert {column["id"]: column["fields"]["type"] for column in doc.columns("Variants")} == {
        "SKU": "Text", "Product": "Int", "Others": "Text", "Name": "Text"}
    assert doc.table("Variants").row(1)["Others"] == "1,2"


@pytest.mark.parametrize(("formula", "expected"), [
    ("$Price / $Qty", 5), ("$Title + ' x'", "Shirt x"), ("'many' if $Qty > 1 else 'one'", "many"),
    ("UPPER($Title)", "SHIRT"), ("IF($Price >= 10, ROUND($Price / 3, 2), 0)", 3.33), ("$Price / 0",
                                                                                      ["E", "ZeroDivisionError"]),
    ("$Nope", ["E", "AttributeError"]), ("$Price +", ["E", "SyntaxError"]), ("$Total * 2", 40),
    ("__import__('os')", ["E", "SyntaxError"]), ("$Title.__class__", ["E", "SyntaxError"]),
    ("$Self", ["E", "CircularRefError"]), ("9 ** 9 ** 9", ["E", "OverflowError"]), ("not $Flag and $Qty < 3", True),
])
def test_formulas_are_worked_out_and_never_run_as_python(doc: Document, formula: str, expected: Any) -> None:
    doc.apply([["AddVisibleColumn", "Products", "Self", {"type": "Any", "isFormula": True, "formula": formula}]])
    assert doc.table("Products").row(1)["Self"] == expected


def test_a_trigger_formula_fills_new_rows_and_follows_edits_as_told(doc: Document) -> None:
    doc.apply([["AddVisibleColumn", "Products", "First", {"type": "Text", "isFormula": False, "formula": "$Title"}],
               ["AddVisibleColumn", "Products", "Any_edit", {"type": "Text", "isFormula": False, "formula": "$Title",
                                                             "recalcWhen": 2}]])
    qty = next(column["fields"]["colRef"] for column in doc.columns("Products") if column["id"] == "Qty")
    doc.apply([["AddVisibleColumn", "Products", "On_qty", {"type": "Numeric", "isFormula": False,
                                                           "formula": "$Qty * 10", "recalcDeps": ["L", qty]}]])
    products = doc.table("Products")
    row = products.add(Title="new", Qty=1)
    assert [products.row(row)[name] for name in ("First", "Any_edit", "On_qty")] == ["new", "new", 10]
    products.update(row, Title="edited")
    assert [products.row(row)[name] for name in ("First", "Any_edit", "On_qty")] == ["new", "edited", 10]
    products.update(row, Qty=4)
    assert products.row(row)["On_qty"] == 40
    products.update(row, Qty=5, On_qty=1)
    assert products.row(row)["On_qty"] == 1


def test_a_trigger_formula_that_waits_for_itself_tidies_up_what_is_typed(doc: Document) -> None:
    doc.apply([["AddTable", "Tidy", [{"id": "Name", "type": "Text", "isFormula": False}]]])
    ref = next(column["fields"]["colRef"] for column in doc.columns("Tidy") if column["id"] == "Name")
    doc.apply([["UpdateRecord", "_grist_Tables_column", ref,
                {"formula": "value.upper()", "recalcWhen": 0, "recalcDeps": ["L", ref]}]])
    row = doc.table("Tidy").add(Name="typed")
    assert doc.table("Tidy").row(row)["Name"] == "TYPED"
    doc.table("Tidy").update(row, Name="again")
    assert doc.table("Tidy").row(row)["Name"] == "AGAIN"
    doc.apply([["UpdateRecord", "_grist_Tables_column", ref, {"formula": "$Name.upper()"}]])
    doc.table("Tidy").update(row, Name="once more")
    assert doc.table("Tidy").row(row)["Name"] == ["E", "CircularRefError"], "its own cell has no other name than value"


def test_an_empty_column_becomes_data_at_its_first_value(doc: Document) -> None:
    doc.apply([["AddVisibleColumn", "Products", "Fresh", {}], ["AddVisibleColumn", "Products", "Words", {}]])
    doc.table("Products").update(1, Fresh=5, Words="x")
    about = {column["id"]: column["fields"] for column in doc.columns("Products")}
    assert (about["Fresh"]["type"], about["Fresh"]["isFormula"]) == ("Numeric", False)
    assert about["Words"]["type"] == "Text"


@pytest.mark.parametrize(("column", "text", "parsed", "kept"), [
    ("Price", "$1,234.50", 1234.5, "$1,234.50"), ("Price", "12", 12, 12), ("Price", "about ten", "about ten",
                                                                           "about ten"),
    ("Price", "15%", 0.15, "15%"), ("Qty", "1.9", 1, 1), ("Qty", 3_000_000_000, "3000000000.0", "3000000000.0"),
    ("Flag", "yes", True, True), ("Flag", "maybe", "maybe", "maybe"), ("Day", "2026-05-06", 1778025600, 1778025600),
    ("Tags", "a, b", ["L", "a", "b"], "a, b"), ("Tags", ["L"], None, None), ("Title", 12.5, "12.5", "12.5"),
])
def test_text_is_read_by_the_columns_type_only_without_noparse(
        doc: Document, column: str, text: Any, parsed: Any, kept: Any) -> None:
    doc.apply([["UpdateRecord", "Products", 1, {column: text}]], parse_text=True)
    assert doc.table("Products").row(1)[column] == parsed
    doc.apply([["UpdateRecord", "Products", 2, {column: text}]])
    assert doc.table("Products").row(2)[column] == kept


def test_a_hash_stands_for_one_state_also_after_an_older_one_was_restored(doc: Document) -> None:
    kept = doc.history.newest
    doc.table("Products").update(1, Price=99)
    lost = doc.history.newest
    doc.restore(kept.n)
    assert doc.table("Products").row(1)["Price"] == 10
    assert doc.table("Products").row(1)["Total"] == 20
    doc.table("Products").update(1, Price=98)
    assert doc.history.newest.n == lost.n
    assert doc.history.newest.h != lost.h
    with pytest.raises(UnknownState):
        doc.history.compare(lost.h, "HEAD", None)


def test_an_undo_takes_a_cell_back_to_what_its_person_saw(doc: Document) -> None:
    typed = doc.apply([["UpdateRecord", "Products", 1, {"Price": 15}]], user="person")
    doc.apply([["UpdateRecord", "Products", 1, {"Price": 13}]], user="sync")
    doc.undo(typed.number, user="person")
    assert doc.table("Products").row(1)["Price"] == 10


def test_a_deletion_undone_shows_as_removed_and_added_with_equal_values(doc: Document) -> None:
    base = doc.history.newest.h
    removed = doc.table("Products").remove(1)
    doc.undo(removed.number)
    delta = doc.history.compare(base, "HEAD", None)["details"]["rightChanges"]["tableDeltas"]["Products"]
    assert (delta["removeRows"], delta["addRows"]) == ([1], [1])
    assert delta["columnDeltas"]["Title"] == {1: [["Shirt"], ["Shirt"]]}


def test_history_is_trimmed_with_a_quarter_of_grace(doc: Document) -> None:
    for price in range(1300):
        doc.apply([["UpdateRecord", "Products", 1, {"Price": price}]])
    states = doc.history.states()
    assert 1000 <= len(states) <= 1250
    assert states[0]["n"] == 1303
    assert states[-1]["n"] == states[0]["n"] - len(states) + 1


_cells = st.sampled_from([None, "", "x", 1, 2.5, True, ["L", "a"], "12"])
_rows = st.integers(min_value=1, max_value=4)
_columns = st.sampled_from(["Title", "Price", "Qty", "Flag", "Tags"])
_actions = st.one_of(
    st.tuples(st.just("UpdateRecord"), st.just("Products"), _rows, st.dictionaries(_columns, _cells, max_size=3)),
    st.tuples(st.just("AddRecord"), st.just("Products"), st.none(), st.dictionaries(_columns, _cells, max_size=3)),
    st.tuples(st.just("RemoveRecord"), st.just("Products"), _rows),
    st.tuples(st.just("AddRecord"), st.just("Variants"), st.none(),
              st.fixed_dictionaries({"SKU": _cells, "Product": _rows, "Others": st.just(["L", 1, 2])})),
    st.tuples(st.just("ModifyColumn"), st.just("Products"), _columns,
              st.fixed_dictionaries({"type": st.sampled_from(["Text", "Numeric", "Int", "Bool", "Any"])})),
    st.tuples(st.just("AddVisibleColumn"), st.just("Products"), st.sampled_from(["Title", "New"]),
              st.sampled_from([{}, {"type": "Int"}, {"type": "Any", "isFormula": True, "formula": "$Qty"}])),
    st.tuples(st.just("RenameColumn"), st.just("Products"), st.just("Qty"), st.sampled_from(["Stock", "Qty"])),
    st.tuples(st.just("RemoveColumn"), st.just("Products"), st.sampled_from(["Total", "Flag", "New"])),
    st.tuples(st.just("RenameTable"), st.just("Variants"), st.sampled_from(["Others", "Variants"])),
    st.tuples(st.just("RemoveTable"), st.sampled_from(["Variants", "Products"])),
    st.tuples(st.just("AddTable"), st.just("Variants"), st.just([{"id": "A", "type": "Ref:Products"}])),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(_actions, min_size=1, max_size=4), max_size=6))
def test_whatever_was_done_can_be_taken_back_state_by_state(bundles: list[list[tuple[Any, ...]]]) -> None:
    doc = Document("d", "Shop")
    doc.apply([["AddTable", "Products", [dict(column) for column in COLUMNS]],
               ["AddTable", "Variants", [{"id": "SKU", "type": "Text"}, {"id": "Product", "type": "Ref:Products"},
                                         {"id": "Others", "type": "RefList:Products"}]],
               ["BulkAddRecord", "Products", [None, None], {"Title": ["a", "b"], "Price": [1, 2], "Qty": [1, 2]}]])
    seen = {doc.history.newest.n: _everything(doc)}
    for bundle in bundles:
        before = _everything(doc)
        try:
            doc.apply(json.loads(json.dumps(bundle)))
        except SandboxError:
            assert _everything(doc) == before
        seen[doc.history.newest.n] = _everything(doc)
        json.dumps(doc.history.compare(doc.history.states()[-1]["h"], "HEAD", None))
    for n in sorted(seen, reverse=True):
        doc.restore(n)
        assert _everything(doc) == seen[n]


def _everything(doc: Document) -> dict[str, Any]:
    """All that a document holds, metadata too, in a form to compare."""
    return {table_id: {"columns": {name: column.info() for name, column in table.columns.items()},
                       "rows": [table.row(row) for row in table.row_ids]}
            for table_id, table in ((table_id, doc.tables[table_id]) for table_id in sorted(doc.tables))}


@pytest.mark.parametrize(("kind", "sent", "kept"), [
    ("Int", 2**31, "2147483648.0"), ("Int", 2**31 - 1, 2**31 - 1), ("Ref:Table1", 2**31, "2147483648.0"),
    ("Ref:Table1", ["L", 1, 2], 1), ("Ref:Table1", ["L", "a", "b"], "a"), ("RefList:Table1", 2, ["L", 2]),
    ("RefList:Table1", True, ["L", 1]), ("RefList:Table1", 2**31, "2147483648.0"), ("RefList:Table1", "12", "12"),
    ("RefList:Table1", "[1, 2]", ["L", 1, 2]), ("RefList:Table1", '["a"]', '["a"]'),
    ("ChoiceList", 2**31, "2147483648.0"), ("ChoiceList", 12, "12"), ("RefList:Table1", 3.5, "3.5"),
])
def test_odd_values_are_kept_as_a_real_grist_keeps_them(kind: str, sent: object, kept: object) -> None:
    assert convert(sent, kind) == kept


def test_a_removal_is_taken_back_also_where_a_column_was_retyped_meanwhile(doc: Document) -> None:
    kept = doc.history.newest
    doc.apply([["RemoveRecord", "Products", 2], ["ModifyColumn", "Products", "Tags", {"type": "Text"}],
               ["AddRecord", "Products", None, {"Title": "new"}]])
    doc.restore(kept.n)
    assert doc.table("Products").row(2)["Tags"] is None


def test_dates_are_looked_up_by_their_day(doc: Document) -> None:
    doc.apply([["AddTable", "T", [{"id": "Day", "type": "Date", "isFormula": False}]],
               ["BulkAddRecord", "T", [None, None], {"Day": [86_402, 3 * 86_400]}]])
    answer = doc.apply([["BulkAddOrUpdateRecord", "T", {"id": [1, 2], "Day": [86_400, 86_400]}, {"Day": [0, 0]},
                         {"add": False}]]).values[0]
    assert answer["recordIds"] == [[1], []]


def test_a_row_that_was_never_there_has_no_before_also_where_it_was_removed_first(doc: Document) -> None:
    doc.apply([["AddTable", "T", [{"id": "A", "type": "Int", "isFormula": False},
                                  {"id": "Twice", "type": "Any", "isFormula": True, "formula": "$A * 2"}]]])
    left = doc.history.newest.h
    doc.apply([["BulkRemoveRecord", "T", [1]], ["BulkAddRecord", "T", [None], {"A": [2]}]])
    changes = doc.history.compare(left, "HEAD", None)["details"]["rightChanges"]["tableDeltas"]["T"]["columnDeltas"]
    assert {name: cells for name, cells in changes.items() if name != "manualSort"} == {
        "A": {1: [None, [2]]}, "Twice": {1: [None, [4]]}}

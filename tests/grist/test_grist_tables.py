"""Tables are made with types, references and choices; what exists is followed, or pauses with a sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from grist_helpers import mapping, rule
from places import Place

from backend.core.model import Direction
from backend.errors import UserError
from backend.grist.binding import find_table
from backend.grist.schema import Column, Table
from backend.grist.suggest import reasons, suggest
from backend.shopify.resources import RESOURCES

SHOP = (
    mapping("inventory", "variant", "location", "available"),
    mapping("products", "title", "status", "tags", "descriptionHtml", "createdAt"),
    mapping("variants", "displayName", "product", "sku", "price", "taxable", "weight", "position"),
    mapping("locations", "name", "isActive"),
)


def test_tables_are_made_with_types_references_and_choices(place: Place) -> None:
    prepared = place.connector(currency="EUR", time_zone="Europe/Berlin").prepare(SHOP, {}, write=True)

    assert prepared.paused == {}
    assert [m.name for m in prepared.mappings] == ["inventory", "products", "variants", "locations"]
    types = {t: {c: f["type"] for c, f in place.columns(t).items()} for t in ("Products", "Variants", "Inventory")}
    assert types == {
        "Products": {"Title": "Text", "Status": "Choice", "Tags": "ChoiceList", "Description": "Text",
                     "Created": "DateTime:Europe/Berlin", "Shopify_ID": "Text"},
        "Variants": {"Name": "Text", "Product": "Ref:Products", "SKU": "Text", "Price": "Numeric", "Taxable": "Bool",
                     "Weight": "Numeric", "Position": "Int", "Shopify_ID": "Text"},
        "Inventory": {"Variant": "Ref:Variants", "Location": "Ref:Locations", "Available": "Int",
                      "Shopify_ID": "Text"},
    }
    columns = place.columns("Variants")
    assert columns["Product"]["visibleCol"] == place.columns("Products")["Title"]["colRef"]
    assert columns["Shopify_ID"]["label"] == "Shopify ID"
    assert json.loads(columns["Price"]["widgetOptions"]) == {"numMode": "currency", "currency": "EUR"}
    assert json.loads(place.columns("Products")["Status"]["widgetOptions"])["choices"][0] == "ACTIVE"


def bound_to(bindings: dict[str, Any]) -> dict[str, Any]:
    """Bindings without Grist's own words on the tables, which a pause changes."""
    return {name: {key: value for key, value in one.items() if key != "schema"} for name, one in bindings.items()}


def test_technical_columns_stay_off_the_page(place: Place) -> None:
    place.connector().prepare([mapping("products", "title")], {}, write=True)
    hidden = place.columns("Products")["Shopify_ID"]["colRef"]
    page = next(t["fields"]["primaryViewId"] for t in place.call("GET", "/tables")["tables"] if t["id"] == "Products")
    sections = [i for i, s in place.rows("_grist_Views_section").items() if s["parentId"] == page]
    shown = [f["colRef"] for f in place.rows("_grist_Views_section_field").values() if f["parentId"] in sections]
    assert shown
    assert hidden not in shown


def test_preparing_again_changes_nothing(place: Place) -> None:
    first = place.connector().prepare(SHOP, {}, write=True)
    states = place.states()
    again = place.connector().prepare(SHOP, first.bindings, write=True)
    assert place.states() == states
    assert bound_to(again.bindings) == bound_to(first.bindings)
    assert again.mappings == first.mappings
    assert again.notes == ()


def test_a_preview_makes_nothing_and_reads_as_empty(place: Place) -> None:
    states = place.states()
    connector = place.connector()
    prepared = connector.prepare(SHOP, {}, write=False)
    assert prepared.paused == {}
    assert place.states() == states
    snapshot = connector.read(prepared.mappings[0])
    assert snapshot.complete
    assert snapshot.rows == {}


def test_a_missing_column_is_added_and_its_numbers_start_empty(place: Place) -> None:
    place.act(["AddTable", "Variants", [{"id": "SKU", "type": "Text", "isFormula": False}]],
              ["BulkAddRecord", "Variants", [None, None], {"SKU": ["a", "b"]}])
    connector = place.connector()
    [wider] = connector.prepare([mapping("variants", "sku", "price", "taxable")], {}, write=True).mappings
    assert place.rows("Variants")[1] == {"SKU": "a", "Price": None, "Taxable": False, "Shopify_ID": ""}
    assert connector.read(wider).rows == {1: ("a", None, None), 2: ("b", None, None)}  # nobody said "not taxable"


def test_a_preview_reads_a_missing_column_as_empty(place: Place) -> None:
    place.act(["AddTable", "Variants", [{"id": "SKU", "type": "Text", "isFormula": False}]],
              ["BulkAddRecord", "Variants", [None], {"SKU": ["a"]}])
    connector = place.connector()
    [wider] = connector.prepare([mapping("variants", "sku", "price")], {}, write=False).mappings
    assert connector.read(wider).rows == {1: ("a", None)}


def test_a_renamed_table_and_column_are_followed_though_the_file_keeps_the_old_names(place: Place) -> None:
    wanted = mapping("products", "title", "vendor")
    bindings = place.connector().prepare([wanted], {}, write=True).bindings
    place.act(["RenameColumn", "Products", "Vendor", "Brand"], ["RenameTable", "Products", "Goods"])
    for _ in range(2):
        prepared = place.connector().prepare([wanted], bindings, write=True)
        [followed] = prepared.mappings
        assert (followed.table, followed.rule("vendor").column) == ("Goods", "Brand")
        bindings = prepared.bindings
    assert set(place.columns("Goods")) == {"Title", "Brand", "Shopify_ID"}


def test_a_mapping_that_now_names_another_column_is_bound_to_that(place: Place) -> None:
    wanted = mapping("products", "title", "vendor")
    bindings = place.connector().prepare([wanted], {}, write=True).bindings
    place.act(["AddColumn", "Products", "Maker", {"type": "Text", "isFormula": False}])
    [moved] = place.connector().prepare([rule(wanted, "vendor", column="Maker")], bindings, write=True).mappings
    assert moved.rule("vendor").column == "Maker"


@pytest.mark.parametrize(("change", "sentence"), [
    (["RemoveTable", "Products"], "Table 'Products' was deleted, or access rules hide"),
    (["RemoveColumn", "Products", "Shopify_ID"], "Column 'Shopify_ID' in table 'Products' was deleted"),
    (["RemoveColumn", "Products", "Sync"], "Column 'Sync' in table 'Products' was deleted"),
])
def test_what_a_mapping_stands_on_pauses_it_with_a_sentence(place: Place, change: list, sentence: str) -> None:
    wanted = mapping("products", "title", "vendor", only_where="Sync")
    bindings = place.connector().prepare([wanted], {}, write=True).bindings
    place.act(change)
    states = place.states()
    prepared = place.connector().prepare([wanted], bindings, write=True)
    assert sentence in prepared.paused["products"]
    assert prepared.mappings == ()
    assert prepared.bindings == bindings  # nothing is forgotten while it is paused
    assert place.states() == states


@pytest.mark.parametrize(("change", "sentence"), [
    (["RemoveColumn", "Products", "Vendor"], "Column 'Vendor' in table 'Products' was deleted, or access rules hide"),
    (["ModifyColumn", "Products", "Vendor", {"type": "Int"}], "was changed from Text to Int"),
])
def test_a_column_that_is_gone_or_retyped_pauses_only_its_field(place: Place, change: list, sentence: str) -> None:
    wanted = mapping("products", "title", "vendor", "tags")
    bindings = place.connector().prepare([wanted], {}, write=True).bindings
    place.act(["AddRecord", "Products", None, {"Title": "A", "Vendor": "v"}])
    place.act(change)
    states = place.states()
    connector = place.connector()
    for _ in range(2):  # and it stays so
        prepared = connector.prepare([wanted], bindings, write=True)
        assert prepared.paused == {}
        [now] = prepared.mappings
        assert now.names == ("title", "tags")
        assert now.chosen == {"title", "tags"}
        assert now.whole
        assert sentence in prepared.notes[0]
        assert "Until then vendor of products is not synced." in prepared.notes[0]
        # Or the next run would take a new column for the old one.
        assert bound_to(prepared.bindings) == bound_to(bindings)
        assert prepared.moved == {"products": ()}
    assert connector.read(now).rows == {1: ("A", None)}
    assert place.states() == states


def test_a_column_made_again_under_its_name_is_not_taken_for_emptied(place: Place) -> None:
    wanted = mapping("products", "title", "vendor", "tags")
    bindings = place.connector().prepare([wanted], {}, write=True).bindings
    place.act(["RemoveColumn", "Products", "Vendor"])
    place.act(["AddColumn", "Products", "Other", {"type": "Text", "isFormula": False}],
              ["AddColumn", "Products", "Vendor", {"type": "Text", "isFormula": False}])
    prepared = place.connector().prepare([wanted], bindings, write=True)
    assert prepared.mappings[0].names == ("title", "tags")
    assert "was deleted and made again" in prepared.notes[0]


def test_a_column_that_comes_back_is_synced_again(place: Place) -> None:
    wanted = mapping("products", "title", "vendor")
    bindings = place.connector().prepare([wanted], {}, write=True).bindings
    place.act(["ModifyColumn", "Products", "Vendor", {"type": "Int"}])
    bindings = place.connector().prepare([wanted], bindings, write=True).bindings
    place.act(["ModifyColumn", "Products", "Vendor", {"type": "Text"}])
    prepared = place.connector().prepare([wanted], bindings, write=True)
    assert prepared.mappings[0].names == ("title", "vendor")
    assert prepared.mappings[0].chosen is None
    assert prepared.notes == ()
    assert prepared.moved == {"products": ()}


def test_nothing_is_made_in_shopify_without_a_field_nor_anywhere_without_a_witness(place: Place) -> None:
    wanted = replace(mapping("products", "title", "handle", "vendor"), create_remote=True, match=("handle",))
    bindings = place.connector().prepare([wanted], {}, write=True).bindings
    place.act(["RemoveColumn", "Products", "Vendor"])
    prepared = place.connector().prepare([wanted], bindings, write=True)
    [now] = prepared.mappings
    assert (now.create_local, now.create_remote, now.match) == (True, False, ("handle",))
    assert prepared.notes[1] == "Until then no products are created in Shopify."
    place.act(["RemoveColumn", "Products", "Handle"])
    prepared = place.connector().prepare([wanted], bindings, write=True)
    [now] = prepared.mappings
    assert (now.create_local, now.create_remote, now.match) == (False, False, ())
    assert prepared.notes[2] == "Until then no products are created in Grist or Shopify."


def test_a_mapping_without_any_field_left_is_paused(place: Place) -> None:
    wanted = mapping("products", "title")
    bindings = place.connector().prepare([wanted], {}, write=True).bindings
    place.act(["RemoveColumn", "Products", "Title"])
    prepared = place.connector().prepare([wanted], bindings, write=True)
    assert "Column 'Title' in table 'Products' was deleted" in prepared.paused["products"]


def test_a_number_given_to_another_column_is_no_rename(place: Place) -> None:
    wanted = mapping("products", "title", "totalInventory=Total")
    bindings = place.connector().prepare([wanted], {}, write=True).bindings
    bindings["products"]["columns"]["totalInventory"]["type"] = "Numeric"  # what its number once belonged to
    bindings["products"]["columns"]["totalInventory"]["colId"] = "Gone"
    prepared = place.connector().prepare([wanted], bindings, write=True)
    assert "its number now belongs to 'Total' of another type" in prepared.notes[0]
    assert prepared.mappings[0].names == ("title",)


def test_a_formula_under_a_field_that_shopify_computes_leaves_out_that_field_alone(place: Place) -> None:
    place.act(["AddTable", "Variants", [
        {"id": "SKU", "type": "Text", "isFormula": False},
        {"id": "Position", "type": "Any", "isFormula": True, "formula": "1"}]])
    prepared = place.connector().prepare([mapping("variants", "sku", "position")], {}, write=True)
    assert prepared.mappings[0].names == ("sku",)
    assert "neither can be written" in prepared.notes[0]


@pytest.mark.parametrize(("column", "field", "sentence"), [
    ({"type": "Text", "isFormula": False}, "cost",
     "Column 'It' in table 'Variants' holds text, but a Shopify cost is a number. "
     "Set the column's type to Numeric, or map cost to another column."),
    ({"type": "Any", "isFormula": True, "formula": ""}, "cost", "is new and empty"),
    ({"type": "Any", "isFormula": True, "formula": "1"}, "position", "neither can be written"),
    ({"type": "Ref:Table1", "isFormula": False}, "product",
     "holds references to table 'Table1', but a Shopify product is a reference to a row of table 'Products'"),
])
def test_a_column_that_does_not_fit_pauses_with_a_sentence(
    place: Place, column: dict, field: str, sentence: str
) -> None:
    place.act(["AddTable", "Variants", [{"id": "It", **column}]])
    wanted = [mapping("products", "title"), mapping("variants", f"{field}=It")]
    prepared = place.connector().prepare(wanted, {}, write=True)
    assert sentence in prepared.paused["variants"]
    assert [m.name for m in prepared.mappings] == ["products"]


def test_a_formula_column_only_feeds_shopify(place: Place) -> None:
    place.act(["AddTable", "Variants", [
        {"id": "Cost", "type": "Numeric", "isFormula": False},
        {"id": "Price", "type": "Any", "isFormula": True, "formula": "$Cost * 2"},
        {"id": "Stamp", "type": "Numeric", "isFormula": False, "formula": "NOW()", "recalcWhen": 2}]])
    connector = place.connector()
    wanted = mapping("variants", "cost", "price", "compareAtPrice=Stamp")
    [bound] = connector.prepare([wanted], {}, write=True).mappings
    assert bound.rule("price").source_only
    assert bound.rule("price").direction is Direction.TO_SHOPIFY
    assert not bound.rule("compareAtPrice").source_only  # a trigger formula makes ordinary data
    to_grist = rule(wanted, "price", direction=Direction.TO_GRIST)
    assert "to go to Grist only" in connector.prepare([to_grist], {}, write=True).notes[0]


def test_a_summary_table_is_refused() -> None:
    with pytest.raises(UserError, match="is a summary table"):
        find_table(mapping("products", "title", table="Totals"), None, [Table(4, "Totals", is_summary=True)])


def test_a_column_is_found_by_its_label(place: Place) -> None:
    place.act(["AddTable", "Products", [{"id": "A1", "label": "Our name", "type": "Text", "isFormula": False}]])
    prepared = place.connector().prepare([mapping("products", "title=Our name")], {}, write=True)
    assert prepared.mappings[0].rule("title").column == "A1"
    assert "is taken to be 'A1'" in prepared.notes[0]


def test_two_fields_do_not_share_a_column(place: Place) -> None:
    place.act(["AddTable", "Products", [{"id": "Title", "type": "Text", "isFormula": False}]])
    prepared = place.connector().prepare([mapping("products", "title=Title", "handle=Title")], {}, write=True)
    assert "is used for both title and handle" in prepared.paused["products"]


def test_a_reference_needs_its_target_mapped(place: Place) -> None:
    prepared = place.connector().prepare([mapping("variants", "product", "sku")], {}, write=True)
    assert "Variants refer to products, which are not mapped" in prepared.paused["variants"]


def test_the_toggle_must_be_one(place: Place) -> None:
    place.act(["AddTable", "Products", [{"id": "Title", "type": "Text", "isFormula": False},
                                        {"id": "Sync", "type": "Text", "isFormula": False}]])
    wanted = mapping("products", "title", only_where="Sync")
    assert "it is not a toggle" in place.connector().prepare([wanted], {}, write=True).paused["products"]
    made = replace(wanted, table="Fresh")
    place.connector().prepare([made], {}, write=True)
    assert place.columns("Fresh")["Sync"]["type"] == "Bool"


def test_a_wrong_key_stops_the_whole_link(place: Place) -> None:
    with pytest.raises(UserError, match="does not accept the API key"):
        place.connector(api_key="wrong-key").prepare(SHOP, {}, write=True)


def test_suggestions_take_equal_names_before_synonyms_and_only_fitting_types() -> None:
    columns = [
        Column(1, "Price", "Price", "Numeric"), Column(2, "Unit_price", "Unit price", "Numeric"),
        Column(3, "EAN", "EAN", "Text"), Column(4, "sku", "sku", "Text"), Column(5, "Cost", "Cost", "Text"),
        Column(6, "Compare", "Old price", "Numeric"), Column(7, "Product", "Product", "Ref:Products"),
        Column(8, "Weight", "Weight", "Any", is_formula=True),
    ]
    assert suggest(columns, RESOURCES["variants"], {"products": "Products"}) == {
        "product": "Product", "sku": "sku", "barcode": "EAN", "price": "Price", "compareAtPrice": "Compare",
    }


def test_new_number_columns_are_empty_in_the_very_bundle_that_makes_them(place: Place) -> None:
    place.act(["AddTable", "Variants", [{"id": "SKU", "type": "Text", "isFormula": False}]],
              ["BulkAddRecord", "Variants", [None, None], {"SKU": ["a", "b"]}])
    states = place.states()
    connector = place.connector(currency="EUR")
    connector.prepare([mapping("variants", "sku", "price", "position", "weight")], {}, write=True)
    # One bundle for all, so no run can end between the columns and their emptying; one for their widths.
    assert place.states() == states + 2
    for row in place.rows("Variants").values():
        assert [row[column] for column in ("Price", "Position", "Weight")] == [None, None, None]
    columns = place.columns("Variants")
    assert {name: columns[name]["type"] for name in ("Price", "Position", "Weight")} == {
        "Price": "Numeric", "Position": "Int", "Weight": "Numeric"}
    assert columns["Price"]["label"] == "Price"
    assert json.loads(columns["Price"]["widgetOptions"]) == {"numMode": "currency", "currency": "EUR"}


def test_a_new_number_column_leaves_a_hidden_one_of_its_name_alone(place: Place) -> None:
    place.act(["AddTable", "Variants", [{"id": "SKU", "type": "Text", "isFormula": False},
                                        {"id": "Price", "type": "Numeric", "isFormula": False}]],
              ["AddRecord", "Variants", None, {"SKU": "a", "Price": 7}])
    connector = place.connector()
    original = connector._client.columns
    connector._client.columns = lambda table: [c for c in original(table) if c["id"] != "Price"]
    [bound] = connector.prepare([mapping("variants", "sku", "price")], {}, write=True).mappings
    assert bound.rule("price").column == "Price2"
    [row] = place.rows("Variants").values()
    assert (row["Price"], row["Price2"]) == (7, None)


# --- new and empty columns ------------------------------------------------------------------------------


def a_table_with_empty_columns(place: Place) -> None:
    place.act(["AddTable", "Goods", [{"id": "Title", "type": "Text", "isFormula": False}]],
              ["BulkAddRecord", "Goods", [None] * 2, {"Title": ["A", "B"]}],
              ["AddVisibleColumn", "Goods", "Stock", {}], ["AddVisibleColumn", "Goods", "Labels", {}])


def test_an_empty_column_waits_for_a_yes(place: Place) -> None:
    a_table_with_empty_columns(place)
    wanted = [mapping("products", "title", "totalInventory=Stock", table="Goods")]
    prepared = place.connector().prepare(wanted, {}, write=True)
    assert "is new and empty, so Grist has not given it a type yet" in prepared.notes[0]
    assert place.columns("Goods")["Stock"]["isFormula"]


def test_an_empty_column_becomes_data_of_the_right_type_with_the_owners_yes(place: Place) -> None:
    a_table_with_empty_columns(place)
    wanted = [mapping("products", "title", "totalInventory=Stock", "tags=Labels", table="Goods")]
    connector = place.connector()
    yes = {"products": {"type_blank_columns": True}}
    preview = place.connector().prepare(wanted, yes, write=False)
    assert preview.mappings[0].names == ("title", "totalInventory", "tags")
    assert place.columns("Goods")["Stock"]["isFormula"]  # a preview makes nothing
    prepared = connector.prepare(wanted, yes, write=True)
    assert "got their types: Stock, Labels" in prepared.notes[0]
    columns = place.columns("Goods")
    assert [(columns[c]["type"], columns[c]["isFormula"]) for c in ("Stock", "Labels")] == [
        ("Int", False), ("ChoiceList", False)]
    assert connector.read(prepared.mappings[0]).rows == {1: ("A", None, None), 2: ("B", None, None)}
    again = place.connector().prepare(wanted, prepared.bindings, write=True)
    assert again.notes == ()


def test_a_suggestion_says_why() -> None:
    columns = [Column(1, "SKU", "SKU", "Text"), Column(2, "Brand_price", "Sale price", "Numeric", True, "$Cost * 2")]
    fitting = suggest(columns, RESOURCES["variants"])
    assert reasons(columns, RESOURCES["variants"], fitting) == {
        "sku": "It is called 'SKU', and its type (Text) fits.",
        "price": "It is called 'Sale price', another word for 'Price', and its type (Numeric) can feed the field.",
    }


def test_new_columns_are_as_wide_as_what_stands_in_them(place: Place) -> None:
    place.connector().prepare([mapping("products", "title", "vendor", "tags", "updatedAt")], {}, write=True)
    columns = {about["colRef"]: name for name, about in place.columns("Products").items()}
    pages = place.rows("_grist_Views_section_field").values()
    assert {(columns[one["colRef"]], one["width"]) for one in pages if one["colRef"] in columns} >= {
        ("Title", 240), ("Vendor", 0), ("Tags", 180), ("Updated", 150)}

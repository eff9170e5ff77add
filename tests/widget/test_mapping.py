"""Mapping, the last steps of the first run and Pairs in Chromium, beside a stand-in backend that checks for real."""
from __future__ import annotations

from typing import Any

import fake
import fake_mapping
import pytest
from playwright.sync_api import expect
from screen import Screen


@pytest.fixture
def mapped(shop: fake.Shop) -> fake.Shop:
    fake_mapping.mapped(shop)
    return shop


def open_variants(screen: Screen) -> None:
    screen.open("mapping")
    screen.widget.get_by_label("Table", exact=True).select_option("variants")
    expect(screen.widget.get_by_role("row", name="SKU Text")).to_be_visible()


def rule_of(screen: Screen, name: str) -> Any:
    return screen.widget.get_by_label(f"If both changed {name}").last


# --- the tab ----------------------------------------------------------------------------------------


def test_a_table_shows_columns_arrows_fields_and_rules(mapped: fake.Shop, screen: Screen) -> None:
    open_variants(screen)
    row = screen.widget.get_by_role("row", name="Compare at Numeric")
    expect(row).to_contain_text("Compare at")
    expect(screen.widget.get_by_role("row", name="Price Numeric")).to_contain_text("Formula: sent, never written")
    expect(screen.widget.get_by_role("row", name="Photo Text")).to_contain_text("Only read from Shopify")
    expect(screen.widget.get_by_text("1,188 rows paired")).to_be_visible()
    expect(screen.widget.get_by_role("button", name="Save")).to_have_count(0)


def test_a_change_says_what_it_would_do_before_it_is_saved(mapped: fake.Shop, screen: Screen) -> None:
    open_variants(screen)
    rule_of(screen, "Barcode").select_option("shopify")
    screen.widget.get_by_role("button", name="SKU: both ways").click()
    screen.widget.get_by_role("menuitem", name="only to Grist").click()
    footer = screen.widget.locator(".footer")
    expect(footer).to_contain_text("2 changes not saved.")
    expect(footer).to_contain_text("The next sync would write 38 cells in Grist, none in Shopify.")
    sent = screen.asked("POST", "/api/links/1/mappings/effect")[-1]["mappings"][1]["fields"]
    assert (sent["barcode"]["on_conflict"], sent["sku"]["direction"]) == ("shopify", "to_grist")
    assert screen.asked("PUT", "/api/links/1/mappings") == []
    screen.widget.get_by_role("button", name="Save", exact=True).click()
    expect(screen.widget.get_by_text("Mapping saved")).to_be_visible()
    expect(footer).to_have_count(0)
    assert screen.shop.saved[1]["fields"]["barcode"]["on_conflict"] == "shopify"


def test_leaving_with_changes_keeps_them_and_discard_drops_them(mapped: fake.Shop, screen: Screen) -> None:
    open_variants(screen)
    rule_of(screen, "Barcode").select_option("grist")
    expect(screen.widget.get_by_text("1 change not saved.")).to_be_visible()
    screen.widget.locator("#tab-overview").click()
    screen.open("mapping")
    expect(screen.widget.get_by_text("1 change not saved.")).to_be_visible()
    screen.widget.get_by_role("button", name="Discard").click()
    expect(screen.widget.get_by_text("not saved")).to_have_count(0)
    assert screen.shop.saved[1]["fields"]["barcode"]["on_conflict"] == "ask"


def test_somebody_elses_change_is_not_overwritten(mapped: fake.Shop, screen: Screen) -> None:
    open_variants(screen)
    rule_of(screen, "Barcode").select_option("grist")
    expect(screen.widget.get_by_text("1 change not saved.")).to_be_visible()
    with screen.shop.lock:
        screen.shop.saved[0]["filter"] = "status:active"
    screen.widget.get_by_role("button", name="Save", exact=True).click()
    expect(screen.widget.locator(".footer")).to_contain_text("The mapping was changed meanwhile.")
    assert screen.shop.saved[1]["fields"]["barcode"]["on_conflict"] == "ask"


def test_a_type_that_does_not_fit_is_cured_as_the_person(mapped: fake.Shop, screen: Screen) -> None:
    open_variants(screen)
    expect(screen.widget.get_by_text("Column Cost holds text, but a Shopify cost is a number.")).to_be_visible()
    screen.widget.get_by_role("button", name="Change Cost to Numeric").click()
    expect(screen.widget.get_by_role("row", name="Cost Numeric")).to_be_visible()
    expect(screen.widget.get_by_text("Column Cost holds text")).to_have_count(0)
    assert screen.fake_grist("applied") == [["ModifyColumn", "Variants", "Cost", {"type": "Numeric"}]]


def test_an_empty_new_column_gets_its_type_after_a_yes(mapped: fake.Shop, screen: Screen) -> None:
    blank = fake_mapping.column("Weight", "Any")
    blank["fields"] |= {"isFormula": True, "formula": ""}
    mapped.columns["Variants"] = [one for one in mapped.columns["Variants"] if one["id"] != "Weight"] + [blank]
    open_variants(screen)
    expect(screen.widget.get_by_text("Column Weight is new and empty")).to_be_visible()
    screen.widget.get_by_role("button", name="Change Weight to Numeric").click()
    expect(screen.widget.get_by_role("row", name="Weight Numeric")).to_be_visible()
    assert screen.fake_grist("applied") == [
        ["ModifyColumn", "Variants", "Weight", {"type": "Numeric", "isFormula": False}]]


def test_a_field_is_added_by_keyboard_from_a_searchable_list(mapped: fake.Shop, screen: Screen) -> None:
    open_variants(screen)
    screen.widget.get_by_role("button", name="Add field").click()
    expect(screen.widget.get_by_role("combobox", expanded=True)).to_be_focused()
    screen.page.keyboard.type("taxa")
    screen.page.keyboard.press("ArrowDown")
    screen.page.keyboard.press("Enter")
    expect(screen.widget.get_by_role("row", name="Taxable Toggle")).to_be_visible()
    expect(screen.widget.get_by_text("1 change not saved.")).to_be_visible()


def test_a_path_that_the_server_does_not_know_is_told_below_its_line(mapped: fake.Shop, screen: Screen) -> None:
    open_variants(screen)
    screen.widget.get_by_role("button", name="Add field").click()
    expect(screen.widget.get_by_role("combobox", expanded=True)).to_be_focused()
    screen.page.keyboard.type("noSuch.path")
    screen.widget.get_by_role("option", name="Other path noSuch.path").click()
    expect(screen.widget.get_by_role("alert")).to_contain_text("“noSuch.path” leads nowhere")


def test_which_rows_and_what_becomes_of_them_is_chosen_in_words(mapped: fake.Shop, screen: Screen) -> None:
    screen.open("mapping")
    for name, value in (("Rows to sync", "status"), ("Status", "ARCHIVED"), ("New row in Grist", "true"),
                        ("Deleted on one side", "keep")):
        screen.widget.get_by_role("combobox", name=name, exact=True).select_option(value)
    screen.widget.get_by_role("button", name="Save", exact=True).click()
    saved = screen.wait_asked("PUT", "/api/links/1/mappings")["mappings"][0]
    assert (saved["filter"], saved["create"]["in_shopify"]) == ("-status:archived", True)
    assert saved["delete"] == {"in_grist": "ignore", "in_shopify": "ignore"}


@pytest.mark.parametrize("role", ["editor", "viewer"])
def test_who_is_no_owner_sees_the_mapping_without_controls(mapped: fake.Shop, screen: Screen, role: str) -> None:
    mapped.role = role
    open_variants(screen)
    expect(screen.widget.get_by_text("Owners can change the mapping.")).to_be_visible()
    expect(screen.widget.locator(".mapping button, .mapping select, .mapping input")).to_have_count(0)


def test_a_mapping_from_a_file_says_so(mapped: fake.Shop, screen: Screen) -> None:
    mapped.fixed = True
    open_variants(screen)
    expect(screen.widget.get_by_text("This mapping comes from sync.yaml.")).to_be_visible()
    expect(screen.widget.locator(".mapping button, .mapping select")).to_have_count(0)


# --- first run --------------------------------------------------------------------------------------


@pytest.fixture
def unmapped(shop: fake.Shop) -> fake.Shop:
    fake_mapping.unmapped(shop)
    return shop


def test_resources_are_chosen_with_counts_tables_and_what_is_missing(unmapped: fake.Shop, screen: Screen) -> None:
    unmapped.no_scopes = ("read_customers",)
    screen.open()
    expect(screen.widget.locator(".steps b")).to_have_text("3 Resources")
    expect(screen.widget.get_by_role("row", name="Products 212")).to_contain_text("title, handle, status and")
    expect(screen.widget.get_by_role("row", name="Variants 1,240")).to_contain_text("Variants, 6 columns fit")
    expect(screen.widget.get_by_role("row", name="Customers")).to_contain_text("Needs read_customers")
    expect(screen.widget.get_by_text("Creates 2 tables with typed columns.")).to_be_visible()
    screen.widget.get_by_role("checkbox", name="Inventory").press("Space")
    expect(screen.widget.get_by_text("Creates 1 table with typed columns.")).to_be_visible()
    screen.widget.get_by_role("checkbox", name="Inventory").press("Space")
    screen.widget.get_by_role("checkbox", name="Variants").press("Space")
    expect(screen.widget.get_by_role("checkbox", name="Inventory")).not_to_be_checked()


def test_the_set_up_is_left_and_resumed_where_it_was(unmapped: fake.Shop, screen: Screen) -> None:
    screen.open()
    screen.widget.get_by_role("checkbox", name="Inventory").press("Space")
    screen.widget.get_by_role("button", name="Continue").click()
    expect(screen.widget.locator(".steps b")).to_have_text("4 Tables")
    assert unmapped.first_run is not None
    assert (unmapped.first_run["step"], set(unmapped.first_run["draft"]["picked"])) == (
        "tables", {"products", "variants"})
    screen.widget.get_by_label("Table", exact=True).select_option("variants")
    expect(screen.widget.get_by_text("Looks right for 1 of 2 tables.")).to_be_visible()  # Cost is text
    screen.page.evaluate("sessionStorage.clear()")
    screen.frame.evaluate("sessionStorage.clear()")
    screen.open()
    expect(screen.widget.locator(".steps b")).to_have_text("4 Tables")
    screen.widget.get_by_role("button", name="Resources, done").click()
    expect(screen.widget.get_by_role("checkbox", name="Inventory")).not_to_be_checked()


def test_the_preview_asks_about_doubles_and_nothing_is_written_before_the_start(
    unmapped: fake.Shop, screen: Screen
) -> None:
    unmapped.first_run = {"step": "preview"}
    screen.open()
    expect(screen.widget.get_by_text("198 of 212 products found their row.")).to_be_visible()
    expect(screen.widget.get_by_text("SKU WOO-1 is on 1 row and 2 products. Which product is the row’s?")
           ).to_be_visible()
    expect(screen.widget.get_by_text(
        "creates 11 rows in Grist and 4 in Shopify, fills 57 empty cells, and asks you about 26 fields that differ."
    )).to_be_visible()
    screen.widget.get_by_role("radio", name="Wool scarf (copy), This one").check()
    expect(screen.widget.get_by_text("1 double is left out until you choose.")).to_be_visible()
    screen.widget.get_by_role("radio", name="Pairs").click()
    expect(screen.widget.get_by_role("row", name="Shirt 1 row 21")).to_contain_text("1 field")
    assert screen.asked("PUT", "/api/links/1/mappings") == screen.asked("POST", "/api/links/1/runs") == []
    screen.widget.get_by_role("button", name="Start first sync").click()
    saved = screen.wait_asked("PUT", "/api/links/1/mappings")
    assert [one["resource"] for one in saved["mappings"]] == ["products", "variants", "inventory"]
    assert saved["decided"] == [
        {"resource": "products", "row": 3, "thing": "gid://shopify/Product/8", "looks": "looks3"}]
    assert screen.wait_asked("POST", "/api/links/1/runs") == {"kind": "sync"}
    expect(screen.widget.locator("#tab-overview")).to_be_visible()
    assert unmapped.first_run is None


def test_a_copy_and_the_access_rules_are_one_press_away_before_the_first_write(
    unmapped: fake.Shop, screen: Screen
) -> None:
    screen.open()
    screen.widget.get_by_role("checkbox", name="Customers").press("Space")
    screen.widget.get_by_role("button", name="Continue").click()
    screen.widget.get_by_role("button", name="Continue").click()
    copy = screen.widget.get_by_role("link", name="download it")
    expect(copy).to_have_attribute("href", "https://grist.example/o/shop/api/docs/demoDocument/download")
    expect(screen.widget.get_by_text("Customers hold names and addresses.")).to_be_visible()
    rules = screen.widget.get_by_role("link", name="Open access rules")
    expect(rules).to_have_attribute("href", "https://grist.example/o/shop/doc/demoDocument/p/acl")
    for link in (copy, rules):
        assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener noreferrer")


def test_where_grist_says_no_address_the_way_to_a_copy_is_told(unmapped: fake.Shop, screen: Screen) -> None:
    unmapped.first_run = {"step": "preview"}
    screen.page.add_init_script("window.gristAddress = '';")
    screen.open()
    expect(screen.widget.get_by_text("in Grist’s share menu, choose “Duplicate document”.")).to_be_visible()
    expect(screen.widget.get_by_role("link", name="download it")).to_have_count(0)


def test_others_are_not_led_through_the_set_up(unmapped: fake.Shop, screen: Screen) -> None:
    unmapped.role = "editor"
    screen.open()
    expect(screen.widget.locator("#tab-overview")).to_be_visible()


# --- pairs ------------------------------------------------------------------------------------------


def waiting(number: int, asked: dict[str, Any]) -> dict[str, Any]:
    return {"id": number, "resource": "products", "label": "Products", "table": "Products", "id_column": "Shopify_ID",
            "seen_at": None, **asked}


@pytest.fixture
def paired(shop: fake.Shop) -> fake.Shop:
    copy = fake_mapping.double("copy", rows=[fake_mapping.row(12, "Cap")], things=[], alike=[[]], holder=4,
                               of=fake_mapping.thing(5, "Cap"))
    shop.questions = [waiting(1, fake_mapping.double()), waiting(2, fake_mapping.hats()), waiting(3, copy)]
    return shop


def test_the_tab_is_there_only_while_pairs_wait(paired: fake.Shop, screen: Screen) -> None:
    screen.open("pairs")
    expect(screen.widget.locator("#tab-pairs .pill")).to_have_text("3")
    with screen.shop.lock:
        screen.shop.questions = []
    screen.widget.locator("#tab-overview").click()
    expect(screen.widget.locator("#tab-pairs")).to_have_count(0)


def test_doubles_are_answered_at_once(paired: fake.Shop, screen: Screen) -> None:
    screen.open("pairs")
    screen.widget.get_by_role("radio", name="Wool scarf, row 3, Wool scarf, This one").check()
    screen.widget.get_by_role("radio", name="Felt hat, row 5, Felt hat, This one").check()
    screen.widget.get_by_role("button", name="Apply 2 choices").click()
    assert screen.wait_asked("POST", "/api/links/1/pairs") == {"answers": [
        {"question": 1, "rows": {"3": "gid://shopify/Product/7"}},
        {"question": 2, "rows": {"5": "gid://shopify/Product/9"}}]}
    expect(screen.widget.get_by_text("2 choices applied")).to_be_visible()


def test_a_copy_becomes_a_new_row_by_clearing_its_id_in_grist(paired: fake.Shop, screen: Screen) -> None:
    screen.open("pairs")
    expect(screen.widget.get_by_text("Cap, row 12 is a copy of row 4: both hold the same Shopify ID.")).to_be_visible()
    screen.widget.get_by_role("radio", name="Cap, row 12, A new row").check()
    screen.widget.get_by_role("button", name="Apply 1 choice").click()
    assert screen.wait_asked("POST", "/api/links/1/runs") == {"kind": "sync"}
    assert screen.fake_grist("applied") == [["UpdateRecord", "Products", 12, {"Shopify_ID": ""}]]


def test_a_row_kept_apart_can_be_asked_about_again(paired: fake.Shop, screen: Screen) -> None:
    paired.apart = [{"resource": "products", "label": "Products", "table": "Products", "row": 60, "title": "Old tote",
                     "by": "An owner, in the widget"}]
    screen.open("pairs")
    screen.widget.get_by_role("button", name="Ask again").click()
    assert screen.wait_asked("POST", "/api/links/1/pairs") == {"ask_again": [{"resource": "products", "row": 60}]}

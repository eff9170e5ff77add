"""The stand-in's page in a real browser: a person edits the grid, sees what others write, and the widget takes part."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests
from flask import Flask
from playwright.sync_api import Browser, FrameLocator, Page, expect

from demo.grist import Document, Grist, create_app
from demo.serving import serving

WIDGET = """<!doctype html><script src="GRIST/grist-plugin-api.js"></script>
<p id="row"></p><p id="access"></p><p id="options"></p><script>
const say = (id, value) => { document.getElementById(id).textContent = JSON.stringify(value); };
grist.onRecord(async (record) => say("row", [await grist.getSelectedTableId(), record.id, record.Product ?? null]));
grist.onOptions((options, settings) => say("options", [options, settings.accessLevel]));
grist.ready({ requiredAccess: "full" });
grist.docApi.getAccessToken({}).then(async ({ token, baseUrl }) => {
  const url = `${baseUrl}/apply?auth=${token}`;
  const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: "[]" });
  say("access", answer.status);
});
</script>"""


@dataclass
class Shop:
    """A document with products and variants, served with a widget of another origin beside it."""
    document: Document
    url: str

    def records(self, table: str) -> list[dict[str, object]]:
        answer = requests.get(f"{self.url}/api/docs/shop/tables/{table}/records",
                              headers={"Authorization": "Bearer key"}, timeout=10)
        return [record["fields"] for record in answer.json()["records"]]


@pytest.fixture
def shop() -> Iterator[Shop]:
    grist = Grist()
    grist.add_key("key", "owner")
    document = grist.new_document("Shop", "shop")
    document.apply([
        ["AddTable", "Products", [{"id": "Title", "type": "Text"}]],
        ["BulkAddRecord", "Products", [None, None], {"Title": ["Linen shirt", "Wool scarf"]}],
        ["AddTable", "Variants", [
            {"id": "Product", "type": "Ref:Products"}, {"id": "SKU", "type": "Text"},
            {"id": "Price", "type": "Numeric", "widgetOptions": '{"numMode": "currency", "currency": "USD"}'},
            {"id": "Taxable", "type": "Bool"},
            {"id": "Double", "type": "Numeric", "isFormula": True, "formula": "$Price * 2"}]],
        ["BulkAddRecord", "Variants", [None, None], {
            "Product": [1, 2], "SKU": ["LIN-S", "WOO-1"], "Price": [39, 29.5], "Taxable": [True, False]}],
    ])
    widget = Flask("widget_page")  # not "widget": that is a folder of this project
    with serving(widget) as backend, serving(create_app(grist, backend_url=backend)) as url:
        widget.add_url_rule("/widget/", view_func=lambda: WIDGET.replace("GRIST", url))
        yield Shop(document, url)


@pytest.fixture
def page(browser: Browser, shop: Shop) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{shop.url}/doc/shop#Variants")
    expect(page.locator(".cell").first).to_be_visible()
    yield page
    page.close()
    assert problems == []


def test_a_cell_edited_in_the_grid_is_read_by_the_api(page: Page, shop: Shop) -> None:
    page.get_by_role("gridcell", name="$39.00", exact=True).dblclick()
    page.keyboard.type("$1,045.50")
    page.keyboard.press("Enter")

    expect(page.get_by_role("gridcell", name="$1,045.50", exact=True)).to_be_visible()
    expect(page.get_by_role("gridcell", name="2091", exact=True)).to_be_visible()
    assert shop.records("Variants")[0]["Price"] == 1045.5


def test_a_press_of_ctrl_z_takes_back_ones_own_last_edit_over_what_came_after(page: Page, shop: Shop) -> None:
    page.get_by_role("gridcell", name="LIN-S", exact=True).click()
    page.keyboard.type("typed")
    page.keyboard.press("Enter")
    expect(page.get_by_role("gridcell", name="typed", exact=True)).to_be_visible()
    shop.document.apply([["UpdateRecord", "Variants", 1, {"SKU": "synced"}]])
    expect(page.get_by_role("gridcell", name="synced", exact=True)).to_be_visible()

    page.keyboard.press("Control+z")

    expect(page.get_by_role("gridcell", name="LIN-S", exact=True)).to_be_visible()
    assert shop.records("Variants")[0]["SKU"] == "LIN-S"


def test_what_others_write_appears_and_takes_nothing_from_who_types(page: Page, shop: Shop) -> None:
    page.get_by_role("gridcell", name="LIN-S", exact=True).click()
    page.keyboard.press("Enter")
    page.keyboard.type("half a wo")
    shop.document.apply([["UpdateRecord", "Variants", 2, {"SKU": "from elsewhere"}]])
    expect(page.get_by_role("gridcell", name="from elsewhere")).to_be_visible()

    expect(page.locator(".editor")).to_be_focused()
    page.keyboard.type("rd")
    page.keyboard.press("Tab")

    expect(page.get_by_role("gridcell", name="half a word")).to_be_visible()
    assert [row["SKU"] for row in shop.records("Variants")] == ["half a word", "from elsewhere"]


def test_escape_leaves_the_cell_as_it_was(page: Page, shop: Shop) -> None:
    before = shop.document.history.newest.h
    page.get_by_role("gridcell", name="LIN-S", exact=True).dblclick()
    page.keyboard.type("never mind")
    page.keyboard.press("Escape")
    expect(page.locator(".editor")).to_have_count(0)
    expect(page.get_by_role("gridcell", name="LIN-S", exact=True)).to_be_visible()
    assert shop.document.history.newest.h == before


def test_the_last_line_adds_a_row_and_the_row_menu_deletes_one(page: Page, shop: Shop) -> None:
    page.locator(".line.new .cell").nth(1).click()
    page.keyboard.type("NEW-1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("gridcell", name="NEW-1", exact=True)).to_be_visible()

    page.get_by_role("gridcell", name="WOO-1", exact=True).click(button="right")
    page.get_by_role("menuitem", name="Delete row").click()

    expect(page.get_by_role("gridcell", name="WOO-1", exact=True)).to_have_count(0)
    assert [row["SKU"] for row in shop.records("Variants")] == ["LIN-S", "NEW-1"]


def test_a_formula_cannot_be_edited_and_a_check_mark_is_pressed(page: Page, shop: Shop) -> None:
    page.get_by_role("gridcell", name="78", exact=True).dblclick()
    expect(page.locator(".editor")).to_have_count(0)

    page.locator("#cell-0-3").click()
    page.keyboard.press("Space")
    expect(page.locator("#cell-0-3 svg")).to_have_count(0)
    assert shop.records("Variants")[0]["Taxable"] is False


def test_a_reference_is_shown_and_chosen_by_name(page: Page, shop: Shop) -> None:
    page.get_by_role("gridcell", name="Linen shirt").click()
    page.keyboard.type("Wool scarf")
    page.keyboard.press("Enter")
    expect(page.get_by_role("gridcell", name="Wool scarf")).to_have_count(2)
    assert shop.records("Variants")[0]["Product"] == 2


def test_a_viewer_can_edit_neither_grid_nor_document(browser: Browser, shop: Shop) -> None:
    page = browser.new_page()
    page.goto(f"{shop.url}/doc/shop?as=viewer#Variants")
    page.get_by_role("gridcell", name="LIN-S", exact=True).dblclick()
    expect(page.locator(".editor")).to_have_count(0)
    expect(_widget(page).locator("#access")).to_have_text("403")
    page.close()


def test_the_widget_hears_of_the_row_and_has_the_persons_rights(page: Page) -> None:
    widget = _widget(page)
    expect(widget.locator("#row")).to_have_text('["Variants",1,"Linen shirt"]')
    expect(widget.locator("#access")).to_have_text("200")

    page.get_by_role("gridcell", name="WOO-1", exact=True).click()

    expect(widget.locator("#row")).to_have_text('["Variants",2,"Wool scarf"]')


def test_the_widget_moves_the_cursor_also_to_another_table(page: Page) -> None:
    widget = _widget(page)
    expect(widget.locator("#row")).not_to_be_empty()
    widget.locator("body").evaluate("() => grist.setCursorPos({ rowId: 2 })")
    expect(page.locator(".cell.cursor")).to_have_attribute("id", "cell-1-0")

    widget.locator("body").evaluate("() => grist.setCursorPos({ rowId: 2, tableId: 'Products' })")
    expect(page.locator("#grid-title")).to_have_text("Products")
    expect(page.locator(".cell.cursor")).to_have_text("Wool scarf")


def test_the_widget_saves_options_in_the_document(page: Page, shop: Shop) -> None:
    widget = _widget(page)
    expect(widget.locator("#options")).to_have_text('[null,"full"]')
    widget.locator("body").evaluate("() => grist.setOption('compact', true)")
    expect(widget.locator("#options")).to_have_text('[{"compact":true},"full"]')
    assert shop.document.widget_options == {"compact": True}


def test_the_theme_reaches_the_widget(browser: Browser, shop: Shop) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 640})
    page.goto(f"{shop.url}/doc/shop?themeAppearance=dark#Variants")
    root = _widget(page).locator("html")
    expect(root).to_have_attribute("data-grist-theme", "GristDark")
    expect(root).to_have_attribute("data-grist-appearance", "dark")
    ours, its = (target.evaluate("e => getComputedStyle(e).getPropertyValue('--grist-theme-cell-bg')")
                 for target in (page.locator("html"), root))
    assert ours == its != ""
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.close()


def test_an_open_page_does_not_show_in_the_counts(page: Page, shop: Shop) -> None:
    expect(_widget(page).locator("#access")).to_have_text("200")
    requests.post(f"{shop.url}/__control/reset", timeout=5)
    shop.document.apply([["UpdateRecord", "Variants", 1, {"SKU": "counted"}]])
    expect(page.get_by_role("gridcell", name="counted")).to_be_visible()
    assert requests.get(f"{shop.url}/__control/counts", timeout=5).json()["requests"] == 0


def _widget(page: Page) -> FrameLocator:
    return page.frame_locator("#widget-frame iframe")

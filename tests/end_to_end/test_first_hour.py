"""A price typed in Grist arrives in the store, a change in the store arrives in Grist, a conflict is settled."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, FrameLocator, Page, expect

from demo.__main__ import Demo

SYNC_SECONDS = 30


def widget_of(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


def open_variants(browser: Browser, demo: Demo, *, dark: bool = False, width: int = 1280) -> tuple[Page, list[str]]:
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light")
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(f"{demo.page}#Variants")
    expect(page.get_by_role("gridcell", name="LIN-S", exact=True)).to_be_visible()
    return page, problems


def type_over(page: Page, old: str, new: str) -> None:
    """Type into the first cell that shows `old`."""
    page.get_by_role("gridcell", name=old, exact=True).first.dblclick()
    page.keyboard.type(new)
    page.keyboard.press("Enter")


def press_sync(page: Page, result: str) -> None:
    widget = widget_of(page)
    widget.get_by_role("button", name="Sync", exact=True).click()
    expect(widget.get_by_text(result, exact=False).first).to_be_visible(timeout=SYNC_SECONDS * 1000)


def price_in_store(demo: Demo, sku: str) -> str:
    answer = requests.post(
        f"{demo.store}/admin/api/2026-10/graphql.json",
        json={"query": "query($q: String!) { productVariants(first: 1, query: $q) { nodes { price } } }",
              "variables": {"q": f"sku:{sku}"}},
        headers={"X-Shopify-Access-Token": "shpat_demo"}, timeout=10,
    )
    return str(answer.json()["data"]["productVariants"]["nodes"][0]["price"])


def edit_in_store(demo: Demo, sku: str, **values: str) -> None:
    answer = requests.post(f"{demo.store}/__control/edit", json={"variant": {"sku": sku}, "set": values}, timeout=10)
    assert answer.ok, answer.text


def test_both_ways_and_a_conflict_in_the_sheet(browser: Browser, demo: Demo, screenshots: Path,
                                               request: pytest.FixtureRequest) -> None:
    page, problems = open_variants(browser, demo)
    widget = widget_of(page)

    type_over(page, "$42.00", "45.50")
    press_sync(page, "1 updated")
    assert price_in_store(demo, "LIN-S") == "45.50"
    store = browser.new_page()
    store.goto(demo.store)
    expect(store.get_by_label("Price of Linen shirt S")).to_have_value("45.50")

    edit_in_store(demo, "LIN-M", price="44.00")
    press_sync(page, "1 updated")
    expect(page.get_by_role("gridcell", name="$44.00", exact=True)).to_be_visible()

    type_over(page, "$45.50", "39.00")
    edit_in_store(demo, "LIN-S", price="47.00")
    press_sync(page, "1 conflict")
    assert price_in_store(demo, "LIN-S") == "47.00"
    widget.locator("#tab-conflicts").click()
    for value in ("$45.50", "$39.00", "$47.00"):
        expect(widget.get_by_text(value).first).to_be_visible()
    page.screenshot(path=screenshots / "conflict-1280-light.png")

    widget.get_by_text("$39.00").first.click()
    widget.get_by_role("button", name="Apply 1 choice").click()
    expect(widget.get_by_text("No conflicts.")).to_be_visible(timeout=SYNC_SECONDS * 1000)
    expect(page.get_by_role("gridcell", name="$39.00", exact=True).first).to_be_visible()
    expect(widget.locator(".status")).to_contain_text("Synced", timeout=SYNC_SECONDS * 1000)
    assert price_in_store(demo, "LIN-S") == "39.00"

    every = [(dark, width) for dark in (True, False) for width in (320, 1280)]
    for dark, width in every if request.config.getoption("--screenshots") else every[:1]:
        other, more = open_variants(browser, demo, dark=dark, width=width)
        expect(widget_of(other).get_by_text("Synced", exact=False).first).to_be_visible()
        other.screenshot(path=screenshots / f"demo-{width}-{'dark' if dark else 'light'}.png")
        problems += more
        other.close()
    assert problems == []


def test_the_tour_leads_to_a_settled_conflict_and_stays_closed(browser: Browser, demo: Demo, screenshots: Path) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.goto(demo.both)
    tour, document = page.locator("#tour"), page.frame_locator("#document")
    widget = document.frame_locator("iframe")
    expect(tour).to_contain_text("1 of 5")
    for step in (2, 3):
        tour.get_by_role("button", name="Next").click()
        expect(tour).to_contain_text(f"{step} of 5")

    document.get_by_role("gridcell", name="$35.00", exact=True).first.dblclick()
    page.keyboard.type("39")
    page.keyboard.press("Enter")
    tour.get_by_role("button", name="Change it in the store too").click()
    expect(tour).to_contain_text("37.50 in the store now")
    expect(page.frame_locator("#store").get_by_label("Price of Wool scarf")).to_have_value("37.50")
    widget.get_by_role("button", name="Sync", exact=True).click()
    expect(widget.get_by_text("1 conflict").first).to_be_visible(timeout=SYNC_SECONDS * 1000)
    widget.locator("#tab-conflicts").click()
    page.screenshot(path=screenshots / "tour-1280-light.png")
    widget.get_by_text("$39.00").first.click()
    widget.get_by_role("button", name="Apply 1 choice").click()
    expect(tour).to_contain_text("Nothing was written before you chose.", timeout=SYNC_SECONDS * 1000)
    assert price_in_store(demo, "WOO-1") == "39.00"

    tour.get_by_role("button", name="Close the tour").click()
    page.reload()
    expect(page.get_by_role("button", name="Tour", exact=True)).to_be_visible()
    expect(tour).to_be_hidden()
    assert problems == []
    context.close()

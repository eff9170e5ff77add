"""The widget on the demo's page, with gunicorn, SQLite and both stand-ins behind it."""

from __future__ import annotations

import re

import requests
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect
from test_first_hour import SYNC_SECONDS, edit_in_store, open_variants, press_sync, price_in_store, type_over, widget_of

from demo.__main__ import Demo, _wait_for, end, serve

PATIENCE_MS = SYNC_SECONDS * 1000


def conflict_about(demo: Demo, page: Page, sku: str, cell: str, grist: str, shopify: str) -> Locator:
    """Both sides change a price, a sync looks; the conflict's values in the widget."""
    type_over(page, cell, grist)
    edit_in_store(demo, sku, price=shopify)
    press_sync(page, "conflict")
    widget = widget_of(page)
    widget.locator("#tab-conflicts").click()
    return lines_of(widget, sku)


def lines_of(widget: FrameLocator, sku: str) -> Locator:
    """The one conflict below the group line of a variant."""
    group = widget.locator(".group", has_text=sku)
    expect(group).to_be_visible(timeout=PATIENCE_MS)
    return group.locator("xpath=following-sibling::*[1]")


def apply(widget: FrameLocator, choices: str = "Apply 1 choice") -> None:
    widget.get_by_role("button", name=choices).click()
    expect(widget.locator(".toast")).to_be_visible(timeout=PATIENCE_MS)


def synced(widget: FrameLocator) -> None:
    expect(widget.locator(".status")).to_contain_text("Synced just now", timeout=PATIENCE_MS)


def test_by_keyboard_then_undone(browser: Browser, demo: Demo) -> None:
    page, problems = open_variants(browser, demo)
    widget = widget_of(page)
    line = conflict_about(demo, page, "WOO-1", "$35.00", "31", "36.00")
    line.locator('[data-column="grist"]').focus()
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(widget.get_by_text("No conflicts.")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("gridcell", name="$36.00", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    widget.locator("#tab-changes").click()
    widget.get_by_role("button", name="Undo sync").first.click()
    widget.locator("#undo-yes").click(timeout=PATIENCE_MS)
    expect(page.get_by_role("gridcell", name="$31.00", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    synced(widget)
    assert price_in_store(demo, "WOO-1") == "31.00"  # a new change, that both sides keep
    assert problems == []
    page.close()


def test_a_choice_on_values_that_moved_is_asked_again(browser: Browser, demo: Demo) -> None:
    page, problems = open_variants(browser, demo)
    widget = widget_of(page)
    line = conflict_about(demo, page, "CAN-1", "$28.00", "25", "29.00")
    line.locator('[data-column="shopify"]').click()
    edit_in_store(demo, "CAN-1", price="30.00")
    press_sync(page, "conflict")
    moved = re.compile(r"Shopify changed Price again.*it was “\$29.00” when")
    expect(line.locator(".note")).to_contain_text(moved, timeout=PATIENCE_MS)
    assert price_in_store(demo, "CAN-1") == "30.00"
    line.locator('[data-column="grist"]').click()
    apply(widget)
    expect(widget.get_by_text("No conflicts.")).to_be_visible(timeout=PATIENCE_MS)
    synced(widget)
    assert price_in_store(demo, "CAN-1") == "25.00"
    assert problems == []
    page.close()


def test_a_cell_is_kept_apart_until_somebody_asks_again(browser: Browser, demo: Demo) -> None:
    page, problems = open_variants(browser, demo)
    widget = widget_of(page)
    line = conflict_about(demo, page, "FEL-9", "$64.00", "60", "66.00")
    line.locator('[data-column="keep"]').focus()
    page.keyboard.press(".")
    widget.get_by_role("menuitem", name="Keep apart: stop syncing this cell").click()
    apply(widget)
    kept = widget.get_by_role("button", name="1 cell or row is kept apart")
    expect(kept).to_be_visible(timeout=PATIENCE_MS)
    type_over(page, "$60.00", "61")
    widget.get_by_role("button", name="Sync", exact=True).click()
    synced(widget)
    assert price_in_store(demo, "FEL-9") == "66.00"
    kept.click()
    widget.get_by_role("button", name="Ask again: Price").click()
    widget.get_by_role("button", name="Back to the conflicts").click()
    again = lines_of(widget, "FEL-9")
    expect(again).to_contain_text("$61.00")
    again.locator('[data-column="grist"]').click()
    apply(widget)
    synced(widget)
    assert problems == []
    page.close()


def test_two_browsers_at_once(browser: Browser, demo: Demo) -> None:
    first, problems = open_variants(browser, demo)
    line = conflict_about(demo, first, "RAI-1", "$38.00", "37", "39.50")
    second, more = open_variants(browser, demo)
    widget_of(second).locator("#tab-conflicts").click()
    other = lines_of(widget_of(second), "RAI-1")
    line.locator('[data-column="grist"]').click()
    other.locator('[data-column="shopify"]').click()
    apply(widget_of(first))
    # Whoever comes second is told that it is settled, and writes nothing.
    expect(widget_of(second).get_by_text("No conflicts.")).to_be_visible(timeout=PATIENCE_MS)
    expect(widget_of(second).locator(".toast")).to_have_text("1 choice was dropped: settled meanwhile")
    synced(widget_of(second))
    assert price_in_store(demo, "RAI-1") == "37.00"
    assert problems + more == []
    first.close()
    second.close()


def test_a_sync_is_cancelled(browser: Browser, demo: Demo) -> None:
    page, _ = open_variants(browser, demo)
    widget = widget_of(page)
    synced_before = widget.locator(".recent tbody tr")
    expect(synced_before.first).to_be_visible()
    slow = requests.post(f"{demo.store}/__control/faults", json={"next": [{"delay_seconds": 3}] * 2}, timeout=10)
    assert slow.ok
    edit_in_store(demo, "LIN-L", price="43.00")
    widget.get_by_role("button", name="Sync", exact=True).click()
    widget.locator("#cancel").click(timeout=PATIENCE_MS)
    expect(synced_before.first).to_contain_text("Cancelled", timeout=PATIENCE_MS)
    press_sync(page, "1 updated")
    page.close()


def test_the_service_is_killed_and_comes_back(browser: Browser, demo: Demo) -> None:
    page, _ = open_variants(browser, demo)
    widget = widget_of(page)
    line = conflict_about(demo, page, "LIN-S", "$42.00", "41", "46.00")
    line.locator('[data-column="grist"]').click()
    demo.server.kill()
    demo.server.wait()
    widget.locator("#tab-overview").click()
    expect(widget.get_by_text("The sync service does not answer.")).to_be_visible(timeout=PATIENCE_MS)
    expect(widget.locator(".tables tbody tr").first).to_be_visible()  # the last known state
    server = serve(demo.environment)
    try:
        _wait_for(f"{demo.backend}/healthz", server)
        expect(widget.locator(".status")).to_contain_text("Synced", timeout=PATIENCE_MS)  # it tries by itself
        widget.locator("#tab-conflicts").click()
        apply(widget)
        expect(widget.get_by_text("No conflicts.")).to_be_visible(timeout=PATIENCE_MS)
        # Before the apply it was synced just now, too: the sync that applies it is the newest in the list.
        widget.locator("#tab-overview").click()
        expect(widget.locator(".recent tbody tr").first).to_contain_text("Apply button", timeout=PATIENCE_MS)
        assert price_in_store(demo, "LIN-S") == "41.00"
    finally:
        end(server)
    page.close()

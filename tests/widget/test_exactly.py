"""From a preview to exactly that sync, and a sync that reads everything again."""
from __future__ import annotations

import fake
from playwright.sync_api import expect
from scenes import open_scene
from screen import Screen
from test_widget import wait_for


def test_a_preview_is_synced_exactly_as_it_was_shown(screen: Screen) -> None:
    open_scene(screen, "preview")
    expect(screen.widget.locator(".button.filled")).to_have_text(["Sync exactly this"])
    screen.widget.get_by_role("button", name="Sync exactly this").click()
    expect(screen.widget.get_by_text("Writing Variants: 0 of 742")).to_be_visible()
    assert screen.shop.posts("runs") == [{"kind": "preview"}, {"kind": "sync", "preview": 8}]
    expect(screen.widget.get_by_role("button", name="Sync exactly this")).to_have_count(0)


def test_a_preview_that_is_outdated_is_not_synced_and_offers_a_new_look(screen: Screen) -> None:
    open_scene(screen, "preview")
    screen.widget.locator("#sync-exactly").click()
    expect(screen.widget.locator("#cancel")).to_be_visible()
    with screen.shop.lock:
        screen.shop.run = None
        ended = fake.run_row(7, "Ana, Sync button", screen.shop.clock(), 1)
        screen.shop.runs.insert(0, {**ended, "state": "failed"})
        screen.shop.status = "failed"
        screen.shop.message = {"message": "Something changed since this preview, so nothing was written.",
                               "cure": "Look again.", "code": "preview_outdated"}
    banner = screen.widget.locator(".banner")
    expect(banner).to_contain_text("Something changed since this preview. Look again.")
    banner.get_by_role("button", name="Preview").click()
    expect(screen.widget.locator("#sync-exactly")).to_be_visible()
    expect(screen.widget.locator(".banner.yellow")).to_have_count(0)
    assert screen.shop.posts("runs")[2:] == [{"kind": "preview"}]


def test_everything_is_read_again_from_the_menu(screen: Screen) -> None:
    screen.open()
    screen.widget.locator("#more").click()
    screen.widget.get_by_role("menuitem", name="Read everything again").click()
    assert wait_for(screen, "runs") == {"kind": "sync", "everything": True}
    expect(screen.widget.get_by_text("Writing Variants: 0 of 742")).to_be_visible()
    screen.widget.locator("#more").click()
    expect(screen.widget.get_by_role("menuitem", name="Settings")).to_be_visible()
    expect(screen.widget.get_by_role("menuitem", name="Read everything again")).to_have_count(0)

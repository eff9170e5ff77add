"""The screen of actions in Chromium: chosen in Grist, shown, confirmed once, and what became of it."""
from __future__ import annotations

import fake
import pytest
from playwright.sync_api import expect
from screen import Screen
from test_widget import wait_for


def choose_order(screen: Screen, row: int = 812) -> None:
    """Somebody presses a row of Orders in Grist, then the tab that appears."""
    expect(screen.widget.locator("#tab-overview")).to_be_visible()
    screen.fake_grist(f"select('Orders', {row})")
    screen.widget.locator("#tab-actions").click()


def test_the_tab_appears_with_a_row_of_orders_and_shows_what_may_be_done(screen: Screen) -> None:
    screen.open()
    expect(screen.widget.locator("#tab-actions")).to_have_count(0)
    choose_order(screen)
    expect(screen.widget.get_by_text("#1042", exact=True)).to_be_visible()
    expect(screen.widget.get_by_label("Fulfil", exact=True)).to_be_enabled()
    expect(screen.widget.get_by_label("Reopen")).to_be_disabled()
    expect(screen.widget.get_by_text("It is open.")).to_be_visible()
    assert wait_for(screen, "actions/preview") == {"resource": "orders", "rows": [812]}
    expect(screen.widget.get_by_role("button", name="Continue")).to_have_attribute("aria-disabled", "true")


def test_chosen_lines_are_fulfilled_after_one_yes(screen: Screen) -> None:
    screen.open()
    choose_order(screen)
    screen.widget.get_by_label("Fulfil", exact=True).check()
    quantity = screen.widget.get_by_label("How many of Linen shirt / S to send, of 2")
    expect(quantity).to_have_value("2")
    quantity.fill("3")
    expect(quantity).to_have_attribute("aria-invalid", "true")
    quantity.fill("1")
    screen.widget.get_by_label("How many of Felt hat to send, of 1").fill("0")
    screen.widget.get_by_label("Tracking number").fill("1Z999")
    screen.widget.get_by_role("button", name="Fulfil…").click()
    question = screen.widget.get_by_role("group", name="Fulfil: #1042?")
    expect(question).to_contain_text("Fulfils 1 × Linen shirt / S from Main store. The customer is not notified.")
    expect(question).to_contain_text("An email that was sent stays sent.")
    expect(screen.widget.get_by_role("button", name="Back")).to_be_focused()
    assert screen.shop.posts("actions") == [], "nothing is done before the yes"
    screen.widget.get_by_role("button", name="Fulfil: #1042").click()
    assert wait_for(screen, "actions") == {
        "resource": "orders", "rows": [812], "action": "fulfil", "seen": {"812": "seen-1"},
        "options": {"lines": [{"line": "line-1", "quantity": 1}], "tracking": {"number": "1Z999"}}}
    expect(screen.widget.get_by_text("Fulfil: #1042 is under way")).to_be_visible()
    expect(screen.widget.get_by_role("row", name="Fulfil #1042")).to_contain_text("Waits for its turn")
    assert len(screen.shop.posts("actions")) == 1


def test_cancelling_says_that_it_cannot_be_undone_and_is_red(screen: Screen) -> None:
    screen.open()
    choose_order(screen)
    screen.widget.get_by_label("Cancel the order").check()
    screen.widget.locator(".deed-form label.box", has=screen.widget.get_by_label("Put the goods back to stock")).click()
    screen.widget.get_by_label("Reason").select_option("FRAUD")
    screen.widget.get_by_role("button", name="Cancel the order…").click()
    expect(screen.widget.get_by_text("A cancelled order cannot be brought back.")).to_be_visible()
    yes = screen.widget.locator("#do-deed")
    expect(yes).to_have_class("button red")
    screen.page.keyboard.press("Escape")
    expect(yes).to_have_count(0)
    assert screen.shop.posts("actions") == []
    body = next(one for one in screen.shop.posts("actions/preview") if "action" in one)
    assert body["options"] == {"restock": True, "reason": "FRAUD"}


def test_what_moved_meanwhile_is_said_and_must_be_looked_at_again(screen: Screen) -> None:
    screen.shop.deed_refusal = {"code": "moved", "cure": "Look at it again.", "details": {},
                                "message": "Something changed in Shopify since you looked. Nothing was done."}
    screen.open()
    choose_order(screen)
    screen.widget.get_by_label("Close").check()
    screen.widget.get_by_role("button", name="Close…").click()
    screen.widget.locator("#do-deed").click()
    expect(screen.widget.get_by_role("alert")).to_contain_text("Something changed in Shopify since you looked.")
    expect(screen.widget.locator("#do-deed")).to_have_count(0)


@pytest.mark.parametrize(("button", "happened", "shown"), [
    ("It happened", True, "Done"), ("It did not", False, "Not done")])
def test_what_may_have_happened_asks_a_person(screen: Screen, button: str, happened: bool, shown: str) -> None:
    screen.shop.deeds = [fake.deed_row(
        5, "maybe", message="The answer was lost, so this may have happened. No sign of it was found since.",
        cure="Look at the order's fulfilments in Shopify's admin, then say here whether it happened.")]
    screen.open()
    choose_order(screen)
    row = screen.widget.get_by_role("row", name="Fulfil #1042")
    expect(row).to_contain_text("May have happened")
    expect(row).to_contain_text("Look at the order's fulfilments")
    expect(screen.widget.locator("#tab-actions .pill")).to_have_text("1")
    screen.widget.get_by_role("button", name=button).click()
    assert wait_for(screen, "actions/5") == {"happened": happened}
    expect(row).to_contain_text(shown)


def test_another_row_in_grist_shows_that_rows_actions(screen: Screen) -> None:
    screen.open()
    choose_order(screen)
    screen.widget.get_by_label("Close").check()
    screen.fake_grist("select('Orders', 5)")
    expect(screen.widget.get_by_text("Orders, row 5")).to_be_visible()
    expect(screen.widget.get_by_label("Close")).not_to_be_checked()


def test_a_viewer_looks_and_is_offered_nothing(screen: Screen) -> None:
    screen.shop.role = "viewer"
    screen.open()
    choose_order(screen)
    expect(screen.widget.get_by_text("You can look, but not act.")).to_be_visible()
    assert screen.shop.posts("actions/preview") == []


def test_the_screen_fits_280_px_without_scrolling_sideways(screen: Screen) -> None:
    screen.page.set_viewport_size({"width": 280, "height": 600})
    screen.open()
    expect(screen.widget.locator("#tab-overview")).to_be_visible()
    screen.fake_grist("select('Orders', 812)")
    more = screen.widget.locator("#more-tabs")
    more.click()
    screen.widget.get_by_role("menuitem", name="Actions").click()
    screen.widget.get_by_label("Fulfil", exact=True).check()
    width = screen.frame.evaluate(
        "[document.documentElement.scrollWidth, document.querySelector('.scroll').scrollWidth]")
    assert max(width) <= 280

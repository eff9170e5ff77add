"""The row chosen in Grist: how it stands and its history, also where nothing is asked about it."""
from __future__ import annotations

import fake
import pytest
from playwright.sync_api import Locator, expect
from screen import Screen


def choose(screen: Screen, row: int = 2, table: str = "Variants") -> Locator:
    """Somebody presses a row in the grid."""
    expect(screen.widget.locator(".status")).to_contain_text("Synced 3 min ago")
    screen.fake_grist(f"select('{table}', {row})")
    return screen.widget.locator(".row-line")


@pytest.mark.parametrize("tab", ["overview", "conflicts"])
def test_a_row_in_agreement_says_so_and_what_was_written_last(screen: Screen, tab: str) -> None:
    screen.open(tab)
    line = choose(screen)
    expect(line).to_contain_text("Linen shirt / M LIN-M · Variants, row 2·In agreement at the last sync. "
                                 "Last change: Price, to Shopify, at ")
    expect(line).to_contain_text("by timer. History")


STANDS = {
    "refused": (fake.standing_row("refused", why={"message": "Shopify refused it.", "cure": "Shorten it."}),
                "Shopify refused it. Shorten it. Refused"),
    "waits": (fake.standing_row("waits", why={"message": "The row rests.", "cure": ""}), "The row rests."),
    "next": (fake.standing_row("next"), "The next sync looks at it."),
    "apart": (fake.standing_row("apart"), "Kept apart: it takes no part in the sync."),
    "cell": (fake.standing_row(apart=2), "In agreement at the last sync. 2 cells of it are kept apart."),
    "new": (fake.standing_row("new"), "Not in Shopify. New rows of this table stay in Grist."),
    "created": (fake.standing_row("new", creates=True), "Not in Shopify yet."),
    "deletion": (fake.standing_row("deletion"), "Deleted in Shopify: it waits for your answer. Answer"),
    "pair": (fake.standing_row("pair"), "What it is in Shopify waits for your answer. Answer"),
    "conflict": (fake.standing_row("conflict", conflicts=1), "1 field waits for your choice. Choose"),
}


@pytest.mark.parametrize("name", list(STANDS))
def test_every_way_a_row_can_stand_has_its_words(screen: Screen, name: str) -> None:
    status, words = STANDS[name]
    screen.shop.standing["variants:9"] = (None, None, status)
    screen.open()
    expect(choose(screen, 9)).to_have_text(f"Variants, row 9\N{MIDDLE DOT}{words}")


def test_its_conflicts_are_one_press_away(screen: Screen) -> None:
    screen.open()
    choose(screen, 1).get_by_role("button", name="Choose").click()
    expect(screen.widget.locator("[data-conflict]")).to_have_count(2)
    expect(screen.value(31, "grist")).to_be_visible()


def test_where_its_conflicts_are_listed_the_line_does_not_repeat_them(screen: Screen) -> None:
    screen.open("conflicts")
    expect(choose(screen, 1)).to_have_text("Linen shirt / S LIN-S \N{MIDDLE DOT} Variants, row 1")
    screen.widget.get_by_label("All tables").select_option("products")
    expect(screen.widget.locator(".row-line")).to_contain_text("2 fields wait for your choice.")


def test_its_history_is_asked_for_by_itself_and_left_with_the_chip(screen: Screen) -> None:
    at = screen.shop.ago(days=3)
    old = fake.change_row(2, 1, at, "Timer", "Linen shirt / M", "Weight", "shopify", "decimal", "0.2", "0.25", row=2)
    # The newest page of all changes holds nothing of the row.
    screen.shop.changes = [fake.change_row(number, 3, screen.shop.ago(hours=1), "Timer", "Felt hat", "Vendor", "grist",
                                           "text", "a", "b", row=7) for number in range(400, 250, -1)] + [old]
    screen.open()
    choose(screen).get_by_role("button", name="History").click()
    lines = screen.widget.locator("#change-list [data-change]")
    expect(lines).to_have_count(1)
    expect(lines).to_contain_text("Weight")
    chip = screen.widget.locator(".chip.on")
    expect(chip).to_contain_text("Linen shirt / M")
    chip.get_by_role("button", name="Show all rows again").click()
    expect(screen.widget.locator('[data-change="400"]')).to_be_visible()
    expect(screen.widget.locator('[data-change="2"]')).to_have_count(0)


def test_the_history_of_a_conflict_is_that_of_its_row_though_no_row_is_chosen(screen: Screen) -> None:
    at = screen.shop.ago(days=3)
    screen.shop.changes += [
        fake.change_row(2, 1, at, "Timer", "Linen shirt / S", "Price", "grist", "money", "40.00", "42.00"),
        fake.change_row(1, 1, at, "Timer", "Linen shirt / S", "Weight", "grist", "decimal", "0.2", "0.25")]
    lately = screen.shop.ago(hours=1)
    screen.shop.changes[:0] = [fake.change_row(number, 3, lately, "Timer", "Felt hat", "Vendor", "grist", "text", "a",
                                               "b", row=7) for number in range(400, 250, -1)]
    screen.open("conflicts")
    screen.value(31, "keep").focus()
    screen.page.keyboard.press(".")
    screen.widget.get_by_role("menuitem", name="Show its history").click()
    lines = screen.widget.locator("#change-list [data-change]")
    expect(screen.widget.locator('[data-change="2"]')).to_be_visible()
    expect(screen.widget.locator('[data-change="1"]')).to_have_count(0)  # another field of it
    assert "Felt hat" not in "".join(lines.all_inner_texts())
    screen.widget.get_by_role("button", name="Show all rows again").click()
    expect(screen.widget.get_by_label("All fields")).to_have_value("Price")
    screen.widget.get_by_label("All fields").select_option("")
    expect(screen.widget.locator('[data-change="400"]')).to_be_visible()


def test_a_row_without_history_can_be_left(screen: Screen) -> None:
    screen.shop.standing["variants:9"] = (None, None, fake.standing_row("new"))
    screen.open("changes")
    choose(screen, 9)
    screen.widget.locator(".chip button").click()
    expect(screen.widget.locator(".empty")).to_contain_text("No changes here with this filter.")
    screen.widget.locator(".empty").get_by_role("button", name="Show all").click()
    expect(screen.widget.locator('[data-change="99"]')).to_be_visible()


def test_a_row_that_somebody_may_not_see_says_no_more(screen: Screen) -> None:
    screen.open()
    expect(choose(screen, 77)).to_have_text("Variants, row 77 This row is not synced, or hidden from you.")


def test_no_line_stands_where_the_table_is_not_synced_or_no_row_is_chosen(screen: Screen) -> None:
    screen.open()
    line = choose(screen)
    expect(line).to_be_visible()
    screen.fake_grist("select('Notes', 2)")
    expect(line).to_have_count(0)


def test_the_line_follows_a_sync(screen: Screen) -> None:
    screen.open()
    line = choose(screen)
    expect(line).to_contain_text("In agreement")
    screen.shop.standing["variants:2"] = ("Linen shirt / M", "LIN-M", fake.standing_row("next"))
    screen.look_again()
    expect(line).to_contain_text("The next sync looks at it.")

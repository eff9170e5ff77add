"""The widget in Chromium, in a frame, between a stand-in Grist and a stand-in backend (see fake.py)."""
from __future__ import annotations

import re

import fake
import pytest
from playwright.sync_api import Browser, Route, expect
from screen import QUERY, Screen


def wait_for(screen: Screen, path: str) -> object:
    """The body of the first POST to `path`."""
    for _ in range(160):
        if screen.shop.posts(path):
            return screen.shop.posts(path)[0]
        screen.page.wait_for_timeout(25)
    raise AssertionError(f"nothing was posted to {path}")


def test_sync_shows_progress_and_then_the_counts(screen: Screen) -> None:
    screen.open()
    screen.widget.get_by_role("button", name="Sync", exact=True).click()
    expect(screen.widget.get_by_text("Writing Variants: 0 of 742")).to_be_visible()
    assert screen.shop.posts("runs") == [{"kind": "sync"}]
    expect(screen.widget.get_by_role("button", name="Preview")).to_have_attribute("aria-disabled", "true")
    with screen.shop.lock:
        screen.shop.run = fake.writing(screen.shop, done=310)
    expect(screen.widget.get_by_text("Writing Variants: 310 of 742")).to_be_visible()
    expect(screen.widget.get_by_role("row", name="Products 212 3 3 Done")).to_be_visible()
    with screen.shop.lock:
        screen.shop.run = None
        ended = fake.run_row(7, "Ana, Sync button", screen.shop.clock(), 20, updated=742, conflicts=2)
        screen.shop.runs.insert(0, ended)
    expect(screen.widget.locator(".status")).to_contain_text("Synced just now")
    expect(screen.widget.get_by_role("button", name="742 updated")).to_be_visible()
    expect(screen.widget.locator("#said")).to_have_text("742 updated, 2 conflicts")


def test_a_running_sync_says_how_fast_it_is_and_how_long_it_will_take(screen: Screen) -> None:
    screen.shop.run = fake.writing(screen.shop, done=10)
    screen.open()
    for done in (20, 60, 100, 140, 180):  # as the worker goes on, from one look to the next
        with screen.shop.lock:
            screen.shop.run = fake.writing(screen.shop, done=done)
        expect(screen.widget.get_by_text(f"Writing Variants: {done} of 742")).to_be_visible()
    expect(screen.widget.locator(".pace")).to_have_text(re.compile(r"^\d+ a second · about \d+ s left$"))
    share = screen.widget.locator(".share > div").evaluate("one => one.style.width")
    assert float(share.rstrip("%")) == pytest.approx(100 * 180 / 742, abs=0.01)


def test_cancel_asks_the_backend_and_says_that_it_stops(screen: Screen) -> None:
    screen.shop.run = fake.writing(screen.shop)
    screen.open()
    screen.widget.get_by_role("button", name="Cancel").click()
    expect(screen.widget.get_by_text("Stopping after this batch")).to_be_visible()
    assert len(screen.shop.posts("runs/7/cancel")) == 1


def test_a_conflict_is_resolved_by_mouse(screen: Screen) -> None:
    screen.open("conflicts")
    expect(screen.widget.locator("#apply")).to_have_attribute("aria-disabled", "true")
    screen.value(31, "grist").click()
    screen.value(35, "shopify").click()
    expect(screen.widget.get_by_text("2 of 7 chosen")).to_be_visible()
    assert screen.shop.posts("choices") == []  # choose first, apply once
    screen.widget.get_by_role("button", name="Apply 2 choices").click()
    assert wait_for(screen, "choices") == {"choices": [
        {"conflict": 31, "keep": "grist", "seen": {"grist": "39.00", "shopify": "45.00"}},
        {"conflict": 35, "keep": "shopify", "seen": {"grist": "2026-12-08", "shopify": "2026-12-15"}}]}
    expect(screen.widget.get_by_text("2 choices applied")).to_be_visible()
    expect(screen.widget.locator('[data-conflict="31"]')).to_have_count(0)
    expect(screen.widget.get_by_text("0 of 5 chosen")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 640, 320])
def test_conflicts_are_resolved_by_keyboard_alone(screen: Screen, width: int) -> None:
    screen.page.set_viewport_size({"width": width, "height": 700})
    screen.shop.conflicts = [one for one in screen.shop.conflicts if one["id"] in (31, 32, 34)]
    screen.open("conflicts")
    screen.value(34, "grist").focus()
    press = screen.page.keyboard.press
    press("3")
    press("j")
    press("1")
    press("j")
    press("2")
    press("u")
    press("t")
    screen.page.keyboard.type("fourty")
    expect(screen.widget.get_by_text("“fourty” is not a number. Type a price, for example 40.00.")).to_be_visible()
    press("Control+a")
    screen.page.keyboard.type("55.5")
    press("Enter")
    expect(screen.value(32, "keep")).to_be_focused()
    expect(screen.value(32, "keep")).to_have_text("$55.50")
    press("Control+Enter")
    assert wait_for(screen, "choices") == {"choices": [
        {"conflict": 34, "keep": "merge", "seen": {"grist": ["winter", "wool", "sale"], "shopify": ["wool", "gift"]}},
        {"conflict": 31, "keep": "grist", "seen": {"grist": "39.00", "shopify": "45.00"}},
        {"conflict": 32, "keep": "value", "value": "55.5", "seen": {"grist": "49.00", "shopify": None}}]}
    expect(screen.widget.get_by_text("No conflicts.")).to_be_visible()


def test_a_whole_row_is_kept_or_deleted_in_words(screen: Screen) -> None:
    screen.open("conflicts")
    edited = screen.value(36, "grist").locator("xpath=..")
    expect(edited).to_contain_text("edited: Price removed $16.00 added $18.00")
    expect(edited.locator("del")).to_contain_text("$16.00")
    expect(screen.value(36, "shopify").locator("xpath=..")).to_contain_text("deleted, noticed 23 Nov, 14:00")
    screen.value(36, "grist").click()
    expect(screen.value(36, "keep")).to_have_text("Create again in Shopify")
    screen.value(36, "shopify").click()
    expect(screen.value(36, "keep")).to_have_text("Delete row 4")


def test_a_long_value_is_shown_whole_in_its_place(screen: Screen) -> None:
    text = "A felt hat with a 7 cm brim, blocked by hand in our own workshop at the foot of the hill."
    screen.shop.conflicts[6] |= {"grist": text.replace("7 cm", "8 cm").replace("foot", "top")}
    screen.open("conflicts")
    cell = screen.value(37, "grist").locator("xpath=../..")
    link = cell.locator(".unfold")
    expect(link).to_have_text("Show all 2 differences")
    expect(cell).not_to_contain_text("of the hill")
    link.click()
    expect(cell).to_contain_text("of the hill")
    expect(screen.value(37, "shopify").locator("xpath=../..")).to_contain_text("of the hill")
    expect(link).to_have_text("Show less")
    expect(link).to_be_focused()
    assert screen.shop.posts("choices") == []
    expect(screen.widget.get_by_text("0 of 7 chosen")).to_be_visible()  # to look is no choice
    screen.page.keyboard.press("Enter")
    expect(link).to_have_text("Show all 2 differences")


def test_a_value_without_marks_that_is_cut_off_says_so_and_nothing_else_does(screen: Screen) -> None:
    screen.shop.conflicts[6] |= {"base": "Old words", "grist": "Entirely other words, " * 12, "shopify": "New"}
    screen.open("conflicts")
    cell = screen.value(37, "grist").locator("xpath=../..")
    cell.get_by_role("button", name="Show all: Grist now, Description, Felt hat").click()
    assert cell.locator(".of").evaluate("(one) => one.firstChild.scrollHeight <= one.firstChild.clientHeight + 1")
    expect(cell.locator(".unfold")).to_have_text("Show less")
    expect(screen.value(37, "shopify").locator("xpath=../..").locator(".unfold")).to_have_count(0)


def test_other_markup_around_the_same_words_is_shown_as_source(screen: Screen) -> None:
    screen.shop.conflicts[6] |= {"type": "html", "base": "<p>A felt hat, steamed by <i>hand</i></p>",
                                 "grist": "<p>A felt hat, steamed by <b>hand</b></p>", "shopify": "<p>Cap</p>"}
    screen.open("conflicts")
    cell = screen.value(37, "grist").locator("xpath=../..")
    expect(cell).to_contain_text("A felt hat, steamed by hand same text, other formatting")
    cell.locator(".unfold").click()
    expect(cell).to_contain_text("<p>A felt hat")
    expect(cell.locator("ins").first).to_contain_text("b>")
    expect(screen.widget.locator('[data-conflict="37"] .base')).to_contain_text("<i>hand</i>")
    screen.value(37, "keep").focus()
    screen.page.keyboard.press(".")
    screen.widget.get_by_role("menuitem", name="Show as text").click()
    expect(cell).to_contain_text("A felt hat, steamed by hand same text, other formatting")


def test_per_cent_stands_behind_the_difference_where_there_is_room(screen: Screen) -> None:
    screen.open("conflicts")
    small = screen.value(31, "shopify").locator("xpath=..").locator("small")
    expect(small).to_have_text("+3.00 · +7 %")
    expect(small.locator(".roomy")).to_be_hidden()
    screen.page.set_viewport_size({"width": 1280, "height": 700})
    expect(small.locator(".roomy")).to_be_visible()
    screen.page.set_viewport_size({"width": 640, "height": 700})


def test_beside_the_conflicts_stand_the_other_fields_of_their_row_where_there_is_room(screen: Screen) -> None:
    screen.open("conflicts")
    expect(screen.value(33, "grist")).to_be_visible()
    beside = screen.widget.locator(".beside")
    expect(beside).to_be_hidden()
    screen.settle()
    assert screen.asked("GET", "/api/links/1/row") == []  # nothing is read that nobody sees
    screen.page.set_viewport_size({"width": 1280, "height": 700})
    screen.value(33, "grist").focus()
    expect(beside.get_by_text("Hill Weavers")).to_be_visible()
    expect(beside.locator("dt")).to_have_text(["Vendor", "Status"])  # Title, Tags and Restock are in the list
    screen.page.keyboard.press("Shift+J")
    expect(beside.locator("b")).to_have_text("Felt hat")
    expect(beside.get_by_text("Hat Works")).to_be_visible()
    screen.shop.rows = {}
    screen.value(36, "grist").focus()
    expect(beside.get_by_text("No other field of this row is synced.")).to_be_visible()
    screen.page.set_viewport_size({"width": 640, "height": 700})


def test_a_cell_is_kept_apart_and_asked_about_again(screen: Screen) -> None:
    screen.open("conflicts")
    screen.value(31, "keep").focus()
    screen.page.keyboard.press(".")
    screen.widget.get_by_role("menuitem", name="Keep apart: stop syncing this cell").click()
    expect(screen.value(31, "keep")).to_have_text("Keep apart")
    assert screen.shop.posts("choices") == []  # a choice like any other
    screen.value(32, "grist").click()
    screen.widget.get_by_role("button", name="Apply 2 choices").click()
    assert wait_for(screen, "choices") == {"choices": [
        {"conflict": 31, "keep": "apart", "seen": {"grist": "39.00", "shopify": "45.00"}},
        {"conflict": 32, "keep": "grist", "seen": {"grist": "49.00", "shopify": None}}]}
    expect(screen.widget.locator('[data-conflict="31"]')).to_have_count(0)
    screen.widget.get_by_role("button", name="1 cell or row is kept apart").click()
    line = screen.widget.get_by_role("row", name="Linen shirt / S")
    expect(line).to_contain_text("Price")
    expect(line).to_contain_text("$39.00")
    line.get_by_role("button", name="Ask again: Price, Linen shirt / S").click()
    assert wait_for(screen, "apart") == {"ask_again": [31]}
    expect(screen.widget.get_by_text("1 takes part again")).to_be_visible()
    expect(screen.widget.get_by_text("Nothing is kept apart.")).to_be_visible()
    expect(screen.widget.locator("#apart-list")).to_be_focused()
    screen.widget.get_by_role("button", name="Back to the conflicts").click()
    expect(screen.value(33, "grist")).to_be_visible()
    expect(screen.widget.locator(".apart-line")).to_have_count(0)


def test_whoever_goes_back_to_the_conflicts_is_not_called_back(screen: Screen) -> None:
    screen.shop.cells_apart = [fake.apart_row(one) for one in screen.shop.conflicts[:2]]
    screen.open("conflicts")
    screen.widget.get_by_role("button", name="2 cells or rows are kept apart").click()
    expect(screen.widget.locator(".apart tbody tr")).to_have_count(2)
    held: list[Route] = []
    screen.page.route("**/apart?*", lambda route: held.append(route))
    screen.widget.get_by_role("button", name="Ask again: Price").click()
    expect(screen.widget.get_by_text("1 takes part again")).to_be_visible()  # the list is on its way
    screen.widget.get_by_role("button", name="Back to the conflicts").click()
    for route in held:
        route.continue_()
    screen.page.unroute("**/apart?*")
    screen.settle()
    expect(screen.value(33, "grist")).to_be_visible()


def test_many_are_kept_apart_at_once_also_a_whole_row(screen: Screen) -> None:
    screen.open("conflicts")
    screen.widget.get_by_label("Select Wool scarf").check(force=True)
    screen.widget.locator("#list-more").click()
    screen.widget.get_by_role("menuitem", name="Keep apart: stop syncing 3 cells").click()
    screen.value(36, "keep").focus()
    screen.page.keyboard.press(".")
    screen.widget.get_by_role("menuitem", name="Keep apart: leave both as they are").click()
    screen.widget.get_by_role("button", name="Apply 4 choices").click()
    assert [(one["conflict"], one["keep"]) for one in wait_for(screen, "choices")["choices"]] == [
        (33, "apart"), (34, "apart"), (35, "apart"), (36, "apart")]
    screen.widget.get_by_role("button", name="4 cells or rows are kept apart").click()
    expect(screen.widget.get_by_role("row", name="Canvas tote")).to_contain_text("Whole row")
    screen.widget.get_by_role("button", name="Ask again about all 4").click()
    assert wait_for(screen, "apart") == {"ask_again": [33, 34, 35, 36]}


def test_who_may_only_look_sees_what_is_kept_apart(screen: Screen) -> None:
    screen.shop.role = "viewer"
    screen.shop.cells_apart = [fake.apart_row(screen.shop.conflicts[0])]
    screen.open("conflicts")
    screen.widget.get_by_role("button", name="1 cell or row is kept apart").click()
    expect(screen.widget.get_by_role("row", name="Linen shirt / S")).to_be_visible()
    expect(screen.widget.get_by_role("button", name="Ask again")).to_have_count(0)


def test_everything_shown_is_kept_from_the_menu_of_the_list(screen: Screen) -> None:
    screen.open("conflicts")
    screen.widget.get_by_label("All tables").select_option("variants")
    screen.widget.locator("#list-more").click()
    screen.widget.get_by_role("menuitem", name="Keep Shopify in all 3 shown").click()
    expect(screen.widget.get_by_text("3 of 7 chosen")).to_be_visible()


def test_a_whole_column_is_kept_from_the_menu_of_one_field(screen: Screen) -> None:
    screen.shop.conflicts += [fake.conflict_row(number, "Variants", number, f"Shirt {number}", "Price", "money", "1.00",
                                                "2.00", "3.00") for number in (70, 71)]
    screen.open("conflicts")
    screen.value(31, "keep").focus()
    screen.page.keyboard.press(".")
    screen.widget.get_by_role("menuitem", name="Keep Shopify in all 3 of Price").click()
    expect(screen.widget.get_by_text("3 of 9 chosen")).to_be_visible()
    expect(screen.value(71, "shopify")).to_be_checked()


def test_keys_move_without_choosing(screen: Screen) -> None:
    screen.open("conflicts")
    screen.value(33, "grist").focus()
    for key in ("ArrowDown", "ArrowRight", "Shift+J"):
        screen.page.keyboard.press(key)
    expect(screen.value(37, "shopify")).to_be_focused()
    expect(screen.widget.get_by_text("0 of 7 chosen")).to_be_visible()


def test_a_moved_choice_shows_the_yellow_line_and_the_new_value(screen: Screen) -> None:
    screen.open("conflicts")
    screen.shop.choices_answer = {"applied": [], "invalid": [], "run": None, "moved": [
        {"conflict": 33, "grist": "Wool scarf, undyed merino", "shopify": "Wool scarf, Shetland"}]}
    screen.value(33, "shopify").click()
    with screen.shop.lock:
        screen.shop.conflicts[2] |= {"shopify": "Wool scarf, Shetland", "seen_at": "2026-11-23T13:05:00Z"}
    screen.widget.get_by_role("button", name="Apply 1 choice").click()
    note = screen.widget.locator("#note33")
    expect(note).to_have_text(re.compile("^Shopify changed Title again .*14:05; it was “Wool scarf, natural” when you "
                                         "chose. Nothing was written. Choose once more.$"))
    expect(screen.widget.locator('[data-conflict="33"] ins', has_text="Shetland")).to_be_visible()
    expect(screen.widget.get_by_text("0 of 7 chosen")).to_be_visible()
    screen.value(33, "shopify").click()
    expect(note).to_have_count(0)


def test_a_choice_that_the_backend_dropped_shows_what_it_was_made_on(screen: Screen) -> None:
    screen.shop.conflicts[0]["moved"] = {"grist": "40.00", "shopify": "44.00"}
    screen.open("conflicts")
    expect(screen.widget.locator("#note31")).to_have_text(
        "Price changed again on both sides; Grist held “$40.00” and Shopify “$44.00” when you chose. "
        "Nothing was written. Choose once more.")


def test_choices_survive_a_reload(screen: Screen) -> None:
    screen.open("conflicts")
    screen.value(31, "grist").click()
    expect(screen.widget.get_by_text("1 of 7 chosen")).to_be_visible()
    screen.page.reload()
    screen.widget.locator("#tab-conflicts").click()
    expect(screen.widget.get_by_text("1 of 7 chosen")).to_be_visible()
    expect(screen.value(31, "grist")).to_be_checked()


def test_new_conflicts_wait_while_somebody_chooses(screen: Screen) -> None:
    screen.open("conflicts")
    screen.value(31, "grist").click()
    with screen.shop.lock:
        screen.shop.conflicts.append(
            fake.conflict_row(40, "Products", 1, "Apron", "Vendor", "text", "Loom", "Loom & Co", "Looms"))
    screen.look_again()
    expect(screen.widget.get_by_text("1 new conflict.")).to_be_visible()
    expect(screen.widget.locator('[data-conflict="40"]')).to_have_count(0)
    screen.widget.get_by_role("button", name="Show", exact=True).click()
    expect(screen.widget.locator('[data-conflict="40"]')).to_be_visible()
    expect(screen.value(31, "grist")).to_be_checked()


def test_the_backend_goes_away_and_comes_back(screen: Screen) -> None:
    screen.open()
    expect(screen.widget.get_by_role("row", name="Products 212 3 1")).to_be_visible()
    screen.shop.down = True
    screen.look_again()
    expect(screen.widget.get_by_text("The sync service does not answer.")).to_be_visible()
    expect(screen.widget.locator(".status")).to_contain_text("Not connected · synced 3 min ago")
    expect(screen.widget.get_by_role("button", name="Sync", exact=True)).to_have_attribute("aria-disabled", "true")
    expect(screen.widget.get_by_role("row", name="Products 212 3 1")).to_be_visible()  # the last known state stays
    screen.shop.down = False
    screen.widget.get_by_role("button", name="Try now").click()
    expect(screen.widget.get_by_text("The sync service does not answer.")).to_have_count(0)
    expect(screen.widget.locator(".status")).to_contain_text("Synced 3 min ago")


def test_a_viewer_sees_no_button_that_writes(screen: Screen) -> None:
    screen.shop.role = "viewer"
    screen.open("conflicts")
    expect(screen.widget.locator('[data-conflict="31"]')).to_be_visible()
    expect(screen.widget.locator(".banner")).to_have_text(
        "You can look, but not sync or choose. Ana Lund or Jonas Berg can give you edit access.")
    # "Show row" four times, and what else there is: help
    expect(screen.widget.locator(".button, input[type=radio], input[type=checkbox], .footer")).to_have_count(5)
    screen.widget.locator("#more").click()
    expect(screen.widget.get_by_role("menuitem")).to_have_text(["Help"])
    for name in ("Sync", "Preview", "Apply"):
        expect(screen.widget.get_by_role("button", name=name, exact=True)).to_have_count(0)


def test_one_row_is_synced_from_the_menu_and_a_refused_one_is_tried_again(screen: Screen) -> None:
    screen.open("refused")
    expect(screen.widget.locator(".refused tbody tr")).to_have_count(1)
    screen.fake_grist("select('Variants', 1)")
    screen.widget.locator("#more").click()
    screen.widget.get_by_role("menuitem", name="Sync this row").click()
    assert wait_for(screen, "runs") == {"kind": "sync", "row": {"resource": "variants", "row": 1}}
    with screen.shop.lock:
        screen.shop.run = None
    screen.look_again()
    screen.widget.get_by_role("button", name="Try again: #1039").click()
    expect(screen.widget.locator("#cancel")).to_be_visible()
    assert screen.shop.posts("runs")[1:] == [{"kind": "sync", "row": {"resource": "orders", "row": 812}}]


def test_deletions_are_approved_only_after_a_question_that_names_them(screen: Screen) -> None:
    screen.open("deletions")
    for title in ("Wool scarf, kids", "Gift card"):
        screen.widget.get_by_label(f"Choose {title}").check(force=True)
    screen.widget.get_by_role("button", name="Delete 2 rows in Grist").click()
    expect(screen.widget.get_by_text("Wool scarf, kids and Gift card. You can undo this in Changes.")).to_be_visible()
    expect(screen.widget.get_by_role("button", name="Cancel")).to_be_focused()
    assert screen.shop.posts("deletions") == []
    screen.widget.get_by_role("button", name="Delete 2 rows", exact=True).click()
    assert wait_for(screen, "deletions") == {"approve": [51, 52]}
    expect(screen.widget.get_by_text("1 deletion waits for your answer")).to_be_visible()


def test_a_deletion_says_in_numbers_what_goes_along(screen: Screen) -> None:
    screen.open("deletions")
    expect(screen.widget.get_by_role("row", name="Wool scarf, kids")).to_contain_text(
        "2 variants are asked about here as well. 5 order lines stay and lose their reference.")
    expect(screen.widget.get_by_role("row", name="Gift card")).to_contain_text("No synced row points to it.")
    hat = screen.widget.get_by_role("row", name="Rain hat / L")
    expect(hat).to_contain_text("RAI-2 · Variants")
    expect(hat).to_contain_text("1 stock level goes too. 12 are in stock at Main store. It can only be created anew")
    screen.widget.get_by_label("Choose Rain hat / L").check(force=True)
    screen.widget.get_by_role("button", name="Delete 1 in Shopify").click()
    expect(screen.widget.locator(".question")).to_contain_text("Rain hat / L (with 1 stock level). It can only be")


@pytest.mark.parametrize(("title", "number", "side", "lost"), [
    ("Gift card", 52, "Shopify", "with a new Shopify id, without its reviews, and old orders do not lead to it"),
    ("Rain hat / L", 53, "Grist", "References to the old one, and columns that are not synced, stay empty"),
])
def test_what_was_deleted_is_put_back_after_a_question_that_says_what_is_lost(
        screen: Screen, title: str, number: int, side: str, lost: str) -> None:
    screen.open("deletions")
    screen.widget.get_by_label(f"Choose {title}").check(force=True)
    screen.widget.get_by_role("button", name=f"Put back in {side}").click()
    question = screen.widget.locator(".question")
    expect(question).to_contain_text(f"Put 1 row back in {side}? {title}.")
    expect(question).to_contain_text(lost)
    expect(screen.widget.get_by_role("button", name="Cancel")).to_be_focused()
    assert screen.shop.posts("deletions") == []
    screen.widget.get_by_role("button", name="Put 1 row back").click()
    assert wait_for(screen, "deletions") == {"put_back": [number]}
    expect(screen.widget.get_by_text("1 row is put back by the next sync")).to_be_visible()


def test_the_question_names_what_is_put_back_with_it(screen: Screen) -> None:
    screen.open("deletions")
    screen.widget.get_by_label("Choose Wool scarf, kids").check(force=True)
    screen.widget.get_by_role("button", name="Put back in Shopify").click()
    expect(screen.widget.locator(".question")).to_contain_text(
        "Put 1 row back in Shopify? Wool scarf, kids (with 2 variants). It is created anew")


def test_who_does_not_see_what_would_come_back_too_is_told_whom_to_ask(screen: Screen) -> None:
    message = "Rows that belong to it would be put back with it, and they are hidden from you."
    screen.shop.refusals["POST /api/links/1/deletions"] = {
        "status": 403, "code": "role", "message": message, "cure": "Ask an owner of the document to put it back."}
    screen.open("deletions")
    screen.widget.get_by_label("Choose Wool scarf, kids").check(force=True)
    screen.widget.get_by_role("button", name="Put back in Shopify").click()
    screen.widget.get_by_role("button", name="Put 1 row back").click()
    expect(screen.widget.get_by_role("alert")).to_have_text(f"{message} Ask an owner of the document to put it back.")
    expect(screen.widget.get_by_label("Choose Wool scarf, kids")).to_be_checked()


def test_nothing_offers_to_put_back_what_cannot_be_made_again(screen: Screen) -> None:
    screen.shop.deletions[1]["may_put_back"] = False
    screen.open("deletions")
    screen.widget.get_by_label("Choose Wool scarf, kids").check(force=True)
    expect(screen.widget.get_by_role("button", name="Put back in Shopify")).to_be_visible()
    screen.widget.get_by_label("Choose Gift card").check(force=True)
    expect(screen.widget.get_by_role("button", name="Put back")).to_have_count(0)


def test_only_one_direction_at_a_time_is_deleted_but_both_can_be_kept(screen: Screen) -> None:
    screen.open("deletions")
    for title in ("Gift card", "Rain hat / L"):
        screen.widget.get_by_label(f"Choose {title}").check(force=True)
    for name in ("Choose one direction", "Put back"):
        expect(screen.widget.get_by_role("button", name=name)).to_have_attribute("aria-disabled", "true")
    screen.widget.get_by_role("button", name="Keep apart").click()
    assert wait_for(screen, "deletions") == {"keep": [52, 53]}
    expect(screen.widget.get_by_text("2 rows kept apart")).to_be_visible()


def test_deletions_of_one_table_are_chosen_at_once(screen: Screen) -> None:
    screen.open("deletions")
    screen.widget.get_by_label("All tables").select_option("products")
    expect(screen.widget.locator(".deletions tbody tr.two")).to_have_count(2)
    screen.widget.get_by_label("Choose all").check(force=True)
    expect(screen.widget.get_by_role("button", name="Delete 2 rows in Grist")).to_be_visible()


def test_what_came_back_leaves_the_list_and_is_said(screen: Screen) -> None:
    screen.open("deletions")
    screen.widget.get_by_label("Choose Gift card").check(force=True)
    screen.widget.get_by_role("button", name="Delete 1 row in Grist").click()
    with screen.shop.lock:
        del screen.shop.deletions[1]
    screen.look_again()
    expect(screen.widget.locator(".toast")).to_have_text(
        "Gift card is no longer asked about: it came back, was edited or was answered.")
    expect(screen.widget.locator(".question")).to_have_count(0)  # a yes counts for exactly what was shown


@pytest.mark.parametrize(("role", "boxes"), [("editor", 4), ("viewer", 0)])
def test_whoever_may_edit_answers_deletions(screen: Screen, role: str, boxes: int) -> None:
    screen.shop.role = role
    screen.open("deletions")
    expect(screen.widget.get_by_text("3 deletions wait for your answer")).to_be_visible()
    expect(screen.widget.locator("input[type=checkbox]")).to_have_count(boxes)
    expect(screen.widget.locator(".footer")).to_have_count(min(boxes, 1))


def test_the_row_icon_moves_grists_cursor_and_only_in_its_own_table(screen: Screen) -> None:
    screen.open("conflicts")
    expect(screen.value(31, "grist")).to_be_visible()
    screen.fake_grist("choose(1)")
    expect(screen.widget.locator(".chip")).to_contain_text("Linen shirt / S")
    screen.widget.get_by_role("button", name="Show row 4 in Grist").click()
    # A row of Products, while the widget looks at Variants: Grist would go to a wrong row.
    screen.widget.get_by_role("button", name="Show row 3 in Grist").first.click(force=True)
    assert screen.fake_grist("cursor") == [{"rowId": 4}]
    screen.widget.get_by_role("button", name="Linen shirt / S", exact=True).click()
    expect(screen.widget.locator("[data-conflict]")).to_have_count(2)


def test_a_preview_lists_what_a_sync_would_write_and_writes_nothing(screen: Screen) -> None:
    screen.open()
    screen.widget.get_by_role("button", name="Preview").click()
    said = screen.widget.get_by_text("A sync now would make 1 change in Grist and 1 change in Shopify.")
    expect(said).to_be_visible()
    expect(screen.widget.get_by_role("row", name="Linen shirt / S Price to Shopify")).to_contain_text("$39.00")
    assert screen.shop.posts("runs") == [{"kind": "preview"}]
    screen.widget.get_by_role("button", name="Close preview").click()
    expect(screen.widget.get_by_role("row", name="Linen shirt / M Price to Shopify")).to_be_visible()


def test_the_time_of_a_sync_leads_to_its_changes(screen: Screen) -> None:
    screen.open()
    screen.widget.locator(".recent tbody .link").nth(2).click()
    fold = screen.widget.locator("#fold2")
    expect(fold).to_be_focused()
    screen.widget.locator("#tab-overview").click()
    screen.widget.get_by_role("button", name="12 updated").click()
    expect(screen.widget.locator("#fold4")).to_be_focused()
    screen.widget.locator("#tab-overview").click()
    screen.widget.locator("#tab-changes").click()
    expect(fold).to_be_visible()
    expect(screen.widget.locator("#tab-changes")).to_be_focused()
    expect(screen.widget.get_by_text("Changes are kept for 90 days.")).to_be_visible()


@pytest.mark.parametrize(("count", "tab"), [
    ("12 updated", "changes"), ("7 conflicts", "conflicts"), ("1 refused", "refused")])
def test_each_count_of_the_last_sync_leads_to_what_it_counts(screen: Screen, count: str, tab: str) -> None:
    screen.open()
    screen.widget.locator(".last").get_by_role("button", name=count).click()
    expect(screen.widget.locator(f"#tab-{tab}")).to_have_attribute("aria-selected", "true")
    if tab == "changes":
        expect(screen.widget.locator("#fold4")).to_be_focused()  # the sync itself


@pytest.mark.parametrize(("next_minutes", "soon", "words"), [
    (12, True, r"^Next sync (at|.*,) \d\d:\d\d\. Changes made in Shopify arrive within seconds\.$"),
    (12, False, r"^Next sync (at|.*,) \d\d:\d\d\. Real time is off: changes are noticed by the timer\.$"),
    (None, False, r"^No timer runs: a sync starts with the button\.$"),
])
def test_overview_says_what_comes_by_itself(screen: Screen, next_minutes: int | None, soon: bool, words: str) -> None:
    screen.shop.soon, screen.shop.next_minutes = soon, next_minutes
    screen.open()
    expect(screen.widget.locator(".foot")).to_have_text(re.compile(words))


def test_changes_are_grouped_by_sync_and_searched(screen: Screen) -> None:
    screen.open("changes")
    more = screen.widget.get_by_role("button", name="Show 1 more")
    expect(more).to_be_visible()
    assert more.evaluate("(one) => one.closest('tr').checkVisibility({ opacityProperty: true })")
    screen.widget.get_by_label("Find row or value").fill("summer")
    expect(screen.widget.locator("tbody tr:not(.group)")).to_have_count(1)


def test_an_old_token_is_renewed_in_silence(screen: Screen) -> None:
    screen.shop.bad_tokens = {fake.token(1)}
    screen.open()
    expect(screen.widget.locator(".status")).to_contain_text("Synced 3 min ago")


@pytest.mark.parametrize(("change", "sentence"), [
    ({"access": "none"}, "Allow full access to start."),
    ({"role": "editor", "linked": False}, "No store is connected yet. An owner of this document can connect one."),
])
def test_states_without_screens_say_what_to_do(screen: Screen, change: dict, sentence: str) -> None:
    screen.shop.role, screen.shop.linked = change.get("role", "owner"), change.get("linked", True)
    screen.open(query=QUERY.replace("access=full", f"access={change.get('access', 'full')}"))
    expect(screen.widget.locator("main")).to_contain_text(sentence)
    expect(screen.widget.get_by_role("button")).to_have_count(0)


def test_access_given_later_starts_the_widget(screen: Screen) -> None:
    screen.open(query=QUERY.replace("access=full", "access=none"))
    expect(screen.widget.get_by_text("Allow full access to start.")).to_be_visible()
    screen.fake_grist("access('full')")
    expect(screen.widget.locator(".status")).to_contain_text("Synced 3 min ago")


def test_a_pulled_brake_says_why_and_what_to_do(screen: Screen) -> None:
    screen.shop.status = "stopped"
    screen.shop.message = {"message": "48 of 212 products are gone from Shopify.", "cure": "Nothing was written."}
    screen.open()
    expect(screen.widget.locator(".status")).to_contain_text("Stopped before writing")
    banner = screen.widget.locator(".banner")
    expect(banner).to_have_text("48 of 212 products are gone from Shopify. Nothing was written.")


def braked(shop: fake.Shop) -> None:
    """48 products vanished; a sync was stopped, and a preview says so again."""
    facts = "48 of 212 products are gone from Shopify. That is more than the 20 you allow."
    shop.status = "stopped"
    shop.message = {"message": f"{facts} Nothing was written.", "cure": "If it was meant, look at the preview.",
                    "brake": {"facts": facts, "count": 48}}
    shop.brake, shop.plan, shop.waits = {"facts": facts, "count": 48}, [], {"proposed_deletions": 48}


def test_past_a_brake_leads_only_a_look_and_a_question_with_the_figures(screen: Screen) -> None:
    braked(screen.shop)
    screen.open()
    screen.widget.get_by_role("button", name="Review 48").click()
    banner = screen.widget.locator(".banner")
    expect(banner).to_contain_text("That is more than the 20 you allow. A sync now would write nothing. "
                                   "48 deletions would wait for you.")
    screen.widget.get_by_role("button", name="Sync anyway").click()
    question = screen.widget.locator(".question")
    expect(question).to_contain_text("Sync anyway? 48 of 212 products are gone from Shopify. That is more than the 20 "
                                     "you allow. The sync would write nothing. 48 deletions would wait for you.")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    assert screen.shop.posts("runs") == [{"kind": "preview"}]
    question.get_by_role("button", name="Sync anyway").click()
    expect(screen.widget.get_by_text("Writing Variants: 0 of 742")).to_be_visible()
    assert screen.shop.posts("runs") == [{"kind": "preview"}, {"kind": "sync", "go_on": True}]


def test_a_viewer_is_not_asked_to_go_past_a_brake(screen: Screen) -> None:
    braked(screen.shop)
    screen.shop.role = "viewer"
    screen.open()
    expect(screen.widget.locator(".banner")).to_contain_text("48 of 212 products are gone from Shopify.")
    expect(screen.widget.get_by_role("button", name="Review")).to_have_count(0)


def test_a_preview_that_a_sync_overtook_says_so(screen: Screen) -> None:
    screen.shop.overtaken = True
    screen.open()
    screen.widget.get_by_role("button", name="Preview").click()
    expect(screen.widget.locator(".banner")).to_have_text("A sync ran meanwhile. Look again.")
    expect(screen.widget.locator("#tab-overview")).to_have_attribute("aria-selected", "true")


def test_a_preview_that_has_to_wait_says_why(screen: Screen) -> None:
    screen.shop.busy = True
    screen.open()
    screen.widget.get_by_role("button", name="Preview").click()
    expect(screen.widget.get_by_role("alert")).to_have_text(
        "Another sync or preview is under way, so nothing can be previewed now. Look again when it has ended.")


# --- undo -------------------------------------------------------------------------------------------

BACK = {"resource": "variants", "label": "Variants", "side": "shopify", "row": 1, "title": "Linen shirt / M",
        "kind": "update", "field": "price", "field_label": "Price", "type": "money", "before": "39.00",
        "after": "37.00", "why": "undo"}


def five_of_six() -> dict:
    """The report of an undo's preview: Vendor of Felt hat was edited since."""
    return {"undone": 5, "stays": [{"change": 97, "reason": "It was edited since."}], "plan": [BACK] * 5,
            "plan_total": 5}


def test_a_sync_is_undone_after_a_question_in_place(screen: Screen) -> None:
    screen.shop.undo_report = five_of_six()
    screen.open("changes")
    screen.widget.get_by_role("button", name="Undo sync").first.click()
    asked = screen.widget.locator(".asked")
    expect(asked).to_contain_text("Undo 5 of 6 changes? 1 stays: Vendor of Felt hat. It was edited since.")
    expect(screen.widget.locator('[data-change="97"] .undo button')).to_have_count(0)
    assert screen.shop.posts("undo") == [{"runs": [4], "preview": True}]
    asked.get_by_role("button", name="Undo 5 changes").click()
    expect(asked).to_have_count(0)
    assert screen.shop.posts("undo")[1:] == [{"runs": [4], "preview": False}]
    line = screen.widget.locator('[data-change="99"]')
    expect(line.locator(".after .said")).to_have_text(re.compile(r"^undone .*\d\d:\d\d by an editor$"))
    expect(line.locator(".undo button")).to_have_count(0)
    expect(screen.widget.locator('[data-change="97"] .undo button')).to_have_count(1)


def test_a_line_is_undone_by_keyboard_alone(screen: Screen) -> None:
    screen.shop.undo_report = {"undone": 1, "stays": [], "plan": [BACK], "plan_total": 1}
    screen.open("changes")
    line = screen.widget.locator('[data-change="99"]')
    expect(line).to_be_visible()
    screen.widget.locator("#change-list").focus()
    press = screen.page.keyboard.press
    press("j")
    press("j")
    press("k")
    expect(line).to_be_focused()
    press("u")
    asked = screen.widget.locator(".asked")
    expect(asked).to_contain_text("Undo 1 change? Price of Linen shirt / M in Shopify goes from $39.00 back to $37.00.")
    expect(asked.get_by_role("button", name="Cancel")).to_be_focused()
    press("Shift+Tab")
    press("Enter")
    expect(line.locator(".after .said")).to_contain_text("by an editor")
    assert screen.shop.posts("undo") == [{"changes": [99], "preview": True}, {"changes": [99], "preview": False}]


def test_an_undo_is_given_up_with_escape(screen: Screen) -> None:
    screen.shop.undo_report = five_of_six()
    screen.open("changes")
    screen.widget.get_by_role("button", name="Undo sync").first.click()
    expect(screen.widget.get_by_role("button", name="Undo 5 changes")).to_be_visible()
    screen.widget.locator("#cancel-undo").press("Escape")
    expect(screen.widget.locator(".asked")).to_have_count(0)
    assert len(screen.shop.posts("undo")) == 1


@pytest.mark.parametrize(("report", "overtaken", "said"), [
    ({"undone": 0, "stays": [{"change": 99, "reason": "It was edited since."}], "plan": [], "plan_total": 0}, False,
     "Nothing can be undone here. 1 stays: Price of Linen shirt / M. It was edited since."),
    (None, True, "A sync ran meanwhile. Look again."),
])
def test_what_cannot_be_undone_now_says_why(screen: Screen, report: dict | None, overtaken: bool, said: str) -> None:
    screen.shop.undo_report, screen.shop.overtaken = report, overtaken
    screen.open("changes")
    screen.widget.get_by_role("button", name="Undo Price of Linen shirt / M").click()
    expect(screen.widget.locator(".asked")).to_contain_text(said)
    expect(screen.widget.locator("#undo-yes")).to_have_count(0)


def test_a_viewer_and_what_was_made_in_shopify_have_no_undo(screen: Screen) -> None:
    next(one for one in screen.shop.changes if one["id"] == 93)["to"] = "shopify"
    screen.open("changes")
    made = screen.widget.locator('[data-change="93"]')
    expect(made).to_be_visible()
    expect(made.get_by_role("button")).to_have_count(0)
    expect(made).to_contain_text("What was made or deleted in Shopify cannot be undone.")
    screen.shop.role = "viewer"
    screen.open("changes")
    expect(screen.widget.locator('[data-change="99"]')).to_be_visible()
    expect(screen.widget.locator("#change-list .undo button")).to_have_count(0)


def test_applied_choices_are_undone_from_the_toast_cell_by_cell(screen: Screen) -> None:
    screen.open("conflicts")
    screen.value(31, "grist").click()
    screen.widget.get_by_role("button", name="Apply 1 choice").click()
    with screen.shop.lock:  # the sync that applied it wrote the price, and stock that has nothing to do with it
        screen.shop.changes[:0] = [
            fake.change_row(101, 9, screen.shop.ago(), "An editor, Apply button", "Linen shirt / S", "Price", "shopify",
                            "money", "45.00", "39.00", field="price"),
            fake.change_row(100, 9, screen.shop.ago(), "An editor, Apply button", "Felt hat", "Available", "grist",
                            "integer", 4, 3, field="available", row=7)]
    screen.widget.locator(".toast button", has_text="Undo").click()
    assert wait_for(screen, "undo") == {"changes": [101], "preview": False}


def test_empty_lists_teach(screen: Screen) -> None:
    screen.shop.conflicts, screen.shop.deletions, screen.shop.refused, screen.shop.changes = [], [], [], []
    screen.open()
    for tab, words in (("conflicts", "No conflicts."), ("deletions", "No deletions wait."),
                       ("refused", "Nothing refused."), ("changes", "No changes yet.")):
        screen.widget.locator(f"#tab-{tab}").click()
        expect(screen.widget.locator(".empty")).to_contain_text(words)


def test_outside_of_grist_it_says_so(screen: Screen) -> None:
    screen.page.goto(f"{screen.url}/widget/")
    expect(screen.page.get_by_text("Open this page inside Grist")).to_be_visible()


def test_values_are_text_even_where_they_look_like_html(screen: Screen) -> None:
    screen.shop.conflicts = [fake.conflict_row(
        31, "Products", 1, "<img src=x onerror=alert(1)>", "Title", "text", "a", "<b>bold</b>", "<script>1</script>")]
    screen.open("conflicts")
    expect(screen.widget.get_by_text("<b>bold</b>")).to_be_visible()
    assert screen.widget.locator("img, main script").count() == 0


def test_five_thousand_conflicts_mount_only_what_is_seen(screen: Screen) -> None:
    screen.shop.conflicts = [fake.conflict_row(number, "Variants", number, f"Shirt {number}", "Price", "money", "1.00",
                                               "2.00", "3.00") for number in range(1, 5001)]
    screen.open("conflicts")
    expect(screen.widget.get_by_text("5,000 conflicts in 5,000 rows")).to_be_visible()
    assert screen.widget.locator("[data-conflict]").count() < 100
    grid = screen.widget.locator("#conflict-list")
    expect(grid).to_have_attribute("aria-rowcount", "10001")
    grid.evaluate("list => { list.scrollTop = list.scrollHeight; }")
    expect(screen.widget.locator('[data-conflict="5000"]')).to_be_in_viewport()
    screen.value(5000, "shopify").click()
    grid.evaluate("list => { list.scrollTop = 0; }")
    expect(screen.widget.locator('[data-conflict="1"]')).to_be_in_viewport()
    expect(screen.value(5000, "shopify")).to_be_focused()  # the focused row stays mounted
    screen.page.keyboard.press("k")
    expect(screen.value(4999, "shopify")).to_be_in_viewport()
    expect(screen.value(4999, "shopify")).to_be_focused()


@pytest.mark.parametrize("width", [280, 400])
def test_every_tab_is_reached_where_few_fit(screen: Screen, width: int) -> None:
    screen.page.set_viewport_size({"width": width, "height": 600})
    screen.open()
    for tab in ("conflicts", "deletions", "refused", "changes", "overview"):
        shown = screen.widget.locator(f"#tab-{tab}")
        expect(screen.widget.locator(".table, [data-conflict]").first).to_be_visible()
        if shown.count():
            shown.click()
        else:
            screen.widget.locator("#more-tabs").click()
            screen.widget.get_by_role("menuitem", name=tab.capitalize()).click()
        expect(shown).to_have_attribute("aria-selected", "true")
        app = screen.widget.locator("main")
        assert app.evaluate("main => document.documentElement.scrollWidth") <= width
        scroll = screen.widget.locator(".scroll")
        expect(scroll).to_be_visible()
        assert scroll.evaluate("box => box.scrollWidth - box.clientWidth") <= 0, (tab, width)


def test_of_two_browsers_the_second_is_told_what_the_first_has_settled(screen: Screen, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 640, "height": 700})
    other = Screen(context.new_page(), screen.url, screen.shop)
    for one in (screen, other):
        one.open("conflicts")
        one.value(31, "grist").click()
    other.value(35, "shopify").click()
    screen.widget.get_by_role("button", name="Apply 1 choice").click()
    wait_for(screen, "choices")
    other.look_again()
    expect(other.widget.get_by_text("1 choice was dropped: settled meanwhile")).to_be_visible()
    expect(other.widget.locator('[data-conflict="31"]')).to_have_count(0)
    other.widget.get_by_role("button", name="Apply 1 choice").click()
    expect(other.widget.get_by_text("1 choice applied")).to_be_visible()
    assert [one["conflict"] for body in screen.shop.posts("choices") for one in body["choices"]] == [31, 35]
    context.close()
    assert other.errors == []


def test_on_wide_pages_a_conflict_says_between_which_times_both_sides_changed(screen: Screen) -> None:
    first, second, third = screen.shop.conflicts[:3]
    at = screen.shop.clock().replace(hour=11, minute=0, second=0)
    first |= {"after": fake.stamp(at), "seen_at": fake.stamp(at.replace(minute=15))}
    second |= {"after": None, "seen_at": fake.stamp(at)}
    third |= {"base_known": False, "base": None}
    screen.page.set_viewport_size({"width": 1280, "height": 700})
    screen.open("conflicts")
    cell = screen.widget.locator('[data-conflict="31"] .between')
    expect(cell).to_have_text(re.compile(r"^\d\d:00 – \d\d:15$"))
    expect(screen.widget.locator('[data-conflict="32"] .between')).to_have_text(re.compile(r"^before \d\d:00$"))
    expect(screen.widget.locator('[data-conflict="33"] .between')).to_have_text("")
    screen.page.set_viewport_size({"width": 899, "height": 700})
    expect(cell).to_be_hidden()

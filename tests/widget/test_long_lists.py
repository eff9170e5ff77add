"""Lists that are longer than a screen: more of them on demand, all of them at last, and an answer to all at once."""
from __future__ import annotations

import fake
import pytest
from playwright.sync_api import Route, expect
from screen import Screen


def deletions(n: int) -> list[dict]:
    return [{"id": number, "resource": "products", "label": "Products", "table": "Products", "row": number,
             "title": f"Scarf {number}", "sku": None, "in": "grist", "seen_at": "2026-11-22T17:12:00Z",
             "may_put_back": False} for number in range(1, n + 1)]


def refused(n: int) -> list[dict]:
    shop = fake.fieldhouse()
    return [{**shop.refused[0], "id": number, "title": f"#{number}"} for number in range(1, n + 1)]


def kept_apart(n: int) -> list[dict]:
    return [fake.apart_row(fake.conflict_row(number, "Variants", number, f"Shirt {number}", "Price", "money", "1.00",
                                             "2.00", "3.00")) for number in range(1, n + 1)]


@pytest.mark.parametrize("tab", ["deletions", "refused", "apart"])
def test_a_list_shows_200_then_more_then_all(screen: Screen, tab: str) -> None:
    screen.shop.deletions, screen.shop.refused, screen.shop.cells_apart = deletions(900), refused(900), kept_apart(900)
    screen.open("conflicts" if tab == "apart" else tab)
    if tab == "apart":
        screen.widget.locator(".apart-line .link").click()
    lines = screen.widget.locator(f".{tab} tbody tr.two")
    foot = screen.widget.locator(".screen .scroll .foot")
    expect(lines).to_have_count(200)
    expect(foot).to_contain_text("The first 200 of 900 are listed. Show 200 more Show all 900")
    foot.get_by_role("button", name="Show 200 more").click()
    expect(lines).to_have_count(400)
    foot.get_by_role("button", name="Show all 900").click()
    expect(lines).to_have_count(900)
    expect(foot).to_have_count(0)


def test_all_that_is_listed_is_answered_though_it_is_more_than_one_request_takes(screen: Screen) -> None:
    screen.shop.deletions = deletions(1300)
    screen.open("deletions")
    screen.widget.get_by_role("button", name="Show all 1,300").click()
    expect(screen.widget.locator(".deletions tbody tr.two")).to_have_count(1300)
    screen.widget.get_by_role("checkbox", name="Choose all").check(force=True)
    screen.widget.get_by_role("button", name="Keep apart").click()
    expect(screen.widget.locator(".toast")).to_contain_text("1,300 rows kept apart")
    assert [len(body["keep"]) for body in screen.shop.posts("deletions")] == [1000, 300]


def test_choices_on_more_conflicts_than_one_request_takes_are_all_sent(screen: Screen) -> None:
    screen.shop.conflicts = [fake.conflict_row(number, "Variants", number, f"Shirt {number}", "Price", "money", "1.00",
                                               "2.00", "3.00") for number in range(1, 1301)]
    screen.open("conflicts")
    expect(screen.widget.get_by_text("1,300 conflicts in 1,300 rows")).to_be_visible()
    screen.widget.locator("#list-more").click()
    screen.widget.get_by_role("menuitem", name="Keep Grist in all 1,300 shown").click()
    screen.widget.get_by_role("button", name="Apply 1,300 choices").click()
    expect(screen.widget.locator(".toast")).to_contain_text("1,300 choices applied")
    sent = [one["conflict"] for body in screen.shop.posts("choices") for one in body["choices"]]
    assert sorted(sent) == list(range(1, 1301))


def test_what_was_taken_before_the_service_was_lost_has_left(screen: Screen) -> None:
    screen.shop.conflicts = [fake.conflict_row(number, "Variants", number, f"Shirt {number}", "Price", "money", "1.00",
                                               "2.00", "3.00") for number in range(1, 1301)]
    screen.open("conflicts")
    expect(screen.widget.get_by_text("1,300 conflicts in 1,300 rows")).to_be_visible()
    posted = []

    def answer(route: Route) -> None:
        posted.append(route)
        route.continue_() if len(posted) == 1 else route.abort()

    screen.page.route("**/choices", answer)
    screen.widget.locator("#list-more").click()
    screen.widget.get_by_role("menuitem", name="Keep Shopify in all 1,300 shown").click()
    screen.widget.get_by_role("button", name="Apply 1,300 choices").click()
    expect(screen.widget.locator(".toast")).to_contain_text("choices applied")
    [taken] = screen.shop.posts("choices")
    left = 1300 - len(taken["choices"])
    assert 0 < left < 1300
    expect(screen.widget.get_by_role("button", name=f"Apply {left} choices")).to_be_visible()
    screen.page.unroute("**/choices")


def test_a_sync_with_very_many_changes_is_drawn_a_part_at_a_time(screen: Screen) -> None:
    at = screen.shop.ago(minutes=3)
    screen.shop.changes = [fake.change_row(number, 4, at, "Timer", f"Shirt {number}", "Price", "shopify", "money",
                                           "1.00", "2.00", row=number) for number in range(600, 0, -1)]
    screen.open("changes")
    lines = screen.widget.locator("#change-list [data-change]")
    expect(lines).to_have_count(5)
    screen.widget.get_by_role("button", name="Show earlier changes").click()
    screen.widget.get_by_role("button", name="Show 200 more of 595").click()
    expect(lines).to_have_count(200)
    screen.widget.get_by_role("button", name="Show 200 more of 400").click()
    expect(lines).to_have_count(400)
    screen.widget.get_by_role("button", name="Show 200 more").click()
    expect(lines).to_have_count(600)
    screen.widget.get_by_role("button", name="Show fewer").click()
    expect(lines).to_have_count(5)


def test_a_preview_says_of_how_many_it_lists_the_first(screen: Screen) -> None:
    screen.shop.plan = [{**screen.shop.plan[0], "row": number, "title": f"Shirt {number}"} for number in range(500)]
    screen.shop.plan_total = 1234
    screen.open()
    screen.widget.get_by_role("button", name="Preview").click()
    expect(screen.widget.locator(".banner")).to_contain_text("The first 500 of 1,234 are listed.")
    expect(screen.widget.locator(".changes tbody tr")).to_have_count(500)

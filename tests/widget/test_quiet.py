"""What the widget does not do: jump, move where nobody wants it, hide the focus, write for a reader, keep options."""
from __future__ import annotations

import re

import fake
import pytest
from playwright.sync_api import expect
from scenes import open_scene
from screen import QUERY, Screen

PLACES = """() => ['.bar', '.tabs', '.tools', '.head', '.table thead', '[data-conflict="31"]', '.footer']
  .map((one) => document.querySelector(one)?.getBoundingClientRect()).filter(Boolean)
  .map(({ top, height }) => [top, height])"""


@pytest.mark.parametrize("tab", ["overview", "conflicts", "changes", "deletions"])
def test_nothing_jumps_when_data_arrives(screen: Screen, tab: str) -> None:
    screen.open(tab)
    screen.widget.locator(".table tbody tr, [data-conflict]").first.wait_for()
    screen.settle()
    before = screen.frame.evaluate(PLACES)
    assert len(before) >= 3
    screen.shop.runs.insert(0, fake.run_row(5, "Ana, Sync button", screen.shop.clock(), 3, updated=4321, conflicts=9))
    screen.shop.conflicts.append(fake.conflict_row(60, "Variants", 2, "Linen shirt / M", "SKU", "text", "a", "b", "c"))
    screen.shop.changes.insert(0, fake.change_row(102, 5, screen.shop.ago(), "Ana, Sync button", "Felt hat", "Vendor",
                                                  "grist", "text", "a", "b"))
    screen.shop.deletions.append({**screen.shop.deletions[1], "id": 54, "title": "Cap"})
    screen.look_again()
    expect(screen.widget.locator(".status")).to_contain_text("just now")
    screen.settle()
    assert screen.frame.evaluate(PLACES) == before


def test_an_action_on_the_row_in_hand_moves_nothing_above_it(screen: Screen) -> None:
    screen.open("conflicts")
    screen.value(31, "grist").click()
    screen.settle()
    top = screen.value(31, "grist").bounding_box()
    screen.fake_grist("select('Variants', 2)")
    expect(screen.widget.locator(".row-line")).to_contain_text("In agreement")
    assert screen.value(31, "grist").bounding_box() == top


@pytest.mark.parametrize("scene", ["running", "conflicts-chosen"])
def test_who_wants_no_motion_sees_none(screen: Screen, scene: str) -> None:
    open_scene(screen, scene)  # which asks for none
    moving = "document.getAnimations().filter((one) => one.playState === 'running').length"
    assert screen.frame.evaluate(moving) == 0
    screen.page.emulate_media(reduced_motion="no-preference")
    if scene == "running":
        assert screen.frame.evaluate(moving) > 0, "with motion it turns, so the look above can tell"


def test_the_focus_is_seen_on_all_that_can_have_it(screen: Screen) -> None:
    screen.open("conflicts")
    screen.value(31, "grist").wait_for()
    seen = set()
    for _ in range(20):
        screen.page.keyboard.press("Tab")
        found = screen.frame.evaluate("""() => {
          const one = document.activeElement;
          if (one === document.body) return null;
          // The ring of a value is drawn around the whole cell, by what stands beside its radio.
          const beside = one.parentElement.querySelector('.of');
          const styles = [getComputedStyle(one), beside && getComputedStyle(beside, '::after')].filter(Boolean);
          const shown = styles.some(({ outlineStyle, outlineWidth, boxShadow }) =>
            (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) || boxShadow !== 'none');
          const name = one.id || one.dataset.column || one.className || one.getAttribute('aria-label') || one.tagName;
          return [name, shown];
        }""")
        if found:
            seen.add(tuple(found))
    assert len(seen) > 6, seen
    assert [name for name, shown in seen if not shown] == []


def test_where_grist_lets_the_person_only_read_nothing_can_be_written(screen: Screen) -> None:
    screen.open("conflicts", query=QUERY.replace("readonly=false", "readonly=true"))
    expect(screen.widget.locator('[data-conflict="31"]')).to_be_visible()
    expect(screen.widget.get_by_role("radio")).to_have_count(0)
    for name in ("Sync", "Preview", "Apply"):
        expect(screen.widget.get_by_role("button", name=name, exact=True)).to_have_count(0)
    expect(screen.widget.get_by_text("You can look, but not sync or choose.")).to_be_visible()
    screen.widget.locator("#tab-deletions").click()
    expect(screen.widget.locator(".deletions tbody tr.two").first).to_be_visible()
    expect(screen.widget.locator(".deletions input")).to_have_count(0)
    assert [method for method, path, _ in screen.shop.asked if path.startswith("/api/") and method != "GET"] == []


def test_a_refused_row_has_its_cause_and_its_cure(screen: Screen) -> None:
    screen.open("refused")
    line = screen.widget.locator(".refused tbody tr")
    expect(line).to_contain_text("the order is cancelled, so nothing can be shipped. Tried once, at ")
    expect(line).to_contain_text("Clear Tracking no. in row 812. The other cells of the row are in sync.")


def test_nothing_is_kept_in_the_options_of_the_document() -> None:
    """Whoever may read a document may read a widget's options: none are written, so nothing secret is in them."""
    for path in fake.WIDGET.rglob("*.js"):
        if "vendor" not in path.parts:
            assert not re.search(r"\bset(Option|Options)\b", path.read_text()), path

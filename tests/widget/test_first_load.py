"""What a browser fetches before the first screen is there, and before anything else is: bytes as they are sent."""
from __future__ import annotations

import re

import fake
from playwright.sync_api import Response, expect
from screen import Screen

MOST_BYTES = 60_000


def fetched(screen: Screen) -> dict[str, int]:
    """By name the widget's files that come from now on, with the bytes that each is sent in."""
    found: dict[str, int] = {}

    def came(response: Response) -> None:
        if "/widget/" in response.url and response.status == 200:
            name = response.url.split("/widget/")[1].split("?")[0]
            found[name] = int(response.headers["content-length"])

    screen.page.on("response", came)
    return found


def test_the_first_screen_takes_less_than_60_kb(screen: Screen) -> None:
    files = fetched(screen)
    screen.open()
    expect(screen.widget.locator(".recent tbody tr").first).to_be_visible()
    screen.settle()
    assert {"main.js", "style.css", "i18n/en.json", "views/overview.js"} <= set(files)
    assert sum(files.values()) < MOST_BYTES, sorted(files.items(), key=lambda one: -one[1])
    assert not [name for name in files if name.startswith(("actions/", "i18n/de")) or name.count(".") > 1]


def test_a_screen_brings_its_own_files_and_the_tabs_stay_where_they_are(screen: Screen) -> None:
    screen.open()
    tabs = screen.widget.locator("[role=tab]")
    expect(screen.widget.locator(".recent tbody tr").first).to_be_visible()
    before = tabs.evaluate_all("all => all.map((one) => one.getBoundingClientRect().left)")
    files = fetched(screen)
    screen.widget.locator("#tab-health").click()
    expect(screen.widget.locator(".health tbody tr").first).to_be_visible()
    assert {"views/health.js", "actions/settings.js", "screens.css", "i18n/en.more.json"} <= set(files)
    assert "views/mapping.js" not in files
    assert tabs.evaluate_all("all => all.map((one) => one.getBoundingClientRect().left)") == before


def test_a_screen_that_cannot_be_fetched_comes_with_the_next_try(screen: Screen) -> None:
    screen.open()
    expect(screen.widget.locator(".recent tbody tr").first).to_be_visible()
    screen.page.route("**/i18n/en.more.json", lambda route: route.abort())
    screen.widget.locator("#tab-health").click()
    expect(screen.widget.get_by_text("The sync service does not answer.")).to_be_visible()
    screen.page.unroute("**/i18n/en.more.json")
    screen.widget.get_by_role("button", name="Try now").click()
    expect(screen.widget.locator(".health tbody tr").first).to_be_visible()


def test_the_last_known_words_and_counts_are_painted_before_any_answer(screen: Screen) -> None:
    screen.open("conflicts")
    expect(screen.value(31, "grist")).to_be_visible()
    kept = screen.frame.evaluate("JSON.stringify(sessionStorage)")
    values = [one for each in screen.shop.conflicts for one in (each["grist"], each["shopify"], each["title"])]
    assert not [one for one in values if isinstance(one, str) and one in kept], "no value of a cell is kept"
    screen.page.route("**/api/**", lambda route: None)  # no answer at all
    asked = len(screen.shop.asked)
    screen.page.reload()
    expect(screen.widget.locator(".status")).to_have_text(re.compile(r"^Synced 3 min ago\s*·\s*7 conflicts"))
    expect(screen.widget.get_by_role("row", name="Products 212 3 1")).to_be_visible()
    assert len(screen.shop.asked) == asked
    assert fake.DOCUMENT in kept
    screen.page.unroute_all(behavior="ignoreErrors")


def test_the_page_asks_at_once_for_all_that_its_script_imports() -> None:
    """Followed from main.js: a module that is only found after another has come makes the first look wait."""
    imported: set[str] = set()
    waiting = ["main.js"]
    while waiting:
        name = waiting.pop()
        for found in re.findall(r'^import [^;]*? from "([^"]+)";', (fake.WIDGET / name).read_text(), flags=re.M | re.S):
            path = str((fake.WIDGET / name).parent.joinpath(found).resolve().relative_to(fake.WIDGET.resolve()))
            if path not in imported:
                imported.add(path)
                waiting.append(path)
    page = (fake.WIDGET / "index.html").read_text()
    assert set(re.findall(r'rel="modulepreload" href="([^"]+)"', page)) == imported

"""One browser, one server and one browser context for all tests of a process; a page and a shop for each test.

Files of the widget are fetched and compiled once that way. What a page keeps for later is cleared between tests.
"""
from __future__ import annotations

from collections.abc import Iterator

import fake
import pytest
from playwright.sync_api import Browser, BrowserContext
from screen import Screen

from demo.serving import serving


@pytest.fixture(scope="session")
def stage() -> Iterator[tuple[fake.Stage, str]]:
    """Where every test brings its shop, and the address of the server before it."""
    behind = fake.Stage()
    with serving(fake.make_app(behind)) as url:
        yield behind, url


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 640, "height": 700})
    made.set_default_timeout(8000)
    yield made
    made.close()


@pytest.fixture
def shop() -> fake.Shop:
    return fake.fieldhouse()


@pytest.fixture
def screen(context: BrowserContext, shop: fake.Shop, stage: tuple[fake.Stage, str]) -> Iterator[Screen]:
    behind, url = stage
    behind.bring(shop)
    page = context.new_page()  # with a session storage of its own
    shown = Screen(page, url, shop)
    yield shown
    page.goto(f"{url}/empty")
    page.evaluate("localStorage.clear()")
    page.close()
    context.clear_permissions()
    assert shown.errors == []

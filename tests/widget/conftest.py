from collections.abc import Iterator

import fake
import pytest
from playwright.sync_api import Browser
from screen import Screen

from demo.serving import serving


@pytest.fixture
def shop() -> fake.Shop:
    return fake.fieldhouse()


@pytest.fixture
def screen(browser: Browser, shop: fake.Shop) -> Iterator[Screen]:
    with serving(fake.make_app(shop)) as url:
        context = browser.new_context(viewport={"width": 640, "height": 700})
        context.set_default_timeout(8000)
        shown = Screen(context.new_page(), url, shop)
        yield shown
        context.close()
        assert shown.errors == []

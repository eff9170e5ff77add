"""Pictures of every screen and state, for people to look at: `make screenshots`. Without a folder none is taken."""
from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import fake
import pytest
from playwright.sync_api import Browser, BrowserContext
from scenes import SCENES, open_scene, wear
from screen import Screen

NOW = datetime(2026, 11, 23, 13, 5, tzinfo=UTC)
"""Five past two in Oslo, as in every picture of Fieldhouse Goods."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    wanted = metafunc.config.getoption("--screenshots")
    metafunc.parametrize("name", list(SCENES) if wanted else [])


@pytest.fixture
def shop() -> fake.Shop:
    return fake.fieldhouse(NOW)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A context of its own: its clock stands still."""
    made = browser.new_context(viewport={"width": 640, "height": 700})
    made.set_default_timeout(8000)
    yield made
    made.close()


def test_a_picture_of_each_width_in_light_and_dark(screen: Screen, name: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.config.getoption("--screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    screen.page.clock.set_fixed_time(NOW)
    open_scene(screen, name)
    for theme in ("light", "dark") if fake.theme("dark") else ("light",):
        wear(screen, theme)
        for width in (1280, 640, 541, 320):
            screen.page.set_viewport_size({"width": width, "height": 640})
            screen.page.wait_for_timeout(300)  # the tabs measure themselves after the resize, a wide page reads a row
            path = folder / f"{name}-{width}-{theme}.png"
            screen.page.screenshot(path=path)
            assert path.stat().st_size > 1000

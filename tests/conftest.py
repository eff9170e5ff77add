"""What every test may use. This folder is on the path: `import twins` finds the memory twins of both services."""

from __future__ import annotations

import logging
import os
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

pytest_plugins = ["faults.matrix", "databases", "seconds"]
"""The crash test's matrix and the seconds of each part at the end of a run, also where xdist's own process does the
printing; and databases of both kinds."""

CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                      "--disable-background-networking", "--disable-component-update", "--disable-sync"]

CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first opens pages two and a half times as quickly: it has no window of its own to draw."""


ONCE_MORE = {"actions", "cli", "jobs", "web"}
"""Folders whose tests ask for either database, and of which Postgres is not what they are about."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", type=Path, help="a folder that gets a picture of every screen")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What asks for either database runs on SQLite, and a third of it, by its name, on Postgres too; with
    EVERY_DATABASE (`make databases`) all of it. `tests/store`, where the two could differ, always runs on both."""
    if os.environ.get("EVERY_DATABASE"):
        return
    left_out = [one for one in items if ONCE_MORE & set(one.path.parts) and "[postgres" in one.name
                and zlib.crc32(one.nodeid.encode()) % 3]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [one for one in items if one not in set(left_out)]


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """What a test sets up of the logs must not decide what the next one finds in them."""
    ours, root = logging.getLogger("backend"), logging.getLogger()
    levels, handlers = (ours.level, root.level), root.handlers[:]
    yield
    ours.setLevel(levels[0])
    root.setLevel(levels[1])
    root.handlers[:] = handlers


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of a process: Playwright's synchronous API stands only one at a time."""
    chromium = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if chromium is None:
        pytest.fail("Chromium is missing, and this test looks at pages. Run: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        yield started
        started.close()

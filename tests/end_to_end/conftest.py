"""The whole product as its user meets it: `make run`, a browser, both sides edited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.__main__ import Demo, running


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A fresh clone takes a minute and the package index: only who names the file runs it (`make fresh`)."""
    named = any("test_fresh_clone" in str(one) for one in config.args)
    return True if collection_path.name == "test_fresh_clone.py" and not named else None


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with running(products=12) as started:
        yield started


@pytest.fixture
def screenshots(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder: Path = request.config.getoption("--screenshots") or tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    return folder

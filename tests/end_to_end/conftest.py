"""The whole product as its user meets it: `make run`, a browser, both sides edited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.__main__ import Demo, running


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with running(products=12) as started:
        yield started


@pytest.fixture
def screenshots(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder: Path = request.config.getoption("--screenshots") or tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    return folder

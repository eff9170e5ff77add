from collections.abc import Iterator
from pathlib import Path

import pytest
from web_helpers import Place, make_place

from demo.grist import Grist, create_app
from demo.serving import serving


@pytest.fixture(scope="session")
def grist_server() -> Iterator[tuple[Grist, str]]:
    """A Grist for all tests; each makes documents of its own in it."""
    grist = Grist(parallel_limit=100)
    with serving(create_app(grist)) as url:
        yield grist, url


@pytest.fixture
def place(grist_server: tuple[Grist, str], tmp_path: Path) -> Iterator[Place]:
    made = make_place(*grist_server, tmp_path)
    yield made
    made.service.database.dispose()

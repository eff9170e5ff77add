import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from web_helpers import Place, make_place

from backend.store.db import Database
from demo.grist import Grist, create_app
from demo.serving import serving


@pytest.fixture(scope="session")
def grist_server() -> Iterator[tuple[Grist, str]]:
    """A Grist for all tests; each makes documents of its own in it."""
    grist = Grist(parallel_limit=100)
    with serving(create_app(grist)) as url:
        yield grist, url


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables, to be copied: making them takes longer than most tests."""
    path = tmp_path_factory.mktemp("empty") / "sync.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.dispose()
    return path


@pytest.fixture
def place(grist_server: tuple[Grist, str], tmp_path: Path, empty_database: Path) -> Iterator[Place]:
    shutil.copy(empty_database, tmp_path / "sync.db")
    made = make_place(*grist_server, tmp_path)
    yield made
    made.service.database.dispose()

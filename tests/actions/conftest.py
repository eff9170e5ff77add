from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from actions_helpers import Desk

from backend.store.db import Database
from demo.serving import serving
from demo.shopify import Store, create_app


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Any]:
    database = Database(f"sqlite:///{tmp_path / 'sync.db'}")
    database.migrate()
    store = Store(products=8, orders=24, seed=3)
    with serving(create_app(store, tokens=("shpat_demo",))) as url:
        yield Desk.open(store, url, database)
    database.dispose()

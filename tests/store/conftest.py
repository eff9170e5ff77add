from collections.abc import Iterator
from pathlib import Path

import pytest
from store_helpers import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    one = Desk(f"sqlite:///{tmp_path / 'sync.db'}")
    yield one
    one.database.dispose()

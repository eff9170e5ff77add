from collections.abc import Iterator
from pathlib import Path

import pytest
from jobs_helpers import Shop, a_shop


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[Shop]:
    with a_shop(tmp_path, database_url) as one:
        yield one

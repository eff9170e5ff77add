from collections.abc import Iterator
from pathlib import Path

import pytest
from jobs_helpers import Shop, a_shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with a_shop(tmp_path) as one:
        yield one

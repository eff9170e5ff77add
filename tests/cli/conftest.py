from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_helpers import Desk, a_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with a_desk(tmp_path) as one:
        yield one

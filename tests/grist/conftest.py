from collections.abc import Iterator

import pytest
from places import Place, a_place


@pytest.fixture
def place() -> Iterator[Place]:
    with a_place() as one:
        yield one

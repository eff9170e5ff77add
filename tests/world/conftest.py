"""One ground a worker."""

from __future__ import annotations

import pytest

from .sim import Ground
from .soak import ground


@pytest.fixture(scope="session")
def stage() -> Ground:
    return ground()

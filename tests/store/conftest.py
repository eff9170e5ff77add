import pytest
from store_helpers import Desk

from backend.store.db import Database


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)

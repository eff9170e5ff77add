from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from demo.shopify import Store, run

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def store() -> Store:
    return Store(products=8, seed=3, plan="unlimited")


@pytest.fixture
def ask(store: Store) -> Ask:
    """Run a document against the store; answers the whole body."""
    def asked(query: str, /, **variables: Any) -> dict[str, Any]:
        return run(store, query, variables).body
    return asked

"""Simulated stores for the tests of the Shopify connector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from shopify_helpers import STORE

from backend.shopify.auth import PastedToken
from backend.shopify.connector import ShopifyConnector
from demo.serving import serving
from demo.shopify import Store, create_app


@pytest.fixture
def start() -> Iterator[Callable[..., Any]]:
    """Starts simulated stores; each comes with its connector, and a door to play tricks."""
    open_ones = []

    def begin(products: int = 6, tokens: tuple[str, ...] = ("shpat_demo",), **store: Any) -> Any:
        one = Store(products=products, seed=1, **store)
        app = create_app(one, tokens=tokens)
        context = serving(app)
        url = context.__enter__()
        open_ones.append(context)
        connector = ShopifyConnector(STORE, PastedToken("shpat_demo"), admin_url=url, sleep=lambda seconds: None)

        def door(name: str, **body: Any) -> Any:
            answer = requests.post(f"{url}/__control/{name}", json=body, timeout=10)
            assert answer.ok, answer.text
            return answer.json()

        return SimpleNamespace(store=one, app=app, url=url, connector=connector, door=door)

    yield begin
    for context in open_ones:
        context.__exit__(None, None, None)

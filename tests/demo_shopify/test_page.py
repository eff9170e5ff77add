"""The store's page: what it shows, and what its buttons do to the store."""
from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from demo.serving import serving
from demo.shopify import Store, create_app


@pytest.fixture
def store() -> Store:
    return Store(products=6, orders=4, seed=2)


@pytest.fixture
def url(store: Store) -> Iterator[str]:
    with serving(create_app(store)) as served:
        yield served


def press(url: str, name: str) -> str:
    answer = requests.post(f"{url}/__page/act/{name}", timeout=10)
    assert answer.status_code == 200
    return str(answer.json()["said"])


def test_it_shows_products_stock_and_orders(url: str, store: Store) -> None:
    page = requests.get(url, timeout=10).text
    assert next(iter(store.products.values())).title in page
    assert "An order arrives" in page
    state = requests.get(f"{url}/__page/products", timeout=10).json()
    assert state["total"] == {"products": 6, "variants": len(store.variants), "orders": 4}
    assert state["orders"][0]["name"] == list(store.orders.values())[-1].name
    assert requests.get(url + state["products"][0]["picture"], timeout=10).text.startswith("<svg")


def test_an_order_takes_stock_and_stands_first(url: str, store: Store) -> None:
    before = sum(store.available(variant) for variant in store.variants.values())
    said = press(url, "order")
    order = list(store.orders.values())[-1]
    assert order.name in said
    assert order.financial_status() == "PAID"
    assert sum(store.available(variant) for variant in store.variants.values()) == before - sum(
        line.quantity for line in order.lines if line.variant and line.variant.inventory_item.tracked)


def test_products_are_renamed_repriced_and_deleted(url: str, store: Store) -> None:
    titles = {product.title for product in store.products.values()}
    prices = [variant.price for variant in store.variants.values()]
    press(url, "rename")
    assert {product.title for product in store.products.values()} != titles
    press(url, "prices")
    assert [variant.price for variant in store.variants.values()] != prices
    press(url, "delete")
    assert len(store.products) == 5
    assert store.stream.held[-1].action == "destroy"


def test_a_cut_network_reaches_nobody_until_it_is_restored(url: str) -> None:
    def ask() -> int:
        return requests.post(f"{url}/admin/api/2026-10/graphql.json", json={"query": "{ shop { name } }"}, timeout=10,
                             headers={"X-Shopify-Access-Token": "shpat_demo"}).status_code
    assert ask() == 200
    press(url, "cut")
    with pytest.raises(requests.ConnectionError):
        ask()
    press(url, "restore")
    assert ask() == 200

"""A catalogue holds what few shops have, and what all have of which a program may think that nobody has."""
from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from demo.shopify import Store, run


@pytest.fixture(scope="module")
def odd() -> Store:
    return Store(products=60, orders=60, seed=1, odd=True, plan="unlimited")


def test_the_odd_cases_are_there(odd: Store) -> None:
    variants = list(odd.variants.values())
    skus = Counter(variant.inventory_item.sku for variant in variants)
    products = list(odd.products.values())
    assert max(len(product.variant_list) for product in products) == 2_000
    assert skus["SHARED-1"] == 3
    assert any(not variant.inventory_item.sku for variant in variants)
    assert any(not variant.inventory_item.tracked for variant in variants)
    assert any(product.is_gift_card for product in products)
    assert {"ACTIVE", "DRAFT", "ARCHIVED"} <= {product.status for product in products}
    assert any(re.search(r"<ul><li>", product.description_html) for product in products)
    assert any("\u202b" in product.title for product in products), "text from right to left"
    assert {len(one.rule_set["rules"]) for one in odd.collections.values() if one.rule_set} >= {1, 2}
    assert any(order.refunds for order in odd.orders.values())
    assert any(order.fulfillment_status() == "PARTIALLY_FULFILLED" for order in odd.orders.values())
    seen = run(odd, "{ orders(first: 100) { nodes { presentmentCurrencyCode } } }").body["data"]["orders"]["nodes"]
    assert len({node["presentmentCurrencyCode"] for node in seen}) > 1


def test_the_same_seed_makes_the_same_catalogue() -> None:
    def of(seed: int) -> list[Any]:
        return [(one.inventory_item.sku, one.price, [level.quantity("available") for level in
                                                    one.inventory_item.levels.values()])
                for one in Store(products=30, orders=0, seed=seed).variants.values()]

    assert of(4) == of(4) != of(5)


def test_yen_have_no_decimals() -> None:
    store = Store(products=3, orders=0, seed=1, currency="JPY")
    assert all(variant.price == variant.price.to_integral_value() for variant in store.variants.values())

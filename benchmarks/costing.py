"""`points_per_change`: Shopify's points for writing a thousand changes, over the least that the cost model allows: the
mutations alone, filled as far as Shopify takes them, with nothing looked at before or after.

    prices       100 products of ten variants    a call a product: 10 points, and 0.2 a variant
    stock        one level each                  a call takes 250 levels: 10 points
    metafields   one a product                   a call takes 25: 10 points

What comes on top are the looks that keep a newer value from being written over (prices): stock and metafields are
written on a condition instead. Finding the changes is not counted: that is asked for every run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from backend.core.mapping import rule_for
from backend.core.model import Change, Direction, Mapping, Side, Update, Why
from backend.core.values import Value
from backend.shopify.auth import PastedToken
from backend.shopify.connector import ShopifyConnector
from backend.shopify.resources import RESOURCES
from benchmarks.stage import Tell
from demo.serving import serving
from demo.shopify import Store
from demo.shopify import create_app as store_app
from demo.shopify.model import MetafieldDefinition

PRODUCTS, VARIANTS_OF_ONE = 100, 10
CHANGES = PRODUCTS * VARIANTS_OF_ONE
METAFIELD = "metafields.custom.season"
LEAST = {
    "prices": PRODUCTS * (10 + 0.2 * VARIANTS_OF_ONE),
    "stock": math.ceil(CHANGES / 250) * 10.0,
    "metafields": math.ceil(CHANGES / 25) * 10.0,
}


def measure(size: int, tell: Tell) -> dict[str, float]:
    """Always a thousand changes, whatever `size` says."""
    store = Store(products=0, seed=1, orders=0, plan="unlimited")
    location = next(iter(store.locations.values()), None) or store.add_location("Shop")
    for number in range(CHANGES):
        if number < PRODUCTS:
            product = store.add_product(f"Thing {number}")
            option = store.add_option(product, "Size", [str(i) for i in range(VARIANTS_OF_ONE)])
            for value in option.option_values:
                variant = store.add_variant(product, {option.id: value.id})
                variant.price, variant.inventory_item.tracked = Decimal("10.00"), True
                store.stock_at(variant.inventory_item, location)
        else:
            store.add_default_variant(store.add_product(f"Thing {number}"))
    store.definitions["PRODUCT", "custom", "season"] = MetafieldDefinition(
        id=store.new_id(), owner_type="PRODUCT", namespace="custom", key="season", name="Season",
        type_name="single_line_text_field", validations=[])
    variants = [variant for product in list(store.products.values())[:PRODUCTS] for variant in product.variant_list]
    keys = {
        "prices": [f"gid://shopify/ProductVariant/{variant.id}" for variant in variants],
        "stock": [f"gid://shopify/InventoryLevel/{level.location.level_number}?inventory_item_id={variant.inventory_item.id}"
                  for variant in variants for level in variant.inventory_item.levels.values()],
        "metafields": [f"gid://shopify/Product/{product.id}" for product in store.products.values()],
    }
    wanted: dict[str, tuple[Mapping, str, Value]] = {
        "prices": (usual("variants"), "price", Decimal("11.00")),
        "stock": (usual("inventory"), "available", 7),
        "metafields": (usual("products", METAFIELD), METAFIELD, "Winter"),
    }
    with serving(store_app(store)) as url:
        spent = {name: _points(url, *wanted[name], keys[name]) for name in wanted}
    for name, points in spent.items():
        tell(f"a thousand {name}: {points:.0f} points, at least {LEAST[name]:.0f}")
    return {"points_per_change": max(points / LEAST[name] for name, points in spent.items())}


def usual(name: str, *more: str) -> Mapping:
    """What is mapped where nobody chose otherwise, and `more`."""
    resource = RESOURCES[name]
    chosen = [field for field in resource.fields if field.usual] + [resource.field(one) for one in more]
    rules = [rule_for(field) for field in chosen if field is not None]
    if name == "inventory":
        rules = [replace(rule, direction=Direction.TO_GRIST) if rule.name == "onHand" else rule for rule in rules]
    return Mapping(resource, resource.table, tuple(rules), resource.match)


def _points(url: str, mapping: Mapping, field: str, value: Value, keys: Sequence[Any]) -> float:
    connector = ShopifyConnector("fieldhouse.myshopify.com", PastedToken("shpat_demo"), admin_url=url)
    (ready,) = connector.prepare([mapping], {}, write=True).mappings
    held = connector.read(ready, keys).rows
    place = ready.index[field]
    ops = [Update(Side.REMOTE, key, 1, (Change(field, held[key][place], value, Why.CHANGED),)) for key in keys]
    before = connector.usage.points
    for batch in connector.batches(ready, ops):
        receipts = connector.apply(ready, batch)
        assert all(receipt.done for receipt in receipts), next(r for r in receipts if not r.done)
    return connector.usage.points - before

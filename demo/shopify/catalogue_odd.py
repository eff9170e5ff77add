"""What few shops have and a program must bear: added at the end of big catalogues, or when it is asked for.

A product with 2,000 variants, gift cards, a product that is in everything's way (every text field odd), a product with
nothing at all, several that share one SKU, a smart collection for each kind of rule.
"""
from __future__ import annotations

import random
from decimal import Decimal
from itertools import product as combinations
from typing import TYPE_CHECKING, Any

from .model import Collection

if TYPE_CHECKING:
    from .state import Store

_SMART: tuple[tuple[str, bool, tuple[tuple[str, str, str], ...]], ...] = (
    ("Under 20", False, (("VARIANT_PRICE", "LESS_THAN", "20"),)),
    ("Fieldhouse or new", True, (("VENDOR", "EQUALS", "Fieldhouse Goods"), ("TAG", "EQUALS", "New"))),
    ("In stock socks", False, (("TITLE", "CONTAINS", "sock"), ("VARIANT_INVENTORY", "GREATER_THAN", "0"))),
)


def add(store: Store, chance: random.Random) -> None:
    _screws(store, chance)
    _gift_card(store)
    _strange_texts(store)
    store.add_default_variant(store.add_product("Nothing yet", status="DRAFT"))
    for number in range(3):
        shared = store.add_product(f"Shares a SKU {number + 1}", published_at=store.now())
        variant = store.add_default_variant(shared)
        variant.inventory_item.sku, variant.price = "SHARED-1", store.money(Decimal(5 + number))
    for title, any_of, rules in _SMART:
        handle = store.free_handle(title, store.collection_handles, fallback="collection")
        made = Collection(id=store.new_id(), title=title, handle=handle, updated_at=store.now(), rule_set={
            "appliedDisjunctively": any_of,
            "rules": [dict(zip(("column", "relation", "condition"), rule, strict=True)) for rule in rules]})
        store.collections[made.id] = made
        store.collection_handles[handle] = made.id


def _screws(store: Store, chance: random.Random) -> None:
    """2,000 variants: 20 lengths, 10 diameters, 10 heads."""
    product = store.add_product("Screws, loose", product_type="Hardware", vendor="Bolt & Nut",
                                published_at=store.now(), tags=["bulk"])
    for name, values in (("Length", [f"{length} mm" for length in range(10, 210, 10)]),
                         ("Diameter", [f"M{size}" for size in range(2, 12)]),
                         ("Head", ["Pan", "Flat", "Hex", "Torx", "Round", "Oval", "Truss", "Dome", "Socket", "Wing"])):
        store.add_option(product, name, values)
    ids: list[list[Any]] = [[(option.id, value.id) for value in option.option_values]
                            for option in product.option_list]
    for place, chosen in enumerate(combinations(*ids), 1):
        variant = store.add_variant(product, dict(chosen))
        variant.price = store.money(Decimal(place) / 100)
        variant.inventory_item.sku, variant.inventory_item.tracked = f"SCREW-{place:04}", True
        for location in store.locations.values():
            store.stock_at(variant.inventory_item, location).stock["available"] = chance.randrange(0, 900)


def _gift_card(store: Store) -> None:
    product = store.add_product("Gift card", is_gift_card=True, published_at=store.now())
    option = store.add_option(product, "Denominations", ["10", "50", "100"])
    for value in option.option_values:
        variant = store.add_variant(product, {option.id: value.id})
        variant.price, variant.taxable = store.money(Decimal(value.name)), False
        variant.inventory_item.requires_shipping = False


def _strange_texts(store: Store) -> None:
    """Right-to-left, emoji, quotes, formulas, HTML that is not closed, a tag of a line's length."""
    product = store.add_product(
        '=SUM(A1) "Ønske" \u202bשלום\u202c 👩‍🌾 <b>Bold', vendor="O'Neill & Söhne", product_type="Ting\u00a0og tang",
        description_html='<p onclick="x()">Broken <b>tag & entity &nbsp;<ul><li>one', tags=["a" * 200, "-1", "true"],
        published_at=store.now())
    variant = store.add_default_variant(product)
    variant.inventory_item.sku, variant.barcode, variant.price = "00123", "0012345678905", store.money(Decimal("0.01"))

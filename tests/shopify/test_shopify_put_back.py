"""A product that was deleted in Shopify and is put back: with its variants, their prices and their stock."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from engine.world import make_world
from shopify_helpers import delete, write
from test_shopify_switches import A_WHILE, Shop

from backend.core.mapping import default_mapping
from backend.core.model import Create, Side
from backend.shopify.resources import RESOURCES
from backend.store import waiting
from backend.store.db import Database

MAPPED = {"products": ("title", "handle", "options"), "variants": ("product", "sku", "price", "option1", "option2"),
          "locations": ("name",), "inventory": ("variant", "location", "available")}


@pytest.fixture
def shop(start: Callable[..., Any], tmp_path: Path) -> Shop:
    Database(f"sqlite:///{tmp_path / 'sync.db'}").migrate()
    wanted = [default_mapping(RESOURCES[name], fields=fields) for name, fields in MAPPED.items()]
    made = Shop(make_world(tmp_path / "sync.db", wanted), start(products=8))
    made.world.limits = made.world.limits.__class__(deletions=1_000, deletions_share=1.0)
    made.run()
    return made


def variants_of(store: Any, product: str) -> list[Any]:
    return [one for one in store.variants.values() if one.product.gid == product]


def run_all(shop: Shop) -> None:
    """A look at everything, once every search knows what happened."""
    shop.at.store.clock.advance(A_WHILE)
    shop.world.shopify = shop.connector()  # type: ignore[assignment]
    shop.world.run(everything=True)


def below(shop: Shop, product: str) -> dict[str, Any]:
    """What Grist holds of the variants and the stock of a product, by SKU."""
    grist, row = shop.world.grist, shop.row("products", product)
    rows = [one for one, cells in grist.rows["Variants"].items() if cells["product"] == row]
    return {str(grist.cell("Variants", one, "sku")): (
        grist.cell("Variants", one, "price"),
        sorted((cells["location"], cells["available"]) for cells in grist.rows["Inventory"].values()
               if cells["variant"] == one)) for one in rows}


@pytest.mark.parametrize("variants", [1, 2])
def test_a_product_comes_back_with_its_variants_prices_and_stock(shop: Shop, variants: int) -> None:
    store, world = shop.at.store, shop.world
    product = next(one for one in store.products.values() if (len(variants_of(store, one.gid)) > 1) == (variants > 1))
    row, held = shop.row("products", product.gid), below(shop, product.gid)
    rows = {table: len(cells) for table, cells in world.grist.rows.items()}
    write(shop.connector(), world.mapping("products"), delete(product.gid))
    run_all(shop)
    with world.database.write() as tx:
        answered = next(one for one in waiting.deletions(tx, world.link_id) if one.partner == product.gid)
        assert waiting.put_back(tx, world.link_id, [answered.id], "me") == 1 + len(held) + sum(
            len(stock) for _, stock in held.values())
    shop.run()
    for _ in range(2):
        run_all(shop)
    made = world.pairs("products")[row]
    assert made != product.gid
    assert below(shop, made) == held
    assert {table: len(cells) for table, cells in world.grist.rows.items()} == rows
    assert (world.deletions(), world.conflicts(), world.refusals()) == ([], [], [])
    assert shop.differences() == []
    assert sorted(Decimal(one.price) for one in variants_of(store, made)) == sorted(price for price, _ in held.values())


def test_a_level_that_holds_something_already_is_not_written_over(shop: Shop) -> None:
    """Shopify refuses to stock what is stocked, and only the zero of a new level is nobody's count."""
    inventory = shop.world.mapping("inventory")
    connector = shop.connector()
    connector.prepare(shop.world.mappings, {}, write=False)
    levels = connector.read(inventory).rows
    held = next(row for row in levels.values() if row[2])
    [receipt] = write(connector, inventory, Create(Side.REMOTE, 99, {
        "variant": held[0], "location": held[1], "available": int(held[2]) + 7}))  # type: ignore[arg-type]
    assert receipt.refusal is not None
    assert "already active" in receipt.refusal.message
    assert held in connector.read(inventory).rows.values()

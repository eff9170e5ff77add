"""The engine over a simulated store that behaves otherwise than its makers guessed.

What nobody has recorded of a real store is a switch of the stand-in (`demo/shopify/behaviour.py`). One story, with
edits of both sides in every field that a switch is about, must end alike whatever stands there: both sides agree,
nothing that was typed is lost, nothing waits or is refused, and a further run writes nothing.

    as guessed · all the other way round · with EVERY_SWITCH=1 also each alone
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
from engine.world import World, make_world, with_rules
from shopify_helpers import STORE

from backend.core.mapping import default_mapping
from backend.core.model import Direction, Mapping
from backend.core.values import Value
from backend.report import Report
from backend.shopify.auth import PastedToken
from backend.shopify.connector import ShopifyConnector
from backend.shopify.resources import RESOURCES
from backend.store.db import Database
from demo.shopify import Behaviour
from demo.shopify.staff import edit

GUESSED = Behaviour()
SWITCHES = tuple(one.name for one in fields(Behaviour) if isinstance(getattr(GUESSED, one.name), bool))
OTHERWISE = {name: not getattr(GUESSED, name) for name in SWITCHES}
SLOW = {"search_lag_seconds": 90.0, "product_operation_seconds": 0.0}
ALONE = [pytest.param({name: turned}, id=name) for name, turned in OTHERWISE.items()] if os.environ.get(
    "EVERY_SWITCH") else []
MAPPED = {
    "products": ("title", "vendor", "productType", "tags", "status", "totalInventory", "updatedAt"),
    "variants": ("product", "displayName", "sku", "barcode", "price", "inventoryQuantity", "updatedAt"),
    "locations": ("name",),
    "inventory": ("variant", "location", "available", "onHand"),
    "customers": ("firstName", "email", "tags"),
}
A_WHILE = 120.0
"""Seconds after which every search knows everything."""


@dataclass
class Shop:
    """A link between rows in memory and a simulated store, which gets a new connector for each run."""

    world: World
    at: Any

    def run(self) -> Report:
        self.world.shopify = self.connector()  # type: ignore[assignment]  # the twin's place
        return self.world.run()

    def connector(self) -> ShopifyConnector:
        return ShopifyConnector(STORE, PastedToken("shpat_demo"), admin_url=self.at.url, sleep=lambda seconds: None)

    def row(self, resource: str, thing: str) -> int:
        return next(row for row, mark in self.world.pairs(resource).items() if mark == thing)

    def differences(self) -> list[tuple[str, int, str, Value, Value]]:
        """(resource, row, field, Grist, Shopify) wherever a pair differs."""
        found, connector = [], self.connector()
        connector.prepare(self.world.mappings, {}, write=False)
        for mapping in self.world.mappings:
            things = connector.read(mapping).rows
            for row, thing in self.world.pairs(mapping.name).items():
                for rule, there in zip(mapping.fields, things[thing], strict=True):
                    here = self.world.grist.cell(mapping.table, row, rule.name)
                    if rule.kind == "ref" and isinstance(here, int):
                        here = self.world.pairs(rule.field.target).get(here)
                    found += [(mapping.name, row, rule.name, here, there)] if here != there else []
        return found


@pytest.fixture
def shop(start: Callable[..., Any], tmp_path: Path, behaviour: dict[str, Any]) -> Shop:
    Database(f"sqlite:///{tmp_path / 'sync.db'}").migrate()
    at = start(products=4, orders=6, behaviour=Behaviour(**behaviour))
    return Shop(make_world(tmp_path / "sync.db", mappings()), at)


def mappings() -> list[Mapping]:
    found = [default_mapping(RESOURCES[name], fields=chosen) for name, chosen in MAPPED.items()]
    both = {"direction": Direction.BOTH}
    return [with_rules(one, email=both) if one.name == "customers" else one for one in found]


@pytest.mark.parametrize("behaviour", [
    pytest.param({}, id="as guessed"), pytest.param(OTHERWISE, id="all otherwise"),
    pytest.param(OTHERWISE | SLOW, id="all otherwise, and the search lags"), *ALONE])
def test_however_the_store_behaves_both_sides_agree_in_the_end(shop: Shop) -> None:
    shop.run()
    world, store = shop.world, shop.at.store
    hat = next(iter(world.pairs("products")))
    shirt = next(iter(world.pairs("variants")))
    level = next(row for row in world.pairs("inventory") if world.grist.cell("Inventory", row, "available"))
    customer = next(iter(world.pairs("customers")))
    for table, row, field, value in (
        ("Products", hat, "title", " Hat, with brim "), ("Products", hat, "tags", ("one", "two")),
        ("Variants", shirt, "sku", None), ("Variants", shirt, "barcode", None),
        ("Inventory", level, "available", 41), ("Customers", customer, "email", "Someone.Else@Example.com"),
    ):
        world.grist.type(table, row, field, value)
    last = list(store.variants.values())[-1]
    edit(store, {"product": {"id": last.product.gid}, "set": {"vendor": "Somebody else"}})
    edit(store, {"variant": {"id": last.gid}, "set": {"price": "77.50"}})

    shop.run()
    for _ in range(3):
        store.clock.advance(A_WHILE)
        report = shop.run()

    assert shop.differences() == []
    assert (world.conflicts(), world.refusals(), world.deletions()) == ([], [], [])
    assert (report.totals["updated"], report.totals["created"]) == (0, 0)
    assert world.grist.cell("Products", hat, "title") == "Hat, with brim"
    assert world.grist.cell("Products", hat, "tags") == ("one", "two")
    assert world.grist.cell("Inventory", level, "available") == 41
    assert str(world.grist.cell("Customers", customer, "email")).lower() == "someone.else@example.com"
    assert str(world.grist.cell("Variants", shop.row("variants", last.gid), "price")) == "77.50"
    assert world.grist.cell("Products", shop.row("products", last.product.gid), "vendor") == "Somebody else"

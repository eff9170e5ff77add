"""People's hands on each of the four services under the contract, with one name for each thing that they do.

    twin             a dict in this process
    stand-in         demo/grist or demo/shopify, by HTTP, behind the connector that real services get
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest
from engine.world import spell_handle
from twins import MemoryGrist, MemoryShopify

from backend.connector import Connector
from backend.core.mapping import default_mapping
from backend.core.model import Key, Mapping
from backend.core.values import Value
from backend.shopify.auth import PastedToken
from backend.shopify.connector import ShopifyConnector
from backend.shopify.resources import RESOURCES
from demo.serving import serving
from demo.shopify import Store
from demo.shopify import create_app as shopify_app

sys.path.append(str(Path(__file__).parent.parent / "grist"))  # its helpers stand beside its tests

from places import Place, a_place

PRODUCTS = ("title", "vendor", "tags", "handle")
STORE = "contract.myshopify.com"


class Hands(Protocol):
    """Somebody at one service."""

    connector: Connector
    products: Mapping

    def add(self, **values: Any) -> Key: ...
    def edit(self, key: Key, field: str, value: Any) -> None: ...
    def remove(self, key: Key) -> None: ...
    def held(self, key: Key, field: str) -> Value: ...


class TwinGrist:
    def __init__(self) -> None:
        self.products = default_mapping(RESOURCES["products"], fields=PRODUCTS)
        self.connector = self.twin = MemoryGrist([self.products])
        self.twin.prepare([self.products], {}, write=True)

    def add(self, **values: Any) -> int:
        return self.twin.add_row("Products", **values)

    def edit(self, key: int, field: str, value: Any) -> None:
        self.twin.type("Products", key, field, value)

    def remove(self, key: int) -> None:
        self.twin.remove_row("Products", key)

    def held(self, key: int, field: str) -> Value:
        return self.twin.cell("Products", key, field)

    def mark(self, key: int, gid: str) -> None:
        self.twin.set_mark("Products", key, gid)

    def marked(self, key: int) -> str:
        return self.twin.marks.get("Products", {}).get(key, "")

    def hide(self, vendor: str) -> None:
        """Access rules hide the rows of this vendor."""
        self.twin.hidden_rows = {("Products", row) for row, cells in self.twin.rows["Products"].items()
                                 if cells.get("vendor") == vendor}

    def refuse_sql(self) -> None:
        self.twin.refuse_sql()


class StandInGrist:
    def __init__(self, place: Place) -> None:
        self.place = place
        self.connector = place.connector()
        wanted = default_mapping(RESOURCES["products"], fields=PRODUCTS)
        (self.products,) = self.connector.prepare([wanted], {}, write=True).mappings

    def add(self, **values: Any) -> int:
        return int(self.place.act(["AddRecord", "Products", None, self._cells(values)])[0])

    def edit(self, key: int, field: str, value: Any) -> None:
        self.place.act(["UpdateRecord", "Products", key, self._cells({field: value})])

    def remove(self, key: int) -> None:
        self.place.act(["RemoveRecord", "Products", key])

    def held(self, key: int, field: str) -> Value:
        return self.products.values(self.place_read(key))[field]

    def place_read(self, key: int) -> tuple[Value, ...]:
        """By a connector of its own, so that the one under test has not looked."""
        other = self.place.connector()
        (mapping,) = other.prepare([self.products], {}, write=False).mappings
        return other.read(mapping, [key]).rows[key]

    def mark(self, key: int, gid: str) -> None:
        self.place.act(["UpdateRecord", "Products", key, {"Shopify_ID": gid}])

    def marked(self, key: int) -> str:
        return str(self.place.rows("Products")[key]["Shopify_ID"])

    def hide(self, vendor: str) -> None:
        self.place.act(["AddRecord", "_grist_ACLResources", -1, {"tableId": "Products", "colIds": "*"}],
                       ["AddRecord", "_grist_ACLRules", None, {"resource": -1, "permissionsText": "-R",
                        "aclFormula": f"rec.Vendor == '{vendor}'"}])

    def refuse_sql(self) -> None:
        """The key becomes that of an editor from whom something is hidden, in another table."""
        if self.place.grist is None:
            pytest.skip("needs the key of an editor from whom something is hidden")
        self.place.act(["AddRecord", "_grist_ACLResources", -1, {"tableId": "Table1", "colIds": "A"}],
                       ["AddRecord", "_grist_ACLRules", None, {"resource": -1, "permissionsText": "-R",
                        "aclFormula": "user.Name == 'sync' and rec.B == 'secret'"}],
                       ["AddRecord", "Table1", None, {"B": "secret"}])
        key = f"sync-of-{self.place.doc_id}"
        self.place.grist.add_key(key, "editor", "sync")
        self.connector = self.place.connector(api_key=key)
        (self.products,) = self.connector.prepare([self.products], {}, write=False).mappings

    def _cells(self, values: dict[str, Any]) -> dict[str, Any]:
        return {self.products.rule(name).column: ["L", *value] if isinstance(value, list) else value
                for name, value in values.items()}


class TwinShopify:
    def __init__(self) -> None:
        self.products = default_mapping(RESOURCES["products"], fields=PRODUCTS)
        self.inventory = default_mapping(RESOURCES["inventory"], fields=("available",))
        self.connector = self.twin = MemoryShopify([self.products, self.inventory])
        self.twin.spelling["products", "handle"] = spell_handle
        self.twin.spelling["products", "vendor"] = lambda vendor: vendor or "The shop"
        self.twin.unique.add(("products", "handle"))
        self.twin.carries_key.add("products")
        self._level = self.twin.add("inventory", available=10)

    def add(self, **values: Any) -> str:
        return self.twin.add("products", **values)

    def edit(self, key: str, field: str, value: Any) -> None:
        self.twin.edit(key, field, value)

    def remove(self, key: str) -> None:
        self.twin.delete(key)

    def held(self, key: str, field: str) -> Value:
        return self.twin.thing(key)[field]

    def level(self) -> tuple[str, int]:
        return self._level, int(str(self.twin.thing(self._level)["available"]))

    def sell(self) -> None:
        self.twin.sell(self._level)

    def lag(self) -> None:
        """What searches know stands still from now on."""
        self.twin.search_lags = True

    def catch_up(self) -> None:
        self.twin.catch_up()

    def count(self) -> int:
        return len(self.twin.things["products"])


class StandInShopify:
    def __init__(self, store: Store, url: str) -> None:
        self.store = store
        self.connector = ShopifyConnector(STORE, PastedToken("shpat_demo"), admin_url=url, sleep=lambda seconds: None)
        wanted = [default_mapping(RESOURCES["products"], fields=PRODUCTS),
                  default_mapping(RESOURCES["inventory"], fields=("available",))]
        self.products, self.inventory = self.connector.prepare(wanted, {}, write=True).mappings

    def rest(self) -> None:
        """Let a moment pass: what was touched within the last two seconds is told once more."""
        self.store.clock.advance(10)

    def add(self, **values: Any) -> str:
        made = self.store.add_product(values.pop("title"), handle=values.pop("handle", None), **values)
        self.store.add_default_variant(made)
        return str(made.gid)

    def edit(self, key: str, field: str, value: Any) -> None:
        product = self.store.thing(key)
        setattr(product, field, value)
        self.store.touch(product)

    def remove(self, key: str) -> None:
        product = self.store.thing(key)
        assert product is not None
        self.store.remove_product(product)

    def held(self, key: str, field: str) -> Value:
        value: Any = getattr(self.store.thing(key), field)
        return tuple(value) or None if isinstance(value, list) else value or None

    def level(self) -> tuple[str, int]:
        level = next(iter(self.store.levels()))
        return level.gid, level.quantity("available")

    def lag(self) -> None:
        self.store.behaviour.search_lag_seconds = 90

    def catch_up(self) -> None:
        self.store.clock.advance(120)

    def sell(self) -> None:
        level = next(iter(self.store.levels()))
        self.store.change_quantity(level, "available", -1)

    def count(self) -> int:
        return len(self.store.products)


@contextmanager
def grist_hands(which: str) -> Iterator[Any]:
    if which == "twin":
        yield TwinGrist()
    else:
        with a_place() as place:
            yield StandInGrist(place)


@contextmanager
def shopify_hands(which: str) -> Iterator[Any]:
    if which == "twin":
        yield TwinShopify()
    else:
        store = Store(products=2, seed=1)
        with serving(shopify_app(store, tokens=("shpat_demo",))) as url:
            yield StandInShopify(store, url)


def only(mapping: Mapping, fields: Sequence[str]) -> Mapping:
    return replace(mapping, chosen=frozenset(fields))

"""Five steps from a price in the grid to a cut network, and how far the person who looks has come.

A step names what to do in the document and has at most one button, which lets something happen in the store. What is
done is read from what document and store hold, never from what was pressed: a step is done however one gets there.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from demo.grist.document import Document
from demo.shopify import Store, life
from demo.shopify.control import Door
from demo.shopify.staff import variant_named

SOLD = 2


@dataclass(frozen=True)
class Step:
    """`tell`: what to do, one sentence a line; `table` and `find`: what the document and the store show beside it."""

    title: str
    tell: Sequence[str]
    table: str
    find: str
    done: str
    act: str | None = None
    button: str | None = None


STEPS = (
    Step("A price goes to the store",
         ("In the document, double-click the price of Linen shirt - S (42.00), type another and press Enter.",
          "Then press Sync in the widget below the grid, and watch the store."),
         "Variants", "LIN-S",
         "Both hold the new price. It also works the other way: change one in the store, press Sync."),
    Step("Stock is added up",
         ("In the document, type 15 over the 12 that Linen shirt - S has available in the Oslo shop.",
          f"Let the shop sell {SOLD} of them meanwhile. Then press Sync."),
         "Inventory", "LIN-S", "Both changes count: what you added, less what was sold. Nobody was overwritten.",
         "sell", f"Sell {SOLD} in the store"),
    Step("Both change one field: you decide",
         ("In the document, type 39 over the price of Wool scarf (35.00). Do not sync yet.",
          "Let the store change the same price. Press Sync, open Conflicts, click the value to keep, and apply it."),
         "Variants", "WOO-1", "Settled. Nothing was written before you chose.",
         "reprice", "Change it in the store too"),
    Step("A deletion asks first",
         ("Delete Felt hat in the store. Press Sync: its row stays in the document.",
          "Open Deletions, choose the rows, and delete them. Keep would leave them; then go on with Next."),
         "Products", "FEL-9", "Answered. A deletion on one side never reaches the other by itself.",
         "delete", "Delete Felt hat"),
    Step("Nothing is lost, and everything can be taken back",
         ("Cut the network and press Sync: it keeps trying. Restore the network, and it goes on by itself.",
          "Open Changes, press Undo sync beside one of the syncs, and confirm."),
         "Variants", "", "That was the tour. Go on as you like; the buttons above the store's list let more happen.",
         "network", "Cut the network"),
)


class Tour:
    """The steps, and what they have come to in one store and one document."""

    def __init__(self, store: Store, document: Document, door: Door) -> None:
        self._store, self._document, self._door = store, document, door
        shirt, hat = (variant_named(store, {"sku": sku}) for sku in ("LIN-S", "FEL-9"))
        self._shirt_price, self._hat = shirt.price, hat.product
        self._shop = store.default_location()
        self._stock = self._available()
        self._happened: set[str] = set()
        self._acts: dict[str, Callable[[], str]] = {
            "sell": self._sell, "reprice": self._reprice, "delete": self._delete, "network": self._network}
        self._is_done = (self._price_arrived, self._stock_merged, self._conflict_settled, self._deletion_answered,
                      self._network_came_back)

    def steps(self) -> list[dict[str, Any]]:
        """`[{title, tell, table, find, act, button, used, isDone, done}]`; `used`: its button was pressed."""
        return [{"title": step.title, "tell": list(step.tell), "table": step.table, "find": step.find, "act": step.act,
                 "button": "Restore the network" if step.act == "network" and self._door.network_cut else step.button,
                 "used": step.act in self._happened and step.act != "network", "isDone": is_done(), "done": step.done}
                for step, is_done in zip(STEPS, self._is_done, strict=True)]

    def act(self, name: str) -> str:
        """Let it happen in the store; says what happened.

        Raises KeyError for an unknown name, LookupError where what it is about is gone.
        """
        said = self._acts[name]()
        self._happened.add(name)
        return said

    def _sell(self) -> str:
        with self._store.lock:
            self._store.sell(variant_named(self._store, {"sku": "LIN-S"}).id, SOLD, self._shop.id)
        return f"The {self._shop.name} sold {SOLD} of Linen shirt S."

    def _reprice(self) -> str:
        with self._store.lock:
            scarf = variant_named(self._store, {"sku": "WOO-1"})
            scarf.price += Decimal("2.50")
            self._store.touch(scarf, scarf.product)
            return f"Wool scarf costs {scarf.price:.2f} in the store now."

    def _delete(self) -> str:
        if self._store.thing(self._hat.gid) is None:
            return "Felt hat is deleted already."
        return life.delete(self._store, self._hat)

    def _network(self) -> str:
        self._door.network_cut = not self._door.network_cut
        self._store.changed()
        return "Nobody reaches the store now." if self._door.network_cut else "The store can be reached again."

    # --- what is done ---

    def _price_arrived(self) -> bool:
        held, price = self._row("Variants", SKU="LIN-S").get("Price"), self._price("LIN-S")
        return _same(held, price) and price != self._shirt_price

    def _stock_merged(self) -> bool:
        shirt = self._row("Variants", SKU="LIN-S").get("id")
        held, there = self._row("Inventory", Variant=shirt).get("Available"), self._available()
        return "sell" in self._happened and there not in (self._stock, self._stock - SOLD) and _same(held, there)

    def _conflict_settled(self) -> bool:
        held, price = self._row("Variants", SKU="WOO-1").get("Price"), self._price("WOO-1")
        return "reprice" in self._happened and _same(held, price)

    def _deletion_answered(self) -> bool:
        """Seen only where the row was deleted: a row that was kept looks like one that nobody was asked about."""
        return "delete" in self._happened and not self._row("Products", Handle=self._hat.handle)

    def _network_came_back(self) -> bool:
        return "network" in self._happened and not self._door.network_cut

    # --- what both hold ---

    def _row(self, table: str, **wanted: Any) -> dict[str, Any]:
        """The first row that holds all of this; empty where there is none, or no such table any more."""
        with self._document.lock:
            rows = self._document.table(table).rows() if table in self._document.tables else []
        return next((row for row in rows if wanted.items() <= row.items()), {})

    def _price(self, sku: str) -> Decimal | None:
        found = self._store.variants_by_sku(sku)
        return found[0].price if found else None

    def _available(self) -> int | None:
        found = self._store.variants_by_sku("LIN-S")
        return self._store.stock_at(found[0].inventory_item, self._shop).quantity("available") if found else None


def _same(cell: Any, value: Decimal | int | None) -> bool:
    return isinstance(cell, int | float) and value is not None and Decimal(str(cell)) == value

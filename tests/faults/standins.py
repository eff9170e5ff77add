"""The same between both stand-ins of `demo/`: their connectors, the requests that they send, and a database file.

A step is one transaction of the store or one request, carried to the stand-ins inside of this process. Looks at a file
that Shopify works off count as one, for how many there are is a matter of chance.
"""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa
from documents import DocumentGrist
from engine.world import World, make_world
from places import Inside, Place, a_place
from requests.adapters import BaseAdapter

from backend import engine
from backend.core.mapping import default_mapping
from backend.core.model import Mapping, Policy, Snapshot
from backend.core.values import dump
from backend.errors import DatabaseAway, LeaseLost, SyncError
from backend.session import Session
from backend.shopify.auth import PastedToken
from backend.shopify.connector import ShopifyConnector
from backend.shopify.resources import RESOURCES
from backend.store import journal, runs
from backend.store.db import Database
from demo.shopify import Store, create_app
from demo.shopify.staff import edit

STORE_URL = "http://shop.test"
PRODUCTS = 17
"""Enough of them that a title for each goes as a file."""
FIELDS = {
    "products": ("title", "handle", "vendor", "tags"),
    "variants": ("product", "sku", "price"),
    "locations": ("name",),
    "inventory": ("variant", "location", "available"),
}
A_WHILE = 120.0
"""Seconds after which every search knows everything."""
KILLED, LOST = "killed after", "answer lost, done"


class Killed(BaseException):
    """The process is gone. Nobody catches this."""


@dataclass
class Line:
    """Counts the steps of one process in `points`, and plays faults given by the number of the step."""

    faults: dict[int, str] = field(default_factory=dict)
    points: list[str] = field(default_factory=list)

    def reached(self, point: str, *, repeated: bool = False) -> str | None:
        """Called after a step; returns the fault that is to be played there. Raises Killed."""
        if repeated and self.points and self.points[-1] == point:
            return None
        self.points.append(point)
        fault = self.faults.get(len(self.points) - 1)
        if fault == KILLED:
            raise Killed
        return fault


class Carrier(BaseAdapter):
    """Carries the requests of one process to a stand-in."""

    def __init__(self, name: str, inside: BaseAdapter, line: Line) -> None:
        super().__init__()
        self._name, self._inside, self._line = name, inside, line

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        answer = self._inside.send(request, *args, **more)
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        named = re.search(rb"(?:query|mutation) \w+", body)
        path = str(request.url).partition("?")[0].rpartition("/")[2]
        point = f"{self._name} {named[0].decode() if named else f'{request.method} {path}'}"
        if self._line.reached(point, repeated=b"bulkOperation(" in body) is not None:
            raise requests.ConnectionError("The answer was lost.")
        return answer

    def close(self) -> None:
        """Nothing is open."""


class LinedDatabase:
    """A `Database` at the end of a line."""

    def __init__(self, database: Database, line: Line) -> None:
        self._database, self._line = database, line

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with self._database.read() as tx:
            yield tx
        self._reached("store read")

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        with self._database.write() as tx:
            yield tx
        self._reached("store write")

    def _reached(self, point: str) -> None:
        if self._line.reached(point) is not None:
            raise sa.exc.OperationalError("COMMIT", {}, Exception("disk I/O error"))


@dataclass
class Shop:
    """A store, a document and a link between them."""

    world: World
    place: Place
    store: Store
    inside: Inside
    words: int = 0
    typed: dict[tuple[str, Any, str], str] = field(default_factory=dict)
    """By cell: the word that somebody typed there last, which stands on both sides in the end."""
    stock: dict[int, int] = field(default_factory=dict)
    """By row of the stock: what additions and sales make of it."""

    # --- processes ----------------------------------------------------------------------------------

    def process(self, faults: dict[int, str] | None = None) -> list[str]:
        """One process takes the link, syncs, and ends; returns its steps."""
        self.store.clock.advance(A_WHILE)
        line, world = Line(faults or {}), self.world
        database = LinedDatabase(world.database, line)
        with world.database.write() as tx:
            tx.execute(sa.text("update run set lease_until = 0 where state = 'running'"))
            number = int(tx.execute(sa.text("select coalesce(max(id), 0) from run")).scalar_one()) + 1
        owner, keys = f"process {number}", itertools.count()
        try:
            with database.write() as tx:
                claimed = runs.begin(tx, world.link_id, "sync", "somebody", {}, owner)
            assert claimed is not None

            def fence(tx: sa.Connection) -> None:
                if not runs.hold(tx, claimed, owner):
                    raise LeaseLost("Another worker has taken this sync over.")

            session = Session(
                database, world.link_id, claimed.id, world.mappings,  # type: ignore[arg-type]
                self.document(line), self.shopify(line), self._bindings(), rest_seconds=0, fence=fence,
                new_key=lambda: f"run-{claimed.id}-{next(keys)}",
            )
            state = "failed"
            try:
                engine.sync(session)
                state = "done"
            except (SyncError, sa.exc.OperationalError):
                pass  # what the next process makes of it is judged
            with database.write() as tx:
                runs.finish(tx, claimed, owner, state, None)
        except (Killed, DatabaseAway, sa.exc.OperationalError):
            pass
        return line.points

    def _bindings(self) -> dict[str, Any]:
        return dict(self.world.session().bindings)

    def document(self, line: Line) -> Any:
        made = self.place.connector()
        made._client._http.session.mount(self.place.url, Carrier("grist", self.place.carrier, line))
        return made

    def shopify(self, line: Line) -> ShopifyConnector:
        made = ShopifyConnector("a-shop.myshopify.com", PastedToken("shpat_demo"), admin_url=STORE_URL,
                                files_after_seconds=0.01, sleep=lambda seconds: None)
        for http in (made._client._http, made._bulk._files):
            http.session.mount("http://", Carrier("shopify", self.inside, line))
        return made

    # --- people -------------------------------------------------------------------------------------

    def word(self, table: str, key: object, field: str) -> str:
        """A word that stands nowhere yet, for one cell."""
        self.words += 1
        self.typed[table, key, field] = f"tok{self.words}x"
        return self.typed[table, key, field]

    def rows(self, table: str) -> dict[int, dict[str, Any]]:
        return self.place.rows(table)

    def type(self, table: str, row: int, **cells: Any) -> None:
        self.place.act(["UpdateRecord", table, row, cells])

    def title(self, row: int) -> None:
        self.type("Products", row, Title=f"Title {self.word('Products', row, 'title')}")

    def make(self) -> None:
        row = max(self.rows("Products")) + 1
        title, handle = self.word("Products", row, "title"), self.word("Products", row, "handle")
        self.place.act(["AddRecord", "Products", row, {"Title": title, "Handle": handle}])

    def maker(self, gid: str) -> None:
        edit(self.store, {"product": {"id": gid}, "set": {"vendor": self.word("Products", gid, "vendor")}})

    def count_and_sell(self, variant: int) -> None:
        """Somebody adds to the stock in Grist, and something is sold of it."""
        row, cells = next((row, one) for row, one in self.rows("Inventory").items() if one["Variant"] == variant)
        self.type("Inventory", row, Available=cells["Available"] + 5)
        self.store.sell(self.rows("Variants")[variant]["Shopify_ID"], 2,
                        self.rows("Locations")[cells["Location"]]["Shopify_ID"])
        self.stock[row] = self.stock.get(row, cells["Available"]) + 3

    # --- both sides ---------------------------------------------------------------------------------

    def seen(self) -> dict[str, Counter[str]]:
        """What stands on both sides, by side and resource, in words that do not depend on ids."""
        line = Line()
        local, remote = self.document(line), self.shopify(line)
        mappings = local.prepare(remote.prepare(self.world.mappings, {}, write=False).mappings, self._bindings(),
                                 write=False).mappings
        found: dict[str, Counter[str]] = {}
        for connector in (local, remote):
            names: dict[str, dict[Any, str]] = {}
            for mapping in mappings:
                words = _words(mapping, connector.read(mapping), names)
                names[mapping.name] = words
                found[f"{connector.side.value} {mapping.name}"] = Counter(words.values())
        return found

    def wrong(self) -> list[tuple[str, str]]:
        """(promise, what) is wrong now, whatever was done."""
        seen = self.seen()
        found = [("P4", f"{name} differs: {only}") for name in FIELDS for only in (
            [*(seen[f"local {name}"] - seen[f"remote {name}"]), *(seen[f"remote {name}"] - seen[f"local {name}"])])]
        for side in ("local", "remote"):
            text = repr(seen[f"{side} products"])
            found += [("P1", f"{word} of {cell} is not in {side}") for cell, word in self.typed.items()
                      if word not in text]
        shown = {row: cells["Available"] for row, cells in self.rows("Inventory").items()}
        found += [("P2", f"stock of row {row} is {shown.get(row)} instead of {figure}")
                  for row, figure in self.stock.items() if shown.get(row) != figure]
        for table in ("Products", "Variants", "Inventory"):
            ids = Counter(cells["Shopify_ID"] for cells in self.rows(table).values())
            found += [("P12", f"{table}: {number} × {thing!r}") for thing, number in ids.items()
                      if number > 1 or not thing]
        with self.world.database.read() as tx:
            open_batches = journal.count(tx, self.world.link_id)
        found += [("P7", f"{open_batches} batches are open")] if open_batches else []
        found += [("P7", f"refused: {one.message}") for one in self.world.refusals()]
        found += [("P3", f"asked: {one}") for one in self.world.conflicts()]
        found += [("P9", f"waits: {one}") for one in self.world.deletions()]
        before = len(self.world.history())
        self.process()
        return found + [("P5", f"a further sync wrote {line}") for line in self.world.history()[before:]]


def _words(mapping: Mapping, read: Snapshot, names: dict[str, dict[Any, str]]) -> dict[Any, str]:
    return {key: repr([names[rule.field.target].get(value, value) if rule.kind == "ref" else dump(value)
                       for rule, value in zip(mapping.fields, row, strict=True)]) for key, row in read.rows.items()}


@contextmanager
def open_shop(folder: Path, products: int = PRODUCTS) -> Iterator[Shop]:
    """A shop in agreement. The database file in `folder` is migrated already."""
    store = Store(products=products, orders=0, seed=1)
    store.behaviour.bulk_start_seconds = 0
    applied = {"delete_local": Policy.APPLY, "delete_remote": Policy.APPLY, "create_remote": True}
    wanted = [replace(default_mapping(RESOURCES[name], fields=chosen), **applied if name == "products" else {
        "delete_local": Policy.APPLY}) for name, chosen in FIELDS.items()]
    with a_place(inside=True) as place:
        world = make_world(folder / "sync.db", wanted, grist=lambda mappings, **_: DocumentGrist(mappings, place))
        shop = Shop(world, place, store, Inside(create_app(store, tokens=("shpat_demo",))))
        shop.process()
        yield shop
        world.database.dispose()


# --- what people do -----------------------------------------------------------------------------------


def a_busy_hour(shop: Shop) -> None:
    """Every title is changed, which goes as a file; prices, stock, tags and makers on both sides; new on one side;
    gone on both sides."""
    products = shop.rows("Products")
    gone_here, gone_there, *rest = sorted(products)
    for row in rest:
        shop.title(row)
    for row in rest[:3]:
        shop.maker(products[row]["Shopify_ID"])
    shop.type("Products", rest[3], Tags=["L", shop.word("Products", rest[3], "tags")])
    variants = [row for row, cells in shop.rows("Variants").items() if cells["Product"] in rest]
    shop.type("Variants", variants[0], Price=7.5)
    edit(shop.store, {"variant": {"id": shop.rows("Variants")[variants[1]]["Shopify_ID"]}, "set": {"price": "3.30"}})
    shop.count_and_sell(variants[2])
    shop.make()
    edit(shop.store, {"product": {"id": products[gone_there]["Shopify_ID"]}, "delete": True})
    shop.place.act(["RemoveRecord", "Products", gone_here])


def anything(shop: Shop, chance: random.Random) -> None:
    """Somebody does one thing: titles and new rows in Grist, makers in Shopify, so that there is nothing to ask."""
    products = {row: cells["Shopify_ID"] for row, cells in shop.rows("Products").items() if cells["Shopify_ID"]}
    row, variant = chance.choice(sorted(products)), chance.choice(sorted(shop.rows("Variants")))
    what = chance.choices(("title", "maker", "stock", "new"), (4, 3, 3, 1))[0]
    if what == "title":
        shop.title(row)
    elif what == "maker":
        shop.maker(products[row])
    elif what == "stock" and any(one["Variant"] == variant for one in shop.rows("Inventory").values()):
        shop.count_and_sell(variant)
    elif what == "new":
        shop.make()

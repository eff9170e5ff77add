"""Lists of references under random stories: products in collections, which both sides put them into and take them out
of, while collections come and go and lines die. A membership changes only where somebody changed it."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from backend.core.mapping import default_mapping
from backend.core.model import Mapping
from backend.errors import RetryLater
from backend.shopify.resources import RESOURCES

from .conftest import MakeWorld
from .world import World

STEPS = 25


def mappings() -> list[Mapping]:
    collections = default_mapping(RESOURCES["collections"], fields=("title",))
    products = default_mapping(RESOURCES["products"], fields=("title", "collectionRefs"))
    return [replace(one, create_remote=True) for one in (collections, products)]


@pytest.mark.parametrize("seed", range(int(os.environ.get("STORIES", "6"))))
def test_a_product_is_in_the_collections_that_somebody_put_it_into(new_world: MakeWorld, seed: int) -> None:
    world = new_world(mappings(), batch_size=3)
    people = Merchandisers(world, random.Random(f"lists {seed}"))
    people.open_the_shop()
    for _ in range(STEPS):
        people.do_something()
    world.run()
    for conflict in world.conflicts():  # a row taken back by Ctrl-Z, and a list that lost a collection meanwhile
        world.choose("grist", conflict=conflict)
    world.approve()
    for everything in (False, False, True):  # a list that waits for another thing is told by the run after that one
        world.run(everything=everything)
    assert people.wrong() == []
    assert world.conflicts() == []
    world.forget_what_was_written()
    report = world.run()
    assert world.written == [], "P5"
    assert (report.totals["refused"], report.totals["waiting"]) == (0, 0)


@dataclass
class Merchandisers:
    """Each puts a product into a collection, or takes it out, that nobody has touched for it before."""

    world: World
    chance: random.Random
    put: set[tuple[str, str]] = field(default_factory=set)
    """(product, collection), by title, that somebody put together."""
    taken: set[tuple[str, str]] = field(default_factory=set)
    shaken: set[str] = field(default_factory=set)
    """Products that were in a collection whose row was deleted: what was agreed on their lists is forgotten, so that
    what was taken out meanwhile may come back."""
    gone: set[str] = field(default_factory=set)
    """Collections that somebody deleted, and products of which somebody took the making back."""
    made: int = 0

    def open_the_shop(self) -> None:
        shop = self.world.shopify
        gids = [shop.add("collections", title=self._name("c")) for _ in range(4)]
        for _ in range(4):
            held = self.chance.sample(gids, 2)
            title = self._name("p")
            shop.add("products", title=title, collectionRefs=held)
            self.put |= {(title, self._title("collections", gid)) for gid in held}
        self.world.run()

    def do_something(self) -> None:
        todo: list[tuple[int, Callable[[], None]]] = [
            (5, self.put_in_grist), (5, self.put_in_shopify), (2, self.take_out_in_grist),
            (2, self.take_out_in_shopify), (1, self.new_row), (1, self.new_thing), (1, self.new_product),
            (1, self.delete_row), (1, self.delete_thing), (1, self.undo), (1, self.say_yes), (5, self.sync),
            (2, self.sync_with_a_dying_line),
        ]
        self.chance.choices([do for _, do in todo], [weight for weight, _ in todo])[0]()

    # --- on one side --------------------------------------------------------------------------------

    def put_in_grist(self) -> None:
        self._change_grist(self._held_in_grist, True)

    def take_out_in_grist(self) -> None:
        self._change_grist(self._held_in_grist, False)

    def _change_grist(self, held: Callable[[int], list[int]], into: bool) -> None:
        grist = self.world.grist
        product, collection = self._some(grist.rows["Products"]), self._some(grist.rows["Collections"])
        if product is None or collection is None:
            return
        names = (str(grist.cell("Products", product, "title")), str(grist.cell("Collections", collection, "title")))
        now = held(product)
        if (collection in now) is into or not self._is_fresh(names, into):
            return
        grist.type("Products", product, "collectionRefs",
                   [*now, collection] if into else [one for one in now if one != collection])
        self._note(names, into)

    def put_in_shopify(self) -> None:
        self._change_shopify(True)

    def take_out_in_shopify(self) -> None:
        self._change_shopify(False)

    def _change_shopify(self, into: bool) -> None:
        shop = self.world.shopify
        product, collection = self._some(shop.things["products"]), self._some(shop.things["collections"])
        if product is None or collection is None:
            return
        names = (self._title("products", product), self._title("collections", collection))
        held = list(shop.thing(product)["collectionRefs"] or ())
        if (collection in held) is into or not self._is_fresh(names, into):
            return
        shop.edit(product, "collectionRefs",
                  [*held, collection] if into else [one for one in held if one != collection])
        self._note(names, into)

    def new_row(self) -> None:
        self.world.grist.add_row("Collections", title=self._name("c"))

    def new_thing(self) -> None:
        self.world.shopify.add("collections", title=self._name("c"))

    def new_product(self) -> None:
        row = self._some(self.world.grist.rows["Collections"])
        if row is not None and str(self.world.grist.cell("Collections", row, "title")) not in self.gone:
            title = self._name("p")
            self.world.grist.add_row("Products", title=title, collectionRefs=[row])
            self.put.add((title, str(self.world.grist.cell("Collections", row, "title"))))

    def delete_row(self) -> None:
        rows = self.world.grist.rows["Collections"]
        if len(rows) > 3:
            row = self._some(rows)
            assert row is not None
            self._goes(str(rows[row]["title"]))
            self.world.grist.remove_row("Collections", row)

    def delete_thing(self) -> None:
        things = self.world.shopify.things["collections"]
        if len(things) > 3:
            gid = self._some(things)
            assert gid is not None
            self._goes(self._title("collections", gid))
            self.world.shopify.delete(gid)

    def undo(self) -> None:
        """Somebody presses Ctrl-Z in Grist. What that takes back is not kept account of: anything may be so by then."""
        before = {row: str(cells["title"]) for row, cells in self.world.grist.rows["Collections"].items()}
        lists = {str(cells["title"]): cells["collectionRefs"] for cells in self.world.grist.rows["Products"].values()}
        self.world.grist.press_undo()
        after = {row: str(cells["title"]) for row, cells in self.world.grist.rows["Collections"].items()}
        self.gone |= set(before.values()) ^ set(after.values())
        for cells in self.world.grist.rows["Products"].values():
            title = str(cells["title"])
            if lists.pop(title, None) != cells["collectionRefs"]:
                self.shaken.add(title)
                self.put = {pair for pair in self.put if pair[0] != title}
        self.gone |= lists.keys()
        self.put = {pair for pair in self.put if pair[0] not in lists}

    # --- syncs --------------------------------------------------------------------------------------

    def say_yes(self) -> None:
        self.world.approve()

    def sync(self) -> None:
        self.world.run()

    def sync_with_a_dying_line(self) -> None:
        left = self.chance.randrange(1, 8)

        def die(point: str) -> None:
            nonlocal left
            left -= point.startswith("grist.apply.")
            if left == 0:
                raise RetryLater(f"The line died at {point}.")

        self.world.grist.on_io = die
        try:
            self.world.run()
        except RetryLater:
            pass
        finally:
            self.world.grist.on_io = lambda point: None

    # --- what must be so in the end -------------------------------------------------------------------

    def wrong(self) -> list[tuple[str, str, str]]:
        """(what, product, collection) wherever a list does not say what people said."""
        grist = self.world.grist
        names = {row: str(cells["title"]) for row, cells in grist.rows["Collections"].items()}
        mine = {(str(cells["title"]), names[one]) for cells in grist.rows["Products"].values()
                for one in cells["collectionRefs"] or ()}
        theirs = {(str(cells["title"]), self._title("collections", str(one)))
                  for cells in self.world.shopify.things["products"].values()
                  for one in cells.get("collectionRefs") or ()}
        wrong = [("differ", *pair) for pair in mine ^ theirs]
        wrong += [("lost", *pair) for pair in self.put - mine if pair[1] not in self.gone]
        wrong += [("came back", *pair) for pair in self.taken & mine if pair[0] not in self.shaken]
        wrong += [("nobody's", *pair) for pair in mine - self.put - self.taken
                  if pair[0] not in self.shaken | self.gone]
        return sorted(wrong)

    def _goes(self, collection: str) -> None:
        self.gone.add(collection)
        self.shaken |= {product for product, where in self.put | self.taken if where == collection}

    def _is_fresh(self, names: tuple[str, str], into: bool) -> bool:
        """Nobody has touched that membership yet, and both are on both sides or new: what a store makes of a
        collection that it has deleted, nobody has recorded."""
        return not self.gone & set(names) and (names not in self.taken if into else names in self.put)

    def _note(self, names: tuple[str, str], into: bool) -> None:
        (self.put.add if into else self.put.discard)(names)
        (self.taken.discard if into else self.taken.add)(names)

    def _held_in_grist(self, product: int) -> list[int]:
        held = self.world.grist.cell("Products", product, "collectionRefs")
        return [one for one in held if isinstance(one, int)] if isinstance(held, tuple) else []

    def _title(self, resource: str, gid: str) -> str:
        held = self.world.shopify.things[resource].get(gid) or self.world.shopify.removed[gid]
        return str(held["title"])

    def _name(self, kind: str) -> str:
        self.made += 1
        return f"{kind}{self.made}"

    def _some(self, among: Iterable[Any]) -> Any:
        there = list(among)
        return self.chance.choice(there) if there else None

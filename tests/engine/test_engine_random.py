"""People at work on both sides, at random, with lines that die: in the end all is in its place.

Promises P1 (nothing typed is lost), P4 (both sides agree after two runs) and P5 (then nothing is written).
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from backend.core.values import Value
from backend.errors import RetryLater

from .conftest import MakeWorld
from .world import World, shop_mappings

STEPS = 30
TEXTS = ("title", "vendor", "handle")
REQUESTS = ("grist.request.apply", "grist.request.list", "grist.request.compare")


@pytest.mark.parametrize("batch_size", [1, 50])
@pytest.mark.parametrize("seed", range(int(os.environ.get("STORIES", "6"))))
def test_nothing_typed_is_lost_and_both_sides_agree(new_world: MakeWorld, seed: int, batch_size: int) -> None:
    world = new_world(shop_mappings(products={"create_remote": True}), batch_size=batch_size)
    people = People(world, random.Random(f"{seed} {batch_size}"))
    people.open_the_shop()
    for _ in range(STEPS):
        people.do_something()

    world.run()
    world.run()
    open_questions = {(one.mapping_id, one.local_key, one.field) for one in world.conflicts()}
    ids = {mapping.name: mapping.id for mapping in world.mappings}
    unsettled = [one for one in world.differences() if (ids[one[0]], one[1], one[2]) not in open_questions]
    assert unsettled == [], "P4: both sides agree on every field that nobody is asked about"
    assert people.lost() == [], "P1"
    assert people.stock_is_right()
    world.forget_what_was_written()
    world.run()
    assert world.written == [], "P5"


@dataclass
class People:
    """Somebody in Grist, somebody in Shopify, customers, and a line that dies now and then."""

    world: World
    chance: random.Random
    tokens: list[str] = field(default_factory=list)
    """What was typed and not typed over by the same person: each must be found in the end."""
    stock: dict[str, int] = field(default_factory=dict)
    """By level: what must be there in the end, sales and additions all counted."""
    counted: str = ""
    given_up: set[str] = field(default_factory=set)
    """Levels of which somebody chose a figure: their sum says nothing any more."""
    typed: int = 0

    def open_the_shop(self) -> None:
        shop = self.world.shopify
        shelf = shop.add("locations", name="Shelf")
        for number in range(3):
            product = shop.add("products", title=f"Mug {number}", handle=f"mug-{number}")
            variant = shop.add("variants", product=product, sku=f"m{number}", price="5.00")
            level = shop.add("inventory", variant=variant, location=shelf, available=1000)
            self.stock[level] = 1000
        self.world.run()

    def do_something(self) -> None:
        todo: list[tuple[int, Callable[[], None]]] = [
            (5, self.type_text), (4, self.edit_text), (2, self.type_tag), (2, self.edit_tag), (3, self.count_stock),
            (4, self.sell), (1, self.new_row), (1, self.new_thing), (3, self.choose), (4, self.sync),
            (2, self.sync_with_a_dying_line), (2, self.sync_while_people_work), (1, self.rename_column),
        ]
        self.chance.choices([do for _, do in todo], [weight for weight, _ in todo])[0]()

    # --- on one side ------------------------------------------------------------------------------------

    def type_text(self) -> None:
        row, name = self._row(), self.chance.choice(TEXTS)
        self._typed_over(self.world.grist.cell("Products", row, name))
        self.world.grist.type("Products", row, name, self._token().capitalize())

    def edit_text(self) -> None:
        gid, name = self._thing(), self.chance.choice(TEXTS)
        self._typed_over(self.world.shopify.thing(gid)[name])
        self.world.shopify.edit(gid, name, self._token().capitalize())

    def type_tag(self) -> None:
        row = self._row()
        held = self.world.grist.cell("Products", row, "tags")
        self.world.grist.type("Products", row, "tags", [*(held if isinstance(held, tuple) else ()), self._token()])

    def edit_tag(self) -> None:
        gid = self._thing()
        held = self.world.shopify.thing(gid)["tags"]
        self.world.shopify.edit(gid, "tags", [*(held if isinstance(held, tuple) else ()), self._token()])

    def count_stock(self) -> None:
        """Steps that no two edits share, so that no cell goes back to what it showed before."""
        gid = self.chance.choice(list(self.stock))
        row = self.world.row_of(gid)
        held = self.world.grist.cell("Inventory", row, "available")
        assert isinstance(held, int)
        self.typed += 1
        more = 50 + self.typed * 7
        self.world.grist.type("Inventory", row, "available", held + more)
        self.stock[gid] += more
        self.counted = gid

    def sell(self) -> None:
        """Mostly of what was counted last: that is where sums go wrong."""
        gid = self.counted if self.counted and self.chance.random() < 0.7 else self.chance.choice(list(self.stock))
        self.world.shopify.sell(gid)
        self.stock[gid] -= 1

    def new_row(self) -> None:
        self.world.grist.add_row("Products", title=self._token(), handle=self._token())

    def new_thing(self) -> None:
        self.world.shopify.add("products", title=self._token(), handle=self._token(), tags=[self._token()])

    def rename_column(self) -> None:
        self.world.grist.rename("Products", self.chance.choice(TEXTS))

    # --- syncs --------------------------------------------------------------------------------------------

    def sync(self) -> None:
        self.world.run()

    def sync_with_a_dying_line(self) -> None:
        if len(self.world.pairs("products")) < len(self.world.grist.rows["Products"]):
            self.sync()  # a creation whose answer is lost needs a person: tested elsewhere
            return
        for busy in (self.count_stock, self.sell, self.sell, self.type_text, self.edit_text, self.type_tag):
            busy()
        left = self.chance.randrange(1, 12)

        def die(point: str) -> None:
            nonlocal left
            left -= ".apply." in point
            if left == 0:
                raise RetryLater(f"The line died at {point}.")

        self._run_with(die)

    def sync_while_people_work(self) -> None:
        """Somebody types right before a write and right after it; behind a connector also between its look and its
        write, and while it looks what it has done."""
        working = False  # a person's own hands reach a document by requests, too

        def work(point: str) -> None:
            nonlocal working
            if not working and (".apply." in point or point in REQUESTS) and self.chance.random() < 0.2:
                working = True
                todo = [self.type_text, self.edit_text, self.type_tag, self.sell, self.count_stock]
                if point.startswith("shopify.apply."):
                    todo.remove(self.edit_text)  # what Shopify overwrites in that moment is a limit of P2
                self.chance.choice(todo)()
                working = False

        self._run_with(work)

    def choose(self) -> None:
        for conflict in self.world.conflicts():
            keep = self.chance.choice(["grist", "shopify", *(["base"] if conflict.base_known else []), "value"])
            if conflict.field == "available":
                self.given_up.add(conflict.remote_key)
            self.world.choose(keep, self._choosable(keep, conflict.field), conflict=conflict)

    def _choosable(self, keep: str, name: str) -> object:
        if keep != "value":
            return None
        self.typed += 1
        return f"chosen{self.typed}" if name in TEXTS else self.typed if name == "available" else None

    def _run_with(self, hook: Callable[[str], None]) -> None:
        self.world.grist.on_io = self.world.shopify.on_io = hook
        try:
            self.world.run()
        except RetryLater:
            pass
        finally:
            self.world.grist.on_io = self.world.shopify.on_io = lambda point: None

    # --- what must be found -----------------------------------------------------------------------------------

    def lost(self) -> list[str]:
        """Tokens that are neither on both sides, nor in a question, nor in history."""
        here = json.dumps(list(self.world.grist.rows["Products"].values()), default=str).casefold()
        there = json.dumps(list(self.world.shopify.things["products"].values()), default=str).casefold()
        asked = json.dumps([(one.base, one.local, one.remote) for one in self.world.conflicts()]).casefold()
        kept = json.dumps([(one.before, one.after) for one in self.world.history()]).casefold()
        return [token for token in self.tokens
                if not (token in here and token in there) and token not in asked and token not in kept]

    def stock_is_right(self) -> bool:
        """Every sum comes out. A level may be asked about only where a lost answer and somebody's typing came together:
        then nobody can tell which figure the typing was made on, and its base is given up."""
        asked = [one for one in self.world.conflicts() if one.field == "available"]
        assert not any(one.base_known for one in asked), "no cell went back to an older figure"
        given_up = {one.remote_key for one in asked} | self.given_up
        return all(self.world.shopify.thing(gid)["available"] == right
                   for gid, right in self.stock.items() if gid not in given_up)

    def _token(self) -> str:
        self.typed += 1
        self.tokens.append(f"token{self.typed}x")
        return self.tokens[-1]

    def _typed_over(self, value: Value) -> None:
        """A person's own overwriting is no loss, as long as nobody else has seen the value."""
        self.tokens = [token for token in self.tokens if token != str(value).casefold()]

    def _row(self) -> int:
        return self.chance.choice(list(self.world.grist.rows["Products"]))

    def _thing(self) -> str:
        return self.chance.choice(list(self.world.shopify.things["products"]))

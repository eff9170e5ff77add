"""A day in a small shop, in chapters: what people do on both sides before each sync.

Whatever they type holds a token of its own (`tok1`, `tok2` …): promise P1 asks for each of them in the end.
Names end up in handles and SKUs, by which the tests speak of things.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from engine.world import World, make_world, shop_mappings
from twins import MemoryShopify

BATCH = 3
LETTERS = "abcdefgh"


def open_shop(path: Path) -> World:
    """Two empty services that know the awkward things: formulas, own spelling, totals, children made by themselves."""
    world = make_world(path, shop_mappings(products={"create_remote": True}, variants={"create_remote": True}),
                       batch_size=BATCH)
    world.grist.formulas["Variants", "compareAtPrice"] = lambda cells: Decimal(str(cells.get("price") or 0)) * 2
    world.shopify.carries_key = {"products", "variants"}
    world.shopify.brings["variants"] = stocked
    world.shopify.minds_parts = True
    return world


def stocked(shop: MemoryShopify, variant: str) -> None:
    for shelf in shop.things["locations"]:
        shop.add("inventory", variant=variant, location=shelf, available=0)


# --- the chapters -------------------------------------------------------------------------------------


def first_sync(world: World) -> None:
    """Shopify is full, Grist holds one row of it, with tags that Shopify lacks."""
    shop = world.shopify
    shop.add("locations", name="Shelf tok1")
    for number, letter in enumerate(LETTERS):
        product = shop.add("products", title=f"Title {letter} tok{10 + number}", handle=letter,
                           vendor=f"tok{20 + number}")
        if letter in "abc":
            variant = shop.add("variants", product=product, sku=f"{letter}1", price="2.00")
            shop.edit(level_of(world, variant), "available", 10)
    world.grist.add_row("Products", title="Title c tok12", handle="c", tags=["tok30"])


def edits(world: World) -> None:
    """Both sides, different cells; one cell on both sides; a handle that Shopify spells its own way; prices that a
    formula goes on from; stock counted here and sold there."""
    grist, shop = world.grist, world.shopify
    type_into(world, "a", "title", "Title a tok40")
    edit(world, "a", "vendor", "tok41")
    type_into(world, "b", "handle", "B And TOK42")
    type_into(world, "c", "title", "tok43 from Grist")
    edit(world, "c", "title", "tok44 from Shopify")
    type_into(world, "a", "tags", ["tok45"])
    edit(world, "a", "tags", ["tok46"])
    edit(world, "c", "tags", ["tok30", "tok47"])
    grist.type("Variants", world.row_of(variant(world, "a1")), "price", "7.50")
    shop.edit(variant(world, "b1"), "price", "3.30")
    count(world, "a1", +5)
    shop.sell(level_of(world, variant(world, "a1")), 2)
    count(world, "b1", +7)
    shop.sell(level_of(world, variant(world, "c1")), 1)


def answers_and_creations(world: World) -> None:
    """The conflict is answered with a third value; new things on both sides, each with a variant; rows are deleted on
    each side (the last row of the table among them), two of them edited on the other."""
    grist, shop = world.grist, world.shopify
    world.choose("value", "tok50 chosen")
    product = grist.add_row("Products", title="tok51", handle="new-grist", vendor="tok52")
    grist.add_row("Variants", product=product, sku="new-grist-1", price="4.00")
    made = shop.add("products", title="tok53", handle="new-shopify", tags=["tok54"])
    shop.add("variants", product=made, sku="new-shopify-1", price="5.00")
    grist.remove_row("Products", world.row_of(named(world, "products", "d")))
    shop.delete(named(world, "products", "e"))
    edit(world, "f", "vendor", "tok55")
    grist.remove_row("Products", world.row_of(named(world, "products", "f")))
    type_into(world, "g", "vendor", "tok56")
    shop.delete(named(world, "products", "g"))
    count(world, "c1", -1)


def freed_row(world: World) -> None:
    """The last row is deleted in Grist; Shopify has something new, whose row gets the freed id."""
    grist = world.grist
    last = max(grist.rows["Products"])
    assert last in world.pairs("products")
    grist.remove_row("Products", last)
    world.shopify.add("products", title="tok60", handle="fresh", vendor="tok61")
    count(world, "a1", +3)
    world.shopify.sell(level_of(world, variant(world, "a1")), 1)


def yes(world: World) -> None:
    """All deletions get a yes, both whole-row conflicts keep what was edited; somebody goes on selling."""
    world.approve()
    for conflict in world.conflicts():
        world.choose("shopify" if conflict.deleted == "local" else "grist", conflict=conflict)
    count(world, "b1", +2)
    world.shopify.sell(level_of(world, variant(world, "b1")), 4)
    edit(world, "h", "title", "tok70")


def keyless(world: World) -> None:
    """New rows in Grist, and a store that keeps no key for what is created: what nobody can look up, nobody repeats."""
    world.shopify.carries_key = set()
    product = world.grist.add_row("Products", title="tok80", handle="keyless")
    world.grist.add_row("Variants", product=product, sku="keyless-1", price="6.00")
    type_into(world, "h", "vendor", "tok81")


CHAPTERS: tuple[Callable[[World], None], ...] = (first_sync, edits, answers_and_creations, freed_row, yes, keyless)
KEYLESS = keyless.__name__


# --- people's hands -----------------------------------------------------------------------------------


def named(world: World, resource: str, name: str) -> str:
    """The gid of what has this handle or SKU in Shopify."""
    field = {"products": "handle", "variants": "sku"}[resource]
    return next(gid for gid, cells in world.shopify.things[resource].items() if cells.get(field) == name)


def variant(world: World, sku: str) -> str:
    return named(world, "variants", sku)


def level_of(world: World, variant: str) -> str:
    return next(gid for gid, cells in world.shopify.things["inventory"].items() if cells["variant"] == variant)


def type_into(world: World, handle: str, field: str, value: object) -> None:
    world.grist.type("Products", world.row_of(named(world, "products", handle)), field, value)


def edit(world: World, handle: str, field: str, value: object) -> None:
    world.shopify.edit(named(world, "products", handle), field, value)


def count(world: World, sku: str, more: int) -> None:
    """Somebody adds to the stock in Grist."""
    row = world.row_of(level_of(world, variant(world, sku)))
    held = world.grist.cell("Inventory", row, "available")
    assert isinstance(held, int)
    world.grist.type("Inventory", row, "available", held + more)

"""A shop whose deletions are carried over without a question, and whose people take back what syncs did.

Deletions in Grist archive a product and delete a variant; those in Shopify remove the row. Then rows come back, rows
that were made go again, and a whole sync is taken back.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from engine.world import World, make_world, shop_mappings

from backend.core.mapping import default_mapping
from backend.core.model import Mapping, Policy, Side
from backend.session import UndoWanted
from backend.shopify.resources import RESOURCES

from .people import BATCH, count, edit, level_of, named, stocked, type_into, variant

PRODUCTS = ("title", "handle", "vendor", "tags", "status", "totalInventory")


def open_shop(path: Path) -> World:
    world = make_world(path, _mappings(), batch_size=BATCH)
    world.grist.formulas["Variants", "compareAtPrice"] = lambda cells: Decimal(str(cells.get("price") or 0)) * 2
    world.shopify.carries_key = {"products", "variants"}
    world.shopify.brings["variants"] = stocked
    world.shopify.minds_parts = True
    world.shopify.defaults["products"] = {"status": "ACTIVE"}
    return world


def _mappings() -> list[Mapping]:
    applied = {"delete_local": Policy.APPLY, "delete_remote": Policy.APPLY}
    wanted = shop_mappings(variants=applied | {"create_remote": True}, inventory={"delete_local": Policy.APPLY})
    products = replace(default_mapping(RESOURCES["products"], fields=PRODUCTS), create_remote=True,
                       delete_local=Policy.APPLY, delete_remote=Policy.ARCHIVE)
    return [products if one.name == "products" else one for one in wanted]


# --- the chapters -------------------------------------------------------------------------------------


def opened(world: World) -> None:
    """Shopify is full, and the first sync brings all of it."""
    shop = world.shopify
    shop.add("locations", name="Shelf tok101")
    for number, letter in enumerate("abcdefgh"):
        product = shop.add("products", title=f"Title {letter} tok{110 + number}", handle=letter,
                           vendor=f"tok{120 + number}")
        if letter == "b":
            shop.edit(product, "tags", ["tok109"])
        if letter in "abcdef":
            made = shop.add("variants", product=product, sku=f"{letter}1", price="2.00")
            shop.edit(level_of(world, made), "available", 10)


def carried_over(world: World) -> None:
    """Products and a variant are deleted in Grist, others in Shopify, one of each edited on the other side."""
    grist, shop = world.grist, world.shopify
    grist.remove_row("Products", world.row_of(named(world, "products", "g")))
    grist.remove_row("Products", world.row_of(named(world, "products", "h")))
    edit(world, "h", "title", "tok130")
    grist.remove_row("Variants", world.row_of(variant(world, "b1")))
    shop.delete(named(world, "products", "c"))
    shop.delete(variant(world, "d1"))
    edit(world, "d", "vendor", "tok132")
    type_into(world, "e", "title", "tok131")
    shop.delete(named(world, "products", "e"))
    count(world, "f1", +3)
    shop.sell(level_of(world, variant(world, "f1")), 2)


def rows_back(world: World) -> UndoWanted:
    """The rows that the sync has removed are to come back, with the references to them; somebody goes on working."""
    type_into(world, "f", "vendor", "tok140")
    world.shopify.sell(level_of(world, variant(world, "f1")), 1)
    return UndoWanted(tuple(
        line.id for line in world.history() if line.kind == "delete" and line.side == Side.LOCAL))


def came_new(world: World) -> None:
    """New products in Shopify, with a variant and its stock, of which the sync makes rows."""
    for number, letter in enumerate("xyz"):
        product = world.shopify.add("products", title=f"tok{150 + number}", handle=letter, vendor=f"tok{160 + number}")
        made = world.shopify.add("variants", product=product, sku=f"{letter}1", price="4.00")
        world.shopify.edit(level_of(world, made), "available", 5)


def rows_gone(world: World) -> UndoWanted:
    """The rows that were just made are to go again. One was edited in Grist, and something was sold of another."""
    type_into(world, "y", "title", "tok170")
    world.shopify.sell(level_of(world, variant(world, "z1")), 2)
    made = {one for letter in "xyz" for one in (
        named(world, "products", letter), variant(world, f"{letter}1"), level_of(world, variant(world, f"{letter}1")))}
    return UndoWanted(tuple(
        line.id for line in world.history()
        if line.kind == "create" and line.side == Side.LOCAL and line.remote_key in made))


def worked(world: World) -> None:
    """A sync of everything: edits on both sides, stock, a list, a new row, a product that goes."""
    type_into(world, "a", "title", "tok180")
    edit(world, "a", "vendor", "tok181")
    type_into(world, "b", "tags", ["tok109", "tok182"])
    edit(world, "b", "tags", ["tok109", "tok183"])
    world.grist.type("Variants", world.row_of(variant(world, "a1")), "price", "8.50")
    count(world, "a1", +4)
    world.grist.add_row("Products", title="tok184", handle="made-here")
    world.shopify.add("products", title="tok185", handle="made-there")
    world.shopify.delete(named(world, "products", "d"))


def run_back(world: World) -> UndoWanted:
    """All of that is to be taken back. One cell was edited since, and something was sold."""
    type_into(world, "a", "vendor", "tok190")
    world.shopify.sell(level_of(world, variant(world, "a1")), 1)
    last = max(line.run_id for line in world.history())
    return UndoWanted(runs=(last,))


CHAPTERS = (opened, carried_over, rows_back, came_new, rows_gone, worked, run_back)
BETWEEN = (opened, came_new, worked)

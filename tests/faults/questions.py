"""A shop that asks: what waits for a yes is put back instead, and what differs is kept apart."""

from __future__ import annotations

from pathlib import Path

from engine.world import World

from . import people
from .people import count, edit, level_of, named, type_into, variant


def open_shop(path: Path) -> World:
    return people.open_shop(path)


def opened(world: World) -> None:
    """Shopify is full, and the first sync brings all of it."""
    people.first_sync(world)


def much_is_gone(world: World) -> None:
    """A product with its variant and their stock goes in Shopify, a product's row and a variant's row in Grist."""
    world.shopify.delete(named(world, "products", "a"))
    world.shopify.delete(named(world, "products", "e"))
    world.grist.remove_row("Products", world.row_of(named(world, "products", "d")))
    world.grist.remove_row("Variants", world.row_of(variant(world, "b1")))


def put_back(world: World) -> None:
    """All of that is to be made again, while one of the rows that are left is edited and something is sold."""
    world.put_back()
    (row,) = (row for row, cells in world.grist.rows["Products"].items() if cells["handle"] == "a")
    world.grist.type("Products", row, "vendor", "tok210")
    edit(world, "d", "vendor", "tok211")
    count(world, "c1", +2)
    world.shopify.sell(level_of(world, variant(world, "c1")), 1)


def both_differ(world: World) -> None:
    """One cell differs, one row is edited and its product deleted, one product is edited and its row deleted."""
    type_into(world, "b", "title", "tok220")
    edit(world, "b", "title", "tok221")
    type_into(world, "f", "vendor", "tok222")
    world.shopify.delete(named(world, "products", "f"))
    edit(world, "g", "vendor", "tok223")
    world.grist.remove_row("Products", world.row_of(named(world, "products", "g")))


def kept_apart(world: World) -> None:
    """All three are left as they are; people go on typing there and beside it."""
    for conflict in world.conflicts():
        world.keep_apart(conflict)
    type_into(world, "b", "title", "tok230")
    edit(world, "b", "title", "tok231")
    edit(world, "b", "vendor", "tok232")
    edit(world, "g", "title", "tok233")
    type_into(world, "h", "title", "tok234")


def asked_again(world: World) -> None:
    """Somebody wants all of it to take part again, and types once more."""
    assert world.ask_again() == 3
    type_into(world, "b", "title", "tok240")
    count(world, "b1", +1)


CHAPTERS = (opened, much_is_gone, put_back, both_differ, kept_apart, asked_again)
BETWEEN = (opened, much_is_gone, both_differ)

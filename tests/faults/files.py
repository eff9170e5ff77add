"""A shop in which so much is edited at once that it goes to Shopify as a file."""

from __future__ import annotations

from pathlib import Path

from engine.world import World

from . import people
from .people import LETTERS, edit, type_into, variant


def open_shop(path: Path) -> World:
    world = people.open_shop(path)
    world.shopify.files_from = 4
    return world


def opened(world: World) -> None:
    people.first_sync(world)


def much_at_once(world: World) -> None:
    """Every product gets another title in Grist, some another maker in Shopify; one cell differs; prices change, too,
    but not enough of them for a file."""
    for number, letter in enumerate(LETTERS):
        type_into(world, letter, "title", f"Title {letter} tok{310 + number}")
        if letter in "bcd":
            edit(world, letter, "vendor", f"tok{320 + number}")
    type_into(world, "g", "vendor", "tok330")
    edit(world, "h", "title", "tok331")
    for letter in "ab":
        world.grist.type("Variants", world.row_of(variant(world, f"{letter}1")), "price", "9.50")


CHAPTERS = (opened, much_at_once)
BETWEEN = (opened,)

"""Taking back what was written: P17. An undo is a new change that later syncs keep."""

from __future__ import annotations

from typing import Any

import pytest

from backend.core.guard import Limits
from backend.core.model import Direction
from backend.core.undo import EDITED, FROM_SHOPIFY, NOT_WRITTEN
from backend.errors import BrakeError, OutcomeUnknown
from backend.session import UndoWanted

from .conftest import Shop
from .world import World, lose_an_answer, with_rules


def lines(world: World, field: str) -> list[int]:
    """The history's lines about a field, newest first."""
    return [row.id for row in reversed(world.history()) if row.field == field]


def undo(world: World, *changes: int, **more: Any) -> Any:
    return world.run(undo=UndoWanted(tuple(changes)), **more)


def title_everywhere(shop: Shop) -> tuple[Any, Any]:
    world = shop.world
    return world.grist.cell("Products", shop.row, "title"), world.shopify.thing(shop.product)["title"]


def test_a_change_from_grist_is_taken_back_on_both_sides(shop: Shop) -> None:
    world = shop.world
    world.grist.type("Products", shop.row, "title", "Cup")
    world.run()
    report = undo(world, *lines(world, "title"))
    assert (report.undone, report.stays) == (1, [])
    assert title_everywhere(shop) == ("Mug", "Mug")
    world.forget_what_was_written()
    world.run()
    assert world.written == [], "later syncs keep it"


def test_a_change_from_shopify_is_taken_back_on_both_sides(shop: Shop) -> None:
    world = shop.world
    world.shopify.edit(shop.product, "title", "Cup")
    world.run()
    undo(world, *lines(world, "title"))
    assert title_everywhere(shop) == ("Mug", "Mug")


def test_an_undo_in_a_restored_document_writes_nothing(shop: Shop) -> None:
    world = shop.world
    world.shopify.edit(shop.product, "vendor", "Acme")
    world.run()
    kept = world.grist.snapshot()
    world.grist.type("Products", shop.row, "title", "Cup")
    world.run()
    world.grist.restore(kept)
    world.forget_what_was_written()
    with pytest.raises(BrakeError, match=r"restored to an older state.* Nothing was written"):
        undo(world, *lines(world, "vendor"))
    assert world.written == []
    assert undo(world, *lines(world, "vendor"), go_on=True).undone == 1


def test_a_brake_after_an_undo_does_not_say_that_nothing_was_written(shop: Shop) -> None:
    world = shop.world
    gids = [world.shopify.add("products", title=f"Cup {n}", handle=f"cup-{n}") for n in range(4)]
    world.run()
    world.grist.type("Products", shop.row, "title", "Cup")
    world.run()
    for gid in gids:
        world.shopify.delete(gid)
    world.limits = Limits(deletions=2)
    with pytest.raises(BrakeError, match="Nothing more was written"):
        undo(world, *lines(world, "title"))
    assert world.shopify.thing(shop.product)["title"] == "Mug"


def test_a_line_that_was_edited_since_stays(shop: Shop) -> None:
    world = shop.world
    world.shopify.edit(shop.product, "title", "Cup")
    world.run()
    world.grist.type("Products", shop.row, "title", "Beaker")
    report = undo(world, *lines(world, "title"))
    assert [one["reason"] for one in report.stays] == [EDITED]
    assert title_everywhere(shop) == ("Beaker", "Beaker")


def test_several_lines_of_one_cell_go_back_to_the_oldest(shop: Shop) -> None:
    world = shop.world
    for title in ("Cup", "Beaker", "Jug"):
        world.grist.type("Products", shop.row, "title", title)
        world.run()
    report = undo(world, *lines(world, "title"))
    assert (report.undone, title_everywhere(shop)) == (3, ("Mug", "Mug"))


def test_a_whole_sync_is_taken_back(shop: Shop) -> None:
    world = shop.world
    world.grist.type("Products", shop.row, "title", "Cup")
    world.grist.type("Variants", world.row_of(shop.variant), "sku", "m2")
    world.run()
    world.run(undo=UndoWanted(runs=(world.last_run,)))
    assert title_everywhere(shop) == ("Mug", "Mug")
    assert world.shopify.thing(shop.variant)["sku"] == "m1"


def test_stock_is_taken_back_as_a_difference(shop: Shop) -> None:
    world = shop.world
    world.grist.type("Inventory", shop.level_row, "available", 15)
    world.run()
    world.shopify.sell(shop.level, 2)
    world.run()
    undo(world, lines(world, "available")[-1])
    assert world.shopify.thing(shop.level)["available"] == 8, "five less, and the sale stays"
    assert world.grist.cell("Inventory", shop.level_row, "available") == 8
    assert world.conflicts() == []


def test_what_the_next_sync_would_write_again_stays(shop: Shop) -> None:
    world = shop.world
    world.shopify.sell(shop.level, 2)
    world.run()
    report = undo(world, *lines(world, "totalInventory"))
    assert [one["reason"] for one in report.stays] == [FROM_SHOPIFY]


def test_what_is_only_read_since_is_not_written(shop: Shop) -> None:
    world = shop.world
    world.grist.type("Products", shop.row, "title", "Cup")
    world.run()
    world.mappings[0] = with_rules(world.mappings[0], title={"direction": Direction.TO_GRIST})
    for twin in (world.grist, world.shopify):
        twin.mappings["products"] = world.mappings[0]
    report = undo(world, *lines(world, "title"))
    assert [one["reason"] for one in report.stays] == [NOT_WRITTEN]
    assert title_everywhere(shop) == ("Cup", "Cup")


def test_a_preview_of_an_undo_writes_nothing_and_is_what_runs(shop: Shop) -> None:
    world = shop.world
    world.grist.type("Products", shop.row, "title", "Cup")
    world.run()
    world.forget_what_was_written()
    before = world.stored()
    report = undo(world, *lines(world, "title"), preview=True)
    assert [(line["side"], line["before"], line["after"]) for line in report.plan] == [("shopify", "Cup", "Mug")]
    assert world.written == []
    assert {name: rows for name, rows in world.stored().items() if name != "run"} == {
        name: rows for name, rows in before.items() if name != "run"}


def test_a_line_is_taken_back_once(shop: Shop) -> None:
    world = shop.world
    world.grist.type("Inventory", shop.level_row, "available", 15)
    world.run()
    line = lines(world, "available")[-1]
    undo(world, line)
    undo(world, line)
    assert world.shopify.thing(shop.level)["available"] == 10


def test_an_undo_whose_answer_was_lost_happens_once(shop: Shop) -> None:
    world = shop.world
    world.grist.type("Inventory", shop.level_row, "available", 15)
    world.run()
    line = lines(world, "available")[-1]
    lose_an_answer(world.shopify)
    with pytest.raises(OutcomeUnknown):
        undo(world, line)
    undo(world, line)
    assert world.shopify.thing(shop.level)["available"] == 10
    assert world.grist.cell("Inventory", shop.level_row, "available") == 10

"""Cells that somebody has taken out of the sync: neither half is written, whatever is typed, until they ask again."""

from __future__ import annotations

import pytest

from backend.core.model import Mapping, Policy, Side
from backend.session import UndoWanted
from backend.store import base

from .conftest import MakeWorld, Shop
from .world import World, shop_mappings


def both(shop: Shop) -> tuple[object, object]:
    return shop.world.grist.cell("Products", shop.row, "title"), shop.world.shopify.thing(shop.product)["title"]


def kept(shop: Shop) -> set[tuple[str, str]]:
    return shop.world.apart()


@pytest.fixture
def apart_shop(shop: Shop) -> Shop:
    """Title differs on both sides, and somebody keeps it apart."""
    shop.world.grist.type("Products", shop.row, "title", "Grist's")
    shop.world.shopify.edit(shop.product, "title", "Shopify's")
    shop.world.run()
    shop.world.keep_apart()
    shop.world.forget_what_was_written()
    return shop


def test_neither_half_is_written_and_nobody_is_asked_again(apart_shop: Shop) -> None:
    world = apart_shop.world
    for _ in range(2):
        report = world.run(everything=True)
        assert (world.written, world.conflicts(), report.totals["conflicts"]) == ([], [], 0)
    assert both(apart_shop) == ("Grist's", "Shopify's")


@pytest.mark.parametrize("edits", [
    {"grist": "Newer"}, {"shopify": "Newer"}, {"grist": "Newer", "shopify": "Other"}, {"grist": "Mug"},
    {"shopify": "Mug"}, {"grist": None}, {"grist": "Shopify's"},
])
def test_edits_of_such_a_cell_stay_where_they_were_made(apart_shop: Shop, edits: dict[str, str | None]) -> None:
    """Also where a side goes back to what both agreed on: then a sync would take the other's value for an edit."""
    world, held = apart_shop.world, dict(zip(("grist", "shopify"), both(apart_shop), strict=True))
    if "grist" in edits:
        world.grist.type("Products", apart_shop.row, "title", edits["grist"])
    if "shopify" in edits:
        world.shopify.edit(apart_shop.product, "title", edits["shopify"])
    world.run()
    world.run(everything=True)
    assert (world.written, world.conflicts()) == ([], [])
    assert both(apart_shop) == tuple((held | edits).values())


def test_the_other_cells_of_its_row_flow(apart_shop: Shop) -> None:
    world = apart_shop.world
    world.grist.type("Products", apart_shop.row, "vendor", "Potters")
    world.shopify.edit(apart_shop.product, "tags", ["green"])
    world.run()
    assert world.shopify.thing(apart_shop.product)["vendor"] == "Potters"
    assert world.grist.cell("Products", apart_shop.row, "tags") == ("green",)
    assert both(apart_shop) == ("Grist's", "Shopify's")


def test_asked_again_it_is_a_conflict_on_what_stands_there_now(apart_shop: Shop) -> None:
    world = apart_shop.world
    world.grist.type("Products", apart_shop.row, "title", "Newer")
    world.run()
    world.ask_again()
    world.run()
    (conflict,) = world.conflicts()
    assert (conflict.base, conflict.local, conflict.remote) == ("Mug", "Newer", "Shopify's")
    world.choose("grist")
    world.run()
    assert both(apart_shop) == ("Newer", "Newer")
    assert kept(apart_shop) == set()


def test_asked_again_where_both_agree_by_now_nobody_is_asked(apart_shop: Shop) -> None:
    world = apart_shop.world
    world.grist.type("Products", apart_shop.row, "title", "Shopify's")
    world.run()
    world.ask_again()
    world.run()
    assert (world.written, world.conflicts()) == ([], [])
    world.shopify.edit(apart_shop.product, "title", "Newest")
    world.run()
    assert both(apart_shop) == ("Newest", "Newest")


def test_it_stays_the_same_cell_when_its_row_moves(apart_shop: Shop) -> None:
    world, row = apart_shop.world, apart_shop.row
    copy = world.grist.copy_row("Products", row)
    world.grist.remove_row("Products", row)
    world.run()
    world.run(everything=True)
    assert world.row_of(apart_shop.product) == copy
    assert (world.conflicts(), both(apart_shop)) == ([], ("Grist's", "Shopify's"))


def test_a_preview_says_nothing_of_it_either(apart_shop: Shop) -> None:
    report = apart_shop.world.run(preview=True, everything=True)
    assert (report.plan, report.totals["conflicts"]) == ([], 0)


def test_an_undo_of_what_was_written_there_before_is_kept_by_later_syncs(shop: Shop) -> None:
    """To undo is to say what shall stand there, and the sync that follows writes nothing over it."""
    world = shop.world
    world.shopify.edit(shop.product, "title", "Shopify's first")
    world.run()
    (line,) = [one for one in world.history() if one.field == "title" and one.kind == "update"]
    world.shopify.edit(shop.product, "vendor", "theirs")
    world.grist.type("Products", shop.row, "vendor", "mine")
    world.run()
    world.keep_apart()
    world.run(undo=UndoWanted(changes=[line.id]))
    assert both(shop) == ("Mug", "Mug")
    assert world.grist.cell("Products", shop.row, "vendor") == "mine"
    assert world.shopify.thing(shop.product)["vendor"] == "theirs"


def test_with_the_pair_goes_what_was_kept_apart(apart_shop: Shop) -> None:
    world = apart_shop.world
    world.shopify.delete(apart_shop.product)
    world.grist.remove_row("Products", apart_shop.row)
    world.run(everything=True, go_on=True)
    with world.database.read() as tx:
        assert base.keys(tx, world.mapping("products").id) == []
    assert kept(apart_shop) == set()


# --- whole rows -----------------------------------------------------------------------------------------


def policies(where: Side, policy: Policy) -> list[Mapping]:
    other = "delete_remote" if where is Side.LOCAL else "delete_local"
    return shop_mappings(products={other: policy})


def left_alone(new_world: MakeWorld, where: Side, policy: Policy = Policy.PROPOSE) -> tuple[World, str]:
    """A row gone on one side and edited on the other, and somebody leaves both as they are; the gid of its product."""
    world = new_world(policies(where, policy))
    mugs = [world.shopify.add("products", title=f"Mug {n}", handle=f"mug-{n}") for n in range(6)]
    world.run()
    row = world.row_of(mugs[0])
    if where is Side.LOCAL:
        world.grist.remove_row("Products", row)
        world.shopify.edit(mugs[0], "title", "Edited")
    else:
        world.grist.type("Products", row, "title", "Edited")
        world.shopify.delete(mugs[0])
    world.run(everything=True)
    world.keep_apart()
    world.forget_what_was_written()
    return world, mugs[0]


@pytest.mark.parametrize("where", [Side.LOCAL, Side.REMOTE])
@pytest.mark.parametrize("policy", [Policy.PROPOSE, Policy.APPLY, Policy.ARCHIVE])
def test_a_row_that_is_gone_on_one_side_and_edited_on_the_other_may_be_left_as_it_is(
        new_world: MakeWorld, where: Side, policy: Policy) -> None:
    if where is Side.REMOTE and policy is Policy.ARCHIVE:
        policy = Policy.APPLY  # there is nothing to archive in Grist
    world, mug = left_alone(new_world, where, policy)
    if where is Side.LOCAL:
        world.shopify.edit(mug, "title", "Edited again")
    else:
        world.grist.type("Products", 1, "title", "Edited again")
    world.run()
    world.run(everything=True)
    assert (world.written, world.conflicts(), world.deletions()) == ([], [], [])


@pytest.mark.parametrize("where", [Side.LOCAL, Side.REMOTE])
def test_asked_again_about_such_a_row_it_is_a_conflict_once_more(new_world: MakeWorld, where: Side) -> None:
    world, mug = left_alone(new_world, where)
    world.ask_again()
    world.run()
    (conflict,) = world.conflicts()
    assert (conflict.remote_key, conflict.field, conflict.deleted) == (mug, "", where.value)


def test_a_row_that_has_both_halves_again_takes_part_again(new_world: MakeWorld) -> None:
    world, mug = left_alone(new_world, Side.LOCAL)
    row = world.grist.add_row("Products", title="Back again", handle="mug-0")
    world.grist.set_mark("Products", row, mug)
    world.run()
    assert world.apart() == set()
    world.grist.type("Products", row, "vendor", "Potters")
    world.run()
    assert world.shopify.thing(mug)["vendor"] == "Potters"
    world.grist.remove_row("Products", row)
    world.run()
    (conflict,) = world.conflicts()
    assert (conflict.remote_key, conflict.field) == (mug, "")

"""A deletion that waits, answered by making the half that is gone again out of the half that is left."""

from __future__ import annotations

from typing import Any

import pytest

from backend.core.model import Side
from backend.errors import RetryLater
from backend.store import waiting

from .conftest import MakeWorld, Shop
from .test_engine_deletions import cut_off_at, delete, edit, one_product
from .world import World


def answered(world: World) -> set[tuple[Side, object]]:
    with world.database.read() as tx:
        return waiting.answered_deletions(tx, world.mapping("products").id).put_back


@pytest.mark.parametrize("side", Side)
def test_what_is_gone_is_made_again_out_of_what_is_left(new_world: MakeWorld, side: Side) -> None:
    world, gid = one_product(new_world)
    row = world.row_of(gid)
    delete(world, side, gid)
    world.run()
    world.put_back()
    assert world.deletions() == []
    report = world.run()
    assert (report.totals["created"], report.totals["deleted"], world.deletions(), answered(world)) == (1, 0, [], set())
    if side is Side.LOCAL:
        assert world.pairs("products")[world.row_of(gid)] == gid
    else:
        assert world.pairs("products")[row] in world.shopify.things["products"]
        assert world.pairs("products")[row] != gid
    assert world.differences() == []
    world.forget_what_was_written()
    world.run()
    world.run(everything=True)
    assert (world.written, world.conflicts(), world.deletions()) == ([], [], [])


def test_a_row_that_is_back_when_it_is_to_be_made_again_stays_the_only_one(new_world: MakeWorld) -> None:
    """Found by a random world: somebody presses undo in Grist while the sync looks."""
    world, gid = one_product(new_world)
    row = world.row_of(gid)
    world.grist.remove_row("Products", row)
    world.run()
    world.put_back()
    holding, back = world.grist.holding, []

    def undone(*asked: Any) -> Any:
        if not back:
            back.append(world.grist.press_undo())
        return holding(*asked)

    world.grist.holding = undone  # type: ignore[method-assign]
    world.run()
    world.grist.holding = holding  # type: ignore[method-assign]
    for _ in range(2):
        world.run()
    assert back == [True]
    assert list(world.grist.marks["Products"].values()).count(gid) == 1
    assert (world.pairs("products")[row], world.deletions(), answered(world)) == (gid, [], set())


@pytest.mark.parametrize("side", Side)
def test_an_edit_after_that_answer_goes_along(new_world: MakeWorld, side: Side) -> None:
    """It is what the half that is left holds that is made again, and so nobody needs to be asked about the edit."""
    world, gid = one_product(new_world)
    row = world.row_of(gid)
    delete(world, side, gid)
    world.run()
    world.put_back()
    edit(world, side.other, gid)
    world.run()
    assert (world.conflicts(), world.differences()) == ([], [])
    assert len(world.pairs("products")) == 2
    now = world.shopify.thing(world.pairs("products")[world.row_of(gid) if side is Side.LOCAL else row])
    assert now["title"] != "Mug"


@pytest.mark.parametrize("cut_off", [False, True])
def test_what_refers_to_a_row_that_is_put_back_shows_it_again(shop: Shop, cut_off: bool) -> None:
    """Found by the crash test: Grist clears references to a deleted row, and only an audit brought them back."""
    world = shop.world
    world.grist.remove_row("Variants", world.row_of(shop.variant))
    world.run()
    world.put_back()
    if cut_off:
        cut_off_at(world, "grist.read.inventory")
    world.run()
    assert world.grist.cell("Inventory", shop.level_row, "variant") == world.row_of(shop.variant)
    assert (world.conflicts(), world.differences()) == ([], [])


def test_what_came_back_by_itself_is_not_made_a_second_time(new_world: MakeWorld) -> None:
    world, gid = one_product(new_world)
    cells = dict(world.shopify.things["products"][gid])
    delete(world, Side.REMOTE, gid)
    world.run()
    world.put_back()
    world.shopify.restore("products", gid, cells)
    world.run()
    world.run(everything=True)
    assert len(world.shopify.things["products"]) == 2
    assert (answered(world), world.deletions(), world.differences()) == (set(), [], [])


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_cut_off_it_is_made_once_all_the_same(new_world: MakeWorld, side: Side, moment: str) -> None:
    world, gid = one_product(new_world)
    world.shopify.carries_key = {"products"}
    delete(world, side, gid)
    world.run()
    world.put_back()
    cut_off_at(world, f"{'grist' if side is Side.LOCAL else 'shopify'}.apply.products.{moment}")
    for _ in range(2):
        world.run()
    assert len(world.shopify.things["products"]) == len(world.grist.rows["Products"]) == 2
    assert (answered(world), world.deletions(), world.differences()) == (set(), [], [])


def test_a_yes_and_a_put_back_are_different_answers(new_world: MakeWorld) -> None:
    """Whichever came first stands: the second finds nothing that waits."""
    world, gid = one_product(new_world)
    delete(world, Side.LOCAL, gid)
    world.run()
    world.approve()
    world.put_back()
    assert answered(world) == set()
    world.run()
    assert gid not in world.shopify.things["products"]


def test_a_refused_one_is_listed_and_goes_on_being_wanted(new_world: MakeWorld) -> None:
    world, gid = one_product(new_world)
    delete(world, Side.REMOTE, gid)
    world.run()
    world.put_back()
    world.shopify.refuses = lambda op: "Too many products today."
    world.run()
    assert [one.message for one in world.refusals()] == ["Too many products today."]
    world.shopify.refuses = lambda op: None
    world.run()
    assert (world.refusals(), answered(world), world.differences()) == ([], set(), [])


def test_a_line_that_dies_before_the_answer_was_read_changes_nothing(new_world: MakeWorld) -> None:
    world, gid = one_product(new_world)
    delete(world, Side.REMOTE, gid)
    world.run()
    world.put_back()

    def dead(point: str) -> None:
        raise RetryLater("The line is dead.")

    world.shopify.on_io = dead
    world.run_until(RetryLater)
    world.shopify.on_io = lambda point: None
    assert len(answered(world)) == 1


def test_where_rows_may_be_hidden_none_is_made_again(new_world: MakeWorld) -> None:
    """One of them may be the row."""
    world, gid = one_product(new_world)
    delete(world, Side.LOCAL, gid)
    world.run()
    world.put_back()
    world.grist.refuse_sql()
    world.run(everything=True)
    assert len(world.grist.rows["Products"]) == 1
    (told,) = world.refusals()
    assert told.message.startswith("Its row is not made again yet")
    assert told.waits
    world.grist.allow_sql()
    world.run(everything=True)
    assert len(world.grist.rows["Products"]) == 2
    assert (world.refusals(), answered(world), world.differences()) == ([], set(), [])

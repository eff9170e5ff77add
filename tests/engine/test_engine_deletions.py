"""Deletions: proposed, approved, applied, ignored, kept, cancelled by reappearance; and row ids given away again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from backend.core.mapping import default_mapping
from backend.core.model import Policy, Side
from backend.errors import BrakeError, RetryLater
from backend.shopify.resources import RESOURCES
from backend.store import base

from .conftest import MakeWorld, Shop
from .test_engine_sync import cut_off_at, many
from .world import World, shop_mappings

SIDES = list(Side)
"""The side on which somebody deletes."""


def one_product(new_world: MakeWorld, **settings: object) -> tuple[World, str]:
    """A world with two products; the gid of the first."""
    world = new_world(shop_mappings(products=settings)[:1])
    return world, many(world, 2)[0]


def delete(world: World, side: Side, gid: str) -> None:
    if side is Side.LOCAL:
        world.grist.remove_row("Products", world.row_of(gid))
    else:
        world.shopify.delete(gid)


def left(world: World, side: Side) -> int:
    """How many there are on the side where nobody deleted."""
    return len(world.shopify.things["products"]) if side is Side.LOCAL else len(world.grist.rows["Products"])


@pytest.mark.parametrize("side", SIDES)
def test_a_deletion_is_proposed_and_waits(new_world: MakeWorld, side: Side) -> None:
    world, gid = one_product(new_world)
    delete(world, side, gid)
    for _ in range(2):
        report = world.run()
        assert report.totals["proposed_deletions"] == 1
        assert world.written == []
    (waiting,) = world.deletions()
    assert (waiting.side, waiting.title) == (side.other, "Mug 0")


@pytest.mark.parametrize("policy", [Policy.PROPOSE, Policy.APPLY])
def test_a_row_of_which_a_cell_is_hidden_by_now_is_not_deleted_until_it_can_be_seen(
    new_world: MakeWorld, policy: Policy
) -> None:
    """Found by a random world: what somebody typed where access rules hide it went with the row."""
    world, gid = one_product(new_world, delete_local=policy)
    row = world.row_of(gid)
    world.shopify.delete(gid)
    if policy is Policy.PROPOSE:
        world.run()
        world.approve()
    world.grist.hide_cell("Products", row, "title")
    world.grist.type("Products", row, "title", "Typed where the sync does not see it")
    for _ in range(2):
        world.run()
        assert row in world.grist.rows["Products"]
    (listed,) = world.refusals()
    assert listed.message == "This row is not deleted yet: its Title cannot be seen and may have been edited."
    world.grist.show_cell("Products", row, "title")
    world.run(everything=True)
    (conflict,) = world.conflicts()
    assert (conflict.deleted, row in world.grist.rows["Products"]) == (Side.REMOTE, True)


def test_rows_imported_anew_while_a_run_writes_are_known_by_the_next_one(new_world: MakeWorld) -> None:
    """Found by a random world: the second look, which reads what was written only, took the row for a freed one."""
    world, gid = one_product(new_world, delete_local=Policy.APPLY, delete_remote=Policy.APPLY)
    other = next(one for one in world.shopify.things["products"] if one != gid)
    world.grist.type("Products", world.row_of(gid), "title", "Typed")

    def imported(point: str) -> None:
        if point == "shopify.apply.products.after":
            world.shopify.on_io = lambda _: None
            world.grist.import_over("Products", with_ids=True)

    world.shopify.on_io = imported
    world.run()
    assert set(world.shopify.things["products"]) == {gid, other}
    assert world.grist.marks["Products"] == {1: other, 2: gid}, "the import has given the ids anew"
    assert not world.deletions()
    with world.database.read() as tx:
        assert {row for row, _ in base.keys(tx, world.mapping("products").id)} == {1, 2}, "no row was taken for gone"
    world.run()
    assert set(world.shopify.things["products"]) == {gid, other}
    assert world.pairs("products") == {1: other, 2: gid}, "they are known by their Shopify IDs and what they hold"
    assert world.refusals() == world.deletions() == []


def test_what_goes_while_a_run_writes_is_deleted_by_the_next_one_under_its_brakes(new_world: MakeWorld) -> None:
    world = new_world(shop_mappings(products={"create_remote": True}, variants={"delete_local": Policy.APPLY}))
    for gid in many(world, 2):
        world.shopify.add("variants", product=gid, sku=gid[-1], price=Decimal("1.00"))
    gone, stays = world.shopify.things["variants"]
    world.run()
    world.grist.add_row("Products", title="New", handle="new")

    def goes(point: str) -> None:
        if point == "shopify.apply.products.after":
            world.shopify.on_io = lambda _: None
            world.shopify.delete(gone)

    world.shopify.on_io = goes
    world.run()
    assert {gone, stays} <= set(world.grist.marks["Variants"].values()), "a new product makes all variants looked at"
    world.run()
    assert gone not in world.grist.marks["Variants"].values()


def test_what_somebody_edits_right_before_it_is_deleted_is_asked_for(new_world: MakeWorld) -> None:
    """Found by a random world: an edit after the look, in a thing that a rule deletes in Shopify."""
    world, gid = one_product(new_world, delete_remote=Policy.APPLY)
    again = world.shopify.again

    def edited(*asked: Any) -> Any:
        world.shopify.again = again  # type: ignore[method-assign]
        world.shopify.edit(gid, "title", "Edited")
        return again(*asked)

    world.shopify.again = edited  # type: ignore[method-assign]
    delete(world, Side.LOCAL, gid)
    world.run()
    assert world.shopify.thing(gid)["title"] == "Edited"
    (conflict,) = world.conflicts()
    assert (conflict.remote_key, conflict.field) == (gid, "")


@pytest.mark.parametrize("policy", [Policy.APPLY, Policy.PROPOSE])
def test_a_row_that_comes_back_right_before_its_thing_is_deleted_keeps_it(
    new_world: MakeWorld, policy: Policy
) -> None:
    """Somebody presses undo in Grist while the sync looks: Shopify deletes for good."""
    world, gid = one_product(new_world, delete_remote=policy)
    row = world.row_of(gid)
    world.grist.remove_row("Products", row)
    if policy is Policy.PROPOSE:
        world.run()
        world.approve()
    again = world.shopify.again

    def undone(*asked: Any) -> Any:
        world.shopify.again = again  # type: ignore[method-assign]
        assert world.grist.press_undo()
        return again(*asked)

    world.shopify.again = undone  # type: ignore[method-assign]
    world.run()
    assert gid in world.shopify.things["products"]
    for _ in range(2):
        world.run()
    assert (world.pairs("products")[row], world.deletions()) == (gid, [])
    assert gid in world.shopify.things["products"]


def test_no_two_things_have_one_row(new_world: MakeWorld) -> None:
    """A row is deleted right before what is new in Shopify is written, and that gets its id."""
    world, first = one_product(new_world)
    last = max(world.pairs("products"))
    old = world.pairs("products")[last]

    def deleted(point: str) -> None:
        if point == "grist.apply.products.before" and old in world.pairs("products").values():
            world.grist.remove_row("Products", last)

    world.grist.on_io = deleted
    new = world.shopify.add("products", title="New", handle="new")
    world.run()
    assert world.pairs("products") == {world.row_of(first): first, last: new}
    with world.database.read() as tx:
        assert {thing for row, thing in base.keys(tx, world.mapping("products").id) if row == last} == {new}
    world.run()
    assert [one.key for one in world.deletions()] == [old]


def test_no_row_refers_to_one_that_nobody_has_looked_at(shop: Shop) -> None:
    """Found by a random world: products are paused, and the row of one was deleted meanwhile."""
    world = shop.world
    variant, row = world.row_of(shop.variant), shop.row
    world.grist.pause("products")
    world.grist.remove_row("Products", row)
    world.run()
    assert world.grist.cell("Variants", variant, "product") is None
    world.grist.go_on("products")
    world.run()
    assert world.grist.cell("Variants", variant, "product") is None
    assert len(world.deletions()) == 1


@pytest.mark.parametrize("everything", [True, False])
def test_no_row_refers_to_one_that_a_read_did_not_show(shop: Shop, everything: bool) -> None:
    """Where access rules may hide rows, one that is not shown may be gone, and its id may be another's tomorrow."""
    world = shop.world
    variant = world.row_of(shop.variant)
    world.grist.doubt("products")
    world.grist.remove_row("Products", shop.row)
    world.run(everything=everything)
    assert world.grist.cell("Variants", variant, "product") is None


@pytest.mark.parametrize("side", SIDES)
def test_an_approved_deletion_is_made_once(new_world: MakeWorld, side: Side) -> None:
    world, gid = one_product(new_world)
    delete(world, side, gid)
    world.run()
    world.approve()
    report = world.run()
    assert (report.totals["deleted"], report.totals["proposed_deletions"]) == (1, 0)
    assert left(world, side) == 1
    assert world.deletions() == []
    world.forget_what_was_written()
    world.run()
    assert world.written == []


@pytest.mark.parametrize("side", SIDES)
def test_deletions_are_applied_where_the_mapping_says_so(new_world: MakeWorld, side: Side) -> None:
    world, gid = one_product(new_world, delete_local=Policy.APPLY, delete_remote=Policy.APPLY)
    delete(world, side, gid)
    assert world.run().totals["deleted"] == 1
    assert left(world, side) == 1


@pytest.mark.parametrize("side", SIDES)
def test_deletions_are_ignored_where_the_mapping_says_so(new_world: MakeWorld, side: Side) -> None:
    world, gid = one_product(new_world, delete_local=Policy.IGNORE, delete_remote=Policy.IGNORE)
    delete(world, side, gid)
    for _ in range(2):
        world.run()
    assert world.written == []
    assert world.deletions() == []
    assert left(world, side) == 2


@pytest.mark.parametrize("side", SIDES)
def test_a_kept_deletion_is_not_asked_again(new_world: MakeWorld, side: Side) -> None:
    world, gid = one_product(new_world)
    delete(world, side, gid)
    world.run()
    world.keep()
    report = world.run()
    assert (report.totals["proposed_deletions"], report.waits_for_somebody) == (0, False)
    assert world.written == []
    assert left(world, side) == 2


def test_what_reappears_in_shopify_is_no_longer_asked_about(new_world: MakeWorld) -> None:
    world, gid = one_product(new_world)
    cells = dict(world.shopify.things["products"][gid])
    world.shopify.delete(gid)
    world.run()
    world.approve()
    world.shopify.restore("products", gid, cells)
    world.run()
    assert world.deletions() == []
    assert world.written == []
    world.shopify.delete(gid)
    world.run()
    assert len(world.deletions()) == 1, "the yes was for the other time"
    assert world.written == []


def test_an_undo_in_grist_takes_the_proposal_back(new_world: MakeWorld) -> None:
    world, gid = one_product(new_world)
    world.grist.remove_row("Products", world.row_of(gid))
    world.run()
    world.grist.press_undo()
    world.run()
    assert world.deletions() == []
    assert world.written == []


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("policy", [Policy.PROPOSE, Policy.APPLY])
def test_a_deletion_against_an_edit_asks(new_world: MakeWorld, side: Side, policy: Policy) -> None:
    world, gid = one_product(new_world, delete_local=policy, delete_remote=policy)
    edit(world, side.other, gid)
    delete(world, side, gid)
    report = world.run()
    assert report.totals["conflicts"] == 1
    assert world.written == []
    (conflict,) = world.conflicts()
    assert (conflict.deleted, conflict.edits) == (side, [{"field": "vendor", "before": None, "after": "Potter"}])


def edit(world: World, side: Side, gid: str) -> None:
    if side is Side.LOCAL:
        world.grist.type("Products", world.row_of(gid), "vendor", "Potter")
    else:
        world.shopify.edit(gid, "vendor", "Potter")


@pytest.mark.parametrize("side", SIDES)
def test_the_deletion_wins_where_somebody_chooses_it(new_world: MakeWorld, side: Side) -> None:
    world, gid = one_product(new_world)
    edit(world, side.other, gid)
    delete(world, side, gid)
    world.run()
    world.choose("grist" if side is Side.LOCAL else "shopify")
    assert world.run().totals["deleted"] == 1
    assert left(world, side) == 1
    assert world.conflicts() == []


@pytest.mark.parametrize("side", SIDES)
def test_the_edit_wins_where_somebody_chooses_it(new_world: MakeWorld, side: Side) -> None:
    world, gid = one_product(new_world)
    edit(world, side.other, gid)
    delete(world, side, gid)
    world.run()
    world.choose("shopify" if side is Side.LOCAL else "grist")
    world.run()
    assert world.conflicts() == []
    assert world.differences() == []
    assert len(world.grist.rows["Products"]) == len(world.shopify.things["products"]) == 2
    assert "Potter" in [cells.get("vendor") for cells in world.shopify.things["products"].values()]
    world.forget_what_was_written()
    world.run()
    assert world.written == []


def test_both_halves_gone_end_the_pair(new_world: MakeWorld) -> None:
    world, gid = one_product(new_world)
    world.grist.remove_row("Products", world.row_of(gid))
    world.shopify.delete(gid)
    world.run()
    assert world.deletions() == []
    assert len(world.stored()["pair"]) == 1


@pytest.mark.parametrize("side", SIDES)
def test_what_a_read_does_not_prove_is_not_deleted(new_world: MakeWorld, side: Side) -> None:
    world, gid = one_product(new_world, delete_local=Policy.APPLY, delete_remote=Policy.APPLY)
    if side is Side.LOCAL:
        world.grist.refuse_sql()
        delete(world, side, gid)
    else:
        world.shopify.unproven.add(gid)
    world.run()
    assert world.written == []
    assert world.deletions() == []


def test_children_are_deleted_before_what_they_belong_to(new_shop: Callable[..., Shop]) -> None:
    apply = {"delete_local": Policy.APPLY, "delete_remote": Policy.APPLY}
    shop = new_shop(shop_mappings(products=apply, variants=apply, inventory=apply))
    shop.world.shopify.delete(shop.product)
    shop.world.run()
    assert [one.where for one in shop.world.grist.log if one.kind == "delete"] == [
        "Inventory", "Variants", "Products"]
    assert shop.world.grist.rows["Products"] == {}


# --- cut off -------------------------------------------------------------------------------------------


def test_a_yes_outlives_a_run_that_was_cut_off_before_it_deleted(new_world: MakeWorld) -> None:
    world, gid = one_product(new_world)
    delete(world, Side.LOCAL, gid)
    world.run()
    world.approve()
    cut_off_at(world, "shopify.apply.products.before")
    world.run()
    assert left(world, Side.LOCAL) == 1


@pytest.mark.parametrize("side", SIDES)
def test_a_deletion_whose_answer_was_lost_is_settled_by_looking(new_world: MakeWorld, side: Side) -> None:
    world, gid = one_product(new_world, delete_local=Policy.APPLY, delete_remote=Policy.APPLY)
    delete(world, side, gid)
    cut_off_at(world, f"{'shopify' if side is Side.LOCAL else 'grist'}.apply.products.after", RetryLater)
    world.run()
    assert len(world.stored()["pair"]) == 1
    assert [line.kind for line in world.history()].count("delete") == 1
    world.forget_what_was_written()
    world.run()
    assert world.written == []


# --- row ids that Grist gives away again ------------------------------------------------------------------


def test_a_freed_row_id_can_be_given_to_what_is_new_in_shopify(new_world: MakeWorld) -> None:
    """The last row was deleted and its product waits for a yes; the next new row gets its id."""
    world, _ = one_product(new_world)
    last = world.pairs("products")[2]
    world.grist.remove_row("Products", 2)
    cup = world.shopify.add("products", title="Cup", handle="cup")
    report = world.run()
    assert world.pairs("products")[2] == cup
    assert report.totals["proposed_deletions"] == 1
    world.run()
    assert [one.key for one in world.deletions()] == [last]
    world.approve()
    world.run()
    assert last not in world.shopify.things["products"]
    assert cup in world.shopify.things["products"]
    assert world.differences() == []


def test_a_freed_row_id_that_a_person_uses_for_something_else_is_a_new_row(new_world: MakeWorld) -> None:
    world, _ = one_product(new_world, create_remote=True)
    last = world.pairs("products")[2]
    world.grist.remove_row("Products", 2)
    assert world.grist.add_row("Products", title="Cup", handle="cup") == 2
    world.run()
    world.run()
    assert world.shopify.thing(last)["title"] == "Mug 1"
    assert world.shopify.thing(world.pairs("products")[2])["title"] == "Cup"
    assert [one.key for one in world.deletions()] == [last]


def test_a_row_that_was_cut_and_pasted_keeps_its_thing(new_world: MakeWorld) -> None:
    world, gid = one_product(new_world, delete_remote=Policy.APPLY)
    row = world.row_of(gid)
    cells = dict(world.grist.rows["Products"][row])
    world.grist.remove_row("Products", row)
    pasted = world.grist.add_row("Products", **cells)
    world.grist.set_mark("Products", pasted, gid)
    world.run()
    assert gid in world.shopify.things["products"]
    world.grist.type("Products", pasted, "title", "Moved")
    world.run()
    assert world.shopify.thing(gid)["title"] == "Moved"
    assert world.refusals() == []


def test_a_thing_made_again_gets_its_new_id_after_a_cut_off(new_world: MakeWorld) -> None:
    """Deleted in Shopify, edited in Grist, kept: made again there; then the line dies before its new id stands in
    the row, which still holds the old one."""
    world, gid = one_product(new_world)
    edit(world, Side.LOCAL, gid)
    row = world.row_of(gid)
    delete(world, Side.REMOTE, gid)
    world.run()
    world.choose("grist")
    cut_off_at(world, "grist.apply.products.before")
    assert world.pairs("products")[row] == gid
    world.run()
    assert world.refusals() == []
    assert world.pairs("products")[row] != gid
    assert len(world.shopify.things["products"]) == 2


@pytest.mark.parametrize("point", ["grist.apply.products.after", "grist.apply.products.before"])
def test_a_freed_row_id_that_was_given_away_when_the_line_died_undoes_no_deletion(
    new_world: MakeWorld, point: str
) -> None:
    """The last row is deleted, something new from Shopify gets its id, and nobody hears of it."""
    world, _ = one_product(new_world)
    last = world.pairs("products")[2]
    world.grist.remove_row("Products", 2)
    new = world.shopify.add("products", title="Cup", handle="cup")

    def unplug(here: str) -> None:
        if here == point:
            raise RetryLater("The line is dead.")

    world.grist.on_io = unplug
    world.run_until(RetryLater)
    world.grist.on_io = lambda here: None
    for _ in range(2):
        world.run()
    assert sorted(world.pairs("products").values()) == sorted([world.pairs("products")[1], new])
    assert [one.key for one in world.deletions()] == [last]


def test_a_run_over_changes_refers_to_no_row_that_is_gone(shop: Shop) -> None:
    """Grist gives its id to the next new row, which would be meant then."""
    world = shop.world
    world.grist.remove_row("Products", shop.row)
    world.run()
    world.shopify.edit(shop.variant, "price", "7.00")
    world.run()
    row = world.row_of(shop.variant)
    assert str(world.grist.cell("Variants", row, "price")) == "7.00"
    assert world.grist.cell("Variants", row, "product") is None


@pytest.mark.parametrize("by", ["handle", "Shopify ID"])
def test_a_new_row_that_takes_the_place_of_a_deleted_one_empties_nothing_in_shopify(shop: Shop, by: str) -> None:
    world = shop.world
    world.shopify.edit(shop.product, "vendor", "Potter")
    world.run()
    world.grist.remove_row("Products", shop.row)
    world.run()
    row = world.grist.add_row("Products", title="Cup", handle="mug" if by == "handle" else "cup")
    if by == "Shopify ID":
        world.grist.set_mark("Products", row, shop.product)
    for _ in range(2):
        world.run()
    assert world.shopify.thing(shop.product)["vendor"] == "Potter"
    assert world.shopify.thing(shop.product)["tags"] == ("blue",)
    assert world.grist.cell("Products", row, "vendor") == "Potter"
    assert world.row_of(shop.product) == row


def test_a_row_typed_anew_gets_its_id_though_the_run_died_before_that(shop: Shop) -> None:
    """The thing lives there by then, and the cell is still empty: nobody has emptied it."""
    world = shop.world
    world.grist.remove_row("Products", shop.row)
    world.run()
    row = world.grist.add_row("Products", title="Cup", handle="mug")
    cut_off_at(world, "grist.apply.products.before")
    world.run()
    assert world.refusals() == []
    assert world.row_of(shop.product) == row


def archiving(new_world: MakeWorld, **status: object) -> tuple[World, str]:
    """A world that archives what is deleted in Grist; the gid of the first of two active products."""
    mapping = default_mapping(RESOURCES["products"], fields=("title", "handle", "status"))
    world = new_world([replace(mapping, delete_remote=Policy.ARCHIVE)])
    world.shopify.defaults["products"] = {"status": "ACTIVE"}
    return world, many(world, 2)[0]


def test_what_is_deleted_in_grist_is_archived_once_and_nobody_is_asked(new_world: MakeWorld) -> None:
    world, gid = archiving(new_world)
    world.grist.remove_row("Products", world.row_of(gid))
    world.run()
    assert [(one.key, one.field, one.before, one.after) for one in world.written] == [
        (gid, "status", "ACTIVE", "ARCHIVED")]
    world.forget_what_was_written()
    for everything in (False, True):
        assert world.run(everything=everything).totals["proposed_deletions"] == 0
    assert (world.written, world.conflicts()) == ([], [])
    world.shopify.edit(gid, "status", "ACTIVE")
    world.run()
    assert [one.field for one in world.conflicts()] == [""], "somebody wants it after all: that is asked"


def test_a_row_that_comes_back_brings_its_product_back(new_world: MakeWorld) -> None:
    world, gid = archiving(new_world)
    world.grist.remove_row("Products", world.row_of(gid))
    world.run()
    world.grist.press_undo()
    world.run()
    assert world.shopify.thing(gid)["status"] == "ACTIVE"
    assert world.differences() == []


def test_what_was_edited_or_archived_meanwhile_is_not_archived(new_world: MakeWorld) -> None:
    world, gid = archiving(new_world)
    other = next(one for one in world.shopify.things["products"] if one != gid)
    for one in (gid, other):
        world.grist.remove_row("Products", world.row_of(one))
    world.shopify.edit(gid, "title", "Cup")
    world.shopify.edit(other, "status", "ARCHIVED")
    world.run()
    assert world.written == []
    assert [one.remote_key for one in world.conflicts()] == [gid]


def test_too_many_to_archive_pull_the_brake(new_world: MakeWorld) -> None:
    world, _ = archiving(new_world)
    gids = many(world, 30)
    for gid in gids[:25]:
        world.grist.remove_row("Products", world.row_of(gid))
    with pytest.raises(BrakeError, match="25 of 32 products are gone from Grist"):
        world.run()
    assert world.written == []


@pytest.mark.parametrize("archives", [False, True])
def test_a_deletion_that_a_sync_did_not_come_to_is_done_by_the_next_one(new_world: MakeWorld, archives: bool) -> None:
    """Found by the crash test: by then the pair had no row any more, and the history named only the row."""
    world, gid = archiving(new_world) if archives else one_product(new_world, delete_remote=Policy.APPLY)
    world.grist.remove_row("Products", world.row_of(gid))
    cut_off_at(world, "shopify.apply.products.before")
    world.run()
    assert (world.shopify.thing(gid)["status"] == "ARCHIVED") if archives else gid not in world.shopify.all_gids()
    world.run()
    world.forget_what_was_written()
    asked = world.shopify.usage.requests
    world.run()
    assert (world.written, world.shopify.usage.requests - asked) == ([], 1), "nothing is left to look at"


@pytest.mark.parametrize("policy", [Policy.PROPOSE, Policy.APPLY])
def test_a_no_outlives_a_read_that_does_not_show_the_other_half(new_world: MakeWorld, policy: Policy) -> None:
    """Found by the crash test: where Shopify could not say whether the product is there, the answer was forgotten."""
    world, gid = one_product(new_world)
    row = world.row_of(gid)
    world.shopify.delete(gid)
    world.run()
    world.keep()
    world.mappings[0] = replace(world.mappings[0], delete_local=policy)
    world.shopify.unproven.add(gid)
    world.run(everything=True)
    world.shopify.unproven.clear()
    assert world.run(everything=True).totals["proposed_deletions"] == 0
    assert row in world.grist.rows["Products"]

"""Which row is which thing: asked, answered, done by the next run; and only on what was asked about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backend.core.pairing import NEW_ROW
from backend.gather import TRIES
from backend.store import pairing
from backend.store.pairing import Answer, OpenQuestion

from .test_engine_sync import many
from .world import World, shop_mappings


@pytest.fixture
def world(new_world: Callable[..., World]) -> World:
    """Products alone, which new rows become at once."""
    return new_world([one for one in shop_mappings(products={"create_remote": True}) if one.name == "products"])


def asked(world: World) -> list[OpenQuestion]:
    with world.database.read() as tx:
        return pairing.questions(tx, [world.mapping("products").id])


def answer(world: World, said: dict[int, str | None]) -> None:
    """Answer the one open question, as the widget does: on the rows as they were shown."""
    [one] = asked(world)
    looks = {row["row"]: row["looks"] for row in one.rows}
    with world.database.write() as tx:
        pairing.answer(tx, [Answer(one.mapping_id, row, thing, looks[row], "", "me") for row, thing in said.items()])
        pairing.answered(tx, [one.id])


def test_a_double_waits_in_the_store_with_names(world: World) -> None:
    world.grist.add_row("Products", title="Felt hat", handle="hat")
    world.grist.add_row("Products", title="Felt hat, old", handle="hat")
    hat = world.shopify.add("products", title="Felt hat", handle="hat")
    world.run()
    [one] = asked(world)
    assert (one.kind, one.witness, one.values) == ("double", "handle", ["hat"])
    assert [(row["row"], row["title"]) for row in one.rows] == [(1, "Felt hat"), (2, "Felt hat, old")]
    assert [thing["thing"] for thing in one.things] == [hat]
    assert one.about["alike"] == [[["handle", "title"]], [["handle"]]]
    assert world.written == []
    world.run()
    assert [again.id for again in asked(world)] == [one.id], "the same question keeps its place"


def test_the_chosen_row_is_paired_and_the_other_is_left_alone(world: World) -> None:
    world.grist.add_row("Products", title="Felt hat", handle="hat")
    world.grist.add_row("Products", title="Felt hat, old", handle="hat")
    hat = world.shopify.add("products", title="Felt hat", handle="hat")
    world.run()
    answer(world, {1: hat, 2: None})
    world.run()
    assert world.pairs("products") == {1: hat}
    assert len(world.shopify.things["products"]) == 1, "the row kept apart makes no product"
    assert asked(world) == world.refusals() == []
    world.forget_what_was_written()
    world.run()
    assert world.written == [], "and it stays so"
    assert asked(world) == []


def test_an_answer_is_no_answer_once_the_row_says_something_else(world: World) -> None:
    world.grist.add_row("Products", title="Felt hat", handle="hat")
    world.grist.add_row("Products", title="Felt hat, old", handle="hat")
    hat = world.shopify.add("products", title="Felt hat", handle="hat")
    world.run()
    answer(world, {1: hat, 2: None})
    world.grist.type("Products", 2, "handle", "old-hat")
    world.run()
    assert set(world.pairs("products")) == {1, 2}, "row 2 is another thing now, so it is new"


def test_a_new_row_under_a_freed_id_is_not_kept_apart(world: World) -> None:
    world.grist.add_row("Products", title="Felt hat", handle="hat")
    world.grist.add_row("Products", title="Felt hat, old", handle="hat")
    hat = world.shopify.add("products", title="Felt hat", handle="hat")
    world.run()
    answer(world, {1: hat, 2: None})
    world.run()
    world.grist.remove_row("Products", 2)
    assert world.grist.add_row("Products", title="Cap", handle="cap") == 2
    world.run()
    assert set(world.pairs("products")) == {1, 2}


def test_a_row_whose_id_cell_was_edited_becomes_the_other_thing_after_a_yes(world: World) -> None:
    mug = world.shopify.add("products", title="Mug", handle="mug")
    world.run()
    row = world.row_of(mug)
    cup = world.shopify.add("products", title="Cup", handle="cup")
    world.grist.set_mark("Products", row, cup)
    world.run()
    [one] = asked(world)
    assert (one.kind, one.about["thing"], [thing["title"] for thing in one.things]) == ("changed", mug, ["Cup"])
    assert world.grist.cell("Products", row, "title") == "Mug", "nothing happens before the yes"
    answer(world, {row: cup})
    world.run()
    assert world.pairs("products")[row] == cup
    world.run()
    assert set(world.pairs("products").values()) == {mug, cup}, "what lost its row gets one of its own"
    assert asked(world) == []


def answer_all(world: World, said: dict[int, str | None]) -> None:
    """Answer every open question about one row."""
    with world.database.write() as tx:
        for one in pairing.questions(tx, [world.mapping("products").id]):
            [row] = one.rows
            pairing.answer(tx, [Answer(one.mapping_id, row["row"], said[row["row"]], row["looks"], "", "me")])
            pairing.answered(tx, [one.id])


def test_two_rows_with_swapped_ids_change_places_and_no_value_is_written_over(world: World) -> None:
    mug = world.shopify.add("products", title="Mug", handle="mug")
    cup = world.shopify.add("products", title="Cup", handle="cup")
    world.run()
    first, second = world.row_of(mug), world.row_of(cup)
    world.grist.set_mark("Products", first, cup)
    world.grist.set_mark("Products", second, mug)
    world.run()
    assert [[thing["thing"] for thing in one.things] for one in asked(world)] == [[cup], [mug]]
    answer_all(world, {first: cup, second: mug})
    world.forget_what_was_written()
    world.run()
    assert world.pairs("products") == {first: cup, second: mug}
    assert world.written == []
    assert asked(world) == world.refusals() == []
    assert {(one.local_key, one.field, one.local, one.remote) for one in world.conflicts()} == {
        (first, "title", "Mug", "Cup"), (first, "handle", "mug", "cup"),
        (second, "title", "Cup", "Mug"), (second, "handle", "cup", "mug")}
    world.run()
    assert world.pairs("products") == {first: cup, second: mug}


def test_a_run_over_changes_takes_an_id_for_the_rows_only_where_no_other_row_holds_it(world: World) -> None:
    """Found by a random world: a row was copied, and a file imported over the table; only some of that was read."""
    things = [world.shopify.add("products", title=f"Mug {n}", handle=f"mug-{n}") for n in range(3)]
    world.run()
    world.grist.copy_row("Products", world.row_of(things[2]))
    world.grist.import_over("Products", with_ids=True)
    for _ in range(TRIES + 1):  # after that they are not looked at again by themselves
        world.run()
        assert {one.rows[0]["row"]: one.kind for one in asked(world)} == {
            1: "changed", 2: "changed", 3: "changed", 4: "copy"}
    world.grist.type("Products", 3, "vendor", "Acme")
    world.run()
    before = [(one.kind, one.rows[0]["row"]) for one in asked(world)]
    world.run(everything=True)
    assert [(one.kind, one.rows[0]["row"]) for one in asked(world)] == before


def test_an_id_is_not_written_where_a_row_that_was_pasted_meanwhile_holds_it(world: World) -> None:
    """Found by a random world: a new row was copied before it had its ID, and cut and pasted while a sync looked."""
    mug = world.shopify.add("products", title="Mug", handle="mug")
    world.run()
    row = world.row_of(mug)
    world.grist.set_mark("Products", row, "")
    copy = world.grist.copy_row("Products", row)
    world.grist.set_mark("Products", row, mug)
    world.grist.remove_row("Products", row)
    holding, pasted = world.grist.holding, []

    def paste(*asked: Any) -> Any:
        if not pasted:
            pasted.append(world.grist.add_row("Products", title="Mug", handle="mug"))
            world.grist.set_mark("Products", pasted[0], mug)
        return holding(*asked)

    world.grist.holding = paste  # type: ignore[method-assign]
    for _ in range(3):
        world.run()
    assert {row: mark for row, mark in world.grist.marks["Products"].items() if mark} == {pasted[0]: mug}
    assert world.pairs("products") == {pasted[0]: mug}
    [listed] = world.refusals()
    assert (listed.key, "is that of row" in listed.message) == (str(copy), True)
    assert len(world.shopify.things["products"]) == 1


def test_a_new_row_under_a_freed_id_is_made_once_somebody_has_said_so(world: World) -> None:
    """It shares the vendor with the row that was there, so nobody but a person can tell."""
    mug = world.shopify.add("products", title="Mug", handle="mug", vendor="Acme")
    world.run()
    row = world.row_of(mug)
    world.grist.remove_row("Products", row)
    assert world.grist.add_row("Products", title="Cup", handle="cup", vendor="Acme") == row
    world.run()
    [one] = asked(world)
    assert (one.kind, one.about["thing"]) == ("emptied", mug)
    assert len(world.shopify.things["products"]) == 1
    answer(world, {row: NEW_ROW})
    world.run()
    [cup] = [key for key, thing in world.shopify.things["products"].items() if thing["title"] == "Cup"]
    assert world.pairs("products")[row] == cup
    assert [one.key for one in world.deletions()] == [mug], "the row of the mug is gone: that is asked as always"
    assert asked(world) == world.refusals() == []
    world.forget_what_was_written()
    world.run()
    assert world.written == []
    assert (world.shopify.things["products"][mug]["title"], world.pairs("products")[row]) == ("Mug", cup)


def test_a_preview_tells_pairs_doubles_and_what_is_left_over_and_keeps_nothing(world: World) -> None:
    world.grist.add_row("Products", title="Old mug", handle="mug")
    world.grist.add_row("Products", title="Felt hat", handle="hat")
    world.grist.add_row("Products", title="Felt hat, old", handle="hat")
    world.grist.add_row("Products", title="Jar", handle="jar")
    mug = world.shopify.add("products", title="Mug", handle="mug", vendor="Potter")
    hat = world.shopify.add("products", title="Felt hat", handle="hat")
    tin = world.shopify.add("products", title="Tin", handle="tin")
    before = world.stored()
    [told] = world.run(preview=True).pairing or []
    assert told["pairs"] == {"n": 1, "items": [
        {"row": 1, "title": "Old mug", "thing": mug, "other": "Mug", "by": "handle", "differ": 1}]}
    assert [(one["kind"], [row["row"] for row in one["rows"]], [thing["thing"] for thing in one["things"]])
            for one in told["doubles"]["items"]] == [("double", [2, 3], [hat])]
    assert told["only_grist"] == {"n": 1, "items": [{"row": 4, "title": "Jar", "created": True}]}
    assert told["only_shopify"] == {"n": 1, "items": [{"row": None, "thing": tin, "title": "Tin", "created": True}]}
    assert (told["rows"], told["things"], told["known"]) == (4, 3, 0)
    assert (told["fills"], told["asks"], told["creates_grist"], told["creates_shopify"]) == (1, 1, 1, 1)
    assert world.stored() == before


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("handle", ["mug-0", "MUG-0"])
def test_a_new_row_that_is_like_a_thing_with_a_row_makes_no_second_one_and_takes_nothing(
    world: World, handle: str, everything: bool
) -> None:
    gid = many(world, 3)[0]
    holder = world.row_of(gid)
    world.grist.add_row("Products", title="Cup", handle=handle)
    world.shopify.edit(gid, "title", "Beaker")
    world.run(everything=everything)
    assert len(world.shopify.things["products"]) == 3
    assert (world.row_of(gid), world.grist.cell("Products", holder, "title")) == (holder, "Beaker")
    (refused,) = world.refusals()
    assert refused.message == f"This new row is not in Shopify: its Handle is that of row {holder}."
    world.run(everything=everything)
    assert len(world.shopify.things["products"]) == 3, "nor when it has waited"
    world.grist.type("Products", int(refused.key), "handle", "cup")
    world.run()
    assert len(world.shopify.things["products"]) == 4
    assert world.refusals() == []


def test_a_copy_that_nobody_answered_for_long_is_still_one_when_something_new_turns_up(world: World) -> None:
    """Found by a random world: a run that looked at changes only had read the copy, and not whose it was."""
    hat, scarf = many(world, 2)
    world.grist.copy_row("Products", 1)
    for _ in range(TRIES + 1):
        world.run()
    told = [("3", "This row is a copy of row 1: both hold the same Shopify ID.")]
    assert [(one.key, one.message) for one in world.refusals()] == told
    new = world.shopify.add("products", title="New", handle="new")
    world.run()
    assert [(one.key, one.message) for one in world.refusals()] == told
    assert world.pairs("products") == {1: hat, 2: scarf, 3: hat, 4: new}

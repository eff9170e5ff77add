"""A full read makes no values of what looks as it did when both sides agreed, and finds all the same whatever is not so
any more: changes, deletions, copies, references that mean another thing, rules that are others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from backend import looks
from backend.core.model import Rule
from backend.look import Looking
from backend.session import UndoWanted
from backend.work import Work

from .conftest import MakeWorld, Shop
from .world import World, shop_mappings, with_rules

Audit = Callable[[World], dict[str, set[str]]]


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch) -> Audit:
    """Reads everything, and tells which things were recognised in the end, by resource."""
    found: dict[str, set[str]] = {}
    by_looks, at_all = Looking._by_looks, Looking.at_all

    def told(self: Looking, one: Work) -> None:
        by_looks(self, one)
        found[one.mapping.name] = {str(key) for key in one.remote.recognised}
        assert len(one.local.recognised) == len(one.remote.recognised)

    def told_at_last(self: Looking, one: Work) -> None:
        at_all(self, one)
        found[one.mapping.name] = set()

    monkeypatch.setattr(Looking, "_by_looks", told)
    monkeypatch.setattr(Looking, "at_all", told_at_last)

    def run(world: World, **more: Any) -> dict[str, set[str]]:
        found.clear()
        world.run(everything=True, **more)
        return dict(found)

    return run


@pytest.fixture
def mugs(new_world: MakeWorld, audit: Audit) -> Callable[..., tuple[World, list[str]]]:
    """A world of five products of which an audit has found that they are as agreed."""
    def make(**settings: Any) -> tuple[World, list[str]]:
        world = new_world(shop_mappings(products=settings)[:1])
        gids = [world.shopify.add("products", title=f"Mug {n}", handle=f"mug-{n}", vendor="Potter") for n in range(5)]
        world.run()
        audit(world)
        world.forget_what_was_written()
        return world, gids
    return make


Mugs = Callable[..., tuple[World, list[str]]]


def test_what_is_as_agreed_is_recognised_by_the_second_audit(shop: Shop, audit: Audit) -> None:
    assert audit(shop.world) == {"products": set(), "variants": set(), "locations": set(), "inventory": set()}
    assert audit(shop.world) == {"products": {shop.product}, "variants": {shop.variant}, "locations": {shop.location},
                                 "inventory": {shop.level}}
    report = shop.world.run(everything=True)
    assert report.totals["unchanged"] == 4
    assert [one.rows for one in report.mappings] == [1, 1, 1, 1]
    assert shop.world.written == []


def test_what_changed_on_either_side_is_found_beside_it(mugs: Mugs, audit: Audit) -> None:
    world, gids = mugs()
    world.grist.type("Products", world.row_of(gids[0]), "title", "Cup")
    world.shopify.edit(gids[1], "title", "Jug")
    assert audit(world) == {"products": set(gids[2:])}
    assert world.shopify.thing(gids[0])["title"] == "Cup"
    assert world.grist.cell("Products", world.row_of(gids[1]), "title") == "Jug"
    assert audit(world) == {"products": set(gids[2:])}, "what was agreed on them moved, so their looks were forgotten"
    assert audit(world) == {"products": set(gids)}


def test_a_preview_recognises_nothing_and_plans_the_same(mugs: Mugs, audit: Audit) -> None:
    world, gids = mugs()
    world.shopify.edit(gids[1], "title", "Jug")
    before = world.stored()
    planned = world.run(everything=True, preview=True)
    assert planned.plan_total == 1
    after = world.stored()
    assert after["digest"] == before["digest"]
    assert audit(world, only_plan=planned.fingerprint) == {"products": set(gids) - {gids[1]}}


def test_a_deleted_row_is_found_among_those_that_are_recognised(mugs: Mugs, audit: Audit) -> None:
    world, gids = mugs()
    row = world.row_of(gids[0])
    world.grist.remove_row("Products", row)
    world.shopify.delete(gids[1])
    assert audit(world) == {"products": set(gids[2:])}
    assert {(one.side, one.key) for one in world.deletions()} == {("remote", gids[0]), (
        "local", str(world.row_of(gids[1])))}


def test_two_rows_that_change_places_are_read(mugs: Mugs, audit: Audit) -> None:
    """Each cell of the one stands under the id of the other, the Shopify ID among them."""
    world, gids = mugs()
    one, other = world.row_of(gids[0]), world.row_of(gids[1])
    here, there = (dict(world.grist.rows["Products"][row]) for row in (one, other))
    for row, cells, mark in ((one, there, gids[1]), (other, here, gids[0])):
        for name in ("title", "handle"):
            world.grist.type("Products", row, name, cells[name])
        world.grist.set_mark("Products", row, mark)
    assert audit(world) == {"products": set(gids[2:])}


def test_a_copy_of_a_recognised_row_is_known_to_be_one(mugs: Mugs, audit: Audit) -> None:
    world, gids = mugs(create_remote=True)
    world.grist.copy_row("Products", world.row_of(gids[0]))
    assert audit(world) == {"products": set(gids[1:])}
    (refusal,) = world.refusals()
    assert "This row is a copy of row" in refusal.message
    assert len(world.shopify.things["products"]) == 5


def test_a_new_row_with_the_handle_of_a_recognised_one_makes_no_second_thing(mugs: Mugs, audit: Audit) -> None:
    world, gids = mugs(create_remote=True)
    world.grist.add_row("Products", title="Mine", handle="mug-3")
    assert audit(world) == {"products": set(gids) - {gids[3]}}
    assert len(world.shopify.things["products"]) == 5
    assert "is that of row" in world.refusals()[0].message


def test_what_waits_is_judged_anew_though_it_looks_as_agreed(mugs: Mugs, audit: Audit) -> None:
    world, gids = mugs()
    row = world.row_of(gids[0])
    world.grist.type("Products", row, "title", "Cup")
    world.shopify.edit(gids[0], "title", "Jug")
    audit(world)
    assert len(world.conflicts()) == 1
    world.grist.type("Products", row, "title", "Mug 0")
    world.shopify.edit(gids[0], "title", "Mug 0")
    assert audit(world) == {"products": set(gids[1:])}
    assert world.conflicts() == []


@pytest.mark.parametrize("keep", ["grist", "shopify", "base"])
def test_a_choice_forgets_what_the_pair_looked_like(mugs: Mugs, audit: Audit, keep: str) -> None:
    world, gids = mugs()
    world.grist.type("Products", world.row_of(gids[0]), "title", "Cup")
    world.shopify.edit(gids[0], "title", "Jug")
    world.run()
    world.choose(keep)
    world.run()
    world.grist.type("Products", world.row_of(gids[0]), "title", "Mug 0")  # as it was when it was recognised
    expected = set(gids) if keep == "base" else set(gids[1:])
    assert audit(world)["products"] <= expected
    assert world.differences() == []
    assert world.shopify.thing(gids[0])["title"] == "Mug 0"


def test_what_goes_back_to_how_it_was_once_agreed_is_not_recognised(mugs: Mugs, audit: Audit) -> None:
    """Since then something else was agreed: a pair that looks as it did before that is not as it was agreed."""
    world, gids = mugs()
    row = world.row_of(gids[0])
    world.shopify.edit(gids[0], "title", "Jug")
    world.run()
    world.grist.type("Products", row, "title", "Mug 0")
    world.shopify.edit(gids[0], "title", "Mug 0")
    assert audit(world) == {"products": set(gids[1:])}
    world.grist.type("Products", row, "title", "Jug")
    world.run()
    assert world.shopify.thing(gids[0])["title"] == "Jug"


def test_an_undo_forgets_what_the_pair_looked_like(mugs: Mugs, audit: Audit) -> None:
    world, gids = mugs()
    world.shopify.edit(gids[0], "title", "Jug")
    world.run()
    world.run(undo=UndoWanted(runs=(world.last_run,)))
    assert world.grist.cell("Products", world.row_of(gids[0]), "title") == "Mug 0"
    audit(world)
    assert world.differences() == []


@pytest.mark.parametrize("changed", [
    {"filter": "vendor:Potter"}, {"match": ()}, {"create_remote": True}, {"create_local": False},
])
def test_with_other_settings_everything_is_read(mugs: Mugs, audit: Audit, changed: dict[str, Any]) -> None:
    world, gids = mugs()
    world.mappings = [replace(world.mappings[0], **changed)]
    assert audit(world) == {"products": set()}
    assert audit(world) == {"products": set(gids)}


def test_with_another_rule_or_field_everything_is_read(mugs: Mugs, audit: Audit) -> None:
    world, gids = mugs()
    (mapping,) = world.mappings
    world.mappings = [with_rules(mapping, title={"on_conflict": Rule.GRIST})]
    assert audit(world) == {"products": set()}
    assert audit(world) == {"products": set(gids)}
    world.mappings = [mapping.with_fields(mapping.fields[:3])]
    assert audit(world) == {"products": set()}


def test_with_other_code_everything_is_read(mugs: Mugs, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    world, gids = mugs()
    monkeypatch.setattr(looks, "reading_code", lambda: "another")
    assert audit(world) == {"products": set()}
    assert audit(world) == {"products": set(gids)}


def test_after_a_crash_everything_is_read(mugs: Mugs, audit: Audit) -> None:
    world, gids = mugs()
    world.shopify.edit(gids[0], "title", "Jug")

    def die(point: str) -> None:
        if point == "grist.apply.products.after":
            raise KeyboardInterrupt

    world.grist.on_io = die
    with pytest.raises(KeyboardInterrupt):
        world.run()
    world.grist.on_io = lambda point: None
    assert audit(world) == {"products": set()}
    assert world.differences() == []


@pytest.fixture
def retold(shop: Shop, audit: Audit) -> tuple[World, Shop]:
    """The row of the product is deleted, and its id given to a row that is another product. The cell of the variant
    says the same as when an audit found it as agreed."""
    world, row = shop.world, shop.row
    audit(world)
    assert audit(world)["variants"] == {shop.variant}
    world.shopify.add("products", title="Cup", handle="cup")
    world.grist.remove_row("Products", row)
    assert world.grist.add_row("Products", title="Cup", handle="cup") == row
    world.grist.type("Variants", world.row_of(shop.variant), "product", row)
    return world, shop


def test_a_reference_to_a_row_that_becomes_another_thing_in_this_run_is_read(
        retold: tuple[World, Shop], audit: Audit) -> None:
    """That is found while the products are planned, after the variants were read and recognised."""
    world, _ = retold
    planned = world.run(everything=True, preview=True)
    assert audit(world, only_plan=planned.fingerprint)["variants"] == set()


def test_a_reference_to_a_row_that_became_another_thing_before_is_read(
        retold: tuple[World, Shop], audit: Audit) -> None:
    world, _ = retold
    world.mappings, mappings = world.mappings[:1], world.mappings
    world.run()  # the products alone: now it is known
    world.mappings = mappings
    planned = world.run(everything=True, preview=True)
    assert audit(world, only_plan=planned.fingerprint)["variants"] == set()

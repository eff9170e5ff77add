"""A run looks at what changed, and finds out all the same whatever it has to know."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backend.config import default_config, mapping_of
from backend.connector import Changed
from backend.core.mapping import rule_for
from backend.core.model import Side
from backend.errors import BrakeError, RetryLater
from backend.shopify.resources import RESOURCES
from backend.store import inbox
from backend.work import Work

from .conftest import MakeWorld, Shop
from .world import shop_mappings


def requests(shop: Shop) -> tuple[int, int]:
    return shop.world.grist.usage.requests, shop.world.shopify.usage.requests


def test_a_run_with_nothing_to_do_asks_each_side_once(shop: Shop) -> None:
    shop.world.shopify.unfound.clear()
    shop.world.run()
    before = requests(shop)
    report = shop.world.run()
    assert [now - was for now, was in zip(requests(shop), before, strict=True)] == [1, 1]
    assert report.way == "Only what changed was read."
    assert report.totals["unchanged"] == 4


def test_only_who_could_not_tell_before_it_was_prepared_is_asked_again(shop: Shop,
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    shop.world.run()
    shop.world.shopify.edit(shop.product, "title", "Cup")
    asked = {Side.LOCAL: 0, Side.REMOTE: 0}
    for twin in (shop.world.grist, shop.world.shopify):
        def changed(mappings: Any, checkpoint: Any, tell: Any = twin.changed, side: Side = twin.side) -> Changed:
            asked[side] += 1
            unprepared = side is Side.LOCAL and asked[side] == 1
            return Changed(None, checkpoint, "unprepared") if unprepared else tell(mappings, checkpoint)
        monkeypatch.setattr(twin, "changed", changed)
    report = shop.world.run()
    assert asked == {Side.LOCAL: 2, Side.REMOTE: 1}
    assert report.way == "Only what changed was read."
    assert shop.world.grist.cell("Products", shop.row, "title") == "Cup"


def test_the_counts_of_a_run_over_changes_are_those_of_everything(new_world: MakeWorld) -> None:
    world = new_world(shop_mappings()[:1])
    gids = [world.shopify.add("products", title=f"Mug {n}", handle=f"mug-{n}") for n in range(5)]
    world.run()
    world.shopify.edit(gids[0], "title", "Cup")
    world.grist.add_row("Products", title="Mine")
    report = world.run()
    assert report.totals == {**report.totals, "updated": 1, "unchanged": 4}
    assert report.mappings[0].rows == 6
    everything = world.run(everything=True)
    assert everything.mappings[0].rows == 6
    assert everything.totals["unchanged"] == 5


def test_a_hint_is_looked_at_once(shop: Shop) -> None:
    shop.world.shopify.search_lags = True  # the search does not have it yet
    shop.world.shopify.edit(shop.product, "title", "Cup")
    with shop.world.database.write() as tx:
        inbox.note(tx, shop.world.link_id, Side.REMOTE, [("products", shop.product)])
    shop.world.run()
    assert shop.world.grist.cell("Products", shop.row, "title") == "Cup"
    with shop.world.database.read() as tx:
        assert inbox.waiting(tx, shop.world.link_id) == (0, None)


def test_a_hint_of_a_run_that_fails_is_kept(shop: Shop) -> None:
    with shop.world.database.write() as tx:
        inbox.note(tx, shop.world.link_id, Side.REMOTE, [("products", shop.product)])

    def fail(point: str) -> None:
        if point == "shopify.read.products":
            raise BrakeError("no", cure="", brake="x", figures={})

    shop.world.shopify.on_io = fail
    shop.world.run_until(BrakeError)
    with shop.world.database.read() as tx:
        assert shop.product in inbox.claim(tx, shop.world.link_id).keys[Side.REMOTE, "products"]


def test_a_new_thing_meets_a_row_that_has_waited_for_it(new_world: MakeWorld) -> None:
    """The row was there long before and nobody touches it now: it is remembered as having no partner."""
    world = new_world(shop_mappings()[:1])
    world.shopify.add("products", title="Mug", handle="mug")
    waits = world.grist.add_row("Products", title="Cup", handle="cup")
    world.run()
    gid = world.shopify.add("products", title="Cup", handle="cup")
    world.run()
    assert world.pairs("products")[waits] == gid
    assert len(world.grist.rows["Products"]) == 2


def test_a_copy_of_a_row_that_nobody_touched_is_listed(shop: Shop) -> None:
    copy = shop.world.grist.add_row("Products", title="Mug", handle="mug")
    shop.world.grist.set_mark("Products", copy, shop.product)
    shop.world.run()
    assert [one.key for one in shop.world.refusals()] == [str(copy)]
    assert len(shop.world.shopify.things["products"]) == 1


def test_another_mapping_is_looked_at_whole(new_world: MakeWorld) -> None:
    world = new_world(shop_mappings()[:1])
    gid = world.shopify.add("products", title="Mug", handle="mug")
    world.run()
    world.shopify.things["products"][gid]["vendor"] = "Nobody was told"
    assert world.run().totals["updated"] == 0
    world.mappings[0] = replace(world.mappings[0], create_remote=True)
    assert world.run().totals["updated"] == 1
    assert world.grist.cell("Products", world.row_of(gid), "vendor") == "Nobody was told"


def test_an_audit_finds_what_nobody_told(shop: Shop) -> None:
    shop.world.shopify.things["products"][shop.product]["vendor"] = "Potter"
    assert shop.world.run().totals["updated"] == 0
    shop.world.run(everything=True)
    assert shop.world.grist.cell("Products", shop.row, "vendor") == "Potter"


def test_a_table_that_is_emptied_row_by_row_stops_the_run(new_world: MakeWorld) -> None:
    world = new_world(shop_mappings()[:1])
    for n in range(4):
        world.shopify.add("products", title=f"Mug {n}", handle=f"mug-{n}")
    world.run()
    for gid in list(world.shopify.things["products"]):
        world.shopify.delete(gid)
    with pytest.raises(BrakeError, match="is empty in Shopify"):
        world.run()


def test_a_restored_document_stops_the_run(shop: Shop) -> None:
    kept = shop.world.grist.snapshot()
    shop.world.grist.type("Products", shop.row, "title", "Cup")
    shop.world.run()
    shop.world.grist.restore(kept)
    with pytest.raises(BrakeError, match="restored to an older state"):
        shop.world.run()
    assert shop.world.shopify.thing(shop.product)["title"] == "Cup"


def test_a_field_that_goes_back_and_forth_stops_the_run(shop: Shop) -> None:
    for title in ("Cup", "Mug"):
        shop.world.grist.type("Products", shop.row, "title", title)
        shop.world.run()
    shop.world.grist.type("Products", shop.row, "title", "Cup")
    with pytest.raises(BrakeError, match="went back and forth"):
        shop.world.run()
    assert shop.world.run(go_on=True).totals["updated"] == 1


def test_a_copy_of_the_document_of_another_link_does_not_write(new_world: MakeWorld) -> None:
    original = new_world(shop_mappings()[:1])
    gid = original.shopify.add("products", title="Mug", handle="mug")
    original.run()
    copy = new_world(shop_mappings()[:1], beside=original)
    copy.shopify = original.shopify
    copy.grist.add_row("Products", title="Old Mug", handle="mug")
    copy.grist.set_mark("Products", 1, gid)
    with pytest.raises(BrakeError, match="a copy of it"):
        copy.run()
    assert copy.run(go_on=True).totals["conflicts"] == 1


def test_a_row_that_a_run_made_and_a_person_deleted_before_the_next_one_is_not_overlooked(shop: Shop) -> None:
    """The history from before the row was made to after it was deleted says nothing of it."""
    new = shop.world.shopify.add("products", title="Cup", handle="cup")
    shop.world.run()
    shop.world.grist.remove_row("Products", shop.world.row_of(new))
    shop.world.run()
    assert new in [one.key for one in shop.world.deletions()]


def test_a_row_that_a_run_made_before_it_failed_is_not_overlooked_either(shop: Shop) -> None:
    new = shop.world.shopify.add("products", title="Cup", handle="cup")
    shop.world.shopify.add("variants", product=new, sku="c1")

    def fail(point: str) -> None:
        if point == "grist.apply.variants.before":
            raise RetryLater("The line is dead.")

    shop.world.grist.on_io = fail
    shop.world.run_until(RetryLater)
    shop.world.grist.on_io = lambda point: None
    shop.world.grist.remove_row("Products", shop.world.row_of(new))
    shop.world.run()
    assert new in [one.key for one in shop.world.deletions()]


@pytest.mark.parametrize(("changed", "looked_at"), [
    ({"price", "updatedAt"}, False), ({"tracked"}, True), ({"price", "tracked"}, True), (None, True)])
def test_stock_is_looked_at_with_its_variant_only_where_that_can_have_moved_it(
        changed: set[str] | None, looked_at: bool) -> None:
    (settings,) = default_config({"inventory": RESOURCES["inventory"]}, {})
    levels = Work(mapping_of(settings, RESOURCES))
    assert levels.shows(changed) is looked_at
    other = RESOURCES["inventory"].field("item.sku")
    assert other is not None
    levels.mapping = levels.mapping.with_fields([*levels.mapping.fields, rule_for(other)])
    assert levels.shows(changed), "what somebody else's path reads may be moved by anything"

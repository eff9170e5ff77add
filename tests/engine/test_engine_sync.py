"""Runs over both services: what is created, what flows, what a second run has to do."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
import sqlalchemy as sa
from twins import Written

from backend.core.model import Create, Direction, Op, Policy, Rule, Side
from backend.core.values import Unfit
from backend.engine import sync
from backend.errors import BrakeError, Cancelled, OutcomeUnknown, RetryLater
from backend.store import base

from .conftest import MakeWorld, Shop
from .world import World, lose_an_answer, shop_mappings, with_rules

# --- the first sync ----------------------------------------------------------------------------------


def test_a_first_sync_fills_an_empty_document(new_world: MakeWorld) -> None:
    world = new_world()
    product = world.shopify.add("products", title="Mug", handle="mug", tags=["blue", "new"])
    variant = world.shopify.add("variants", product=product, sku="m1", price="12.50")
    shelf = world.shopify.add("locations", name="Shelf")
    level = world.shopify.add("inventory", variant=variant, location=shelf, available=10)
    report = world.run()

    assert world.grist.rows == {
        "Products": {1: {"title": "Mug", "handle": "mug", "vendor": None, "tags": ("blue", "new"),
                         "totalInventory": 10}},
        "Variants": {1: {"product": 1, "sku": "m1", "price": Decimal("12.50"), "compareAtPrice": None}},
        "Locations": {1: {"name": "Shelf"}},
        "Inventory": {1: {"variant": 1, "location": 1, "available": 10}},
    }
    assert [world.pairs(name) for name in ("products", "variants", "locations", "inventory")] == [
        {1: product}, {1: variant}, {1: shelf}, {1: level}]
    assert world.shopify.log == []
    assert report.totals["created"] == 4
    assert report.state == "done"


def test_a_second_run_writes_nothing(shop: Shop) -> None:
    report = shop.world.run()
    assert shop.world.written == []
    assert (report.totals["unchanged"], report.totals["updated"], report.totals["created"]) == (4, 0, 0)


def test_a_first_sync_joins_rows_that_are_there_already(new_world: MakeWorld) -> None:
    world = new_world(shop_mappings()[:1])
    grist, shopify = world.grist, world.shopify
    same = grist.add_row("Products", title="Mug", handle="mug")
    other = grist.add_row("Products", title="Old cup", handle="CUP")
    left = grist.add_row("Products", title="Jar", handle="jar")
    mug, cup = shopify.add("products", title="Mug", handle="mug", tags=["a"]), shopify.add(
        "products", title="Cup", handle="cup")
    report = world.run()

    assert world.pairs("products") == {same: mug, other: cup}
    assert grist.cell("Products", same, "tags") == ("a",), "what is empty on one side is filled"
    assert [(one.local_key, one.field, one.local, one.remote) for one in world.conflicts()] == [
        (other, "title", "Old cup", "Cup"), (other, "handle", "CUP", "cup")]
    assert left not in world.pairs("products")
    assert report.totals["created"] == 0
    assert shopify.log == []
    world.forget_what_was_written()
    world.run()
    assert world.written == []


# --- edits -------------------------------------------------------------------------------------------


def test_an_edit_in_grist_arrives_in_shopify(shop: Shop) -> None:
    shop.world.grist.type("Products", shop.row, "title", "Big mug")
    report = shop.world.run()
    assert shop.world.shopify.thing(shop.product)["title"] == "Big mug"
    assert shop.world.written == [Written("products", "update", shop.product, "title", "Mug", "Big mug")]
    assert (report.totals["updated"], report.of(shop.world.mapping("products")).to_shopify) == (1, 1)
    shop.world.run()
    assert len(shop.world.written) == 1


def test_an_edit_in_shopify_arrives_in_grist(shop: Shop) -> None:
    shop.world.shopify.edit(shop.product, "vendor", "Potter")
    shop.world.run()
    assert shop.world.written == [Written("Products", "update", shop.row, "vendor", None, "Potter")]


def test_emptying_a_cell_empties_it_on_the_other_side(shop: Shop) -> None:
    shop.world.grist.type("Products", shop.row, "tags", None)
    shop.world.run()
    assert shop.world.shopify.thing(shop.product)["tags"] is None


def test_different_fields_of_one_row_flow_both_ways_at_once(shop: Shop) -> None:
    shop.world.grist.type("Products", shop.row, "title", "Big mug")
    shop.world.shopify.edit(shop.product, "vendor", "Potter")
    shop.world.run()
    assert shop.world.differences() == []
    assert shop.world.conflicts() == []


def test_what_somebody_types_into_a_computed_field_is_put_back_and_kept_in_history(shop: Shop) -> None:
    shop.world.grist.type("Products", shop.row, "totalInventory", 99)
    shop.world.run()
    assert shop.world.grist.cell("Products", shop.row, "totalInventory") == 10
    (line,) = [line for line in shop.world.history() if line.kind == "update"]
    assert (line.field, line.before, line.after) == ("totalInventory", 99, 10)


def test_a_reference_that_moves_in_shopify_moves_in_grist(shop: Shop) -> None:
    other = shop.world.shopify.add("products", title="Cup", handle="cup")
    shop.world.shopify.edit(shop.variant, "product", other)
    shop.world.run()
    assert shop.world.differences() == []
    assert shop.world.grist.cell("Variants", 1, "product") == shop.world.row_of(other)


# --- conflicts ---------------------------------------------------------------------------------------


def both_edit(shop: Shop, mine: str = "Grist's", theirs: str = "Shopify's") -> None:
    shop.world.grist.type("Products", shop.row, "title", mine)
    shop.world.shopify.edit(shop.product, "title", theirs)


def test_a_conflict_waits_and_touches_neither_side(shop: Shop) -> None:
    both_edit(shop)
    report = shop.world.run()
    (conflict,) = shop.world.conflicts()
    assert (conflict.field, conflict.base, conflict.local, conflict.remote) == ("title", "Mug", "Grist's", "Shopify's")
    assert shop.world.written == []
    assert report.totals["conflicts"] == 1
    assert report.waits_for_somebody
    assert shop.world.run().totals["conflicts"] == 1


@pytest.mark.parametrize(("keep", "value", "expected"), [
    ("grist", None, "Grist's"), ("shopify", None, "Shopify's"), ("base", None, "Mug"), ("value", "New", "New"),
])
def test_after_a_choice_both_agree(shop: Shop, keep: str, value: str | None, expected: str) -> None:
    both_edit(shop)
    shop.world.run()
    shop.world.choose(keep, value)
    report = shop.world.run()
    assert shop.world.grist.cell("Products", shop.row, "title") == expected
    assert shop.world.shopify.thing(shop.product)["title"] == expected
    assert shop.world.conflicts() == []
    assert report.totals["conflicts"] == 0
    shop.world.forget_what_was_written()
    shop.world.run()
    assert shop.world.written == []


def test_a_choice_on_values_that_moved_is_asked_again(shop: Shop) -> None:
    both_edit(shop)
    shop.world.run()
    shop.world.choose("shopify")
    shop.world.grist.type("Products", shop.row, "title", "Grist's, later")
    shop.world.run()
    (conflict,) = shop.world.conflicts()
    assert (conflict.local, conflict.choice) == ("Grist's, later", None)
    assert conflict.moved, "it says that an answer was given on other values"
    assert shop.world.written == []


def test_a_conflict_that_people_settle_by_hand_goes_away(shop: Shop) -> None:
    both_edit(shop)
    shop.world.run()
    shop.world.grist.type("Products", shop.row, "title", "Shopify's")
    shop.world.run()
    assert shop.world.conflicts() == []
    assert shop.world.written == []


# --- stock -------------------------------------------------------------------------------------------


def stock(shop: Shop) -> tuple[object, object]:
    return (shop.world.grist.cell("Inventory", shop.level_row, "available"),
            shop.world.shopify.thing(shop.level)["available"])


def test_stock_merges_by_difference_and_its_total_follows(shop: Shop) -> None:
    shop.world.grist.type("Inventory", shop.level_row, "available", 15)
    shop.world.shopify.sell(shop.level, 2)
    shop.world.run()
    assert stock(shop) == (13, 13)
    assert shop.world.grist.cell("Products", shop.row, "totalInventory") == 13
    shop.world.forget_what_was_written()
    shop.world.run()
    assert shop.world.written == []


def test_a_sale_in_the_very_moment_of_writing_is_merged_in_the_same_run(shop: Shop) -> None:
    shop.world.grist.type("Inventory", shop.level_row, "available", 15)
    sales = iter([3])

    def sell_once(point: str) -> None:
        if point == "shopify.apply.inventory.before":
            for pieces in sales:
                shop.world.shopify.sell(shop.level, pieces)

    shop.world.shopify.on_io = sell_once
    shop.world.run()
    assert stock(shop) == (12, 12)
    assert shop.world.conflicts() == []


def test_sales_at_every_write_are_left_to_the_next_run(shop: Shop) -> None:
    shop.world.grist.type("Inventory", shop.level_row, "available", 15)
    sold = []

    def sell(point: str) -> None:
        if point == "shopify.apply.inventory.before":
            shop.world.shopify.sell(shop.level)
            sold.append(1)

    shop.world.shopify.on_io = sell
    shop.world.run()
    shop.world.shopify.on_io = lambda point: None
    assert stock(shop) == (15, 10 - len(sold)), "each write came too late, so none was made"
    shop.world.run()
    assert stock(shop) == (15 - len(sold), 15 - len(sold))


@pytest.mark.parametrize("point", ["grist.apply.inventory.before", "grist.apply.inventory.after",
                                   "shopify.apply.inventory.before", "shopify.apply.inventory.after"])
def test_a_merge_that_was_cut_off_adds_nothing_twice(shop: Shop, point: str) -> None:
    shop.world.grist.type("Inventory", shop.level_row, "available", 15)
    shop.world.shopify.sell(shop.level, 2)
    cut_off_at(shop.world, point)
    shop.world.run()
    assert stock(shop) == (13, 13)
    assert shop.world.conflicts() == []
    assert sum(one.field == "available" for one in shop.world.shopify.log) == 1
    shop.world.forget_what_was_written()
    shop.world.run()
    assert shop.world.written == []


def cut_off_at(world: World, point: str, error: type[Exception] = RetryLater, *, after: int = 0) -> None:
    """One run that ends at `point`, when it comes there for the (`after` + 1)th time."""
    left = [after]

    def unplug(here: str) -> None:
        if here == point:
            left[0] -= 1
            if left[0] < 0:
                raise error("The line is dead.")

    world.grist.on_io = world.shopify.on_io = unplug
    world.run_until(error)
    world.grist.on_io = world.shopify.on_io = lambda point: None


def test_a_cell_that_goes_back_to_what_it_showed_asks(shop: Shop) -> None:
    shop.world.grist.type("Inventory", shop.level_row, "available", 15)
    shop.world.shopify.sell(shop.level, 2)
    shop.world.run()
    shop.world.grist.type("Inventory", shop.level_row, "available", 15)
    shop.world.run()
    assert [one.field for one in shop.world.conflicts()] == ["available"]
    assert stock(shop) == (15, 13)


def test_a_person_who_types_while_a_merge_is_written_loses_nothing(shop: Shop) -> None:
    """Shopify has the merged figure; before Grist gets it, somebody types two more."""
    grist, row = shop.world.grist, shop.level_row
    grist.type("Inventory", row, "available", 15)
    shop.world.shopify.sell(shop.level, 2)
    typed = iter([17])

    def type_once(point: str) -> None:
        if point == "grist.apply.inventory.before":
            for pieces in typed:
                grist.type("Inventory", row, "available", pieces)

    grist.on_io = type_once
    shop.world.run()
    grist.on_io = lambda point: None
    shop.world.run()
    assert stock(shop) == (15, 15)


# --- what services make of a write ---------------------------------------------------------------------


def test_a_handle_that_shopify_spells_its_own_way_is_carried_back(shop: Shop) -> None:
    shop.world.grist.type("Products", shop.row, "handle", "My New Mug")
    shop.world.run()
    assert shop.world.grist.cell("Products", shop.row, "handle") == "my-new-mug"
    assert shop.world.differences() == []
    shop.world.forget_what_was_written()
    shop.world.run()
    assert shop.world.written == []


def test_a_trigger_in_grist_is_carried_to_shopify(shop: Shop) -> None:
    shop.world.grist.set_trigger("Products", "vendor", "value.upper()",
                                 lambda cells: str(cells.get("vendor") or "").upper())
    shop.world.shopify.edit(shop.product, "vendor", "Potter")
    shop.world.run()
    assert shop.world.shopify.thing(shop.product)["vendor"] == "POTTER"
    assert shop.world.differences() == []


def test_services_that_never_agree_on_a_spelling_end_a_run_all_the_same(shop: Shop) -> None:
    shop.world.grist.set_trigger("Products", "handle", "value.upper()",
                                 lambda cells: str(cells.get("handle") or "").upper())
    shop.world.shopify.edit(shop.product, "handle", "cup")
    report = shop.world.run()
    assert len(shop.world.written) <= 2 * 3, "three looks at most, each side once"
    [note] = report.notes
    assert note.startswith("Handle in Products changed again after this sync had written it: Mug. It is left")


def test_a_formula_that_depends_on_its_own_result_is_told_and_not_followed(new_shop: Callable[..., Shop]) -> None:
    """Through Shopify and back: what is compared with is one more than the price, which follows it there."""
    shop = new_shop()
    shop.world.shopify.computed["variants", "price"] = lambda store, gid: store.things["variants"][gid].get(
        "compareAtPrice") or Decimal("12.50")
    shop.world.grist.set_formula("Variants", "compareAtPrice", "$Price + 1",
                                 lambda cells: Decimal(str(cells["price"] or 0)) + 1)
    report = shop.world.run()
    reached = shop.world.shopify.thing(shop.variant)["compareAtPrice"]
    assert reached == Decimal("12.50") + 2, "once there, back to the formula, and there again"
    [note] = report.notes
    assert note.startswith("Compare at in Variants changed again after this sync had written it: ")
    assert "changed again after this sync had written it" in shop.world.run().notes[0], "the next step is taken"


def test_a_formula_over_another_table_is_pushed_in_the_same_run(new_shop: Callable[..., Shop]) -> None:
    """The SKU is worked out of the vendor of the product."""
    shop = new_shop()
    grist = shop.world.grist
    grist.set_formula("Variants", "sku", "$Product.Vendor + '-1'", lambda cells: "{vendor}-1".format_map(
        grist.rows["Products"].get(cells["product"] or 0, {"vendor": ""})))
    shop.world.shopify.edit(shop.product, "vendor", "Nordvik")
    shop.world.run()
    shop.world.shopify.edit(shop.product, "vendor", "Brenna")
    shop.world.run()
    assert shop.world.shopify.thing(shop.variant)["sku"] == "Brenna-1"
    shop.world.forget_what_was_written()
    shop.world.run()
    assert shop.world.written == []


def test_a_formula_over_what_a_run_writes_is_pushed_in_the_same_run(new_shop: Callable[..., Shop]) -> None:
    """The price compared with is worked out in Grist, from the price."""
    shop = new_shop()
    shop.world.grist.set_formula("Variants", "compareAtPrice", "$Price * 2",
                                 lambda cells: Decimal(str(cells["price"] or 0)) * 2)
    shop.world.run()
    assert shop.world.shopify.thing(shop.variant)["compareAtPrice"] == Decimal("25.00")
    shop.world.shopify.edit(shop.variant, "price", "10.00")
    shop.world.run()
    assert shop.world.shopify.thing(shop.variant)["compareAtPrice"] == Decimal("20.00")
    shop.world.shopify.edit(shop.variant, "compareAtPrice", "1.00")
    shop.world.run()
    assert shop.world.shopify.thing(shop.variant)["compareAtPrice"] == Decimal("20.00")


# --- creating in Shopify ---------------------------------------------------------------------------------

CREATING = {"create_remote": True}


def test_a_new_row_becomes_a_thing_and_gets_its_id(new_shop: Callable[..., Shop]) -> None:
    shop = new_shop(shop_mappings(products=CREATING))
    row = shop.world.grist.add_row("Products", title="Cup", handle="Big Cup", tags=["x"])
    report = shop.world.run()
    gid = shop.world.pairs("products")[row]
    assert shop.world.shopify.thing(gid) == {
        "title": "Cup", "handle": "big-cup", "vendor": None, "tags": ("x",), "totalInventory": 0}
    assert shop.world.differences() == []
    assert report.totals["created"] == 1
    shop.world.forget_what_was_written()
    shop.world.run()
    assert shop.world.written == []


def test_a_new_row_rests_first_and_again_after_each_edit(new_shop: Callable[..., Shop]) -> None:
    shop = new_shop(shop_mappings(products=CREATING))
    shop.world.rest_seconds = 3600
    row = shop.world.grist.add_row("Products", title="Cup")
    assert shop.world.run().totals["waiting"] == 1
    shop.world.rest_seconds = 0.000_001
    shop.world.grist.type("Products", row, "title", "Big cup")
    assert shop.world.run().totals["waiting"] == 1, "it was typed into since the last look"
    assert shop.world.shopify.log == []
    assert shop.world.run().totals["created"] == 1


def test_a_new_row_without_its_required_field_waits(new_shop: Callable[..., Shop]) -> None:
    shop = new_shop(shop_mappings(products=CREATING))
    row = shop.world.grist.add_row("Products", handle="cup")
    report = shop.world.run()
    assert (report.totals["waiting"], report.totals["refused"]) == (1, 0)
    assert [one.waits for one in shop.world.refusals()] == [True]
    shop.world.grist.type("Products", row, "title", "Cup")
    shop.world.run()
    assert row in shop.world.pairs("products")
    assert shop.world.refusals() == []


def test_a_product_and_its_variant_both_new_in_grist_are_made_in_order(new_shop: Callable[..., Shop]) -> None:
    shop = new_shop(shop_mappings(products=CREATING, variants=CREATING))
    product = shop.world.grist.add_row("Products", title="Cup", handle="cup")
    variant = shop.world.grist.add_row("Variants", product=product, sku="c1", price="3.00")
    shop.world.run()
    gid = shop.world.pairs("variants")[variant]
    assert shop.world.shopify.thing(gid)["product"] == shop.world.pairs("products")[product]
    assert shop.world.differences() == []


def test_a_variant_waits_for_a_product_that_is_refused(new_shop: Callable[..., Shop]) -> None:
    shop = new_shop(shop_mappings(products=CREATING, variants=CREATING))
    product = shop.world.grist.add_row("Products", title="Cup", handle="cup")
    variant = shop.world.grist.add_row("Variants", product=product, sku="c1", price="3.00")
    shop.world.shopify.refuses = lambda op: "Handle is taken" if isinstance(op, Create) else None
    report = shop.world.run()
    assert (report.totals["refused"], report.totals["waiting"]) == (1, 1)
    shop.world.shopify.refuses = lambda op: None
    shop.world.run()
    assert variant in shop.world.pairs("variants")
    assert shop.world.refusals() == []


def test_what_a_creation_brings_along_gets_its_row_in_the_same_run(new_shop: Callable[..., Shop]) -> None:
    shop = new_shop(shop_mappings(products=CREATING))
    shop.world.shopify.brings["products"] = lambda store, gid: store.add(
        "variants", product=gid, price="0.00") and None
    row = shop.world.grist.add_row("Products", title="Cup", handle="cup")
    shop.world.run()
    assert [cells["product"] for cells in shop.world.grist.rows["Variants"].values()] == [shop.row, row]
    assert shop.world.differences() == []


# --- a row that goes wrong ---------------------------------------------------------------------------------


def test_a_refused_row_stops_only_itself(new_world: MakeWorld) -> None:
    world = new_world(shop_mappings()[:1])
    gids = [world.shopify.add("products", title=f"Mug {n}", handle=f"mug-{n}") for n in range(3)]
    world.run()
    for gid in gids:
        world.grist.type("Products", world.row_of(gid), "title", "New " + gid[-1])
    world.shopify.refuses = lambda op: "Title is too rude" if getattr(op, "key", "") == gids[1] else None
    report = world.run()
    assert [world.shopify.thing(gid)["title"] for gid in gids] == ["New 1", "Mug 1", "New 3"]
    assert (report.totals["updated"], report.totals["refused"]) == (2, 1)
    (refusal,) = world.refusals()
    assert (refusal.key, refusal.message, refusal.tries) == (gids[1], "Title is too rude", 1)
    world.run()
    assert world.refusals()[0].tries == 2
    world.shopify.refuses = lambda op: None
    world.run()
    assert world.refusals() == []
    assert world.differences() == []


def test_a_row_that_grist_refuses_to_make_is_listed_and_tried_again(new_world: MakeWorld) -> None:
    world = new_world()
    world.shopify.add("products", title="Mug", handle="mug")
    world.grist.refuses = lambda op: "Not allowed" if op.title == "Mug" else None
    world.run()
    (refusal,) = world.refusals()
    assert refusal.key == "gid://shopify/Product/1"
    assert "Not allowed" in refusal.message
    world.grist.refuses = lambda op: None
    world.run()
    assert world.refusals() == []
    assert world.grist.cell("Products", 1, "title") == "Mug"


def test_half_a_merge_is_not_written_where_the_other_half_is_refused(shop: Shop) -> None:
    shop.world.grist.type("Inventory", shop.level_row, "available", 15)
    shop.world.shopify.sell(shop.level, 2)
    shop.world.shopify.refuses = lambda op: "Not stocked here"
    shop.world.run()
    assert stock(shop) == (15, 8)
    shop.world.shopify.refuses = lambda op: None
    shop.world.run()
    assert stock(shop) == (13, 13)


def test_text_among_numbers_is_refused_and_the_rest_of_the_row_flows(shop: Shop) -> None:
    shop.world.grist.type("Inventory", shop.level_row, "available", "about ten")
    report = shop.world.run()
    assert report.totals["refused"] == 1
    assert stock(shop) == (Unfit("about ten"), 10)
    shop.world.shopify.sell(shop.level)
    shop.world.run()
    assert [one.field for one in shop.world.conflicts()] == ["available"]
    shop.world.choose("shopify")
    shop.world.run()
    assert stock(shop) == (9, 9)


# --- filters, one-way fields, chosen fields, unread ----------------------------------------------------------


def test_rows_that_are_not_ticked_are_left_alone(new_shop: Callable[..., Shop]) -> None:
    shop = new_shop(shop_mappings(products={"only_where": "Sync", **CREATING}))
    shop.world.grist.tick("Products", shop.row, on=False)
    shop.world.grist.type("Products", shop.row, "title", "Mine")
    shop.world.shopify.edit(shop.product, "vendor", "Potter")
    new = shop.world.grist.add_row("Products", title="Cup")
    shop.world.grist.tick("Products", new, on=False)
    shop.world.run()
    assert shop.world.written == []
    assert shop.world.deletions() == []
    shop.world.grist.tick("Products", shop.row)
    shop.world.grist.tick("Products", new)
    shop.world.run()
    assert shop.world.differences() == []


def test_things_that_a_filter_leaves_out_are_left_alone(new_shop: Callable[..., Shop]) -> None:
    shop = new_shop(shop_mappings(products={"filter": "vendor:ours"}))
    assert shop.world.grist.rows["Products"] == {}
    mine = shop.world.shopify.add("products", title="Cup", handle="cup", vendor="ours")
    shop.world.run()
    assert list(shop.world.pairs("products").values()) == [mine]
    shop.world.shopify.edit(mine, "vendor", "theirs")
    shop.world.forget_what_was_written()
    shop.world.grist.type("Products", 1, "title", "Typed meanwhile")
    shop.world.run()
    assert shop.world.written == []
    assert shop.world.deletions() == []


def test_a_field_that_only_goes_to_shopify_is_put_right_there(new_shop: Callable[..., Shop]) -> None:
    products, *rest = shop_mappings()
    shop = new_shop([with_rules(products, vendor={"direction": Direction.TO_SHOPIFY}), *rest])
    shop.world.grist.type("Products", shop.row, "vendor", "Potter")
    shop.world.run()
    shop.world.shopify.edit(shop.product, "vendor", "Somebody")
    shop.world.run()
    assert shop.world.shopify.thing(shop.product)["vendor"] == "Potter"
    assert shop.world.grist.cell("Products", shop.row, "vendor") == "Potter"


@pytest.mark.parametrize(("direction", "mine", "theirs"), [
    (Direction.TO_SHOPIFY, None, "Theirs"), (Direction.TO_GRIST, "Mine", None),
])
def test_a_typed_choice_on_a_one_way_field_is_not_undone_by_the_next_run(
    new_world: MakeWorld, direction: Direction, mine: str | None, theirs: str | None
) -> None:
    """Its source is empty, so a person is asked; what is chosen stands on the side that may be written, and stays."""
    products = with_rules(shop_mappings()[0], vendor={"direction": direction})
    world = new_world([products])
    row = world.grist.add_row("Products", title="Mug", handle="mug", vendor=mine)
    gid = world.shopify.add("products", title="Mug", handle="mug", vendor=theirs)
    world.run()
    world.choose("value", "Chosen")
    world.run()
    world.run()
    found = world.shopify.thing(gid) if direction is Direction.TO_SHOPIFY else world.grist.rows["Products"][row]
    assert found["vendor"] == "Chosen"


def test_a_run_over_some_fields_leaves_the_others_and_their_conflicts_alone(shop: Shop) -> None:
    both_edit(shop)
    shop.world.run()
    shop.world.grist.type("Products", shop.row, "vendor", "Potter")
    shop.world.grist.type("Inventory", shop.level_row, "available", 12)
    shop.world.grist.remove_row("Variants", 1)
    shop.world.run(fields=["available"])
    assert [(one.where, one.field) for one in shop.world.shopify.log] == [("inventory", "available")]
    assert [one.field for one in shop.world.conflicts()] == ["title"]
    assert shop.world.deletions() == []


def test_what_may_not_be_read_is_never_written_or_cleared(shop: Shop) -> None:
    row = shop.row
    shop.world.grist.hide_cell("Products", row, "title")
    shop.world.shopify.hidden.add((shop.variant, "price"))
    shop.world.shopify.edit(shop.product, "title", "Theirs")
    shop.world.grist.type("Variants", 1, "price", "1.00")
    shop.world.run()
    assert shop.world.written == []
    shop.world.grist.show_cell("Products", row, "title")
    shop.world.shopify.hidden.clear()
    shop.world.run()
    assert shop.world.differences() == []


# --- preview, history, brakes -----------------------------------------------------------------------------------


def test_a_preview_writes_no_byte_and_says_what_a_run_then_does(new_shop: Callable[..., Shop]) -> None:
    shop = new_shop(shop_mappings(products=CREATING))
    world = shop.world
    both_edit(shop)
    world.grist.type("Products", shop.row, "vendor", "Potter")
    world.grist.add_row("Products", title="Cup")
    world.shopify.edit(shop.variant, "price", "3.00")
    world.shopify.add("locations", name="Cellar")
    before, sent = world.stored(), world.grist.usage.writes + world.shopify.usage.writes
    report = world.run(preview=True)
    assert world.stored() == before
    assert world.written == []
    assert (world.grist.usage.writes + world.shopify.usage.writes, report.state) == (sent, "preview")
    assert {(line["kind"], line["side"], line["resource"], line["field"]) for line in report.plan or []} == {
        ("update", "shopify", "products", "vendor"), ("create", "shopify", "products", ""),
        ("update", "grist", "variants", "price"), ("create", "grist", "locations", ""),
    }
    assert report.totals["conflicts"] == 1
    assert world.run().totals["created"] == report.totals["created"]


def test_a_preview_of_a_first_sync_makes_no_table(new_world: MakeWorld) -> None:
    world = new_world()
    world.shopify.add("products", title="Mug", handle="mug")
    before = world.stored()
    report = world.run(preview=True)
    assert report.totals["created"] == 1
    assert world.grist.rows == {}
    assert world.stored() == before


def test_history_has_every_write_with_before_and_after(shop: Shop) -> None:
    known = len(shop.world.history())
    shop.world.grist.type("Products", shop.row, "title", "Big mug")
    shop.world.shopify.edit(shop.variant, "price", "3.00")
    shop.world.run()
    lines = [(line.run_id, line.side, line.kind, line.local_key, line.remote_key, line.field, line.before, line.after,
              line.started_by) for line in shop.world.history()[known:]]
    run = shop.world.last_run
    assert lines == [
        (run, "remote", "update", shop.row, shop.product, "title", "Mug", "Big mug", "somebody"),
        (run, "local", "update", 1, shop.variant, "price", "12.50", "3.00", "somebody"),
    ]


def test_a_creation_and_a_deletion_are_in_history_with_their_values(new_shop: Callable[..., Shop]) -> None:
    shop = new_shop(shop_mappings(products={"delete_local": Policy.APPLY}))
    (created,) = [line for line in shop.world.history() if line.remote_key == shop.product]
    assert (created.kind, created.side, created.after["title"]) == ("create", "local", "Mug")
    shop.world.shopify.delete(shop.product)
    shop.world.run()
    deleted = [line for line in shop.world.history() if line.kind == "delete"]
    assert [(line.side, line.before["title"], line.before["tags"]) for line in deleted] == [("local", "Mug", ["blue"])]


def many(world: World, count: int) -> list[str]:
    gids = [world.shopify.add("products", title=f"Mug {n}", handle=f"mug-{n}") for n in range(count)]
    world.run()
    world.forget_what_was_written()
    return gids


def test_a_brake_stops_before_anything_is_written_and_go_on_goes_on(new_world: MakeWorld) -> None:
    world = new_world(shop_mappings(products={"delete_remote": Policy.APPLY})[:1])
    gids = many(world, 24)
    for gid in gids[:10]:
        world.grist.remove_row("Products", world.row_of(gid))
    world.grist.type("Products", world.row_of(gids[-1]), "title", "Edited")
    before = world.stored()
    with pytest.raises(BrakeError) as caught:
        world.run()
    assert (caught.value.brake, caught.value.figures) == ("deletions", {"gone": 10, "of": 24, "allowed": 6})
    assert world.written == []
    assert world.stored() == before
    report = world.run(go_on=True)
    assert report.totals["deleted"] == 10
    assert len(world.shopify.things["products"]) == 14
    assert world.shopify.thing(gids[-1])["title"] == "Edited"


def test_an_emptied_table_stops_the_run(new_world: MakeWorld) -> None:
    world = new_world(shop_mappings()[:1])
    many(world, 4)
    for row in list(world.grist.rows["Products"]):
        world.grist.remove_row("Products", row)
    with pytest.raises(BrakeError, match=r"Products is empty in Grist.*Nothing was written"):
        world.run()


def test_a_preview_names_the_brake_and_still_shows_the_plan(new_world: MakeWorld) -> None:
    world = new_world(shop_mappings()[:1])
    many(world, 60)
    for row in list(world.grist.rows["Products"]):
        world.grist.type("Products", row, "vendor", "Same for all")
    report = world.run(preview=True)
    assert "changed in Grist" in (report.message or "")
    assert report.plan_total == 60


# --- unplugged ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("side", list(Side))
def test_a_run_that_was_unplugged_between_batches_goes_on(
    new_world: MakeWorld, side: Side, after: int, when: str
) -> None:
    world = new_world(shop_mappings()[:1], batch_size=2)
    gids = many(world, 6)
    for n, gid in enumerate(gids):
        if side is Side.REMOTE:
            world.grist.type("Products", world.row_of(gid), "title", f"New {n}")
        else:
            world.shopify.edit(gid, "title", f"New {n}")
    service = "shopify" if side is Side.REMOTE else "grist"
    cut_off_at(world, f"{service}.apply.products.{when}", after=after)
    done = len(world.written)
    assert done == 2 * (after + (when == "after"))
    world.run()
    assert world.differences() == []
    assert len(world.written) == 6, "nothing was written twice"
    assert [line.after for line in world.history() if line.kind == "update"] == [f"New {n}" for n in range(6)]


def test_a_report_of_what_was_done_comes_with_the_error(new_world: MakeWorld) -> None:
    world = new_world(shop_mappings()[:1], batch_size=1)
    for gid in many(world, 3):
        world.grist.type("Products", world.row_of(gid), "title", "New")

    def unplug(point: str) -> None:
        if point == "shopify.apply.products.before" and len(world.shopify.log) == 2:
            raise RetryLater("The line is dead.")

    world.shopify.on_io = unplug
    with pytest.raises(RetryLater) as caught:
        world.run()
    assert caught.value.report.totals["updated"] == 2


def test_a_creation_that_was_cut_off_before_it_was_sent_needs_nobody(new_shop: Callable[..., Shop]) -> None:
    """RetryLater says that nothing was written; only OutcomeUnknown says that it may have been."""
    shop = new_shop(shop_mappings(products=CREATING))
    row = shop.world.grist.add_row("Products", title="Cup")
    cut_off_at(shop.world, "shopify.apply.products.before")
    shop.world.run()
    assert row in shop.world.pairs("products")
    assert len(shop.world.shopify.things["products"]) == 2


def test_a_creation_whose_answer_was_lost_never_happens_twice(new_shop: Callable[..., Shop]) -> None:
    shop = new_shop(shop_mappings(products=CREATING))
    shop.world.grist.add_row("Products", title="Cup")
    cut_off_at(shop.world, "shopify.apply.products.after")
    for _ in range(3):
        shop.world.run()
    assert len(shop.world.shopify.things["products"]) == 2


def test_a_creation_that_the_mapping_forbids_by_now_is_not_sent_once_more(new_shop: Callable[..., Shop]) -> None:
    """Its answer was lost; then somebody lets the title go to Grist only. Whether it was made a person looks up."""
    shop = new_shop(shop_mappings(products=CREATING))
    world = shop.world
    world.shopify.carries_key = {"products"}
    row = world.grist.add_row("Products", title="Cup")
    cut_off_at(world, "shopify.apply.products.after")
    made = len(world.shopify.things["products"])
    world.forget_what_was_written()
    world.mappings = [with_rules(one, title={"direction": Direction.TO_GRIST}) for one in world.mappings]
    for _ in range(2):
        world.run()
    assert len(world.shopify.things["products"]) == made
    assert world.shopify.log == []
    assert ["may have been created" in one.message for one in world.refusals() if one.key == str(row)] == [True]


def test_what_was_made_unheard_stays_with_the_row_that_has_met_it_since(new_shop: Callable[..., Shop]) -> None:
    """Found by a random world. Somebody has copied its ID into another row, as they were told to, while nobody could
    ask Shopify for the key; and the first row is another product's by then."""
    shop = new_shop(shop_mappings(products=CREATING))
    world = shop.world
    world.shopify.carries_key = {"products"}
    row = world.grist.add_row("Products", title="Cup", handle="cup")
    cut_off_at(world, "shopify.apply.products.after", OutcomeUnknown)
    [cup] = [gid for gid, thing in world.shopify.things["products"].items() if thing["title"] == "Cup"]
    other = world.grist.copy_row("Products", row)
    world.grist.set_mark("Products", other, cup)
    world.grist.type("Products", row, "title", "Jug")
    world.grist.type("Products", row, "handle", "jug")

    def deaf(point: str) -> None:
        if point.startswith("shopify.repeat"):
            raise OutcomeUnknown("The line is dead.")

    def number() -> int:
        with world.database.read() as tx:
            return base.pairs(tx, world.mapping("products"), things=[cup])[0].id

    world.shopify.on_io = deaf
    world.run()
    world.shopify.on_io = lambda point: None
    assert world.pairs("products")[other] == cup
    met = number()
    for _ in range(3):
        world.run()
    assert world.pairs("products")[other] == cup
    assert number() == met, "with all that they agreed on"
    assert world.shopify.things["products"][cup]["title"] == "Cup", "nobody has renamed it"
    assert list(world.grist.marks["Products"].values()).count(cup) == 1


def test_a_row_made_in_grist_whose_answer_was_lost_is_found_again(shop: Shop) -> None:
    cup = shop.world.shopify.add("products", title="Cup", handle="cup")
    cut_off_at(shop.world, "grist.apply.products.after")
    shop.world.run()
    assert len(shop.world.grist.rows["Products"]) == 2
    assert shop.world.pairs("products") == {shop.row: shop.product, shop.row + 1: cup}
    assert shop.world.refusals() == []


def test_an_id_that_could_not_be_written_is_written_by_the_next_run(new_shop: Callable[..., Shop]) -> None:
    shop = new_shop(shop_mappings(products=CREATING))
    row = shop.world.grist.add_row("Products", title="Cup")
    cut_off_at(shop.world, "grist.apply.products.before")
    assert row not in shop.world.pairs("products")
    shop.world.run()
    assert row in shop.world.pairs("products")
    assert len(shop.world.shopify.things["products"]) == 2


def test_a_choice_outlives_a_run_that_was_cut_off_before_it_was_written(shop: Shop) -> None:
    both_edit(shop)
    shop.world.run()
    shop.world.choose("grist")
    cut_off_at(shop.world, "shopify.apply.products.before")
    shop.world.run()
    assert shop.world.shopify.thing(shop.product)["title"] == "Grist's"
    assert shop.world.conflicts() == []


def test_cancelling_ends_the_run_after_the_batch_in_hand(new_world: MakeWorld) -> None:
    world = new_world(shop_mappings()[:1], batch_size=1)
    for gid in many(world, 3):
        world.grist.type("Products", world.row_of(gid), "title", "New")

    def beat(progress: dict) -> None:
        if progress["phase"] == "writing" and world.shopify.log:
            raise Cancelled("Somebody pressed Cancel.")

    with pytest.raises(Cancelled):
        sync(world.session(beat=beat))
    assert len(world.written) == 1
    world.run()
    assert len(world.written) == 3
    assert world.differences() == []


@pytest.mark.parametrize(("away", "phase"), [("grist", "reading_grist"), ("shopify", "reading_shopify")])
def test_while_a_service_is_away_a_run_says_which_one_it_asks(new_world: MakeWorld, away: str, phase: str) -> None:
    world = new_world(shop_mappings()[:1])
    world.run()

    def gone(*_: object) -> None:
        raise RetryLater("It does not answer.", cure="Wait.")

    said: list[str] = []
    getattr(world, away).changed = gone
    with pytest.raises(RetryLater):
        sync(world.session(beat=lambda progress: said.append(progress["phase"])))
    assert said[-1] == phase


# --- what random worlds found ----------------------------------------------------------------------


def test_an_edit_of_a_thing_whose_making_nobody_heard_of_is_no_spelling_of_shopifys(
    new_shop: Callable[..., Shop],
) -> None:
    products, *rest = shop_mappings(products=CREATING)
    world = new_shop([with_rules(products, title={"direction": Direction.TO_SHOPIFY}), *rest]).world
    world.shopify.carries_key.add("products")
    known = set(world.shopify.things["products"])
    world.grist.add_row("Products", title="Cup", handle="cup")
    lose_an_answer(world.shopify)
    world.run_until(OutcomeUnknown)
    (gid,) = set(world.shopify.things["products"]) - known
    world.shopify.edit(gid, "title", "Beaker")
    world.run()
    assert world.shopify.thing(gid)["title"] == "Cup", "put back: the title goes to Shopify only"
    assert set(world.shopify.things["products"]) == known | {gid}


def test_a_sale_is_counted_once_though_access_rules_hide_the_row_that_it_was_written_to(shop: Shop) -> None:
    world = shop.world
    world.shopify.sell(shop.level, 2)
    cut_off_at(world, "grist.apply.inventory.after", OutcomeUnknown)
    row = shop.level_row
    world.grist.hide_row("Inventory", row)
    world.shopify.sell(shop.level, 1)
    world.run()
    world.grist.show_row("Inventory", row)
    world.run(everything=True)
    assert world.shopify.thing(shop.level)["available"] == 7
    assert [one.field for one in world.conflicts()] == ["available"], "nobody can tell any more, so a person is asked"


def test_a_count_typed_over_one_that_nobody_heard_of_is_asked_for(shop: Shop) -> None:
    """Whoever typed 12 may have seen 10, or 8 already: nobody can tell what was added."""
    world = shop.world
    world.shopify.sell(shop.level, 2)
    cut_off_at(world, "grist.apply.inventory.after", OutcomeUnknown)
    world.grist.type("Inventory", shop.level_row, "available", 12)
    world.run()
    (conflict,) = world.conflicts()
    assert (conflict.field, conflict.local, conflict.remote) == ("available", 12, 8)


def test_stock_that_looks_untouched_after_a_day_is_asked_for(shop: Shop) -> None:
    """10 → 15 was written and nobody heard of it, then 5 were sold: 10 again, and Shopify has forgotten the key."""
    world = shop.world
    world.grist.type("Inventory", shop.level_row, "available", 15)
    cut_off_at(world, "shopify.apply.inventory.after", OutcomeUnknown)
    world.shopify.sell(shop.level, 5)
    world.shopify.forget_keys()
    with world.database.write() as tx:
        tx.execute(sa.text("update intent set at = at - 100000"))
    world.run()
    world.run()
    assert world.shopify.thing(shop.level)["available"] == 10
    (conflict,) = world.conflicts()
    assert (conflict.local, conflict.remote) == (15, 10)


def test_a_thing_that_another_row_claims_is_not_given_a_row_of_its_own(new_world: MakeWorld) -> None:
    world = new_world(shop_mappings()[:1])
    gone, other = many(world, 2)
    world.grist.remove_row("Products", world.row_of(gone))
    world.shopify.edit(gone, "title", "Edited")
    world.run()
    world.choose("shopify")
    row = world.row_of(other)
    world.grist.set_mark("Products", row, gone)
    world.run()
    assert list(world.pairs("products").values()) == [gone]
    assert world.refusals() != []


def test_a_thing_that_a_row_claims_gets_no_row_either_while_runs_look_elsewhere(new_world: MakeWorld) -> None:
    world = new_world(shop_mappings()[:1])
    one, other = many(world, 2)
    new = world.shopify.add("products", title="New", handle="new")
    world.grist.set_mark("Products", world.row_of(one), new)
    for _ in range(4):
        world.run()
    world.grist.copy_row("Products", world.row_of(other))
    world.run()
    assert list(world.pairs("products").values()).count(new) == 1


# --- rules end to end ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("on_conflict", "expected"), [
    (Rule.SHOPIFY, "Shopify's"), (Rule.GRIST, "Grist's"),
])
def test_a_rule_decides_without_asking(
    new_shop: Callable[..., Shop], on_conflict: Rule, expected: str
) -> None:
    products, *rest = shop_mappings()
    shop = new_shop([with_rules(products, title={"on_conflict": on_conflict}), *rest])
    both_edit(shop)
    shop.world.run()
    assert shop.world.conflicts() == []
    assert shop.world.differences() == []
    assert shop.world.grist.cell("Products", shop.row, "title") == expected
    loser = "Grist's" if expected == "Shopify's" else "Shopify's"
    assert loser in [line.before for line in shop.world.history()], "what was overruled is kept"


def test_an_op_never_reaches_a_service_in_the_others_words(new_shop: Callable[..., Shop]) -> None:
    """The twins check every op that they are handed; this run makes one of each kind."""
    shop = new_shop(shop_mappings(products={**CREATING, "delete_remote": Policy.APPLY}))
    seen: list[Op] = []
    shop.world.shopify.refuses = lambda op: seen.append(op)
    shop.world.grist.add_row("Products", title="Cup")
    other = shop.world.shopify.add("products", title="Jar", handle="jar")
    shop.world.run()
    shop.world.grist.type("Products", shop.row, "title", "Big mug")
    shop.world.grist.remove_row("Products", shop.world.row_of(other))
    shop.world.run()
    assert {type(op).__name__ for op in seen} == {"Create", "Update", "Delete"}


@pytest.mark.parametrize("meanwhile", ["Edited", "Removed"])
def test_what_an_unheard_write_may_have_written_over_stands_in_the_history(
    new_shop: Callable[..., Shop], meanwhile: str
) -> None:
    """Grist's vendor was put back to Shopify's, nobody heard of it, and then somebody edited the cell: what had been
    typed there is nowhere else any more."""
    products, *rest = shop_mappings()
    shop = new_shop([with_rules(products, vendor={"direction": Direction.TO_GRIST}), *rest])
    world, row = shop.world, shop.row
    world.shopify.edit(shop.product, "vendor", "Potter")
    world.run()
    world.grist.type("Products", row, "vendor", "Typed by somebody")
    cut_off_at(world, "grist.apply.products.after", OutcomeUnknown)
    if meanwhile == "Edited":
        world.grist.type("Products", row, "vendor", "Typed later")
    else:
        world.grist.remove_row("Products", row)
    world.run()
    assert "Typed by somebody" in [one.before for one in world.history() if one.field == "vendor"]


def _spelled_otherwise(new_shop: Callable[..., Shop]) -> Shop:
    """The vendor goes to Shopify only, is empty in Grist, and Shopify has put its own word there."""
    products, *rest = shop_mappings()
    shop = new_shop([with_rules(products, vendor={"direction": Direction.TO_SHOPIFY}), *rest])
    shop.world.shopify.spelling["products", "vendor"] = lambda vendor: vendor or "The shop"
    shop.world.grist.type("Products", shop.row, "vendor", "Potter")
    shop.world.run()
    shop.world.grist.type("Products", shop.row, "vendor", None)
    shop.world.run()
    assert shop.world.shopify.thing(shop.product)["vendor"] == "The shop"
    return shop


def _turned(shop: Shop, direction: Direction) -> None:
    shop.world.mappings = [with_rules(one, vendor={"direction": direction}) for one in shop.world.mappings]


@pytest.mark.parametrize("direction", [Direction.TO_GRIST, Direction.BOTH])
def test_what_shopify_spelled_in_its_own_way_goes_to_grist_once_it_may(
    new_shop: Callable[..., Shop], direction: Direction
) -> None:
    shop = _spelled_otherwise(new_shop)
    _turned(shop, direction)
    shop.world.run()
    assert shop.world.grist.cell("Products", shop.row, "vendor") == "The shop"
    shop.world.forget_what_was_written()
    shop.world.run(everything=True)
    assert shop.world.written == []


def test_a_turned_direction_counts_though_no_run_with_the_other_one_came_to_its_end(
    new_shop: Callable[..., Shop],
) -> None:
    shop = new_shop()
    world = shop.world
    world.shopify.spelling["products", "vendor"] = lambda vendor: vendor or "The shop"
    world.grist.type("Products", shop.row, "vendor", "Potter")
    world.run()
    _turned(shop, Direction.TO_SHOPIFY)
    world.grist.type("Products", shop.row, "vendor", None)
    world.shopify.sell(shop.level, 1)
    cut_off_at(world, "grist.apply.inventory.before")
    assert world.shopify.thing(shop.product)["vendor"] == "The shop"
    _turned(shop, Direction.TO_GRIST)
    world.run()
    assert world.grist.cell("Products", shop.row, "vendor") == "The shop"


@pytest.mark.parametrize("direction", [Direction.TO_GRIST, Direction.BOTH])
def test_sides_that_a_choice_left_different_meet_anew_once_the_other_may_be_written(
    new_world: MakeWorld, direction: Direction
) -> None:
    products = with_rules(shop_mappings()[0], vendor={"direction": Direction.TO_SHOPIFY})
    world = new_world([products])
    row = world.grist.add_row("Products", title="Mug", handle="mug")
    gid = world.shopify.add("products", title="Mug", handle="mug", vendor="Theirs")
    world.run()
    world.choose("value", "Chosen")
    world.run()
    assert (world.grist.cell("Products", row, "vendor"), world.shopify.thing(gid)["vendor"]) == (None, "Chosen")
    world.mappings = [with_rules(one, vendor={"direction": direction}) for one in world.mappings]
    world.run()
    assert world.grist.cell("Products", row, "vendor") == world.shopify.thing(gid)["vendor"] == "Chosen"

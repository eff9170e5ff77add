"""Mappings from resources, narrowing, order, and references in both sides' words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backend.core.mapping import Directory, choose, column_id, default_mapping, in_order, rule_for
from backend.core.model import Change, Create, Direction, Rule, Side, Snapshot, Update, Why
from backend.core.values import UNREAD, LocalRef, Unfit, Value

from .small import PRODUCT, mapping, rule

A, B = "gid://shopify/Maker/1", "gid://shopify/Maker/2"


@pytest.mark.parametrize(("label", "column"), [
    ("Compare at", "Compare_at"), ("SKU", "SKU"), ("When out of stock", "When_out_of_stock"), ("  Öl (l) ", "Öl_l"),
])
def test_a_label_becomes_a_column_id(label: str, column: str) -> None:
    assert column_id(label) == column


def test_a_rule_says_what_the_field_suggests_unless_told_otherwise() -> None:
    title, total = PRODUCT.field("title"), PRODUCT.field("total")
    assert title is not None
    assert total is not None
    assert (rule_for(title).direction, rule_for(title).on_conflict) == (Direction.BOTH, Rule.ASK)
    assert rule_for(total).direction is Direction.TO_GRIST
    told = rule_for(title, "Name", Direction.TO_SHOPIFY, Rule.GRIST)
    assert (told.column, told.direction, told.on_conflict) == ("Name", Direction.TO_SHOPIFY, Rule.GRIST)


def test_fields_are_chosen_by_name_or_group_and_other_mappings_rest() -> None:
    first, second = mapping("title", "stock", "price"), mapping("title", "sku")
    (narrowed,) = choose([first, second], ["inventory", "price"])
    assert narrowed.chosen == {"stock", "price"}
    assert narrowed.active == (False, True, True)
    assert not narrowed.whole
    assert first.whole


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(KeyError) as caught:
        choose([mapping("title")], ["title", "colour"])
    assert caught.value.args == ("colour",)


def test_mappings_stand_in_order_of_reference() -> None:
    variants, products = (replace(mapping("title"), resource=replace(PRODUCT, name=name)) for name in ("v", "p"))
    assert in_order([variants, products], ["p", "v"]) == [products, variants]


def test_a_default_mapping_matches_only_by_fields_it_has() -> None:
    assert default_mapping(PRODUCT).match == ("sku", "title")
    narrow = default_mapping(PRODUCT, fields=["title", "stock"])
    assert (narrow.names, narrow.match, narrow.table) == (("title", "stock"), ("title",), "Products")


def test_a_row_is_aligned_with_its_fields_and_back() -> None:
    mapped = mapping("title", "stock", "sku")
    row = mapped.row({"sku": None, "title": "Mug"})
    assert row == ("Mug", UNREAD, None)
    assert mapped.values(row) == {"title": "Mug", "sku": None}


# --- references -------------------------------------------------------------------------------------

MAPPED = mapping("title", "maker")


def directory() -> Directory:
    """Row 7 is maker A. B is a thing without a row."""
    known = Directory()
    known.add("makers", 7, A)
    return known


@pytest.mark.parametrize(("cell", "value"), [
    (7, A), (9, LocalRef("makers", 9)), (None, None), (UNREAD, UNREAD), (Unfit("Alice"), Unfit("Alice")),
])
def test_a_row_id_is_read_as_the_thing_it_means(cell: Value, value: Value) -> None:
    found = directory().canonical_local(MAPPED, Snapshot(rows={1: ("Mug", cell)}))
    assert found.rows == {1: ("Mug", value)}


@pytest.mark.parametrize(("gid", "value"), [(A, A), (B, UNREAD), (None, None), (UNREAD, UNREAD)])
def test_a_thing_without_a_row_counts_as_unread(gid: Value, value: Value) -> None:
    found = directory().canonical_remote(MAPPED, Snapshot(rows={"x": ("Mug", gid)}))
    assert found.rows == {"x": ("Mug", value)}


def test_a_thing_that_will_get_its_row_in_this_run_is_known() -> None:
    known = directory()
    known.expect("makers", [B])
    assert known.canonical_remote(MAPPED, Snapshot(rows={"x": ("Mug", B)})).rows == {"x": ("Mug", B)}
    assert known.row("makers", B) is None


def test_a_dropped_pair_is_a_new_row_again() -> None:
    known = directory()
    known.drop("makers", 7, A)
    assert known.canonical_local(MAPPED, Snapshot(rows={1: ("Mug", 7)})).rows[1][1] == LocalRef("makers", 7)
    known.drop("makers", 99, "nothing")


def test_what_has_no_reference_is_left_as_it_is() -> None:
    plain = mapping("title")
    snapshot = Snapshot(rows={1: ("Mug",)})
    assert directory().canonical_local(plain, snapshot) is snapshot


def test_grist_is_told_row_ids_and_never_of_rows_that_do_not_exist() -> None:
    known = directory()
    assert known.for_local(MAPPED, Create(Side.LOCAL, "x", {"title": "Mug", "maker": A})).values == {
        "title": "Mug", "maker": 7}
    assert known.for_local(MAPPED, Create(Side.LOCAL, "x", {"title": "Mug", "maker": B})).values == {"title": "Mug"}
    assert known.for_local(MAPPED, Create(Side.LOCAL, "x", {"maker": None})).values == {"maker": None}


def test_shopify_is_told_the_things_that_new_rows_became() -> None:
    known = directory()
    wanted = Create(Side.REMOTE, 1, {"title": "Mug", "maker": LocalRef("makers", 9)})
    assert known.for_remote(MAPPED, wanted).values == {"title": "Mug"}
    known.add("makers", 9, B)
    assert known.for_remote(MAPPED, wanted).values == {"title": "Mug", "maker": B}


def test_an_update_is_told_in_the_words_of_its_side_before_and_after() -> None:
    known = directory()
    known.add("makers", 8, B)
    op = Update(Side.LOCAL, 1, "x", (Change("maker", A, B, Why.CHANGED), Change("title", "a", "b", Why.CHANGED)))
    told = known.for_local(MAPPED, op)
    assert isinstance(told, Update)
    assert (told.before, told.values) == ({"maker": 7, "title": "a"}, {"maker": 8, "title": "b"})
    assert known.stored(MAPPED, told.values) == {"maker": B, "title": "b"}


def test_an_update_leaves_out_a_reference_that_has_to_wait() -> None:
    op = Update(Side.REMOTE, "x", 1, (Change("maker", A, LocalRef("makers", 9), Why.CHANGED),
                                      Change("title", "a", "b", Why.CHANGED)))
    told = directory().for_remote(MAPPED, op)
    assert isinstance(told, Update)
    assert told.values == {"title": "b"}


def test_a_field_that_the_receipt_adds_and_nobody_maps_is_kept() -> None:
    assert directory().stored(MAPPED, {"colour": "red", "maker": 7}) == {"colour": "red", "maker": A}


def test_a_formula_column_keeps_its_reference_readable() -> None:
    mapped = mapping(rule("maker", source_only=True))
    assert directory().canonical_local(mapped, Snapshot(rows={1: (7,)})).rows == {1: (A,)}

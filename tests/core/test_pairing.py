"""Which row is which thing: by the Shopify ID, then by witnesses; one to one, or not at all."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from backend.core.model import Plan, Policy
from backend.core.pairing import NEW_ROW, pair_up
from backend.core.plan import plan
from backend.core.values import UNREAD, Unfit, Value

from .small import grist, mapping, pair, shopify, thing, told

MAPPED = mapping("title", "sku", match=("sku", "title"))


def meet(rows: dict[int, tuple[Value, Value]], things: dict[int, tuple[Value, Value]], *,
         marks: dict[int, str] | None = None, known: tuple[int, ...] = ()) -> Plan:
    """Rows and things as (title, sku); `known` are numbers of pairs that agreed on what Shopify holds now."""
    return plan(
        MAPPED,
        grist(MAPPED, {key: {"title": t, "sku": s} for key, (t, s) in rows.items()}, marks=marks or {}),
        shopify(MAPPED, {key: {"title": t, "sku": s} for key, (t, s) in things.items()}),
        [pair(MAPPED, {"title": things[n][0], "sku": things[n][1]}, row=n, thing=thing(n)) for n in known],
    )


def test_the_best_witness_decides_first() -> None:
    found = meet({1: ("Mug", "m1"), 2: ("Cup", None)}, {7: ("Cup", "m1"), 8: ("Cup", "c1")})
    assert set(found.paired) == {(1, thing(7)), (2, thing(8))}


def test_witnesses_are_compared_without_case() -> None:
    assert meet({1: ("Mug", "M1")}, {7: ("x", "m1")}).paired == ((1, thing(7)),)


@pytest.mark.parametrize("value", [None, UNREAD, Unfit("?")])
def test_what_is_empty_or_unread_is_no_witness(value: Value) -> None:
    found = pair_up(MAPPED, grist(MAPPED, {1: {"title": "a", "sku": value}}, marked=False),
                    shopify(MAPPED, {7: {"title": "b", "sku": value}}), [])
    assert found.joined == []


@pytest.mark.parametrize(("rows", "things", "blocked_rows"), [
    ({1: ("a", "m1"), 2: ("b", "m1")}, {7: ("c", "m1")}, 2),
    ({1: ("a", "m1")}, {7: ("b", "m1"), 8: ("c", "m1")}, 1),
    ({1: ("a", "m1"), 2: ("b", "m1")}, {7: ("c", "m1"), 8: ("d", "m1")}, 2),
])
def test_where_a_witness_points_at_several_nothing_is_joined_or_created(
    rows: dict, things: dict, blocked_rows: int
) -> None:
    found = meet(rows, things)
    assert told(found) == ["no"] * blocked_rows
    assert all(one.cure for one in found.refusals)


def test_ambiguity_blocks_those_rows_only() -> None:
    found = meet({1: ("a", "m1"), 2: ("b", "m1"), 3: ("Cup", "c1"), 4: ("New", "n1")},
                 {7: ("c", "m1"), 8: ("Cup", "c1"), 9: ("Jar", "j1")})
    assert told(found) == ["+G", "+S", "agree sku", "agree title", "join", "mark", "no", "no"]


def test_two_fields_together_can_be_a_witness() -> None:
    both = mapping("title", "sku", match=("title+sku",))
    found = pair_up(both, grist(both, {1: {"title": "a", "sku": "x"}, 2: {"title": "a", "sku": "y"}}, marked=False),
                    shopify(both, {7: {"title": "a", "sku": "y"}, 8: {"title": "b", "sku": "x"}}), [])
    assert found.joined == [(2, thing(7))]


# --- the Shopify ID cell ------------------------------------------------------------------------------


def test_the_id_in_the_cell_beats_every_witness() -> None:
    found = meet({1: ("Mug", "m1")}, {7: ("Mug", "m1"), 8: ("Cup", "c1")}, marks={1: thing(8)})
    assert found.paired == ((1, thing(8)),)


def test_a_copied_row_is_left_alone_and_listed() -> None:
    found = meet({1: ("Mug", "m1"), 2: ("Mug", "m1")}, {1: ("Mug", "m1")}, marks={1: thing(1), 2: thing(1)},
                 known=(1,))
    assert told(found) == ["no"]
    assert found.refusals[0].key == 2
    assert "row 1" in found.refusals[0].message


def test_an_id_in_two_new_rows_joins_neither() -> None:
    found = meet({1: ("Mug", "m1"), 2: ("Mug", "m1")}, {7: ("Mug", "m1")}, marks={1: thing(7), 2: thing(7)})
    assert told(found) == ["no", "no"]


def test_an_id_that_shopify_does_not_show_is_listed_and_creates_nothing() -> None:
    found = meet({1: ("Mug", "m1")}, {}, marks={1: thing(9)})
    assert told(found) == ["no"]


def test_an_id_that_shopify_does_not_show_is_not_paired_by_a_witness_instead() -> None:
    found = meet({1: ("Mug", "m1")}, {7: ("Mug", "m1")}, marks={1: thing(9)})
    assert "join" not in told(found)


@pytest.mark.parametrize(("mark", "word"), [(None, "emptied"), (thing(9), "changed")])
def test_an_emptied_or_changed_id_stops_its_row_and_thing(mark: str | None, word: str) -> None:
    marks = {2: thing(2)} | ({1: mark} if mark else {})
    found = meet({1: ("Mug new", "m1"), 2: ("Cup new", "c1")}, {1: ("Mug", "m1"), 2: ("Cup", "c1")},
                 marks=marks, known=(1, 2))
    assert told(found) == ["S title=Cup new", "no"]
    assert word in found.refusals[0].message


def test_two_swapped_ids_stop_both_rows() -> None:
    found = meet({1: ("Mug", "m1"), 2: ("Cup", "c1")}, {1: ("Mug", "m1"), 2: ("Cup", "c1")},
                 marks={1: thing(2), 2: thing(1)}, known=(1, 2))
    assert told(found) == ["no", "no"]


def test_an_id_that_was_never_written_is_written_and_stops_nothing() -> None:
    new = pair(MAPPED, {"title": "Mug", "sku": "m1"}, marked=False)
    found = plan(MAPPED, grist(MAPPED, {1: {"title": "Cup", "sku": "m1"}}, marked=False),
                 shopify(MAPPED, {1: {"title": "Mug", "sku": "m1"}}), [new])
    assert told(found) == ["S title=Cup", "mark"]


def test_a_row_that_left_with_its_id_still_there_is_no_copy_and_its_thing_is_not_deleted() -> None:
    """Cut and paste: the row is gone and another one holds its id. The pair moves there (design, §5)."""
    mapped = mapping("title", "sku", match=("sku",), delete_remote=Policy.APPLY)
    found = plan(mapped, grist(mapped, {9: {"title": "Mug", "sku": "m1"}}, marks={9: thing(1)}),
                 shopify(mapped, {1: {"title": "Mug", "sku": "m1"}}),
                 [pair(mapped, {"title": "Mug", "sku": "m1"})])
    assert "-S" not in told(found)
    assert "copy of row 1" not in " ".join(one.message for one in found.refusals)


def test_a_row_whose_thing_a_filter_leaves_out_is_not_created_again() -> None:
    """After a lost database: the row says which thing it is, and that exists outside the filter."""
    found = plan(MAPPED, grist(MAPPED, {1: {"title": "Mug", "sku": "m1"}}),
                 shopify(MAPPED, outside=frozenset({thing(1)})), [])
    assert told(found) == []


def test_a_thing_whose_row_a_filter_leaves_out_gets_no_second_row() -> None:
    """The row is not to be synced, but its cell still says which thing it is."""
    found = plan(MAPPED, grist(MAPPED, outside=frozenset({1}), marks={1: thing(1)}),
                 shopify(MAPPED, {1: {"title": "Mug", "sku": "m1"}}), [])
    assert told(found) == []


def test_a_freed_row_id_given_to_other_values_is_a_new_row() -> None:
    """Grist gives the id of a deleted last row to the next new one: no cell was emptied (design, §5)."""
    mapped = mapping("title", "sku", match=("sku",))
    found = plan(mapped, grist(mapped, {1: {"title": "Jar", "sku": "j1"}}, marked=False),
                 shopify(mapped, {1: {"title": "Mug", "sku": "m1"}}),
                 [pair(mapped, {"title": "Mug", "sku": "m1"})])
    assert "no" not in told(found)
    assert "+S" in told(found)


# --- what a person has decided -------------------------------------------------------------------------


def answered(rows: dict[int, tuple[Value, Value]], things: dict[int, tuple[Value, Value]],
             decided: dict[int, str | None], *, marks: dict[int, str] | None = None, known: tuple[int, ...] = ()
             ) -> Plan:
    """`meet`, with people's answers."""
    return plan(
        MAPPED,
        grist(MAPPED, {key: {"title": t, "sku": s} for key, (t, s) in rows.items()}, marks=marks or {}),
        shopify(MAPPED, {key: {"title": t, "sku": s} for key, (t, s) in things.items()}),
        [pair(MAPPED, {"title": things[n][0], "sku": things[n][1]}, row=n, thing=thing(n), id=n) for n in known],
        decided=decided,
    )


SCARF = {3: ("Wool scarf", "WOO-1")}
SCARVES = {7: ("Wool scarf", "WOO-1"), 8: ("Wool scarf (copy)", "WOO-1")}
HATS = {5: ("Felt hat", "HAT"), 44: ("Felt hat, old", "HAT")}
HAT = {9: ("Felt hat", "HAT")}


def test_a_double_is_a_question_with_its_witness_value_and_candidates() -> None:
    found = meet(SCARF, SCARVES)
    [asked] = found.questions
    assert (asked.kind, asked.rows, asked.things) == ("double", (3,), (thing(7), thing(8)))
    assert (asked.witness, asked.values) == ("sku", ("WOO-1",))


def test_each_new_pair_says_what_joined_it() -> None:
    found = meet({1: ("Mug", "m1"), 2: ("Cup", None), 3: ("Jar", None)},
                 {7: ("x", "m1"), 8: ("Cup", "c1"), 9: ("y", "y")}, marks={3: thing(9)})
    assert found.matched == {(1, thing(7)): "sku", (2, thing(8)): "title", (3, thing(9)): "id"}


def test_a_confirmed_pair_is_joined_and_the_other_candidate_gets_a_row_of_its_own() -> None:
    found = answered(SCARF, SCARVES, {3: thing(7)})
    assert found.paired == ((3, thing(7)),)
    assert found.matched == {(3, thing(7)): "you"}
    assert found.questions == found.refusals == ()
    assert [op.source for op in found.ops if told(Plan(MAPPED, (op,))) == ["+G"]] == [thing(8)]


def test_a_row_kept_apart_is_neither_paired_nor_created_nor_asked_about() -> None:
    found = answered(HATS, HAT, {5: thing(9), 44: None})
    assert found.paired == ((5, thing(9)),)
    assert found.questions == found.refusals == ()
    assert "+S" not in told(found)


def test_keeping_all_rows_apart_makes_the_thing_a_row_of_its_own() -> None:
    assert told(answered(HATS, HAT, {5: None, 44: None})) == ["+G"]


@pytest.mark.parametrize("decided", [
    {3: thing(99)},                   # the thing is gone
    {4: thing(7)},                    # another row
    {},
])
def test_an_answer_that_does_not_fit_what_stands_there_is_none(decided: dict[int, str | None]) -> None:
    assert len(answered(SCARF, SCARVES, decided).questions) == 1


def test_two_rows_that_were_both_said_to_be_one_thing_stay_a_question() -> None:
    found = answered(HATS, HAT, {5: thing(9), 44: thing(9)})
    assert found.paired == ()
    assert [one.rows for one in found.questions] == [(5, 44)]


def test_a_thing_that_has_a_row_already_is_not_given_away() -> None:
    found = answered({1: ("Mug", "m1"), 2: ("Cup", "c1")}, {1: ("Mug", "m1")}, {2: thing(1)}, marks={1: thing(1)},
                     known=(1,))
    assert found.paired == ()


@pytest.mark.parametrize(("marks", "kind", "things"), [
    ({}, "emptied", ()),
    ({1: thing(2)}, "changed", (thing(2),)),
    ({1: thing(77)}, "changed", ()),
])
def test_an_edited_id_cell_is_a_question(marks: dict[int, str], kind: str, things: tuple[str, ...]) -> None:
    found = answered({1: ("Mug", "m1")}, {1: ("Mug", "m1"), 2: ("Cup", "c1")}, {}, marks=marks, known=(1,))
    [asked] = found.questions
    assert (asked.kind, asked.rows, asked.things, asked.of) == (kind, (1,), things, thing(1))


def test_after_a_yes_the_row_is_the_thing_that_its_cell_names() -> None:
    found = answered({1: ("Mug", "m1")}, {1: ("Mug", "m1"), 2: ("Cup", "c1")}, {1: thing(2)}, marks={1: thing(2)},
                     known=(1,))
    assert (found.dissolved, found.paired) == (((1, thing(1)),), ((1, thing(2)),))
    assert found.questions == found.refusals == ()


def test_after_a_no_the_id_is_written_back() -> None:
    found = answered({1: ("Mug", "m1")}, {1: ("Mug", "m1"), 2: ("Cup", "c1")}, {1: thing(1)}, marks={1: thing(2)},
                     known=(1,))
    assert "mark" in told(found)
    assert found.dissolved == found.questions == found.refusals == ()


MUG_AND_CUP = {1: ("Mug", "m1"), 2: ("Cup", "c1")}
SWAPPED = {1: thing(2), 2: thing(1)}


THREE = MUG_AND_CUP | {3: ("Jar", "j1")}


def test_a_table_that_was_imported_over_keeps_its_pairs_under_the_new_ids() -> None:
    """Shopify IDs and values say the same: nobody is asked about a thousand rows."""
    found = answered({1: ("Jar", "j1"), 2: ("Mug", "m1 new"), 3: ("Cup", "c1")}, THREE, {},
                     marks={1: thing(3), 2: thing(1), 3: thing(2)}, known=(1, 2, 3))
    assert sorted(found.moved) == [(thing(1), 2), (thing(2), 3), (thing(3), 1)]
    assert told(found) == ["S sku=m1 new"]
    assert found.questions == found.refusals == found.dissolved == ()


def test_a_restored_row_goes_to_the_thing_that_it_names_though_another_was_made_for_its_number() -> None:
    """Found by a random world: row 1 was another product's, whose ID was not written yet when the document was put
    back."""
    known = [replace(pair(MAPPED, {"title": "Jar", "sku": "j1"}, row=1, thing=thing(3), id=3), marked=False),
             pair(MAPPED, {"title": "Mug", "sku": "m1"}, row=-1, thing=thing(1), id=1)]
    found = plan(MAPPED, grist(MAPPED, {1: {"title": "Mug", "sku": "m1"}}, marks={1: thing(1)}),
                 shopify(MAPPED, {1: {"title": "Mug", "sku": "m1"}, 3: {"title": "Jar", "sku": "j1"}}), known)
    assert sorted(found.moved) == [(thing(1), 1), (thing(3), -3)]


def test_whoever_holds_the_id_is_the_thing_while_the_row_that_was_to_get_it_has_none() -> None:
    """Found by a random world: row 2 is the copy of a row that was cut and pasted as row 3 at that moment."""
    known = [replace(pair(MAPPED, {"title": "Mug", "sku": "m1"}, row=2, thing=thing(1), id=1), marked=False)]
    found = plan(MAPPED, grist(MAPPED, {2: {"title": "Mug", "sku": "m1"}, 3: {"title": "Mug", "sku": "m1"}},
                               marks={3: thing(1)}),
                 shopify(MAPPED, {1: {"title": "Mug", "sku": "m1"}}), known)
    assert (found.moved, told(found)) == (((thing(1), 3),), ["no"])


def test_an_id_typed_into_a_new_row_empties_nothing_that_the_row_does_not_say() -> None:
    """Found by a random world: its title is that of the thing by then, and the other cells were never filled in."""
    wide = mapping("title", "sku", "tags", "price")
    held: dict[str, Value] = {"title": "Mug", "sku": "m1", "tags": ("blue",), "price": Decimal("5.00")}
    known = pair(wide, held, row=-1, thing=thing(1), id=1)

    def met(row: dict[str, Value]) -> list[str]:
        return told(plan(wide, grist(wide, {5: row}, marks={5: thing(1)}), shopify(wide, {1: held}), [known]))

    assert met({"title": "Mug", "sku": "new", "tags": None, "price": None}) == [
        "G price=5.00", "G tags=blue", "S sku=new"]
    assert met(held | {"tags": None}) == ["S tags=empty"]  # cut and pasted: here somebody has


def test_what_an_import_left_out_has_no_row_any_more() -> None:
    found = answered({1: ("Jar", "j1"), 2: ("Cup", "c1")}, THREE, {}, marks={1: thing(3), 2: thing(2)}, known=(1, 2, 3))
    assert sorted(found.moved) == [(thing(1), -1), (thing(3), 1)]
    assert found.questions == found.refusals == found.paired == ()


def test_a_row_pasted_over_another_one_while_it_stays_where_it_was_is_asked_about() -> None:
    found = answered({1: ("Cup", "c1"), 2: ("Cup", "c1")}, MUG_AND_CUP, {}, marks={1: thing(2), 2: thing(2)},
                     known=(1, 2))
    assert (found.moved, [(one.kind, one.rows) for one in found.questions]) == ((), [("changed", (1,))])


def test_an_id_that_stands_twice_moves_nothing() -> None:
    found = answered({1: ("Cup", "c1"), 2: ("Mug", "m1"), 3: ("Cup", "c1")}, MUG_AND_CUP, {},
                     marks={1: thing(2), 2: thing(1), 3: thing(2)}, known=(1, 2))
    assert (found.moved, [(one.kind, one.rows) for one in found.questions]) == (
        (), [("changed", (1,)), ("changed", (2,)), ("copy", (3,))])


def test_after_a_no_for_one_row_another_one_with_its_id_is_only_a_question() -> None:
    found = answered(MUG_AND_CUP, MUG_AND_CUP, {1: thing(1)}, marks=SWAPPED, known=(1, 2))
    assert [op for op in told(found) if op == "mark"] == ["mark"]
    assert [(one.rows, one.things, one.of) for one in found.questions] == [((2,), (), thing(2))]


def test_of_two_swapped_ids_each_row_is_asked_about_the_other_thing() -> None:
    found = answered(MUG_AND_CUP, MUG_AND_CUP, {}, marks=SWAPPED, known=(1, 2))
    assert [(one.kind, one.rows, one.things, one.of) for one in found.questions] == [
        ("changed", (1,), (thing(2),), thing(1)), ("changed", (2,), (thing(1),), thing(2))]


def test_two_swapped_ids_change_places_once_both_rows_are_answered() -> None:
    found = answered(MUG_AND_CUP, MUG_AND_CUP, {1: thing(2), 2: thing(1)}, marks=SWAPPED, known=(1, 2))
    assert sorted(found.dissolved) == [(1, thing(1)), (2, thing(2))]
    assert sorted(found.paired) == [(1, thing(2)), (2, thing(1))]
    assert [one.field for one in found.conflicts] == ["title", "sku"] * 2  # nothing agreed on these before
    assert found.questions == found.refusals == ()


def test_of_two_swapped_ids_one_answer_takes_no_thing_from_a_row_that_nobody_spoke_of() -> None:
    found = answered(MUG_AND_CUP, MUG_AND_CUP, {1: thing(2)}, marks=SWAPPED, known=(1, 2))
    assert found.dissolved == found.paired == ()
    assert [one.rows for one in found.questions] == [(1,), (2,)]


def test_an_id_typed_elsewhere_keeps_no_row_from_its_own_that_is_not_written_yet() -> None:
    """Found by a random world: row 1 names what its thing was made anew for."""
    known = [replace(pair(MAPPED, {"title": "Mug", "sku": "m1"}, row=1, thing=thing(3), id=3), marked=False),
             pair(MAPPED, {"title": "Cup", "sku": "c1"}, row=2, thing=thing(2), id=2)]
    found = plan(MAPPED, grist(MAPPED, {n: {"title": t, "sku": s} for n, (t, s) in MUG_AND_CUP.items()},
                               marks={1: thing(1), 2: thing(3)}),
                 shopify(MAPPED, {2: {"title": "Cup", "sku": "c1"}, 3: {"title": "Mug", "sku": "m1"}}), known)
    assert told(found) == ["mark", "no"]
    assert [(one.kind, one.rows, one.things) for one in found.questions] == [("changed", (2,), ())]


def test_three_ids_go_round_once_all_three_rows_are_answered() -> None:
    rows = MUG_AND_CUP | {3: ("Jar", "j1")}
    marks = {1: thing(2), 2: thing(3), 3: thing(1)}
    told_all = answered(rows, rows, dict(marks), marks=marks, known=(1, 2, 3))
    assert sorted(told_all.paired) == [(1, thing(2)), (2, thing(3)), (3, thing(1))]
    told_two = answered(rows, rows, {1: thing(2), 2: thing(3)}, marks=marks, known=(1, 2, 3))
    assert told_two.paired == told_two.dissolved == ()


def test_a_row_may_become_the_thing_whose_row_is_gone() -> None:
    found = answered({1: ("Mug", "m1")}, MUG_AND_CUP, {1: thing(2)}, marks={1: thing(2)}, known=(1, 2))
    assert (found.dissolved, found.paired, found.moved) == (((1, thing(1)),), (), ((thing(2), -2), (thing(2), 1)))


def test_a_row_under_a_freed_id_that_shares_a_value_with_the_old_one_is_asked_about_and_may_be_new() -> None:
    """A product of the same vendor was typed where another one had been deleted."""
    rows: dict[int, tuple[Value, Value]] = {1: ("Same", "j1")}
    things: dict[int, tuple[Value, Value]] = {1: ("Same", "m1")}
    [asked] = answered(rows, things, {}, known=(1,)).questions
    assert (asked.kind, asked.rows) == ("emptied", (1,))
    by_sku = replace(MAPPED, match=("sku",), delete_remote=Policy.PROPOSE)
    found = plan(by_sku, grist(by_sku, {1: {"title": "Same", "sku": "j1"}}, marked=False),
                 shopify(by_sku, {1: {"title": "Same", "sku": "m1"}}),
                 [pair(by_sku, {"title": "Same", "sku": "m1"}, id=1)], decided={1: NEW_ROW})
    assert found.moved == ((thing(1), -1),)
    assert [(type(op).__name__, op.side.value) for op in found.ops] == [("Create", "remote")]
    assert [one.key for one in found.proposals] == [thing(1)]  # the row of it is gone: that is asked, as always
    assert found.questions == found.refusals == ()


def test_a_row_with_an_id_is_no_new_one_whatever_somebody_said_before() -> None:
    found = answered({1: ("Mug!", "m1")}, {1: ("Mug", "m1"), 9: ("Jar", "j1")}, {1: NEW_ROW}, marks={1: thing(9)},
                     known=(1,))
    assert (found.moved, [one.kind for one in found.questions]) == ((), ["changed"])


def test_a_pair_kept_apart_is_left_alone_without_asking() -> None:
    found = answered({1: ("Mug!", "m1")}, {1: ("Mug", "m1")}, {1: None}, known=(1,))
    assert told(found) == []


def test_a_copy_a_stranger_and_two_rows_of_one_id_are_questions() -> None:
    rows: dict[int, tuple[Value, Value]] = {n: (f"t{n}", f"s{n}") for n in (1, 2, 3, 4, 5)}
    found = meet(rows, {1: ("t1", "s1"), 7: ("x", "y")}, known=(1,),
                 marks={1: thing(1), 2: thing(1), 3: thing(7), 4: thing(7), 5: thing(99)})
    assert [(one.kind, one.rows, one.things, one.of, one.holder) for one in found.questions] == [
        ("copy", (2,), (), thing(1), 1), ("twice", (3, 4), (thing(7),), thing(7), None),
        ("stranger", (5,), (), thing(99), None)]


@pytest.mark.parametrize("known", [(), (1,)])
def test_a_row_that_is_like_a_thing_which_two_rows_claim_is_neither_that_one_nor_made_beside_it(
    known: tuple[int, ...]
) -> None:
    """A row was copied, and then cut and pasted; a third one has its SKU. Nobody but a person can tell which it is."""
    rows: dict[int, tuple[Value, Value]] = {5: ("Other", "m1"), 6: ("Mug", "m1"), 7: ("Mug", "m1")}
    found = meet(rows, {1: ("Mug", "m1")}, marks={6: thing(1), 7: thing(1)}, known=known)
    assert told(found) == ["no", "no", "no"]
    assert (found.paired, found.questions[0].kind, found.questions[0].rows) == ((), "twice", (6, 7))


def test_an_id_of_what_is_gone_on_both_sides_names_nothing() -> None:
    """Row 2 is another one than it was, and says it is what is gone: that is found in the run that finds it gone."""
    rows: dict[int, dict[str, Value]] = {2: {"title": "Jar", "sku": "j1"}}
    mapped = replace(MAPPED, delete_remote=Policy.PROPOSE)
    found = plan(
        mapped, grist(mapped, rows, marks={2: thing(1)}),
        replace(shopify(mapped, {2: {"title": "Cup", "sku": "c1"}}), gone=frozenset({thing(1)})),
        [pair(mapped, {"title": "Mug", "sku": "m1"}, row=-1, thing=thing(1)),
         pair(mapped, {"title": "Cup", "sku": "c1"}, row=2, thing=thing(2))])
    assert found.dissolved == ((-1, thing(1)),)
    assert [(one.kind, one.rows) for one in found.questions] == [("stranger", (2,))]
    assert [one.key for one in found.proposals] == [thing(2)]


def test_a_row_that_is_like_a_thing_which_another_row_claims_is_listed_until_that_is_answered() -> None:
    """A file was imported over the table: row 1 holds another row's Shopify ID, and row 2, to which that belonged, is a
    new one with its SKU."""
    rows: dict[int, tuple[Value, Value]] = {1: ("Mug", "m9"), 2: ("Other", "c1")}
    mugs: dict[int, tuple[Value, Value]] = {1: ("Mug", "m1"), 2: ("Cup", "c1")}
    found = plan(
        MAPPED, grist(MAPPED, {key: {"title": t, "sku": s} for key, (t, s) in rows.items()}, marks={1: thing(2)}),
        shopify(MAPPED, {key: {"title": t, "sku": s} for key, (t, s) in mugs.items()}),
        [pair(MAPPED, {"title": "Mug", "sku": "m1"}, row=1, thing=thing(1)),
         pair(MAPPED, {"title": "Cup", "sku": "c0"}, row=2, thing=thing(2))])
    assert [refusal.key for refusal in found.refusals] == [1, 2]
    assert (found.paired, found.ops) == ((), ())
    assert [whose for whose, _ in found.moved] == [thing(2)]


@pytest.mark.parametrize("decided", [{2: None, 3: thing(7), 4: None, 5: None}])
def test_answers_to_copies_and_strangers(decided: dict[int, str | None]) -> None:
    rows: dict[int, tuple[Value, Value]] = {n: (f"t{n}", f"s{n}") for n in (1, 2, 3, 4, 5)}
    found = answered(rows, {1: ("t1", "s1"), 7: ("x", "y")}, decided, known=(1,),
                     marks={1: thing(1), 2: thing(1), 3: thing(7), 4: thing(7), 5: thing(99)})
    assert found.paired == ((3, thing(7)),)
    assert found.questions == found.refusals == ()

"""What waits for a person or for time: conflicts and choices, deletions, refusals, new rows that rest."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa
from store_helpers import GID

from backend.core.model import Change, Choice, Conflict, Proposal, Refusal, Side, Why
from backend.core.values import UNREAD
from backend.store import base, waiting
from backend.store.tables import conflict, deletion, sighting


def price_conflict(row: int, local: str, remote: str) -> Conflict:
    return Conflict(row, GID.format(row), "price", Decimal(1), Decimal(local), Decimal(remote), title=f"Shirt {row}")


def replace_conflicts(desk, *seen: Conflict, rows=None, mapping=None):
    with desk.write() as tx:
        waiting.replace_conflicts(tx, mapping or desk.variants, seen, rows)
        return waiting.conflicts(tx, desk.link_id)


def test_a_conflict_is_kept_as_it_was_seen(desk):
    (one,) = replace_conflicts(desk, replace(price_conflict(1, "2", "3"), base=UNREAD, reason="It was undone."))
    assert (one.mapping_id, one.local_key, one.remote_key, one.field) == (desk.variants.id, 1, GID.format(1), "price")
    assert (one.base, one.base_known, one.local, one.remote) == (None, False, "2", "3")
    assert (one.title, one.reason, one.deleted, one.edits, one.moved) == ("Shirt 1", "It was undone.", None, [], None)


def test_a_whole_row_keeps_what_was_edited_in_it(desk):
    edits = (Change("price", Decimal(1), None, Why.CHANGED),)
    (one,) = replace_conflicts(desk, Conflict(1, GID.format(1), "", None, None, None, deleted=Side.REMOTE, edits=edits))
    assert (one.deleted, one.edits) == ("remote", [{"field": "price", "before": "1", "after": None}])


def test_what_is_no_longer_seen_is_closed(desk):
    replace_conflicts(desk, price_conflict(1, "2", "3"), price_conflict(2, "2", "3"))
    assert [one.local_key for one in replace_conflicts(desk, price_conflict(2, "2", "3"))] == [2]
    assert replace_conflicts(desk) == []


def test_only_what_was_looked_at_is_closed(desk):
    seen = [price_conflict(1, "2", "3"), price_conflict(2, "2", "3"),
            replace(price_conflict(1, "2", "3"), field="sku", local="a", remote="b"),
            Conflict(3, GID.format(3), "", None, None, None, deleted=Side.LOCAL)]
    replace_conflicts(desk, *seen)
    assert len(replace_conflicts(desk, rows={2})) == 3
    only_sku = replace(desk.variants, chosen=frozenset({"sku"}))
    left = replace_conflicts(desk, mapping=only_sku)
    assert [(one.local_key, one.field) for one in left] == [(1, "price"), (3, "")]


def test_a_choice_waits_until_a_run_takes_it(desk):
    (one,) = replace_conflicts(desk, price_conflict(1, "2", "3"))
    with desk.write() as tx:
        waiting.choose(tx, one.id, {"keep": "value", "value": "5", "local": "2", "remote": "3", "by": "Ann"})
        assert waiting.choices(tx, desk.variants) == {
            (1, "price"): Choice("value", Decimal(2), Decimal(3), Decimal(5), GID.format(1))}
        without = desk.variants.with_fields(rule for rule in desk.variants.fields if rule.name != "price")
        assert waiting.choices(tx, without) == {}
    (same,) = replace_conflicts(desk, price_conflict(1, "2", "3"))
    assert same.choice["keep"] == "value"
    assert same.seen_at == one.seen_at


def test_a_choice_made_on_other_values_is_dropped_and_said_to_be(desk):
    (one,) = replace_conflicts(desk, price_conflict(1, "2", "3"))
    with desk.write() as tx:
        waiting.choose(tx, one.id, {"keep": "grist", "local": "2", "remote": "3", "by": "Ann"})
    (moved,) = replace_conflicts(desk, price_conflict(1, "2", "4"))
    assert (moved.id, moved.moved, moved.remote) == (one.id, {"local": "2", "remote": "3"}, "4")
    with desk.write() as tx:
        assert waiting.choices(tx, desk.variants) == {}
        waiting.choose(tx, one.id, {"keep": "grist", "local": "2", "remote": "4", "by": "Ann"})
        assert waiting.conflict_by_id(tx, desk.link_id, one.id).moved is None


def test_conflicts_are_found_by_link_page_and_id(desk):
    seen = replace_conflicts(desk, *[price_conflict(row, "2", "3") for row in range(1, 6)])
    ids = [one.id for one in seen]
    with desk.read() as tx:
        assert [one.local_key for one in waiting.conflicts(tx, desk.link_id, after=1, limit=2)] == [2, 3]
        assert waiting.conflicts(tx, desk.other_link_id) == []
        assert waiting.conflict_by_id(tx, desk.link_id, ids[0]).local_key == 1
        assert waiting.conflict_by_id(tx, desk.other_link_id, ids[0]) is None
        page = waiting.conflict_page(tx, [desk.variants.id], limit=3)
        assert [one.id for one in page] == ids[:3]
        assert [one.id for one in waiting.conflict_page(tx, [desk.variants.id], after=page[-1].id)] == ids[3:]
        assert set(waiting.conflicts_by_id(tx, [desk.variants.id], [*ids, 999])) == set(ids)
        assert waiting.conflicts_by_id(tx, [desk.products.id], ids) == {}


# --- deletions ----------------------------------------------------------------------------------


def proposals(*rows: int) -> list[Proposal]:
    return [Proposal(Side.REMOTE, GID.format(row), row, f"Shirt {row}") for row in rows]


def ids_of(tx, desk) -> dict[str, int]:
    return {row.key: row.id for row in waiting.deletions(tx, desk.link_id)}


def test_a_deletion_waits_until_it_is_answered_or_the_thing_is_there_again(desk):
    with desk.write() as tx:
        waiting.replace_deletions(tx, desk.variants.id, proposals(1, 2))
        first = ids_of(tx, desk)
        waiting.replace_deletions(tx, desk.variants.id, proposals(2, 3))
        assert set(ids_of(tx, desk)) == {GID.format(2), GID.format(3)}
        assert ids_of(tx, desk)[GID.format(2)] == first[GID.format(2)]
        answered = waiting.answered_deletions(tx, desk.variants.id)
        assert answered.known == {(Side.REMOTE, GID.format(2)), (Side.REMOTE, GID.format(3))}
        assert answered.approved == set()


def test_an_answer_follows_the_thing_to_another_row_and_says_nothing_of_what_gets_its_number(desk):
    """A file is imported over the table: rows 1 and 2 change places."""
    first, second, third = (GID.format(number) for number in (1, 2, 3))
    with desk.write() as tx:
        waiting.replace_deletions(tx, desk.variants.id, [
            Proposal(Side.LOCAL, 1, first), Proposal(Side.LOCAL, 2, second)])
        ids = ids_of(tx, desk)
        assert waiting.approve_deletions(tx, desk.link_id, [ids["1"]], "Ann") == 1
        waiting.replace_deletions(tx, desk.variants.id, [
            Proposal(Side.LOCAL, 2, first), Proposal(Side.LOCAL, 1, second), Proposal(Side.LOCAL, 3, third)])
        assert waiting.answered_deletions(tx, desk.variants.id).approved == {(Side.LOCAL, first)}
        waiting_now = {row.partner: (row.id, row.key) for row in waiting.deletions(tx, desk.link_id)}
        assert waiting_now == {second: (ids["2"], "1"), third: (waiting_now[third][0], "3")}
        waiting.replace_deletions(tx, desk.variants.id, [Proposal(Side.LOCAL, 1, third)])
        [left] = waiting.deletions(tx, desk.link_id)
        assert (left.partner, left.id not in ids.values()) == (third, True)


def test_a_conflict_of_another_thing_in_the_same_row_is_another_one(desk):
    (one,) = replace_conflicts(desk, price_conflict(1, "2", "3"))
    with desk.write() as tx:
        waiting.choose(tx, one.id, {"keep": "grist", "value": None, "local": "2", "remote": "3", "by": "Ann"})
    (other,) = replace_conflicts(desk, replace(price_conflict(1, "2", "3"), remote_key=GID.format(9)))
    assert other.id != one.id
    assert (other.choice, other.moved) == (None, None)


def test_exactly_what_was_shown_is_approved_and_once(desk):
    with desk.write() as tx:
        waiting.replace_deletions(tx, desk.variants.id, [*proposals(1, 2), Proposal(Side.LOCAL, 7, GID.format(7))])
        ids = ids_of(tx, desk)
        assert waiting.approve_deletions(tx, desk.other_link_id, list(ids.values()), "Eve") == 0
        assert waiting.approve_deletions(tx, desk.link_id, [ids[GID.format(1)], ids["7"], 999], "Ann") == 2
        assert waiting.approve_deletions(tx, desk.link_id, [ids[GID.format(1)]], "Ann") == 0
        assert waiting.keep_deletions(tx, desk.link_id, [ids[GID.format(1)]]) == 0
        answered = waiting.answered_deletions(tx, desk.variants.id)
        assert answered.approved == {(Side.REMOTE, GID.format(1)), (Side.LOCAL, GID.format(7))}
        assert set(ids_of(tx, desk)) == {GID.format(2)}


def test_what_is_kept_is_asked_no_more(desk):
    with desk.write() as tx:
        waiting.replace_deletions(tx, desk.variants.id, proposals(1))
        assert waiting.keep_deletions(tx, desk.link_id, list(ids_of(tx, desk).values())) == 1
        waiting.replace_deletions(tx, desk.variants.id, proposals(1))
        assert ids_of(tx, desk) == {}
        answered = waiting.answered_deletions(tx, desk.variants.id)
        assert (answered.approved, answered.known) == (set(), {(Side.REMOTE, GID.format(1))})


def test_what_went_with_a_product_is_put_back_with_it_however_much_that_is(desk):
    """In more than one list of ids; what belongs to another product stays, and so does another link's."""
    product, other = "gid://shopify/Product/1", "gid://shopify/Product/2"
    children = range(10, 1_300)
    with desk.write() as tx:
        base.insert(tx, desk.products.id, [(1, product, {}, {})], marked=True)
        for parent, rows in ((product, children), (other, [5])):
            base.insert(tx, desk.variants.id, [
                (row, GID.format(row), {}, {"product": parent}) for row in rows], marked=True, parent="product")
        waiting.replace_deletions(tx, desk.products.id, [Proposal(Side.LOCAL, 1, product)])
        tx.execute(sa.insert(deletion), [
            {"mapping_id": desk.variants.id, "side": "local", "key": str(row), "partner": GID.format(row), "title": "",
             "seen_at": 0.0} for row in (5, *children)])
        [asked] = [one.id for one in waiting.deletions(tx, desk.link_id) if one.partner == product]
        assert waiting.put_back(tx, desk.other_link_id, [asked], "Eve") == 0
        assert waiting.put_back(tx, desk.link_id, [asked], "Ann") == 1 + len(children)
        assert [one.key for one in waiting.deletions(tx, desk.link_id)] == ["5"]


# --- refusals -----------------------------------------------------------------------------------


def refusal(row: int, field: str = "price", message: str = "It is below zero.", *, waits: bool = False) -> Refusal:
    return Refusal(Side.LOCAL, row, message, "Type another.", field=field, title=f"Shirt {row}", waits=waits)


def refusals(desk, *seen: Refusal, mapping=None):
    with desk.write() as tx:
        waiting.replace_refusals(tx, mapping or desk.variants, seen)
        return waiting.refusals(tx, desk.link_id)


def test_the_refused_are_those_of_the_last_run_and_how_often_each_was_tried(desk):
    assert [one.tries for one in refusals(desk, refusal(1), refusal(2))] == [1, 1]
    again = {one.key: one.tries for one in refusals(desk, refusal(1), refusal(2, message="It is no number."))}
    assert again == {"1": 2, "2": 1}
    (left,) = refusals(desk, refusal(1))
    assert (left.side, left.key, left.field, left.title) == ("local", "1", "price", "Shirt 1")
    assert (left.message, left.cure, bool(left.waits), left.tries) == ("It is below zero.", "Type another.", False, 3)
    assert refusals(desk) == []


def test_one_row_and_field_is_refused_once(desk):
    (one,) = refusals(desk, refusal(1, message="First."), refusal(1, message="Then."))
    assert one.message == "Then."


def test_a_run_over_some_fields_leaves_the_others_alone(desk):
    refusals(desk, refusal(1), refusal(1, "sku"), refusal(2, ""))
    some = replace(desk.variants, chosen=frozenset({"sku"}))
    assert {(one.key, one.field) for one in refusals(desk, mapping=some)} == {("1", "price"), ("2", "")}


def test_what_is_wrong_comes_before_what_only_waits(desk):
    assert [one.key for one in refusals(desk, refusal(1, waits=True), refusal(2))] == ["2", "1"]
    with desk.read() as tx:
        assert waiting.count_refusals(tx, desk.link_id) == 2
        assert waiting.count_refusals(tx, desk.other_link_id) == 0


def test_counts_are_of_what_waits_for_somebody(desk):
    replace_conflicts(desk, price_conflict(1, "2", "3"), price_conflict(2, "2", "3"))
    refusals(desk, refusal(1), refusal(2, waits=True))
    with desk.write() as tx:
        waiting.replace_deletions(tx, desk.products.id, proposals(1, 2, 3))
        ids = list(ids_of(tx, desk).values())
        waiting.approve_deletions(tx, desk.link_id, ids[:1], "Ann")
        waiting.keep_deletions(tx, desk.link_id, ids[1:2])
        assert waiting.counts(tx, desk.link_id) == {
            desk.products.id: {"conflicts": 0, "deletions": 1, "refused": 0},
            desk.variants.id: {"conflicts": 2, "deletions": 0, "refused": 1},
        }


# --- new rows, names ----------------------------------------------------------------------------


def test_a_new_row_rests_until_it_has_stayed_the_same_for_long_enough(desk):
    with desk.write() as tx:
        assert waiting.resting(tx, desk.products.id, {1: "a", 2: "a"}, 30) == {1, 2}
        waiting.sight(tx, desk.products.id, {1: "a", 2: "a"})
        tx.execute(sa.update(sighting).values(since=sighting.c.since - 31))
        assert waiting.resting(tx, desk.products.id, {1: "a", 2: "b", 3: "c"}, 30) == {2, 3}
        waiting.sight(tx, desk.products.id, {1: "a", 2: "b"})
        assert waiting.resting(tx, desk.products.id, {1: "a", 2: "b"}, 30) == {2}
        assert waiting.resting(tx, desk.products.id, {1: "a", 2: "b"}, 60) == {1, 2}
        assert waiting.resting(tx, desk.products.id, {1: "a", 9: "new"}, 0) == set()


def test_a_row_that_is_no_longer_new_is_forgotten(desk):
    with desk.write() as tx:
        waiting.sight(tx, desk.products.id, {1: "a", 2: "a"})
        waiting.sight(tx, desk.products.id, {2: "a"})
        assert list(tx.execute(sa.select(sighting.c.local_key)).scalars()) == [2]


@pytest.mark.parametrize("many", [1, waiting.CHUNK + 1])
def test_things_are_known_by_row_and_by_what_shopify_held(desk, many):
    with desk.write() as tx:
        base.insert(tx, desk.variants.id, [(n, GID.format(n), {}, {"sku": f"S{n}"}) for n in range(1, many + 1)],
                    marked=True)
        found = waiting.known_things(tx, desk.variants.id, [GID.format(n) for n in range(many + 1)])
        assert found == {GID.format(n): (n, {"sku": f"S{n}"}) for n in range(1, many + 1)}
        assert tx.execute(sa.select(sa.func.count(conflict.c.id))).scalar() == 0

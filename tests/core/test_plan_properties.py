"""Random rows through the planner: their order makes no difference, swapped sides mirror the plan, and what is done
leaves nothing to do, also where both sides have moved on twice since they agreed."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.agree import after_update
from backend.core.model import Direction, Mapping, Pair, Plan, Policy, Rule, Side, Snapshot, Update
from backend.core.plan import plan
from backend.core.values import Value

from .small import grist, mapping, rule, shopify, thing, told

Cells = dict[str, Value]
TEXTS = st.sampled_from([None, "a", "b", "c"])
STOCK = st.sampled_from([0, 10, 15, 8, 30])
TAGS = st.sampled_from([None, ("x",), ("x", "y"), ("y", "z")])
CELLS = st.fixed_dictionaries({"title": TEXTS, "stock": STOCK, "tags": TAGS})
RULES = st.tuples(st.sampled_from(list(Direction)), st.sampled_from([Rule.ASK, Rule.SHOPIFY, Rule.GRIST]))
ROWS = st.lists(st.tuples(CELLS, st.one_of(st.none(), CELLS), st.one_of(st.none(), CELLS)), min_size=1, max_size=6)
"""For each row: what was agreed, what Grist holds, what Shopify holds; None is a row that is gone."""
MIRRORED_WAY = {Direction.BOTH: Direction.BOTH, Direction.TO_GRIST: Direction.TO_SHOPIFY,
                Direction.TO_SHOPIFY: Direction.TO_GRIST}
MIRRORED_RULE = {Rule.ASK: Rule.ASK, Rule.SHOPIFY: Rule.GRIST, Rule.GRIST: Rule.SHOPIFY}
FEW = settings(max_examples=150, deadline=None, derandomize=True, database=None)


def mapped(way: Direction = Direction.BOTH, on_conflict: Rule = Rule.ASK, **more: Policy) -> Mapping:
    return mapping(rule("title", way, on_conflict), rule("stock", on_conflict=Rule.MERGE),
                   rule("tags", on_conflict=Rule.MERGE), **more)


def planned(what: Mapping, rows: Dict[int, tuple[Cells, Cells | None, Cells | None]]) -> Plan:
    pairs = [Pair(key, thing(key), what.row(base), what.row(base), id=key) for key, (base, _, _) in rows.items()]
    here = {key: cells for key, (_, cells, _) in rows.items() if cells is not None}
    there = {key: cells for key, (_, _, cells) in rows.items() if cells is not None}
    gone = [key for key, (_, _, cells) in rows.items() if cells is None]
    return plan(what, grist(what, here), shopify(what, there, gone=gone), pairs)


@FEW
@given(ROWS, RULES, st.randoms(use_true_random=False))
def test_the_order_of_rows_makes_no_difference(rows: list, rules: tuple, chance: object) -> None:
    numbered = list(enumerate(rows, 1))
    shuffled = list(numbered)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = planned(mapped(*rules), dict(numbered)), planned(mapped(*rules), dict(shuffled))
    for name in ("ops", "conflicts", "agreements", "proposals", "dissolved"):
        assert sorted(map(repr, getattr(one, name))) == sorted(map(repr, getattr(other, name)))


@FEW
@given(ROWS, RULES)
def test_a_row_is_decided_as_if_it_were_alone(rows: list, rules: tuple) -> None:
    together = planned(mapped(*rules), dict(enumerate(rows, 1)))
    alone = [planned(mapped(*rules), {key: row}) for key, row in enumerate(rows, 1)]
    assert sorted(told(together)) == sorted(word for one in alone for word in told(one))


@FEW
@given(ROWS, RULES, st.sampled_from(list(Policy)), st.sampled_from(list(Policy)))
def test_swapped_sides_mirror_the_plan(rows: list, rules: tuple, here: Policy, there: Policy) -> None:
    way, on_conflict = rules
    if way is not Direction.BOTH:
        # Whether an edit on the wrong side speaks against a deletion is answered with more care in Shopify.
        rows = [(base, local or base, remote or base) for base, local, remote in rows]
    plain = planned(mapped(way, on_conflict, delete_local=here, delete_remote=there), dict(enumerate(rows, 1)))
    swapped = planned(mapped(MIRRORED_WAY[way], MIRRORED_RULE[on_conflict], delete_local=there, delete_remote=here),
                      {key: (base, remote, local) for key, (base, local, remote) in enumerate(rows, 1)})
    turned = str.maketrans("GS", "SG")
    assert sorted(told(plain)) == sorted(word.translate(turned) for word in told(swapped))


@FEW
@given(CELLS, CELLS, CELLS, CELLS, CELLS, RULES)
def test_after_two_moves_of_both_sides_what_was_done_leaves_nothing_to_do(
    base: Cells, local: Cells, remote: Cells, local_again: Cells, remote_again: Cells, rules: tuple
) -> None:
    what = mapped(*rules)
    pair = Pair(1, thing(1), what.row(base), what.row(base), id=1)
    for here, there in ((local, remote), (local_again, remote_again)):
        pair, left = _synced(what, pair, dict(here), dict(there))
        asked = {one.field for one in left.conflicts}
        assert not left.ops, "what was written is written again"
        for place, rule_ in enumerate(what.fields):
            if rule_.name not in asked:
                assert pair.base_local[place] == pair.base_remote[place]


def _synced(what: Mapping, pair: Pair, here: Cells, there: Cells) -> tuple[Pair, Plan]:
    """Do what the plan says, remember it as the engine does, and plan again from where that ends."""
    done = plan(what, grist(what, {1: here}), shopify(what, {1: there}), [pair])
    pending = {change.field: change.before for op in done.on(Side.LOCAL) if isinstance(op, Update)
               for change in op.changes}
    for one in done.agreements:
        pair = _advanced(what, pair, dict(one.local), dict(one.remote), {})
    for side in (Side.REMOTE, Side.LOCAL):
        for op in done.on(side):
            assert isinstance(op, Update)
            agreed = after_update(what, op, op.values, pending if side is Side.REMOTE else {},
                                  what.values(pair.base_local))
            (there if side is Side.REMOTE else here).update(op.values)
            pair = _advanced(what, pair, agreed.local, agreed.remote, agreed.shown)
    return pair, plan(what, grist(what, {1: here}), shopify(what, {1: there}), [pair])


def _advanced(what: Mapping, pair: Pair, local: Cells, remote: Cells, shown: Dict[str, tuple[Value, ...]]) -> Pair:
    return replace(pair, base_local=what.row(what.values(pair.base_local) | local),
                   base_remote=what.row(what.values(pair.base_remote) | remote), shown={**pair.shown, **shown})


def test_an_empty_read_that_proves_nothing_plans_nothing() -> None:
    what = mapped()
    pair = Pair(1, thing(1), what.row({"title": "a"}), what.row({"title": "a"}), id=1)
    assert told(plan(what, Snapshot(complete=False), Snapshot(complete=False), [pair])) == []

"""Brakes: what looks like an accident stops a run before it writes."""

from __future__ import annotations

import pytest

from backend.core.guard import Limits, brakes
from backend.core.model import Choice, Plan, Policy, Side, Snapshot
from backend.core.plan import plan

from .small import grist, mapping, pair, shopify, thing

LIMITS = Limits(deletions=5, deletions_share=0.25, changed_share=0.9, small=8, empty_from=3, changed_from=10)


def pulled(count: int, *, rows: range | None = None, things: range | None = None, stock: dict[int, int] | None = None,
           sold: dict[int, int] | None = None, policy: Policy = Policy.PROPOSE, known: frozenset = frozenset(),
           complete: bool = True) -> list[tuple[str, dict[str, int]]]:
    """The brakes for `count` pairs of which only `rows` and `things` are left."""
    mapped = mapping("stock", delete_local=policy, delete_remote=policy)
    everything = range(1, count + 1)
    held = {n: {"stock": (stock or {}).get(n, 10)} for n in (everything if rows is None else rows)}
    there = {n: {"stock": (sold or {}).get(n, 10)} for n in (everything if things is None else things)}
    local = grist(mapped, held, complete=complete)
    remote = shopify(mapped, there, gone=set(everything) - set(there), complete=complete)
    found = plan(mapped, local, remote, [pair(mapped, {"stock": 10}, row=n, thing=thing(n)) for n in everything])
    return [(one.name, one.figures) for one in brakes(found, local, remote, count, LIMITS, known)]


@pytest.mark.parametrize("policy", [Policy.PROPOSE, Policy.APPLY])
@pytest.mark.parametrize(("count", "left", "expected"), [
    (7, 2, []),                                                    # small: five of seven are allowed
    (7, 1, [("deletions", {"gone": 6, "of": 7, "allowed": 5})]),
    (8, 6, []),
    (8, 5, [("deletions", {"gone": 3, "of": 8, "allowed": 2})]),   # a quarter of eight
    (40, 35, []),
    (40, 34, [("deletions", {"gone": 6, "of": 40, "allowed": 5})]),
])
def test_too_many_deletions_stop_the_run(policy: Policy, count: int, left: int, expected: list) -> None:
    assert pulled(count, rows=range(1, left + 1), policy=policy) == expected
    assert pulled(count, things=range(1, left + 1), policy=policy) == expected


def test_deletions_that_nobody_follows_stop_nothing() -> None:
    assert pulled(40, rows=range(1, 20), policy=Policy.IGNORE) == []


def test_deletions_that_a_person_has_seen_already_are_no_news() -> None:
    seen = frozenset((Side.REMOTE, thing(n)) for n in range(21, 41))
    assert pulled(40, rows=range(1, 21), known=seen) == []


def test_a_side_that_is_suddenly_empty_stops_the_run() -> None:
    assert pulled(3, rows=range(0)) == [("empty", {"rows": 3})]
    assert pulled(3, things=range(0)) == [("empty", {"rows": 3})]
    assert pulled(2, rows=range(0)) == []


def test_what_is_outside_a_filter_or_not_complete_is_not_empty() -> None:
    assert pulled(3, rows=range(0), complete=False) == []
    mapped = mapping("stock")
    outside = Snapshot(outside=frozenset({1, 2, 3}))
    empty = Plan(mapped)
    assert brakes(empty, outside, shopify(mapped, {1: {"stock": 1}}), 3, LIMITS) == []


def test_nearly_everything_changed_on_one_side_stops_the_run() -> None:
    new = dict.fromkeys(range(1, 10), 11)
    assert pulled(10, stock=new) == [("everything", {"changed": 9, "of": 10})]
    assert pulled(10, sold=new) == [("everything", {"changed": 9, "of": 10})]
    assert pulled(10, stock=dict.fromkeys(range(1, 9), 11)) == []
    assert pulled(9, stock=new) == []


def test_what_a_person_decided_is_no_accident() -> None:
    mapped = mapping("stock")
    rows, things = ({n: {"stock": v} for n in range(1, 11)} for v in (15, 8))
    local, remote = grist(mapped, rows), shopify(mapped, things)
    found = plan(mapped, local, remote, [pair(mapped, {"stock": 10}, row=n, thing=thing(n)) for n in range(1, 11)],
                 choices={(n, "stock"): Choice("grist", 15, 8) for n in range(1, 11)})
    assert len(found.ops) == 10
    assert brakes(found, local, remote, 10, LIMITS) == []


def test_a_brake_says_what_it_saw_in_a_sentence() -> None:
    mapped = mapping("stock")
    found = plan(mapped, grist(mapped), shopify(mapped, {1: {"stock": 1}}), [])
    (brake,) = brakes(found, grist(mapped), shopify(mapped, {1: {"stock": 1}}), 3, LIMITS)
    assert brake.message == "Products is empty in Grist, and 3 rows were there at the last sync."

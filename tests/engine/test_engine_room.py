"""What a run holds of each row: of a store with 100,000 variants there is room for one copy. How much that is tells
`python -m benchmarks --only peak_mb_100k`."""

from __future__ import annotations

from typing import Any

import pytest

from backend import engine, worded
from backend.core import plan as planning
from backend.core.model import Create
from backend.core.whole import Whole
from backend.look import Looking
from backend.work import Work

from .conftest import MakeWorld
from .world import World, shop_mappings

ROWS = 3_000


@pytest.fixture
def large(new_world: MakeWorld) -> World:
    world = new_world(shop_mappings()[:1])
    for number in range(ROWS):
        world.shopify.add("products", title=f"A mug with the number {number}", handle=f"mug-{number}", vendor="Potter")
    return world


def test_values_that_both_sides_hold_as_agreed_are_in_memory_once(
    large: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    by_looks = Looking._by_looks

    def told(self: Looking, one: Work) -> None:
        by_looks(self, one)
        seen.append(one)

    monkeypatch.setattr(Looking, "_by_looks", told)
    large.run()
    large.run(everything=True)
    one = seen[-1]
    assert len(one.pairs) == ROWS, "nothing could be recognised yet"
    for thing, pair in one.pairs.items():
        assert one.local.rows[pair.local] is one.remote.rows[thing] is pair.base_local is pair.base_remote


def test_a_plan_holds_the_rows_that_were_read_and_no_copies(large: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plans = []
    plan = planning.plan

    def told(*args: Any, **more: Any) -> Any:
        plans.append((args[2], plan(*args, **more)))
        return plans[-1][1]

    monkeypatch.setattr(engine, "plan", told)
    large.run()
    remote, planned = plans[0]
    creates = [op for op in planned.ops if isinstance(op, Create)]
    assert len(creates) == ROWS
    for op in creates:
        assert isinstance(op.values, Whole)
        assert op.values._row is remote.rows[op.source]
    assert dict(creates[0].values) == creates[0].values
    assert "title" in creates[0].values
    assert "nothing" not in creates[0].values


def test_what_is_written_to_grist_is_put_into_words_part_by_part(
    large: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    word, apply = worded.worded, large.grist.apply

    def counting(*args: Any) -> Any:
        told.append("word")
        return word(*args)

    def applying(*args: Any, **more: Any) -> Any:
        told.append("batch")
        return apply(*args, **more)

    monkeypatch.setattr(worded, "OPS_AT_ONCE", 1_000)
    monkeypatch.setattr(worded, "worded", counting)
    monkeypatch.setattr(large.grist, "apply", applying)
    large.run()
    assert told[:1_001] == ["word"] * 1_000 + ["batch"]
    assert told.count("word") == ROWS

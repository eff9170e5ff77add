"""Metamorphic: what must make no difference makes none. The same deeds, told of otherwise or synced in other portions,
end in the same document and the same store (P14, P4)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from .sim import Ground, Playing
from .story import Event

RUN = Event("run", (0, 0, 0))


def deeds(seed: int) -> list[Event]:
    """Each on a row and a field of its own, so that there is nothing to ask and nothing to overtake."""
    chance = random.Random(f"same end {seed}")
    chosen: list[Event] = []
    for row in range(4):
        for kind, field in (("type_text", 0), ("edit_text", 1), ("type_tag", 0), ("edit_tag", 0)):
            if chance.random() < 0.6:
                chosen.append(Event(kind, (row, field, 1)))
    for row in range(3):
        chosen += [Event("count_stock", (row, 0, 0)), Event("sell", (row, chance.randrange(3), 0))]
        chosen.append(Event(chance.choice(("type_price", "edit_price")), (row, 0, 0)))
    chance.shuffle(chosen)
    return chosen


def end(stage: Ground, events: Sequence[Event], *, hints: Callable[[Any], None] = lambda people: None) -> Any:
    """Both sides in the end, without what was counted up on the way."""
    playing = Playing(stage)
    hints(playing.people)
    ended = playing.play(events)
    assert ended.broken == {}, "\n".join([*ended.told, str(ended.broken)])
    world = playing.world
    return world.grist.rows, world.grist.marks, world.shopify.things, [
        (one.remote_key, one.field, one.local, one.remote) for one in world.conflicts()]


def _no_hints(people: Any) -> None:
    people.note = lambda touched: None


def _every_hint_twice(people: Any) -> None:
    note = people.note
    people.note = lambda touched: note([*reversed(touched), *touched])


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("hints", [_no_hints, _every_hint_twice])
def test_webhooks_make_no_difference_in_the_end(stage: Ground, seed: int, hints: Callable[[Any], None]) -> None:
    events = [*deeds(seed), RUN]
    assert end(stage, events) == end(stage, events, hints=hints)


@pytest.mark.parametrize("seed", range(2))
def test_two_runs_make_what_one_makes(stage: Ground, seed: int) -> None:
    events = deeds(seed)
    assert end(stage, [*events, RUN]) == end(stage, [*events, RUN, RUN])


@pytest.mark.parametrize("seed", range(2))
def test_a_run_after_each_deed_ends_where_one_run_for_all_does(stage: Ground, seed: int) -> None:
    events = deeds(seed)
    assert end(stage, [*events, RUN]) == end(stage, [one for deed in events for one in (deed, RUN)])

"""A story: what happens, in order, made from a seed before anything is played.

    Event("type_text", (3, 1, 4))              between two runs
    Event("sell", (0, 2, 0), when=31)          in the next run, before its step 31
    Event("killed before", (…), when=12)       a fault, at the first step from there on where it can happen
    Event("run", …)                            a process takes the link and syncs

Events say what to do to whatever is there, so any of them can be left out: that is how a failing story is shortened.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

from faults.wire import Fault

GRIST = {
    "type_text": 8, "type_again": 2, "type_tag": 4, "type_price": 3, "type_unfit": 1, "count_stock": 5,
    "clear_cell": 2, "press_undo": 5, "add_product": 3, "add_candidate": 1, "copy_row": 2, "move_row": 1,
    "delete_row": 2, "reuse_row": 2, "empty_id": 1, "edit_id": 1, "import_over": 0.3, "hide_row": 1, "hide_cell": 1,
    "show_all": 1, "refuse_sql": 0.5, "tick": 0.7, "remap": 0.3, "retype": 0.3, "keep_document": 1,
    "restore_document": 0.5,
}
SHOPIFY = {
    "edit_text": 8, "edit_tag": 4, "edit_price": 3, "edit_status": 1, "clear_field": 1, "sell": 5, "add_thing": 2,
    "delete_thing": 1.5, "recreate": 1, "come_back": 1, "unproven": 0.7, "lag": 1, "catch_up": 1,
    "large_store": 0.5, "stock_is_due": 0.5,
}
SETTINGS = {"change_rule": 1, "change_direction": 1, "change_filter": 0.7, "change_toggle": 0.5, "change_policy": 0.5,
            "copy_document": 1}
ANSWERS = {"choose": 4, "approve": 3, "keep": 0.7, "put_back": 0.7, "ask_again": 0.5, "say_which": 2}
RUNS = {"run": 20, "audit": 2, "run some fields": 1.5, "preview": 1.5, "undo": 1.5, "a day passes": 1}
DEEDS = GRIST | SHOPIFY | SETTINGS | ANSWERS
"""What people do, and how often each is done."""

CHAPTERS = 7
STEPS = 75
"""About as many steps as a run has that does something."""


class Event(NamedTuple):
    kind: str
    picks: tuple[int, int, int]
    when: int | None = None
    """The step of the next run before which it happens; None between two runs."""

    @property
    def fault(self) -> Fault | None:
        return Fault(self.kind) if self.kind in FAULTS else None


FAULTS = frozenset(fault.value for fault in Fault)


def story(seed: object, chapters: int = CHAPTERS) -> tuple[Event, ...]:
    """The story of a seed, always the same."""
    chance = random.Random(f"story {seed}")
    names, weights = list(DEEDS), list(DEEDS.values())
    busy = GRIST | SHOPIFY  # settings and answers wait for a quiet moment
    events: list[Event] = []

    def picks() -> tuple[int, int, int]:
        return chance.randrange(12), chance.randrange(12), chance.randrange(12)

    for _ in range(chapters):
        for _ in range(chance.randrange(1, 6)):
            events.append(Event(chance.choices(names, weights)[0], picks()))
        for _ in range(chance.choice((0, 0, 1, 2, 4))):
            kind = chance.choices(list(busy), list(busy.values()))[0]
            events.append(Event(kind, picks(), chance.randrange(STEPS)))
        for _ in range(chance.choice((0, 0, 1, 1, 2))):
            events.append(Event(chance.choice(list(Fault)).value, picks(), chance.randrange(STEPS)))
        events.append(Event(chance.choices(list(RUNS), list(RUNS.values()))[0], picks()))
    return tuple(events)


def shrunk(events: Sequence[Event], fails: Callable[[Sequence[Event]], bool], tries: int = 400) -> tuple[Event, ...]:
    """The shortest story found within `tries` that still `fails`: leave out halves, quarters … single events."""
    kept = list(events)
    size = max(1, len(kept) // 2)
    while tries > 0:
        at, found = 0, False
        while at < len(kept) and tries > 0:
            shorter = kept[:at] + kept[at + size:]
            tries -= 1
            if fails(shorter):
                kept, found = shorter, True
            else:
                at += size
        if size == 1 and not found:
            break
        size = max(1, size // 2)
    return tuple(kept)

"""The same world for Hypothesis, which looks for stories of its own and shortens them in its own way."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from .known import split
from .sim import Playing
from .soak import ground
from .story import FAULTS, GRIST, SETTINGS, SHOPIFY, STEPS, Event

PICKS = st.tuples(*[st.integers(0, 11)] * 3)
WHEN = st.integers(0, STEPS)


class Shop(RuleBasedStateMachine):
    """A shop in which anything may happen next. What is wrong in the end is wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []

    @initialize()
    def open(self) -> None:
        self.playing = Playing(ground())
        self.playing.open()

    def _happen(self, event: Event) -> None:
        self.events.append(event)
        self.playing.happen(event)

    @rule(kind=st.sampled_from(sorted(GRIST | SHOPIFY)), picks=PICKS)
    def somebody_does_something(self, kind: str, picks: Any) -> None:
        self._happen(Event(kind, picks))

    @rule(kind=st.sampled_from(sorted(GRIST | SHOPIFY)), picks=PICKS, when=WHEN)
    def somebody_does_something_in_the_next_run(self, kind: str, picks: Any, when: int) -> None:
        self._happen(Event(kind, picks, when))

    @rule(kind=st.sampled_from(sorted(FAULTS)), when=WHEN)
    def something_breaks_in_the_next_run(self, kind: str, when: int) -> None:
        self._happen(Event(kind, (0, 0, 0), when))

    @rule(kind=st.sampled_from(sorted([*SETTINGS, "choose", "approve", "keep"])), picks=PICKS)
    def somebody_decides_something(self, kind: str, picks: Any) -> None:
        self._happen(Event(kind, picks))

    @rule(kind=st.sampled_from(["run", "run", "run", "audit", "preview", "undo", "run some fields", "a day passes"]),
          picks=PICKS)
    def a_process_syncs(self, kind: str, picks: Any) -> None:
        self._happen(Event(kind, picks))

    def teardown(self) -> None:
        if hasattr(self, "playing"):
            self.playing.settle()
            new, _ = split(self.events, self.playing.judge.broken)
            assert not new, "\n".join([*map(repr, self.events), *self.playing.told, str(new)])


Shop.TestCase.settings = settings(
    max_examples=8, stateful_step_count=15, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck))
TestWhateverHappensEveryPromiseIsKept = Shop.TestCase

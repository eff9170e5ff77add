"""The document's history: one state for each bundle, and what changed between two of them.

Facts: `/states` and `/compare` of a real Grist (recordings `compare`, `identity`, `inline`). A state is a number that
only grows and a hash that no other state has, even at the same number after an older snapshot was restored.
"""
from __future__ import annotations

import hashlib
import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from demo.grist import summary
from demo.grist.tables import DocAction

KEPT_STATES = 1_000
GRACE = 1.25


class UnknownState(Exception):
    """The hash names no state that is (still) known."""


@dataclass(frozen=True)
class State:
    """One bundle: its number and hash, and what it did. `user` is who did it, for `undo` of one's own."""
    n: int
    h: str
    stored: list[DocAction] = field(repr=False)
    undo: list[DocAction] = field(repr=False)
    user: str = ""


class History:
    """The states of one document, oldest first."""

    def __init__(self) -> None:
        self._states: deque[State] = deque()

    def add(self, stored: list[DocAction], undo: list[DocAction], user: str) -> State:
        last = self._states[-1] if self._states else None
        number = last.n + 1 if last else 1
        salt = secrets.token_bytes(16)
        digest = hashlib.sha256(f"{last.h if last else ''}:{number}:".encode() + salt).hexdigest()
        state = State(number, digest, stored, undo, user)
        self._states.append(state)
        if len(self._states) > KEPT_STATES * GRACE:
            self.trim(KEPT_STATES)
        return state

    @property
    def newest(self) -> State:
        return self._states[-1]

    def states(self) -> list[dict[str, Any]]:
        """`[{"n", "h"}]`, newest first."""
        return [{"n": state.n, "h": state.h} for state in reversed(self._states)]

    def numbered(self, n: int) -> State:
        for state in reversed(self._states):
            if state.n == n:
                return state
        raise UnknownState(f"No state {n}")

    def trim(self, keep: int) -> None:
        """Forget all but the newest `keep` states (at least one stays)."""
        while len(self._states) > max(keep, 1):
            self._states.popleft()

    def cut_back(self, n: int) -> list[State]:
        """Forget the states after `n`, as when an older snapshot is restored; returns them, newest first."""
        self.numbered(n)
        cut = []
        while self._states[-1].n > n:
            cut.append(self._states.pop())
        return cut

    def compare(self, left: str, right: str, max_rows: int | None) -> dict[str, Any]:
        """What changed from `left` to `right` (hashes or HEAD). Raises UnknownState for a hash that is not known."""
        states = list(self._states)
        start, end = self._index(states, left), self._index(states, right)
        if end < start:
            raise ValueError("Comparisons currently require left to be an ancestor of right")
        total: dict[str, Any] = {"tableRenames": [], "tableDeltas": {}}
        for state in states[start + 1:end + 1]:
            total = summary.join(total, summary.summarise(state.stored, state.undo, max_rows))
        older, newer = ({"n": state.n, "h": state.h} for state in (states[start], states[end]))
        return {
            "left": older, "right": newer, "parent": older, "summary": "same" if start == end else "right",
            "details": {"leftChanges": {"tableRenames": [], "tableDeltas": {}}, "rightChanges": total},
        }

    def _index(self, states: list[State], wanted: str) -> int:
        if wanted == "HEAD":
            return len(states) - 1
        for index, state in enumerate(states):
            if state.h == wanted:
                return index
        raise UnknownState("Cannot read hash")

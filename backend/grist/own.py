"""Which states of the document were made by nobody but us, and hold no more than what was sent.

    checkpoint 7 → our bundle 8 → our bundle 9 → a person 10 → our bundle 11        settled: 9

What we sent is remembered as agreed, so that the next run need not be told of it: a sync of 100,000 new rows is
followed by a quiet poll. A bundle of which Grist may have made more than was sent (formulas, trigger formulas,
references that a removal clears) stops the row: the next run looks at what became of it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from backend.grist.binding import Bound
from backend.grist.client import Applied, State
from backend.grist.history import COLUMNS

LOG_TABLE = "Sync_log"
"""Where `telling` writes; nothing that is mapped refers to it."""
EXACT = frozenset({"BulkAddRecord", "BulkUpdateRecord", "BulkAddOrUpdateRecord", "UpdateRecord"})
"""Actions on rows that do to other rows nothing that is not worked out by a formula."""


@dataclass
class Own:
    """What we wrote in this run."""

    _bundles: list[tuple[State, bool, dict[int, str]]] = field(default_factory=list)
    """The state after each, whether it did no more than was sent, and by colRef the options that it gave to columns
    to which it added choices."""

    def note(self, actions: Sequence[Any], applied: Applied) -> None:
        if applied.changed:
            exact = all(_is_choices(action) or _is_rows(action) for action in actions)
            options = {int(action[2]): str(action[3]["widgetOptions"]) for action in actions if _is_choices(action)}
            self._bundles.append((applied.state, exact, options))

    def settled(self, checkpoint: dict[str, Any], bounds: Collection[Bound]) -> tuple[dict[str, Any], bool]:
        """`checkpoint`, moved over the bundles that follow it without a gap, and whether it lies behind all of them.
        `choices` in it are, by resource and colRef, the options that we gave to columns since they were read: what is
        remembered of them is older."""
        if not bounds or any(column.formula for bound in bounds for column in bound.all_columns):
            return checkpoint, not self._bundles
        at = State(checkpoint["n"], checkpoint["h"])
        longer: dict[int, str] = {}
        for state, exact, options in self._bundles:
            if state.n <= at.n:
                continue
            if state.n != at.n + 1 or not exact:
                break
            at = state
            longer |= options
        choices = {
            bound.mapping.name: {str(column.ref): longer[column.ref] for column in here}
            for bound in bounds if (here := [one for one in bound.columns.values() if one.ref in longer])
        }
        moved: dict[str, Any] = {"n": at.n, "h": at.h} | ({"choices": choices} if choices else {})
        return moved, all(state.n <= at.n for state, _, _ in self._bundles)


def _is_choices(action: Any) -> bool:
    return bool(action[:2] == ["UpdateRecord", COLUMNS] and action[3].keys() == {"widgetOptions"})


def _is_rows(action: Any) -> bool:
    if action[:2] == ["BulkRemoveRecord", LOG_TABLE]:
        return True
    return str(action[0]) in EXACT and not str(action[1]).startswith("_grist_")

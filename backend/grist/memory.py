"""What a connector remembers of its document between prepare, read and apply."""

from __future__ import annotations

import time
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from typing import Any

from backend.core.model import Key
from backend.grist.binding import Bound
from backend.grist.client import GristClient, State
from backend.grist.schema import Column, parse_columns

FRESH_SECONDS = 20.0
"""So long a small write goes by what was last heard of the document. What somebody types in that time shows by the
number of our own bundle, and is put back."""
CELLS = 5_000
"""So many rows of a table that were read by id are kept as they were, to ask for a write under the condition that they
stand."""


@dataclass
class Memory:
    """Shared by the parts of one connector, for one run."""

    client: GristClient
    decimals: int
    bound: dict[str, Bound] = field(default_factory=dict)
    """By resource, where it is prepared and not paused."""
    seen: dict[str, State] = field(default_factory=dict)
    """By resource: a state not newer than what was read of its table. What changed since may differ from the plan."""
    marks: dict[str, dict[Key, str]] = field(default_factory=dict)
    """By resource: the Shopify ID of each row as it was read; a row that has another now is another row."""
    cells: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    """By resource and row: the cells as they were last read by id, with what we wrote there since."""
    rows: dict[str, int] = field(default_factory=dict)
    """By resource: how many rows its table had when it was last read whole."""
    notes: list[str] = field(default_factory=list)
    compared: Compared | None = None
    """What the history said before anything was prepared."""
    _latest: State | None = None
    _heard_at: float = 0.0

    @property
    def latest(self) -> State | None:
        """The newest state known, good as the start of the next reading: a changed document shows by its hash."""
        return self._latest

    @latest.setter
    def latest(self, state: State | None) -> None:
        self._latest, self._heard_at = state, time.monotonic()

    def heard_lately(self) -> State | None:
        """The newest state, where it is known and was heard of less than `FRESH_SECONDS` ago."""
        return self._latest if time.monotonic() - self._heard_at < FRESH_SECONDS else None

    @property
    def only_data(self) -> bool:
        """Whether no formula stands in any mapped column, so that a write of rows does just what was sent."""
        return not any(column.formula for bound in self.bound.values() for column in bound.all_columns)

    def keep(self, resource: str, found: dict[int, dict[str, Any]]) -> None:
        """These cells were read by id. Where that would be very many, those from before are read again if need be."""
        known = self.cells.setdefault(resource, {})
        if len(known) + len(found) > CELLS:
            known.clear()
        known.update(found if len(found) <= CELLS else {})

    def columns(self, table: str) -> list[Column]:
        """The table's columns as they are now."""
        return parse_columns(self.client.columns(table))


@dataclass(frozen=True)
class Compared:
    """The document between two states."""

    left: str
    """The hash of the older one; "" where the two are the same."""
    newest: State
    changes: dict[str, Any]
    structure_stands: bool
    """Neither tables nor columns nor access rules changed."""
    choices: Dict[str, Dict[str, str] | None] = field(default_factory=dict)
    """By resource and colRef: the options that we gave to columns since what is remembered of them; None where those
    columns have to be asked for again."""

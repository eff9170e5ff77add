"""What a connector remembers of its document between prepare, read and apply."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from backend.core.model import Key
from backend.grist.binding import Bound
from backend.grist.client import GristClient, State
from backend.grist.schema import Column, parse_columns


@dataclass
class Memory:
    """Shared by the parts of one connector, for one run."""

    client: GristClient
    decimals: int
    bound: dict[str, Bound] = field(default_factory=dict)
    """By resource, where it is prepared and not paused."""
    seen: dict[str, State] = field(default_factory=dict)
    """By resource: a state not newer than what was read of its table. What changed since may differ from the plan."""
    latest: State | None = None
    """The newest state known, good as the start of the next reading: a changed document shows by its hash."""
    marks: dict[str, dict[Key, str]] = field(default_factory=dict)
    """By resource: the Shopify ID of each row as it was read; a row that has another now is another row."""
    cells: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    """By resource and row: the cells as they were last read by id, until we write the row."""
    rows: dict[str, int] = field(default_factory=dict)
    """By resource: how many rows its table had when it was last read whole."""
    notes: list[str] = field(default_factory=list)
    compared: Compared | None = None
    """What the history said before anything was prepared."""

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
    again: frozenset[str] = frozenset()
    """Resources whose lists of choices were made longer by us since what is remembered of their columns."""

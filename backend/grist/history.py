"""Read what `compare` says about two states of the document. Pure: answers in, cells out.

    rightChanges: {"tableRenames": [[old, new]], "tableDeltas": {table: {
        "updateRows", "removeRows", "addRows": [ids], "columnDeltas": {column: {row: [[before], [after]]}}}}}

A row whose id was given anew stands in both `removeRows` and `addRows`. A value and its reversal still shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class TableDelta:
    """What changed in one table between two states."""

    removed: frozenset[int] = frozenset()
    added: frozenset[int] = frozenset()
    cells: dict[tuple[int, str], tuple[Any, Any]] = field(default_factory=dict)
    """(row, column) → (before, after), of cells that really differ."""
    renamed: bool = False
    """The table was renamed, removed or made again meanwhile: nothing in here is certain."""

    @property
    def touched(self) -> frozenset[int]:
        return self.removed | self.added | {row for row, _ in self.cells}


def table_delta(changes: dict[str, Any], table: str) -> TableDelta:
    renamed = any(table in pair for pair in changes.get("tableRenames", []))
    delta = changes.get("tableDeltas", {}).get(table)
    if delta is None:
        return TableDelta(renamed=renamed)
    cells: dict[tuple[int, str], tuple[Any, Any]] = {}
    for column, rows in delta.get("columnDeltas", {}).items():
        for row, change in rows.items():
            before, after = (_unwrap(side) for side in change)
            if before != after or type(before) is not type(after):
                cells[int(row), column] = (before, after)
    return TableDelta(frozenset(delta.get("removeRows", [])), frozenset(delta.get("addRows", [])), cells, renamed)


def _unwrap(side: list[Any] | None) -> Any:
    """`[value]`, or null where the row did not exist."""
    return side[0] if side else None

"""Read what `compare` says about two states of the document. Pure: answers in, cells and rows out.

    rightChanges: {"tableRenames": [[old, new]], "tableDeltas": {table: {
        "updateRows", "removeRows", "addRows": [ids], "columnRenames": [[old, new]],
        "columnDeltas": {column: {row: [[before], [after]]}}}}}

A side of a cell is null where the row was not there, or held what Grist gives to a new row. A row whose id was given
anew stands in both `removeRows` and `addRows`, and so does a deletion that was undone. A value and its reversal still
shows. Names are the newest ones; what was removed goes by its old name with a dash before it.
"""

from __future__ import annotations

from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from backend.grist.client import State

COLUMNS = "_grist_Tables_column"
"""Grist's table of columns: its row ids are the colRefs."""

Cells = dict[tuple[int, str], Any]
Standing = Literal["same", "ahead", "trimmed", "restored"]


@dataclass(frozen=True)
class TableDelta:
    """What changed in one table between two states."""

    removed: frozenset[int] = frozenset()
    added: frozenset[int] = frozenset()
    updated: frozenset[int] = frozenset()
    """Rows that were written, also where nothing differs in the end."""
    cells: dict[tuple[int, str], tuple[Any, Any]] = field(default_factory=dict)
    """(row, column) → (before, after), of cells that really differ."""
    was: Cells = field(default_factory=dict)
    """What removed rows held, as far as it is not what Grist gives to a new row."""
    held: Cells = field(default_factory=dict)
    """What added rows hold, as far as it is not what Grist gives to a new row."""
    columns: frozenset[str] = frozenset()
    """Columns that did not have their names before: new ones, and renamed ones."""
    renamed: bool = False
    """The table was renamed, removed or made again meanwhile: nothing in here is certain."""
    incomplete: bool = False
    """Not all cells are told, only all rows."""

    @property
    def touched(self) -> frozenset[int]:
        return self.removed | self.added | {row for row, _ in self.cells}


@dataclass(frozen=True, slots=True)
class Watched:
    """A mapped table: its name now, and the mapped columns by their numbers."""

    table: str
    columns: Dict[int, str]


def table_delta(changes: Dict[str, Any], table: str) -> TableDelta:
    renamed = any(table in pair for pair in changes.get("tableRenames", []))
    delta = changes.get("tableDeltas", {}).get(table)
    if delta is None:
        return TableDelta(renamed=renamed)
    removed, added = frozenset(delta.get("removeRows", [])), frozenset(delta.get("addRows", []))
    cells: dict[tuple[int, str], tuple[Any, Any]] = {}
    was: Cells = {}
    held: Cells = {}
    for column, rows in delta.get("columnDeltas", {}).items():
        for row_text, (before, after) in rows.items():
            row = int(row_text)
            old, new = _unwrap(before), _unwrap(after)
            if old != new or type(old) is not type(new):
                cells[row, column] = (old, new)
            if before and row in removed:
                was[row, column] = old
            if after and row in added:
                held[row, column] = new
    columns = frozenset(after for _, after in delta.get("columnRenames", []) if after)
    return TableDelta(removed, added, frozenset(delta.get("updateRows", [])), cells, was, held, columns, renamed,
                      bool(delta.get("mayBeIncomplete")))


def tables_of(changes: Dict[str, Any]) -> list[str]:
    """The tables with rows that changed, without Grist's own."""
    return [table for table in changes.get("tableDeltas", {}) if not table.startswith(("_grist", "-"))]


def standing(states: Sequence[State], known: State) -> Standing:
    """How the document's history, newest first, stands to a state known from earlier.

    Numbers tell a trimmed history from a document that was put back to an older state or replaced by another.
    """
    if not states or states[0].n < known.n:
        return "restored"
    if states[0] == known:
        return "same"
    if states[-1].n > known.n:
        return "trimmed"
    return "ahead" if known in states else "restored"


STRUCTURE = frozenset({"_grist_Tables", COLUMNS, "_grist_ACLRules", "_grist_ACLResources"})
"""Grist's own tables that say which tables and columns there are and who may see them."""


def structure_stands(changes: Dict[str, Any]) -> bool:
    """Whether tables, columns and access rules are what they were."""
    return not changes.get("tableRenames") and not STRUCTURE & changes.get("tableDeltas", {}).keys()


def changed_rows(changes: Dict[str, Any], watched: Dict[str, Watched]) -> dict[str, set[int]] | None:
    """By resource: the rows of its table in which a mapped cell differs now, which are new, or which are gone (their
    ids may have new rows). None where rows alone do not tell: a table or a mapped column is another one now."""
    columns = table_delta(changes, COLUMNS)
    renames = changes.get("tableRenames", [])
    now = {before: after for before, after in renames if before}
    retyped = {ref for (ref, name), types in columns.cells.items() if name == "type" and _another_type(*types, now)}
    again = columns.removed | columns.added | retyped
    if any(again & place.columns.keys() for place in watched.values()):
        return None
    made = {after for before, after in renames if before is None}
    found: dict[str, set[int]] = {}
    for resource, place in watched.items():
        table = now.get(place.table, place.table)
        # The name may be from before or after the renaming: where another table has it now, nobody can tell.
        if table is None or table in made or (table != place.table and place.table in now.values()):
            return None
        delta = table_delta(changes, table)
        meta = {columns.cells[ref, "colId"][1] for ref in place.columns if (ref, "colId") in columns.cells}
        mapped = meta | set(place.columns.values())
        cells = {row for row, column in delta.cells if column in mapped}
        found[resource] = set(delta.added | delta.removed | cells | (delta.updated if delta.incomplete else set()))
    return found


def _another_type(before: Any, after: Any, tables: Dict[str, str | None]) -> bool:
    """Whether cells mean something else now. A renamed table takes the references to it along."""
    (kind, _, target), (new_kind, _, new_target) = str(before).partition(":"), str(after).partition(":")
    return kind != new_kind or (kind in ("Ref", "RefList") and tables.get(target, target) != new_target)


def _unwrap(side: Sequence[Any] | None) -> Any:
    """`[value]`, or null where the row did not exist."""
    return side[0] if side else None

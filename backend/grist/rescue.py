"""Put back what a bundle of ours wrote over in the moment in which somebody typed it.

    looked ──(others typed)──> under ──(our bundle)──> applied ──(what was typed, put back)──> …
             what others did         what we did

A cell in both is overwritten: what stood right under our bundle goes back, in a bundle of its own that is checked in
the same way. Updates of rows are not conditional in Grist, so this is done after the fact. A row that we removed while
somebody changed it, or referred to it, comes back with the references to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from typing import Any

from backend.core.model import Create, Delete
from backend.errors import BundleRefused, RetryLater, UserError
from backend.grist.client import GristClient, State
from backend.grist.history import table_delta, tables_of
from backend.grist.schema import parse_columns
from backend.grist.writing import Item, row_of

TRIES = 5
"""How often something is put back while somebody goes on typing in the very same cells."""

Cell = tuple[str, int, str]
"""Table, row, column."""


@dataclass
class Lost:
    """What our bundle took away: cells by (table, row, column), and rows by (table, row) with all that they held."""

    cells: dict[Cell, Any] = field(default_factory=dict)
    rows: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.cells or self.rows)

    @property
    def tables(self) -> set[str]:
        return {cell[0] for cell in self.cells} | {key[0] for key in self.rows}

    def with_(self, other: Lost) -> Lost:
        return Lost(self.cells | other.cells, self.rows | other.rows)


@dataclass(frozen=True)
class Window:
    """What others did between the look and a bundle, and what the bundle then did; None where Grist does not say."""

    others: Dict[str, Any]
    own: Dict[str, Any]


def window(client: GristClient, looked: State, applied: State) -> Window | None:
    """Asks only where the numbers show that somebody wrote in between."""
    try:
        under = next((state for state in client.states() if state.n == applied.n - 1), None)
        if under is None:
            return None
        return Window(client.compare(looked.h, under.h), client.compare(under.h, applied.h))
    except RetryLater:
        raise
    except UserError:
        return None


class Rescue:
    """Brings `Lost` back into the document. One for a document."""

    def __init__(self, client: GristClient) -> None:
        self._client = client
        self._data_columns: dict[str, dict[str, str]] = {}

    def overwritten(self, table: str, id_column: str, items: Sequence[Item], seen: Window) -> Lost:
        """What the bundle that carried out `items` took away from somebody who wrote in that window."""
        others, own = table_delta(seen.others, table), table_delta(seen.own, table)
        lost = Lost()
        for item in items:
            if isinstance(item.op, Create):
                continue
            row = row_of(item.op)
            if isinstance(item.op, Delete):
                if row in others.touched and row in own.removed:
                    lost.rows[table, row] = _of_row(own.was, row)
                continue
            # A deletion undone shows like an id given anew; then the row still says which thing it is.
            stranger = row in others.added and others.held.get((row, id_column)) != item.op.partner
            for column in item.cells:
                if (row, column) in own.cells and (
                    stranger or (row, column) in others.cells or column in others.columns
                ):
                    lost.cells[table, row, column] = own.cells[row, column][0]
        removed = {row_of(item.op) for item in items if isinstance(item.op, Delete)} & own.removed
        for row in self._pointed_at(table, removed, seen):
            lost.rows[table, row] = _of_row(own.was, row)
        lost.cells |= self._cleared(lost, seen)
        return lost

    def put_back(self, lost: Lost, applied: State) -> Lost:
        """Put `lost` back after the bundle that made the state `applied`. Returns what could not be.

        What somebody changed once more since then stays as it is: it is newer than what would be put back.
        Raises RetryLater where Grist does not answer, and then nothing is known.
        """
        failed, last = Lost(), applied
        for _ in range(TRIES):
            now = self._client.newest()
            if now.h != last.h:
                try:
                    lost = self._still_ours(lost, self._client.compare(last.h, now.h), failed)
                except RetryLater:
                    raise
                except UserError:
                    break
            if not lost:
                return failed
            try:
                last = self._client.apply(self._actions(lost)).state
            except BundleRefused:
                return failed.with_(self._one_by_one(lost))
            if last.n == now.n + 1:
                return failed
            again = window(self._client, now, last)
            if again is None:
                return failed
            lost = self._overwritten_again(lost, again)
        return failed.with_(lost)

    def _still_ours(self, lost: Lost, changes: Dict[str, Any], failed: Lost) -> Lost:
        """Without what somebody wrote or removed since, and without the rows that are back. A row whose id has been
        given to another row in the meantime joins `failed`."""
        left = Lost()
        deltas = {table: table_delta(changes, table) for table in lost.tables}
        for (table, row, column), value in lost.cells.items():
            delta = deltas[table]
            if (row, column) not in delta.cells and row not in delta.removed and row not in delta.added:
                left.cells[table, row, column] = value
        for (table, row), cells in lost.rows.items():
            if row not in deltas[table].added:
                left.rows[table, row] = cells
            elif {**cells, **_of_row(deltas[table].held, row)} != cells:
                failed.rows[table, row] = cells
        return left

    def _overwritten_again(self, sent: Lost, again: Window) -> Lost:
        """What putting back wrote over in its turn."""
        lost = Lost()
        for table in {cell[0] for cell in sent.cells}:
            others, own = table_delta(again.others, table), table_delta(again.own, table)
            for name, row, column in sent.cells:
                if name == table and (row, column) in others.cells and (row, column) in own.cells:
                    lost.cells[table, row, column] = own.cells[row, column][0]
        return lost

    def _one_by_one(self, lost: Lost) -> Lost:
        """Each row or cell in a bundle of its own; returns those that Grist refuses."""
        failed = Lost()
        parts = [Lost(rows={key: cells}) for key, cells in lost.rows.items()]
        parts += [Lost({cell: value}) for cell, value in lost.cells.items()]
        for part in parts:
            try:
                self._client.apply(self._actions(part))
            except BundleRefused:
                failed.cells |= part.cells
                failed.rows |= part.rows
        return failed

    def _actions(self, lost: Lost) -> list[Any]:
        actions: list[Any] = []
        for (table, row), cells in lost.rows.items():
            data = self._data_of(table)
            kept = {column: value for column, value in cells.items() if column in data or column == "manualSort"}
            actions.append(["AddRecord", table, row, kept])
        rows: dict[tuple[str, int], dict[str, Any]] = {}
        for (table, row, column), value in lost.cells.items():
            rows.setdefault((table, row), {})[column] = value
        for (table, row), cells in rows.items():
            actions.append(["UpdateRecord", table, row, cells])
        return actions

    def _pointed_at(self, table: str, removed: Iterable[int], seen: Window) -> set[int]:
        """Rows of `table` that we removed while somebody made a reference to them, which Grist then cleared."""
        rows = set(removed)
        found: set[int] = set()
        for other in tables_of(seen.own) if rows else ():
            others, own = table_delta(seen.others, other), table_delta(seen.own, other)
            for (row, column), (was, _) in own.cells.items():
                points = self._data_of(other).get(column, "") in (f"Ref:{table}", f"RefList:{table}")
                if points and (row, column) in others.cells and row not in own.removed:
                    found |= rows & (set(was[1:]) if isinstance(was, list) else {was})
        return found

    def _cleared(self, lost: Lost, seen: Window) -> dict[Cell, Any]:
        """The references that Grist cleared when the rows that come back were removed."""
        cleared: dict[Cell, Any] = {}
        for table in tables_of(seen.own) if lost.rows else ():
            delta = table_delta(seen.own, table)
            for (row, column), (was, now) in delta.cells.items():
                kind, _, target = self._data_of(table).get(column, "").partition(":")
                back = {key[1] for key in lost.rows if key[0] == target}
                if row in delta.removed or not back:
                    continue
                if kind == "Ref" and was in back:
                    cleared[table, row, column] = was
                elif kind == "RefList" and isinstance(was, list) and back.intersection(was[1:]):
                    kept = set(now[1:]) if isinstance(now, list) else set()
                    cleared[table, row, column] = ["L", *(one for one in was[1:] if one in kept | back)]
        return cleared

    def _data_of(self, table: str) -> dict[str, str]:
        """The types of a table's columns that hold data."""
        if table not in self._data_columns:
            columns = parse_columns(self._client.columns(table))
            self._data_columns[table] = {column.id: column.type for column in columns if not column.is_formula}
        return self._data_columns[table]


def _of_row(was: Dict[tuple[int, str], Any], row: int) -> dict[str, Any]:
    return {column: value for (one, column), value in was.items() if one == row}

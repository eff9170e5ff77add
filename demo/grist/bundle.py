"""One atomic bundle of changes: what was done, how to take it back, and the formula results that go with it.

Formula results are gathered while a bundle runs and become doc actions at its end, by table and column, so that a
cell recomputed three times shows one change.
"""
from __future__ import annotations

from typing import Any

from demo.grist.summary import gone
from demo.grist.tables import DocAction, Tables, bulk


class Bundle:
    """Carries out doc actions on `tables`, keeping them and their reversals.

    After `finish()` the lists `stored` and `undo` describe the bundle; `take_back()` undoes everything.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.stored: list[DocAction] = []
        self.undo: list[DocAction] = []
        self._results: dict[tuple[str, str], dict[int, tuple[Any, Any]]] = {}
        self._before: dict[str, dict[int, bool]] = {}
        self._after: dict[str, dict[int, bool]] = {}
        self._origins: dict[str | tuple[str, str], Any] = {}
        self.new_ids: dict[str, dict[int, int]] = {}

    def do(self, action: DocAction) -> None:
        """Carry out one doc action; bulk actions on no rows do nothing."""
        action = bulk(action)
        if action[0].startswith("Bulk") and not action[2]:
            return
        self.stored.append(action)
        undo = self._tables.apply(action)
        self.undo.extend(undo)
        self._follow(action, undo)

    def note_result(self, table_id: str, col_id: str, row: int, before: Any, after: Any) -> None:
        """Remember that a computed cell changed (the cell itself is already set)."""
        cells = self._results.setdefault((table_id, col_id), {})
        cells[row] = (cells[row][0] if row in cells else before, after)

    def settle(self, table_id: str, col_id: str) -> None:
        """Turn the results of one column into actions now, before later actions change it."""
        self._emit(table_id, col_id, self._results.pop((table_id, col_id), {}))

    def finish(self) -> None:
        for (table_id, col_id), cells in sorted(self._results.items()):
            self._emit(table_id, col_id, cells)
        self._results.clear()

    def take_back(self) -> None:
        """Undo all of it, as if it had never been."""
        self.finish()
        for action in reversed(self.undo):
            self._tables.apply(action)

    def final_id(self, table_id: str, row: int) -> int:
        """The row id that a temporary negative id of this bundle stands for."""
        return self.new_ids.get(table_id, {}).get(row, row)

    def _follow(self, action: DocAction, undo: list[DocAction]) -> None:
        verb, table_id, *rest = action
        if verb == "BulkAddRecord":
            for row in rest[0]:
                self._before.setdefault(table_id, {}).setdefault(row, False)
                self._after.setdefault(table_id, {})[row] = True
        elif verb == "BulkRemoveRecord":
            was_there = {row for again in undo for row in again[2]}  # removing a row that is not there is no error
            for row in rest[0]:
                self._before.setdefault(table_id, {}).setdefault(row, row in was_there)
                self._after.setdefault(table_id, {})[row] = False
        elif verb == "AddTable":
            self._origins[table_id] = None
        elif verb in ("RenameTable", "RemoveTable"):
            self._move_table(table_id, rest[0] if verb == "RenameTable" else gone(table_id))
        elif verb == "AddColumn":
            self._origins[(table_id, rest[0])] = None
        elif verb in ("RenameColumn", "RemoveColumn"):
            self._move_column(table_id, rest[0], rest[1] if verb == "RenameColumn" else gone(rest[0]))

    def _move_table(self, old: str, new: str) -> None:
        self._origins[new] = self._origins.pop(old, old)
        for (table_id, col_id) in [key for key in self._results if key[0] == old]:
            self._results[(new, col_id)] = self._results.pop((table_id, col_id))
        for key in [key for key in self._origins if isinstance(key, tuple) and key[0] == old]:
            self._origins[(new, key[1])] = self._origins.pop(key)
        for rows in (self._before, self._after):
            if old in rows:
                rows[new] = rows.pop(old)

    def _move_column(self, table_id: str, old: str, new: str) -> None:
        self._origins[(table_id, new)] = self._origins.pop((table_id, old), old)
        if (table_id, old) in self._results:
            self._results[(table_id, new)] = self._results.pop((table_id, old))

    def _emit(self, table_id: str, col_id: str, cells: dict[int, tuple[Any, Any]]) -> None:
        rows = sorted(row for row, (before, after) in cells.items()
                      if before != after or type(before) is not type(after))
        removed = table_id.startswith("-") or col_id.startswith("-")
        before_rows, after_rows = self._before.get(table_id, {}), self._after.get(table_id, {})
        left = [] if removed else [row for row in rows if after_rows.get(row, True)]
        if left:
            self.stored.append(["BulkUpdateRecord", table_id, left, {col_id: [cells[row][1] for row in left]}])
        origin_table = self._origins.get(table_id, table_id)
        origin_column = self._origins.get((table_id, col_id), col_id)
        if (origin_table is None or origin_column is None) and not removed:
            return
        old = [row for row in rows if before_rows.get(row, True)]
        kept = [row for row in old if row in set(left)]
        lost = [row for row in old if row not in set(left)]
        if kept:
            self.undo.append(["BulkUpdateRecord", table_id, kept, {col_id: [cells[row][0] for row in kept]}])
        if lost and origin_table is not None and origin_column is not None:
            # First in the list, so carried out last: when rows, column and table are back under their old names.
            self.undo.insert(0, ["BulkUpdateRecord", origin_table.lstrip("-"), lost,
                                 {origin_column.lstrip("-"): [cells[row][0] for row in lost]}])

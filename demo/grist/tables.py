"""The cells of a document, by column, and the doc actions that change them.

A *doc action* is a plain list such as `["BulkUpdateRecord", "Products", [1, 2], {"Price": [3, 4]}]`. Each knows its
own reversal, which is what undo, failed bundles and the document's history are made of. Columns are lists indexed by
row id, for Grist gives ids as `max + 1`: 100,000 rows are read as slices.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from demo.grist.cells import fits
from demo.grist.schema import default_of

DocAction = list[Any]
HIGHEST_ROW = 1_000_000


class SandboxError(Exception):
    """A refusal by Grist's data engine; `kind` is the class name that Grist shows, e.g. `KeyError`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"[Sandbox] {kind} {message}")


class Column:
    """One column: what it is and its cells. `data[row_id]` is a stored value (see `cells`)."""

    __slots__ = ("col_id", "data", "default", "formula", "is_formula", "type")

    def __init__(self, col_id: str, col_type: str, is_formula: bool = False, formula: str = "") -> None:
        self.col_id, self.type, self.is_formula, self.formula = col_id, col_type, is_formula, formula
        self.default = default_of(col_type)
        self.data: list[Any] = []

    def get(self, row: int) -> Any:
        return self.data[row] if row < len(self.data) else self.default

    def set(self, row: int, value: Any) -> None:
        if row >= len(self.data):
            self.data.extend([self.default] * (row + 1 - len(self.data)))
        self.data[row] = value

    def info(self) -> dict[str, Any]:
        return {"id": self.col_id, "type": self.type, "isFormula": self.is_formula, "formula": self.formula}

    def takes(self, value: Any) -> bool:
        return fits(value, self.type)


class Table:
    """One table: columns by id in their order, and the ids of its rows."""

    def __init__(self, table_id: str, columns: Iterable[Column] = ()) -> None:
        self.table_id = table_id
        self.columns = {column.col_id: column for column in columns}
        self.rows: set[int] = set()
        self._sorted: list[int] | None = None

    @property
    def row_ids(self) -> list[int]:
        """The row ids in ascending order. Do not change the list."""
        if self._sorted is None:
            self._sorted = sorted(self.rows)
        return self._sorted

    def next_id(self) -> int:
        """`max + 1`: the id of a removed last row is given again."""
        return (self.row_ids[-1] if self.rows else 0) + 1

    def column(self, col_id: str) -> Column:
        try:
            return self.columns[col_id]
        except KeyError:
            raise SandboxError("KeyError", f"'{col_id}'") from None

    def values(self, col_id: str, rows: list[int] | None = None) -> list[Any]:
        column = self.column(col_id)
        wanted = self.row_ids if rows is None else rows
        data = column.data
        if wanted and rows is None and wanted[-1] - wanted[0] + 1 == len(wanted) and wanted[-1] < len(data):
            return data[wanted[0]:wanted[-1] + 1]
        return [column.get(row) for row in wanted]

    def row(self, row_id: int) -> dict[str, Any]:
        return {"id": row_id, **{col_id: column.get(row_id) for col_id, column in self.columns.items()}}

    def add_rows(self, rows: Iterable[int]) -> None:
        new = list(rows)
        # Rows are nearly always added after the last one: then the sorted list only grows.
        if self._sorted is not None and new == sorted(new) and (not self._sorted or new[0] > self._sorted[-1]):
            self._sorted = self._sorted + new
        else:
            self._sorted = None
        self.rows.update(new)

    def drop_rows(self, rows: Iterable[int]) -> None:
        self.rows.difference_update(rows)
        self._sorted = None


class Tables:
    """All tables of a document. `apply(action)` carries out one doc action and returns its reversal."""

    def __init__(self) -> None:
        self._tables: dict[str, Table] = {}
        self._verbs: dict[str, Callable[..., list[DocAction]]] = {
            "BulkAddRecord": self._add, "BulkRemoveRecord": self._remove, "BulkUpdateRecord": self._update,
            "AddColumn": self._add_column, "RemoveColumn": self._remove_column, "RenameColumn": self._rename_column,
            "ModifyColumn": self._modify_column, "AddTable": self._add_table, "RemoveTable": self._remove_table,
            "RenameTable": self._rename_table,
        }

    def __getitem__(self, table_id: str) -> Table:
        try:
            return self._tables[table_id]
        except KeyError:
            raise SandboxError("KeyError", f"'{table_id}'") from None

    def __contains__(self, table_id: object) -> bool:
        return table_id in self._tables

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def apply(self, action: DocAction) -> list[DocAction]:
        """Carry out `action`; returns the actions that take it back, to be carried out last to first."""
        verb, *args = bulk(action)
        if verb not in self._verbs:
            raise SandboxError("ValueError", f"Unknown action {verb}")
        return self._verbs[verb](*args)

    def _add(self, table_id: str, rows: list[int], values: dict[str, list[Any]]) -> list[DocAction]:
        table = self[table_id]
        columns = [(table.column(col_id), cells) for col_id, cells in values.items()]
        for row in rows:
            if row in table.rows:
                raise SandboxError("AssertionError", f"docactions.[Bulk]AddRecord for existing record #{row}")
        table.add_rows(rows)
        for column in table.columns.values():
            if column.col_id not in values:
                # The ids may have been others' before, while the column had another type and so another default.
                for row in rows:
                    if row < len(column.data):
                        column.data[row] = column.default
        _write(columns, rows)
        return [["BulkRemoveRecord", table_id, list(rows)]]

    def _remove(self, table_id: str, rows: list[int]) -> list[DocAction]:
        table = self[table_id]
        present = [row for row in rows if row in table.rows]
        if not present:
            return []
        # Columns that hold only defaults are left out of the reversal; the comparison of states shows that.
        kept = {}
        for column in table.columns.values():
            cells = [column.get(row) for row in present]
            if not all(_same(cell, column.default) for cell in cells):
                kept[column.col_id] = cells
            for row in present:
                if row < len(column.data):
                    column.data[row] = column.default
        table.drop_rows(present)
        return [["BulkAddRecord", table_id, present, kept]]

    def _update(self, table_id: str, rows: list[int], values: dict[str, list[Any]]) -> list[DocAction]:
        table = self[table_id]
        for row in rows:
            if row not in table.rows:
                raise SandboxError("AssertionError", f"docactions.[Bulk]UpdateRecord for non-existent record #{row}")
        columns = [(table.column(col_id), cells) for col_id, cells in values.items()]
        before = {column.col_id: [column.get(row) for row in rows] for column, _ in columns}
        _write(columns, rows)
        return [["BulkUpdateRecord", table_id, list(rows), before]]

    def _add_column(self, table_id: str, col_id: str, info: dict[str, Any]) -> list[DocAction]:
        table = self[table_id]
        if col_id in table.columns:
            raise SandboxError("AssertionError", f"Column {col_id} already exists in {table_id}")
        table.columns[col_id] = _column(col_id, info)
        return [["RemoveColumn", table_id, col_id]]

    def _remove_column(self, table_id: str, col_id: str) -> list[DocAction]:
        table = self[table_id]
        column = table.column(col_id)
        rows = [row for row in table.row_ids if not _same(column.get(row), column.default)]
        del table.columns[col_id]
        undo: list[DocAction] = []
        if rows and not column.is_formula:
            undo.append(["BulkUpdateRecord", table_id, rows, {col_id: [column.get(row) for row in rows]}])
        info = column.info()
        del info["id"]
        return [*undo, ["AddColumn", table_id, col_id, info]]

    def _rename_column(self, table_id: str, old: str, new: str) -> list[DocAction]:
        table = self[table_id]
        table.column(old)
        if new in table.columns:
            raise SandboxError("AssertionError", f"Column {new} already exists in {table_id}")
        # Keeps the column's place, so that reads list columns in the same order as before.
        table.columns = {new if col_id == old else col_id: column for col_id, column in table.columns.items()}
        table.columns[new].col_id = new
        return [["RenameColumn", table_id, new, old]]

    def _modify_column(self, table_id: str, col_id: str, info: dict[str, Any]) -> list[DocAction]:
        column = self[table_id].column(col_id)
        before = column.info()
        undo = {key: before[key] for key in info if key in before and before[key] != info[key]}
        if not undo:
            return []
        if table_rows := self[table_id].rows:  # cells never written hold the old type's default, and keep it
            column.set(max(table_rows), column.get(max(table_rows)))
        column.type = info.get("type", column.type)
        column.is_formula = bool(info.get("isFormula", column.is_formula))
        column.formula = info.get("formula", column.formula)
        column.default = default_of(column.type)
        return [["ModifyColumn", table_id, col_id, undo]]

    def _add_table(self, table_id: str, columns: list[dict[str, Any]]) -> list[DocAction]:
        if table_id in self._tables:
            raise SandboxError("AssertionError", f"Table {table_id} already exists")
        self._tables[table_id] = Table(table_id, (_column(info["id"], info) for info in columns))
        return [["RemoveTable", table_id]]

    def _remove_table(self, table_id: str) -> list[DocAction]:
        table = self[table_id]
        undo: list[DocAction] = []
        if table.rows:
            undo.append(["BulkAddRecord", table_id, list(table.row_ids),
                         {col_id: table.values(col_id) for col_id in table.columns}])
        del self._tables[table_id]
        return [*undo, ["AddTable", table_id, [column.info() for column in table.columns.values()]]]

    def _rename_table(self, old: str, new: str) -> list[DocAction]:
        self[old]
        if new in self._tables:
            raise SandboxError("AssertionError", f"Table {new} already exists")
        self._tables = {new if name == old else name: table for name, table in self._tables.items()}
        self._tables[new].table_id = new
        return [["RenameTable", new, old]]


def bulk(action: DocAction) -> DocAction:
    """A single-row action as the bulk action of one row; others as they are."""
    verb = action[0]
    if verb in ("AddRecord", "UpdateRecord"):
        return [f"Bulk{verb}", action[1], [action[2]], {col_id: [cell] for col_id, cell in action[3].items()}]
    if verb == "RemoveRecord":
        return ["BulkRemoveRecord", action[1], [action[2]]]
    return action


def _column(col_id: str, info: dict[str, Any]) -> Column:
    return Column(col_id, info.get("type", "Any"), bool(info.get("isFormula")), info.get("formula") or "")


def _write(columns: list[tuple[Column, list[Any]]], rows: list[int]) -> None:
    if not rows:
        return
    last = max(rows)
    for column, cells in columns:
        data = column.data
        if last >= len(data):
            data.extend([column.default] * (last + 1 - len(data)))
        for row, cell in zip(rows, cells, strict=True):
            data[row] = cell


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other

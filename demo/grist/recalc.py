"""Keeps formula cells up to date: which cells are stale after a change, and working them out in the right order.

A formula column depends on the columns that it names, in its own row and (`$Product.Title`) in rows that it refers
to. Trigger formulas (data columns with a formula) are worked out only for new rows, for a change of the columns in
`recalcDeps`, or for any edit of the row, as `recalcWhen` says.
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from demo.grist import formulas
from demo.grist.bundle import Bundle
from demo.grist.cells import convert, is_error, is_list, zone_name
from demo.grist.schema import is_metadata, pure_type, target_table
from demo.grist.tables import Column, Table, Tables

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Cell = tuple[str, str]


class CircularRefError(Exception):
    """A formula that needs its own result."""


class ErrorInCell(Exception):
    """A formula looked at a cell that holds an error."""


class InvalidTypedValue(Exception):
    """A formula followed a reference that holds text: the column's type and that text."""


class Recalculator:
    """Holds the stale cells of one document. Tell it what changed, then `run(bundle)`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._stale: dict[Cell, set[int]] = defaultdict(set)
        self._spared: dict[Cell, set[int]] = defaultdict(set)
        self._dependents: dict[Cell, list[tuple[str, str, tuple[str, ...]]]] | None = None
        self._bundle: Bundle | None = None
        self._running: set[tuple[str, str, int]] = set()
        self.user: dict[str, Any] = {}

    def rows_added(self, table_id: str, rows: Iterable[int]) -> None:
        if is_metadata(table_id):
            return
        added = set(rows)
        for col_id, column in self._tables[table_id].columns.items():
            if column.is_formula and column.formula:
                self._mark(table_id, col_id, added)
            else:
                self._mark_dependents((table_id, col_id), added)

    def rows_removed(self, table_id: str, rows: Iterable[int]) -> None:
        if is_metadata(table_id):
            return
        removed = set(rows)
        for col_id in self._tables[table_id].columns:
            self._stale.get((table_id, col_id), set()).difference_update(removed)
            self._mark_dependents((table_id, col_id), removed)

    def cells_changed(self, table_id: str, rows: Iterable[int], col_ids: Iterable[str]) -> None:
        if is_metadata(table_id):
            return
        changed, names = set(rows), list(col_ids)
        for col_id in names:
            column = self._tables[table_id].column(col_id)
            if not column.is_formula and column.formula:  # a value given by hand stays
                self._spared[(table_id, col_id)] |= changed
                self._stale.get((table_id, col_id), set()).difference_update(changed)
        for col_id in names:
            self._mark_dependents((table_id, col_id), changed)

    def column_changed(self, table_id: str, col_id: str) -> None:
        """A column came, went, or has another type or formula: all its cells and all that look at them are stale."""
        self._dependents = None
        if table_id not in self._tables or is_metadata(table_id):
            return
        table = self._tables[table_id]
        column = table.columns.get(col_id)
        if column is not None and column.is_formula and column.formula:
            self._mark(table_id, col_id, set(table.rows))
        else:
            self._mark_dependents((table_id, col_id), set(table.rows))

    def schema_changed(self) -> None:
        self._dependents = None
        for table_id, col_id in [cell for cell in self._stale
                                 if cell[0] not in self._tables or cell[1] not in self._tables[cell[0]].columns]:
            del self._stale[(table_id, col_id)]

    def trigger(self, table_id: str, col_id: str, rows: Iterable[int]) -> None:
        """Work out a trigger formula for these rows, unless a value was given by hand in the same action."""
        self._mark(table_id, col_id, set(rows) - self._spared.get((table_id, col_id), set()))

    def clean(self, table_id: str, col_id: str, rows: Iterable[int]) -> None:
        """Work out a trigger formula although a value was given by hand, where it waits for changes of itself: such
        a formula tidies up what is typed."""
        if col_id in self._trigger_dependencies().get((table_id, col_id), ()):
            self._spared.get((table_id, col_id), set()).difference_update(rows)
            self._mark(table_id, col_id, set(rows))

    def next_action(self) -> None:
        self._spared.clear()

    def forget(self) -> None:
        self._stale.clear()
        self._spared.clear()
        self._dependents = None

    def run(self, bundle: Bundle) -> None:
        """Work out every stale cell, noting the changes in `bundle`."""
        self._bundle = bundle
        while self._stale:
            table_id, col_id = next(iter(self._stale))
            rows = self._stale[(table_id, col_id)]
            for row in sorted(rows):
                if row in rows:  # else it was needed, and worked out, by an earlier one
                    self._work_out(table_id, col_id, row)
            if not rows:
                self._stale.pop((table_id, col_id), None)
        self._bundle = None

    def fresh(self, table_id: str, col_id: str, row: int) -> Any:
        """The stored value of a cell, worked out first where it is stale."""
        if row in self._stale.get((table_id, col_id), ()):
            self._work_out(table_id, col_id, row)
        return self._tables[table_id].column(col_id).get(row)

    def _mark(self, table_id: str, col_id: str, rows: set[int]) -> None:
        new = rows - self._stale.get((table_id, col_id), set())
        if new:
            self._stale[(table_id, col_id)] |= new
            self._mark_dependents((table_id, col_id), new)

    def _mark_dependents(self, cell: Cell, rows: set[int]) -> None:
        for table_id, col_id, through in self._index().get(cell, ()):
            table = self._tables[table_id]
            found = self._rows_referring(table, through, rows) & table.rows
            column = table.columns[col_id]
            if found and column.is_formula:
                self._mark(table_id, col_id, found)
            elif found:
                self.trigger(table_id, col_id, found)

    def _rows_referring(self, table: Table, through: tuple[str, ...], rows: set[int]) -> set[int]:
        """Rows of `table` whose chain of references `through` ends in `rows`."""
        if not through:
            return rows
        column = table.column(through[0])
        target = target_table(column.type) or ""
        wanted = self._rows_referring(self._tables[target], through[1:], rows) if through[1:] else rows
        found = set()
        for row in table.row_ids:
            value = column.get(row)
            if (isinstance(value, int) and value in wanted) or (is_list(value) and wanted.intersection(value[1:])):
                found.add(row)
        return found

    def _index(self) -> dict[Cell, list[tuple[str, str, tuple[str, ...]]]]:
        if self._dependents is None:
            self._dependents = defaultdict(list)
            triggers = self._trigger_dependencies()
            for table_id in self._tables:
                if is_metadata(table_id):
                    continue
                for col_id, column in self._tables[table_id].columns.items():
                    if column.formula and column.is_formula:
                        self._add_paths(table_id, col_id, formulas.read(column.formula).paths)
                    for name in triggers.get((table_id, col_id), ()):
                        self._dependents[(table_id, name)].append((table_id, col_id, ()))
        return self._dependents

    def _add_paths(self, table_id: str, col_id: str, paths: tuple[tuple[str, ...], ...]) -> None:
        assert self._dependents is not None
        for path in paths:
            here: str | None = table_id
            for depth, name in enumerate(path):
                if here is None or here not in self._tables:
                    break
                self._dependents[(here, name)].append((table_id, col_id, path[:depth]))
                column = self._tables[here].columns.get(name)
                here = target_table(column.type) if column else None

    def _trigger_dependencies(self) -> dict[Cell, list[str]]:
        """For each trigger formula that waits for some columns: their ids."""
        columns, tables = self._tables["_grist_Tables_column"], self._tables["_grist_Tables"]
        found = {}
        for ref in columns.row_ids:
            deps = columns.column("recalcDeps").get(ref)
            if is_list(deps) and not columns.column("recalcWhen").get(ref) and not columns.column("isFormula").get(ref):
                table_id = tables.column("tableId").get(columns.column("parentId").get(ref))
                found[(table_id, columns.column("colId").get(ref))] = [
                    columns.column("colId").get(dep) for dep in deps[1:]]
        return found

    def _work_out(self, table_id: str, col_id: str, row: int) -> None:
        self._stale[(table_id, col_id)].discard(row)
        table = self._tables[table_id]
        column = table.columns.get(col_id)
        if column is None or row not in table.rows:
            return
        here = (table_id, col_id, row)
        if here in self._running:
            raise CircularRefError
        self._running.add(here)
        try:
            value = _stored(formulas.read(column.formula).run(_Scope(self, table, row, column)), column.type)
        except ErrorInCell as error:
            value = ["E", str(error)]
        except InvalidTypedValue as error:
            value = ["E", "InvalidTypedValue", *error.args]
        except Exception as error:
            value = ["E", type(error).__name__]
        finally:
            self._running.discard(here)
        before = column.get(row)
        if before != value or type(before) is not type(value):
            column.set(row, value)
            if self._bundle is not None:
                self._bundle.note_result(table_id, col_id, row, before, value)

    def rich(self, table_id: str, col_id: str, row: int) -> Any:
        """A cell as a formula sees it: dates as dates, references as rows, misfits as text."""
        table = self._tables[table_id]
        column = table.columns.get(col_id)
        if column is None:
            if col_id == "id":
                return row
            raise AttributeError(f"Table {table_id} has no column {col_id}")
        if (table_id, col_id, row) in self._running:  # a trigger formula, too, knows its own cell only as `value`
            raise CircularRefError
        value = self.fresh(table_id, col_id, row)
        if is_error(value):
            raise ErrorInCell(value[1])
        if not column.takes(value):
            return formulas.Unfitting(value)
        pure = pure_type(column.type)
        if pure == "Numeric":
            return float(value) if value is not None else None
        if pure == "Bool":
            return bool(value)
        if pure == "Date":
            return None if value is None else (EPOCH + timedelta(seconds=value)).date()
        if pure == "DateTime":
            return None if value is None else (EPOCH + timedelta(seconds=value)).astimezone(
                ZoneInfo(zone_name(column.type)))
        if pure in ("ChoiceList", "RefList", "Attachments"):
            return list(value[1:]) if value else []
        return value

    def follow(self, table_id: str, path: tuple[str, ...], row: int) -> Any:
        """`$Product.Title`: from cell to cell through references; an empty reference gives its column's default."""
        for name in path[:-1]:
            value = self.rich(table_id, name, row)
            target = target_table(self._tables[table_id].column(name).type)
            if isinstance(value, formulas.Unfitting) and target is not None:
                raise InvalidTypedValue(self._tables[table_id].column(name).type.partition(":")[0], str(value))
            if target is None or target not in self._tables or isinstance(value, formulas.Unfitting):
                raise AttributeError(f"{name} is not a reference")
            table_id, row = target, value if isinstance(value, int) else 0
        if row not in self._tables[table_id].rows:
            column = self._tables[table_id].columns.get(path[-1])
            return column.default if column else 0
        return self.rich(table_id, path[-1], row)


class _Scope:
    """What one formula sees: the cells of its row, `value` (its own cell) and `user`."""

    __slots__ = ("_column", "_recalc", "_row", "_table")

    def __init__(self, recalc: Recalculator, table: Table, row: int, column: Column) -> None:
        self._recalc, self._table, self._row, self._column = recalc, table, row, column

    def cell(self, path: tuple[str, ...]) -> Any:
        return self._recalc.follow(self._table.table_id, path, self._row)

    def name(self, word: str) -> Any:
        if word == "value":
            return self._column.get(self._row)
        if word == "user":
            return self._recalc.user
        raise NameError(f"name '{word}' is not defined")


def _stored(value: Any, col_type: str) -> Any:
    """A formula's result as its column stores it."""
    pure = pure_type(col_type)
    if isinstance(value, datetime):
        if pure in ("Text", "Choice"):
            return str(value)
        seconds = value.timestamp()
        return ["D", seconds, "UTC"] if pure == "Any" else convert(seconds, col_type)
    if isinstance(value, date):
        if pure in ("Text", "Choice"):
            return str(value)
        midnight = datetime.combine(value, time(), UTC).timestamp()
        return ["d", midnight] if pure == "Any" else convert(midnight, col_type)
    if isinstance(value, (list, tuple)):
        return convert(["L", *value], col_type)
    if isinstance(value, formulas.Unfitting):
        value = str(value)
    return convert(value, col_type)

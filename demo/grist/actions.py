"""The user actions on rows: what a caller of `apply` may ask for, carried out as doc actions of one bundle.

`UserActions` takes care of what hangs on a change: conversion to the column's type, ids, row order, trigger formulas,
references to removed rows. The actions on tables and columns are in `schema_actions`, which builds on this.
"""
from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from demo.grist import formulas
from demo.grist.bundle import Bundle
from demo.grist.cells import convert, is_list, whole
from demo.grist.recalc import Recalculator
from demo.grist.schema import POSITIONS, is_metadata, pure_type, target_table
from demo.grist.tables import HIGHEST_ROW, Column, DocAction, SandboxError, Table, Tables, bulk

NEVER, MANUAL_UPDATES = 1, 2
Values = dict[str, list[Any]]


class RowActions:
    """User actions on rows within one bundle."""

    def __init__(self, tables: Tables, bundle: Bundle, recalc: Recalculator) -> None:
        self._tables, self._bundle, self._recalc = tables, bundle, recalc
        self.verbs: dict[str, Callable[..., Any]] = {
            "AddRecord": self._add_record, "BulkAddRecord": self.add_records,
            "UpdateRecord": self._update_record, "BulkUpdateRecord": self.update_records,
            "RemoveRecord": self._remove_record, "BulkRemoveRecord": self.remove_records,
            "AddOrUpdateRecord": self._add_or_update, "BulkAddOrUpdateRecord": self._add_or_update_many,
            "ReplaceTableData": self._replace, "ApplyUndoActions": self._apply_undo,
            "ApplyDocActions": self._apply_doc_actions,
        }

    def add_records(self, table_id: str, rows: list[int | None], values: Values) -> list[int]:
        """Add rows; None and negative ids become `max + 1`. Returns the ids."""
        values = {col_id: self._accepted(table_id, col_id, cells) for col_id, cells in values.items()}
        _same_length(rows, values)
        if table_id == "_grist_ACLRules":
            _parse_rules(values)
        return self._insert(table_id, rows, values)

    def update_records(self, table_id: str, rows: list[int], values: Values) -> None:
        self._tables[table_id]
        values = {col_id: self._accepted(table_id, col_id, cells) for col_id, cells in values.items()}
        _same_length(rows, values)
        if table_id == "_grist_ACLRules":
            _parse_rules(values)
        self._update(table_id, rows, values)

    def remove_records(self, table_id: str, rows: list[int]) -> None:
        self._remove(table_id, rows)

    def _add_record(self, table_id: str, row: int | None, values: dict[str, Any]) -> int:
        return self.add_records(table_id, [row], {col_id: [cell] for col_id, cell in values.items()})[0]

    def _update_record(self, table_id: str, row: int, values: dict[str, Any]) -> None:
        self.update_records(table_id, [row], {col_id: [cell] for col_id, cell in values.items()})

    def _remove_record(self, table_id: str, row: int) -> None:
        self.remove_records(table_id, [row])

    def _insert(self, table_id: str, rows: Iterable[int | None], values: Values) -> list[int]:
        table = self._tables[table_id]
        ids: list[int] = []
        following = table.next_id()
        for row in rows:
            if row is not None and row > HIGHEST_ROW:
                raise SandboxError("ValueError", "Row ID too high")
            if row is not None and row in table.rows:
                raise SandboxError("AssertionError", f"docactions.[Bulk]AddRecord for existing record #{row}")
            final = following if row is None or row < 0 else row
            if row is not None and row < 0:
                self._bundle.new_ids.setdefault(table_id, {})[row] = final
            ids.append(final)
            following = max(following, final + 1)
        stored = self._converted(table, values)
        for column in table.columns.values():
            if pure_type(column.type) in POSITIONS and column.col_id not in stored:
                stored[column.col_id] = _placed(table, column, [None] * len(ids))
        self.do(["BulkAddRecord", table_id, ids, stored])
        if not is_metadata(table_id):
            for column in table.columns.values():
                if (column.formula and not column.is_formula and column.col_id not in values
                        and self._recalc_when(table_id, column.col_id) != NEVER):
                    self._recalc.trigger(table_id, column.col_id, ids)
        return ids

    def _update(self, table_id: str, rows: list[int], values: Values) -> None:
        table = self._tables[table_id]
        rows = [self._bundle.final_id(table_id, row) for row in rows]
        rows, changed = _trimmed(table, rows, self._converted(table, values))
        self.do(["BulkUpdateRecord", table_id, rows, changed])
        if changed and not is_metadata(table_id):
            for column in table.columns.values():
                if (column.formula and not column.is_formula
                        and self._recalc_when(table_id, column.col_id) == MANUAL_UPDATES):
                    self._recalc.trigger(table_id, column.col_id, rows)
                elif column.formula and not column.is_formula and column.col_id in changed:
                    self._recalc.clean(table_id, column.col_id, rows)

    def _remove(self, table_id: str, rows: list[int]) -> None:
        self._tables[table_id]
        rows = [self._bundle.final_id(table_id, row) for row in rows]
        self.do(["BulkRemoveRecord", table_id, rows])
        gone = set(rows)
        for other_id in sorted(self._tables):
            for column in sorted(self._tables[other_id].columns.values(), key=lambda column: column.col_id):
                if target_table(column.type) != table_id or column.is_formula:
                    continue
                cleared, cells = _without(self._tables[other_id], column, gone)
                if cleared and is_metadata(other_id):
                    self.update_records(other_id, cleared, {column.col_id: cells})
                elif cleared:
                    self.do(["BulkUpdateRecord", other_id, cleared, {column.col_id: cells}])

    def do(self, action: DocAction) -> None:
        """Carry out a doc action and mark what became stale by it."""
        action = bulk(action)
        verb, table_id, *rest = action
        if verb == "BulkRemoveRecord":
            present = [row for row in rest[0] if row in self._tables[table_id].rows]
            self._bundle.do(action)
            self._recalc.rows_removed(table_id, present)
            return
        self._bundle.do(action)
        if verb == "BulkAddRecord" and rest[0]:
            self._recalc.rows_added(table_id, rest[0])
        elif verb == "BulkUpdateRecord" and rest[0]:
            self._recalc.cells_changed(table_id, rest[0], rest[1])
        elif verb in ("AddColumn", "ModifyColumn", "RemoveColumn"):
            self._recalc.schema_changed()
            self._recalc.column_changed(table_id, rest[0])
        elif verb == "RenameColumn":
            self._recalc.schema_changed()
            self._recalc.column_changed(table_id, rest[1])
        elif verb in ("AddTable", "RemoveTable", "RenameTable"):
            self._recalc.schema_changed()
        if table_id == "_grist_Tables_column":
            self._recalc.schema_changed()

    def _converted(self, table: Table, values: Values) -> Values:
        """The values as the table stores them, with temporary ids replaced and row order made unique."""
        stored: Values = {}
        for col_id, cells in values.items():
            column = table.column(col_id)
            kept = [convert(cell, column.type) for cell in cells]
            target = target_table(column.type)
            _check_temporary(kept, self._bundle.new_ids.get(target or "", {}) if target else None)
            if target in self._bundle.new_ids:
                kept = [self._final_reference(target, cell) for cell in kept]
            stored[col_id] = _placed(table, column, kept) if pure_type(column.type) in POSITIONS else kept
        return stored

    def _final_reference(self, target: str, cell: Any) -> Any:
        if is_list(cell):
            return ["L", *(self._bundle.final_id(target, row) for row in cell[1:])]
        return self._bundle.final_id(target, cell) if isinstance(cell, int) and cell < 0 else cell

    def _accepted(self, table_id: str, col_id: str, cells: list[Any]) -> list[Any]:
        """The cells, if the column takes data; an empty column becomes a data column, a formula column refuses."""
        column = self._tables[table_id].column(col_id)
        if not column.is_formula:
            return cells
        if column.formula:
            raise SandboxError("ValueError", f"Can't save value to formula column {col_id}")
        change: dict[str, Any] = {"isFormula": False}
        if column.type == "Any":
            guessed = _guess_type(cells)
            if guessed is None:
                return [None] * len(cells)
            change["type"] = guessed
        self._make_data_column(table_id, col_id, change)
        return cells

    def _make_data_column(self, table_id: str, col_id: str, change: dict[str, Any]) -> None:
        raise NotImplementedError("given by SchemaActions")

    def _recalc_when(self, table_id: str, col_id: str) -> int:
        raise NotImplementedError("given by SchemaActions")

    def _add_or_update(self, table_id: str, require: dict[str, Any], values: dict[str, Any],
                       options: dict[str, Any] | None = None) -> dict[str, Any]:
        if not require and not values:
            return {"recordIds": [], "action": "NONE"}
        result = self._add_or_update_many(table_id, {key: [cell] for key, cell in require.items()},
                                          {key: [cell] for key, cell in values.items()}, options)
        action = "UPDATE" if result["updateRecordIds"] else "ADD" if result["addRecordIds"] else "NONE"
        return {"recordIds": result["recordIds"][0] if result["recordIds"] else [], "action": action}

    def _add_or_update_many(self, table_id: str, require: Values, values: Values,
                            options: dict[str, Any] | None = None) -> dict[str, Any]:
        """Rows that match `require` get `values`; where none does, one is added with both."""
        options = options or {}
        table = self._tables[table_id]
        on_many = options.get("on_many", "first")
        if on_many not in ("first", "none", "all"):
            raise SandboxError("ValueError", f"on_many should be 'first', 'none', or 'all', not {on_many!r}")
        if not require and not options.get("allow_empty_require"):
            raise SandboxError("ValueError", "require is empty but allow_empty_require isn't set")
        result: dict[str, list[Any]] = {"recordIds": [], "addRecordIds": [], "updateRecordIds": []}
        lengths = {len(cells) for cells in [*require.values(), *values.values()]}
        if not lengths:
            return result
        if len(lengths) != 1:
            raise SandboxError("ValueError", "Value lists must all have the same length")
        count = lengths.pop()
        wanted = [tuple(json.dumps(cells[index]) for cells in require.values()) for index in range(count)]
        if require and len(set(wanted)) < count:
            raise SandboxError("ValueError", "require values must be unique")
        self._recalc.run(self._bundle)
        matches = _matches(table, require, count)
        adding: list[int] = []
        updating: list[int] = []
        update_rows: list[int] = []
        for index, found in enumerate(matches):
            result["recordIds"].append([])
            if not found and options.get("add", True):
                adding.append(index)
            if found and options.get("update", True):
                if len(found) > 1 and on_many == "none":
                    continue
                picked = found if on_many == "all" else found[:1]
                updating.extend([index] * len(picked))
                update_rows.extend(picked)
                result["recordIds"][index] = picked
                result["updateRecordIds"].append(picked)
        if adding:
            both = {**{key: cells for key, cells in require.items() if not _is_real_formula(table, key)}, **values}
            ids = [both["id"][index] for index in adding] if "id" in both else [None] * len(adding)
            new = self.add_records(table_id, ids, {key: [cells[index] for index in adding]
                                                   for key, cells in both.items() if key != "id"})
            for index, row in zip(adding, new, strict=True):
                result["recordIds"][index] = [row]
            result["addRecordIds"] = new
        if update_rows:
            self.update_records(table_id, update_rows, {key: [cells[index] for index in updating]
                                                        for key, cells in values.items() if key != "id"})
        return result

    def _replace(self, table_id: str, rows: list[int | None], values: Values) -> None:
        self._remove(table_id, list(self._tables[table_id].row_ids))
        self.add_records(table_id, rows, values)

    def _apply_undo(self, actions: list[DocAction]) -> None:
        for action in reversed(actions):
            self.do(action)

    def _apply_doc_actions(self, actions: list[DocAction]) -> None:
        for action in actions:
            self.do(action)


def _check_temporary(cells: list[Any], known: dict[int, int] | None) -> None:
    """Raises SandboxError where a reference (`known` is not None) names a row that nothing in the bundle adds."""
    for cell in cells if known is not None else ():
        for row in cell[1:] if is_list(cell) else [cell]:
            if known is not None and isinstance(row, int) and row < 0 and row not in known:
                raise SandboxError("ValueError", f"Reference to unknown temporary row id {row}")


def _same_length(rows: list[Any], values: Values) -> None:
    for col_id, cells in values.items():
        if len(cells) != len(rows):
            raise SandboxError("ValueError", f"{len(rows)} rows but {len(cells)} values in column {col_id}")


def _trimmed(table: Table, rows: list[int], values: Values) -> tuple[list[int], Values]:
    """Only the columns and rows in which something changes."""
    columns = {col_id: table.column(col_id) for col_id in values}
    touched = {col_id: [index for index, row in enumerate(rows) if _differs(columns[col_id].get(row), cells[index])]
               for col_id, cells in values.items()}
    kept = sorted({index for indexes in touched.values() for index in indexes})
    return ([rows[index] for index in kept],
            {col_id: [cells[index] for index in kept] for col_id, cells in values.items() if touched[col_id]})


def _differs(before: Any, after: Any) -> bool:
    return bool(before != after) or (before is None) != (after is None) or isinstance(before, bool) != isinstance(
        after, bool)


def _without(table: Table, column: Column, gone: set[int]) -> tuple[list[int], list[Any]]:
    """The cells of a reference column that name removed rows, and what they become."""
    rows: list[int] = []
    cells: list[Any] = []
    for row in table.row_ids:
        cell = column.get(row)
        if is_list(cell) and gone.intersection(item for item in cell[1:] if isinstance(item, int)):
            left = [item for item in cell[1:] if item not in gone]
            rows.append(row)
            cells.append(["L", *left] if left else None)
        elif isinstance(cell, int) and not isinstance(cell, bool) and cell in gone and cell:
            rows.append(row)
            cells.append(0)
    return rows, cells


def _placed(table: Table, column: Column, wanted: list[Any]) -> list[Any]:
    """Positions for rows of an ordered table: None goes to the end, a number before the row that has it."""
    if all(position is None for position in wanted):
        known = [position for row in table.rows if (position := column.get(row)) is not None]
        last = max(known, default=0)
        return [whole(float(last + index + 1)) for index in range(len(wanted))]
    known = sorted(position for row in table.rows if (position := column.get(row)) is not None)
    order = sorted(range(len(wanted)), key=lambda index: (wanted[index] is None, wanted[index] or 0))
    placed: list[Any] = [None] * len(wanted)
    spot = {index: len(known) if wanted[index] is None else bisect_left(known, wanted[index]) for index in order}
    for place, group in groupby(order, key=lambda index: spot[index]):
        indexes = list(group)
        before = known[place - 1] if place else 0
        after = known[place] if place < len(known) else before + len(indexes) + 1
        for step, index in enumerate(indexes, 1):
            placed[index] = whole(before + (after - before) * step / (len(indexes) + 1))
    return placed


def _matches(table: Table, require: Values, count: int) -> list[list[int]]:
    """For each wanted combination the rows that have it, in order of id. Lists cannot be looked up, as in Grist."""
    if not require:
        return [list(table.row_ids)] * count
    columns = [(table.columns.get(col_id) if col_id != "id" else None, col_id) for col_id in require]
    for column, col_id in columns:
        if column is None and col_id != "id":
            raise SandboxError("KeyError", f"'{col_id}'")
    if any(is_list(cell) for cells in require.values() for cell in cells):
        raise SandboxError("TypeError", "unhashable type: 'list'")
    asked = {row for row in require.get("id", ()) if isinstance(row, int)}
    found: dict[str, list[int]] = {}
    for row in sorted(asked & table.rows) if "id" in require else table.row_ids:
        key = json.dumps([row if column is None else _compared(column.get(row), column.type) for column, _ in columns])
        found.setdefault(key, []).append(row)
    return [found.get(json.dumps([require[col_id][index] if column is None else
                                  _compared(convert(require[col_id][index], column.type), column.type)
                                  for column, col_id in columns]), []) for index in range(count)]


def _compared(value: Any, col_type: str) -> Any:
    """What a cell is looked up by: dates by their day, whatever the second."""
    if col_type == "Date" and isinstance(value, int | float) and not isinstance(value, bool):
        return int(value // 86_400)
    return value


def _is_real_formula(table: Table, col_id: str) -> bool:
    column = table.columns.get(col_id)
    return column is not None and column.is_formula and bool(column.formula)


def _guess_type(cells: list[Any]) -> str | None:
    """The type that an empty column takes at its first values; None while they are all blank."""
    filled = [cell for cell in cells if cell not in ("", None)]
    if not filled:
        return None
    numbers = sum(not isinstance(convert(cell, "Numeric"), str) and not isinstance(cell, (bool, list))
                  for cell in filled)
    return "Numeric" if numbers >= 0.9 * len(filled) else "Text"


def _parse_rules(values: Values) -> None:
    """Keep an access rule's condition also as a tree, as Grist does."""
    if "aclFormula" in values:
        try:
            values["aclFormulaParsed"] = [json.dumps(formulas.rule_tree(text)) if text else ""
                                          for text in values["aclFormula"]]
        except SyntaxError as error:
            raise SandboxError("SyntaxError", str(error)) from error

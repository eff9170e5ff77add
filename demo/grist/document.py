"""One Grist document: its tables, its history, and the one door through which it changes.

`apply(actions)` is atomic: a bundle succeeds whole, with all its formula results, or leaves no trace.
"""
from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from demo.grist.bundle import Bundle
from demo.grist.cells import parse
from demo.grist.history import History, State
from demo.grist.recalc import Recalculator
from demo.grist.schema import FIRST_ROWS, METADATA, is_metadata, is_visible, target_table
from demo.grist.schema_actions import UserActions, widget_options
from demo.grist.tables import DocAction, SandboxError, Table, Tables

Record = dict[str, Any]


class UnknownAction(Exception):
    """An action that Grist does not know; refused before the data engine sees it."""

    def __init__(self, verb: object) -> None:
        super().__init__(f"Blocked by access rules: '{verb}' actions are not controlled")


class BadCompany(Exception):
    """An upsert stands in a bundle with something other than changes of rows; refused before the engine sees it."""

    def __init__(self) -> None:
        super().__init__("Can only combine AddOrUpdateRecord and BulkAddOrUpdateRecord with simple data changes")


@dataclass(frozen=True)
class Applied:
    """What a bundle came to. `number` and `hash` are its state's; None and 0 where there were no actions."""
    number: int
    hash: str | None
    values: list[Any]
    modified: bool
    state: State | None = None

    def answer(self) -> Record:
        return {"actionNum": self.number, "actionHash": self.hash, "retValues": self.values,
                "isModification": self.modified}


class Document:
    """A document with a `Table1`, as a new one in Grist. All methods are safe to call from several threads.

    `on_change` holds callables that are told each new state after it is in place. `widget_options` are the options
    that the custom widget saved.
    """

    def __init__(self, doc_id: str, name: str) -> None:
        self.doc_id, self.name = doc_id, name
        self.created = self.updated = datetime.now(UTC)
        self.lock = threading.RLock()
        self.history = History()
        self.tables = Tables()
        self.widget_options: Record = {}
        self.trashed = self.disabled = self.recovery = False
        self.on_change: list[Callable[[State], None]] = []
        self._recalc = Recalculator(self.tables)
        for table_id, columns in METADATA.items():
            self.tables.apply(["AddTable", table_id, [{"id": col_id, "type": col_type}
                                                      for col_id, col_type in columns.items()]])
        for table_id, row in FIRST_ROWS.items():
            self.tables.apply(["AddRecord", table_id, 1, row])
        self.apply([["AddEmptyTable", None]])

    def apply(self, actions: list[DocAction], *, user: str = "", parse_text: bool = False,
              user_info: Record | None = None) -> Applied:
        """Carry out user actions as one atomic bundle.

        `parse_text`: text is read as a person types it ("$1,234.50"), as the API does without `noparse`.
        Raises SandboxError (nothing is changed then) and UnknownAction.
        """
        if not actions:
            return Applied(0, None, [], False)
        with self.lock:
            if parse_text:
                actions = [self._parsed(action) for action in actions]
            bundle = Bundle(self.tables)
            door = UserActions(self.tables, bundle, self._recalc)
            for action in actions:
                if not isinstance(action, list) or not action or action[0] not in door.verbs:
                    raise UnknownAction(action[0] if isinstance(action, list) and action else action)
            _check_company(actions)
            self._recalc.user = user_info or {}
            try:
                values = [door.run(action) for action in actions]
                self._recalc.run(bundle)
                bundle.finish()
            except Exception as error:
                bundle.take_back()
                self._recalc.forget()
                if isinstance(error, (TypeError, AttributeError, ValueError, LookupError)):
                    # Malformed arguments: Grist's engine, too, shows the error that they lead to.
                    raise SandboxError(type(error).__name__, str(error)) from error
                raise
            state = self.history.add(bundle.stored, bundle.undo, user)
            self.updated = datetime.now(UTC)
        for tell in self.on_change:
            tell(state)
        return Applied(state.n, state.h, values, bool(bundle.stored), state)

    def undo(self, n: int, *, user: str = "") -> Applied:
        """Take back the bundle of state `n` as a person's Ctrl-Z does: cells get the values they had before it."""
        return self.apply([["ApplyUndoActions", self.history.numbered(n).undo]], user=user)

    def restore(self, n: int) -> None:
        """Make the document what it was at state `n`, forgetting what came after, as a restored snapshot does."""
        with self.lock:
            for state in self.history.cut_back(n):
                for action in reversed(state.undo):
                    self.tables.apply(action)
            self._recalc.forget()

    def table(self, table_id: str) -> TableView:
        """A table for tests: `doc.table("Products").rows()`."""
        return TableView(self, self.tables[table_id])

    def table_ids(self) -> list[str]:
        return [table_id for table_id in self.tables if not is_metadata(table_id)]

    def table_ref(self, table_id: str) -> int | None:
        column = self.tables["_grist_Tables"].column("tableId")
        return next((row for row in self.tables["_grist_Tables"].row_ids if column.get(row) == table_id), None)

    def columns(self, table_id: str, *, hidden: bool = False) -> list[Record]:
        """The columns of a table as the API lists them: `{"id", "fields"}` in their order. Raises KeyError."""
        table_ref = self.table_ref(table_id)
        if table_ref is None:
            raise KeyError(table_id)
        metadata = self.tables["_grist_Tables_column"]
        rows = [row for row in metadata.row_ids if metadata.column("parentId").get(row) == table_ref]
        rows.sort(key=lambda row: metadata.column("parentPos").get(row))
        found = []
        for row in rows:
            fields = metadata.row(row)
            col_id = fields.pop("colId")
            if hidden or is_visible(col_id):
                found.append({"id": col_id, "fields": {"colRef": fields.pop("id"), **fields}})
        return found

    def _parsed(self, action: DocAction) -> DocAction:
        """The action with its text read by the types of the columns."""
        verb = action[0] if isinstance(action, list) and action else None
        places = {"AddRecord": (3,), "UpdateRecord": (3,), "BulkAddRecord": (3,), "BulkUpdateRecord": (3,),
                  "AddOrUpdateRecord": (2, 3), "BulkAddOrUpdateRecord": (2, 3)}.get(str(verb), ())
        if not places or len(action) <= max(places) or not isinstance(action[1], str) or is_metadata(action[1]):
            return action
        if any(not isinstance(action[place], dict) for place in places):
            return action
        if action[1] not in self.tables:
            return action
        changed = list(action)
        for place in places:
            changed[place] = {col_id: self._parse_cells(action[1], col_id, cells, str(verb).startswith("Bulk"))
                              for col_id, cells in action[place].items()}
        return changed

    def _parse_cells(self, table_id: str, col_id: str, cells: Any, many: bool) -> Any:
        column = self.tables[table_id].columns.get(col_id)
        if column is None or (not isinstance(cells, list) if many else not isinstance(cells, str)):
            return cells
        options, find = self._reading(table_id, col_id, column.type)

        def one(cell: Any) -> Any:
            return parse(cell, column.type, options, find) if isinstance(cell, str) else cell
        return [one(cell) for cell in cells] if many else one(cells)

    def _reading(self, table_id: str, col_id: str, col_type: str) -> tuple[Record, Callable[[Any], int]]:
        metadata = self.tables["_grist_Tables_column"]
        parent = self.table_ref(table_id)
        ref = next((row for row in metadata.row_ids if metadata.column("parentId").get(row) == parent
                    and metadata.column("colId").get(row) == col_id), 0)
        options = widget_options(metadata.column("widgetOptions").get(ref))
        target = target_table(col_type)
        if target is None or target not in self.tables:
            return options, lambda _value: 0
        visible = metadata.column("colId").get(metadata.column("visibleCol").get(ref) or 0) or "id"
        return options, lambda value: _find_row(self.tables[target], visible, value)


class TableView:
    """Reading and editing one table in tests, without the API."""

    def __init__(self, document: Document, table: Table) -> None:
        self._document, self._table = document, table

    def rows(self) -> list[Record]:
        """Every row as `{"id", column: value}`, without row order and helper columns."""
        with self._document.lock:
            shown = [col_id for col_id in self._table.columns if is_visible(col_id)]
            return [{"id": row, **{col_id: self._table.column(col_id).get(row) for col_id in shown}}
                    for row in self._table.row_ids]

    def row(self, row_id: int) -> Record:
        return next(row for row in self.rows() if row["id"] == row_id)

    def add(self, **values: Any) -> int:
        applied = self._document.apply([["AddRecord", self._table.table_id, None, values]], user="person")
        return int(applied.values[0])

    def update(self, row_id: int, **values: Any) -> Applied:
        return self._document.apply([["UpdateRecord", self._table.table_id, row_id, values]], user="person")

    def remove(self, *row_ids: int) -> Applied:
        return self._document.apply([["BulkRemoveRecord", self._table.table_id, list(row_ids)]], user="person")


def _check_company(actions: list[DocAction]) -> None:
    """Raises BadCompany: beside an upsert only rows may change, and no rows of Grist's own tables."""
    upserts = [action for action in actions if action[0] in ("AddOrUpdateRecord", "BulkAddOrUpdateRecord")]
    plain = ("AddRecord", "BulkAddRecord", "UpdateRecord", "BulkUpdateRecord", "RemoveRecord", "BulkRemoveRecord",
             "ReplaceTableData")
    if upserts and any(action not in upserts and (action[0] not in plain or is_metadata(action[1]))
                       for action in actions):
        raise BadCompany


def _find_row(table: Table, col_id: str, value: Any) -> int:
    if col_id == "id":
        return int(value) if str(value).isdigit() and int(value) in table.rows else 0
    column = table.columns.get(col_id)
    if column is None:
        raise SandboxError("KeyError", f"'{col_id}'")
    wanted = parse(value, column.type, {}, lambda _value: 0) if isinstance(value, str) else value
    return next((row for row in table.row_ids if column.get(row) == wanted), 0)

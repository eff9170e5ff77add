"""Reading a table as one caller sees it: hidden rows and columns left out, filtered, sorted, as columns.

Access rules hide in silence, so a read that succeeds is not yet complete (see `rules`).
"""
from __future__ import annotations

import json
from typing import Any

from demo.grist import rules
from demo.grist.access import Caller, Refused
from demo.grist.document import Document
from demo.grist.tables import Table

UNSUPPORTED = ["E", "Formula not supported"]
"""What formulas show while a document is in recovery mode: it takes changes as ever, and works nothing out."""

Columns = dict[str, tuple[str, list[Any]]]


def read_table(document: Document, caller: Caller, table_id: str, wanted: dict[str, Any] | None = None,
               ) -> tuple[list[int], Columns]:
    """The rows and columns of a table that the caller sees: ids, and `{column: (type, cells)}`.

    `wanted` is a filter `{column: [values]}`. Raises Refused and SandboxError.
    """
    with document.lock:
        table = document.tables[table_id]
        unseen = rules.hidden(document, table_id, caller.user)
        if unseen.everything:
            raise Refused(403, "Blocked by table read access rules")
        rows = _matching(table, wanted or {})
        if unseen.rows:
            rows = [row for row in rows if row not in unseen.rows]
        whole = rows is table.row_ids
        columns = {}
        # Data columns first, then formulas, as Grist answers.
        for column in sorted(table.columns.values(), key=lambda column: column.is_formula):
            if column.col_id in unseen.columns:
                continue
            cells = table.values(column.col_id, None if whole else rows)
            if document.recovery and column.is_formula and column.formula:
                cells = [UNSUPPORTED] * len(cells)
            if column.col_id in unseen.cells:
                censored = unseen.cells[column.col_id]
                cells = [rules.CENSORED if row in censored else cell for row, cell in zip(rows, cells, strict=True)]
            columns[column.col_id] = (column.type, cells)
        return list(rows), columns


def _matching(table: Table, wanted: dict[str, Any]) -> list[int]:
    rows = table.row_ids
    for col_id, values in wanted.items():
        if col_id == "id":
            asked = {int(value) for value in values if isinstance(value, (int, float))}
            rows = sorted(asked & table.rows) if rows is table.row_ids else [row for row in rows if row in asked]
        else:
            column = table.column(col_id)
            keys = {_key(value) for value in values}
            rows = [row for row in rows if _key(column.get(row)) in keys]
    return rows


def _key(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (list, bool)) else value


def order_of(rows: list[int], columns: Columns, sort: Any) -> list[int] | None:
    """The places of the rows in the order that `sort` asks for ("-Qty,Title" or a list); None: as they are.

    Raises Refused (400) for an unknown column.
    """
    if not sort:
        return None
    keys = sort if isinstance(sort, list) else str(sort).split(",")
    order = list(range(len(rows)))
    for key in reversed(keys):
        name = key.lstrip("-").split(":")[0]
        cells = rows if name == "id" else columns.get(name, (None, None))[1]
        if cells is None:
            raise Refused(400, f"unknown key {name}")
        order.sort(key=lambda index: _sortable(cells[index]), reverse=key.startswith("-"))
    return order


def _sortable(cell: Any) -> tuple[int, Any]:
    if cell is None:
        return (0, 0)
    if isinstance(cell, (int, float)):
        return (1, cell)
    return (2, cell if isinstance(cell, str) else json.dumps(cell))

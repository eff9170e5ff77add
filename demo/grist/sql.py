"""One read-only SQL select over a document's tables, run in SQLite as Grist does.

The tables that a statement names are loaded into a database in memory that lasts as long as the question. Booleans are
0 and 1, lists JSON text. Recording: `sql`.
"""
from __future__ import annotations

import json
import re
import sqlite3
from typing import Any

from demo.grist.access import Refused
from demo.grist.document import Document
from demo.grist.tables import Table

SQLITE_TYPES = {"Text": "TEXT", "Choice": "TEXT", "Bool": "BOOLEAN", "Int": "INTEGER", "Numeric": "NUMERIC",
                "Date": "DATE", "Ref": "INTEGER"}


def select(document: Document, statement: str, arguments: list[Any]) -> dict[str, Any]:
    """`{"statement", "records": [{"fields"}]}`. Raises Refused (400) for anything but one select."""
    words = statement.removesuffix(";")
    if "select" not in words.lower():
        raise Refused(400, "only select statements are supported")
    database = sqlite3.connect(":memory:")
    try:
        with document.lock:
            for table_id in document.tables:
                if re.search(rf"\b{re.escape(table_id)}\b", statement, re.IGNORECASE):
                    _load(database, document.tables[table_id])
        database.execute("pragma query_only = on")
        database.set_authorizer(_only_reading)
        # Grist runs the statement inside another select, so a second one is a syntax error and nothing else.
        cursor = database.execute(f"select * from ({words})", arguments)
        names = [column[0] for column in cursor.description]
        return {"statement": statement,
                "records": [{"fields": dict(zip(names, row, strict=True))} for row in cursor.fetchall()]}
    except sqlite3.Error as error:
        raise Refused(400, f"SQLITE_ERROR: {error}") from error
    finally:
        database.close()


def _load(database: sqlite3.Connection, table: Table) -> None:
    columns = [f'"{col_id}" {SQLITE_TYPES.get(column.type.split(":")[0], "BLOB")}'
               for col_id, column in table.columns.items()]
    database.execute(f'create table "{table.table_id}" (id integer primary key{"".join(f", {c}" for c in columns)})')
    cells = [[_plain(cell) for cell in table.values(col_id)] for col_id in table.columns]
    marks = ", ".join("?" * (len(columns) + 1))
    database.executemany(f'insert into "{table.table_id}" values ({marks})', zip(table.row_ids, *cells, strict=True))


def _plain(cell: Any) -> Any:
    if isinstance(cell, bool):
        return int(cell)
    if isinstance(cell, list):
        return json.dumps(cell[1:] if cell[:1] == ["L"] else cell, separators=(",", ":"), ensure_ascii=False)
    return cell


def _only_reading(action: int, *_details: Any) -> int:
    allowed = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
    return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY

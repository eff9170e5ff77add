"""What a sync tells inside the document, where an owner wants it: both are off by default.

    Sync_log       a table with a line for each field that was written: when, where, what, before, after, run
    Sync_Status    a column in each mapped table: why this row waits for somebody; empty where all is well

Neither is mapped nor watched, so nothing of it comes back as a change. The log keeps its newest lines; everybody who
may open the document may read it, also what access rules hide in other tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Any

from backend.errors import BundleRefused
from backend.grist.binding import Bound
from backend.grist.client import GristClient
from backend.grist.own import LOG_TABLE
from backend.grist.schema import parse_columns, parse_tables

STATUS_COLUMN = "Sync_Status"
LINES_KEPT = 10_000
LINES_A_RUN = 2_000
"""Of a larger run the log tells its first changes and that there are more; all of them are in Changes."""
ROWS_AT_ONCE = 500
TEXT_MOST = 1_000
"""Longer texts (descriptions) are cut in the log; they stand in full in Changes."""


@dataclass(frozen=True, slots=True)
class Line:
    """One field that was written. `at` is in seconds since 1970; `side` the service that it was written to."""

    at: float
    run: int
    side: str
    table: str
    title: str
    field: str
    before: str
    after: str


def log_columns(time_zone: str) -> list[dict[str, Any]]:
    """The columns of the log, as AddTable takes them."""
    types = {"Time": f"DateTime:{time_zone}", "Run": "Int", "Written_to": "Choice", "Table": "Text", "What": "Text",
             "Field": "Text", "Before": "Text", "After": "Text"}
    options = {"Written_to": '{"choices": ["Grist", "Shopify"]}', "Before": '{"wrap": true}', "After": '{"wrap": true}'}
    return [{"id": name, "type": kind, "label": name.replace("_", " "), "isFormula": False,
             "widgetOptions": options.get(name, "")} for name, kind in types.items()]


def log_run(client: GristClient, lines: Sequence[Line], time_zone: str = "UTC") -> list[str]:
    """Append the lines of a run to the log, which is made where it is missing, and drop its oldest beyond
    `LINES_KEPT`. Returns sentences about what stood in the way; the sync itself is done by then."""
    if not lines:
        return []
    kept = list(lines[:LINES_A_RUN])
    if len(lines) > len(kept):
        last = kept[-1]
        kept.append(Line(last.at, last.run, "", "", "more changes: see Changes in the widget", "", "", ""))
    newest = 0
    for start in range(0, len(kept), ROWS_AT_ONCE):
        action = _add(kept[start:start + ROWS_AT_ONCE])
        try:
            answer = client.apply([action]).values[0]
        except BundleRefused as error:
            if any(table.id == LOG_TABLE for table in parse_tables(client.tables())):
                return [f"Table {LOG_TABLE!r} does not take the log of the sync: {error.reason} Rename or delete it, "
                        "and the next sync makes a new one."]
            try:
                answer = client.apply([["AddTable", LOG_TABLE, log_columns(time_zone)], action]).values[1]
            except BundleRefused as again:
                return [f"The log of the sync was not written: {again.reason} Let the sync's key make tables, or "
                        "switch the log off."]
        newest = max(newest, *answer)
    _trim(client, newest)
    return []


def set_status(client: GristClient, bound: Bound, wanted: Dict[int, str]) -> list[str]:
    """Let the status column of a mapped table say just this, by row; all other rows are empty there. Only what differs
    is written. Returns sentences about what stood in the way."""
    columns = parse_columns(client.columns(bound.table))
    column = next((one for one in columns if one.id == STATUS_COLUMN), None)
    actions: list[Any] = []
    if column is None:
        if not wanted:
            return []
        actions.append(["AddVisibleColumn", bound.table, STATUS_COLUMN,
                        {"type": "Text", "label": "Sync status", "isFormula": False}])
    elif column.is_formula or column.pure != "Text":
        return [f"Column {STATUS_COLUMN!r} of table {bound.table!r} is to say what waits, but it is not plain text. "
                "Set its type to Text without a formula, or rename it."]
    there = client.texts(bound.table, STATUS_COLUMN if column else "")
    # A row that is gone by now is in nobody's way.
    differs = {row: wanted.get(row, "") for row, text in there.items() if wanted.get(row, "") != text}
    rows = sorted(differs)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start:start + ROWS_AT_ONCE]
        actions.append(["BulkUpdateRecord", bound.table, part, {STATUS_COLUMN: [differs[row] for row in part]}])
    if not rows:
        return []
    try:
        client.apply(actions)
    except BundleRefused as error:
        return [f"The status of rows was not written to table {bound.table!r}: {error.reason}"]
    return []


def statuses(waits: Iterable[tuple[int, str]]) -> dict[int, str]:
    """One text a row, from (row, what waits there)."""
    found: dict[int, list[str]] = {}
    for row, text in waits:
        told = found.setdefault(row, [])
        if text not in told:
            told.append(text)
    return {row: " ".join(told)[:TEXT_MOST] for row, told in found.items()}


def _add(lines: Sequence[Line]) -> list[Any]:
    return ["BulkAddRecord", LOG_TABLE, [None] * len(lines), {
        "Time": [line.at for line in lines], "Run": [line.run for line in lines],
        "Written_to": [line.side for line in lines], "Table": [line.table for line in lines],
        "What": [line.title for line in lines], "Field": [line.field for line in lines],
        "Before": [line.before[:TEXT_MOST] for line in lines], "After": [line.after[:TEXT_MOST] for line in lines],
    }]


def _trim(client: GristClient, newest: int) -> None:
    """Row ids only grow here, for the newest line is never removed."""
    if newest <= LINES_KEPT:
        return
    old = [row for row in client.texts(LOG_TABLE, "") if row <= newest - LINES_KEPT]
    if old:
        client.apply([["BulkRemoveRecord", LOG_TABLE, sorted(old)]])

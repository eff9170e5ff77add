"""Under which condition a row is written, asked of Grist itself: there is one action that looks before it writes.

    ["BulkAddOrUpdateRecord", table, {"id": [3], "Shopify_ID": [gid], "Title": ["A"], …}, {"Title": ["B"]},
     {"add": false}]
    → {"recordIds": [[3]]} written      {"recordIds": [[]]} something else stands there by now: nothing was written

Measured on Grist 1.7.17 (recording `conditional`): 0 is not null and "" is not null, so what is expected is the cell as
it was seen and never what we make of it; a list cannot be compared ("unhashable"); the caller must see the whole table;
nothing but changes of rows may be in the bundle. Grist keeps an index of the table for each set of columns that was
ever compared (4 s and much memory at 100,000 rows, on a busy machine), so each table is only ever asked about one set:
all that the sync writes in it. Larger tables are written without, and looked after (`rescue`).
"""

from __future__ import annotations

from typing import Any

from backend.core.model import Side
from backend.grist.binding import Bound
from backend.grist.schema import Column
from backend.grist.writing import Item, row_of

ROWS = 20_000
"""The largest table for which Grist is made to keep an index."""
COMPARABLE = ("Text", "Choice", "Numeric", "Int", "Bool", "Date", "DateTime", "Ref")


def may_be_large(bound: Bound, rows: int | None, items: list[Item]) -> bool:
    """Whether the table is too large for an index. Where nobody has counted its rows, their ids tell about how many
    there are."""
    return (rows if rows is not None else max((row_of(item.op) for item in items), default=0)) > ROWS


def is_list(column: Column) -> bool:
    return column.pure not in COMPARABLE


def compared(bound: Bound) -> list[Column]:
    """The columns whose cells have to be as they were seen: all that the sync may write, what says which thing the row
    is, and what says whether it takes part."""
    columns = [column for name, column in bound.columns.items() if column.pure in COMPARABLE
               and not column.is_formula and bound.mapping.rule(name).may_write(Side.LOCAL)]
    return [*columns, *(column for column in (bound.id_column, bound.toggle) if column is not None)]


def expected(columns: list[Column], cells: dict[str, Any]) -> dict[str, Any] | None:
    """What Grist is to find in those columns, from the typed `cells` of a row; None where a cell cannot be compared (an
    error, a hidden one)."""
    wanted: dict[str, Any] = {}
    for column in columns:
        cell = cells.get(column.id)
        if isinstance(cell, list):
            code, *rest = cell or [""]
            if code not in ("d", "D", "R") or not rest:
                return None
            cell = rest[-1] if code == "R" else rest[0]
        wanted[column.id] = cell
    return wanted

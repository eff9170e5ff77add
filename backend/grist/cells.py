"""Cells of Grist to canonical values and back: `read(write(x))` equals x for every kind and each type that fits it.

    Grist's type        a cell                              formula result of type Any
    Text, Choice        str                                 str
    Numeric, Int        number                              number
    Bool                true / false                        true / false
    Date                seconds of UTC midnight             ["d", seconds]
    DateTime:ZONE       seconds                             ["D", seconds, zone]
    ChoiceList          ["L", "a", "b"] or null             ["L", …]
    Ref:Table           row id, 0 is empty                  ["R", table, id]
    RefList:Table       ["L", 1, 2] or null                 ["r", table, [1, 2]], so typed, too
    any                 text that does not fit (kept as typed); ["E", class, …] an error; ["C"] hidden

A number outside 32 bits in an Int column is kept by Grist as text (`"4294967296.0"`): plain numeric text in a number
column is therefore a number. Whatever cannot be kept exactly is not written at all: `Unstorable`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from backend.core.values import (
    NUMBERS,
    REMEMBERED,
    UNREAD,
    Kind,
    LocalRef,
    Unfit,
    Value,
    canonical,
    converter,
    remembering,
)

Reader = Callable[[Any], Value]

EXACT = 2**53
"""Grist computes with 64-bit floats: above this, neighbouring whole numbers become one."""
_EPOCH_DAY = date(1970, 1, 1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_once = lru_cache(REMEMBERED, typed=True)
"""For what many rows share: a number or a moment is put into Grist's words once."""
_PLAIN_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d+)?\s*")


class Unstorable(ValueError):
    """A value that the column cannot hold without changing it. The text is a sentence for the owner."""


def reader(kind: Kind, column_type: str, *, decimals: int = 2) -> Reader:
    """Reads cells of a column of `column_type` as values of `kind`. Never raises: what does not fit is Unfit,
    what cannot be seen (hidden, an error) is UNREAD."""
    pure, _, target = column_type.partition(":")

    def read(cell: Any) -> Value:
        if isinstance(cell, list):
            return _read_wrapped(cell, kind, target, decimals)
        return _read_plain(cell, kind, pure, decimals)

    if kind in ("text", "choice") and pure not in ("Date", "DateTime"):
        plain = converter(kind)
        return lambda cell: plain(cell) if cell.__class__ is str else read(cell)
    return read if kind in ("text", "choice", "html") else remembering(read)


def write(value: Value, column_type: str) -> Any:
    """The cell that holds `value` in a data column of `column_type`.

    Raises Unstorable where Grist would keep another value, ValueError where a value must never be written.
    """
    return writer(column_type)(value)


def writer(column_type: str) -> Callable[[Value], Any]:
    """`write` for a whole column."""
    cell_of = _WRITE[column_type.partition(":")[0]]

    def cell(value: Value) -> Any:
        if value is UNREAD or value.__class__ is Unfit:
            raise ValueError(f"{value!r} must never be written")
        return cell_of(value)

    return cell


def error_of(cell: Any) -> str:
    """The class of a formula's error, "" for any other cell."""
    return str(cell[1]) if isinstance(cell, list) and len(cell) > 1 and cell[0] == "E" else ""


def spoken_value(value: Any) -> str:
    """A value in a sentence."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, Unfit):
        return repr(value.text)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if value is UNREAD:
        return "something that cannot be seen"
    return repr(value) if isinstance(value, str) else str(value)


def is_hidden(cell: Any) -> bool:
    return isinstance(cell, list) and cell[:1] == ["C"]


def _read_plain(cell: Any, kind: Kind, pure: str, decimals: int) -> Value:
    if cell is None or cell == "":
        return canonical(kind, None, decimals=decimals)
    if pure in ("Date", "DateTime"):
        return _read_time(cell, kind, pure, decimals)
    if kind == "refs":
        return Unfit(_shown(cell))
    if kind == "ref":
        if isinstance(cell, int | float) and not isinstance(cell, bool) and pure == "Ref":
            return int(cell) or None
        return Unfit(_shown(cell))
    if kind in ("date", "datetime"):  # a formula's result of another type
        return canonical(kind, cell) if isinstance(cell, str) else Unfit(_shown(cell))
    if kind in NUMBERS and isinstance(cell, str) and not _PLAIN_NUMBER.fullmatch(cell):
        return Unfit(cell)
    if kind in NUMBERS and isinstance(cell, bool):
        return Unfit(_shown(cell))
    if kind == "boolean" and isinstance(cell, str) and pure == "Bool":
        return Unfit(cell)
    if kind == "list" and pure == "ChoiceList":
        return Unfit(_shown(cell))  # text in a list column is not a list: "a,b" may be one tag
    if kind == "list" and not isinstance(cell, str):
        return canonical(kind, _shown(cell))
    return canonical(kind, cell, decimals=decimals)


def _read_time(cell: Any, kind: Kind, pure: str, decimals: int) -> Value:
    """Dates of Date columns and moments of DateTime columns; as text where text is wanted."""
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return Unfit(_shown(cell))
    try:
        moment = _EPOCH + timedelta(seconds=cell)
    except OverflowError:
        return Unfit(str(cell))
    if kind == "datetime" and pure == "DateTime":
        return canonical(kind, moment)
    if kind == "date" and pure == "Date":
        return moment.date()
    text = moment.date().isoformat() if pure == "Date" else moment.isoformat().replace("+00:00", "Z")
    return canonical(kind, text) if kind in ("text", "html", "choice") else Unfit(text)


def _read_wrapped(cell: list[Any], kind: Kind, target: str, decimals: int) -> Value:
    code, *rest = cell or [""]
    if code == "L":
        if kind == "list" and all(isinstance(item, str) for item in rest):
            return canonical(kind, rest)
        if kind == "refs" and all(_is_row(item) for item in rest):
            return canonical(kind, [int(item) for item in rest])
        return canonical(kind, None) if not rest else Unfit(", ".join(_shown(item) for item in rest))
    if code == "d" and rest:
        return _read_time(rest[0], kind, "Date", decimals)
    if code == "D" and rest:
        return _read_time(rest[0], kind, "DateTime", decimals)
    if code == "R" and len(rest) == 2 and kind == "ref":
        if target and rest[0] != target:
            return Unfit(f"{rest[0]}[{rest[1]}]")
        return int(rest[1]) or None
    if code in ("E", "C", "P", "U"):
        return UNREAD  # an error, hidden, not worked out yet, or nothing that Grist can say
    if code == "r" and len(rest) == 2:
        if not rest[1]:
            return canonical(kind, None)
        if kind == "refs" and isinstance(rest[1], list) and all(_is_row(item) for item in rest[1]):
            if target and rest[0] != target:
                return Unfit(f"{rest[0]}{rest[1]}")
            return canonical(kind, [int(item) for item in rest[1]])
    return Unfit(str(cell))


def _is_row(item: Any) -> bool:
    if isinstance(item, bool) or not isinstance(item, int | float) or not item > 0:
        return False
    return isinstance(item, int) or item.is_integer()


def _shown(cell: Any) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _write_text(value: Value) -> Any:
    return "" if value is None else str(value)


@_once
def _write_number(value: Value) -> Any:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"{value!r} is no number")
    whole = int(value)
    if value == whole:
        if abs(whole) > EXACT:
            raise Unstorable(f"{value} is too large: Grist keeps whole numbers exactly only up to {EXACT}.")
        return whole
    kept = float(value)
    if Decimal(repr(kept)) != value:
        raise Unstorable(f"{value} has more digits than Grist keeps; it would become {kept!r}.")
    return kept


def _write_whole(value: Value) -> Any:
    if isinstance(value, Decimal) and value != int(value):
        raise Unstorable(f"{value} is not a whole number, and the column keeps whole numbers only.")
    return _write_number(value)


def _write_bool(value: Value) -> Any:
    if value is not None and not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither yes nor no")
    return bool(value)


def _write_date(value: Value) -> Any:
    if value is None:
        return None
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError(f"{value!r} is no date")
    return (value - _EPOCH_DAY).days * 86_400


@_once
def _write_moment(value: Value) -> Any:
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise ValueError(f"{value!r} is no moment")
    return int((value - _EPOCH) // timedelta(seconds=1))


def _write_list(value: Value) -> Any:
    if value is None:
        return None
    if not isinstance(value, tuple):
        raise ValueError(f"{value!r} is no list")
    return ["L", *value]


def _write_ref(value: Value) -> Any:
    if isinstance(value, LocalRef):
        return value.row
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise ValueError(f"{value!r} is no row id")
    return value or 0


def _write_refs(value: Value) -> Any:
    if value is None:
        return None
    if not isinstance(value, tuple) or any(isinstance(one, str) for one in value):
        raise ValueError(f"{value!r} is no list of row ids")
    return ["L", *(one.row if isinstance(one, LocalRef) else one for one in value)]


_WRITE: dict[str, Callable[[Value], Any]] = {
    "Text": _write_text, "Choice": _write_text, "Numeric": _write_number, "Int": _write_whole, "Bool": _write_bool,
    "Date": _write_date, "DateTime": _write_moment, "ChoiceList": _write_list, "Ref": _write_ref,
    "RefList": _write_refs,
}

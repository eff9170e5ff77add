"""What a cell holds: conversion to a column's type, parsing of typed text, and the two formats of the API.

A stored value is already JSON: numbers, text, booleans, null, `["L", …]` for lists and `["E", "TypeError"]` for a
formula's error. A value that does not fit its column is stored as its text, as in Grist ("about ten" in Numeric).
"""
from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from demo.grist.schema import POSITIONS, pure_type, target_table

TRUTHY, FALSY = ("true", "yes", "1"), ("false", "no", "0")
BIGGEST_INT = 2**31
EXACT_FLOAT = 2**53


def convert(value: Any, col_type: str) -> Any:
    """The value as a column of `col_type` stores it: of the right type, or its text. Never raises."""
    pure = pure_type(col_type)
    plain = value
    if isinstance(value, list):
        if is_error(value):
            return value
        plain = value if pure == "Any" else _decoded(value)
    try:
        return _CONVERTERS.get(pure, _any)(plain, col_type)
    except (ValueError, TypeError, OverflowError):
        return value if isinstance(value, str) else _text_of(plain)


def parse(text: str, col_type: str, options: dict[str, Any], find: Callable[[Any], int]) -> Any:
    """What a person's `text` means in a column of `col_type` (the API without `noparse`).

    `options` is the column's widgetOptions; `find(value)` gives the row that a reference column's visible column
    holds the value in, 0 when there is none. Text that means nothing stays text.
    """
    pure = pure_type(col_type)
    if pure == "ChoiceList":
        return _parse_choices(text)
    if not text:
        return text
    if pure in ("Numeric", "Int"):
        number = parse_number(text)
        return text if number is None else number
    if pure == "Date":
        return _or_text(_parse_date(text, options.get("dateFormat", "")), text)
    if pure == "DateTime":
        return _or_text(_parse_datetime(text, col_type), text)
    if pure == "Ref":
        return find(text) or text
    if pure == "RefList":
        rows = [find(item) for item in _split(text)]
        return ["L", *rows] if rows and all(rows) else text
    return text


def typed(value: Any, col_type: str) -> Any:
    """The self-describing form of the API (`cellFormat=typed`): dates, references and empty lists say what they are."""
    pure = pure_type(col_type)
    if pure == "Date" and _is_number(value):
        return ["d", value]
    if pure == "DateTime" and _is_number(value):
        return ["D", value, zone_name(col_type)]
    if pure == "Ref" and _is_number(value):
        return ["R", target_table(col_type), value]
    if pure in ("RefList", "Attachments") and (value is None or is_list(value)):
        return ["r", target_table(col_type) or "_grist_Attachments", list(value[1:]) if value else []]
    if pure == "ChoiceList" and value is None:
        return ["L"]
    return value


def fits(value: Any, col_type: str) -> bool:
    """Whether a stored value is of its column's type (else formulas see it as text that fits nowhere)."""
    pure = pure_type(col_type)
    if pure in ("Numeric", "Date", "DateTime", "PositionNumber", "ManualSortPos"):
        return value is None or _is_number(value)
    if pure == "Int":
        return value is None or (isinstance(value, int) and not isinstance(value, bool))
    if pure == "Bool":
        return value is None or isinstance(value, bool)
    if pure in ("Text", "Choice"):
        return value is None or isinstance(value, str)
    if pure in ("ChoiceList", "RefList", "Attachments"):
        return value is None or is_list(value)
    if pure == "Ref":
        return isinstance(value, int) and not isinstance(value, bool)
    return True


def is_error(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and value[0] == "E"


def is_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and value[0] == "L"


def whole(number: float) -> float | int:
    """12.0 as 12: JSON from Grist knows one kind of number."""
    return int(number) if isinstance(number, float) and number.is_integer() and abs(number) < EXACT_FLOAT else number


def zone_name(col_type: str) -> str:
    return col_type.partition(":")[2] or "UTC"


def parse_number(text: str) -> float | int | None:
    """`$1,234.50`, `(12)`, `15%`, `1 000` as a number; None when it is none."""
    bare = text.strip()
    negative = bare.startswith("(") and bare.endswith(")")
    bare = re.sub(r"[\s$€£¥₹]|(?<=\d),(?=\d{3})", "", bare.strip("()"))
    percent = bare.endswith("%")
    bare = bare.rstrip("%").replace("−", "-")
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", bare, re.IGNORECASE):
        return None
    number = float(bare) / (100 if percent else 1)
    return whole(-number if negative else number) if math.isfinite(number) else None


def _decoded(value: Any) -> Any:
    """API value → plain Python: lists for lists, seconds for dates, row ids for references."""
    if not isinstance(value, list) or not value:
        return value
    code, rest = value[0], value[1:]
    if code == "L":
        return rest
    if code in ("D", "d") and rest:
        return rest[0]
    if code == "R" and len(rest) == 2:
        return rest[1]
    if code == "r" and len(rest) == 2:
        return rest[1]
    return value


def _text_of(value: Any) -> str:
    """Whole numbers outside 32 bits are floats to Grist, and look so."""
    if _is_number(value):
        value = whole(value)
        return str(float(value)) if abs(value) >= BIGGEST_INT else str(value)
    return str(value)


def _any(value: Any, _type: str) -> Any:
    return whole(value) if isinstance(value, float) else value


def _text(value: Any, _type: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        shorter = whole(value)
        return str(shorter) if isinstance(shorter, int) else f"{value:.15g}"
    return str(value)


def _bool(value: Any, _type: str) -> bool:
    if not value:
        return False
    if isinstance(value, (int, float)):
        return True
    if isinstance(value, str) and value.lower() in TRUTHY + FALSY:
        return value.lower() in TRUTHY
    raise ValueError(value)


def _int(value: Any, _type: str) -> int | str | None:
    if value in ("", None):
        return None
    number = int(float(value))
    if not -BIGGEST_INT <= number < BIGGEST_INT:
        return value if isinstance(value, str) else str(float(value))
    return number


def _numeric(value: Any, _type: str) -> float | int | None:
    if value in ("", None):
        return None
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return int(value) if isinstance(value, int) and abs(value) < EXACT_FLOAT else whole(number)


def _date(value: Any, col_type: str) -> float | int | None:
    if isinstance(value, str) and value:
        return _seconds(datetime.combine(date.fromisoformat(re.split(r"[T ]", value)[0]), datetime.min.time(), UTC))
    return _numeric(value, col_type)


def _datetime(value: Any, col_type: str) -> float | int | None:
    if isinstance(value, str) and value:
        return _seconds(_zoned(datetime.fromisoformat(value), col_type))
    return _numeric(value, col_type)


def _choice_list(value: Any, _type: str) -> Any:
    if not value:
        return None
    if isinstance(value, str):
        if value.startswith("["):
            try:
                return ["L", *(str(item) for item in json.loads(value))]
            except ValueError:
                return value
        return value
    return ["L", *(str(item) for item in value)]


def _ref(value: Any, _type: str) -> int | str:
    if not value:
        return 0
    if isinstance(value, list):
        value = value[0]  # of several rows the first
        if isinstance(value, str):
            return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int):
        raise TypeError(value)
    return int(value) if abs(value) < BIGGEST_INT else str(float(value))


def _ref_list(value: Any, col_type: str) -> list[Any] | None:
    if not value:
        return None
    if isinstance(value, str):  # only a list of row ids is read out of text; any other text stays text
        value = json.loads(value) if value.startswith("[") else None
        if not isinstance(value, list) or not all(isinstance(row, int) and row > 0 for row in value):
            raise TypeError(value)
    if isinstance(value, int) and abs(value) < BIGGEST_INT:
        value = [value]
    rows = [_ref(item, col_type) for item in value]
    return ["L", *rows] if rows else None


def _position(value: Any, _type: str) -> float | int | None:
    return None if value in ("", None) else whole(float(value))


_CONVERTERS: dict[str, Callable[[Any, str], Any]] = {
    "Text": _text, "Choice": _text, "Bool": _bool, "Int": _int, "Numeric": _numeric, "Date": _date,
    "DateTime": _datetime, "ChoiceList": _choice_list, "Ref": _ref, "Id": _ref, "RefList": _ref_list,
    "Attachments": _ref_list, **dict.fromkeys(POSITIONS, _position),
}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _or_text(value: Any, text: str) -> Any:
    return text if value is None else value


def _zoned(moment: datetime, col_type: str) -> datetime:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=ZoneInfo(zone_name(col_type)))
    return moment


def _seconds(moment: datetime) -> float | int:
    return whole(moment.timestamp())


def _parse_date(text: str, wanted: str) -> float | int | None:
    for pattern in filter(None, (_strptime(wanted), "%Y-%m-%d", "%m/%d/%Y", "%Y/%m/%d", "%d.%m.%Y", "%b %d, %Y")):
        try:
            return _seconds(datetime.strptime(text.strip(), pattern).replace(tzinfo=UTC))
        except ValueError:
            continue
    return None


def _strptime(moment_format: str) -> str:
    """`DD/MM/YYYY` (as in widgetOptions) as Python writes it."""
    for theirs, ours in (("YYYY", "%Y"), ("MMMM", "%B"), ("MMM", "%b"), ("MM", "%m"), ("DD", "%d")):
        moment_format = moment_format.replace(theirs, ours)
    return moment_format if "%" in moment_format else ""


def _parse_datetime(text: str, col_type: str) -> float | int | None:
    try:
        return _seconds(_zoned(datetime.fromisoformat(text.strip()), col_type))
    except ValueError:
        return None


def _parse_choices(text: str) -> list[Any] | None:
    items = _split(text)
    return ["L", *items] if items else None


def _split(text: str) -> list[str]:
    if text.strip().startswith("["):
        try:
            parsed = json.loads(text)
        except ValueError:
            parsed = None
        if isinstance(parsed, list):
            return [str(item).strip() for item in parsed if str(item).strip()]
    cells = [cell.strip() for row in csv.reader(text.splitlines(), skipinitialspace=True) for cell in row]
    return [cell for cell in cells if cell]

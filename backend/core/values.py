"""Values as both sides mean them, whatever each service calls them.

Each field has a kind; a value of that kind has exactly one canonical form here, so that two values
agree exactly when they are equal in Python:

    kind       canonical                  empty   equivalence (what counts as the same value)
    text       str, trimmed               None    "" and null; white space around
    html       str                        None    "" and null; CRLF and LF
    choice     str                        None    "" and null
    integer    int                        None    3 and 3.0
    decimal    Decimal                    None    1.5 and 1.50
    money      Decimal, rounded half-up   None    24, "24.00", 23.999 where the currency has two decimals
    boolean    bool                       False   null and false
    date       date                       None
    datetime   datetime in UTC, whole s   None    the same moment in two zones
    list       tuple of str, sorted       None    order, doubles, case of doubles; [] and null
    ref        key of the other thing     None    0 and null
    refs       tuple of keys, sorted      None    order, doubles; [] and null

Empty is a value. `UNREAD` is not a value: the cell was hidden, refused or not asked for, and must never
clear, write or prove anything. `Unfit` is text in a cell whose type it does not fit: kept and shown, never sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import Enum
from functools import cache, lru_cache
from typing import Any, Final, Literal

Kind = Literal[
    "text", "html", "choice", "integer", "decimal", "money", "boolean", "date", "datetime", "list", "ref", "refs"
]
KINDS: Final[tuple[Kind, ...]] = (
    "text", "html", "choice", "integer", "decimal", "money", "boolean", "date", "datetime", "list", "ref", "refs",
)
NUMBERS: Final[frozenset[Kind]] = frozenset({"integer", "decimal", "money"})
LISTS: Final[frozenset[Kind]] = frozenset({"list", "refs"})
REFERENCES: Final[frozenset[Kind]] = frozenset({"ref", "refs"})


LARGEST_INTEGER: Final = 2**63 - 1
LONGEST_INTEGER_DIGITS: Final = 19


class Unread(Enum):
    """The one member says: nobody has seen this value."""

    UNREAD = "unread"

    def __repr__(self) -> str:
        return "UNREAD"


UNREAD: Final = Unread.UNREAD


@dataclass(frozen=True, slots=True)
class Unfit:
    """Text found where another type belongs, as typed: `about ten` in a column of numbers."""

    text: str


@dataclass(frozen=True, slots=True)
class LocalRef:
    """A reference to a Grist row that has no partner in Shopify yet."""

    resource: str
    row: int


Ref = str | int | LocalRef
"""One of several things referred to: a gid, a row id, or a row without a partner."""

_AS_IS: Final = frozenset({str, int, bool, type(None)})
"""The types that JSON has too."""
_KEPT: Final = (Unfit, LocalRef)
"""A tuple, for `isinstance` of a union makes the union each time: these are asked of every cell."""

Value = (
    None | bool | int | str | Decimal | date | datetime | tuple[str, ...] | tuple[Ref, ...] | LocalRef | Unfit | Unread
)


def canonical(kind: Kind, raw: Any, *, decimals: int = 2) -> Value:
    """The canonical value of `raw`, or `Unfit` where it cannot be one of this kind.

    `raw` is a plain Python value: text, a number, a bool, a date, an iterable of text, or already canonical.
    `decimals` is how many the shop's currency has; only money looks at it.
    """
    if raw is None or (isinstance(raw, str) and kind not in ("html", "list") and not raw.strip()):
        return False if kind == "boolean" else None
    if raw is UNREAD or isinstance(raw, _KEPT):
        return raw
    try:
        value: Value = _CANONICAL[kind](raw, decimals)
        return value
    except (ValueError, TypeError, InvalidOperation, OverflowError):
        return Unfit(str(raw))


FEW: Final = 1_000
"""How many different texts of one column are looked for again, so that each is in memory once."""
REMEMBERED: Final = 10_000
"""How many different cells of one column are remembered with what they mean."""


def converter(kind: Kind, *, decimals: int = 2) -> Callable[[Any], Value]:
    """`canonical` for a whole column: the same values, sooner. What is canonical already is seen at one look, and what
    comes again and again (prices, dates) is worked out once."""
    if kind in ("text", "choice"):
        same: dict[str, str] = {}

        def of_text(raw: Any) -> Value:
            if raw.__class__ is str:
                text = raw.strip()
                text = text if "\r" not in text else _one_line_end(text)
                # What many rows share (a size, a status) is in memory once; most other texts stand in one row only.
                return (same.setdefault(text, text) if len(same) < FEW else same.get(text, text)) or None
            return canonical(kind, raw)
        return of_text
    if kind == "boolean":
        return lambda raw: raw if raw is True or raw is False else canonical(kind, raw)
    if kind == "ref":
        return lambda raw: raw if raw.__class__ is str and raw.strip() else canonical(kind, raw)
    if kind in ("html", "list"):
        return lambda raw: canonical(kind, raw)
    return remembering(lambda raw: canonical(kind, raw, decimals=decimals))


def remembering(convert: Callable[[Any], Value]) -> Callable[[Any], Value]:
    """`convert`, which asks once for each text and number. A number and a bool that equal each other are not the same
    here, nor are 1 and 1.0."""
    known: dict[type, dict[Any, Value]] = {str: {}, int: {}, float: {}}

    def remembered(raw: Any) -> Value:
        before = known.get(raw.__class__)
        if before is None:
            return convert(raw)
        value = before.get(raw, before)
        if value is not before:
            return value  # type: ignore[return-value]  # the dict itself stands for "not there"
        value = convert(raw)
        if len(before) < REMEMBERED:
            before[raw] = value
        return value

    return remembered


def round_money(amount: Decimal, decimals: int = 2) -> Decimal:
    """Half-up to the currency's decimals, as a cashier rounds: 0.125 → 0.13."""
    return amount.quantize(_smallest(decimals), rounding=ROUND_HALF_UP)


@cache
def _smallest(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)


def as_tokens(items: Iterable[str]) -> tuple[str, ...] | None:
    """A list of tokens as a set: trimmed, the first spelling of each kept, sorted ignoring case; None when empty."""
    spelled: dict[str, str] = {}
    for item in items:
        token = item.strip()
        if token:
            spelled.setdefault(token.casefold(), token)
    return tuple(sorted(spelled.values(), key=lambda token: (token.casefold(), token))) or None


def as_refs(items: Iterable[Ref]) -> tuple[Ref, ...] | None:
    """References as a set: each once, gids before rows; None when empty."""
    return tuple(sorted(set(items), key=_ref_order)) or None


def _ref_order(one: Ref) -> tuple[int, str, int]:
    if isinstance(one, str):
        return 0, one, 0
    return (1, "", one) if isinstance(one, int) else (2, one.resource, one.row)


def dump(value: Value) -> Any:
    """`value` as JSON keeps it; `load` with the same kind gives it back. `UNREAD` has no JSON: leave it out."""
    if value.__class__ in _AS_IS:
        return value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return _moment_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [dump(one) for one in value]
    if isinstance(value, Unfit):
        return {"unfit": value.text}
    if isinstance(value, LocalRef):
        return {"resource": value.resource, "row": value.row}
    if isinstance(value, str | int):  # of a class of its own, such as a status
        return value
    raise TypeError(f"{value!r} has no JSON form")


@lru_cache(REMEMBERED)
def _moment_text(moment: datetime) -> str:
    """`2026-01-31T12:00:00Z`. What is written is kept three times: before that, as agreed, in the history."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def dump_all(values: Dict[str, Value]) -> dict[str, Any]:
    """`dump` of values by field, without those that nobody has read."""
    return {name: value if value.__class__ in _AS_IS else dump(value)
            for name, value in values.items() if value is not UNREAD}


def loader(kind: Kind) -> Callable[[Any], Value]:
    """`load` for a whole column."""
    def whole(raw: Any) -> Value:
        return load(kind, raw)

    if kind in _LOADED and kind != "list":
        return remembering(whole)
    return lambda raw: raw if raw.__class__ is str else load(kind, raw)


def load(kind: Kind, raw: Any) -> Value:
    """The value that `dump` wrote for a field of this kind. Trusts what it reads: nothing is rounded or trimmed."""
    if raw is None or raw is True or raw is False:
        return raw
    if isinstance(raw, dict):
        return Unfit(raw["unfit"]) if "unfit" in raw else LocalRef(raw["resource"], raw["row"])
    loaded = _LOADED.get(kind)
    value: Value = loaded(raw) if loaded else raw
    return value


def is_empty(value: Value) -> bool:
    return value is None


def _text(raw: Any, _: int) -> Value:
    return _one_line_end(_as_text(raw)).strip() or None


def _html(raw: Any, _: int) -> Value:
    return _one_line_end(_as_text(raw)) or None


def _one_line_end(text: str) -> str:
    return re.sub(r"\r+\n?", "\n", text) if "\r" in text else text


def _as_text(raw: Any) -> str:
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))  # a Grist formula gives 12345.0 for a barcode of digits
    if isinstance(raw, int | float | Decimal):
        return str(raw)
    raise TypeError(raw)


def _decimal(raw: Any, _: int) -> Decimal:
    if isinstance(raw, bool):
        raise TypeError(raw)
    # repr of a float is the shortest decimal that means the same float: 0.1, not 0.1000000000000000055.
    number = Decimal(repr(raw)) if isinstance(raw, float) else Decimal(raw)
    if not number.is_finite():
        raise ValueError(raw)
    return number


def _shortest_decimal(raw: Any, decimals: int) -> Decimal:
    """180, not 180.0, so that what both sides hold looks alike, too."""
    sign, digits, exponent = (number := _decimal(raw, decimals)).as_tuple()
    if not number:
        return Decimal(0)
    if not isinstance(exponent, int) or exponent >= 0 or digits[-1]:
        return number
    kept = len(digits)
    while exponent < 0 and not digits[kept - 1]:
        kept, exponent = kept - 1, exponent + 1
    return Decimal((sign, digits[:kept], exponent))


def _integer(raw: Any, decimals: int) -> Value:
    number = _decimal(raw, decimals)
    # Neither JSON nor any of the two services keeps more than 64 bits; and 9e99999999 would take hours to write out.
    if number.adjusted() > LONGEST_INTEGER_DIGITS or abs(number) > LARGEST_INTEGER:
        raise ValueError(raw)
    if number != number.to_integral_value():
        raise ValueError(raw)
    return int(number)


def _money(raw: Any, decimals: int) -> Value:
    return round_money(_decimal(raw, decimals), decimals)


_YES_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _boolean(raw: Any, _: int) -> Value:
    if isinstance(raw, str):
        if raw.strip().lower() not in _YES_NO:
            raise ValueError(raw)
        return _YES_NO[raw.strip().lower()]
    if isinstance(raw, bool | int | float) and raw in (0, 1):
        return bool(raw)
    raise TypeError(raw)


def _date(raw: Any, _: int) -> Value:
    if isinstance(raw, datetime):
        return raw.date()
    return raw if isinstance(raw, date) else date.fromisoformat(_only_text(raw))


def _datetime(raw: Any, _: int) -> Value:
    moment = raw if isinstance(raw, datetime) else datetime.fromisoformat(_only_text(raw))
    if moment.tzinfo is None:
        raise ValueError(raw)  # a moment without a zone is a guess
    return moment.astimezone(UTC).replace(microsecond=0)


def _only_text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise TypeError(raw)
    return raw.strip()


def _list(raw: Any, _: int) -> Value:
    if isinstance(raw, str):
        return as_tokens(raw.split(","))
    return as_tokens(_as_text(item) for item in raw)


def _ref(raw: Any, _: int) -> Value:
    if isinstance(raw, bool) or not isinstance(raw, int | str):
        raise TypeError(raw)
    return raw or None


def _refs(raw: Any, _: int) -> Value:
    if isinstance(raw, str) or not isinstance(raw, Iterable):
        raise TypeError(raw)
    items = list(raw)
    if any(isinstance(one, bool) or not isinstance(one, Ref) for one in items):
        raise TypeError(raw)
    return as_refs(one for one in items if one)


def _load_refs(raw: list[Any]) -> Value:
    return tuple(LocalRef(one["resource"], one["row"]) if isinstance(one, dict) else one for one in raw)


_CANONICAL: Final[dict[Kind, Callable[[Any, int], Value]]] = {
    "text": _text, "html": _html, "choice": _text, "integer": _integer, "decimal": _shortest_decimal, "money": _money,
    "boolean": _boolean, "date": _date, "datetime": _datetime, "list": _list, "ref": _ref,
    "refs": _refs,
}
_LOADED: Final[dict[Kind, Callable[[Any], Value]]] = {
    "decimal": Decimal, "money": Decimal, "datetime": datetime.fromisoformat, "date": date.fromisoformat, "list": tuple,
    "refs": _load_refs,
}

"""Make valid table and column ids out of whatever a caller asks for, as Grist does.

Only ASCII letters, digits and underscores survive; accents are dropped, everything else becomes one underscore;
two ids that differ in case only count as equal.
"""
from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import count, product
from keyword import iskeyword
from string import ascii_uppercase


def table_id(wanted: str | None, taken: Iterable[str]) -> str:
    """A free table id near `wanted`: first letter upper case; `Table1`, `Table2` … where nothing is left of it."""
    clean = _clean(wanted, "T")
    used = {name.upper() for name in taken}
    return _free(clean[0].upper() + clean[1:], used) if clean else _numbered("Table", used, 1)


def column_id(wanted: str | None, taken: Iterable[str]) -> str:
    """A free column id near `wanted`; `A`, `B` … `AA` where nothing is left of it."""
    used = {name.upper() for name in taken} | {"ID"}
    clean = _clean(wanted, "c")
    return _free(clean, used) if clean else next(name for name in _letters() if name not in used)


def column_ids(wanted: Iterable[str | None]) -> list[str]:
    """Free ids for the columns of a new table, in order and different from each other."""
    chosen: list[str] = []
    for name in wanted:
        chosen.append(column_id(name, chosen))
    return chosen


def _clean(wanted: str | None, prefix: str) -> str:
    plain = unicodedata.normalize("NFKD", str(wanted or ""))
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    plain = re.sub(r"[^a-zA-Z0-9_]+", "_", plain).lstrip("_")
    if plain and plain[0].isdigit():
        plain = prefix + plain
    while plain and iskeyword(plain):
        plain = prefix + plain
    return plain


def _free(name: str, used: set[str]) -> str:
    return name if name.upper() not in used else _numbered(name, used, 2)


def _numbered(base: str, used: set[str], start: int) -> str:
    if base[-1].isdigit():
        base += "_"
    return next(name for name in (f"{base}{number}" for number in count(start)) if name.upper() not in used)


def _letters() -> Iterator[str]:
    for length in count(1):
        for letters in product(ascii_uppercase, repeat=length):
            yield "".join(letters)

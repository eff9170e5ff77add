"""Connections: cut the asked window out of a sorted list, with Shopify's cursors.

A cursor is base64 of `{"last_id", "last_value"}`, the value being that of the sort key: text as the database
has it for plain lists, numbers (milliseconds for dates) for searches. It stays good when its thing has moved or
gone: the window begins where the pair would stand.
"""
from __future__ import annotations

import base64
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from .errors import bad_request
from .tables import Table

EVERYTHING = 1 << 60  # as `first`: no page but all there is, as bulk queries read it


class Window:
    """What a connection's resolver answers; the fields are read by nodes, edges and pageInfo.

    Cursors are written only when somebody asks for them.
    """

    def __init__(self, nodes: list[Any], places: list[tuple[int, Any]], *, has_next_page: bool,
                 has_previous_page: bool, total: int, searched: bool) -> None:
        self.nodes = nodes
        self._places, self._searched = places, searched
        self._has_next_page, self._has_previous_page = has_next_page, has_previous_page
        self.total = total

    @property
    def cursors(self) -> list[str]:
        return [cursor(number, value, self._searched) for number, value in self._places]

    @property
    def edges(self) -> list[dict[str, Any]]:
        return [_Edge(node, place, self._searched) for node, place in zip(self.nodes, self._places, strict=True)]

    @property
    def page_info(self) -> dict[str, Any]:
        ends = [cursor(*self._places[at], self._searched) if self._places else None for at in (0, -1)]
        return {"hasNextPage": self._has_next_page, "hasPreviousPage": self._has_previous_page,
                "startCursor": ends[0], "endCursor": ends[1]}


class _Edge:
    __slots__ = ("_place", "_searched", "node")

    def __init__(self, node: Any, place: tuple[int, Any], searched: bool) -> None:
        self.node, self._place, self._searched = node, place, searched

    @property
    def cursor(self) -> str:
        return cursor(*self._place, self._searched)


Row = tuple[tuple[int, float, str], int, Any]  # (order of the sort key's value, number, thing)


def window(things: Sequence[Any], arguments: dict[str, Any], *, key: Callable[[Any], Any] | None = None,
           number: Callable[[Any], int] = lambda thing: thing.id, searched: bool = False,
           most: int = 250) -> Window:
    """The window that first/last/before/after/reverse ask for.

    `key` is the sort key (default: the id), `number` the id that breaks ties. Raises BAD_REQUEST without a
    window, with two, with one that is negative, or with a cursor of other making.
    """
    check_window(arguments, most)
    return cut(decorated(things, key, number), arguments, key=key, searched=searched)


def check_window(arguments: dict[str, Any], most: int = 250) -> None:
    """Raise BAD_REQUEST unless exactly one of first and last is there, and not too much."""
    first, last = arguments.get("first"), arguments.get("last")
    if first is None and last is None:
        raise bad_request("you must provide one of first or last")
    if first is not None and last is not None:
        raise bad_request("providing both first and last is not supported")
    asked = first if first is not None else last
    if asked is not None and asked != EVERYTHING and not 0 <= asked <= most:
        raise bad_request(f"The page size of {asked} is outside of 0 to {most}.")


def decorated(things: Iterable[Any], key: Callable[[Any], Any] | None, number: Callable[[Any], int]) -> list[Row]:
    """The things in order, each with what orders it."""
    if key is None:
        rows = [((1, float(place), ""), place, thing) for thing in things for place in (number(thing),)]
    else:
        rows = [(_order(key(thing)), number(thing), thing) for thing in things]
    rows.sort(key=_by_place)
    return rows


def _by_place(row: Row) -> tuple[tuple[int, float, str], int]:
    return row[:2]


def cut(rows: Sequence[Row], arguments: dict[str, Any], *, key: Callable[[Any], Any] | None = None,
        searched: bool = False) -> Window:
    """The window out of rows that stand in order; their number does not matter to the time it takes."""
    first, last, reverse = arguments.get("first"), arguments.get("last"), bool(arguments.get("reverse"))
    low, high = 0, len(rows)
    after, before = arguments.get("after"), arguments.get("before")
    if reverse:
        after, before = before, after
    if after:
        low = bisect_right(rows, _position(after, rows), key=_by_place)
    if before:
        high = max(low, bisect_left(rows, _position(before, rows), key=_by_place))
    asked = min(first if first is not None else last or 0, high - low)
    from_start = (first is not None) != reverse
    start, end = (low, low + asked) if from_start else (high - asked, high)
    shown = list(rows[start:end])
    more_after, more_before = (start > 0, end < len(rows)) if reverse else (end < len(rows), start > 0)
    if reverse:
        shown.reverse()
    return Window([row[2] for row in shown],
                  [(row[1], key(row[2]) if key else row[1]) for row in shown],
                  has_next_page=more_after, has_previous_page=more_before, total=len(rows), searched=searched)


def by_id(table: Table[Any], arguments: dict[str, Any]) -> Window:
    """The window of a table in the order of its numbers, without looking at more than the page."""
    check_window(arguments)
    ids, reverse = table.ids(), bool(arguments.get("reverse"))
    low, high = 0, len(ids)
    after, before = arguments.get("after"), arguments.get("before")
    if reverse:
        after, before = before, after
    if after:
        low = bisect_right(ids, _last_id(after))
    if before:
        high = max(low, bisect_left(ids, _last_id(before)))
    asked = min(arguments["first"] if arguments.get("first") is not None else arguments["last"], high - low)
    from_start = (arguments.get("first") is not None) != reverse
    start, end = (low, low + asked) if from_start else (high - asked, high)
    shown = ids[start:end]
    more_after, more_before = (start > 0, end < len(ids)) if reverse else (end < len(ids), start > 0)
    if reverse:
        shown.reverse()
    return Window([table[number] for number in shown], [(number, number) for number in shown],
                  has_next_page=more_after, has_previous_page=more_before, total=len(ids), searched=False)


def _last_id(text: str) -> int:
    try:
        return int(json.loads(base64.b64decode(text, validate=True))["last_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise bad_request(f"Invalid cursor: `{text}`") from error


def cursor(number: int, value: Any, searched: bool = False) -> str:
    if isinstance(value, datetime):
        shown: Any = int(value.timestamp() * 1000) if searched else value.strftime("%Y-%m-%d %H:%M:%S.%f")
    elif searched and isinstance(value, int):
        shown = value
    else:
        shown = "" if value is None else str(value)
    text = json.dumps({"last_id": number, "last_value": shown}, separators=(",", ":"), ensure_ascii=False)
    return base64.b64encode(text.encode()).decode()


def _order(value: Any) -> tuple[int, float, str]:
    """Numbers, dates and texts in one order; nothing comes first."""
    if value is None or value == "":
        return (0, 0.0, "")
    if isinstance(value, datetime):
        return (1, float(int(value.timestamp() * 1000)), "")
    if isinstance(value, (int, float)):
        return (1, float(value), "")
    return (2, 0.0, str(value))


def _position(text: str, rows: Sequence[Row]) -> tuple[tuple[int, float, str], int]:
    """Where a cursor stands among the rows, whose keys tell whether its text is a text."""
    try:
        held = json.loads(base64.b64decode(text, validate=True))
        number, value = int(held["last_id"]), held.get("last_value", held["last_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise bad_request(f"Invalid cursor: `{text}`") from error
    if isinstance(value, str) and not (rows and rows[-1][0][0] == 2):  # texts come last
        value = _parsed(value)
    return (_order(value), number)


def _parsed(value: str) -> Any:
    """The database's text back to what it was made of: a date or a whole number, otherwise text."""
    try:
        return datetime.strptime(value, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    except ValueError:
        return int(value) if value.lstrip("-").isdigit() else value

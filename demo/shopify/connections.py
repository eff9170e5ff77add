"""Connections: cut the asked window out of a sorted list, with Shopify's cursors.

A cursor is base64 of `{"last_id", "last_value"}`, the value being that of the sort key: text as the database
has it for plain lists, numbers (milliseconds for dates) for searches. It stays good when its thing has moved or
gone: the window begins where the pair would stand.
"""
from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .errors import bad_request


@dataclass
class Window:
    """What a connection's resolver answers; the fields are read by nodes, edges and pageInfo."""

    nodes: list[Any]
    cursors: list[str]
    has_next_page: bool
    has_previous_page: bool
    total: int

    @property
    def edges(self) -> list[dict[str, Any]]:
        return [{"node": node, "cursor": cursor} for node, cursor in zip(self.nodes, self.cursors, strict=True)]

    @property
    def page_info(self) -> dict[str, Any]:
        return {"hasNextPage": self.has_next_page, "hasPreviousPage": self.has_previous_page,
                "startCursor": self.cursors[0] if self.cursors else None,
                "endCursor": self.cursors[-1] if self.cursors else None}


def window(things: Sequence[Any], arguments: dict[str, Any], *, key: Callable[[Any], Any] | None = None,
           number: Callable[[Any], int] = lambda thing: thing.id, searched: bool = False,
           most: int = 250) -> Window:
    """The window that first/last/before/after/reverse ask for.

    `key` is the sort key (default: the id), `number` the id that breaks ties. Raises BAD_REQUEST without a
    window, with two, with one that is negative, or with a cursor of other making.
    """
    first, last = arguments.get("first"), arguments.get("last")
    if first is None and last is None:
        raise bad_request("you must provide one of first or last")
    if first is not None and last is not None:
        raise bad_request("providing both first and last is not supported")
    asked = first if first is not None else last
    if asked is not None and not 0 <= asked <= most:
        raise bad_request(f"The page size of {asked} is outside of 0 to {most}.")
    reverse = bool(arguments.get("reverse"))
    decorated = sorted(((_order(key(thing) if key else number(thing)), number(thing), thing) for thing in things),
                       key=lambda row: row[:2], reverse=reverse)
    total = len(decorated)
    before_any = after_any = False
    if arguments.get("after"):
        at = _position(arguments["after"], decorated)
        kept = [row for row in decorated if (row[:2] < at if reverse else row[:2] > at)]
        before_any = len(kept) < len(decorated)
        decorated = kept
    if arguments.get("before"):
        at = _position(arguments["before"], decorated)
        kept = [row for row in decorated if (row[:2] > at if reverse else row[:2] < at)]
        after_any = len(kept) < len(decorated)
        decorated = kept
    if first is not None:
        shown, has_next, has_previous = decorated[:first], len(decorated) > first or after_any, before_any
    else:
        shown = decorated[-asked:] if asked else []
        has_next, has_previous = after_any, len(decorated) > (asked or 0) or before_any
    return Window(nodes=[row[2] for row in shown],
                  cursors=[cursor(row[1], key(row[2]) if key else row[1], searched) for row in shown],
                  has_next_page=has_next, has_previous_page=has_previous, total=total)


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


def _position(text: str, rows: Sequence[tuple[Any, ...]]) -> tuple[tuple[int, float, str], int]:
    """Where a cursor stands among the rows, whose keys tell whether its text is a text."""
    try:
        held = json.loads(base64.b64decode(text, validate=True))
        number, value = int(held["last_id"]), held.get("last_value", held["last_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise bad_request(f"Invalid cursor: `{text}`") from error
    if isinstance(value, str) and not any(row[0][0] == 2 for row in rows):
        value = _parsed(value)
    return (_order(value), number)


def _parsed(value: str) -> Any:
    """The database's text back to what it was made of: a date or a whole number, otherwise text."""
    try:
        return datetime.strptime(value, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    except ValueError:
        return int(value) if value.lstrip("-").isdigit() else value

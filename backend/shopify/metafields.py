"""Metafields as fields: what a definition of the store says about one, and its text in both directions.

Shopify keeps every metafield as text, and rewrites some of it (facts §7): so values are compared by what they mean.

    type                                     kind      text
    single_line, multi_line, url, color      text      as it is; with fixed choices: choice
    number_integer, number_decimal           integer, decimal
    boolean, date, date_time                 the same  true, 2026-11-23, 2026-11-23T10:00:00+00:00
    money                                    money     {"amount": "5.0", "currency_code": "USD"}
    list.single_line_text_field              list      ["a", "b"]
    everything else, and what has no definition        text, read only
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from backend.core.model import Field
from backend.core.values import UNREAD, Kind, Value

if TYPE_CHECKING:
    from backend.shopify.known import Held

KINDS: dict[str, Kind] = {
    "single_line_text_field": "text", "multi_line_text_field": "text", "url": "text", "color": "text",
    "number_integer": "integer", "number_decimal": "decimal", "boolean": "boolean", "date": "date",
    "date_time": "datetime", "money": "money", "list.single_line_text_field": "list",
}


def described(field: Field, definition: dict[str, Any] | None) -> Field:
    """`field` as the store's definition of it says; without one, or of a type that has no kind here, read only."""
    kind = KINDS.get(definition["type"]["name"]) if definition else None
    if definition is None or kind is None:
        return replace(field, kind="text", write="")
    choices = next((_choices(rule["value"]) for rule in definition["validations"] if rule["name"] == "choices"), ())
    return replace(field, kind="choice" if choices and kind == "text" else kind,
                   choices=choices if kind == "text" else ())


def raw_of(found: Any) -> Any:
    """What `canonical` takes, from a metafield as it is answered: `{value, type}`, None where there is none."""
    if not isinstance(found, dict):
        return found
    text, kind = found["value"], found["type"]
    if kind == "money":
        content = _json(text)
        return content.get("amount") if isinstance(content, dict) else text
    if kind == "list.single_line_text_field":
        content = _json(text)
        return content if isinstance(content, list) else text
    if kind == "date_time" and isinstance(text, str) and "T" in text and not _has_zone(text):
        return f"{text}+00:00"
    return text


def text_of(value: Value, kind: Kind, held: Held, currency: str) -> str:
    """The text to send for a value that is not empty. `held` is what stands there: a list keeps its order."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        before = raw_of({"value": held.value, "type": held.type}) if held.value is not None else []
        return orjson.dumps(_in_place(before if isinstance(before, list) else [], [str(one) for one in value])).decode()
    if isinstance(value, Decimal):
        number = format(value, "f")
        return orjson.dumps({"amount": number, "currency_code": currency}).decode() if kind == "money" else number
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def _in_place(before: Iterable[Any], wanted: Sequence[str]) -> list[str]:
    kept = [item for item in before if item in wanted]
    return kept + [item for item in wanted if item not in kept]


def _choices(text: str | None) -> tuple[str, ...]:
    found = _json(text or "")
    return tuple(str(one) for one in found) if isinstance(found, list) else ()


def _has_zone(text: str) -> bool:
    clock = text.split("T", 1)[1]
    return clock.endswith("Z") or "+" in clock or "-" in clock


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return UNREAD

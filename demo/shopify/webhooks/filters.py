"""What a subscription lets through: its filter over the payload, and the fields that it wants to see."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from .. import search

INVALID = "The specified filter is invalid, please ensure you specify the field(s) you wish to filter on."
_MOST_BYTES = 65_535


class _AnyField(Mapping[str, search.Field]):
    """Every name is a field of a payload."""

    def __getitem__(self, name: str) -> search.Field:
        return search.Field("payload")

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class _Payload(Mapping[str, Any]):
    """A payload as a document: `variants.price` are the prices of all variants."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body

    def __getitem__(self, name: str) -> list[Any]:
        found: list[Any] = [self.body]
        for part in name.split("."):
            found = [inner for value in found for inner in (value if isinstance(value, list) else [value])]
            found = [value[part] for value in found if isinstance(value, dict) and part in value]
        return [inner for value in found for inner in (value if isinstance(value, list) else [value])
                if inner is not None]

    def __iter__(self) -> Iterator[str]:
        return iter(self.body)

    def __len__(self) -> int:
        return len(self.body)


def is_valid(text: str) -> bool:
    """Whether every word of a filter names its field."""
    if len(text.encode()) > _MOST_BYTES:
        return False
    parsed = search.parse(text, _AnyField(), datetime.now(UTC))
    return not text.strip() or (parsed.parsed is not None and not _has_bare_words(parsed.parsed))


def lets_through(text: str | None, body: dict[str, Any]) -> bool:
    return not text or search.parse(text, _AnyField(), datetime.now(UTC)).matches(_Payload(body))


def picked(body: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The payload with only these fields; `variants.id` keeps the ids of the variants."""
    if not names:
        return body
    kept: dict[str, Any] = {}
    for first in dict.fromkeys(name.partition(".")[0] for name in names):
        if first not in body:
            continue
        deeper = tuple(name.partition(".")[2] for name in names if name.partition(".")[0] == first)
        kept[first] = body[first] if "" in deeper else _inside(body[first], deeper)
    return kept


def _inside(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, list):
        return [_inside(entry, names) for entry in value]
    return picked(value, names) if isinstance(value, dict) else value


def _has_bare_words(tree: Any) -> bool:
    if isinstance(tree, list):
        return any(_has_bare_words(each) for each in tree)
    if not isinstance(tree, dict):
        return False
    return tree.get("field") == "default" or any(_has_bare_words(each) for each in tree.values())

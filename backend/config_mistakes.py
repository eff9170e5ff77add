"""A mistake in `sync.yaml`, said so that its writer can mend it: where it stands, what is wrong, what to write."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import Any


def where(tree: Any, path: list[Any]) -> tuple[int, int]:
    """Line and column of the deepest part of `path` that stands in the file."""
    line, column = 1, 1
    node = tree
    for part in path:
        try:
            spot = node.lc.item(part) if isinstance(part, int) else node.lc.key(part)
            line, column = spot[0] + 1, spot[1] + 1
            node = node[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line, column


def value_at(tree: Any, path: Iterable[Any]) -> Any:
    for part in path:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            return None
    return tree


def messages(said: Any, path: tuple[Any, ...] = ()) -> Iterable[tuple[tuple[Any, ...], str]]:
    """Path and text of each of marshmallow's messages."""
    if isinstance(said, dict):
        for key, below in said.items():
            yield from messages(below, path if key == "_schema" else (*path, key))
    else:
        yield path, str(said[0])


MISSING, UNKNOWN, NULL = "Missing data for required field.", "Unknown field.", "Field may not be null."
EMPTY = "Shorter than minimum length 1."
_FORMS = {
    "store": "store: my-shop.myshopify.com", "document": "document: https://docs.getgrist.com/abc123",
    "audit": "audit: {everything: 1d, stock: 15m}", "everything": "everything: 1d", "stock": "stock: 15m",
    "interval": "interval: 15m", "rest_seconds": "rest_seconds: 30", "sync_log": "sync_log: true",
    "status_column": "status_column: true", "grist_calls_a_day": "grist_calls_a_day: 5000",
    "files_after_minutes": "files_after_minutes: 5",
    "brakes": "brakes: {deletions: 20}",
    "deletions": "deletions: 20", "deletions_share": "deletions_share: 0.25", "changed_share": "changed_share: 0.9",
    "mappings": "mappings: and below it a list that begins with - resource: products",
    "resource": "resource: products", "table": "table: Products", "match": "match: [handle]",
    "filter": 'filter: "status:active"', "only_where": "only_where: Sync",
    "create": "create: {in_grist: true, in_shopify: false}",
    "delete": "delete: {in_grist: propose, in_shopify: propose}", "fields": "fields: {title: Title}",
    "column": "column: Title", "direction": "direction: to_grist", "on_conflict": "on_conflict: ask",
    "create.in_grist": "in_grist: true", "create.in_shopify": "in_shopify: false",
    "delete.in_grist": "in_grist: propose", "delete.in_shopify": "in_shopify: propose",
}
"""How each key is written."""


def explain(path: Sequence[Any], said: str, value: Any, keys: Callable[[Sequence[Any]], list[str]]) -> tuple[str, str]:
    """What is wrong and what to do, from what marshmallow said of the value at `path`. `keys` names those that may
    stand under a path."""
    names = [part for part in path if isinstance(part, str)]
    name = names[-1] if names else "The file"
    if said == UNKNOWN:
        known = keys(path[:-1])
        return f"“{name}” is not a key that is known here.", f"{nearest(name, known)}Known are {listed(known)}."
    form = _FORMS.get(name) or _FORMS.get(".".join(names[-2:]), "")
    cure = f"Write {form}, for example." if form else "sync.example.yaml shows what can stand there."
    if said == MISSING:
        return f"“{name}” is missing.", cure
    if said in (NULL, EMPTY):
        return f"“{name}” is empty.", f"{cure[:-1]}, or take it out." if name not in ("mappings", "fields") else cure
    shown = f"“{value}”" if isinstance(value, str | int | float) else "what stands there"
    if said.startswith("Must be one of: "):
        known = said.removeprefix("Must be one of: ").rstrip(".").split(", ")
        return f"“{name}” cannot be {shown}.", f"{nearest(str(value), known)}It is one of {listed(known)}."
    return f"“{name}” cannot be {shown}.", cure


def nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"Did you mean {near[0]}? " if near else ""


def listed(names: Iterable[str]) -> str:
    return ", ".join(names)

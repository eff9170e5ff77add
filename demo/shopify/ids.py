"""Shopify's ids: `gid://shopify/Product/123`, kept as whole numbers inside the store."""
from __future__ import annotations

import re

_GID = re.compile(r"^gid://shopify/(?P<kind>[A-Za-z]+)/(?P<tail>[^?]+)(?:\?(?P<query>.*))?$")


def gid(kind: str, number: int | str) -> str:
    return f"gid://shopify/{kind}/{number}"


def is_global_id(text: object) -> bool:
    """Whether the text is a global id at all, of whatever app and type."""
    return isinstance(text, str) and re.match(r"^gid://[^/\s]+/[^/\s]+/\S+$", text) is not None


def kind_of(text: str) -> str:
    """The type's name in a global id, "" when it is none of Shopify's."""
    match = _GID.match(text)
    return match["kind"] if match else ""


def number_of(text: str, kind: str | None = None) -> int | None:
    """The numeric part, or None when the id is of another kind or its tail is no number."""
    match = _GID.match(text)
    if match is None or (kind is not None and match["kind"] != kind) or not match["tail"].isdigit():
        return None
    return int(match["tail"])


def query_of(text: str) -> dict[str, str]:
    """What follows the question mark: `{"inventory_item_id": "5"}` of a level's id."""
    match = _GID.match(text)
    if match is None or not match["query"]:
        return {}
    return dict(part.split("=", 1) for part in match["query"].split("&") if "=" in part)

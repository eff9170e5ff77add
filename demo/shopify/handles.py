"""Handles: the names in a thing's URL, made from titles or given, never twice."""
from __future__ import annotations

import re
from collections.abc import Container


def from_text(text: str) -> str:
    """`" My Shirt! "` → `"my-shirt"`; unicode letters stay, the rest becomes one dash (apostrophes vanish)."""
    plain = re.sub(r"['’]", "", text.strip().lower())
    return re.sub(r"[^\w]+", "-", plain).strip("-")


def free(handle: str, taken: Container[str]) -> str:
    """The handle itself, or with the first number that nobody has: `shirt`, `shirt-1`, `shirt-2`."""
    if handle not in taken:
        return handle
    stem, _, number = handle.rpartition("-")
    if not (stem and number.isdigit()):
        stem, number = handle, "0"
    following = int(number) + 1
    while f"{stem}-{following}" in taken:
        following += 1
    return f"{stem}-{following}"

"""Where resolvers announce themselves, by type and field of Shopify's schema.

A resolver is called as `resolver(source, arguments, context)`: the object that holds the field, the
arguments by the schema's names (absent when neither query nor schema give a value), and the `Context`.
"""
from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Resolver = Callable[[Any, dict[str, Any], Any], Any]
RESOLVERS: dict[tuple[str, str], Resolver] = {}


def resolves(type_name: str, *field_names: str) -> Callable[[Resolver], Resolver]:
    """Announce the decorated function as the resolver of these fields of a type."""
    def announce(function: Resolver) -> Resolver:
        for name in field_names:
            RESOLVERS[type_name, name] = function
        return function
    return announce


def snake(name: str) -> str:
    """`compareAtPrice` → `compare_at_price`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()

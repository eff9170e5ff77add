"""What the store has none of: kinds of things that Shopify's schema knows and nothing here ever makes.

Asking for one by id finds nothing, listing them gives an empty list: that is the truth about this store. Fields of
things that it does keep are another matter: those say that they are not simulated (errors.py).
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type, is_non_null_type

from .connections import window
from .registry import RESOLVERS


def kind_of_root(field_name: str) -> str | None:
    """The kind that a field of the query's root gives one or a list of, when the store has none of it."""
    field = _fields()[field_name]
    named = get_named_type(field.type)
    if named.name.endswith("Connection") and "nodes" in named.fields:  # type: ignore[union-attr]
        node = get_named_type(named.fields["nodes"].type)  # type: ignore[union-attr]
        return None if _kept(node) else node.name
    if is_non_null_type(field.type) or not isinstance(named, GraphQLObjectType | GraphQLInterfaceType) or not (
            {"id", "token", "handle"} & set(field.args)) or _kept(named):
        return None
    return named.name


def root(field_name: str) -> Callable[..., Any]:
    """A resolver that finds nothing."""
    lists = get_named_type(_fields()[field_name].type).name.endswith("Connection")

    def nothing(source: Any, arguments: dict[str, Any], context: Any) -> Any:
        return window([], arguments) if lists else None
    return nothing


def _kept(named: Any) -> bool:
    """Whether any resolver of this package shows things of the kind."""
    return any(type_name == named.name for type_name, _ in RESOLVERS) or named.name in (
        "DeletionEvent", "Event", "Refund", "Node")


def _fields() -> Any:
    from .schema import load_schema
    query = load_schema().query_type
    assert query is not None
    return query.fields

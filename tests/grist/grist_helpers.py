"""Mappings and ops in one line, and something to happen right before or after a call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from backend.core.model import Change, Direction, FieldRule, Mapping, Resource, Rule, Side, Update, Why
from backend.shopify.resources import RESOURCES

PRODUCT = "gid://shopify/Product/{}"


def mapping(resource: str | Resource, *fields: str, table: str = "", **options: Any) -> Mapping:
    """`mapping("products", "title", "vendor=Brand")`: fields with their column, else the id that their label makes."""
    known = RESOURCES[resource] if isinstance(resource, str) else resource
    rules = []
    for text in fields:
        name, _, column = text.partition("=")
        field = known.field(name)
        assert field is not None, name
        direction = Direction.BOTH if field.writable else Direction.TO_GRIST
        rules.append(FieldRule(field, column or field.label.replace(" ", "_"), direction, Rule.ASK))
    return Mapping(known, table or known.table, tuple(rules), known.match, **options)


def rule(mapping: Mapping, name: str, **changes: Any) -> Mapping:
    return mapping.with_fields(replace(r, **changes) if r.name == name else r for r in mapping.fields)


def update(key: int, partner: str, **changes: tuple[Any, Any]) -> Update:
    """`update(1, gid, title=("A", "B"))`: from what stands there to what will."""
    return Update(Side.LOCAL, key, partner, tuple(
        Change(name, before, after, Why.CHANGED) for name, (before, after) in changes.items()
    ))


def after_next(target: Any, name: str, do: Callable[[], Any]) -> None:
    """Let `do` happen once, right after the next call of `target.name` was answered."""
    original = getattr(target, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        setattr(target, name, original)
        answer = original(*args, **kwargs)
        do()
        return answer

    setattr(target, name, wrapped)


def before_next(target: Any, name: str, do: Callable[[], Any]) -> None:
    """Let `do` happen once, right before the next call of `target.name`."""
    original = getattr(target, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        setattr(target, name, original)
        do()
        return original(*args, **kwargs)

    setattr(target, name, wrapped)

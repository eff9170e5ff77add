"""tagsAdd and tagsRemove: single tags, whoever else writes to the list."""
from __future__ import annotations

from typing import Any

from ..context import Context
from ..errors import TopLevelError, user_error
from ..ids import kind_of
from .base import mutation
from .inputs import clean_tags

_TAGGED = ("Product", "Order", "Customer", "DraftOrder", "Article")


@mutation("tagsAdd")
def tags_add(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return _changed(arguments, context, lambda held, given: clean_tags([*held, *given]))


@mutation("tagsRemove")
def tags_remove(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    exact = kind_of(arguments["id"]) in ("Order", "DraftOrder")  # there the case of a tag counts

    def without(held: list[str], given: list[str]) -> list[str]:
        gone = {tag if exact else tag.lower() for text in given for part in text.split(",")
                for tag in [part.strip()]}
        return [tag for tag in held if (tag if exact else tag.lower()) not in gone]
    return _changed(arguments, context, without)


def _changed(arguments: dict[str, Any], context: Context, change: Any) -> dict[str, Any]:
    kind = kind_of(arguments["id"])
    if kind not in _TAGGED:
        raise TopLevelError("invalid id", "RESOURCE_NOT_FOUND")
    thing = context.store.thing(arguments["id"])
    if thing is None:
        name = "Draft order" if kind == "DraftOrder" else kind
        return {"node": None, "userErrors": [user_error(["id"], f"{name} does not exist")]}
    after = change(thing.tags, arguments["tags"])
    if after != thing.tags:
        thing.tags = after
        context.store.touch(thing)
    return {"node": thing, "userErrors": []}

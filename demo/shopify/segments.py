"""Segments of customers: a name and a query that Shopify works out by itself. Here they are kept and listed only."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from .connections import Window, window
from .context import Context
from .errors import user_error
from .model import Thing
from .mutations.base import UserErrors, mutation
from .reads.lists import counted, filtered
from .registry import resolves


@dataclass(eq=False)
class Segment(Thing):
    kind: ClassVar[str] = "Segment"
    id: int
    name: str
    query: str
    creation_date: datetime
    last_edit_date: datetime


@mutation("segmentCreate")
def create(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    store, name = context.store, arguments["name"].strip()
    errors = _errors(name, arguments["query"])
    if errors:
        return {"segment": None, "userErrors": errors}
    taken = {each.name for each in store.segments.values()}
    number, free = 2, name
    while free in taken:  # a taken name gets a number
        free, number = f"{name} ({number})", number + 1
    now = store.now()
    made = Segment(store.new_id(), free, arguments["query"], now, now)
    store.segments[made.id] = made
    return {"segment": made, "userErrors": []}


@mutation("segmentUpdate")
def update(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    held = context.store.thing(arguments["id"])
    if not isinstance(held, Segment):
        return {"segment": None, "userErrors": [user_error(["id"], "Segment does not exist")]}
    if arguments.get("name") is None and arguments.get("query") is None:
        return {"segment": None, "userErrors": [user_error(None, "At least one attribute to change must be present")]}
    name, query = arguments.get("name") or held.name, arguments.get("query") or held.query
    errors = _errors(name, query)
    if errors:
        return {"segment": None, "userErrors": errors}
    held.name, held.query, held.last_edit_date = name, query, context.store.now()
    return {"segment": held, "userErrors": []}


@mutation("segmentDelete")
def delete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    held = context.store.thing(arguments["id"])
    if not isinstance(held, Segment):
        return {"deletedSegmentId": None, "userErrors": [user_error(["id"], "Segment does not exist")]}
    del context.store.segments[held.id]
    return {"deletedSegmentId": held.gid, "userErrors": []}


def _errors(name: str, query: str) -> UserErrors:
    errors: UserErrors = []
    if not name.strip():
        errors.append(user_error(["name"], "Name can't be blank"))
    elif len(name) > 255:
        errors.append(user_error(["name"], "Name is too long (maximum is 255 characters)"))
    if not query.strip():
        errors.append(user_error(["query"], "Query can't be blank"))
    return errors


_KEYS: dict[str, Any] = {"CREATION_DATE": lambda each: each.creation_date,
                         "LAST_EDIT_DATE": lambda each: each.last_edit_date}


@resolves("QueryRoot", "segments")
def segments(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    found = filtered(context, "segment", arguments, list(context.store.segments.values()),
                     lambda each: {"id": each.id, "name": each.name, "default": [each.name]})
    return window(found, arguments, key=_KEYS.get(arguments.get("sortKey") or "CREATION_DATE"))


@resolves("QueryRoot", "segmentsCount")
def count(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return counted(len(context.store.segments), arguments)

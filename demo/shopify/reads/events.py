"""The events feed: what was made, changed and deleted, oldest first (facts §5)."""
from __future__ import annotations

from typing import Any

from .. import search
from ..connections import Window, window
from ..context import Context
from ..happenings import SUBJECTS, Happening, event
from ..ids import number_of
from ..registry import resolves
from .lists import counted

_FIELDS = {"id": search.Field("id"), "action": search.Field("exact"), "subject_type": search.Field("exact"),
           "created_at": search.Field("date"), "comments": search.Field("flag")}


@resolves("QueryRoot", "events")
def events(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    found = _found(arguments, context)
    dated = arguments.get("sortKey") == "CREATED_AT"
    page = window(found, arguments, key=(lambda each: each.at) if dated else None)
    page.nodes = [event(each, context.store) for each in page.nodes]
    return page


@resolves("QueryRoot", "eventsCount")
def events_count(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return counted(len(_found(arguments, context)), {"limit": 10_000})


@resolves("QueryRoot", "event")
def one(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    number = number_of(arguments["id"])
    return next((event(each, context.store) for each in context.store.stream.held if each.id == number), None)


@resolves("Product", "events")
@resolves("Collection", "events")
@resolves("Customer", "events")
@resolves("Order", "events")
@resolves("DraftOrder", "events")
def of_thing(thing: Any, arguments: dict[str, Any], context: Context) -> Window:
    found = [each for each in context.store.stream.held if (each.kind, each.number) == (thing.kind, thing.id)]
    page = window(found, arguments)
    page.nodes = [event(each, context.store) for each in page.nodes]
    return page


def _found(arguments: dict[str, Any], context: Context) -> list[Happening]:
    store = context.store
    query = search.parse(arguments.get("query"), _FIELDS, store.now())
    if query.warnings:
        context.search_reports.append(query.report(context.path))
    return [each for each in store.stream.held if each.kind in SUBJECTS and query.matches(
        {"id": each.id, "action": each.action, "subject_type": SUBJECTS[each.kind].lower(), "created_at": each.at,
         "comments": False, "default": [each.title]})]

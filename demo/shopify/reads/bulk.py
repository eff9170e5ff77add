"""Bulk operations as they are watched (facts §4)."""
from __future__ import annotations

from datetime import timedelta
from typing import Any

from .. import search
from ..bulk.operations import BulkOperation
from ..connections import Window, check_window, window
from ..context import Context
from ..errors import bad_request, invalid_id
from ..ids import kind_of, number_of
from ..registry import resolves

_FIELDS = {"id": search.Field("id"), "created_at": search.Field("date"), "completed_at": search.Field("date"),
           "operation_type": search.Field("enum", ("query", "mutation")),
           "status": search.Field("enum", ("created", "running", "completed", "canceling", "canceled", "failed"))}


@resolves("QueryRoot", "bulkOperation")
def one(source: Any, arguments: dict[str, Any], context: Context) -> BulkOperation | None:
    if kind_of(arguments["id"]) != "BulkOperation":
        raise invalid_id(arguments["id"])
    context.store.bulks.look()
    return context.store.bulks.held.get(number_of(arguments["id"]) or 0)


@resolves("QueryRoot", "currentBulkOperation")
def current(source: Any, arguments: dict[str, Any], context: Context) -> BulkOperation | None:
    """The latest of its type, running or not."""
    context.store.bulks.look()
    mine = [each for each in context.store.bulks.held.values() if each.type == arguments.get("type", "QUERY")]
    return max(mine, key=lambda each: (each.exactly, each.id), default=None)


@resolves("QueryRoot", "bulkOperations")
def listed(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    check_window(arguments)
    context.store.bulks.look()
    query = search.parse(arguments.get("query"), _FIELDS, context.store.now(),
                         bad_values_match=context.store.behaviour.bad_bulk_filters_match)
    for warning in query.warnings:
        if warning["code"] == "invalid_value" and _FIELDS[warning["field"]].kind == "date":
            raise bad_request(f"Invalid timestamp for query filter `{warning['field']}`.")
    if query.warnings:
        context.search_reports.append(query.report(context.path))
    found = [each for each in context.store.bulks.held.values() if query.matches(
        {"id": each.id, "created_at": each.exactly, "completed_at": each.completed_at, "default": [],
         "operation_type": each.type.lower(), "status": each.status.lower()})]
    if arguments.get("sortKey", "CREATED_AT") == "COMPLETED_AT":
        return window(found, arguments, key=lambda each: each.completed_at)
    return window(found, arguments, key=lambda each: each.exactly)


@resolves("BulkOperation", "url")
def url(operation: BulkOperation, arguments: dict[str, Any], context: Context) -> str | None:
    return _signed(operation, context) if operation.status == "COMPLETED" else None


@resolves("BulkOperation", "partialDataUrl")
def partial_data_url(operation: BulkOperation, arguments: dict[str, Any], context: Context) -> str | None:
    return _signed(operation, context) if operation.status in ("FAILED", "CANCELED") else None


def _signed(operation: BulkOperation, context: Context) -> str | None:
    """The address of the result, good for seven days and without the token."""
    bulks = context.store.bulks
    if not bulks.result_lives(operation):
        return None
    assert operation.completed_at is not None
    host = context.base_url or "https://storage.googleapis.com"
    until = int((operation.completed_at + timedelta(days=7)).timestamp())
    return f"{host}/{operation.result_key}?Expires={until}&Signature={bulks.blobs.signature(operation.result_key)}"

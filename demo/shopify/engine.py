"""Run one GraphQL request against the store: parse, validate, weigh, execute, and answer as Shopify does.

    parse → validate → variables → input sizes → cost and throttle → execute → actual cost
"""
from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLFormattedError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)

from . import cost, limits, older, validation, variables
from .context import Context
from .errors import BrokeDown, RequestRefused
from .execution import Plan
from .schema import load_schema
from .state import Store


@dataclass
class Outcome:
    """The body of the answer, and what the counters want to know."""

    body: dict[str, Any]
    writes: int = 0
    points: int = 0
    is_mutation: bool = False


@dataclass(frozen=True)
class _Prepared:
    document: DocumentNode
    problems: tuple[dict[str, Any], ...]
    fragments: Mapping[str, FragmentDefinitionNode]
    plans: dict[int, Plan] = field(default_factory=dict)

    def plan(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> Plan:
        """The operation compiled, once for all requests with this text."""
        found = self.plans.get(id(operation))
        if found is None:
            found = self.plans[id(operation)] = Plan(schema, self.document, operation)
        return found


def run(store: Store, query: str, given: dict[str, Any] | None = None, operation_name: str | None = None, *,
        throttle: bool = False, version: str = "", base_url: str = "") -> Outcome:
    """Answer one request. Never raises for a bad document.

    throttle: pretend that the bucket is empty; version: the API version that answers; base_url: where the store is
    reached, for the addresses of files.
    """
    schema, given = load_schema(), older.rewritten(given, version)
    is_mutation = False
    try:
        prepared = _prepared(query, older.unknown_directives(version))
        if prepared.problems:
            raise RequestRefused([dict(problem) for problem in prepared.problems])
        operation = _chosen(prepared.document, operation_name)
        is_mutation = operation.operation == OperationType.MUTATION
        values = variables.read(schema, operation, given or {})
    except RequestRefused as refused:
        return Outcome({"errors": refused.errors}, is_mutation=is_mutation)
    requested = cost.operation_cost(schema, operation, prepared.fragments, values)
    try:
        if requested > cost.MAX_QUERY_COST:
            raise RequestRefused([_too_dear(requested)])
        if throttle:
            store.bucket.drain()
        with store.lock:
            paid = store.bucket.take(requested)
        if throttle or not paid:
            raise RequestRefused([_throttled()], costed=True)
        limits.check_sizes(operation, values)
    except RequestRefused as refused:
        return Outcome({"errors": refused.errors,
                        **({"extensions": _cost(store, requested, None)} if refused.costed else {})},
                       is_mutation=is_mutation)
    return _executed(schema, prepared, operation, Context(store, values, version=version, base_url=base_url),
                     given or {}, requested)


def _executed(schema: GraphQLSchema, prepared: _Prepared, operation: OperationDefinitionNode, context: Context,
              given: dict[str, Any], requested: int) -> Outcome:
    store, values = context.store, context.variables
    is_mutation = operation.operation == OperationType.MUTATION
    with store.lock:
        store.stream.by_app = True
        try:
            data, errors = prepared.plan(schema, operation).run(context, given)
        except BrokeDown:
            return Outcome({"errors": [_broken(store)], "data": None, "extensions": _cost(store, requested, 0)},
                           writes=context.writes, is_mutation=is_mutation)
        finally:
            store.stream.by_app = False
        actual = min(requested, cost.operation_cost(schema, operation, prepared.fragments, values, data or {}))
        store.bucket.give_back(requested - actual)
        extensions = _cost(store, requested, actual)
    body: dict[str, Any] = {}
    if errors:
        body["errors"] = [_formatted(error) for error in errors]
    body["data"] = data
    body["extensions"] = extensions
    if context.search_reports:
        body["extensions"]["search"] = context.search_reports
    return Outcome(body, writes=context.writes, points=actual, is_mutation=is_mutation)


@lru_cache(maxsize=512)
def _prepared(query: str, unknown: frozenset[str]) -> _Prepared:
    document = validation.parsed(query)
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    return _Prepared(document, tuple(validation.problems(load_schema(), document, unknown)), fragments)


def _chosen(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name:
        for operation in operations:
            if operation.name and operation.name.value == name:
                return operation
        raise RequestRefused([{"message": f'No operation named "{name}"'}])
    if len(operations) != 1:
        raise RequestRefused([{"message": "An operation name is required"}])
    return operations[0]


def _formatted(error: GraphQLError) -> GraphQLFormattedError:
    entry = error.formatted
    entry.setdefault("locations", [])
    return entry


def _cost(store: Store, requested: int, actual: int | None) -> dict[str, Any]:
    return {"cost": {"requestedQueryCost": requested, "actualQueryCost": actual,
                     "throttleStatus": store.bucket.status()}}


def _broken(store: Store) -> dict[str, Any]:
    request_id = f"{uuid.UUID(int=store.new_id())}-{int(store.clock.now().timestamp())}"
    return {"message": "Internal error. Looks like something went wrong on our end.\n"
                       f"Request ID: {request_id} (include this in support requests).",
            "extensions": {"requestId": request_id, "code": "INTERNAL_SERVER_ERROR"}}


def _throttled() -> dict[str, Any]:
    return {"message": "Throttled", "extensions": {
        "code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"}}


def _too_dear(requested: int) -> dict[str, Any]:
    return {"message": f"Query cost is {requested}, which exceeds the single query max cost limit "
                       f"({cost.MAX_QUERY_COST}). See https://shopify.dev/concepts/about-apis/rate-limits for more "
                       "information on how the cost of a query is calculated.",
            "extensions": {"code": "MAX_COST_EXCEEDED", "cost": requested, "maxCost": cost.MAX_QUERY_COST,
                           "documentation": "https://shopify.dev/api/usage/rate-limits"}}

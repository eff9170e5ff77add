"""A bulk query's lines: one JSON object a line, children of nested connections as lines of their own.

    {"id":"gid://shopify/Product/1","title":"Cap"}
    {"id":"gid://shopify/ProductVariant/7","__parentId":"gid://shopify/Product/1"}

It is no snapshot: each object is read when its turn comes, and what has gone by then is left out. Things made while
the operation runs come at the end, where they would be found by whoever pages by id.
"""
from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, get_named_type
from graphql.execution.values import get_variable_values

from ..connections import EVERYTHING
from ..context import Context
from ..execution import Place, Plan, Run, Selection, Step
from ..schema import type_name_of
from ..state import Store
from .documents import is_connection

_KEPT_BY_NUMBER = ("Product", "ProductVariant", "InventoryItem", "Collection", "Customer", "Order", "DraftOrder")


@dataclass
class Line:
    text: str
    is_root: bool


class OperationFailed(Exception):
    """The operation cannot go on; `code` is a BulkOperationErrorCode, the text says why (for whoever tests)."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


def lines(store: Store, plan: Plan, *, grouped: bool, version: str = "") -> Iterator[list[Line]]:
    """The lines of a compiled query, in groups that belong to one root object. Raises OperationFailed.

    Every step of the iterator reads one root object: the caller holds the store's lock for as many as it likes.
    """
    writer = _Writer(store, plan, version)
    assert plan.schema.query_type is not None
    for step in plan.root.steps(plan.schema.query_type, writer):
        if isinstance(step, Step) and not _connects(step):  # shop { … } or product(id:) { … } around connections
            value = writer.resolved(step, None, {})
            if value is not None:
                yield list(writer.of(value, _target(plan, step, nodes=step.nodes), None, root=True))
        elif isinstance(step, Step):
            yield from _roots(store, writer, step, grouped)


def _roots(store: Store, writer: _Writer, step: Step, grouped: bool) -> Iterator[list[Line]]:
    target = _target(writer.plan, step)
    last, more = -1, True
    while more:
        more = False
        nodes = writer.resolved(step, None, {"first": EVERYTHING}).nodes
        newest = max((_number(node) for node in nodes), default=last)
        for node in nodes:
            if _number(node) > last and not _gone(store, node):
                yield list(writer.of(node, target, None, root=True))
                more = True
        if newest <= last or not all(_number(node) for node in nodes):
            return
        last = newest


def _number(node: Any) -> int:
    number = getattr(node, "id", 0)
    return number if isinstance(number, int) else 0


def _gone(store: Store, node: Any) -> bool:
    kind = getattr(node, "kind", "")
    if kind not in _KEPT_BY_NUMBER:
        return False
    table = store.table(kind)
    return table is not None and table.get(node.id) is not node


@dataclass
class _Target:
    """What a connection selects of its nodes."""

    node_type: Any
    selection: Selection


class _Writer(Run):
    """A run that leaves connections out of its objects and remembers them instead."""

    def __init__(self, store: Store, plan: Plan, version: str) -> None:
        values = get_variable_values(plan.schema, plan.operation.variable_definitions or (), {})
        super().__init__(plan, Context(store, {}, version=version), values)  # type: ignore[arg-type]
        self.store = store
        self.waiting: list[tuple[Step, Any, str | None]] = []
        self._targets: dict[int, _Target] = {}
        self._connections: dict[int, bool] = {}
        self._near: str | None = None

    def of(self, node: Any, target: _Target, parent: str | None, *, root: bool = False) -> Iterator[Line]:
        """The line of a node and those of its children."""
        held, self.waiting = self.waiting, []
        type_ = target.node_type
        if _is_abstract(type_):
            type_ = self.plan.schema.type_map[type_name_of(node)]
        answer = self.object(node, type_, target.selection, None)
        if self.errors:
            raise _failed(self.errors[0])
        own = answer.get("id")
        if parent is not None:
            answer["__parentId"] = parent
        if answer:
            yield Line(json.dumps(answer, ensure_ascii=False, separators=(",", ":")), root)
        children, self.waiting = self.waiting, held
        for step, source, near in children:
            found = self.resolved(step, source, {"first": EVERYTHING})
            inner = self._targets.get(id(step))
            if inner is None:
                inner = self._targets[id(step)] = _target(self.plan, step)
            nearest = near if self.store.behaviour.bulk_parent_is_nearest_object and near else own
            for child in found.nodes if found is not None else ():
                yield from self.of(child, inner, nearest)

    def resolved(self, step: Step, source: Any, window: dict[str, Any]) -> Any:
        """What a field holds, with another window than the document asks for."""
        arguments = {key: value for key, value in (step.arguments or self.arguments_of(step)).items()
                     if not window or key not in ("first", "last", "after", "before")}
        self.context.step, self.context.place = step, (None, step.key)
        try:
            return step.resolve(source, {**arguments, **window}, self.context)
        except Exception as error:
            raise _failed(error) from error

    def object(self, source: Any, type_: Any, selection: Selection, place: Place) -> dict[str, Any]:
        context, answer = self.context, {}
        near = None
        for step in selection.steps(type_, self):
            if isinstance(step, str):
                answer[step] = type_.name
                continue
            connects = self._connections.get(id(step))
            if connects is None:
                connects = self._connections[id(step)] = _connects(step)
            if connects:
                near = near or (source.gid if hasattr(source, "gid") else None)
                self.waiting.append((step, source, near))
            else:
                answer[step.key] = self.field(step, source, (place, step.key), context)
        return answer


def _is_abstract(type_: Any) -> bool:
    return not hasattr(type_, "interfaces") or type_.__class__.__name__ == "GraphQLInterfaceType"


def _connects(step: Step) -> bool:
    definition = step.parent_type.fields.get(step.field_name)
    return definition is not None and is_connection(get_named_type(definition.type))


def _target(plan: Plan, step: Step, nodes: list[FieldNode] | None = None) -> _Target:
    """What `edges { node { … } }` of a connection selects; with `nodes`, what an object's field selects."""
    named = get_named_type(step.parent_type.fields[step.field_name].type)
    if nodes is not None:
        return _Target(named, plan.selection(nodes))
    edge_type = get_named_type(named.fields["edges"].type)  # type: ignore[union-attr]
    inner = [node for field in step.nodes for edge in _named(plan, field, "edges")
             for node in _named(plan, edge, "node")]
    return _Target(get_named_type(edge_type.fields["node"].type), plan.selection(inner))  # type: ignore[union-attr]


def _named(plan: Plan, field: FieldNode, name: str) -> Iterator[FieldNode]:
    def of(selection_set: Any) -> Iterator[FieldNode]:
        for node in selection_set.selections if selection_set else ():
            if isinstance(node, FieldNode):
                if node.name.value == name:
                    yield node
            else:
                yield from of(plan.fragments[node.name.value].selection_set if hasattr(node, "name") and node.name
                              else node.selection_set)
    return of(field.selection_set)


def _failed(error: Any) -> OperationFailed:
    code = (getattr(error, "extensions", None) or {}).get("code")
    return OperationFailed("ACCESS_DENIED" if code == "ACCESS_DENIED" else "INTERNAL_SERVER_ERROR", str(error))

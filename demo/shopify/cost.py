"""What a document costs, and the bucket that pays for it (facts §3).

    connection(n) = 2 + size(n) × Σ over {nodes, edges.node} selected of (1 + what the node selects)
    size(n)       = floor(2 ln n), at least 1 for n = 1 or 2, and 0 for n = 0
    object        = 1 + its children; a plain list of objects counts once
    mutation      = 10 + what hangs below the payload's objects (these and userErrors are free)

The formula was fitted to recordings; Shopify has not published it.
"""
from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    value_from_ast_untyped,
)

MAX_QUERY_COST = 1000
RESTORE_PER_SECOND = {"standard": 100, "advanced": 200, "plus": 1000, "enterprise": 2000, "unlimited": 10_000_000}

_FREE_TYPES = {"PageInfo", "MoneyBag", "MoneyV2", "MailingAddress", "Weight", "InventoryItemMeasurement",
               "CollectionRuleSet", "CollectionRule", "CustomerEmailMarketingConsentState",
               "CustomerSmsMarketingConsentState", "LocationAddress"}
_MUTATION_BASES = {"orderCapture": 20, "refundCreate": 20, "fileCreate": 20, "fulfillmentTrackingInfoUpdate": 50,
                   "fulfillmentTrackingInfoUpdateV2": 50}
_COUNT_ROOT = 10


class Bucket:
    """Shopify's leaking bucket: points in it, filling up by so many a second."""

    def __init__(self, restore_rate: int, monotonic: Callable[[], float]) -> None:
        self.restore_rate = restore_rate
        self.maximum = restore_rate * 20
        self._monotonic = monotonic
        self._held = float(self.maximum)
        self._seen = monotonic()

    @classmethod
    def of_plan(cls, plan: str, monotonic: Callable[[], float]) -> Bucket:
        """The bucket of a plan; ValueError names the plans that are known."""
        if plan not in RESTORE_PER_SECOND:
            raise ValueError(f"Plan {plan!r} is not known; take one of {', '.join(RESTORE_PER_SECOND)}.")
        return cls(RESTORE_PER_SECOND[plan], monotonic)

    def available(self) -> int:
        now = self._monotonic()
        self._held = min(float(self.maximum), self._held + (now - self._seen) * self.restore_rate)
        self._seen = now
        return int(self._held)

    def take(self, points: int) -> bool:
        """Charge the points, or answer False and leave the bucket as it is."""
        if self.available() < points:
            return False
        self._held -= points
        return True

    def give_back(self, points: int) -> None:
        self._held = min(float(self.maximum), self._held + points)

    def drain(self) -> None:
        """Leave nothing: the next request is throttled."""
        self.available()
        self._held = 0.0

    def status(self) -> dict[str, int]:
        return {"maximumAvailable": self.maximum, "currentlyAvailable": self.available(),
                "restoreRate": self.restore_rate}


def size(count: int) -> int:
    """What a connection of so many multiplies its nodes with."""
    if count <= 0:
        return 0
    return max(1, math.floor(2 * math.log(count)))


def operation_cost(schema: GraphQLSchema, operation: OperationDefinitionNode,
                   fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any],
                   data: Mapping[str, Any] | None = None) -> int:
    """The requested cost; with the answer's `data`, the actual one, counting what is really there."""
    meter = _Meter(schema, fragments, variables, actual=data is not None)
    if operation.operation == OperationType.MUTATION:
        assert schema.mutation_type is not None
        return round(meter.mutation(operation.selection_set, schema.mutation_type, data))
    assert schema.query_type is not None
    return round(meter.selection(operation.selection_set, schema.query_type, data, root=True))


class _Meter:
    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode],
                 variables: Mapping[str, Any], *, actual: bool) -> None:
        self.schema, self.fragments, self.variables, self.actual = schema, fragments, variables, actual

    def mutation(self, selection_set: SelectionSetNode, root: GraphQLObjectType, data: Any) -> float:
        total = 0.0
        for field in self.fields(selection_set, root):
            total += _MUTATION_BASES.get(field.name.value, 10) + self.input(field)
            payload = get_named_type(root.fields[field.name.value].type) if field.name.value in root.fields else None
            if field.selection_set is None or not isinstance(payload, GraphQLObjectType):
                continue
            answer = self.below(data, field)
            if self.actual and not answer:
                continue
            for part in self.fields(field.selection_set, payload):
                inner = payload.fields.get(part.name.value)
                if inner is None or part.selection_set is None or part.name.value.lower().endswith("usererrors"):
                    continue
                found = self.below(answer, part)
                if self.actual and not found:
                    continue
                named = get_named_type(inner.type)
                if self.is_connection(named):
                    total += self.field(part, payload, answer)
                else:
                    total += self.selection(part.selection_set, named, found)
        return total

    def input(self, field: FieldNode) -> float:
        """productSet and the bulk variant mutations charge by the size of what they are given [S]."""
        if field.name.value not in ("productSet", "productVariantsBulkCreate", "productVariantsBulkUpdate"):
            return 0
        given = {argument.name.value: value_from_ast_untyped(argument.value, dict(self.variables))
                 for argument in field.arguments or ()}
        whole = given.get("input") if isinstance(given.get("input"), dict) else given
        variants = [row for row in whole.get("variants") or () if isinstance(row, dict)]
        metafields = len(whole.get("metafields") or ()) + sum(len(row.get("metafields") or ()) for row in variants)
        return 0.2 * len(variants) + 0.4 * metafields + 1.9 * len(whole.get("files") or ())

    def selection(self, selection_set: SelectionSetNode, parent: Any, data: Any, *, root: bool = False) -> float:
        """The sum over the fields; of an interface or union the dearest branch."""
        if isinstance(data, list):
            data = next((entry for entry in data if entry is not None), {}) if data else {}
        total = sum(self.field(field, parent, data, root=root) for field in self.own_fields(selection_set))
        branches: dict[str, float] = {}
        for condition, fragment_set in self.branches(selection_set):
            target = self.schema.type_map.get(condition) if condition else parent
            cost = self.selection(fragment_set, target, data, root=root)
            key = condition or ""
            # of an interface's fragments those on objects exclude each other, those on interfaces do not
            if is_abstract_type(parent) and condition and not is_abstract_type(target):
                if self.actual and isinstance(data, Mapping) and data.get("__typename", condition) != condition:
                    continue
                branches[key] = branches.get(key, 0) + cost
            else:
                total += cost
        return total + max(branches.values(), default=0)

    def field(self, field: FieldNode, parent: Any, data: Any, *, root: bool = False) -> float:
        name = field.name.value
        definition = getattr(parent, "fields", {}).get(name)
        if definition is None or name.startswith("__") or self.skipped(field):
            return 0
        named = get_named_type(definition.type)
        if root and name.endswith("Count") and named.name == "Count":
            return _COUNT_ROOT
        if field.selection_set is None or not is_composite_type(named):
            return 0
        found = self.below(data, field)
        if self.is_connection(named):
            return self.connection(field, named, found)
        if self.actual and found is None:
            return 1 if root else 0
        own = 0 if named.name in _FREE_TYPES else 1
        return own + self.selection(field.selection_set, named, found)

    def connection(self, field: FieldNode, named: Any, data: Any) -> float:
        assert field.selection_set is not None
        arguments = {argument.name.value: argument.value for argument in field.arguments or ()}
        count = 0
        for name in ("first", "last"):
            value = self.number(arguments.get(name))
            if value is not None:
                count = value
        per_node = 0.0
        seen = None
        for part in self.fields(field.selection_set, named):
            inner = named.fields.get(part.name.value)
            if inner is None or part.selection_set is None:
                continue
            found = self.below(data, part)
            if part.name.value == "nodes":
                seen = len(found or [])
                per_node += 1 + self.average(part.selection_set, get_named_type(inner.type), found)
            elif part.name.value == "edges":
                edge = get_named_type(inner.type)
                for leaf in self.fields(part.selection_set, edge):
                    if leaf.name.value == "node" and leaf.selection_set is not None:
                        nodes = [self.below(entry, leaf) for entry in found or []]
                        seen = len(nodes)
                        per_node += 1 + self.average(leaf.selection_set, get_named_type(edge.fields["node"].type),
                                                     nodes)
        if self.actual and seen is not None:
            count = min(count, seen) if count else seen
        return 2 + size(count) * per_node

    def average(self, selection_set: SelectionSetNode, named: Any, nodes: Any) -> float:
        if not self.actual or not nodes:
            return self.selection(selection_set, named, None if not self.actual else {})
        sample = nodes[:10]  # enough to say what was there; every node would cost more than the query itself
        return sum(self.selection(selection_set, named, node) for node in sample) / len(sample)

    def is_connection(self, named: Any) -> bool:
        return isinstance(named, GraphQLObjectType) and named.name.endswith("Connection") and (
            "nodes" in named.fields or "edges" in named.fields)

    def number(self, node: Any) -> int | None:
        if node is None:
            return None
        if node.kind == "variable":
            value = self.variables.get(node.name.value)
            return value if isinstance(value, int) else None
        return int(node.value) if node.kind == "int_value" else None

    def skipped(self, field: Any) -> bool:
        for directive in field.directives or ():
            if directive.name.value in ("skip", "include") and directive.arguments:
                node = directive.arguments[0].value
                value = self.variables.get(node.name.value) if node.kind == "variable" else getattr(node, "value", None)
                if bool(value) == (directive.name.value == "skip"):
                    return True
        return False

    def below(self, data: Any, field: FieldNode) -> Any:
        if not isinstance(data, Mapping):
            return None
        return data.get(field.alias.value if field.alias else field.name.value)

    def own_fields(self, selection_set: SelectionSetNode) -> list[FieldNode]:
        return [node for node in selection_set.selections if isinstance(node, FieldNode)]

    def branches(self, selection_set: SelectionSetNode) -> list[tuple[str | None, SelectionSetNode]]:
        found: list[tuple[str | None, SelectionSetNode]] = []
        for node in selection_set.selections:
            if isinstance(node, InlineFragmentNode) and not self.skipped(node):
                found.append((node.type_condition.name.value if node.type_condition else None, node.selection_set))
            elif isinstance(node, FragmentSpreadNode) and node.name.value in self.fragments and not self.skipped(node):
                fragment = self.fragments[node.name.value]
                found.append((fragment.type_condition.name.value, fragment.selection_set))
        return found

    def fields(self, selection_set: SelectionSetNode, parent: Any) -> list[FieldNode]:
        """The fields with those of fragments, for types that are no interface."""
        found = self.own_fields(selection_set)
        for _, inner in self.branches(selection_set):
            found += self.fields(inner, parent)
        return [field for field in found if not self.skipped(field)]

"""Which documents may run in bulk, and the words in which the others are refused (facts §4).

All complaints about a query come at once, except that a text which is no valid query has only the one.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from .. import validation
from ..errors import RequestRefused, user_error
from ..execution import Plan
from ..mutations.base import UserErrors
from ..schema import load_schema

_MOST_CONNECTIONS, _MOST_DEPTH, _MOST_BYTES = 5, 2, 65_535
_NOT_IN_BULK = {"bulkOperationRunMutation", "bulkOperationRunQuery", "bulkOperationCancel"}


@dataclass(frozen=True)
class Connection:
    """A connection field of a document: its alias or name, how deep among connections, and what is selected."""

    title: str
    depth: int
    in_list: bool
    nodes_selected: bool
    holds_connections: bool
    selects_id: bool


def query_errors(text: str) -> UserErrors:
    """What keeps a text from running as a bulk query; [] when it may."""
    if len(text.encode()) > _MOST_BYTES:
        return [_invalid(f"Query is too long (maximum is {_MOST_BYTES} bytes)")]
    try:
        document = validation.parsed(text)
    except RequestRefused as refused:
        return [_invalid(f"Invalid bulk query: {_syntax(refused)}")]
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if not operations or operations[0].operation != OperationType.QUERY:
        return [_invalid("Invalid operation type. Only `query` operations are supported.")]
    found = validation.problems(load_schema(), document)
    if found:
        return [_invalid(f"Invalid bulk query: {entry['message']}") for entry in found]
    return list(_query_complaints(document, operations[0]))


def _query_complaints(document: DocumentNode, operation: OperationDefinitionNode) -> Iterator[dict[str, Any]]:
    walk = _Walk(load_schema(), document)
    found = list(walk.connections(operation.selection_set, load_schema().query_type, 0, in_list=False))
    roots = walk.fields(operation.selection_set)
    for root in dict.fromkeys(field.name.value for field in roots):
        if root in ("node", "nodes"):
            yield _invalid(f"Bulk queries cannot contain a top level `{root}` field.")
    if not found:
        yield _invalid("Bulk queries must contain at least one connection.")
    if any(each.depth > _MOST_DEPTH for each in found):
        yield _invalid(f"Bulk queries cannot contain connections with a nesting depth greater than {_MOST_DEPTH}.")
    if len(found) > _MOST_CONNECTIONS:
        yield _invalid(f"Bulk queries cannot contain more than {_MOST_CONNECTIONS} connections.")
    by_nodes = [each.title for each in found if each.nodes_selected]
    if by_nodes:
        listed = ", ".join(f"'{name}'" for name in by_nodes)
        yield _invalid("All connection fields in a bulk query must select their contents using 'edges' > 'node', e.g: "
                       f"'{by_nodes[0]} {{ edges {{ node {{'. Selecting via 'nodes' is not supported. "
                       f"Invalid connection fields: {listed}.")
    without_id = [each.title for each in found if each.holds_connections and not each.selects_id]
    if without_id:
        yield _invalid("The parent 'node' field for a nested connection must select the 'id' field without an alias "
                       "and must be of 'ID' return type. Connection fields without 'id': "
                       f"{', '.join(without_id)}.")
    if any(each.in_list for each in found):
        yield _invalid("Queries that contain a connection field within a list field are not currently supported.")


def mutation_errors(text: str) -> UserErrors:
    """What keeps a text from running as a bulk mutation; [] when it may."""
    try:
        document = validation.parsed(text)
    except RequestRefused as refused:
        return [user_error(None, f"Failed to parse the mutation - {_syntax(refused)}", "INVALID_MUTATION")]
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    walk = _Walk(load_schema(), document)
    names = [field.name.value for operation in operations[:1] for field in walk.fields(operation.selection_set)]
    mutation_type = load_schema().mutation_type
    assert mutation_type is not None
    if len(operations) != 1 or operations[0].operation != OperationType.MUTATION or len(names) != 1 or (
            names[0] in _NOT_IN_BULK or names[0] not in mutation_type.fields):
        return [user_error(["mutation"], "You must use an allowed mutation name.")]
    if walk.count_by_shape(operations[0].selection_set) > 1:
        return [user_error(["mutation"], "Bulk mutations cannot contain more than 1 connection.")]
    found = validation.problems(load_schema(), document)
    if found:
        return [user_error(None, f"Failed to parse the mutation - {found[0]['message']}", "INVALID_MUTATION")]
    return []


@lru_cache(maxsize=64)
def plan_of(text: str) -> Plan:
    """The compiled form of a text that has passed."""
    document = validation.parsed(text)
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return Plan(load_schema(), document, operation)


def _invalid(message: str) -> dict[str, Any]:
    return user_error(["query"], message, "INVALID")


def _syntax(refused: RequestRefused) -> str:
    """The parser's complaint; about nothing at all it names no place."""
    message = str(refused.errors[0]["message"])
    return "syntax error, unexpected end of file" if message == "Unexpected end of document" else message


class _Walk:
    """Looks for connections in a document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self.schema = schema
        self.fragments = {node.name.value: node for node in document.definitions
                          if isinstance(node, FragmentDefinitionNode)}

    def fields(self, selection_set: SelectionSetNode | None) -> list[FieldNode]:
        """The fields with those of fragments, whatever their type conditions."""
        return [field for field, _ in self.typed(selection_set, None)]

    def typed(self, selection_set: SelectionSetNode | None, parent: Any) -> Iterator[tuple[FieldNode, Any]]:
        for node in selection_set.selections if selection_set else ():
            if isinstance(node, FieldNode):
                yield node, parent
                continue
            if isinstance(node, InlineFragmentNode):
                condition, inner = node.type_condition, node.selection_set
            else:
                assert isinstance(node, FragmentSpreadNode)
                fragment = self.fragments[node.name.value]
                condition, inner = fragment.type_condition, fragment.selection_set
            yield from self.typed(inner, self.schema.type_map.get(condition.name.value) if condition else parent)

    def connections(self, selection_set: SelectionSetNode | None, parent: Any, depth: int, *,
                    in_list: bool) -> Iterator[Connection]:
        for field, owner in self.typed(selection_set, parent):
            definition = getattr(owner, "fields", {}).get(field.name.value)
            if definition is None or field.selection_set is None:
                continue
            named = get_named_type(definition.type)
            if not is_connection(named):
                listed = is_list_type(get_nullable_type(definition.type))
                yield from self.connections(field.selection_set, named, depth, in_list=in_list or listed)
                continue
            below: list[Connection] = []
            parts = self.fields(field.selection_set)
            node_sets = [inner.selection_set for edge in parts if edge.name.value == "edges"
                         for inner in self.fields(edge.selection_set) if inner.name.value == "node"]
            node_type = get_named_type(get_named_type(named.fields["edges"].type).fields["node"].type)
            for node_set in node_sets:
                below += self.connections(node_set, node_type, depth + 1, in_list=False)
            by_nodes = any(part.name.value == "nodes" for part in parts)
            ids = any(inner.name.value == "id" and inner.alias is None for node_set in node_sets
                      for inner in self.fields(node_set))
            yield Connection(field.alias.value if field.alias else field.name.value, depth, in_list, by_nodes,
                             bool(below), ids)
            yield from below

    def count_by_shape(self, selection_set: SelectionSetNode | None) -> int:
        """How many fields select edges or nodes: a mutation's text is not yet known to fit the schema."""
        total = 0
        for field in self.fields(selection_set):
            names = {inner.name.value for inner in self.fields(field.selection_set)}
            total += bool(names & {"edges", "nodes"}) + self.count_by_shape(field.selection_set)
        return total


def is_connection(named: Any) -> bool:
    return str(named.name).endswith("Connection") and "edges" in getattr(named, "fields", {})

"""Compare the cost model with every recorded (document, cost) pair that is valid on our schema."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graphql import FragmentDefinitionNode, OperationDefinitionNode

from demo.shopify import cost, validation, variables
from demo.shopify.errors import RequestRefused
from demo.shopify.schema import load_schema

from . import recordings


@dataclass(frozen=True)
class Pair:
    recording: str
    path: str
    query: str
    recorded: int
    worked_out: int

    @property
    def near(self) -> bool:
        """Within a tenth, or one point for small ones."""
        return abs(self.recorded - self.worked_out) <= max(1, self.recorded * 0.1)


def pairs(*patterns: str) -> Iterator[Pair]:
    """One pair for each distinct document and cost."""
    schema, seen = load_schema(), set()
    for name in recordings.names(*patterns):
        for step in recordings.read(name).steps:
            recorded = ((step.body.get("extensions") or {}).get("cost") or {}).get("requestedQueryCost")
            if step.query is None or recorded is None:
                continue
            try:
                document = validation.parsed(step.query)
            except RequestRefused:
                continue
            operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
            if len(operations) != 1 or validation.problems(schema, document):
                continue
            try:
                values = variables.read(schema, operations[0], step.variables)
            except RequestRefused:
                continue
            fragments = {node.name.value: node for node in document.definitions
                         if isinstance(node, FragmentDefinitionNode)}
            key = (step.query, recorded)
            if key not in seen:
                seen.add(key)
                yield Pair(name, step.path, step.query, recorded,
                           cost.operation_cost(schema, operations[0], fragments, values))

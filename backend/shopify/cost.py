"""Shopify's points: what an answer says that its document cost, and what a document may cost at most.

The formula of a document's cost is not published, so it is learned: the cost that Shopify worked out for a document
stands in each of its answers. Only of a document that has never been sent `weigh` guesses, by the formula that was
fitted to recordings (facts §3), and rather too much: what is free of charge is counted, for only the schema tells.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

SHORTEST_WAIT_SECONDS = 1.0
DEAREST = 1000
"""Points of one document, on every plan (facts §3)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """`extensions.cost` of one answer, in points; the rate in points a second."""

    requested: float
    actual: float | None
    available: float
    maximum: float
    restore_rate: float

    @classmethod
    def of(cls, raw: Any) -> Cost | None:
        """None where the answer carries no cost, or not one of this shape."""
        try:
            status = raw["throttleStatus"]
            actual = raw.get("actualQueryCost")
            return cls(float(raw["requestedQueryCost"]), None if actual is None else float(actual),
                       float(status["currentlyAvailable"]), float(status["maximumAvailable"]),
                       float(status["restoreRate"]))
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def wait_seconds(self) -> float:
        """How long until a throttled document can be sent again; at least one second, as Shopify asks."""
        if self.restore_rate <= 0:
            return SHORTEST_WAIT_SECONDS
        return max((self.requested - self.available) / self.restore_rate, SHORTEST_WAIT_SECONDS)


def weigh(document: str, variables: dict[str, Any]) -> float:
    """The most that a document of ours can cost: what it asks for first, per connection, with these variables."""
    # Parsing is only needed for documents that nobody has sent yet, and importing the parser takes its time.
    from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse

    tree = parse(document)
    fragments = {part.name.value: part for part in tree.definitions if isinstance(part, FragmentDefinitionNode)}
    operation = next(part for part in tree.definitions if isinstance(part, OperationDefinitionNode))
    scale = _Scale(fragments, variables)
    roots = operation.selection_set.selections
    if operation.operation.value == "mutation":
        # Big inputs cost extra: up to 0.4 points for each thing in a list (facts §3).
        return sum(10 + scale.inside(root) for root in roots) + math.ceil(0.4 * _entries(variables))
    return sum(scale.field(root) for root in roots)


def size(count: int) -> int:
    """What a connection of so many multiplies its things with."""
    return max(1, math.floor(2 * math.log(count))) if count > 0 else 0


class _Scale:
    def __init__(self, fragments: dict[str, Any], variables: dict[str, Any]) -> None:
        self._fragments = fragments
        self._variables = variables

    def field(self, node: Any) -> float:
        if not node.selection_set or node.name.value == "pageInfo":
            return 10 if node.name.value.endswith("Count") else 0
        first = next((one.value for one in node.arguments or () if one.name.value in ("first", "last")), None)
        if first is None:
            return 1 + self.inside(node)
        count = int(first.value) if hasattr(first, "value") else int(self._variables.get(first.name.value) or 0)
        return 2 + size(count) * self.inside(node)

    def inside(self, node: Any) -> float:
        """All that is selected in it; of several fragments for several types the dearest counts, once."""
        total = dearest = 0.0
        for part in node.selection_set.selections if node.selection_set else ():
            if part.kind == "fragment_spread":
                total += self.inside(self._fragments[part.name.value])
            elif part.kind == "inline_fragment":
                dearest = max(dearest, self.inside(part))
            else:
                total += self.field(part)
        return total + dearest


def _entries(value: Any) -> int:
    """How many things stand in the lists of an input."""
    if isinstance(value, list):
        return len(value) + sum(map(_entries, value))
    parts: Iterable[Any] = value.values() if isinstance(value, dict) else ()
    return sum(map(_entries, parts))

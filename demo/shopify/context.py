"""What a resolver gets besides its arguments."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graphql import FieldNode, GraphQLResolveInfo

from .state import Store


@dataclass
class Context:
    """The store, the request's variables, and where in the document the resolver stands."""

    store: Store
    variables: dict[str, Any]
    info: GraphQLResolveInfo | None = None
    search_reports: list[dict[str, Any]] = field(default_factory=list)
    writes: int = 0

    def at(self, info: GraphQLResolveInfo) -> Context:
        self.info = info
        return self

    @property
    def path(self) -> list[Any]:
        return self.info.path.as_list() if self.info else []

    @property
    def node(self) -> FieldNode:
        """The field as written in the document, with its directives."""
        assert self.info is not None
        return self.info.field_nodes[0]

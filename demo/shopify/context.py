"""What a resolver gets besides its arguments."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import FieldNode

from .state import Store

if TYPE_CHECKING:
    from .execution import Place, Step


@dataclass
class Context:
    """The store, the request's variables, and where in the document the resolver stands."""

    store: Store
    variables: dict[str, Any]
    search_reports: list[dict[str, Any]] = field(default_factory=list)
    writes: int = 0
    version: str = ""  # the API version that answers, "" for the newest
    base_url: str = ""  # where the store is reached: uploads and results have addresses below it
    step: Step | None = None
    place: Place = None

    @property
    def path(self) -> list[Any]:
        from .execution import path_of
        return list(path_of(self.place))

    @property
    def info(self) -> Step:
        """The field that is being resolved: its `field_name`, `nodes` and `operation`."""
        assert self.step is not None
        return self.step

    @property
    def node(self) -> FieldNode:
        """The field as written in the document, with its directives."""
        return self.info.nodes[0]

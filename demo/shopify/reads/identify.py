"""Things by a custom id: a metafield of type `id`, whose values are unique among the owners of its definition."""
from __future__ import annotations

from typing import Any

from ..context import Context
from ..errors import TopLevelError
from ..ids import kind_of
from ..model import OWNER_TYPES
from .metafields import resolved_namespace


def custom_place(context: Context, kind: str, custom: dict[str, Any]) -> tuple[str, str]:
    """Namespace and key of the definition that a custom id needs; a top-level NOT_FOUND without one."""
    place = (resolved_namespace(context, custom.get("namespace")), custom["key"])
    definition = context.store.definitions.get((OWNER_TYPES[kind], *place))
    if definition is None or definition.type_name != "id":
        raise TopLevelError("Metafield definition of type 'id' is required when using custom ids.", "NOT_FOUND")
    return place


def by_custom_id(context: Context, kind: str, custom: dict[str, Any]) -> Any | None:
    """The thing of the kind that has this custom id, or None."""
    place = custom_place(context, kind, custom)
    for held in context.store.metafields.values():
        if (held.namespace, held.key) == place and held.value == custom["value"] and kind_of(held.owner) == kind:
            return context.store.thing(held.owner)
    return None

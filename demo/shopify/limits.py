"""How long input lists may be: over the limit the whole request is refused (MAX_INPUT_SIZE_EXCEEDED, facts §2, §3)."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    FieldNode,
    OperationDefinitionNode,
    get_location,
    value_from_ast_untyped,
)

from .errors import RequestRefused

DEFAULT = 250
# Lists with limits of their own, by the path of names; the bulk mutations answer too many metafields themselves.
_OTHER: dict[tuple[str, ...], int | None] = {
    ("productSet", "input", "variants"): 2048,
    ("productVariantsBulkCreate", "variants"): 2048,
    ("productVariantsBulkUpdate", "variants"): 2048,
    ("productVariantsBulkDelete", "variantsIds"): 2048,
    ("metafieldsSet", "metafields"): None,
}


def check_sizes(operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> None:
    """Raise RequestRefused for the first input list of a root field that is too long."""
    for node in operation.selection_set.selections:
        if not isinstance(node, FieldNode):
            continue
        alias = node.alias.value if node.alias else node.name.value
        for argument in node.arguments or ():
            value = value_from_ast_untyped(argument.value, dict(variables))
            found = _longest(value, (node.name.value, argument.name.value))
            if found is not None:
                path, size, most = found
                assert node.loc is not None
                place = get_location(node.loc.source, node.loc.start)
                raise RequestRefused([{
                    "message": f"The input array size of {size} is greater than the maximum allowed of {most}.",
                    "locations": [{"line": place.line, "column": place.column}],
                    "path": [alias, *path[1:]], "extensions": {"code": "MAX_INPUT_SIZE_EXCEEDED"}}], costed=True)


def _longest(value: Any, path: tuple[str, ...]) -> tuple[tuple[str, ...], int, int] | None:
    if isinstance(value, list):
        most = _OTHER.get(path, DEFAULT)
        if most is not None and len(value) > most:
            return path, len(value), most
        for entry in value:
            found = _longest(entry, path)
            if found:
                return found
    elif isinstance(value, dict):
        for key, entry in value.items():
            found = _longest(entry, (*path, key))
            if found:
                return found
    return None

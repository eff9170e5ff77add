"""Write a GraphQL document from the keys of an answer, for recordings that lack the text of the request.

The root field must be known by name, its arguments by the names of the variables; what has an alias or needs
arguments that nobody can guess is left out of the document, and `Written.left_out` says where.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLSchema, get_named_type, is_abstract_type, is_leaf_type, is_required_argument


@dataclass
class Written:
    text: str
    left_out: list[tuple[str, ...]] = field(default_factory=list)


class CannotWrite(Exception):
    """The keys do not say enough."""


IDEMPOTENT = {"inventorySetQuantities", "inventoryAdjustQuantities", "inventoryMoveQuantities",
              "inventorySetOnHandQuantities", "inventoryActivate", "locationActivate", "locationDeactivate"}


def written(schema: GraphQLSchema, data: dict[str, Any], variables: dict[str, Any], *, keyed: bool = True) -> Written:
    """A document whose answer has the keys of `data`. Raises CannotWrite.

    keyed: with @idempotent where there is a variable for the key.
    """
    assert schema.query_type is not None
    assert schema.mutation_type is not None
    if not data:
        raise CannotWrite("no data")
    if all(name in schema.mutation_type.fields for name in data):
        word, root = "mutation", schema.mutation_type
    elif all(name in schema.query_type.fields for name in data):
        word, root = "query", schema.query_type
    else:
        raise CannotWrite("aliases at the root")
    left_out: list[tuple[str, ...]] = []
    declared: dict[str, str] = {}
    parts = []
    for name, value in data.items():
        definition = root.fields[name]
        arguments = []
        for key, argument in definition.args.items():
            if key in variables:
                declared[key] = str(argument.type)
                arguments.append(f"{key}: ${key}")
            elif key == "id" and isinstance(value, dict) and isinstance(value.get("id"), str) and word == "query":
                arguments.append(f'id: "{value["id"]}"')
            elif is_required_argument(argument):
                raise CannotWrite(f"{name} needs {key}")
        if definition.args and not arguments and word == "mutation":
            raise CannotWrite(f"no variables for {name}")
        directive = ""
        if keyed and "idempotencyKey" in variables and name in IDEMPOTENT:
            declared["idempotencyKey"] = "String!"
            directive = " @idempotent(key: $idempotencyKey)"
        arguments += _window(definition, value, arguments)
        listed = f"({', '.join(arguments)})" if arguments else ""
        parts.append(f"{name}{listed}{directive}" + _selection(schema, definition.type, value, (name,), left_out))
    unused = set(variables) - set(declared) - {"idempotencyKey"}
    if unused:
        raise CannotWrite(f"no argument for {', '.join(sorted(unused))}")
    head = ", ".join(f"${key}: {type_}" for key, type_ in declared.items())
    return Written(f"{word} Written{f'({head})' if head else ''} {{ {' '.join(parts)} }}", left_out)


def _selection(schema: GraphQLSchema, type_: Any, value: Any, path: tuple[str, ...],
               left_out: list[tuple[str, ...]]) -> str:
    named = get_named_type(type_)
    if is_leaf_type(named):
        return ""
    keys: dict[str, list[Any]] = {}
    for entry in _objects(value):
        for key, inner in entry.items():
            keys.setdefault(key, []).append(inner)
    parts = []
    if is_abstract_type(named):
        found = next((entry["id"] for entry in _objects(value) if isinstance(entry.get("id"), str)), None)
        kind = found.split("/")[3] if found else None
        if kind not in schema.type_map:
            return " { __typename }"
        inner = _fields(schema, schema.type_map[kind], keys, path, left_out)
        return f" {{ ... on {kind} {{ {' '.join(inner)} }} }}"
    parts = _fields(schema, named, keys, path, left_out)
    return f" {{ {' '.join(parts) or '__typename'} }}"


def _fields(schema: GraphQLSchema, named: Any, keys: dict[str, list[Any]], path: tuple[str, ...],
            left_out: list[tuple[str, ...]]) -> list[str]:
    parts = []
    for key, values in keys.items():
        here = (*path, key)
        definition = named.fields.get(key)
        if key == "__typename":
            parts.append(key)
            continue
        if definition is None:
            left_out.append(here)
            continue
        arguments = _window(definition, values, [])
        if key == "quantities":
            names = list(dict.fromkeys(row["name"] for rows in values for row in rows or () if "name" in row))
            arguments = [f"names: [{', '.join(f'{chr(34)}{name}{chr(34)}' for name in names)}]"]
        elif any(is_required_argument(argument) for argument in definition.args.values()):
            left_out.append(here)
            continue
        listed = f"({', '.join(arguments)})" if arguments else ""
        parts.append(f"{key}{listed}{_selection(schema, definition.type, values, here, left_out)}")
    return parts


def _window(definition: Any, values: Any, given: list[str]) -> list[str]:
    if "first" not in definition.args or not get_named_type(definition.type).name.endswith("Connection") or any(
            text.startswith(("first", "last")) for text in given):
        return []
    most = 1
    for entry in _objects(values):
        rows = entry.get("nodes", entry.get("edges")) or []
        more = (entry.get("pageInfo") or {}).get("hasNextPage")
        most = max(most, len(rows) if more else 50)
    return [f"first: {most}"]


def _objects(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list):
        return [entry for each in value for entry in _objects(each)]
    return []

"""Read the variables of a request, and refuse what does not fit with Shopify's INVALID_VARIABLE (facts §2)."""
from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from graphql import (
    GraphQLSchema,
    OperationDefinitionNode,
    get_location,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
    print_ast,
    type_from_ast,
    value_from_ast_untyped,
)

from .errors import RequestRefused
from .ids import is_global_id

Problem = dict[str, Any]


def read(schema: GraphQLSchema, operation: OperationDefinitionNode, given: dict[str, Any]) -> dict[str, Any]:
    """The variables that the operation declares, defaults filled in; RequestRefused when one does not fit."""
    errors, values = [], {}
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        expected = type_from_ast(schema, definition.type)
        assert expected is not None  # the document has been validated
        if name not in given and definition.default_value is not None:
            values[name] = value_from_ast_untyped(definition.default_value)
            continue
        if name not in given and not is_non_null_type(expected):
            continue
        value = given.get(name)
        found = _check(value, expected, [])
        if found:
            errors.append(_refusal(definition, name, print_ast(definition.type), value, found))
        values[name] = value
    if errors:
        raise RequestRefused(errors)
    return values


def _refusal(definition: Any, name: str, type_name: str, value: Any, found: list[Problem]) -> dict[str, Any]:
    details = ", ".join(f"{'.'.join(str(part) for part in problem['path'])} ({problem['explanation']})"
                        for problem in found if problem["path"])
    message = f"Variable ${name} of type {type_name} was provided invalid value"
    if details:
        message += f" for {details}"
    place = get_location(definition.loc.source, definition.loc.start)
    return {"message": message, "locations": [{"line": place.line, "column": place.column}],
            "extensions": {"code": "INVALID_VARIABLE", "value": value, "problems": found}}


def _check(value: Any, expected: Any, path: list[Any]) -> list[Problem]:
    if is_non_null_type(expected):
        if value is None:
            return [_problem(path, "Expected value to not be null")]
        return _check(value, expected.of_type, path)
    if value is None:
        return []
    if is_list_type(expected):
        entries = value if isinstance(value, list) else [value]  # one value stands for a list of it
        return [problem for index, entry in enumerate(entries)
                for problem in _check(entry, expected.of_type, [*path, index])]
    if is_enum_type(expected):
        if not isinstance(value, str) or value not in expected.values:
            listed = ", ".join(expected.values)
            return [_problem(path, f"Expected {json.dumps(value)} to be one of: {listed}")]
        return []
    if is_input_object_type(expected):
        return _check_object(value, expected, path)
    return _check_scalar(value, expected.name, path)


def _check_object(value: Any, expected: Any, path: list[Any]) -> list[Problem]:
    if not isinstance(value, dict):
        return [_problem(path, f"Expected {json.dumps(value)} to be a key-value object.")]
    found = []
    for key, entry in value.items():
        if key in expected.fields:
            found += _check(entry, expected.fields[key].type, [*path, key])
        else:
            found.append(_problem([*path, key], f"Field is not defined on {expected.name}"))
    for key, definition in expected.fields.items():
        if key not in value and is_required_input_field(definition):
            found.append(_problem([*path, key], "Expected value to not be null"))
    if expected.is_one_of and not found:
        must = f"'{expected.name}' requires exactly one argument, but "
        if len(value) != 1:
            found.append(_problem(path, f"{must}{len(value)} were provided."))
        elif None in value.values():
            found.append(_problem(path, f"{must}'{next(iter(value))}' was `null`."))
    return found


def _check_scalar(value: Any, name: str, path: list[Any]) -> list[Problem]:
    if name == "ID":
        if is_global_id(value):
            return []
        explanation = f"Invalid global id '{value}'"
        return [{**_problem(path, explanation), "message": explanation}]
    if name in _PLAIN and not _PLAIN[name](value):
        return [_problem(path, f"Could not coerce value {json.dumps(value)} to {name}")]
    if name in _TEXTUAL:
        try:
            _TEXTUAL[name](value)
        except (ValueError, InvalidOperation, TypeError):
            explanation = f"{name} is invalid" if name == "DateTime" else f"Invalid {name.lower()} '{value}'"
            return [{**_problem(path, explanation), "message": explanation}]
    return []


def _problem(path: list[Any], explanation: str) -> Problem:
    return {"path": path, "explanation": explanation}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_PLAIN = {
    "Int": lambda value: isinstance(value, int) and not isinstance(value, bool) and -2**31 <= value < 2**31,
    "Float": _is_number,
    "String": lambda value: isinstance(value, str),
    "Boolean": lambda value: isinstance(value, bool),
    "URL": lambda value: isinstance(value, str),
    "HTML": lambda value: isinstance(value, str),
}


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError(value)
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError(value)
    return number


_TEXTUAL = {
    "Money": _decimal,
    "Decimal": _decimal,
    "UnsignedInt64": lambda value: int(value),
    "DateTime": lambda value: datetime.fromisoformat(str(value).replace("Z", "+00:00")),
    "Date": lambda value: datetime.fromisoformat(str(value)),
}

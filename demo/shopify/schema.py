"""Shopify's own schema 2026-10, built once a process and bound to the resolvers of this package."""
from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLScalarType,
    GraphQLSchema,
    build_client_schema,
)

from . import absent, access
from .errors import not_simulated
from .ids import gid
from .registry import RESOLVERS, Resolver, snake

VERSION = "2026-10"
_FILE = Path(__file__).parent / "vendor" / f"admin_{VERSION}.json.gz"


@cache
def introspection() -> dict[str, Any]:
    """The vendored file: `data.__schema` and `offline_scopes`."""
    with gzip.open(_FILE) as stream:
        return json.load(stream)  # type: ignore[no-any-return]


@cache
def load_schema() -> GraphQLSchema:
    """The executable schema; takes about half a second the first time."""
    from . import metaobjects, mutations, reads, segments  # noqa: F401 - importing them fills the registry
    schema = build_client_schema(introspection()["data"], assume_valid=True)
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLScalarType) and type_.name in _SHOWN:
            type_.serialize = _SHOWN[type_.name]  # type: ignore[method-assign]
            type_.coerce_output_value = _SHOWN[type_.name]  # type: ignore[method-assign]
    return schema


@cache
def resolver_of(type_name: str, field_name: str) -> Resolver:
    """The field's resolver behind what the token may see."""
    inner = _resolving(type_name, field_name)
    needed, hidden = access.required(type_name, field_name), access.protected(type_name, field_name)
    if (type_name, field_name) not in RESOLVERS and type_name not in ("Mutation", "QueryRoot"):
        needed = None  # what nothing stands behind says so, whatever the token may see
    if needed is None and not hidden:
        return inner

    def guarded(source: Any, arguments: dict[str, Any], context: Any) -> Any:
        store = context.store
        if needed is not None and not needed.met_by(store.granted()):
            raise access.denied(field_name, needed.sentence)
        if hidden and not store.protected_data:
            raise access.unapproved(type_name, with_code=store.behaviour.protected_data_has_code)
        return inner(source, arguments, context)
    return guarded


def _resolving(type_name: str, field_name: str) -> Resolver:
    resolver = RESOLVERS.get((type_name, field_name))
    if resolver is not None:
        def resolve(source: Any, arguments: dict[str, Any], context: Any) -> Any:
            adopted = getattr(source, "adopted", None)
            if adopted and field_name in adopted:
                return adopted[field_name]
            return resolver(source, arguments, context)
        return resolve
    if type_name == "QueryRoot" and absent.kind_of_root(field_name):
        return absent.root(field_name)
    attribute = snake(field_name)

    def look_up(source: Any, arguments: dict[str, Any], context: Any) -> Any:
        if source.__class__ is dict:
            if field_name in source:
                return source[field_name]
            raise not_simulated(type_name, field_name)
        if field_name == "id":
            return source.gid
        if field_name == "legacyResourceId":
            return str(source.id)
        adopted = getattr(source, "adopted", None)
        if adopted and field_name in adopted:
            return adopted[field_name]
        try:
            return getattr(source, attribute)
        except AttributeError:
            raise not_simulated(type_name, field_name) from None
    return look_up


def type_name_of(source: Any) -> str:
    """The object type of a value that stands where the schema has an interface or a union."""
    if isinstance(source, dict):
        return str(source["__typename"])
    return str(getattr(source, "type_name", None) or source.kind)


def _date_time(value: Any) -> str:
    if isinstance(value, datetime) and value.tzinfo is UTC:
        return value.isoformat()[:19] + "Z"
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    if not isinstance(value, datetime):
        return str(value)
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def money(value: Any) -> str:
    """The Money scalar: at least two decimals, `"24.00"`."""
    amount = Decimal(str(value))
    exponent = amount.normalize().as_tuple().exponent
    places = max(2, -exponent if isinstance(exponent, int) else 2)
    return f"{amount:.{places}f}"


def decimal(value: Any) -> str:
    """The Decimal scalar, as MoneyV2 has it: one decimal at least and no padding, `"24.0"`."""
    text = f"{Decimal(str(value)).normalize():f}"
    return text if "." in text else f"{text}.0"


_SHOWN: dict[str, Any] = {
    "ID": lambda value: value if isinstance(value, str) else gid(*value),
    "DateTime": _date_time,
    "Date": str,
    "Money": money,
    "Decimal": decimal,
    "UnsignedInt64": str,
    "BigInt": str,
    "JSON": lambda value: value,
}

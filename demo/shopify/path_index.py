"""Write the index of readable paths that the product checks custom fields against, from the vendored schema:

    python -m demo.shopify.path_index > backend/shopify/vendor/paths_2026-10.json

    {"Order": {"name": "String", "shippingAddress": "MailingAddress", "displayFinancialStatus": "=",
               "tags": "[String", "fulfillments": "[Fulfillment", "lineItems": "+LineItem"}}

A sign before the type tells a plain list, a connection, or an enumeration. Left out are deprecated fields, those that
ask for an argument, unions, and what only mutations answer. What cannot be reached from the product's resources is not
in it.
"""
from __future__ import annotations

import json
import sys
from collections.abc import Iterable

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_required_argument,
)

from .schema import load_schema

STARTS = ("Product", "ProductVariant", "InventoryLevel", "Location", "Collection", "Order", "LineItem", "Customer",
          "DraftOrder", "DraftOrderLineItem", "FulfillmentOrder", "Fulfillment", "InventoryItem")
STEPS = 5
"""How many things deep a path may go."""


def index() -> dict[str, dict[str, str]]:
    types = load_schema().type_map
    found: dict[str, dict[str, str]] = {}
    edge: Iterable[str] = STARTS
    for _ in range(STEPS):
        reached: set[str] = set()
        for name in sorted(set(edge) - found.keys()):
            kind = types[name]
            if not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
                continue
            fields = {field: told for field, about in sorted(kind.fields.items()) if (told := _told(about))}
            found[name] = fields
            reached |= {told.lstrip("[+") for told in fields.values()} & types.keys()
        edge = reached
    # What lies beyond the last step is no way on, only its plain values are.
    return {name: {field: told for field, told in fields.items()
                   if isinstance(types.get(told.lstrip("[+")), GraphQLScalarType) or told.lstrip("[+") in found
                   or told.endswith("=")} for name, fields in sorted(found.items())}


def _told(about: GraphQLField) -> str:
    if about.deprecation_reason or any(is_required_argument(one) for one in about.args.values()):
        return ""
    kind, plain = get_named_type(about.type), get_nullable_type(about.type)
    if isinstance(kind, GraphQLObjectType) and kind.name.endswith("Connection") and "nodes" in kind.fields:
        return f"+{get_named_type(kind.fields['nodes'].type).name}"
    sign = "[" if is_list_type(plain) else ""
    if isinstance(kind, GraphQLEnumType):
        return f"{sign}="
    readable = isinstance(kind, GraphQLScalarType | GraphQLObjectType | GraphQLInterfaceType)
    return f"{sign}{kind.name}" if readable else ""


if __name__ == "__main__":
    json.dump(index(), sys.stdout, separators=(",", ":"), sort_keys=True)
    sys.stdout.write("\n")

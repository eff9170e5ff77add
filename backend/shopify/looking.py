"""What a person who sets up a mapping wants to know of a store: how many there are of each, what the app may do, and
which metafields are defined.

    {"scopes": ["read_products", …] or None, "counts": {"products": {"n": 212, "exact": true}, …},
     "metafields": {"products": [{"name": "metafields.custom.material", "label": "Material"}, …]}}

A count costs 10 points (facts §3) and stops at 10,000 unless `limit: null` lifts that (facts §2). What may not be read
is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from backend.core.model import Resource
from backend.errors import RetryLater, UserError
from backend.shopify.client import Client
from backend.shopify.metafields import KINDS
from backend.shopify.reading import read_definitions
from backend.shopify.resource import StoreResource

log = logging.getLogger(__name__)

COUNTS = {
    "products": "productsCount", "variants": "productVariantsCount", "collections": "collectionsCount",
    "customers": "customersCount", "orders": "ordersCount", "draft_orders": "draftOrdersCount",
    "locations": "locationsCount",
}
"""The root that counts a resource. Stock levels and lines have none."""


def look(client: Client, resources: Iterable[Resource], scopes: frozenset[str] | None) -> dict[str, Any]:
    """Everything at once, for the resources that the app may read. Raises AccessError where the key opens nothing,
    RetryLater."""
    if scopes is not None and "read_inventory" in scopes:
        scopes |= {"read_locations"}  # locations can be read with either (facts §1)
    counts: dict[str, Any] = {}
    metafields: dict[str, Any] = {}
    for resource in resources:
        if scopes is not None and not set(resource.scopes) <= scopes:
            continue
        counted = count(client, resource)
        if counted is not None:
            counts[resource.name] = counted
        if isinstance(resource, StoreResource) and resource.owner:
            metafields[resource.name] = _metafields(client, resource.owner)
    return {"scopes": None if scopes is None else sorted(scopes), "counts": counts, "metafields": metafields}


def count(client: Client, resource: Resource, search: str = "") -> dict[str, Any] | None:
    """How many things a search finds: {"n", "exact"}; None where Shopify counts none of these, or not for us.

    Raises UserError for a search that Shopify does not understand.
    """
    root = COUNTS.get(resource.name)
    if root is None:
        return None
    try:
        answer = client.run(count_document(root, resource.name), {"query": search or None})
    except RetryLater:
        raise
    except UserError:
        if search:
            raise
        log.info("%s cannot be counted", resource.name)
        return None
    told = answer.root(root, f"the number of {resource.label.lower()}")
    return {"n": int(told["count"]), "exact": told["precision"] == "EXACT"}


def count_document(root: str, name: str) -> str:
    """Variables: query."""
    return f"query Count_{name}($query: String) {{ {root}(query: $query, limit: null) {{ count precision }} }}"


def _metafields(client: Client, owner: str) -> list[dict[str, Any]]:
    try:
        found = read_definitions(client, owner)
    except RetryLater:
        raise
    except UserError:
        log.info("the metafields of %s cannot be listed", owner)
        return []
    return [{"name": name, "label": str(one.get("name") or name), "type": str(one["type"]["name"]),
             "writable": one["type"]["name"] in KINDS} for name, one in found.items()]

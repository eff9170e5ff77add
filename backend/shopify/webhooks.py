"""Shopify's webhooks: whether one is Shopify's, and what it hints at. Facts §11."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

_KINDS = {
    "products": (("products", "Product"), ("variants", "Product"), ("inventory", "Product")),
    "collections": (("collections", "Collection"),),
    "orders": (("orders", "Order"), ("order_lines", "Order")),
    "draft_orders": (("draft_orders", "DraftOrder"), ("draft_order_lines", "DraftOrder")),
    "customers": (("customers", "Customer"),),
    "locations": (("locations", "Location"),),
}


def verified(raw_body: bytes, header: str, secrets: Sequence[str]) -> bool:
    """Whether `header` (X-Shopify-Hmac-Sha256) signs these bytes with one of the secrets."""
    try:
        said = base64.b64decode(header, validate=True)
    except (binascii.Error, ValueError):
        return False
    # All of them are compared, whichever fits: how long it takes says nothing.
    fits = [hmac.compare_digest(hmac.digest(one.encode(), raw_body, hashlib.sha256), said) for one in secrets if one]
    return any(fits)


def hints(topic: str, payload: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """(resource, gid) of what may have changed; "" for the gid: anything of the resource."""
    family = topic.partition("/")[0]
    if family in ("inventory_levels", "inventory_items"):
        gid = payload.get("admin_graphql_api_id", "")
        whole = gid if family == "inventory_levels" and isinstance(gid, str) else ""
        return (("inventory", whole),) if family == "inventory_levels" else (("variants", ""), ("inventory", ""))
    number = payload.get("id")
    found = _KINDS.get(family, ())
    return tuple(
        (resource, f"gid://shopify/{kind}/{number}" if resource == family and isinstance(number, int) else "")
        for resource, kind in found
    )

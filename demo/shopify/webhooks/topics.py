"""Which topics a happening has: `PRODUCTS_UPDATE` is `products/update` in the header of a delivery."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..state import Store
    from ..trade import Order

# A kind of thing → the topic's first word, and what creating, changing and deleting is called there.
_WORDS: dict[str, tuple[str, str, str, str]] = {
    "Product": ("products", "create", "update", "delete"),
    "Collection": ("collections", "create", "update", "delete"),
    "InventoryItem": ("inventory_items", "create", "update", "delete"),
    "InventoryLevel": ("inventory_levels", "connect", "update", "disconnect"),
    "Order": ("orders", "create", "updated", "delete"),
    "DraftOrder": ("draft_orders", "create", "update", "delete"),
    "Customer": ("customers", "create", "update", "delete"),
    "Location": ("locations", "create", "update", "delete"),
    "Fulfillment": ("fulfillments", "create", "update", "delete"),
    "Refund": ("refunds", "create", "update", "delete"),
    "MetafieldDefinition": ("metafield_definitions", "create", "update", "delete"),
    "BulkOperation": ("bulk_operations", "create", "finish", "delete"),
    "Shop": ("shop", "create", "update", "delete"),
}
# What the first word of a topic asks the token for.
_SCOPES = {"products": "read_products", "collections": "read_products", "inventory_items": "read_inventory",
           "inventory_levels": "read_inventory", "orders": "read_orders", "refunds": "read_orders",
           "draft_orders": "read_draft_orders", "customers": "read_customers", "customer": "read_customers",
           "locations": "read_locations", "fulfillments": "read_fulfillments",
           "metafield_definitions": "read_content"}
_FULFILLMENT_ORDER_SCOPES = {"read_assigned_fulfillment_orders", "read_merchant_managed_fulfillment_orders",
                             "read_third_party_fulfillment_orders", "read_marketplace_fulfillment_orders"}
PROTECTED = ("orders", "draft_orders", "customers", "customer", "fulfillments", "refunds", "fulfillment_orders")


def of_thing(kind: str, action: str) -> str | None:
    """The topic of creating (`create`), changing (`update`) or deleting (`destroy`) a thing; None without one."""
    words = _WORDS.get(kind)
    return None if words is None else f"{words[0]}/{words[{'create': 1, 'update': 2, 'destroy': 3}[action]]}"


def header_of(name: str) -> str:
    """`INVENTORY_LEVELS_UPDATE` → `inventory_levels/update`; a few topics have dots instead."""
    lower = name.lower()
    if lower.startswith("customer_tags_"):
        return f"customer.{lower.removeprefix('customer_')}"
    for words in sorted({row[0] for row in _WORDS.values()} | {"app", "fulfillment_orders", "variants", "themes"},
                        key=len, reverse=True):
        if lower.startswith(f"{words}_"):
            return f"{words}/{lower.removeprefix(f'{words}_')}"
    first, _, rest = lower.partition("_")
    return f"{first}/{rest}"


def missing_scope(store: Store, header: str) -> str | None:
    """The scope that the topic asks for and the token lacks."""
    first = header.partition("/")[0].partition(".")[0]
    if first == "fulfillment_orders":
        return None if _FULFILLMENT_ORDER_SCOPES & store.granted() else "read_merchant_managed_fulfillment_orders"
    scope = _SCOPES.get(first)
    return scope if scope is not None and scope not in store.granted() else None


class OrderWatch:
    """Remembers how orders stood, to tell what else a change of one was: paid, cancelled, sent, refunded."""

    def __init__(self) -> None:
        self._stood: dict[int, dict[str, Any]] = {}

    def remember(self, order: Order) -> None:
        self._stood[order.id] = _standing(order)

    def forget(self, number: int) -> None:
        self._stood.pop(number, None)

    def changes(self, order: Order) -> list[tuple[str, Any]]:
        """`(topic, thing)` for what happened to the order since it was looked at last."""
        now, before = _standing(order), self._stood.get(order.id)
        self._stood[order.id] = now
        found: list[tuple[str, Any]] = []
        old = before or {"financial": None, "fulfilment": "UNFULFILLED", "cancelled": False, "lines": now["lines"],
                         "fulfillments": {}, "refunds": set()}
        if now["financial"] != old["financial"] and now["financial"] == "PAID":
            found.append(("orders/paid", order))
        if now["cancelled"] and not old["cancelled"]:
            found.append(("orders/cancelled", order))
        if now["lines"] != old["lines"]:
            found.append(("orders/edited", order))
        if now["fulfilment"] != old["fulfilment"]:
            found += [(topic, order) for status, topic in (("FULFILLED", "orders/fulfilled"),
                                                           ("PARTIALLY_FULFILLED", "orders/partially_fulfilled"))
                      if now["fulfilment"] == status]
        for each in order.fulfillments:
            if each.id not in old["fulfillments"]:
                found.append(("fulfillments/create", each))
            elif old["fulfillments"][each.id] != now["fulfillments"][each.id]:
                found.append(("fulfillments/update", each))
        found += [("refunds/create", each) for each in order.refunds if each.id not in old["refunds"]]
        return found


def _standing(order: Order) -> dict[str, Any]:
    return {"financial": order.financial_status(), "fulfilment": order.fulfillment_status(),
            "cancelled": order.cancelled_at is not None, "lines": [(line.id, line.quantity) for line in order.lines],
            "fulfillments": {each.id: (each.status, each.display_status, repr(each.tracking))
                             for each in order.fulfillments},
            "refunds": {each.id for each in order.refunds}}

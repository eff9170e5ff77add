"""Which access scopes this product uses, in people's words: what each is about, and what is missing without it.

The pages of set-up and health show them; what a run really needs is said by the resources (`resource.scopes`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

OPTIONAL = frozenset({"read_all_orders", "write_locations"})
"""Good to have, but a shop that lacks them is not told that something is wrong."""

KNOWN: dict[str, tuple[str, str]] = {
    "read_products": ("products", "Products, variants, collections and stock cannot be synced."),
    "write_products": ("products", "Changes to products, variants and collections in Grist are not sent to Shopify."),
    "read_inventory": ("stock", "Stock cannot be synced."),
    "write_inventory": ("stock", "Stock changes in Grist are not sent to Shopify."),
    "read_locations": ("locations", "Stock shows no names of locations."),
    "read_orders": ("orders", "Orders cannot be synced."),
    "write_orders": ("orders", "Changes to orders in Grist are not sent to Shopify."),
    "read_draft_orders": ("draft orders", "Draft orders cannot be synced."),
    "write_draft_orders": ("draft orders", "Changes to draft orders in Grist are not sent to Shopify."),
    "read_customers": ("customers", "Customers cannot be synced, and orders show no names."),
    "write_customers": ("customers", "Changes to customers in Grist are not sent to Shopify."),
    "read_merchant_managed_fulfillment_orders": ("fulfilments", "It is not seen what of an order is still to be sent."),
    "write_merchant_managed_fulfillment_orders": ("fulfilments", "Orders cannot be fulfilled from Grist."),
    "read_all_orders": ("older orders", "Orders older than 60 days are not seen."),
    "write_locations": ("locations", "Changes to locations in Grist are not sent to Shopify."),
}
INSTEAD = {"read_locations": "read_inventory"}
"""Another scope that opens the same (facts §1)."""


@dataclass(frozen=True, slots=True)
class Permission:
    """One scope: whether the app has it, what it is about, and what is not possible without it."""

    scope: str
    granted: bool
    about: str
    without: str


def permissions(scopes: Collection[str]) -> tuple[Permission, ...]:
    """Every scope that matters to people, as the token has it. What merely reads, where writing is granted too, is
    not listed twice; an optional one is listed only where it is granted."""
    had = expanded(scopes)
    return tuple(
        Permission(scope, scope in had or INSTEAD.get(scope) in had, about, without)
        for scope, (about, without) in KNOWN.items() if scope not in OPTIONAL or scope in had
    )


def expanded(scopes: Collection[str]) -> frozenset[str]:
    """With the reading that each writing implies (facts §1)."""
    return frozenset({*scopes, *(f"read_{one.removeprefix('write_')}" for one in scopes if one.startswith("write_"))})

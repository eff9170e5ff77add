"""A first sync of a whole shop with every resource mapped: the same numbers on both sides, and the report's own count
of requests and points against the store's.

    python -m benchmarks.agreement [products]        2,000 unless said otherwise; prints what it found
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import requests

from backend.config import default_config
from backend.shopify.resources import RESOURCES
from benchmarks.stage import VARIANTS_PER_PRODUCT, Stage, linked, shop
from demo.shopify import Store


@dataclass(frozen=True, slots=True)
class Agreement:
    in_shopify: dict[str, int]
    """Things of each resource in the store."""
    in_grist: dict[str, int]
    """Rows of its table."""
    told: tuple[int, float]
    """Requests to Shopify and points, as the runs reported them."""
    counted: tuple[int, float]
    """The same as the store counted them."""
    seconds: float


def agreement(products: int, *, orders: int = 40, settled: bool = True) -> Agreement:
    """Sync a shop of so many products, where `settled` until nothing is left to do, and count on both sides; then read
    it whole once more and compare what the report says of that with what the store saw."""
    began = time.perf_counter()
    with (shop(round(products * VARIANTS_PER_PRODUCT), orders=orders) as (store, answers, url),
          linked(store, answers, url, default_config(RESOURCES, {})) as one):
        one.run()
        if settled:
            one.settle()
        seconds = time.perf_counter() - began
        told = _door(one)
        everything = one.run(everything=True)
        after = _door(one)
        report = everything.report
        return Agreement(things(one.store), _rows(one), (report.requests["shopify"], report.points),
                         (after[0] - told[0], after[1] - told[1]), seconds)


def things(store: Store) -> dict[str, int]:
    """How many of each resource a store holds."""
    orders, drafts = list(store.orders.values()), list(store.drafts.values())
    return {"products": len(store.products), "variants": len(store.variants), "collections": len(store.collections),
            "inventory": sum(1 for _ in store.levels()), "locations": len(store.locations),
            "customers": len(store.customers), "orders": len(orders), "draft_orders": len(drafts),
            "order_lines": sum(len(order.lines) for order in orders),
            "draft_order_lines": sum(len(draft.lines) for draft in drafts),
            "fulfillment_orders": sum(len(order.fulfillment_orders) for order in orders)}


def _rows(one: Stage) -> dict[str, int]:
    return {name: sum(1 for _ in one.document.table(resource.table).rows()) for name, resource in RESOURCES.items()}


def _door(one: Stage) -> tuple[int, float]:
    counts = requests.get(f"{one.context.settings.shopify_admin_url}/__control/counts", timeout=10).json()
    return counts["requests"], counts["points"]


if __name__ == "__main__":
    found = agreement(int(sys.argv[1]) if len(sys.argv) > 1 else 2000, orders=300)
    for name, count in found.in_shopify.items():
        print(f"{name:20} {count:7,} in Shopify {found.in_grist[name]:7,} in Grist")
    print(f"read whole again: {found.told[0]} requests and {found.told[1]:g} points reported, "
          f"{found.counted[0]} and {found.counted[1]:g} counted by the store")
    print(f"first sync and settling: {found.seconds:.1f} s")
    if found.in_shopify != found.in_grist or found.told != found.counted:
        sys.exit("They do not agree.")

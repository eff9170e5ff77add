"""`file_points`, `file_requests`: what 5,000 changes of products cost as files, over what they cost by requests, with
the looks right before and, for files, after. No time is taken: the stand-in tells nothing of Shopify's pace."""

from __future__ import annotations

import time
from dataclasses import dataclass

from backend.core.model import Change, Mapping, Side, Update, Why
from backend.shopify.auth import PastedToken
from backend.shopify.connector import ShopifyConnector
from benchmarks.costing import usual
from benchmarks.stage import Tell
from demo.serving import serving
from demo.shopify import Clock, Store
from demo.shopify import create_app as store_app

CHANGES = 5_000


@dataclass(frozen=True)
class Spent:
    points: float
    requests: int
    batches: int


def measure(size: int, tell: Tell) -> dict[str, float]:
    """Always 5,000 changes, whatever `size` says, on the smallest plan."""
    singly, filed = _written(0), _written(300)
    for name, spent in (("by requests", singly), ("as files", filed)):
        tell(f"{CHANGES} products {name}: {spent.points:.0f} points, {spent.requests} requests, "
             f"{spent.batches} batches")
    return {"file_points": filed.points / singly.points, "file_requests": filed.requests / singly.requests}


def _written(files_after_seconds: float) -> Spent:
    store = Store(products=0, seed=1, orders=0, clock=Clock())
    store.behaviour.bulk_start_seconds = 0
    for number in range(CHANGES):
        store.add_default_variant(store.add_product(f"Thing {number}"))
    mapping: Mapping = usual("products")
    with serving(store_app(store)) as url:
        # Whoever waits for points makes the store's clock go on, and nobody else waits.
        connector = ShopifyConnector("fieldhouse.myshopify.com", PastedToken("shpat_demo"), admin_url=url,
                                     files_after_seconds=files_after_seconds, sleep=store.clock.advance)
        connector._bulk._sleep = time.sleep
        (ready,) = connector.prepare([mapping], {}, write=True).mappings
        place = ready.index["title"]
        ops = [Update(Side.REMOTE, key, 1, (Change("title", row[place], f"New {n}", Why.CHANGED),))
               for n, (key, row) in enumerate(connector.read(ready).rows.items())]
        before, batches = (connector.usage.points, connector.usage.requests), 0
        for batch in connector.batches(ready, ops):
            receipts = connector.apply(ready, batch)
            assert all(receipt.done for receipt in receipts), next(r for r in receipts if not r.done)
            batches += 1
        return Spent(connector.usage.points - before[0], connector.usage.requests - before[1], batches)

"""`webhook_to_cell_p95`: from a webhook of either service to the value on the other side, in an idle backend as a host
runs it: gunicorn by the Procfile, its child, both stand-ins behind HTTP. The delay that Shopify and Grist take until
they send is not ours and not in it."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.stage import ROOT, Tell

TIMES = 30
LOOK_SECONDS = 0.01


def measure(size: int, tell: Tell) -> dict[str, float]:
    """Always of a small shop: how many things there are has no part in it."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "jobs")]
    from jobs_helpers import a_shop, until  # type: ignore[import-not-found]
    from real_helpers import running  # type: ignore[import-not-found]

    with tempfile.TemporaryDirectory(prefix="sync-bench-") as name:
        folder = Path(name)
        with a_shop(folder, f"sqlite:///{folder / 'sync.db'}") as shop, \
                running(shop, SYNC_SETTLE_SECONDS="0") as backend:
            backend.sync()
            until(shop.idle)
            row = backend.records("Products")[0]
            gid = row["fields"]["Shopify_ID"]
            to_grist, to_shopify = [], []
            for number in range(TIMES):
                title = f"From the store {number}"
                backend.edit_in_store(gid, title)
                began = time.perf_counter()
                backend.from_shopify("products/update", {"id": int(gid.rpartition("/")[2])}).raise_for_status()
                to_grist.append(_arrived(
                    lambda title=title: backend.records("Products")[0]["fields"]["Title"] == title, began))
                until(shop.idle)
                title = f"From the grid {number}"
                backend.type_into("Products", row["id"], Title=title)
                began = time.perf_counter()
                backend.from_grist("products", [{"id": row["id"], "Title": title}]).raise_for_status()
                to_shopify.append(_arrived(lambda title=title: backend.title_in_store(gid) == title, began))
                until(shop.idle)
    for name, taken in (("Grist", to_grist), ("Shopify", to_shopify)):
        taken.sort()
        tell(f"webhook to {name}: median {taken[TIMES // 2]:.0f} ms, p95 {_p95(taken):.0f} ms, "
             f"worst {taken[-1]:.0f} ms")
    return {"webhook_to_cell_p95": max(_p95(to_grist), _p95(to_shopify))}


def _arrived(there: Callable[[], bool], began: float) -> float:
    """Milliseconds until it is there."""
    while not there():
        if time.perf_counter() - began > 30:
            raise AssertionError("what a webhook told of did not arrive within 30 seconds")
        time.sleep(LOOK_SECONDS)
    return (time.perf_counter() - began) * 1000


def _p95(taken: list[float]) -> float:
    return sorted(taken)[int(len(taken) * 0.95)]

"""A shop and a document to measure on: both stand-ins behind HTTP, every request counted, everything mapped, synced.

    store (three days old, at rest)  ←HTTP→  our engine and connectors  ←HTTP→  document
              requests_shopify                       database on disk             requests_grist

The stand-ins run in this process, on threads: while one of them answers, our code waits, so that times add up and do
not disturb each other. What is in a time is stated by whoever states it (`served_seconds` is the stand-ins' share).
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from backend.app import Context
from backend.config import Config, default_config
from backend.jobs.perform import perform
from backend.report import MappingReport, Report
from backend.settings import Settings
from backend.shopify.resources import RESOURCES
from backend.store import runs
from demo.grist import Grist
from demo.grist import create_app as grist_app
from demo.grist.document import Document
from demo.serving import serving
from demo.shopify import Store
from demo.shopify import create_app as store_app
from demo.shopify.clock import Clock

VARIANTS_PER_PRODUCT = 2.43
"""Of the simulated store's catalogue."""
REST = timedelta(days=3)
SETTLING_RUNS = 6
"""A first sync is followed by runs that look at what it wrote; after these at the latest nothing may be left to do."""


@dataclass
class Counted:
    """What a service was asked, as seen on its side."""

    app: Callable[..., Any]
    paths: Counter[str] = field(default_factory=Counter)
    served_seconds: float = 0.0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.paths[f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"] += 1
        began = time.perf_counter()
        try:
            return self.app(environ, start_response)
        finally:
            self.served_seconds += time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Took:
    """What one run cost."""

    seconds: float
    served_seconds: float
    grist: int
    shopify: int
    paths: dict[str, int]
    report: Report

    @property
    def requests(self) -> int:
        return self.grist + self.shopify


@dataclass
class Stage:
    store: Store
    document: Document
    context: Context
    link_id: int
    grist: Counted
    shopify: Counted

    @property
    def variants(self) -> int:
        return len(self.store.variants)

    def run(self, *, everything: bool = False) -> Took:
        """One run over the link, as a worker does it, and what it cost."""
        for counted in (self.grist, self.shopify):
            counted.paths.clear()
            counted.served_seconds = 0.0
        with self.context.database.write() as tx:
            runs.request(tx, self.link_id, "sync", "benchmark", {"everything": True} if everything else {})
            claimed = runs.claim(tx, "benchmark")
        assert claimed is not None
        began = time.perf_counter()
        outcome = perform(self.context, claimed, "benchmark")
        seconds = time.perf_counter() - began
        if outcome.error is not None:
            raise outcome.error
        report = outcome.report
        return Took(seconds, self.grist.served_seconds + self.shopify.served_seconds, self.grist.paths.total(),
                    self.shopify.paths.total(), dict(self.grist.paths + self.shopify.paths), report)

    @staticmethod
    def report_of(took: Took, resource: str) -> MappingReport:
        return next(one for one in took.report.mappings if one.resource == resource)

    def settle(self) -> Took:
        """Run until nothing is left to look at. Raises AssertionError where that does not come."""
        for _ in range(SETTLING_RUNS):
            took = self.run()
            if took.requests <= 2:
                return took
        raise AssertionError(f"After {SETTLING_RUNS} runs there is still something to do: {took.paths}, "
                             f"{took.report.way} {took.report.notes[:3]}")

    def edit_grist(self, number: int, round_: int) -> None:
        """Another price in so many variants, as a person changes them."""
        table = self.document.table("Variants")
        rows = [row["id"] for row in table.rows()][:: max(1, self.variants // number)][:number]
        for row in rows:
            self.document.apply([["UpdateRecord", "Variants", row, {"Price": 1000 + round_}]], user="person")

    def edit_shopify(self, number: int, round_: int) -> None:
        """Another price in so many other variants, as the admin changes them."""
        ids = list(self.store.variants)[1:: max(1, self.variants // number)][:number]
        with self.store.lock:
            for id_ in ids:
                variant = self.store.variants[id_]
                variant.price = Decimal(2000 + round_)
                self.store.touch(variant, variant.product)


@contextmanager
def stage(
    variants: int, *, orders: int = 40, settled: bool = True, tell: Callable[[str], None] = lambda said: None,
) -> Iterator[Stage]:
    """About so many variants, synced once; unless not `settled`, what the runs after the first one look at is looked at
    too."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sync-bench-")))
        clock = Clock(datetime.now(UTC) - REST)
        store = Store(products=max(1, round(variants / VARIANTS_PER_PRODUCT)), seed=1, orders=orders, clock=clock,
                      plan="unlimited", odd=False)
        clock.advance(REST.total_seconds())
        grist = Grist()
        document = grist.new_document("Shop")
        grist.add_key("key", role="owner")
        asked = Counted(store_app(store)), Counted(grist_app(grist))
        store_url, grist_url = (stack.enter_context(serving(app)) for app in asked)
        settings = Settings.from_environment({
            "SHOPIFY_STORE": store.shop.domain, "SHOPIFY_ADMIN_URL": store_url, "SHOPIFY_ACCESS_TOKEN": "shpat_demo",
            "GRIST_SERVER_URL": grist_url, "GRIST_API_KEY": "key", "GRIST_DOC_ID": document.doc_id,
            "DATABASE_URL": f"sqlite:///{folder / 'sync.db'}", "SYNC_INTERVAL": "1d",
        }, folder / "no.env")
        config = Config(mappings=default_config(RESOURCES, {}))
        context = Context.open(settings, config)
        stack.callback(context.database.dispose)
        one = Stage(store, document, context, context.ensure_link(config).id, asked[1], asked[0])
        tell(f"{len(store.products):,} products, {one.variants:,} variants made")
        took = one.run()
        tell(f"first sync: {took.seconds:.1f} s, of them the stand-ins {took.served_seconds:.1f} s, "
             f"{took.grist} requests to Grist, {took.shopify} to Shopify")
        if not settled:
            yield one
            return
        took = one.settle()
        tell(f"a run with nothing to do: {took.seconds * 1000:.1f} ms, {took.grist} + {took.shopify} requests")
        yield one

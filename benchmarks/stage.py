"""A shop and a document to measure on: both stand-ins behind HTTP, every request counted, everything mapped, synced.

    store (three days old, at rest)  ←HTTP→  our engine and connectors  ←HTTP→  document
              requests_shopify                       database on disk             requests_grist

The stand-ins run in this process, on threads: while one of them answers, our code waits, so that times add up and do
not disturb each other. What is in a time is stated by whoever states it (`served_seconds` is the stand-ins' share).
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
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
from demo.grist.access import Access
from demo.grist.document import Document
from demo.serving import serving
from demo.shopify import Store
from demo.shopify import create_app as store_app
from demo.shopify.clock import Clock

VARIANTS_PER_PRODUCT = 2.43
"""Of the simulated store's catalogue."""
REST = timedelta(days=3)
ROOT = Path(__file__).resolve().parent.parent
TWELVE = ("displayName", "sku", "barcode", "price", "compareAtPrice", "cost", "taxable", "option1", "inventoryPolicy",
          "weight", "position", "updatedAt")
SETTLING_RUNS = 6
"""A first sync is followed by runs that look at what it wrote; after these at the latest nothing may be left to do."""


Tell = Callable[[str], None]
Answer = tuple[str, list[tuple[str, str]], bytes]


def quiet(said: str) -> None:
    """For whoever is told nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, and how much it was answered."""

    method: str
    path: str
    body: bytes
    answered_bytes: int


@dataclass
class Counted:
    """What a service was asked, as seen on its side. With `keeps` its answers are kept, and given again to whoever asks
    the same in other words of time: what is measured then is our work and not the stand-in's."""

    app: Callable[..., Any]
    keeps: bool = False
    paths: Counter[str] = field(default_factory=Counter)
    asked: list[Asked] = field(default_factory=list)
    served_seconds: float = 0.0
    kept: dict[tuple[str, str, bytes], Answer] = field(default_factory=dict)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        method, query = environ["REQUEST_METHOD"], environ.get("QUERY_STRING")
        self.paths[f"{method} {environ['PATH_INFO']}"] += 1
        began = time.perf_counter()
        try:
            if not self.keeps:
                return self.app(environ, start_response)
            path = environ["PATH_INFO"] + (f"?{query}" if query else "")
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            status, headers, answer = self._kept(method, path, body, environ)
            self.asked.append(Asked(method, path, body, len(answer)))
            start_response(status, headers)
            return [answer]
        finally:
            self.served_seconds += time.perf_counter() - began

    def _kept(self, method: str, path: str, body: bytes, environ: dict[str, Any]) -> Answer:
        key = method, path, re.sub(rb"\d{4}-\d\d-\d\d(T[\d:.]+Z?)?", b"T", body)
        if key not in self.kept:
            told: list[Any] = []
            environ["wsgi.input"] = BytesIO(body)
            answer = b"".join(self.app(environ, lambda status, headers, exc=None: told.extend([status, headers])))
            found = told[0], told[1], answer
            if b'"RUNNING"' in answer or b'"CREATED"' in answer:  # the file is not there yet
                return found
            self.kept[key] = found
        return self.kept[key]


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

    @property
    def ours(self) -> float:
        """The seconds without those in which the stand-ins worked."""
        return self.seconds - self.served_seconds


@dataclass
class Stage:
    store: Store
    document: Document
    context: Context
    link_id: int
    grist: Counted
    shopify: Counted
    environment: dict[str, str]
    """What another process needs to work on the same link."""
    access: Access
    """The keys and tokens of the document's server."""

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


    def token(self) -> str:
        """An owner's, as the widget has it."""
        found: str = self.access.token(self.document.doc_id, self.access.person("owner"))["token"]
        return found

    def first_sync(self, tell: Tell) -> Took:
        took = self.run()
        tell(f"first sync of {self.variants:,} variants: {took.seconds:.1f} s, of them the stand-ins "
             f"{took.served_seconds:.1f} s, {took.grist} requests to Grist, {took.shopify} to Shopify")
        return took


@contextmanager
def stage(variants: int, *, tell: Tell = quiet) -> Iterator[Stage]:
    """About so many variants, synced once, with everything mapped; what the runs after the first one look at is looked
    at too."""
    with shop(variants) as (store, answers, url), linked(store, answers, url, default_config(RESOURCES, {})) as one:
        one.first_sync(tell)
        took = one.settle()
        tell(f"a run with nothing to do: {took.seconds * 1000:.1f} ms, {took.grist} + {took.shopify} requests")
        yield one


@contextmanager
def shop(variants: int, *, orders: int = 40) -> Iterator[tuple[Store, Counted, str]]:
    """A store of about so many variants, at rest for days, behind HTTP: with what it is asked, and its address."""
    clock = Clock(datetime.now(UTC) - REST)
    store = Store(products=max(1, round(variants / VARIANTS_PER_PRODUCT)), seed=1, orders=orders, clock=clock,
                  plan="unlimited", odd=False)
    clock.advance(REST.total_seconds())
    answers = Counted(store_app(store))
    with serving(answers) as url:
        yield store, answers, url


@contextmanager
def linked(
    store: Store, answers: Counted, url: str, mappings: Sequence[dict[str, Any]], *,
    served: Callable[[Any], Any] = lambda app: app,
) -> Iterator[Stage]:
    """An empty document linked to the store, nothing synced yet. `served` wraps the document's stand-in."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sync-bench-")))
        grist = Grist()
        document = grist.new_document("Shop")
        grist.add_key("key", role="owner")
        asked = Counted(served(grist_app(grist)))
        environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LOG_LEVEL": "ERROR",
            "SHOPIFY_STORE": store.shop.domain, "SHOPIFY_ADMIN_URL": url, "SHOPIFY_ACCESS_TOKEN": "shpat_demo",
            "GRIST_SERVER_URL": stack.enter_context(serving(asked)), "GRIST_API_KEY": "key",
            "GRIST_DOC_ID": document.doc_id, "DATABASE_URL": f"sqlite:///{folder / 'sync.db'}", "SYNC_INTERVAL": "1d",
        }
        config = Config(mappings=list(mappings))
        context = Context.open(Settings.from_environment(environment, folder / "no.env"), config)
        stack.callback(context.database.dispose)
        yield Stage(store, document, context, context.ensure_link(config).id, asked, answers, environment,
                    grist.access)


def twelve_fields_of_variants() -> list[dict[str, Any]]:
    """One mapping: what the figures that count in rows are taken of."""
    (mapping,) = default_config({"variants": RESOURCES["variants"]}, {})
    return [mapping | {"fields": {name: mapping["fields"][name] for name in TWELVE}}]

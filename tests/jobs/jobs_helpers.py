"""A link between both stand-ins in a database of its own, and what workers do with its runs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa

from backend.app import Context, read_config
from backend.jobs.child import Worker
from backend.settings import Settings
from backend.store import runs
from backend.store.runs import Run
from backend.store.tables import run
from demo.grist import Grist
from demo.grist import create_app as grist_app
from demo.serving import serving
from demo.shopify import Store
from demo.shopify import create_app as store_app

ROOT = Path(__file__).resolve().parents[2]
WORKER = [sys.executable, "-m", "backend.jobs.worker"]
DOCUMENT = "ShopDocumentForTests12"
CONFIG = """\
mappings:
  - {resource: products, fields: {title: Title, handle: Handle}}
  - {resource: variants, fields: {product: Product, sku: SKU, price: Price}}
"""


class Shop:
    """`context` and `link`, and their environment for worker processes."""

    def __init__(self, folder: Path, database_url: str, store_url: str, grist_url: str) -> None:
        config = folder / "sync.yaml"
        config.write_text(CONFIG)
        self.folder, self.urls = folder, (store_url, grist_url)
        self.environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "SHOPIFY_STORE": "fieldhouse.myshopify.com",
            "SHOPIFY_ADMIN_URL": store_url, "SHOPIFY_ACCESS_TOKEN": "shpat_demo", "GRIST_SERVER_URL": grist_url,
            "GRIST_API_KEY": "key", "GRIST_DOC_ID": DOCUMENT, "DATABASE_URL": database_url,
            "SYNC_CONFIG": str(config), "LOG_LEVEL": "WARNING",
        }
        settings = Settings.from_environment(self.environment, folder / "no.env")
        self.context = Context.open(settings, read_config(settings))
        self.database = self.context.database
        self.link = self.context.ensure_link(read_config(settings))

    def worker(self, owner: str = "w1") -> Worker:
        return Worker(self.context, owner=owner)

    def request(self, kind: str = "sync") -> int:
        with self.database.write() as tx:
            return runs.request(tx, self.link.id, kind, "Ann")

    def claim(self, owner: str = "w1") -> Run | None:
        with self.database.write() as tx:
            return runs.claim(tx, owner)

    def get(self, run_id: int) -> Run:
        with self.database.read() as tx:
            found = runs.get(tx, run_id)
        assert found is not None
        return found

    def lease_until(self, run_id: int) -> float:
        """When it ends; 0 for none."""
        with self.database.read() as tx:
            return float(tx.execute(sa.select(run.c.lease_until).where(run.c.id == run_id)).scalar_one() or 0)

    def lease_has_ended(self, run_id: int) -> bool:
        """Whether anybody may take the run."""
        with self.database.read() as tx:
            now = runs.clock(tx)
        return self.lease_until(run_id) < now

    def lease_left(self, run_id: int) -> float:
        """Seconds until anybody may take the run."""
        with self.database.read() as tx:
            now = runs.clock(tx)
        return self.lease_until(run_id) - now

    def idle(self) -> bool:
        """Whether no run of the link waits or goes on."""
        with self.database.read() as tx:
            return runs.active(tx, self.link.id) is None

    def doing(self, run_id: int) -> int:
        """The process that does a run."""
        with self.database.read() as tx:
            owner = tx.execute(sa.select(run.c.owner).where(run.c.id == run_id)).scalar_one()
        return int(str(owner).split(":")[1])

    def rows(self) -> tuple[int, ...]:
        """How many rows the tables of the document have."""
        return tuple(len(requests.get(
            f"{self.urls[1]}/api/docs/{DOCUMENT}/tables/{table}/records", headers={"Authorization": "Bearer key"},
            timeout=10).json()["records"]) for table in ("Products", "Variants"))

    def let_lease_end(self, run_id: int) -> None:
        with self.database.write() as tx:
            tx.execute(sa.update(run).where(run.c.id == run_id).values(lease_until=0))

    def writes(self) -> tuple[int, ...]:
        """What the store and the document have counted."""
        return tuple(requests.get(f"{url}/__control/counts", timeout=10).json()["writes"] for url in self.urls)

    def slow_document(self, *seconds: float) -> None:
        faults = [{"delay_seconds": one} for one in seconds]
        requests.post(f"{self.urls[1]}/__control/faults", json={"next": faults}, timeout=10).raise_for_status()

    def quick_document(self) -> None:
        requests.post(f"{self.urls[1]}/__control/reset", timeout=10).raise_for_status()

    def wait_for(self, run_id: int, *states: str, seconds: float = 40) -> Run:
        until(lambda: self.get(run_id).state in states, seconds)
        return self.get(run_id)


def until(happened: Callable[[], Any], seconds: float = 40) -> None:
    """Look until it has happened; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.03)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@contextmanager
def a_shop(folder: Path, database_url: str, products: int = 3) -> Iterator[Shop]:
    grist = Grist()
    grist.new_document("Shop", DOCUMENT)
    grist.add_key("key", role="owner")
    with serving(store_app(Store(products=products, seed=1))) as store_url, serving(grist_app(grist)) as grist_url:
        shop = Shop(folder, database_url, store_url, grist_url)
        try:
            yield shop
        finally:
            shop.database.dispose()

"""The command line as a person uses it: a process of its own, against both stand-ins served in the test's process."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import requests
from click.testing import CliRunner

from backend.cli import main
from demo.grist import Grist
from demo.grist import create_app as grist_app
from demo.serving import serving
from demo.shopify import Store
from demo.shopify import create_app as store_app

SIGNALS = (signal.SIGTERM, signal.SIGINT)
ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, str(ROOT / "shopify_grist_sync.py")]
TOKEN = "shpat_token_that_nobody_may_see"
KEY = "grist-key-that-nobody-may-see"
DOCUMENT = "ShopDocumentForTests12"
SYNC_YAML = """\
mappings:
  - resource: products
    table: Products
    create: {in_shopify: true}
    fields: {title: Title, tags: Tags, handle: Handle}
  - resource: variants
    table: Variants
    fields: {product: Product, sku: SKU, price: Price, cost: Cost}
  - resource: inventory
    table: Inventory
    fields: {variant: Variant, location: Location, available: Available}
"""


class Desk:
    """A folder with a sync.yaml, a store and a document: `run(...)` is one command typed there."""

    def __init__(self, folder: Path, store_url: str, grist_url: str, config: str | None = SYNC_YAML) -> None:
        self.folder, self.store_url, self.grist_url = folder, store_url, grist_url
        self.database = folder / "sync.db"
        self.started: list[subprocess.Popen[str]] = []
        if config is not None:
            (folder / "sync.yaml").write_text(config, encoding="utf-8")
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "COLUMNS": "200", "LANG": "C.UTF-8",
            "SHOPIFY_STORE": "fieldhouse.myshopify.com", "SHOPIFY_ADMIN_URL": store_url,
            "SHOPIFY_ACCESS_TOKEN": TOKEN, "GRIST_SERVER_URL": grist_url, "GRIST_API_KEY": KEY,
            "GRIST_DOC_ID": DOCUMENT, "DATABASE_URL": f"sqlite:///{self.database}", "SYNC_REST_SECONDS": "0",
        }
        if "COVERAGE_PROCESS_START" in os.environ:
            self.environment["COVERAGE_PROCESS_START"] = os.environ["COVERAGE_PROCESS_START"]

    def run(self, *arguments: str, command: list[str] = COMMAND, **environment: str | None) -> Finished:
        done = subprocess.run([*command, *arguments], cwd=self.folder, env=self.told(environment), timeout=60,
                              capture_output=True, text=True, check=False)
        return Finished(done.returncode, done.stdout, done.stderr)

    def quick(self, *arguments: str, **environment: str | None) -> Finished:
        """The same as `run` in this process, for a process of its own takes a second to start."""
        handlers, signals = logging.getLogger().handlers[:], {n: signal.getsignal(n) for n in SIGNALS}
        with mock.patch.dict(os.environ, self.told(environment), clear=True), contextlib.chdir(self.folder):
            try:
                done = CliRunner().invoke(main, list(arguments))
            finally:
                logging.getLogger().handlers[:] = handlers
                for number, handler in signals.items():
                    signal.signal(number, handler)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Finished(done.exit_code, done.stdout, done.stderr)

    def start(self, *arguments: str, command: list[str] = COMMAND, **environment: str | None
              ) -> subprocess.Popen[str]:
        process = subprocess.Popen([*command, *arguments], cwd=self.folder, env=self.told(environment), text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.started.append(process)
        return process

    def close(self) -> None:
        """No process outlives its test, however that ended."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def told(self, changed: dict[str, str | None]) -> dict[str, str]:
        return {name: value for name, value in (self.environment | changed).items() if value is not None}

    def counts(self) -> dict[str, dict[str, int]]:
        """What the stand-ins counted since the last `reset`, by side."""
        sides = {"shopify": self.store_url, "grist": self.grist_url}
        return {side: requests.get(f"{url}/__control/counts", timeout=10).json() for side, url in sides.items()}

    def reset(self) -> None:
        for url in (self.store_url, self.grist_url):
            requests.post(f"{url}/__control/reset", timeout=10).raise_for_status()

    def edit(self, table: str, row: int | None, **values: Any) -> None:
        """A person types in the document."""
        requests.post(f"{self.grist_url}/__control/edit", json={"table": table, "row": row, "values": values},
                      timeout=10).raise_for_status()

    def remove(self, table: str, *rows: int) -> None:
        """A person removes rows in the document."""
        requests.post(f"{self.grist_url}/api/docs/{DOCUMENT}/tables/{table}/data/delete", json=list(rows), timeout=10,
                      headers={"Authorization": f"Bearer {KEY}"}).raise_for_status()

    def staff(self, **edit: Any) -> None:
        """Somebody changes something in the store."""
        requests.post(f"{self.store_url}/__control/edit", json=edit, timeout=10).raise_for_status()

    def faults(self, side: str, *faults: dict[str, Any]) -> None:
        url = {"shopify": self.store_url, "grist": self.grist_url}[side]
        requests.post(f"{url}/__control/faults", json={"next": list(faults)}, timeout=10).raise_for_status()

    def rows(self, table: str) -> dict[int, dict[str, Any]]:
        answer = requests.get(f"{self.grist_url}/api/docs/{DOCUMENT}/tables/{table}/records", timeout=10,
                              headers={"Authorization": f"Bearer {KEY}"})
        answer.raise_for_status()
        return {row["id"]: row["fields"] for row in answer.json()["records"]}

    def tables(self) -> set[str]:
        answer = requests.get(f"{self.grist_url}/api/docs/{DOCUMENT}/tables", timeout=10,
                              headers={"Authorization": f"Bearer {KEY}"})
        return {table["id"] for table in answer.json()["tables"]}


class Finished:
    """How a command ended. No run of it may ever show a secret or a traceback."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err
        for text in (out, err):
            assert TOKEN not in text
            assert KEY not in text
            assert "Traceback" not in text, text

    @property
    def report(self) -> dict[str, Any]:
        """The one JSON object on standard output, where nothing else may stand."""
        assert self.out.count("\n") == 1, (self.out, self.err)
        report: dict[str, Any] = json.loads(self.out)
        return report

    def __repr__(self) -> str:
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


@contextmanager
def a_desk(folder: Path, *, products: int = 3, config: str | None = SYNC_YAML) -> Iterator[Desk]:
    store, grist = Store(products=products, seed=1), Grist()
    grist.new_document("Shop", DOCUMENT)
    grist.add_key(KEY, role="owner")
    with (
        serving(store_app(store, tokens={TOKEN})) as store_url,
        serving(grist_app(grist)) as grist_url,
        contextlib.closing(Desk(folder, store_url, grist_url, config)) as desk,
    ):
        yield desk

"""From nothing to the first sync: a document, a store and a backend that have never heard of each other, and a person
with a browser. Nothing is configured but where Grist is."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, expect

from demo.__main__ import DOCUMENT, ROOT, TOKEN, _free_port, _wait_for
from demo.grist import Document, Grist
from demo.grist import create_app as grist_app
from demo.serving import serving
from demo.shopify import Store
from demo.shopify import create_app as store_app

WAIT_MS = 40_000


@dataclass(frozen=True)
class Bare:
    """The address of the page, the document, and the address of the store."""

    page: str
    store: str
    document: Document
    database: Path

    def runs(self) -> list[str]:
        """The kinds of all runs, oldest first."""
        with closing(sqlite3.connect(self.database)) as found:
            return [kind for (kind,) in found.execute("select kind from run order by id")]


@pytest.fixture
def bare() -> Iterator[Bare]:
    """All three running; the document has a table of two variants that somebody keeps by hand."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shopify-grist-first-")))
        grist = Grist()
        document = grist.new_document("Shop", DOCUMENT)
        document.apply([["AddTable", "Variants", [
            {"id": "SKU", "type": "Text", "isFormula": False}, {"id": "Price", "type": "Numeric", "isFormula": False},
            {"id": "Cost", "type": "Text", "isFormula": False}]]])
        document.apply([["BulkAddRecord", "Variants", [None, None], {"SKU": ["LIN-S", "OWN-1"], "Price": [42, 7]}]])
        store = stack.enter_context(serving(store_app(Store(products=6, seed=1), tokens={TOKEN})))
        port = _free_port()
        page = stack.enter_context(serving(grist_app(grist, backend_url=f"http://127.0.0.1:{port}")))
        ours = ("SHOPIFY_", "GRIST_", "SYNC_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        environment = {
            **kept, "PORT": str(port), "HOST": "127.0.0.1", "SHOPIFY_ADMIN_URL": store, "GRIST_SERVER_URL": page,
            "DATABASE_URL": f"sqlite:///{folder / 'first.db'}", "PYTHONPATH": str(ROOT), "LOG_LEVEL": "WARNING",
            "SECRET_KEY": "a key for this test alone, long enough to be one",
        }
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py"), "--log-level", "warning",
             "--chdir", str(ROOT), "wsgi:app"], env=environment, cwd=folder)
        try:
            _wait_for(f"http://127.0.0.1:{port}/healthz", server)
            yield Bare(f"{page}/doc/{DOCUMENT}", store, document, folder / "first.db")
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def test_from_nothing_to_the_first_sync(browser: Browser, bare: Bare) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{bare.page}#Variants")
    widget = page.frame_locator("iframe")

    widget.get_by_label("Store domain").fill("fieldhouse")
    widget.get_by_role("radio", name="Admin token").click()
    widget.get_by_label("Admin token", exact=True).last.fill(TOKEN)
    widget.locator("#test").click()
    expect(widget.get_by_text("Connected to", exact=False)).to_be_visible(timeout=WAIT_MS)
    widget.locator("#connect").click()

    expect(widget.locator(".steps b")).to_have_text("3 Resources", timeout=WAIT_MS)
    expect(widget.get_by_role("row", name="Products 6")).to_be_visible(timeout=WAIT_MS)
    expect(widget.get_by_role("row", name="Variants").first).to_contain_text("columns fit")
    widget.get_by_role("button", name="Continue").click()

    expect(widget.locator(".steps b")).to_have_text("4 Tables")
    widget.get_by_label("Table", exact=True).select_option("variants")
    expect(widget.get_by_role("row", name="SKU Text")).to_be_visible()
    widget.get_by_role("button", name="Continue").click()

    expect(widget.get_by_text("Nothing has been written yet.")).to_be_visible()
    widget.get_by_label("Table", exact=True).select_option("variants", timeout=WAIT_MS)
    expect(widget.get_by_text("found", exact=False).first).to_contain_text("1 of")
    assert "Products" not in bare.document.tables, "nothing is made before the start"
    assert set(bare.runs()) == {"look", "draft"}, "and nothing was synced"
    widget.get_by_role("button", name="Start first sync").click()

    expect(widget.locator(".status")).to_contain_text("Synced", timeout=WAIT_MS)
    expect(page.get_by_role("gridcell", name="LIN-M", exact=True)).to_be_visible(timeout=WAIT_MS)
    if widget.locator("#more-tabs").is_visible():  # not all tabs fit beside the grid
        widget.locator("#more-tabs").click()
        widget.get_by_role("menuitem", name="Mapping").click()
    else:
        widget.locator("#tab-mapping").click()
    expect(widget.get_by_text("rows paired", exact=False)).to_be_visible(timeout=WAIT_MS)

    # The mapping is changed: what it changes is said first, and the next sync goes by it.
    widget.get_by_label("Table", exact=True).select_option("variants")
    widget.get_by_label("If both changed Price").last.select_option("shopify")
    expect(widget.locator(".footer")).to_contain_text("1 change not saved. The next sync would write nothing.",
                                                      timeout=WAIT_MS)
    widget.get_by_role("button", name="Save", exact=True).click()
    expect(widget.get_by_text("Mapping saved")).to_be_visible(timeout=WAIT_MS)
    bare.document.apply([["UpdateRecord", "Variants", 1, {"Price": 41}]])
    change = {"variant": {"sku": "LIN-S"}, "set": {"price": "46.00"}}
    edited = requests.post(f"{bare.store}/__control/edit", json=change, timeout=10)
    assert edited.ok, edited.text
    widget.get_by_role("button", name="Sync", exact=True).click()
    expect(page.get_by_role("gridcell", name="46", exact=True)).to_be_visible(timeout=WAIT_MS)
    expect(widget.locator(".status")).not_to_contain_text("conflict")
    assert problems == []

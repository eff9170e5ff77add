"""A backend around a database in a folder and the stand-in for Grist, filled by hand: no run is ever done here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.config import Config, mapping_of, parse
from backend.core.model import Change, Conflict, Mapping, Proposal, Refusal, Side, Why
from backend.settings import Secret, Settings
from backend.shopify.resources import RESOURCES
from backend.store import base, changes, links, runs, tables, waiting
from backend.store.links import Link
from backend.store.runs import Run
from backend.web import aside, create_app
from backend.web.service import EXTENSION, Service
from backend.web.sight import Reads
from demo.grist import Document, Grist

STORE = "fieldhouse.myshopify.com"
ORIGIN = "https://widgets.example"
SHIRT = "gid://shopify/Product/1"
SHIRT_S = "gid://shopify/ProductVariant/11"

CONFIG = """
mappings:
  - resource: products
    table: Products
    fields: {title: Title, handle: Handle, status: Status, tags: Tags, vendor: Vendor}
  - resource: variants
    table: Variants
    fields: {product: Product, sku: SKU, price: Price, compareAtPrice: Compare_at, taxable: Taxable, weight: Weight}
  - resource: inventory
    table: Inventory
    fields: {variant: Variant, location: Location, available: Available}
"""


def config() -> Config:
    return parse(CONFIG, RESOURCES)


@dataclass
class Place:
    """A backend whose link is the document of `document`."""

    app: Flask
    client: FlaskClient
    grist: Grist
    document: Document

    @property
    def service(self) -> Service:
        found: Service = self.app.extensions[EXTENSION]
        return found

    @property
    def link(self) -> Link:
        with self.service.database.read() as tx:
            found = links.of_document(tx, self.service.server_url, self.document.doc_id)
        assert found is not None
        return found

    def mapping(self, resource: str) -> Mapping:
        with self.service.database.read() as tx:
            stored = next(one for one in links.mappings(tx, self.link.id) if one.resource == resource)
        return mapping_of(stored.settings, RESOURCES, stored.id)

    # --- asking ---------------------------------------------------------------------------------

    def token(self, role: str = "owner", document: str | None = None, *, read_only: bool = False) -> str:
        caller = self.grist.access.person(role)
        found: str = self.grist.access.token(document or self.document.doc_id, caller, read_only=read_only)["token"]
        return found

    def ask(self, method: str, path: str, role: str | None = "owner", body: Any = None, *, token: str | None = None,
            **headers: str) -> TestResponse:
        """`path` below the link where it does not start with a slash. Header names with _ for -."""
        if not path.startswith("/"):
            path = f"/api/links/{self.link.id}/{path}"
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token or role:
            sent["Authorization"] = f"Bearer {token or self.token(role or '')}"
        return self.client.open(path, method=method, headers=sent, json=body)

    def get(self, path: str, role: str | None = "owner", **more: Any) -> Any:
        response = self.ask("GET", path, role, **more)
        assert response.status_code == 200, response.text
        return response.json

    def post(self, path: str, body: Any, role: str = "owner") -> Any:
        response = self.ask("POST", path, role, body)
        assert response.status_code == 202, response.text
        return response.json

    # --- filling --------------------------------------------------------------------------------

    def pair(self, resource: str, row: int, thing: str, **values: Any) -> None:
        with self.service.database.write() as tx:
            parent = next((rule.name for rule in self.mapping(resource).fields if rule.kind == "ref"), "")
            base.insert(tx, self.mapping(resource).id, [(row, thing, values, values)], marked=True, parent=parent)

    def conflicts(self, resource: str, *seen: Conflict) -> list[int]:
        """Ids of the open conflicts of this resource, which are now `seen`."""
        mapping = self.mapping(resource)
        with self.service.database.write() as tx:
            waiting.replace_conflicts(tx, mapping, seen)
            return [one.id for one in waiting.conflict_page(tx, [mapping.id])]

    def choices(self, resource: str) -> dict[tuple[int, str], Any]:
        """As the next sync reads them."""
        with self.service.database.read() as tx:
            return waiting.choices(tx, self.mapping(resource))

    def delete(self, resource: str, *seen: Proposal) -> None:
        with self.service.database.write() as tx:
            waiting.replace_deletions(tx, self.mapping(resource).id, seen)

    def refuse(self, resource: str, *seen: Refusal) -> None:
        with self.service.database.write() as tx:
            waiting.replace_refusals(tx, self.mapping(resource), seen)

    def change(self, resource: str, run_id: int, **line: Any) -> None:
        row = {"run_id": run_id, "mapping_id": self.mapping(resource).id, "side": "remote", "kind": "update",
               "local_key": 1, "remote_key": SHIRT_S, "field": "price", "title": "Linen shirt / S", "before": "42.00",
               "after": "39.00", "why": Why.CHANGED.value}
        with self.service.database.write() as tx:
            changes.add(tx, [{**row, **line}])

    def queued(self) -> list[tuple[str, str]]:
        """(kind, started by) of what waits for the worker."""
        run = tables.run.c
        query = sa.select(run.kind, run.started_by).where(run.link_id == self.link.id, run.state == "queued")
        with self.service.database.read() as tx:
            return [(kind, by) for kind, by in tx.execute(query.order_by(run.id))]

    def begin(self, kind: str = "sync", progress: dict[str, Any] | None = None) -> Run:
        """A run that a worker has claimed."""
        with self.service.database.write() as tx:
            queued = runs.active(tx, self.link.id)
            if queued is None or queued.state != "queued":
                runs.request(tx, self.link.id, kind, "Timer")
            claimed = runs.claim(tx, "tests")
            assert claimed is not None
            runs.alive(tx, claimed, "tests", progress or {})
        return claimed

    def end(self, run: Run, state: str = "done", report: dict[str, Any] | None = None, message: str | None = None,
            cure: str | None = None) -> None:
        with self.service.database.write() as tx:
            assert runs.finish(tx, run, "tests", state, report or {"totals": {}, "mappings": []}, message, cure)
            if state == "done" and run.kind == "sync":
                links.mark_synced(tx, self.link.id)


class OpenDocument:
    """A document without access rules: everybody may use SQL."""

    def count_rows(self, table: str) -> int:
        return 0

    def data(self, table: str) -> dict[str, list[Any]]:
        raise AssertionError("nothing has to be read where nothing is hidden")


def make_place(grist: Grist, url: str, folder: Path, *, document: Document | None = None, **settings: Any) -> Place:
    document = document or grist.new_document("Shop")
    chosen = {"shopify_store": STORE, "shopify_token": Secret("shpat_secret"), "grist_server_url": url,
              "grist_api_key": Secret("grist-secret"), "grist_document": document.doc_id,
              "database_url": f"sqlite:///{folder / 'sync.db'}", "allowed_origins": (ORIGIN,), **settings}
    app = patient(create_app(Settings(**chosen), config(), start_worker=False))
    # These documents hold no tables, so Grist cannot be asked what is hidden in them: nothing is (see test_web_sight).
    app.extensions[EXTENSION].reads = Reads(lambda document, token: OpenDocument())
    return Place(app, app.test_client(), grist, document)


def make_bare_place(grist: Grist, url: str, folder: Path, **settings: Any) -> Place:
    """Nothing but Grist's address and a SECRET_KEY: links are made in the widget."""
    chosen = {"grist_server_url": url, "secret_key": Secret("a-long-secret-key-for-tests"),
              "database_url": f"sqlite:///{folder / 'sync.db'}", **settings}
    app = patient(create_app(Settings(**chosen), start_worker=False))
    app.extensions[EXTENSION].reads = Reads(lambda document, token: OpenDocument())
    return Place(app, app.test_client(), grist, grist.new_document("Shop"))


def patient(app: Flask) -> Flask:
    """Waits for what it asks of services, however slow the machine is; test_web_aside shows that it does not else."""
    app.extensions[aside.EXTENSION].grace_seconds = 60
    return app


def price(row: int = 1, grist: Any = Decimal("39.00"), shopify: Any = Decimal("45.00"), base: Any = Decimal("42.00"),
          field: str = "price", thing: str = SHIRT_S, title: str = "Linen shirt / S", **more: Any) -> Conflict:
    """Both sides changed the price of a variant; or another field of another thing."""
    return Conflict(row, thing, field, base, grist, shopify, title, **more)


def whole_row(row: int, thing: str, title: str, edits: Sequence[Change]) -> Conflict:
    """Deleted in Shopify, edited in Grist; as the planner says it."""
    seen = tuple(f"{one.field}={one.after}" for one in edits)
    return Conflict(row, thing, "", None, seen, None, title, deleted=Side.REMOTE, edits=tuple(edits))

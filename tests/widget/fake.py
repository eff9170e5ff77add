"""A stand-in for Grist and the backend around the widget: one Flask app, all on one origin, its answers in plain lists.

    /host      the page Grist would be: the widget in a frame
    /grist-plugin-api.js   what Grist's plugin API gives, with the theme's variables
    /widget/   the widget's own files, under the policy the backend serves them with
    /api/…     the HTTP API, answering from a `Shop` that a test can change

What the widget asked is kept in `shop.asked`, so that a test can look at the exact body.
"""
from __future__ import annotations

import base64
import copy
import hashlib
import json
import os
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import axe_playwright_python
import fake_mapping
from flask import Flask, Response, request, send_from_directory
from werkzeug.local import LocalProxy

from backend.web import files, headers, schemas

ROOT = Path(__file__).resolve().parents[2]
WIDGET = ROOT / "widget"
SHARED = Path(os.environ.get("SHARED_DIR", ROOT.parent / "shared"))
DOCUMENT = "demoDocument"
UNDO_PREVIEW = 20
# Styles may be inline: Grist's own plugin script writes the theme into a style element of this page.
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
          "img-src 'self' data:; frame-ancestors 'self'")


@dataclass
class Shop:
    """What the fake backend knows. `now` is fixed where a screenshot needs it, else the real time."""

    now: datetime | None = None
    role: str = "owner"
    linked: bool = True
    down: bool = False
    status: str = "synced"
    message: dict[str, Any] | None = None
    run: dict[str, Any] | None = None
    runs: list[dict[str, Any]] = field(default_factory=list)
    mappings: list[dict[str, Any]] = field(default_factory=list)
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)
    deletions: list[dict[str, Any]] = field(default_factory=list)
    cells_apart: list[dict[str, Any]] = field(default_factory=list)
    along: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """The other fields of a row, by "resource:row"."""
    standing: dict[str, tuple[str | None, str | None, dict[str, Any]]] = field(default_factory=dict)
    """Title, SKU and how it stands, by "resource:row"."""
    changes: list[dict[str, Any]] = field(default_factory=list)
    plan: list[dict[str, Any]] = field(default_factory=list)
    plan_total: int | None = None
    """Of how many lines `plan` has the first; None: it has all."""
    deeds: list[dict[str, Any]] = field(default_factory=list)
    deed_row: dict[str, Any] | None = None
    deed_refusal: dict[str, Any] | None = None
    waits: dict[str, int] = field(default_factory=dict)
    brake: dict[str, Any] | None = None
    undo_report: dict[str, Any] | None = None
    overtaken: bool = False
    busy: bool = False
    choices_answer: dict[str, Any] | None = None
    first_run: dict[str, Any] | None = None
    fixed: bool = False
    saved: list[dict[str, Any]] = field(default_factory=list)
    effect: dict[str, Any] = field(default_factory=dict)
    questions: list[dict[str, Any]] = field(default_factory=list)
    apart: list[dict[str, Any]] = field(default_factory=list)
    no_scopes: tuple[str, ...] = ()
    columns: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    before: str | None = None
    tested: dict[str, Any] = field(default_factory=dict)
    test_refusal: dict[str, Any] | None = None
    copy: dict[str, Any] | None = None
    paused: bool = False
    asleep: bool = False
    soon: bool = True
    next_minutes: int | None = 12
    options: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    keys: list[dict[str, Any]] = field(default_factory=list)
    parts: list[dict[str, Any]] = field(default_factory=list)
    refusals: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By "METHOD path": the error that such a request is answered with."""
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    cursor: list[dict[str, Any]] = field(default_factory=list)
    bad_tokens: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def clock(self) -> datetime:
        return self.now or datetime.now(UTC)

    def ago(self, **by: float) -> str:
        return stamp(self.clock() - timedelta(**by))

    def posts(self, path: str) -> list[Any]:
        """The bodies posted to `path` below /api/links/1, oldest first."""
        with self.lock:
            return [body for method, at, body in self.asked if method == "POST" and at == f"/api/links/1/{path}"]

    def state(self) -> dict[str, Any]:
        syncs = [run for run in self.runs if run["kind"] == "sync" and run["finished_at"]]
        return {
            "now": stamp(self.clock()), "status": "running" if self.run else self.status,
            "synced_at": syncs[0]["finished_at"] if syncs else None, "message": self.message,
            "counts": {**{name: len(getattr(self, name)) for name in ("conflicts", "deletions", "refused")},
                       "pairs": len(self.questions)},
            "paused": self.paused, "asleep": self.asleep, "soon": self.soon,
            "next_at": None if self.next_minutes is None else self.ago(minutes=-self.next_minutes), "history_days": 90,
            "run": self.run, "last_run": self.runs[0] if self.runs else None, "mappings": self.mappings,
        }


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def run_row(number: int, by: str, started: datetime, seconds: float, **totals: int) -> dict[str, Any]:
    everything = dict.fromkeys(
        ("created", "updated", "unchanged", "conflicts", "refused", "proposed_deletions", "waiting"), 0)
    return {"id": number, "kind": "sync", "state": "done", "started_at": stamp(started),
            "finished_at": stamp(started + timedelta(seconds=seconds)), "seconds": seconds, "by": by,
            "totals": {**everything, **totals}, "message": None}


def mapping_row(resource: str, label: str, rows: int, to_shopify: int, to_grist: int, **waiting: int) -> dict[str, Any]:
    return {"resource": resource, "label": label, "table": label, "rows": rows, "to_shopify": to_shopify,
            "to_grist": to_grist, "conflicts": 0, "deletions": 0, "refused": 0, "paused": None, **waiting}


def conflict_row(number: int, table: str, row: int, title: str, name: str, kind: str, base: Any, grist: Any,
                 shopify: Any, **more: Any) -> dict[str, Any]:
    return {"id": number, "resource": table.lower(), "label": table, "table": table, "row": row, "title": title,
            "sku": None, "field": name.lower().replace(" ", "_"), "field_label": name, "type": kind, "choices": None,
            "base": base, "grist": grist, "shopify": shopify, "base_known": True, "whole_row": False, "deleted": None,
            "reason": "", "moved": None, "choice": None, "seen_at": "2026-11-23T13:00:00Z",
            "after": "2026-11-23T12:45:00Z", **more}


def apart_row(conflict: dict[str, Any]) -> dict[str, Any]:
    """What a conflict is in the list of what is kept apart."""
    names = ("id", "resource", "label", "table", "row", "title", "sku", "field", "field_label", "type", "whole_row",
             "grist", "shopify", "deleted")
    return {**{name: conflict[name] for name in names}, "by": "An editor, in the widget", "at": "2026-11-20T13:00:00Z"}


def change_row(number: int, run: int, at: str, by: str, title: str, name: str | None, to: str, shown_as: str,
               before: Any, after: Any, **more: Any) -> dict[str, Any]:
    return {"id": number, "run": run, "at": at, "by": by, "resource": "variants", "label": "Variants",
            "table": "Variants", "row": 1, "title": title, "field": name, "field_label": name, "type": shown_as,
            "to": to, "kind": "update", "before": before, "after": after, "why": "", "undone": None, **more}


def along_row(stock: tuple[int, list[str]] | None = None, **counts: list[tuple[str, int]]) -> dict[str, Any]:
    """What goes along with a deletion."""
    told = {name: [{"resource": label.lower().replace(" ", "_"), "label": label, "n": n} for label, n in
                   counts.get(name, [])] for name in ("go", "wait", "back", "lose")}
    return {**told, "stock": {"n": stock[0], "places": stock[1]} if stock else None}


def standing_row(state: str = "agreed", **more: Any) -> dict[str, Any]:
    """How a row stands that is chosen in Grist."""
    return {"state": state, "conflicts": 0, "apart": 0, "why": None, "creates": False, "last": None, **more}


def order_row(seen: str = "seen-1") -> dict[str, Any]:
    """What may be done to an order with two lines that wait."""
    def may(action: str, label: str, why: str = "", final: str = "") -> dict[str, Any]:
        return {"action": action, "label": label, "may": not why, "why": why, "final": final}

    def line(number: int, name: str, sku: str, remaining: int) -> dict[str, Any]:
        return {"line": f"line-{number}", "name": name, "sku": sku, "remaining": remaining, "place": "Main store"}

    return {"resource": "orders", "label": "Orders", "table": "Orders", "row": 812, "title": "#1042", "seen": seen,
            "lines": [line(1, "Linen shirt / S", "LIN-S", 2), line(2, "Felt hat", "FEL-1", 1)], "effect": [], "why": "",
            "may": [may("fulfil", "Fulfil", final="An email that was sent stays sent."), may("close", "Close"),
                    may("reopen", "Reopen", "It is open."),
                    may("cancel", "Cancel", final="A cancelled order cannot be brought back."),
                    may("mark_paid", "Mark as paid", "Nothing is left to pay.")]}


def deed_row(number: int, state: str, action: str = "fulfil", **more: Any) -> dict[str, Any]:
    return {"id": number, "resource": "orders", "label": {"fulfil": "Fulfil", "cancel": "Cancel"}.get(action, action),
            "table": "Orders", "row": 812, "title": "#1042", "action": action, "state": state, "message": "",
            "cure": "", "effect": ["Fulfils 2 × Linen shirt / S from Main store."], "by": "Ana, Fulfil button",
            "asked_at": "2026-11-23T13:00:00Z", "ended_at": None, "run": 11, **more}


def fieldhouse(now: datetime | None = None) -> Shop:
    """Fieldhouse Goods, the one shop of all pictures."""
    shop = Shop(now=now)
    # Far enough from the fourth minute for a slow machine; whole minutes where a picture fixes the time.
    at = shop.clock() - timedelta(minutes=3, seconds=2)
    if now is not None:
        at = at.replace(second=0)
    shop.runs = [
        run_row(4, "timer", at - timedelta(seconds=9), 9, updated=12, unchanged=5188, conflicts=7, refused=1),
        run_row(3, "timer", at - timedelta(minutes=15), 2, unchanged=5200),
        run_row(2, "Shopify: order #1042", at - timedelta(minutes=31), 1, updated=3, unchanged=5197),
        run_row(1, "Ana, Sync button", at - timedelta(minutes=52), 14, updated=40, conflicts=2, unchanged=5158),
    ]
    shop.mappings = [
        mapping_row("products", "Products", 212, 3, 1, conflicts=4, deletions=2),
        mapping_row("variants", "Variants", 1240, 1, 0, conflicts=3, deletions=1),
        mapping_row("inventory", "Inventory", 2480, 2, 2),
        mapping_row("orders", "Orders", 861, 0, 2, refused=1),
        mapping_row("customers", "Customers", 412, 0, 1),
    ]
    text = "A felt hat with a 7 cm brim, blocked by hand in our own workshop at the foot of the hill."
    shop.conflicts = [
        conflict_row(31, "Variants", 1, "Linen shirt / S", "Price", "money", "42.00", "39.00", "45.00", sku="LIN-S"),
        conflict_row(32, "Variants", 1, "Linen shirt / S", "Compare at", "money", "59.00", "49.00", None, sku="LIN-S"),
        conflict_row(33, "Products", 3, "Wool scarf", "Title", "text", "Wool scarf, undyed",
                     "Wool scarf, undyed merino", "Wool scarf, natural"),
        conflict_row(34, "Products", 3, "Wool scarf", "Tags", "list", ["winter", "wool"], ["winter", "wool", "sale"],
                     ["wool", "gift"], merge=["wool", "sale", "gift"]),
        conflict_row(35, "Products", 3, "Wool scarf", "Restock", "date", "2026-12-01", "2026-12-08", "2026-12-15"),
        conflict_row(36, "Variants", 4, "Canvas tote", "Whole row", "text", None, "Price $18.00", None, sku="CAN-1",
                     whole_row=True, deleted="shopify", field="", field_label=None, edits=[
                         {"field": "price", "field_label": "Price", "type": "money", "before": "16.00",
                          "after": "18.00"}]),
        conflict_row(37, "Products", 5, "Felt hat", "Description", "text", text, text.replace("7 cm", "8 cm"),
                     text.replace("blocked by", "blocked and steamed by")),
    ]
    shop.deletions = [
        {"id": 51, "resource": "products", "label": "Products", "table": "Products", "row": 14,
         "title": "Wool scarf, kids", "sku": None, "in": "grist", "seen_at": "2026-11-22T17:12:00Z"},
        {"id": 52, "resource": "products", "label": "Products", "table": "Products", "row": 31, "title": "Gift card",
         "sku": None, "in": "grist", "seen_at": "2026-11-22T17:12:00Z"},
        {"id": 53, "resource": "variants", "label": "Variants", "table": "Variants", "row": None,
         "title": "Rain hat / L", "sku": "RAI-2", "in": "shopify", "seen_at": shop.ago(hours=2, minutes=45)},
    ]
    shop.along = {
        "51": along_row(wait=[("Variants", 2)], back=[("Variants", 2)], lose=[("Order lines", 5)]), "52": along_row(),
        "53": along_row(go=[("Inventory", 1)], stock=(12, ["Main store"]))}
    for one in shop.deletions:
        one["may_put_back"] = True
    shop.refused = [{
        "id": 61, "resource": "orders", "label": "Orders", "table": "Orders", "row": 812, "title": "#1039",
        "side": "shopify", "field_label": "Tracking no.", "tries": 1, "at": stamp(at), "waits": False,
        "message": "Shopify refused Tracking no.: the order is cancelled, so nothing can be shipped.",
        "cure": "Clear Tracking no. in row 812. The other cells of the row are in sync."}]
    shop.changes = [
        change_row(99, 4, stamp(at), "timer", "Linen shirt / M", "Price", "shopify", "money", "37.00", "39.00"),
        change_row(98, 4, stamp(at), "timer", "Linen shirt / M · Main store", "Available", "grist", "integer", 9, 7),
        change_row(97, 4, stamp(at), "timer", "Felt hat", "Vendor", "grist", "text", "Hat Works", "Hatworks"),
        change_row(96, 4, stamp(at), "timer", "Wool scarf", "Status", "shopify", "choice", "ACTIVE", "DRAFT"),
        change_row(95, 4, stamp(at), "timer", "#1041", "Tracking no.", "shopify", "text", None, "00370712345678"),
        change_row(94, 4, stamp(at), "timer", "#1040", "Note", "grist", "text", None, "Leave at the door"),
        change_row(93, 2, shop.runs[2]["started_at"], "Shopify: order #1042", "#1042", None, "grist", "text", None,
                   "Order, $78.00, 2 lines", kind="create"),
        change_row(92, 2, shop.runs[2]["started_at"], "Shopify: order #1042", "Linen shirt / S · Main store",
                   "Available", "grist", "integer", 14, 12),
        change_row(91, 1, shop.runs[3]["started_at"], "Ana, Sync button", "Canvas tote", "Tags", "shopify", "list",
                   ["bag"], ["bag", "summer"]),
    ]
    def cell(name: str, kind: str, value: Any) -> dict[str, Any]:
        return {"field": name.lower().replace(" ", "_"), "field_label": name, "type": kind, "value": value}

    shop.rows = {
        "variants:1": [
            cell("Product", "ref", {"title": "Linen shirt"}), cell("SKU", "text", "LIN-S"),
            cell("Price", "money", "42.00"), cell("Compare at", "money", "59.00"), cell("Barcode", "text", None),
            cell("Weight", "decimal", "0.25"), cell("Taxable", "boolean", True)],
        "products:3": [
            cell("Title", "text", "Wool scarf, undyed"), cell("Vendor", "text", "Hill Weavers"),
            cell("Status", "choice", "DRAFT"), cell("Tags", "list", ["winter", "wool"]),
            cell("Restock", "date", "2026-12-01")],
        "products:5": [cell("Vendor", "text", "Hat Works"), cell("Status", "choice", "ACTIVE"),
                       cell("Description", "text", text)],
        "variants:4": [cell("Price", "money", "16.00"), cell("SKU", "text", "CAN-1")]}
    last = {"run": 4, "at": stamp(at), "by": "Timer", "to": "shopify", "kind": "update", "field_label": "Price"}
    shop.standing = {
        "variants:1": ("Linen shirt / S", "LIN-S", standing_row("conflict", conflicts=2)),
        "variants:2": ("Linen shirt / M", "LIN-M", standing_row(last=last)),
        "orders:812": ("#1039", None, standing_row("refused", why={
            name: shop.refused[0][name] for name in ("message", "cure")}))}
    kept = {"hint": "…4f2a", "by": "Ana Lund, widget", "at": "2026-11-03T09:12:00Z"}
    shop.kept = {"store": kept, "grist_key": kept, "notify_url": None}
    shop.options = {
        "interval_seconds": 900, "paused": False, "quiet": None, "realtime": True, "settle_seconds": 0.2,
        "brakes": {"deletions": 20, "deletions_share": 0.3, "changed_share": 0.9}, "rest_seconds": 30,
        "audit_hours": 24, "history_days": 90, "mails": [], "notices": ["failed", "stopped"], "language": "",
        "letters": True, "first_run": None}
    shop.keys = [{"id": 1, "name": "nightly export", "start": "sgs_Ab3x…", "by": "Ana Lund, widget",
                  "made_at": "2026-11-03T09:12:00Z", "used_at": None}]
    shop.parts = health_parts(shop)
    shop.plan = [
        {"resource": "variants", "label": "Variants", "side": "shopify", "row": 1, "title": "Linen shirt / S",
         "kind": "update", "field": "price", "field_label": "Price", "type": "money", "before": "42.00",
         "after": "39.00", "why": ""},
        {"resource": "inventory", "label": "Inventory", "side": "grist", "row": 2, "title": "Linen shirt / M",
         "kind": "update", "field": "available", "field_label": "Available", "type": "integer", "before": 9,
         "after": 7, "why": ""},
    ]
    return shop


def health_parts(shop: Shop) -> list[dict[str, Any]]:
    """Picture 17: three things need somebody."""
    def part(name: str, message: str = "", cure: str = "", needs_you: bool | None = None, **facts: Any
             ) -> dict[str, Any]:
        return {"part": name, "needs_you": bool(message) if needs_you is None else needs_you, "facts": facts,
                "message": message, "cure": cure}

    at = shop.ago(minutes=3)
    return [
        part("store", domain="fieldhouse.myshopify.com", ms=180),
        part("permissions", "read_customers is missing: orders show no names.", granted=9, missing=["read_customers"]),
        part("document", key="kept", by="Ana Lund, widget", at="2026-11-03T09:12:00Z", role="owner"),
        part("shopify_webhooks", registered=14, wanted=14, last_at=at),
        part("grist_webhooks", "Grist does not allow our address, so edits in Grist are noticed by the timer, every "
             "15 min.", "Name it in ALLOWED_WEBHOOK_DOMAINS.", registered=0, wanted=5, last_at=None),
        part("last_sync", at=at, failed_at=None),
        part("timer", interval_seconds=900, next_at=shop.ago(minutes=-12), paused=False, quiet=None),
        part("queue", state=None), part("brakes", deletions=20, deletions_share=0.3, changed_share=0.9),
        part("mapping", tables=5, columns=64, paused=0), part("quota", points=212.0, shopify=14, grist=9),
        part("refused", needs_you=True, count=1, example={
            "title": "#1039", "message": "the order is cancelled and takes no tracking number."}),
    ]


def permissions(*missing: str) -> list[dict[str, Any]]:
    """What the app of Fieldhouse Goods may do; `missing` it may not."""
    known = {
        "write_inventory": ("stock", "Stock changes in Grist are not sent to Shopify."),
        "read_customers": ("customers", "Customers cannot be synced, and orders show no names."),
        "read_products": ("products", ""), "write_products": ("products", ""), "read_orders": ("orders", ""),
        "write_orders": ("orders", ""), "read_locations": ("locations", ""), "read_draft_orders": ("draft orders", ""),
        "write_draft_orders": ("draft orders", ""), "read_inventory": ("stock", ""),
        "write_merchant_managed_fulfillment_orders": ("fulfilments", ""),
    }
    return [{"scope": scope, "granted": scope not in missing, "about": about, "without": without}
            for scope, (about, without) in known.items()]


def answer_of_test(*missing: str) -> dict[str, Any]:
    return {"store": "fieldhouse.myshopify.com", "permissions": permissions(*missing), "problems": [],
            "shop": {"name": "Fieldhouse Goods", "currency": "USD", "timezone": "Europe/Oslo"}, "answered_ms": 180}


def writing(shop: Shop, done: int = 310) -> dict[str, Any]:
    """A sync in the middle of Variants, as in the pictures."""
    def row(label: str, read: int, to_write: int, written: int, state: str) -> dict[str, Any]:
        return {"resource": label.lower(), "label": label, "read": read, "to_write": to_write, "written": written,
                "state": state}

    return {"id": 7, "kind": "sync", "state": "running", "started_at": shop.ago(seconds=20), "by": "Ana, Sync button",
            "phase": "writing", "thing": "Variants", "done": done, "total": 742, "cancelling": False,
            "mappings": [row("Products", 212, 3, 3, "done"), row("Variants", 1240, 742, done, "writing"),
                         row("Inventory", 2480, 96, 0, "next"), row("Orders", 861, 4, 0, "waits"),
                         row("Customers", 412, 0, 0, "nothing")]}


class Stage:
    """What stands behind one server for many tests: each test brings its own shop.

    A page says with every request which test it belongs to, so that what the last test's page still asks for is
    neither answered from this test's shop nor written down in it.
    """

    def __init__(self, shop: Shop | None = None) -> None:
        self.shop, self.number = shop or Shop(), 0
        self.elsewhere = ""  # another site that may call the API, as the backend's ALLOWED_ORIGINS names one

    def bring(self, shop: Shop) -> None:
        self.shop, self.number, self.elsewhere = shop, self.number + 1, ""


def make_app(behind: Stage | Shop) -> Flask:
    """The app around one shop, or the shop that a stage has now; a test changes it while the widget looks at it."""
    stage = Stage(behind) if isinstance(behind, Shop) else behind
    shop: Shop = LocalProxy(lambda: stage.shop)  # type: ignore[assignment]
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the order of fields is what a person sees

    @app.get("/host")
    def host() -> str:
        address = f"{stage.elsewhere or '/widget'}/?{request.query_string.decode()}"
        return f"""<!doctype html><meta charset=utf-8><title>Grist</title>
            <style>html,body{{margin:0;height:100%}}iframe{{border:0;width:100%;height:100%;display:block}}</style>
            <iframe src="{address}" title="Shopify sync"></iframe>"""

    @app.get("/empty")
    def empty() -> str:
        """A page of this origin without the widget, to clear what it kept."""
        return "<!doctype html><title>Nothing</title>"

    @app.get("/axe.js")
    def axe() -> Response:
        return send_from_directory(Path(axe_playwright_python.__file__).parent, "axe.min.js", max_age=3600)

    @app.get("/grist-plugin-api.js")
    def plugin() -> Response:
        script = (Path(__file__).parent / "fake_plugin_api.js").read_text()
        script = script.replace("__VARIABLES__", json.dumps(theme(request.args.get("theme", "light"))))
        script = script.replace("__STAGE__", str(stage.number))
        return Response(script, mimetype="text/javascript", headers={"Cache-Control": "no-store"})

    @app.get("/widget/")
    def page() -> Response:
        plugin_address = f"/grist-plugin-api.js?theme={request.args.get('theme', 'light')}&.js"
        text = (WIDGET / "index.html").read_text().replace("__GRIST_PLUGIN_API__", plugin_address)
        return Response(text, mimetype="text/html", headers={"Content-Security-Policy": POLICY})

    @app.get("/widget/<path:name>")
    def file(name: str) -> Response:
        # One browser opens the widget hundreds of times: it fetches each file once.
        return files.send(WIDGET, name, max_age=3600)

    @app.post("/seen/cursor")
    def cursor() -> tuple[str, int]:
        shop.cursor.append(request.get_json())
        return "", 204

    @app.before_request
    def gate() -> Response | tuple[Any, int] | None:
        if not request.path.startswith("/api/"):
            return None
        if request.method == "OPTIONS":
            return "", 204
        if request.headers.get("X-Stage") != str(stage.number):
            return Response("the page of another test", 410, mimetype="text/plain")
        with shop.lock:
            shop.asked.append((request.method, request.path, request.get_json(silent=True)))
            if shop.down:
                return Response("<h1>Bad gateway</h1>", 502, mimetype="text/html")
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if refusal := shop.refusals.get(f"{request.method} {request.path}"):
                return {"cure": "", "details": {}, **refusal}, refusal.get("status", 422)
            if not token or token in shop.bad_tokens:
                refusal = {"code": "token", "message": "The Grist token is not good.", "cure": "Reload.", "details": {}}
                return refusal, 401
        return None

    @app.after_request
    def shared(response: Response) -> Response:
        """As the backend shares it, and with the header by which our pages say whose they are."""
        if request.path.startswith("/api/") and stage.elsewhere:
            headers.share(response, frozenset({stage.elsewhere}))
            if "Access-Control-Allow-Headers" in response.headers:
                response.headers["Access-Control-Allow-Headers"] += ", X-Stage"
        return response

    @app.after_request
    def tagged(response: Response) -> Response:
        if request.path.startswith("/api/") and request.method == "GET" and response.status_code == 200:
            response.set_etag(hashlib.sha1(response.get_data()).hexdigest())
            return response.make_conditional(request)
        return response

    @app.get("/api/session")
    def session() -> dict[str, Any]:
        link = {"id": 1, "store": "fieldhouse.myshopify.com",
                "shop": {"name": "Fieldhouse Goods", "currency": "USD", "timezone": "Europe/Oslo"}}
        link["first_run"] = shop.first_run
        return {"role": shop.role, "document": DOCUMENT, "version": "0.1.0", "link": link if shop.linked else None,
                **({} if shop.role == "owner" else {"owners": ["Ana Lund", "Jonas Berg"] if shop.linked else []}),
                "before": shop.before, "copy": shop.copy if not shop.linked else None}

    @app.post("/api/link/test")
    def test_store() -> tuple[dict[str, Any], int]:
        if shop.test_refusal:
            return {"details": {}, **shop.test_refusal}, 422
        return shop.tested, 200

    @app.post("/api/link")
    def connect() -> tuple[dict[str, Any], int]:
        with shop.lock:
            shop.linked, shop.first_run = True, {"step": "resources"}
        return {"id": 1}, 201

    def held() -> dict[str, Any]:
        return {"settings": shop.options, "kept": shop.kept, "timezone": "Europe/Oslo",
                "notify_hosts": ["hooks.slack.com"],
                "from_environment": {"grist_key": False, "store": False}, "store": "fieldhouse.myshopify.com"}

    @app.get("/api/links/1/settings")
    def settings() -> dict[str, Any]:
        return held()

    @app.put("/api/links/1/settings")
    def save_settings() -> dict[str, Any]:
        with shop.lock:
            body = request.get_json()
            shop.options |= body
            shop.paused = shop.options["paused"]
            if "first_run" in body:
                shop.first_run = body["first_run"]
        return held()

    @app.route("/api/links/1/<any('grist-key', 'notify-url'):name>", methods=["PUT", "DELETE"])
    def keep(name: str) -> dict[str, Any]:
        kept = {"hint": "…9z9z", "by": "An owner, widget", "at": stamp(shop.clock())}
        shop.kept[name.replace("-", "_")] = kept if request.method == "PUT" else None
        return held()

    @app.get("/api/links/1/keys")
    def keys() -> dict[str, Any]:
        return {"keys": shop.keys}

    @app.post("/api/links/1/keys")
    def make_key() -> tuple[dict[str, Any], int]:
        shop.keys.append({**shop.keys[0], "id": 2, "name": request.get_json()["name"]})
        return {"id": 2, "key": "sgs_shown_once", "keys": shop.keys}, 201

    @app.delete("/api/links/1/keys/<int:number>")
    def revoke(number: int) -> dict[str, Any]:
        shop.keys = [one for one in shop.keys if one["id"] != number]
        return {"keys": shop.keys}

    @app.route("/api/links/1/health", methods=["GET", "POST"])
    def health() -> dict[str, Any]:
        waits = [one["part"] for one in shop.parts if one["needs_you"]]
        return {"works": not {"store", "document", "last_sync"} & set(waits), "needs_you": len(waits),
                "checked_at": stamp(shop.clock()), "parts": shop.parts, "version": "1.4.0",
                "shopify_version": "2026-10", "database": "sqlite", "store": "fieldhouse.myshopify.com"}

    @app.put("/api/links/1/store")
    def replace_key() -> dict[str, Any]:
        shop.message = None
        shop.status = "synced"
        return shop.tested

    @app.post("/api/link/move")
    def move() -> dict[str, Any]:
        shop.linked = True
        return {"id": 1}

    @app.delete("/api/links/1")
    def disconnect() -> dict[str, Any]:
        shop.linked, shop.before = False, "fieldhouse.myshopify.com"
        return {"deleted": "", "stays": ""}

    @app.get("/api/links/1/config.yaml")
    def export_mapping() -> Response:
        return Response("mappings: []\n", mimetype="text/yaml")

    @app.put("/api/links/1/config.yaml")
    def import_mapping() -> dict[str, Any]:
        text = request.get_data(as_text=True)
        shop.asked.append(("FILE", request.query_string.decode(), text))
        problem = {"message": "“tabel” is not a key.", "cure": "Did you mean table?", "line": 3}
        wrong = [problem] if "tabel" in text else []
        return {"changes": [] if wrong else ["Price in Variants is only read."], "problems": wrong}

    @app.get("/api/links/1/state")
    def state() -> dict[str, Any]:
        with shop.lock:
            return copy.deepcopy(shop.state())

    @app.get("/api/links/1/runs")
    def runs() -> dict[str, Any]:
        return {"runs": shop.runs}

    @app.get("/api/links/1/runs/<int:number>")
    def run(number: int) -> dict[str, Any]:
        if number in (fake_mapping.EFFECT, fake_mapping.LOOK):
            return fake_mapping.run(shop, number)
        row = run_row(number, "Ana, Preview button", shop.clock(), 2, **shop.waits)
        if number in (UNDO_PREVIEW, 8) and not shop.overtaken:
            brake = {"brake": shop.brake} if shop.brake else {}
            report = shop.undo_report if number == UNDO_PREVIEW else {
                "plan": shop.plan, "plan_total": shop.plan_total or len(shop.plan), **brake}
            return {**row, "kind": "preview", "report": report}
        return {**row, "report": {}}

    @app.post("/api/links/1/runs")
    def start() -> tuple[dict[str, Any], int]:
        with shop.lock:
            if shop.busy:
                return {"code": "busy", "cure": "Look again when it has ended.", "details": {}, "message":
                        "Another sync or preview is under way, so nothing can be previewed now."}, 409
            if request.get_json()["kind"] == "sync":
                shop.run = writing(shop, done=0)
        return {"id": 7 if shop.run else 8}, 202

    @app.post("/api/links/1/undo")
    def undo() -> tuple[dict[str, Any], int]:
        """Taken back at once, as if the run were over before the widget looks again."""
        body = request.get_json()
        with shop.lock:
            if body["preview"]:
                return {"id": UNDO_PREVIEW}, 202
            stays = {one["change"] for one in (shop.undo_report or {}).get("stays", [])}
            for one in shop.changes:
                chosen = one["id"] in body.get("changes", []) or one["run"] in body.get("runs", [])
                if chosen and one["kind"] == "update" and one["id"] not in stays:
                    one["undone"] = {"at": stamp(shop.clock()), "by": "An editor, Undo button"}
        return {"id": UNDO_PREVIEW + 1}, 202

    @app.post("/api/links/1/runs/<int:number>/cancel")
    def cancel(number: int) -> tuple[dict[str, Any], int]:
        with shop.lock:
            if shop.run:
                shop.run["cancelling"] = True
        return {}, 202

    @app.get("/api/links/1/conflicts")
    def conflicts() -> dict[str, Any]:
        limit, after = int(request.args["limit"]), int(request.args.get("after", 0))
        with shop.lock:
            rest = [one for one in shop.conflicts if one["id"] > after]
            page = copy.deepcopy(rest[:limit])
            return {"conflicts": page, "total": len(shop.conflicts), "apart": len(shop.cells_apart),
                    "next": page[-1]["id"] if len(rest) > limit else None}

    @app.post("/api/links/1/choices")
    def choices() -> tuple[dict[str, Any], int]:
        with shop.lock:
            if shop.choices_answer is not None:
                return shop.choices_answer, 202
            assert len(request.get_json()["choices"]) <= schemas.MOST_AT_ONCE
            keeps = {one["conflict"]: one["keep"] for one in request.get_json()["choices"]}
            shop.cells_apart += [apart_row(one) for one in shop.conflicts if keeps.get(one["id"]) == "apart"]
            shop.conflicts = [one for one in shop.conflicts if one["id"] not in keeps]
            applied = [number for number, keep in keeps.items() if keep != "apart"]
            return {"applied": applied, "apart": [number for number in keeps if number not in applied], "moved": [],
                    "invalid": [], "run": 9 if applied else None}, 202

    @app.get("/api/links/1/apart")
    def kept_apart() -> dict[str, Any]:
        return {"apart": shop.cells_apart[:listed()], "total": len(shop.cells_apart)}

    @app.post("/api/links/1/apart")
    def ask_again() -> tuple[dict[str, Any], int]:
        with shop.lock:
            wanted = request.get_json()["ask_again"]
            shop.cells_apart = [one for one in shop.cells_apart if one["id"] not in wanted]
        return {"run": 9}, 202

    @app.get("/api/links/1/refused")
    def refused() -> dict[str, Any]:
        return {"refused": shop.refused[:listed()], "total": len(shop.refused)}

    @app.get("/api/links/1/deletions")
    def deletions() -> dict[str, Any]:
        return {"deletions": shop.deletions[:listed()], "total": len(shop.deletions)}

    @app.get("/api/links/1/deletions/along")
    def along() -> dict[str, Any]:
        return {"along": {str(one["id"]): shop.along.get(str(one["id"]), along_row()) for one in shop.deletions}}

    @app.get("/api/links/1/row")
    def row() -> tuple[dict[str, Any], int]:
        resource, number = request.args["resource"], int(request.args["row"])
        key = f"{resource}:{number}"
        if key not in shop.rows and key not in shop.standing:
            return {"code": "no_such_row", "message": "There is no such row here that is synced.", "cure": "",
                    "details": {}}, 404
        title, sku, status = shop.standing.get(key, (None, None, standing_row()))
        return {"resource": resource, "row": number, "title": title, "sku": sku, "status": status,
                "fields": shop.rows.get(key, [])}, 200

    @app.post("/api/links/1/deletions")
    def answer() -> tuple[dict[str, Any], int]:
        body = request.get_json()
        with shop.lock:
            answered = [one for ids in body.values() for one in ids]
            assert len(answered) <= schemas.MOST_AT_ONCE
            shop.deletions = [one for one in shop.deletions if one["id"] not in answered]
        return {"run": None}, 202

    def listed() -> int:
        """How many lines of a list are asked for; more than the service lists is refused as it does."""
        limit = int(request.args["limit"])
        assert limit <= schemas.MOST_LISTED
        return limit

    fake_mapping.routes(app, shop)

    @app.get("/api/links/1/actions")
    def deeds() -> dict[str, Any]:
        return {"actions": shop.deeds, "maybe": sum(one["state"] == "maybe" for one in shop.deeds)}

    @app.post("/api/links/1/actions/preview")
    def preview_actions() -> dict[str, Any]:
        body = request.get_json()
        row = copy.deepcopy(shop.deed_row or order_row())
        row["row"] = body["rows"][0]
        final = next((one["final"] for one in row["may"] if one["action"] == body.get("action")), "")
        if body.get("action"):
            sent = body["options"].get("lines", [])
            names = {line["line"]: line["name"] for line in row["lines"]}
            row["effect"] = [f"Fulfils {one['quantity']} × {names[one['line']]} from Main store." for one in sent] + [
                "The customer is not notified."]
        return {"rows": [row], "final": final}

    @app.post("/api/links/1/actions")
    def start_actions() -> tuple[dict[str, Any], int]:
        body = request.get_json()
        with shop.lock:
            if shop.deed_refusal is not None:
                return shop.deed_refusal, 409
            shop.deeds.insert(0, deed_row(len(shop.deeds) + 1, "wanted", action=body["action"]))
        return {"id": 11}, 202

    @app.post("/api/links/1/actions/<int:number>")
    def settle_action(number: int) -> tuple[dict[str, Any], int]:
        with shop.lock:
            for one in shop.deeds:
                if one["id"] == number:
                    one["state"] = "done" if request.get_json()["happened"] else "not_done"
                    one["message"] = one["cure"] = ""
        return {"id": number}, 202

    @app.get("/api/links/1/changes")
    def changes() -> dict[str, Any]:
        limit, before = int(request.args["limit"]), int(request.args.get("before", 1_000_000))
        resource, number = request.args.get("resource"), int(request.args.get("row", 0))
        rest = [one for one in shop.changes if one["id"] < before
                and (resource is None or (one["resource"], one["row"]) == (resource, number))]
        return {"changes": rest[:limit], "next": rest[limit - 1]["id"] if len(rest) > limit else None}

    return app


def theme(name: str) -> dict[str, str]:
    """Grist's own variables where the shared recording is at hand, else none: the fallbacks are the light theme."""
    recording = SHARED / "fixtures" / "grist-themes.json"
    if not recording.exists():
        return {}
    variables: dict[str, str] = json.loads(recording.read_text())[name]["variables"]
    return variables


def token(number: int) -> str:
    """The token that the fake plugin API hands out as its `number`th."""
    payload = base64.urlsafe_b64encode(json.dumps({"docId": DOCUMENT, "n": number}, separators=(",", ":")).encode())
    return f"head.{payload.decode().rstrip('=')}.sign"

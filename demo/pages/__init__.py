"""The demo's first page: document and store side by side, and a tour of five steps.

    /demo/  ┌ bar and tour ──────────────────────────┐
            │ the document with the widget │ the store │
            └──────────────────────────────────────────┘

It is mounted on the origin of the stand-in for Grist, because the widget lets only Grist's own pages frame it.
"""
from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, request, send_from_directory

from demo.grist.document import Document
from demo.shopify import Store
from demo.shopify.control import Door

from .tour import Tour

STATIC = Path(__file__).with_name("static")


def create_app(store: Store, store_url: str, document: Document, door: Door) -> Flask:
    """What answers below `/demo`. `store_url`: where browsers find the store's page."""
    app = Flask(__name__, static_folder=None)
    tour = Tour(store, document, door)

    @app.before_request
    def only_our_own_page() -> tuple[Response, int] | None:
        origin = request.headers.get("Origin")
        if request.method != "GET" and origin is not None and urlsplit(origin).netloc != request.host:
            return jsonify(error="Only the demo's own page may call this."), 403
        return None

    @app.get("/")
    def page() -> Response:
        return send_from_directory(STATIC, "index.html")

    @app.get("/static/<path:name>")
    def static_file(name: str) -> Response:
        return send_from_directory(STATIC, name)

    @app.get("/tour")
    def state() -> Response:
        answer = jsonify(store=store_url, document=f"/doc/{document.doc_id}", steps=tour.steps())
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @app.post("/act/<name>")
    def act(name: str) -> tuple[Response, int]:
        try:
            return jsonify(said=tour.act(name)), 200
        except KeyError:
            return jsonify(error=f"The tour has no button {name!r}."), 404
        except LookupError as error:
            return jsonify(error=str(error)), 409

    return app

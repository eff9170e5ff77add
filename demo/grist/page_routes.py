"""The document page and what it asks the server for: `/doc/{doc}`, `/page/{doc}/…`, and the widget's script.

These are the page's own endpoints, beside Grist's API, so that a page that is open does not show in the counts of
API calls. The person who looks is chosen by `?as=owner|editor|viewer`.
"""
from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, redirect, send_from_directory

from demo.grist.access import Refused
from demo.grist.service import Grist

STATIC = Path(__file__).with_name("page")


def page_blueprint(grist: Grist, backend_url: str | None) -> Blueprint:
    bp = Blueprint("page", __name__)

    @bp.get("/")
    def first_document() -> Response:
        first = next(iter(grist.documents), None)
        if first is None:
            raise Refused(404, "There is no document yet.")
        return redirect(f"/doc/{first}")  # type: ignore[return-value]

    @bp.get("/page/static/<path:name>")
    def static_file(name: str) -> Response:
        return send_from_directory(STATIC, name)

    return bp

"""The document page and what it asks the server for: `/doc/{doc}`, `/page/{doc}/…`, and the widget's script.

These are the page's own endpoints, beside Grist's API, so that a page that is open does not show in the counts of
API calls. The person who looks is chosen by `?as=owner|editor|viewer`. A call from another site's page is refused:
the page needs no password, and nobody else shall write with it.
"""
from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, request, send_from_directory

from demo.grist.access import ROLES, Caller, Refused, require
from demo.grist.document import Document
from demo.grist.history import UnknownState
from demo.grist.page_view import described_tables, shown_references
from demo.grist.reading import read_table
from demo.grist.replies import answer
from demo.grist.service import Grist
from demo.grist.tables import SandboxError

STATIC = Path(__file__).with_name("page")


def page_blueprint(grist: Grist, backend_url: str | None) -> Blueprint:
    """`backend_url`: origin and path of the backend whose `/widget/` stands beside the grid; None: no widget."""
    bp = Blueprint("page", __name__)

    @bp.before_request
    def _only_our_own_page() -> None:
        origin = request.headers.get("Origin")
        if request.method != "GET" and origin is not None and urlsplit(origin).netloc != request.host:
            raise Refused(403, "Only the stand-in's own page may call this.")

    @bp.get("/")
    def first_document() -> Response:
        first = next(iter(grist.documents), None)
        if first is None:
            raise Refused(404, "There is no document yet.")
        query = f"?{request.query_string.decode()}" if request.query_string else ""
        return redirect(f"/doc/{first}{query}")  # type: ignore[return-value]

    @bp.get("/doc/<doc_id>")
    def page(doc_id: str) -> Response:
        _known(grist, doc_id)
        return _fresh(send_from_directory(STATIC, "index.html"))

    @bp.get("/page/static/<path:name>")
    def static_file(name: str) -> Response:
        return _fresh(send_from_directory(STATIC, name))

    @bp.get("/grist-plugin-api.js")
    def plugin_api() -> Response:
        return _fresh(send_from_directory(STATIC, "grist-plugin-api.js"))

    @bp.get("/page/<doc_id>/setup")
    def setup(doc_id: str) -> Response:
        document, person = _known(grist, doc_id), _person(grist)
        return answer({"name": document.name, "docId": document.doc_id, "role": person.role,
                       "backend": backend_url.rstrip("/") if backend_url else None})

    @bp.get("/page/<doc_id>/version")
    def version(doc_id: str) -> Response:
        newest = _known(grist, doc_id).history.newest.h
        if request.headers.get("If-None-Match") == f'"{newest}"':
            return Response(status=304, headers={"ETag": f'"{newest}"'})
        response = answer({"h": newest})
        response.headers["ETag"] = f'"{newest}"'
        response.headers["Cache-Control"] = "no-cache"
        return response

    @bp.get("/page/<doc_id>/tables")
    def tables(doc_id: str) -> Response:
        return answer({"tables": described_tables(_known(grist, doc_id), _person(grist))})

    @bp.get("/page/<doc_id>/tables/<table_id>")
    def table(doc_id: str, table_id: str) -> Response:
        document, person = _known(grist, doc_id), _person(grist)
        if table_id not in document.tables:
            raise Refused(404, f'Table not found "{table_id}"')
        with document.lock:
            rows, columns = read_table(document, person, table_id)
            return answer({"h": document.history.newest.h, "id": rows,
                           "cells": {name: cells for name, (_, cells) in columns.items()},
                           "shown": shown_references(document, table_id, columns)})

    @bp.post("/page/<doc_id>/apply")
    def apply(doc_id: str) -> Response:
        document, person = _known(grist, doc_id), _person(grist)
        require(person, "editor")
        body = _json()
        applied = document.apply(body.get("actions") or [], user=person.name, user_info=person.user,
                                 parse_text=bool(body.get("parse", True)))
        return answer(applied.answer())

    @bp.post("/page/<doc_id>/undo")
    def undo(doc_id: str) -> Response:
        document, person = _known(grist, doc_id), _person(grist)
        require(person, "editor")
        try:
            return answer(document.undo(int(_json()["n"]), user=person.name).answer())
        except (UnknownState, SandboxError) as error:
            raise Refused(409, f"This change cannot be undone any more: {error}") from error

    @bp.post("/page/<doc_id>/token")
    def token(doc_id: str) -> Response:
        document, person = _known(grist, doc_id), _person(grist)
        issued = grist.access.token(document.doc_id, person, read_only=bool(_json().get("readOnly")))
        return answer({**issued, "baseUrl": f"{request.host_url.rstrip('/')}/api/docs/{document.doc_id}"})

    @bp.get("/page/<doc_id>/options")
    def options(doc_id: str) -> Response:
        return answer(_known(grist, doc_id).widget_options)

    @bp.put("/page/<doc_id>/options")
    def save_options(doc_id: str) -> Response:
        document = _known(grist, doc_id)
        require(_person(grist), "editor")
        document.widget_options = _json()
        return answer(document.widget_options)

    return bp


def _known(grist: Grist, doc_id: str) -> Document:
    document = grist.find(doc_id)
    if document is None or document.trashed:
        raise Refused(404, "document not found")
    return document


def _person(grist: Grist) -> Caller:
    role = request.args.get("as", "owner")
    if role not in ROLES:
        raise Refused(400, f"?as={role} is none of {', '.join(ROLES)}")
    return grist.access.person(role)


def _json() -> dict[str, Any]:
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}


def _fresh(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-cache"
    return response

"""The Flask application of the stand-in: Grist's API, the control door for tests, and the page.

`create_app(grist)` answers `/api/…` as Grist does, `/__control/…` for tests, and the document page.
"""
from __future__ import annotations

import logging
import threading
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Flask, Response, g, request

from demo.grist.access import Caller, Refused, require
from demo.grist.api import document_blueprint
from demo.grist.control import Counters, DroppedConnection, control_blueprint
from demo.grist.document import BadCompany, UnknownAction
from demo.grist.page_routes import page_blueprint
from demo.grist.replies import answer
from demo.grist.service import SITE_ID, WORKSPACE_ID, Grist
from demo.grist.tables import SandboxError

BODY_LIMIT = 1024 * 1024
log = logging.getLogger(__name__)


def create_app(grist: Grist, *, backend_url: str | None = None) -> Flask:
    """The application that serves `grist`. `backend_url`: where the widget's page comes from (`{url}/widget/`)."""
    app = Flask(__name__, static_folder=None)
    counters = Counters()
    app.extensions["counters"] = counters
    _Door(grist, counters).guard(app)
    app.register_blueprint(document_blueprint(grist))
    app.register_blueprint(_site_blueprint(grist))
    app.register_blueprint(control_blueprint(grist, counters))
    app.register_blueprint(page_blueprint(grist, backend_url))

    @app.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        return answer(error.body, error.status)

    @app.errorhandler(SandboxError)
    @app.errorhandler(UnknownAction)
    @app.errorhandler(BadCompany)
    def not_done(error: Exception) -> Response:
        return answer({"error": str(error)}, 500)

    @app.errorhandler(DroppedConnection)
    def dropped(_error: DroppedConnection) -> Response:
        return Response(status=500)  # nobody hears it: the connection is closed

    @app.errorhandler(404)
    def unknown_address(_error: Exception) -> Response:
        return answer({"error": f"not found: {request.path}"}, 404)

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Response:
        log.exception("The stand-in failed at %s %s", request.method, request.path)
        return answer({"error": f"{type(error).__name__}: {error}"}, 500)

    return app


class _Door:
    """What every API request passes: faults, credentials, the document, and the limits."""

    def __init__(self, grist: Grist, counters: Counters) -> None:
        self._grist, self._counters = grist, counters
        self._lock = threading.Lock()
        self._running: Counter[str] = Counter()
        self._today: Counter[tuple[str, str]] = Counter()

    def guard(self, app: Flask) -> None:
        app.before_request(self._enter)
        app.after_request(self._leave)
        app.teardown_request(self._release)

    def _enter(self) -> Response | None:
        g.modified, g.slot, g.is_api = False, None, request.path.startswith("/api/")
        if not g.is_api:
            return None
        if request.method == "OPTIONS":
            return Response(status=200)
        self._counters.request()
        g.fault = self._counters.next_fault()
        refused: Response | None = g.fault.before()
        if refused is not None:
            return refused
        if (request.content_length or 0) > BODY_LIMIT:
            raise Refused(413, "request entity too large")
        authorization, token = request.headers.get("Authorization"), request.args.get("auth")
        g.caller = self._grist.access.caller(authorization, token)
        doc_id = (request.view_args or {}).get("doc_id") or _doc_id_of(request.path)
        if doc_id:
            self._enter_document(doc_id)
        return None

    def _enter_document(self, doc_id: str) -> None:
        document = self._grist.find(doc_id)
        if document is None:
            raise Refused(404, "document not found")
        caller: Caller | None = g.caller
        if caller is not None and caller.doc_id not in (None, document.doc_id):
            raise Refused(403, "No view access")
        require(caller, "viewer")
        if document.trashed:
            raise Refused(404, "Document is deleted")
        if document.disabled:
            raise Refused(403, "Document is disabled")
        g.document = document
        with self._lock:
            self._running[document.doc_id] += 1
            g.slot = document.doc_id
            if self._running[document.doc_id] > self._grist.parallel_limit:
                raise Refused(429, f"Too many backlogged requests for document {document.doc_id} - try again later?")
            if self._grist.daily_limit is not None:
                day = (document.doc_id, datetime.now(UTC).date().isoformat())
                if self._today[day] >= self._grist.daily_limit:
                    raise Refused(429, f"Exceeded daily limit for document {document.doc_id}")
                self._today[day] += 1
        # One request at a time works on a document, as in Grist; the others wait here and count as running.
        document.lock.acquire()
        g.locked = document

    def _leave(self, response: Response) -> Response:
        if g.get("is_api"):
            response.headers["Access-Control-Allow-Origin"] = "*"
            response.headers["Access-Control-Allow-Methods"] = "GET, PATCH, PUT, POST, DELETE, OPTIONS"
            response.headers["Access-Control-Allow-Headers"] = "Content-Type, X-Requested-With"
            if request.method != "OPTIONS":
                self._counters.done(g.modified)
                if "fault" in g:
                    g.fault.after()
        return response

    def _release(self, _error: BaseException | None) -> None:
        locked = g.pop("locked", None)
        if locked is not None:
            locked.lock.release()
        slot = g.pop("slot", None)
        if slot:
            with self._lock:
                self._running[slot] -= 1


def _doc_id_of(path: str) -> str | None:
    parts = path.split("/")
    return parts[3] if len(parts) > 3 and parts[2] == "docs" else None


def _site_blueprint(grist: Grist) -> Blueprint:
    """The endpoints beyond one document's content: the site, its workspace, making and naming documents."""
    bp = Blueprint("site", __name__, url_prefix="/api")

    def signed_in() -> Caller:
        caller: Caller | None = g.caller
        if caller is None or caller.doc_id is not None:
            raise Refused(403, "access denied")
        return caller

    @bp.get("/orgs")
    def orgs() -> Response:
        return answer([{**grist.org(), "access": f"{signed_in().role}s"}])

    @bp.get("/orgs/<org_id>")
    def org(org_id: str) -> Response:
        _only(org_id, SITE_ID, "organization")
        return answer({**grist.org(), "access": f"{signed_in().role}s"})

    @bp.get("/orgs/<org_id>/workspaces")
    def workspaces(org_id: str) -> Response:
        role = signed_in().role
        _only(org_id, SITE_ID, "organization")
        return answer([_workspace(grist, role)])

    @bp.get("/workspaces/<workspace_id>")
    def workspace(workspace_id: str) -> Response:
        role = signed_in().role
        _only(workspace_id, WORKSPACE_ID, "workspace")
        return answer({**_workspace(grist, role), "org": grist.org()})

    @bp.post("/workspaces/<workspace_id>/docs")
    def new_document_there(workspace_id: str) -> Response:
        require(signed_in(), "editor")
        _only(workspace_id, WORKSPACE_ID, "workspace")
        return answer(_new_document(grist, "name"))

    @bp.post("/docs")
    def new_document() -> Response:
        require(signed_in(), "editor")
        return answer(_new_document(grist, "documentName"))

    @bp.get("/docs/<doc_id>")
    def document(doc_id: str) -> Response:
        return answer(grist.describe(g.document, signed_in().role))

    @bp.patch("/docs/<doc_id>")
    def rename_document(doc_id: str) -> Response:
        require(signed_in(), "editor")
        body = request.get_json(silent=True) or {}
        if isinstance(body.get("name"), str):
            g.document.name = body["name"]
        return answer(None)

    @bp.delete("/docs/<doc_id>")
    def delete_document(doc_id: str) -> Response:
        require(signed_in(), "owner")
        grist.remove(g.document.doc_id)
        return answer(None)

    @bp.post("/docs/<doc_id>/remove")
    def trash_document(doc_id: str) -> Response:
        require(signed_in(), "owner")
        g.document.trashed = True
        return answer(None)

    return bp


def _only(given: str, known: int, what: str) -> None:
    if given not in (str(known), "current"):
        raise Refused(404, f"{what} not found")


def _workspace(grist: Grist, role: str) -> dict[str, Any]:
    docs = [grist.summary(document, role) for document in grist.documents.values() if not document.trashed]
    return {**grist.workspace(), "docs": docs, "access": f"{role}s"}


def _new_document(grist: Grist, key: str) -> str:
    body = request.get_json(silent=True) or {}
    g.modified = True
    return grist.new_document(body.get(key) or "Untitled document").doc_id

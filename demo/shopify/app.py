"""The store's web face: the GraphQL endpoint, the client-credentials grant, the control door and the page."""
from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from flask import Flask, Response, request
from werkzeug.http import http_date

from . import control, engine, page, versions
from .bulk import routes as files
from .state import Store

# How the shop answers everything while it is not open, by its state (bodies of 402, 423 and 430: nobody has recorded).
_CLOSED = {
    "frozen": ({"errors": "Unavailable Shop"}, 402),
    "forbidden": ({"errors": "[API] This action requires merchant approval for read_products scope."}, 403),
    "gone": ({"errors": "Not Found"}, 404),
    "locked": ({"errors": "This store is unavailable"}, 423),
    "refused": ({"errors": "Request refused for security reasons"}, 430),
}
_BAD_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"


def create_app(store: Store, *, tokens: Iterable[str] = ("shpat_demo",),
               client: tuple[str, str] | None = ("demo-client-id", "demo-client-secret"),
               control_secret: str | None = None) -> Flask:
    """A WSGI app in front of a store.

    `tokens` are accepted in X-Shopify-Access-Token; `client` is the id and secret that the client-credentials grant
    exchanges for further ones (None: no such app). The control door opens to `control_secret` in X-Control-Secret, or,
    without one, to callers on this machine only.
    """
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.policies["json.dumps_kwargs"] = {}  # the page tells what changed by comparing with later answers
    known = set(tokens)
    door = control.Door(store)
    app.extensions["shopify_door"] = door
    if client is not None:
        store.webhooks.secret = client[1]
    store.bulks.worked_elsewhere = True
    store.background.allow()

    @app.post("/admin/api/<version>/graphql.json")
    def graphql(version: str) -> Response:
        body = request.get_data()
        door.arrived()
        fault = door.next_fault(body)
        serving = versions.serving(version, store.now())
        if fault.get("status") and not fault.get("after"):
            return _failed(int(fault["status"]), fault)
        if door.network_cut:
            return control.drop_connection()
        if store.shop.state in _CLOSED:
            return _json(*_CLOSED[store.shop.state])
        if serving is None:
            if store.behaviour.unknown_version_is_404:
                return _json({"errors": "Not Found"}, 404)
            serving = versions.NEWEST_KNOWN
        if request.headers.get("X-Shopify-Access-Token") not in known:
            return _json({"errors": _BAD_TOKEN}, 401)
        if fault.get("drop") == "before":
            return control.drop_connection()
        if request.mimetype == "application/graphql":
            asked: Any = {"query": body.decode()}
        else:
            try:
                asked = json.loads(body)
            except ValueError:
                return _json({"errors": "Bad Request"}, 400)
        if not isinstance(asked, dict) or not isinstance(asked.get("query"), str):
            return _json({"errors": "Bad Request"}, 400)
        outcome = engine.run(store, asked["query"], asked.get("variables") or {}, asked.get("operationName"),
                             throttle=bool(fault.get("throttle")), version=serving,
                             base_url=request.host_url.rstrip("/"))
        door.answered(outcome)
        answer = _json(outcome.body)
        if fault.get("status"):
            return _failed(int(fault["status"]), fault)
        if fault.get("drop") == "after":
            return control.drop_connection()
        if fault.get("cut"):
            return control.cut_answer(answer)
        answer.headers["X-Shopify-API-Version"] = serving
        answer.headers["Date"] = http_date(store.now())
        return answer

    @app.post("/admin/oauth/access_token")
    def access_token() -> Response:
        given = request.get_json(silent=True) if request.is_json else request.form
        given = given or {}
        if given.get("grant_type") != "client_credentials":
            return _json({"error": "unsupported_grant_type"}, 400)
        if client is None or (given.get("client_id"), given.get("client_secret")) != client:
            return _json({"error": "invalid_client", "error_description": "Client authentication failed."}, 401)
        token = f"shpca_{store.new_id():x}"
        known.add(token)
        return _json({"access_token": token, "scope": ",".join(store.scopes), "expires_in": 86_399})

    @app.errorhandler(404)
    def not_found(error: Exception) -> Response:
        return _json({"errors": "Not Found"}, 404)

    app.register_blueprint(control.blueprint(door, revoke=known.discard, allow=known.add,
                                             tokens_known=lambda: known, secret=control_secret))
    app.register_blueprint(files.blueprint(store, door.tokens_shown))
    app.register_blueprint(page.blueprint(store, door))
    return app


def _json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/json")


def _failed(status: int, fault: dict[str, Any]) -> Response:
    """An answer of the machinery in front of the store: HTML, with what the fault asked for."""
    answer = Response(fault.get("body") or f"<html><body><h1>{status}</h1></body></html>", status,
                      mimetype=fault.get("content_type") or "text/html")
    for name, value in (fault.get("headers") or {}).items():
        answer.headers[name] = str(value)
    return answer



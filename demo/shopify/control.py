"""The control door, for tests and for the page: counters, faults, the clock, and what staff and customers do.

    GET  /__control/counts   {"requests", "reads", "writes", "points"}: HTTP requests to GraphQL, those without a
                             mutation, executed mutation fields, actual cost
    POST /__control/reset    zeroes them
    POST /__control/edit     a member of staff edits: {"variant": {"sku": "LIN-S"}, "set": {"price": "45.00"}}
    POST /__control/sell     an order takes stock: {"sku": "LIN-S", "quantity": 1, "location": "Oslo shop"}
    POST /__control/faults   {"next": [{"status": 503}, {"drop": "before"}, {"throttle": true}, {"delay_seconds": 1}]}
                             also {"status": 503, "after": true}: done and not told; {"cut": true}: half an answer;
                             {"content_type": …, "body": …} with a status; {"when": "productUpdate", …}: for the first
                             request whose text has it
    POST /__control/shop     {"state": "frozen"} (402), "forbidden", "gone", "locked", "refused" or "open";
                             {"plan": "plus"}
    POST /__control/orders   {"count": 5, "seed": 1}: customers order, as the online store does
    POST /__control/clock    {"set": "2026-11-23T10:00:00Z"}, {"advance_seconds": 60} or {"freeze": true}
    POST /__control/behaviour  switches of `Behaviour` by name
    POST /__control/access   {"scopes": ["read_products"], "protected_data": false}
    GET  /__control/webhooks {"subscriptions": […], "deliveries": [{topic, to, status, attempts, answers, …}]}
    POST /__control/webhooks {"routes": {"https://sync.example": "http://127.0.0.1:8000"}}: where addresses really are;
                             {"next": [{"drop": true}, {"double": true}, {"late_seconds": 5}, {"reverse": true}]}: one
                             for each of the next deliveries; {"always": {…}}; {"secret": …}; {"drop_subscriptions": 1}
    POST /__control/bulk     {"fail_next": {"after": 1000, "code": "TIMEOUT"}}, also "type": "MUTATION" and "status":
                             "EXPIRED"; {"hold_after": 3}: mutations wait there, null: they go on. Answers all of them
    POST /__control/uninstall  the merchant takes the app away: app/uninstalled, and no token works any more
    POST /__control/tokens   {"revoke": "shpat_demo"} or {"allow": "shpat_other"}
"""
from __future__ import annotations

import hmac
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request

from .behaviour import Behaviour
from .cost import Bucket
from .engine import Outcome
from .life import happening_order
from .staff import BadEdit, edit, location_named, variant_named
from .state import Store
from .webhooks.delivery import Delivery
from .webhooks.payloads import payload


class Door:
    """Counts what passes the GraphQL endpoint, and holds the faults that wait for it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = threading.Lock()
        self._faults: deque[dict[str, Any]] = deque()
        self.requests = self.reads = self.writes = self.points = 0
        self.network_cut = False  # every request is dropped
        self.tokens_shown: list[str] = []  # paths beside the API that were asked with the access token

    def arrived(self) -> None:
        """A request came, whatever becomes of it."""
        with self._lock:
            self.requests += 1

    def answered(self, outcome: Outcome) -> None:
        with self._lock:
            self.reads += 0 if outcome.is_mutation else 1
            self.writes += outcome.writes
            self.points += outcome.points

    def counts(self) -> dict[str, int]:
        with self._lock:
            return {"requests": self.requests, "reads": self.reads, "writes": self.writes, "points": self.points}

    def reset(self) -> None:
        with self._lock:
            self.requests = self.reads = self.writes = self.points = 0

    def plan_faults(self, faults: list[dict[str, Any]]) -> None:
        with self._lock:
            self._faults.extend(faults)

    def next_fault(self, body: bytes = b"") -> dict[str, Any]:
        """The first planned fault that is for this request, {} for none; a delay has passed when this returns.

        A fault with `when` waits for a request whose body has that text.
        """
        with self._lock:
            place = next((place for place, each in enumerate(self._faults)
                          if str(each.get("when", "")).encode() in body), None)
            fault = {} if place is None else self._faults[place]
            if place is not None:
                del self._faults[place]
        if fault.get("delay_seconds"):
            time.sleep(float(fault["delay_seconds"]))
        return fault


def drop_connection() -> Response:
    """Cut the connection, as a broken network does: the answer that is returned here reaches nobody."""
    stream = request.environ.get("werkzeug.socket")
    if stream is not None:
        stream.shutdown(socket.SHUT_RDWR)
    return Response(status=500)


def cut_answer(answer: Response) -> Response:
    """Send the head and half of the body, then cut the connection."""
    stream = request.environ.get("werkzeug.socket")
    body = answer.get_data()
    if stream is not None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        stream.sendall(head.encode() + body[:len(body) // 2])
    return drop_connection()


def blueprint(door: Door, *, revoke: Callable[[str], None], allow: Callable[[str], None],
              tokens_known: Callable[[], Iterable[str]], secret: str | None = None) -> Blueprint:
    routes = Blueprint("control", __name__, url_prefix="/__control")
    store = door.store

    @routes.before_request
    def only_for_tests() -> Response | None:
        if secret is None:
            allowed = request.remote_addr in (None, "127.0.0.1", "::1")
        else:
            allowed = hmac.compare_digest(request.headers.get("X-Control-Secret", ""), secret)
        return None if allowed else Response("Not found", 404)

    @routes.get("/counts")
    def counts() -> Response:
        return jsonify(door.counts())

    @routes.post("/reset")
    def reset() -> Response:
        door.reset()
        return jsonify(door.counts())

    @routes.post("/edit")
    def edit_thing() -> Response:
        return jsonify(edit(store, _body()))

    @routes.post("/sell")
    def sell() -> Response:
        given = _body()
        with store.lock:
            variant = variant_named(store, given.get("variant") or given)
            place = given.get("location")
            level = store.sell(variant.id, int(given.get("quantity", 1)),
                               location_named(store, place).id if place else None)
        return jsonify({"location": level.location.name, "available": level.quantity("available"),
                        "committed": level.quantity("committed")})

    @routes.post("/shop")
    def shop() -> Response:
        given = _body()
        with store.lock:
            store.shop.state = given.get("state", store.shop.state)
            if given.get("plan"):
                store.bucket = Bucket.of_plan(given["plan"], store.clock.monotonic)
                store.shop.plan = given["plan"]
        return jsonify({"state": store.shop.state, "plan": store.shop.plan})

    @routes.post("/orders")
    def orders() -> Response:
        given = _body()
        return jsonify({"orders": [happening_order(store, seed=int(given.get("seed", 0)) + place)
                                   for place in range(int(given.get("count", 1)))]})

    @routes.post("/faults")
    def faults() -> Response:
        door.plan_faults(list(_body().get("next") or []))
        return jsonify({"ok": True})

    @routes.post("/clock")
    def clock() -> Response:
        given = _body()
        if given.get("set"):
            store.clock.set(datetime.fromisoformat(given["set"].replace("Z", "+00:00")),
                            frozen=bool(given.get("freeze")))
        elif given.get("freeze"):
            store.clock.set(store.clock.exact(), frozen=True)
        store.clock.advance(float(given.get("advance_seconds") or 0))
        return jsonify({"now": store.now().isoformat()})

    @routes.post("/behaviour")
    def behaviour() -> Response:
        known = {each.name for each in fields(Behaviour)}
        for name, value in _body().items():
            if name not in known:
                raise BadEdit(f"There is no switch {name!r}; there are {', '.join(sorted(known))}.")
            setattr(store.behaviour, name, value)
        return jsonify(asdict(store.behaviour))

    @routes.post("/access")
    def access() -> Response:
        given = _body()
        if "scopes" in given:
            before = list(store.scopes)
            store.set_scopes(given["scopes"])
            store.webhooks.tell("app/scopes_update", {"id": store.app_id, "previous": before,
                                                      "current": list(store.scopes),
                                                      "updated_at": store.now().isoformat()})
            store.background.wake()
        if "protected_data" in given:
            store.protected_data = bool(given["protected_data"])
        return jsonify({"scopes": list(store.scopes), "protected_data": store.protected_data})

    @routes.post("/tokens")
    def tokens() -> Response:
        given = _body()
        for name, act in (("revoke", revoke), ("allow", allow)):
            if given.get(name):
                act(given[name])
        return jsonify({"ok": True})

    @routes.get("/webhooks")
    def webhooks() -> Response:
        return jsonify(_webhooks(store))

    @routes.post("/webhooks")
    def steer_webhooks() -> Response:
        given = _body()
        with store.lock:
            if "routes" in given:
                store.webhooks.routes = dict(given["routes"])
            if "secret" in given:
                store.webhooks.secret = given["secret"]
            if "next" in given:
                store.webhooks.faults.extend(given["next"])
            if "always" in given:
                store.webhooks.always = dict(given["always"])
            if "drop_subscriptions" in given:
                store.webhooks.held.clear()
        return jsonify(_webhooks(store))

    @routes.post("/bulk")
    def bulk() -> Response:
        given = _body()
        store.bulks.fail_next, store.bulks.hold_after = given.get("fail_next"), given.get("hold_after")
        return jsonify([{"id": each.gid, "status": each.status, "trouble": each.trouble}
                        for each in store.bulks.held.values()])

    @routes.post("/uninstall")
    def uninstall() -> Response:
        with store.lock:
            store.webhooks.tell("app/uninstalled", payload(store, store.shop))
            store.webhooks.by_now_gone()
        for token in list(tokens_known()):
            revoke(token)
        return jsonify({"ok": True})

    @routes.errorhandler(BadEdit)
    @routes.errorhandler(LookupError)
    def refused(error: Exception) -> tuple[Response, int]:
        return jsonify({"error": str(error.args[0] if error.args else error)}), 400

    return routes


def _body() -> dict[str, Any]:
    given = request.get_json(silent=True)
    if not isinstance(given, dict):
        raise BadEdit("Send a JSON object.")
    return given


def _webhooks(store: Store) -> dict[str, Any]:
    with store.lock:
        return {"subscriptions": [{"id": each.gid, "topic": each.topic, "uri": each.uri}
                                  for each in store.webhooks.held.values()],
                "deliveries": [_delivery(each) for each in store.webhooks.log]}


def _delivery(each: Delivery) -> dict[str, Any]:
    return {"id": each.id, "event_id": each.event_id, "topic": each.topic, "to": each.subscription.uri,
            "status": each.status, "attempts": each.attempts, "answers": each.answers, "body": each.body.decode()}

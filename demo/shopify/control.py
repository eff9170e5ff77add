"""The control door, for tests and for the page: counters, faults, the clock, and what staff and customers do.

    GET  /__control/counts   {"requests", "reads", "writes", "points"}: HTTP requests to GraphQL, those without a
                             mutation, executed mutation fields, actual cost
    POST /__control/reset    zeroes them
    POST /__control/edit     a member of staff edits: {"variant": {"sku": "LIN-S"}, "set": {"price": "45.00"}}
    POST /__control/sell     an order takes stock: {"sku": "LIN-S", "quantity": 1, "location": "Oslo shop"}
    POST /__control/faults   {"next": [{"status": 503}, {"drop": "before"}, {"throttle": true}, {"delay_seconds": 1}]}
    POST /__control/clock    {"set": "2026-11-23T10:00:00Z"}, {"advance_seconds": 60} or {"freeze": true}
    POST /__control/behaviour  switches of `Behaviour` by name
    POST /__control/access   {"scopes": ["read_products"], "protected_data": false}
    POST /__control/tokens   {"revoke": "shpat_demo"} or {"allow": "shpat_other"}
"""
from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, Response, jsonify, request

from .behaviour import Behaviour
from .engine import Outcome
from .model import Level, Location, Product, Variant
from .mutations.inputs import clean_tags
from .state import Store


class BadEdit(ValueError):
    """What was asked at the door makes no sense; the message says why."""


class Door:
    """Counts what passes the GraphQL endpoint, and holds the faults that wait for it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = threading.Lock()
        self._faults: deque[dict[str, Any]] = deque()
        self.requests = self.reads = self.writes = self.points = 0
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

    def next_fault(self) -> dict[str, Any]:
        """The fault for this request, {} for none; a delay has passed when this returns."""
        with self._lock:
            fault = self._faults.popleft() if self._faults else {}
        if fault.get("delay_seconds"):
            time.sleep(float(fault["delay_seconds"]))
        return fault


def drop_connection() -> Response:
    """Cut the connection, as a broken network does: the answer that is returned here reaches nobody."""
    stream = request.environ.get("werkzeug.socket")
    if stream is not None:
        stream.shutdown(socket.SHUT_RDWR)
    return Response(status=500)


def blueprint(door: Door, *, revoke: Callable[[str], None], allow: Callable[[str], None]) -> Blueprint:
    routes = Blueprint("control", __name__, url_prefix="/__control")
    store = door.store

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
            variant = _variant(store, given.get("variant") or given)
            place = given.get("location")
            level = store.sell(variant.id, int(given.get("quantity", 1)), _location(store, place).id if place else None)
        return jsonify({"location": level.location.name, "available": level.quantity("available"),
                        "committed": level.quantity("committed")})

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
            store.set_scopes(given["scopes"])
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

    @routes.errorhandler(BadEdit)
    @routes.errorhandler(LookupError)
    def refused(error: Exception) -> tuple[Response, int]:
        return jsonify({"error": str(error.args[0] if error.args else error)}), 400

    return routes


def edit(store: Store, given: dict[str, Any]) -> dict[str, Any]:
    """What a member of staff does in Shopify's admin, past the API and its rules for clients.

    `{"product": {"handle"|"id"|"title"}, "set": {title, status, tags, …}}` or
    `{"variant": {"sku"|"id"}, "set": {price, compare_at_price, sku, available, …, "location": name}}`;
    with `"delete": true` instead of `set` the thing goes. Raises BadEdit or LookupError.
    """
    with store.lock:
        if "product" in given:
            product = _product(store, given["product"])
            if given.get("delete"):
                store.remove_product(product)
            else:
                _edit_product(store, product, dict(given.get("set") or {}))
            return {"id": product.gid, "title": product.title, "handle": product.handle}
        if "variant" in given:
            variant = _variant(store, given["variant"])
            if given.get("delete"):
                store.remove_variant(variant)
            else:
                _edit_variant(store, variant, dict(given.get("set") or {}))
            return {"id": variant.gid, "sku": variant.inventory_item.sku, "price": str(variant.price)}
    raise BadEdit("Say which: {\"product\": {\"handle\": …}} or {\"variant\": {\"sku\": …}}, and what to \"set\".")


def _edit_product(store: Store, product: Product, changes: dict[str, Any]) -> None:
    plain = {"title", "description_html", "vendor", "product_type", "template_suffix"}
    for name, value in changes.items():
        if name in plain:
            if name == "title" and not str(value).strip():
                raise BadEdit("A product needs a title.")
            setattr(product, name, value)
        elif name == "status":
            if value not in ("ACTIVE", "ARCHIVED", "DRAFT", "UNLISTED"):
                raise BadEdit(f"{value!r} is no status of a product.")
            product.status = value
        elif name == "tags":
            product.tags = clean_tags(value)
        elif name == "handle":
            store.set_handle(product, value)
        else:
            raise BadEdit(f"Staff cannot set {name!r} of a product here.")
    store.touch(product)
    for variant in product.variant_list:
        store.index.stale(variant)


def _edit_variant(store: Store, variant: Variant, changes: dict[str, Any]) -> None:
    place = changes.pop("location", None)
    item = variant.inventory_item
    for name, value in changes.items():
        if name in ("price", "compare_at_price"):
            setattr(variant, name, None if value in (None, "") and name != "price" else _money(value))
        elif name in ("barcode", "inventory_policy", "taxable"):
            setattr(variant, name, value)
        elif name in ("sku", "tracked", "requires_shipping", "harmonized_system_code"):
            setattr(item, name, value)
        elif name == "cost":
            item.cost = None if value in (None, "") else _money(value)
        elif name in ("available", "damaged", "incoming", "reserved", "on_hand"):
            level = _level(store, variant, place)
            store.change_quantity(level, "available" if name == "on_hand" else name,
                                  _whole(value) - level.quantity(name))
        else:
            raise BadEdit(f"Staff cannot set {name!r} of a variant here.")
    if set(changes) - {"available", "damaged", "incoming", "reserved", "on_hand"}:
        store.touch(variant, item, variant.product)


def _money(value: Any) -> Decimal:
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        raise BadEdit(f"{value!r} is no amount of money.") from None
    if not amount.is_finite() or amount < 0:
        raise BadEdit(f"{value!r} is no amount of money.")
    return amount.quantize(Decimal("0.01"))


def _whole(value: Any) -> int:
    try:
        return int(str(value).strip())
    except ValueError:
        raise BadEdit(f"{value!r} is no whole number.") from None


def _level(store: Store, variant: Variant, place: str | None) -> Level:
    location = _location(store, place) if place else store.default_location()
    return store.stock_at(variant.inventory_item, location)


def _location(store: Store, place: str) -> Location:
    for location in store.locations.values():
        if place in (location.name, location.gid, str(location.id)):
            return location
    raise LookupError(f"The store has no location {place!r}.")


def _product(store: Store, named: dict[str, Any]) -> Product:
    if named.get("id"):
        return store.find(Product, named["id"])
    for product in store.products.values():
        if named.get("handle") in (product.handle,) or (named.get("title") and named["title"] == product.title):
            return product
    raise LookupError(f"The store has no product {named}.")


def _variant(store: Store, named: dict[str, Any]) -> Variant:
    if named.get("id"):
        return store.find(Variant, named["id"])
    found = store.variants_by_sku(named.get("sku") or "")
    if not found:
        raise LookupError(f"The store has no variant {named}.")
    return found[0]


def _body() -> dict[str, Any]:
    given = request.get_json(silent=True)
    if not isinstance(given, dict):
        raise BadEdit("Send a JSON object.")
    return given

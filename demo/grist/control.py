"""The control door for tests: counting requests, ordering faults, and editing as a person would.

It is no part of Grist and stands beside the API: `/__control/counts`, `reset`, `faults`, `edit`.
"""
from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from demo.grist.access import Refused
from demo.grist.replies import answer
from demo.grist.service import Grist


class DroppedConnection(ConnectionError):
    """Raised on purpose so that the client sees its connection end without an answer."""


@dataclass(frozen=True)
class Fault:
    """What is to go wrong with one request: `status`, `drop` ("before" or "after" it is carried out), a delay."""
    status: int | None = None
    drop: str | None = None
    delay_seconds: float = 0
    retry_after: float | None = None

    def before(self) -> Response | None:
        if self.delay_seconds:
            time.sleep(self.delay_seconds)
        if self.drop == "before":
            _drop_connection()
        if self.status:
            response = answer({"error": f"fault ordered by a test: {self.status}"}, self.status)
            if self.retry_after is not None:
                response.headers["Retry-After"] = str(self.retry_after)
            return response
        return None

    def after(self) -> None:
        if self.drop == "after":
            _drop_connection()


class Counters:
    """What was asked since the last reset, and the faults that wait. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests = self._writes = 0
        self._faults: deque[Fault] = deque()

    def request(self) -> None:
        with self._lock:
            self._requests += 1

    def done(self, modified: bool) -> None:
        with self._lock:
            self._writes += modified

    def next_fault(self) -> Fault:
        with self._lock:
            return self._faults.popleft() if self._faults else Fault()

    def order(self, faults: list[Fault]) -> None:
        with self._lock:
            self._faults.extend(faults)

    def counts(self) -> dict[str, int]:
        """Requests to the API; writes are those that really changed a document."""
        with self._lock:
            return {"requests": self._requests, "reads": self._requests - self._writes, "writes": self._writes,
                    "points": 0}

    def reset(self) -> None:
        with self._lock:
            self._requests = self._writes = 0
            self._faults.clear()


def control_blueprint(grist: Grist, counters: Counters) -> Blueprint:
    """The endpoints of the control door."""
    bp = Blueprint("control", __name__, url_prefix="/__control")

    @bp.get("/counts")
    def counts() -> Response:
        return answer(counters.counts())

    @bp.post("/reset")
    def reset() -> Response:
        counters.reset()
        return answer(counters.counts())

    @bp.post("/faults")
    def faults() -> Response:
        ordered = (request.get_json(silent=True) or {}).get("next", [])
        try:
            counters.order([Fault(**fault) for fault in ordered])
        except TypeError as error:
            raise Refused(400, f"A fault has status, drop, delay_seconds or retry_after: {error}") from error
        return answer({"waiting": len(ordered)})

    @bp.post("/edit")
    def edit() -> Response:
        """A person's edit: `{"table", "row", "values", "doc"?}`; row null adds one. Text is read as typed."""
        body: dict[str, Any] = request.get_json(silent=True) or {}
        document = grist.find(body["doc"]) if body.get("doc") else next(iter(grist.documents.values()), None)
        if document is None:
            raise Refused(404, "document not found")
        verb = "AddRecord" if body.get("row") is None else "UpdateRecord"
        applied = document.apply([[verb, body.get("table"), body.get("row"), body.get("values") or {}]],
                                 user="person", parse_text=True)
        return answer(applied.answer())

    return bp


def _drop_connection() -> None:
    """End the client's connection without an answer."""
    socket = request.environ.get("werkzeug.socket")
    if socket is not None:
        socket.shutdown(2)
    raise DroppedConnection("dropped by order of a test")

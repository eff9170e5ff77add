"""No thread of the web waits for Shopify or Grist.

    request ──→ a thread beside ── no service had to be asked, or it answered at once ──→ its answer
                     │
                     └─ a service has been asked for GRACE_SECONDS → 202 {"asked": …}
                        when it has answered: the answer is kept, sealed with the token that came with the request
                        GET /api/asked/<asked>, with the same token, from any web process → that very answer

A request that asks nobody is answered as ever. One that asks is done to its end, whether somebody fetches its answer or
not, so nothing is begun twice. Who has another token finds nothing, and could not open it.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import orjson
from flask import Response, request
from flask_smorest import Blueprint

from backend.asking import about_to_ask
from backend.errors import DatabaseAway, RetryLater
from backend.store import asked as store
from backend.store.db import Database
from backend.web.access import token_of
from backend.web.answers import answer
from backend.web.errors import Refused
from backend.web.service import service

log = logging.getLogger(__name__)

GRACE_SECONDS = 0.1
"""How long a request may wait for a service: most answer within it, and then nobody has to ask again."""
LOST_SECONDS = 180.0
"""An answer that is not there by then does not come any more: its process has ended."""
MOST_ASKING = 24
"""Requests of one process that ask services at the same time; more are told to come back."""
THREADS = MOST_ASKING + 40
LARGEST_BODY_BYTES = 2 * 1024 * 1024
"""More is read of no request; what a view takes is less."""
POLL_SECONDS = 1
PREFIX = "/api/"
ASKED = "/api/asked/"
EXTENSION = "shopify-grist-sync aside"

Answered = tuple[str, list[tuple[str, str]], bytes]
"""Status line, headers, body."""
Environ = dict[str, Any]
App = Callable[[Environ, Any], Iterable[bytes]]

bp = Blueprint("asked", __name__, url_prefix="/api", description="Answers for which a service had to be asked.")


@bp.get("/asked/<string:asked>")
@bp.response(200, description="The answer to the request that was told 202 with this, with that answer's own status")
def read_answer(asked: str) -> Response:
    """The answer to a request for which Shopify or Grist had to be asked; 202 while it is not there yet."""
    token_of(request.headers.get("Authorization"))
    kept = _Kept(service().database, asked, request.headers["Authorization"])
    found = kept.look()
    if found is None:
        raise Refused(404, "not_found", "There is no answer here for you. They are kept for a few minutes.",
                      "Ask the question itself again.")
    if found.sealed is None:
        if found.age_seconds > LOST_SECONDS:
            raise RetryLater("The answer was lost, for the sync service was started again meanwhile.",
                             cure="Ask the question itself again.")
        told = answer({"asked": asked}, 202)
        told.headers["Location"], told.headers["Retry-After"] = f"{ASKED}{asked}", str(POLL_SECONDS)
        return told
    status, headers, body = kept.opened(found.sealed)
    return Response(body, status, headers)


class Aside:
    """A WSGI application around another one, whose requests to the API are done in threads of their own."""

    def __init__(self, app: App, database: Callable[[], Database]) -> None:
        self.grace_seconds = GRACE_SECONDS
        self._app, self._database = app, database
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="aside")
        self._room = threading.Semaphore(MOST_ASKING)

    def __call__(self, sent: Environ, start_response: Any) -> Iterable[bytes]:
        path = sent.get("PATH_INFO", "")
        if not path.startswith(PREFIX) or path.startswith(ASKED):
            return self._app(sent, start_response)
        work = _Work(self._app, _whole(sent), self._room)
        self._pool.submit(work.do)
        work.moved.wait()
        if not work.ended.wait(self.grace_seconds) and (asked := self._leave(work, sent)):
            # The same headers as everywhere: it is answered as if somebody had asked for it there.
            return self._app(_poll(sent, asked), start_response)
        work.ended.wait()
        status, headers, body = work.answered()
        start_response(status, headers)
        return [body]

    def _leave(self, work: _Work, sent: Environ) -> str:
        """What to ask for the answer with; empty where it has come meanwhile, or nothing can be kept."""
        kept = _Kept(self._database(), secrets.token_urlsafe(18), sent.get("HTTP_AUTHORIZATION", ""))
        try:
            return kept.asked if work.leave(kept) else ""
        except DatabaseAway as error:
            log.info("an answer is waited for: %s", error)
            return ""


class _Work:
    """One request that is done beside. `moved` once it has ended, or asks a service."""

    def __init__(self, app: App, sent: Environ, room: threading.Semaphore) -> None:
        self._app, self._sent, self._room = app, sent, room
        self.moved, self.ended = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._asks = False
        self._kept: _Kept | None = None
        self._answered: Answered | None = None
        self._error: BaseException | None = None

    def do(self) -> None:
        about_to_ask.set(self._about_to_ask)  # the thread's own; the next work sets it anew
        try:
            self._answered = _answered_by(self._app, self._sent)
        except BaseException as error:  # whatever it is, it is raised where somebody waits
            self._error = error
        finally:
            if self._asks:
                self._room.release()
            with self._lock:
                self.ended.set()
            self.moved.set()
        if self._kept is not None:
            self._keep(self._kept)

    def answered(self) -> Answered:
        if self._error is not None:
            raise self._error
        assert self._answered is not None
        return self._answered

    def leave(self, kept: _Kept) -> bool:
        """Keep the answer there when it comes. False where it has come already."""
        with self._lock:
            if self.ended.is_set():
                return False
            kept.begin()
            self._kept = kept
            return True

    def _about_to_ask(self) -> None:
        if not self._asks:
            if not self._room.acquire(blocking=False):
                raise RetryLater("Too many pages wait for Shopify and Grist at this moment.",
                                 cure="It is tried again by itself.", retry_after=POLL_SECONDS)
            self._asks = True
            self.moved.set()

    def _keep(self, kept: _Kept) -> None:
        if self._error is not None:
            log.error("a request failed by a mistake of ours", exc_info=self._error)
        try:
            kept.keep(self._answered or ("500 Internal Server Error", [], b""))
        except DatabaseAway as error:
            log.warning("an answer is lost: %s", error)
        except Exception:
            log.exception("an answer is lost by a mistake of ours")


class _Kept:
    """The place of one answer. Its key and its seal come from the token of whoever asked, and from nothing that is
    stored: another token finds nothing, and the database alone opens nothing."""

    def __init__(self, database: Database, asked: str, authorization: str) -> None:
        self.asked = asked
        self._database = database
        secret = f"{asked} {authorization}".encode()
        self._key = hashlib.sha256(b"place " + secret).hexdigest()
        self._seal = base64.urlsafe_b64encode(hashlib.sha256(b"seal " + secret).digest())

    def begin(self) -> None:
        with self._database.write() as tx:
            store.begin(tx, self._key)

    def look(self) -> store.Asked | None:
        with self._database.read() as tx:
            return store.get(tx, self._key)

    def keep(self, answered: Answered) -> None:
        from cryptography.fernet import Fernet

        status, headers, body = answered
        text = orjson.dumps([status, headers, base64.b64encode(body).decode()])
        sealed = Fernet(self._seal).encrypt(text).decode()
        with self._database.write() as tx:
            store.put(tx, self._key, sealed)

    def opened(self, sealed: str) -> Answered:
        from cryptography.fernet import Fernet

        status, headers, body = orjson.loads(Fernet(self._seal).decrypt(sealed.encode()))
        return status, [(name, value) for name, value in headers if name != "Content-Length"], base64.b64decode(body)


def _answered_by(app: App, sent: Environ) -> Answered:
    told: list[Any] = []
    chunks = app(sent, lambda status, headers, exc_info=None: told.extend((status, headers)))
    try:
        body = b"".join(chunks)
    finally:
        getattr(chunks, "close", lambda: None)()
    return told[0], list(told[1]), body


def _whole(sent: Environ) -> Environ:
    """The request with its body read: the thread that took it may end before the one that does it. A body that is too
    large is left where it is; its length says so."""
    length = sent.get("CONTENT_LENGTH") or ""
    if length.isdigit():
        body = sent["wsgi.input"].read(int(length)) if int(length) <= LARGEST_BODY_BYTES else b""
    elif sent.get("wsgi.input_terminated"):
        body = sent["wsgi.input"].read(LARGEST_BODY_BYTES + 1)
        length = str(len(body))
    else:
        body = b""
    whole = {name: value for name, value in sent.items() if name != "HTTP_TRANSFER_ENCODING"}
    return whole | {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": length}


def _poll(sent: Environ, asked: str) -> Environ:
    """A request for the answer itself, from whoever sent this one."""
    left_out = ("CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH", "HTTP_TRANSFER_ENCODING")
    kept = {name: value for name, value in sent.items() if name not in left_out}
    return kept | {"REQUEST_METHOD": "GET", "PATH_INFO": f"{ASKED}{asked}", "QUERY_STRING": "",
                   "wsgi.input": BytesIO(b"")}

"""Who asks, and what they may do. Grist is the identity provider: the widget sends its document token, and the
*configured* Grist server is asked what that token may do.

    Authorization: Bearer <token>  →  docId  →  role in that document  →  the document's link

A token's payload is read for its document id and trusted for nothing: whoever forged one is told so by Grist. No
address that a client sent is ever called, and nobody is told that another document's link exists (404).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson

from backend.asking import about_to_ask
from backend.errors import RetryLater, UserError
from backend.grist.access import Role, probe_role
from backend.store import api_keys, links
from backend.store.db import Database
from backend.store.links import Link
from backend.web.errors import Refused

REMEMBERED_SECONDS = 60.0
REMEMBERED_TOKENS = 2_000
PATIENCE_SECONDS = 1.0
LONGEST_TOKEN = 4_096
UNSAID_SECONDS = 600.0
SHORT_ID = 12
"""Grist shows the first twelve letters of a document's id in its address, and a person copies that."""

_RANK: dict[str, int] = {"viewer": 0, "editor": 1, "owner": 2}
_DOCUMENT = re.compile(r"[A-Za-z0-9_~-]{3,100}")
_RELOAD = "Reload the page in Grist."

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody whom Grist knows: their role in the document that their token is for, and its link."""

    role: Role
    document: str
    link: Link | None
    token: str = field(repr=False)
    """For what Grist must be asked in their name; never logged. Empty for a script with a key of ours."""
    key: str = ""
    """The name of the API key of ours that came, where one did."""
    former: Link | None = None
    """The link that the document had before somebody disconnected its store."""

    def may(self, role: Role) -> bool:
        return _RANK[self.role] >= _RANK[role]

    def by(self, button: str) -> str:
        """How a run or a choice says who started it. Grist tells a token's role and no name."""
        if self.key:
            return f"API key “{self.key}”"
        return f"{'An owner' if self.role == 'owner' else 'An editor'}, {button}"


def needs(role: Role) -> Callable[[View], View]:
    """Says which role a view asks for. Without it a GET asks for viewer and everything else for owner."""

    def mark(view: View) -> View:
        view.needed_role = role  # type: ignore[attr-defined]
        return view

    return mark


def needed_role(view: Callable[..., Any], method: str) -> Role:
    role: Role = getattr(view, "needed_role", "viewer" if method in ("GET", "HEAD") else "owner")
    return role


class Gate:
    """Asks Grist about tokens, at most once a minute about each.

    `ask(document, token)` gives the role, None where the token opens nothing.
    """

    def __init__(self, ask: Callable[[str, str], Role | None], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._clock = ask, clock
        self._known: OrderedDict[bytes, tuple[float, Role | None]] = OrderedDict()
        self._lock = threading.Lock()
        # A page opens with several requests at once; one of them asks and the others wait for its answer.
        self._asking = [threading.Lock() for _ in range(32)]

    def visitor(self, database: Database, server_url: str, authorization: str | None) -> Visitor:
        """Raises Refused (401) for a token that is missing, broken, forged or expired; RetryLater where Grist cannot
        be asked."""
        token = token_of(authorization)
        if token.startswith(api_keys.PREFIX):
            return _of_key(database, server_url, token)
        document = _document_of(token)
        role = self._role(document, token)
        if role is None:
            raise Refused(401, "token", "Grist does not accept the page's access to the document any more.", _RELOAD)
        with database.read() as tx:
            found = link_of(tx, server_url, document)
        if found is not None and found.disconnected_at is not None:
            return Visitor(role, document, None, token, former=found)
        return Visitor(role, document, found, token)

    def _role(self, document: str, token: str) -> Role | None:
        key = hashlib.sha256(token.encode()).digest()
        with _held(self._asking[key[0] % len(self._asking)]):
            with self._lock:
                asked_at, role = self._known.get(key, (None, None))
                if asked_at is not None and self._clock() - asked_at < REMEMBERED_SECONDS:
                    self._known.move_to_end(key)
                    return role
            role = self._ask(document, token)
            with self._lock:
                self._known[key] = (self._clock(), role)
                self._known.move_to_end(key)
                while len(self._known) > REMEMBERED_TOKENS:
                    self._known.popitem(last=False)
            return role


@contextmanager
def _held(lock: threading.Lock) -> Iterator[None]:
    """With this lock. Whoever holds it asks Grist, so to wait for it is to wait for Grist."""
    if not lock.acquire(blocking=False):
        about_to_ask.get()()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _of_key(database: Database, server_url: str, key: str) -> Visitor:
    """A script with a key of ours: it may what editors may, in the one document that the key is for."""
    with database.read() as tx:
        found = api_keys.find(tx, key)
        whose = links.get(tx, found.link_id) if found else None
        stale = found is not None and api_keys.is_stale(tx, found)
    if found is None or whose is None or whose.disconnected_at is not None or whose.server_url != server_url:
        raise Refused(401, "token", "This API key is not known here; it may have been revoked.",
                      "Make a new one in the widget, under Settings.")
    if stale:
        with database.write() as tx:
            api_keys.used(tx, found.id)
    return Visitor("editor", whose.document, whose, "", key=found.name)


def ends_at(token: str) -> float:
    """When a Grist token ends, in seconds since 1970, as its payload says. Only for a token that Grist has accepted:
    before that nothing in it is believed. One that does not say it is taken to last a few minutes."""
    said = _payload_of(token).get("exp")
    return float(said) if isinstance(said, int | float) else time.time() + UNSAID_SECONDS


def ask_grist(server_url: str) -> Callable[[str, str], Role | None]:
    """Asks `server_url` what a token may do. A page waits for the answer, so it is given up soon."""

    def ask(document: str, token: str) -> Role | None:
        try:
            return probe_role(server_url, document, token, sleep=patience())
        except UserError as error:  # no such document there, or it is in the trash
            raise Refused(401, "token", error.message, error.cure) from error

    return ask


def patience() -> Callable[[float], None]:
    """A sleep for one question to Grist that ends it with RetryLater once it has waited a second in all."""
    waited = 0.0

    def sleep(seconds: float) -> None:
        nonlocal waited
        waited += seconds
        if waited > PATIENCE_SECONDS:
            raise RetryLater("Grist cannot be asked now what this page may do.",
                             cure="It is tried again by itself.", retry_after=seconds)
        time.sleep(seconds)

    return sleep


def link_of(tx: Any, server_url: str, document: str) -> Link | None:
    """The link of the document with this id, also where it was configured by the short id of its address."""
    found = links.of_document(tx, server_url, document)
    if found is None and len(document) > SHORT_ID:
        found = links.of_document(tx, server_url, document[:SHORT_ID])
    return found


def check(visitor: Visitor, link_id: int | None, role: Role) -> None:
    """Raises Refused: 404 for a link that is not of the visitor's document, 403 for a role that is too low."""
    if link_id is not None and (visitor.link is None or visitor.link.id != link_id):
        raise Refused(404, "not_found", "This document has no such connection to a store.", _RELOAD)
    if visitor.may(role):
        return
    allowed = "owners" if role == "owner" else "owners and editors"
    raise Refused(403, "role", f"Only {allowed} of the document may do this.",
                  "Ask an owner of the document to do it, or to give you the right in Grist's sharing menu.")


def token_of(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Refused(401, "token", "This request says nothing about who sends it.",
                      "Open the widget inside Grist; it sends the document's access token.")
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise _broken()
    return token


def _payload_of(token: str) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) != 3:
        raise _broken()
    try:
        payload = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError) as error:
        raise _broken() from error
    return payload if isinstance(payload, dict) else {}


def _document_of(token: str) -> str:
    document = _payload_of(token).get("docId")
    if not isinstance(document, str) or not _DOCUMENT.fullmatch(document):
        raise _broken()
    return document


def _broken() -> Refused:
    return Refused(401, "token", "This is not an access token of a Grist document.", _RELOAD)

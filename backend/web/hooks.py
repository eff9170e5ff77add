"""Where webhooks come in:

    signature over the raw bytes → known already? → noted in the inbox → 200 → the worker is woken

Nothing that a webhook says is believed but that something may have changed: what stands there is read by the sync. So
one that is forged, doubled, late or lost does no harm beyond a needless look. Answered within milliseconds, for Shopify
takes five seconds as a failure and ends a subscription after eight of them [facts §11].
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from collections.abc import Iterable
from typing import Any

import orjson
from flask import Blueprint, Response, request

from backend.core.model import Key, Side
from backend.store import deliveries, inbox, links, schedule
from backend.store.db import Transaction
from backend.web import metrics
from backend.web.answers import answer
from backend.web.errors import Refused
from backend.web.pages import page
from backend.web.service import service

log = logging.getLogger(__name__)

LARGEST_BODY_BYTES = 8 * 1024 * 1024
"""A product with all its variants, an order with all its lines."""
FULL = 5_000
"""Hints that wait for a link. Above that one is noted for the whole resource: a link that is paused for a month must
not fill the database."""

bp = Blueprint("hooks", __name__, url_prefix="/hooks")

_PAGE = """
<p>Shopify and Grist say here that something changed, and the sync looks. There is nothing to see or to enter.</p>
<p>Deliveries must be signed; others are refused. The sync makes its webhooks itself where it has a public address.
</p></body></html>
"""


@bp.before_request
def _take_big_bodies() -> None:
    request.max_content_length = LARGEST_BODY_BYTES
    request.environ["hooks.began"] = time.perf_counter()


@bp.after_request
def _count(response: Response) -> Response:
    if request.method == "POST":
        side = "shopify" if request.path.startswith("/hooks/shopify") else "grist"
        metrics.hook(side, response.status_code, time.perf_counter() - request.environ["hooks.began"])
    return response


@bp.get("/")
@bp.get("/<path:anything>")
def explain(anything: str = "") -> str:
    """For whoever opens the address in a browser."""
    return page(_PAGE, "Webhooks of Shopify–Grist Sync")


def link_of(tx: Transaction, key: str) -> int:
    """The link of a key. Raises Refused (404)."""
    found = schedule.with_key(tx, key)
    if found is None:
        raise Refused(404, "not_found", "No connection takes webhooks at this address.",
                      "Remove this webhook; the sync makes its own.")
    return found


def forged() -> Refused:
    return Refused(401, "signature", "This delivery is not signed with the secret of this connection.",
                   "Nothing to do if you did not send it. If Shopify or Grist did, check the secret in the settings.")


def payload_of(raw: bytes) -> Any:
    """Raises Refused (400) for what is no JSON, or nested beyond sense."""
    try:
        return orjson.loads(raw or b"null")
    except orjson.JSONDecodeError as error:
        raise Refused(400, "json", "This delivery is not JSON.", "Send JSON.") from error


def note(tx: Transaction, link_id: int, side: Side, hints: Iterable[tuple[str, Key]], keys: tuple[str, ...] = ()
         ) -> bool:
    """Note what a delivery hints at, unless the same came before, which its `keys` tell. Whether anything was noted."""
    mapped = {one.resource for one in links.mappings(tx, link_id) if not one.settings.get("off")}
    hints = tuple(hint for hint in hints if hint[0] in mapped)
    if (keys and not deliveries.is_new(tx, link_id, side, keys)) or not hints:
        return False
    waiting, _ = inbox.waiting(tx, link_id)
    if waiting > FULL:
        hints = tuple(inbox.unnoted_wholes(tx, link_id, side, {resource for resource, _ in hints}))
    inbox.note(tx, link_id, side, hints)
    schedule.hint(tx, link_id)
    return True


def taken(noted: bool) -> Response:
    if noted:
        service().poke()
    return answer({"noted": noted})


def fingerprint(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def same(one: str, other: str) -> bool:
    """In constant time."""
    return hmac.compare_digest(one.encode(), other.encode())

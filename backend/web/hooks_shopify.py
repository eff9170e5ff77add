"""Shopify's webhooks: those of a link, and those that the app's configuration names for all stores of the app.

    POST /hooks/shopify/<link key>   subscriptions that the worker makes
    POST /hooks/shopify              privacy topics and app/uninstalled: a header tells the store, which is believed
                                     only beside a good signature, and leads to that store's links
"""

from __future__ import annotations

from typing import Any

from flask import Response, request

from backend.core.model import Side
from backend.store import deliveries, links, notices, privacy, schedule
from backend.store.db import Transaction
from backend.web.errors import Refused
from backend.web.hooks import bp, fingerprint, forged, link_of, note, payload_of, taken
from backend.web.service import service

UNINSTALLED, SCOPES = "app/uninstalled", "app/scopes_update"


@bp.post("/shopify/<key>")
def of_one_link(key: str) -> Response:
    here = service()
    with here.database.read() as tx:
        link = links.get(tx, link_of(tx, key))
    assert link is not None
    topic, payload = _signed(here.context.webhook_secrets(link))
    with here.database.write() as tx:
        noted = _take(tx, link.id, topic, payload)
    return taken(noted)


@bp.post("/shopify")
def of_a_store() -> Response:
    here = service()
    topic, payload = _signed(here.context.webhook_secrets(None))
    store = request.headers.get("X-Shopify-Shop-Domain", "")
    with here.database.write() as tx:
        noted = [_take(tx, link_id, topic, payload) for link_id in schedule.of_store(tx, store)]
    return taken(any(noted))


def _signed(secrets: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """Topic and payload. Raises Refused: 401 for what Shopify did not sign, 400 for what is no delivery."""
    from backend.shopify.webhooks import verified  # late: the web process starts without it

    raw = request.get_data(cache=False)
    if not verified(raw, request.headers.get("X-Shopify-Hmac-Sha256", ""), secrets):
        raise forged()
    payload = payload_of(raw)
    topic = request.headers.get("X-Shopify-Topic", "")
    if not isinstance(payload, dict) or not topic:
        raise Refused(400, "delivery", "This delivery names no topic, or holds no object.", "Send it as Shopify does.")
    return topic, payload


def _take(tx: Transaction, link_id: int, topic: str, payload: dict[str, Any]) -> bool:
    from backend.shopify.webhooks import hints as hinted  # late: the web process starts without it

    hints = hinted(topic, payload)
    keys = _keys(topic, hints)
    if topic in (privacy.REDACT, privacy.DATA_REQUEST, privacy.SHOP):
        if not deliveries.is_new(tx, link_id, Side.REMOTE, keys):
            return False
        customer, things = _about(payload)
        privacy.ask(tx, link_id, topic, customer, things)
        return True
    if topic in (UNINSTALLED, SCOPES):
        if deliveries.is_new(tx, link_id, Side.REMOTE, keys):
            _stop(tx, link_id, topic, payload)
        return False
    return note(tx, link_id, Side.REMOTE, hints, keys)


def _keys(topic: str, hints: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """What a repetition shares: the delivery's id, and the happening's together with what it is about; one happening
    may tell of several things under one topic."""
    delivery, happening = request.headers.get("X-Shopify-Webhook-Id"), request.headers.get("X-Shopify-Event-Id")
    keys = [f"delivery {delivery[:100]}"] if delivery else []
    if happening:
        keys.append(f"event {fingerprint(topic, happening, hints)}")
    return tuple(keys)


def _stop(tx: Transaction, link_id: int, topic: str, payload: dict[str, Any]) -> None:
    if topic == UNINSTALLED:
        message = "The app was removed from the Shopify store, so nothing can be synced."
        cure = "Install the app again, put its new token into the settings if it has one, and press Sync."
        reason = "uninstalled"
    else:
        before, now = ({str(one) for one in payload.get(name) or ()} for name in ("previous", "current"))
        lost = sorted(before - now)
        if not lost:
            schedule.hint(tx, link_id)
            return
        message = f"The app lost rights in the Shopify store: {', '.join(lost)}."
        cure = "Give it these scopes again, or switch off what needs them, and press Sync."
        reason = "scopes"
    schedule.stop(tx, link_id, reason, message, cure)
    notices.raise_(tx, link_id, "stopped", f"{message} {cure}", 0.0)


def _about(payload: dict[str, Any]) -> tuple[str, list[str]]:
    """The customer's gid, and the gids of customer and orders. Facts §11: privacy topics name ids as numbers."""
    customer = payload.get("customer")
    number = customer.get("id") if isinstance(customer, dict) else None
    gid = f"gid://shopify/Customer/{number}" if isinstance(number, int) else ""
    orders = [*(payload.get("orders_to_redact") or ()), *(payload.get("orders_requested") or ())]
    things = [gid] if gid else []
    return gid, things + [f"gid://shopify/Order/{one}" for one in orders if isinstance(one, int)]

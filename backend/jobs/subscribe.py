"""Webhooks of the store are there, and are put back where Shopify dropped them: a run looks, at most once an hour.

Only where the backend has a public address (`PUBLIC_URL`), and of the store only where there is a secret by which its
deliveries are known: without one each would be refused, and stock that they tell of would be waited for. Whatever is
wrong with webhooks ends no run: they only make a sync come sooner, and what is wrong is kept for the health page.
"""

from __future__ import annotations

import logging
from typing import Any

from backend.app import Context
from backend.errors import SyncError
from backend.jobs import wishes
from backend.session import Session
from backend.shopify import webhooks
from backend.store import runs, schedule
from backend.store.links import Link

log = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0
NO_ADDRESS = {
    "registered": 0, "wanted": 0,
    "problem": "The sync service has no public address, so Shopify and Grist cannot call it.",
    "cure": "Set PUBLIC_URL to its https address. Until then changes are found by the timer and the button.",
}
NO_SECRET = {
    "problem": "The store's webhooks are off, for there is no secret by which its calls could be known as its own.",
    "cure": "Set SHOPIFY_API_SECRET to the app's client secret. Until then changes are found by the timer and the "
            "button.",
}


def ensure(context: Context, link: Link, session: Session) -> None:
    """Look at the subscriptions of a link if that was long ago. Raises nothing for what services say."""
    public = context.settings.public_url
    with context.database.read() as tx:
        state, seconds_ago = schedule.hooks_of(tx, link.id)
        key = schedule.key_of(tx, link.id)
    if not public:
        if state.get("shopify") != NO_ADDRESS:
            _keep(context, link, {"shopify": NO_ADDRESS, "grist": NO_ADDRESS})
        return
    signed = bool(context.webhook_secrets(link))
    if seconds_ago is not None and seconds_ago < EVERY_SECONDS and (
            state.get("public"), state.get("signed")) == (public, signed):
        return
    said = {**state, "public": public, "signed": signed}
    if said.get("grist") == NO_ADDRESS:
        del said["grist"]
    said["shopify"] = _of_the_store(session, f"{public}/hooks/shopify/{key}", state.get("shopify", {}),
                                    wanted=signed and wishes.of(link, context.settings).realtime)
    if not signed:
        said["shopify"] |= NO_SECRET
    _keep(context, link, said)


def ensure_grist(context: Context, link: Link, session: Session) -> None:
    """The same for the document, once a run has prepared its tables: right after it."""
    public = context.settings.public_url
    with context.database.read() as tx:
        state, _ = schedule.hooks_of(tx, link.id)
        key, now = schedule.key_of(tx, link.id), runs.clock(tx)
    before = state.get("grist", {})
    if not public or now - before.get("at", 0) < EVERY_SECONDS or not wishes.of(link, context.settings).realtime:
        return
    grist: Any = session.local
    try:
        found = grist.subscribe(f"{public}/hooks/grist/{key}", context.grist_authorization(link, key))
        if found is None:
            return
        said = {"registered": len(found.subscribed), "wanted": len(found.subscribed) + len(found.refused or {}),
                "problem": found.reason or None, "cure": None, "at": now}
    except SyncError as error:
        log.warning("the document's webhooks could not be looked at: %s", error.message)
        said = {**before, "problem": error.message, "cure": error.cure, "at": now}
    _keep(context, link, {**state, "grist": said})


def _of_the_store(session: Session, address: str, before: dict[str, Any], *, wanted: bool) -> dict[str, Any]:
    """How the store's subscriptions stand now, as the health page tells it."""
    shop: Any = session.remote
    topics: tuple[str, ...] = ()
    try:
        topics = webhooks.topics_for(session.mappings, shop.scopes) if wanted else ()
        found = webhooks.ensure(shop, topics, address, before.get("topics", ()))
    except SyncError as error:
        log.warning("the store's webhooks could not be looked at: %s", error.message)
        return {**before, "wanted": len(topics), "problem": error.message, "cure": error.cure}
    problem = "; ".join(f"{topic}: {why}" for topic, why in sorted(found.refused.items())) or None
    return {
        "topics": list(found.subscribed), "registered": len(found.subscribed), "wanted": len(topics),
        "problem": problem, "cure": "Give the app the scopes that are named, then sync again." if problem else None,
    }


def _keep(context: Context, link: Link, state: dict[str, Any]) -> None:
    with context.database.write() as tx:
        schedule.set_hooks(tx, link.id, state)

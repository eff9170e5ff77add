"""Connecting a store to a document, replacing its key, moving it to a copy, and ending it. For owners only.

Nothing is connected before Shopify has accepted the key, and the only address that is ever asked is
`https://{name}.myshopify.com`, whatever somebody typed.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson
from flask import Response

from backend.app import credentials_from
from backend.errors import RetryLater, SyncError
from backend.secrets import masked
from backend.shopify.client import store_domain
from backend.store import api_keys, entrusted, links, options, runs
from backend.store.links import Link
from backend.web import schemas
from backend.web.answers import answer
from backend.web.api import LINK, bp
from backend.web.errors import Refused
from backend.web.service import link, service, visitor

if TYPE_CHECKING:
    from backend.shopify.trial import Trial

log = logging.getLogger(__name__)

FIRST_INTERVAL_SECONDS = 900
FIRST_STEP = {"step": "resources"}


@bp.post("/link/test")
@bp.arguments(schemas.StoreKey)
@bp.response(200, description="What the key opens: shop, permissions with what each missing one blocks, problems")
def test_store(said: dict[str, Any]) -> Response:
    """Try a key on a store. Nothing is kept."""
    return answer(_tried(said))


@bp.post("/link")
@bp.arguments(schemas.StoreKey)
@bp.response(201, description="The link, and what its key opens")
def connect_store(said: dict[str, Any]) -> Response:
    """Connect a store to this document: its key is tried, then kept sealed."""
    here, who = service(), visitor()
    store = store_domain(said["store"])
    _refuse_second_store(who.link or who.former, store)
    if who.link is not None:
        raise Refused(409, "connected", f"This document is connected to {store} already.",
                      "To give it a new key, use “Connect store” in Health.")
    if here.original(who) is not None:
        raise _is_a_copy()
    _needs_a_vault()
    told = _tried(said)
    with here.database.write() as tx:
        made = who.former or links.of_document(tx, here.server_url, who.document)
        _refuse_second_store(made, store)
        link_id = made.id if made else links.add(
            tx, store, here.server_url, who.document, here.context.settings.interval_seconds or FIRST_INTERVAL_SECONDS,
            configured=False)
        links.connect(tx, link_id)
        _keep_key(tx, link_id, said)
        if not links.mappings(tx, link_id):
            options.change(tx, link_id, {"first_run": FIRST_STEP})
    here.copies.forget()
    log.info("link %s: a store was connected", link_id)
    return answer({"id": link_id, **told}, 201)


@bp.post("/link/move")
@bp.arguments(schemas.StoreKey)
@bp.response(200, description="The link, which is this document's now")
def move_link(said: dict[str, Any]) -> Response:
    """Let this copy of a document take the original's place. The store's key proves whose it is."""
    here, who = service(), visitor()
    original = here.original(who)
    if original is None:
        raise Refused(409, "no_copy", "This document is no copy of one that syncs with a store.",
                      "Connect the store here instead.")
    if original.store != store_domain(said["store"]):
        raise Refused(409, "other_store", f"The original of this document syncs with {original.store}.",
                      f"Enter the key of {original.store}, or use another document for another store.")
    if original.configured:
        raise Refused(409, "configured", "The original document is named in the settings of the sync service.",
                      "Change GRIST_DOC_ID there, and start the service again.")
    _needs_a_vault()
    told = _tried(said)
    with here.database.write() as tx:
        links.move(tx, original.id, who.document)
        # The key for background work may not open the copy: it is entered again.
        entrusted.forget(tx, original.id, "token", "grist_key")
        _keep_key(tx, original.id, said)
        _stop_runs(tx, original.id)
    here.copies.forget()
    log.info("link %s: moved to a copy of its document", original.id)
    return answer({"id": original.id, **told})


@bp.put(f"{LINK}/store")
@bp.arguments(schemas.NewStoreKey)
@bp.response(200, description="What the new key opens")
def replace_store_key(said: dict[str, Any]) -> Response:
    """Give the link a new key for its store; the old one goes once Shopify has accepted the new one."""
    here, found = service(), link()
    store = store_domain(said.pop("store", "") or found.store)
    _refuse_second_store(found, store)
    _needs_a_vault()
    said = {**said, "store": store}
    told = _tried(said)
    with here.database.write() as tx:
        _keep_key(tx, found.id, said)
    log.info("link %s: the store's key was replaced", found.id)
    return answer(told)


@bp.delete(LINK)
@bp.response(200, description="What was deleted and what stays")
def disconnect_store() -> Response:
    """End syncing and delete the keys. Tables, Shopify's data, mapping and history stay."""
    here, found = service(), link()
    with here.database.write() as tx:
        links.disconnect(tx, found.id)
        entrusted.forget(tx, found.id)
        api_keys.revoke_all(tx, found.id)
        _stop_runs(tx, found.id)
    here.copies.forget()
    log.info("link %s: disconnected", found.id)
    stays = "Tables, Shopify’s data, mapping, conflicts and history stay. Connecting the same store again goes on."
    if found.configured:
        stays += " The key in the settings of the sync service stays there; take it out there too."
    return answer({"deleted": "The keys for the store and the document, and all API keys.", "stays": stays})


def look_at_store(found: Link) -> dict[str, Any]:
    """How the store of a link answers to the key that it has: for Health."""
    from backend.shopify.trial import try_store  # late: the web process starts without it

    context = service().context
    try:
        trial = try_store(found.store, context.credentials(found), version=context.settings.shopify_version,
                          admin_url=context.settings.shopify_admin_url or None)
    except SyncError as error:
        return {"message": error.message, "cure": error.cure}
    told = _told(trial)
    return {"ms": trial.answered_ms, "problems": told["problems"],
            "granted": sum(one["granted"] for one in told["permissions"]),
            "missing": [one for one in told["permissions"] if not one["granted"]]}


def _tried(said: dict[str, Any]) -> dict[str, Any]:
    """What Shopify says of this key, as the widget shows it. Raises Refused (429, 503), and UserError for a key
    or an address that is none."""
    from backend.shopify.trial import try_store  # late: the web process starts without it

    here = service()
    settings = here.context.settings
    key = credentials_from(said)
    store_domain(said["store"])  # what is no store's address costs no try
    here.limiter.take(visitor().document)
    try:
        trial = try_store(said["store"], key, version=settings.shopify_version,
                          admin_url=settings.shopify_admin_url or None)
    except RetryLater as error:
        raise Refused(503, "no_answer", "Shopify does not answer under this address now.",
                      "Check the store's domain, and test again in a minute.") from error
    return _told(trial)


def _told(trial: Trial) -> dict[str, Any]:
    return {
        "store": trial.store,
        "shop": {"name": trial.name, "currency": trial.currency, "timezone": trial.timezone},
        "permissions": [asdict(one) for one in trial.permissions],
        "problems": [asdict(one) for one in trial.problems],
        "answered_ms": trial.answered_ms,
    }


def _keep_key(tx: Any, link_id: int, said: dict[str, Any]) -> None:
    key = {name: said[name].strip() for name in ("token", "client_id", "client_secret") if said.get(name)}
    shown = masked(key.get("token") or key["client_secret"])
    service().context.keep(tx, link_id, "store", orjson.dumps(key).decode(), by=visitor().by("widget"), hint=shown)


def _refuse_second_store(found: Link | None, store: str) -> None:
    if found is not None and found.store != store:
        raise Refused(409, "other_store", f"This document is connected to {found.store}, and a document has one store.",
                      f"Use another document for {store}.")


def _needs_a_vault() -> None:
    """Before Shopify is asked: a key that cannot be kept need not be tried."""
    if not service().context.vault:
        raise Refused(409, "no_secret_key", "The sync service has nothing to keep a key with: SECRET_KEY is not set.",
                      "Set SECRET_KEY where the service runs to a long random text, and start it again.")


def _is_a_copy() -> Refused:
    return Refused(409, "copy", "This document is a copy of one that syncs with a store already.",
                   "Move the link here instead, or clear the Shopify ID columns first.")


def _stop_runs(tx: Any, link_id: int) -> None:
    active = runs.active(tx, link_id)
    while active is not None and not active.cancelling:
        runs.cancel(tx, link_id, active.id)
        active = runs.active(tx, link_id)


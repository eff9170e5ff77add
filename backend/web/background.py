"""Settings of a link: schedule, brakes, messages, the key for background work, and API keys for scripts."""

from __future__ import annotations

import logging
import re
from typing import Any
from urllib.parse import urlsplit

from flask import Response

from backend.app import Context
from backend.errors import UserError
from backend.grist.access import probe_key
from backend.store import api_keys, entrusted, links, options
from backend.store.links import Link
from backend.web import schemas
from backend.web.access import needs, patience
from backend.web.answers import answer, moment, polled
from backend.web.api import LINK, bp
from backend.web.errors import Refused
from backend.web.service import link, service, visitor

log = logging.getLogger(__name__)

PLAIN = ("paused", "realtime", "settle_seconds", "rest_seconds", "audit_hours", "history_days", "language", "letters",
         "sync_log", "status_column", "grist_calls_a_day", "first_run")


@bp.get(f"{LINK}/settings")
@bp.response(200, description="The link's settings, and which keys are kept, without them")
@needs("owner")
def read_settings() -> Response:
    """How the link is set. Keys are told by their last letters."""
    return polled(_settings(link().id))


@bp.put(f"{LINK}/settings")
@bp.arguments(schemas.SettingsWanted)
@bp.response(200, description="The settings as they are now")
def change_settings(wanted: dict[str, Any]) -> Response:
    """Change some settings; those that are not named stay."""
    found = link()
    said = {name: value for name, value in wanted.items() if name in PLAIN}
    if "quiet" in wanted:
        said["quiet"] = wanted["quiet"]
    if "brakes" in wanted:
        said["brakes"] = wanted["brakes"] or None
    if "mails" in wanted or "notices" in wanted:
        now = options.of(found)
        said["notify"] = {"mails": wanted.get("mails", list(now.mails)), "on": wanted.get("notices", list(now.notices))}
    with service().database.write() as tx:
        options.change(tx, found.id, said)
        if "interval_seconds" in wanted:
            links.set_interval(tx, found.id, wanted["interval_seconds"])
    return answer(_settings(found.id))


@bp.put(f"{LINK}/grist-key")
@bp.arguments(schemas.GristKey)
@bp.response(200, description="What the key may do in the document")
def keep_grist_key(said: dict[str, Any]) -> Response:
    """Keep an API key of Grist for work while nobody is looking. Its rights are asked first."""
    here, found, key = service(), link(), said["key"].strip()
    _needs_a_vault(here.context)
    here.limiter.take(visitor().document)
    rights = probe_key(found.server_url, found.document, key, sleep=patience())
    if rights.role == "viewer":
        raise UserError("This key may only look at the document, and syncing writes to it.",
                        cure="Use the key of somebody who may edit the document.")
    with here.database.write() as tx:
        here.context.keep(tx, found.id, "grist_key", key, by=visitor().by("widget"))
        entrusted.forget(tx, found.id, "token")
    log.info("link %s: a key for background work was kept", found.id)
    return answer({"role": rights.role, "sees_all": rights.sees_all, "blocked": rights.blocked, **_settings(found.id)})


@bp.delete(f"{LINK}/grist-key")
@bp.response(200, description="The settings as they are now")
def forget_grist_key() -> Response:
    """Delete the key for background work: timers and webhooks stop, the button goes on working."""
    return _forget("grist_key")


@bp.put(f"{LINK}/notify-url")
@bp.arguments(schemas.NotifyUrl)
@bp.response(200, description="The settings as they are now")
def keep_notify_url(said: dict[str, Any]) -> Response:
    """Where messages go, besides mail: a webhook of a service that the sync service may call."""
    here, found, url = service(), link(), said["url"].strip()
    _needs_a_vault(here.context)
    allowed = here.context.settings.notify_hosts
    if not may_be_called(url, allowed):
        raise UserError(f"Messages are sent by https to {' or '.join(allowed)} only.",
                        cure="Paste the address of a webhook there. Another place must be named in NOTIFY_HOSTS, where "
                             "the sync service runs.")
    with here.database.write() as tx:
        here.context.keep(tx, found.id, "notify_url", url, by=visitor().by("widget"))
    return answer(_settings(found.id))


@bp.delete(f"{LINK}/notify-url")
@bp.response(200, description="The settings as they are now")
def forget_notify_url() -> Response:
    """Send no more messages to that address."""
    return _forget("notify_url")


@bp.get(f"{LINK}/keys")
@bp.response(200, description="The API keys for scripts, without their secrets")
@needs("owner")
def list_keys() -> Response:
    """The API keys of this document."""
    return polled({"keys": _keys(link().id)})


@bp.post(f"{LINK}/keys")
@bp.arguments(schemas.KeyWanted)
@bp.response(201, description="The key, shown this once, and the list")
def make_key(wanted: dict[str, Any]) -> Response:
    """Make an API key for scripts: it may what editors may, in this document only."""
    found = link()
    with service().database.write() as tx:
        if len(api_keys.of_link(tx, found.id)) >= api_keys.MOST:
            raise UserError(f"This document has {api_keys.MOST} API keys already.", cure="Revoke one first.")
        key_id, key = api_keys.make(tx, found.id, wanted["name"].strip(), visitor().by("widget"))
    log.info("link %s: API key %s was made", found.id, key_id)
    return answer({"id": key_id, "key": key, "keys": _keys(found.id)}, 201)


@bp.delete(f"{LINK}/keys/<int(max={schemas.LARGEST_ID}):key_id>")
@bp.response(200, description="The keys that are left")
def revoke_key(key_id: int) -> Response:
    """Revoke an API key: from now on it opens nothing."""
    found = link()
    with service().database.write() as tx:
        if not api_keys.revoke(tx, found.id, key_id):
            raise Refused(404, "not_found", "This document has no such API key.", "Reload the page in Grist.")
    log.info("link %s: API key %s was revoked", found.id, key_id)
    return answer({"keys": _keys(found.id)})


def may_be_called(url: str, hosts: tuple[str, ...]) -> bool:
    """https, a host that is allowed, and nothing that could lead elsewhere: no port, no name and password."""
    try:
        parts = urlsplit(url)
        return (parts.scheme == "https" and parts.hostname in hosts and parts.port is None and parts.username is None
                and re.fullmatch(r"[\x21-\x7e]{1,2000}", url) is not None and "\\" not in url)
    except ValueError:
        return False


def _settings(link_id: int) -> dict[str, Any]:
    here = service()
    with here.database.read() as tx:
        found = links.get(tx, link_id)
        assert found is not None
        kept = {name: entrusted.get(tx, link_id, name) for name in ("store", "grist_key", "notify_url")}
    return {
        "settings": shown(found, here.context),
        "kept": {name: {"hint": one.hint, "by": one.by, "at": moment(one.at)} if one else None
                 for name, one in kept.items()},
        "from_environment": {"grist_key": found.configured and bool(here.context.settings.grist_api_key),
                             "store": found.configured and here.context.settings.has_shopify},
        "notify_hosts": list(here.context.settings.notify_hosts),
        "timezone": found.shop.get("timezone") or "UTC", "store": found.store,
    }


def shown(found: Link, context: Context) -> dict[str, Any]:
    """All settings of a link with the values that hold, defaults filled in."""
    now = options.of(found)
    limits = {name: now.brakes.get(name, getattr(context.limits, name))
              for name in ("deletions", "deletions_share", "changed_share")}
    return {
        **{name: getattr(now, name) for name in PLAIN},
        "interval_seconds": found.interval_seconds,
        "quiet": {"from": now.quiet[0], "to": now.quiet[1]} if now.quiet else None,
        "rest_seconds": context.rest_seconds if now.rest_seconds is None else now.rest_seconds,
        "brakes": limits, "mails": list(now.mails), "notices": list(now.notices),
    }


def _keys(link_id: int) -> list[dict[str, Any]]:
    with service().database.read() as tx:
        return [{"id": one.id, "name": one.name, "start": one.start, "by": one.by, "made_at": moment(one.made_at),
                 "used_at": moment(one.used_at)} for one in api_keys.of_link(tx, link_id)]


def _forget(name: str) -> Response:
    found = link()
    with service().database.write() as tx:
        entrusted.forget(tx, found.id, name)
    log.info("link %s: %s was forgotten", found.id, name)
    return answer(_settings(found.id))


def _needs_a_vault(context: Context) -> None:
    if not context.vault:
        raise Refused(409, "no_secret_key", "The sync service has nothing to keep a key with: SECRET_KEY is not set.",
                      "Set SECRET_KEY where the service runs to a long random text, and start it again.")

"""Whether a link is well: one answer that names every part, what was found of it in numbers, and what to do.

    {"well": …, "checked_at": …, "parts": [{"part", "needs_you", "facts": {…}, "message", "cure"}], "version": …}

The words for facts are the widget's; a sentence stands here only where something is wrong. Nothing secret is in it,
so the report can be copied as it is. Asking the store and the document is a request of its own (`POST …/health`); its
answer is kept, and told with its time.
"""

from __future__ import annotations

from typing import Any

from flask import Response

from backend import __version__
from backend.app import Context
from backend.errors import SyncError
from backend.grist.access import BLOCKED, probe_key
from backend.store import entrusted, links, options, runs, waiting
from backend.store.links import Link
from backend.store.runs import Run
from backend.web import waiting as lists
from backend.web.access import needs, patience
from backend.web.answers import answer, moment, polled
from backend.web.api import LINK, bp
from backend.web.background import shown
from backend.web.connect import look_at_store
from backend.web.service import link, service, sight, visitor
from backend.web.values import Tables, tables

try:
    from backend.store import health as work
except ImportError:  # pragma: no cover - the part that does webhooks and queues is not in this build
    work = None  # type: ignore[assignment]

Part = dict[str, Any]
SIDES = {"shopify": "shopify_webhooks", "grist": "grist_webhooks"}


@bp.get(f"{LINK}/health")
@bp.response(200, description="Every part of the link, what was found of it, and what to do")
def read_health() -> Response:
    """How every part of the link is, as last seen."""
    return polled(_told(link().id))


@bp.post(f"{LINK}/health")
@bp.response(200, description="The same, after the store and the document were asked")
@needs("editor")
def check_health() -> Response:
    """Ask the store and the document how their keys are, and tell how every part is."""
    here, found = service(), link()
    here.limiter.take(visitor().document)
    seen = {"store": look_at_store(found), "document": _look_at_document(found)}
    with here.database.write() as tx:
        links.remember_check(tx, found.id, seen)
    return answer(_told(found.id))


def _told(link_id: int) -> dict[str, Any]:
    here = service()
    context = here.context
    with here.database.read() as tx:
        found = links.get(tx, link_id)
        assert found is not None
        known = tables(tx, link_id, context.resources)
        known_parts = [_store(found), _permissions(found), _document(tx, found, context), *_webhooks(tx, found),
                 _last_sync(tx, found), _timer(tx, found, context), _queue(tx, link_id), _brakes(tx, found, context),
                 _mapping(known), _quota(tx, found)]
        told = lists.refused(tx, known, 1)
        refused = sum(numbers["refused"] for mapping_id, numbers in waiting.counts(tx, link_id).items()
                      if mapping_id in known.described)
    parts: list[Part] = [one for one in (*known_parts, _refused(refused, told, known)) if one is not None]
    waits = [one for one in parts if one["needs_you"]]
    return {
        "works": not any(_stops(one) for one in waits),
        "needs_you": len(waits), "checked_at": moment(found.checked.get("at")), "parts": parts,
        "version": __version__, "shopify_version": context.settings.shopify_version,
        "database": here.database.engine.dialect.name, "store": found.store,
    }


def _stops(part: Part) -> bool:
    """Whether nothing syncs before somebody has seen to this. Without a key of its own the service still syncs while
    the widget is open."""
    keyless = part["part"] == "document" and part["facts"]["key"] is None
    return part["part"] in ("store", "document", "last_sync") and not keyless


def _part(name: str, message: str = "", cure: str = "", /, *, needs_you: bool | None = None, **facts: Any) -> Part:
    return {"part": name, "needs_you": bool(message) if needs_you is None else needs_you, "facts": facts,
            "message": message, "cure": cure}


def _store(found: Link) -> Part:
    seen = found.checked.get("store")
    if seen is None:
        return _part("store", domain=found.store, ms=None)
    return _part("store", seen.get("message", ""), seen.get("cure", ""), domain=found.store, ms=seen.get("ms"))


def _permissions(found: Link) -> Part | None:
    seen = found.checked.get("store", {})
    if "granted" not in seen:
        return None
    message = " ".join(f"{one['scope']} is missing: {one['without']}" for one in seen["missing"])
    problems = seen.get("problems", [])
    return _part("permissions", " ".join([message, *(one["message"] for one in problems)]).strip(),
                 problems[0]["cure"] if problems and not message else "", granted=seen["granted"],
                 missing=[one["scope"] for one in seen["missing"]])


def _document(tx: Any, found: Link, context: Context) -> Part:
    held = entrusted.get(tx, found.id, "grist_key")
    own = found.configured and bool(context.settings.grist_api_key)
    facts: dict[str, Any] = {"key": "kept" if held else "environment" if own else None, "by": held.by if held else None,
             "at": moment(held.at) if held else None}
    seen = found.checked.get("document") or {}
    if not held and not own:
        return _part("document", "There is no key for background work, so it syncs only while somebody has this widget "
                     "open.", "Add a key in Settings.", **facts)
    message, cure = seen.get("message", ""), seen.get("cure", "")
    blocked = seen.get("blocked", [])
    if not message and (by_rules := [one for one in blocked if one != BLOCKED["editor"]]):
        message = " ".join(by_rules)
        cure = "Use the key of somebody who may see and change everything."
    return _part("document", message, cure, **facts, role=seen.get("role"),
                 blocked=blocked)


def _webhooks(tx: Any, found: Link) -> list[Part]:
    """Only what is known: before a sync has looked, or where webhooks are not in this build, there is no line."""
    known = work.webhooks(tx, found.id) if work is not None else None
    if known is None:
        return []
    return [_part(SIDES[side], one.get("problem") or "", one.get("cure") or "", registered=one["registered"],
                  wanted=one["wanted"], last_at=moment(one["last_at"])) for side, one in known.items() if side in SIDES]


def _last_sync(tx: Any, found: Link) -> Part:
    last = next(iter(runs.ended(tx, found.id, limit=1, kind="sync")), None)
    failed = last is not None and last.state == "failed"
    facts: dict[str, Any] = {"at": moment(found.synced_at),
                             "failed_at": moment(last.finished_at) if failed and last else None}
    return _part("last_sync", (last.message or "") if failed and last else "",
                 (last.cure or "") if failed and last else "", **facts)


def _timer(tx: Any, found: Link, context: Context) -> Part:
    chosen = options.of(found)
    next_at = work.next_run_at(tx, found) if work is not None else None
    facts: dict[str, Any] = {
        "interval_seconds": found.interval_seconds, "next_at": moment(next_at), "paused": chosen.paused,
        "quiet": {"from": chosen.quiet[0], "to": chosen.quiet[1]} if chosen.quiet else None,
    }
    if found.interval_seconds is not None and not chosen.paused and found.id not in context.unattended(tx, [found.id]):
        return _part("timer", "The timer is off, because there is no key for background work.",
                     "Add a key in Settings.", **facts)
    return _part("timer", **facts)


def _queue(tx: Any, link_id: int) -> Part:
    active = runs.active(tx, link_id)
    facts: dict[str, Any] = {"state": active.state if active else None}
    if work is not None:
        seen = work.queue(tx, link_id)
        facts |= {"workers": seen["workers"], "queued": seen["queued"], "oldest_at": moment(seen["oldest_at"])}
    waits = active is not None and active.state == "waiting"
    return _part("queue", (active.message or "") if waits and active else "",
                 (active.cure or "") if waits and active else "", **facts)


def _brakes(tx: Any, found: Link, context: Context) -> Part:
    last = next(iter(runs.ended(tx, found.id, limit=1, kind="sync")), None)
    stopped = last is not None and last.state == "stopped"
    return _part("brakes", (last.message or "") if stopped and last else "",
                 (last.cure or "") if stopped and last else "", **shown(found, context)["brakes"])


def _mapping(known: Tables) -> Part:
    paused = [f"{known.head(mapping_id)['label']}: {known.stored[mapping_id].paused}" for mapping_id in known.ids
              if known.stored[mapping_id].paused]
    columns = sum(len(mapping.fields) for mapping in known.described.values())
    if not known.ids:
        return _part("mapping", "No table is mapped yet, so nothing is synced.", "Choose what to sync.", tables=0,
                     columns=0, paused=0)
    return _part("mapping", " ".join(paused), tables=len(known.ids), columns=columns, paused=len(paused))


def _quota(tx: Any, found: Link) -> Part:
    last: Run | None = next(iter(runs.ended(tx, found.id, limit=1, kind="sync")), None)
    report = (last.report or {}) if last else {}
    requests = report.get("requests", {})
    return _part("quota", points=report.get("points"), shopify=requests.get("shopify"), grist=requests.get("grist"))


def _refused(count: int, told: dict[str, Any], known: Tables) -> Part:
    """The first one as an example, where the visitor may see it."""
    if not count:
        return _part("refused", count=0)
    example = next(iter(sight(known).of(told["refused"])), None)
    return _part("refused", needs_you=True, count=count,
                 example={"title": example["title"], "message": example["message"]} if example else None)


def _look_at_document(found: Link) -> dict[str, Any]:
    """What the link's own key may do in the document; nothing where it has none."""
    key = service().context.grist_key(found)
    if not key:
        return {}
    try:
        rights = probe_key(found.server_url, found.document, key, sleep=patience())
    except SyncError as error:
        return {"message": error.message, "cure": error.cure}
    if rights.role == "viewer":
        return {"message": "The key for background work may only look at the document.",
                "cure": "Use the key of somebody who may edit it."}
    return {"role": rights.role, "sees_all": rights.sees_all, "blocked": list(rights.blocked)}

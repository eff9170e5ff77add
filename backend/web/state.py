"""How a link is, and its runs: what the widget polls."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

from backend.store import health, links, options, pairing, runs, schedule, waiting
from backend.store.links import Link
from backend.store.runs import Run
from backend.web.answers import moment
from backend.web.values import Tables

TOTALS = ("created", "updated", "deleted", "unchanged", "conflicts", "refused", "proposed_deletions", "waiting")
OVERSLEPT_SECONDS = 600.0
"""A worker that is busy elsewhere may begin a sync this late; more means that nothing ran."""
WAITING = ("conflicts", "deletions", "refused")
_COUNTED = re.compile(r"(\d+) of \d+ ")
"""How a brake's sentence begins: "48 of 212 products are gone from Shopify." (core.guard)"""
PHASES = ("reading_grist", "reading_shopify", "comparing", "writing", "checking")


def state(tx: sa.Connection, link: Link, known: Tables) -> dict[str, Any]:
    """The body of `state`, all of one moment."""
    active = runs.active(tx, link.id)
    newest = next(iter(runs.ended(tx, link.id, limit=1)), None)
    sync = newest if newest is None or newest.kind == "sync" else next(
        iter(runs.ended(tx, link.id, limit=1, kind="sync")), None)
    waits = {mapping_id: numbers for mapping_id, numbers in waiting.counts(tx, link.id).items()
             if mapping_id in known.described}
    fresh = links.get(tx, link.id) or link
    return {
        "now": moment(runs.clock(tx)),
        "status": _status(active, sync, fresh),
        "synced_at": moment(fresh.synced_at),
        "paused": options.of(fresh).paused,
        "asleep": _overslept(tx, active, fresh),
        "message": None if active or sync is None or sync.state not in ("stopped", "failed") else _stopped(sync),
        "counts": {**{name: sum(numbers[name] for numbers in waits.values()) for name in WAITING},
                   "pairs": pairing.count(tx, known.ids)},
        "run": running(active) if active else None,
        "last_run": ended(newest) if newest else None,
        "mappings": [_table(known, mapping_id, waits.get(mapping_id, {}), sync) for mapping_id in known.ids],
    }


def _overslept(tx: sa.Connection, active: Run | None, link: Link) -> bool:
    """Whether the timer's sync that goes on comes much later than it should: its host was asleep."""
    if active is None or active.started_by != "Timer" or not link.interval_seconds or link.synced_at is None:
        return False
    return runs.clock(tx) - link.synced_at > max(2 * link.interval_seconds, link.interval_seconds + OVERSLEPT_SECONDS)


def ahead(tx: sa.Connection, link: Link, unattended: bool) -> dict[str, Any]:
    """What comes by itself: `next_at`, the timer's next sync; `soon`, whether changes in Shopify are heard of at once;
    `history_days`, how long changes are kept. `unattended`: there is a key for work while nobody looks."""
    chosen, stands, hooks = options.of(link), schedule.of(tx, link.id), health.webhooks(tx, link.id)
    shopify = (hooks or {}).get("shopify", {"registered": 0, "wanted": 0})
    runs_alone = unattended and not chosen.paused and stands.stopped is None
    return {
        "next_at": moment(stands.due_at) if runs_alone else None,
        "soon": runs_alone and chosen.realtime and 0 < shopify["wanted"] <= shopify["registered"],
        "history_days": chosen.history_days,
    }


def ended(run: Run) -> dict[str, Any]:
    """RUN: one run in a list. One that has not ended yet has no `finished_at`."""
    totals = (run.report or {}).get("totals", {})
    took = run.finished_at is not None and run.started_at is not None
    return {
        "id": run.id, "kind": run.kind, "state": run.state, "by": run.started_by,
        "started_at": moment(run.started_at), "finished_at": moment(run.finished_at),
        "seconds": round(max(0.0, run.finished_at - run.started_at), 1) if took else None,  # type: ignore[operator]
        "totals": {name: totals.get(name, 0) for name in TOTALS},
        "actions": (run.report or {}).get("actions", {}),
        "message": _message(run),
    }


def report(run: Run, known: Tables) -> dict[str, Any]:
    """RUN with its report; the values of a preview's plan are told as everywhere."""
    told = dict(run.report or {})
    if run.wanted.get("changes") or run.wanted.get("runs"):
        told = {"undone": 0, "stays": [], **told} if told else told
    if run.kind == "preview" and run.state == "done" and run.message:
        told["brake"] = _brake(run.message)  # what else could a preview that ended well have to say
    if "plan" in told:
        told["plan"] = [_plan_line(line, known) for line in told["plan"]]
    return {**ended(run), "report": told}


def plan_cells(run: Run, known: Tables) -> list[tuple[int, str, Any]]:
    """The cells of a preview, so that the names in them can be looked up at once."""
    by_name = {mapping.name: mapping_id for mapping_id, mapping in known.described.items()}
    lines = (run.report or {}).get("plan") or []
    return [(by_name[line["resource"]], line["field"], line[when])
            for line in lines if line["resource"] in by_name for when in ("before", "after")]


def running(run: Run) -> dict[str, Any]:
    """A run that is queued or goes on, as far as its worker has said."""
    progress = run.progress
    phase = progress.get("phase")
    return {
        "id": run.id, "kind": run.kind, "state": run.state, "by": run.started_by,
        "started_at": moment(run.started_at), "cancelling": run.cancelling,
        # Before it reads, a run checks the rights and the tables: for people that is part of reading.
        "phase": phase if phase in PHASES else PHASES[0],
        "thing": progress.get("thing", ""), "done": progress.get("done", 0), "total": progress.get("total"),
        "mappings": progress.get("mappings", []),
    }


def _status(active: Run | None, sync: Run | None, link: Link) -> str:
    if active:
        return "waiting" if active.state == "waiting" else "running"
    if sync is not None and sync.state in ("stopped", "failed"):
        return sync.state
    return "never" if link.synced_at is None else "synced"


def _stopped(run: Run) -> dict[str, Any] | None:
    """Why a sync stopped or failed."""
    told: dict[str, Any] | None = _message(run)
    return {**told, "brake": _brake(told["message"])} if told and run.state == "stopped" else told


def _brake(message: str) -> dict[str, Any]:
    """The figures of a brake in words, and how many things there are to look at, where that is one sum."""
    counted = _COUNTED.findall(message)
    return {"facts": message.removesuffix(" Nothing was written."),
            "count": int(counted[0]) if len(counted) == 1 else None}


def _message(run: Run) -> dict[str, str] | None:
    """What a run has to say; `code` tells which kind of error ended it (errors.py)."""
    if not run.message:
        return None
    code = (run.report or {}).get("code")
    return {"message": run.message, "cure": run.cure or "", **({"code": code} if code else {})}


def _table(known: Tables, mapping_id: int, waits: dict[str, int], sync: Run | None) -> dict[str, Any]:
    stored, head = known.stored[mapping_id], known.head(mapping_id)
    lines = (sync.report or {}).get("mappings", []) if sync else []
    last: dict[str, Any] = next((line for line in lines if line["resource"] == stored.resource), {})
    return {
        **head, "rows": stored.rows, "to_shopify": last.get("to_shopify", 0), "to_grist": last.get("to_grist", 0),
        **{name: waits.get(name, 0) for name in WAITING}, "paused": stored.paused,
    }


def _plan_line(line: dict[str, Any], known: Tables) -> dict[str, Any]:
    told = {**line, "field_label": line["field_label"] or None,
            "row": line["row"] if isinstance(line["row"], int) else None}
    mapping_id = known.mapping_id(line["resource"])
    if mapping_id is None:  # mapped when the preview was made, and not any more
        return told
    return {**told, "before": known.value(mapping_id, line["field"], line["before"]),
            "after": known.value(mapping_id, line["field"], line["after"])}

"""How the work stands, for whoever looks: the health page of a link, and the figures of the whole."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from backend.core.model import Side
from backend.store import deliveries, schedule, waiting, workers
from backend.store.db import now
from backend.store.links import Link
from backend.store.tables import conflict, deletion, hint, link, notice, privacy, refusal, run

_NOTHING = {"registered": 0, "wanted": 0, "problem": None, "cure": None}


def webhooks(tx: sa.Connection, link_id: int) -> dict[str, Any] | None:
    """By side: {"registered", "wanted", "last_at", "problem", "cure"}. None before a sync has looked."""
    state, _ = schedule.hooks_of(tx, link_id)
    if not state:
        return None
    sides = {"shopify": Side.REMOTE, "grist": Side.LOCAL}
    return {
        name: {key: state.get(name, {}).get(key, nothing) for key, nothing in _NOTHING.items()}
        | {"last_at": deliveries.last_at(tx, link_id, side)}
        for name, side in sides.items()
    }


def queue(tx: sa.Connection, link_id: int) -> dict[str, Any]:
    """{"queued": runs that wait, "oldest_at": since when a run or a hint waits, "workers": processes that do runs}."""
    queued, oldest = tx.execute(sa.select(sa.func.count(run.c.id), sa.func.min(run.c.requested_at)).where(
        run.c.link_id == link_id, run.c.state == "queued")).one()
    hinted = schedule.of(tx, link_id).hinted_at
    moments = [moment for moment in (oldest, hinted) if moment is not None]
    return {"queued": int(queued), "oldest_at": min(moments, default=None), "workers": workers.count(tx)}


def next_run_at(tx: sa.Connection, one: Link) -> float | None:
    """When the next sync begins by itself (seconds since 1970); None where none does."""
    stands = schedule.of(tx, one.id)
    if stands.stopped is not None:
        return None
    if stands.due_at is None and stands.interval_seconds is not None:
        return float(tx.execute(sa.select(now())).scalar_one())
    return stands.due_at


def last_good(tx: sa.Connection, link_id: int) -> float | None:
    """When the last sync that went well ended (seconds since 1970)."""
    query = sa.select(sa.func.max(run.c.finished_at)).where(
        run.c.link_id == link_id, run.c.kind == "sync", run.c.state == "done")
    return tx.execute(query).scalar()


def told_in_vain(tx: sa.Connection, link_id: int) -> list[tuple[str, str]]:
    """(kind, why) of notices that could not be sent."""
    query = sa.select(notice.c.kind, notice.c.problem).where(notice.c.link_id == link_id, notice.c.problem.is_not(None))
    return [(kind, problem) for kind, problem in tx.execute(query)]


def whole_queue(tx: sa.Connection) -> dict[str, tuple[float, str]]:
    """Figures of all links together: by name, the value and what it says."""
    def one(query: Any) -> float:
        return float(tx.execute(query).scalar() or 0)

    count = sa.func.count
    return {
        "links": (one(sa.select(count(link.c.id))), "Links"),
        "links_stopped": (one(sa.select(count(link.c.id)).where(link.c.stopped.is_not(None))),
                          "Links that wait for a person"),
        "links_failing": (one(sa.select(count(link.c.id)).where(link.c.failures > 0)), "Links whose last sync failed"),
        "runs_queued": (one(sa.select(count(run.c.id)).where(run.c.state == "queued")), "Runs that wait for a worker"),
        "runs_running": (one(sa.select(count(run.c.id)).where(run.c.state == "running")), "Runs that go on"),
        "queue_oldest_seconds": (one(sa.select(now() - sa.func.min(run.c.requested_at)).where(
            run.c.state == "queued")), "How long the oldest queued run has waited"),
        "hints_waiting": (one(sa.select(count(hint.c.id))), "Hints that no run has looked at"),
        "hint_oldest_seconds": (one(sa.select(now() - sa.func.min(hint.c.at))), "How long the oldest hint has waited"),
        "conflicts_waiting": (one(sa.select(count(conflict.c.id))), "Conflicts that wait for a choice"),
        "deletions_waiting": (one(sa.select(count(deletion.c.id)).where(waiting.UNANSWERED)),
                              "Deletions that wait for an answer"),
        "rows_refused": (one(sa.select(count(refusal.c.id))), "Rows that were refused and stay so"),
        "privacy_waiting": (one(sa.select(count(privacy.c.id)).where(privacy.c.done_at.is_(None))),
                            "Privacy requests that nobody has answered"),
        "workers": (float(workers.count(tx)), "Processes that do runs"),
    }

"""Runs: asked for, claimed under a lease, finished. A link has one running run, one sync and one preview that wait."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from backend.store import wake
from backend.store.db import now
from backend.store.tables import intent, link, run

LEASE_SECONDS = 45.0
"""Longer than any one request may take (timeouts in http.py), so that a paused owner finds out before it writes. The
pulse of a run renews it every few seconds."""
LANDING_SECONDS = 10.0
"""How long a write may still be under way after whoever sent it died: Shopify ends a request of its own after about
that time [facts §2]."""
ATTEMPTS = 5
"""How often one run is taken over. One that ends its process each time would otherwise do so for ever."""


@dataclass(frozen=True, slots=True)
class Run:
    id: int
    link_id: int
    kind: str
    state: str
    started_by: str
    wanted: dict[str, Any]
    progress: dict[str, Any]
    report: dict[str, Any] | None
    message: str | None
    cure: str | None
    cancelling: bool
    attempt: int
    requested_at: float
    started_at: float | None
    finished_at: float | None


_COLUMNS: tuple[Any, ...] = (
    run.c.id, run.c.link_id, run.c.kind, run.c.state, run.c.started_by, run.c.wanted, run.c.progress,
    run.c.report, run.c.message, run.c.cure, run.c.cancelling, run.c.attempt, run.c.requested_at,
    run.c.started_at, run.c.finished_at,
)


def request(tx: sa.Connection, link_id: int, kind: str, started_by: str, wanted: dict[str, Any] | None = None) -> int:
    """Queue a run; where one of its kind is queued already, that one: it reads everything when it starts.

    Two waiting syncs become one that does what both wanted: the fields of both, or all where one of them named none.
    A preview and a sync wait side by side; neither turns into the other.
    """
    _only_me(tx, link_id)
    wake.signal(tx)
    queued = tx.execute(sa.select(run.c.id, run.c.wanted).where(
        run.c.link_id == link_id, run.c.state == "queued", run.c.kind == kind)).one_or_none()
    if queued is not None:
        if kind == "sync":
            tx.execute(sa.update(run).where(run.c.id == queued.id).values(
                started_by=started_by, wanted=_both(queued.wanted, wanted or {})))
        return int(queued.id)
    values = {"link_id": link_id, "kind": kind, "state": "queued", "started_by": started_by, "wanted": wanted or {},
              "progress": {}, "requested_at": now()}
    return int(tx.execute(sa.insert(run).values(values)).inserted_primary_key[0])  # type: ignore[index]


def begin(tx: sa.Connection, link_id: int, kind: str, started_by: str, wanted: dict[str, Any], owner: str
          ) -> Run | None:
    """Make a run and claim it at once, past the queue; None while another one of the link is running.

    A run whose owner let the lease run out is ended as failed: this one reads everything anyway.
    """
    _only_me(tx, link_id)
    _looked_at(tx, link_id, kind)
    _fail(tx, run.c.link_id == link_id, run.c.lease_until < now())
    if tx.execute(sa.select(run.c.id).where(run.c.link_id == link_id, run.c.state == "running")).scalar():
        return None
    values = {"link_id": link_id, "kind": kind, "state": "running", "started_by": started_by, "wanted": wanted,
              "progress": {}, "requested_at": now(), "started_at": now(), "owner": owner, "attempt": 1,
              "lease_until": now() + LEASE_SECONDS}
    return get(tx, int(tx.execute(sa.insert(run).values(values)).inserted_primary_key[0]))  # type: ignore[index]


def claim(tx: sa.Connection, owner: str) -> Run | None:
    """Take the oldest queued run whose link nobody is working on, for one lease.

    A run whose owner let the lease run out is given to the next one as it stands: `attempt` counts. Workers that ask
    at the same moment get different links: who has locked a link's row has it, and the others pass it over.
    """
    _fail(tx, run.c.lease_until < now(), run.c.attempt >= ATTEMPTS)
    passed_over: list[int] = []
    while True:
        running = sa.select(run.c.link_id).where(run.c.state == "running")
        busy = running.where(run.c.lease_until >= now())
        lost = sa.and_(run.c.state == "running", run.c.lease_until < now())
        queued = sa.and_(run.c.state == "queued", run.c.link_id.not_in(running))
        query = (sa.select(run.c.id, run.c.link_id, run.c.kind).join(link, link.c.id == run.c.link_id)
                 .where(sa.or_(queued, lost), run.c.link_id.not_in(busy), run.c.id.not_in(passed_over))
                 .order_by(run.c.id).limit(1).with_for_update(skip_locked=True, key_share=True, of=[run, link]))
        found = tx.execute(query).one_or_none()
        if found is None:
            return None
        # What was seen before the lock was had may be old: another worker may have begun and let go in between.
        other = tx.execute(sa.select(run.c.id).where(
            run.c.link_id == found.link_id, run.c.state == "running", run.c.id != found.id)).first()
        if other is None:
            break
        passed_over.append(found.id)
    tx.execute(sa.update(run).where(run.c.id == found.id).values(
        state="running", owner=owner, attempt=run.c.attempt + 1, lease_until=now() + LEASE_SECONDS,
        started_at=now(), progress={}))
    _looked_at(tx, found.link_id, found.kind)
    return get(tx, int(found.id))


# Said before each write of a run, so they are put into words once.
_OWNED = (run.c.id == sa.bindparam("mine"), run.c.owner == sa.bindparam("by"), run.c.attempt == sa.bindparam("try"),
          run.c.state == "running", run.c.lease_until >= now())
_IS_MINE = sa.select(run.c.cancelling).where(*_OWNED)
_HOLD = sa.update(run).where(*_OWNED).values(lease_until=now() + LEASE_SECONDS)
_ALIVE = _HOLD.values(progress=sa.bindparam("said", type_=run.c.progress.type)).returning(run.c.cancelling)


def _mine(claimed: Run, owner: str) -> dict[str, Any]:
    return {"mine": claimed.id, "by": owner, "try": claimed.attempt}


def alive(tx: sa.Connection, claimed: Run, owner: str, progress: dict[str, Any]) -> bool | None:
    """Say that the owner lives and how far it is. None where the run is no longer its own; else whether somebody
    wants it cancelled."""
    wanted = tx.execute(_ALIVE, _mine(claimed, owner) | {"said": progress}).scalar_one_or_none()
    return None if wanted is None else bool(wanted)


def is_cancelling(tx: sa.Connection, claimed: Run, owner: str) -> bool | None:
    """What `alive` answers, for an owner who has just said it."""
    wanted = tx.execute(_IS_MINE, _mine(claimed, owner)).scalar_one_or_none()
    return None if wanted is None else bool(wanted)


def hold(tx: sa.Connection, claimed: Run, owner: str) -> bool:
    """Whether the run is still this owner's, with a lease that has not run out; if so, it begins anew, so that what is
    sent after this transaction has a whole lease before it. Nobody else takes the run before the transaction ends."""
    return tx.execute(_HOLD, _mine(claimed, owner)).rowcount == 1


def finish(tx: sa.Connection, claimed: Run, owner: str, state: str, report: dict[str, Any] | None,
           message: str | None = None, cure: str | None = None) -> bool:
    """End a run as done, failed, stopped (a brake) or cancelled. False where it was no longer this owner's."""
    mine = (run.c.id == claimed.id, run.c.owner == owner, run.c.attempt == claimed.attempt, run.c.state == "running")
    return tx.execute(sa.update(run).where(*mine).values(
        state=state, report=report, message=message, cure=cure, finished_at=now(), lease_until=None)).rowcount == 1


def give_back(tx: sa.Connection, claimed: Run, owner: str) -> None:
    """Let another one go on at once: the lease ends now."""
    tx.execute(sa.update(run).where(run.c.id == claimed.id, run.c.owner == owner, run.c.attempt == claimed.attempt,
                                    run.c.state == "running").values(lease_until=now() - 1))
    wake.signal(tx)


def wait(tx: sa.Connection, claimed: Run, owner: str, report: dict[str, Any] | None, message: str, cure: str) -> bool:
    """A run stopped between two batches because its access to the document ends, and goes on when somebody looks
    (`go_on`). False where it was no longer this owner's."""
    mine = (run.c.id == claimed.id, run.c.owner == owner, run.c.attempt == claimed.attempt, run.c.state == "running")
    return tx.execute(sa.update(run).where(*mine).values(
        state="waiting", report=report, message=message, cure=cure, lease_until=None)).rowcount == 1


def go_on(tx: sa.Connection, link_id: int) -> bool:
    """Queue what waits for access to the document; where another of its kind is queued, that one does its work."""
    _only_me(tx, link_id)
    going = False
    for one in tx.execute(sa.select(run.c.id, run.c.kind, run.c.started_by, run.c.wanted).where(
            run.c.link_id == link_id, run.c.state == "waiting").order_by(run.c.id)).all():
        queued = tx.execute(sa.select(run.c.id).where(
            run.c.link_id == link_id, run.c.state == "queued", run.c.kind == one.kind)).scalar()
        values: dict[str, Any] = {"state": "queued", "message": None, "cure": None}
        if queued is not None:
            values = {"state": "cancelled", "finished_at": now()}
            if one.kind == "sync":
                request(tx, link_id, one.kind, one.started_by, one.wanted)
        tx.execute(sa.update(run).where(run.c.id == one.id).values(values))
        going = True
    if going:
        wake.signal(tx)
    return going


def cancel(tx: sa.Connection, link_id: int, run_id: int) -> bool:
    """Ask a running run to stop after its batch; one that is queued or waits ends at once."""
    where = (run.c.link_id == link_id, run.c.id == run_id)
    if tx.execute(sa.update(run).where(*where, run.c.state.in_(["queued", "waiting"]))
                  .values(state="cancelled", finished_at=now())).rowcount:
        return True
    return tx.execute(sa.update(run).where(*where, run.c.state == "running").values(cancelling=True)).rowcount == 1


def held(tx: sa.Connection) -> list[tuple[int, str]]:
    """(run id, owner) of the runs whose lease goes on."""
    query = sa.select(run.c.id, run.c.owner).where(run.c.state == "running", run.c.lease_until >= now())
    return [(run_id, owner) for run_id, owner in tx.execute(query)]


def bury(tx: sa.Connection, run_id: int, owner: str) -> None:
    """The owner of a run is known to be dead: another one may go on at once, or, where a write of its was under way,
    as soon as that has landed for certain."""
    sent = sa.exists().where(intent.c.run_id == run_id)
    tx.execute(sa.update(run).where(run.c.id == run_id, run.c.owner == owner, run.c.state == "running").values(
        owner="nobody", lease_until=now() + sa.case((sent, LANDING_SECONDS), else_=-1.0)))
    wake.signal(tx)


def to_do(tx: sa.Connection) -> bool:
    """Whether `claim` may find something."""
    query = sa.select(run.c.id).where(sa.or_(
        run.c.state == "queued", sa.and_(run.c.state == "running", run.c.lease_until < now()))).limit(1)
    return tx.execute(query).first() is not None


def _looked_at(tx: sa.Connection, link_id: int, kind: str) -> None:
    """A sync that begins looks at everything that was hinted until now."""
    if kind == "sync":
        tx.execute(sa.update(link).where(link.c.id == link_id).values(hinted_at=None, hint_at=None))


def cancel_aside(tx: sa.Connection, link_id: int) -> None:
    """Whoever asked something aside gives way: to a sync, or to the same question asked anew."""
    query = sa.select(run.c.id).where(run.c.link_id == link_id, run.c.kind.in_(ASIDE),
                                      run.c.state.in_(["running", "queued", "waiting"]))
    for run_id in list(tx.execute(query).scalars()):
        cancel(tx, link_id, run_id)


def _only_me(tx: sa.Connection, link_id: int) -> None:
    """Whoever else queues or begins a run of this link waits for this transaction (SQLite has one writer anyway)."""
    tx.execute(sa.select(link.c.id).where(link.c.id == link_id).with_for_update(key_share=True))


def _both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What two requests want together."""
    both = {**one, **other, **{name: bool(one.get(name) or other.get(name)) for name in ("go_on", "everything")}}
    both.pop("plan", None)
    for name in ("changes", "runs"):
        if one.get(name) or other.get(name):
            both[name] = list(dict.fromkeys([*one.get(name, []), *other.get(name, [])]))
    if one.get("fields") and other.get("fields"):
        return both | {"fields": list(dict.fromkeys([*one["fields"], *other["fields"]]))}
    return both | {"fields": []}


def _fail(tx: sa.Connection, *which: sa.ColumnElement[bool]) -> None:
    """End running runs that nobody works on any more."""
    tx.execute(sa.update(run).where(run.c.state == "running", *which).values(
        state="failed", finished_at=now(), lease_until=None,
        message="The process that did this sync ended before the sync did.", cure="The next sync goes on from there."))


def get(tx: sa.Connection, run_id: int) -> Run | None:
    row = tx.execute(sa.select(*_COLUMNS).where(run.c.id == run_id)).one_or_none()
    return Run(*row) if row else None


ASIDE = ("look", "draft")
"""Runs that only answer a question of somebody who sets up a mapping: they are in no list and change no status."""


def active(tx: sa.Connection, link_id: int, *, aside: bool = False) -> Run | None:
    """The running run of a link, else the queued one, else one that waits for access to the document. `aside` says
    which kinds: those, or all others."""
    place = sa.case((run.c.state == "running", 0), (run.c.state == "queued", 1), else_=2)
    query = (sa.select(*_COLUMNS).where(run.c.link_id == link_id, run.c.state.in_(["running", "queued", "waiting"]),
                                        run.c.kind.in_(ASIDE) if aside else run.c.kind.not_in(ASIDE))
             .order_by(place, run.c.kind.desc(), run.c.id).limit(1))
    row = tx.execute(query).one_or_none()
    return Run(*row) if row else None


def ended(tx: sa.Connection, link_id: int, *, limit: int = 20, kind: str | None = None) -> list[Run]:
    """The newest ended runs first, without those that ran aside."""
    query = (sa.select(*_COLUMNS).where(run.c.link_id == link_id, run.c.finished_at.is_not(None),
                                        run.c.kind.not_in(ASIDE))
             .order_by(run.c.id.desc()).limit(limit))
    if kind:
        query = query.where(run.c.kind == kind)
    return [Run(*row) for row in tx.execute(query)]


def looked_before(tx: sa.Connection, link_id: int, moments: Sequence[float]) -> dict[float, float]:
    """By each of these moments when the last sync began that had ended well by then and looked at whatever had changed:
    what was noticed at the moment changed after that. Moments before the first such sync are left out."""
    if not moments:
        return {}
    query = sa.select(run.c.finished_at, run.c.started_at, run.c.wanted).where(
        run.c.link_id == link_id, run.c.kind == "sync", run.c.state == "done")
    first = tx.execute(query.where(run.c.finished_at < min(moments)).order_by(run.c.finished_at.desc()).limit(50))
    rest = tx.execute(query.where(run.c.finished_at.between(min(moments), max(moments))).order_by(run.c.finished_at))
    # One that was asked for an undo, or for some fields, may have looked at less.
    looks = [(ended_at, began_at) for ended_at, began_at, wanted in [*reversed(first.all()), *rest]
             if began_at is not None and not {"changes", "runs", "fields", "mappings"} & (wanted or {}).keys()]
    found = {one: bisect_left(looks, (one,)) for one in moments}
    return {one: looks[at - 1][1] for one, at in found.items() if at}


def newest_look(tx: sa.Connection, link_id: int) -> Run | None:
    """The last look at the whole store that ended well: a look at one thing only is not meant."""
    query = (sa.select(*_COLUMNS).where(run.c.link_id == link_id, run.c.kind == "look", run.c.state == "done")
             .order_by(run.c.id.desc()).limit(20))
    return next((found for row in tx.execute(query) if not (found := Run(*row)).wanted), None)


def grist_calls(tx: sa.Connection, link_id: int, since: float) -> int:
    """The requests to Grist of all runs of a link that ended since then."""
    calls = run.c.report["requests"]["grist"].as_integer()
    query = sa.select(sa.func.sum(calls)).where(run.c.link_id == link_id, run.c.finished_at >= since)
    return int(tx.execute(query).scalar_one() or 0)


def clock(tx: sa.Connection) -> float:
    """What time it is: seconds since 1970, as everything here is told."""
    return float(tx.execute(sa.select(now())).scalar_one())

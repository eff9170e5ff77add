"""When a link is synced by itself: its timer, hints that have settled, and the pause after a failure.

    timer    due_at, set when a run ends; a timer that has none yet is due now
    hints    hint_at (the newest) and hinted_at (the oldest) since the last sync began
    failure  failures counts them in a row; due_at is then the next try: a schedule is never off, it waits
    stopped  the link itself cannot go on before a person acts; a sync that succeeds ends it
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from backend.store import wake
from backend.store.db import now
from backend.store.tables import link, run, secret

MANY = 20
"""Links looked at in one go: a worker that has queued some begins with them before it looks for more."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How a link's own syncs stand. Moments are seconds since 1970."""

    interval_seconds: int | None
    due_at: float | None
    failures: int
    hinted_at: float | None
    stopped: dict[str, Any] | None
    """{"reason", "message", "cure", "at"}"""


@dataclass(frozen=True, slots=True)
class Hinted:
    """A link that somebody changed: since when, and how long it has been quiet."""

    link_id: int
    oldest_seconds: float
    newest_seconds: float


_IDLE = link.c.id.not_in(sa.select(run.c.link_id).where(
    run.c.state.in_(["queued", "running", "waiting"]), run.c.kind == "sync"))
_HAS_KEY = sa.or_(link.c.configured, link.c.id.in_(sa.select(secret.c.link_id).where(secret.c.name == "grist_key")))
"""Whether it can be synced while nobody looks: with a key for the document, its own or the environment's."""
_MAY = sa.and_(link.c.stopped.is_(None), link.c.disconnected_at.is_(None), _HAS_KEY)


def of(tx: sa.Connection, link_id: int) -> Schedule:
    row = tx.execute(sa.select(link.c.interval_seconds, link.c.due_at, link.c.failures, link.c.hinted_at,
                               link.c.stopped).where(link.c.id == link_id)).one()
    return Schedule(*row)


_NOW = sa.select(now()).scalar_subquery()
"""The clock, looked at once: a clock that goes on while rows are compared with it can use no index."""
_TIMED = sa.and_(link.c.due_at <= _NOW, _IDLE, _MAY)
_UNSET = sa.and_(link.c.due_at.is_(None), link.c.interval_seconds.is_not(None), _IDLE, _MAY)
_DUE = sa.or_(_TIMED, _UNSET)
_HINTED = sa.and_(
    link.c.hinted_at.is_not(None), _IDLE, _MAY, sa.or_(link.c.failures == 0, link.c.due_at.is_(None)))


def due(tx: sa.Connection, most: int = MANY) -> list[int]:
    """Links whose time has come, and of which no sync waits or goes on; the longest due first."""
    most = min(most, MANY)
    timed = sa.select(link.c.id).where(_TIMED).order_by(link.c.due_at, link.c.id).limit(most)
    found = list(tx.execute(timed).scalars())
    if len(found) < most:
        unset = sa.select(link.c.id).where(_UNSET).order_by(link.c.id).limit(most - len(found))
        found += tx.execute(unset).scalars()
    return found


def is_due(tx: sa.Connection, link_id: int) -> bool:
    return tx.execute(sa.select(link.c.id).where(link.c.id == link_id, _DUE)).first() is not None


def is_hinted(tx: sa.Connection, link_id: int) -> bool:
    return tx.execute(sa.select(link.c.id).where(link.c.id == link_id, _HINTED)).first() is not None


def hinted(tx: sa.Connection) -> list[Hinted]:
    """Links with hints that no sync has begun to look at; those that wait after a failure are left out."""
    query = (sa.select(link.c.id, now() - link.c.hinted_at, now() - link.c.hint_at).where(_HINTED)
             .order_by(link.c.hinted_at).limit(MANY))
    return [Hinted(*row) for row in tx.execute(query)]


def seconds_to_next(tx: sa.Connection) -> float | None:
    """How long until the next timer runs out; None where none does."""
    query = sa.select(link.c.due_at - now()).where(_MAY, link.c.due_at > _NOW).order_by(link.c.due_at).limit(1)
    found = tx.execute(query).scalar()
    return None if found is None else float(found)


def take(tx: sa.Connection, link_id: int) -> bool:
    """Whether this link is ours to look at in this transaction; another worker that looks at it now has it."""
    query = sa.select(link.c.id).where(link.c.id == link_id).with_for_update(skip_locked=True, key_share=True)
    return tx.execute(query).first() is not None


def hint(tx: sa.Connection, link_id: int) -> None:
    """Somebody changed something: a sync of this link begins once it has been quiet for a moment."""
    tx.execute(sa.update(link).where(link.c.id == link_id).values(
        hint_at=now(), hinted_at=sa.func.coalesce(link.c.hinted_at, now())))
    wake.signal(tx)


def set_due(tx: sa.Connection, link_id: int, in_seconds: float | None) -> None:
    """The next sync by itself begins that much later; None: none does."""
    tx.execute(sa.update(link).where(link.c.id == link_id).values(
        due_at=None if in_seconds is None else now() + in_seconds))


def pass_over(tx: sa.Connection, link_id: int) -> None:
    """What is due or hinted at begins nothing: hints wait in the inbox for a person's sync, the timer for its next
    time."""
    later = sa.case((link.c.interval_seconds.is_(None), sa.null()), else_=now() + link.c.interval_seconds)
    tx.execute(sa.update(link).where(link.c.id == link_id).values(hinted_at=None, hint_at=None, due_at=later))


def went_well(tx: sa.Connection, link_id: int, in_seconds: float | None) -> None:
    """A sync was done: the next one by itself begins `in_seconds` later, and whatever stood in the way is gone."""
    tx.execute(sa.update(link).where(link.c.id == link_id).values(
        failures=0, stopped=sa.null(), due_at=None if in_seconds is None else now() + in_seconds))


def failed(tx: sa.Connection, link_id: int, in_seconds: float | None) -> None:
    """A sync failed or was stopped: the next try is `in_seconds` later."""
    tx.execute(sa.update(link).where(link.c.id == link_id).values(
        failures=link.c.failures + 1, due_at=None if in_seconds is None else now() + in_seconds))


def stop(tx: sa.Connection, link_id: int, reason: str, message: str, cure: str) -> None:
    """Nothing begins by itself any more until a person syncs and that goes well."""
    at = float(tx.execute(sa.select(now())).scalar_one())
    tx.execute(sa.update(link).where(link.c.id == link_id).values(
        stopped={"reason": reason, "message": message, "cure": cure, "at": at}, hinted_at=None, hint_at=None))


def with_key(tx: sa.Connection, key: str) -> int | None:
    """The link whose webhooks come to this key."""
    return tx.execute(sa.select(link.c.id).where(link.c.key == key)).scalar()


def key_of(tx: sa.Connection, link_id: int) -> str:
    return str(tx.execute(sa.select(link.c.key).where(link.c.id == link_id)).scalar_one())


def of_store(tx: sa.Connection, store: str) -> Collection[int]:
    """All links of a store, by its domain."""
    return list(tx.execute(sa.select(link.c.id).where(link.c.store == store)).scalars())


def hooks_of(tx: sa.Connection, link_id: int) -> tuple[dict[str, Any], float | None]:
    """What became of the link's webhook subscriptions, and how many seconds ago they were looked at."""
    state, at = tx.execute(sa.select(link.c.hooks, now()).where(link.c.id == link_id)).one()
    looked_at = state.get("at")
    return state, None if looked_at is None else float(at) - float(looked_at)


def set_hooks(tx: sa.Connection, link_id: int, state: dict[str, Any]) -> None:
    """Keep what became of the subscriptions: {"shopify": {…}, "grist": {…}}."""
    at = float(tx.execute(sa.select(now())).scalar_one())
    tx.execute(sa.update(link).where(link.c.id == link_id).values(hooks={**state, "at": at}))

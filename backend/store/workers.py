"""Which processes do runs, as they say themselves now and then."""

from __future__ import annotations

import sqlalchemy as sa

from backend.store.db import now
from backend.store.tables import worker

SEEN_SECONDS = 30.0
"""A worker that has not been heard of for this long is not counted."""
FORGOTTEN_SECONDS = 3600.0


def seen(tx: sa.Connection, owner: str) -> None:
    """This worker lives. Those of which nothing has been heard for an hour are forgotten."""
    if not tx.execute(sa.update(worker).where(worker.c.owner == owner).values(seen_at=now())).rowcount:
        tx.execute(sa.insert(worker).values(owner=owner, began_at=now(), seen_at=now()))
    tx.execute(sa.delete(worker).where(worker.c.seen_at < now() - FORGOTTEN_SECONDS))


def gone(tx: sa.Connection, owner: str) -> None:
    tx.execute(sa.delete(worker).where(worker.c.owner == owner))


def count(tx: sa.Connection) -> int:
    query = sa.select(sa.func.count(worker.c.id)).where(worker.c.seen_at >= now() - SEEN_SECONDS)
    return int(tx.execute(query).scalar_one())

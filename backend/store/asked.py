"""Answers for which a service had to be asked, until whoever asked fetches them, from whichever web process. They are
sealed with the asker's own token (backend/web/aside.py); here they are only kept, for minutes."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from backend.store.db import now
from backend.store.tables import asked

KEPT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Asked:
    """`sealed` is None while the service is still being asked."""

    sealed: str | None
    age_seconds: float


def begin(tx: sa.Connection, key: str) -> None:
    """Somebody waits for an answer under this key. What nobody fetched is forgotten."""
    tx.execute(sa.delete(asked).where(asked.c.at < now() - KEPT_SECONDS))
    tx.execute(sa.insert(asked).values(key=key, at=now()))


def put(tx: sa.Connection, key: str, sealed: str) -> None:
    tx.execute(sa.update(asked).where(asked.c.key == key).values(sealed=sealed))


def get(tx: sa.Connection, key: str) -> Asked | None:
    """None where nobody asked, or it was too long ago."""
    row = tx.execute(sa.select(asked.c.sealed, now() - asked.c.at).where(
        asked.c.key == key, asked.c.at >= now() - KEPT_SECONDS)).one_or_none()
    return Asked(*row) if row else None

"""What people entrusted to the service for one link, sealed: keys of store and document, addresses, short-lived tokens.

    name         holds
    store        {"client_id", "client_secret"} or {"token"}
    grist_key    an API key of Grist, for work while nobody is looking
    notify_url   where messages go
    token        a person's access to the document, for a run that they began; gone after minutes

Nothing in here can open them: `backend.secrets`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from backend.store.db import now
from backend.store.tables import link, secret


@dataclass(frozen=True, slots=True)
class Entrusted:
    """One sealed value. Moments are seconds since 1970; `hint` is what its owner knows it by."""

    link_id: int
    name: str
    sealed: str
    hint: str
    by: str
    at: float
    expires_at: float | None


_COLUMNS = (secret.c.link_id, secret.c.name, secret.c.sealed, secret.c.hint, secret.c.by, secret.c.at,
            secret.c.expires_at)


def keep(tx: sa.Connection, link_id: int, name: str, sealed: str, *, hint: str, by: str,
         expires_at: float | None = None) -> None:
    """Put it in the place of what stood under this name."""
    forget(tx, link_id, name)
    tx.execute(sa.insert(secret).values(link_id=link_id, name=name, sealed=sealed, hint=hint, by=by, at=now(),
                                        expires_at=expires_at))


def get(tx: sa.Connection, link_id: int, name: str) -> Entrusted | None:
    """What stands under this name and has not ended."""
    where = (secret.c.link_id == link_id, secret.c.name == name,
             sa.or_(secret.c.expires_at.is_(None), secret.c.expires_at > now()))
    row = tx.execute(sa.select(*_COLUMNS).where(*where)).one_or_none()
    return Entrusted(*row) if row else None


def everything(tx: sa.Connection) -> list[Entrusted]:
    return [Entrusted(*row) for row in tx.execute(sa.select(*_COLUMNS).order_by(secret.c.id))]


def seal_anew(tx: sa.Connection, one: Entrusted, sealed: str) -> None:
    """The same secret under another key; not where somebody replaced it meanwhile."""
    tx.execute(sa.update(secret).where(secret.c.link_id == one.link_id, secret.c.name == one.name,
                                       secret.c.sealed == one.sealed).values(sealed=sealed))


def forget(tx: sa.Connection, link_id: int, *names: str) -> None:
    """These, or everything of the link."""
    where = [secret.c.link_id == link_id, *([secret.c.name.in_(names)] if names else [])]
    tx.execute(sa.delete(secret).where(*where))


def forget_ended(tx: sa.Connection) -> None:
    tx.execute(sa.delete(secret).where(secret.c.expires_at <= now()))


def unattended(tx: sa.Connection, configured: bool, among: Collection[int]) -> set[int]:
    """Which of these links can be synced while nobody looks: those with a key of Grist; where the environment has one
    (`configured`), also those that it describes."""
    has_key = sa.select(secret.c.link_id).where(secret.c.name == "grist_key")
    may: sa.ColumnElement[bool] = link.c.id.in_(has_key)
    if configured:
        may = sa.or_(may, link.c.configured)
    query = sa.select(link.c.id).where(link.c.id.in_(among), may, link.c.disconnected_at.is_(None))
    return set(tx.execute(query).scalars())

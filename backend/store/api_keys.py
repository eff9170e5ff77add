"""API keys of our own, for scripts. Only a digest is kept: who loses the key makes another one."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from backend.store.db import now
from backend.store.tables import api_key

PREFIX = "sgs_"
SHOWN_LETTERS = 4
USED_EVERY_SECONDS = 60.0
"""How exactly it is known when a key was last used: not every request writes."""
MOST = 20


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is listed. Moments are seconds since 1970."""

    id: int
    link_id: int
    name: str
    start: str
    """`sgs_Ab3x…`: what its owner knows it by."""
    by: str
    made_at: float
    used_at: float | None


_COLUMNS = (api_key.c.id, api_key.c.link_id, api_key.c.name, api_key.c.start, api_key.c.by, api_key.c.made_at,
            api_key.c.used_at)


def make(tx: sa.Connection, link_id: int, name: str, by: str) -> tuple[int, str]:
    """(id, the key): it is known now and never again."""
    key = PREFIX + secrets.token_urlsafe(32)
    values = {"link_id": link_id, "name": name, "digest": _digest(key), "by": by, "made_at": now(),
              "start": f"{key[:len(PREFIX) + SHOWN_LETTERS]}…"}
    return int(tx.execute(sa.insert(api_key).values(values)).inserted_primary_key[0]), key  # type: ignore[index]


def of_link(tx: sa.Connection, link_id: int) -> list[ApiKey]:
    query = sa.select(*_COLUMNS).where(api_key.c.link_id == link_id).order_by(api_key.c.id)
    return [ApiKey(*row) for row in tx.execute(query)]


def find(tx: sa.Connection, key: str) -> ApiKey | None:
    """The key that this text is. Compared by its digest, so the time that it takes tells nothing of the text."""
    row = tx.execute(sa.select(*_COLUMNS).where(api_key.c.digest == _digest(key))).one_or_none()
    return ApiKey(*row) if row else None


def is_stale(tx: sa.Connection, found: ApiKey) -> bool:
    """Whether its last use is long enough ago to be written down again."""
    clock = float(tx.execute(sa.select(now())).scalar_one())
    return found.used_at is None or clock - found.used_at > USED_EVERY_SECONDS


def used(tx: sa.Connection, key_id: int) -> None:
    tx.execute(sa.update(api_key).where(api_key.c.id == key_id).values(used_at=now()))


def revoke(tx: sa.Connection, link_id: int, key_id: int) -> bool:
    return tx.execute(sa.delete(api_key).where(api_key.c.link_id == link_id, api_key.c.id == key_id)).rowcount == 1


def revoke_all(tx: sa.Connection, link_id: int) -> None:
    tx.execute(sa.delete(api_key).where(api_key.c.link_id == link_id))


def _digest(key: str) -> str:
    # 256 random bits: nothing to guess, so a slow hash would only slow down every request.
    return hashlib.sha256(key.encode()).hexdigest()

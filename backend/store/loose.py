"""Rows and things that have no partner on the other side: candidates to be paired with whatever turns up there, so
that nothing is created where a candidate exists, although a run looks only at what changed."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from backend.core.model import Key, Side
from backend.store.tables import loose

CHUNK = 500
"""Keys in one `in (…)`."""


def keys(tx: sa.Connection, mapping_id: int, side: Side) -> set[Key]:
    found = tx.execute(sa.select(loose.c.key).where(loose.c.mapping_id == mapping_id, loose.c.side == side.value))
    return {int(key) if side is Side.LOCAL else key for key in found.scalars()}


def count(tx: sa.Connection, mapping_id: int, side: Side) -> int:
    return int(tx.execute(sa.select(sa.func.count(loose.c.id)).where(
        loose.c.mapping_id == mapping_id, loose.c.side == side.value)).scalar_one())


def replace(
    tx: sa.Connection, mapping_id: int, side: Side, now: Collection[Key], looked_at: Collection[Key] | None = None
) -> None:
    """Of the keys that were looked at (None: of all) these have no partner."""
    stored = keys(tx, mapping_id, side)
    gone = sorted(str(key) for key in (stored if looked_at is None else stored & set(looked_at)) - set(now))
    for start in range(0, len(gone), CHUNK):
        tx.execute(sa.delete(loose).where(loose.c.mapping_id == mapping_id, loose.c.side == side.value,
                                          loose.c.key.in_(gone[start:start + CHUNK])))
    new = set(now) - stored
    if new:
        tx.execute(sa.insert(loose), [{"mapping_id": mapping_id, "side": side.value, "key": str(key)} for key in new])

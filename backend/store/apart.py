"""What a person has taken out of the sync: nothing is written into either half until they ask for it again.

    a conflict, "keep apart"  → keep()       known() → core.plan leaves the field of that thing alone
    "ask again"               → ask_again()  the next run looks, and asks where the two differ

A cell is known by its thing in Shopify and its field, so that it stays the same one when its row moves in Grist; a
whole row, of which the other half is gone, has "" for a field. Either is kept with what was seen when it was taken
out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from backend.store import waiting
from backend.store.db import now
from backend.store.tables import apart
from backend.store.waiting import CHUNK, OpenConflict


def keep(tx: sa.Connection, one: OpenConflict, by: str) -> None:
    """Take what `one` is about out of the sync, and the conflict with it."""
    waiting.conflict_settled(tx, one.mapping_id, one.local_key, one.field)
    tx.execute(sa.delete(apart).where(apart.c.mapping_id == one.mapping_id, apart.c.remote_key == one.remote_key,
                                      apart.c.field == one.field))
    tx.execute(sa.insert(apart).values(
        mapping_id=one.mapping_id, remote_key=one.remote_key, field=one.field, title=one.title, local=one.local,
        remote=one.remote, gone=one.deleted, by=by, at=now()))


def known(tx: sa.Connection, mapping_id: int) -> set[tuple[str, str]]:
    """(thing, field) of everything that is kept apart."""
    return {(thing, field) for thing, field in tx.execute(
        sa.select(apart.c.remote_key, apart.c.field).where(apart.c.mapping_id == mapping_id))}


def page(tx: sa.Connection, mapping_ids: Sequence[int], *, limit: int) -> list[sa.Row[Any]]:
    """Rows (id, mapping_id, remote_key, field, title, local, remote, gone, by, at), the newest first. `gone` is the
    side on which a whole row is gone."""
    return list(tx.execute(
        sa.select(apart.c.id, apart.c.mapping_id, apart.c.remote_key, apart.c.field, apart.c.title, apart.c.local,
                  apart.c.remote, apart.c.gone, apart.c.by, apart.c.at)
        .where(apart.c.mapping_id.in_(mapping_ids)).order_by(apart.c.id.desc()).limit(limit)))


def count(tx: sa.Connection, mapping_ids: Sequence[int]) -> int:
    return int(tx.execute(sa.select(sa.func.count(apart.c.id)).where(apart.c.mapping_id.in_(mapping_ids))).scalar_one())


def ask_again(tx: sa.Connection, mapping_ids: Sequence[int], ids: Sequence[int]) -> list[tuple[int, str]]:
    """Let these take part again. Returns (mapping id, thing) of those that were kept apart: the next run has to look at
    them, for it looks only at what changed."""
    mine = sa.and_(apart.c.mapping_id.in_(mapping_ids), apart.c.id.in_(ids))
    found = [(mapping_id, thing) for mapping_id, thing in tx.execute(
        sa.select(apart.c.mapping_id, apart.c.remote_key).where(mine))]
    tx.execute(sa.delete(apart).where(mine))
    return found


def back(tx: sa.Connection, mapping_id: int, things: Collection[str]) -> None:
    """Both halves of these are there again: should one go once more, that is asked like any deletion."""
    whole, wanted = sa.and_(apart.c.mapping_id == mapping_id, apart.c.field == ""), sorted(things)
    for start in range(0, len(wanted), CHUNK):
        tx.execute(sa.delete(apart).where(whole, apart.c.remote_key.in_(wanted[start:start + CHUNK])))

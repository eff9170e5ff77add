"""What both halves of a pair looked like when they were as agreed (`backend.looks`). A digest is worth something only
while what was agreed stands: `base` takes it away with every step that moves that."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice
from typing import Any, NamedTuple

import sqlalchemy as sa

from backend.store.tables import digest, pair

CHUNK = 500
"""Keys in one `in (…)`."""
KEPT_AT_ONCE = 5_000
"""Digests taken out, or put into words, at once: those of all pairs would take more room than the pairs."""


class Known(NamedTuple):
    """All pairs of a mapping, column by column: there may be very many. A digest is None where none is known, and for
    a pair whose row does not hold its Shopify ID yet."""

    rows: list[int]
    things: list[str]
    of_rows: list[bytes | None]
    of_things: list[bytes | None]


def known(tx: sa.Connection, mapping_id: int) -> Known:
    """What the pairs of a mapping looked like."""
    marked = sa.and_(digest.c.pair_id == pair.c.id, pair.c.marked)
    query = sa.select(pair.c.local_key, pair.c.remote_key, digest.c.local, digest.c.remote).select_from(
        pair.outerjoin(digest, marked)).where(pair.c.mapping_id == mapping_id)
    columns: list[list[Any]] = [[], [], [], []]
    for part in tx.execute(query).partitions(KEPT_AT_ONCE):
        for column, more in zip(columns, zip(*part, strict=True), strict=True):
            column.extend(more)
    return Known(*columns)


def keep(tx: sa.Connection, looked: Iterable[tuple[int, bytes, bytes]]) -> None:
    """(pair, digest of its row, of its thing): both are as they were agreed."""
    left = iter(looked)
    while some := list(islice(left, KEPT_AT_ONCE)):
        forget(tx, [pair_id for pair_id, _, _ in some])
        tx.execute(sa.insert(digest), [{"pair_id": pair_id, "local": local, "remote": remote}
                                       for pair_id, local, remote in some])


def forget(tx: sa.Connection, pair_ids: Collection[int]) -> None:
    """What was agreed on these pairs is another by now, or nobody can tell."""
    wanted = sorted(pair_ids)
    for start in range(0, len(wanted), CHUNK):
        tx.execute(sa.delete(digest).where(digest.c.pair_id.in_(wanted[start:start + CHUNK])))

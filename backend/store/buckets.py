"""Where the workers of one Shopify store keep the books of its rate limit together, and what each document cost.

The books are a row of plain JSON a store: this module keeps them and gives one moment to one worker; what they mean is
Shopify's business. Nothing here is worth keeping: whoever deletes it all loses a second of waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa

from backend.store.db import Database, now
from backend.store.tables import bucket, document_cost

T = TypeVar("T")

OLD_SECONDS = 30 * 86_400
"""A document that was not sent for so long is not sent any more: mappings change, and with them the documents."""


class Buckets:
    """The books of one store. May be shared between threads."""

    def __init__(self, database: Database, store: str) -> None:
        self._database = database
        self._store = store

    def change(self, think: Callable[[dict[str, Any], float], tuple[dict[str, Any] | None, T]]) -> T:
        """Let `think(books, now)` say what the books are from now on (None: as they were), with nobody in between.
        `now` is the database's clock, in seconds since 1970; `books` is empty the first time."""
        with self._database.write(lasting=False) as tx:
            _lock(tx, self._store)
            at = tx.execute(sa.select(now())).scalar_one()
            before: dict[str, Any] = tx.scalar(sa.select(bucket.c.books).where(bucket.c.store == self._store)) or {}
            after, answer = think(before, at)
            if after is not None:
                _put(tx, bucket, {"store": self._store}, {"books": after})
        return answer

    def cost(self, document: str) -> float | None:
        with self._database.read() as tx:
            points: float | None = tx.scalar(
                sa.select(document_cost.c.points).where(document_cost.c.document == document))
        return points

    def note_cost(self, document: str, points: float) -> None:
        with self._database.write(lasting=False) as tx:
            _put(tx, document_cost, {"document": document}, {"points": points, "at": now()})
            tx.execute(sa.delete(document_cost).where(document_cost.c.at < now() - OLD_SECONDS))


def _lock(tx: sa.Connection, store: str) -> None:
    """Until the transaction ends nobody else changes this store's books, also while they have no row yet. On SQLite
    whoever may write is alone already."""
    if tx.dialect.name == "postgresql":
        tx.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"bucket {store}"))))


def _put(tx: sa.Connection, table: sa.Table, key: dict[str, Any], values: dict[str, Any]) -> None:
    """Write a row, whether it is there or not."""
    if tx.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
    tx.execute(insert(table).values(**key, **values).on_conflict_do_update(index_elements=list(key), set_=values))

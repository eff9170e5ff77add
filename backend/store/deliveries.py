"""Which webhooks came. A repeated one is known by its key for longer than any service repeats it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from backend.core.model import Side
from backend.store.db import now
from backend.store.tables import delivery

KEPT_SECONDS = 12 * 3600.0
"""Shopify repeats a delivery for four hours [facts §11]."""


def is_new(tx: sa.Connection, link_id: int, side: Side, keys: Sequence[str]) -> bool:
    """Note that a webhook came; False where any of its `keys` came before."""
    if tx.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
    new = True
    for key in sorted(set(keys)):
        values = {"link_id": link_id, "side": side.value, "key": key, "at": now()}
        new &= bool(tx.execute(insert(delivery).values(values).on_conflict_do_nothing()).rowcount)
    return new


def came(tx: sa.Connection, link_id: int, side: Side) -> None:
    """Note that something came from a side whose deliveries have no id."""
    where = (delivery.c.link_id == link_id, delivery.c.side == side.value, delivery.c.key == "")
    if not tx.execute(sa.update(delivery).where(*where).values(at=now())).rowcount:
        is_new(tx, link_id, side, [""])


def last_at(tx: sa.Connection, link_id: int, side: Side) -> float | None:
    """When the newest one came (seconds since 1970)."""
    return tx.execute(sa.select(sa.func.max(delivery.c.at)).where(
        delivery.c.link_id == link_id, delivery.c.side == side.value)).scalar()


def forget_old(tx: sa.Connection) -> int:
    """Forget those of which no repetition comes any more, but for the newest of each link and side."""
    newest = sa.select(sa.func.max(delivery.c.id)).group_by(delivery.c.link_id, delivery.c.side)
    return tx.execute(sa.delete(delivery).where(
        delivery.c.at < now() - KEPT_SECONDS, delivery.c.id.not_in(newest))).rowcount

"""History: every field that was written, before and after, by whom and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from backend.core.values import UNREAD, dump
from backend.store.db import now
from backend.store.tables import change, mapping, run


def as_json(value: Any) -> Any:
    """A value, or a whole row of values by field, as it is kept."""
    if isinstance(value, dict):
        return {name: dump(one) for name, one in value.items() if one is not UNREAD}
    return None if value is UNREAD else dump(value)


def add(tx: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Rows of run_id, mapping_id, side, kind, local_key, remote_key, field, title, before, after, why."""
    if rows:
        at = tx.execute(sa.select(now())).scalar()
        tx.execute(sa.insert(change), [{**row, "at": at} for row in rows])


def page(tx: sa.Connection, link_id: int, *, before: int | None = None, limit: int = 100) -> list[sa.Row[Any]]:
    """The newest first; `before` is the id to go on from."""
    query = (sa.select(change.c.id, change.c.run_id, change.c.mapping_id, change.c.side, change.c.kind,
                       change.c.local_key, change.c.remote_key, change.c.field, change.c.title, change.c.before,
                       change.c.after, change.c.why, change.c.at, run.c.started_by)
             .join(mapping, mapping.c.id == change.c.mapping_id).join(run, run.c.id == change.c.run_id)
             .where(mapping.c.link_id == link_id).order_by(change.c.id.desc()).limit(limit))
    if before is not None:
        query = query.where(change.c.id < before)
    return list(tx.execute(query))

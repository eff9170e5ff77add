"""Actions on orders and drafts: what somebody wanted, what was sent, and what became of it. At once the journal of
calls that carry no key, and the list that people see.

    wanted → sent → done          the answer came, or the thing shows it
       │       ├──→ refused       Shopify said no
       │       └──→ open → done   the answer was lost: looked for
       │              └──→ maybe  nobody can tell; a person says whether it happened (→ done, not_done)
       └──→ refused, not_done     something changed since, or the run was cancelled before it was sent
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from backend.store.db import now
from backend.store.tables import action, mapping, pair

WAITING = ("wanted", "sent", "open")
"""What still needs somebody to do or look for it."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One action, one call. `before` is what the thing looked like when it was wanted."""

    id: int
    mapping_id: int
    run_id: int | None
    name: str
    thing: str
    title: str
    local_key: int
    input: dict[str, Any]
    before: dict[str, Any]
    effect: list[str]
    digest: str
    state: str
    message: str
    cure: str
    started_by: str
    asked_at: float
    ended_at: float | None
    age_seconds: float
    """Since it was sent, or else asked for."""


_COLUMNS: tuple[Any, ...] = (
    action.c.id, action.c.mapping_id, action.c.run_id, action.c.name, action.c.thing, action.c.title,
    action.c.local_key, action.c.input, action.c.before, action.c.effect, action.c.digest, action.c.state,
    action.c.message, action.c.cure, action.c.started_by, action.c.asked_at, action.c.ended_at,
    (now() - sa.func.coalesce(action.c.sent_at, action.c.asked_at)).label("age"),
)


def want(tx: sa.Connection, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Rows of mapping_id, name, thing, title, local_key, input, before, effect, digest, started_by."""
    ids = []
    for row in rows:
        values = {**row, "state": "wanted", "message": "", "cure": "", "asked_at": now()}
        ids.append(int(tx.execute(sa.insert(action).values(values)).inserted_primary_key[0]))  # type: ignore[index]
    return ids


def pending(tx: sa.Connection, link_id: int) -> list[Deed]:
    """What is wanted, under way or looked for, oldest first."""
    return _found(tx, link_id, action.c.state.in_(WAITING), action.c.id)


def page(tx: sa.Connection, link_id: int, *, limit: int = 50) -> list[Deed]:
    """The newest first; what a person has to look at comes before them."""
    return _found(tx, link_id, sa.true(), sa.case((action.c.state == "maybe", 0), else_=1), action.c.id.desc(),
                  limit=limit)


def count_maybe(tx: sa.Connection, link_id: int) -> int:
    query = (sa.select(sa.func.count(action.c.id)).join(mapping, mapping.c.id == action.c.mapping_id)
             .where(mapping.c.link_id == link_id, action.c.state == "maybe"))
    return int(tx.execute(query).scalar() or 0)


def sending(tx: sa.Connection, deed: Deed, run_id: int) -> bool:
    """It is about to be sent: from here on it is never sent again. False where somebody has taken it already."""
    return tx.execute(sa.update(action).where(action.c.id == deed.id, action.c.state == "wanted").values(
        state="sent", run_id=run_id, sent_at=now())).rowcount == 1


def settle(tx: sa.Connection, deed: Deed, state: str, message: str = "", cure: str = "") -> bool:
    """What became of it. False where it is settled already."""
    ended = None if state == "open" else now()
    return tx.execute(sa.update(action).where(action.c.id == deed.id, action.c.state.in_(WAITING)).values(
        state=state, message=message, cure=cure, ended_at=ended)).rowcount == 1


def say(tx: sa.Connection, link_id: int, deed_id: int, *, happened: bool, by: str) -> bool:
    """A person has looked whether it happened. False where nobody asked."""
    mine = sa.select(mapping.c.id).where(mapping.c.link_id == link_id)
    return tx.execute(sa.update(action).where(
        action.c.id == deed_id, action.c.mapping_id.in_(mine), action.c.state == "maybe").values(
            state="done" if happened else "not_done", message=f"{by} looked.", cure="", ended_at=now())).rowcount == 1


def things(tx: sa.Connection, mapping_id: int, rows: Sequence[int]) -> dict[int, str]:
    """By row: the thing it is paired with."""
    query = sa.select(pair.c.local_key, pair.c.remote_key).where(
        pair.c.mapping_id == mapping_id, pair.c.local_key.in_(list(rows)))
    return {row.local_key: row.remote_key for row in tx.execute(query)}


def _found(tx: sa.Connection, link_id: int, where: Any, *order: Any, limit: int | None = None) -> list[Deed]:
    query = (sa.select(*_COLUMNS).join(mapping, mapping.c.id == action.c.mapping_id)
             .where(mapping.c.link_id == link_id, where).order_by(*order))
    return [Deed(*row) for row in tx.execute(query.limit(limit) if limit else query)]

"""The journal: what is about to be written, kept before it is sent and until it is known what became of it.

An open intent at the start of a run means that somebody was killed, or an answer was lost, between the two.
"""

from __future__ import annotations

from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from backend.core.model import Change, Create, Delete, Mapping, Mark, Op, Side, Update, Why
from backend.core.values import UNREAD, Kind, Value, dump, dump_all, load
from backend.store.db import now
from backend.store.tables import intent, mapping


@dataclass(frozen=True, slots=True)
class Intent:
    """One batch that may or may not have been written. `pending`: by thing, what Grist still held of the fields that
    the same plan also writes there; by key, all that something held that is deleted."""

    id: int
    run_id: int
    side: Side
    key: str
    ops: tuple[Op, ...]
    pending: dict[str, dict[str, Value]]
    age_seconds: float
    plan: str | None = None
    """The fingerprint of the plan that somebody was shown and let run; None where nobody was."""


def add(tx: sa.Connection, run_id: int, mapped: Mapping, side: Side, key: str, ops: Sequence[Op],
        pending: Dict[str, Dict[str, Value]], plan: str | None = None) -> int:
    values = {
        "mapping_id": mapped.id, "run_id": run_id, "side": side.value, "key": key,
        "ops": [_dump(op) for op in ops],
        "pending": {thing: dump_all(held) for thing, held in pending.items()}, "at": now(), "plan": plan,
    }
    return int(tx.execute(sa.insert(intent).values(values)).inserted_primary_key[0])  # type: ignore[index]


def settle(tx: sa.Connection, intent_id: int) -> None:
    """It is known what became of it, and that is remembered in this same transaction."""
    tx.execute(sa.delete(intent).where(intent.c.id == intent_id))


def unsettled(tx: sa.Connection, mapped: Mapping) -> list[Intent]:
    """The open intents of a mapping, oldest first."""
    query = (sa.select(intent.c.id, intent.c.run_id, intent.c.side, intent.c.key, intent.c.ops, intent.c.pending,
                       intent.c.plan, (now() - intent.c.at).label("age"))
             .where(intent.c.mapping_id == mapped.id).order_by(intent.c.id))
    return [
        Intent(
            row.id, row.run_id, Side(row.side), row.key, tuple(_load(mapped, op) for op in row.ops),
            {thing: _load_values(mapped, held) for thing, held in row.pending.items()}, row.age, row.plan,
        )
        for row in tx.execute(query)
    ]


def sizes(tx: sa.Connection, link_id: int, side: Side) -> dict[str, int]:
    """How many ops each open batch of a link holds, by the key that it was sent under."""
    query = (sa.select(intent.c.key, intent.c.ops).join(mapping, mapping.c.id == intent.c.mapping_id)
             .where(mapping.c.link_id == link_id, intent.c.side == side.value))
    return {key: len(ops) for key, ops in tx.execute(query)}


def count(tx: sa.Connection, link_id: int) -> int:
    """How many batches of a link wait to be settled."""
    query = (sa.select(sa.func.count(intent.c.id)).join(mapping, mapping.c.id == intent.c.mapping_id)
             .where(mapping.c.link_id == link_id))
    return int(tx.execute(query).scalar() or 0)


def _dump(op: Op) -> dict[str, Any]:
    kept: dict[str, Any] = {"op": type(op).__name__, "side": op.side.value, "title": op.title}
    if isinstance(op, Create):
        return kept | {"source": op.source, "values": dump_all(op.values), "why": op.why.value,
                       "undoes": list(op.undoes)}
    if isinstance(op, Update):
        changes = [{"field": c.field, "after": dump(c.after), "why": c.why.value, "undoes": list(c.undoes)}
                   | dump_all({"before": c.before, "stays": c.stays}) for c in op.changes]
        return kept | {"key": op.key, "partner": op.partner, "changes": changes}
    if isinstance(op, Delete):
        return kept | {"key": op.key, "partner": op.partner, "why": op.why.value, "undoes": list(op.undoes)}
    return kept | {"key": op.key, "partner": op.partner}


def _load(mapped: Mapping, kept: dict[str, Any]) -> Op:
    side, title, undoes = Side(kept["side"]), kept["title"], tuple(kept.get("undoes", ()))
    if kept["op"] == "Create":
        return Create(side, kept["source"], _load_values(mapped, kept["values"]), title, Why(kept["why"]), undoes)
    if kept["op"] == "Update":
        changes = tuple(_load_change(mapped.rule(c["field"]).kind, c) for c in kept["changes"]
                        if c["field"] in mapped.index)
        return Update(side, kept["key"], kept["partner"], changes, title)
    if kept["op"] == "Delete":
        return Delete(side, kept["key"], kept["partner"], title, Why(kept["why"]), undoes)
    return Mark(kept["key"], kept["partner"], title)


def _load_change(kind: Kind, kept: dict[str, Any]) -> Change:
    before, stays = (load(kind, kept[name]) if name in kept else UNREAD for name in ("before", "stays"))
    return Change(kept["field"], before, load(kind, kept["after"]), Why(kept["why"]), stays, tuple(kept["undoes"]))


def _load_values(mapped: Mapping, values: Dict[str, Any]) -> dict[str, Value]:
    return {name: load(mapped.rule(name).kind, raw) for name, raw in values.items() if name in mapped.index}

"""How one row stands: what waits for somebody or for the next sync, what is kept apart, what was written to it last.

A row is asked for by its number, and by its thing in Shopify where the two are a pair: what waits is known by either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from backend.store import base
from backend.store.tables import apart, change, conflict, deletion, hint, pairing, question, refusal, run


@dataclass(frozen=True, slots=True)
class Standing:
    """`open` and `answered` are fields of conflicts, "" for the whole row; `refusals` (field, title, message, cure,
    waits), real ones first; `apart` fields; `deletion` is "open", "answered" or "kept"; `pair` "open", "apart",
    "answered"; both are "" where nothing is asked. `noted`: the next sync looks at it in any case."""

    open: list[str]
    answered: list[str]
    refusals: list[sa.Row[Any]]
    apart: list[str]
    deletion: str
    pair: str
    noted: bool


def of_row(tx: sa.Connection, link_id: int, mapping_id: int, resource: str, row: int, thing: str | None) -> Standing:
    keys = [str(row), *([thing] if thing else [])]  # no row id is a Shopify id
    conflicts = list(tx.execute(sa.select(conflict.c.field, conflict.c.choice).where(
        conflict.c.mapping_id == mapping_id, conflict.c.local_key == row)))
    refusals: list[sa.Row[Any]] = list(tx.execute(sa.select(
        refusal.c.field, refusal.c.title, refusal.c.message, refusal.c.cure, refusal.c.waits).where(
            refusal.c.mapping_id == mapping_id, refusal.c.key.in_(keys)).order_by(refusal.c.waits, refusal.c.id)))
    fields = tx.execute(sa.select(apart.c.field).where(apart.c.mapping_id == mapping_id,
                                                       apart.c.remote_key == thing)).scalars() if thing else ()
    noted = tx.execute(sa.select(hint.c.id).where(hint.c.link_id == link_id, hint.c.resource == resource,
                                                  hint.c.key.in_(keys)).limit(1)).scalar()
    return Standing([name for name, choice in conflicts if choice is None],
                    [name for name, choice in conflicts if choice is not None], refusals, list(fields),
                    _deletion(tx, mapping_id, keys), _pair(tx, mapping_id, row), noted is not None)


def last_change(tx: sa.Connection, mapping_id: int, row: int, thing: str | None) -> Any:
    """(run_id, side, kind, field, at, started_by) of what was written last to this row or its thing; None: nothing."""
    query = (sa.select(change.c.run_id, change.c.side, change.c.kind, change.c.field, change.c.at, run.c.started_by)
             .join(run, run.c.id == change.c.run_id)
             .where(change.c.mapping_id == mapping_id, written_to(row, thing)).order_by(change.c.id.desc()).limit(1))
    return tx.execute(query).one_or_none()


def history(tx: sa.Connection, mapping_id: int, row: int) -> sa.ColumnElement[bool]:
    """Of changes: all that was written to this row, or to its thing."""
    thing = next((thing for _, thing in base.places(tx, mapping_id, [row], [])), None)
    return sa.and_(change.c.mapping_id == mapping_id, written_to(row, thing))


def written_to(row: int, thing: str | None) -> sa.ColumnElement[bool]:
    """Of changes: those of this row. Where it has a thing, those of the thing: Grist gives freed row ids away again,
    and what was written under the number before is another row's history."""
    return change.c.remote_key == thing if thing else change.c.local_key == row


def _deletion(tx: sa.Connection, mapping_id: int, keys: list[str]) -> str:
    found = tx.execute(sa.select(deletion.c.kept, deletion.c.approved_by, deletion.c.put_back_by).where(
        deletion.c.mapping_id == mapping_id, deletion.c.key.in_(keys))).first()
    if found is None:
        return ""
    return "kept" if found.kept else "answered" if found.approved_by or found.put_back_by else "open"


def _pair(tx: sa.Connection, mapping_id: int, row: int) -> str:
    for rows in tx.execute(sa.select(question.c.rows).where(question.c.mapping_id == mapping_id)).scalars():
        if any(one["row"] == row for one in rows):
            return "open"
    said = tx.execute(sa.select(pairing.c.thing).where(pairing.c.mapping_id == mapping_id,
                                                       pairing.c.local_key == row)).one_or_none()
    return "" if said is None else "answered" if said.thing else "apart"

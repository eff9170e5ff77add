"""History: every field that was written, before and after, by whom and why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Mapping as Dict
from typing import Any

import sqlalchemy as sa

from backend.core.model import Mapping, Side, Why
from backend.core.undo import Written
from backend.core.values import UNREAD, Value, dump, dump_all, load
from backend.store.base import CHUNK
from backend.store.db import now
from backend.store.tables import change, mapping, run

_undoing = run.alias("undoing")
"""The run that took a line back."""


def as_json(value: Any) -> Any:
    """A value, or a whole row of values by field, as it is kept."""
    if isinstance(value, Dict):
        return dump_all(value)
    return None if value is UNREAD else dump(value)


def add(tx: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Rows of run_id, mapping_id, side, kind, local_key, remote_key, field, title, before, after, why."""
    if rows:
        at = tx.execute(sa.select(now())).scalar()
        tx.execute(sa.insert(change), [{**row, "at": at} for row in rows])


def page(tx: sa.Connection, link_id: int, *, before: int | None = None, limit: int = 100,
         only: sa.ColumnElement[bool] | None = None) -> list[sa.Row[Any]]:
    """The newest first; `before` is the id to go on from, `only` what they have to be besides."""
    query = (sa.select(change.c.id, change.c.run_id, change.c.mapping_id, change.c.side, change.c.kind,
                       change.c.local_key, change.c.remote_key, change.c.field, change.c.title, change.c.before,
                       change.c.after, change.c.why, change.c.at, run.c.started_by,
                       _undoing.c.finished_at.label("undone_at"), _undoing.c.started_by.label("undone_by"),
                       change.c.undone_run)
             .join(mapping, mapping.c.id == change.c.mapping_id).join(run, run.c.id == change.c.run_id)
             .outerjoin(_undoing, _undoing.c.id == change.c.undone_run)
             .where(mapping.c.link_id == link_id).order_by(change.c.id.desc()).limit(limit))
    if before is not None:
        query = query.where(change.c.id < before)
    if only is not None:
        query = query.where(only)
    return list(tx.execute(query))


def of_run(tx: sa.Connection, run_id: int, limit: int) -> list[sa.Row[Any]]:
    """The first lines of a run: (mapping_id, side, kind, field, title, before, after, at)."""
    query = (sa.select(change.c.mapping_id, change.c.side, change.c.kind, change.c.field, change.c.title,
                       change.c.before, change.c.after, change.c.at)
             .where(change.c.run_id == run_id).order_by(change.c.id).limit(limit))
    return list(tx.execute(query))


def to_undo(tx: sa.Connection, mapped: Mapping, ids: Sequence[int], run_ids: Sequence[int]) -> list[Written]:
    """The lines with these ids and all lines of these runs that have not been taken back yet."""
    chosen = sa.or_(change.c.run_id.in_(list(run_ids)), change.c.id.in_(list(ids)))
    query = sa.select(change.c.id, change.c.side, change.c.kind, change.c.remote_key, change.c.field, change.c.before,
                      change.c.after, change.c.title, change.c.local_key).where(
                          change.c.mapping_id == mapped.id, chosen, change.c.undone_run.is_(None))
    return [_written(mapped, row, row.local_key) for row in tx.execute(query)]


def half_back(tx: sa.Connection, mapped: Mapping, ids: Sequence[int], run_ids: Sequence[int]) -> set[str]:
    """The things whose removed rows were brought back, of these lines and these runs, by an undo that did not come to
    its end: the references to them may be missing yet."""
    chosen = sa.or_(change.c.run_id.in_(list(run_ids)), change.c.id.in_(list(ids)))
    query = (sa.select(change.c.remote_key).join(_undoing, _undoing.c.id == change.c.undone_run)
             .where(change.c.mapping_id == mapped.id, chosen, change.c.kind == "delete",
                    change.c.side == Side.LOCAL.value, _undoing.c.state != "done"))
    return set(tx.execute(query).scalars())


def carried_since(tx: sa.Connection, mapped: Mapping, made: Dict[str, int], but: Collection[int]) -> set[str]:
    """Those of the things `made` (thing → line that made its row) of which an edit in Grist was carried to Shopify
    after that line, other than by the lines `but`, and not taken back since."""
    found: set[str] = set()
    wanted = sorted(made)
    for start in range(0, len(wanted), CHUNK):
        query = sa.select(change.c.id, change.c.remote_key).where(
            change.c.mapping_id == mapped.id, change.c.kind == "update", change.c.side == Side.REMOTE.value,
            change.c.undone_run.is_(None), change.c.why != Why.UNDO.value,
            change.c.remote_key.in_(wanted[start:start + CHUNK]))
        found |= {thing for line, thing in tx.execute(query) if line > made[thing] and line not in but}
    return found


def lately(
    tx: sa.Connection, mapped: Mapping, things: Collection[str], seconds: float
) -> dict[tuple[Side, str, str], list[tuple[Value, Value]]]:
    """What was written to cells of `things` by itself within so many seconds: (side, thing, field) → (before, after),
    the oldest first. What people chose or took back is nobody's flipping."""
    found: dict[tuple[Side, str, str], list[tuple[Value, Value]]] = {}
    wanted = sorted(things)
    for start in range(0, len(wanted), CHUNK):
        query = sa.select(change.c.id, change.c.side, change.c.kind, change.c.remote_key, change.c.field,
                          change.c.before, change.c.after, change.c.title).where(
            change.c.mapping_id == mapped.id, change.c.kind == "update", change.c.at > now() - seconds,
            change.c.why.not_in([Why.CHOICE.value, Why.UNDO.value]),
            change.c.remote_key.in_(wanted[start:start + CHUNK])).order_by(change.c.id)
        for row in tx.execute(query):
            line = _written(mapped, row)
            if line.field in mapped.index:
                found.setdefault((line.side, line.thing, line.field), []).append((line.before, line.after))
    return found


def undone(tx: sa.Connection, ids: Sequence[int], run_id: int) -> None:
    """These lines were taken back by a run."""
    for start in range(0, len(ids), CHUNK):
        tx.execute(sa.update(change).where(change.c.id.in_(ids[start:start + CHUNK]))
                   .values(undone_run=run_id))


def _written(mapped: Mapping, line: Any, row: int | None = None) -> Written:
    """A line with values of our own kinds; of one about a whole row, those of the fields that are mapped today."""
    if line.kind != "update":
        kept = (line.before if line.kind == "delete" else line.after) or {}
        values = {name: load(mapped.rule(name).kind, raw) for name, raw in kept.items() if name in mapped.index}
        return Written(line.id, Side(line.side), line.kind, line.remote_key or "", line.field, None, None, line.title,
                       row, values)
    kind = mapped.rule(line.field).kind if line.field in mapped.index else "text"
    before, after = (load(kind, line.before), load(kind, line.after)) if line.field in mapped.index else (None, None)
    return Written(line.id, Side(line.side), line.kind, line.remote_key or "", line.field, before, after, line.title,
                   row)

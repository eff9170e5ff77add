"""Which row is which thing, where only a person can tell: what is asked, and what they said.

    a run finds doubles, copies, edited Shopify IDs   →  ask(questions)
    a person says in the widget                           answer(row → thing, or kept apart)
    the next run                                          decided() → core.pairing

An answer is good for the row as it looked when it was asked about: the Shopify ID in it and the values that rows are
matched by. Grist gives freed row ids away again, and an answer about the old row says nothing of the new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from backend.core.model import Mapping, Question, Snapshot
from backend.core.questions import looks, name, told
from backend.store.db import now
from backend.store.tables import mapping, pairing, question

CHUNK = 500
"""Ids in one `in (…)`."""


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question as it waits. `rows` are [{"row", "title", "note", "looks"}], `things` [{"thing", "title", "note"}];
    `about` is {"thing", "title", "row", "alike"}: what the row was or is a copy of, and for each row and thing
    the fields that are the same on both."""

    id: int
    mapping_id: int
    kind: str
    rows: list[dict[str, Any]]
    things: list[dict[str, Any]]
    witness: str
    values: list[Any]
    about: dict[str, Any]
    seen_at: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody said of one row: the thing that it is, `core.pairing.NEW_ROW`, or None where it is kept apart."""

    mapping_id: int
    row: int
    thing: str | None
    looks: str
    title: str
    by: str


_QUESTION = (question.c.id, question.c.mapping_id, question.c.kind, question.c.rows, question.c.things,
             question.c.witness, question.c["values"], question.c.about, question.c.seen_at)
_ANSWER = (pairing.c.mapping_id, pairing.c.local_key, pairing.c.thing, pairing.c.looks, pairing.c.title, pairing.c.by)


def ask(tx: sa.Connection, mapped: Mapping, local: Snapshot, remote: Snapshot, asked: Sequence[Question]) -> None:
    """The open questions about what was looked at are these; those about other rows stay. Answers about rows that look
    otherwise by now, or are gone, are forgotten."""
    wanted = {name(one): told(mapped, local, remote, one) for one in asked}
    query = sa.select(question.c.id, question.c.key, question.c.rows, question.c.things)
    known = {one.key: one for one in tx.execute(query.where(question.c.mapping_id == mapped.id))}
    for key, old in known.items():
        looked_at = any(one["row"] in local.rows or local.proves_gone(one["row"]) for one in old.rows) or any(
            one["thing"] in remote.rows or one["thing"] in remote.gone for one in old.things)
        if key not in wanted and looked_at:
            tx.execute(sa.delete(question).where(question.c.id == old.id))
    for key, values in wanted.items():
        if key in known:
            tx.execute(sa.update(question).where(question.c.id == known[key].id).values(values))
        else:
            tx.execute(sa.insert(question).values(mapping_id=mapped.id, key=key, seen_at=now(), **values))
    stale = [row for row, seen in tx.execute(sa.select(pairing.c.local_key, pairing.c.looks).where(
        pairing.c.mapping_id == mapped.id))
        if local.proves_gone(row) or (row in local.rows and looks(mapped, local, row) != seen)]
    _forget(tx, mapped.id, stale)


def rows_asked(tx: sa.Connection, mapping_id: int) -> set[int]:
    """The rows that an open question is about, and those of which a person has said what they are, or are not."""
    asked = tx.execute(sa.select(question.c.rows).where(question.c.mapping_id == mapping_id)).scalars()
    answered = tx.execute(sa.select(pairing.c.local_key).where(pairing.c.mapping_id == mapping_id)).scalars()
    return {one["row"] for rows in asked for one in rows} | set(answered)


def decided(tx: sa.Connection, mapped: Mapping, local: Snapshot, more: Sequence[Answer] = ()) -> dict[int, str | None]:
    """The answers that still fit the rows that were read, by row. `more` are answers that are not kept yet."""
    query = sa.select(pairing.c.local_key, pairing.c.thing, pairing.c.looks).where(pairing.c.mapping_id == mapped.id)
    said = [*tx.execute(query), *((one.row, one.thing, one.looks) for one in more)]
    return {row: thing for row, thing, seen in said if row in local.rows and looks(mapped, local, row) == seen}


def questions(tx: sa.Connection, mapping_ids: Sequence[int], *, limit: int = 500) -> list[OpenQuestion]:
    """Open questions of some mappings, in the order they were first asked."""
    query = sa.select(*_QUESTION).where(question.c.mapping_id.in_(mapping_ids)).order_by(question.c.id).limit(limit)
    return [OpenQuestion(*row) for row in tx.execute(query)]


def count(tx: sa.Connection, mapping_ids: Sequence[int]) -> int:
    query = sa.select(sa.func.count(question.c.id)).where(question.c.mapping_id.in_(mapping_ids))
    return int(tx.execute(query).scalar_one())


def kept_apart(tx: sa.Connection, mapping_ids: Sequence[int], *, limit: int = 500) -> list[Answer]:
    """The rows that somebody keeps apart, until they say otherwise."""
    query = (sa.select(*_ANSWER).where(pairing.c.mapping_id.in_(mapping_ids), pairing.c.thing.is_(None))
             .order_by(pairing.c.id).limit(limit))
    return [Answer(*row) for row in tx.execute(query)]


def answer(tx: sa.Connection, answers: Sequence[Answer]) -> None:
    """Keep what somebody said; the last word about a row counts. What was answered is no longer asked."""
    for one in answers:
        _forget(tx, one.mapping_id, [one.row])
        tx.execute(sa.insert(pairing).values(mapping_id=one.mapping_id, local_key=one.row, thing=one.thing,
                                             looks=one.looks, title=one.title, by=one.by, at=now()))


def answered(tx: sa.Connection, ids: Sequence[int]) -> None:
    """These questions need no answer any more; a run that finds one again asks it again."""
    for start in range(0, len(ids), CHUNK):
        tx.execute(sa.delete(question).where(question.c.id.in_(ids[start:start + CHUNK])))


def ask_again(tx: sa.Connection, link_id: int, wanted: Sequence[tuple[int, int]]) -> int:
    """Forget the answers about these (mapping id, row); returns how many there were."""
    mine = set(tx.execute(sa.select(mapping.c.id).where(mapping.c.link_id == link_id)).scalars())
    return sum(_forget(tx, mapping_id, [row]) for mapping_id, row in wanted if mapping_id in mine)


def _forget(tx: sa.Connection, mapping_id: int, rows: Sequence[int]) -> int:
    gone = 0
    for start in range(0, len(rows), CHUNK):
        gone += tx.execute(sa.delete(pairing).where(pairing.c.mapping_id == mapping_id, pairing.c.local_key.in_(
            rows[start:start + CHUNK]))).rowcount
    return gone

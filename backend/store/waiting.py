"""What waits for a person or for time: conflicts, deletions, refusals, and new rows that rest."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from backend.core.model import Choice, Conflict, Key, Mapping, Proposal, Refusal, Side
from backend.core.values import UNREAD, Kind, dump, load
from backend.store import base
from backend.store.db import now
from backend.store.tables import conflict, deletion, mapping, pair, refusal, sighting

CHUNK = 500
"""Ids in one `in (…)`."""
UNANSWERED = sa.and_(deletion.c.approved_by.is_(None), deletion.c.put_back_by.is_(None), deletion.c.kept.is_(False))
"""Of deletions: those that wait for a person."""

Half = tuple[Side, str]
"""What a deletion is about: the side of the half that is left, and the thing, which keeps its name for ever."""

# --- conflicts ----------------------------------------------------------------------------------


def replace_conflicts(tx: sa.Connection, mapped: Mapping, seen: Sequence[Conflict], rows: Set[int] | None = None,
                      applying: Set[tuple[int, str]] = frozenset(), versions: Dict[str, Any] | None = None) -> None:
    """The open conflicts of a mapping are those just seen, in or after the states that `versions` names. Only what was
    looked at can be closed: the mapping's active fields, in `rows` (row ids) or in all rows. What a choice is about to
    settle (`applying`) stays until that is written: `conflict_settled`.

    A choice that was made on other values than are seen now is dropped, and the conflict keeps what it was made on.
    """
    stored = {
        (row.local_key, row.field): row
        for row in tx.execute(sa.select(conflict.c.id, conflict.c.local_key, conflict.c.remote_key, conflict.c.field,
                                        conflict.c.local, conflict.c.remote, conflict.c.choice).where(
                                            conflict.c.mapping_id == mapped.id))
    }
    open_now = {(one.local_key, one.field) for one in seen}
    gone = [
        old.id for (row, name), old in stored.items()
        if (row, name) not in open_now and (row, name) not in applying and (rows is None or row in rows)
        and (mapped.whole if not name else mapped.chosen is None or name in mapped.chosen)
    ]
    for start in range(0, len(gone), CHUNK):
        tx.execute(sa.delete(conflict).where(conflict.c.id.in_(gone[start:start + CHUNK])))
    for one in seen:
        values: dict[str, Any] = {
            "remote_key": one.remote_key, "title": one.title, "base": _dump(one.base),
            "base_known": one.base is not UNREAD, "local": _dump(one.local), "remote": _dump(one.remote),
            "reason": one.reason, "deleted": one.deleted, "seen_at": now(), "versions": versions,
            "edits": [{"field": e.field, "before": dump(e.before), "after": dump(e.after)} for e in one.edits],
        }
        old = stored.get((one.local_key, one.field))
        if old is not None and old.remote_key != one.remote_key:  # the row is another thing's by now
            tx.execute(sa.delete(conflict).where(conflict.c.id == old.id))
            old = None
        if old is None:
            tx.execute(sa.insert(conflict).values(mapping_id=mapped.id, local_key=one.local_key, field=one.field,
                                                  **values))
            continue
        if (old.local, old.remote) == (values["local"], values["remote"]):
            del values["seen_at"], values["versions"]
        elif old.choice is not None:
            values |= {"choice": None, "moved": {side: old.choice[side] for side in ("local", "remote")}}
        tx.execute(sa.update(conflict).where(conflict.c.id == old.id).values(values))


def conflict_settled(tx: sa.Connection, mapping_id: int, row: int, field: str) -> None:
    """A choice was written."""
    tx.execute(sa.delete(conflict).where(conflict.c.mapping_id == mapping_id, conflict.c.local_key == row,
                                         conflict.c.field == field))


@dataclass(frozen=True, slots=True)
class OpenConflict:
    """A conflict as it waits, with its mapping."""

    id: int
    mapping_id: int
    local_key: int
    remote_key: str
    field: str
    title: str
    base: Any
    base_known: bool
    local: Any
    remote: Any
    reason: str
    deleted: str | None
    edits: list[dict[str, Any]]
    choice: dict[str, Any] | None
    moved: dict[str, Any] | None
    seen_at: float
    versions: dict[str, Any] | None = None
    """Where both sides stood when these values were first seen, or before that: the number of the last bundle in Grist,
    Shopify's moment."""


_CONFLICT: tuple[Any, ...] = (
    conflict.c.id, conflict.c.mapping_id, conflict.c.local_key, conflict.c.remote_key, conflict.c.field,
    conflict.c.title, conflict.c.base, conflict.c.base_known, conflict.c.local, conflict.c.remote,
    conflict.c.reason, conflict.c.deleted, conflict.c.edits, conflict.c.choice, conflict.c.moved,
    conflict.c.seen_at, conflict.c.versions,
)


def conflicts(tx: sa.Connection, link_id: int, *, after: int = 0, limit: int = 200) -> list[OpenConflict]:
    """Open conflicts of a link by mapping and row. `after` is how many to skip."""
    query = (sa.select(*_CONFLICT).join(mapping, mapping.c.id == conflict.c.mapping_id)
             .where(mapping.c.link_id == link_id)
             .order_by(conflict.c.mapping_id, conflict.c.local_key, conflict.c.id).offset(after).limit(limit))
    return [OpenConflict(*row) for row in tx.execute(query)]


def conflict_by_id(tx: sa.Connection, link_id: int, conflict_id: int) -> OpenConflict | None:
    query = (sa.select(*_CONFLICT).join(mapping, mapping.c.id == conflict.c.mapping_id)
             .where(mapping.c.link_id == link_id, conflict.c.id == conflict_id))
    row = tx.execute(query).one_or_none()
    return OpenConflict(*row) if row else None


def conflict_page(tx: sa.Connection, mapping_ids: Sequence[int], *, after: int = 0, limit: int = 200
                  ) -> list[OpenConflict]:
    """Open conflicts of some mappings in the order they were first seen. `after` is the id to go on from, so that
    what is settled between two pages moves nothing."""
    query = (sa.select(*_CONFLICT).where(conflict.c.mapping_id.in_(mapping_ids), conflict.c.id > after)
             .order_by(conflict.c.id).limit(limit))
    return [OpenConflict(*row) for row in tx.execute(query)]


def conflicts_by_id(tx: sa.Connection, mapping_ids: Sequence[int], ids: Sequence[int]) -> dict[int, OpenConflict]:
    """Those of `ids` that are still open in these mappings."""
    found = {}
    for start in range(0, len(ids), CHUNK):
        query = sa.select(*_CONFLICT).where(
            conflict.c.mapping_id.in_(mapping_ids), conflict.c.id.in_(ids[start:start + CHUNK]))
        found.update({row.id: OpenConflict(*row) for row in tx.execute(query)})
    return found


def choose(tx: sa.Connection, conflict_id: int, choice: dict[str, Any]) -> None:
    """Keep a person's answer until the next run applies it: {keep, value, local, remote, by}, values as JSON."""
    tx.execute(sa.update(conflict).where(conflict.c.id == conflict_id).values(choice=choice, moved=None))


def edited(tx: sa.Connection, conflict_id: int, local: Any) -> None:
    """Grist's cell holds this value (as JSON) now: somebody has just written it there."""
    tx.execute(sa.update(conflict).where(conflict.c.id == conflict_id).values(local=local))


def choices(tx: sa.Connection, mapped: Mapping) -> dict[tuple[int, str], Choice]:
    """The answers that wait to be applied, by (row id, field)."""
    query = sa.select(conflict.c.local_key, conflict.c.remote_key, conflict.c.field, conflict.c.choice).where(
        conflict.c.mapping_id == mapped.id)
    found = {}
    for local_key, thing, name, choice in tx.execute(query):
        if choice is None or (name and name not in mapped.index):
            continue
        kind: Kind = mapped.rule(name).kind if name else "list"
        found[local_key, name] = Choice(choice["keep"], load(kind, choice["local"]), load(kind, choice["remote"]),
                                        load(kind, choice.get("value")), thing)
    return found


# --- deletions ----------------------------------------------------------------------------------


def replace_deletions(tx: sa.Connection, mapping_id: int, seen: Sequence[Proposal],
                      applying: Set[Half] = frozenset(), looked_at: Set[Key] | None = None) -> None:
    """The deletions that wait are those just seen: what reappeared is no longer asked. Those that are about to be
    done (`applying`) keep their yes until they are: `deletion_done`. What was not `looked_at` (keys of both sides;
    None: everything was) goes on waiting. A deletion is of a thing: where its row has another number by now it is the
    same one, and another thing under the old number is another one."""
    stored = {_half(row.side, row.key, row.partner): row for row in tx.execute(
        sa.select(deletion.c.id, deletion.c.side, deletion.c.key, deletion.c.partner)
        .where(deletion.c.mapping_id == mapping_id))}
    open_now = {(one.side, one.thing): one for one in seen}
    keys = None if looked_at is None else {str(key) for key in looked_at}
    gone = [row.id for half, row in stored.items() if half not in open_now and half not in applying
            and (keys is None or not keys.isdisjoint((row.key, row.partner)))]
    for start in range(0, len(gone), CHUNK):
        tx.execute(sa.delete(deletion).where(deletion.c.id.in_(gone[start:start + CHUNK])))
    moved = {stored[half].id: one for half, one in open_now.items()
             if half in stored and (stored[half].key, stored[half].partner) != (str(one.key), str(one.partner))}
    for number in moved:  # all old places are left before any new one is taken
        tx.execute(sa.update(deletion).where(deletion.c.id == number).values(key=f"was {number}"))
    for number, one in moved.items():
        tx.execute(sa.update(deletion).where(deletion.c.id == number).values(
            key=str(one.key), partner=str(one.partner)))
    for half, one in open_now.items():
        if half not in stored:
            tx.execute(sa.insert(deletion).values(
                mapping_id=mapping_id, side=one.side.value, key=str(one.key), partner=str(one.partner),
                title=one.title, seen_at=now()))


def deletion_done(tx: sa.Connection, mapping_id: int, side: Side, key: Key) -> None:
    """`key` is that of the half that is left, or the thing."""
    tx.execute(sa.delete(deletion).where(
        deletion.c.mapping_id == mapping_id, deletion.c.side == side.value,
        sa.or_(deletion.c.key == str(key), deletion.c.partner == str(key))))


def deletions(tx: sa.Connection, link_id: int, *, limit: int = 200) -> list[sa.Row[Any]]:
    """Rows (id, mapping_id, side, key, partner, title, seen_at) that wait for an answer."""
    query = (sa.select(deletion.c.id, deletion.c.mapping_id, deletion.c.side, deletion.c.key, deletion.c.partner,
                       deletion.c.title, deletion.c.seen_at)
             .join(mapping, mapping.c.id == deletion.c.mapping_id)
             .where(mapping.c.link_id == link_id, UNANSWERED)
             .order_by(deletion.c.id).limit(limit))
    return list(tx.execute(query))


def approve_deletions(tx: sa.Connection, link_id: int, ids: Sequence[int], by: str) -> int:
    """Say yes to exactly these; returns how many of them were still waiting."""
    return _answer_deletions(tx, link_id, ids, approved_by=by)


def put_back(tx: sa.Connection, link_id: int, ids: Sequence[int], by: str) -> int:
    """What is gone is to be made again out of the half that is left, and what went with it in Shopify too. Returns how
    many were still waiting."""
    wanted = sorted(put_back_with(tx, link_id, ids))
    return sum(_answer_deletions(tx, link_id, wanted[start:start + CHUNK], put_back_by=by)
               for start in range(0, len(wanted), CHUNK))


def put_back_with(tx: sa.Connection, link_id: int, ids: Sequence[int]) -> set[int]:
    """These deletions, and those of what is put back with them: variants with their product, stock with its variant."""
    asked, answered, going = set(ids), set(ids), set[str]()
    waits: dict[int, dict[str, int]] = {}
    for mapping_id, partner, number in tx.execute(
            sa.select(deletion.c.mapping_id, deletion.c.partner, deletion.c.id)
            .join(mapping, mapping.c.id == deletion.c.mapping_id)
            .where(mapping.c.link_id == link_id, deletion.c.side == Side.LOCAL.value, UNANSWERED)):
        waits.setdefault(mapping_id, {})[partner] = number
        if number in asked:
            going.add(partner)
    while going:
        below = [(waits[mapping_id], base.children(tx, mapping_id, going) & waits[mapping_id].keys())
                 for mapping_id in waits]
        answered |= {numbers[thing] for numbers, things in below for thing in things}
        going = {thing for _, things in below for thing in things}
    return answered


def keep_deletions(tx: sa.Connection, link_id: int, ids: Sequence[int]) -> int:
    """Say no: the thing stays where it is and the two are kept apart."""
    return _answer_deletions(tx, link_id, ids, kept=True)


def _answer_deletions(tx: sa.Connection, link_id: int, ids: Sequence[int], **values: Any) -> int:
    mine = sa.select(mapping.c.id).where(mapping.c.link_id == link_id)
    return tx.execute(sa.update(deletion).where(
        deletion.c.id.in_(ids), deletion.c.mapping_id.in_(mine), UNANSWERED).values(**values)).rowcount


@dataclass
class Deletions:
    """The deletions of one mapping that somebody has been shown, and the answers."""

    known: set[Half] = field(default_factory=set)
    approved: set[Half] = field(default_factory=set)
    put_back: set[Half] = field(default_factory=set)
    """What is to be made again, out of the half that is left."""
    kept: set[Half] = field(default_factory=set)
    """What stays though its other half is gone."""


def answered_deletions(tx: sa.Connection, mapping_id: int) -> Deletions:
    """Every deletion that is known of a mapping, with its answer."""
    found = Deletions()
    query = sa.select(deletion.c.side, deletion.c.key, deletion.c.partner, deletion.c.approved_by,
                      deletion.c.put_back_by, deletion.c.kept)
    query = query.where(deletion.c.mapping_id == mapping_id)
    for side, key, partner, approved_by, put_back_by, kept in tx.execute(query):
        one = _half(side, key, partner)
        found.known.add(one)
        for answers, said in ((found.approved, approved_by is not None), (found.put_back, put_back_by is not None),
                              (found.kept, kept)):
            if said:
                answers.add(one)
    return found


def keep_apart(tx: sa.Connection, mapping_id: int, kept: Sequence[Proposal]) -> None:
    """Nobody is asked about these deletions: an undo has left one half alone, on purpose."""
    for one in kept:
        deletion_done(tx, mapping_id, one.side, one.key)
        deletion_done(tx, mapping_id, one.side, one.thing)
        tx.execute(sa.insert(deletion).values(
            mapping_id=mapping_id, side=one.side.value, key=str(one.key), partner=str(one.partner), title=one.title,
            kept=True, seen_at=now()))


def _half(side: str, key: str, partner: str) -> Half:
    return (Side.LOCAL, partner) if side == Side.LOCAL else (Side.REMOTE, key)


# --- refusals -----------------------------------------------------------------------------------


def replace_refusals(
    tx: sa.Connection, mapped: Mapping, seen: Sequence[Refusal], looked_at: Set[Key] | None = None
) -> None:
    """The refused rows of a mapping are those of this run; how often each was tried is kept. A run over some
    fields, or over the keys it `looked_at`, leaves alone what is known of the others."""
    mapping_id = mapped.id
    tries = {
        (row.side, row.key, row.field): (row.message, row.tries)
        for row in tx.execute(sa.select(refusal.c.side, refusal.c.key, refusal.c.field, refusal.c.message,
                                        refusal.c.tries).where(refusal.c.mapping_id == mapping_id))
    }
    fields = sa.true() if mapped.chosen is None else refusal.c.field.in_(mapped.chosen)
    if looked_at is None:
        tx.execute(sa.delete(refusal).where(refusal.c.mapping_id == mapping_id, fields))
    keys = sorted({str(key) for key in looked_at or ()} & {key for _, key, _ in tries})
    for start in range(0, len(keys), CHUNK):
        tx.execute(sa.delete(refusal).where(refusal.c.mapping_id == mapping_id, fields,
                                            refusal.c.key.in_(keys[start:start + CHUNK])))
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for one in seen:
        key = (one.side.value, str(one.key), one.field)
        message, tried = tries.get(key, ("", 0))
        rows[key] = {"mapping_id": mapping_id, "side": key[0], "key": key[1], "field": key[2], "title": one.title,
                     "message": one.message, "cure": one.cure, "waits": one.waits,
                     "tries": tried + 1 if message == one.message else 1}
    for values in rows.values():
        same = [refusal.c[name] == values[name] for name in ("mapping_id", "side", "key", "field")]
        tx.execute(sa.delete(refusal).where(*same))
        tx.execute(sa.insert(refusal).values(**values, seen_at=now()))


def try_again(tx: sa.Connection, mapping_id: int, fields: Sequence[str]) -> None:
    """What was refused of these fields is tried again by itself, however often it was tried already."""
    if fields:
        tx.execute(sa.update(refusal).where(refusal.c.mapping_id == mapping_id, refusal.c.field.in_(fields))
                   .values(tries=0))


def refusals(tx: sa.Connection, link_id: int, *, limit: int = 200) -> list[sa.Row[Any]]:
    """Rows (id, mapping_id, side, key, field, title, message, cure, waits, tries, seen_at)."""
    query = (sa.select(refusal.c.id, refusal.c.mapping_id, refusal.c.side, refusal.c.key, refusal.c.field,
                       refusal.c.title, refusal.c.message, refusal.c.cure, refusal.c.waits, refusal.c.tries,
                       refusal.c.seen_at)
             .join(mapping, mapping.c.id == refusal.c.mapping_id)
             .where(mapping.c.link_id == link_id).order_by(refusal.c.waits, refusal.c.id).limit(limit))
    return list(tx.execute(query))


def count_refusals(tx: sa.Connection, link_id: int) -> int:
    """How many rows `refusals` would list without a limit."""
    query = (sa.select(sa.func.count(refusal.c.id)).join(mapping, mapping.c.id == refusal.c.mapping_id)
             .where(mapping.c.link_id == link_id))
    return int(tx.execute(query).scalar_one())


# --- what to look at again -----------------------------------------------------------------------


@dataclass
class Keys:
    """Rows and things of one mapping."""

    rows: set[int] = field(default_factory=set)
    things: set[str] = field(default_factory=set)

    def add(self, side: str, key: Any) -> None:
        """`key` as it is known on `side`, or on the other one: what could not be made in Shopify is known there by its
        row, and what could not be made in Grist by its gid."""
        if str(key).lstrip("-").isdigit():
            self.rows.add(int(key))
        else:
            self.things.add(str(key))


def keys_waiting(tx: sa.Connection, mapping_id: int) -> Keys:
    """What anything waits for: it is judged anew whenever it is looked at, also where it is as it was agreed."""
    found = Keys()
    for row, thing in tx.execute(sa.select(conflict.c.local_key, conflict.c.remote_key).where(
            conflict.c.mapping_id == mapping_id)):
        found.rows.add(row)
        found.things.add(thing)
    for side, key, partner in tx.execute(sa.select(deletion.c.side, deletion.c.key, deletion.c.partner).where(
            deletion.c.mapping_id == mapping_id)):
        found.add(side, key)
        found.add(Side(side).other, partner)
    for side, key in tx.execute(sa.select(refusal.c.side, refusal.c.key).where(refusal.c.mapping_id == mapping_id)):
        found.add(side, key)
    return found


def keys_due(tx: sa.Connection, mapping_id: int, most_tries: int) -> Keys:
    """What a run has to look at although nobody changed it: answered conflicts and deletions, and what was
    refused less than `most_tries` times."""
    found = Keys()
    answered = sa.select(conflict.c.local_key, conflict.c.remote_key, conflict.c.choice).where(
        conflict.c.mapping_id == mapping_id)
    for row, thing, choice in tx.execute(answered):
        if choice is not None:
            found.rows.add(row)
            found.things.add(thing)
    for side, key in tx.execute(sa.select(deletion.c.side, deletion.c.key).where(
            deletion.c.mapping_id == mapping_id,
            sa.or_(deletion.c.approved_by.is_not(None), deletion.c.put_back_by.is_not(None)))):
        found.add(side, key)
    for side, key in tx.execute(sa.select(refusal.c.side, refusal.c.key).where(
            refusal.c.mapping_id == mapping_id, refusal.c.tries < most_tries)):
        found.add(side, key)
    return found


# --- names of things ----------------------------------------------------------------------------


def known_things(tx: sa.Connection, mapping_id: int, things: Sequence[str]) -> dict[str, tuple[int, dict[str, Any]]]:
    """By thing: its row in Grist, and what Shopify held of it when both last agreed (values as JSON, by field)."""
    found = {}
    for start in range(0, len(things), CHUNK):
        query = sa.select(pair.c.remote_key, pair.c.local_key, pair.c.base_remote).where(
            pair.c.mapping_id == mapping_id, pair.c.remote_key.in_(things[start:start + CHUNK]))
        found.update({thing: (row, values) for thing, row, values in tx.execute(query)})
    return found


# --- counts, new rows ---------------------------------------------------------------------------


def counts(tx: sa.Connection, link_id: int) -> dict[int, dict[str, int]]:
    """By mapping id: how many conflicts, deletions and refusals wait."""
    found: dict[int, dict[str, int]] = {}
    for name, table, waits in (
        ("conflicts", conflict, sa.true()),
        ("deletions", deletion, UNANSWERED),
        ("refused", refusal, refusal.c.waits.is_(False)),
    ):
        query = (sa.select(mapping.c.id, sa.func.count(table.c.id))
                 .outerjoin(table, sa.and_(table.c.mapping_id == mapping.c.id, waits))
                 .where(mapping.c.link_id == link_id).group_by(mapping.c.id))
        for mapping_id, number in tx.execute(query):
            found.setdefault(mapping_id, {})[name] = number
    return found


def resting(tx: sa.Connection, mapping_id: int, looks: Dict[int, str], rest_seconds: float) -> set[int]:
    """Which of these new rows (row id → what it looks like) have not stayed the same for `rest_seconds`."""
    stored = {
        row.local_key: row for row in tx.execute(
            sa.select(sighting.c.local_key, sighting.c.looks, (now() - sighting.c.since).label("age"))
            .where(sighting.c.mapping_id == mapping_id))
    }
    return {key for key, look in looks.items()
            if rest_seconds > 0
            and (key not in stored or stored[key].looks != look or stored[key].age < rest_seconds)}


def sight(tx: sa.Connection, mapping_id: int, looks: Dict[int, str], looked_at: Set[Key] | None = None) -> None:
    """Remember what the new rows look like now, and since when; of others than `looked_at` what is known stays."""
    query = sa.select(sighting.c.local_key, sighting.c.looks).where(sighting.c.mapping_id == mapping_id)
    stored = {key: look for key, look in tx.execute(query)}  # noqa: C416 - a result is no mapping
    stale = [key for key in stored if stored[key] != looks.get(key) and (looked_at is None or key in looked_at)]
    for start in range(0, len(stale), CHUNK):
        tx.execute(sa.delete(sighting).where(sighting.c.mapping_id == mapping_id,
                                             sighting.c.local_key.in_(stale[start:start + CHUNK])))
    for key, look in looks.items():
        if stored.get(key) != look:
            tx.execute(sa.insert(sighting).values(mapping_id=mapping_id, local_key=key, looks=look, since=now()))


def _dump(value: Any) -> Any:
    return None if value is UNREAD else dump(value)

"""The inbox: what may have changed, until a run has looked at it.

    webhook, unfinished business of a run  →  note(side, (resource, key) …)
    a run                                   claim() → looks → done()

A hint never carries a value: what stands there is read when a run looks. So hints may be doubled, late or in any
order, and a lost one is only found later. A hint that arrives while a run looks stays for the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from backend.core.model import Key, Side
from backend.store.db import now
from backend.store.tables import hint

CHUNK = 500
"""Ids in one `in (…)`."""


@dataclass
class Hints:
    """What a link's inbox held: `keys` by (side, resource), "" for the whole resource; `ids` to say `done` of."""

    keys: dict[tuple[Side, str], set[Key]] = field(default_factory=dict)
    ids: list[int] = field(default_factory=list)


def note(tx: sa.Connection, link_id: int, side: Side, hints: Iterable[tuple[str, Key]]) -> int:
    """Remember hints: (resource, row id or gid); "" stands for all of the resource. Returns how many."""
    rows = [{"link_id": link_id, "side": side.value, "resource": resource, "key": str(key)}
            for resource, key in dict.fromkeys(hints)]
    if rows:
        tx.execute(sa.insert(hint).values(at=now()), rows)
    return len(rows)


def note_ids(tx: sa.Connection, link_id: int, side: Side, hints: Iterable[tuple[str, Key]]) -> list[int]:
    """Remember hints that the caller says `done` of itself. Returns their ids."""
    made = [tx.execute(sa.insert(hint).values(
        link_id=link_id, side=side.value, resource=resource, key=str(key), at=now())) for resource, key in hints]
    return [int(one.inserted_primary_key[0]) for one in made]  # type: ignore[index]


def note_whole(tx: sa.Connection, link_id: int, side: Side, resource: str) -> int:
    """Remember that everything of a resource may have changed on one side. Returns the hint's id."""
    return note_ids(tx, link_id, side, [(resource, "")])[0]


def claim(tx: sa.Connection, link_id: int) -> Hints:
    """All hints of a link as they are now. They stay until `done`."""
    found = Hints()
    query = sa.select(hint.c.id, hint.c.side, hint.c.resource, hint.c.key).where(hint.c.link_id == link_id)
    for hint_id, side, resource, key in tx.execute(query):
        known: Key = int(key) if side == Side.LOCAL and key else key
        found.keys.setdefault((Side(side), resource), set()).add(known)
        found.ids.append(hint_id)
    return found


def done(tx: sa.Connection, ids: Sequence[int]) -> None:
    """A run has dealt with these."""
    for start in range(0, len(ids), CHUNK):
        tx.execute(sa.delete(hint).where(hint.c.id.in_(ids[start:start + CHUNK])))


def unnoted_wholes(tx: sa.Connection, link_id: int, side: Side, resources: Iterable[str]) -> list[tuple[str, Key]]:
    """Hints for these resources as a whole, but for those that wait already: for an inbox that is full."""
    known = set(tx.execute(sa.select(hint.c.resource).where(
        hint.c.link_id == link_id, hint.c.side == side.value, hint.c.key == "")).scalars())
    return [(resource, "") for resource in resources if resource not in known]


def waiting(tx: sa.Connection, link_id: int) -> tuple[int, float | None]:
    """How many hints wait, and since when the oldest does (seconds since 1970)."""
    count, oldest = tx.execute(sa.select(sa.func.count(hint.c.id), sa.func.min(hint.c.at)).where(
        hint.c.link_id == link_id)).one()
    return int(count), oldest

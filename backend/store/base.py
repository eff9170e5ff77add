"""Pairs, and what each side held when they last agreed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Mapping as Dict
from itertools import chain
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from backend.core.model import Mapping, Pair
from backend.core.values import UNREAD, Value, dump, dump_all, load, loader
from backend.store import digests
from backend.store.tables import apart, link, pair
from backend.store.tables import mapping as mapping_table

CHUNK = 500
"""Keys in one `in (…)`: SQLite takes at most 32,766 bound values, and plans short lists better."""

MANY = 10_000
"""Keys beyond which all pairs of a mapping are gone through sooner than so many lists of keys are looked for."""

LISTED = 50
"""Things that one query looks for in lists."""

ROWS_AT_ONCE = 2_000
"""Of a whole mapping are in memory as the database keeps them."""

_SET_BASES = sa.update(pair).where(pair.c.id == sa.bindparam("pair")).values(
    base_local=sa.bindparam("base_local"), base_remote=sa.bindparam("base_remote"), shown=sa.bindparam("shown")
)
NOTHING_SHOWN: Dict[str, tuple[Value, ...]] = MappingProxyType({})
"""Of nearly all pairs: one for all of them."""
_SET_PARENT = sa.update(pair).where(pair.c.id == sa.bindparam("pair")).values(parent=sa.bindparam("parent_now"))


def pairs(
    tx: sa.Connection, mapping: Mapping, rows: Collection[int] | None = None, things: Collection[str] | None = None
) -> list[Pair]:
    """The pairs of a mapping, their bases aligned with its fields as they are today: all of them, or those of these
    rows and of these things."""
    return list(each_pair(tx, mapping, rows, things))


def each_pair(
    tx: sa.Connection, mapping: Mapping, rows: Collection[int] | None = None, things: Collection[str] | None = None
) -> Iterator[Pair]:
    """`pairs` one by one, for where there is room for few of them."""
    query = sa.select(pair.c.id, pair.c.local_key, pair.c.remote_key, pair.c.base_local, pair.c.base_remote,
                      pair.c.shown, pair.c.marked).where(pair.c.mapping_id == mapping.id)
    loaders = [(rule.name, loader(rule.kind)) for rule in mapping.fields]
    everything = rows is None and things is None
    found: Iterable[Any] = (chain.from_iterable(tx.execute(query).partitions(ROWS_AT_ONCE)) if everything else
                            _of_keys(tx, query, rows or (), things or ()))

    def row(stored: dict[str, Any]) -> tuple[Value, ...]:
        return tuple([load(stored[name]) if name in stored else UNREAD for name, load in loaders])

    for pair_id, local, remote, base_local, base_remote, shown, marked in found:
        of_remote = row(base_remote)
        # Nearly always both sides held the same: one row stands for both then.
        of_local = of_remote if base_local == base_remote else row(base_local)
        steps = {name: tuple(load(mapping.rule(name).kind, v) for v in values)
                 for name, values in shown.items() if name in mapping.index} if shown else NOTHING_SHOWN
        yield Pair(local, remote, of_local, of_remote, steps, marked, pair_id)


def keys(tx: sa.Connection, mapping_id: int) -> list[tuple[int, str]]:
    """The pairs of a mapping without their bases."""
    query = sa.select(pair.c.local_key, pair.c.remote_key).where(pair.c.mapping_id == mapping_id)
    return [(local, remote) for local, remote in tx.execute(query)]


def places(
    tx: sa.Connection, mapping_id: int, rows: Collection[int], things: Collection[str]
) -> list[tuple[int, str]]:
    """(row, thing) of the pairs of a mapping that have one of these rows or things."""
    if len(rows) + len(things) > MANY:
        wanted_rows, wanted_things = set(rows), set(things)
        return [one for one in keys(tx, mapping_id) if one[0] in wanted_rows or one[1] in wanted_things]
    query = sa.select(pair.c.id, pair.c.local_key, pair.c.remote_key).where(pair.c.mapping_id == mapping_id)
    return [(local, remote) for _, local, remote in _of_keys(tx, query, rows, things)]


def children(tx: sa.Connection, mapping_id: int, parents: Collection[str]) -> set[str]:
    """The things of a mapping whose first reference is one of `parents`, as Shopify last said."""
    found: set[str] = set()
    wanted = sorted(parents)
    for start in range(0, len(wanted), CHUNK):
        found.update(tx.execute(sa.select(pair.c.remote_key).where(
            pair.c.mapping_id == mapping_id, pair.c.parent.in_(wanted[start:start + CHUNK]))).scalars())
    return found


def referring(tx: sa.Connection, mapping_id: int, field: str, things: Collection[str]) -> list[tuple[str, str, int]]:
    """(thing, what it refers to, row) of the pairs whose row in Grist referred to one of `things` when both last
    agreed. Rows below zero are gone."""
    found: list[tuple[str, str, int]] = []
    referred, wanted = pair.c.base_local[field].as_string(), sorted(things)
    for start in range(0, len(wanted), CHUNK):
        found += [(thing, target, row) for thing, target, row in tx.execute(
            sa.select(pair.c.remote_key, referred, pair.c.local_key).where(
                pair.c.mapping_id == mapping_id, referred.in_(wanted[start:start + CHUNK])))]
    return found


def listing(tx: sa.Connection, mapping_id: int, field: str, things: Collection[str]) -> list[tuple[str, str, int]]:
    """(thing, one that its list names, row) of the pairs of which the list of references in Grist named some of
    `things` when both last agreed: as `referring`, of lists."""
    found: list[tuple[str, str, int]] = []
    listed, wanted = pair.c.base_local[field].as_string(), sorted(things)
    for start in range(0, len(wanted), LISTED):
        some = wanted[start:start + LISTED]
        query = sa.select(pair.c.remote_key, pair.c.base_local, pair.c.local_key).where(
            pair.c.mapping_id == mapping_id, sa.or_(*(listed.contains(f'"{one}"', autoescape=True) for one in some)))
        found += [(thing, one, row) for thing, values, row in tx.execute(query)
                  for one in some if one in (values.get(field) or ())]
    return found


def holding(tx: sa.Connection, mapping_id: int, values: Dict[str, Collection[str]]) -> set[str]:
    """The things of pairs with a row that held one of these texts in all of these fields (field → texts in lower case)
    when both sides last agreed."""
    held = {name: sa.func.lower(pair.c.base_remote[name].as_string()) for name in values}
    fewest = min(values, key=lambda name: len(values[name]))
    wanted, found = sorted(values[fewest]), set()
    for start in range(0, len(wanted), CHUNK):
        query = sa.select(pair.c.remote_key, *held.values()).where(
            pair.c.mapping_id == mapping_id, pair.c.local_key >= 0, held[fewest].in_(wanted[start:start + CHUNK]))
        found |= {thing for thing, *texts in tx.execute(query)
                  if all(text in values[name] for name, text in zip(held, texts, strict=True))}
    return found


def parents(tx: sa.Connection, mapping_id: int, things: Collection[str]) -> set[str]:
    """What the first reference of these things names, as Shopify last said."""
    found: set[str] = set()
    wanted = sorted(things)
    for start in range(0, len(wanted), CHUNK):
        found.update(tx.execute(sa.select(pair.c.parent).where(
            pair.c.mapping_id == mapping_id, pair.c.parent.is_not(None),
            pair.c.remote_key.in_(wanted[start:start + CHUNK]))).scalars())
    return found


def unmarked(tx: sa.Connection, mapping_id: int) -> set[str]:
    """The things whose rows do not hold their Shopify ID yet, as far as we know."""
    return set(tx.execute(sa.select(pair.c.remote_key).where(
        pair.c.mapping_id == mapping_id, pair.c.marked.is_(False))).scalars())


def count(tx: sa.Connection, mapping_id: int) -> tuple[int, int]:
    """How many pairs a mapping has, and how many of them have a row."""
    number = sa.func.count(pair.c.id)
    all_of_them, with_row = tx.execute(
        sa.select(number, number.filter(pair.c.local_key >= 0)).where(pair.c.mapping_id == mapping_id)).one()
    return int(all_of_them), int(with_row)


def _of_keys(
    tx: sa.Connection, query: sa.Select[Any], rows: Collection[int], things: Collection[str]
) -> list[Any]:
    """What `query` (whose first column is the pair's id) finds for these rows and things, each pair once."""
    found: dict[int, Any] = {}
    for column, keys_wanted in ((pair.c.local_key, sorted(rows)), (pair.c.remote_key, sorted(things))):
        for start in range(0, len(keys_wanted), CHUNK):
            found.update({row[0]: row for row in tx.execute(
                query.where(column.in_(keys_wanted[start:start + CHUNK])))})
    return list(found.values())


def join(tx: sa.Connection, mapping_id: int, joined: Sequence[tuple[int, str]]) -> None:
    """Remember new pairs, agreed on nothing yet; their rows do not hold the Shopify ID yet."""
    insert(tx, mapping_id, [(local, remote, {}, {}) for local, remote in joined], marked=False)


def mark(tx: sa.Connection, mapping_id: int, rows: Sequence[int]) -> None:
    """The Shopify ID stands in these rows now."""
    for start in range(0, len(rows), CHUNK):
        tx.execute(sa.update(pair).where(pair.c.mapping_id == mapping_id,
                                         pair.c.local_key.in_(rows[start:start + CHUNK])).values(marked=True))


def move(tx: sa.Connection, mapping_id: int, moved: Sequence[tuple[str, int]]) -> None:
    """These things (by Shopify key) live in other rows now: all old places are left before any new one is taken."""
    def put(thing: str, row: Any) -> None:
        tx.execute(sa.update(pair).where(pair.c.mapping_id == mapping_id, pair.c.remote_key == thing)
                   .values(local_key=row))

    for thing, _ in moved:
        put(thing, -pair.c.id)
    for thing, row in moved:
        put(thing, row)


def unmark(tx: sa.Connection, mapping_id: int, things: Sequence[str]) -> None:
    """The rows of these things do not hold the Shopify ID yet."""
    for start in range(0, len(things), CHUNK):
        tx.execute(sa.update(pair).where(pair.c.mapping_id == mapping_id,
                                         pair.c.remote_key.in_(things[start:start + CHUNK])).values(marked=False))


def homeless(tx: sa.Connection, mapping_id: int) -> set[str]:
    """The things whose rows are gone and whose row ids Grist has given to others."""
    return set(tx.execute(sa.select(pair.c.remote_key).where(
        pair.c.mapping_id == mapping_id, pair.c.local_key < 0)).scalars())


def of_another_document(tx: sa.Connection, link_id: int, resource: str, things: Collection[str]) -> str | None:
    """The store of another link whose document has rows of some of these things; None where there is none."""
    mine = sa.select(link.c.store).where(link.c.id == link_id).scalar_subquery()
    query = (sa.select(link.c.store).join(mapping_table, mapping_table.c.link_id == link.c.id)
             .join(pair, pair.c.mapping_id == mapping_table.c.id)
             .where(link.c.id != link_id, link.c.store == mine, mapping_table.c.resource == resource,
                    pair.c.remote_key.in_(sorted(things)[:CHUNK])).limit(1))
    store: str | None = tx.execute(query).scalar()
    return store


def dissolve(tx: sa.Connection, mapping_id: int, remotes: Sequence[str]) -> None:
    """These things have no row any more, and no cells to keep apart."""
    for start in range(0, len(remotes), CHUNK):
        for table in (pair, apart):
            tx.execute(sa.delete(table).where(table.c.mapping_id == mapping_id,
                                              table.c.remote_key.in_(remotes[start:start + CHUNK])))


def vacate(tx: sa.Connection, mapping_id: int, rows: Sequence[int]) -> set[str]:
    """Grist has given these row ids to other rows: the pairs that held them keep living without a row. Returns their
    things."""
    vacated: set[str] = set()
    for start in range(0, len(rows), CHUNK):
        held = sa.and_(pair.c.mapping_id == mapping_id, pair.c.local_key.in_(rows[start:start + CHUNK]))
        found = tx.execute(sa.select(pair.c.remote_key).where(held)).scalars().all()
        if found:
            tx.execute(sa.update(pair).where(held).values(local_key=-pair.c.id))
        vacated.update(found)
    return vacated


def insert(tx: sa.Connection, mapping_id: int,
           new: Sequence[tuple[int, str, Dict[str, Value], Dict[str, Value]]], *, marked: bool,
           parent: str = "") -> None:
    """Remember pairs together with what they agreed on: (row, thing, base of Grist, base of Shopify). `parent` names
    the field that says whose child each is."""
    if new:
        tx.execute(sa.insert(pair), [
            {"mapping_id": mapping_id, "local_key": local, "remote_key": remote,
             "base_local": (told := dump_all(base_local)), "shown": {}, "marked": marked,
             # Nearly always both sides hold the same: it is put into words once.
             "base_remote": told if base_remote == base_local else dump_all(base_remote),
             "parent": _gid(base_remote.get(parent))}
            for local, remote, base_local, base_remote in new
        ])


def advance(
    tx: sa.Connection,
    mapping_id: int,
    agreed: Iterable[tuple[str, Dict[str, Value], Dict[str, Value], Dict[str, tuple[Value, ...]]]],
    *, parent: str = "",
) -> None:
    """Move bases on, field by field: (thing, values of Grist, values of Shopify, what cells showed before). `parent`
    names the field that says whose child each is."""
    wanted: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {}
    for remote, local_values, remote_values, shown in agreed:
        base_local, base_remote, steps = wanted.setdefault(remote, ({}, {}, {}))
        base_local.update(dump_all(local_values))
        base_remote.update(dump_all(remote_values))
        steps.update({name: [dump(v) for v in values] for name, values in shown.items()})
    things = list(wanted)
    updates = []
    parents = []
    for start in range(0, len(things), CHUNK):
        query = sa.select(pair.c.id, pair.c.remote_key, pair.c.base_local, pair.c.base_remote, pair.c.shown).where(
            pair.c.mapping_id == mapping_id, pair.c.remote_key.in_(things[start:start + CHUNK]))
        for pair_id, remote, old_local, old_remote, old_shown in tx.execute(query):
            base_local, base_remote, steps = wanted[remote]
            updates.append({"pair": pair_id, "base_local": {**old_local, **base_local},
                            "base_remote": {**old_remote, **base_remote}, "shown": {**old_shown, **steps}})
            if parent in base_remote:
                parents.append({"pair": pair_id, "parent_now": _gid(base_remote[parent])})
    if updates:
        _set_bases(tx, updates)
    if parents:
        tx.execute(_SET_PARENT, parents)


def forget(tx: sa.Connection, mapping_id: int, fields: Collection[str]) -> None:
    """Forget what was agreed on these fields: they never met where they live now."""
    if not fields:
        return
    query = sa.select(pair.c.id, pair.c.base_local, pair.c.base_remote, pair.c.shown).where(
        pair.c.mapping_id == mapping_id)
    updates = [
        {"pair": pair_id} | {
            name: {field: value for field, value in stored.items() if field not in fields}
            for name, stored in (("base_local", base_local), ("base_remote", base_remote), ("shown", shown))
        }
        for pair_id, base_local, base_remote, shown in tx.execute(query)
    ]
    if updates:
        _set_bases(tx, updates)


def doubt(tx: sa.Connection, mapping_id: int, doubted: Iterable[tuple[str, Collection[str]]]) -> None:
    """Forget what these things (by Shopify key) agreed on these fields: nobody can tell any more."""
    for thing, fields in doubted:
        row = tx.execute(sa.select(pair.c.id, pair.c.base_local, pair.c.base_remote, pair.c.shown).where(
            pair.c.mapping_id == mapping_id, pair.c.remote_key == thing)).one_or_none()
        if row is not None:
            kept = [{name: value for name, value in stored.items() if name not in fields} for stored in row[1:]]
            _set_bases(tx, [{"pair": row.id, "base_local": kept[0], "base_remote": kept[1], "shown": kept[2]}])


def _set_bases(tx: sa.Connection, updates: Sequence[dict[str, Any]]) -> None:
    """Keep what is agreed from now on. What the pairs looked like before is no sign of that."""
    tx.execute(_SET_BASES, updates)
    digests.forget(tx, [one["pair"] for one in updates])


def _gid(value: Any) -> str | None:
    return value if isinstance(value, str) else None

"""Take back what was written: a new change, never a return to an old state.

    the cell still shows what was written    → write what stood there before
    a stock figure or list moved on since    → take back the difference, not the figure
    edited since                             → stays, and says so
    the next sync would write it again       → stays: it has to be changed at its source
    a row that a sync made in Grist          → removed again, unless it was edited or other rows refer to it
    a row that a sync removed in Grist       → comes back with its values, its Shopify ID and the references to it
    made or deleted in Shopify               → stays: a deletion there is for ever

Where only one half is there afterwards, the two stay a pair that is kept apart, as after a "keep" to a deletion: the
next sync neither makes the other half again nor deletes this one.

An undo moves no base: to the next look it is an edit like anybody's, and is carried to the other side.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from decimal import Decimal

from backend.core.merge import merged_value
from backend.core.model import (
    Change,
    Create,
    Delete,
    FieldRule,
    Key,
    Mapping,
    Op,
    Pair,
    Rule,
    Side,
    Snapshot,
    Update,
    Why,
)
from backend.core.values import UNREAD, Unfit, Value, is_empty

ROW_GONE = "The row is not there any more."
MADE_THERE = ("It was made in Shopify, and a deletion there cannot be taken back. Where it has to go, delete its row "
              "in Grist and say yes to the deletion.")
DELETED_THERE = "It was deleted in Shopify, which cannot be taken back. Make it anew where it is needed."
EDITED_ROW = "The row was edited since it was made."
OTHER_ID = "The Shopify ID of the row was edited since it was made."
REFERRED = "Other rows refer to this row. Undo those, too, or delete them first."
THERE_AGAIN = "It is there again."
FORGOTTEN = "What the row held is not kept any more."
NOT_MAPPED = "This field is not synced any more."
NOT_WRITTEN = "This field is not written there any more. Change it there by hand."
UNREADABLE = "The cell cannot be read now."
EDITED = "It was edited since."
FROM_SHOPIFY = "It is only read from Shopify, so the next sync would write it again. Change it in Shopify."
FROM_GRIST = "It only goes to Shopify, so the next sync would write it again. Change it in Grist."
BELOW_ZERO = "Taking it back would leave less than nothing in stock."


@dataclass(frozen=True, slots=True)
class Written:
    """One line of the history."""

    id: int
    side: Side
    kind: str
    thing: str
    field: str
    before: Value
    after: Value
    title: str = ""
    row: int | None = None
    values: Dict[str, Value] = attribute(default_factory=dict)
    """Of a whole row: what it was made with, or held when it was deleted."""


@dataclass(frozen=True)
class Undo:
    """What to write, how many lines that takes back, and which stay, with the reason."""

    ops: tuple[Op, ...]
    lines: int
    stays: tuple[tuple[int, str], ...]

    def on(self, side: Side) -> list[Op]:
        return [op for op in self.ops if op.side is side]


def undo(
    mapping: Mapping, lines: Iterable[Written], local: Snapshot, remote: Snapshot, pairs: Sequence[Pair],
    referred: Set[str] = frozenset(), lost: Iterable[tuple[str, str, str]] = (), worked: Set[str] = frozenset(),
) -> Undo:
    """Take back `lines`, newest first. The snapshots hold what both sides show now.

    `referred` are the things to whose rows other rows refer that stay; `lost` the references (thing, field, what it
    names) that went with rows which come back now; `worked` the things of whose rows an edit was carried to Shopify
    since they were made, other than by what is taken back.
    """
    pair_of = {pair.remote: pair for pair in pairs}
    taken: dict[tuple[Side, str], dict[str, tuple[Value, Value]]] = {}
    undoes: dict[tuple[Side, str, str], list[int]] = defaultdict(list)
    stays: list[tuple[int, str]] = []
    rows: dict[str, Create | Delete] = {}
    lines = sorted(lines, key=lambda line: -line.id)
    for line in lines:
        pair = pair_of.get(line.thing)
        fields = taken.setdefault((line.side, line.thing), {})
        if line.kind != "update":
            whole = _whole_row(mapping, line, pair, local, referred, worked)
            if isinstance(whole, str):
                stays.append((line.id, whole))
            else:
                rows[line.thing] = whole
            continue
        wanted = _wanted(mapping, line, pair, local, remote, fields)
        if isinstance(wanted, str):
            stays.append((line.id, wanted))
        else:
            fields[line.field] = wanted
            undoes[line.side, line.thing, line.field].append(line.id)
    for thing, name, target in lost:
        pair = pair_of.get(thing)
        row = local.rows.get(pair.local) if pair else None
        if row is not None and mapping.rule(name).may_write(Side.LOCAL) and is_empty(row[mapping.index[name]]):
            taken.setdefault((Side.LOCAL, thing), {}).setdefault(name, (row[mapping.index[name]], target))
    # What stood in a row that goes altogether goes with it.
    gone = {thing for thing, op in rows.items() if isinstance(op, Delete)}
    with_it = tuple(line.id for line in lines
                    if line.thing in gone and line.side is Side.LOCAL and line.kind == "update")
    stays = [(line, reason) for line, reason in stays if line not in with_it]
    titles = {line.thing: line.title for line in lines}
    ops: list[Op] = []
    for (side, thing), fields in taken.items():
        changes = tuple(
            Change(name, was, now, Why.UNDO, undoes=tuple(undoes[side, thing, name]))
            for name, (was, now) in fields.items() if was != now
        )
        if changes and not (side is Side.LOCAL and thing in gone):
            pair = pair_of[thing]
            key, partner = (pair.local, pair.remote) if side is Side.LOCAL else (pair.remote, pair.local)
            ops.append(Update(side, key, partner, changes, titles.get(thing, "")))
    for thing, op in rows.items():
        also = tuple(line.id for line in lines if line.thing == thing and line.id in with_it)
        ops.append(replace(op, undoes=(*op.undoes, *also)))
    taken_back = {line for op in ops for line in _undoes(op)} | {line for ids in undoes.values() for line in ids}
    return Undo(tuple(ops), len(taken_back), tuple(stays))


def _undoes(op: Op) -> Iterable[int]:
    if isinstance(op, Update):
        return (line for change in op.changes for line in change.undoes)
    return op.undoes if isinstance(op, Create | Delete) else ()


def _whole_row(
    mapping: Mapping, line: Written, pair: Pair | None, local: Snapshot, referred: Set[str], worked: Set[str],
) -> Create | Delete | str:
    """The row of a line made again or removed again, or why the line stays.

    A row that shows what both sides agreed on loses nothing when it goes, for Shopify has it all: what a sale has
    moved since is no reason to stay, somebody's work in Grist is."""
    if line.side is Side.REMOTE:
        return MADE_THERE if line.kind == "create" else DELETED_THERE
    if line.kind == "delete":
        if pair is not None:
            return THERE_AGAIN
        values = {name: value for name, value in line.values.items()
                  if not mapping.rule(name).source_only and not isinstance(value, Unfit)}
        return Create(Side.LOCAL, line.thing, values, line.title, Why.UNDO, (line.id,)) if values else FORGOTTEN
    row = local.rows.get(pair.local) if pair is not None else None
    if pair is None or row is None or pair.local != line.row:
        return ROW_GONE
    if local.marks.get(pair.local) != line.thing:
        return OTHER_ID  # whoever changed that cell has said that the row is something else
    if line.thing in referred:
        return REFERRED
    if line.thing in worked or any(row[place] != pair.base_local[place] and _is_work(rule)
                                   for place, rule in enumerate(mapping.fields)):
        return EDITED_ROW
    return Delete(Side.LOCAL, pair.local, line.thing, line.title, Why.UNDO, (line.id,))


def _wanted(
    mapping: Mapping, line: Written, pair: Pair | None, local: Snapshot, remote: Snapshot,
    fields: Dict[str, tuple[Value, Value]],
) -> tuple[Value, Value] | str:
    """(what stands there, what shall stand there), or why the line stays."""
    if line.field not in mapping.index:
        return NOT_MAPPED
    if pair is None:
        return ROW_GONE
    rule = mapping.rule(line.field)
    if line.side is Side.LOCAL and not rule.may_write(Side.REMOTE):
        return FROM_SHOPIFY
    if line.side is Side.REMOTE and not rule.may_write(Side.LOCAL):
        return FROM_GRIST
    if not rule.may_write(line.side):
        return NOT_WRITTEN
    key: Key = pair.local if line.side is Side.LOCAL else pair.remote
    row = (local if line.side is Side.LOCAL else remote).rows.get(key)
    if row is None:
        return ROW_GONE
    stands = row[mapping.index[line.field]]
    if stands is UNREAD:
        return UNREADABLE
    was, now = fields.get(line.field, (stands, stands))
    if now == line.after:
        return was, line.before
    back = merged_value(rule, line.after, line.before, now) if rule.on_conflict is Rule.MERGE else UNREAD
    if back is UNREAD:
        return EDITED
    return BELOW_ZERO if _is_negative(back) and not _is_negative(now) else (was, back)


def _is_work(rule: FieldRule) -> bool:
    """Whether a person may have typed it: what Shopify or a formula works out moves by itself."""
    return rule.field.writable and not rule.source_only


def _is_negative(value: Value) -> bool:
    return isinstance(value, int | Decimal) and value < 0


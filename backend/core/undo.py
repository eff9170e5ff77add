"""Take back what was written: a new change, never a return to an old state.

    the cell still shows what was written    → write what stood there before
    a stock figure or list moved on since    → take back the difference, not the figure
    edited since                             → stays, and says so
    the next sync would write it again       → stays: it has to be changed at its source

An undo moves no base: to the next look it is an edit like anybody's, and is carried to the other side.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from decimal import Decimal

from backend.core.merge import merged_value
from backend.core.model import Change, Key, Mapping, Pair, Rule, Side, Snapshot, Update, Why
from backend.core.values import UNREAD, Value

ROW_GONE = "The row is not there any more."
ONLY_CELLS = "Only changed cells can be taken back. A row that was made or deleted cannot."
NOT_MAPPED = "This field is not synced any more."
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


@dataclass(frozen=True)
class Undo:
    """What to write, how many lines that takes back, and which stay, with the reason."""

    ops: tuple[Update, ...]
    lines: int
    stays: tuple[tuple[int, str], ...]


def undo(mapping: Mapping, lines: Iterable[Written], local: Snapshot, remote: Snapshot, pairs: Sequence[Pair]) -> Undo:
    """Take back `lines`, newest first. The snapshots hold what both sides show now."""
    pair_of = {pair.remote: pair for pair in pairs}
    taken: dict[tuple[Side, str], dict[str, tuple[Value, Value]]] = {}
    undoes: dict[tuple[Side, str, str], list[int]] = defaultdict(list)
    stays: list[tuple[int, str]] = []
    for line in sorted(lines, key=lambda line: -line.id):
        pair = pair_of.get(line.thing)
        fields = taken.setdefault((line.side, line.thing), {})
        wanted = _wanted(mapping, line, pair, local, remote, fields)
        if isinstance(wanted, str):
            stays.append((line.id, wanted))
        else:
            fields[line.field] = wanted
            undoes[line.side, line.thing, line.field].append(line.id)
    titles = {line.thing: line.title for line in lines}
    ops = []
    for (side, thing), fields in taken.items():
        changes = tuple(
            Change(name, was, now, Why.UNDO, undoes=tuple(undoes[side, thing, name]))
            for name, (was, now) in fields.items() if was != now
        )
        if changes:
            pair = pair_of[thing]
            key, partner = (pair.local, pair.remote) if side is Side.LOCAL else (pair.remote, pair.local)
            ops.append(Update(side, key, partner, changes, titles.get(thing, "")))
    return Undo(tuple(ops), sum(map(len, undoes.values())), tuple(stays))


def _wanted(
    mapping: Mapping, line: Written, pair: Pair | None, local: Snapshot, remote: Snapshot,
    fields: Dict[str, tuple[Value, Value]],
) -> tuple[Value, Value] | str:
    """(what stands there, what shall stand there), or why the line stays."""
    if line.kind != "update":
        return ONLY_CELLS
    if line.field not in mapping.index:
        return NOT_MAPPED
    if pair is None:
        return ROW_GONE
    rule = mapping.rule(line.field)
    if line.side is Side.LOCAL and not rule.may_write(Side.REMOTE):
        return FROM_SHOPIFY
    if line.side is Side.REMOTE and not rule.may_write(Side.LOCAL):
        return FROM_GRIST
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


def _is_negative(value: Value) -> bool:
    return isinstance(value, int | Decimal) and value < 0


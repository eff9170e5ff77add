"""Lists of references, told as a whole or not at all: a list with one member that the other side lacks is not written.

    Shopify [A, B], B has no row in Grist        nothing is read there, the row says why, nothing is written either way
    Grist [A, new row], that one is not made     the row says so; it is pushed once the new one is in Shopify
    Grist [A], for the row of B was deleted      Grist took B out, nobody did: the list waits until the deletion of B is
                                                 settled, and what was agreed on it is forgotten

What waits so is tried again by itself, and again whenever a thing of that kind gets its row or its partner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backend.connector import Connector
from backend.core.mapping import Directory
from backend.core.model import Create, FieldRule, Refusal, Side, Snapshot, Update
from backend.core.values import UNREAD, Value
from backend.work import Work


def withhold(one: Work, remote: Snapshot, directory: Directory, works: Sequence[Work], local: Connector) -> None:
    """Leave unread in `one` the lists that cannot be told as a whole, and say so. `remote` is Shopify's side as it was
    read, before references that Grist cannot show were left out of it. Raises what a read raises."""
    for place, rule in enumerate(one.mapping.fields):
        if rule.kind != "refs":
            continue
        rows = {pair.remote: pair.local for pair in one.pairs.values()}
        for thing, held in remote.rows.items():
            key = rows.get(str(thing), thing)
            one.refusals.pop((Side.LOCAL, key, rule.name), None)
            if lacking := directory.lacking(rule.field.target, held[place]):
                one.refuse([_without_row(rule, key, len(lacking), remote.titles.get(thing, ""))])
        _keep_cleared(one, place, rule, remote, directory, works, local)


def left_out(one: Work, op: Create | Update, told: Create | Update) -> list[Refusal]:
    """What to say of the lists of `op` that `told`, which is what is written, does not hold."""
    if told is op:
        return []
    key = op.source if isinstance(op, Create) else op.key if op.side is Side.LOCAL else op.partner
    names = [name for name in op.values if name not in told.values and one.mapping.rule(name).kind == "refs"]
    said = "names a row that is not in Shopify yet, so the list was not sent" if op.side is Side.REMOTE else \
        "names something that has no row yet, so the list was not written"
    return [Refusal(Side.LOCAL, key, f"{one.mapping.rule(name).field.label} {said}.",
                    "It is written once that one is there.", field=name, title=op.title, waits=True) for name in names]


def _without_row(rule: FieldRule, key: int | str, lacking: int, title: str) -> Refusal:
    what = "one thing that has" if lacking == 1 else f"{lacking} things that have"
    return Refusal(
        Side.LOCAL, key, f"{rule.field.label} in Shopify holds {what} no row in Grist, so the list is left as it is on "
        "both sides.",
        f"Let all of them take part in the mapping of {rule.field.target}, or take them out in Shopify.",
        field=rule.name, title=title)


def _keep_cleared(
    one: Work, place: int, rule: FieldRule, remote: Snapshot, directory: Directory, works: Sequence[Work],
    local: Connector,
) -> None:
    """Take no member for removed by a person whose row is not there: Grist clears references to a deleted row."""
    lost: dict[str, set[str]] = {}
    for thing, pair in one.pairs.items():
        now = one.local.rows.get(pair.local)
        theirs = remote.rows.get(thing)
        if now is not None and theirs is not None and now[place] is not UNREAD:
            missing = _members(pair.base_local[place]) - _members(now[place])
            if missing & _members(theirs[place]):
                lost[thing] = missing & _members(theirs[place])
    if not lost:
        return
    named = {member for members in lost.values() for member in members}
    gone = _without_rows(named, rule.field.target, directory, works, local)
    rows = dict(one.local.rows)
    for thing, members in lost.items():
        if members & gone:
            row = one.pairs[thing].local
            rows[row] = tuple(UNREAD if i == place else value for i, value in enumerate(rows[row]))
            if any(directory.row(rule.field.target, member) is None for member in members):
                one.doubted.append((thing, (rule.name,)))
            one.refuse([_without_row(rule, row, len(members & gone), one.local.titles.get(row, ""))])
    one.local = replace(one.local, rows=rows)


def _without_rows(
    things: set[str], target: str, directory: Directory, works: Sequence[Work], local: Connector
) -> set[str]:
    """Those of `things` whose rows are not there, or of which this run cannot say."""
    place = {thing: row for thing in things if (row := directory.row(target, thing)) is not None}
    work = next((one for one in works if one.mapping.name == target), None)
    if work is None:
        return things
    seen = local.again(work.mapping, set(place.values())) if place else Snapshot()
    there = seen.rows.keys() | seen.outside
    return {thing for thing in things if place.get(thing) not in there}


def _members(value: Value) -> set[str]:
    return {one for one in value if isinstance(one, str)} if isinstance(value, tuple) else set()


def settles(one: Work, arrived: set[str]) -> list[str]:
    """The fields of `one` whose lists may be told as a whole now, for one of these resources got a new pair."""
    return [rule.name for rule in one.mapping.fields if rule.kind == "refs" and rule.field.target in arrived]

"""What is remembered of a batch that came back: bases, pairs, history, and that its intent is settled; all of it in
one transaction, before the next batch is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Dict
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from backend.core.agree import Agreed, after_create, after_update
from backend.core.mapping import Directory
from backend.core.model import Change, Create, Delete, Key, Mark, Op, Proposal, Receipt, Side, Update, Why
from backend.core.values import REFERENCES, UNREAD, Value
from backend.report import Report
from backend.store import apart, base, changes, digests, inbox, journal, links, loose, pairing, waiting
from backend.store.db import Database, Transaction
from backend.work import Work, thing_of

Write = Callable[[], AbstractContextManager[Transaction]]
"""Begins a transaction that may write, for the owner of the run only."""


@dataclass
class _Batch:
    """What one batch leaves behind."""

    advanced: list[tuple[str, Dict[str, Value], Dict[str, Value], Dict[str, tuple[Value, ...]]]] = field(
        default_factory=list
    )
    joined: list[tuple[int, str, Dict[str, Value], Dict[str, Value]]] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    dissolved: list[str] = field(default_factory=list)
    doubted: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    settled: list[tuple[int, str]] = field(default_factory=list)
    undone: list[int] = field(default_factory=list)
    deleted: list[Key] = field(default_factory=list)
    put_back: list[Key] = field(default_factory=list)
    """Of what somebody wanted made again: the half that was left."""
    rows_back: list[str] = field(default_factory=list)
    """The things whose rows were made again: what refers to them shows nothing there since the row was deleted."""
    apart: list[Proposal] = field(default_factory=list)
    """What an undo leaves without its other half, on purpose."""
    emptied: list[tuple[int, str]] = field(default_factory=list)
    """(row, thing) whose row an undo has removed: the thing is known without one."""
    ended: list[tuple[int, str]] = field(default_factory=list)
    """(row, thing) of pairs of which the last half was deleted: nothing refers to that row any more."""
    marked: list[int] = field(default_factory=list)
    marks: list[Op] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)


class Memory:
    """Turns receipts into what the next run knows. One for a run."""

    def __init__(
        self, database: Database, write: Write, link_id: int, run_id: int, directory: Directory,
        works: Sequence[Work], report: Report,
    ) -> None:
        self.database = database
        self.link_id = link_id
        self.write = write
        self.run_id = run_id
        self.directory = directory
        self.works = works
        self.report = report

    def remember(
        self, one: Work, side: Side, receipts: Sequence[Receipt], *, intent: int | None = None,
        pending: Dict[str, Dict[str, Value]] | None = None, sent_by: int | None = None,
    ) -> list[Op]:
        """Keep what `receipts` say, and settle `intent`. Returns the Shopify IDs that are now to be written into
        rows. `pending` is `Work.pending` of the plan that the receipts belong to, `sent_by` the run where it was
        another one."""
        batch = _Batch()
        made = [(receipt.key, receipt.op.source) for receipt in receipts
                if isinstance(receipt.op, Create) and receipt.done]
        self.directory.look_up(one.mapping.name, [
            row for key, source in made if isinstance(row := key if side is Side.LOCAL else source, int)], ())
        for receipt in receipts:
            self._take(one, side, receipt, one.pending if pending is None else pending, batch)
        mapping_id = one.mapping.id
        with self.write() as tx:
            base.dissolve(tx, mapping_id, [*batch.dissolved, *batch.replaced])
            # The rows of these were deleted a moment ago, which nobody may have seen: the next run looks at them.
            vacated = base.vacate(tx, mapping_id, [row for row, _, _, _ in batch.joined])
            inbox.note(tx, self.link_id, Side.REMOTE, [(one.mapping.name, thing) for thing in vacated])
            base.insert(tx, mapping_id, batch.joined, marked=side is Side.LOCAL, parent=one.parent_field)
            base.advance(tx, mapping_id, batch.advanced, parent=one.parent_field)
            base.doubt(tx, mapping_id, batch.doubted)
            base.mark(tx, mapping_id, batch.marked)
            for row, name in batch.settled:
                waiting.conflict_settled(tx, mapping_id, row, name)
            for key in batch.deleted:
                waiting.deletion_done(tx, mapping_id, side, key)
            for other, things in self._referring(tx, one, batch.rows_back):
                other.again |= things
                inbox.note(tx, self.link_id, Side.REMOTE, [(other.mapping.name, thing) for thing in things])
            for key in batch.put_back:
                waiting.deletion_done(tx, mapping_id, side.other, key)
            waiting.keep_apart(tx, mapping_id, batch.apart)
            base.vacate(tx, mapping_id, [row for row, _ in batch.emptied])
            if side is Side.LOCAL and batch.joined:
                one.made_hint = one.made_hint or inbox.note_whole(tx, self.link_id, side, one.mapping.name)
                one.made_rows |= {row for row, _, _, _ in batch.joined}
            changes.add(tx, batch.history)
            changes.undone(tx, batch.undone, sent_by or self.run_id)
            if intent is not None:
                journal.settle(tx, intent)
        for row, thing, _, _ in batch.joined:
            self.directory.add(one.mapping.name, row, thing)
        for row, thing in [*batch.emptied, *batch.ended]:
            self.directory.drop(one.mapping.name, row, thing)
        return batch.marks

    def _take(
        self, one: Work, side: Side, receipt: Receipt, pending: Dict[str, Dict[str, Value]], batch: _Batch
    ) -> None:
        op = receipt.op
        one.refuse([replace(refusal, title=refusal.title or op.title) for refusal in receipt.besides])
        if receipt.done:
            batch.settled += one.settles(op)
        elif isinstance(op, Update) and receipt.written:
            # Half of it was written: the rest is refused, or has to be looked at again.
            self._updated(one, replace(op, changes=receipt.written), receipt, pending, batch)
        if receipt.refusal is not None:
            one.refuse([replace(receipt.refusal, title=receipt.refusal.title or op.title)])
        elif receipt.stale:
            one.again.add(thing_of(op))
        elif receipt.unclear or receipt.passed:
            if isinstance(op, Update):
                if receipt.unclear:
                    batch.doubted.append((thing_of(op), tuple(op.values)))
                    one.again.add(thing_of(op))
                told = replace(op, changes=self._canonical(one, op))
                batch.history += [
                    self._line(one, told, kind="update", field=change.field, before=change.before, after=change.after,
                               why=Why.UNHEARD.value) for change in told.changes]
        elif isinstance(op, Update):
            self._updated(one, op, receipt, pending, batch)
        elif isinstance(op, Create):
            self._created(one, op, receipt, batch)
        elif isinstance(op, Mark):
            batch.marked.append(op.key)
        else:
            if op.why is Why.UNDO:
                # Removed by an undo, and not because its thing is gone: the two are a pair still, kept apart.
                assert isinstance(op.key, int)
                batch.emptied.append((op.key, thing_of(op)))
                batch.apart.append(Proposal(op.side.other, op.partner, op.key, op.title))
                batch.undone += op.undoes
            else:
                batch.dissolved.append(thing_of(op))
                row = op.key if op.side is Side.LOCAL else op.partner
                assert isinstance(row, int)
                batch.ended.append((row, thing_of(op)))
            batch.deleted.append(op.key)
            held = last_known(one, op) or pending.get(str(op.key), {})
            batch.history.append(self._line(one, op, kind="delete", before=held))
            counts = self.report.of(one.mapping)
            counts.deleted += 1
            counts.rows -= op.side is Side.LOCAL

    def _updated(
        self, one: Work, told: Update, receipt: Receipt, pending: Dict[str, Dict[str, Value]], batch: _Batch
    ) -> None:
        op = replace(told, changes=self._canonical(one, told))
        thing = thing_of(op)
        stored = self._stored(one, op.side, receipt.stored)
        pair = one.pairs.get(thing)
        base_local = one.mapping.values(pair.base_local) if pair else {}
        held = pending.get(thing, {}) if op.side is Side.REMOTE else {}
        # An undo is an edit like anybody's: it moves no base. Only what the cell showed before is forgotten, or going
        # back on purpose would look like going back by mistake.
        kept = replace(op, changes=tuple(change for change in op.changes if change.why is not Why.UNDO))
        agreed = after_update(one.mapping, kept, stored, held, base_local)
        agreed.shown |= {change.field: () for change in op.changes if change.why is Why.UNDO}
        batch.undone += [line for change in op.changes for line in change.undoes]
        if any(change.why is Why.DELETED for change in op.changes):
            batch.apart.append(Proposal(op.side, op.key, op.partner, op.title))  # put aside, and that is all
        batch.advanced.append((thing, agreed.local, agreed.remote, agreed.shown))
        self._look_later(one, op.side, thing, agreed)
        one.updated.add(thing)
        counts = self.report.of(one.mapping)
        counts.to_grist += len(op.changes) if op.side is Side.LOCAL else 0
        counts.to_shopify += len(op.changes) if op.side is Side.REMOTE else 0
        for change in op.changes:
            after = stored.get(change.field, change.after)
            batch.history.append(self._line(one, op, kind="update", field=change.field, before=change.before,
                                            after=after, why=change.why.value))

    def _created(self, one: Work, op: Create, receipt: Receipt, batch: _Batch) -> None:
        without = {refusal.field for refusal in receipt.besides}
        sent = self._stored(one, op.side, {name: value for name, value in op.values.items() if name not in without})
        agreed = after_create(one.mapping, op.side, sent, self._stored(one, op.side, receipt.stored))
        row, thing = (receipt.key, op.source) if op.side is Side.LOCAL else (op.source, receipt.key)
        assert isinstance(row, int)
        assert isinstance(thing, str)
        # Made again after a deletion: the old pair ends where the new one begins.
        before = {thing}
        if op.side is Side.REMOTE:
            # Made again in Shopify for a row that had another thing. A row that was made in Grist may have been given
            # the id of a deleted one, which says nothing about the thing of that one: it keeps living without a row.
            old = self.directory.thing(one.mapping.name, row) or thing
            before.add(old)
            if old != thing:
                self.directory.successors[one.mapping.name, old] = thing
        batch.replaced += [old for old in before if old in one.pairs]
        batch.joined.append((row, thing, agreed.local, agreed.remote))
        batch.history.append(self._line(one, op, kind="create", local_key=row, remote_key=thing, after=sent))
        if op.side is Side.REMOTE:
            batch.marks.append(Mark(row, thing, op.title))
            self._children_are_coming(one)
        if op.why is Why.CHOICE:
            batch.put_back.append(op.source)
            batch.rows_back += [thing] if op.side is Side.LOCAL else []
        if op.why is Why.UNDO:
            # Its thing is gone, and the row is back all the same: nobody asks whether it may be deleted again.
            batch.apart.append(Proposal(op.side, row, thing, op.title))
            batch.undone += op.undoes
        self._look_later(one, op.side, thing, agreed)
        counts = self.report.of(one.mapping)
        counts.created += 1
        counts.rows += op.side is Side.LOCAL
        counts.to_grist += op.side is Side.LOCAL
        counts.to_shopify += op.side is Side.REMOTE

    def _children_are_coming(self, one: Work) -> None:
        made = {one.mapping.name}
        for other in self.works:
            if any(target in made for _, target in other.references):
                other.parent_made = True
                made.add(other.mapping.name)

    def _referring(self, tx: Transaction, one: Work, things: Sequence[str]) -> list[tuple[Work, set[str]]]:
        """What refers to any of `things`, by the mapping that it belongs to."""
        return [(other, {thing for thing, _, _ in base.referring(tx, other.mapping.id, rule.name, set(things))})
                for other in self.works for rule in other.mapping.fields
                if things and rule.kind == "ref" and rule.field.target == one.mapping.name]

    def _look_later(self, one: Work, side: Side, thing: str, agreed: Agreed) -> None:
        if side is Side.REMOTE:
            one.written.add(thing)
        if agreed.carry or any(rule.source_only for rule in one.mapping.fields):
            one.again.add(thing)

    def _canonical(self, one: Work, op: Update) -> tuple[Change, ...]:
        """The changes of `op` with their references in canonical words again."""
        before = self._stored(one, op.side, op.before)
        after = self._stored(one, op.side, op.values)
        return tuple(replace(c, before=before[c.field], after=after[c.field]) for c in op.changes)

    def _stored(self, one: Work, side: Side, values: Dict[str, Value]) -> Dict[str, Value]:
        return self.directory.stored(one.mapping, values) if side is Side.LOCAL and one.mapping.refers else values

    def _line(
        self, one: Work, op: Op, *, kind: str, field: str = "", before: Any = None, after: Any = None, why: str = "",
        local_key: Any = None, remote_key: Any = None,
    ) -> dict[str, Any]:
        if isinstance(op, Update | Delete):
            local_key, remote_key = (op.key, op.partner) if op.side is Side.LOCAL else (op.partner, op.key)
        return {
            "run_id": self.run_id, "mapping_id": one.mapping.id, "side": op.side.value, "kind": kind,
            "local_key": local_key, "remote_key": remote_key, "field": field, "title": op.title,
            "before": changes.as_json(before), "after": changes.as_json(after), "why": why or getattr(op, "why", ""),
        }


def last_known(one: Work, op: Delete) -> Dict[str, Value]:
    """What was read last of what is deleted."""
    snapshot = one.local if op.side is Side.LOCAL else one.remote
    row = snapshot.rows.get(op.key)
    return one.mapping.values(row) if row is not None else {}


def remember_agreed(tx: Transaction, link_id: int, one: Work) -> list[int]:
    """What a plan says without a write: pairs that end, move or begin, what is asked about pairs, what agrees.

    Returns the ids of hints that this run has dealt with when it ends. Should it end before that, nothing else brings
    the next one to a thing whose row is gone: the history names the row, and that is not the pair's any more."""
    planned = one.planned
    base.dissolve(tx, one.mapping.id, [thing for _, thing in planned.dissolved])
    pairing.ask(tx, one.mapping, one.local, one.remote, planned.questions)
    base.move(tx, one.mapping.id, planned.moved)
    base.doubt(tx, one.mapping.id, [*planned.forgotten, *one.doubted])
    base.advance(tx, one.mapping.id, [(thing, {}, given, {}) for thing, given in one.behind])
    one.doubted, one.behind = [], []  # what this run makes of them is not forgotten by its second look
    base.join(tx, one.mapping.id, planned.paired)
    base.mark(tx, one.mapping.id, [row for row, thing in planned.paired if one.local.marks.get(row) == thing])
    # Should the run end before it is written, an empty cell is ours to fill, and nobody has emptied it.
    base.unmark(tx, one.mapping.id, [op.partner for op in planned.ops if isinstance(op, Mark)])
    base.advance(tx, one.mapping.id, [(a.remote_key, a.local, a.remote, {}) for a in planned.agreements],
                 parent=one.parent_field)
    whole = {thing for thing, name in one.apart if not name} & one.pairs.keys() & one.remote.rows.keys()
    apart.back(tx, one.mapping.id, {thing for thing in whole if one.pairs[thing].local in one.local.rows})
    to_write = {thing_of(op) for op in planned.ops}
    return inbox.note_ids(tx, link_id, Side.REMOTE, [
        (one.mapping.name, thing) for thing, row in planned.moved if row < 0 and thing in to_write])


def remember_looks(tx: Transaction, one: Work) -> None:
    """What the pairs look like that were read whole and are as agreed, so that the next full read recognises them.
    Nothing may be said of such a pair, and its references must mean the same on both sides."""
    if one.looks is None:
        return
    digests.keep(tx, _looked_at(one))


def _looked_at(one: Work) -> Iterator[tuple[int, bytes, bytes]]:
    rows, things, marks = one.local, one.remote, one.local.marks
    moving = {thing for thing, _ in (*one.planned.moved, *one.planned.forgotten, *one.doubted)}
    refers = [place for place, rule in enumerate(one.mapping.fields) if rule.kind in REFERENCES]
    for thing, pair in one.pairs.items():
        looks, other = rows.digests.get(pair.local), things.digests.get(thing)
        if not (looks and other and pair.marked and marks.get(pair.local) == thing) or thing in moving:
            continue
        held, told = pair.base_local, pair.base_remote
        if rows.rows.get(pair.local) == held and things.rows.get(thing) == told and not (
                UNREAD in held or UNREAD in told or any(held[place] != told[place] for place in refers)):
            yield pair.id, looks, other


def remember_loose(tx: Transaction, one: Work) -> None:
    """What still has no partner now that everything was written."""
    mapping_id = one.mapping.id
    paired = base.places(tx, mapping_id, one.free_rows, one.free_things)
    for side, free, place in ((Side.LOCAL, one.free_rows, 0), (Side.REMOTE, one.free_things, 1)):
        now = free - {pair[place] for pair in paired}
        loose.replace(tx, mapping_id, side, now, one.looked_at)
    with_rows = base.count(tx, mapping_id)[1]
    links.remember_rows(tx, mapping_id, with_rows + loose.count(tx, mapping_id, Side.LOCAL))

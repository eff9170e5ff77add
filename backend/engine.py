"""One run over one link:

    prepare → read both sides → plan → brakes → (a preview stops here) → write, batch by batch → look once more

The engine decides nothing about values: `core` does. It knows no service: connectors do. What it adds is the
order of things and what is remembered when: each batch is remembered before the next is sent, so that wherever
a run ends, the next one goes on from the truth.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from typing import Any

from backend.connector import Connector
from backend.core.agree import Agreed, after_create, after_update
from backend.core.guard import Limits, brakes
from backend.core.mapping import Directory
from backend.core.model import (
    Create,
    Delete,
    Key,
    Mapping,
    Mark,
    Op,
    Pair,
    Plan,
    Receipt,
    Refusal,
    Side,
    Snapshot,
    Update,
)
from backend.core.plan import plan
from backend.core.values import UNREAD, Value
from backend.errors import BrakeError, SyncError
from backend.report import Report, plan_lines
from backend.store import base, changes, links, waiting
from backend.store.db import Database

ROUNDS = 3
"""How often one run looks at what it touched. A formula that feeds itself is left to the next run."""
REST_SECONDS = 30.0
"""How long a new row in Grist stays untouched before it is created in Shopify."""
PLAN_LINES_KEPT = 500


class Cancelled(SyncError):
    """Somebody pressed Cancel; the batch in hand was finished and remembered."""

    code = "cancelled"


class LeaseLost(SyncError):
    """Another worker has taken this run; nothing more may be written here."""

    code = "lease_lost"


@dataclass
class Session:
    """Everything that one run needs, handed in by whoever knows everybody."""

    database: Database
    link_id: int
    run_id: int
    mappings: Sequence[Mapping]
    local: Connector
    remote: Connector
    bindings: Dict[str, Any] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    rest_seconds: float = REST_SECONDS
    go_on: bool = False
    """A person has looked at the brakes: this run goes on."""
    beat: Callable[[dict[str, Any]], None] = lambda progress: None
    """Called before each step with how far the run is. Raises Cancelled or LeaseLost."""
    clock: Callable[[], float] = time.monotonic


def sync(session: Session) -> Report:
    """Bring both sides of a link to agreement.

    Raises BrakeError before anything is written; Cancelled, LeaseLost, UserError and RetryLater at any step,
    each with the `report` of what was done until then.
    """
    return _Run(session).sync()


def preview(session: Session) -> Report:
    """What `sync` would do now. Writes nothing anywhere, not even what it has seen."""
    return _Run(session).preview()


@dataclass
class _Mapped:
    """One mapping at work."""

    mapping: Mapping
    moved: frozenset[str] = frozenset()
    """Fields that live in another column than at the last run: what that one held says nothing about this one."""
    pairs: dict[str, Pair] = field(default_factory=dict)
    """By thing."""
    local: Snapshot = field(default_factory=Snapshot)
    remote: Snapshot = field(default_factory=Snapshot)
    plan: Plan | None = None
    pending: dict[str, dict[str, Value]] = field(default_factory=dict)
    """By thing: what Grist still holds of the fields that the plan writes there."""
    again: set[str] = field(default_factory=set)
    """Things to look at once more in this run."""
    written: set[str] = field(default_factory=set)
    """Things written in Shopify since the last look."""
    parent_made: bool = False
    """Something that this mapping refers to was made in Shopify, which makes children of its own: a new product
    has a variant, a new variant stock levels. Only a whole read finds those."""
    refusals: dict[tuple[Side, Key, str], Refusal] = field(default_factory=dict)
    updated: set[str] = field(default_factory=set)
    batches_done: int = 0

    def refuse(self, refusals: Iterable[Refusal]) -> None:
        self.refusals.update({(one.side, one.key, one.field): one for one in refusals})


class _Run:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.report = Report()
        self.directory = Directory()
        self.work: list[_Mapped] = []
        self.started = session.clock()

    def sync(self) -> Report:
        try:
            self._prepare(write=True)
            self._read()
            self._plan()
            self._brake()
            self._remember_plan()
            self._write()
            for _ in range(ROUNDS - 1):
                if not self._look_again():
                    break
            self._finish()
        except Exception as error:
            error.report = self._counted()  # type: ignore[attr-defined]  # whoever shows the error shows this too
            raise
        return self._counted()

    def preview(self) -> Report:
        self.report.state = "preview"
        self._prepare(write=False)
        self._read()
        self._plan()
        try:
            self._brake()
        except BrakeError as brake:
            self.report.message, self.report.cure = brake.message, brake.cure
        lines = [line for one in self.work if one.plan for line in plan_lines(one.plan)]
        self.report.plan, self.report.plan_total = lines[:PLAN_LINES_KEPT], len(lines)
        for one in self.work:
            self._count_planned(one)
        return self._counted()

    # --- reading --------------------------------------------------------------------------------

    def _prepare(self, *, write: bool) -> None:
        session = self.session
        self._say("preparing")
        remote = session.remote.prepare(session.mappings, {}, write=write)
        ready = [mapping for mapping in remote.mappings if mapping.name not in remote.paused]
        local = session.local.prepare(ready, dict(session.bindings), write=write)
        paused = remote.paused | local.paused
        self.report.notes += [*remote.notes, *local.notes]
        self.work = [
            _Mapped(mapping, moved=frozenset(local.moved.get(mapping.name, ())))
            for mapping in local.mappings if mapping.name not in paused
        ]
        for mapping in session.mappings:
            now = next((one.mapping for one in self.work if one.mapping.name == mapping.name), mapping)
            self.report.of(now).paused = paused.get(mapping.name)
        if write:
            with session.database.write() as tx:
                for mapping in session.mappings:
                    links.remember_binding(tx, mapping.id, local.bindings.get(mapping.name), paused.get(mapping.name))
                    base.forget(tx, mapping.id, local.moved.get(mapping.name, ()))

    def _read(self) -> None:
        with self.session.database.read() as tx:
            for stored in links.mappings(tx, self.session.link_id):
                for row, thing in base.keys(tx, stored.id):
                    self.directory.add(stored.resource, row, thing)
        for one in self.work:
            self._read_local(one)
        for one in self.work:
            self._read_remote(one)

    def _read_local(self, one: _Mapped) -> None:
        self._say("reading_grist", one)
        with self.session.database.read() as tx:
            one.pairs = {pair.remote: _forgetting(pair, one) for pair in base.pairs(tx, one.mapping)}
        one.local = self.session.local.read(one.mapping)
        self.report.notes += one.local.notes

    def _read_remote(self, one: _Mapped) -> None:
        self._say("reading_shopify", one)
        seen = self.session.remote.read(one.mapping)
        # No list proves absence on Shopify's side: what it lacks is asked by id.
        unseen = one.pairs.keys() - seen.rows.keys() - seen.gone - seen.outside
        one.remote = seen.merged(self.session.remote.read(one.mapping, unseen)) if unseen else seen
        self.report.notes += one.remote.notes

    # --- deciding -------------------------------------------------------------------------------

    def _plan(self) -> None:
        self._say("comparing")
        for one in self.work:
            planned, counts = self._plan_one(one), self.report.of(one.mapping)
            counts.rows, counts.unchanged = planned.rows, planned.unchanged

    def _plan_one(self, one: _Mapped) -> Plan:
        mapping = one.mapping
        one.local = self.directory.canonical_local(mapping, one.local)
        one.remote = self.directory.canonical_remote(mapping, one.remote)
        with self.session.database.read() as tx:
            one.plan = plan(
                mapping, one.local, one.remote, list(one.pairs.values()),
                choices=waiting.choices(tx, mapping),
                approved=waiting.approved_deletions(tx, mapping.id),
                resting=waiting.resting(tx, mapping.id, _looks_of_new_rows(one), self.session.rest_seconds),
            )
        one.refuse(one.plan.refusals)
        for row, thing in one.plan.paired:
            self.directory.add(mapping.name, row, thing)
        for pair in one.pairs.values():
            if one.local.proves_gone(pair.local):
                # Grist gives freed row ids away again: nothing may point at a row that is not there.
                self.directory.drop(mapping.name, pair.local, pair.remote)
        coming = (str(op.source) for op in one.plan.on(Side.LOCAL) if isinstance(op, Create))
        self.directory.expect(mapping.name, coming)
        return one.plan

    def _brake(self) -> None:
        pulled = []
        with self.session.database.read() as tx:
            for one in self.work:
                known = waiting.known_deletions(tx, one.mapping.id)
                assert one.plan is not None
                pulled += brakes(one.plan, one.local, one.remote, len(one.pairs), self.session.limits, known)
        if pulled and not self.session.go_on:
            raise BrakeError(
                " ".join(brake.message for brake in pulled) + " Nothing was written.",
                cure="If it was meant, look at the preview and let one sync go on. If not, restore it and sync again.",
                brake=pulled[0].name, figures=pulled[0].figures,
            )

    # --- writing --------------------------------------------------------------------------------

    def _remember_plan(self) -> None:
        """What needs no write: new pairs, agreements, and what waits for somebody."""
        with self.session.database.write() as tx:
            for one in self.work:
                planned = one.plan
                assert planned is not None
                base.join(tx, one.mapping.id, planned.paired)
                base.mark(tx, one.mapping.id, [r for r, thing in planned.paired if one.local.marks.get(r) == thing])
                base.dissolve(tx, one.mapping.id, [thing for _, thing in planned.dissolved])
                _remember_agreements(tx, planned)
                waiting.replace_conflicts(tx, one.mapping, planned.conflicts)
                if one.mapping.whole:
                    waiting.replace_deletions(tx, one.mapping.id, planned.proposals)
                    waiting.sight(tx, one.mapping.id, _looks_of_new_rows(one))
                links.remember_rows(tx, one.mapping.id, planned.rows)

    def _write(self) -> None:
        """All plans, in order of reference: what is referred to exists before it is referred to. Within a mapping
        Shopify comes first, since its conditional writes may still be refused; deletions come last, backwards."""
        for one in self.work:
            assert one.plan is not None
            one.pending = {str(op.partner): op.before for op in one.plan.on(Side.LOCAL) if isinstance(op, Update)}
            to_remote = [op for op in one.plan.on(Side.REMOTE) if not isinstance(op, Delete)]
            unwritten = self._send(one, self.session.remote, to_remote)
            to_local = [op for op in one.plan.on(Side.LOCAL) if not isinstance(op, Delete)]
            self._send(one, self.session.local, [kept for op in to_local if (kept := _without(op, unwritten))])
        for one in reversed(self.work):
            assert one.plan is not None
            for connector in (self.session.remote, self.session.local):
                self._send(one, connector, [op for op in one.plan.on(connector.side) if isinstance(op, Delete)])

    def _send(self, one: _Mapped, connector: Connector, ops: Sequence[Op]) -> set[tuple[Key, str]]:
        """Write `ops` batch by batch, remembering each before the next is sent.

        Returns (key on the other side, field) of the updates that were not written, so that the other half of a
        merge is not written either.
        """
        unwritten: set[tuple[Key, str]] = set()
        ready = [told for op in ops if (told := self._told(one, op)) is not None]
        for batch in connector.batches(one.mapping, ready) if ready else ():
            self._say("writing", one)
            receipts = connector.apply(one.mapping, batch)
            self._remember(one, connector.side, receipts)
            one.batches_done += len(batch)
            unwritten |= {
                (receipt.op.partner, change.field)
                for receipt in receipts if not receipt.done and isinstance(receipt.op, Update)
                for change in receipt.op.changes
            }
        return unwritten

    def _told(self, one: _Mapped, op: Op) -> Op | None:
        """`op` with its references in the words of the side that it goes to; None where it has to wait for them."""
        if not isinstance(op, Create | Update):
            return op
        if op.side is Side.LOCAL:
            told = self.directory.for_local(one.mapping, op)
        else:
            told = self.directory.for_remote(one.mapping, op)
        if isinstance(told, Update):
            return told if told.changes else None
        lacking = [rule.field.label for rule in one.mapping.fields
                   if op.side is Side.REMOTE and rule.field.required and rule.name not in told.values]
        if lacking:
            one.refuse([Refusal(
                Side.LOCAL, op.source if isinstance(op, Create) else op.partner,
                f"This new row is not in Shopify yet, because its {' and '.join(lacking)} is not there yet.",
                "It is created once that one is.", title=op.title, waits=True,
            )])
            return None
        return told

    # --- remembering ----------------------------------------------------------------------------

    def _remember(self, one: _Mapped, side: Side, receipts: Sequence[Receipt]) -> None:
        """Bases, pairs and history of one batch, in one transaction."""
        batch = _Batch()
        for receipt in receipts:
            op = receipt.op
            if receipt.refusal is not None:
                one.refuse([replace(receipt.refusal, title=receipt.refusal.title or op.title)])
            elif receipt.stale:
                one.again.add(_thing(op))
            elif isinstance(op, Update):
                self._updated(one, replace(op, changes=self._canonical(one, op)), receipt, batch)
            elif isinstance(op, Create):
                self._created(one, op, receipt, batch)
            elif isinstance(op, Mark):
                batch.marked.append(op.key)
            else:
                batch.dissolved.append(_thing(op))
                batch.history.append(self._line(one, op, kind="delete", before=_known_values(one, op)))
                self.report.of(one.mapping).deleted += 1
        mapping_id = one.mapping.id
        with self.session.database.write() as tx:
            base.dissolve(tx, mapping_id, [*batch.dissolved, *batch.replaced])
            base.insert(tx, mapping_id, batch.joined, marked=side is Side.LOCAL)
            base.advance(tx, mapping_id, batch.advanced)
            base.mark(tx, mapping_id, batch.marked)
            changes.add(tx, batch.history)
        for row, thing, _, _ in batch.joined:
            self.directory.add(one.mapping.name, row, thing)
        if batch.marks:
            self._send(one, self.session.local, batch.marks)

    def _updated(self, one: _Mapped, op: Update, receipt: Receipt, batch: _Batch) -> None:
        thing = _thing(op)
        stored = self._stored(one, op.side, receipt.stored)
        pair = one.pairs.get(thing)
        base_local = one.mapping.values(pair.base_local) if pair else {}
        pending = one.pending.get(thing, {}) if op.side is Side.REMOTE else {}
        agreed = after_update(one.mapping, op, stored, pending, base_local)
        batch.advanced.append((thing, agreed.local, agreed.remote, agreed.shown))
        self._after(one, op.side, thing, agreed)
        one.updated.add(thing)
        counts = self.report.of(one.mapping)
        counts.to_grist += len(op.changes) if op.side is Side.LOCAL else 0
        counts.to_shopify += len(op.changes) if op.side is Side.REMOTE else 0
        for change in op.changes:
            batch.history.append(self._line(one, op, kind="update", field=change.field, before=change.before,
                                            after=stored.get(change.field, change.after), why=change.why.value))

    def _created(self, one: _Mapped, op: Create, receipt: Receipt, batch: _Batch) -> None:
        sent = self._stored(one, op.side, op.values)
        agreed = after_create(one.mapping, op.side, sent, self._stored(one, op.side, receipt.stored))
        row, thing = (receipt.key, op.source) if op.side is Side.LOCAL else (op.source, receipt.key)
        assert isinstance(row, int)
        assert isinstance(thing, str)
        # Made again after a deletion: the old pair ends where the new one begins.
        before = {thing, self.directory.thing(one.mapping.name, row) or thing}
        batch.replaced += [old for old in before if old in one.pairs]
        batch.joined.append((row, thing, agreed.local, agreed.remote))
        batch.history.append(self._line(one, op, kind="create", local_key=row, remote_key=thing, after=dict(sent)))
        if op.side is Side.REMOTE:
            batch.marks.append(Mark(row, thing, op.title))
            made = {one.mapping.name}
            for other in self.work:
                if any(target in made for _, target in _references(other.mapping)):
                    other.parent_made = True
                    made.add(other.mapping.name)
        self._after(one, op.side, thing, agreed)
        counts = self.report.of(one.mapping)
        counts.created += 1
        counts.to_grist += len(sent) if op.side is Side.LOCAL else 0
        counts.to_shopify += len(sent) if op.side is Side.REMOTE else 0

    def _after(self, one: _Mapped, side: Side, thing: str, agreed: Agreed) -> None:
        if side is Side.REMOTE:
            one.written.add(thing)
        if agreed.carry or any(rule.source_only for rule in one.mapping.fields):
            one.again.add(thing)

    def _canonical(self, one: _Mapped, op: Update) -> tuple[Any, ...]:
        """The changes of `op` with their references in canonical words again."""
        before = self._stored(one, op.side, op.before)
        after = self._stored(one, op.side, op.values)
        return tuple(replace(c, before=before[c.field], after=after[c.field]) for c in op.changes)

    def _stored(self, one: _Mapped, side: Side, values: Dict[str, Value]) -> Dict[str, Value]:
        return self.directory.stored(one.mapping, values) if side is Side.LOCAL else values

    def _line(self, one: _Mapped, op: Op, *, kind: str, field: str = "", before: Any = None, after: Any = None,
              why: str = "", local_key: int | None = None, remote_key: str | None = None) -> dict[str, Any]:
        if isinstance(op, Update | Delete):
            local_key, remote_key = (op.key, op.partner) if op.side is Side.LOCAL else (op.partner, op.key)  # type: ignore[assignment]
        return {
            "run_id": self.session.run_id, "mapping_id": one.mapping.id, "side": op.side.value, "kind": kind,
            "local_key": local_key, "remote_key": remote_key, "field": field, "title": op.title,
            "before": changes.as_json(before), "after": changes.as_json(after),
            "why": why or getattr(op, "why", ""),
        }

    # --- the second look ------------------------------------------------------------------------

    def _look_again(self) -> bool:
        """Read by id what was touched, plan it and write once more: formula results, totals, values that a service
        stored differently, conditional writes that came too late. False when there was nothing to do."""
        self._spread()
        looking = [one for one in self.work if one.again or one.parent_made]
        for one in self.work:
            one.plan = Plan(one.mapping)
            one.written = set()
        for one in looking:
            whole, things = one.parent_made, one.again
            one.parent_made, one.again = False, set()
            if whole:
                self._read_local(one)
                self._read_remote(one)
            else:
                self._read_some(one, things)
            planned = self._plan_one(one)
            with self.session.database.write() as tx:
                base.join(tx, one.mapping.id, planned.paired)
                _remember_agreements(tx, planned)
                rows = None if whole else {pair.local for pair in one.pairs.values()}
                waiting.replace_conflicts(tx, one.mapping, planned.conflicts, rows)
        if any(one.plan and not one.plan.empty for one in looking):
            self._write()
            return True
        return False

    def _read_some(self, one: _Mapped, things: Collection[str]) -> None:
        """Read the pairs of `things` by id. Such a read never proves anything about the others."""
        self._say("checking", one)
        with self.session.database.read() as tx:
            one.pairs = {pair.remote: pair for pair in base.pairs(tx, one.mapping) if pair.remote in things}
        rows = {pair.local for pair in one.pairs.values()}
        one.local = replace(self.session.local.read(one.mapping, rows), complete=False)
        one.remote = replace(self.session.remote.read(one.mapping, set(one.pairs)), complete=False)

    def _spread(self) -> None:
        """Writing a thing moves computed fields of its relatives: a product's total, a variant's display name.
        Adds to `again` what was written and its relatives, wherever a computed field is mapped."""
        by_name = {one.mapping.name: one for one in self.work}
        written = {one.mapping.name: set(one.written) for one in self.work}
        for one in self.work:
            for place, target in _references(one.mapping):
                if written.get(target):
                    related = {str(key) for key, row in one.remote.rows.items() if row[place] in written[target]}
                    one.again |= related if _computes(one.mapping) else set()
        for one in reversed(self.work):
            for place, target in _references(one.mapping):
                if target in by_name:
                    up = {row[place] for key, row in one.remote.rows.items() if key in written[one.mapping.name]}
                    written[target] |= {thing for thing in up if isinstance(thing, str)}
        for one in self.work:
            one.again |= written[one.mapping.name] if _computes(one.mapping) else set()

    # --- telling --------------------------------------------------------------------------------

    def _finish(self) -> None:
        with self.session.database.write() as tx:
            for one in self.work:
                waiting.replace_refusals(tx, one.mapping, list(one.refusals.values()))
            links.mark_synced(tx, self.session.link_id)
            waits = waiting.counts(tx, self.session.link_id)
        for one in self.work:
            counts, waiting_here = self.report.of(one.mapping), waits.get(one.mapping.id, {})
            counts.conflicts = waiting_here.get("conflicts", 0)
            counts.proposed_deletions = waiting_here.get("deletions", 0)

    def _count_planned(self, one: _Mapped) -> None:
        assert one.plan is not None
        counts = self.report.of(one.mapping)
        counts.conflicts, counts.proposed_deletions = len(one.plan.conflicts), len(one.plan.proposals)
        for op in one.plan.ops:
            if isinstance(op, Update):
                one.updated.add(_thing(op))
                counts.to_grist += len(op.changes) if op.side is Side.LOCAL else 0
                counts.to_shopify += len(op.changes) if op.side is Side.REMOTE else 0
            else:
                counts.created += isinstance(op, Create)
                counts.deleted += isinstance(op, Delete)

    def _counted(self) -> Report:
        for one in self.work:
            counts = self.report.of(one.mapping)
            counts.table = one.mapping.table
            counts.updated = len(one.updated)
            counts.refused = sum(not refusal.waits for refusal in one.refusals.values())
            counts.waiting = sum(refusal.waits for refusal in one.refusals.values())
        self.report.notes += [*self.session.remote.notes, *self.session.local.notes]
        self.report.used(self.session.local.usage, self.session.remote.usage)
        self.report.seconds = self.session.clock() - self.started
        return self.report

    def _say(self, phase: str, one: _Mapped | None = None) -> None:
        """Tell how far the run is; raises where it must not go on."""
        self.session.beat({
            "phase": phase, "thing": one.mapping.resource.label if one else "",
            "done": one.batches_done if one else 0, "total": len(one.plan.ops) if one and one.plan else None,
            "mappings": [
                {"resource": m.mapping.name, "label": m.mapping.resource.label, "read": len(m.local.rows),
                 "to_write": len(m.plan.ops) if m.plan else 0, "written": m.batches_done,
                 "state": _state(m, writing=phase == "writing" and m is one)}
                for m in self.work
            ],
        })


@dataclass
class _Batch:
    """What one batch leaves behind."""

    advanced: list[tuple[str, Dict[str, Value], Dict[str, Value], Dict[str, tuple[Value, ...]]]] = field(
        default_factory=list)
    joined: list[tuple[int, str, Dict[str, Value], Dict[str, Value]]] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    dissolved: list[str] = field(default_factory=list)
    marked: list[int] = field(default_factory=list)
    marks: list[Op] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)


def _remember_agreements(tx: Any, planned: Plan) -> None:
    base.advance(tx, planned.mapping.id, [(a.remote_key, a.local, a.remote, {}) for a in planned.agreements])


def _thing(op: Op) -> str:
    """The Shopify key of what an op is about; a row that is not there yet has none."""
    if isinstance(op, Create):
        return str(op.source) if op.side is Side.LOCAL else ""
    if isinstance(op, Mark):
        return op.partner
    return str(op.key if op.side is Side.REMOTE else op.partner)


def _known_values(one: _Mapped, op: Delete) -> dict[str, Value]:
    snapshot = one.local if op.side is Side.LOCAL else one.remote
    row = snapshot.rows.get(op.key)
    return one.mapping.values(row) if row is not None else {}


def _without(op: Op, unwritten: Collection[tuple[Key, str]]) -> Op | None:
    """`op` less the fields whose other half was not written."""
    if not isinstance(op, Update) or not unwritten:
        return op
    changes_left = tuple(change for change in op.changes if (op.key, change.field) not in unwritten)
    return replace(op, changes=changes_left) if changes_left else None


def _looks_of_new_rows(one: _Mapped) -> dict[int, str]:
    """New rows in Grist that may be created in Shopify: row id → a digest of what they look like."""
    if not (one.mapping.create_remote and one.mapping.resource.creatable and one.mapping.whole):
        return {}
    known = {pair.local for pair in one.pairs.values()}
    return {
        key: hashlib.sha256(repr(row).encode()).hexdigest()
        for key, row in one.local.rows.items()
        if isinstance(key, int) and key not in known and key not in one.local.marks
    }


def _forgetting(pair: Pair, one: _Mapped) -> Pair:
    """`pair` without the base of the fields that moved to another column."""
    if not one.moved:
        return pair
    places = {one.mapping.index[name] for name in one.moved}
    unread = [UNREAD if i in places else value for i, value in enumerate(pair.base_local)]
    return replace(pair, base_local=tuple(unread))


def _references(mapping: Mapping) -> list[tuple[int, str]]:
    return [(i, rule.field.target) for i, rule in enumerate(mapping.fields) if rule.kind == "ref"]


def _computes(mapping: Mapping) -> bool:
    """Whether Shopify computes any mapped field here, so that a write elsewhere in the thing may move it."""
    return any(not rule.field.writable and rule.kind != "ref" for rule in mapping.fields)


def _state(one: _Mapped, *, writing: bool) -> str:
    if writing:
        return "writing"
    if one.plan is None:
        return "waits"
    if not one.plan.ops:
        return "nothing"
    return "done" if one.batches_done >= len(one.plan.ops) else "next"

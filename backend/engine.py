"""One run over one link:

    gather what may have changed → (nothing: the run ends)
            → prepare → settle what is open → read that of both sides → plan → brakes → (a preview stops here)
            → write, batch by batch → look once more → move the checkpoints

The engine decides nothing about values: `core` does. It knows no service: connectors do. What it adds is the
order of things. Each batch stands in the journal before it is sent and is remembered before the next one is, so
that wherever a run ends, the next one goes on from the truth.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence, Set
from dataclasses import replace

from backend import checkpoints, listed, worded
from backend.connector import Connector, Stamp
from backend.core.guard import FLIPS_SECONDS, RESTORED, Brake, brakes, copied, flips
from backend.core.mapping import Directory
from backend.core.model import Create, Delete, Key, Mapping, Mark, Op, Plan, Receipt, Side, Update, Why
from backend.core.plan import fingerprint, plan
from backend.core.undo import Undo
from backend.errors import BrakeError, OutcomeUnknown, PreviewOutdated, SyncError
from backend.gather import Gathered, gather
from backend.look import Looking, collect_seldom, without_collecting
from backend.recover import Recovery, pairs_anew
from backend.remember import Memory, last_known, remember_agreed, remember_looks, remember_loose
from backend.report import Report, changing, meeting, plan_lines, restless
from backend.ripples import Ripples
from backend.session import Session, UndoWanted
from backend.store import apart, base, changes, journal, links, loose, pairing, waiting
from backend.store.db import Transaction
from backend.taking_back import undoings
from backend.work import Scope, Work, thing_of

ROUNDS = 3
"""How often one run looks at what it touched. A formula that feeds itself is left to the next run."""
LEFT_OPEN = ("An earlier sync was cut off. What it left open is settled by the next sync, so that one may write less "
             "than stands here.")
PLAN_LINES_KEPT = 500
MEETINGS_KEPT = 200
"""How many pairs, doubles and rows of one side a preview lists of each mapping; it counts all of them."""
KEYS_AT_ONCE = 5_000
"""Above this many the directory takes all keys of a mapping rather than asking for each."""


def sync(session: Session) -> Report:
    """Bring both sides of a link to agreement.

    Raises BrakeError before anything is written; Cancelled, LeaseLost, UserError and RetryLater at any step,
    each with the `report` of what was done until then.
    """
    return _Run(session).sync()


def preview(session: Session) -> Report:
    """What `sync` would do now. Writes nothing anywhere, not even what it has seen."""
    return _Run(session).preview()


def undo(session: Session, wanted: UndoWanted) -> Report:
    """Take back what the history says was written, then sync, so that both sides keep it. Lines that were edited
    since, or that the next sync would write again, stay; `Report.stays` says why. Raises what `sync` raises."""
    return _Run(session).undo(wanted)


def preview_undo(session: Session, wanted: UndoWanted) -> Report:
    """What `undo` would write and what would stay. Writes nothing."""
    return _Run(session).preview_undo(wanted)


class _Run:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.report = Report()
        self.directory = Directory(
            self._find_places, unseen=lambda resource: all(one.mapping.name != resource for one in self.work))
        self.work: list[Work] = []
        self.memory = Memory(session.database, session.write, session.link_id, session.run_id, self.directory,
                             self.work, self.report)
        self.recognising = False
        """Whether what looks as it did when it was agreed is taken for that: by a sync, while nothing is open."""
        self.looking = Looking(session.database, self.directory, session.local, session.remote, self._say)
        self.ripples = Ripples(session)
        self.gathered = Gathered()
        self.mapping_ids: dict[str, int] = {}
        """Of all resources that were ever mapped: what refers to them may be read."""
        self.started = session.clock()
        self.wrote_before = self._writes()
        self._saying: tuple[str, Work | None] = ("preparing", None)
        for connector in (session.local, session.remote):
            connector.watch(self._still_ours, self._going_on)

    def sync(self) -> Report:
        try:
            if self._gather(write=True):
                self.recognising = not (self.gathered.cut_off or self.gathered.restored)
                self._sync()
            else:
                self._check_plan()
                self._finish()
        except Exception as error:
            error.report = self._counted()  # type: ignore[attr-defined]  # whoever shows the error shows this too
            raise
        return self._counted()

    def _settle_and_read(self) -> None:
        """Read both sides, and find out what became of whatever an earlier run left open."""
        if not self.gathered.cut_off:
            self._read()
            return
        recovery = Recovery(self.memory, self.session.local, self.session.remote)
        recovery.halt()
        for one in self.work:
            pairs_anew(self.memory, one)
            recovery.repeat(one)
        self._read()
        for one in self.work:
            if recovery.look(one):
                pairs_anew(self.memory, one)
        self.gathered.cut_off = False

    def _sync(self) -> None:
        self._settle_and_read()
        self._plan()
        self._check_plan()
        self._brake()
        self._remember_plan()
        collect_seldom()
        self._write()
        rounds = [changing(one.planned for one in self.work)]
        while len(rounds) < ROUNDS and self._look_again():
            rounds.append(changing(one.planned for one in self.work))
        if len(rounds) == ROUNDS:
            self.report.notes += restless(rounds)
        self._finish()

    def undo(self, wanted: UndoWanted) -> Report:
        try:
            self._gather(write=True)
            if not self.work:
                self._prepare(write=True)
            if self.gathered.cut_off:
                self._settle_and_read()
            self._pull([RESTORED] if self.gathered.restored else [])
            found = self._undoing(wanted)
            for one, undoing in found:
                made = [op for op in undoing.ops if not isinstance(op, Delete)]
                self._send(one, self.session.remote, [op for op in made if op.side is Side.REMOTE])
                self._send(one, self.session.local, self._unheld(one, (op for op in made if op.side is Side.LOCAL)))
            for one, undoing in reversed(found):
                self._send(one, self.session.local, [op for op in undoing.ops if isinstance(op, Delete)])
            for one, undoing in found:
                # Written after both sides were asked what changed, so nobody else names them.
                things = {*one.pairs, *map(thing_of, undoing.ops)}
                one.scope.add({pair.local for pair in one.pairs.values()}, things)
            self._sync()
        except Exception as error:
            error.report = self._counted()  # type: ignore[attr-defined]
            raise
        return self._counted()

    def preview_undo(self, wanted: UndoWanted) -> Report:
        self.report.state = "preview"
        self._prepare(write=False)
        with self.session.database.read() as tx:
            if journal.count(tx, self.session.link_id):
                self.report.notes.append(LEFT_OPEN)
        found = self._undoing(wanted)
        self._tell_lines(Plan(one.mapping, undoing.ops) for one, undoing in found)
        return self._counted()

    def _undoing(self, wanted: UndoWanted) -> list[tuple[Work, Undo]]:
        return undoings(self.session, wanted, self.work, self.directory, self.looking, self.report)

    def preview(self) -> Report:
        self.report.state = "preview"
        self._gather(write=False)
        if self.gathered.cut_off:
            self.report.notes.append(LEFT_OPEN)
        self._read()
        self._plan()
        try:
            self._brake()
        except BrakeError as brake:
            self.report.message, self.report.cure = brake.message, brake.cure
        self._tell_plan()
        self.report.pairing = [
            meeting(one.planned, one.local, one.remote, one.pairs.values(), MEETINGS_KEPT) for one in self.work
        ]
        for one in self.work:
            self._count_planned(one)
        return self._counted()

    def _tell_plan(self) -> None:
        self.report.fingerprint = fingerprint(one.planned for one in self.work)
        self._tell_lines(one.planned for one in self.work)

    def _tell_lines(self, plans: Iterable[Plan]) -> None:
        lines = [line for planned in plans for line in plan_lines(planned)]
        self.report.plan, self.report.plan_total = lines[:PLAN_LINES_KEPT], len(lines)

    # --- reading --------------------------------------------------------------------------------

    def _gather(self, *, write: bool) -> bool:
        """Find out what to look at, and prepare for it. False where there is nothing."""
        self._say("preparing")
        self.gathered = self._gathered(self.session.mappings)
        if self.gathered.unprepared:
            self._prepare(write=write)
            self.gathered = self._gathered([one.mapping for one in self.work], self.gathered)
        self.report.way = self.gathered.way
        if self.gathered.quiet and all(self._runs_as_before(mapping) for mapping in self.session.mappings):
            self.work.clear()  # prepared only to be asked: what is remembered of refusals and rows stands
            return False
        if not self.work:
            self._prepare(write=write)
            if write and self.gathered.all_whole:
                # What was just made in the document is no news: all of it is read now, and after this moment.
                now = self.session.local.changed([one.mapping for one in self.work], None)
                self.gathered.checkpoints["grist"] = now.checkpoint
        for one in self.work:
            scope = self.gathered.scopes.get(one.mapping.name, Scope())
            one.scope = Scope() if one.moved else scope
        return True

    def _runs_as_before(self, mapping: Mapping) -> bool:
        """Whether nothing of a mapping is paused or lives elsewhere now; unknown while it is not prepared."""
        if not self.work:
            return True
        one = next((one for one in self.work if one.mapping.name == mapping.name), None)
        return one is not None and not one.moved and one.mapping.names == mapping.names

    def _gathered(self, mappings: Sequence[Mapping], before: Gathered | None = None) -> Gathered:
        session = self.session
        return gather(session.database, session.link_id, mappings, session.local, session.remote,
                      everything=session.everything, audit_seconds=session.audit_seconds, before=before, say=self._say)

    def _prepare(self, *, write: bool) -> None:
        session = self.session
        self._say("reading_shopify")
        remote = session.remote.prepare(session.mappings, {}, write=write)
        ready = [mapping for mapping in remote.mappings if mapping.name not in remote.paused]
        self._say("reading_grist")
        local = session.local.prepare(ready, dict(session.bindings), write=write)
        paused = remote.paused | local.paused
        self.report.notes += [*remote.notes, *local.notes]
        self.work += [
            Work(mapping, moved=frozenset(local.moved.get(mapping.name, ())))
            for mapping in local.mappings if mapping.name not in paused
        ]
        for mapping in session.mappings:
            now = next((one.mapping for one in self.work if one.mapping.name == mapping.name), mapping)
            self.report.of(now).paused = paused.get(mapping.name)
        with session.database.read() as tx:
            stored = {one.resource: one for one in links.mappings(tx, session.link_id)}
        self.mapping_ids = {name: one.id for name, one in stored.items()}
        news = [mapping for mapping in session.mappings if mapping.name not in stored or local.moved.get(mapping.name)
                or links.is_news(stored[mapping.name], local.bindings.get(mapping.name), paused.get(mapping.name))]
        if write and news:
            with session.write() as tx:
                for mapping in news:
                    links.remember_binding(tx, mapping.id, local.bindings.get(mapping.name), paused.get(mapping.name))
                    base.forget(tx, mapping.id, local.moved.get(mapping.name, ()))

    def _find_places(self, resource: str, rows: Set[int], things: Set[str]) -> list[tuple[int, str]]:
        """For the directory: the pairs of these rows and things. A pair whose row is gone has no place."""
        mapping_id = self.mapping_ids.get(resource)
        if mapping_id is None:
            return []
        with self.session.database.read() as tx:
            many = len(rows) + len(things) > KEYS_AT_ONCE
            found = base.keys(tx, mapping_id) if many else base.places(tx, mapping_id, rows, things)
        return [(row, thing) for row, thing in found if row >= 0]

    def _read(self) -> None:
        """In order of reference, so that what changed above is known below."""
        with without_collecting():
            for one in self.work:
                turned = self.gathered.turned.get(one.mapping.name)
                self.report.notes += self.looking.at(one, recognising=self.recognising and not turned)

    # --- deciding -------------------------------------------------------------------------------

    def _plan(self) -> None:
        self._say("comparing")
        for one in self.work:
            one.turn(self.gathered.turned.get(one.mapping.name, ()), self.session.remote.spells)
            self._plan_one(one)
            counts = self.report.of(one.mapping)
            counts.rows, counts.unchanged = one.planned.rows, one.planned.unchanged
            if one.looked_at is not None:
                with self.session.database.read() as tx:
                    pairs, rows = base.count(tx, one.mapping.id)
                    counts.rows = rows + len(loose.keys(tx, one.mapping.id, Side.LOCAL) | one.free_rows)
                counts.unchanged += pairs - len(one.pairs)

    def _plan_one(self, one: Work) -> None:
        mapping = one.mapping
        self.looking.still_stands(one)
        one.local = self.directory.canonical_local(mapping, one.local)
        shown, one.remote = one.remote, self.directory.canonical_remote(mapping, one.remote)
        listed.withhold(one, shown, self.directory, self.work, self.session.local)
        with self.session.database.read() as tx:
            one.resting = waiting.resting(tx, mapping.id, one.new_rows, self.session.rest_seconds)
            one.apart = apart.known(tx, mapping.id)
            deletions = waiting.answered_deletions(tx, mapping.id)
            planned = plan(
                mapping, one.local, one.remote, list(one.pairs.values()),
                choices=waiting.choices(tx, mapping),
                approved=deletions.approved, put_back=deletions.put_back, kept=deletions.kept, apart=one.apart,
                resting=one.resting | one.doubtful,
                decided=pairing.decided(tx, mapping, one.local, self.session.decided.get(mapping.name, ())),
            )
        doubts = {key: refusal for key, refusal in one.refusals.items() if key[1] in one.doubtful}
        one.take_plan(planned)
        one.refusals |= doubts
        for row, thing in planned.dissolved:
            if row in one.local.rows:  # a person has said that this row is another thing
                self.directory.drop(mapping.name, row, thing)
                one.pairs.pop(thing, None)
        for row, thing in planned.paired:
            self.directory.add(mapping.name, row, thing)
        for thing, row in planned.moved:
            self.directory.drop(mapping.name, one.pairs[thing].local, thing)
            self.directory.add(mapping.name, row, thing)
            one.pairs[thing] = replace(one.pairs[thing], local=row)
        for pair in one.pairs.values():
            if one.local.proves_gone(pair.local):
                # Grist gives freed row ids away again: nothing may point at a row that is not there.
                self.directory.drop(mapping.name, pair.local, pair.remote)
            elif pair.local not in one.local.rows and pair.local not in one.local.outside:
                self.directory.unsure.add((mapping.name, pair.local))
        coming = (str(op.source) for op in planned.on(Side.LOCAL) if isinstance(op, Create))
        self.directory.expect(mapping.name, coming)

    def _check_plan(self) -> None:
        """A run of a plan that somebody was shown does exactly that, or nothing: then it tells the new one."""
        wanted = self.session.only_plan
        if wanted and wanted != fingerprint(one.planned for one in self.work):
            self._tell_plan()
            raise PreviewOutdated("Something changed since this preview, so no row was written.", cure="Look again.")

    def _brake(self) -> None:
        pulled = []
        if self.gathered.restored:
            pulled.append(RESTORED)
        with self.session.database.read() as tx:
            for one in self.work:
                deletions = waiting.answered_deletions(tx, one.mapping.id)
                pairs, rows = base.count(tx, one.mapping.id)
                pulled += brakes(one.planned, one.local, one.remote, pairs, self.session.limits,
                                 deletions.known, _emptied(tx, one, pairs, rows), deletions.kept)
                pulled += flips(one.planned, changes.lately(tx, one.mapping, one.rewritten, FLIPS_SECONDS))
                strangers = set() if pairs else set(one.local.marks.values())
                store = base.of_another_document(tx, self.session.link_id, one.mapping.name, strangers)
                pulled += [copied(one.mapping.resource.label, store)] if store else []
        self._pull(pulled)

    def _writes(self) -> int:
        return self.session.local.usage.writes + self.session.remote.usage.writes

    def _pull(self, pulled: Sequence[Brake]) -> None:
        if pulled and not self.session.go_on:
            wrote = self._writes() > self.wrote_before  # by an undo, or what an earlier run left open
            raise BrakeError(
                " ".join([*(brake.message for brake in pulled),
                          "Nothing more was written." if wrote else "Nothing was written."]),
                cure="If it was meant, look at the preview and let one sync go on. If not, restore it and sync again.",
                brake=pulled[0].name, figures=pulled[0].figures,
            )

    # --- writing --------------------------------------------------------------------------------

    def _remember_plan(self) -> None:
        """What needs no write: new pairs, agreements, and what waits for somebody."""
        with self.session.write() as tx:
            checkpoints.narrow(tx, self.session)
            for one in self.work:
                planned = one.planned
                remember_looks(tx, one)
                self.gathered.hints += remember_agreed(tx, self.session.link_id, one)  # moved pairs lose their looks
                waiting.replace_conflicts(tx, one.mapping, planned.conflicts, one.rows_looked_at, one.applying,
                                          self.gathered.versions)
                if one.mapping.whole:
                    answered = one.deleting | one.undecided
                    waiting.replace_deletions(tx, one.mapping.id, planned.proposals, answered, one.looked_at)
                    waiting.sight(tx, one.mapping.id, one.new_rows, one.looked_at)

    def _write(self) -> None:
        """All plans, in order of reference: what is referred to exists before it is referred to. Within a mapping
        Shopify comes first, since its conditional writes may still be refused; deletions come last, backwards."""
        for one in self.work:
            to_remote = [op for op in one.planned.on(Side.REMOTE) if not isinstance(op, Delete)]
            unwritten = self._send(one, self.session.remote, to_remote)
            to_local = self._unheld(one, (op for op in one.planned.on(Side.LOCAL) if not isinstance(op, Delete)))
            self._send(one, self.session.local, [kept for op in to_local if (kept := _without(op, unwritten))])
        for one in reversed(self.work):
            self._send(one, self.session.remote, self._still_as_seen(one))
            self._send(one, self.session.local, [op for op in one.planned.on(Side.LOCAL) if isinstance(op, Delete)])

    def _unheld(self, one: Work, ops: Iterable[Op]) -> list[Op]:
        """Of what goes to Grist, all but what some row holds the Shopify ID of by now, which came back or was cut and
        pasted while the run looked: no row is made again beside it, and no other row is given the ID. The next run
        sees it."""
        ops = list(ops)
        one.moved_in |= {thing for thing, row in one.planned.moved if row > 0} if one.plan else set()
        named = {str(op.source if isinstance(op, Create) else op.partner): op for op in ops
                 if (isinstance(op, Mark) and op.partner in one.moved_in)
                 or (isinstance(op, Create) and op.why in (Why.CHOICE, Why.UNDO))}
        held = self.session.local.holding(one.mapping, named.keys()) if named else {}
        taken = [op for thing, op in named.items()
                 if held.get(thing, set()) - {op.key if isinstance(op, Mark) else 0}]
        return [op for op in ops if op not in taken]

    def _still_as_seen(self, one: Work) -> list[Op]:
        """The deletions in Shopify of things that nobody edited since the plan was made, and whose rows have not come
        back: Shopify deletes under no condition and for good, so both are asked for once more right before, the rows
        by the Shopify IDs in them. The others are looked at again."""
        deletes = [op for op in one.planned.on(Side.REMOTE) if isinstance(op, Delete)]
        if not deletes:
            return []
        places = [place for place, rule in enumerate(one.mapping.fields) if rule.field.writable]
        now = self.directory.canonical_remote(
            one.mapping, self.session.remote.again(one.mapping, {op.key for op in deletes}))
        back = self.session.local.holding(one.mapping, {str(op.key) for op in deletes}).keys()
        kept: list[Op] = []
        for op in deletes:
            was, row = one.remote.rows.get(op.key), now.rows.get(op.key)
            if op.key not in back and (op.key in now.gone or (
                    was is not None and row is not None and all(was[place] == row[place] for place in places))):
                kept.append(op)
            else:
                one.again.add(thing_of(op))
        return kept

    def _send(self, one: Work, connector: Connector, ops: Sequence[Op]) -> set[tuple[Key, str]]:
        """Write `ops` batch by batch: into the journal, out, remembered.

        Returns (key on the other side, field) of the updates that were not written, so that the other half of a
        merge is not written either.
        """
        unwritten: set[tuple[Key, str]] = set()
        for batch in worded.batches(one, self.directory, connector, ops):
            self._say("writing", one)
            stamp = Stamp(self.session.new_key(), str(self.session.run_id))
            pending = {key: one.pending[key] for op in batch if (key := str(getattr(op, "key", ""))) in one.pending}
            pending |= {str(op.key): dict(last_known(one, op)) for op in batch if isinstance(op, Delete)}
            with self.session.write() as tx:
                intent = journal.add(tx, self.session.run_id, one.mapping, connector.side, stamp.key, batch, pending,
                                     self.session.only_plan or None)
            receipts = self._apply(one, connector, batch, stamp, intent)
            marks = self.memory.remember(one, connector.side, receipts, intent=intent)
            if marks:
                self._send(one, self.session.local, marks)
            one.ops_done += len(batch)
            unwritten |= {
                (receipt.op.partner, change.field)
                for receipt in receipts if not receipt.done and isinstance(receipt.op, Update)
                for change in receipt.op.changes if change not in receipt.written
            }
        return unwritten

    def _going_on(self, done: int) -> None:
        """While a service works a batch off by itself, of which `done` ops are done. Raises what `_say` does."""
        self._say(*self._saying, more=done)

    def _still_ours(self) -> None:
        """Raises LeaseLost where another worker has taken the run while a request waited to be sent."""
        with self.session.write():
            pass

    def _apply(self, one: Work, connector: Connector, batch: Sequence[Op], stamp: Stamp, intent: int) -> list[Receipt]:
        written = connector.usage.writes
        try:
            return connector.apply(one.mapping, batch, stamp)
        except OutcomeUnknown:
            raise
        except SyncError:
            if connector.usage.writes == written:
                # The service said that it did nothing, so there is nothing to find out.
                with self.session.write() as tx:
                    journal.settle(tx, intent)
            raise

    # --- the second look ------------------------------------------------------------------------

    def _look_again(self) -> bool:
        """Read by id what was touched, plan it and write once more: formula results, totals, values that a service
        stored differently, conditional writes that came too late. False when there was nothing to do."""
        self.ripples.relatives(self.work, {} if self.report.undone else {
            (one.mapping.name, thing_of(op)): op.values.keys() for one in self.work
            for op in one.planned.on(Side.REMOTE) if isinstance(op, Update)})
        self.ripples.formulas(self.work, self.gathered.checkpoints)
        looking = [one for one in self.work if one.again or one.parent_made]
        for one in self.work:
            one.plan = Plan(one.mapping)
            one.written = set()
        for one in looking:
            whole, things = one.parent_made, one.again
            one.parent_made, one.again = False, set()
            if whole:
                self.looking.at_all(one)
            else:
                self.looking.some_again(one, things)
            self._plan_one(one)
            # What the next run deletes, or asks about, it has looked for everywhere, and held against the brakes.
            one.plan = replace(one.planned, ops=tuple(op for op in one.planned.ops if not isinstance(op, Delete)))
            rows = None if whole else {pair.local for pair in one.pairs.values()}
            with self.session.write() as tx:
                self.gathered.hints += remember_agreed(tx, self.session.link_id, one)
                waiting.replace_conflicts(tx, one.mapping, one.planned.conflicts, rows, one.applying,
                                          self.gathered.versions)
        if any(not one.planned.empty for one in looking):
            self._write()
            return True
        return False

    # --- telling --------------------------------------------------------------------------------

    def _finish(self) -> None:
        session = self.session
        with session.write() as tx:
            for one in self.work:
                waiting.replace_refusals(tx, one.mapping, list(one.refusals.values()), one.looked_at)
                waiting.try_again(tx, one.mapping.id, listed.settles(one, self.directory.arrived))
                if one.mapping.whole:
                    remember_loose(tx, one)
            checkpoints.move_on(tx, session, self.gathered, self.work, self.directory.unsure)
            links.mark_synced(tx, session.link_id)
            waits = waiting.counts(tx, session.link_id)
            stored = {one.id: one for one in links.mappings(tx, session.link_id)}
        for mapping in session.mappings:
            counts, waiting_here = self.report.of(mapping), waits.get(mapping.id, {})
            counts.conflicts = waiting_here.get("conflicts", 0)
            counts.proposed_deletions = waiting_here.get("deletions", 0)
            if not self.work:
                counts.rows = counts.unchanged = stored[mapping.id].rows
                counts.refused = waiting_here.get("refused", 0)

    def _count_planned(self, one: Work) -> None:
        counts = self.report.of(one.mapping)
        counts.conflicts, counts.proposed_deletions = len(one.planned.conflicts), len(one.planned.proposals)
        for op in one.planned.ops:
            if isinstance(op, Update):
                one.updated.add(thing_of(op))
                counts.to_grist += len(op.changes) if op.side is Side.LOCAL else 0
                counts.to_shopify += len(op.changes) if op.side is Side.REMOTE else 0
            else:
                counts.created += isinstance(op, Create)
                counts.to_grist += isinstance(op, Create) and op.side is Side.LOCAL
                counts.to_shopify += isinstance(op, Create) and op.side is Side.REMOTE
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

    def _say(self, phase: str, one: Work | None = None, *, more: int = 0) -> None:
        """Tell how far the run is; raises where it must not go on."""
        self._saying = phase, one
        self.session.beat({
            "phase": phase, "thing": one.mapping.resource.label if one else "",
            "done": one.ops_done + more if one else 0, "total": len(one.plan.ops) if one and one.plan else None,
            "mappings": [
                {"resource": m.mapping.name, "label": m.mapping.resource.label, "read": m.local.found,
                 "to_write": len(m.plan.ops) if m.plan else 0, "written": m.ops_done + (more if m is one else 0),
                 "state": m.state(writing=phase == "writing" and m is one)}
                for m in self.work
            ],
        })


def _emptied(tx: Transaction, one: Work, pairs: int, rows: int) -> set[Side]:
    """The sides of which a run that looked at changes only found everything gone."""
    if one.looked_at is None:
        return set()
    gone = {
        Side.LOCAL: rows - sum(row < 0 for _, row in one.planned.moved) + len(one.local.rows),
        Side.REMOTE: pairs - sum(thing in one.remote.gone for thing in one.pairs),
    }
    return {side for side, left in gone.items() if left <= 0 and not loose.count(tx, one.mapping.id, side)}


def _without(op: Op, unwritten: Collection[tuple[Key, str]]) -> Op | None:
    """`op` less the fields whose other half was not written."""
    if not isinstance(op, Update) or not unwritten:
        return op
    changes_left = tuple(change for change in op.changes if (op.key, change.field) not in unwritten)
    return replace(op, changes=changes_left) if changes_left else None

"""Settle what an earlier run left open: it was killed, or an answer was lost, between the journal and the base.

    large batches    what Shopify still works off of them is ended first
    stock            sent again under its own key: Shopify runs it once (for a day; after that a person says)
    other values     looked at: as sent → done; as before → not done; else somebody edited since, and what may have been
                     written over meanwhile is told in the history
    creations        Grist: found by the Shopify ID; Shopify: by the key they carry; else left to a person
    deletions, ids   looked at

Nothing is guessed. What cannot be told any more loses its base, and so becomes a conflict where the sides differ.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from backend.connector import Connector, Stamp
from backend.core.model import Change, Create, Delete, Key, Op, Receipt, Refusal, Rule, Side, Update, Why
from backend.core.values import NUMBERS, UNREAD
from backend.errors import OutcomeUnknown
from backend.remember import Memory
from backend.store import base, journal
from backend.store.journal import Intent
from backend.work import Work

log = logging.getLogger(__name__)

KEY_KEPT_SECONDS = 23 * 3600
"""Shopify keeps idempotency keys for 24 hours (facts §6); an hour is left for clocks and slow answers."""


class Recovery:
    """The open intents of a link. `halt` and then `repeat` come before anything is read, `look` after."""

    def __init__(self, memory: Memory, local: Connector, remote: Connector) -> None:
        self.memory = memory
        self.connectors = {Side.LOCAL: local, Side.REMOTE: remote}

    def halt(self) -> None:
        """End what Shopify still works off of any open batch, also of what this run does not look at: nothing is
        written and nothing settled while a write of an earlier run may still come."""
        with self.memory.database.read() as tx:
            sizes = journal.sizes(tx, self.memory.link_id, Side.REMOTE)
        self.connectors[Side.REMOTE].halt(sizes)

    def repeat(self, one: Work) -> None:
        """Send again what happens once under its key."""
        for intent in self._open(one):
            if intent.age_seconds > KEY_KEPT_SECONDS and not all(isinstance(op, Create) for op in intent.ops):
                continue  # creations carry their key in the thing itself, for ever
            if not all(_may_write(one, op) for op in intent.ops):
                continue  # the mapping was changed since: what it forbids now is not sent once more
            connector, stamp = self.connectors[intent.side], Stamp(intent.key, str(intent.run_id))
            try:
                receipts = connector.repeat(one.mapping, intent.ops, stamp)
            except OutcomeUnknown:
                # The service knows the key with other figures, or cannot say: looking has to decide.
                log.warning("a batch of run %s could not be settled by its key", intent.run_id)
                continue
            if receipts is not None:
                ours = self._still_ours(one, receipts)
                self._remember(one, intent, [self._as_made(one, receipt) for receipt in ours])

    def _as_made(self, one: Work, receipt: Receipt) -> Receipt:
        """What is there of a creation that was found again may be somebody's edit by now: only what was sent, or how
        the service spells it, is what it was made with."""
        op = receipt.op
        if not isinstance(op, Create) or not receipt.done:
            return receipt
        spells = self.connectors[op.side].spells
        return replace(receipt, stored={
            name: value for name, value in receipt.stored.items() if name not in op.values
            or value in (op.values[name], spells(one.mapping, name, op.values[name]))})

    def _still_ours(self, one: Work, receipts: Sequence[Receipt]) -> list[Receipt]:
        """Without the creations whose row or thing has met another one since: by its Shopify ID, by a witness, or
        because a file was imported over the table. That pair stands, and the thing is there to be met."""
        made = {(int(receipt.op.source), str(receipt.key)): receipt for receipt in receipts
                if isinstance(receipt.op, Create) and receipt.op.side is Side.REMOTE
                and receipt.op.why is Why.CREATED and receipt.done}
        with self.memory.database.read() as tx:
            known = base.places(tx, one.mapping.id, {row for row, _ in made}, {thing for _, thing in made})
        taken: set[Key] = {key for row, thing in known if row >= 0 and (row, thing) not in made for key in (row, thing)}
        met = [receipt for place, receipt in made.items() if taken.intersection(place)]
        return [receipt for receipt in receipts if receipt not in met]

    def look(self, one: Work) -> bool:
        """Settle the rest by what was just read. True where bases moved, so that pairs must be read anew."""
        found = self._open(one)
        for intent in found:
            doubted = len(one.doubtful)
            receipts = [receipt for op in intent.ops for receipt in self._seen(one, op)]
            if len(one.doubtful) > doubted:
                # Kept until a person has paired or removed the row: it must not be created a second time.
                continue
            self._remember(one, intent, receipts)
        return bool(found)

    def _open(self, one: Work) -> list[Intent]:
        with self.memory.database.read() as tx:
            return [intent for intent in journal.unsettled(tx, one.mapping) if intent.ops]

    def _remember(self, one: Work, intent: Intent, receipts: Sequence[Receipt]) -> None:
        # The Shopify IDs of what was created are written by this run's plan: those pairs are not marked yet.
        self.memory.remember(one, intent.side, receipts, intent=intent.id, pending=intent.pending,
                             sent_by=intent.run_id)
        log.info("settled a batch of run %s: %d of %d had been written", intent.run_id,
                 sum(receipt.done for receipt in receipts), len(intent.ops))

    def _seen(self, one: Work, op: Op) -> list[Receipt]:
        if isinstance(op, Update):
            return self._seen_update(one, op)
        if isinstance(op, Create):
            return self._seen_create(one, op)
        snapshot = one.local if op.side is Side.LOCAL else one.remote
        if isinstance(op, Delete):
            return [Receipt(op)] if snapshot.proves_gone(op.key) and op.key not in snapshot.rows else []
        return [Receipt(op, op.key)] if one.local.marks.get(op.key) == op.partner else []

    def _seen_update(self, one: Work, op: Update) -> list[Receipt]:
        snapshot = one.local if op.side is Side.LOCAL else one.remote
        row = snapshot.rows.get(op.key)
        if row is None:
            gone = snapshot.proves_gone(op.key) if op.side is Side.LOCAL else op.key in snapshot.gone
            return [Receipt(op, op.key, passed=gone, unclear=not gone)]  # hidden: nobody can tell
        keyed = op.side is Side.REMOTE and one.mapping.name == "inventory"
        done, unclear = [], []
        passed: list[Change] = []
        for change in op.changes:
            now, rule = row[one.mapping.index[change.field]], one.mapping.rule(change.field)
            sent = self.connectors[op.side].spells(one.mapping, change.field, change.after)
            adds_up = rule.on_conflict is Rule.MERGE and rule.kind in NUMBERS
            if keyed or now is UNREAD:
                unclear.append(change)
            elif now in (change.after, sent):
                done.append(change)
            elif now != change.before:
                (unclear if adds_up else passed).append(change)
        receipts = []
        if done:
            stored = {change.field: row[one.mapping.index[change.field]] for change in done}
            receipts.append(Receipt(replace(op, changes=tuple(done)), op.key, stored))
        if unclear:
            receipts.append(Receipt(replace(op, changes=tuple(unclear)), op.key, unclear=True))
        if passed:
            receipts.append(Receipt(replace(op, changes=tuple(passed)), op.key, passed=True))
        return receipts

    def _seen_create(self, one: Work, op: Create) -> list[Receipt]:
        if op.side is Side.LOCAL:
            rows = [row for row, mark in one.local.marks.items() if mark == op.source]
            pair = one.pairs.get(str(op.source))
            if len(rows) == 1 and (pair is None or pair.local != rows[0]):
                return [Receipt(op, rows[0])]
            return []
        row = int(op.source)
        if row not in one.local.rows or any(pair.local == row for pair in one.pairs.values()):
            return []
        one.doubtful.add(row)
        one.refuse([Refusal(
            Side.LOCAL, row,
            "This row may have been created in Shopify already: the answer was lost.",
            "Look for it in Shopify. If it is there, copy its ID into the row's Shopify ID; if not, copy the row "
            "into a new one and delete this one.", title=op.title,
        )])
        return []


def _may_write(one: Work, op: Op) -> bool:
    """Whether the mapping, as it is today, lets all of `op` be written."""
    rules = [one.mapping.rule(name) for name in op.values] if isinstance(op, Create | Update) else []
    if isinstance(op, Create):
        return all(rule.may_create_remote if op.side is Side.REMOTE else not rule.source_only for rule in rules)
    return all(rule.may_write(op.side) for rule in rules)


def pairs_anew(memory: Memory, one: Work) -> None:
    with memory.database.read() as tx:
        one.take_pairs(base.pairs(tx, one.mapping))

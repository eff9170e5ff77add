"""Decide what a run will do with one mapping. Nothing in here talks to anybody.

    base Grist Shopify   decision
     -    x     -        create in Shopify, where the mapping says so and the row is ready
     -    -     x        create in Grist
     -    x     x        a first meeting: join them, then field by field
     x    x     x        field by field (core.merge)
     x    -     x        deleted in Grist: propose, ignore or delete; edited in Shopify meanwhile: a conflict
     x    x     -        deleted in Shopify: the same, the other way round
     x    -     -        nothing is left to pair

A key that was not seen and not proven gone is left alone; so is whatever a filter leaves out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence, Set
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field

from backend.core.merge import Action, decide
from backend.core.model import (
    Agreement,
    Change,
    Choice,
    Conflict,
    Create,
    Delete,
    Key,
    Mapping,
    Mark,
    Op,
    Pair,
    Plan,
    Policy,
    Proposal,
    Refusal,
    Row,
    Side,
    Snapshot,
    Update,
    Why,
)
from backend.core.pairing import Pairing, pair_up
from backend.core.values import UNREAD, Unfit, Value, dump, is_empty
from backend.core.whole import Whole

CANNOT_BE_MADE = "It cannot be made in Shopify again from here, so only its row can be deleted, or both be left."
WHOLE_ROW = ""
"""The field name of a conflict about a whole row."""


def plan(
    mapping: Mapping,
    local: Snapshot,
    remote: Snapshot,
    pairs: Sequence[Pair],
    *,
    choices: Dict[tuple[int, str], Choice] | None = None,
    approved: Set[tuple[Side, str]] = frozenset(),
    resting: Set[int] = frozenset(),
    decided: Dict[int, str | None] | None = None,
    kept: Set[tuple[Side, str]] = frozenset(),
    apart: Set[tuple[str, str]] = frozenset(),
    put_back: Set[tuple[Side, str]] = frozenset(),
) -> Plan:
    """What a run does with `mapping`, given what both sides hold now and held at last agreement.

    `choices` are people's answers by (row id, field); `approved` the deletions they said yes to, by (side to delete
    on, thing), for Grist gives row ids away again; `kept` those they said no to;
    `put_back` those whose other half they want made again; `apart` the cells, by (thing, field), and the
    rows, by (thing, WHOLE_ROW), that they took out of the sync;
    `resting` the new rows in Grist that somebody may still be typing in; `decided` which row is which thing, where
    a person had to say it (`core.pairing`).
    """
    work = _Work(mapping, local, remote, choices or {}, approved, resting, kept, apart, put_back)
    pairing = pair_up(mapping, local, remote, pairs, decided)
    work.dissolved.extend(pairing.parted)
    pairs = pairing.known
    work.refusals.extend(pairing.refusals)
    for pair in pairs:
        work.known(pair, blocked=pair.local in pairing.blocked or pair.remote in pairing.blocked)
    nothing = (UNREAD,) * len(mapping.fields)
    for row, thing in pairing.joined:
        work.join(Pair(row, thing, nothing, nothing))
    taken = set(pairing.blocked)
    taken.update(key for joined in pairing.joined for key in joined)
    taken.update(local.marks[row] for row in local.outside if row in local.marks)
    work.create(pairs, taken)
    return work.done(pairing)


def fingerprint(plans: Iterable[Plan]) -> str:
    """A mark of everything that these plans would write: two plans with the same one do the same."""
    told = sorted(hashlib.sha256(repr((
        planned.mapping.name, type(op).__name__, op.side.value, str(getattr(op, "source", getattr(op, "key", ""))),
        _told(op))).encode()).digest() for planned in plans for op in planned.ops)
    return hashlib.sha256(b"".join(told)).hexdigest()


def _told(op: Op) -> str:
    if isinstance(op, Update):
        return repr([(change.field, change.before, change.after, change.why.value) for change in op.changes])
    return repr(sorted(op.values.items())) if isinstance(op, Create) else str(op.partner)


@dataclass
class _Work:
    mapping: Mapping
    local: Snapshot
    remote: Snapshot
    choices: Dict[tuple[int, str], Choice]
    approved: Set[tuple[Side, str]]
    resting: Set[int]
    kept: Set[tuple[Side, str]] = frozenset()
    apart: Set[tuple[str, str]] = frozenset()
    put_back: Set[tuple[Side, str]] = frozenset()
    ops: list[Op] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    dissolved: list[tuple[int, str]] = field(default_factory=list)
    unchanged: int = 0

    def known(self, pair: Pair, *, blocked: bool) -> None:
        """One pair that has agreed before."""
        row, thing = self.local.rows.get(pair.local), self.remote.rows.get(pair.remote)
        if row is not None and thing is not None:
            if not pair.marked and not blocked and self.local.marks.get(pair.local) != pair.remote:
                self.ops.append(Mark(pair.local, pair.remote, self._title(pair.local, pair.remote)))
            if row == pair.base_local and thing == pair.base_remote:
                self.unchanged += 1
            elif not blocked:
                self.fields(pair, row, thing)
            return
        if blocked:
            return
        row_gone = self.local.proves_gone(pair.local)
        thing_gone = thing is None and pair.remote in self.remote.gone
        if row_gone and thing_gone:
            self.dissolved.append((pair.local, pair.remote))
        elif row_gone and thing is not None:
            self.deleted(Side.LOCAL, pair, pair.base_remote, thing)
        elif thing_gone and row is not None:
            self.deleted(Side.REMOTE, pair, pair.base_local, row)

    def join(self, pair: Pair) -> None:
        """A row and a thing that meet for the first time."""
        title = self._title(pair.local, pair.remote)
        if self.local.marks.get(pair.local) != pair.remote:
            self.ops.append(Mark(pair.local, pair.remote, title))
        self.fields(pair, self.local.rows[pair.local], self.remote.rows[pair.remote])

    def fields(self, pair: Pair, row: Row, thing: Row) -> None:
        """Merge one pair field by field."""
        title = self._title(pair.local, pair.remote)
        to_local: list[Change] = []
        to_remote: list[Change] = []
        agreed: dict[str, tuple[Value, Value]] = {}
        quiet = True
        for place, rule in enumerate(self.mapping.fields):
            if not self.mapping.active[place] or (pair.remote, rule.name) in self.apart:
                continue
            local, remote = row[place], thing[place]
            verdict = decide(
                rule, pair.base_local[place], pair.base_remote[place], local, remote,
                shown=pair.shown.get(rule.name, ()), choice=self._choice(pair, rule.name),
            )
            if verdict.action is Action.NOTHING:
                continue
            if verdict.action is Action.AGREE:
                agreed[rule.name] = (local, remote)
                continue
            quiet = False
            if verdict.action is Action.ASK:
                self.conflicts.append(Conflict(
                    pair.local, pair.remote, rule.name, pair.base_local[place], local, remote, title,
                    reason=verdict.reason, moved=verdict.moved,
                ))
            elif verdict.action is Action.REFUSE:
                self._refuse_unfit(pair.local, rule.name, local, title)
            else:
                if verdict.local is not UNREAD:
                    stays = _stays(verdict.why, verdict.remote, remote, verdict.local)
                    to_local.append(Change(rule.name, local, verdict.local, verdict.why, stays))
                if verdict.remote is not UNREAD:
                    stays = _stays(verdict.why, verdict.local, local, verdict.remote)
                    to_remote.append(Change(rule.name, remote, verdict.remote, verdict.why, stays))
        if to_remote:
            self.ops.append(Update(Side.REMOTE, pair.remote, pair.local, tuple(to_remote), title))
        if to_local:
            self.ops.append(Update(Side.LOCAL, pair.local, pair.remote, tuple(to_local), title))
        if agreed:
            self.agreements.append(Agreement(
                pair.local, pair.remote,
                {name: values[0] for name, values in agreed.items()},
                {name: values[1] for name, values in agreed.items()},
            ))
        if quiet:
            self.unchanged += 1

    def _choice(self, pair: Pair, name: str) -> Choice | None:
        """Grist gives row ids away again: an answer about the thing that had this row before is none about this one."""
        choice = self.choices.get((pair.local, name)) if self.choices else None
        return choice if choice is not None and choice.of in ("", pair.remote) else None

    def deleted(self, where: Side, pair: Pair, base: Row, now: Row) -> None:
        """One half of a pair is proven gone on `where`; the other half, `now`, is still there."""
        if not self.mapping.whole:
            return
        side = where.other
        if (pair.remote, WHOLE_ROW) in self.apart:
            return
        key: Key = pair.local if side is Side.LOCAL else pair.remote
        partner: Key = pair.remote if side is Side.LOCAL else pair.local
        title = self._title(pair.local, pair.remote)
        policy = self.mapping.delete_local if side is Side.LOCAL else self.mapping.delete_remote
        if side is Side.REMOTE and not self.mapping.resource.deletable:
            policy = Policy.IGNORE
        edits = self._edits(side, base, now)
        asked = (side, pair.remote)
        if asked in self.put_back and self._may_put_back(where, key, title):
            self._put_back(where, key, now, title)
            return
        if policy is Policy.ARCHIVE:
            if not self.mapping.can_archive:
                policy = Policy.PROPOSE
            elif self._archived(key, partner, base, now, edits, title):
                return
        if edits and policy is not Policy.IGNORE:
            self._deleted_and_edited(where, pair, edits, title, base, now)
        elif asked in self.approved or (policy is Policy.APPLY and asked not in self.kept):
            self._delete(Delete(side, key, partner, title), base, now)
        elif policy is not Policy.IGNORE:
            self.proposals.append(Proposal(side, key, partner, title))

    def _archived(
        self, key: Key, partner: Key, base: Row, now: Row, edits: tuple[Change, ...], title: str
    ) -> bool:
        """Put a thing aside whose row is gone. False where somebody edited it, or wants to keep it: that is asked, or
        stands, as after any deletion."""
        name, aside = self.mapping.resource.archives
        stands = now[self.mapping.index[name]]
        if stands is UNREAD or any(edit.field != name or edit.after != aside for edit in edits):
            return False
        if (Side.REMOTE, str(key)) in self.kept:
            return False
        if stands == aside:
            if base[self.mapping.index[name]] != aside:
                self.agreements.append(Agreement(int(partner), str(key), {}, {name: aside}))
            return True
        self.ops.append(Update(Side.REMOTE, key, partner, (Change(name, stands, aside, Why.DELETED),), title))
        return True

    def create(self, pairs: Sequence[Pair], taken: Set[Key]) -> None:
        """What stands on one side only and has no candidate on the other."""
        if not self.mapping.whole:
            return
        if self.mapping.create_local and self.local.shows_candidates:
            places = self.mapping.index if not any(rule.source_only for rule in self.mapping.fields) else None
            paired: Set[Key] = {pair.remote for pair in pairs}
            for key, thing in self.remote.rows.items():
                if key not in paired and key not in taken:
                    values: Dict[str, Value] = Whole(places, thing) if places and UNREAD not in thing else {
                        rule.name: value
                        for rule, value in zip(self.mapping.fields, thing, strict=True)
                        if value is not UNREAD and not rule.source_only
                    }
                    self.ops.append(Create(Side.LOCAL, key, values, self.remote.titles.get(key, "")))
        if self.mapping.create_remote and self.mapping.resource.creatable and self.remote.shows_candidates:
            paired = {pair.local for pair in pairs}
            for key, row in self.local.rows.items():
                if key not in paired and key not in taken and isinstance(key, int):
                    self._create_remote(key, row)

    def done(self, pairing: Pairing) -> Plan:
        return Plan(
            self.mapping, tuple(self.ops), tuple(self.conflicts), tuple(self.agreements), tuple(self.proposals),
            tuple(self.refusals), tuple(pairing.joined), tuple(pairing.moved), tuple(pairing.forgotten),
            tuple(self.dissolved),
            self.unchanged + len(self.local.recognised), self.local.found, tuple(pairing.questions), pairing.matched,
        )

    def _create_remote(self, key: int, row: Row) -> None:
        title = self.local.titles.get(key, "")
        values: dict[str, Value] = {}
        for rule, value in zip(self.mapping.fields, row, strict=True):
            if isinstance(value, Unfit):
                self._refuse_unfit(key, rule.name, value, title)
                return
            if rule.may_create_remote and value is not UNREAD and not is_empty(value):
                values[rule.name] = value
        missing = [r.field.label for r in self.mapping.fields if r.field.required and r.name not in values]
        if missing:
            self._wait(key, title, f"This new row is not in Shopify yet: {' and '.join(missing)} is empty.",
                       "Fill it in; the next sync creates it.")
        elif key in self.resting:
            self._wait(key, title, "This new row is not in Shopify yet: it was added a moment ago.",
                       "Nothing to do. A sync after it has rested creates it.")
        else:
            self.ops.append(Create(Side.REMOTE, key, values, title))

    def _delete(self, op: Delete, base: Row, now: Row) -> None:
        """Delete what somebody may not have edited unseen: a value that was known and is hidden now may be another."""
        hidden = [rule.field.label for rule, was, value in zip(self.mapping.fields, base, now, strict=True)
                  if value is UNREAD and was is not UNREAD]
        if not hidden:
            self.ops.append(op)
            return
        self.proposals.append(Proposal(op.side, op.key, op.partner, op.title))  # it stays, with what was answered
        names = " and ".join(hidden)
        self.refusals.append(Refusal(
            op.side, op.key,
            f"This row is not deleted yet: its {names} cannot be seen and may have been edited."
            if op.side is Side.LOCAL else
            f"This is not deleted in Shopify yet: its {names} cannot be seen and may have been edited.",
            "Let the sync see it, or delete it yourself.", title=op.title, waits=True))

    def _deleted_and_edited(
        self, where: Side, pair: Pair, edits: tuple[Change, ...], title: str, base: Row, now: Row
    ) -> None:
        seen = tuple(f"{edit.field}={dump(edit.after)}" for edit in edits)
        local: Value = None if where is Side.LOCAL else seen
        remote: Value = None if where is Side.REMOTE else seen
        survivor = where.other
        key: Key = pair.local if survivor is Side.LOCAL else pair.remote
        partner: Key = pair.remote if survivor is Side.LOCAL else pair.local
        choice = self._choice(pair, WHOLE_ROW)
        moved = choice is not None and (choice.local, choice.remote) != (local, remote)
        lost = where is Side.REMOTE and not self.mapping.resource.creatable
        makes = choice is not None and choice.keep == ("grist" if where is Side.REMOTE else "shopify")
        unmakable = makes and not moved and not self._may_put_back(where, key, title)
        if choice is None or moved or unmakable or choice.keep not in ("grist", "shopify"):
            self.conflicts.append(Conflict(
                pair.local, pair.remote, WHOLE_ROW, None, local, remote, title,
                deleted=where, edits=edits, moved=moved, reason=CANNOT_BE_MADE if lost else "",
            ))
            return
        keeps = Side.LOCAL if choice.keep == "grist" else Side.REMOTE
        if keeps is where:
            self._delete(Delete(survivor, key, partner, title, Why.CHOICE), base, now)
            return
        self._put_back(where, key, now, title)

    def _may_put_back(self, where: Side, key: Key, title: str) -> bool:
        """Whether the half that is gone can be made again. In Grist only where no hidden row may be it."""
        if where is Side.REMOTE:
            return self.mapping.resource.creatable
        if not self.local.shows_candidates:
            self.refusals.append(Refusal(
                Side.REMOTE, key, "Its row is not made again yet: Grist does not show all rows of this table.",
                "Let the key for background work see the whole table, then sync again.", title=title, waits=True))
            return False
        return True

    def _put_back(self, where: Side, key: Key, now: Row, title: str) -> None:
        """Make the half that is gone again out of `now`, which the other half, `key`, holds."""
        values = {
            rule.name: value
            for rule, value in zip(self.mapping.fields, now, strict=True)
            if value is not UNREAD and not is_empty(value) and not isinstance(value, Unfit)
            and (not rule.source_only if where is Side.LOCAL else rule.may_create_remote)
        }
        self.ops.append(Create(where, key, values, title, Why.CHOICE))

    def _edits(self, side: Side, base: Row, now: Row) -> tuple[Change, ...]:
        """What a person changed since they agreed; computed fields (totals, dates) are nobody's edits."""
        return tuple(
            Change(rule.name, was, value, Why.CHANGED)
            for rule, was, value in zip(self.mapping.fields, base, now, strict=True)
            if UNREAD not in (was, value) and was != value
            and (rule.may_write(Side.REMOTE) if side is Side.LOCAL else rule.field.writable)
        )

    def _refuse_unfit(self, key: int, name: str, value: Value, title: str) -> None:
        text = value.text if isinstance(value, Unfit) else str(value)
        label = self.mapping.rule(name).field.label
        self.refusals.append(Refusal(
            Side.LOCAL, key, f"{label} holds “{text}”, which does not fit. It stays in Grist and is not sent.",
            f"Type a value that fits {label}; the other cells of the row are in sync.", name, title,
        ))

    def _wait(self, key: int, title: str, message: str, cure: str) -> None:
        self.refusals.append(Refusal(Side.LOCAL, key, message, cure, title=title, waits=True))

    def _title(self, row: int, thing: str) -> str:
        return self.remote.titles.get(thing) or self.local.titles.get(row, "")


def _stays(why: Why, other_written: Value, other: Value, written: Value) -> Value:
    """A choice on a one-way field can leave the two sides different on purpose: then this is what stays."""
    return other if why is Why.CHOICE and other_written is UNREAD and other != written else UNREAD

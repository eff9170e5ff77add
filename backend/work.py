"""One mapping at work in one run: what was read, what is planned, what is still to be looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace

from backend.core.model import Create, Delete, Key, Mapping, Mark, Op, Pair, Plan, Refusal, Side, Snapshot, Update, Why
from backend.core.values import UNREAD, Value
from backend.looks import Looks


@dataclass
class Scope:
    """What to look at of one mapping; None is all of that side."""

    rows: set[int] | None = None
    things: set[str] | None = None
    rows_known: bool = False
    """Every row without partner was seen and is remembered, so that what has no candidate can be created."""
    things_known: bool = False

    @property
    def whole(self) -> bool:
        return self.rows is None and self.things is None

    @property
    def empty(self) -> bool:
        return not (self.rows is None or self.things is None or self.rows or self.things)

    def add(self, rows: Iterable[int], things: Iterable[str]) -> None:
        if self.rows is not None:
            self.rows |= set(rows)
        if self.things is not None:
            self.things |= set(things)


@dataclass
class Work:
    """Grows and changes through a run; the engine, the memory and the recovery share it."""

    mapping: Mapping
    moved: frozenset[str] = frozenset()
    """Fields that live in another column than at the last run: what that one held says nothing about this one."""
    scope: Scope = field(default_factory=Scope)
    """What this run looks at; the whole of both sides until `gather` says less."""
    looks: Looks | None = None
    """What both sides were told to recognise rows by, where they were."""
    looked_at: set[Key] | None = None
    """The rows and things whose state this run has judged; None for all of them."""
    free_rows: set[int] = field(default_factory=set)
    """Rows that had no partner when they were read, and those that a filter leaves out but that hold an ID."""
    free_things: set[str] = field(default_factory=set)
    pairs: dict[str, Pair] = field(default_factory=dict)
    """By thing."""
    apart: set[tuple[str, str]] = field(default_factory=set)
    """(thing, field) that somebody has taken out of the sync; "" for a row whose other half is gone."""
    local: Snapshot = field(default_factory=Snapshot)
    remote: Snapshot = field(default_factory=Snapshot)
    plan: Plan | None = None
    pending: dict[str, dict[str, Value]] = field(default_factory=dict)
    """By thing: what Grist still holds of the fields that the plan writes there."""
    unread: set[str] = field(default_factory=set)
    """Things of which a value is hidden now that was known when both sides agreed: to be looked at again."""
    resting: set[int] = field(default_factory=set)
    """New rows that somebody may still be typing in."""
    doubtful: set[int] = field(default_factory=set)
    """Rows that may have been created in Shopify already: never created again by themselves."""
    doubted: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """(thing, fields) of which nobody can tell any more what was agreed."""
    behind: list[tuple[str, dict[str, Value]]] = field(default_factory=list)
    """(thing, what Shopify was given of fields that it spells in its own way, and that may go to Grist by now)."""
    again: set[str] = field(default_factory=set)
    """Things to look at once more in this run."""
    moved_in: set[str] = field(default_factory=set)
    """Things that this run has found in other rows than before."""
    written: set[str] = field(default_factory=set)
    """Things written in Shopify since the last look."""
    made_rows: set[int] = field(default_factory=set)
    """Rows that this run has made in Grist. A history from before them does not tell that one of them is gone again."""
    made_hint: int = 0
    """What the inbox was told of them, for the case that this run does not come to its end."""
    parent_made: bool = False
    """Something that this mapping refers to was made in Shopify, which makes children of its own: a new product
    has a variant, a new variant stock levels. Only a whole read finds those."""
    refusals: dict[tuple[Side, Key, str], Refusal] = field(default_factory=dict)
    updated: set[str] = field(default_factory=set)
    ops_done: int = 0

    def refuse(self, refusals: Iterable[Refusal]) -> None:
        self.refusals.update({(one.side, one.key, one.field): one for one in refusals})

    def take_pairs(self, pairs: Iterable[Pair]) -> None:
        """These are the pairs as remembered, less what moved to another column."""
        places = {self.mapping.index[name] for name in self.moved if name in self.mapping.index}

        def forgetting(pair: Pair) -> Pair:
            base = tuple(UNREAD if i in places else value for i, value in enumerate(pair.base_local))
            return replace(pair, base_local=base)

        self.pairs = {pair.remote: forgetting(pair) if places else pair for pair in pairs}

    def turn(self, fields: Collection[str], spells: Callable[[Mapping, str, Value], Value]) -> None:
        """`fields` may go where they might not go before. Where the two sides agreed to differ, that was of another
        direction: what Shopify only spells in its own way (`spells`) is carried over, the rest was never agreed."""
        places = [self.mapping.index[name] for name in fields if name in self.mapping.index]
        for thing, pair in self.pairs.items() if places else ():
            local, remote = list(pair.base_local), list(pair.base_remote)
            for place in places:
                rule, was = self.mapping.fields[place], local[place]
                name = rule.name
                if UNREAD in (was, remote[place]) or was == remote[place]:
                    continue
                if rule.may_write(Side.LOCAL) and spells(self.mapping, name, was) == remote[place]:
                    remote[place] = was
                    self.behind.append((thing, {name: was}))
                else:
                    local[place] = remote[place] = UNREAD
                    self.doubted.append((thing, (name,)))
            self.pairs[thing] = replace(pair, base_local=tuple(local), base_remote=tuple(remote))

    def take_plan(self, plan: Plan) -> None:
        self.plan = plan
        self.refuse(plan.refusals)
        self.pending = {str(op.partner): op.before for op in plan.on(Side.LOCAL) if isinstance(op, Update)}

    @property
    def planned(self) -> Plan:
        assert self.plan is not None, f"{self.mapping.name} is not planned yet"
        return self.plan

    @property
    def applying(self) -> set[tuple[int, str]]:
        """The conflicts, by (row, field), that the plan settles as somebody chose."""
        return {settled for op in self.planned.ops for settled in self.settles(op)}

    def settles(self, op: Op) -> list[tuple[int, str]]:
        """The conflicts, by (row, field), that are settled once `op` is written; "" stands for the whole row."""
        if isinstance(op, Update):
            row = op.key if op.side is Side.LOCAL else op.partner
            return [(int(row), change.field) for change in op.changes if change.why is Why.CHOICE]
        if isinstance(op, Create | Delete) and op.why is Why.CHOICE:
            pair = self.pairs.get(thing_of(op))
            row = pair.local if pair else op.source if isinstance(op, Create) else op.key
            return [(row, "")] if isinstance(row, int) else []
        return []

    @property
    def rewritten(self) -> set[str]:
        """The things of which the plan changes cells."""
        return {thing_of(op) for op in self.planned.ops if isinstance(op, Update)}

    @property
    def deleting(self) -> set[tuple[Side, str]]:
        """The deletions, by (side of the half that is left, thing), that the plan settles as somebody said: it deletes
        that half, or makes the other again."""
        rows = {op.source for op in self.planned.ops if isinstance(op, Create) and op.why is Why.CHOICE}
        things = {pair.local: pair.remote for pair in self.pairs.values() if pair.local in rows} if rows else {}
        settled = {(op.side, thing_of(op)) for op in self.planned.ops if isinstance(op, Delete)}
        return settled | {
            (op.side.other, things.get(op.source, "") if isinstance(op.source, int) else op.source)
            for op in self.planned.ops if isinstance(op, Create) and op.why is Why.CHOICE}

    @property
    def undecided(self) -> set[tuple[Side, str]]:
        """The deletions, by (side of the half that is left, thing), of which this look says nothing: the other half was
        not shown, and is not proven gone. What somebody answered to them stands."""
        local, remote = self.local, self.remote  # no sets are made of all keys: a large store has no room for them
        unseen = {(Side.LOCAL, pair.remote) for pair in self.pairs.values() if pair.remote not in remote.rows
                  and pair.remote not in remote.outside and pair.remote not in remote.gone}
        return unseen | {(Side.REMOTE, pair.remote) for pair in self.pairs.values() if pair.local not in local.rows
                         and pair.local not in local.outside and not local.proves_gone(pair.local)}

    @property
    def references(self) -> list[tuple[int, str]]:
        """(place in a row, resource referred to)."""
        return [(i, rule.field.target) for i, rule in enumerate(self.mapping.fields) if rule.kind == "ref"]

    @property
    def parent_field(self) -> str:
        """The first reference, which says whose child a thing is; "" where there is none."""
        return next((rule.name for rule in self.mapping.fields if rule.kind == "ref"), "")

    @property
    def rows_looked_at(self) -> set[int] | None:
        return None if self.looked_at is None else {key for key in self.looked_at if isinstance(key, int)}

    @property
    def computes(self) -> bool:
        """Whether Shopify computes any mapped field here, so that a write elsewhere in the thing may move it."""
        return any(not rule.field.writable and rule.kind != "ref" for rule in self.mapping.fields)

    def shows(self, fields: Collection[str] | None) -> bool:
        """Whether these fields of what it refers to first (None: any) may move what is mapped here. Of other fields
        than the resource's own nobody knows what they are worked out of."""
        known, own = self.mapping.resource.shows, self.mapping.resource.fields
        if fields is None or known is None or any(rule.field not in own for rule in self.mapping.fields):
            return self.computes
        return self.computes and not set(known).isdisjoint(fields)

    @property
    def new_rows(self) -> dict[int, str]:
        """New rows in Grist that may be created in Shopify: row id → a digest of what they look like."""
        if not (self.mapping.create_remote and self.mapping.resource.creatable and self.mapping.whole):
            return {}
        known = {pair.local for pair in self.pairs.values()}
        return {
            key: hashlib.sha256(repr(row).encode()).hexdigest()
            for key, row in self.local.rows.items()
            if isinstance(key, int) and key not in known and key not in self.local.marks
        }

    def state(self, *, writing: bool) -> str:
        if writing:
            return "writing"
        if self.plan is None:
            return "waits"
        if not self.plan.ops:
            return "nothing"
        return "done" if self.ops_done >= len(self.plan.ops) else "next"


def thing_of(op: Op) -> str:
    """The Shopify key of what an op is about; "" where there is none yet."""
    if isinstance(op, Create):
        return str(op.source) if op.side is Side.LOCAL else ""
    if isinstance(op, Mark):
        return op.partner
    return str(op.key if op.side is Side.REMOTE else op.partner)

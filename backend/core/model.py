"""The nouns: fields and resources, mappings and their rules, snapshots and pairs, ops and plans.

Rows are tuples aligned with `mapping.fields`, so that an unchanged row is one comparison; only what
changed is looked at field by field. `local` is the Grist document, `remote` the Shopify store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from backend.core.values import REFERENCES, UNREAD, Kind, Value

Key = int | str
"""How one side names a row: a Grist row id (int) or a Shopify gid (str)."""

Row = tuple[Value, ...]


class Side(StrEnum):
    LOCAL = "local"
    REMOTE = "remote"

    @property
    def other(self) -> Side:
        return Side.REMOTE if self is Side.LOCAL else Side.LOCAL


class Direction(StrEnum):
    BOTH = "both"
    TO_GRIST = "to_grist"
    TO_SHOPIFY = "to_shopify"


class Rule(StrEnum):
    """What decides where both sides changed one field differently."""

    ASK = "ask"
    SHOPIFY = "shopify"
    GRIST = "grist"
    MERGE = "merge"
    HIGHER = "higher"
    LOWER = "lower"


class Policy(StrEnum):
    """What becomes of a thing that was deleted on the other side."""

    PROPOSE = "propose"
    IGNORE = "ignore"
    APPLY = "apply"
    ARCHIVE = "archive"
    """In Shopify only, where the resource can be archived: it is put aside without asking, and can be brought back."""


# --- what a resource is -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a resource, described once for everybody.

    `path` and `write` are how Shopify names it when read and when written (`inventoryItem.sku`); an empty
    `write` means that Shopify computes it. `group` is the word that `--fields` takes besides the name.
    """

    name: str
    kind: Kind
    label: str
    group: str
    path: str = ""
    write: str = ""
    on_create: str = ""
    """Like `write`, for fields that may be given on create only (option values)."""
    target: str = ""
    """For a `ref` and for `refs`: the resource it points to."""
    choices: tuple[str, ...] = ()
    required: bool = False
    """Nothing is created in Shopify while this is empty."""
    rule: Rule = Rule.ASK
    usual: bool = True
    """Among the fields that a new configuration starts with."""
    opt_in: bool = False
    """Written to Shopify only where a configuration says so: a person's own email, phone and address."""
    hidden: bool = False
    """A technical column: not on the page that is made for the table."""

    @property
    def writable(self) -> bool:
        return bool(self.write)


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of thing in Shopify and the table it becomes in Grist. One data file each, no logic."""

    name: str
    label: str
    table: str
    type: str
    """Shopify's type name, as in its gids: `ProductVariant`."""
    fields: tuple[Field, ...]
    match: tuple[str, ...]
    """How rows that exist on both sides find each other at first, best witness first."""
    title: str
    """The field whose value names a row to a person."""
    scopes: tuple[str, ...]
    write_scopes: tuple[str, ...] = ()
    creatable: bool = False
    deletable: bool = False
    archives: tuple[str, ...] = ()
    """(field, value) that put a thing aside in Shopify without deleting it, where there is such a thing."""
    search: str = ""
    """The connection that takes Shopify's search syntax, where the resource has one (`filter:` needs it)."""
    topics: tuple[str, ...] = ()
    follows: str = ""
    """The reference to what it is a part of, where nothing tells that a part was removed but the whole: an order line.
    All parts are looked at whenever one of them or the whole is."""
    shows: tuple[str, ...] | None = None
    """The fields of what it refers to first that may move what Shopify works out here; None where any of them may."""

    def field(self, name: str) -> Field | None:
        return next((f for f in self.fields if f.name == name), None)

    def no_field(self, name: str) -> str:
        """Why there is no field of this name, where more can be said than that there is none."""
        return ""


# --- what a mapping is --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One field of one mapping: which column it lives in, which way it goes, what decides a clash."""

    field: Field
    column: str
    direction: Direction
    on_conflict: Rule
    source_only: bool = False
    """A formula column: it can feed Shopify and is never written."""

    @property
    def name(self) -> str:
        return self.field.name

    @property
    def kind(self) -> Kind:
        return self.field.kind

    def may_write(self, side: Side) -> bool:
        if side is Side.LOCAL:
            return not self.source_only and self.direction is not Direction.TO_SHOPIFY
        return self.field.writable and self.direction is not Direction.TO_GRIST

    @property
    def may_create_remote(self) -> bool:
        """Whether a new thing in Shopify gets this value: some fields (options) can be given then and never again."""
        return bool(self.field.on_create) or self.may_write(Side.REMOTE)


@dataclass(frozen=True)
class Mapping:
    """One resource joined to one table, with its rules."""

    resource: Resource
    table: str
    fields: tuple[FieldRule, ...]
    match: tuple[str, ...]
    filter: str = ""
    only_where: str = ""
    create_local: bool = True
    create_remote: bool = False
    delete_local: Policy = Policy.PROPOSE
    delete_remote: Policy = Policy.PROPOSE
    chosen: frozenset[str] | None = None
    """The fields this run may touch (`--fields`); None means all."""
    id: int = 0

    @property
    def name(self) -> str:
        return self.resource.name

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(rule.name for rule in self.fields)

    @cached_property
    def refers(self) -> bool:
        """Whether any field refers to other things."""
        return any(rule.kind in REFERENCES for rule in self.fields)

    @cached_property
    def index(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.names)}

    @cached_property
    def active(self) -> tuple[bool, ...]:
        return tuple(self.chosen is None or name in self.chosen for name in self.names)

    @property
    def whole(self) -> bool:
        """Whether this run may create and delete here, not only update: every field takes part."""
        return all(self.active)

    def row(self, values: Dict[str, Value]) -> Row:
        """A row tuple from values by name; what is not there was not read."""
        return tuple(values.get(name, UNREAD) for name in self.names)

    def values(self, row: Row) -> dict[str, Value]:
        """The values by name that were read."""
        return {name: value for name, value in zip(self.names, row, strict=True) if value is not UNREAD}

    def rule(self, name: str) -> FieldRule:
        return self.fields[self.index[name]]

    @property
    def can_archive(self) -> bool:
        """Whether what was deleted in Grist can be put aside in Shopify: by a field that is written there."""
        name = self.resource.archives[0] if self.resource.archives else ""
        return name in self.index and self.rule(name).may_write(Side.REMOTE)

    def with_fields(self, fields: Iterable[FieldRule]) -> Mapping:
        return replace(self, fields=tuple(fields))


# --- what is seen -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Snapshot:
    """What one side holds now of one mapping.

    A key in `gone` is *proven* absent (Shopify answered null for its id; Grist's count agreed with what was
    read); a key in none of these was simply not seen and proves nothing. `outside` holds keys that exist
    but that a filter leaves out: never written, never created, never taken for deleted.
    """

    rows: dict[Key, Row] = field(default_factory=dict)
    gone: frozenset[Key] = frozenset()
    outside: frozenset[Key] = frozenset()
    recognised: frozenset[Key] = frozenset()
    """Keys that exist and look as they did when both sides agreed: no values are made of them, nothing is to do."""
    digests: dict[Key, bytes] = field(default_factory=dict)
    """What each of `rows` looked like as it came, where the read was asked for that."""
    marks: dict[Key, str] = field(default_factory=dict)
    """Local only: what each row's Shopify ID cell holds, where it holds anything."""
    titles: dict[Key, str] = field(default_factory=dict)
    complete: bool = True
    """Every key that exists is in `rows`, `outside` or `recognised`. Without it the read may update, never delete."""
    all_loose: bool = False
    """Not complete, but every key that exists and has no partner is in `rows`: whatever is not there can be created."""
    notes: tuple[str, ...] = ()
    """Sentences for the report: why it is not complete, which way it was read."""

    def proves_gone(self, key: Key) -> bool:
        """Whether this read shows that `key` is not there any more. A row id below zero stands for a row whose id was
        given to another one."""
        if key in self.gone or (isinstance(key, int) and key < 0):
            return True
        return (self.complete and key not in self.rows and key not in self.outside
                and key not in self.recognised)

    @property
    def found(self) -> int:
        """How many rows take part."""
        return len(self.rows) + len(self.recognised)

    @property
    def shows_candidates(self) -> bool:
        """Whether a thing of the other side that finds no candidate in here has none."""
        return self.complete or self.all_loose

    def only(self, keys: Set[Key]) -> Snapshot:
        """What this read says of `keys`. It proves nothing about any other."""
        return replace(
            self, rows={k: row for k, row in self.rows.items() if k in keys}, gone=self.gone & keys,
            outside=self.outside & keys, marks={k: mark for k, mark in self.marks.items() if k in keys},
            digests={}, recognised=self.recognised & keys, complete=False, all_loose=False,
        )

    def merged(self, other: Snapshot) -> Snapshot:
        """This snapshot with a later, targeted one laid over it."""
        rows = {k: v for k, v in self.rows.items() if k not in other.gone and k not in other.outside} | other.rows
        outside = (self.outside - other.rows.keys() - other.gone) | other.outside
        return Snapshot(
            rows=rows,
            gone=(self.gone - other.rows.keys()) | other.gone,
            outside=outside,
            recognised=self.recognised - other.rows.keys() - other.gone - other.outside | other.recognised,
            digests={k: v for k, v in self.digests.items() if k not in other.rows} | other.digests,
            marks={k: v for k, v in self.marks.items() if k in rows or k in outside} | other.marks,
            titles=self.titles | other.titles,
            complete=self.complete,
            all_loose=self.all_loose,
            notes=self.notes + other.notes,
        )


@dataclass(frozen=True, slots=True)
class Pair:
    """One row and one Shopify thing that are the same thing, and what each side held when they last agreed."""

    local: int
    remote: str
    base_local: Row
    base_remote: Row
    shown: Dict[str, tuple[Value, ...]] = field(default_factory=dict)
    """By field: what the Grist cell showed before our last write to it. A merged number that goes back to one
    of these was undone by somebody, which is a question and not a difference."""
    marked: bool = True
    """The Shopify ID has been written into the row. Until then an empty cell is ours to fill."""
    id: int = 0


# --- what is decided ----------------------------------------------------------------------------


class Why(StrEnum):
    """Why an op writes what it writes. Shown in reports and history."""

    CHANGED = "changed on the other side"
    FIRST = "first sync: empty on one side"
    MERGED = "both changes merged"
    RULE = "conflict rule"
    CHOICE = "your choice"
    ONE_WAY = "edited on the side that is only written"
    CREATED = "new on the other side"
    DELETED = "deleted on the other side"
    UNDO = "undo"
    UNHEARD = "may have been written: the answer was lost, and nobody can tell"


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one op: what stands there, what will stand there, and why."""

    field: str
    before: Value
    after: Value
    why: Why
    stays: Value = UNREAD
    """What the other side holds and keeps, where somebody chose that the two differ."""
    undoes: tuple[int, ...] = ()
    """The lines of the history that this takes back."""


@dataclass(frozen=True, slots=True)
class Create:
    """Make on `side` what exists on the other as `source`."""

    side: Side
    source: Key
    values: Dict[str, Value]
    title: str = ""
    why: Why = Why.CREATED
    undoes: tuple[int, ...] = ()
    """The lines of the history that this takes back."""


@dataclass(frozen=True, slots=True)
class Update:
    """Change some fields of one existing thing. `partner` is its key on the other side."""

    side: Side
    key: Key
    partner: Key
    changes: tuple[Change, ...]
    title: str = ""

    @property
    def values(self) -> dict[str, Value]:
        return {change.field: change.after for change in self.changes}

    @property
    def before(self) -> dict[str, Value]:
        return {change.field: change.before for change in self.changes}


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove one thing whose partner is proven gone."""

    side: Side
    key: Key
    partner: Key
    title: str = ""
    why: Why = Why.DELETED
    undoes: tuple[int, ...] = ()
    """The lines of the history that this takes back."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Write the Shopify ID into a Grist row that was just paired."""

    key: int
    partner: str
    title: str = ""
    side: Side = Side.LOCAL


Op = Create | Update | Delete | Mark


@dataclass(frozen=True, slots=True)
class Conflict:
    """Both sides changed one field since they last agreed, each differently. `field` is "" for a whole row:
    deleted on one side, edited on the other."""

    local_key: int
    remote_key: str
    field: str
    base: Value
    local: Value
    remote: Value
    title: str = ""
    reason: str = ""
    """Empty for the plain case; else a sentence: a merge below zero, a step back, a whole row."""
    deleted: Side | None = None
    """For a whole row: the side where it is gone. The other side's value lists what was edited there."""
    edits: tuple[Change, ...] = ()
    moved: bool = False
    """A choice was made on other values than these; it was not applied."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Both sides hold the same now: the base may move there without any write."""

    local_key: int
    remote_key: str
    local: Dict[str, Value]
    remote: Dict[str, Value]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A deletion that waits for a person's yes. `side` is where it would delete."""

    side: Side
    key: Key
    partner: Key
    title: str = ""

    @property
    def thing(self) -> str:
        """In Shopify, whichever half is left: what an answer is about, for Grist gives row ids away again."""
        return str(self.key if self.side is Side.REMOTE else self.partner)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row, or one field of it, that this run left alone, and what a person can do about it."""

    side: Side
    key: Key
    message: str
    cure: str
    field: str = ""
    title: str = ""
    waits: bool = False
    """Nothing is wrong: a new row rests, or lacks a required field. Shown, not counted as refused."""


@dataclass(frozen=True, slots=True)
class Question:
    """Rows and things that may be the same thing, and nobody but a person can tell which.

    kind       the rows and things it is about
    double     a witness is the same on all of `rows` and all of `things`
    twice      several rows hold the Shopify ID of the one thing in `things`
    copy       the row holds the Shopify ID of `of`, which stands in row `holder` already
    stranger   the row holds an ID of nothing that Shopify shows
    emptied    the Shopify ID of the row of `of` was cleared
    changed    … or names something else now: the one in `things`, where that exists and has no row
    """

    kind: str
    rows: tuple[int, ...]
    things: tuple[str, ...] = ()
    witness: str = ""
    values: tuple[Value, ...] = ()
    """What is the same, one value for each field of the witness."""
    of: str = ""
    holder: int | None = None


@dataclass(frozen=True)
class Plan:
    """What a run will do with one mapping. A value: the preview prints it, apply runs exactly it."""

    mapping: Mapping
    ops: tuple[Op, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    paired: tuple[tuple[int, str], ...] = ()
    """New pairs that the first sync found."""
    moved: tuple[tuple[str, int], ...] = ()
    """(thing, row): known pairs whose row has another id now. A negative one stands for a row that is gone and
    whose id Grist has given to a new row."""
    forgotten: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(thing, fields) of moved pairs: what was agreed on these says nothing about the new row."""
    dissolved: tuple[tuple[int, str], ...] = ()
    """Pairs of which both halves are gone."""
    unchanged: int = 0
    rows: int = 0
    questions: tuple[Question, ...] = ()
    """Which row is which thing, where only a person can tell. Each of their rows is in `refusals` too."""
    matched: Dict[tuple[int, str], str] = field(default_factory=dict)
    """By new pair: the witness that joined it; "id" for the Shopify ID in the row, "you" for a person."""

    @property
    def empty(self) -> bool:
        """Nothing to write on either side."""
        return not self.ops

    def on(self, side: Side) -> Iterator[Op]:
        return (op for op in self.ops if op.side is side)


# --- what a person chose, what became of it ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """A person's answer to a conflict, good only for the values it was made on, and for the thing `of`."""

    keep: str
    """`grist`, `shopify`, `base` or `value`."""
    local: Value
    remote: Value
    value: Value = None
    of: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one op. Exactly one of: done (with the values *as stored*), refused, stale, unclear, passed.

    `stored` holds canonical values by field name of at least every field that was written; more is welcome.
    `stale` means that the conditional write found another value: nothing was written, read it again and plan anew.
    `unclear` means that it may have happened and no look can tell any more: a person has to say what is right.
    `passed` means that it may have happened, and that somebody has edited since: what is there is theirs. What it may
    have written over is told in the history, and nothing else comes of it.
    """

    op: Op
    key: Key | None = None
    """Of the thing as it exists now; for a create its new key."""
    stored: Dict[str, Value] = field(default_factory=dict)
    refusal: Refusal | None = None
    stale: bool = False
    unclear: bool = False
    passed: bool = False
    besides: tuple[Refusal, ...] = ()
    """Of a create that was done: the fields that it was made without, each with the reason. They agree on nothing."""

    @property
    def done(self) -> bool:
        return self.refusal is None and not (self.stale or self.unclear or self.passed)

    @property
    def written(self) -> tuple[Change, ...]:
        """Of an update that was not done as a whole: the changes that stand there as they were sent."""
        changes = self.op.changes if isinstance(self.op, Update) else ()
        return tuple(change for change in changes if self.stored.get(change.field, UNREAD) == change.after)

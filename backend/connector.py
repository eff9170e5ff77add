"""What the engine asks of a service, and all that it knows about one.

    prepare(mappings, ...)   → the mappings as they can run today, and sentences for what cannot
    changed(mappings, checkpoint) → which keys changed since then: hints, found for the price of about one request
    read(mapping, keys)      → a Snapshot: complete for what was asked, or it raises
    again(mapping, keys)     → the same of what this run has read or written already
    batches(mapping, ops)    → the ops cut into what one request carries, in an order that works
    apply(mapping, batch, …) → one Receipt for each op, in the same order
    halt(batches)            → after a crash: what the service still works off of these ends
    repeat(mapping, batch, …) → after a crash: the same again where that is safe, else None

A connector never decides. Values go in and out in their canonical form (`core.values`); a `ref` is the key
that the connector's own side uses: a row id in Grist, a gid in Shopify. The engine translates between them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from backend.core.model import Key, Mapping, Op, Receipt, Side, Snapshot
from backend.core.values import Value
from backend.looks import Looks


@dataclass(frozen=True, slots=True)
class Prepared:
    """Mappings ready to run, with what a connector learned about each, to be kept until the next run."""

    mappings: tuple[Mapping, ...]
    bindings: dict[str, Any] = field(default_factory=dict)
    """By resource: plain JSON that the same connector gets back next time (Grist: colRef, colId, type a column)."""
    paused: dict[str, str] = field(default_factory=dict)
    """By resource: why it cannot run, and the cure. Nothing of it is read or written."""
    notes: tuple[str, ...] = ()
    moved: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By resource: the fields that live in another column than the binding says they did."""


class Changed(NamedTuple):
    """What changed on one side since a checkpoint. Keys are hints, not values: what stands there is read by `read`."""

    keys: dict[str, set[Key]] | None
    """By resource: the keys to read, whether changed, new or gone. None where only a full read of everything tells."""
    checkpoint: dict[str, Any]
    """How far this tells: plain JSON, to be kept once what it names is applied, in conflict or on the retry list."""
    why: str
    """How it was found out, or why only a full read tells: one word for the log ("same", "first", "trimmed")."""
    audit: frozenset[str] = frozenset()
    """Resources that are to be read whole besides, for no filter finds all that changes in them. The checkpoint takes
    them as read whole from then on."""


@dataclass
class Usage:
    """What a run has cost so far, as counted on our side."""

    requests: int = 0
    points: float = 0
    writes: int = 0


@dataclass(frozen=True, slots=True)
class Stamp:
    """What marks one batch as ours. It stands in the journal, with the batch, before the batch is sent."""

    key: str
    """Idempotency key: the same batch under the same key happens once, where the service keeps keys."""
    run: str
    """Names the run in the service's own history."""


class Connector(Protocol):
    """One side. Every method raises `UserError`, `RetryLater` or a bug; none returns half an answer."""

    side: Side
    usage: Usage
    notes: list[str]
    """Sentences for the report about what happened while writing: a value that a person typed in that moment."""

    def prepare(self, mappings: Sequence[Mapping], bindings: dict[str, Any], *, write: bool) -> Prepared:
        """Check rights and make what is missing (tables, columns). With `write` False nothing is made: a mapping
        whose table does not exist yet is returned all the same and reads as empty.

        Raises UserError where the whole link cannot run: wrong key, no such store or document, missing scope.
        """
        ...

    def changed(self, mappings: Sequence[Mapping], checkpoint: dict[str, Any] | None) -> Changed:
        """What changed in the data of `mappings` since `checkpoint`, as an earlier call gave it; None the first time.

        May be called before `prepare`, so that a run with nothing to do ends after it. A connector that cannot tell
        then (why "unprepared", with the checkpoint that it was given) is asked again after `prepare`, with the
        mappings that came out of it. Whatever changes
        while this looks is told by the next call. Raises RetryLater, UserError."""
        ...

    def settled(self, checkpoint: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """`checkpoint`, as `changed` gave it in this run, moved over what follows it and is known to be nothing but
        what this run has written itself; and whether all that this run wrote lies before it. Called at a run's end.
        Asks nobody."""
        ...

    def expand(
        self, mappings: Sequence[Mapping], hints: dict[str, set[Key]]
    ) -> tuple[dict[str, set[Key]], set[str]]:
        """Hints by resource, as webhooks leave them, as keys to read; and the resources to read whole. A hint may name
        a relative (the order of a line). Raises RetryLater."""
        ...

    def read(self, mapping: Mapping, keys: Collection[Key] | None = None, looks: Looks | None = None) -> Snapshot:
        """All rows, or the given ones. With `looks` a read of all rows makes no values of those that look as they did
        when both sides agreed (`Snapshot.recognised`), and tells what the others look like (`digests`).
        A given key is in `rows`, `outside` or `gone` afterwards, unless its
        absence could not be proven. Pages are followed to the end; a half-read list raises."""
        ...

    def again(self, mapping: Mapping, keys: Collection[Key]) -> Snapshot:
        """Rows that this run has read or written already, for a second look at them. A connector that knows what its
        own writes made of them, and that writes only what still stands as it was seen, need not ask for it."""
        ...

    def watch(self, before_write: Callable[[], None], going_on: Callable[[int], None] = ...) -> None:
        """Call `before_write` right before a write that had to wait; it raises where the run is another's by now. And
        `going_on` again and again while the service works a batch off by itself, with how many ops are done; it raises
        where the run is another's, and Cancelled where it should end: then the batch is ended and its receipts given.
        """
        ...

    def halt(self, batches: Dict[str, int]) -> None:
        """End what the service still works off of these batches, given as the keys of their stamps with how many ops
        each had. When this returns nothing more happens to them by itself. Raises RetryLater where that takes too
        long. Called before what became of them is settled, and before anything is written."""
        ...

    def batches(self, mapping: Mapping, ops: Sequence[Op]) -> Iterable[Sequence[Op]]:
        """`ops` of this side cut into requests. Between two batches a run may be cancelled."""
        ...

    def apply(self, mapping: Mapping, batch: Sequence[Op], stamp: Stamp) -> list[Receipt]:
        """Write one batch, marked with `stamp`. One receipt an op, in order; a row that is refused stops only itself.

        Raises RetryLater where it is not known or not true that anything was written; the run stops there and
        the next one looks before it decides."""
        ...

    def spells(self, mapping: Mapping, field: str, value: Value) -> Value:
        """What this side makes of a value when it stores it, where that is known beforehand (a handle in lower case);
        else the value. After a crash it tells a write that was done from somebody else's edit."""
        ...

    def repeat(self, mapping: Mapping, batch: Sequence[Op], stamp: Stamp) -> list[Receipt] | None:
        """What became of a batch that was sent under `stamp` and whose answer nobody kept, where the service itself
        knows: it is sent again and happens once. None where only looking at the values can tell."""
        ...


class Document(Connector, Protocol):
    """Grist's side: its rows say which things they are."""

    def holding(self, mapping: Mapping, things: Collection[str]) -> dict[str, set[int]]:
        """By thing: the rows that are shown and hold its Shopify ID now, where there are any. Raises RetryLater."""
        ...

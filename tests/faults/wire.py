"""The wire between the engine and everything outside: it counts each step and breaks where it is told to.

A step (an I/O point) is one transaction of the store, one call to Grist or one call to Shopify. A process reaches
both services and its database through one `Wire`; what is at the other end never notices.

    killed            the process is gone, before or after the step; played by keeping the world as it stands there,
                      which is all that a kill leaves behind
    answer lost       the step was done, or was not, and the process hears of neither
    halfway           Shopify did half of a batch and answered 500; Grist's batches are atomic
    delivered twice   the service gets the same request once more, at once
    delivered late    the answer is lost, somebody else recovers, and only then the request arrives
    throttled         the service says that it did nothing
    refused in part   the service refuses one row of a batch
    store failed      the database does not answer, or rolls back at the commit
    paused            the process sleeps longer than its lease; another one does its work; then it goes on

A large batch goes to Shopify as a file, in more steps: it is begun, looked at while Shopify works it off, and held
against what stands there in the end. Whatever becomes of the process, the file goes on until somebody ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from collections.abc import Mapping as Dict
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from twins import MemoryGrist, MemoryShopify

from backend.connector import Changed, Prepared, Stamp, Usage
from backend.core.model import Create, Key, Mapping, Op, Receipt, Refusal, Side, Snapshot, Update
from backend.core.values import Value
from backend.errors import OutcomeUnknown, RetryLater, SyncError
from backend.looks import Looks
from backend.store.db import Database


class Fault(StrEnum):
    """What goes wrong at one step. The first two are not played by the wire: see `story.Story.killed`."""

    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    LOST_DONE = "answer lost, done"
    LOST_NOT_DONE = "answer lost, not done"
    HALFWAY = "500 halfway or after"
    TWICE = "delivered twice"
    LATE = "delivered late"
    THROTTLED = "throttled"
    REFUSED = "refused in part"
    STORE_FAILED = "store failed"
    PAUSED = "paused beyond lease"

    def fits(self, point: str, *, keyed: Collection[str]) -> bool:
        """Whether this can happen at `point`. `keyed`: the resources whose creations carry a key of ours; a change of
        stock always has one."""
        service, call, *_ = point.split()
        if self in (*KILLS, Fault.PAUSED):
            return True
        if self is Fault.STORE_FAILED:
            return service == "store"
        if self in (Fault.TWICE, Fault.LATE):
            return service == "shopify" and call == "apply" and (
                " inventory " in point or (point.endswith("Create") and point.split()[2] in keyed))
        if self is Fault.REFUSED:
            return call in ("apply", "file")
        if self is Fault.LOST_DONE:
            return service != "store" or call not in ("read", "changed")
        return service != "store"


BEAT = "store beat"
"""The transaction in which a run says that it lives."""
KILLS = (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)


def effect(fault: Fault, point: str) -> str:
    """What the process meets. Faults that cannot be told apart there have the same effect: a read that fails is a
    read that fails, and so is a sign of life, which tells nobody anything but that."""
    if point == BEAT and fault is Fault.LOST_DONE:
        return Fault.STORE_FAILED.value
    return "no answer" if point.split()[1] in ("read", "changed", "look", "expand") and fault in (
        Fault.LOST_DONE, Fault.LOST_NOT_DONE, Fault.HALFWAY, Fault.THROTTLED) else fault.value


class Wire:
    """Counts the steps of one process, in `points`, and plays the faults given by the number of the step."""

    def __init__(self, faults: Dict[int, Fault] | None = None, *, pause: Callable[[], None] = lambda: None,
                 watch: Callable[[], None] = lambda: None) -> None:
        self.faults = dict(faults or {})
        self.points: list[str] = []
        self.late: list[Callable[[], object]] = []
        """What is still under way when the process ends."""
        self.pause = pause
        self.watch = watch
        """Called before each step and after it."""

    def reach(self, point: str) -> Fault | None:
        self.watch()
        self.points.append(point)
        fault = self.faults.get(len(self.points) - 1)
        if fault is Fault.PAUSED:
            self.pause()
            return None
        return fault


class WiredDatabase:
    """A `Database` at the end of a wire."""

    def __init__(self, database: Database, wire: Wire) -> None:
        self._database = database
        self._wire = wire

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        if self._wire.reach("store read"):
            raise _store_failed()
        with self._database.read() as tx:
            yield tx
        self._wire.watch()

    @contextmanager
    def write(self, point: str = "store write") -> Iterator[sa.Connection]:
        fault = self._wire.reach(point)
        with self._database.write() as tx:
            yield tx
            if fault is Fault.STORE_FAILED:
                raise _store_failed()
        self._wire.watch()
        if fault is Fault.LOST_DONE:
            raise _store_failed()


class WiredConnector:
    """A `Connector` at the end of a wire."""

    def __init__(self, twin: MemoryGrist | MemoryShopify, wire: Wire) -> None:
        self._twin = twin
        self._wire = wire
        self.side: Side = twin.side
        self.usage: Usage = twin.usage
        self.notes: list[str] = []
        self._before_write: Callable[[], None] = lambda: None
        self._going_on: Callable[[int], None] = lambda done: None

    def prepare(self, mappings: Sequence[Mapping], bindings: dict[str, Any], *, write: bool) -> Prepared:
        fault = self._wire.reach(f"{self._twin.name} prepare")
        if fault in (Fault.LOST_NOT_DONE, Fault.THROTTLED):
            raise RetryLater("Too many requests.")
        prepared = self._twin.prepare(mappings, bindings, write=write)
        self._wire.watch()
        if fault is not None:
            raise RetryLater("The line is dead.")
        return prepared

    def read(self, mapping: Mapping, keys: Collection[Key] | None = None, looks: Looks | None = None) -> Snapshot:
        return self._read(mapping, lambda: self._twin.read(mapping, keys, looks))

    def holding(self, mapping: Mapping, things: Collection[str]) -> dict[str, set[int]]:
        if self._wire.reach(f"{self._twin.name} holding {mapping.name}") is not None:
            raise RetryLater("The line is dead.")
        assert isinstance(self._twin, MemoryGrist)
        held = self._twin.holding(mapping, things)
        self._wire.watch()
        return held

    def again(self, mapping: Mapping, keys: Collection[Key]) -> Snapshot:
        return self._read(mapping, lambda: self._twin.again(mapping, keys))

    def _read(self, mapping: Mapping, do: Callable[[], Snapshot]) -> Snapshot:
        if self._wire.reach(f"{self._twin.name} read {mapping.name}") is not None:
            raise RetryLater("The line is dead.")
        snapshot = do()
        self._wire.watch()
        return snapshot

    def changed(self, mappings: Sequence[Mapping], checkpoint: dict[str, Any] | None) -> Changed:
        if self._wire.reach(f"{self._twin.name} changed") is not None:
            raise RetryLater("The line is dead.")
        changed = self._twin.changed(mappings, checkpoint)
        self._wire.watch()
        return changed

    def expand(self, mappings: Sequence[Mapping], hints: dict[str, set[Key]]) -> Any:
        if self._wire.reach(f"{self._twin.name} expand") is not None:
            raise RetryLater("The line is dead.")
        expanded = self._twin.expand(mappings, hints)
        self._wire.watch()
        return expanded

    def watch(self, before_write: Callable[[], None], going_on: Callable[[int], None] = lambda done: None) -> None:
        self._before_write, self._going_on = before_write, going_on

    def halt(self, batches: Dict[str, int]) -> None:
        if self.side is Side.REMOTE and batches and isinstance(self._twin, MemoryShopify) and self._twin.files_from:
            if self._wire.reach("shopify halt") is not None:
                raise RetryLater("The line is dead.")
            self._twin.halt(batches)
            self._wire.watch()

    def batches(self, mapping: Mapping, ops: Sequence[Op]) -> Iterable[Sequence[Op]]:
        return self._twin.batches(mapping, ops)

    def settled(self, checkpoint: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        return self._twin.settled(checkpoint)

    def spells(self, mapping: Mapping, field: str, value: Value) -> Value:
        return self._twin.spells(mapping, field, value)

    def apply(self, mapping: Mapping, batch: Sequence[Op], stamp: Stamp) -> list[Receipt]:
        if isinstance(self._twin, MemoryShopify) and self._twin.is_file(mapping, batch):
            return self._as_file(self._twin, mapping, batch, stamp)
        return self._write("apply", mapping, batch, stamp, self._twin.apply)

    def repeat(self, mapping: Mapping, batch: Sequence[Op], stamp: Stamp) -> list[Receipt] | None:
        keyed = isinstance(self._twin, MemoryShopify) and (mapping.name in self._twin.keyed or (
            mapping.name in self._twin.carries_key and all(isinstance(op, Create) for op in batch)))
        return self._write("repeat", mapping, batch, stamp, self._twin.repeat) if keyed else None

    def _write(self, verb: str, mapping: Mapping, batch: Sequence[Op], stamp: Stamp, do: Callable[..., Any]) -> Any:
        fault = self._wire.reach(f"{self._twin.name} {verb} {mapping.name} {type(batch[0]).__name__}")
        if fault is Fault.THROTTLED:
            raise RetryLater("Too many requests.")
        if fault in (Fault.LOST_NOT_DONE, Fault.LATE):
            if fault is Fault.LATE:
                self._wire.late.append(lambda: do(mapping, batch, stamp))
            raise OutcomeUnknown("The line is dead.")
        if fault is Fault.HALFWAY and self.side is Side.REMOTE and len(batch) > 1 and mapping.name != "inventory":
            do(mapping, batch[:len(batch) // 2], stamp)
            raise OutcomeUnknown("Internal error.")
        if fault is Fault.REFUSED:
            self._twin.refuses = lambda op: "Not today" if op is batch[0] else None
        try:
            receipts = do(mapping, batch, stamp)
        finally:
            self._twin.refuses = lambda op: None
        if fault is Fault.TWICE:
            do(mapping, batch, stamp)
        self._wire.watch()
        if fault in (Fault.LOST_DONE, Fault.HALFWAY):
            raise OutcomeUnknown("The line is dead.")
        return receipts

    def _as_file(self, shop: MemoryShopify, mapping: Mapping, batch: Sequence[Op], stamp: Stamp) -> list[Receipt]:
        """What is not there in the end as it was sent is stale."""
        self._before_write()
        fault = self._wire.reach(f"shopify file {mapping.name} Update")
        if fault is Fault.THROTTLED:
            raise RetryLater("Too many requests.")
        if fault is Fault.LOST_NOT_DONE:
            raise OutcomeUnknown("The line is dead.")
        refused = batch[:1] if fault is Fault.REFUSED else []
        shop.begin_file(mapping, [op for op in batch if op not in refused], stamp)
        self._wire.watch()
        if fault in (Fault.LOST_DONE, Fault.HALFWAY):
            raise OutcomeUnknown("The line is dead.")
        while stamp.key in shop.file:
            if self._wire.reach(f"shopify look {mapping.name}") is not None:
                raise RetryLater("The line is dead.")
            left = shop.work_off()
            self._wire.watch()
            try:
                self._going_on(len(batch) - left)
            except SyncError:
                shop.halt({stamp.key: len(batch)})
                raise
        now = self.read(mapping, [op.key for op in batch if isinstance(op, Update)]).rows
        return [self._stood(shop, mapping, op, now, refused=op in refused) for op in batch if isinstance(op, Update)]

    def _stood(
        self, shop: MemoryShopify, mapping: Mapping, op: Update, now: Dict[Key, Any], *, refused: bool
    ) -> Receipt:
        if refused:
            return Receipt(op, refusal=Refusal(self.side, op.key, "Not today", "Change it and sync again."))
        stands = mapping.values(now[op.key]) if op.key in now else {}
        done = all(stands.get(name) == shop.spells(mapping, name, value) for name, value in op.values.items())
        return Receipt(op, op.key, {name: stands[name] for name in op.values}) if done else Receipt(op, stale=True)


def _store_failed() -> sa.exc.OperationalError:
    return sa.exc.OperationalError("COMMIT", {}, Exception("disk I/O error"))

"""The bulk operations of the store: how many may run, how far each has come, and what it leaves behind.

    CREATED ──▶ RUNNING ──▶ COMPLETED          url after the end, dead after seven days
       │           ├──────▶ FAILED             partialDataUrl, errorCode
       └───────────┴──────▶ CANCELING ──▶ CANCELED

Work goes in short slices, each holding the store's lock, so requests change the data while an operation runs. A
background thread does them; where there is none, whoever looks at an operation first does what is due.
"""
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import BufferedWriter
from typing import TYPE_CHECKING, Any, ClassVar

from ..model import Thing
from .blobs import Blobs

if TYPE_CHECKING:
    from ..state import Store

AT_A_TIME = 5  # of each type, for an app and a store
_SLICE_SECONDS = 0.01
_HELD_SECONDS = 0.02
_KEPT = timedelta(days=7)
_UNFINISHED = ("CREATED", "RUNNING", "CANCELING")


@dataclass(eq=False)
class BulkOperation(Thing):
    kind: ClassVar[str] = "BulkOperation"
    id: int
    type: str  # QUERY or MUTATION
    query: str
    created_at: datetime
    exactly: datetime  # with the fraction of a second that the cursor shows
    status: str = "CREATED"
    completed_at: datetime | None = None
    error_code: str | None = None
    object_count: int = 0
    root_object_count: int = 0
    file_size: int | None = None
    grouped: bool = False
    version: str = ""
    upload_key: str = ""
    due: float = 0.0  # by the store's monotonic clock: when it starts, and when it may end
    paused: bool = False
    trouble: str = ""  # why it failed, for whoever tests
    work: Iterator[list[Any]] | None = None
    out: BufferedWriter | None = None
    adopted: dict[str, Any] = field(default_factory=dict)  # what a recording shows of it

    @property
    def result_key(self) -> str:
        return f"bulk-operation-outputs/{self.id}"


class Bulks:
    """All bulk operations, by number, and the files that they read and write."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.held: dict[int, BulkOperation] = {}
        self.blobs = Blobs()
        # {"after": lines, "code": …}: the next operation of this "type" (QUERY) fails there, or ends as "status" says.
        self.fail_next: dict[str, Any] | None = None
        self.hold_after: int | None = None  # after so many lines mutations wait until this says otherwise
        self.finished: list[Callable[[BulkOperation], None]] = []
        self.worked_elsewhere = False  # a background thread does the work

    # --- what requests do -----------------------------------------------------------------------------

    def unfinished(self, type_: str) -> list[BulkOperation]:
        """Those that count against the limit."""
        self.look()
        return [each for each in self.held.values() if each.type == type_ and each.status in _UNFINISHED]

    def start(self, type_: str, text: str, **values: Any) -> BulkOperation:
        """Note an operation; it starts by itself a moment later."""
        store = self._store
        operation = BulkOperation(id=store.new_id(), type=type_, query=text, created_at=store.now(),
                                  exactly=store.clock.exact(),
                                  due=store.clock.monotonic() + store.behaviour.bulk_start_seconds, **values)
        self.held[operation.id] = operation
        store.background.wake()
        return operation

    def cancel(self, operation: BulkOperation) -> bool:
        """Ask it to stop; False when it has ended already."""
        self.look()
        if operation.status not in _UNFINISHED:
            return False
        operation.status = "CANCELING"
        operation.due = self._store.clock.monotonic() + self._store.behaviour.bulk_start_seconds
        self._store.background.wake()
        return True

    def look(self) -> None:
        """Where nobody works in the background: do what is due now."""
        while not self.worked_elsewhere and self.slice() == 0:
            pass

    def result_lives(self, operation: BulkOperation) -> bool:
        end = operation.completed_at
        return end is not None and self._store.clock.exact() - end < _KEPT and operation.object_count > 0

    # --- the work ---------------------------------------------------------------------------------------

    def slice(self) -> float | None:
        """Work a moment on the oldest operation that is due.

        Answers 0 when there is more to do now, the seconds until there is, or None when nothing waits.
        """
        store = self._store
        with store.lock:
            waiting = [each for each in self.held.values() if each.status in _UNFINISHED and not each.adopted]
            if not waiting:
                return None
            now = store.clock.monotonic()
            ready = [each for each in waiting if each.due <= now]
            if not ready:
                return min(each.due for each in waiting) - now
            for operation in ready:  # they share the time, as they do at Shopify
                self._advance(operation)
            return 0.0

    def _advance(self, operation: BulkOperation) -> None:
        if operation.status == "CANCELING":
            self._end(operation, "CANCELED")
            return
        if operation.status == "CREATED":
            operation.status = "RUNNING"
            operation.work = self._work_of(operation)
            operation.out = self._store.bulks.blobs.path(operation.result_key).open("wb")
            operation.due = self._store.clock.monotonic()
        from .lines import OperationFailed
        until = time.perf_counter() + _SLICE_SECONDS
        assert operation.work is not None
        try:
            while time.perf_counter() < until:
                if self._is_held(operation):
                    return
                group = next(operation.work, None)
                if group is None:
                    self._complete(operation)
                    return
                self._write(operation, group)
                plan = self.fail_next
                if plan is not None and operation.type == plan.get("type", "QUERY") and (
                        operation.object_count >= plan.get("after", 0)):
                    self.fail_next = None
                    if plan.get("status"):
                        self._end(operation, plan["status"])
                        return
                    raise OperationFailed(plan.get("code", "INTERNAL_SERVER_ERROR"), "as asked for")
        except OperationFailed as failure:
            operation.error_code, operation.trouble = failure.code, str(failure)
            self._end(operation, "FAILED")

    def _is_held(self, operation: BulkOperation) -> bool:
        held = operation.type == "MUTATION" and self.hold_after is not None and (
            operation.object_count >= self.hold_after)
        if held:  # looked at again a little later
            operation.due = self._store.clock.monotonic() + _HELD_SECONDS
        return held

    def _work_of(self, operation: BulkOperation) -> Iterator[list[Any]]:
        from .documents import plan_of
        from .lines import lines
        plan = plan_of(operation.query)
        if operation.type == "QUERY":
            return lines(self._store, plan, grouped=operation.grouped, version=operation.version)
        from .mutating import answers
        return answers(self._store, plan, operation)

    def _write(self, operation: BulkOperation, group: list[Any]) -> None:
        assert operation.out is not None
        if not operation.grouped and self._store.behaviour.bulk_children_come_first:
            group = group[1:] + group[:1]
        operation.out.write("".join(f"{line.text}\n" for line in group).encode())
        operation.object_count += len(group)
        operation.root_object_count += sum(line.is_root for line in group)

    def _complete(self, operation: BulkOperation) -> None:
        """It ends, unless it is to look as if it had taken longer."""
        pause = self._store.behaviour.bulk_run_seconds
        if pause and not operation.paused:
            operation.paused = True
            operation.due = self._store.clock.monotonic() + pause
            return
        self._end(operation, "COMPLETED")

    def _end(self, operation: BulkOperation, status: str) -> None:
        operation.status, operation.work = status, None
        if operation.out is not None:
            operation.out.close()
            operation.out = None
        if status != "CANCELED" or self._store.behaviour.bulk_cancel_keeps_answers:
            operation.completed_at = self._store.now()
            path = self.blobs.find(operation.result_key)
            size = path.stat().st_size if path else 0
            operation.file_size = size if status == "COMPLETED" and size else None
        else:
            self.blobs.drop(operation.result_key)
        for listener in self.finished:
            listener(operation)


def finish_payload(operation: BulkOperation) -> dict[str, Any]:
    """What the webhook bulk_operations/finish says."""
    return {"admin_graphql_api_id": operation.gid,
            "completed_at": operation.completed_at.isoformat() if operation.completed_at else None,
            "created_at": operation.created_at.isoformat(),
            "error_code": operation.error_code.lower() if operation.error_code else None,
            "status": operation.status.lower(), "type": operation.type.lower()}



"""The writing half of the connector, where much is written at once: as files that Shopify works off by itself.

    batches  → what would take too long by requests comes as files, one thing once in each; the rest as before
    apply    → the same look right before as for any batch; the file (`bulk`); each line's answer; a look at all of it
    halt     → what an earlier run has left running is ended, before anybody looks or writes

A file is a batch like any other: it stands in the journal before it starts, under the key by which it is found at
Shopify. Where Shopify does not take one, its changes go by requests, and so do all others of the run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import replace

from backend.connector import Stamp
from backend.core.model import Mapping, Op, Receipt, Update
from backend.errors import BulkFailed, Cancelled
from backend.shopify import in_files
from backend.shopify.bulk import Bulk, Ran
from backend.shopify.in_files import Filed, Line, Size
from backend.shopify.resource import shape
from backend.shopify.writing import THINGS_PER_REQUEST, Writing

log = logging.getLogger(__name__)


class Filing(Writing):
    """What `ShopifyConnector` adds: the client's bulk operations, and after how many seconds of waiting for points
    they are used (0: never)."""

    _bulk: Bulk
    _files_after_seconds: float
    _going_on: Callable[[int], None]

    def _begin_filing(self) -> None:
        """At the start of a run."""
        self._size = Size()
        self._files: list[Sequence[Op]] = []
        """The batches that were given out as files."""
        self._filed: dict[str, Filed] = {}
        self._looked_at = 0.0
        self._by_request = 0.0
        """How many things a second requests write, as far as the points come back."""

    def batches(self, mapping: Mapping, ops: Sequence[Op]) -> Iterable[Sequence[Op]]:
        """See `backend.connector`. A file is as large as the last one's pace allows, so each is made when it is asked
        for."""
        things, rest = self._for_files(mapping, ops)
        while len(things) >= in_files.FEWEST_LINES and not self._size.ended:
            file, things = _flat(things[:self._size.lines]), things[self._size.lines:]
            self._files.append(file)
            yield file
        yield from super().batches(mapping, [*_flat(things), *rest])

    def _for_files(self, mapping: Mapping, ops: Sequence[Op]) -> tuple[list[list[Op]], list[Op]]:
        updates = [op for op in ops if isinstance(op, Update)]
        nothing: tuple[list[list[Op]], list[Op]] = [], list(ops)
        if not self._files_after_seconds or self._size.ended or mapping.name in self._unwritable or (
                len(updates) < in_files.FEWEST_LINES or shape(mapping).writer == "stock"):
            return nothing
        most = self._client.restores() * self._files_after_seconds
        if not 0 < most < len(updates) * (in_files.POINTS + in_files.POINTS_A_VARIANT):
            return nothing
        self._learn(mapping, updates)
        things, _ = in_files.part(mapping, updates, self._known)
        points = in_files.points_of(things, mapping)
        if points <= most:
            return nothing
        self._by_request = len(things) / points * self._client.restores()
        taken = {id(op) for op in _flat(things)}
        return things, [op for op in ops if id(op) not in taken]

    def apply(self, mapping: Mapping, batch: Sequence[Op], stamp: Stamp | None = None) -> list[Receipt]:
        """See `backend.connector`. Of a file, what is not there afterwards as it was sent is stale."""
        self._looked_at = self._bulk.now()
        return super().apply(mapping, batch, stamp)

    def _write_all(
        self, mapping: Mapping, batch: Sequence[Op], ops: Sequence[Op], stamp: Stamp, keys: Sequence[str]
    ) -> list[Receipt]:
        if not any(batch is one for one in self._files):
            return super()._write_all(mapping, batch, ops, stamp, keys)
        lines = in_files.lines_of(mapping, ops, self._known, stamp.key, lambda narrow, some: self.request_for(
            narrow, some, stamp))
        text = next((line.request.document for line in lines if in_files.mark_of(stamp.key) in line.request.document),
                    "")
        filed, apart = [], list[int]()
        for line in lines:
            if line.request.document == text or not line.request.calls:
                filed.append(line)
            else:
                apart += line.places
        sent = [line for line in filed if line.request.calls]
        try:
            ran = self._bulk.run_mutation(text, (line.request.variables for line in sent),
                                          in_files.mark_of(stamp.key), self._going_on,
                                          start_by=self._looked_at + in_files.OLD_SECONDS)
        except BulkFailed as error:
            log.info("shopify: no file of changes was begun: %s", error.message)
            self._size.ended = True
            return self._by_requests(mapping, ops, stamp)
        self._learn_pace(len(sent), ran)
        receipts = self._receipts_of(mapping, ops, filed, sent, ran)
        receipts |= dict(zip(apart, self._by_requests(mapping, [ops[place] for place in apart], stamp), strict=True))
        return [receipts[place] for place in range(len(ops))]

    def _learn_pace(self, lines: int, ran: Ran) -> None:
        if not ran.completed:
            self._size.ended = True
        elif lines:
            self._size.learn(lines, ran.seconds, self._by_request)

    def _receipts_of(
        self, mapping: Mapping, ops: Sequence[Op], filed: Sequence[Line], sent: Sequence[Line], ran: Ran
    ) -> dict[int, Receipt]:
        """By position: what the answers say, and what stands there now that the file has ended."""
        numbers = {id(line): number for number, line in enumerate(sent)}
        said: dict[int, Receipt] = {}
        for line in filed:
            number = numbers.get(id(line))
            outcome, denied = in_files.answer_of(line, None if number is None else ran.answers.get(number),
                                                 self.shop.decimals, mapping.resource.label)
            if denied is not None:
                self._unwritable[mapping.name] = denied
                outcome.receipts |= {place: self._refused_for(op, denied) for place, op in enumerate(line.request.ops)}
            self._remember(line.request, outcome)
            said |= {line.places[place]: receipt for place, receipt in outcome.receipts.items()}
        looked = [place for line in filed for place in line.places if place not in said or said[place].done]
        keys = [op.key for place in looked if isinstance(op := ops[place], Update)]
        now = self.read(replace(mapping, filter=""), keys)
        receipts = said | {place: in_files.verified(
            mapping, ops[place], said.get(place), now, lambda name, value: self.spells(mapping, name, value))
            for place in looked}
        self._tell(mapping, len(looked), sum(not receipts[place].done for place in looked))
        return receipts

    def _by_requests(self, mapping: Mapping, ops: Sequence[Op], stamp: Stamp) -> list[Receipt]:
        """The same changes request by request, with a look right before each. Where somebody wants the run to end,
        nothing happens to the others: they are planned anew."""
        receipts: dict[int, Receipt] = {}
        for number, batch in enumerate(super().batches(mapping, ops)):
            try:
                self._going_on(len(receipts))
            except Cancelled:
                break
            written = self.apply(mapping, batch, replace(stamp, key=f"{stamp.key}.{number}"))
            receipts |= {id(op): receipt for op, receipt in zip(batch, written, strict=True)}
        return [receipts.get(id(op)) or Receipt(op, getattr(op, "key", None), stale=True) for op in ops]

    def _tell(self, mapping: Mapping, rows: int, moved: int) -> None:
        label, before = mapping.resource.label, self._filed.get(mapping.name, Filed())
        if before.rows:
            self.notes.remove(before.told(label))
        now = Filed(before.rows + rows, max(before.seconds, self._bulk.now() - self._looked_at), before.moved + moved)
        self._filed[mapping.name] = now
        if now.rows:
            self.notes.append(now.told(label))

    def halt(self, batches: Dict[str, int]) -> None:
        """See `backend.connector`."""
        marks = [in_files.mark_of(key) for key, many in batches.items() if many > THINGS_PER_REQUEST]
        if marks:
            self._bulk.halt(marks, self._going_on)


def _flat(things: Iterable[Sequence[Op]]) -> list[Op]:
    return [op for ops in things for op in ops]

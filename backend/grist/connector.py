"""The Grist side of a link: read tables with proof of completeness, write bundles without losing what a person typed.

    prepare   /tables, /columns          → each mapping bound to its table and columns, or paused with a sentence
    read      /data  count(*)  /states   → complete where the count agrees and the document stood still
    changed   /states  /compare          → the rows that changed since a checkpoint; one request where nothing did
    apply     /states  /apply  list      → newest state as it was read? then write; else look at the rows first

A bundle's number tells whether somebody wrote between the look and the write: one above what was seen, nobody did.
Otherwise `compare` over that window names the cells, and what a person typed is put back (`rescue`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import replace
from typing import Any

from backend.connector import Changed, Prepared, Stamp, Usage
from backend.core.model import Key, Mapping, Op, Receipt, Side, Snapshot
from backend.core.values import Value
from backend.errors import RetryLater, UserError
from backend.grist import webhooks
from backend.grist.applying import Applying
from backend.grist.binding import Bound
from backend.grist.cells import Unstorable
from backend.grist.client import GristClient, State
from backend.grist.history import changed_rows, standing, structure_stands
from backend.grist.memory import Compared, Memory
from backend.grist.own import Own
from backend.grist.preparing import Preparing
from backend.grist.reading import RowReader
from backend.grist.schema import Column, parse_tables
from backend.grist.tables import make_new_column
from backend.grist.telling import Line, log_run, set_status
from backend.grist.webhooks import Ensured, ensure, remove
from backend.grist.writing import CellMaker, Item, cut, refusal
from backend.looks import Looks

DAY_SECONDS = 86_400.0
READINGS = 3
"""How often a table is read while somebody types, before it is taken as it is, not complete."""

BY_ID = 15_000
"""More changed rows of one table are not read by id, 5,000 a request: the whole table costs three requests."""


class GristConnector:
    """One document. Not shared between threads.

    `server_url` and `document` come from `document_id`; `api_key` or a widget's `token` opens it. New money columns
    are shown in `currency` (ISO code), new moments in `time_zone`; money is compared with `decimals` digits.
    After `calls_left` requests every other raises RetryLater until the day ends (UTC).
    """

    side = Side.LOCAL

    def __init__(
        self,
        server_url: str,
        document: str,
        *,
        api_key: str | None = None,
        token: str | None = None,
        currency: str | None = None,
        decimals: int = 2,
        time_zone: str = "UTC",
        calls_left: int | None = None,
        sleep: Callable[[float], None] = time.sleep,
        patience_seconds: float | None = None,
    ) -> None:
        self.usage = Usage()
        self.persons = bool(token)
        """Whether it works with the access of a person who has the widget open."""
        self._calls_left = calls_left
        self._own = Own()
        self._time_zone = time_zone
        self._client = GristClient(
            server_url, document, api_key=api_key, token=token, count=self._count,
            count_write=self._count_write, wrote=self._own.note, sleep=sleep, patience_seconds=patience_seconds,
        )
        self._memory = Memory(self._client, decimals)
        self.notes = self._memory.notes
        """Sentences about what happened while writing: above all, values that a person typed in that moment."""
        self._preparing = Preparing(self._memory, make_new_column(time_zone, currency))
        self._applying = Applying(self._memory)

    def __repr__(self) -> str:
        return f"GristConnector({self._client!r})"

    def renew(self, token: str) -> None:
        """Go on with a newer token of the widget, between two requests."""
        self._client.renew(token)

    def prepare(self, mappings: Sequence[Mapping], bindings: dict[str, Any], *, write: bool) -> Prepared:
        """See `backend.connector`. A mapping that cannot run keeps its old binding."""
        return self._preparing.prepare(mappings, bindings, write=write)

    def subscribe(self, address: str, authorization: str) -> webhooks.Ensured | None:
        """Let Grist tell `address` of changes in the tables that this run has prepared; None where it prepared none,
        for then nothing is known of them. Raises RetryLater."""
        if not self._memory.bound:
            return None
        return webhooks.ensure(self._client, self._memory.bound, address, authorization)

    def columns(self, table: str) -> list[Column]:
        """The columns of a table, for suggestions."""
        return self._memory.columns(table)

    def tables(self) -> list[str]:
        """The tables that something can be mapped to."""
        return [t.id for t in parse_tables(self._client.tables()) if not t.is_summary]

    def read(self, mapping: Mapping, keys: Collection[Key] | None = None, looks: Looks | None = None) -> Snapshot:
        """See `backend.connector`. Complete where SQL, which access rules cannot thin out, counts as many rows and
        the document's newest state is the same before and after."""
        bound = self._of(mapping)
        if not bound.exists:
            return Snapshot()
        if keys is not None:
            return self._read_rows(bound, mapping, [key for key in keys if isinstance(key, int)])
        return self._read_all(bound, mapping, looks)

    def _read_all(self, bound: Bound, mapping: Mapping, looks: Looks | None) -> Snapshot:
        before = self._memory.latest or self._client.newest()
        for _ in range(READINGS):
            columns = self._client.data(bound.table)
            counted, why = self._counted(bound.table)
            after = self._client.newest()
            still = after.h == before.h
            if still:
                break
            before = after
        self._memory.latest = after
        if still:
            self._memory.seen[bound.mapping.name] = after
        else:
            self._memory.seen.pop(bound.mapping.name, None)
        snapshot = RowReader(bound, mapping, self._memory.decimals, new=True).read_columns(columns, looks)
        self._memory.marks[bound.mapping.name] = dict(snapshot.marks)
        notes = [*snapshot.notes]
        rows = self._memory.rows[bound.mapping.name] = len(columns["id"])
        if not still:
            notes.append(f"Table {bound.table!r} kept changing while it was read: nothing is created or deleted now.")
        elif counted is None:
            notes.append(f"{why} Table {bound.table!r} may be updated, but nothing in it is created or deleted.")
        elif counted != rows:
            notes.append(
                f"Access rules hide {counted - rows} of {counted} rows of table {bound.table!r} from the sync's key: "
                "it may be updated, but nothing in it is created or deleted."
            )
        return replace(snapshot, complete=still and counted == rows, notes=tuple(notes))

    def _counted(self, table: str) -> tuple[int | None, str]:
        """How many rows SQL counts, or None and why it does not say."""
        try:
            return self._client.count_rows(table), ""
        except RetryLater:
            raise
        except UserError:
            return None, "Grist does not let the sync's key count rows, so access rules may hide some."

    def _read_rows(self, bound: Bound, mapping: Mapping, keys: list[int]) -> Snapshot:
        if not keys:
            return Snapshot()
        if self._memory.latest and bound.mapping.name not in self._memory.seen:
            # An older state than that of this read: what changed since then is looked at before it is written.
            self._memory.seen[bound.mapping.name] = self._memory.latest
        found = self._client.records(bound.table, keys)
        known = self._memory.cells.get(bound.mapping.name, {})
        for key in keys:
            known.pop(key, None)
        self._memory.keep(bound.mapping.name, found)
        missing = set(keys) - found.keys()
        gone: frozenset[Key] = frozenset()
        notes: list[str] = []
        if missing:
            try:
                gone = frozenset(missing - self._client.existing(bound.table, missing))
            except RetryLater:
                raise
            except UserError:
                notes.append(f"{len(missing)} rows of table {bound.table!r} are not shown to the sync's key; they are "
                             "not taken for deleted.")
        snapshot = RowReader(bound, mapping, self._memory.decimals).read_records(found)
        marks = self._memory.marks.setdefault(bound.mapping.name, {})
        for key in keys:
            marks.pop(key, None)
        marks.update(snapshot.marks)
        return replace(snapshot, gone=gone, notes=(*snapshot.notes, *notes))

    def again(self, mapping: Mapping, keys: Collection[Key]) -> Snapshot:
        """See `backend.connector`. Costs nothing for rows that were read by id before, unless a formula stands in a
        mapped column: our own writes are known, a person's in the meantime show when it comes to a write, and the next
        run is told of them."""
        bound = self._of(mapping)
        known = self._memory.cells.get(bound.mapping.name, {}) if self._memory.only_data else {}
        rows = {key: known[key] for key in keys if isinstance(key, int) and key in known}
        held = RowReader(bound, mapping, self._memory.decimals).read_records(rows)
        rest = [key for key in keys if key not in rows]
        return held.merged(self.read(mapping, rest)) if rest else held

    def holding(self, mapping: Mapping, things: Collection[str]) -> dict[str, set[int]]:
        """See `backend.connector`."""
        bound = self._of(mapping)
        if not bound.exists or bound.id_column is None or not things:
            return {}
        column = bound.id_column.id
        held: dict[str, set[int]] = {}
        for row, cells in self._client.records(bound.table, things, column).items():
            held.setdefault(str(cells.get(column)), set()).add(row)
        return held

    def changed(self, mappings: Sequence[Mapping], checkpoint: dict[str, Any] | None) -> Changed:
        """The rows of `mappings` that changed since `checkpoint`: `{"n", "h"}` of the state up to which that told.

        One request where nothing changed, two where something did, whatever the document's size. A row whose id was
        given to another row is among them; a value and its reversal is not. An owner's key is told of rows that
        access rules hide from it, too: a read by id then shows whether they are there. Where something changed the
        mappings must be prepared to be told apart. Raises RetryLater.

        The rows are then read by id, although the history gives cells inline, too: a row is what all its mapped cells
        and its Shopify ID say in one moment, while the history tells only those cells that changed, and to an owner
        also what access rules hide from a read. One request a table fetches them. A resource of which more than `BY_ID`
        rows changed stands in `audit`: its table is read whole, which is less.

        `why` is "same" or "compared"; or why only a full read tells: "first", "trimmed" (the history), "restored" (an
        older state), "refused" (the key may not compare), "remade" (a mapped table or column is another one now).
        """
        before, self._memory.compared = self._memory.compared, None
        if checkpoint and before and before.left == checkpoint["h"]:  # asked again, now that all is prepared
            newest, how = before.newest, "ahead"
        else:
            states = self._client.states()
            newest = states[0] if states else State(0, "")
            how = standing(states, State(checkpoint["n"], checkpoint["h"])) if checkpoint else "first"
        self._memory.latest = newest
        now = {"n": newest.n, "h": newest.h}
        if checkpoint is None:
            return Changed(None, now, how)
        choices = checkpoint.get("choices", {})
        if isinstance(choices, list):  # as it was kept until November 2026
            choices = dict.fromkeys(choices)
        if how == "same":
            self._memory.compared = Compared("", newest, {}, structure_stands=True, choices=choices)
            return Changed({mapping.name: set() for mapping in mappings}, checkpoint, how)
        if how != "ahead":
            return Changed(None, now, how)
        if before is None or before.left != checkpoint["h"]:
            try:
                changes = self._client.compare(checkpoint["h"], newest.h)
            except RetryLater:
                raise
            except UserError:
                return Changed(None, now, "refused")
            before = Compared(checkpoint["h"], newest, changes, structure_stands(changes), choices)
        if any(mapping.name not in self._memory.bound for mapping in mappings):
            self._memory.compared = before
            return Changed(None, checkpoint, "unprepared")
        bound = {mapping.name: self._memory.bound[mapping.name] for mapping in mappings}
        rows = changed_rows(before.changes, {name: at.watched for name, at in bound.items() if at.exists})
        if rows is None:
            return Changed(None, now, "remade")
        keys: dict[str, set[Key]] = {name: set(rows.get(name, ())) for name in bound}
        many = frozenset(name for name, changed in keys.items() if len(changed) > BY_ID)
        return Changed(keys, now, "compared", many)

    def settled(self, checkpoint: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """See `backend.connector`, `own`."""
        return self._own.settled(checkpoint, self._memory.bound.values())

    def expand(
        self, mappings: Sequence[Mapping], hints: dict[str, set[Key]]
    ) -> tuple[dict[str, set[Key]], set[str]]:
        """Hints are rows already."""
        return hints, set()

    def watch(self, before_write: Callable[[], None], going_on: Callable[[int], None] = lambda done: None) -> None:
        """See `backend.connector`. Grist works nothing off by itself."""
        self._client.watch(before_write)

    def halt(self, batches: Dict[str, int]) -> None:
        """Nothing goes on in Grist after its answer."""

    def batches(self, mapping: Mapping, ops: Sequence[Op]) -> Iterable[Sequence[Op]]:
        return cut(ops)

    def spells(self, mapping: Mapping, field: str, value: Value) -> Value:
        return value

    def repeat(self, mapping: Mapping, batch: Sequence[Op], stamp: Stamp) -> list[Receipt] | None:
        """Grist keeps no keys: the cells and the Shopify ID tell what happened."""
        return None

    def apply(self, mapping: Mapping, batch: Sequence[Op], stamp: Stamp | None = None) -> list[Receipt]:
        """One atomic bundle, halved where Grist refuses it until the bad row stands alone. See `backend.connector`."""
        bound = self._of(mapping)
        if not bound.exists:
            raise RuntimeError(f"{mapping.name} has no table yet: prepare it with write=True first")
        receipts: dict[int, Receipt] = {}
        items: list[Item] = []
        maker = CellMaker(bound)
        for position, op in enumerate(batch):
            try:
                items.append(Item(position, op, maker.cells(op)))
            except Unstorable as error:
                cure = "Change it in Shopify, or map the field to another column."
                receipts[position] = Receipt(op, refusal=refusal(op, str(error), cure))
        self._applying.write(bound, items, receipts)
        return [receipts[position] for position in range(len(batch))]

    def ensure_webhooks(self, address: str, authorization: str) -> Ensured:
        """Let Grist tell `{address}/{resource}` of changes in the prepared mappings. See `webhooks`."""
        return ensure(self._client, self._memory.bound, address, authorization)

    def remove_webhooks(self, address: str) -> int:
        """Remove what `ensure_webhooks` made there."""
        return remove(self._client, address)

    def log_run(self, lines: Sequence[Line]) -> list[str]:
        """Append to the log in the document. See `telling`."""
        return log_run(self._client, lines, self._time_zone)

    def set_status(self, waits: Dict[str, Dict[int, str]]) -> list[str]:
        """By resource that this run has prepared: what its rows' status column says, empty for all others."""
        return [note for name, bound in self._memory.bound.items() if bound.exists and name in waits
                for note in set_status(self._client, bound, waits[name])]

    def _of(self, mapping: Mapping) -> Bound:
        try:
            return self._memory.bound[mapping.name]
        except KeyError:
            raise RuntimeError(f"{mapping.name} was not prepared, or is paused") from None

    def _count(self) -> None:
        """Called before each request is sent."""
        if self._calls_left is not None and self.usage.requests >= self._calls_left:
            raise RetryLater(
                "The calls to Grist that this link may make in a day are used up.",
                cure="The sync goes on by itself tomorrow (UTC). Sync less often, or allow more calls a day.",
                retry_after=DAY_SECONDS - time.time() % DAY_SECONDS,
            )
        self.usage.requests += 1

    def _count_write(self) -> None:
        self.usage.writes += 1

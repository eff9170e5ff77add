"""Both services as plain dicts, behind the same `Connector` that the real ones have. For tests of the engine.

    grist = MemoryGrist(mappings)                        shopify = MemoryShopify(mappings)
    grist.type("Products", 3, "title", "Mug")            shopify.edit(gid, "title", "Mug")      a person at work
    grist.rows["Products"][3]["title"]                   shopify.things["products"][gid]["title"]
    grist.log, shopify.log                               every cell that the engine wrote, in order

They hold values in canonical form under the names of fields; a reference is a row id in Grist and a gid in Shopify.
What makes the real services awkward is here on purpose: freed row ids are given away again, formulas and triggers
answer a write with something else, Shopify spells handles its own way, computes fields, and refuses a stock change
that was made on another figure.

Every step out into the world first says so to `on_io`, with a name:

    grist.prepare   grist.read.products   grist.apply.products.before   grist.apply.products.after   (shopify alike)

A hook that raises there plays a crash or a lost line: `before` nothing has been written, `after` everything has been
and nobody heard of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace
from typing import Any

from backend.connector import Changed, Prepared, Stamp, Usage
from backend.core.model import (
    Create,
    Delete,
    Key,
    Mapping,
    Mark,
    Op,
    Receipt,
    Refusal,
    Row,
    Side,
    Snapshot,
    Update,
)
from backend.core.values import NUMBERS, REFERENCES, UNREAD, Value, canonical
from backend.errors import OutcomeUnknown
from backend.looks import Looks

Cells = dict[str, Value]
"""The values of one row or thing by field name."""

OnIo = Callable[[str], None]


@dataclass(frozen=True)
class Written:
    """One thing that the engine wrote: `kind` is update, create, delete or mark; a creation is a line a field."""

    where: str
    """Table or resource."""
    kind: str
    key: Key
    field: str = ""
    before: Value = None
    after: Value = None
    planned: Value = dataclasses.field(default=UNREAD, compare=False)
    """What an update was made on: where `before` is something else, somebody's value was overwritten unseen. Of a thing
    that was deleted in Shopify both hold all of its cells, as text."""


class _Twin:
    """What both twins share: counting, the hook, the log, refusals, batches."""

    side: Side
    name: str

    def __init__(self, mappings: Sequence[Mapping], *, batch_size: int = 50) -> None:
        self.mappings = {mapping.name: mapping for mapping in mappings}
        self.batch_size = batch_size
        self.usage = Usage()
        self.notes: list[str] = []
        self.log: list[Written] = []
        self.on_io: OnIo = lambda point: None
        self.refuses: Callable[[Op], str | None] = lambda op: None
        """Says in the service's words why it will not do an op, or None."""
        self.incomplete: set[str] = set()
        """Mappings whose whole reads are not proven complete."""
        self.hidden: set[tuple[Key, str]] = set()
        """(key, field) of cells that the connector's identity may not read."""

    def batches(self, mapping: Mapping, ops: Sequence[Op]) -> Iterable[Sequence[Op]]:
        """Changes, then creations, then deletions, in requests of `batch_size`."""
        for kinds in ((Update, Mark), (Create,), (Delete,)):
            same = [op for op in ops if isinstance(op, kinds)]
            for start in range(0, len(same), self.batch_size):
                yield same[start:start + self.batch_size]

    def expand(
        self, mappings: Sequence[Mapping], hints: dict[str, set[Key]]
    ) -> tuple[dict[str, set[Key]], set[str]]:
        """Hints name rows and things themselves here."""
        return hints, set()

    def watch(self, before_write: Callable[[], None], going_on: Callable[[int], None] = lambda done: None) -> None:
        """Nothing waits in memory."""

    def halt(self, batches: Dict[str, int]) -> None:
        """Nothing goes on in memory."""

    def _io(self, *parts: str) -> None:
        self.on_io(".".join((self.name, *parts)))

    def _refusal(self, op: Op) -> Receipt | None:
        message = self.refuses(op)
        if message is None:
            return None
        key = op.source if isinstance(op, Create) else op.key
        return Receipt(op, refusal=Refusal(self.side, key, message, "Change it and sync again."))

    def _read_row(self, mapping: Mapping, key: Key, cells: Dict[str, Value]) -> Row:
        return tuple(UNREAD if (key, name) in self.hidden else cells.get(name) for name in mapping.names)

    @staticmethod
    def _recognised(digests: Dict[Key, bytes], looks: Looks | None) -> frozenset[Key]:
        agreed = looks.agreed if looks is not None else {}
        return frozenset(key for key, one in digests.items() if one and agreed.get(key) == one)

    def _checked(self, mapping: Mapping, op: Create | Update) -> None:
        """No connector should ever be handed such an op: promises P11 and the connector's contract."""
        assert op.side is self.side, op
        for name, value in op.values.items():
            rule = mapping.rule(name)
            assert value is not UNREAD, f"{name} was not read, so it cannot be written"
            assert canonical(rule.kind, value) == value, f"{name}: {value!r} is not canonical"
            creating = isinstance(op, Create)
            if self.side is Side.LOCAL:
                assert creating or rule.may_write(Side.LOCAL), f"{name} never goes to Grist"
            else:
                given = bool(rule.field.on_create) and creating
                assert given or rule.may_write(Side.REMOTE), f"{name} never goes to Shopify"
            if rule.kind == "ref" and value is not None:
                assert isinstance(value, int if self.side is Side.LOCAL else str), f"{name}: {value!r} in wrong words"


class MemoryGrist(_Twin):
    """A document of plain dicts: `rows[table][row id][field]`."""

    side = Side.LOCAL
    name = "grist"

    def __init__(self, mappings: Sequence[Mapping], *, batch_size: int = 50) -> None:
        super().__init__(mappings, batch_size=batch_size)
        self.rows: dict[str, dict[int, Cells]] = {}
        self.marks: dict[str, dict[int, str]] = {}
        """The Shopify ID cells."""
        self.unticked: set[tuple[str, int]] = set()
        """Rows whose toggle (`only_where`) is off."""
        self.formulas: dict[tuple[str, str], Callable[[Cells], Any]] = {}
        """(table, field) → what the column works out of its row. Never written."""
        self.triggers: dict[tuple[str, str], Callable[[Cells], Any]] = {}
        """(table, field) → what a trigger formula makes of the row whenever anybody writes into it."""
        self.hidden_rows: set[tuple[str, int]] = set()
        """Rows that access rules keep from the connector's identity: simply not there, in silence."""
        self.sql_refused = False
        """Nobody tells the connector how many rows there are: no read proves anything."""
        self.columns: dict[tuple[str, str], int] = {}
        """(table, field) → the number of the column that the field is mapped to, where it is not the first one."""
        self.retyped: set[tuple[str, str]] = set()
        """(table, field) of columns that somebody gave a type which does not fit: their mapping pauses."""
        self.states: list[tuple[str, str, int, bool]] = []
        """The document's history, oldest first: (hash, table, row) of each thing done."""
        self._undo: list[list[Callable[[], None]]] = []
        """What takes back each of a person's actions, newest last."""
        self._versions: dict[tuple[str, int], int] = {}
        self._seen: dict[tuple[str, int], tuple[int, str]] = {}
        self._worked_out: dict[tuple[str, str, int], Value] = {}
        self._count = 0

    def forget_reads(self) -> None:
        """Another process begins: which versions the last one read died with it."""
        self._seen = {}

    # --- a person ---------------------------------------------------------------------------------

    def type(self, table: str, row: int, field: str, value: Any) -> None:
        """Type `value` into a cell."""
        assert (table, field) not in self.formulas, f"{field} is a formula column"
        was = self.rows[table][row].get(field)
        self._can_undo(lambda: self._put(table, row, {field: was}) if row in self.rows[table] else None)
        self._put(table, row, {field: value})

    def add_row(self, table: str, /, **values: Any) -> int:
        """Add a row; its id is the highest one plus one, so a freed last id is given away again. Its number cells begin
        with 0, as Grist's do."""
        mapping = next(one for one in self.mappings.values() if one.table == table)
        row = self._add(table, {rule.name: 0 for rule in mapping.fields if rule.kind in NUMBERS} | values)
        self._can_undo(lambda: self._remove(table, row) if row in self.rows[table] else None)
        return row

    def copy_row(self, table: str, row: int) -> int:
        """Copy a row and paste it below: everything but formulas, its Shopify ID too."""
        copy = self.add_row(table, **self.rows[table][row])
        if row in self.marks.get(table, {}):
            self._mark(table, copy, self.marks[table][row])
        return copy

    def remove_row(self, table: str, row: int) -> None:
        """Delete a row. References to it are cleared, as Grist does."""
        cells, mark = dict(self.rows[table][row]), self.marks.get(table, {}).get(row, "")
        self._remove(table, row)

        def back() -> None:
            if row not in self.rows[table]:
                self._add(table, cells, row)
                self._mark(table, row, mark)

        self._can_undo(back)

    def import_over(self, table: str, *, with_ids: bool) -> None:
        """Import a file over a table: all rows go, and come again with ids given anew, in another order; with their
        Shopify IDs where the file has that column."""
        rows, marks = dict(self.rows[table]), dict(self.marks.get(table, {}))
        for row in rows:
            self._remove(table, row)
        for row in sorted(rows, reverse=True):
            new = self._add(table, rows[row])
            if with_ids and row in marks:
                self._mark(table, new, marks[row])

    def rename(self, table: str, field: str) -> None:
        """Give the column of a field another id, which is nothing to a twin: its columns have none."""

    def tick(self, table: str, row: int, *, on: bool = True) -> None:
        """Let a row take part (`only_where`), or not."""
        (self.unticked.discard if on else self.unticked.add)((table, row))
        self._touch(table, row)

    def set_mark(self, table: str, row: int, thing: str) -> None:
        """Type into the Shopify ID cell; "" empties it."""
        was = self.marks.get(table, {}).get(row, "")
        self._can_undo(lambda: self._mark(table, row, was) if row in self.rows[table] else None)
        self._mark(table, row, thing)

    def press_undo(self) -> bool:
        """Take back what a person did last, whatever happened to those cells since. False where there is nothing."""
        if not self._undo:
            return False
        for back in self._undo.pop():
            back()
        return True

    def remap(self, table: str, field: str, values: Dict[int, Any]) -> None:
        """The field lives in another column from now on, which holds `values` by row, as somebody wrote them there."""
        self.columns[table, field] = self.columns.get((table, field), 0) + 1
        for row in self.rows[table]:
            self._put(table, row, {field: values.get(row)})
        self._undo.clear()

    def snapshot(self) -> dict[str, Any]:
        """The document as it is, for `restore`."""
        return {"rows": {table: {row: dict(cells) for row, cells in rows.items()} for table, rows in self.rows.items()},
                "marks": {table: dict(marks) for table, marks in self.marks.items()}, "unticked": set(self.unticked),
                "states": list(self.states)}

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Put the document back to how it was: its history goes on from there, with other hashes."""
        for name, value in snapshot.items():
            setattr(self, name, value)
        for table, rows in self.rows.items():
            for row in rows:
                self._versions[table, row] = self._version(table, row) + 1
        self._undo.clear()

    def cell(self, table: str, row: int, field: str) -> Value:
        """What the grid shows."""
        return self._shown(table, row)[field]

    def set_formula(self, table: str, field: str, formula: str, work_out: Callable[[Cells], Any]) -> None:
        """Make a formula column of it. The twin goes by `work_out`, a document (`documents`) by `formula`, which is
        the same in Grist's words."""
        self.formulas[table, field] = work_out

    def set_trigger(self, table: str, field: str, formula: str, work_out: Callable[[Cells], Any]) -> None:
        """Let a formula tidy up whatever is written there."""
        self.triggers[table, field] = work_out

    def hide_row(self, table: str, row: int) -> None:
        """Keep a row from the sync's key, in silence."""
        self.hidden_rows.add((table, row))

    def show_row(self, table: str, row: int) -> None:
        self.hidden_rows.discard((table, row))

    def hide_cell(self, table: str, row: int, field: str) -> None:
        self.hidden.add((row, field))

    def show_cell(self, table: str, row: int, field: str) -> None:
        self.hidden.discard((row, field))

    def doubt(self, resource: str) -> None:
        """Let no whole read of a resource be proven complete."""
        self.incomplete.add(resource)

    def refuse_sql(self) -> None:
        """Let nobody tell the connector how many rows there are."""
        self.sql_refused = True

    def allow_sql(self) -> None:
        self.sql_refused = False

    def pause(self, resource: str) -> None:
        """Change what the mapping cannot do without."""
        mapping = self.mappings[resource]
        self.retyped.add((mapping.table, mapping.names[0]))

    def go_on(self, resource: str) -> None:
        mapping = self.mappings[resource]
        self.retyped.discard((mapping.table, mapping.names[0]))

    # --- the connector ----------------------------------------------------------------------------

    def prepare(self, mappings: Sequence[Mapping], bindings: dict[str, Any], *, write: bool) -> Prepared:
        """Makes tables with `write`; formula columns become sources."""
        self._io("prepare")
        self.usage.requests += 1
        if write:
            for mapping in mappings:
                self.rows.setdefault(mapping.table, {})
        now = {mapping.name: {rule.name: self.columns.get((mapping.table, rule.name), 0) for rule in mapping.fields}
               for mapping in mappings}
        moved = {name: tuple(field for field, column in columns.items()
                             if bindings.get(name, {}).get(field, column) != column) for name, columns in now.items()}
        paused = {mapping.name: f"Column {field!r} has another type now." for mapping in mappings
                  for field in mapping.names if (mapping.table, field) in self.retyped}
        return Prepared(tuple(
            mapping.with_fields(replace(rule, source_only=(mapping.table, rule.name) in self.formulas)
                                for rule in mapping.fields)
            for mapping in mappings
        ), bindings=dict(now), paused=paused, moved={name: fields for name, fields in moved.items() if fields})

    def again(self, mapping: Mapping, keys: Collection[Key]) -> Snapshot:
        return self.read(mapping, keys)

    def holding(self, mapping: Mapping, things: Collection[str]) -> dict[str, set[int]]:
        self._io("holding", mapping.name)
        self.usage.requests += 1
        held: dict[str, set[int]] = {}
        for row, mark in self.marks.get(mapping.table, {}).items():
            if mark in things and (mapping.table, row) not in self.hidden_rows:
                held.setdefault(mark, set()).add(row)
        return held

    def read(self, mapping: Mapping, keys: Collection[Key] | None = None, looks: Looks | None = None) -> Snapshot:
        self._io("read", mapping.name)
        self.usage.requests += 1
        every = self.rows.get(mapping.table, {})
        held = {row: cells for row, cells in every.items() if (mapping.table, row) not in self.hidden_rows}
        wanted = list(held) if keys is None else [key for key in keys if isinstance(key, int)]
        rows: dict[Key, Row] = {}
        outside: set[Key] = set()
        for row in wanted:
            if row in held:
                self._seen[mapping.table, row] = self._look(mapping.table, row)
                if mapping.only_where and (mapping.table, row) in self.unticked:
                    outside.add(row)
                else:
                    rows[row] = self._read_row(mapping, row, self._shown(mapping.table, row))
        marks = {row: mark for row, mark in self.marks.get(mapping.table, {}).items()
                 if row in wanted and row in held}
        gone = [row for row in wanted if row not in every] if keys is not None and not self.sql_refused else []
        read = Snapshot(
            rows=rows, outside=frozenset(outside), marks=dict(marks), gone=frozenset(gone),
            titles={row: str(held[int(row)].get(mapping.resource.title) or "") for row in rows},
            complete=mapping.name not in self.incomplete and not self.sql_refused and len(held) == len(every),
        )
        return read if looks is None or keys is not None else self._by_looks(mapping, read, looks)

    def _by_looks(self, mapping: Mapping, read: Snapshot, looks: Looks) -> Snapshot:
        """`read` without what is recognised: each row's cells as anybody sees them, its Shopify ID, and what its
        references mean."""
        meant = [looks.things(rule.field.target, [row[place] for row in read.rows.values()])
                 for place, rule in enumerate(mapping.fields) if rule.kind in REFERENCES]
        digest = looks.digester(mapping.fields, sorted(self.columns.items()))
        digests = {key: digest((key, read.marks.get(key), repr(row), *(things[i] for things in meant)))
                   for i, (key, row) in enumerate(read.rows.items())}
        recognised = self._recognised(digests, looks)
        return replace(read, rows={key: row for key, row in read.rows.items() if key not in recognised},
                       marks={key: mark for key, mark in read.marks.items() if key not in recognised},
                       digests={key: one for key, one in digests.items() if key not in recognised},
                       recognised=recognised)

    def changed(self, mappings: Sequence[Mapping], checkpoint: dict[str, Any] | None) -> Changed:
        """The rows that anybody touched since, by the document's history; None where that was put back meanwhile."""
        self._io("changed")
        self.usage.requests += 1
        now = {"n": len(self.states), "h": self.states[-1][0] if self.states else ""}
        if checkpoint is None:
            return Changed(None, now, "first")
        known = checkpoint["n"]
        if known > len(self.states) or (known and self.states[known - 1][0] != checkpoint["h"]):
            return Changed(None, now, "restored")
        rows: dict[str, set[Key]] = {
            mapping.name: {row for _, table, row, _ in self.states[known:] if table == mapping.table and (
                row in self.rows.get(table, {}) or self._was_there(table, row, known))}
            for mapping in mappings
        }
        return Changed(rows, now, "compared" if known < len(self.states) else "same")

    def apply(self, mapping: Mapping, batch: Sequence[Op], stamp: Stamp | None = None) -> list[Receipt]:
        """A cell that does not hold what the plan was made on gets its op a stale receipt, and so does a row that is
        hidden, ticked off or another thing by now. A row is deleted only where nobody touched it since it was read."""
        self._io("apply", mapping.name, "before")
        self.usage.requests += 1
        self.usage.writes += 1
        receipts = [self._apply_one(mapping, op) for op in batch]
        self._io("apply", mapping.name, "after")
        return receipts

    def settled(self, checkpoint: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        return checkpoint, False

    def spells(self, mapping: Mapping, field: str, value: Value) -> Value:
        return value

    def repeat(self, mapping: Mapping, batch: Sequence[Op], stamp: Stamp) -> list[Receipt] | None:
        return None

    def _apply_one(self, mapping: Mapping, op: Op) -> Receipt:
        table = mapping.table
        refused = self._refusal(op)
        if refused:
            return refused
        if isinstance(op, Create):
            self._checked(mapping, op)
            row = self._add(table, op.values)
            self._mark(table, row, str(op.source))
            self._seen[table, row] = self._look(table, row)
            self.log += [Written(table, "create", row, name, None, value) for name, value in op.values.items()]
            return Receipt(op, row, {name: self._shown(table, row)[name] for name in op.values})
        assert isinstance(op.key, int)
        row = op.key
        if not self._is_as_planned(mapping, op):
            return Receipt(op, key=row, stale=True)
        if isinstance(op, Update):
            self._checked(mapping, op)
            self.log += [Written(table, "update", row, c.field, self.rows[table][row].get(c.field), c.after,
                                 c.before) for c in op.changes]
            self._put(table, row, op.values)
        elif isinstance(op, Mark):
            if self.marks.get(table, {}).get(row) != op.partner:
                self.log.append(Written(table, "mark", row, after=op.partner))
            self._mark(table, row, op.partner)
        else:
            self.log.append(Written(table, "delete", row, before=self.marks.get(table, {}).get(row)))
            self._remove(table, row)
            return Receipt(op, row)
        self._seen[table, row] = self._look(table, row)
        stored = {name: self._shown(table, row)[name] for name in op.values} if isinstance(op, Update) else {}
        return Receipt(op, row, stored)

    def _is_as_planned(self, mapping: Mapping, op: Update | Delete | Mark) -> bool:
        table, row = mapping.table, int(op.key)
        if row not in self.rows[table] or (table, row) in self.hidden_rows:
            return False
        if mapping.only_where and (table, row) in self.unticked:
            return False
        version, mark = self._seen.get((table, row), (-1, ""))
        if isinstance(op, Delete):
            return version == self._version(table, row)
        if self.marks.get(table, {}).get(row, "") not in (mark, op.partner):
            return False  # Grist gives the id of a deleted row away again
        shown = self._shown(table, row)
        return isinstance(op, Mark) or all(c.before in (UNREAD, shown[c.field]) for c in op.changes)

    def _look(self, table: str, row: int) -> tuple[int, str]:
        return self._version(table, row), self.marks.get(table, {}).get(row, "")

    def _can_undo(self, back: Callable[[], None]) -> None:
        self._undo = [*self._undo[-9:], [back]]

    def _add(self, table: str, values: Dict[str, Any], row: int = 0) -> int:
        row = row or max(self.rows.setdefault(table, {}), default=0) + 1
        self.rows[table][row] = {}
        self._put(table, row, values)
        return row

    def _remove(self, table: str, row: int) -> None:
        del self.rows[table][row]
        self.marks.get(table, {}).pop(row, None)
        self.hidden_rows.discard((table, row))
        self.unticked.discard((table, row))
        self._touch(table, row)
        for mapping in self.mappings.values():
            for rule in mapping.fields:
                if rule.kind in REFERENCES and self._table_of(rule.field.target) == table:
                    for other, cells in self.rows.get(mapping.table, {}).items():
                        if cells.get(rule.name) == row:
                            self._put(mapping.table, other, {rule.name: None})
                        elif rule.kind == "refs" and row in (held := cells.get(rule.name) or ()):
                            self._put(mapping.table, other, {rule.name: [one for one in held if one != row]})

    def _mark(self, table: str, row: int, thing: str) -> None:
        self.marks.setdefault(table, {})[row] = thing
        if not thing:
            del self.marks[table][row]
        self._touch(table, row)

    def _put(self, table: str, row: int, values: Dict[str, Any]) -> None:
        cells = self.rows[table][row]
        mapping = next(one for one in self.mappings.values() if one.table == table)
        for name, value in values.items():
            cells[name] = canonical(mapping.rule(name).kind, value)
        for (where, name), work_out in self.triggers.items():
            if where == table:
                cells[name] = canonical(mapping.rule(name).kind, work_out(cells))
        self._touch(table, row)

    def _shown(self, table: str, row: int) -> Cells:
        mapping = next(one for one in self.mappings.values() if one.table == table)
        cells = {name: self.rows[table][row].get(name, canonical(mapping.rule(name).kind, None))
                 for name in mapping.names}
        for (where, name), work_out in self.formulas.items():
            if where == table:
                cells[name] = canonical(mapping.rule(name).kind, work_out(cells))
        return cells

    def _touch(self, table: str, row: int) -> None:
        self._versions[table, row] = self._version(table, row) + 1
        self._count += 1
        self.states.append((f"h{self._count}", table, row, row in self.rows.get(table, {})))
        for (where, name), work_out in self.formulas.items():  # which may look anything up anywhere
            for other, cells in self.rows.get(where, {}).items():
                value = work_out(cells)
                if self._worked_out.setdefault((where, name, other), value) != value:
                    self._worked_out[where, name, other] = value
                    self.states.append((f"h{self._count}f", where, other, True))

    def _was_there(self, table: str, row: int, state: int) -> bool:
        """Whether a row was there in a state: what was made and removed since then is in no comparison of the two."""
        told = [there for _, where, which, there in self.states[:state] if (where, which) == (table, row)]
        return bool(told) and told[-1]

    def _version(self, table: str, row: int) -> int:
        return self._versions.get((table, row), 0)

    def _table_of(self, resource: str) -> str:
        return self.mappings[resource].table if resource in self.mappings else ""


class MemoryShopify(_Twin):
    """A store of plain dicts: `things[resource][gid][field]`."""

    side = Side.REMOTE
    name = "shopify"

    def __init__(self, mappings: Sequence[Mapping], *, batch_size: int = 50) -> None:
        super().__init__(mappings, batch_size=batch_size)
        self.things: dict[str, dict[str, Cells]] = {name: {} for name in self.mappings}
        self.computed: dict[tuple[str, str], Callable[[MemoryShopify, str], Any]] = {}
        """(resource, field) → what Shopify works out for a thing."""
        self.spelling: dict[tuple[str, str], Callable[[Value], Any]] = {}
        """(resource, field) → how Shopify stores what it is given."""
        self.defaults: dict[str, dict[str, Any]] = {}
        """By resource: what a new thing holds where nothing is given."""
        self.brings: dict[str, Callable[[MemoryShopify, str], None]] = {}
        """By resource: what else appears when one is made (a product's first variant)."""
        self.conditional: set[tuple[str, str]] = {("inventory", "available"), ("inventory", "onHand")}
        """(resource, field) that are written only over the value that was read."""
        self.keyed: set[str] = {"inventory"}
        """Resources whose batches happen once under one idempotency key."""
        self.unproven: set[str] = set()
        """Gids for which Shopify answers an error instead of a thing or null."""
        self.carries_key: set[str] = set()
        """Resources whose creations carry a key of ours, by which they are found again and never made twice."""
        self.files_from = 0
        """So many changes of one mapping go as a file that the store works off by itself; 0: none do."""
        self._read_again: dict[str, Cells] = {}
        """What a thing held when it was last read for the second time in a run."""
        self.file: dict[str, list[Any]] = {}
        """By the key of the batch: what of a file is still to be done, as (resource, op), the next one first."""
        self._answers: dict[str, tuple[tuple[Op, ...], list[Receipt]]] = {}
        self._made: dict[str, str] = {}
        """By the key that a thing carries: its gid."""
        self.unique: set[tuple[str, str]] = set()
        """(resource, field) that no two things share: a second one is refused (a handle)."""
        self.search_lags = False
        """What happens from now on is not in the search index before `catch_up`."""
        self.unfound: set[str] = set()
        """Resources whose changes nothing tells (stock of a large store): they are read whole, now and then."""
        self.audits: dict[str, int] = {}
        """By resource: how often it has been time to read it whole."""
        self.removed: dict[str, Cells] = {}
        """What things held that are not there any more."""
        self.parts_told = True
        """The feed names what was deleted along with something else, too."""
        self.minds_parts = False
        """To delete a variant is an update of its product, and nothing is made below what is not there."""
        self._indexed = 0
        self._touched: dict[str, int] = {}
        """By gid: when it was made or changed last, counted in touches."""
        self.deletions_told = True
        """The `events` feed names what was deleted; without it only an audit finds that out."""
        self.stock_moves_products = True
        """A sale counts as an update of the product and the variant: usually so, never surely (facts §5)."""
        self._deleted: dict[str, dict[str, int]] = {}
        """By resource and gid: when it was deleted."""
        self._touches = 0
        self._count = 0

    # --- a person ---------------------------------------------------------------------------------

    def add(self, resource: str, /, **values: Any) -> str:
        """Make a thing, with its defaults and what it brings along. Returns its gid, counted up."""
        self._count += 1
        gid = f"gid://shopify/{self.mappings[resource].resource.type}/{self._count}"
        self.things[resource][gid] = {}
        self._put(resource, gid, self.defaults.get(resource, {}) | values)
        if resource in self.brings:
            self.brings[resource](self, gid)
        return gid

    def edit(self, gid: str, field: str, value: Any) -> None:
        """Change one field in Shopify's admin."""
        assert (self.resource_of(gid), field) not in self.computed, f"Shopify computes {field}"
        resource = self.resource_of(gid)
        moves = (resource, field) == ("variants", "product")
        above = (self.things[resource][gid].get("product"), value) if moves else ()
        self._put(resource, gid, {field: value})
        for product in above:  # an edit of a variant is one of its product
            self._touch(str(product))

    def sell(self, gid: str, pieces: int = 1) -> None:
        """Take pieces from an inventory level, as an order does."""
        held = self.things["inventory"][gid]["available"]
        assert isinstance(held, int)
        self._put("inventory", gid, {"available": held - pieces})

    def catch_up(self) -> None:
        """The search index has everything."""
        self.search_lags = False
        self._indexed = self._touches

    def forget_keys(self) -> None:
        """A day has passed: Shopify does not know the keys of stock changes any more."""
        self._answers.clear()

    def delete(self, gid: str) -> None:
        """Delete a thing and everything that belongs to it."""
        self._delete(gid)

    def remove(self, gid: str, *, told: bool = True) -> None:
        """Delete a thing and leave what belongs to it."""
        resource = self.resource_of(gid)
        self.removed[gid] = self.things[resource].pop(gid)
        above = self.removed[gid].get("product") if self.minds_parts else None
        if isinstance(above, str) and above in self.things.get("products", {}):
            self._touch(above)
        for other in self.all_gids():
            for name, held in dict(self.things[self.resource_of(other)][other]).items():
                if isinstance(held, tuple) and gid in held:  # a collection goes, its products stay
                    self._put(self.resource_of(other), other, {name: [one for one in held if one != gid]})
        if told:
            self._touch(gid)
            self._deleted.setdefault(resource, {})[gid] = self._touches

    def _delete(self, gid: str, *, told: bool = True) -> None:
        self.remove(gid, told=told)
        for child in [other for other in self.all_gids() if gid in self.thing(other).values()]:
            if child in self.all_gids():
                self._delete(child, told=self.parts_told)

    def restore(self, resource: str, gid: str, cells: Cells) -> None:
        """Put a thing back under its old gid: it was archived or hidden, not deleted."""
        self.things[resource][gid] = {}
        self._put(resource, gid, cells)

    def thing(self, gid: str) -> Cells:
        """What the admin shows, computed fields and all."""
        resource = self.resource_of(gid)
        mapping = self.mappings[resource]
        cells = {name: self.things[resource][gid].get(name, canonical(mapping.rule(name).kind, None))
                 for name in mapping.names}
        for (where, name), work_out in self.computed.items():
            if where == resource and name in mapping.index:
                cells[name] = canonical(mapping.rule(name).kind, work_out(self, gid))
        return cells

    def all_gids(self) -> list[str]:
        return [gid for things in self.things.values() for gid in things]

    def resource_of(self, gid: str) -> str:
        return next(name for name, things in self.things.items() if gid in things)

    # --- files ------------------------------------------------------------------------------------

    def batches(self, mapping: Mapping, ops: Sequence[Op]) -> Iterable[Sequence[Op]]:
        """Many changes come as one batch, for a file."""
        filed = [op for op in ops if isinstance(op, Update)]
        if self.files_from and len(filed) >= self.files_from and mapping.name not in self.keyed:
            yield filed
            ops = [op for op in ops if not isinstance(op, Update)]
        yield from super().batches(mapping, ops)

    def is_file(self, mapping: Mapping, batch: Sequence[Op]) -> bool:
        return bool(self.files_from) and len(batch) >= self.files_from and mapping.name not in self.keyed and all(
            isinstance(op, Update) for op in batch)

    def begin_file(self, mapping: Mapping, batch: Sequence[Op], stamp: Stamp) -> None:
        """From now on a line of it is done whenever anybody asks the store for anything."""
        self.usage.requests += 1
        self.usage.writes += 1
        self.file[stamp.key] = [(mapping.name, op) for op in batch]

    def work_off(self) -> int:
        """Do the next line of each file; returns how many lines are left."""
        for key, lines in list(self.file.items()):
            resource, op = lines.pop(0)
            self._apply_one(self.mappings[resource], op)
            if not lines:
                del self.file[key]
        return sum(map(len, self.file.values()))

    def halt(self, batches: Dict[str, int]) -> None:
        """End what goes on of these batches."""
        for key in batches:
            self.file.pop(key, None)

    def _io(self, *parts: str) -> None:
        if self.file:
            self.work_off()
        super()._io(*parts)

    # --- the connector ----------------------------------------------------------------------------

    def prepare(self, mappings: Sequence[Mapping], bindings: dict[str, Any], *, write: bool) -> Prepared:
        self._io("prepare")
        self.usage.requests += 1
        return Prepared(tuple(mappings))

    def again(self, mapping: Mapping, keys: Collection[Key]) -> Snapshot:
        seen = self.read(mapping, keys)
        self._read_again |= {gid: self.thing(gid) for gid in map(str, keys) if gid in self.things[mapping.name]}
        return seen

    def read(self, mapping: Mapping, keys: Collection[Key] | None = None, looks: Looks | None = None) -> Snapshot:
        """A list misses what is deleted and what a filter leaves out; asked by gid, null means deleted."""
        self._io("read", mapping.name)
        self.usage.requests += 1
        held = self.things[mapping.name]
        wanted = list(held) if keys is None else [str(key) for key in keys]
        rows: dict[Key, Row] = {}
        outside: set[Key] = set()
        gone: set[Key] = set()
        titles: dict[Key, str] = {}
        digests: dict[Key, bytes] = {}
        for gid in wanted:
            if gid in self.unproven:
                continue
            if gid not in held:
                gone.add(gid)
                continue
            if keys is None and mapping.filter and self._touched.get(gid, 0) > self._indexed:
                continue  # a list with a filter asks the search index
            cells = self.thing(gid)
            if not _passes(mapping.filter, cells):
                outside.add(gid)
                continue
            row = self._read_row(mapping, gid, cells)
            if looks is not None and keys is None:
                digests[gid] = looks.digester(mapping.fields, mapping.filter)((gid, repr(row)))
                if gid in self._recognised({gid: digests[gid]}, looks):
                    continue
            rows[gid] = row
            titles[gid] = str(cells.get(mapping.resource.title) or "")
        return Snapshot(rows, frozenset(gone), frozenset(outside), self._recognised(digests, looks),
                        {gid: one for gid, one in digests.items() if gid in rows}, titles=titles,
                        complete=mapping.name not in self.incomplete)

    def changed(self, mappings: Sequence[Mapping], checkpoint: dict[str, Any] | None) -> Changed:
        """What was made, changed or deleted since, as far as search has it; the checkpoint stops where that does.
        Nothing tells of `unfound`, of what was deleted with something else, nor of fields that Shopify computes."""
        self._io("changed")
        self.usage.requests += 1
        now: dict[str, Any] = {"at": self._indexed, "audits": dict(self.audits)}
        if checkpoint is None:
            return Changed(None, now, "first")
        keys: dict[str, set[Key]] = {mapping.name: set() for mapping in mappings}
        moments = [(name, gid, self._touched.get(gid, 0)) for name, things in self.things.items() for gid in things]
        if self.deletions_told:
            moments += [(name, gid, at) for name, gone in self._deleted.items() for gid, at in gone.items()]
        for name, gid, at in moments:
            if name in keys and name not in self.unfound and checkpoint["at"] < at <= self._indexed:
                keys[name].add(gid)
        whole = frozenset(name for name in keys if self.audits.get(name, 0) > checkpoint["audits"].get(name, 0))
        return Changed(keys, now, "polled" if whole or any(keys.values()) else "same", whole)

    def apply(self, mapping: Mapping, batch: Sequence[Op], stamp: Stamp | None = None) -> list[Receipt]:
        """Stock moves only from the figure that was read, and once under one key."""
        self._io("apply", mapping.name, "before")
        self.usage.requests += 1
        self.usage.writes += 1
        key = stamp.key if stamp and mapping.name in self.keyed else ""
        if key in self._answers:
            sent, receipts = self._answers[key]
            if sent != tuple(batch):
                raise OutcomeUnknown("Shopify knows this key with other figures.")
        else:
            receipts = [self._apply_one(mapping, op, _key_of(stamp, place)) for place, op in enumerate(batch)]
            if key:
                self._answers[key] = (tuple(batch), receipts)
        self._io("apply", mapping.name, "after")
        return receipts

    def settled(self, checkpoint: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        return checkpoint, False

    def spells(self, mapping: Mapping, field: str, value: Value) -> Value:
        spelled = self.spelling.get((mapping.name, field), lambda given: given)(value)
        return canonical(mapping.rule(field).kind, spelled)

    def repeat(self, mapping: Mapping, batch: Sequence[Op], stamp: Stamp) -> list[Receipt] | None:
        """Stock is sent again; creations are found by the key they carry, and made where they are not there."""
        if mapping.name in self.keyed:
            return self.apply(mapping, batch, stamp)
        if mapping.name not in self.carries_key or not all(isinstance(op, Create) for op in batch):
            return None
        self._io("repeat", mapping.name, "before")
        self.usage.requests += 1
        receipts = []
        for place, op in enumerate(batch):
            gid = self._made.get(_key_of(stamp, place), "")
            if gid in self.things[mapping.name]:
                thing = self.thing(gid)
                receipts.append(Receipt(op, gid, {name: thing[name] for name in op.values}))  # type: ignore[union-attr]
            else:
                self.usage.writes += 1
                receipts.append(self._apply_one(mapping, op, _key_of(stamp, place)))
        self._io("repeat", mapping.name, "after")
        return receipts

    def _apply_one(self, mapping: Mapping, op: Op, key: str = "") -> Receipt:
        resource = mapping.name
        refused = self._refusal(op)
        if refused:
            return refused
        taken = self._taken(mapping, op)
        if taken:
            return Receipt(op, refusal=Refusal(Side.REMOTE, op.source if isinstance(op, Create) else op.key, taken,
                                               "Change it and sync again."))
        if isinstance(op, Create):
            self._checked(mapping, op)
            assert mapping.resource.creatable, f"{resource} cannot be created in Shopify"
            if resource in self.carries_key and key in self._made:
                return Receipt(op, refusal=Refusal(Side.REMOTE, op.source, "This key is taken.", "Look for it."))
            gid = self.add(resource, **op.values)
            if resource in self.carries_key and key:
                self._made[key] = gid
            self.log += [Written(resource, "create", gid, name, None, value) for name, value in op.values.items()]
            return Receipt(op, gid, {name: self.thing(gid)[name] for name in op.values})
        gid = str(op.key)
        if gid not in self.things[resource]:
            return Receipt(op, refusal=Refusal(Side.REMOTE, gid, "It does not exist any more.", "Sync again."))
        if isinstance(op, Delete):
            assert mapping.resource.deletable, f"{resource} cannot be deleted in Shopify"
            self.log.append(Written(resource, "delete", gid, before=str(self.thing(gid)),
                                    planned=str(self._read_again.get(gid, self.thing(gid)))))
            self.delete(gid)
            return Receipt(op, gid)
        assert isinstance(op, Update), f"{op!r} never goes to Shopify"
        self._checked(mapping, op)
        now = self.thing(gid)
        if any((resource, c.field) in self.conditional and c.before != now[c.field] for c in op.changes):
            return Receipt(op, stale=True)
        self.log += [Written(resource, "update", gid, c.field, now[c.field], c.after, c.before)
                     for c in op.changes]
        self._put(resource, gid, op.values)
        return Receipt(op, gid, {name: self.thing(gid)[name] for name in op.values})

    def _taken(self, mapping: Mapping, op: Op) -> str:
        """What Shopify says where `op` would give a thing what another one has; "" where it would not."""
        for name, value in op.values.items() if isinstance(op, Create | Update) else ():
            rule = mapping.rule(name)
            if self.minds_parts and rule.kind == "ref" and value and value not in self.things[rule.field.target]:
                return f"{rule.field.label} does not exist."
            if (mapping.name, name) in self.unique and value is not None:
                wanted = self.spells(mapping, name, value)
                held = (gid for gid, cells in self.things[mapping.name].items() if cells.get(name) == wanted)
                if any(gid != getattr(op, "key", "") for gid in held):
                    return f"{mapping.rule(name).field.label} '{value}' already in use."
        return ""

    def _put(self, resource: str, gid: str, values: Dict[str, Any]) -> None:
        for name, value in values.items():
            spelled = self.spelling.get((resource, name), lambda given: given)(value)
            rule = self.mappings[resource].rule(name)
            if rule.kind == "refs":  # nothing is in a collection that is not there
                spelled = [one for one in spelled or () if one in self.things.get(rule.field.target, {})]
            self.things[resource][gid][name] = canonical(rule.kind, spelled)
        self._touch(gid)
        above = self.things[resource][gid].get("variant") if resource == "inventory" else None
        if self.stock_moves_products and isinstance(above, str) and above in self.things.get("variants", {}):
            self._touch(above)
            product = self.things["variants"][above].get("product")
            if isinstance(product, str):
                self._touch(product)

    def _touch(self, gid: str) -> None:
        self._touches += 1
        self._touched[gid] = self._touches
        if not self.search_lags:
            self._indexed = self._touches


def _key_of(stamp: Stamp | None, place: int) -> str:
    return f"{stamp.key}-{place}" if stamp else ""


def _passes(search: str, cells: Cells) -> bool:
    """A little of Shopify's search syntax: `field:value` parts that must all hold."""
    parts = [part.split(":", 1) for part in search.split()]
    return all(str(cells.get(name) or "").casefold() == value.casefold() for name, value in parts)

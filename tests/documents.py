"""A Grist document with the hands of `twins.MemoryGrist`, and the product's own connector where the twin plays one.

    person: type, add_row, remove_row … → the document's API   (of the stand-in, or of a real Grist: `places`)
    engine: prepare, changed, read, apply → backend.grist.GristConnector → the same API

So a test that knows both sides only by those hands runs over either. A process begins with `forget_reads`: each run has
a connector of its own, as in the product. What the engine wrote (`log`) is taken from the bundles that were sent and
the answers to them. Besides the steps of a twin, `on_io` is told of every request of the connector, by the last word of
its address:

    grist.request.states   grist.request.compare   grist.request.list   grist.request.apply   …
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from collections.abc import Mapping as Dict
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from places import Place
from requests.adapters import BaseAdapter
from twins import Cells, OnIo, Written

from backend.connector import Changed, Prepared, Stamp, Usage
from backend.core.model import Create, Key, Mapping, Op, Receipt, Side, Snapshot
from backend.core.values import Unfit, Value, canonical
from backend.grist.schema import ID_COLUMN, id_column, new_column, toggle_column
from backend.looks import Looks
from demo.grist.tables import SandboxError


class DocumentGrist:
    """One document. See `twins.MemoryGrist` for what its hands do."""

    side = Side.LOCAL
    name = "grist"

    def __init__(self, mappings: Sequence[Mapping], place: Place, *, batch_size: int = 50) -> None:
        self.mappings = {mapping.name: mapping for mapping in mappings}
        self.batch_size = batch_size
        self.place = place
        self.usage = Usage()
        self.log: list[Written] = []
        self.on_io: OnIo = lambda point: None
        self.refuses: Callable[[Op], str | None] = lambda op: None
        """Grist refuses every bundle that holds an op of which this says why."""
        self._formulas: set[tuple[str, str]] = set()
        self._named: dict[tuple[str, str], str] = {}
        """By (table, field): the column's id since somebody renamed it."""
        self._rules: dict[tuple[Any, ...], list[int]] = {}
        """The access rules that were made for one thing hidden."""
        self._role = "owner"
        self._done: list[tuple[int, list[list[Any]]]] = []
        """A person's last actions: the number of the state after each, and what takes it back."""
        self._number = 0
        self._in_hand: list[Op] = []
        self.forget_reads()
        self._is_made = True

    def __setattr__(self, name: str, value: Any) -> None:
        """A test that reaches for the insides of a twin is told so: a document has none of them."""
        if getattr(self, "_is_made", False) and not hasattr(self, name):
            raise AttributeError(f"A document has no {name!r}: use a hand that the twin has, too.")
        super().__setattr__(name, value)

    def forget_reads(self) -> None:
        """Another process begins."""
        self._connector = self.place.connector(api_key=self._key())
        self._connector.usage = self.usage
        self._connector._client._http.session.mount(self.place.url, _Ear(self))

    def _key(self) -> str:
        """The sync's key. A stand-in has one for each document, so that rules can tell it from the person's."""
        if self.place.grist is None:
            return self.place.key
        key = f"sync-of-{self.place.doc_id}"
        self.place.grist.add_key(key, self._role, "sync")
        return key

    @property
    def notes(self) -> list[str]:
        return self._connector.notes

    # --- a person ---------------------------------------------------------------------------------

    @property
    def rows(self) -> Dict[str, dict[int, Cells]]:
        """By table and row: what the grid shows of the mapped columns, as of now."""
        return _Tables(self)

    @property
    def marks(self) -> dict[str, dict[int, str]]:
        """By table: the Shopify ID cells that are not empty."""
        return {table: {row: cells[ID_COLUMN] for row, cells in self._records(table).items() if cells.get(ID_COLUMN)}
                for table in self._tables()}

    def cell(self, table: str, row: int, field: str) -> Value:
        return self.rows[table][row][field]

    def type(self, table: str, row: int, field: str, value: Any) -> None:
        assert (table, field) not in self._formulas, f"{field} is a formula column"
        self._set(table, row, self._column(table, field), self._cell(table, field, value))

    def add_row(self, table: str, /, **values: Any) -> int:
        self._make(table)
        mapping = self._mapping(table)
        cells = {self._column(table, name): self._cell(table, name, value) for name, value in values.items()
                 if (table, name) not in self._formulas}
        if mapping.only_where:
            cells[mapping.only_where] = True
        (row,) = self._act(["AddRecord", table, None, cells])
        self._can_undo([["RemoveRecord", table, row]])
        return int(row)

    def copy_row(self, table: str, row: int) -> int:
        cells = self._records(table)[row]
        formulas = {self._column(table, name) for where, name in self._formulas if where == table}
        (copy,) = self._act(["AddRecord", table, None, {
            column: cell for column, cell in cells.items() if column not in formulas and column != "manualSort"}])
        self._can_undo([["RemoveRecord", table, copy]])
        return int(copy)

    def remove_row(self, table: str, row: int) -> None:
        cells = {column: cell for column, cell in self._records(table)[row].items() if column != "manualSort"}
        self._act(["RemoveRecord", table, row])
        self._can_undo([["AddRecord", table, row, cells]])

    def import_over(self, table: str, *, with_ids: bool) -> None:
        """Import a file over a table: all rows go, and come again with ids given anew, in another order."""
        rows = self._records(table)
        self._act(["BulkRemoveRecord", table, list(rows)])
        for row in sorted(rows, reverse=True):
            left = ("manualSort",) if with_ids else ("manualSort", ID_COLUMN)
            self._act(["AddRecord", table, None, {c: cell for c, cell in rows[row].items() if c not in left}])

    def rename(self, table: str, field: str) -> None:
        """Give the column of a field another id, as whoever renames its heading does."""
        name = f"{self._mapping(table).rule(field).column}_{self._number}"
        self._act(["RenameColumn", table, self._column(table, field), name])
        self._named[table, field] = name

    def tick(self, table: str, row: int, *, on: bool = True) -> None:
        self._act(["UpdateRecord", table, row, {self._mapping(table).only_where: on}])

    def set_mark(self, table: str, row: int, thing: str) -> None:
        if ID_COLUMN not in self.place.columns(table):
            self._act(["AddColumn", table, ID_COLUMN, {k: v for k, v in id_column().items() if k != "id"}])
        self._set(table, row, ID_COLUMN, thing)

    def press_undo(self) -> bool:
        """Take back what a person did last. A real Grist is told what takes it back, for Ctrl-Z is not in its API."""
        if not self._done:
            return False
        number, back = self._done.pop()
        if self.place.grist is not None:
            # Grist brings no row back whose number another one has by now, and says so.
            with suppress(SandboxError):
                self.place.grist.documents[self.place.doc_id].undo(number, user="person")
        else:
            self._act(*back)
        return True

    def snapshot(self) -> Any:
        """The document as it is, for `restore`."""
        if self.place.grist is None:
            return self.place.copied()
        return self.place.grist.documents[self.place.doc_id].history.newest.n

    def restore(self, snapshot: Any) -> None:
        if self.place.grist is None:
            self.place.go_back_to(snapshot)
        else:
            self.place.grist.documents[self.place.doc_id].restore(snapshot)
        self._done.clear()

    def set_formula(self, table: str, field: str, formula: str, work_out: object) -> None:
        """Make a formula column of it; `formula` in Grist's words."""
        self._formulas.add((table, field))
        self._act(["ModifyColumn", table, self._column(table, field), {"isFormula": True, "formula": formula}])

    def set_trigger(self, table: str, field: str, formula: str, work_out: object) -> None:
        """Let a formula tidy up whatever is written there."""
        column = self._column(table, field)
        ref = self.place.columns(table)[column]["colRef"]
        self._act(["UpdateRecord", "_grist_Tables_column", ref, {
            "isFormula": False, "formula": formula, "recalcWhen": 0, "recalcDeps": ["L", ref]}])

    def hide_row(self, table: str, row: int) -> None:
        """Keep a row from the sync's key, in silence."""
        self._hide((table, row), table, "*", row)

    def show_row(self, table: str, row: int) -> None:
        self._show((table, row))

    def hide_cell(self, table: str, row: int, field: str) -> None:
        self._hide((table, row, field), table, self._column(table, field), row)

    def show_cell(self, table: str, row: int, field: str) -> None:
        self._show((table, row, field))

    def doubt(self, resource: str) -> None:
        """Let no whole read of a resource be proven complete: there is one row more, which rules hide."""
        table = self.mappings[resource].table
        (row,) = self._act(["AddRecord", table, None, {ID_COLUMN: "gid://hidden"}])
        self._hide((table,), table, "*", int(row))

    def refuse_sql(self) -> None:
        """Let the sync's key be an editor's from whom something is hidden: it may neither count nor compare."""
        if self.place.grist is None:
            pytest.skip("needs the key of an editor from whom something is hidden")
        self._role = "editor"
        self._rules[()] = self._rule("Table1", "A", f"{self._who()} and rec.B == 'secret'")
        self._act(["AddRecord", "Table1", None, {"B": "secret"}])

    def allow_sql(self) -> None:
        self._role = "owner"
        self._show(())

    def pause(self, resource: str) -> None:
        """Give a column that the mapping cannot do without another type."""
        self._act(["ModifyColumn", self.mappings[resource].table, ID_COLUMN, {"type": "Int"}])

    def go_on(self, resource: str) -> None:
        self._act(["ModifyColumn", self.mappings[resource].table, ID_COLUMN, {"type": "Text"}])

    # --- what hands are made of ---------------------------------------------------------------------

    def _act(self, *actions: list[Any]) -> list[Any]:
        answer = self.place.call("POST", "/apply?noparse=1", list(actions))
        self._number = answer["actionNum"]
        return list(answer["retValues"])

    def _can_undo(self, back: list[list[Any]]) -> None:
        self._done = [*self._done[-9:], (self._number, back)]

    def _set(self, table: str, row: int, column: str, cell: Any) -> None:
        was = self._records(table)[row][column]
        self._act(["UpdateRecord", table, row, {column: cell}])
        self._can_undo([["UpdateRecord", table, row, {column: was}]])

    def _tables(self) -> list[str]:
        there = [one["id"] for one in self.place.call("GET", "/tables")["tables"]]
        return [one.table for one in self.mappings.values() if one.table in there]

    def _records(self, table: str) -> dict[int, dict[str, Any]]:
        return self.place.rows(table)

    def _mapping(self, table: str) -> Mapping:
        return next(one for one in self.mappings.values() if one.table == table)

    def _column(self, table: str, field: str) -> str:
        return self._named.get((table, field)) or self._mapping(table).rule(field).column

    def _cell(self, table: str, field: str, value: Any) -> Any:
        """A value as somebody types it there."""
        kind = self._mapping(table).rule(field).kind
        meant = canonical(kind, value)
        if meant is None:
            return {"ref": 0, "text": "", "html": "", "choice": ""}.get(kind)
        if isinstance(meant, Unfit):
            return meant.text
        if isinstance(meant, tuple):
            return ["L", *meant]
        if isinstance(meant, Decimal):
            return float(meant)
        assert not isinstance(meant, date | datetime), "nobody types dates yet"
        return meant

    def shown(self, mapping: Mapping, cells: Dict[str, Any]) -> Cells:
        """A row of the grid as values; what is no mapped column is left out."""
        columns = [(rule, self._column(mapping.table, rule.name)) for rule in mapping.fields]
        return {rule.name: _value(rule.kind, cells[column]) for rule, column in columns if column in cells}

    def _make(self, table: str) -> None:
        """Make a table by hand, as the product would, but without its technical column."""
        if table in [one["id"] for one in self.place.call("GET", "/tables")["tables"]]:
            return
        mapping = self._mapping(table)
        columns = []
        for rule in mapping.fields:
            target = self.mappings[rule.field.target].table if rule.field.target else ""
            if target:
                self._make(target)
            columns.append(new_column(rule.field, rule.column, target=target))
        if mapping.only_where:
            columns.append(toggle_column(mapping.only_where))
        self._act(["AddTable", table, columns])

    def _who(self) -> str:
        return "user.Name == 'sync'" if self.place.grist is not None else "user.Access == OWNER"

    def _hide(self, name: tuple[Any, ...], table: str, column: str, row: int) -> None:
        mark = self._records(table)[row][ID_COLUMN]
        self._rules[name] = self._rule(table, column, f"{self._who()} and rec.{ID_COLUMN} == '{mark}'")

    def _rule(self, table: str, column: str, condition: str) -> list[int]:
        made = self._act(["AddRecord", "_grist_ACLResources", -1, {"tableId": table, "colIds": column}],
                         ["AddRecord", "_grist_ACLRules", None, {"resource": -1, "aclFormula": condition,
                                                                "permissionsText": "-R"}])
        return [int(one) for one in made]

    def _show(self, name: tuple[Any, ...]) -> None:
        resource, rule = self._rules.pop(name)
        self._act(["RemoveRecord", "_grist_ACLRules", rule], ["RemoveRecord", "_grist_ACLResources", resource])

    # --- the connector ----------------------------------------------------------------------------

    def prepare(self, mappings: Sequence[Mapping], bindings: dict[str, Any], *, write: bool) -> Prepared:
        self._io("prepare")
        return self._connector.prepare(mappings, bindings, write=write)

    def read(self, mapping: Mapping, keys: Collection[Key] | None = None, looks: Looks | None = None) -> Snapshot:
        self._io("read", mapping.name)
        return self._connector.read(mapping, keys, looks)

    def holding(self, mapping: Mapping, things: Collection[str]) -> dict[str, set[int]]:
        self._io("holding", mapping.name)
        return self._connector.holding(mapping, things)

    def again(self, mapping: Mapping, keys: Collection[Key]) -> Snapshot:
        self._io("read", mapping.name)
        return self._connector.again(mapping, keys)

    def changed(self, mappings: Sequence[Mapping], checkpoint: dict[str, Any] | None) -> Changed:
        self._io("changed")
        return self._connector.changed(mappings, checkpoint)

    def settled(self, checkpoint: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        return self._connector.settled(checkpoint)

    def expand(self, mappings: Sequence[Mapping], hints: dict[str, set[Key]]) -> Any:
        return self._connector.expand(mappings, hints)

    def watch(self, before_write: Callable[[], None], going_on: Callable[[int], None] = lambda done: None) -> None:
        self._connector.watch(before_write, going_on)

    def halt(self, batches: Dict[str, int]) -> None:
        self._connector.halt(batches)

    def batches(self, mapping: Mapping, ops: Sequence[Op]) -> Iterable[Sequence[Op]]:
        """Those of the connector, cut smaller where a test wants that."""
        for batch in self._connector.batches(mapping, ops):
            for start in range(0, len(batch), self.batch_size):
                yield batch[start:start + self.batch_size]

    def spells(self, mapping: Mapping, field: str, value: Value) -> Value:
        return self._connector.spells(mapping, field, value)

    def repeat(self, mapping: Mapping, batch: Sequence[Op], stamp: Stamp) -> list[Receipt] | None:
        return self._connector.repeat(mapping, batch, stamp)

    def apply(self, mapping: Mapping, batch: Sequence[Op], stamp: Stamp | None = None) -> list[Receipt]:
        self._io("apply", mapping.name, "before")
        self._in_hand = list(batch)
        receipts = self._connector.apply(mapping, batch, stamp)
        self._in_hand = []
        self._io("apply", mapping.name, "after")
        return receipts

    def _io(self, *parts: str) -> None:
        self.on_io(".".join((self.name, *parts)))

    # --- what is overheard --------------------------------------------------------------------------

    def about_to_ask(self, what: str) -> None:
        self._io("request", what)

    def refusal_of(self, actions: Sequence[list[Any]]) -> str | None:
        """Why Grist will not do this bundle."""
        for op in self._in_hand:
            said = self.refuses(op)
            if said and any(_carries_out(action, op) for action in actions):
                return said
        return None

    def held_before(self, actions: Sequence[list[Any]]) -> dict[str, dict[int, dict[str, Any]]]:
        mapped = {one.table for one in self.mappings.values()}
        tables = {action[1] for action in actions if "Record" in action[0]} & mapped
        return {table: self._records(table) for table in tables}

    def overheard(self, actions: Sequence[list[Any]], answers: Sequence[Any],
                  before: dict[str, dict[int, dict[str, Any]]]) -> None:
        """Write down what a bundle of the connector has done to mapped cells."""
        for (verb, table, *rest), answer in zip(actions, answers, strict=True):
            if table not in before:
                continue
            mapping = self._mapping(table)
            if verb == "BulkRemoveRecord":
                self.log += [Written(table, "delete", row, before=before[table][row].get(ID_COLUMN) or None)
                             for row in rest[0] if row in before[table]]
            elif verb == "BulkAddRecord":
                for at, row in enumerate(answer):
                    made = self.shown(mapping, {column: cells[at] for column, cells in rest[1].items()})
                    self.log += [Written(table, "create", row, name, None, value) for name, value in made.items()]
            elif verb in ("BulkUpdateRecord", "BulkAddOrUpdateRecord"):
                asked = rest[0] if verb == "BulkUpdateRecord" else rest[0]["id"]
                for at, row in enumerate(asked):
                    if verb == "BulkUpdateRecord" or answer["recordIds"][at]:
                        self._note(mapping, row, {column: cells[at] for column, cells in rest[1].items()},
                                   before[table][row])

    def _note(self, mapping: Mapping, row: int, cells: dict[str, Any], before: dict[str, Any]) -> None:
        was = self.shown(mapping, before)
        self.log += [Written(mapping.table, "update", row, name, was[name], value)
                     for name, value in self.shown(mapping, cells).items()]
        if ID_COLUMN in cells and cells[ID_COLUMN] != before[ID_COLUMN]:
            self.log.append(Written(mapping.table, "mark", row, after=cells[ID_COLUMN]))


class _Tables(Dict[str, dict[int, Cells]]):
    """The mapped tables that are there, each read when it is looked at."""

    def __init__(self, grist: DocumentGrist) -> None:
        self._grist = grist

    def __getitem__(self, table: str) -> dict[int, Cells]:
        mapping = self._grist._mapping(table)
        return {row: self._grist.shown(mapping, cells) for row, cells in self._grist._records(table).items()}

    def __iter__(self) -> Iterator[str]:
        return iter(self._grist._tables())

    def __len__(self) -> int:
        return len(self._grist._tables())


class _Ear(BaseAdapter):
    """Between the connector and its document."""

    def __init__(self, grist: DocumentGrist) -> None:
        super().__init__()
        self._grist, self._carrier = grist, grist.place.carrier

    def send(self, request: requests.PreparedRequest, *arguments: Any, **more: Any) -> requests.Response:
        what = urlsplit(str(request.url)).path.rpartition("/")[2]
        self._grist.about_to_ask(what)
        if what != "apply":
            return self._carrier.send(request, *arguments, **more)
        actions = json.loads(request.body or b"[]")
        refused = self._grist.refusal_of(actions)
        if refused:
            return _refusing(request, refused)
        before = self._grist.held_before(actions)
        answer = self._carrier.send(request, *arguments, **more)
        if answer.ok:
            self._grist.overheard(actions, answer.json()["retValues"], before)
        return answer

    def close(self) -> None:
        """The carrier belongs to the place."""


def _refusing(request: requests.PreparedRequest, why: str) -> requests.Response:
    answer = requests.Response()
    answer.status_code, answer.request, answer.url = 500, request, str(request.url)
    answer._content = json.dumps({"error": f"[Sandbox] {why}"}).encode()
    return answer


def _carries_out(action: list[Any], op: Op) -> bool:
    verb, _, rows, *_ = action
    if verb == "BulkAddRecord":
        return isinstance(op, Create) and op.source in action[3].get(ID_COLUMN, ())
    keys = rows["id"] if verb == "BulkAddOrUpdateRecord" else rows if verb.startswith("Bulk") else ()
    return not isinstance(op, Create) and op.key in keys


def _value(kind: Any, cell: Any) -> Value:
    """What a cell says to whoever looks at the grid; not read by the product's own reader, which is tested here."""
    if isinstance(cell, list) and cell[:1] == ["L"]:
        return canonical(kind, cell[1:])
    if kind == "ref":
        return cell or None
    return canonical(kind, cell)

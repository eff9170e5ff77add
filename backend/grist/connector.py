"""The Grist side of a link: read tables with proof of completeness, write bundles without losing what a person typed.

    prepare   /tables, /columns          → each mapping bound to its table and columns, or paused with a sentence
    read      /data  count(*)  /states   → complete where the count agrees and the document stood still
    apply     /states  /apply  list      → newest state as it was read? then write; else look at the rows first

A bundle's number tells whether somebody wrote between the look and the write: one above what was seen, nobody did.
Otherwise `compare` over that window names the cells, and `notes` says what a person typed and what stands there now.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from backend.connector import Prepared, Usage
from backend.core.model import Create, Delete, Key, Mapping, Mark, Op, Receipt, Side, Snapshot, Update
from backend.core.values import UNREAD, Value
from backend.errors import AccessError, RetryLater, UserError
from backend.grist import tables as making
from backend.grist.binding import Bound, as_identifier, bind, find_table
from backend.grist.cells import Unstorable, spoken_value
from backend.grist.client import Applied, BundleRefused, GristClient, State
from backend.grist.history import TableDelta, table_delta
from backend.grist.reading import RowReader
from backend.grist.schema import ID_COLUMN, Column, Table, parse_columns, parse_tables
from backend.grist.writing import (
    CHOICE_BYTES,
    Item,
    actions,
    cells_of,
    choice_action,
    cut,
    longer_list,
    new_choices,
    refusal,
    row_of,
)
from backend.http import PATIENCE_SECONDS

READINGS = 3
"""How often a table is read while somebody types, before it is taken as it is, not complete."""


class GristConnector:
    """One document. Not shared between threads.

    `server_url` and `document` come from `document_id`; `api_key` or a widget's `token` opens it. New money columns
    are shown in `currency` (ISO code), new moments in `time_zone`; money is compared with `decimals` digits.
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
        sleep: Callable[[float], None] = time.sleep,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.usage = Usage()
        self.notes: list[str] = []
        """Sentences about what happened while writing: above all, values that a person typed in that moment."""
        self._client = GristClient(
            server_url, document, api_key=api_key, token=token, count=self._count,
            count_write=self._count_write, sleep=sleep, patience_seconds=patience_seconds,
        )
        self._decimals = decimals
        self._new_column = making.make_new_column(time_zone, currency)
        self._bound: dict[str, Bound] = {}
        self._seen: dict[str, State] = {}
        """By resource: the state in which its table was last read whole."""
        self._latest: State | None = None
        """The newest state known, good as the start of the next reading: a changed document shows by its hash."""
        self._choices_are_fixed = False
        """The key may not change the document's structure, so lists of choices stay as they are."""
        self._marks: dict[str, dict[Key, str]] = {}
        """By resource: the Shopify ID of each row as it was read; a row that has another now is another row."""

    def __repr__(self) -> str:
        return f"GristConnector({self._client!r})"

    # --- prepare ---------------------------------------------------------------------------------

    def prepare(self, mappings: Sequence[Mapping], bindings: dict[str, Any], *, write: bool) -> Prepared:
        """See `backend.connector`. A mapping that cannot run keeps its old binding."""
        tables = parse_tables(self._client.tables())
        paused: dict[str, str] = {}
        notes: list[str] = []
        self._latest = None
        made: list[tuple[str, str]] = []
        for mapping in making.in_order_of_reference(mappings):
            self._bound.pop(mapping.name, None)
            try:
                notes += self._bind(mapping, bindings, tables, write, paused, made)
            except (RetryLater, AccessError):
                raise
            except BundleRefused as error:
                paused[mapping.name] = (
                    f"Grist refused to make what is missing in table {mapping.table!r}: {error.reason} "
                    "Make it by hand, or allow the sync's key to change the table's structure."
                )
            except UserError as error:
                paused[mapping.name] = str(error)
        self._show_names(made)
        ready = [self._bound[m.name].mapping for m in mappings if m.name in self._bound]
        kept = {name: bindings[name] for name in (m.name for m in mappings) if bindings.get(name)}
        kept |= {m.name: self._bound[m.name].binding() for m in ready if self._bound[m.name].exists}
        moved = {m.name: _moved(bindings.get(m.name) or {}, kept.get(m.name) or {}) for m in ready}
        return Prepared(tuple(ready), kept, paused, tuple(notes), moved)

    def columns(self, table: str) -> list[Column]:
        """The columns of a table, for suggestions."""
        return parse_columns(self._client.columns(table))

    def tables(self) -> list[str]:
        """The tables that something can be mapped to."""
        return [t.id for t in parse_tables(self._client.tables()) if not t.is_summary]

    def _bind(
        self, mapping: Mapping, bindings: dict[str, Any], tables: list[Table], write: bool,
        paused: dict[str, str], made: list[tuple[str, str]],
    ) -> list[str]:
        known = bindings.get(mapping.name)

        def target_of(resource: str) -> str:
            if resource == mapping.name:
                return mapping.table
            return self._table_of(resource, mapping, bindings, tables, paused)

        table = find_table(mapping, known, tables)
        if table is None:
            for rule in mapping.fields:
                if rule.kind == "ref":
                    target_of(rule.field.target)  # pauses where there is nothing to refer to
            if not write:
                self._bound[mapping.name] = Bound(mapping)
                return []
            return self._make(mapping, tables, target_of, made)
        bound, notes = bind(mapping, table, self.columns(table.id), known, target_of)
        if write:
            notes += self._add_missing(bound, target_of, made)
        self._bound[mapping.name] = bound
        return notes

    def _make(
        self, mapping: Mapping, tables: list[Table], target_of: Callable[[str], str], made: list[tuple[str, str]]
    ) -> list[str]:
        name, columns = making.make_table(self._client, mapping, target_of, self._new_column)
        tables[:] = parse_tables(self._client.tables())
        ref = next((t.ref for t in tables if t.id == name), 0)
        bound = Bound(mapping, name, ref, names=_names(mapping))
        self._take(bound, columns, made)
        self._add_missing(bound, target_of, made)
        self._bound[mapping.name] = bound
        notes = [f"Table {name!r} was made for {mapping.resource.label.lower()}."]
        if name.lower() != as_identifier(mapping.table).lower():
            notes.append(f"A table {mapping.table!r} that the sync's key may not see exists already.")
        return notes

    def _add_missing(self, bound: Bound, target_of: Callable[[str], str], made: list[tuple[str, str]]) -> list[str]:
        missing = [rule for rule in bound.mapping.fields if rule.name not in bound.columns]
        numbers = any(rule.kind in ("integer", "decimal", "money") for rule in missing)
        rows = self._client.data(bound.table)["id"] if numbers else []
        added = making.add_columns(self._client, bound, target_of, self._new_column, rows)
        if not added:
            return []
        bound.fresh |= {rule.name for rule in missing if rule.kind == "boolean"}
        self._take(bound, added, made)
        listed = ", ".join(sorted(added.values()))
        return [f"Table {bound.table!r} got new columns: {listed}."] if missing else []

    def _take(self, bound: Bound, named: dict[str, str], made: list[tuple[str, str]]) -> None:
        """Take up columns that were just made, by the names that Grist gave them."""
        by_id = {column.id: column for column in self.columns(bound.table)}
        for name, column_id in named.items():
            column = by_id.get(column_id)
            if column is None:
                raise UserError(
                    f"Column {column_id!r} was made in table {bound.table!r}, but access rules hide it.",
                    cure="Let the sync's key see all columns of the table.",
                )
            if name == ID_COLUMN:
                bound.id_column = column
            elif name == making.TOGGLE:
                bound.toggle = column
            else:
                bound.columns[name] = column
                if column.pure == "Ref":
                    made.append((bound.mapping.name, name))
        rules = [
            replace(rule, column=bound.columns[rule.name].id) if rule.name in bound.columns else rule
            for rule in bound.mapping.fields
        ]
        only_where = bound.toggle.id if bound.toggle else bound.mapping.only_where
        bound.mapping = replace(bound.mapping, table=bound.table, fields=tuple(rules), only_where=only_where)

    def _table_of(
        self, resource: str, mapping: Mapping, bindings: dict[str, Any], tables: list[Table], paused: dict[str, str]
    ) -> str:
        """The table of a resource that a reference points to. Raises UserError (a pause) where there is none."""
        if resource in self._bound:
            bound = self._bound[resource]
            return bound.table or bound.mapping.table
        known = bindings.get(resource)
        if known:
            table = next((t for t in tables if t.ref == known["tableRef"]), None)
            if table:
                return table.id
        if resource in paused:
            raise UserError(f"{mapping.resource.label} refer to {resource}, which cannot run: {paused[resource]}")
        raise UserError(
            f"{mapping.resource.label} refer to {resource}, which are not mapped to a table.",
            cure=f"Map {resource} too, or leave out the field that refers to them.",
        )

    def _show_names(self, made: list[tuple[str, str]]) -> None:
        """New reference columns show the title of what they refer to."""
        pairs = []
        for resource, name in made:
            bound = self._bound.get(resource)
            if bound is None:
                continue
            target = self._bound.get(bound.mapping.rule(name).field.target)
            shown = _title_column(target) if target and target.exists else None
            if shown:
                pairs.append((bound.table, bound.columns[name], shown))
        if pairs:
            making.show_names(self._client, pairs)
    
    # --- read ------------------------------------------------------------------------------------

    def read(self, mapping: Mapping, keys: Collection[Key] | None = None) -> Snapshot:
        """See `backend.connector`. Complete where SQL, which access rules cannot thin out, counts as many rows and
        the document's newest state is the same before and after."""
        bound = self._of(mapping)
        if not bound.exists:
            return Snapshot()
        if keys is not None:
            return self._read_rows(bound, mapping, [key for key in keys if isinstance(key, int)])
        return self._read_all(bound, mapping)

    def _read_all(self, bound: Bound, mapping: Mapping) -> Snapshot:
        before = self._latest or self._client.newest()
        for _ in range(READINGS):
            columns = self._client.data(bound.table)
            counted, why = self._counted(bound.table)
            after = self._client.newest()
            still = after.h == before.h
            if still:
                break
            before = after
        self._latest = after
        if still:
            self._seen[bound.mapping.name] = after
        else:
            self._seen.pop(bound.mapping.name, None)
        snapshot = RowReader(bound, mapping, self._decimals, new=True).read_columns(columns)
        self._marks[bound.mapping.name] = dict(snapshot.marks)
        notes = [*snapshot.notes]
        rows = len(columns["id"])
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
        found = self._client.records(bound.table, keys)
        missing = set(keys) - found.keys()
        gone: frozenset[Key] = frozenset()
        notes: list[str] = []
        if missing:
            try:
                gone = frozenset(missing - self._client.existing(bound.table, missing))
            except RetryLater:
                raise
            except UserError:
                notes.append(f"{len(missing)} rows of table {bound.table!r} are not to be seen, which proves nothing.")
        snapshot = RowReader(bound, mapping, self._decimals).read_records(found)
        marks = self._marks.setdefault(bound.mapping.name, {})
        for key in keys:
            marks.pop(key, None)
        marks.update(snapshot.marks)
        return replace(snapshot, gone=gone, notes=(*snapshot.notes, *notes))

    # --- apply -----------------------------------------------------------------------------------

    def batches(self, mapping: Mapping, ops: Sequence[Op]) -> Iterable[Sequence[Op]]:
        return cut(self._of(mapping), ops)

    def apply(self, mapping: Mapping, batch: Sequence[Op]) -> list[Receipt]:
        """One atomic bundle, halved where Grist refuses it until the bad row stands alone. See `backend.connector`."""
        bound = self._of(mapping)
        if not bound.exists:
            raise RuntimeError(f"{mapping.name} has no table yet: prepare it with write=True first")
        receipts: dict[int, Receipt] = {}
        items: list[Item] = []
        for position, op in enumerate(batch):
            try:
                items.append(Item(position, op, cells_of(bound, op)))
            except Unstorable as error:
                cure = "Change it in Shopify, or map the field to another column."
                receipts[position] = Receipt(op, refusal=refusal(op, str(error), cure))
        self._write(bound, items, receipts)
        return [receipts[position] for position in range(len(batch))]

    def _write(
        self, bound: Bound, items: list[Item], receipts: dict[int, Receipt], *, look: bool = False, half: bool = False
    ) -> None:
        """Write `items` and put a receipt for each into `receipts`.

        `look` asks to see the rows first in any case; `half` says that this is part of a refused bundle.
        """
        if not items:
            return
        lists = self._choices(bound, items)
        seen = self._seen.get(bound.mapping.name)
        now = self._client.newest()
        if look or seen is None or now.h != seen.h:
            items = self._as_planned(bound, items, receipts, seen)
            if not items:
                return
        planned = actions(bound.table, items)
        first = [choice_action(column) for column in lists.values()]
        try:
            applied = self._client.apply([*first, *(action.action for action in planned)])
        except BundleRefused as error:
            self._refused(bound, items, receipts, error, looked=look, half=half, lists=bool(lists))
            return
        bound.columns |= lists
        self._after(bound, items, now, applied)
        rows: dict[int, int] = {}
        for action, value in zip(planned, applied.values[len(first):], strict=True):
            for i, item in enumerate(action.items):
                rows[item.position] = value[i] if isinstance(item.op, Create) else row_of(item.op)
        stored = self._read_back(bound, items, rows, applied)
        for item in items:
            receipts[item.position] = Receipt(item.op, key=rows[item.position], stored=stored[item.position])

    def _choices(self, bound: Bound, items: list[Item]) -> dict[str, Column]:
        """By field: choice columns with what is missing in their lists. The lists are read anew first, for a person
        may have added to them."""
        if self._choices_are_fixed or not new_choices(bound.columns.values(), items):
            return {}
        now = {column.ref: column for column in self.columns(bound.table)}
        for name, column in bound.columns.items():
            if column.ref in now:
                bound.columns[name] = replace(column, options=now[column.ref].options)
        wanted = new_choices(bound.columns.values(), items)
        longer = {name: longer_list(column, wanted[column.id]) for name, column in bound.columns.items()
                  if column.id in wanted}
        for name, column in list(longer.items()):
            if len(choice_action(column)[3]["widgetOptions"]) > CHOICE_BYTES:
                del longer[name]
                self._say_once(f"Column {column.id!r} of table {bound.table!r} has so many choices that new ones are "
                               "not added to its list; they are written all the same.")
        return longer

    def _as_planned(
        self, bound: Bound, items: list[Item], receipts: dict[int, Receipt], seen: State | None
    ) -> list[Item]:
        """Those items whose rows still hold what the plan was made on; the others get a stale receipt."""
        looked = [item for item in items if isinstance(item.op, Update | Mark)]
        found = self._client.records(bound.table, [row_of(item.op) for item in looked]) if looked else {}
        touched = self._touched(bound, seen) if any(isinstance(item.op, Delete) for item in items) else None
        reader = RowReader(bound, bound.mapping, self._decimals)
        marks = self._marks.get(bound.mapping.name, {})
        good = []
        for item in items:
            op = item.op
            if isinstance(op, Create):
                good.append(item)
                continue
            key = row_of(op)
            if isinstance(op, Delete):
                same = touched is not None and key not in touched
            else:
                cells = found.get(key)
                same = cells is not None and not reader.is_outside(cells)
                same = same and self._same_row(bound, op, cells or {}, marks.get(key, ""))
                if same and isinstance(op, Update):
                    same = all(
                        change.before is UNREAD or change.before in reader.values(change.field, cells or {})
                        for change in op.changes
                    )
            if same:
                good.append(item)
            else:
                receipts[item.position] = Receipt(op, key=key, stale=True)
        return good

    def _same_row(self, bound: Bound, op: Update | Mark, cells: dict[str, Any], mark: str) -> bool:
        """Whether the row still is the thing it was read as: Grist gives the id of a deleted row away again."""
        now = str(cells.get(bound.id_column.id) or "") if bound.id_column else ""
        return now in (mark, op.partner)

    def _touched(self, bound: Bound, seen: State | None) -> frozenset[int] | None:
        """Rows that changed since the table was read; None where nobody can say."""
        if seen is None:
            return None
        try:
            delta = table_delta(self._client.compare(seen.h), bound.table)
        except RetryLater:
            raise
        except UserError:
            return None
        return None if delta.renamed else delta.touched

    def _refused(
        self, bound: Bound, items: list[Item], receipts: dict[int, Receipt], error: BundleRefused, *,
        looked: bool, half: bool, lists: bool,
    ) -> None:
        """Find what a bundle was refused for: the table, its lists of choices, a row that is gone, or one bad row."""
        if not half:
            self._check_columns(bound, items)
        if lists and "access rules" in error.reason:
            self._choices_are_fixed = True
            self._say_once("Grist does not let the sync's key add choices to columns; new ones are written all the "
                           f"same and shown as unknown ({error.reason}).")
            self._write(bound, items, receipts, half=True)
        elif "non-existent record" in error.said and not looked:
            self._write(bound, items, receipts, look=True, half=True)
        elif len(items) > 1:
            middle = len(items) // 2
            self._write(bound, items[:middle], receipts, half=True)
            self._write(bound, items[middle:], receipts, half=True)
        elif "non-existent record" in error.said:
            receipts[items[0].position] = Receipt(items[0].op, stale=True)
        else:
            op = items[0].op
            receipts[items[0].position] = Receipt(op, key=None if isinstance(op, Create) else op.key, refusal=refusal(
                op, f"Grist refused the change: {error.reason}",
                "Correct the row, or allow the change in the document's access rules.",
            ))

    def _check_columns(self, bound: Bound, items: list[Item]) -> None:
        """Raises RetryLater where a column that was written is not what it was when the run began."""
        known = {column.ref: column for column in self.columns(bound.table)}
        written = {name for item in items for name in item.cells}
        for column in self._all_columns(bound):
            now = known.get(column.ref)
            if column.id in written and (now is None or now.id != column.id or now.is_formula):
                raise RetryLater(
                    f"Column {column.id!r} of table {bound.table!r} was changed while the sync wrote to it; nothing of "
                    "that bundle was written.",
                    cure="The next sync follows the change or says what to do.",
                )

    def _after(self, bound: Bound, items: list[Item], before: State, applied: Applied) -> None:
        """Move what was seen along with our own bundle, or look at what a person did in between."""
        removes = any(isinstance(item.op, Delete) for item in items)
        if applied.state.n == before.n + 1:
            for name, seen in list(self._seen.items()):
                # Removing rows clears references to them in other tables: those have to be looked at.
                if seen.h == before.h and (name == bound.mapping.name or not removes):
                    self._seen[name] = applied.state
            if self._latest and self._latest.h == before.h:
                self._latest = applied.state
            return
        self._latest = None
        delta = self._between(bound, before, applied)
        if delta is None:
            rows = ", ".join(str(row_of(i.op)) for i in items if not isinstance(i.op, Create))[:200]
            self.notes.append(
                f"Somebody changed the document in the moment in which the sync wrote to table {bound.table!r}, and "
                f"Grist does not tell the sync's key what. Look at rows {rows} in the document's history."
            )
            return
        for item in items:
            self._say_overwritten(bound, item, delta)

    def _between(self, bound: Bound, before: State, applied: Applied) -> TableDelta | None:
        """What others did between the look and the bundle; None where Grist does not say."""
        try:
            under = next((s for s in self._client.states() if s.n == applied.state.n - 1), None)
            if under is None:
                return None
            delta = table_delta(self._client.compare(before.h, under.h), bound.table)
        except RetryLater:
            raise
        except UserError:
            return None
        return None if delta.renamed else delta

    def _say_overwritten(self, bound: Bound, item: Item, delta: TableDelta) -> None:
        if isinstance(item.op, Create):
            return
        row = row_of(item.op)
        title = f" ({item.op.title})" if item.op.title else ""
        where = f"Row {row}{title} of table {bound.table!r}"
        if row in delta.removed and row in delta.added:
            self.notes.append(f"{where} was deleted and its number given to a new row in the moment in which the sync "
                              "wrote to it: look at that row, the sync's values may not belong there.")
            return
        if isinstance(item.op, Delete):
            if row in delta.touched:
                typed = ", ".join(
                    f"{column} = {self._shown(bound, column, after)}" for (r, column), (_, after) in delta.cells.items() if r == row
                )
                self.notes.append(f"{where} was deleted by the sync in the moment in which somebody changed it "
                                  f"({typed}). The document's history can bring it back.")
            return
        for column, cell in item.cells.items():
            if (row, column) in delta.cells and delta.cells[row, column][1] != cell:
                before, after = (self._shown(bound, column, one) for one in delta.cells[row, column])
                self.notes.append(
                    f"{where}, column {column!r}: somebody changed {before} to {after} in the moment in which the sync "
                    f"wrote {self._shown(bound, column, cell)}, which stands there now. Type {after} again if it was "
                    "meant."
                )

    def _shown(self, bound: Bound, column_id: str, cell: Any) -> str:
        """A cell as a person knows it: dates as dates, not seconds."""
        for rule in bound.mapping.fields:
            column = bound.columns.get(rule.name)
            if column and column.id == column_id:
                reader = RowReader(bound, bound.mapping, self._decimals)
                return spoken_value(reader.value(rule.name, {column_id: cell}))
        return spoken_value(cell)

    def _read_back(
        self, bound: Bound, items: list[Item], rows: dict[int, int], applied: Applied
    ) -> dict[int, dict[str, Value]]:
        """What each op's fields hold as the bundle left them, by position: never what a person typed after it, for
        that would pass as agreed and never reach Shopify."""
        stored: dict[int, dict[str, Value]] = {item.position: {} for item in items}
        looked = [item for item in items if isinstance(item.op, Create | Update)]
        if not looked:
            return stored
        found = self._client.records(bound.table, [rows[item.position] for item in looked])
        reader = RowReader(bound, bound.mapping, self._decimals)
        odd = False
        for item in looked:
            cells = found.get(rows[item.position])
            fields = _fields_of(bound, item.op)
            sent = {name: reader.value(name, item.cells) for name in fields if bound.columns[name].id in item.cells}
            now = {name: reader.value(name, cells) for name in fields} if cells else dict(sent)
            stored[item.position] = {name: value for name, value in now.items() if value is not UNREAD}
            odd = odd or cells is None or any(stored[item.position].get(name, value) != value
                                              for name, value in sent.items()) or isinstance(item.op, Create)
        if odd and self._client.newest().h != applied.state.h:
            self._take_back_to(bound, looked, rows, applied, reader, stored)
        return stored

    def _take_back_to(
        self, bound: Bound, items: list[Item], rows: dict[int, int], applied: Applied, reader: RowReader,
        stored: dict[int, dict[str, Value]],
    ) -> None:
        """Correct `stored` where somebody changed a cell between the bundle and the reading."""
        try:
            delta = table_delta(self._client.compare(applied.state.h), bound.table)
        except RetryLater:
            raise
        except UserError:
            delta = None
        for item in items:
            for name in list(stored[item.position]):
                column = bound.columns[name].id
                if delta is None or delta.renamed:
                    if column in item.cells:
                        stored[item.position][name] = reader.value(name, item.cells)
                    else:
                        del stored[item.position][name]
                elif (rows[item.position], column) in delta.cells:
                    before = delta.cells[rows[item.position], column][0]
                    stored[item.position][name] = reader.value(name, {column: before})

    # --- small things ----------------------------------------------------------------------------

    def _of(self, mapping: Mapping) -> Bound:
        try:
            return self._bound[mapping.name]
        except KeyError:
            raise RuntimeError(f"{mapping.name} was not prepared, or is paused") from None

    def _all_columns(self, bound: Bound) -> list[Column]:
        extra = [column for column in (bound.id_column, bound.toggle) if column]
        return [*bound.columns.values(), *extra]

    def _say_once(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _count(self) -> None:
        self.usage.requests += 1

    def _count_write(self) -> None:
        self.usage.writes += 1


def _fields_of(bound: Bound, op: Op) -> list[str]:
    """The fields of a receipt: what was written; of a new row also what Grist filled in by itself."""
    if isinstance(op, Create):
        return [name for name, column in bound.columns.items() if name in op.values or not column.formula]
    return list(op.values) if isinstance(op, Update) else []


def _names(mapping: Mapping) -> dict[str, str]:
    names = {rule.name: rule.column for rule in mapping.fields}
    return names | {"": mapping.table} | ({"only_where": mapping.only_where} if mapping.only_where else {})


def _title_column(bound: Bound) -> Column | None:
    """The column that names a row to a person: the resource's title, else the first text."""
    if bound.mapping.resource.title in bound.columns:
        return bound.columns[bound.mapping.resource.title]
    return next((bound.columns[r.name] for r in bound.mapping.fields if r.kind == "text" and r.name in bound.columns),
                None)


def _moved(before: dict[str, Any], now: dict[str, Any]) -> tuple[str, ...]:
    """The fields that live in another column than `before` says; a renamed column is still the same one."""
    old, new = before.get("columns", {}), now.get("columns", {})
    return tuple(name for name in new if name in old and new[name]["colRef"] != old[name]["colRef"])

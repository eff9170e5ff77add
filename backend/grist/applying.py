"""Write bundles without losing what a person typed, and say what became of each op.

    look at the rows      → those that moved since the plan get a stale receipt
    write the rest        → Grist itself writes only the rows that still are as they were seen (`conditions`);
                            the others get a stale receipt, and nothing was overwritten
    what is stored differs from what was sent?    → it counts as stored only where it was so right after the bundle

Lists and deletions cannot be asked under a condition, nor can anything in large tables or by a key that does not see
all of a table. There the bundle's number tells:

    one above the state before the look?  yes → nobody wrote in between
                                          no  → compare over that window; what was overwritten is put back (`rescue`)
                                                and its op gets a stale receipt

A bundle is all or nothing. Where Grist refuses one it is halved until the bad row stands alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from backend.core.model import Create, Delete, Mark, Op, Receipt, Update
from backend.core.values import UNREAD, Value
from backend.errors import BundleRefused, RetryLater, UserError
from backend.grist.binding import Bound
from backend.grist.cells import spoken_value
from backend.grist.client import Applied, State
from backend.grist.conditions import compared, expected, is_list, may_be_large
from backend.grist.history import COLUMNS, table_delta
from backend.grist.memory import Memory
from backend.grist.reading import RowReader
from backend.grist.rescue import Cell, Lost, Rescue, Window, window
from backend.grist.schema import Column, parse_options
from backend.grist.writing import (
    CHOICE_BYTES,
    Item,
    actions,
    choice_action,
    longer_list,
    new_choices,
    refusal,
    row_of,
)

SMALL = 100
"""So many rows are written without asking once more for the newest state, where it was heard a moment ago."""


class Applying:
    """`apply` of the connector."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._client = memory.client
        self._seen = memory.seen
        self._marks = memory.marks
        self._decimals = memory.decimals
        self._rescue = Rescue(memory.client)
        self._choices_are_fixed = False
        """The key may not change the document's structure, so lists of choices stay as they are."""
        self._never_asked: set[str] = set()
        """Tables of which Grist compares no rows for this key."""

    def write(
        self, bound: Bound, items: list[Item], receipts: dict[int, Receipt], *, look: bool = False, half: bool = False,
        plain: bool = False,
    ) -> None:
        """Write `items` and put a receipt for each into `receipts`.

        `look` asks to see the rows first in any case; `half` says that this is part of a refused bundle; `plain` that
        Grist cannot be asked to compare.
        """
        if not items:
            return
        now = self._add_choices(bound, items)
        plain = plain or not self._may_ask(bound, items)
        for item in items:
            item.expected = None
        if now is None and (plain or any(_is_watched(bound, item) for item in items)):
            # What Grist does not compare itself is looked after: for that it must be known what it was done on.
            now = self._heard(items) or self._client.newest()
        seen = self._seen.get(bound.mapping.name)
        if look or not plain or seen is None or now is None or now.h != seen.h:
            items = self._as_planned(bound, items, receipts, seen, now, plain=plain)
            odd = [] if plain else [item for item in items if item.expected is None and _is_change(item)]
            self.write(bound, odd, receipts, half=half, plain=True)
            items = [item for item in items if item not in odd]
            if not items:
                return
        planned = actions(bound.table, items)
        known = self._memory.cells.get(bound.mapping.name, {})
        rows_changed = {row_of(item.op) for item in items if _is_change(item)}
        held = {row: cells for row in rows_changed if (cells := known.pop(row, None)) is not None}
        try:
            applied = self._client.apply([action.action for action in planned])
        except BundleRefused as error:
            self._refused(bound, items, receipts, error, looked=look, half=half, plain=plain)
            return
        back = self._after(bound, items, {}, now, applied)
        rows: dict[int, int] = {}
        for action, value in zip(planned, applied.values, strict=True):
            rows |= action.rows(value)
            for item in action.missed(value):
                written = set(item.cells) - (item.expected or {}).keys()
                names = {name for name, column in bound.columns.items() if column.id in item.cells.keys() - written}
                back[item.position] = back.get(item.position, set()) | names
        for item in items:
            row = rows[item.position]
            if row in held:
                held[row] |= item.cells
        lost = {rows[position] for position in back}
        known |= {row: cells for row, cells in held.items() if row not in lost}
        stored = self._read_back(bound, items, rows, applied)
        for item in items:
            fields = back.get(item.position)
            kept = stored[item.position]
            if fields:
                kept = {name: value for name, value in kept.items() if name not in fields}
            receipts[item.position] = Receipt(
                item.op, key=rows[item.position], stored=kept, stale=fields is not None)

    def _heard(self, items: list[Item]) -> State | None:
        """The newest state as far as known, where so little is to be written that it may be taken for the newest.
        Nothing is removed so: what somebody typed in a removed row would be gone for a moment."""
        small = len(items) <= SMALL and not any(isinstance(item.op, Delete) for item in items)
        return self._memory.heard_lately() if small else None

    def _may_ask(self, bound: Bound, items: list[Item]) -> bool:
        """Whether Grist compares rows of this table before it writes them."""
        changes = [item for item in items if _is_change(item)]
        rows = self._memory.rows.get(bound.mapping.name)
        return bound.table not in self._never_asked and not may_be_large(bound, rows, changes)

    def _add_choices(self, bound: Bound, items: list[Item]) -> State | None:
        """Add what is missing to the lists of choices, in a bundle of its own: Grist compares rows only where nothing
        but rows is changed. Returns the document's state after it; None where nothing was to be added."""
        lists = self._choices(bound, items)
        if not lists:
            return None
        before = self._client.newest()
        try:
            added = self._client.apply([choice_action(column) for column in lists.values()])
        except BundleRefused as error:
            self._check_columns(bound, items)
            self._choices_are_fixed = True
            self._say_once("Grist does not let the sync's key add choices to columns; new ones are written all the "
                           f"same and shown as unknown ({error.reason}).")
            return None
        bound.columns |= lists
        self._after(bound, [], lists, before, added)
        return added.state if added.state.n == before.n + 1 else None

    def _choices(self, bound: Bound, items: list[Item]) -> dict[str, Column]:
        """By field: choice columns with what is missing in their lists. The lists are read anew first, for a person
        may have added to them."""
        if self._choices_are_fixed or not new_choices(bound.columns.values(), items):
            return {}
        now = {column.ref: column for column in self._memory.columns(bound.table)}
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
        self, bound: Bound, items: list[Item], receipts: dict[int, Receipt], seen: State | None, now: State | None, *,
        plain: bool,
    ) -> list[Item]:
        """Those items whose rows still hold what the plan was made on, each with what Grist is to find there unless
        `plain`; the others get a stale receipt."""
        moved = now is not None and (seen is None or now.h != seen.h)
        found = self._looked_at(bound, items, anew=plain or moved)
        touched: frozenset[int] | None = None
        if any(isinstance(item.op, Delete) for item in items):
            touched = frozenset() if seen and now and seen.h == now.h else self._touched(bound, seen)
        reader = RowReader(bound, bound.mapping, self._decimals)
        marks = self._marks.get(bound.mapping.name, {})
        columns = compared(bound)
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
                item.expected = None if plain else expected(columns, cells or {})
            if same:
                good.append(item)
            else:
                self._memory.cells.get(bound.mapping.name, {}).pop(key, None)
                receipts[item.position] = Receipt(op, key=key, stale=True)
        return good

    def _looked_at(self, bound: Bound, items: list[Item], *, anew: bool) -> dict[int, dict[str, Any]]:
        """Cells by row of what is to be changed. Where Grist compares all that is written, what was read by id in this
        run is as good as another look, which is asked for with `anew`."""
        rows = [row_of(item.op) for item in items if _is_change(item)]
        known = self._memory.cells.get(bound.mapping.name, {})
        if anew or not all(row in known for row in rows):
            return self._client.records(bound.table, rows) if rows else {}
        return {row: known[row] for row in rows}

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
        looked: bool, half: bool, plain: bool,
    ) -> None:
        """Find what a bundle was refused for: the table, its access rules, a row that is gone, or one bad row."""
        if not half:
            self._check_columns(bound, items)
        if not plain and "Blocked by" in error.said and any(item.expected is not None for item in items):
            # Comparing wants the right to see the whole table and to add rows; changing them may be allowed without.
            self._never_asked.add(bound.table)
            self.write(bound, items, receipts, half=True)
        elif "non-existent record" in error.said and not looked:
            self.write(bound, items, receipts, look=True, half=True)
        elif len(items) > 1:
            middle = len(items) // 2
            self.write(bound, items[:middle], receipts, half=True)
            self.write(bound, items[middle:], receipts, half=True)
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
        known = {column.ref: column for column in self._memory.columns(bound.table)}
        written = {name for item in items for name in item.cells}
        for column in bound.all_columns:
            now = known.get(column.ref)
            if column.id in written and (now is None or now.id != column.id or now.is_formula):
                raise RetryLater(
                    f"Column {column.id!r} of table {bound.table!r} was changed while the sync wrote to it, so what "
                    "was on its way there was not written.",
                    cure="The next sync follows the change or says what to do.",
                )

    def _after(
        self, bound: Bound, items: list[Item], lists: dict[str, Column], looked: State | None, applied: Applied
    ) -> dict[int, set[str]]:
        """Move what was seen along with our own bundle, or put back what it wrote over. `looked` is the state before
        the look, where Grist did not compare everything itself.

        By position: the fields of each op that hold what a person typed, none of them for a row that came back.
        """
        before = looked or self._memory.latest
        removes = any(isinstance(item.op, Delete) for item in items)
        if removes or not before or applied.state.n != before.n + 1:
            self._memory.cells.clear()
        if before and applied.state.n == before.n + 1:
            for name, seen in list(self._seen.items()):
                # Removing rows clears references to them in other tables: those have to be looked at.
                if seen.h == before.h and (name == bound.mapping.name or not removes):
                    self._seen[name] = applied.state
            if self._memory.latest and self._memory.latest.h == before.h:
                self._memory.latest = applied.state
            return {}
        self._memory.latest = None
        if looked is None:
            return {}
        seen_between = window(self._client, looked, applied.state)
        if seen_between is None or table_delta(seen_between.others, bound.table).renamed:
            rows = ", ".join(str(row_of(i.op)) for i in items if not isinstance(i.op, Create))[:200]
            self._memory.notes.append(
                f"Somebody changed the document in the moment in which the sync wrote to table {bound.table!r}, and "
                f"Grist does not tell the sync's key what. Look at rows {rows} in the document's history."
            )
            return {}
        id_column = bound.id_column.id if bound.id_column else ""
        lost = self._rescue.overwritten(bound.table, id_column, items, seen_between)
        lost.cells |= _longer_lists(lists, seen_between)
        return self._put_back(bound, items, lost, applied) if lost else {}

    def _put_back(self, bound: Bound, items: list[Item], lost: Lost, applied: Applied) -> dict[int, set[str]]:
        try:
            failed = self._rescue.put_back(lost, applied.state)
        except RetryLater:
            self._say_lost(bound, items, lost)
            raise
        self._say_lost(bound, items, failed)
        names = {column.id: name for name, column in bound.columns.items()}
        back: dict[int, set[str]] = {}
        for item in items:
            if isinstance(item.op, Create):
                continue
            row = row_of(item.op)
            columns = [c for c in item.cells if (bound.table, row, c) in lost.cells.keys() - failed.cells.keys()]
            if columns or (bound.table, row) in lost.rows.keys() - failed.rows.keys():
                back[item.position] = {names[column] for column in columns if column in names}
        return back

    def _say_lost(self, bound: Bound, items: list[Item], lost: Lost) -> None:
        """Name every value that could not be put back, with its cell."""
        titles = {row_of(item.op): item.op.title for item in items if not isinstance(item.op, Create)}

        def where(table: str, row: int) -> str:
            title = titles.get(row, "") if table == bound.table else ""
            return f"Row {row}{f' ({title})' if title else ''} of table {table!r}"

        for (table, row, column), cell in lost.cells.items():
            if table == COLUMNS:
                self._say_once(f"Somebody changed the choices of a column of table {bound.table!r} in the moment in "
                               "which the sync added some. Look at the list of choices.")
                continue
            typed = self._shown(bound, column, cell) if table == bound.table else spoken_value(cell)
            self._memory.notes.append(
                f"{where(table, row)}, column {column!r}: somebody typed {typed} in the moment in which the sync wrote "
                f"there, and Grist did not let it be put back. Type {typed} again if it was meant."
            )
        for (table, row), cells in lost.rows.items():
            held = ", ".join(
                f"{column} = {self._shown(bound, column, cell)}" for column, cell in cells.items()
                if any(known.id == column for known in bound.all_columns)
            )
            self._memory.notes.append(
                f"{where(table, row)} was deleted by the sync in the moment in which somebody changed it ({held}), and "
                "Grist did not let it be put back. The document's history can bring it back."
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
        that would pass as agreed and never reach Shopify. Nothing is asked where Grist keeps just what it is sent: in
        changes of columns without trigger formulas."""
        stored: dict[int, dict[str, Value]] = {item.position: {} for item in items}
        looked = [item for item in items if isinstance(item.op, Create | Update)]
        if not looked:
            return stored
        reader = RowReader(bound, bound.mapping, self._decimals)
        if not any(isinstance(item.op, Create) or _is_rewritten(bound, item) for item in looked):
            for item in looked:
                stored[item.position] = reader.fields(_fields_of(bound, item.op), item.cells)
            return stored
        found = self._client.records(bound.table, [rows[item.position] for item in looked])
        self._memory.keep(bound.mapping.name, found)
        odd = False
        for item in looked:
            cells = found.get(rows[item.position])
            fields = _fields_of(bound, item.op)
            now = stored[item.position] = reader.fields(fields, cells or item.cells)
            odd = odd or cells is None or isinstance(item.op, Create) or any(
                now[name] != reader.value(name, item.cells) for name in now if bound.columns[name].id in item.cells)
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

    def _say_once(self, note: str) -> None:
        if note not in self._memory.notes:
            self._memory.notes.append(note)


def _longer_lists(lists: dict[str, Column], seen: Window) -> dict[Cell, str]:
    """The options of choice columns that somebody edited in the moment in which we made their lists longer: theirs,
    with our words after them."""
    others, own = table_delta(seen.others, COLUMNS), table_delta(seen.own, COLUMNS)
    longer: dict[Cell, str] = {}
    for column in lists.values():
        place = (column.ref, "widgetOptions")
        if place in others.cells and place in own.cells:
            theirs = replace(column, options=parse_options(own.cells[place][0]))
            longer[COLUMNS, *place] = choice_action(longer_list(theirs, column.options["choices"]))[3]["widgetOptions"]
    return longer


def _is_change(item: Item) -> bool:
    return isinstance(item.op, Update | Mark)


def _is_watched(bound: Bound, item: Item) -> bool:
    """Whether it does what Grist cannot be asked to do under a condition: a deletion, a list."""
    if isinstance(item.op, Delete):
        return True
    return _is_change(item) and any(is_list(column) for column in bound.columns.values() if column.id in item.cells)


def _is_rewritten(bound: Bound, item: Item) -> bool:
    """Whether a trigger formula may make something else of what is written."""
    return any(bound.columns[name].formula for name in _fields_of(bound, item.op))


def _fields_of(bound: Bound, op: Op) -> list[str]:
    """The fields of a receipt: what was written; of a new row also what Grist filled in by itself."""
    if isinstance(op, Create):
        return [name for name, column in bound.columns.items() if not column.formula or name in op.values]
    return list(op.values) if isinstance(op, Update) else []

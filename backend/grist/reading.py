"""Cells of one table as rows of its mapping: values, marks, titles, and what has to be said about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from backend.core.model import Key, Mapping, Row, Snapshot
from backend.core.values import REFERENCES, UNREAD, Unfit, Value
from backend.errors import RetryLater
from backend.grist.binding import Bound
from backend.grist.cells import Reader, error_of, is_hidden, reader
from backend.grist.client import AWAY_SECONDS
from backend.looks import NONE, Looks

UNSUPPORTED = "Formula not supported"
"""What every formula shows while its document is in recovery mode (tried with 1.7.17; nothing else tells)."""


class RowReader:
    """Reads the cells of a bound mapping; `mapping` gives the order of a row's values."""

    def __init__(self, bound: Bound, mapping: Mapping, decimals: int, *, new: bool = False) -> None:
        """`new` reads what Grist filled into columns that this run has added (false) as empty: nobody said it."""
        self._bound = bound
        self._mapping = mapping
        self._decimals = decimals
        self._readers: dict[str, Reader] = {}
        for rule in mapping.fields:
            if rule.name in bound.columns:
                read = reader(rule.kind, bound.columns[rule.name].type, decimals=decimals)
                self._readers[rule.name] = _ignoring_false(read) if new and rule.name in bound.fresh else read
        self._toggle = reader("boolean", "Bool")
        self._places = {name: bound.columns[name].id for name in self._readers}

    def read_columns(self, columns: dict[str, list[Any]], looks: Looks | None = None) -> Snapshot:
        """All rows from columns as `/data` gives them; with `looks` without those that are recognised. Raises
        RetryLater where a column has gone since prepare."""
        ids: list[int] = columns["id"]

        def cells(column_id: str) -> list[Any]:
            try:
                return columns[column_id]
            except KeyError:
                raise RetryLater(
                    f"Column {column_id!r} of table {self._bound.table!r} was renamed or removed while it was read.",
                    cure="The next sync follows the change or says what to do.",
                ) from None

        if looks is None:
            return self._snapshot(ids, cells)
        digests = self._digests(ids, cells, looks)
        news = [place for place, (was, now) in enumerate(zip(map(looks.agreed.get, ids), digests, strict=True))
                if was != now or now == NONE]
        if len(news) == len(ids):
            return replace(self._snapshot(ids, cells), digests=dict(zip(ids, digests, strict=True)))

        def picked(column_id: str) -> list[Any]:
            column = cells(column_id)
            return [column[place] for place in news]

        kept = [ids[place] for place in news]
        return replace(self._snapshot(kept, picked), digests={ids[place]: digests[place] for place in news},
                       recognised=frozenset(ids).difference(kept))

    def _digests(self, ids: list[int], cells: Callable[[str], list[Any]], looks: Looks) -> list[bytes]:
        """What each row looks like: all its cells that are read, and which things its references mean."""
        bound, read = self._bound, {column.id: cells(column.id) for column in self._bound.all_columns}
        meant = []
        for rule in self._mapping.fields:
            if rule.kind in REFERENCES and rule.name in bound.columns:
                said = map(self._readers[rule.name], read[bound.columns[rule.name].id])
                meant.append(looks.things(rule.field.target, said))
        named = {name: (column.id, column.type) for name, column in bound.columns.items()}
        marked = bound.id_column and bound.id_column.id, bound.toggle and bound.toggle.id
        digest = looks.digester(bound.table, self._mapping.fields, named, marked, sorted(bound.fresh), self._decimals)
        return list(map(digest, zip(ids, *read.values(), *meant, strict=True)))

    def read_records(self, records: dict[int, dict[str, Any]]) -> Snapshot:
        ids = list(records)
        if not ids:
            return Snapshot()
        names = records[ids[0]].keys()
        return self.read_columns({"id": ids, **{name: [records[i].get(name) for i in ids] for name in names}})

    def value(self, name: str, cells: dict[str, Any]) -> Value:
        """One field of one row, from its cells by colId; UNREAD where the cell is not there."""
        column = self._places[name]
        return self._readers[name](cells[column]) if column in cells else UNREAD

    def fields(self, names: Iterable[str], cells: dict[str, Any]) -> dict[str, Value]:
        """Those of these fields of one row that can be read, from its cells by colId."""
        found: dict[str, Value] = {}
        for name in names:
            column = self._places[name]
            if column in cells and (value := self._readers[name](cells[column])) is not UNREAD:
                found[name] = value
        return found

    def values(self, name: str, cells: dict[str, Any]) -> tuple[Value, ...]:
        """What the plan may have seen there: the value, and empty for the false of a column just added."""
        value = self.value(name, cells)
        return (value, None) if value is False and name in self._bound.fresh else (value,)

    def is_outside(self, cells: dict[str, Any]) -> bool:
        """Whether the row's toggle leaves it out."""
        return self._bound.toggle is not None and self._toggle(cells.get(self._bound.toggle.id)) is not True

    def _snapshot(self, ids: Sequence[int], cells: Callable[[str], list[Any]]) -> Snapshot:
        by_field: list[list[Value]] = []
        raw: dict[str, list[Any]] = {}
        for rule in self._mapping.fields:
            column = self._bound.columns.get(rule.name)
            if column is None:  # a preview before the column is made: nothing stands in it
                by_field.append([None] * len(ids))
                continue
            raw[rule.name] = cells(column.id)
            read = self._readers[rule.name]
            by_field.append([read(cell) for cell in raw[rule.name]])
        all_rows: list[Row] = list(zip(*by_field, strict=True)) if by_field else [()] * len(ids)
        outside: set[Key] = set()
        if self._bound.toggle:
            outside = {i for i, cell in zip(ids, cells(self._bound.toggle.id), strict=True)
                       if self._toggle(cell) is not True}
        rows: dict[Key, Row] = {i: row for i, row in zip(ids, all_rows, strict=True) if i not in outside}
        marks: dict[Key, str] = {}
        if self._bound.id_column:
            marks = {i: str(cell).strip() for i, cell in zip(ids, cells(self._bound.id_column.id), strict=True)
                     if isinstance(cell, str) and cell.strip()}
        titles = self._titles(rows)
        return Snapshot(rows=rows, outside=frozenset(outside), marks=marks, titles=titles,
                        notes=tuple(self._notes(ids, raw, titles, outside)))

    def _titles(self, rows: dict[Key, Row]) -> dict[Key, str]:
        name = self._mapping.resource.title
        if name not in self._mapping.index:
            name = next((rule.name for rule in self._mapping.fields if rule.kind == "text"), "")
        if not name:
            return {}
        at = self._mapping.index[name]
        return {key: _text(row[at]) for key, row in rows.items() if row[at] is not None and row[at] is not UNREAD}

    def _notes(
        self, ids: Sequence[int], raw: dict[str, list[Any]], titles: dict[Key, str], outside: set[Key]
    ) -> list[str]:
        """One sentence a column for errors and one for hidden cells, naming the first row."""
        notes = []
        for name, cells in raw.items():
            wrong = [(i, error_of(cell)) for i, cell in zip(ids, cells, strict=True)
                     if isinstance(cell, list) and error_of(cell) and i not in outside]
            hidden = [i for i, cell in zip(ids, cells, strict=True) if is_hidden(cell)]
            column, table = self._bound.columns[name].id, self._bound.table
            if any(error == UNSUPPORTED for _, error in wrong):
                raise RetryLater(
                    f"The document is in recovery mode, in which Grist works out no formulas, and column {column!r} of "
                    f"table {table!r} is one.",
                    cure="End recovery mode in the document's settings; the sync goes on by itself.",
                    retry_after=AWAY_SECONDS,
                )
            if wrong:
                row, error = wrong[0]
                where = f"row {row} ({titles[row]})" if row in titles else f"row {row}"
                more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
                notes.append(f"Column {column!r} of table {table!r} shows an error ({error}) in {where}{more}; nothing "
                             "is taken from there. Correct its formula.")
            if hidden:
                notes.append(f"Access rules hide {len(hidden)} cells of column {column!r} of table {table!r} from the "
                             "sync's key; they are left as they are.")
        return notes


def _ignoring_false(read: Reader) -> Reader:
    def empty_at_first(cell: Any) -> Value:
        return read(cell) or None

    return empty_at_first


def _text(value: Value) -> str:
    if isinstance(value, Unfit):
        return value.text
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)

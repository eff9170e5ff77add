"""Bind mappings to the document and make what is missing, table by table, in order of reference.

One mapping that cannot run pauses with a sentence; the others go on. Only what stops the whole document is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import replace
from typing import Any

from backend.connector import Prepared
from backend.core.model import Mapping
from backend.core.values import REFERENCES
from backend.errors import AccessError, BundleRefused, RetryLater, UserError
from backend.grist import tables as making
from backend.grist.binding import Bound, as_identifier, bind, find_table
from backend.grist.memory import Memory
from backend.grist.schema import ID_COLUMN, Column, Table, parse_columns, parse_tables, width


class Preparing:
    """`prepare` of the connector. Leaves what it bound in `memory.bound`."""

    def __init__(self, memory: Memory, new_column: making.NewColumn) -> None:
        self._memory = memory
        self._client = memory.client
        self._bound = memory.bound
        self._new_column = new_column
        self._tables_told: list[dict[str, Any]] = []
        self._widths: dict[int, int] = {}
        """Of columns that were just made, by colRef."""
        self._columns_told: dict[str, list[dict[str, Any]]] = {}
        """By resource: what Grist said of the columns of its table."""

    def prepare(self, mappings: Sequence[Mapping], bindings: dict[str, Any], *, write: bool) -> Prepared:
        """See `backend.connector`. A mapping that cannot run keeps its old binding."""
        choices = self._memory.compared.choices if self._memory.compared else {}
        remembered = self._remembered(mappings, bindings)
        # Of all mappings, not only of those that run: a reference may point to any of them.
        known = [one["schema"]["table"] for one in bindings.values() if one and one.get("schema")]
        self._tables_told = known if remembered else self._client.tables()
        self._columns_told = {
            name: _with_options(one["columns"], longer) for name, one in remembered.items()
            if (longer := choices.get(name, {})) is not None
        }
        tables = parse_tables(self._tables_told)
        paused: dict[str, str] = {}
        notes: list[str] = []
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
        self._set_widths()
        ready = [self._bound[m.name].mapping for m in mappings if m.name in self._bound]
        kept = {name: bindings[name] for name in (m.name for m in mappings) if bindings.get(name)}
        for m in ready:
            bound = self._bound[m.name]
            if bound.exists:
                kept[m.name] = bound.binding() | self._schema(bound)
        moved = {m.name: _moved(bindings.get(m.name) or {}, kept.get(m.name) or {}) for m in ready}
        return Prepared(tuple(ready), kept, paused, tuple(notes), moved)

    def _remembered(self, mappings: Sequence[Mapping], bindings: dict[str, Any]) -> dict[str, Any]:
        """By resource: what Grist said of its table, where the history shows that nothing of all that changed since."""
        compared = self._memory.compared
        if compared is None or not compared.structure_stands:
            return {}
        if compared.left:
            self._memory.compared = replace(compared, structure_stands=False)  # good for one look
        else:
            self._memory.compared = None
        if not all((one or {}).get("schema") for one in bindings.values()):
            return {}  # what is not remembered may be referred to
        known = {mapping.name: (bindings.get(mapping.name) or {}).get("schema") for mapping in mappings}
        return known if all(known.values()) else {}

    def _schema(self, bound: Bound) -> dict[str, Any]:
        """Grist's own words on a table, to be kept with the binding."""
        table = next((one for one in self._tables_told if one["id"] == bound.table), None)
        columns = self._columns_told.get(bound.mapping.name)
        return {"schema": {"table": table, "columns": columns}} if table and columns else {}

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
                if rule.kind in REFERENCES:
                    target_of(rule.field.target)  # pauses where there is nothing to refer to
            if not write:
                self._bound[mapping.name] = Bound(mapping)
                return []
            return self._make(mapping, tables, target_of, made)
        if mapping.name not in self._columns_told:
            self._columns_told[mapping.name] = self._client.columns(table.id)
        type_blank = bool((known or {}).get("type_blank_columns"))
        columns = parse_columns(self._columns_told[mapping.name])
        bound, notes = bind(mapping, table, columns, known, target_of, type_blank=type_blank)
        if write and bound.blank:
            typed = making.type_blank(self._client, bound, target_of, self._new_column)
            self._memory.latest = None
            self._columns_told[mapping.name] = self._client.columns(table.id)
            columns = parse_columns(self._columns_told[mapping.name])
            bound, notes = bind(mapping, table, columns, known, target_of)
            bound.fresh |= {name for name, column in bound.columns.items()
                            if column.id in typed and column.pure == "Bool"}
            notes.append(f"New and empty columns of table {bound.table!r} got their types: {', '.join(typed)}.")
        elif bound.blank:
            # A preview: nothing stands in them, just as in columns that are still to be made.
            bound.blank.clear()
        if write:
            notes += self._add_missing(bound, target_of, made)
        self._bound[mapping.name] = bound
        return notes

    def _make(
        self, mapping: Mapping, tables: list[Table], target_of: Callable[[str], str], made: list[tuple[str, str]]
    ) -> list[str]:
        self._memory.latest = None
        name, columns = making.make_table(self._client, mapping, target_of, self._new_column)
        self._tables_told = self._client.tables()
        tables[:] = parse_tables(self._tables_told)
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
        added = making.add_columns(self._client, bound, target_of, self._new_column)
        if not added:
            return []
        self._memory.latest = None
        bound.fresh |= {rule.name for rule in missing if rule.kind == "boolean"}
        self._take(bound, added, made)
        listed = ", ".join(sorted(added.values()))
        return [f"Table {bound.table!r} got new columns: {listed}."] if missing else []

    def _take(self, bound: Bound, named: dict[str, str], made: list[tuple[str, str]]) -> None:
        """Take up columns that were just made, by the names that Grist gave them."""
        told = self._columns_told[bound.mapping.name] = self._client.columns(bound.table)
        by_id = {column.id: column for column in parse_columns(told)}
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
                if column.pure in ("Ref", "RefList"):
                    made.append((bound.mapping.name, name))
                pixels = width(bound.mapping.rule(name).field, title=name == bound.mapping.resource.title)
                self._widths |= {column.ref: pixels} if pixels else {}
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
            table = next((t for t in tables if t.ref == known.get("tableRef")), None)
            if table:
                return table.id
        if resource in paused:
            raise UserError(f"{mapping.resource.label} refer to {resource}, which cannot run: {paused[resource]}")
        raise UserError(
            f"{mapping.resource.label} refer to {resource}, which are not mapped to a table.",
            cure=f"Map {resource} too, or leave out the field that refers to them.",
        )

    def _set_widths(self) -> None:
        widths, self._widths = self._widths, {}
        try:
            if widths:
                cards = {table["fields"].get("recordCardViewSectionRef") for table in self._tables_told}
                making.set_widths(self._client, widths, cards)
        except RetryLater:
            raise
        except UserError:
            # Only looks: a key that may make columns and not arrange pages goes on with Grist's own widths.
            return

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


def _with_options(columns: list[dict[str, Any]], options: Dict[str, str]) -> list[dict[str, Any]]:
    """Grist's words on columns, with the options that we have given to some since, by colRef."""
    return [
        one | {"fields": one["fields"] | {"widgetOptions": options[ref]}}
        if (ref := str(one["fields"]["colRef"])) in options else one
        for one in columns
    ]


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

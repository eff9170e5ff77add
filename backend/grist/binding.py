"""Find a mapping's table and columns in the document as it is today.

What was bound before is known by number (`tableRef`, `colRef`) *and* type: a rename is followed, while a column that
is gone, retyped, made again or of no use pauses its field with a sentence: the field is left out of the mapping, so
that nothing counts as emptied, and what it agreed on and was bound to is kept until it is back. The table, its Shopify
ID, its toggle and its references pause the whole mapping. Numbers are given anew and prove nothing alone.
What was never bound is looked up by name. What is not there is listed as missing; `tables.py` makes it.

    binding of a mapping: {"table", "tableRef", "named", "columns": {field: column}, "id_column": column,
                           "toggle": column}
    column: {"colRef", "colId", "type", "named"}        named: what the mapping called it when it was bound
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from typing import Any

from backend.core.model import Direction, FieldRule, Mapping
from backend.core.values import REFERENCES
from backend.errors import UserError
from backend.grist.history import Watched
from backend.grist.schema import ID_COLUMN, ID_LABEL, Column, Table, fits, misfit

HIDDEN_OR_GONE = "was deleted, or access rules hide it from the sync's key"


@dataclass
class Bound:
    """One mapping and its place in the document."""

    mapping: Mapping
    table: str = ""
    """Empty while the table does not exist."""
    table_ref: int = 0
    columns: dict[str, Column] = field(default_factory=dict)
    """By field. A field that is not in here has no column yet."""
    id_column: Column | None = None
    toggle: Column | None = None
    fresh: set[str] = field(default_factory=set)
    """Toggles that this connector has just added: the false that Grist filled in is nobody's value."""
    left_out: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By field that cannot run today: what it was bound to, if it was."""
    blank: dict[str, Column] = field(default_factory=dict)
    """By field: new and empty columns that get their type with the owner's yes (`type_blank_columns`)."""
    names: dict[str, str] = field(default_factory=dict)
    """What the mapping calls each column, by field; "" for the table, "only_where" for the toggle."""

    @property
    def exists(self) -> bool:
        return bool(self.table)

    @property
    def all_columns(self) -> list[Column]:
        """Every column that the sync reads, each once."""
        return [*self.columns.values(), *(c for c in (self.id_column, self.toggle) if c)]

    @property
    def watched(self) -> Watched:
        """Whose changes matter to the mapping."""
        return Watched(self.table, {column.ref: column.id for column in self.all_columns})

    def binding(self) -> dict[str, Any]:
        """Plain JSON, to be given back at the next prepare."""
        kept: dict[str, Any] = {
            "table": self.table, "tableRef": self.table_ref, "named": self.names.get("", self.table),
            "columns": {name: known for name, known in self.left_out.items() if known}
            | {name: _kept(column, self.names.get(name)) for name, column in self.columns.items()},
        }
        if self.id_column:
            kept["id_column"] = _kept(self.id_column, ID_COLUMN)
        if self.toggle:
            kept["toggle"] = _kept(self.toggle, self.names.get("only_where"))
        return kept


def find_table(mapping: Mapping, known: Dict[str, Any] | None, tables: Sequence[Table]) -> Table | None:
    """The mapping's table; None where it has to be made. Raises UserError (a pause) where it cannot be trusted."""
    name = mapping.table
    if known and known.get("tableRef") and name in (known["named"], known["table"], _id_of(known["tableRef"], tables)):
        found = next((t for t in tables if t.ref == known["tableRef"]), None)
        again = next((t for t in tables if t.id == known["table"]), None)
        if found is None and again is not None:
            raise UserError(
                f"Table {again.id!r} was deleted and made again, so its rows are not those that were synced.",
                cure="Undo that in Grist (its history can restore the document), or map the table anew.",
            )
        if found is None:
            raise UserError(
                f"Table {known['table']!r} {HIDDEN_OR_GONE}.",
                cure="Undo the deletion or open the table to the key in Grist's access rules, or map another table.",
            )
    else:
        found = next((t for t in tables if t.id == name), None) or next(
            (t for t in tables if t.id.lower() == as_identifier(name).lower()), None
        )
    if found and found.is_summary:
        raise UserError(
            f"Table {found.id!r} is a summary table: Grist works it out, and nothing can be written to it.",
            cure="Map the table that it summarises.",
        )
    return found


def bind(
    mapping: Mapping,
    table: Table,
    columns: Sequence[Column],
    known: Dict[str, Any] | None,
    target_of: Callable[[str], str],
    *,
    type_blank: bool = False,
) -> tuple[Bound, list[str]]:
    """The mapping bound to an existing table, and sentences about what was followed or understood.

    `target_of` gives the current table of a resource. Fields without a column are absent from `bound.columns`.
    A field whose column cannot be used as it is is left out of the mapping, with a sentence. With `type_blank` a column
    that is new and empty is put into `bound.blank`, for whoever makes columns to give it a type. Raises UserError (a
    pause of the whole mapping) for the Shopify ID, the toggle and references.
    """
    same_table = known if known and known.get("tableRef") == table.ref else None
    bound = Bound(mapping, table.id, table.ref)
    bound.names[""] = mapping.table if same_table is None else _name(mapping.table, same_table, table.id, "table")
    notes: list[str] = []
    if same_table and same_table["table"] != table.id:
        notes.append(f"Table {same_table['table']!r} is called {table.id!r} now; the sync follows.")
    before = (same_table or {}).get("columns", {})
    rules = []
    for rule in mapping.fields:
        try:
            column, note = _find(rule.column, before.get(rule.name), columns, table.id)
            if column is not None and column.blank and type_blank:
                bound.blank[rule.name] = column
                rules.append(rule)
                continue
            checked = rule if column is None else _checked(rule, column, table.id, target_of)
        except UserError as error:
            if rule.kind == "ref":
                raise
            bound.left_out[rule.name] = dict(before.get(rule.name) or {})
            notes.append(f"{error} Until then {rule.name} of {mapping.resource.label.lower()} is not synced.")
            continue
        bound.names[rule.name] = _name(rule.column, before.get(rule.name), column.id if column else "", "colId")
        notes += [note] if note else []
        rules.append(checked)
        if column:
            bound.columns[rule.name] = column
    if not rules and notes:
        raise UserError(notes[0])
    bound.id_column = _id_column(columns, (same_table or {}).get("id_column"), table.id)
    only_where = mapping.only_where
    if only_where:
        toggle, note = _find(only_where, (same_table or {}).get("toggle"), columns, table.id)
        bound.names["only_where"] = _name(only_where, (same_table or {}).get("toggle"), toggle.id if toggle else "",
                                          "colId")
        notes += [note] if note else []
        bound.toggle = _checked_toggle(toggle, table.id) if toggle else None
        only_where = toggle.id if toggle else only_where
    _each_its_own(bound)
    bound.mapping = replace(mapping, table=table.id, fields=tuple(rules), only_where=only_where)
    if bound.left_out:
        bound.mapping, note = _without(bound.mapping, bound.left_out)
        notes += [note] if note else []
    return bound, notes


def as_identifier(name: str) -> str:
    """The id that Grist makes of a name: `my table-1` → `my_table_1`."""
    text = re.sub(r"[^a-zA-Z0-9_]+", "_", name.strip())
    return text if text[:1].isalpha() else f"c{text}"


def _without(mapping: Mapping, left_out: Dict[str, Any]) -> tuple[Mapping, str]:
    """The mapping as it may run without those fields, and a sentence where that stops creations.

    What is made in Shopify now would lack their values. Without a field that tells which row is which thing, what is
    made could be there already.
    """
    names = frozenset(rule.name for rule in mapping.fields)
    match = tuple(witness for witness in mapping.match if not left_out.keys() & set(witness.split("+")))
    tells = len(match) == len(mapping.match)
    stops = (mapping.create_remote and mapping.resource.creatable) or (mapping.create_local and not tells)
    # Named one by one, so that what waits for a person on the fields left out is not taken for settled.
    chosen = names if mapping.chosen is None else mapping.chosen & names
    now = replace(mapping, match=match, chosen=chosen, create_remote=False, create_local=mapping.create_local and tells)
    where = "" if tells else " in Grist or Shopify"
    return now, f"Until then no {mapping.resource.label.lower()} are created{where or ' in Shopify'}." if stops else ""


def _find(
    name: str, known: Dict[str, Any] | None, columns: Sequence[Column], table: str
) -> tuple[Column | None, str]:
    """A column by its number where it was bound, else by id, else by label; and a sentence where that needs one."""
    if known and name in (known.get("named"), known["colId"], _column_id(known["colRef"], columns)):
        return _follow(known, columns, table)
    exact = next((c for c in columns if c.id == name), None)
    if exact:
        return exact, ""
    wanted = as_identifier(name).lower()
    alike = [c for c in columns if c.label == name or c.id.lower() == wanted]
    if len(alike) > 1:
        listed = ", ".join(repr(c.id) for c in alike)
        raise UserError(
            f"Table {table!r} has several columns that {name!r} may mean: {listed}.",
            cure="Name the column in the mapping by its id, upper and lower case as in Grist.",
        )
    if not alike:
        return None, ""
    return alike[0], f"Column {name!r} of table {table!r} is taken to be {alike[0].id!r} (label {alike[0].label!r})."


def _follow(known: Dict[str, Any], columns: Sequence[Column], table: str) -> tuple[Column, str]:
    found = next((c for c in columns if c.ref == known["colRef"]), None)
    name = known["colId"]
    if found is None:
        again = any(c.id == name for c in columns)
        raise UserError(
            f"Column {name!r} in table {table!r} " + ("was deleted and made again." if again else f"{HIDDEN_OR_GONE}."),
            cure="Undo that in Grist or open the column to the key, or choose the column anew in the mapping.",
        )
    if found.pure != str(known["type"]).partition(":")[0]:
        # The number alone may belong to another column by now, so a new type under a new name is no rename.
        what = f"was changed from {known['type']} to {found.type}" if found.id == name else \
            f"is gone; its number now belongs to {found.id!r} of another type"
        raise UserError(
            f"Column {name!r} in table {table!r} {what}.",
            cure=f"Set its type back to {known['type']}, or choose the column anew in the mapping.",
        )
    return found, "" if found.id == name else f"Column {name!r} of table {table!r} is called {found.id!r} now; " \
                                              "the sync follows."


def _checked(rule: FieldRule, column: Column, table: str, target_of: Callable[[str], str]) -> FieldRule:
    """The rule as the column allows it: a formula only feeds Shopify."""
    wanted = rule.field
    target = target_of(wanted.target) if wanted.kind in REFERENCES else ""
    if column.blank:
        raise UserError(
            f"Column {column.id!r} in table {table!r} is new and empty, so Grist has not given it a type yet.",
            cure="Set the column's type, or type something into it, and sync again.",
        )
    if not fits(column, wanted.kind, target):
        message, cure = misfit(column, table, wanted, target)
        raise UserError(message, cure=cure)
    if not column.computed:
        return replace(rule, column=column.id)
    if not (wanted.writable or wanted.on_create):
        raise UserError(
            f"Column {column.id!r} in table {table!r} is a formula, and {wanted.name} is worked out by Shopify: "
            "neither can be written.",
            cure="Map it to a column without a formula, or leave the field out.",
        )
    if rule.direction is Direction.TO_GRIST:
        raise UserError(
            f"Column {column.id!r} in table {table!r} is a formula and cannot be written, but {wanted.name} is to go "
            "to Grist only.",
            cure="Map it to a column without a formula, or let it go to Shopify.",
        )
    return replace(rule, column=column.id, source_only=True, direction=Direction.TO_SHOPIFY)


def _id_column(columns: Sequence[Column], known: Dict[str, Any] | None, table: str) -> Column | None:
    if known:
        column, _ = _follow(known, columns, table)
    else:
        found = next((c for c in columns if c.id == ID_COLUMN), None) or next(
            (c for c in columns if c.label == ID_LABEL), None
        )
        if found is None:
            return None
        column = found
    if column.is_formula or column.pure != "Text":
        raise UserError(
            f"Column {column.id!r} in table {table!r} must be plain text: the sync keeps there which thing in Shopify "
            "each row is.",
            cure="Set its type to Text without a formula, or give it another name and label.",
        )
    return column


def _checked_toggle(column: Column, table: str) -> Column:
    if column.pure != "Bool":
        raise UserError(
            f"Column {column.id!r} in table {table!r} decides which rows take part, but it is not a toggle.",
            cure="Set its type to Toggle, or name another column under only_where.",
        )
    return column


def _each_its_own(bound: Bound) -> None:
    users: dict[int, str] = {}
    named: list[tuple[str, Column | None]] = [*bound.columns.items(), (ID_LABEL, bound.id_column)]
    for name, column in [*named, ("only_where", bound.toggle)]:
        if column is None:
            continue
        if column.ref in users:
            raise UserError(
                f"Column {column.id!r} in table {bound.table!r} is used for both {users[column.ref]} and {name}.",
                cure="Give each its own column.",
            )
        users[column.ref] = name


def _kept(column: Column, named: str | None) -> dict[str, Any]:
    return {"colRef": column.ref, "colId": column.id, "type": column.type, "named": named or column.id}


def _name(now: str, known: Dict[str, Any] | None, current: str, key: str) -> str:
    """What the mapping calls a thing, remembered from the first time: the file keeps the old name after a rename."""
    if known and now in (known.get("named"), known[key], current):
        return str(known.get("named") or now)
    return now


def _id_of(ref: int, tables: Sequence[Table]) -> str | None:
    return next((t.id for t in tables if t.ref == ref), None)


def _column_id(ref: int, columns: Sequence[Column]) -> str | None:
    return next((c.id for c in columns if c.ref == ref), None)

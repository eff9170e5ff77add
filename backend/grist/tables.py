"""Make the tables and columns that mappings need. Nothing is ever removed, narrowed or retyped.

A table is made in a bundle of its own, in order of reference, for only the answer tells what Grist called it: a table
hidden by access rules may already have the name. Then come its technical columns, which stay off its page, and the
column of the referenced table that people see instead of row numbers.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from backend.core.mapping import targets
from backend.core.model import Field, FieldRule, Mapping
from backend.core.values import REFERENCES
from backend.grist.binding import Bound, as_identifier
from backend.grist.client import GristClient
from backend.grist.schema import ID_COLUMN, Column, id_column, new_column, toggle_column

TOGGLE = "only_where"
PLACES = "_grist_Views_section_field"
"""Grist's table of the columns on each page."""

NewColumn = Callable[[Field, str, str], dict[str, Any]]
"""`schema.new_column` with the document's time zone and currency: field, name, target table."""


def make_table(
    client: GristClient, mapping: Mapping, target_of: Callable[[str], str], new: NewColumn
) -> tuple[str, dict[str, str]]:
    """Make the table of a mapping with the columns that people look at: what Grist called it and each field's column.

    The toggle's column stands under `only_where`.
    """
    visible = [rule for rule in mapping.fields if not rule.field.hidden]
    columns = [_column(rule, target_of, new) for rule in visible]
    names = [rule.name for rule in visible]
    if mapping.only_where:
        columns.append(toggle_column(as_identifier(mapping.only_where)))
        names.append(TOGGLE)
    made = client.apply([["AddTable", as_identifier(mapping.table), columns]]).values[0]
    return str(made["table_id"]), dict(zip(names, made["columns"], strict=True))


def add_columns(
    client: GristClient, bound: Bound, target_of: Callable[[str], str], new: NewColumn
) -> dict[str, str]:
    """Add what `bound` lacks to its table; returns the column of each field that got one (also of `only_where` and
    `Shopify_ID`), as Grist called it: a column hidden by access rules may already have the name.

    All in one bundle. Grist fills a new number column with 0, which nobody typed and which the next run, were this
    one to end here, would take for a value. A column of any type starts empty and stays so when it becomes a number;
    until then it has a name that nobody else has, for the wanted one may belong to a column that is hidden from us.
    """
    wanted: list[tuple[str, dict[str, Any], bool]] = [
        (rule.name, _column(rule, target_of, new), not rule.field.hidden)
        for rule in bound.mapping.fields if rule.name not in bound.columns
    ]
    if bound.mapping.only_where and bound.toggle is None:
        wanted.append((TOGGLE, toggle_column(as_identifier(bound.mapping.only_where)), True))
    if bound.id_column is None:
        wanted.append((ID_COLUMN, id_column(), False))
    if not wanted:
        return {}
    actions: list[list[Any]] = []
    named: dict[str, int] = {}
    for name, column, visible in wanted:
        if column["type"] in ("Numeric", "Int"):
            passing = f"New_{secrets.token_hex(6)}"
            actions.append(_add(bound.table, column | {"id": passing, "type": "Any"}, visible=visible))
            actions.append(["ModifyColumn", bound.table, passing,
                            {"type": column["type"], "widgetOptions": column["widgetOptions"]}])
            actions.append(["RenameColumn", bound.table, passing, column["id"]])
        else:
            actions.append(_add(bound.table, column, visible=visible))
        named[name] = len(actions) - 1
    answers = client.apply(actions).values
    return {name: _called(answers[place]) for name, place in named.items()}


def type_blank(client: GristClient, bound: Bound, target_of: Callable[[str], str], new: NewColumn) -> list[str]:
    """Make data of the new and empty columns that fields are mapped to: each gets the field's type and options, and
    keeps its name and label. Returns their ids. Nothing stands in them, so nothing is converted."""
    actions: list[list[Any]] = []
    for name, column in bound.blank.items():
        rule = bound.mapping.rule(name)
        info = _column(rule, target_of, new)
        # In two steps, so that Grist fills in nothing: a column that becomes data as it is stays empty.
        actions.append(["ModifyColumn", bound.table, column.id, {"isFormula": False}])
        actions.append(["ModifyColumn", bound.table, column.id,
                        {"type": info["type"], "widgetOptions": info["widgetOptions"]}])
    if actions:
        client.apply(actions)
    return [column.id for column in bound.blank.values()]


def show_names(client: GristClient, pairs: Iterable[tuple[str, Column, Column]]) -> None:
    """Let reference columns show the name of what they refer to: (table, reference column, column of its target)."""
    actions: list[Any] = []
    for table, column, shown in pairs:
        actions.append(["UpdateRecord", "_grist_Tables_column", column.ref, {"visibleCol": shown.ref}])
        actions.append(["SetDisplayFormula", table, None, column.ref, f"${column.id}.{shown.id}"])
    if actions:
        client.apply(actions)


def set_widths(client: GristClient, widths: dict[int, int], cards: Collection[int]) -> None:
    """Give columns just made, by colRef, their widths on the pages that show them. `cards` are the sections of record
    cards: Grist refuses a change of their fields, and with it all others of the bundle."""
    places = client.data(PLACES)
    rows = [(row, widths[ref])
            for row, ref, section in zip(places["id"], places["colRef"], places["parentId"], strict=True)
            if ref in widths and section not in cards]
    if rows:
        client.apply([["BulkUpdateRecord", PLACES, [row for row, _ in rows], {"width": [width for _, width in rows]}]])


def in_order_of_reference(mappings: Sequence[Mapping]) -> list[Mapping]:
    """Targets before those that refer to them; the order is kept otherwise."""
    names = {mapping.name for mapping in mappings}
    done: set[str] = set()
    ordered: list[Mapping] = []
    waiting = list(mappings)
    while waiting:
        ready = [m for m in waiting if targets(m) & names <= done | {m.name}] or waiting[:1]
        ordered += ready
        done |= {m.name for m in ready}
        waiting = [m for m in waiting if m.name not in done]
    return ordered


def make_new_column(time_zone: str, currency: str | None) -> NewColumn:
    def new(field: Field, name: str, target: str) -> dict[str, Any]:
        return new_column(field, name, target=target, time_zone=time_zone, currency=currency)

    return new


def _called(answer: Any) -> str:
    """The colId in the answer to an action that adds or renames a column."""
    return str(answer["colId"] if isinstance(answer, dict) else answer)


def _add(table: str, column: dict[str, Any], *, visible: bool) -> list[Any]:
    info = {key: value for key, value in column.items() if key != "id"}
    return ["AddVisibleColumn" if visible else "AddColumn", table, column["id"], info]


def _column(rule: FieldRule, target_of: Callable[[str], str], new: NewColumn) -> dict[str, Any]:
    """The new column of a field, labelled by the field, or by the mapping's words where they are no plain id."""
    name = as_identifier(rule.column)
    target = target_of(rule.field.target) if rule.kind in REFERENCES else ""
    return new(rule.field, name, target) | {"label": rule.field.label if rule.column == name else rule.column}

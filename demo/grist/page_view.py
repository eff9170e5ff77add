"""What the page shows of a document: its tables with the columns of their page, and the names of referenced rows."""
from __future__ import annotations

from typing import Any

from demo.grist import rules
from demo.grist.access import Caller
from demo.grist.cells import is_list
from demo.grist.document import Document
from demo.grist.schema import is_visible, pure_type, target_table
from demo.grist.schema_actions import widget_options
from demo.grist.tables import Table

DEFAULT_WIDTH = 100


def described_tables(document: Document, person: Caller) -> list[dict[str, Any]]:
    """`[{"id", "columns": [{"id", "label", "type", "editable", "options", "width"}]}]`, columns as on its page."""
    with document.lock:
        metadata = document.tables["_grist_Tables"]
        listed = []
        for ref in metadata.row_ids:
            table_id = metadata.column("tableId").get(ref)
            unseen = rules.hidden(document, table_id, person.user)
            if metadata.column("summarySourceTable").get(ref) or unseen.everything:
                continue
            listed.append({"id": table_id, "columns": [column for column in _columns(document, table_id, ref)
                                                       if column["id"] not in unseen.columns]})
        return listed


def shown_references(document: Document, table_id: str,
                     columns: dict[str, tuple[str, list[Any]]]) -> dict[str, dict[int, str]]:
    """For each reference column the text of the rows that can be chosen: `{column: {row id: text}}`."""
    shown = {}
    for column in document.columns(table_id):
        target = target_table(column["fields"]["type"])
        if column["id"] in columns and target is not None and target in document.tables:
            shown[column["id"]] = row_names(document, target, column["fields"]["visibleCol"])
    return shown


def row_names(document: Document, table_id: str, visible_col: int) -> dict[int, str]:
    """How the rows of a table are called: by the column chosen for it, else by its first text column."""
    table = document.tables[table_id]
    col_id = document.tables["_grist_Tables_column"].column("colId").get(visible_col) if visible_col else None
    if col_id not in table.columns:
        col_id = _first_text_column(document, table_id, table)
    if col_id is None:
        return {row: f"{table_id}[{row}]" for row in table.row_ids}
    return {row: _name(cell, table_id, row) for row, cell in zip(table.row_ids, table.values(col_id), strict=True)}


def _name(cell: Any, table_id: str, row: int) -> str:
    if is_list(cell):
        return ", ".join(str(item) for item in cell[1:])
    return str(cell) if cell not in (None, "") else f"{table_id}[{row}]"


def _first_text_column(document: Document, table_id: str, table: Table) -> str | None:
    for column in document.columns(table_id):
        if pure_type(table.column(column["id"]).type) == "Text":
            return str(column["id"])
    return None


def _columns(document: Document, table_id: str, ref: int) -> list[dict[str, Any]]:
    """The columns in the order and width of the grid on the table's page; all visible ones where it has none."""
    fields, by_ref = document.tables["_grist_Views_section_field"], {
        column["fields"]["colRef"]: column for column in document.columns(table_id)}
    section = _grid_section(document, ref)
    rows = [row for row in fields.row_ids if fields.column("parentId").get(row) == section] if section else []
    rows.sort(key=lambda row: fields.column("parentPos").get(row))
    placed = [(fields.column("colRef").get(row), fields.column("width").get(row)) for row in rows]
    listed = []
    for col_ref, width in placed or [(col_ref, 0) for col_ref in by_ref]:
        column = by_ref.get(col_ref)
        if column is None or not is_visible(column["id"]):
            continue
        about = column["fields"]
        listed.append({
            "id": column["id"], "label": about["label"] or column["id"], "type": about["type"],
            "editable": not (about["isFormula"] and about["formula"]),
            "options": widget_options(about["widgetOptions"]), "width": width or DEFAULT_WIDTH})
    return listed


def _grid_section(document: Document, table_ref: int) -> int | None:
    sections = document.tables["_grist_Views_section"]
    view = document.tables["_grist_Tables"].column("primaryViewId").get(table_ref)
    return next((row for row in sections.row_ids if view and sections.column("parentId").get(row) == view
                 and sections.column("tableRef").get(row) == table_ref
                 and sections.column("parentKey").get(row) == "record"), None)

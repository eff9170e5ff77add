"""The user actions on tables, columns and pages, and what writing to the metadata tables brings about.

A column can be renamed by an action or by writing its row in `_grist_Tables_column`; both come together here. Every
table has a page with a grid, a raw-data section and a record card, whose fields follow its columns, so that ids come
out as in Grist.
"""
from __future__ import annotations

import json
import re
from typing import Any

from demo.grist import names
from demo.grist.actions import RowActions, Values
from demo.grist.bundle import Bundle
from demo.grist.cells import convert
from demo.grist.recalc import Recalculator
from demo.grist.schema import is_visible, target_table
from demo.grist.tables import DocAction, SandboxError, Tables

SCHEMA_KEYS = ("type", "isFormula", "formula")
COLUMN_KEYS = ("type", "label", "formula", "isFormula", "widgetOptions", "description", "untieColIdFromLabel",
               "visibleCol", "displayCol", "recalcWhen", "recalcDeps", "rules", "reverseCol")
Info = dict[str, Any]


class UserActions(RowActions):
    """All user actions that the stand-in knows, within one bundle. `run(action)` carries one out."""

    def __init__(self, tables: Tables, bundle: Bundle, recalc: Recalculator) -> None:
        super().__init__(tables, bundle, recalc)
        self.verbs.update({
            "AddTable": self._add_table, "AddEmptyTable": self._add_empty_table, "AddRawTable": self._add_raw_table,
            "RemoveTable": self._remove_table, "RenameTable": self._rename_table,
            "AddColumn": self._add_column, "AddVisibleColumn": self._add_visible_column,
            "AddHiddenColumn": self._add_hidden_column, "RemoveColumn": self._remove_column,
            "RenameColumn": self._rename_column, "ModifyColumn": self._modify_column,
            "SetDisplayFormula": self._set_display_formula, "AddView": self._add_view,
            "RemoveView": lambda view: self.remove_records("_grist_Views", [view]),
        })

    def run(self, action: DocAction) -> Any:
        """Carry out one user action; returns its `retValues` entry. Raises SandboxError."""
        verb, *args = action
        self._recalc.next_action()
        try:
            return self.verbs[verb](*args)
        except TypeError as error:
            if "positional argument" in str(error):
                raise SandboxError("TypeError", f"{verb}: {error}") from error
            raise

    # Rows of the metadata tables: a change there changes the document itself.

    def update_records(self, table_id: str, rows: list[int], values: Values) -> None:
        if table_id == "_grist_Tables_column":
            self._update_columns(rows, values)
        elif table_id == "_grist_Tables":
            self._update_tables(rows, values)
        else:
            if table_id == "_grist_Views_section_field":
                self._refuse_record_cards(rows)
            super().update_records(table_id, rows, values)

    def _refuse_record_cards(self, rows: list[int]) -> None:
        tables = self._tables["_grist_Tables"]
        cards = {tables.column("recordCardViewSectionRef").get(ref) for ref in tables.row_ids}
        if any(self._value("_grist_Views_section_field", "parentId", row) in cards for row in rows):
            raise SandboxError("ValueError", "Cannot modify record card view section fields")

    def remove_records(self, table_id: str, rows: list[int]) -> None:
        if table_id == "_grist_Tables_column":
            self._remove_columns(rows)
        elif table_id == "_grist_Tables":
            self._remove_tables(rows)
        elif table_id == "_grist_Views":
            self._remove_views(rows)
        elif table_id == "_grist_Views_section":
            self._remove_sections(rows)
        else:
            super().remove_records(table_id, rows)

    # Tables

    def _add_empty_table(self, table_id: str | None = None) -> Info:
        return self._add_table(table_id, [{"id": None, "isFormula": True} for _ in range(3)])

    def _add_raw_table(self, table_id: str | None = None) -> Info:
        return self._add_table(table_id, [{"id": None, "isFormula": True} for _ in range(3)], page=False)

    def _add_table(self, wanted: str | None, columns: list[Info], page: bool = True) -> Info:
        table_id = names.table_id(wanted, self._tables)
        title = wanted or table_id
        infos = [{"id": "manualSort", "type": "ManualSortPos", "isFormula": False, "formula": ""},
                 *({"isFormula": bool(info.get("formula")), **info} for info in columns)]
        ids = names.column_ids(info["id"] for info in infos)
        schema = [{"id": col_id, **_schema_info(info)} for col_id, info in zip(ids, infos, strict=True)]
        self.do(["AddTable", table_id, schema])
        ref = self._insert("_grist_Tables", [None], {"tableId": [table_id], "primaryViewId": [0]})[0]
        self._insert("_grist_Tables_column", [None] * len(ids), {
            "parentId": [ref] * len(ids), "parentPos": [None] * len(ids), "colId": ids,
            **{key: [info[key] for info in schema] for key in SCHEMA_KEYS},
            "label": [info.get("label", col_id) for info, col_id in zip(infos, ids, strict=True)],
            "widgetOptions": [info.get("widgetOptions", "") for info in infos],
        })
        result: Info = {"id": ref, "table_id": table_id, "columns": ids[1:]}
        view = self._add_view(table_id, "raw_data", title) if page else None
        if view:
            result["views"] = [view]
        section_title = "" if title == table_id else title
        raw = self._add_section(ref, "record", {"title": section_title})
        card = self._add_section(ref, "single", {"title": ""}, with_fields=False)
        self._update("_grist_Tables", [ref], {"recordCardViewSectionRef": [card]})
        self._add_fields(card, ref)
        self._update("_grist_Tables", [ref], {"primaryViewId": [view["id"] if view else 0],
                                              "rawViewSectionRef": [raw]})
        return result

    def _remove_table(self, table_id: str) -> None:
        self.remove_records("_grist_Tables", [self._table_ref(table_id)])

    def _remove_tables(self, refs: list[int]) -> None:
        metadata = self._tables["_grist_Tables"]
        ids = [metadata.column("tableId").get(ref) for ref in refs]
        for table_id in ids:
            self._keep_row_ids_of_references(table_id)
        sections = [row for row in self._tables["_grist_Views_section"].row_ids
                    if self._value("_grist_Views_section", "tableRef", row) in refs]
        self._remove_sections(sections)
        shown = {self._value("_grist_Views_section", "parentId", row)
                 for row in self._tables["_grist_Views_section"].rows}
        empty = [row for row in self._tables["_grist_Views"].row_ids if row not in shown]
        if empty:
            self._remove_views(empty)
        self._remove("_grist_Tables_column", [row for ref in refs for row in self._column_refs(ref)])
        self._remove("_grist_Tables", refs)
        for table_id in ids:
            self.do(["RemoveTable", table_id])

    def _keep_row_ids_of_references(self, table_id: str) -> None:
        """Columns that referred to a table that goes become plain numbers or text."""
        for other in [name for name in self._tables if name != table_id and not name.startswith("_grist_")]:
            table = self._tables[other]
            for col_id, column in list(table.columns.items()):
                if target_table(column.type) != table_id:
                    continue
                if column.is_formula:
                    self._modify_column(other, col_id, {"type": "Any"})
                elif column.type.startswith("RefList:"):
                    joined = [",".join(map(str, (cell or ["L"])[1:])) for cell in table.values(col_id)]
                    rows = list(table.row_ids)
                    self._modify_column(other, col_id, {"type": "Text"})
                    self._update(other, rows, {col_id: joined})
                else:
                    self._modify_column(other, col_id, {"type": "Int"})

    def _rename_table(self, old: str, new: str) -> str:
        ref = self._table_ref(old)
        self.update_records("_grist_Tables", [ref], {"tableId": [new]})
        return str(self._value("_grist_Tables", "tableId", ref))

    def _update_tables(self, refs: list[int], values: Values) -> None:
        values = {col_id: list(cells) for col_id, cells in values.items()}
        renamed: dict[str, str] = {}
        for index, ref in enumerate(refs):
            if ref not in self._tables["_grist_Tables"].rows or "tableId" not in values:
                continue
            old = self._value("_grist_Tables", "tableId", ref)
            new = names.table_id(values["tableId"][index], [name for name in self._tables if name != old])
            values["tableId"][index] = new
            if new != old:
                renamed[old] = new
                self.do(["RenameTable", old, new])
        super().update_records("_grist_Tables", refs, values)
        for old, new in renamed.items():
            self._retarget_references(old, new)
            self._rename_in_rules(old, new)

    def _retarget_references(self, old: str, new: str) -> None:
        for ref in list(self._tables["_grist_Tables_column"].row_ids):
            col_type = self._value("_grist_Tables_column", "type", ref)
            if target_table(col_type) == old:
                changed = f"{col_type.split(':')[0]}:{new}"
                self.do(["ModifyColumn", self._table_of(ref), self._value("_grist_Tables_column", "colId", ref),
                         {"type": changed}])
                self._update("_grist_Tables_column", [ref], {"type": [changed]})

    def _rename_in_rules(self, old: str, new: str) -> None:
        resources = self._tables["_grist_ACLResources"]
        rows = [row for row in resources.row_ids if resources.column("tableId").get(row) == old]
        self._update("_grist_ACLResources", rows, {"tableId": [new] * len(rows)})

    # Columns

    def _add_hidden_column(self, table_id: str, wanted: str | None, info: Info) -> Info:
        ref = self._table_ref(table_id)
        col_id = names.column_id(wanted, self._column_ids(ref))
        schema = _schema_info({"isFormula": True, **info})
        self.do(["AddColumn", table_id, col_id, schema])
        extra = {key: [info[key]] for key in ("rules", "recalcWhen", "recalcDeps", "visibleCol", "description",
                                              "untieColIdFromLabel") if info.get(key)}
        col_ref = self._insert("_grist_Tables_column", [None], {
            "parentId": [ref], "parentPos": [info.get("_position")], "colId": [col_id],
            **{key: [schema[key]] for key in SCHEMA_KEYS}, "label": [info.get("label", col_id)],
            "widgetOptions": [info.get("widgetOptions", "")], **extra})[0]
        return {"colRef": col_ref, "colId": col_id}

    def _add_column(self, table_id: str, wanted: str | None, info: Info) -> Info:
        added = self._add_hidden_column(table_id, wanted, info)
        ref = self._table_ref(table_id)
        for section_key in ("rawViewSectionRef", "recordCardViewSectionRef"):
            section = self._value("_grist_Tables", section_key, ref)
            if section:
                self._add_field(section, added["colRef"], info.get("_position"))
        return added

    def _add_visible_column(self, table_id: str, wanted: str | None, info: Info) -> Info:
        added = self._add_column(table_id, wanted, info)
        ref = self._table_ref(table_id)
        raw = self._value("_grist_Tables", "rawViewSectionRef", ref)
        for section in list(self._tables["_grist_Views_section"].row_ids):
            if (self._value("_grist_Views_section", "tableRef", section) == ref and section != raw
                    and self._value("_grist_Views_section", "parentKey", section) == "record"):
                self._add_field(section, added["colRef"], info.get("_position"))
        return added

    def _remove_column(self, table_id: str, col_id: str) -> None:
        self.remove_records("_grist_Tables_column", [self._column_ref(table_id, col_id)])

    def _remove_columns(self, refs: list[int]) -> None:
        refs = [ref for ref in refs if ref in self._tables["_grist_Tables_column"].rows]
        gone = [["RemoveColumn", self._table_of(ref), self._value("_grist_Tables_column", "colId", ref)]
                for ref in refs]
        fields = [row for ref in refs for row in self._tables["_grist_Views_section_field"].row_ids
                  if self._value("_grist_Views_section_field", "colRef", row) == ref]
        self._remove("_grist_Views_section_field", fields)
        self._remove("_grist_Tables_column", refs)
        for action in gone:
            table = self._tables[action[1]]
            column = table.column(action[2])
            if column.is_formula:
                for row in table.row_ids:
                    if column.get(row) != column.default:
                        self._bundle.note_result(action[1], action[2], row, column.get(row), column.default)
            self.do(action)

    def _rename_column(self, table_id: str, old: str, new: str) -> str:
        ref = self._column_ref(table_id, old)
        self.update_records("_grist_Tables_column", [ref], {"colId": [new]})
        return str(self._value("_grist_Tables_column", "colId", ref))

    def _modify_column(self, table_id: str, col_id: str, info: Info) -> None:
        ref = self._column_ref(table_id, col_id)
        changes = {key: [info[key]] for key in COLUMN_KEYS if key in info}
        if "_position" in info:
            changes["parentPos"] = [info["_position"]]
        self.update_records("_grist_Tables_column", [ref], changes)

    def _make_data_column(self, table_id: str, col_id: str, change: Info) -> None:
        if "type" in change:
            self._modify_column(table_id, col_id, {"type": change["type"]})
        self._modify_column(table_id, col_id, {"isFormula": False})

    def _update_columns(self, refs: list[int], values: Values) -> None:
        columns = self._tables["_grist_Tables_column"]
        changes: dict[int, Info] = {}
        taken: list[str] = []
        for index, ref in enumerate(refs):
            if ref not in columns.rows:
                raise SandboxError("AssertionError",
                                   f"docactions.[Bulk]UpdateRecord for non-existent record #{ref}")
            change = self._adjusted({key: cells[index] for key, cells in values.items()}, ref, taken)
            changes[ref] = change
        renames = {(self._table_of(ref), columns.column("colId").get(ref)): change["colId"]
                   for ref, change in changes.items()
                   if "colId" in change and change["colId"] != columns.column("colId").get(ref)}
        for ref, formula in self._formulas_after(renames):
            changes.setdefault(ref, {}).setdefault("formula", formula)
        for ref, change in changes.items():
            table_id, col_id = self._table_of(ref), columns.column("colId").get(ref)
            schema = {key: change[key] for key in SCHEMA_KEYS if key in change}
            if schema:
                self._change_column(table_id, col_id, schema)
            if "colId" in change and change["colId"] != col_id:
                self.do(["RenameColumn", table_id, col_id, change["colId"]])
        keys = dict.fromkeys(key for change in changes.values() for key in change)
        self._update("_grist_Tables_column", list(changes), {
            key: [change.get(key, columns.column(key).get(ref)) for ref, change in changes.items()] for key in keys})

    def _adjusted(self, change: Info, ref: int, taken: list[str]) -> Info:
        """A change of a column with what follows from it: a new label is a new id, a new type drops its display."""
        old = {key: self._value("_grist_Tables_column", key, ref)
               for key in ("colId", "label", "type", "isFormula", "untieColIdFromLabel", "parentId")}
        for key in change:
            self._tables["_grist_Tables_column"].column(key)
        if "label" in change and not change.get("untieColIdFromLabel", old["untieColIdFromLabel"]):
            change.setdefault("colId", change["label"])
        if change.get("untieColIdFromLabel") is False:
            change.setdefault("colId", change.get("label", old["label"]))
        if "colId" in change and change["colId"] != old["colId"]:
            others = [name for name in self._column_ids(old["parentId"]) if name != old["colId"]]
            change["colId"] = names.column_id(change["colId"], [*others, *taken])
            taken.append(change["colId"])
        if old["isFormula"] and change.get("isFormula") is False and old["type"] == "Any" and "type" not in change:
            table = self._tables[self._table_of(ref)]
            filled = [cell for cell in table.values(old["colId"]) if cell not in ("", None)]
            numbers = sum(isinstance(cell, (int, float)) and not isinstance(cell, bool) for cell in filled)
            change["type"] = "Numeric" if filled and numbers >= 0.9 * len(filled) else "Text"
        if "type" in change and not _same_target(change["type"], old["type"]):
            change.setdefault("displayCol", 0)
            change.setdefault("visibleCol", 0)
        return change

    def _change_column(self, table_id: str, col_id: str, schema: Info) -> None:
        """Change type or formula, converting what the column holds."""
        table = self._tables[table_id]
        column = table.column(col_id)
        before = column.info()
        schema = {key: value for key, value in schema.items() if before.get(key) != value}
        if not schema:
            return
        if column.is_formula and schema.get("isFormula") is False:
            self._recalc.run(self._bundle)
        old = {row: column.get(row) for row in table.row_ids}
        self.do(["ModifyColumn", table_id, col_id, schema])
        for row, cell in old.items():
            converted = convert(cell, column.type)
            column.set(row, converted)
            if converted != cell or type(converted) is not type(cell):
                self._bundle.note_result(table_id, col_id, row, cell, converted)
        if not column.is_formula:
            # On undo the type must come back before the values, so the ModifyColumn goes last in the list.
            modified = self._bundle.undo.pop()
            self._bundle.settle(table_id, col_id)
            self._bundle.undo.append(modified)

    def _formulas_after(self, renames: dict[tuple[str, str], str]) -> list[tuple[int, str]]:
        """The formulas that name a renamed column, with its new name."""
        found = []
        for ref in self._tables["_grist_Tables_column"].row_ids if renames else []:
            text = formula = self._value("_grist_Tables_column", "formula", ref) or ""
            table_id = self._table_of(ref)
            for (renamed_table, old), new in renames.items():
                if table_id == renamed_table:
                    text = re.sub(rf"(?<=\$){re.escape(old)}\b|(?<=\brec\.){re.escape(old)}\b", new, text)
                for name, column in self._tables[table_id].columns.items() if text else ():
                    if target_table(column.type) == renamed_table:
                        text = re.sub(rf"(?<=\${re.escape(name)}\.){re.escape(old)}\b", new, text)
            if text != formula:
                found.append((ref, text))
        return found

    def _set_display_formula(self, table_id: str, field: int | None, col: int | str | None, formula: str) -> None:
        """Give a reference column (or one field of it) a helper column that shows, for example, `$Product.Title`."""
        ref = self._table_ref(table_id)
        helper = 0
        if formula:
            helper = next((row for row in self._column_refs(ref)
                           if self._value("_grist_Tables_column", "formula", row) == formula
                           and self._value("_grist_Tables_column", "colId", row).startswith("gristHelper_Display")), 0)
            helper = helper or self._add_hidden_column(table_id, "gristHelper_Display", {
                "type": "Any", "formula": formula, "isFormula": True})["colRef"]
        if field:
            self._update("_grist_Views_section_field", [field], {"displayCol": [helper]})
        if col:
            col_ref = self._column_ref(table_id, col) if isinstance(col, str) else col
            self._update("_grist_Tables_column", [col_ref], {"displayCol": [helper]})

    # Pages and their sections

    def _add_view(self, table_id: str, kind: str, name: str) -> Info:
        view = self._insert("_grist_Views", [None], {"name": [name], "type": [kind]})[0]
        tabs = self._tables["_grist_TabBar"]
        last = max((tabs.column("tabPos").get(row) for row in tabs.rows), default=-1)
        self._insert("_grist_TabBar", [None], {"viewRef": [view], "tabPos": [last + 1]})
        self._insert("_grist_Pages", [None], {"viewRef": [view], "indentation": [0], "pagePos": [None]})
        sections = []
        if kind == "raw_data":
            sections.append(self._add_section(self._table_ref(table_id), "record",
                                              {"parentId": view, "title": "", "sortColRefs": "[]"}))
        return {"id": view, "sections": sections}

    def _add_section(self, table_ref: int, kind: str, extra: Info, with_fields: bool = True) -> int:
        section = self._insert("_grist_Views_section", [None], {
            "tableRef": [table_ref], "parentKey": [kind], "borderWidth": [1], "defaultWidth": [100],
            **{key: [value] for key, value in extra.items()}})[0]
        if with_fields:
            self._add_fields(section, table_ref)
        return section

    def _add_fields(self, section: int, table_ref: int) -> None:
        shown = [row for row in self._column_refs(table_ref)
                 if is_visible(self._value("_grist_Tables_column", "colId", row))]
        shown.sort(key=lambda row: self._value("_grist_Tables_column", "parentPos", row))
        if shown:
            self._insert("_grist_Views_section_field", [None] * len(shown),
                         {"parentId": [section] * len(shown), "colRef": shown})

    def _add_field(self, section: int, col_ref: int, position: float | None) -> None:
        self._insert("_grist_Views_section_field", [None],
                     {"parentId": [section], "colRef": [col_ref], "parentPos": [position]})

    def _remove_sections(self, sections: list[int]) -> None:
        fields = [row for row in self._tables["_grist_Views_section_field"].row_ids
                  if self._value("_grist_Views_section_field", "parentId", row) in sections]
        self._remove("_grist_Views_section_field", fields)
        self._remove("_grist_Views_section", sections)

    def _remove_views(self, views: list[int]) -> None:
        for table_id in ("_grist_TabBar", "_grist_Views_section", "_grist_Pages"):
            key = "parentId" if table_id == "_grist_Views_section" else "viewRef"
            rows = [row for row in self._tables[table_id].row_ids if self._value(table_id, key, row) in views]
            if rows:
                self.remove_records(table_id, rows)
        self._remove("_grist_Views", views)

    # Looking things up

    def _value(self, table_id: str, col_id: str, row: int) -> Any:
        return self._tables[table_id].column(col_id).get(row)

    def _table_ref(self, table_id: str) -> int:
        self._tables[table_id]
        metadata = self._tables["_grist_Tables"]
        for ref in metadata.row_ids:
            if metadata.column("tableId").get(ref) == table_id:
                return ref
        raise SandboxError("ValueError", f"No such table: {table_id}")

    def _column_ref(self, table_id: str, col_id: str) -> int:
        for ref in self._column_refs(self._table_ref(table_id)):
            if self._value("_grist_Tables_column", "colId", ref) == col_id:
                return ref
        raise SandboxError("ValueError", f"No such column: {table_id}.{col_id}")

    def _column_refs(self, table_ref: int) -> list[int]:
        columns = self._tables["_grist_Tables_column"]
        parent = columns.column("parentId")
        return [row for row in columns.row_ids if parent.get(row) == table_ref]

    def _column_ids(self, table_ref: int) -> list[str]:
        return [self._value("_grist_Tables_column", "colId", row) for row in self._column_refs(table_ref)]

    def _table_of(self, col_ref: int) -> str:
        parent = self._value("_grist_Tables_column", "parentId", col_ref)
        return str(self._value("_grist_Tables", "tableId", parent))

    def _recalc_when(self, table_id: str, col_id: str) -> int:
        ref = self._column_ref(table_id, col_id)
        return int(self._value("_grist_Tables_column", "recalcWhen", ref) or 0)


def _schema_info(info: Info) -> Info:
    is_formula = bool(info.get("isFormula", True))
    return {"type": info.get("type") or ("Any" if is_formula else "Text"), "isFormula": is_formula,
            "formula": info.get("formula") or ""}


def _same_target(one: str, other: str) -> bool:
    return target_table(one) is not None and target_table(one) == target_table(other)


def widget_options(text: str | None) -> Info:
    """A column's widgetOptions as a dict; empty where there are none or they are broken."""
    try:
        parsed = json.loads(text or "{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}

"""The tables in which a Grist document describes itself, and the default of each column type.

Everything about tables, columns, pages and rules is itself kept in rows of `_grist_…` tables, so that it has ids,
history and undo like any other row. Only the tables that our product can see are here.
"""
from __future__ import annotations

from functools import lru_cache
from typing import Any

TYPE_DEFAULTS: dict[str, Any] = {
    "Text": "", "Choice": "", "Numeric": 0, "Int": 0, "Bool": False, "Ref": 0, "Id": 0,
}

METADATA: dict[str, dict[str, str]] = {
    "_grist_DocInfo": {"schemaVersion": "Int", "timezone": "Text", "documentSettings": "Text"},
    "_grist_Tables": {
        "tableId": "Text", "primaryViewId": "Ref:_grist_Views", "summarySourceTable": "Ref:_grist_Tables",
        "onDemand": "Bool", "rawViewSectionRef": "Ref:_grist_Views_section",
        "recordCardViewSectionRef": "Ref:_grist_Views_section",
    },
    "_grist_Tables_column": {
        "parentId": "Ref:_grist_Tables", "parentPos": "PositionNumber", "colId": "Text", "type": "Text",
        "widgetOptions": "Text", "isFormula": "Bool", "formula": "Text", "label": "Text", "description": "Text",
        "untieColIdFromLabel": "Bool", "summarySourceCol": "Ref:_grist_Tables_column",
        "displayCol": "Ref:_grist_Tables_column", "visibleCol": "Ref:_grist_Tables_column",
        "rules": "RefList:_grist_Tables_column", "reverseCol": "Ref:_grist_Tables_column", "recalcWhen": "Int",
        "recalcDeps": "RefList:_grist_Tables_column",
    },
    "_grist_TabBar": {"viewRef": "Ref:_grist_Views", "tabPos": "PositionNumber"},
    "_grist_Pages": {"viewRef": "Ref:_grist_Views", "indentation": "Int", "pagePos": "PositionNumber",
                     "options": "Text"},
    "_grist_Views": {"name": "Text", "type": "Text", "layoutSpec": "Text"},
    "_grist_Views_section": {
        "tableRef": "Ref:_grist_Tables", "parentId": "Ref:_grist_Views", "parentKey": "Text", "title": "Text",
        "description": "Text", "defaultWidth": "Int", "borderWidth": "Int", "theme": "Text", "options": "Text",
        "layoutSpec": "Text", "sortColRefs": "Text", "linkSrcSectionRef": "Ref:_grist_Views_section",
        "linkSrcColRef": "Ref:_grist_Tables_column", "linkTargetColRef": "Ref:_grist_Tables_column",
        "rules": "RefList:_grist_Tables_column",
    },
    "_grist_Views_section_field": {
        "parentId": "Ref:_grist_Views_section", "parentPos": "PositionNumber", "colRef": "Ref:_grist_Tables_column",
        "width": "Int", "widgetOptions": "Text", "displayCol": "Ref:_grist_Tables_column",
        "visibleCol": "Ref:_grist_Tables_column", "rules": "RefList:_grist_Tables_column",
    },
    "_grist_Triggers": {
        "tableRef": "Ref:_grist_Tables", "eventTypes": "ChoiceList", "isReadyColRef": "Ref:_grist_Tables_column",
        "actions": "Text", "label": "Text", "memo": "Text", "enabled": "Bool",
        "watchedColRefList": "RefList:_grist_Tables_column", "options": "Text",
    },
    "_grist_ACLRules": {
        "resource": "Ref:_grist_ACLResources", "permissions": "Int", "principals": "Text", "aclFormula": "Text",
        "aclFormulaParsed": "Text", "permissionsText": "Text", "rulePos": "PositionNumber",
        "userAttributes": "Text", "memo": "Text",
    },
    "_grist_ACLResources": {"tableId": "Text", "colIds": "Text"},
}

# Rows that every document has from its first moment; the rule and its resource are relics that mean nothing.
FIRST_ROWS: dict[str, dict[str, Any]] = {
    "_grist_DocInfo": {"schemaVersion": 46, "timezone": "UTC", "documentSettings": '{"locale":"en-US"}'},
    "_grist_ACLResources": {"tableId": "", "colIds": ""},
    "_grist_ACLRules": {"resource": 1, "permissions": 63, "principals": "[1]"},
}

POSITIONS = ("PositionNumber", "ManualSortPos")


def is_metadata(table_id: str) -> bool:
    return table_id.startswith("_grist_")


@lru_cache(maxsize=4096)
def pure_type(col_type: str) -> str:
    """`Ref:Products` → `Ref`."""
    return col_type.split(":", 1)[0]


@lru_cache(maxsize=4096)
def target_table(col_type: str) -> str | None:
    """The table that a reference column points to, None for other types."""
    pure, _, target = col_type.partition(":")
    return target if pure in ("Ref", "RefList") and target else None


def default_of(col_type: str) -> Any:
    return TYPE_DEFAULTS.get(pure_type(col_type))


def is_visible(col_id: str) -> bool:
    """False for the columns that Grist keeps for itself: row order and helpers."""
    return col_id not in ("id", "manualSort") and not col_id.startswith(("#", "gristHelper_"))

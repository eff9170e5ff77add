"""Tables and columns of a document as our own types, and which column can hold which kind of value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from backend.core.model import Field
from backend.core.values import REFERENCES, Kind

ID_COLUMN = "Shopify_ID"
ID_LABEL = "Shopify ID"

FITTING: dict[Kind, tuple[str, ...]] = {
    "text": ("Text", "Choice"),
    "html": ("Text",),
    "choice": ("Choice", "Text"),
    "integer": ("Int", "Numeric"),
    "decimal": ("Numeric",),
    "money": ("Numeric",),
    "boolean": ("Bool",),
    "date": ("Date",),
    "datetime": ("DateTime",),
    "list": ("ChoiceList",),
    "ref": ("Ref",),
    "refs": ("RefList",),
}
"""Types of data columns by kind; the first is what we make."""
FEEDING: dict[Kind, tuple[str, ...]] = {kind: ("Any", *types) for kind, types in FITTING.items()} | {
    "text": ("Any", "Text", "Choice", "Int", "Numeric", "Date", "DateTime"),
    "html": ("Any", "Text", "Choice"),
    "decimal": ("Any", "Numeric", "Int"),
    "money": ("Any", "Numeric", "Int"),
}
"""Types of formula columns that can be read as a kind; nothing is ever written to them."""

_HOLDS = {
    "Text": "text", "Numeric": "numbers", "Int": "whole numbers", "Bool": "yes or no", "Date": "dates",
    "DateTime": "dates with a time", "Choice": "one choice", "ChoiceList": "a list of choices", "Ref": "references",
    "RefList": "lists of references", "Attachments": "files", "Any": "anything",
}
_IS_A: dict[Kind, str] = {
    "text": "text", "html": "text with markup", "choice": "one of a few words", "integer": "a whole number",
    "decimal": "a number", "money": "a number", "boolean": "yes or no", "date": "a date",
    "datetime": "a date with a time", "list": "a list of words", "ref": "a reference to another row",
    "refs": "a list of references",
}
_NAMES = {"ChoiceList": "Choice List", "Bool": "Toggle", "Int": "Integer", "Ref": "Reference",
          "RefList": "Reference List"}
"""What Grist's own menus call a type, where that differs."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column as Grist describes it. `ref` stays the same over a rename; `id` does not."""

    ref: int
    id: str
    label: str
    type: str
    is_formula: bool = False
    formula: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def pure(self) -> str:
        return self.type.partition(":")[0]

    @property
    def target(self) -> str:
        return self.type.partition(":")[2]

    @property
    def computed(self) -> bool:
        """A formula column: never written. A trigger formula makes ordinary data."""
        return self.is_formula and bool(self.formula.strip())

    @property
    def blank(self) -> bool:
        """New and not data yet: Grist decides its type at the first value that a person types."""
        return self.is_formula and not self.formula.strip()


@dataclass(frozen=True, slots=True)
class Table:
    ref: int
    id: str
    is_summary: bool


def parse_tables(answer: Iterable[dict[str, Any]]) -> list[Table]:
    return [
        Table(t["fields"]["tableRef"], t["id"], bool(t["fields"].get("summarySourceTable"))) for t in answer
    ]


def parse_columns(answer: Iterable[dict[str, Any]]) -> list[Column]:
    return [
        Column(
            ref=c["fields"]["colRef"],
            id=c["id"],
            label=c["fields"].get("label") or c["id"],
            type=c["fields"].get("type") or "Any",
            is_formula=bool(c["fields"].get("isFormula")),
            formula=c["fields"].get("formula") or "",
            options=parse_options(c["fields"].get("widgetOptions")),
        )
        for c in answer
    ]


def fits(column: Column, kind: Kind, target: str = "") -> bool:
    """Whether values of `kind` can live in the column; `target` is the table that references point to."""
    types = FEEDING[kind] if column.computed else FITTING[kind]
    if column.pure not in types:
        return False
    return kind not in REFERENCES or column.pure == "Any" or column.target == target


def misfit(column: Column, table: str, wanted: Field, target: str = "") -> tuple[str, str]:
    """What is wrong with a column that does not fit, and the cure."""
    name = spoken(wanted.label)
    holds = _HOLDS.get(column.pure, f"values of type {column.pure}")
    if column.pure in ("Ref", "RefList") and column.target:
        holds = f"{_HOLDS[column.pure]} to table {column.target!r}"
    is_a = _IS_A[wanted.kind]
    if wanted.kind in REFERENCES:
        is_a = f"a reference to a row of table {target!r}" if wanted.kind == "ref" else f"{is_a} to table {target!r}"
    type_name = _NAMES.get(FITTING[wanted.kind][0], FITTING[wanted.kind][0])
    if wanted.kind in REFERENCES:
        type_name = f"{type_name} to {target}"
    return (
        f"Column {column.id!r} in table {table!r} holds {holds}, but a Shopify {name} is {is_a}.",
        f"Set the column's type to {type_name}, or map {wanted.name} to another column.",
    )


def new_column(
    wanted: Field, name: str, *, target: str = "", time_zone: str = "UTC", currency: str | None = None
) -> dict[str, Any]:
    """What `AddTable` and `AddColumn` take for a field: `{"id", "type", "label", "isFormula", "widgetOptions"}`."""
    kind = wanted.kind
    column_type = FITTING[kind][0]
    if kind in REFERENCES:
        column_type = f"{column_type}:{target}"
    elif kind == "datetime":
        column_type = f"DateTime:{time_zone}"
    label = wanted.label if name.isidentifier() else name
    return {
        "id": name, "type": column_type, "label": label, "isFormula": False,
        "widgetOptions": orjson.dumps(_widget_options(wanted, currency)).decode(),
    }


_WIDTHS: dict[Kind, int] = {
    "html": 260, "choice": 110, "integer": 90, "decimal": 90, "money": 100, "boolean": 80, "date": 110,
    "datetime": 150, "list": 180, "ref": 200, "refs": 200,
}


def width(wanted: Field, *, title: bool) -> int:
    """Pixels for a new column of a field; `title` where it is what a person knows the row by. 0 is Grist's own."""
    return 240 if title else _WIDTHS.get(wanted.kind, 0)


def id_column() -> dict[str, Any]:
    return {"id": ID_COLUMN, "type": "Text", "label": ID_LABEL, "isFormula": False}


def toggle_column(name: str) -> dict[str, Any]:
    """The column of `only_where`: a row takes part while it is ticked."""
    return {"id": name, "type": "Bool", "label": name.replace("_", " "), "isFormula": False,
            "widgetOptions": orjson.dumps({"widget": "Switch"}).decode()}


def spoken(label: str) -> str:
    """A label within a sentence: `Compare at` → `compare at`, `SKU` stays."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def _widget_options(wanted: Field, currency: str | None) -> dict[str, Any]:
    if wanted.kind == "money":
        return {"numMode": "currency", "currency": currency} if currency else {"numMode": "decimal", "decimals": 2}
    if wanted.kind == "boolean":
        return {"widget": "CheckBox"}
    if wanted.kind == "choice":
        return {"choices": list(wanted.choices)}
    if wanted.kind == "datetime":
        return {"dateFormat": "YYYY-MM-DD", "timeFormat": "HH:mm", "isCustomDateFormat": False}
    if wanted.kind == "html":
        return {"wrap": False}
    return {}


def parse_options(text: Any) -> dict[str, Any]:
    """The parsed `widgetOptions`; an odd text (an old document) is no options."""
    if not text:
        return {}
    try:
        options = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return options if isinstance(options, dict) else {}

"""Stored values as the widget shows them, with the names of the things that references point to.

    text html choice → string       integer → number          decimal money → string     boolean → true, false
    date datetime → string          list → array of strings   ref → {"title": …}         empty → null
    refs → array of the names
    text that does not fit → {"unfit": …}

Names are looked up for a whole page at once: `learn` first, then `value`.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from backend.config import mapping_of
from backend.core.model import Field, Mapping, Resource
from backend.core.values import REFERENCES
from backend.store import links, waiting
from backend.store.links import StoredMapping

SIDES = {"local": "grist", "remote": "shopify"}
CELLS_NAMED = 4
LONGEST_WORD = 60

Cell = tuple[int, str, Any]
"""Mapping id, field name ("" for a whole row: values by field) and the stored value."""


@dataclass
class Tables:
    """The active mappings of one link, in order of reference, and the names of things in them.

    `described` and `stored` are by mapping id.
    """

    link_id: int
    described: dict[int, Mapping]
    stored: dict[int, StoredMapping]
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    rows: dict[tuple[int, str], int] = field(default_factory=dict)
    """By mapping id and thing."""
    skus: dict[tuple[int, str], str] = field(default_factory=dict)

    @property
    def ids(self) -> list[int]:
        return list(self.described)

    def head(self, mapping_id: int) -> dict[str, Any]:
        """Which table: resource, its label, and what the table is called in Grist now."""
        mapping, stored = self.described[mapping_id], self.stored[mapping_id]
        return {"resource": mapping.name, "label": mapping.resource.label,
                "table": stored.binding.get("table") or mapping.table}

    def describe(self, mapping_id: int, name: str) -> dict[str, Any]:
        """Which field: its name, label and type; a whole row has no label."""
        described = self._field(mapping_id, name)
        if described is None:
            return {"field": name, "field_label": name or None, "type": "text"}
        return {"field": name, "field_label": described.label, "type": described.kind}

    def mapping_id(self, resource: str) -> int | None:
        """Under which number a resource is mapped; None where it is not."""
        return next((one for one, mapping in self.described.items() if mapping.name == resource), None)

    def learn(self, tx: sa.Connection, cells: Iterable[Cell] = (), things: Iterable[tuple[int, str]] = ()) -> None:
        """Look up what references in `cells` point to, and rows and SKUs of `things` (mapping id, Shopify id)."""
        by_mapping: dict[int, set[str]] = {}
        by_name = {mapping.name: mapping_id for mapping_id, mapping in self.described.items()}
        for resource, thing in self._references(cells):
            if resource in by_name:
                by_mapping.setdefault(by_name[resource], set()).add(thing)
        for mapping_id, thing in things:
            by_mapping.setdefault(mapping_id, set()).add(thing)
        for mapping_id, wanted in by_mapping.items():
            if mapping_id not in self.described:
                continue
            told = self.described[mapping_id].resource
            for thing, (row, values) in waiting.known_things(tx, mapping_id, sorted(wanted)).items():
                self.rows[mapping_id, thing] = row
                if isinstance(values.get(told.title), str):
                    self.names[told.name, thing] = values[told.title]
                if isinstance(values.get("sku"), str):
                    self.skus[mapping_id, thing] = values["sku"]

    def value(self, mapping_id: int, name: str, raw: Any) -> Any:
        """A stored value of one field as VALUE; of a whole row a line of words."""
        if not name:
            return self._line(mapping_id, raw) if isinstance(raw, dict) else raw
        described = self._field(mapping_id, name)
        return raw if described is None else self._shown(described, raw)

    def edits(self, mapping_id: int, edits: Iterable[Dict[str, Any]]) -> str | None:
        """What somebody edited in a row that is gone on the other side: "Price 18.00, Vendor Hatworks"."""
        return ", ".join(self._words(mapping_id, one["field"], one["after"]) for one in edits) or None

    def _field(self, mapping_id: int, name: str) -> Field | None:
        mapping = self.described.get(mapping_id)
        return mapping.resource.field(name) if mapping and name else None

    def _references(self, cells: Iterable[Cell]) -> Iterable[tuple[str, str]]:
        for mapping_id, name, raw in cells:
            parts = raw.items() if not name and isinstance(raw, dict) else [(name, raw)]
            for one, value in parts:
                described = self._field(mapping_id, one)
                if described is not None and described.kind in REFERENCES:
                    for thing in value if isinstance(value, list) else [value]:
                        if isinstance(thing, str):
                            yield described.target, thing

    def _shown(self, described: Field, raw: Any) -> Any:
        if isinstance(raw, dict):
            return {"title": f"row {raw['row']}"} if "row" in raw else raw
        if raw is None:
            return None
        if described.kind == "ref":
            return {"title": self._name(described.target, raw)}
        if described.kind == "refs":
            return [self._name(described.target, one) for one in raw]
        return format(Decimal(raw), "f") if described.kind in ("decimal", "money") else raw

    def _name(self, target: str, one: Any) -> str:
        if isinstance(one, dict):
            return f"row {one['row']}"
        return self.names.get((target, str(one))) or str(one).rsplit("/", 1)[-1]

    def _line(self, mapping_id: int, values: Dict[str, Any]) -> str | None:
        filled = [name for name, value in values.items() if value not in (None, "", False, [])]
        words = [self._words(mapping_id, name, values[name]) for name in filled[:CELLS_NAMED]]
        more = len(filled) - CELLS_NAMED
        return ", ".join(words) + (f" and {more} more" if more > 0 else "") or None

    def _words(self, mapping_id: int, name: str, raw: Any) -> str:
        label = self.describe(mapping_id, name)["field_label"]
        word = in_words(self.value(mapping_id, name, raw))
        return f"{label} {word if len(word) <= LONGEST_WORD else word[:LONGEST_WORD - 1] + '…'}"


def tables(tx: sa.Connection, link_id: int, resources: Dict[str, Resource]) -> Tables:
    """The mappings that a sync of this link works on."""
    stored = [one for one in links.mappings(tx, link_id)
              if not one.settings.get("off") and one.resource in resources]
    stored.sort(key=lambda one: list(resources).index(one.resource))
    return Tables(link_id, {one.id: mapping_of(one.settings, resources, one.id) for one in stored},
                  {one.id: one for one in stored})


def in_words(value: Any) -> str:
    """A VALUE as part of a sentence."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    if isinstance(value, dict):
        return "not readable" if "unread" in value else str(value.get("title") or value.get("unfit", ""))
    return str(value)

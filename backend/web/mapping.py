"""What a person who maps is told: the resources of Shopify, the tables of the document, what fits what, what a change
of the mapping means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dict
from typing import Any

from backend.config import default_config
from backend.core.model import Field, Resource, Rule
from backend.core.values import LISTS, NUMBERS
from backend.grist.schema import FEEDING, FITTING, ID_COLUMN, ID_LABEL, Column
from backend.grist.suggest import reasons, suggest
from backend.store.runs import Run
from backend.web.answers import moment

FILTERS: dict[str, tuple[tuple[str, str], ...]] = {
    "products": (("status", "status"), ("vendor", "vendor"), ("productType", "product_type"), ("tags", "tag")),
    "variants": (("sku", "sku"), ("barcode", "barcode")),
    "orders": (("financialStatus", "financial_status"), ("fulfillmentStatus", "fulfillment_status"), ("tags", "tag")),
    "draft_orders": (("status", "status"), ("tags", "tag")),
    "customers": (("state", "state"), ("tags", "tag")),
    "collections": (("title", "title"),),
}
"""(field, key in Shopify's search) that rows are usually chosen by. Any other search can be typed."""

FITS = 2
"""So many columns must fit before an existing table is suggested for a resource that it is not named after."""


def resources(known: Dict[str, Resource], look: Run | None, running: Run | None) -> dict[str, Any]:
    """Every resource with its fields, and what the newest look at the store found."""
    found = (look.report or {}).get("found", {}) if look else {}
    scopes = found.get("scopes")
    return {
        "resources": [_resource(one, found, scopes) for one in known.values()],
        "looked_at": moment(look.finished_at) if look else None,
        "looking": running.id if running and not running.wanted else None,
    }


def _resource(one: Resource, found: dict[str, Any], scopes: Sequence[str] | None) -> dict[str, Any]:
    told = [*(_field(field) for field in one.fields)]
    for metafield in found.get("metafields", {}).get(one.name, ()):
        if (field := one.field(metafield["name"])) is not None:
            told.append({**_field(field), "label": metafield["label"], "usual": False, "metafield": True,
                              "writable": metafield["writable"]})
    return {
        "name": one.name, "label": one.label, "table": one.table, "count": found.get("counts", {}).get(one.name),
        "both_ways": [field.label for field in one.fields if field.writable],
        "fields": told, "match": list(one.match), "title": one.title,
        "creatable": one.creatable, "deletable": one.deletable, "archivable": bool(one.archives),
        "searchable": bool(one.search),
        "filters": [{"field": field, "key": key, "label": described.label, "choices": list(described.choices)}
                    for field, key in FILTERS.get(one.name, ()) if (described := one.field(field)) is not None],
        "missing": missing(one, scopes), "needs": sorted({field.target for field in one.fields if field.kind == "ref"}),
    }


def missing(one: Resource, scopes: Sequence[str] | None) -> list[dict[str, str]]:
    """The scopes that the app lacks for a resource, and what each blocks."""
    if scopes is None:
        return []
    label = one.label
    lacking = [{"scope": scope, "blocks": "read", "without": f"{label} cannot be synced."}
               for scope in one.scopes if scope not in scopes]
    return lacking + [{"scope": scope, "blocks": "write", "without": f"{label} changed in Grist are not sent."}
                      for scope in one.write_scopes if scope not in scopes]


def _field(one: Field) -> dict[str, Any]:
    return {"name": one.name, "label": one.label, "group": one.group, "kind": one.kind, "writable": one.writable,
            "on_create": bool(one.on_create), "required": one.required, "rules": rules(one), "rule": one.rule.value,
            "choices": list(one.choices), "target": one.target or None, "usual": one.usual, "metafield": False}


def rules(one: Field) -> list[str]:
    """What may decide where both sides changed the field: only what its kind allows."""
    allowed = [Rule.ASK, Rule.SHOPIFY, Rule.GRIST]
    if one.kind in NUMBERS or one.kind in LISTS:
        allowed.append(Rule.MERGE)
    if one.kind in NUMBERS or one.kind in ("date", "datetime"):
        allowed += [Rule.HIGHER, Rule.LOWER]
    return [rule.value for rule in allowed]


def tables(columns: Dict[str, Sequence[Column]], known: Dict[str, Resource]) -> dict[str, Any]:
    """The document's tables, and for each resource the tables that suit it, the best first."""
    return {
        "tables": [{"name": name, "columns": [_column(one) for one in listed], "paired": _id_column(listed)}
                   for name, listed in columns.items()],
        "suggestions": {one.name: _suggestions(one, columns, known) for one in known.values()},
        # Which types of columns can hold which kind of value, the best first; of formulas, which can feed it.
        "fits": {kind: {"data": list(types), "formula": list(FEEDING[kind])} for kind, types in FITTING.items()},
    }


def _column(one: Column) -> dict[str, Any]:
    return {"name": one.id, "label": one.label, "type": one.type, "formula": one.computed, "blank": one.blank}


def _id_column(columns: Iterable[Column]) -> str | None:
    return next((one.id for one in columns if one.id == ID_COLUMN or one.label == ID_LABEL), None)


def _suggestions(one: Resource, columns: Dict[str, Sequence[Column]], known: Dict[str, Resource]
                 ) -> list[dict[str, Any]]:
    targets = {name: resource.table for name, resource in known.items()}
    found = []
    for table, listed in columns.items():
        fitting = suggest(listed, one, targets)
        named = table.casefold() == one.table.casefold()
        tells = bool(set(fitting) & {name for witness in one.match for name in witness.split("+")})
        if fitting and (named or (len(fitting) >= FITS and tells)):
            found.append({"table": table, "fields": fitting, "n": len(fitting), "named": named,
                          "why": reasons(listed, one, fitting)})
    return sorted(found, key=lambda each: (not each["named"], -each["n"], each["table"]))


def differences(before: Sequence[Dict[str, Any]], after: Sequence[Dict[str, Any]], known: Dict[str, Resource]
                ) -> list[str]:
    """What an import changes, in sentences."""
    old, new = ({one["resource"]: one for one in side} for side in (before, after))
    told = [f"{known[name].label} are no longer synced. Their pairs and history are kept."
            for name in old if name not in new]
    for name, now in new.items():
        if name not in old:
            told.append(f"{known[name].label} are synced with table {now['table']}.")
        else:
            told += [f"{known[name].label}: {words}" for words in _differs(old[name], now, known[name])]
    return told


PARTS = {"match": "what rows are matched by", "filter": "the filter", "only_where": "the toggle",
         "create": "what becomes of new rows", "delete": "what becomes of deletions"}


def _differs(was: Dict[str, Any], now: Dict[str, Any], resource: Resource) -> list[str]:
    told = [] if was["table"] == now["table"] else [f"the table is {now['table']}, no longer {was['table']}."]
    for name, rule in now["fields"].items():
        before = was["fields"].get(name)
        if before is None:
            told.append(f"{_label(resource, name)} is synced with column {rule['column']}.")
        elif before != rule:
            told.append(f"{_label(resource, name)} changes ({_changed(before, rule)}).")
    told += [f"{_label(resource, name)} is no longer synced." for name in was["fields"] if name not in now["fields"]]
    return told + [f"{words} changes." for key, words in PARTS.items() if was[key] != now[key]]


def changed_resources(before: Sequence[Dict[str, Any]], after: Sequence[Dict[str, Any]]) -> list[str]:
    """Whose mapping is new or another one."""
    old = {one["resource"]: one for one in before}
    return [one["resource"] for one in after if old.get(one["resource"]) != one]


def defaults(known: Dict[str, Resource]) -> list[dict[str, Any]]:
    """A mapping for each resource with its usual fields, into new tables."""
    return default_config(known, {})


def _label(resource: Resource, name: str) -> str:
    field = resource.field(name)
    return field.label if field else name


def _changed(was: Dict[str, str], now: Dict[str, str]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {was[name]} → {now[name]}" for name in now if was[name] != now[name])

"""Which column of an existing table is probably which field: suggestions, for a person to confirm."""

from __future__ import annotations

import re
from collections.abc import Iterable

from backend.core.model import Resource
from backend.grist.schema import Column, fits

SYNONYMS: dict[str, tuple[str, ...]] = {
    "title": ("name", "product", "productname", "producttitle"),
    "descriptionHtml": ("description", "body", "bodyhtml", "text"),
    "productType": ("type", "category", "kind"),
    "vendor": ("brand", "supplier", "manufacturer"),
    "tags": ("labels", "keywords"),
    "status": ("state",),
    "handle": ("slug", "urlhandle"),
    "sku": ("articlenumber", "itemnumber", "partnumber", "code"),
    "barcode": ("ean", "gtin", "upc", "isbn"),
    "price": ("unitprice", "saleprice", "retailprice", "sellingprice"),
    "compareAtPrice": ("compareprice", "listprice", "oldprice", "msrp", "rrp"),
    "cost": ("costperitem", "unitcost", "purchaseprice"),
    "available": ("stock", "quantity", "qty", "availablestock"),
    "onHand": ("count", "counted", "physicalstock"),
    "harmonizedSystemCode": ("hscode", "hs", "tariffcode"),
    "countryCodeOfOrigin": ("origin", "countryoforigin", "madein"),
}


def suggest(columns: Iterable[Column], resource: Resource, targets: dict[str, str] | None = None) -> dict[str, str]:
    """Field → colId, each column at most once; only columns whose type fits are suggested.

    `targets` names the table of each resource, for references. The field's own name and label beat a synonym.
    """
    wanted = [column for column in columns if not column.blank]
    taken: set[str] = set()
    found: dict[str, str] = {}
    for names_of in (_own_names, _synonyms):
        for field in resource.fields:
            if field.name in found:
                continue
            names = names_of(field.name, field.label)
            for column in wanted:
                alike = _plain(column.id) in names or _plain(column.label) in names
                feeds = not column.computed or field.writable or bool(field.on_create)
                if alike and feeds and column.id not in taken and fits(
                    column, field.kind, (targets or {}).get(field.target, "")
                ):
                    found[field.name] = column.id
                    taken.add(column.id)
                    break
    return {field.name: found[field.name] for field in resource.fields if field.name in found}


def reasons(columns: Iterable[Column], resource: Resource, fitting: dict[str, str]) -> dict[str, str]:
    """Field → why its column was suggested, in a sentence; `fitting` is what `suggest` said of the same columns."""
    by_id = {column.id: column for column in columns}
    told = {}
    for name, column_id in fitting.items():
        column, field = by_id[column_id], resource.field(name)
        if field is None:
            continue
        named = {_plain(column.id), _plain(column.label)} & _own_names(field.name, field.label)
        why = f"It is called {column.label!r}" + ("" if named else f", another word for {field.label!r}")
        told[name] = f"{why}, and its type ({column.type}) " + ("can feed the field." if column.computed else "fits.")
    return told


def _own_names(name: str, label: str) -> set[str]:
    return {_plain(name), _plain(label)}


def _synonyms(name: str, label: str) -> set[str]:
    return set(SYNONYMS.get(name, ()))


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold())

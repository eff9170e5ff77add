"""The mapping part of the stand-in backend: real resources and rules, with Fieldhouse's tables and a made-up effect."""
from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from flask import Flask, request

from backend import config
from backend.errors import ConfigError
from backend.grist.schema import parse_columns
from backend.shopify.resources import RESOURCES
from backend.web import mapping

if TYPE_CHECKING:
    from fake import Shop

EFFECT, LOOK = 30, 31
COUNTS = {"products": 212, "variants": 1240, "collections": 18, "orders": 861, "draft_orders": 4, "customers": 412}
SCOPES = {scope for one in RESOURCES.values() for scope in (*one.scopes, *one.write_scopes)}


def column(name: str, kind: str, *, label: str = "", formula: str = "") -> dict[str, Any]:
    return {"id": name, "fields": {"colRef": 1, "label": label or name.replace("_", " "), "type": kind,
                                   "isFormula": bool(formula), "formula": formula, "widgetOptions": ""}}


VARIANTS = [
    column("SKU", "Text"), column("Price", "Numeric", formula="$Net * 1.25"), column("Compare_at", "Numeric"),
    column("Barcode", "Text"), column("Cost", "Text"), column("Weight", "Numeric"), column("Restock", "Date"),
    column("Taxable", "Bool"), column("Photo", "Text"), column("Shopify_ID", "Text", label="Shopify ID"),
]


def mapped(shop: Shop) -> None:
    """The shop of picture 12: variants in a table of their own, one column of a type that does not fit."""
    shop.columns = {"Variants": copy.deepcopy(VARIANTS), "Products": [column("Title", "Text")]}
    said = [
        {"resource": "products", "fields": {"title": "Title", "handle": "Handle"}},
        {"resource": "variants", "match": ["sku"], "fields": {
            "sku": "SKU", "price": "Price", "compareAtPrice": "Compare_at", "barcode": "Barcode", "cost": "Cost",
            "weight": "Weight", "displayName": "Photo"}},
    ]
    shop.saved = config.check({"mappings": said}, RESOURCES).mappings
    shop.effect = report(to_grist=38)


def unmapped(shop: Shop) -> None:
    """A document with a table of variants, before anything is mapped."""
    shop.columns = {"Variants": copy.deepcopy(VARIANTS), "Notes": [column("Text", "Text")]}
    shop.first_run = {"step": "resources"}
    shop.effect = first(shop)


def report(to_grist: int = 0, to_shopify: int = 0, conflicts: int = 0, **more: Any) -> dict[str, Any]:
    line = {"resource": "variants", "label": "Variants", "table": "Variants", "to_grist": to_grist, "deleted": 0,
            "to_shopify": to_shopify, "conflicts": conflicts, "paused": None}
    return {"mappings": [line], "plan": [], "plan_total": 0, "pairing": [entry("variants", "Variants", things=1188)],
            **more}


def entry(resource: str, label: str, **more: Any) -> dict[str, Any]:
    none = {"n": 0, "items": []}
    return {"resource": resource, "label": label, "table": label, "rows": 0, "things": 0, "known": 0, "pairs": none,
            "doubles": none, "only_grist": none, "only_shopify": none, "fills": 0, "asks": 0, "creates_grist": 0,
            "creates_shopify": 0, **more}


def thing(number: int, title: str, note: str = "") -> dict[str, Any]:
    return {"thing": f"gid://shopify/Product/{number}", "title": title, "note": note}


def row(number: int, title: str) -> dict[str, Any]:
    return {"row": number, "title": title, "looks": f"looks{number}"}


def double(kind: str = "double", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "witness": ["SKU"], "value": "WOO-1", "rows": [row(3, "Wool scarf")],
            "things": [thing(7, "Wool scarf", "active"), thing(8, "Wool scarf (copy)", "draft")],
            "alike": [[["SKU", "title"], ["SKU"]]], "of": None, "holder": None, **more}


def hats() -> dict[str, Any]:
    return double(witness=["Handle"], value="felt-hat", rows=[row(5, "Felt hat"), row(44, "Felt hat, old")],
                  things=[thing(9, "Felt hat", "active")], alike=[[["Handle", "title"]], [["Handle"]]])


def first(shop: Shop) -> dict[str, Any]:
    """The preview of picture 16."""
    found = [{"row": 20 + n, "title": f"Shirt {n}", "thing": f"gid://shopify/Product/{100 + n}", "other": f"Shirt {n}",
              "by": "handle", "labels": ["Handle"], "differ": n % 2} for n in range(100)]
    products = entry(
        "products", "Products", rows=206, things=212, pairs={"n": 198, "items": found},
        doubles={"n": 2, "items": [double(), hats()]},
        only_grist={"n": 4, "items": [{"row": 80, "title": "Straw hat", "created": True}]},
        only_shopify={"n": 11, "items": [{"row": None, "thing": "gid://shopify/Product/60", "title": "Gift card",
                                          "created": True}]},
        fills=57, asks=26, creates_grist=11, creates_shopify=4)
    return {"mappings": [], "plan": [], "plan_total": 0, "pairing": [products, entry("variants", "Variants")]}


def run(shop: Shop, number: int) -> dict[str, Any]:
    kind = "draft" if number == EFFECT else "look"
    return {"id": number, "kind": kind, "state": "done", "message": None, "report": shop.effect if number == EFFECT
            else {"found": {}}, "totals": {}}


def told(shop: Shop) -> dict[str, Any]:
    about = {one["resource"]: {"pairs": 1188, "rows": 1240, "paused": None, "columns": {}, "table": one["table"]}
             for one in shop.saved}
    return {"mappings": shop.saved, "version": f"v{len(str(shop.saved))}", "fixed": shop.fixed, "about": about,
            "defaults": mapping.defaults(RESOURCES)}


def routes(app: Flask, shop: Shop) -> None:
    @app.get("/api/links/1/resources")
    def resources() -> dict[str, Any]:
        body = mapping.resources(RESOURCES, None, None)
        for one in body["resources"]:
            one["count"] = {"n": COUNTS[one["name"]], "exact": True} if one["name"] in COUNTS else None
            one["missing"] = mapping.missing(RESOURCES[one["name"]], sorted(SCOPES - set(shop.no_scopes)))
            if one["name"] == "products":
                one["fields"].append({**one["fields"][0], "name": "metafields.custom.restock_date", "kind": "date",
                                      "label": "restock_date", "metafield": True, "usual": False, "required": False})
        return {**body, "looked_at": shop.ago(minutes=1)}

    @app.post("/api/links/1/look")
    def look() -> tuple[dict[str, Any], int]:
        return {"id": LOOK}, 202

    @app.get("/api/links/1/tables")
    def tables() -> dict[str, Any]:
        return mapping.tables({name: parse_columns(listed) for name, listed in shop.columns.items()}, RESOURCES)

    @app.get("/api/links/1/mappings")
    def read() -> dict[str, Any]:
        return told(shop)

    @app.put("/api/links/1/mappings")
    def save() -> tuple[dict[str, Any], int]:
        if request.headers["If-Match"].strip('"') != told(shop)["version"]:
            return {"code": "moved", "message": "The mapping was changed meanwhile.", "cure": "Look at it.",
                    "details": {}}, 412
        try:
            shop.saved = config.check({"mappings": request.get_json()["mappings"]}, RESOURCES).mappings
        except ConfigError as error:
            return {"code": "config_error", "message": error.message, "cure": error.cure,
                    "details": {"path": list(error.path)}}, 422
        return told(shop), 200

    @app.post("/api/links/1/mappings/effect")
    def effect() -> tuple[dict[str, Any], int]:
        try:
            config.check({"mappings": request.get_json()["mappings"]}, RESOURCES)
        except ConfigError as error:
            return {"code": "config_error", "message": error.message, "cure": error.cure,
                    "details": {"path": list(error.path)}}, 422
        return {"id": EFFECT}, 202

    @app.get("/api/links/1/pairs")
    def read_pairs() -> dict[str, Any]:
        return {"questions": shop.questions, "apart": shop.apart, "hidden": 0}

    @app.post("/api/links/1/pairs")
    def answer_pairs() -> tuple[dict[str, Any], int]:
        said = request.get_json()
        ids = [one["question"] for one in said.get("answers", [])]
        with shop.lock:
            shop.questions = [one for one in shop.questions if one["id"] not in ids]
            if said.get("ask_again"):
                shop.apart = []
        return {"run": 9, "answered": ids, "gone": []}, 202

    @app.post("/seen/actions")
    def seen_actions() -> tuple[str, int]:
        """As Grist would: a column changes its type."""
        for verb, *rest in request.get_json():
            if verb == "ModifyColumn":
                table, name, change = rest
                for one in shop.columns[table]:
                    if one["id"] == name:
                        one["fields"] |= change
        return "", 204


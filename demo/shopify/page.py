"""The storefront's admin page at `/`: products with their variants, prices and stock, edited in place.

Plain HTML from the server and a little script that asks `/__page/products` with an ETag every other second; edits
go through the control door, as a member of staff would make them in Shopify's admin.
"""
from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, render_template, request

from .model import Product, Variant
from .state import Store


def blueprint(store: Store) -> Blueprint:
    routes = Blueprint("page", __name__, template_folder="templates", static_folder="static",
                       static_url_path="/__page/static")

    @routes.get("/")
    def index() -> str:
        return render_template("products.html", shop=store.shop, state=rows(store))

    @routes.get("/__page/products")
    def products() -> Response:
        tag = f"r{store.revision}"
        if tag in request.if_none_match:
            answer = Response(status=304)
        else:
            answer = Response(json.dumps(rows(store), ensure_ascii=False), mimetype="application/json")
        answer.set_etag(tag)
        answer.headers["Cache-Control"] = "no-cache"
        return answer

    return routes


def rows(store: Store) -> dict[str, Any]:
    """`{shop, currency, locations: [name], products: [{id, title, …, variants: [{sku, …, stock: [n or null]}]}]}`."""
    with store.lock:
        locations = [location for location in store.locations.values() if location.is_active]
        return {"shop": store.shop.name, "currency": store.shop.currency_code,
                "locations": [location.name for location in locations],
                "products": [_product(store, product, locations) for product in store.products.values()]}


def _product(store: Store, product: Product, locations: list[Any]) -> dict[str, Any]:
    return {"id": product.gid, "title": product.title, "status": product.status, "vendor": product.vendor,
            "type": product.product_type, "tags": product.tags, "total": store.total_inventory(product),
            "variants": [_variant(store, variant, locations) for variant in product.variant_list]}


def _variant(store: Store, variant: Variant, locations: list[Any]) -> dict[str, Any]:
    item = variant.inventory_item
    levels = [item.levels.get(location.id) for location in locations]
    return {"id": variant.gid, "title": "" if store.is_default_variant(variant) else store.variant_title(variant),
            "sku": item.sku, "price": f"{variant.price:.2f}", "tracked": item.tracked,
            "compareAt": None if variant.compare_at_price is None else f"{variant.compare_at_price:.2f}",
            "committed": sum(level.quantity("committed") for level in levels if level),
            "stock": [level.quantity("available") if level and level.is_active else None for level in levels]}

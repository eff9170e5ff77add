"""The storefront's admin page at `/`: products with prices and stock, edited in place, the latest orders, and buttons
that make things happen on the store's side.

Plain HTML from the server and a little script that asks `/__page/products` with an ETag every other second; edits
go through the control door, as a member of staff would make them in Shopify's admin.
"""
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, render_template, request

from . import life, pictures
from .model import Product, Variant
from .state import Store
from .trade import Order

if TYPE_CHECKING:
    from .control import Door

_MOST_PRODUCTS, _MOST_ORDERS = 300, 50  # the page is for looking, not for counting


def blueprint(store: Store, door: Door) -> Blueprint:
    routes = Blueprint("page", __name__, template_folder="templates", static_folder="static",
                       static_url_path="/__page/static")

    def network(cut: bool) -> str:
        door.network_cut = cut
        store.changed()
        return ("The network is cut: nobody reaches the store." if cut else "The network is there again.")

    acts = {"order": lambda: life.happening_order(store), "rename": lambda: life.rename(store),
            "prices": lambda: life.price_war(store), "delete": lambda: life.delete(store),
            "cut": lambda: network(True), "restore": lambda: network(False)}

    @routes.get("/")
    def index() -> str:
        return render_template("products.html", shop=store.shop, state=rows(store, door))

    @routes.get("/__page/products")
    def products() -> Response:
        tag = f"r{store.revision}"
        if tag in request.if_none_match:
            answer = Response(status=304)
        else:
            answer = Response(json.dumps(rows(store, door), ensure_ascii=False), mimetype="application/json")
        answer.set_etag(tag)
        answer.headers["Cache-Control"] = "no-cache"
        return answer

    @routes.post("/__page/act/<name>")
    def act(name: str) -> tuple[dict[str, str], int]:
        if name not in acts:
            return {"error": f"The page has no button {name!r}."}, 404
        return {"said": acts[name]()}, 200

    @routes.get("/pictures/<int:number>.svg")
    def picture(number: int) -> Response:
        answer = Response(pictures.svg(number), mimetype="image/svg+xml")
        answer.headers["Cache-Control"] = "max-age=86400"
        return answer

    return routes


def rows(store: Store, door: Door) -> dict[str, Any]:
    """`{shop, currency, networkCut, total, locations: [name], products: [{…, variants: [{…, stock: [n or null]}]}],
    orders: [{name, …}]}`: the first products and the latest orders."""
    with store.lock:
        locations = [location for location in store.locations.values() if location.is_active]
        shown = [store.products[number] for number in store.products.ids()[:_MOST_PRODUCTS]]
        latest = [store.orders[number] for number in reversed(store.orders.ids()[-_MOST_ORDERS:])]
        return {"shop": store.shop.name, "currency": store.shop.currency_code, "networkCut": door.network_cut,
                "total": {"products": len(store.products), "variants": len(store.variants),
                          "orders": len(store.orders)},
                "locations": [location.name for location in locations],
                "products": [_product(store, product, locations) for product in shown],
                "orders": [_order(order) for order in latest]}


def _order(order: Order) -> dict[str, Any]:
    paid = (order.financial_status() or "pending").lower().replace("_", " ")
    sent = "cancelled" if order.cancelled_at else order.fulfillment_status().lower().replace("_", " ")
    return {"id": order.gid, "name": order.name, "customer": order.customer.display_name if order.customer else "",
            "total": f"{order.total(current=True).shop:.2f}", "paid": paid, "sent": sent,
            "at": order.created_at.strftime("%d %b %H:%M"),
            "lines": ", ".join(f"{line.current_quantity} × {line.title}" for line in order.lines)}


def _product(store: Store, product: Product, locations: list[Any]) -> dict[str, Any]:
    return {"id": product.gid, "picture": f"/pictures/{product.id}.svg", "title": product.title,
            "status": product.status, "vendor": product.vendor,
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

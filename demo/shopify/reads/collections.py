"""Collections as they are read."""
from __future__ import annotations

from typing import Any

from ..connections import Window, window
from ..context import Context
from ..model import Collection, Product
from ..registry import resolves
from ..smart import members
from .lists import counted


@resolves("Collection", "products")
def products(collection: Collection, arguments: dict[str, Any], context: Context) -> Window:
    store = context.store
    found = [store.products[number] for number in members(store, collection)]
    places = {product.id: place for place, product in enumerate(found)}
    keys: dict[str, Any] = {
        "TITLE": lambda each: each.title.lower(), "CREATED": lambda each: each.created_at,
        "PRICE": lambda each: min((float(variant.price) for variant in each.variant_list), default=0.0),
        "ID": None}
    key = keys.get(arguments.get("sortKey", "COLLECTION_DEFAULT"), lambda each: places[each.id])
    return window(found, arguments, key=key)


@resolves("Collection", "productsCount")
def products_count(collection: Collection, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return counted(len(members(context.store, collection)), {})


@resolves("Collection", "hasProduct")
def has_product(collection: Collection, arguments: dict[str, Any], context: Context) -> bool:
    from ..ids import number_of
    return number_of(arguments["id"], "Product") in members(context.store, collection)


@resolves("Collection", "image")
def image(collection: Collection, arguments: dict[str, Any], context: Context) -> None:
    return None


@resolves("Collection", "feedback")
def feedback(collection: Collection, arguments: dict[str, Any], context: Context) -> None:
    return None


@resolves("Collection", "storefrontId")
def storefront_id(collection: Collection, arguments: dict[str, Any], context: Context) -> str:
    return collection.gid


@resolves("Collection", "sources")
def sources(collection: Collection, arguments: dict[str, Any], context: Context) -> list[Product]:
    from ..errors import not_simulated
    raise not_simulated("Collection", "sources")

"""The query's entry points: by id, by identifier, lists and counts."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..connections import Window, window
from ..context import Context
from ..errors import TopLevelError, invalid_id
from ..ids import kind_of, number_of
from ..model import Location, Product
from ..registry import resolves
from .identify import by_custom_id
from .inventory import quantity
from .lists import counted, filtered, indexed_count, indexed_list

_BY_ID = {"product": "Product", "productVariant": "ProductVariant", "inventoryItem": "InventoryItem",
          "inventoryLevel": "InventoryLevel", "collection": "Collection", "customer": "Customer"}
_KINDS = {"products": "product", "productVariants": "variant", "inventoryItems": "item", "collections": "collection"}


def _by_id(kind: str) -> Callable[..., Any]:
    def find(source: Any, arguments: dict[str, Any], context: Context) -> Any:
        if kind_of(arguments["id"]) != kind:
            raise invalid_id(arguments["id"])
        return context.store.thing(arguments["id"])
    return find


for _root, _kind in _BY_ID.items():
    resolves("QueryRoot", _root)(_by_id(_kind))


def _tables(context: Context, kind: str) -> Any:
    store = context.store
    return {"product": store.products, "variant": store.variants, "item": store.items,
            "collection": store.collections}[kind]


def _list(kind: str) -> Callable[..., Window]:
    def page(source: Any, arguments: dict[str, Any], context: Context) -> Window:
        return indexed_list(context, kind, arguments, _tables(context, kind))
    return page


def _count(kind: str) -> Callable[..., dict[str, Any]]:
    def count(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
        return indexed_count(context, kind, arguments, _tables(context, kind))
    return count


for _root, _kind in _KINDS.items():
    resolves("QueryRoot", _root)(_list(_kind))
for _root, _kind in {"productsCount": "product", "productVariantsCount": "variant",
                     "collectionsCount": "collection"}.items():
    resolves("QueryRoot", _root)(_count(_kind))


@resolves("QueryRoot", "productByHandle")
def product_by_handle(source: Any, arguments: dict[str, Any], context: Context) -> Product | None:
    return context.store.products.get(context.store.product_handles.get(arguments["handle"], 0))


@resolves("QueryRoot", "collectionByHandle")
def collection_by_handle(source: Any, arguments: dict[str, Any], context: Context) -> Any:
    return context.store.collections.get(context.store.collection_handles.get(arguments["handle"], 0))


@resolves("QueryRoot", "productByIdentifier", "productVariantByIdentifier", "collectionByIdentifier",
          "locationByIdentifier")
def by_identifier(source: Any, arguments: dict[str, Any], context: Context) -> Any:
    assert context.info is not None
    kind = {"productByIdentifier": "Product", "productVariantByIdentifier": "ProductVariant",
            "collectionByIdentifier": "Collection", "locationByIdentifier": "Location"}[context.info.field_name]
    return identified(context, kind, arguments["identifier"])


def identified(context: Context, kind: str, identifier: dict[str, Any]) -> Any:
    """The thing that an identifier (`id`, `handle` or `customId`) names, or None."""
    if identifier.get("id"):
        if kind_of(identifier["id"]) != kind:
            raise invalid_id(identifier["id"])
        return context.store.thing(identifier["id"])
    if identifier.get("handle") is not None:
        table, handles = ((context.store.products, context.store.product_handles) if kind == "Product"
                          else (context.store.collections, context.store.collection_handles))
        return table.get(handles.get(identifier["handle"], 0))  # type: ignore[attr-defined]
    return by_custom_id(context, kind, identifier["customId"])


# --- locations ------------------------------------------------------------------------------------------


@resolves("QueryRoot", "location")
def location(source: Any, arguments: dict[str, Any], context: Context) -> Location | None:
    if arguments.get("id") is None:
        return context.store.default_location()
    if kind_of(arguments["id"]) != "Location":
        raise invalid_id(arguments["id"])
    return context.store.locations.get(number_of(arguments["id"]) or 0)


@resolves("QueryRoot", "locations")
@resolves("Shop", "locations")
def locations(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    keys: dict[str, Any] = {"NAME": lambda each: each.name, "ID": None, "RELEVANCE": None}
    return window(_locations(arguments, context), arguments, key=keys[arguments.get("sortKey", "NAME")])


@resolves("QueryRoot", "locationsCount")
def locations_count(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return counted(len(_locations(arguments, context)), arguments)


def _locations(arguments: dict[str, Any], context: Context) -> list[Location]:
    shown = [each for each in context.store.locations.values() if (each.is_active or arguments.get("includeInactive"))
             and (each.service is None or arguments.get("includeLegacy"))]
    return filtered(context, "location", arguments, shown, lambda each: {
        "id": each.id, "name": each.name, "active": each.is_active, "legacy": each.service is not None,
        "created_at": each.created_at,
        **{key: each.address.get(key) or "" for key in ("address1", "address2", "city", "country", "zip", "province")},
        "inventory_item_id": [level.item.id for level in context.store.levels() if level.location is each],
        "pickup_in_store": "disabled", "default": [each.name, each.address.get("city") or ""]})


# --- anything by id -------------------------------------------------------------------------------------


@resolves("QueryRoot", "node")
def node(source: Any, arguments: dict[str, Any], context: Context) -> Any:
    return _node(arguments["id"], context)


@resolves("QueryRoot", "nodes")
def nodes(source: Any, arguments: dict[str, Any], context: Context) -> list[Any]:
    """In the order asked, repeats kept, null in the place of what is gone."""
    return [_node(text, context) for text in arguments["ids"]]


def _node(text: str, context: Context) -> Any:
    kind, store = kind_of(text), context.store
    if kind == "InventoryQuantity":
        level_id, _, name = text.replace("InventoryQuantity", "InventoryLevel").partition("&name=")
        level = store.level_of(level_id)
        return quantity(level, name) if level is not None and name else None
    if kind == "InventoryItemMeasurement":
        item = store.items.get(number_of(text) or 0)
        return {"__typename": kind, "id": text, "weight": {"value": item.weight_value, "unit": item.weight_unit}} \
            if item else None
    if kind in ("ProductOption", "ProductOptionValue"):
        return _option_node(text, kind, context)
    if kind == "TaxonomyCategory":
        return store.taxonomy.get(text)
    if kind in ("ProductDeleteOperation", "ProductSetOperation"):
        store.settle_operations()
    if kind in ("LineItem", "DraftOrderLineItem"):
        return _line_node(number_of(text), kind, context)
    return store.thing(text)


def _line_node(number: int | None, kind: str, context: Context) -> Any:
    """A line as its order or draft shows it."""
    from .drafts import line_shown as draft_line_shown
    from .orders import line_shown
    if kind == "LineItem":
        return next((line_shown(line, order, context) for order in context.store.orders.values()
                     for line in order.lines if line.id == number), None)
    return next((draft_line_shown(line, draft, context) for draft in context.store.drafts.values()
                 for line in draft.lines if line.id == number), None)


def _option_node(text: str, kind: str, context: Context) -> Any:
    from .products import option_view, value_view
    for product in context.store.products.values():
        for option in product.option_list:
            if kind == "ProductOption" and option.gid == text:
                return option_view(product, option)
            for value in option.option_values if kind == "ProductOptionValue" else ():
                if value.gid == text:
                    return value_view(product, option, value)
    return None


@resolves("QueryRoot", "customerSegmentMembersQuery")
def segment_members_query(source: Any, arguments: dict[str, Any], context: Context) -> None:
    """No such query ever ran here; asked for one that is not there, Shopify breaks down."""
    raise TopLevelError("Something went wrong", "INTERNAL_SERVER_ERROR")


@resolves("QueryRoot", "productOperation")
def product_operation(source: Any, arguments: dict[str, Any], context: Context) -> Any:
    context.store.settle_operations()
    return context.store.operations.get(number_of(arguments["id"]) or 0)


@resolves("ProductDeleteOperation", "product")
@resolves("ProductSetOperation", "product")
def operation_product(operation: Any, arguments: dict[str, Any], context: Context) -> Any:
    return context.store.products.get(operation.product_id or 0) if operation.status == "COMPLETE" else None


_ALWAYS_USED = ("available", "committed", "on_hand", "reserved")


@resolves("QueryRoot", "inventoryProperties")
def inventory_properties(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    from ..model import ON_HAND_PARTS, QUANTITY_NAMES
    return {"quantityNames": [
        {"name": name, "displayName": name.replace("_", " ").capitalize(),
         "isInUse": name in _ALWAYS_USED or any(level.quantity(name) for level in context.store.levels()),
         "belongsTo": ["on_hand"] if name in ON_HAND_PARTS else [],
         "comprises": sorted(ON_HAND_PARTS) if name == "on_hand" else []} for name in sorted(QUANTITY_NAMES)]}

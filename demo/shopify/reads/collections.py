"""Collections as they are read."""
from __future__ import annotations

from typing import Any

from .. import jobs
from ..connections import Window, window
from ..context import Context
from ..model import Collection, CollectionSource
from ..registry import resolves
from ..smart import conditions_shown, main_source, members, rule_set_shown
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


@resolves("Collection", "ruleSet")
def rule_set(collection: Collection, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    return rule_set_shown(collection)


@resolves("CollectionRule", "conditionObject")
def condition_object(rule: dict[str, Any], arguments: dict[str, Any], context: Context) -> None:
    return None  # only rules on metafields and categories have one


@resolves("Collection", "feedback")
def feedback(collection: Collection, arguments: dict[str, Any], context: Context) -> None:
    return None


@resolves("Collection", "storefrontId")
def storefront_id(collection: Collection, arguments: dict[str, Any], context: Context) -> str:
    return collection.gid


# --- sources --------------------------------------------------------------------------------------------


@resolves("Collection", "sources")
def sources(collection: Collection, arguments: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    main_source(context.store, collection)
    return [_source(collection, source) for source in collection.sources]


def _source(collection: Collection, source: CollectionSource) -> dict[str, Any]:
    match_type = source.match_type
    if collection.rule_set is not None and source is collection.sources[0]:
        match_type = "ANY" if collection.rule_set["appliedDisjunctively"] else "ALL"
    return {"__typename": "CollectionConditionsSource", "id": source.gid, "title": source.title,
            "description": source.description, "app": None, "shareable": False, "targetType": source.target_type,
            "inclusion": {"conditions": [_condition(row) for row in conditions_shown(collection, source)],
                          "matchType": match_type, "held": source},
            "exclusion": {"conditions": [], "matchType": None, "held": source, "excludes": True}}


def _condition(row: dict[str, Any]) -> dict[str, Any]:
    kind = row["kind"]
    shown = {**row, "__typename": "CollectionSourceInclusionCondition" + kind[0].upper() + kind[1:]}
    if isinstance(row.get("value"), dict):
        shown["value"] = {"amount": row["value"]["amount"], "currencyCode": row["value"].get("currencyCode", "USD")}
    return shown


@resolves("CollectionSourceInclusion", "selections")
def selections(inclusion: dict[str, Any], arguments: dict[str, Any], context: Context) -> Window:
    source = inclusion["held"]
    held = [number for number in source.product_ids if number in context.store.products]
    places = {number: place for place, number in enumerate(held)}
    page = window(held, arguments, key=lambda number: places[number], number=lambda number: number)
    page.nodes = [{"product": context.store.products[number], "variantIds": source.variant_ids.get(number)}
                  for number in page.nodes]
    return page


@resolves("CollectionSourceExclusion", "selections")
def excluded(exclusion: dict[str, Any], arguments: dict[str, Any], context: Context) -> Window:
    held = [number for number in exclusion["held"].excluded_ids if number in context.store.products]
    page = window(held, arguments, number=lambda number: number)
    page.nodes = [{"product": context.store.products[number]} for number in page.nodes]
    return page


@resolves("QueryRoot", "job")
def job(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return jobs.looked_up(context.store, arguments["id"])

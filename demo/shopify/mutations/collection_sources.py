"""The sources of collections (2026-07 and later) as inputs: chosen products and conditions (facts §8)."""
from __future__ import annotations

from typing import Any

from ..context import Context
from ..errors import not_simulated, user_error
from ..ids import gid
from ..model import Collection, CollectionSource
from ..smart import conditions_shown, main_source
from .base import UserErrors, wanted


def errors(targets: list[dict[str, Any]] | None, path: list[str], context: Context) -> UserErrors:
    """What is wrong with sources to be created."""
    found: UserErrors = []
    for place, target in enumerate(targets or ()):
        if target.get("source") is None:
            raise not_simulated("CollectionCreateSourceTargetInput", next(iter(target), "source"))
        here = [*path, str(place), "source"]
        inclusion = target["source"].get("inclusion") or {}
        if not target["source"]["title"].strip():
            found.append(user_error([*here, "title"], "Title can't be blank"))
        found += _unknown(inclusion.get("selections"), [*here, "inclusion", "selections"], context)
    return found


def update_errors(collection: Collection, given: dict[str, Any], context: Context) -> UserErrors:
    found = errors(given.get("sourcesToCreate"), ["sourcesToCreate"], context)
    for place, target in enumerate(given.get("sourcesToUpdate") or ()):
        if target.get("condition") is None:
            raise not_simulated("CollectionUpdateSourceTargetInput", "subCollections")
        here = ["sourcesToUpdate", str(place), "condition"]
        if _source(collection, target["condition"]["id"], context) is None:
            found.append(user_error([*here, "id"], "Source does not exist"))
        inclusion = target["condition"].get("inclusion") or {}
        found += _unknown(inclusion.get("selectionsToAdd"), [*here, "inclusion", "selectionsToAdd"], context)
    for place, source_id in enumerate(given.get("sourcesToDelete") or ()):
        if _source(collection, source_id, context) is None:
            found.append(user_error(["sourcesToDelete", str(place)], "Source does not exist"))
    return found


def create(collection: Collection, targets: list[dict[str, Any]] | None, context: Context) -> None:
    for target in targets or ():
        given = target["source"]
        first = not collection.sources
        source = main_source(context.store, collection) if first else CollectionSource(
            id=context.store.new_id(), title="")
        source.title, source.description = given["title"], given.get("description")
        source.target_type = given.get("targetType") or "PRODUCTS"
        inclusion = given.get("inclusion") or {}
        source.match_type = inclusion.get("matchType") or "ALL"
        source.conditions = [_condition(row, context) for row in inclusion.get("conditions") or ()]
        _select(source, inclusion.get("selections"), context)
        exclusion = given.get("exclusion") or {}
        if exclusion.get("conditions"):
            raise not_simulated("CollectionCreateSourceExclusionInput", "conditions")
        source.excluded_ids = [wanted(context, row["productId"], "Product").id
                               for row in exclusion.get("selections") or ()]
        if not first:
            collection.sources.append(source)


def update(collection: Collection, given: dict[str, Any], context: Context) -> bool:
    """Apply sourcesToCreate, sourcesToUpdate and sourcesToDelete; whether there was anything to do."""
    named = [key for key in ("sourcesToCreate", "sourcesToUpdate", "sourcesToDelete") if given.get(key)]
    if not named:
        return False
    main_source(context.store, collection)
    for target in given.get("sourcesToUpdate") or ():
        _update(collection, target["condition"], context)
    for source_id in given.get("sourcesToDelete") or ():
        source = _source(collection, source_id, context)
        if source is not None and source is collection.sources[0]:
            source.product_ids.clear()  # the collection's own list: the source stays, empty
            source.conditions, collection.rule_set = [], None
        elif source is not None:
            collection.sources.remove(source)
    create(collection, given.get("sourcesToCreate"), context)
    return True


def _update(collection: Collection, change: dict[str, Any], context: Context) -> None:
    source = _source(collection, change["id"], context)
    assert source is not None  # checked before
    source.title = change.get("title") or source.title
    if "description" in change:
        source.description = change["description"]
    inclusion = change.get("inclusion") or {}
    if any(inclusion.get(key) for key in ("conditionsToCreate", "conditionsToDelete", "conditionsToUpdate",
                                          "matchType")):
        source.conditions = list(conditions_shown(collection, source))
        if source is collection.sources[0] and collection.rule_set is not None:
            source.match_type = "ANY" if collection.rule_set["appliedDisjunctively"] else "ALL"
            collection.rule_set = None  # from here on the conditions say it
    source.match_type = inclusion.get("matchType") or source.match_type
    gone = set(inclusion.get("conditionsToDelete") or ())
    source.conditions = [row for row in source.conditions if row["id"] not in gone]
    for row in inclusion.get("conditionsToUpdate") or ():
        held = next((each for each in source.conditions if each["id"] == row["id"]), None)
        change_to = next(iter((row.get("condition") or {}).values()), None)
        if held is not None and change_to:
            held.update(change_to)
    source.conditions += [_condition(row, context) for row in inclusion.get("conditionsToCreate") or ()]
    _select(source, inclusion.get("selectionsToAdd"), context)
    for row in inclusion.get("selectionsToRemove") or ():
        product = wanted(context, row["productId"], "Product")
        if product is not None and product.id in source.product_ids:
            source.product_ids.remove(product.id)
            context.store.index.stale(product)
    if change.get("exclusion"):
        exclusion = change["exclusion"]
        added = [wanted(context, row["productId"], "Product") for row in exclusion.get("selectionsToAdd") or ()]
        removed = {row["productId"] for row in exclusion.get("selectionsToRemove") or ()}
        source.excluded_ids += [product.id for product in added if product]
        source.excluded_ids = [number for number in source.excluded_ids if gid("Product", number) not in removed]


def _source(collection: Collection, source_id: str, context: Context) -> CollectionSource | None:
    main_source(context.store, collection)
    return next((source for source in collection.sources if source.gid == source_id), None)


def _select(source: CollectionSource, rows: list[dict[str, Any]] | None, context: Context) -> None:
    for row in rows or ():
        product = wanted(context, row["productId"], "Product")
        if product.id not in source.product_ids:
            source.product_ids.append(product.id)
            context.store.index.stale(product)
        if row.get("variantIds") is not None:
            source.variant_ids[product.id] = list(row["variantIds"])


def _unknown(rows: list[dict[str, Any]] | None, path: list[str], context: Context) -> UserErrors:
    return [user_error([*path, str(place), "productId"], "Product does not exist")
            for place, row in enumerate(rows or ()) if wanted(context, row["productId"], "Product") is None]


def _condition(given: dict[str, Any], context: Context) -> dict[str, Any]:
    kind, row = next((key, value) for key, value in given.items() if value is not None)
    if kind.startswith("metafield") or kind in ("productCategory", "variantWeight"):
        raise not_simulated("CollectionSourceInclusionConditionInput", kind)
    return {"id": gid("CollectionSourceCondition", context.store.new_id()), "kind": kind, **row}

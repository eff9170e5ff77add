"""Collections: made, changed and deleted, and which products are in the manual ones (facts §8)."""
from __future__ import annotations

from typing import Any

from .. import handles, jobs
from ..context import Context
from ..errors import bad_request, invalid_arguments, user_error
from ..model import Collection
from ..smart import is_smart
from . import collection_sources, metafields
from .base import TOO_LONG, UserErrors, mutation, too_long, wanted

_GONE = "Collection does not exist"
_NO_RULES = "Rules cannot be an empty set"


@mutation("collectionCreate")
def collection_create(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given, store = _input(arguments, "collectionCreate"), context.store
    if given.get("id"):
        return _refused([user_error(["id"], "id cannot be specified on collection creation")])
    errors = _field_errors(given, None, context)
    for place, product_id in enumerate(given.get("products") or ()):
        if wanted(context, product_id, "Product") is None:
            errors.append(user_error(["products", str(place)], "Product does not exist"))
    if given.get("ruleSet") is not None and given["ruleSet"].get("rules") is None:
        errors.append(user_error(["ruleSet", "rules"], _NO_RULES))
    errors += collection_sources.errors(given.get("sources"), ["sources"], context)
    errors += metafields.input_errors(given.get("metafields"), context, ["metafields"], "COLLECTION")
    if errors:
        return _refused(errors)
    title = given["title"].strip()
    handle = handles.from_text(given.get("handle") or "") or store.free_handle(
        title, store.collection_handles, fallback="collection")
    collection = store.add_collection(title, handle)
    _write(collection, given, context)
    if (given.get("ruleSet") or {}).get("rules"):
        collection.rule_set = _rule_set(given["ruleSet"])
    for product_id in given.get("products") or ():
        _join(collection, wanted(context, product_id, "Product").id)
    collection_sources.create(collection, given.get("sources"), context)
    metafields.write_inputs(collection.gid, given.get("metafields"), context)
    store.touch(collection)
    return {"collection": collection, "userErrors": []}


@mutation("collectionUpdate")
def collection_update(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given, store = _input(arguments, "collectionUpdate"), context.store
    if not given.get("id"):
        raise bad_request("id must be specified on collectionUpdate")
    collection = wanted(context, given["id"], "Collection")
    if collection is None:
        return _refused([user_error(None, _GONE)])
    errors = _field_errors(given, collection, context)
    rules = given.get("ruleSet")
    if rules is not None and collection.rule_set is None:
        errors.append(user_error(["id"], "Cannot update rule set of a custom collection"))
    elif rules is not None and not rules.get("rules"):
        errors.append(user_error(["ruleSet", "rules"], _NO_RULES))
    errors += collection_sources.update_errors(collection, given, context)
    errors += metafields.input_errors(given.get("metafields"), context, ["metafields"], "COLLECTION", collection.gid)
    if errors:
        return _refused(errors)
    if given.get("handle") is not None:
        _rename(collection, handles.from_text(given["handle"]) or store.free_handle(
            given.get("title") or collection.title, _others(collection, context), fallback="collection"), context)
    _write(collection, given, context)
    job = None
    if rules is not None:
        collection.rule_set, collection.members_adopted = _rule_set(rules), False
        job = jobs.started(store)
    if collection_sources.update(collection, given, context):
        job = jobs.started(store)
    metafields.write_inputs(collection.gid, given.get("metafields"), context)
    store.touch(collection)
    return {"collection": collection, "job": job, "userErrors": []}


@mutation("collectionDelete")
def collection_delete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    store = context.store
    collection = wanted(context, arguments["input"]["id"], "Collection")
    if collection is None:
        return {"deletedCollectionId": None, "shop": store.shop, "userErrors": [user_error(["id"], _GONE)]}
    store.remove_collection(collection)
    return {"deletedCollectionId": collection.gid, "shop": store.shop, "userErrors": []}


# --- members --------------------------------------------------------------------------------------------


@mutation("collectionAddProducts")
def add_products(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    collection, refusal = _manual(arguments, context, "add products to")
    if refusal:
        return {"collection": None, "userErrors": [refusal]}
    for product_id in arguments["productIds"]:
        if wanted(context, product_id, "Product") is None:
            return {"collection": None, "userErrors": [user_error(["productIds"], "Product does not exist")]}
    _put_in(collection, arguments["productIds"], context)
    return {"collection": collection, "userErrors": []}


@mutation("collectionAddProductsV2")
def add_products_later(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    collection, refusal = _manual(arguments, context, "add products to")
    if refusal:
        code = "CANT_ADD_TO_SMART_COLLECTION" if collection else "COLLECTION_DOES_NOT_EXIST"
        return {"job": None, "userErrors": [{**refusal, "code": code}]}
    _put_in(collection, arguments["productIds"], context)
    return {"job": jobs.started(context.store), "userErrors": []}


@mutation("collectionRemoveProducts")
def remove_products(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    collection, refusal = _manual(arguments, context, "remove products from")
    if refusal:
        return {"job": None, "userErrors": [refusal]}
    gone = {wanted(context, each, "Product").id for each in arguments["productIds"]
            if wanted(context, each, "Product") is not None}
    if gone & set(collection.product_ids):
        collection.product_ids[:] = [number for number in collection.product_ids if number not in gone]
        _members_changed(collection, gone, context)
    return {"job": jobs.started(context.store), "userErrors": []}


@mutation("collectionReorderProducts")
def reorder_products(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    collection = wanted(context, arguments["id"], "Collection")
    if collection is None:
        return {"job": None, "userErrors": [user_error(["id"], _GONE, "COLLECTION_DOES_NOT_EXIST")]}
    if collection.sort_order != "MANUAL":
        return {"job": None, "userErrors": [user_error(
            ["id"], "Can't reorder products unless collection is manually sorted", "MANUALLY_SORTED_COLLECTION")]}
    for move in arguments["moves"]:
        product = wanted(context, move["id"], "Product")
        if product is not None and product.id in collection.product_ids:
            collection.product_ids.remove(product.id)
            collection.product_ids.insert(int(move["newPosition"]), product.id)
    context.store.touch(collection)
    return {"job": jobs.started(context.store), "userErrors": []}


def _manual(arguments: dict[str, Any], context: Context, doing: str) -> tuple[Any, dict[str, Any] | None]:
    """The collection, and the refusal when it is gone or smart."""
    collection = wanted(context, arguments["id"], "Collection")
    if collection is None:
        return None, user_error(["id"], _GONE)
    if is_smart(collection) and not context.store.behaviour.smart_collections_take_products:
        return collection, user_error(["id"], f"Can't manually {doing} a smart collection")
    return collection, None


def _put_in(collection: Collection, product_ids: list[str], context: Context) -> None:
    """Unknown products are passed over, those that are in already stay where they are."""
    added = set()
    for product_id in product_ids:
        product = wanted(context, product_id, "Product")
        if product is not None and _join(collection, product.id):
            added.add(product.id)
    if added:
        _members_changed(collection, added, context)


def _members_changed(collection: Collection, product_numbers: set[int], context: Context) -> None:
    context.store.touch(collection)
    for number in product_numbers:
        if number in context.store.products:
            context.store.index.stale(context.store.products[number])


def _join(collection: Collection, number: int) -> bool:
    if number in collection.product_ids:
        return False
    collection.product_ids.append(number)
    return True


# --- fields ---------------------------------------------------------------------------------------------


def _input(arguments: dict[str, Any], name: str) -> dict[str, Any]:
    given = [key for key in ("input", "collection") if arguments.get(key) is not None]
    if len(given) != 1:
        raise invalid_arguments(f"{name} must include exactly one of the following arguments: input, collection.")
    return dict(arguments[given[0]])


def _refused(errors: UserErrors) -> dict[str, Any]:
    return {"collection": None, "job": None, "userErrors": errors}


def _field_errors(given: dict[str, Any], collection: Collection | None, context: Context) -> UserErrors:
    errors: UserErrors = []
    if (collection is None or "title" in given) and not (given.get("title") or "").strip():
        errors.append(user_error(["title"], "Title can't be blank"))
    if too_long(given.get("title")):
        errors.append(user_error(["title"], f"Title {TOO_LONG}"))
    if too_long(given.get("handle")):
        errors.append(user_error(["handle"], f"Handle {TOO_LONG}"))
    elif given.get("handle") and handles.from_text(given["handle"]) in _others(collection, context):
        errors.append(user_error(["handle"], "Handle has already been taken"))
    return errors


def _others(collection: Collection | None, context: Context) -> dict[str, int]:
    return {handle: number for handle, number in context.store.collection_handles.items()
            if collection is None or number != collection.id}


def _rename(collection: Collection, handle: str, context: Context) -> None:
    context.store.collection_handles.pop(collection.handle, None)
    collection.handle = handle
    context.store.collection_handles[handle] = collection.id


def _write(collection: Collection, given: dict[str, Any], context: Context) -> None:
    if given.get("title") is not None:
        collection.title = given["title"].strip() if context.store.behaviour.trims_titles else given["title"]
    if given.get("descriptionHtml") is not None:
        collection.description_html = given["descriptionHtml"]
    if given.get("sortOrder") is not None:
        collection.sort_order = given["sortOrder"]
    if "templateSuffix" in given:
        collection.template_suffix = given["templateSuffix"]
    if given.get("seo") is not None:
        collection.seo = {**collection.seo, **{key: value or None for key, value in given["seo"].items()}}
    if "image" in given:
        image = given["image"]
        collection.image = {"__typename": "Image", "id": image.get("id"), "altText": image.get("altText"),
                            "url": image.get("src"), "width": None, "height": None} if image else None


def _rule_set(given: dict[str, Any]) -> dict[str, Any]:
    return {"appliedDisjunctively": bool(given.get("appliedDisjunctively")), "rules": [
        {"column": rule["column"], "relation": rule["relation"], "condition": rule["condition"],
         "conditionObject": None} for rule in given["rules"]]}

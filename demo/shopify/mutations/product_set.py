"""productSet: declares a whole product; lists that are given replace what was there (facts §5)."""
from __future__ import annotations

from typing import Any

from .. import handles
from ..context import Context
from ..errors import user_error
from ..model import Product, Variant
from ..reads.roots import identified
from . import metafields
from .base import TOO_LONG, UserErrors, mutation, too_long, wanted
from .inputs import amount
from .products import check_category, store_handles_without, wished_handle, write_fields
from .variants import forget_unused_values, option_of, write_variant

MOST_QUANTITIES = 50_000


@mutation("productSet")
def product_set(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    store, given, identifier = context.store, arguments["input"], arguments.get("identifier")

    def refused(*errors: dict[str, Any]) -> dict[str, Any]:
        return {"product": None, "productSetOperation": None, "userErrors": list(errors)}

    product: Product | None = None
    if identifier:
        if given.get("id"):
            return refused(user_error(["input"], "The id field is not allowed if identifier is provided.",
                                      "ID_NOT_ALLOWED"))
        product = identified(context, "Product", identifier)
        if product is None and identifier.get("id"):
            return refused(user_error(["identifier", "id"], "Product does not exist", "PRODUCT_DOES_NOT_EXIST"))
    elif given.get("id"):
        product = wanted(context, given["id"], "Product")
        if product is None:
            return refused(user_error(["input", "id"], "Product does not exist", "PRODUCT_DOES_NOT_EXIST"))
    check_category(given, context)
    if given.get("productOptions") is not None and given.get("variants") is None:
        return refused(user_error(["input", "variants"], "Variants input is required when updating product options",
                                  "VARIANTS_INPUT_MISSING"))
    errors = _errors(given, product, context)
    if errors:
        return {**refused(*errors), "product": product}
    if product is None:
        wish = given.get("handle") or (identifier or {}).get("handle")
        product = store.add_product(given["title"].strip(), vendor=store.shop.name,
                                    handle=handles.from_text(wish or "") or store.free_handle(given["title"]))
        if not given.get("variants"):
            store.add_default_variant(product)
    elif "handle" in given:
        store.set_handle(product, wished_handle(product, given, context))
    write_fields(product, given, context)
    if given.get("collections") is not None:
        _set_collections(product, given["collections"], context)
    if given.get("productOptions") is not None:
        _set_options(product, given["productOptions"], context)
    if given.get("variants"):
        _set_variants(product, given["variants"], context)
    if given.get("metafields") is not None:
        kept = {(row.get("namespace"), row.get("key")) for row in given["metafields"]}
        for place in [place for place in store.metafields.keys_of(product.gid) if place[1:] not in kept]:
            del store.metafields[place]
        metafields.write_inputs(product.gid, given["metafields"], context)
    store.touch(product)
    if arguments.get("synchronous") is False:
        operation = store.start_operation("ProductSetOperation", product)
        return {"product": None, "productSetOperation": operation, "userErrors": []}
    return {"product": product, "productSetOperation": None, "userErrors": []}


def _errors(given: dict[str, Any], product: Product | None, context: Context) -> UserErrors:
    errors: UserErrors = []
    if (product is None and not (given.get("title") or "").strip()) or given.get("title", "x") == "":
        errors.append(user_error(["input", "title"], "Title can't be blank", "INVALID_PRODUCT"))
    title_too_long = too_long(given.get("title"))
    if title_too_long:
        errors.append(user_error(["input", "title"], TOO_LONG, "INVALID_PRODUCT"))
    handle = given.get("handle")
    if too_long(handle) or (title_too_long and product is None and not handle):
        errors.append(user_error(["input"], f"Handle {TOO_LONG}", "INVALID_PRODUCT"))
    elif handle and handles.from_text(handle) in store_handles_without(product, context):
        errors.append(user_error(["input", "handle"], f"Handle '{handle}' already in use. Please provide a new handle.",
                                 "HANDLE_NOT_UNIQUE"))
    if too_long(given.get("vendor")):
        errors.append(user_error(["input"], f"Vendor {TOO_LONG}", "INVALID_PRODUCT"))
    if too_long(given.get("productType")):
        errors.append(user_error(["input"], f"Product type {TOO_LONG}", "INVALID_PRODUCT"))
        errors.append(user_error(["input"], f"Custom product type {TOO_LONG}", "INVALID_PRODUCT"))
    if any(too_long(tag.strip()) for tag in given.get("tags") or ()):
        errors.append(user_error(["input"], "Product tags is invalid", "INVALID_PRODUCT"))
    variants = given.get("variants") or []
    if sum(len(row.get("inventoryQuantities") or ()) for row in variants) > MOST_QUANTITIES:
        errors.append(user_error(["input", "variants"], f"Cannot set more than {MOST_QUANTITIES} inventory quantities.",
                                 "INVENTORY_QUANTITIES_LIMIT_EXCEEDED"))
    for index, row in enumerate(variants):
        errors += _variant_errors(row, ["input", "variants", str(index)], given, product, context)
    return errors + metafields.input_errors(given.get("metafields"), context, ["input", "metafields"], "PRODUCT",
                                            product.gid if product else None)


def _variant_errors(row: dict[str, Any], here: list[str], given: dict[str, Any], product: Product | None,
                    context: Context) -> UserErrors:
    errors: UserErrors = []
    cost, price = amount((row.get("inventoryItem") or {}).get("cost")), amount(row.get("price"))
    for value, path, name in ((cost, ["inventoryItem", "cost"], "Cost per item"), (price, ["price"], "Price")):
        if value is not None and value < 0:
            errors.append(user_error([*here, *path], f"{name} must be greater than or equal to 0", "INVALID_VARIANT"))
        elif value is not None and value >= 10 ** 18:
            errors.append(user_error([*here, *path], f"{name} must be less than {10 ** 18}", "INVALID_VARIANT"))
    if row.get("id") and (product is None or not any(each.gid == row["id"] for each in product.variant_list)):
        errors.append(user_error([*here, "id"], "Product variant does not exist", "PRODUCT_VARIANT_DOES_NOT_EXIST"))
    if given.get("productOptions") is not None:
        names = [option.get("name") for option in given["productOptions"]]
    else:
        names = [option.name for option in product.option_list] if product else ["Title"]
    for place, value in enumerate(row.get("optionValues") or ()):
        if value.get("optionName") is not None and value["optionName"] not in names:
            errors.append(user_error([*here, "optionValues", str(place)], "Option does not exist",
                                     "OPTION_DOES_NOT_EXIST"))
    for place, quantity in enumerate(row.get("inventoryQuantities") or ()):
        if wanted(context, quantity["locationId"], "Location") is None:
            errors.append(user_error([*here, "inventoryQuantities", str(place), "locationId"],
                                     "The specified location could not be found.", "INVALID_VARIANT"))
    return errors


def _set_collections(product: Product, global_ids: list[str], context: Context) -> None:
    for collection in context.store.collections.values():
        if collection.rule_set is None:
            inside = product.id in collection.product_ids
            if collection.gid in global_ids and not inside:
                collection.product_ids.append(product.id)
            elif inside and collection.gid not in global_ids:
                collection.product_ids.remove(product.id)


def _set_options(product: Product, rows: list[dict[str, Any]], context: Context) -> None:
    store = context.store
    kept = []
    for row in rows:
        option = next((each for each in product.option_list if each.gid == row.get("id")), None) or (
            product.option_named(row["name"]) if row.get("name") else None)
        if option is None:
            option = store.add_option(product, row["name"])
        option.name = row.get("name") or option.name
        values = []
        for value in row.get("values") or ():
            known = next((each for each in option.option_values if each.gid == value.get("id")), None)
            if known is not None and value.get("name"):
                known.name = value["name"]
            values.append(known or store.option_value(option, value["name"]))
        if row.get("values") is not None:
            option.option_values = values
        kept.append(option)
    product.option_list = kept


def _set_variants(product: Product, rows: list[dict[str, Any]], context: Context) -> None:
    store = context.store
    if not product.option_list:
        store.add_option(product, "Title", [])
    kept: list[Variant] = []
    for row in rows:
        chosen = {}
        for value in row["optionValues"]:
            option = option_of(product, value)
            if option is not None:
                known = next((each for each in option.option_values if each.gid == value.get("id")), None)
                chosen[option.id] = (known or store.option_value(option, value.get("name") or "")).id
        variant = next((each for each in product.variant_list if each.gid == row.get("id")), None) or next(
            (each for each in product.variant_list if each not in kept and
             {key: each.chosen.get(key) for key in chosen} == chosen), None)
        quantities = row.get("inventoryQuantities")
        if variant is None:
            variant = store.add_variant(product, chosen, stocked=not quantities)
        variant.chosen = chosen
        write_variant(variant, row, context)
        if row.get("sku") is not None:
            variant.inventory_item.sku = row["sku"]
        for quantity in quantities or ():
            location = wanted(context, quantity["locationId"], "Location")
            level = store.stock_at(variant.inventory_item, location)
            store.change_quantity(level, "available", quantity["quantity"] - level.quantity(quantity["name"]))
        kept.append(variant)
        store.touch(variant)
    for variant in [each for each in product.variant_list if each not in kept]:
        store.remove_variant(variant)
        forget_unused_values(product, variant)
    product.variant_list = kept

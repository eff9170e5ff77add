"""Copies of products and the order of their variants and options: productDuplicate, -VariantsBulkReorder,
-OptionsReorder."""
from __future__ import annotations

from typing import Any

from .. import jobs
from ..context import Context
from ..errors import user_error
from .base import TOO_LONG, UserErrors, mutation, too_long, wanted

_GONE = "Product does not exist"


@mutation("productDuplicate")
def duplicate(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    """A product like another: its own ids, handle and empty stock; SKUs and barcodes come along."""
    store = context.store
    like = wanted(context, arguments["productId"], "Product")
    payload: dict[str, Any] = {"newProduct": None, "imageJob": None, "productDuplicateOperation": None,
                               "shop": store.shop, "userErrors": []}
    title = arguments["newTitle"].strip()
    if like is None:
        return {**payload, "userErrors": [user_error(["productId"], _GONE)]}
    if not title or too_long(title):
        return {**payload, "userErrors": [user_error(
            ["newTitle"], f"Title {TOO_LONG}" if title else "Title can't be blank")]}
    made = store.add_product(title, handle=store.free_handle(title), vendor=like.vendor)
    for name in ("description_html", "product_type", "template_suffix", "category", "is_gift_card",
                 "gift_card_template_suffix", "requires_selling_plan"):
        setattr(made, name, getattr(like, name))
    made.tags, made.seo = list(like.tags), dict(like.seo)
    made.status = arguments.get("newStatus") or like.status
    if arguments.get("includeImages"):
        made.image_url = like.image_url
    values: dict[int, tuple[int, int]] = {}  # of the old product: value -> (option, value) of the new one
    for option in like.option_list:
        twin = store.add_option(made, option.name, [value.name for value in option.option_values])
        values |= {value.id: (twin.id, new.id) for value, new in zip(option.option_values, twin.option_values,
                                                                     strict=True)}
    for variant in like.variant_list:
        twin = store.add_variant(made, dict(values[value] for value in variant.chosen.values()))
        for name in ("price", "compare_at_price", "barcode", "inventory_policy", "taxable"):
            setattr(twin, name, getattr(variant, name))
        for name in ("sku", "tracked", "requires_shipping", "cost", "weight_value", "weight_unit",
                     "country_code_of_origin", "province_code_of_origin", "harmonized_system_code"):
            if hasattr(variant.inventory_item, name):
                setattr(twin.inventory_item, name, getattr(variant.inventory_item, name))
    store.touch(made, *made.variant_list)
    return {**payload, "newProduct": made, "imageJob": jobs.started(store) if arguments.get("includeImages") else None}


@mutation("productVariantsBulkReorder")
def reorder_variants(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    product = wanted(context, arguments["productId"], "Product")
    if product is None:
        return {"product": None, "userErrors": [user_error(["productId"], _GONE, "PRODUCT_DOES_NOT_EXIST")]}
    known = {variant.gid: variant for variant in product.variant_list}
    errors: UserErrors = []
    seen: set[str] = set()
    for place, row in enumerate(arguments["positions"]):
        here = ["positions", str(place)]
        if row["id"] not in known:
            errors.append(user_error([*here, "id"], "Product variant does not exist", "MISSING_VARIANT"))
        elif row["id"] in seen:
            errors.append(user_error([*here, "id"], "Product variant IDs must be unique", "DUPLICATED_VARIANT_ID"))
        elif row["position"] < 1:
            errors.append(user_error([*here, "position"], "Product variant position cannot be zero or negative number",
                                     "INVALID_POSITION"))
        seen.add(row["id"])
    if errors:
        return {"product": product, "userErrors": errors}
    for row in sorted(arguments["positions"], key=lambda row: int(row["position"])):
        variant = known[row["id"]]
        product.variant_list.remove(variant)
        product.variant_list.insert(row["position"] - 1, variant)
    context.store.touch(product, *product.variant_list)
    return {"product": product, "userErrors": []}


@mutation("productOptionsReorder")
def reorder_options(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    """Options and their values, in a new order; the variants come in the order of their values after it."""
    product = wanted(context, arguments["productId"], "Product")
    if product is None:
        return {"product": None, "userErrors": [user_error(["productId"], _GONE, "PRODUCT_DOES_NOT_EXIST")]}
    errors: UserErrors = []
    order = []
    for place, row in enumerate(arguments["options"]):
        option = _named(product.option_list, row)
        if option is None:
            word = "OPTION_ID_DOES_NOT_EXIST" if row.get("id") else "OPTION_NAME_DOES_NOT_EXIST"
            what = f"ID `{row['id'].rsplit('/', 1)[-1]}`" if row.get("id") else f"name `{row.get('name')}`"
            errors.append(user_error(["options", str(place), "id" if row.get("id") else "name"],
                                     f"The option with {what} specified for the product is not found.", word))
        else:
            order.append((option, row))
    if not errors and len(order) != len(product.option_list):
        errors.append(user_error(["options"], "There are options missing in the input.", "MISSING_OPTION_NAME"))
    if errors:
        return {"product": product, "userErrors": errors}
    for option, row in order:
        first = [value for wish in row.get("values") or () if (value := _named(option.option_values, wish)) is not None]
        option.option_values = first + [value for value in option.option_values if value not in first]
    product.option_list[:] = [option for option, _ in order]
    places = {value.id: place for option in product.option_list for place, value in enumerate(option.option_values)}
    product.variant_list.sort(key=lambda variant: [places[variant.chosen[option.id]] for option in product.option_list])
    context.store.touch(product, *product.variant_list)
    return {"product": product, "userErrors": []}


def _named(things: list[Any], row: dict[str, Any]) -> Any:
    """The option or value that a row names by id or by name."""
    return next((each for each in things if (each.gid == row["id"] if row.get("id") else each.name == row.get("name"))),
                None)

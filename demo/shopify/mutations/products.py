"""productCreate, productUpdate, productDelete and productChangeStatus."""
from __future__ import annotations

from typing import Any

from .. import handles
from ..context import Context
from ..errors import TopLevelError, invalid_arguments, user_error
from ..model import Collection, Product
from ..reads.roots import identified
from ..smart import is_smart
from . import metafields, option_inputs
from .base import TOO_LONG, UserErrors, mutation, too_long, wanted
from .inputs import clean_tags

_GONE = "Product does not exist"


@mutation("productCreate")
def product_create(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given = _input(arguments, "productCreate")
    store = context.store

    def refused(errors: UserErrors) -> dict[str, Any]:
        return {"product": None, "shop": store.shop, "userErrors": errors}

    if given.get("id"):
        return refused([user_error(["input"], "id cannot be specified during creation")])
    check_category(given, context)
    errors = field_errors(given, context, creating=True)
    errors += option_inputs.create_errors(given.get("productOptions"), ["productOptions"])
    errors += metafields.input_errors(given.get("metafields"), context, ["metafields"], "PRODUCT")
    if errors:
        return refused(errors)
    product = store.add_product(_titled(given["title"], context), handle=_new_handle(given, context),
                                vendor=store.shop.name)
    write_fields(product, given, context)
    for media in (arguments.get("media") or [])[:1]:
        product.image_url, product.image_pending = media["originalSource"], 1
    options = given.get("productOptions")
    if options:
        for option in options:
            store.add_option(product, option["name"], [value["name"] for value in option.get("values") or []])
        first = {option.id: option.option_values[0].id for option in product.option_list}
        store.add_variant(product, first)
    else:
        store.add_default_variant(product)
    if product.is_gift_card:
        for variant in product.variant_list:
            variant.taxable, variant.inventory_item.requires_shipping = False, False
    metafields.write_inputs(product.gid, given.get("metafields"), context)
    return {"product": product, "shop": store.shop, "userErrors": []}


@mutation("productUpdate")
def product_update(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given = _input(arguments, "productUpdate")
    if arguments.get("identifier"):
        if given.get("id"):
            return {"product": None, "userErrors": [
                user_error(["product"], "The id field is not allowed if identifier is provided.")]}
        product = identified(context, "Product", arguments["identifier"])
    elif given.get("id"):
        product = wanted(context, given["id"], "Product")
    else:
        product = None
    if product is None:
        return {"product": None, "userErrors": [user_error(["id"], _GONE)]}
    check_category(given, context)
    errors = field_errors(given, context, product=product)
    errors += metafields.input_errors(given.get("metafields"), context, ["metafields"], "PRODUCT", product.gid)
    if errors:
        return {"product": product, "userErrors": errors}
    before = _state(product)
    if "handle" in given:
        context.store.set_handle(product, wished_handle(product, given, context))
    write_fields(product, given, context)
    metafields.write_inputs(product.gid, given.get("metafields"), context)
    if _state(product) != before:
        context.store.touch(product)
        for variant in product.variant_list:
            context.store.index.stale(variant)
    return {"product": product, "userErrors": []}


@mutation("productDelete")
def product_delete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    store = context.store
    store.settle_operations()
    product = wanted(context, arguments["input"]["id"], "Product")
    payload: dict[str, Any] = {"deletedProductId": None, "productDeleteOperation": None, "shop": store.shop,
                               "userErrors": []}
    if product is None:
        return {**payload, "userErrors": [user_error(["id"], _GONE)]}
    running = any(operation.product_id == product.id and operation.status != "COMPLETE"
                  for operation in store.operations.values())
    if running:
        return {**payload, "userErrors": [user_error(
            None, "Another operation already in progress. Please wait until current one is finished.")]}
    if arguments.get("synchronous") is False:
        return {**payload, "productDeleteOperation": store.start_operation("ProductDeleteOperation", product)}
    store.remove_product(product)
    return {**payload, "deletedProductId": product.gid}


@mutation("productChangeStatus")
def product_change_status(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    product = wanted(context, arguments["productId"], "Product")
    if product is None:
        return {"product": None, "userErrors": [user_error(["productId"], _GONE, "PRODUCT_NOT_FOUND")]}
    if product.status != arguments["status"]:
        product.status = arguments["status"]
        context.store.touch(product)
    return {"product": product, "userErrors": []}


def _input(arguments: dict[str, Any], name: str) -> dict[str, Any]:
    given = [key for key in ("input", "product") if arguments.get(key) is not None]
    if len(given) != 1:
        raise invalid_arguments(f"{name} must include exactly one of the following arguments: input, product.")
    return dict(arguments[given[0]])


def check_category(given: dict[str, Any], context: Context) -> None:
    """An unknown taxonomy id is no user error but a top-level one."""
    if given.get("category") and given["category"] not in context.store.taxonomy:
        raise TopLevelError("Invalid product_taxonomy_node_id", "INVALID_PRODUCT_TAXONOMY_NODE_ID")


def field_errors(given: dict[str, Any], context: Context, *, creating: bool = False,
                 product: Product | None = None) -> UserErrors:
    """What productCreate and productUpdate refuse, in their words."""
    errors: UserErrors = []
    if (creating or "title" in given) and not (given.get("title") or "").strip():
        errors.append(user_error(["title"], "Title can't be blank"))
    if too_long(given.get("title")):
        errors.append(user_error(["title"], f"Title {TOO_LONG}"))
    handle = given.get("handle")
    if too_long(handle):
        errors.append(user_error(["handle"], f"Handle {TOO_LONG}"))
    elif handle and handles.from_text(handle) in store_handles_without(product, context):
        errors.append(user_error(["input", "handle"],
                                 f"Handle '{handle}' already in use. Please provide a new handle."))
    if too_long(given.get("vendor")):
        errors.append(user_error(["vendor"], f"Vendor {TOO_LONG}"))
    if too_long(given.get("productType")):
        errors.append(user_error(["productType"], f"Product type {TOO_LONG}"))
        errors.append(user_error(["customProductType"], f"Custom product type {TOO_LONG}"))
    if any(too_long(tag.strip()) for tag in given.get("tags") or ()):
        errors.append(user_error(["tags"], "Product tags is invalid"))
    return errors


def store_handles_without(product: Product | None, context: Context) -> dict[str, int]:
    """The handles that other products have."""
    taken = context.store.product_handles
    return taken if product is None else {handle: id for handle, id in taken.items() if id != product.id}


def wished_handle(product: Product, given: dict[str, Any], context: Context) -> str:
    """The handle of a product after an update: blank means made from the title again, signs only `product`."""
    wish = given["handle"] or ""
    stem = "product" if wish.strip() else given.get("title") or product.title
    return handles.from_text(wish) or context.store.free_handle(stem, store_handles_without(product, context))


def _new_handle(given: dict[str, Any], context: Context) -> str | None:
    """The handle wished for; a wish of signs only becomes `product`, a blank one None: made from the title."""
    wish = given.get("handle")
    if not (wish or "").strip():
        return context.store.free_handle(given["title"])
    return handles.from_text(wish) or context.store.free_handle("product")


def write_fields(product: Product, given: dict[str, Any], context: Context) -> None:
    """Write the plain fields that are given; the rest stays."""
    store = context.store
    if given.get("title") is not None:
        product.title = _titled(given["title"], context)
    if given.get("descriptionHtml") is not None:
        product.description_html = given["descriptionHtml"]
    if "vendor" in given:
        product.vendor = (given["vendor"] or "").strip() or store.shop.name
    if "productType" in given:
        product.product_type = (given["productType"] or "").strip()
    if given.get("tags") is not None:
        product.tags = clean_tags(given["tags"], split=store.behaviour.splits_commas_in_tag_lists)
    if given.get("status") is not None:
        product.status = given["status"]
    if given.get("seo") is not None:
        product.seo = {**product.seo, **{key: value or None for key, value in given["seo"].items()}}
    for name, attribute in (("templateSuffix", "template_suffix"),
                            ("giftCardTemplateSuffix", "gift_card_template_suffix"), ("category", "category"),
                            ("combinedListingRole", "combined_listing_role")):
        if name in given:
            setattr(product, attribute, given[name])
    if given.get("giftCard") is not None:
        product.is_gift_card = given["giftCard"]
    if given.get("requiresSellingPlan") is not None:
        product.requires_selling_plan = given["requiresSellingPlan"]
    _memberships(product, given, context)


def _memberships(product: Product, given: dict[str, Any], context: Context) -> None:
    for name, joins in (("collectionsToJoin", True), ("collectionsToLeave", False)):
        for global_id in given.get(name) or ():
            collection = wanted(context, global_id, "Collection")
            takes = context.store.behaviour.smart_collections_take_products
            if isinstance(collection, Collection) and (takes or not is_smart(collection)):
                inside = product.id in collection.product_ids
                if joins and not inside:
                    collection.product_ids.append(product.id)
                elif inside and not joins:
                    collection.product_ids.remove(product.id)
                context.store.touch(collection)


def _titled(title: str, context: Context) -> str:
    return title.strip() if context.store.behaviour.trims_titles else title


def _state(product: Product) -> list[Any]:
    return [product.title, product.handle, product.description_html, product.vendor, product.product_type,
            product.status, list(product.tags), dict(product.seo), product.template_suffix, product.category,
            product.gift_card_template_suffix, product.is_gift_card, product.requires_selling_plan]

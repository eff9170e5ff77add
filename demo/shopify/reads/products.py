"""Products and variants as they are read."""
from __future__ import annotations

import html
import re
from decimal import Decimal
from typing import Any

from ..connections import Window, window
from ..context import Context
from ..ids import gid
from ..model import Item, Option, OptionValue, Product, Variant
from ..registry import resolves
from .lists import _sort_value, counted
from .shared import image, money_v2

_VARIANT_KEYS = {"POSITION": "position", "TITLE": "title", "NAME": "title", "FULL_TITLE": "full_title", "SKU": "sku",
                 "INVENTORY_QUANTITY": "inventory_quantity", "INVENTORY_LEVELS_AVAILABLE": "inventory_quantity",
                 "INVENTORY_MANAGEMENT": "managed", "INVENTORY_POLICY": "policy"}


@resolves("Product", "variants")
def variants(product: Product, arguments: dict[str, Any], context: Context) -> Window:
    from ..index import document  # fresh values, not the index's: a product's own list never lags
    name = _VARIANT_KEYS.get(arguments.get("sortKey", "POSITION"))
    if name is None:
        return window(product.variant_list, arguments, most=2048)
    if name == "position":
        places = {variant.id: place for place, variant in enumerate(product.variant_list, 1)}
        return window(product.variant_list, arguments, key=lambda variant: places[variant.id], most=2048)
    return window(product.variant_list, arguments, most=2048,
                  key=lambda variant: _sort_value(document(context.store, variant).get(name)))


@resolves("Product", "variantsCount")
def variants_count(product: Product, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return counted(len(product.variant_list), {})


@resolves("Product", "totalVariants")
def total_variants(product: Product, arguments: dict[str, Any], context: Context) -> int:
    return len(product.variant_list)


@resolves("Product", "options")
def options(product: Product, arguments: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    shown = [option_view(product, option) for option in product.option_list]
    return shown[:arguments["first"]] if arguments.get("first") is not None else shown


def option_view(product: Product, option: Option) -> dict[str, Any]:
    used = {variant.chosen.get(option.id) for variant in product.variant_list}
    values = [value_view(product, option, value) for value in option.option_values]
    return {"__typename": "ProductOption", "id": option.gid, "name": option.name, "linkedMetafield": None,
            "position": product.option_list.index(option) + 1, "optionValues": values, "translations": [],
            "values": [value.name for value in option.option_values if value.id in used]}


def value_view(product: Product, option: Option, value: OptionValue) -> dict[str, Any]:
    return {"__typename": "ProductOptionValue", "id": value.gid, "name": value.name, "linkedMetafieldValue": None,
            "hasVariants": any(variant.chosen.get(option.id) == value.id for variant in product.variant_list),
            "swatch": None, "translations": []}


@resolves("Product", "totalInventory")
def total_inventory(product: Product, arguments: dict[str, Any], context: Context) -> int:
    return context.store.total_inventory(product)


@resolves("Product", "tracksInventory")
def tracks_inventory(product: Product, arguments: dict[str, Any], context: Context) -> bool:
    return any(variant.inventory_item.tracked for variant in product.variant_list)


@resolves("Product", "hasOnlyDefaultVariant")
def has_only_default_variant(product: Product, arguments: dict[str, Any], context: Context) -> bool:
    return len(product.variant_list) == 1 and context.store.is_default_variant(product.variant_list[0])


@resolves("Product", "hasOutOfStockVariants")
def has_out_of_stock_variants(product: Product, arguments: dict[str, Any], context: Context) -> bool:
    return any(variant.inventory_item.tracked and context.store.available(variant) <= 0
               for variant in product.variant_list)


@resolves("Product", "hasVariantsThatRequiresComponents")
def has_variants_that_require_components(product: Product, arguments: dict[str, Any], context: Context) -> bool:
    return any(variant.requires_components for variant in product.variant_list)


@resolves("Product", "description")
@resolves("Collection", "description")
def description(product: Product, arguments: dict[str, Any], context: Context) -> str:
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", product.description_html))).strip()
    limit = arguments.get("truncateAt")
    return text if limit is None or len(text) <= limit else text[:max(0, limit - 3)] + "..."


@resolves("Product", "bodyHtml")
def body_html(product: Product, arguments: dict[str, Any], context: Context) -> str:
    return product.description_html


@resolves("Product", "customProductType")
def custom_product_type(product: Product, arguments: dict[str, Any], context: Context) -> str:
    return product.product_type


@resolves("Product", "category")
def category(product: Product, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    return context.store.taxonomy.get(product.category) if product.category else None


@resolves("QueryRoot", "taxonomy")
def taxonomy(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return {"__typename": "Taxonomy"}


@resolves("Taxonomy", "categories")
def categories(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    words = (arguments.get("search") or "").casefold().split()
    held = list(context.store.taxonomy.values())
    found = [place for place, each in enumerate(held) if all(word in each["fullName"].casefold() for word in words)]
    page = window(found, arguments, number=lambda place: place)
    page.nodes = [held[place] for place in page.nodes]
    return page


@resolves("Product", "collections")
def collections(product: Product, arguments: dict[str, Any], context: Context) -> Window:
    keys = {"TITLE": lambda each: each.title.lower(), "UPDATED_AT": lambda each: each.updated_at}
    return window(context.store.collections_of(product), arguments, key=keys.get(arguments.get("sortKey", "ID")))


@resolves("Product", "inCollection")
def in_collection(product: Product, arguments: dict[str, Any], context: Context) -> bool:
    return any(collection.gid == arguments["id"] for collection in context.store.collections_of(product))


@resolves("Product", "media", "images")
def media(product: Product, arguments: dict[str, Any], context: Context) -> Window:
    assert context.info is not None
    shown = media_of(product)
    if shown is None:
        return window([], arguments)
    return window([shown if context.info.field_name == "media" else shown["image"]], arguments,
                  number=lambda each: product.id)


@resolves("Product", "mediaCount")
def media_count(product: Product, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return counted(1 if product.image_url else 0, {})


@resolves("Product", "featuredImage")
def featured_image(product: Product, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    return image(product) if product.image_url else None


@resolves("Product", "featuredMedia")
def featured_media(product: Product, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    return media_of(product)


def media_of(product: Product) -> dict[str, Any] | None:
    if not product.image_url:
        return None
    shown: dict[str, Any] | None = image(product)
    status = "READY"
    if product.image_pending:
        product.image_pending -= 1
        shown, status = None, "PROCESSING"
    return {"__typename": "MediaImage", "id": gid("MediaImage", product.id), "alt": product.title,
            "mediaContentType": "IMAGE", "status": status, "image": shown,
            "preview": {"image": shown, "status": status}}


@resolves("Product", "priceRangeV2")
def price_range(product: Product, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    prices = [variant.price for variant in product.variant_list] or [Decimal(0)]
    currency = context.store.shop.currency_code
    return {"minVariantPrice": money_v2(min(prices), currency), "maxVariantPrice": money_v2(max(prices), currency)}


@resolves("Product", "priceRange")
def price_range_in_minor_units(product: Product, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    prices = [variant.price * 100 for variant in product.variant_list] or [Decimal(0)]
    currency = context.store.shop.currency_code
    return {"minVariantPrice": money_v2(min(prices), currency), "maxVariantPrice": money_v2(max(prices), currency)}


@resolves("Product", "compareAtPriceRange")
def compare_at_price_range(product: Product, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    prices = [variant.compare_at_price for variant in product.variant_list if variant.compare_at_price is not None]
    if not prices:
        return None
    currency = context.store.shop.currency_code
    return {"minVariantCompareAtPrice": money_v2(min(prices), currency),
            "maxVariantCompareAtPrice": money_v2(max(prices), currency)}


@resolves("Product", "onlineStoreUrl")
def online_store_url(product: Product, arguments: dict[str, Any], context: Context) -> str | None:
    if product.status != "ACTIVE" or product.published_at is None:
        return None
    return f"https://{context.store.shop.domain}/products/{product.handle}"


@resolves("Product", "onlineStorePreviewUrl")
def online_store_preview_url(product: Product, arguments: dict[str, Any], context: Context) -> str:
    return f"https://{context.store.shop.domain}/products/{product.handle}"


@resolves("Product", "defaultCursor")
@resolves("ProductVariant", "defaultCursor")
def default_cursor(thing: Product | Variant, arguments: dict[str, Any], context: Context) -> str:
    from ..connections import cursor
    return cursor(thing.id, thing.id)


@resolves("Product", "storefrontId")
@resolves("ProductVariant", "storefrontId")
def storefront_id(thing: Product | Variant, arguments: dict[str, Any], context: Context) -> str:
    return thing.gid


@resolves("Product", "publishedOnCurrentPublication", "publishedOnCurrentChannel")
@resolves("ProductVariant", "publishedOnCurrentPublication", "publishedOnCurrentChannel")
def published_here(thing: Product | Variant, arguments: dict[str, Any], context: Context) -> bool:
    return False  # the app is no sales channel


@resolves("Product", "combinedListing", "feedback", "giftCardSettings", "productCategory", "standardizedProductType")
def nothing(product: Product, arguments: dict[str, Any], context: Context) -> None:
    return None  # the store has no such thing, and Shopify answers null for it


# --- variants -------------------------------------------------------------------------------------------


@resolves("ProductVariant", "title")
def title(variant: Variant, arguments: dict[str, Any], context: Context) -> str:
    return context.store.variant_title(variant)


@resolves("ProductVariant", "displayName")
def display_name(variant: Variant, arguments: dict[str, Any], context: Context) -> str:
    return f"{variant.product.title} - {context.store.variant_title(variant)}"


@resolves("ProductVariant", "sku")
def sku(variant: Variant, arguments: dict[str, Any], context: Context) -> str | None:
    return variant.inventory_item.sku


@resolves("ProductVariant", "position")
def position(variant: Variant, arguments: dict[str, Any], context: Context) -> int:
    return variant.product.variant_list.index(variant) + 1


@resolves("ProductVariant", "inventoryQuantity")
def inventory_quantity(variant: Variant, arguments: dict[str, Any], context: Context) -> int:
    return context.store.available(variant)


@resolves("ProductVariant", "sellableOnlineQuantity")
def sellable_online_quantity(variant: Variant, arguments: dict[str, Any], context: Context) -> int:
    return max(0, context.store.available(variant))


@resolves("ProductVariant", "availableForSale")
def available_for_sale(variant: Variant, arguments: dict[str, Any], context: Context) -> bool:
    return (not variant.inventory_item.tracked or variant.inventory_policy == "CONTINUE"
            or context.store.available(variant) > 0)


@resolves("ProductVariant", "selectedOptions")
def selected_options(variant: Variant, arguments: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    return [{"name": option.name, "value": value.name, "optionValue": value_view(variant.product, option, value)}
            for option, value in context.store.option_values_of(variant)]


@resolves("ProductVariant", "image")
def variant_image(variant: Variant, arguments: dict[str, Any], context: Context) -> None:
    return None


@resolves("ProductVariant", "media")
def variant_media(variant: Variant, arguments: dict[str, Any], context: Context) -> Window:
    return window([], arguments)


@resolves("ProductVariant", "unitPrice")
def unit_price(variant: Variant, arguments: dict[str, Any], context: Context) -> None:
    return None


@resolves("InventoryItem", "variant")
def item_variant(item: Item, arguments: dict[str, Any], context: Context) -> Variant:
    return item.variant


@resolves("InventoryItem", "variants")
def item_variants(item: Item, arguments: dict[str, Any], context: Context) -> Window:
    return window([item.variant], arguments)

"""Draft orders and their lines as they are read (facts §9). The note is called `note2` here."""
from __future__ import annotations

from decimal import Decimal
from typing import Any

from ..connections import Window, window
from ..context import Context
from ..ids import gid, kind_of
from ..registry import resolves
from ..trade import Bag, DraftOrder, Line, discounted, total
from .lists import indexed_count, indexed_list
from .orders import bag, shipping_shown


@resolves("QueryRoot", "draftOrders")
def drafts(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    return indexed_list(context, "draft_order", arguments, context.store.drafts)


@resolves("QueryRoot", "draftOrdersCount")
def drafts_count(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return indexed_count(context, "draft_order", arguments, context.store.drafts)


@resolves("QueryRoot", "draftOrder")
def draft(source: Any, arguments: dict[str, Any], context: Context) -> DraftOrder | None:
    from ..errors import invalid_id
    if kind_of(arguments["id"]) != "DraftOrder":
        raise invalid_id(arguments["id"])
    found = context.store.thing(arguments["id"])
    return found if isinstance(found, DraftOrder) else None


_PLAIN: dict[str, Any] = {
    "note2": lambda d: d.note, "currencyCode": lambda d: d.currency, "presentmentCurrencyCode": lambda d:
        d.seen_currency, "ready": lambda d: True, "reserveInventoryUntil": lambda d: d.reserve_until,
    "totalTax": lambda d: Decimal(0), "subtotalPrice": lambda d: d.subtotal().shop,
    "totalPrice": lambda d: d.total().shop, "totalShippingPrice": lambda d: d.shipping().shop,
    "totalWeight": lambda d: 0, "hasTimelineComment": lambda d: False, "taxLines": lambda d: [],
    "acceptAutomaticDiscounts": lambda d: False, "allowDiscountCodesInCheckout": lambda d: False,
    "allVariantPricesOverridden": lambda d: False, "anyVariantPricesOverridden": lambda d: False,
    "billingAddressMatchesShippingAddress": lambda d: d.billing_parts == d.shipping_parts, "discountCodes": lambda d:
        [], "totalQuantityOfLineItems": lambda d: sum(line.quantity for line in d.lines), "warnings": lambda d: [],
    "platformDiscounts": lambda d: [], "invoiceEmailTemplateSubject": lambda d: "{{ shop.name }} invoice {{ name }}",
    "defaultCursor": lambda d: str(d.id), "completedAt": lambda d: d.completed_at, "marketName": lambda d: None,
    "marketRegionCountryCode": lambda d: "NO", "transformerFingerprint": lambda d: None, "deposit": lambda d: None,
    "purchasingEntity": lambda d: d.customer}
_BAGS: dict[str, Any] = {
    "subtotalPriceSet": lambda d: d.subtotal(), "totalPriceSet": lambda d: d.total(), "totalTaxSet": lambda d: Bag(),
    "totalShippingPriceSet": lambda d: d.shipping(),
    "lineItemsSubtotalPrice": lambda d: total(line.unit_price.times(line.quantity) for line in d.lines),
    "totalLineItemsPriceSet": lambda d: total(line.unit_price.times(line.quantity) for line in d.lines),
    "totalDiscountsSet": lambda d: total(line.discount for line in d.lines) + d.discount(
        total(line.unit_price.times(line.quantity) - line.discount for line in d.lines))}


@resolves("DraftOrder", *_PLAIN)
def plain(draft: DraftOrder, arguments: dict[str, Any], context: Context) -> Any:
    assert context.info is not None
    return _PLAIN[context.info.field_name](draft)


@resolves("DraftOrder", *_BAGS)
def bags(draft: DraftOrder, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    assert context.info is not None
    return bag(_BAGS[context.info.field_name](draft), draft)


@resolves("DraftOrder", "invoiceUrl")
def invoice_url(draft: DraftOrder, arguments: dict[str, Any], context: Context) -> str | None:
    if draft.status == "COMPLETED":
        return None
    return f"https://{context.store.shop.domain}/{context.store.shop.id}/invoices/{draft.id:x}"


@resolves("DraftOrder", "shippingLine")
def shipping_line(draft: DraftOrder, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    return shipping_shown(draft.shipping_line, draft) if draft.shipping_line else None


@resolves("DraftOrder", "appliedDiscount")
def applied_discount(draft: DraftOrder, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    return _discount(draft.applied_discount, draft, total(
        line.unit_price.times(line.quantity) - line.discount for line in draft.lines))


def _discount(given: dict[str, Any] | None, draft: DraftOrder, price: Bag) -> dict[str, Any] | None:
    if not given:
        return None
    off = bag(discounted(given, price), draft)
    return {"__typename": "DraftOrderAppliedDiscount", "amount": off["shopMoney"]["amount"], "amountSet": off,
            "amountV2": off["shopMoney"], "description": given.get("description") or "", "title": given.get("title"),
            "value": given["value"], "valueType": given["valueType"]}


@resolves("DraftOrder", "lineItems")
def line_items(draft: DraftOrder, arguments: dict[str, Any], context: Context) -> Window:
    places = {line.id: place for place, line in enumerate(draft.lines)}
    page = window(draft.lines, arguments, key=lambda line: places[line.id])
    page.nodes = [line_shown(line, draft, context) for line in page.nodes]
    return page


@resolves("DraftOrder", "localizationExtensions", "localizedFields")
def empty(draft: DraftOrder, arguments: dict[str, Any], context: Context) -> Window:
    return window([], arguments)


def line_shown(line: Line, draft: DraftOrder, context: Context) -> dict[str, Any]:
    variant = line.variant if line.variant is not None and line.variant.id in context.store.variants else None
    name = f"{line.title} - {line.variant_title}" if line.variant_title else line.title
    whole = line.unit_price.times(line.quantity)
    unit, original = bag(line.unit_price, draft), bag(whole, draft)
    reduced = bag(whole - line.discount, draft)
    one = bag(line.unit_price - line.discount.times(1 / line.quantity), draft)
    return {"__typename": "DraftOrderLineItem", "id": gid("DraftOrderLineItem", line.id), "title": line.title,
            "name": name, "quantity": line.quantity, "sku": line.sku, "variantTitle": line.variant_title,
            "variant": variant, "product": variant.product if variant else None, "vendor": line.vendor,
            "custom": line.variant is None, "requiresShipping": line.requires_shipping, "taxable": line.taxable,
            "isGiftCard": False, "customAttributes": line.custom_attributes, "customAttributesV2": [],
            "originalUnitPriceSet": unit, "originalUnitPrice": line.unit_price.shop, "originalTotalSet": original,
            "originalTotal": whole.shop, "originalUnitPriceWithCurrency": unit["shopMoney"],
            "discountedTotalSet": reduced, "discountedTotal": (whole - line.discount).shop,
            "discountedUnitPriceSet": one,
            "discountedUnitPrice": one["shopMoney"]["amount"], "approximateDiscountedUnitPriceSet": one,
            "totalDiscountSet": bag(line.discount, draft), "totalDiscount": line.discount.shop,
            "appliedDiscount": _discount(line.applied_discount, draft, line.unit_price), "taxLines": [], "image": None,
            "uuid": str(line.id), "weight": None, "grams": None, "components": [], "bundleComponents": [],
            "priceOverride": None, "fulfillmentService": None, **line.adopted}

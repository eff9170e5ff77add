"""Orders, their lines, payments and refunds as they are read (facts §9)."""
from __future__ import annotations

from datetime import timedelta
from typing import Any

from .. import addresses, people
from ..connections import Window, window
from ..context import Context
from ..ids import gid, number_of
from ..registry import resolves
from ..trade import Bag, DraftOrder, Line, Order, Refund, Transaction, total
from .lists import indexed_count, indexed_list
from .shared import money_v2

_WINDOW = timedelta(days=60)


def visible(context: Context) -> dict[int, Order]:
    """The orders that the token may see: without read_all_orders those of the last sixty days."""
    store = context.store
    if "read_all_orders" in store.scopes:
        return store.orders
    oldest = store.now() - _WINDOW
    return {number: order for number, order in store.orders.items() if order.created_at >= oldest}


@resolves("QueryRoot", "orders")
def orders(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    return indexed_list(context, "order", {"sortKey": "PROCESSED_AT", **arguments}, visible(context))


@resolves("QueryRoot", "ordersCount")
def orders_count(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return indexed_count(context, "order", arguments, visible(context))


@resolves("QueryRoot", "order")
def order(source: Any, arguments: dict[str, Any], context: Context) -> Order | None:
    from ..errors import invalid_id
    from ..ids import kind_of
    if kind_of(arguments["id"]) != "Order":
        raise invalid_id(arguments["id"])
    return visible(context).get(number_of(arguments["id"]) or 0)


@resolves("QueryRoot", "orderByIdentifier")
def order_by_identifier(source: Any, arguments: dict[str, Any], context: Context) -> Order | None:
    from .identify import by_custom_id
    identifier = arguments["identifier"]
    if identifier.get("id"):
        return visible(context).get(number_of(identifier["id"], "Order") or 0)
    found = by_custom_id(context, "Order", identifier["customId"])
    return found if isinstance(found, Order) else None


def bag(amount: Bag, thing: Order | DraftOrder) -> dict[str, Any]:
    return {"__typename": "MoneyBag", "shopMoney": money_v2(amount.shop, thing.currency),
            "presentmentMoney": money_v2(amount.seen, thing.seen_currency)}


_BAGS = {
    "totalPriceSet": lambda o: o.total(), "currentTotalPriceSet": lambda o: o.total(current=True),
    "originalTotalPriceSet": lambda o: o.total(), "subtotalPriceSet": lambda o: o.subtotal(),
    "currentSubtotalPriceSet": lambda o: o.subtotal(current=True), "totalTaxSet": lambda o: o.tax(),
    "currentTotalTaxSet": lambda o: o.tax(current=True), "totalShippingPriceSet": lambda o: o.shipping(),
    "currentShippingPriceSet": lambda o: o.shipping(),
    "totalDiscountsSet": lambda o: o.discount + total(line.discount for line in o.lines),
    "currentTotalDiscountsSet": lambda o: o.discount + total(line.discount for line in o.lines),
    "cartDiscountAmountSet": lambda o: o.discount, "currentCartDiscountAmountSet": lambda o: o.discount,
    "totalOutstandingSet": lambda o: o.outstanding(), "totalReceivedSet": lambda o: o.paid(),
    "netPaymentSet": lambda o: o.paid() - o.refunded(), "totalRefundedSet": lambda o: o.refunded(),
    "totalRefundedShippingSet": lambda o: Bag(), "totalTipReceivedSet": lambda o: Bag(),
    "refundDiscrepancySet": lambda o: Bag(),
    "totalCapturableSet": lambda o: total(each.amount for each in o.transactions if
                                          each.transaction_kind == "AUTHORIZATION") - o.paid()
    if o.financial_status() == "AUTHORIZED" else Bag()}
_AMOUNTS = {"totalPrice": "totalPriceSet", "subtotalPrice": "subtotalPriceSet", "totalTax": "totalTaxSet",
            "totalDiscounts": "totalDiscountsSet", "totalRefunded": "totalRefundedSet",
            "totalReceived": "totalReceivedSet", "totalShippingPrice": "totalShippingPriceSet",
            "netPayment": "netPaymentSet", "cartDiscountAmount": "cartDiscountAmountSet",
            "totalCapturable": "totalCapturableSet"}


@resolves("Order", *_BAGS)
def bags(order: Order, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    assert context.info is not None
    return bag(_BAGS[context.info.field_name](order), order)  # type: ignore[no-untyped-call]


@resolves("Order", *_AMOUNTS)
def amounts(order: Order, arguments: dict[str, Any], context: Context) -> Any:
    assert context.info is not None
    return _BAGS[_AMOUNTS[context.info.field_name]](order).shop  # type: ignore[no-untyped-call]


_PLAIN = {
    "displayFinancialStatus": lambda o: o.financial_status(), "closed": lambda o: o.closed_at is not None,
    "displayFulfillmentStatus": lambda o: o.fulfillment_status(), "currencyCode": lambda o: o.currency,
    "presentmentCurrencyCode": lambda o: o.seen_currency, "fullyPaid": lambda o: o.outstanding().shop <= 0,
    "unpaid": lambda o: o.paid().shop <= 0, "discountCode": lambda o: next(iter(o.discount_codes), None),
    "paymentGatewayNames": lambda o: list(dict.fromkeys(each.gateway for each in o.transactions if each.gateway)),
    "subtotalLineItemsQuantity": lambda o: sum(line.quantity for line in o.lines),
    "currentSubtotalLineItemsQuantity": lambda o: sum(line.current_quantity for line in o.lines),
    "canMarkAsPaid": lambda o: o.cancelled_at is None and o.outstanding().shop > 0,
    "fulfillable": lambda o: any(o.fulfillable(line) for line in o.lines), "edited": lambda o: False,
    "canNotifyCustomer": lambda o: o.email is not None, "capturable": lambda o: o.financial_status() == "AUTHORIZED",
    "refundable": lambda o: o.received() > 0, "restockable": lambda o: bool(o.lines),
    "requiresShipping": lambda o: any(line.requires_shipping for line in o.lines),
    "merchantEditable": lambda o: o.cancelled_at is None, "merchantEditableErrors": lambda o: [],
    "estimatedTaxes": lambda o: False, "dutiesIncluded": lambda o: False, "productNetwork": lambda o: False,
    "taxExempt": lambda o: False, "hasTimelineComment": lambda o: False, "returnStatus": lambda o: "NO_RETURN",
    "customerAcceptsMarketing": lambda o: False, "disputes": lambda o: [], "alerts": lambda o: [],
    "additionalFees": lambda o: [], "currentTotalWeight": lambda o: 0, "totalWeight": lambda o: 0,
    "billingAddressMatchesShippingAddress": lambda o: o.billing_parts == o.shipping_parts,
    "confirmationNumber": lambda o: f"C{o.id % 10 ** 8:08d}", "customerLocale": lambda o: "en",
    "transactionsCount": lambda o: {"count": len(o.transactions), "precision": "EXACT"},
    "fulfillmentsCount": lambda o: {"count": len(o.fulfillments), "precision": "EXACT"},
    "riskLevel": lambda o: o.risk_level or "LOW"}


@resolves("Order", *_PLAIN)
def plain(order: Order, arguments: dict[str, Any], context: Context) -> Any:
    assert context.info is not None
    return _PLAIN[context.info.field_name](order)  # type: ignore[no-untyped-call]


@resolves("Order", "statusPageUrl")
def status_page(order: Order, arguments: dict[str, Any], context: Context) -> str:
    return f"https://{context.store.shop.domain}/{context.store.shop.id}/orders/{order.id:x}/authenticate"


@resolves("Order", "risk")
def risk(order: Order, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    level = order.risk_level
    return {"__typename": "OrderRiskSummary", "recommendation": {"HIGH": "CANCEL", "MEDIUM": "INVESTIGATE",
                                                                 "LOW": "ACCEPT"}.get(level or "", "NONE"),
            "assessments": [{"riskLevel": level, "facts": [], "provider": None}] if level else []}


@resolves("Order", "cancellation")
def cancellation(order: Order, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    return {"staffNote": order.staff_note} if order.cancelled_at else None


_NULL = ("app", "attribution", "cartToken", "channel", "channelInformation", "checkoutToken", "clientIp",
         "customerJourney", "customerJourneySummary", "landingPageDisplayText", "landingPageUrl",
         "merchantOfRecordApp", "physicalLocation", "publication", "purchasingEntity", "referralCode",
         "referrerDisplayText", "referrerUrl", "registeredSourceUrl", "retailLocation", "shopifyProtect",
         "staffMember", "currentTotalAdditionalFeesSet", "currentTotalDutiesSet", "originalTotalAdditionalFeesSet",
         "originalTotalDutiesSet")


@resolves("Order", *_NULL)
def nothing(order: Order, arguments: dict[str, Any], context: Context) -> None:
    return None  # the store has no such thing, and Shopify answers null for it


@resolves("Order", "shippingAddress", "displayAddress")
@resolves("DraftOrder", "shippingAddress")
def shipping_address(thing: Order | DraftOrder, arguments: dict[str, Any], context: Context) -> Any:
    return _address(thing, thing.shipping_parts, 1)


@resolves("Order", "billingAddress")
@resolves("DraftOrder", "billingAddress")
def billing_address(thing: Order | DraftOrder, arguments: dict[str, Any], context: Context) -> Any:
    return _address(thing, thing.billing_parts, 2)


def _address(thing: Order | DraftOrder, parts: dict[str, Any] | None, place: int) -> dict[str, Any] | None:
    if parts is None:
        return None
    return addresses.shown({**dict.fromkeys((*addresses.PARTS, "country", "countryCodeV2", "province",
                                             "provinceCode")), **parts},
                           f"{gid('MailingAddress', thing.id * 10 + place)}?model_name=Address")


@resolves("Order", "customer")
@resolves("DraftOrder", "customer")
def customer(thing: Order | DraftOrder, arguments: dict[str, Any], context: Context) -> people.Customer | None:
    held = thing.customer
    return held if held is not None and held.id in context.store.customers else None


@resolves("Order", "taxLines", "currentTaxLines")
def tax_lines(order: Order, arguments: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    found: dict[tuple[Any, Any], Bag] = {}
    for tax in [*order.tax_lines, *(tax for line in order.lines for tax in line.tax_lines),
                *(tax for each in order.shipping_lines for tax in each["tax_lines"])]:
        key = (tax["title"], tax["rate"])
        found[key] = found.get(key, Bag()) + tax["price"]
    return [tax_shown({"title": title, "rate": rate, "price": price}, order)
            for (title, rate), price in found.items()]


def tax_shown(tax: dict[str, Any], thing: Order | DraftOrder) -> dict[str, Any]:
    rate = tax["rate"]
    return {"title": tax["title"], "rate": rate, "ratePercentage": None if rate is None else float(rate) * 100,
            "channelLiable": tax.get("channelLiable"), "price": tax["price"].shop, "source": None,
            "priceSet": bag(tax["price"], thing)}


@resolves("Order", "shippingLines")
def shipping_lines(order: Order, arguments: dict[str, Any], context: Context) -> Window:
    page = window(order.shipping_lines, arguments, number=lambda row: row["id"])
    page.nodes = [shipping_shown(row, order) for row in page.nodes]
    return page


@resolves("Order", "shippingLine")
def shipping_line(order: Order, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    return shipping_shown(order.shipping_lines[0], order) if order.shipping_lines else None


def shipping_shown(row: dict[str, Any], thing: Order | DraftOrder) -> dict[str, Any]:
    price = bag(row["price"], thing)
    return {"__typename": "ShippingLine", "id": gid("ShippingLine", row["id"]), "title": row["title"],
            "code": row.get("code"), "source": row.get("source"), "carrierIdentifier": None, "custom": True,
            "deliveryCategory": None, "phone": None, "price": row["price"].shop, "isRemoved": False,
            "originalPriceSet": price, "discountedPriceSet": price, "currentDiscountedPriceSet": price,
            "originalPrice": price["shopMoney"], "discountedPrice": price["shopMoney"], "discountAllocations": [],
            "shippingRateHandle": row.get("handle"),
            "taxLines": [tax_shown(tax, thing) for tax in row.get("tax_lines") or ()]}


@resolves("Order", "discountApplications")
def discount_applications(order: Order, arguments: dict[str, Any], context: Context) -> Window:
    return window([], arguments)


# --- lines ----------------------------------------------------------------------------------------------


@resolves("Order", "lineItems")
def line_items(order: Order, arguments: dict[str, Any], context: Context) -> Window:
    page = window(order.lines, arguments)
    page.nodes = [line_shown(line, order, context) for line in page.nodes]
    return page


@resolves("Order", "nonFulfillableLineItems")
def non_fulfillable(order: Order, arguments: dict[str, Any], context: Context) -> Window:
    page = window([line for line in order.lines if not order.fulfillable(line)], arguments)
    page.nodes = [line_shown(line, order, context) for line in page.nodes]
    return page


def line_shown(line: Line, order: Order, context: Context) -> dict[str, Any]:
    variant = line.variant if line.variant is not None and line.variant.id in context.store.variants else None
    unit, whole = bag(line.unit_price, order), bag(line.unit_price.times(line.quantity), order)
    each_off = line.discount.times(1 / line.quantity) if line.quantity else Bag()
    reduced = bag(line.unit_price.times(line.quantity) - line.discount, order)
    reduced_unit = bag(line.unit_price - each_off, order)
    left = order.fulfillable(line)
    name = f"{line.title} - {line.variant_title}" if line.variant_title else line.title
    return {"__typename": "LineItem", "id": line.gid, "title": line.title, "name": name, "quantity": line.quantity,
            "currentQuantity": line.current_quantity, "sku": line.sku, "variantTitle": line.variant_title,
            "vendor": line.vendor, "variant": variant, "product": variant.product if variant else None,
            "requiresShipping": line.requires_shipping, "taxable": line.taxable, "isGiftCard": False,
            "customAttributes": line.custom_attributes, "originalUnitPriceSet": unit, "originalTotalSet": whole,
            "originalUnitPrice": line.unit_price.shop, "originalTotal": line.unit_price.times(line.quantity).shop,
            "discountedTotalSet": reduced, "discountedTotal": reduced["shopMoney"]["amount"],
            "discountedUnitPriceSet": reduced_unit, "discountedUnitPriceAfterAllDiscountsSet": reduced_unit,
            "discountedUnitPrice": reduced_unit["shopMoney"]["amount"], "totalDiscountSet": bag(line.discount, order),
            "totalDiscount": line.discount.shop, "fulfillableQuantity": left, "unfulfilledQuantity": left,
            "nonFulfillableQuantity": line.current_quantity - left, "fulfillmentStatus":
                "fulfilled" if left == 0 else "unfulfilled", "refundableQuantity": line.current_quantity,
            "unfulfilledOriginalTotalSet": bag(line.unit_price.times(left), order),
            "unfulfilledDiscountedTotalSet": bag(line.unit_price.times(left), order),
            "restockable": variant is not None, "merchantEditable": True,
            "discountAllocations": [], "duties": [], "image": None, "lineItemGroup": None,
            "sellingPlan": None, "staffMember": None, "contract": None,
            "fulfillmentService": {"__typename": "FulfillmentService", "handle": "manual", "serviceName": "Manual",
                                   "id": gid("FulfillmentService", 1)},
            "taxLines": [tax_shown(tax, order) for tax in line.tax_lines], **line.adopted}


# --- money that moved -----------------------------------------------------------------------------------


@resolves("Order", "transactions")
def transactions(order: Order, arguments: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    return [transaction_shown(each, order) for each in order.transactions[:arguments.get("first")]]


def transaction_shown(each: Transaction, order: Order) -> dict[str, Any]:
    shown = bag(each.amount, order)
    return {"__typename": "OrderTransaction", "id": each.gid, "kind": each.transaction_kind, "status": each.status,
            "gateway": each.gateway, "formattedGateway": (each.gateway or "").replace("_", " ").capitalize(),
            "amountSet": shown, "amount": each.amount.shop, "amountV2": shown["shopMoney"], "test": each.test,
            "createdAt": each.created_at, "processedAt": each.created_at, "errorCode": None, "order": order,
            "manualPaymentGateway": each.gateway == "manual", "paymentId": f"#{order.number}.{each.id % 100}",
            "accountNumber": None, "authorizationCode": None, "authorizationExpiresAt": None, "receiptJson": None,
            "parentTransaction": transaction_shown(each.parent, order) if each.parent else None,
            "multiCapturable": False, "manuallyCapturable": each.transaction_kind == "AUTHORIZATION",
            "totalUnsettledSet": bag(each.amount if each.status == "PENDING" else Bag(), order), "fees": [],
            "paymentMethod": None, "paymentIcon": None, "paymentDetails": None, "user": None, "device": None}


@resolves("Order", "refunds")
def refunds(order: Order, arguments: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    return [refund_shown(each, order, context) for each in order.refunds[:arguments.get("first")]]


def refund_shown(each: Refund, order: Order, context: Context) -> dict[str, Any]:
    return {"__typename": "Refund", "id": each.gid, "legacyResourceId": str(each.id), "createdAt": each.created_at,
            "updatedAt": each.created_at, "note": each.note, "order": order,
            "totalRefundedSet": bag(each.amount, order),
            "totalRefunded": {"amount": each.amount.shop, "currencyCode": order.currency}, "staffMember": None,
            "return": None, "duties": [], "rows": (each, order)}


@resolves("Refund", "refundLineItems")
def refund_lines(shown: dict[str, Any], arguments: dict[str, Any], context: Context) -> Window:
    each, order = shown["rows"]
    page = window(each.rows, arguments, number=lambda row: row[0].id)
    page.nodes = [{"__typename": "RefundLineItem", "id": gid("RefundLineItem", line.id), "quantity": quantity,
                   "restockType": "RETURN", "restocked": True, "location": None,
                   "lineItem": line_shown(line, order, context),
                   "priceSet": bag(line.unit_price, order), "subtotalSet": bag(line.unit_price.times(quantity), order),
                   "totalTaxSet": bag(Bag(), order)} for line, quantity in page.nodes]
    return page


@resolves("Refund", "transactions")
def refund_transactions(shown: dict[str, Any], arguments: dict[str, Any], context: Context) -> Window:
    each, order = shown["rows"]
    mine = [one for one in order.transactions if one.transaction_kind == "REFUND" and one.amount == each.amount]
    page = window(mine, arguments)
    page.nodes = [transaction_shown(one, order) for one in page.nodes]
    return page


@resolves("Order", "paymentTerms")
@resolves("DraftOrder", "paymentTerms")
def payment_terms(thing: Order | DraftOrder, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    return thing.payment_terms


@resolves("Order", "localizationExtensions", "localizedFields")
def localized(order: Order, arguments: dict[str, Any], context: Context) -> Window:
    rows = [{"key": row["key"], "value": row["value"], "countryCode": row["key"][-2:],
             "purpose": row["key"].split("_")[0], "title": row["key"].replace("_", " ").capitalize()}
            for row in order.localized]
    return window(rows, arguments, number=rows.index)


@resolves("Order", "returns", "agreements")
def empty(order: Order, arguments: dict[str, Any], context: Context) -> Window:
    return window([], arguments)

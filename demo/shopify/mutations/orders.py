"""orderCreate, orderUpdate, orderDelete and the steps of an order's life (facts §9)."""
from __future__ import annotations

from decimal import Decimal
from typing import Any

from .. import addresses, jobs, people, trade
from ..context import Context
from ..errors import user_error
from ..model import Variant
from ..phones import e164, is_number
from ..reads.orders import bag, visible
from ..trade import Bag, Line, Order, Refund, Transaction
from . import metafields
from .base import TOO_LONG, UserErrors, mutation, too_long, wanted
from .inputs import clean_tags

_GONE = "Order does not exist"
_ONE_WORD = {"zip": "ZIP code", "lastName": "last name", "city": "city", "address1": "address"}


def found(context: Context, global_id: str) -> Order | None:
    """The order, None when it is gone or outside of what the token may see."""
    order = wanted(context, global_id, "Order")
    return order if order is not None and order.id in visible(context) else None


@mutation("orderCreate")
def order_create(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given, options, store = arguments["order"], arguments.get("options") or {}, context.store
    if not given.get("lineItems"):
        return {"order": None, "userErrors": [user_error(
            ["order", "lineItems"], "Line items must have at least one line item", "INVALID")]}
    errors: UserErrors = []
    for place, row in enumerate(given["lineItems"]):
        if row.get("variantId") and wanted(context, row["variantId"], "ProductVariant") is None:
            errors.append(user_error(["order", "lineItems", str(place), "variantId"], "Variant does not exist",
                                     "INVALID"))
        elif not row.get("variantId") and not (row.get("title") or "").strip():
            errors.append(user_error(["order", "lineItems", str(place), "title"], "Title can't be blank", "INVALID"))
    if errors:
        return {"order": None, "userErrors": errors}
    currency = given.get("currency") or _currency_of(given) or store.shop.currency_code
    order = trade.add_order(store, currency=currency, seen_currency=given.get("presentmentCurrency") or currency,
                            name=given.get("name"))
    order.email, order.phone = given.get("email"), given.get("phone")
    order.note, order.po_number = given.get("note"), given.get("poNumber")
    order.tags = clean_tags(given.get("tags") or ())
    order.custom_attributes = [{"key": row["key"], "value": row["value"]} for row in given.get("customAttributes")
                               or ()]
    order.test = bool(given.get("test"))
    order.source_name = given.get("sourceName") or str(store.app_id)
    order.source_identifier = given.get("sourceIdentifier")
    order.taxes_included = bool(given.get("taxesIncluded"))
    for key, attribute in (("shippingAddress", "shipping_parts"), ("billingAddress", "billing_parts")):
        if given.get(key):
            setattr(order, attribute, addresses.stored(given[key]))
    order.customer = _customer(given, context)
    order.lines = [_line(row, context) for row in given["lineItems"]]
    order.tax_lines = [_tax(row) for row in given.get("taxLines") or ()]
    order.shipping_lines = [
        {"id": store.new_id(), "title": row["title"], "code": row.get("code"), "source": row.get("source"),
         "price": _bag(row["priceSet"]), "tax_lines": [_tax(tax) for tax in row.get("taxLines") or ()]}
        for row in given.get("shippingLines") or ()]
    _discount(order, given.get("discountCode"))
    for row in given.get("transactions") or ():
        order.transactions.append(Transaction(
            id=store.new_id(), transaction_kind=row.get("kind") or "SALE", status=row.get("status") or "SUCCESS",
            gateway=row.get("gateway") or "manual", amount=_bag(row["amountSet"]), created_at=store.now(),
            test=bool(row.get("test"))))
    order.said_financial = given.get("financialStatus")
    order.said_fulfilled = given.get("fulfillmentStatus") == "FULFILLED"
    trade.route(store, order)
    if options.get("inventoryBehaviour", "BYPASS") != "BYPASS":
        take_stock(order, context)
    if given.get("closedAt"):
        order.closed_at = store.now()
    metafields.write_inputs(order.gid, given.get("metafields"), context)
    trade.changed(store, order)
    if order.customer is not None:
        store.touch(order.customer)
    return {"order": order, "userErrors": []}


def take_stock(order: Order, context: Context) -> None:
    """An order moves what it needs from available to committed."""
    for line in order.lines:
        if line.variant is None or not line.variant.inventory_item.tracked:
            continue
        level = line.variant.inventory_item.levels.get(
            order.fulfillment_orders[0].location.id if order.fulfillment_orders and order.fulfillment_orders[0].location
            else 0) or next(iter(line.variant.inventory_item.levels.values()), None)
        if level is not None:
            context.store.change_quantity(level, "available", -line.quantity)
            context.store.change_quantity(level, "committed", line.quantity)


def _line(row: dict[str, Any], context: Context) -> Line:
    variant: Variant | None = wanted(context, row["variantId"], "ProductVariant") if row.get("variantId") else None
    price = _bag(row["priceSet"]) if row.get("priceSet") else None
    if variant is not None:
        line = trade.line_of_variant(context.store, variant, row["quantity"], price)
    else:
        line = Line(id=context.store.new_id(), title=row["title"], quantity=row["quantity"], unit_price=price or Bag())
    line.title = row.get("title") or line.title
    line.sku = row.get("sku") or line.sku
    line.vendor = row.get("vendor") or line.vendor
    if row.get("variantTitle"):
        line.variant_title = row["variantTitle"]
    if row.get("requiresShipping") is not None:
        line.requires_shipping = row["requiresShipping"]
    elif variant is None:
        line.requires_shipping = False
    if row.get("taxable") is not None:
        line.taxable = row["taxable"]
    line.tax_lines = [_tax(tax) for tax in row.get("taxLines") or ()]
    line.custom_attributes = [{"key": each["name"], "value": each["value"]} for each in row.get("properties") or ()]
    return line


def _tax(row: dict[str, Any]) -> dict[str, Any]:
    return {"title": row["title"], "rate": float(row["rate"]), "channelLiable": row.get("channelLiable"),
            "price": _bag(row["priceSet"]) if row.get("priceSet") else Bag()}


def _bag(given: dict[str, Any]) -> Bag:
    shop = Decimal(str(given["shopMoney"]["amount"]))
    seen = given.get("presentmentMoney")
    return Bag(shop, Decimal(str(seen["amount"])) if seen else shop)


def _currency_of(given: dict[str, Any]) -> str | None:
    for row in given["lineItems"]:
        if row.get("priceSet"):
            return str(row["priceSet"]["shopMoney"]["currencyCode"])
    return None


def _discount(order: Order, given: dict[str, Any] | None) -> None:
    for kind, row in (given or {}).items():
        if row is None:
            continue
        order.discount_codes.append(row["code"])
        if kind == "itemFixedDiscountCode":
            order.discount = _bag(row["amountSet"])
        elif kind == "itemPercentageDiscountCode":
            order.discount = order.subtotal().times(Decimal(str(row["percentage"])) / 100)
        elif order.shipping_lines:  # free shipping
            for line in order.shipping_lines:
                line["price"] = Bag()


def _customer(given: dict[str, Any], context: Context) -> people.Customer | None:
    named = given.get("customer") or {}
    if given.get("customerId"):
        return wanted(context, given["customerId"], "Customer")  # type: ignore[no-any-return]
    if named.get("toAssociate"):
        return wanted(context, named["toAssociate"]["id"], "Customer")  # type: ignore[no-any-return]
    row = named.get("toUpsert") or {}
    email = row.get("email") or given.get("email")
    if not email:
        return None
    customer = people.by_email(context.store, email)
    if customer is None:
        customer = people.add_customer(context.store, email="".join(email.split()))
    customer.first_name = row.get("firstName") or customer.first_name
    customer.last_name = row.get("lastName") or customer.last_name
    return customer


# --- update and delete ----------------------------------------------------------------------------------


@mutation("orderUpdate")
def order_update(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given = arguments["input"]
    order = found(context, given["id"])
    if order is None:
        return {"order": None, "userErrors": [user_error(["id"], _GONE)]}
    if set(given) == {"id"}:
        return {"order": order, "userErrors": [user_error(None, "No valid update parameters have been provided")]}
    errors = _update_errors(given, order, context)
    if errors:
        return {"order": order, "userErrors": errors}
    before = _state(order)
    if "note" in given:
        order.note = given["note"]
    if "email" in given:
        order.email = "".join((given["email"] or "").split()) or None
    if "phone" in given:
        phone = (given["phone"] or "").strip()
        order.phone = (e164(phone, context.store.shop.country) or phone) if phone else None
    if "poNumber" in given:
        order.po_number = given["poNumber"]
    if given.get("tags") is not None:
        order.tags = clean_tags(given["tags"])
    if given.get("customAttributes") is not None:
        order.custom_attributes = [{"key": row["key"], "value": row["value"]} for row in given["customAttributes"]]
    for key in ("localizationExtensions", "localizedFields"):
        if given.get(key) is not None:
            kept = {row["key"]: row["value"] for row in (*order.localized, *given[key])}
            order.localized = [{"key": name, "value": value} for name, value in kept.items()]
    if given.get("shippingAddress") is not None:
        order.shipping_parts = addresses.stored(given["shippingAddress"], order.shipping_parts)
    metafields.write_inputs(order.gid, given.get("metafields"), context)
    if _state(order) != before:
        context.store.touch(order)
    return {"order": order, "userErrors": []}


def _update_errors(given: dict[str, Any], order: Order, context: Context) -> UserErrors:
    errors: UserErrors = []
    phone = (given.get("phone") or "").strip()
    if phone and not is_number(phone):
        errors.append(user_error(["phone"], "Phone is invalid"))
    email = "".join((given.get("email") or "").split())
    if email and ("@" not in email or "." not in email.rsplit("@", 1)[-1]):
        errors.append(user_error(["email"], "Email is invalid"))
    tags = clean_tags(given.get("tags") or ())
    if len(tags) > 250:
        errors.append(user_error(["tags"], "Tags cannot be more than 250"))
    if any(too_long(tag) for tag in tags):
        errors.append(user_error(["tags"], f"Tags {TOO_LONG}"))
    if given.get("shippingAddress") is not None:
        errors += _shipping_errors(addresses.stored(given["shippingAddress"], order.shipping_parts),
                                   given["shippingAddress"])
    return errors + metafields.input_errors(given.get("metafields"), context, ["metafields"], "ORDER", order.gid)


def _shipping_errors(parts: dict[str, Any], given: dict[str, Any]) -> UserErrors:
    """What a shipping address lacks; the country decides what it needs."""
    errors: UserErrors = []
    for key in ("lastName", "address1", "city"):
        if not parts[key]:
            errors.append(user_error(["shippingAddress", key], f"Enter {'an' if key == 'address1' else 'a'} "
                                     f"{_ONE_WORD[key]}"))
    if not parts["zip"] and parts["countryCodeV2"] in ("US", "CA", "GB", "NO", "DE", "FR"):
        word = "ZIP code" if parts["countryCodeV2"] == "US" else "postal code"
        errors.append(user_error(["shippingAddress", "zip"], f"Enter a {word}"))
    if parts["countryCodeV2"] in ("US", "CA") and parts["province"] == (
            given.get("provinceCode") or given.get("province")) and parts["province"] is not None:
        word = "State" if parts["countryCodeV2"] == "US" else "Province"
        errors.append(user_error(["shippingAddress", "province"],
                                 f"{word} is not a valid {word.lower()} in {parts['country']}"))
    return errors


def _state(order: Order) -> list[Any]:
    return [order.note, order.email, order.phone, order.po_number, list(order.tags), list(order.custom_attributes),
            dict(order.shipping_parts or {}), list(order.localized)]


@mutation("orderDelete")
def order_delete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    order = found(context, arguments["orderId"])
    if order is None:
        return {"deletedId": None, "userErrors": [user_error(["orderId"], _GONE, "NOT_FOUND")]}
    trade.remove_order(context.store, order)
    return {"deletedId": order.gid, "userErrors": []}


@mutation("orderCustomerSet")
def customer_set(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    order, customer = found(context, arguments["orderId"]), wanted(context, arguments["customerId"], "Customer")
    if order is None:
        return {"order": None, "userErrors": [user_error(["orderId"], _GONE, "INVALID")]}
    if customer is None:
        return {"order": None, "userErrors": [user_error(["customerId"], "Customer does not exist", "INVALID")]}
    order.customer = customer
    trade.changed(context.store, order)
    return {"order": order, "userErrors": []}


@mutation("orderCustomerRemove")
def customer_remove(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    order = found(context, arguments["orderId"])
    if order is None:
        return {"order": None, "userErrors": [user_error(["orderId"], _GONE, "INVALID")]}
    order.customer = None
    trade.changed(context.store, order)
    return {"order": order, "userErrors": []}


# --- life -----------------------------------------------------------------------------------------------


@mutation("orderClose")
def order_close(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    order = found(context, arguments["input"]["id"])
    if order is None:
        return {"order": None, "userErrors": [user_error(["id"], _GONE)]}
    if order.closed_at is None:
        order.closed_at = context.store.now()
        context.store.touch(order)
    return {"order": order, "userErrors": []}


@mutation("orderOpen")
def order_open(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    order = found(context, arguments["input"]["id"])
    if order is None:
        return {"order": None, "userErrors": [user_error(["id"], _GONE)]}
    if order.closed_at is not None:
        order.closed_at = None
        context.store.touch(order)
    return {"order": order, "userErrors": []}


@mutation("orderMarkAsPaid")
def mark_as_paid(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    order, store = found(context, arguments["input"]["id"]), context.store
    if order is None:
        return {"order": None, "userErrors": [user_error(["id"], _GONE)]}
    due = order.outstanding()
    if due.shop <= 0 or order.cancelled_at is not None:
        return {"order": order, "userErrors": [user_error(["id"], "Order cannot be marked as paid.")]}
    order.transactions.append(Transaction(id=store.new_id(), transaction_kind="SALE", status="SUCCESS",
                                          gateway="manual", amount=due, created_at=store.now(), test=order.test))
    if order.fulfillment_status() == "FULFILLED" and order.closed_at is None:
        order.closed_at = store.now()
    trade.changed(store, order)
    return {"order": order, "userErrors": []}


@mutation("orderCancel")
def order_cancel(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    order, store = found(context, arguments["orderId"]), context.store

    def refused(message: str, field: list[str], code: str) -> dict[str, Any]:
        errors = [user_error(field, message, code)]
        return {"job": None, "jobResult": None, "orderCancelUserErrors": errors, "userErrors": errors}

    if order is None:
        return refused(_GONE, ["orderId"], "NOT_FOUND")
    if too_long(arguments.get("staffNote")):
        return refused("Staff note is too long (maximum is 255 characters)", ["staffNote"], "INVALID")
    if order.cancelled_at is not None:
        return refused("Cannot cancel an order that has already been canceled", ["orderId"], "INVALID")
    if any(each.status == "SUCCESS" for each in order.fulfillments):
        return refused("Cannot cancel an order that has outstanding fulfillments", ["orderId"], "INVALID")
    now = store.now()
    order.cancelled_at = order.closed_at = now
    order.cancel_reason, order.staff_note = arguments["reason"], arguments.get("staffNote")
    for each in order.fulfillment_orders:
        if each.status != "CLOSED":
            each.status, each.updated_at = "CLOSED", now
            store.index.stale(each)
    refund = arguments.get("refundMethod") or {}
    if (refund.get("originalPaymentMethodsRefund") or arguments.get("refund")) and order.received() > 0:
        back(order, order.paid() - order.refunded(), context)
    if arguments["restock"]:
        _restock(order, context)
    for line in order.lines:
        line.removed = line.quantity
    trade.changed(store, order)
    done = {"__typename": "OrderCancelJobResult", "status": "PENDING", "errors": [], "order": order}
    return {"job": jobs.started(store), "jobResult": done, "orderCancelUserErrors": [], "userErrors": []}


def _restock(order: Order, context: Context) -> None:
    for line in order.lines:
        if line.variant is None or line.variant.id not in context.store.variants:
            continue
        for level in line.variant.inventory_item.levels.values():
            quantity = min(level.quantity("committed"), line.quantity)
            if quantity > 0:
                context.store.change_quantity(level, "committed", -quantity)
                context.store.change_quantity(level, "available", quantity)
                break


def back(order: Order, amount: Bag, context: Context, note: str | None = None) -> Refund:
    """Give money back: a refund with its transaction."""
    store = context.store
    paid = next((each for each in order.transactions if each.transaction_kind in ("SALE", "CAPTURE")), None)
    order.transactions.append(Transaction(
        id=store.new_id(), transaction_kind="REFUND", status="SUCCESS", created_at=store.now(), amount=amount,
        gateway=paid.gateway if paid else "manual", parent=paid, test=order.test))
    refund = Refund(id=store.new_id(), created_at=store.now(), amount=amount, note=note)
    order.refunds.append(refund)
    return refund


@mutation("refundCreate", idempotent=True, refused=lambda errors: {"refund": None, "order": None,
                                                                   "userErrors": errors})
def refund_create(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    from ..reads.orders import refund_shown
    given = arguments["input"]
    order = found(context, given["orderId"])
    if order is None:
        return {"refund": None, "order": None, "userErrors": [user_error(["orderId"], _GONE)]}
    seen = sum((Decimal(str(row["amount"])) for row in given.get("transactions") or ()), Decimal(0))
    left = order.paid() - order.refunded()
    factor = left.shop / left.seen if left.seen else Decimal(1)
    amount = Bag((seen * factor).quantize(trade.PENNY), seen)
    if amount.shop > left.shop and not given.get("allowOverRefunding"):
        return {"refund": None, "order": order, "userErrors": [user_error(
            None, "Refund amount " + str(bag(amount, order)["shopMoney"]["amount"])
            + " is greater than net payment received " + str(left.shop))]}
    rows = []
    for row in given.get("refundLineItems") or ():
        line = next((each for each in order.lines if each.gid == row["lineItemId"]), None)
        if line is None or row["quantity"] > line.current_quantity:
            return {"refund": None, "order": order, "userErrors": [user_error(
                ["refundLineItems"], "Quantity cannot refund more items than were purchased")]}
        line.removed += row["quantity"]
        rows.append((line, row["quantity"]))
    refund = back(order, amount, context, given.get("note"))
    refund.rows = rows
    trade.changed(context.store, order)
    return {"refund": refund_shown(refund, order, context), "order": order, "userErrors": []}

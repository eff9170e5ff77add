"""Draft orders: made, changed, completed, sent as invoices and deleted (facts §9)."""
from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from .. import addresses, people, trade
from ..context import Context
from ..errors import user_error
from ..trade import Bag, DraftOrder, Line, Transaction, add_draft, discounted
from . import metafields
from .base import UserErrors, mutation, wanted
from .inputs import clean_tags
from .orders import take_stock
from .terms import terms

LONGEST_TAG, MOST_LINES = 40, 499
_GONE = "DraftOrder does not exist"


@mutation("draftOrderCreate")
def draft_create(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given = arguments["input"]
    errors = _errors(given, context, creating=True)
    if errors:
        return {"draftOrder": None, "userErrors": errors}
    draft = add_draft(context.store, seen_currency=given.get("presentmentCurrencyCode")
                      or context.store.shop.currency_code)
    _write(draft, given, context)
    if draft.customer is None and draft.email:  # the e-mail finds the customer, or makes one
        draft.customer = people.by_email(context.store, draft.email) or people.add_customer(
            context.store, email=draft.email)
    metafields.write_inputs(draft.gid, given.get("metafields"), context)
    trade.changed(context.store, draft)
    return {"draftOrder": draft, "userErrors": []}


@mutation("draftOrderUpdate")
def draft_update(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    draft, given = wanted(context, arguments["id"], "DraftOrder"), arguments["input"]
    if draft is None:
        return {"draftOrder": None, "userErrors": [user_error(["id"], _GONE)]}
    if draft.status == "COMPLETED":
        return {"draftOrder": draft, "userErrors": [user_error(None, "This order has been paid")]}
    errors = _errors(given, context, creating=False)
    if errors:
        return {"draftOrder": None, "userErrors": errors}
    _write(draft, given, context)
    metafields.write_inputs(draft.gid, given.get("metafields"), context)
    trade.changed(context.store, draft)
    return {"draftOrder": draft, "userErrors": []}


@mutation("draftOrderCalculate")
def draft_calculate(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given, store = arguments["input"], context.store
    errors = _errors(given, context, creating=True)
    if errors:
        return {"calculatedDraftOrder": None, "userErrors": errors}
    draft = add_draft(store)
    _write(draft, given, context)
    store.drafts.pop(draft.id)
    store.index.forget("draft_order", draft.id)
    return {"calculatedDraftOrder": {"__typename": "CalculatedDraftOrder", "subtotalPrice": draft.subtotal().shop,
                                     "totalPrice": draft.total().shop, "currencyCode": draft.currency},
            "userErrors": []}


@mutation("draftOrderDelete")
def draft_delete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    draft, store = wanted(context, arguments["input"]["id"], "DraftOrder"), context.store
    if draft is None:
        return {"deletedId": None, "userErrors": [user_error(["id"], _GONE)]}
    store.drafts.pop(draft.id)
    store.drop_metafields(draft.gid)
    store.index.forget("draft_order", draft.id)
    store.changed()
    return {"deletedId": draft.gid, "userErrors": []}


@mutation("draftOrderInvoiceSend")
def invoice_send(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    draft, store = wanted(context, arguments["id"], "DraftOrder"), context.store
    if draft is None:
        return {"draftOrder": None, "userErrors": [user_error(["id"], "Draft order not found")]}
    to = (arguments.get("email") or {}).get("to") or draft.email
    errors: UserErrors = []
    if not to:
        errors.append(user_error(None, "To can't be blank"))
    if draft.status == "COMPLETED":
        errors.append(user_error(None, "Draft order Invoice can't be sent. This draft order is already completed."))
    if errors:
        return {"draftOrder": draft, "userErrors": errors}
    draft.status, draft.invoice_sent_at = "INVOICE_SENT", store.now()
    trade.changed(store, draft)
    return {"draftOrder": draft, "userErrors": []}


@mutation("draftOrderComplete")
def draft_complete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    draft, store = wanted(context, arguments["id"], "DraftOrder"), context.store
    if draft is None:
        return {"draftOrder": None, "userErrors": [user_error(["id"], _GONE)]}
    if draft.status == "COMPLETED":
        return {"draftOrder": draft, "userErrors": [user_error(None, "This order has been paid")]}
    order = trade.add_order(store, currency=draft.currency, seen_currency=draft.seen_currency, email=draft.email,
                            phone=draft.phone, note=draft.note, po_number=draft.po_number, tags=list(draft.tags),
                            customer=draft.customer, taxes_included=draft.taxes_included)
    order.custom_attributes = list(draft.custom_attributes)
    order.shipping_parts = dict(draft.shipping_parts) if draft.shipping_parts else None
    order.billing_parts = dict(draft.billing_parts) if draft.billing_parts else None
    order.source_name = arguments.get("sourceName") or str(store.app_id)
    order.payment_terms = draft.payment_terms
    order.lines = [Line(**{**vars(line), "id": store.new_id(), "sku": line.sku or None}) for line in draft.lines]
    order.discount = draft.discount(trade.total(line.unit_price.times(line.quantity) - line.discount
                                                for line in draft.lines))
    if draft.shipping_line:
        order.shipping_lines = [{"code": "custom", "source": "shopify", "tax_lines": [], **draft.shipping_line,
                                 "id": store.new_id()}]
    if arguments.get("paymentPending") or draft.payment_terms:
        order.said_financial = "PENDING"
    else:
        order.transactions.append(Transaction(id=store.new_id(), transaction_kind="SALE", status="SUCCESS",
                                              gateway="manual", amount=order.total(), created_at=store.now()))
    trade.route(store, order)
    take_stock(order, context)
    draft.status, draft.order, draft.completed_at = "COMPLETED", order, store.now()
    trade.changed(store, order)
    trade.changed(store, draft)
    return {"draftOrder": draft, "userErrors": []}


# --- what is given --------------------------------------------------------------------------------------


def _errors(given: dict[str, Any], context: Context, *, creating: bool) -> UserErrors:
    rows = given.get("lineItems")
    if (creating or rows is not None) and not rows:
        return [user_error(None, "Add at least 1 product")]
    if len(rows or ()) > MOST_LINES:
        return [user_error(None, f"Add no more than {MOST_LINES} products")]
    errors: UserErrors = []
    for place, tag in enumerate(given.get("tags") or ()):
        if len(tag.strip()) > LONGEST_TAG:  # an update counts from one, and names the input
            field = ["tags", str(place)] if creating else ["input", "tags", str(place + 1)]
            errors.append(user_error(field, f"Title Tag exceeds the maximum length of {LONGEST_TAG} characters"))
    for place, row in enumerate(rows or ()):
        errors += _line_errors(row, place, context)
    if given.get("email") and not re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", given["email"].strip()):
        errors.append(user_error(["email"], "Email is invalid"))
    if given.get("paymentTerms") and not given["paymentTerms"].get("paymentTermsTemplateId"):
        errors.append(user_error(None, "Payment terms template id can not be empty."))
    until = given.get("reserveInventoryUntil")
    if until and _moment(until) < context.store.now():
        errors.append(user_error(None, "Reserve until can't be in the past"))
    return errors + metafields.input_errors(given.get("metafields"), context, ["metafields"], "DRAFTORDER")


def _line_errors(row: dict[str, Any], place: int, context: Context) -> UserErrors:
    if row["quantity"] < 1:
        return [user_error(["lineItems", str(place), "quantity"], "Quantity must be greater than or equal to 1")]
    if row.get("variantId"):
        if wanted(context, row["variantId"], "ProductVariant") is None:
            tail = row["variantId"].rsplit("/", 1)[-1]
            return [user_error(None, f"Product with ID {tail} is no longer available.")]
        return []
    if not (row.get("title") or "").strip():
        return [user_error(None, "Merchandise title is empty.")]
    price = row.get("originalUnitPrice") or (row.get("originalUnitPriceWithCurrency") or {}).get("amount") or 0
    if Decimal(str(price)) < 0:
        return [user_error(None, "Cannot send negative price for line_item")]
    return []


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value).replace("Z", "+00:00"))


def _write(draft: DraftOrder, given: dict[str, Any], context: Context) -> None:
    for key, attribute in (("note", "note"), ("phone", "phone"), ("poNumber", "po_number"),
                           ("reserveInventoryUntil", "reserve_until"), ("sourceName", "source_name")):
        if key in given:
            setattr(draft, attribute, given[key])
    if "email" in given:
        draft.email = (given["email"] or "").strip() or None
    if given.get("tags") is not None:
        draft.tags = clean_tags(given["tags"])
    if given.get("taxExempt") is not None:
        draft.tax_exempt = given["taxExempt"]
    if given.get("visibleToCustomer") is not None:
        draft.visible_to_customer = given["visibleToCustomer"]
    if given.get("customAttributes") is not None:
        draft.custom_attributes = [{"key": row["key"], "value": row["value"]} for row in given["customAttributes"]]
    for key, attribute in (("shippingAddress", "shipping_parts"), ("billingAddress", "billing_parts")):
        if given.get(key) is not None:
            setattr(draft, attribute, addresses.stored(given[key]))
    customer_id = given.get("customerId") or (given.get("purchasingEntity") or {}).get("customerId")
    if customer_id:
        customer = wanted(context, customer_id, "Customer")
        if isinstance(customer, people.Customer):
            draft.customer = customer
            draft.email = draft.email or customer.email
            if given.get("useCustomerDefaultAddress") and customer.default is not None:
                draft.shipping_parts = draft.billing_parts = dict(customer.default.parts)
    if given.get("paymentTerms"):
        draft.payment_terms = terms(given["paymentTerms"]["paymentTermsTemplateId"], context)
    if "appliedDiscount" in given:
        draft.applied_discount = given["appliedDiscount"]
    if "shippingLine" in given:
        row = given["shippingLine"]
        price = (row or {}).get("price") or ((row or {}).get("priceWithCurrency") or {}).get("amount") or 0
        draft.shipping_line = {"id": context.store.new_id(), "title": row.get("title") or "Shipping",
                               "price": Bag.of(price), "code": "custom"} if row else None
    if given.get("lineItems") is not None:
        draft.lines = [_line(row, context) for row in given["lineItems"]]


def _line(row: dict[str, Any], context: Context) -> Line:
    """A line with a variant takes title and price from it; one without is as it is given."""
    store = context.store
    if row.get("variantId"):
        line = trade.line_of_variant(store, wanted(context, row["variantId"], "ProductVariant"), row["quantity"])
        line.sku = line.variant.inventory_item.sku if line.variant else None
        if row.get("priceOverride"):
            line.unit_price = Bag.of(row["priceOverride"]["amount"])
    else:
        price = row.get("originalUnitPrice") or (row.get("originalUnitPriceWithCurrency") or {}).get("amount") or 0
        line = Line(id=store.new_id(), title=row["title"], quantity=row["quantity"], unit_price=Bag.of(price),
                    sku=row.get("sku"), requires_shipping=bool(row.get("requiresShipping")),
                    taxable=row.get("taxable") is not False)
    line.custom_attributes = [{"key": each["key"], "value": each["value"]} for each in row.get("customAttributes")
                              or ()]
    if row.get("appliedDiscount"):
        line.applied_discount = row["appliedDiscount"]
        line.discount = discounted(row["appliedDiscount"], line.unit_price).times(line.quantity)
    return line

"""Payment terms of orders and draft orders: when the money is due."""
from __future__ import annotations

from typing import Any

from .. import trade
from ..context import Context
from ..errors import TopLevelError, user_error
from ..ids import kind_of, number_of
from .base import mutation

# Shopify's templates by number: (kind, days).
TEMPLATES = {1: ("RECEIPT", None), 2: ("NET", 7), 3: ("NET", 15), 4: ("NET", 30), 5: ("NET", 45), 6: ("NET", 60),
             7: ("FIXED", None), 8: ("NET", 90), 9: ("FULFILLMENT", None)}
_NAMES = {"RECEIPT": "Due on receipt", "FIXED": "Fixed date", "FULFILLMENT": "Due on fulfillment"}


@mutation("paymentTermsCreate")
def create(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    holder, given = _holder(arguments["referenceId"], context), arguments["paymentTermsAttributes"]
    if holder is None:
        return {"paymentTerms": None, "userErrors": [user_error(
            ["referenceId"], "Cannot create payment terms on an Order or Draft Order that does not exist.",
            "PAYMENT_TERMS_CREATION_UNSUCCESSFUL")]}
    made = terms(given["paymentTermsTemplateId"], context)
    if made is None:
        return {"paymentTerms": None, "userErrors": [user_error(
            ["paymentTermsAttributes", "paymentTermsTemplateId"], "Could not find payment terms template.",
            "PAYMENT_TERMS_CREATION_UNSUCCESSFUL")]}
    holder.payment_terms = made
    trade.changed(context.store, holder)
    return {"paymentTerms": made, "userErrors": []}


@mutation("paymentTermsUpdate")
def update(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given = arguments["input"]
    holder = _with_terms(given["paymentTermsId"], context)
    if holder is None:
        return {"paymentTerms": None, "userErrors": [user_error(
            ["input", "paymentTermsId"], "Payment terms do not exist", "PAYMENT_TERMS_UPDATE_UNSUCCESSFUL")]}
    named = (given.get("paymentTermsAttributes") or {}).get("paymentTermsTemplateId")
    made = terms(named, context) if named else None
    if named and made is None:
        return {"paymentTerms": None, "userErrors": [user_error(
            ["input", "paymentTermsAttributes", "paymentTermsTemplateId"], "Could not find payment terms template.",
            "PAYMENT_TERMS_UPDATE_UNSUCCESSFUL")]}
    holder.payment_terms = {**holder.payment_terms, **({**made, "id": given["paymentTermsId"]} if made else {})}
    trade.changed(context.store, holder)
    return {"paymentTerms": holder.payment_terms, "userErrors": []}


@mutation("paymentTermsDelete")
def delete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    named = arguments["input"]["paymentTermsId"]
    holder = _with_terms(named, context)
    if holder is None:
        return {"deletedId": None, "userErrors": [user_error(
            ["input", "paymentTermsId"], "Payment terms do not exist", "PAYMENT_TERMS_DELETE_UNSUCCESSFUL")]}
    holder.payment_terms = None
    trade.changed(context.store, holder)
    return {"deletedId": named, "userErrors": []}


def terms(template: str, context: Context) -> dict[str, Any] | None:
    """New terms by their template, None for a template that there is not."""
    found = TEMPLATES.get(number_of(template) or 0)
    if found is None:
        return None
    kind, days = found
    name = _NAMES.get(kind) or f"Net {days}"
    return {"__typename": "PaymentTerms", "id": f"gid://shopify/PaymentTerms/{context.store.new_id()}",
            "paymentTermsName": name, "translatedName": name, "paymentTermsType": kind, "dueInDays": days,
            "overdue": False, "due": False}


def _holder(global_id: str, context: Context) -> Any:
    if kind_of(global_id) not in ("Order", "DraftOrder"):
        raise TopLevelError("invalid id", "RESOURCE_NOT_FOUND")
    return context.store.thing(global_id)


def _with_terms(global_id: str, context: Context) -> Any:
    store = context.store
    return next((each for table in (store.orders, store.drafts) for each in table.values()
                 if (each.payment_terms or {}).get("id") == global_id), None)

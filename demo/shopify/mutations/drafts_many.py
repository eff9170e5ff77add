"""More ways with draft orders: copied, made from an order, previewed, and many at once as a job."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .. import jobs, trade
from ..context import Context
from ..errors import user_error
from ..trade import DraftOrder, Line, add_draft
from .base import mutation, wanted
from .inputs import clean_tags
from .orders import found

_GONE = "DraftOrder does not exist"
_COPIED = ("email", "phone", "note", "po_number", "customer", "taxes_included")


@mutation("draftOrderDuplicate")
def duplicate(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    named = arguments.get("id") or arguments.get("draftOrderId")
    like = wanted(context, named, "DraftOrder") if named else None
    if like is None:
        return {"draftOrder": None, "userErrors": [user_error(["id"], _GONE)]}
    made = _copied(like, context)
    made.tags, made.custom_attributes = list(like.tags), list(like.custom_attributes)
    made.applied_discount, made.shipping_line, made.tax_exempt = (
        like.applied_discount, like.shipping_line, like.tax_exempt)
    trade.changed(context.store, made)
    return {"draftOrder": made, "userErrors": []}


@mutation("draftOrderCreateFromOrder")
def from_order(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    order = found(context, arguments["orderId"])
    if order is None:
        return {"draftOrder": None, "userErrors": [user_error(["orderId"], "Order does not exist")]}
    made = _copied(order, context)
    trade.changed(context.store, made)
    return {"draftOrder": made, "userErrors": []}


@mutation("draftOrderInvoicePreview")
def invoice_preview(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    draft = wanted(context, arguments["id"], "DraftOrder")
    if draft is None:
        return {"previewHtml": None, "previewSubject": None, "userErrors": [
            user_error(["id"], "Draft order not found")]}
    subject = (arguments.get("email") or {}).get("subject") or f"Invoice {draft.name}"
    return {"previewHtml": f"<p>{subject}</p>", "previewSubject": subject, "userErrors": []}


@mutation("draftOrderBulkAddTags")
def add_tags(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    def change(draft: DraftOrder) -> None:
        draft.tags = clean_tags([*draft.tags, *arguments["tags"]])
    return _each(arguments, context, change)


@mutation("draftOrderBulkRemoveTags")
def remove_tags(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    gone = {tag.strip() for tag in arguments["tags"]}

    def change(draft: DraftOrder) -> None:
        draft.tags = [tag for tag in draft.tags if tag not in gone]
    return _each(arguments, context, change)


@mutation("draftOrderBulkDelete")
def delete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    store = context.store

    def change(draft: DraftOrder) -> None:
        store.drafts.pop(draft.id, None)
        store.drop_metafields(draft.gid)
        store.index.forget("draft_order", draft.id)
    return _each(arguments, context, change)


def _each(arguments: dict[str, Any], context: Context, change: Callable[[DraftOrder], None]) -> dict[str, Any]:
    """Do something with every draft that is named; unknown ids are passed over, as by all jobs."""
    if arguments.get("ids") is None and arguments.get("search") is None and arguments.get("savedSearchId") is None:
        return {"job": None, "userErrors": [user_error(None, "You must provide one of ids, search, or savedSearchId.")]}
    drafts = [context.store.thing(each) for each in arguments.get("ids") or ()]
    for draft in drafts:
        if isinstance(draft, DraftOrder):
            change(draft)
            if draft.id in context.store.drafts:
                trade.changed(context.store, draft)
    context.store.changed()
    return {"job": jobs.started(context.store), "userErrors": []}


def _copied(like: Any, context: Context) -> DraftOrder:
    store = context.store
    made = add_draft(store, currency=like.currency, seen_currency=like.seen_currency,
                     **{name: getattr(like, name) for name in _COPIED})
    for name in ("shipping_parts", "billing_parts"):
        parts = getattr(like, name)
        setattr(made, name, dict(parts) if parts else None)
    made.lines = [_line(line, store.new_id()) for line in like.lines]
    return made


def _line(like: Line, number: int) -> Line:
    return replace(like, id=number, removed=0, quantity=like.current_quantity or like.quantity, adopted={},
                   tax_lines=list(like.tax_lines), custom_attributes=list(like.custom_attributes))

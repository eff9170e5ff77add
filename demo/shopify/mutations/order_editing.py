"""Editing the lines of an order: begun, tried out on a calculated order, committed (facts §9).

    orderEditBegin → CalculatedOrder 7, OrderEditSession 7 → orderEditAddVariant, -AddCustomItem, -SetQuantity → -Commit

Nothing of it touches the order before it is committed. A line that is taken off stays, with a quantity of 0 to come.
"""
from __future__ import annotations

from typing import Any

from .. import trade
from ..context import Context
from ..errors import user_error
from ..ids import kind_of, number_of
from ..trade import Bag, Edit, FulfillmentOrderLine, Line
from .base import mutation, wanted
from .orders import found

_GONE = "The calculated order does not exist."


@mutation("orderEditBegin")
def begin(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    order, store = found(context, arguments["id"]), context.store
    if order is None:
        return {"calculatedOrder": None, "orderEditSession": None, "userErrors": [
            user_error(["id"], "The order does not exist.")]}
    if order.cancelled_at is not None:
        return {"calculatedOrder": None, "orderEditSession": None, "userErrors": [
            user_error(["base"], "The order cannot be edited.")]}
    edit = Edit(id=store.new_id(), order=order)
    store.edits[edit.id] = edit
    return {"calculatedOrder": edit, "orderEditSession": _session(edit), "userErrors": []}


@mutation("orderEditAddVariant")
def add_variant(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    edit = _edit(arguments, context)
    if edit is None:
        return _refused(["id"], _GONE)
    variant = wanted(context, arguments["variantId"], "ProductVariant")
    if variant is None:
        return _refused(["variantId"], "Variant does not exist.", edit)
    if arguments["quantity"] < 1:
        return _refused(["quantity"], "must be greater than 0", edit)
    if not arguments.get("allowDuplicates") and any(line.variant is variant and edit.quantity_of(line)
                                                    for line in [*edit.order.lines, *edit.added]):
        return _refused(["variantId"], "Cannot add variant as it has already been added to the order.", edit)
    return _added(edit, trade.line_of_variant(context.store, variant, arguments["quantity"]))


@mutation("orderEditAddCustomItem")
def add_custom_item(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    edit = _edit(arguments, context)
    if edit is None:
        return _refused(["id"], _GONE)
    if not arguments["title"].strip():
        return _refused(["title"], "can't be blank", edit)
    if arguments["quantity"] < 1:
        return _refused(["quantity"], "must be greater than 0", edit)
    return _added(edit, Line(id=context.store.new_id(), title=arguments["title"], quantity=arguments["quantity"],
                             unit_price=Bag.of(arguments["price"]["amount"]),
                             requires_shipping=arguments.get("requiresShipping") is not False,
                             taxable=arguments.get("taxable") is not False))


@mutation("orderEditSetQuantity")
def set_quantity(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    edit = _edit(arguments, context)
    if edit is None:
        return _refused(["id"], _GONE)
    number = number_of(arguments["lineItemId"]) if kind_of(arguments["lineItemId"]) in (
        "CalculatedLineItem", "LineItem") else None
    line = next((each for each in [*edit.order.lines, *edit.added] if each.id == number), None)
    if line is None:
        return _refused(["lineItemId"], "Line item does not exist.", edit)
    if arguments["quantity"] < 0:
        return _refused(["quantity"], "must be greater than or equal to 0", edit)
    if line in edit.added:
        line.quantity = arguments["quantity"]
    else:
        edit.quantities[line.id] = arguments["quantity"]
    return {"calculatedLineItem": (edit, line), "calculatedOrder": edit, "orderEditSession": _session(edit),
            "userErrors": []}


@mutation("orderEditCommit")
def commit(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    edit, store = _edit(arguments, context), context.store
    payload: dict[str, Any] = {"order": None, "successMessages": []}
    if edit is None:
        return {**payload, "userErrors": [user_error(["id"], _GONE)]}
    added = [line for line in edit.added if line.quantity]
    if not added and not edit.changes():
        return {**payload, "userErrors": [user_error(["id"], "There must be at least one change to be made.")]}
    order = edit.order
    for line, quantity in edit.changes():
        _set(order, line, quantity)
    order.lines += added
    home = next((each for each in order.fulfillment_orders if each.status in ("OPEN", "IN_PROGRESS")), None)
    if home is None:
        kept, order.lines = order.lines, added
        trade.route(store, order)
        order.lines = kept
    else:
        home.lines += [FulfillmentOrderLine(id=store.new_id(), line=line, total_quantity=line.quantity,
                                            remaining_quantity=line.quantity) for line in added]
    del store.edits[edit.id]
    trade.changed(store, order)
    return {"order": order, "successMessages": ["Order updated"], "userErrors": []}


def _set(order: trade.Order, line: Line, quantity: int) -> None:
    """Another quantity of a line that is there: more is bought anew, less is taken off."""
    more = quantity - line.current_quantity
    if more > 0:
        line.quantity += more
    else:
        line.removed -= more
    for each in order.fulfillment_orders:
        for row in each.lines:
            if row.line is line and each.status in ("OPEN", "IN_PROGRESS"):
                row.total_quantity = max(0, row.total_quantity + more)
                row.remaining_quantity = max(0, row.remaining_quantity + more)
                return


def _added(edit: Edit, line: Line) -> dict[str, Any]:
    edit.added.append(line)
    return {"calculatedLineItem": (edit, line), "calculatedOrder": edit, "orderEditSession": _session(edit),
            "userErrors": []}


def _edit(arguments: dict[str, Any], context: Context) -> Edit | None:
    number = number_of(arguments["id"]) if kind_of(arguments["id"]) in ("CalculatedOrder", "OrderEditSession") else None
    return context.store.edits.get(number or 0)


def _session(edit: Edit) -> dict[str, str]:
    return {"id": f"gid://shopify/OrderEditSession/{edit.id}"}


def _refused(field: list[str], message: str, edit: Edit | None = None) -> dict[str, Any]:
    return {"calculatedLineItem": None, "calculatedOrder": edit, "orderEditSession": _session(edit) if edit else None,
            "userErrors": [user_error(field, message)]}

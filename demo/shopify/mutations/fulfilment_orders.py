"""Fulfilment orders: what of an order is to be sent from where, held back, split, moved and put together (facts §9)."""
from __future__ import annotations

from dataclasses import replace
from typing import Any

from .. import trade
from ..context import Context
from ..errors import BrokeDown, user_error
from ..trade import FulfillmentOrder, FulfillmentOrderLine
from .base import mutation, wanted


@mutation("fulfillmentOrderMove")
def move(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    each, place = wanted(context, arguments["id"], "FulfillmentOrder"), wanted(context, arguments["newLocationId"],
                                                                              "Location")
    payload: dict[str, Any] = {"movedFulfillmentOrder": None, "originalFulfillmentOrder": None,
                               "remainingFulfillmentOrder": None, "userErrors": []}
    if each is None:
        return {**payload, "userErrors": [user_error(["id"], "Fulfillment order does not exist.",
                                                     "FULFILLMENT_ORDER_NOT_FOUND")]}
    if place is None:
        return {**payload, "userErrors": [user_error(["newLocationId"], "Location not found.", "LOCATION_NOT_FOUND")]}
    rows = arguments.get("fulfillmentOrderLineItems")
    if not rows:
        each.location = place
        _touched(context, each)
        return {**payload, "movedFulfillmentOrder": each, "originalFulfillmentOrder": each}
    moved = _part(each, rows, context)
    moved.location = place
    _touched(context, each, moved)
    return {**payload, "movedFulfillmentOrder": moved, "originalFulfillmentOrder": each,
            "remainingFulfillmentOrder": each}


@mutation("fulfillmentOrderSplit")
def split(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    results = []
    for place, row in enumerate(arguments["fulfillmentOrderSplits"]):
        each = wanted(context, row["fulfillmentOrderId"], "FulfillmentOrder")
        if each is None:
            return {"fulfillmentOrderSplits": None, "userErrors": [user_error(
                ["fulfillmentOrderSplits", str(place), "fulfillmentOrderId"], "Fulfillment order does not exist.",
                "FULFILLMENT_ORDER_NOT_FOUND")]}
        rest = _part(each, row["fulfillmentOrderLineItems"], context)
        _touched(context, each, rest)
        results.append({"fulfillmentOrder": each, "remainingFulfillmentOrder": rest,
                        "replacementFulfillmentOrder": None})
    return {"fulfillmentOrderSplits": results, "userErrors": []}


@mutation("fulfillmentOrderHold")
def hold(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    each, given = wanted(context, arguments["id"], "FulfillmentOrder"), arguments["fulfillmentHold"]
    if each is None:
        return {"fulfillmentHold": None, "fulfillmentOrder": None, "remainingFulfillmentOrder": None, "userErrors": [
            user_error(["id"], "Fulfillment order does not exist.", "FULFILLMENT_ORDER_NOT_FOUND")]}
    rest = None
    rows = given.get("fulfillmentOrderLineItems")
    if rows and sum(row["quantity"] for row in rows) < sum(line.remaining_quantity for line in each.lines):
        wanted_rows = {row["id"]: row["quantity"] for row in rows}
        others = [{"id": line.gid, "quantity": line.remaining_quantity - wanted_rows.get(line.gid, 0)}
                  for line in each.lines if line.remaining_quantity > wanted_rows.get(line.gid, 0)]
        rest = each.put_aside = _part(each, others, context)
    number = context.store.new_id()
    held = {"__typename": "FulfillmentHold", "id": f"gid://shopify/FulfillmentHold/{number}",
            "reason": given["reason"], "reasonNotes": given.get("reasonNotes"), "heldByRequestingApp": True,
            "displayReason": given["reason"].replace("_", " ").capitalize(), "handle": given.get("handle") or "",
            "heldBy": "Grist Sync", "heldByApp": None}
    each.holds.append(held)
    each.status = "ON_HOLD"
    _touched(context, each, *([rest] if rest else []))
    return {"fulfillmentHold": held, "fulfillmentOrder": each, "remainingFulfillmentOrder": rest, "userErrors": []}


@mutation("fulfillmentOrderReleaseHold")
def release(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    each = wanted(context, arguments["id"], "FulfillmentOrder")
    if each is None:
        return {"fulfillmentOrder": None, "userErrors": [user_error(
            ["id"], "Fulfillment order does not exist.", "FULFILLMENT_ORDER_NOT_FOUND")]}
    wanted_ids = arguments.get("holdIds")
    each.holds = [one for one in each.holds if wanted_ids and one["id"] not in wanted_ids]
    if not each.holds:
        each.status = "OPEN"
        if each.put_aside is not None and each.put_aside.status == "OPEN":
            _take_in(each, each.put_aside)
            _touched(context, each, each.put_aside)
        each.put_aside = None
    _touched(context, each)
    return {"fulfillmentOrder": each, "userErrors": []}


_NOT_OPEN = ("CLOSED", "CANCELLED", "INCOMPLETE")


@mutation("fulfillmentOrderCancel")
def cancel(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    """It is closed without lines, and another one takes its place."""
    each = wanted(context, arguments["id"], "FulfillmentOrder")
    payload: dict[str, Any] = {"fulfillmentOrder": None, "replacementFulfillmentOrder": None}
    if each is None:
        return {**payload, "userErrors": [user_error(["id"], "Fulfillment order does not exist.")]}
    if each.status == "IN_PROGRESS":
        return {**payload, "userErrors": [user_error(["id"], "Cannot cancel fulfillment order that has had progress "
                                                     "reported. Mark as unfulfilled first.")]}
    if each.status in _NOT_OPEN:
        return {**payload, "userErrors": [user_error(None, "Fulfillment order is not in cancelable request state and "
                                                     "can't be canceled.")]}
    instead = _part(each, [], context)
    instead.lines, each.lines, each.status = each.lines, [], "CLOSED"
    _touched(context, each, instead)
    return {"fulfillmentOrder": each, "replacementFulfillmentOrder": instead, "userErrors": []}


@mutation("fulfillmentOrderClose")
def close(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    """Only what a fulfilment service works on is closed, and this store has none."""
    each = wanted(context, arguments["id"], "FulfillmentOrder")
    error = user_error(["id"], "Fulfillment order does not exist.") if each is None else user_error(
        None, "The fulfillment order's assigned fulfillment service must be of api type")
    return {"fulfillmentOrder": None, "userErrors": [error]}


@mutation("fulfillmentOrderReschedule")
def reschedule(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    each = wanted(context, arguments["id"], "FulfillmentOrder")
    if each is None:
        return {"fulfillmentOrder": None, "userErrors": [user_error(["id"], "Fulfillment order does not exist.")]}
    if each.status != "SCHEDULED":
        return {"fulfillmentOrder": None, "userErrors": [user_error(None, "Fulfillment order must be scheduled.")]}
    each.fulfill_at = arguments["fulfillAt"]
    _touched(context, each)
    return {"fulfillmentOrder": each, "userErrors": []}


@mutation("fulfillmentOrdersSetFulfillmentDeadline")
def set_deadline(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    found = [wanted(context, each, "FulfillmentOrder") for each in arguments["fulfillmentOrderIds"]]
    if None in found:
        return {"success": None, "userErrors": [user_error(
            ["fulfillmentOrderIds"], "The fulfillment orders could not be found.", "FULFILLMENT_ORDERS_NOT_FOUND")]}
    for each in found:
        each.fulfill_by = arguments["fulfillmentDeadline"]
        _touched(context, each)
    return {"success": True, "userErrors": []}


@mutation("fulfillmentOrderLineItemsPreparedForPickup")
def prepared_for_pickup(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    """No order of this store is picked up, so none can be made ready for it."""
    errors = []
    for place, row in enumerate(arguments["input"]["lineItemsByFulfillmentOrder"]):
        wanted(context, row["fulfillmentOrderId"], "FulfillmentOrder")
        number = row["fulfillmentOrderId"].rsplit("/", 1)[-1]
        errors.append(user_error(["input", "lineItemsByFulfillmentOrder", str(place), "fulfillmentOrderId"],
                                 f"Invalid fulfillment_order_id provided {number}", "FULFILLMENT_ORDER_INVALID"))
    return {"userErrors": errors}


@mutation("fulfillmentOrdersReroute")
def reroute(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    """Unknown ids are refused; otherwise Shopify breaks down, as it did whenever it was recorded."""
    for each in arguments["fulfillmentOrderIds"]:
        wanted(context, each, "FulfillmentOrder")
    raise BrokeDown


@mutation("fulfillmentOrderMerge")
def merge(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    """The first of each group takes in what the others hold; those are closed, with lines of nothing."""
    results = []
    for place, group in enumerate(arguments["fulfillmentOrderMergeInputs"]):
        found = [wanted(context, row["fulfillmentOrderId"], "FulfillmentOrder") for row in group["mergeIntents"]]
        if None in found:
            return {"fulfillmentOrderMerges": None, "userErrors": [user_error(
                ["fulfillmentOrderMergeInputs", str(place), "mergeIntents", str(found.index(None)),
                 "fulfillmentOrderId"], "Fulfillment order does not exist.", "FULFILLMENT_ORDER_NOT_FOUND")]}
        first, *others = found
        for other in others:
            _take_in(first, other)
        _touched(context, first, *others)
        results.append({"fulfillmentOrder": first})
    return {"fulfillmentOrderMerges": results, "userErrors": []}


def _take_in(home: FulfillmentOrder, other: FulfillmentOrder) -> None:
    """All that `other` still holds, in `home`."""
    for row in other.lines:
        same = next((one for one in home.lines if one.line is row.line), None)
        if same is None:
            home.lines.append(replace(row))
        else:
            same.total_quantity += row.total_quantity
            same.remaining_quantity += row.remaining_quantity
        row.total_quantity = row.remaining_quantity = 0
    other.status = "CLOSED"


@mutation("fulfillmentOrderReportProgress")
def report_progress(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return _status(arguments, context, "IN_PROGRESS", ("OPEN", "IN_PROGRESS"))


@mutation("fulfillmentOrderOpen")
def reopen(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return _status(arguments, context, "OPEN", ("IN_PROGRESS", "SCHEDULED"))


def _status(arguments: dict[str, Any], context: Context, status: str, before: tuple[str, ...]) -> dict[str, Any]:
    each = wanted(context, arguments["id"], "FulfillmentOrder")
    if each is None:
        return {"fulfillmentOrder": None, "userErrors": [user_error(["id"], "Fulfillment order does not exist.")]}
    if each.status not in before:
        return {"fulfillmentOrder": None, "userErrors": [user_error(
            None, f"Expected fulfillment order status to be valid but it was {each.status.lower()}.")]}
    each.status = status
    _touched(context, each)
    return {"fulfillmentOrder": each, "userErrors": []}


def _part(each: FulfillmentOrder, rows: list[dict[str, Any]], context: Context) -> FulfillmentOrder:
    """A new fulfilment order with these quantities, taken off the old one."""
    store, now = context.store, context.store.now()
    made = FulfillmentOrder(id=store.new_id(), order=each.order, location=each.location, created_at=now,
                            updated_at=now, fulfill_at=each.fulfill_at)
    for row in rows:
        line = next((line for line in each.lines if line.gid == row["id"]), None)
        if line is None:
            continue
        quantity = min(row["quantity"], line.remaining_quantity)
        line.total_quantity -= quantity
        line.remaining_quantity -= quantity
        made.lines.append(FulfillmentOrderLine(id=store.new_id(), line=line.line, total_quantity=quantity,
                                               remaining_quantity=quantity))
    each.lines = [line for line in each.lines if line.total_quantity] or each.lines
    each.order.fulfillment_orders.append(made)
    return made


def _touched(context: Context, *changed: FulfillmentOrder) -> None:
    for each in changed:
        each.updated_at = context.store.now()
        each.adopted.clear()
        context.store.index.stale(each)
    trade.changed(context.store, changed[0].order)

"""Fulfilments: what was sent, and with which tracking (facts §9)."""
from __future__ import annotations

from typing import Any

from .. import trade
from ..context import Context
from ..errors import TopLevelError, user_error
from ..ids import kind_of
from ..trade import Fulfillment, FulfillmentOrder, FulfillmentOrderLine
from .base import mutation, wanted

# The addresses that Shopify makes of a number, for the carriers that it knows by name [S].
_CARRIERS = {"ups": "https://www.ups.com/WebTracking?loc=en_US&requester=ST&trackNums={}",
             "usps": "https://tools.usps.com/go/TrackConfirmAction.action?tLabels={}",
             "fedex": "https://www.fedex.com/fedextrack/?trknbr={}",
             "dhl express": "https://www.dhl.com/us-en/home/tracking.html?tracking-id={}&submit=1",
             "bring": "https://tracking.bring.com/tracking/{}?lang=en",
             "canada post": "https://www.canadapost-postescanada.ca/track-reperage/en#/resultList?searchFor={}"}
_OPEN = ("OPEN", "IN_PROGRESS")


@mutation("fulfillmentCreate")
@mutation("fulfillmentCreateV2")
def fulfillment_create(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given, store = arguments["fulfillment"], context.store

    def refused(message: str, field: list[str] | None = None) -> dict[str, Any]:
        return {"fulfillment": None, "userErrors": [user_error(field or ["fulfillment"], message)]}

    groups = given["lineItemsByFulfillmentOrder"]
    for group in groups:
        if kind_of(group["fulfillmentOrderId"]) != "FulfillmentOrder" or (store.thing(
                group["fulfillmentOrderId"]) is None and not group["fulfillmentOrderId"].rsplit("/", 1)[-1].isdigit()):
            raise TopLevelError("invalid id", "RESOURCE_NOT_FOUND")
    for place, group in enumerate(groups):
        for row_place, row in enumerate(group.get("fulfillmentOrderLineItems") or ()):
            if row["quantity"] <= 0:
                return refused("Quantity must be greater than 0", [
                    "fulfillment", "lineItemsByFulfillmentOrder", str(place), "fulfillmentOrderLineItems",
                    str(row_place), "quantity"])
    orders: list[FulfillmentOrder] = []
    for group in groups:
        each = store.thing(group["fulfillmentOrderId"])
        if each is None:
            if store.behaviour.unknown_fulfillment_order_is_top_level:
                raise TopLevelError("invalid id", "RESOURCE_NOT_FOUND")
            return refused("Fulfillment order does not exist.")
        orders.append(each)
    numbers = sorted({each.order.id for each in orders})
    if len(numbers) > 1:
        return refused("All fulfillment orders must belong to the same order. Multiple orders with ids "
                       f"[{', '.join(map(str, numbers))}] were found.")
    places = sorted({each.location.id for each in orders if each.location})
    if len(places) > 1:
        return refused("All fulfillment orders must be assigned to a single location. Multiple locations with ids "
                       f"[{', '.join(map(str, places))}] were found.")
    picked: list[tuple[FulfillmentOrderLine, int]] = []
    for group, each in zip(groups, orders, strict=True):
        if each.status not in _OPEN:
            return refused(f"Fulfillment order {each.id} has an unfulfillable status= {each.status.lower()}.")
        rows = group.get("fulfillmentOrderLineItems")
        if not rows:
            picked += [(line, line.remaining_quantity) for line in each.lines if line.remaining_quantity]
            continue
        for row in rows:
            line = next((line for line in each.lines if line.gid == row["id"]), None)
            if line is None:
                return refused("Fulfillment order line item does not exist.")
            if row["quantity"] > line.remaining_quantity:
                return refused("Invalid fulfillment order line item quantity requested.")
            picked.append((line, row["quantity"]))
    return {"fulfillment": send(orders, picked, given.get("trackingInfo"), context), "userErrors": []}


def send(orders: list[FulfillmentOrder], picked: list[tuple[FulfillmentOrderLine, int]],
         tracking: dict[str, Any] | None, context: Context) -> Fulfillment:
    """Send these quantities: a fulfilment of one order, stock leaves the building."""
    store, now = context.store, context.store.now()
    order = orders[0].order
    made = Fulfillment(id=store.new_id(), order=order, name=f"{order.name}-F{len(order.fulfillments) + 1}",
                       created_at=now, updated_at=now, location=orders[0].location, tracking=_tracking(tracking))
    for line, quantity in picked:
        line.remaining_quantity -= quantity
        made.rows.append((store.new_id(), line, quantity))
        variant = line.line.variant
        if variant is not None and orders[0].location is not None and variant.inventory_item.tracked:
            level = variant.inventory_item.levels.get(orders[0].location.id)
            if level is not None and level.quantity("committed") >= quantity:
                store.change_quantity(level, "committed", -quantity)
    order.fulfillments.append(made)
    for each in orders:
        each.updated_at = now
        if not any(line.remaining_quantity for line in each.lines):
            each.status = "CLOSED"
        each.adopted.clear()
        store.index.stale(each)
    if order.fulfillment_status() == "FULFILLED" and order.financial_status() == "PAID" and order.closed_at is None \
            and store.behaviour.archives_finished_orders:
        order.closed_at = now
    trade.changed(store, order)
    return made


@mutation("fulfillmentTrackingInfoUpdate")
@mutation("fulfillmentTrackingInfoUpdateV2")
def tracking_update(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    each = wanted(context, arguments["fulfillmentId"], "Fulfillment")
    if each is None:
        return {"fulfillment": None, "userErrors": [user_error(["fulfillmentId"], "Fulfillment does not exist.")]}
    each.tracking = _tracking(arguments["trackingInfoInput"])
    each.updated_at = context.store.now()
    context.store.touch(each.order)
    return {"fulfillment": each, "userErrors": []}


@mutation("fulfillmentCancel")
def fulfillment_cancel(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    each, store = wanted(context, arguments["id"], "Fulfillment"), context.store
    if each is None:
        return {"fulfillment": None, "userErrors": [user_error(["id"], "Fulfillment not found.")]}
    if each.status != "CANCELLED":
        each.status, each.display_status, each.updated_at = "CANCELLED", "CANCELED", store.now()
        _reopen(each, context)
        trade.changed(store, each.order)
    return {"fulfillment": each, "userErrors": []}


def _reopen(cancelled: Fulfillment, context: Context) -> None:
    """What was sent waits again, in a fulfilment order of its own where the old one was closed."""
    store, now, order = context.store, context.store.now(), cancelled.order
    again = [(line, quantity) for _, line, quantity in cancelled.rows]
    home = next((one for one in order.fulfillment_orders if any(line in one.lines for line, _ in again)), None)
    if home is None or not again:
        return
    if home.status in _OPEN:
        for line, quantity in again:
            line.remaining_quantity += quantity
        return
    made = FulfillmentOrder(id=store.new_id(), order=order, location=home.location, created_at=now, updated_at=now,
                            fulfill_at=home.fulfill_at)
    made.lines = [FulfillmentOrderLine(id=store.new_id(), line=line.line, total_quantity=quantity,
                                       remaining_quantity=quantity) for line, quantity in again]
    order.fulfillment_orders.append(made)
    store.index.stale(made)


@mutation("fulfillmentEventCreate")
def event_create(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given, store = arguments["fulfillmentEvent"], context.store
    each = wanted(context, given["fulfillmentId"], "Fulfillment")
    if each is None:
        return {"fulfillmentEvent": None, "userErrors": [user_error(
            ["fulfillmentEvent", "fulfillmentId"], "Fulfillment does not exist.")]}
    number = store.new_id()
    happened = given.get("happenedAt") or store.now()
    row = {"__typename": "FulfillmentEvent", "id": f"gid://shopify/FulfillmentEvent/{number}", "number": number,
           "status": given["status"], "happenedAt": happened, "createdAt": store.now(),
           "estimatedDeliveryAt": given.get("estimatedDeliveryAt"), "message": given.get("message"),
           **{key: given.get(key) for key in ("address1", "city", "province", "country", "zip", "latitude",
                                              "longitude")}}
    each.events.append(row)
    each.display_status = given["status"]
    if given["status"] == "DELIVERED":
        each.delivered_at = happened
    if given["status"] == "IN_TRANSIT":
        each.in_transit_at = happened
    each.estimated_delivery_at = given.get("estimatedDeliveryAt") or each.estimated_delivery_at
    store.touch(each.order)
    return {"fulfillmentEvent": row, "userErrors": []}


def _tracking(given: dict[str, Any] | None) -> list[dict[str, Any]]:
    """One row a number; a URL is made up where the carrier is known by name."""
    if not given:
        return []
    numbers = given.get("numbers") or ([given["number"]] if given.get("number") else [])
    urls = given.get("urls") or ([given["url"]] if given.get("url") else [])
    company = given.get("company")
    rows = []
    for place in range(max(len(numbers), len(urls), 1 if company else 0)):
        number = numbers[place] if place < len(numbers) else None
        url = urls[place] if place < len(urls) else None
        made = _CARRIERS.get((company or "").lower())
        rows.append({"company": company, "number": number,
                     "url": url or (made.format(number) if made and number else None)})
    return rows

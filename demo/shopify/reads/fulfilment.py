"""Fulfilment orders and fulfilments as they are read (facts §9)."""
from __future__ import annotations

from typing import Any

from ..connections import Window, window
from ..context import Context
from ..errors import TopLevelError
from ..execution import path_of
from ..ids import gid, kind_of
from ..registry import resolves
from ..sales_index import fulfillment_orders
from ..trade import Fulfillment, FulfillmentOrder, FulfillmentOrderLine, Order
from .lists import indexed_list
from .orders import line_shown, visible

_DONE = ("CLOSED", "CANCELLED")


def _by_id(kind: str) -> Any:
    def find(source: Any, arguments: dict[str, Any], context: Context) -> Any:
        from ..errors import invalid_id
        if kind_of(arguments["id"]) != kind:
            raise invalid_id(arguments["id"])
        return context.store.thing(arguments["id"])
    return find


resolves("QueryRoot", "fulfillment")(_by_id("Fulfillment"))
resolves("QueryRoot", "fulfillmentOrder")(_by_id("FulfillmentOrder"))


@resolves("QueryRoot", "fulfillmentOrders")
def all_fulfillment_orders(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    seen = visible(context)
    live = {number: each for number, each in fulfillment_orders(context.store).items() if each.order.id in seen and (
        arguments.get("includeClosed") or each.status not in _DONE)}
    return indexed_list(context, "fulfillment_order", arguments, live)


@resolves("QueryRoot", "manualHoldsFulfillmentOrders")
def held(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    return window([each for each in fulfillment_orders(context.store).values() if each.status == "ON_HOLD"], arguments)


@resolves("QueryRoot", "assignedFulfillmentOrders")
def assigned(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    """An app that is no fulfilment service is refused, in words that some other part of Shopify's has put in a list."""
    raise TopLevelError('["The api_client is not associated with any fulfillment service."]', None)


@resolves("Order", "fulfillmentOrders")
def of_order(order: Order, arguments: dict[str, Any], context: Context) -> Window:
    return window(order.fulfillment_orders, arguments)


@resolves("Order", "fulfillments")
def fulfillments(order: Order, arguments: dict[str, Any], context: Context) -> list[Fulfillment]:
    return order.fulfillments[:arguments.get("first")]


@resolves("FulfillmentOrder", "orderId")
def order_id(each: FulfillmentOrder, arguments: dict[str, Any], context: Context) -> str:
    return each.order.gid


@resolves("FulfillmentOrder", "orderName")
def order_name(each: FulfillmentOrder, arguments: dict[str, Any], context: Context) -> str:
    return each.order.name


@resolves("FulfillmentOrder", "orderProcessedAt")
def order_processed_at(each: FulfillmentOrder, arguments: dict[str, Any], context: Context) -> Any:
    return each.order.processed_at


@resolves("FulfillmentOrder", "channelId", "internationalDuties", "deliveryMethod")
def nothing(each: FulfillmentOrder, arguments: dict[str, Any], context: Context) -> None:
    return None


def _in_its_order(context: Context) -> bool:
    """Whether it is seen beside the others of its order; asked for by itself it does not tell of merging."""
    return next(iter(path_of(context.place)), "") not in (
        "fulfillmentOrder", "fulfillmentOrders", "manualHoldsFulfillmentOrders")


_PROGRESS_SINCE = "2025-10"  # recorded with 2026-04 and not with 2025-01; when it came is not known


@resolves("FulfillmentOrder", "supportedActions")
def supported_actions(each: FulfillmentOrder, arguments: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    left = sum(row.remaining_quantity for row in each.lines)
    actions: list[str] = []
    if each.status == "OPEN" and left:
        actions = ["CREATE_FULFILLMENT", "REPORT_PROGRESS", "MOVE", "HOLD"] + (["SPLIT"] if left > 1 else [])
        if context.version and context.version < _PROGRESS_SINCE:
            actions.remove("REPORT_PROGRESS")
        if _in_its_order(context) and any(
                other is not each and other.status == "OPEN" and other.location is each.location
                for other in each.order.fulfillment_orders):
            actions.append("MERGE")
    elif each.status == "IN_PROGRESS" and left:
        actions = ["CREATE_FULFILLMENT", "REPORT_PROGRESS", "HOLD", "MARK_AS_OPEN"]
    elif each.status == "ON_HOLD":
        actions = ["RELEASE_HOLD", "HOLD", "MOVE"]
    elif each.status == "SCHEDULED":
        actions = ["MARK_AS_OPEN"]
    return [{"action": action, "externalUrl": None} for action in actions]


@resolves("FulfillmentOrder", "assignedLocation")
def assigned_location(each: FulfillmentOrder, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    place = each.location
    address = place.address if place else {}
    return {"__typename": "FulfillmentOrderAssignedLocation", "name": place.name if place else "", "location": place,
            **{key: address.get(key) for key in ("address1", "address2", "city", "province", "zip", "phone")},
            "countryCode": address.get("countryCode") or context.store.shop.country}


@resolves("FulfillmentOrder", "destination")
def destination(each: FulfillmentOrder, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    parts = each.order.shipping_parts
    if parts is None:
        return None
    return {"__typename": "FulfillmentOrderDestination", "id": gid("FulfillmentOrderDestination", each.id),
            "email": each.order.email, "location": None,
            **{key: parts.get(key) for key in ("address1", "address2", "city", "company", "firstName", "lastName",
                                               "phone", "province", "zip")}, "countryCode": parts.get("countryCodeV2")}


@resolves("FulfillmentOrder", "lineItems")
def lines(each: FulfillmentOrder, arguments: dict[str, Any], context: Context) -> Window:
    page = window(each.lines, arguments)
    page.nodes = [_line(row, each.order, context) for row in page.nodes]
    return page


def _line(row: FulfillmentOrderLine, order: Order, context: Context) -> dict[str, Any]:
    line = line_shown(row.line, order, context)
    return {"__typename": "FulfillmentOrderLineItem", "id": row.gid, "totalQuantity": row.total_quantity,
            "remainingQuantity": row.remaining_quantity, "lineItem": line, "productTitle": row.line.title,
            "variantTitle": row.line.variant_title, "variant": line["variant"], "sku": row.line.sku,
            "vendor": row.line.vendor, "requiresShipping": row.line.requires_shipping, "image": None,
            "inventoryItemId": row.line.variant.inventory_item.gid if row.line.variant else None, "warnings": [],
            "financialSummaries": []}


@resolves("FulfillmentOrder", "fulfillmentHolds")
def holds(each: FulfillmentOrder, arguments: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    return each.holds


@resolves("FulfillmentHold", "heldByApp")
def held_by_app(each: dict[str, Any], arguments: dict[str, Any], context: Context) -> None:
    """Another app that holds it; there is none here."""


@resolves("FulfillmentOrder", "merchantRequests", "locationsForMove", "fulfillmentOrdersForMerge")
def none_yet(each: FulfillmentOrder, arguments: dict[str, Any], context: Context) -> Window:
    return window([], arguments)


@resolves("FulfillmentOrder", "fulfillments")
def fulfillments_of(each: FulfillmentOrder, arguments: dict[str, Any], context: Context) -> Window:
    mine = {row.id for row in each.lines}
    return window([one for one in each.order.fulfillments if any(row.id in mine for _, row, _ in one.rows)], arguments)


# --- fulfilments ----------------------------------------------------------------------------------------


@resolves("Fulfillment", "trackingInfo")
def tracking_info(each: Fulfillment, arguments: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    return each.tracking[:arguments.get("first")]


@resolves("Fulfillment", "fulfillmentLineItems")
def fulfillment_lines(each: Fulfillment, arguments: dict[str, Any], context: Context) -> Window:
    merged: dict[int, tuple[int, FulfillmentOrderLine, int]] = {}  # a line of the order comes once
    for number, row, quantity in each.rows:
        first = merged.get(row.line.id, (number, row, 0))
        merged[row.line.id] = (first[0], first[1], first[2] + quantity)
    page = window(list(merged.values()), arguments, number=lambda row: row[0])
    page.nodes = [{"__typename": "FulfillmentLineItem", "id": gid("FulfillmentLineItem", number),
                   "quantity": quantity, "lineItem": line_shown(row.line, each.order, context)}
                  for number, row, quantity in page.nodes]
    return page


@resolves("Fulfillment", "fulfillmentOrders")
def fulfillment_orders_of(each: Fulfillment, arguments: dict[str, Any], context: Context) -> Window:
    mine = {row.id for _, row, _ in each.rows}
    return window([one for one in each.order.fulfillment_orders if any(row.id in mine for row in one.lines)],
                  arguments)


@resolves("Fulfillment", "totalQuantity")
def total_quantity(each: Fulfillment, arguments: dict[str, Any], context: Context) -> int:
    return sum(quantity for _, _, quantity in each.rows)


@resolves("Fulfillment", "requiresShipping")
def requires_shipping(each: Fulfillment, arguments: dict[str, Any], context: Context) -> bool:
    return any(row.line.requires_shipping for _, row, _ in each.rows)


@resolves("Fulfillment", "events")
def events(each: Fulfillment, arguments: dict[str, Any], context: Context) -> Window:
    return window(each.events, arguments, number=lambda row: row["number"])


@resolves("Fulfillment", "service")
def service(each: Fulfillment, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return {"__typename": "FulfillmentService", "id": f"{gid('FulfillmentService', 'manual')}", "handle": "manual",
            "serviceName": "Manual", "trackingSupport": False, "type": "MANUAL", "location": each.location}


@resolves("Fulfillment", "originAddress")
def origin_address(each: Fulfillment, arguments: dict[str, Any], context: Context) -> None:
    return None

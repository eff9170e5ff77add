"""Fulfilment orders: what of an order is to be sent from where, and how far it is. Read only; fulfilling is an action.

The statuses of one are those of its location's work, not of the order. Shopify shows them only to apps that may see
fulfilment orders of merchants; closed ones are read too, or they would look deleted.
"""

from backend.core.model import Field
from backend.shopify.resource import StoreResource

RESOURCE = StoreResource(
    name="fulfillment_orders",
    label="Fulfilment orders",
    table="Fulfilment_orders",
    type="FulfillmentOrder",
    match=(),
    title="orderName",
    scopes=("read_merchant_managed_fulfillment_orders", "read_orders"),
    search="fulfillmentOrders",
    topics=("FULFILLMENT_ORDERS_ORDER_ROUTING_COMPLETE", "FULFILLMENT_ORDERS_MOVED",
            "FULFILLMENT_ORDERS_PLACED_ON_HOLD", "FULFILLMENT_ORDERS_HOLD_RELEASED", "FULFILLMENT_ORDERS_CANCELLED"),
    place=11,
    connection="fulfillmentOrders",
    arguments="sortKey: ID, includeClosed: true",
    titles=("orderName", "assignedLocation.name"),
    window="read_all_orders",
    fields=(
        Field("order", "ref", "Order", "metadata", path="orderId", target="orders"),
        Field("orderName", "text", "Order name", "metadata", path="orderName"),
        Field("location", "ref", "Location", "inventory", path="assignedLocation.location.id", target="locations"),
        Field("status", "choice", "Status", "status", path="status"),
        Field("requestStatus", "choice", "Request", "status", path="requestStatus", usual=False),
        Field("fulfillAt", "datetime", "Fulfil at", "status", path="fulfillAt", usual=False),
        Field("fulfillBy", "datetime", "Fulfil by", "status", path="fulfillBy", usual=False),
        Field("createdAt", "datetime", "Created", "metadata", path="createdAt"),
        Field("updatedAt", "datetime", "Updated", "metadata", path="updatedAt"),
    ),
)

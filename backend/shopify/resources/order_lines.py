"""Order lines: read only. A line that was removed from its order stays, with a current quantity of 0.

A line does not know its order, so lines are read below their orders.
"""

from backend.core.model import Field
from backend.shopify.resource import Below, StoreResource

RESOURCE = StoreResource(
    name="order_lines",
    label="Order lines",
    table="Order_lines",
    type="LineItem",
    match=(),
    follows="order",
    title="name",
    scopes=("read_orders", "read_products"),
    place=8,
    connection="orders",
    below=Below("Order", "order", "lineItems", points_up=False),
    titles=("order.name", "name"),
    window="read_all_orders",
    fields=(
        Field("order", "ref", "Order", "metadata", path="order.id", target="orders"),
        Field("variant", "ref", "Variant", "metadata", path="variant.id", target="variants"),
        Field("name", "text", "Line", "metadata", path="name"),
        Field("sku", "text", "SKU", "sku", path="sku"),
        Field("quantity", "integer", "Ordered", "sales", path="quantity"),
        Field("currentQuantity", "integer", "Quantity", "sales", path="currentQuantity"),
        Field("unfulfilledQuantity", "integer", "To fulfil", "sales", path="unfulfilledQuantity"),
        Field("unitPrice", "money", "Unit price", "price", path="originalUnitPriceSet.shopMoney.amount"),
        Field("discountedUnitPrice", "money", "Discounted", "price",
              path="discountedUnitPriceAfterAllDiscountsSet.shopMoney.amount", usual=False),
        Field("total", "money", "Total", "sales", path="discountedTotalSet.shopMoney.amount"),
        Field("vendor", "text", "Vendor", "metadata", path="vendor", usual=False),
        Field("requiresShipping", "boolean", "Needs shipping", "metadata", path="requiresShipping", usual=False),
    ),
)

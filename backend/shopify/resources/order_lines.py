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
    topics=("ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_DELETE", "REFUNDS_CREATE", "FULFILLMENTS_CREATE"),
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
        Field("title", "text", "Title", "metadata", path="title", usual=False),
        Field("variantTitle", "text", "Variant title", "metadata", path="variantTitle", usual=False),
        Field("discounts", "money", "Discounts", "sales", path="totalDiscountSet.shopMoney.amount", usual=False),
        Field("refundableQuantity", "integer", "Refundable", "sales", path="refundableQuantity", usual=False),
        Field("customAttributes", "list", "Attributes", "metadata", path="views.attributes", usual=False),
        Field("isGiftCard", "boolean", "Gift card", "metadata", path="isGiftCard", usual=False),
        Field("vendor", "text", "Vendor", "metadata", path="vendor", usual=False),
        Field("requiresShipping", "boolean", "Needs shipping", "metadata", path="requiresShipping", usual=False),
    ),
)

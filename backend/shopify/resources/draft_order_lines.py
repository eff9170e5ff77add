"""Draft order lines: read only. A line does not know its draft, so lines are read below their drafts."""

from backend.core.model import Field
from backend.shopify.resource import Below, StoreResource

RESOURCE = StoreResource(
    name="draft_order_lines",
    label="Draft order lines",
    table="Draft_order_lines",
    type="DraftOrderLineItem",
    match=(),
    follows="draft",
    title="name",
    scopes=("read_draft_orders", "read_products"),
    topics=("DRAFT_ORDERS_CREATE", "DRAFT_ORDERS_UPDATE", "DRAFT_ORDERS_DELETE"),
    place=10,
    connection="draftOrders",
    below=Below("DraftOrder", "draft", "lineItems", points_up=False),
    titles=("draft.name", "name"),
    fields=(
        Field("draft", "ref", "Draft", "metadata", path="draft.id", target="draft_orders"),
        Field("variant", "ref", "Variant", "metadata", path="variant.id", target="variants"),
        Field("name", "text", "Line", "metadata", path="name"),
        Field("sku", "text", "SKU", "sku", path="sku"),
        Field("quantity", "integer", "Quantity", "sales", path="quantity"),
        Field("unitPrice", "money", "Unit price", "price", path="originalUnitPriceSet.shopMoney.amount"),
        Field("total", "money", "Total", "sales", path="discountedTotalSet.shopMoney.amount"),
        Field("title", "text", "Title", "metadata", path="title", usual=False),
        Field("vendor", "text", "Vendor", "metadata", path="vendor", usual=False),
        Field("discountedUnitPrice", "money", "Discounted", "price",
              path="approximateDiscountedUnitPriceSet.shopMoney.amount", usual=False),
        Field("custom", "boolean", "Custom line", "metadata", path="custom", usual=False),
    ),
)

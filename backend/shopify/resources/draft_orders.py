"""Draft orders. The note is read as `note2`. Completing one and sending its invoice are actions, not fields.

A new row makes a draft with its lines: "2 × LIN-S" each, by SKU. Lines are given then and never written later.
"""

from backend.core.model import Field, Rule
from backend.shopify.resource import StoreResource, Verb

RESOURCE = StoreResource(
    name="draft_orders",
    label="Draft orders",
    table="Draft_orders",
    type="DraftOrder",
    match=("name",),
    title="name",
    scopes=("read_draft_orders",),
    write_scopes=("write_draft_orders",),
    creatable=True,
    deletable=True,
    search="draftOrders",
    topics=("DRAFT_ORDERS_CREATE", "DRAFT_ORDERS_UPDATE", "DRAFT_ORDERS_DELETE"),
    place=9,
    connection="draftOrders",
    make=Verb("draftOrderCreate", "input", "DraftOrderInput!", "draftOrder"),
    update=Verb("draftOrderUpdate", "input", "DraftOrderInput!", "draftOrder", id_apart=True),
    remove=Verb("draftOrderDelete", "input", "DraftOrderDeleteInput!", "deletedId"),
    owner="DRAFTORDER",
    newest="draftOrders",
    fields=(
        Field("name", "text", "Draft", "metadata", path="name"),
        Field("customer", "ref", "Customer", "customer", path="customer.id", on_create="@customer",
              target="customers"),
        Field("email", "text", "Email", "customer", path="email", write="email"),
        Field("note", "text", "Note", "metadata", path="note2", write="note"),
        Field("tags", "list", "Tags", "metadata", path="tags", write="tags", rule=Rule.MERGE),
        Field("lines", "list", "Lines", "sales", path="views.lines", on_create="@lines", required=True),
        Field("poNumber", "text", "PO number", "metadata", path="poNumber", write="poNumber", usual=False),
        Field("customAttributes", "list", "Attributes", "metadata", path="views.attributes", write="customAttributes",
              usual=False),
        Field("phone", "text", "Phone", "customer", path="phone", write="phone", usual=False),
        Field("status", "choice", "Status", "status", path="status", choices=("OPEN", "INVOICE_SENT", "COMPLETED")),
        Field("total", "money", "Total", "sales", path="totalPriceSet.shopMoney.amount"),
        Field("subtotal", "money", "Subtotal", "sales", path="subtotalPriceSet.shopMoney.amount", usual=False),
        Field("tax", "money", "Tax", "sales", path="totalTaxSet.shopMoney.amount", usual=False),
        Field("discounts", "money", "Discounts", "sales", path="totalDiscountsSet.shopMoney.amount", usual=False),
        Field("currency", "text", "Customer's currency", "sales", path="presentmentCurrencyCode", usual=False),
        Field("invoiceSentAt", "datetime", "Invoice sent", "status", path="invoiceSentAt", usual=False),
        Field("invoiceUrl", "text", "Invoice link", "metadata", path="invoiceUrl", usual=False),
        Field("order", "ref", "Order", "metadata", path="order.id", target="orders", usual=False),
        Field("createdAt", "datetime", "Created", "metadata", path="createdAt"),
        Field("updatedAt", "datetime", "Updated", "metadata", path="updatedAt"),
        Field("completedAt", "datetime", "Completed", "status", path="completedAt", usual=False),
    ),
)

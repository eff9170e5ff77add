"""Orders of the last 60 days; with the scope read_all_orders, of all time.

What has happened (paid, fulfilled, cancelled) is read; making it happen is an action. Tracking is written where an
order has one fulfilment. Shopify takes a shipping address only as a whole, so its other parts are sent along as they
stand.
"""

from backend.core.model import Field, Rule
from backend.shopify.resource import Right, StoreResource, Together, Verb

_ADDRESS = (
    ("firstName", "First name", "firstName"), ("lastName", "Last name", "lastName"), ("company", "Company", "company"),
    ("address1", "Address", "address1"), ("address2", "Address 2", "address2"), ("zip", "Postcode", "zip"),
    ("city", "City", "city"), ("provinceCode", "Province", "provinceCode"),
    ("countryCode", "Country", "countryCodeV2"), ("phone", "Phone", "phone"),
)
"""(name in the input, label, where it is read)."""

RESOURCE = StoreResource(
    name="orders",
    label="Orders",
    table="Orders",
    type="Order",
    match=("name",),
    title="name",
    scopes=("read_orders",),
    write_scopes=("write_orders",),
    search="orders",
    topics=("ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_DELETE", "REFUNDS_CREATE", "FULFILLMENTS_CREATE",
            "FULFILLMENTS_UPDATE"),
    place=7,
    connection="orders",
    window="read_all_orders",
    together=(Together("shippingAddress", tuple((name, f"shippingAddress.{path}") for name, _, path in _ADDRESS)),
              Together("@tracking", (("company", "views.trackingCompany"), ("number", "views.trackingNumber"),
                                     ("url", "views.trackingUrl")))),
    rights=(Right(("@tracking",), write=(
        "write_merchant_managed_fulfillment_orders", "write_assigned_fulfillment_orders",
        "write_third_party_fulfillment_orders")),),
    update=Verb("orderUpdate", "input", "OrderInput!", "order"),
    owner="ORDER",
    fields=(
        Field("name", "text", "Order", "metadata", path="name"),
        Field("customer", "ref", "Customer", "customer", path="customer.id", target="customers"),
        Field("email", "text", "Email", "customer", path="email", write="email"),
        Field("phone", "text", "Phone", "customer", path="phone", write="phone"),
        Field("note", "text", "Note", "metadata", path="note", write="note"),
        Field("tags", "list", "Tags", "metadata", path="tags", write="tags", rule=Rule.MERGE),
        Field("poNumber", "text", "PO number", "metadata", path="poNumber", write="poNumber"),
        Field("financialStatus", "choice", "Payment", "status", path="displayFinancialStatus"),
        Field("fulfillmentStatus", "choice", "Fulfilment", "status", path="displayFulfillmentStatus"),
        Field("total", "money", "Total", "sales", path="currentTotalPriceSet.shopMoney.amount"),
        Field("subtotal", "money", "Subtotal", "sales", path="currentSubtotalPriceSet.shopMoney.amount", usual=False),
        Field("discounts", "money", "Discounts", "sales", path="currentTotalDiscountsSet.shopMoney.amount",
              usual=False),
        Field("tax", "money", "Tax", "sales", path="currentTotalTaxSet.shopMoney.amount", usual=False),
        Field("shipping", "money", "Shipping", "sales", path="currentShippingPriceSet.shopMoney.amount", usual=False),
        Field("outstanding", "money", "Outstanding", "sales", path="totalOutstandingSet.shopMoney.amount",
              usual=False),
        Field("originalTotal", "money", "Original total", "sales", path="originalTotalPriceSet.shopMoney.amount",
              usual=False),
        Field("refunded", "money", "Refunded", "sales", path="totalRefundedSet.shopMoney.amount"),
        Field("currency", "text", "Customer's currency", "sales", path="presentmentCurrencyCode", usual=False),
        Field("risk", "choice", "Risk", "status", path="risk.recommendation", usual=False),
        Field("sourceName", "text", "Source", "metadata", path="sourceName", usual=False),
        *(Field(f"shippingAddress.{name}", "text", f"Ship to {label[:1].lower()}{label[1:]}", "address",
                path=f"shippingAddress.{path}", write=f"shippingAddress.{name}", usual=name in ("city", "countryCode"))
          for name, label, path in _ADDRESS),
        Field("customAttributes", "list", "Attributes", "metadata", path="views.attributes", write="customAttributes",
              usual=False),
        Field("trackingNumber", "text", "Tracking number", "tracking", path="views.trackingNumber",
              write="@tracking.number"),
        Field("trackingCompany", "text", "Carrier", "tracking", path="views.trackingCompany",
              write="@tracking.company", usual=False),
        Field("trackingUrl", "text", "Tracking link", "tracking", path="views.trackingUrl", write="@tracking.url",
              usual=False),
        Field("returnStatus", "choice", "Return", "status", path="returnStatus", usual=False),
        Field("cancelReason", "choice", "Cancelled because", "status", path="cancelReason", usual=False),
        Field("createdAt", "datetime", "Created", "metadata", path="createdAt"),
        Field("processedAt", "datetime", "Processed", "metadata", path="processedAt", usual=False),
        Field("updatedAt", "datetime", "Updated", "metadata", path="updatedAt"),
        Field("closedAt", "datetime", "Closed", "status", path="closedAt", usual=False),
        Field("cancelledAt", "datetime", "Cancelled", "status", path="cancelledAt"),
    ),
)

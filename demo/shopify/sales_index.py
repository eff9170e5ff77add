"""What searches know of customers, orders, draft orders and fulfilment orders: their filters and documents [S]."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .people import Customer, order_count, orders_of, spent
from .search import Field
from .trade import DraftOrder, FulfillmentOrder, Order

if TYPE_CHECKING:
    from .state import Store

Document = dict[str, Any]
_DATES = {"created_at": Field("date"), "updated_at": Field("date")}
_TAGS = {"tag": Field("exact"), "tag_not": Field("exact")}
KINDS: dict[type, str] = {Customer: "customer", Order: "order", DraftOrder: "draft_order",
                          FulfillmentOrder: "fulfillment_order"}

FIELDS: dict[str, dict[str, Field]] = {
    "customer": {"id": Field("id"), "email": Field("exact"), "phone": Field("exact"), "first_name": Field("text"),
                 "last_name": Field("text"), "country": Field("exact"), "state": Field("exact"),
                 "accepts_marketing": Field("flag"), "customer_date": Field("date"), "order_date": Field("date"),
                 "last_abandoned_order_date": Field("date"), "orders_count": Field("number"),
                 "total_spent": Field("number"), "updated_at": Field("date"), **_TAGS},
    "order": {**_DATES, **_TAGS, "id": Field("id"), "name": Field("order_name"), "email": Field("exact"),
              "status": Field("exact"), "financial_status": Field("exact"), "fulfillment_status": Field("exact"),
              "customer_id": Field("id"), "processed_at": Field("date"), "po_number": Field("exact"),
              "sku": Field("exact"), "test": Field("flag"), "source_name": Field("exact"),
              "source_identifier": Field("exact"), "location_id": Field("id"), "channel": Field("exact"),
              "channel_id": Field("id"), "chargeback_status": Field("exact"), "checkout_token": Field("exact"),
              "cart_token": Field("exact"), "confirmation_number": Field("exact"), "credit_card_last4": Field("exact"),
              "current_total_price": Field("number"), "delivery_method": Field("exact"),
              "discount_code": Field("exact"), "fraud_protection_level": Field("exact"),
              "fulfillment_location_id": Field("id"), "gateway": Field("exact"), "payment_id": Field("exact"),
              "payment_provider_id": Field("id"), "reference_location_id": Field("id"),
              "return_status": Field("exact"), "risk_level": Field("exact"), "sales_channel": Field("exact"),
              "subtotal_line_items_quantity": Field("number"), "total_weight": Field("number")},
    "draft_order": {**_DATES, "id": Field("id"), "customer_id": Field("id"), "source": Field("exact"),
                    "status": Field("exact"), "tag": Field("exact")},
    "fulfillment_order": {"id": Field("id"), "status": Field("exact"), "assigned_location_id": Field("id"),
                          "updated_at": Field("date")},
}


def tables(store: Store) -> dict[str, dict[int, Any]]:
    return {"customer": store.customers, "order": store.orders, "draft_order": store.drafts,
            "fulfillment_order": fulfillment_orders(store)}


def fulfillment_orders(store: Store) -> dict[int, FulfillmentOrder]:
    return {each.id: each for order in store.orders.values() for each in order.fulfillment_orders}


def document(store: Store, thing: Any) -> Document:
    """What searches and sorted lists know of a thing."""
    if isinstance(thing, Customer):
        return _customer(store, thing)
    if isinstance(thing, Order):
        return _order(store, thing)
    if isinstance(thing, DraftOrder):
        customer = thing.customer.display_name if thing.customer else ""
        return {"id": thing.id, "number": thing.number, "name": thing.name, "tag": list(thing.tags),
                "status": thing.status.lower(), "customer_id": thing.customer.id if thing.customer else None,
                "customer_name": customer, "source": thing.source_name or "", "created_at": thing.created_at,
                "updated_at": thing.updated_at, "total": float(thing.total().shop),
                "default": [thing.name, thing.email or "", customer, *thing.tags, *(line.title for line in
                                                                                    thing.lines)]}
    return {"id": thing.id, "status": thing.status.lower(), "updated_at": thing.updated_at,
            "assigned_location_id": thing.location.id if thing.location else None, "default": [thing.order.name]}


def _customer(store: Store, customer: Customer) -> Document:
    default = customer.default
    country = [default.parts.get("country") or "", default.parts.get("countryCodeV2") or ""] if default else []
    return {"id": customer.id, "email": customer.email, "phone": customer.phone, "first_name": customer.first_name,
            "last_name": customer.last_name, "country": country, "state": customer.state.lower(),
            "tag": list(customer.tags), "accepts_marketing": customer.email_consent.state == "SUBSCRIBED",
            "customer_date": customer.created_at, "created_at": customer.created_at,
            "updated_at": customer.updated_at, "orders_count": order_count(store, customer),
            "total_spent": float(spent(store, customer)),
            "order_date": [order.created_at for order in orders_of(store, customer)],
            "person": f"{customer.last_name or ''}, {customer.first_name or ''}",
            "place": ", ".join(part for part in country[:1] if part),
            "metafields": _metafields(store, customer.gid),
            "default": [customer.display_name, customer.email or "", customer.phone or "", *customer.tags,
                        *((default.parts.get(key) or "") for key in ("address1", "city", "company"))
                        ] if default else [customer.display_name, customer.email or "", customer.phone or "",
                                           *customer.tags]}


_FULFILLMENT_WORDS = {"UNFULFILLED": ["unfulfilled", "unshipped"], "FULFILLED": ["fulfilled", "shipped"],
                      "PARTIALLY_FULFILLED": ["partial", "partially_fulfilled"]}


def _order(store: Store, order: Order) -> Document:
    financial = order.adopted.get("displayFinancialStatus", order.financial_status()) or ""
    fulfilment = order.adopted.get("displayFulfillmentStatus", order.fulfillment_status())
    status = "cancelled" if order.cancelled_at else "closed" if order.closed_at else "open"
    customer = order.customer.display_name if order.customer else ""
    return {"id": order.id, "number": order.number, "name": order.name, "email": order.email, "tag": list(order.tags),
            "status": [status, *(["not_closed"] if status == "open" else []), "any"],
            "financial_status": financial.lower(), "customer_id": order.customer.id if order.customer else None,
            "fulfillment_status": [fulfilment.lower(), *_FULFILLMENT_WORDS.get(fulfilment, [])],
            "processed_at": order.processed_at, "created_at": order.created_at, "updated_at": order.updated_at,
            "po_number": order.po_number, "sku": [line.sku for line in order.lines if line.sku], "test": order.test,
            "source_name": order.source_name, "source_identifier": order.source_identifier,
            "discount_code": list(order.discount_codes), "current_total_price": float(order.total(current=True).shop),
            "total": float(order.total(current=True).shop), "customer_name": customer,
            "gateway": [each.gateway for each in order.transactions if each.gateway],
            "subtotal_line_items_quantity": sum(line.quantity for line in order.lines), "risk_level": order.risk_level,
            "fulfillment_location_id": [each.location.id for each in order.fulfillment_orders if each.location],
            "metafields": _metafields(store, order.gid),
            "default": [order.name, order.email or "", customer, order.po_number or "", *order.tags,
                        *(line.title for line in order.lines), *(line.sku or "" for line in order.lines)]}


def _metafields(store: Store, owner: str) -> dict[str, str]:
    return {f"{each.namespace}.{each.key}": each.value for each in store.metafields.of(owner)}

"""Take over what an answer shows of customers, orders and draft orders (for replays; see adopt.py).

What a store works out of the rest (totals, statuses) and a recording shows without the rest is kept as it was shown
until the thing changes.
"""
from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from . import people
from .ids import kind_of, number_of
from .people import Address, Customer
from .trade import (
    Bag,
    DraftOrder,
    Fulfillment,
    FulfillmentOrder,
    FulfillmentOrderLine,
    Line,
    Order,
    Transaction,
    add_draft,
    add_order,
    line_of_variant,
)

_ORDER = {"email": "email", "phone": "phone", "note": "note", "poNumber": "po_number", "cancelReason": "cancel_reason",
          "name": "name", "sourceName": "source_name", "test": "test", "taxesIncluded": "taxes_included",
          "discountCodes": "discount_codes", "customAttributes": "custom_attributes", "note2": "note",
          "status": "status", "taxExempt": "tax_exempt", "reserveInventoryUntil": "reserve_until"}
_DATES = {"createdAt": "created_at", "updatedAt": "updated_at", "processedAt": "processed_at",
          "closedAt": "closed_at", "cancelledAt": "cancelled_at", "completedAt": "completed_at",
          "invoiceSentAt": "invoice_sent_at", "fulfillAt": "fulfill_at"}
_CUSTOMER = {"firstName": "first_name", "lastName": "last_name", "email": "email", "phone": "phone", "note": "note",
             "state": "state", "locale": "locale", "taxExempt": "tax_exempt", "verifiedEmail": "verified_email",
             "taxExemptions": "tax_exemptions", "dataSaleOptOut": "data_sale_opt_out"}
# Parts that are things of their own and come by themselves.
_OWN = {"id", "customer", "lineItems", "fulfillmentOrders", "fulfillments", "transactions", "metafield", "metafields",
        "shippingAddress", "billingAddress", "tags", "legacyResourceId", "order", "orders", "lastOrder", "refunds",
        "number", "events", "localizationExtensions", "localizedFields"}


class SalesAdoption:
    """Mixed into the adoption: `store`, `number()` and `variant()` are its own."""

    store: Any

    def number(self, global_id: str) -> int:
        raise NotImplementedError

    def customer(self, shown: dict[str, Any], above: list[Any]) -> Customer:
        number = self.number(shown["id"])
        customer: Customer = self.store.customers.get(number) or people.add_customer(self.store, id=number)
        _copy(customer, shown, _CUSTOMER)
        if shown.get("displayName") and not customer.name and "firstName" not in shown:
            first, _, last = shown["displayName"].rpartition(" ")
            if "@" not in shown["displayName"] and not shown["displayName"].startswith("+"):
                customer.first_name, customer.last_name = first or None, last or None
        if shown.get("tags") is not None:
            customer.tags = list(shown["tags"])
        for key, holder in (("defaultEmailAddress", "email"), ("defaultPhoneNumber", "phone")):
            part = shown.get(key)
            if isinstance(part, dict):
                setattr(customer, holder, part.get("emailAddress") or part.get("phoneNumber") or
                        getattr(customer, holder))
                held = customer.email_consent if holder == "email" else customer.sms_consent
                held.state = part.get("marketingState", held.state)
                held.level = part.get("marketingOptInLevel", held.level)
                held.updated_at = part.get("marketingUpdatedAt", held.updated_at)
                held.collected_from = part.get("marketingCollectedFrom", held.collected_from)
        _moments(customer, shown)
        if shown.get("numberOfOrders") is not None:
            customer.earlier_orders = int(shown["numberOfOrders"]) - len(people.orders_of(self.store, customer))
        if isinstance(shown.get("amountSpent"), dict):
            now = people.spent(self.store, customer) - customer.earlier_spent
            customer.earlier_spent = Decimal(shown["amountSpent"]["amount"]) - now
        rows = [row for row in _nodes(shown.get("addressesV2")) or shown.get("addresses") or () if row]
        default = shown.get("defaultAddress")
        if rows or default:
            customer.addresses_held = [self.address(row) for row in rows]
        if default:
            held_default = next((each for each in customer.addresses_held if each.gid == default.get("id") or (
                "id" not in default and {**each.parts, **_parts(default)} == each.parts)), None)
            if held_default is None:
                held_default = self.address(default)
                customer.addresses_held.insert(0, held_default)
            customer.default_address_id = held_default.id
        self.store.index.stale(customer)
        return customer

    def address(self, shown: dict[str, Any]) -> Address:
        number = number_of(shown["id"]) if isinstance(shown.get("id"), str) else None
        return Address(id=number or self.store.new_id(), parts=_parts(shown))

    def order(self, shown: dict[str, Any], above: list[Any]) -> Order:
        number = self.number(shown["id"])
        order: Order | None = self.store.orders.get(number)
        if order is None:
            currency = _currency(shown) or self.store.shop.currency_code
            order = add_order(self.store, id=number, name=shown.get("name"), currency=currency,
                              seen_currency=shown.get("presentmentCurrencyCode") or currency)
        self.trade(order, shown, above)
        for row in _nodes(shown.get("lineItems")):
            if isinstance(row, dict) and isinstance(row.get("id"), str):
                self.line(row, order)
        for row in shown.get("transactions") or ():
            if isinstance(row, dict) and not any(
                    each.gid == row.get("id") or ("id" not in row and each.transaction_kind == row.get("kind"))
                    for each in order.transactions):
                order.transactions.append(Transaction(
                    id=self.number(row["id"]) if row.get("id") else self.store.new_id(),
                    transaction_kind=row.get("kind", "SALE"),
                    status=row.get("status", "SUCCESS"), gateway=row.get("gateway"),
                    amount=_bag(row.get("amountSet")), created_at=self.store.now()))
        for row in _nodes(shown.get("fulfillmentOrders")):
            if isinstance(row, dict) and isinstance(row.get("id"), str):
                self.fulfillment_order(row, [order])
        for row in shown.get("fulfillments") or ():
            if isinstance(row, dict) and isinstance(row.get("id"), str):
                self.fulfillment(row, [order])
        for key in ("localizedFields", "localizationExtensions"):
            rows = [row for row in _nodes(shown.get(key)) if isinstance(row, dict) and "key" in row]
            order.localized = [{"key": row["key"], "value": row["value"]} for row in rows] or order.localized
        if shown.get("name", "").lstrip("#").isdigit():
            order.number = int(shown["name"].lstrip("#"))
        return order

    def draft(self, shown: dict[str, Any], above: list[Any]) -> DraftOrder:
        number = self.number(shown["id"])
        draft: DraftOrder | None = self.store.drafts.get(number)
        if draft is None:
            currency = _currency(shown) or self.store.shop.currency_code
            draft = add_draft(self.store, id=number, name=shown.get("name"), currency=currency)
        self.trade(draft, shown, above)
        for row in _nodes(shown.get("lineItems")):
            if isinstance(row, dict) and isinstance(row.get("id"), str):
                self.line(row, draft)
        if isinstance(shown.get("order"), dict) and isinstance(shown["order"].get("id"), str):
            draft.order = self.order(shown["order"], [])
        if shown.get("name", "").lstrip("#D").isdigit():
            draft.number = int(shown["name"].lstrip("#D"))
        return draft

    def trade(self, thing: Order | DraftOrder, shown: dict[str, Any], above: list[Any]) -> None:
        """What orders and drafts have in common."""
        _copy(thing, shown, _ORDER)
        _moments(thing, shown)
        if shown.get("tags") is not None:
            thing.tags = list(shown["tags"])
        if isinstance(shown.get("customer"), dict) and isinstance(shown["customer"].get("id"), str):
            thing.customer = self.customer(shown["customer"], [])
        elif above and isinstance(above[-1], Customer):
            thing.customer = above[-1]
        for key, attribute in (("shippingAddress", "shipping_parts"), ("billingAddress", "billing_parts")):
            if isinstance(shown.get(key), dict):
                setattr(thing, attribute, {**(getattr(thing, attribute) or {}), **_parts(shown[key])})
        thing.adopted.update({key: _whole(value) for key, value in shown.items()
                              if key not in _OWN and key not in _ORDER and key not in _DATES
                              and not (isinstance(value, dict) and {"nodes", "edges"} & set(value))})
        self.store.index.stale(thing)

    def line(self, shown: dict[str, Any], thing: Order | DraftOrder) -> Line:
        line = next((each for each in thing.lines if each.gid.rsplit("/", 1)[-1] == shown["id"].rsplit("/", 1)[-1]),
                    None)
        variant_shown = shown.get("variant")
        variant = None
        if isinstance(variant_shown, dict) and isinstance(variant_shown.get("id"), str):
            variant = self.store.thing(variant_shown["id"])
            if variant is None:
                self.thing(variant_shown, [])  # type: ignore[attr-defined]
                variant = self.store.thing(variant_shown["id"])
        if line is None:
            number = self.number(shown["id"])
            line = line_of_variant(self.store, variant, 1, id=number) if variant else Line(
                id=number, title="", quantity=1, unit_price=Bag())
            thing.lines.append(line)
        _copy(line, shown, {"title": "title", "quantity": "quantity", "sku": "sku", "variantTitle": "variant_title",
                            "vendor": "vendor", "requiresShipping": "requires_shipping", "taxable": "taxable"})
        line.variant = variant or line.variant
        if "sku" in shown:
            line.sku = shown["sku"]
        if isinstance(shown.get("originalUnitPriceSet"), dict):
            line.unit_price = _bag(shown["originalUnitPriceSet"])
        if isinstance(shown.get("currentQuantity"), int):
            line.removed = line.quantity - shown["currentQuantity"]
        line.adopted.update({key: _whole(value) for key, value in shown.items()
                             if key.endswith("Set") or key == "appliedDiscount"})
        if shown.get("customAttributes") is not None:
            line.custom_attributes = list(shown["customAttributes"])
        line.tax_lines = [{"title": tax.get("title"), "rate": tax.get("rate"), "price": _bag(tax.get("priceSet")),
                           "channelLiable": tax.get("channelLiable")} for tax in shown.get("taxLines") or ()] \
            or line.tax_lines
        return line

    def fulfillment_order(self, shown: dict[str, Any], above: list[Any]) -> FulfillmentOrder:
        number = self.number(shown["id"])
        order = next((thing for thing in reversed(above) if isinstance(thing, Order)), None)
        if order is None and isinstance(shown.get("order"), dict) and isinstance(shown["order"].get("id"), str):
            order = self.order(shown["order"], [])
        held: FulfillmentOrder | None = self.store.thing(shown["id"])
        if held is None:
            order = order or add_order(self.store)
            now = self.store.now()
            held = FulfillmentOrder(id=number, order=order, location=None, created_at=now, updated_at=now)
            order.fulfillment_orders.append(held)
        elif order is not None and held.order is not order:
            held.order.fulfillment_orders.remove(held)
            order.fulfillment_orders.append(held)
            held.order = order
        _copy(held, shown, {"status": "status", "requestStatus": "request_status", "fulfillBy": "fulfill_by"})
        _moments(held, shown)
        place = ((shown.get("assignedLocation") or {}).get("location") or {})
        if isinstance(place.get("id"), str):
            self.thing(place, [])  # type: ignore[attr-defined]
            held.location = self.store.thing(place["id"])
        for row in _nodes(shown.get("lineItems")):
            if not isinstance(row, dict) or not isinstance(row.get("id"), str):
                continue
            line_shown = row.get("lineItem") or {}
            line = self.line(line_shown, held.order) if isinstance(line_shown.get("id"), str) else Line(
                id=self.store.new_id(), title=line_shown.get("title", ""), quantity=row.get("totalQuantity", 1),
                unit_price=Bag())
            kept = next((each for each in held.lines if each.gid == row["id"]), None)
            if kept is None:
                kept = FulfillmentOrderLine(id=self.number(row["id"]), line=line, total_quantity=0,
                                            remaining_quantity=0)
                held.lines.append(kept)
            kept.total_quantity = row.get("totalQuantity", kept.total_quantity or line.quantity)
            kept.remaining_quantity = row.get("remainingQuantity", kept.total_quantity)
            if line_shown.get("fulfillableQuantity") == 0:
                line.adopted["fulfillableQuantity"] = 0  # sent by a fulfilment or taken off by an edit not shown
        held.adopted.update({key: value for key, value in shown.items()
                             if key in ("supportedActions", "destination", "deliveryMethod")})
        if isinstance(shown.get("assignedLocation"), dict) and held.location is None:
            held.adopted["assignedLocation"] = {"__typename": "FulfillmentOrderAssignedLocation",
                                                **shown["assignedLocation"]}
        self.store.index.stale(held)
        return held

    def fulfillment(self, shown: dict[str, Any], above: list[Any]) -> Fulfillment:
        number = self.number(shown["id"])
        order = next((thing for thing in reversed(above) if isinstance(thing, Order)), None)
        if order is None and isinstance(shown.get("order"), dict) and isinstance(shown["order"].get("id"), str):
            order = self.order(shown["order"], [])
        held: Fulfillment | None = self.store.thing(shown["id"])
        if held is None:
            order = order or add_order(self.store)
            now = self.store.now()
            held = Fulfillment(id=number, order=order, name=shown.get("name") or f"{order.name}-F1", created_at=now,
                               updated_at=now)
            order.fulfillments.append(held)
        elif order is not None and held.order is not order:  # it was seen before without its order
            held.order.fulfillments.remove(held)
            order.fulfillments.append(held)
            held.order = order
        _copy(held, shown, {"name": "name", "status": "status", "displayStatus": "display_status",
                            "deliveredAt": "delivered_at", "inTransitAt": "in_transit_at",
                            "estimatedDeliveryAt": "estimated_delivery_at"})
        _moments(held, shown)
        if shown.get("trackingInfo") is not None:
            held.tracking = [dict(row) for row in shown["trackingInfo"]]
        place = shown.get("location")
        if isinstance(place, dict) and isinstance(place.get("id"), str):
            self.thing(place, [])  # type: ignore[attr-defined]
            held.location = self.store.thing(place["id"])
        for row in _nodes(shown.get("fulfillmentLineItems")):
            line_shown = (row or {}).get("lineItem") or {}
            if isinstance((row or {}).get("id"), str) and isinstance(line_shown.get("id"), str) and not any(
                    number == number_of(row["id"]) for number, _, _ in held.rows):
                line = self.line(line_shown, held.order)
                held.rows.append((self.number(row["id"]), FulfillmentOrderLine(
                    id=self.store.new_id(), line=line, total_quantity=row["quantity"], remaining_quantity=0),
                    row["quantity"]))
        for row in _nodes(shown.get("events")):
            number = number_of((row or {}).get("id") or "")
            if number is not None and not any(each["number"] == number for each in held.events):
                held.events.append({"__typename": "FulfillmentEvent", "number": number, **row})
        held.adopted.update({key: shown[key] for key in ("service", "totalQuantity", "requiresShipping")
                             if key in shown})
        return held


def _nodes(connection: Any) -> list[Any]:
    if not isinstance(connection, dict):
        return []
    return list(connection.get("nodes") or [edge.get("node") for edge in connection.get("edges") or ()])


def _copy(thing: Any, shown: dict[str, Any], names: dict[str, str]) -> None:
    for name, attribute in names.items():
        if name in shown and hasattr(thing, attribute):
            setattr(thing, attribute, shown[name])


def _moments(thing: Any, shown: dict[str, Any]) -> None:
    for name, attribute in _DATES.items():
        if name in shown and hasattr(thing, attribute):
            value = shown[name]
            if value is not None or attribute in ("closed_at", "cancelled_at"):
                setattr(thing, attribute, datetime.fromisoformat(value.replace("Z", "+00:00")) if value else None)


def _parts(shown: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in shown.items() if key not in ("id", "name", "formatted", "__typename")}


def _whole(value: Any) -> Any:
    """Money that is shown in the shop's currency only was seen as the same."""
    if isinstance(value, dict) and "shopMoney" in value:
        return {"presentmentMoney": value["shopMoney"], **value}
    return value


def _bag(shown: dict[str, Any] | None) -> Bag:
    shop = Decimal(((shown or {}).get("shopMoney") or {}).get("amount") or 0)
    seen = ((shown or {}).get("presentmentMoney") or {}).get("amount")
    return Bag(shop, Decimal(seen) if seen is not None else shop)


def _currency(value: Any) -> str | None:
    """The first shop currency that is shown anywhere in it."""
    if isinstance(value, dict):
        if isinstance(value.get("shopMoney"), dict):
            return value["shopMoney"].get("currencyCode")
        value = list(value.values())
    if isinstance(value, list):
        return next((found for found in map(_currency, value) if found), None)
    return None


KINDS = {"Customer": "customer", "Order": "order", "DraftOrder": "draft", "FulfillmentOrder": "fulfillment_order",
         "Fulfillment": "fulfillment"}


def kind_known(global_id: str) -> str | None:
    """The name of the method that takes over such a thing."""
    return KINDS.get(kind_of(global_id))

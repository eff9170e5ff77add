"""Orders, draft orders and what hangs on them, as the store holds them; totals and statuses are worked out here.

Amounts are `Bag`s: the same amount in the shop's money and in the money that the buyer saw.
`adopted` holds what a recording shows of things that cannot be worked out from the rest of it; a change of the
order forgets it.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from .model import Location, Thing, Variant

if TYPE_CHECKING:
    from .people import Customer
    from .state import Store

PENNY = Decimal("0.01")


@dataclass(frozen=True)
class Bag:
    """An amount twice: in the shop's currency and in the buyer's."""

    shop: Decimal = Decimal(0)
    seen: Decimal = Decimal(0)

    @classmethod
    def of(cls, amount: Any) -> Bag:
        return cls(Decimal(str(amount)), Decimal(str(amount)))

    def __add__(self, other: Bag) -> Bag:
        return Bag(self.shop + other.shop, self.seen + other.seen)

    def __sub__(self, other: Bag) -> Bag:
        return Bag(self.shop - other.shop, self.seen - other.seen)

    def times(self, factor: Any) -> Bag:
        factor = Decimal(str(factor))
        return Bag((self.shop * factor).quantize(PENNY, ROUND_HALF_UP), (self.seen * factor).quantize(PENNY,
                                                                                                      ROUND_HALF_UP))


def total(bags: Iterable[Bag]) -> Bag:
    return sum(bags, Bag())


@dataclass(eq=False)
class Line(Thing):
    kind: ClassVar[str] = "LineItem"
    id: int
    title: str
    quantity: int
    unit_price: Bag
    variant: Variant | None = None
    variant_title: str | None = None
    sku: str | None = None
    vendor: str | None = None
    removed: int = 0  # taken off by refunds and edits
    discount: Bag = field(default_factory=Bag)
    tax_lines: list[dict[str, Any]] = field(default_factory=list)  # {title, rate, price: Bag}
    requires_shipping: bool = True
    taxable: bool = True
    custom_attributes: list[dict[str, Any]] = field(default_factory=list)
    applied_discount: dict[str, Any] | None = None
    adopted: dict[str, Any] = field(default_factory=dict)

    @property
    def current_quantity(self) -> int:
        return self.quantity - self.removed


@dataclass(eq=False)
class FulfillmentOrderLine(Thing):
    kind: ClassVar[str] = "FulfillmentOrderLineItem"
    id: int
    line: Line
    total_quantity: int
    remaining_quantity: int


@dataclass(eq=False)
class FulfillmentOrder(Thing):
    kind: ClassVar[str] = "FulfillmentOrder"
    id: int
    order: Order
    location: Location | None
    created_at: datetime
    updated_at: datetime
    status: str = "OPEN"
    request_status: str = "UNSUBMITTED"
    lines: list[FulfillmentOrderLine] = field(default_factory=list)
    holds: list[dict[str, Any]] = field(default_factory=list)
    fulfill_at: datetime | None = None
    fulfill_by: Any = None
    in_progress: bool = False
    put_aside: FulfillmentOrder | None = None  # what a hold of some lines left in one of its own
    adopted: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Fulfillment(Thing):
    kind: ClassVar[str] = "Fulfillment"
    id: int
    order: Order
    name: str
    created_at: datetime
    updated_at: datetime
    location: Location | None = None
    status: str = "SUCCESS"
    display_status: str = "FULFILLED"
    tracking: list[dict[str, Any]] = field(default_factory=list)
    rows: list[tuple[int, FulfillmentOrderLine, int]] = field(default_factory=list)  # (id, line, quantity)
    events: list[dict[str, Any]] = field(default_factory=list)
    delivered_at: Any = None
    in_transit_at: Any = None
    estimated_delivery_at: Any = None
    adopted: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Transaction(Thing):
    kind: ClassVar[str] = "OrderTransaction"
    id: int
    transaction_kind: str  # SALE, AUTHORIZATION, CAPTURE, REFUND, VOID
    status: str
    gateway: str | None
    amount: Bag
    created_at: datetime
    parent: Transaction | None = None
    test: bool = False


@dataclass(eq=False)
class Refund(Thing):
    kind: ClassVar[str] = "Refund"
    id: int
    created_at: datetime
    amount: Bag
    note: str | None = None
    rows: list[tuple[Line, int]] = field(default_factory=list)


@dataclass(eq=False)
class Order(Thing):
    kind: ClassVar[str] = "Order"
    id: int
    number: int
    name: str
    created_at: datetime
    updated_at: datetime
    processed_at: datetime
    currency: str
    seen_currency: str
    email: str | None = None
    phone: str | None = None
    note: str | None = None
    po_number: str | None = None
    tags: list[str] = field(default_factory=list)
    custom_attributes: list[dict[str, Any]] = field(default_factory=list)
    customer: Customer | None = None
    shipping_parts: dict[str, Any] | None = None
    billing_parts: dict[str, Any] | None = None
    lines: list[Line] = field(default_factory=list)
    shipping_lines: list[dict[str, Any]] = field(default_factory=list)  # {id, title, code, source, price, tax_lines}
    tax_lines: list[dict[str, Any]] = field(default_factory=list)
    discount: Bag = field(default_factory=Bag)
    discount_codes: list[str] = field(default_factory=list)
    taxes_included: bool = False
    transactions: list[Transaction] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    fulfillment_orders: list[FulfillmentOrder] = field(default_factory=list)
    fulfillments: list[Fulfillment] = field(default_factory=list)
    closed_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    staff_note: str | None = None
    source_name: str | None = None
    source_identifier: str | None = None
    test: bool = False
    confirmed: bool = True
    said_financial: str | None = None  # as it was given on creation, without transactions to show for it
    said_fulfilled: bool = False
    payment_terms: dict[str, Any] | None = None
    risk_level: str | None = None
    localized: list[dict[str, str]] = field(default_factory=list)  # {key, value}
    adopted: dict[str, Any] = field(default_factory=dict)

    # --- money ------------------------------------------------------------------------------------------

    def subtotal(self, *, current: bool = False) -> Bag:
        lines = total(line.unit_price.times(line.current_quantity if current else line.quantity) - line.discount
                      for line in self.lines)
        return lines - self.discount

    def shipping(self) -> Bag:
        return total(each["price"] for each in self.shipping_lines)

    def tax(self, *, current: bool = False) -> Bag:
        found = total(tax["price"] for tax in self.tax_lines)
        for line in self.lines:
            share = Decimal(line.current_quantity) / line.quantity if current and line.quantity else Decimal(1)
            found += total(tax["price"] for tax in line.tax_lines).times(share)
        return found + total(tax["price"] for each in self.shipping_lines for tax in each["tax_lines"])

    def total(self, *, current: bool = False) -> Bag:
        tax = Bag() if self.taxes_included else self.tax(current=current)
        return self.subtotal(current=current) + self.shipping() + tax

    def paid(self) -> Bag:
        return total(each.amount for each in self.transactions
                     if each.transaction_kind in ("SALE", "CAPTURE") and each.status == "SUCCESS")

    def refunded(self) -> Bag:
        return total(each.amount for each in self.transactions
                     if each.transaction_kind == "REFUND" and each.status == "SUCCESS")

    def received(self) -> Decimal:
        """What is left with the shop, in the shop's money."""
        return self.paid().shop - self.refunded().shop

    def outstanding(self) -> Bag:
        left = self.total(current=True) - self.paid() + self.refunded()
        if self.refunded().shop and left.shop <= self.refunded().shop:
            left = left - self.refunded()
        if self.said_financial == "PAID" and not self.transactions:
            return Bag()
        return Bag(max(Decimal(0), left.shop), max(Decimal(0), left.seen))

    # --- statuses ---------------------------------------------------------------------------------------

    def financial_status(self) -> str | None:
        paid, refunded = self.paid().shop, self.refunded().shop
        if paid > 0 or (self.transactions and self.total().shop == 0):
            if refunded >= paid > 0:
                return "REFUNDED"
            if refunded > 0:
                return "PARTIALLY_REFUNDED"
            return "PAID" if paid >= self.total(current=True).shop else "PARTIALLY_PAID"
        if any(each.transaction_kind == "VOID" for each in self.transactions):
            return "VOIDED"
        if any(each.transaction_kind == "AUTHORIZATION" and each.status == "SUCCESS" for each in self.transactions):
            return "AUTHORIZED"
        if self.cancelled_at is not None and self.said_financial in ("PENDING", "AUTHORIZED"):
            return "VOIDED"
        if any(each.status == "PENDING" for each in self.transactions):
            return "PENDING"
        return self.said_financial

    def fulfillment_status(self) -> str:
        if self.said_fulfilled:
            return "FULFILLED"
        wanted = sum(row.total_quantity for each in self.fulfillment_orders for row in each.lines)
        sent = sum(quantity for each in self.fulfillments if each.status == "SUCCESS" for _, _, quantity in each.rows)
        if wanted and sent >= wanted:
            return "FULFILLED"
        if sent:
            return "PARTIALLY_FULFILLED"
        live = [each for each in self.fulfillment_orders if each.status not in ("CLOSED", "CANCELLED")]
        if live and all(each.status == "ON_HOLD" for each in live):
            return "ON_HOLD"
        if live and all(each.status == "SCHEDULED" for each in live):
            return "SCHEDULED"
        return "IN_PROGRESS" if any(each.status == "IN_PROGRESS" for each in live) else "UNFULFILLED"

    def fulfillable(self, line: Line) -> int:
        """How many of a line still wait to be sent."""
        sent = sum(quantity for each in self.fulfillments if each.status == "SUCCESS" for _, row, quantity in each.rows
                   if row.line is line)
        held = sum(row.remaining_quantity for each in self.fulfillment_orders if each.status == "ON_HOLD"
                   for row in each.lines if row.line is line)
        return 0 if self.said_fulfilled or self.cancelled_at else max(0, line.current_quantity - sent - held)


@dataclass(eq=False)
class Edit(Thing):
    """An edit of an order's lines that is not committed yet."""

    kind: ClassVar[str] = "CalculatedOrder"
    id: int
    order: Order
    added: list[Line] = field(default_factory=list)
    quantities: dict[int, int] = field(default_factory=dict)  # line's number -> how many it is to be

    def quantity_of(self, line: Line) -> int:
        return line.quantity if line in self.added else self.quantities.get(line.id, line.current_quantity)

    def changes(self) -> list[tuple[Line, int]]:
        """The lines that were there, each with another quantity than it has."""
        return [(line, self.quantities[line.id]) for line in self.order.lines
                if self.quantities.get(line.id, line.current_quantity) != line.current_quantity]


@dataclass(eq=False)
class DraftOrder(Thing):
    kind: ClassVar[str] = "DraftOrder"
    id: int
    number: int
    name: str
    created_at: datetime
    updated_at: datetime
    currency: str
    seen_currency: str
    status: str = "OPEN"
    email: str | None = None
    phone: str | None = None
    note: str | None = None
    po_number: str | None = None
    tags: list[str] = field(default_factory=list)
    custom_attributes: list[dict[str, Any]] = field(default_factory=list)
    customer: Customer | None = None
    shipping_parts: dict[str, Any] | None = None
    billing_parts: dict[str, Any] | None = None
    lines: list[Line] = field(default_factory=list)
    shipping_line: dict[str, Any] | None = None
    applied_discount: dict[str, Any] | None = None
    taxes_included: bool = False
    tax_exempt: bool = False
    reserve_until: Any = None
    invoice_sent_at: datetime | None = None
    completed_at: datetime | None = None
    order: Order | None = None
    payment_terms: dict[str, Any] | None = None
    source_name: str | None = None
    visible_to_customer: bool = False
    adopted: dict[str, Any] = field(default_factory=dict)

    def subtotal(self) -> Bag:
        lines = total(line.unit_price.times(line.quantity) - line.discount for line in self.lines)
        return lines - self.discount(lines)

    def discount(self, lines: Bag) -> Bag:
        return discounted(self.applied_discount, lines)

    def shipping(self) -> Bag:
        return self.shipping_line["price"] if self.shipping_line else Bag()

    def total(self) -> Bag:
        return self.subtotal() + self.shipping()


def discounted(discount: dict[str, Any] | None, price: Bag) -> Bag:
    """What an applied discount takes off a price."""
    if not discount:
        return Bag()
    if discount["valueType"] == "PERCENTAGE":
        return price.times(Decimal(str(discount["value"])) / 100)
    amount = Bag.of(discount["value"])
    return amount if amount.shop < price.shop else price


def add_order(store: Store, *, id: int | None = None, name: str | None = None, **values: Any) -> Order:
    """An order of this moment with the next number; lines and the rest are added by the caller."""
    now = store.now()
    last = next(reversed(store.orders.values()), None)
    number = (last.number if last else 1000) + 1
    values.setdefault("currency", store.shop.currency_code)
    values.setdefault("seen_currency", values["currency"])
    order = Order(id=id or store.new_id(), number=number, name=name or f"#{number}", created_at=now, updated_at=now,
                  **{"processed_at": now, **values})
    store.orders[order.id] = order
    store.touch(order)
    return order


def route(store: Store, order: Order, location: Location | None = None) -> None:
    """Make the order's fulfilment orders: all lines at one location."""
    now = store.now()
    if not order.lines:
        return
    here = location or (store.online_location() if store.locations else None)
    made = FulfillmentOrder(id=store.new_id(), order=order, location=here, created_at=now, updated_at=now,
                            fulfill_at=now.replace(minute=0, second=0))
    for line in order.lines:
        made.lines.append(FulfillmentOrderLine(id=store.new_id(), line=line, total_quantity=line.quantity,
                                               remaining_quantity=line.quantity))
    if order.said_fulfilled:
        made.status = "CLOSED"
        for row in made.lines:
            row.remaining_quantity = 0
    order.fulfillment_orders.append(made)
    store.index.stale(made)


def remove_order(store: Store, order: Order) -> None:
    store.orders.pop(order.id, None)
    store.drop_metafields(order.gid)
    store.index.forget("order", order.id)
    for each in order.fulfillment_orders:
        store.index.forget("fulfillment_order", each.id)
    store.changed()


def changed(store: Store, order: Order | DraftOrder) -> None:
    """Something of the order changed: what a recording said of it is void, searches and the customer learn of it."""
    order.adopted.clear()
    for line in order.lines:
        line.adopted.clear()
    store.touch(order)


def add_draft(store: Store, *, id: int | None = None, name: str | None = None, **values: Any) -> DraftOrder:
    now = store.now()
    number = max((draft.number for draft in store.drafts.values()), default=0) + 1
    values.setdefault("currency", store.shop.currency_code)
    values.setdefault("seen_currency", values["currency"])
    draft = DraftOrder(id=id or store.new_id(), number=number, name=name or f"#D{number}", created_at=now,
                       updated_at=now, **values)
    store.drafts[draft.id] = draft
    store.touch(draft)
    return draft


def line_of_variant(store: Store, variant: Variant, quantity: int, price: Bag | None = None, *,
                    id: int | None = None) -> Line:
    """A line as it copies a variant: title, sku and price stay what they were."""
    default = store.is_default_variant(variant)
    return Line(id=id or store.new_id(), title=variant.product.title, quantity=quantity, variant=variant,
                unit_price=price or Bag.of(variant.price), vendor=variant.product.vendor or None,
                variant_title=None if default else store.variant_title(variant), sku=variant.inventory_item.sku or None,
                requires_shipping=variant.inventory_item.requires_shipping, taxable=variant.taxable)

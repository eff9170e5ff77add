"""Customers, orders and draft orders of the believable shop, made again from the same seed.

Odd cases are strewn in: buyers who paid in other money (also in yen, which has no decimals), half sent orders,
refunds, cancelled and closed ones, orders older than sixty days, custom lines without a variant, customers without
a name or an e-mail.
"""
from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from . import addresses, trade
from .people import Address, Customer, add_customer
from .trade import Bag, Fulfillment, Line, Order, Refund, Transaction

if TYPE_CHECKING:
    from .state import Store

_FIRST_NAMES = ("Ingrid", "Jonas", "Åse", "Magnus", "Silje", "Odd", "Yuki", "María", "Zoë", "Lars", "Nora", "Emil",
                "Sunniva", "Henrik", "Aya", "Tiril")
_LAST_NAMES = ("Berg", "Hansen", "Øverland", "Nakamura", "Strand", "Lie", "García", "Solheim", "Dahl", "Moe", "Vik",
               "O'Brien", "Kvam", "Haugen", "Sæther", "Lund")
_TOWNS = (("Oslo", "NO", "0181"), ("Bergen", "NO", "5003"), ("Trondheim", "NO", "7011"), ("Stockholm", "SE", "11122"),
          ("Berlin", "DE", "10115"), ("London", "GB", "E1 6AN"), ("Tokyo", "JP", "100-0001"),
          ("Seattle", "US", "98104"))
_STREETS = ("Storgata", "Kirkegata", "Parkveien", "Main Street", "Strandgaten", "Lindenweg")
_TAGS = ("vip", "wholesale", "newsletter", "repair club")
_NOTES = (None, None, None, "Leave at the door.", "Gift: please wrap.", "Call before delivery.")
_RATES = {"USD": Decimal(1), "EUR": Decimal("0.92"), "NOK": Decimal("10.7"), "JPY": Decimal(151)}


def fill(store: Store, orders: int, seed: int) -> None:
    """So many orders, a customer for every second one, a draft order for every sixth."""
    if not orders or not store.variants:
        return
    chance = random.Random(seed * 7 + 3)
    customers = [_customer(store, number, chance) for number in range(max(3, orders // 2))]
    variants = [each for each in store.variants.values() if each.product.status == "ACTIVE"] or list(
        store.variants.values())
    now = store.now()
    for number in range(orders):
        age = timedelta(days=chance.randrange(61, 200)) if number < orders // 8 else timedelta(
            hours=(orders - number) * 7, minutes=chance.randrange(60))
        made = now - age
        buyer = None if number % 9 == 4 else chance.choice(customers)
        seen = "EUR" if number % 11 == 3 else "JPY" if number % 17 == 5 else store.shop.currency_code
        order = trade.add_order(store, seen_currency=seen, customer=buyer, email=buyer.email if buyer else None)
        order.created_at = order.processed_at = order.updated_at = made
        order.note, order.source_name = chance.choice(_NOTES), "web" if number % 5 else "pos"
        order.tags = sorted({chance.choice(_TAGS)}) if number % 4 == 0 else []
        order.po_number = f"PO-{4000 + number}" if number % 10 == 7 else None
        order.custom_attributes = [{"key": "gift", "value": "yes"}] if number % 8 == 2 else []
        order.risk_level = "HIGH" if number % 23 == 9 else "LOW"
        for variant in chance.sample(variants, min(len(variants), chance.randrange(1, 4))):
            order.lines.append(trade.line_of_variant(store, variant, chance.randrange(1, 4),
                                                     _priced(variant.price, seen, store)))
        if number % 13 == 6:
            order.lines.append(Line(id=store.new_id(), title="Engraving", quantity=1, unit_price=_priced(
                Decimal("15.00"), seen, store), requires_shipping=False))
        if buyer is not None and buyer.default is not None:
            order.shipping_parts = order.billing_parts = dict(buyer.default.parts)
        order.shipping_lines = [{"id": store.new_id(), "title": "Standard", "code": "STANDARD", "source": "shopify",
                                 "price": _priced(Decimal("6.90"), seen, store), "tax_lines": []}]
        trade.route(store, order)
        _live(store, order, number, chance)
        order.updated_at = made + timedelta(minutes=chance.randrange(1, 300))
        order.updated_at = min(order.updated_at, now)
    for number in range(orders // 6):
        _draft(store, number, chance.choice(customers), chance.sample(variants, min(2, len(variants))))
    for customer in customers:
        store.index.stale(customer)


def _priced(amount: Decimal, seen: str, store: Store) -> Bag:
    rate, amount = _RATES[seen] / _RATES[store.shop.currency_code], store.money(amount)
    return Bag(amount, (amount * rate).quantize(Decimal(1) if seen == "JPY" else Decimal("0.01")))


def _customer(store: Store, number: int, chance: random.Random) -> Customer:
    first, last = chance.choice(_FIRST_NAMES), _LAST_NAMES[number % len(_LAST_NAMES)]
    town, country, code = chance.choice(_TOWNS)
    name = "".join(letter for letter in f"{first}.{last}".lower() if letter.isascii() and letter not in "' ")
    made = store.now() - timedelta(days=chance.randrange(20, 500), seconds=chance.randrange(86_400))
    nameless = number % 15 == 11
    customer = add_customer(store, first_name=None if nameless else first, last_name=None if nameless else last,
                            email=None if number % 12 == 10 else f"{name}{number}@example.com",
                            phone=f"+4790{number:06d}" if number % 3 == 0 or number % 12 == 10 else None,
                            note="Prefers e-mail." if number % 7 == 2 else None,
                            tags=sorted(chance.sample(_TAGS, 1)) if number % 2 else [],
                            tax_exempt=number % 20 == 13, locale="nb" if country == "NO" else "en")
    customer.email_consent.state = "SUBSCRIBED" if number % 2 else "NOT_SUBSCRIBED"
    parts = addresses.stored({"firstName": first, "lastName": last, "countryCode": country, "city": town, "zip": code,
                              "address1": f"{chance.choice(_STREETS)} {chance.randrange(1, 99)}"})
    customer.addresses_held.append(Address(id=store.new_id(), parts=parts))
    customer.created_at = customer.updated_at = made
    return customer


def _live(store: Store, order: Order, number: int, chance: random.Random) -> None:
    """What became of the order: paid, sent, half sent, refunded, cancelled, closed."""
    whole = order.total()
    if number % 7 == 6:
        order.said_financial = "PENDING"
    else:
        order.transactions.append(Transaction(
            id=store.new_id(), transaction_kind="AUTHORIZATION" if number % 19 == 8 else "SALE", status="SUCCESS",
            gateway="shopify_payments" if number % 3 else "manual", amount=whole, created_at=order.created_at))
    fate = number % 6
    if number % 29 == 12:
        order.cancelled_at = order.closed_at = order.created_at + timedelta(hours=2)
        order.cancel_reason = "CUSTOMER"
        for each in order.fulfillment_orders:
            each.status = "CLOSED"
        return
    if fate in (0, 1, 2):
        _send(store, order, whole_order=True, tracking=f"NO{70000000 + number}")
    elif fate == 3 and sum(line.quantity for line in order.lines) > 1:
        _send(store, order, whole_order=False, tracking=f"NO{70000000 + number}")
    if fate == 2 and order.paid().shop > 0:
        order.closed_at = order.created_at + timedelta(days=3)
    if number % 10 == 8 and order.paid().shop > 0 and order.fulfillments:
        line = order.lines[0]
        amount = line.unit_price
        line.removed = 1
        order.transactions.append(Transaction(id=store.new_id(), transaction_kind="REFUND", status="SUCCESS",
                                              gateway="manual", amount=amount, created_at=order.created_at,
                                              parent=order.transactions[0]))
        order.refunds.append(Refund(id=store.new_id(), created_at=order.created_at, amount=amount,
                                    rows=[(line, 1)]))


def _send(store: Store, order: Order, *, whole_order: bool, tracking: str) -> None:
    source = order.fulfillment_orders[0]
    when = order.created_at + timedelta(hours=20)
    made = Fulfillment(id=store.new_id(), order=order, name=f"{order.name}-F1", created_at=when, updated_at=when,
                       location=source.location, tracking=[{
                           "company": "Bring", "number": tracking,
                           "url": f"https://tracking.bring.com/tracking/{tracking}?lang=en"}])
    for row in source.lines if whole_order else source.lines[:1]:
        quantity = row.total_quantity if whole_order else max(1, row.total_quantity // 2)
        row.remaining_quantity -= quantity
        made.rows.append((store.new_id(), row, quantity))
    if not any(row.remaining_quantity for row in source.lines):
        source.status = "CLOSED"
    order.fulfillments.append(made)


def _draft(store: Store, number: int, customer: Customer, variants: list) -> None:  # type: ignore[type-arg]
    draft = trade.add_draft(store, customer=customer, email=customer.email, tags=["quote"] if number % 2 else [],
                            note="By phone." if number % 3 == 0 else None)
    draft.lines = [trade.line_of_variant(store, variant, place + 1) for place, variant in enumerate(variants)]
    if number % 4 == 3:
        draft.status, draft.invoice_sent_at = "INVOICE_SENT", store.now()
    draft.created_at = draft.updated_at = store.now() - timedelta(days=number + 1)

"""Customers as the store holds them, and what is worked out from their orders."""
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from .ids import gid
from .model import Thing
from .phones import readable

if TYPE_CHECKING:
    from .state import Store


@dataclass(eq=False)
class Address:
    """One of a customer's addresses; `parts` are those of addresses.py."""

    id: int
    parts: dict[str, Any]

    @property
    def gid(self) -> str:
        return f"{gid('MailingAddress', self.id)}?model_name=CustomerAddress"


@dataclass(eq=False)
class Consent:
    """What a customer has agreed to, by e-mail or by text message."""

    state: str = "NOT_SUBSCRIBED"
    level: str | None = "SINGLE_OPT_IN"
    updated_at: Any = None
    collected_from: str | None = None


@dataclass(eq=False)
class Customer(Thing):
    kind: ClassVar[str] = "Customer"
    id: int
    created_at: datetime
    updated_at: datetime
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    note: str | None = None
    tags: list[str] = field(default_factory=list)
    state: str = "DISABLED"
    tax_exempt: bool = False
    tax_exemptions: list[str] = field(default_factory=list)
    locale: str = "en"
    verified_email: bool = True
    data_sale_opt_out: bool = False
    addresses_held: list[Address] = field(default_factory=list)
    default_address_id: int | None = None
    email_consent: Consent = field(default_factory=Consent)
    sms_consent: Consent = field(default_factory=Consent)
    earlier_orders: int = 0  # orders that a recording counts and does not show
    earlier_spent: Decimal = Decimal(0)

    @property
    def default(self) -> Address | None:
        found = next((each for each in self.addresses_held if each.id == self.default_address_id), None)
        return found or (self.addresses_held[0] if self.addresses_held else None)

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.first_name, self.last_name) if part)

    @property
    def display_name(self) -> str:
        return self.name or self.email or (readable(self.phone) if self.phone else "")


def add_customer(store: Store, *, id: int | None = None, **values: Any) -> Customer:
    now = store.now()
    customer = Customer(id=id or store.new_id(), created_at=now, updated_at=now, **values)
    store.customers[customer.id] = customer
    store.touch(customer)
    return customer


def remove_customer(store: Store, customer: Customer) -> None:
    store.customers.pop(customer.id, None)
    store.drop_metafields(customer.gid)
    store.index.forget("customer", customer.id)
    store.changed()


def orders_of(store: Store, customer: Customer) -> list[Any]:
    return [order for order in store.orders.values() if order.customer is customer]


def order_count(store: Store, customer: Customer) -> int:
    return customer.earlier_orders + len(orders_of(store, customer))


def spent(store: Store, customer: Customer) -> Decimal:
    """What the customer's paid orders came to, refunds taken off."""
    return customer.earlier_spent + sum((order.received() for order in orders_of(store, customer)
                                         if order.cancelled_at is None), Decimal(0))


def by_email(store: Store, email: str) -> Customer | None:
    wanted = "".join(email.split()).lower()
    return next((each for each in store.customers.values() if (each.email or "").lower() == wanted), None)


def by_phone(store: Store, phone: str) -> Customer | None:
    return next((each for each in store.customers.values() if each.phone == phone), None)

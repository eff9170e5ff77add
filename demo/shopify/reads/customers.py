"""Customers as they are read."""
from __future__ import annotations

from typing import Any

from .. import addresses, people
from ..connections import Window, window
from ..context import Context
from ..ids import gid, kind_of
from ..people import Address, Consent, Customer, by_email, by_phone
from ..phones import e164
from ..registry import resolves
from .identify import by_custom_id
from .lists import indexed_count, indexed_list
from .shared import money_v2


@resolves("QueryRoot", "customers")
def customers(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    return indexed_list(context, "customer", arguments, context.store.customers)


@resolves("QueryRoot", "customersCount")
def customers_count(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return indexed_count(context, "customer", arguments, context.store.customers)


@resolves("QueryRoot", "customerByIdentifier")
def customer_by_identifier(source: Any, arguments: dict[str, Any], context: Context) -> Customer | None:
    return customer_of(arguments["identifier"], context)


def customer_of(identifier: dict[str, Any], context: Context) -> Customer | None:
    """The customer that an identifier names: by id, email (spaces and case do not count), phone or custom id."""
    store = context.store
    if identifier.get("id"):
        return store.thing(identifier["id"]) if kind_of(identifier["id"]) == "Customer" else None
    email = identifier.get("emailAddress") or identifier.get("email")
    if email is not None:
        return by_email(store, email)
    phone = identifier.get("phoneNumber") or identifier.get("phone")
    if phone is not None:
        return by_phone(store, e164(phone, store.shop.country) or phone)
    found = by_custom_id(context, "Customer", identifier["customId"])
    return found if isinstance(found, Customer) else None


@resolves("Customer", "storeCreditAccounts")
def store_credit(customer: Customer, arguments: dict[str, Any], context: Context) -> Window:
    return window([], arguments)


@resolves("Customer", "numberOfOrders")
def number_of_orders(customer: Customer, arguments: dict[str, Any], context: Context) -> int:
    return people.order_count(context.store, customer)


@resolves("Customer", "amountSpent")
def amount_spent(customer: Customer, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return money_v2(people.spent(context.store, customer), context.store.shop.currency_code)


@resolves("Customer", "orders")
def orders(customer: Customer, arguments: dict[str, Any], context: Context) -> Window:
    live = {order.id: order for order in people.orders_of(context.store, customer)}
    return indexed_list(context, "order", arguments, live)


@resolves("Customer", "lastOrder")
def last_order(customer: Customer, arguments: dict[str, Any], context: Context) -> Any:
    return max(people.orders_of(context.store, customer), key=lambda each: (each.created_at, each.id), default=None)


@resolves("Customer", "canDelete")
def can_delete(customer: Customer, arguments: dict[str, Any], context: Context) -> bool:
    return people.order_count(context.store, customer) == 0


@resolves("Customer", "validEmailAddress")
def valid_email_address(customer: Customer, arguments: dict[str, Any], context: Context) -> bool:
    return customer.email is not None


@resolves("Customer", "lifetimeDuration")
def lifetime_duration(customer: Customer, arguments: dict[str, Any], context: Context) -> str:
    days = (context.store.now() - customer.created_at).days
    return f"{days} days" if days else "less than a minute"


@resolves("Customer", "multipassIdentifier")
def nothing(customer: Customer, arguments: dict[str, Any], context: Context) -> None:
    return None


@resolves("Customer", "productSubscriberStatus")
def product_subscriber_status(customer: Customer, arguments: dict[str, Any], context: Context) -> str:
    return "NEVER_SUBSCRIBED"


# --- addresses ------------------------------------------------------------------------------------------


@resolves("Customer", "defaultAddress")
def default_address(customer: Customer, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    return address_shown(customer.default) if customer.default else None


@resolves("Customer", "addresses")
def addresses_list(customer: Customer, arguments: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    return [address_shown(each) for each in customer.addresses_held[:arguments.get("first")]]


@resolves("Customer", "addressesV2")
def addresses_window(customer: Customer, arguments: dict[str, Any], context: Context) -> Window:
    page = window(customer.addresses_held, arguments)
    page.nodes = [address_shown(each) for each in page.nodes]
    return page


def address_shown(address: Address) -> dict[str, Any]:
    return addresses.shown(address.parts, address.gid)


# --- how to reach them ----------------------------------------------------------------------------------


@resolves("Customer", "defaultEmailAddress")
def default_email(customer: Customer, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    if customer.email is None:
        return None
    held = customer.email_consent
    return {"__typename": "CustomerEmailAddress", "emailAddress": customer.email, "marketingState": held.state,
            "marketingOptInLevel": held.level, "marketingUpdatedAt": held.updated_at, "validFormat": True,
            "openTrackingLevel": "UNKNOWN", "sourceLocation": None, **_links(customer, context)}


@resolves("Customer", "defaultPhoneNumber")
def default_phone(customer: Customer, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    if customer.phone is None:
        return None
    held = customer.sms_consent
    return {"__typename": "CustomerPhoneNumber", "phoneNumber": customer.phone, "marketingState": held.state,
            "marketingOptInLevel": held.level, "marketingUpdatedAt": held.updated_at,
            "marketingCollectedFrom": held.collected_from, "sourceLocation": None,
            "smsMarketingConsent": {"state": held.state, "optInLevel": held.level, "updatedAt": held.updated_at,
                                    "collectedFrom": held.collected_from, "sourceLocation": None}}


@resolves("Customer", "emailMarketingConsent")
def email_consent(customer: Customer, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    return _state(customer.email_consent) if customer.email else None


@resolves("Customer", "smsMarketingConsent")
def sms_consent(customer: Customer, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    return {**_state(customer.sms_consent), "consentCollectedFrom": customer.sms_consent.collected_from or "OTHER"} \
        if customer.phone else None


def _state(held: Consent) -> dict[str, Any]:
    return {"marketingState": held.state, "marketingOptInLevel": held.level, "consentUpdatedAt": held.updated_at,
            "sourceLocation": None}


def _links(customer: Customer, context: Context) -> dict[str, str]:
    base = f"https://{context.store.shop.domain}/account/{customer.id}"
    return {"marketingUnsubscribeUrl": f"{base}/unsubscribe", "openTrackingUrl": f"{base}/opt_in"}


@resolves("Customer", "statistics")
def statistics(customer: Customer, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return {"__typename": "CustomerStatistics", "predictedSpendTier": None, "rfmGroup": None}


@resolves("Customer", "mergeable")
def mergeable(customer: Customer, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return {"__typename": "CustomerMergeable", "errorFields": [], "isMergeable": True, "mergeInProgress": None,
            "reason": None}


@resolves("Customer", "image")
def image(customer: Customer, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return {"__typename": "Image", "id": gid("CustomerImage", customer.id), "altText": None, "width": None,
            "height": None, "url": f"https://{context.store.shop.domain}/avatars/{customer.id}.png"}

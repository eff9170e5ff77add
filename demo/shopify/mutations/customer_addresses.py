"""The addresses of a customer, one by one (facts §10, §12)."""
from __future__ import annotations

from typing import Any

from .. import addresses
from ..context import Context
from ..errors import user_error
from ..people import Address, Customer
from ..reads.customers import address_shown
from .base import UserErrors, mutation, wanted
from .customers import new_address

_NO_CUSTOMER = "Customer does not exist"
_NO_ADDRESS = "Address does not exist"


@mutation("customerAddressCreate")
def address_create(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    customer = wanted(context, arguments["customerId"], "Customer")
    if customer is None:
        return _refused(user_error(["customerId"], _NO_CUSTOMER))
    errors = _errors(arguments["address"])
    if errors:
        return _refused(*errors)
    address = new_address(customer, arguments["address"], context)
    if any(held.parts == address.parts for held in customer.addresses_held):
        return _refused(user_error(["address"], "Address already exists"))
    customer.addresses_held.append(address)
    if arguments.get("setAsDefault") or len(customer.addresses_held) == 1:
        customer.default_address_id = address.id
    context.store.touch(customer)
    return {"address": address_shown(address), "userErrors": []}


@mutation("customerAddressUpdate")
def address_update(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    customer = wanted(context, arguments["customerId"], "Customer")
    if customer is None:
        return _refused(user_error(["customerId"], _NO_CUSTOMER))
    address = _of(customer, arguments["addressId"])
    if address is None:
        return _refused(user_error(["addressId"], _NO_ADDRESS))
    errors = _errors(arguments["address"])
    if errors:
        return _refused(*errors)
    address.parts = addresses.stored(arguments["address"], address.parts)
    if arguments.get("setAsDefault"):
        customer.default_address_id = address.id
    context.store.touch(customer)
    return {"address": address_shown(address), "userErrors": []}


@mutation("customerAddressDelete")
def address_delete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    customer = wanted(context, arguments["customerId"], "Customer")
    if customer is None:
        return {"deletedAddressId": None, "userErrors": [user_error(["customerId"], _NO_CUSTOMER)]}
    address = _of(customer, arguments["addressId"])
    if address is None:
        return {"deletedAddressId": None, "userErrors": [user_error(["addressId"], _NO_ADDRESS)]}
    customer.addresses_held.remove(address)
    if customer.default_address_id == address.id:
        customer.default_address_id = customer.addresses_held[0].id if customer.addresses_held else None
    context.store.touch(customer)
    return {"deletedAddressId": address.gid, "userErrors": []}


@mutation("customerUpdateDefaultAddress")
def default_address(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    customer = wanted(context, arguments["customerId"], "Customer")
    if customer is None:
        return {"customer": None, "userErrors": [user_error(["customerId"], _NO_CUSTOMER)]}
    address = _of(customer, arguments["addressId"])
    if address is None:
        return {"customer": None, "userErrors": [user_error(["addressId"], _NO_ADDRESS)]}
    customer.default_address_id = address.id
    context.store.touch(customer)
    return {"customer": customer, "userErrors": []}


def _errors(given: dict[str, Any]) -> UserErrors:
    return [user_error(["address", part], message) for part, message in addresses.problems(given)]


def _refused(*errors: dict[str, Any]) -> dict[str, Any]:
    return {"address": None, "userErrors": list(errors)}


def _of(customer: Customer, global_id: str) -> Address | None:
    tail = global_id.split("?")[0]
    return next((each for each in customer.addresses_held if each.gid.split("?")[0] == tail), None)

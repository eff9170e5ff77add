"""Places to keep stock at: made, put out of use and into use again, and deleted."""
from __future__ import annotations

from typing import Any

from ..context import Context
from ..errors import user_error
from ..geography import country_name, province_name
from ..model import Location
from .base import TOO_LONG, UserErrors, mutation, wanted


@mutation("locationAdd")
def location_add(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given, store = arguments["input"], context.store
    name = given["name"].strip()
    errors: UserErrors = []
    if not name:
        errors.append(user_error(["input", "name"], "Add a location name", "BLANK"))
    elif len(name) > 100:
        errors.append(user_error(["input", "name"], "Use a shorter location name (up to 100 characters)", "TOO_LONG"))
    elif any(location.name == name for location in store.locations.values()):
        errors.append(user_error(["input", "name"], "You already have a location with this name", "TAKEN"))
    address = given["address"]
    for key in ("address1", "address2", "city", "zip"):
        if len(address.get(key) or "") > 255:
            errors.append(user_error(["input", "address", key], f"{key.capitalize()} {TOO_LONG}", "TOO_LONG"))
    if errors:
        return {"location": None, "userErrors": errors}
    country = address["countryCode"]
    held = {key: address.get(key) for key in ("address1", "address2", "city", "zip", "phone", "provinceCode")}
    held |= {"countryCode": country, "country": country_name(country),
             "province": province_name(country, address.get("provinceCode"))}
    location = store.add_location(name, address=held,
                                  fulfills_online_orders=given.get("fulfillsOnlineOrders") is not False)
    return {"location": location, "userErrors": []}


def _payload(name: str) -> Any:
    return lambda errors: {"location": None, f"location{name}UserErrors": errors}


@mutation("locationActivate", idempotent=True, refused=_payload("Activate"))
def activate(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    location = wanted(context, arguments["locationId"], "Location")
    if location is None:
        return _payload("Activate")([user_error(["locationId"], "Location not found.", "LOCATION_NOT_FOUND")])
    if any(other is not location and other.is_active and other.name == location.name
           for other in context.store.locations.values()):
        return {"location": location, "locationActivateUserErrors": [user_error(
            ["locationId"], "There is already an active location with this name.", "HAS_NON_UNIQUE_NAME")]}
    _set_active(location, context, True)
    return {"location": location, "locationActivateUserErrors": []}


@mutation("locationDeactivate", idempotent=True, refused=_payload("Deactivate"))
def deactivate(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    """With a destination its stock moves there; without one it must have none."""
    store, location = context.store, wanted(context, arguments["locationId"], "Location")
    if location is None:
        return _payload("Deactivate")([user_error(["locationId"], "Location not found.", "LOCATION_NOT_FOUND")])
    named = arguments.get("destinationLocationId")
    destination = wanted(context, named, "Location") if named else None
    errors: UserErrors = []
    if named and destination is location:
        errors.append(user_error(["destinationLocationId"], "Destination location is the same as the location to be "
                                 "deactivated.", "DESTINATION_LOCATION_IS_THE_SAME_LOCATION"))
    elif named and (destination is None or not destination.is_active):
        errors.append(user_error(["destinationLocationId"], "Destination location is not found or inactive.",
                                 "DESTINATION_LOCATION_NOT_FOUND_OR_INACTIVE"))
    if destination is None and _stocked(location, context):
        errors.append(user_error(["locationId"], "Location could not be deactivated without specifying where to "
                                 "relocate inventory at the location.", "HAS_ACTIVE_INVENTORY_ERROR"))
    if _waits(location, context):
        errors.append(user_error(["locationId"], "Location could not be deactivated because it has pending orders.",
                                 "HAS_FULFILLMENT_ORDERS_ERROR"))
    if location.fulfills_online_orders and not any(
            other is not location and other.is_active and other.fulfills_online_orders
            for other in store.locations.values()):
        errors.append(user_error(["locationId"], "At least one location must fulfill online orders.",
                                 "CANNOT_DISABLE_ONLINE_ORDER_FULFILLMENT"))
    if errors:
        return {"location": location, "locationDeactivateUserErrors": errors}
    if destination is not None:
        for level in _stocked(location, context):
            quantity = level.quantity("available")
            store.change_quantity(level, "available", -quantity)
            store.change_quantity(store.stock_at(level.item, destination), "available", quantity)
    _set_active(location, context, False)
    return {"location": location, "locationDeactivateUserErrors": []}


@mutation("locationDelete")
def delete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    location = wanted(context, arguments["locationId"], "Location")
    if location is None:
        return {"deletedLocationId": None, "locationDeleteUserErrors": [
            user_error(["locationId"], "Location not found.", "LOCATION_NOT_FOUND")]}
    errors: UserErrors = []
    for refused, what, code in ((location.is_active, "while it is active", "LOCATION_IS_ACTIVE"),
                                (_stocked(location, context), "while it has inventory", "LOCATION_HAS_INVENTORY"),
                                (_waits(location, context), "while it has pending orders",
                                 "LOCATION_HAS_PENDING_ORDERS")):
        if refused:
            errors.append(user_error(["locationId"], f"The location cannot be deleted {what}.", code))
    if errors:
        return {"deletedLocationId": None, "locationDeleteUserErrors": errors}
    context.store.remove_location(location)
    return {"deletedLocationId": location.gid, "locationDeleteUserErrors": []}


def _set_active(location: Location, context: Context, active: bool) -> None:
    store = context.store
    if location.is_active == active:
        return
    location.is_active, location.updated_at = active, store.now()
    location.deactivated_at = None if active else store.now()
    store.stream.note("update", "Location", location.id, location)
    for level in store.levels():
        if level.location is location:
            store.index.stale(level.item.variant.product)
            store.index.stale(level.item.variant)
    store.changed()


def _stocked(location: Location, context: Context) -> list[Any]:
    return [level for level in context.store.levels()
            if level.location is location and level.is_active and level.quantity("on_hand")]


def _waits(location: Location, context: Context) -> bool:
    """Whether orders are to be sent from there."""
    return any(each.location is location and each.status not in ("CLOSED", "CANCELLED")
               for order in context.store.orders.values() for each in order.fulfillment_orders)

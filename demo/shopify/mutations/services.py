"""Fulfilment services of the app: each brings a location of its own, which lists leave out unless asked for it."""
from __future__ import annotations

from typing import Any

from .. import handles
from ..context import Context
from ..errors import user_error
from ..model import Location
from ..registry import resolves
from .base import UserErrors, mutation

_SETTINGS = ("callbackUrl", "fulfillmentOrdersOptIn", "inventoryManagement", "requiresShippingMethod",
             "trackingSupport")


@mutation("fulfillmentServiceCreate")
def create(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    name, store = arguments["name"].strip(), context.store
    errors = _errors(name, context)
    if errors:
        return {"fulfillmentService": None, "userErrors": errors}
    location = store.add_location(name, fulfills_online_orders=True)
    number = store.new_id()
    location.service = {
        "__typename": "FulfillmentService", "id": f"gid://shopify/FulfillmentService/{number}?id=true",
        "serviceName": name, "handle": handles.from_text(name), "type": "THIRD_PARTY",
        **{key: bool(arguments.get(key)) for key in _SETTINGS if key != "callbackUrl"},
        "callbackUrl": arguments.get("callbackUrl")}
    return {"fulfillmentService": location.service, "userErrors": []}


@mutation("fulfillmentServiceUpdate")
def update(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    location = _location(arguments["id"], context)
    if location is None or location.service is None:
        return {"fulfillmentService": None, "userErrors": [_gone()]}
    name = (arguments.get("name") or location.name).strip()
    errors = _errors(name, context, but=location)
    if errors:
        return {"fulfillmentService": None, "userErrors": errors}
    location.name, location.updated_at = name, context.store.now()
    location.service |= {"serviceName": name, **{key: arguments[key] for key in _SETTINGS if key in arguments}}
    context.store.changed()
    return {"fulfillmentService": location.service, "userErrors": []}


@mutation("fulfillmentServiceDelete")
def delete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    location = _location(arguments["id"], context)
    if location is None:
        return {"deletedId": None, "userErrors": [_gone()]}
    if arguments.get("inventoryAction") == "KEEP":
        location.service = None  # it becomes a location like any other
        context.store.changed()
    else:
        context.store.remove_location(location)
    return {"deletedId": arguments["id"].partition("?")[0], "userErrors": []}


@resolves("QueryRoot", "fulfillmentService")
def by_id(source: Any, arguments: dict[str, Any], context: Context) -> Any:
    location = _location(arguments["id"], context)
    return location.service if location is not None else None


@resolves("FulfillmentService", "location")
def location_of(service: dict[str, Any], arguments: dict[str, Any], context: Context) -> Any:
    if "location" in service:
        return service["location"]
    return _location(service["id"], context)


@resolves("Location", "fulfillmentService")
def service_of(location: Location, arguments: dict[str, Any], context: Context) -> Any:
    return location.service


@resolves("Location", "isFulfillmentService")
def is_service(location: Location, arguments: dict[str, Any], context: Context) -> bool:
    return location.service is not None


def _location(global_id: str, context: Context) -> Location | None:
    plain = global_id.partition("?")[0]
    return next((each for each in context.store.locations.values()
                 if each.service is not None and each.service["id"].partition("?")[0] == plain), None)


def _errors(name: str, context: Context, but: Location | None = None) -> UserErrors:
    if not name:
        return [user_error(["name"], "Name can't be blank")]
    if len(name) > 255:
        return [user_error(["name"], "Name is too long (maximum is 255 characters)")]
    if any(each is not but and each.name.lower() == name.lower() for each in context.store.locations.values()):
        return [user_error(["name"], "Name has already been taken")]
    return []


def _gone() -> dict[str, Any]:
    return user_error(["id"], "Fulfillment service could not be found.")

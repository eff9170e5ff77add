"""locationAdd: new places to keep stock at."""
from __future__ import annotations

from typing import Any

from ..context import Context
from ..errors import user_error
from ..geography import country_name, province_name
from .base import TOO_LONG, UserErrors, mutation


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

"""Inventory items, levels, quantities and locations as they are read."""
from __future__ import annotations

from typing import Any

from ..connections import Window, window
from ..context import Context
from ..errors import TopLevelError
from ..ids import gid, number_of
from ..model import QUANTITY_NAMES, AdjustmentGroup, Item, Level, Location
from ..registry import resolves
from .lists import counted, filtered
from .shared import money_v2


@resolves("InventoryItem", "unitCost")
def unit_cost(item: Item, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    return None if item.cost is None else money_v2(item.cost, context.store.shop.currency_code)


@resolves("InventoryItem", "measurement")
def measurement(item: Item, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return {"__typename": "InventoryItemMeasurement", "id": gid("InventoryItemMeasurement", item.id),
            "weight": {"value": item.weight_value, "unit": item.weight_unit}}


@resolves("InventoryItem", "trackedEditable")
def tracked_editable(item: Item, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return {"locked": False, "reason": None}


@resolves("InventoryItem", "duplicateSkuCount")
def duplicate_sku_count(item: Item, arguments: dict[str, Any], context: Context) -> int:
    return max(0, len(context.store.variants_by_sku(item.sku)) - 1) if item.sku else 0


@resolves("InventoryItem", "inventoryHistoryUrl")
def inventory_history_url(item: Item, arguments: dict[str, Any], context: Context) -> str:
    return (f"https://{context.store.shop.domain}/admin/products/{item.variant.product.id}/variants/"
            f"{item.variant.id}/inventory_history")


@resolves("InventoryItem", "countryHarmonizedSystemCodes")
def country_codes(item: Item, arguments: dict[str, Any], context: Context) -> Window:
    rows = list(enumerate(item.country_codes, 1))
    page = window(rows, arguments, number=lambda row: row[0])
    page.nodes = [row[1] for row in page.nodes]
    return page


@resolves("InventoryItem", "inventoryLevels")
def levels_of_item(item: Item, arguments: dict[str, Any], context: Context) -> Window:
    return _levels(list(item.levels.values()), arguments, context)


@resolves("Location", "inventoryLevels")
def levels_at_location(location: Location, arguments: dict[str, Any], context: Context) -> Window:
    return _levels([level for level in context.store.levels() if level.location is location], arguments, context)


def _levels(levels: list[Level], arguments: dict[str, Any], context: Context) -> Window:
    if not arguments.get("includeInactive"):
        levels = [level for level in levels if level.is_active and level.location.is_active]
    levels = filtered(context, "level", arguments, levels, lambda level: {
        "id": level.location.level_number, "inventory_item_id": level.item.id, "created_at": level.created_at,
        "updated_at": level.updated_at, "default": [level.location.name]})
    return window(levels, arguments)


@resolves("InventoryItem", "inventoryLevel")
def level_of_item(item: Item, arguments: dict[str, Any], context: Context) -> Level | None:
    level = item.levels.get(number_of(arguments["locationId"], "Location") or 0)
    return _if_shown(level, arguments)


@resolves("Location", "inventoryLevel")
def level_at_location(location: Location, arguments: dict[str, Any], context: Context) -> Level | None:
    item = context.store.items.get(number_of(arguments["inventoryItemId"], "InventoryItem") or 0)
    return _if_shown(item.levels.get(location.id) if item else None, arguments)


def _if_shown(level: Level | None, arguments: dict[str, Any]) -> Level | None:
    return level if level is not None and (level.is_active or arguments.get("includeInactive")) else None


@resolves("InventoryItem", "locationsCount")
def locations_count(item: Item, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return counted(sum(1 for level in item.levels.values() if level.is_active), {})


@resolves("InventoryLevel", "quantities")
def quantities(level: Level, arguments: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    unknown = [name for name in arguments["names"] if name not in QUANTITY_NAMES]
    if unknown:
        raise TopLevelError("The specified quantity name is invalid. Valid values are: "
                            f"{', '.join(sorted(QUANTITY_NAMES))}.", "INVALID_FIELD_ARGUMENTS")
    return [quantity(level, name) for name in dict.fromkeys(arguments["names"])]


def quantity(level: Level, name: str) -> dict[str, Any]:
    tail = f"{level.location.level_number}?inventory_item_id={level.item.id}&name={name}"
    return {"__typename": "InventoryQuantity", "id": gid("InventoryQuantity", tail), "name": name,
            "quantity": level.quantity(name), "updatedAt": level.quantity_dates.get(name)}


@resolves("InventoryLevel", "canDeactivate")
def can_deactivate(level: Level, arguments: dict[str, Any], context: Context) -> bool:
    return why_not_deactivate(level) is None


@resolves("InventoryLevel", "deactivationAlert")
def deactivation_alert(level: Level, arguments: dict[str, Any], context: Context) -> str | None:
    return why_not_deactivate(level)


def why_not_deactivate(level: Level) -> str | None:
    """The sentence that refuses to unstock the level, None when it may go."""
    if sum(1 for each in level.item.levels.values() if each.is_active) <= 1:
        return (f"The product couldn't be unstocked from {level.location.name} because products need to be stocked "
                "at a minimum of 1 location.")
    return None


# --- locations ------------------------------------------------------------------------------------------


@resolves("Location", "address")
def address(location: Location, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    held = location.address
    known = {key: held.get(key) for key in ("address1", "address2", "city", "country", "countryCode", "latitude",
                                            "longitude", "phone", "province", "provinceCode", "zip")}
    place = " ".join(part for part in (held.get("city"), held.get("provinceCode"), held.get("zip")) if part)
    known["formatted"] = [line for line in (held.get("address1"), held.get("address2"), place, held.get("country"))
                          if line]
    return known


@resolves("Location", "hasActiveInventory")
def has_active_inventory(location: Location, arguments: dict[str, Any], context: Context) -> bool:
    return any(level.location is location and level.is_active and level.quantity("on_hand") != 0
               for level in context.store.levels())


@resolves("Location", "isPrimary")
def is_primary(location: Location, arguments: dict[str, Any], context: Context) -> bool:
    return location is context.store.default_location()


@resolves("Location", "shipsInventory")
def ships_inventory(location: Location, arguments: dict[str, Any], context: Context) -> bool:
    return location.is_active and location.fulfills_online_orders


@resolves("Location", "activatable")
def activatable(location: Location, arguments: dict[str, Any], context: Context) -> bool:
    return True


@resolves("Location", "deactivatable")
def deactivatable(location: Location, arguments: dict[str, Any], context: Context) -> bool:
    return location.is_active and sum(1 for each in context.store.locations.values() if each.is_active) > 1


@resolves("Location", "deletable")
def deletable(location: Location, arguments: dict[str, Any], context: Context) -> bool:
    return not location.is_active


@resolves("Location", "hasUnfulfilledOrders")
def no(location: Location, arguments: dict[str, Any], context: Context) -> bool:
    return False


@resolves("Location", "localPickupSettingsV2")
def nothing(location: Location, arguments: dict[str, Any], context: Context) -> None:
    return None


@resolves("Location", "suggestedAddresses")
def suggested_addresses(location: Location, arguments: dict[str, Any], context: Context) -> list[Any]:
    return []


@resolves("Location", "deactivatedAt")
def deactivated_at(location: Location, arguments: dict[str, Any], context: Context) -> str | None:
    return f"{location.deactivated_at:%Y-%m-%dT%H:%M:%SZ}" if location.deactivated_at else None


# --- adjustment groups ----------------------------------------------------------------------------------


@resolves("InventoryAdjustmentGroup", "changes")
def changes(group: AdjustmentGroup, arguments: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    return [row for row in group.rows
            if (arguments.get("quantityNames") is None or row["name"] in arguments["quantityNames"])
            and (arguments.get("inventoryItemIds") is None or row["item"].gid in arguments["inventoryItemIds"])
            and (arguments.get("locationIds") is None or row["location"].gid in arguments["locationIds"])]


@resolves("InventoryAdjustmentGroup", "app")
def group_app(group: AdjustmentGroup, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    from .apps import app
    return app(context)


@resolves("InventoryAdjustmentGroup", "staffMember")
def staff_member(group: AdjustmentGroup, arguments: dict[str, Any], context: Context) -> None:
    from ..access import denied
    raise denied("staffMember", "`read_users` access scope. Also: The app must be a finance embedded app or "
                 "installed on a Shopify Plus or Advanced store. Contact Shopify Support to enable this scope for "
                 "your app.")

"""Stock: set, adjust and move quantities, activate and deactivate levels, update items (facts §6).

Quantities are planned as rows first and written only when no row was refused. Every row must say what it changes
from (`changeFromQuantity`, a number or null), and every call carries an @idempotent key.
"""
from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from graphql import VariableNode

from ..context import Context
from ..errors import invalid_arguments, user_error
from ..ids import number_of, query_of
from ..model import ON_HAND_PARTS, AdjustmentGroup, Item, Level, Location
from ..reads.inventory import why_not_deactivate
from .base import MANDATORY_SINCE, UserErrors, mutation, older_than, wanted
from .inputs import item_errors, write_item

REASONS = ("correction", "cycle_count_available", "damaged", "movement_canceled", "movement_created",
           "movement_received", "movement_updated", "other", "promotion", "quality_control", "received",
           "reservation_created", "reservation_deleted", "reservation_updated", "restock", "safety_stock", "shrinkage")
ADJUSTABLE = ("available", "damaged", "incoming", "quality_control", "reserved", "safety_stock")
_MOST, _MOST_DELTA = 1_000_000_000, 2_000_000_000
_NO_ITEM = "The specified inventory item could not be found."
_NO_LOCATION = "The specified location could not be found."
_NOT_STOCKED = "The specified inventory item is not stocked at the location."
_STOCKS_SINCE = "2026-10"  # from then on setting a quantity stocks the item there
_STALE = "The changeFromQuantity argument no longer matches the persisted quantity."


def require_change_from(arguments: dict[str, Any], context: Context) -> None:
    """Refuse rows that leave changeFromQuantity out; the schema does not show that it must be written."""
    given = arguments["input"]
    if older_than(context, MANDATORY_SINCE):
        return
    for list_name, type_name in (("quantities", "InventoryQuantityInput"),
                                 ("setQuantities", "InventorySetQuantityInput"), ("changes", "InventoryChangeInput")):
        for row in given.get(list_name) or ():
            ends = [row[side] for side in ("from", "to") if side in row]
            name = "InventoryMoveQuantityTerminalInput" if ends else type_name
            if any("changeFromQuantity" not in each for each in ends or [row]):
                raise invalid_arguments(f"{name} must include the following argument: changeFromQuantity.",
                                        _places(context))


def _places(context: Context) -> list[Any]:
    """The field, and the declaration of the variable that holds the input."""
    assert context.info is not None
    places: list[Any] = [context.node]
    for argument in context.node.arguments or ():
        if isinstance(argument.value, VariableNode):
            for declared in context.info.operation.variable_definitions or ():
                if declared.variable.name.value == argument.value.name.value:
                    places.append(declared)
        else:
            places.append(argument.value)
    return places


def _no_group(errors: UserErrors) -> dict[str, Any]:
    return {"inventoryAdjustmentGroup": None, "userErrors": errors}


@dataclass
class _Change:
    item: Item
    location: Location
    name: str
    delta: int
    ledger: str | None = None


# --- set ------------------------------------------------------------------------------------------------


@mutation("inventorySetQuantities", idempotent=True, refused=_no_group, first=require_change_from)
def set_quantities(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given = arguments["input"]
    errors: UserErrors = []
    if given["name"] not in ("available", "on_hand"):
        errors.append(user_error(["input", "name"], "The quantity name must be either 'available' or 'on_hand'.",
                                 "INVALID_NAME"))
    return _set(given, "quantities", given["name"], errors, context)


@mutation("inventorySetOnHandQuantities", idempotent=True, refused=_no_group, first=require_change_from)
def set_on_hand(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return _set(arguments["input"], "setQuantities", "on_hand", [], context)


def _set(given: dict[str, Any], list_name: str, name: str, errors: UserErrors, context: Context) -> dict[str, Any]:
    rows = given[list_name]
    errors += _common_errors(given)
    pairs = Counter((row["inventoryItemId"], row["locationId"]) for row in rows)
    changes = []
    for index, row in enumerate(rows):
        here = ["input", list_name, str(index)]
        if pairs[row["inventoryItemId"], row["locationId"]] > 1:
            errors.append(user_error([*here, "locationId"], "The combination of inventoryItemId and locationId must "
                                     "be unique.", "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"))
        quantity = row["quantity"]
        if name == "on_hand" and quantity < 0:
            errors.append(user_error([*here, "quantity"], "The quantity can't be negative.",
                                     "INVALID_QUANTITY_NEGATIVE"))
        elif quantity < -_MOST:
            errors.append(user_error([*here, "quantity"], f"The quantity can't be lower than -{_MOST:,}.",
                                     "INVALID_QUANTITY_TOO_LOW"))
        if quantity > _MOST:
            errors.append(user_error([*here, "quantity"], f"The quantity can't be higher than {_MOST:,}.",
                                     "INVALID_QUANTITY_TOO_HIGH"))
        item, location = _found(row["inventoryItemId"], row["locationId"], here, errors, context)
        if item is None or location is None:
            continue
        held = _held(item, location, name)
        if location.id not in item.levels and older_than(context, _STOCKS_SINCE):
            errors.append(user_error([*here, "locationId"], _NOT_STOCKED, "ITEM_NOT_STOCKED_AT_LOCATION"))
            continue
        if row.get("changeFromQuantity") is not None and row["changeFromQuantity"] != held:
            errors.append(_stale(here))
            continue
        changes.append(_Change(item, location, "available", quantity - held))
    if errors and not _only_stale(errors, context):
        return _no_group(errors)
    group = _apply(changes, given["reason"], given.get("referenceDocumentUri"), context,
                   keep_unchanged=not context.store.behaviour.unchanged_set_has_no_group)
    return {"inventoryAdjustmentGroup": group, "userErrors": errors}


# --- adjust ---------------------------------------------------------------------------------------------


@mutation("inventoryAdjustQuantities", idempotent=True, refused=_no_group, first=require_change_from)
def adjust_quantities(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given = arguments["input"]
    name, rows = given["name"], given["changes"]
    errors: UserErrors = []
    if name not in ADJUSTABLE:
        errors.append(_bad_name(["input", "name"]))
    errors += _common_errors(given)
    changes = []
    for index, row in enumerate(rows):
        here = ["input", "changes", str(index)]
        if row["delta"] > _MOST_DELTA:
            errors.append(user_error([*here, "delta"], f"The quantity can't be higher than {_MOST_DELTA:,}.",
                                     "INVALID_QUANTITY_TOO_HIGH"))
        elif row["delta"] < -_MOST_DELTA:
            errors.append(user_error([*here, "delta"], f"The quantity can't be lower than -{_MOST_DELTA:,}.",
                                     "INVALID_QUANTITY_TOO_LOW"))
        errors += _ledger_errors(name, row.get("ledgerDocumentUri"), [*here, "ledgerDocumentUri"])
        item, location = _found(row["inventoryItemId"], row["locationId"], here, errors, context)
        if item is None or location is None:
            continue
        if row.get("changeFromQuantity") is not None and row["changeFromQuantity"] != _held(item, location, name):
            errors.append(user_error([*here, "changeFromQuantity"], _STALE, "CHANGE_FROM_QUANTITY_STALE"))
            continue
        changes.append(_Change(item, location, name, row["delta"], row.get("ledgerDocumentUri")))
    if len({row.get("ledgerDocumentUri") for row in rows}) > 1:
        errors.append(user_error(["input", "changes"], "All changes must have the same ledger document URI or, in the "
                                 "case of adjusting available, no ledger document URI.", "MAX_ONE_LEDGER_DOCUMENT"))
    if errors and not _only_stale(errors, context):
        return _no_group(errors)
    return {"inventoryAdjustmentGroup": _apply(changes, given["reason"], given.get("referenceDocumentUri"), context),
            "userErrors": errors}


# --- move -----------------------------------------------------------------------------------------------


@mutation("inventoryMoveQuantities", idempotent=True, refused=_no_group, first=require_change_from)
def move_quantities(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given = arguments["input"]
    errors: UserErrors = _common_errors(given)
    changes: list[_Change] = []
    for index, row in enumerate(given["changes"]):
        changes += _moved(row, ["input", "changes", str(index)], errors, context)
    if errors and not _only_stale(errors, context):
        return _no_group(errors)
    return {"inventoryAdjustmentGroup": _apply(changes, given["reason"], given["referenceDocumentUri"], context),
            "userErrors": errors}


def _moved(row: dict[str, Any], here: list[str], errors: UserErrors, context: Context) -> list[_Change]:
    item = wanted(context, row["inventoryItemId"], "InventoryItem")
    if item is None:
        errors.append(user_error([*here, "inventoryItemId"], _NO_ITEM, "INVALID_INVENTORY_ITEM"))
    if row["quantity"] < 0:
        errors.append(user_error([*here, "quantity"], "The quantity can't be negative.", "INVALID_QUANTITY_NEGATIVE"))
    elif row["quantity"] > _MOST_DELTA:
        errors.append(user_error([*here, "quantity"], f"The quantity can't be higher than {_MOST_DELTA:,}.",
                                 "INVALID_QUANTITY_TOO_HIGH"))
    changes: list[_Change] = []
    whole = item is not None
    for side, sign in (("from", -1), ("to", 1)):
        end = row[side]
        place = [*here, side]
        if end["name"] not in ADJUSTABLE:
            errors.append(_bad_name([*place, "name"]))
            whole = False
        errors += _ledger_errors(end["name"], end.get("ledgerDocumentUri"), [*place, "ledgerDocumentUri"])
        location = wanted(context, end["locationId"], "Location")
        if location is None:
            errors.append(user_error([*place, "locationId"], _NO_LOCATION, "INVALID_LOCATION"))
            whole = False
        if not whole:
            continue
        said = end.get("changeFromQuantity")
        if said is not None and said != _held(item, location, end["name"]):
            errors.append(user_error([*place, "changeFromQuantity"], _STALE, "CHANGE_FROM_QUANTITY_STALE"))
            whole = False
        changes.append(_Change(item, location, end["name"], sign * row["quantity"], end.get("ledgerDocumentUri")))
    if row["from"]["locationId"] != row["to"]["locationId"]:
        errors.append(user_error(here, "The quantities can't be moved between different locations.",
                                 "DIFFERENT_LOCATIONS"))
        return []
    if row["from"]["name"] == row["to"]["name"]:
        errors.append(user_error(here, "The quantity names for each change can't be the same.", "SAME_QUANTITY_NAME"))
        return []
    return changes if whole else []


# --- what they share ------------------------------------------------------------------------------------


def _common_errors(given: dict[str, Any]) -> UserErrors:
    errors: UserErrors = []
    if given["reason"] not in REASONS:
        errors.append(user_error(["input", "reason"], "The specified reason is invalid. Valid values are: "
                                 f"{', '.join(REASONS)}.", "INVALID_REASON"))
    uri = given.get("referenceDocumentUri")
    if uri is not None and not _is_uri(uri):
        errors.append(user_error(["input", "referenceDocumentUri"], "The specified reference document is invalid.",
                                 "INVALID_REFERENCE_DOCUMENT"))
    return errors


def _ledger_errors(name: str, uri: str | None, path: list[str]) -> UserErrors:
    if name == "available":
        return [user_error(path, "A ledger document URI is not allowed when adjusting available.",
                           "INVALID_AVAILABLE_DOCUMENT")] if uri else []
    if not uri:
        return [user_error(path, "A ledger document URI is required except when adjusting available.",
                           "INVALID_QUANTITY_DOCUMENT")]
    if uri.startswith("gid://shopify/"):
        return [user_error(path, "Internal (gid://shopify/) ledger documents are not allowed to be adjusted via API.",
                           "INTERNAL_LEDGER_DOCUMENT")]
    if not _is_uri(uri):
        return [user_error(path, "The specified ledger document is invalid.", "INVALID_LEDGER_DOCUMENT")]
    return []


def _is_uri(text: str) -> bool:
    return re.match(r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$", text) is not None


def _bad_name(path: list[str]) -> dict[str, Any]:
    return user_error(path, f"The specified quantity name is invalid. Valid values are: {', '.join(ADJUSTABLE)}.",
                      "INVALID_QUANTITY_NAME")


def _found(item_id: str, location_id: str, here: list[str], errors: UserErrors,
           context: Context) -> tuple[Item | None, Location | None]:
    item, location = wanted(context, item_id, "InventoryItem"), wanted(context, location_id, "Location")
    if item is None:
        errors.append(user_error([*here, "inventoryItemId"], _NO_ITEM, "INVALID_INVENTORY_ITEM"))
    if location is None:
        errors.append(user_error([*here, "locationId"], _NO_LOCATION, "INVALID_LOCATION"))
    return item, location


def _stale(here: list[str]) -> dict[str, Any]:
    """The stored quantity is another one than the row says."""
    return user_error([*here, "changeFromQuantity"], _STALE, "CHANGE_FROM_QUANTITY_STALE")


def _held(item: Item, location: Location, name: str) -> int:
    level = item.levels.get(location.id)
    return level.quantity(name) if level else 0


def _only_stale(errors: UserErrors, context: Context) -> bool:
    """Whether the other rows are written all the same (a switch: nobody has recorded it)."""
    return not context.store.behaviour.stale_row_fails_call and all(
        error["code"] == "CHANGE_FROM_QUANTITY_STALE" for error in errors)


def _apply(changes: list[_Change], reason: str, uri: str | None, context: Context, *,
           keep_unchanged: bool = False) -> AdjustmentGroup | None:
    """Write the changes; None when nothing moved. Rows of on_hand follow those of the names it is made of."""
    store = context.store
    rows: list[dict[str, Any]] = []
    on_hand: dict[tuple[int, int], dict[str, Any]] = {}
    for change in changes:
        level = store.stock_at(change.item, change.location)
        store.activate(level)  # setting a quantity stocks the item there
        if change.delta == 0 and not keep_unchanged:
            continue
        store.change_quantity(level, change.name, change.delta)
        rows.append(_row(change.name, change.delta, change, change.ledger))
        if change.name in ON_HAND_PARTS:
            key = (change.item.id, change.location.id)
            mirrored = on_hand.setdefault(key, _row("on_hand", 0, change, None))
            mirrored["delta"] += change.delta
    rows += [row for row in on_hand.values() if row["delta"] != 0 or keep_unchanged]
    if not rows:
        return None
    group = AdjustmentGroup(id=store.new_id(), created_at=store.now(), reason=reason, reference_document_uri=uri,
                            rows=rows)
    store.adjustment_groups[group.id] = group
    return group


def _row(name: str, delta: int, change: _Change, ledger: str | None) -> dict[str, Any]:
    return {"__typename": "InventoryChange", "name": name, "delta": delta, "quantityAfterChange": None,
            "ledgerDocumentUri": ledger, "item": change.item, "location": change.location}


# --- levels ---------------------------------------------------------------------------------------------


@mutation("inventoryActivate", idempotent=True,
          refused=lambda errors: {"inventoryLevel": None, "userErrors": errors})
def activate(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    store = context.store
    item = wanted(context, arguments["inventoryItemId"], "InventoryItem")
    location = wanted(context, arguments["locationId"], "Location")

    def refused(*errors: dict[str, Any], level: Level | None = None) -> dict[str, Any]:
        return {"inventoryLevel": level, "userErrors": list(errors)}

    if location is None:
        return refused(user_error(["locationId"],
                                  "The product couldn't be stocked because the location wasn't found."))
    sentence = f"The product couldn't be stocked at {location.name} because "
    if item is None:
        return refused(user_error(["inventoryItemId"], f"{sentence}the product was deleted."))
    given = {name: arguments[name] for name in ("available", "onHand") if arguments.get(name) is not None}
    level = item.levels.get(location.id)
    if level is not None and level.is_active:
        words = {"available": "available quantity", "onHand": "an on_hand quantity"}
        return refused(*(user_error([name], f"Not allowed to set {words[name]} when the item is already active at the "
                                    "location.") for name in given), level=level)
    if len(given) > 1:
        return refused(*(user_error([name], f"{sentence}not allowed to set available and on_hand quantities at the "
                                    "same time.") for name in given))
    if any(abs(quantity) > _MOST for quantity in given.values()):
        return refused(user_error([next(iter(given))],
                                  f"{sentence}the quantity needs to be between -1 billion and 1 billion."))
    level = store.stock_at(item, location)
    _activated(level, context)
    for name, quantity in given.items():
        held = level.quantity("available" if name == "available" else "on_hand")
        store.change_quantity(level, "available", quantity - held)
    store.stock_changed(level)
    return {"inventoryLevel": level, "userErrors": []}


def _activated(level: Level, context: Context) -> None:
    """Stock an item at a place again; since 2026-04 with the quantities that it had there before."""
    if not level.is_active and older_than(context, MANDATORY_SINCE):
        level.stock = {}
    context.store.activate(level)


@mutation("inventoryDeactivate")
def deactivate(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    text = arguments["inventoryLevelId"]
    level = context.store.level_of(text)
    if level is None:
        known = number_of(f"gid://shopify/InventoryItem/{query_of(text).get('inventory_item_id', '')}") or 0
        reason = "location" if known in context.store.items else "product"
        return {"userErrors": [user_error(
            None, f"The product couldn't be unstocked because the {reason} was deleted.")]}
    problem = why_not_deactivate(level) if level.is_active else None
    if problem:
        return {"userErrors": [user_error(None, problem)]}
    context.store.deactivate(level)
    context.store.stock_changed(level)
    return {"userErrors": []}


@mutation("inventoryBulkToggleActivation")
def bulk_toggle(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    store = context.store
    item = wanted(context, arguments["inventoryItemId"], "InventoryItem")
    if item is None:
        return {"inventoryItem": None, "inventoryLevels": None, "userErrors": [user_error(
            ["inventoryItemId"], "The inventory item couldn't be found.", "INVENTORY_ITEM_NOT_FOUND")]}
    errors: UserErrors = []
    for index, update in enumerate(arguments["inventoryItemUpdates"]):
        here = ["inventoryItemUpdates", str(index), "locationId"]
        location = wanted(context, update["locationId"], "Location")
        level = item.levels.get(location.id) if location else None
        if location is None:
            errors.append(user_error(here, "The quantity couldn't be updated because the location was not found.",
                                     "LOCATION_NOT_FOUND"))
        elif not update["activate"] and level is not None and level.is_active and why_not_deactivate(level):
            errors.append(user_error(here, f"The variant couldn't be unstocked from {location.name} because products "
                                     "need to be stocked at a minimum of 1 location.",
                                     "CANNOT_DEACTIVATE_FROM_ONLY_LOCATION"))
    if errors:
        return {"inventoryItem": None, "inventoryLevels": None, "userErrors": errors}
    active = []
    for update in arguments["inventoryItemUpdates"]:
        location = wanted(context, update["locationId"], "Location")
        if update["activate"]:
            level = store.stock_at(item, location)
            _activated(level, context)
            active.append(level)
        elif location.id in item.levels:
            store.deactivate(item.levels[location.id])
        store.stock_changed(store.stock_at(item, location))
    return {"inventoryItem": item, "inventoryLevels": active, "userErrors": []}


# --- items ----------------------------------------------------------------------------------------------


@mutation("inventoryItemUpdate")
def item_update(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    item = wanted(context, arguments["id"], "InventoryItem")
    if item is None:
        return {"inventoryItem": None, "userErrors": [user_error(
            ["id"], "The product couldn't be updated because it does not exist.")]}
    names = {"cost": "Cost ", "sku": "Sku "}
    errors = [user_error(["input", *below], names.get(below[0], "") + message)
              for below, message, _ in item_errors(arguments["input"])]
    if errors:
        return {"inventoryItem": None, "userErrors": errors}
    write_item(item, arguments["input"],
               empty_becomes_null=context.store.behaviour.empty_text_becomes_null)
    context.store.touch(item, item.variant, item.variant.product)
    return {"inventoryItem": item, "userErrors": []}

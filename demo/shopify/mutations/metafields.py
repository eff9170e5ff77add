"""metafieldsSet and metafieldsDelete, and the metafields inside other inputs (facts §7)."""
from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..context import Context
from ..errors import user_error
from ..ids import kind_of
from ..metafield_types import Refused, all_types, known, stored
from ..model import OWNER_TYPES, Metafield
from ..reads.metafields import resolved_namespace
from .base import UserErrors, mutation

MOST = 25
_STALE = "The resource has been updated since it was loaded. Try again with an updated `compareDigest` value."


@mutation("metafieldsSet")
def metafields_set(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    rows = arguments["metafields"]
    if len(rows) > MOST:
        return {"metafields": None, "userErrors": [user_error(
            ["metafields"], f"Exceeded the maximum metafields input limit of {MOST}.", "LESS_THAN_OR_EQUAL_TO")]}
    errors: UserErrors = []
    planned: dict[tuple[str, str, str], tuple[str, str]] = {}
    for index, row in enumerate(rows):
        here = ["metafields", str(index)]
        if row["ownerId"] and _owner(row["ownerId"], context) is None:
            errors.append(user_error([*here, "ownerId"], "Owner does not exist.", "INVALID_VALUE"))
            continue
        place = _place(row["ownerId"], row, context)
        held = context.store.metafields.get(place)
        found, type_name, value = _checked(row, place, here, context)
        errors += found
        if found:
            continue
        errors += _digest_errors(row, held, type_name, value, here, context)
        planned[place] = (type_name, value)
    if errors:
        return {"metafields": [], "userErrors": errors}
    written = []
    for row in rows:
        place = _place(row["ownerId"], row, context)
        _, type_name, value = _checked(row, place, [], context)
        # a copy: the same key may come again in this call, and each row answers with its own value
        written.append(replace(_write(place, type_name, value, context)))
    return {"metafields": written, "userErrors": []}


@mutation("metafieldsDelete")
def metafields_delete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    deleted: list[dict[str, str] | None] = []
    for row in arguments["metafields"]:
        held = context.store.metafields.pop(_place(row["ownerId"], row, context), None)
        if held is not None:
            _touch_owner(held.owner, context)
        deleted.append(None if held is None else {"ownerId": held.owner, "namespace": held.namespace, "key": held.key})
    return {"deletedMetafields": deleted, "userErrors": []}


def input_errors(rows: list[dict[str, Any]] | None, context: Context, path: list[str], owner_type: str,
                 owner: str | None = None) -> UserErrors:
    """What is wrong with the `metafields` of another input."""
    errors: UserErrors = []
    for index, row in enumerate(rows or ()):
        if row.get("id") and row.get("key") is None:
            continue
        here = [*path, str(index)]
        place = (owner or owner_type, resolved_namespace(context, row.get("namespace")), row.get("key") or "")
        errors += _checked(row, place, here, context, owner_type)[0]
    return errors


def write_inputs(owner: str, rows: list[dict[str, Any]] | None, context: Context) -> None:
    """Upsert the checked `metafields` of another input; the others stay."""
    for row in rows or ():
        place = _place(owner, row, context)
        if row.get("id") and row.get("key") is None:
            held = next((each for each in context.store.metafields.values() if each.gid == row["id"]), None)
            if held is None:
                continue
            place = (held.owner, held.namespace, held.key)
            row = {**row, "type": held.type}
        errors, type_name, value = _checked(row, place, [], context)
        if not errors:
            _write(place, type_name, value, context)


def _checked(row: dict[str, Any], place: tuple[str, str, str], here: list[str], context: Context,
             owner_type: str | None = None) -> tuple[UserErrors, str, str]:
    """The row's errors, its type (given, stored or defined) and its value as it will be stored."""
    owner_type = owner_type or OWNER_TYPES.get(kind_of(place[0]), "")
    definition = context.store.definitions.get((owner_type, place[1], place[2]))
    held = context.store.metafields.get(place)
    type_name = row.get("type") or (definition.type_name if definition else held.type if held else "")
    errors: UserErrors = []
    if len(place[2]) < 2:
        errors.append(user_error([*here, "key"], "Key is too short (minimum is 2 characters)", "TOO_SHORT"))
    elif len(place[2]) > 64:
        errors.append(user_error([*here, "key"], "Key is too long (maximum is 64 characters)", "TOO_LONG"))
    if len(place[1]) < 3:
        errors.append(user_error([*here, "namespace"], "Namespace is too short (minimum is 3 characters)", "TOO_SHORT"))
    elif len(place[1]) > 255:
        errors.append(user_error([*here, "namespace"], "Namespace is too long (maximum is 255 characters)", "TOO_LONG"))
    if not type_name:
        errors.append(user_error([*here, "type"], "Type can't be blank", "BLANK"))
    elif not known(type_name):
        errors.append(user_error([*here, "type"], "Type must be one of the following: " + ", ".join(all_types()) + ".",
                                 "INCLUSION"))
    elif definition and definition.type_name != type_name:
        errors.append(user_error([*here, "type"], f"Type must be {definition.type_name}.", "INVALID_TYPE"))
    if errors:
        return errors, type_name, ""
    try:
        value = stored(type_name, row.get("value") or "", context.store.shop.currency_code)
    except Refused as refused:
        return [user_error([*here, "value"], str(refused), "INVALID_VALUE")], type_name, ""
    if definition is not None and (definition.unique_values or definition.type_name == "id") and any(
            each.value == value and (each.namespace, each.key) == place[1:] and each.owner != place[0]
            and OWNER_TYPES.get(kind_of(each.owner)) == owner_type for each in context.store.metafields.values()):
        errors.append(user_error([*here, "value"], "Value has already been assigned to another metafield.", "TAKEN"))
    for rule in definition.validations if definition else ():
        message = _broken_rule(rule, value)
        if message:
            errors.append(user_error([*here, "value"], message, "INVALID_VALUE"))
    return errors, type_name, value


def _broken_rule(rule: dict[str, str], value: str) -> str | None:
    name, limit = rule["name"], rule.get("value") or ""
    if name == "max" and limit.lstrip("-").isdigit():
        if value.lstrip("-").replace(".", "", 1).isdigit() and float(value) > float(limit) and "." in value:
            return f"Value has a maximum of {limit}."
        if len(value) > int(limit) and not value.lstrip("-").isdigit():
            return f"Value has a maximum length of {limit}."
    if name == "min" and limit.isdigit() and len(value) < int(limit) and not value.lstrip("-").isdigit():
        return f"Value has a minimum length of {limit}."
    return None


def _digest_errors(row: dict[str, Any], held: Metafield | None, type_name: str, value: str, here: list[str],
                   context: Context) -> UserErrors:
    if "compareDigest" not in row:
        return []
    digest = row["compareDigest"]
    if held is None:
        return [] if digest is None else [
            user_error(here, "Invalid `compareDigest` value.", "INVALID_COMPARE_DIGEST")]
    if (held.value, held.type) == (value, type_name) and digest is not None:
        return []
    return [] if digest == context.store.digest(held) else [user_error(here, _STALE, "STALE_OBJECT")]


def _write(place: tuple[str, str, str], type_name: str, value: str, context: Context) -> Metafield:
    store, now = context.store, context.store.now()
    held = store.metafields.get(place)
    if held is None:
        held = Metafield(id=store.new_id(), owner=place[0], namespace=place[1], key=place[2], type=type_name,
                         value=value, created_at=now, updated_at=now)
        store.metafields[place] = held
        _touch_owner(place[0], context)
    elif (held.type, held.value) != (type_name, value):
        held.type, held.value, held.updated_at = type_name, value, now
        _touch_owner(place[0], context)
    return held


def _touch_owner(owner: str, context: Context) -> None:
    thing = context.store.thing(owner)
    if thing is not None and kind_of(owner) == "Product" and context.store.behaviour.metafield_touches_product:
        context.store.touch(thing)
    context.store.changed()


def _place(owner: str, row: dict[str, Any], context: Context) -> tuple[str, str, str]:
    return (owner, resolved_namespace(context, row.get("namespace")), row.get("key") or "")


def _owner(owner: str, context: Context) -> Any:
    return context.store.thing(owner) if kind_of(owner) in OWNER_TYPES else None

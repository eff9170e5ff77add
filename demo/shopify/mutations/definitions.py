"""metafieldDefinitionCreate, -Update, -Delete, -Pin and -Unpin (facts §7)."""
from __future__ import annotations

import re
from typing import Any

from .. import jobs
from ..access import denied
from ..context import Context
from ..errors import user_error
from ..ids import kind_of, number_of
from ..metafield_types import all_types, known
from ..model import OWNER_TYPES, MetafieldDefinition
from ..reads.metafields import resolved_namespace
from .base import UserErrors, mutation

MOST_OF_AN_OWNER = 256
_GONE = "Definition not found."


@mutation("metafieldDefinitionCreate")
def definition_create(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given, store = arguments["definition"], context.store
    _forbid_others(given, "metafieldDefinitionCreate", context)
    place = (given["ownerType"], resolved_namespace(context, given.get("namespace")), given["key"])
    errors = _errors(given, place, context)
    if errors:
        return {"createdDefinition": None, "userErrors": errors}
    definition = MetafieldDefinition(id=store.new_id(), owner_type=place[0], namespace=place[1], key=place[2],
                                     name=given["name"], type_name=given["type"],
                                     description=given.get("description"),
                                     validations=[dict(row) for row in given.get("validations") or ()],
                                     unique_values=given["type"] == "id" or _unique(given))
    store.definitions[place] = definition
    if given.get("pin"):
        definition.pinned_position = _next_pin(place[0], context)
    store.changed()
    return {"createdDefinition": definition, "userErrors": []}


@mutation("metafieldDefinitionUpdate")
def definition_update(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given = arguments["definition"]
    _forbid_others(given, "metafieldDefinitionUpdate", context)
    place = (given["ownerType"], resolved_namespace(context, given.get("namespace")), given["key"])
    definition = context.store.definitions.get(place)
    if definition is None:
        return {"updatedDefinition": None, "validationJob": None, "userErrors": [
            user_error(["definition"], _GONE, "NOT_FOUND")]}
    job = None
    definition.name = given.get("name") or definition.name
    if "description" in given:
        definition.description = given["description"]
    if given.get("validations") is not None:
        definition.validations = [dict(row) for row in given["validations"]]
        job = jobs.started(context.store)
    if given.get("pin") is not None:
        definition.pinned_position = (definition.pinned_position or _next_pin(place[0], context)) \
            if given["pin"] else None
    context.store.changed()
    return {"updatedDefinition": definition, "validationJob": job, "userErrors": []}


@mutation("metafieldDefinitionDelete")
def definition_delete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    store = context.store
    place = _named(arguments, context)
    payload: dict[str, Any] = {"deletedDefinitionId": None, "deletedDefinition": None, "userErrors": []}
    if place is None:
        return {**payload, "userErrors": [user_error(["id"], _GONE, "NOT_FOUND")]}
    definition = store.definitions.pop(place)
    if arguments.get("deleteAllAssociatedMetafields"):
        for key in [key for key in store.metafields if (OWNER_TYPES.get(kind_of(key[0])), *key[1:]) == place]:
            del store.metafields[key]
    store.changed()
    return {**payload, "deletedDefinitionId": definition.gid, "deletedDefinition": {
        "ownerType": place[0], "namespace": place[1], "key": place[2]}}


@mutation("metafieldDefinitionPin")
def definition_pin(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return _pinned(arguments, context, "pinnedDefinition", pin=True)


@mutation("metafieldDefinitionUnpin")
def definition_unpin(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return _pinned(arguments, context, "unpinnedDefinition", pin=False)


def _forbid_others(given: dict[str, Any], field: str, context: Context) -> None:
    """Another app's own namespace (`app--{id}`) is none of this app's business."""
    other = re.match(r"app--(\d+)", given.get("namespace") or "")
    if other and int(other[1]) != context.store.app_id:
        raise denied(field, "API client to have access to the namespace and the resource type associated with the "
                     "metafield definition.\n")


def _pinned(arguments: dict[str, Any], context: Context, name: str, *, pin: bool) -> dict[str, Any]:
    place = _named({"id": arguments.get("definitionId"), "identifier": arguments.get("identifier")}, context)
    if place is None:
        return {name: None, "userErrors": [user_error(None, _GONE, "NOT_FOUND")]}
    definition = context.store.definitions[place]
    definition.pinned_position = _next_pin(place[0], context) if pin else None
    return {name: definition, "userErrors": []}


def _named(arguments: dict[str, Any], context: Context) -> tuple[str, str, str] | None:
    identifier = arguments.get("identifier")
    if identifier:
        place = (identifier["ownerType"], resolved_namespace(context, identifier.get("namespace")), identifier["key"])
        return place if place in context.store.definitions else None
    number = number_of(arguments.get("id") or "", "MetafieldDefinition")
    return next((place for place, held in context.store.definitions.items() if held.id == number), None)


def _errors(given: dict[str, Any], place: tuple[str, str, str], context: Context) -> UserErrors:
    errors: UserErrors = []
    here, store = ["definition"], context.store
    for part, text, least, most in (("namespace", place[1], 3, 255), ("key", place[2], 2, 64)):
        name = part.capitalize()
        if len(text) < least:
            errors.append(user_error([*here, part], f"{name} is too short (minimum is {least} characters)",
                                     "TOO_SHORT"))
        elif len(text) > most:
            errors.append(user_error([*here, part], f"{name} is too long (maximum is {most} characters)", "TOO_LONG"))
        elif not re.fullmatch(r"[A-Za-z0-9_-]+", text):
            errors.append(user_error([*here, part], f"{name} contains one or more invalid characters.",
                                     "INVALID_CHARACTER"))
    if not given["name"].strip():
        errors.append(user_error([*here, "name"], "Name can't be blank", "BLANK"))
    elif len(given["name"]) > 255:
        errors.append(user_error([*here, "name"], "Name is too long (maximum is 255 characters)", "TOO_LONG"))
    if not known(given["type"]):
        errors.append(user_error([*here, "type"], f"Type name {given['type']} is not a valid type. Valid types are: "
                                 + ", ".join(all_types()) + ".", "INCLUSION"))
    if place in store.definitions:
        errors.append(user_error([*here, "key"], f"Key is in use for {place[0].capitalize()} metafields on the "
                                 f"'{place[1]}' namespace.", "TAKEN"))
    if sum(held.owner_type == place[0] for held in store.definitions.values()) >= MOST_OF_AN_OWNER:
        errors.append(user_error(here, f"Stores can only have {MOST_OF_AN_OWNER} definitions for each store resource.",
                                 "RESOURCE_TYPE_LIMIT_EXCEEDED"))
    return errors


def _unique(given: dict[str, Any]) -> bool:
    return bool(((given.get("capabilities") or {}).get("uniqueValues") or {}).get("enabled"))


def _next_pin(owner_type: str, context: Context) -> int:
    return max((held.pinned_position or 0 for held in context.store.definitions.values()
                if held.owner_type == owner_type), default=0) + 1

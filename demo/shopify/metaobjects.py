"""Metaobjects: records of the merchant's own making, by definitions of the merchant's own making (facts §7).

    MetaobjectDefinition(type, field definitions)  ←  Metaobject(handle, a value for each field)

Values are checked and rewritten as metafields' are. Definitions, entries, and how both are read.
"""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from . import handles, jobs
from .connections import Window, window
from .context import Context
from .ids import number_of
from .metafield_types import Refused, category_of, json_value, known, stored
from .model import Thing
from .mutations.base import mutation
from .registry import resolves

Errors = list[dict[str, Any]]


@dataclass(eq=False)
class Definition(Thing):
    kind: ClassVar[str] = "MetaobjectDefinition"
    id: int
    type: str
    name: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    display_name_key: str | None = None
    fields: list[dict[str, Any]] = field(default_factory=list)  # key, name, type, required, description, validations

    def field_of(self, key: str) -> dict[str, Any] | None:
        return next((each for each in self.fields if each["key"] == key), None)


@dataclass(eq=False)
class Metaobject(Thing):
    kind: ClassVar[str] = "Metaobject"
    id: int
    definition: Definition
    handle: str
    created_at: datetime
    updated_at: datetime
    values: dict[str, str] = field(default_factory=dict)  # as stored
    given: dict[str, str] = field(default_factory=dict)  # as given: the display name shows it so
    name_shown: str | None = None  # as a recording showed it, until it changes

    @property
    def type(self) -> str:
        return self.definition.type

    @property
    def display_name(self) -> str:
        named = self.name_shown or self.given.get(self.definition.display_name_key or "")
        return named or self.handle.replace("-", " ").title()


def _error(path: list[str], message: str, code: str, key: str | None = None, index: int | None = None
           ) -> dict[str, Any]:
    return {"field": path, "message": message, "code": code, "elementKey": key, "elementIndex": index}


# --- definitions ----------------------------------------------------------------------------------------


@mutation("metaobjectDefinitionCreate")
def definition_create(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given, store = arguments["definition"], context.store
    type_name = _type_name(given["type"], context)
    rows = given.get("fieldDefinitions") or []
    errors: Errors = []
    if not re.fullmatch(r"[a-z0-9_$:-]{3,255}", type_name, re.IGNORECASE):
        errors.append(_error(["definition", "type"], "Type is invalid" if type_name else "Type can't be blank",
                             "INVALID" if type_name else "BLANK"))
    elif _by_type(type_name, context) is not None:
        errors.append(_error(["definition", "type"], "Type has already been taken", "TAKEN"))
    errors += _field_errors(rows, ["definition", "fieldDefinitions"], set())
    wanted_key = given.get("displayNameKey")
    if wanted_key and wanted_key not in {row["key"] for row in rows}:
        errors.append(_error(["definition", "displayNameKey"], f'Field definition "{wanted_key}" does not exist',
                             "UNDEFINED_OBJECT_FIELD"))
    if errors:
        return {"metaobjectDefinition": None, "userErrors": errors}
    now = store.now()
    made = Definition(store.new_id(), type_name, given.get("name") or type_name.replace("_", " ").title(), now, now,
                      given.get("description"), wanted_key, [_field(row) for row in rows])
    store.metaobject_definitions[made.id] = made
    return {"metaobjectDefinition": made, "userErrors": []}


@mutation("metaobjectDefinitionUpdate")
def definition_update(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    held, given = context.store.thing(arguments["id"]), arguments["definition"]
    if not isinstance(held, Definition):
        return {"metaobjectDefinition": None, "userErrors": [_error(["id"], "Record not found", "RECORD_NOT_FOUND")]}
    errors: Errors = []
    fields = [dict(row) for row in held.fields]
    for place, step in enumerate(given.get("fieldDefinitions") or ()):
        here = ["definition", "fieldDefinitions", str(place)]
        (verb, row), *_ = [(verb, row) for verb, row in step.items() if row is not None] or [("", {})]
        same = next((each for each in fields if each["key"] == row.get("key")), None)
        if verb == "create":
            errors += _field_errors([row], here[:-1], {each["key"] for each in fields}, place)
            fields.append(_field(row))
        elif same is None:
            errors.append(_error([*here, verb, "key"], f'Field definition "{row.get("key")}" does not exist',
                                 "UNDEFINED_OBJECT_FIELD", row.get("key"), place))
        elif verb == "delete":
            fields.remove(same)
        else:
            same.update({key: value for key, value in row.items() if key in ("name", "description", "required",
                                                                            "validations") and value is not None})
    if errors:
        return {"metaobjectDefinition": None, "userErrors": errors}
    held.fields, held.updated_at = fields, context.store.now()
    for key, attribute in (("name", "name"), ("description", "description"), ("displayNameKey", "display_name_key")):
        if key in given:
            setattr(held, attribute, given[key])
    return {"metaobjectDefinition": held, "userErrors": []}


@mutation("metaobjectDefinitionDelete")
def definition_delete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    """With it go its metaobjects."""
    held, store = context.store.thing(arguments["id"]), context.store
    if not isinstance(held, Definition):
        return {"deletedId": None, "userErrors": [_error(["id"], "Record not found", "RECORD_NOT_FOUND")]}
    for each in [each for each in store.metaobjects.values() if each.definition is held]:
        del store.metaobjects[each.id]
    del store.metaobject_definitions[held.id]
    return {"deletedId": held.gid, "userErrors": []}


def _field(row: dict[str, Any]) -> dict[str, Any]:
    return {"key": row["key"], "name": row.get("name") or row["key"].replace("_", " ").capitalize(),
            "type": row["type"], "required": bool(row.get("required")), "description": row.get("description"),
            "validations": [dict(each) for each in row.get("validations") or ()]}


def _field_errors(rows: list[dict[str, Any]], path: list[str], seen: set[str], first: int = 0) -> Errors:
    errors: Errors = []
    for place, row in enumerate(rows, first):
        here = [*path, str(place)]
        if not re.fullmatch(r"[a-zA-Z0-9_-]{2,64}", row["key"]):
            errors.append(_error([*here, "key"], "Key is invalid", "INVALID", row["key"], place))
        elif row["key"] in seen:
            errors.append(_error([*here, "key"], f'Field "{row["key"]}" duplicates other inputs',
                                 "DUPLICATE_FIELD_INPUT", row["key"], place))
        elif not known(row["type"]):
            errors.append(_error([*here, "type"], f'Type "{row["type"]}" is not a valid field type', "INCLUSION",
                                 row["key"], place))
        seen.add(row["key"])
    return errors


# --- metaobjects ----------------------------------------------------------------------------------------


@mutation("metaobjectCreate")
def create(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    given = arguments["metaobject"]
    definition = _by_type(_type_name(given["type"], context), context)
    if definition is None:
        return {"metaobject": None, "userErrors": [_error(
            ["metaobject", "type"], f'No metaobject definition exists for type "{given["type"]}"',
            "UNDEFINED_OBJECT_TYPE")]}
    return _made(definition, given.get("handle"), given, context)


@mutation("metaobjectUpsert")
def upsert(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    named = arguments["handle"]
    given = dict(arguments.get("metaobject") or {})
    if arguments.get("values") is not None:
        given["values"] = arguments["values"]
    definition = _by_type(_type_name(named["type"], context), context)
    if definition is None:
        return {"metaobject": None, "userErrors": [_error(
            ["handle", "type"], f'No metaobject definition exists for type "{named["type"]}"',
            "UNDEFINED_OBJECT_TYPE")]}
    held = _by_handle(definition, named["handle"], context)
    return _changed(held, given, context) if held else _made(definition, named["handle"], given, context)


@mutation("metaobjectUpdate")
def update(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    held = context.store.thing(arguments["id"])
    if not isinstance(held, Metaobject):
        return {"metaobject": None, "userErrors": [_error(["id"], "Record not found", "RECORD_NOT_FOUND")]}
    return _changed(held, arguments["metaobject"], context)


@mutation("metaobjectDelete")
def delete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    held = context.store.thing(arguments["id"])
    if not isinstance(held, Metaobject):
        return {"deletedId": None, "userErrors": [_error(["id"], "Record not found", "RECORD_NOT_FOUND")]}
    del context.store.metaobjects[held.id]
    return {"deletedId": held.gid, "userErrors": []}


@mutation("metaobjectBulkDelete")
def bulk_delete(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    where, store = arguments["where"], context.store
    ids = set(where.get("ids") or ())
    for each in list(store.metaobjects.values()):
        if each.gid in ids or (where.get("type") and each.type == _type_name(where["type"], context)):
            del store.metaobjects[each.id]
    return {"job": jobs.started(store), "userErrors": []}


def _made(definition: Definition, handle: str | None, given: dict[str, Any], context: Context) -> dict[str, Any]:
    store = context.store
    values, stored_values, errors = _values(definition, given, context, creating=True)
    if errors:
        return {"metaobject": None, "userErrors": errors}
    taken = {each.handle for each in store.metaobjects.values() if each.definition is definition}
    shown = values.get(definition.display_name_key or "") or f"{definition.type} {len(taken) + 1}"
    wish = handles.from_text(handle or shown) or handles.from_text(definition.type)
    now = store.now()
    made = Metaobject(store.new_id(), definition, handles.free(wish, taken), now, now, stored_values, values)
    store.metaobjects[made.id] = made
    return {"metaobject": made, "userErrors": []}


def _changed(held: Metaobject, given: dict[str, Any], context: Context) -> dict[str, Any]:
    values, stored_values, errors = _values(held.definition, given, context, creating=False)
    wish = handles.from_text(given.get("handle") or "")
    other = _by_handle(held.definition, wish, context) if wish else None
    if other is not None and other is not held:
        errors.append(_error(["metaobject", "handle"], "Handle has already been taken", "TAKEN"))
    if errors:
        return {"metaobject": None, "userErrors": errors}
    held.given |= values
    held.values |= stored_values
    held.name_shown = None
    held.handle, held.updated_at = wish or held.handle, context.store.now()
    return {"metaobject": held, "userErrors": []}


def _values(definition: Definition, given: dict[str, Any], context: Context, *, creating: bool
            ) -> tuple[dict[str, str], dict[str, str], Errors]:
    """The values by key, as given and as they are stored, and what is wrong with them."""
    rows = list(given.get("fields") or ())
    rows += [{"key": key, "value": value if isinstance(value, str) else str(value)}
             for key, value in (given.get("values") or {}).items()]
    values: dict[str, str] = {}
    kept: dict[str, str] = {}
    errors: Errors = []
    for place, row in enumerate(rows):
        about = definition.field_of(row["key"])
        here = ["metaobject", "fields", str(place)]
        if about is None:
            errors.append(_error(here, f'Field definition "{row["key"]}" does not exist', "UNDEFINED_OBJECT_FIELD",
                                 row["key"]))
            continue
        values[row["key"]] = row["value"]
        if row["value"] == "":
            kept[row["key"]] = ""
            continue
        try:
            kept[row["key"]] = stored(about["type"], row["value"], context.store.shop.currency_code)
        except Refused as refused:
            errors.append(_error(here, str(refused), "INVALID_VALUE", row["key"]))
    for about in definition.fields if creating or rows else ():
        missing = not values.get(about["key"]) if creating else values.get(about["key"]) == ""
        if about["required"] and missing:
            errors.append(_error(["metaobject"], f"{about['name']} can't be blank", "OBJECT_FIELD_REQUIRED",
                                 about["key"]))
    return values, kept, errors


def adopt(store: Any, shown: dict[str, Any]) -> None:
    """Take over a definition or a metaobject as a recording shows it; an entry whose definition it lacks brings it."""
    number, now = number_of(shown["id"]) or store.new_id(), store.now()
    if "/MetaobjectDefinition/" in shown["id"]:
        held = store.metaobject_definitions.get(number) or next(
            (each for each in store.metaobject_definitions.values() if each.type == shown.get("type")), None)
        if held is None and "type" in shown:
            store.reserve_id(number)
            held = store.metaobject_definitions[number] = Definition(number, shown["type"], "", now, now)
        if held is not None:
            held.name = shown.get("name") or held.name
            held.description = shown.get("description", held.description)
            held.display_name_key = shown.get("displayNameKey", held.display_name_key)
            held.fields = [_adopted(row) for row in shown.get("fieldDefinitions") or ()] or held.fields
        return
    if number in store.metaobjects or "type" not in shown or "handle" not in shown:
        return
    rows = shown.get("fields") or ()
    definition = next((each for each in store.metaobject_definitions.values() if each.type == shown["type"]), None)
    if definition is None:
        made = store.new_id()
        definition = store.metaobject_definitions[made] = Definition(
            made, shown["type"], shown["type"], now, now, None, None,
            [_adopted(row.get("definition") or {**row, "type": {"name": row.get("type")}}) for row in rows])
    store.reserve_id(number)
    values = {row["key"]: row["value"] for row in rows if row.get("value") is not None}
    store.metaobjects[number] = Metaobject(number, definition, shown["handle"], now, now, values, dict(values),
                                           shown.get("displayName"))


def _adopted(row: dict[str, Any]) -> dict[str, Any]:
    return {"key": row["key"], "name": row.get("name") or row["key"], "type": (row.get("type") or {}).get("name"),
            "required": bool(row.get("required")), "description": row.get("description"),
            "validations": list(row.get("validations") or ())}


# --- reading --------------------------------------------------------------------------------------------


def _type_name(text: str, context: Context) -> str:
    """`$app:size` is the app's own type `app--123--size`."""
    return f"app--{context.store.app_id}--{text[5:]}" if text.startswith("$app:") else text


def _by_type(type_name: str, context: Context) -> Definition | None:
    return next((each for each in context.store.metaobject_definitions.values() if each.type == type_name), None)


def _by_handle(definition: Definition | None, handle: str, context: Context) -> Metaobject | None:
    return next((each for each in context.store.metaobjects.values()
                 if each.definition is definition and each.handle == handle), None)


@resolves("QueryRoot", "metaobject")
def metaobject(source: Any, arguments: dict[str, Any], context: Context) -> Metaobject | None:
    return context.store.metaobjects.get(number_of(arguments["id"], "Metaobject") or 0)


@resolves("QueryRoot", "metaobjectByHandle")
def metaobject_by_handle(source: Any, arguments: dict[str, Any], context: Context) -> Metaobject | None:
    definition = _by_type(_type_name(arguments["handle"]["type"], context), context)
    return _by_handle(definition, arguments["handle"]["handle"], context) if definition else None


@resolves("QueryRoot", "metaobjects")
def metaobjects(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    type_name = _type_name(arguments["type"], context)
    keys: dict[str, Any] = {"display_name": lambda each: each.display_name.lower(), "type": lambda each: each.type,
                            "updated_at": lambda each: each.updated_at}
    return window([each for each in context.store.metaobjects.values() if each.type == type_name], arguments,
                  key=keys.get(arguments.get("sortKey") or ""), searched=True)


@resolves("QueryRoot", "metaobjectDefinition")
def definition_by_id(source: Any, arguments: dict[str, Any], context: Context) -> Definition | None:
    return context.store.metaobject_definitions.get(number_of(arguments["id"], "MetaobjectDefinition") or 0)


@resolves("QueryRoot", "metaobjectDefinitionByType")
def definition_by_type(source: Any, arguments: dict[str, Any], context: Context) -> Definition | None:
    return _by_type(_type_name(arguments["type"], context), context)


@resolves("QueryRoot", "metaobjectDefinitions")
def definitions(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    return window(list(context.store.metaobject_definitions.values()), arguments)


@resolves("MetaobjectDefinition", "fieldDefinitions")
def field_definitions(held: Definition, arguments: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    return [_field_shown(row) for row in held.fields]


def _field_shown(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "type": {"name": row["type"], "category": category_of(row["type"]), "supportedValidations": [],
                            "supportsDefinitionMigrations": False},
            "validations": [{"name": each["name"], "value": each.get("value"), "type": row["type"]}
                            for each in row["validations"]],
            "capabilities": {"adminFilterable": {"enabled": False, "eligible": False, "status": "NOT_FILTERABLE"}}}


@resolves("MetaobjectDefinition", "metaobjects")
def of_definition(held: Definition, arguments: dict[str, Any], context: Context) -> Window:
    return window([each for each in context.store.metaobjects.values() if each.definition is held], arguments)


@resolves("MetaobjectDefinition", "metaobjectsCount")
def count(held: Definition, arguments: dict[str, Any], context: Context) -> int:
    return sum(each.definition is held for each in context.store.metaobjects.values())


@resolves("MetaobjectDefinition", "hasThumbnailField")
def has_thumbnail(held: Definition, arguments: dict[str, Any], context: Context) -> bool:
    """A colour or a file can stand for the whole."""
    return any(row["type"].removeprefix("list.") in ("color", "file_reference") for row in held.fields)


@resolves("MetaobjectDefinition", "standardTemplate")
def template(held: Definition, arguments: dict[str, Any], context: Context) -> None:
    return None


@resolves("MetaobjectDefinition", "access")
def access(held: Definition, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return {"admin": "PUBLIC_READ_WRITE", "storefront": "NONE", "customerAccount": "NONE"}


@resolves("MetaobjectDefinition", "capabilities")
def capabilities(held: Definition, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return {name: {"enabled": False} for name in ("publishable", "translatable", "onlineStore", "renderable")}


@resolves("Metaobject", "fields")
def fields(held: Metaobject, arguments: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    return [_shown(held, row) for row in held.definition.fields]


@resolves("Metaobject", "field")
def one_field(held: Metaobject, arguments: dict[str, Any], context: Context) -> dict[str, Any] | None:
    row = held.definition.field_of(arguments["key"])
    return _shown(held, row) if row else None


@resolves("Metaobject", "capabilities")
def data_of_capabilities(held: Metaobject, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return {"publishable": None, "onlineStore": None}


@resolves("Metaobject", "thumbnailField")
def thumbnail(held: Metaobject, arguments: dict[str, Any], context: Context) -> None:
    return None


@resolves("Metaobject", "values")
def values(held: Metaobject, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return {row["key"]: _shown(held, row)["jsonValue"] for row in held.definition.fields}


def _shown(held: Metaobject, row: dict[str, Any]) -> dict[str, Any]:
    value = held.values.get(row["key"]) or None
    return {"__typename": "MetaobjectField", "key": row["key"], "type": row["type"], "value": value,
            "jsonValue": json_value(row["type"], value) if value is not None else None,
            "definition": _field_shown(row), "reference": None, "references": None, "thumbnail": None}


@resolves("MetaobjectField", "reference")
def reference(shown: dict[str, Any], arguments: dict[str, Any], context: Context) -> Any:
    return context.store.thing(shown["value"]) if shown["value"] and shown["type"].endswith("_reference") \
        and not shown["type"].startswith("list.") else None

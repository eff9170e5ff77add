"""Metafields and their definitions as they are read (facts §7)."""
from __future__ import annotations

from typing import Any

from ..connections import Window, window
from ..context import Context
from ..errors import bad_request
from ..ids import kind_of, number_of
from ..metafield_types import category_of, json_value
from ..model import OWNER_TYPES, Metafield, MetafieldDefinition, Thing
from ..registry import resolves
from .lists import filtered

_OWNERS = ("Product", "ProductVariant", "Collection", "Location", "Shop", "AppInstallation", "Customer", "Order",
           "DraftOrder")


def resolved_namespace(context: Context, namespace: str | None) -> str:
    """`$app` and nothing at all mean the app's own namespace."""
    own = f"app--{context.store.app_id}"
    if not namespace or namespace == "$app":
        return own
    return f"{own}--{namespace.removeprefix('$app:')}" if namespace.startswith("$app:") else namespace


def metafield(owner: Thing, arguments: dict[str, Any], context: Context) -> Metafield | None:
    namespace, key = arguments.get("namespace"), arguments["key"]
    if namespace is None and "." in key:
        namespace, key = key.split(".", 1)
    return context.store.metafields.get((_gid(owner), resolved_namespace(context, namespace), key))


def metafields(owner: Thing, arguments: dict[str, Any], context: Context) -> Window:
    mine = list(context.store.metafields.of(_gid(owner)))
    if arguments.get("namespace") is not None:
        namespace = resolved_namespace(context, arguments["namespace"])
        mine = [each for each in mine if each.namespace == namespace]
    keys = arguments.get("keys")
    if keys is None:
        return window(mine, arguments)
    wanted = {}  # in the order of the keys
    for place, key in enumerate(keys):
        namespace, _, name = (key if "." in key else f"{arguments.get('namespace') or ''}.{key}").rpartition(".")
        if namespace:
            wanted.setdefault(f"{resolved_namespace(context, namespace)}.{name}", place)
    page = window([each for each in mine if f"{each.namespace}.{each.key}" in wanted], arguments,
                  key=lambda each: wanted[f"{each.namespace}.{each.key}"])
    page.nodes = [_QualifiedMetafield(each) for each in page.nodes]
    return page


for _type in _OWNERS:
    resolves(_type, "metafield")(metafield)
    resolves(_type, "metafields")(metafields)


class _QualifiedMetafield:
    """A metafield found by `keys:`, whose key comes back with its namespace."""

    kind = "Metafield"

    def __init__(self, held: Metafield) -> None:
        self.held = held
        self.gid, self.id, self.namespace, self.type, self.value = (
            held.gid, held.id, held.namespace, held.type, held.value)
        self.created_at, self.updated_at, self.owner = held.created_at, held.updated_at, held.owner
        self.key = f"{held.namespace}.{held.key}"


def _gid(owner: Any) -> str:
    return str(owner["id"]) if isinstance(owner, dict) else str(owner.gid)


def _plain(held: Any) -> Metafield:
    return held.held if isinstance(held, _QualifiedMetafield) else held


@resolves("Metafield", "compareDigest")
def compare_digest(held: Metafield, arguments: dict[str, Any], context: Context) -> str:
    return context.store.digest(_plain(held))


@resolves("Metafield", "jsonValue")
def json_value_of(held: Metafield, arguments: dict[str, Any], context: Context) -> Any:
    return json_value(held.type, held.value)


@resolves("Metafield", "sizeInBytes")
def size_in_bytes(held: Metafield, arguments: dict[str, Any], context: Context) -> int:
    return len(held.value.encode())


@resolves("Metafield", "owner")
def owner(held: Metafield, arguments: dict[str, Any], context: Context) -> Any:
    return context.store.thing(held.owner)


@resolves("Metafield", "ownerType")
def owner_type(held: Metafield, arguments: dict[str, Any], context: Context) -> str:
    return OWNER_TYPES[kind_of(held.owner)]


@resolves("Metafield", "definition")
def definition(held: Metafield, arguments: dict[str, Any], context: Context) -> MetafieldDefinition | None:
    plain = _plain(held)
    return context.store.definitions.get((OWNER_TYPES[kind_of(plain.owner)], plain.namespace, plain.key))


@resolves("Metafield", "description")
def description(held: Metafield, arguments: dict[str, Any], context: Context) -> None:
    return None


@resolves("Metafield", "reference")
def reference(held: Metafield, arguments: dict[str, Any], context: Context) -> Any:
    return context.store.thing(held.value) if held.type.endswith("_reference") else None


# --- definitions ----------------------------------------------------------------------------------------


@resolves("QueryRoot", "metafieldDefinitions")
def definitions(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    found = [each for each in context.store.definitions.values() if each.owner_type == arguments["ownerType"]]
    if arguments.get("namespace") is not None:
        found = [each for each in found if each.namespace == resolved_namespace(context, arguments["namespace"])]
    if arguments.get("key") is not None:
        found = [each for each in found if each.key == arguments["key"]]
    found = filtered(context, "definition", arguments, found, lambda each: {
        "id": each.id, "key": each.key, "namespace": each.namespace, "type": each.type_name,
        "owner_type": each.owner_type, "default": [each.name, each.key, each.namespace]})
    pinned = arguments.get("pinnedStatus", "ANY")
    if pinned != "ANY":
        found = [each for each in found if (each.pinned_position is not None) == (pinned == "PINNED")]
    # the pin that was set last comes first, the unpinned come last
    keys: dict[str, Any] = {"NAME": lambda each: each.name.lower(),
                            "PINNED_POSITION": lambda each: -(each.pinned_position or 0)}
    return window(found, arguments, key=keys.get(arguments.get("sortKey", "ID")))


@resolves("QueryRoot", "metafieldDefinition")
def definition_by(source: Any, arguments: dict[str, Any], context: Context) -> MetafieldDefinition | None:
    if arguments.get("id"):
        number = number_of(arguments["id"], "MetafieldDefinition")
        return next((each for each in context.store.definitions.values() if each.id == number), None)
    wanted = arguments.get("identifier")
    if not wanted:
        raise bad_request("One of id or identifier must be provided.")
    return context.store.definitions.get(
        (wanted["ownerType"], resolved_namespace(context, wanted.get("namespace")), wanted["key"]))


@resolves("MetafieldDefinition", "type")
def definition_type(held: MetafieldDefinition, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return {"name": held.type_name, "category": category_of(held.type_name), "supportedValidations": [],
            "supportsDefinitionMigrations": False}


@resolves("MetafieldDefinition", "validations")
def validations(held: MetafieldDefinition, arguments: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    return [{"name": each["name"], "value": each.get("value"), "type": each.get("type", "single_line_text_field")}
            for each in held.validations]


@resolves("MetafieldDefinition", "access")
def access(held: MetafieldDefinition, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return {"admin": "PUBLIC_READ_WRITE", "storefront": held.storefront, "customerAccount": "NONE"}


# The types that a capability is offered for.
_ELIGIBLE = {"smartCollectionCondition": ("boolean", "number_integer", "number_decimal", "rating",
                                          "single_line_text_field", "list.single_line_text_field",
                                          "metaobject_reference", "list.metaobject_reference"),
             "uniqueValues": ("id", "number_integer", "single_line_text_field", "url")}


@resolves("MetafieldDefinition", "capabilities")
def capabilities(held: MetafieldDefinition, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return {name: {"enabled": name == "uniqueValues" and held.unique_values,
                   "eligible": name == "adminFilterable" or held.type_name in _ELIGIBLE.get(name, ()),
                   "status": "NOT_FILTERABLE"}
            for name in ("adminFilterable", "analyticsQueryable", "cartToOrderCopyable", "smartCollectionCondition",
                         "uniqueValues")}


@resolves("MetafieldDefinition", "validationStatus")
def validation_status(held: MetafieldDefinition, arguments: dict[str, Any], context: Context) -> str:
    return "ALL_VALID"


@resolves("MetafieldDefinition", "useAsCollectionCondition")
def use_as_collection_condition(held: MetafieldDefinition, arguments: dict[str, Any], context: Context) -> bool:
    return False


@resolves("MetafieldDefinition", "constraints")
def constraints(held: MetafieldDefinition, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return {"__typename": "MetafieldDefinitionConstraints", "key": held.constraint_key,
            "held": held.constraint_values}


@resolves("MetafieldDefinitionConstraints", "values")
def constraint_values(held: dict[str, Any], arguments: dict[str, Any], context: Context) -> Window:
    return window([{"value": value, "number": number} for number, value in enumerate(held["held"], 1)], arguments,
                  number=lambda row: row["number"])


@resolves("MetafieldDefinition", "metafieldsCount")
def metafields_count(held: MetafieldDefinition, arguments: dict[str, Any], context: Context) -> int:
    return len(_of_definition(held, context))


@resolves("MetafieldDefinition", "metafields")
def metafields_of_definition(held: MetafieldDefinition, arguments: dict[str, Any], context: Context) -> Window:
    return window(_of_definition(held, context), arguments)


def _of_definition(held: MetafieldDefinition, context: Context) -> list[Metafield]:
    return [each for each in context.store.metafields.values() if each.namespace == held.namespace
            and each.key == held.key and OWNER_TYPES[kind_of(each.owner)] == held.owner_type]

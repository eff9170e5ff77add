"""What an op sends besides plain fields of one input. Pure functions of the op and of what is known of the store.

    category              its id, in productUpdate's own input
    collections           collectionsToJoin and collectionsToLeave, there too; so do collectionRefs
    members               selections added to and taken from the source of a manual collection; so do memberRefs
    customAttributes      the whole list, which is how Shopify takes it
    channels              publishablePublish, publishableUnpublish
    tracking              fulfillmentTrackingInfoUpdate of the one fulfilment that stands; nobody is notified
    default address       customerAddressUpdate, or customerAddressCreate where there is none
    options, image, lines, customer    of new things only

`trouble` says beforehand why something of it cannot be sent: one bad name would stop its whole request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from backend.core.model import Create, Mapping, Op, Update
from backend.core.values import UNREAD, Value
from backend.shopify.known import Known
from backend.shopify.names import UNKNOWN
from backend.shopify.resource import shape

PLAIN_ERRORS = "userErrors { field message }"
LATER = ("@channels", "@defaultAddress.")
"""How `write` of those fields begins that a new thing can only get once it is there."""

Trouble = tuple[str, str, str]
"""(field, what is wrong, cure)."""


@dataclass(frozen=True, slots=True)
class Extra:
    """A mutation of its own. `returns` is where its payload holds the thing; `wraps`, where that is only a part of it,
    the name of the part."""

    verb: str
    arguments: tuple[tuple[str, str, Any], ...]
    """(argument, type, value)."""
    selected: str
    returns: tuple[str, ...]
    fields: tuple[str, ...]
    wraps: str = ""


def names_needed(mapping: Mapping, ops: Iterable[Op]) -> dict[str, set[str]]:
    """By directory: the names whose ids these ops need."""
    needed: dict[str, set[str]] = {}
    for op in ops:
        for name, kind in shape(mapping).named:
            if name in values_of(op):
                needed.setdefault(kind, set()).update(_joined(op, name), _left(op, name))
        if isinstance(op, Create) and "lines" in op.values:
            needed.setdefault("skus", set()).update(sku for _, sku in lines_of(op.values["lines"]) if sku)
    return needed


def trouble(mapping: Mapping, known: Known, op: Op) -> Trouble | None:
    """Why something of this op cannot be sent."""
    values = values_of(op)
    for name, kind in shape(mapping).named:
        if name in values:
            for word in _joined(op, name):
                if known.names.get(kind, {}).get(word.casefold()) is None:
                    message, cure = UNKNOWN[kind]
                    return name, message.format(name=word), cure
    if isinstance(op, Create):
        return _new_trouble(known, op)
    key = str(op.key)
    chosen = next((name for name in ("members", "memberRefs") if name in values), "")
    if chosen and known.sources.get(key) == "":
        return chosen, "the members of this collection are found by its conditions", \
            "Change its conditions in Shopify's admin, or the products themselves."
    return _tracking_trouble(mapping, known, key, values)


def _new_trouble(known: Known, op: Create) -> Trouble | None:
    options = op.values.get("options")
    if options is not None and not options_of(options):
        return "options", f"{options!r} cannot be read as options", "Type them like Colour: Red, Blue; Size: S, L."
    for quantity, sku in lines_of(op.values.get("lines")):
        if not quantity or not sku:
            return "lines", "a line has no quantity or no SKU", "Type each line like 2 × LIN-S."
        if known.names.get("skus", {}).get(sku.casefold()) is None:
            message, cure = UNKNOWN["skus"]
            return "lines", message.format(name=sku), cure
    return None


def _tracking_trouble(mapping: Mapping, known: Known, key: str, values: dict[str, Value]) -> Trouble | None:
    changed = _written(mapping, values, "@tracking.")
    if not changed:
        return None
    standing = known.shipments.get(key)
    if not standing:
        return changed[0], "the order is not fulfilled yet, so there is nothing to track", \
            "Fulfil it first (Actions in the widget), and give the tracking there."
    if len(standing) > 1:
        return changed[0], "the order has several fulfilments, and a row has one tracking number", \
            "Change the tracking in Shopify's admin."
    if len(standing[0]["trackingInfo"]) > 1:
        return changed[0], "this fulfilment has several tracking numbers, and a row would replace them by one", \
            "Change the tracking in Shopify's admin."
    return None


def input_parts(mapping: Mapping, known: Known, op: Op) -> dict[str, Any]:
    """What of the op belongs into the main input and is no plain field."""
    values, parts = values_of(op), dict[str, Any]()
    if "category" in values and mapping.name == "products":
        category = values["category"]
        parts["category"] = _id(known, "categories", str(category)) if category is not None else None
    named = dict(shape(mapping).named)
    for name in ("collections", "collectionRefs"):
        if name in values:
            parts |= _ids_of("collectionsToJoin", known, named[name], _joined(op, name))
            parts |= _ids_of("collectionsToLeave", known, named[name], _left(op, name))
    for name in ("members", "memberRefs"):
        if name in values:
            parts |= _selections(known, op, name, named[name])
    if "customAttributes" in values:
        parts["customAttributes"] = [_attribute(token) for token in _tokens(values["customAttributes"])]
    if isinstance(op, Create):
        if options := options_of(values.get("options")):
            parts["productOptions"] = [{"name": name, "values": [{"name": value} for value in given]}
                                       for name, given in options]
        if lines := lines_of(values.get("lines")):
            parts["lineItems"] = [{"variantId": _id(known, "skus", sku), "quantity": quantity}
                                  for quantity, sku in lines]
        if mapping.name == "draft_orders" and values.get("customer"):
            parts["purchasingEntity"] = {"customerId": values["customer"]}
    return parts


def media_of(mapping: Mapping, op: Create) -> list[dict[str, str]]:
    """The images of a new product, as an argument of its own: addresses with a space or a line break between them."""
    given = next((value for name, value in op.values.items()
                  if mapping.rule(name).field.on_create == "@media"), None)
    return [{"originalSource": address, "mediaContentType": "IMAGE"} for address in str(given or "").split()]


def calls(mapping: Mapping, known: Known, op: Update) -> list[Extra]:
    """The mutations of their own that an update needs, in order."""
    found: list[Extra] = []
    values, key = values_of(op), str(op.key)
    if "channels" in values:
        thing = f"publishable {{ ... on {mapping.resource.type} {{ ...Stored }} }} {PLAIN_ERRORS}"
        for verb, names in (("publishableUnpublish", _left(op, "channels")),
                            ("publishablePublish", _joined(op, "channels"))):
            ids = [_id(known, "channels", name) for name in names]
            if ids:
                found.append(Extra(verb, (("id", "ID!", key), ("input", "[PublicationInput!]!", [
                    {"publicationId": one} for one in ids if one])), thing, ("publishable",), ("channels",)))
    if changed := _written(mapping, values, "@tracking."):
        found.append(Extra("fulfillmentTrackingInfoUpdate", (
            ("fulfillmentId", "ID!", known.shipments[key][0]["id"]),
            ("trackingInfoInput", "FulfillmentTrackingInput!", _whole(mapping, known, op, "@tracking")),
            ("notifyCustomer", "Boolean!", False)),
            f"fulfillment {{ order {{ ...Stored }} }} {PLAIN_ERRORS}", ("fulfillment", "order"), changed))
    if changed := _written(mapping, values, "@defaultAddress."):
        address = _whole(mapping, known, op, "@defaultAddress")
        held = known.wholes.get("@defaultAddress", {}).get(key, {}).get("id")
        where: tuple[tuple[str, str, Any], ...] = (("addressId", "ID!", held),) if held else ()
        found.append(Extra(
            "customerAddressUpdate" if held else "customerAddressCreate",
            (("customerId", "ID!", key), *where, ("address", "MailingAddressInput!", address),
             ("setAsDefault", "Boolean!", True)),
            f"address {{ {_ADDRESS} }} {PLAIN_ERRORS}", ("address",), changed, wraps="defaultAddress"))
    return found


_ADDRESS = "id firstName lastName company address1 address2 zip city provinceCode countryCodeV2 phone"


def options_of(text: Value) -> list[tuple[str, list[str]]]:
    """`Colour: Red, Blue; Size: S` as names with their values, in order; empty where it cannot be read so."""
    found = []
    for part in str(text or "").split(";"):
        name, colon, values = part.partition(":")
        given = [value.strip() for value in values.split(",") if value.strip()]
        if not (colon and name.strip() and given):
            return []
        found.append((name.strip(), given))
    return found


def lines_of(value: Value) -> list[tuple[int, str]]:
    """(quantity, SKU) of each line; a 0 or "" stands for what is missing. `2 × LIN-S`, `2 x LIN-S`, `LIN-S`."""
    found = []
    for token in _tokens(value):
        parts = re.fullmatch(r"\s*(\d{1,6})\s*[×x*]\s*(.*?)\s*", token, re.IGNORECASE)
        found.append((int(parts[1]), parts[2]) if parts else (1, token.strip()))
    return found


def values_of(op: Op) -> dict[str, Value]:
    return dict(op.values) if isinstance(op, Create | Update) else {}


# --- the parts ------------------------------------------------------------------------------------


def _selections(known: Known, op: Op, name: str, kind: str) -> dict[str, Any]:
    """Of `collectionUpdate`: what is chosen and no longer chosen; a new collection, or one without any source, is given
    a source of its own."""
    add = [{"productId": _id(known, kind, word)} for word in _joined(op, name)]
    remove = [{"productId": one} for word in _left(op, name) if (one := _id(known, kind, word))]
    source = None if isinstance(op, Create) else known.sources.get(str(getattr(op, "key", "")))
    if source is None:
        made = [{"source": {"title": "Chosen products", "inclusion": {"selections": add}}}] if add else []
        if not made:
            return {}
        return {"sources" if isinstance(op, Create) else "sourcesToCreate": made}
    changes: dict[str, Any] = {"selectionsToAdd": add} if add else {}
    changes |= {"selectionsToRemove": remove} if remove else {}
    return {"sourcesToUpdate": [{"condition": {"id": source, "inclusion": changes}}]} if changes else {}


def _ids_of(argument: str, known: Known, kind: str, names: Iterable[str]) -> dict[str, list[str]]:
    ids = [one for name in names if (one := _id(known, kind, name))]
    return {argument: ids} if ids else {}


def _id(known: Known, kind: str, name: str) -> str | None:
    return known.names.get(kind, {}).get(name.casefold())


def _attribute(token: str) -> dict[str, str]:
    key, _, value = token.partition(":")
    return {"key": key.strip(), "value": value.strip()}


def _whole(mapping: Mapping, known: Known, op: Update, name: str) -> dict[str, Any]:
    """All parts of what is only taken as a whole: as they stand, with the changes laid over."""
    held = known.wholes.get(name, {}).get(str(op.key), {})
    whole = {part: value for part, value in held.items() if value is not None and value is not UNREAD and part != "id"}
    for field, value in op.values.items():
        write = mapping.rule(field).field.write
        if write.startswith(f"{name}."):
            part = write.removeprefix(f"{name}.")
            text = "" if value is None else str(value)
            whole[part] = text.upper() if part in ("countryCode", "provinceCode") else text
    # An address of the web or a country cannot be "": left out is how they are cleared, for the whole is replaced.
    return {part: value for part, value in whole.items() if value or part not in ("url", "countryCode")}


def _written(mapping: Mapping, values: dict[str, Value], start: str) -> tuple[str, ...]:
    return tuple(name for name in values if mapping.rule(name).field.write.startswith(start))


def _joined(op: Op, name: str) -> list[str]:
    """What the op adds to a list, or names where it is no list."""
    before, after = _before(op, name), _tokens(values_of(op).get(name))
    known = {token.casefold() for token in before}
    return [token for token in after if token.casefold() not in known]


def _left(op: Op, name: str) -> list[str]:
    kept = {token.casefold() for token in _tokens(values_of(op).get(name))}
    return [token for token in _before(op, name) if token.casefold() not in kept] if name != "category" else []


def _before(op: Op, name: str) -> tuple[str, ...]:
    return _tokens(op.before.get(name)) if isinstance(op, Update) and name != "category" else ()


def _tokens(value: Value) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return tuple(str(token) for token in value)
    return (value,) if isinstance(value, str) and value else ()

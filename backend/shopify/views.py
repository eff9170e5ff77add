"""Fields that Shopify holds as more than one value: a list of other things, or something to be looked for in one.

A path `views.channels` stands for one of these. It selects under names of its own, and its value is worked out of the
thing as it was answered:

    field                 of           selects                      the cell holds
    channels              product      resourcePublicationsV2 …     names of sales channels
    collections           product      collections …                handles of those it is in by hand; their ids
                                                                    as collectionRefs
    options               product      options { … }                Colour: Red, Blue; Size: S, L
    image                 product      featuredMedia { … }          its address; unread while Shopify works on it
    members               collection   products …, sources { … }    handles of the chosen products; their ids as
                                                                    memberRefs
    kind, rules           collection   sources { … }, ruleSet …     MANUAL or SMART; TAG EQUALS winter
    attributes            order, draft customAttributes { … }       Gift: yes
    tracking…             order        fulfillments { … }           of the first that is not cancelled
    lines                 draft        lineItems …                  2 × LIN-S

A list that is longer than its first page is read to its end (`reading`); what of it is not there yet is UNREAD.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backend.core.values import UNREAD

VIEW = "views."
AT_FIRST = 10
"""How much of a list a page of things brings along: 250 products with 10 channels each cost 145 points (facts §3)."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A nested list: `collections(first: 10) { nodes { handle } pageInfo { … } }` under the name `alias`."""

    alias: str
    step: str
    node: str
    arguments: str = ""

    def call(self, window: str = f"first: {AT_FIRST}") -> str:
        arguments = f"{window}, {self.arguments}" if self.arguments else window
        return f"{self.step}({arguments}) {{ nodes {{ {self.node} }} pageInfo {{ hasNextPage endCursor }} }}"


@dataclass(frozen=True, slots=True)
class View:
    value: Callable[[dict[str, Any]], Any]
    """From the thing as it was answered to a plain value that `canonical` takes."""
    parts: tuple[tuple[str, str], ...] = ()
    """(alias, what it stands for)."""
    listed: Listed | None = None

    def selected(self) -> dict[str, str]:
        own = {self.listed.alias: self.listed.call()} if self.listed else {}
        return dict(self.parts) | own


_SOURCES = ("v_sources",
            "sources { __typename id ... on CollectionConditionsSource { inclusion { conditions { id } } } }")
_FULFILLMENTS = ("v_fulfillments",
                 "fulfillments(first: 10) { id status trackingInfo(first: 10) { company number url } }")
_RULES = ("v_rules", "ruleSet { appliedDisjunctively rules { column relation condition } }")
_CHANNELS = Listed("v_channels", "resourcePublicationsV2", "publication { id name }", "catalogType: APP")
_COLLECTIONS = Listed("v_collections", "collections", f"id handle {_SOURCES[0]}: {_SOURCES[1]}")
_MEMBERS = Listed("v_members", "products", "id handle")
_LINES = Listed("v_lines", "lineItems", "sku name quantity")


def nodes_of(thing: dict[str, Any], listed: Listed) -> Any:
    """The nodes of a nested list; UNREAD where it was not read, or not to its end."""
    page = thing.get(listed.alias, UNREAD)
    if not isinstance(page, dict) or page["pageInfo"]["hasNextPage"]:
        return UNREAD
    return [node for node in page["nodes"] if isinstance(node, dict)]


def is_unfinished(thing: dict[str, Any], listed: Listed) -> bool:
    page = thing.get(listed.alias, UNREAD)
    return isinstance(page, dict) and bool(page["pageInfo"]["hasNextPage"])


def source_of(collection: dict[str, Any]) -> Any:
    """The id of the source that holds the products chosen by hand; "" where conditions decide, None where there is no
    source at all, UNREAD where they were not read."""
    sources = collection.get(_SOURCES[0], UNREAD)
    if not isinstance(sources, list):
        return UNREAD
    by_hand = [one for one in sources if one["__typename"] == "CollectionConditionsSource"
               and not one["inclusion"]["conditions"]]
    # A collection without any source is empty, and one of ours can be given to it.
    return by_hand[0]["id"] if len(by_hand) == len(sources) == 1 else None if not sources else ""


def shipments(order: dict[str, Any]) -> Any:
    """The fulfilments of an order that stand: `[{id, status, trackingInfo}]`; UNREAD where they were not read."""
    found = order.get(_FULFILLMENTS[0], UNREAD)
    if not isinstance(found, list):
        return UNREAD
    return [one for one in found if one["status"] != "CANCELLED"]


# --- what each is worked out of -------------------------------------------------------------------


def _channels(thing: dict[str, Any]) -> Any:
    found = nodes_of(thing, _CHANNELS)
    if found is UNREAD:
        return UNREAD
    return [one["publication"]["name"] for one in found]


def _collections(part: str) -> Callable[[dict[str, Any]], Any]:
    def value(thing: dict[str, Any]) -> Any:
        found = nodes_of(thing, _COLLECTIONS)
        return UNREAD if found is UNREAD else [one[part] for one in found if source_of(one) != ""]

    return value


def _members(part: str) -> Callable[[dict[str, Any]], Any]:
    def value(thing: dict[str, Any]) -> Any:
        if source_of(thing) == "":
            return None  # not chosen: found by conditions
        found = nodes_of(thing, _MEMBERS)
        return UNREAD if found is UNREAD else [one[part] for one in found]

    return value


def _kind(thing: dict[str, Any]) -> Any:
    source = source_of(thing)
    return UNREAD if source is UNREAD else "SMART" if source == "" else "MANUAL"


def _rules(thing: dict[str, Any]) -> Any:
    found = thing.get(_RULES[0], UNREAD)
    if not isinstance(found, dict):
        return found
    joint = " or " if found["appliedDisjunctively"] else " and "
    return joint.join(f"{one['column']} {one['relation']} {one['condition']}" for one in found["rules"])


def _options(thing: dict[str, Any]) -> Any:
    found = thing.get("v_options", UNREAD)
    if not isinstance(found, list):
        return found
    told = [(one["name"], [value["name"] for value in one["optionValues"]])
            for one in sorted(found, key=lambda one: int(one["position"]))]
    if told == [("Title", ["Default Title"])]:
        return None  # what Shopify gives a product that has none
    return "; ".join(f"{name}: {', '.join(values)}" for name, values in told)


def _image(thing: dict[str, Any]) -> Any:
    media = thing.get("v_image", UNREAD)
    if not isinstance(media, dict):
        return media
    if media["status"] in ("UPLOADED", "PROCESSING"):
        return UNREAD
    return ((media["preview"] or {}).get("image") or {}).get("url")


def _attributes(thing: dict[str, Any]) -> Any:
    found = thing.get("v_attributes", UNREAD)
    if not isinstance(found, list):
        return found
    return [f"{one['key']}: {one['value'] or ''}".strip() for one in found]


def _tracking(part: str) -> Callable[[dict[str, Any]], Any]:
    def value(thing: dict[str, Any]) -> Any:
        standing = shipments(thing)
        if standing is UNREAD:
            return UNREAD
        infos = standing[0]["trackingInfo"] if standing else []
        return infos[0][part] if infos else None

    return value


def _lines(thing: dict[str, Any]) -> Any:
    found = nodes_of(thing, _LINES)
    return UNREAD if found is UNREAD else [f"{one['quantity']} × {one['sku'] or one['name']}" for one in found]


VIEWS: dict[str, View] = {
    "channels": View(_channels, listed=_CHANNELS),
    "collections": View(_collections("handle"), listed=_COLLECTIONS),
    "collectionRefs": View(_collections("id"), listed=_COLLECTIONS),
    "options": View(_options, (("v_options", "options { name position optionValues { name } }"),)),
    "image": View(_image, (("v_image", "featuredMedia { status preview { image { url } } }"),)),
    "members": View(_members("handle"), (_SOURCES,), _MEMBERS),
    "memberRefs": View(_members("id"), (_SOURCES,), _MEMBERS),
    "kind": View(_kind, (_SOURCES,)),
    "rules": View(_rules, (_RULES,)),
    "attributes": View(_attributes, (("v_attributes", "customAttributes { key value }"),)),
    "trackingNumber": View(_tracking("number"), (_FULFILLMENTS,)),
    "trackingUrl": View(_tracking("url"), (_FULFILLMENTS,)),
    "trackingCompany": View(_tracking("company"), (_FULFILLMENTS,)),
    "lines": View(_lines, listed=_LINES),
}


def view(path: str) -> View:
    return VIEWS[path.removeprefix(VIEW)]

"""Which lists tell that a mapped thing changed, and the GraphQL that asks them. Pure.

    products, orders …   have a filter `updated_at` and can be read in its order
    customers            the filter matches whole days, so they are read newest first, up to the last look
    productVariants, inventoryItems   have the filter and no such order
    locations            have no filter and are few: looked at whole
    inventory levels     have no list: found below their items, or looked at whole where the store is small

Facts §5. A list that is not in `LISTS` tells nothing: its resource is found by audits alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backend.core.model import Mapping
from backend.shopify import documents
from backend.shopify.resource import Kin, shape

PAGE = 250
STOCK_LEVELS = 10
"""With 250 items a page of stock time stamps costs 79 points at most (facts §3)."""
EVENTS = "events"
STOCK_ALIAS = "stock"


@dataclass(frozen=True, slots=True)
class Watched:
    """A list that tells when its things changed."""

    arguments: str
    query: str = "since"
    """The variable that holds its filter; "" where it has none."""
    newest_first: bool = False
    node: str = "id updatedAt"


LISTS = {
    "products": Watched("sortKey: UPDATED_AT"),
    "productVariants": Watched("sortKey: ID"),
    "inventoryItems": Watched(""),
    "collections": Watched("sortKey: UPDATED_AT"),
    "customers": Watched("sortKey: UPDATED_AT, reverse: true", "days", newest_first=True),
    "orders": Watched("sortKey: UPDATED_AT"),
    "draftOrders": Watched("sortKey: UPDATED_AT"),
    "fulfillmentOrders": Watched("sortKey: UPDATED_AT, includeClosed: true"),
    # Without the two flags a closed location would look deleted.
    "locations": Watched("sortKey: ID, includeInactive: true, includeLegacy: true", ""),
    EVENTS: Watched("sortKey: CREATED_AT", "gone", node="id createdAt ... on BasicEvent { subjectId }"),
}


def lists_of(mapping: Mapping) -> list[str]:
    """The lists in which a change of this mapping's things may show, its own first."""
    return [name for name in dict.fromkeys((shape(mapping).connection, *(kin.connection for kin in kin_of(mapping))))
            if name in LISTS]


def own_list(mapping: Mapping) -> str:
    """The list of the things themselves; "" where they hang below others or are not watched."""
    resource = shape(mapping)
    return resource.connection if resource.connection in LISTS and resource.below is None else ""


def kin_of(mapping: Mapping) -> tuple[Kin, ...]:
    """The other types whose changes may be this mapping's."""
    resource, paths = shape(mapping), [rule.field.path for rule in mapping.fields]
    found = tuple(kin for kin in resource.kin
                  if not kin.paths or any(path.startswith(kin.paths) for path in paths))
    below = resource.below
    if below is None:
        return found
    arguments = f", {below.arguments}" if below.arguments else ""
    down = f"{below.step}(first: {PAGE}{arguments}) {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }}"
    return (Kin(below.type, resource.connection, down), *found)


def poll_document(lists: Iterable[str], *, stock: bool) -> str:
    """The first page of every list, shop and scopes; with `stock` the time stamps of all stock of a small store.
    Variables: the filters since, days and gone, as far as the lists have them."""
    names = sorted(lists)
    parts = [_page(name, f"${LISTS[name].query}", "") for name in names]
    if stock:
        parts.append(f"{STOCK_ALIAS}: inventoryItems(first: {PAGE}) {{\n    nodes {{ id inventoryLevels(first: "
                     f"{STOCK_LEVELS}, includeInactive: true) {{ nodes {{ id updatedAt isActive }} pageInfo "
                     "{ hasNextPage } } }\n    pageInfo { hasNextPage }\n  }")
    variables = ", ".join(f"${name}: String" for name in sorted({LISTS[name].query for name in names} - {""}))
    body = "\n  ".join((documents.ABOUT, *parts))
    return f"query Changes{f'({variables})' if variables else ''} {{\n  {body}\n}}"


def page_document(name: str) -> str:
    """A further page of one list. Variables: after, and query where the list is filtered."""
    query = ", $query: String" if LISTS[name].query else ""
    return f"query Changes_{name}($after: String{query}) {{\n  {_page(name, '$query', ', after: $after')}\n}}"


def kin_document(mappings: Sequence[Mapping]) -> str:
    """From things of other types to those of ours. Variables: ids."""
    parts: dict[str, dict[str, None]] = {}
    for mapping in mappings:
        below = shape(mapping).below
        for kin in kin_of(mapping):
            part = parts.setdefault(kin.type, {})
            if below is not None and kin.type == below.type and not below.points_up:
                # Such a thing cannot tell later what it hangs below.
                part[documents.selection(documents.upper_paths(mapping))] = None
            part[f"{mapping.name}: {kin.leads}"] = None
    fragments = "\n    ".join(f"... on {kind} {{ {' '.join(part)} }}" for kind, part in sorted(parts.items()))
    return f"query Kin($ids: [ID!]!) {{\n  nodes(ids: $ids) {{\n    id\n    {fragments}\n  }}\n}}"


def _page(name: str, query: str, after: str) -> str:
    watched = LISTS[name]
    filtered = f", query: {query}" if watched.query else ""
    arguments = f", {watched.arguments}" if watched.arguments else ""
    return (f"{name}(first: {PAGE}{after}{filtered}{arguments}) {{ nodes {{ {watched.node} }} "
            "pageInfo { hasNextPage endCursor } }")

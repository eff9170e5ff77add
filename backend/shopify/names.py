"""What people's words name in the store: sales channels, collections and products by handle, categories, SKUs.

    channels      asked for once, all of them             Online Store    → gid://shopify/Publication/1
    collections   by handle, each                         winter          → gid://shopify/Collection/2
    products      by handle, each                         linen-shirt     → gid://shopify/Product/3
    collectionIds, productIds    by id, each: whether it is there, and products can be put into it by hand
    categories    searched for by their full name         Apparel > Hats  → gid://shopify/TaxonomyCategory/aa-2
    skus          searched for; two of one SKU are none   LIN-S           → gid://shopify/ProductVariant/4

What names nothing, or more than one thing, is refused by `writes` with the sentence that stands in `UNKNOWN`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from backend.shopify.client import Client
from backend.shopify.views import source_of

AT_ONCE = 20
"""How many names one document asks for."""

UNKNOWN = {
    "channels": ("the store has no sales channel {name!r}", "Type the name of a sales channel as Shopify's admin shows "
                 "it under Settings, Apps and sales channels."),
    "collections": ("the store has no collection with the handle {name!r} that products can be put into by hand",
                    "Type the handle of a manual collection, as the end of its address shows it."),
    "products": ("the store has no product with the handle {name!r}", "Type the handle of a product, as the end of "
                 "its address shows it."),
    "collectionIds": ("one of the collections is gone in Shopify, or is filled by its conditions ({name})",
                      "Take its row out of the list, or change its conditions in Shopify's admin."),
    "productIds": ("one of the products is gone in Shopify ({name})", "Take its row out of the list."),
    "categories": ("Shopify knows no category {name!r}", "Copy its full name from the product's page in Shopify's "
                   "admin, like Apparel & Accessories > Clothing."),
    "skus": ("there is not exactly one variant with the SKU {name!r}", "Type the SKU of one variant; where two share "
             "it, change one of them in Shopify."),
}
"""By directory: what is said of a name that names nothing, and the cure."""

CHANNELS = """query ReadChannels($first: Int!, $after: String) {
  publications(first: $first, after: $after, catalogType: APP) {
    nodes { id name }
    pageInfo { hasNextPage endCursor }
  }
}"""

_ONE = {
    "collections": ("CollectionIdentifierInput!", "collectionByIdentifier(identifier: $n{n}) {{ id sources {{ "
                    "__typename id ... on CollectionConditionsSource {{ inclusion {{ conditions {{ id }} }} }} }} }}"),
    "products": ("ProductIdentifierInput!", "productByIdentifier(identifier: $n{n}) {{ id }}"),
    "collectionIds": ("ID!", "collection(id: $n{n}) {{ id sources {{ __typename id ... on CollectionConditionsSource "
                      "{{ inclusion {{ conditions {{ id }} }} }} }} }}"),
    "productIds": ("ID!", "product(id: $n{n}) {{ id }}"),
    "categories": ("String!", "taxonomy {{ categories(first: 20, search: $n{n}) {{ nodes {{ id fullName }} }} }}"),
    "skus": ("String!", "productVariants(first: 5, query: $n{n}) {{ nodes {{ id sku }} }}"),
}


def names_document(kind: str, count: int) -> str:
    """Things of one directory by name, each under an alias of its own. Variables: n0, n1, …"""
    variable, call = _ONE[kind]
    variables = ", ".join(f"$n{n}: {variable}" for n in range(count))
    lines = "\n  ".join(f"f{n}: " + call.format(n=n) for n in range(count))
    return f"query Name_{kind}({variables}) {{\n  {lines}\n}}"


class Names:
    """One for a connector; what was looked up in a run is not asked for again."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, dict[str, str | None]] = {}

    def forget(self) -> None:
        """At the start of a run: channels may have been installed, handles changed."""
        self._known.clear()

    def look_up(self, kind: str, names: Iterable[str]) -> dict[str, str | None]:
        """By name in small letters: the id, None where the name names nothing or several. Raises what a read raises."""
        known = self._known.setdefault(kind, {})
        missing = list({name.casefold(): name for name in names if name.casefold() not in known}.values())
        if kind == "channels":
            if missing:
                found = self._channels()
                self._known[kind] = known = {name.casefold(): found.get(name.casefold()) for name in missing} | found
            return known
        for start in range(0, len(missing), AT_ONCE):
            part = missing[start:start + AT_ONCE]
            answer = self._client.run(names_document(kind, len(part)),
                                      {f"n{n}": _asked(kind, name) for n, name in enumerate(part)})
            for n, name in enumerate(part):
                known[name.casefold()] = _found(kind, name, answer.root(f"f{n}", kind))
        return known

    def _channels(self) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        after = None
        while True:
            page = self._client.run(CHANNELS, {"first": 250, "after": after}).root("publications", "sales channels")
            for one in page["nodes"]:
                called = str(one["name"]).casefold()
                found[called] = None if called in found else one["id"]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]


def _asked(kind: str, name: str) -> Any:
    if kind in ("collections", "products"):
        return {"handle": name}
    if kind in ("collectionIds", "productIds"):
        return name
    if kind == "skus":
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'sku:"{quoted}"'
    return name.split(">")[-1].strip()


def _found(kind: str, name: str, found: Any) -> str | None:
    if kind in ("collections", "collectionIds"):
        by_hand = isinstance(found, dict) and source_of({"v_sources": found["sources"]}) != ""
        return str(found["id"]) if by_hand else None
    if kind in ("products", "productIds"):
        return str(found["id"]) if isinstance(found, dict) else None
    nodes: Sequence[dict[str, Any]] = (found["categories"] if kind == "categories" else found)["nodes"]
    called = "fullName" if kind == "categories" else "sku"
    # Shopify's search finds more than was asked for: only the very name counts.
    exact = [one["id"] for one in nodes if str(one[called] or "").casefold() == name.casefold()]
    return str(exact[0]) if len(exact) == 1 else None

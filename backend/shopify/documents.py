"""The GraphQL that is sent, as a pure function of a mapping, so that a test can check all of it against the schema.

A field's path says what to select. Steps are joined by dots:

    seo.title                    seo { title }
    selectedOptions.0.value      selectedOptions { value }            element 0 of a plain list
    item.variants.nodes.0.id     item { variants(first: 1) { nodes { id } } }
    quantities.available         quantities(names: ["available"]) { name quantity }

Besides the mapped fields a document asks for what names a row to a person, and for what a write needs to know
(a variant's product, a level's item and location). Cost of a page of 250 by facts §3: products 13 points,
variants 46, inventory items with up to 10 levels each 200 at most.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from backend.core.model import Mapping, Resource
from backend.core.values import UNREAD

CONNECTIONS = {
    "products": "products(first: $first, after: $after, query: $query, sortKey: ID)",
    "variants": "productVariants(first: $first, after: $after, query: $query, sortKey: ID)",
    # Without the two flags a closed location would look deleted.
    "locations": "locations(first: $first, after: $after, query: $query, sortKey: ID, includeInactive: true, "
                 "includeLegacy: true)",
    "inventory": "inventoryItems(first: $first, after: $after, query: $query)",
}
"""The list that holds everything of a resource. Inventory levels have none of their own: they hang below the items."""

TITLES = {"inventory": ("item.variants.nodes.0.displayName", "location.name")}
"""Where a resource's name for people is not one of its fields."""

ADDRESSES = {
    "products": (),
    "variants": ("product.id",),
    "locations": (),
    "inventory": ("item.id", "location.id", "isActive"),
}
"""What a write needs to know besides its own change."""

WEIGHT = ("inventoryItem.measurement.weight.value", "inventoryItem.measurement.weight.unit")
"""Written together only: where one of them is mapped, both are read."""

PREPARE = """query Prepare {
  shop { name currencyCode ianaTimezone weightUnit myshopifyDomain }
  currentAppInstallation { accessScopes { handle } }
}"""

OPTIONS = """query ReadOptions($ids: [ID!]!) {
  nodes(ids: $ids) { ... on Product { id options { name position } } }
}"""

LEVELS_OF_ITEM = "inventoryLevels(first: $levels, after: $levelsAfter, includeInactive: true)"


def list_document(mapping: Mapping) -> str:
    """One page of everything. Variables: first, after, query; for inventory also levels."""
    resource = mapping.resource
    if resource.name != "inventory":
        return (f"query Read_{resource.name}($first: Int!, $after: String, $query: String) {{\n"
                f"  {CONNECTIONS[resource.name]} {{\n    nodes {{ {selection(paths(mapping))} }}\n"
                "    pageInfo { hasNextPage endCursor }\n  }\n}")
    return ("query Read_inventory($first: Int!, $after: String, $query: String, $levels: Int!, "
            f"$levelsAfter: String) {{\n  {CONNECTIONS['inventory']} {{\n    nodes {{ {_item_selection(mapping)} }}\n"
            "    pageInfo { hasNextPage endCursor }\n  }\n}")


def ids_document(resource: Resource) -> str:
    """One page of ids only, to learn what a filter leaves out. Variables: first, after, query."""
    return (f"query Ids_{resource.name}($first: Int!, $after: String, $query: String) {{\n"
            f"  {CONNECTIONS[resource.name]} {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }}\n}}")


def nodes_document(mapping: Mapping) -> str:
    """Things by id, in order. Variables: ids."""
    resource = mapping.resource
    return (f"query Reread_{resource.name}($ids: [ID!]!) {{\n"
            f"  nodes(ids: $ids) {{ ... on {resource.type} {{ {selection(paths(mapping))} }} }}\n}}")


def items_document(mapping: Mapping) -> str:
    """Inventory items by id with one page of their levels. Variables: ids, levels, levelsAfter."""
    return ("query ReadMore_inventory($ids: [ID!]!, $levels: Int!, $levelsAfter: String) {\n"
            f"  nodes(ids: $ids) {{ ... on InventoryItem {{ {_item_selection(mapping)} }} }}\n}}")


def fragment(mapping: Mapping) -> str:
    """`...Stored`: what a mutation's answer must show of each thing it wrote."""
    return f"fragment Stored on {mapping.resource.type} {{ {selection(paths(mapping))} }}"


def paths(mapping: Mapping) -> tuple[str, ...]:
    """Every path that is read for this mapping, each once, `id` first."""
    mapped = [rule.field.path for rule in mapping.fields if rule.field.path]
    extra = WEIGHT if any(path in WEIGHT for path in mapped) else ()
    return tuple(dict.fromkeys(("id", *ADDRESSES[mapping.name], *title_paths(mapping.resource), *mapped, *extra)))


def title_paths(resource: Resource) -> tuple[str, ...]:
    titled = resource.field(resource.title)
    return TITLES.get(resource.name) or ((titled.path,) if titled else ())


def selection(wanted: Iterable[str]) -> str:
    """What stands between the braces to select these paths."""
    root = _Part()
    for path in wanted:
        root.add(path.split("."))
    return root.render()


def dig(thing: Any, steps: Iterable[str | int]) -> Any:
    """The raw value at a path of an answer: UNREAD where any step of it was not read, None where a step is null."""
    for step in steps:
        if thing is None or thing is UNREAD:
            return thing
        if isinstance(step, int):
            thing = thing[step] if step < len(thing) else None
        elif isinstance(thing, list):
            thing = next((part["quantity"] for part in thing if part and part["name"] == step), UNREAD)
        else:
            thing = thing.get(step, UNREAD)
    return thing


def steps(path: str) -> tuple[str | int, ...]:
    """A path ready for `dig`."""
    return tuple(int(step) if step.isdigit() else step for step in path.split("."))


# --- how a selection is built -------------------------------------------------------------------


def _item_selection(mapping: Mapping) -> str:
    """The item once, its levels below it: cheaper than the item again at each of its levels."""
    wanted = paths(mapping)
    item = [path.removeprefix("item.") for path in wanted if path.startswith("item.")]
    level = [path for path in wanted if not path.startswith("item.")]
    return (f"{selection(item)} {LEVELS_OF_ITEM} {{ nodes {{ {selection(level)} }} "
            "pageInfo { hasNextPage endCursor } }")


@dataclass
class _Part:
    """One selected name with what is selected below it."""

    below: dict[str, _Part] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    first: int = 0

    def add(self, rest: list[str]) -> None:
        if rest and rest[0].isdigit():  # which element: `dig` asks, the document does not
            rest = rest[1:]
        if not rest:
            return
        name, rest = rest[0], rest[1:]
        part = self.below.setdefault(name, _Part())
        if name == "quantities":
            part.names += [rest[0]] if rest[0] not in part.names else []
            rest = []
        elif rest[:1] == ["nodes"]:
            part.first = max(part.first, int(rest[1]) + 1)
        part.add(rest)

    def render(self) -> str:
        return " ".join(name + part.arguments() + part.braces() for name, part in self.below.items())

    def arguments(self) -> str:
        if self.names:
            return f"(names: [{', '.join(f'{chr(34)}{name}{chr(34)}' for name in self.names)}])"
        return f"(first: {self.first})" if self.first else ""

    def braces(self) -> str:
        if self.names:
            return " { name quantity }"
        return f" {{ {self.render()} }}" if self.below else ""

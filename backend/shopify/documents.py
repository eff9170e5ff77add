"""The GraphQL that is sent, as a pure function of a mapping, so that a test can check all of it against the schema.

A field's path says what to select. Steps are joined by dots:

    seo.title                    seo { title }
    selectedOptions.0.value      selectedOptions { value }            element 0 of a plain list
    item.variants.nodes.0.id     item { variants(first: 1) { nodes { id } } }
    quantities.available         quantities(names: ["available"]) { name quantity }
    metafields.custom.fabric     m_custom_fabric: metafield(namespace: "custom", key: "fabric") { value … }
    lineItems.nodes.*.sku        lineItems(first: 100) { nodes { sku } pageInfo { hasNextPage } }, see `paths`
    views.channels               v_channels: resourcePublicationsV2(first: 10, …) { … }, see `views`

Besides the mapped fields a document asks for what names a row to a person, and for what a write needs to know
(a variant's product, a level's item and location). Cost of a page of 250 by facts §3: products 13 points,
variants 46, inventory items with up to 10 levels each 200 at most.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from backend.core.model import Mapping
from backend.core.values import UNREAD
from backend.shopify.metafields import raw_of
from backend.shopify.paths import EACH, LONGEST, value_at
from backend.shopify.resource import METAFIELD, Below, StoreResource, shape
from backend.shopify.views import VIEW, Listed, view

OUR_NAMESPACE, OUR_KEY = "$app:grist_sync", "made_as"
"""Where a new thing carries our key. `$app` is the app's own namespace: nobody else can write there."""

ABOUT = """shop { name currencyCode ianaTimezone weightUnit myshopifyDomain }
  currentAppInstallation { accessScopes { handle } }"""

PREPARE = f"query Prepare {{\n  {ABOUT}\n}}"

OPTIONS = """query ReadOptions($ids: [ID!]!) {
  nodes(ids: $ids) { ... on Product { id options { name position } } }
}"""

ITEMS = """query ReadItems($ids: [ID!]!) {
  nodes(ids: $ids) { ... on ProductVariant { id inventoryItem { id } } }
}"""

DEFINITIONS = """query ReadDefinitions($owner: MetafieldOwnerType!, $first: Int!, $after: String) {
  metafieldDefinitions(ownerType: $owner, first: $first, after: $after) {
    nodes { namespace key name type { name } validations { name value } }
    pageInfo { hasNextPage endCursor }
  }
}"""


def list_document(mapping: Mapping) -> str:
    """One page of everything. Variables: first, after, query; for what hangs below something also below, belowAfter."""
    resource = shape(mapping)
    more, nodes = "", selection(paths(mapping))
    if resource.below:
        more, nodes = ", $below: Int!, $belowAfter: String", _above(resource.below, mapping)
    return (f"query Read_{resource.name}($first: Int!, $after: String, $query: String{more}) {{\n"
            f"  {_connection(resource)} {{\n    nodes {{ {nodes} }}\n"
            "    pageInfo { hasNextPage endCursor }\n  }\n}")


def ids_document(resource: StoreResource) -> str:
    """One page of ids only, to learn what a filter leaves out. Variables: first, after, query."""
    return (f"query Ids_{resource.name}($first: Int!, $after: String, $query: String) {{\n"
            f"  {_connection(resource)} {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor }} }}\n}}")


def count_document(root: str) -> str:
    """How long a list is. Variables: query."""
    return f"query Count($query: String) {{\n  {root}(query: $query, limit: null) {{ count }}\n}}"


def nodes_document(mapping: Mapping) -> str:
    """Things by id, in order. Variables: ids."""
    resource = shape(mapping)
    return (f"query Reread_{resource.name}($ids: [ID!]!) {{\n"
            f"  nodes(ids: $ids) {{ ... on {resource.type} {{ {selection(_own_paths(mapping))} }} }}\n}}")


def above_document(mapping: Mapping) -> str:
    """What is above, by id, with one page of what hangs below each. Variables: ids, below, belowAfter."""
    resource = shape(mapping)
    below = resource.below
    assert below is not None, f"{resource.name} hangs below nothing"
    return (f"query ReadMore_{resource.name}($ids: [ID!]!, $below: Int!, $belowAfter: String) {{\n"
            f"  nodes(ids: $ids) {{ ... on {below.type} {{ {_above(below, mapping)} }} }}\n}}")


def longer_document(resource: StoreResource, listed: Listed) -> str:
    """More of one nested list of things by id. Variables: ids, first, after."""
    call = listed.call("first: $first, after: $after")
    return (f"query Longer_{resource.name}($ids: [ID!]!, $first: Int!, $after: String) {{\n"
            f"  nodes(ids: $ids) {{ ... on {resource.type} {{ id {listed.alias}: {call} }} }}\n}}")


def find_document(mapping: Mapping, count: int) -> str:
    """Things by what names them for sure, each null where there is none. Variables: i0, i1, …"""
    resource = shape(mapping)
    also = f" {resource.make.also}" if resource.make and resource.make.also else ""
    variables = ", ".join(f"$i{n}: {resource.type}IdentifierInput!" for n in range(count))
    lines = "\n  ".join(f"f{n}: {resource.finds}(identifier: $i{n}) {{ ...Stored{also} }}" for n in range(count))
    return f"query Find_{resource.name}({variables}) {{\n  {lines}\n}}\n{fragment(mapping)}"


def newest_document(mapping: Mapping) -> str:
    """The newest things of a list, each with our key. Variables: first."""
    resource = shape(mapping)
    return (f"query Newest_{resource.name}($first: Int!) {{\n"
            f"  {resource.newest}(first: $first, sortKey: ID, reverse: true) {{\n"
            f'    nodes {{ ...Stored made: metafield(namespace: "{OUR_NAMESPACE}", key: "{OUR_KEY}") {{ value }} }}\n'
            f"  }}\n}}\n{fragment(mapping)}")


def siblings_document(mapping: Mapping) -> str:
    """The variants of one product with what tells them apart, in pages. Variables: id, first, after."""
    return ("query ReadSiblings($id: ID!, $first: Int!, $after: String) {\n  product(id: $id) {\n"
            "    options { name position }\n    variants(first: $first, after: $after) {\n"
            "      nodes { ...Stored selectedOptions { name value } }\n"
            f"      pageInfo {{ hasNextPage endCursor }}\n    }}\n  }}\n}}\n{fragment(mapping)}")


def fragment(mapping: Mapping, *, bare: bool = False) -> str:
    """`...Stored`: what a mutation's answer must show of each thing it wrote. `bare` for things that are known: nothing
    besides id and fields, for objects cost points."""
    return f"fragment Stored on {mapping.resource.type} {{ {selection(_own_paths(mapping, bare=bare))} }}"


def paths(mapping: Mapping, *, bare: bool = False) -> tuple[str, ...]:
    """Every path that is read for this mapping, each once, `id` first. `bare` leaves out what things are known by."""
    resource = shape(mapping)
    mapped = [rule.field.path for rule in mapping.fields if rule.field.path]
    written = [rule.field.write for rule in mapping.fields]
    parts = [path for whole in resource.together if any(w.startswith(f"{whole.write}.") for w in written)
             for _, path in whole.parts]
    known_by = () if bare else (*resource.needs, *title_paths(resource))
    return tuple(dict.fromkeys(("id", *known_by, *mapped, *parts)))


def upper_paths(mapping: Mapping) -> tuple[str, ...]:
    """What is read of the thing above, as that calls it, `id` first. For what hangs below something."""
    below = shape(mapping).below
    assert below is not None, f"{mapping.name} hangs below nothing"
    return tuple(dict.fromkeys(("id", *(path.removeprefix(f"{below.parent}.") for path in paths(mapping)
                                        if path.startswith(f"{below.parent}.")))))


def title_paths(resource: StoreResource) -> tuple[str, ...]:
    titled = resource.field(resource.title)
    return resource.titles or ((titled.path,) if titled else ())


def selection(wanted: Iterable[str]) -> str:
    """What stands between the braces to select these paths."""
    root = _Part()
    for path in wanted:
        root.add(path.split("."))
    return root.render()


def dig(thing: Any, steps: Iterable[str | int]) -> Any:
    """The raw value at a path of an answer: UNREAD where any step of it was not read, None where a step is null."""
    for step in steps:
        if type(thing) is dict:  # nearly always
            thing = thing.get(step, UNREAD)
        elif thing is None or thing is UNREAD:
            return thing
        elif isinstance(step, int):
            thing = thing[step] if step < len(thing) else None
        elif isinstance(thing, list):
            thing = next((part["quantity"] for part in thing if part and part["name"] == step), UNREAD)
        else:
            raise TypeError(f"{thing!r} has no {step!r}")
    return thing


def look(path: str) -> Callable[[dict[str, Any]], Any]:
    """A function that finds in an answered thing what stands at a path, as `canonical` takes it."""
    if path.startswith(VIEW):
        return view(path).value
    if EACH in path:
        return value_at(path)
    where: tuple[Any, ...] = steps(path)
    if path.startswith(METAFIELD):
        return lambda thing: raw_of(dig(thing, where))
    if len(where) == 1:
        (name,) = where
        return lambda thing: thing.get(name, UNREAD)
    if len(where) == 2:
        above, name = where

        def below(thing: dict[str, Any]) -> Any:
            part = thing.get(above, UNREAD)
            return part.get(name, UNREAD) if type(part) is dict else dig(part, (name,))
        return below
    return lambda thing: dig(thing, where)


def steps(path: str) -> tuple[str | int, ...]:
    """A path ready for `dig`."""
    if path.startswith(METAFIELD):
        return (metafield_alias(path),)
    return tuple(int(step) if step.isdigit() else step for step in path.split("."))


# --- how a selection is built -------------------------------------------------------------------


def metafield_alias(path: str) -> str:
    """What a metafield is called in our documents. Letters that a name cannot hold are told apart by their number."""
    _, namespace, key = path.split(".")
    return "m_" + re.sub(r"\W|_", lambda sign: "__" if sign[0] == "_" else f"_{ord(sign[0])}_", f"{namespace}.{key}")


def _connection(resource: StoreResource) -> str:
    arguments = f", {resource.arguments}" if resource.arguments else ""
    return f"{resource.connection}(first: $first, after: $after, query: $query{arguments})"


def _own_paths(mapping: Mapping, *, bare: bool = False) -> tuple[str, ...]:
    """What a thing tells of itself: an order line does not know its order."""
    below = shape(mapping).below
    if below is None or below.points_up:
        return paths(mapping, bare=bare)
    return tuple(path for path in paths(mapping, bare=bare) if not path.startswith(f"{below.parent}."))


def _above(below: Below, mapping: Mapping) -> str:
    """What is above once, and what hangs below it inside: cheaper than the one above again at each."""
    own = [path for path in paths(mapping) if not path.startswith(f"{below.parent}.")]
    arguments = f", {below.arguments}" if below.arguments else ""
    return (f"{selection(upper_paths(mapping))} {below.step}(first: $below, after: $belowAfter{arguments}) "
            f"{{ nodes {{ {selection(own)} }} pageInfo {{ hasNextPage endCursor }} }}")


@dataclass
class _Part:
    """One selected name with what is selected below it."""

    below: dict[str, _Part] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    first: int = 0
    leaf: str = ""

    def add(self, rest: list[str]) -> None:
        if rest and (rest[0].isdigit() or rest[0] == EACH):  # which element: `dig` asks, the document does not
            rest = rest[1:]
        if not rest:
            return
        if rest[0] == METAFIELD[:-1] and len(rest) == 3:
            called = f'metafield(namespace: "{rest[1]}", key: "{rest[2]}") {{ value type compareDigest }}'
            self.below[metafield_alias(".".join(rest))] = _Part(leaf=called)
            return
        if rest[0] == VIEW[:-1]:
            for alias, called in view(".".join(rest)).selected().items():
                self.below[alias] = _Part(leaf=called)
            return
        name, rest = rest[0], rest[1:]
        part = self.below.setdefault(name, _Part())
        if name == "quantities":
            part.names += [rest[0]] if rest[0] not in part.names else []
            rest = []
        elif rest[:2] == ["nodes", EACH]:
            part.first = max(part.first, LONGEST)
            part.below.setdefault("nodes", _Part())
            part.below.setdefault("pageInfo", _Part()).add(["hasNextPage"])
        elif rest[:1] == ["nodes"]:
            part.first = max(part.first, int(rest[1]) + 1)
        part.add(rest)

    def render(self) -> str:
        return " ".join(f"{name}: {part.leaf}" if part.leaf else name + part.arguments() + part.braces()
                        for name, part in self.below.items())

    def arguments(self) -> str:
        if self.names:
            return f"(names: [{', '.join(f'{chr(34)}{name}{chr(34)}' for name in self.names)}])"
        return f"(first: {self.first})" if self.first else ""

    def braces(self) -> str:
        if self.names:
            return " { name quantity }"
        return f" {{ {self.render()} }}" if self.below else ""

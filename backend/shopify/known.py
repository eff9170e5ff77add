"""What was seen of a store that a write needs besides its own change.

A stock change is addressed by item and location, a variant change by its product, a weight is sent together with
its unit, an address as a whole, a metafield with the digest of what it replaces, and a new variant names its options.
Rows hold only what is mapped, so this is kept beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from backend.core.model import Create, Delete, Mapping, Mark, Op, Update
from backend.core.values import UNREAD
from backend.shopify.documents import dig, look, steps
from backend.shopify.resource import METAFIELD, shape
from backend.shopify.views import shipments, source_of


@dataclass(frozen=True, slots=True)
class Level:
    """Where a stock level stands. Inactive: the item is not stocked there (any more); its quantities are kept."""

    item: str
    location: str
    active: bool


FEW = 1_000
"""Up to so many different wholes are looked for among those that come again and again."""


@dataclass(frozen=True, slots=True)
class Held:
    """One metafield as it was last seen: its text, and the digest under which it may be replaced. Both None where
    there is none."""

    value: str | None = None
    digest: str | None = None
    type: str = ""


@dataclass
class Known:
    """Grows while reading; one for a connector."""

    products: dict[str, str] = field(default_factory=dict)
    """By variant."""
    wholes: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    """By input (`shippingAddress`) and thing: its parts as they stand, by their name in the input."""
    metafields: dict[tuple[str, str], Held] = field(default_factory=dict)
    """By thing and field."""
    above: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By thing that cannot tell what it hangs below: what was selected of that."""
    levels: dict[str, Level] = field(default_factory=dict)
    options: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By product: the names of its options, in order."""
    born: dict[str, str] = field(default_factory=dict)
    """By product made through this connector: the single variant that Shopify gave it, while nobody has taken it."""
    born_values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By such a product: the option values of that variant, in order; none where the product has no options."""
    items: dict[str, str] = field(default_factory=dict)
    """By variant: its inventory item."""
    sources: dict[str, str | None] = field(default_factory=dict)
    """By collection: the source that holds what was chosen by hand; "" where conditions decide, None where it has no
    source at all."""
    shipments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By order: the fulfilments that stand, each `{id, status, trackingInfo}`."""
    names: dict[str, dict[str, str | None]] = field(default_factory=dict)
    """By directory (`names`) and name in small letters: ids, None for what names nothing."""
    hidden: set[str] = field(default_factory=set)
    """Of those, the variants that a new row is about to take: nobody may take them for news meanwhile."""

    def forget(self) -> None:
        """At the start of a run: options may have been added since, and a new product's variant has its own row."""
        self.options.clear()
        self.born.clear()
        self.born_values.clear()
        self.names.clear()
        self.hidden.clear()

    def seen(self, key: str) -> None:
        """A read has shown this thing: the single variant of a new product is no longer there for the taking, since
        whoever reads may plan a row for it."""
        for product in [product for product, variant in self.born.items() if variant == key]:
            del self.born[product]

    def not_taken(self) -> list[str]:
        """The variants that are hidden still, and their products: no new row took them, and no read has shown them."""
        return sorted({key for pair in self.born.items() if pair[1] in self.hidden for key in pair})

    def noter(self, mapping: Mapping) -> Callable[[dict[str, Any]], None]:
        """A function that keeps what one thing that was read tells."""
        resource = shape(mapping)
        writes = [rule.field.write for rule in mapping.fields]
        wholes = [(self.wholes.setdefault(whole.write, {}), [(name, look(path)) for name, path in whole.parts])
                  for whole in resource.together if any(write.startswith(f"{whole.write}.") for write in writes)]
        tracked = any(write.startswith("@tracking.") for write in writes)
        # A store has many variants of a product, and few weights: each is kept once.
        same_whole: dict[str, dict[str, Any]] = {}
        same_product: dict[str, str] = {}
        metafields = [(rule.name, steps(rule.field.path)) for rule in mapping.fields
                      if rule.name.startswith(METAFIELD)]

        views = {rule.field.path for rule in mapping.fields}

        def note(node: dict[str, Any]) -> None:
            key = node["id"]
            if views & {"views.members", "views.memberRefs"} and (source := source_of(node)) is not UNREAD:
                self.sources[key] = source
            if tracked and (standing := shipments(node)) is not UNREAD:
                self.shipments[key] = standing
            for held, parts in wholes:
                # What may not be seen is kept as UNREAD: such a whole must not be sent.
                whole = {name: find(node) for name, find in parts}
                told = repr(whole)
                held[key] = same_whole.get(told, whole)
                if len(same_whole) < FEW:
                    same_whole.setdefault(told, whole)
            for name, path in metafields:
                self.note_metafield(key, name, dig(node, path))
            if resource.writer == "variants":
                product = dig(node, ("product", "id"))
                if isinstance(product, str):
                    self.products[key] = same_product.setdefault(product, product)
            elif resource.writer == "stock":
                item, location, active = dig(node, ("item", "id")), dig(node, ("location", "id")), node.get("isActive")
                if isinstance(item, str) and isinstance(location, str) and active is not UNREAD:
                    self.levels[key] = Level(item, location, bool(active))

        return note

    def note_metafield(self, key: str, name: str, found: Any) -> None:
        if found is None:
            self.metafields[key, name] = Held()
        elif isinstance(found, dict):
            self.metafields[key, name] = Held(found["value"], found["compareDigest"], found["type"])
        else:  # not shown to us: nothing is known any more
            self.metafields.pop((key, name), None)

    def lacks(self, mapping: Mapping, ops: Iterable[Op]) -> list[str]:
        """The keys that must be read before these ops can be sent."""
        return [op.key for op in ops
                if not isinstance(op, Create) and isinstance(op.key, str) and not self._suffices(mapping, op)]

    def _suffices(self, mapping: Mapping, op: Update | Delete | Mark) -> bool:
        resource, key = shape(mapping), str(op.key)
        if (resource.writer == "variants" and key not in self.products) or (
                resource.writer == "stock" and key not in self.levels):
            return False
        written = [mapping.rule(name).field.write for name in op.values] if isinstance(op, Update) else []
        if {"@members", "@memberRefs"} & set(written) and key not in self.sources:
            return False
        return all((key, write) in self.metafields for write in written if write.startswith(METAFIELD)) and all(
            key in self.wholes.get(whole.write, {}) for whole in resource.together
            if any(write.startswith(f"{whole.write}.") for write in written))

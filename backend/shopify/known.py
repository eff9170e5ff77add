"""What was seen of a store that a write needs besides its own change.

A stock change is addressed by item and location, a variant change by its product, a weight is sent together with
its unit, and a new variant names its options. Rows hold only what is mapped, so this is kept beside them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from backend.core.model import Create, Mapping, Op
from backend.core.values import UNREAD
from backend.shopify.documents import WEIGHT, dig, steps

_VALUE, _UNIT = (steps(path) for path in WEIGHT)


@dataclass(frozen=True, slots=True)
class Level:
    """Where a stock level stands. Inactive: the item is not stocked there (any more); its quantities are kept."""

    item: str
    location: str
    active: bool


@dataclass
class Known:
    """Grows while reading; one for a connector."""

    products: dict[str, str] = field(default_factory=dict)
    """By variant."""
    weights: dict[str, tuple[float, str]] = field(default_factory=dict)
    """By variant: value and unit, where a mapping holds one of the two."""
    levels: dict[str, Level] = field(default_factory=dict)
    options: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By product: the names of its options, in order."""
    born: dict[str, str] = field(default_factory=dict)
    """By product made through this connector: the single variant that Shopify gave it, while nobody has taken it."""

    def forget(self) -> None:
        """At the start of a run: options may have been added since, and a new product's variant has its own row."""
        self.options.clear()
        self.born.clear()

    def note(self, mapping: Mapping, node: dict[str, Any]) -> None:
        """Keep what one thing that was read tells."""
        key = node["id"]
        if mapping.name == "variants":
            product = dig(node, ("product", "id"))
            if isinstance(product, str):
                self.products[key] = product
            value, unit = dig(node, _VALUE), dig(node, _UNIT)
            if isinstance(value, int | float) and isinstance(unit, str):
                self.weights[key] = (value, unit)
        elif mapping.name == "inventory":
            item, location, active = dig(node, ("item", "id")), dig(node, ("location", "id")), node.get("isActive")
            if isinstance(item, str) and isinstance(location, str) and active is not UNREAD:
                self.levels[key] = Level(item, location, bool(active))

    def lacks(self, mapping: Mapping, ops: Iterable[Op]) -> list[str]:
        """The keys that must be read before these ops can be sent."""
        if mapping.name not in ("variants", "inventory"):
            return []
        known = self.products.keys() if mapping.name == "variants" else self.levels.keys()
        return [op.key for op in ops
                if not isinstance(op, Create) and isinstance(op.key, str) and op.key not in known]

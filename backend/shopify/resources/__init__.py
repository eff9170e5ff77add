"""The resources of Shopify that we keep in tables, one data file each, in order of reference.

Every module in here is one: it holds `RESOURCE`. Nothing else has to be told of a new one.
"""

from importlib import import_module
from pkgutil import iter_modules

from backend.shopify.resource import StoreResource


def _in_order(found: dict[str, StoreResource]) -> dict[str, StoreResource]:
    """A resource stands after those it refers to: creating in this order always finds the referenced thing."""
    depths: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in depths:
            targets = {field.target for field in found[name].fields if field.target}
            depths[name] = 1 + max((depth(target) for target in targets), default=-1)
        return depths[name]

    return {name: found[name] for name in sorted(found, key=lambda name: (depth(name), name))}


RESOURCES: dict[str, StoreResource] = _in_order({
    one.name: one for one in (import_module(f"{__name__}.{module.name}").RESOURCE for module in iter_modules(__path__))
})

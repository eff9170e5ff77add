"""The resources of Shopify that we keep in tables, one data file each, in order of reference.

Every module in here is one: it holds `RESOURCE`. Nothing else has to be told of a new one.
"""

from importlib import import_module
from pkgutil import iter_modules

from backend.shopify.resource import StoreResource


def _in_order(found: dict[str, StoreResource]) -> dict[str, StoreResource]:
    """A resource stands after those it refers to: creating in this order always finds the referenced thing. Lists of
    references can go either way round: a mapping with one is put behind what it lists (`core.mapping.in_order`)."""
    ordered: dict[str, StoreResource] = {}

    def take(resource: StoreResource) -> None:
        for target in sorted({field.target for field in resource.fields if field.kind == "ref"}):
            if target not in ordered:
                take(found[target])
        ordered[resource.name] = resource

    for resource in sorted(found.values(), key=lambda one: (one.place, one.name)):
        if resource.name not in ordered:
            take(resource)
    return ordered


RESOURCES: dict[str, StoreResource] = _in_order({
    one.name: one for one in (import_module(f"{__name__}.{module.name}").RESOURCE for module in iter_modules(__path__))
})

"""The resources of Shopify that we keep in tables, one data file each, in order of reference."""

from backend.core.model import Resource
from backend.shopify.resources.inventory import INVENTORY
from backend.shopify.resources.locations import LOCATIONS
from backend.shopify.resources.products import PRODUCTS
from backend.shopify.resources.variants import VARIANTS

RESOURCES: dict[str, Resource] = {r.name: r for r in (PRODUCTS, VARIANTS, LOCATIONS, INVENTORY)}
"""A resource stands after those it refers to: creating in this order always finds the referenced thing."""

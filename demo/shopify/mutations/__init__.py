"""The mutations, a module a concern; importing them announces them."""
from . import collections, inventory, locations, metafields, options, product_set, products, tags, variants

__all__ = ["collections", "inventory", "locations", "metafields", "options", "product_set", "products", "tags", "variants"]

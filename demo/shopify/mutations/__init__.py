"""The mutations, a module a concern; importing them announces them."""
from . import inventory, locations, metafields, options, product_set, products, tags, variants

__all__ = ["inventory", "locations", "metafields", "options", "product_set", "products", "tags", "variants"]

"""The resolvers of everything that is read, a module a concern; importing them announces them."""
from . import collections, inventory, metafields, products, roots, shop

__all__ = ["collections", "inventory", "metafields", "products", "roots", "shop"]

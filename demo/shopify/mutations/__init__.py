"""The mutations, a module a concern; importing them announces them."""
from . import (
    collections,
    customer_addresses,
    customers,
    definitions,
    drafts,
    fulfilment,
    inventory,
    locations,
    metafields,
    options,
    orders,
    product_set,
    products,
    publishing,
    tags,
    variants,
)

__all__ = ["collections", "customer_addresses", "customers", "definitions", "drafts", "fulfilment", "inventory",
           "locations", "metafields", "options", "orders", "product_set", "products",
           "publishing", "tags", "variants"]

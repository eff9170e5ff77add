"""The mutations, a module a concern; importing them announces them."""
from . import (
    bulk,
    collections,
    customer_addresses,
    customers,
    definitions,
    drafts,
    fulfilment,
    fulfilment_orders,
    inventory,
    locations,
    metafields,
    options,
    orders,
    product_set,
    products,
    publications,
    tags,
    variants,
    webhooks,
)

__all__ = ["bulk", "collections", "customer_addresses", "customers", "definitions", "drafts", "fulfilment",
           "fulfilment_orders", "inventory", "locations", "metafields", "options", "orders", "product_set",
           "products", "publications", "tags", "variants", "webhooks"]

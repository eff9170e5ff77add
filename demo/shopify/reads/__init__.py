"""The resolvers of everything that is read, a module a concern; importing them announces them."""
from . import (
    collections,
    customers,
    drafts,
    events,
    fulfilment,
    inventory,
    metafields,
    orders,
    products,
    publishing,
    roots,
    shop,
)

__all__ = ["collections", "customers", "drafts", "events", "fulfilment", "inventory", "metafields", "orders",
           "products", "publishing", "roots", "shop"]

"""The resolvers of everything that is read, a module a concern; importing them announces them."""
from . import (
    bulk,
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
    webhooks,
)

__all__ = ["bulk", "collections", "customers", "drafts", "events", "fulfilment", "inventory", "metafields", "orders",
           "products", "publishing", "roots", "shop", "webhooks"]

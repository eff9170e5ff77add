"""The resolvers of everything that is read, a module a concern; importing them announces them."""
from . import (
    apps,
    bulk,
    collections,
    customers,
    drafts,
    events,
    fulfilment,
    inventory,
    metafields,
    order_editing,
    orders,
    products,
    publications,
    roots,
    shop,
    themes,
    webhooks,
)

__all__ = ["apps", "bulk", "collections", "customers", "drafts", "events", "fulfilment", "inventory", "metafields",
           "order_editing", "orders", "products", "publications", "roots", "shop", "themes", "webhooks"]

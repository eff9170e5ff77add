"""A database with one link, its mappings made, and rows of values in one line."""

from __future__ import annotations

from typing import Any

from backend.config import mapping_of, parse
from backend.core.model import Mapping
from backend.shopify.resources import RESOURCES
from backend.store import links
from backend.store.db import Database

YAML = """\
mappings:
  - {resource: products, fields: {title: Title, tags: Tags}}
  - {resource: variants, fields: {product: Product, sku: SKU, price: Price}}
"""
GID = "gid://shopify/ProductVariant/{}"


class Desk:
    """`products` and `variants` are the mappings as stored; each block of `write` is one transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.write, self.read = self.database.write, self.database.read
        with self.write() as tx:
            self.link_id = links.add(tx, "a.myshopify.com", "https://grist.example", "abc123", None)
            self.other_link_id = links.add(tx, "a.myshopify.com", "https://grist.example", "other123", None)
            links.set_mappings(tx, self.link_id, parse(YAML, RESOURCES).mappings)
            stored = {one.resource: one for one in links.mappings(tx, self.link_id)}
        self.products, self.variants = (self._mapping(stored[name]) for name in ("products", "variants"))

    @staticmethod
    def _mapping(stored: Any) -> Mapping:
        return mapping_of(stored.settings, RESOURCES, stored.id)

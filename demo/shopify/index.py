"""The search index: one document a thing, renewed after the lag that `Behaviour` sets (0 by default).

Reads by id and the answers of mutations never come from here; searches, counts and sorted lists do, which is
why a client may not read its own writes back by search.
"""
from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from . import sales_index
from .model import Collection, Item, Product, Thing, Variant
from .search import Field
from .smart import is_smart

if TYPE_CHECKING:
    from .state import Store

Document = dict[str, Any]
_KINDS: dict[type, str] = {Product: "product", Variant: "variant", Item: "item", Collection: "collection",
                          **sales_index.KINDS}
_DATES = {"created_at": Field("date"), "updated_at": Field("date")}
_STATUS = Field("enum", ("active", "archived", "draft", "unlisted"))

# The filters of each list [S]; "default" is what a bare word looks at.
FIELDS: dict[str, dict[str, Field]] = {
    "product": {**_DATES, "id": Field("id"), "title": Field("text"), "handle": Field("exact"),
                "vendor": Field("exact"), "product_type": Field("exact"), "status": _STATUS, "tag": Field("exact"),
                "tag_not": Field("exact"), "sku": Field("exact"), "barcode": Field("exact"),
                "variant_id": Field("id"), "variant_title": Field("text"), "price": Field("number"),
                "inventory_total": Field("number"), "tracks_inventory": Field("flag"),
                "gift_card": Field("flag"), "is_price_reduced": Field("flag"), "published_at": Field("date"),
                "published_status": Field("enum", ("published", "unpublished", "any", "visible", "online_store:hidden",
                                                   "online_store:visible")),
                "out_of_stock_somewhere": Field("flag"), "collection_id": Field("id"), "category_id": Field("exact")},
    "variant": {"id": Field("id"), "product_id": Field("id"), "product_ids": Field("id"), "sku": Field("exact"),
                "barcode": Field("exact"), "title": Field("text"), "vendor": Field("exact"),
                "product_type": Field("exact"), "product_status": _STATUS, "tag": Field("exact"),
                "tag_not": Field("exact"), "inventory_quantity": Field("number"), "taxable": Field("flag"),
                "updated_at": Field("date"), "managed": Field("flag"), "collection": Field("id"),
                "gift_card": Field("flag"), "option1": Field("exact"), "option2": Field("exact"),
                "option3": Field("exact"), "published_status": Field("enum", ("published", "unpublished", "any"))},
    "item": {**_DATES, "id": Field("id"), "sku": Field("exact")},
    "collection": {"id": Field("id"), "title": Field("text"), "handle": Field("exact"), "updated_at": Field("date"),
                   "collection_type": Field("enum", ("smart", "custom")), "product_id": Field("id"),
                   "published_status": Field("enum", ("published", "unpublished", "any"))},
    "location": {"id": Field("id"), "name": Field("text"), "active": Field("flag"), "legacy": Field("flag"),
                 "address1": Field("text"), "address2": Field("text"), "city": Field("text"),
                 "country": Field("exact"), "zip": Field("exact"), "province": Field("exact"),
                 "created_at": Field("date"), "inventory_item_id": Field("id"),
                 "pickup_in_store": Field("enum", ("enabled", "disabled"))},
    **sales_index.FIELDS,
    "level": _DATES | {"id": Field("id"), "inventory_item_id": Field("id"), "inventory_group_id": Field("id")},
}


class SearchIndex:
    """Documents by kind and number; `stale(thing)` starts the lag, `documents(kind)` are those known now."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._documents: dict[str, dict[int, Document]] = {kind: {} for kind in _KINDS.values()}
        self._due: dict[tuple[str, int], datetime] = {}

    def stale(self, thing: Thing) -> None:
        """The thing changed: its document is renewed once the lag has passed (counted from the first change)."""
        kind = _KINDS.get(type(thing))
        if kind is not None:
            lag = timedelta(seconds=self._store.behaviour.search_lag_seconds)
            self._due.setdefault((kind, thing.id), self._store.clock.exact() + lag)

    def forget(self, kind: str, number: int) -> None:
        self._documents[kind].pop(number, None)
        self._due.pop((kind, number), None)
        self._store.stream.gone(kind, number)

    def catch_up(self) -> None:
        """Know everything at once, as after a long wait."""
        self._renew(everything=True)

    def documents(self, kind: str) -> dict[int, Document]:
        self._renew()
        return self._documents[kind]

    def _renew(self, everything: bool = False) -> None:
        now = self._store.clock.exact()
        ready = [key for key, due in self._due.items() if everything or due <= now]
        tables = self._tables() if ready else {}
        for kind, number in ready:
            del self._due[kind, number]
            thing = tables[kind].get(number)
            if thing is None:
                self._documents[kind].pop(number, None)
            else:
                self._documents[kind][number] = document(self._store, thing)

    def _tables(self) -> dict[str, dict[int, Any]]:
        store = self._store
        return {"product": store.products, "variant": store.variants, "item": store.items,
                "collection": store.collections, **sales_index.tables(store)}


def document(store: Store, thing: Thing) -> Document:
    """What searches and sorted lists know of a thing."""
    if isinstance(thing, Product):
        return _product(store, thing)
    if isinstance(thing, Variant):
        return _variant(store, thing)
    if isinstance(thing, Item):
        return {"id": thing.id, "sku": thing.sku, "created_at": thing.created_at, "updated_at": thing.updated_at,
                "default": [thing.sku or ""]}
    if isinstance(thing, Collection):
        return {"id": thing.id, "title": thing.title, "handle": thing.handle, "updated_at": thing.updated_at,
                "collection_type": "smart" if is_smart(thing) else "custom", "product_id": list(thing.product_ids),
                "published_status": ["published", "any"], "default": [thing.title]}
    return sales_index.document(store, thing)


def _product(store: Store, product: Product) -> Document:
    items = [variant.inventory_item for variant in product.variant_list]
    skus = [item.sku for item in items if item.sku]
    barcodes = [variant.barcode for variant in product.variant_list if variant.barcode]
    published = "published" if product.published_at else "unpublished"
    return {
        "id": product.id, "title": product.title, "handle": product.handle, "vendor": product.vendor,
        "product_type": product.product_type, "status": product.status.lower(), "tag": list(product.tags),
        "sku": skus, "barcode": barcodes, "variant_id": [variant.id for variant in product.variant_list],
        "variant_title": [store.variant_title(variant) for variant in product.variant_list],
        "price": [float(variant.price) for variant in product.variant_list],
        "inventory_total": store.total_inventory(product), "tracks_inventory": any(item.tracked for item in items),
        "gift_card": product.is_gift_card,
        "is_price_reduced": any(variant.compare_at_price is not None and variant.compare_at_price > variant.price
                                for variant in product.variant_list),
        "out_of_stock_somewhere": any(level.is_active and level.quantity("available") <= 0 for item in items
                                      if item.tracked for level in item.levels.values()),
        "created_at": product.created_at, "updated_at": product.updated_at, "published_at": product.published_at,
        "published_status": [published, "any"],
        "collection_id": [each.id for each in store.collections_of(product)],
        "category_id": product.category,
        "metafields": {f"{m.namespace}.{m.key}": m.value for m in store.metafields.values()
                       if m.owner == product.gid} if store.metafields else {},
        "default": [product.title, product.vendor, product.product_type, *product.tags, *skus, *barcodes,
                    product.handle],
    }


def _variant(store: Store, variant: Variant) -> Document:
    product, title = variant.product, store.variant_title(variant)
    names = [value.name for _, value in store.option_values_of(variant)]
    return {
        "id": variant.id, "product_id": product.id, "product_ids": product.id, "sku": variant.inventory_item.sku,
        "barcode": variant.barcode, "title": title, "full_title": f"{product.title} - {title}",
        "vendor": product.vendor, "product_type": product.product_type, "product_status": product.status.lower(),
        "tag": list(product.tags), "inventory_quantity": store.available(variant), "taxable": variant.taxable,
        "updated_at": variant.updated_at, "managed": variant.inventory_item.tracked,
        "position": product.variant_list.index(variant) + 1 if variant in product.variant_list else 0,
        "policy": variant.inventory_policy, "gift_card": product.is_gift_card,
        "collection": [each.id for each in store.collections_of(product)],
        "published_status": ["published" if product.published_at else "unpublished", "any"],
        **{f"option{number}": name for number, name in enumerate(names, 1)},
        "default": [product.title, title, variant.inventory_item.sku or "", variant.barcode or "", product.vendor],
    }

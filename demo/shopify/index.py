"""The search index: one document a thing, renewed after the lag that `Behaviour` sets (0 by default).

Reads by id and the answers of mutations never come from here; searches, counts and sorted lists do, which is
why a client may not read its own writes back by search.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
    "definition": {"id": Field("id"), "key": Field("exact"), "namespace": Field("exact"), "type": Field("exact"),
                   "owner_type": Field("exact")},
    "segment": {"id": Field("id"), "name": Field("text")},
    **sales_index.FIELDS,
    "level": _DATES | {"id": Field("id"), "inventory_item_id": Field("id"), "inventory_group_id": Field("id")},
}


Read = Callable[["Store", Any], Any]


class View(Mapping[str, Any]):
    """A document that is looked up in its thing, field by field, when somebody asks: nothing is kept."""

    __slots__ = ("_store", "_thing", "_whole")

    def __init__(self, store: Store, thing: Thing) -> None:
        self._store, self._thing = store, thing
        self._whole: Document | None = None

    def get(self, name: str, default: Any = None) -> Any:
        reads = _READS.get(type(self._thing))
        if reads is not None:
            read = reads.get(name)
            return default if read is None else read(self._store, self._thing)
        if self._whole is None:
            self._whole = sales_index.document(self._store, self._thing)
        return self._whole.get(name, default)

    def __getitem__(self, name: str) -> Any:
        return self.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(document(self._store, self._thing))

    def __len__(self) -> int:
        return len(document(self._store, self._thing))


class SearchIndex:
    """What searches, sorted lists and counts know; `stale(thing)` says that it changed.

    Without a lag they look at the things themselves. With one, documents by kind and number stand for them, each
    renewed once the lag has passed since the first change.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._documents: dict[str, dict[int, Document]] = {kind: {} for kind in _KINDS.values()}
        self._due: dict[tuple[str, int], datetime] = {}
        self._lagging = store.behaviour.search_lag_seconds > 0
        self.versions: dict[str, int] = dict.fromkeys(_KINDS.values(), 0)  # by kind: moves with every change
        self.orders: dict[Any, Any] = {}  # lists in their order, for the next page of the same
        store.behaviour.when_lag_changes(self._lag_changed)

    def stale(self, thing: Thing) -> None:
        """The thing changed: its document is renewed once the lag has passed (counted from the first change)."""
        kind = _KINDS.get(type(thing))
        if kind is None:
            return
        self.versions[kind] += 1
        if self._lagging:
            lag = timedelta(seconds=self._store.behaviour.search_lag_seconds)
            self._due.setdefault((kind, thing.id), self._store.clock.exact() + lag)

    def forget(self, kind: str, number: int) -> None:
        self.versions[kind] += 1
        self._documents[kind].pop(number, None)
        self._due.pop((kind, number), None)
        self._store.stream.gone(kind, number)

    def catch_up(self) -> None:
        """Know everything at once, as after a long wait."""
        self._renew(everything=True)

    def documents(self, kind: str) -> Mapping[int, Mapping[str, Any]]:
        """Of each thing that lists know of by now."""
        if not self._lagging:
            store = self._store
            return _Live(store, self._tables()[kind])
        self._renew()
        return self._documents[kind]

    def _lag_changed(self) -> None:
        """From now on with a lag or without: with one, everything is known as it stands at this moment."""
        lagging = self._store.behaviour.search_lag_seconds > 0
        if lagging and not self._lagging:
            for kind, table in self._tables().items():
                self._documents[kind] = {number: document(self._store, thing) for number, thing in table.items()}
        self._lagging = lagging
        self._due.clear()
        for kind in self.versions:
            self.versions[kind] += 1

    def _renew(self, everything: bool = False) -> None:
        now = self._store.clock.exact()
        ready = [key for key, due in self._due.items() if everything or due <= now]
        tables = self._tables() if ready else {}
        for kind, number in ready:
            del self._due[kind, number]
            self.versions[kind] += 1
            thing = tables[kind].get(number)
            if thing is None:
                self._documents[kind].pop(number, None)
            else:
                self._documents[kind][number] = document(self._store, thing)

    def _tables(self) -> dict[str, dict[int, Any]]:
        store = self._store
        return {"product": store.products, "variant": store.variants, "item": store.items,
                "collection": store.collections, **sales_index.tables(store)}


class _Live(Mapping[int, View]):
    """The documents of a table as it stands."""

    def __init__(self, store: Store, table: Mapping[int, Any]) -> None:
        self._store, self._table = store, table

    def __getitem__(self, number: int) -> View:
        return View(self._store, self._table[number])

    def __iter__(self) -> Iterator[int]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


def document(store: Store, thing: Thing) -> Document:
    """What searches and sorted lists know of a thing."""
    reads = _READS.get(type(thing))
    if reads is None:
        return sales_index.document(store, thing)
    return {name: read(store, thing) for name, read in reads.items()}


def _skus(product: Product) -> list[str]:
    return [variant.inventory_item.sku for variant in product.variant_list if variant.inventory_item.sku]


def _barcodes(product: Product) -> list[str]:
    return [variant.barcode for variant in product.variant_list if variant.barcode]


def _option(number: int) -> Read:
    def read(store: Store, variant: Variant) -> str | None:
        names = [value.name for _, value in store.option_values_of(variant)]
        return names[number - 1] if number <= len(names) else None
    return read


def _place(store: Store, variant: Variant) -> int:
    held = variant.product.variant_list
    return held.index(variant) + 1 if variant in held else 0


_PRODUCT: dict[str, Read] = {
    "id": lambda store, product: product.id, "title": lambda store, product: product.title,
    "handle": lambda store, product: product.handle, "vendor": lambda store, product: product.vendor,
    "product_type": lambda store, product: product.product_type,
    "status": lambda store, product: product.status.lower(), "tag": lambda store, product: list(product.tags),
    "sku": lambda store, product: _skus(product), "barcode": lambda store, product: _barcodes(product),
    "variant_id": lambda store, product: [variant.id for variant in product.variant_list],
    "variant_title": lambda store, product: [store.variant_title(variant) for variant in product.variant_list],
    "price": lambda store, product: [float(variant.price) for variant in product.variant_list],
    "inventory_total": lambda store, product: store.total_inventory(product),
    "tracks_inventory": lambda store, product: any(each.inventory_item.tracked for each in product.variant_list),
    "gift_card": lambda store, product: product.is_gift_card,
    "is_price_reduced": lambda store, product: any(
        each.compare_at_price is not None and each.compare_at_price > each.price for each in product.variant_list),
    "out_of_stock_somewhere": lambda store, product: any(
        level.is_active and level.quantity("available") <= 0 for each in product.variant_list
        if each.inventory_item.tracked for level in each.inventory_item.levels.values()),
    "created_at": lambda store, product: product.created_at, "updated_at": lambda store, product: product.updated_at,
    "published_at": lambda store, product: product.published_at,
    "published_status": lambda store, product: ["published" if product.published_at else "unpublished", "any"],
    "collection_id": lambda store, product: [each.id for each in store.collections_of(product)],
    "category_id": lambda store, product: product.category,
    "metafields": lambda store, product: {f"{each.namespace}.{each.key}": each.value
                                          for each in store.metafields.of(product.gid)},
    "default": lambda store, product: [product.title, product.vendor, product.product_type, *product.tags,
                                       *_skus(product), *_barcodes(product), product.handle],
}
_VARIANT: dict[str, Read] = {
    "id": lambda store, variant: variant.id, "product_id": lambda store, variant: variant.product.id,
    "product_ids": lambda store, variant: variant.product.id, "sku": lambda store, variant: variant.inventory_item.sku,
    "barcode": lambda store, variant: variant.barcode, "title": lambda store, variant: store.variant_title(variant),
    "full_title": lambda store, variant: f"{variant.product.title} - {store.variant_title(variant)}",
    "vendor": lambda store, variant: variant.product.vendor,
    "product_type": lambda store, variant: variant.product.product_type,
    "product_status": lambda store, variant: variant.product.status.lower(),
    "tag": lambda store, variant: list(variant.product.tags),
    "inventory_quantity": lambda store, variant: store.available(variant),
    "taxable": lambda store, variant: variant.taxable, "updated_at": lambda store, variant: variant.updated_at,
    "managed": lambda store, variant: variant.inventory_item.tracked, "position": _place,
    "policy": lambda store, variant: variant.inventory_policy,
    "gift_card": lambda store, variant: variant.product.is_gift_card,
    "collection": lambda store, variant: [each.id for each in store.collections_of(variant.product)],
    "published_status": lambda store, variant: ["published" if variant.product.published_at else "unpublished", "any"],
    "option1": _option(1), "option2": _option(2), "option3": _option(3),
    "metafields": lambda store, variant: {f"{each.namespace}.{each.key}": each.value
                                          for each in store.metafields.of(variant.gid)},
    "default": lambda store, variant: [variant.product.title, store.variant_title(variant),
                                       variant.inventory_item.sku or "", variant.barcode or "",
                                       variant.product.vendor],
}
_ITEM: dict[str, Read] = {
    "id": lambda store, item: item.id, "sku": lambda store, item: item.sku,
    "created_at": lambda store, item: item.created_at, "updated_at": lambda store, item: item.updated_at,
    "default": lambda store, item: [item.sku or ""],
}
_COLLECTION: dict[str, Read] = {
    "id": lambda store, each: each.id, "title": lambda store, each: each.title,
    "handle": lambda store, each: each.handle, "updated_at": lambda store, each: each.updated_at,
    "collection_type": lambda store, each: "smart" if is_smart(each) else "custom",
    "product_id": lambda store, each: list(each.product_ids),
    "published_status": lambda store, each: ["published", "any"], "default": lambda store, each: [each.title],
}
_READS: dict[type, dict[str, Read]] = {Product: _PRODUCT, Variant: _VARIANT, Item: _ITEM, Collection: _COLLECTION}

"""What a member of staff does in Shopify's admin, past the API and its rules for clients."""
from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from .model import Level, Location, Product, Variant
from .mutations.inputs import clean_tags
from .state import Store


class BadEdit(ValueError):
    """What was asked makes no sense; the message says why."""


def edit(store: Store, given: dict[str, Any]) -> dict[str, Any]:
    """Do one edit; answers what the thing looks like afterwards.

    `{"product": {"handle"|"id"|"title"}, "set": {title, status, tags, …}}` or
    `{"variant": {"sku"|"id"}, "set": {price, compare_at_price, sku, available, …, "location": name}}`;
    with `"delete": true` instead of `set` the thing goes. Raises BadEdit or LookupError.
    """
    with store.lock:
        if "product" in given:
            product = product_named(store, given["product"])
            if given.get("delete"):
                store.remove_product(product)
            else:
                _edit_product(store, product, dict(given.get("set") or {}))
            return {"id": product.gid, "title": product.title, "handle": product.handle}
        if "variant" in given:
            variant = variant_named(store, given["variant"])
            if given.get("delete"):
                store.remove_variant(variant)
            else:
                _edit_variant(store, variant, dict(given.get("set") or {}))
            return {"id": variant.gid, "sku": variant.inventory_item.sku, "price": str(variant.price)}
    raise BadEdit("Say which: {\"product\": {\"handle\": …}} or {\"variant\": {\"sku\": …}}, and what to \"set\".")


def _edit_product(store: Store, product: Product, changes: dict[str, Any]) -> None:
    plain = {"title", "description_html", "vendor", "product_type", "template_suffix"}
    for name, value in changes.items():
        if name in plain:
            if name == "title" and not str(value).strip():
                raise BadEdit("A product needs a title.")
            setattr(product, name, value)
        elif name == "status":
            if value not in ("ACTIVE", "ARCHIVED", "DRAFT", "UNLISTED"):
                raise BadEdit(f"{value!r} is no status of a product.")
            product.status = value
        elif name == "tags":
            product.tags = clean_tags(value)
        elif name == "handle":
            store.set_handle(product, value)
        else:
            raise BadEdit(f"Staff cannot set {name!r} of a product here.")
    store.touch(product)
    for variant in product.variant_list:
        store.index.stale(variant)


def _edit_variant(store: Store, variant: Variant, changes: dict[str, Any]) -> None:
    place = changes.pop("location", None)
    item = variant.inventory_item
    for name, value in changes.items():
        if name in ("price", "compare_at_price"):
            setattr(variant, name, None if value in (None, "") and name != "price" else _money(value))
        elif name in ("barcode", "inventory_policy", "taxable"):
            setattr(variant, name, value)
        elif name in ("sku", "tracked", "requires_shipping", "harmonized_system_code"):
            setattr(item, name, value)
        elif name == "cost":
            item.cost = None if value in (None, "") else _money(value)
        elif name in ("available", "damaged", "incoming", "reserved", "on_hand"):
            level = _level(store, variant, place)
            store.change_quantity(level, "available" if name == "on_hand" else name,
                                  _whole(value) - level.quantity(name))
        else:
            raise BadEdit(f"Staff cannot set {name!r} of a variant here.")
    if set(changes) - {"available", "damaged", "incoming", "reserved", "on_hand"}:
        store.touch(variant, item, variant.product)


def _money(value: Any) -> Decimal:
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        raise BadEdit(f"{value!r} is no amount of money.") from None
    if not amount.is_finite() or amount < 0:
        raise BadEdit(f"{value!r} is no amount of money.")
    return amount.quantize(Decimal("0.01"))


def _whole(value: Any) -> int:
    try:
        return int(str(value).strip())
    except ValueError:
        raise BadEdit(f"{value!r} is no whole number.") from None


def _level(store: Store, variant: Variant, place: str | None) -> Level:
    location = location_named(store, place) if place else store.default_location()
    return store.stock_at(variant.inventory_item, location)


def location_named(store: Store, place: str) -> Location:
    for location in store.locations.values():
        if place in (location.name, location.gid, str(location.id)):
            return location
    raise LookupError(f"The store has no location {place!r}.")


def product_named(store: Store, named: dict[str, Any]) -> Product:
    if named.get("id"):
        return store.find(Product, named["id"])
    for product in store.products.values():
        if named.get("handle") in (product.handle,) or (named.get("title") and named["title"] == product.title):
            return product
    raise LookupError(f"The store has no product {named}.")


def variant_named(store: Store, named: dict[str, Any]) -> Variant:
    if named.get("id"):
        return store.find(Variant, named["id"])
    found = store.variants_by_sku(named.get("sku") or "")
    if not found:
        raise LookupError(f"The store has no variant {named}.")
    return found[0]

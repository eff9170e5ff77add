"""What happens in a shop by itself or at its owner's hand: orders arrive, prices are cut, products are renamed and go.

For the page's buttons and for tests; each answers what it did, in a sentence for the page.
"""
from __future__ import annotations

import random
from decimal import Decimal
from typing import TYPE_CHECKING

from . import trade
from .trade import Transaction

if TYPE_CHECKING:
    from .model import Product
    from .state import Store


def happening_order(store: Store, seed: int | None = None) -> str:
    """An order of one to three things arrives, paid; its stock is taken at once."""
    chance = random.Random(seed) if seed is not None else random.Random()
    with store.lock:
        sellable = [each for each in store.variants.values() if each.product.status == "ACTIVE"
                    and any(level.is_active for level in each.inventory_item.levels.values())]
        if not sellable:
            return "There is nothing to order."
        customers = list(store.customers.values())
        buyer = chance.choice(customers) if customers else None
        order = trade.add_order(store, customer=buyer, email=buyer.email if buyer else None, source_name="web")
        for variant in chance.sample(sellable, min(len(sellable), chance.randrange(1, 4))):
            quantity = chance.randrange(1, 3)
            order.lines.append(trade.line_of_variant(store, variant, quantity))
            if variant.inventory_item.tracked:
                store.sell(variant.id, quantity)
        if buyer is not None and buyer.default is not None:
            order.shipping_parts = order.billing_parts = dict(buyer.default.parts)
        trade.route(store, order)
        order.transactions.append(Transaction(id=store.new_id(), transaction_kind="SALE", status="SUCCESS",
                                              gateway="shopify_payments", amount=order.total(),
                                              created_at=store.now()))
        store.touch(order)
        named = ", ".join(f"{line.quantity} × {line.title}" for line in order.lines)
        return f"Order {order.name} arrived: {named}."


def price_war(store: Store, share: float = 0.3) -> str:
    """Many prices change at once: the cheapest way to fill a queue."""
    chance = random.Random()
    with store.lock:
        chosen = [each for each in store.variants.values() if chance.random() < share] or list(store.variants.values())
        for variant in chosen:
            factor = Decimal(chance.randrange(85, 116)) / 100
            variant.price = max(Decimal("0.01"), store.money(variant.price * factor))
        store.touch(*chosen)
        store.touch(*{variant.product for variant in chosen})
        return f"{len(chosen)} prices changed."


_BEFORE = ("New", "Finest", "Everyday", "Autumn", "Northern")


def rename(store: Store, product: Product | None = None) -> str:
    """A product gets another title; its handle stays."""
    with store.lock:
        product = product or _any(store)
        if product is None:
            return "There is no product to rename."
        old = product.title
        words = old.split(" ", 1)
        rest = words[1] if words[0] in _BEFORE and len(words) > 1 else old.lower()
        product.title = f"{random.choice([word for word in _BEFORE if word != words[0]])} {rest}"
        store.touch(product)
        return f"“{old}” is called “{product.title}” now."


def delete(store: Store, product: Product | None = None) -> str:
    with store.lock:
        product = product or _any(store)
        if product is None:
            return "There is no product to delete."
        store.remove_product(product)
        return f"“{product.title}” is deleted, with its variants and stock."


def _any(store: Store) -> Product | None:
    ids = store.products.ids()
    return store.products[random.choice(ids)] if ids else None



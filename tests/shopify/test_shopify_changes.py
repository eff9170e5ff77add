"""What changed in a store since the last look: told for one request, completely, and once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from shopify_helpers import counted, mapping_of, update, write

from backend.core.model import Mapping
from backend.shopify.changes import KEPT, _known
from backend.shopify.connector import ShopifyConnector
from backend.shopify.resources import RESOURCES
from backend.usual import Audits

EVERYTHING = [mapping_of(name) for name in RESOURCES]
DAYS = 86_400


class Watching:
    """A store, and somebody who looks at it again and again."""

    def __init__(self, at: Any, mappings: list[Mapping], audits: Audits | None = None) -> None:
        self.at, self.store, self.door, self.mappings = at, at.store, at.door, mappings
        at.connector._audits = audits or Audits(stock_seconds=0, others_seconds=0)
        self.connector: ShopifyConnector = at.connector
        self.checkpoint: dict[str, Any] | None = None
        self.look()

    def look(self) -> Any:
        found = self.connector.changed(self.mappings, self.checkpoint)
        self.checkpoint = found.checkpoint
        return found

    def settle(self, seconds: float = 600.0) -> None:
        """Time passes, and nothing happens any more."""
        self.wait(seconds)
        self.look()
        self.wait(seconds)

    def wait(self, seconds: float) -> None:
        self.door("clock", advance_seconds=seconds)

    def news(self) -> dict[str, set[Any]]:
        keys: dict[str, set[Any]] = self.look().keys
        return {name: found for name, found in keys.items() if found}


@pytest.fixture
def watch(start: Callable[..., Any]) -> Callable[..., Watching]:
    def begin(*names: str, audits: Audits | None = None, **store: Any) -> Watching:
        return Watching(start(**store), [mapping_of(name) for name in names] or EVERYTHING, audits)

    return begin


def first(things: Any) -> Any:
    return next(iter(things.values()))


def test_a_look_at_everything_that_is_mapped_is_one_request_while_nothing_happens(watch: Any) -> None:
    shop = watch(products=20, orders=20)
    shop.settle(DAYS)
    before = counted(shop.at)
    found = shop.look()
    after = counted(shop.at)
    assert (found.why, found.audit) == ("same", frozenset())
    assert found.keys == {name: set() for name in RESOURCES}
    assert after["requests"] - before["requests"] == 1
    assert after["points"] - before["points"] < 100


def test_the_first_look_asks_for_everything_and_says_so(watch: Any) -> None:
    at = watch(products=2).at
    found = at.connector.changed(EVERYTHING, None)
    assert (found.keys, found.why, found.audit) == (None, "first", frozenset())
    assert at.connector.changed(EVERYTHING, {"form": 0, "at": 3})[::2] == (None, "first")


def test_a_look_before_prepare_spares_prepare_its_request(watch: Any) -> None:
    shop = watch(products=2)
    shop.look()
    before = shop.connector.usage.requests
    shop.connector.prepare([mapping_of("products")], {}, write=True)
    assert shop.connector.usage.requests == before
    shop.connector.prepare([mapping_of("products")], {}, write=True)
    assert shop.connector.usage.requests == before + 1


@pytest.mark.parametrize(("resource", "edit"), [
    ("products", lambda store: store.touch(first(store.products))),
    ("variants", lambda store: store.touch(first(store.variants))),
    ("collections", lambda store: store.touch(first(store.collections))),
    ("customers", lambda store: store.touch(first(store.customers))),
    ("orders", lambda store: store.touch(first(store.orders))),
    ("draft_orders", lambda store: store.touch(first(store.drafts))),
    ("locations", lambda store: store.touch(first(store.locations))),
])
def test_a_touched_thing_is_told_once(watch: Any, resource: str, edit: Callable[[Any], None]) -> None:
    shop = watch(resource, products=6, orders=8)
    shop.settle()
    things = {"products": "products", "variants": "variants", "collections": "collections", "customers": "customers",
              "orders": "orders", "draft_orders": "drafts", "locations": "locations"}[resource]
    thing = first(getattr(shop.store, things))
    with shop.store.lock:
        edit(shop.store)
    assert shop.news() == {resource: {thing.gid}}
    shop.wait(10)
    shop.look()
    shop.wait(10)
    assert shop.look().keys == {resource: set()}


def test_two_changes_within_one_second_are_both_told(watch: Any) -> None:
    shop = watch("products", products=3)
    shop.settle()
    shop.door("clock", freeze=True)
    product = first(shop.store.products)
    shop.door("edit", product={"id": product.gid}, set={"title": "One"})
    assert shop.news() == {"products": {product.gid}}
    shop.door("edit", product={"id": product.gid}, set={"title": "Two"})  # carries the same time stamp
    assert shop.news() == {"products": {product.gid}}


def test_things_of_one_second_are_all_told_over_several_pages(watch: Any) -> None:
    shop = watch("products", products=600, orders=0)
    shop.settle()
    shop.door("clock", freeze=True)
    with shop.store.lock:
        shop.store.touch(*shop.store.products.values())
    assert shop.news()["products"] == {product.gid for product in shop.store.products.values()}


def test_what_the_search_learns_late_is_told_late_and_not_lost(watch: Any) -> None:
    shop = watch("products", products=3)
    shop.settle()
    shop.door("behaviour", search_lag_seconds=90)
    product = first(shop.store.products)
    shop.door("edit", product={"id": product.gid}, set={"title": "Late"})
    told = []
    for _ in range(12):
        told.append(shop.news().get("products", set()))
        shop.wait(20)
    assert told[0] == set()
    assert {product.gid} in told
    assert told[-1] == set()


def test_a_change_of_an_inventory_item_is_one_of_its_variant(watch: Any) -> None:
    shop = watch("variants", products=6)
    shop.settle()
    variant = first(shop.store.variants)
    with shop.store.lock:
        shop.store.touch(variant.inventory_item)
    assert shop.news() == {"variants": {variant.gid}}


def test_lines_are_told_below_their_order_and_know_it_afterwards(watch: Any) -> None:
    shop = watch("order_lines", products=6, orders=8)
    shop.settle()
    order = next(order for order in shop.store.orders.values() if order.lines)
    with shop.store.lock:
        shop.store.touch(order)
    assert shop.news() == {"order_lines": {line.gid for line in order.lines}}
    mapping = shop.mappings[0]
    fresh = shop.connector.read(mapping, {line.gid for line in order.lines})
    assert {mapping.values(row)["order"] for row in fresh.rows.values()} == {order.gid}


def test_stock_of_a_small_store_is_looked_at_in_every_poll(watch: Any) -> None:
    shop = watch("inventory", products=6)
    shop.door("behaviour", stock_touches_product=False)
    shop.settle()
    item = next(item for item in shop.store.items.values() if item.tracked and item.levels)
    before = counted(shop.at)
    shop.door("sell", sku=item.sku)
    assert shop.news() == {"inventory": {level.gid for level in item.levels.values()}}
    assert counted(shop.at)["requests"] - before["requests"] == 1
    assert shop.news() == {}


def test_stock_of_a_large_store_is_found_by_its_product_or_by_an_audit(watch: Any) -> None:
    shop = watch("inventory", products=300, orders=0, audits=Audits(stock_seconds=900, others_seconds=0))
    shop.settle(400)
    item = next(item for item in shop.store.items.values() if item.tracked and item.levels)
    levels = {level.gid for level in item.levels.values()}
    shop.look()
    shop.door("behaviour", stock_touches_product=True)
    shop.door("sell", sku=item.sku)
    assert levels <= shop.news()["inventory"]
    shop.door("behaviour", stock_touches_product=False)
    shop.wait(60)
    shop.look()
    shop.door("sell", sku=item.sku)
    found = shop.look()
    assert (found.keys, found.audit) == ({"inventory": set()}, frozenset())
    shop.wait(900)
    assert shop.look().audit == {"inventory"}
    assert shop.look().audit == frozenset()


def test_with_webhooks_stock_is_audited_as_seldom_as_the_rest(watch: Any) -> None:
    shop = watch("inventory", "products", products=300, orders=0, audits=Audits(webhooks=True))
    shop.wait(3600)
    assert shop.look().audit == frozenset()
    shop.wait(DAYS)
    assert shop.look().audit == {"inventory", "products"}


@pytest.mark.parametrize("thing", ["product", "variant"])
def test_what_was_deleted_is_told_by_the_events(watch: Any, thing: str) -> None:
    shop = watch("products", "variants", products=6, orders=0)
    shop.settle()
    product = next(product for product in shop.store.products.values() if len(product.variant_list) > 1)
    gone = product if thing == "product" else product.variant_list[0]
    shop.door("edit", **{thing: {"id": gone.gid}, "delete": True})
    assert gone.gid in shop.news()[f"{thing}s"]
    shop.wait(10)
    assert shop.news().get(f"{thing}s", set()) <= {product.gid}


def test_a_location_that_is_not_there_any_more_is_told(watch: Any) -> None:
    shop = watch("locations", products=1, orders=0)
    shop.settle()
    gone = list(shop.store.locations.values())[-1]
    with shop.store.lock:
        del shop.store.locations[gone.id]
    assert shop.news() == {"locations": {gone.gid}}


def test_other_scopes_ask_for_everything(watch: Any) -> None:
    shop = watch("products", products=1)
    shop.settle()
    shop.door("access", scopes=["read_products"])
    assert shop.look()[::2] == (None, "store")
    assert shop.look().why != "store"


def test_a_mapping_that_asks_for_more_is_read_whole_and_the_others_are_not(watch: Any) -> None:
    shop = watch("products", "variants", products=1)
    shop.settle()
    shop.mappings = [mapping_of("products", "title"), mapping_of("variants"), mapping_of("collections")]
    assert shop.look().audit == {"products", "collections"}
    assert shop.look().audit == frozenset()


def test_what_may_not_be_read_is_not_told_of_and_stops_nothing(watch: Any) -> None:
    shop = watch("products", "customers", "orders", products=3)
    shop.door("access", scopes=["read_products"])
    shop.settle()
    product = first(shop.store.products)
    shop.door("edit", product={"id": product.gid}, set={"title": "Seen"})
    assert shop.look().keys == {"products": {product.gid}}


def test_more_changes_than_are_worth_reading_by_id_ask_for_the_whole(watch: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("backend.shopify.changes.MANY_PAGES", 1)
    shop = watch("products", "variants", products=300, orders=0)
    shop.settle()
    with shop.store.lock:
        shop.store.touch(*shop.store.products.values())
    assert shop.look().audit == {"products"}


def test_customers_are_read_backwards_up_to_the_last_look(watch: Any, monkeypatch: Any) -> None:
    """Their filter means whole days: thousands of today's must not be paged through again and again."""
    monkeypatch.setattr("backend.shopify.watched.PAGE", 10)
    shop = watch("customers", products=10, orders=60)
    shop.settle()
    with shop.store.lock:
        shop.store.touch(*shop.store.customers.values())
    assert len(shop.store.customers) > 20
    assert shop.news() == {"customers": {customer.gid for customer in shop.store.customers.values()}}
    shop.settle(900)
    one = first(shop.store.customers)
    with shop.store.lock:
        shop.store.touch(one)
    before = counted(shop.at)["requests"]
    assert shop.news() == {"customers": {one.gid}}
    assert counted(shop.at)["requests"] == before + 1


def test_own_writes_are_told_and_read_as_what_they_are(watch: Any) -> None:
    shop = watch("products", products=2)
    shop.settle()
    product = first(shop.store.products)
    write(shop.connector, shop.mappings[0], update(product.gid, title=(product.title, "Ours")))
    assert shop.news() == {"products": {product.gid}}


def test_a_checkpoint_is_plain_json_and_bounded(watch: Any) -> None:
    import orjson

    shop = watch(products=3)
    assert orjson.loads(orjson.dumps(shop.checkpoint)) == shop.checkpoint
    moment = "2026-11-23T10:00:00Z"
    stamps = {f"Product/{n}": moment for n in range(KEPT + 10)}
    assert len(_known(stamps, 2_000_000_000.0)) == KEPT
    assert _known({"Product/1": moment}, 1_795_428_000.0) == {}


def test_an_answer_without_a_date_is_no_beginning(watch: Any, monkeypatch: Any) -> None:
    at = watch(products=1).at
    monkeypatch.setattr("backend.shopify.answers._date", lambda headers: None)
    found = at.connector.changed(EVERYTHING, None)
    assert (found.keys, found.checkpoint) == (None, {})
    assert at.connector.changed(EVERYTHING, {})[::2] == (None, "first")

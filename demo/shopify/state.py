"""The store: what is in it, its ids and clock, and the few changes that everything else is made of.

Whoever reads or changes it holds `store.lock`; a GraphQL request holds it from its first to its last field,
so each request sees and leaves a whole state.
"""
from __future__ import annotations

import gc
import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from . import handles, publishing, versions
from .access import expanded
from .background import Background
from .behaviour import Behaviour
from .bulk.operations import Bulks, finish_payload
from .clock import Clock
from .cost import Bucket
from .happenings import Stream
from .ids import kind_of, number_of, query_of
from .index import SearchIndex
from .model import (
    AdjustmentGroup,
    App,
    Collection,
    Item,
    Level,
    Location,
    Metafield,
    MetafieldDefinition,
    Operation,
    Option,
    OptionValue,
    Product,
    Shop,
    Thing,
    Variant,
)
from .publishing import Publication
from .tables import MetafieldTable, Table
from .webhooks.delivery import Webhooks

if TYPE_CHECKING:
    from .metaobjects import Definition, Metaobject
    from .people import Customer
    from .segments import Segment
    from .trade import DraftOrder, Edit, Order

_FIRST_ID = 7_200_000_000_001
ALL_SCOPES = ("write_products", "write_inventory", "write_locations", "write_orders", "write_draft_orders",
              "write_customers", "read_all_orders", "write_publications",
              "write_merchant_managed_fulfillment_orders", "write_assigned_fulfillment_orders",
              "write_third_party_fulfillment_orders", "write_fulfillments", "write_customer_merge", "read_returns",
              "read_content", "write_payment_terms", "write_metaobjects",
              "write_metaobject_definitions", "write_order_edits",
              "read_draft_order_checkout_configurations")
Found = TypeVar("Found", bound=Thing)


def sales_makers(store: Store) -> dict[str, Callable[[], Iterator[Thing]]]:
    """What hangs on orders, by kind."""
    orders = store.orders
    return {"FulfillmentOrder": lambda: (each for order in orders.values() for each in order.fulfillment_orders),
            "Fulfillment": lambda: (each for order in orders.values() for each in order.fulfillments),
            "LineItem": lambda: (each for order in orders.values() for each in order.lines),
            "OrderTransaction": lambda: (each for order in orders.values() for each in order.transactions),
            "Refund": lambda: (each for order in orders.values() for each in order.refunds),
            "DraftOrderLineItem": lambda: (each for draft in store.drafts.values() for each in draft.lines)}


_MANY = 5_000  # products; a process holds one such catalogue and keeps it


@contextmanager
def _no_collecting(*, keeps: bool) -> Iterator[None]:
    """Make many objects without looking for rubbish; those of a big catalogue are never looked through again, for
    that would stop requests for seconds.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        if keeps:
            gc.freeze()
    finally:
        if enabled:
            gc.enable()


class Store:
    """A shop in memory, filled by the catalogue generator.

    `products` and `orders` are how many to generate (0: none), `seed` makes the same catalogue again, `plan` decides
    the rate limit: standard, advanced, plus, or unlimited. `odd` adds what few shops have, such as a product with
    2,000 variants (by itself from 1,000 products on).
    """

    def __init__(self, products: int = 60, seed: int = 1, clock: Clock | None = None, *, orders: int = 0,
                 plan: str = "standard", currency: str = "USD", odd: bool | None = None,
                 behaviour: Behaviour | None = None, scopes: Iterable[str] = ALL_SCOPES) -> None:
        self.lock = threading.RLock()
        self.clock = clock or Clock()
        self.behaviour = behaviour or Behaviour()
        self.bucket = Bucket.of_plan(plan, self.clock.monotonic)
        self.scopes = tuple(scopes)
        self._granted: tuple[tuple[str, ...], frozenset[str]] = ((), frozenset())
        self.shop = Shop(id=_FIRST_ID - 1, name="Fieldhouse Goods", domain="fieldhouse.myshopify.com", plan=plan,
                         currency_code=currency)
        self.app_id, self.installation_id = 198_435_001, 198_435_002
        self.app = App()
        self._next_id = _FIRST_ID
        self.products: Table[Product] = Table()
        self.variants: Table[Variant] = Table()
        self.items: Table[Item] = Table()
        self.locations: dict[int, Location] = {}
        self.collections: Table[Collection] = Table()
        self.publications: dict[int, Publication] = {}
        self.adjustment_groups: dict[int, AdjustmentGroup] = {}
        self.operations: dict[int, Operation] = {}
        self.metafields = MetafieldTable()
        self.definitions: dict[tuple[str, str, str], MetafieldDefinition] = {}
        self.taxonomy: dict[str, dict[str, Any]] = {}
        self.idempotency: dict[str, tuple[datetime, str, dict[str, Any], bool]] = {}
        self.product_handles: dict[str, int] = {}
        self.collection_handles: dict[str, int] = {}
        self.stream = Stream(self)
        self.background = Background()
        self.bulks = Bulks(self)
        self.webhooks = Webhooks(self)
        self.background.chores += [self.bulks.slice, self.webhooks.work]
        self.stream.listeners.append(self.webhooks.happened)
        self.bulks.finished.append(lambda each: self.webhooks.tell("bulk_operations/finish", finish_payload(each)))
        self.protected_data = True  # whether the app may see names, addresses, phones and e-mails of customers
        self.jobs: set[str] = set()
        self.routes_to: int | None = None  # the location that the shop's rules send orders from; None: the oldest
        self.customers: Table[Customer] = Table()
        self.orders: Table[Order] = Table()
        self.drafts: Table[DraftOrder] = Table()
        self.edits: dict[int, Edit] = {}
        self.segments: dict[int, Segment] = {}
        self.metaobject_definitions: dict[int, Definition] = {}
        self.metaobjects: dict[int, Metaobject] = {}
        self.index = SearchIndex(self)
        self.revision = 0  # counts changes: the page's ETag
        for name in publishing.NAMES:
            made = Publication(id=self.new_id(), name=name, auto_publish=name == "Online Store")
            self.publications[made.id] = made
        from .catalogue import fill  # the catalogue is written with the store's own methods
        with _no_collecting(keeps=products >= _MANY):  # nothing is thrown away while a catalogue is made
            fill(self, products, seed, orders, odd=products >= 1000 if odd is None else odd)
        for table in (self.products, self.variants, self.items, self.collections, self.customers, self.orders,
                      self.drafts):
            for thing in table.values():
                self.stream.known(thing)
        self.stream.quiet = False

    # --- ids, time, look-ups ------------------------------------------------------------------------

    def new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def reserve_id(self, number: int) -> None:
        """Make sure that no generated id meets this one."""
        self._next_id = max(self._next_id, number)

    def granted(self) -> frozenset[str]:
        """The scopes of the token, with those that they imply."""
        if self._granted[0] is not self.scopes:
            self._granted = (self.scopes, frozenset(expanded(self.scopes)))
        return self._granted[1]

    def set_scopes(self, scopes: Iterable[str]) -> None:
        self.scopes = tuple(scopes)

    def webhook_version(self) -> str:
        """The API version of webhook payloads."""
        return self.behaviour.webhook_version or versions.newest(self.now())

    def now(self) -> datetime:
        return self.clock.now()

    def thing(self, global_id: str) -> Any | None:
        """Whatever has this global id, or None."""
        kind = kind_of(global_id)
        if kind == "InventoryLevel":
            return self.level_of(global_id)
        table = self.table(kind)
        number = number_of(global_id, kind)
        return None if table is None or number is None else table.get(number)

    def table(self, kind: str) -> dict[int, Any] | None:
        """The things of a kind by number, None for kinds that the store does not keep."""
        tables: dict[str, dict[int, Any]] = {
            "Product": self.products, "ProductVariant": self.variants, "InventoryItem": self.items,
            "Location": self.locations, "Publication": self.publications, "Collection": self.collections,
            "Customer": self.customers, "Order": self.orders, "DraftOrder": self.drafts,
            "InventoryAdjustmentGroup": self.adjustment_groups, "ProductDeleteOperation": self.operations,
            "ProductSetOperation": self.operations, "CalculatedOrder": self.edits,
            "Segment": self.segments, "Metaobject": self.metaobjects,
            "MetaobjectDefinition": self.metaobject_definitions}
        if kind == "BulkOperation":
            self.bulks.look()
            return dict(self.bulks.held)
        if kind == "WebhookSubscription":
            return self.webhooks.held
        if kind in tables:
            return tables[kind]
        makers: dict[str, Callable[[], Iterator[Thing]]] = {
            "ProductOption": lambda: (o for p in self.products.values() for o in p.option_list),
            "ProductOptionValue": lambda: (v for p in self.products.values() for o in p.option_list
                                           for v in o.option_values),
            **sales_makers(self), "Metafield": lambda: iter(self.metafields.values()),
            "MetafieldDefinition": lambda: iter(self.definitions.values()),
            "Shop": lambda: iter([self.shop])}
        return {thing.id: thing for thing in makers[kind]()} if kind in makers else None

    def level_of(self, global_id: str) -> Level | None:
        """The level by its two-part id, active or not."""
        number, item_number = number_of(global_id, "InventoryLevel"), query_of(global_id).get("inventory_item_id", "")
        item = self.items.get(int(item_number)) if item_number.isdigit() else None
        if item is None or number is None:
            return None
        return next((level for level in item.levels.values() if level.location.level_number == number), None)

    def levels(self) -> Iterator[Level]:
        for item in self.items.values():
            yield from item.levels.values()

    def variants_by_sku(self, sku: str) -> list[Variant]:
        return [variant for variant in self.variants.values() if variant.inventory_item.sku == sku]

    def default_location(self) -> Location:
        """Where new items are stocked: the oldest active one."""
        return min((location for location in self.locations.values() if location.is_active), key=lambda each: each.id)

    def online_location(self) -> Location:
        """Where online orders are sent from: the first by name among those that do."""
        if self.routes_to in self.locations:
            return self.locations[self.routes_to]
        able = [each for each in self.locations.values() if each.is_active and each.fulfills_online_orders]
        return self.default_location() if not able else min(able, key=lambda each: each.id)

    # --- making things --------------------------------------------------------------------------------

    def add_location(self, name: str, *, id: int | None = None, level_number: int | None = None,
                     **values: Any) -> Location:
        now = self.now()
        location = Location(id=id or self.new_id(), name=name, level_number=level_number or self.new_id(),
                            created_at=now, updated_at=now, **values)
        self.locations[location.id] = location
        self.stream.note("create", "Location", location.id, location)
        self.changed()
        return location

    def add_product(self, title: str, *, id: int | None = None, handle: str | None = None, **values: Any) -> Product:
        """A product without options and variants yet; the handle comes from the title when none is given."""
        now = self.now()
        product = Product(id=id or self.new_id(), title=title, handle=handle or self.free_handle(title),
                          created_at=now, updated_at=now, **values)
        self.products[product.id] = product
        self.product_handles[product.handle] = product.id
        self.touch(product)
        return product

    def free_handle(self, text: str, taken: dict[str, int] | None = None, *, fallback: str = "product") -> str:
        return handles.free(handles.from_text(text) or fallback, self.product_handles if taken is None else taken)

    def set_handle(self, product: Product, handle: str) -> None:
        self.product_handles.pop(product.handle, None)
        product.handle = handle
        self.product_handles[handle] = product.id

    def add_option(self, product: Product, name: str, values: Iterable[str] = (), *, id: int | None = None,
                   position: int | None = None) -> Option:
        option = Option(id=id or self.new_id(), name=name)
        at = len(product.option_list) if position is None else max(0, min(position - 1, len(product.option_list)))
        product.option_list.insert(at, option)
        for value in values:
            self.option_value(option, value)
        return option

    def option_value(self, option: Option, name: str) -> OptionValue:
        """The option's value of this name, added when it is new."""
        found = next((value for value in option.option_values if value.name == name), None)
        if found is None:
            found = OptionValue(id=self.new_id(), name=name)
            option.option_values.append(found)
        return found

    def add_variant(self, product: Product, chosen: dict[int, int], *, id: int | None = None,
                    item_id: int | None = None, stocked: bool = True) -> Variant:
        """A variant with Shopify's defaults, its item stocked with 0 at the first location."""
        now = self.now()
        item = Item(id=item_id or self.new_id(), created_at=now, updated_at=now)
        variant = Variant(id=id or self.new_id(), product=product, inventory_item=item, created_at=now,
                          updated_at=now, chosen=chosen)
        item.variant = variant
        self.items[item.id] = item
        self.variants[variant.id] = variant
        product.variant_list.append(variant)
        if stocked and self.locations:
            self.stock_at(item, self.default_location())
        self.index.stale(variant)
        self.index.stale(item)
        self.touch(product)
        return variant

    def add_default_variant(self, product: Product, **ids: Any) -> Variant:
        """What a product without options has: option Title with the value Default Title."""
        option = self.add_option(product, "Title", ["Default Title"])
        return self.add_variant(product, {option.id: option.option_values[0].id}, **ids)

    def stock_at(self, item: Item, location: Location) -> Level:
        """The item's level at the location, made when it is missing."""
        level = item.levels.get(location.id)
        if level is None:
            now = self.now()
            level = Level(id=self.new_id(), item=item, location=location, created_at=now, updated_at=now,
                          quantity_dates={"available": now})
            item.levels[location.id] = level
            self.stream.note("create", "InventoryLevel", level.id, level)
        return level

    def activate(self, level: Level) -> None:
        """Stock the item there again; the quantities are those of before."""
        if not level.is_active:
            level.is_active, level.updated_at = True, self.now()
            self.stream.note("create", "InventoryLevel", level.id, level)

    def deactivate(self, level: Level) -> None:
        if level.is_active:
            level.is_active, level.updated_at = False, self.now()
            self.stream.note("destroy", "InventoryLevel", level.id, None, parting={
                "inventory_item_id": level.item.id, "location_id": level.location.id})

    def remove_variant(self, variant: Variant) -> None:
        variant.product.variant_list.remove(variant)
        self.variants.pop(variant.id, None)
        self.items.pop(variant.inventory_item.id, None)
        self.drop_metafields(variant.gid)
        self.index.forget("variant", variant.id)
        self.index.forget("item", variant.inventory_item.id)
        self.touch(variant.product)

    def remove_product(self, product: Product) -> None:
        for variant in list(product.variant_list):
            self.remove_variant(variant)
        for collection in self.collections.values():
            if product.id in collection.product_ids:
                collection.product_ids.remove(product.id)
        self.products.pop(product.id, None)
        self.product_handles.pop(product.handle, None)
        self.drop_metafields(product.gid)
        self.index.forget("product", product.id)
        self.changed()

    def drop_metafields(self, owner: str) -> None:
        for key in self.metafields.keys_of(owner):
            del self.metafields[key]

    # --- changing things ------------------------------------------------------------------------------

    def touch(self, *things: Thing) -> None:
        """Note that these changed just now: their updatedAt moves and searches learn of it after the lag."""
        now = self.now()
        for thing in things:
            thing.updated_at = now  # type: ignore[attr-defined]
            self.index.stale(thing)
            self.stream.touched(thing)
        self.changed()

    def changed(self) -> None:
        self.revision += 1

    def add_collection(self, title: str, handle: str, *, id: int | None = None, **values: Any) -> Collection:
        collection = Collection(id=id or self.new_id(), title=title, handle=handle, updated_at=self.now(), **values)
        self.collections[collection.id] = collection
        self.collection_handles[handle] = collection.id
        self.touch(collection)
        return collection

    def remove_collection(self, collection: Collection) -> None:
        self.collections.pop(collection.id, None)
        self.collection_handles.pop(collection.handle, None)
        self.drop_metafields(collection.gid)
        self.index.forget("collection", collection.id)
        self.changed()

    def remove_location(self, location: Location) -> None:
        for item in self.items.values():
            item.levels.pop(location.id, None)
        self.locations.pop(location.id, None)
        self.stream.note("destroy", "Location", location.id, None)
        self.drop_metafields(location.gid)
        self.changed()

    def change_quantity(self, level: Level, name: str, delta: int) -> None:
        """Move one stored quantity (every name but on_hand, which is a sum) and the dates that go with it."""
        now = self.now()
        level.stock[name] = level.stock.get(name, 0) + delta
        level.updated_at = now
        level.quantity_dates[name] = now
        self.stock_changed(level)

    def stock_changed(self, level: Level) -> None:
        variant, switch = level.item.variant, self.behaviour
        self.stream.note("update", "InventoryLevel", level.id, level)
        for wanted, thing in ((switch.stock_touches_product, variant.product), (switch.stock_touches_variant, variant),
                              (switch.stock_touches_item, level.item)):
            if wanted:
                self.touch(thing)
        self.index.stale(variant.product)
        self.index.stale(variant)
        self.changed()

    def sell(self, variant_id: int | str, quantity: int = 1, location_id: int | str | None = None) -> Level:
        """What an order does at once: moves stock from available to committed.

        Ids are numbers or global ids. Raises LookupError when the variant or its stock there is unknown.
        """
        with self.lock:
            variant = self.find(Variant, variant_id)
            levels = [level for level in variant.inventory_item.levels.values() if level.is_active]
            if location_id is not None:
                location = self.find(Location, location_id)
                levels = [level for level in levels if level.location is location]
            if not levels:
                raise LookupError(f"Variant {variant_id} is not stocked at location {location_id}.")
            level = max(levels, key=lambda each: each.quantity("available"))
            self.change_quantity(level, "available", -quantity)
            self.change_quantity(level, "committed", quantity)
            return level

    def find(self, kind: type[Found], id: int | str) -> Found:
        """The thing by number or global id; LookupError when there is none."""
        number = number_of(id, kind.kind) if isinstance(id, str) and not id.isdigit() else int(id)
        found = (self.table(kind.kind) or {}).get(number) if number is not None else None
        if found is None:
            raise LookupError(f"The store has no {kind.kind} {id}.")
        return found  # type: ignore[no-any-return]

    # --- facts about things ---------------------------------------------------------------------------

    def available(self, variant: Variant) -> int:
        """Over all active levels at active locations."""
        return sum(level.quantity("available") for level in variant.inventory_item.levels.values()
                   if level.is_active and level.location.is_active)

    def total_inventory(self, product: Product) -> int:
        return sum(self.available(variant) for variant in product.variant_list if variant.inventory_item.tracked)

    def option_values_of(self, variant: Variant) -> list[tuple[Option, OptionValue]]:
        pairs = []
        for option in variant.product.option_list:
            value = next((each for each in option.option_values if each.id == variant.chosen.get(option.id)), None)
            if value is not None:
                pairs.append((option, value))
        return pairs

    def variant_title(self, variant: Variant) -> str:
        return " / ".join(value.name for _, value in self.option_values_of(variant)) or "Default Title"

    def is_default_variant(self, variant: Variant) -> bool:
        return [(option.name, value.name) for option, value in self.option_values_of(variant)] == [
            ("Title", "Default Title")]

    def collections_of(self, product: Product) -> list[Collection]:
        from .smart import holds  # smart collections read products, which live here
        return [collection for collection in self.collections.values() if holds(self, collection, product)]

    def digest(self, metafield: Metafield) -> str:
        """The compareDigest: opaque, changes with what is stored."""
        text = f"{metafield.id}|{metafield.type}|{metafield.value}"
        return hashlib.sha256(text.encode()).hexdigest()

    def money(self, amount: Decimal) -> Decimal:
        return amount.quantize(Decimal(1) if self.shop.currency_code == "JPY" else Decimal("0.01"))

    def settle_operations(self) -> None:
        """Finish the product operations whose time has come."""
        for operation in self.operations.values():
            if operation.status != "COMPLETE" and self.clock.exact() >= operation.due:
                product = self.products.get(operation.product_id or 0)
                if operation.type_name == "ProductDeleteOperation" and product is not None:
                    operation.deleted_product_id = product.gid
                    self.remove_product(product)
                operation.status = "COMPLETE"
            elif operation.status == "CREATED":
                operation.status = "ACTIVE"

    def start_operation(self, type_name: str, product: Product | None, *, seconds: float | None = None) -> Operation:
        wait = self.behaviour.product_operation_seconds if seconds is None else seconds
        operation = Operation(type_name=type_name, id=self.new_id(),
                              due=self.clock.exact() + timedelta(seconds=wait),
                              product_id=product.id if product else None)
        self.operations[operation.id] = operation
        return operation

    def adopt(self, answer: Any) -> None:
        """Take over what a recorded answer shows: its ids, and the fields that are there (for replays)."""
        from .adopt import adopt
        with self.lock:
            adopt(self, answer)

"""What the store holds. Field names are Shopify's, in snake case: a resolver that is not written looks them up."""
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from .ids import gid

QUANTITY_NAMES = ("available", "on_hand", "committed", "incoming", "reserved", "damaged", "safety_stock",
                  "quality_control")
# on_hand is what stands in the building: the sum of these.
ON_HAND_PARTS = ("available", "committed", "reserved", "damaged", "safety_stock", "quality_control")
# What metafields call the kinds of their owners.
OWNER_TYPES = {"Product": "PRODUCT", "ProductVariant": "PRODUCTVARIANT", "Collection": "COLLECTION",
               "Location": "LOCATION", "Shop": "SHOP", "Customer": "CUSTOMER", "Order": "ORDER",
               "DraftOrder": "DRAFTORDER"}


class Thing:
    """Anything with a global id."""

    __slots__ = ()

    kind: ClassVar[str]
    id: int

    @property
    def gid(self) -> str:
        return gid(self.kind, self.id)


@dataclass(eq=False, slots=True)
class OptionValue(Thing):
    kind: ClassVar[str] = "ProductOptionValue"
    id: int
    name: str


@dataclass(eq=False)
class Option(Thing):
    kind: ClassVar[str] = "ProductOption"
    id: int
    name: str
    option_values: list[OptionValue] = field(default_factory=list)


@dataclass(eq=False)
class Location(Thing):
    kind: ClassVar[str] = "Location"
    id: int
    name: str
    level_number: int  # the n of gid://shopify/InventoryLevel/n, the same for all levels of a location
    created_at: datetime
    updated_at: datetime
    address: dict[str, Any] = field(default_factory=dict)
    is_active: bool = True
    fulfills_online_orders: bool = True
    address_verified: bool = False
    deactivated_at: datetime | None = None
    service: dict[str, Any] | None = None  # the fulfilment service that it belongs to


@dataclass(eq=False, slots=True)
class Level(Thing):
    """The stock of one item at one location."""

    kind: ClassVar[str] = "InventoryLevel"
    id: int  # seen in cursors only; the global id is made of the location's number and the item's
    item: Item
    location: Location
    created_at: datetime
    updated_at: datetime
    stock: dict[str, int] = field(default_factory=dict)  # every name but on_hand, which is a sum
    is_active: bool = True
    quantity_dates: dict[str, datetime] = field(default_factory=dict)  # of each name that ever moved; never on_hand

    @property
    def gid(self) -> str:
        return f"{gid('InventoryLevel', self.location.level_number)}?inventory_item_id={self.item.id}"

    def quantity(self, name: str) -> int:
        if name == "on_hand":
            return sum(self.stock.get(part, 0) for part in ON_HAND_PARTS)
        return self.stock.get(name, 0)


@dataclass(eq=False, slots=True)
class Item(Thing):
    kind: ClassVar[str] = "InventoryItem"
    id: int
    created_at: datetime
    updated_at: datetime
    sku: str | None = None
    tracked: bool = False
    requires_shipping: bool = True
    cost: Decimal | None = None
    weight_value: float = 0
    weight_unit: str = "KILOGRAMS"
    country_code_of_origin: str | None = None
    province_code_of_origin: str | None = None
    harmonized_system_code: str | None = None
    country_codes: list[dict[str, str]] = field(default_factory=list)
    levels: dict[int, Level] = field(default_factory=dict)  # by location id
    variant: Variant = None  # type: ignore[assignment]  # set as soon as the variant is made


@dataclass(eq=False, slots=True)
class Variant(Thing):
    kind: ClassVar[str] = "ProductVariant"
    id: int
    product: Product
    inventory_item: Item
    created_at: datetime
    updated_at: datetime
    chosen: dict[int, int] = field(default_factory=dict)  # option id -> option value id
    price: Decimal = Decimal("0.00")
    compare_at_price: Decimal | None = None
    barcode: str | None = None
    inventory_policy: str = "DENY"
    taxable: bool = True
    tax_code: str | None = None
    show_unit_price: bool = False
    unit_price_measurement: dict[str, Any] | None = None
    requires_components: bool = False


@dataclass(eq=False)
class Product(Thing):
    kind: ClassVar[str] = "Product"
    id: int
    title: str
    handle: str
    created_at: datetime
    updated_at: datetime
    description_html: str = ""
    vendor: str = ""
    product_type: str = ""
    status: str = "ACTIVE"
    tags: list[str] = field(default_factory=list)
    seo: dict[str, str | None] = field(default_factory=lambda: {"title": None, "description": None})
    template_suffix: str | None = None
    gift_card_template_suffix: str | None = None
    is_gift_card: bool = False
    requires_selling_plan: bool = False
    combined_listing_role: str | None = None
    category: str | None = None  # a TaxonomyCategory's gid
    published_at: datetime | None = None  # on the online store
    published_on: dict[int, datetime] = field(default_factory=dict)  # on the others, by publication
    option_list: list[Option] = field(default_factory=list)
    variant_list: list[Variant] = field(default_factory=list)
    image_url: str | None = None
    image_pending: int = 0  # how often it is still told as being worked on

    def option_named(self, name: str) -> Option | None:
        return next((option for option in self.option_list if option.name == name), None)


@dataclass(eq=False)
class Collection(Thing):
    kind: ClassVar[str] = "Collection"
    id: int
    title: str
    handle: str
    updated_at: datetime
    description_html: str = ""
    sort_order: str = "BEST_SELLING"
    template_suffix: str | None = None
    seo: dict[str, str | None] = field(default_factory=lambda: {"title": None, "description": None})
    rule_set: dict[str, Any] | None = None
    product_ids: list[int] = field(default_factory=list)  # chosen by hand
    members_adopted: bool = False  # a smart one's members are those of a recording, not those its rules find
    image: dict[str, Any] | None = None
    published_on: dict[int, datetime] = field(default_factory=dict)
    sources: list[CollectionSource] = field(default_factory=list)  # besides what rules and chosen products are


@dataclass(eq=False)
class CollectionSource(Thing):
    """One of the sources that a collection is made of (2026-07 and later): chosen products, conditions, or both.

    The first source of a collection stands for its own `product_ids` and `rule_set`, so `main` has no lists itself.
    A condition is `{"id", "kind": "productTag", "relation", "values" or "value", "matchType"}`.
    """

    kind: ClassVar[str] = "CollectionConditionsSource"
    id: int
    title: str
    description: str | None = None
    target_type: str = "PRODUCTS"
    match_type: str = "ALL"
    conditions: list[dict[str, Any]] = field(default_factory=list)
    product_ids: list[int] = field(default_factory=list)
    variant_ids: dict[int, list[str]] = field(default_factory=dict)  # chosen variants by product id; absent: all
    excluded_ids: list[int] = field(default_factory=list)


@dataclass(eq=False)
class Metafield(Thing):
    kind: ClassVar[str] = "Metafield"
    id: int
    owner: str  # the owner's gid
    namespace: str
    key: str
    type: str
    value: str
    created_at: datetime
    updated_at: datetime


@dataclass(eq=False)
class MetafieldDefinition(Thing):
    kind: ClassVar[str] = "MetafieldDefinition"
    id: int
    owner_type: str
    namespace: str
    key: str
    name: str
    type_name: str
    description: str | None = None
    validations: list[dict[str, str]] = field(default_factory=list)
    pinned_position: int | None = None
    unique_values: bool = False
    storefront: str = "NONE"  # what the online store may see of it
    standard_template: dict[str, Any] | None = None  # that of Shopify's own which it was made from
    constraint_key: str | None = None  # it applies to things of these values only: products of some categories
    constraint_values: list[str] = field(default_factory=list)


@dataclass
class AdjustmentGroup(Thing):
    kind: ClassVar[str] = "InventoryAdjustmentGroup"
    id: int
    created_at: datetime
    reason: str
    reference_document_uri: str | None
    rows: list[dict[str, Any]]


@dataclass
class Operation(Thing):
    """A product operation that runs beside the requests; done as soon as it is looked at after `due`."""

    kind: ClassVar[str]
    type_name: str
    id: int
    due: datetime
    status: str = "CREATED"
    product_id: int | None = None
    deleted_product_id: str | None = None
    user_errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def gid(self) -> str:
        return gid(self.type_name, self.id)


@dataclass
class App:
    """The app that the tokens belong to."""

    title: str = "Grist Sync"
    handle: str = "grist-sync"
    api_key: str = "demo-client-id"
    developer: str = "Fieldhouse Goods"
    requested: list[dict[str, str]] | None = None  # scopes that its settings ask for; None: those that it has


@dataclass
class Shop(Thing):
    kind: ClassVar[str] = "Shop"
    id: int
    name: str
    domain: str
    currency_code: str = "USD"
    iana_timezone: str = "Europe/Oslo"
    email: str = "hello@fieldhouse.example"
    country: str = "NO"
    plan: str = "standard"
    state: str = "open"  # or frozen (402), forbidden (403), gone (404), locked (423), refused (430)

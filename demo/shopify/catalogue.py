"""A believable shop: Fieldhouse Goods of Oslo, made again from the same seed.

The first products are those that the pictures of the widget show; after them come variations on two dozen kinds of
goods. Odd cases are strewn in: no SKU, titles in other scripts, HTML, untracked items, drafts and archived products,
and beyond 100 products one SKU that two variants share.
"""
from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from . import catalogue_odd, catalogue_sales
from .model import Collection, MetafieldDefinition, Product, Variant

if TYPE_CHECKING:
    from .state import Store

Options = Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True)
class _Kind:
    """A kind of goods: what it is called, what it costs, which options it has."""

    name: str
    prefix: str
    type: str
    price: str
    grams: int
    options: Options
    tags: tuple[str, ...]
    taxonomy: str | None = None


@dataclass(frozen=True)
class _First:
    """A product that the pictures show, exactly."""

    title: str
    prefix: str
    type: str
    price: str
    grams: int
    stock: int
    options: Options = field(default=())
    skus: tuple[str, ...] = ()
    compare_at: str | None = None
    tags: tuple[str, ...] = ()


_SIZES = ("S", "M", "L")
_FIRST = (
    _First("Linen shirt", "LIN", "Shirts", "42.00", 210, 12, (("Size", _SIZES),), ("LIN-S", "LIN-M", "LIN-L"), "59.00",
           ("linen", "summer")),
    _First("Wool scarf", "WOO", "Scarves", "35.00", 180, 24, skus=("WOO-1",), tags=("winter", "wool")),
    _First("Canvas tote", "CAN", "Bags", "28.00", 340, 40, skus=("CAN-1",), tags=("canvas",)),
    _First("Felt hat", "FEL", "Hats", "64.00", 150, 9, skus=("FEL-9",), tags=("felt", "winter")),
    _First("Rain hat", "RAI", "Hats", "38.00", 120, 17, skus=("RAI-1",), tags=("rain",)),
)
_KINDS = (
    _Kind("linen shirt", "LSH", "Shirts", "44.00", 210, (("Size", _SIZES),), ("linen", "summer"), "aa-1"),
    _Kind("wool scarf", "WSC", "Scarves", "36.00", 180, (("Color", ("Moss", "Ash")),), ("winter", "wool"), "aa-2"),
    _Kind("canvas tote", "TOT", "Bags", "28.00", 340, (), ("canvas",), "lb"),
    _Kind("felt hat", "HAT", "Hats", "62.00", 150, (("Size", ("55", "57", "59")),), ("felt", "winter"), "aa-2"),
    _Kind("stoneware mug", "MUG", "Kitchen", "19.50", 390, (("Glaze", ("Salt", "Rust")),), ("kitchen",), "hg"),
    _Kind("waxed jacket", "WAX", "Jackets", "189.00", 1250, (("Size", ("S", "M", "L", "XL")),), ("outdoor",), "aa-1"),
    _Kind("wool socks", "SOC", "Socks", "16.00", 90, (("Size", ("36-40", "41-45")),), ("wool",), "aa-1"),
    _Kind("field notebook", "NOT", "Stationery", "12.00", 160, (), ("paper", "gift"), "hg"),
    _Kind("enamel kettle", "KET", "Kitchen", "54.00", 1100, (("Color", ("White", "Blue", "Black")),), ("kitchen",),
          "hg"),
    _Kind("leather belt", "BEL", "Accessories", "48.00", 240, (("Size", ("80", "90", "100")),), ("leather",), "aa-2"),
    _Kind("rain cape", "CAP", "Jackets", "79.00", 420, (("Size", ("One",)), ("Color", ("Sand", "Pine"))),
          ("outdoor", "rain"), "aa-1"),
    _Kind("beeswax candle", "BEE", "Home", "14.00", 220, (), ("gift", "home"), "hg"),
    _Kind("merino base layer", "MER", "Shirts", "68.00", 190, (("Size", ("S", "M", "L", "XL")),), ("wool", "outdoor"),
          "aa-1"),
    _Kind("oak cutting board", "OAK", "Kitchen", "39.00", 1400, (("Size", ("Small", "Large")),), ("kitchen", "oak"),
          "hg"),
    _Kind("travel pouch", "POU", "Bags", "24.00", 110, (("Color", ("Rust", "Moss", "Navy")),), ("canvas", "travel"),
          "lb"),
    _Kind("knit mittens", "MIT", "Accessories", "29.00", 80, (("Size", _SIZES),), ("wool", "winter"), "aa-2"),
)
_MANNERS = ("Heavy", "Light", "Striped", "Plain", "Winter", "Summer", "Everyday", "Nordic", "Garden", "Harbour",
            "Ridge", "Meadow", "Birch", "Fjord", "Coastal", "Workshop", "Sunday", "Old town", "Cabin", "Trail")
_VENDORS = ("Fieldhouse Goods", "Nordvik Mill", "Ås Keramikk", "Lofoten Ull", "Brenna & Co")
_ODD_TITLES = ("Blåbær jam — 200 g", "東京 tea towel", "Café au lait bowl “petit”", "Ørsta fishing cap",
               "Žurnál & pen set")
_ODD_KIND = _Kind("thing", "ODD", "Home", "18.00", 300, (), ("gift", "home"), "hg")
_TAXONOMY = {"aa-1": ("Clothing", "Apparel & Accessories > Clothing"),
             "aa-2": ("Clothing Accessories", "Apparel & Accessories > Clothing Accessories"),
             "lb": ("Luggage & Bags", "Luggage & Bags"), "hg": ("Home & Garden", "Home & Garden")}


def fill(store: Store, products: int, seed: int, orders: int = 0, *, odd: bool = False) -> None:
    """Two locations, then so many products with their variants and stock."""
    chance = random.Random(seed)
    store.add_location("Oslo shop", address=_address("Torggata 14", "Oslo", "0181"), address_verified=True)
    store.add_location("Warehouse", address=_address("Industriveien 7", "Lørenskog", "1473"), address_verified=True)
    for code, (name, full_name) in _TAXONOMY.items():
        add_taxonomy(store, f"gid://shopify/TaxonomyCategory/{code}", name, full_name)
    titles: set[str] = set()
    for number in range(products):
        if number < len(_FIRST):
            _add_first(store, _FIRST[number], chance)
            titles.add(_FIRST[number].title.lower())
        else:
            _add_kind(store, number, chance, titles)
    if products > 100:
        _share_a_sku(store)
    if odd:
        catalogue_odd.add(store, chance)
    if products:
        _add_collections(store)
        _add_definitions(store)
    _age(store, chance)
    catalogue_sales.fill(store, orders, seed)
    store.index.catch_up()
    store.revision = 0


def add_taxonomy(store: Store, gid: str, name: str, full_name: str) -> None:
    level = full_name.count(" > ") + 1
    store.taxonomy[gid] = {"__typename": "TaxonomyCategory", "id": gid, "name": name, "fullName": full_name,
                           "isArchived": False, "isLeaf": level > 1, "isRoot": level == 1, "level": level,
                           "parentId": None, "ancestorIds": [], "childrenIds": []}


def _address(street: str, city: str, code: str) -> dict[str, str]:
    return {"address1": street, "city": city, "zip": code, "country": "Norway", "countryCode": "NO"}


def _add_first(store: Store, first: _First, chance: random.Random) -> None:
    product = store.add_product(first.title, vendor=store.shop.name, product_type=first.type, tags=sorted(first.tags),
                                description_html=f"<p>{first.title}, made to last.</p>", published_at=store.now())
    for place, variant in enumerate(_variants(store, product, first.options)):
        _dress(store, variant, first.skus[place], first.price, first.grams, chance)
        variant.compare_at_price = _priced(store, Decimal(first.compare_at)) if first.compare_at else None
        _stock(store, variant, first.stock - 3 * place, first.stock)


def _add_kind(store: Store, number: int, chance: random.Random, titles: set[str]) -> None:
    at = number - len(_FIRST)
    kind = _KINDS[at % len(_KINDS)]
    round_ = at // len(_KINDS)
    manner = _MANNERS[(at * 7 + round_) % len(_MANNERS)]
    title = f"{manner} {kind.name}"
    if at % 20 == 11 and at // 20 < len(_ODD_TITLES):
        title, kind = _ODD_TITLES[at // 20], _ODD_KIND
    if title.lower() in titles:
        title = f"{title} No. {round_ + 1}"
    titles.add(title.lower())
    status = "DRAFT" if at % 14 == 5 else "ARCHIVED" if at % 19 == 8 else "ACTIVE"
    product = store.add_product(
        title, vendor=_VENDORS[0] if at % 3 else chance.choice(_VENDORS[1:]), product_type=kind.type, status=status,
        tags=sorted({*kind.tags, manner.lower()} if at % 4 else {"New", "Über", *kind.tags}, key=str.lower),
        description_html=_description(title, kind, at), published_at=store.now() if status == "ACTIVE" else None,
        category=f"gid://shopify/TaxonomyCategory/{kind.taxonomy}" if kind.taxonomy and at % 3 == 0 else None)
    price = Decimal(kind.price) + Decimal(chance.randrange(-4, 12)) / 2
    for place, variant in enumerate(_variants(store, product, kind.options)):
        sku = None if at % 17 == 9 else f"{kind.prefix}-{number:03}-{place + 1}"
        _dress(store, variant, sku, str(price), kind.grams, chance)
        if at % 6 == 2:
            variant.compare_at_price = _priced(store, price * Decimal("1.25"))
        if at % 23 == 7:
            variant.inventory_item.tracked = False
        _stock(store, variant, chance.randrange(0, 30), chance.randrange(0, 120))
        if at % 29 == 3 and place == 0:
            variant.inventory_policy = "CONTINUE"


def _description(title: str, kind: _Kind, at: int) -> str:
    if at % 9 == 4:
        return (f"<h3>{title}</h3><ul><li>Made in Norway</li><li>{kind.grams}&nbsp;g</li></ul>"
                "<p>Wash <em>cold</em> &amp; dry flat.</p>")
    return "" if at % 13 == 6 else f"<p>{title} from our {kind.type.lower()} shelf.</p>"


def _variants(store: Store, product: Product, options: Options) -> list[Variant]:
    if not options:
        return [store.add_default_variant(product)]
    for name, values in options:
        store.add_option(product, name, values)
    combinations: list[dict[int, int]] = [{}]
    for option in product.option_list:
        combinations = [{**chosen, option.id: value.id} for chosen in combinations for value in option.option_values]
    return [store.add_variant(product, chosen) for chosen in combinations]


def _dress(store: Store, variant: Variant, sku: str | None, price: str, grams: int, chance: random.Random) -> None:
    item = variant.inventory_item
    variant.price = _priced(store, Decimal(price))
    variant.barcode = None if sku is None else f"70{chance.randrange(10 ** 11):011}"
    item.sku, item.tracked = sku, True
    item.cost = store.money(variant.price * Decimal("0.45"))
    item.weight_value, item.weight_unit = (grams, "GRAMS") if grams < 1000 else (grams / 1000, "KILOGRAMS")
    item.country_code_of_origin = "NO"


def _priced(store: Store, amount: Decimal) -> Decimal:
    """The catalogue's prices are those of a shop in dollars; yen are many."""
    return store.money(amount * 150 if store.shop.currency_code == "JPY" else amount)


def _stock(store: Store, variant: Variant, shop: int, warehouse: int) -> None:
    for location, quantity in zip(store.locations.values(), (shop, warehouse), strict=True):
        store.stock_at(variant.inventory_item, location).stock["available"] = max(0, quantity)


def _share_a_sku(store: Store) -> None:
    """Two variants of two products with one SKU: a thing that shops have and that pairing must notice."""
    with_sku = [variant for variant in store.variants.values() if variant.inventory_item.sku]
    with_sku[-1].inventory_item.sku = with_sku[len(with_sku) // 2].inventory_item.sku


def _add_collections(store: Store) -> None:
    products = list(store.products.values())
    for title, rules, members in (
            ("Summer", None, [product.id for product in products[:3]]),
            ("Hats", {"appliedDisjunctively": False,
                      "rules": [{"column": "TYPE", "relation": "EQUALS", "condition": "Hats"}]}, [])):
        collection = Collection(id=store.new_id(), title=title, handle=title.lower(), updated_at=store.now(),
                                rule_set=rules, product_ids=members)
        store.collections[collection.id] = collection
        store.collection_handles[collection.handle] = collection.id
        store.touch(collection)


def _add_definitions(store: Store) -> None:
    for key, name, type_name in (("material", "Material", "single_line_text_field"),
                                 ("care", "Care", "multi_line_text_field"),
                                 ("warranty_years", "Warranty (years)", "number_integer")):
        definition = MetafieldDefinition(id=store.new_id(), owner_type="PRODUCT", namespace="custom", key=key,
                                         name=name, type_name=type_name)
        store.definitions["PRODUCT", "custom", key] = definition


def _age(store: Store, chance: random.Random) -> None:
    """Nothing in the shop was made in this very second."""
    for product in store.products.values():
        made = store.now() - timedelta(days=chance.randrange(30, 400), seconds=chance.randrange(86_400))
        changed = made + timedelta(days=chance.randrange(0, 25), seconds=chance.randrange(86_400))
        product.created_at, product.updated_at = made, changed
        if product.published_at is not None:
            product.published_at = made
        for variant in product.variant_list:
            item = variant.inventory_item
            variant.created_at = item.created_at = made
            variant.updated_at = item.updated_at = changed
            for level in item.levels.values():
                level.created_at, level.updated_at = made, changed
                level.quantity_dates = {"available": changed}
            store.index.stale(variant)
            store.index.stale(item)
        store.index.stale(product)

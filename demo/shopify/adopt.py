"""Take over what an answer shows: ids and the fields that are there, so that a recording can set up state.

Only what the answer says is written; a thing that it merely mentions gets the parents it cannot live without (a
variant its product, an item its variant). Things that the store has already keep their other fields.
"""
from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .adopt_sales import SalesAdoption, kind_known
from .bulk.operations import BulkOperation
from .happenings import Happening
from .ids import kind_of, number_of, query_of
from .model import (
    OWNER_TYPES,
    Collection,
    Item,
    Level,
    Location,
    Metafield,
    MetafieldDefinition,
    Option,
    OptionValue,
    Product,
    Variant,
)
from .publishing import Publication
from .webhooks.subscriptions import Subscription

if TYPE_CHECKING:
    from .state import Store

_PRODUCT_TEXTS = {"title": "title", "descriptionHtml": "description_html", "vendor": "vendor",
                  "productType": "product_type", "status": "status", "templateSuffix": "template_suffix",
                  "giftCardTemplateSuffix": "gift_card_template_suffix", "isGiftCard": "is_gift_card",
                  "requiresSellingPlan": "requires_selling_plan", "combinedListingRole": "combined_listing_role"}
_VARIANT_TEXTS = {"barcode": "barcode", "inventoryPolicy": "inventory_policy", "taxable": "taxable",
                  "taxCode": "tax_code", "showUnitPrice": "show_unit_price",
                  "unitPriceMeasurement": "unit_price_measurement", "requiresComponents": "requires_components"}
_ITEM_TEXTS = {"sku": "sku", "tracked": "tracked", "requiresShipping": "requires_shipping",
               "countryCodeOfOrigin": "country_code_of_origin", "provinceCodeOfOrigin": "province_code_of_origin",
               "harmonizedSystemCode": "harmonized_system_code"}
_MADE_UP = 10 ** 17  # testers' ids of things that are not there are longer than real ones
_LOCATION_TEXTS = {"name": "name", "isActive": "is_active", "addressVerified": "address_verified",
                   "fulfillsOnlineOrders": "fulfills_online_orders"}


def adopt(store: Store, answer: Any) -> None:
    """Walk an answer (or any part of one) and take over every product, variant, item, level and location in it."""
    _Adoption(store).walk(answer, [])


def nodes_of(connection: Any) -> list[Any]:
    """The nodes of a connection, selected as `nodes` or as `edges{node}`."""
    if not isinstance(connection, dict):
        return []
    return list(connection.get("nodes") or [edge.get("node") for edge in connection.get("edges") or ()])


class _Adoption(SalesAdoption):
    def __init__(self, store: Store) -> None:
        self.store = store

    def walk(self, value: Any, above: list[Any]) -> None:
        if isinstance(value, list):
            for entry in value:
                self.walk(entry, above)
        elif isinstance(value, dict):
            made = self.thing(value, above) if isinstance(value.get("id"), str) else None
            for entry in value.values():
                self.walk(entry, [*above, made] if made is not None else above)

    def thing(self, shown: dict[str, Any], above: list[Any]) -> Any:
        known = kind_known(shown["id"])
        if known is not None:
            return getattr(self, known)(shown, above)
        make = {"Product": self.product, "ProductVariant": self.variant, "InventoryItem": self.item,
                "InventoryLevel": self.level, "Location": self.location, "Collection": self.collection,
                "Metafield": self.metafield, "MetafieldDefinition": self.definition,
                "Shop": self.shop, "TaxonomyCategory": self.category, "App": self.app, "Publication": self.publication,
                "AppInstallation": self.installation, "BasicEvent": self.event, "BulkOperation": self.bulk_operation,
                "WebhookSubscription": self.subscription, "Metaobject": self.metaobject,
                "MetaobjectDefinition": self.metaobject}.get(
                    kind_of(shown["id"]))
        return make(shown, above) if make else None

    def app(self, shown: dict[str, Any], above: list[Any]) -> None:
        app = self.store.app
        self.store.app_id = number_of(shown["id"]) or self.store.app_id
        app.title, app.handle = shown.get("title") or app.title, shown.get("handle") or app.handle
        app.requested = shown.get("requestedAccessScopes", app.requested)
        app.api_key, app.developer = shown.get("apiKey") or app.api_key, shown.get("developerName") or app.developer

    def metaobject(self, shown: dict[str, Any], above: list[Any]) -> None:
        from . import metaobjects  # its mutations need the store's own modules
        metaobjects.adopt(self.store, shown)

    def publication(self, shown: dict[str, Any], above: list[Any]) -> None:
        number = self.number(shown["id"])
        if number not in self.store.publications:
            self.store.publications[number] = Publication(id=number, name=shown.get("name") or f"Channel {number}")

    def installation(self, shown: dict[str, Any], above: list[Any]) -> None:
        self.store.installation_id = number_of(shown["id"]) or self.store.installation_id

    def event(self, shown: dict[str, Any], above: list[Any]) -> None:
        """What had happened in the store that was recorded."""
        number, subject = self.number(shown["id"]), str(shown.get("subjectId") or "")
        if any(each.id == number for each in self.store.stream.held) or not subject or "action" not in shown:
            return
        if shown.get("appTitle"):
            self.store.app.title = shown["appTitle"]
        by_app = bool(shown.get("attributeToApp", shown.get("message") == ""))
        self.store.stream.held.append(Happening(number, shown["action"], kind_of(subject), number_of(subject) or 0, "",
                                                _moment(shown["createdAt"]), by_app))
        self.store.stream.held.sort(key=lambda each: each.id)

    def bulk_operation(self, shown: dict[str, Any], above: list[Any]) -> None:
        """An operation of before: what it shows is all there is to it."""
        number = self.number(shown["id"])
        held = self.store.bulks.held.get(number)
        if held is None:
            moment = _moment(shown["createdAt"]) if shown.get("createdAt") else self.store.now()
            held = BulkOperation(id=number, type=shown.get("type") or "QUERY", query=shown.get("query") or "",
                                 created_at=moment, exactly=moment, due=float("inf"))
            self.store.bulks.held[number] = held
        elif not held.adopted:
            return  # it was started here
        held.adopted.update(shown)
        held.adopted.pop("id")
        held.status, held.type = shown.get("status") or held.status, shown.get("type") or held.type
        if shown.get("completedAt"):
            held.completed_at = _moment(shown["completedAt"])
        if shown.get("createdAt"):
            held.created_at = held.exactly = _moment(shown["createdAt"])

    def subscription(self, shown: dict[str, Any], above: list[Any]) -> None:
        number, hooks = self.number(shown["id"]), self.store.webhooks
        endpoint = shown.get("endpoint") or {}
        address = shown.get("uri") or shown.get("callbackUrl") or endpoint.get("callbackUrl")
        now = _moment(shown["createdAt"]) if shown.get("createdAt") else self.store.now()
        if number not in hooks.held:
            hooks.held[number] = Subscription(id=number, topic=shown.get("topic") or "SHOP_UPDATE",
                                              uri=address or "", created_at=now, updated_at=now)
        held = hooks.held.get(number)
        if held is not None:
            held.uri, held.filter = address or held.uri, shown.get("filter", held.filter)
            held.include_fields = tuple(shown.get("includeFields") or held.include_fields)
            held.metafield_namespaces = tuple(shown.get("metafieldNamespaces") or held.metafield_namespaces)

    def shop(self, shown: dict[str, Any], above: list[Any]) -> None:
        shop = self.store.shop
        shop.id = number_of(shown["id"]) or shop.id
        shop.name = shown.get("name") or shop.name
        shop.domain = shown.get("myshopifyDomain") or shop.domain
        shop.currency_code = shown.get("currencyCode") or shop.currency_code

    def category(self, shown: dict[str, Any], above: list[Any]) -> None:
        held = self.store.taxonomy.setdefault(shown["id"], {
            "__typename": "TaxonomyCategory", "name": "", "fullName": "", "isArchived": False, "isLeaf": True,
            "isRoot": False, "level": 1, "parentId": None, "ancestorIds": [], "childrenIds": []})
        held.update(shown)

    def product(self, shown: dict[str, Any], above: list[Any]) -> Product:
        store, number = self.store, self.number(shown["id"])
        product = store.products.get(number)
        if product is None:
            product = store.add_product(shown.get("title") or f"Adopted {number}", id=number,
                                        handle=shown.get("handle"))
            product.published_at = None
        _copy(product, shown, _PRODUCT_TEXTS)
        if shown.get("handle"):
            store.set_handle(product, shown["handle"])
        if shown.get("tags") is not None:
            product.tags = list(shown["tags"])
        if isinstance(shown.get("seo"), dict):
            product.seo.update(shown["seo"])
        if isinstance(shown.get("category"), dict):
            self.category(shown["category"], [])
            product.category = shown["category"]["id"]
        _dates(product, shown, "createdAt", "updatedAt", "publishedAt")
        for place, option in enumerate(shown.get("options") or ()):
            if isinstance(option, dict) and isinstance(option.get("id"), str):
                self.option(product, option, place)
        if product.handle not in store.product_handles:
            store.product_handles[product.handle] = product.id
        if shown.get("tracksInventory") and not product.variant_list and not shown.get("variants"):
            store.add_default_variant(product).inventory_item.tracked = True
        store.index.stale(product)
        above_collection = next((thing for thing in reversed(above) if isinstance(thing, Collection)), None)
        if above_collection is not None and product.id not in above_collection.product_ids:
            above_collection.product_ids.append(product.id)
            above_collection.members_adopted = True
        return product

    def option(self, product: Product, shown: dict[str, Any], place: int) -> None:
        number = self.number(shown["id"])
        option = next((each for each in product.option_list if each.id == number), None)
        if option is None:
            option = product.option_named(shown.get("name", ""))
            if option is None:
                option = Option(id=number, name=shown.get("name", ""))
                product.option_list.insert(place, option)
            for variant in product.variant_list:
                if option.id in variant.chosen:
                    variant.chosen[number] = variant.chosen.pop(option.id)
            option.id = number
        option.name = shown.get("name", option.name)
        for row in shown.get("optionValues") or ():
            if not isinstance(row.get("id"), str):
                continue
            value_number = self.number(row["id"])
            value = next((each for each in option.option_values if each.id == value_number), None)
            if value is None:
                value = next((each for each in option.option_values if each.name == row.get("name")), None)
                if value is None:
                    value = OptionValue(id=value_number, name=row.get("name", ""))
                    option.option_values.append(value)
                for variant in product.variant_list:
                    if variant.chosen.get(option.id) == value.id:
                        variant.chosen[option.id] = value_number
                value.id = value_number
            value.name = row.get("name", value.name)
        if not shown.get("optionValues"):
            for name in shown.get("values") or ():
                self.store.option_value(option, name)

    def variant(self, shown: dict[str, Any], above: list[Any]) -> Variant:
        store, number = self.store, self.number(shown["id"])
        item_shown = shown.get("inventoryItem") or {}
        variant = store.variants.get(number)
        if variant is None:
            product = self.parent(shown, above)
            item_id = self.number(item_shown["id"]) if isinstance(item_shown.get("id"), str) else next(
                (thing.id for thing in reversed(above) if isinstance(thing, Item)), None)
            orphan = store.items.get(item_id) if item_id else None
            variant = store.add_variant(product, {}, id=number, item_id=item_id, stocked=False)
            if orphan is not None:
                variant.inventory_item = orphan
                store.items[orphan.id] = orphan
                store.remove_product(orphan.variant.product) if orphan.variant.product is not product else None
                store.items[orphan.id] = orphan
                orphan.variant = variant
        _copy(variant, shown, _VARIANT_TEXTS)
        _copy(variant.inventory_item, shown, {"sku": "sku"})
        if shown.get("price") is not None:
            variant.price = Decimal(shown["price"])
        if "compareAtPrice" in shown:
            variant.compare_at_price = None if shown["compareAtPrice"] is None else Decimal(shown["compareAtPrice"])
        _dates(variant, shown, "createdAt", "updatedAt")
        quantity, item = shown.get("inventoryQuantity"), variant.inventory_item
        if isinstance(quantity, int) and "inventoryLevels" not in item_shown and store.locations and (
                not item.levels or store.available(variant) != quantity):
            level = store.stock_at(item, store.default_location())
            level.stock["available"] = level.quantity("available") + quantity - store.available(variant)
        for pair in shown.get("selectedOptions") or ():
            option = variant.product.option_named(pair["name"]) or store.add_option(variant.product, pair["name"])
            variant.chosen[option.id] = store.option_value(option, pair["value"]).id
        store.index.stale(variant)
        store.index.stale(variant.product)
        return variant

    def parent(self, shown: dict[str, Any], above: list[Any]) -> Product:
        if isinstance(shown.get("product"), dict) and isinstance(shown["product"].get("id"), str):
            return self.product(shown["product"], [])
        product = next((thing for thing in reversed(above) if isinstance(thing, Product)), None)
        title = shown["product"].get("title") if isinstance(shown.get("product"), dict) else None
        return product or self.store.add_product(title or f"Adopted with {shown['id'].rsplit('/', 1)[-1]}")

    def item(self, shown: dict[str, Any], above: list[Any]) -> Item:
        store, number = self.store, self.number(shown["id"])
        item = store.items.get(number)
        if item is None:
            variant = next((thing for thing in reversed(above) if isinstance(thing, Variant)), None)
            if isinstance(shown.get("variant"), dict) and isinstance(shown["variant"].get("id"), str):
                variant = self.variant({**shown["variant"], "inventoryItem": {"id": shown["id"]}}, above)
            if variant is None:
                product = store.add_product(f"Adopted with item {number}")
                option = store.add_option(product, "Title", ["Default Title"])
                variant = store.add_variant(product, {option.id: option.option_values[0].id}, item_id=number,
                                            stocked=False)
            elif variant.inventory_item.id != number:
                store.items.pop(variant.inventory_item.id, None)
                variant.inventory_item.id = number
                store.items[number] = variant.inventory_item
            item = variant.inventory_item
        _copy(item, shown, _ITEM_TEXTS)
        weight = (shown.get("measurement") or {}).get("weight")
        if weight:
            item.weight_value = weight.get("value", item.weight_value)
            item.weight_unit = weight.get("unit", item.weight_unit)
        if "unitCost" in shown:
            item.cost = Decimal(shown["unitCost"]["amount"]) if shown["unitCost"] else None
        _dates(item, shown, "createdAt", "updatedAt")
        for row in nodes_of(shown.get("inventoryLevels")):
            if row and isinstance(row.get("location"), dict) and "id" in row["location"] and "id" not in row:
                self.stock(store.stock_at(item, self.location(row["location"], [])), row)
        return item

    def level(self, shown: dict[str, Any], above: list[Any]) -> Level | None:
        store = self.store
        item_number = int(query_of(shown["id"]).get("inventory_item_id", "0"))
        item = store.items.get(item_number) or self.item({"id": f"gid://shopify/InventoryItem/{item_number}"}, above)
        number = self.number(shown["id"])
        location_shown = shown.get("location") or {}
        if isinstance(location_shown.get("id"), str):
            location = self.location(location_shown, [])
            location.level_number = number
        else:
            location = next((each for each in store.locations.values() if each.level_number == number), None) or \
                store.add_location(f"Adopted {number}", level_number=number)
        level = store.stock_at(item, location)
        self.stock(level, shown)
        return level

    def stock(self, level: Level, shown: dict[str, Any]) -> None:
        if isinstance(shown.get("isActive"), bool):
            level.is_active = shown["isActive"]
        quantities = {row["name"]: row for row in shown.get("quantities") or () if "name" in row}
        for name, row in quantities.items():
            if name != "on_hand" and "quantity" in row:
                level.stock[name] = row["quantity"]
                if row.get("updatedAt"):
                    level.quantity_dates[name] = _moment(row["updatedAt"])
        if "on_hand" in quantities and "available" not in quantities:
            level.stock["available"] = quantities["on_hand"]["quantity"]
        _dates(level, shown, "createdAt", "updatedAt")

    def location(self, shown: dict[str, Any], above: list[Any]) -> Location:
        number = self.number(shown["id"])
        location = self.store.locations.get(number) or self.store.add_location(
            shown.get("name") or f"Location {number}", id=number)
        _copy(location, shown, _LOCATION_TEXTS)
        if isinstance(shown.get("address"), dict):
            location.address.update(shown["address"])
        _dates(location, shown, "createdAt", "updatedAt")
        return location

    def collection(self, shown: dict[str, Any], above: list[Any]) -> Collection:
        store, number = self.store, self.number(shown["id"])
        collection = store.collections.get(number)
        if collection is None:
            title = shown.get("title") or f"Adopted {number}"
            collection = Collection(id=number, title=title, updated_at=store.now(),
                                    handle=shown.get("handle") or f"collection-{number}")
            store.collections[number] = collection
            store.collection_handles[collection.handle] = number
        _copy(collection, shown, {"title": "title", "descriptionHtml": "description_html", "sortOrder": "sort_order",
                                  "templateSuffix": "template_suffix", "ruleSet": "rule_set"})
        if shown.get("handle") and shown["handle"] != collection.handle:
            store.collection_handles.pop(collection.handle, None)
            collection.handle = shown["handle"]
            store.collection_handles[collection.handle] = number
        _dates(collection, shown, "updatedAt")
        product = next((thing for thing in reversed(above) if isinstance(thing, Product)), None)
        if product is not None and collection.rule_set is None and product.id not in collection.product_ids:
            collection.product_ids.append(product.id)
        store.index.stale(collection)
        return collection

    def metafield(self, shown: dict[str, Any], above: list[Any]) -> Metafield | None:
        owner = next((thing for thing in reversed(above) if thing.kind in OWNER_TYPES), None)
        if owner is None or not {"namespace", "key", "value"} <= set(shown):
            return None
        key = shown["key"].removeprefix(f"{shown['namespace']}.")
        held = Metafield(id=self.number(shown["id"]), owner=owner.gid, namespace=shown["namespace"], key=key,
                         type=shown.get("type") or "single_line_text_field", value=shown["value"],
                         created_at=self.store.now(), updated_at=self.store.now())
        _dates(held, shown, "createdAt", "updatedAt")
        self.store.metafields[owner.gid, held.namespace, key] = held
        return held

    def definition(self, shown: dict[str, Any], above: list[Any]) -> MetafieldDefinition | None:
        if not {"namespace", "key"} <= set(shown):
            return None
        owner = next((thing for thing in reversed(above) if thing.kind in OWNER_TYPES), None)
        owner_type = shown.get("ownerType") or (OWNER_TYPES.get(owner.kind) if owner else None) or "PRODUCT"
        held = MetafieldDefinition(
            id=self.number(shown["id"]), owner_type=owner_type, namespace=shown["namespace"], key=shown["key"],
            name=shown.get("name") or shown["key"], description=shown.get("description"),
            type_name=(shown.get("type") or {}).get("name") or "single_line_text_field",
            validations=list(shown.get("validations") or ()), pinned_position=shown.get("pinnedPosition"))
        held.standard_template = shown.get("standardTemplate")
        held.storefront = (shown.get("access") or {}).get("storefront") or held.storefront
        constraints = shown.get("constraints") or {}
        values = constraints.get("values") or {}
        held.constraint_key = constraints.get("key")
        held.constraint_values = [row["value"] for row in values.get("nodes") or ()]
        if (values.get("pageInfo") or {}).get("hasNextPage"):
            held.constraint_values.append("more")
        self.store.definitions[owner_type, held.namespace, held.key] = held
        return held

    def number(self, global_id: str) -> int:
        number = number_of(global_id)
        if number is None:
            raise ValueError(f"{global_id!r} has no number to adopt.")
        if number < _MADE_UP:
            self.store.reserve_id(number)  # what is made from now on is younger, as it was in the recording
        return number


def _copy(thing: Any, shown: dict[str, Any], names: dict[str, str]) -> None:
    for name, attribute in names.items():
        if name in shown and (shown[name] is not None or getattr(thing, attribute, None) is None):
            setattr(thing, attribute, shown[name])


def _dates(thing: Any, shown: dict[str, Any], *names: str) -> None:
    for name in names:
        if isinstance(shown.get(name), str):
            setattr(thing, {"createdAt": "created_at", "updatedAt": "updated_at",
                            "publishedAt": "published_at"}[name], _moment(shown[name]))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def mentioned(value: Any) -> Iterator[dict[str, Any]]:
    """Every object with an id, outermost first."""
    if isinstance(value, list):
        for entry in value:
            yield from mentioned(entry)
    elif isinstance(value, dict):
        if isinstance(value.get("id"), str):
            yield value
        for entry in value.values():
            yield from mentioned(entry)

"""The bodies of webhooks: REST-shaped, snake case, numeric ids beside global ones (facts §11).

Timestamps stand in the shop's zone, money is text, tags are one text, statuses are in small letters.
"""
from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ..model import Collection, Item, Level, Location, MetafieldDefinition, Product, Shop, Variant
from ..people import Customer, order_count, spent
from ..smart import is_smart
from ..trade import Bag, DraftOrder, Fulfillment, Line, Order, Refund

if TYPE_CHECKING:
    from ..state import Store

Payload = dict[str, Any]


def payload(store: Store, thing: Any, namespaces: tuple[str, ...] = ()) -> Payload:
    """What a delivery says of a thing; with the metafields of these namespaces, where it has any."""
    body = _Writer(store).of(thing)
    if namespaces:
        body["metafields"] = [
            {"id": each.id, "admin_graphql_api_id": each.gid, "namespace": each.namespace, "key": each.key,
             "value": each.value, "type": each.type, "owner_id": thing.id, "owner_resource": thing.kind.lower(),
             "created_at": _Writer(store).when(each.created_at), "updated_at": _Writer(store).when(each.updated_at)}
            for each in store.metafields.of(thing.gid) if each.namespace in namespaces]
    return body


class _Writer:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.zone = ZoneInfo(store.shop.iana_timezone)

    def of(self, thing: Any) -> Payload:
        for kind, write in ((Product, self.product), (Collection, self.collection), (Item, self.item),
                            (Level, self.level), (Order, self.order), (DraftOrder, self.draft),
                            (Customer, self.customer), (Location, self.location), (Fulfillment, self.fulfillment),
                            (Refund, self.refund), (Shop, self.shop), (MetafieldDefinition, self.definition)):
            if isinstance(thing, kind):
                return write(thing)
        raise TypeError(f"No webhook speaks of a {type(thing).__name__}.")

    def when(self, moment: datetime | None) -> str | None:
        return None if moment is None else moment.astimezone(self.zone).isoformat(timespec="seconds")

    # --- the catalogue --------------------------------------------------------------------------------

    def product(self, product: Product) -> Payload:
        shown = product.variant_list[:self.store.behaviour.webhook_variants]
        image = None if product.image_url is None else {
            "id": product.id, "product_id": product.id, "position": 1, "alt": product.title, "src": product.image_url,
            "width": 1200, "height": 1200, "variant_ids": []}
        return {"admin_graphql_api_id": product.gid, "body_html": product.description_html,
                "created_at": self.when(product.created_at), "handle": product.handle, "id": product.id,
                "product_type": product.product_type, "published_at": self.when(product.published_at),
                "template_suffix": product.template_suffix, "title": product.title,
                "updated_at": self.when(product.updated_at), "vendor": product.vendor,
                "status": product.status.lower(), "published_scope": "global", "tags": ", ".join(product.tags),
                "variants": [self.variant(variant, place) for place, variant in enumerate(shown, 1)],
                "options": [{"name": option.name, "id": option.id, "product_id": product.id, "position": place,
                             "values": [value.name for value in option.option_values]}
                            for place, option in enumerate(product.option_list, 1)],
                "images": [image] if image else [], "image": image,
                "variant_gids": [{"admin_graphql_api_id": variant.gid, "updated_at": self.when(variant.updated_at)}
                                 for variant in product.variant_list],
                "has_variants_that_requires_components": False, "category": None}

    def variant(self, variant: Variant, place: int) -> Payload:
        item, compare = variant.inventory_item, variant.compare_at_price
        names = [value.name for _, value in self.store.option_values_of(variant)]
        available = self.store.available(variant)
        return {"admin_graphql_api_id": variant.gid, "barcode": variant.barcode,
                "compare_at_price": None if compare is None else f"{compare:.2f}",
                "created_at": self.when(variant.created_at), "id": variant.id,
                "inventory_policy": variant.inventory_policy.lower(), "position": place,
                "price": f"{variant.price:.2f}", "product_id": variant.product.id, "sku": item.sku,
                "taxable": variant.taxable, "title": self.store.variant_title(variant),
                "updated_at": self.when(variant.updated_at),
                **{f"option{at}": names[at - 1] if at <= len(names) else None for at in (1, 2, 3)},
                "image_id": None, "inventory_item_id": item.id, "inventory_quantity": available,
                "old_inventory_quantity": available}

    def collection(self, collection: Collection) -> Payload:
        return {"id": collection.id, "handle": collection.handle, "title": collection.title,
                "updated_at": self.when(collection.updated_at), "body_html": collection.description_html,
                "published_at": self.when(collection.updated_at), "template_suffix": collection.template_suffix,
                "sort_order": collection.sort_order.lower().replace("_", "-"), "published_scope": "web",
                "admin_graphql_api_id": collection.gid,
                **({"disjunctive": bool((collection.rule_set or {}).get("appliedDisjunctively")),
                    "rules": [{"column": rule["column"].lower(), "relation": rule["relation"].lower(),
                               "condition": rule["condition"]}
                              for rule in (collection.rule_set or {}).get("rules") or ()]}
                   if is_smart(collection) else {})}

    def item(self, item: Item) -> Payload:
        return {"id": item.id, "sku": item.sku, "created_at": self.when(item.created_at),
                "updated_at": self.when(item.updated_at), "requires_shipping": item.requires_shipping,
                "cost": None if item.cost is None else f"{item.cost:.2f}",
                "country_code_of_origin": item.country_code_of_origin,
                "province_code_of_origin": item.province_code_of_origin,
                "harmonized_system_code": item.harmonized_system_code, "tracked": item.tracked,
                "country_harmonized_system_codes": [], "weight_value": item.weight_value,
                "weight_unit": item.weight_unit.lower(), "admin_graphql_api_id": item.gid}

    def level(self, level: Level) -> Payload:
        return {"inventory_item_id": level.item.id, "location_id": level.location.id,
                "available": level.quantity("available"), "updated_at": self.when(level.updated_at),
                "admin_graphql_api_id": level.gid}

    def location(self, location: Location) -> Payload:
        address = location.address
        return {"id": location.id, "name": location.name, "address1": address.get("address1"),
                "address2": address.get("address2"), "city": address.get("city"), "zip": address.get("zip"),
                "province": address.get("province"), "country": address.get("countryCode"),
                "phone": address.get("phone"), "created_at": self.when(location.created_at),
                "updated_at": self.when(location.updated_at), "country_code": address.get("countryCode"),
                "country_name": address.get("country"), "province_code": address.get("provinceCode"),
                "legacy": False, "active": location.is_active, "admin_graphql_api_id": location.gid}

    # --- people and orders ----------------------------------------------------------------------------

    def customer(self, customer: Customer) -> Payload:
        hidden = not self.store.protected_data and self.store.behaviour.webhooks_hide_protected_data
        addresses = [self.address(each.parts, each.id, customer) for each in customer.addresses_held]
        default = customer.default
        body = {"id": customer.id, "created_at": self.when(customer.created_at),
                "updated_at": self.when(customer.updated_at), "first_name": customer.first_name,
                "last_name": customer.last_name, "email": customer.email, "phone": customer.phone,
                "orders_count": order_count(self.store, customer), "state": customer.state.lower(),
                "total_spent": f"{spent(self.store, customer):.2f}", "note": customer.note,
                "verified_email": customer.verified_email, "multipass_identifier": None,
                "tax_exempt": customer.tax_exempt, "tags": ", ".join(customer.tags),
                "currency": self.store.shop.currency_code, "addresses": addresses,
                "tax_exemptions": list(customer.tax_exemptions),
                "email_marketing_consent": {"state": customer.email_consent.state.lower(),
                                            "opt_in_level": (customer.email_consent.level or "").lower() or None},
                "default_address": self.address(default.parts, default.id, customer) if default else None,
                "admin_graphql_api_id": customer.gid}
        if hidden:
            for name in ("first_name", "last_name", "email", "phone", "addresses", "default_address"):
                body.pop(name)
        return body

    def address(self, parts: dict[str, Any] | None, number: int | None = None,
                customer: Customer | None = None) -> Payload | None:
        if parts is None:
            return None
        name = " ".join(part for part in (parts.get("firstName"), parts.get("lastName")) if part)
        return {**({"id": number, "customer_id": customer.id} if customer else {}),
                "first_name": parts.get("firstName"), "last_name": parts.get("lastName"), "name": name,
                "company": parts.get("company"), "address1": parts.get("address1"), "address2": parts.get("address2"),
                "city": parts.get("city"), "province": parts.get("province"), "zip": parts.get("zip"),
                "country": parts.get("country"), "phone": parts.get("phone"),
                "province_code": parts.get("provinceCode"), "country_code": parts.get("countryCodeV2")}

    def order(self, order: Order) -> Payload:
        total, current = order.total(), order.total(current=True)
        fulfilment = {"UNFULFILLED": None, "FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial"}
        return {"id": order.id, "admin_graphql_api_id": order.gid, "name": order.name, "number": order.number - 1000,
                "order_number": order.number, "email": order.email, "contact_email": order.email,
                "phone": order.phone, "note": order.note, "po_number": order.po_number,
                "tags": ", ".join(order.tags), "test": order.test, "confirmed": order.confirmed,
                "created_at": self.when(order.created_at), "updated_at": self.when(order.updated_at),
                "processed_at": self.when(order.processed_at), "closed_at": self.when(order.closed_at),
                "cancelled_at": self.when(order.cancelled_at),
                "cancel_reason": order.cancel_reason.lower() if order.cancel_reason else None,
                "currency": order.currency, "presentment_currency": order.seen_currency,
                "financial_status": (order.financial_status() or "").lower() or None,
                "fulfillment_status": fulfilment.get(order.fulfillment_status()),
                "source_name": order.source_name, "taxes_included": order.taxes_included,
                "note_attributes": [{"name": each["key"], "value": each["value"]} for each in order.custom_attributes],
                **self.amounts(order, "subtotal_price", order.subtotal()), **self.amounts(order, "total_price", total),
                **self.amounts(order, "total_tax", order.tax()),
                **self.amounts(order, "current_total_price", current),
                **self.amounts(order, "total_outstanding", order.outstanding()),
                "customer": self.customer(order.customer) if order.customer else None,
                "shipping_address": self.address(order.shipping_parts),
                "billing_address": self.address(order.billing_parts),
                "line_items": [self.line(line, order) for line in order.lines],
                "shipping_lines": [{"id": each["id"], "title": each["title"], "code": each.get("code"),
                                    "price": f"{each['price'].shop:.2f}"} for each in order.shipping_lines],
                "fulfillments": [self.fulfillment(each) for each in order.fulfillments],
                "refunds": [self.refund(each) for each in order.refunds],
                "discount_codes": [{"code": code} for code in order.discount_codes]}

    def amounts(self, order: Order, name: str, bag: Bag) -> Payload:
        return {name: f"{bag.shop:.2f}", f"{name}_set": {
            "shop_money": {"amount": f"{bag.shop:.2f}", "currency_code": order.currency},
            "presentment_money": {"amount": f"{bag.seen:.2f}", "currency_code": order.seen_currency}}}

    def line(self, line: Line, order: Order | None) -> Payload:
        variant = line.variant
        left = order.fulfillable(line) if order else line.quantity
        return {"id": line.id, "admin_graphql_api_id": line.gid, "title": line.title, "quantity": line.quantity,
                "current_quantity": line.current_quantity, "fulfillable_quantity": left,
                "fulfillment_status": None if left else "fulfilled", "sku": line.sku, "vendor": line.vendor,
                "variant_title": line.variant_title, "name": " - ".join(filter(None, (line.title, line.variant_title))),
                "price": f"{line.unit_price.shop:.2f}", "requires_shipping": line.requires_shipping,
                "taxable": line.taxable, "variant_id": variant.id if variant else None,
                "product_id": variant.product.id if variant else None,
                "properties": [{"name": each["key"], "value": each["value"]} for each in line.custom_attributes],
                "total_discount": f"{line.discount.shop:.2f}"}

    def fulfillment(self, each: Fulfillment) -> Payload:
        numbers = [row.get("number") for row in each.tracking if row.get("number")]
        urls = [row.get("url") for row in each.tracking if row.get("url")]
        return {"id": each.id, "admin_graphql_api_id": each.gid, "order_id": each.order.id, "name": each.name,
                "status": each.status.lower(), "created_at": self.when(each.created_at),
                "updated_at": self.when(each.updated_at), "service": "manual", "shipment_status": None,
                "location_id": each.location.id if each.location else None,
                "tracking_company": next((row.get("company") for row in each.tracking), None),
                "tracking_number": numbers[0] if numbers else None, "tracking_numbers": numbers,
                "tracking_url": urls[0] if urls else None, "tracking_urls": urls,
                "line_items": [{**self.line(row.line, each.order), "quantity": quantity}
                               for _, row, quantity in each.rows]}

    def refund(self, each: Refund) -> Payload:
        order = next((one for one in self.store.orders.values() if each in one.refunds), None)
        return {"id": each.id, "admin_graphql_api_id": each.gid, "order_id": order.id if order else None,
                "created_at": self.when(each.created_at), "note": each.note,
                "refund_line_items": [{"line_item_id": line.id, "quantity": quantity} for line, quantity in each.rows],
                "transactions": [{"kind": "refund", "amount": f"{each.amount.shop:.2f}", "status": "success"}]}

    def draft(self, draft: DraftOrder) -> Payload:
        total = draft.total().shop
        return {"id": draft.id, "admin_graphql_api_id": draft.gid, "name": draft.name, "note": draft.note,
                "email": draft.email, "taxes_included": draft.taxes_included, "currency": draft.currency,
                "status": draft.status.lower(), "created_at": self.when(draft.created_at),
                "updated_at": self.when(draft.updated_at), "invoice_sent_at": self.when(draft.invoice_sent_at),
                "completed_at": self.when(draft.completed_at), "tags": ", ".join(draft.tags),
                "order_id": draft.order.id if draft.order else None,
                "customer": self.customer(draft.customer) if draft.customer else None,
                "shipping_address": self.address(draft.shipping_parts),
                "billing_address": self.address(draft.billing_parts),
                "line_items": [self.line(line, None) for line in draft.lines],
                "subtotal_price": f"{draft.subtotal().shop:.2f}", "total_price": f"{total:.2f}",
                "total_tax": f"{Decimal(0):.2f}"}

    # --- the rest ---------------------------------------------------------------------------------------

    def shop(self, shop: Shop) -> Payload:
        return {"id": shop.id, "name": shop.name, "email": shop.email, "domain": shop.domain,
                "myshopify_domain": shop.domain, "currency": shop.currency_code, "iana_timezone": shop.iana_timezone,
                "country": shop.country, "plan_name": shop.plan}

    def definition(self, each: MetafieldDefinition) -> Payload:
        return {"id": each.id, "admin_graphql_api_id": each.gid, "name": each.name, "namespace": each.namespace,
                "key": each.key, "owner_type": each.owner_type, "type": each.type_name}

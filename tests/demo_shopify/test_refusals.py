"""Refusals that clients meet, in Shopify's words and on its paths: one table, whatever the mutation."""
from __future__ import annotations

from typing import Any

import pytest

from demo.shopify import Store

from .conftest import Ask

LONG = "x" * 256
TOO_LONG = "is too long (maximum is 255 characters)"

# (what is called, what is selected of its errors, the arguments, the expected errors)
PRODUCT = """mutation($product: ProductUpdateInput!) {
  productUpdate(product: $product) { userErrors { field message } } }"""
VARIANTS = """mutation($id: ID!, $variants: [ProductVariantsBulkInput!]!) {
  productVariantsBulkUpdate(productId: $id, variants: $variants) { userErrors { field message code } } }"""
CUSTOMER = "mutation($input: CustomerInput!) { customerUpdate(input: $input) { userErrors { field message } } }"
ORDER = "mutation($input: OrderInput!) { orderUpdate(input: $input) { userErrors { field message } } }"
METAFIELDS = """mutation($metafields: [MetafieldsSetInput!]!) {
  metafieldsSet(metafields: $metafields) { userErrors { field message code } } }"""
TRACKING = """mutation($id: ID!) { fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: {number: "1"}) {
  userErrors { field message } } }"""
PUBLISH = """mutation($id: ID!, $input: [PublicationInput!]!) {
  publishablePublish(id: $id, input: $input) { userErrors { field message } } }"""
CANCEL = """mutation($id: ID!) { orderCancel(orderId: $id, reason: OTHER, restock: false) {
  orderCancelUserErrors { field message code } userErrors { field message } } }"""

REFUSALS: list[tuple[str, str, dict[str, Any], list[dict[str, Any]]]] = [
    ("blank title", PRODUCT, {"product": {"id": "{product}", "title": ""}},
     [{"field": ["title"], "message": "Title can't be blank"}]),
    ("long vendor", PRODUCT, {"product": {"id": "{product}", "vendor": LONG}},
     [{"field": ["vendor"], "message": f"Vendor {TOO_LONG}"}]),
    ("unknown product", PRODUCT, {"product": {"id": "gid://shopify/Product/999999999999", "title": "x"}},
     [{"field": ["id"], "message": "Product does not exist"}]),
    ("negative price", VARIANTS, {"id": "{product}", "variants": [{"id": "{variant}", "price": "-1"}]},
     [{"field": ["variants", "0", "price"], "message": "Price must be greater than or equal to 0",
       "code": "GREATER_THAN_OR_EQUAL_TO"}]),
    ("unknown customer", CUSTOMER, {"input": {"id": "gid://shopify/Customer/999999999999", "note": "x"}},
     [{"field": ["id"], "message": "Customer does not exist"}]),
    ("bad e-mail", CUSTOMER, {"input": {"id": "{customer}", "email": "no mail"}},
     [{"field": ["email"], "message": "Email is invalid"}]),
    ("long note", CUSTOMER, {"input": {"id": "{customer}", "note": "n" * 5001}},
     [{"field": ["note"], "message": "Note is too long (maximum is 5000 characters)"}]),
    ("nothing to update", ORDER, {"input": {"id": "{order}"}},
     [{"field": None, "message": "No valid update parameters have been provided"}]),
    ("unknown order", ORDER, {"input": {"id": "gid://shopify/Order/999999999999", "note": "x"}},
     [{"field": ["id"], "message": "Order does not exist"}]),
    ("type missing", METAFIELDS, {"metafields": [{"ownerId": "{product}", "namespace": "other", "key": "size",
                                                  "value": "1"}]},
     [{"field": ["metafields", "0", "type"], "message": "Type can't be blank", "code": "BLANK"}]),
    ("no integer", METAFIELDS, {"metafields": [{"ownerId": "{product}", "namespace": "other", "key": "size",
                                                "type": "number_integer", "value": "one"}]},
     [{"field": ["metafields", "0", "value"], "message": "Value must be an integer.", "code": "INVALID_VALUE"}]),
    ("26 metafields", METAFIELDS, {"metafields": [{"ownerId": "{product}", "namespace": "other", "key": f"k{number}",
                                                   "type": "boolean", "value": "true"} for number in range(26)]},
     [{"field": ["metafields"], "message": "Exceeded the maximum metafields input limit of 25.",
       "code": "LESS_THAN_OR_EQUAL_TO"}]),
    ("unknown fulfilment", TRACKING, {"id": "gid://shopify/Fulfillment/999999999999"},
     [{"field": ["fulfillmentId"], "message": "Fulfillment does not exist."}]),
    ("unknown channel", PUBLISH, {"id": "{product}", "input": [{"publicationId": "gid://shopify/Publication/1"}]},
     [{"field": ["input", "0", "publicationId"], "message": "Publication does not exist or is not publishable"}]),
]


@pytest.fixture
def store() -> Store:
    return Store(products=3, orders=6, seed=1, plan="unlimited")


@pytest.mark.parametrize(("what", "document", "arguments", "errors"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_a_refusal_has_its_path_and_its_words(store: Store, ask: Ask, what: str, document: str,
                                              arguments: dict[str, Any], errors: list[dict[str, Any]]) -> None:
    product = next(iter(store.products.values()))
    known = {"{product}": product.gid, "{variant}": product.variant_list[0].gid,
             "{customer}": next(iter(store.customers.values())).gid, "{order}": next(iter(store.orders.values())).gid}
    payload = next(iter(ask(document, **_filled(arguments, known))["data"].values()))
    assert payload["userErrors"] == errors


def _filled(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_filled(entry, known) for entry in value]
    if isinstance(value, dict):
        return {key: _filled(entry, known) for key, entry in value.items()}
    return known.get(value, value) if isinstance(value, str) else value


def test_a_cancelled_order_cannot_be_cancelled_again(store: Store, ask: Ask) -> None:
    order = next(each for each in store.orders.values() if not each.fulfillments and each.cancelled_at is None)
    assert ask(CANCEL, id=order.gid)["data"]["orderCancel"]["orderCancelUserErrors"] == []
    again = ask(CANCEL, id=order.gid)["data"]["orderCancel"]
    assert again["userErrors"][0]["message"] == "Cannot cancel an order that has already been canceled"
    assert again["orderCancelUserErrors"][0]["code"] == "INVALID"


def test_publishing_is_seen_on_the_product(store: Store, ask: Ask) -> None:
    product, channel = next(iter(store.products.values())), list(store.publications.values())[1]
    done = ask(PUBLISH, id=product.gid, input=[{"publicationId": channel.gid}])["data"]["publishablePublish"]
    assert done["userErrors"] == []
    shown = ask("""query($id: ID!) { product(id: $id) { resourcePublicationsV2(first: 5) {
      nodes { isPublished publication { name } } } } }""", id=product.gid)["data"]["product"]
    assert {"isPublished": True, "publication": {"name": channel.name}} in shown["resourcePublicationsV2"]["nodes"]

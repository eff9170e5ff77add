"""Products and variants: what is refused, and what comes back other than it was sent."""
from __future__ import annotations

from typing import Any

import pytest

from demo.shopify import Store

from .conftest import Ask

CREATE = """mutation($p: ProductCreateInput!) { productCreate(product: $p) { product { id title handle vendor tags
  descriptionHtml productType status templateSuffix seo { title description }
  variants(first: 5) { nodes { id title price sku barcode compareAtPrice taxable inventoryPolicy
    inventoryItem { tracked requiresShipping measurement { weight { value unit } }
      inventoryLevels(first: 5) { nodes { quantities(names: ["available"]) { quantity } } } } } } }
  userErrors { field message } } }"""
UPDATE = """mutation($p: ProductUpdateInput!) { productUpdate(product: $p) { product { title handle tags updatedAt }
  userErrors { field message } } }"""
BULK = """mutation($id: ID!, $v: [ProductVariantsBulkInput!]!, $partial: Boolean) {
  productVariantsBulkUpdate(productId: $id, variants: $v, allowPartialUpdates: $partial) {
    product { id } productVariants { id price compareAtPrice } userErrors { field message code } } }"""


def created(ask: Ask, **product: Any) -> dict[str, Any]:
    return ask(CREATE, p=product)["data"]["productCreate"]


def test_a_new_product_has_the_defaults(ask: Ask) -> None:
    product = created(ask, title="Plain thing")["product"]
    assert (product["handle"], product["vendor"], product["status"]) == ("plain-thing", "Fieldhouse Goods", "ACTIVE")
    assert (product["descriptionHtml"], product["productType"], product["tags"]) == ("", "", [])
    variant = product["variants"]["nodes"][0]
    assert (variant["title"], variant["price"], variant["sku"], variant["barcode"], variant["compareAtPrice"]) == (
        "Default Title", "0.00", None, None, None)
    assert (variant["taxable"], variant["inventoryPolicy"]) == (True, "DENY")
    assert variant["inventoryItem"]["tracked"] is False
    assert variant["inventoryItem"]["measurement"] == {"weight": {"value": 0, "unit": "KILOGRAMS"}}
    assert variant["inventoryItem"]["inventoryLevels"]["nodes"] == [{"quantities": [{"quantity": 0}]}]


def test_options_on_create_give_the_first_variant_only(ask: Ask) -> None:
    product = created(ask, title="With options", productOptions=[
        {"name": "Size", "values": [{"name": "S"}, {"name": "M"}]}])["product"]
    assert [variant["title"] for variant in product["variants"]["nodes"]] == ["S"]


@pytest.mark.parametrize(("title", "wish", "handle"), [
    ("A", "  Weird Handle / 100%  ", "weird-handle-100"), ("Fresh title", "   ", "fresh-title"),
    ("B", "%%%", "product"), ("C", "東京 X", "東京-x"), ("Kid's shoe", None, "kids-shoe")])
def test_handles_are_made_plain(ask: Ask, title: str, wish: str | None, handle: str) -> None:
    given = {"title": title} if wish is None else {"title": title, "handle": wish}
    assert created(ask, **given)["product"]["handle"] == handle


def test_a_generated_handle_counts_on_and_an_explicit_one_is_refused(ask: Ask) -> None:
    assert created(ask, title="Twin")["product"]["handle"] == "twin"
    assert created(ask, title="Twin")["product"]["handle"] == "twin-1"
    assert created(ask, title="Year 2025")["product"]["handle"] == "year-2025"
    assert created(ask, title="Year 2025")["product"]["handle"] == "year-2026"
    assert created(ask, title="Other", handle=" Twin ")["userErrors"] == [
        {"field": ["input", "handle"], "message": "Handle ' Twin ' already in use. Please provide a new handle."}]


@pytest.mark.parametrize(("given", "errors"), [
    ({"title": ""}, [(["title"], "Title can't be blank")]),
    ({"title": "t" * 256}, [(["title"], "Title is too long (maximum is 255 characters)")]),
    ({"title": "T", "vendor": "v" * 256}, [(["vendor"], "Vendor is too long (maximum is 255 characters)")]),
    ({"title": "T", "productType": "p" * 256}, [
        (["productType"], "Product type is too long (maximum is 255 characters)"),
        (["customProductType"], "Custom product type is too long (maximum is 255 characters)")]),
    ({"title": "T", "handle": "h" * 256}, [(["handle"], "Handle is too long (maximum is 255 characters)")]),
    ({"title": "T", "tags": ["x" * 256]}, [(["tags"], "Product tags is invalid")]),
])
def test_values_that_do_not_fit_are_refused(ask: Ask, given: dict[str, Any], errors: list[Any]) -> None:
    payload = created(ask, **given)
    assert payload["product"] is None
    assert [(error["field"], error["message"]) for error in payload["userErrors"]] == errors


def test_an_unknown_category_is_a_top_level_error(ask: Ask) -> None:
    body = ask(CREATE, p={"title": "T", "category": "gid://shopify/TaxonomyCategory/zz-9"})
    assert body["data"] == {"productCreate": None}
    assert body["errors"][0]["message"] == "Invalid product_taxonomy_node_id"


def test_tags_are_trimmed_doubled_ones_dropped_and_sorted(ask: Ask, store: Store) -> None:
    product = next(iter(store.products.values()))
    tags = ask(UPDATE, p={"id": product.gid, "tags": [" Red ", "red", "RED", "big   sale"]})
    assert tags["data"]["productUpdate"]["product"]["tags"] == ["big   sale", "Red"]


def test_a_refused_update_shows_the_product_unchanged(ask: Ask, store: Store) -> None:
    product = next(iter(store.products.values()))
    payload = ask(UPDATE, p={"id": product.gid, "title": ""})["data"]["productUpdate"]
    assert payload["product"]["title"] == "Linen shirt"
    assert payload["userErrors"] == [{"field": ["title"], "message": "Title can't be blank"}]
    gone = ask(UPDATE, p={"id": "gid://shopify/Product/999999999999", "title": "X"})["data"]["productUpdate"]
    assert gone == {"product": None, "userErrors": [{"field": ["id"], "message": "Product does not exist"}]}


def test_one_bad_row_writes_nothing_and_partial_writes_the_rest(ask: Ask, store: Store) -> None:
    product = next(iter(store.products.values()))
    first, second = product.variant_list[:2]
    rows = [{"id": first.gid, "price": "9.5"}, {"id": second.gid, "price": "-1"}]
    error = {"field": ["variants", "1", "price"], "message": "Price must be greater than or equal to 0",
             "code": "GREATER_THAN_OR_EQUAL_TO"}
    payload = ask(BULK, id=product.gid, v=rows)["data"]["productVariantsBulkUpdate"]
    assert [variant["price"] for variant in payload["productVariants"]] == ["42.00", "42.00"]
    assert payload["userErrors"] == [error]
    payload = ask(BULK, id=product.gid, v=rows, partial=True)["data"]["productVariantsBulkUpdate"]
    assert [variant["price"] for variant in payload["productVariants"]] == ["9.50", "42.00"]
    assert payload["userErrors"] == [error]


def test_an_unknown_variant_leaves_no_variants_in_the_answer(ask: Ask, store: Store) -> None:
    product = next(iter(store.products.values()))
    payload = ask(BULK, id=product.gid, v=[{"id": "gid://shopify/ProductVariant/999999999999", "price": "1"}])
    assert payload["data"]["productVariantsBulkUpdate"] == {
        "product": {"id": product.gid}, "productVariants": None, "userErrors": [
            {"field": ["variants", "0", "id"], "message": "Product variant does not exist",
             "code": "PRODUCT_VARIANT_DOES_NOT_EXIST"}]}


def test_a_harmonized_code_loses_its_dot_and_a_bad_cost_is_named_twice(ask: Ask, store: Store) -> None:
    product = next(iter(store.products.values()))
    variant = product.variant_list[0]
    ask(BULK, id=product.gid, v=[{"id": variant.gid, "inventoryItem": {"harmonizedSystemCode": "1234.56"}}])
    assert variant.inventory_item.harmonized_system_code == "123456"
    payload = ask(BULK, id=product.gid, v=[{"id": variant.gid, "inventoryItem": {"cost": "-5"}}])
    errors = payload["data"]["productVariantsBulkUpdate"]["userErrors"]
    assert [(error["field"], error["code"]) for error in errors] == [
        (["variants", "0"], None), (["variants", "0", "inventoryItem", "cost"], "GREATER_THAN_OR_EQUAL_TO")]


def test_new_variants_replace_the_default_one(ask: Ask) -> None:
    product = created(ask, title="Grows")["product"]
    body = ask("""mutation($id: ID!, $v: [ProductVariantsBulkInput!]!) {
      productVariantsBulkCreate(productId: $id, variants: $v) { productVariants { title sku } userErrors { message }
        product { options { name optionValues { name } } variants(first: 5) { nodes { title } } } } }""",
               id=product["id"], v=[{"optionValues": [{"optionName": "Title", "name": "Blue"}],
                                     "inventoryItem": {"sku": "B-1"}}])["data"]["productVariantsBulkCreate"]
    assert body["userErrors"] == []
    assert body["product"]["variants"]["nodes"] == [{"title": "Blue"}]
    assert body["product"]["options"] == [{"name": "Title", "optionValues": [{"name": "Blue"}]}]


def test_a_set_product_keeps_what_is_not_given_and_drops_variants_that_are_missing(ask: Ask, store: Store) -> None:
    product = next(iter(store.products.values()))
    body = ask("""mutation($i: ProductSetInput!) { productSet(input: $i) { product { title vendor
      variants(first: 5) { nodes { title sku price } } } userErrors { field message code } } }""",
               i={"id": product.gid, "variants": [
                   {"optionValues": [{"optionName": "Size", "name": "M"}], "price": "50"}]})["data"]["productSet"]
    assert body["userErrors"] == []
    assert body["product"] == {"title": "Linen shirt", "vendor": "Fieldhouse Goods",
                               "variants": {"nodes": [{"title": "M", "sku": "LIN-M", "price": "50.00"}]}}


def test_a_deleted_product_is_null_by_id_and_in_its_place_among_nodes(ask: Ask, store: Store) -> None:
    first, second = list(store.products.values())[:2]
    delete = """mutation($i: ProductDeleteInput!) { productDelete(input: $i) { deletedProductId userErrors { message }
      } }"""
    assert ask(delete, i={"id": first.gid})["data"]["productDelete"]["deletedProductId"] == first.gid
    assert ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[second.gid, first.gid, second.gid])["data"] == {
        "nodes": [{"id": second.gid}, None, {"id": second.gid}]}
    assert ask(delete, i={"id": first.gid})["data"]["productDelete"]["userErrors"] == [
        {"message": "Product does not exist"}]


def test_a_gid_of_another_kind_is_refused(ask: Ask, store: Store) -> None:
    body = ask("query($id: ID!) { product(id: $id) { id } }", id="gid://shopify/Order/1")
    assert body["errors"][0]["extensions"]["code"] == "RESOURCE_NOT_FOUND"
    assert ask('mutation { tagsAdd(id: "gid://shopify/Thing/1", tags: ["a"]) { userErrors { message } } }')[
        "errors"][0]["message"] == "invalid id"

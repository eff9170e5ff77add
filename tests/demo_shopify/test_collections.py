"""Collections: fields, members by hand, by rule and by source, and the jobs that they leave behind."""
from __future__ import annotations

from demo.shopify import Store

from .conftest import Ask

CREATE = """mutation($c: CollectionCreateInput!) { collectionCreate(collection: $c) { collection {
  id handle sortOrder ruleSet { rules { column condition } }
  sources { id title ... on CollectionConditionsSource { inclusion { matchType
    conditions { ... on CollectionSourceInclusionConditionProductTag { relation values } }
    selections(first: 5) { nodes { product { id } } } } } }
  products(first: 20) { nodes { id } } } userErrors { field message } } }"""


def test_a_collection_of_sources_mixes_chosen_products_and_conditions(ask: Ask, store: Store) -> None:
    shirt = next(iter(store.products.values()))
    winter = [product.gid for product in store.products.values() if "winter" in product.tags]
    made = ask(CREATE, c={"title": "Mixed", "sources": [{"source": {"title": "All", "inclusion": {
        "selections": [{"productId": shirt.gid}],
        "conditions": [{"productTag": {"relation": "TAGGED_WITH", "values": ["winter"], "matchType": "ANY"}}]}}}]})
    payload = made["data"]["collectionCreate"]
    assert payload["userErrors"] == []
    assert [node["id"] for node in payload["collection"]["products"]["nodes"]] == [shirt.gid, *winter]
    assert payload["collection"]["ruleSet"] is None  # no rule can say a mixture
    assert payload["collection"]["sources"][0]["inclusion"]["conditions"] == [
        {"relation": "TAGGED_WITH", "values": ["winter"]}]


def test_members_are_changed_by_selections_of_the_source(ask: Ask, store: Store) -> None:
    first, second, *_ = store.products.values()
    made = ask(CREATE, c={"title": "Few", "sources": [{"source": {
        "title": "Chosen", "inclusion": {"selections": [{"productId": first.gid}]}}}]})["data"]["collectionCreate"]
    collection = made["collection"]
    body = ask("""mutation($c: CollectionUpdateInput!) { collectionUpdate(collection: $c) {
      collection { products(first: 9) { nodes { id } } } job { done } userErrors { field message } } }""",
               c={"id": collection["id"], "sourcesToUpdate": [{"condition": {
                   "id": collection["sources"][0]["id"], "inclusion": {
                       "selectionsToAdd": [{"productId": second.gid}],
                       "selectionsToRemove": [{"productId": first.gid}]}}}]})
    assert body["data"]["collectionUpdate"]["userErrors"] == []
    assert body["data"]["collectionUpdate"]["collection"]["products"]["nodes"] == [{"id": second.gid}]


def test_a_smart_collection_takes_no_products_by_hand(ask: Ask, store: Store) -> None:
    hats = next(each for each in store.collections.values() if each.rule_set)
    product = next(iter(store.products.values()))
    body = ask("""mutation($id: ID!, $ids: [ID!]!) { collectionAddProductsV2(id: $id, productIds: $ids) {
      job { id } userErrors { field message } } }""", id=hats.gid, ids=[product.gid])
    assert body["data"]["collectionAddProductsV2"] == {"job": None, "userErrors": [
        {"field": ["id"], "message": "Can't manually add products to a smart collection"}]}


def test_a_job_is_done_when_it_is_looked_at(ask: Ask, store: Store) -> None:
    summer = next(each for each in store.collections.values() if not each.rule_set)
    gone = store.products[summer.product_ids[0]]
    job = ask("""mutation($id: ID!, $ids: [ID!]!) { collectionRemoveProducts(id: $id, productIds: $ids) {
      job { id done } userErrors { message } } }""", id=summer.gid, ids=[gone.gid])["data"][
        "collectionRemoveProducts"]["job"]
    assert job["done"] is False
    assert ask("query($id: ID!) { job(id: $id) { done } }", id=job["id"])["data"]["job"] == {"done": True}
    assert gone.id not in summer.product_ids


def test_a_product_joins_and_leaves_collections_by_its_own_update(ask: Ask, store: Store) -> None:
    summer = next(each for each in store.collections.values() if not each.rule_set)
    outside = next(each for each in store.products.values() if each.id not in summer.product_ids)
    update = """mutation($p: ProductUpdateInput!) { productUpdate(product: $p) {
      product { collections(first: 5) { nodes { title } } } userErrors { message } } }"""
    joined = ask(update, p={"id": outside.gid, "collectionsToJoin": [summer.gid]})
    assert {"title": "Summer"} in joined["data"]["productUpdate"]["product"]["collections"]["nodes"]
    left = ask(update, p={"id": outside.gid, "collectionsToLeave": [summer.gid]})
    assert {"title": "Summer"} not in left["data"]["productUpdate"]["product"]["collections"]["nodes"]

"""Sales channels of the simulated store, and images by address."""
from __future__ import annotations

from typing import Any

from demo.shopify import Store
from demo.shopify.engine import run

CHANNELS = "{ publications(first: 9, catalogType: APP) { nodes { id name } } }"
WHERE = """query W($id: ID!) { product(id: $id) { publishedAt
  resourcePublicationsV2(first: 9, catalogType: APP) { nodes { publication { id name } } } } }"""
PUT = """mutation P($id: ID!, $to: [PublicationInput!]!) { publishablePublish(id: $id, input: $to) {
  publishable { ... on Product { id } } userErrors { field message } } }"""
OFF = PUT.replace("publishablePublish", "publishableUnpublish")


def ask(store: Store, document: str, **variables: Any) -> dict[str, Any]:
    answer = run(store, document, variables).body
    assert "errors" not in answer, answer
    data: dict[str, Any] = answer["data"]
    return data


def test_a_product_is_put_on_channels_and_taken_off() -> None:
    store = Store(products=2)
    product = next(iter(store.products.values()))
    ids = {each["name"]: each["id"] for each in ask(store, CHANNELS)["publications"]["nodes"]}

    def channels() -> list[str]:
        page = ask(store, WHERE, id=product.gid)["product"]["resourcePublicationsV2"]
        return [each["publication"]["name"] for each in page["nodes"]]

    ask(store, OFF, id=product.gid, to=[{"publicationId": each} for each in ids.values()])
    assert (channels(), product.published_at) == ([], None)
    ask(store, PUT, id=product.gid, to=[{"publicationId": ids["Online Store"]}, {"publicationId": ids["Shop"]}])
    assert channels() == ["Online Store", "Shop"]
    assert product.published_at is not None


def test_an_unknown_channel_is_refused_and_nothing_is_published() -> None:
    store = Store(products=1)
    product = next(iter(store.products.values()))
    told = ask(store, PUT, id=product.gid, to=[{"publicationId": "gid://shopify/Publication/1"}])["publishablePublish"]
    assert told["userErrors"][0]["field"] == ["input", "0", "publicationId"]


def test_a_new_image_is_worked_on_at_first() -> None:
    store = Store(products=0)
    make = """mutation { productCreate(product: {title: "Lamp"}, media: [{originalSource: "https://x.example/l.png",
      mediaContentType: IMAGE}]) { product { featuredMedia { status } } userErrors { message } } }"""
    assert ask(store, make)["productCreate"]["product"]["featuredMedia"]["status"] == "PROCESSING"
    look = "{ products(first: 1) { nodes { featuredMedia { status preview { image { url } } } } } }"
    assert ask(store, look)["products"]["nodes"][0]["featuredMedia"] == {
        "status": "READY", "preview": {"image": {"url": "https://x.example/l.png"}}}

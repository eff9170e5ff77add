"""Webhooks: what may be subscribed to, what is said, and how it gets there or does not."""
from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from demo.serving import serving
from demo.shopify import Clock, Store, create_app
from demo.shopify.webhooks.delivery import PAUSES_SECONDS, signature

from .conftest import Ask

CREATE = """mutation($topic: WebhookSubscriptionTopic!, $hook: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $hook) {
    webhookSubscription { id topic uri filter includeFields format name } userErrors { field message } } }"""
UPDATE = """mutation($id: ID!, $hook: WebhookSubscriptionInput!) {
  webhookSubscriptionUpdate(id: $id, webhookSubscription: $hook) {
    webhookSubscription { id uri filter } userErrors { field message } } }"""
RENAME = """mutation($id: ID!, $title: String!) {
  productUpdate(product: {id: $id, title: $title}) { userErrors { message } } }"""
ADDRESS = ["webhookSubscription", "callbackUrl"]
FILTER = "The specified filter is invalid, please ensure you specify the field(s) you wish to filter on."
INTERNAL = "Address cannot be a Shopify or an internal domain"


class Receiver:
    """An app's endpoint: keeps what came, answers what the test says."""

    def __init__(self) -> None:
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.answer = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.came.append((dict(self.headers.items()), body))
                self.send_response(receiver.answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return None
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.came]

    def topics(self) -> list[str]:
        return [headers["X-Shopify-Topic"] for headers, _ in self.came]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def store(receiver: Receiver) -> Store:
    made = Store(products=4, orders=3, seed=3, plan="unlimited", clock=Clock())
    made.webhooks.routes = {"https://sync.example": receiver.url}
    return made


Subscribe = Callable[..., dict[str, Any]]


@pytest.fixture
def subscribe(ask: Ask) -> Subscribe:
    def made(topic: str, /, **hook: Any) -> dict[str, Any]:
        hook.setdefault("uri", "https://sync.example/hooks/shopify/1")
        return dict(ask(CREATE, topic=topic, hook=hook)["data"]["webhookSubscriptionCreate"])
    return made


REFUSED = [
    ({"uri": ""}, [(ADDRESS, "Address can't be blank")]),
    ({"uri": "   "}, [(ADDRESS, "Address can't be blank")]),
    ({"uri": "http://example.com"}, [(ADDRESS, "Address protocol http:// is not supported")]),
    ({"uri": "https://localhost/hook"}, [(ADDRESS, INTERNAL)]),
    ({"uri": "https://10.0.0.3/hook"}, [(ADDRESS, INTERNAL)]),
    ({"uri": "https://another.myshopify.com/hook"}, [(ADDRESS, INTERNAL)]),
    ({"uri": "pubsub://valid-project:"},
     [(ADDRESS, "Address protocol pubsub:// is not supported"),
      (ADDRESS, "Address is not a valid GCP pub/sub format. Format should be pubsub://project:topic")]),
    ({"filter": "totally bogus syntax"}, [(["webhookSubscription"], FILTER)]),
    ({"filter": "customer_id:1 bareword"}, [(["webhookSubscription"], FILTER)]),
]


@pytest.mark.parametrize(("hook", "errors"), REFUSED)
def test_what_cannot_be_subscribed_is_refused_in_shopifys_words(subscribe: Subscribe, hook: dict[str, Any],
                                                                errors: list[tuple[list[str], str]]) -> None:
    payload = subscribe("PRODUCTS_UPDATE", **hook)
    assert payload["webhookSubscription"] is None
    assert [(each["field"], each["message"]) for each in payload["userErrors"]] == errors


def test_an_address_is_trimmed_and_taken_once(subscribe: Subscribe) -> None:
    first = subscribe("PRODUCTS_UPDATE", uri="  https://sync.example/a  ")
    assert first["webhookSubscription"]["uri"] == "https://sync.example/a"
    again = subscribe("PRODUCTS_UPDATE", uri="https://sync.example/a")
    assert again["userErrors"] == [{"field": ADDRESS, "message": "Address for this topic has already been taken"}]
    assert subscribe("PRODUCTS_CREATE", uri="https://sync.example/a")["userErrors"] == []


def test_scopes_and_protected_data_limit_the_topics(subscribe: Subscribe, store: Store) -> None:
    store.protected_data = False
    assert "protected customer data" in subscribe("ORDERS_UPDATED")["userErrors"][0]["message"]
    store.protected_data = True
    store.set_scopes(["read_products"])
    assert subscribe("ORDERS_UPDATED")["userErrors"][0]["message"] == (
        "You cannot create a webhook subscription with the specified topic")
    assert subscribe("PRODUCTS_UPDATE")["userErrors"] == []


def test_an_update_keeps_what_it_does_not_name(subscribe: Subscribe, ask: Ask) -> None:
    made = subscribe("PRODUCTS_UPDATE", filter="status:active")["webhookSubscription"]
    changed = ask(UPDATE, id=made["id"], hook={"includeFields": ["id"]})["data"]["webhookSubscriptionUpdate"]
    assert changed["webhookSubscription"] == {"id": made["id"], "uri": made["uri"], "filter": "status:active"}
    unknown = ask(UPDATE, id="gid://shopify/WebhookSubscription/1", hook={"includeFields": ["id"]})
    assert unknown["data"]["webhookSubscriptionUpdate"]["userErrors"] == [
        {"field": ["id"], "message": "Webhook subscription does not exist"}]


def test_a_change_is_told_signed_and_in_the_shops_zone(subscribe: Subscribe, ask: Ask, store: Store,
                                                       receiver: Receiver) -> None:
    subscribe("PRODUCTS_UPDATE", name="one")
    product = next(iter(store.products.values()))
    ask(RENAME, id=product.gid, title="New title")
    store.webhooks.send_due()
    headers, body = receiver.came[0]
    said = json.loads(body)
    assert headers["X-Shopify-Hmac-Sha256"] == signature(body, store.webhooks.secret)
    assert headers["X-Shopify-Topic"] == "products/update"
    assert headers["X-Shopify-Shop-Domain"] == store.shop.domain
    assert headers["X-Shopify-Name"] == "one"
    assert headers["X-Shopify-Webhook-Id"] != headers["X-Shopify-Event-Id"]
    assert (said["id"], said["title"], said["status"]) == (product.id, "New title", product.status.lower())
    assert said["admin_graphql_api_id"] == product.gid
    assert said["variants"][0]["inventory_item_id"] == product.variant_list[0].inventory_item.id
    assert said["updated_at"][-6:] in ("+01:00", "+02:00")  # Oslo


def happened(store: Store, ask: Ask, what: str) -> None:
    product = next(iter(store.products.values()))
    variant = product.variant_list[0]
    order = next(iter(store.orders.values()))
    if what == "sell":
        store.sell(variant.id, 1)
    elif what == "delete product":
        ask('mutation($id: ID!) { productDelete(input: {id: $id}) { deletedProductId } }', id=product.gid)
    elif what == "close order":
        order.closed_at = None
        ask("mutation($id: ID!) { orderClose(input: {id: $id}) { userErrors { message } } }", id=order.gid)
    elif what == "cost":
        ask("""mutation($id: ID!) { inventoryItemUpdate(id: $id, input: {cost: "3.50"}) {
          userErrors { message } } }""", id=variant.inventory_item.gid)


TOLD = [
    ("INVENTORY_LEVELS_UPDATE", "sell", {"inventory_item_id", "location_id", "available", "updated_at",
                                         "admin_graphql_api_id"}),
    ("PRODUCTS_UPDATE", "sell", {"title", "variants", "options", "tags", "body_html"}),
    ("PRODUCTS_DELETE", "delete product", {"id"}),
    ("ORDERS_UPDATED", "close order", {"line_items", "customer", "tags", "fulfillments", "financial_status"}),
    ("INVENTORY_ITEMS_UPDATE", "cost", {"sku", "cost", "tracked", "requires_shipping"}),
]


@pytest.mark.parametrize(("topic", "what", "fields"), TOLD)
def test_each_topic_tells_of_its_happening(subscribe: Subscribe, ask: Ask, store: Store, receiver: Receiver,
                                           topic: str, what: str, fields: set[str]) -> None:
    assert subscribe(topic)["userErrors"] == []
    happened(store, ask, what)
    store.webhooks.send_due()
    assert len(receiver.came) >= 1
    assert fields <= set(receiver.bodies()[0])


def test_filter_and_fields_narrow_what_is_said(subscribe: Subscribe, ask: Ask, store: Store,
                                               receiver: Receiver) -> None:
    subscribe("PRODUCTS_UPDATE", filter="variants.price:>=1000000", uri="https://sync.example/dear")
    subscribe("PRODUCTS_UPDATE", filter="title:Wanted", includeFields=["id", "variants.sku"])
    product = next(iter(store.products.values()))
    ask(RENAME, id=product.gid, title="Wanted")
    store.webhooks.send_due()
    assert receiver.bodies() == [{"id": product.id, "variants": [{"sku": each.inventory_item.sku}
                                                                 for each in product.variant_list]}]


def test_metafields_come_along_where_they_were_asked_for(subscribe: Subscribe, ask: Ask, store: Store,
                                                         receiver: Receiver) -> None:
    subscribe("PRODUCTS_UPDATE", metafieldNamespaces=["custom"])
    product = next(iter(store.products.values()))
    ask("""mutation($id: ID!) { metafieldsSet(metafields: [{ownerId: $id, namespace: "custom", key: "origin",
      type: "single_line_text_field", value: "wool"}]) { userErrors { message } } }""", id=product.gid)
    store.webhooks.send_due()
    mine = [each for each in receiver.bodies()[-1]["metafields"] if each["key"] == "origin"]
    assert [(each["namespace"], each["value"]) for each in mine] == [("custom", "wool")]


def test_a_failing_endpoint_is_tried_eight_times_more_and_then_dropped(subscribe: Subscribe, ask: Ask, store: Store,
                                                                       receiver: Receiver) -> None:
    subscribe("PRODUCTS_UPDATE")
    receiver.answer = 500
    ask(RENAME, id=next(iter(store.products.values())).gid, title="Anything")
    store.webhooks.send_due()
    for pause in PAUSES_SECONDS:
        store.clock.advance(pause - 1)
        store.webhooks.send_due()
        before = len(receiver.came)
        store.clock.advance(2)
        store.webhooks.send_due()
        assert len(receiver.came) == before + 1
    assert len(receiver.came) == 9
    assert len({headers["X-Shopify-Webhook-Id"] for headers, _ in receiver.came}) == 1
    assert len({body for _, body in receiver.came}) == 1
    assert store.webhooks.held == {}
    assert sum(PAUSES_SECONDS) == 4 * 3600


FAULTS = [
    ([{"drop": True}], ["B"]),
    ([{"double": True}], ["A", "A", "B"]),
    ([{"reverse": True}, {"reverse": True}], ["B", "A"]),
]


@pytest.mark.parametrize(("faults", "titles"), FAULTS)
def test_deliveries_are_lost_doubled_or_turned_around_at_will(subscribe: Subscribe, ask: Ask, store: Store,
                                                              receiver: Receiver, faults: list[dict[str, Any]],
                                                              titles: list[str]) -> None:
    subscribe("PRODUCTS_UPDATE")
    store.webhooks.faults.extend(faults)
    for product, title in zip(store.products.values(), "AB", strict=False):
        ask(RENAME, id=product.gid, title=title)
        store.webhooks.told()
    store.webhooks.send_due()
    assert [each["title"] for each in receiver.bodies()] == titles


def test_a_late_delivery_comes_late(subscribe: Subscribe, ask: Ask, store: Store, receiver: Receiver) -> None:
    subscribe("PRODUCTS_UPDATE")
    store.webhooks.faults.append({"late_seconds": 600})
    ask(RENAME, id=next(iter(store.products.values())).gid, title="Late")
    store.webhooks.send_due()
    assert receiver.came == []
    store.clock.advance(601)
    store.webhooks.send_due()
    assert [each["title"] for each in receiver.bodies()] == ["Late"]


def test_an_order_tells_what_became_of_it(subscribe: Subscribe, ask: Ask, store: Store, receiver: Receiver) -> None:
    for topic in ("ORDERS_CREATE", "ORDERS_PAID", "ORDERS_UPDATED"):
        subscribe(topic)
    made = ask("""mutation { orderCreate(order: {lineItems: [{title: "Mug", quantity: 1, priceSet: {shopMoney:
      {amount: "10.00", currencyCode: USD}}}], currency: USD}) { order { id } userErrors { message } } }""")
    order = made["data"]["orderCreate"]["order"]["id"]
    store.webhooks.send_due()
    ask("mutation($id: ID!) { orderMarkAsPaid(input: {id: $id}) { userErrors { message } } }", id=order)
    store.webhooks.send_due()
    assert receiver.topics() == ["orders/create", "orders/updated", "orders/paid"]
    assert receiver.bodies()[2]["financial_status"] == "paid"


def test_the_end_of_a_bulk_operation_is_told(subscribe: Subscribe, ask: Ask, store: Store, receiver: Receiver) -> None:
    subscribe("BULK_OPERATIONS_FINISH")
    store.behaviour.bulk_start_seconds = 0
    ask('mutation { bulkOperationRunQuery(query: "{ products { edges { node { id } } } }") { bulkOperation { id } } }')
    ask("{ currentBulkOperation { id } }")
    store.webhooks.send_due()
    assert receiver.bodies()[0] | {"completed_at": "", "created_at": "", "admin_graphql_api_id": ""} == {
        "admin_graphql_api_id": "", "completed_at": "", "created_at": "", "error_code": None,
        "status": "completed", "type": "query"}


def test_a_served_store_delivers_by_itself(store: Store, receiver: Receiver) -> None:
    with serving(create_app(store)) as url:
        def asked(text: str, **variables: Any) -> Any:
            return requests.post(f"{url}/admin/api/2026-10/graphql.json", timeout=10,
                                 json={"query": text, "variables": variables},
                                 headers={"X-Shopify-Access-Token": "shpat_demo"}).json()
        asked(CREATE, topic="PRODUCTS_UPDATE", hook={"uri": "https://sync.example/hooks/shopify/1"})
        asked(RENAME, id=next(iter(store.products.values())).gid, title="Over the wire")
        until = time.monotonic() + 5
        while not receiver.came and time.monotonic() < until:
            time.sleep(0.01)
    assert receiver.bodies()[0]["title"] == "Over the wire"


def test_deletions_are_in_the_events_feed(ask: Ask, store: Store) -> None:
    product = next(iter(store.products.values()))
    happened(store, ask, "delete product")
    feed = ask("""{ events(first: 5, query: "action:destroy subject_type:PRODUCT", sortKey: ID) {
      nodes { action createdAt ... on BasicEvent { subjectId subjectType } appTitle attributeToApp } } }""")
    found = feed["data"]["events"]["nodes"]
    assert [(each["action"], each["subjectId"], each["attributeToApp"]) for each in found] == [
        ("destroy", product.gid, True)]

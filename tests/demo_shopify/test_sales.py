"""Customers, orders, fulfilments, draft orders, events, definitions, scopes and protected data."""
from __future__ import annotations

from typing import Any

import pytest

from demo.shopify import Store, run

from .conftest import Ask


@pytest.fixture(scope="module")
def shared() -> Store:
    return Store(products=12, orders=24, seed=5, plan="unlimited")


@pytest.fixture
def store() -> Store:
    return Store(products=6, orders=12, seed=5, plan="unlimited")


def test_the_catalogue_holds_orders_of_every_fate(shared: Store) -> None:
    body = run(shared, """{ orders(first: 50) { nodes { name displayFinancialStatus displayFulfillmentStatus
      cancelledAt totalPriceSet { presentmentMoney { amount currencyCode } } customer { id } } } }""").body
    nodes = body["data"]["orders"]["nodes"]
    assert len(nodes) == 24
    assert {"PAID", "PENDING"} <= {node["displayFinancialStatus"] for node in nodes}
    assert {"FULFILLED", "UNFULFILLED", "PARTIALLY_FULFILLED"} <= {node["displayFulfillmentStatus"] for node in nodes}
    assert any(node["totalPriceSet"]["presentmentMoney"]["currencyCode"] == "JPY" for node in nodes)


def test_without_read_all_orders_only_sixty_days_are_seen(shared: Store) -> None:
    query = "{ ordersCount { count } }"
    whole = run(shared, query).body["data"]["ordersCount"]["count"]
    scopes = shared.scopes
    shared.set_scopes([scope for scope in scopes if scope != "read_all_orders"])
    try:
        assert run(shared, query).body["data"]["ordersCount"]["count"] == whole - 3
    finally:
        shared.set_scopes(scopes)


def test_a_fulfilment_sends_what_remains_and_closes_the_order_of_work(ask: Ask, store: Store) -> None:
    order = next(each for each in store.orders.values() if each.fulfillment_status() == "UNFULFILLED"
                 and each.cancelled_at is None)
    work = order.fulfillment_orders[0]
    sent = ask("""mutation($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) { fulfillment {
      name status trackingInfo { number url } } userErrors { message } } }""",
               f={"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": work.gid}],
                  "trackingInfo": {"company": "Bring", "number": "NO1"}})["data"]["fulfillmentCreate"]
    assert sent["userErrors"] == []
    assert sent["fulfillment"]["trackingInfo"] == [
        {"number": "NO1", "url": "https://tracking.bring.com/tracking/NO1?lang=en"}]
    body = ask("query($id: ID!) { order(id: $id) { displayFulfillmentStatus } }", id=order.gid)
    assert body["data"]["order"]["displayFulfillmentStatus"] == "FULFILLED"
    again = ask("""mutation($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) { userErrors { message } } }""",
                f={"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": work.gid}]})
    assert again["data"]["fulfillmentCreate"]["userErrors"] == [
        {"message": f"Fulfillment order {work.id} has an unfulfillable status= closed."}]


def test_marking_paid_twice_is_refused(ask: Ask, store: Store) -> None:
    order = next(each for each in store.orders.values() if each.financial_status() == "PENDING")
    pay = """mutation($id: ID!) { orderMarkAsPaid(input: {id: $id}) { order { displayFinancialStatus }
      userErrors { message } } }"""
    assert ask(pay, id=order.gid)["data"]["orderMarkAsPaid"]["order"] == {"displayFinancialStatus": "PAID"}
    assert ask(pay, id=order.gid)["data"]["orderMarkAsPaid"]["userErrors"] == [
        {"message": "Order cannot be marked as paid."}]


def test_a_completed_draft_becomes_an_order_and_takes_stock(ask: Ask, store: Store) -> None:
    draft = next(iter(store.drafts.values()))
    variant = draft.lines[0].variant
    assert variant is not None
    before = store.available(variant)
    done = ask("""mutation($id: ID!) { draftOrderComplete(id: $id) { draftOrder { status order { id
      displayFinancialStatus } } userErrors { message } } }""", id=draft.gid)["data"]["draftOrderComplete"]
    assert done["draftOrder"]["status"] == "COMPLETED"
    assert done["draftOrder"]["order"]["displayFinancialStatus"] == "PAID"
    assert store.available(variant) == before - draft.lines[0].quantity


def test_tags_of_orders_keep_their_case_and_are_removed_by_it(ask: Ask, store: Store) -> None:
    order = next(iter(store.orders.values()))
    order.tags = ["Red"]
    remove = "mutation($id: ID!, $t: [String!]!) { tagsRemove(id: $id, tags: $t) { userErrors { message } } }"
    ask(remove, id=order.gid, t=["red"])
    assert order.tags == ["Red"]
    ask(remove, id=order.gid, t=["Red"])
    assert order.tags == []


@pytest.mark.parametrize(("given", "refusal"), [
    ({"email": "foo@"}, "Email is invalid"), ({"phone": "abc"}, "Phone is invalid"),
    ({"note": "x" * 5001, "firstName": "A"}, "Note is too long (maximum is 5000 characters)"),
    ({"firstName": " "}, "A name, phone number, or email address must be present")])
def test_what_no_customer_can_be(ask: Ask, given: dict[str, Any], refusal: str) -> None:
    body = ask("mutation($i: CustomerInput!) { customerCreate(input: $i) { customer { id } userErrors { message } } }",
               i=given)
    assert body["data"]["customerCreate"] == {"customer": None, "userErrors": [{"message": refusal}]}


def test_a_deletion_is_an_event(ask: Ask, store: Store) -> None:
    customer = ask("""mutation { customerCreate(input: {firstName: "Ada"}) { customer { id } } }""")["data"][
        "customerCreate"]["customer"]["id"]
    ask("mutation($id: ID!) { customerDelete(input: {id: $id}) { deletedCustomerId } }", id=customer)
    body = ask("""{ events(first: 5, sortKey: ID, query: "action:destroy subject_type:CUSTOMER") { nodes { action
      ... on BasicEvent { subjectId } } } }""")
    assert body["data"]["events"]["nodes"] == [{"action": "destroy", "subjectId": customer}]


def test_a_custom_id_is_unique_and_finds_its_customer(ask: Ask, store: Store) -> None:
    ask("""mutation { metafieldDefinitionCreate(definition: {name: "ERP", namespace: "custom", key: "erp", type: "id",
      ownerType: CUSTOMER}) { createdDefinition { id } } }""")
    upsert = """mutation($name: String!) { customerSet(identifier: {customId: {namespace: "custom", key: "erp",
      value: "7"}}, input: {firstName: $name}) { customer { id firstName } userErrors { message } } }"""
    first = ask(upsert, name="Ada")["data"]["customerSet"]["customer"]
    second = ask(upsert, name="Grace")["data"]["customerSet"]["customer"]
    assert second == {"id": first["id"], "firstName": "Grace"}
    other = next(each for each in store.customers.values() if each.gid != first["id"])
    taken = ask("""mutation($o: ID!) { metafieldsSet(metafields: [{ownerId: $o, namespace: "custom", key: "erp",
      type: "id", value: "7"}]) { userErrors { code } } }""", o=other.gid)
    assert taken["data"]["metafieldsSet"]["userErrors"] == [{"code": "TAKEN"}]


def test_a_missing_scope_is_named_and_the_rest_is_answered(ask: Ask, store: Store) -> None:
    store.set_scopes(["read_products"])
    body = ask('{ shop { name } order(id: "gid://shopify/Order/1") { id } }')
    assert body["data"] == {"shop": {"name": "Fieldhouse Goods"}, "order": None}
    assert body["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
    assert "`read_orders` access scope" in body["errors"][0]["message"]


def test_protected_data_is_null_with_an_error_on_its_path(ask: Ask, store: Store) -> None:
    store.protected_data = False
    body = ask("{ customers(first: 1) { nodes { id email } } }")
    assert body["data"]["customers"]["nodes"][0]["email"] is None
    assert body["errors"][0]["path"] == ["customers", "nodes", 0, "email"]
    assert body["errors"][0]["message"].startswith("This app is not approved to access the Customer object.")

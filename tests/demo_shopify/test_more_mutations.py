"""What merchants do beside what a sync does: copies, edited orders, held shipments, terms, services, metaobjects."""
from __future__ import annotations

from typing import Any

import pytest

from demo.shopify import Store

from .conftest import Ask


@pytest.fixture
def store() -> Store:
    return Store(products=6, orders=12, seed=5, plan="unlimited")


def unsent(store: Store) -> Any:
    """An order of which nothing is sent yet, with a first line of more than one."""
    order = next(each for each in store.orders.values() if each.fulfillment_status() == "UNFULFILLED"
                 and each.cancelled_at is None and len(each.fulfillment_orders) == 1)
    line = order.fulfillment_orders[0].lines[0]
    line.total_quantity = line.remaining_quantity = line.line.quantity = 3
    return order


def test_a_copied_product_has_its_own_ids_and_handle_and_no_stock(ask: Ask, store: Store) -> None:
    like = next(each for each in store.products.values() if len(each.variant_list) > 1)
    made = ask("""mutation($id: ID!) { productDuplicate(productId: $id, newTitle: "Copy") { newProduct {
      id handle status totalInventory variantsCount { count } } userErrors { field message } } }""",
               id=like.gid)["data"]["productDuplicate"]
    assert made["userErrors"] == []
    assert made["newProduct"]["id"] != like.gid
    assert (made["newProduct"]["handle"], made["newProduct"]["variantsCount"]["count"]) == (
        "copy", len(like.variant_list))
    gone = ask("""mutation { productDuplicate(productId: "gid://shopify/Product/999999999999", newTitle: "x") {
      newProduct { id } userErrors { field message } } }""")["data"]["productDuplicate"]
    assert gone == {"newProduct": None, "userErrors": [{"field": ["productId"], "message": "Product does not exist"}]}


def test_variants_are_put_in_another_order_or_refused_by_row(ask: Ask, store: Store) -> None:
    product = next(each for each in store.products.values() if len(each.variant_list) > 1)
    last = product.variant_list[-1].gid
    document = """mutation($id: ID!, $p: [ProductVariantPositionInput!]!) { productVariantsBulkReorder(
      productId: $id, positions: $p) { userErrors { field code } } }"""
    assert ask(document, id=product.gid, p=[{"id": last, "position": 1}])["data"][
        "productVariantsBulkReorder"]["userErrors"] == []
    assert product.variant_list[0].gid == last
    wrong = ask(document, id=product.gid, p=[{"id": last, "position": 0}, {"id": last, "position": 2}])
    assert wrong["data"]["productVariantsBulkReorder"]["userErrors"] == [
        {"field": ["positions", "0", "position"], "code": "INVALID_POSITION"},
        {"field": ["positions", "1", "id"], "code": "DUPLICATED_VARIANT_ID"}]


def test_an_edit_changes_an_order_when_it_is_committed_and_only_then(ask: Ask, store: Store) -> None:
    order = unsent(store)
    variant = next(each for each in store.variants.values() if all(line.variant is not each for line in order.lines))
    lines = len(order.lines)
    begun = ask("""mutation($id: ID!) { orderEditBegin(id: $id) { calculatedOrder { id lineItems(first: 9) { nodes {
      id quantity } } } } }""", id=order.gid)["data"]["orderEditBegin"]["calculatedOrder"]
    assert len(begun["lineItems"]["nodes"]) == lines
    commit = "mutation($id: ID!) { orderEditCommit(id: $id) { order { id } successMessages userErrors { message } } }"
    assert ask(commit, id=begun["id"])["data"]["orderEditCommit"]["userErrors"] == [
        {"message": "There must be at least one change to be made."}]
    ask("""mutation($id: ID!, $v: ID!, $l: ID!) {
      orderEditAddVariant(id: $id, variantId: $v, quantity: 2) { userErrors { message } }
      orderEditSetQuantity(id: $id, lineItemId: $l, quantity: 1) { userErrors { message } } }""",
        id=begun["id"], v=variant.gid, l=begun["lineItems"]["nodes"][0]["id"])
    assert len(order.lines) == lines
    assert ask(commit, id=begun["id"])["data"]["orderEditCommit"]["successMessages"] == ["Order updated"]
    assert (len(order.lines), order.lines[0].current_quantity, order.lines[-1].quantity) == (lines + 1, 1, 2)


def test_a_hold_of_some_puts_the_rest_aside_and_its_release_takes_it_in_again(ask: Ask, store: Store) -> None:
    [work] = unsent(store).fulfillment_orders
    row = work.lines[0]
    held = ask("""mutation($id: ID!, $h: FulfillmentOrderHoldInput!) { fulfillmentOrderHold(id: $id,
      fulfillmentHold: $h) { fulfillmentHold { id } remainingFulfillmentOrder { id status } } }""", id=work.gid,
               h={"reason": "OTHER", "fulfillmentOrderLineItems": [{"id": row.gid, "quantity": 1}]})
    payload = held["data"]["fulfillmentOrderHold"]
    assert (work.status, row.remaining_quantity, payload["remainingFulfillmentOrder"]["status"]) == (
        "ON_HOLD", 1, "OPEN")
    ask("mutation($id: ID!) { fulfillmentOrderReleaseHold(id: $id) { userErrors { message } } }", id=work.gid)
    rest = store.thing(payload["remainingFulfillmentOrder"]["id"])
    assert (work.status, row.remaining_quantity, rest.status) == ("OPEN", 3, "CLOSED")


def test_a_cancelled_fulfilment_order_is_replaced_and_split_ones_are_merged(ask: Ask, store: Store) -> None:
    order = unsent(store)
    [work] = order.fulfillment_orders
    count = len(work.lines)
    document = """mutation($id: ID!) { fulfillmentOrderCancel(id: $id) { replacementFulfillmentOrder { id }
      userErrors { message } } }"""
    new = store.thing(ask(document, id=work.gid)["data"]["fulfillmentOrderCancel"][
        "replacementFulfillmentOrder"]["id"])
    assert (work.status, work.lines, len(new.lines)) == ("CLOSED", [], count)
    assert "not in cancelable" in ask(document, id=work.gid)["data"]["fulfillmentOrderCancel"]["userErrors"][0][
        "message"]
    ask("""mutation($s: [FulfillmentOrderSplitInput!]!) { fulfillmentOrderSplit(fulfillmentOrderSplits: $s) {
      userErrors { message } } }""", s=[{"fulfillmentOrderId": new.gid, "fulfillmentOrderLineItems": [
          {"id": new.lines[0].gid, "quantity": 1}]}])
    part = order.fulfillment_orders[-1]
    ask("""mutation($m: [FulfillmentOrderMergeInput!]!) { fulfillmentOrderMerge(fulfillmentOrderMergeInputs: $m) {
      userErrors { message } } }""", m=[{"mergeIntents": [{"fulfillmentOrderId": new.gid},
                                                          {"fulfillmentOrderId": part.gid}]}])
    assert (part.status, sum(row.remaining_quantity for row in part.lines), new.lines[0].remaining_quantity) == (
        "CLOSED", 0, 3)


def test_drafts_are_copied_tagged_by_many_and_given_terms(ask: Ask, store: Store) -> None:
    draft = next(each for each in store.drafts.values() if each.status == "OPEN")
    copied = ask("mutation($id: ID!) { draftOrderDuplicate(id: $id) { draftOrder { id name lineItems(first: 9) { nodes "
                 "{ title } } } } }", id=draft.gid)["data"]["draftOrderDuplicate"]["draftOrder"]
    assert copied["id"] != draft.gid
    assert len(copied["lineItems"]["nodes"]) == len(draft.lines)
    ask("""mutation($ids: [ID!]) { draftOrderBulkAddTags(ids: $ids, tags: ["many"]) { job { id } } }""",
        ids=[draft.gid, copied["id"]])
    assert "many" in draft.tags
    assert "many" in store.thing(copied["id"]).tags
    terms = ask("""mutation($id: ID!) { paymentTermsCreate(referenceId: $id, paymentTermsAttributes: {
      paymentTermsTemplateId: "gid://shopify/PaymentTermsTemplate/4"}) { paymentTerms { paymentTermsName dueInDays }
      userErrors { code } } }""", id=draft.gid)["data"]["paymentTermsCreate"]
    assert terms == {"paymentTerms": {"paymentTermsName": "Net 30", "dueInDays": 30}, "userErrors": []}


def test_a_fulfilment_service_brings_a_location_that_lists_leave_out(ask: Ask) -> None:
    made = ask("""mutation { fulfillmentServiceCreate(name: "Carrier") { fulfillmentService { id location {
      id isFulfillmentService } } } }""")["data"]["fulfillmentServiceCreate"]["fulfillmentService"]
    assert made["location"]["isFulfillmentService"] is True
    names = [[node["name"] for node in ask(query)["data"]["locations"]["nodes"]] for query in (
        "{ locations(first: 9) { nodes { name } } }",
        "{ locations(first: 9, includeLegacy: true) { nodes { name } } }")]
    assert ("Carrier" in names[0], "Carrier" in names[1]) == (False, True)


def test_metaobjects_follow_their_definition(ask: Ask) -> None:
    ask("""mutation { metaobjectDefinitionCreate(definition: {type: "size_chart", displayNameKey: "title",
      fieldDefinitions: [{key: "title", type: "single_line_text_field", required: true},
                         {key: "width", type: "dimension"}]}) { userErrors { message } } }""")
    create = """mutation($m: MetaobjectCreateInput!) { metaobjectCreate(metaobject: $m) { metaobject { handle
      displayName fields { key value } } userErrors { field code elementKey } } }"""
    made = ask(create, m={"type": "size_chart", "fields": [
        {"key": "title", "value": "Small"}, {"key": "width", "value": '{"value":25,"unit":"centimeters"}'}]})
    assert made["data"]["metaobjectCreate"] == {"metaobject": {
        "handle": "small", "displayName": "Small", "fields": [
            {"key": "title", "value": "Small"},
            {"key": "width", "value": '{"value":25.0,"unit":"CENTIMETERS"}'}]}, "userErrors": []}
    refused = ask(create, m={"type": "size_chart", "fields": [{"key": "width", "value": "wide"},
                                                              {"key": "depth", "value": "1"}]})
    assert [(one["code"], one["elementKey"]) for one in refused["data"]["metaobjectCreate"]["userErrors"]] == [
        ("INVALID_VALUE", "width"), ("UNDEFINED_OBJECT_FIELD", "depth"), ("OBJECT_FIELD_REQUIRED", "title")]
    assert ask(create, m={"type": "nothing"})["data"]["metaobjectCreate"]["userErrors"][0][
        "code"] == "UNDEFINED_OBJECT_TYPE"


def test_a_variable_below_something_unknown_counts_as_unused(ask: Ask) -> None:
    errors = ask("query Q($first: Int!) { products(first: 1, colour: $first) { nodes { id } } }", first=1)["errors"]
    assert [(one["extensions"]["code"], one["message"]) for one in errors] == [
        ("argumentNotAccepted", "Field 'products' doesn't accept argument 'colour'"),
        ("variableNotUsed", "Variable $first is declared by Q but not used")]

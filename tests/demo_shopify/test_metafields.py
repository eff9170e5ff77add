"""Metafields: compare-and-set, all or nothing, and values that are stored other than they were sent."""
from __future__ import annotations

from typing import Any

import pytest

from demo.shopify import Store

from .conftest import Ask

SET = """mutation($m: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $m) { metafields { namespace key value
  jsonValue compareDigest } userErrors { field message code } } }"""


@pytest.fixture
def owner(store: Store) -> str:
    return next(iter(store.products.values())).gid


def write(ask: Ask, owner: str, value: str, **more: Any) -> dict[str, Any]:
    row = {"ownerId": owner, "namespace": "custom", "key": "note", "type": "single_line_text_field", "value": value}
    return ask(SET, m=[{**row, **more}])["data"]["metafieldsSet"]


def test_a_digest_guards_the_stored_value(ask: Ask, owner: str) -> None:
    first = write(ask, owner, "one", compareDigest=None)["metafields"][0]["compareDigest"]
    assert len(first) == 64
    second = write(ask, owner, "two", compareDigest=first)["metafields"][0]["compareDigest"]
    assert second != first
    assert write(ask, owner, "three", compareDigest=first)["userErrors"] == [{
        "field": ["metafields", "0"], "code": "STALE_OBJECT", "message":
        "The resource has been updated since it was loaded. Try again with an updated `compareDigest` value."}]
    assert write(ask, owner, "two", compareDigest="nonsense")["userErrors"] == []
    assert write(ask, owner, "x", compareDigest=None)["userErrors"][0]["code"] == "STALE_OBJECT"
    assert write(ask, owner, "x", key="other", compareDigest="0" * 64)["userErrors"][0]["code"] == \
        "INVALID_COMPARE_DIGEST"


def test_one_bad_row_writes_nothing(ask: Ask, store: Store, owner: str) -> None:
    row = {"namespace": "custom", "key": "note", "type": "single_line_text_field", "value": "v"}
    payload = ask(SET, m=[{**row, "ownerId": owner}, {**row, "ownerId": "gid://shopify/Product/999999999999"}])
    assert payload["data"]["metafieldsSet"] == {"metafields": [], "userErrors": [
        {"field": ["metafields", "1", "ownerId"], "message": "Owner does not exist.", "code": "INVALID_VALUE"}]}
    assert store.metafields == {}


def test_twenty_five_are_enough(ask: Ask, owner: str) -> None:
    rows = [{"ownerId": owner, "namespace": "custom", "key": f"key{number}", "type": "single_line_text_field",
             "value": "v"} for number in range(26)]
    assert ask(SET, m=rows)["data"]["metafieldsSet"] == {"metafields": None, "userErrors": [
        {"field": ["metafields"], "message": "Exceeded the maximum metafields input limit of 25.",
         "code": "LESS_THAN_OR_EQUAL_TO"}]}


def test_a_type_comes_from_the_definition_or_must_be_given(ask: Ask, owner: str) -> None:
    row = {"ownerId": owner, "namespace": "custom", "value": "5.0"}
    assert ask(SET, m=[{**row, "key": "warranty_years"}])["data"]["metafieldsSet"]["metafields"][0]["value"] == "5"
    assert ask(SET, m=[{**row, "key": "unknown_one"}])["data"]["metafieldsSet"]["userErrors"] == [
        {"field": ["metafields", "0", "type"], "message": "Type can't be blank", "code": "BLANK"}]


@pytest.mark.parametrize(("type_name", "sent", "stored", "as_json"), [
    ("boolean", " TRUE ", "true", True), ("boolean", "0", "false", "false"),
    ("number_integer", "5.000", "5", 5), ("number_decimal", "1.12345678999", "1.123456789", "1.123456789"),
    ("date_time", "2024-01-01T12:30:00", "2024-01-01T12:30:00+00:00", "2024-01-01T12:30:00+00:00"),
    ("weight", '{"value":2,"unit":"kilograms"}', '{"value":2.0,"unit":"KILOGRAMS"}', {"value": 2, "unit": "KILOGRAMS"}),
    ("list.weight", '[{"value":2,"unit":"kilograms"}]', '[{"value":2.0,"unit":"KILOGRAMS"}]',
     [{"value": 2, "unit": "kg"}]),
    ("list.number_decimal", "[10.4]", '["10.4"]', ["10.4"]),
])
def test_what_is_stored(ask: Ask, owner: str, type_name: str, sent: str, stored: str, as_json: Any) -> None:
    held = write(ask, owner, sent, type=type_name)["metafields"][0]
    assert (held["value"], held["jsonValue"]) == (stored, as_json)


@pytest.mark.parametrize(("type_name", "value", "message"), [
    ("number_integer", "+5", "Value must be an integer."),
    ("url", "ftp://x", "Value must be one of the following URL schemes: http, https, mailto, sms, tel."),
    ("money", "[]", "Value must be a stringified JSON object with amount (numeric) and currency_code (string matching "
     "the shop's currency) fields."),
    ("json", "", "Value can't be blank."),
])
def test_what_is_refused(ask: Ask, owner: str, type_name: str, value: str, message: str) -> None:
    assert write(ask, owner, value, type=type_name)["userErrors"] == [
        {"field": ["metafields", "0", "value"], "message": message, "code": "INVALID_VALUE"}]


def test_deleting_answers_in_order_with_null_for_what_was_not_there(ask: Ask, owner: str) -> None:
    write(ask, owner, "v")
    rows = [{"ownerId": owner, "namespace": "custom", "key": key} for key in ("missing", "note")]
    body = ask("""mutation($m: [MetafieldIdentifierInput!]!) { metafieldsDelete(metafields: $m) {
      deletedMetafields { key } userErrors { message } } }""", m=rows)
    assert body["data"]["metafieldsDelete"] == {"deletedMetafields": [None, {"key": "note"}], "userErrors": []}


def test_keys_in_a_list_carry_their_namespace_both_ways(ask: Ask, owner: str) -> None:
    write(ask, owner, "v")
    body = ask("""query($id: ID!) { product(id: $id) { metafields(first: 5, keys: ["custom.note", "other"]) { nodes {
      namespace key value } } metafield(namespace: "custom", key: "note") { key } } }""", id=owner)
    assert body["data"]["product"] == {"metafields": {"nodes": [
        {"namespace": "custom", "key": "custom.note", "value": "v"}]}, "metafield": {"key": "note"}}

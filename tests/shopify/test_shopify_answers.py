"""What each status and body of Shopify means (facts §2), and what the client does about it, over real HTTP."""

from __future__ import annotations

import logging
from typing import Any

import orjson
import pytest
from shopify_helpers import says, scripted

from backend.connector import Usage
from backend.core.values import UNREAD
from backend.errors import (
    AccessError,
    InputRefused,
    OutcomeUnknown,
    RetryLater,
    SyncError,
    TokenRefused,
    TooCostly,
    UserError,
)
from backend.shopify.answers import answer_from
from backend.shopify.auth import ClientCredentials, Credentials, PastedToken
from backend.shopify.client import Client, store_domain

VERSION = "2026-10"
OK = {"data": {"shop": {"name": "Fieldhouse"}}}


def cost(requested: float = 13, available: float = 1987, actual: float | None = 13) -> dict[str, Any]:
    return {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": {
        "maximumAvailable": 2000, "currentlyAvailable": available, "restoreRate": 100}}


def error(message: str, code: str = "", **more: Any) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}, **more}


def throttled(requested: float, available: float) -> dict[str, Any]:
    return {"errors": [error("Throttled", "THROTTLED")], "extensions": {"cost": cost(requested, available, None)}}


def client(url: str, credentials: Credentials | None = None, sleeps: list[float] | None = None) -> Client:
    slept = [] if sleeps is None else sleeps
    return Client(url, VERSION, credentials or PastedToken("shpat_secret"), Usage(), sleep=slept.append,
                  clock=lambda: 0.0)


def read(status: int, body: bytes, writes: bool = False, **headers: str) -> Any:
    return answer_from(status, {name.replace("_", "-"): text for name, text in headers.items()}, body, writes=writes)


BAD_TOKEN = b'{"errors":"[API] Invalid API key or access token (unrecognized login or wrong password)"}'
PERSON, CLOCK, DEVELOPER = UserError, RetryLater, SyncError


@pytest.mark.parametrize(("status", "body", "who_acts", "words"), [
    (400, b'{"errors":{"query":"Required parameter missing"}}', DEVELOPER, "query Required"),
    (401, BAD_TOKEN, TokenRefused, "Invalid API key"),
    (402, b'{"errors":"Unavailable Shop"}', PERSON, "bill"),
    (402, b"<html>Unavailable Shop</html>", PERSON, "bill"),
    (403, b'{"errors":"[API] This action requires merchant approval for read_orders scope."}', PERSON,
     "read_orders, which is needed to read orders and their lines"),
    (403, b"<html>", PERSON, "refuses"),
    (404, b'{"errors":"Not Found"}', PERSON, "no store of this name"),
    (302, b"", PERSON, "permanent address"),
    (406, b"", DEVELOPER, "406"),
    (409, b"", CLOCK, "409"),
    (414, b"", DEVELOPER, "414"),
    (415, b"", DEVELOPER, "415"),
    (422, b'{"errors":["unprocessable"]}', DEVELOPER, "unprocessable"),
    (423, b'{"errors":"locked"}', PERSON, "locked"),
    (429, b"", CLOCK, "pause"),
    (430, b"", CLOCK, "security"),
    (500, b"<html>oops</html>", CLOCK, "500"),
    (501, b"", CLOCK, "501"),
    (502, b"<html>", CLOCK, "502"),
    (503, b"", CLOCK, "503"),
    (504, b"", CLOCK, "504"),
    (530, b"error code: 1016", CLOCK, "530"),
    (540, b"", CLOCK, "540"),
    (783, b"", CLOCK, "783"),
    (200, b"<html>", CLOCK, "not JSON"),
    (200, b'{"data":{"shop":{"na', CLOCK, "not JSON"),
    (200, b"", CLOCK, "not JSON"),
    (200, b"[]", CLOCK, "not JSON"),
    (200, b"{}", CLOCK, "neither data nor errors"),
    (200, b'{"data":null}', CLOCK, "neither data nor errors"),
])
def test_a_status_becomes_an_error_in_an_owners_words(
    status: int, body: bytes, who_acts: type[SyncError], words: str
) -> None:
    with pytest.raises(SyncError) as caught:
        read(status, body)
    assert words in str(caught.value)
    assert caught.value.cure
    assert_acts(caught.value, who_acts)


def assert_acts(error: SyncError, who_acts: type[SyncError]) -> None:
    """The class of an error says who acts next: a person, the clock, or, where it is neither, a developer."""
    assert isinstance(error, who_acts)
    assert who_acts is not DEVELOPER or not isinstance(error, UserError | RetryLater)


@pytest.mark.parametrize(("status", "headers", "seconds"), [
    (429, {"Retry_After": "4"}, 4.0), (429, {}, 1.0), (430, {"Retry_After": "9"}, 9.0), (430, {}, 30.0),
    (503, {"Retry_After": "2.5"}, 2.5), (503, {}, None), (503, {"Retry_After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
])
def test_a_pause_is_as_long_as_shopify_says(status: int, headers: dict[str, str], seconds: float | None) -> None:
    with pytest.raises(RetryLater) as caught:
        read(status, b"", **headers)
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("status", [500, 502, 503, 504, 200])
def test_a_write_whose_answer_is_lost_may_have_happened(status: int) -> None:
    with pytest.raises(OutcomeUnknown):
        read(status, b"<html>", writes=True)


DENIED = "Access denied for orders field. Required access: `read_orders` access scope."
PROTECTED = ("This app is not approved to access the Customer object. See https://partners.shopify.com/1 for "
             "more details. Access to personally identifiable information (PII) like customer names, addresses, "
             "emails, phone numbers is only available on Shopify, Advanced, and Plus plans.")


@pytest.mark.parametrize(("body", "kind", "words"), [
    (error("Query cost is 2003, which exceeds …", "MAX_COST_EXCEEDED"), TooCostly, "2003"),
    (error("Throttled", "THROTTLED"), RetryLater, "pause"),
    (error(DENIED, "ACCESS_DENIED", path=["orders"]), AccessError, "orders: it lacks the access scope read_orders"),
    (error("access denied", "ACCESS_DENIED", path=["orders"]), AccessError, "orders: access denied"),
    (error(PROTECTED, path=["customers"]), AccessError, "customers to this app: it is protected customer data"),
    (error(PROTECTED, "ACCESS_DENIED", path=["customers"]), AccessError, "Dev Dashboard"),
    (error("Shop is inactive", "SHOP_INACTIVE"), AccessError, "not active"),
    (error("Internal error. Looks like something went wrong on our end.\nRequest ID: 7f (include this in support "
           "requests).", "INTERNAL_SERVER_ERROR"), RetryLater, "own side"),
    (error("Timeout", "TIMEOUT"), RetryLater, "own side"),
    (error("Variable $p0 of type X! was provided invalid value for status", "INVALID_VARIABLE"), InputRefused, "$p0"),
    (error("Variable $id of type ID! was provided invalid value"), InputRefused, "$id"),
    (error("Invalid global id 'x'"), InputRefused, "'x'"),
    (error("The input array size of 251 is greater than the maximum allowed of 250.", "MAX_INPUT_SIZE_EXCEEDED"),
     InputRefused, "251"),
    (error("InventoryQuantityInput must include …", "INVALID_FIELD_ARGUMENTS"), InputRefused, "must include"),
    (error("you must provide one of first or last", "BAD_REQUEST"), InputRefused, "first or last"),
    (error("invalid id", "RESOURCE_NOT_FOUND"), InputRefused, "invalid id"),
    (error("not found", "NOT_FOUND"), InputRefused, "not found"),
    (error("invalid taxonomy", "INVALID_PRODUCT_TAXONOMY_NODE_ID"), InputRefused, "taxonomy"),
    *((error(f"The document is wrong: {code}", code), DEVELOPER, "did not understand") for code in (
        "PARSE_ERROR", "undefinedField", "selectionMismatch", "missingRequiredArguments",
        "argumentLiteralsIncompatible", "argumentNotAccepted", "variableNotUsed",
        "missingRequiredInputObjectAttribute", "undefinedDirective")),
    ("a plain sentence", DEVELOPER, "a plain sentence"),
])
def test_an_error_without_data_becomes_one_of_ours(body: Any, kind: type[SyncError], words: str) -> None:
    with pytest.raises(SyncError) as caught:
        read(200, orjson.dumps({"errors": [body]}))
    assert words in str(caught.value)
    assert_acts(caught.value, kind)


def test_a_failure_of_shopifys_own_keeps_the_id_that_its_support_asks_for() -> None:
    entry = {"message": "Internal error.", "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": "7f3a-1"}}
    with pytest.raises(RetryLater, match="7f3a-1") as caught:
        read(200, orjson.dumps({"errors": [entry], "data": None}))
    assert caught.value.request_id == "7f3a-1"
    with pytest.raises(RetryLater) as caught:
        read(502, b"", X_Request_Id="88-b")
    assert caught.value.request_id == "88-b"


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_cut_stream_is_repeated_for_a_read_and_unknown_for_a_write(start: Any, where: str) -> None:
    shop = start(products=1)
    one = client(shop.url, PastedToken("shpat_demo"))
    shop.door("faults", next=[{"drop": where}])
    assert one.run("{ shop { name } }", {}).data["shop"]
    shop.door("faults", next=[{"drop": where}])
    with pytest.raises(OutcomeUnknown):
        one.run('mutation { tagsAdd(id: "gid://shopify/Product/1", tags: ["x"]) { userErrors { message } } }', {},
                writes=True)


def test_an_internal_error_leaves_a_write_open_and_a_read_to_be_repeated() -> None:
    body = b'{"errors":[{"message":"Internal error.","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}'
    with pytest.raises(OutcomeUnknown):
        read(200, body, writes=True)
    with pytest.raises(RetryLater) as caught:
        read(200, body)
    assert not isinstance(caught.value, OutcomeUnknown)


def test_a_null_with_an_error_on_its_path_is_unread_and_any_other_null_is_empty() -> None:
    answer = read(200, b'{"data":{"nodes":[{"cost":null,"sku":null},null]},"errors":['
                       b'{"message":"Access denied","path":["nodes",0,"cost"],"extensions":{"code":"ACCESS_DENIED"}}]}')
    assert answer.data["nodes"] == [{"cost": UNREAD, "sku": None}, None]


def test_a_null_that_climbed_is_unread_where_it_stopped() -> None:
    answer = read(200, b'{"data":{"nodes":[{"item":null}]},"errors":['
                       b'{"message":"Access denied","path":["nodes",0,"item","unitCost","amount"]}]}')
    assert answer.data["nodes"][0]["item"] is UNREAD


def test_a_whole_list_that_is_denied_names_the_scope() -> None:
    answer = read(200, b'{"data":{"locations":null},"errors":[{"message":"Access denied for locations field. '
                       b'Required access: `read_locations` access scope.","path":["locations"],'
                       b'"extensions":{"code":"ACCESS_DENIED"}}]}')
    with pytest.raises(AccessError, match=r"Locations.*read_locations"):
        answer.root("locations", "Locations")


def test_a_throttled_query_waits_as_long_as_the_points_need_and_goes_on() -> None:
    sleeps: list[float] = []
    with scripted(says(throttled(507, 7)), says({**OK, "extensions": {"cost": cost(507, 1493, 120)}})) as (url, script):
        one = client(url, sleeps=sleeps)
        assert one.run("{ shop { name } }", {}).data == OK["data"]
    assert sleeps == [pytest.approx(5.0)]
    assert (one._usage.requests, one._usage.points) == (2, 120)
    assert len(script.asked) == 2


def test_a_throttled_mutation_is_sent_again_since_it_did_not_run() -> None:
    with scripted(says(throttled(20, 0)), says({"data": {"m0": {"userErrors": []}}})) as (url, _):
        one = client(url)
        one.run("mutation { m0 }", {}, writes=True)
    assert one._usage.writes == 1


def test_a_mutation_is_not_repeated_after_a_500() -> None:
    with scripted(says({}, 500)) as (url, script):
        with pytest.raises(OutcomeUnknown):
            client(url).run("mutation { x }", {}, writes=True)
        assert len(script.asked) == 1


def test_a_query_is_repeated_after_a_503_when_shopify_said() -> None:
    sleeps: list[float] = []
    with scripted(says({}, 503, Retry_After="3"), says(OK)) as (url, _):
        client(url, sleeps=sleeps).run("{ shop { name } }", {})
    assert sleeps == [3.0]


def test_a_document_waits_for_its_points_before_it_is_sent_again() -> None:
    sleeps: list[float] = []
    answer = {**OK, "extensions": {"cost": cost(300, 100, 300)}}
    with scripted(says(answer), says(answer)) as (url, _):
        one = client(url, sleeps=sleeps)
        one.run("{ shop { name } }", {})
        assert sleeps == []
        one.run("{ shop { name } }", {})
    assert sleeps == [pytest.approx(2.0)]


def test_an_answer_of_another_version_is_refused() -> None:
    with scripted(says(OK, X_Shopify_API_Version="2027-01")) as (url, _), \
            pytest.raises(UserError, match=r"2027-01.*2026-10"):
        client(url).run("{ shop { name } }", {})


def test_a_filter_that_shopify_would_ignore_is_an_error() -> None:
    search = [{"path": ["products"], "query": "colour:red", "parsed": {}, "warnings": [
        {"field": "colour", "message": "Invalid search field for this query.", "code": "invalid_field"}]}]
    with scripted(says({**OK, "extensions": {"search": search}})) as (url, _), \
            pytest.raises(UserError, match="colour: Invalid search field"):
        client(url).run("query { x }", {"query": "colour:red"})


def test_client_credentials_are_exchanged_once_and_again_on_a_401() -> None:
    first, second = ({"access_token": t, "scope": "write_products", "expires_in": 86399} for t in ("one", "two"))
    now = [0.0]
    with scripted(says(first), says(OK), says({"errors": "[API] Invalid API key"}, 401), says(second), says(OK),
                  says({**first, "access_token": "three"}), says(OK)) as (url, script):
        one = client(url, ClientCredentials("id", "secret", clock=lambda: now[0]))
        one.run("{ a }", {})
        assert script.asked[0] == {"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret"}
        one.run("{ a }", {})
        now[0] = 23 * 3600
        one.run("{ a }", {})
    assert script.tokens == ["one", "one", "two", "three"]


def test_a_pasted_token_that_is_refused_asks_for_another() -> None:
    with scripted(says({"errors": "[API] Invalid API key"}, 401)) as (url, _), \
            pytest.raises(AccessError, match="Paste a new token"):
        client(url).run("{ a }", {})


@pytest.mark.parametrize(("status", "body", "words"), [
    (400, {"error": "shop_not_permitted"}, "same organisation"),
    (400, {"error": "invalid_client", "error_description": "…"}, "client secret"),
    (404, b"<html>", "no store of this name"),
    (401, b"<html>Oauth error app_not_installed</html>", "Install the app"),
])
def test_refused_client_credentials_say_why(status: int, body: Any, words: str) -> None:
    with scripted(says(body, status)) as (url, _), pytest.raises(UserError, match=words) as caught:
        ClientCredentials("id", "hush").token(url)
    assert "hush" not in str(caught.value)


def test_no_secret_shows_in_a_repr_an_error_or_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    pasted, pair = PastedToken(" shpat_secret\n"), ClientCredentials("id", "shpss_secret")
    with scripted(says({"access_token": "tok_secret", "expires_in": 86399}), says({}, 503), says({}, 401),
                  says({"access_token": "tok_secret", "expires_in": 86399}), says({}, 401)) as (url, _), \
            pytest.raises(AccessError) as caught:
        client(url, pair).run("{ a }", {})
    assert "secret" not in f"{pasted!r} {pair!r} {caught.value}" + caplog.text.replace("access_token", "")
    assert pasted.token("") == "shpat_secret"


@pytest.mark.parametrize("text", ["", "  ", "shpat_a b", "shpss_abc", "atkn_abc", "shpat_ä"])
def test_what_cannot_be_a_token_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(UserError) as caught:
        PastedToken(text)
    assert not text.strip() or text not in str(caught.value)


@pytest.mark.parametrize("text", [
    "fieldhouse.myshopify.com", "fieldhouse", " Fieldhouse.myshopify.com ", "https://fieldhouse.myshopify.com/admin",
    "https://admin.shopify.com/store/fieldhouse", "admin.shopify.com/store/fieldhouse/products?x=1",
])
def test_what_people_paste_becomes_the_stores_domain(text: str) -> None:
    assert store_domain(text) == "fieldhouse.myshopify.com"


@pytest.mark.parametrize("text", ["", "www.fieldhouse.com", "https://admin.shopify.com/", "a b", "http://[", "x.y",
                                  "fieldhouse.myshopify.com.evil.org"])
def test_anything_else_is_no_store(text: str) -> None:
    with pytest.raises(UserError, match=r"myshopify\.com"):
        store_domain(text)


def test_a_write_whose_whole_answer_was_swallowed_from_within_may_have_happened() -> None:
    body = {"data": None, "errors": [error(PROTECTED, "ACCESS_DENIED", path=["m0", "order", "name"])]}
    with pytest.raises(OutcomeUnknown):
        read(200, orjson.dumps(body), writes=True)
    with pytest.raises(AccessError):
        read(200, orjson.dumps(body))

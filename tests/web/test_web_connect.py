"""Connecting a store in the widget: what is tried, what is kept, what is refused, moved and ended."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import requests
from web_helpers import Place, config, make_bare_place

from backend.grist.client import GristClient
from backend.settings import Secret
from backend.shopify.auth import ClientCredentials, PastedToken
from backend.shopify.permissions import KNOWN
from backend.shopify.resources import RESOURCES
from backend.store import entrusted, links, options, runs, schedule
from backend.web.access import Gate
from backend.web.errors import Refused
from backend.web.limits import TRIES, Limiter
from demo.grist import Grist
from demo.shopify import Store

DOMAIN = "fieldhouse.myshopify.com"
TOKEN = {"store": DOMAIN, "token": "shpat_demo"}
CLIENT = {"store": DOMAIN, "client_id": "client-1", "client_secret": "shpss_secret"}


def send(place: Place, method: str, path: str, body: Any = None, status: int = 200, role: str = "owner") -> Any:
    answer = place.ask(method, path, role, body)
    assert answer.status_code == status, answer.text
    return answer.json


def connect(place: Place, body: Any = TOKEN) -> int:
    link_id: int = send(place, "POST", "/api/link", body, 201)["id"]
    return link_id


# --- the test -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [TOKEN, CLIENT, {**TOKEN, "store": "https://admin.shopify.com/store/fieldhouse/apps"},
                                  {**TOKEN, "store": " Fieldhouse "}])
def test_a_test_names_the_shop_and_keeps_nothing(bare: Place, body: dict[str, str]) -> None:
    told = send(bare, "POST", "/api/link/test", body)
    assert told["store"] == DOMAIN
    assert set(told["shop"]) == {"name", "currency", "timezone"}
    assert all(one["granted"] for one in told["permissions"])
    assert told["problems"] == []
    with bare.service.database.read() as tx:
        assert (links.all_links(tx), entrusted.everything(tx)) == ([], [])


def test_a_missing_permission_is_named_with_what_it_blocks(bare: Place, shopify_server: tuple[Store, str]) -> None:
    shopify_server[0].set_scopes(["write_products", "read_inventory", "read_orders"])
    missing = {one["scope"]: one["without"] for one in send(bare, "POST", "/api/link/test", TOKEN)["permissions"]
               if not one["granted"]}
    assert missing["read_customers"] == "Customers cannot be synced, and orders show no names."
    assert missing["write_inventory"] == "Stock changes in Grist are not sent to Shopify."
    assert not {"read_products", "read_locations", "read_all_orders"} & set(missing)


def test_every_scope_that_a_resource_asks_for_is_explained() -> None:
    asked = {scope for one in RESOURCES.values() for scope in (*one.scopes, *one.write_scopes)}
    assert asked <= set(KNOWN)


def test_protected_customer_data_is_told_with_its_cure(bare: Place, shopify_server: tuple[Store, str]) -> None:
    shopify_server[0].protected_data = False
    [problem] = send(bare, "POST", "/api/link/test", TOKEN)["problems"]
    assert "names, addresses and e-mails" in problem["message"]
    assert "protected customer data" in problem["cure"]


@pytest.mark.parametrize(("body", "said"), [
    ({**TOKEN, "token": "shpat_wrong"}, "Shopify does not accept the access token"),
    ({**CLIENT, "client_secret": "shpss_wrong"}, "Shopify does not accept the app's client id and secret"),
    ({**TOKEN, "token": "shpss_secret"}, "is the app's client secret"),
])
def test_a_wrong_key_is_said_as_such(bare: Place, body: dict[str, str], said: str) -> None:
    answer = bare.ask("POST", "/api/link/test", body=body)
    assert answer.status_code in (403, 422)
    assert said in answer.json["message"]
    assert answer.json["cure"]


@pytest.mark.parametrize("store", [
    "https://evil.example", "evil.example", "fieldhouse.myshopify.com.evil.example",
    "fieldhouse.myshopify.com@evil.example", "fieldhouse.myshopify.com:8080@evil.example",
    "http://169.254.169.254/latest/meta-data", "localhost", "127.0.0.1:5432", "[::1]", "file:///etc/passwd", "gopher://x",
    "fieldhouse.myshopify.com\r\nHost: evil.example", "evil.example#.myshopify.com", "evil.example/.myshopify.com",
    "evil.example?.myshopify.com", "-.myshopify.com", "a b", "..", "xn--fieldhouse.evil.example",
    "ｆieldhouse.myshopify.com", "http://fieldhouse.myshopify.com@127.0.0.1/",
    "//evil.example/fieldhouse.myshopify.com",
])
@pytest.mark.parametrize("path", ["/api/link/test", "/api/link"])
def test_no_request_goes_to_an_address_that_somebody_chose(
        bare: Place, monkeypatch: pytest.MonkeyPatch, store: str, path: str) -> None:
    """Whatever is typed, only https://{name}.myshopify.com is ever asked; here even that is not."""
    asked: list[str] = []

    def note(self: requests.Session, method: str, url: str, **_: Any) -> Any:
        asked.append(url)
        raise requests.ConnectionError

    token = bare.token()
    assert bare.get("/api/session", token=token)["link"] is None
    bare.service.context.settings = bare.service.context.settings.__class__(
        **{**bare.service.context.settings.__dict__, "shopify_admin_url": ""})
    monkeypatch.setattr(requests.Session, "request", note)
    monkeypatch.setattr("backend.shopify.trial.PATIENCE_SECONDS", 0.0)
    answer = bare.ask("POST", path, body={"store": store, "token": "shpat_x"}, token=token)
    assert answer.status_code in (422, 503), answer.text
    for url in asked:
        if not url.startswith(bare.service.server_url):
            assert re.match(r"https://[a-z0-9][a-z0-9-]*\.myshopify\.com/admin/api/", url), url


def test_keys_cannot_be_tried_without_end(bare: Place) -> None:
    for _ in range(TRIES):
        send(bare, "POST", "/api/link/test", TOKEN)
    answer = bare.ask("POST", "/api/link/test", body=TOKEN)
    assert (answer.status_code, answer.json["code"]) == (429, "too_many")
    assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_a_minute_later_it_may_be_tried_again() -> None:
    now = [0.0]
    limiter = Limiter(clock=lambda: now[0])
    for _ in range(TRIES):
        limiter.take("document")
    with pytest.raises(Refused):
        limiter.take("document")
    limiter.take("another")
    now[0] = 60.0
    limiter.take("document")


# --- connecting -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("body", "kind"), [(TOKEN, PastedToken), (CLIENT, ClientCredentials)])
def test_a_store_is_connected_and_its_key_is_sealed(bare: Place, body: dict[str, str], kind: type) -> None:
    link_id = connect(bare, body)
    assert (bare.link.id, bare.link.store, bare.link.configured) == (link_id, DOMAIN, False)
    session = bare.get("/api/session")
    assert session["link"]["first_run"] == {"step": "resources"}
    assert isinstance(bare.service.context.credentials(bare.link), kind)
    with bare.service.database.read() as tx:
        [one] = entrusted.everything(tx)
    assert one.hint == ("…" if body is TOKEN else "…cret")
    assert "shp" not in one.sealed


def test_a_key_that_shopify_refuses_is_not_kept(bare: Place) -> None:
    assert bare.ask("POST", "/api/link", body={**TOKEN, "token": "shpat_wrong"}).status_code == 403
    with bare.service.database.read() as tx:
        assert (links.all_links(tx), entrusted.everything(tx)) == ([], [])


def test_a_second_store_for_a_document_is_refused_with_a_sentence(bare: Place) -> None:
    connect(bare)
    answer = send(bare, "POST", "/api/link", {**TOKEN, "store": "other"}, 409)
    assert answer["message"] == f"This document is connected to {DOMAIN}, and a document has one store."
    assert answer["cure"] == "Use another document for other.myshopify.com."
    assert send(bare, "POST", "/api/link", TOKEN, 409)["code"] == "connected"


def test_a_store_may_have_many_documents(bare: Place) -> None:
    first = connect(bare)
    bare.document = bare.grist.new_document("Second")
    assert connect(bare) != first


def test_the_environments_key_is_good_only_for_what_the_environment_describes(shop: Place) -> None:
    """Who owns another document cannot use the service's own key to the store for it."""
    other = Place(shop.app, shop.client, shop.grist, shop.grist.new_document("Elsewhere"))
    with shop.service.database.write() as tx:
        link_id = links.add(tx, DOMAIN, shop.service.server_url, other.document.doc_id, None, configured=False)
        found = links.get(tx, link_id)
    assert found is not None
    context = shop.service.context
    with pytest.raises(Exception, match="There is no key for fieldhouse"):
        context.credentials(found)
    assert (context.grist_key(found), context.grist_key(shop.link)) == ("", "grist-secret")


def test_without_secret_key_a_host_keeps_no_key_and_says_what_to_do(
        grist_server: tuple[Grist, str], tmp_path: Path, empty_database: Path) -> None:
    shutil.copy(empty_database, tmp_path / "sync.db")
    place = make_bare_place(*grist_server, tmp_path, secret_key=Secret(), wiped_disk=True)
    answer = send(place, "POST", "/api/link", TOKEN, 409)
    assert (answer["code"], "Set SECRET_KEY" in answer["cure"]) == ("no_secret_key", True)
    place.service.database.dispose()


# --- a new key, the end, and the beginning again -----------------------------------------------------------


def test_a_key_is_replaced_once_shopify_accepts_the_new_one(bare: Place) -> None:
    connect(bare)
    assert bare.ask("PUT", "store", body={"token": "shpat_wrong"}).status_code == 403
    assert isinstance(bare.service.context.credentials(bare.link), PastedToken)
    send(bare, "PUT", "store", {"client_id": "client-1", "client_secret": "shpss_secret"})
    assert isinstance(bare.service.context.credentials(bare.link), ClientCredentials)
    assert send(bare, "PUT", "store", {**TOKEN, "store": "other"}, 409)["code"] == "other_store"


def test_disconnecting_deletes_the_keys_and_keeps_the_rest(bare: Place) -> None:
    link_id = connect(bare)
    with bare.service.database.write() as tx:
        links.set_mappings(tx, link_id, config().mappings)
        options.change(tx, link_id, {"first_run": None})
        runs.request(tx, link_id, "sync", "Timer")
    key = send(bare, "POST", "keys", {"name": "nightly"}, 201)["key"]
    told = send(bare, "DELETE", f"/api/links/{link_id}")
    assert "mapping, conflicts and history stay" in told["stays"]
    with bare.service.database.read() as tx:
        assert entrusted.everything(tx) == []
        assert runs.active(tx, link_id) is None
        assert schedule.due(tx) == []
    assert bare.get("/api/session") | {"version": ""} == {
        "role": "owner", "document": bare.document.doc_id, "version": "", "link": None, "before": DOMAIN, "copy": None,
        "message": bare.get("/api/session")["message"]}
    assert bare.ask("GET", "/api/session", token=key).status_code == 401
    assert bare.ask("GET", f"/api/links/{link_id}/state").status_code == 404
    assert send(bare, "POST", "/api/link", {**TOKEN, "store": "other"}, 409)["code"] == "other_store"
    assert connect(bare) == link_id  # the same store again: everything goes on
    session = bare.get("/api/session")
    assert (session["link"]["id"], session["link"]["first_run"]) == (link_id, None)


def test_a_run_of_a_disconnected_link_does_not_begin(bare: Place) -> None:
    connect(bare)
    found = bare.link
    send(bare, "DELETE", f"/api/links/{found.id}")
    with pytest.raises(Exception, match="was disconnected"):
        bare.service.context.session(bare.link, 1)


# --- copies ---------------------------------------------------------------------------------------------


def fill(place: Place, *rows: tuple[int, str]) -> None:
    client = GristClient(place.service.server_url, place.document.doc_id, token=place.token())
    client.apply([
        ["AddTable", "Products", [{"id": "Title", "type": "Text", "isFormula": False},
                                  {"id": "Shopify_ID", "type": "Text", "isFormula": False}]],
        ["BulkAddRecord", "Products", [row for row, _ in rows], {"Shopify_ID": [thing for _, thing in rows]}]])


ROWS = ((1, "gid://shopify/Product/11"), (2, "gid://shopify/Product/12"))


@pytest.fixture
def copied(bare: Place) -> Place:
    """A place whose document is a copy of one that is connected."""
    link_id = connect(bare)
    with bare.service.database.write() as tx:
        links.set_mappings(tx, link_id, config().mappings)
    for row, thing in ROWS:
        bare.pair("products", row, thing, title="x")
    fill(bare, *ROWS)
    copy = Place(bare.app, bare.client, bare.grist, bare.grist.new_document("Copy"))
    fill(copy, *ROWS)
    return copy


def test_a_copied_document_is_known_by_its_shopify_ids_and_does_not_sync(copied: Place) -> None:
    session = copied.get("/api/session")
    assert (session["link"], session["copy"]) == (None, {"store": DOMAIN, "configured": False})
    assert send(copied, "POST", "/api/link", TOKEN, 409)["code"] == "copy"


def test_the_link_is_moved_only_by_whoever_has_the_stores_key(copied: Place) -> None:
    """Shopify ids can be read in a shop's pages, so a document that holds some proves nothing."""
    assert copied.ask("POST", "/api/link/move", body={**TOKEN, "token": "shpat_wrong"}).status_code == 403
    assert send(copied, "POST", "/api/link/move", {**TOKEN, "store": "other"}, 409)["code"] == "other_store"
    assert copied.get("/api/session")["link"] is None
    moved = send(copied, "POST", "/api/link/move", TOKEN)
    assert copied.link.id == moved["id"]
    assert copied.get("/api/session")["link"]["store"] == DOMAIN


@pytest.mark.parametrize("rows", [((1, "gid://shopify/Product/11"), (2, "gid://shopify/Product/999")), ((1, "text"),)])
def test_a_document_with_other_ids_is_no_copy(copied: Place, rows: tuple[tuple[int, str], ...]) -> None:
    other = Place(copied.app, copied.client, copied.grist, copied.grist.new_document("Other"))
    fill(other, *rows)
    assert other.get("/api/session")["copy"] is None
    assert send(other, "POST", "/api/link/move", TOKEN, 409)["code"] == "no_copy"


def test_grist_is_asked_about_a_copy_once_a_minute(copied: Place) -> None:
    copied.get("/api/session")
    copied.service.copies._look = lambda *_: pytest.fail("asked again")  # type: ignore[method-assign]
    assert copied.get("/api/session")["copy"] is not None


def test_an_ended_token_learns_nothing_of_copies(copied: Place) -> None:
    copied.service.gate = Gate(lambda document, token: None)
    assert copied.ask("GET", "/api/session").status_code == 401

"""Webhooks out of Grist: made for each mapped table, mended, removed with the link, and read as hints only."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, request
from grist_helpers import mapping
from places import Place

from backend.grist import webhooks
from backend.grist.connector import GristConnector
from demo.serving import serving

SECRET = "Bearer only-grist-knows-this"


@pytest.fixture
def received() -> Iterator[tuple[str, queue.Queue[Any]]]:
    """An address that Grist may call, and what arrives there: (resource, authorization, payload)."""
    arrived: queue.Queue[Any] = queue.Queue()
    app = Flask("receiver")

    @app.post("/hooks/grist/key-of-the-link/<resource>")
    def hook(resource: str) -> str:
        arrived.put((resource, request.headers.get("Authorization"), request.get_json()))
        return "ok"

    with serving(app) as url:
        yield f"{url}/hooks/grist/key-of-the-link", arrived


@pytest.fixture
def connector(place: Place) -> GristConnector:
    connector = place.connector()
    connector.prepare([mapping("products", "title", "vendor"), mapping("variants", "product", "sku")], {}, write=True)
    return connector


def ensure(connector: GristConnector, address: str) -> webhooks.Ensured:
    return webhooks.ensure(connector._client, connector._memory.bound, address, SECRET)


def test_every_mapped_table_gets_one_and_only_once(connector: GristConnector, received: Any) -> None:
    address, _ = received
    assert ensure(connector, address).put_back == ("products", "variants")
    again = ensure(connector, address)
    assert (again.subscribed, again.put_back, again.reason) == (("products", "variants"), (), "")
    hooks = {hook["fields"]["url"]: hook["fields"] for hook in connector._client.webhooks()}
    assert sorted(hooks) == [f"{address}/products", f"{address}/variants"]
    assert hooks[f"{address}/products"]["watchedColIds"] == ["Title", "Vendor"]
    assert hooks[f"{address}/products"]["authorization"] == SECRET


def test_an_edit_arrives_as_a_hint_with_the_secret(place: Place, connector: GristConnector, received: Any) -> None:
    address, arrived = received
    ensure(connector, address)
    place.act(["BulkAddRecord", "Products", [None, None], {"Title": ["A", "B"]}])
    rows: set[tuple[str, str]] = set()
    while len(rows) < 2:
        resource, authorization, payload = arrived.get(timeout=20)
        assert authorization == SECRET
        rows |= set(webhooks.hints(resource, payload))
    assert rows == {("products", "1"), ("products", "2")}


def test_what_a_person_switched_off_or_changed_is_put_back(connector: GristConnector, received: Any) -> None:
    address, _ = received
    ensure(connector, address)
    hook = next(h for h in connector._client.webhooks() if h["fields"]["url"].endswith("/products"))
    connector._client.change_webhook(hook["id"], {"enabled": False})
    assert ensure(connector, address).put_back == ("products",)
    connector._client.remove_webhook(hook["id"])
    assert ensure(connector, address).put_back == ("products",)


def test_others_webhooks_are_left_alone_and_ours_go_with_the_link(connector: GristConnector, received: Any) -> None:
    address, _ = received
    theirs = address.replace("key-of-the-link", "another-link") + "/products"
    connector._client.add_webhook({"tableId": "Products", "url": theirs, "eventTypes": ["add"], "enabled": True})
    ensure(connector, address)
    assert webhooks.remove(connector._client, address) == 2
    assert [hook["fields"]["url"] for hook in connector._client.webhooks()] == [theirs]


def test_a_table_that_is_mapped_no_more_is_told_no_more(connector: GristConnector, received: Any) -> None:
    address, _ = received
    ensure(connector, address)
    del connector._memory.bound["variants"]
    ensure(connector, address)
    assert [hook["fields"]["tableId"] for hook in connector._client.webhooks()] == ["Products"]


def test_a_host_that_grist_may_not_call_is_named_with_the_cure(place: Place, connector: GristConnector) -> None:
    if place.grist is None:
        pytest.skip("whom a real Grist calls is set there")
    ensured = ensure(connector, "https://backend.example.com/hooks/grist/k")
    assert ensured.subscribed == ()
    assert "ALLOWED_WEBHOOK_DOMAINS" in ensured.reason


def test_who_is_no_owner_is_told_so(place: Place, connector: GristConnector, received: Any) -> None:
    if place.grist is None:
        pytest.skip("keys of others are made in the stand-in only")
    place.grist.add_key("key-of-editor", role="editor")
    editor = place.connector(api_key="key-of-editor")
    editor.prepare([mapping("products", "title")], {}, write=False)
    ensured = ensure(editor, received[0])
    assert ensured.subscribed == ()
    assert "only owners" in ensured.reason


@pytest.mark.parametrize(("payload", "expected"), [
    ([{"id": 3, "Title": "x"}, {"id": 3}, {"id": 4}], (("products", "3"), ("products", "4"))),
    ([], ()), ({"id": 3}, ()), (None, ()), ([{"id": True}, {"id": -1}, {"id": "3"}, 5, {}], ()),
])
def test_only_row_ids_are_taken_from_a_delivery(payload: Any, expected: Any) -> None:
    assert webhooks.hints("products", payload) == expected

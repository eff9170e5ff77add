"""Webhooks come in: signed ones are noted once and answered at once, others are refused, and nothing in them is
believed but that something may have changed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path
from typing import Any

import orjson
import pytest
from web_helpers import STORE, Place, make_place
from werkzeug.test import TestResponse

from backend.core.model import Side
from backend.settings import Secret
from backend.store import deliveries, inbox, links, notices, privacy, schedule
from backend.web import hooks
from demo.grist import Grist

SECRET, OLD = "hush", "hush-of-last-year"
PRODUCT = {"id": 632910392, "title": "Mug"}
GID = "gid://shopify/Product/632910392"
CUSTOMER, ORDER = "gid://shopify/Customer/191167", "gid://shopify/Order/299938"


@pytest.fixture
def hooked(grist_server: tuple[Grist, str], tmp_path: Path, place: Place) -> Place:
    """A place whose app knows Shopify's secrets."""
    place.service.database.dispose()
    return make_place(*grist_server, tmp_path, document=place.document, webhook_secret=Secret(SECRET),
                      old_webhook_secret=Secret(OLD))


def key(place: Place) -> str:
    with place.service.database.read() as tx:
        return schedule.key_of(tx, place.link.id)


def signature(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def deliver(place: Place, topic: str, payload: Any, *, address: str | None = None, secret: str = SECRET,
            **headers: str) -> TestResponse:
    body = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    return place.client.post(
        address or f"/hooks/shopify/{key(place)}", data=body,
        headers={"X-Shopify-Topic": topic, "X-Shopify-Shop-Domain": STORE,
                 "X-Shopify-Hmac-Sha256": signature(body, secret),
                 **{name.replace("_", "-"): value for name, value in headers.items()}})


def hints(place: Place) -> dict[tuple[Side, str], set[Any]]:
    with place.service.database.read() as tx:
        return inbox.claim(tx, place.link.id).keys


def test_a_signed_delivery_is_noted_and_wakes_the_worker(hooked: Place) -> None:
    poked = []
    hooked.service.poke = lambda: poked.append(1)
    response = deliver(hooked, "products/update", PRODUCT)
    assert (response.status_code, response.json) == (200, {"noted": True})
    assert GID in hints(hooked)[Side.REMOTE, "products"]
    assert poked == [1]
    with hooked.service.database.read() as tx:
        assert [one.link_id for one in schedule.hinted(tx)] == [hooked.link.id]


@pytest.mark.parametrize(("secret", "status"), [(SECRET, 200), (OLD, 200), ("guessed", 401), ("", 401)])
def test_only_what_is_signed_with_the_old_or_the_new_secret_is_taken(hooked: Place, secret: str, status: int) -> None:
    assert deliver(hooked, "products/update", PRODUCT, secret=secret).status_code == status
    assert bool(hints(hooked)) == (status == 200)


@pytest.mark.parametrize("header", ["", "no base64 at all", "YWJj", "é"])
def test_a_broken_signature_is_refused(hooked: Place, header: str) -> None:
    response = hooked.client.post(f"/hooks/shopify/{key(hooked)}", data=b"{}", headers={
        "X-Shopify-Topic": "products/update", "X-Shopify-Hmac-Sha256": header})
    assert (response.status_code, response.json["code"]) == (401, "signature")


def test_one_changed_byte_breaks_the_signature(hooked: Place) -> None:
    body = orjson.dumps(PRODUCT)
    response = hooked.client.post(f"/hooks/shopify/{key(hooked)}", data=body.replace(b"Mug", b"Mag"), headers={
        "X-Shopify-Topic": "products/update", "X-Shopify-Hmac-Sha256": signature(body)})
    assert response.status_code == 401


def test_without_a_secret_nothing_is_taken(place: Place) -> None:
    assert deliver(place, "products/update", PRODUCT, secret="").status_code == 401


def test_an_unknown_key_is_not_found(hooked: Place) -> None:
    assert deliver(hooked, "products/update", PRODUCT, address="/hooks/shopify/guessed").status_code == 404


def test_a_repeated_delivery_is_dropped(hooked: Place) -> None:
    first = deliver(hooked, "products/update", PRODUCT, X_Shopify_Webhook_Id="d1")
    again = deliver(hooked, "products/update", PRODUCT, X_Shopify_Webhook_Id="d1")
    other = deliver(hooked, "products/update", PRODUCT, X_Shopify_Webhook_Id="d2")
    assert [one.json["noted"] for one in (first, again, other)] == [True, False, True]


def test_one_happening_is_noted_once_for_each_thing_that_it_tells_of(hooked: Place) -> None:
    """Several subscriptions tell of one happening; and one order moves the stock of several items."""
    told = [deliver(hooked, topic, payload, X_Shopify_Event_Id="e1", X_Shopify_Webhook_Id=f"d{number}").json["noted"]
            for number, (topic, payload) in enumerate([
                ("products/update", PRODUCT), ("products/update", PRODUCT), ("products/update", {"id": 2}),
                ("inventory_levels/update", {"inventory_item_id": 3})])]
    assert told == [True, False, True, True]


def test_known_deliveries_are_forgotten_in_time_but_for_the_newest(hooked: Place,
                                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        deliver(hooked, "products/update", PRODUCT, X_Shopify_Webhook_Id=f"d{number}")
    monkeypatch.setattr(deliveries, "KEPT_SECONDS", -1)
    with hooked.service.database.write() as tx:
        assert deliveries.forget_old(tx) == 2
        assert deliveries.last_at(tx, hooked.link.id, Side.REMOTE) is not None


def test_a_full_inbox_takes_whole_resources(hooked: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "FULL", 5)
    for number in range(20):
        deliver(hooked, "products/update", {"id": number})
    with hooked.service.database.read() as tx:
        waiting_hints, _ = inbox.waiting(tx, hooked.link.id)
    assert waiting_hints < 15
    assert "" in hints(hooked)[Side.REMOTE, "products"]


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'"text"', b"[" * 5000, b"\xff\xfe"])
def test_a_delivery_that_holds_nonsense_is_refused_in_a_sentence(hooked: Place, body: bytes) -> None:
    response = deliver(hooked, "products/update", body)
    assert (response.status_code, set(response.json)) == (400, {"code", "message", "cure", "details"})


def test_a_delivery_beyond_all_measure_is_refused_unread(hooked: Place) -> None:
    response = deliver(hooked, "products/update", b"x" * (hooks.LARGEST_BODY_BYTES + 1))
    assert response.status_code == 413


def test_a_topic_that_nobody_knows_does_no_harm(hooked: Place) -> None:
    assert deliver(hooked, "themes/update", {"id": 1}).json == {"noted": False}


def test_the_address_explains_itself_to_a_person(hooked: Place) -> None:
    for path in ("/hooks/", f"/hooks/shopify/{key(hooked)}", "/hooks/grist/x/products"):
        response = hooked.client.get(path)
        assert (response.status_code, "Deliveries must be signed" in response.text) == (200, True)
    assert key(hooked) not in hooked.client.get(f"/hooks/shopify/{key(hooked)}").text


# --- what stops a link ----------------------------------------------------------------------------


@pytest.mark.parametrize("address", [None, "/hooks/shopify"])
def test_an_uninstalled_app_stops_the_link_and_says_so(hooked: Place, address: str | None) -> None:
    deliver(hooked, "app/uninstalled", {"id": 1, "domain": STORE}, address=address)
    with hooked.service.database.write() as tx:
        links.set_interval(tx, hooked.link.id, 60)
        assert schedule.due(tx) == []
        assert "was removed from the Shopify store" in schedule.of(tx, hooked.link.id).stopped["message"]
        (notice,) = notices.take(tx, hooked.link.id)
    assert "Install the app again" in notice.text


def test_lost_scopes_stop_the_link_and_are_named_and_new_ones_do_not(hooked: Place) -> None:
    deliver(hooked, "app/scopes_update", {"previous": ["read_products"], "current": ["read_products", "read_orders"]})
    with hooked.service.database.read() as tx:
        assert schedule.of(tx, hooked.link.id).stopped is None
    deliver(hooked, "app/scopes_update", {"previous": ["read_products", "write_products"],
                                           "current": ["read_products"]})
    with hooked.service.database.read() as tx:
        assert "write_products" in schedule.of(tx, hooked.link.id).stopped["message"]


def test_another_store_of_the_app_is_not_stopped(hooked: Place) -> None:
    deliver(hooked, "app/uninstalled", {"id": 1}, address="/hooks/shopify", X_Shopify_Shop_Domain="other.myshopify.com")
    with hooked.service.database.read() as tx:
        assert schedule.of(tx, hooked.link.id).stopped is None


# --- privacy --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("topic", "more"), [
    ("customers/redact", {"orders_to_redact": [299938]}), ("customers/data_request", {"orders_requested": [299938]}),
    ("shop/redact", {}),
])
def test_a_privacy_topic_is_kept_for_the_worker(hooked: Place, topic: str, more: dict[str, Any]) -> None:
    payload = {"shop_domain": STORE, "customer": {"id": 191167, "email": "ann@example.com"}, **more}
    assert deliver(hooked, topic, payload, address="/hooks/shopify").json == {"noted": True}
    with hooked.service.database.write() as tx:
        (wish,) = privacy.waiting(tx)
    assert (wish.topic, wish.customer) == (topic, CUSTOMER)
    assert wish.things == ([CUSTOMER, ORDER] if more else [CUSTOMER])


# --- Grist ----------------------------------------------------------------------------------------


def from_grist(place: Place, rows: Any, authorization: str | None = None, resource: str = "products") -> TestResponse:
    if authorization is None:
        authorization = place.service.context.grist_authorization(place.link, key(place))
    return place.client.post(f"/hooks/grist/{key(place)}/{resource}", json=rows,
                             headers={"Authorization": authorization})


def test_rows_that_grist_tells_of_are_noted_by_id(hooked: Place) -> None:
    assert from_grist(hooked, [{"id": 7, "Title": "Mug"}, {"id": 9}]).json == {"noted": True}
    assert hints(hooked) == {(Side.LOCAL, "products"): {7, 9}}


@pytest.mark.parametrize("authorization", ["", "Bearer guessed", "Bearer grist-secret"])
def test_whoever_does_not_know_the_authorization_is_refused(hooked: Place, authorization: str) -> None:
    assert from_grist(hooked, [{"id": 7}], authorization).status_code == 401
    assert hints(hooked) == {}


def test_what_is_no_list_of_rows_hints_at_nothing(hooked: Place) -> None:
    for rows in ({"id": 1}, [1, "x", {"id": "7"}], "text", None, 5):
        assert from_grist(hooked, rows).json == {"noted": False}
    assert from_grist(hooked, [{"id": 7}], resource="spaceships").status_code == 404


def test_no_value_of_a_delivery_is_kept_anywhere(hooked: Place, tmp_path: Path) -> None:
    deliver(hooked, "customers/update", {"id": 191167, "email": "planted@example.com", "note": "planted-note"})
    from_grist(hooked, [{"id": 7, "Email": "planted@example.com"}])
    with hooked.service.database.engine.connect() as connection:
        connection.exec_driver_sql("pragma wal_checkpoint(truncate)")
    assert b"planted" not in (tmp_path / "sync.db").read_bytes()

"""Settings, the key for background work, API keys for scripts, and Health."""

from __future__ import annotations

from typing import Any

import pytest
from web_helpers import SHIRT_S, Place

from backend.core.model import Refusal, Side
from backend.store import api_keys, entrusted, links, options, runs

LINK_SETTINGS = {
    "interval_seconds": 3600, "paused": True, "quiet": {"from": "22:00", "to": "06:00"}, "realtime": False,
    "settle_seconds": 2.0, "brakes": {"deletions": 5, "deletions_share": 0.1, "changed_share": 0.5},
    "rest_seconds": 60.0, "audit_hours": 48.0, "history_days": 30, "mails": ["ana@example.com"],
    "notices": ["failed"], "language": "en", "letters": False, "sync_log": False, "status_column": True,
    "grist_calls_a_day": 5000, "first_run": {"step": "tables", "draft": {"a": [1]}},
}


def send(place: Place, method: str, path: str, body: Any = None, status: int = 200, **more: Any) -> Any:
    answer = place.ask(method, path, "owner", body, **more)
    assert answer.status_code == status, answer.text
    return answer.json


# --- settings -------------------------------------------------------------------------------------------


def test_every_setting_is_kept_as_it_was_said(shop: Place) -> None:
    assert send(shop, "PUT", "settings", LINK_SETTINGS)["settings"] == LINK_SETTINGS
    assert shop.get("settings")["settings"] == LINK_SETTINGS
    told = options.of(shop.link)
    assert (told.quiet, told.mails, told.notices) == (("22:00", "06:00"), ("ana@example.com",), ("failed",))


def test_a_setting_that_is_not_named_stays(shop: Place) -> None:
    send(shop, "PUT", "settings", LINK_SETTINGS)
    told = send(shop, "PUT", "settings", {"quiet": None, "interval_seconds": None, "first_run": None})["settings"]
    assert told == {**LINK_SETTINGS, "quiet": None, "interval_seconds": None, "first_run": None}
    assert shop.get("/api/session")["link"] | {"id": 0, "shop": {}, "store": ""} == {
        "id": 0, "shop": {}, "store": "", "first_run": None, "language": "en", "letters": False}


@pytest.mark.parametrize("wrong", [
    {"interval_seconds": 1}, {"interval_seconds": 10**9}, {"quiet": {"from": "24:00", "to": "06:00"}},
    {"quiet": {"from": "22:00"}}, {"brakes": {"deletions": -1}}, {"brakes": {"deletions_share": 1.5}},
    {"brakes": {"all": 1}}, {"mails": ["no mail"]}, {"mails": ["a@b.example\r\nBcc: c@d.example"]},
    {"mails": ["x@y.example"] * 11},
    {"notices": ["everything"]}, {"history_days": 0}, {"language": "<b>"}, {"paused": "yes"},
    {"first_run": {"step": "x"}},
    {"first_run": {"step": "tables", "draft": {"a": "x" * 20_000}}}, {"secret": "x"}, {"rest_seconds": -1},
    {"sync_log": "x"}, {"status_column": None}, {"grist_calls_a_day": 3},
])
def test_a_setting_that_cannot_be_meant_is_refused(shop: Place, wrong: dict[str, Any]) -> None:
    before = shop.get("settings")
    assert shop.ask("PUT", "settings", body=wrong).status_code == 422
    assert shop.get("settings") == before


def test_a_run_brakes_and_rests_as_the_link_says(shop: Place) -> None:
    send(shop, "PUT", "settings", {"brakes": {"deletions": 3}, "rest_seconds": 7})
    session = shop.service.context.session(shop.link, 1)
    assert (session.limits.deletions, session.limits.deletions_share, session.rest_seconds) == (3, 0.25, 7)


def test_the_widget_is_told_that_the_timer_is_paused(shop: Place) -> None:
    assert shop.get("state")["paused"] is False
    send(shop, "PUT", "settings", {"paused": True})
    assert shop.get("state")["paused"] is True


# --- keys that are entrusted to us ------------------------------------------------------------------------


def test_a_key_for_background_work_is_tried_and_kept(shop: Place) -> None:
    told = send(shop, "PUT", "grist-key", {"key": "grist-key-1"})
    assert (told["role"], told["sees_all"], told["kept"]["grist_key"]["hint"]) == ("owner", True, "…")
    assert shop.service.context.grist_key(shop.link) == "grist-key-1"
    assert send(shop, "DELETE", "grist-key")["kept"]["grist_key"] is None
    assert shop.service.context.grist_key(shop.link) == "grist-secret"  # the environment's, for its own document


@pytest.mark.parametrize(("key", "said"), [
    ("nobodys-key-at-all", "Grist does not accept the API key"), ("viewers-key-here", "may only look at the document")])
def test_a_key_that_cannot_write_is_not_kept(shop: Place, key: str, said: str) -> None:
    shop.grist.access.add_key("viewers-key-here", "viewer", "viewer's key")
    answer = shop.ask("PUT", "grist-key", body={"key": key})
    assert answer.status_code in (403, 422)
    assert said in answer.json["message"]
    assert shop.get("settings")["kept"]["grist_key"] is None


@pytest.mark.parametrize("url", [
    "http://hooks.slack.com/x", "https://evil.example/x", "https://hooks.slack.com.evil.example/", "https://127.0.0.1/",
    "https://hooks.slack.com@evil.example/", "https://hooks.slack.com:8443/x", "https://user:pw@hooks.slack.com/x",
    "ftp://hooks.slack.com/", "https://[::1]/", "https://hooks.slack.com\\@evil.example/", "https://hooks.slack.com/ x",
    "javascript:alert(1)", "//hooks.slack.com/x", "https://", "https://[",
])
def test_messages_go_only_where_the_service_may_send_them(shop: Place, url: str) -> None:
    assert shop.ask("PUT", "notify-url", body={"url": url}).status_code == 422
    assert shop.get("settings")["kept"]["notify_url"] is None


def test_an_address_for_messages_is_a_secret_too(shop: Place) -> None:
    url = "https://hooks.slack.com/services/T0/B0/abcdefghijkl"
    told = send(shop, "PUT", "notify-url", {"url": url})
    assert told["kept"]["notify_url"]["hint"] == "…ijkl"
    found = shop.service.context.secret(shop.link, "notify_url")
    assert found is not None
    assert found.reveal() == url
    assert send(shop, "DELETE", "notify-url")["kept"]["notify_url"] is None


# --- API keys -------------------------------------------------------------------------------------------


def test_a_script_with_a_key_may_what_editors_may_in_its_document(shop: Place) -> None:
    key = send(shop, "POST", "keys", {"name": "nightly"}, 201)["key"]
    session = shop.get("/api/session", token=key)
    assert (session["role"], session["document"]) == ("editor", shop.document.doc_id)
    assert shop.get("conflicts", token=key)["conflicts"] == []
    assert shop.ask("POST", "runs", body={"kind": "sync"}, token=key).status_code == 202
    assert shop.queued() == [("sync", "API key “nightly”")]
    for method, path, body in (("GET", "settings", None), ("PUT", "settings", {"paused": True}), ("GET", "keys", None),
                               ("POST", "keys", {"name": "x"}), ("PUT", "store", {"token": "x"}), ("DELETE", "", None)):
        path = path or f"/api/links/{shop.link.id}"
        assert shop.ask(method, path, body=body, token=key).status_code == 403
    with shop.service.database.write() as tx:
        other = links.add(tx, "b.myshopify.com", shop.service.server_url, "elsewhere", None)
    assert shop.ask("GET", f"/api/links/{other}/state", token=key).status_code == 404


def test_a_key_is_shown_once_and_kept_as_a_digest(shop: Place) -> None:
    made = send(shop, "POST", "keys", {"name": "nightly"}, 201)
    key = made["key"]
    [listed] = shop.get("keys")["keys"]
    assert (listed["name"], listed["used_at"]) == ("nightly", None)
    assert key.startswith(listed["start"].rstrip("…"))
    assert key not in shop.ask("GET", "keys").text
    with shop.service.database.read() as tx:
        dump = "\n".join(tx.connection.driver_connection.iterdump())
    assert key not in dump
    shop.get("/api/session", token=key)
    assert shop.get("keys")["keys"][0]["used_at"] is not None


def test_a_revoked_key_opens_nothing_from_then_on(shop: Place) -> None:
    made = send(shop, "POST", "keys", {"name": "nightly"}, 201)
    assert send(shop, "DELETE", f"keys/{made['id']}") == {"keys": []}
    assert shop.ask("GET", "/api/session", token=made["key"]).status_code == 401
    assert shop.ask("DELETE", f"keys/{made['id']}").status_code == 404


@pytest.mark.parametrize("key", ["sgs_", "sgs_nonsense", "sgs_" + "x" * 43, "sgs_' or 1=1 --"])
def test_a_guessed_key_opens_nothing(shop: Place, key: str) -> None:
    send(shop, "POST", "keys", {"name": "nightly"}, 201)
    assert shop.ask("GET", "/api/session", token=key).status_code == 401


def test_a_document_has_only_so_many_keys(shop: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "MOST", 1)
    send(shop, "POST", "keys", {"name": "one"}, 201)
    assert "Revoke one first" in send(shop, "POST", "keys", {"name": "two"}, 422)["cure"]


def test_another_links_key_cannot_be_revoked(shop: Place) -> None:
    with shop.service.database.write() as tx:
        other = links.add(tx, "b.myshopify.com", shop.service.server_url, "elsewhere", None)
        key_id, _ = api_keys.make(tx, other, "theirs", "somebody")
    assert shop.ask("DELETE", f"keys/{key_id}").status_code == 404


# --- health ---------------------------------------------------------------------------------------------


def parts(place: Place, checked: bool = False) -> dict[str, Any]:
    told = send(place, "POST", "health") if checked else place.get("health")
    return {one["part"]: one for one in told["parts"]}


def test_health_names_every_part_in_numbers(shop: Place) -> None:
    send(shop, "PUT", "grist-key", {"key": "grist-key-1"})
    found = parts(shop, checked=True)
    assert found["store"]["facts"]["domain"] == "fieldhouse.myshopify.com"
    assert found["store"]["facts"]["ms"] >= 0
    assert found["permissions"]["facts"]["missing"] == []
    assert found["document"]["facts"] | {"at": ""} == {
        "key": "kept", "by": "An owner, widget", "at": "", "role": "owner", "blocked": []}
    assert found["brakes"]["facts"] == {"deletions": 20, "deletions_share": 0.25, "changed_share": 0.9}
    assert found["mapping"]["facts"] == {"tables": 4, "columns": 26, "paused": 0}
    assert not [one for one in found.values() if one["needs_you"]]
    assert shop.get("health")["checked_at"]


def test_a_key_that_shopify_refuses_is_in_health_with_its_cure(bare: Place) -> None:
    send(bare, "POST", "/api/link", {"store": "fieldhouse", "token": "shpat_demo"}, 201)
    with bare.service.database.write() as tx:
        bare.service.context.keep(tx, bare.link.id, "store", '{"token": "shpat_gone"}', by="An owner")
    told = send(bare, "POST", "health")
    store = next(one for one in told["parts"] if one["part"] == "store")
    assert (told["works"], store["needs_you"]) == (False, True)
    assert "does not accept the access token" in store["message"]
    assert "shpat_gone" not in str(told)


def test_without_a_key_the_timer_is_off_and_health_says_so(bare: Place) -> None:
    link_id = send(bare, "POST", "/api/link", {"store": "fieldhouse", "token": "shpat_demo"}, 201)["id"]
    found = parts(bare)
    assert found["timer"]["message"] == "The timer is off, because there is no key for background work."
    assert found["mapping"]["message"] == "No table is mapped yet, so nothing is synced."
    with bare.service.database.read() as tx:
        assert bare.service.context.unattended(tx, [link_id]) == set()
    send(bare, "PUT", "grist-key", {"key": "grist-key-1"})
    assert parts(bare)["timer"]["message"] == ""
    with bare.service.database.read() as tx:
        assert bare.service.context.unattended(tx, [link_id]) == {link_id}


def test_what_failed_and_what_was_refused_needs_somebody(shop: Place) -> None:
    report = {"totals": {}, "mappings": [], "points": 12, "requests": {"shopify": 3, "grist": 2}}
    shop.end(shop.begin(), "failed", report, "Grist cannot be reached.", "It is tried again.")
    shop.refuse("variants", Refusal(Side.REMOTE, SHIRT_S, "No price.", "Type one.", title="Linen shirt / S"))
    found = parts(shop)
    assert (found["last_sync"]["message"], found["last_sync"]["needs_you"]) == ("Grist cannot be reached.", True)
    assert found["quota"]["facts"] == {"points": 12, "shopify": 3, "grist": 2}
    assert found["refused"]["facts"]["count"] == 1
    assert found["refused"]["needs_you"]


# --- a person's access for runs -----------------------------------------------------------------------------


def test_a_run_without_a_key_works_with_the_access_of_whoever_looks(bare: Place) -> None:
    send(bare, "POST", "/api/link", {"store": "fieldhouse", "token": "shpat_demo"}, 201)
    token = bare.token("editor")
    assert bare.ask("POST", "runs", body={"kind": "sync"}, token=token).status_code == 202
    context = bare.service.context
    assert context.persons_access(bare.link).token == token
    with bare.service.database.read() as tx:
        [kept] = [one for one in entrusted.everything(tx) if one.name == "token"]
    assert token not in kept.sealed
    assert kept.expires_at is not None
    told = send(bare, "POST", "health")
    document = next(one for one in told["parts"] if one["part"] == "document")
    assert (told["works"], document["needs_you"]) == (True, True)


def test_a_look_renews_the_access_and_lets_a_waiting_run_go_on(bare: Place) -> None:
    send(bare, "POST", "/api/link", {"store": "fieldhouse", "token": "shpat_demo"}, 201)
    context, link_id = bare.service.context, bare.link.id
    with bare.service.database.write() as tx:
        runs.request(tx, link_id, "sync", "An owner, Sync button")
        claimed = runs.claim(tx, "tests")
        assert claimed is not None
        assert runs.wait(tx, claimed, "tests", {}, "It waits.", "Open the widget.")
        assert runs.claim(tx, "tests") is None
    assert bare.get("state", "viewer")["run"]["state"] == "waiting"  # a viewer's access is no use
    with pytest.raises(Exception, match="nobody has"):
        context.persons_access(bare.link)
    bare.get("state", "editor")
    with bare.service.database.read() as tx:
        active = runs.active(tx, link_id)
    assert active is not None
    assert (active.id, active.state) == (claimed.id, "queued")


def test_a_waiting_run_can_be_cancelled(bare: Place) -> None:
    send(bare, "POST", "/api/link", {"store": "fieldhouse", "token": "shpat_demo"}, 201)
    with bare.service.database.write() as tx:
        runs.request(tx, bare.link.id, "sync", "An owner, Sync button")
        claimed = runs.claim(tx, "tests")
        assert claimed is not None
        runs.wait(tx, claimed, "tests", {}, "It waits.", "")
    assert bare.ask("POST", f"runs/{claimed.id}/cancel").status_code == 202
    with bare.service.database.read() as tx:
        assert runs.active(tx, bare.link.id) is None


def test_nobodys_access_is_kept_where_the_link_has_a_key(shop: Place) -> None:
    shop.ask("POST", "runs", body={"kind": "sync"})
    shop.get("state")
    with shop.service.database.read() as tx:
        assert entrusted.everything(tx) == []

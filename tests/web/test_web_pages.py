"""Pages, headers, and the one shape of errors."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from web_helpers import ORIGIN, SHIRT, Place, make_place, price

from backend.errors import AccessError, ConfigError, OutcomeUnknown, RetryLater, SyncError, UserError
from backend.settings import Settings
from backend.web import create_app
from demo.grist import Grist

SHAPE = {"code": str, "message": str, "cure": str, "details": dict}
HTML = "<img src=x onerror=alert(1)>&\"'"


# --- errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path", "more", "status"), [
    ("GET", "/nowhere", {}, 404),
    ("GET", "/api/nowhere", {}, 404),
    ("GET", "/widget/no.js", {}, 404),
    ("GET", "/widget/../wsgi.py", {}, 404),
    ("GET", "/widget/%2e%2e/wsgi.py", {}, 404),
    ("DELETE", "/api/session", {}, 405),
    ("GET", "/api/session", {}, 401),
    ("POST", "runs", {"json": {"kind": "sync", "more": "x" * 70_000}}, 413),
    ("POST", "choices", {"json": {"choices": "x" * 1_100_000}}, 413),
    ("POST", "runs", {"data": "kind=sync", "content_type": "application/x-www-form-urlencoded"}, 415),
    ("POST", "runs", {"data": "{", "content_type": "application/json"}, 400),
    ("POST", "runs", {"data": b"\xff\xfe", "content_type": "application/json"}, 400),
    ("POST", "runs", {"data": '{"kind": NaN}', "content_type": "application/json"}, 400),
    ("POST", "runs", {"data": '{"kind": "\\ud800"}', "content_type": "application/json"}, 400),
    ("POST", "runs", {"data": "[" * 20_000, "content_type": "application/json"}, 400),
    ("POST", "runs", {"data": "1" * 20_000, "content_type": "application/json"}, 400),
    ("POST", "runs", {"json": []}, 422),
    ("POST", "runs", {"json": {}}, 422),
    ("POST", "runs", {"json": {"kind": "everything"}}, 422),
    ("POST", "runs", {"json": {"kind": "sync", "more": 1}}, 422),
])
def test_every_error_has_one_shape(place: Place, method: str, path: str, more: dict[str, Any], status: int) -> None:
    headers = {}
    if not path.startswith("/"):
        path, headers = f"/api/links/{place.link.id}/{path}", {"Authorization": f"Bearer {place.token()}"}
    answer = place.client.open(path, method=method, headers=headers, **more)
    assert answer.status_code == status, answer.text
    assert {name: type(value) for name, value in answer.json.items()} == SHAPE
    assert answer.json["message"]
    assert place.queued() == []


@pytest.mark.parametrize(("error", "status"), [
    (UserError("No.", cure="Do."), 422), (ConfigError("No.", cure="Do."), 422), (AccessError("No.", cure="Do."), 403),
    (RetryLater("Later."), 503), (OutcomeUnknown("Who knows."), 503), (SyncError("Odd."), 500), (ValueError("x"), 500),
    (KeyError("secret"), 500),
])
def test_the_class_of_an_error_decides_its_status(
        place: Place, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr("backend.web.api.tables", fail)
    answer = place.ask("GET", "state")
    assert answer.status_code == status
    assert {name: type(value) for name, value in answer.json.items()} == SHAPE
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert "secret" not in answer.text


def test_a_request_of_another_kind_is_told_what_is_taken(place: Place) -> None:
    answer = place.ask("PUT", "runs")
    assert answer.json["message"] == "This address does not take a PUT request."
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


# --- pages ------------------------------------------------------------------------------------------


def test_the_first_page_says_what_to_paste_into_grist(place: Place) -> None:
    page = place.ask("GET", "/", None).text
    assert "<code>http://localhost/widget/</code>" in page
    assert "A store and a document are connected." in page
    assert place.link.store not in page


def test_a_configuration_that_does_not_fit_is_told_on_the_page_and_in_the_widget(
        grist_server: tuple[Grist, str], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = make_place(*grist_server, tmp_path, shopify_store=f"{HTML}.example")
    page = place.ask("GET", "/", None).text
    assert HTML not in page
    assert "&lt;img src=x" in page
    session = place.get("/api/session")
    assert session["link"] is None
    assert "<img" in session["message"]["message"]
    assert "no link could be made" in caplog.text


def test_without_any_configuration_the_service_still_answers(tmp_path: Path) -> None:
    app = create_app(Settings(database_url=f"sqlite:///{tmp_path / 'sync.db'}"), start_worker=False)
    page = app.test_client().get("/")
    assert (page.status_code, "No store is connected to a document yet." in page.text) == (200, True)


def test_every_value_on_a_page_is_escaped(place: Place) -> None:
    page = place.client.get("/", headers={"Host": 'evil"><script>.example'}).text
    assert "<script" not in page


def test_titles_with_html_stay_data(place: Place) -> None:
    place.conflicts("products", price(1, HTML, "b", "c", field="title", thing=SHIRT, title=HTML))
    answer = place.ask("GET", "conflicts")
    assert answer.json["conflicts"][0]["title"] == HTML
    assert (answer.mimetype, answer.headers["X-Content-Type-Options"]) == ("application/json", "nosniff")


def test_the_api_describes_itself_completely_and_from_nowhere_else(place: Place) -> None:
    described = place.get("/docs/openapi.json", None)
    assert described["openapi"] == "3.1.0"
    page = place.ask("GET", "/docs", None).text
    assert "http" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL).lower().replace("httpstatus", "")
    rules = {(method, re.sub(r"<(?:[^:<>]*:)?(\w+)>", r"{\1}", rule.rule))
             for rule in place.app.url_map.iter_rules() if rule.rule.startswith("/api")
             for method in rule.methods & {"GET", "POST"}}
    assert {(method.upper(), path) for path, one in described["paths"].items() for method in one
            if method in ("get", "post")} == rules
    for method, path in rules:
        assert f"{method} {path}" in page


def test_the_widget_loads_the_plugin_of_the_configured_grist(
        grist_server: tuple[Grist, str], tmp_path: Path) -> None:
    place = make_place(*grist_server, tmp_path, grist_public_url="https://grist.example/o/team")
    page = place.ask("GET", "/widget/", None)
    assert 'content="https://grist.example/o/team/grist-plugin-api.js"' in page.text
    assert "__GRIST_PLUGIN_API__" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self' https://grist.example " in policy
    assert re.search(r"frame-ancestors https://grist\.example http://127\.0\.0\.1:\d+$", policy)
    assert place.ask("GET", "/widget/main.js", None).mimetype == "text/javascript"
    assert place.client.get("/widget").status_code == 308


def test_the_widgets_files_are_asked_for_anew_and_sent_once(place: Place) -> None:
    first = place.ask("GET", "/widget/main.js", None)
    assert "no-cache" in first.headers["Cache-Control"]
    assert place.ask("GET", "/widget/main.js", None, If_None_Match=first.headers["ETag"]).status_code == 304


def test_probes_tell_living_from_ready(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place.get("/healthz", None) == {"status": "alive"}
    assert place.get("/readyz", None) == {"status": "ready"}

    def gone() -> None:
        raise OSError("the database is away")

    monkeypatch.setattr(place.service.database, "read", gone)
    assert place.get("/healthz", None) == {"status": "alive"}
    answer = place.ask("GET", "/readyz", None)
    assert (answer.status_code, answer.json["code"]) == (503, "not_ready")


# --- headers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/docs", "/docs/openapi.json", "/healthz", "/api/session", "/nowhere"])
def test_nothing_but_the_widget_may_be_framed(place: Place, path: str) -> None:
    headers = place.ask("GET", path, None).headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_the_widget_has_no_frame_options_and_runs_only_known_scripts(place: Place) -> None:
    headers = place.ask("GET", "/widget/", None).headers
    assert "X-Frame-Options" not in headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == f"'self' {place.service.server_url}"
    assert policy["connect-src"] == "'self'"


def test_the_one_style_of_our_pages_is_the_one_that_is_allowed(place: Place) -> None:
    page = place.ask("GET", "/", None)
    style = re.search(r"<style>(.*?)</style>", page.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page.headers["Content-Security-Policy"]


def test_only_https_promises_https(place: Place) -> None:
    assert "Strict-Transport-Security" not in place.client.get("/").headers
    assert "Strict-Transport-Security" in place.client.get("/", base_url="https://sync.example").headers
    assert "Strict-Transport-Security" not in place.client.get("/", headers={"X-Forwarded-Proto": "https"}).headers


def test_a_router_is_believed_on_hosts_that_have_one(
        grist_server: tuple[Grist, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUST_PROXY", "1")
    place = make_place(*grist_server, tmp_path)
    page = place.client.get("/", headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "sync.example"})
    assert "<code>https://sync.example/widget/</code>" in page.text
    assert "Strict-Transport-Security" in page.headers


def test_other_sites_may_call_only_where_they_are_named(place: Place) -> None:
    allowed = place.ask("GET", "state", Origin=ORIGIN)
    assert allowed.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "ETag" in allowed.headers["Access-Control-Expose-Headers"]
    assert "Origin" in allowed.headers["Vary"]
    for path, origin in (("state", "https://evil.example"), ("state", "null"), ("/", ORIGIN), ("/docs", ORIGIN)):
        assert "Access-Control-Allow-Origin" not in place.ask("GET", path, Origin=origin).headers


def test_a_preflight_needs_no_token(place: Place) -> None:
    answer = place.ask("OPTIONS", "runs", None, Origin=ORIGIN, Access_Control_Request_Method="POST")
    assert answer.status_code == 200
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


def test_answers_are_kept_by_nobody(place: Place) -> None:
    assert place.ask("GET", "state").headers["Cache-Control"] == "no-store"

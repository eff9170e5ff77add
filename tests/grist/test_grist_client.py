"""Grist's answers become our errors with a sentence and a cure, and no secret leaves the client."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from grist_helpers import mapping
from places import Place

from backend.errors import AccessError, BundleRefused, OutcomeUnknown, RetryLater, SyncError, UserError
from backend.grist.access import BLOCKED, create_document, probe_key, probe_role
from backend.grist.client import GristClient, explain
from backend.grist.connector import GristConnector
from demo.serving import serving

SECRET = "very-secret-0815"


def answered(status: int, body: str, path: str = "/api/docs/d/tables", **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code, response._content = status, body.encode()
    response.headers.update(headers)
    response.request = requests.Request("POST", f"http://grist{path}?auth={SECRET}",
                                        headers={"Authorization": "Bearer x"}).prepare()
    return response


@pytest.mark.parametrize(("status", "body", "kind", "sentence"), [
    (401, '{"error":"Bad request: invalid API key"}', AccessError, "does not accept the API key"),
    (403, '{"error":"No view access"}', AccessError, "as a reader"),
    (403, '{"error":"No write access"}', AccessError, "as an editor"),
    (403, '{"error":"No owner access"}', AccessError, "as an owner"),
    (403, '{"error":"insufficient access"}', AccessError, "insufficient access"),
    (403, '{"error":"Document is disabled"}', RetryLater, "switched off"),
    (403, '{"error":"Document is in recovery mode"}', RetryLater, "recovery mode"),
    (404, '{"error":"document not found"}', UserError, "no such document"),
    (404, '{"error":"Document is deleted"}', RetryLater, "in the trash"),
    (404, '{"error":"Table not found \\"Nope\\""}', UserError, "access rules hide it"),
    (413, '{"error":"request entity too large"}', UserError, "too large"),
    (429, '{"error":"Too many backlogged requests for document"}', RetryLater, "busy"),
    (429, '{"error":"Exceeded daily limit for document x"}', RetryLater, "calls of its Grist plan for today"),
    (500, '{"error":"[Sandbox] KeyError \'Nope\'"}', UserError, "'Nope'"),
    (500, '{"error":"Cannot read hash"}', UserError, "does not keep that state"),
    (500, '{"error":"something"}', RetryLater, "cannot answer now"),
    (502, "<html>bad gateway</html>", RetryLater, "cannot answer now"),
    (404, "<html>nothing here</html>", UserError, "did not answer as Grist does"),
    (302, "", UserError, "did not answer as Grist does"),
])
def test_an_answer_becomes_an_error_with_a_cure(status: int, body: str, kind: type[SyncError], sentence: str) -> None:
    with pytest.raises(kind) as caught:
        explain(answered(status, body))
    assert sentence in str(caught.value)
    assert caught.value.cure
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(("status", "body", "kind"), [
    (500, '{"error":"[Sandbox] ValueError Can\'t save value to formula column Double"}', BundleRefused),
    (403, '{"error":"Blocked by row update access rules"}', BundleRefused),
    (413, '{"error":"request entity too large"}', BundleRefused),
    (500, '{"error":"something"}', OutcomeUnknown),
    (502, "<html>bad gateway</html>", OutcomeUnknown),
    (504, "", OutcomeUnknown),
    (429, '{"error":"Too many backlogged requests for document"}', RetryLater),
])
def test_a_write_is_refused_or_its_outcome_is_unknown(status: int, body: str, kind: type[SyncError]) -> None:
    with pytest.raises(kind) as caught:
        explain(answered(status, body, "/api/docs/d/apply"))
    assert type(caught.value) is kind


def test_a_wait_that_grist_asks_for_is_kept() -> None:
    with pytest.raises(RetryLater) as caught:
        explain(answered(429, '{"error":"Too many"}', **{"Retry-After": "7"}))
    assert caught.value.retry_after == 7


def test_a_day_without_calls_left_is_not_waited_for() -> None:
    waited: list[float] = []
    app = Flask("full")
    app.add_url_rule("/<path:path>", "full", lambda path: ({"error": "Exceeded daily limit for document x"}, 429))
    with serving(app) as url:
        client = GristClient(url, "d", api_key="k", sleep=waited.append)
        with pytest.raises(RetryLater, match="for today"):
            client.tables()
    assert waited == []


@pytest.mark.parametrize("credentials", [{"api_key": SECRET}, {"token": SECRET}])
@pytest.mark.parametrize("failing", ["nobody there", "broken off", "html", "server error"])
def test_no_secret_shows_in_errors_repr_or_logs(
    credentials: dict[str, str], failing: str, caplog: pytest.LogCaptureFixture
) -> None:
    def app(environ: Any, start: Callable[..., Any]) -> list[bytes]:
        if failing == "broken off":
            environ["werkzeug.socket"].shutdown(2)
            raise ConnectionError("broken off on purpose")
        start("500 Error" if failing == "server error" else "200 OK", [("Content-Type", "text/html")])
        return [b"<html>"]

    caplog.set_level(logging.DEBUG)
    with serving(app) as url:
        address = "http://127.0.0.1:1" if failing == "nobody there" else url
        connector = GristConnector(address, "doc", sleep=lambda s: None, patience_seconds=0.01, **credentials)
        for call in (connector.tables, lambda: connector._client.apply([["x"]])):
            with pytest.raises(SyncError) as caught:
                call()
            error: BaseException | None = caught.value
            while error is not None:
                assert SECRET not in "".join(traceback.format_exception(error))
                error = error.__cause__ or error.__context__
    assert SECRET not in repr(connector)
    assert SECRET not in repr(vars(connector))
    assert SECRET not in caplog.text


def test_roles_are_probed_without_a_trace(place: Place) -> None:
    if place.grist is None:
        pytest.skip("a widget's token needs a browser")
    states = place.states()
    tokens = {
        role: place.grist.access.token(place.doc_id, place.grist.access.person(role))["token"]
        for role in ("owner", "editor", "viewer")
    }
    for role, token in tokens.items():
        assert probe_role(place.url, place.doc_id, token) == role
    owner = place.grist.access.person("owner")
    looking = place.grist.access.token(place.doc_id, owner, read_only=True)["token"]
    assert probe_role(place.url, place.doc_id, looking) == "viewer"
    assert probe_role(place.url, place.doc_id, "no-token") is None
    assert place.states() == states


NOT_OWNERS = "user.Access != OWNER"


def a_key(place: Place, role: str) -> str:
    """An API key of somebody who has this role in the document."""
    if place.grist is not None:
        place.grist.add_key(f"key-of-{role}", role)
        return f"key-of-{role}"
    keys = Path(os.environ["GRIST_TEST_KEYS"])
    place.share(f"{role}@example.com", f"{role}s")
    return (keys / f"key.{role}").read_text().strip()


@pytest.mark.parametrize(("role", "denied", "blocked"), [
    ("owner", "", ()), ("viewer", "", ("viewer",)), ("editor", "", ("editor",)),
    ("editor", "-S", ("editor", "structure", "hidden"))])
def test_what_a_lower_right_blocks_is_named_without_a_trace(
    place: Place, role: str, denied: str, blocked: tuple[str, ...]
) -> None:
    if place.grist is None and role != "owner" and "GRIST_TEST_KEYS" not in os.environ:
        pytest.skip("needs GRIST_TEST_KEYS: the folder with key.editor and key.viewer")
    if denied:
        place.act(["AddRecord", "_grist_ACLResources", -1, {"tableId": "*", "colIds": "*"}],
                  ["AddRecord", "_grist_ACLRules", None, {
                      "resource": -1, "aclFormula": NOT_OWNERS, "permissionsText": denied, "rulePos": 1}])
    key, states = place.key if role == "owner" else a_key(place, role), place.states()
    rights = probe_key(place.url, place.doc_id, key, sleep=lambda seconds: None)
    assert (rights.role, rights.blocked) == (role, tuple(BLOCKED[name] for name in blocked))
    assert place.states() == states
    if denied:
        paused = place.connector(api_key=key).prepare([mapping("products", "title")], {}, write=True).paused
        assert "Grist refused to make what is missing in table 'Products': Blocked by" in paused["products"]


def test_a_token_reads_and_writes(place: Place) -> None:
    if place.grist is None:
        pytest.skip("a widget's token needs a browser")
    token = place.grist.access.token(place.doc_id, place.grist.access.person("editor"))["token"]
    assert place.connector(api_key=None, token=token).tables() == ["Table1"]


def test_a_document_is_made_in_a_workspace(place: Place) -> None:
    headers = {"Authorization": f"Bearer {place.key}"}
    workspace = requests.get(f"{place.url}/api/orgs/current/workspaces", headers=headers, timeout=5).json()[0]["id"]
    made = create_document(place.url, place.key, workspace, "Shop")
    assert GristConnector(place.url, made, api_key=place.key).tables() == ["Table1"]
    place.remove(made)
    for unknown in (99999, "home"):
        with pytest.raises(UserError) as caught:
            create_document(place.url, place.key, unknown, "Shop")
        assert "GRIST_WORKSPACE_ID" in caught.value.cure


def test_no_more_calls_are_made_in_a_day_than_are_allowed(place: Place) -> None:
    connector = place.connector(calls_left=2)
    assert connector.tables() == connector.tables()
    with pytest.raises(RetryLater, match="are used up") as stopped:
        connector.tables()
    assert connector.usage.requests == 2
    assert stopped.value.retry_after is not None
    assert 0 < stopped.value.retry_after <= 86_400

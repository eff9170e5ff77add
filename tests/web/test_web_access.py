"""Who may do what: by role and address, and whose token is believed."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
from web_helpers import Place, make_place

from backend.errors import RetryLater
from backend.web.access import Gate
from demo.grist import Grist, create_app
from demo.serving import serving

SYNC, CHOOSE, DELETE = {"kind": "sync"}, {"choices": [
    {"conflict": 1, "keep": "grist", "seen": {"grist": None, "shopify": None}}]}, {"keep": [1]}
MAPPINGS = {"mappings": [{"resource": "products", "fields": {"title": "Title"}}]}
KEY, SHOP = {"store": "other-shop", "token": "shpat_other"}, {"token": "shpat_demo"}
LINK = "/api/links/<int(max=2147483647):link>"

# Method and rule: (body, status for nobody, viewer, editor, owner)
ORDER: dict[str, Any] = {"resource": "orders", "rows": [1]}
MATRIX: dict[str, tuple[Any, int, int, int, int]] = {
    "GET /": (None, 200, 200, 200, 200),
    "GET /docs": (None, 200, 200, 200, 200),
    "GET /docs/openapi.json": (None, 200, 200, 200, 200),
    "GET /healthz": (None, 200, 200, 200, 200),
    "GET /readyz": (None, 200, 200, 200, 200),
    "GET /metrics": (None, 200, 200, 200, 200),
    "GET /hooks/": (None, 200, 200, 200, 200),
    "GET /hooks/<path:anything>": (None, 200, 200, 200, 200),
    "POST /hooks/shopify": ({}, 401, 401, 401, 401),
    "POST /hooks/shopify/<key>": ({}, 404, 404, 404, 404),
    "POST /hooks/grist/<key>/<resource>": ([], 404, 404, 404, 404),
    "GET /widget/": (None, 200, 200, 200, 200),
    "GET /widget/<path:name>": (None, 200, 200, 200, 200),
    "GET /api/session": (None, 401, 200, 200, 200),
    "GET /api/asked/<string:asked>": (None, 401, 404, 404, 404),  # an answer is only its asker's
    f"GET {LINK}/state": (None, 401, 200, 200, 200),
    f"GET {LINK}/runs": (None, 401, 200, 200, 200),
    f"GET {LINK}/runs/<int(max=2147483647):run_id>": (None, 401, 200, 200, 200),
    f"GET {LINK}/conflicts": (None, 401, 200, 200, 200),
    f"GET {LINK}/refused": (None, 401, 200, 200, 200),
    f"GET {LINK}/deletions": (None, 401, 200, 200, 200),
    f"GET {LINK}/deletions/along": (None, 401, 200, 200, 200),
    f"GET {LINK}/row": (None, 401, 422, 422, 422),  # which row is not said
    f"GET {LINK}/apart": (None, 401, 200, 200, 200),
    f"POST {LINK}/apart": ({"ask_again": [1]}, 401, 403, 202, 202),
    f"GET {LINK}/changes": (None, 401, 200, 200, 200),
    f"GET {LINK}/resources": (None, 401, 200, 200, 200),
    f"GET {LINK}/tables": (None, 401, 200, 200, 200),
    f"GET {LINK}/mappings": (None, 401, 200, 200, 200),
    f"GET {LINK}/config.yaml": (None, 401, 200, 200, 200),
    f"GET {LINK}/pairs": (None, 401, 200, 200, 200),
    f"POST {LINK}/look": ({}, 401, 403, 403, 202),
    f"POST {LINK}/mappings/effect": (MAPPINGS, 401, 403, 403, 202),
    f"PUT {LINK}/mappings": (MAPPINGS, 401, 403, 403, 409),  # these come from a file
    f"PUT {LINK}/config.yaml": (None, 401, 403, 403, 422),
    f"POST {LINK}/pairs": ({"ask_again": [{"resource": "products", "row": 1}]}, 401, 403, 202, 202),
    f"POST {LINK}/runs": (SYNC, 401, 403, 202, 202),
    f"POST {LINK}/runs/<int(max=2147483647):run_id>/cancel": (None, 401, 403, 202, 202),
    f"GET {LINK}/actions": (None, 401, 200, 200, 200),
    f"POST {LINK}/actions/preview": (ORDER, 401, 403, 404, 404),  # orders are not mapped here
    f"POST {LINK}/actions": (ORDER | {"action": "close", "seen": {"1": "x"}}, 401, 403, 404, 404),
    f"POST {LINK}/actions/<int(max=2147483647):number>": ({"happened": True}, 401, 403, 404, 404),
    f"POST {LINK}/undo": ({"changes": [1]}, 401, 403, 202, 202),
    f"POST {LINK}/choices": (CHOOSE, 401, 403, 202, 202),
    f"POST {LINK}/deletions": (DELETE, 401, 403, 202, 202),
    "POST /api/link/test": (KEY, 401, 403, 403, 200),
    "POST /api/link": (KEY, 401, 403, 403, 409),
    "POST /api/link/move": (KEY, 401, 403, 403, 409),
    f"PUT {LINK}/store": (SHOP, 401, 403, 403, 200),
    f"GET {LINK}/settings": (None, 401, 403, 403, 200),
    f"PUT {LINK}/settings": ({"paused": True}, 401, 403, 403, 200),
    f"PUT {LINK}/grist-key": ({"key": "grist-key-1"}, 401, 403, 403, 200),
    f"DELETE {LINK}/grist-key": (None, 401, 403, 403, 200),
    f"PUT {LINK}/notify-url": ({"url": "https://hooks.slack.com/services/T/B/x"}, 401, 403, 403, 200),
    f"DELETE {LINK}/notify-url": (None, 401, 403, 403, 200),
    f"GET {LINK}/keys": (None, 401, 403, 403, 200),
    f"POST {LINK}/keys": ({"name": "nightly"}, 401, 403, 403, 201),
    f"DELETE {LINK}/keys/<int(max=2147483647):key_id>": (None, 401, 403, 403, 200),
    f"GET {LINK}/health": (None, 401, 200, 200, 200),
    f"POST {LINK}/health": (None, 401, 403, 200, 200),
    f"DELETE {LINK}": (None, 401, 403, 403, 200),
}


def test_every_address_answers_each_role_as_the_table_says(shop: Place) -> None:
    place = shop
    run = place.begin()
    rules = {f"{method} {rule.rule}" for rule in place.app.url_map.iter_rules()
             for method in rule.methods - {"HEAD", "OPTIONS"}}
    assert rules == set(MATRIX)
    link_id = place.link.id
    for address, (body, *expected) in MATRIX.items():
        method, rule = address.split(" ")
        path = (rule.replace("<int(max=2147483647):link>", str(link_id))
                .replace("<int(max=2147483647):run_id>", str(run.id)).replace("<int(max=2147483647):key_id>", "1")
                .replace("<path:name>", "main.js").replace("<int(max=2147483647):number>", "1"))
        found = [place.ask(method, path, role, body).status_code for role in (None, "viewer", "editor", "owner")]
        assert found == expected, address


def test_a_role_that_is_too_low_is_told_who_may(place: Place) -> None:
    answer = place.ask("POST", "runs", "viewer", SYNC)
    assert answer.status_code == 403
    assert answer.json["message"] == "Only owners and editors of the document may do this."
    assert answer.json["cure"]
    assert place.queued() == []


def test_an_owners_read_only_token_is_a_viewers(place: Place) -> None:
    token = place.token("owner", read_only=True)
    assert place.get("/api/session", token=token)["role"] == "viewer"
    assert place.ask("POST", "runs", body=SYNC, token=token).status_code == 403


@pytest.mark.parametrize("authorization", [
    "", "Bearer", "Bearer ", "Bearer nonsense", "Bearer a.b.c", "Bearer a.bm9uc2Vuc2U.c", "Basic dXNlcjpwYXNz",
    "Bearer " + "a" * 5000, "Bearer a.W10.c", "Bearer ä.b.c",
])
def test_what_is_no_token_is_refused_without_asking_grist(place: Place, authorization: str) -> None:
    def never(document: str, token: str) -> None:
        raise AssertionError("Grist was asked")

    place.service.gate = Gate(never)
    answer = place.client.get("/api/session", headers={"Authorization": authorization.encode().decode("latin-1")})
    assert answer.status_code == 401
    assert answer.json["code"] == "token"


@pytest.mark.parametrize("document", ["..", "../orgs", "a/b", "x" * 200, "", 7, None, "http://evil.example", "%2e%2e"])
def test_a_document_id_that_is_none_never_reaches_an_address(place: Place, document: Any) -> None:
    place.service.gate = Gate(lambda document, token: pytest.fail("Grist was asked"))
    assert place.ask("GET", "/api/session", token=forged(document)).status_code == 401


def test_a_forged_token_is_refused_by_grist(place: Place) -> None:
    answer = place.ask("GET", "/api/session", token=forged(place.document.doc_id))
    assert answer.status_code == 401
    assert answer.json["cure"] == "Reload the page in Grist."


def test_a_token_with_another_documents_id_written_into_it_is_refused(place: Place) -> None:
    elsewhere = place.grist.new_document("Elsewhere")
    head, _, signature = place.token("owner", elsewhere.doc_id).split(".")
    token = f"{head}.{forged(place.document.doc_id).split('.')[1]}.{signature}"
    assert place.ask("GET", "/api/session", token=token).status_code == 401


def test_a_document_that_does_not_exist_is_no_way_in(place: Place) -> None:
    assert place.ask("GET", "/api/session", token=forged("nosuchdocument1234567")).status_code == 401


def test_an_expired_token_is_refused(tmp_path: Path) -> None:
    clock = [1_000_000.0]
    grist = Grist(clock=lambda: clock[0])
    with serving(create_app(grist)) as url:
        place = make_place(grist, url, tmp_path)
        token = place.token()
        clock[0] += 901
        answer = place.ask("GET", "/api/session", token=token)
    assert (answer.status_code, answer.json["code"]) == (401, "token")


def test_another_documents_token_sees_no_link_and_reaches_none(place: Place) -> None:
    elsewhere = place.grist.new_document("Elsewhere")
    token = place.token("owner", elsewhere.doc_id)
    session = place.get("/api/session", token=token)
    assert session["link"] is None
    assert session["message"]["message"] == "No store is connected to this document yet."
    for path in ("state", "conflicts", "changes"):
        assert place.ask("GET", path, token=token).status_code == 404
    assert place.ask("POST", "runs", body=SYNC, token=token).status_code == 404
    assert place.queued() == []


def test_a_link_that_does_not_exist_is_not_found(place: Place) -> None:
    for number in (0, place.link.id + 1, 2**31 - 1, 2**31, 10**30):
        assert place.ask("GET", f"/api/links/{number}/state").status_code == 404


def test_a_document_configured_by_the_short_id_of_its_address_is_found(
        grist_server: tuple[Grist, str], tmp_path: Path) -> None:
    document = grist_server[0].new_document("Shop")
    place = make_place(*grist_server, tmp_path, document=document, grist_document=document.doc_id[:12])
    assert place.get("/api/session")["link"]["store"] == "fieldhouse.myshopify.com"


def test_grist_is_asked_once_a_minute_about_a_token() -> None:
    asked, now = [], [0.0]
    gate = Gate(lambda document, token: asked.append(token) or "editor", clock=lambda: now[0])
    for at, expected in ((0, 1), (59, 1), (61, 2), (62, 2)):
        now[0] = at
        assert gate._role("document", "token") == "editor"
        assert len(asked) == expected


def test_what_is_remembered_of_tokens_is_bounded_and_holds_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.web.access.REMEMBERED_TOKENS", 3)
    gate = Gate(lambda document, token: None)
    for number in range(10):
        gate._role("document", f"secret-token-{number}")
    assert len(gate._known) == 3
    assert not any(b"secret" in key for key in gate._known)


def test_grist_that_cannot_be_asked_is_said_as_such(place: Place) -> None:
    def busy(document: str, token: str) -> None:
        raise RetryLater("Grist is busy with other requests for this document.", retry_after=7)

    place.service.gate = Gate(busy)
    answer = place.ask("GET", "/api/session")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert answer.json["message"] == "Grist is busy with other requests for this document."


def test_a_grist_that_stays_busy_is_given_up_before_a_person_is(place: Place) -> None:
    requests.post(f"{place.service.server_url}/__control/faults",
                  json={"next": [{"status": 429, "retry_after": 30}] * 3}, timeout=5)
    try:
        assert place.ask("GET", "/api/session").status_code == 503
    finally:
        requests.post(f"{place.service.server_url}/__control/reset", timeout=5)


def test_no_answer_and_no_log_line_holds_a_secret(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    token = place.token()
    run = place.begin()
    said = [place.ask("GET", path, token=token).text for path in
            ("/", "/docs", "/api/session", "state", "runs", f"runs/{run.id}", "conflicts", "changes", "/widget/")]
    said.append(place.ask("GET", "/api/session", token=forged(place.document.doc_id)).text)
    for secret in ("shpat_secret", "grist-secret", token):
        assert not any(secret in one for one in [*said, caplog.text])


def forged(document: Any) -> str:
    parts = [{"alg": "HS256"}, {"docId": document, "userId": 5, "role": "owner", "exp": 4_000_000_000}]
    return ".".join(base64.urlsafe_b64encode(orjson.dumps(part)).decode().rstrip("=") for part in parts) + ".AAAA"

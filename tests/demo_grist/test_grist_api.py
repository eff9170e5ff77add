"""The stand-in's HTTP side between the recordings: rights, tokens, limits, webhooks, access rules, the control door."""
from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from typing import Any

import pytest
import requests
from flask import Flask, request

from demo.grist import Document, Grist, create_app
from demo.serving import serving


class Clock:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Client:
    """A document served over HTTP, and calls to it as one of several callers."""

    def __init__(self, grist: Grist, document: Document, url: str, clock: Clock) -> None:
        self.grist, self.document, self.url, self.clock = grist, document, url, clock

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = "owner", **more: Any,
             ) -> requests.Response:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return requests.request(method, f"{self.url}/api/docs/shop{path}", json=body, headers=headers, timeout=10,
                                **more)

    def token(self, role: str, *, read_only: bool = False) -> str:
        issued = self.grist.access.token("shop", self.grist.access.person(role), read_only=read_only)
        return str(issued["token"])

    def apply(self, *actions: Any, key: str = "owner") -> requests.Response:
        return self.call("POST", "/apply", list(actions), key=key)


@pytest.fixture
def client() -> Iterator[Client]:
    clock = Clock()
    grist = Grist(webhook_delay=0, clock=clock)
    for role in ("owner", "editor", "viewer"):
        grist.add_key(role, role)
    document = grist.new_document("Shop", "shop")
    document.apply([["AddTable", "Products", [{"id": "Title", "type": "Text"}, {"id": "Price", "type": "Numeric"}]],
                    ["BulkAddRecord", "Products", [None, None], {"Title": ["A", "B"], "Price": [1, 2]}]])
    with serving(create_app(grist)) as url:
        yield Client(grist, document, url, clock)


@pytest.mark.parametrize(("role", "tables", "apply", "webhooks"), [
    ("owner", 200, 200, 200), ("editor", 200, 200, 403), ("viewer", 200, 403, 403)])
def test_a_role_can_be_asked_without_side_effects(
        client: Client, role: str, tables: int, apply: int, webhooks: int) -> None:
    for credentials in ({"key": role}, {"key": None, "params": {"auth": client.token(role)}}):
        answers = [client.call("GET", "/tables", **credentials), client.call("POST", "/apply", [], **credentials),
                   client.call("GET", "/webhooks", **credentials)]
        assert [answer.status_code for answer in answers] == [tables, apply, webhooks]
    if role == "viewer":
        assert answers[1].json() == {"error": "No write access"}
        assert answers[2].json() == {"error": "No owner access"}


def test_a_token_opens_one_documents_content_until_it_expires(client: Client) -> None:
    token = client.token("owner")
    payload = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert (payload["docId"], payload["readOnly"]) == ("shop", False)
    other = client.grist.new_document("Other", "other")

    def status(path: str, token: str) -> int:
        return requests.get(f"{client.url}/api/docs/{path}", params={"auth": token}, timeout=5).status_code

    assert status("shop/tables", token) == 200
    assert status("shop", token) == 403
    assert status(f"{other.doc_id}/tables", token) == 403
    assert status("shop/tables", token[:-2] + "xx") == 401
    assert client.call("GET", "/tables", key=token).status_code == 401
    read_only = client.call("POST", "/apply", [], key=None, params={"auth": client.token("owner", read_only=True)})
    assert read_only.status_code == 403
    client.clock.now += 901
    assert status("shop/tables", token) == 401


def test_the_eleventh_request_at_once_is_refused(client: Client) -> None:
    client.document.lock.acquire()
    try:
        with ThreadPoolExecutor(12) as pool:
            waiting = [pool.submit(client.call, "GET", "/tables/Products/records") for _ in range(12)]
            refused: Queue[int] = Queue()
            for future in waiting:
                future.add_done_callback(lambda done: refused.put(done.result().status_code))
            assert [refused.get(timeout=10), refused.get(timeout=10)] == [429, 429]
            client.document.lock.release()
            assert sorted(future.result().status_code for future in waiting) == [200] * 10 + [429] * 2
    finally:
        if client.document.lock._is_owned():  # type: ignore[attr-defined]
            client.document.lock.release()
    assert client.call("GET", "/states").status_code == 200


def test_the_daily_limit_counts_calls_of_one_document() -> None:
    grist = Grist(daily_limit=2)
    grist.add_key("owner")
    grist.new_document("Shop", "shop")
    with serving(create_app(grist)) as url:
        codes = [requests.get(f"{url}/api/docs/shop/states", headers={"Authorization": "Bearer owner"},
                              timeout=5).status_code for _ in range(3)]
    assert codes == [200, 200, 429]


def test_action_number_and_hash_are_those_of_the_newest_state(client: Client) -> None:
    before = client.call("GET", "/states").json()["states"][0]
    done = client.apply(["UpdateRecord", "Products", 1, {"Price": 5}]).json()
    newest = client.call("GET", "/states").json()["states"][0]
    assert newest == {"n": done["actionNum"], "h": done["actionHash"]}
    assert done["actionNum"] == before["n"] + 1


def test_four_writers_at_once_get_states_of_their_own(client: Client) -> None:
    def write(price: int) -> int:
        return int(client.apply(["UpdateRecord", "Products", 1, {"Price": price}]).json()["actionNum"])

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(write, range(100, 120)))
    assert sorted(numbers) == list(range(min(numbers), min(numbers) + 20))


def test_access_rules_hide_in_silence_and_refuse_whole_reads_to_editors(client: Client) -> None:
    client.apply(["AddRecord", "_grist_ACLResources", -1, {"tableId": "Products", "colIds": "*"}],
                 ["AddRecord", "_grist_ACLRules", None, {
                     "resource": -1, "aclFormula": "rec.Title == 'B' and user.Access != OWNER",
                     "permissionsText": "-R"}])
    assert client.call("GET", "/tables/Products/data", key="owner").json()["id"] == [1, 2]
    assert client.call("GET", "/tables/Products/data", key="editor").json()["id"] == [1]
    state = client.document.history.newest.h
    for path in (f"/compare?left={state}", "/sql?q=select+1"):
        assert client.call("GET", path, key="owner").status_code == 200
        assert client.call("GET", path, key="editor").status_code == 403
    assert client.apply(["AddRecord", "_grist_ACLResources", None, {}], key="editor").status_code == 403


def test_a_hidden_cell_reads_as_censored(client: Client) -> None:
    client.apply(["AddRecord", "_grist_ACLResources", -1, {"tableId": "Products", "colIds": "Price"}],
                 ["AddRecord", "_grist_ACLRules", None, {"resource": -1, "aclFormula": "rec.Title == 'B'",
                                                         "permissionsText": "-R"}])
    assert client.call("GET", "/tables/Products/data").json()["Price"] == [1, ["C"]]


def test_sql_reads_only(client: Client) -> None:
    for statement in ("select * from Products; drop table Products", "update Products set Price = 0 where 'select'",
                      "select load_extension('x')", "select * from pragma_database_list; --"):
        assert client.call("POST", "/sql", {"sql": statement}).status_code == 400
    assert client.document.table("Products").row(1)["Price"] == 1


def test_a_webhook_posts_added_and_changed_rows(client: Client) -> None:
    received: Queue[tuple[str | None, Any]] = Queue()
    receiver = Flask("receiver")

    @receiver.post("/hook")
    def hook() -> str:
        received.put((request.headers.get("Authorization"), request.get_json()))
        return "ok"

    with serving(receiver) as url:
        made = client.call("POST", "/webhooks", {"webhooks": [{"fields": {
            "tableId": "Products", "url": f"{url}/hook", "eventTypes": ["add", "update"], "enabled": True,
            "authorization": "Bearer secret", "watchedColIds": ["Price"]}}]})
        assert made.status_code == 200, made.text
        client.apply(["UpdateRecord", "Products", 1, {"Title": "not watched"}])
        client.apply(["UpdateRecord", "Products", 2, {"Price": 9}])
        authorization, rows = received.get(timeout=10)
    assert authorization == "Bearer secret"
    assert [(row["id"], row["Title"], row["Price"]) for row in rows] == [(2, "B", 9)]


@pytest.mark.parametrize(("attribute", "status", "message"), [
    ("trashed", 404, "Document is deleted"), ("disabled", 403, "Document is disabled")])
def test_a_document_in_the_trash_or_disabled_answers_so(
        client: Client, attribute: str, status: int, message: str) -> None:
    setattr(client.document, attribute, True)
    answer = client.call("GET", "/tables")
    assert (answer.status_code, answer.json()["error"]) == (status, message)


def test_a_document_in_recovery_mode_takes_changes_and_works_out_no_formula(client: Client) -> None:
    client.apply(["AddColumn", "Products", "Double", {"isFormula": True, "formula": "$Price * 2"}])
    client.document.recovery = True
    assert client.apply(["UpdateRecord", "Products", 1, {"Price": 5}]).status_code == 200
    told = client.call("GET", "/tables/Products/data").json()
    assert (told["Price"][0], told["Double"][0]) == (5, ["E", "Formula not supported"])
    client.document.recovery = False
    assert client.call("GET", "/tables/Products/data").json()["Double"][0] == 10


def test_documents_are_made_in_the_workspace_and_listed(client: Client) -> None:
    headers = {"Authorization": "Bearer owner"}
    org = requests.get(f"{client.url}/api/orgs", headers=headers, timeout=5).json()[0]
    workspaces = requests.get(f"{client.url}/api/orgs/{org['id']}/workspaces", headers=headers, timeout=5).json()
    made = requests.post(f"{client.url}/api/workspaces/{workspaces[0]['id']}/docs", json={"name": "New shop"},
                         headers=headers, timeout=5).json()
    listed = requests.get(f"{client.url}/api/orgs/current/workspaces", headers=headers, timeout=5).json()
    assert [doc["name"] for doc in listed[0]["docs"]] == ["Shop", "New shop"]
    assert listed[0]["docs"][1]["id"] == made
    missing = requests.post(f"{client.url}/api/workspaces/77/docs", json={}, headers=headers, timeout=5)
    assert missing.status_code == 404


def test_counts_tell_reads_from_real_writes(client: Client) -> None:
    requests.post(f"{client.url}/__control/reset", timeout=5)
    client.call("GET", "/states")
    client.apply(["UpdateRecord", "Products", 1, {"Price": 77}])
    client.apply(["UpdateRecord", "Products", 1, {"Price": 77}])
    client.apply()
    client.apply(["UpdateRecord", "Products", 99, {"Price": 1}])
    assert _counts(client) == {"requests": 5, "reads": 4, "writes": 1, "points": 0}


def test_ordered_faults_hit_the_next_requests_once(client: Client) -> None:
    _order(client, {"status": 503}, {"drop": "before"}, {"drop": "after"})
    change = ["UpdateRecord", "Products", 1, {"Price": 50}]
    assert client.apply(change).status_code == 503
    with pytest.raises(requests.ConnectionError):
        client.apply(change)
    assert client.document.table("Products").row(1)["Price"] == 1
    with pytest.raises(requests.ConnectionError):
        client.apply(change)
    assert client.document.table("Products").row(1)["Price"] == 50
    assert client.apply(change).status_code == 200
    assert requests.post(f"{client.url}/__control/faults", json={"next": [{"colour": "red"}]},
                         timeout=5).status_code == 400


def test_the_control_door_edits_as_a_person_types(client: Client) -> None:
    body = {"table": "Products", "row": 1, "values": {"Price": "$12.50"}}
    assert requests.post(f"{client.url}/__control/edit", json=body, timeout=5).json()["isModification"] is True
    assert client.document.table("Products").row(1)["Price"] == 12.5
    assert client.document.history.newest.user == "person"


def test_other_sites_may_call_the_api_but_not_the_page(client: Client) -> None:
    allowed = requests.options(f"{client.url}/api/docs/shop/tables", headers={"Origin": "https://evil.example"},
                               timeout=5).headers
    assert allowed["Access-Control-Allow-Origin"] == "*"
    assert allowed["Access-Control-Allow-Headers"] == "Content-Type, X-Requested-With"
    for path in ("/page/shop/token", "/page/shop/apply", "/page/shop/options"):
        method = "PUT" if path.endswith("options") else "POST"
        answer = requests.request(method, client.url + path, json={}, headers={"Origin": "https://evil.example"},
                                  timeout=5)
        assert answer.status_code == 403


def test_a_hundred_thousand_rows_are_read_in_about_a_second(client: Client) -> None:
    count = 100_000
    client.document.apply([["AddTable", "Big", [{"id": f"C{n}", "type": "Int"} for n in range(13)]],
                           ["BulkAddRecord", "Big", [None] * count, {f"C{n}": list(range(count)) for n in range(13)}]])
    answer = client.call("GET", "/tables/Big/data")
    assert len(answer.json()["id"]) == count
    assert answer.elapsed.total_seconds() < 5  # about 0.1 s on a quiet machine
    assert client.call("POST", "/tables/Big/records/list", {"filter": {"id": [7, 70_000]}}).json()["records"][1][
        "id"] == 70_000


def test_it_starts_alone_and_prints_where_it_is() -> None:
    process = subprocess.Popen([sys.executable, "-m", "demo.grist", "--port", "0"], stdout=subprocess.PIPE, text=True)
    killer = threading.Timer(30, process.kill)
    killer.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"Grist stand-in at (\S+) document (\w+) key (\w+)\n", line)
        assert found, line
        url, doc_id, key = found.groups()
        answer = requests.get(f"{url}/api/docs/{doc_id}/tables", headers={"Authorization": f"Bearer {key}"}, timeout=10)
        assert answer.json()["tables"][0]["id"] == "Table1"
    finally:
        killer.cancel()
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close() if process.stdout else None


def _counts(client: Client) -> dict[str, int]:
    return requests.get(f"{client.url}/__control/counts", timeout=5).json()  # type: ignore[no-any-return]


def _order(client: Client, *faults: dict[str, Any]) -> None:
    requests.post(f"{client.url}/__control/faults", json={"next": list(faults)}, timeout=5)

"""No thread of the web waits for Shopify or Grist: while they say nothing at all, every address answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import sqlalchemy as sa
from test_web_access import MATRIX
from web_helpers import Place, config

from backend.store import asked as store
from backend.store import tables
from backend.web import aside, create_app


class Services:
    """Shopify and Grist as the backend reaches them. While silent they take a request and do not answer it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._speak = threading.Event()
        self.waited_for: list[str] = []
        self.given_up: list[str] = []
        send = requests.Session.request

        def request(session: requests.Session, method: str, url: str, **more: Any) -> requests.Response:
            self.waited_for.append(url)
            if not self._speak.wait(20):
                self.given_up.append(url)
            return send(session, method, url, **more)

        monkeypatch.setattr(requests.Session, "request", request)

    def be_silent(self) -> None:
        self._speak.clear()

    def speak(self) -> None:
        self._speak.set()


@pytest.fixture
def services(shop: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    shop.app.extensions[aside.EXTENSION].grace_seconds = 0
    made = Services(monkeypatch)
    yield made
    made.speak()


def addresses(place: Place) -> Iterator[tuple[str, str, Any, int]]:
    """(method, path, body, what an owner is answered), of every address there is."""
    run = place.begin()
    for address, (body, *_, expected) in MATRIX.items():
        method, rule = address.split(" ")
        yield method, (rule.replace("<int(max=2147483647):link>", str(place.link.id))
                       .replace("<int(max=2147483647):run_id>", str(run.id)).replace("<string:asked>", "none")
                       .replace("<int(max=2147483647):key_id>", "1").replace("<path:name>", "main.js")
                       .replace("<int(max=2147483647):number>", "1")), body, expected


def answered(place: Place, asked: str, token: str) -> Any:
    """The answer, once it is there."""
    deadline = time.monotonic() + 30
    while "Location" in (answer := place.ask("GET", f"/api/asked/{asked}", token=token)).headers:
        assert time.monotonic() < deadline, "no answer came"
        time.sleep(0.005)
    return answer


def test_every_address_answers_while_the_services_are_silent_and_tells_later_what_they_said(
        shop: Place, services: Services) -> None:
    beside = 0
    for method, path, body, expected in addresses(shop):
        services.be_silent()
        token = shop.token()
        shop.service.gate._known.clear()  # so Grist has to be asked about it
        answer = shop.ask(method, path, body=body, token=token)
        if path.startswith("/api/") and not path.startswith("/api/asked/"):
            beside += 1
            assert (answer.status_code, set(answer.json)) == (202, {"asked"}), (method, path)
            assert answer.headers["Location"] == f"/api/asked/{answer.json['asked']}"
            services.speak()
            answer = answered(shop, answer.json["asked"], token)
        assert answer.status_code == expected, (method, path, answer.text)
    assert beside >= 40
    assert services.given_up == []


def test_what_needs_no_service_is_answered_at_once(shop: Place, services: Services) -> None:
    services.speak()
    token = shop.token()
    first = shop.ask("GET", "state", token=token)
    if first.status_code == 202:
        first = answered(shop, first.json["asked"], token)
    services.be_silent()
    services.waited_for.clear()
    for path in ("state", "runs", "conflicts", "settings", "health", "mappings", "config.yaml", "keys", "changes"):
        assert shop.ask("GET", path, token=token).status_code == 200, path
    assert shop.ask("POST", "runs", body={"kind": "sync"}, token=token).json.keys() == {"id"}
    assert services.waited_for == []


def test_an_answer_is_told_by_any_process_to_its_asker_alone(shop: Place, services: Services) -> None:
    token = shop.token()
    asked = shop.ask("GET", "/api/session", token=token).json["asked"]
    services.speak()
    mine = answered(shop, asked, token)
    other = create_app(shop.service.context.settings, config(), start_worker=False).test_client()

    def told(token: str) -> Any:
        return other.get(f"/api/asked/{asked}", headers={"Authorization": f"Bearer {token}"})

    assert told(token).json == mine.json
    assert (told(token).status_code, told(token).headers["ETag"]) == (200, mine.headers["ETag"])
    assert told(shop.token("viewer")).status_code == 404
    with shop.service.database.read() as tx:
        rows = tx.execute(sa.select(tables.asked.c.key, tables.asked.c.sealed)).all()
    assert not any(secret in str(rows) for secret in (asked, token, "fieldhouse"))


def test_when_too_many_wait_already_the_next_one_is_told_to_come_back(shop: Place, services: Services) -> None:
    waiting = [shop.ask("GET", "/api/session", token=shop.token()) for _ in range(aside.MOST_ASKING)]
    assert {one.status_code for one in waiting} == {202}
    refused = shop.ask("GET", "/api/session", token=shop.token())
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert refused.json["message"] == "Too many pages wait for Shopify and Grist at this moment."
    assert shop.client.get("/readyz").status_code == 200


def test_an_answer_whose_process_ended_is_said_to_be_lost(shop: Place, services: Services) -> None:
    token = shop.token()
    asked = shop.ask("GET", "/api/session", token=token).json["asked"]
    with shop.service.database.write() as tx:
        tx.execute(sa.update(tables.asked).values(at=tables.asked.c.at - aside.LOST_SECONDS - 1))
    lost = shop.ask("GET", f"/api/asked/{asked}", token=token)
    assert (lost.status_code, lost.json["cure"]) == (503, "Ask the question itself again.")
    with shop.service.database.write() as tx:
        tx.execute(sa.update(tables.asked).values(at=tables.asked.c.at - store.KEPT_SECONDS))
    assert shop.ask("GET", f"/api/asked/{asked}", token=token).status_code == 404


def test_a_body_that_is_too_large_or_has_no_length_is_refused_as_ever(shop: Place, services: Services) -> None:
    services.speak()
    headers = {"Authorization": f"Bearer {shop.token()}", "Content-Type": "application/json"}
    path = f"/api/links/{shop.link.id}/runs"
    shop.app.extensions[aside.EXTENSION].grace_seconds = 30
    for size in (100_000, aside.LARGEST_BODY_BYTES + 1):
        assert shop.client.post(path, data=b" " * size, headers=headers).status_code == 413

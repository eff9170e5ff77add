"""A write that had to wait is sent only where the run still is its owner's (P15)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from flask import Flask

from backend.errors import LeaseLost, RetryLater
from backend.http import Http
from demo.serving import serving


class Busy:
    """A service that answers 429 so many times before it takes a request."""

    def __init__(self, times: int) -> None:
        self.left, self.taken = times, 0

    def app(self) -> Flask:
        app = Flask(__name__)
        app.add_url_rule("/", "all", self._answer, methods=["POST"])
        return app

    def _answer(self) -> tuple[str, int]:
        if self.left:
            self.left -= 1
            return "busy", 429
        self.taken += 1
        return "taken", 200


@pytest.fixture
def busy() -> Iterator[tuple[Busy, str]]:
    service = Busy(2)
    with serving(service.app()) as address:
        yield service, address


def client(looks: list[str]) -> Http:
    def explain(response: requests.Response) -> None:
        if response.status_code == 429:
            raise RetryLater("Busy.")

    http = Http("Service", explain=explain, sleep=lambda seconds: None)
    http.before_write = lambda: looks.append("looked")
    return http


def test_the_lease_is_looked_at_before_each_repeated_write_and_no_other(busy: tuple[Busy, str]) -> None:
    service, address = busy
    looks: list[str] = []
    http = client(looks)
    assert http.send("POST", address, safe=False).text == "taken"
    assert looks == ["looked", "looked"]
    http.send("POST", address, safe=False)
    assert (len(looks), service.taken) == (2, 2)


def test_reads_are_repeated_without_it(busy: tuple[Busy, str]) -> None:
    looks: list[str] = []
    client(looks).send("POST", busy[1], safe=True)
    assert looks == []


def test_a_write_of_a_run_that_was_taken_over_while_it_waited_is_not_sent(busy: tuple[Busy, str]) -> None:
    service, address = busy
    http = client([])

    def lost() -> None:
        raise LeaseLost("Another worker has it.")

    http.before_write = lost
    with pytest.raises(LeaseLost):
        http.send("POST", address, safe=False)
    assert service.taken == 0

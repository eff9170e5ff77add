"""Addresses that an owner of a document chose: https, public, and not one that changes its mind."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from backend import http
from backend.errors import RetryLater, UserError


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What a look-up finds, by name; others are unknown."""
    known: dict[str, list[str]] = {}

    def look_up(name: str, port: int, **_: Any) -> list[Any]:
        if name not in known:
            raise socket.gaierror(name)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port)) for number in known[name]]

    monkeypatch.setattr(http.socket, "getaddrinfo", look_up)
    return known


@pytest.mark.parametrize("url", [
    "http://hooks.example/x", "ftp://hooks.example/x", "file:///etc/passwd", "https://", "hooks.example/x", "",
    "https://[half/x", "https://hooks.example:notaport/x", "gopher://hooks.example/x",
])
def test_only_https_is_taken(names: dict[str, list[str]], url: str) -> None:
    names["hooks.example"] = ["93.184.215.14"]
    with pytest.raises(UserError, match=r"no address|not an https address"):
        http.tell(url, {"text": "hello"})


@pytest.mark.parametrize("numbers", [
    ["127.0.0.1"], ["10.1.2.3"], ["172.16.0.1"], ["192.168.1.1"], ["169.254.169.254"], ["100.64.0.1"], ["0.0.0.0"],
    ["224.0.0.1"], ["255.255.255.255"], ["::1"], ["fe80::1%eth0"], ["fc00::1"], ["::ffff:127.0.0.1"],
    ["::ffff:10.0.0.1"], ["64:ff9b::a00:1"], ["2002:7f00:1::"], ["93.184.215.14", "127.0.0.1"],
])
def test_no_name_leads_into_a_private_network(names: dict[str, list[str]], numbers: list[str]) -> None:
    names["hooks.example"] = numbers
    with pytest.raises(UserError, match="private network"):
        http.tell("https://hooks.example/x", {"text": "hello"})


def test_a_name_that_nobody_knows_is_tried_again(names: dict[str, list[str]]) -> None:
    with pytest.raises(RetryLater, match="not known now"):
        http.tell("https://hooks.example/x", {"text": "hello"})


def test_the_connection_goes_to_the_number_that_was_looked_at_and_is_checked_against_the_name(
        names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    names["hooks.example"] = ["93.184.215.14"]
    sent: dict[str, Any] = {}

    def send(adapter: Any, request: Any, **_: Any) -> Any:
        pool = adapter.poolmanager.connection_pool_kw
        sent.update(url=request.url, host=request.headers["Host"], checked=(pool["server_hostname"],
                                                                            pool["assert_hostname"]))
        raise http.requests.ConnectionError("far enough")

    monkeypatch.setattr(http._Pinned, "send", send)
    with pytest.raises(RetryLater):
        http.tell("https://hooks.example/services/T0?x=1", {"text": "hello"})
    assert sent == {"url": "https://93.184.215.14:443/services/T0?x=1", "host": "hooks.example",
                    "checked": ("hooks.example", "hooks.example")}


@pytest.mark.parametrize(("status", "error"), [(200, None), (204, None), (302, UserError), (404, UserError),
                                               (429, RetryLater), (503, RetryLater)])
def test_the_status_says_whether_it_was_taken_and_no_redirect_is_followed(status: int,
                                                                           error: type[Exception] | None) -> None:
    came: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/x"
        if error is None:
            http.tell(url, {"text": "hello"}, allow_local=True)
        else:
            with pytest.raises(error):
                http.tell(url, {"text": "hello"}, allow_local=True)
    finally:
        server.shutdown()
        server.server_close()
    assert came == ["/x"]

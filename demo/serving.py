"""Serve a WSGI app on this machine from a background thread: for tests, `make run` and the stand-ins.

HTTP/1.1 with keep-alive, so that a `requests.Session` really reuses its connection, one thread a
connection, and no line per request on the terminal.
"""
from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


@contextmanager
def serving(app: Callable[..., Any], port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve `app` while the block runs; yields the base URL without a trailing slash.

    Port 0 takes a free one. Raises OSError when the port is taken. Whole answers only: nothing is streamed.
    """
    server = bound_server(app, port, host)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield base_url(server)
    finally:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()


def bound_server(app: Callable[..., Any], port: int, host: str = "127.0.0.1") -> BaseWSGIServer:
    """A server that already listens (port 0 is decided) but serves only once `serve_forever` is called."""
    try:
        server = make_server(host, port, app, threaded=True, request_handler=_QuietHandler)
    except SystemExit as error:  # werkzeug ends the process when the port is taken; a caller wants an error
        raise OSError(f"Port {port} on {host} cannot be used; another program probably listens there.") from error
    server.daemon_threads = True  # type: ignore[attr-defined]
    server.block_on_close = False  # type: ignore[attr-defined]
    return server


def base_url(server: BaseWSGIServer) -> str:
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"http://{host}:{server.port}"


class _QuietHandler(WSGIRequestHandler):
    """Keeps connections open between requests and writes no log line for each.

    werkzeug's own handler closes every connection, for it does not know how to find the end of a body that the app
    left unread. This one reads the body before it calls the app, and answers with a length.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        environ = self.make_environ()
        environ["wsgi.input"] = BytesIO(self._body(environ))
        environ["wsgi.input_terminated"] = True
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[..., None]:
            started[:] = [(status, headers)]
            return lambda data: None

        try:
            answer = self.server.app(environ, start_response)
            try:
                body = b"".join(answer)
            finally:
                close = getattr(answer, "close", None)
                if close is not None:
                    close()
            self._send(*started[0], body)
        except ConnectionError:
            self.close_connection = True  # the other end has gone, or a fault was wished for

    def _body(self, environ: WSGIEnvironment) -> bytes:
        length = self.headers.get("Content-Length")
        if length is not None:
            return self.rfile.read(int(length))
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return bytes(environ["wsgi.input"].read())
        return b""

    def _send(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        code, _, words = status.partition(" ")
        self.send_response_only(int(code), words)
        if not any(name.lower() == "date" for name, _ in headers):  # a store whose clock a test has set says its own
            self.send_header("Date", self.date_time_string())
        for name, value in headers:
            if name.lower() not in ("content-length", "connection"):
                self.send_header(name, value)
        if int(code) >= 200 and int(code) not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and int(code) not in (204, 304):
            self.wfile.write(body)
        self.wfile.flush()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return None

    def log_error(self, format: str, *args: Any) -> None:
        # The only thing http.server reports here is a kept-alive connection that timed out or was closed.
        return None

"""Serve a WSGI app on this machine from a background thread: for tests, `make run` and the stand-ins.

HTTP/1.1 with keep-alive, so that a `requests.Session` really reuses its connection, one thread a
connection, and no line per request on the terminal.
"""
from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server


@contextmanager
def serving(app: Callable[..., Any], port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve `app` while the block runs; yields the base URL without a trailing slash.

    Port 0 takes a free one. Raises OSError when the port is taken.
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
    """Keeps connections open between requests and writes no log line for each."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return None

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        # The only thing http.server reports here is a kept-alive connection that timed out or was closed.
        return None

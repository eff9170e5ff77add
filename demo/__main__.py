"""`make run`: without credentials a whole shop on this machine, with them the backend alone.

    simulated store  ←→  backend (gunicorn, with its worker)  ←→  stand-in document and its page
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from backend.errors import SyncError
from backend.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
CONFIG = Path(__file__).with_name("sync.yaml")
TOKEN = "shpat_demo"
DOCUMENT = "FieldhouseGoodsDemo123"
PRODUCTS = 60


@dataclass(frozen=True)
class Demo:
    """The addresses of a running demo, and the environment of its backend."""

    both: str
    page: str
    store: str
    backend: str
    environment: dict[str, str]
    server: subprocess.Popen[bytes]
    """The backend; a test may end it, and `serve` another one in its place."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")), help="of the backend")
    parser.add_argument("--store-port", type=int, default=9292)
    parser.add_argument("--grist-port", type=int, default=9393)
    parser.add_argument("--any-port", action="store_true", default="DEMO_ANY_PORT" in os.environ,
                        help="take free ports from the start, as is done for any that is taken; also DEMO_ANY_PORT=1")
    options = parser.parse_args()
    try:
        settings = Settings.from_environment()
    except SyncError as error:
        print(error, file=sys.stderr)
        return 2
    if settings.has_credentials:
        print("Credentials found: starting the backend for the real store and document.", flush=True)
        os.environ["PORT"] = str(options.port)
        os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "wsgi:app"])
    ports = [0 if options.any_port or _is_taken(port) else port
             for port in (options.store_port, options.grist_port, options.port)]
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with running(*ports) as demo:
            print(f"\nOpen      {demo.both}\n          document and store side by side, with a tour of five steps")
            print(f"Document  {demo.page}\nStore     {demo.store}")
            print("\nNothing here is real and nothing is kept. Ctrl-C ends it.", flush=True)
            stop.wait()
    except OSError as error:
        print(f"{error} Start it again: make run", file=sys.stderr)
        return 1
    return 0


@contextmanager
def running(store_port: int = 0, grist_port: int = 0, backend_port: int = 0, *, products: int = PRODUCTS
            ) -> Iterator[Demo]:
    """A store, a document and a backend, after their first sync. Everything ends with the block."""
    # Imported here, so that a backend with real credentials never loads a simulated store.
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    from demo.grist import Grist
    from demo.grist import create_app as grist_app
    from demo.pages import create_app as pages_app
    from demo.serving import serving
    from demo.shopify import Store
    from demo.shopify import create_app as store_app

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shopify-grist-demo-")))
        grist, key = Grist(), secrets.token_hex(16)
        document = grist.new_document("Shop", DOCUMENT)
        grist.add_key(key, role="owner")
        shop = Store(products=products, seed=1)
        shop_app = store_app(shop, tokens={TOKEN})
        store = stack.enter_context(serving(shop_app, store_port))
        backend_port = backend_port or _free_port()
        backend = f"http://127.0.0.1:{backend_port}"
        both = pages_app(shop, store, document, shop_app.extensions["shopify_door"])
        page = stack.enter_context(serving(
            DispatcherMiddleware(grist_app(grist, backend_url=backend), {"/demo": both}), grist_port))
        environment = {
            **os.environ, "PORT": str(backend_port), "HOST": "127.0.0.1",
            "SHOPIFY_STORE": "fieldhouse.myshopify.com", "SHOPIFY_ADMIN_URL": store, "SHOPIFY_ACCESS_TOKEN": TOKEN,
            "GRIST_SERVER_URL": page, "GRIST_API_KEY": key, "GRIST_DOC_ID": DOCUMENT,
            "DATABASE_URL": f"sqlite:///{folder / 'demo.db'}", "SYNC_CONFIG": str(CONFIG), "SYNC_REST_SECONDS": "5",
            "PYTHONPATH": str(ROOT), "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
        }
        print(f"First sync of {products} products …", flush=True)
        first = subprocess.run([sys.executable, str(ROOT / "shopify_grist_sync.py")], env=environment, cwd=folder,
                               check=False)
        if first.returncode not in (0, 3):
            raise SystemExit(first.returncode)
        server = serve(environment)
        try:
            _wait_for(f"{backend}/healthz", server)
            yield Demo(f"{page}/demo/", f"{page}/doc/{DOCUMENT}", store, backend, environment, server)
        finally:
            end(server)


def serve(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """The backend through gunicorn; it answers a moment later."""
    return subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py"), "--log-level", "warning",
         "--chdir", str(ROOT), "wsgi:app"], env=environment)


def end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(30)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _is_taken(port: int) -> bool:
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: one that has ended holds nothing
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, server: subprocess.Popen[bytes], seconds: float = 30) -> None:
    import time
    import urllib.error
    import urllib.request

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise OSError(f"The backend ended with code {server.returncode} before it answered.")
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise OSError(f"The backend did not answer within {seconds:.0f} s.")


if __name__ == "__main__":
    sys.exit(main())

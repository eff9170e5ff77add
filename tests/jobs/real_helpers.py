"""The whole backend as a host runs it: gunicorn by the Procfile's own line, with its child, between both stand-ins."""

from __future__ import annotations

import base64
import hashlib
import hmac
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import requests
from aiosmtpd.controller import Controller
from jobs_helpers import DOCUMENT, ROOT, Shop, until

from backend.store import schedule

SECRET = "hush"
STORE = "fieldhouse.myshopify.com"


def procfile(name: str) -> list[str]:
    """A command of the Procfile, with this Python's programs."""
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if line)
    words = shlex.split(lines[name])
    return [sys.executable, "-m", *words] if words[0] == "gunicorn" else [sys.executable, *words[1:]]


class Backend:
    """A running backend: its address, and what services outside say to it."""

    def __init__(self, shop: Shop, url: str, process: subprocess.Popen[bytes]) -> None:
        self.shop, self.url, self.process = shop, url, process
        with shop.database.read() as tx:
            self.key = schedule.key_of(tx, shop.link.id)
        self.session = requests.Session()

    def from_shopify(self, topic: str, payload: Any, *, whole_app: bool = False) -> requests.Response:
        """Deliver a webhook as Shopify does."""
        body = orjson.dumps(payload)
        signature = base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
        return self.session.post(
            f"{self.url}/hooks/shopify" if whole_app else f"{self.url}/hooks/shopify/{self.key}", data=body, timeout=10,
            headers={"X-Shopify-Topic": topic, "X-Shopify-Shop-Domain": STORE, "X-Shopify-Hmac-Sha256": signature})

    def from_grist(self, resource: str, rows: list[dict[str, Any]]) -> requests.Response:
        authorization = self.shop.context.grist_authorization(self.shop.link, self.key)
        return self.session.post(f"{self.url}/hooks/grist/{self.key}/{resource}", json=rows, timeout=10,
                                 headers={"Authorization": authorization})

    # --- both services, as people use them --------------------------------------------------------

    def records(self, table: str) -> list[dict[str, Any]]:
        answer = self.session.get(f"{self.shop.urls[1]}/api/docs/{DOCUMENT}/tables/{table}/records",
                                  headers={"Authorization": "Bearer key"}, timeout=10)
        found: list[dict[str, Any]] = answer.json()["records"]
        return found

    def type_into(self, table: str, row: int, **fields: Any) -> None:
        self.session.patch(f"{self.shop.urls[1]}/api/docs/{DOCUMENT}/tables/{table}/records",
                           json={"records": [{"id": row, "fields": fields}]},
                           headers={"Authorization": "Bearer key"}, timeout=10).raise_for_status()

    def ask_store(self, query: str, **variables: Any) -> Any:
        answer = self.session.post(
            f"{self.shop.urls[0]}/admin/api/2026-10/graphql.json", json={"query": query, "variables": variables},
            headers={"X-Shopify-Access-Token": "shpat_demo"}, timeout=10)
        return answer.json()["data"]

    def title_in_store(self, gid: str) -> str:
        return str(self.ask_store("query($id: ID!) { product(id: $id) { title } }", id=gid)["product"]["title"])

    def edit_in_store(self, gid: str, title: str) -> None:
        self.ask_store("mutation($p: ProductUpdateInput!) { productUpdate(product: $p) { userErrors { message } } }",
                       p={"id": gid, "title": title})

    def sync(self) -> None:
        """One that was asked for, and its end."""
        run_id = self.shop.request()
        done = self.shop.wait_for(run_id, "done", "failed", "stopped")
        assert done.state == "done", done.message


@contextmanager
def running(shop: Shop, **settings: str) -> Iterator[Backend]:
    """gunicorn, as the Procfile starts it, until it answers that it is ready."""
    environment = {**shop.environment, "HOST": "127.0.0.1", "PORT": "0", "SHOPIFY_API_SECRET": SECRET, **settings}
    told = shop.folder / "gunicorn.log"
    with told.open("wb") as log:
        process = subprocess.Popen(procfile("web"), env=environment, cwd=ROOT, stderr=log)
    try:
        url = ""

        def listens() -> bool:
            nonlocal url
            assert process.poll() is None, told.read_text()
            line = next((line for line in told.read_text().splitlines() if "Listening at:" in line), "")
            url = line.partition("Listening at: ")[2].partition(" ")[0]
            return bool(url)

        until(listens)
        until(lambda: _answers(f"{url}/readyz"), 60)
        backend = Backend(shop, url, process)
        with backend.session:  # gunicorn waits for connections that are left open
            yield backend
    finally:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.RequestException:
        return False


class Mailbox:
    """A mail server; what people read in it. Its `url` is what SMTP_URL says."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], str, str]] = []
        self.came = threading.Event()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content)
        payload: Any = mail.get_payload(decode=True)
        self.mails.append((envelope.rcpt_tos, str(mail["Subject"]), payload.decode()))
        self.came.set()
        return "250 OK"


@contextmanager
def mailbox() -> Iterator[tuple[Mailbox, str]]:
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=_free_port())
    controller.start()
    try:
        yield box, f"smtp://127.0.0.1:{controller.port}"
    finally:
        controller.stop()


@contextmanager
def chat() -> Iterator[tuple[list[str], str]]:
    """An address that takes messages as Slack does; the texts that came."""
    texts: list[str] = []

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            texts.append(orjson.loads(body)["text"])
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Take)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield texts, f"http://127.0.0.1:{server.server_port}/services/T0"
    finally:
        server.shutdown()
        server.server_close()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def folder_of(path: Path, name: str) -> Path:
    made = path / name
    made.mkdir()
    return made

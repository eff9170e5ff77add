"""The widget's entry in a gallery of Grist widgets: `GRIST_WIDGET_LIST_URL=<backend>/widget/manifest.json`."""
from __future__ import annotations

import functools
import http.server
import json
import re
import threading
from urllib.parse import urljoin

import fake
from playwright.sync_api import expect
from screen import QUERY, Screen

from backend import __version__

PACKAGE = json.loads((fake.WIDGET / "package.json").read_text())
MANIFEST = json.loads((fake.WIDGET / "manifest.json").read_text())


def test_package_and_manifest_say_the_same() -> None:
    assert [PACKAGE["grist"]] == MANIFEST
    assert PACKAGE["version"] == __version__
    assert MANIFEST[0]["published"] is True


def test_the_address_leads_to_the_page_beside_the_manifest() -> None:
    assert urljoin("https://sync.example/widget/manifest.json", MANIFEST[0]["url"]) == "https://sync.example/widget/"


def test_the_access_of_the_entry_is_what_the_widget_asks_for(screen: Screen) -> None:
    screen.open()
    screen.widget.locator("#tab-overview").wait_for()
    assert screen.fake_grist("ready.requiredAccess") == MANIFEST[0]["accessLevel"]
    assert re.fullmatch(r"@[a-z-]+/[a-z-]+", MANIFEST[0]["widgetId"])


def test_the_page_works_from_any_static_host_that_the_service_allows(
        screen: Screen, stage: tuple[fake.Stage, str]) -> None:
    """Served as files, from another origin than the service and the document."""
    handler = functools.partial(Quiet, directory=str(fake.WIDGET))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as files:
        threading.Thread(target=files.serve_forever, daemon=True).start()
        stage[0].elsewhere = f"http://127.0.0.1:{files.server_port}"
        screen.open("conflicts", f"{QUERY}&backend={screen.url}&grist={screen.url}")
        expect(screen.widget.locator('[data-conflict="31"]')).to_be_visible()
        assert screen.page.frames[1].url.startswith(stage[0].elsewhere)
        screen.value(31, "grist").click()
        screen.widget.locator("#apply").click()
        assert screen.wait_asked("POST", "/api/links/1/choices")["choices"][0]["conflict"] == 31
        files.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """A test writes no log."""

"""The widget's entry in a gallery of Grist widgets: `GRIST_WIDGET_LIST_URL=<backend>/widget/manifest.json`."""
from __future__ import annotations

import json
import re
from urllib.parse import urljoin

import fake
from screen import Screen

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

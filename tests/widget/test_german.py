"""Which language the widget speaks: what Grist or the settings say. That every screen is German then, is asked in
test_manners.py."""
from __future__ import annotations

from german import not_german
from playwright.sync_api import expect
from screen import QUERY, Screen


def test_a_language_that_is_not_there_is_english(screen: Screen) -> None:
    screen.open(query=QUERY.replace("language=en-US", "language=nb-NO"))
    expect(screen.widget.locator("#tab-overview")).to_contain_text("Overview")
    screen.open(query=QUERY.replace("language=en-US", "language=de-AT"))
    expect(screen.widget.locator("#tab-overview")).to_contain_text("Übersicht")


def test_english_a_key_and_an_empty_place_are_noticed() -> None:
    said = ["Übersicht", "Nothing has been synced yet.", "Sync", "5 Konflikte", "tab.overview", "{n} Zeilen"]
    assert not_german(said)[-2:] == ["tab.overview", "{n} Zeilen"]
    assert not_german(["Overview", "Übersicht"]) == ["Overview"]

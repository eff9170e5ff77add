"""Which language the widget speaks: what Grist or the settings say. That every screen is German then, is asked in
test_manners.py."""
from __future__ import annotations

from german import not_german
from playwright.sync_api import expect
from screen import QUERY, Screen


def test_an_unknown_language_is_english_and_the_service_speaks_german_too(screen: Screen) -> None:
    screen.shop.status = "stopped"
    screen.shop.message = {"message": "48 of 212 products are gone from Shopify. That is more than the 20 you allow. "
                           "Nothing was written.", "cure": "Look again."}
    screen.open(query=QUERY.replace("language=en-US", "language=nb-NO"))
    expect(screen.widget.locator("#tab-overview")).to_contain_text("Overview")
    screen.open(query=QUERY.replace("language=en-US", "language=de-AT"))
    expect(screen.widget.locator("#tab-overview")).to_contain_text("Übersicht")
    expect(screen.widget.locator(".banner")).to_have_text(
        "48 von 212 fehlen in Shopify (products). Das sind mehr als die 20, die Sie erlauben. "
        "Nichts wurde geschrieben. Sehen Sie noch einmal nach.")


def test_english_a_key_and_an_empty_place_are_noticed() -> None:
    said = ["Übersicht", "Nothing has been synced yet.", "Sync", "5 Konflikte", "tab.overview", "{n} Zeilen"]
    assert not_german(said)[-2:] == ["tab.overview", "{n} Zeilen"]
    assert not_german(["Overview", "Übersicht"]) == ["Overview"]

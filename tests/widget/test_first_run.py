"""The first run in Chromium: access, the store's form, what a test says, left and resumed."""
from __future__ import annotations

import fake
import pytest
from playwright.sync_api import expect
from screen import QUERY, Screen

STORE = "fieldhouse.myshopify.com"


@pytest.fixture
def shop() -> fake.Shop:
    shop = fake.fieldhouse()
    shop.linked = False
    shop.tested = fake.answer_of_test("write_inventory", "read_customers")
    return shop


def fill(screen: Screen, store: str = "fieldhouse", secret: str = "shpss_abc") -> None:
    screen.widget.get_by_label("Store domain").fill(store)
    screen.widget.get_by_label("Client id").fill("9b1d4e07c2a85f36")
    screen.widget.get_by_label("Client secret").fill(secret)


def test_an_owner_without_a_store_is_led_to_connect_one(screen: Screen) -> None:
    screen.open()
    expect(screen.widget.locator(".steps b")).to_have_text("2 Store")
    screen.widget.get_by_role("button", name="Access, done").click()
    expect(screen.widget.get_by_text("keeps a Shopify store and this document in agreement")).to_be_visible()
    screen.widget.get_by_role("button", name="Continue").click()
    expect(screen.widget.get_by_label("Store domain")).to_be_visible()


def test_without_access_the_first_step_says_how_to_give_it(screen: Screen) -> None:
    screen.open(query=QUERY.replace("access=full", "access=none"))
    expect(screen.widget.locator(".steps b")).to_have_text("1 Access")
    expect(screen.widget.get_by_text("Allow full access to start.")).to_be_visible()


def test_missing_permissions_are_listed_with_what_each_blocks(screen: Screen) -> None:
    screen.open()
    fill(screen, f"https://{STORE}/admin")
    screen.widget.get_by_role("button", name="Test", exact=True).click()
    expect(screen.widget.get_by_text("Connected to Fieldhouse Goods: USD, Oslo time")).to_be_visible()
    expect(screen.widget.get_by_role("row", name="write_inventory Stock changes")).to_be_visible()
    expect(screen.widget.get_by_role("row").nth(3)).to_contain_text("9 others")
    assert screen.asked("POST", "/api/link/test") == [
        {"store": STORE, "client_id": "9b1d4e07c2a85f36", "client_secret": "shpss_abc"}]
    assert screen.asked("POST", "/api/link") == []
    screen.widget.get_by_role("button", name="Continue without them").click()
    screen.wait_asked("POST", "/api/link")
    expect(screen.widget.locator(".steps b")).to_have_text("3 Resources")


def test_only_what_was_tested_can_be_connected(screen: Screen) -> None:
    screen.shop.tested = fake.answer_of_test()
    screen.open()
    expect(screen.widget.locator("#test")).to_have_attribute("aria-disabled", "true")
    fill(screen)
    screen.widget.locator("#test").click()
    expect(screen.widget.get_by_role("button", name="Continue")).to_be_visible()
    screen.widget.get_by_label("Client id").fill("another")
    expect(screen.widget.get_by_role("button", name="Continue")).to_have_count(0)


def test_what_shopify_says_of_a_wrong_key_stands_beside_the_button(screen: Screen) -> None:
    screen.shop.test_refusal = {"code": "access_error", "message": "Shopify does not know this client id.",
                                "cure": "Copy it again from the app’s settings."}
    screen.open()
    fill(screen)
    screen.widget.locator("#test").click()
    expect(screen.widget.get_by_role("alert")).to_have_text(
        "Shopify does not know this client id. Copy it again from the app’s settings.")
    expect(screen.widget.get_by_label("Client secret")).to_have_value("shpss_abc")


def test_an_admin_token_takes_the_place_of_id_and_secret(screen: Screen) -> None:
    screen.open()
    screen.widget.get_by_label("Store domain").fill("https://admin.shopify.com/store/fieldhouse/products")
    screen.widget.get_by_role("radio", name="Admin token").click()
    screen.widget.get_by_role("textbox", name="Admin token").fill("shpat_1")
    screen.widget.get_by_role("button", name="Show").click()
    expect(screen.widget.get_by_role("textbox", name="Admin token")).to_have_attribute("type", "text")
    screen.widget.locator("#test").click()
    screen.wait_asked("POST", "/api/link/test")
    assert screen.asked("POST", "/api/link/test") == [{"store": STORE, "token": "shpat_1"}]


def test_the_form_is_resumed_without_its_secret(screen: Screen) -> None:
    screen.open()
    fill(screen)
    screen.page.reload()
    expect(screen.widget.get_by_label("Client id")).to_have_value("9b1d4e07c2a85f36")
    expect(screen.widget.get_by_label("Client secret")).to_have_value("")
    kept = screen.frame.evaluate("JSON.stringify(sessionStorage)")
    assert "shpss_abc" not in kept


def test_a_store_that_was_connected_before_is_offered_again(screen: Screen) -> None:
    screen.shop.before = STORE
    screen.open()
    expect(screen.widget.get_by_text(f"This document was connected to {STORE}.")).to_be_visible()
    expect(screen.widget.get_by_label("Store domain")).to_have_value(STORE)


def test_html_in_what_shopify_calls_itself_is_text(screen: Screen) -> None:
    screen.shop.tested = fake.answer_of_test("read_customers")
    screen.shop.tested["shop"]["name"] = "<img src=x onerror=alert(1)>"
    screen.shop.tested["permissions"][1]["without"] = "<b>bold</b> **stars**"
    screen.open()
    fill(screen)
    screen.widget.locator("#test").click()
    expect(screen.widget.get_by_text("Connected to <img src=x onerror=alert(1)>")).to_be_visible()
    expect(screen.widget.locator("main img, main td b")).to_have_count(0)

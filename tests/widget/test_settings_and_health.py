"""Settings, Health and the states of the widget in Chromium."""
from __future__ import annotations

import fake
import pytest
from playwright.sync_api import expect
from screen import Screen

STORE = "fieldhouse.myshopify.com"
LINK = "/api/links/1"


def open_settings(screen: Screen) -> None:
    screen.open()
    screen.widget.locator("#more").click()
    screen.widget.get_by_role("menuitem", name="Settings").click()
    expect(screen.widget.locator("#mails")).to_be_visible()


# --- settings -------------------------------------------------------------------------------------------


def test_changed_settings_are_collected_counted_and_saved_together(screen: Screen) -> None:
    open_settings(screen)
    expect(screen.widget.locator("#save")).to_have_attribute("aria-disabled", "true")
    screen.widget.get_by_label("Timer", exact=True).select_option("3600")
    screen.widget.get_by_label("Deleted at once").fill("50")
    screen.widget.get_by_label("Share deleted").fill("40")
    expect(screen.widget.get_by_text("2 changes not saved.")).to_be_visible()
    assert screen.asked("PUT", f"{LINK}/settings") == []
    screen.widget.locator("#tab-overview").click()  # leaving keeps them
    screen.widget.locator("#more").click()
    screen.widget.get_by_role("menuitem", name="Settings").click()
    screen.widget.locator("#save").click()
    assert screen.wait_asked("PUT", f"{LINK}/settings") == {
        "interval_seconds": 3600, "brakes": {"deletions": 50, "deletions_share": 0.4, "changed_share": 0.9}}
    expect(screen.widget.get_by_text("All changes are saved.")).to_be_visible()


def test_what_is_no_number_stays_with_its_reason_and_is_not_saved(screen: Screen) -> None:
    open_settings(screen)
    screen.widget.get_by_label("Share deleted").fill("many")
    expect(screen.widget.get_by_role("alert")).to_have_text("“many” is not a percentage from 1 to 100.")
    screen.widget.get_by_label("Pause").first.click()
    expect(screen.widget.locator("#save")).to_have_attribute("aria-disabled", "true")
    screen.widget.get_by_role("button", name="Discard").click()
    expect(screen.widget.get_by_label("Share deleted")).to_have_value("30")


def test_what_the_service_refuses_stands_at_its_line(screen: Screen) -> None:
    screen.shop.refusals[f"PUT {LINK}/settings"] = {
        "code": "unprocessable", "message": "“mails.0”: This is no mail address.",
        "details": {"fields": {"json": {"mails": {"0": ["This is no mail address."]}}}}}
    open_settings(screen)
    screen.widget.get_by_label("Mail to").fill("ana")
    screen.widget.locator("#save").click()
    expect(screen.widget.locator("#mails-problem")).to_have_text("This is no mail address.")
    expect(screen.widget.get_by_label("Mail to")).to_have_value("ana")


def test_a_key_for_background_work_is_sent_once_and_never_shown_again(screen: Screen) -> None:
    open_settings(screen)
    screen.widget.locator("#grist_key").fill("grist-secret-key")
    screen.widget.locator(".row", has=screen.page.locator("#grist_key")).get_by_role("button", name="Keep").click()
    assert screen.wait_asked("PUT", f"{LINK}/grist-key") == {"key": "grist-secret-key"}
    expect(screen.widget.get_by_text("…9z9z")).to_be_visible()
    expect(screen.widget.locator("#grist_key")).to_have_value("")


def test_a_refused_key_says_why_below_its_input(screen: Screen) -> None:
    screen.shop.refusals[f"PUT {LINK}/grist-key"] = {
        "code": "access_error", "message": "Grist does not accept the API key.", "cure": "Make a new one.",
        "status": 403}
    open_settings(screen)
    screen.widget.locator("#grist_key").fill("wrong")
    screen.widget.locator(".row", has=screen.page.locator("#grist_key")).get_by_role("button", name="Keep").click()
    expect(screen.widget.locator("#grist_key-problem")).to_have_text(
        "Grist does not accept the API key. Make a new one.")


def test_an_api_key_is_shown_once_and_revoked_after_a_question(screen: Screen) -> None:
    open_settings(screen)
    screen.widget.get_by_label("API keys").fill("nightly <b>")
    screen.widget.get_by_role("button", name="Make a key").click()
    expect(screen.widget.locator(".made code")).to_have_text("sgs_shown_once")
    screen.widget.get_by_role("button", name="Revoke nightly <b>").click()
    expect(screen.widget.locator("#question")).to_contain_text("Revoke nightly <b>?")
    expect(screen.widget.get_by_role("button", name="Cancel")).to_be_focused()
    assert screen.asked("DELETE", f"{LINK}/keys/2") == []
    screen.widget.get_by_role("button", name="Revoke key").click()
    screen.wait_asked("DELETE", f"{LINK}/keys/2")
    expect(screen.widget.locator(".keys-list li")).to_have_count(1)


def test_a_mapping_file_is_taken_only_after_a_look(screen: Screen) -> None:
    open_settings(screen)
    chosen = screen.widget.locator("#mapping-file")
    chosen.set_input_files({"name": "a.yaml", "mimeType": "text/yaml", "buffer": b"tabel: 1"})
    expect(screen.widget.locator("#file-problem")).to_have_text("Line 3: “tabel” is not a key. Did you mean table?")
    chosen.set_input_files({"name": "a.yaml", "mimeType": "text/yaml", "buffer": b"table: 1"})
    expect(screen.widget.locator("#question")).to_contain_text("1 change: Price in Variants is only read.")
    screen.widget.get_by_role("button", name="Take it").click()
    expect(screen.widget.locator(".toast")).to_have_text("Mapping taken from the file")
    assert [query for _, query, _ in [one for one in screen.shop.asked if one[0] == "FILE"]] == [
        "preview=true", "preview=true", ""]


def test_the_timer_is_paused_from_the_menu(screen: Screen) -> None:
    screen.open()
    screen.widget.locator("#more").click()
    screen.widget.get_by_role("menuitem", name="Pause timer").click()
    assert screen.wait_asked("PUT", f"{LINK}/settings") == {"paused": True}
    expect(screen.widget.locator(".status")).to_contain_text("Paused")


def test_the_mapping_is_exported_from_the_menu(screen: Screen) -> None:
    screen.open()
    screen.widget.locator("#more").click()
    with screen.page.expect_download() as download:
        screen.widget.get_by_role("menuitem", name="Export mapping").click()
    assert download.value.suggested_filename == "sync.yaml"


def test_editors_see_no_settings(screen: Screen) -> None:
    screen.shop.role = "editor"
    screen.open()
    screen.widget.locator("#more").click()
    expect(screen.widget.get_by_role("menuitem", name="All keys")).to_be_visible()
    expect(screen.widget.get_by_role("menuitem", name="Settings")).to_have_count(0)


# --- health ---------------------------------------------------------------------------------------------


def test_health_names_what_needs_somebody_first(screen: Screen) -> None:
    screen.open("health")
    expect(screen.widget.get_by_text("Sync works. 3 things need you.")).to_be_visible()
    rows = screen.widget.locator(".health tbody tr")
    expect(rows.nth(0)).to_contain_text("read_customers is missing")
    expect(rows.nth(1)).to_contain_text("Name it in ALLOWED_WEBHOOK_DOMAINS.")
    expect(rows.nth(3)).to_contain_text(f"{STORE} answers in 180 ms")
    screen.widget.get_by_role("button", name="Check again").click()
    screen.wait_asked("POST", f"{LINK}/health")
    rows.nth(2).get_by_role("button", name="Show").click()
    expect(screen.widget.locator("#tab-refused")).to_have_attribute("aria-selected", "true")


def test_the_report_holds_no_name_of_a_row(screen: Screen) -> None:
    screen.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    screen.open("health")
    screen.frame.evaluate(
        "() => { window.copied = null; navigator.clipboard.writeText = async (text) => { window.copied = text; }; }")
    screen.widget.get_by_role("button", name="Copy report").click()
    expect(screen.widget.get_by_role("button", name="Report copied")).to_be_visible()
    text = screen.frame.evaluate("window.copied")
    assert "ok  Timer: Every 15 min" in text
    assert "Refused rows: 1 row" in text
    assert "#1039" not in text


def test_disconnecting_asks_first_and_leads_to_the_first_run(screen: Screen) -> None:
    screen.open("health")
    screen.widget.get_by_role("button", name="Disconnect store").click()
    expect(screen.widget.locator("#disconnect-question")).to_contain_text(f"Disconnect {STORE}?")
    expect(screen.widget.get_by_role("button", name="Cancel")).to_be_focused()
    screen.page.keyboard.press("Escape")
    expect(screen.widget.locator("#disconnect-question")).to_have_count(0)
    assert screen.asked("DELETE", LINK) == []
    screen.widget.get_by_role("button", name="Disconnect store").click()
    screen.widget.get_by_role("button", name="Disconnect", exact=True).click()
    screen.wait_asked("DELETE", LINK)
    expect(screen.widget.get_by_label("Store domain")).to_have_value(STORE)


# --- states ---------------------------------------------------------------------------------------------


def test_a_refused_key_leads_owners_to_connect_again(screen: Screen) -> None:
    screen.shop.status = "failed"
    screen.shop.runs[0]["state"] = "failed"
    screen.shop.message = {"message": "Shopify does not accept the token.", "cure": "", "code": "shopify_key"}
    screen.shop.tested = fake.answer_of_test()
    screen.open()
    expect(screen.widget.locator(".banner")).to_contain_text("Shopify no longer accepts the key.")
    expect(screen.widget.get_by_role("button", name="Sync", exact=True)).to_have_attribute("aria-disabled", "true")
    screen.widget.get_by_role("button", name="Connect store").click()
    expect(screen.widget.locator(".fixed")).to_have_text(STORE)
    screen.widget.get_by_label("Client id").fill("id")
    screen.widget.get_by_label("Client secret").fill("secret")
    screen.widget.locator("#test").click()
    screen.widget.get_by_role("button", name="Use this key").click()
    assert screen.wait_asked("PUT", f"{LINK}/store") == {"store": STORE, "client_id": "id", "client_secret": "secret"}
    expect(screen.widget.locator(".status")).to_contain_text("Synced")


def test_a_copied_document_offers_to_move_the_link_and_asks_for_the_key(screen: Screen) -> None:
    screen.shop.linked, screen.shop.copy = False, {"store": STORE, "configured": False}
    screen.shop.tested = fake.answer_of_test()
    screen.open()
    expect(screen.widget.locator(".status")).to_have_text("Paused: this is a copy")
    expect(screen.widget.locator(".banner")).to_contain_text(f"Only the original syncs with {STORE}.")
    screen.widget.get_by_role("button", name="Move link here").click()
    screen.widget.get_by_role("radio", name="Admin token").click()
    screen.widget.get_by_role("textbox", name="Admin token").fill("shpat_1")
    screen.widget.locator("#test").click()
    screen.widget.locator("#connect").click()
    assert screen.wait_asked("POST", "/api/link/move") == {"store": STORE, "token": "shpat_1"}
    expect(screen.widget.locator(".status")).to_contain_text("Synced")


@pytest.mark.parametrize(("role", "configured"), [("editor", False), ("owner", True)])
def test_who_cannot_move_a_copys_link_gets_no_button(screen: Screen, role: str, configured: bool) -> None:
    screen.shop.linked, screen.shop.role = False, role
    screen.shop.copy = {"store": STORE, "configured": configured}
    screen.open()
    expect(screen.widget.locator(".banner")).to_contain_text("This document is a copy.")
    expect(screen.widget.get_by_role("button", name="Move link here")).to_have_count(0)


def test_a_run_that_waits_for_access_says_so_and_can_be_cancelled(screen: Screen) -> None:
    screen.shop.run = {**fake.writing(screen.shop), "state": "waiting"}
    screen.open()
    expect(screen.widget.locator(".status")).to_have_text("Waits for access")
    expect(screen.widget.locator(".banner")).to_contain_text("goes on by itself now")
    screen.widget.get_by_role("button", name="Cancel").click()
    screen.wait_asked("POST", f"{LINK}/runs/7/cancel")


@pytest.mark.parametrize(("change", "said"), [
    ({"status": "stopped", "message": {"message": "The document was restored to an older state.", "cure": "",
                                       "code": "brake_restored", "brake": {"facts": "", "count": None}}},
     "This document was restored to an earlier state."),
    ({"asleep": True}, "The timer sleeps with its host."),
    ({"role": "viewer"}, "You can look, but not sync or choose."),
])
def test_states_say_what_is_so_and_what_to_do(screen: Screen, change: dict, said: str) -> None:
    for name, value in change.items():
        setattr(screen.shop, name, value)
    screen.open()
    expect(screen.widget.locator(".banner")).to_contain_text(said)
    expect(screen.widget.locator(".banner")).to_have_count(1)


def test_an_editor_without_a_store_is_told_who_can_connect_one(screen: Screen) -> None:
    screen.shop.linked, screen.shop.role = False, "editor"
    screen.open()
    expect(screen.widget.locator(".banner")).to_contain_text("An owner of this document can connect one.")
    with screen.shop.lock:
        screen.shop.linked = True
    screen.widget.locator("main").evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    expect(screen.widget.locator(".status")).to_contain_text("Synced")  # an owner connected it meanwhile

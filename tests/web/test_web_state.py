"""How a link is, its runs, and what is polled: the shapes that the widget reads."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from web_helpers import SHIRT_S, Place, price

from backend.core.model import Side
from backend.errors import AccessError
from backend.grist.client import GristClient
from backend.store import inbox, links, tables

REPORT = {"state": "done", "seconds": 9.0, "notes": [], "requests": {}, "points": 0,
          "totals": {"created": 0, "updated": 12, "deleted": 0, "unchanged": 240, "conflicts": 1, "refused": 0,
                     "waiting": 0, "proposed_deletions": 0},
          "mappings": [{"resource": "variants", "label": "Variants", "table": "Variants", "rows": 150,
                        "to_shopify": 3, "to_grist": 9}]}
PROGRESS = {"phase": "writing", "thing": "Variants", "done": 310, "total": 742, "mappings": [
    {"resource": "variants", "label": "Variants", "read": 1240, "to_write": 742, "written": 310, "state": "writing"}]}


def test_a_link_that_never_synced_says_so(place: Place) -> None:
    state = place.get("state")
    assert (state["status"], state["synced_at"], state["run"], state["last_run"]) == ("never", None, None, None)
    assert [one["resource"] for one in state["mappings"]] == ["products", "variants", "locations", "inventory"]
    assert state["mappings"][1] == {
        "resource": "variants", "label": "Variants", "table": "Variants", "rows": 0, "to_shopify": 0, "to_grist": 0,
        "conflicts": 0, "deletions": 0, "refused": 0, "paused": None}


def test_what_comes_by_itself_is_told(place: Place) -> None:
    told = place.get("state")
    assert (told["next_at"], told["soon"], told["history_days"]) == (None, False, 90)
    with place.service.database.write() as tx:
        tx.execute(sa.update(tables.link).values(due_at=1_796_000_000.0, hooks={"shopify": {
            "registered": 14, "wanted": 14, "problem": None, "cure": None}}))
    told = place.get("state", "viewer")
    assert (told["next_at"], told["soon"]) == ("2026-11-30T00:53:20Z", True)
    with place.service.database.write() as tx:
        tx.execute(sa.update(tables.link).values(settings={"paused": True}))
    told = place.get("state")
    assert (told["next_at"], told["soon"]) == (None, False)


def test_whoever_is_no_owner_is_told_who_owns_the_document_asked_once(
        place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def access(client: GristClient) -> dict[str, Any]:
        asked.append(repr(client))
        return {"maxInheritedRole": "owners", "users": [
            {"name": "Ana Lund", "access": "owners", "parentAccess": None},
            {"name": "Jonas Berg", "access": None, "parentAccess": "owners"},
            {"name": "Kim", "access": "editors", "parentAccess": "viewers"}]}

    monkeypatch.setattr(GristClient, "access", access)
    assert "owners" not in place.get("/api/session")
    told = [place.get("/api/session", role)["owners"] for role in ("viewer", "editor")]
    assert told == [["Ana Lund", "Jonas Berg"]] * 2
    assert len(asked) == 1


def test_names_that_grist_does_not_tell_are_left_out(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(client: GristClient) -> dict[str, Any]:
        raise AccessError("access denied")

    monkeypatch.setattr(GristClient, "access", refused)
    assert place.get("/api/session", "viewer")["owners"] == []


def test_the_session_names_store_and_shop_as_far_as_they_are_known(place: Place) -> None:
    link = place.get("/api/session")["link"]
    assert link["shop"] == {"name": "fieldhouse.myshopify.com", "currency": None, "timezone": None}
    with place.service.database.write() as tx:
        links.set_shop(tx, place.link.id, {"name": "Fieldhouse Goods", "currency": "USD", "decimals": 2,
                                           "timezone": "Europe/Oslo", "domain": "fieldhouse.myshopify.com"})
    assert place.get("/api/session", "viewer") == {
        "role": "viewer", "document": place.document.doc_id, "version": "0.1.0",
        "link": {"id": place.link.id, "store": "fieldhouse.myshopify.com",
                 "shop": {"name": "Fieldhouse Goods", "currency": "USD", "timezone": "Europe/Oslo"},
                 "first_run": None, "language": "", "letters": True}, "owners": []}


def test_a_run_goes_from_queued_to_running_to_the_last_one(place: Place) -> None:
    number = place.post("runs", {"kind": "sync"}, "editor")["id"]
    state = place.get("state")
    assert (state["status"], state["run"]["id"], state["run"]["state"]) == ("running", number, "queued")
    assert state["run"]["by"] == "An editor, Sync button"

    run = place.begin(progress=PROGRESS)
    state = place.get("state")
    assert {**state["run"], "started_at": ""} == {
        "id": number, "kind": "sync", "state": "running", "by": "An editor, Sync button", "started_at": "",
        "cancelling": False, **PROGRESS}

    place.end(run, report=REPORT)
    state = place.get("state")
    assert (state["status"], state["run"]) == ("synced", None)
    assert state["synced_at"].endswith("Z")
    assert state["last_run"]["totals"] == REPORT["totals"]
    assert state["last_run"]["seconds"] >= 0
    assert (state["mappings"][1]["to_shopify"], state["mappings"][1]["to_grist"]) == (3, 9)
    assert place.get("runs?limit=1")["runs"] == [state["last_run"]]


def test_preparing_counts_as_reading(place: Place) -> None:
    place.begin(progress={**PROGRESS, "phase": "preparing"})
    assert place.get("state")["run"]["phase"] == "reading_grist"


@pytest.mark.parametrize("state", ["stopped", "failed"])
def test_why_a_sync_stopped_is_told_until_the_next_one_ends_well(place: Place, state: str) -> None:
    place.end(place.begin(), state, message="48 of 212 products are gone from Shopify.", cure="Look at the preview.")
    place.end(place.begin("preview"))
    told = place.get("state")
    assert told["status"] == state
    assert told["message"].pop("brake", {}).get("count") == (48 if state == "stopped" else None)
    assert told["message"] == {"message": "48 of 212 products are gone from Shopify.", "cure": "Look at the preview."}
    assert told["last_run"]["kind"] == "preview"
    place.end(place.begin())
    told = place.get("state")
    assert (told["status"], told["message"]) == ("synced", None)


def test_a_second_press_answers_the_run_that_is_queued(place: Place) -> None:
    first = place.post("runs", {"kind": "sync"})["id"]
    assert place.post("runs", {"kind": "sync"})["id"] == first
    place.begin()
    assert place.post("runs", {"kind": "sync"})["id"] > first


def test_a_row_that_somebody_names_is_read_on_both_sides_by_the_next_sync(place: Place) -> None:
    place.pair("variants", 1, SHIRT_S)
    for row in (1, 2):  # the second is in Grist alone
        place.post("runs", {"kind": "sync", "row": {"resource": "variants", "row": row}}, "editor")
    with place.service.database.read() as tx:
        hints = inbox.claim(tx, place.link.id).keys
    assert hints == {(Side.LOCAL, "variants"): {1, 2}, (Side.REMOTE, "variants"): {SHIRT_S}}
    for body, status in (({"kind": "sync", "row": {"resource": "orders", "row": 1}}, 404),
                         ({"kind": "preview", "row": {"resource": "variants", "row": 1}}, 422)):
        assert place.ask("POST", "runs", body=body).status_code == status


def test_a_preview_waits_until_a_sync_has_ended_and_says_so(place: Place) -> None:
    place.post("runs", {"kind": "sync"})
    for step in (lambda: None, place.begin):  # queued, then running
        step()
        answer = place.ask("POST", "runs", body={"kind": "preview"})
        assert (answer.status_code, answer.json["code"]) == (409, "busy")
        assert answer.json["cure"] == "Look again when it has ended."
    assert place.ask("POST", "undo", body={"changes": [1], "preview": True}).status_code == 409


def test_a_sync_stands_beside_a_preview_that_waits_and_never_becomes_it(place: Place) -> None:
    preview = place.post("runs", {"kind": "preview"}, "editor")["id"]
    sync = place.post("runs", {"kind": "sync"})["id"]
    assert sync > preview
    told = place.get(f"runs/{preview}")
    assert (told["kind"], told["state"], told["by"]) == ("preview", "queued", "An editor, Preview button")
    assert sorted(place.queued()) == [("preview", "An editor, Preview button"), ("sync", "An owner, Sync button")]


def test_a_preview_of_something_else_is_not_answered_with_one_that_waits(place: Place) -> None:
    first = place.post("undo", {"changes": [1], "preview": True})["id"]
    assert place.post("undo", {"changes": [1], "preview": True})["id"] == first
    for path, body in (("runs", {"kind": "preview"}), ("undo", {"runs": [1], "preview": True})):
        assert place.ask("POST", path, body=body).status_code == 409
    assert place.begin().wanted == {"changes": [1]}


def test_a_person_who_has_looked_lets_one_sync_go_on(place: Place) -> None:
    place.post("runs", {"kind": "sync", "go_on": True}, "editor")
    assert place.queued() == [("sync", "An editor, Sync anyway")]
    run = place.begin()
    assert run.wanted == {"go_on": True}
    place.end(run)
    place.post("runs", {"kind": "sync"})
    assert place.begin().wanted == {}


@pytest.mark.parametrize(("message", "count"), [
    ("48 of 212 products are gone from Shopify. That is more than the 20 you allow. Nothing was written.", 48),
    ("Variants is empty in Grist, and 150 rows were there at the last sync. Nothing was written.", None),
    ("48 of 212 products are gone from Shopify. That is more than the 20 you allow. 60 of 60 variants changed in Grist "
     "since the last sync. Nothing was written.", None),
])
def test_a_brake_tells_how_many_things_to_look_at_where_it_counts_one_kind(
        place: Place, message: str, count: int | None) -> None:
    place.end(place.begin(), "stopped", message=message, cure="Look at the preview.")
    told = place.get("state")["message"]
    facts = message.removesuffix(" Nothing was written.")
    assert told == {"message": message, "cure": "Look at the preview.", "brake": {"facts": facts, "count": count}}
    preview = place.begin("preview")
    place.end(preview, report={"totals": {}, "mappings": [], "plan": [], "plan_total": 0}, message=message, cure="")
    assert place.get(f"runs/{preview.id}")["report"]["brake"] == {"facts": facts, "count": count}


def test_the_worker_is_woken_when_something_was_queued(place: Place) -> None:
    woken: list[bool] = []
    place.service.poke = lambda: woken.append(True)
    place.post("runs", {"kind": "sync"})
    assert woken == [True]


def test_a_queued_run_is_cancelled_at_once_and_a_running_one_after_its_batch(place: Place) -> None:
    queued = place.post("runs", {"kind": "sync"})["id"]
    place.post(f"runs/{queued}/cancel", {})
    assert place.get(f"runs/{queued}")["state"] == "cancelled"

    run = place.begin()
    place.post(f"runs/{run.id}/cancel", {})
    assert place.get("state")["run"]["cancelling"] is True
    place.end(run, "cancelled")
    answer = place.ask("POST", f"runs/{run.id}/cancel")
    assert (answer.status_code, answer.json["message"]) == (409, "This sync has ended already.")
    assert place.ask("POST", f"runs/{run.id + 1}/cancel").status_code == 404


def test_a_preview_tells_its_plan_in_the_widgets_words(place: Place) -> None:
    line = {"resource": "variants", "label": "Variants", "table": "Variants", "side": "shopify", "title": "Linen / S",
            "why": "changed on the other side"}
    place.pair("products", 3, "gid://shopify/Product/1", title="Linen shirt")
    plan: list[dict[str, Any]] = [
        {**line, "kind": "update", "row": 3, "field": "price", "field_label": "Price", "type": "money",
         "before": "42.00", "after": "39.00"},
        {**line, "kind": "create", "row": None, "field": "", "field_label": "", "type": "text", "before": None,
         "after": {"product": "gid://shopify/Product/1", "sku": "LIN-S", "price": "39.00", "taxable": True,
                   "weight": "0.5"}},
        {**line, "kind": "delete", "row": SHIRT_S, "field": "", "field_label": "", "type": "text", "before": None,
         "after": None},
        {**line, "resource": "customers", "kind": "update", "row": 3, "field": "note", "field_label": "Note",
         "type": "text", "before": None, "after": "x"},
    ]
    run = place.begin("preview")
    assert place.get(f"runs/{run.id}")["report"] == {}
    place.end(run, report={**REPORT, "plan": plan, "plan_total": 812})
    report = place.get(f"runs/{run.id}")["report"]
    assert report["plan_total"] == 812
    first, created, deleted, unmapped = report["plan"]
    assert (first["row"], first["before"], first["after"]) == (3, "42.00", "39.00")
    assert created["after"] == "Product Linen shirt, SKU LIN-S, Price 39.00, Taxable Yes and 1 more"
    assert (created["field_label"], deleted["row"], unmapped["after"]) == (None, None, "x")


def test_counts_are_of_what_waits_in_the_tables_that_are_synced(place: Place) -> None:
    place.conflicts("variants", price(1), price(2, field="taxable", grist=True, shopify=False))
    state = place.get("state")
    assert state["counts"] == {"conflicts": 2, "deletions": 0, "refused": 0, "pairs": 0}
    assert state["mappings"][1]["conflicts"] == 2
    with place.service.database.write() as tx:
        links.set_mappings(tx, place.link.id, [place_settings(place, "products")])
    state = place.get("state")
    assert [one["resource"] for one in state["mappings"]] == ["products"]
    assert state["counts"]["conflicts"] == 0
    assert place.get("conflicts") == {"conflicts": [], "total": 0, "apart": 0, "next": None}


def test_a_paused_table_says_why(place: Place) -> None:
    with place.service.database.write() as tx:
        links.remember_binding(tx, place.mapping("variants").id, None, "Column Cost was deleted in Grist.")
    assert place.get("state")["mappings"][1]["paused"] == "Column Cost was deleted in Grist."


def test_a_renamed_table_is_called_by_its_name_in_grist(place: Place) -> None:
    with place.service.database.write() as tx:
        links.remember_binding(tx, place.mapping("variants").id, {"table": "Sizes"}, None)
    assert place.get("state")["mappings"][1]["table"] == "Sizes"


@pytest.mark.parametrize("path", ["state", "runs", "conflicts", "refused", "deletions", "changes", "/api/session"])
def test_what_has_not_changed_is_not_sent_again(place: Place, path: str) -> None:
    etag = place.ask("GET", path).headers["ETag"]
    again = place.ask("GET", path, If_None_Match=etag)
    assert (again.status_code, again.data) == (304, b"")
    assert place.ask("GET", path, If_None_Match='"another"').status_code == 200


def test_the_clock_alone_is_no_news_and_a_conflict_is(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    first = place.ask("GET", "state")
    monkeypatch.setattr("backend.web.state.runs.clock", lambda tx: 2_000_000_000.0)
    later = place.ask("GET", "state")
    assert later.json["now"] != first.json["now"]
    assert later.headers["ETag"] == first.headers["ETag"]
    place.conflicts("variants", price())
    assert place.ask("GET", "state", If_None_Match=first.headers["ETag"]).status_code == 200


def place_settings(place: Place, resource: str) -> dict[str, Any]:
    with place.service.database.read() as tx:
        return next(one.settings for one in links.mappings(tx, place.link.id) if one.resource == resource)

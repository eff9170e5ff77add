"""What a sync tells in the document, where its owner wants that."""

import requests
from jobs_helpers import DOCUMENT

from backend.store import options


def want(shop, **chosen):
    with shop.database.write() as tx:
        options.change(tx, shop.link.id, chosen)


def rows(shop, table):
    answer = requests.get(f"{shop.urls[1]}/api/docs/{DOCUMENT}/tables/{table}/records",
                          headers={"Authorization": "Bearer key"}, timeout=10)
    return [one["fields"] for one in answer.json().get("records", [])] if answer.ok else None


def synced(shop):
    run_id = shop.request()
    assert shop.worker().step()
    done = shop.get(run_id)
    assert done.state == "done", done.message
    return done


def test_nothing_is_told_in_the_document_by_default(shop):
    synced(shop)
    assert rows(shop, "Sync_log") is None
    assert "Sync_Status" not in rows(shop, "Products")[0]


def test_each_change_is_a_line_of_the_log_and_the_next_poll_is_quiet(shop):
    want(shop, sync_log=True)
    done = synced(shop)
    told = rows(shop, "Sync_log")
    assert {(one["Run"], one["Written_to"], one["Table"]) for one in told} == {
        (done.id, "Grist", "Products"), (done.id, "Grist", "Variants")}
    assert len(told) >= 8
    synced(shop)  # sees the new table
    assert synced(shop).report["requests"]["grist"] == 1
    assert rows(shop, "Sync_log") == told


def edit(shop, table, row, **cells):
    requests.post(f"{shop.urls[1]}/api/docs/{DOCUMENT}/apply", json=[["UpdateRecord", table, row, cells]],
                  headers={"Authorization": "Bearer key"}, timeout=10).raise_for_status()


def test_a_row_that_was_refused_says_why_until_it_is_mended(shop):
    want(shop, status_column=True)
    synced(shop)
    title = rows(shop, "Products")[0]["Title"]
    edit(shop, "Products", 1, Title="")
    assert synced(shop).report["totals"]["refused"] == 1
    status = [one["Sync_Status"] for one in rows(shop, "Products")]
    assert status[0]
    assert set(status[1:]) <= {""}
    edit(shop, "Products", 1, Title=title)
    synced(shop)
    assert {one["Sync_Status"] for one in rows(shop, "Products")} == {""}
    assert "Sync_Status" not in rows(shop, "Variants")[0]


def test_a_trouble_with_the_log_is_a_note_of_a_sync_that_is_done(shop):
    want(shop, sync_log=True)
    requests.post(f"{shop.urls[1]}/api/docs/{DOCUMENT}/apply", headers={"Authorization": "Bearer key"}, timeout=10,
                  json=[["AddTable", "Sync_log", [{"id": "Mine", "type": "Text", "isFormula": False}]]])
    assert "does not take the log" in synced(shop).report["notes"][-1]

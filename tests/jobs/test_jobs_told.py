"""People are told: by mail and by message, read where they read it. Everything here is real but the two services."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from jobs_helpers import Shop, until
from real_helpers import STORE, Backend, Mailbox, chat, mailbox, running

from backend.store import base, changes, links, runs


@pytest.fixture
def told(shop: Shop) -> Iterator[tuple[Backend, Mailbox, list[str]]]:
    """A backend that tells people at once, a mailbox and a chat."""
    with (
        mailbox() as (box, smtp_url), chat() as (texts, chat_url),
        running(shop, SMTP_URL=smtp_url, SMTP_FROM="sync@example.com", NOTIFY_MAIL="ann@example.com, bea@example.com",
                NOTIFY_URL=chat_url, ALLOW_LOCAL_NOTIFY="yes", NOTIFY_AFTER_SECONDS="0") as backend,
    ):
        backend.sync()
        yield backend, box, texts


def test_a_conflict_that_waits_is_told_once_by_mail_and_message(told: tuple[Backend, Mailbox, list[str]]) -> None:
    backend, box, texts = told
    row = backend.records("Products")[0]
    backend.edit_in_store(row["fields"]["Shopify_ID"], "The store's")
    backend.type_into("Products", row["id"], Title="The grid's")
    backend.sync()
    until(lambda: box.mails and texts)
    to, subject, text = box.mails[0]
    assert to == ["ann@example.com", "bea@example.com"]
    assert subject == "Fieldhouse Goods: something waits for you"
    assert "1 conflict waits. Open the widget and decide." in text
    assert f"/doc/{backend.shop.link.document}" in text
    assert texts[0] == "Fieldhouse Goods: 1 conflict waits. Open the widget and decide."
    assert "The store's" not in text + texts[0]  # no value is told to anybody's mailbox
    backend.sync()
    row = backend.records("Products")[1]
    backend.edit_in_store(row["fields"]["Shopify_ID"], "The store's too")
    backend.type_into("Products", row["id"], Title="The grid's too")
    backend.sync()
    assert (len(box.mails), len(texts)) == (1, 1)  # a second conflict within the hour waits for its turn


def test_a_sync_that_fails_until_somebody_acts_is_told_at_once(told: tuple[Backend, Mailbox, list[str]]) -> None:
    backend, box, texts = told
    requests.post(f"{backend.shop.urls[0]}/__control/tokens", json={"revoke": "shpat_demo"},
                  timeout=10).raise_for_status()
    run_id = backend.shop.request()
    assert backend.shop.wait_for(run_id, "failed", "done").state == "failed"
    until(lambda: box.mails and texts)
    assert box.mails[0][1] == "Fieldhouse Goods: a sync failed"
    assert "token" in texts[0]
    assert "shpat_demo" not in texts[0] + box.mails[0][2]


def test_a_customer_is_forgotten_and_the_owner_told_what_is_left_to_do(
        told: tuple[Backend, Mailbox, list[str]]) -> None:
    backend, box, texts = told
    shop, gid = backend.shop, "gid://shopify/Customer/191167"
    with shop.database.write() as tx:
        links.set_mappings(tx, shop.link.id, [*(one.settings for one in links.mappings(tx, shop.link.id)),
                                              {"resource": "customers", "off": True}])
        mapping_id = next(one.id for one in links.mappings(tx, shop.link.id) if one.resource == "customers")
        run_id = runs.ended(tx, shop.link.id)[0].id
        base.insert(tx, mapping_id, [(5, gid, {"email": "planted@example.com"}, {"email": "planted@example.com"})],
                    marked=True)
        changes.add(tx, [{"run_id": run_id, "mapping_id": mapping_id, "side": "local", "kind": "update", "local_key": 5,
                          "remote_key": gid, "field": "email", "title": "Planted Person", "before": None,
                          "after": "planted@example.com", "why": "changed"}])
    payload = {"shop_domain": STORE, "customer": {"id": 191167, "email": "planted@example.com"}, "orders_to_redact": []}
    assert backend.from_shopify("customers/redact", payload, whole_app=True).status_code == 200
    until(lambda: box.mails and texts)
    assert "Shopify asked to forget a customer. 2 lines of the sync's memory were redacted." in texts[0]
    with shop.database.read() as tx:
        line = next(one for one in changes.page(tx, shop.link.id) if one.remote_key == gid)
        assert (line.before, line.after, line.title) == (None, None, "(redacted)")
        kept = str(list(tx.exec_driver_sql("select * from pair").all())) + str(
            list(tx.exec_driver_sql("select * from change").all())) + str(
            list(tx.exec_driver_sql("select * from privacy").all()))
    assert "planted" not in kept.lower()
    assert "planted" not in (texts[0] + box.mails[0][2]).lower()

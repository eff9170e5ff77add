"""One claimed run and its end: done, cancelled, handed over, taken away, or ended by a mistake of ours."""

from __future__ import annotations

import threading
from dataclasses import replace

import requests

from backend import engine
from backend.errors import Interrupted, LeaseLost, RetryLater
from backend.jobs import perform as performing
from backend.jobs.perform import is_temporary, perform
from backend.settings import Secret
from backend.store import health, links, runs


def at_first_write(act):
    """A watcher that acts once, right before the first batch is sent."""
    acted = threading.Event()

    def watch(progress):
        if progress["phase"] == "writing" and not acted.is_set():
            acted.set()
            act()

    return watch


def test_a_run_is_done_and_its_report_kept(shop):
    run_id = shop.request()
    assert shop.worker().step()
    done = shop.get(run_id)
    assert (done.state, done.message, done.report["totals"]["created"]) == ("done", None, 8)
    with shop.database.read() as tx:
        assert links.get(tx, shop.link.id).shop["name"] == "Fieldhouse Goods"
    assert not shop.worker().step()


def test_a_preview_is_done_without_a_write(shop):
    run_id = shop.request("preview")
    assert shop.worker().step()
    done = shop.get(run_id)
    assert (done.state, done.report["state"], done.report["plan_total"]) == ("done", "preview", 8)
    assert shop.writes() == (0, 0)


def test_a_sync_of_a_preview_that_is_another_by_now_writes_nothing(shop):
    shop.request()
    assert shop.worker().step()
    before = shop.writes()
    with shop.database.write() as tx:
        run_id = runs.request(tx, shop.link.id, "sync", "Ann", {"plan": "the fingerprint of something else"})
    assert shop.worker().step()
    done = shop.get(run_id)
    assert (done.state, done.message) == ("failed", "Something changed since this preview, so no row was written.")
    assert shop.writes() == before


def test_who_lost_its_lease_writes_nothing_more(shop):
    run_id = shop.request()
    first = shop.claim("w1")
    seen = {}

    def steal():
        shop.let_lease_end(run_id)
        seen["second"] = shop.claim("w2")
        seen["writes"] = shop.writes()

    outcome = perform(shop.context, first, "w1", watch=at_first_write(steal))
    assert isinstance(outcome.error, LeaseLost)
    assert shop.writes() == seen["writes"]
    still = shop.get(run_id)
    assert (still.state, still.attempt, still.report) == ("running", 2, None)
    assert perform(shop.context, seen["second"], "w2").error is None
    assert shop.get(run_id).report["totals"]["created"] == 8


def test_who_slept_past_its_lease_between_beat_and_write_is_stopped_at_the_database(shop, monkeypatch):
    """The last look at the lease was fine; then the process was paused, and another one took the run."""
    shop.request()
    first = shop.claim("w1")
    monkeypatch.setattr(performing._Pulse, "_renew", lambda self: False)
    seen = {}

    def steal():
        shop.let_lease_end(first.id)
        seen["second"] = shop.claim("w2")
        seen["writes"] = shop.writes()

    outcome = perform(shop.context, first, "w1", watch=at_first_write(steal))
    assert isinstance(outcome.error, LeaseLost)
    assert shop.writes() == seen["writes"]


def test_the_lease_is_renewed_through_a_long_request(shop, monkeypatch):
    monkeypatch.setattr(performing._Pulse, "EVERY_SECONDS", 0.05)
    run_id = shop.request()
    claimed = shop.claim("w1")
    shop.slow_document(1.5)
    seen: dict[str, set[int]] = {}
    thread = threading.Thread(target=perform, args=(shop.context, claimed, "w1"))
    thread.start()
    while thread.is_alive():
        if shop.get(run_id).state == "running":
            # A beat of the run itself changes the progress as well; in the long request only the pulse beats.
            seen.setdefault(str(shop.get(run_id).progress), set()).add(round(shop.lease_until(run_id) * 100))
        thread.join(0.05)
    assert max(len(leases) for leases in seen.values()) >= 3
    assert shop.get(run_id).state == "done"


def test_cancelled_in_the_middle_it_keeps_what_was_written(shop):
    run_id = shop.request()
    claimed = shop.claim()

    def cancel():
        with shop.database.write() as tx:
            assert runs.cancel(tx, shop.link.id, run_id)

    perform(shop.context, claimed, "w1", watch=at_first_write(cancel))
    ended = shop.get(run_id)
    assert (ended.state, ended.cancelling) == ("cancelled", True)
    assert "was cancelled" in ended.message
    assert "Sync again" in ended.cure
    again = shop.request()
    assert shop.worker().step()
    assert shop.get(again).state == "done"


def test_a_queued_run_that_was_cancelled_is_never_begun(shop):
    run_id = shop.request()
    with shop.database.write() as tx:
        runs.cancel(tx, shop.link.id, run_id)
    assert not shop.worker().step()
    assert shop.writes() == (0, 0)


def test_a_worker_told_to_end_hands_its_run_over(shop):
    run_id = shop.request()
    stop = threading.Event()
    outcome = perform(shop.context, shop.claim("w1"), "w1", stop=stop, watch=at_first_write(stop.set), hand_over=True)
    assert isinstance(outcome.error, Interrupted)
    assert shop.get(run_id).state == "running"
    assert shop.lease_has_ended(run_id)
    assert shop.worker("w2").step()
    done = shop.get(run_id)
    assert (done.state, done.attempt, done.report["totals"]["created"]) == ("done", 2, 8)


def test_without_another_worker_a_stopped_run_ends_as_cancelled(shop):
    run_id = shop.request()
    stop = threading.Event()
    perform(shop.context, shop.claim("w1"), "w1", stop=stop, watch=at_first_write(stop.set))
    assert shop.get(run_id).state == "cancelled"
    assert "after the batch in hand" in shop.get(run_id).message


def test_a_mistake_of_ours_ends_the_run_with_a_sentence(shop, monkeypatch, caplog):
    monkeypatch.setattr(engine, "sync", lambda session: 1 / 0)
    run_id = shop.request()
    assert shop.worker().step()
    ended = shop.get(run_id)
    assert ended.state == "failed"
    assert "a mistake of its own" in ended.message
    assert f"run {run_id}" in ended.cure
    assert "ZeroDivisionError" in caplog.text


def test_only_what_the_clock_mends_is_temporary(shop, monkeypatch):
    def later(session):
        raise RetryLater("Shopify cannot be reached.", cure="It is tried again by itself.")

    monkeypatch.setattr(engine, "sync", later)
    run_id = shop.request()
    outcome = perform(shop.context, shop.claim("w1"), "w1")
    assert is_temporary(outcome)
    assert (shop.get(run_id).state, shop.get(run_id).message) == ("failed", "Shopify cannot be reached.")
    assert shop.get(run_id).cure == "Sync again in a minute.", "there is no timer, and a person began it"
    monkeypatch.setattr(engine, "sync", lambda session: 1 / 0)
    shop.request()
    assert not is_temporary(perform(shop.context, shop.claim("w1"), "w1"))


def test_without_a_public_address_there_are_no_webhooks_and_it_is_said(shop):
    shop.request()
    assert shop.worker().step()
    with shop.database.read() as tx:
        told = health.webhooks(tx, shop.link.id)
    assert "PUBLIC_URL" in told["shopify"]["cure"]
    assert told["grist"]["registered"] == 0


def test_without_a_secret_the_stores_webhooks_stay_off_and_it_is_said_until_there_is_one(shop):
    shop.context.settings = replace(shop.context.settings, public_url="https://sync.example.com")
    for secret, registered in (("", False), ("hush", True), ("", False)):
        shop.context.settings = replace(shop.context.settings, webhook_secret=Secret(secret))
        shop.request()
        assert shop.worker().step()
        with shop.database.read() as tx:
            told = health.webhooks(tx, shop.link.id)["shopify"]
        there = requests.get(f"{shop.urls[0]}/__control/webhooks", timeout=10).json()["subscriptions"]
        assert (bool(told["registered"]), bool(there), told["problem"] is None) == (registered,) * 3
        assert shop.context.audits_of(shop.link).webhooks is registered, "stock is not waited for in vain"
    assert "SHOPIFY_API_SECRET" in told["cure"]


def test_webhooks_of_both_sides_are_looked_after_where_there_is_a_public_address(shop):
    shop.context.settings = replace(shop.context.settings, public_url="https://sync.example.com",
                                    webhook_secret=Secret("hush"))
    run_id = shop.request()
    assert shop.worker().step()
    assert shop.get(run_id).state == "done"
    with shop.database.read() as tx:
        told = health.webhooks(tx, shop.link.id)
    assert told["shopify"]["registered"] == told["shopify"]["wanted"] > 3
    assert told["shopify"]["problem"] is None
    # The stand-in allows no receivers outside, as a Grist server does until its administrator names them.
    assert (told["grist"]["registered"], told["grist"]["wanted"]) == (0, 2)
    assert "ALLOWED_WEBHOOK_DOMAINS" in told["grist"]["problem"]

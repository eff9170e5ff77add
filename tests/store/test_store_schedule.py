"""When a link is synced by itself: timers, hints, failures, a link that was stopped."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from backend.store import links, runs, schedule
from backend.store.db import Database
from backend.store.tables import link, run


def add_link(database: Database, document: str, interval_seconds: int | None = None) -> int:
    with database.write() as tx:
        return links.add(tx, "a.myshopify.com", "https://grist.example", document, interval_seconds)


def a_run(database: Database, link_id: int, kind: str = "sync", ended_ago: float = 0) -> int:
    """One that was done."""
    with database.write() as tx:
        run_id = runs.request(tx, link_id, kind, "Ann")
        claimed = runs.claim(tx, "w1")
        runs.finish(tx, claimed, "w1", "done", None)
        tx.execute(sa.update(run).where(run.c.id == run_id).values(finished_at=runs.clock(tx) - ended_ago))
    return run_id


def due(database: Database) -> list[int]:
    with database.read() as tx:
        return schedule.due(tx)


def hinted(database: Database) -> list[int]:
    with database.read() as tx:
        return [one.link_id for one in schedule.hinted(tx)]


@pytest.mark.parametrize(("interval", "ended_ago", "is_due"), [
    (None, None, False), (60, None, True), (60, 30, False), (60, 90, True),
])
def test_a_timer_that_is_set_counts_from_the_end_of_the_last_sync(database, interval, ended_ago, is_due):
    link_id = add_link(database, "timed12")
    if ended_ago is not None:
        a_run(database, link_id, ended_ago=ended_ago)
    with database.write() as tx:
        links.set_interval(tx, link_id, interval)
    assert due(database) == ([link_id] if is_due else [])


def test_to_set_the_same_timer_again_moves_nothing(database):
    link_id = add_link(database, "timed12", 60)
    with database.write() as tx:
        schedule.went_well(tx, link_id, 60)
        links.set_interval(tx, link_id, 60)
        before = schedule.of(tx, link_id).due_at
    assert due(database) == []
    assert before is not None


def test_a_timer_is_not_due_while_a_sync_waits_or_goes_on_and_previews_do_not_count(database):
    link_id = add_link(database, "timed12", 60)
    with database.write() as tx:
        runs.request(tx, link_id, "preview", "Ann")
    assert due(database) == [link_id]
    with database.write() as tx:
        assert runs.claim(tx, "w1").kind == "preview"
        runs.request(tx, link_id, "sync", "Ann")
    assert due(database) == []


def test_a_schedule_that_failed_waits_and_is_never_off(database):
    link_id = add_link(database, "timed12", 60)
    for number in range(1, 30):
        with database.write() as tx:
            schedule.failed(tx, link_id, 3600)
            now = schedule.of(tx, link_id)
        assert (now.failures, due(database)) == (number, [])
        assert now.due_at is not None
    with database.write() as tx:
        assert 3500 < schedule.seconds_to_next(tx) <= 3600
        tx.execute(sa.update(link).values(due_at=0))
    assert due(database) == [link_id]
    with database.write() as tx:
        schedule.went_well(tx, link_id, 60)
        assert schedule.of(tx, link_id).failures == 0


def test_hints_wait_until_a_sync_begins_which_looks_at_all_of_them(database):
    link_id = add_link(database, "hinted12")
    assert hinted(database) == []
    with database.write() as tx:
        schedule.hint(tx, link_id)
    with database.write() as tx:
        (one,) = schedule.hinted(tx)
        assert abs(one.oldest_seconds - one.newest_seconds) < 1
        assert one.newest_seconds >= 0
        tx.execute(sa.update(link).values(hinted_at=runs.clock(tx) - 9, hint_at=runs.clock(tx) - 9))
        schedule.hint(tx, link_id)
        (one,) = schedule.hinted(tx)
        assert one.oldest_seconds > 8 > one.newest_seconds
        runs.request(tx, link_id, "sync", "Webhook")
    assert hinted(database) == []
    with database.write() as tx:
        claimed = runs.claim(tx, "w1")
        schedule.hint(tx, link_id)  # while the run goes on
    assert hinted(database) == []
    with database.write() as tx:
        runs.finish(tx, claimed, "w1", "done", None)
    assert hinted(database) == [link_id]


def test_hints_of_a_link_that_failed_wait_for_the_next_try(database):
    link_id = add_link(database, "hinted12")
    with database.write() as tx:
        schedule.hint(tx, link_id)
        schedule.failed(tx, link_id, 60)
    assert (hinted(database), due(database)) == ([], [])
    with database.write() as tx:
        tx.execute(sa.update(link).values(due_at=0))
    assert due(database) == [link_id]


def test_a_stopped_link_begins_nothing_until_a_sync_went_well(database):
    link_id = add_link(database, "stopped12", 60)
    with database.write() as tx:
        schedule.hint(tx, link_id)
        schedule.stop(tx, link_id, "uninstalled", "The app was removed.", "Install it again.")
        assert schedule.of(tx, link_id).stopped["message"] == "The app was removed."
        schedule.hint(tx, link_id)
    assert (hinted(database), due(database)) == ([], [])
    with database.write() as tx:
        schedule.went_well(tx, link_id, None)
        assert schedule.of(tx, link_id).stopped is None
    assert due(database) == [link_id]


def test_only_one_worker_looks_at_a_link(database):
    link_id = add_link(database, "one12", 60)
    with database.write() as tx:
        assert schedule.take(tx, link_id)
        if database.is_postgres:  # on SQLite the other one waits at the door
            with database.write() as other:
                assert not schedule.take(other, link_id)


def test_every_link_has_a_key_of_its_own(database):
    one, two = add_link(database, "one12"), add_link(database, "two12")
    with database.read() as tx:
        keys = {schedule.key_of(tx, one), schedule.key_of(tx, two)}
        assert len(keys) == 2
        assert all(len(key) >= 32 for key in keys)
        assert {schedule.with_key(tx, key) for key in keys} == {one, two}
        assert schedule.with_key(tx, "guessed") is None
        assert schedule.of_store(tx, "a.myshopify.com") == [one, two]

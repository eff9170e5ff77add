"""Workers and the supervisor: one run of a link at a time, and none lost when a process ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from jobs_helpers import ROOT, WORKER, is_alive, until

from backend.core.model import Side
from backend.errors import RetryLater
from backend.jobs import perform as performing
from backend.jobs.supervisor import Supervisor
from backend.store import inbox, links, options, runs, schedule
from backend.store.tables import run


def begun(shop, poke=lambda: None):
    """A run that a worker process reads for, slowly; nothing is written yet."""
    shop.slow_document(*[0.3] * 200)
    run_id = shop.request()
    poke()
    until(lambda: shop.get(run_id).progress.get("phase"))
    assert shop.doing(run_id)
    return run_id


def done_once(shop, run_id, attempts=None):
    """It was done, and nothing was made twice: three products, their variants, two tables of rows."""
    done = shop.wait_for(run_id, "done", "failed", "cancelled")
    assert done.state == "done", done.message
    assert attempts is None or done.attempt == attempts
    assert shop.rows() == (3, 5)


@contextlib.contextmanager
def a_worker(shop):
    """`python -m backend.jobs.worker` as a process."""
    process = subprocess.Popen(WORKER, env=shop.environment, cwd=shop.folder)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


@pytest.fixture
def supervisor(shop, monkeypatch):
    monkeypatch.chdir(shop.folder)
    one = Supervisor(shop.environment)
    one.start()
    yield one
    one.stop()
    assert one._child.poll() is not None


def test_two_workers_never_run_a_link_at_once(shop):
    first, second = shop.worker("w1"), shop.worker("w2")
    one = shop.request()
    shop.slow_document(*[0.1] * 5)
    thread = threading.Thread(target=first.step)
    thread.start()
    until(lambda: shop.get(one).state == "running")
    two = shop.request()
    while thread.is_alive() and not second.step():
        thread.join(0.05)
    thread.join()
    while second.step():
        pass
    assert [shop.get(run_id).state for run_id in (one, two)] == ["done", "done"]
    assert shop.get(two).started_at >= shop.get(one).finished_at
    assert shop.get(two).report["totals"]["created"] == 0


def test_a_timer_that_has_run_out_starts_a_sync_and_only_one(shop):
    with shop.database.write() as tx:
        links.set_interval(tx, shop.link.id, 3600)
    assert shop.worker().step()
    assert not shop.worker().step()
    done = shop.get(1)
    assert (done.started_by, done.state) == ("Timer", "done")


def test_a_worker_ends_when_told_to_and_wakes_when_poked(shop):
    worker = shop.worker()
    thread = threading.Thread(target=worker.go)
    thread.start()
    run_id = shop.request()
    worker.wake.set()
    shop.wait_for(run_id, "done")
    worker.stop()
    thread.join(30)
    assert not thread.is_alive()


def test_a_killed_child_is_started_again_and_the_next_run_is_done(shop, supervisor):
    run_id = shop.request()
    supervisor.poke()
    assert shop.wait_for(run_id, "done", "failed").state == "done"
    killed = supervisor._child.pid
    os.kill(killed, signal.SIGKILL)
    run_id = shop.request()
    supervisor.poke()
    assert shop.wait_for(run_id, "done", "failed").state == "done"
    assert supervisor._child.pid != killed
    assert not is_alive(killed)


def test_a_run_in_a_killed_child_is_done_by_its_successor_within_seconds(shop, supervisor):
    run_id = begun(shop, supervisor.poke)
    os.kill(supervisor._child.pid, signal.SIGKILL)
    shop.quick_document()
    done_once(shop, run_id, attempts=2)


def test_two_supervisors_share_one_run_and_one_goes_on_where_the_other_is_killed(shop, supervisor):
    with a_worker(shop) as other:
        run_id = begun(shop, supervisor.poke)
        killed = supervisor._child.pid
        if shop.doing(run_id) != killed:
            killed = shop.doing(run_id)
        os.kill(killed, signal.SIGKILL)
        shop.quick_document()
        done_once(shop, run_id, attempts=2)
        assert other.poll() is None


def test_a_worker_process_finishes_its_batch_on_sigterm_and_hands_over(shop):
    with a_worker(shop) as process:
        run_id = begun(shop)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    shop.quick_document()
    assert shop.get(run_id).state == "running"
    assert shop.worker().step()
    done_once(shop, run_id, attempts=2)


def test_a_killed_worker_leaves_a_child_that_hands_over_and_ends(shop):
    with a_worker(shop) as process:
        run_id = begun(shop)
        child = shop.doing(run_id)
        process.kill()
        process.wait(10)
        shop.quick_document()
        until(lambda: not is_alive(child))
    worker = shop.worker()
    until(lambda: shop.get(run_id).state == "done" or worker.step())
    done_once(shop, run_id)


def test_a_worker_killed_together_with_its_child_is_known_to_be_dead(shop):
    """Nobody is left to give the lease back: who comes next sees that nobody lives under that name any more."""
    with a_worker(shop) as process:
        run_id = begun(shop)
        child = shop.doing(run_id)
        process.kill()
        os.kill(child, signal.SIGKILL)
        process.wait(10)
        until(lambda: not is_alive(child))
    shop.quick_document()
    assert not shop.lease_has_ended(run_id)
    assert shop.worker().step()
    done_once(shop, run_id, attempts=2)


def test_a_child_ends_when_its_web_process_is_killed_and_its_run_goes_on(shop):
    program = ("import threading\nfrom backend.jobs.supervisor import Supervisor\n"
               "s = Supervisor(); s.start()\nthreading.Event().wait()\n")
    parent = subprocess.Popen([sys.executable, "-c", program], env=shop.environment, cwd=shop.folder)
    try:
        run_id = begun(shop)
        child = shop.doing(run_id)
    finally:
        parent.kill()
        parent.wait()
    shop.quick_document()
    until(lambda: not is_alive(child))
    worker = shop.worker()
    until(lambda: shop.get(run_id).state == "done" or worker.step())
    done_once(shop, run_id)


def test_a_run_whose_dead_owner_may_have_a_write_under_way_waits_until_that_has_landed(shop, monkeypatch):
    run_id = shop.request()
    claimed = shop.claim("w1")

    class Killed(BaseException):
        pass

    def die(*_):
        raise Killed

    monkeypatch.setattr("backend.grist.connector.GristConnector.apply", die)
    with contextlib.suppress(Killed):
        performing.perform(shop.context, claimed, "w1")
    monkeypatch.undo()
    with shop.database.write() as tx:
        runs.bury(tx, run_id, "w1")
    left = shop.lease_left(run_id)
    assert 0 < left <= runs.LANDING_SECONDS
    assert not shop.worker("w2").step()
    shop.let_lease_end(run_id)
    assert shop.worker("w2").step()
    done_once(shop, run_id, attempts=2)


def test_a_worker_with_wrong_settings_says_so_and_ends_with_2():
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATABASE_URL": "nonsense"}
    done = subprocess.run(WORKER, env=environment, cwd=ROOT, timeout=60, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "DATABASE_URL is not an address" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("settings", [{"paused": True}, {"realtime": False}])
def test_webhooks_of_a_link_that_is_paused_or_wants_none_begin_nothing_and_stay_in_the_inbox(shop, settings):
    with shop.database.write() as tx:
        options.change(tx, shop.link.id, settings)
        inbox.note(tx, shop.link.id, Side.LOCAL, [("products", 1)])
        schedule.hint(tx, shop.link.id)
    assert not shop.worker().step()
    with shop.database.read() as tx:
        assert schedule.of(tx, shop.link.id).hinted_at is None
        assert inbox.waiting(tx, shop.link.id)[0] == 1


def test_a_hint_that_has_settled_begins_a_sync_and_one_that_has_not_waits(shop):
    with shop.database.write() as tx:
        options.change(tx, shop.link.id, {"settle_seconds": 100.0})
        schedule.hint(tx, shop.link.id)
    assert not shop.worker().step()
    with shop.database.write() as tx:
        options.change(tx, shop.link.id, {"settle_seconds": 0.0})
    assert shop.worker().step()
    assert shop.get(1).started_by == "Webhook"


def test_a_timer_waits_out_the_quiet_hours(shop):
    with shop.database.write() as tx:
        links.set_interval(tx, shop.link.id, 60)
        here = datetime.now(UTC)
        options.change(tx, shop.link.id, {"quiet": {"from": f"{here - timedelta(hours=1):%H:%M}",
                                                    "to": f"{here + timedelta(hours=1):%H:%M}"}})
    assert not shop.worker().step()
    with shop.database.read() as tx:
        assert schedule.of(tx, shop.link.id).due_at > runs.clock(tx)


def test_a_failed_sync_is_tried_again_by_itself_later_and_a_good_one_ends_that(shop, monkeypatch):
    def later(session):
        raise RetryLater("Shopify cannot be reached.", cure="It is tried again by itself.")

    monkeypatch.setattr(performing.engine, "sync", later)
    with shop.database.write() as tx:
        links.set_interval(tx, shop.link.id, 3600)
    pauses, ended = [], sa.select(sa.func.max(run.c.finished_at))
    for failures in (1, 2, 3):
        assert shop.worker().step()
        with shop.database.write() as tx:
            now = schedule.of(tx, shop.link.id)
            assert now.failures == failures
            pauses.append(now.due_at - tx.execute(ended).scalar())
            schedule.set_due(tx, shop.link.id, -1)
    # The next try is set a moment after the end: a slow machine makes that a long moment, never a shorter pause.
    assert all(pause <= found < 2 * pause for pause, found in zip((15, 30, 60), pauses, strict=True)), pauses
    monkeypatch.undo()
    assert shop.worker().step()
    with shop.database.read() as tx:
        now = schedule.of(tx, shop.link.id)
        assert now.failures == 0
        assert 3500 < now.due_at - runs.clock(tx) <= 3600

"""Workers and the supervisor: one run of a link at a time, and none lost when a process ends, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest
from jobs_helpers import ROOT, WORKER, is_alive, until

from backend.jobs.supervisor import Supervisor
from backend.store import links


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
    thread.join(5)
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


def test_a_run_in_a_killed_child_is_done_by_its_successor(shop, supervisor):
    shop.slow_document(*[0.2] * 100)
    run_id = shop.request()
    supervisor.poke()
    shop.wait_for(run_id, "running")
    os.kill(supervisor._child.pid, signal.SIGKILL)
    supervisor._child.wait(10)
    shop.quick_document()
    shop.let_lease_end(run_id)
    done = shop.wait_for(run_id, "done", "failed")
    assert (done.state, done.attempt) == ("done", 2)


def test_a_worker_process_finishes_its_batch_on_sigterm_and_hands_over(shop):
    shop.slow_document(*[0.1] * 200)
    run_id = shop.request()
    process = subprocess.Popen(WORKER, env=shop.environment, cwd=shop.folder, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: shop.get(run_id).progress.get("phase"))
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, err) == (0, "")
    shop.quick_document()
    assert shop.get(run_id).state == "running"
    assert shop.worker().step()
    assert shop.get(run_id).report["totals"]["unchanged"] + shop.get(run_id).report["totals"]["created"] >= 8


def test_a_child_ends_when_its_parent_is_killed(shop):
    program = ("import threading\nfrom backend.jobs.supervisor import Supervisor\n"
               "s = Supervisor(); s.start()\n"
               "while s._child is None: pass\n"
               "print(s._child.pid, flush=True)\nthreading.Event().wait()\n")
    parent = subprocess.Popen([sys.executable, "-c", program], env=shop.environment, cwd=shop.folder, text=True,
                              stdout=subprocess.PIPE)
    child = int(parent.stdout.readline())
    try:
        run_id = shop.request()
        shop.wait_for(run_id, "done")
        parent.kill()
        parent.wait(10)
        until(lambda: not is_alive(child), 15)
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()


def test_a_worker_with_wrong_settings_says_so_and_ends_with_2(shop):
    done = subprocess.run(WORKER, env=shop.environment | {"DATABASE_URL": "nonsense"}, cwd=ROOT, timeout=30,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "DATABASE_URL is not an address" in done.stderr
    assert "Traceback" not in done.stderr

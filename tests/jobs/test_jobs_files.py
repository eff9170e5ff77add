"""Workers as processes, killed and told to end while Shopify works off a file of their changes."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from jobs_helpers import DOCUMENT, WORKER, Shop, a_shop, is_alive, until

from backend.store import changes, journal, runs

PRODUCTS = 15
HELD = {"hold_after": 4}


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[Shop]:
    """In agreement; from now on many changes go as files, and files wait after four lines."""
    with a_shop(tmp_path, database_url, PRODUCTS) as one:
        one.environment["SYNC_FILES_AFTER_MINUTES"] = "0.0001"
        one.context.files_after_seconds = 0.006
        one.request()
        assert one.worker().step()
        yield one


def bulk(shop: Shop, **steer: Any) -> list[str]:
    """The statuses of all bulk operations, the door once steered."""
    answer = requests.post(f"{shop.urls[0]}/__control/bulk", json=steer, timeout=10)
    return [one["status"] for one in answer.json()]


def titles_in_store(shop: Shop) -> set[str]:
    answer = requests.post(f"{shop.urls[0]}/admin/api/2026-10/graphql.json", timeout=10, json={
        "query": "{ products(first: 50) { nodes { title } } }"}, headers={"X-Shopify-Access-Token": "shpat_demo"})
    return {node["title"] for node in answer.json()["data"]["products"]["nodes"]}


def retitle(shop: Shop) -> set[str]:
    address = f"{shop.urls[1]}/api/docs/{DOCUMENT}/tables/Products/records"
    rows = requests.get(address, headers={"Authorization": "Bearer key"}, timeout=10).json()["records"]
    requests.patch(address, headers={"Authorization": "Bearer key"}, timeout=10, json={"records": [
        {"id": row["id"], "fields": {"Title": f"New {row['id']}"}} for row in rows]}).raise_for_status()
    return {f"New {row['id']}" for row in rows}


@pytest.fixture
def begun(shop: Shop) -> Iterator[Callable[[], tuple[int, subprocess.Popen[bytes]]]]:
    """Begins a run that waits for its file, in a worker process that is handed over."""
    processes = []

    def begin() -> tuple[int, subprocess.Popen[bytes]]:
        bulk(shop, **HELD)
        process = subprocess.Popen(WORKER, env=shop.environment, cwd=shop.folder)
        processes.append(process)
        run_id = shop.request()
        until(lambda: shop.get(run_id).progress.get("done") == HELD["hold_after"])
        assert bulk(shop, **HELD) == ["RUNNING"]
        return run_id, process

    yield begin
    for process in processes:
        process.kill()
        process.wait(10)


def each_once(shop: Shop, titles: set[str]) -> None:
    assert titles_in_store(shop) == titles
    with shop.database.read() as tx:
        lines = [line for line in changes.page(tx, shop.link.id, limit=10_000)
                 if line.side == "remote" and line.field == "title"]
        assert journal.count(tx, shop.link.id) == 0
    assert sorted(line.after for line in lines) == sorted(titles)


def test_a_worker_that_is_killed_leaves_a_file_that_its_successor_ends(shop: Shop, begun: Callable[..., Any]) -> None:
    titles = retitle(shop)
    run_id, process = begun()
    child = shop.doing(run_id)
    process.kill()
    os.kill(child, signal.SIGKILL)
    process.wait(10)
    until(lambda: not is_alive(child))
    assert bulk(shop, **HELD) == ["RUNNING"], "it goes on though nobody waits for it"
    worker = shop.worker("w2")
    worker.step()  # finds that the owner is dead, and that what it sent may still be under way
    assert 0 < shop.lease_left(run_id) <= runs.LANDING_SECONDS
    shop.let_lease_end(run_id)
    requests.post(f"{shop.urls[0]}/__control/behaviour", json={"bulk_start_seconds": 0}, timeout=10)
    going_on = threading.Thread(target=worker.step)
    going_on.start()
    until(lambda: bulk(shop, **HELD)[0] == "CANCELED")
    bulk(shop)  # files of the successor go on to their end
    going_on.join(60)
    assert shop.get(run_id).state == "done"
    each_once(shop, titles)


def test_a_worker_that_is_told_to_end_ends_its_file_and_hands_over(shop: Shop, begun: Callable[..., Any]) -> None:
    titles = retitle(shop)
    run_id, process = begun()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert bulk(shop) == ["CANCELED"]
    with shop.database.read() as tx:
        assert journal.count(tx, shop.link.id) == 0
    assert len(titles_in_store(shop) & titles) == HELD["hold_after"]
    assert shop.worker("w2").step()
    assert shop.get(run_id).state == "done"
    each_once(shop, titles)


def test_the_settings_say_when_changes_go_as_files(shop: Shop) -> None:
    titles = retitle(shop)
    shop.context.files_after_seconds = 0
    shop.request()
    assert shop.worker("w2").step()
    assert bulk(shop) == []
    assert titles_in_store(shop) == titles

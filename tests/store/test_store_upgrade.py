"""Upgrades from every earlier revision, with data in every table: nothing is lost, and what is there is what a new
database has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from backend.store.db import Database, alembic_config

REVISIONS = [one.revision for one in reversed(list(ScriptDirectory.from_config(alembic_config(
    None)).walk_revisions()))]  # type: ignore[arg-type]


@pytest.fixture
def database(empty_database_url: str) -> Iterator[Database]:
    one = Database(empty_database_url)
    yield one
    one.dispose()


def reflected(database: Database) -> sa.MetaData:
    """The tables as they are there, whatever this version knows of them."""
    found = sa.MetaData()
    found.reflect(database.engine)
    found.remove(found.tables["alembic_version"])
    return found


def fill(database: Database) -> dict[str, dict[str, Any]]:
    """One row in every table, all columns filled; the rows by table."""
    rows: dict[str, dict[str, Any]] = {}
    with database.engine.begin() as tx:
        for table in reflected(database).sorted_tables:
            row = {column.name: _value(column) for column in table.columns}
            tx.execute(sa.insert(table).values(row))
            rows[table.name] = row
    return rows


def _value(column: sa.Column[Any]) -> Any:
    if column.foreign_keys or (column.primary_key and isinstance(column.type, sa.Integer)):
        return 1
    if isinstance(column.type, sa.JSON):
        return {"product": "gid://shopify/Product/1"}
    if isinstance(column.type, sa.Boolean):
        return True
    if isinstance(column.type, sa.Integer):
        return 7
    if isinstance(column.type, sa.Double | sa.Float | sa.Numeric):
        return 1.5
    if isinstance(column.type, sa.LargeBinary):
        return b"\x00\xff"
    return {"state": "queued", "kind": "sync", "resource": "variants"}.get(column.name, f"some {column.name}")


def shape(database: Database) -> dict[str, Any]:
    """Columns, indexes and uniqueness of every table."""
    inspector = sa.inspect(database.engine)
    return {
        name: (
            sorted((one["name"], str(one["type"]), one["nullable"]) for one in inspector.get_columns(name)),
            sorted((str(one["name"]), tuple(one["column_names"]), bool(one["unique"]))
                   for one in inspector.get_indexes(name)),
            sorted((str(one["name"]), tuple(one["column_names"])) for one in inspector.get_unique_constraints(name)),
            sorted((tuple(one["constrained_columns"]), one["referred_table"])
                   for one in inspector.get_foreign_keys(name)),
        )
        for name in inspector.get_table_names()
    }


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_upgrade_keeps_every_row_and_gives_the_tables_of_a_new_database(
        database: Database, revision: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    with database.alone() as connection:
        command.upgrade(alembic_config(connection), revision)
    before = fill(database)
    database.migrate()
    with database.engine.connect() as connection:
        command.check(alembic_config(connection))
        for name, table in reflected(database).tables.items():
            rows = connection.execute(sa.select(table)).mappings().all()
            if name in before:
                (row,) = rows
                for column, value in before[name].items():
                    if column in row:
                        held = row[column]
                        assert (held if not isinstance(value, bool) else bool(held)) == value, (name, column)
            else:
                assert rows == [], name
    if not database.is_postgres:
        fresh = Database(f"sqlite:///{tmp_path_factory.mktemp('fresh') / 'sync.db'}")
        fresh.migrate()
        assert shape(database) == shape(fresh)
        fresh.dispose()
    if revision != REVISIONS[-1]:
        there_and_back(database, revision, set(before))


def there_and_back(database: Database, revision: str, tables: set[str]) -> None:
    """The way back to `revision` and up again keeps what both know."""
    with database.alone() as connection:
        command.downgrade(alembic_config(connection), revision)
    assert set(reflected(database).tables) == tables
    with database.engine.connect() as connection:
        for name, table in reflected(database).tables.items():
            assert len(connection.execute(sa.select(table)).all()) == 1, name
    database.migrate()


@pytest.mark.parametrize("revision", [REVISIONS[0], REVISIONS[-1]])
def test_no_id_is_ever_given_twice(database: Database, revision: str) -> None:
    """By an id somebody says yes to a deletion, minutes after it was shown: it must never be another one's by then."""
    with database.alone() as connection:
        command.upgrade(alembic_config(connection), revision)
    database.migrate()
    inspector = sa.inspect(database.engine)
    with_ids = [name for name in inspector.get_table_names()
                if "id" in {one["name"] for one in inspector.get_columns(name)}]
    assert {"conflict", "deletion", "apart", "refusal", "hint", "change", "run"} <= set(with_ids)
    with database.read() as tx:
        for name in with_ids:
            if database.is_postgres:  # a sequence never goes back
                query = "select pg_get_serial_sequence(:name, 'id') is not null"
            else:
                query = "select sql like '%PRIMARY KEY AUTOINCREMENT%' from sqlite_master where name = :name"
            said = f'"{name}"' if database.is_postgres else name
            assert tx.execute(sa.text(query), {"name": said}).scalar_one(), name

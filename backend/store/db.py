"""The database: SQLite in a file by default, Postgres by `DATABASE_URL`; made and moved on by Alembic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from backend.errors import UserError

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_MS = 15_000


class now(FunctionElement[float]):
    """The database's clock, in seconds since 1970."""

    type = sa.Double()
    inherit_cache = True


@compiles(now, "sqlite")
def _now_sqlite(element: now, compiler: Any, **_: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now, "postgresql")
def _now_postgres(element: now, compiler: Any, **_: Any) -> str:
    return "extract(epoch from clock_timestamp())"


class Database:
    """An engine with two ways in: `read()` and `write()`, each one transaction."""

    def __init__(self, url: str) -> None:
        self.url = normalise(url)
        try:
            self.engine = sa.create_engine(
                self.url, json_serializer=_dumps, json_deserializer=orjson.loads, pool_pre_ping=True
            )
        except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError) as error:
            raise UserError(
                "DATABASE_URL is not an address that is understood here.",
                cure="Write sqlite:///path/to/file.db or postgresql://user:password@host/name, or leave it out.",
            ) from error
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", _sqlite_connect)
            sa.event.listen(self.engine, "begin", _sqlite_begin)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with self.engine.begin() as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that may write. On SQLite it takes the write lock at once: two writers queue instead of
        finding out half-way that one of them must give up."""
        with self.engine.connect().execution_options(sqlite_begin="BEGIN IMMEDIATE") as connection, connection.begin():
            yield connection

    def migrate(self) -> None:
        """Bring the tables to the newest revision; one process at a time."""
        with self.engine.connect() as connection:
            if self.engine.dialect.name == "postgresql":
                connection.execute(sa.text("select pg_advisory_lock(723641)"))
                connection.commit()
            try:
                command.upgrade(alembic_config(connection), "head")
                connection.commit()
            finally:
                if self.engine.dialect.name == "postgresql":
                    connection.execute(sa.text("select pg_advisory_unlock(723641)"))
                    connection.commit()

    def dispose(self) -> None:
        self.engine.dispose()


def alembic_config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def normalise(url: str) -> str:
    """Hosts still say `postgres://`; the driver here is psycopg 3."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def _sqlite_connect(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours: _sqlite_begin
    cursor = connection.cursor()
    # FULL: what was remembered survives a power cut, not only a crash; a lost base would be a lost promise.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}"):
        cursor.execute(f"pragma {pragma}")
    cursor.close()


def _sqlite_begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))

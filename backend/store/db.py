"""The database: SQLite in a file by default, Postgres by `DATABASE_URL`; made and moved on by Alembic."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from backend.errors import ConfigError, DatabaseAway

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_MS = 15_000
WAL_PAGES = 4_000
"""Of 4 KB, after which SQLite puts what was committed into its place. After the usual 1,000 nearly every batch of a
first sync did that, and wrote the same pages of indexes again and again."""
RESTED_SECONDS = 0.25
"""A connection that was used within this time is taken without a look whether the database is still there: a run takes
one some dozens of times, and no database ends and begins again so quickly."""


Transaction = sa.Connection
"""What `read()` and `write()` give."""


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


_UNSYNCED = sa.text("set local synchronous_commit = off")


class Database:
    """An engine with two ways in: `read()` and `write()`, each one transaction. Both raise DatabaseAway where the
    database cannot be reached, or breaks off."""

    def __init__(self, url: str) -> None:
        self.url = normalise(url)
        try:
            dialect = sa.make_url(self.url).get_backend_name()
            self.engine = sa.create_engine(
                self.url, json_serializer=_dumps, json_deserializer=_loads
            )
        except (sa.exc.ArgumentError, ImportError, ValueError) as error:
            raise _not_understood() from error
        if dialect not in ("sqlite", "postgresql"):
            raise _not_understood()
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", _sqlite_connect)
            sa.event.listen(self.engine, "begin", _sqlite_begin)
        else:
            sa.event.listen(self.engine, "checkin", _rests)
            sa.event.listen(self.engine, "checkout", self._is_there)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with _told(), self.engine.begin() as tx:
            yield tx

    @contextmanager
    def write(self, *, lasting: bool = True) -> Iterator[sa.Connection]:
        """A transaction that may write. On SQLite it takes the write lock at once: two writers queue instead of
        finding out half-way that one of them must give up.

        Not `lasting`: nobody waits for the disk, so a power cut may take it back, and never a part of it. For what
        says how things stand at this moment: whoever said it is gone then, too.
        """
        with _told(), self.engine.connect().execution_options(sqlite_begin="BEGIN IMMEDIATE") as connection:
            if lasting:
                with connection.begin():
                    yield connection
            elif self.is_postgres:
                with connection.begin():
                    connection.execute(_UNSYNCED)
                    yield connection
            else:
                _pragma(connection, "synchronous=NORMAL")  # in WAL mode: a commit does not wait for the disk
                try:
                    with connection.begin():
                        yield connection
                finally:
                    _pragma(connection, "synchronous=FULL")

    def _is_there(self, connection: Any, record: Any, _: Any) -> None:
        """Whether a connection that has rested still leads to the database; else the pool makes new ones."""
        rests_since = record.info.get("rests_since")
        if rests_since is None or time.monotonic() - rests_since < RESTED_SECONDS:
            return
        try:
            self.engine.dialect.do_ping(connection)
        except self.engine.dialect.loaded_dbapi.Error as error:
            raise sa.exc.InvalidatePoolError("the database has gone meanwhile") from error

    def migrate(self) -> None:
        """Bring the tables to the newest revision; one process at a time. Raises ConfigError where the database
        cannot be opened or was made by a newer version of this program. Alembic, which takes a third of a second to
        import, is only asked where there is something to do."""
        if self._is_newest():
            return
        from alembic import command
        from alembic.util import CommandError

        try:
            with self.alone() as connection:
                command.upgrade(alembic_config(connection), "head")
        except CommandError as error:
            raise ConfigError(
                "The database was made by a newer version of this program.",
                cure="Run that version or a newer one, or name another database in DATABASE_URL.",
            ) from error
        except sa.exc.DBAPIError as error:
            raise ConfigError(
                f"The database cannot be opened: {_said(error)}.",
                cure="Check DATABASE_URL, that its folder exists, and that it may be written there.",
            ) from error

    def _is_newest(self) -> bool:
        try:
            there, newest = self.revision()
        except (sa.exc.DBAPIError, DatabaseAway):
            return False  # whoever migrates finds out why, and says it
        return there is not None and there == newest

    @contextmanager
    def alone(self) -> Iterator[sa.Connection]:
        """A transaction for changes of the tables: others that migrate wait until it ends.

        On SQLite foreign keys are off meanwhile. Alembic changes a table there by making it anew and dropping the
        old one, and a drop with foreign keys on deletes, in cascade, everything that refers to it.
        """
        sqlite = self.engine.dialect.name == "sqlite"
        with self.engine.connect().execution_options(sqlite_begin="BEGIN IMMEDIATE") as connection:
            if sqlite:
                _pragma(connection, "foreign_keys=OFF")  # before BEGIN: inside a transaction it does nothing
            try:
                with connection.begin():
                    if not sqlite:
                        connection.execute(sa.text("select pg_advisory_xact_lock(723641)"))
                    yield connection
            finally:
                if sqlite:
                    _pragma(connection, "foreign_keys=ON")

    @property
    def is_postgres(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    def revision(self) -> tuple[str | None, str | None]:
        """The revision of the tables that are there, and the one that this program knows. For probes."""
        with self.read() as tx:
            if not sa.inspect(tx).has_table("alembic_version"):
                return None, newest_revision()
            there = tx.execute(sa.text("select version_num from alembic_version")).scalar_one_or_none()
            return there, newest_revision()

    def dispose(self) -> None:
        self.engine.dispose()


@cache
def newest_revision() -> str | None:
    """The revision that no other one follows."""
    texts = [path.read_text() for path in (MIGRATIONS / "versions").glob("*.py")]
    revisions, followed = (
        {str(found) for text in texts for found in re.findall(rf"^{name}\b.*=\s*['\"](\w+)['\"]", text, re.MULTILINE)}
        for name in ("revision", "down_revision"))
    (newest,) = revisions - followed
    return newest


def alembic_config(connection: sa.Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def _told() -> Iterator[None]:
    """Tells a database that is away from a mistake of ours."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        if not _is_away(error):
            raise
        raise DatabaseAway(f"The database does not answer: {_said(error)}.",
                           cure="It is tried again by itself. If it stays, check DATABASE_URL and the database.",
                           ) from error


def _is_away(error: sa.exc.DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    if not isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError):
        return False
    if type(error.orig).__module__ == "sqlite3":
        # SQLite says OperationalError to a missing table, too.
        return any(word in str(error.orig) for word in ("locked", "busy", "disk", "unable to open"))
    return True


def _not_understood() -> ConfigError:
    return ConfigError(
        "DATABASE_URL is not an address that is understood here.",
        cure="Write sqlite:///path/to/file.db or postgresql://user:password@host/name, or leave it out.",
    )


def _said(error: sa.exc.DBAPIError) -> str:
    """The driver's own words, in one line; they name host and user, never the password."""
    return " ".join(str(error.orig).split()).rstrip(".")


def _pragma(connection: sa.Connection, pragma: str) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute(f"pragma {pragma}")


def normalise(url: str) -> str:
    """Hosts still say `postgres://`; the driver here is psycopg 3."""
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def _loads(value: Any) -> Any:
    # SQLite keeps a bare number in a JSON column as a number, and hands it back as one.
    return value if isinstance(value, int | float) else orjson.loads(value)


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def _sqlite_connect(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours: _sqlite_begin
    cursor = connection.cursor()
    # FULL: what was remembered survives a power cut, not only a crash; a lost base would be a lost promise.
    # The timeout comes first: turning WAL on is what several processes that start together queue for.
    for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "journal_mode=WAL", f"wal_autocheckpoint={WAL_PAGES}",
                   "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"pragma {pragma}")
    cursor.close()


def _rests(_connection: Any, record: Any) -> None:
    record.info["rests_since"] = time.monotonic()


def _sqlite_begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))

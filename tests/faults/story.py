"""States of the whole world, and what a process makes of one.

    chapter ─ people ─→ state ─ a run with a fault ─→ state ─ ordinary runs ─→ state ─→ promises

A state is everything that outlives a process: the database and both services. States are known by a fingerprint of
what they hold, and what an ordinary run makes of a state is worked out once: nearly all faults end in a few states.
"""

from __future__ import annotations

import hashlib
import itertools
import shutil
import sqlite3
from collections.abc import Callable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from engine.world import World

from backend import engine
from backend.errors import DatabaseAway, LeaseLost, SyncError
from backend.session import Session, UndoWanted
from backend.store import runs

from .books import Book
from .people import open_shop
from .wire import BEAT, Fault, Wire, WiredConnector, WiredDatabase

GRIST_STATE = ("rows", "marks", "unticked", "states", "columns", "_count", "_versions", "log")
SHOPIFY_STATE = ("things", "carries_key", "_answers", "_made", "_touched", "_touches", "_indexed", "_deleted",
                 "removed", "file", "_count", "log")
PASSING = {"id", "run_id", "at", "seen_at", "since", "synced_at", "created_at"}
"""Columns that say when and under which number, and nothing about what."""
Wanted = tuple[UndoWanted | None, ...]
"""What the next processes are to do, in this order: take something back, or (None) just sync. Then all just sync."""


@dataclass
class State:
    """The world at one moment."""

    fingerprint: str
    database: bytes
    grist: dict[str, Any]
    shopify: dict[str, Any]
    wanted: Wanted = ()


@dataclass
class Passage:
    """What an ordinary run made of a state."""

    to: State
    wrote: bool
    error: Exception | None


@dataclass
class Stage:
    """One world and its tools. Everything happens in it by turns: `restore` goes to any state that was kept."""

    path: Path
    open: Callable[[Path], World] = open_shop
    world: World = field(init=False)
    wanted: Wanted = ()
    states: dict[str, State] = field(default_factory=dict)
    passages: dict[str, Passage] = field(default_factory=dict)
    runs: int = 0
    """How many runs were really done."""

    def __post_init__(self) -> None:
        self.world = self.open(self.path)
        sa.event.listen(self.world.database.engine, "connect", _quick)
        self.world.database.engine.dispose()
        self._raw = sqlite3.connect(self.path, isolation_level=None)

    # --- states -------------------------------------------------------------------------------------

    def fingerprint(self) -> str:
        world = self.world
        kept: list[Any] = []
        open_keys: list[str] = []
        tables = "select name from sqlite_master where type = 'table' order by name"
        for (table,) in self._raw.execute(tables).fetchall():
            if table in ("run", "alembic_version", "sqlite_sequence"):
                continue
            cursor = self._raw.execute(f'select * from "{table}"')
            names = [one[0] for one in cursor.description]
            places = [i for i, name in enumerate(names) if name not in PASSING or (table, name) == ("pair", "id")]
            rows = cursor.fetchall()
            if table == "change":  # whether a line was taken back matters, not in which run
                rows = [(*row, row[names.index("undone_run")] is None) for row in rows]
                places = [i for i in places if names[i] != "undone_run"] + [len(names)]
            kept.append((table, sorted(repr([row[i] for i in places]) for row in rows)))
            if table == "intent":
                open_keys = [row[names.index("key")] for row in rows]
        answered = [key for key in open_keys if key in world.shopify._answers]
        made = sorted(key for key in world.shopify._made if key.rpartition("-")[0] in open_keys)
        sides = [{name: getattr(world.grist, name) for name in ("rows", "marks", "unticked")},
                 {name: getattr(world.shopify, name) for name in ("things", "file", "_count")}, self.wanted]
        logs = [sorted(map(repr, world.grist.log)), sorted(map(repr, world.shopify.log))]
        return hashlib.sha256(repr((kept, answered, made, sides, logs)).encode()).hexdigest()

    def keep(self) -> State:
        fingerprint = self.fingerprint()
        if fingerprint not in self.states:
            copied = sqlite3.connect(":memory:")
            self._raw.backup(copied)
            self.states[fingerprint] = State(
                fingerprint, _without_wal(copied.serialize()),
                {name: _copied(getattr(self.world.grist, name)) for name in GRIST_STATE},
                {name: _copied(getattr(self.world.shopify, name)) for name in SHOPIFY_STATE}, self.wanted,
            )
            copied.close()
        return self.states[fingerprint]

    def restore(self, state: State) -> World:
        held = sqlite3.connect(":memory:")
        held.deserialize(state.database)
        self.world.database.engine.dispose()
        held.backup(self._raw)
        held.close()
        self.wanted = state.wanted
        for twin, names in ((self.world.grist, state.grist), (self.world.shopify, state.shopify)):
            for name, value in names.items():
                setattr(twin, name, _copied(value))
        return self.world

    # --- processes ----------------------------------------------------------------------------------

    def process(self, wire: Wire | None = None) -> Exception | None:
        """One process takes the link, does what is wanted next, and ends; the error that ended it early, if one did."""
        self.runs += 1
        wire = wire or Wire()
        world = self.world
        world.grist.forget_reads()
        database = WiredDatabase(world.database, wire)
        with world.database.write() as tx:  # the lease of whoever had the link is over
            tx.execute(sa.text("update run set lease_until = 0 where state = 'running'"))
            number = int(tx.execute(sa.text("select coalesce(max(id), 0) from run")).scalar_one()) + 1
        owner = f"process {number}"
        keys = itertools.count()
        try:
            with database.write() as tx:
                claimed = runs.begin(tx, world.link_id, "sync", "somebody", {}, owner)
            assert claimed is not None

            def beat(progress: dict[str, Any]) -> None:
                with database.write(BEAT) as tx:
                    if runs.alive(tx, claimed, owner, progress) is None:
                        raise LeaseLost("Another worker has taken this sync over.")

            def fence(tx: sa.Connection) -> None:
                if not runs.hold(tx, claimed, owner):
                    raise LeaseLost("Another worker has taken this sync over.")

            session = Session(
                database, world.link_id, claimed.id, world.mappings,  # type: ignore[arg-type]
                WiredConnector(world.grist, wire), WiredConnector(world.shopify, wire),
                rest_seconds=0, beat=beat, fence=fence, new_key=lambda: f"{claimed.id}.{next(keys)}",
            )
            error: Exception | None = None
            try:
                if self.wanted and self.wanted[0] is not None:
                    engine.undo(session, self.wanted[0])
                else:
                    engine.sync(session)
            except (SyncError, sa.exc.OperationalError) as ended:
                error = ended
            with database.write() as tx:
                runs.finish(tx, claimed, owner, "failed" if error else "done", None)
            return error
        except (DatabaseAway, sa.exc.OperationalError) as ended:
            return ended

    def close(self) -> None:
        self._raw.close()
        self.world.database.dispose()

    def settle(self, state: State) -> Passage:
        """What an ordinary run makes of `state`."""
        found = self.passages.get(state.fingerprint)
        if found is None:
            world = self.restore(state)
            sent = _writes(world)
            try:
                error = self.process()
            except Exception as broken:  # judged as a broken promise
                error = broken
            self.wanted = self.wanted[1:]
            found = self.passages[state.fingerprint] = Passage(self.keep(), _writes(world) != sent, error)
        return found

    # --- faults -------------------------------------------------------------------------------------

    def killed(self, start: State) -> tuple[list[str], list[tuple[State, State]]]:
        """The names of all steps of a run from `start`, and for each the states that a kill before it and after it
        leaves behind."""
        self.restore(start)
        seen: list[State] = []
        wire = Wire(watch=lambda: seen.append(self.keep()))
        error = self.process(wire)
        assert error is None, error
        assert len(seen) == 2 * len(wire.points), "each step is watched before it and after it"
        return wire.points, list(zip(seen[::2], seen[1::2], strict=True))

    def broken(self, start: State, faults: Dict[int, Fault]) -> tuple[State, Exception | None]:
        """The state after a run from `start` with `faults`, and what broke in it that should not have."""
        self.restore(start)
        wire = Wire(faults, pause=self._sleep)
        crash: Exception | None = None
        failed: Exception | None = None
        try:
            failed = self.process(wire)
        except Exception as error:  # whatever it is: the caller tells
            crash = error
        if self.wanted:  # what failed is followed by an ordinary sync, and then somebody presses the button again
            self.wanted = (None, *self.wanted) if failed or crash else self.wanted
        if wire.late:
            self.restore(self.settle(self.keep()).to)
            for deliver in wire.late:
                deliver()
        return self.keep(), crash

    def _sleep(self) -> None:
        """Another process does the whole work while this one sleeps, beyond its lease."""
        seen = dict(self.world.grist._seen)
        mine = self._raw.execute("select * from run where state = 'running'").fetchall()
        self.restore(self.settle(self.keep()).to)
        # A kept state may have come about in runs with other numbers: ours is there, and is over.
        self._raw.execute("update run set state = 'failed', lease_until = null where state = 'running'")
        for row in mine:
            self._raw.execute(f"insert or ignore into run values ({', '.join('?' * len(row))})", row)
            self._raw.execute("update run set state = 'failed', lease_until = null where id = ?", row[:1])
        self.world.grist._seen = seen


def new_stage(migrated: Path, folder: Path, book: Book) -> Stage:
    path = folder / f"{book.name}.db"
    shutil.copy(migrated, path)
    return Stage(path, book.open)


def chapters(stage: Stage, book: Book) -> dict[str, tuple[State, State]]:
    """By chapter: the state when people have done their part, and how it ends where nothing goes wrong."""
    found = {}
    for chapter in book.chapters:
        stage.world.forget_what_was_written()
        wanted = chapter(stage.world)
        stage.wanted = (wanted,) if wanted else ()
        start = stage.keep()
        for _ in range(3):
            error = stage.process()
            assert error is None, f"{chapter.__name__}: {error!r}"
            stage.wanted = ()
        found[chapter.__name__] = (start, stage.keep())
    return found


def _without_wal(database: bytes) -> bytes:
    """A database in memory has no write-ahead log, and bytes 18 and 19 of the file say that this one has."""
    return database[:18] + b"\x01\x01" + database[20:]


def _copied(value: Any) -> Any:
    """What a twin holds, so that neither copy changes with the other; what cannot change is shared."""
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return type(value)(value) if isinstance(value, list | set) else value


def _writes(world: World) -> int:
    return world.grist.usage.writes + world.shopify.usage.writes


def _quick(connection: Any, _: Any) -> None:
    # A kill of this process is only played here, so nothing has to survive a real one.
    connection.execute("pragma synchronous=OFF")

"""Play a story, let it settle, and ask whether every promise was kept.

    story ─ events ─→ people, faults, runs      everything else (ids, keys, clock of the services) is counted, so the
          ─ calm ──→ two ordinary runs          same story leaves the same trace
          ─ judge ─→ broken promises

People may act between any two steps of a run; a step is a transaction of the store or a call to one of the services
(`faults.wire`), and the faults are those of the crash test.
"""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from engine.world import World, spell_handle, total_stock, world_in
from faults.wire import BEAT, KILLS, Fault, Wire, WiredConnector, WiredDatabase
from twins import MemoryShopify

from backend import engine
from backend.core.mapping import choose
from backend.core.values import UNREAD, Unfit
from backend.errors import BrakeError, LeaseLost, SyncError
from backend.session import Session, UndoWanted
from backend.store import links, runs
from backend.store.db import Database
from backend.store.tables import metadata

from .judge import Judge
from .ledger import Ledger
from .people import People, world_mappings
from .story import Event

LOST = {Fault.LOST_DONE, Fault.LOST_NOT_DONE, Fault.HALFWAY, Fault.LATE, *KILLS}
TAKE_AWAY = {"delete_row", "move_row", "reuse_row", "import_over", "press_undo", "restore_document"}
"""Deeds after which a row may be gone."""
DAY_SECONDS = 25 * 3600


class Killed(BaseException):
    """The process is gone. Nobody catches this."""


@dataclass
class Ended:
    """How a story ended."""

    broken: dict[str, list[str]]
    """By promise: what is wrong."""
    saw: Counter[str]
    told: list[str]
    """The story, a sentence an event, with the runs' ends."""
    trace: str
    """A digest of every event and step, and of how everything ended."""
    runs: int


class Ground:
    """A database to play on, made once and emptied for each story."""

    def __init__(self, url: str = "sqlite://") -> None:
        self.database = Database(url)
        self.database.engine.pool._pre_ping = False  # nobody else could have closed it
        self.database.migrate()
        self._empty: sqlite3.Connection | None = None
        if self.database.engine.dialect.name == "sqlite":
            self._empty = sqlite3.connect(":memory:")
            self._raw().backup(self._empty)

    def clear(self) -> Database:
        if self._empty is not None:
            self._empty.backup(self._raw())
        else:
            with self.database.write() as tx:
                names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
                tx.execute(sa.text(f"truncate {names} restart identity cascade"))
        return self.database

    def _raw(self) -> Any:
        with self.database.engine.connect() as connection:
            return connection.connection.driver_connection

    def close(self) -> None:
        self.database.dispose()


def play(ground: Ground, events: Sequence[Event]) -> Ended:
    """Play a story to its end and judge it."""
    return Playing(ground).play(events)


class _StoryWire(Wire):
    """A wire at which people and faults wait for their step."""

    def __init__(self, play: Playing) -> None:
        super().__init__(pause=play.pause, watch=self._pass)
        self._play = play
        self._dying = False

    def reach(self, point: str) -> Fault | None:
        self._play.at_step(len(self.points), point)
        fault = self._play.fault_at(len(self.points), point)
        if fault is Fault.KILLED_BEFORE:
            raise Killed(point)
        self._dying = self._dying or fault is Fault.KILLED_AFTER
        if fault is not None and fault not in KILLS:
            self.faults[len(self.points)] = fault
        self.points.append(point)
        if fault is Fault.PAUSED:
            self.pause()
        return None if fault in (*KILLS, Fault.PAUSED) else fault

    def _pass(self) -> None:
        if self._dying:
            raise Killed


@dataclass
class Playing:
    """One story on its way."""

    ground: Ground
    world: World = field(init=False)
    people: People = field(init=False)
    judge: Judge = field(init=False)
    told: list[str] = field(default_factory=list)
    waiting: list[Event] = field(default_factory=list)
    """What is to happen in the next run."""
    late: list[Callable[[], object]] = field(default_factory=list)
    runs: int = 0
    depth: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def __post_init__(self) -> None:
        self.world = world_in(self.ground.clear(), world_mappings(), batch_size=3)
        grist, shop = self.world.grist, self.world.shopify
        grist.formulas["Variants", "compareAtPrice"] = lambda cells: _twice(cells.get("price"))
        shop.carries_key = {"products", "variants"}
        shop.brings["variants"] = _stocked
        shop.unique.add(("products", "handle"))
        shop.parts_told = shop.stock_moves_products = False
        shop.defaults["products"] = {"status": "DRAFT"}
        shop.spelling["products", "handle"] = spell_handle
        shop.spelling["products", "vendor"] = lambda vendor: vendor or "The shop"
        shop.computed["products", "totalInventory"] = total_stock
        ledger = Ledger(self.world)
        self.people = People(self.world, ledger)
        self.judge = Judge(self.world, ledger)

    @property
    def saw(self) -> Counter[str]:
        return self.people.saw

    def play(self, events: Sequence[Event]) -> Ended:
        try:
            self.open()
            for event in events:
                self.happen(event)
            self.settle()
        except Exception as error:
            self.judge.wrong("P7", f"{type(error).__name__}: {error}")
            self.told.append(f"… and it broke on {error!r}")
            self.judge.crash = error
        self._note(repr(sorted(self.judge.broken.items())))
        return Ended(self.judge.broken, self.saw, self.told, self.digest.hexdigest(), self.runs)

    def open(self) -> None:
        """The shop opens, and is synced for the first time."""
        self.people.open_the_shop()
        self.run()

    # --- events -------------------------------------------------------------------------------------------

    def happen(self, event: Event) -> None:
        """Let an event happen, or wait for its step in the next run."""
        if event.when is not None:
            self.waiting.append(event)
        elif event.kind == "a day passes":
            self.world.shopify.forget_keys()
            with self.world.database.write() as tx:
                tx.execute(sa.text(f"update intent set at = at - {DAY_SECONDS}"))
            self._tell("A day passes")
        elif event.kind in ("run", "audit"):
            if sum(event.picks) % 2:
                self.people.deliver_late()
            self.run(everything=event.kind == "audit")
        elif event.kind == "run some fields":
            self.run(fields=(("title",), ("inventory",), ("price", "tags"))[event.picks[0] % 3])
        elif event.kind == "preview":
            self.run(preview=True)
        elif event.kind == "undo":
            self._undo(event)
        else:
            said = self.people.do(event.kind, event.picks)
            # A read that proves nothing gone leaves rows that are gone known, and so they may be referred to.
            self.judge.raced = self.judge.raced or (said is not None and event.kind in ("refuse_sql", "hide_row"))
            self._tell(said)

    def _undo(self, event: Event) -> None:
        lines = self.world.history()
        if not lines:
            return
        run_ids = sorted({line.run_id for line in lines})
        wanted = (UndoWanted(runs=(run_ids[-1 - event.picks[0] % len(run_ids)],)) if event.picks[1] % 2
                  else UndoWanted(changes=(lines[-1 - event.picks[0] % len(lines)].id,)))
        for line in lines:
            if line.id in wanted.changes or line.run_id in wanted.runs:
                name = next(one.name for one in self.world.mappings if one.id == line.mapping_id)
                if line.kind == "create" and line.side == engine.Side.LOCAL:
                    # Whoever takes back that a row was made wants it gone.
                    self.judge.ledger.allowed.add((name, engine.Side.LOCAL, str(line.remote_key)))
                if line.before is None:
                    self.judge.ledger.cleared |= {(side, name, line.field) for side in engine.Side}
                if line.field == "available":
                    self.judge.ledger.doubtful.add(str(line.remote_key))
        self.run(undo=wanted)

    def at_step(self, step: int, point: str) -> None:
        """People act before this step of the run."""
        self._note(point)
        if self.depth != 1:
            return
        due = [event for event in self.waiting if event.fault is None and event.when is not None and event.when <= step]
        for event in due:
            self.waiting.remove(event)
            self.people.while_a_run_writes = True
            said = self.people.do(event.kind, event.picks)
            self.people.while_a_run_writes = False
            self.judge.raced = self.judge.raced or (said is not None and event.kind in TAKE_AWAY)
            self._tell(said and f"    before step {step} ({point}): {said}")

    def fault_at(self, step: int, point: str) -> Fault | None:
        if self.depth != 1:
            return None
        keyed = self.world.shopify.carries_key
        for event in self.waiting:
            fault = event.fault
            if fault is not None and event.when is not None and event.when <= step and fault.fits(point, keyed=keyed):
                self.waiting.remove(event)
                self.saw[fault.value] += 1
                self.saw["lost answers"] += fault in LOST and " apply " in point
                self.saw["two workers"] += fault is Fault.PAUSED
                self._tell(f"    at step {step} ({point}): {fault.value}")
                return fault
        return None

    def pause(self) -> None:
        """The process falls asleep for longer than its lease, and another one does the work."""
        seen = dict(self.world.grist._seen)
        self.run()
        self.world.grist._seen = seen

    # --- runs ---------------------------------------------------------------------------------------------

    def run(self, *, fields: Sequence[str] = (), preview: bool = False, undo: UndoWanted | None = None,
            go_on: bool = False, everything: bool = False) -> Exception | None:
        """One process takes the link, works, and ends or is ended; the error that ended it early, if one did."""
        before = self.judge.fingerprint() if preview else None
        self.depth += 1
        self.runs += 1
        what = f"Preview {self.runs}" if preview else f"Sync {self.runs}"
        what += f" of {fields}" * bool(fields) + f" that takes back {undo}" * (undo is not None)
        what += " that goes on" * go_on + " of everything" * everything
        self._tell(what)
        told, wire = len(self.told), _StoryWire(self)
        try:
            error: BaseException | None = self._process(wire, fields, preview, undo, go_on, everything)
        except Killed as killed:
            error = killed
        finally:
            self.depth -= 1
        self._tell(f"    … ends: {type(error).__name__ if error else 'done'} after {len(wire.points)} steps")
        if preview and before != self.judge.fingerprint() and not (wire.faults or self._saw_people(told)):
            self.judge.wrong("P18", "a preview changed something")
        if self.depth == 0:
            late, self.late = self.late, []
            for deliver in late:
                deliver()
        self.late += wire.late
        self.judge.late = self.judge.late or bool(wire.late) or undo is not None
        self._look()
        return error if isinstance(error, Exception) else None

    def _saw_people(self, told: int) -> bool:
        """Whether people were at work since so many lines were told, so that nobody can tell who changed what."""
        return any(line.startswith("    before step") for line in self.told[told:])

    def _process(self, wire: _StoryWire, fields: Sequence[str], preview: bool, undo: UndoWanted | None, go_on: bool,
                 everything: bool) -> Exception | None:
        world = self.world
        world.grist.forget_reads()
        database = WiredDatabase(world.database, wire)
        with world.database.write() as tx:  # the lease of whoever had the link is over
            tx.execute(sa.text("update run set lease_until = 0 where state = 'running'"))
        owner, keys = f"process {self.runs}", itertools.count()
        run_number = self.runs
        mappings = world.mappings
        try:
            mappings = choose(mappings, fields) if fields else mappings
            with database.write() as tx:
                claimed = runs.begin(tx, world.link_id, "preview" if preview else "sync", "somebody", {}, owner)
            if claimed is None:
                return LeaseLost("Somebody else has the link.")

            def beat(progress: dict[str, Any]) -> None:
                with database.write(BEAT) as tx:
                    if runs.alive(tx, claimed, owner, progress) is None:
                        raise LeaseLost("Another worker has taken this sync over.")

            def fence(tx: sa.Connection) -> None:
                if not runs.hold(tx, claimed, owner):
                    raise LeaseLost("Another worker has taken this sync over.")

            with world.database.read() as tx:
                bindings = {one.resource: one.binding for one in links.mappings(tx, world.link_id) if one.binding}
            session = Session(
                database, world.link_id, claimed.id, mappings,  # type: ignore[arg-type]
                WiredConnector(world.grist, wire), WiredConnector(world.shopify, wire), bindings,
                rest_seconds=0, go_on=go_on, everything=everything, beat=beat, fence=fence,
                new_key=lambda: f"{run_number}.{next(keys)}",
            )
            error: Exception | None = None
            try:
                if undo is not None:
                    engine.undo(session, undo)
                else:
                    (engine.preview if preview else engine.sync)(session)
            except (SyncError, sa.exc.OperationalError) as ended:
                error = ended
            with database.write() as tx:
                runs.finish(tx, claimed, owner, "failed" if error else "done", None)
            return error
        except (SyncError, sa.exc.OperationalError) as ended:
            return ended

    # --- the end ------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """People and faults stop; two ordinary runs; then everything is judged."""
        self.waiting.clear()
        with self.judge.ledger.person():
            self.people.calm()
        self._tell("Faults stop, and everything can be seen again")
        self._ordinary()
        before = self.judge.writes()
        self._ordinary(everything=True)
        if self.judge.freed_a_name(before):
            # A row that waited for it, lest it be made beside what bore that name, is made by the run after that.
            self._ordinary(everything=True)
        questions, written = self.judge.questions(), self.judge.writes()
        self._ordinary()
        self._ordinary(everything=True)
        if self.judge.writes() != written:
            self.judge.wrong("P5", f"the third run wrote {self.judge.last_written(written)}")
        if self.judge.questions() != questions:
            self.judge.wrong("P5", "the third run asks other questions")
        self.judge.judge()

    def _ordinary(self, *, everything: bool = False) -> None:
        for _ in range(2):
            error = self.run(everything=everything)
            if isinstance(error, BrakeError):
                error = self.run(go_on=True, everything=everything)  # a person has looked
            if not isinstance(error, LeaseLost):
                break
        if error is not None:
            self.judge.wrong("P7", f"an ordinary run ended with {error!r}")

    def _look(self) -> None:
        """What came about, for the count."""
        conflicts, deletions = self.world.conflicts(), self.world.deletions()
        self.saw["conflicts"] += bool(conflicts)
        self.saw["proposals"] += bool(deletions)
        self.judge.look_at_writes()

    def _tell(self, said: str | None) -> None:
        if said:
            self.told.append(said)
            self._note(said)

    def _note(self, said: str) -> None:
        self.digest.update(said.encode())


def _stocked(shop: MemoryShopify, variant: str) -> None:
    for shelf in shop.things["locations"]:
        shop.add("inventory", variant=variant, location=shelf, available=0)


def _twice(price: Any) -> Any:
    """A formula. Over text that is no number it shows an error, and nothing can be taken from there."""
    return UNREAD if isinstance(price, Unfit) else price and price * 2

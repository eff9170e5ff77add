"""One stage a worker: a database, two services, and the chapters of the story as they begin and end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from backend.store.db import Database

from .books import BOOKS, Book
from .matrix import pytest_terminal_summary  # noqa: F401  # shown where no worker stands between
from .people import KEYLESS
from .promises import Scene, broken, scene, start_scene
from .story import Stage, State, chapters, new_stage
from .wire import KILLS, Fault, effect


@dataclass
class Chapter:
    """One chapter with everything that is known of it."""

    name: str
    stage: Stage
    start: State
    points: list[str]
    kills: list[tuple[State, State]]
    before: Scene
    end: Scene
    found: dict[tuple[str, int], dict[str, list[str]]] = field(default_factory=dict)
    """By (effect, step): what was wrong."""

    @property
    def keyed(self) -> set[str]:
        return set() if self.name == KEYLESS else {"products", "variants"}

    def steps(self, fault: Fault) -> list[int]:
        return [k for k, point in enumerate(self.points) if fault.fits(point, keyed=self.keyed)]

    def play(self, fault: Fault, step: int) -> dict[str, list[str]]:
        """By promise: what is wrong after `fault` at `step`."""
        key = effect(fault, self.points[step]), step
        if key not in self.found:
            self.found[key] = self._play(fault, step)
        return self.found[key]

    def _play(self, fault: Fault, step: int) -> dict[str, list[str]]:
        if fault in KILLS:
            return self.judge(self.kills[step][fault is Fault.KILLED_AFTER])
        state, crash = self.stage.broken(self.start, {step: fault})
        wrong = self.judge(state)
        if crash is not None:
            wrong.setdefault("P7", []).append(f"the run itself broke on {crash!r}")
        return wrong

    def play_two(self, first: Fault, step: int, second: Fault, chance: Random) -> tuple[str, dict[str, list[str]]]:
        """What happened, and by promise what is wrong: `first` at `step`, `second` somewhere in the run after it."""
        state = self.kills[step][first is Fault.KILLED_AFTER] if first in KILLS else self.stage.broken(
            self.start, {step: first})[0]
        points, kills = self.stage.killed(state)
        where = chance.choice([k for k, point in enumerate(points) if second.fits(point, keyed=self.keyed)] or [0])
        state = kills[where][second is Fault.KILLED_AFTER] if second in KILLS else self.stage.broken(
            state, {where: second})[0]
        return (f"{first} at {step} ({self.points[step]}), then {second} at {where} ({points[where]})",
                self.judge(state))

    def judge(self, state: State) -> dict[str, list[str]]:
        while len(state.wanted) > 2:  # faults upon faults: nobody has pressed the button again yet
            state = self.stage.settle(state).to
        return broken(self.stage, self.name, self.before, self.end, state)


class Books:
    """The chapters by name; a book is opened when one of its chapters is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._migrated = folder / "migrated.db"
        database = Database(f"sqlite:///{self._migrated}")
        database.migrate()
        database.dispose()
        self._told: dict[str, Chapter] = {}
        self._stages: list[Stage] = []

    def __getitem__(self, name: str) -> Chapter:
        if name not in self._told:
            self._open(next(book for book in BOOKS if name in book.told))
        return self._told[name]

    def _open(self, book: Book) -> None:
        stage = new_stage(self._migrated, self._folder, book)
        self._stages.append(stage)
        for name, (start, end) in chapters(stage, book).items():
            if name in book.told:
                points, kills = stage.killed(start)
                self._told[name] = Chapter(name, stage, start, points, kills, start_scene(stage, start),
                                           scene(stage, end))

    def close(self) -> None:
        for stage in self._stages:
            stage.close()


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    books = Books(tmp_path_factory.mktemp("faults"))
    yield books
    books.close()

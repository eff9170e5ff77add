"""One stage a worker: a database, two services, and the chapters of the story as they begin and end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from backend.store.db import Database

from .matrix import pytest_terminal_summary  # noqa: F401  # shown where no worker stands between
from .people import CHAPTERS, KEYLESS
from .promises import Scene, broken, scene, start_scene
from .story import Stage, State, chapters, new_stage
from .wire import Fault, effect


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
        return {"inventory"} if self.name == KEYLESS else {"inventory", "products", "variants"}

    def steps(self, fault: Fault) -> list[int]:
        return [k for k, point in enumerate(self.points) if fault.fits(point, keyed=self.keyed)]

    def play(self, fault: Fault, step: int) -> dict[str, list[str]]:
        """By promise: what is wrong after `fault` at `step`."""
        key = effect(fault, self.points[step]), step
        if key not in self.found:
            self.found[key] = self._play(fault, step)
        return self.found[key]

    def _play(self, fault: Fault, step: int) -> dict[str, list[str]]:
        if fault in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER):
            return self.judge(self.kills[step][fault is Fault.KILLED_AFTER])
        return self.play_all({step: fault})

    def play_all(self, faults: dict[int, Fault]) -> dict[str, list[str]]:
        """By promise: what is wrong after a run with all of these faults."""
        state, crash = self.stage.broken(self.start, faults)
        wrong = self.judge(state)
        if crash is not None:
            wrong.setdefault("P7", []).append(f"the run itself broke on {crash!r}")
        return wrong

    def judge(self, state: State) -> dict[str, list[str]]:
        return broken(self.stage, self.name, self.before, self.end, state)


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Chapter]]:
    """The chapters by name."""
    folder = tmp_path_factory.mktemp("faults")
    migrated = folder / "migrated.db"
    database = Database(f"sqlite:///{migrated}")
    database.migrate()
    database.dispose()
    stage = new_stage(migrated, folder)
    told: dict[str, Chapter] = {}
    for name, (start, end) in chapters(stage, CHAPTERS).items():
        points, kills = stage.killed(start)
        told[name] = Chapter(name, stage, start, points, kills, start_scene(stage, start), scene(stage, end))
    yield told
    stage.close()

"""A process that is killed after a step, or hears nothing of it, with the product's own connectors and both stand-ins.

`make faults` plays every step of one scenario and twenty seeds; `make test` a few of the steps and two seeds.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from backend.store.db import Database

from .matrix import PROPERTY
from .promises import PROMISES
from .standins import KILLED, LOST, Shop, a_busy_hour, anything, open_shop

EVERY = bool(os.environ.get("EVERY_FAULT"))
PARTS = 8
"""In so many tests the steps are played, so that processes share them."""
SEEDS = 20 if EVERY else 2
ROUNDS = 3
pytestmark = pytest.mark.timeout(1_800 if EVERY else 120)
SCENARIO = "between stand-ins"


@contextmanager
def shop_in(folder: Path) -> Iterator[Shop]:
    database = Database(f"sqlite:///{folder / 'sync.db'}")
    database.migrate()
    database.dispose()
    with open_shop(folder) as shop:
        yield shop


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], dict[str, Counter[str]]]:
    """The steps of a run in which nothing goes wrong, and how both sides stand after it."""
    with shop_in(tmp_path_factory.mktemp("untouched")) as shop:
        a_busy_hour(shop)
        points = shop.process()
        shop.process()
        assert [one.status for one in shop.store.bulks.held.values()] == ["COMPLETED"], "the titles go as a file"
        seen = shop.seen()
        assert shop.wrong() == []
    return points, seen


@pytest.mark.parametrize("part", range(PARTS if EVERY else 2))
@pytest.mark.parametrize("fault", [KILLED, LOST])
def test_a_fault_between_the_stand_ins_breaks_no_promise(
    untouched: tuple[list[str], dict[str, Counter[str]]], tmp_path: Path, fault: str, part: int, record_property: Any
) -> None:
    points, expected = untouched
    steps = list(range(part if EVERY else 29 * part + 20, len(points), PARTS if EVERY else 70))
    failures: list[str] = []
    broken: Counter[str] = Counter()
    for step in steps:
        folder = tmp_path / str(step)
        folder.mkdir()
        with shop_in(folder) as shop:
            a_busy_hour(shop)
            shop.process({step: fault})
            shop.process()
            shop.process()
            wrong = [("P4", f"{name}: {only}") for name, seen in shop.seen().items()
                     for only in [*(seen - expected[name]), *(expected[name] - seen)]] + shop.wrong()
        broken.update({promise for promise, _ in wrong})
        failures += [f"{fault} at step {step} ({points[step]}): {promise} {what}" for promise, what in wrong]
    record_property(PROPERTY, json.dumps({
        "chapter": SCENARIO, "points": len(points), "fault": fault, "steps": steps, "cases": len(steps),
        "promises": list(PROMISES), "broken": broken, "known": {},
    }))
    assert not failures, "\n".join([*failures[:12], f"… {len(failures)} in all"])


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_people_do_between_the_stand_ins_every_promise_is_kept(tmp_path: Path, seed: int) -> None:
    chance = random.Random(f"stand-ins {seed}")
    told = []
    with shop_in(tmp_path) as shop:
        for _ in range(ROUNDS):
            for _ in range(chance.randrange(2, 7)):
                anything(shop, chance)
            faults = {chance.randrange(70): chance.choice((KILLED, LOST)) for _ in range(chance.randrange(3))}
            points = shop.process(faults)
            told.append([(fault, points[step]) for step, fault in faults.items() if step < len(points)])
        shop.process()
        shop.process()
        assert (shop.wrong(), told) == ([], told)

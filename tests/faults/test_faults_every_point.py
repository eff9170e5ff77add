"""Every fault at every step of every chapter; then ordinary runs; then all promises (design §6, P7 above all).

`make faults` is all of it. `make test`, which has to end in a quarter of an hour, plays less: in the chapters of a day
it kills at every step, before it and after it in turn, and plays each other fault at every sixth; in the other books
it kills at every sixth, and plays each other fault at every thirty-sixth. Pairs of faults, the second in the run that
recovers from the first, are played in each chapter besides: `FULL_FAULTS=300` are that many, by `FAULTS_SEED` (0).
"""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from typing import Any

import pytest

from .books import BOOKS, NAMES
from .conftest import Books
from .known import KNOWN, Known, is_known, split
from .matrix import PROPERTY
from .promises import PROMISES
from .wire import KILLS, Fault

GROUPS = {
    "killed": (Fault.KILLED_BEFORE, Fault.KILLED_AFTER),
    "on the line": (Fault.LOST_DONE, Fault.LOST_NOT_DONE, Fault.HALFWAY, Fault.THROTTLED, Fault.STORE_FAILED),
    "at the other end": (Fault.TWICE, Fault.LATE, Fault.REFUSED),
    "paused": (Fault.PAUSED,),
}
"""Faults in one test share what they have found out."""
SIXTH = 6
EVERY = bool(os.environ.get("EVERY_FAULT"))
OTHER_BOOKS = 6
"""In the daily run those play so many times fewer."""
PAIRS = int(os.environ.get("FULL_FAULTS", "40" if EVERY else "1"))
pytestmark = pytest.mark.timeout(1_800 if EVERY else 120)
SHOWN = int(os.environ.get("FAULTS_SHOWN", "8"))


@pytest.mark.parametrize("faults", GROUPS.values(), ids=GROUPS)
@pytest.mark.parametrize("chapter", NAMES)
def test_a_fault_at_any_step_breaks_no_promise(
    story: Books, chapter: str, faults: tuple[Fault, ...], record_property: Any
) -> None:
    told = story[chapter]
    failures = []
    for number, fault in enumerate(faults):
        steps = told.steps(fault)
        if not EVERY:
            rarely = 1 if chapter in BOOKS[0].told else OTHER_BOOKS
            share = (len(KILLS) if fault in KILLS else SIXTH) * rarely
            steps = steps[number * rarely % share::share]
        broken: Counter[str] = Counter()
        known: Counter[str] = Counter()
        for step in steps:
            new, old = split(chapter, fault, told.points[step], told.play(fault, step))
            broken.update(new.keys())
            known.update(old - new.keys())
            failures += [f"{fault} at step {step} ({told.points[step]}): {promise} {what}"
                         for promise, whats in new.items() for what in whats]
        record_property(PROPERTY, json.dumps({
            "chapter": chapter, "points": len(told.points), "fault": fault, "steps": steps, "cases": len(steps),
            "promises": list(PROMISES), "broken": broken, "known": known,
        }))
    assert not failures, "\n".join([*failures[:SHOWN], f"… {len(failures)} in all"])


@pytest.mark.parametrize("bug", [
    pytest.param(bug, marks=pytest.mark.xfail(strict=True, reason=bug.name), id=bug.name) for bug in KNOWN])
def test_a_known_bug_is_mended(story: Books, bug: Known) -> None:
    for told in (story[name] for name in bug.chapters):
        for fault in bug.faults:
            for step in told.steps(fault):
                if re.search(bug.step, told.points[step]):
                    _, old = split(told.name, fault, told.points[step], told.play(fault, step), [bug])
                    assert not old, f"{fault} at step {step} ({told.points[step]}) of {told.name}"


@pytest.mark.parametrize("chapter", NAMES)
def test_a_second_fault_in_the_run_that_recovers_breaks_no_promise(story: Books, chapter: str) -> None:
    told = story[chapter]
    chance = random.Random(f"{os.environ.get('FAULTS_SEED', '0')} {chapter}")
    failures = []
    for _ in range(PAIRS):
        first, second = chance.choice(list(Fault)), chance.choice(list(Fault))
        steps = told.steps(first)
        if steps:
            happened, wrong = told.play_two(first, chance.choice(steps), second, chance)
            failures += [f"{happened}: {promise} {what}" for promise, whats in wrong.items() for what in whats
                         if not any(is_known(chapter, fault, promise, what) for fault in (first, second))]
    assert not failures, "\n".join([*failures[:SHOWN], f"… {len(failures)} in all"])

"""Bugs that the crash test found and that are not mended yet. Each is shown by a test that must fail until it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .promises import PROMISES
from .wire import KILLS, Fault


@dataclass(frozen=True)
class Known:
    """Where a bug shows: which chapter, after which faults, at which steps (all with `step` in their name), and
    which promises it breaks."""

    name: str
    chapter: str
    faults: tuple[Fault, ...]
    step: str
    promises: tuple[str, ...]
    says: str = ""
    """A regular expression found in what is wrong; leaves other trouble with the same promise alone."""

    def covers(self, chapter: str, fault: Fault, point: str, promise: str, what: str) -> bool:
        return (chapter == self.chapter and fault in self.faults and self.step in point and promise in self.promises
                and re.search(self.says, what) is not None)


LOST = (*KILLS, Fault.LOST_DONE, Fault.HALFWAY, Fault.STORE_FAILED, Fault.PAUSED)
PAUSED = (Fault.PAUSED,)
ALL_PROMISES = tuple(PROMISES)

KNOWN: tuple[Known, ...] = (
    Known("a freed row id is given away and the answer lost: the deletion is undone", "freed_row", LOST, "",
          ("P4", "P9"), r"tok53|new-shopify"),
    *(Known(f"who was overtaken goes on writing: {chapter}", chapter, PAUSED, step, ALL_PROMISES)
      for chapter in ("first_sync", "edits", "answers_and_creations", "freed_row", "yes", "keyless")
      for step in ("store", "read")),
)

LIMITS: tuple[Known, ...] = tuple(
    Known("a request that was about to be sent when its process fell asleep (design P15)", chapter, PAUSED, "apply",
          ALL_PROMISES)
    for chapter in ("first_sync", "edits", "answers_and_creations", "freed_row", "yes", "keyless"))
"""Not bugs, but the named limit of a promise: no store can see a process that sleeps between its last look and its
request. What it then writes over, compare-and-set or a key of ours would find; nothing else does."""


def split(chapter: str, fault: Fault, point: str, found: dict[str, list[str]], known: Iterable[Known] | None = None
          ) -> tuple[dict[str, list[str]], set[str]]:
    """What is wrong and not known, by promise; and the promises that known bugs and limits break."""
    new: dict[str, list[str]] = {}
    old: set[str] = set()
    for promise, whats in found.items():
        for what in whats:
            if any(one.covers(chapter, fault, point, promise, what) for one in known or KNOWN + LIMITS):
                old.add(promise)
            else:
                new.setdefault(promise, []).append(what)
    return new, old


def is_known(chapter: str, fault: Fault, promise: str, what: str) -> bool:
    """The same where the step is not known, because another fault came before."""
    return any(one.covers(chapter, fault, one.step, promise, what) for one in KNOWN + LIMITS)

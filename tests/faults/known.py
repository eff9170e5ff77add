"""Bugs that the crash test found and that are not mended yet, each shown by a test that must fail until it is; and
the named limits of promises."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .people import CHAPTERS
from .wire import Fault


@dataclass(frozen=True)
class Known:
    """Where something shows: in which chapters, after which faults, at which steps, and which promises it breaks."""

    name: str
    chapters: tuple[str, ...]
    faults: tuple[Fault, ...]
    promises: tuple[str, ...]
    step: str = ""
    """A regular expression found in the name of the step."""
    says: str = ""
    """One found in what is wrong; leaves other trouble with the same promise alone."""

    def covers(self, chapter: str, fault: Fault, point: str, promise: str, what: str) -> bool:
        return (chapter in self.chapters and fault in self.faults and promise in self.promises
                and re.search(self.step, point) is not None and re.search(self.says, what) is not None)


EVERYWHERE = tuple(chapter.__name__ for chapter in CHAPTERS)
PAUSED = (Fault.PAUSED,)

KNOWN: tuple[Known, ...] = ()

LIMITS: tuple[Known, ...] = (
    Known("a row that was about to be made when its process fell asleep is made twice, and listed as a copy",
          EVERYWHERE, PAUSED, ("P4", "P7", "P8", "P12", "history"), step=r"grist apply \w+ Create"),
    Known("a value that was about to be sent to Shopify is sent once more, and stands in history once",
          EVERYWHERE, PAUSED, ("P6", "history"), step=r"shopify apply (products|variants) Update"),
)
"""Not bugs but the limit of P15: no store can see a process that falls asleep between its last look and its request.
Stock and things that carry a key are safe even then, and are not excused here."""


def split(chapter: str, fault: Fault, point: str, found: dict[str, list[str]], known: Iterable[Known] = KNOWN + LIMITS
          ) -> tuple[dict[str, list[str]], set[str]]:
    """What is wrong and not known, by promise; and the promises that `known` breaks."""
    new: dict[str, list[str]] = {}
    old: set[str] = set()
    for promise, whats in found.items():
        for what in whats:
            if any(one.covers(chapter, fault, point, promise, what) for one in known):
                old.add(promise)
            else:
                new.setdefault(promise, []).append(what)
    return new, old


def is_known(chapter: str, fault: Fault, promise: str, what: str) -> bool:
    """The same where the step is not asked, because another fault came before."""
    return any(chapter in one.chapters and fault in one.faults and promise in one.promises and
               re.search(one.says, what) is not None for one in KNOWN + LIMITS)

"""Bugs that the crash test found and that are not mended yet, each shown by a test that must fail until it is; and
the named limits of promises."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .books import NAMES
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


EVERYWHERE = tuple(NAMES)
PAUSED = (Fault.PAUSED,)

KNOWN: tuple[Known, ...] = ()

LIMITS: tuple[Known, ...] = (
    Known("a row that was about to be made when its process fell asleep is made twice, and listed as a copy",
          EVERYWHERE, PAUSED, ("P4", "P7", "P8", "P12", "history"), step=r"grist apply \w+ Create"),
    Known("a value that was about to be sent to Shopify is sent once more, and stands in history once",
          EVERYWHERE, PAUSED, ("P6", "history"), step=r"shopify (apply|file) (products|variants) Update"),
    Known("a row that comes back while Grist refuses the one that it refers to stays without that reference, also when "
          "the other comes back later",
          ("rows_back",), (Fault.REFUSED,), ("P2", "P4", "P8", "P16"), step=r"grist apply (products|variants) Create"),
    Known("a reference to a row that came back is not written a second time where Grist refused it",
          ("run_back",), (Fault.REFUSED,), ("P4",), step=r"grist apply variants Update"),
    Known("a list that was about to be taken back is written once more, over what was taken back elsewhere meanwhile",
          ("run_back",), PAUSED, ("P4",), step=r"shopify apply products Update", says="tags"),
)
"""Not bugs. The two about a process that falls asleep between its last look and its request are the limit of P15: no
store can see it. Stock and things that carry a key are safe even then, and are not excused here. Those about what Grist
refuses are one of P17. The last is both: Shopify is sent a list as a difference, which the twin does not know."""


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

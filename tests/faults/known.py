"""Bugs that the crash test found and that are not mended yet. Each is shown by a test that must fail until it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .wire import Fault


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
    """Found in what is wrong; leaves other trouble with the same promise alone."""

    def covers(self, chapter: str, fault: Fault, point: str, promise: str, what: str) -> bool:
        return (chapter == self.chapter and fault in self.faults and self.step in point and promise in self.promises
                and self.says in what)


KNOWN: tuple[Known, ...] = ()


def split(chapter: str, fault: Fault, point: str, found: dict[str, list[str]], known: Iterable[Known] = KNOWN
          ) -> tuple[dict[str, list[str]], set[str]]:
    """What is wrong and not known, by promise; and the promises that known bugs break."""
    new: dict[str, list[str]] = {}
    old: set[str] = set()
    for promise, whats in found.items():
        for what in whats:
            if any(one.covers(chapter, fault, point, promise, what) for one in known):
                old.add(promise)
            else:
                new.setdefault(promise, []).append(what)
    return new, old

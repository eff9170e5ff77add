"""Bugs that the world simulator found and that are not mended yet. Each is shown by a story that must fail until it is;
elsewhere what it breaks is not told again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .story import Event


@dataclass(frozen=True)
class Known:
    """`story` shows it. In other stories it is what `promise` says in the words of `says`, where all kinds of `needs`
    happened."""

    name: str
    promise: str
    says: str
    story: tuple[Event, ...]
    needs: tuple[str, ...] = ()

    def covers(self, promise: str, what: str, kinds: Iterable[str]) -> bool:
        return promise == self.promise and re.search(self.says, what) is not None and set(self.needs) <= set(kinds)


KNOWN: tuple[Known, ...] = (
    # P15's limit, named in docs/promises.md: a worker that slept beyond its lease between the journal and the request
    # makes its rows in Grist when it wakes, beside those of its successor. They are listed as copies; nothing is lost.
    Known("asleep before making rows", "P8", r"^\d rows of \w+ hold", (
        Event("add_thing", (8, 4, 8)), Event("paused beyond lease", (10, 4, 8), 52), Event("audit", (0, 1, 3)),
    ), needs=("paused beyond lease",)),
)


def split(events: Sequence[Event], broken: dict[str, list[str]]) -> tuple[dict[str, list[str]], set[str]]:
    """What is wrong and not known, by promise; and the names of the known bugs that showed."""
    kinds = {event.kind for event in events}
    new: dict[str, list[str]] = {}
    old: set[str] = set()
    for promise, whats in broken.items():
        for what in whats:
            names = [one.name for one in KNOWN if one.covers(promise, what, kinds)]
            old.update(names)
            if not names:
                new.setdefault(promise, []).append(what)
    return new, old

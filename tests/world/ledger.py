"""Who wrote what: every simulated edit holds a token of its own, and in the end each is asked for (promise P1).

    k17q          a word somewhere in a text, a tag, a handle
    9000.17       a price that nobody else sets

A token is given up when a person takes it away (types over it, deletes its row, presses undo, puts the document back).
What an engine takes away must stand somewhere: on one of the sides, in a question, in a refused row, in the history.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from engine.world import World

from backend.core.model import Side

WORD = re.compile(r"k\d+q|90\d+\.\d\d")


def words(something: object) -> set[str]:
    """The tokens in it."""
    return set(WORD.findall(str(something).casefold()))


@dataclass
class Ledger:
    """What people did, as far as promises ask for it."""

    world: World
    tokens: set[str] = field(default_factory=set)
    """Those that must be found in the end."""
    cleared: set[tuple[Side, str, str]] = field(default_factory=set)
    """(side, resource, field) where a person emptied a cell that held something."""
    stock: dict[str, int] = field(default_factory=dict)
    """By level: what must be there, all counts and sales added up."""
    doubtful: set[str] = field(default_factory=set)
    """Levels of which somebody chose or undid a figure: their sum says nothing any more."""
    copies: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By (table, thing): how many more rows people gave its Shopify ID to."""
    allowed: set[tuple[str, Side, str]] = field(default_factory=set)
    """(resource, side, gid) of things that a person said may be deleted there."""
    copied: set[str] = field(default_factory=set)
    """Tokens of rows that somebody copied: they may become things of their own."""
    chosen: set[tuple[str, str]] = field(default_factory=set)
    """(thing, field) of which somebody chose a value: where it goes one way, its two sides may differ on purpose."""
    edited_ids: bool = False
    """Somebody typed into Shopify ID cells, copied or imported: rows may wait for people, and are listed."""
    count: int = 0

    def token(self) -> str:
        self.count += 1
        self.tokens.add(f"k{self.count}q")
        return f"k{self.count}q"

    def price(self) -> str:
        self.count += 1
        self.tokens.add(f"90{self.count}.00")
        return f"90{self.count}.00"

    @contextmanager
    def person(self) -> Iterator[None]:
        """Whatever a person does inside, they know what they take away."""
        before, filled, marks, free = self.everywhere(), self._filled(), self._marks(), self._unmarked()
        yield
        after, now, marked = self.everywhere(), self._filled(), self._marks()
        for where, number in marked.items():
            if number > max(1, marks[where]):
                self.copies[where] += number - max(1, marks[where])
        self.tokens -= before - after
        # A cell that is gone with its row is no cleared cell.
        self.cleared |= {(side, resource, name) for side, resource, key, name in filled - now
                         if (side, resource, key, "") in now}
        # But should that row have been made in Shopify by a run that was cut off, the next one that gets its id is
        # taken for it: nothing tells the two apart.
        self.cleared |= {(side, resource, name) for side, resource, key, name in filled - now
                         if side is Side.LOCAL and (resource, key) in free}

    def everywhere(self) -> set[str]:
        """The tokens in the cells of both sides."""
        return words(self.world.grist.rows) | words(self.world.shopify.things)

    def lost(self) -> list[str]:
        """Tokens that are in no cell, no question, no history and no refused row."""
        world = self.world
        asked = [(one.base, one.local, one.remote, one.edits, one.choice) for one in world.conflicts()]
        told = [(one.before, one.after) for one in world.history()]
        listed = [(one.title, one.message) for one in world.refusals()]
        found = self.everywhere() | words(json.dumps([asked, told, listed], default=str))
        return sorted(self.tokens - found)

    def _marks(self) -> Counter[tuple[str, str]]:
        return Counter((table, mark) for table, marks in self.world.grist.marks.items() for mark in marks.values())

    def _unmarked(self) -> set[tuple[str, Any]]:
        """(resource, row) of the rows without a Shopify ID."""
        return {(mapping.name, row) for mapping in self.world.mappings
                for row in self.world.grist.rows.get(mapping.table, {}).keys()
                - self.world.grist.marks.get(mapping.table, {}).keys()}

    def _filled(self) -> set[tuple[Side, str, Any, str]]:
        """(side, resource, key, field) of every cell that holds something; field "" for each row."""
        found: set[tuple[Side, str, Any, str]] = set()
        for mapping in self.world.mappings:
            for row, cells in self.world.grist.rows.get(mapping.table, {}).items():
                found.add((Side.LOCAL, mapping.name, row, ""))
                found |= {(Side.LOCAL, mapping.name, row, name) for name, held in cells.items() if held is not None}
            for gid, cells in self.world.shopify.things[mapping.name].items():
                found.add((Side.REMOTE, mapping.name, gid, ""))
                found |= {(Side.REMOTE, mapping.name, gid, name) for name, held in cells.items() if held is not None}
        return found

"""The books of the crash test: each a world of its own, and what people do in it, chapter by chapter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.world import World

from backend.session import UndoWanted

from . import afterwards, files, people, questions

Chapter = Callable[[World], UndoWanted | None]
"""What people do; returns what is to be taken back by the sync that follows, where one is to."""


@dataclass(frozen=True)
class Book:
    """`chapters` follow each other. Those of `between` lead from one to the next and are not played with faults."""

    name: str
    open: Callable[[Path], World]
    chapters: tuple[Chapter, ...]
    between: tuple[Chapter, ...] = ()

    @property
    def told(self) -> list[str]:
        return [chapter.__name__ for chapter in self.chapters if chapter not in self.between]


BOOKS = (
    Book("a day", people.open_shop, people.CHAPTERS),
    Book("afterwards", afterwards.open_shop, afterwards.CHAPTERS, afterwards.BETWEEN),
    Book("questions", questions.open_shop, questions.CHAPTERS, questions.BETWEEN),
    Book("files", files.open_shop, files.CHAPTERS, files.BETWEEN),
)
NAMES = [name for book in BOOKS for name in book.told]

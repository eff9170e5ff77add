"""What rows look like as a service sends them, in eight bytes each: one that looks as it did when both sides agreed is
as it was agreed, and no values are made of it.

    a full read finds a pair as it was agreed   → the digests of both halves are kept with the pair (`store.digests`)
    the next one finds the same digests         → recognised: it is there, nothing waits for it, nothing is done
    what was agreed on the pair moves           → its digests are gone

A digest holds all that gives raw cells their meaning: the code that reads them, the settings of the mapping, what the
connector says of columns and documents, and which things the rows are that a reference in Grist names. Where any of it
is another, no digest is the same, and the row is read as if nothing was known.
"""

from __future__ import annotations

import marshal
import sys
from collections.abc import Callable, Collection, Iterable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from backend.core.model import Key

SIZE = 8
"""Bytes of a digest. It is compared with the one of the same row only, so that chance needs 2⁶⁴ changes of a row."""
NONE = b""
"""Of what has no digest, for something in it cannot be seen."""
_PLAIN = 2
"""The last format of `marshal` in which equal values always make equal bytes."""


@dataclass
class Looks:
    """What one full read of one side is told, to recognise rows by, and what it learns for that."""

    settings: str
    """A mark of everything that decides about the mapping's rows."""
    agreed: Dict[Key, bytes | None] = field(default_factory=dict)
    """By row or thing: its digest when it was as agreed. What has none in here is not recognised."""
    find: Callable[[str, Collection[int]], Dict[int, str | None]] = lambda target, rows: {}
    """(target, rows of its table) → the thing that each of them is, None where it is none."""
    told: dict[str, dict[int, str | None]] = field(default_factory=dict)
    """By target: what references were taken to mean. The digests are worth nothing where they mean something else."""

    def digester(self, *meaning: object) -> Callable[[Any], bytes]:
        """A function from raw cells, or a text as it came, to their digest; `meaning` is what the connector reads them
        by."""
        told = repr((reading_code(), sys.version, self.settings, meaning))
        person = blake2b(told.encode(), digest_size=blake2b.PERSON_SIZE).digest()
        begun = blake2b(digest_size=SIZE, person=person)  # to be copied: a third cheaper than one made anew

        def digest(raw: Any) -> bytes:
            mark = begun.copy()
            try:
                mark.update(raw if isinstance(raw, bytes) else marshal.dumps(raw, _PLAIN))
            except ValueError:  # a mark of ours in it, such as UNREAD
                return NONE
            return mark.digest()

        return digest

    def things(self, target: str, cells: Iterable[Any]) -> list[Any]:
        """What references in Grist mean: each row id, alone or in a list, as the thing that the row is."""
        cells = list(cells)
        rows = {row for cell in cells for row in (cell if isinstance(cell, tuple) else (cell,)) if isinstance(row, int)}
        known = self.told.setdefault(target, {})
        known.update(self.find(target, rows - known.keys()))
        return [tuple([known.get(row) for row in cell]) if isinstance(cell, tuple)
                else known.get(cell) if isinstance(cell, int) else None for cell in cells]

    def stands(self, find: Callable[[str, Collection[int]], Dict[int, str | None]]) -> bool:
        """Whether references still mean what they were taken to mean."""
        return all(find(target, rows.keys()) == rows for target, rows in self.told.items())


@cache
def reading_code() -> str:
    """A mark of the code that makes values of what services send: with another one nothing is recognised."""
    here = Path(__file__).resolve().parent
    mark = blake2b(digest_size=16)
    for path in sorted(path for part in ("core", "grist", "shopify") for path in (here / part).rglob("*.py")):
        mark.update(path.read_bytes())
    return mark.hexdigest()

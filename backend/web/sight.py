"""What one person may read. The link's key may see more of the document than they do.

    owner                                       everything
    Grist lets the person's token use SQL       everything: it refuses that to anybody from whom something is hidden
    else                                        what a read of the table with that token returns, and nothing more

Rows that are not in that read are left out of every list; a row that is gone from Grist is in nobody's read. Cells that
are not in it are told as {"unread": true}, and words that could carry such a cell (a title, a sentence about a whole
row, the name of a referenced row) are left out with them. Each token asks at most once a minute, per table.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from backend.core.values import REFERENCES
from backend.errors import UserError
from backend.grist.client import GristClient
from backend.store.waiting import OpenConflict
from backend.web.access import patience
from backend.web.values import Tables

REMEMBERED_SECONDS = 60.0
REMEMBERED_TABLES = 200
CENSORED = ["C"]
UNREAD = {"unread": True}
VALUES = ("base", "grist", "shopify", "merge", "before", "after")

Told = dict[str, Any]
"""One entry of a list as the API tells it, with resource, row and field."""


class Reader(Protocol):
    """What is asked of Grist with a person's token: `GristClient`."""

    def count_rows(self, table: str) -> int: ...
    def data(self, table: str) -> dict[str, list[Any]]: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What a read of one table returned: rows, columns, and the cells that were hidden in them."""

    rows: frozenset[int] = frozenset()
    columns: frozenset[str] = frozenset()
    censored: frozenset[tuple[int, str]] = frozenset()

    def cell(self, row: int, column: str) -> bool:
        return row in self.rows and column in self.columns and (row, column) not in self.censored


class Reads:
    """Reads with people's tokens, remembered for a minute; a few, since one of a large table is not small."""

    def __init__(self, reader: Callable[[str, str], Reader], clock: Callable[[], float] = time.monotonic) -> None:
        self._reader, self._clock = reader, clock
        self._known: OrderedDict[tuple[bytes, str], tuple[float, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def sees_everything(self, document: str, token: str, table: str) -> bool:
        """Whether nothing of the document is hidden from the holder. `table` is any that exists."""
        return bool(self._once(token, "", lambda: self._may_use_sql(document, token, table)))

    def table(self, document: str, token: str, table: str) -> Seen:
        """What the holder reads of a table; nothing where it is hidden, or is not there any more."""
        found: Seen = self._once(token, table, lambda: self._read(document, token, table))
        return found

    def _may_use_sql(self, document: str, token: str, table: str) -> bool:
        try:
            self._reader(document, token).count_rows(table)
        except UserError:
            # Whatever Grist refused: then the tables are read one by one, which shows what may be shown.
            return False
        return True

    def _read(self, document: str, token: str, table: str) -> Seen:
        try:
            columns = self._reader(document, token).data(table)
        except UserError:  # hidden as a whole, or removed since the last sync
            return Seen()
        rows = columns.pop("id", [])
        censored = {(row, name) for name, cells in columns.items()
                    for row, cell in zip(rows, cells, strict=True) if cell == CENSORED}
        return Seen(frozenset(rows), frozenset(columns), frozenset(censored))

    def _once(self, token: str, what: str, ask: Callable[[], Any]) -> Any:
        key = (hashlib.sha256(token.encode()).digest(), what)
        with self._lock:
            asked_at, found = self._known.get(key, (None, None))
            if asked_at is not None and self._clock() - asked_at < REMEMBERED_SECONDS:
                return found
        found = ask()
        with self._lock:
            self._known[key] = (self._clock(), found)
            self._known.move_to_end(key)
            while len(self._known) > REMEMBERED_TABLES:
                self._known.popitem(last=False)
        return found


class Sight:
    """What one visitor may be told. `read(table)` gives what their token reads; None: they see everything."""

    def __init__(self, known: Tables, read: Callable[[str], Seen] | None) -> None:
        self._known, self._read = known, read
        self._ids = {mapping.name: mapping_id for mapping_id, mapping in known.described.items()}

    @property
    def everything(self) -> bool:
        return self._read is None

    def of(self, entries: list[Told]) -> list[Told]:
        """`entries` as far as this person may read them; those whose row they do not see are left out."""
        if self._read is None:
            return entries
        return [told for one in entries if (told := self._one(one)) is not None]

    def row(self, mapping_id: int, row: int) -> bool:
        """Whether they see this row."""
        return self._read is None or self._reads_row(mapping_id, row)

    def cell(self, mapping_id: int, row: int, name: str) -> bool:
        """Whether they may read this field of it; with "" all that is mapped of the row."""
        return self._read is None or self._reads(mapping_id, row, name)

    def conflict(self, one: OpenConflict) -> bool:
        """Whether they may answer it: an answer tells both values, so only where both may be read."""
        return self.row(one.mapping_id, one.local_key) and self.cell(one.mapping_id, one.local_key, one.field)

    def _one(self, one: Told) -> Told | None:
        mapping_id, row = self._ids.get(one["resource"]), one.get("row")
        if mapping_id is None or row is None or not self._reads_row(mapping_id, row):
            return None
        told = dict(one)
        if not self._reads(mapping_id, row, self._known.described[mapping_id].resource.title):
            told["title"] = f"{one['label']}, row {row}"
        if told.get("sku") is not None and not self._reads(mapping_id, row, "sku"):
            told["sku"] = None
        if self._reads(mapping_id, row, one.get("field", "")) and one.get("type") not in REFERENCES:
            return told
        if "message" in told:  # a refusal: its sentence may quote the cell
            return None
        return self._veiled(told)

    @staticmethod
    def _veiled(told: Told) -> Told:
        told |= {name: UNREAD for name in VALUES if name in told}
        for name in ("merge", "edits"):
            told.pop(name, None)
        if told.get("moved"):
            told["moved"] = {}
        if told.get("choice"):
            told["choice"] = {**told["choice"], "value": UNREAD}
        if told.get("reason"):
            told["reason"] = ""
        return told

    def _reads_row(self, mapping_id: int, row: int) -> bool:
        return row in self._seen(mapping_id).rows

    def _reads(self, mapping_id: int, row: int, name: str) -> bool:
        """Whether the cell of a field may be read; of a whole row (""), all of its mapped cells."""
        columns = self._columns(mapping_id)
        wanted = [columns.get(name)] if name else list(columns.values())
        seen = self._seen(mapping_id)
        return all(column is not None and seen.cell(row, column) for column in wanted)

    def _columns(self, mapping_id: int) -> dict[str, str]:
        """Column by field, as the last sync found them."""
        bound = self._known.stored[mapping_id].binding.get("columns", {})
        named = {rule.name: rule.column for rule in self._known.described[mapping_id].fields}
        return named | {name: one["colId"] for name, one in bound.items()}

    def _seen(self, mapping_id: int) -> Seen:
        assert self._read is not None
        return self._read(self._known.head(mapping_id)["table"])


def write_grist(server_url: str) -> Callable[[str, str], GristClient]:
    """Writes to `server_url` with a document's token: own_hand."""
    return lambda document, token: GristClient(server_url, document, token=token, sleep=patience())


def read_grist(server_url: str) -> Callable[[str, str], Reader]:
    """Reads from `server_url` with a document's token. A page waits for it, so it is given up soon."""
    return lambda document, token: GristClient(server_url, document, token=token, sleep=patience())

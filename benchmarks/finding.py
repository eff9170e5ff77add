"""`ten_edits_vs_grist_api`: ten changed rows of a large table are found and given the values that they should have, by
our connector and by `grist_api.GristDocAPI.sync_table`, in the same document. Shopify has no part in it."""

from __future__ import annotations

import statistics
import time
from collections import namedtuple
from typing import Any

import grist_api  # type: ignore[import-untyped]

from backend.config import mapping_of
from backend.connector import Stamp
from backend.core.model import Change, Mapping, Side, Update, Why
from backend.grist.connector import GristConnector
from backend.shopify.resources import RESOURCES
from benchmarks.stage import Tell, twelve_fields_of_variants
from demo.grist import Grist
from demo.grist import create_app as grist_app
from demo.grist.document import Document
from demo.serving import serving

EDITS = 10
TURNS = 3
ROWS_AT_ONCE = 5_000
GID = "gid://shopify/ProductVariant/{}"


def measure(size: int, tell: Tell) -> dict[str, float]:
    grist = Grist()
    document = grist.new_document("Shop")
    grist.add_key("key", role="owner")
    with serving(grist_app(grist)) as url:
        one = _Ours(url, document, mapping_of(twelve_fields_of_variants()[0], RESOURCES))
        columns = ["Shopify_ID", *(rule.column for rule in one.mapping.fields)]
        _fill(document, size, columns)
        one.settle()
        api = grist_api.GristDocAPI(document.doc_id, api_key="key", server=url)
        thing = namedtuple("thing", columns)  # type: ignore[misc]  # what sync_table takes
        wanted = [thing(*(_cell(name, i) for name in columns)) for i in range(size)]
        turns = []
        for turn in range(TURNS):
            taken = []
            for sync in (one.sync, lambda: api.sync_table(
                    "Variants", wanted, [("Shopify_ID", "Shopify_ID")], [(name, name) for name in columns[1:]])):
                rows = _edit(document, size, turn)
                began = time.perf_counter()
                sync()
                taken.append(time.perf_counter() - began)
                held = {row["id"]: row["Price"] for row in document.table("Variants").rows()}
                assert all(held[row] == _cell("Price", row - 1) for row in rows), "an edit was not found"
            turns.append(taken)
    ours, theirs = (statistics.median(taken) for taken in zip(*turns, strict=True))
    tell(f"ten edits of {size:,} rows: ours {ours * 1000:.0f} ms, sync_table {theirs * 1000:.0f} ms")
    return {"ten_edits_vs_grist_api": theirs / ours}


class _Ours:
    """A new connector each time, as each run has one, with what the last one kept."""

    def __init__(self, url: str, document: Document, mapping: Mapping) -> None:
        self.url, self.document, self.mapping = url, document, mapping
        self.bindings = self._connector().prepare([mapping], {}, write=True).bindings
        self.checkpoint: dict[str, Any] = {}

    def _connector(self) -> GristConnector:
        return GristConnector(self.url, self.document.doc_id, api_key="key")

    def settle(self) -> None:
        connector = self._connector()
        self.bindings = connector.prepare([self.mapping], self.bindings, write=True).bindings
        self.checkpoint = connector.changed([self.mapping], None).checkpoint

    def sync(self) -> None:
        connector = self._connector()
        found = connector.changed([self.mapping], self.checkpoint)
        if found.why == "unprepared":
            connector.prepare([self.mapping], self.bindings, write=True)
            found = connector.changed([self.mapping], self.checkpoint)
        assert found.keys is not None
        price = self.mapping.index["price"]
        held = connector.read(self.mapping, found.keys["variants"])
        ops = [Update(Side.LOCAL, row, held.marks[row], (
            Change("price", cells[price], _cell("Price", row - 1), Why.CHANGED),))  # type: ignore[operator]
            for row, cells in held.rows.items()]
        for number, batch in enumerate(connector.batches(self.mapping, ops)):
            receipts = connector.apply(self.mapping, batch, Stamp(f"key-{number}", "1"))
            assert all(receipt.done for receipt in receipts)
        self.checkpoint = connector.changed([self.mapping], None).checkpoint


def _fill(document: Document, size: int, names: list[str]) -> None:
    for start in range(0, size, ROWS_AT_ONCE):
        numbers = range(start, min(size, start + ROWS_AT_ONCE))
        document.apply([["BulkAddRecord", "Variants", [None] * len(numbers), {
            name: [_cell(name, i) for i in numbers] for name in names}]], user="person")


def _edit(document: Document, size: int, turn: int) -> list[int]:
    rows = list(range(1 + turn, size + 1, max(1, size // EDITS)))[:EDITS]
    for row in rows:
        document.apply([["UpdateRecord", "Variants", row, {"Price": 5_000_000 + turn}]], user="person")
    return rows


def _cell(column: str, i: int) -> Any:
    if column == "Shopify_ID":
        return GID.format(i + 1)
    if column in ("Price", "Compare_at", "Cost", "Weight", "Position"):
        return i + 1
    if column == "Taxable":
        return True
    return 1_700_000_000 + i if column == "Updated" else f"{column} {i}"

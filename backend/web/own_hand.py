"""An answer to a conflict, written into Grist with the token of whoever gave it.

Syncs write with the link's key, which may more than a person may. So where something of the document is hidden from
somebody, what they choose goes into its cell with their own token first, as if they had typed it there, and only where
the cell still holds what they saw. What Grist refuses them is not kept, and nothing writes it in their place.

    keep Shopify's, the last agreed or a typed value   → into the cell, with their token; then it is Grist's to keep
    keep Grist's value                                 → nothing to write in Grist
    a whole row, a reference                           → an owner answers: that is more than one cell
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Any, Protocol

from backend.core.values import REFERENCES, dump, load
from backend.errors import AccessError, BundleRefused
from backend.grist import cells
from backend.grist.cells import Unstorable
from backend.store.waiting import OpenConflict
from backend.web.choices import Unfitting, judged, same
from backend.web.values import Tables
from backend.web.waiting import rule_of, sides


class Hand(Protocol):
    """What is asked of Grist with a person's token: `GristClient`."""

    def records(self, table: str, row_ids: Collection[int]) -> dict[int, dict[str, Any]]: ...
    def apply(self, actions: Sequence[Any]) -> Any: ...


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one answer: what the cell holds now (as JSON), or why it is not kept, and what to do."""

    local: Any = None
    refused: str = ""
    cure: str = "Ask an owner of the document to answer it."


def write(hand: Hand, known: Tables, open_now: Dict[int, OpenConflict], wanted: Sequence[dict[str, Any]],
          decimals: int) -> dict[int, Tried]:
    """What became of those of `wanted` that write something in Grist. Called outside of any transaction; answers to
    what moved or does not fit are left to `choices.take`, which says so."""
    tried: dict[int, Tried] = {}
    for one in wanted:
        conflict = open_now.get(one["conflict"])
        if conflict is None or not same(one["seen"], sides(known, conflict)):
            continue
        try:
            keep, value = judged(known, conflict, one, decimals)
        except Unfitting:
            continue
        if keep == "apart":
            continue  # writes nothing anywhere
        if not conflict.field:
            tried[conflict.id] = Tried(refused="An answer about a whole row changes more of it than you see.")
        elif keep != "grist":
            tried[conflict.id] = _one(hand, known, conflict, keep, value, decimals)
    return tried


def _one(hand: Hand, known: Tables, conflict: OpenConflict, keep: str, value: Any, decimals: int) -> Tried:
    rule = rule_of(known, conflict)
    column = known.stored[conflict.mapping_id].binding.get("columns", {}).get(conflict.field)
    if rule is None or rule.kind in REFERENCES or column is None:
        return Tried(refused="This answer cannot be written with your own access to the document.")
    if keep != "value":
        value = load(rule.kind, conflict.remote if keep == "shopify" else conflict.base)
    table, row = known.head(conflict.mapping_id)["table"], conflict.local_key
    read = cells.reader(rule.kind, column["type"], decimals=decimals)
    try:
        there = hand.records(table, [row]).get(row, {})
        if column["colId"] not in there or read(there[column["colId"]]) != load(rule.kind, conflict.local):
            return Tried(refused="This cell was changed in Grist since the last sync.", cure="Sync, then look again.")
        hand.apply([["UpdateRecord", table, row, {column["colId"]: cells.write(value, column["type"])}]])
    except (AccessError, BundleRefused):
        return Tried(refused="Grist does not let you change this cell.")
    except Unstorable as error:
        return Tried(refused=str(error), cure="Keep another value.")
    return Tried(dump(value))

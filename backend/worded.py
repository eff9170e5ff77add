"""What a plan writes, in the words of the side that it goes to, and in batches.

    Grist       a reference is a row id; ops are put into words part by part
    Shopify     a reference is a gid; an op whose reference is required and not there yet waits
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backend import listed
from backend.connector import Connector
from backend.core.mapping import Directory
from backend.core.model import Create, Op, Refusal, Side, Update
from backend.work import Work

OPS_AT_ONCE = 10_000
"""A first sync makes as many rows as the store has things, and in the words of Grist they are as large as the plan."""


def batches(one: Work, directory: Directory, connector: Connector, ops: Sequence[Op]) -> Iterator[Sequence[Op]]:
    """`ops`, less those that wait, in the batches of `connector`. What waits is listed in `one`."""
    at_once = OPS_AT_ONCE if connector.side is Side.LOCAL else max(1, len(ops))
    for start in range(0, len(ops), at_once):
        ready = [said for op in ops[start:start + at_once] if (said := worded(one, directory, op)) is not None]
        if ready:
            yield from connector.batches(one.mapping, ready)


def worded(one: Work, directory: Directory, op: Op) -> Op | None:
    """`op` with its references in the words of the side that it goes to; None where it has to wait for them."""
    if not isinstance(op, Create | Update):
        return op
    told = (directory.for_local if op.side is Side.LOCAL else directory.for_remote)(one.mapping, op)
    one.refuse(listed.left_out(one, op, told))
    if isinstance(told, Update):
        return told if told.changes else None
    lacking = [rule.field.label for rule in one.mapping.fields
               if op.side is Side.REMOTE and rule.field.required and rule.name not in told.values]
    if lacking:
        one.refuse([Refusal(
            Side.LOCAL, op.source if isinstance(op, Create) else op.partner,
            f"This new row is not in Shopify yet, because its {' and '.join(lacking)} is not there yet.",
            "It is created once that one is.", title=op.title, waits=True,
        )])
        return None
    return told

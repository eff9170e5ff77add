"""How many rows a second are planned: twelve fields, nothing changed. Pure arithmetic, no service, no database."""

from __future__ import annotations

import time
from decimal import Decimal

from backend.core.mapping import rule_for
from backend.core.model import Field, Mapping, Pair, Resource, Row, Snapshot
from backend.core.plan import plan
from backend.core.values import Kind
from benchmarks.stage import Tell

ROWS = 100_000
TURNS = 3
KINDS: tuple[Kind, ...] = ("text", "text", "money", "money", "integer", "list", "choice", "boolean", "html", "text",
                           "decimal", "text")


def measure(size: int, tell: Tell) -> dict[str, float]:
    return {"plan_rows_per_second": max(rows_per_second(size) for _ in range(TURNS))}


def rows_per_second(rows: int = ROWS) -> float:
    """Rows of one mapping planned a second, both sides equal to their bases."""
    fields = tuple(Field(f"field{i}", kind, f"Field {i}", "metadata", write="x") for i, kind in enumerate(KINDS))
    resource = Resource("things", "Things", "Things", "Thing", fields, (), "field0", ())
    mapping = Mapping(resource, "Things", tuple(rule_for(field) for field in fields), ())
    held = [_row(i) for i in range(rows)]
    local = Snapshot(rows=dict(enumerate(held, 1)), marks={i: f"gid://{i}" for i in range(1, rows + 1)})
    remote = Snapshot(rows={f"gid://{i}": row for i, row in enumerate((_row(i) for i in range(rows)), 1)})
    pairs = [Pair(i, f"gid://{i}", _row(i - 1), _row(i - 1), id=i) for i in range(1, rows + 1)]
    began = time.process_time()  # this machine may have other things to do
    planned = plan(mapping, local, remote, pairs)
    seconds = time.process_time() - began
    if not planned.empty or planned.unchanged != rows:
        raise AssertionError("the benchmark's rows are not unchanged, so its figure would mean nothing")
    return rows / seconds


def _row(i: int) -> Row:
    return (f"Thing {i}", f"SKU-{i}", Decimal(i) / 100, Decimal(i + 1) / 100, i, ("a", "b"), "ACTIVE", True,
            f"<p>{i}</p>", None, Decimal("0.5"), f"{i:013d}")

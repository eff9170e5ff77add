"""Sums since the beginning, over all processes and machines: what `/metrics` tells. No name of a link is in them."""

from __future__ import annotations

from collections.abc import Mapping as Dict

import sqlalchemy as sa

from backend.store.tables import tally


def add(tx: sa.Connection, sums: Dict[tuple[str, str], float]) -> None:
    """Add to the sums of these (name, label)."""
    # In one order everywhere: two runs that end together wait for each other and never crosswise.
    rows = [{"name": name, "label": label, "value": value} for (name, label), value in sorted(sums.items()) if value]
    if not rows:
        return
    if tx.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
    new = insert(tally).values(rows)
    tx.execute(new.on_conflict_do_update(
        index_elements=["name", "label"], set_={"value": tally.c.value + new.excluded.value}))


def sums(tx: sa.Connection) -> dict[str, dict[str, float]]:
    """By name and label."""
    found: dict[str, dict[str, float]] = {}
    for name, label, value in tx.execute(sa.select(tally.c.name, tally.c.label, tally.c.value)):
        found.setdefault(name, {})[label] = value
    return found


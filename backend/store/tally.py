"""Sums since the beginning, over all processes and machines: what `/metrics` tells. No name of a link is in them."""

from __future__ import annotations

from collections.abc import Mapping as Dict

import sqlalchemy as sa

from backend.store.tables import tally


def add(tx: sa.Connection, sums: Dict[tuple[str, str], float]) -> None:
    """Add to the sums of these (name, label)."""
    # In one order everywhere: two runs that end together wait for each other and never crosswise.
    for (name, label), value in sorted(sums.items()):
        where = (tally.c.name == name, tally.c.label == label)
        if value and not tx.execute(sa.update(tally).where(*where).values(value=tally.c.value + value)).rowcount:
            _insert(tx, name, label, value)


def sums(tx: sa.Connection) -> dict[str, dict[str, float]]:
    """By name and label."""
    found: dict[str, dict[str, float]] = {}
    for name, label, value in tx.execute(sa.select(tally.c.name, tally.c.label, tally.c.value)):
        found.setdefault(name, {})[label] = value
    return found


def _insert(tx: sa.Connection, name: str, label: str, value: float) -> None:
    """The first of its kind; where another process was quicker, added to that one's."""
    if tx.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
    tx.execute(insert(tally).values(name=name, label=label, value=value).on_conflict_do_update(
        index_elements=["name", "label"], set_={"value": tally.c.value + value}))

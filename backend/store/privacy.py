"""What Shopify asks for a customer's sake: to tell what is kept of them, or to forget it.

Kept of a customer, and of orders of theirs, are the bases of pairs, history, conflicts, cells kept apart, deletions
that wait, refusals, and the plans in reports of previews. To redact leaves the lines and takes the values and names
out of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from backend.store import wake
from backend.store.db import now
from backend.store.tables import apart, change, conflict, deletion, intent, mapping, pair, privacy, refusal, run

CHUNK = 500
REDACTED = "(redacted)"
DATA_REQUEST, REDACT, SHOP = "customers/data_request", "customers/redact", "shop/redact"


@dataclass(frozen=True, slots=True)
class Wish:
    """One request: `things` are the gids of the customer and of the orders that belong to it."""

    id: int
    link_id: int
    topic: str
    customer: str
    things: list[str]


def ask(tx: sa.Connection, link_id: int, topic: str, customer: str, things: Sequence[str]) -> None:
    """Keep a request until a worker answers it."""
    values = {"link_id": link_id, "topic": topic, "customer": customer, "things": list(things), "at": now()}
    tx.execute(sa.insert(privacy).values(values))
    wake.signal(tx)


def waiting(tx: sa.Connection) -> list[Wish]:
    """Requests that nobody has answered; in this transaction they are ours."""
    query = (sa.select(privacy.c.id, privacy.c.link_id, privacy.c.topic, privacy.c.customer, privacy.c.things)
             .where(privacy.c.done_at.is_(None)).order_by(privacy.c.id).limit(20).with_for_update(skip_locked=True))
    return [Wish(*row) for row in tx.execute(query)]


def is_waiting(tx: sa.Connection) -> bool:
    return tx.execute(sa.select(privacy.c.id).where(privacy.c.done_at.is_(None)).limit(1)).first() is not None


def answered(tx: sa.Connection, wish: Wish, found: dict[str, int]) -> None:
    """Keep how many lines of which table it was about, and forget whom and what."""
    values: dict[str, Any] = {"done_at": now(), "found": found}
    if wish.topic != DATA_REQUEST:
        values |= {"customer": "", "things": []}
    tx.execute(sa.update(privacy).where(privacy.c.id == wish.id).values(values))


def requests(tx: sa.Connection, link_id: int, *, limit: int = 20) -> list[sa.Row[Any]]:
    """The newest requests: topic, customer (a gid; empty once redacted), at, done_at, found."""
    return list(tx.execute(sa.select(privacy.c.topic, privacy.c.customer, privacy.c.at, privacy.c.done_at,
                                     privacy.c.found).where(privacy.c.link_id == link_id)
                           .order_by(privacy.c.id.desc()).limit(limit)))


def _family(tx: sa.Connection, link_id: int, things: Sequence[str]) -> list[str]:
    """These, and what belongs to them: the orders of a customer, the lines of an order."""
    family = list(things)
    newest: Sequence[str] = things
    while newest:
        found: list[str] = []
        for some in _chunks(newest):
            found += tx.execute(sa.select(pair.c.remote_key).where(
                pair.c.mapping_id.in_(_mine(link_id)), pair.c.parent.in_(some))).scalars()
        newest = [one for one in dict.fromkeys(found) if one not in family]
        family += newest
    return family


def count(tx: sa.Connection, link_id: int, things: Sequence[str]) -> dict[str, int]:
    """How many lines are kept of these and what belongs to them, by table."""
    things = _family(tx, link_id, things)
    found: dict[str, int] = {}
    mine = _mine(link_id)
    for table, _ in _TABLES:
        key = table.c.key if "remote_key" not in table.c else table.c.remote_key
        for some in _chunks(things):
            number = tx.execute(sa.select(sa.func.count(table.c.id)).where(
                table.c.mapping_id.in_(mine), key.in_(some))).scalar_one()
            found[str(table.name)] = found.get(str(table.name), 0) + int(number)
    return {name: number for name, number in found.items() if number}


def redact(tx: sa.Connection, link_id: int, things: Sequence[str]) -> dict[str, int]:
    """Take out of all lines about these, what belongs to them, and the rows in Grist that they are paired with, what
    was held of them.

    Returns how many lines of which table. The rows in Grist and in Shopify are their owners' to redact.
    """
    things = _family(tx, link_id, things)
    found: dict[str, int] = {}
    mine = _mine(link_id)
    for some in _chunks(things):
        rows = [(mapping_id, str(row)) for mapping_id, row in tx.execute(sa.select(
            pair.c.mapping_id, pair.c.local_key).where(pair.c.mapping_id.in_(mine), pair.c.remote_key.in_(some)))]
        for table, blank in _TABLES:
            where: sa.ColumnElement[bool] = (table.c.remote_key if "remote_key" in table.c else table.c.key).in_(some)
            if table is refusal:
                where = sa.or_(where, sa.tuple_(table.c.mapping_id, table.c.key).in_(rows or [(0, "")]))
            changed = tx.execute(sa.update(table).where(table.c.mapping_id.in_(mine), where).values(blank)).rowcount
            found[str(table.name)] = found.get(str(table.name), 0) + changed
    # Reports of previews hold whole plans, with values and titles of everybody: none of them is needed any more.
    for run_id, report in tx.execute(sa.select(run.c.id, run.c.report).where(
            run.c.link_id == link_id, run.c.report.is_not(None))).all():
        if report and report.get("plan"):
            tx.execute(sa.update(run).where(run.c.id == run_id).values(
                report={**report, "plan": [], "plan_total": report.get("plan_total")}))
            found["run"] = found.get("run", 0) + 1
    return {name: number for name, number in found.items() if number}


def redact_link(tx: sa.Connection, link_id: int) -> dict[str, int]:
    """Take out of everything that is kept of a link what was held in the store. Nothing pairs any more afterwards."""
    mine = _mine(link_id)
    found = {table.name: tx.execute(sa.delete(table).where(table.c.mapping_id.in_(mine))).rowcount
             for table in (apart, change, conflict, deletion, refusal, intent, pair)}
    found["run"] = tx.execute(sa.update(run).where(run.c.link_id == link_id, run.c.report.is_not(None))
                              .values(report=sa.null())).rowcount
    return {name: number for name, number in found.items() if number}


_TABLES: tuple[tuple[sa.Table, dict[str, Any]], ...] = (
    (change, {"before": sa.null(), "after": sa.null(), "title": REDACTED}),
    (conflict, {"base": sa.null(), "local": sa.null(), "remote": sa.null(), "edits": [], "choice": sa.null(),
                "moved": sa.null(), "title": REDACTED, "base_known": False}),
    (apart, {"local": sa.null(), "remote": sa.null(), "title": REDACTED}),
    (deletion, {"title": REDACTED}),
    (refusal, {"title": REDACTED, "message": "This row was refused; what was said of it has been redacted."}),
    (pair, {"base_local": {}, "base_remote": {}, "shown": {}}),
)
"""What holds values, and what takes their place."""


def _mine(link_id: int) -> Any:
    return sa.select(mapping.c.id).where(mapping.c.link_id == link_id)


def _chunks(things: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(things), CHUNK):
        yield things[start:start + CHUNK]

"""Links and their mappings."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from backend.store.db import now
from backend.store.tables import link, mapping, run


@dataclass(frozen=True, slots=True)
class Link:
    """One store joined to one document."""

    id: int
    store: str
    server_url: str
    document: str
    shop: dict[str, Any]
    interval_seconds: int | None
    synced_at: float | None


@dataclass(frozen=True, slots=True)
class StoredMapping:
    """A mapping as it is kept: settings as in the configuration file, and what the Grist side learned."""

    id: int
    resource: str
    settings: dict[str, Any]
    binding: dict[str, Any]
    paused: str | None
    rows: int


_COLUMNS = (link.c.id, link.c.store, link.c.server_url, link.c.document, link.c.shop, link.c.interval_seconds,
            link.c.synced_at)


def get(tx: sa.Connection, link_id: int) -> Link | None:
    row = tx.execute(sa.select(*_COLUMNS).where(link.c.id == link_id)).one_or_none()
    return Link(*row) if row else None


def of_document(tx: sa.Connection, server_url: str, document: str) -> Link | None:
    """The link of a document: it has at most one."""
    where = (link.c.server_url == server_url, link.c.document == document)
    row = tx.execute(sa.select(*_COLUMNS).where(*where)).one_or_none()
    return Link(*row) if row else None


def all_links(tx: sa.Connection) -> list[Link]:
    return [Link(*row) for row in tx.execute(sa.select(*_COLUMNS).order_by(link.c.id))]


def add(tx: sa.Connection, store: str, server_url: str, document: str, interval_seconds: int | None) -> int:
    values = {"store": store, "server_url": server_url, "document": document, "shop": {},
              "interval_seconds": interval_seconds, "created_at": now(), "key": secrets.token_urlsafe(24)}
    return int(tx.execute(sa.insert(link).values(values)).inserted_primary_key[0])  # type: ignore[index]


def set_interval(tx: sa.Connection, link_id: int, interval_seconds: int | None) -> None:
    """A timer that is set anew counts from the end of the last sync: at once where that was long enough ago."""
    ended = sa.select(sa.func.max(run.c.finished_at)).where(run.c.link_id == link_id, run.c.kind == "sync")
    due_at = None if interval_seconds is None else ended.scalar_subquery() + interval_seconds
    tx.execute(sa.update(link).where(link.c.id == link_id, link.c.interval_seconds.is_distinct_from(interval_seconds))
               .values(interval_seconds=interval_seconds, due_at=due_at))


def set_shop(tx: sa.Connection, link_id: int, shop: dict[str, Any]) -> None:
    tx.execute(sa.update(link).where(link.c.id == link_id).values(shop=shop))


def checkpoints(tx: sa.Connection, link_id: int) -> dict[str, Any]:
    """How far both sides have been looked at: {"grist", "shopify", "mappings", "audited_at"}; empty before a run."""
    return dict(tx.execute(sa.select(link.c.checkpoints).where(link.c.id == link_id)).scalar_one_or_none() or {})


def set_checkpoints(tx: sa.Connection, link_id: int, checkpoints: dict[str, Any]) -> None:
    tx.execute(sa.update(link).where(link.c.id == link_id).values(checkpoints=checkpoints))


def mark_synced(tx: sa.Connection, link_id: int) -> None:
    tx.execute(sa.update(link).where(link.c.id == link_id).values(synced_at=now()))


def mappings(tx: sa.Connection, link_id: int) -> list[StoredMapping]:
    columns = (mapping.c.id, mapping.c.resource, mapping.c.settings, mapping.c.binding, mapping.c.paused,
               mapping.c.rows)
    query = sa.select(*columns).where(mapping.c.link_id == link_id).order_by(mapping.c.id)
    return [StoredMapping(*row) for row in tx.execute(query)]


def set_mappings(tx: sa.Connection, link_id: int, settings: Sequence[dict[str, Any]]) -> None:
    """Make the link's mappings these. A mapping that is no longer among them is switched off, with its pairs and
    history kept: taking a line out of a file must never forget what agreed."""
    wanted = {one["resource"]: one for one in settings}
    for old in mappings(tx, link_id):
        new = wanted.pop(old.resource, {**old.settings, "off": True})
        tx.execute(sa.update(mapping).where(mapping.c.id == old.id).values(settings=new))
    for resource, one in wanted.items():
        tx.execute(sa.insert(mapping).values(link_id=link_id, resource=resource, settings=one, binding={}))


def remember_binding(
    tx: sa.Connection, mapping_id: int, binding: dict[str, Any] | None, paused: str | None
) -> None:
    """What the connectors said of a mapping in this run; a paused one keeps the binding it had."""
    values: dict[str, Any] = {"paused": paused}
    if binding is not None and paused is None:
        values["binding"] = binding
    tx.execute(sa.update(mapping).where(mapping.c.id == mapping_id).values(values))


def remember_rows(tx: sa.Connection, mapping_id: int, rows: int) -> None:
    tx.execute(sa.update(mapping).where(mapping.c.id == mapping_id).values(rows=rows))

"""Links and their mappings."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from backend.store.db import now
from backend.store.tables import link, mapping, pair, run


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
    settings: dict[str, Any] = field(default_factory=dict)
    """What the widget's Settings screen keeps: `store.options` reads it."""
    configured: bool = True
    """Whether the environment of the service describes it: only then its keys are good for this link."""
    disconnected_at: float | None = None
    """Since when nothing is synced because somebody disconnected the store."""
    checked: dict[str, Any] = field(default_factory=dict)
    """What store and document answered when they were last asked for the Health screen."""


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
            link.c.synced_at, link.c.settings, link.c.configured, link.c.disconnected_at,
            link.c.checked)


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


def set_configured(tx: sa.Connection, link_id: int) -> None:
    """The environment describes this link."""
    tx.execute(sa.update(link).where(link.c.id == link_id).values(configured=True))


def connect(tx: sa.Connection, link_id: int) -> None:
    """Let a link be synced again."""
    tx.execute(sa.update(link).where(link.c.id == link_id).values(disconnected_at=None))


def remember_check(tx: sa.Connection, link_id: int, found: dict[str, Any]) -> None:
    """What store and document said of their keys just now; `at` is put to it."""
    at = float(tx.execute(sa.select(now())).scalar_one())
    tx.execute(sa.update(link).where(link.c.id == link_id).values(checked={**found, "at": at}))


def disconnect(tx: sa.Connection, link_id: int) -> None:
    """Nothing is synced any more; mappings, pairs and history stay."""
    tx.execute(sa.update(link).where(link.c.id == link_id).values(disconnected_at=now()))


def move(tx: sa.Connection, link_id: int, document: str) -> None:
    """The link is another document's now, a copy of its own."""
    tx.execute(sa.update(link).where(link.c.id == link_id).values(document=document, checkpoints={}))


def whose_copy(tx: sa.Connection, server_url: str, pairs: Sequence[tuple[int, str]]) -> Link | None:
    """The link in whose tables all of these (row, Shopify id) stand: what a copied document shows of its original."""
    if not pairs:
        return None
    same = sa.or_(*(sa.and_(pair.c.local_key == row, pair.c.remote_key == thing) for row, thing in pairs))
    query = (sa.select(mapping.c.link_id).join(pair, pair.c.mapping_id == mapping.c.id)
             .join(link, link.c.id == mapping.c.link_id).where(same, link.c.server_url == server_url)
             .group_by(mapping.c.link_id).having(sa.func.count() >= len(pairs)).order_by(mapping.c.link_id).limit(1))
    found = tx.execute(query).scalar()
    return get(tx, found) if found is not None else None


def add(tx: sa.Connection, store: str, server_url: str, document: str, interval_seconds: int | None,
        *, configured: bool = True) -> int:
    values: dict[str, Any] = {"store": store, "server_url": server_url, "document": document, "shop": {},
              "interval_seconds": interval_seconds, "created_at": now(), "key": secrets.token_urlsafe(24),
              "configured": configured}
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


def is_news(stored: StoredMapping, binding: dict[str, Any] | None, paused: str | None) -> bool:
    """Whether `remember_binding` would change anything."""
    return paused != stored.paused or (binding is not None and paused is None and binding != stored.binding)


def remember_rows(tx: sa.Connection, mapping_id: int, rows: int) -> None:
    tx.execute(sa.update(mapping).where(mapping.c.id == mapping_id).values(rows=rows))

"""A small shop: a store in memory, a document (in memory, or a real one behind the product's connector), a database
file, and `run()`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from documents import DocumentGrist
from twins import MemoryGrist, MemoryShopify

from backend import engine
from backend.core.guard import Limits
from backend.core.mapping import choose, default_mapping
from backend.core.model import Mapping, Side
from backend.core.values import Value
from backend.errors import OutcomeUnknown
from backend.report import Report
from backend.session import Session, UndoWanted
from backend.shopify.resources import RESOURCES
from backend.store import apart, changes, inbox, links, runs, waiting
from backend.store.db import Database
from backend.store.waiting import OpenConflict

FIELDS = {
    "products": ("title", "handle", "vendor", "tags", "totalInventory"),
    "variants": ("product", "sku", "price", "compareAtPrice"),
    "locations": ("name",),
    "inventory": ("variant", "location", "available"),
}


def shop_mappings(**settings: dict[str, Any]) -> list[Mapping]:
    """The usual mappings with the settings of some replaced: `products={"create_remote": True}`."""
    return [replace(default_mapping(RESOURCES[name], fields=fields), **settings.get(name, {}))
            for name, fields in FIELDS.items()]


def with_rules(mapping: Mapping, **rules: dict[str, Any]) -> Mapping:
    """`mapping` with the rules of some fields replaced: `title={"direction": Direction.TO_GRIST}`."""
    return mapping.with_fields(
        replace(rule, **rules.get(rule.name, {})) for rule in mapping.fields)


@dataclass
class World:
    """Both services, the database between them, and one link."""

    database: Database
    link_id: int
    mappings: list[Mapping]
    grist: MemoryGrist | DocumentGrist
    shopify: MemoryShopify
    limits: Limits = field(default_factory=Limits)
    rest_seconds: float = 0
    last_run: int = 0

    def run(self, *, go_on: bool = False, fields: Collection[str] = (), preview: bool = False,
            undo: UndoWanted | None = None, only_plan: str = "", everything: bool = False) -> Report:
        """One run, finished in the store however it ends. Raises what the engine raises."""
        owner = "test"
        with self.database.write() as tx:
            runs.request(tx, self.link_id, "preview" if preview else "sync", "somebody")
            claimed = runs.claim(tx, owner)
        assert claimed is not None
        self.last_run = claimed.id
        session = self.session(fields=fields, go_on=go_on, only_plan=only_plan, everything=everything)
        state = "failed"
        try:
            if undo is not None:
                report = engine.preview_undo(session, undo) if preview else engine.undo(session, undo)
            else:
                report = engine.preview(session) if preview else engine.sync(session)
            state = "done"
            return report
        finally:
            with self.database.write() as tx:
                runs.finish(tx, claimed, owner, state, None)

    def session(self, *, fields: Collection[str] = (), **more: Any) -> Session:
        """What the run claimed last is given, by a process of its own."""
        self.grist.forget_reads()
        with self.database.read() as tx:
            bindings = {one.resource: one.binding for one in links.mappings(tx, self.link_id) if one.binding}
        wanted = choose(self.mappings, fields) if fields else self.mappings
        return Session(self.database, self.link_id, self.last_run, wanted, self.grist, self.shopify, bindings,
                       limits=self.limits, rest_seconds=self.rest_seconds, **more)

    def run_until(self, error: type[Exception]) -> None:
        """One run that is expected to end early, with `error`."""
        try:
            self.run()
        except error:
            return
        raise AssertionError(f"the run ended without {error.__name__}")

    # --- what waits, what was done -------------------------------------------------------------------

    def conflicts(self) -> list[OpenConflict]:
        with self.database.read() as tx:
            return waiting.conflicts(tx, self.link_id)

    def choose(self, keep: str, value: Any = None, *, conflict: OpenConflict | None = None) -> None:
        """Answer the one open conflict (or the given one), as the widget does: on the values that it shows."""
        if conflict is None:
            (conflict,) = self.conflicts()
        choice = {"keep": keep, "value": value, "local": conflict.local, "remote": conflict.remote, "by": "owner"}
        with self.database.write() as tx:
            waiting.choose(tx, conflict.id, choice)

    def keep_apart(self, conflict: OpenConflict | None = None) -> None:
        """Take what the one open conflict (or the given one) is about out of the sync."""
        if conflict is None:
            (conflict,) = self.conflicts()
        with self.database.write() as tx:
            apart.keep(tx, conflict, "owner")

    def apart(self) -> set[tuple[str, str]]:
        """(thing, field) of every cell that is kept apart."""
        with self.database.read() as tx:
            return {cell for mapping in self.mappings for cell in apart.known(tx, mapping.id)}

    def ask_again(self) -> int:
        """Let every cell that is kept apart take part again; returns how many those are."""
        with self.database.write() as tx:
            cells = {one.id for mapping in self.mappings for one in apart.page(tx, [mapping.id], limit=1_000)}
            for mapping_id, thing in apart.ask_again(tx, [one.id for one in self.mappings], sorted(cells)):
                name = next(one.name for one in self.mappings if one.id == mapping_id)
                inbox.note(tx, self.link_id, Side.REMOTE, [(name, thing)])
        return len(cells)

    def deletions(self) -> list[sa.Row[Any]]:
        with self.database.read() as tx:
            return waiting.deletions(tx, self.link_id)

    def approve(self) -> None:
        """Say yes to every deletion that waits."""
        with self.database.write() as tx:
            waiting.approve_deletions(tx, self.link_id, [one.id for one in waiting.deletions(tx, self.link_id)], "me")

    def put_back(self) -> None:
        """Want everything made again whose deletion waits."""
        with self.database.write() as tx:
            waiting.put_back(tx, self.link_id, [one.id for one in waiting.deletions(tx, self.link_id)], "me")

    def keep(self) -> None:
        with self.database.write() as tx:
            waiting.keep_deletions(tx, self.link_id, [one.id for one in waiting.deletions(tx, self.link_id)])

    def refusals(self) -> list[sa.Row[Any]]:
        with self.database.read() as tx:
            return waiting.refusals(tx, self.link_id)

    def history(self) -> list[sa.Row[Any]]:
        """Oldest first."""
        with self.database.read() as tx:
            return changes.page(tx, self.link_id, limit=10_000)[::-1]

    def stored(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table but `run`, which says only that somebody asked."""
        with self.database.read() as tx:
            tables = sa.inspect(tx).get_table_names()
            return {table: [tuple(row) for row in tx.execute(sa.text(f'select * from "{table}"'))]
                    for table in tables if table != "run"}

    # --- both sides ----------------------------------------------------------------------------------

    def pairs(self, resource: str) -> dict[int, str]:
        """Row → thing, by what the Shopify ID cells say."""
        return dict(self.grist.marks.get(self.mapping(resource).table, {}))

    def mapping(self, resource: str) -> Mapping:
        return next(one for one in self.mappings if one.name == resource)

    def row_of(self, gid: str) -> int:
        return next(row for marks in self.grist.marks.values() for row, mark in marks.items() if mark == gid)

    def differences(self) -> list[tuple[str, int, str, Value, Value]]:
        """(resource, row, field, Grist, Shopify) wherever the two differ in a pair that both still have."""
        found = []
        for mapping in self.mappings:
            for row, gid in self.pairs(mapping.name).items():
                if row not in self.grist.rows[mapping.table] or gid not in self.shopify.things[mapping.name]:
                    continue
                for rule in mapping.fields:
                    local = self.grist.cell(mapping.table, row, rule.name)
                    remote = self.shopify.thing(gid)[rule.name]
                    if rule.kind == "ref" and isinstance(local, int):
                        local = self.pairs(rule.field.target).get(local)
                    if local != remote:
                        found.append((mapping.name, row, rule.name, local, remote))
        return found

    def forget_what_was_written(self) -> None:
        self.grist.log.clear()
        self.shopify.log.clear()

    @property
    def written(self) -> list[Any]:
        return [*self.grist.log, *self.shopify.log]


MakeGrist = Callable[..., MemoryGrist | DocumentGrist]
"""(mappings, batch_size=…) → an empty document."""


def make_world(where: Path | str, mappings: Sequence[Mapping] | None = None, *, batch_size: int = 50,
               grist: MakeGrist = MemoryGrist) -> World:
    """A link in the database file or at the address `where` (migrated already) and two empty services."""
    database = Database(where if isinstance(where, str) else f"sqlite:///{where}")
    return world_in(database, mappings, batch_size=batch_size, grist=grist)


def world_in(database: Database, mappings: Sequence[Mapping] | None = None, *, batch_size: int = 50,
             document: str = "doc", grist: MakeGrist = MemoryGrist) -> World:
    """The same in a database that is open already."""
    wanted = list(shop_mappings() if mappings is None else mappings)
    with database.write() as tx:
        link_id = links.add(tx, "a-shop.myshopify.com", "http://grist", document, None)
        links.set_mappings(tx, link_id, [{"resource": one.name} for one in wanted])
        ids = {one.resource: one.id for one in links.mappings(tx, link_id)}
    wanted = [replace(one, id=ids[one.name]) for one in wanted]
    shopify = MemoryShopify(wanted, batch_size=batch_size)
    shopify.spelling["products", "handle"] = spell_handle
    shopify.computed["products", "totalInventory"] = total_stock
    return World(database, link_id, wanted, grist(wanted, batch_size=batch_size), shopify)


def spell_handle(value: Value) -> str | None:
    return re.sub(r"[^a-z0-9]+", "-", str(value).lower()).strip("-") if value else None


def total_stock(shop: MemoryShopify, product: str) -> int:
    variants = {gid for gid, cells in shop.things.get("variants", {}).items() if cells.get("product") == product}
    levels = shop.things.get("inventory", {}).values()
    return sum(int(str(cells["available"])) for cells in levels if cells.get("variant") in variants)


def lose_an_answer(twin: MemoryGrist | DocumentGrist | MemoryShopify) -> None:
    """The next batch is written, and nobody hears of it."""
    apply = twin.apply

    def done_but_lost(*args: Any) -> Any:
        twin.apply = apply  # type: ignore[method-assign]
        apply(*args)
        raise OutcomeUnknown("The answer was lost.")

    twin.apply = done_but_lost  # type: ignore[method-assign]

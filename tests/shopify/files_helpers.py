"""A document in memory and a simulated store whose many changes go as files, with runs that end in every way."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from shopify_helpers import STORE
from twins import MemoryGrist

from backend import engine
from backend.core.mapping import choose, default_mapping
from backend.core.model import Mapping
from backend.errors import Cancelled, LeaseLost
from backend.report import Report
from backend.session import Session
from backend.shopify.auth import PastedToken
from backend.shopify.connector import ShopifyConnector
from backend.shopify.resources import RESOURCES
from backend.store import changes, journal, links, runs, waiting
from backend.store.db import Database, Transaction
from backend.store.runs import Run
from backend.store.tables import run

FIELDS = {"products": ("title", "vendor", "tags"), "variants": ("product", "sku", "price")}
STOPPED = ("CREATED", "RUNNING", "CANCELING")


class Killed(BaseException):
    """The process is gone. Nobody catches this."""


class Shop:
    """Both sides in agreement, and what happens to them from then on."""

    def __init__(self, at: Any, folder: Path, resources: Collection[str] = ("products",)) -> None:
        self.at, self.store = at, at.store
        self.store.behaviour.bulk_start_seconds = 0
        self.database = Database(f"sqlite:///{folder / 'files.db'}")
        self.database.migrate()
        with self.database.write() as tx:
            self.link_id = links.add(tx, STORE, "http://grist", "doc", None)
            links.set_mappings(tx, self.link_id, [{"resource": name} for name in FIELDS if name in resources])
            ids = {one.resource: one.id for one in links.mappings(tx, self.link_id)}
        self.mappings = [_with_id(default_mapping(RESOURCES[name], fields=FIELDS[name]), ids[name]) for name in ids]
        self.grist = MemoryGrist(self.mappings)
        self.run()

    # --- runs ----------------------------------------------------------------------------------------

    def connector(self, files_after_seconds: float = 0.01) -> ShopifyConnector:
        """As a process makes it for one run."""
        return ShopifyConnector(STORE, PastedToken("shpat_demo"), admin_url=self.at.url,
                                files_after_seconds=files_after_seconds,
                                sleep=lambda seconds: time.sleep(min(seconds, 0.01)))

    def claim(self, owner: str = "w1") -> Run:
        with self.database.write() as tx:
            if not runs.to_do(tx):
                runs.request(tx, self.link_id, "sync", "somebody")
            claimed = runs.claim(tx, owner)
        assert claimed is not None
        return claimed

    def run(
        self, watch: Callable[[dict[str, Any]], Any] = lambda progress: None, *, owner: str = "w1",
        connector: ShopifyConnector | None = None, fields: Collection[str] = (),
    ) -> Report:
        """One run, under a lease as a worker holds it. `watch` is called at each beat. A killed one is not finished."""
        claimed, connector = self.claim(owner), connector or self.connector()

        def fence(tx: Transaction) -> None:
            if not runs.hold(tx, claimed, owner):
                raise LeaseLost("Another worker has taken this sync over.")

        def beat(progress: dict[str, Any]) -> None:
            watch(progress)
            with self.database.read() as tx:
                cancelling = runs.is_cancelling(tx, claimed, owner)
            if cancelling is None:
                raise LeaseLost("Another worker has taken this sync over.")
            if cancelling:
                raise Cancelled("The sync was cancelled.")

        session = Session(self.database, self.link_id, claimed.id,
                          choose(self.mappings, fields) if fields else self.mappings, self.grist, connector,
                          rest_seconds=0, beat=beat, fence=fence)
        try:
            return engine.sync(session)
        finally:
            with self.database.write() as tx:
                runs.finish(tx, claimed, owner, "done", None)

    def killed(self, watch: Callable[[dict[str, Any]], Any] = lambda progress: None,
               connector: ShopifyConnector | None = None) -> None:
        """A run whose process dies where `watch` or the connector raises Killed. Its lease ends, nobody cancels."""
        before = runs.finish
        runs.finish = lambda *args, **more: True  # type: ignore[assignment]  # the dead finish nothing
        try:
            self.run(watch, connector=connector)
        except Killed:
            self.let_lease_end()
            return
        finally:
            runs.finish = before  # type: ignore[assignment]
        raise AssertionError("it lived")

    def let_lease_end(self) -> None:
        with self.database.write() as tx:
            tx.execute(sa.update(run).values(lease_until=0).where(run.c.state == "running"))

    def cancel(self) -> None:
        with self.database.write() as tx:
            active = runs.active(tx, self.link_id)
            assert active is not None
            assert runs.cancel(tx, self.link_id, active.id)

    # --- both sides ----------------------------------------------------------------------------------

    def retitle(self, word: str = "New") -> dict[int, str]:
        """A person gives every product another title in Grist; by row."""
        titles = {row: f"{word} {row}" for row in self.grist.rows["Products"]}
        for row, title in titles.items():
            self.grist.type("Products", row, "title", title)
        return titles

    def product(self, row: int) -> Any:
        """In the store, of a row."""
        return next(one for one in self.store.products.values() if one.gid == self.grist.marks["Products"][row])

    def titles(self) -> dict[int, str]:
        """In the store, by row."""
        return {row: self.product(row).title for row in self.grist.marks["Products"]}

    def cell(self, row: int, field: str = "title") -> Any:
        return self.grist.cell("Products", row, field)

    def mutations(self, *statuses: str) -> list[Any]:
        """The bulk mutations that the store has seen."""
        return [one for one in self.store.bulks.held.values()
                if one.type == "MUTATION" and (not statuses or one.status in statuses)]

    def once_done(self, lines: int, act: Callable[[], Any]) -> Callable[[dict[str, Any]], None]:
        """A watcher that acts once, when an operation has done so many lines and waits there."""
        self.store.bulks.hold_after = lines
        done: list[Any] = []

        def watch(progress: dict[str, Any]) -> None:
            if not done and any(one.object_count == lines for one in self.mutations("RUNNING")):
                done.append(act())

        return watch

    def go_on(self) -> None:
        self.store.bulks.hold_after = None

    # --- what is kept ---------------------------------------------------------------------------------

    def history(self, field: str = "title") -> list[tuple[Any, Any, Any]]:
        """(row, before, after) of each write of a field in Shopify, oldest first."""
        with self.database.read() as tx:
            return [(one.local_key, one.before, one.after) for one in changes.page(tx, self.link_id, limit=10_000)[::-1]
                    if one.side == "remote" and one.field == field]

    def conflicts(self) -> list[Any]:
        with self.database.read() as tx:
            return waiting.conflicts(tx, self.link_id)

    def refusals(self) -> list[Any]:
        with self.database.read() as tx:
            return waiting.refusals(tx, self.link_id)

    def open_batches(self) -> int:
        with self.database.read() as tx:
            return journal.count(tx, self.link_id)


def _with_id(mapping: Mapping, number: int) -> Mapping:
    return replace(mapping, id=number)

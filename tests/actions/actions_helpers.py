"""Orders and drafts of a simulated store, joined to a link in a database; and a run that acts on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
import sqlalchemy as sa

from backend.actions import Acting, act
from backend.shopify.actions import ACTIONS, Actor
from backend.shopify.auth import PastedToken
from backend.shopify.connector import ShopifyConnector
from backend.store import actions, changes, links, runs
from backend.store.actions import Deed
from backend.store.db import Database
from backend.store.tables import action
from demo.shopify import Store

STORE = "fieldhouse.myshopify.com"
MAPPINGS = [{"resource": name, "table": name.capitalize(), "fields": {"name": "Name"}}
            for name in ("orders", "draft_orders")]


class Killed(BaseException):
    """The process ends here: nothing after this line happens."""


@dataclass
class Desk:
    """One link. `pauses` is how long a run would have slept."""

    store: Store
    url: str
    database: Database
    link_id: int
    mapping_ids: dict[str, int]
    pauses: list[float] = field(default_factory=list)

    @classmethod
    def open(cls, store: Store, url: str, database: Database) -> Desk:
        with database.write() as tx:
            link_id = links.add(tx, STORE, "https://grist.example", "doc", None)
            links.set_mappings(tx, link_id, MAPPINGS)
            ids = {one.resource: one.id for one in links.mappings(tx, link_id)}
        return cls(store, url, database, link_id, ids)

    def connector(self) -> ShopifyConnector:
        return ShopifyConnector(STORE, PastedToken("shpat_demo"), admin_url=self.url, sleep=lambda seconds: None)

    def actor(self) -> Actor:
        return self.connector().acting()

    def want(self, name: str, thing: str, options: dict[str, Any] | None = None) -> list[int]:
        """What the API keeps when somebody has confirmed."""
        about = ACTIONS[name]
        seen = self.actor().look(about.resource, [thing])[thing]
        assert about.bars(seen) == "", about.bars(seen)
        with self.database.write() as tx:
            return actions.want(tx, [{
                "mapping_id": self.mapping_ids[about.resource], "name": name, "thing": thing, "title": seen["name"],
                "local_key": 7, "input": step.variables, "before": step.before, "effect": list(step.effect),
                "digest": step.digest, "started_by": "An editor"} for step in about.steps(seen, options or {})])

    def run(self, actor: Callable[[], Actor] | None = None, *, settle_seconds: float = 180.0,
            write: Any = None, beat: Callable[[dict[str, Any]], None] = lambda progress: None) -> dict[str, int]:
        with self.database.write() as tx:
            begun = runs.begin(tx, self.link_id, "action", "An editor", {}, "tests")
        assert begun is not None
        try:
            return act(Acting(self.database, self.link_id, begun.id, actor or self.actor, write or self.database.write,
                              beat, self.pauses.append, settle_seconds))
        finally:
            with self.database.write() as tx:
                runs.finish(tx, begun, "tests", "done", {})

    def deeds(self) -> list[Deed]:
        with self.database.read() as tx:
            return sorted(actions.page(tx, self.link_id), key=lambda deed: deed.id)

    def states(self) -> list[str]:
        return [deed.state for deed in self.deeds()]

    def history(self) -> list[tuple[str, str]]:
        with self.database.read() as tx:
            return [(row.kind, row.after) for row in reversed(changes.page(tx, self.link_id))]

    def faults(self, *faults: dict[str, Any]) -> None:
        requests.post(f"{self.url}/__control/faults", json={"next": list(faults)}, timeout=10).raise_for_status()

    def age(self, seconds: float) -> None:
        """Let all that was sent or wanted be so much older."""
        with self.database.write() as tx:
            tx.execute(sa.update(action).values(sent_at=action.c.sent_at - seconds,
                                                asked_at=action.c.asked_at - seconds))

    def order(self, wanted: Callable[[Any], bool]) -> Any:
        return next(order for order in self.store.orders.values() if wanted(order))


@contextmanager
def killed_in_transaction(database: Database, which: int) -> Iterator[Callable[[], Any]]:
    """A `write` whose `which`-th transaction never commits: the process is killed in it."""
    count = iter(range(1, 1000))

    @contextmanager
    def write() -> Iterator[Any]:
        with database.write() as tx:
            yield tx
            if next(count) == which:
                raise Killed

    yield write


def open_order(order: Any) -> bool:
    """Not cancelled, with something left to send, nothing on hold, and not sent in part."""
    return bool(order.cancelled_at is None and not order.fulfillments
                and any(line.remaining_quantity for piece in order.fulfillment_orders for line in piece.lines)
                and all(piece.status == "OPEN" for piece in order.fulfillment_orders))

"""What happens in the store, in one stream: made, changed, deleted. The events feed and the webhooks read it.

Facts §5: creations, updates and deletions of products, variants, collections, customers, orders and draft orders are
events; inventory and metafields are not, but inventory has webhooks.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .ids import gid

if TYPE_CHECKING:
    from .state import Store

# The index's name of a kind → the kind of its global id.
KINDS = {"product": "Product", "variant": "ProductVariant", "collection": "Collection", "customer": "Customer",
         "order": "Order", "draft_order": "DraftOrder", "item": "InventoryItem", "level": "InventoryLevel"}
SUBJECTS = {"Product": "PRODUCT", "ProductVariant": "PRODUCT_VARIANT", "Collection": "COLLECTION",
            "Customer": "CUSTOMER", "Order": "ORDER", "DraftOrder": "DRAFT_ORDER"}


@dataclass(frozen=True)
class Happening:
    """One thing that happened: `action` is create, update or destroy; `thing` is None once it is gone."""

    id: int
    action: str
    kind: str
    number: int
    title: str
    at: datetime
    by_app: bool
    thing: Any = None
    parting: dict[str, Any] | None = None  # what a webhook says of a thing that has gone, if more than its id


class Stream:
    """All happenings, oldest first, and those who want to hear of the next ones."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: set[tuple[str, int]] = set()
        self.quiet = True  # while the catalogue is being made up
        self.by_app = False  # whether the app or the staff is at work
        self.held: list[Happening] = []
        self.listeners: list[Callable[[Happening], None]] = []

    def touched(self, thing: Any) -> None:
        kind = getattr(thing, "kind", "")
        if kind not in KINDS.values():
            return
        new = (kind, thing.id) not in self._known
        self._known.add((kind, thing.id))
        self.note("create" if new else "update", kind, thing.id, thing)

    def known(self, thing: Any) -> None:
        """The thing was there before anybody looked."""
        self._known.add((thing.kind, thing.id))

    def gone(self, index_kind: str, number: int) -> None:
        kind = KINDS.get(index_kind)
        if kind is not None:
            self._known.discard((kind, number))
            self.note("destroy", kind, number, None)

    def note(self, action: str, kind: str, number: int, thing: Any, parting: dict[str, Any] | None = None) -> None:
        """Something happened. The feed merges what one write does to one thing; listeners hear of everything."""
        if self.quiet:
            return
        title = str(getattr(thing, "title", None) or getattr(thing, "name", None) or "") if kind != "ProductVariant" \
            else ""
        now = self._store.now()
        last = self.held[-1] if self.held else None
        again = last is not None and action == "update" and last.action in ("create", "update") and (
            last.kind, last.number, last.at) == (kind, number, now)  # one write touches a thing several times
        happening = Happening(last.id if again and last else self._store.new_id(), action, kind, number, title, now,
                              self.by_app, thing, parting)
        if not again and kind in SUBJECTS:
            self.held.append(happening)
        for listener in self.listeners:
            listener(happening)


def event(happening: Happening, store: Store) -> dict[str, Any]:
    """A happening as the events feed shows it."""
    kind, words = happening.kind, {"create": "created", "update": "updated", "destroy": "deleted"}
    noun = SUBJECTS[kind].replace("_", " ").lower()
    app = store.app.title
    who = app if happening.by_app else "A member of staff"
    return {"__typename": "BasicEvent", "id": gid("BasicEvent", happening.id), "action": happening.action,
            "appTitle": app if happening.by_app else None, "attributeToApp": happening.by_app,
            "attributeToUser": not happening.by_app, "createdAt": happening.at, "criticalAlert": False,
            "message": "" if happening.by_app else f"{who} {words[happening.action]} {noun} {happening.title}.",
            "subjectId": gid(kind, happening.number), "subjectType": SUBJECTS[kind], "author": who,
            "subject": store.thing(gid(kind, happening.number)), "hasAdditionalContent": False,
            "additionalContent": "null", "additionalData": "null", "arguments": [], "secondaryMessage": None}

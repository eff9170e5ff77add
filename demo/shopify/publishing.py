"""Sales channels: the publications of the store, and what is published there.

A product or collection that stands on no channel is invisible, whatever its status says. `store.publications` names the
channels; a thing keeps since when it stands on each.
"""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from .ids import gid
from .model import Thing

if TYPE_CHECKING:
    from .state import Store

ONLINE_STORE = "Online Store"
CHANNELS = (ONLINE_STORE, "Point of Sale", "Shop")


@dataclass(eq=False)
class Publication(Thing):
    kind: ClassVar[str] = "Publication"
    id: int
    name: str
    auto_publish: bool = False
    supports_future_publishing: bool = True


def channels(store: Store) -> dict[int, Publication]:
    """The store's channels by id, made when they are first looked at."""
    if not store.publications:
        for name in CHANNELS:
            made = Publication(id=store.new_id(), name=name)
            store.publications[made.id] = made
    return store.publications


def published(store: Store, thing: Any) -> dict[int, datetime]:
    """Since when a thing stands on each channel. What the catalogue calls published stands in the Online Store."""
    held: dict[int, datetime] | None = store.published.get(thing.gid)
    if held is None:
        since = getattr(thing, "published_at", None)
        online = next(each.id for each in channels(store).values() if each.name == ONLINE_STORE)
        held = store.published[thing.gid] = {online: since} if since else {}
    return held


def change(store: Store, thing: Any, ids: list[int], *, publish: bool) -> None:
    held = published(store, thing)
    for number in ids:
        if publish:
            held.setdefault(number, store.now())
        else:
            held.pop(number, None)
    if hasattr(thing, "published_at"):
        online = next(each.id for each in channels(store).values() if each.name == ONLINE_STORE)
        thing.published_at = held.get(online)
    store.touch(thing)


def shown(publication: Publication) -> dict[str, Any]:
    """A channel as it is read: its catalogue carries the name."""
    return {"__typename": "Publication", "id": publication.gid, "name": publication.name,
            "autoPublish": publication.auto_publish,
            "supportsFuturePublishing": publication.supports_future_publishing, "operation": None,
            "catalog": {"__typename": "AppCatalog", "id": gid("AppCatalog", publication.id), "title": publication.name,
                        "status": "ACTIVE", "priceList": None}}

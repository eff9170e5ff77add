"""Publications: the places where a shop sells, each with its own list of products and collections.

A product's `published_at` is its date on the online store, the first publication; dates on the others are in
`published_on`. A date to come means: not yet.
"""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from .model import Collection, Product, Thing

if TYPE_CHECKING:
    from .state import Store

NAMES = ("Online Store", "Point of Sale", "Shop")


@dataclass(eq=False)
class Publication(Thing):
    kind: ClassVar[str] = "Publication"
    id: int
    name: str
    auto_publish: bool = False
    supports_future_publishing: bool = True

    @property
    def handle(self) -> str:
        return self.name.lower().replace(" ", "_")


def online_store(store: Store) -> Publication:
    return min(store.publications.values(), key=lambda each: each.id)


def dates(store: Store, thing: Product | Collection) -> dict[int, datetime]:
    """When the thing is or was put on each publication, by the publication's number."""
    held = dict(thing.published_on)
    if isinstance(thing, Product) and thing.published_at is not None and store.publications:
        held[online_store(store).id] = thing.published_at
    return {number: date for number, date in held.items() if number in store.publications}


def is_on(store: Store, thing: Product | Collection, publication: Publication) -> bool:
    date = dates(store, thing).get(publication.id)
    return date is not None and date <= store.now()


def publish(store: Store, thing: Product | Collection, publication: Publication, when: datetime | None = None) -> None:
    """Put it there, now or at a date; what is there already keeps its date unless one is given."""
    if when is None and publication.id in dates(store, thing):
        return
    _set(store, thing, publication, when or store.now())


def unpublish(store: Store, thing: Product | Collection, publication: Publication) -> None:
    if publication.id in dates(store, thing):
        _set(store, thing, publication, None)


def _set(store: Store, thing: Product | Collection, publication: Publication, date: datetime | None) -> None:
    if isinstance(thing, Product) and publication is online_store(store):
        thing.published_at = date
    if date is None:
        thing.published_on.pop(publication.id, None)
    else:
        thing.published_on[publication.id] = date
    store.touch(thing)

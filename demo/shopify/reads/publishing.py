"""Sales channels as they are read."""
from __future__ import annotations

from typing import Any

from ..connections import Window, window
from ..context import Context
from ..model import Collection, Product
from ..publishing import channels, published, shown
from ..registry import resolves


@resolves("QueryRoot", "publications")
def publications(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    found = list(channels(context.store).values()) if arguments.get("catalogType") in (None, "APP") else []
    page = window(found, arguments)
    page.nodes = [shown(each) for each in page.nodes]
    return page


@resolves("Product", "resourcePublicationsV2")
@resolves("Collection", "resourcePublicationsV2")
def where(thing: Product | Collection, arguments: dict[str, Any], context: Context) -> Window:
    store = context.store
    held = published(store, thing) if arguments.get("catalogType") in (None, "APP") else {}
    page = window(list(held), arguments, number=lambda number: number)
    page.nodes = [{"publication": shown(channels(store)[number]), "isPublished": True, "publishDate": held[number],
                   "publishable": thing} for number in page.nodes]
    return page

"""Sales channels: the publications, and where products and collections are published."""
from __future__ import annotations

from typing import Any

from .. import publishing
from ..connections import Window, window
from ..context import Context
from ..ids import gid, number_of
from ..model import Collection, Product, Variant
from ..publishing import Publication
from ..registry import resolves
from .apps import app
from .lists import counted

_TYPES = ("Product", "Collection", "ProductVariant")


@resolves("QueryRoot", "publications")
def publications(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    return window(list(context.store.publications.values()), arguments)


@resolves("QueryRoot", "publicationsCount")
def publications_count(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return counted(len(context.store.publications), arguments)


@resolves("QueryRoot", "publication")
def publication(source: Any, arguments: dict[str, Any], context: Context) -> Publication | None:
    return context.store.publications.get(number_of(arguments["id"], "Publication") or 0)


@resolves("QueryRoot", "channels")
def channels(source: Any, arguments: dict[str, Any], context: Context) -> Window:
    page = window(list(context.store.publications.values()), arguments)
    page.nodes = [_channel(each) for each in page.nodes]
    return page


def _channel(each: Publication) -> dict[str, Any]:
    return {"__typename": "Channel", "id": gid("Channel", each.id), "name": each.name, "handle": each.handle,
            "supportsFuturePublishing": each.supports_future_publishing, "overviewPath": None}


@resolves("Publication", "app")
def publication_app(each: Publication, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return {**app(context), "id": gid("App", each.id), "title": each.name, "handle": each.handle}


@resolves("Publication", "catalog", "operation")
def nothing(each: Publication, arguments: dict[str, Any], context: Context) -> None:
    return None


@resolves("Publication", "channels")
def own_channels(each: Publication, arguments: dict[str, Any], context: Context) -> Window:
    page = window([each], arguments)
    page.nodes = [_channel(one) for one in page.nodes]
    return page


@resolves("Publication", "products", "includedProducts")
def products(each: Publication, arguments: dict[str, Any], context: Context) -> Window:
    store = context.store
    return window([one for one in store.products.values() if publishing.is_on(store, one, each)], arguments)


@resolves("Publication", "collections")
def collections(each: Publication, arguments: dict[str, Any], context: Context) -> Window:
    store = context.store
    return window([one for one in store.collections.values() if publishing.is_on(store, one, each)], arguments)


# --- where a thing is published ---------------------------------------------------------------------------


def _published(thing: Any, arguments: dict[str, Any], context: Context) -> list[tuple[Publication, Any]]:
    """(publication, date) of a thing; a variant is where its product is."""
    store, held = context.store, thing.product if isinstance(thing, Variant) else thing
    now = store.now()
    return [(store.publications[number], date) for number, date in sorted(publishing.dates(store, held).items())
            if date <= now or not arguments.get("onlyPublished", True)]


def _shown(rows: list[tuple[Publication, Any]], thing: Any, arguments: dict[str, Any], context: Context,
           type_name: str) -> Window:
    page = window(rows, arguments, number=lambda row: row[0].id)
    name = {Product: "product", Collection: "collection"}.get(type(thing), "variant")
    page.nodes = [{"__typename": type_name, "publication": each, "publishDate": date, "publishable": thing,
                   "isPublished": date is not None and date <= context.store.now(), "channel": _channel(each),
                   name: thing}
                  for each, date in page.nodes]
    return page


def resource_publications(thing: Any, arguments: dict[str, Any], context: Context) -> Window:
    return _shown(_published(thing, arguments, context), thing, arguments, context, "ResourcePublication")


def resource_publications_v2(thing: Any, arguments: dict[str, Any], context: Context) -> Window:
    return _shown(_published(thing, arguments, context), thing, arguments, context, "ResourcePublicationV2")


def own_publications(thing: Any, arguments: dict[str, Any], context: Context) -> Window:
    """The old list: a product's has a row for the online store even where it is not published."""
    rows = _published(thing, arguments, context)
    if isinstance(thing, Product) and context.store.publications:
        online = publishing.online_store(context.store)
        if all(each is not online for each, _ in rows):
            rows = [(online, thing.published_at), *rows]
    return _shown(rows, thing, arguments, context, f"{thing.kind}Publication")


def count(thing: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return counted(len(_published(thing, arguments, context)), {})


def plain_count(thing: Any, arguments: dict[str, Any], context: Context) -> int:
    return len(_published(thing, arguments, context))


def published_on(thing: Any, arguments: dict[str, Any], context: Context) -> bool:
    wanted = number_of(arguments.get("publicationId") or arguments["channelId"])
    return any(each.id == wanted for each, _ in _published(thing, {}, context))


def unpublished(thing: Any, arguments: dict[str, Any], context: Context) -> Window:
    there = {each.id for each, _ in _published(thing, {}, context)}
    return window([each for each in context.store.publications.values() if each.id not in there], arguments)


def not_here(thing: Any, arguments: dict[str, Any], context: Context) -> None:
    return None  # the app is no sales channel


for _type in _TYPES:
    resolves(_type, "resourcePublications")(resource_publications)
    resolves(_type, "resourcePublicationsV2")(resource_publications_v2)
    resolves(_type, "resourcePublicationsCount", "availablePublicationsCount")(count)
    resolves(_type, "publicationCount")(plain_count)
    resolves(_type, "publishedOnPublication", "publishedOnChannel")(published_on)
    resolves(_type, "unpublishedPublications")(unpublished)
for _type in ("Product", "Collection"):
    resolves(_type, "publications")(own_publications)
resolves("Product", "productPublications")(own_publications)
resolves("Product", "resourcePublicationOnCurrentPublication")(not_here)


@resolves("Collection", "publishedOnCurrentPublication", "publishedOnCurrentChannel")
def published_here(thing: Any, arguments: dict[str, Any], context: Context) -> bool:
    return False

"""Putting products and collections on sales channels and taking them off."""
from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from .. import publishing
from ..context import Context
from ..errors import invalid_id, user_error
from ..ids import kind_of, number_of
from .base import UserErrors, mutation


def _each(arguments: dict[str, Any], context: Context, act: Callable[..., None]) -> dict[str, Any]:
    """Do it for every publication of the input, or for none when one of them is wrong."""
    store, kind = context.store, kind_of(arguments["id"])
    if kind not in ("Product", "Collection"):
        raise invalid_id(arguments["id"])
    thing = store.thing(arguments["id"])
    if thing is None:
        return {"publishable": None, "shop": store.shop,
                "userErrors": [user_error(["id"], f"{kind} does not exist")]}
    errors: UserErrors = []
    found = []
    for place, row in enumerate(arguments["input"]):
        named = row.get("publicationId") or row.get("channelId")
        publication = store.publications.get(number_of(named or "") or 0)
        if publication is None:
            errors.append(user_error(["input", str(place), "publicationId"],
                                     "Publication does not exist or is not publishable"))
        else:
            found.append((publication, row.get("publishDate")))
    if not errors:
        for publication, date in found:
            act(publication, thing, date)
    return {"publishable": thing, "shop": store.shop, "userErrors": errors}


@mutation("publishablePublish")
def publish(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    def act(publication: publishing.Publication, thing: Any, date: str | None) -> None:
        when = datetime.fromisoformat(date.replace("Z", "+00:00")) if date else None
        publishing.publish(context.store, thing, publication, when)
    return _each(arguments, context, act)


@mutation("publishableUnpublish")
def unpublish(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    def act(publication: publishing.Publication, thing: Any, date: str | None) -> None:
        publishing.unpublish(context.store, thing, publication)
    return _each(arguments, context, act)

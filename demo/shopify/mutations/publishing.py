"""Put things on sales channels, and take them off."""
from __future__ import annotations

from typing import Any

from ..context import Context
from ..errors import user_error
from ..ids import kind_of, number_of
from ..publishing import change, channels
from .base import mutation


@mutation("publishablePublish")
def publish(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return _change(arguments, context, on=True)


@mutation("publishableUnpublish")
def unpublish(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return _change(arguments, context, on=False)


def _change(arguments: dict[str, Any], context: Context, *, on: bool) -> dict[str, Any]:
    store = context.store
    thing = store.thing(arguments["id"]) if kind_of(arguments["id"]) in ("Product", "Collection") else None
    if thing is None:
        return {"publishable": None, "shop": store.shop, "userErrors": [user_error(["id"], "Resource does not exist")]}
    numbers = [number_of(each.get("publicationId") or "", "Publication") for each in arguments["input"]]
    errors = [user_error(["input", str(place), "publicationId"], "Publication does not exist or is not publishable")
              for place, number in enumerate(numbers) if number not in channels(store)]
    if not errors:
        change(store, thing, [number for number in numbers if number is not None], publish=on)
    return {"publishable": thing, "shop": store.shop, "userErrors": errors}

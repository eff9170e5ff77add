"""Custom fields: any plain value of a thing, read only, named by the way to it.

    shippingAddress.city                   the value
    paymentTerms.paymentSchedules[].dueAt  of each in a list, joined: 2026-11-23T10:00:00Z, 2026-12-23T10:00:00Z
    lineItems[].sku                        LIN-S, LIN-M
    lineItems[]                            how many: 2
    tags                                   a list of plain values, as a list

A way is checked against Shopify's schema where it is mapped, by an index of what can be read without asking for more
(`vendor/paths_…json`, made by `demo.shopify.path_index`). In documents it becomes a path like any other, with a star
for each: `lineItems.nodes.*.sku`. Of a long list the first hundred are read: joined they end in "…", counted they are
not known.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from backend.core.model import Field
from backend.core.values import UNREAD, Kind

INDEX = Path(__file__).parent / "vendor" / "paths_2026-10.json"
EACH = "*"
LONGEST = 100
"""How much of a list is read."""
DEEPEST = 2
"""Lists within lists: each multiplies what a page costs."""
COUNTED = "__typename"
"""What is selected of things that are only counted; it costs nothing."""

KINDS: dict[str, Kind] = {
    "=": "choice", "String": "text", "ID": "text", "URL": "text", "FormattedString": "text", "Color": "text",
    "HTML": "html", "Boolean": "boolean", "Int": "integer", "UnsignedInt64": "integer", "BigInt": "integer",
    "Float": "decimal", "Decimal": "decimal", "Money": "money", "DateTime": "datetime", "Date": "date",
}


class NoSuchPath(ValueError):
    """A way that leads nowhere; the message says where it ends and how it might go on."""


def is_custom(name: str) -> bool:
    """Whether a name that is no field of a resource can only be meant as a way to one."""
    return "." in name or "[]" in name


@cache
def custom_field(kind_of_thing: str, name: str, above: tuple[str, str] = ("", "")) -> Field:
    """The field that `name` describes of a thing of this type. `above` are name and type of what it hangs below, where
    it hangs below something. Raises NoSuchPath."""
    steps = name.split(".")
    here, path, lists = kind_of_thing, [], 0
    if above[0] and steps[0] == above[0]:
        here, path, steps = above[1], [above[0]], steps[1:]
    for at, step in enumerate(steps):
        bare = step.removesuffix("[]")
        told = _index().get(here, {}).get(bare, "")
        if not told:
            raise NoSuchPath(f"“{name}” leads nowhere: Shopify's {here} has no “{bare}” that can be read so. "
                             f"{_instead(here, bare)}")
        kind, listed, last = told.lstrip("[+"), told[0] in "[+", at == len(steps) - 1
        if step != bare and not listed:
            raise NoSuchPath(f"“{bare}” in “{name}” is no list: leave out its brackets.")
        path.append(bare)
        if listed and (step != bare or not last or kind in _index()):
            if step == bare:
                raise NoSuchPath(f"“{bare}” in “{name}” is a list: write {bare}[] to count it, or {bare}[].… to join "
                                 f"one value of each.")
            lists += 1
            path += ["nodes", EACH] if told[0] == "+" else [EACH]
        if last:
            return _described(name, kind, listed and step == bare, path, lists, counted=step != bare)
        if kind not in _index():
            raise NoSuchPath(f"“{name}” goes on where there is nothing more: “{bare}” is a plain value.")
        here = kind
    raise NoSuchPath(f"“{name}” names only what the thing hangs below: go on with what you want of it.")


def _described(name: str, kind: str, as_list: bool, path: list[str], lists: int, *, counted: bool) -> Field:
    if lists > DEEPEST:
        raise NoSuchPath(f"“{name}” goes through {lists} lists; Shopify is asked for lists within lists only "
                         f"{DEEPEST} deep.")
    if kind in _index() and not counted:
        raise NoSuchPath(f"“{name}” is no plain value. {_instead(kind, '')}")
    if not counted and kind not in KINDS:
        raise NoSuchPath(f"“{name}” holds a {kind}, for which there is no column.")
    shown: Kind = "integer" if counted else "list" if as_list else "text" if lists else KINDS[kind]
    if counted and kind in _index():
        path = [*path, COUNTED]
    if path[-2:] == ["nodes", EACH]:  # pragma: no cover - connections hold things, never plain values
        raise NoSuchPath(f"“{name}” cannot be counted.")
    if shown == "decimal" and path[-1] == "amount":
        shown = "money"
    return Field(name, shown, label_of(name), "custom", path=".".join(path), usual=False)


def node_type(kind_of_thing: str, connection: str) -> str:
    """The type of what a connection of a thing holds; "" where the index does not know."""
    told = _index().get(kind_of_thing, {}).get(connection, "")
    return told[1:] if told.startswith("+") else ""


def label_of(name: str) -> str:
    """`shippingAddress.countryCodeV2` → Shipping address country code v2."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", re.sub(r"\[\]|\.", " ", name)).split()
    return " ".join(words).lower().capitalize()


def value_at(path: str) -> Callable[[dict[str, Any]], Any]:
    """A function from a thing as Shopify answers it to what stands at a path with stars: text, or how many."""
    steps = path.split(".")
    counted = steps[-1] in (COUNTED, EACH)

    def value(thing: dict[str, Any]) -> Any:
        found, more = _each(thing, steps)
        if found is UNREAD:
            return UNREAD
        if counted:
            return UNREAD if more else len(found)
        said = [_said(one) for one in found if one is not None]
        return ", ".join([*said, "…"] if more else said) or None

    return value


def _each(thing: Any, steps: Sequence[str]) -> tuple[Any, bool]:
    """All that stands at the end of a path, and whether a list on the way had more than came. UNREAD where anything of
    it was not seen."""
    more = False
    for at, step in enumerate(steps):
        if thing is UNREAD:
            return UNREAD, more
        if thing is None:
            return [], more
        if step == EACH:
            found: list[Any] = []
            for one in thing:
                below, longer = _each(one, steps[at + 1:])
                if below is UNREAD:
                    return UNREAD, more
                found += below
                more |= longer
            return found, more
        if step == "nodes":
            more |= bool((thing.get("pageInfo") or {}).get("hasNextPage"))
        thing = thing.get(step, UNREAD)
    return (UNREAD, more) if thing is UNREAD else ([thing], more)


def _said(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _instead(kind: str, wrong: str) -> str:
    """What could be meant: the nearest names, else some that can be read."""
    fields = _index().get(kind, {})
    near = difflib.get_close_matches(wrong, fields, 3, 0.6) if wrong else []
    names = near or sorted(fields)[:12]
    return f"Did you mean {' or '.join(near)}?" if near else f"It has {', '.join(names)} …" if names else ""


@cache
def _index() -> dict[str, dict[str, str]]:
    """By type: what can be read of it. See `demo.shopify.path_index` for the signs."""
    found: dict[str, dict[str, str]] = orjson.loads(INDEX.read_bytes())
    return found

"""Find what changed in a store since the last look: one request where nothing did.

    one document    shop and scopes (what `prepare` asks) · of each list that something is mapped from, what has
                    `updated_at` since then · deletions from the events feed · the time stamps of all stock, where
                    the store is small
    then, only where something changed: further pages · what hangs below what changed (an order's lines)

What is told are ids, never values. Times are the store's own: the moment of a look is the `Date` of its answer, and the
next look asks from five minutes before it, since searches lag behind writes (facts §5). What that shows again is known
by id and time stamp and dropped, unless the stamp is so young that a second change could carry it too.

No filter finds everything: stock of a large store, a variant's metafields, members of a smart collection, sales
channels, lines that left a draft, what hangs below something deleted. So every resource is read whole from time to
time (`Audits`, `Changed.audit`): a time stamp is never the only witness.
"""

from __future__ import annotations

import hashlib
import heapq
import math
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from backend.connector import Changed
from backend.core.model import Key, Mapping
from backend.errors import AccessError, RetryLater
from backend.shopify.answers import RETRIED, Answer
from backend.shopify.client import Client
from backend.shopify.known import Known
from backend.shopify.reading import chunks
from backend.shopify.resource import shape
from backend.shopify.shop import scopes_from, shop_from
from backend.shopify.watched import (
    EVENTS,
    LISTS,
    STOCK_ALIAS,
    kin_document,
    kin_of,
    lists_of,
    page_document,
    poll_document,
)
from backend.usual import Audits

FORM = 1
"""Of the checkpoint. One of another form is none."""
STOCK = "inventory"
HELD_BACK = "held_back"
"""In the checkpoint: ids that the last run's reads did not show, and that are news for that reason."""
OVERLAP_SECONDS = 300
"""How far before the last look the next one begins: searches lag behind writes by seconds as a rule (facts §5)."""
YOUNG_SECONDS = 2
"""Time stamps have whole seconds: a second change within this long of the look could carry the same one."""
MANY_PAGES = 20
"""A list in which more changed than fits this many pages is read whole, which then costs less than reading by id."""
KEPT = 5000
"""How many known time stamps of a list a checkpoint holds. What is beyond is told again, which costs a read."""
KIN_PER_REQUEST = 100
PREFIX = "gid://shopify/"


def look(
    client: Client, mappings: Sequence[Mapping], checkpoint: dict[str, Any] | None, known: Known, audits: Audits,
    clock: Callable[[], float] = time.time,
) -> tuple[Changed, Answer]:
    """What changed since `checkpoint`, and the answer that also tells of shop and scopes.

    `why` is "same" or "polled"; or why everything is to be read: "first", "store" (other scopes, version or store).
    A mapping that is new or asks for something else than before is in `audit`. Of what the token may not read nothing
    is told. `clock` (seconds since 1970) is only asked the first time, for a beginning that nothing depends on.
    """
    return _Look(client, mappings, checkpoint, known, audits, clock).changed()


def expand(
    client: Client, mappings: Sequence[Mapping], hints: dict[str, set[Key]], known: Known
) -> tuple[dict[str, set[Key]], set[str]]:
    """`hints` by resource with every key that names a relative replaced by the resource's own keys that are found
    there: an order by its lines, an inventory item by its variants. One request for a hundred relatives, none where
    there are none. Besides, the resources of which a relative had more than one answer holds: read those whole."""
    found: dict[str, set[Key]] = {}
    asked: dict[str, set[Key]] = {}
    for mapping in mappings:
        keys, own = hints.get(mapping.name, set()), shape(mapping).type
        found[mapping.name] = {key for key in keys if _type_of(key) == own}
        asked[mapping.name] = {key for key in keys if _type_of(key) in {kin.type for kin in kin_of(mapping)}}
    overfull: set[str] = set()
    document = kin_document(mappings)
    for chunk in chunks(sorted({str(key) for keys in asked.values() for key in keys}), KIN_PER_REQUEST):
        for node in client.run(document, {"ids": list(chunk)}).root("nodes", "what changed"):
            if not isinstance(node, dict):
                continue  # gone, and what hung below it with it
            for mapping in mappings:
                below = node.get(mapping.name)
                if node["id"] not in asked[mapping.name] or not isinstance(below, dict):
                    continue
                keys = set(_ids(below, shape(mapping).type))
                found[mapping.name] |= keys
                if (below.get("pageInfo") or {}).get("hasNextPage"):
                    overfull.add(mapping.name)
                hangs = shape(mapping).below
                if hangs is not None and not hangs.points_up and _type_of(node["id"]) == hangs.type:
                    shared = {name: value for name, value in node.items() if name not in found}
                    known.above |= {str(key): shared for key in keys}
    return found, overfull


class _Look:
    def __init__(
        self, client: Client, mappings: Sequence[Mapping], checkpoint: dict[str, Any] | None, known: Known,
        audits: Audits, clock: Callable[[], float],
    ) -> None:
        self.client = client
        self.mappings = mappings
        self.before = checkpoint if checkpoint and checkpoint.get("form") == FORM else {}
        self.known = known
        self.audits = audits
        self.lists = sorted({name for mapping in mappings for name in lists_of(mapping)})
        start = (self.before["at"] if self.before else clock()) - OVERLAP_SECONDS
        self.start = _moment(start)
        self.filters = {
            "since": f"updated_at:>='{self.start}'",
            "days": f"updated_at:>='{_moment(start - 86_400)[:10]}'",
            "gone": f"action:destroy AND created_at:>='{self.start}'",
        }
        self.seen: dict[str, dict[str, str]] = {}
        """By list: the time stamps that it shows, by id without its prefix."""
        self.news: dict[str, set[Key]] = {}
        """By list: the ids that are new in it, or have another time stamp than last time."""
        self.overfull: set[str] = set()
        self.denied: set[str] = set(self.before.get("denied", ()))
        """Lists (and `stock`) that the token may not read, as long as it has the same scopes."""

    def changed(self) -> tuple[Changed, Answer]:
        answer = self._answer()
        asks = {mapping.name: _digest(_asks(mapping)) for mapping in self.mappings}
        store = _digest([self.client.version, sorted(scopes_from(answer) or ()), shop_from(answer).domain])
        first = self.before.get("store") != store
        why = ("first" if not self.before else "store") if first else ""
        for name in (*self.lists, EVENTS):
            self._follow(name, answer, only_this_page=first)
        stock, levels = self._stock(answer)
        checkpoint: dict[str, Any] = {
            "form": FORM, "store": store, "at": answer.at, "asks": asks, "stock": stock,
            "too_much_at": self._too_much_at(answer, stock), "denied": [] if first else sorted(self.denied)}
        if answer.at is None:
            # Nobody knows the store's time, so everything is read, and the next look is the first again.
            return Changed(None, {}, why or "first"), answer
        # An event never changes.
        checkpoint["seen"] = {name: _known(stamps, answer.at if name != EVENTS else math.inf)
                              for name, stamps in self.seen.items()}
        if first:
            return Changed(None, checkpoint | {"audited": dict.fromkeys(asks, answer.at)}, why), answer
        keys = self._keys(stock, levels)
        due = {name for name in asks if self._due(name, answer.at, watched=stock is not None)}
        due |= {name for name in asks if self.before["asks"].get(name) != asks[name]}
        due |= {mapping.name for mapping in self.mappings if self.overfull & {mapping.name, *lists_of(mapping)}}
        due &= keys.keys()
        checkpoint["audited"] = {
            name: answer.at if name in due else self.before["audited"].get(name, answer.at) for name in asks}
        return Changed(keys, checkpoint, "polled" if due or any(keys.values()) else "same", frozenset(due)), answer

    def _answer(self) -> Answer:
        """To one document about everything. Where the token may not read a list, Shopify answers nothing at all: then
        it is asked without that one, now and as long as the scopes stay the same. Its mapping pauses in `prepare`."""
        while True:
            lists = [name for name in (*self.lists, EVENTS) if name not in self.denied]
            used = {LISTS[name].query for name in lists}
            document = poll_document(lists, stock=self._asks_for_stock())
            try:
                return self.client.run(document, {name: query for name, query in self.filters.items() if name in used})
            except AccessError as error:
                name = str(error.path[0]) if error.path else ""
                if name not in (*lists, STOCK_ALIAS) or name in self.denied:
                    raise
                self.denied.add(name)

    def _asks_for_stock(self) -> bool:
        """Where stock is mapped and was not found to be too much; once a day it is tried again."""
        if STOCK_ALIAS in self.denied or not any(mapping.name == STOCK for mapping in self.mappings):
            return False
        # Neither stock nor that it was too much: stock was not mapped when the store was asked last.
        if not self.before or self.before["stock"] is not None or self.before["too_much_at"] is None:
            return True
        return bool(self.before["at"] - self.before["too_much_at"] > self.audits.others_seconds)

    # --- lists ----------------------------------------------------------------------------------

    def _follow(self, name: str, answer: Answer, *, only_this_page: bool) -> None:
        """Take in what one list shows, page by page."""
        if name in self.denied:
            return
        watched, page, after = LISTS[name], answer.root(name), None
        before: dict[str, str] = self.before["seen"].get(name, {}) if self.before else {}
        seen = self.seen[name] = {}
        news = self.news[name] = set()
        for _ in range(MANY_PAGES):
            behind = False
            for node in page["nodes"]:
                if not isinstance(node, dict) or not node.get("id"):
                    continue
                stamp, short = str(node.get("updatedAt") or node.get("createdAt")), _short(node["id"])
                if watched.newest_first and stamp < self.start:
                    behind = True
                    continue
                seen[short] = stamp
                if before.get(short) != stamp:
                    news.add(node["id"] if name != EVENTS else node.get("subjectId") or node["id"])
            if not page["pageInfo"]["hasNextPage"] or behind or only_this_page:
                break
            if page["pageInfo"]["endCursor"] in (None, after):
                raise RetryLater(f"Shopify's list of changed {name} did not go on where it should.", cure=RETRIED)
            after = page["pageInfo"]["endCursor"]
            variables = {"after": after} | ({"query": self.filters[watched.query]} if watched.query else {})
            page = self.client.run(page_document(name), variables).root(name)
        else:
            self.overfull.add(name)
        if not watched.query:
            news |= {PREFIX + short for short in before.keys() - seen.keys()}

    def _stock(self, answer: Answer) -> tuple[dict[str, list[str]] | None, set[Key]]:
        """By item: a digest of its levels' time stamps, and which levels; None where the store is too large for it.
        Besides, the levels of items that look different from last time."""
        page = answer.data.get(STOCK_ALIAS)
        if not isinstance(page, dict) or page["pageInfo"]["hasNextPage"]:
            return None, set()
        before: dict[str, list[str]] = (self.before or {}).get("stock") or {}
        now: dict[str, list[str]] = {}
        for item in page["nodes"]:
            levels = item.get("inventoryLevels") if isinstance(item, dict) else None
            if not isinstance(levels, dict) or levels["pageInfo"]["hasNextPage"]:
                return None, set()
            stamps = sorted([level["id"], level["updatedAt"], level["isActive"]] for level in levels["nodes"])
            now[_short(item["id"])] = [_digest(stamps), *(_short(stamp[0]) for stamp in stamps)]
        different = {key for key in now.keys() | before.keys() if now.get(key) != before.get(key)}
        return now, {PREFIX + level for key in different
                     for level in (*now.get(key, [])[1:], *before.get(key, [])[1:])}

    def _too_much_at(self, answer: Answer, stock: dict[str, list[str]] | None) -> float | None:
        """When stock was last found to be too much to look at in one request."""
        if stock is not None:
            return None
        return answer.at if STOCK_ALIAS in answer.data else self.before.get("too_much_at")

    # --- what is told ---------------------------------------------------------------------------

    def _keys(self, stock: dict[str, list[str]] | None, levels: set[Key]) -> dict[str, set[Key]]:
        """By resource, the ids of what changed or is gone."""
        hints: dict[str, set[Key]] = {}
        for mapping in self.mappings:
            own = shape(mapping).type
            if shape(mapping).connection in self.denied:
                continue
            lists = [] if mapping.name == STOCK and stock is not None else lists_of(mapping)
            kinds = {own, *(kin.type for kin in kin_of(mapping))}
            hints[mapping.name] = {key for name in lists for key in self.news.get(name, ()) if _type_of(key) in kinds}
            hints[mapping.name] |= {key for key in self.news.get(EVENTS, ()) if _type_of(key) == own}
            hints[mapping.name] |= {key for key in self.before.get(HELD_BACK, ()) if _type_of(key) in kinds}
        found, overfull = expand(self.client, self.mappings, hints, self.known)
        self.overfull |= overfull
        return {name: found[name] | (levels if name == STOCK else set()) for name in hints}

    def _due(self, name: str, at: float, *, watched: bool) -> bool:
        often = name == STOCK and not watched and not self.audits.webhooks
        every = self.audits.stock_seconds if often else self.audits.others_seconds
        return bool(every) and at - self.before["audited"].get(name, 0.0) >= every


def _asks(mapping: Mapping) -> list[Any]:
    """What a mapping wants to see: where that is another than last time, keys alone do not tell."""
    return [mapping.filter, sorted([rule.name, rule.field.path, rule.kind] for rule in mapping.fields)]


def _known(stamps: dict[str, str], at: float) -> dict[str, str]:
    """What the next look may drop: not what is so young that it can change within the same second."""
    settled = _moment(at - YOUNG_SECONDS) if at < math.inf else ""
    kept = [(stamp, short) for short, stamp in stamps.items() if not settled or stamp <= settled]
    return {short: stamp for stamp, short in (kept if len(kept) <= KEPT else heapq.nlargest(KEPT, kept))}


def _ids(found: Any, kind: str) -> Iterator[Key]:
    """Every id of a type in a part of an answer."""
    if isinstance(found, list):
        for one in found:
            yield from _ids(one, kind)
    elif isinstance(found, dict):
        for name, one in found.items():
            if name == "id" and _type_of(one) == kind:
                yield one
            else:
                yield from _ids(one, kind)


def _type_of(key: Key) -> str:
    """`Product` of `gid://shopify/Product/1`; "" for anything else."""
    return key[len(PREFIX):].partition("/")[0] if isinstance(key, str) and key.startswith(PREFIX) else ""


def _short(gid: str) -> str:
    return gid.removeprefix(PREFIX)


def _moment(seconds: float) -> str:
    """As Shopify writes it: UTC, whole seconds (facts §5)."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _digest(content: Any) -> str:
    return hashlib.sha256(orjson.dumps(content)).hexdigest()[:16]

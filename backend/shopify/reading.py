"""Read one resource into a snapshot: all of it page by page, or some of it by id.

    all, no filter     every page of the list
    all, filtered      the list by search, then the ids of everything: what the search lacks is `outside`
    by id, no filter   nodes(ids:), 250 at a time; null without an error is `gone`
    by id, filtered    … and the same search for those ids: what it lacks is `outside`

An inventory level is found below its item. Items come 250 a page with some levels each; an item that has more is
read again with all of them. Half a list is no list: whatever goes wrong on the way raises.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, TypeVar

from backend.core.model import Key, Mapping, Row, Snapshot
from backend.core.values import UNREAD, canonical
from backend.errors import RetryLater, UserError
from backend.shopify import documents
from backend.shopify.answers import RETRIED, Answer, TooCostly
from backend.shopify.client import Client
from backend.shopify.documents import dig, steps
from backend.shopify.known import Known

T = TypeVar("T")

log = logging.getLogger(__name__)

PAGE = 250
IDS_PER_SEARCH = 100
LEVELS_AT_FIRST = 10
LEVELS_THEN = 50


class Reader:
    """Reads one mapping. `decimals` is how many the shop's currency has; `known` learns what writes need."""

    def __init__(self, client: Client, mapping: Mapping, known: Known, decimals: int) -> None:
        self._client = client
        self._mapping = mapping
        self._known = known
        self._resource = mapping.resource
        self._row = row_maker(mapping, decimals)
        self._title = title_maker(mapping)
        self._connection = documents.CONNECTIONS[mapping.name].split("(")[0]
        self._filter = mapping.filter.strip()
        self._rows: dict[Key, Row] = {}
        self._titles: dict[Key, str] = {}
        self._gone: set[Key] = set()
        self._outside: set[Key] = set()
        self._notes: dict[str, None] = {}
        self._unseen = 0
        if self._filter and not self._resource.search:
            raise UserError(f"{self._resource.label} cannot be filtered: Shopify has no search for them.",
                            cure="Remove the filter of this mapping.")

    def everything(self) -> Snapshot:
        if self._mapping.name == "inventory":
            self._read_levels()
        else:
            for answer, page in self._pages(documents.list_document(self._mapping), self._filter):
                self._remark(answer)
                for node in page["nodes"]:
                    self._take(node)
        if self._filter:
            self._outside = self._ids("") - self._rows.keys()
        return self._snapshot()

    def some(self, keys: Collection[Key]) -> Snapshot:
        prefix = f"gid://shopify/{self._resource.type}/"
        wanted: list[Key] = [key for key in dict.fromkeys(keys)
                             if isinstance(key, str) and key.startswith(prefix)]
        if len(wanted) < len(set(keys)):
            # One malformed id would make Shopify refuse the whole request.
            self._notes[f"{len(set(keys)) - len(wanted)} ids are no ids of {self._resource.label}, "
                        "and were not asked for."] = None
        document = documents.nodes_document(self._mapping)
        for chunk in chunks(wanted, PAGE):
            for key, node in zip(chunk, self._nodes(document, chunk, {}), strict=True):
                if node is None:
                    self._gone.add(key)
                else:
                    self._take(node)
        if self._filter and self._rows:
            inside: set[Key] = set()
            for chunk in chunks(list(self._rows), IDS_PER_SEARCH):
                these = " OR ".join(f"id:{str(key).removeprefix(prefix)}" for key in chunk)
                inside |= self._ids(f"({self._filter}) AND ({these})")
            self._outside = self._rows.keys() - inside
            self._rows = {key: row for key, row in self._rows.items() if key in inside}
        return self._snapshot()

    def _read_levels(self) -> None:
        levels = {"levels": LEVELS_AT_FIRST, "levelsAfter": None}
        for answer, page in self._pages(documents.list_document(self._mapping), "", levels):
            self._remark(answer)
            more = [item for item in page["nodes"] if not self._take_item(item)]
            if more:
                levels["levels"] = LEVELS_THEN
                self._read_more_levels([item["id"] for item in more])

    def _read_more_levels(self, items: list[str]) -> None:
        """All levels of items whose levels did not fit: many items at once, then what is still left one by one."""
        document = documents.items_document(self._mapping)
        for chunk in chunks(items, PAGE):
            for item in self._nodes(document, chunk, {"levels": PAGE, "levelsAfter": None}):
                while item is not None and not self._take_item(item):
                    after = item["inventoryLevels"]["pageInfo"]["endCursor"]
                    item = self._nodes(document, [item["id"]], {"levels": PAGE, "levelsAfter": after})[0]

    def _take_item(self, item: Any) -> bool:
        """Keep the levels of one item. False where there are more of them than came."""
        below = dig(item, ("inventoryLevels",))
        if not isinstance(below, dict):
            self._unseen += 1
            return True
        shared = {name: value for name, value in item.items() if name != "inventoryLevels"}
        for level in below["nodes"]:
            self._take({**level, "item": shared} if isinstance(level, dict) else level)
        return not below["pageInfo"]["hasNextPage"]

    def _take(self, node: Any) -> None:
        if not isinstance(node, dict) or not node.get("id"):
            self._unseen += 1  # there, and not shown to us
            return
        key = node["id"]
        self._rows[key] = self._row(node)
        title = self._title(node)
        if title:
            self._titles[key] = title
        self._known.note(self._mapping, node)

    def _ids(self, query: str) -> set[Key]:
        found: set[Key] = set()
        for _, page in self._pages(documents.ids_document(self._resource), query):
            found |= {node["id"] for node in page["nodes"] if isinstance(node, dict)}
        return found

    def _nodes(self, document: str, ids: Sequence[Key], more: dict[str, Any]) -> list[Any]:
        """In the order of `ids`. A document that costs too much is asked for fewer of them."""
        try:
            answer = self._client.run(document, {"ids": list(ids), **more})
        except TooCostly:
            if len(ids) == 1:
                raise
            half = len(ids) // 2
            return self._nodes(document, ids[:half], more) + self._nodes(document, ids[half:], more)
        self._remark(answer)
        nodes = answer.root("nodes", self._resource.label)
        if len(nodes) != len(ids):
            raise RetryLater("Shopify answered fewer things than were asked for.", cure=RETRIED)
        return list(nodes)

    def _pages(
        self, document: str, query: str, more: dict[str, Any] | None = None
    ) -> Iterator[tuple[Answer, dict[str, Any]]]:
        """Every page. `more` is looked at again for each, so it may change on the way."""
        size, after = PAGE, None
        while True:
            try:
                answer = self._client.run(
                    document, {"first": size, "after": after, "query": query or None, **(more or {})})
            except TooCostly:
                if size == 1:
                    raise
                size //= 2
                log.info("shopify: %s costs too much; pages of %d from now on", self._connection, size)
                continue
            page = answer.root(self._connection, self._resource.label)
            yield answer, page
            if not page["pageInfo"]["hasNextPage"]:
                return
            if page["pageInfo"]["endCursor"] in (None, after):
                raise RetryLater(f"Shopify's list of {self._resource.label} did not go on where it should.",
                                 cure=RETRIED)
            after = page["pageInfo"]["endCursor"]

    def _remark(self, answer: Answer) -> None:
        """Say once for each field what could not be read."""
        for problem in answer.problems:
            where = ".".join(str(step) for step in problem.path[1:] if isinstance(step, str) and step != "nodes")
            self._notes[f"{self._resource.label}: {where or 'something'} could not be read. "
                        f"Shopify says: {problem.message}"] = None

    def _snapshot(self) -> Snapshot:
        if self._unseen:
            self._notes[f"{self._resource.label}: {self._unseen} things exist that Shopify did not show."] = None
        return Snapshot(rows=self._rows, gone=frozenset(self._gone), outside=frozenset(self._outside),
                        titles=self._titles, complete=not self._unseen, notes=tuple(self._notes))


def row_maker(mapping: Mapping, decimals: int) -> Callable[[dict[str, Any]], Row]:
    """A function from a thing as Shopify answers it to a row in the order of `mapping.fields`."""
    plan = [(rule.kind, steps(rule.field.path)) for rule in mapping.fields]

    def row(node: dict[str, Any]) -> Row:
        return tuple(canonical(kind, dig(node, path), decimals=decimals) for kind, path in plan)

    return row


def title_maker(mapping: Mapping) -> Callable[[dict[str, Any]], str]:
    """A function from a thing to what people call it, "" where nothing names it."""
    plan = [steps(path) for path in documents.title_paths(mapping.resource)]

    def title(node: dict[str, Any]) -> str:
        parts = [dig(node, path) for path in plan]
        return ", ".join(str(part) for part in parts if part is not None and part is not UNREAD)

    return title


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start:start + size] for start in range(0, len(items), size))

"""Read one resource into a snapshot: all of it page by page, or some of it by id.

    all, no filter     every page of the list; a long one in bulk
    all, filtered      the list by search, then the ids of everything: what the search lacks is `outside`
    by id, no filter   nodes(ids:), 250 at a time; null without an error is `gone`
    by id, filtered    … and the same search for those ids: what it lacks is `outside`

What has no list of its own is found below another thing: a stock level below its item. Items come 250 a page with
some levels each; an item that has more is read again with all of them. Half a list is no list: whatever goes wrong
on the way raises.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from typing import Any, TypeVar

from backend.core.model import Key, Mapping, Row, Snapshot
from backend.core.values import UNREAD, converter
from backend.errors import AccessError, BulkFailed, InputRefused, RetryLater, TooCostly, UserError
from backend.looks import NONE, Looks
from backend.shopify import documents
from backend.shopify.answers import RETRIED, Answer, denied
from backend.shopify.bulk import Bulk
from backend.shopify.client import Client
from backend.shopify.documents import dig, look, steps
from backend.shopify.known import Known
from backend.shopify.resource import METAFIELD, Below, shape
from backend.shopify.views import VIEW, Listed, is_unfinished, view

T = TypeVar("T")

log = logging.getLogger(__name__)

PAGE = 250
IDS_PER_SEARCH = 100
LISTS_AT_ONCE = 25
NAMED = 5
"""How many things one sentence names."""
BELOW_AT_FIRST = 10
BELOW_THEN = 50
DEEPEST_PAGES = 100
COUNTS = {
    "products": "productsCount", "productVariants": "productVariantsCount", "collections": "collectionsCount",
    "customers": "customersCount", "orders": "ordersCount", "draftOrders": "draftOrdersCount",
    # Nothing counts items; there is about one for each variant.
    "inventoryItems": "productVariantsCount",
}
"""Which root counts a list."""


class Reader:
    """Reads one mapping. `decimals` is how many the shop's currency has; `known` learns what writes need. With
    `window` the token sees only what is not too old, so that nothing that it lacks is proven gone. With `bulk` long
    lists are read in bulk."""

    def __init__(
        self, client: Client, mapping: Mapping, known: Known, decimals: int, *, window: bool = False,
        bulk: Bulk | None = None,
    ) -> None:
        self._client = client
        self._bulk = bulk
        self._mapping = mapping
        self._known = known
        self._decimals = decimals
        self._resource = shape(mapping)
        self._window = window
        self._row = row_maker(mapping, decimals)
        self._title = title_maker(mapping)
        self._note = known.noter(mapping)
        paths = [rule.field.path for rule in mapping.fields if rule.field.path.startswith(VIEW)]
        self._lists: list[Listed] = [listed for path in paths if (listed := view(path).listed)]
        self._connection = self._resource.connection
        self._filter = mapping.filter.strip()
        self._rows: dict[Key, Row] = {}
        self._titles: dict[Key, str] = {}
        self._gone: set[Key] = set()
        self._outside: set[Key] = set()
        self._same: dict[bytes, Key] = {}
        """By what it looked like when both sides agreed: the thing. Its id is a part of its looks."""
        self._digest: Callable[[Any], bytes] | None = None
        self._digests: dict[Key, bytes] = {}
        self._recognised: set[Key] = set()
        self._notes: dict[str, None] = {}
        self._unseen = 0
        self._leaner: dict[str, str] = {}
        """By document: the same without what may not be seen."""
        if self._filter and (not self._resource.search or self._resource.below):
            raise UserError(f"{self._resource.label} cannot be filtered: Shopify has no search for them.",
                            cure="Remove the filter of this mapping.")

    def everything(self, looks: Looks | None = None) -> Snapshot:
        """All of it; with `looks` without making rows of what is recognised."""
        if looks is not None:
            self._same = {digest: key for key, digest in looks.agreed.items() if digest}
            self._digest = looks.digester(documents.list_document(self._mapping), self._mapping.fields, self._filter,
                                          self._decimals)
        below = self._resource.below
        window: dict[str, Any] = {"below": BELOW_AT_FIRST, "belowAfter": None} if below else {}
        begun = False
        for answer, page in self._pages(documents.list_document(self._mapping), self._filter, window):
            self._remark(answer)
            if not begun and page["pageInfo"]["hasNextPage"] and self._read_in_bulk(answer):
                break
            begun = True
            self._take_page(page["nodes"], window)
        if self._filter:
            self._outside = self._ids("") - self._rows.keys() - self._recognised
        self._warn()
        return self._snapshot()

    def _take_page(self, things: Sequence[Any], window: dict[str, Any]) -> None:
        below = self._resource.below
        if below is None:
            self._finish_lists(things)
            for node in things:
                self._take(node)
            return
        more = [thing for thing in things if not self._take_all_of(thing, below)]
        if more:
            window["below"] = BELOW_THEN
            self._read_more(below, [thing["id"] for thing in more])

    def _read_in_bulk(self, first: Answer) -> bool:
        """Read the whole list by a bulk query, where that is cheaper; False where it is to be read page by page.

        It is cheaper where the pages, at what the first one cost, would take more than half of the bucket, or more than
        `DEEPEST_PAGES`: cursors may end there (facts §3). Where anything of the first page may not be seen it never is:
        a bulk file does not tell "not allowed" from "empty".
        """
        count_root = COUNTS.get(self._connection)
        if self._bulk is None or count_root is None or first.problems or first.cost is None:
            return False
        count = self._client.run(documents.count_document(count_root), {"query": self._filter or None}).root(
            count_root, self._resource.label)["count"]
        pages = count / PAGE
        if pages * (first.cost.actual or 0) <= first.cost.maximum / 2 and pages <= DEEPEST_PAGES:
            return False
        # These two take documents apart. Importing what does that takes a quarter of a second, and few reads need it.
        from backend.shopify.bulk_form import NotInBulk, bulk_form, lines_of_things, put_together

        kind_of_thing = self._resource.below.type if self._resource.below else self._resource.type
        try:
            document = documents.list_document(self._mapping)
            form = bulk_form(self._leaner.get(document, document), self._filter, kind_of_thing)
            with closing(self._bulk.run_query(form.query)) as lines:
                log.info("shopify: %s are read in bulk: %d lines", self._resource.label, len(lines))
                digest, same = None if self._resource.below else self._digest, self._same
                recognised = list[Key]()
                for told in lines_of_things(lines, form):
                    looks = digest(b"".join(told)) if digest else NONE
                    if (key := same.get(looks)) is not None:
                        recognised.append(key)
                        continue
                    self._recognise(recognised)  # in the order of the file: what it shows last of a thing is so
                    recognised.clear()
                    thing = put_together(told, form)
                    if looks != NONE:
                        self._digests[thing["id"]] = looks
                    self._take_page([thing], {})
                self._recognise(recognised)
        except (NotInBulk, BulkFailed, InputRefused) as error:
            log.info("shopify: %s are read page by page: %s", self._resource.label, error)
            return False
        return True

    def some(self, keys: Collection[Key]) -> Snapshot:
        prefix = f"gid://shopify/{self._resource.type}/"
        wanted: list[Key] = [key for key in dict.fromkeys(keys)
                             if isinstance(key, str) and key.startswith(prefix)]
        if len(wanted) < len(set(keys)):
            # One malformed id would make Shopify refuse the whole request.
            self._notes[f"{len(set(keys)) - len(wanted)} Shopify IDs are not of "
                        f"{self._resource.label.lower()}, so Shopify was not asked for them. Correct them in "
                        "Grist."] = None
        document = documents.nodes_document(self._mapping)
        for chunk in chunks(wanted, PAGE):
            nodes = self._nodes(document, chunk, {})
            self._finish_lists(nodes)
            for key, node in zip(chunk, nodes, strict=True):
                if node is None and self._window:
                    self._notes[f"{self._resource.label}: some are not shown to this app any more. That may be their "
                                f"age: it lacks the access scope {self._resource.window}."] = None
                elif node is None:
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

    def _read_more(self, below: Below, above: list[str]) -> None:
        """All of what hangs below those of which not all came: many at once, then what is still left one by one."""
        document = documents.above_document(self._mapping)
        for chunk in chunks(above, PAGE):
            for thing in self._nodes(document, chunk, {"below": PAGE, "belowAfter": None}):
                while thing is not None and not self._take_all_of(thing, below):
                    after = thing[below.step]["pageInfo"]["endCursor"]
                    thing = self._nodes(document, [thing["id"]], {"below": PAGE, "belowAfter": after})[0]

    def _take_all_of(self, thing: Any, below: Below) -> bool:
        """Keep what hangs below one thing. False where there is more of it than came."""
        page = dig(thing, (below.step,))
        if not isinstance(page, dict):
            self._unseen += 1
            return True
        shared = {name: value for name, value in thing.items() if name != below.step}
        for node in page["nodes"]:
            if isinstance(node, dict) and not below.points_up:
                self._known.above[node["id"]] = shared
            self._take({**node, below.parent: shared} if isinstance(node, dict) else node)
        return not page["pageInfo"]["hasNextPage"]

    def _warn(self) -> None:
        """Tell what is most likely not meant, as the resource's data describe it."""
        index = self._mapping.index
        for name, value, other, words in self._resource.warns:
            if name in index and other in index:
                warned = [key for key, row in self._rows.items()
                          if row[index[name]] == value and row[index[other]] is None]
                found = [self._titles.get(key, "") for key in warned]
                for key in warned:  # to be said again by the next read
                    self._digests.pop(key, None)
                more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
                if found:
                    self._notes[f"{self._resource.label}: {', '.join(found[:NAMED])}{more}: {words}."] = None

    def _finish_lists(self, nodes: Sequence[Any]) -> None:
        """Read nested lists that did not come whole to their end, into the things themselves: many things at once for
        their second page, then what is still longer one by one."""
        for listed in self._lists:
            longer = {node["id"]: node for node in nodes if isinstance(node, dict) and is_unfinished(node, listed)}
            document = documents.longer_document(self._resource, listed)
            for chunk in chunks(list(longer), LISTS_AT_ONCE):
                for thing in self._nodes(document, chunk, {"first": PAGE, "after": None}):
                    if isinstance(thing, dict):
                        longer[thing["id"]][listed.alias] = thing[listed.alias]
            for key, node in longer.items():
                while is_unfinished(node, listed):
                    after = node[listed.alias]["pageInfo"]["endCursor"]
                    [thing] = self._nodes(document, [key], {"first": PAGE, "after": after})
                    if not isinstance(thing, dict):
                        break  # gone meanwhile: its list stays unread
                    held = node[listed.alias]["nodes"]
                    node[listed.alias] = {**thing[listed.alias], "nodes": held + thing[listed.alias]["nodes"]}

    def _take(self, node: Any) -> None:
        if not isinstance(node, dict) or not node.get("id"):
            self._unseen += 1  # there, and not shown to us
            return
        key = node["id"]
        below = self._resource.below
        if below and not below.points_up and below.parent not in node:
            node = {**node, below.parent: self._known.above.get(key, UNREAD)}
        if key in self._known.hidden:
            return
        if self._known.born:
            self._known.seen(key)
        if self._digest is not None and key not in self._digests:
            looks = self._digest(node)
            if self._same.get(looks) == key:
                self._recognise((key,))
                return
            self._digests[key] = looks
        self._recognised.discard(key)
        row = self._row(node)
        if self._known.hidden and self._resource.writer == "stock" and any(
                isinstance(value, str) and value in self._known.hidden for value in row):
            return  # the stock of a variant that nobody may see yet
        self._rows[key] = row
        title = self._title(node)
        if title:
            self._titles[key] = title
        self._note(node)

    def _recognise(self, keys: Collection[Key]) -> None:
        """These look as they did when both sides agreed, so that no rows are made of them."""
        if self._known.hidden:
            keys = [key for key in keys if key not in self._known.hidden]
        for key in keys if self._known.born else ():  # hardly ever, and this is asked of each thing of a store
            self._known.seen(str(key))
        self._recognised.update(keys)
        for key in keys if self._rows else ():  # a list may show a thing twice, and what it showed last is so
            self._rows.pop(key, None)

    def _ask(self, document: str, variables: dict[str, Any]) -> Answer:
        """The answer, without those fields that may not be seen and would take everything else with them."""
        while True:
            asked = self._leaner.get(document, document)
            try:
                answer = self._client.run(asked, variables)
                swallowed = next((one for one in answer.problems if one.is_denial and answer.swallowed(one)), None)
                if swallowed is None:
                    return answer
                error = denied(swallowed)
            except AccessError as refused:
                error = refused
            from backend.shopify.leaner import without  # see `_read_in_bulk`

            leaner = without(asked, error.path)
            if leaner is None:
                raise error
            self._leaner[document] = leaner
            self._notes[f"{self._resource.label}: {_place(error.path)} is left as it is. {error}"] = None

    def _ids(self, query: str) -> set[Key]:
        found: set[Key] = set()
        for _, page in self._pages(documents.ids_document(self._resource), query):
            found |= {node["id"] for node in page["nodes"] if isinstance(node, dict)}
        return found

    def _nodes(self, document: str, ids: Sequence[Key], more: dict[str, Any]) -> list[Any]:
        """In the order of `ids`. A document that costs too much is asked for fewer of them."""
        try:
            answer = self._ask(document, {"ids": list(ids), **more})
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
                answer = self._ask(
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
            self._notes[f"{self._resource.label}: {_place(problem.path) or 'something'} could not be read. "
                        f"Shopify says: {problem.message}"] = None

    def _snapshot(self) -> Snapshot:
        if self._unseen:
            self._notes[f"{self._resource.label}: {self._unseen} that exist were not shown by "
                        "Shopify; nothing is taken for deleted."] = None
        return Snapshot(rows=self._rows, gone=frozenset(self._gone), outside=frozenset(self._outside),
                        recognised=frozenset(self._recognised), digests=self._digests, titles=self._titles,
                        complete=not (self._unseen or self._window), notes=tuple(self._notes))


def _place(path: Sequence[str | int]) -> str:
    """Where in a thing: `inventoryItem.unitCost`."""
    return ".".join(str(step) for step in path[1:] if isinstance(step, str) and step != "nodes")


def read_definitions(client: Client, owner: str) -> dict[str, dict[str, Any]]:
    """The store's definitions of metafields of one owner type, by the name that their field has here."""
    found: dict[str, dict[str, Any]] = {}
    after = None
    while True:
        answer = client.run(documents.DEFINITIONS, {"owner": owner, "first": PAGE, "after": after})
        page = answer.root("metafieldDefinitions", "the definitions of metafields")
        found |= {f"{METAFIELD}{one['namespace']}.{one['key']}": one for one in page["nodes"]}
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def row_maker(mapping: Mapping, decimals: int) -> Callable[[dict[str, Any]], Row]:
    """A function from a thing as Shopify answers it to a row in the order of `mapping.fields`."""
    plan = [(converter(rule.kind, decimals=decimals), look(rule.field.path)) for rule in mapping.fields]

    def row(node: dict[str, Any]) -> Row:
        return tuple([convert(find(node)) for convert, find in plan])

    return row


def title_maker(mapping: Mapping) -> Callable[[dict[str, Any]], str]:
    """A function from a thing to what people call it, "" where nothing names it."""
    plan = [steps(path) for path in documents.title_paths(shape(mapping))]

    def title(node: dict[str, Any]) -> str:
        parts = [dig(node, path) for path in plan]
        return ", ".join(str(part) for part in parts if part is not None and part is not UNREAD)

    return title


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start:start + size] for start in range(0, len(items), size))

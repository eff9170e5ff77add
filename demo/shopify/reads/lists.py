"""Top-level lists and counts: search, sort, cut the window, and report what the search did not understand."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .. import search
from ..connections import Row, Window, by_id, check_window, cut, decorated, window
from ..context import Context
from ..index import FIELDS
from ..model import Thing
from ..tables import Table

_KEPT_ORDERS = 32
# What each sort key looks at in a document. Texts sort without regard to case.
_SORT_FIELDS = {"TITLE": "title", "VENDOR": "vendor", "PRODUCT_TYPE": "product_type", "UPDATED_AT": "updated_at",
                "CREATED_AT": "created_at", "PUBLISHED_AT": "published_at", "INVENTORY_TOTAL": "inventory_total",
                "SKU": "sku", "NAME": "title", "FULL_TITLE": "full_title", "POSITION": "position",
                "INVENTORY_QUANTITY": "inventory_quantity", "INVENTORY_LEVELS_AVAILABLE": "inventory_quantity",
                "INVENTORY_MANAGEMENT": "managed", "INVENTORY_POLICY": "policy", "PROCESSED_AT": "processed_at",
                "TOTAL_PRICE": "total", "ORDER_NUMBER": "number", "NUMBER": "number",
                "CUSTOMER_NAME": "customer_name", "FINANCIAL_STATUS": "financial_status", "PO_NUMBER": "po_number",
                "FULFILLMENT_STATUS": "fulfillment_status", "STATUS": "status", "LOCATION": "place",
                "PERSON": "person", "TOTAL_ITEMS_QUANTITY": "subtotal_line_items_quantity"}


def indexed_list(context: Context, kind: str, arguments: dict[str, Any], live: Mapping[int, Thing]) -> Window:
    """A page of a list that the search index keeps: by id straight from the store, otherwise from the index."""
    text, sort_key = arguments.get("query"), arguments.get("sortKey") or "ID"
    if not text and sort_key in ("ID", "RELEVANCE", "POPULAR"):
        return by_id(live, arguments) if isinstance(live, Table) else window(list(live.values()), arguments)
    check_window(arguments)
    documents = context.store.index.documents(kind)
    query = _parsed(context, kind, text)
    name = _SORT_FIELDS.get("PERSON" if kind == "customer" and sort_key == "NAME" else sort_key)
    key = (lambda number: _sort_value(documents[number].get(name))) if name else None
    page = cut(_ordered(context, kind, query, name, live, documents, key), arguments, key=key, searched=bool(text))
    page.nodes = [live[number] for number in page.nodes]
    return page


def _ordered(context: Context, kind: str, query: search.Query, name: str | None, live: Mapping[int, Thing],
             documents: Mapping[int, Any], key: Callable[[int], Any] | None) -> list[Row]:
    """The numbers that match, in order. Kept until something of the kind changes: the next pages need them again."""
    index = context.store.index
    place = (kind, query.text, name)
    stand = (index.versions[kind], len(live), id(live) if isinstance(live, Table) else None,
             context.store.now() if "now" in query.text else None)
    held = index.orders.get(place)
    if held is not None and held[0] == stand and isinstance(live, Table):
        return held[1]
    rows = decorated([number for number, each in documents.items() if number in live and query.matches(each)], key,
                     lambda number: number)
    while len(index.orders) >= _KEPT_ORDERS:
        del index.orders[next(iter(index.orders))]
    index.orders[place] = (stand, rows)
    return rows


def indexed_count(context: Context, kind: str, arguments: dict[str, Any], live: Mapping[int, Thing]) -> dict[str, Any]:
    """`{count, precision}`, stopping at the limit (10,000 unless null is given)."""
    text = arguments.get("query")
    if text:
        query = _parsed(context, kind, text)
        total = sum(1 for number, held in context.store.index.documents(kind).items()
                    if number in live and query.matches(held))
    else:
        total = len(live)
    return counted(total, arguments)


def counted(total: int, arguments: dict[str, Any]) -> dict[str, Any]:
    limit = arguments.get("limit", 10_000)
    if limit is not None and total > limit:
        return {"count": limit, "precision": "AT_LEAST"}
    return {"count": total, "precision": "EXACT"}


def filtered(context: Context, kind: str, arguments: dict[str, Any], things: Iterable[Thing],
             document: Callable[[Any], search.Document]) -> list[Any]:
    """Things that are few enough to be searched without an index: locations and levels."""
    query = _parsed(context, kind, arguments.get("query"))
    return [thing for thing in things if query.matches(document(thing))]


def _parsed(context: Context, kind: str, text: str | None) -> search.Query:
    query = search.parse(text, FIELDS[kind], context.store.now())
    if query.warnings:
        context.search_reports.append(query.report(context.path))
    return query


def _sort_value(value: Any) -> Any:
    value = value[0] if isinstance(value, list) and value else value
    return value.lower() if isinstance(value, str) else int(value) if isinstance(value, bool) else value

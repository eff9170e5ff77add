"""Lists: windows and cursors, search and its warnings, the lag of the index."""
from __future__ import annotations

import base64
import json

import pytest

from demo.shopify import Store

from .conftest import Ask

PAGE = """query($first: Int, $last: Int, $after: String, $before: String, $reverse: Boolean, $query: String,
  $sortKey: ProductSortKeys) { products(first: $first, last: $last, after: $after, before: $before, reverse: $reverse,
  query: $query, sortKey: $sortKey) { nodes { title } edges { cursor } pageInfo { hasNextPage hasPreviousPage
  startCursor endCursor } } }"""


def titles(body: dict) -> list[str]:
    return [node["title"] for node in body["data"]["products"]["nodes"]]


@pytest.mark.parametrize("sort_key", ["ID", "TITLE", "UPDATED_AT", "VENDOR", "INVENTORY_TOTAL"])
@pytest.mark.parametrize("reverse", [False, True])
def test_pages_put_together_are_the_whole_list(ask: Ask, sort_key: str, reverse: bool) -> None:
    whole = titles(ask(PAGE, first=50, sortKey=sort_key, reverse=reverse))
    found: list[str] = []
    after = None
    while True:
        body = ask(PAGE, first=3, after=after, sortKey=sort_key, reverse=reverse)
        found += titles(body)
        page = body["data"]["products"]["pageInfo"]
        assert page["hasPreviousPage"] is (after is not None)
        if not page["hasNextPage"]:
            break
        after = page["endCursor"]
    assert found == whole
    assert len(whole) == 8
    backwards = ask(PAGE, last=3, before=after, sortKey=sort_key, reverse=reverse)
    assert titles(backwards) == whole[2:5]


def test_a_cursor_is_the_last_id_and_value(ask: Ask, store: Store) -> None:
    body = ask(PAGE, first=1)
    held = json.loads(base64.b64decode(body["data"]["products"]["pageInfo"]["endCursor"]))
    first = next(iter(store.products))
    assert held == {"last_id": first, "last_value": str(first)}


def test_no_window_or_two_are_refused(ask: Ask) -> None:
    assert ask(PAGE)["errors"][0]["message"] == "you must provide one of first or last"
    both = ask(PAGE, first=1, last=1)
    assert both["errors"][0]["message"] == "providing both first and last is not supported"
    assert both["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert both["data"] is None


@pytest.mark.parametrize(("query", "expected"), [
    ("title:linen", {"Linen shirt", "Heavy linen shirt"}),
    ('"linen shirt" -title:heavy', {"Linen shirt"}),
    ("title:Lin*", {"Linen shirt", "Heavy linen shirt"}),
    ("sku:LIN-M", {"Linen shirt"}),
    ("sku:can-1 OR sku:FEL-9", {"Canvas tote", "Felt hat"}),
    ("product_type:Hats NOT title:rain", {"Felt hat"}),
    ("tag:canvas OR tag:felt product_type:Hats", {"Canvas tote", "Felt hat", "Coastal canvas tote"}),
    ("(tag:felt OR tag:rain) status:active", {"Felt hat", "Rain hat"}),
    ("(scarf", {"Wool scarf", "Nordic wool scarf"}),
    ("scarf OR", {"Wool scarf", "Nordic wool scarf"}),
    ("tag:(canvas", set()),
    ("updated_at:>'2090-01-01T00:00:00Z'", set()),
    ("price:>60", {"Felt hat"}),
    ("barcode:*", None),
])
def test_the_search_grammar(ask: Ask, query: str, expected: set[str] | None) -> None:
    body = ask(PAGE, first=50, query=query)
    assert "search" not in body["extensions"]
    found = set(titles(body))
    assert len(found) == 8 if expected is None else found == expected


def test_an_unknown_field_is_a_warning_and_is_ignored(ask: Ask) -> None:
    body = ask(PAGE, first=50, query="colour:red sku:LIN-M")
    assert titles(body) == ["Linen shirt"]
    assert body["extensions"]["search"] == [{
        "path": ["products"], "query": "colour:red sku:LIN-M",
        "parsed": {"and": [{"field": "colour", "match_all": "red"}, {"field": "sku", "match_all": "LIN-M"}]},
        "warnings": [{"field": "colour", "message": "Invalid search field for this query.", "code": "invalid_field"}]}]


def test_searches_lag_behind_while_reads_by_id_do_not(ask: Ask, store: Store) -> None:
    store.behaviour.search_lag_seconds = 30
    product = next(iter(store.products.values()))
    ask('mutation($id: ID!) { tagsAdd(id: $id, tags: ["fresh"]) { userErrors { message } } }', id=product.gid)
    assert ask("query($id: ID!) { product(id: $id) { tags } }", id=product.gid)["data"]["product"]["tags"] == [
        "fresh", "linen", "summer"]
    assert titles(ask(PAGE, first=5, query="tag:fresh")) == []
    store.clock.advance(31)
    assert titles(ask(PAGE, first=5, query="tag:fresh")) == ["Linen shirt"]

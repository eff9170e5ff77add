"""Long lists are read in bulk and look like those read by page; a file of changes tells what became of each line."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from shopify_helpers import counted, mapping_of
from test_shopify_documents import assert_fits

from backend.core.model import Mapping
from backend.errors import BulkFailed, InputRefused, RetryLater
from backend.looks import Looks
from backend.shopify import bulk, documents, reading
from backend.shopify.bulk import Bulk
from backend.shopify.bulk_form import NotInBulk, bulk_form
from backend.shopify.resource import shape
from backend.shopify.resources import RESOURCES

PRODUCTS = "{ products { edges { node { id title } } } }"
RETITLE = """mutation Retitle($product: ProductUpdateInput!) {
  productUpdate(product: $product) { product { id title } userErrors { field message } } }"""


@pytest.fixture
def large(start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """A store whose lists take several pages of ten, and a bulk that does not tire of waiting."""
    at = start(products=12, orders=25)
    for name in ("PAGE", "BELOW_AT_FIRST"):
        monkeypatch.setattr(reading, name, 10)
    monkeypatch.setattr(reading, "DEEPEST_PAGES", 0)
    at.store.behaviour.bulk_start_seconds = 0
    at.connector._bulk = Bulk(at.connector._client, sleep=lambda seconds: time.sleep(0.01))
    at.bulk = at.connector._bulk
    return at


def paged(at: Any, mapping: Mapping, looks: Looks | None = None) -> Any:
    held, at.connector._bulk = at.connector._bulk, None
    snapshot = at.connector.read(mapping, looks=looks)
    at.connector._bulk = held
    return snapshot


ROOTS = {"products": "products", "variants": "variants", "customers": "customers", "orders": "orders",
         "order_lines": "orders", "inventory": "items", "draft_orders": "drafts", "draft_order_lines": "drafts",
         "collections": "collections"}


@pytest.mark.parametrize("name", ROOTS)
@pytest.mark.parametrize("children_first", [False, True])
def test_a_list_read_in_bulk_is_the_list_read_by_page(large: Any, name: str, children_first: bool) -> None:
    large.store.behaviour.bulk_children_come_first = children_first
    mapping = mapping_of(name)
    in_bulk = large.connector.read(mapping)
    assert bool(large.store.bulks.held) is (len(getattr(large.store, ROOTS[name])) > 10)
    by_page = paged(large, mapping)
    assert in_bulk.rows.keys() == by_page.rows.keys()
    assert [key for key, row in by_page.rows.items() if in_bulk.rows[key] != row] == []
    assert (in_bulk.titles, in_bulk.complete, in_bulk.notes) == (by_page.titles, by_page.complete, by_page.notes)


def test_a_filtered_list_is_filtered_in_bulk_too(large: Any, caplog: pytest.LogCaptureFixture) -> None:
    mapping = mapping_of("variants", "sku", filter="inventory_quantity:>1")
    with caplog.at_level(logging.INFO):
        in_bulk = large.connector.read(mapping)
    assert "are read in bulk" in caplog.text
    assert in_bulk == paged(large, mapping)


def test_a_short_list_is_read_by_page(start: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    at = start(products=300, orders=0)
    before = counted(at)["requests"]
    with caplog.at_level(logging.INFO):
        assert len(at.connector.read(mapping_of("products", "title")).rows) == 300
    assert "in bulk" not in caplog.text
    assert counted(at)["requests"] - before <= 4  # the shop, two pages, and how long the list is


def test_a_list_that_would_take_half_the_bucket_is_read_in_bulk(
    start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    at = start(products=300, orders=0)
    at.store.bucket.maximum = 400
    at.connector._bulk = Bulk(at.connector._client, sleep=lambda seconds: time.sleep(0.01))
    with caplog.at_level(logging.INFO):
        rows = at.connector.read(mapping_of("inventory", "available")).rows
    assert "in bulk" in caplog.text
    assert len(rows) == sum(len(item.levels) for item in at.store.items.values())


def test_what_may_not_be_seen_is_never_read_in_bulk(large: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A bulk file holds null for what is denied, and null would empty cells."""
    large.door("access", protected_data=False)
    with caplog.at_level(logging.INFO):
        snapshot = large.connector.read(mapping_of("customers", "firstName", "email", "note"))
    assert "in bulk" not in caplog.text
    assert snapshot.notes != ()


def test_a_query_that_fails_is_started_again_and_then_read_by_page(
    large: Any, caplog: pytest.LogCaptureFixture
) -> None:
    mapping = mapping_of("products", "title")
    large.store.bulks.fail_next = {"after": 3, "code": "TIMEOUT"}
    with caplog.at_level(logging.INFO):
        once = large.connector.read(mapping)
    assert "ended as FAILED (TIMEOUT), attempt 1" in caplog.text
    assert "are read in bulk: 12 lines" in caplog.text
    assert once.rows == paged(large, mapping).rows


def test_a_file_that_is_cut_short_is_not_taken_for_the_list(large: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    download = large.bulk._files.download

    def cut(url: str, sink: Any) -> None:
        download(url, sink)
        sink.truncate(100)

    monkeypatch.setattr(large.bulk._files, "download", cut)
    with pytest.raises(RetryLater, match="of 12 things"):
        large.bulk.run_query(PRODUCTS)


def test_the_token_never_goes_to_the_store_of_files(large: Any) -> None:
    assert len(large.bulk.run_query(PRODUCTS)) == 12
    large.bulk.run_mutation(RETITLE, [{"product": {"id": first(large).gid, "title": "New"}}], "Retitle(")
    assert large.app.extensions["shopify_door"].tokens_shown == []


def test_an_empty_list_has_no_file(large: Any) -> None:
    assert list(large.bulk.run_query('{ products(query: "title:Nothing") { edges { node { id } } } }')) == []


def test_a_query_that_cannot_run_in_bulk_is_refused_in_shopifys_words(large: Any) -> None:
    with pytest.raises(InputRefused, match="at least one connection"):
        large.bulk.run_query("{ shop { id } }")


def test_operations_left_by_a_dead_run_are_cancelled(large: Any) -> None:
    large.store.behaviour.bulk_start_seconds = 3600
    client = large.connector._client
    for _ in range(5):
        client.run(bulk.START, {"query": PRODUCTS})

    large.store.behaviour.bulk_start_seconds = 0
    assert len(large.bulk.run_query(PRODUCTS)) == 12
    assert sorted({one.status for one in large.store.bulks.held.values()}) == ["CANCELED", "COMPLETED"]


def test_whoever_waits_too_long_gives_up_and_cancels(large: Any) -> None:
    large.store.behaviour.bulk_start_seconds = 10**6
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += 3600

    with pytest.raises(RetryLater, match="did not finish a large read in time"):
        Bulk(large.connector._client, sleep=sleep, clock=lambda: now[0]).run_query(PRODUCTS)


def test_a_mutation_tells_what_became_of_each_line(large: Any) -> None:
    products = list(large.store.products.values())
    lines = [{"product": {"id": product.gid, "title": f"Title {n}"}} for n, product in enumerate(products)]
    lines[3]["product"]["title"] = ""
    ran = large.bulk.run_mutation(RETITLE, lines, "Retitle(")
    done = ran.answers
    assert ran.completed
    assert sorted(done) == list(range(len(lines)))
    assert done[2]["data"]["productUpdate"]["product"]["title"] == "Title 2" == products[2].title
    assert done[3]["data"]["productUpdate"]["userErrors"][0]["message"] == "Title can't be blank"


def test_a_mutation_that_shopify_does_not_take_is_refused(large: Any) -> None:
    with pytest.raises(BulkFailed):
        large.bulk.run_mutation("mutation { nothing }", [{}], "nothing")
    assert large.bulk.run_mutation(RETITLE, [], "Retitle(").answers == {}


def test_a_document_whose_lists_hang_too_deep_has_no_bulk_form() -> None:
    document = ("query Q($first: Int) { orders(first: $first) { nodes { id customer { orders(first: 2) { nodes { id } "
                "} } } } }")
    with pytest.raises(NotInBulk, match="too deep"):
        bulk_form(document, "", "Order")


@pytest.mark.parametrize("name", RESOURCES)
def test_bulk_forms_fit_the_schema(name: str) -> None:
    mapping = mapping_of(name)
    below = shape(mapping).below
    form = bulk_form(documents.list_document(mapping), "", below.type if below else shape(mapping).type)
    assert_fits(form.query, {})


def test_the_documents_fit_the_schema() -> None:
    for document, variables in ((bulk.START, {"query": "x"}), (bulk.LOOK, {"id": "gid://shopify/BulkOperation/1"}),
                                (bulk.START_MUTATION, {"mutation": "m", "path": "p"}), (bulk.MUTATIONS, {}),
                                (bulk.LATEST, {"query": "x"}), (bulk.CANCEL, {"id": "gid://shopify/BulkOperation/1"}),
                                (bulk.STAGE, {"input": []}),
                                *((documents.count_document(root), {"query": None})
                                  for root in reading.COUNTS.values())):
        assert_fits(document, variables)


def first(at: Any) -> Any:
    return next(iter(at.store.products.values()))


@pytest.mark.parametrize("name", ROOTS)
@pytest.mark.parametrize("read", [lambda at, mapping, looks: at.connector.read(mapping, looks=looks),
                                  lambda at, mapping, looks: paged(at, mapping, looks)], ids=["in bulk", "by page"])
def test_what_looks_as_it_did_is_recognised_and_no_row_is_made_of_it(
    large: Any, name: str, read: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    mapping = mapping_of(name)
    first = read(large, mapping, Looks("as set"))
    assert first.recognised == frozenset()
    assert first.digests.keys() == first.rows.keys()
    assert first.rows == large.connector.read(mapping).rows
    *same, other = first.rows
    made = []
    row_maker = reading.row_maker
    monkeypatch.setattr(reading, "row_maker", lambda *about: lambda node: made.append(node) or row_maker(*about)(node))
    second = read(large, mapping, Looks("as set", {**first.digests, other: b"another"}))
    assert second.recognised == set(same)
    assert second.rows == {other: first.rows[other]}
    assert len(made) == 1
    assert (second.complete, second.gone, second.notes) == (first.complete, first.gone, first.notes)
    assert read(large, mapping, Looks("set otherwise", first.digests)).recognised == frozenset()


def test_what_changed_is_not_recognised(large: Any) -> None:
    mapping = mapping_of("products", "title", "vendor")
    looks = Looks("as set", large.connector.read(mapping, looks=Looks("as set")).digests)
    changed, gone = list(large.store.products.values())[:2]
    changed.title = "Another"
    large.store.touch(changed)
    large.store.remove_product(gone)
    now = large.connector.read(mapping, looks=looks)
    assert {key: row[0] for key, row in now.rows.items()} == {changed.gid: "Another"}
    assert now.recognised == looks.agreed.keys() - {changed.gid, gone.gid}


def test_with_other_fields_or_another_filter_nothing_is_recognised(large: Any) -> None:
    mapping = mapping_of("products", "title", "vendor")
    looks = Looks("as set", large.connector.read(mapping, looks=Looks("as set")).digests)
    for other in (mapping_of("products", "title"), mapping_of("products", "title", "vendor", filter="status:active")):
        assert large.connector.read(other, looks=looks).recognised == frozenset()
    assert large.connector.read(mapping, looks=looks).rows == {}

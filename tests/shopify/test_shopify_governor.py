"""Points are spent as they come back, and never more than there are: alone, and by several workers of one store."""

from __future__ import annotations

from typing import Any

import pytest
from shopify_helpers import mapping_of

from backend.errors import TooCostly
from backend.shopify import documents, watched
from backend.shopify.cost import Cost, weigh
from backend.shopify.governor import Books, Governor, OwnLedger, digest_of
from backend.shopify.resources import RESOURCES
from benchmarks.throttling import Moment, throttle_use
from demo.shopify import cost as simulated
from demo.shopify.engine import _prepared
from demo.shopify.schema import load_schema


def answer(requested: float, available: float, *, actual: float | None = None, maximum: float = 2000.0,
           rate: float = 100.0) -> Cost:
    return Cost(requested, requested if actual is None else actual, available, maximum, rate)


@pytest.fixture
def clock() -> Moment:
    return Moment()


def governor(clock: Moment, ledger: OwnLedger | None = None) -> Governor:
    keys = iter(range(10**9))
    return Governor(ledger or OwnLedger(clock), sleep=clock.sleep, new_key=lambda: f"k{next(keys)}")


def test_a_document_waits_until_its_points_have_run_back(clock: Moment) -> None:
    one = governor(clock)
    one.settle(one.hold("query { shop { name } }", {}), answer(300, 100))
    assert clock.now == 0
    one.hold("query { shop { name } }", {})
    assert clock.now == pytest.approx(2.0)


def test_what_was_not_needed_is_given_back(clock: Moment) -> None:
    one = governor(clock)
    one.settle(one.hold("query { a { b } }", {}), answer(900, 950, actual=50))
    hold = one.hold("query { a { b } }", {})
    one.settle(hold, answer(900, 900, actual=50))
    one.hold("query { a { b } }", {})
    assert clock.now == 0


def test_two_workers_do_not_spend_the_same_points(clock: Moment) -> None:
    ledger = OwnLedger(clock)
    one, other = governor(clock, ledger), governor(clock, ledger)
    one.settle(one.hold("query { a { b } }", {}), answer(500, 600))
    one.hold("query { a { b } }", {})
    assert clock.now == 0
    other.hold("query { a { b } }", {})  # 100 are left of 600: it waits for the other 400
    assert clock.now == pytest.approx(4.0)


def test_what_a_dead_worker_held_comes_back(clock: Moment) -> None:
    ledger = OwnLedger(clock)
    dead, alive = governor(clock, ledger), governor(clock, ledger)
    alive.settle(alive.hold("query { a { b } }", {}), answer(900, 1000))
    dead.hold("query { a { b } }", {})
    assert Books.of(ledger._books).left == 100
    alive.settle(alive.hold("query { b { c } }", {}), answer(3, 1000))
    assert Books.of(ledger._books).left < 200  # 900 of them may be on their way
    clock.now += 200
    alive.settle(alive.hold("query { b { c } }", {}), answer(3, 1000))
    books = Books.of(ledger._books)
    assert (books.left, books.held) == (1000, ())


def test_an_answer_shows_that_somebody_else_spent(clock: Moment) -> None:
    one = governor(clock)
    one.settle(one.hold("query { a { b } }", {}), answer(100, 1900))
    one.settle(one.hold("query { a { b } }", {}), answer(100, 40))
    one.hold("query { a { b } }", {})
    assert clock.now == pytest.approx(0.6)


def test_a_refused_document_waits_for_its_turn_by_the_true_books(clock: Moment) -> None:
    one = governor(clock)
    hold = one.hold("query { a { b } }", {})
    assert one.throttled(hold, Cost(507, None, 7, 2000, 100)) == pytest.approx(5.0)


def test_a_pause_that_shopify_asks_for_is_kept_by_all(clock: Moment) -> None:
    ledger = OwnLedger(clock)
    one, other = governor(clock, ledger), governor(clock, ledger)
    one.settle(one.hold("query { a { b } }", {}), answer(1, 1999))
    one.quiet(7.0)
    other.hold("query { a { b } }", {})
    assert clock.now == pytest.approx(7.0)


def test_a_document_over_the_limit_is_sent_once_and_never_again(clock: Moment) -> None:
    ledger = OwnLedger(clock)
    one = governor(clock, ledger)
    hold = one.hold("query($first: Int) { a }", {"first": 250})
    one.too_costly(hold, 2003)
    one.settle(hold, None)
    with pytest.raises(TooCostly):
        governor(clock, ledger).hold("query($first: Int) { a }", {"first": 250})
    one.hold("query($first: Int) { a }", {"first": 125})


def test_a_page_size_makes_another_document_and_ids_do_not() -> None:
    assert digest_of("q", {"first": 10, "after": "x"}) == digest_of("q", {"first": 10, "after": None})
    assert digest_of("q", {"first": 10}) != digest_of("q", {"first": 20})


@pytest.mark.parametrize("name", RESOURCES)
def test_the_guess_for_a_new_document_is_never_too_low(name: str) -> None:
    mapping = mapping_of(name)
    variables: dict[str, Any] = {"first": 250, "after": None, "query": None}
    if getattr(mapping.resource, "below", None):
        variables |= {"below": 10, "belowAfter": None}
    for document, given in ((documents.list_document(mapping), variables),
                            (documents.nodes_document(mapping), {"ids": ["gid://shopify/Product/1"]}),
                            (watched.poll_document(watched.LISTS, stock=True), {})):
        true, guessed = true_cost(document, given), weigh(document, given)
        # Money, addresses and other free parts are counted as if they cost something: an order has many of them.
        assert true <= guessed <= 5 * true + 20


def true_cost(document: str, variables: dict[str, Any]) -> float:
    from graphql import OperationDefinitionNode

    prepared = _prepared(document)
    operation = next(one for one in prepared.document.definitions if isinstance(one, OperationDefinitionNode))
    return simulated.operation_cost(load_schema(), operation, prepared.fragments, variables)


def test_a_mutation_weighs_its_calls_and_its_lists() -> None:
    document = "mutation($v: [V!]!) { a: productVariantsBulkUpdate(variants: $v) { productVariants { id } } }"
    assert weigh(document, {"v": [{"id": n} for n in range(100)]}) == 10 + 1 + 40


# --- while much is written --------------------------------------------------------------------------------


@pytest.mark.parametrize(("workers", "calls"), [(1, 25), (2, 10), (4, 10), (8, 10), (16, 10)])
def test_twenty_thousand_changes_use_the_points_as_they_come_back(workers: int, calls: int) -> None:
    """One worker alone needs documents of 25: a document of 110 points is worked out in more than 110 ms."""
    used, throttled, _ = throttle_use(workers=workers, calls=calls)
    assert used >= 0.95
    assert throttled <= 0.01


def test_a_worker_alone_is_refused_at_most_once_at_the_very_beginning() -> None:
    _, throttled, _ = throttle_use(workers=1, changes=2000, rate=100)
    assert throttled * 200 <= 1.01

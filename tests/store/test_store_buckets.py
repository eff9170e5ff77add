"""The books of a store's rate limit: one for all workers, changed by one at a time."""

from __future__ import annotations

import threading
from typing import Any

import sqlalchemy as sa
from store_helpers import Desk

from backend.shopify.cost import Cost
from backend.shopify.governor import Governor
from backend.store.buckets import Buckets
from backend.store.db import now


def test_books_are_kept_by_store(desk: Desk) -> None:
    one, other = Buckets(desk.database, "a.myshopify.com app"), Buckets(desk.database, "b.myshopify.com app")
    assert one.change(lambda books, now: ({"left": 5}, books)) == {}
    assert one.change(lambda books, now: (None, books)) == {"left": 5}
    assert other.change(lambda books, now: (None, books)) == {}
    assert Buckets(desk.database, "a.myshopify.com app").change(lambda books, now: ({}, books)) == {"left": 5}


def test_the_clock_is_the_databases(desk: Desk) -> None:
    with desk.read() as tx:
        before = tx.execute(sa.select(now())).scalar_one()
    assert 0 <= Buckets(desk.database, "s").change(lambda books, now: (None, now)) - before < 60


def test_nothing_is_lost_between_two_workers(desk: Desk) -> None:
    def spend() -> None:
        buckets = Buckets(desk.database, "s")
        for _ in range(25):
            buckets.change(lambda books, now: ({"left": books.get("left", 0) + 1}, None))

    threads = [threading.Thread(target=spend) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert Buckets(desk.database, "s").change(lambda books, now: (None, books)) == {"left": 100}


def test_what_a_document_cost_is_known_to_the_next_process(desk: Desk) -> None:
    one = Buckets(desk.database, "s")
    assert one.cost("digest") is None
    one.note_cost("digest", 102)
    one.note_cost("digest", 104)
    assert Buckets(desk.database, "another").cost("digest") == 104


def test_two_governors_share_the_books(desk: Desk) -> None:
    waits: list[float] = []
    one, other = (Governor(Buckets(desk.database, "s"), sleep=waits.append) for _ in range(2))
    answer: Any = Cost(requested=500, actual=500, available=600, maximum=2000, restore_rate=1)
    one.settle(one.hold("query { a { b } }", {}), answer)
    one.hold("query { a { b } }", {})
    assert waits == []
    other.hold("query { a { b } }", {})
    assert len(waits) == 1
    assert 300 < waits[0] <= 400


def test_a_quiet_store_writes_nothing(desk: Desk) -> None:
    """A poll every twenty seconds must not keep a disk awake."""
    buckets = Buckets(desk.database, "s")
    one = Governor(buckets)
    answer = Cost(requested=60, actual=20, available=1980, maximum=2000, restore_rate=100)
    one.settle(one.hold("query { a { b } }", {}), answer)
    kept = buckets.change(lambda books, now: (None, books))
    one.settle(one.hold("query { a { b } }", {}), answer)
    assert buckets.change(lambda books, now: (None, books)) == kept

"""A whole shop, every resource mapped: what both sides hold and what the report says of requests and points.

Small here; `python -m benchmarks.agreement` does it with 2,000 products.
"""

from __future__ import annotations

from benchmarks.agreement import agreement


def test_both_sides_hold_the_same_and_the_report_counts_as_the_store_does() -> None:
    found = agreement(4, orders=12, settled=False)
    assert found.in_grist == found.in_shopify
    assert all(found.in_shopify.values()), "a resource without a single thing proves nothing"
    assert found.told == found.counted

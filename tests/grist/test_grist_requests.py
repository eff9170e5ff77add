"""How many requests a whole run costs the document: what matters is what changed, never how much there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from grist_helpers import Place
from test_grist_with_engine import Shop, synced

ROWS = 60


@pytest.fixture
def shop(place: Place, tmp_path: Path) -> Iterator[Shop]:
    """Sixty variants, read for the first time a moment ago."""
    with synced(place, tmp_path / "sync.db", rows=ROWS) as made:
        yield made


def asked(shop: Shop) -> int:
    """The Grist requests of one run."""
    return shop.run().requests["grist"]


def test_a_quiet_poll_asks_once_even_right_after_the_first_sync(shop: Shop) -> None:
    assert [asked(shop), asked(shop)] == [1, 1]


def test_ten_edits_in_grist_cost_three_requests_and_the_next_poll_one(shop: Shop) -> None:
    rows = list(range(1, 11))
    shop.place.act(["BulkUpdateRecord", "Variants", rows, {"SKU": [f"new {row}" for row in rows]}])
    assert asked(shop) <= 4
    assert sorted(shop.sent("variants", "sku"))[-10:] == sorted(f"new {row}" for row in rows)
    asked(shop)  # Shopify says once more what we wrote there
    assert asked(shop) == 1


def test_ten_edits_in_shopify_cost_at_most_four_requests_and_the_next_poll_one(shop: Shop) -> None:
    for variant in list(shop.shopify.things["variants"])[:10]:
        shop.shopify.edit(variant, "price", "99.00")
    assert asked(shop) <= 4
    assert [row["Price"] for row in shop.place.rows("Variants").values()].count(99) == 10
    assert asked(shop) == 1


def test_what_a_person_types_between_our_bundles_is_not_taken_for_ours(shop: Shop) -> None:
    variant = next(iter(shop.shopify.things["variants"]))
    shop.shopify.edit(variant, "price", "99.00")
    shop.run(shop.typing("Variants", row=2, SKU="mine"))
    shop.run()
    assert "mine" in shop.sent("variants", "sku")


def test_what_a_formula_makes_of_our_write_is_looked_at(shop: Shop) -> None:
    sku = shop.place.columns("Variants")["SKU"]["colRef"]
    price = shop.place.columns("Variants")["Price"]["colRef"]
    shop.place.act(["UpdateRecord", "_grist_Tables_column", sku, {
        "formula": "'cost ' + str($Price)", "recalcWhen": 0, "recalcDeps": ["L", price]}])
    shop.run()
    variant = next(iter(shop.shopify.things["variants"]))
    shop.shopify.edit(variant, "price", "99.00")
    shop.run()
    shop.run()
    assert shop.shopify.thing(variant)["sku"].startswith("cost 99")

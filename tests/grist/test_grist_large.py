"""What runs cost over a large table: by hand, with GRIST_TEST_ROWS=100000 in the environment (some minutes)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from places import Place
from test_grist_requests import asked, note_requests
from test_grist_with_engine import synced

ROWS = int(os.environ.get("GRIST_TEST_ROWS", "0"))

pytestmark = [pytest.mark.skipif(not ROWS, reason="needs GRIST_TEST_ROWS: how large the table is"),
              pytest.mark.timeout(1_800)]


def test_ten_edits_of_many_rows_cost_four_requests_and_a_quiet_poll_one(place: Place, tmp_path: Path) -> None:
    with synced(place, tmp_path / "sync.db", rows=ROWS) as shop:
        assert len(place.rows("Variants")) == ROWS
        assert asked(shop) == 1
        place.act(["BulkUpdateRecord", "Variants", [1, 2, 3, 4, ROWS], {"SKU": ["a", "b", "c", "d", "e"]}])
        variants = list(shop.shopify.things["variants"])[-6:-1]
        for variant in variants:
            shop.shopify.edit(variant, "price", "99.00")
        named: list[str] = []
        shop.run(lambda connector: note_requests(connector, named))
        assert named == ["GET states", "GET compare", "POST list", "POST apply"]
        assert {"a", "b", "c", "d", "e"} <= set(shop.sent("variants", "sku"))
        prices: dict[str, Any] = {shop.cell("Variants", "Shopify_ID", row): shop.cell("Variants", "Price", row)
                                  for row in range(ROWS - 8, ROWS)}
        assert [prices[variant] for variant in variants] == [99] * 5
        asked(shop)
        assert asked(shop) == 1

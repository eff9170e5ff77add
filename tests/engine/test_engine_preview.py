"""A preview is what runs: by its fingerprint a sync does exactly that, or nothing."""

from __future__ import annotations

import pytest

from backend.errors import PreviewOutdated

from .conftest import Shop


def test_a_sync_of_a_preview_does_exactly_that(shop: Shop) -> None:
    shop.world.grist.type("Products", shop.row, "title", "Cup")
    shown = shop.world.run(preview=True)
    report = shop.world.run(only_plan=shown.fingerprint)
    assert shown.plan_total == 1
    assert report.totals["updated"] == 1
    assert shop.world.shopify.thing(shop.product)["title"] == "Cup"


@pytest.mark.parametrize("moved", ["grist", "shopify"])
def test_a_sync_of_a_preview_that_is_overtaken_writes_nothing(shop: Shop, moved: str) -> None:
    shop.world.grist.type("Products", shop.row, "title", "Cup")
    shown = shop.world.run(preview=True)
    if moved == "grist":
        shop.world.grist.type("Products", shop.row, "vendor", "Potter")
    else:
        shop.world.shopify.edit(shop.product, "title", "Beaker")
    with pytest.raises(PreviewOutdated, match="changed since this preview"):
        shop.world.run(only_plan=shown.fingerprint)
    assert shop.world.written == []
    shop.world.run()
    assert shop.world.written or shop.world.conflicts()


def test_a_preview_of_nothing_is_kept_too(shop: Shop) -> None:
    shown = shop.world.run(preview=True)
    shop.world.grist.type("Products", shop.row, "title", "Cup")
    with pytest.raises(PreviewOutdated):
        shop.world.run(only_plan=shown.fingerprint)
    shop.world.grist.type("Products", shop.row, "title", "Mug")
    assert shop.world.run(only_plan=shown.fingerprint).totals["updated"] == 0


def test_a_preview_with_something_in_it_is_outdated_once_there_is_nothing_to_do(shop: Shop) -> None:
    shop.world.grist.type("Products", shop.row, "title", "Cup")
    shown = shop.world.run(preview=True)
    shop.world.run()
    with pytest.raises(PreviewOutdated):
        shop.world.run(only_plan=shown.fingerprint)

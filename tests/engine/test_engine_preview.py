"""A preview is what runs: by its fingerprint a sync does exactly that, or nothing."""

from __future__ import annotations

import pytest

from backend.engine import LEFT_OPEN
from backend.errors import OutcomeUnknown, PreviewOutdated
from backend.session import UndoWanted
from backend.store import journal

from .conftest import Shop
from .world import lose_an_answer


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
    with pytest.raises(PreviewOutdated, match="changed since this preview") as outdated:
        shop.world.run(only_plan=shown.fingerprint)
    assert shop.world.written == []
    new = shop.world.run(preview=True)
    told = outdated.value.report
    assert (told.plan, told.plan_total, told.fingerprint) == (new.plan, new.plan_total, new.fingerprint)
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


def test_what_is_written_for_a_preview_says_so_in_the_journal(shop: Shop) -> None:
    world = shop.world

    def left_open() -> list[str | None]:
        with world.database.read() as tx:
            return [one.plan for one in journal.unsettled(tx, world.mapping("products"))]

    world.grist.type("Products", shop.row, "title", "Cup")
    shown = world.run(preview=True)
    lose_an_answer(world.shopify)
    with pytest.raises(OutcomeUnknown):
        world.run(only_plan=shown.fingerprint)
    assert left_open() == [shown.fingerprint]
    world.run()
    world.grist.type("Products", shop.row, "title", "Jug")
    lose_an_answer(world.shopify)
    with pytest.raises(OutcomeUnknown):
        world.run()
    assert left_open() == [None]


def test_a_conflict_keeps_the_states_that_its_values_were_first_seen_in(shop: Shop) -> None:
    world = shop.world

    def seen() -> dict[str, int]:
        [conflict] = world.conflicts()
        assert conflict.versions
        return conflict.versions

    world.grist.type("Products", shop.row, "title", "Cup")
    world.shopify.edit(shop.product, "title", "Jug")
    world.run()
    first = seen()
    assert first["grist"] > 0
    world.grist.type("Products", shop.row, "vendor", "Potter")
    world.run()
    assert seen() == first, "the values are those that were seen then"
    world.grist.type("Products", shop.row, "title", "Bowl")
    world.run()
    assert seen()["grist"] > first["grist"]


def test_where_an_earlier_sync_was_cut_off_a_preview_says_so(shop: Shop) -> None:
    world = shop.world
    world.grist.type("Products", shop.row, "title", "Cup")
    world.run()
    [line] = [row.id for row in world.history() if row.field == "title"]
    world.grist.type("Products", shop.row, "vendor", "Potter")
    lose_an_answer(world.shopify)
    with pytest.raises(OutcomeUnknown):
        world.run()
    assert LEFT_OPEN in world.run(preview=True).notes
    assert LEFT_OPEN in world.run(preview=True, undo=UndoWanted((line,))).notes
    world.run()
    assert LEFT_OPEN not in world.run(preview=True).notes

"""Lists of references, by the engine over a document (the stand-in, or a real Grist) and a store in memory: the
collections of a product are a Reference List column, and none of its members is ever lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from places import Place
from test_grist_with_engine import Shop, linked

from backend.core.mapping import default_mapping, in_order
from backend.core.model import Policy, Side
from backend.core.undo import REFERRED
from backend.report import Report
from backend.session import UndoWanted
from backend.shopify.resources import RESOURCES
from backend.store import changes, waiting


@pytest.fixture
def shop(place: Place, tmp_path: Path) -> Iterator[Shop]:
    """A mug in Summer (row 1) and in Sale (row 2), synced."""
    yield from _shop(place, tmp_path)


def _shop(place: Place, tmp_path: Path, **collections: object) -> Iterator[Shop]:
    wanted = [default_mapping(RESOURCES["products"], fields=("title", "collectionRefs")),
              default_mapping(RESOURCES["collections"], fields=("title",))]
    wanted = [replace(wanted[0], create_remote=True), replace(wanted[1], **{"create_remote": True} | collections)]
    with linked(place, tmp_path / "sync.db", in_order(wanted, list(RESOURCES))) as made:
        summer = made.shopify.add("collections", title="Summer")
        sale = made.shopify.add("collections", title="Sale")
        made.shopify.add("products", title="Mug", collectionRefs=[summer, sale])
        made.run()
        made.shopify.log.clear()
        yield made


def collections(shop: Shop) -> list[str]:
    return list(shop.shopify.things["collections"])


def mug(shop: Shop) -> str:
    return next(iter(shop.shopify.things["products"]))


def in_collections(shop: Shop, thing: str = "") -> list[str]:
    """The titles of the collections that a product is in, in Shopify."""
    refs = shop.shopify.thing(thing or mug(shop))["collectionRefs"] or ()
    return [str(shop.shopify.thing(one)["title"]) for one in refs]


def refusals(shop: Shop) -> list[tuple[str, str, bool]]:
    with shop.database.read() as tx:
        return [(one.field, one.message, one.waits) for one in waiting.refusals(tx, shop.link_id)]


def is_quiet(shop: Shop) -> bool:
    shop.shopify.log.clear()
    states = shop.place.states()
    shop.run()
    return (shop.shopify.log, shop.place.states()) == ([], states)


def test_the_table_gets_a_reference_list_that_shows_names(shop: Shop) -> None:
    column = shop.place.columns("Products")["In_collections"]
    assert (column["type"], column["label"]) == ("RefList:Collections", "In collections")
    assert column["visibleCol"] == shop.place.columns("Collections")["Title"]["colRef"]
    assert shop.cell("Products", "In_collections") == ["L", 1, 2]
    assert is_quiet(shop)


def test_what_either_side_adds_and_takes_away_is_carried_over(shop: Shop) -> None:
    summer, sale = collections(shop)
    shop.place.act(["UpdateRecord", "Products", 1, {"In_collections": ["L", 2]}])
    shop.run()
    assert in_collections(shop) == ["Sale"]
    shop.shopify.edit(mug(shop), "collectionRefs", [summer, sale])
    shop.run()
    assert shop.cell("Products", "In_collections") == ["L", 1, 2]
    shop.place.act(["UpdateRecord", "Products", 1, {"In_collections": None}])
    shop.run()
    assert in_collections(shop) == []
    assert is_quiet(shop)


def test_both_sides_edits_are_merged_and_the_order_that_somebody_chose_is_no_edit(shop: Shop) -> None:
    summer, sale = collections(shop)
    winter = shop.shopify.add("collections", title="Winter")
    shop.run()
    shop.place.act(["UpdateRecord", "Products", 1, {"In_collections": ["L", 2, 1]}])
    assert is_quiet(shop) is True
    assert shop.cell("Products", "In_collections") == ["L", 2, 1]
    shop.place.act(["UpdateRecord", "Products", 1, {"In_collections": ["L", 2]}])
    shop.shopify.edit(mug(shop), "collectionRefs", [summer, sale, winter])
    shop.run()
    assert in_collections(shop) == ["Sale", "Winter"]
    assert shop.cell("Products", "In_collections") == ["L", 2, 3]
    assert shop.conflicts() == []
    assert is_quiet(shop)


def test_a_collection_and_a_product_in_it_both_new_in_grist_are_made_in_order(shop: Shop) -> None:
    shop.place.act(["AddRecord", "Collections", None, {"Title": "Winter"}],
                   ["AddRecord", "Products", None, {"Title": "Scarf", "In_collections": ["L", 3, 1]}])
    shop.run()
    scarf = shop.shopify.things["products"].keys() - {mug(shop)}
    assert sorted(in_collections(shop, scarf.pop())) == ["Summer", "Winter"]
    assert shop.cell("Products", "In_collections", 2) == ["L", 3, 1]
    assert is_quiet(shop)


def test_a_list_with_a_row_that_shopify_lacks_waits_for_it_as_a_whole(shop: Shop) -> None:
    shop.place.act(["AddRecord", "Collections", None, {"Title": ""}],
                   ["UpdateRecord", "Products", 1, {"In_collections": ["L", 1, 3]}])
    shop.run()
    assert in_collections(shop) == ["Summer", "Sale"]
    assert ("collectionRefs", "In collections names a row that is not in Shopify yet, so the list was not sent.",
            True) in refusals(shop)
    for _ in range(4):
        shop.run()
    shop.place.act(["UpdateRecord", "Collections", 3, {"Title": "Winter"}])
    shop.run()
    shop.run()
    assert in_collections(shop) == ["Summer", "Winter"]
    assert shop.cell("Products", "In_collections") == ["L", 1, 3]
    assert refusals(shop) == []
    assert is_quiet(shop)


def test_a_new_product_is_made_without_the_list_that_waits_and_gets_it_later(shop: Shop) -> None:
    shop.place.act(["AddRecord", "Collections", None, {"Title": ""}],
                   ["AddRecord", "Products", None, {"Title": "Scarf", "In_collections": ["L", 1, 3]}])
    shop.run()
    scarf = (shop.shopify.things["products"].keys() - {mug(shop)}).pop()
    assert in_collections(shop, scarf) == []
    shop.place.act(["UpdateRecord", "Collections", 3, {"Title": "Winter"}])
    shop.run()
    shop.run()
    assert in_collections(shop, scarf) == ["Summer", "Winter"]
    assert shop.cell("Products", "In_collections", 2) == ["L", 1, 3]
    assert is_quiet(shop)


def test_a_list_with_a_thing_that_has_no_row_stays_as_it_is_on_both_sides(place: Place, tmp_path: Path) -> None:
    for shop in _shop(place, tmp_path, create_local=False):
        assert shop.cell("Products", "In_collections") is None
        assert refusals(shop) == [(
            "collectionRefs", "In collections in Shopify holds 2 things that have no row in Grist, so the list is left "
            "as it is on both sides.", False)]
        shop.mappings = [replace(one, create_local=True) for one in shop.mappings]
        shop.run()
        assert shop.cell("Products", "In_collections") == ["L", 1, 2]
        assert refusals(shop) == []
        assert is_quiet(shop)


def test_a_deleted_row_takes_no_product_out_of_its_collection(shop: Shop) -> None:
    shop.place.act(["BulkRemoveRecord", "Collections", [2]])
    assert shop.cell("Products", "In_collections") == ["L", 1]
    shop.run()
    assert in_collections(shop) == ["Summer", "Sale"]
    assert [(name, waits) for name, _, waits in refusals(shop)] == [("collectionRefs", False)]
    with shop.database.write() as tx:
        [deletion] = waiting.deletions(tx, shop.link_id)
        waiting.approve_deletions(tx, shop.link_id, [deletion.id], "me")
    # Shopify takes the products out of a collection that is deleted.
    shop.shopify.edit(mug(shop), "collectionRefs", [collections(shop)[0]])
    shop.run()
    assert [shop.shopify.thing(one)["title"] for one in collections(shop)] == ["Summer"]
    assert (in_collections(shop), shop.cell("Products", "In_collections")) == (["Summer"], ["L", 1])
    shop.run()
    assert refusals(shop) == []
    assert is_quiet(shop)


def test_a_row_that_comes_back_is_put_into_the_lists_again(shop: Shop) -> None:
    sale = collections(shop)[1]
    shop.place.act(["BulkRemoveRecord", "Collections", [2]])
    shop.run()
    shop.place.act(["AddRecord", "Collections", None, {"Title": "Sale", "Shopify_ID": sale}])
    shop.run()
    shop.run()
    assert shop.cell("Products", "In_collections") == ["L", 1, 2]
    assert in_collections(shop) == ["Summer", "Sale"]
    assert refusals(shop) == []
    assert is_quiet(shop)


def test_a_column_of_another_table_pauses_the_list_only(shop: Shop) -> None:
    shop.place.act(["ModifyColumn", "Products", "In_collections", {"type": "RefList:Products"}])
    shop.shopify.edit(mug(shop), "title", "Cup")
    report = shop.run()
    assert ("Column 'In_collections' in table 'Products' holds lists of references to table 'Products', but a Shopify "
            "in collections is a list of references to table 'Collections'.") in " ".join(report.notes)
    assert shop.cell("Products", "Title") == "Cup"
    assert in_collections(shop) == ["Summer", "Sale"]


# --- an undo --------------------------------------------------------------------------------------------


def of_history(shop: Shop, kind: str, field: str = "") -> list[int]:
    """The lines of a kind, oldest first."""
    with shop.database.read() as tx:
        return [one.id for one in changes.page(tx, shop.link_id, limit=100)[::-1]
                if one.kind == kind and (not field or one.field == field)]


def undo(shop: Shop, *lines: int) -> Report:
    return shop.run(undo=UndoWanted(changes=lines))


@pytest.mark.parametrize("side", list(Side))
def test_a_list_that_a_sync_wrote_is_taken_back_on_both_sides(shop: Shop, side: Side) -> None:
    summer, _ = collections(shop)
    if side is Side.REMOTE:
        shop.place.act(["UpdateRecord", "Products", 1, {"In_collections": ["L", 1]}])
    else:
        shop.shopify.edit(mug(shop), "collectionRefs", [summer])
    shop.run()
    assert (in_collections(shop), shop.cell("Products", "In_collections")) == (["Summer"], ["L", 1])
    report = undo(shop, *of_history(shop, "update", "collectionRefs"))
    assert (report.undone, report.stays) == (1, [])
    assert (in_collections(shop), shop.cell("Products", "In_collections")) == (["Summer", "Sale"], ["L", 1, 2])
    assert is_quiet(shop)


def test_of_a_list_that_was_edited_since_only_what_the_sync_did_is_taken_back(shop: Shop) -> None:
    winter = shop.shopify.add("collections", title="Winter")
    shop.run()
    shop.place.act(["UpdateRecord", "Products", 1, {"In_collections": ["L", 1]}])
    shop.run()
    shop.shopify.edit(mug(shop), "collectionRefs", [collections(shop)[0], winter])
    shop.run()
    report = undo(shop, of_history(shop, "update", "collectionRefs")[0])
    assert (report.undone, report.stays) == (1, [])
    assert in_collections(shop) == ["Summer", "Sale", "Winter"]
    assert shop.cell("Products", "In_collections") == ["L", 1, 2, 3]
    assert is_quiet(shop)


def test_a_row_that_a_list_names_stays(shop: Shop) -> None:
    made = of_history(shop, "create")
    with shop.database.read() as tx:
        sale = next(one.id for one in changes.page(tx, shop.link_id, limit=100) if one.title == "Sale")
    report = undo(shop, sale)
    assert [one["reason"] for one in report.stays] == [REFERRED]
    assert shop.cell("Products", "In_collections") == ["L", 1, 2]
    assert is_quiet(shop)
    report = undo(shop, *made)
    assert (report.undone, report.stays) == (3, [])
    assert (shop.place.rows("Products"), shop.place.rows("Collections")) == ({}, {})
    assert in_collections(shop) == ["Summer", "Sale"]
    assert is_quiet(shop)


def test_a_row_with_a_list_comes_back_with_it(shop: Shop) -> None:
    shop.mappings = [replace(one, delete_local=Policy.APPLY) for one in shop.mappings]
    shop.shopify.delete(mug(shop))
    shop.run()
    assert shop.place.rows("Products") == {}
    report = undo(shop, *of_history(shop, "delete"))
    assert (report.undone, report.stays) == (1, [])
    assert shop.cell("Products", "In_collections") == ["L", 1, 2]
    assert refusals(shop) == []
    assert is_quiet(shop)


def test_a_row_that_comes_back_without_its_thing_is_put_into_no_list(shop: Shop) -> None:
    """The product is in that collection no more, in Shopify; a list is told as a whole, so it would wait for ever."""
    shop.mappings = [replace(one, delete_local=Policy.APPLY) for one in shop.mappings]
    summer, sale = collections(shop)
    shop.shopify.edit(mug(shop), "collectionRefs", [summer])
    shop.shopify.remove(sale)
    shop.run()
    report = undo(shop, *of_history(shop, "delete"))
    assert (report.undone, report.stays) == (1, [])
    assert [row["Title"] for row in shop.place.rows("Collections").values()] == ["Summer", "Sale"]
    assert (in_collections(shop), shop.cell("Products", "In_collections")) == (["Summer"], ["L", 1])
    shop.run()
    assert refusals(shop) == []
    assert is_quiet(shop)

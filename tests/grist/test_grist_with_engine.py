"""The engine over a document (the stand-in, or a real Grist) and a store in memory: what people type in the moment of
a write, and what a bundle of ours changes besides what was sent, is merged or asked for like any other edit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from places import Place
from twins import MemoryShopify

from backend import engine
from backend.core.mapping import default_mapping
from backend.core.model import Mapping, Policy
from backend.errors import BrakeError, RetryLater
from backend.grist.client import AWAY_SECONDS
from backend.grist.connector import GristConnector
from backend.report import Report
from backend.session import Session, UndoWanted
from backend.shopify.resources import RESOURCES
from backend.store import changes, links, runs, waiting
from backend.store.db import Database
from backend.store.waiting import OpenConflict

FIELDS = {
    "products": ("title", "vendor", "tags"),
    "variants": ("product", "sku", "price"),
    "locations": ("name",),
    "inventory": ("variant", "location", "available"),
}


@dataclass
class Shop:
    """One product, one variant, ten pieces at one location, synced."""

    place: Place
    database: Database
    link_id: int
    mappings: list[Mapping]
    shopify: MemoryShopify

    def run(
        self, upset: Callable[[GristConnector], Any] = lambda connector: None, *, everything: bool = False,
        undo: UndoWanted | None = None,
    ) -> Report:
        """One run with a fresh connector, which `upset` may prepare for what is to happen meanwhile."""
        connector = self.place.connector()
        upset(connector)
        with self.database.write() as tx:
            runs.request(tx, self.link_id, "sync", "somebody")
            claimed = runs.claim(tx, "test")
        assert claimed is not None
        with self.database.read() as tx:
            bindings = {one.resource: one.binding for one in links.mappings(tx, self.link_id) if one.binding}
        session = Session(self.database, self.link_id, claimed.id, self.mappings, connector, self.shopify, bindings,
                          rest_seconds=0, everything=everything)
        try:
            return engine.undo(session, undo) if undo else engine.sync(session)
        finally:
            with self.database.write() as tx:
                runs.finish(tx, claimed, "test", "done", None)

    def conflicts(self) -> list[OpenConflict]:
        with self.database.read() as tx:
            return waiting.conflicts(tx, self.link_id)

    def typing(self, table: str, row: int = 1, **cells: Any) -> Callable[[GristConnector], None]:
        """A person types into `table` right before the next bundle that writes to it."""
        def upset(connector: GristConnector) -> None:
            client = connector._client
            original = client.apply

            def apply(actions: Any) -> Any:
                if any(action[1] == table for action in actions):
                    client.apply = original
                    self.place.act(["UpdateRecord", table, row, cells])
                return original(actions)

            client.apply = apply

        return upset

    def sent(self, resource: str, field: str) -> list[Any]:
        """What Shopify holds in a field of all its things."""
        return [self.shopify.thing(thing)[field] for thing in self.shopify.things[resource]]

    def cell(self, table: str, column: str, row: int = 1) -> Any:
        return self.place.rows(table)[row][column]


@contextmanager
def synced(place: Place, database_file: Path, rows: int = 1) -> Iterator[Shop]:
    """A shop after its first sync, with one product that has so many variants."""
    mappings = [default_mapping(RESOURCES[name], fields=fields) for name, fields in FIELDS.items()]
    mappings[0] = replace(mappings[0], delete_local=Policy.APPLY)
    with linked(place, database_file, mappings) as made:
        _fill(made.shopify, rows)
        made.run()
        made.shopify.log.clear()
        yield made


@contextmanager
def linked(place: Place, database_file: Path, wanted: list[Mapping]) -> Iterator[Shop]:
    """A document and an empty store, linked by these mappings."""
    database = Database(f"sqlite:///{database_file}")
    database.migrate()
    with database.write() as tx:
        link_id = links.add(tx, "a-shop.myshopify.com", place.url, place.doc_id, None)
        links.set_mappings(tx, link_id, [{"resource": one.name} for one in wanted])
        ids = {one.resource: one.id for one in links.mappings(tx, link_id)}
    mappings = [replace(one, id=ids[one.name]) for one in wanted]
    yield Shop(place, database, link_id, mappings, MemoryShopify(mappings))
    database.dispose()


def _fill(shopify: MemoryShopify, rows: int) -> None:
    product = shopify.add("products", title="Mug", vendor="v", tags=["blue"])
    variant = shopify.add("variants", product=product, sku="m1", price="12.50")
    for number in range(2, rows + 1):
        shopify.add("variants", product=product, sku=f"m{number}", price="12.50")
    location = shopify.add("locations", name="Shelf")
    shopify.add("inventory", variant=variant, location=location, available=10)


@pytest.fixture
def shop(place: Place, tmp_path: Path) -> Iterator[Shop]:
    with synced(place, tmp_path / "sync.db") as made:
        yield made


def test_a_text_typed_in_the_moment_of_a_write_becomes_a_conflict(shop: Shop) -> None:
    product = next(iter(shop.shopify.things["products"]))
    shop.shopify.edit(product, "title", "Cup")
    shop.shopify.edit(product, "vendor", "w")
    report = shop.run(shop.typing("Products", Title="Beaker"))
    assert shop.cell("Products", "Title") == "Beaker"
    assert shop.cell("Products", "Vendor") == "w"
    [conflict] = shop.conflicts()
    assert (conflict.field, conflict.local, conflict.remote) == ("title", "Beaker", "Cup")
    assert report.notes == []
    choice = {"keep": "grist", "value": None, "local": "Beaker", "remote": "Cup", "by": "owner"}
    with shop.database.write() as tx:
        waiting.choose(tx, conflict.id, choice)
    shop.run()
    assert shop.shopify.thing(product)["title"] == "Beaker"
    assert shop.conflicts() == []
    shop.shopify.log.clear()
    states = shop.place.states()
    shop.run()
    assert (shop.shopify.log, shop.place.states()) == ([], states)


def test_stock_typed_in_the_moment_of_a_merge_is_merged_too(shop: Shop) -> None:
    level = next(iter(shop.shopify.things["inventory"]))
    shop.place.act(["UpdateRecord", "Inventory", 1, {"Available": 15}])
    shop.shopify.sell(level, 2)
    shop.run(shop.typing("Inventory", Available=16))  # 10: five more, two sold, and then one more
    assert shop.cell("Inventory", "Available") == 14
    assert shop.shopify.thing(level)["available"] == 14
    assert shop.conflicts() == []


def test_tags_typed_in_the_moment_of_a_merge_are_merged_too(shop: Shop) -> None:
    product = next(iter(shop.shopify.things["products"]))
    shop.shopify.edit(product, "tags", ["blue", "new"])
    shop.run(shop.typing("Products", Tags=["L", "blue", "mine"]))
    assert shop.cell("Products", "Tags") == ["L", "blue", "mine", "new"]
    assert shop.shopify.thing(product)["tags"] == ("blue", "mine", "new")


def test_a_reference_and_a_price_typed_in_that_moment_survive(shop: Shop) -> None:
    variant = next(iter(shop.shopify.things["variants"]))
    shop.shopify.edit(variant, "price", "20.00")
    shop.run(shop.typing("Variants", Price=13))
    assert shop.cell("Variants", "Price") == 13
    assert [(c.field, str(c.local), str(c.remote)) for c in shop.conflicts()] == [("price", "13.00", "20.00")]


def test_a_row_edited_in_the_moment_of_its_deletion_is_asked_for(shop: Shop) -> None:
    product = next(iter(shop.shopify.things["products"]))
    shop.shopify.delete(product)
    shop.run(shop.typing("Products", Title="Beaker"))
    assert shop.cell("Products", "Title") == "Beaker"
    assert shop.cell("Variants", "Product") == 1
    [conflict] = [one for one in shop.conflicts() if one.mapping_id == shop.mappings[0].id]
    assert conflict.field == ""


def test_a_row_removed_in_the_moment_of_a_write_is_a_deletion_against_an_edit(shop: Shop) -> None:
    product = next(iter(shop.shopify.things["products"]))
    shop.shopify.edit(product, "title", "Cup")

    def upset(connector: GristConnector) -> None:
        original = connector._client.apply

        def apply(actions: Any) -> Any:
            connector._client.apply = original
            shop.place.act(["BulkRemoveRecord", "Products", [1]])
            return original(actions)

        connector._client.apply = apply

    shop.run(upset)
    shop.run()
    [conflict] = [one for one in shop.conflicts() if one.mapping_id == shop.mappings[0].id]
    assert conflict.field == ""


def test_a_sync_that_is_undone_leaves_both_sides_as_they_were(shop: Shop) -> None:
    product, variant = (next(iter(shop.shopify.things[name])) for name in ("products", "variants"))
    shop.place.act(["UpdateRecord", "Variants", 1, {"Price": 13}])
    shop.shopify.edit(product, "title", "Cup")
    shop.run()
    assert (shop.cell("Products", "Title"), str(shop.shopify.thing(variant)["price"])) == ("Cup", "13.00")
    with shop.database.read() as tx:
        lines = [one.id for one in changes.page(tx, shop.link_id, limit=2)]
    shop.run(undo=UndoWanted(changes=tuple(lines)))
    for _ in range(2):  # and a sync after it keeps that
        assert (shop.cell("Products", "Title"), shop.cell("Variants", "Price")) == ("Mug", 12.5)
        assert (shop.shopify.thing(product)["title"], str(shop.shopify.thing(variant)["price"])) == ("Mug", "12.50")
        shop.run()
    assert shop.conflicts() == []


# --- a field that cannot run for a while -----------------------------------------------------------------


def test_a_column_gone_for_a_while_empties_nothing_and_keeps_its_conflict(shop: Shop) -> None:
    product = next(iter(shop.shopify.things["products"]))
    shop.place.act(["UpdateRecord", "Products", 1, {"Vendor": "mine"}])
    shop.shopify.edit(product, "vendor", "theirs")
    shop.run()
    assert [one.field for one in shop.conflicts()] == ["vendor"]
    shop.place.act(["ModifyColumn", "Products", "Vendor", {"type": "Int"}])
    shop.shopify.edit(product, "title", "Cup")
    report = shop.run()
    assert any("vendor of products is not synced" in note for note in report.notes)
    assert shop.cell("Products", "Title") == "Cup"
    assert (shop.cell("Products", "Vendor"), shop.shopify.thing(product)["vendor"]) == ("mine", "theirs")
    assert [one.field for one in shop.conflicts()] == ["vendor"]
    shop.place.act(["ModifyColumn", "Products", "Vendor", {"type": "Text"}])
    shop.place.act(["UpdateRecord", "Products", 1, {"Vendor": "theirs"}])
    shop.run()
    assert shop.conflicts() == []


# --- what a bundle of ours changes besides what was sent -------------------------------------------------


def test_a_trigger_formula_that_tidies_our_value_up_is_carried_to_shopify_in_the_same_run(shop: Shop) -> None:
    title = shop.place.columns("Products")["Title"]["colRef"]
    shop.place.act(["UpdateRecord", "_grist_Tables_column", title, {
        "formula": "value.upper()", "recalcWhen": 0, "recalcDeps": ["L", title]}])
    product = next(iter(shop.shopify.things["products"]))
    shop.shopify.edit(product, "title", "Cup")
    shop.run()
    assert shop.cell("Products", "Title") == "CUP"
    assert shop.shopify.thing(product)["title"] == "CUP"
    assert shop.conflicts() == []


def test_what_a_trigger_formula_makes_of_our_value_reaches_shopify(shop: Shop) -> None:
    column = shop.place.columns("Products")["Vendor"]["colRef"]
    title = shop.place.columns("Products")["Title"]["colRef"]
    shop.place.act(["UpdateRecord", "_grist_Tables_column", column, {
        "formula": "$Title + '!'", "recalcWhen": 0, "recalcDeps": ["L", title]}])
    product = next(iter(shop.shopify.things["products"]))
    shop.shopify.edit(product, "title", "Cup")
    shop.run()
    assert shop.cell("Products", "Vendor") == "Cup!"
    shop.run()
    assert shop.shopify.thing(product)["vendor"] == "Cup!"
    assert shop.conflicts() == []


def test_references_cleared_by_our_removal_are_seen_by_the_next_look(shop: Shop) -> None:
    product = next(iter(shop.shopify.things["products"]))
    shop.shopify.remove(product)
    shop.run()
    assert shop.place.rows("Products") == {}
    assert shop.cell("Variants", "Product") == 0


def test_a_change_of_nearly_everything_is_read_whole_and_the_report_says_so(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.grist.connector.BY_ID", 0)
    shop.place.act(["UpdateRecord", "Variants", 1, {"SKU": "new"}])
    report = shop.run()
    assert report.way == "Only what changed was read; of variants so much in Grist that all of it was."
    assert shop.sent("variants", "sku") == ["new"]


# --- a document that is away for a while ---------------------------------------------------------------


@pytest.mark.parametrize(("state", "said"), [
    ("trashed", "in the trash"), ("disabled", "switched off"), ("recovery", "in recovery mode")])
def test_a_document_that_is_away_pauses_the_sync_which_goes_on_by_itself(shop: Shop, state: str, said: str) -> None:
    shop.place.act(["ModifyColumn", "Products", "Vendor", {"isFormula": True, "formula": "'v'"}])
    shop.run()
    product = next(iter(shop.shopify.things["products"]))
    shop.shopify.edit(product, "title", "Cup")
    shop.place.put_away(state, away=True)
    with pytest.raises(RetryLater, match=said) as stopped:
        shop.run()
    assert stopped.value.retry_after == AWAY_SECONDS
    shop.place.put_away(state, away=False)
    assert shop.cell("Products", "Title") == "Mug"
    shop.run()
    assert shop.cell("Products", "Title") == "Cup"
    assert shop.conflicts() == []


# --- snapshots and copies ------------------------------------------------------------------------------


def test_a_document_put_back_to_a_snapshot_stops_before_anything_is_written(shop: Shop) -> None:
    document = shop.place.grist.documents[shop.place.doc_id] if shop.place.grist else None
    kept = document.history.newest.n if document else shop.place.copied()
    shop.place.act(["UpdateRecord", "Products", 1, {"Title": "Cup"}])
    shop.run()
    product = next(iter(shop.shopify.things["products"]))
    assert shop.shopify.thing(product)["title"] == "Cup"
    if document:
        document.restore(int(kept))
    else:
        shop.place.go_back_to(str(kept))
    shop.shopify.log.clear()
    with pytest.raises(BrakeError, match="older state"):
        shop.run()
    assert (shop.shopify.log, shop.cell("Products", "Title")) == ([], "Mug")


@pytest.mark.parametrize("how", ["copied", "forked"])
def test_a_copy_or_fork_of_a_synced_document_is_not_written_before_somebody_says_so(shop: Shop, how: str) -> None:
    if how == "forked" and shop.place.grist is not None:
        pytest.skip("only a real Grist makes forks")
    other = Place(shop.place.url, getattr(shop.place, how)(), shop.place.key, shop.place.grist)
    with shop.database.write() as tx:
        link_id = links.add(tx, "a-shop.myshopify.com", other.url, other.doc_id, None)
        links.set_mappings(tx, link_id, [{"resource": one.name} for one in shop.mappings])
        ids = {one.resource: one.id for one in links.mappings(tx, link_id)}
    there = replace(shop, place=other, link_id=link_id, mappings=[
        replace(one, id=ids[one.name]) for one in shop.mappings])
    states = other.states()
    other.act(["UpdateRecord", "Products", 1, {"Title": "Cup"}])
    with pytest.raises(BrakeError, match="copy"):
        there.run()
    assert (shop.shopify.log, other.states()) == ([], states + 1)

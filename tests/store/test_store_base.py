"""Pairs and bases, links and mappings, and the history: what goes in comes out as it was."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa
from store_helpers import GID

from backend.core.values import UNREAD, Unfit
from backend.store import base, changes, links, runs
from backend.store.tables import change

PRODUCT = "gid://shopify/Product/1"


def one_pair(tx, mapping):
    (pair,) = base.pairs(tx, mapping)
    return pair


def test_a_new_pair_has_agreed_on_nothing(desk):
    with desk.write() as tx:
        base.join(tx, desk.variants.id, [(7, GID.format(1))])
        pair = one_pair(tx, desk.variants)
    assert (pair.local, pair.remote, pair.marked, pair.shown) == (7, GID.format(1), False, {})
    assert set(pair.base_local) == set(pair.base_remote) == {UNREAD}


def test_bases_come_back_as_the_values_they_were(desk):
    held = {"product": PRODUCT, "sku": None, "price": Decimal("19.90")}
    typed = held | {"price": Unfit("about twenty")}
    with desk.write() as tx:
        base.insert(tx, desk.variants.id, [(7, GID.format(1), typed, held)], marked=True)
        pair = one_pair(tx, desk.variants)
    assert desk.variants.values(pair.base_local) == typed
    assert desk.variants.values(pair.base_remote) == held
    assert pair.marked


def test_what_refers_to_a_thing_is_found_alone_or_in_a_list(desk):
    with desk.write() as tx:
        base.insert(tx, desk.variants.id, [
            (1, GID.format(1), {"product": PRODUCT}, {}), (2, GID.format(2), {"product": f"{PRODUCT}0"}, {})],
            marked=True)
        base.insert(tx, desk.products.id, [
            (5, PRODUCT, {"tags": ("x_1", PRODUCT)}, {}), (6, f"{PRODUCT}0", {"tags": (f"{PRODUCT}0", "xA1")}, {}),
            (7, f"{PRODUCT}1", {"tags": ()}, {})], marked=True)
        assert base.referring(tx, desk.variants.id, "product", {PRODUCT, "z"}) == [(GID.format(1), PRODUCT, 1)]
        assert base.listing(tx, desk.products.id, "tags", {PRODUCT, "z"}) == [(PRODUCT, PRODUCT, 5)]
        assert base.listing(tx, desk.products.id, "tags", {"x_1"}) == [(PRODUCT, "x_1", 5)]


def test_bases_move_on_field_by_field(desk):
    with desk.write() as tx:
        base.insert(tx, desk.variants.id, [(n, GID.format(n), {"sku": "A"}, {"sku": "A"}) for n in (1, 2)], marked=True)
        base.advance(tx, desk.variants.id, [
            (GID.format(1), {"price": Decimal("2")}, {"price": Decimal("2.00")}, {"price": (Decimal("1"), None)}),
            (GID.format(1), {"sku": "B"}, {}, {}),
            (GID.format(99), {"sku": "nobody"}, {}, {}),
        ])
        first, second = sorted(base.pairs(tx, desk.variants), key=lambda pair: pair.local)
    assert desk.variants.values(first.base_local) == {"sku": "B", "price": Decimal("2")}
    assert desk.variants.values(first.base_remote) == {"sku": "A", "price": Decimal("2.00")}
    assert first.shown == {"price": (Decimal("1"), None)}
    assert desk.variants.values(second.base_local) == {"sku": "A"}


def test_whose_lists_name_a_thing_is_found(desk):
    lists = {1: ("a", "b"), 2: ("b",), 3: None, 4: Unfit("a")}
    with desk.write() as tx:
        base.insert(tx, desk.variants.id, [(n, GID.format(n), {"product": held}, {}) for n, held in lists.items()],
                    marked=True)
        base.insert(tx, desk.variants.id, [(9, GID.format(9), {"sku": "a"}, {})], marked=True)
        found = base.listing(tx, desk.variants.id, "product", {"a", "c"})
    assert found == [(GID.format(1), "a", 1)]


def test_what_was_not_read_never_touches_a_base(desk):
    with desk.write() as tx:
        base.insert(tx, desk.variants.id, [(1, GID.format(1), {"sku": "A"}, {"sku": "A"})], marked=True)
        base.advance(tx, desk.variants.id, [(GID.format(1), {"sku": UNREAD}, {"sku": UNREAD}, {})])
        pair = one_pair(tx, desk.variants)
    assert desk.variants.values(pair.base_local) == desk.variants.values(pair.base_remote) == {"sku": "A"}


def test_bases_fit_the_fields_of_today(desk):
    with desk.write() as tx:
        base.insert(tx, desk.variants.id, [(1, GID.format(1), {"sku": "A", "barcode": "9"}, {})], marked=True)
        fewer = desk.variants.with_fields(rule for rule in desk.variants.fields if rule.name != "sku")
        assert one_pair(tx, fewer).base_local == (UNREAD, UNREAD)
        assert one_pair(tx, desk.variants).base_local == (UNREAD, "A", UNREAD)


def test_fields_that_moved_to_another_column_are_forgotten(desk):
    values = {"sku": "A", "price": Decimal("1")}
    with desk.write() as tx:
        base.insert(tx, desk.variants.id, [(1, GID.format(1), values, values)], marked=True)
        base.advance(tx, desk.variants.id, [(GID.format(1), {}, {}, {"sku": ("0",), "price": (None,)})])
        base.forget(tx, desk.variants.id, [])
        assert desk.variants.values(one_pair(tx, desk.variants).base_local) == values
        base.forget(tx, desk.variants.id, ["sku"])
        pair = one_pair(tx, desk.variants)
    assert desk.variants.values(pair.base_local) == desk.variants.values(pair.base_remote) == {"price": Decimal("1")}
    assert pair.shown == {"price": (None,)}


def test_many_pairs_are_marked_moved_on_and_dissolved(desk):
    many = base.CHUNK * 2 + 3
    things = [GID.format(n) for n in range(1, many + 1)]
    with desk.write() as tx:
        base.join(tx, desk.variants.id, list(enumerate(things, 1)))
        base.mark(tx, desk.variants.id, range(2, many + 1))
        base.advance(tx, desk.variants.id, [(thing, {"sku": thing}, {}, {}) for thing in things])
        pairs = base.pairs(tx, desk.variants)
        assert [pair.marked for pair in pairs].count(False) == 1
        assert all(pair.base_local[1] == pair.remote for pair in pairs)
        base.dissolve(tx, desk.variants.id, things[1:])
        assert base.keys(tx, desk.variants.id) == [(1, GID.format(1))]


@pytest.mark.parametrize("many", [base.MANY, 0], ids=["by lists of keys", "by going through all"])
def test_the_places_of_some_rows_and_things_are_found(desk, monkeypatch, many):
    monkeypatch.setattr(base, "MANY", many)
    mapping_id, things = desk.variants.id, [GID.format(n) for n in range(6)]
    with desk.write() as tx:
        base.join(tx, mapping_id, list(enumerate(things))[1:])
        assert sorted(base.places(tx, mapping_id, {2, 3, 9}, {things[3], things[5]})) == [
            (n, things[n]) for n in (2, 3, 5)]
        assert base.places(tx, mapping_id, (), ()) == []


def test_rows_may_change_places(desk):
    with desk.write() as tx:
        base.join(tx, desk.variants.id, [(1, GID.format(1)), (2, GID.format(2))])
        base.move(tx, desk.variants.id, [(GID.format(1), 2), (GID.format(2), 1)])
        assert sorted(base.keys(tx, desk.variants.id)) == [(1, GID.format(2)), (2, GID.format(1))]


@pytest.mark.parametrize("second", [(1, GID.format(2)), (2, GID.format(1))])
def test_a_row_and_a_thing_are_in_one_pair_only(desk, second):
    with pytest.raises(sa.exc.IntegrityError), desk.write() as tx:
        base.join(tx, desk.variants.id, [(1, GID.format(1)), second])


def test_the_same_row_number_of_another_table_is_another_row(desk):
    with desk.write() as tx:
        base.join(tx, desk.variants.id, [(1, GID.format(1))])
        base.join(tx, desk.products.id, [(1, PRODUCT)])
        base.dissolve(tx, desk.products.id, [GID.format(1), PRODUCT])
        assert base.keys(tx, desk.variants.id) == [(1, GID.format(1))]


def test_a_thing_is_found_by_what_it_holds_among_however_many_texts(desk):
    """Somebody pastes many new rows: the one that names a living thing must be found wherever it stands."""
    with desk.write() as tx:
        base.insert(tx, desk.variants.id, [
            (n, GID.format(n), {}, {"sku": f"ZZZ-{n}", "title": "S"}) for n in (1, 2)], marked=True)
        many = {f"aaa-{number}" for number in range(2_000)} | {"zzz-1"}
        assert base.holding(tx, desk.variants.id, {"sku": many}) == {GID.format(1)}
        assert base.holding(tx, desk.variants.id, {"title": {"s"}, "sku": many}) == {GID.format(1)}
        assert base.holding(tx, desk.variants.id, {"title": {"m"}, "sku": many}) == set()


# --- links --------------------------------------------------------------------------------------


def test_a_document_has_one_link(desk):
    with desk.read() as tx:
        assert links.of_document(tx, "https://grist.example", "abc123").id == desk.link_id
        assert links.of_document(tx, "https://another.example", "abc123") is None
        assert [one.id for one in links.all_links(tx)] == [desk.link_id, desk.other_link_id]
        assert links.get(tx, 99) is None
    with pytest.raises(sa.exc.IntegrityError), desk.write() as tx:
        links.add(tx, "b.myshopify.com", "https://grist.example", "abc123", None)


def test_a_mapping_taken_out_of_the_file_is_switched_off_with_its_pairs_kept(desk):
    with desk.write() as tx:
        base.join(tx, desk.variants.id, [(1, GID.format(1))])
        links.remember_binding(tx, desk.variants.id, {"table": 3}, None)
        before = {one.resource: one for one in links.mappings(tx, desk.link_id)}
        links.set_mappings(tx, desk.link_id, [before["products"].settings])
        off = {one.resource: one for one in links.mappings(tx, desk.link_id)}["variants"]
        assert off.settings == {**before["variants"].settings, "off": True}
        links.set_mappings(tx, desk.link_id, [before["products"].settings, before["variants"].settings])
        again = {one.resource: one for one in links.mappings(tx, desk.link_id)}["variants"]
        assert (again.id, again.settings, again.binding) == (off.id, before["variants"].settings, {"table": 3})
        assert base.keys(tx, desk.variants.id) == [(1, GID.format(1))]


def test_a_paused_mapping_keeps_the_binding_it_had(desk):
    with desk.write() as tx:
        links.remember_binding(tx, desk.variants.id, {"table": 3}, None)
        links.remember_binding(tx, desk.variants.id, {"table": 9}, "The table was made again.")
        links.remember_rows(tx, desk.variants.id, 12)
        one = links.mappings(tx, desk.link_id)[1]
        assert (one.binding, one.paused, one.rows) == ({"table": 3}, "The table was made again.", 12)
        links.remember_binding(tx, desk.variants.id, None, None)
        assert (links.mappings(tx, desk.link_id)[1].binding, links.mappings(tx, desk.link_id)[1].paused) == (
            {"table": 3}, None)


def test_what_a_link_learns(desk):
    with desk.write() as tx:
        links.set_interval(tx, desk.link_id, 900)
        links.set_shop(tx, desk.link_id, {"name": "Blåbær"})
        assert links.get(tx, desk.link_id).synced_at is None
        links.mark_synced(tx, desk.link_id)
        one = links.get(tx, desk.link_id)
    assert (one.interval_seconds, one.shop) == (900, {"name": "Blåbær"})
    assert one.synced_at > 1.7e9


# --- history ------------------------------------------------------------------------------------


def test_history_comes_newest_first_in_pages_with_who_did_it(desk):
    with desk.write() as tx:
        run_id = runs.request(tx, desk.link_id, "sync", "Ann")
        line = {"run_id": run_id, "mapping_id": desk.variants.id, "side": "remote", "kind": "update", "local_key": 1,
                "remote_key": GID.format(1), "field": "price", "title": "Linen shirt", "why": "your choice"}
        changes.add(tx, [])
        changes.add(tx, [line | {"before": changes.as_json(Decimal(n)), "after": changes.as_json(None)}
                         for n in range(5)])
        newest = changes.page(tx, desk.link_id, limit=2)
        older = changes.page(tx, desk.link_id, before=newest[-1].id, limit=10)
        assert changes.page(tx, desk.other_link_id) == []
        moments = set(tx.execute(sa.select(change.c.at)).scalars())
    assert [row.before for row in (*newest, *older)] == ["4", "3", "2", "1", "0"]
    assert (newest[0].started_by, newest[0].after, newest[0].why) == ("Ann", None, "your choice")
    assert len(moments) == 1


def test_values_and_whole_rows_are_kept_as_json():
    row = {"price": Decimal("1.50"), "tags": ("a", "b"), "sku": UNREAD, "title": None}
    assert changes.as_json(row) == {"price": "1.50", "tags": ["a", "b"], "title": None}
    assert changes.as_json(Unfit("ten")) == {"unfit": "ten"}
    assert changes.as_json(UNREAD) is None



"""What the engine relies on whichever service it talks to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from backend.connector import Stamp
from backend.core.model import Change, Create, Delete, Key, Mark, Op, Receipt, Side, Update, Why
from backend.core.values import Value

from .hands import grist_hands, shopify_hands

GID = "gid://shopify/Product/{}"
STAMP = Stamp("key-1", "7")


@pytest.fixture(params=["Grist twin", "Grist stand-in", "Shopify twin", "Shopify stand-in"])
def at(request: pytest.FixtureRequest) -> Iterator[Any]:
    service, _, which = request.param.partition(" ")
    with (grist_hands if service == "Grist" else shopify_hands)(which) as hands:
        yield hands


@pytest.fixture(params=["twin", "stand-in"])
def grist(request: pytest.FixtureRequest) -> Iterator[Any]:
    with grist_hands(request.param) as hands:
        yield hands


@pytest.fixture(params=["twin", "stand-in"])
def shopify(request: pytest.FixtureRequest) -> Iterator[Any]:
    with shopify_hands(request.param) as hands:
        yield hands


def update(at: Any, key: Key, **changes: tuple[Value, Value]) -> Update:
    partner: Key = GID.format(1) if at.connector.side is Side.LOCAL else 1
    return Update(at.connector.side, key, partner, tuple(
        Change(name, before, after, Why.CHANGED) for name, (before, after) in changes.items()))


def write(at: Any, *ops: Op, stamp: Stamp = STAMP, mapping: Any = None) -> list[Receipt]:
    mapping = mapping or at.products
    by_op = {}
    for batch in at.connector.batches(mapping, ops):
        for receipt in at.connector.apply(mapping, batch, stamp):
            by_op[id(receipt.op)] = receipt
    return [by_op[id(op)] for op in ops]


def row(at: Any, key: Key) -> dict[str, Value]:
    values: dict[str, Value] = at.products.values(at.connector.read(at.products, [key]).rows[key])
    return values


# --- either service -----------------------------------------------------------------------------------------


def test_an_echo_is_no_change(at: Any) -> None:
    """P6, P20: what is written reads back equal, and the receipt said so."""
    key = at.add(title="Mug", vendor="v")
    at.connector.read(at.products)
    [receipt] = write(at, update(at, key, title=("Mug", "Cup"), tags=(None, ("blue", "red"))))
    assert receipt.done
    read = row(at, key)
    assert (read["title"], read["tags"], read["vendor"]) == ("Cup", ("blue", "red"), "v")
    assert {name: receipt.stored[name] for name in ("title", "tags")} == {"title": "Cup", "tags": ("blue", "red")}


def test_a_cell_can_be_emptied(at: Any) -> None:
    key = at.add(title="Mug", tags=["blue"])
    at.connector.read(at.products)
    [receipt] = write(at, update(at, key, tags=(("blue",), None)))
    assert (receipt.done, row(at, key)["tags"]) == (True, None)


def test_a_whole_read_is_complete_and_proves_nothing_that_is_there_gone(at: Any) -> None:
    key = at.add(title="Mug")
    seen = at.connector.read(at.products)
    assert seen.complete
    assert key in seen.rows
    assert not seen.proves_gone(key)
    assert seen.titles[key] == "Mug"


def test_what_was_deleted_is_proven_gone_when_it_is_asked_for_by_its_key(at: Any) -> None:
    key, kept = at.add(title="Mug"), at.add(title="Cup")
    at.connector.read(at.products)
    at.remove(key)
    seen = at.connector.read(at.products, [key, kept])
    assert seen.gone == {key}
    assert set(seen.rows) == {kept}


def test_a_deletion_is_done_once(at: Any) -> None:
    key = at.add(title="Mug")
    at.connector.read(at.products)
    partner: Key = GID.format(1) if at.connector.side is Side.LOCAL else 1
    [receipt] = write(at, Delete(at.connector.side, key, partner))
    assert receipt.done
    assert at.connector.read(at.products, [key]).gone == {key}


def test_what_is_gone_by_now_stops_only_itself(at: Any) -> None:
    """P21: whoever is there is written."""
    gone, kept = at.add(title="Mug"), at.add(title="Cup")
    at.connector.read(at.products)
    at.remove(gone)
    receipts = write(at, update(at, gone, title=("Mug", "A")), update(at, kept, title=("Cup", "B")))
    assert [receipt.done for receipt in receipts] == [False, True]
    assert receipts[0].stale or receipts[0].refusal is not None
    assert row(at, kept)["title"] == "B"


def test_reading_and_refused_writing_count_as_no_write(at: Any) -> None:
    at.add(title="Mug")
    written = at.connector.usage.writes
    at.connector.read(at.products)
    assert at.connector.usage.writes == written
    assert at.connector.usage.requests > 0


def test_changes_are_told_from_a_checkpoint_on(at: Any) -> None:
    """P13: a checkpoint passes nothing that it does not name, and is plain JSON."""
    if not hasattr(at.connector, "changed"):
        pytest.skip("This connector tells no changes yet.")
    old = at.add(title="Mug")
    first = at.connector.changed([at.products], None)
    assert first.keys is None
    at.connector.read(at.products)
    checkpoint = json.loads(json.dumps(first.checkpoint))
    at.edit(old, "title", "Cup")
    new = at.add(title="Can")
    told = at.connector.changed([at.products], checkpoint)
    assert told.keys is None or {old, new} <= told.keys["products"] or "products" in told.audit


def test_where_nothing_changed_no_key_is_told(at: Any) -> None:
    if not hasattr(at.connector, "changed"):
        pytest.skip("This connector tells no changes yet.")
    at.add(title="Mug")
    if hasattr(at, "rest"):
        at.rest()
    told = at.connector.changed([at.products], at.connector.changed([at.products], None).checkpoint)
    assert told.keys is not None
    assert not told.keys.get("products")


# --- Grist ----------------------------------------------------------------------------------------------------


def test_a_cell_that_a_person_changed_since_the_read_is_left_alone(grist: Any) -> None:
    """P2: compare and set, cell by cell."""
    key = grist.add(title="Mug", vendor="v")
    grist.connector.read(grist.products)
    grist.edit(key, "title", "Beaker")
    [receipt] = write(grist, update(grist, key, title=("Mug", "Cup")))
    assert receipt.stale
    assert grist.held(key, "title") == "Beaker"


def test_a_row_of_which_another_cell_was_edited_is_written(grist: Any) -> None:
    key = grist.add(title="Mug", vendor="v")
    grist.connector.read(grist.products)
    grist.edit(key, "vendor", "w")
    [receipt] = write(grist, update(grist, key, title=("Mug", "Cup")))
    assert receipt.done
    assert (grist.held(key, "title"), grist.held(key, "vendor")) == ("Cup", "w")


def test_a_row_that_was_touched_since_the_read_is_not_deleted(grist: Any) -> None:
    key = grist.add(title="Mug")
    grist.connector.read(grist.products)
    grist.edit(key, "vendor", "w")
    [receipt] = write(grist, Delete(Side.LOCAL, key, GID.format(1)))
    assert receipt.stale
    assert grist.held(key, "vendor") == "w"


def test_a_row_that_is_another_thing_by_now_is_not_written(grist: Any) -> None:
    """Grist gives the id of a deleted last row away again."""
    key = grist.add(title="Mug")
    grist.mark(key, GID.format(1))
    grist.connector.read(grist.products)
    grist.remove(key)
    assert grist.add(title="Mug") == key
    grist.mark(key, GID.format(2))
    [receipt] = write(grist, update(grist, key, title=("Mug", "Cup")))
    assert receipt.stale
    assert grist.held(key, "title") == "Mug"


def test_a_new_row_holds_its_shopify_id_from_the_first_moment(grist: Any) -> None:
    grist.connector.read(grist.products)
    [receipt] = write(grist, Create(Side.LOCAL, GID.format(5), {"title": "Mug", "tags": ("blue",)}))
    assert receipt.done
    seen = grist.connector.read(grist.products)
    assert seen.marks == {receipt.key: GID.format(5)}
    assert grist.products.values(seen.rows[receipt.key])["tags"] == ("blue",)


def test_a_shopify_id_is_written_into_a_row(grist: Any) -> None:
    key = grist.add(title="Mug")
    grist.connector.read(grist.products)
    [receipt] = write(grist, Mark(key, GID.format(3)))
    assert receipt.done
    assert grist.marked(key) == GID.format(3)


def test_a_shopify_id_that_a_person_typed_meanwhile_is_not_written_over(grist: Any) -> None:
    key = grist.add(title="Mug")
    grist.connector.read(grist.products)
    grist.mark(key, GID.format(9))
    [receipt] = write(grist, Mark(key, GID.format(3)))
    assert receipt.stale
    assert grist.marked(key) == GID.format(9)


def test_a_hidden_row_is_absent_in_silence_and_proves_nothing(grist: Any) -> None:
    """P10."""
    secret, key = grist.add(title="Secret", vendor="secret"), grist.add(title="Mug", vendor="v")
    grist.hide("secret")
    seen = grist.connector.read(grist.products)
    assert set(seen.rows) == {key}
    assert not seen.complete
    assert not seen.proves_gone(secret)
    asked = grist.connector.read(grist.products, [secret, key, 99])
    assert set(asked.rows) == {key}
    assert asked.gone == {99}


def test_a_row_that_is_given_a_freed_id_is_told_as_changed(grist: Any) -> None:
    key = grist.add(title="Mug")
    checkpoint = grist.connector.changed([grist.products], None).checkpoint
    grist.connector.read(grist.products)
    grist.remove(key)
    assert grist.add(title="Cup") == key
    told = grist.connector.changed([grist.products], checkpoint)
    assert told.keys is not None
    assert key in told.keys["products"]


def test_without_sql_a_read_shows_and_updates_and_proves_nothing_gone(grist: Any) -> None:
    """P10: nobody tells how many rows there are, so what is not shown may be hidden."""
    key, gone = grist.add(title="Mug"), grist.add(title="Cup")
    grist.refuse_sql()
    grist.remove(gone)
    whole = grist.connector.read(grist.products)
    assert set(whole.rows) == {key}
    assert (whole.complete, whole.shows_candidates, whole.proves_gone(gone)) == (False, False, False)
    asked = grist.connector.read(grist.products, [key, gone, 99])
    assert (set(asked.rows), asked.gone) == ({key}, frozenset())
    [receipt] = write(grist, update(grist, key, title=("Mug", "Jug")))
    assert (receipt.done, grist.held(key, "title")) == (True, "Jug")


def test_with_sql_the_same_reads_prove_it(grist: Any) -> None:
    """What the test above would not show where nothing ever proves anything."""
    key, gone = grist.add(title="Mug"), grist.add(title="Cup")
    grist.remove(gone)
    whole = grist.connector.read(grist.products)
    assert (set(whole.rows), whole.complete, whole.proves_gone(gone)) == ({key}, True, True)
    assert grist.connector.read(grist.products, [key, gone, 99]).gone == {gone, 99}


def test_which_rows_hold_an_id_is_told_as_it_is_now(grist: Any) -> None:
    """P8, P12: asked for right before a row is made again, or a thing deleted that had one."""
    first, second, other = grist.add(title="Mug"), grist.add(title="Mug"), grist.add(title="Cup")
    grist.connector.read(grist.products)
    for row_id in (first, second):
        grist.mark(row_id, GID.format(7))
    grist.mark(other, GID.format(8))
    wanted = [GID.format(number) for number in (7, 8, 9)]
    assert grist.connector.holding(grist.products, wanted[::2]) == {GID.format(7): {first, second}}
    grist.remove(first)
    assert grist.connector.holding(grist.products, wanted) == {GID.format(7): {second}, GID.format(8): {other}}
    assert grist.connector.holding(grist.products, []) == {}


def test_grist_keeps_no_keys(grist: Any) -> None:
    assert grist.connector.repeat(grist.products, [Create(Side.LOCAL, GID.format(5), {"title": "Mug"})], STAMP) is None


# --- Shopify --------------------------------------------------------------------------------------------------


def test_stock_is_written_only_over_the_figure_that_was_read(shopify: Any) -> None:
    """P2."""
    level, held = shopify.level()
    shopify.connector.read(shopify.inventory)
    shopify.sell()
    [receipt] = write(shopify, update(shopify, level, available=(held, held + 5)), mapping=shopify.inventory)
    assert receipt.stale
    assert shopify.level()[1] == held - 1


def test_a_batch_of_stock_happens_once_under_its_key(shopify: Any) -> None:
    """P7: an answer was lost, and the same is sent again."""
    level, held = shopify.level()
    shopify.connector.read(shopify.inventory)
    ops = [update(shopify, level, available=(held, held + 5))]
    write(shopify, *ops, mapping=shopify.inventory)
    shopify.sell()
    receipts = shopify.connector.repeat(shopify.inventory, ops, STAMP)
    assert receipts is not None
    assert [receipt.done for receipt in receipts] == [True]
    assert shopify.level()[1] == held + 4


def test_what_searches_do_not_know_yet_is_found_by_its_id_and_told_later(shopify: Any) -> None:
    """P13: the index lags; the checkpoint of that time passes nothing."""
    shopify.connector.changed([shopify.products], None)
    shopify.connector.read(shopify.products)
    checkpoint = shopify.connector.changed([shopify.products], None).checkpoint
    shopify.lag()
    new, edited = shopify.add(title="Mug"), shopify.add(title="Cup")
    shopify.edit(edited, "title", "Jug")
    early = shopify.connector.changed([shopify.products], checkpoint)
    assert early.keys is not None
    assert not {new, edited} & early.keys["products"]
    asked = shopify.connector.read(shopify.products, [new, edited])
    assert set(asked.rows) == {new, edited}
    assert row(shopify, edited)["title"] == "Jug"
    shopify.catch_up()
    late = shopify.connector.changed([shopify.products], early.checkpoint)
    assert late.keys is not None
    assert {new, edited} <= late.keys["products"]


def test_a_creation_is_found_by_the_key_that_it_carries(shopify: Any) -> None:
    """P8."""
    shopify.connector.read(shopify.products)
    ops = [Create(Side.REMOTE, 1, {"title": "Mug", "handle": "mug"})]
    [made] = write(shopify, *ops)
    number = shopify.count()
    again = shopify.connector.repeat(shopify.products, ops, STAMP)
    assert again is not None
    assert [receipt.key for receipt in again] == [made.key]
    assert shopify.count() == number


def test_a_creation_that_never_arrived_is_made_when_it_is_repeated(shopify: Any) -> None:
    shopify.connector.read(shopify.products)
    number = shopify.count()
    ops = [Create(Side.REMOTE, 1, {"title": "Mug", "handle": "mug"})]
    again = shopify.connector.repeat(shopify.products, ops, STAMP)
    assert again is not None
    assert [receipt.done for receipt in again] == [True]
    assert shopify.count() == number + 1


def test_a_handle_is_stored_in_shopifys_own_spelling(shopify: Any) -> None:
    """P20: the receipt says what is stored, and `spells` said so beforehand."""
    key = shopify.add(title="Mug", handle="mug")
    shopify.connector.read(shopify.products)
    [receipt] = write(shopify, update(shopify, key, handle=("mug", "My Mug")))
    assert receipt.stored["handle"] == "my-mug"
    assert shopify.connector.spells(shopify.products, "handle", "My Mug") == "my-mug"
    assert shopify.held(key, "handle") == "my-mug"


def test_a_product_without_a_vendor_gets_the_shops_name(shopify: Any) -> None:
    """P20: the receipt tells of it, so that it is carried back and is nobody's edit."""
    key = shopify.add(title="Mug", vendor="v")
    shopify.connector.read(shopify.products)
    [receipt] = write(shopify, update(shopify, key, vendor=("v", None)))
    assert receipt.stored["vendor"] == shopify.held(key, "vendor") == row(shopify, key)["vendor"]
    assert receipt.stored["vendor"] is not None


def test_a_handle_that_another_product_has_is_refused_and_stops_only_its_row(shopify: Any) -> None:
    shopify.add(title="Mug", handle="mug")
    key, other = shopify.add(title="Cup", handle="cup"), shopify.add(title="Can", handle="can")
    shopify.connector.read(shopify.products)
    receipts = write(shopify, update(shopify, key, handle=("cup", "mug")), update(shopify, other, title=("Can", "Tin")))
    assert receipts[0].refusal is not None
    assert "already in use" in receipts[0].refusal.message
    assert receipts[1].done
    assert (shopify.held(key, "handle"), shopify.held(other, "title")) == ("cup", "Tin")

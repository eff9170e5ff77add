"""What is agreed after a write: the base moves only to what is certain."""

from __future__ import annotations

import pytest

from backend.core.agree import after_create, after_update
from backend.core.merge import Action, decide
from backend.core.model import Change, Direction, Rule, Side, Update, Why
from backend.core.values import UNREAD, Value

from .small import ROW, THING, mapping, rule

HANDLE = mapping("sku")


def written(side: Side, name: str, before: Value, after: Value) -> Update:
    key, partner = (ROW, THING) if side is Side.LOCAL else (THING, ROW)
    return Update(side, key, partner, (Change(name, before, after, Why.CHANGED),))


@pytest.mark.parametrize("side", Side)
def test_what_was_stored_as_sent_is_agreed(side: Side) -> None:
    agreed = after_update(HANDLE, written(side, "sku", "a", "b"), {"sku": "b"}, {}, {})
    assert (agreed.local, agreed.remote, agreed.carry) == ({"sku": "b"}, {"sku": "b"}, False)


@pytest.mark.parametrize(("side", "bases"), [
    (Side.REMOTE, ({"sku": "My Mug"}, {"sku": "My Mug"})),
    (Side.LOCAL, ({"sku": "My Mug"}, {"sku": "My Mug"})),
])
def test_what_a_service_spells_differently_waits_to_be_carried(side: Side, bases: tuple) -> None:
    """The base stays at what was sent, so that the stored spelling is news to the other side."""
    agreed = after_update(HANDLE, written(side, "sku", "old", "My Mug"), {"sku": "my-mug"}, {}, {})
    assert (agreed.local, agreed.remote) == bases
    assert agreed.carry


@pytest.mark.parametrize(("side", "direction", "local", "remote"), [
    (Side.REMOTE, Direction.TO_SHOPIFY, "My Mug", "my-mug"),
    (Side.LOCAL, Direction.TO_GRIST, "my-mug", "My Mug"),
])
def test_a_spelling_that_may_not_be_carried_is_each_sides_own(
    side: Side, direction: Direction, local: str, remote: str
) -> None:
    mapped = mapping(rule("sku", direction))
    agreed = after_update(mapped, written(side, "sku", "old", "My Mug"), {"sku": "my-mug"}, {}, {})
    assert (agreed.local, agreed.remote, agreed.carry) == ({"sku": local}, {"sku": remote}, False)
    one = mapped.rule("sku")
    assert decide(one, local, remote, local, remote).action is Action.NOTHING


def test_a_field_that_the_service_does_not_return_counts_as_stored() -> None:
    agreed = after_update(HANDLE, written(Side.REMOTE, "sku", "a", "b"), {}, {}, {})
    assert agreed.remote == {"sku": "b"}
    assert not agreed.carry


# --- merging: Shopify first, then Grist -----------------------------------------------------------

STOCK = mapping(rule("stock", on_conflict=Rule.MERGE))


def test_between_the_two_writes_of_a_merge_the_next_run_adds_nothing_twice() -> None:
    """10 was agreed, a person typed 15, two were sold: Shopify gets 13 and then everything stops."""
    agreed = after_update(STOCK, written(Side.REMOTE, "stock", 8, 13), {"stock": 13}, {"stock": 15}, {"stock": 10})
    assert (agreed.local, agreed.remote) == ({"stock": 15}, {"stock": 15})
    next_run = decide(STOCK.rule("stock"), 15, 15, 15, 13)
    assert (next_run.action, next_run.local, next_run.remote) == (Action.WRITE, 13, UNREAD)


def test_a_person_who_types_between_the_two_writes_adds_only_that() -> None:
    """Grist shows 15 and becomes 17 before 13 was carried over: two more."""
    verdict = decide(STOCK.rule("stock"), 15, 15, 17, 13)
    assert (verdict.local, verdict.remote) == (15, 15)


def test_after_both_writes_of_a_merge_both_agree_and_the_cell_remembers_what_it_showed() -> None:
    agreed = after_update(STOCK, written(Side.LOCAL, "stock", 15, 13), {"stock": 13}, {}, {"stock": 10})
    assert (agreed.local, agreed.remote, agreed.shown) == ({"stock": 13}, {"stock": 13}, {"stock": (15, 10)})
    for back in (15, 10):
        assert decide(STOCK.rule("stock"), 13, 13, back, 13, shown=agreed.shown["stock"]).action is Action.ASK


def test_a_cell_that_shows_a_value_again_has_not_gone_back_to_it() -> None:
    agreed = after_update(STOCK, written(Side.LOCAL, "stock", 15, 10), {"stock": 10}, {}, {"stock": 10})
    assert agreed.shown == {"stock": (15,)}


def test_a_number_written_to_shopify_forgets_what_its_cell_showed() -> None:
    agreed = after_update(STOCK, written(Side.REMOTE, "stock", 13, 20), {"stock": 20}, {}, {"stock": 13})
    assert agreed.shown == {"stock": ()}


def test_only_merged_numbers_remember_what_they_showed() -> None:
    for mapped in (mapping("stock"), mapping(rule("tags", on_conflict=Rule.MERGE))):
        name = mapped.names[0]
        agreed = after_update(mapped, written(Side.LOCAL, name, None, None), {}, {}, {})
        assert agreed.shown == {}


# --- creating ---------------------------------------------------------------------------------------


def test_a_creation_agrees_on_what_was_sent() -> None:
    mapped = mapping("title", "sku", "total")
    sent: dict[str, Value] = {"title": "Mug", "sku": "My Mug"}
    stored: dict[str, Value] = {"title": "Mug", "sku": "my-mug", "total": 0}
    agreed = after_create(mapped, Side.REMOTE, sent, stored)
    assert agreed.local == {"title": "Mug", "sku": "My Mug"}
    assert agreed.remote == {"title": "Mug", "sku": "My Mug"}, "so that the stored handle is news to Grist"
    assert agreed.carry


def test_a_creation_in_grist_carries_what_a_trigger_made_of_it() -> None:
    agreed = after_create(mapping("sku", "total"), Side.LOCAL, {"sku": "a", "total": 1}, {"sku": "A", "total": 2})
    assert agreed.local == {"sku": "a", "total": 2}
    assert agreed.remote == {"sku": "a", "total": 1}
    assert agreed.carry, "sku may go back to Shopify, total may not"

"""The inbox: hints wait until a run has looked."""

from __future__ import annotations

from store_helpers import Desk

from backend.core.model import Side
from backend.store import inbox

MUG = "gid://shopify/Product/1"


def test_hints_are_claimed_by_side_and_resource_and_stay_until_they_are_done(desk: Desk) -> None:
    with desk.write() as tx:
        inbox.note(tx, desk.link_id, Side.REMOTE, [("products", MUG), ("products", ""), ("products", MUG)])
        inbox.note(tx, desk.link_id, Side.LOCAL, [("products", 7)])
        first = inbox.claim(tx, desk.link_id)
        again = inbox.claim(tx, desk.link_id)
        assert first.keys == again.keys == {(Side.REMOTE, "products"): {MUG, ""}, (Side.LOCAL, "products"): {7}}
        inbox.done(tx, first.ids)
        assert inbox.waiting(tx, desk.link_id) == (0, None)


def test_a_hint_that_comes_while_a_run_looks_stays_for_the_next_one(desk: Desk) -> None:
    with desk.write() as tx:
        inbox.note(tx, desk.link_id, Side.REMOTE, [("products", MUG)])
        claimed = inbox.claim(tx, desk.link_id)
        inbox.note(tx, desk.link_id, Side.REMOTE, [("products", MUG)])
        inbox.done(tx, claimed.ids)
        assert inbox.claim(tx, desk.link_id).keys == {(Side.REMOTE, "products"): {MUG}}


def test_hints_of_another_link_are_not_claimed(desk: Desk) -> None:
    with desk.write() as tx:
        inbox.note(tx, desk.other_link_id, Side.REMOTE, [("products", MUG)])
        assert inbox.claim(tx, desk.link_id).keys == {}
        assert inbox.waiting(tx, desk.other_link_id)[0] == 1

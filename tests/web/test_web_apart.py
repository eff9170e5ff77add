"""What somebody keeps apart: taken out of the sync by an answer to a conflict, listed, and asked for again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from test_web_conflicts import answer, choose, one
from web_helpers import SHIRT_S, Place, price, whole_row

from backend.core.model import Change, Side, Why
from backend.store import apart, inbox, privacy
from backend.web.sight import Seen

EDITS = [Change("price", Decimal("16.00"), Decimal("18.00"), Why.CHANGED)]


def keep_price_apart(place: Place) -> dict[str, Any]:
    place.pair("variants", 1, SHIRT_S, sku="LIN-S")
    place.conflicts("variants", price())
    return choose(place, answer(one(place), "apart"), role="editor")


def hints(place: Place) -> dict[tuple[Side, str], set[Any]]:
    with place.service.database.read() as tx:
        return inbox.claim(tx, place.link.id).keys


def test_a_cell_kept_apart_is_no_conflict_any_more_and_needs_no_sync(place: Place) -> None:
    taken = keep_price_apart(place)
    assert (len(taken["apart"]), taken["applied"], taken["run"], place.queued()) == (1, [], None, [])
    told = place.get("conflicts")
    assert (told["conflicts"], told["total"], told["apart"]) == ([], 0, 1)
    assert place.choices("variants") == {}


def test_the_list_says_which_cell_what_it_held_and_who_took_it_out(place: Place) -> None:
    keep_price_apart(place)
    told = place.get("apart", "viewer")
    [cell] = told["apart"]
    assert cell.pop("at").endswith("Z")
    assert cell.pop("id")
    assert cell == {
        "resource": "variants", "label": "Variants", "table": "Variants", "row": 1, "title": "Linen shirt / S",
        "sku": "LIN-S", "field": "price", "field_label": "Price", "type": "money", "whole_row": False,
        "grist": "39.00", "shopify": "45.00", "deleted": None, "by": cell["by"]}
    assert "editor" in cell["by"]
    assert told["total"] == 1


def test_asked_again_it_is_looked_at_by_the_next_sync(place: Place) -> None:
    keep_price_apart(place)
    [cell] = place.get("apart")["apart"]
    taken = place.post("apart", {"ask_again": [cell["id"]]}, "editor")
    assert taken["run"] is not None
    [(kind, by)] = place.queued()
    assert (kind, "Ask again" in by) == ("sync", True)
    assert hints(place) == {(Side.REMOTE, "variants"): {SHIRT_S}}
    assert place.get("apart")["total"] == 0
    assert place.post("apart", {"ask_again": [cell["id"]]})["run"] is None


def test_a_row_whose_other_half_is_gone_may_be_left_as_it_is(place: Place) -> None:
    place.pair("variants", 4, SHIRT_S)
    place.conflicts("variants", whole_row(4, SHIRT_S, "Canvas tote", EDITS))
    taken = choose(place, answer(one(place), "apart"))
    assert (len(taken["apart"]), place.get("conflicts")["total"], place.get("deletions")["total"]) == (1, 0, 0)
    [row] = place.get("apart")["apart"]
    assert (row["row"], row["title"], row["whole_row"], row["deleted"]) == (4, "Canvas tote", True, "shopify")
    assert place.post("apart", {"ask_again": [row["id"]]})["run"] is not None
    assert hints(place) == {(Side.REMOTE, "variants"): {SHIRT_S}}
    assert place.get("apart")["apart"] == []


def test_an_answer_on_values_that_moved_takes_nothing_out(place: Place) -> None:
    place.conflicts("variants", price())
    told = {**one(place), "grist": "1.00"}
    taken = choose(place, answer(told, "apart"))
    assert (taken["apart"], len(taken["moved"]), place.get("conflicts")["total"]) == ([], 1, 1)


def test_text_that_does_not_fit_can_be_kept_apart(place: Place) -> None:
    from backend.core.values import Unfit

    place.conflicts("variants", price(grist=Unfit("about ten")))
    assert len(choose(place, answer(one(place), "apart"))["apart"]) == 1


def test_a_viewer_takes_nothing_out_and_asks_for_nothing_again(place: Place) -> None:
    place.conflicts("variants", price())
    told = one(place)
    assert place.ask("POST", "choices", "viewer", {"choices": [answer(told, "apart")]}).status_code == 403
    assert place.ask("POST", "apart", "viewer", {"ask_again": [1]}).status_code == 403
    assert place.ask("POST", "apart", "owner", {"ask_again": []}).status_code == 422


def test_who_does_not_see_a_row_neither_reads_nor_ends_what_is_kept_apart_there(place: Place) -> None:
    keep_price_apart(place)
    place.service.reads.table = lambda *_: Seen(frozenset({2}), frozenset({"Price"}))  # type: ignore[method-assign]
    place.service.reads.sees_everything = lambda *_: False  # type: ignore[method-assign]
    assert place.get("apart", "editor")["apart"] == []
    [cell] = place.get("apart", "owner")["apart"]
    assert place.post("apart", {"ask_again": [cell["id"]]}, "editor")["run"] is None
    assert place.get("apart", "owner")["total"] == 1


def test_another_links_cells_are_not_asked_for(place: Place) -> None:
    keep_price_apart(place)
    with place.service.database.write() as tx:
        [cell] = apart.page(tx, [place.mapping("variants").id], limit=10)
        assert apart.ask_again(tx, [place.mapping("products").id], [cell.id]) == []


def test_what_shopify_wants_forgotten_is_taken_out_of_it(place: Place) -> None:
    keep_price_apart(place)
    with place.service.database.write() as tx:
        assert privacy.count(tx, place.link.id, [SHIRT_S])["apart"] == 1
        assert privacy.redact(tx, place.link.id, [SHIRT_S])["apart"] == 1
        [cell] = apart.page(tx, [place.mapping("variants").id], limit=10)
    assert (cell.local, cell.remote, cell.title) == (None, None, privacy.REDACTED)
    with place.service.database.write() as tx:
        assert privacy.redact_link(tx, place.link.id)["apart"] == 1

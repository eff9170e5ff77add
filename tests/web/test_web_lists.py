"""Refused rows, deletions and changes as the widget lists them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from web_helpers import SHIRT, SHIRT_S, Place

from backend.core.mapping import default_mapping
from backend.core.model import Proposal, Refusal, Side
from backend.shopify.resources import RESOURCES
from backend.web.values import Tables

LOCATION = "gid://shopify/Location/4"
LEVEL = "gid://shopify/InventoryLevel/5?inventory_item_id=7"


def test_a_refused_row_has_cause_cure_and_its_place_in_grist(place: Place) -> None:
    place.pair("variants", 8, SHIRT_S)
    place.refuse(
        "variants",
        Refusal(Side.REMOTE, SHIRT_S, "Shopify refused Price: too high.", "Type a lower price.", "price", "Shirt"),
        Refusal(Side.LOCAL, 9, "This new row is not in Shopify yet: Price is empty.", "Fill it in.", waits=True))
    told = place.get("refused")
    assert told["total"] == 2
    refused, waits = told["refused"]
    assert refused.pop("at").endswith("Z")
    assert refused.pop("id")
    assert refused == {
        "resource": "variants", "label": "Variants", "table": "Variants", "row": 8, "title": "Shirt",
        "side": "shopify", "field_label": "Price", "message": "Shopify refused Price: too high.",
        "cure": "Type a lower price.", "tries": 1, "waits": False}
    assert (waits["row"], waits["side"], waits["field_label"], waits["waits"]) == (9, "grist", None, True)
    assert place.get("state")["counts"]["refused"] == 1


def test_a_list_is_cut_where_it_was_asked_and_says_how_long_it_is(place: Place) -> None:
    place.refuse("variants", *(Refusal(Side.LOCAL, row, "No.", "Yes.") for row in range(5)))
    place.delete("products", *(Proposal(Side.LOCAL, row, f"gid://shopify/Product/{row}") for row in range(5)))
    for name in ("refused", "deletions"):
        told = place.get(f"{name}?limit=2")
        assert (len(told[name]), told["total"]) == (2, 5)


def test_a_deletion_says_where_it_would_delete(place: Place) -> None:
    place.delete("products", Proposal(Side.LOCAL, 14, SHIRT, "Wool scarf, kids"))
    place.delete("variants", Proposal(Side.REMOTE, SHIRT_S, 3, "Rain hat / L"))
    place.pair("variants", 3, SHIRT_S, sku="RAI-2")
    scarf, hat = place.get("deletions")["deletions"]
    assert (scarf["resource"], scarf["title"], scarf["row"], scarf["in"]) == (
        "products", "Wool scarf, kids", 14, "grist")
    assert (hat["resource"], hat["title"], hat["row"], hat["in"]) == ("variants", "Rain hat / L", None, "shopify")
    assert (scarf["sku"], hat["sku"]) == (None, "RAI-2")


def test_exactly_the_approved_deletions_are_done_by_a_sync(place: Place) -> None:
    place.delete("products", *(Proposal(Side.LOCAL, row, f"gid://shopify/Product/{row}") for row in (1, 2, 3)))
    first, second, third = (one["id"] for one in place.get("deletions")["deletions"])
    assert place.post("deletions", {"approve": [first, third]})["run"] is not None
    assert [one["id"] for one in place.get("deletions")["deletions"]] == [second]
    assert place.queued() == [("sync", "An owner, Delete button")]


def test_what_is_kept_needs_no_sync(place: Place) -> None:
    place.delete("products", Proposal(Side.LOCAL, 1, SHIRT))
    [one] = place.get("deletions")["deletions"]
    assert place.post("deletions", {"keep": [one["id"]]}) == {"run": None}
    assert place.get("deletions")["total"] == 0
    assert place.queued() == []


def test_an_approval_of_what_is_answered_already_starts_nothing(place: Place) -> None:
    place.delete("products", Proposal(Side.LOCAL, 1, SHIRT))
    [one] = place.get("deletions")["deletions"]
    place.post("deletions", {"keep": [one["id"]]})
    assert place.post("deletions", {"approve": [one["id"], 99]}) == {"run": None}


def test_a_yes_that_comes_late_deletes_nothing_else(place: Place) -> None:
    """The row that was asked about is back, and another one asks: its id is its own."""
    place.delete("products", Proposal(Side.LOCAL, 1, SHIRT))
    [shown] = place.get("deletions")["deletions"]
    place.delete("products")
    place.delete("products", Proposal(Side.LOCAL, 2, "gid://shopify/Product/2"))
    assert place.post("deletions", {"approve": [shown["id"]]}) == {"run": None}
    [left] = place.get("deletions")["deletions"]
    assert (left["row"], place.queued()) == (2, [])


@pytest.mark.parametrize("body", [{}, {"approve": []}, {"approve": [1], "keep": [2]}, {"approve": ["1"]},
                                  {"approve": [0]}, {"delete": [1]}, [], None])
def test_an_answer_about_deletions_of_another_shape_is_refused(place: Place, body: Any) -> None:
    place.delete("products", Proposal(Side.LOCAL, 1, SHIRT))
    assert place.ask("POST", "deletions", body=body).status_code in (400, 415, 422)
    assert place.get("deletions")["total"] == 1


def test_a_change_tells_both_values_and_who_started_it(place: Place) -> None:
    run = place.begin()
    place.change("variants", run.id)
    [told] = place.get("changes")["changes"]
    assert told.pop("at").endswith("Z")
    assert told.pop("id")
    assert told == {
        "run": run.id, "by": "Timer", "resource": "variants", "label": "Variants", "table": "Variants", "row": 1,
        "title": "Linen shirt / S", "field": "price", "field_label": "Price", "type": "money", "to": "shopify",
        "kind": "update", "before": "42.00", "after": "39.00", "why": "changed on the other side", "undone": None}


def test_stock_and_references_are_told_as_numbers_and_names(place: Place) -> None:
    place.pair("locations", 2, LOCATION, name="Main store")
    run = place.begin()
    place.change("inventory", run.id, field="available", side="local", before=9, after=7, remote_key=LEVEL)
    place.change("inventory", run.id, field="location", side="local", before=None, after=LOCATION, remote_key=LEVEL)
    location, stock = place.get("changes")["changes"]
    assert (stock["before"], stock["after"], stock["to"], stock["type"]) == (9, 7, "grist", "integer")
    assert (location["before"], location["after"]) == (None, {"title": "Main store"})


def test_a_row_that_was_made_or_deleted_is_told_in_a_line(place: Place) -> None:
    run = place.begin()
    values = {"title": "Linen shirt", "status": "DRAFT", "tags": ["linen", "summer"], "vendor": None}
    place.change("products", run.id, kind="create", field="", before=None, after=values)
    place.change("products", run.id, kind="delete", field="", before=values, after=None)
    deleted, made = place.get("changes")["changes"]
    line = "Title Linen shirt, Status DRAFT, Tags linen, summer"
    assert (made["before"], made["after"], made["field_label"], made["type"]) == (None, line, None, "text")
    assert (deleted["before"], deleted["after"]) == (line, None)


def test_changes_go_on_before_the_last_that_was_told(place: Place) -> None:
    run = place.begin()
    for number in range(5):
        place.change("variants", run.id, after=str(Decimal(number)))
    first = place.get("changes?limit=2")
    assert [one["after"] for one in first["changes"]] == ["4", "3"]
    second = place.get(f"changes?limit=2&before={first['next']}")
    assert [one["after"] for one in second["changes"]] == ["2", "1"]
    last = place.get(f"changes?limit=2&before={second['next']}")
    assert ([one["after"] for one in last["changes"]], last["next"]) == (["0"], None)


@pytest.mark.parametrize("path", [
    "runs?limit=0", "runs?limit=1001", "runs?limit=x", "conflicts?after=-1", "conflicts?after=99999999999",
    "changes?before=0", "changes?page=2", "refused?limit=", "deletions?limit=1.5",
    "deletions?limit=5001", "conflicts?limit=1001",
])
def test_a_question_of_another_shape_is_refused_with_its_name(place: Place, path: str) -> None:
    answer = place.ask("GET", path)
    name = path.split("?")[1].split("=")[0]
    assert answer.status_code == 422
    assert answer.json["message"].startswith(f"“{name}”: ")


def test_a_list_of_references_is_told_by_the_names_of_the_things() -> None:
    mapping = replace(default_mapping(RESOURCES["products"], fields=("title", "collectionRefs")), id=1)
    told = Tables(1, {1: mapping}, {}, names={("collections", "gid://shopify/Collection/2"): "Winter"})
    listed = ["gid://shopify/Collection/2", "gid://shopify/Collection/7", {"resource": "collections", "row": 3}]
    assert told.value(1, "collectionRefs", listed) == ["Winter", "7", "row 3"]
    assert told.value(1, "collectionRefs", None) is None
    assert told.describe(1, "collectionRefs")["type"] == "refs"

"""Conflicts as the widget shows them, and what becomes of a person's answers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from web_helpers import SHIRT, SHIRT_S, Place, price, whole_row

from backend.core.model import Change, Choice, Conflict, Why
from backend.core.values import UNREAD, LocalRef, Unfit
from backend.store import links, runs, waiting
from backend.web.answers import moment

OTHER = "gid://shopify/Product/2"
LEVEL = "gid://shopify/InventoryLevel/5?inventory_item_id=7"


def one(place: Place) -> dict[str, Any]:
    found: dict[str, Any] = place.get("conflicts")["conflicts"][0]
    return found


def answer(conflict: dict[str, Any], keep: str, **more: Any) -> dict[str, Any]:
    """An answer made on what the conflict shows."""
    seen = {"grist": conflict["grist"], "shopify": conflict["shopify"]}
    return {"conflict": conflict["id"], "keep": keep, "seen": seen, **more}


def choose(place: Place, *answers: dict[str, Any], role: str = "owner") -> Any:
    return place.post("choices", {"choices": list(answers)}, role)


# --- showing ----------------------------------------------------------------------------------------


def test_a_conflict_has_everything_that_its_line_shows(place: Place) -> None:
    place.pair("variants", 1, SHIRT_S, sku="LIN-S")
    [number] = place.conflicts("variants", price())
    told = one(place)
    assert told.pop("seen_at").endswith("Z")
    assert told.pop("after") is None
    assert told == {
        "id": number, "resource": "variants", "label": "Variants", "table": "Variants", "row": 1,
        "title": "Linen shirt / S", "sku": "LIN-S", "field": "price", "field_label": "Price", "type": "money",
        "choices": None, "base": "42.00", "grist": "39.00", "shopify": "45.00", "base_known": True,
        "whole_row": False, "deleted": None, "reason": "", "moved": None, "choice": None,
        "versions": None}


def test_a_conflict_says_between_which_looks_both_sides_changed(place: Place) -> None:
    """The sync that found it is under way; what failed, and an undo, did not look at whatever had changed."""
    good = place.begin()
    place.end(good)
    place.end(place.begin(), "failed")
    with place.service.database.write() as tx:
        undo = runs.request(tx, place.link.id, "sync", "Undo button", {"runs": [good.id]})
    place.end(place.begin())
    finding = place.begin()
    place.conflicts("variants", price())
    place.end(finding)
    place.end(place.begin())
    with place.service.database.read() as tx:
        began, undone = runs.get(tx, good.id), runs.get(tx, undo)
    assert began is not None
    assert undone is not None
    assert undone.state == "done"
    with place.service.database.read() as tx:
        [seen] = [one.seen_at for one in waiting.conflict_page(tx, [place.mapping("variants").id])]
        assert runs.looked_before(tx, place.link.id, [seen]) == {seen: began.started_at}
    assert one(place)["after"] == moment(began.started_at)


@pytest.mark.parametrize(("resource", "field", "value", "shown"), [
    ("products", "title", "Wool scarf", "Wool scarf"),
    ("products", "title", None, None),
    ("products", "status", "DRAFT", "DRAFT"),
    ("products", "tags", ("wool", "winter"), ["wool", "winter"]),
    ("products", "tags", None, None),
    ("variants", "price", Decimal("24.50"), "24.50"),
    ("variants", "price", Unfit("about ten"), {"unfit": "about ten"}),
    ("variants", "weight", Decimal("1E+2"), "100"),
    ("variants", "taxable", False, False),
    ("variants", "product", SHIRT, {"title": "Linen shirt"}),
    ("variants", "product", OTHER, {"title": "2"}),
    ("variants", "product", LocalRef("products", 9), {"title": "row 9"}),
    ("inventory", "available", -3, -3),
])
def test_a_value_is_shown_by_its_type(place: Place, resource: str, field: str, value: Any, shown: Any) -> None:
    place.pair("products", 3, SHIRT, title="Linen shirt")
    thing = {"products": OTHER, "variants": SHIRT_S, "inventory": LEVEL}[resource]
    place.conflicts(resource, price(1, value, value, value, field=field, thing=thing))
    told = one(place)
    assert (told["base"], told["grist"], told["shopify"]) == (shown, shown, shown)


def test_choices_are_named_where_the_field_has_them(place: Place) -> None:
    place.conflicts("products", price(2, "ACTIVE", "DRAFT", "ARCHIVED", field="status", thing=SHIRT))
    assert one(place)["choices"] == ["ACTIVE", "DRAFT", "ARCHIVED", "UNLISTED"]


def test_a_base_that_is_not_known_is_said(place: Place) -> None:
    place.conflicts("variants", price(base=UNREAD))
    assert (one(place)["base"], one(place)["base_known"]) == (None, False)


def test_a_row_deleted_on_one_side_and_edited_on_the_other(place: Place) -> None:
    edits = [Change("price", Decimal("16.00"), Decimal("18.00"), Why.CHANGED), Change("sku", "A", None, Why.CHANGED)]
    place.conflicts("variants", whole_row(4, SHIRT_S, "Canvas tote", edits))
    told = one(place)
    assert (told["whole_row"], told["deleted"], told["type"], told["field_label"]) == (True, "shopify", "text", None)
    assert (told["grist"], told["shopify"]) == ("Price 18.00, SKU empty", None)
    assert told["edits"] == [
        {"field": "price", "field_label": "Price", "type": "money", "before": "16.00", "after": "18.00"},
        {"field": "sku", "field_label": "SKU", "type": "text", "before": "A", "after": None}]


@pytest.mark.parametrize(("resource", "field", "base", "grist", "shopify", "merged"), [
    ("products", "tags", ("winter", "wool"), ("sale", "winter", "wool"), ("gift", "wool"), ["gift", "sale", "wool"]),
    ("products", "tags", UNREAD, ("a",), ("b",), ["a", "b"]),
    ("inventory", "available", 10, 15, 8, 13),
    ("inventory", "available", 10, 2, 7, "absent"),
    ("inventory", "available", UNREAD, 2, 7, "absent"),
    ("inventory", "available", 10, Unfit("ten"), 7, "absent"),
    ("variants", "price", Decimal("42"), Decimal("39"), Decimal("45"), "absent"),
    ("products", "title", "A", "B", "C", "absent"),
])
def test_merge_is_offered_where_both_changes_add_up(
        place: Place, resource: str, field: str, base: Any, grist: Any, shopify: Any, merged: Any) -> None:
    place.conflicts(resource, price(1, grist, shopify, base, field=field, thing=LEVEL))
    assert one(place).get("merge", "absent") == merged


def test_pages_go_on_where_the_last_ended_also_when_conflicts_are_settled_between(place: Place) -> None:
    ids = place.conflicts("variants", *(price(row) for row in range(1, 8)))
    first = place.get("conflicts?limit=3")
    assert ([one["id"] for one in first["conflicts"]], first["total"], first["next"]) == (ids[:3], 7, ids[2])
    place.conflicts("variants", *(price(row) for row in range(3, 8)))
    second = place.get(f"conflicts?limit=3&after={first['next']}")
    assert [one["id"] for one in second["conflicts"]] == ids[3:6]
    assert place.get(f"conflicts?limit=3&after={second['next']}")["next"] is None


def test_a_field_that_is_not_mapped_any_more_is_still_shown(place: Place) -> None:
    place.conflicts("variants", price())
    with place.service.database.write() as tx:
        settings = [m.settings for m in links.mappings(tx, place.link.id)]
        del settings[1]["fields"]["price"]
        links.set_mappings(tx, place.link.id, settings)
    told = one(place)
    assert told["grist"] == "39.00"
    assert choose(place, answer(told, "grist"))["invalid"][0]["message"] == "This field is not synced any more."


# --- choosing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("keep", "more", "stored", "shown"), [
    ("grist", {}, Choice("grist", Decimal("39.00"), Decimal("45.00")), "39.00"),
    ("shopify", {}, Choice("shopify", Decimal("39.00"), Decimal("45.00")), "45.00"),
    ("base", {}, Choice("base", Decimal("39.00"), Decimal("45.00")), "42.00"),
    ("value", {"value": "40"}, Choice("value", Decimal("39.00"), Decimal("45.00"), Decimal("40.00")), "40.00"),
])
def test_an_answer_is_kept_with_the_values_it_was_made_on(
        place: Place, keep: str, more: Any, stored: Choice, shown: str) -> None:
    place.conflicts("variants", price())
    told = one(place)
    taken = choose(place, answer(told, keep, **more), role="editor")
    assert (taken["applied"], taken["moved"], taken["invalid"]) == ([told["id"]], [], [])
    assert place.choices("variants") == {(1, "price"): stored}
    assert one(place)["choice"] == {"keep": keep, "value": shown, "by": "An editor, in the widget"}


def test_a_sync_starts_that_applies_the_answers_also_behind_a_running_one(place: Place) -> None:
    first, second = place.conflicts("variants", price(1), price(2))
    lines = place.get("conflicts")["conflicts"]
    running = place.begin()
    run = choose(place, answer(lines[0], "grist"))["run"]
    assert run > running.id
    assert choose(place, answer(lines[1], "grist"))["run"] == run
    assert {row for row, _ in place.choices("variants")} == {1, 2}
    assert first < second


def test_a_merge_is_kept_as_the_value_that_was_shown(place: Place) -> None:
    place.conflicts("inventory", price(2, 15, 8, 10, field="available", thing=LEVEL))
    told = one(place)
    choose(place, answer(told, "merge"))
    assert place.choices("inventory") == {(2, "available"): Choice("value", 15, 8, 13)}
    assert one(place)["choice"]["value"] == told["merge"] == 13


def test_an_answer_to_other_values_is_not_kept_and_the_values_of_now_are_told(place: Place) -> None:
    place.conflicts("variants", price(1), price(2))
    first, second = place.get("conflicts")["conflicts"]
    place.conflicts("variants", price(1, shopify=Decimal("47.00")), price(2))
    taken = choose(place, answer(first, "grist"), answer(second, "shopify"))
    assert taken["moved"] == [{"conflict": first["id"], "grist": "39.00", "shopify": "47.00"}]
    assert taken["applied"] == [second["id"]]
    assert list(place.choices("variants")) == [(2, "price")]


def test_a_kept_answer_whose_values_move_is_dropped_and_said(place: Place) -> None:
    place.conflicts("variants", price())
    choose(place, answer(one(place), "grist"))
    place.conflicts("variants", price(shopify=Decimal("47.00"), moved=True))
    told = one(place)
    assert (told["choice"], told["moved"] is None) == (None, False)


def test_nothing_is_started_where_no_answer_was_good(place: Place) -> None:
    place.conflicts("variants", price())
    told = {**one(place), "grist": "1.00"}
    assert choose(place, answer(told, "grist"))["run"] is None
    assert place.queued() == []


def test_a_conflict_that_is_settled_or_of_another_link_takes_no_answer(place: Place) -> None:
    taken = choose(place, {"conflict": 99, "keep": "grist", "seen": {"grist": None, "shopify": None}})
    assert (taken["applied"], taken["moved"], taken["run"]) == ([], [], None)
    assert taken["invalid"] == [{"conflict": 99, "message": "This conflict is settled already.",
                                 "cure": "Nothing to do: the list is read again."}]


def test_a_whole_row_is_kept_or_deleted_and_nothing_else(place: Place) -> None:
    edits = [Change("price", Decimal("16.00"), Decimal("18.00"), Why.CHANGED)]
    place.conflicts("variants", whole_row(4, SHIRT_S, "Canvas tote", edits))
    told = one(place)
    for keep in ("base", "merge", "value"):
        taken = choose(place, answer(told, keep, value="x"))
        assert taken["invalid"][0]["cure"] == "Keep Grist, keep Shopify, or leave both as they are."
    choose(place, answer(told, "shopify"))
    assert place.choices("variants") == {(4, ""): Choice("shopify", ("price=18.00",), None)}
    assert one(place)["choice"]["keep"] == "shopify"


@pytest.mark.parametrize(("resource", "field", "typed", "message", "cure"), [
    ("variants", "price", "fourty", "“fourty” is not a number.", "Type a price, for example 40.00."),
    ("variants", "price", True, "“Yes” is not a number.", "Type a price, for example 40.00."),
    ("variants", "price", "NaN", "“NaN” is not a number.", "Type a price, for example 40.00."),
    ("variants", "price", "1e999999999", "“1e999999999” is not a number.", "Type a price, for example 40.00."),
    ("variants", "price", ["1"], "“1” is not a number.", "Type a price, for example 40.00."),
    ("variants", "price", None, "Price cannot be empty in Shopify.", "Type a value for Price."),
    ("variants", "weight", "heavy", "“heavy” is not a number.", "Type a number, for example 1.5."),
    ("inventory", "available", "1.5", "“1.5” is not a whole number.", "Type a whole number, for example 12."),
    ("inventory", "available", "9" * 40, f"“{'9' * 40}” is not a whole number.",
     "Type a whole number, for example 12."),
    ("variants", "taxable", "perhaps", "“perhaps” is neither yes nor no.", "Choose Yes or No."),
    ("products", "status", "Actve", "“Actve” is not one of ACTIVE, DRAFT, ARCHIVED, UNLISTED.", "Choose one of them."),
    ("products", "title", {"a": 1}, "“” is not text.", "Type words."),
    ("products", "title", "  ", "Title cannot be empty in Shopify.", "Type a value for Title."),
    ("products", "tags", 7, "“7” is not a list of words.", "Type words with commas between them."),
    ("variants", "product", SHIRT, "Product refers to another row, which cannot be typed.",
     "Keep one of the two, or choose the row in Grist and sync again."),
])
def test_a_typed_value_that_does_not_fit_is_told_with_its_cure(
        place: Place, resource: str, field: str, typed: Any, message: str, cure: str) -> None:
    place.conflicts(resource, price(1, None, None, None, field=field, thing=LEVEL))
    told = one(place)
    taken = choose(place, answer(told, "value", value=typed))
    assert taken["invalid"] == [{"conflict": told["id"], "message": message, "cure": cure}]
    assert (taken["applied"], place.choices(resource), place.queued()) == ([], {}, [])


@pytest.mark.parametrize(("resource", "field", "typed", "kept"), [
    ("variants", "price", " 40.005 ", Decimal("40.01")),
    ("variants", "compareAtPrice", "", None),
    ("inventory", "available", "12", 12),
    ("inventory", "available", 12, 12),
    ("variants", "taxable", "yes", True),
    ("products", "tags", "wool, gift, Wool", ("gift", "wool")),
    ("products", "tags", [], None),
    ("products", "status", "DRAFT", "DRAFT"),
    ("products", "vendor", None, None),
])
def test_a_typed_value_is_kept_as_both_sides_mean_it(
        place: Place, resource: str, field: str, typed: Any, kept: Any) -> None:
    place.conflicts(resource, price(1, "a", "b", field=field, thing=LEVEL) if resource == "products" and field != "tags"
                    else Conflict(1, LEVEL, field, None, None, None))
    choose(place, answer(one(place), "value", value=typed))
    assert place.choices(resource)[1, field].value == kept


def test_a_price_follows_the_currency_of_the_shop(place: Place) -> None:
    with place.service.database.write() as tx:
        links.set_shop(tx, place.link.id, {"currency": "JPY", "decimals": 0})
    place.conflicts("variants", price())
    told = one(place)
    assert choose(place, answer(told, "value", value="cheap"))["invalid"][0]["cure"] == "Type a price, for example 40."
    choose(place, answer(told, "value", value="39.6"))
    assert place.choices("variants")[1, "price"].value == Decimal("40")


@pytest.mark.parametrize(("conflict", "keep", "message"), [
    (price(base=UNREAD), "base", "It is not known what Grist and Shopify last agreed on here."),
    (price(), "merge", "These two values cannot be merged."),
    (price(grist=Unfit("about ten")), "grist", "“about ten” is not a number."),
])
def test_what_cannot_be_kept_says_why(place: Place, conflict: Conflict, keep: str, message: str) -> None:
    place.conflicts("variants", conflict)
    assert choose(place, answer(one(place), keep))["invalid"][0]["message"] == message


def test_one_request_carries_as_many_long_texts_as_a_page_of_conflicts(place: Place) -> None:
    long = "A felt hat. " * 1_000
    place.conflicts("products", *(price(row, long + "a", long + "b", long, field="title", thing=SHIRT)
                                  for row in range(1, 21)))
    taken = choose(place, *(answer(told, "grist") for told in place.get("conflicts")["conflicts"]))
    assert len(taken["applied"]) == 20


@pytest.mark.parametrize("choices", [
    [], None, "all", [{}], [{"conflict": 1, "keep": "grist"}], [{"conflict": 1, "keep": "grist", "seen": {}}],
    [{"conflict": "1", "keep": "grist", "seen": {"grist": 1, "shopify": 2}}],
    [{"conflict": 2**40, "keep": "grist", "seen": {"grist": 1, "shopify": 2}}],
    [{"conflict": 1, "keep": "both", "seen": {"grist": 1, "shopify": 2}}],
    [{"conflict": 1, "keep": "value", "seen": {"grist": 1, "shopify": 2}}],
    [{"conflict": 1, "keep": "grist", "seen": {"grist": 1, "shopify": 2}}] * 2,
])
def test_a_body_of_another_shape_is_refused_whole(place: Place, choices: Any) -> None:
    place.conflicts("variants", price())
    answered = place.ask("POST", "choices", body={"choices": choices})
    assert (answered.status_code, place.choices("variants")) == (422, {})
    assert set(answered.json) == {"code", "message", "cure", "details"}


def test_dates_and_moments_are_typed_as_the_api_shows_them() -> None:
    # No field that both sides write has these types yet; the rule is the same function.
    from backend.core.mapping import rule_for
    from backend.core.model import Field
    from backend.web.choices import Unfitting, _typed

    day, at = rule_for(Field("d", "date", "Day", "x")), rule_for(Field("t", "datetime", "At", "x"))
    assert _typed(day, "2026-12-01", 2) == date(2026, 12, 1)
    assert _typed(at, "2026-12-01T14:00:00Z", 2) == datetime(2026, 12, 1, 14, tzinfo=UTC)
    with pytest.raises(Unfitting, match="“tomorrow” is not a date"):
        _typed(day, "tomorrow", 2)
    with pytest.raises(Unfitting, match="is not a date with a time"):
        _typed(at, "2026-12-01T14:00:00", 2)

"""Metafields as fields: kinds from the store's definitions, compare-and-set, and what stands there is never lost."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import requests
from shopify_helpers import counted, create, mapping_of, row_of, update, write

from backend.core.mapping import rule_for
from backend.core.model import Direction, Mapping
from backend.core.values import Kind, Value, canonical
from backend.errors import OutcomeUnknown
from backend.shopify.answers import Answer
from backend.shopify.documents import metafield_alias
from backend.shopify.known import Held, Known
from backend.shopify.metafields import described, raw_of, text_of
from backend.shopify.receipts import outcome_of
from backend.shopify.resource import metafield
from backend.shopify.resources import RESOURCES
from backend.shopify.writes import request_for
from demo.shopify.model import MetafieldDefinition

MATERIAL, YEARS, CARE = ("metafields.custom.material", "metafields.custom.warranty_years", "metafields.custom.care")


def mapping_with(*names: str, resource: str = "products", fields: tuple[str, ...] = ("title",)) -> Mapping:
    """As `sync.yaml` makes it: metafields are text until the store has said what they are."""
    known = RESOURCES[resource]
    mapping = mapping_of(resource, *fields)
    rules = []
    for name in names:
        about = known.field(name)
        assert about is not None
        rules.append(rule_for(about))
    return mapping.with_fields([*mapping.fields, *rules])


def prepared(at: Any, mapping: Mapping) -> Mapping:
    [ready] = at.connector.prepare([mapping], {}, write=True).mappings
    return ready


def define(at: Any, owner: str, key: str, type_name: str, **validations: str) -> None:
    at.store.definitions[owner, "custom", key] = MetafieldDefinition(
        id=at.store.new_id(), owner_type=owner, namespace="custom", key=key, name=key, type_name=type_name,
        validations=[{"name": name, "value": value} for name, value in validations.items()])


def ask(at: Any, document: str) -> Any:
    answer = requests.post(f"{at.url}/admin/api/2026-10/graphql.json", json={"query": document}, timeout=10,
                           headers={"X-Shopify-Access-Token": "shpat_demo"}).json()
    assert "errors" not in answer, answer
    return answer["data"]


def set_by_staff(at: Any, owner: str, name: str, value: str) -> None:
    _, namespace, key = name.split(".")
    done = ask(at, f'mutation {{ metafieldsSet(metafields: [{{ownerId: "{owner}", namespace: "{namespace}", '
                   f'key: "{key}", value: "{value}"}}]) {{ userErrors {{ message }} }} }}')
    assert done["metafieldsSet"]["userErrors"] == []


@pytest.mark.parametrize("name", ["metafields.custom", "metafields..x", "metafields.a.b.c", "metafield.custom.x"])
def test_only_a_full_name_is_a_metafield(name: str) -> None:
    assert RESOURCES["products"].field(name) is None


def test_what_can_have_no_metafields_here_knows_none() -> None:
    assert RESOURCES["order_lines"].field(MATERIAL) is None


def test_the_stores_definitions_say_what_a_metafield_is(start: Any) -> None:
    ready = prepared(start(), mapping_with(MATERIAL, YEARS))
    assert (ready.rule(MATERIAL).kind, ready.rule(YEARS).kind) == ("text", "integer")
    assert ready.rule(YEARS).direction is Direction.BOTH


def test_a_metafield_without_a_definition_is_only_read_and_that_is_said(start: Any) -> None:
    at = start()
    ready = at.connector.prepare([mapping_with("metafields.custom.unknown")], {}, write=True)
    rule = ready.mappings[0].rule("metafields.custom.unknown")
    assert (rule.kind, rule.direction, rule.field.writable) == ("text", Direction.TO_GRIST, False)
    assert "no definition" in ready.notes[0]


def test_definitions_are_asked_for_once_an_owner_and_only_where_needed(start: Any) -> None:
    at = start()
    at.connector.prepare([mapping_of("products", "title")], {}, write=True)
    assert counted(at)["requests"] == 1
    at.connector.prepare([mapping_with(MATERIAL, YEARS)], {}, write=True)
    assert counted(at)["requests"] == 3


def test_metafields_are_written_read_and_deleted(start: Any) -> None:
    at = start()
    ready = prepared(at, mapping_with(MATERIAL, YEARS))
    product = next(iter(at.store.products.values()))
    [made] = write(at.connector, ready, update(product.gid, **{MATERIAL: (None, "Oak"), YEARS: (None, 5)}))
    assert made.done
    assert row_of(at.connector, ready, product.gid) == {"title": product.title, **made.stored} == {
        "title": product.title, MATERIAL: "Oak", YEARS: 5}
    [changed] = write(at.connector, ready, update(product.gid, title=(product.title, "Desk"),
                                                  **{MATERIAL: ("Oak", None), YEARS: (5, 7)}))
    assert changed.done
    assert changed.stored == row_of(at.connector, ready, product.gid) == {"title": "Desk", MATERIAL: None, YEARS: 7}


def test_many_rows_share_a_call_of_25(start: Any) -> None:
    at = start(products=30)
    ready = prepared(at, mapping_with(MATERIAL))
    seen = at.connector.read(ready)
    before = counted(at)
    receipts = write(at.connector, ready, *(update(str(key), **{MATERIAL: (None, "Oak")}) for key in seen.rows))
    after = counted(at)
    assert all(receipt.done and receipt.stored[MATERIAL] == "Oak" for receipt in receipts)
    assert (after["writes"] - before["writes"], after["requests"] - before["requests"]) == (2, 1)


def test_metafields_and_stock_cost_their_mutations_and_nothing_more(start: Any) -> None:
    at = start(products=30)
    ready = prepared(at, mapping_with(MATERIAL))
    keys = [str(key) for key in at.connector.read(ready).rows]
    before = at.connector.usage.points
    write(at.connector, ready, *(update(key, **{MATERIAL: (None, f"Wood {n}")}) for n, key in enumerate(keys)))
    assert at.connector.usage.points - before == 20, "two calls of 10 points"
    levels = mapping_of("inventory", "available", "onHand")
    held = at.connector.read(levels).rows
    before = at.connector.usage.points
    receipts = write(at.connector, levels, *(
        update(str(key), available=(row[levels.index["available"]], 77)) for key, row in held.items()
        if row[levels.index["available"]] != 77))
    assert all(receipt.done for receipt in receipts)
    assert at.connector.usage.points - before == 10


@pytest.mark.parametrize(("shown", "stored"), [
    (["Oak", "Pine", "Ash"], ["Oak", "Pine", "Ash"]),
    (["Oak", "pine", "Ash"], ["Oak", "pine", "Ash"]),  # spelled in its own way
    (["Pine", "Oak", "Ash"], [None, None, "Ash"]),  # in another order than they were sent: nobody knows whose is whose
])
def test_metafields_are_taken_in_the_order_in_which_they_were_sent(shown: list[str], stored: list[str | None]) -> None:
    mapping = mapping_with(MATERIAL)
    keys = [f"gid://shopify/Product/{n}" for n in range(3)]
    known = Known(metafields={(key, MATERIAL): Held() for key in keys})
    ops = [update(key, **{MATERIAL: (None, word)}) for key, word in zip(keys, ("Oak", "Pine", "Ash"), strict=True)]
    sent = request_for(mapping, ops, known, key="k", run="17", weight_unit="GRAMS")
    outcome = outcome_of(sent, Answer({"m0": {"userErrors": [], "metafields": [
        {"key": "material", "value": word, "type": "single_line_text_field", "compareDigest": f"d-{word}"}
        for word in shown]}}), 2)
    assert all(receipt.done for receipt in outcome.receipts.values())
    assert [outcome.receipts[n].stored.get(MATERIAL) for n in range(3)] == stored


def test_fewer_metafields_than_were_sent_say_nothing() -> None:
    mapping, key = mapping_with(MATERIAL), "gid://shopify/Product/1"
    sent = request_for(mapping, [update(key, **{MATERIAL: (None, "Oak")})], Known(metafields={(key, MATERIAL): Held()}),
                       key="k", run="17", weight_unit="GRAMS")
    with pytest.raises(OutcomeUnknown):
        outcome_of(sent, Answer({"m0": {"userErrors": [], "metafields": []}}), 2)


def test_what_somebody_wrote_meanwhile_is_not_overwritten_and_the_others_are_written(start: Any) -> None:
    at = start(products=4)
    ready = prepared(at, mapping_with(MATERIAL))
    keys = [str(key) for key in at.connector.read(ready).rows]
    set_by_staff(at, keys[1], MATERIAL, "Pine")
    receipts = write(at.connector, ready, *(update(key, **{MATERIAL: (None, "Oak")}) for key in keys))
    assert [(receipt.done, receipt.stale) for receipt in receipts] == [
        (True, False), (False, True), (True, False), (True, False)]
    assert [row_of(at.connector, ready, key)[MATERIAL] for key in keys] == ["Oak", "Pine", "Oak", "Oak"]


def test_a_plan_made_on_an_older_value_is_stale_before_anything_is_sent(start: Any) -> None:
    at = start()
    ready = prepared(at, mapping_with(MATERIAL))
    key = str(next(iter(at.connector.read(ready).rows)))
    set_by_staff(at, key, MATERIAL, "Pine")
    at.connector.read(ready)
    before = counted(at)["requests"]
    [receipt] = write(at.connector, ready, update(key, **{MATERIAL: ("Oak", "Ash")}))
    assert (receipt.stale, counted(at)["requests"]) == (True, before)


def test_a_value_that_breaks_the_stores_rule_stops_only_its_row(start: Any) -> None:
    at = start(products=3)
    define(at, "PRODUCT", "code", "single_line_text_field", max="5")
    ready = prepared(at, mapping_with("metafields.custom.code"))
    keys = [str(key) for key in at.connector.read(ready).rows]
    receipts = write(at.connector, ready, *(
        update(key, **{"metafields.custom.code": (None, text)})
        for key, text in zip(keys, ("abc", "far too long", "xyz"), strict=True)))
    assert [receipt.done for receipt in receipts] == [True, False, True]
    refusal = receipts[1].refusal
    assert refusal is not None
    assert (refusal.key, refusal.field) == (keys[1], "metafields.custom.code")


def test_a_new_product_comes_with_its_metafields(start: Any) -> None:
    at = start()
    ready = prepared(at, mapping_with(MATERIAL, YEARS))
    [made] = write(at.connector, ready, create(7, title="Oil lamp", **{MATERIAL: "Brass", YEARS: 2}))
    assert made.done
    assert (made.stored[MATERIAL], made.stored[YEARS]) == ("Brass", 2)


def test_variants_have_metafields_too(start: Any) -> None:
    at = start()
    define(at, "PRODUCTVARIANT", "depth", "number_decimal")
    ready = prepared(at, mapping_with("metafields.custom.depth", resource="variants", fields=("price",)))
    variant = next(iter(at.store.variants.values()))
    [receipt] = write(at.connector, ready, update(
        variant.gid, price=(variant.price, Decimal("9.00")), **{"metafields.custom.depth": (None, Decimal("1.5"))}))
    assert receipt.done
    assert (receipt.stored["price"], receipt.stored["metafields.custom.depth"]) == (Decimal("9.00"), Decimal("1.5"))
    [again] = write(at.connector, ready, update(variant.gid, **{"metafields.custom.depth": (Decimal("1.5"), None)}))
    assert again.done
    assert row_of(at.connector, ready, variant.gid)["metafields.custom.depth"] is None


@pytest.mark.parametrize(("type_name", "kind", "value", "text"), [
    ("single_line_text_field", "text", "Oak", "Oak"),
    ("number_integer", "integer", 5, "5"),
    ("number_decimal", "decimal", Decimal("1.50"), "1.50"),
    ("boolean", "boolean", True, "true"),
    ("date", "date", date(2026, 11, 23), "2026-11-23"),
    ("date_time", "datetime", datetime(2026, 11, 23, 10, tzinfo=UTC), "2026-11-23T10:00:00+00:00"),
    ("money", "money", Decimal("5.00"), '{"amount":"5.00","currency_code":"EUR"}'),
    ("list.single_line_text_field", "list", ("a", "b"), '["a","b"]'),
])
def test_a_value_comes_back_as_it_was_written(type_name: str, kind: Kind, value: Value, text: str) -> None:
    about = described(metafield("metafields.custom.x"), {"type": {"name": type_name}, "validations": []})
    assert (about.kind, about.writable) == (kind, True)
    assert text_of(value, kind, Held(), "EUR") == text
    assert canonical(kind, raw_of({"value": text, "type": type_name})) == value


@pytest.mark.parametrize("type_name", ["json", "rating", "dimension", "product_reference", "rich_text_field", "id"])
def test_types_without_a_column_of_their_own_are_text_to_read(type_name: str) -> None:
    about = described(metafield("metafields.custom.x"), {"type": {"name": type_name}, "validations": []})
    assert (about.kind, about.writable) == ("text", False)


def test_fixed_choices_become_choices() -> None:
    about = described(metafield("metafields.custom.x"), {
        "type": {"name": "single_line_text_field"}, "validations": [{"name": "choices", "value": '["S","M"]'}]})
    assert (about.kind, about.choices) == ("choice", ("S", "M"))


def test_a_list_keeps_the_order_that_somebody_gave_it() -> None:
    held = Held('["zinc","ash","oak"]', "d", "list.single_line_text_field")
    assert text_of(("ash", "birch", "zinc"), "list", held, "EUR") == '["zinc","ash","birch"]'


def test_a_moment_without_a_zone_is_utc() -> None:
    assert raw_of({"value": "2024-01-01T12:30:00", "type": "date_time"}) == "2024-01-01T12:30:00+00:00"
    assert raw_of({"value": "2024-01-01T12:30:00-05:00", "type": "date_time"}) == "2024-01-01T12:30:00-05:00"


def test_no_two_metafields_share_a_name_in_a_document() -> None:
    names = ["metafields.a_b.c", "metafields.a.b_c", "metafields.a-b.c", "metafields.$app:a.b", "metafields.a__b.c"]
    assert len({metafield_alias(name) for name in names}) == len(names)

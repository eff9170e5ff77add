"""How many requests a whole run costs the document: what matters is what changed, never how much there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from grist_helpers import PRODUCT, mapping, rule, update
from places import Place
from test_grist_with_engine import Shop, synced

from backend.core.model import Direction
from backend.grist.connector import GristConnector

ROWS = 60


@pytest.fixture
def shop(place: Place, tmp_path: Path) -> Iterator[Shop]:
    """Sixty variants, read for the first time a moment ago."""
    with synced(place, tmp_path / "sync.db", rows=ROWS) as made:
        yield made


def asked(shop: Shop) -> int:
    """The Grist requests of one run."""
    return shop.run().requests["grist"]


def test_a_quiet_poll_asks_once_even_right_after_the_first_sync(shop: Shop) -> None:
    assert [asked(shop), asked(shop)] == [1, 1]


def test_ten_edits_in_grist_cost_three_requests_and_the_next_poll_one(shop: Shop) -> None:
    rows = list(range(1, 11))
    shop.place.act(["BulkUpdateRecord", "Variants", rows, {"SKU": [f"new {row}" for row in rows]}])
    assert asked(shop) <= 4
    assert sorted(shop.sent("variants", "sku"))[-10:] == sorted(f"new {row}" for row in rows)
    asked(shop)  # Shopify says once more what we wrote there
    assert asked(shop) == 1


def test_ten_edits_in_shopify_cost_at_most_four_requests_and_the_next_poll_one(shop: Shop) -> None:
    for variant in list(shop.shopify.things["variants"])[:10]:
        shop.shopify.edit(variant, "price", "99.00")
    assert asked(shop) <= 4
    assert [row["Price"] for row in shop.place.rows("Variants").values()].count(99) == 10
    assert asked(shop) == 1


def test_what_a_person_types_between_our_bundles_is_not_taken_for_ours(shop: Shop) -> None:
    variant = next(iter(shop.shopify.things["variants"]))
    shop.shopify.edit(variant, "price", "99.00")
    shop.run(shop.typing("Variants", row=2, SKU="mine"))
    shop.run()
    assert "mine" in shop.sent("variants", "sku")


def test_what_a_formula_makes_of_our_write_is_looked_at(shop: Shop) -> None:
    sku = shop.place.columns("Variants")["SKU"]["colRef"]
    price = shop.place.columns("Variants")["Price"]["colRef"]
    shop.place.act(["UpdateRecord", "_grist_Tables_column", sku, {
        "formula": "'cost ' + str($Price)", "recalcWhen": 0, "recalcDeps": ["L", price]}])
    shop.run()
    variant = next(iter(shop.shopify.things["variants"]))
    shop.shopify.edit(variant, "price", "99.00")
    shop.run()
    shop.run()
    assert shop.shopify.thing(variant)["sku"].startswith("cost 99")


def test_ten_edits_on_both_sides_cost_four_requests(shop: Shop) -> None:
    assert edited_on_both_sides(shop) == ["GET states", "GET compare", "POST list", "POST apply"]


def test_ten_edits_in_a_table_too_large_to_be_compared_cost_as_many(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.grist.conditions.ROWS", 0)
    assert edited_on_both_sides(shop) == ["GET states", "GET compare", "POST list", "POST apply"]


def edited_on_both_sides(shop: Shop) -> list[str]:
    """What a run asks of Grist after five rows were edited there and five other things in Shopify."""
    shop.place.act(["BulkUpdateRecord", "Variants", [1, 2, 3, 4, 5], {"SKU": ["a", "b", "c", "d", "e"]}])
    variants = list(shop.shopify.things["variants"])[-5:]
    for variant in variants:
        shop.shopify.edit(variant, "price", "99.00")
    named: list[str] = []
    shop.run(lambda connector: note_requests(connector, named))
    assert [row["Price"] for row in shop.place.rows("Variants").values()].count(99) == 5
    assert shop.sent("variants", "sku")[:5] == ["a", "b", "c", "d", "e"]
    return named


def note_requests(connector: GristConnector, named: list[str]) -> None:
    """Put each request that the connector sends into `named`, by method and the end of its path."""
    http = connector._client._http
    original = http.send

    def send(method: str, url: str, **arguments: Any) -> Any:
        named.append(f"{method} {url.rsplit('/', 1)[-1]}")
        return original(method, url, **arguments)

    http.send = send  # type: ignore[method-assign]


def test_a_second_look_at_rows_that_were_read_and_written_asks_for_nothing(place: Place) -> None:
    connector = place.connector()
    products = connector.prepare([mapping("products", "title", "tags")], {}, write=True).mappings[0]
    place.act(["BulkAddRecord", "Products", [None] * 2, {"Title": ["A", "B"]}])
    connector.read(products, {1, 2})
    assert connector.apply(products, [update(1, PRODUCT.format(1), title=("A", "C"), tags=(None, ("x",)))])[0].done
    before = connector.usage.requests
    again = connector.again(products, {1, 2})
    assert connector.usage.requests == before
    assert again == connector.read(products, {1, 2})
    assert list(again.rows.values()) == [("C", ("x",)), ("B", None)]


def test_a_second_look_asks_where_formulas_follow_what_was_written(place: Place) -> None:
    connector = place.connector()
    mapped = rule(mapping("products", "title", "vendor"), "vendor", direction=Direction.TO_SHOPIFY)
    place.act(["AddTable", "Products", [
        {"id": "Title", "type": "Text", "isFormula": False},
        {"id": "Vendor", "type": "Text", "isFormula": True, "formula": "$Title.upper()"}]])
    products = connector.prepare([mapped], {}, write=True).mappings[0]
    place.act(["AddRecord", "Products", None, {"Title": "a"}])
    connector.read(products, {1})
    connector.apply(products, [update(1, PRODUCT.format(1), title=("a", "b"))])
    assert connector.again(products, {1}).rows == {1: ("b", "B")}


def test_a_second_look_asks_where_somebody_wrote_meanwhile(place: Place) -> None:
    connector = place.connector()
    products = connector.prepare([mapping("products", "title", "vendor")], {}, write=True).mappings[0]
    place.act(["BulkAddRecord", "Products", [None] * 2, {"Title": ["A", "B"]}])
    connector.read(products, {1, 2})
    place.act(["UpdateRecord", "Products", 2, {"Vendor": "mine"}])
    connector.apply(products, [update(1, PRODUCT.format(1), title=("A", "C"))])
    assert connector.again(products, {1, 2}).rows == {1: ("C", None), 2: ("B", "mine")}


def test_choices_that_we_added_need_not_be_asked_for_again(shop: Shop) -> None:
    product = next(iter(shop.shopify.things["products"]))
    shop.shopify.edit(product, "tags", ["blue", "new word"])
    shop.run()
    shop.place.act(["UpdateRecord", "Products", 1, {"Title": "Cup"}])
    named: list[str] = []
    shop.run(lambda connector: note_requests(connector, named))
    assert named == ["GET states", "GET compare", "POST list"]
    shop.shopify.edit(product, "tags", ["new word"])
    later: list[str] = []
    shop.run(lambda connector: note_requests(connector, later))
    assert "GET columns" not in later

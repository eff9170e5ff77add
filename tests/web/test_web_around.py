"""What stands around a question: the other fields of a conflict's row, and what goes along with a deletion."""

from __future__ import annotations

from typing import Any

import pytest
from web_helpers import SHIRT, SHIRT_S, Place

from backend.core.model import Proposal, Side
from backend.errors import UserError
from backend.shopify.resources import RESOURCES
from backend.web.around import COUNTED, TAKEN_ALONG
from backend.web.sight import Reads

SHIRT_M = "gid://shopify/ProductVariant/12"
MAIN, CELLAR = "gid://shopify/Location/4", "gid://shopify/Location/5"


def level(number: int) -> str:
    return f"gid://shopify/InventoryLevel/{number}?inventory_item_id={number}"


@pytest.fixture
def stocked(place: Place) -> Place:
    """A shirt in two sizes, of which the main store holds 12 and 3, and the cellar none."""
    place.pair("products", 14, SHIRT, title="Linen shirt", vendor="Loom", tags=("summer",))
    place.pair("variants", 1, SHIRT_S, product=SHIRT, sku="LIN-S", price="39.00")
    place.pair("variants", 2, SHIRT_M, product=SHIRT, sku="LIN-M", price="39.00")
    levels = ((SHIRT_S, MAIN, 12), (SHIRT_M, MAIN, 3), (SHIRT_M, CELLAR, 0))
    for row, (variant, location, number) in enumerate(levels, 1):
        place.pair("inventory", row, level(row), variant=variant, location=location, available=number)
    return place


def along(place: Place, role: str = "owner") -> Any:
    [told] = place.get("deletions/along", role)["along"].values()
    return told


def test_what_shopify_deletes_with_a_product_is_told_with_its_stock(stocked: Place) -> None:
    stocked.delete("products", Proposal(Side.REMOTE, SHIRT, 14, "Linen shirt"))
    assert along(stocked) == {
        "go": [{"label": "Variants", "n": 2}, {"label": "Inventory", "n": 3}], "wait": [], "lose": [],
        "stock": {"n": 15, "places": ["4"]}}


def test_rows_that_lose_their_reference_are_told_from_those_that_are_asked_about_themselves(stocked: Place) -> None:
    stocked.delete("products", Proposal(Side.LOCAL, 14, SHIRT, "Linen shirt"))
    assert along(stocked) == {"go": [], "wait": [], "lose": [{"label": "Variants", "n": 2}], "stock": None}
    stocked.delete("variants", Proposal(Side.LOCAL, 1, SHIRT_S, "Linen shirt / S"))
    product, variant = stocked.get("deletions/along")["along"].values()
    assert product == {"go": [], "wait": [{"label": "Variants", "n": 1}], "lose": [{"label": "Variants", "n": 1}],
                       "stock": None}
    assert variant["lose"] == [{"label": "Inventory", "n": 1}]


def test_nothing_points_to_it(place: Place) -> None:
    place.pair("products", 31, SHIRT, title="Gift card")
    place.delete("products", Proposal(Side.LOCAL, 31, SHIRT, "Gift card"))
    assert along(place) == {"go": [], "wait": [], "lose": [], "stock": None}


def test_what_is_taken_along_is_a_reference_of_its_resource() -> None:
    for name, reference in TAKEN_ALONG.items():
        field = RESOURCES[name].field(reference)
        assert field is not None
        assert RESOURCES[field.target].deletable, name


def test_stock_is_counted_by_fields_that_a_level_has() -> None:
    assert [name for name in COUNTED if RESOURCES["inventory"].field(name) is None] == []


def test_the_other_fields_of_a_row_are_as_both_sides_last_agreed(stocked: Place) -> None:
    told = stocked.get("row?resource=variants&row=1")
    assert (told["resource"], told["table"], told["row"]) == ("variants", "Variants", 1)
    assert [(one["field"], one["type"], one["value"]) for one in told["fields"]] == [
        ("product", "ref", {"title": "Linen shirt"}), ("sku", "text", "LIN-S"), ("price", "money", "39.00")]


@pytest.mark.parametrize("asked", ["resource=variants&row=99", "resource=boats&row=1"])
def test_a_row_that_is_not_synced_is_not_there(stocked: Place, asked: str) -> None:
    answer = stocked.ask("GET", f"row?{asked}")
    assert (answer.status_code, answer.json["code"]) == (404, "no_such_row")


class Narrow:
    """What an editor's token reads: row 1 of Variants, without its price, and nothing of other tables."""

    def count_rows(self, table: str) -> int:
        raise UserError("No.")

    def data(self, table: str) -> dict[str, list[Any]]:
        return {"id": [1], "SKU": ["LIN-S"], "Product": [14]} if table == "Variants" else {"id": []}


def test_nobody_is_told_of_rows_and_cells_that_they_do_not_see(stocked: Place) -> None:
    stocked.service.reads = Reads(lambda document, token: Narrow())
    stocked.delete("products", Proposal(Side.LOCAL, 14, SHIRT, "Linen shirt"))
    assert along(stocked, "editor")["lose"] == [{"label": "Variants", "n": 1}]
    # The name of the product stands in a row that they do not see.
    assert [one["field"] for one in stocked.get("row?resource=variants&row=1", "editor")["fields"]] == ["sku"]
    assert stocked.ask("GET", "row?resource=variants&row=2", "editor").status_code == 404
    stocked.delete("products", Proposal(Side.REMOTE, SHIRT, 14, "Linen shirt"))
    told = along(stocked, "editor")
    assert (told["go"], told["stock"]) == ([], None)

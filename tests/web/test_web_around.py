"""What stands around a question: how a row stands, its other fields, and what goes along with a deletion."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from web_helpers import SHIRT, SHIRT_S, Place, price, whole_row

from backend.core.model import Change, Proposal, Refusal, Side, Why
from backend.errors import UserError
from backend.shopify.resources import RESOURCES
from backend.store import apart, inbox, waiting
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


def variants(n: int) -> dict[str, Any]:
    return {"resource": "variants", "label": "Variants", "n": n}


def levels(n: int) -> dict[str, Any]:
    return {"resource": "inventory", "label": "Inventory", "n": n}


def along(place: Place, role: str = "owner") -> Any:
    [told] = place.get("deletions/along", role)["along"].values()
    return told


def test_what_shopify_deletes_with_a_product_is_told_with_its_stock(stocked: Place) -> None:
    stocked.delete("products", Proposal(Side.REMOTE, SHIRT, 14, "Linen shirt"))
    assert along(stocked) == {
        "go": [variants(2), levels(3)], "wait": [], "back": [], "lose": [],
        "stock": {"n": 15, "places": ["4"]}}


def test_rows_that_lose_their_reference_are_told_from_those_that_are_asked_about_themselves(stocked: Place) -> None:
    stocked.delete("products", Proposal(Side.LOCAL, 14, SHIRT, "Linen shirt"))
    assert along(stocked) == {"go": [], "wait": [], "back": [], "lose": [variants(2)], "stock": None}
    stocked.delete("variants", Proposal(Side.LOCAL, 1, SHIRT_S, "Linen shirt / S"))
    product, variant = stocked.get("deletions/along")["along"].values()
    assert product == {"go": [], "wait": [variants(1)], "back": [variants(1)], "lose": [variants(1)], "stock": None}
    assert variant["lose"] == [levels(1)]


def gone(place: Place, *rows: tuple[str, int, str]) -> list[int]:
    """Ids of these deletions: (resource, row, thing) that are gone from Shopify."""
    for resource in {resource for resource, _, _ in rows}:
        place.delete(resource, *(Proposal(Side.LOCAL, row, thing, f"{resource} {row}")
                                 for one, row, thing in rows if one == resource))
    return sorted(one["id"] for one in place.get("deletions")["deletions"])


GONE = (("products", 14, SHIRT), ("variants", 1, SHIRT_S), ("variants", 2, SHIRT_M), ("inventory", 1, level(1)))


def test_what_is_put_back_with_a_product_is_told(stocked: Place) -> None:
    gone(stocked, *GONE)
    told = stocked.get("deletions/along")["along"]
    product = next(one["id"] for one in stocked.get("deletions")["deletions"] if one["resource"] == "products")
    assert told[str(product)]["back"] == [variants(2), levels(1)]
    others = [one["back"] for number, one in told.items() if number != str(product)]
    assert sorted(others, key=len) == [[], [], [levels(1)]]


def test_who_does_not_see_what_belongs_to_a_product_cannot_put_it_back(stocked: Place) -> None:
    gone(stocked, *GONE)
    product = next(one["id"] for one in stocked.get("deletions")["deletions"] if one["resource"] == "products")
    stocked.service.reads = Reads(lambda document, token: OnlyProducts())
    assert [one["resource"] for one in stocked.get("deletions", "editor")["deletions"]] == ["products"]
    assert stocked.get("deletions/along", "editor")["along"][str(product)]["back"] == []
    answer = stocked.ask("POST", "deletions", "editor", {"put_back": [product]})
    assert (answer.status_code, answer.json["message"]) == (
        403, "Rows that belong to it would be put back with it, and they are hidden from you.")
    assert len(stocked.get("deletions")["deletions"]) == 4
    assert stocked.queued() == []
    stocked.post("deletions", {"put_back": [product]})
    assert stocked.get("deletions")["deletions"] == []


def test_nothing_points_to_it(place: Place) -> None:
    place.pair("products", 31, SHIRT, title="Gift card")
    place.delete("products", Proposal(Side.LOCAL, 31, SHIRT, "Gift card"))
    assert along(place) == {"go": [], "wait": [], "back": [], "lose": [], "stock": None}


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


def test_a_row_of_a_table_that_is_not_synced_is_not_there(stocked: Place) -> None:
    for asked in ("row?resource=boats&row=1", "changes?resource=boats&row=1"):
        answer = stocked.ask("GET", asked)
        assert (answer.status_code, answer.json["code"]) == (404, "no_such_row")


# --- how the row stands that is chosen in Grist --------------------------------------------------

AGREED = {"state": "agreed", "conflicts": 0, "apart": 0, "why": None, "creates": False, "last": None}
LATE = Refusal(Side.REMOTE, SHIRT_S, "Shopify refused the price: it is too long.", "Shorten it.", "price",
               "Linen shirt / S")
RESTS = Refusal(Side.LOCAL, 7, "The row is new and rests half a minute.", "Nothing to do.", title="Cap", waits=True)


def standing(place: Place, row: int = 1, resource: str = "variants", role: str = "owner") -> Any:
    return place.get(f"row?resource={resource}&row={row}", role)["status"]


def test_a_row_in_agreement_says_so_and_what_it_is_called(stocked: Place) -> None:
    told = stocked.get("row?resource=products&row=14")
    assert (told["title"], told["sku"], told["status"]) == ("Linen shirt", None, AGREED)
    assert stocked.get("row?resource=variants&row=1")["sku"] == "LIN-S"


def test_a_row_that_is_nothing_in_shopify_says_so(stocked: Place) -> None:
    told = stocked.get("row?resource=variants&row=99")
    assert (told["title"], told["fields"], told["status"]) == (None, [], {**AGREED, "state": "new"})


def test_a_row_with_conflicts_counts_those_that_wait_for_a_choice(stocked: Place) -> None:
    [first, _] = stocked.conflicts("variants", price(), price(field="compareAtPrice"))
    assert standing(stocked) == {**AGREED, "state": "conflict", "conflicts": 2}
    stocked.post("choices", {"choices": [
        {"conflict": first, "keep": "grist", "seen": {"grist": "39.00", "shopify": "45.00"}}]})
    assert standing(stocked)["conflicts"] == 1


def test_an_answered_conflict_is_looked_at_by_the_next_sync(stocked: Place) -> None:
    [only] = stocked.conflicts("variants", price())
    stocked.post("choices", {"choices": [
        {"conflict": only, "keep": "grist", "seen": {"grist": "39.00", "shopify": "45.00"}}]})
    assert standing(stocked) == {**AGREED, "state": "next"}


def test_a_refused_row_has_its_cause_and_cure_under_its_thing_too(stocked: Place) -> None:
    stocked.refuse("variants", LATE)
    assert standing(stocked) == {**AGREED, "state": "refused", "why": {
        "message": "Shopify refused the price: it is too long.", "cure": "Shorten it."}}
    assert standing(stocked, 2) == AGREED


def test_a_row_that_rests_waits(stocked: Place) -> None:
    stocked.refuse("variants", RESTS)
    assert standing(stocked, 7)["state"] == "waits"
    assert standing(stocked, 7)["why"] == {"message": RESTS.message, "cure": RESTS.cure}


def test_a_deletion_is_asked_then_answered_or_kept_apart(stocked: Place) -> None:
    stocked.delete("variants", Proposal(Side.LOCAL, 1, SHIRT_S, "Linen shirt / S"))
    assert standing(stocked)["state"] == "deletion"
    [number] = [one["id"] for one in stocked.get("deletions")["deletions"]]
    stocked.post("deletions", {"keep": [number]})
    assert standing(stocked)["state"] == "apart"
    stocked.delete("variants", Proposal(Side.LOCAL, 2, SHIRT_M, "Linen shirt / M"))
    [number] = [one["id"] for one in stocked.get("deletions")["deletions"]]
    stocked.post("deletions", {"approve": [number]})
    assert standing(stocked, 2)["state"] == "next"


def test_a_cell_kept_apart_is_counted_and_a_row_kept_apart_is_a_state(stocked: Place) -> None:
    [cell, _] = stocked.conflicts("variants", price(), price(2, thing=SHIRT_M))
    with stocked.service.database.write() as tx:
        apart.keep(tx, waiting.conflicts_by_id(tx, [stocked.mapping("variants").id], [cell])[cell], "An owner")
    assert standing(stocked) == {**AGREED, "apart": 1}
    gone = whole_row(2, SHIRT_M, "Linen shirt / M", [Change("price", Decimal(1), Decimal(2), Why.CHANGED)])
    with stocked.service.database.write() as tx:
        waiting.replace_conflicts(tx, stocked.mapping("variants"), [gone])
        [one] = waiting.conflict_page(tx, [stocked.mapping("variants").id])
        apart.keep(tx, one, "An owner")
    assert standing(stocked, 2)["state"] == "apart"


def test_a_row_that_is_noted_is_looked_at_by_the_next_sync(stocked: Place) -> None:
    with stocked.service.database.write() as tx:
        inbox.note(tx, stocked.link.id, Side.REMOTE, [("variants", SHIRT_M)])
    assert [standing(stocked, row)["state"] for row in (1, 2)] == ["agreed", "next"]


def test_what_was_written_last_is_told_and_the_history_of_a_row_is_that_of_its_thing(stocked: Place) -> None:
    run = stocked.begin()
    stocked.change("variants", run.id, field="sku", side="local")
    stocked.change("variants", run.id)
    stocked.change("variants", run.id, remote_key="gid://shopify/ProductVariant/8", title="Who had row 1 before")
    stocked.change("variants", run.id, local_key=2, remote_key=SHIRT_M)
    last = standing(stocked)["last"]
    assert (last["run"], last["by"], last["to"], last["kind"], last["field_label"]) == (
        run.id, "Timer", "shopify", "update", "Price")
    told = stocked.get("changes?resource=variants&row=1")
    assert [(one["field"], one["title"]) for one in told["changes"]] == [
        ("price", "Linen shirt / S"), ("sku", "Linen shirt / S")]
    first = stocked.get("changes?resource=variants&row=1&limit=1")
    assert [one["field"] for one in first["changes"]] == ["price"]
    rest = stocked.get(f"changes?resource=variants&row=1&before={first['next']}")
    assert [one["field"] for one in rest["changes"]] == ["sku"]
    assert len(stocked.get("changes")["changes"]) == 4


@pytest.mark.parametrize("asked", ["resource=variants", "row=1", "resource=variants&row=0", "resource=&row=1"])
def test_half_a_row_has_no_history(stocked: Place, asked: str) -> None:
    assert stocked.ask("GET", f"changes?{asked}").status_code == 422


class OnlyProducts:
    """What an editor's token reads: the products, and nothing of other tables."""

    def count_rows(self, table: str) -> int:
        raise UserError("No.")

    def data(self, table: str) -> dict[str, list[Any]]:
        columns = ("Title", "Handle", "Status", "Tags", "Vendor")
        return {"id": [14], **{name: ["x"] for name in columns}} if table == "Products" else {"id": []}


class Narrow:
    """What an editor's token reads: row 1 of Variants, without its price, and nothing of other tables."""

    def count_rows(self, table: str) -> int:
        raise UserError("No.")

    def data(self, table: str) -> dict[str, list[Any]]:
        return {"id": [1], "SKU": ["LIN-S"], "Product": [14]} if table == "Variants" else {"id": []}


def test_nobody_is_told_of_rows_and_cells_that_they_do_not_see(stocked: Place) -> None:
    stocked.service.reads = Reads(lambda document, token: Narrow())
    stocked.delete("products", Proposal(Side.LOCAL, 14, SHIRT, "Linen shirt"))
    assert along(stocked, "editor")["lose"] == [variants(1)]
    # The name of the product stands in a row that they do not see.
    assert [one["field"] for one in stocked.get("row?resource=variants&row=1", "editor")["fields"]] == ["sku"]
    assert stocked.ask("GET", "row?resource=variants&row=2", "editor").status_code == 404
    stocked.conflicts("variants", price(), price(field="sku"))
    stocked.refuse("variants", LATE)
    told = stocked.get("row?resource=variants&row=1", "editor")
    assert told["title"] is None
    assert told["status"] == {**AGREED, "state": "conflict", "conflicts": 1}
    stocked.delete("products", Proposal(Side.REMOTE, SHIRT, 14, "Linen shirt"))
    told = along(stocked, "editor")
    assert (told["go"], told["stock"]) == ([], None)

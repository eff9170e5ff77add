"""Stock: compare-and-set, keys, refusals, and what moves along."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from demo.shopify import Store, run
from demo.shopify.model import Location

from .conftest import Ask

SET = """mutation($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { reason changes { name delta quantityAfterChange location { id } } }
    userErrors { field message code } } }"""
ADJUST = """mutation($input: InventoryAdjustQuantitiesInput!, $key: String!) {
  inventoryAdjustQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { changes { name delta } } userErrors { field message code } } }"""
QUANTITIES = """query($id: ID!) { inventoryItem(id: $id) { inventoryLevels(first: 9, includeInactive: true) { nodes {
  id isActive quantities(names: ["available", "on_hand", "committed"]) { name quantity } } } } }"""


@dataclass
class Stock:
    """The first variant's stock at the first location: 12 available."""

    store: Store
    ask: Ask

    @property
    def row(self) -> dict[str, str]:
        variant = next(iter(self.store.variants.values()))
        return {"inventoryItemId": variant.inventory_item.gid, "locationId": self.store.default_location().gid}

    def set(self, quantity: int, key: str, **more: Any) -> dict[str, Any]:
        return self.ask(SET, key=key, input={"name": "available", "reason": "correction", "quantities": [
            {**self.row, "quantity": quantity, **more}]})

    def held(self) -> dict[str, int]:
        return {row["name"]: row["quantity"] for row in self.levels()[0]["quantities"]}

    def levels(self) -> list[dict[str, Any]]:
        item = self.ask(QUANTITIES, id=self.row["inventoryItemId"])["data"]["inventoryItem"]
        return item["inventoryLevels"]["nodes"]


@pytest.fixture
def stock(store: Store, ask: Ask) -> Stock:
    return Stock(store, ask)


def test_a_set_moves_on_hand_along(stock: Stock) -> None:
    payload = stock.set(15, "a", changeFromQuantity=12)["data"]["inventorySetQuantities"]
    assert [(row["name"], row["delta"], row["quantityAfterChange"])
            for row in payload["inventoryAdjustmentGroup"]["changes"]] == [("available", 3, None), ("on_hand", 3, None)]
    assert stock.held() == {"available": 15, "on_hand": 15, "committed": 0}


def test_a_stale_row_is_refused_and_null_asks_for_no_check(stock: Stock) -> None:
    payload = stock.set(15, "a", changeFromQuantity=11)["data"]["inventorySetQuantities"]
    assert payload["inventoryAdjustmentGroup"] is None
    assert payload["userErrors"][0]["code"] == "CHANGE_FROM_QUANTITY_STALE"
    assert payload["userErrors"][0]["field"] == ["input", "quantities", "0", "changeFromQuantity"]
    assert stock.held()["available"] == 12
    assert stock.set(15, "b", changeFromQuantity=None)["data"]["inventorySetQuantities"]["userErrors"] == []


def test_a_row_must_say_what_it_changes_from(stock: Stock) -> None:
    body = stock.set(15, "a")
    assert body["data"] == {"inventorySetQuantities": None}
    error = body["errors"][0]
    assert error["message"] == "InventoryQuantityInput must include the following argument: changeFromQuantity."
    assert error["extensions"]["code"] == "INVALID_FIELD_ARGUMENTS"
    assert len(error["locations"]) == 2


def test_a_call_without_a_key_is_refused(stock: Stock) -> None:
    body = stock.ask(SET.replace(" @idempotent(key: $key)", "").replace(", $key: String!", ""), input={
        "name": "available", "reason": "correction",
        "quantities": [{**stock.row, "quantity": 1, "changeFromQuantity": None}]})
    assert body["errors"][0]["message"] == \
        "The @idempotent directive is required for this mutation but was not provided."
    assert body["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_a_repeated_key_runs_once_and_another_input_under_it_is_refused(stock: Stock) -> None:
    first = stock.set(15, "same", changeFromQuantity=12)
    assert stock.set(15, "same", changeFromQuantity=12)["data"] == first["data"]
    other = stock.set(16, "same", changeFromQuantity=15)["data"]["inventorySetQuantities"]
    assert other["userErrors"][0]["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    assert stock.held()["available"] == 15
    stock.store.clock.advance(24 * 3600 + 1)
    assert stock.set(16, "same", changeFromQuantity=15)["data"]["inventorySetQuantities"]["userErrors"] == []


@pytest.mark.parametrize(("change", "field", "code"), [
    ({"name": "damaged"}, ["input", "name"], "INVALID_NAME"),
    ({"reason": "whim"}, ["input", "reason"], "INVALID_REASON"),
    ({"referenceDocumentUri": "no uri"}, ["input", "referenceDocumentUri"], "INVALID_REFERENCE_DOCUMENT"),
    ({"quantity": 1_000_000_001}, ["input", "quantities", "0", "quantity"], "INVALID_QUANTITY_TOO_HIGH"),
    ({"quantity": -1_000_000_001}, ["input", "quantities", "0", "quantity"], "INVALID_QUANTITY_TOO_LOW"),
    ({"name": "on_hand", "quantity": -1}, ["input", "quantities", "0", "quantity"], "INVALID_QUANTITY_NEGATIVE"),
    ({"locationId": "gid://shopify/Location/999999999999"}, ["input", "quantities", "0", "locationId"],
     "INVALID_LOCATION"),
    ({"inventoryItemId": "gid://shopify/InventoryItem/999999999999"}, ["input", "quantities", "0", "inventoryItemId"],
     "INVALID_INVENTORY_ITEM"),
])
def test_refusals_of_a_set(stock: Stock, change: dict[str, Any], field: list[str], code: str) -> None:
    row = {**stock.row, "quantity": 5, "changeFromQuantity": None}
    given = {"name": "available", "reason": "correction", "quantities": [row]}
    for key, value in change.items():
        (row if key in row else given)[key] = value
    payload = stock.ask(SET, key="k", input=given)["data"]["inventorySetQuantities"]
    assert [(error["field"], error["code"]) for error in payload["userErrors"]] == [(field, code)]
    assert payload["inventoryAdjustmentGroup"] is None


def test_the_same_pair_twice_is_refused_on_each_row(stock: Stock) -> None:
    row = {**stock.row, "quantity": 5, "changeFromQuantity": None}
    payload = stock.ask(SET, key="k", input={"name": "available", "reason": "correction", "quantities": [row, row]})
    assert [(error["field"], error["code"]) for error in payload["data"]["inventorySetQuantities"]["userErrors"]] == [
        (["input", "quantities", str(index), "locationId"], "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR")
        for index in (0, 1)]


def test_other_names_need_a_ledger_and_a_change_of_nothing_has_no_group(stock: Stock) -> None:
    row = {**stock.row, "delta": 2, "changeFromQuantity": 0}
    given = {"name": "damaged", "reason": "damaged", "changes": [row]}
    payload = stock.ask(ADJUST, key="a", input=given)["data"]["inventoryAdjustQuantities"]
    assert payload["userErrors"][0]["code"] == "INVALID_QUANTITY_DOCUMENT"
    row["ledgerDocumentUri"] = "https://example.com/ledger/1"
    payload = stock.ask(ADJUST, key="b", input=given)["data"]["inventoryAdjustQuantities"]
    assert payload["inventoryAdjustmentGroup"]["changes"] == [{"name": "damaged", "delta": 2},
                                                              {"name": "on_hand", "delta": 2}]
    payload = stock.ask(ADJUST, key="c", input={"name": "available", "reason": "correction", "changes": [
        {**stock.row, "delta": 0, "changeFromQuantity": 12}]})["data"]["inventoryAdjustQuantities"]
    assert payload == {"inventoryAdjustmentGroup": None, "userErrors": []}


def test_an_order_moves_available_to_committed(stock: Stock) -> None:
    variant = next(iter(stock.store.variants.values()))
    stock.store.sell(variant.gid, 2, stock.store.default_location().gid)
    assert stock.held() == {"available": 10, "on_hand": 12, "committed": 2}


def test_a_deactivated_level_keeps_its_stock_and_the_last_one_stays(stock: Stock) -> None:
    levels = stock.levels()
    deactivate = "mutation($id: ID!) { inventoryDeactivate(inventoryLevelId: $id) { userErrors { field message } } }"
    assert stock.ask(deactivate, id=levels[1]["id"])["data"]["inventoryDeactivate"]["userErrors"] == []
    assert stock.ask(deactivate, id=levels[0]["id"])["data"]["inventoryDeactivate"]["userErrors"] == [
        {"field": None, "message": "The product couldn't be unstocked from Oslo shop because products need to be "
                                   "stocked at a minimum of 1 location."}]
    after = stock.levels()
    assert [level["isActive"] for level in after] == [True, False]
    assert after[1]["quantities"] == levels[1]["quantities"]


def test_an_active_level_takes_no_quantity_on_activation(stock: Stock) -> None:
    payload = stock.ask("""mutation($i: ID!, $l: ID!) { inventoryActivate(inventoryItemId: $i, locationId: $l,
      available: 7) @idempotent(key: "k") { inventoryLevel { isActive } userErrors { field message } } }""",
                        i=stock.row["inventoryItemId"], l=stock.row["locationId"])["data"]["inventoryActivate"]
    assert payload == {"inventoryLevel": {"isActive": True}, "userErrors": [
        {"field": ["available"],
         "message": "Not allowed to set available quantity when the item is already active at the location."}]}


KEYLESS = """mutation($input: InventorySetQuantitiesInput!) { inventorySetQuantities(input: $input) {
  inventoryAdjustmentGroup { changes { name delta } } userErrors { field code } } }"""


def test_versions_differ_in_what_a_quantity_needs(store: Store) -> None:
    variant = next(iter(store.variants.values()))
    elsewhere = store.add_location("Pop-up")
    here = next(iter(variant.inventory_item.levels.values()))

    def asked(version: str, location: Location, **row: Any) -> dict[str, Any]:
        return run(store, KEYLESS, {"input": {"name": "available", "reason": "correction", "quantities": [
            {"inventoryItemId": variant.inventory_item.gid, "locationId": location.gid, "quantity": 7, **row}]}},
            version=version).body
    old = asked("2026-01", here.location, compareQuantity=here.quantity("available"))
    assert old["data"]["inventorySetQuantities"]["userErrors"] == []
    stale = asked("2026-01", here.location, compareQuantity=1234)
    assert stale["data"]["inventorySetQuantities"]["userErrors"][0]["code"] == "CHANGE_FROM_QUANTITY_STALE"
    unstocked = asked("2026-01", elsewhere)
    assert unstocked["data"]["inventorySetQuantities"]["userErrors"] == [
        {"field": ["input", "quantities", "0", "locationId"], "code": "ITEM_NOT_STOCKED_AT_LOCATION"}]
    assert asked("2026-04", here.location, compareQuantity=7)["errors"][0]["extensions"]["code"] == "INVALID_VARIABLE"
    assert asked("2026-10", here.location)["errors"][0]["extensions"]["code"] == "INVALID_FIELD_ARGUMENTS"
    assert "@idempotent" in asked("2026-10", here.location, changeFromQuantity=7)["errors"][0]["message"]


def test_a_location_goes_out_of_use_only_when_nothing_is_there(ask: Ask, store: Store) -> None:
    oslo, warehouse = list(store.locations.values())
    off = """mutation($id: ID!, $to: ID, $key: String!) { locationDeactivate(locationId: $id,
      destinationLocationId: $to) @idempotent(key: $key) { location { isActive }
      locationDeactivateUserErrors { code } } }"""
    delete = """mutation($id: ID!) { locationDelete(locationId: $id) { deletedLocationId
      locationDeleteUserErrors { code } } }"""
    refused = ask(off, id=warehouse.gid, key="a")["data"]["locationDeactivate"]
    assert refused["locationDeactivateUserErrors"] == [{"code": "HAS_ACTIVE_INVENTORY_ERROR"}]
    assert ask(delete, id=warehouse.gid)["data"]["locationDelete"]["locationDeleteUserErrors"] == [
        {"code": "LOCATION_IS_ACTIVE"}, {"code": "LOCATION_HAS_INVENTORY"}]
    total = sum(level.quantity("available") for level in store.levels())
    moved = ask(off, id=warehouse.gid, to=oslo.gid, key="b")["data"]["locationDeactivate"]
    assert moved == {"location": {"isActive": False}, "locationDeactivateUserErrors": []}
    assert sum(level.quantity("available") for level in store.levels() if level.location is oslo) == total
    assert ask(delete, id=warehouse.gid)["data"]["locationDelete"]["deletedLocationId"] == warehouse.gid

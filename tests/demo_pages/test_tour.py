"""The tour knows what was done by looking at both sides, and its buttons move only the store."""

from __future__ import annotations

from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient

from demo.__main__ import _is_taken
from demo.grist import Document, Grist
from demo.pages import create_app
from demo.serving import serving
from demo.shopify import Store
from demo.shopify import create_app as store_app


@pytest.fixture
def store() -> Store:
    return Store(products=6, seed=1)


@pytest.fixture
def document() -> Document:
    """What the first sync of the demo leaves of the things that the tour is about."""
    document = Grist().new_document("Shop", "Shop1")
    document.apply([
        ["AddTable", "Products", [{"id": "Handle", "type": "Text", "isFormula": False}]],
        ["AddTable", "Variants", [{"id": "SKU", "type": "Text", "isFormula": False},
                                  {"id": "Price", "type": "Numeric", "isFormula": False}]],
        ["AddTable", "Inventory", [{"id": "Variant", "type": "Ref:Variants", "isFormula": False},
                                   {"id": "Available", "type": "Int", "isFormula": False}]],
    ])
    document.table("Products").add(Handle="felt-hat")
    document.table("Variants").add(SKU="LIN-S", Price=42)
    document.table("Variants").add(SKU="WOO-1", Price=35)
    document.table("Inventory").add(Variant=1, Available=12)
    return document


@pytest.fixture
def page(store: Store, document: Document) -> FlaskClient:
    app = create_app(store, "http://store.example", document, store_app(store).extensions["shopify_door"])
    return app.test_client()


def done(page: FlaskClient) -> list[bool]:
    return [step["isDone"] for step in page.get("/tour").get_json()["steps"]]


def test_nothing_is_done_before_anything_happened(page: FlaskClient) -> None:
    assert done(page) == [False] * 5


def test_a_price_is_done_when_both_hold_the_new_one(page: FlaskClient, store: Store, document: Document) -> None:
    document.table("Variants").update(1, Price=45.5)
    assert not done(page)[0]
    store.variants_by_sku("LIN-S")[0].price = Decimal("45.50")
    assert done(page)[0]


def test_stock_is_done_when_both_changes_count(page: FlaskClient, store: Store, document: Document) -> None:
    assert "sold 2" in page.post("/act/sell").get_json()["said"]
    document.table("Inventory").update(1, Available=10)
    assert not done(page)[1], "only the sale went over"
    store.change_quantity(store.stock_at(store.variants_by_sku("LIN-S")[0].inventory_item, store.default_location()),
                          "available", 3)
    document.table("Inventory").update(1, Available=13)
    assert done(page)[1]


def test_a_conflict_is_done_when_it_is_settled(page: FlaskClient, document: Document) -> None:
    page.post("/act/reprice")
    assert not done(page)[2]
    document.table("Variants").update(2, Price=37.5)
    assert done(page)[2]


def test_a_deletion_is_done_when_the_row_is_gone(page: FlaskClient, store: Store, document: Document) -> None:
    page.post("/act/delete")
    assert store.variants_by_sku("FEL-9") == []
    assert not done(page)[3]
    document.table("Products").remove(1)
    assert done(page)[3]
    assert "already" in page.post("/act/delete").get_json()["said"]


def test_a_cut_is_done_when_the_network_is_back(page: FlaskClient) -> None:
    page.post("/act/network")
    assert page.get("/tour").get_json()["steps"][4]["button"] == "Restore the network"
    assert not done(page)[4]
    page.post("/act/network")
    assert done(page)[4]


def test_what_is_gone_or_unknown_is_said(page: FlaskClient, store: Store) -> None:
    assert page.post("/act/dance").status_code == 404
    store.remove_product(store.variants_by_sku("LIN-S")[0].product)
    gone = page.post("/act/sell")
    assert (gone.status_code, gone.get_json()["error"]) == (409, "The store has no variant {'sku': 'LIN-S'}.")


def test_another_sites_page_may_press_nothing(page: FlaskClient) -> None:
    assert page.post("/act/delete", headers={"Origin": "https://elsewhere.example"}).status_code == 403


def test_a_port_that_is_taken_is_seen() -> None:
    with serving(Flask("somebody")) as url:
        assert _is_taken(int(url.rsplit(":", 1)[1]))
    assert not _is_taken(0)

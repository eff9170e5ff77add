"""No create happens twice: answers are lost after the work was done, and what was made is found again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from shopify_helpers import STORE, create, mapping_of, update

from backend.connector import Stamp
from backend.core.model import Mapping, Op
from backend.errors import OutcomeUnknown
from backend.shopify.auth import PastedToken
from backend.shopify.connector import ShopifyConnector
from backend.shopify.creating import KEY, NAMESPACE, own_handle
from backend.shopify.resource import shape

STAMP = Stamp("run-7-batch-1", "7")


def later(at: Any) -> ShopifyConnector:
    """Another process: it knows nothing of what the first one saw."""
    connector = ShopifyConnector(STORE, PastedToken("shpat_demo"), admin_url=at.url, sleep=lambda seconds: None)
    connector.prepare([], {}, write=True)
    return connector


def lose_the_answer(at: Any, mapping: Mapping, *ops: Op) -> None:
    """Write `ops` in one batch whose answer never comes back."""
    at.connector._learn(mapping, ops)
    if shape(mapping).finds:
        at.connector._keys.defined(shape(mapping))
    assert at.connector.shop
    at.door("faults", next=[{"drop": "after"}])
    with pytest.raises(OutcomeUnknown):
        at.connector.apply(mapping, list(ops), STAMP)


@pytest.fixture(params=["key", "handle"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With our key's definition, and where Shopify refuses it."""
    if request.param == "handle":
        monkeypatch.setattr("backend.shopify.creating.Keys._define", lambda self, resource: False)
    return str(request.param)


def test_a_product_whose_answer_was_lost_is_found_and_not_made_again(start: Any, way: str) -> None:
    at = start(products=2)
    mapping = mapping_of("products", "title", "vendor", "status")
    ops = [create(7, title="Oil lamp", vendor="Acme"), create(8, title="Oil lamp")]
    lose_the_answer(at, mapping, *ops)
    assert len(at.store.products) == 4
    receipts = later(at).repeat(mapping, ops, STAMP)
    assert receipts is not None
    assert [receipt.done for receipt in receipts] == [True, True]
    assert len({receipt.key for receipt in receipts}) == 2
    assert receipts[0].stored == {"title": "Oil lamp", "vendor": "Acme", "status": "DRAFT"}
    assert len(at.store.products) == 4


def test_the_key_is_defined_once_and_stands_in_our_own_namespace(start: Any) -> None:
    at = start(products=1)
    mapping = mapping_of("products", "title")
    for n in range(2):
        connector = later(at)
        [made] = connector.apply(mapping, [create(n, title="Oil lamp")], Stamp(f"batch-{n}", "7"))
        assert made.done
        assert connector.notes == []
        found = connector._client.run(
            "query Look($i: ProductIdentifierInput!) { productByIdentifier(identifier: $i) { id handle } }",
            {"i": {"customId": {"namespace": NAMESPACE, "key": KEY, "value": f"batch-{n}-0"}}}).data
        assert found["productByIdentifier"]["id"] == made.key
        assert found["productByIdentifier"]["handle"] in ("oil-lamp", "oil-lamp-1"), "with the key no odd handle"


def test_a_product_that_never_arrived_is_made_once_under_the_same_key(start: Any, way: str) -> None:
    at = start(products=2)
    mapping = mapping_of("products", "title")
    ops = [create(7, title="Oil lamp")]
    for _ in range(2):
        receipts = later(at).repeat(mapping, ops, STAMP)
        assert receipts is not None
        assert receipts[0].done
        assert len(at.store.products) == 3


def test_a_key_is_taken_once_even_by_a_request_that_comes_late(start: Any, way: str) -> None:
    at = start(products=2)
    mapping = mapping_of("products", "title")
    [first] = at.connector.apply(mapping, [create(7, title="Oil lamp")], STAMP)
    [second] = later(at).apply(mapping, [create(7, title="Oil lamp")], STAMP)
    assert (first.done, second.done) == (True, False)
    assert len(at.store.products) == 3


def test_a_given_handle_is_proof_only_where_everything_else_fits(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.shopify.creating.Keys._define", lambda self, resource: False)
    at = start(products=2)
    mapping = mapping_of("products", "title", "handle")
    lose_the_answer(at, mapping, create(7, title="Oil lamp", handle="lamp"))
    assert len(at.store.products) == 3
    [same] = later(at).repeat(mapping, [create(7, title="Oil lamp", handle="lamp")], STAMP) or []
    [other] = later(at).repeat(mapping, [create(9, title="Desk lamp", handle="lamp")], STAMP) or []
    assert same.done
    assert other.refusal is not None
    assert "already in use" in other.refusal.message
    assert len(at.store.products) == 3


def test_variants_whose_answer_was_lost_are_found_by_their_option_values(start: Any) -> None:
    at = start(products=0)
    mapping = mapping_of("variants", "product", "sku", "price", "option1")
    product = at.store.add_product("Apron")
    at.store.add_default_variant(product)
    ops = [create(1, product=product.gid, sku="A-L", price=Decimal("5.00"), option1="Large"),
           create(2, product=product.gid, sku="A-S", price=Decimal("4.00"), option1="small")]
    lose_the_answer(at, mapping, *ops)
    assert len(product.variant_list) == 3
    receipts = later(at).repeat(mapping, ops, STAMP)
    assert receipts is not None
    assert [receipt.stored.get("sku") for receipt in receipts] == ["A-L", "A-S"]
    assert [variant.gid for variant in product.variant_list[1:]] == [receipt.key for receipt in receipts]


def test_only_the_variants_that_are_missing_are_made(start: Any) -> None:
    at = start(products=0)
    mapping = mapping_of("variants", "product", "sku", "price", "option1")
    product = at.store.add_product("Apron")
    at.store.add_default_variant(product)
    large, small = (create(n, product=product.gid, sku=sku, price=Decimal("5.00"), option1=sku)
                    for n, sku in ((1, "L"), (2, "S")))
    lose_the_answer(at, mapping, large)
    receipts = later(at).repeat(mapping, [large, small], STAMP)
    assert receipts is not None
    assert [receipt.done for receipt in receipts] == [True, True]
    assert len(product.variant_list) == 3


def test_a_variant_of_somebody_elses_making_is_not_taken_for_ours(start: Any) -> None:
    at = start(products=0)
    mapping = mapping_of("variants", "product", "sku", "price", "option1")
    product = at.store.add_product("Apron")
    at.store.add_default_variant(product)
    at.connector.apply(mapping, [create(1, product=product.gid, sku="THEIRS", price=Decimal("5.00"), option1="L")])
    [receipt] = later(at).repeat(
        mapping, [create(2, product=product.gid, sku="OURS", price=Decimal("5.00"), option1="L")], STAMP) or []
    assert receipt.refusal is not None
    assert len(product.variant_list) == 2


def test_the_single_variant_of_a_new_product_is_taken_by_its_row_after_a_crash(start: Any) -> None:
    at = start(products=0)
    products, variants = mapping_of("products", "title"), mapping_of("variants", "product", "sku", "price")
    lose_the_answer(at, products, create(7, title="Oil lamp"))
    second = later(at)
    [made] = second.repeat(products, [create(7, title="Oil lamp")], STAMP) or []
    assert second.read(variants).rows == {}, "the row of the new variant is about to take it"
    row = create(8, product=made.key, sku="LAMP", price=Decimal("19.90"))
    at.door("faults", next=[{}, {"drop": "after"}])
    with pytest.raises(OutcomeUnknown):
        second.apply(variants, [row], STAMP)
    third = later(at)
    [taken] = third.repeat(variants, [row], STAMP) or []
    assert taken.stored["sku"] == "LAMP"
    assert [variant.gid for variant in at.store.thing(str(made.key)).variant_list] == [taken.key]
    assert list(third.read(variants).rows) == [taken.key]


def test_only_creations_are_repeated(start: Any) -> None:
    at = start()
    product = next(iter(at.store.products.values()))
    assert at.connector.repeat(mapping_of("products"), [update(product.gid, title=("A", "B"))], STAMP) is None


def test_a_handle_of_our_own_is_the_same_in_every_process() -> None:
    made = own_handle({"title": " Öl-Lampe, groß! "}, "key-0")
    assert made == own_handle({"title": " Öl-Lampe, groß! "}, "key-0")
    assert made.startswith("öl-lampe-gross-")
    assert made != own_handle({"title": " Öl-Lampe, groß! "}, "key-1")


def test_the_single_variant_of_a_product_made_by_repeating_waits_for_its_row(start: Any) -> None:
    at = start(products=0)
    second = later(at)
    [made] = second.repeat(mapping_of("products", "title"), [create(7, title="Oil lamp")], STAMP) or []
    assert made.done
    variants = mapping_of("variants", "product", "sku", "price")
    assert second.read(variants).rows == {}
    assert len(later(at).read(variants).rows) == 1


def test_a_single_variant_that_no_row_took_is_news_to_the_next_run_with_its_stock(start: Any) -> None:
    at = start(products=1)
    products, variants, stock = (mapping_of("products", "title"), mapping_of("variants", "product", "sku"),
                                 mapping_of("inventory", "variant", "location", "available"))
    lose_the_answer(at, products, create(7, title="Oil lamp"))
    second = later(at)
    at.door("clock", advance_seconds=3600)  # so that no date tells of it any more
    looked = second.changed([products, variants, stock], None).checkpoint
    [made] = second.repeat(products, [create(7, title="Oil lamp")], STAMP) or []
    [variant] = at.store.thing(str(made.key)).variant_list
    shown = second.read(stock).rows
    assert shown, "the stock of other products"
    assert variant.gid not in second.read(variants).rows
    assert variant.gid not in {row[0] for row in shown.values()}, "no row of stock for a variant without one"
    kept, _ = second.settled(looked)

    third = later(at)
    at.door("clock", advance_seconds=3600)
    told = third.changed([products, variants, stock], kept)
    assert told.keys is not None
    assert told.keys["variants"] == {variant.gid}
    seen = third.read(stock, told.keys["inventory"]).rows
    assert {row[0] for row in seen.values()} == {variant.gid}
    settled, _ = third.settled(told.checkpoint)
    assert not any(later(at).changed([products, variants, stock], settled).keys.values()), "once"


def test_a_single_variant_that_was_read_meanwhile_is_not_taken_by_a_new_row(start: Any) -> None:
    at = start(products=0)
    variants = mapping_of("variants", "product", "sku", "price")
    [made] = at.connector.apply(mapping_of("products", "title"), [create(7, title="Oil lamp")], STAMP)
    [shown] = at.connector.read(variants).rows
    [row] = at.connector.apply(variants, [create(8, product=made.key, sku="LAMP", price=Decimal("5.00"))], STAMP)
    assert row.refusal is not None
    assert "single variant" in row.refusal.message
    assert [variant.gid for variant in at.store.thing(str(made.key)).variant_list] == [shown]

"""What is sent for an op, and what each answer makes of it: requests and receipts without any network."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from shopify_helpers import ITEM, LEVEL, LOCATION, PRODUCT, VARIANT, create, delete, mapping_of, update

from backend.core.model import Mapping, Op
from backend.core.values import UNREAD, LocalRef, Unfit
from backend.errors import AccessError, OutcomeUnknown
from backend.shopify.answers import Answer, Problem
from backend.shopify.known import Known, Level
from backend.shopify.receipts import outcome_of, receipts_from
from backend.shopify.writes import Request, request_for

ORDER = "gid://shopify/Order/1"
P2, V2, V3 = "gid://shopify/Product/2", "gid://shopify/ProductVariant/12", "gid://shopify/ProductVariant/13"
LEVEL2 = "gid://shopify/InventoryLevel/7?inventory_item_id=22"


def known() -> Known:
    return Known(
        products={VARIANT: PRODUCT, V2: PRODUCT, V3: P2},
        wholes={"inventoryItem.measurement.weight": {VARIANT: {"value": 0.5, "unit": "KILOGRAMS"}}},
        levels={LEVEL: Level(ITEM, LOCATION, True), LEVEL2: Level("gid://shopify/InventoryItem/22", LOCATION, True)},
        options={PRODUCT: ("Colour", "Size"), P2: ("Title",)})


def request(mapping: Mapping, *ops: Op, seen: Known | None = None) -> Request:
    return request_for(mapping, ops, seen or known(), key="key-1", run="17", weight_unit="GRAMS")


def error(message: str, *path: str, code: str | None = None) -> dict[str, Any]:
    return {"field": list(path) or None, "message": message, "code": code}


def variant(gid: str, **more: Any) -> dict[str, Any]:
    return {"id": gid, "product": {"id": PRODUCT}, **more}


def test_a_product_sends_its_changed_fields_only() -> None:
    sent = request(mapping_of("products"), update(PRODUCT, title=("Old", "New"), seo__title=("a", None)))
    assert sent.variables == {"p0": {"id": PRODUCT, "title": "New", "seo": {"title": ""}}}
    assert sent.document.count("productUpdate") == 1


def test_tags_send_the_difference_and_nothing_else() -> None:
    sent = request(mapping_of("products"), update(PRODUCT, tags=(("Red", "old"), ("new", "old", "red"))))
    assert [call.verb for call in sent.calls] == ["tagsRemove", "tagsAdd"]
    assert (sent.variables["t0"], sent.variables["t1"]) == (["Red"], ["new", "red"])


def test_a_new_product_is_a_draft_unless_it_says_otherwise() -> None:
    sent = request(mapping_of("products"), create(1, title="A"), create(2, title="B", status="ACTIVE", tags=("x",)))
    assert sent.variables["p0"] == {"status": "DRAFT", "title": "A"}
    assert sent.variables["p1"] == {"status": "ACTIVE", "title": "B", "tags": ["x"]}


def test_variants_of_one_product_are_one_call_that_lets_good_rows_through() -> None:
    sent = request(mapping_of("variants"), update(VARIANT, price=(None, Decimal("24.00"))),
                   update(V3, price=(None, Decimal("5.00"))), update(V2, cost=(Decimal("1"), None)))
    assert [(call.verb, call.ops) for call in sent.calls] == [
        ("productVariantsBulkUpdate", (0, 2)), ("productVariantsBulkUpdate", (1,))]
    assert sent.variables["v0"] == [{"id": VARIANT, "price": "24.00"}, {"id": V2, "inventoryItem": {"cost": None}}]
    assert sent.document.count("allowPartialUpdates: true") == 2


def test_a_weight_is_sent_with_the_unit_that_stands_there() -> None:
    sent = request(mapping_of("variants"), update(VARIANT, weight=(Decimal("0.5"), Decimal("0.75"))),
                   update(V2, weightUnit=("GRAMS", "OUNCES")))
    weights = [row["inventoryItem"]["measurement"]["weight"] for row in sent.variables["v0"]]
    assert weights == [{"value": 0.75, "unit": "KILOGRAMS"}, {"unit": "OUNCES", "value": 0.0}]


def test_stock_is_written_over_the_value_that_was_seen_only() -> None:
    sent = request(mapping_of("inventory"), update(LEVEL, available=(3, 5)), update(LEVEL2, available=(None, 2)))
    assert sent.key == sent.variables["key"] == "key-1"
    assert "@idempotent(key: $key)" in sent.document
    assert sent.variables["input"] == {
        "name": "available", "reason": "correction", "referenceDocumentUri": "gid://shopify-grist-sync/Run/17",
        "quantities": [
            {"inventoryItemId": ITEM, "locationId": LOCATION, "quantity": 5, "changeFromQuantity": 3},
            {"inventoryItemId": "gid://shopify/InventoryItem/22", "locationId": LOCATION, "quantity": 2,
             "changeFromQuantity": 0}]}


@pytest.mark.parametrize(("name", "op", "words"), [
    ("inventory", update(LEVEL, available=(3, None)), "cannot be empty.*Type 0"),
    ("inventory", update(LEVEL, available=(3, 5), onHand=(3, 5)), "move together"),
    ("inventory", update("gid://shopify/InventoryLevel/9?inventory_item_id=9", available=(3, 5)), "no longer there"),
    ("inventory", create(1, variant="gid://shopify/ProductVariant/99", location=LOCATION), "variant is no longer in"),
    ("locations", create(1, name="Barn"), "cannot be created.*admin"),
    ("products", update(PRODUCT, channels=((), ("Nowhere",))), "no sales channel 'Nowhere'.*Apps and sales"),
    ("products", update(PRODUCT, collections=((), ("winter",))), "no collection with the handle 'winter'"),
    ("products", update(PRODUCT, category=(None, "Hats")), "knows no category 'Hats'"),
    ("products", create(1, title="A", options="Colour"), "cannot be read as options.*Colour: Red"),
    ("orders", update(ORDER, trackingNumber=(None, "1Z")), "not fulfilled yet.*Fulfil it first"),
    ("draft_orders", create(1, lines=("0 × LIN-S",)), "no quantity or no SKU"),
    ("draft_orders", create(1, lines=("2 × LIN-S",)), "not exactly one variant with the SKU 'LIN-S'"),
    ("inventory", delete(LEVEL), "cannot be deleted"),
    ("products", update(PRODUCT, title=("Old", None)), "Title cannot be empty"),
    ("products", update(PRODUCT, status=("ACTIVE", "on sale")), "'on sale' is not one of ACTIVE"),
    ("products", create(1, title=None), "Title cannot be empty"),
    ("variants", update(VARIANT, price=(Decimal("1"), None)), "Price cannot be empty"),
    ("variants", update(VARIANT, countryCodeOfOrigin=(None, "Germany")), "two letters"),
    ("variants", create(1, product=PRODUCT, price=Decimal("1"), option1="Red"), "'Size', and no value"),
    ("variants", create(1, product=P2, price=Decimal("1"), option1="L", option2="x"), r"only 1 option\(s\): Title"),
    ("variants", create(1, product=P2, price=Decimal("1")), "single variant already"),
    ("inventory", update(LEVEL, available=(3, 10**30)), "larger than Shopify"),
    ("variants", update(VARIANT, weight=(None, Decimal("1e400"))), "larger than Shopify"),
    ("variants", create(1, product=None, price=Decimal("1")), "Product cannot be empty"),
    ("variants", create(1, product="gid://shopify/Product/99", price=Decimal("1"), option1="L"), "no longer in"),
])
def test_what_can_only_fail_is_refused_before_it_spoils_its_request(name: str, op: Op, words: str) -> None:
    sent = request(mapping_of(name), op)
    [receipt] = receipts_from(sent, Answer({}), 2)
    assert sent.calls == ()
    assert receipt.refusal is not None
    assert re.search(words, f"{receipt.refusal.message} {receipt.refusal.cure}")


def test_an_inactive_level_is_never_written() -> None:
    seen = Known(levels={LEVEL: Level(ITEM, LOCATION, False)})
    assert request(mapping_of("inventory"), update(LEVEL, available=(3, 5)), seen=seen).calls == ()


@pytest.mark.parametrize("value", [UNREAD, Unfit("about ten"), LocalRef("products", 4)])
def test_a_value_that_must_never_be_written_is_a_bug(value: Any) -> None:
    with pytest.raises(TypeError):
        request(mapping_of("products"), update(PRODUCT, title=("Old", value)))


def test_a_variant_of_a_new_product_without_options_takes_the_one_it_came_with() -> None:
    seen = known()
    seen.born[P2] = V3
    sent = request(mapping_of("variants"), create(1, product=P2, price=Decimal("9")), seen=seen)
    assert sent.calls[0].verb == "productVariantsBulkUpdate"
    assert sent.variables["v0"] == [{"id": V3, "price": "9"}]
    answer = Answer({"m0": {"productVariants": [variant(V3, price="9.00")], "userErrors": []}})
    [receipt] = receipts_from(sent, answer, 2)
    assert (receipt.key, receipt.stored["price"]) == (V3, Decimal("9.00"))


@pytest.mark.parametrize(("born", "strategy"), [(True, "DEFAULT"), (False, "PRESERVE_STANDALONE_VARIANT")])
def test_only_a_new_products_own_variant_makes_room_for_others(born: bool, strategy: str) -> None:
    seen = known()
    if born:
        seen.born[P2] = V3
    sent = request(mapping_of("variants"), create(1, product=P2, price=Decimal("9"), option1="Large"), seen=seen)
    assert f"strategy: {strategy}" in sent.document
    assert sent.variables["v0"] == [{"price": "9", "optionValues": [{"optionName": "Title", "name": "Large"}]}]


def test_a_refused_row_stops_only_itself() -> None:
    sent = request(mapping_of("variants"), update(VARIANT, "Red", price=(None, Decimal("9.99"))),
                   update(V2, "Blue", price=(None, Decimal("-1"))))
    good, bad = receipts_from(sent, Answer({"m0": {
        "productVariants": [variant(VARIANT, price="9.99"), variant(V2, price="11.00")],
        "userErrors": [error("Price must be greater than or equal to 0", "variants", "1", "price",
                             code="GREATER_THAN_OR_EQUAL_TO")]}}), 2)
    assert (good.done, good.stored["price"]) == (True, Decimal("9.99"))
    assert bad.refusal is not None
    assert (bad.refusal.field, bad.refusal.title) == ("price", "Blue")
    assert bad.refusal.message == "Shopify refused Price: Price must be greater than or equal to 0."
    assert bad.refusal.cure == "Type 0 or more."


def test_a_row_that_is_neither_blamed_nor_returned_is_not_called_done() -> None:
    sent = request(mapping_of("variants"), update(VARIANT, price=(None, Decimal("9"))), update(V2, barcode=("1", "2")))
    answer = Answer({"m0": {"productVariants": None, "userErrors": [
        error("Product variant does not exist", "variants", "1", "id", code="PRODUCT_VARIANT_DOES_NOT_EXIST")]}})
    outcome = outcome_of(sent, answer, 2)
    assert outcome.again == [0]
    assert outcome.receipts[1].stale


def test_an_error_without_a_row_blames_the_whole_call_and_no_other() -> None:
    sent = request(mapping_of("variants"), update(VARIANT, price=(None, Decimal("9"))),
                   update(V2, price=(None, Decimal("9"))), update(V3, price=(None, Decimal("9"))))
    receipts = receipts_from(sent, Answer({
        "m0": {"productVariants": None, "userErrors": [error("Another operation already in progress.")]},
        "m1": {"productVariants": [variant(V3, price="9.00")], "userErrors": []}}), 2)
    assert [receipt.refusal is not None for receipt in receipts] == [True, True, False]


def test_stored_values_are_those_that_shopify_returned() -> None:
    sent = request(mapping_of("products", "title", "handle", "tags"), update(PRODUCT, handle=("x", " My Shirt! ")))
    [receipt] = receipts_from(sent, Answer({"m0": {
        "product": {"id": PRODUCT, "title": "Shirt", "handle": "my-shirt", "tags": ["b", "A"]}, "userErrors": []}}), 2)
    assert receipt.stored == {"title": "Shirt", "handle": "my-shirt", "tags": ("A", "b")}


def test_of_an_op_in_two_calls_the_refused_half_is_told_and_the_stored_half_too() -> None:
    sent = request(mapping_of("products", "title", "tags"), update(PRODUCT, title=("a", "b"), tags=(None, ("x",))))
    [receipt] = receipts_from(sent, Answer({
        "m0": {"product": {"id": PRODUCT, "title": "a", "tags": []},
               "userErrors": [error("Title is too long (maximum is 255 characters)", "title")]},
        "m1": {"node": {"id": PRODUCT, "title": "a", "tags": ["x"]}, "userErrors": []}}), 2)
    assert receipt.refusal is not None
    assert receipt.refusal.field == "title"
    assert receipt.stored["tags"] == ("x",)


def test_a_thing_that_vanished_is_stale_and_its_deletion_done() -> None:
    gone = [error("Product does not exist", "id")]
    edited = receipts_from(request(mapping_of("products"), update(PRODUCT, title=("a", "b"))),
                           Answer({"m0": {"product": None, "userErrors": gone}}), 2)
    deleted = receipts_from(request(mapping_of("products"), delete(PRODUCT)),
                            Answer({"m0": {"deletedProductId": None, "userErrors": gone}}), 2)
    assert (edited[0].stale, deleted[0].done) == (True, True)


def test_a_stale_stock_row_is_stale_and_the_others_are_sent_again() -> None:
    sent = request(mapping_of("inventory"), update(LEVEL, available=(3, 5)), update(LEVEL2, available=(1, 2)))
    outcome = outcome_of(sent, Answer({"m0": {"inventoryAdjustmentGroup": None, "userErrors": [
        error("…", "input", "quantities", "1", "changeFromQuantity", code="CHANGE_FROM_QUANTITY_STALE")]}}), 2)
    assert outcome.receipts[1].stale
    assert outcome.again == [0]


@pytest.mark.parametrize("code", ["IDEMPOTENCY_CONCURRENT_REQUEST", "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED",
                                  "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"])
def test_trouble_with_a_key_is_never_taken_for_a_refusal(code: str) -> None:
    sent = request(mapping_of("inventory"), update(LEVEL, available=(3, 5)))
    answer = Answer({"m0": {"inventoryAdjustmentGroup": None, "userErrors": [error("…", code=code)]}})
    if code.endswith("MISMATCH"):
        with pytest.raises(OutcomeUnknown):
            outcome_of(sent, answer, 2)
        return
    outcome = outcome_of(sent, answer, 2)
    assert (outcome.wait, outcome.again) == ((True, []) if "CONCURRENT" in code else (False, [0]))


def test_one_bad_new_variant_and_the_others_are_sent_again() -> None:
    sent = request(mapping_of("variants"), create(1, product=PRODUCT, price=Decimal("1"), option1="a", option2="b"),
                   create(2, product=PRODUCT, price=Decimal("-1"), option1="a", option2="c"))
    outcome = outcome_of(sent, Answer({"m0": {"productVariants": [], "userErrors": [
        error("Price must be greater than or equal to 0", "variants", "1", "price")]}}), 2)
    assert outcome.again == [0]
    assert outcome.receipts[1].refusal is not None
    assert outcome.receipts[1].refusal.key == 2


def test_an_internal_error_in_place_of_one_payload_leaves_the_batch_open() -> None:
    sent = request(mapping_of("products"), update(PRODUCT, title=("a", "b")))
    with pytest.raises(OutcomeUnknown):
        outcome_of(sent, Answer({"m0": None}, (Problem("Internal error.", "INTERNAL_SERVER_ERROR", ("m0",)),)), 2)


def test_a_batch_that_is_denied_as_a_whole_names_the_scope() -> None:
    sent = request(mapping_of("products"), update(PRODUCT, title=("a", "b")))
    problem = Problem("Access denied. Required access: `write_products` access scope.", "ACCESS_DENIED", ("m0",))
    with pytest.raises(AccessError, match="write_products"):
        outcome_of(sent, Answer({"m0": UNREAD}, (problem,)), 2)


def test_a_payload_that_shows_nothing_is_not_success() -> None:
    sent = request(mapping_of("products"), update(PRODUCT, title=("a", "b")))
    with pytest.raises(OutcomeUnknown):
        outcome_of(sent, Answer({"m0": {"product": None, "userErrors": []}}), 2)


def test_a_payload_that_an_error_from_within_has_swallowed_is_not_taken_for_a_refusal() -> None:
    """A field that may never be null was hidden, and the null climbed to the payload: what was asked has been done."""
    hidden = Problem("This app is not approved to access the Customer object.", "ACCESS_DENIED", ("m0", "order", "x"))
    sent = request(mapping_of("products"), update(PRODUCT, title=("a", "b")))
    with pytest.raises(OutcomeUnknown):
        outcome_of(sent, Answer({"m0": UNREAD}, (hidden,)), 2)
    two = request(mapping_of("products"), update(PRODUCT, title=("a", "b")),
                  update("gid://shopify/Product/2", title=("a", "c")))
    other = Problem("Access denied. Required access: `write_products` access scope.", "ACCESS_DENIED", ("m1",))
    with pytest.raises(OutcomeUnknown):
        outcome_of(two, Answer({"m0": UNREAD, "m1": UNREAD}, (hidden, other)), 2)

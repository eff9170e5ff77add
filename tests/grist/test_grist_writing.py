"""Bundles: what is written, what is refused, and that nothing a person typed is overwritten in silence."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from grist_helpers import PRODUCT, after_next, before_next, mapping, rule, update
from hypothesis import given, settings
from hypothesis import strategies as st
from places import Place

from backend.core.model import Create, Delete, Direction, Mapping, Mark, Side
from backend.core.values import LocalRef
from backend.errors import AccessError, BundleRefused, OutcomeUnknown, RetryLater
from backend.grist import applying, conditions, memory
from backend.grist.connector import GristConnector
from backend.grist.writing import BODY_BYTES, ROWS_A_BUNDLE, cut

GID = PRODUCT.format


@pytest.fixture
def products(place: Place) -> tuple[GristConnector, Mapping]:
    """Three products that were read."""
    connector = place.connector()
    [bound] = connector.prepare(
        [mapping("products", "title", "vendor", "tags", "status", "totalInventory")], {}, write=True).mappings
    place.act(["BulkAddRecord", "Products", [None] * 3, {
        "Title": ["A", "B", "C"], "Vendor": ["v", "v", "v"], "Shopify_ID": [GID(1), GID(2), GID(3)]}])
    connector.read(bound)
    return connector, bound


def test_each_op_is_written_and_answered_with_what_is_stored(place: Place, products: Any) -> None:
    connector, bound = products
    place.act(["AddRecord", "Products", None, {"Title": "D"}])
    connector.read(bound)
    ops = [
        update(1, GID(1), title=("A", "A2"), tags=(None, ("x", "y"))),
        Create(Side.LOCAL, GID(9), {"title": "New", "status": "ACTIVE"}, title="New"),
        Mark(4, GID(4)),
        Delete(Side.LOCAL, 3, GID(3)),
    ]
    receipts = connector.apply(bound, ops)
    assert [r.done for r in receipts] == [True] * 4
    assert [r.op for r in receipts] == ops
    assert [r.key for r in receipts] == [1, 5, 4, 3]
    assert receipts[0].stored == {"title": "A2", "tags": ("x", "y")}
    assert receipts[1].stored == {"title": "New", "vendor": None, "tags": None, "status": "ACTIVE",
                                  "totalInventory": None}
    rows = place.rows("Products")
    assert set(rows) == {1, 2, 4, 5}
    assert (rows[1]["Title"], rows[1]["Tags"]) == ("A2", ["L", "x", "y"])
    assert (rows[4]["Shopify_ID"], rows[5]["Shopify_ID"]) == (GID(4), GID(9))
    assert rows[5]["Total_stock"] is None  # Grist's own 0 would look like a count


def test_a_batch_is_one_write(place: Place, products: Any) -> None:
    connector, bound = products
    before = connector.usage.writes
    ops = [update(1, GID(1), title=("A", "x")), update(2, GID(2), vendor=("v", "y")), Delete(Side.LOCAL, 3, GID(3))]
    [batch] = list(connector.batches(bound, ops))
    connector.apply(bound, batch)
    assert connector.usage.writes - before == 1


def test_a_row_that_is_filled_and_gets_its_id_in_one_bundle_gets_both(place: Place, products: Any) -> None:
    connector, bound = products
    place.act(["AddRecord", "Products", None, {"Title": "D"}])
    connector.read(bound)
    receipts = connector.apply(bound, [update(4, GID(4), vendor=(None, "w")), Mark(4, GID(4))])
    assert [r.done for r in receipts] == [True, True]
    assert (place.rows("Products")[4]["Vendor"], place.rows("Products")[4]["Shopify_ID"]) == ("w", GID(4))


def test_a_new_row_holds_what_only_goes_to_shopify_too(place: Place) -> None:
    connector = place.connector()
    variants = rule(mapping("variants", "sku", "price", "cost"), "price", direction=Direction.TO_SHOPIFY)
    variants = rule(variants, "cost", direction=Direction.TO_SHOPIFY)
    [bound] = connector.prepare([variants], {}, write=True).mappings
    op = Create(Side.LOCAL, GID(1), {"sku": "m1", "price": Decimal("12.50")})
    [batch] = connector.batches(bound, [op])
    [receipt] = connector.apply(bound, batch)
    assert receipt.done
    row = place.rows("Variants")[1]
    assert (row["Price"], row["Cost"]) == (12.5, None), "and no 0 that nobody has typed"


def test_a_new_row_is_toggled_on(place: Place) -> None:
    connector = place.connector()
    [bound] = connector.prepare([mapping("products", "title", only_where="Sync")], {}, write=True).mappings
    connector.apply(bound, [Create(Side.LOCAL, GID(1), {"title": "A"})])
    assert place.rows("Products")[1]["Sync"] is True


def test_references_are_row_ids_both_ways(place: Place) -> None:
    connector = place.connector()
    products, variants = connector.prepare(
        [mapping("products", "title"), mapping("variants", "product", "sku")], {}, write=True).mappings
    [made] = connector.apply(products, [Create(Side.LOCAL, GID(1), {"title": "A"})])
    [receipt] = connector.apply(variants, [Create(Side.LOCAL, "gid://shopify/ProductVariant/1", {
        "product": made.key, "sku": "a"})])
    assert receipt.stored == {"product": 1, "sku": "a"}
    assert connector.read(variants).rows == {1: (1, "a")}
    connector.apply(variants, [update(1, "gid://shopify/ProductVariant/1", product=(1, None))])
    assert connector.read(variants).rows == {1: (None, "a")}
    connector.apply(variants, [update(1, "gid://shopify/ProductVariant/1", product=(None, LocalRef("products", 1)))])
    assert connector.read(variants).rows == {1: (1, "a")}


def test_new_choices_join_the_list_and_colours_stay(place: Place, products: Any) -> None:
    connector, bound = products
    column = place.columns("Products")["Status"]
    options = {"choices": ["ACTIVE", "SOON"], "choiceOptions": {"SOON": {"fillColor": "#ff0000"}}}
    place.act(["UpdateRecord", "_grist_Tables_column", column["colRef"], {"widgetOptions": json.dumps(options)}])
    connector.read(bound)
    receipts = connector.apply(bound, [update(1, GID(1), status=(None, "DRAFT"), tags=(None, ("red",))),
                                       update(2, GID(2), status=(None, "ACTIVE"))])
    assert all(r.done for r in receipts)
    columns = place.columns("Products")
    assert json.loads(columns["Status"]["widgetOptions"]) == options | {"choices": ["ACTIVE", "SOON", "DRAFT"]}
    assert json.loads(columns["Tags"]["widgetOptions"])["choices"] == ["red"]


def test_a_list_of_choices_that_fills_a_request_grows_no_longer(
    place: Place, products: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector, bound = products
    monkeypatch.setattr(applying, "CHOICE_BYTES", 30)
    receipts = connector.apply(bound, [update(1, GID(1), tags=(None, ("a", "longer than thirty letters", "word")))])
    assert receipts[0].done
    assert place.rows("Products")[1]["Tags"] == ["L", "a", "longer than thirty letters", "word"]
    assert "choices" not in json.loads(place.columns("Products")["Tags"]["widgetOptions"] or "{}")
    [note] = connector.notes
    assert note.startswith("Column 'Tags' of table 'Products' has so many choices that new ones are not added")


def test_what_was_heard_long_ago_is_not_taken_for_the_newest_state(
    place: Place, products: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list cannot be compared by Grist, so it must be known on which state it was written."""
    connector, bound = products
    connector.apply(bound, [update(1, GID(1), tags=(None, ("red",)))])
    before = connector.usage.requests
    connector.apply(bound, [update(1, GID(1), tags=(("red",), None))])
    at_once = connector.usage.requests - before
    monkeypatch.setattr(memory, "FRESH_SECONDS", 0.0)
    connector.apply(bound, [update(1, GID(1), tags=(None, ("red",)))])
    assert connector.usage.requests - before - at_once == at_once + 1


def test_one_bad_row_stops_only_itself(place: Place, products: Any) -> None:
    connector, bound = products
    place.act(["AddRecord", "_grist_ACLResources", -1, {"tableId": "Products", "colIds": "*"}],
              ["AddRecord", "_grist_ACLRules", None, {"resource": -1, "aclFormula": "newRec.Title == 'bad'",
                                                     "permissionsText": "-U"}])
    connector.read(bound)
    ops = [update(1, GID(1), title=("A", "good")), update(2, GID(2), title=("B", "bad")),
           update(3, GID(3), title=("C", "fine"))]
    client = connector._client
    original = client.apply

    def apply(actions: Any) -> Any:  # as a validating trigger formula or an access rule refuses
        if "bad" in json.dumps(actions):
            raise BundleRefused("[Sandbox] ValueError Title must not be bad", "Title must not be bad")
        return original(actions)

    client.apply = apply  # type: ignore[method-assign]
    receipts = connector.apply(bound, ops)
    assert [r.done for r in receipts] == [True, False, True]
    refused = receipts[1].refusal
    assert refused is not None
    assert refused.key == 2
    assert refused.message == "Grist refused the change: Title must not be bad"
    assert refused.cure
    assert [row["Title"] for row in place.rows("Products").values()] == ["good", "B", "fine"]


def test_a_number_that_grist_cannot_keep_is_refused_and_the_rest_written(place: Place) -> None:
    connector = place.connector()
    [bound] = connector.prepare([mapping("variants", "weight", "sku")], {}, write=True).mappings
    receipts = connector.apply(bound, [
        Create(Side.LOCAL, "gid://1", {"weight": Decimal("0.12345678901234567891")}),
        Create(Side.LOCAL, "gid://2", {"weight": Decimal("0.1")})])
    assert "Weight: 0.12345678901234567891 has more digits than Grist keeps" in receipts[0].refusal.message
    assert receipts[1].stored == {"weight": Decimal("0.1"), "sku": None}


# --- a person writes at the same time ---------------------------------------------------------------


def test_a_cell_that_a_person_changed_since_the_read_is_left_alone(place: Place, products: Any) -> None:
    connector, bound = products
    place.act(["UpdateRecord", "Products", 2, {"Title": "typed"}])
    receipts = connector.apply(bound, [update(1, GID(1), title=("A", "x")), update(2, GID(2), title=("B", "y"))])
    assert [(r.done, r.stale) for r in receipts] == [(True, False), (False, True)]
    assert [row["Title"] for row in place.rows("Products").values()] == ["x", "typed", "C"]


def test_a_change_in_another_column_does_not_stop_a_write(place: Place, products: Any) -> None:
    connector, bound = products
    place.act(["UpdateRecord", "Products", 1, {"Vendor": "typed"}])
    assert connector.apply(bound, [update(1, GID(1), title=("A", "x"))])[0].done
    assert place.rows("Products")[1]["Vendor"] == "typed"


def test_a_row_that_is_gone_is_stale(place: Place, products: Any) -> None:
    connector, bound = products
    place.act(["BulkRemoveRecord", "Products", [3]])
    receipts = connector.apply(bound, [update(1, GID(1), title=("A", "x")), update(3, GID(3), title=("C", "y"))])
    assert [(r.done, r.stale) for r in receipts] == [(True, False), (False, True)]


def test_a_row_that_goes_right_before_the_write_is_stale(place: Place, products: Any) -> None:
    connector, bound = products
    before_next(connector._client, "apply", lambda: place.act(["BulkRemoveRecord", "Products", [3]]))
    receipts = connector.apply(bound, [update(1, GID(1), title=("A", "x")), update(3, GID(3), title=("C", "y"))])
    assert [(r.done, r.stale) for r in receipts] == [(True, False), (False, True)]


def test_an_id_that_was_given_to_a_new_row_is_stale(place: Place, products: Any) -> None:
    connector, bound = products
    place.act(["BulkRemoveRecord", "Products", [3]])
    place.act(["AddRecord", "Products", None, {"Title": "C", "Vendor": "v"}])
    assert set(place.rows("Products")) == {1, 2, 3}
    assert connector.apply(bound, [update(3, GID(3), title=("C", "y"))])[0].stale


def test_a_row_that_was_edited_is_not_deleted(place: Place, products: Any) -> None:
    connector, bound = products
    place.act(["UpdateRecord", "Products", 3, {"Vendor": "typed"}])
    receipts = connector.apply(bound, [Delete(Side.LOCAL, 2, GID(2)), Delete(Side.LOCAL, 3, GID(3))])
    assert [(r.done, r.stale) for r in receipts] == [(True, False), (False, True)]
    assert set(place.rows("Products")) == {1, 3}


def test_a_row_that_left_the_filter_is_not_written(place: Place) -> None:
    connector = place.connector()
    [bound] = connector.prepare([mapping("products", "title", only_where="Sync")], {}, write=True).mappings
    connector.apply(bound, [Create(Side.LOCAL, GID(1), {"title": "A"})])
    connector.read(bound)
    place.act(["UpdateRecord", "Products", 1, {"Sync": False}])
    assert connector.apply(bound, [update(1, GID(1), title=("A", "x"))])[0].stale


def test_where_grist_does_not_tell_what_changed_the_rows_are_named(
    place: Place, products: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector, bound = products
    monkeypatch.setattr(conditions, "ROWS", 0)

    def refused(*_: Any) -> Any:
        raise AccessError("insufficient access")

    connector._client.compare = refused
    before_next(connector._client, "apply", lambda: place.act(["UpdateRecord", "Products", 1, {"Title": "typed"}]))
    assert connector.apply(bound, [update(1, GID(1), title=("A", "x"))])[0].done
    assert "Look at rows 1 in the document's history" in connector.notes[0]


def test_a_key_that_may_not_add_choices_still_writes(place: Place, products: Any) -> None:
    connector, bound = products
    original = connector._client.apply

    def apply(actions: Any) -> Any:
        if any(action[1] == "_grist_Tables_column" for action in actions):
            raise BundleRefused("Blocked by full structure access rules")
        return original(actions)

    connector._client.apply = apply
    assert connector.apply(bound, [update(1, GID(1), status=(None, "NEW"))])[0].stored == {"status": "NEW"}
    assert "does not let the sync's key add choices" in connector.notes[0]


def test_other_edits_in_that_moment_are_nothing_to_report(place: Place, products: Any) -> None:
    connector, bound = products
    before_next(connector._client, "apply", lambda: place.act(["UpdateRecord", "Products", 2, {"Title": "typed"}]))
    assert connector.apply(bound, [update(1, GID(1), title=("A", "x"))])[0].done
    assert connector.notes == []
    assert connector.apply(bound, [update(2, GID(2), title=("B", "x"))])[0].stale  # and it is still protected


def test_a_value_typed_right_after_the_write_is_not_taken_for_ours(place: Place, products: Any) -> None:
    connector, bound = products
    after_next(connector._client, "apply", lambda: place.act(["UpdateRecord", "Products", 1, {"Title": "typed"}]))
    [receipt] = connector.apply(bound, [update(1, GID(1), title=("A", "x"))])
    assert receipt.stored == {"title": "x"}
    assert place.rows("Products")[1]["Title"] == "typed"


def test_what_grist_makes_of_a_value_is_what_is_stored(place: Place) -> None:
    place.act(["AddTable", "Products", [{"id": "Title", "type": "Text", "isFormula": False,
                                        "formula": "'seen'", "recalcWhen": 2}]])
    connector = place.connector()
    [bound] = connector.prepare([mapping("products", "title")], {}, write=True).mappings
    [made] = connector.apply(bound, [Create(Side.LOCAL, GID(1), {"title": "A"})])
    assert made.stored == {"title": place.rows("Products")[1]["Title"]}


def test_own_bundles_are_no_strangers(place: Place, products: Any) -> None:
    connector, bound = products
    connector.apply(bound, [update(1, GID(1), title=("A", "x"))])
    before = connector.usage.requests
    connector.apply(bound, [update(1, GID(1), title=("x", "y"))])
    assert connector.usage.requests - before == 2  # a look at the row, apply


def test_one_table_read_earlier_than_another_is_not_trusted_for_it(place: Place) -> None:
    connector = place.connector()
    products, locations = connector.prepare(
        [mapping("products", "title"), mapping("locations", "name")], {}, write=True).mappings
    place.act(["AddRecord", "Products", None, {"Title": "A", "Shopify_ID": GID(1)}])
    connector.read(products)
    place.act(["UpdateRecord", "Products", 1, {"Title": "typed"}])
    connector.read(locations)  # sees the newest state, but not the products
    assert connector.apply(products, [update(1, GID(1), title=("A", "x"))])[0].stale


# --- what must not be written, and answers that are lost ---------------------------------------------


def test_formula_unmapped_and_one_way_columns_are_never_written(place: Place) -> None:
    place.act(["AddTable", "Variants", [{"id": "SKU", "type": "Text", "isFormula": False},
                                        {"id": "Barcode", "type": "Text", "isFormula": False},
                                        {"id": "Price", "type": "Numeric", "isFormula": True, "formula": "1"}]])
    connector = place.connector()
    wanted = rule(mapping("variants", "sku", "price", "barcode"), "barcode", direction=Direction.TO_SHOPIFY)
    [bound] = connector.prepare([wanted], {}, write=True).mappings
    states = place.states()
    for name in ("price", "barcode", "cost"):
        with pytest.raises(ValueError, match=r"must not be written|is not mapped"):
            connector.apply(bound, [update(1, "gid://1", **{name: (None, "1")})])
    assert place.states() == states


def test_a_column_renamed_during_the_run_ends_it_kindly(place: Place, products: Any) -> None:
    connector, bound = products
    before_next(connector._client, "apply", lambda: place.act(["RenameColumn", "Products", "Title", "Name"]))
    with pytest.raises(RetryLater, match="Column 'Title' of table 'Products' was changed while the sync wrote"):
        connector.apply(bound, [update(1, GID(1), title=("A", "x")), update(2, GID(2), title=("B", "y"))])


def test_a_lost_answer_is_not_repeated(place: Place, products: Any) -> None:
    if place.grist is None:
        pytest.skip("a real Grist loses no answers to order")
    connector, bound = products
    before_next(connector._client, "apply", lambda: place.fault(drop="after"))
    with pytest.raises(OutcomeUnknown, match="may have happened"):
        connector.apply(bound, [Create(Side.LOCAL, GID(9), {"title": "New"})])
    assert len(place.rows("Products")) == 4


@given(st.lists(st.integers(0, 5_000), max_size=60))
@settings(max_examples=30, deadline=None)
def test_batches_stay_below_the_body_limit_and_lose_nothing(lengths: list[int]) -> None:
    ops = [update(i + 1, GID(i), title=(None, "ü" * 40 * n)) for i, n in enumerate(lengths)]
    batches = list(cut(ops))
    assert [op for batch in batches for op in batch] == ops
    for batch in batches:
        assert len(batch) == 1 or sum(len(op.values["title"] or "") * 2 for op in batch) < BODY_BYTES


def test_batches_hold_at_most_two_thousand_rows_in_an_order_that_works() -> None:
    ops = [Delete(Side.LOCAL, 1, GID(1)), Mark(2, GID(2)), update(3, GID(3), title=(None, "x")),
           *(Create(Side.LOCAL, GID(i), {"title": "n"}) for i in range(10, 10 + ROWS_A_BUNDLE))]
    first, second = cut(ops)
    assert len(first) == ROWS_A_BUNDLE
    assert [type(op).__name__ for op in second] == ["Update", "Mark", "Delete"]


def test_a_number_beyond_all_columns_is_no_obstacle_to_the_others_of_its_batch() -> None:
    ops = [Create(Side.LOCAL, GID(1), {"size": 2**70}), Create(Side.LOCAL, GID(2), {"size": 1})]
    assert list(cut(ops)) == [ops]

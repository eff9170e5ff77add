"""What a person types between our look and our bundle is never lost (P1): it is put back, and the op is stale.

So it goes with lists and deletions, and in tables too large for Grist to compare rows of; what Grist compares is in
`test_grist_conditions.py`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from grist_helpers import PRODUCT, after_next, before_next, mapping, update
from hypothesis import given, settings
from hypothesis import strategies as st
from places import KEY, Place

from backend.core.model import Create, Delete, Mapping, Mark, Side, Update
from backend.errors import BundleRefused, RetryLater
from backend.grist import conditions
from backend.grist.connector import GristConnector
from demo.grist import Grist, create_app
from demo.serving import serving

GID = PRODUCT.format
VARIANT = "gid://shopify/ProductVariant/{}".format


@pytest.fixture(scope="module", autouse=True)
def every_table_is_large() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conditions, "ROWS", 0)
        yield


@pytest.fixture
def shop(place: Place) -> tuple[GristConnector, Mapping, Mapping]:
    """Three products and two variants of the first, read."""
    connector = place.connector()
    products, variants = connector.prepare([
        mapping("products", "title", "vendor", "tags", "status", "createdAt"),
        mapping("variants", "product", "sku", "price", "taxable"),
    ], {}, write=True).mappings
    place.act(["BulkAddRecord", "Products", [None] * 3, {
        "Title": ["A", "B", "C"], "Vendor": ["v", "v", "v"], "Shopify_ID": [GID(1), GID(2), GID(3)]}])
    place.act(["BulkAddRecord", "Variants", [None] * 2, {
        "Product": [1, 1], "SKU": ["a", "b"], "Price": [1.5, 2], "Shopify_ID": [VARIANT(1), VARIANT(2)]}])
    connector.read(products)
    connector.read(variants)
    return connector, products, variants


def meanwhile(connector: GristConnector, place: Place, *actions: Any) -> None:
    """Let a person do `actions` after all that the connector looks at, right before its bundle."""
    before_next(connector._client, "apply", lambda: place.act(*actions))


@pytest.mark.parametrize(("table", "field", "column", "before", "after", "typed"), [
    ("Products", "title", "Title", "A", "ours", "typed"),
    ("Products", "title", "Title", "A", "ours", ""),
    ("Products", "vendor", "Vendor", "v", None, "typed"),
    ("Products", "tags", "Tags", None, ("x", "y"), ["L", "mine"]),
    ("Products", "status", "Status", None, "ACTIVE", "SOON"),
    ("Products", "createdAt", "Created", None, datetime(2026, 3, 1, tzinfo=UTC), 1767323045),
    ("Variants", "price", "Price", Decimal("1.50"), Decimal("9.99"), 1.75),
    ("Variants", "price", "Price", Decimal("1.50"), Decimal("9.99"), None),
    ("Variants", "price", "Price", Decimal("1.50"), Decimal("9.99"), "about ten"),
    ("Variants", "product", "Product", 1, 2, 3),
    ("Variants", "product", "Product", 1, 2, 0),
    ("Variants", "taxable", "Taxable", False, True, "maybe"),
])
def test_a_value_typed_in_the_very_moment_of_the_write_is_put_back(
    place: Place, shop: Any, table: str, field: str, column: str, before: Any, after: Any, typed: Any
) -> None:
    connector, products, variants = shop
    meanwhile(connector, place, ["UpdateRecord", table, 1, {column: typed}])
    bound, gid = (products, GID(1)) if table == "Products" else (variants, VARIANT(1))
    [receipt] = connector.apply(bound, [update(1, gid, **{field: (before, after)})])
    assert place.rows(table)[1][column] == typed
    assert receipt.stale
    assert receipt.stored == {}
    assert connector.notes == []


def test_the_other_fields_of_the_op_stay_written(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    meanwhile(connector, place, ["UpdateRecord", "Products", 1, {"Title": "typed"}])
    receipts = connector.apply(products, [
        update(1, GID(1), title=("A", "x"), vendor=("v", "w")), update(2, GID(2), title=("B", "y"), vendor=("v", "z"))])
    assert [(r.stale, r.stored) for r in receipts] == [
        (True, {"vendor": "w"}), (False, {"title": "y", "vendor": "z"})]
    rows = place.rows("Products")
    assert [(rows[i]["Title"], rows[i]["Vendor"]) for i in (1, 2)] == [("typed", "w"), ("y", "z")]


def test_the_same_value_typed_and_written_is_no_loss(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    meanwhile(connector, place, ["UpdateRecord", "Products", 1, {"Title": "x"}])
    [receipt] = connector.apply(products, [update(1, GID(1), title=("A", "x"))])
    assert receipt.done


def test_a_value_typed_and_taken_back_is_no_loss(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    meanwhile(connector, place, ["UpdateRecord", "Products", 1, {"Title": "typed"}],
              ["UpdateRecord", "Products", 1, {"Title": "A"}])
    [receipt] = connector.apply(products, [update(1, GID(1), title=("A", "x"))])
    assert receipt.done
    assert place.rows("Products")[1]["Title"] == "x"


def test_rows_added_and_other_fields_changed_in_that_moment_are_not_ours(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    meanwhile(connector, place, ["AddRecord", "Products", None, {"Title": "new"}],
              ["UpdateRecord", "Products", 1, {"Vendor": "typed"}], ["UpdateRecord", "Products", 2, {"Title": "t"}])
    [receipt] = connector.apply(products, [update(1, GID(1), title=("A", "x"))])
    assert receipt.done
    assert connector.notes == []
    assert connector.apply(products, [update(2, GID(2), title=("B", "x"))])[0].stale  # and it is still protected


def test_a_shopify_id_typed_in_that_moment_stays(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    place.act(["AddRecord", "Products", None, {"Title": "D"}])
    connector.read(products)
    meanwhile(connector, place, ["UpdateRecord", "Products", 4, {"Shopify_ID": GID(7)}])
    assert connector.apply(products, [Mark(4, GID(4))])[0].stale
    assert place.rows("Products")[4]["Shopify_ID"] == GID(7)


def test_an_id_given_to_a_new_row_in_that_moment_leaves_nothing_of_ours_in_it(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    meanwhile(connector, place, ["BulkRemoveRecord", "Products", [3]],
              ["AddRecord", "Products", None, {"Title": "other", "Vendor": "v"}])
    [receipt] = connector.apply(products, [update(3, GID(3), title=("C", "x"), tags=(None, ("t",)), vendor=("v", "w"))])
    row = place.rows("Products")[3]
    assert (row["Title"], row["Tags"], row["Vendor"], row["Shopify_ID"]) == ("other", None, "v", "")
    assert receipt.stale


def test_a_deletion_undone_in_that_moment_is_still_the_same_row(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    row = place.rows("Products")[3]
    meanwhile(connector, place, ["BulkRemoveRecord", "Products", [3]], ["AddRecord", "Products", 3, row])
    [receipt] = connector.apply(products, [update(3, GID(3), title=("C", "x"))])
    assert receipt.done
    assert place.rows("Products")[3] == row | {"Title": "x"}


def test_a_row_edited_in_the_moment_of_its_deletion_comes_back_with_its_references(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    place.act(["AddTable", "Sets", [{"id": "Members", "type": "RefList:Products", "isFormula": False},
                                    {"id": "Count", "type": "Any", "isFormula": True, "formula": "len($Members)"}]],
              ["AddRecord", "Sets", None, {"Members": ["L", 1, 2, 3]}])
    before = place.rows("Products")[1]
    connector.read(products)
    meanwhile(connector, place, ["UpdateRecord", "Products", 1, {"Title": "typed", "Tags": ["L", "t"]}])
    receipts = connector.apply(products, [Delete(Side.LOCAL, 1, GID(1)), Delete(Side.LOCAL, 2, GID(2))])
    assert [(r.done, r.stale) for r in receipts] == [(False, True), (True, False)]
    rows = place.rows("Products")
    assert rows[1] == before | {"Title": "typed", "Tags": ["L", "t"]}
    assert set(rows) == {1, 3}
    assert [row["Product"] for row in place.rows("Variants").values()] == [1, 1]
    assert place.rows("Sets")[1]["Members"] == ["L", 1, 3]
    assert connector.notes == []


def test_a_row_that_somebody_refers_to_in_the_moment_of_its_deletion_comes_back(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    meanwhile(connector, place, ["UpdateRecord", "Variants", 2, {"Product": 3}])
    receipts = connector.apply(products, [Delete(Side.LOCAL, 3, GID(3)), Delete(Side.LOCAL, 2, GID(2))])
    assert [r.stale for r in receipts] == [True, False]
    assert set(place.rows("Products")) == {1, 3}
    assert place.rows("Variants")[2]["Product"] == 3


def test_a_new_row_that_took_the_id_in_the_moment_of_the_deletion_comes_back(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    meanwhile(connector, place, ["BulkRemoveRecord", "Products", [3]],
              ["AddRecord", "Products", None, {"Title": "other"}])
    assert connector.apply(products, [Delete(Side.LOCAL, 3, GID(3))])[0].stale
    assert place.rows("Products")[3]["Title"] == "other"


def test_choices_that_somebody_adds_while_we_do_are_kept_with_ours(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    column = place.columns("Products")["Status"]["colRef"]
    theirs = {"choices": ["ACTIVE", "SOON"], "choiceOptions": {"SOON": {"fillColor": "#ff0000"}}}
    meanwhile(connector, place, ["UpdateRecord", "_grist_Tables_column", column, {"widgetOptions": json.dumps(theirs)}])
    [receipt] = connector.apply(products, [update(1, GID(1), status=(None, "NEW"))])
    assert receipt.done
    now = json.loads(place.columns("Products")["Status"]["widgetOptions"])
    assert now["choiceOptions"] == theirs["choiceOptions"]
    assert now["choices"][:2] == ["ACTIVE", "SOON"]
    assert "NEW" in now["choices"]


def test_columns_that_swap_names_in_that_moment_get_their_values_back(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    meanwhile(connector, place, ["RenameColumn", "Products", "Title", "Old"],
              ["RenameColumn", "Products", "Vendor", "Title"], ["RenameColumn", "Products", "Old", "Vendor"])
    assert connector.apply(products, [update(1, GID(1), title=("A", "x"))])[0].stale
    row = place.rows("Products")[1]
    assert (row["Vendor"], row["Title"]) == ("A", "v")


# --- and again, and when it cannot be put back --------------------------------------------------------


def test_who_goes_on_typing_while_it_is_put_back_keeps_the_last_word(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    client = connector._client
    words = iter(["second", "third"])

    def type_after_each_look() -> None:
        original = client.newest

        def newest() -> Any:
            state = original()
            word = next(words, None)
            if word:
                place.act(["UpdateRecord", "Products", 1, {"Title": word}])
            return state

        client.newest = newest

    type_after_each_look()
    meanwhile(connector, place, ["UpdateRecord", "Products", 1, {"Title": "first"}])
    assert connector.apply(products, [update(1, GID(1), title=("A", "x"))])[0].stale
    assert place.rows("Products")[1]["Title"] == "third"
    assert connector.notes == []


def test_what_is_typed_after_the_bundle_is_not_replaced_by_what_was_typed_before(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    meanwhile(connector, place, ["UpdateRecord", "Products", 1, {"Title": "before"}])
    after_next(connector._client, "apply", lambda: place.act(["UpdateRecord", "Products", 1, {"Title": "after"}]))
    assert connector.apply(products, [update(1, GID(1), title=("A", "x"))])[0].stale
    assert place.rows("Products")[1]["Title"] == "after"


def test_a_value_that_cannot_be_put_back_is_named_with_its_cell(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    original = connector._client.apply

    def apply(actions: Any) -> Any:
        if "typed" in json.dumps(actions):
            raise BundleRefused("[Sandbox] ValueError no", "no")
        return original(actions)

    connector._client.apply = apply
    meanwhile(connector, place, ["UpdateRecord", "Products", 1, {"Title": "typed", "Created": 1767323045}])
    op = update(1, GID(1), title=("A", "x"), createdAt=(None, datetime(2026, 3, 1, tzinfo=UTC)))
    [receipt] = connector.apply(products, [op])
    assert receipt.stale
    assert receipt.stored == {"title": "x"}
    assert connector.notes == [
        "Row 1 of table 'Products', column 'Title': somebody typed 'typed' in the moment in which the sync wrote "
        "there, and Grist did not let it be put back. Type 'typed' again if it was meant."]
    assert place.rows("Products")[1]["Created"] == 1767323045  # what can be put back is


def test_where_grist_falls_silent_before_it_is_put_back_the_values_are_named(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    original = connector._client.apply

    def apply(actions: Any) -> Any:
        connector._client.apply = lambda _: (_ for _ in ()).throw(RetryLater("Grist cannot answer now."))
        return original(actions)

    connector._client.apply = apply
    meanwhile(connector, place, ["UpdateRecord", "Products", 1, {"Created": 1767323045}])
    with pytest.raises(RetryLater):
        connector.apply(products, [update(1, GID(1), createdAt=(None, datetime(2026, 3, 1, tzinfo=UTC)))])
    assert "column 'Created': somebody typed 2026-01-02 03:04:05 UTC" in connector.notes[0]


# --- anything, anywhere ------------------------------------------------------------------------------

WORDS = st.sampled_from(["A", "v", "ours", "t1", "t2", ""])
TYPING = st.one_of(
    st.tuples(st.just("update"), st.integers(1, 4), st.dictionaries(
        st.sampled_from(["Title", "Vendor", "Tags", "Shopify_ID"]), WORDS, min_size=1)),
    st.tuples(st.just("remove"), st.integers(1, 4)),
    st.tuples(st.just("add"), st.dictionaries(st.sampled_from(["Title", "Vendor", "Shopify_ID"]), WORDS)),
    st.tuples(st.just("undo")),
)
OPS = st.dictionaries(st.integers(1, 3), st.one_of(
    st.none(), st.dictionaries(st.sampled_from(["title", "vendor", "tags"]), st.sampled_from(["ours", "more"]),
                               min_size=1)), min_size=1)
COLUMN = {"title": "Title", "vendor": "Vendor", "tags": "Tags"}


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Grist, str]]:
    grist = Grist()
    grist.add_key(KEY)
    with serving(create_app(grist)) as url:
        yield grist, url


@pytest.mark.parametrize("rows", [0, 20_000], ids=["looked after", "compared by Grist"])
@given(ops=OPS, typing=st.lists(TYPING, min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_whatever_is_typed_in_that_moment_survives(
    server: tuple[Grist, str], rows: int, ops: dict[int, Any], typing: list[Any]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conditions, "ROWS", rows)
        _survives(server, ops, typing, compared=bool(rows))


def _survives(server: tuple[Grist, str], ops: dict[int, Any], typing: list[Any], *, compared: bool) -> None:
    grist, url = server
    document = grist.new_document("Shop")
    connector = Place(url, document.doc_id, KEY, grist).connector()
    document.apply([["AddTable", "Products", [
        {"id": "Title", "type": "Text", "isFormula": False}, {"id": "Vendor", "type": "Text", "isFormula": False},
        {"id": "Tags", "type": "ChoiceList", "isFormula": False, "widgetOptions": '{"choices": ["ours", "more"]}'},
        {"id": "Shopify_ID", "type": "Text", "isFormula": False}]]])
    [bound] = connector.prepare([mapping("products", "title", "vendor", "tags")], {}, write=True).mappings
    document.apply([["BulkAddRecord", "Products", [None] * 3, {
        "Title": ["A", "B", "C"], "Vendor": ["v", "v", "v"], "Shopify_ID": [GID(1), GID(2), GID(3)]}]])
    connector.read(bound)
    table = document.table("Products")
    before = {row["id"]: row for row in table.rows()}
    under: dict[int, Any] = {}

    def person() -> None:
        began = document.history.newest.n
        for what, *rest in typing:
            rows = {row["id"]: row for row in table.rows()}
            if what == "update" and rest[0] in rows:
                cells = dict(rest[1])
                if "Tags" in cells:
                    cells["Tags"] = ["L", cells["Tags"]] if cells["Tags"] else None
                document.apply([["UpdateRecord", "Products", rest[0], cells]])
            elif what == "remove" and rest[0] in rows:
                table.remove(rest[0])
            elif what == "add":
                table.add(**rest[0])
            elif what == "undo" and document.history.newest.n > began:
                document.undo(document.history.newest.n)
        under.update({row["id"]: row for row in table.rows()})

    before_next(connector._client, "apply", person)
    sent = [Delete(Side.LOCAL, row, GID(row)) if wanted is None else
            update(row, GID(row), **{name: (_seen(before[row], name), (value,) if name == "tags" else value)
                                     for name, value in wanted.items()})
            for row, wanted in ops.items()]
    receipts = {op.key: receipt for op, receipt in zip(sent, connector.apply(bound, sent), strict=True)}
    after = {row["id"]: row for row in table.rows()}
    calm = all(what == "update" for what, *_ in typing)

    assert connector.notes == []
    for row, held in under.items():
        if row not in ops:
            assert after[row] == held
            continue
        changed = {column for column in held if held[column] != before[row][column]}
        receipt = receipts[row]
        if ops[row] is None:
            if changed:
                assert after[row] == held
                assert receipt.stale
            elif row in after:
                assert receipt.stale
                assert after[row] == held
            continue
        written = {COLUMN[name]: ["L", value] if name == "tags" else value for name, value in ops[row].items()}
        for column, value in held.items():
            if column in changed or column not in written:
                assert after[row][column] == value, column
            else:
                assert after[row][column] in (value, written[column])
        lost = {column for column in changed & written.keys() if held[column] != written[column]}
        assert receipt.stale or not lost
        if receipt.done:
            assert {column: after[row][column] for column in written} == written
        else:
            assert lost or not calm or (compared and changed), "nobody touched this row"
    assert after.keys() <= under.keys()


def _seen(row: dict[str, Any], name: str) -> Any:
    return None if name == "tags" else row[COLUMN[name]]


def test_people_who_hammer_on_the_same_cells_lose_nothing() -> None:
    grist = Grist()
    document = grist.new_document("Shop")
    grist.add_key(KEY)
    typed: list[tuple[int, str, str]] = []
    stop = threading.Event()

    def person(name: str, table: Any) -> None:
        number = 0
        while not stop.wait(0.004):
            number += 1
            row, column, word = number % 3 + 1, ("Title", "Vendor")[number // 3 % 2], f"{name}{number}"
            with document.lock:
                table.update(row, **{column: word})
                typed.append((row, column, word))

    with serving(create_app(grist)) as url:
        connector = Place(url, document.doc_id, KEY, grist).connector()
        [bound] = connector.prepare([mapping("products", "title", "vendor")], {}, write=True).mappings
        document.apply([["BulkAddRecord", "Products", [None] * 3, {
            "Title": ["a1", "b1", "c1"], "Vendor": ["a2", "b2", "c2"], "Shopify_ID": [GID(1), GID(2), GID(3)]}]])
        people = [threading.Thread(target=person, args=(name, document.table("Products"))) for name in ("x", "y")]
        for one in people:
            one.start()
        planned: set[tuple[int, str, str]] = set()
        stale = 0
        try:
            for turn in range(25):
                rows = connector.read(bound).rows
                ops = [update(row, GID(row), title=(values[0], f"s{turn}"), vendor=(values[1], f"s{turn}"))
                       for row, values in rows.items()]
                for receipt in connector.apply(bound, ops):
                    op = receipt.op
                    assert isinstance(op, Update)
                    planned |= {(op.key, COLUMN[name], str(op.before[name])) for name in receipt.stored}
                    stale += receipt.stale
        finally:
            stop.set()
            for one in people:
                one.join()
    after = {row["id"]: row for row in document.table("Products").rows()}
    last = {(row, column): word for row, column, word in typed}
    named = " ".join(connector.notes)
    assert len(typed) > 20
    assert stale  # or this has tested nothing
    for (row, column), word in last.items():
        assert after[row][column] == word or (row, column, word) in planned or repr(word) in named


def test_creations_are_never_stale(place: Place, shop: Any) -> None:
    connector, products, _ = shop
    meanwhile(connector, place, ["AddRecord", "Products", None, {"Title": "theirs"}])
    [receipt] = connector.apply(products, [Create(Side.LOCAL, GID(9), {"title": "ours"})])
    assert receipt.done
    rows = place.rows("Products")
    assert (rows[4]["Title"], rows[5]["Title"], receipt.key) == ("theirs", "ours", 5)

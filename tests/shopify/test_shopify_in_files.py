"""Which changes go into a file, how large it is, and what its answers say: without any network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from files_helpers import Killed, Shop
from shopify_helpers import LEVEL, PRODUCT, VARIANT, create, delete, flat, mapping_of, update
from test_shopify_documents import assert_fits

from backend.actions import calm_actor
from backend.core.model import Mapping, Op, Receipt, Snapshot, Update, Why
from backend.core.values import UNREAD
from backend.errors import AccessError
from backend.shopify import in_files
from backend.shopify.in_files import Size
from backend.shopify.known import Known
from backend.shopify.resources import RESOURCES
from backend.shopify.writes import Request, request_for
from demo.shopify.bulk.documents import mutation_errors

P2, V2, V3 = "gid://shopify/Product/2", "gid://shopify/ProductVariant/12", "gid://shopify/ProductVariant/13"
ORDER, CUSTOMER, DRAFT = (f"gid://shopify/{kind}/1" for kind in ("Order", "Customer", "DraftOrder"))
FABRIC = "metafields__custom__fabric"


def because(op: Update, why: Why) -> Update:
    return replace(op, changes=tuple(replace(change, why=why) for change in op.changes))


@pytest.mark.parametrize(("name", "op", "filed"), [
    ("products", update(PRODUCT, title=("a", "b")), True),
    ("products", update(PRODUCT, title=("a", "b"), seo__title=("a", None), status=("DRAFT", "ACTIVE")), True),
    ("variants", update(VARIANT, price=(Decimal(1), Decimal(2)), sku=("a", "b")), True),
    ("customers", update(CUSTOMER, firstName=("a", "b"), note=("a", "b")), True),
    ("orders", update(ORDER, note=("a", "b")), True),
    ("collections", update("gid://shopify/Collection/1", title=("a", "b")), True),
    # several mutations, or one that adds and takes away
    ("products", update(PRODUCT, title=("a", "b"), tags=(("x",), ("y",))), False),
    ("products", update(PRODUCT, channels=((), ("Online Store",))), False),
    ("products", update(PRODUCT, collections=((), ("summer",))), False),
    ("orders", update(ORDER, trackingNumber=(None, "1")), False),
    ("orders", update(ORDER, customAttributes=((), ("a: b",))), False),
    # what is written over the seen value only
    ("inventory", update(LEVEL, available=(1, 2)), False),
    # no two things may hold the same, and a file has no order
    ("products", update(PRODUCT, handle=("a", "b")), False),
    ("customers", update(CUSTOMER, email=("a@b.c", "d@b.c")), False),
    # what is sent as a whole takes along what stood there at the look
    ("variants", update(VARIANT, weight=(Decimal(1), Decimal(2))), False),
    ("orders", update(ORDER, shippingAddress__city=("a", "b")), False),
    ("customers", update(CUSTOMER, defaultAddress__city=("a", "b")), False),
    # without a key, or not to be done twice
    ("draft_orders", update(DRAFT, note=("a", "b")), False),
    ("products", create(1, title="a"), False),
    ("products", delete(PRODUCT), False),
    # an eye on each
    ("products", because(update(PRODUCT, status=("ACTIVE", "ARCHIVED")), Why.DELETED), False),
    ("products", because(update(PRODUCT, title=("a", "b")), Why.UNDO), False),
])
def test_what_may_be_in_a_file(name: str, op: Op, filed: bool) -> None:
    things, rest = in_files.part(mapping_of(name), [op], Known(products={VARIANT: PRODUCT}))
    assert (flat(things), rest) == (([op], []) if filed else ([], [op]))


def test_metafields_are_never_in_a_file() -> None:
    mapping = mapping_of("products", "title")
    field = RESOURCES["products"].field("metafields.custom.fabric")
    assert field is not None
    mapping = mapping.with_fields([*mapping.fields, replace(mapping.fields[0], field=field)])
    op = update(PRODUCT, title=("a", "b"), **{FABRIC: (None, "Linen")})
    assert in_files.part(mapping, [op], Known()) == ([], [op])


def test_a_thing_is_in_a_file_once_and_its_variants_are_one_line() -> None:
    known = Known(products={VARIANT: PRODUCT, V2: PRODUCT, V3: P2})
    one, two, three = (update(key, price=(Decimal(1), Decimal(2))) for key in (VARIANT, V2, V3))
    again = update(VARIANT, sku=("a", "b"))
    assert in_files.part(mapping_of("variants"), [one, three, two, again], known) == ([[one, two], [three]], [again])


def test_a_line_holds_no_more_variants_than_a_list_may() -> None:
    keys = [f"gid://shopify/ProductVariant/{n}" for n in range(260)]
    ops = [update(key, price=(Decimal(1), Decimal(2))) for key in keys]
    things, rest = in_files.part(mapping_of("variants"), ops, Known(products=dict.fromkeys(keys, PRODUCT)))
    assert ([len(one) for one in things], len(rest)) == ([250], 10)


@pytest.mark.parametrize(("lines", "seconds", "next_lines", "ended"), [
    (100, 5.0, 400, False),       # quick: four times as many, for a pace is known better by longer files
    (100, 30.0, 200, False),      # a pace at which 200 take a minute
    (400, 160.0, 150, True),      # slower than requests, so requests it is
    (1000, 20.0, 1000, False),
    (100, 29.0, 206, False),      # short files say little about a pace
    (11, 50.0, 13, True),
])
def test_a_file_is_as_large_as_a_minute_allows(lines: int, seconds: float, next_lines: int, ended: bool) -> None:
    size = Size(lines)
    size.learn(lines, seconds, by_request=3.0)
    assert (size.lines, size.ended) == (next_lines, ended)


def requests_of(mapping: Mapping, ops: list[Op], known: Known) -> Callable[[Mapping, Any], Request]:
    return lambda narrow, some: request_for(narrow, some, known, key="k", run="17", weight_unit="GRAMS")


FILED: list[tuple[str, list[Op]]] = [
    ("products", [update(f"gid://shopify/Product/{n}", title=("a", "b"), seo__title=("a", "b")) for n in range(3)]),
    ("variants", [update(VARIANT, price=(Decimal(1), Decimal(2)), cost=(None, Decimal(1))), update(V2, sku=("", "x"))]),
    ("customers", [update(f"gid://shopify/Customer/{n}", firstName=("a", "b"), note=("a", "b")) for n in range(3)]),
    ("orders", [update(f"gid://shopify/Order/{n}", note=("a", "b"), poNumber=("a", "b")) for n in range(3)]),
    ("collections", [update(f"gid://shopify/Collection/{n}", title=("a", "b")) for n in range(3)]),
]


@pytest.mark.parametrize(("name", "ops"), FILED)
def test_all_lines_have_one_text_that_shopify_takes_in_bulk(name: str, ops: list[Op]) -> None:
    known = Known(products={VARIANT: PRODUCT, V2: P2})
    lines = in_files.lines_of(mapping_of(name), ops, known, "a1-b2", requests_of(mapping_of(name), ops, known))
    [text] = {line.request.document for line in lines}
    assert [len(line.places) for line in lines] == [1] * len(ops)
    assert text.startswith("mutation Changes_a1_b2(")
    assert in_files.mark_of("a1-b2") in text
    assert " m0:" not in text
    assert mutation_errors(text) == []
    for line in lines:
        assert_fits(text, line.request.variables)


def test_a_text_is_told_from_that_of_any_other_batch() -> None:
    assert in_files.mark_of("1") not in f"mutation {in_files.mark_of('12')}$p: X) {{ }}"


TITLE = mapping_of("products", "title", "vendor")


def seen(**values: Any) -> Snapshot:
    return Snapshot(rows={PRODUCT: tuple(values[rule.name] for rule in TITLE.fields)})


def held(receipt: Receipt | None, now: Snapshot) -> Receipt:
    op = update(PRODUCT, title=("a", "b"), vendor=("x", "y"))
    return in_files.verified(TITLE, op, receipt, now, lambda name, value: value)


def test_what_stands_there_as_it_was_sent_is_done() -> None:
    answered = Receipt(update(PRODUCT), PRODUCT, {"title": "b", "vendor": "y"})
    assert held(answered, seen(title="b", vendor="y")).done
    assert held(None, seen(title="b", vendor="y")).done
    assert held(answered, seen(title=UNREAD, vendor="y")).stored == {"title": "b", "vendor": "y"}


def test_what_somebody_changed_since_is_stale_and_the_rest_is_written() -> None:
    answered = Receipt(update(PRODUCT), PRODUCT, {"title": "b", "vendor": "y"})
    for receipt in (answered, None):
        found = held(receipt, seen(title="theirs", vendor="y"))
        assert (found.stale, [change.field for change in found.written]) == (True, ["vendor"])


def test_without_an_answer_what_stands_there_as_before_was_not_written() -> None:
    found = held(None, seen(title="a", vendor="x"))
    assert (found.stale, found.written) == (True, ())


def test_without_an_answer_what_may_not_be_seen_is_unclear() -> None:
    found = held(None, seen(title=UNREAD, vendor="y"))
    assert (found.unclear, found.stale, [change.field for change in found.written]) == (True, False, ["vendor"])


def test_a_right_that_is_missing_is_said_of_all_and_a_spoilt_line_of_its_row() -> None:
    op = update(PRODUCT, title=("a", "b"))
    [line] = in_files.lines_of(TITLE, [op], Known(), "k", requests_of(TITLE, [op], Known()))
    refused = {"message": "Access denied for productUpdate field. Required access: `write_products` access scope.",
               "path": ["productUpdate"], "extensions": {"code": "ACCESS_DENIED"}}
    outcome, denied = in_files.answer_of(line, {"data": {"productUpdate": None}, "errors": [refused]}, 2, "Products")
    assert isinstance(denied, AccessError)
    assert outcome.receipts == {}
    spoilt = {"message": "Variable $p0 was provided invalid value", "extensions": {"code": "INVALID_VARIABLE"}}
    outcome, denied = in_files.answer_of(line, {"errors": [spoilt]}, 2, "Products")
    assert denied is None
    refusal = outcome.receipts[0].refusal
    assert refusal is not None
    assert "invalid value" in refusal.message


@pytest.mark.parametrize("said", [None, {}, {"data": None}, {"data": {"productUpdate": None}}, {"errors": "?"}])
def test_an_answer_that_says_nothing_is_none(said: Any) -> None:
    op = update(PRODUCT, title=("a", "b"))
    [line] = in_files.lines_of(TITLE, [op], Known(), "k", requests_of(TITLE, [op], Known()))
    outcome, denied = in_files.answer_of(line, said, 2, "Products")
    assert (outcome.receipts, denied) == ({}, None)


# --- when ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "batches"), [
    (0, [10, 5]),       # never
    (1.49, [15]),       # 150 points at 100 a second take 1.5 s
    (1.5, [10, 5]),
])
def test_changes_go_as_files_where_their_points_take_longer_than_somebody_wants_to_wait(
    start: Callable[..., Any], seconds: float, batches: list[int]
) -> None:
    at = start(products=15, orders=0)
    at.connector._files_after_seconds = seconds
    mapping = mapping_of("products", "title")
    rows = at.connector.read(mapping).rows
    ops = [update(str(key), title=(row[0], "New")) for key, row in rows.items()]
    assert [len(batch) for batch in at.connector.batches(mapping, ops)] == batches


def test_while_nobody_knows_how_fast_points_come_back_there_are_no_files(start: Callable[..., Any]) -> None:
    at = start(products=1, orders=0)
    at.connector._files_after_seconds = 0.01
    ops = [update(f"gid://shopify/Product/{n}", title=("a", "b")) for n in range(15)]
    assert [len(batch) for batch in at.connector.batches(mapping_of("products", "title"), ops)] == [10, 5]


def test_of_many_changes_each_is_in_one_batch_and_stock_in_no_file(start: Callable[..., Any]) -> None:
    at = start(products=30, orders=0)
    at.connector._files_after_seconds = 0.01
    mapping = mapping_of("products", "title", "tags")
    rows = at.connector.read(mapping).rows
    ops: list[Op] = [update(str(key), title=(row[0], "New")) for key, row in rows.items()]
    ops[3:5] = [update(str(key), tags=(row[1], ("x",))) for key, row in list(rows.items())[3:5]]
    ops += [create(1, title="a"), delete(str(next(iter(rows))))]
    found = list(at.connector.batches(mapping, ops))
    assert sorted(map(id, flat(found))) == sorted(map(id, ops))
    assert [len(batch) for batch in found] == [28, 2, 1, 1]


# --- actions ------------------------------------------------------------------------------------------


def test_nobody_acts_on_an_order_while_a_file_of_an_earlier_run_goes_on(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    shop = Shop(start(products=15, orders=0), tmp_path)
    shop.retitle()

    def kill() -> None:
        raise Killed

    shop.killed(shop.once_done(2, kill))
    calm_actor(shop.database, shop.link_id, shop.connector())
    [left] = shop.mutations()
    assert left.status == "CANCELED"

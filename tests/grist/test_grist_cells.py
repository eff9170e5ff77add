"""P20: what is written reads back as the same value, for every kind and every column type that fits it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.values import KINDS, UNREAD, Kind, LocalRef, Unfit, canonical, round_money
from backend.grist.cells import EXACT, Unstorable, reader, write
from backend.grist.schema import FITTING
from demo.grist import Grist

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
MONEY = st.decimals(min_value=-(10**9), max_value=10**9, places=2).map(round_money)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    "text": TEXT, "html": TEXT, "choice": TEXT,
    "integer": st.integers(-EXACT, EXACT),
    "decimal": st.floats(allow_nan=False, allow_infinity=False, width=32).map(lambda f: Decimal(repr(f))),
    "money": MONEY, "boolean": st.booleans(), "date": st.dates(),
    "datetime": st.datetimes(timezones=st.just(UTC)),
    "list": st.lists(TEXT, max_size=5), "ref": st.integers(1, 10**6),
    "refs": st.lists(st.integers(1, 10**6), max_size=5),
}
TYPES = {"Ref": "Ref:T", "RefList": "RefList:T", "DateTime": "DateTime:Asia/Tokyo"}
CASES = [(kind, pure) for kind in KINDS for pure in FITTING[kind]]


@pytest.mark.parametrize(("kind", "pure"), CASES)
@settings(deadline=None)
@given(data=st.data())
def test_what_is_written_reads_back_equal(kind: Kind, pure: str, data: st.DataObject) -> None:
    column_type = TYPES.get(pure, pure)
    value = canonical(kind, data.draw(st.none() | VALUES[kind]))
    try:
        cell = write(value, column_type)
    except Unstorable:
        assert kind == "decimal"
        assert abs(value) > EXACT
        return
    assert reader(kind, column_type)(orjson.loads(orjson.dumps(cell))) == value


@given(st.integers(2**31, EXACT))
def test_a_number_that_grist_keeps_as_text_is_a_number(number: int) -> None:
    assert reader("integer", "Int")(f"{number}.0") == number


@pytest.mark.parametrize(("kind", "column_type", "cell", "value"), [
    ("money", "Numeric", "about ten", Unfit("about ten")),
    ("money", "Numeric", "$1,234.50", Unfit("$1,234.50")),
    ("money", "Numeric", 23.999, Decimal("24.00")),
    ("money", "Numeric", 0, Decimal("0.00")),
    ("money", "Numeric", "", None),
    ("integer", "Int", "12", 12),
    ("integer", "Numeric", 1.5, Unfit("1.5")),
    ("integer", "Int", True, Unfit("true")),
    ("boolean", "Bool", "maybe", Unfit("maybe")),
    ("boolean", "Bool", None, False),
    ("date", "Date", "soon", Unfit("soon")),
    ("date", "Date", 1770076800, date(2026, 2, 3)),
    ("datetime", "DateTime:Europe/Berlin", 1767323045.75, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ("list", "ChoiceList", ["L", "b", "a"], ("a", "b")),
    ("list", "ChoiceList", ["L"], None),
    ("list", "ChoiceList", "a,b", Unfit("a,b")),
    ("ref", "Ref:Products", 0, None),
    ("ref", "Ref:Products", 7, 7),
    ("ref", "Ref:Products", "Alpha", Unfit("Alpha")),
    ("ref", "Ref:Products", ["R", "Products", 7], 7),
    ("text", "Text", 12345.0, "12345"),
    ("text", "Text", None, None),
    ("money", "Any", ["E", "ZeroDivisionError"], UNREAD),
    ("money", "Numeric", ["C"], UNREAD),
    ("date", "Any", ["d", 1770076800], date(2026, 2, 3)),
    ("datetime", "Any", ["D", 1767323045, "Europe/Berlin"], datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ("text", "Any", ["d", 1770076800], "2026-02-03"),
    ("list", "Any", ["L", "x", "y, z"], ("x", "y, z")),
    ("ref", "Any", ["R", "Products", 3], 3),
    ("refs", "RefList:Products", None, None),
    ("refs", "RefList:Products", ["L"], None),
    ("refs", "RefList:Products", ["L", 7, 3, 7], (3, 7)),
    ("refs", "RefList:Products", ["r", "Products", [7, 3]], (3, 7)),
    ("refs", "RefList:Products", ["r", "Products", []], None),
    ("refs", "RefList:Products", ["r", "Makers", [7]], Unfit("Makers[7]")),
    ("refs", "RefList:Products", "Alpha", Unfit("Alpha")),
    ("refs", "RefList:Products", ["L", "Alpha"], Unfit("Alpha")),
    ("refs", "Any", ["r", "Products", [3]], (3,)),
    ("refs", "RefList:Products", ["C"], UNREAD),
    ("money", "Any", 12.5, Decimal("12.50")),
])
def test_a_cell_is_read_as_its_kind(kind: Kind, column_type: str, cell: Any, value: Any) -> None:
    assert reader(kind, column_type)(cell) == value


@settings(deadline=None)
@given(st.sampled_from(KINDS), st.sampled_from(["Text", "Numeric", "Int", "Bool", "Date", "DateTime:UTC", "Choice",
                                               "ChoiceList", "Ref:Products", "RefList:Products", "Any"]),
       st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
                    lambda inner: st.lists(inner, max_size=3)
                    | st.tuples(st.sampled_from("LdDRrECPUO"), inner).map(list), max_leaves=5))
def test_no_cell_is_too_odd_to_read(kind: Kind, column_type: str, cell: Any) -> None:
    reader(kind, column_type)(cell)


@pytest.mark.parametrize(("value", "column_type", "sentence"), [
    (EXACT + 1, "Int", "is too large"),
    (Decimal("0.12345678901234567891"), "Numeric", "more digits than Grist keeps"),
    (Decimal("1.5"), "Int", "is not a whole number"),
])
def test_what_grist_would_change_is_not_written(value: Any, column_type: str, sentence: str) -> None:
    with pytest.raises(Unstorable, match=sentence):
        write(value, column_type)


@pytest.mark.parametrize("value", [UNREAD, Unfit("about ten")])
def test_what_nobody_has_seen_is_never_written(value: Any) -> None:
    with pytest.raises(ValueError, match="must never be written"):
        write(value, "Numeric")


def test_a_reference_to_a_row_without_partner_is_its_row() -> None:
    assert write(LocalRef("products", 3), "Ref:Products") == 3
    assert write((4, LocalRef("products", 3)), "RefList:Products") == ["L", 4, 3]


def test_moments_before_1970_are_kept() -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) - timedelta(days=400, seconds=1)
    assert reader("datetime", "DateTime:UTC")(write(moment, "DateTime:UTC")) == moment


ROWS = st.lists(st.tuples(*[st.none() | VALUES[kind] for kind, _ in CASES]), min_size=20, max_size=20)


@settings(max_examples=3, deadline=None)
@given(ROWS)
def test_what_a_document_keeps_reads_back_equal(rows: list[tuple[Any, ...]]) -> None:
    """The same by way of a document: one column for each kind and type, all rows in one bundle."""
    document = Grist().new_document("Cells")
    types = [TYPES.get(pure, pure) for _, pure in CASES]
    document.apply([["AddTable", "T", [{"id": f"C{at}", "type": kind, "isFormula": False}
                                       for at, kind in enumerate(types)]]])
    for at, (kind, _) in enumerate(CASES):
        sent = []
        for row in rows:
            value = canonical(kind, row[at])
            try:
                sent.append((value, write(value, types[at])))
            except Unstorable:
                sent.append((None, write(None, types[at])))
        first = document.apply([["BulkAddRecord", "T", [None] * len(sent), {f"C{at}": [cell for _, cell in sent]}]])
        kept = {row["id"]: row[f"C{at}"] for row in document.table("T").rows()}
        read = [reader(kind, types[at])(kept[row]) for row in first.values[0]]
        assert read == [value if kind != "boolean" else bool(value) for value, _ in sent], (kind, types[at])

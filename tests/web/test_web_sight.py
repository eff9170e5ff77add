"""What people read here is what Grist lets them read: rows, columns and cells that its rules hide stay hidden."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from web_helpers import SHIRT, SHIRT_S, Place, price, whole_row

from backend.core.model import Change, Proposal, Refusal, Side, Why
from backend.errors import AccessError, BundleRefused, RetryLater, UserError
from backend.grist.client import GristClient
from backend.store import links
from backend.web.sight import Reads, Seen, read_grist

TABLES: dict[str, dict[str, list[Any]]] = {
    "Variants": {"id": [1, 2], "SKU": ["A", "B"], "Price": ["39", ["C"]], "Compare_at": ["1", "2"],
                 "Taxable": [True, True], "Weight": ["1", "2"], "Product": [1, 1]},
    "Products": {"id": [5], "Handle": ["shirt"], "Status": ["ACTIVE"], "Vendor": ["x"]},  # no Title, no Tags
}
HIDDEN = {"unread": True}


class Grist:
    """Grist as one person sees it: without row 3 of Variants, Price of row 2, and Title and Tags of Products."""

    def __init__(self, *, sql: bool = False) -> None:
        self.sql, self.asked = sql, list[str]()

    def count_rows(self, table: str) -> int:
        self.asked.append("sql")
        if not self.sql:
            raise AccessError("Grist does not let this key do that.")
        return 0

    def data(self, table: str) -> dict[str, list[Any]]:
        self.asked.append(table)
        if table not in TABLES:
            raise UserError(f"Table not found {table}: access rules hide it.")
        return {name: list(cells) for name, cells in TABLES[table].items()}


@pytest.fixture
def narrow(place: Place) -> Grist:
    """Everybody but owners reads only a part of the document."""
    grist = Grist()
    place.service.reads = Reads(lambda document, token: grist)
    return grist


@pytest.fixture
def three(place: Place, narrow: Grist) -> Place:
    """The price of three variants; row 2's is hidden, and row 3 as a whole."""
    place.pair("variants", 1, SHIRT_S, sku="LIN-S")
    place.conflicts("variants", *(price(row, thing=f"{SHIRT_S}{row}") for row in (1, 2, 3)))
    return place


def test_an_owner_reads_everything(three: Place, narrow: Grist) -> None:
    assert [one["grist"] for one in three.get("conflicts")["conflicts"]] == ["39.00"] * 3
    assert narrow.asked == []


@pytest.mark.parametrize("role", ["editor", "viewer"])
def test_others_are_told_of_rows_and_cells_that_grist_shows_them(three: Place, role: str) -> None:
    first, second = three.get("conflicts", role)["conflicts"]
    assert (first["row"], first["base"], first["grist"], first["shopify"]) == (1, "42.00", "39.00", "45.00")
    assert (second["row"], second["base"], second["grist"], second["shopify"]) == (2, HIDDEN, HIDDEN, HIDDEN)


def test_whom_grist_lets_use_sql_reads_everything(three: Place, narrow: Grist) -> None:
    narrow.sql = True
    assert len(three.get("conflicts", "editor")["conflicts"]) == 3
    assert narrow.asked == ["sql"]


def test_words_that_carry_hidden_cells_are_hidden_with_them(place: Place, narrow: Grist) -> None:
    place.conflicts("products", price(5, ("a", "b"), ("c",), ("a",), field="tags", thing=SHIRT, title="Secret shirt"))
    place.conflicts("variants", price(1, SHIRT, SHIRT, SHIRT, field="product"), whole_row(
        2, SHIRT_S, "Linen shirt / S", [Change("price", Decimal("16.00"), Decimal("18.00"), Why.CHANGED)]))
    tags, product, row = place.get("conflicts", "viewer")["conflicts"]
    assert (tags["title"], tags["grist"], "merge" in tags) == ("Products, row 5", HIDDEN, False)
    assert product["grist"] == HIDDEN  # a name out of another table
    assert (row["whole_row"], row["grist"], row["shopify"]) == (True, HIDDEN, HIDDEN)
    assert "edits" not in row
    assert "Secret" not in place.ask("GET", "conflicts", "viewer").text


def test_an_answer_to_what_somebody_does_not_see_is_not_kept_and_tells_nothing(three: Place) -> None:
    ids = [one["id"] for one in three.get("conflicts")["conflicts"]]
    made = [{"conflict": number, "keep": "grist", "seen": {"grist": "0.00", "shopify": "0.00"}} for number in ids]
    taken = three.post("choices", {"choices": made}, "editor")
    assert [one["conflict"] for one in taken["moved"]] == ids[:1]
    assert [one["conflict"] for one in taken["invalid"]] == ids[1:]
    assert three.choices("variants") == {}


class Hand:
    """Grist as it takes what one person writes: the price of row 1 stands there, and row 4 may not be changed. What a
    real one says there is `BundleRefused`, to a key that may not write at all AccessError."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.written: list[Any] = []
        self.refusal = refusal

    def records(self, table: str, row_ids: list[int]) -> dict[int, dict[str, Any]]:
        return {row: {"Price": 39} for row in row_ids}

    def apply(self, actions: list[Any]) -> None:
        if actions[0][2] == 4 and self.refusal is not None:
            raise self.refusal
        self.written += actions


@pytest.mark.parametrize(("keep", "typed", "written"), [
    ("shopify", None, [45]), ("base", None, [42]), ("value", "40.00", [40]), ("grist", None, [])])
def test_an_answer_of_whoever_sees_only_parts_is_written_with_their_own_token(
        three: Place, keep: str, typed: str | None, written: list[int]) -> None:
    hand, used = Hand(), []
    three.service.hand_of = lambda document, token: used.append(token) or hand
    bind(three, "variants", price=("Price", "Numeric"))
    number, token = three.get("conflicts")["conflicts"][0]["id"], three.token("editor")
    answer = {"conflict": number, "keep": keep, "seen": {"grist": "39.00", "shopify": "45.00"}}
    made = {"choices": [answer | ({"value": typed} if typed else {})]}
    assert three.ask("POST", "choices", body=made, token=token).json["applied"] == [number]
    assert hand.written == [["UpdateRecord", "Variants", 1, {"Price": value}] for value in written]
    assert used == [token]
    choice = three.choices("variants")[1, "price"]
    assert (choice.keep, choice.local, choice.remote) == ("grist", Decimal(written[0] if written else 39), 45)


@pytest.mark.parametrize("refusal", [
    AccessError("Grist does not let this key do that."),
    BundleRefused("Blocked by column update access rules")])
def test_what_grist_refuses_a_person_is_not_kept_and_nobody_writes_it_for_them(
        place: Place, narrow: Grist, monkeypatch: pytest.MonkeyPatch, refusal: Exception) -> None:
    hand = Hand(refusal)
    place.service.hand_of = lambda document, token: hand
    seen = TABLES["Variants"] | {"id": [1, 4, 5, 6], "Price": ["39"] * 4}
    monkeypatch.setitem(TABLES, "Variants", {name: (cells * 2)[:4] for name, cells in seen.items()})
    bind(place, "variants", price=("Price", "Numeric"))
    ids = place.conflicts("variants", price(4), price(5, grist=Decimal("38.00")), whole_row(
        6, SHIRT_S, "Shirt", [Change("price", Decimal("16.00"), Decimal("18.00"), Why.CHANGED)]))
    shown = {one["id"]: one for one in place.get("conflicts", "editor")["conflicts"]}
    made = [{"conflict": number, "keep": "shopify",
             "seen": {side: shown[number][side] for side in ("grist", "shopify")}} for number in ids]
    taken = place.post("choices", {"choices": made}, "editor")
    assert [one["message"] for one in taken["invalid"]] == [
        "Grist does not let you change this cell.", "This cell was changed in Grist since the last sync.",
        "An answer about a whole row changes more of it than you see."]
    assert (hand.written, taken["run"], place.choices("variants")) == ([], None, {})


def bind(place: Place, resource: str, **columns: tuple[str, str]) -> None:
    """As a sync has found the columns: id and type by field."""
    bound = {name: {"colRef": 1, "colId": column, "type": kind} for name, (column, kind) in columns.items()}
    with place.service.database.write() as tx:
        links.remember_binding(tx, place.mapping(resource).id, {"columns": bound}, None)


def test_changes_refusals_and_plans_are_held_to_the_same(place: Place, narrow: Grist) -> None:
    run = place.begin()
    for row in (1, 2, 3):
        place.change("variants", run.id, local_key=row)
    place.refuse("variants", *(Refusal(Side.LOCAL, row, f"“{row}.00” is no price.", "Type one.") for row in (1, 2, 3)))
    line = {"resource": "variants", "label": "Variants", "table": "Variants", "side": "shopify", "title": "Linen / S",
            "kind": "update", "field": "price", "field_label": "Price", "type": "money", "before": "1", "after": "2",
            "why": ""}
    place.end(run, report={"totals": {}, "mappings": [], "plan": [{**line, "row": row} for row in (1, 2, 3, None)],
                           "plan_total": 4})
    assert [(one["row"], one["after"]) for one in place.get("changes", "viewer")["changes"]] == [
        (2, HIDDEN), (1, "39.00")]
    assert [one["row"] for one in place.get("refused", "viewer")["refused"]] == [1]
    assert [one["row"] for one in place.get(f"runs/{run.id}", "viewer")["report"]["plan"]] == [1, 2]


def test_deletions_that_somebody_does_not_see_take_no_answer_from_them(place: Place, narrow: Grist) -> None:
    place.delete("variants", *(Proposal(Side.LOCAL, row, f"{SHIRT_S}{row}", "Shirt") for row in (1, 3)))
    place.delete("products", Proposal(Side.REMOTE, SHIRT, 9, "Gone from Grist"))
    ids = [one["id"] for one in place.get("deletions")["deletions"]]
    assert [one["row"] for one in place.get("deletions", "editor")["deletions"]] == [1]
    place.post("deletions", {"approve": ids}, "editor")
    assert [one["id"] for one in place.get("deletions")["deletions"]] == ids[1:]


def test_an_undo_is_for_those_who_see_what_it_writes(place: Place, narrow: Grist) -> None:
    answer = place.ask("POST", "undo", "editor", {"changes": [1]})
    assert (answer.status_code, answer.json["cure"]) == (403, "Ask an owner of the document to undo it.")
    assert place.queued() == []
    narrow.sql = True
    place.service.reads = Reads(lambda document, token: narrow)
    place.post("undo", {"changes": [1]}, "editor")


def test_the_rules_of_the_document_itself_decide(place: Place) -> None:
    """Against the stand-in for Grist, with real tokens and real rules."""
    url = place.service.server_url
    grist = GristClient(url, place.document.doc_id, token=place.token("owner"))
    columns = [{"id": name, "type": "Numeric" if name in ("Price", "Compare_at", "Weight") else "Text"}
               for name in ("SKU", "Price", "Compare_at", "Taxable", "Weight", "Product")]
    grist.apply([["AddTable", "Variants", columns],
                 ["BulkAddRecord", "Variants", [1, 2, 3], {"SKU": ["A", "B", "C"], "Price": [39, 39, 39]}]])
    place.conflicts("variants", *(price(row, thing=f"{SHIRT_S}{row}") for row in (1, 2, 3)))
    place.service.reads = Reads(read_grist(url))
    assert len(place.get("conflicts", "editor")["conflicts"]) == 3

    for number, (column, formula) in enumerate((("*", "rec.SKU == 'C'"), ("Price", "rec.SKU == 'B'")), 1):
        rule = {"resource": -number, "aclFormula": f"{formula} and user.Access != OWNER", "permissionsText": "-R"}
        grist.apply([["AddRecord", "_grist_ACLResources", -number, {"tableId": "Variants", "colIds": column}],
                     ["AddRecord", "_grist_ACLRules", None, rule]])
    place.service.reads = Reads(read_grist(url))
    for role in ("editor", "viewer"):
        assert [(one["row"], one["grist"]) for one in place.get("conflicts", role)["conflicts"]] == [
            (1, "39.00"), (2, HIDDEN)]
    assert len(place.get("conflicts")["conflicts"]) == 3


def test_grist_is_asked_once_a_minute_about_a_token_and_a_table() -> None:
    grist, now = Grist(), [0.0]
    reads = Reads(lambda document, token: grist, clock=lambda: now[0])
    for at, times in ((0, 1), (59, 1), (61, 2)):
        now[0] = at
        assert reads.table("document", "token", "Variants").cell(1, "Price")
        assert not reads.sees_everything("document", "token", "Variants")
        assert [grist.asked.count(what) for what in ("Variants", "sql")] == [times, times]
    assert reads.table("document", "another token", "Variants").rows == {1, 2}
    assert grist.asked.count("Variants") == 3


def test_a_hidden_table_shows_nothing_and_a_busy_grist_is_not_taken_for_one(
        place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Reads(lambda document, token: Grist()).table("document", "token", "Secrets") == Seen()

    def busy(table: str) -> int:
        raise RetryLater("Grist is busy with other requests for this document.")

    grist = Grist()
    monkeypatch.setattr(grist, "count_rows", busy)
    place.service.reads = Reads(lambda document, token: grist)
    assert place.ask("GET", "conflicts", "viewer").status_code == 503

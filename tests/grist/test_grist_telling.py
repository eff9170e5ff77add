"""The log table and the status column: made when wanted, bounded, and never taken for somebody's changes."""

from __future__ import annotations

from typing import Any

import pytest
from grist_helpers import mapping
from places import Place

from backend.grist import telling
from backend.grist.telling import LOG_TABLE, STATUS_COLUMN, Line

MAPPINGS = [mapping("products", "title", "vendor")]


def line(number: int = 1, **said: Any) -> Line:
    return Line(**{"at": 1_700_000_000.0 + number, "run": 7, "side": "Grist", "table": "Products", "title": "Mug",
                   "field": "Vendor", "before": "a", "after": f"b{number}", **said})


def prepared(place: Place) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """A connector after its first run, its bindings and the checkpoint."""
    connector = place.connector()
    bindings = connector.prepare(MAPPINGS, {}, write=True).bindings
    place.act(["BulkAddRecord", "Products", [None] * 3, {"Title": ["Mug", "Cup", "Bowl"]}])
    return connector, bindings, place.connector().changed(MAPPINGS, None).checkpoint


def test_the_log_is_a_table_with_types_and_a_line_for_each_change(place: Place) -> None:
    connector = place.connector(time_zone="Europe/Berlin")
    assert connector.log_run([line(1), line(2, side="Shopify", before="", after="x" * 5_000)]) == []
    types = {name: column["type"] for name, column in place.columns(LOG_TABLE).items()}
    assert types == {"Time": "DateTime:Europe/Berlin", "Run": "Int", "Written_to": "Choice", "Table": "Text",
                     "What": "Text", "Field": "Text", "Before": "Text", "After": "Text"}
    first, second = place.rows(LOG_TABLE).values()
    assert first == {"Time": 1_700_000_001, "Run": 7, "Written_to": "Grist", "Table": "Products", "What": "Mug",
                     "Field": "Vendor", "Before": "a", "After": "b1"}
    assert second["After"] == "x" * telling.TEXT_MOST


def test_a_second_run_appends_with_one_request_and_an_empty_one_asks_nothing(place: Place) -> None:
    place.connector().log_run([line(1)])
    connector = place.connector()
    connector.log_run([line(2)])
    assert connector.usage.requests == 1
    connector.log_run([])
    assert connector.usage.requests == 1
    assert [row["After"] for row in place.rows(LOG_TABLE).values()] == ["b1", "b2"]


def test_the_log_keeps_its_newest_lines(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "LINES_KEPT", 5)
    monkeypatch.setattr(telling, "ROWS_AT_ONCE", 4)
    place.connector().log_run([line(number) for number in range(1, 8)])
    assert [row["After"] for row in place.rows(LOG_TABLE).values()] == ["b3", "b4", "b5", "b6", "b7"]


def test_of_a_large_run_the_log_tells_the_beginning_and_how_much_more(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "LINES_A_RUN", 2)
    place.connector().log_run([line(number) for number in range(1, 6)])
    told = list(place.rows(LOG_TABLE).values())
    assert [row["After"] for row in told] == ["b1", "b2", ""]
    assert told[2]["What"] == "more changes: see Changes in the widget"


def test_somebodys_own_table_of_that_name_is_left_alone(place: Place) -> None:
    place.act(["AddTable", LOG_TABLE, [{"id": "Mine", "type": "Text", "isFormula": False}]])
    [note] = place.connector().log_run([line(1)])
    assert note.startswith("Table 'Sync_log' does not take the log of the sync")
    assert "Rename or delete it" in note
    assert place.rows(LOG_TABLE) == {}


def test_a_row_says_why_it_waits_and_nothing_once_it_does_not(place: Place) -> None:
    connector, _, _ = prepared(place)
    assert connector.set_status({"products": {2: "Title: changed on both sides."}}) == []
    assert place.columns("Products")[STATUS_COLUMN]["type"] == "Text"
    told = [row[STATUS_COLUMN] for row in place.rows("Products").values()]
    assert told == ["", "Title: changed on both sides.", ""]
    states = place.states()
    connector.set_status({"products": {2: "Title: changed on both sides."}})
    assert place.states() == states
    connector.set_status({"products": {99: "no such row"}})
    assert [row[STATUS_COLUMN] for row in place.rows("Products").values()] == ["", "", ""]


def test_no_status_column_is_made_while_nothing_waits(place: Place) -> None:
    connector, _, _ = prepared(place)
    connector.set_status({"products": {}})
    assert STATUS_COLUMN not in place.columns("Products")


def test_a_formula_in_the_status_column_is_left_alone(place: Place) -> None:
    connector, _, _ = prepared(place)
    place.act(["AddVisibleColumn", "Products", STATUS_COLUMN, {"type": "Text", "isFormula": True, "formula": "'x'"}])
    [note] = connector.set_status({"products": {1: "waits"}})
    assert "is not plain text" in note


def test_what_is_told_does_not_come_back_as_changes(place: Place) -> None:
    connector, bindings, checkpoint = prepared(place)
    connector.set_status({"products": {1: "waits"}})
    connector.log_run([line(1)])
    later = place.connector()
    if later.changed(MAPPINGS, checkpoint).why == "unprepared":
        ready = later.prepare(MAPPINGS, bindings, write=True).mappings
        assert later.changed(ready, checkpoint).keys == {"products": set()}


def test_a_poll_after_the_log_was_written_is_as_quiet_as_before(place: Place) -> None:
    _, bindings, _ = prepared(place)
    place.connector().log_run([line(1)])
    checkpoint = place.connector().changed(MAPPINGS, None).checkpoint
    connector = place.connector()
    connector.prepare(MAPPINGS, bindings, write=True)
    connector.set_status({"products": {}})
    connector.log_run([line(2)])
    settled, all_told = connector.settled(checkpoint)
    assert all_told
    assert place.connector().changed(MAPPINGS, settled).why == "same"

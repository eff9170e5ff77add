"""Taking back what was written: what is queued, and what the widget is told of it."""

from __future__ import annotations

from typing import Any

import pytest
from web_helpers import SHIRT_S, Place

from backend.store import changes


def one_change(place: Place) -> dict[str, Any]:
    run = place.begin()
    place.change("variants", run.id)
    place.end(run)
    [told] = place.get("changes")["changes"]
    return told


@pytest.mark.parametrize("what", ["changes", "runs"])
@pytest.mark.parametrize(("preview", "kind"), [(True, "preview"), (False, "sync")])
def test_an_editor_asks_for_lines_or_syncs_to_be_taken_back(place: Place, what: str, preview: bool, kind: str) -> None:
    place.post("undo", {what: [3, 5], "preview": preview}, "editor")
    assert place.queued() == [(kind, "An editor, Undo button")]
    assert place.begin().wanted == {what: [3, 5]}


@pytest.mark.parametrize("body", [
    {}, {"changes": []}, {"changes": [1], "runs": [1]}, {"changes": ["1"]}, {"runs": [0]}, {"changes": [1], "more": 1},
    {"changes": [1], "preview": "no"}, {"preview": True}, [], None])
def test_a_wish_of_another_shape_is_refused_and_starts_nothing(place: Place, body: Any) -> None:
    assert place.ask("POST", "undo", body=body).status_code in (400, 415, 422)
    assert place.queued() == []


def test_a_preview_tells_what_would_be_written_and_what_stays(place: Place) -> None:
    number = place.post("undo", {"runs": [1], "preview": True})["id"]
    run = place.begin()
    assert place.get(f"runs/{number}")["report"] == {}
    line = {"resource": "variants", "label": "Variants", "table": "Variants", "side": "shopify", "title": "Linen / S",
            "kind": "update", "row": SHIRT_S, "field": "price", "field_label": "Price", "type": "money",
            "before": "39.00", "after": "42.00", "why": "undo"}
    stays = [{"change": 12, "reason": "It was edited since."}]
    place.end(run, report={"totals": {}, "mappings": [], "undone": 11, "stays": stays, "plan": [line], "plan_total": 1})
    report = place.get(f"runs/{number}")["report"]
    assert (report["undone"], report["stays"], report["plan_total"]) == (11, stays, 1)
    assert (report["plan"][0]["before"], report["plan"][0]["after"]) == ("39.00", "42.00")


def test_a_preview_of_nothing_to_take_back_says_so_in_numbers(place: Place) -> None:
    number = place.post("undo", {"runs": [99], "preview": True})["id"]
    place.end(place.begin(), report={"totals": {}, "mappings": [], "plan": [], "plan_total": 0})
    report = place.get(f"runs/{number}")["report"]
    assert (report["undone"], report["stays"]) == (0, [])


def test_a_line_that_was_taken_back_says_when_and_by_whom(place: Place) -> None:
    told = one_change(place)
    assert told["undone"] is None
    place.post("undo", {"changes": [told["id"]]}, "editor")
    undoing = place.begin()
    with place.service.database.write() as tx:
        changes.undone(tx, [told["id"]], undoing.id)
    assert place.get("changes")["changes"][0]["undone"] == {"at": None, "by": "An editor, Undo button"}
    place.end(undoing)
    undone = place.get("changes")["changes"][0]["undone"]
    assert undone["at"].endswith("Z")

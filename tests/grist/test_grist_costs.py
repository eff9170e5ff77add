"""What a run asks of Grist when little or nothing changed."""

from __future__ import annotations

from typing import Any

from grist_helpers import mapping
from places import Place

from backend.core.model import Mapping

MAPPINGS = [mapping("products", "title", "vendor"), mapping("variants", "product", "sku", "price")]


def prepared(place: Place, rows: int = 3) -> tuple[dict[str, Any], dict[str, Any]]:
    """Bindings and a checkpoint of a document with a few products."""
    connector = place.connector()
    bindings = connector.prepare(MAPPINGS, {}, write=True).bindings
    place.act(["BulkAddRecord", "Products", [None] * rows, {"Title": [f"Mug {n}" for n in range(rows)]}])
    return bindings, place.connector().changed(MAPPINGS, None).checkpoint


def test_a_quiet_document_is_asked_once_whatever_comes_after(place: Place) -> None:
    bindings, checkpoint = prepared(place)
    connector = place.connector()
    assert connector.changed(MAPPINGS, checkpoint).why == "same"
    assert connector.prepare(MAPPINGS, bindings, write=True).paused == {}
    assert connector.usage.requests == 1


def test_edited_rows_are_found_and_read_with_three_requests(place: Place) -> None:
    bindings, checkpoint = prepared(place)
    place.act(["BulkUpdateRecord", "Products", [1, 3], {"Title": ["Cup", "Bowl"]}])
    connector = place.connector()
    assert connector.changed(MAPPINGS, checkpoint).why == "unprepared"
    ready = connector.prepare(MAPPINGS, bindings, write=True).mappings
    changed = connector.changed(ready, checkpoint)
    assert changed.keys == {"products": {1, 3}, "variants": set()}
    snapshot = connector.read(by_name(ready, "products"), {1, 3})
    assert [row[0] for row in snapshot.rows.values()] == ["Cup", "Bowl"]
    assert connector.usage.requests == 3


def test_a_changed_structure_is_asked_for_again(place: Place) -> None:
    bindings, checkpoint = prepared(place)
    place.act(["RenameColumn", "Products", "Vendor", "Maker"])
    connector = place.connector()
    connector.changed(MAPPINGS, checkpoint)
    ready = connector.prepare(MAPPINGS, bindings, write=True)
    assert by_name(ready.mappings, "products").rule("vendor").column == "Maker"
    assert "is called 'Maker' now" in ready.notes[0]


def test_a_mapping_that_runs_alone_still_finds_the_table_that_it_refers_to(place: Place) -> None:
    bindings, checkpoint = prepared(place)
    connector = place.connector()
    alone = [one for one in MAPPINGS if one.name == "variants"]
    assert connector.changed(alone, checkpoint).why == "same"
    assert connector.prepare(alone, bindings, write=True).paused == {}
    assert connector.usage.requests == 1


def by_name(mappings: tuple[Mapping, ...], name: str) -> Mapping:
    return next(one for one in mappings if one.name == name)

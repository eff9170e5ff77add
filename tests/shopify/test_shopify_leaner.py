"""What may not be seen takes nothing else with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from shopify_helpers import mapping_of

from backend.shopify.leaner import without


def plain(document: str | None) -> str | None:
    return None if document is None else " ".join(document.split())


@pytest.mark.parametrize(("document", "path", "expected"), [
    ("{ customers { nodes { id displayName note } } }", ["customers", "nodes", 3, "displayName"],
     "{ customers { nodes { id note } } }"),
    ("{ nodes(ids: []) { ... on Customer { id displayName } } }", ["nodes", 0, "displayName"],
     "{ nodes(ids: []) { ... on Customer { id } } }"),
    ("{ a { id b { c } } }", ["a", "b", "c"], "{ a { id } }"),
    ("{ a { id m: b { c d } } }", ["a", "m", "c"], "{ a { id m: b { d } } }"),
    ("{ a { id } }", ["a"], None), ("{ a { id } }", [], None), ("{ a { id } }", ["a", "id"], None),
    ("{ a { id } }", ["a", "x"], None), ("{ a { b } }", ["a", "b"], None),
])
def test_a_document_loses_the_field_at_a_path(document: str, path: list[str | int], expected: str | None) -> None:
    assert plain(without(document, path)) == expected


def test_customers_are_synced_without_what_is_protected(start: Callable[..., Any]) -> None:
    """`displayName` can never be null: where it is refused, Shopify answers nothing at all."""
    at = start(products=1, orders=6)
    at.door("access", protected_data=False)
    mapping = mapping_of("customers", "displayName", "firstName", "note", "numberOfOrders")
    snapshot = at.connector.read(mapping)
    assert len(snapshot.rows) == len(at.store.customers)
    assert {tuple(mapping.values(row)) for row in snapshot.rows.values()} == {("note", "numberOfOrders")}
    assert any("displayName is left as it is" in note and "Dev Dashboard" in note for note in snapshot.notes)
    key = next(iter(snapshot.rows))
    assert at.connector.read(mapping, [key]).rows == {key: snapshot.rows[key]}

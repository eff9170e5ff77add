"""Grist's webhooks: what one hints at. A delivery is a list of whole rows of one table (facts: webhooks out of
Grist)."""

from __future__ import annotations

from typing import Any


def hints(resource: str, payload: Any) -> tuple[tuple[str, int], ...]:
    """(resource, row id) of what may have changed. A payload that is no list of rows hints at nothing."""
    rows = payload if isinstance(payload, list) else []
    return tuple((resource, row["id"]) for row in rows if isinstance(row, dict) and isinstance(row.get("id"), int))

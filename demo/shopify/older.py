"""Inputs that older API versions take and the schema at hand does not know: rewritten before they are read (facts §14).

    up to 2026-01   compareQuantity on each row, or ignoreCompareQuantity for the call; changeFromQuantity wins
"""
from __future__ import annotations

from typing import Any

_DIRECTIVES_SINCE = {"idempotent": "2026-01"}


def unknown_directives(version: str) -> frozenset[str]:
    """The directives that this version has not got yet."""
    return frozenset(name for name, since in _DIRECTIVES_SINCE.items()
                     if version and version != "unstable" and version < since)


_COMPARED_UNTIL = "2026-04"


def rewritten(given: Any, version: str) -> Any:
    """The variables of a request as the newest schema takes them; the same object where there is nothing to do."""
    if not version or version == "unstable" or version >= _COMPARED_UNTIL:
        return given
    return _rewritten(given)


def _rewritten(value: Any) -> Any:
    if isinstance(value, list):
        return [_rewritten(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _rewritten(entry) for key, entry in value.items()
            if key not in ("ignoreCompareQuantity", "compareQuantity")}
    if "compareQuantity" in value and "changeFromQuantity" not in value:
        kept["changeFromQuantity"] = value["compareQuantity"]
    return kept

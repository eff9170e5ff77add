"""Themes: the store has none, and asking for one is an error of its own (facts §2, by-id roots that raise)."""
from __future__ import annotations

from typing import Any

from ..context import Context
from ..errors import TopLevelError
from ..registry import resolves


@resolves("QueryRoot", "theme")
def theme(source: Any, arguments: dict[str, Any], context: Context) -> None:
    raise TopLevelError("Theme does not exist", "NOT_FOUND")

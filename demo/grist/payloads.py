"""Checks of what a caller sends, refused in the words of Grist's own checker."""
from __future__ import annotations

from typing import Any, NoReturn

from demo.grist.access import Refused


def checked_list(body: dict[str, Any], kind: str, needed: tuple[str, ...], name: str = "records",
                     ) -> list[dict[str, Any]]:
    """The list of things in a body. Raises Refused (400) in the words of Grist's checker."""
    def refuse(*problems: str) -> NoReturn:
        raise Refused(400, "Invalid payload", details={"userError": "Error: " + "; ".join(problems)})

    if name not in body:
        refuse(f"body.{name} is missing")
    listed = body[name]
    if not isinstance(listed, list):
        refuse(f"body.{name} is not an array")
    for index, entry in enumerate(listed or [None]):
        here = f"body.{name}[{index}]"
        if not isinstance(entry, dict):
            refuse(f"{here} is not a {kind}", f"{here} is not an object")
        for key in needed:
            if key not in entry:
                refuse(f"{here} is not a {kind}", f"{here}.{key} is missing")
        if not isinstance(entry.get("fields", {}), dict):
            refuse(f"{here} is not a {kind}", f"{here}.fields is not an object")
    return listed


def yes(value: Any) -> bool:
    """Whether a query parameter means yes: `noparse=1`, `true`, `yes`, `on`."""
    return str(value or "").lower() in ("1", "true", "yes", "on")

"""API versions by date: which are supported, and which one answers a request (facts §2, §14)."""
from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

NEWEST_KNOWN = "2026-10"  # the schema at hand; every supported version is answered by it


def serving(asked: str, now: datetime) -> str | None:
    """The version that answers: the one asked for, the oldest supported one for older, None for unknown or future."""
    if asked == "unstable":
        return asked
    if not re.fullmatch(r"20\d\d-(01|04|07|10)", asked):
        return None
    supported = _supported(now)
    if asked > supported[-1]:
        return None
    return max(asked, supported[0])


def listed(now: datetime) -> list[dict[str, Any]]:
    """What `publicApiVersions` answers."""
    supported = _supported(now)
    rows = [{"handle": handle, "displayName": handle + (" (Latest)" if handle == supported[-1] else ""),
             "supported": True} for handle in supported]
    return [*rows, {"handle": "unstable", "displayName": "unstable", "supported": False}]


def newest(now: datetime) -> str:
    """The latest version that is supported now."""
    return _supported(now)[-1]


def _supported(now: datetime) -> list[str]:
    """Versions younger than a year (and two weeks), oldest first; never one that the schema cannot answer."""
    found = []
    for year in (now.year - 2, now.year - 1, now.year):
        for month in (1, 4, 7, 10):
            starts = datetime(year, month, 1, 17, tzinfo=UTC)
            handle = f"{year}-{month:02}"
            if starts <= now < starts + timedelta(days=380) and handle <= NEWEST_KNOWN:
                found.append(handle)
    return [handle for handle in found if handle >= "2026-01"] or [NEWEST_KNOWN]

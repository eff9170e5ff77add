"""The settings of one link, as the widget's Settings screen shows them. Kept as JSON in `link.settings`: what is not in
it is as the service says by default."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from backend.store.links import Link
from backend.store.tables import link

NOTICES = ("failed", "stopped", "conflicts", "deletions", "refused")
"""What somebody can be told of."""
HISTORY_DAYS = 90
AUDIT_HOURS = 24.0
SETTLE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Options:
    """`brakes` has the names of sync.yaml: deletions, deletions_share, changed_share."""

    paused: bool = False
    """No timer and no webhook begins a sync; buttons do."""
    quiet: tuple[str, str] | None = None
    """`("22:00", "06:00")` in the shop's time zone: no timer begins a sync then. May go over midnight."""
    realtime: bool = True
    settle_seconds: float = SETTLE_SECONDS
    """How long it is waited after a change for more of them."""
    brakes: dict[str, float] = field(default_factory=dict)
    rest_seconds: float | None = None
    audit_hours: float = AUDIT_HOURS
    history_days: int = HISTORY_DAYS
    mails: tuple[str, ...] = ()
    notices: tuple[str, ...] = NOTICES
    language: str = ""
    letters: bool = True
    sync_log: bool = False
    """Each run adds to a table in the document what it wrote."""
    status_column: bool = False
    """Each mapped table has a column that says why a row waits."""
    grist_calls_a_day: int | None = None
    """How many calls all runs of the link may make to Grist in a day (UTC), for hosted plans count them."""
    first_run: dict[str, Any] | None = None


def of(found: Link) -> Options:
    """The options of a link, defaults filled in."""
    said = found.settings
    quiet, notify = said.get("quiet"), said.get("notify") or {}
    simple = ("paused", "realtime", "settle_seconds", "brakes", "rest_seconds", "audit_hours", "history_days",
              "language", "letters", "sync_log", "status_column", "grist_calls_a_day",
              "first_run")
    return Options(
        **{name: said[name] for name in simple if said.get(name) is not None},
        quiet=(quiet["from"], quiet["to"]) if quiet else None,
        mails=tuple(notify.get("mails", ())),
        notices=tuple(notify.get("on", NOTICES)),
    )


def change(tx: sa.Connection, link_id: int, values: dict[str, Any]) -> None:
    """Set these keys of the JSON; None takes one away. Others stay as they are."""
    held = tx.execute(sa.select(link.c.settings).where(link.c.id == link_id).with_for_update()).scalar_one()
    merged = {name: value for name, value in {**held, **values}.items() if value is not None}
    tx.execute(sa.update(link).where(link.c.id == link_id).values(settings=merged))

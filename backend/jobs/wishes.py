"""What the owners of a link want of its work, as its settings say; what they do not say has a default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backend.jobs.timing import SETTLE_SECONDS, Quiet
from backend.settings import Settings
from backend.store.links import Link

KINDS = ("failed", "stopped", "conflicts", "deletions", "refused")
"""What somebody may want to be told of."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """`paused`: no timer and no webhook begins a sync. `told_of`: kinds of notices; `mails`: who gets them."""

    paused: bool = False
    quiet: Quiet | None = None
    realtime: bool = True
    settle_seconds: float = SETTLE_SECONDS
    history_days: int = 90
    mails: tuple[str, ...] = ()
    told_of: tuple[str, ...] = KINDS


def of(link: Link, settings: Settings) -> Wishes:
    """The wishes of a link; the keys are those of its settings."""
    said: dict[str, Any] = getattr(link, "settings", None) or {}
    quiet, notify = said.get("quiet"), said.get("notify") or {}
    settle = SETTLE_SECONDS if settings.settle_seconds is None else settings.settle_seconds
    return Wishes(
        paused=bool(said.get("paused", False)),
        quiet=Quiet.of(quiet["from"], quiet["to"], link.shop.get("timezone")) if quiet else None,
        realtime=bool(said.get("realtime", True)),
        settle_seconds=float(said.get("settle_seconds", settle)),
        history_days=int(said.get("history_days", 90)),
        mails=tuple(notify.get("mails", ())),
        told_of=tuple(notify.get("on", KINDS)),
    )

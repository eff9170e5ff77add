"""What the owners of a link want of its work, as its settings say; what they do not say has a default."""

from __future__ import annotations

from dataclasses import dataclass

from backend.jobs.timing import Quiet
from backend.settings import Settings
from backend.store import options
from backend.store.links import Link

KINDS = options.NOTICES
"""What somebody may want to be told of."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """`paused`: no timer and no webhook begins a sync. `told_of`: kinds of notices; `mails`: who gets them."""

    paused: bool
    quiet: Quiet | None
    realtime: bool
    settle_seconds: float
    mails: tuple[str, ...]
    told_of: tuple[str, ...]


def of(link: Link, settings: Settings) -> Wishes:
    """The wishes of a link. How long changes settle: as its owners say, else as whoever runs the backend does."""
    said = options.of(link)
    settle = settings.settle_seconds
    if settle is None or "settle_seconds" in link.settings:
        settle = said.settle_seconds
    return Wishes(
        paused=said.paused,
        quiet=Quiet.of(*said.quiet, link.shop.get("timezone")) if said.quiet else None,
        realtime=said.realtime,
        settle_seconds=settle,
        mails=said.mails,
        told_of=said.notices,
    )

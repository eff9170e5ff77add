"""When a link is synced next. Nothing in here asks a clock or a database.

    went well            after the interval
    failed for a while   (a service is away) 15 s, 30 s, 1 min … at most an hour, or the interval where that is longer
    failed until somebody acts  interval × 2, 4, 8 … at most six hours, or the interval where that is longer
    in quiet hours       when they end

A schedule is never off: after any number of failures there is a next try.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FIRST_PAUSE_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 3600.0
LONGEST_REST_SECONDS = 6 * 3600.0
MOST_DOUBLINGS = 12
LONGEST_SETTLE_SECONDS = 5.0
"""However often a link is changed, its hints wait no longer than this."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the day in which no timer begins: minutes since midnight in the shop's zone; may go over midnight."""

    begins: int
    ends: int
    zone: str = "UTC"

    @classmethod
    def of(cls, begins: str, ends: str, zone: str | None) -> Quiet:
        """From `22:00` and `06:00`."""
        return cls(_minutes(begins), _minutes(ends), zone or "UTC")

    def seconds_left(self, at: float) -> float:
        """How long from this moment (seconds since 1970) until they end; 0 outside of them."""
        if self.begins == self.ends:
            return 0.0
        here = datetime.fromtimestamp(at, UTC).astimezone(_zone(self.zone))
        minute = here.hour * 60 + here.minute
        inside = self.begins <= minute < self.ends if self.begins < self.ends else (
            minute >= self.begins or minute < self.ends)
        if not inside:
            return 0.0
        end = here.replace(hour=self.ends // 60, minute=self.ends % 60, second=0, microsecond=0)
        if end <= here:
            end += timedelta(days=1)  # the same wall clock tomorrow, however long the night is
        return end.timestamp() - at


def after_success(interval_seconds: int | None, at: float, quiet: Quiet | None = None) -> float | None:
    """Seconds until the next sync by itself; None where there is no timer."""
    if interval_seconds is None:
        return None
    return interval_seconds + _until_loud(quiet, at + interval_seconds)


def after_failure(
    interval_seconds: int | None,
    failures: int,
    at: float,
    *,
    passes: bool,
    by_itself: bool,
    asked_seconds: float | None = None,
    quiet: Quiet | None = None,
) -> float | None:
    """Seconds until the next try by itself, after `failures` in a row with this one.

    `passes`: what was wrong may pass without a person. `by_itself`: a timer or a webhook began it, so something does
    it again; what a person began on a link without a timer is theirs to begin again. `asked_seconds`: what the
    service asked for.
    """
    if interval_seconds is None and not by_itself:
        return None
    doublings = min(failures - 1, MOST_DOUBLINGS)
    if passes:
        pause: float = max(min(FIRST_PAUSE_SECONDS * 2.0**doublings, max(LONGEST_PAUSE_SECONDS, interval_seconds or 0)),
                           asked_seconds or 0)
    else:
        every = float(interval_seconds or FIRST_PAUSE_SECONDS)
        pause = min(every * 2.0 ** (doublings + 1), max(LONGEST_REST_SECONDS, every))
    return pause + _until_loud(quiet, at + pause)


def settled(oldest_seconds: float, newest_seconds: float, settle_seconds: float) -> float:
    """Seconds until hints have settled, 0 or less once they have; from how old the oldest and the newest are."""
    return min(settle_seconds - newest_seconds, max(LONGEST_SETTLE_SECONDS, settle_seconds) - oldest_seconds)


def _until_loud(quiet: Quiet | None, at: float) -> float:
    return quiet.seconds_left(at) if quiet else 0.0


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes or 0)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")  # a name that this machine does not know: better at odd hours than never

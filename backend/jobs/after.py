"""What follows from how a run ended: when the next one begins, who is told, what is counted.

All of it in the transaction that ends the run: a process that dies right after has lost nothing.
"""

from __future__ import annotations

from backend.errors import Cancelled, RetryLater
from backend.jobs import timing, wishes
from backend.report import Report
from backend.settings import Settings
from backend.store import notices, runs, schedule, tally, waiting
from backend.store.db import Transaction
from backend.store.links import Link
from backend.store.runs import Run

BY_ITSELF = ("Timer", "Webhook")
COMMAND_LINE = "Command line"
"""How runs say that nobody pressed a button."""
PASSING_WAIT_SECONDS = 900.0
"""What may pass by itself is told of only when it has not passed for this long."""
GATHER_SECONDS = 30.0
"""Conflicts come in heaps: one message about them, not one each."""
_COUNTED = {
    "conflicts": ("conflict waits", "conflicts wait", "Open the widget and decide."),
    "deletions": ("deletion waits", "deletions wait", "Open the widget and confirm or keep."),
    "refused": ("row was refused", "rows were refused", "Open the widget; each says why and what to do."),
}
_TOTALS = ("created", "updated", "deleted", "unchanged", "conflicts", "refused")


def record(tx: Transaction, settings: Settings, link: Link, claimed: Run, report: Report,
           error: Exception | None) -> None:
    """Called with the run's end. `error` is what ended it early, if anything did."""
    if claimed.kind == "sync":
        _go_on(tx, settings, link, claimed, report, error)
    # Last: all runs that end write these lines, and each waits for the one before.
    _count(tx, claimed, report)


def _go_on(tx: Transaction, settings: Settings, link: Link, claimed: Run, report: Report,
           error: Exception | None) -> None:
    """When the link's next sync begins, and who is told."""
    want, at = wishes.of(link, settings), runs.clock(tx)
    now = schedule.of(tx, link.id)
    if report.state == "done":
        schedule.went_well(tx, link.id, timing.after_success(now.interval_seconds, at, want.quiet))
        notices.drop(tx, link.id, ["failed", "stopped"])
    elif isinstance(error, Cancelled):
        schedule.set_due(tx, link.id, timing.after_success(now.interval_seconds, at, want.quiet))
    else:
        _failed(tx, settings, link, claimed, report, error, now, at)
    _tell_what_waits(tx, settings, link)


def goes_on(tx: Transaction, link: Link, claimed: Run) -> bool:
    """Whether a run that failed is begun again without a person. The command line knows that better than we do here."""
    by_itself = schedule.of(tx, link.id).interval_seconds is not None or claimed.started_by in BY_ITSELF
    return claimed.started_by == COMMAND_LINE or (claimed.kind == "sync" and by_itself)


def _failed(tx: Transaction, settings: Settings, link: Link, claimed: Run, report: Report, error: Exception | None,
            now: schedule.Schedule, at: float) -> None:
    passes = isinstance(error, RetryLater)
    pause = timing.after_failure(
        now.interval_seconds, now.failures + 1, at, passes=passes, by_itself=claimed.started_by in BY_ITSELF,
        asked_seconds=error.retry_after if isinstance(error, RetryLater) else None,
        quiet=wishes.of(link, settings).quiet)
    schedule.failed(tx, link.id, pause)
    kind = "stopped" if report.state == "stopped" else "failed"
    text = f"{report.message or 'The sync failed.'} {report.cure or ''}".strip()
    wait = PASSING_WAIT_SECONDS if passes else 0.0
    notices.drop(tx, link.id, [{"stopped": "failed", "failed": "stopped"}[kind]])
    notices.raise_(tx, link.id, kind, text, wait)


def _tell_what_waits(tx: Transaction, settings: Settings, link: Link) -> None:
    wait = GATHER_SECONDS if settings.notify_after_seconds is None else settings.notify_after_seconds
    counts, passed = waiting.counts(tx, link.id).values(), []
    for kind, (one, many, cure) in _COUNTED.items():
        number = sum(numbers[kind] for numbers in counts)
        if number:
            notices.raise_(tx, link.id, kind, f"{number:,} {one if number == 1 else many}. {cure}", wait, number)
        else:
            passed.append(kind)
    notices.drop(tx, link.id, passed)


def _count(tx: Transaction, claimed: Run, report: Report) -> None:
    """Sums for /metrics: labels are words of ours, never names of links or things."""
    totals = report.totals
    sums = {("runs", f"{claimed.kind},{report.state}"): 1.0, ("run_seconds", claimed.kind): report.seconds,
            ("points", "shopify"): float(report.points)}
    if claimed.kind == "sync":
        sums |= {("rows", name): float(totals[name]) for name in _TOTALS}
    sums |= {("requests", side): float(number) for side, number in report.requests.items()}
    tally.add(tx, sums)

"""Do one claimed run, whatever happens to it. The same for the command line and the workers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from backend import engine
from backend.actions import Acting, act, calm_actor
from backend.app import NEEDED_SECONDS, Context, shop_facts
from backend.connector import Usage
from backend.errors import (
    AccessError,
    BrakeError,
    Cancelled,
    ConfigError,
    DatabaseAway,
    Interrupted,
    LeaseLost,
    RetryLater,
    SyncError,
    Waits,
    by_hand,
)
from backend.grist.connector import GristConnector
from backend.jobs import after, subscribe
from backend.jobs.look import answers, look
from backend.jobs.telling import tell
from backend.report import Report
from backend.session import UndoWanted
from backend.store import links, runs
from backend.store.db import Transaction
from backend.store.links import Link
from backend.store.runs import LEASE_SECONDS, Run

log = logging.getLogger(__name__)

Progress = dict[str, Any]

AWAY_SECONDS = 0.5
"""Between two looks whether a database that went away is back."""


@dataclass
class Outcome:
    """How a run ended: its report, and the error that ended it early, if one did."""

    report: Report
    error: Exception | None = None


def perform(
    context: Context,
    claimed: Run,
    owner: str,
    *,
    stop: threading.Event | None = None,
    watch: Callable[[Progress], None] = lambda progress: None,
    hand_over: bool = False,
) -> Outcome:
    """Do `claimed` to its end and record how it ended. Never raises for what can go wrong in a run.

    `stop` ends it after the batch in hand: as cancelled, or, with `hand_over`, left for the next worker to take at
    once; so is a run whose database went away. `watch` is shown the progress.
    """
    with structlog.contextvars.bound_contextvars(run=claimed.id, link=claimed.link_id, mapping=""):
        return _perform(context, claimed, owner, stop, watch, hand_over)


def _perform(context: Context, claimed: Run, owner: str, stop: threading.Event | None,
             watch: Callable[[Progress], None], hand_over: bool) -> Outcome:
    pulse = _Pulse(context, claimed, owner, stop or threading.Event(), watch)
    try:
        with pulse:
            outcome = Outcome(_run(context, claimed, pulse))
    except SyncError as error:
        outcome = Outcome(error.report or Report(), error)
        outcome.report.state = _state(error)
        outcome.report.message, outcome.report.cure = error.message, error.cure or None
        outcome.report.code = f"brake_{error.brake}" if isinstance(error, BrakeError) else error.code
    except Exception as error:
        log.exception("run %s failed by a mistake of ours", claimed.id)
        outcome = Outcome(getattr(error, "report", None) or Report(), error)
        outcome.report.state = "failed"
        outcome.report.message = "The sync stopped at a mistake of its own. What was written until then is in Changes."
        outcome.report.cure = f"Please report it, with the log of run {claimed.id}."
    report = outcome.report
    if hand_over and isinstance(outcome.error, Interrupted | DatabaseAway):
        _patiently(lambda: _give_back(context, claimed, owner))
        log.info("run %s is left for the next worker", claimed.id)
        return outcome
    if isinstance(outcome.error, Waits):
        waits = outcome.error
        _patiently(lambda: _wait(context, claimed, owner, report, waits))
        log.info("run %s waits until somebody opens the widget", claimed.id)
        return outcome
    if not _patiently(lambda: _finish(context, claimed, owner, outcome)):
        log.warning("run %s was taken over by another worker before it ended", claimed.id)
    totals = report.totals
    log.info("run %s %s: %d created, %d updated, %d conflicts, %d refused", claimed.id, report.state,
             totals["created"], totals["updated"], totals["conflicts"], totals["refused"])
    return outcome


def _give_back(context: Context, claimed: Run, owner: str) -> bool:
    with context.database.write() as tx:
        runs.give_back(tx, claimed, owner)
    return True


def _wait(context: Context, claimed: Run, owner: str, report: Report, why: Waits) -> bool:
    with context.database.write() as tx:
        runs.wait(tx, claimed, owner, report.as_json(), why.message, why.cure)
    return True


def _finish(context: Context, claimed: Run, owner: str, outcome: Outcome) -> bool:
    """Keep how the run ended and what follows from it. False where it was another's by then."""
    report = outcome.report
    with context.database.write() as tx:
        link = links.get(tx, claimed.link_id)
        state = "done" if report.state in ("preview", "look") else report.state
        if link is not None and isinstance(outcome.error, RetryLater) and not after.goes_on(tx, link, claimed):
            report.cure = by_hand(report.cure)
        mine = runs.finish(tx, claimed, owner, state, report.as_json(), report.message, report.cure)
        if mine and link is not None:
            after.record(tx, context.settings, link, claimed, report, outcome.error)
    return mine


def _patiently(keep: Callable[[], bool]) -> bool:
    """Try until the database takes it, for as long as the lease could last; then somebody else has the run."""
    deadline = time.monotonic() + LEASE_SECONDS
    while True:
        try:
            return keep()
        except DatabaseAway:
            if time.monotonic() > deadline:
                log.warning("the end of a run could not be kept: the database stayed away", exc_info=True)
                return False
            time.sleep(AWAY_SECONDS)


def _run(context: Context, claimed: Run, pulse: _Pulse) -> Report:
    with context.database.read() as tx:
        link = links.get(tx, claimed.link_id)
    assert link is not None
    if claimed.kind == "action":
        return _act(context, claimed, link, pulse)
    wanted = claimed.wanted
    if claimed.kind == "look":
        return look(context, link, wanted)
    session = context.session(
        link, claimed.id, fields=wanted.get("fields", ()), go_on=wanted.get("go_on", False),
        everything=wanted.get("everything", False), only_plan=wanted.get("plan", ""), beat=pulse.beat,
        fence=pulse.fence, draft=wanted.get("mappings"), decided=answers(wanted),
    )
    if isinstance(session.local, GristConnector) and session.local.persons:
        pulse.lean_on(link, session.local)
    shopify: Any = session.remote  # it can more than the engine asks of it: act, and tell of the shop
    undo = UndoWanted(tuple(wanted.get("changes", ())), tuple(wanted.get("runs", ())))
    try:
        if claimed.kind in ("preview", "draft"):
            return engine.preview_undo(session, undo) if undo.changes or undo.runs else engine.preview(session)
        subscribe.ensure(context, link, session)
        # First, so that what they change is seen by this very sync.
        acted = act(Acting(context.database, link.id, claimed.id,
                           lambda: calm_actor(context.database, link.id, shopify), session.write, pulse.beat))
        report = engine.undo(session, undo) if undo.changes or undo.runs else engine.sync(session)
        report.actions = acted
        subscribe.ensure_grist(context, link, session)
        tell(session, link, report)
    except AccessError as error:
        raise pulse.of_ended_access(error) from error
    if (facts := shop_facts(shopify.shop)) != link.shop:
        with context.database.write() as tx:
            links.set_shop(tx, link.id, facts)
    return report


def _act(context: Context, claimed: Run, link: Link, pulse: _Pulse) -> Report:
    """Do what is wanted with orders and drafts; a sync that brings the new state to Grist is queued behind it."""
    @contextmanager
    def write() -> Iterator[Transaction]:
        with context.database.write() as tx:
            pulse.fence(tx)
            yield tx

    if link.disconnected_at is not None:
        raise ConfigError(f"This document was disconnected from {link.store}.",
                          cure="Connect the store again in the widget.")
    report = Report()
    remote = context.shopify(link, shared=True)
    report.actions = act(Acting(context.database, link.id, claimed.id,
                                lambda: calm_actor(context.database, link.id, remote), write, pulse.beat))
    report.used(Usage(), remote.usage)
    if report.actions.get("done"):
        with context.database.write() as tx:
            runs.request(tx, link.id, "sync", claimed.started_by)
    return report


def _state(error: SyncError) -> str:
    if isinstance(error, BrakeError):
        return "stopped"
    return "cancelled" if isinstance(error, Cancelled) else "failed"


class _Pulse:
    """Renews the lease while a run goes on, also through a long read, and tells the run when to end."""

    EVERY_SECONDS = LEASE_SECONDS / 9
    TOLD_SECONDS = 0.5
    """How long what it says of its progress may wait: a short run waits for the disk no more often than it must."""

    def __init__(self, context: Context, claimed: Run, owner: str, stop: threading.Event,
                 watch: Callable[[Progress], None]) -> None:
        self._context, self._claimed, self._owner = context, claimed, owner
        self._stop, self._watch = stop, watch
        self._progress: Progress = {}
        self._told: Progress | None = None
        self._told_at = -float("inf")
        self._ended = threading.Event()
        self._leaning: tuple[Link, GristConnector] | None = None
        self._access_until = float("inf")
        self._thread = threading.Thread(target=self._go, name="pulse", daemon=True)

    def __enter__(self) -> _Pulse:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def lean_on(self, link: Link, local: GristConnector) -> None:
        """The run works with a person's access to the document, which ends and may be renewed meanwhile."""
        self._leaning = link, local
        self._access_until = self._context.persons_access(link).expires_at

    def of_ended_access(self, error: AccessError) -> AccessError | Waits:
        """Grist turned us away: because the person's access has ended meanwhile, or for another reason."""
        if time.time() < self._access_until:
            return error
        waits = Waits("This sync works with the access of whoever has the widget open, and that has ended.",
                      cure="Open the widget and it goes on, or add a key for background work in Settings.")
        waits.report = error.report
        return waits

    def beat(self, progress: Progress) -> None:
        """Called by the engine before each step. Raises Cancelled, LeaseLost or Waits."""
        self._progress = progress
        if progress.get("thing"):
            structlog.contextvars.bind_contextvars(mapping=progress["thing"])
        self._watch(progress)
        cancelling = self._renew() if time.monotonic() - self._told_at > self.TOLD_SECONDS else self._look()
        if cancelling is None:
            raise LeaseLost("Another worker has taken this sync over.", cure="Nothing to do: it goes on there.")
        if cancelling:
            raise Cancelled("The sync was cancelled. What was written until then stays.",
                            cure="Sync again to go on from there.")
        if self._stop.is_set():
            raise Interrupted("The sync was stopped after the batch in hand. What was written until then stays.",
                              cure="The next sync goes on from there.")
        if self._leaning and self._access_until - time.time() < NEEDED_SECONDS:
            link, local = self._leaning
            access = self._context.persons_access(link)
            local.renew(access.token)
            self._access_until = access.expires_at

    def fence(self, tx: Transaction) -> None:
        """Called by the engine first in every transaction that writes. Raises LeaseLost."""
        if not runs.hold(tx, self._claimed, self._owner):
            raise LeaseLost("Another worker has taken this sync over.", cure="Nothing to do: it goes on there.")

    def _renew(self) -> bool | None:
        self._told, self._told_at = self._progress, time.monotonic()
        with self._context.database.write(lasting=False) as tx:
            return runs.alive(tx, self._claimed, self._owner, self._told)

    def _look(self) -> bool | None:
        """The same answer without saying anything."""
        with self._context.database.read() as tx:
            return runs.is_cancelling(tx, self._claimed, self._owner)

    def _go(self) -> None:
        while not self._ended.wait(self.TOLD_SECONDS):
            if self._told is self._progress and time.monotonic() - self._told_at < self.EVERY_SECONDS:
                continue
            try:
                self._renew()
            except Exception:
                # The next beat of the run meets the same trouble and ends it; a thread that died here would not.
                log.warning("run %s could not tell the database that it is still at work", self._claimed.id,
                            exc_info=True)


def is_temporary(outcome: Outcome) -> bool:
    """Whether trying again by itself makes sense."""
    return isinstance(outcome.error, RetryLater)

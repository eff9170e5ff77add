"""What the command line does: one sync, or one after the other until stopped.

Reports go to standard output (one JSON object a run with --json), everything else to standard error.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from backend.app import Context, read_config
from backend.cli import BRAKED, DONE, FAILED, WAITS, WRONG_USAGE
from backend.config import Config, narrowed
from backend.errors import AccessError, BrakeError, ConfigError, RetryLater, SyncError, by_hand
from backend.init import write_config
from backend.jobs import keeping, owners
from backend.jobs.perform import Outcome, perform
from backend.jobs.rehearse import rehearse
from backend.logs import set_up
from backend.report import Report
from backend.settings import Settings, parse_interval
from backend.store import runs
from backend.store.links import Link
from backend.store.runs import Run

FREE_CALLS_A_DAY = 5_000
"""Hosted Grist's free plan [Grist help, limits]."""
DAY_SECONDS = 86_400
DEFAULT_SECONDS = 900


@dataclass(frozen=True)
class Wanted:
    """The options as they were typed."""

    mode: str
    interval: str | None
    fields: str | None
    config: Path | None
    dry_run: bool
    go_on: bool
    everything: bool
    as_json: bool
    init: bool
    check: bool


def follow(wanted: Wanted) -> int:
    """Do it; the exit code."""
    file = wanted.config or Path("sync.yaml")
    try:
        set_up(os.environ.get("LOG_LEVEL", "WARNING"))
        if wanted.interval is not None and wanted.mode != "continuous":
            raise ConfigError("--interval goes with --mode=continuous.", cure="Add it, or leave --interval out.")
        seconds = parse_interval(wanted.interval) if wanted.interval is not None else None
        chosen = _names(wanted.fields)
        settings = Settings.from_environment()
        if wanted.init:
            return _init(settings, file)
        file = wanted.config or Path(settings.config_file or file)
        config = read_config(settings, wanted.config)
        if wanted.check:
            return _check(settings, config, chosen, file)
        context = Context.open(settings, config)
        context.check_credentials()
        face: _Face
        if wanted.dry_run:
            face = _Rehearsal(context, config, chosen, wanted.everything, wanted.as_json)
        else:
            link = context.ensure_link(config)
            # A field that nobody knows, or a token that can be none, ends it here.
            narrowed(context.mappings(link), chosen)
            context.shopify(link.store)
            face = _Sync(context, link, {"fields": chosen, "go_on": wanted.go_on, "everything": wanted.everything},
                         wanted.as_json)
        seconds = seconds or (config and config.interval_seconds) or settings.interval_seconds or DEFAULT_SECONDS
        return face.once() if wanted.mode == "once" else face.continuously(seconds)
    except SyncError as error:
        _say(f"{_place(error, file)}{error}")
        return FAILED if isinstance(error, RetryLater | AccessError) else WRONG_USAGE


class _Face:
    """Runs, one or one after the other, shown on a terminal or as JSON."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop.set())

    def run(self, watch: Callable[[dict[str, Any]], None]) -> Outcome:
        raise NotImplementedError

    def wait_for_turn(self) -> bool:
        """False where it was stopped meanwhile."""
        return True

    def once(self) -> int:
        outcome = self._shown(again=False)
        return FAILED if outcome is None else _code(outcome)

    def continuously(self, seconds: int) -> int:
        warned = False
        for number in itertools.count():
            outcome = self._shown()
            if outcome is not None and not warned:
                # The first run makes tables and fills them, which says nothing about those that follow.
                warned = (number > 0 or not outcome.report.totals["created"]) and _warn_of_quota(outcome, seconds)
            if self.stop.wait(seconds):
                _say("Stopped. Nothing is half done.")
                return DONE
        raise AssertionError("unreachable")

    def _shown(self, *, again: bool = True) -> Outcome | None:
        """One run, shown. None where it was stopped before it began. `again`: one that fails is tried again here."""
        if not self.wait_for_turn():
            return None
        with _bar(self.as_json) as watch:
            outcome = self.run(watch)
        report = outcome.report
        if isinstance(outcome.error, RetryLater) and not again:
            outcome.error.cure = report.cure = by_hand(outcome.error.cure) or ""
        if self.as_json:
            click.echo(json.dumps(report.as_json(), ensure_ascii=False))
        else:
            _show_report(report)
        if outcome.error is not None:
            _say(str(outcome.error) if isinstance(outcome.error, SyncError) else f"{report.message} {report.cure}")
        elif report.message:  # a dry run at which a brake would be pulled
            _say(f"{report.message} {report.cure or ''}".strip())
        return outcome


class _Sync(_Face):
    """Syncs of one link, each begun when no other process is at work on it."""

    def __init__(self, context: Context, link: Link, wanted: dict[str, Any], as_json: bool) -> None:
        super().__init__(as_json)
        self.context, self.link, self.wanted = context, link, wanted
        self.owner = owners.new_owner()
        self.claimed: Run | None = None

    def wait_for_turn(self) -> bool:
        said = False
        while not self._begin():
            if not said:
                _say("Another sync of this document is running; waiting for it to end. One that was killed on another "
                     f"machine is taken for running for {runs.LEASE_SECONDS:.0f} seconds more.")
                said = True
            if self.stop.wait(0.5):
                _say("Stopped before the sync began.")
                return False
        return True

    def _begin(self) -> bool:
        owners.bury(self.context.database)
        with self.context.database.write() as tx:
            self.claimed = runs.begin(tx, self.link.id, "sync", "Command line", self.wanted, self.owner)
        if self.claimed is not None:
            # Somebody has looked at what stopped the last sync, not at what may stop a later one; and what one sync
            # has read, the next need not read again.
            self.wanted = self.wanted | {"go_on": False, "everything": False}
        return self.claimed is not None

    def run(self, watch: Callable[[dict[str, Any]], None]) -> Outcome:
        assert self.claimed is not None
        outcome = perform(self.context, self.claimed, self.owner, stop=self.stop, watch=watch)
        if outcome.error is None:
            keeping.forget_old(self.context, self.link)
        return outcome


class _Rehearsal(_Face):
    """Dry runs. They take nobody's turn, for they leave no trace."""

    def __init__(self, context: Context, config: Config | None, fields: list[str], everything: bool, as_json: bool
                 ) -> None:
        super().__init__(as_json)
        self.context, self.config, self.fields, self.everything = context, config, fields, everything

    def run(self, watch: Callable[[dict[str, Any]], None]) -> Outcome:
        return rehearse(self.context, self.config, self.fields, everything=self.everything, stop=self.stop, watch=watch)


def _names(fields: str | None) -> list[str]:
    if fields is None:
        return []
    names = [name.strip() for name in fields.split(",") if name.strip()]
    if not names:
        # An empty variable of a script must not turn "only these" into "everything".
        raise ConfigError("--fields names no field.", cure="Name some, as in inventory,price, or leave it out for all.")
    return names


def _warn_of_quota(outcome: Outcome, seconds: int) -> bool:
    calls = outcome.report.requests.get("grist", 0) * DAY_SECONDS // seconds
    if calls > FREE_CALLS_A_DAY:
        _say(
            f"At this interval the document gets about {calls:,} calls a day; hosted Grist's free plan allows "
            f"{FREE_CALLS_A_DAY:,}. Choose a longer --interval, unless your plan or your own server allows more."
        )
    return True


def _code(outcome: Outcome) -> int:
    if isinstance(outcome.error, BrakeError):
        return BRAKED
    if isinstance(outcome.error, ConfigError):
        return WRONG_USAGE
    if outcome.error is not None:
        return FAILED
    return WAITS if outcome.report.waits_for_somebody else DONE


def _init(settings: Settings, target: Path) -> int:
    write_config(settings, target)
    _say(f"Wrote {target}. Look it over, then sync with --dry-run first.")
    return DONE


def _check(settings: Settings, config: Config | None, fields: list[str], file: Path) -> int:
    """What can be checked without asking anybody and without a trace."""
    Context.untouched(settings).check(config, fields)
    _say(f"{file} and the settings are in order." if config
         else f"The settings are in order. There is no {file}; --init writes one.")
    return DONE


def _show_report(report: Report) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if report.plan:
        for line in report.plan:
            arrow = "→ Shopify" if line["side"] == "shopify" else "← Grist"
            what = {"create": "create", "delete": "delete"}.get(line["kind"], line["field_label"])
            values = f": {_text(line['before'])} → {_text(line['after'])}" if line["kind"] == "update" else ""
            title = line["title"] or line["row"] or ""
            console.print(f"{arrow}  {line['label']}  {title}  {what}{values}", markup=False)
        if report.plan_total and report.plan_total > len(report.plan):
            console.print(f"… and {report.plan_total - len(report.plan):,} more")
    table = Table(box=None, pad_edge=False)
    for name in ("Table", "Rows", "Created", "Updated", "Unchanged", "Conflicts", "Refused", "Deletions to confirm"):
        table.add_column(name, justify="left" if name == "Table" else "right")
    for one in report.mappings:
        counts = (one.rows, one.created, one.updated, one.unchanged, one.conflicts, one.refused, one.proposed_deletions)
        table.add_row(one.table, *(f"{count:,}" for count in counts))
    console.print(table)
    for one in report.mappings:
        if one.paused:
            console.print(f"{one.label} paused: {one.paused}", markup=False)
        if one.deleted:
            console.print(f"{one.label}: {one.deleted:,} deleted", markup=False)
        if one.waiting:
            console.print(f"{one.label}: {one.waiting:,} new rows wait; they rest, or lack something", markup=False)
    for note in dict.fromkeys(report.notes):
        console.print(note, markup=False)
    if report.way:
        console.print(report.way, markup=False)
    requests = sum(report.requests.values())
    ending = "Nothing has been written. " if report.state == "preview" else ""
    console.print(f"{ending}{requests:,} requests, {report.points:,.0f} Shopify points, {report.seconds:.1f} s")


def _text(value: Any) -> str:
    if value is None or value == []:
        return "empty"
    if isinstance(value, dict):
        return "not read" if "unread" in value else str(value.get("unfit", value.get("row")))
    return ", ".join(value) if isinstance(value, list) else str(value)


PHASES = {
    "preparing": "Looking at both sides", "reading_grist": "Reading Grist", "reading_shopify": "Reading Shopify",
    "comparing": "Comparing", "writing": "Writing", "checking": "Checking",
}


@contextmanager
def _bar(as_json: bool) -> Iterator[Any]:
    """A progress bar on a terminal; nothing elsewhere."""
    if as_json or not sys.stderr.isatty():
        yield lambda progress: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def watch(progress: dict[str, Any]) -> None:
            what = f"{PHASES[progress['phase']]} {progress['thing']}".strip()
            bar.update(task, description=what, completed=progress["done"], total=progress["total"], refresh=True)

        yield watch


def _place(error: SyncError, file: Path) -> str:
    return f"{file}, " if isinstance(error, ConfigError) and error.line is not None else ""


def _say(text: str) -> None:
    click.echo(text, err=True)

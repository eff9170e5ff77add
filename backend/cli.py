"""The command line: one sync, or one after the other until stopped.

Reports go to standard output (one JSON object a run with --json), everything else to standard error.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from backend import __version__
from backend.app import Context, read_config
from backend.errors import BrakeError, ConfigError, SyncError
from backend.init import write_config
from backend.jobs.perform import Outcome, perform
from backend.logs import set_up
from backend.report import Report
from backend.settings import Settings, parse_interval
from backend.store import runs
from backend.store.links import Link

DONE, FAILED, WRONG_USAGE, WAITS, BRAKED = 0, 1, 2, 3, 4
FREE_CALLS_A_DAY = 5_000
"""Hosted Grist's free plan [Grist help, limits]."""
DAY_SECONDS = 86_400

EPILOG = """\b
Examples
  python shopify_grist_sync.py                              one sync
  python shopify_grist_sync.py --dry-run                    what it would do
  python shopify_grist_sync.py --mode=continuous --interval=15
  python shopify_grist_sync.py --fields=inventory,price
  python shopify_grist_sync.py --init                       write sync.yaml

\b
Exit codes
  0  done
  1  failed; the message says why
  2  wrong usage, settings or sync.yaml
  3  done, and conflicts, deletions or refused rows wait for you
  4  stopped by a brake before anything was written
"""


@click.command(epilog=EPILOG, context_settings={"max_content_width": 100})
@click.option("--mode", type=click.Choice(["once", "continuous"]), default="once", show_default=True)
@click.option("--interval", help="With continuous: minutes between syncs; 20s, 15m, 1h too.  [default: 15]")
@click.option("--fields", help="Only these fields or groups, with commas: inventory, price, sku, metadata, title …")
@click.option("--config", "config_path", type=click.Path(path_type=Path, dir_okay=False),
              help="The configuration file.  [default: sync.yaml]")
@click.option("--dry-run", is_flag=True, help="Say what a sync would write. Writes nothing.")
@click.option("--go-on", is_flag=True, help="Sync although a brake stopped the last one: you have looked.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a run, on standard output.")
@click.option("--init", is_flag=True, help="Write a sync.yaml from what store and document have.")
@click.option("--check", is_flag=True, help="Check settings and sync.yaml, and do nothing.")
@click.version_option(__version__)
def main(
    mode: str, interval: str | None, fields: str | None, config_path: Path | None, dry_run: bool, go_on: bool,
    as_json: bool, init: bool, check: bool,
) -> None:
    """Keep a Shopify store and a Grist document in agreement, both ways."""
    set_up(os.environ.get("LOG_LEVEL", "WARNING").upper())
    try:
        if interval and mode != "continuous":
            raise ConfigError("--interval goes with --mode=continuous.", cure="Add it, or leave --interval out.")
        seconds = parse_interval(interval or "15")
        settings = Settings.from_environment()
        if init:
            raise SystemExit(_init(settings, config_path))
        config = read_config(settings, config_path)
        if check:
            _say(f"{config_path or 'sync.yaml'} is in order." if config else "The settings are in order.")
            raise SystemExit(DONE)
        context = Context.open(settings, config)
        context.check_credentials()
        link = context.ensure_link(config)
        wanted = {"fields": [name.strip() for name in (fields or "").split(",") if name.strip()], "go_on": go_on}
        context.mappings(link, wanted["fields"])  # a field that nobody knows ends it here
    except SyncError as error:
        _say(f"{_file_of(error, config_path)}{error}")
        raise SystemExit(WRONG_USAGE) from error
    face = _Face(context, link, wanted, "preview" if dry_run else "sync", as_json)
    raise SystemExit(face.once() if mode == "once" else face.continuously(seconds))


class _Face:
    """Runs of one link, shown on a terminal or as JSON."""

    def __init__(self, context: Context, link: Link, wanted: dict[str, Any], kind: str, as_json: bool) -> None:
        self.context, self.link, self.wanted, self.kind, self.as_json = context, link, wanted, kind, as_json
        self.owner = f"cli:{os.getpid()}"
        self.stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop.set())

    def once(self) -> int:
        outcome = self._run()
        return FAILED if outcome is None else _code(outcome)

    def continuously(self, seconds: int) -> int:
        warned = False
        while True:
            outcome = self._run()
            if outcome is not None and not warned:
                warned = self._warn_of_quota(outcome.report, seconds)
            if self.stop.wait(seconds):
                _say("Stopped after the batch in hand. Nothing is half done.")
                return DONE

    def _run(self) -> Outcome | None:
        """One run, waiting for another one of the same link to end first. None where it could not begin."""
        with self.context.database.write() as tx:
            run_id = runs.request(tx, self.link.id, self.kind, "Command line", self.wanted)
        said = False
        while True:
            with self.context.database.write() as tx:
                claimed = runs.claim(tx, self.owner, run_id=run_id)
            if claimed is not None:
                break
            if not said:
                _say("Another sync of this document is running; waiting for it to end.")
                said = True
            if self.stop.wait(0.5):
                return None
            with self.context.database.read() as tx:
                asked = runs.get(tx, run_id)
            if asked is None or asked.state not in ("queued", "running"):
                _say("The sync was done by another process.")
                return None
        with _bar(self.as_json) as watch:
            outcome = perform(self.context, claimed, self.owner, stop=self.stop, watch=watch)
        self._show(outcome)
        return outcome

    def _show(self, outcome: Outcome) -> None:
        report = outcome.report
        if self.as_json:
            click.echo(json.dumps(report.as_json(), ensure_ascii=False))
        else:
            _show_report(report)
        if outcome.error is not None:
            _say(str(outcome.error) if isinstance(outcome.error, SyncError) else f"{report.message} {report.cure}")

    def _warn_of_quota(self, report: Report, seconds: int) -> bool:
        calls = report.requests.get("grist", 0) * DAY_SECONDS // seconds
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


def _init(settings: Settings, path: Path | None) -> int:
    target = path or Path("sync.yaml")
    write_config(Context.open(settings), target)
    _say(f"Wrote {target}. Look it over, then sync with --dry-run first.")
    return DONE


def _show_report(report: Report) -> None:
    console = Console(highlight=False)
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
    for note in dict.fromkeys(report.notes):
        console.print(note, markup=False)
    requests = sum(report.requests.values())
    ending = "Nothing has been written. " if report.state == "preview" else ""
    console.print(f"{ending}{requests:,} requests, {report.points:,.0f} Shopify points, {report.seconds:.1f} s")


def _text(value: Any) -> str:
    if value is None or value == []:
        return "empty"
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
            bar.update(task, description=what, completed=progress["done"], total=progress["total"])

        yield watch


def _file_of(error: SyncError, path: Path | None) -> str:
    return f"{path or 'sync.yaml'}, " if isinstance(error, ConfigError) and error.line is not None else ""


def _say(text: str) -> None:
    click.echo(text, err=True)

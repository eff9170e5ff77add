"""The command line: its options and its words.

What they do is in `commands.py`. It is loaded when there is something to do: help, the version and what a shell
completes come at once.
"""

from __future__ import annotations

from pathlib import Path

import click

from backend import __version__

DONE, FAILED, WRONG_USAGE, WAITS, BRAKED = 0, 1, 2, 3, 4

EPILOG = """\b
Examples
  python shopify_grist_sync.py                              one sync
  python shopify_grist_sync.py --dry-run                    what it would do
  python shopify_grist_sync.py --mode=continuous --interval=15
  python shopify_grist_sync.py --fields=inventory,price
  python shopify_grist_sync.py --everything                 read all of it, not only what changed
  python shopify_grist_sync.py --init                       write sync.yaml
  python shopify_grist_sync.py --check                      is it right? Nobody is asked, nothing is done
  python shopify_grist_sync.py --json >> syncs.jsonl        for other programs

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
@click.option("--interval", help="With continuous: minutes between syncs; 20s, 15m, 1h too.  "
                                 "[default: interval of sync.yaml, else 15]")
@click.option("--fields", help="Only these fields or groups, with commas: inventory, price, sku, metadata, title …")
@click.option("--config", "config_path", type=click.Path(path_type=Path, dir_okay=False),
              help="The configuration file.  [default: sync.yaml]")
@click.option("--dry-run", is_flag=True, help="Say what a sync would write. Writes nothing.")
@click.option("--go-on", is_flag=True, help="Sync although a brake stopped the last one: you have looked.")
@click.option("--everything", is_flag=True, help="Read everything, not only what changed. Of several syncs, the first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a run, on standard output.")
@click.option("--init", is_flag=True, help="Write a sync.yaml from what store and document have.")
@click.option("--check", is_flag=True, help="Check settings and sync.yaml, and do nothing.")
@click.version_option(__version__)
def main(
    mode: str, interval: str | None, fields: str | None, config_path: Path | None, dry_run: bool, go_on: bool,
    everything: bool, as_json: bool, init: bool, check: bool,
) -> None:
    """Keep a Shopify store and a Grist document in agreement, both ways."""
    from backend import commands

    raise SystemExit(commands.follow(commands.Wanted(
        mode, interval, fields, config_path, dry_run=dry_run, go_on=go_on, everything=everything, as_json=as_json,
        init=init, check=check)))

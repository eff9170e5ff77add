"""The process that does the runs: `python -m backend.jobs.worker`.

It takes what is queued, and what a timer makes due, one run at a time. A line on its standard input wakes it at
once; the end of its standard input means that its parent is gone, and it ends after the batch in hand, as it does
on SIGTERM. Standing alone (a `worker` process of a host) it simply looks every second.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import uuid

import click

from backend.app import Context, read_config
from backend.errors import SyncError
from backend.jobs.perform import perform
from backend.logs import set_up
from backend.settings import Settings
from backend.store import runs

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
STDIN = 0


class Worker:
    """Claims and performs runs until it is told to stop."""

    def __init__(self, context: Context, *, owner: str | None = None) -> None:
        self.context = context
        self.owner = owner or f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.stopping = threading.Event()
        self.wake = threading.Event()

    def go(self) -> None:
        while not self.stopping.is_set():
            if not self.step():
                self.wake.wait(LOOK_SECONDS)
                self.wake.clear()

    def step(self) -> bool:
        """Do one run, if there is one to do."""
        with self.context.database.write() as tx:
            for link_id in runs.due(tx):
                runs.request(tx, link_id, "sync", "Timer")
            claimed = runs.claim(tx, self.owner)
        if claimed is None:
            return False
        log.info("run %s (%s) begins, started by %s", claimed.id, claimed.kind, claimed.started_by)
        perform(self.context, claimed, self.owner, stop=self.stopping, hand_over=True)
        return True

    def stop(self) -> None:
        self.stopping.set()
        self.wake.set()


def listen(worker: Worker) -> None:
    """Wake at each line from the parent; stop when the parent is gone."""
    # Not through sys.stdin: a thread that waits in there keeps its lock, and Python dies of that when it ends.
    while os.read(STDIN, 1024):
        worker.wake.set()
    log.info("the parent is gone")
    worker.stop()


@click.command()
@click.option("--child", is_flag=True, help="Started by a web process, which talks to it over standard input.")
def main(child: bool) -> None:
    """Do queued and timed syncs until stopped."""
    try:
        set_up()
        settings = Settings.from_environment()
        worker = Worker(Context.open(settings, read_config(settings)))
    except SyncError as error:
        log.error("%s", error)
        raise SystemExit(2) from error
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    if child:
        threading.Thread(target=listen, args=(worker,), daemon=True, name="parent").start()
    worker.go()


if __name__ == "__main__":
    main()

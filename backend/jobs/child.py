"""The process that does the runs. A supervisor keeps it: of the web process, or of a `worker` (worker.py).

    supervisor ──(starts, wakes, starts again)──→ child: look → claim → perform … several links at once

It takes what is queued, what a timer makes due and what webhooks have hinted at. The database wakes it (a NOTIFY of
Postgres, a changed SQLite file), and so does a line on its standard input. The end of its standard input means that its
parent is gone: it ends after the batches in hand and gives their runs back, as it does on SIGTERM.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from backend.app import Context, read_config
from backend.errors import DatabaseAway, SyncError
from backend.jobs import customers, keeping, notify, owners, timing, wishes
from backend.jobs.perform import perform
from backend.jobs.supervisor import WRONG_SETTINGS
from backend.logs import set_up
from backend.settings import Settings
from backend.store import deliveries, links, retention, runs, schedule, wake, workers
from backend.store.links import Link
from backend.store.runs import Run

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often it looks though nobody woke it."""
SEEN_SECONDS = 10.0
TIDY_SECONDS = 600.0
FORGET_SECONDS = 3600.0
AWAY_SECONDS = 1.0
GOODBYE_SECONDS = 5.0
STDIN = 0


class Worker:
    """Claims and performs runs until it is told to stop; `at_once` links at a time."""

    def __init__(self, context: Context, *, owner: str | None = None, at_once: int | None = None) -> None:
        self.context = context
        self.owner = owner or owners.new_owner()
        self.at_once = at_once or context.settings.at_once
        self.stopping = threading.Event()
        self.wake = threading.Event()
        self._running = 0
        self._lock = threading.Lock()
        self._seen_at = self._tidied_at = self._forgot_at = -float("inf")

    # --- many at a time ---------------------------------------------------------------------------

    def go(self) -> None:
        """Until `stop`. What the database does meanwhile (restart, go away) only makes it wait."""
        beside = [
            threading.Thread(target=wake.listen, args=(self.context.database, self.wake.set, self.stopping),
                             daemon=True, name="listener"),
            threading.Thread(target=self._keep_house, daemon=True, name="house"),
        ]
        for thread in beside:
            thread.start()
        with ThreadPoolExecutor(self.at_once, thread_name_prefix="run") as pool:
            while not self.stopping.is_set():
                try:
                    pause = self._go_once(pool)
                except DatabaseAway as error:
                    log.warning("%s", error)
                    pause = AWAY_SECONDS
                if pause > 0:
                    self.wake.wait(pause)
                    self.wake.clear()
        for thread in beside:
            thread.join(GOODBYE_SECONDS)
        self._say_goodbye()

    def _keep_house(self) -> None:
        """The chores, beside the runs: a mail server that is slow holds up no sync."""
        while not self.stopping.is_set():
            try:
                self.chores()
            except DatabaseAway as error:
                log.info("%s", error)
            except Exception:
                log.exception("the worker's chores failed by a mistake of ours")
            self.stopping.wait(LOOK_SECONDS)

    def _go_once(self, pool: ThreadPoolExecutor) -> float:
        """Look, unless there is no room for more, and begin what there is room for. How long to wait then."""
        room = self.at_once - self._running
        pause = self.look(room) if room > 0 else LOOK_SECONDS
        while self._running < self.at_once and not self.stopping.is_set():
            claimed = self._claim()
            if claimed is None:
                break
            with self._lock:
                self._running += 1
            pool.submit(self._perform, claimed)
        return pause

    def _perform(self, claimed: Run) -> None:
        try:
            self._do(claimed)
        except Exception:
            log.exception("run %s ended by a mistake of ours", claimed.id)
        finally:
            with self._lock:
                self._running -= 1
            self.wake.set()

    # --- one at a time ----------------------------------------------------------------------------

    def step(self) -> bool:
        """Do one run, if there is one to do."""
        self.look(1)
        claimed = self._claim()
        if claimed is None:
            return False
        self._do(claimed)
        return True

    def look(self, room: int) -> float:
        """Queue what is due, and free the runs of processes that are dead. How long until something else is due, at
        most LOOK_SECONDS.

        No more timers are queued than this worker has room for: where a thousand are due at once, whoever presses
        Sync waits for none of them."""
        database, settings = self.context.database, self.context.settings
        with database.read() as tx:
            timers, hinted = schedule.due(tx, room), schedule.hinted(tx)
            pause = min(LOOK_SECONDS, schedule.seconds_to_next(tx) or LOOK_SECONDS)
            found = {link_id: links.get(tx, link_id) for link_id in {*timers, *(one.link_id for one in hinted)}}
            may = self.context.unattended(tx, list(found)) if found else set()
        owners.bury(database)
        for link_id in timers:
            link = found[link_id]
            if link_id not in may:
                self._pass_over(link_id)
            elif link is not None:
                self._queue_timer(link)
        for one in hinted:
            link = found[one.link_id]
            if link is None:
                continue
            want = wishes.of(link, settings)
            if one.link_id not in may or want.paused or not want.realtime:
                self._pass_over(one.link_id)
                continue
            left = timing.settled(one.oldest_seconds, one.newest_seconds, want.settle_seconds)
            if left > 0:
                pause = min(pause, left)
            else:
                self._queue(one.link_id, "Webhook")
        return max(0.0 if len(timers) == room else pause, 0.001)

    def chores(self) -> None:
        """What is to be done besides runs: say that we live, tidy up, answer for customers, tell people."""
        now, database = time.monotonic(), self.context.database
        if now - self._seen_at > SEEN_SECONDS:
            self._seen_at = now
            with database.write() as tx:
                workers.seen(tx, self.owner)
        if now - self._tidied_at > TIDY_SECONDS:
            self._tidied_at = now
            with database.write() as tx:
                deliveries.forget_old(tx)
        # A piece that was whole may have left more behind: then the next chores go on.
        if now - self._forgot_at > FORGET_SECONDS and keeping.forget_old(self.context) < retention.MOST:
            self._forgot_at = now
        customers.answer(self.context)
        notify.tell(self.context)

    def stop(self) -> None:
        self.stopping.set()
        self.wake.set()

    # What is queued here need not last before it is claimed: until then the timer, or the hint, stands as it was.

    def _queue_timer(self, link: Link) -> None:
        want = wishes.of(link, self.context.settings)
        with self.context.database.write(lasting=False) as tx:
            if not schedule.take(tx, link.id) or not schedule.is_due(tx, link.id):
                return
            quiet = want.quiet.seconds_left(runs.clock(tx)) if want.quiet else 0.0
            # A link whose set-up is not ended has no mappings, and nothing begins before its owner says so.
            if want.paused or quiet or not links.mappings(tx, link.id):
                schedule.set_due(tx, link.id, quiet or float(link.interval_seconds or LOOK_SECONDS))
            else:
                runs.request(tx, link.id, "sync", "Timer")
                # The run's end sets the next time; this one counts where it has none, cancelled before it began.
                schedule.set_due(tx, link.id, link.interval_seconds)

    def _pass_over(self, link_id: int) -> None:
        """Nothing begins by itself here: nobody's access could be used, or nobody wants it. Not asked again at once."""
        with self.context.database.write() as tx:
            if schedule.take(tx, link_id):
                schedule.pass_over(tx, link_id)

    def _queue(self, link_id: int, by: str) -> None:
        with self.context.database.write(lasting=False) as tx:
            if schedule.take(tx, link_id) and schedule.is_hinted(tx, link_id):
                runs.request(tx, link_id, "sync", by)

    def _claim(self) -> Run | None:
        with self.context.database.read() as tx:
            if not runs.to_do(tx):
                return None
        with self.context.database.write() as tx:
            return runs.claim(tx, self.owner)

    def _do(self, claimed: Run) -> None:
        log.info("run %s (%s) begins, started by %s", claimed.id, claimed.kind, claimed.started_by)
        perform(self.context, claimed, self.owner, stop=self.stopping, hand_over=True)

    def _say_goodbye(self) -> None:
        try:
            with self.context.database.write() as tx:
                workers.gone(tx, self.owner)
        except DatabaseAway:
            log.debug("the database is away; this worker is forgotten by itself")


def listen(worker: Worker) -> None:
    """Wake at each line from the parent; stop when the parent is gone."""
    # Not through sys.stdin: a thread that waits in there keeps its lock, and Python dies of that when it ends.
    while os.read(STDIN, 1024):
        worker.wake.set()
    log.info("the parent is gone")
    worker.stop()


def main() -> None:
    """Do queued and timed syncs until the parent is gone or says so."""
    try:
        set_up()
        settings = Settings.from_environment()
        worker = Worker(Context.open(settings, read_config(settings)))
    except SyncError as error:
        log.error("%s", error)
        raise SystemExit(WRONG_SETTINGS) from error
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    threading.Thread(target=listen, args=(worker,), daemon=True, name="parent").start()
    worker.go()


if __name__ == "__main__":
    main()

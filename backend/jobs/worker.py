"""`python -m backend.jobs.worker`: does queued and timed syncs without a web process, until it is told to stop.

The same supervisor as beside a web process, and nothing else: it stays small, and whatever happens in a run happens to
its child. On one Postgres there may be as many of these, on as many machines, as one likes.
"""

from __future__ import annotations

import signal

from backend.errors import SyncError
from backend.jobs.supervisor import WRONG_SETTINGS, Supervisor
from backend.logs import set_up


def main() -> int:
    """The exit code: 0 where it was told to stop, 2 where settings cannot be used."""
    try:
        set_up()
    except SyncError as error:
        print(error, flush=True)
        return WRONG_SETTINGS
    supervisor = Supervisor()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.ended.set())
    supervisor.start()
    supervisor.ended.wait()
    supervisor.stop()
    return supervisor.exit_code


if __name__ == "__main__":
    raise SystemExit(main())

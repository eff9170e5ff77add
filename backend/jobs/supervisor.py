"""Keeps one warm worker process: runs are done there, so that parsing fifty megabytes of products never holds up a
request, and a crash in there takes nobody along. A child that dies is started again at once; its successor sees that
the owner of an open run is dead (backend/jobs/owners.py) and goes on with it without waiting for the lease."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]

FIRST_PAUSE_SECONDS = 0.2
LONG_LIFE_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 60.0
GOODBYE_SECONDS = 20.0
WRONG_SETTINGS = 2
"""A child's exit code that says: to start again changes nothing."""


class Supervisor:
    """Starts the child, wakes it, starts it again when it dies, and lets it finish its batch at the end.

    `environment` is the child's; None means this process's own. `ended` is set when the child found settings that
    cannot be used: to start it again would change nothing, and `exit_code` is the child's then.
    """

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        self._environment = environment
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self.ended = threading.Event()
        self.exit_code = 0
        self._thread = threading.Thread(target=self._keep, name="supervisor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def poke(self) -> None:
        """Something was queued: look at once. Without a child nothing is lost; the next one looks by itself."""
        with self._lock:
            child = self._child
        if child is not None and child.stdin is not None:
            try:
                child.stdin.write(b"\n")
            except (OSError, ValueError):  # gone, or its pipe is closed already
                log.debug("the worker was not there to be woken; its successor will look")

    def stop(self) -> None:
        """End the child after its batch; after twenty seconds, at once."""
        self._stopping.set()
        with self._lock:
            child = self._child
        if child is None or child.stdin is None:
            return
        with suppress(OSError):
            child.stdin.close()
        try:
            child.wait(GOODBYE_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("the worker did not end by itself and is killed; its run goes on elsewhere")
            child.kill()
            child.wait()
        self._thread.join(GOODBYE_SECONDS)

    def _keep(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        environment = dict(os.environ if self._environment is None else self._environment)
        # The child finds our code wherever the web process was started from.
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), environment.get("PYTHONPATH")]))
        while not self._stopping.is_set():
            began = time.monotonic()
            with self._lock:
                if self._stopping.is_set():
                    return
                self._child = subprocess.Popen(
                    [sys.executable, "-m", "backend.jobs.child"],
                    stdin=subprocess.PIPE, bufsize=0, env=environment,
                )
            code = self._child.wait()
            assert self._child.stdin is not None
            self._child.stdin.close()
            if code == WRONG_SETTINGS:
                log.error("the worker cannot start with these settings; syncs wait until they are mended")
                self.exit_code = code
                self.ended.set()
                return
            lived = time.monotonic() - began
            pause = FIRST_PAUSE_SECONDS if lived > LONG_LIFE_SECONDS else min(pause * 2, LONGEST_PAUSE_SECONDS)
            if self._stopping.wait(pause):
                return
            log.warning("the worker ended with code %s after %.0f s and is started again", code, lived)

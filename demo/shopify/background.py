"""What the store does by itself: bulk operations go on, webhooks are delivered, orders arrive.

One thread a store, started when there is something to do and gone when there is nothing left. Without it (a store
that only answers `run(…)` in a test) the same work is done by whoever looks.
"""
from __future__ import annotations

import threading
from collections.abc import Callable

_IDLE_SECONDS = 0.5
_LONGEST_NAP = 0.05  # the store's clock may be moved meanwhile

# Does a little work. Answers 0 (more is due now), seconds (more is due then) or None (nothing waits).
Chore = Callable[[], float | None]


class Background:
    """Runs the chores for as long as one of them has something to do."""

    def __init__(self) -> None:
        self.chores: list[Chore] = []
        self.allowed = False
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._woken = threading.Event()

    def allow(self) -> None:
        """From now on a thread may do the work: the store is being served."""
        self.allowed = True
        self.wake()

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()
        if not self.allowed:
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="simulated store", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._woken.clear()
            naps = [nap for nap in [chore() for chore in self.chores] if nap is not None]
            if naps:
                if min(naps) > 0:
                    self._woken.wait(min(min(naps), _LONGEST_NAP))
                continue
            if self._woken.wait(_IDLE_SECONDS):
                continue
            with self._lock:
                if not self._woken.is_set():
                    self._thread = None
                    return

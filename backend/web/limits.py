"""How often somebody may try a key on a service: each try is a request to Shopify or Grist in our name.

Counted in this process, so with several web processes it is that many times as often; enough to stop guessing.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from backend.web.errors import Refused

WINDOW_SECONDS = 60.0
TRIES = 10
TRIES_OF_ALL = 60
REMEMBERED = 2_000
ALL = ""


class Limiter:
    """At most `TRIES` a minute for one document, `TRIES_OF_ALL` for all together."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, document: str) -> None:
        """Raises Refused (429) where it was too often."""
        with self._lock:
            now = self._clock()
            for name, most in ((document, TRIES), (ALL, TRIES_OF_ALL)):
                self._check(name, most, now)
            for name in (document, ALL):
                self._of(name).append(now)
            while len(self._tries) > REMEMBERED:
                self._tries.popitem(last=False)

    def _check(self, name: str, most: int, now: float) -> None:
        tries = self._of(name)
        while tries and now - tries[0] >= WINDOW_SECONDS:
            tries.popleft()
        if len(tries) >= most:
            wait = max(1.0, WINDOW_SECONDS - (now - tries[0]))
            raise Refused(429, "too_many", "Keys were tried too often in a short time.",
                          f"Try again in {round(wait)} seconds.", retry_after=wait)

    def _of(self, name: str) -> deque[float]:
        tries = self._tries.setdefault(name, deque())
        self._tries.move_to_end(name)
        return tries

"""Who can give somebody the right that they lack: the names of a document's owners.

A widget's token tells a role and no name, and Grist shows who a document is shared with only to its owners. So the
names are known where the link works with an owner's key; elsewhere people are told "an owner of this document".
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from backend.errors import SyncError
from backend.store.links import Link

REMEMBERED_SECONDS = 600.0
REMEMBERED = 500


class Owners:
    """Asks Grist about a link's document at most once in ten minutes. `ask(link)` gives the names."""

    def __init__(self, ask: Callable[[Link], tuple[str, ...]], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._clock = ask, clock
        self._known: OrderedDict[int, tuple[float, tuple[str, ...]]] = OrderedDict()
        self._lock = threading.Lock()

    def names(self, link: Link) -> tuple[str, ...]:
        """In the order of Grist's own list; empty where they are not known."""
        with self._lock:
            at, names = self._known.get(link.id, (None, ()))
        if at is not None and self._clock() - at < REMEMBERED_SECONDS:
            return names
        try:
            names = self._ask(link)
        except SyncError:  # no owner's key, or Grist does not answer: nobody is named then, and nothing else is lost
            names = ()
        with self._lock:
            self._known[link.id] = (self._clock(), names)
            self._known.move_to_end(link.id)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return names

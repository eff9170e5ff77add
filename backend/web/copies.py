"""Whether a document without a link is a copy of one that has one.

A copy carries our Shopify ID columns: the same ids in the same rows. It does not sync before somebody moves the link
to it, and for that the store's key is asked for again: Shopify ids can be read in every shop's pages, so knowing some
proves nothing.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from backend.errors import SyncError
from backend.grist.access import marked_rows
from backend.store import links
from backend.store.db import Database
from backend.store.links import Link
from backend.web.access import patience

REMEMBERED_SECONDS = 60.0
REMEMBERED = 500


class Copies:
    """Asks Grist about a document at most once a minute."""

    def __init__(self, database: Database, server_url: str) -> None:
        self._database, self._server_url = database, server_url
        self._known: OrderedDict[str, tuple[float, int | None]] = OrderedDict()
        self._lock = threading.Lock()

    def original(self, document: str, token: str) -> Link | None:
        with self._lock:
            at, link_id = self._known.get(document, (0.0, None))
        if not at or time.monotonic() - at > REMEMBERED_SECONDS:
            link_id = self._look(document, token)
            with self._lock:
                self._known[document] = (time.monotonic(), link_id)
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        if link_id is None:
            return None
        with self._database.read() as tx:
            return links.get(tx, link_id)

    def forget(self) -> None:
        """A link was made, moved or ended: what was known of copies may not be so any more."""
        with self._lock:
            self._known.clear()

    def _look(self, document: str, token: str) -> int | None:
        try:
            rows = marked_rows(self._server_url, document, token, sleep=patience())
        except SyncError:  # not readable now, or not for this person: then nothing is claimed of it
            return None
        with self._database.read() as tx:
            found = links.whose_copy(tx, self._server_url, rows)
        return found.id if found is not None and found.disconnected_at is None else None

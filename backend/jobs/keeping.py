"""Forget history that is older than its link wants to keep it: hourly by the workers, and after a sync by the command
line, which has no workers."""

from __future__ import annotations

import logging

from backend.app import Context
from backend.store import links, options, retention
from backend.store.links import Link

log = logging.getLogger(__name__)


def forget_old(context: Context, link: Link | None = None) -> int:
    """Forget what is too old of all links, or of one; returns how many lines of the history that were. One piece of it
    a link: what is left is for the next time, and no run waits long behind it."""
    with context.database.read() as tx:
        chosen = links.all_links(tx) if link is None else [link]
        old = {days: retention.with_old_runs(tx, days) for days in {options.of(one).history_days for one in chosen}}
        due = [one for one in chosen if one.id in old[options.of(one).history_days]
               and retention.is_due(tx, one.id, options.of(one).history_days)]
    forgotten = 0
    for one in due:
        days = options.of(one).history_days
        with context.database.write() as tx:
            lines, ended = retention.forget_old(tx, one.id, days)
        if lines or ended:
            log.info("link %s: %d lines of history and %d syncs older than %d days were forgotten", one.id, lines,
                     ended, days)
        forgotten += lines
    return forgotten

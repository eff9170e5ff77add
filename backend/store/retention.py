"""How long history is kept: what is older than a link wants goes, a few thousand lines at a time.

    goes     lines of the history, and ended runs of which no line is left
    stays    everything while an undo waits or runs · the lines of whatever a conflict or a deletion waits for ·
             runs with an open intent, and the newest of each link
"""

from __future__ import annotations

import sqlalchemy as sa

from backend.store.db import now
from backend.store.tables import action, change, conflict, deletion, intent, link, mapping, run

MOST = 5_000
"""So many lines, and so many runs, go in one transaction: nobody waits for long behind it."""
RUNS_KEPT = 100
"""The newest runs of a link stay however old they are: a link that rests for a year still shows how it ended."""
DAY_SECONDS = 86_400.0


def with_old_runs(tx: sa.Connection, days: int) -> set[int]:
    """Links of which a run ended longer ago than that: no other one is worth a look of its own. One question for
    all of them, however many there are."""
    query = sa.select(run.c.link_id).where(run.c.finished_at < now() - days * DAY_SECONDS).distinct()
    return set(tx.execute(query).scalars())


def is_due(tx: sa.Connection, link_id: int, days: int) -> bool:
    """Whether `forget_old` would find anything, as far as the oldest tell."""
    return bool(_old_lines(tx, link_id, days, 1) or _old_runs(tx, link_id, days, 1))


def forget_old(tx: sa.Connection, link_id: int, days: int, most: int = MOST) -> tuple[int, int]:
    """Forget what is older than `days`; returns how many lines and how many runs that were. At most `most` of each
    go at once: called again, it goes on."""
    # Whoever asks for an undo holds this row, too: none begins between the look and the deletion.
    tx.execute(sa.select(link.c.id).where(link.c.id == link_id).with_for_update(key_share=True))
    if _undoes(tx, link_id):
        return 0, 0
    lines = _old_lines(tx, link_id, days, most)
    _delete(tx, change, lines)
    ended = _old_runs(tx, link_id, days, most)
    _delete(tx, run, ended)
    return len(lines), len(ended)


def _undoes(tx: sa.Connection, link_id: int) -> bool:
    """Whether lines of the history wait to be taken back."""
    wanted = tx.execute(sa.select(run.c.wanted).where(run.c.link_id == link_id, run.c.finished_at.is_(None))).scalars()
    return any(one.get("changes") or one.get("runs") for one in wanted)


def _old_lines(tx: sa.Connection, link_id: int, days: int, most: int) -> list[int]:
    """The oldest lines that nothing needs. They are looked at in the order of their ids, which is that of time, so
    that a look costs no more than what it finds."""
    found: list[int] = []
    before = tx.execute(sa.select(now())).scalar_one() - days * DAY_SECONDS
    waits = (
        sa.exists().where(conflict.c.mapping_id == change.c.mapping_id, conflict.c.remote_key == change.c.remote_key),
        sa.exists().where(deletion.c.mapping_id == change.c.mapping_id,
                          sa.or_(deletion.c.key == change.c.remote_key, deletion.c.partner == change.c.remote_key)),
    )
    for mapping_id in tx.execute(sa.select(mapping.c.id).where(mapping.c.link_id == link_id)).scalars().all():
        query = (sa.select(change.c.id, change.c.at).where(change.c.mapping_id == mapping_id, ~sa.or_(*waits))
                 .order_by(change.c.id).limit(most - len(found)))
        found += [line for line, at in tx.execute(query) if at < before]
        if len(found) >= most:
            break
    return found


def _old_runs(tx: sa.Connection, link_id: int, days: int, most: int) -> list[int]:
    newest = (sa.select(run.c.id).where(run.c.link_id == link_id).order_by(run.c.id.desc())
              .offset(RUNS_KEPT - 1).limit(1).scalar_subquery())
    needed = (
        sa.exists().where(change.c.run_id == run.c.id), sa.exists().where(intent.c.run_id == run.c.id),
        sa.exists().where(action.c.run_id == run.c.id, action.c.ended_at.is_(None)),
    )
    query = (sa.select(run.c.id).where(
        run.c.link_id == link_id, run.c.id < newest, run.c.finished_at < now() - days * DAY_SECONDS, ~sa.or_(*needed))
        .order_by(run.c.id).limit(most))
    return list(tx.execute(query).scalars())


def _delete(tx: sa.Connection, table: sa.Table, ids: list[int]) -> None:
    for start in range(0, len(ids), 500):
        tx.execute(sa.delete(table).where(table.c.id.in_(ids[start:start + 500])))

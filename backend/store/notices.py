"""What somebody is told of by mail or message: what failed, what waits. One line a link and kind.

    raise_()  it is so      → told after `wait` seconds, unless it passes before
    drop()    it has passed → forgotten; when it comes again it is told again
    due()     whose time has come; took() makes sure that one worker sends it
    told()    sent          → again only when it says something new, or grew, and an hour has passed
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from backend.store.db import now
from backend.store.tables import notice

QUIET_SECONDS = 3600.0
"""Between two messages of one kind about one link."""
SENDING_SECONDS = 120.0
"""How long one who took a notice may need to send it before another one may."""
FIRST_TRY_SECONDS = 60.0
MOST_DOUBLINGS = 6


@dataclass(frozen=True, slots=True)
class Notice:
    id: int
    link_id: int
    kind: str
    text: str
    number: int


def raise_(tx: sa.Connection, link_id: int, kind: str, text: str, wait_seconds: float, number: int = 0) -> None:
    """It is so: `text` says what and what to do. What was told already in these words, and of at least this number,
    is not told again."""
    old = tx.execute(sa.select(notice).where(notice.c.link_id == link_id, notice.c.kind == kind)).one_or_none()
    if old is None:
        tx.execute(sa.insert(notice).values(link_id=link_id, kind=kind, text=text, number=number, since=now(),
                                            next_at=now() + wait_seconds))
        return
    values = {"text": text, "number": number}
    same = old.told_text is not None and (number <= old.told_number if number else text == old.told_text)
    if number and number < old.told_number:
        values["told_number"] = number  # when it grows again from there it is news
    if not same and old.next_at is None:
        values["next_at"] = sa.func.coalesce(notice.c.told_at + QUIET_SECONDS, now() + wait_seconds)
    tx.execute(sa.update(notice).where(notice.c.id == old.id).values(values))


def drop(tx: sa.Connection, link_id: int, kinds: Iterable[str]) -> None:
    """These have passed."""
    tx.execute(sa.delete(notice).where(notice.c.link_id == link_id, notice.c.kind.in_(list(kinds))))


def due(tx: sa.Connection) -> list[int]:
    """Links about which something is to be told now."""
    query = sa.select(notice.c.link_id).where(notice.c.next_at <= now()).distinct().limit(50)
    return list(tx.execute(query).scalars())


def take(tx: sa.Connection, link_id: int) -> list[Notice]:
    """What is to be told of this link now; nobody else gets the same meanwhile."""
    query = (sa.select(notice.c.id, notice.c.link_id, notice.c.kind, notice.c.text, notice.c.number)
             .where(notice.c.link_id == link_id, notice.c.next_at <= now()).order_by(notice.c.id)
             .with_for_update(skip_locked=True))
    taken = [Notice(*row) for row in tx.execute(query)]
    if taken:
        tx.execute(sa.update(notice).where(notice.c.id.in_([one.id for one in taken]))
                   .values(next_at=now() + SENDING_SECONDS))
    return taken


def told(tx: sa.Connection, taken: Iterable[Notice]) -> None:
    """These were sent. What is told once and has no end of its own (`privacy-12`) is forgotten with that."""
    for one in taken:
        if "-" in one.kind:
            tx.execute(sa.delete(notice).where(notice.c.id == one.id))
            continue
        tx.execute(sa.update(notice).where(notice.c.id == one.id).values(
            told_at=now(), told_text=one.text, told_number=one.number, tries=0, problem=None,
            next_at=sa.case((notice.c.text == one.text, sa.null()), else_=now() + QUIET_SECONDS)))


def not_told(tx: sa.Connection, taken: Iterable[Notice], problem: str) -> None:
    """These could not be sent: again in a minute, two, four … an hour."""
    for one in taken:
        tries = tx.execute(sa.select(notice.c.tries).where(notice.c.id == one.id)).scalar()
        if tries is not None:
            tx.execute(sa.update(notice).where(notice.c.id == one.id).values(
                tries=tries + 1, problem=problem,
                next_at=now() + FIRST_TRY_SECONDS * 2 ** min(tries, MOST_DOUBLINGS)))


def silence(tx: sa.Connection, taken: Iterable[Notice]) -> None:
    """Nobody wants to be told of these: they stay, and are not looked at again before they change."""
    for one in taken:
        tx.execute(sa.update(notice).where(notice.c.id == one.id).values(
            told_text=one.text, told_number=one.number, next_at=None))


def problems(tx: sa.Connection, link_id: int) -> list[tuple[str, str]]:
    """(kind, why it could not be sent) of what somebody should have been told of."""
    query = sa.select(notice.c.kind, notice.c.problem).where(notice.c.link_id == link_id, notice.c.problem.is_not(None))
    return [(kind, problem) for kind, problem in tx.execute(query)]

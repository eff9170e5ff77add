"""What is told, when, and that it is told once."""

from __future__ import annotations

import sqlalchemy as sa
from store_helpers import Desk

from backend.store import notices
from backend.store.tables import notice


def told(desk: Desk) -> list[str]:
    """What is due now, sent."""
    with desk.write() as tx:
        taken = notices.take(tx, desk.link_id)
        notices.told(tx, taken)
    return [one.text for one in taken]


def later(desk: Desk, seconds: float) -> None:
    """Let time pass."""
    with desk.write() as tx:
        tx.execute(sa.update(notice).values(next_at=notice.c.next_at - seconds, told_at=notice.c.told_at - seconds))


def say(desk: Desk, kind: str, text: str, wait: float = 0, number: int = 0) -> None:
    with desk.write() as tx:
        notices.raise_(tx, desk.link_id, kind, text, wait, number)


def test_it_is_told_once_and_again_only_in_other_words_after_an_hour(desk: Desk) -> None:
    say(desk, "failed", "Grist is away.")
    assert told(desk) == ["Grist is away."]
    say(desk, "failed", "Grist is away.")
    later(desk, 7200)
    assert told(desk) == []
    say(desk, "failed", "The token is no longer good.")
    assert told(desk) == ["The token is no longer good."]
    say(desk, "failed", "Something else.")
    assert told(desk) == []
    later(desk, 3601)
    assert told(desk) == ["Something else."]


def test_what_passes_before_its_time_is_never_told(desk: Desk) -> None:
    say(desk, "failed", "Grist is away.", wait=900)
    assert told(desk) == []
    with desk.write() as tx:
        notices.drop(tx, desk.link_id, ["failed"])
    later(desk, 1000)
    assert told(desk) == []


def test_numbers_are_told_when_they_grow(desk: Desk) -> None:
    say(desk, "conflicts", "2 conflicts", number=2)
    assert told(desk) == ["2 conflicts"]
    for number in (1, 2):  # one was settled, another came
        say(desk, "conflicts", f"{number} conflicts", number=number)
    later(desk, 3601)
    assert told(desk) == ["2 conflicts"]
    say(desk, "conflicts", "1 conflict", number=1)
    later(desk, 3601)
    assert told(desk) == []


def test_two_workers_do_not_send_the_same_and_what_failed_is_sent_again(desk: Desk) -> None:
    say(desk, "failed", "Grist is away.")
    with desk.write() as tx:
        assert notices.due(tx) == [desk.link_id]
        taken = notices.take(tx, desk.link_id)
    with desk.write() as tx:
        assert notices.take(tx, desk.link_id) == []
        notices.not_told(tx, taken, "The mail server cannot be reached.")
        assert notices.problems(tx, desk.link_id) == [("failed", "The mail server cannot be reached.")]
    assert told(desk) == []
    later(desk, notices.FIRST_TRY_SECONDS)
    assert told(desk) == ["Grist is away."]
    with desk.read() as tx:
        assert notices.problems(tx, desk.link_id) == []


def test_what_is_told_once_is_forgotten_with_that(desk: Desk) -> None:
    say(desk, "privacy-3", "A customer was forgotten.")
    assert told(desk) == ["A customer was forgotten."]
    with desk.read() as tx:
        assert tx.execute(sa.select(sa.func.count(notice.c.id))).scalar() == 0

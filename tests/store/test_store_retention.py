"""How long history is kept, on both kinds of database."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
import sqlalchemy as sa
from store_helpers import GID, Desk

from backend.app import Context
from backend.core.model import Conflict, Proposal, Side, Update
from backend.jobs import keeping
from backend.store import changes, journal, options, retention, runs, waiting
from backend.store.tables import change, run

DAYS = 30


def a_run(desk: Desk, days_ago: float, *things: str, link_id: int = 0, kind: str = "sync") -> int:
    """An ended run of so many days ago, with a line about each of `things`."""
    with desk.write() as tx:
        run_id = runs.request(tx, link_id or desk.link_id, kind, "Ann")
        claimed = runs.claim(tx, "w1")
        assert claimed is not None
        runs.finish(tx, claimed, "w1", "done", {})
        changes.add(tx, [{
            "run_id": run_id, "mapping_id": desk.variants.id, "side": "remote", "kind": "update", "local_key": 1,
            "remote_key": thing, "field": "sku", "title": "Mug", "before": "a", "after": "b", "why": "",
        } for thing in things])
        then = runs.clock(tx) - days_ago * 86_400
        tx.execute(sa.update(run).where(run.c.id == run_id).values(finished_at=then))
        tx.execute(sa.update(change).where(change.c.run_id == run_id).values(at=then))
    return run_id


def kept(desk: Desk) -> tuple[set[str | None], set[int]]:
    """(things with lines, runs)."""
    with desk.read() as tx:
        lines = set(tx.execute(sa.select(change.c.remote_key)).scalars())
        return lines, set(tx.execute(sa.select(run.c.id)).scalars())


def forget(desk: Desk, **more: Any) -> tuple[int, int]:
    with desk.write() as tx:
        due = retention.is_due(tx, desk.link_id, DAYS)
        found = retention.forget_old(tx, desk.link_id, DAYS, **more)
        assert due or found == (0, 0)
    return found


@pytest.fixture(autouse=True)
def few_runs_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "RUNS_KEPT", 1)


def test_lines_and_runs_older_than_wanted_go_and_newer_ones_stay(desk: Desk) -> None:
    a_run(desk, 31, GID.format(1), GID.format(2))
    new = a_run(desk, 29, GID.format(3))
    assert forget(desk) == (2, 1)
    assert kept(desk) == ({GID.format(3)}, {new})
    assert forget(desk) == (0, 0)


def test_the_newest_runs_stay_however_old_they_are(desk: Desk) -> None:
    a_run(desk, 90)
    last = a_run(desk, 60, GID.format(1))
    assert forget(desk) == (1, 1)
    assert kept(desk) == (set(), {last})


def test_a_piece_at_a_time_goes(desk: Desk) -> None:
    old = a_run(desk, 31, *[GID.format(number) for number in range(5)])
    last = a_run(desk, 0)
    assert [forget(desk, most=2) for _ in range(4)] == [(2, 0), (2, 0), (1, 1), (0, 0)]
    assert kept(desk)[1] == {last} != {old}


def test_lines_about_what_waits_for_a_person_stay(desk: Desk) -> None:
    asked, going, gone = (GID.format(number) for number in (1, 2, 3))
    a_run(desk, 31, asked, going, gone)
    a_run(desk, 0)
    with desk.write() as tx:
        waiting.replace_conflicts(tx, desk.variants, [Conflict(1, asked, "sku", "a", "b", "c")])
        waiting.replace_deletions(tx, desk.variants.id, [Proposal(Side.LOCAL, 2, going, "Mug")])
    assert forget(desk) == (1, 0)
    assert kept(desk)[0] == {asked, going}


def test_a_run_whose_batch_is_still_open_stays(desk: Desk) -> None:
    old = a_run(desk, 31)
    a_run(desk, 0)
    with desk.write() as tx:
        journal.add(tx, old, desk.variants, Side.REMOTE, "key", [Update(Side.REMOTE, GID.format(1), 1, ())], {})
    assert forget(desk) == (0, 0)
    assert old in kept(desk)[1]


@pytest.mark.parametrize("wanted", [{"changes": [1]}, {"runs": [1]}])
def test_nothing_goes_while_an_undo_waits_or_runs(desk: Desk, wanted: dict[str, Any]) -> None:
    a_run(desk, 31, GID.format(1))
    with desk.write() as tx:
        runs.request(tx, desk.link_id, "sync", "Ann", wanted)
    assert forget(desk) == (0, 0)
    with desk.write() as tx:
        claimed = runs.claim(tx, "w1")
    assert claimed is not None
    assert forget(desk) == (0, 0)
    with desk.write() as tx:
        runs.finish(tx, claimed, "w1", "done", {})
    assert forget(desk) == (1, 1)


def test_another_link_keeps_its_own(desk: Desk) -> None:
    old = a_run(desk, 31, link_id=desk.other_link_id)
    a_run(desk, 0, link_id=desk.other_link_id)
    assert forget(desk) == (0, 0)
    assert old in kept(desk)[1]


def test_the_workers_keep_history_as_long_as_the_settings_of_a_link_say(desk: Desk) -> None:
    a_run(desk, 31, GID.format(1))
    context = cast(Context, SimpleNamespace(database=desk.database))
    assert keeping.forget_old(context) == 0, "ninety days where nobody said anything else"
    with desk.write() as tx:
        options.change(tx, desk.link_id, {"history_days": DAYS})
    assert keeping.forget_old(context) == 1
    assert kept(desk)[0] == set()

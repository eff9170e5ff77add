"""Runs: who may do which, for how long, and what becomes of those that nobody does any more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
import sqlalchemy as sa

from backend.store import links, runs
from backend.store.db import Database
from backend.store.tables import intent, run

T = TypeVar("T")


@pytest.fixture
def link_id(database: Database) -> int:
    return add_link(database, "abc123")


def add_link(database: Database, document: str, interval_seconds: int | None = None) -> int:
    with database.write() as tx:
        return links.add(tx, "a.myshopify.com", "https://grist.example", document, interval_seconds)


def request(database: Database, link_id: int, kind: str = "sync", by: str = "Ann", **wanted: object) -> int:
    with database.write() as tx:
        return runs.request(tx, link_id, kind, by, wanted)


def claim(database: Database, owner: str = "w1") -> runs.Run | None:
    with database.write() as tx:
        return runs.claim(tx, owner)


def begin(database: Database, link_id: int, owner: str = "cli") -> runs.Run | None:
    with database.write() as tx:
        return runs.begin(tx, link_id, "sync", "Command line", {}, owner)


def alive(database: Database, claimed: runs.Run, owner: str = "w1", **progress: object) -> bool | None:
    with database.write() as tx:
        return runs.alive(tx, claimed, owner, progress)


def finish(database: Database, claimed: runs.Run, owner: str = "w1", state: str = "done") -> bool:
    with database.write() as tx:
        return runs.finish(tx, claimed, owner, state, {"state": state})


def get(database: Database, run_id: int) -> runs.Run:
    with database.read() as tx:
        found = runs.get(tx, run_id)
    assert found is not None
    return found


def together(number: int, act: Callable[[int], T]) -> list[T]:
    """What `act` returned in threads that began at the same moment. Raises what one of them raised."""
    ready = threading.Barrier(number)

    def go(one: int) -> T:
        ready.wait()
        return act(one)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(go, range(number)))


def let_lease_end(database: Database, run_id: int) -> None:
    with database.write() as tx:
        tx.execute(sa.update(run).where(run.c.id == run_id).values(lease_until=0))


def test_a_run_is_asked_for_claimed_and_done(database, link_id):
    run_id = request(database, link_id, fields=["price"])
    claimed = claim(database)
    assert claimed is not None
    assert (claimed.id, claimed.state, claimed.attempt, claimed.wanted) == (run_id, "running", 1, {"fields": ["price"]})
    assert alive(database, claimed, phase="writing") is False
    assert get(database, run_id).progress == {"phase": "writing"}
    assert finish(database, claimed)
    done = get(database, run_id)
    assert (done.state, done.report) == ("done", {"state": "done"})
    assert done.requested_at <= done.started_at <= done.finished_at
    assert claim(database) is None


def test_one_queued_and_one_running_run_a_link(database, link_id):
    first = request(database, link_id)
    assert request(database, link_id) == first
    assert claim(database).id == first
    second = request(database, link_id)
    assert second != first
    assert claim(database, "w2") is None
    with database.read() as tx:
        assert runs.active(tx, link_id).id == first
        assert runs.ended(tx, link_id) == []


@pytest.mark.parametrize("state", ["running", "queued"])
def test_the_database_itself_refuses_a_second_one(database, link_id, state):
    values = {"link_id": link_id, "kind": "sync", "state": state, "started_by": "", "wanted": {}, "progress": {},
              "requested_at": 0}
    with pytest.raises(sa.exc.IntegrityError), database.write() as tx:
        tx.execute(sa.insert(run), [values, values])


def test_another_link_is_not_held_up(database, link_id):
    other = add_link(database, "other123")
    request(database, link_id)
    request(database, other)
    assert {claim(database, "w1").link_id, claim(database, "w2").link_id} == {link_id, other}


def test_many_workers_claim_one_run_once(database, link_id):
    request(database, link_id)
    claimed = together(6, lambda number: claim(database, f"w{number}"))
    assert len([one for one in claimed if one is not None]) == 1


def test_a_preview_and_a_sync_wait_side_by_side_and_neither_becomes_the_other(database, link_id):
    preview = request(database, link_id, "preview", "Ann")
    sync = request(database, link_id, "sync", "Bea", fields=["price"])
    assert sync != preview
    assert (get(database, preview).kind, get(database, preview).started_by) == ("preview", "Ann")
    assert request(database, link_id, "preview", "Cem") == preview
    assert get(database, sync).wanted == {"fields": ["price"]}
    first = claim(database)
    assert (first.id, claim(database, "w2")) == (preview, None)
    finish(database, first)
    assert claim(database).id == sync


def test_workers_that_ask_together_never_get_a_sync_and_a_preview_of_one_link(database, link_id):
    for _ in range(5):
        request(database, link_id, "preview")
        request(database, link_id, "sync")
        claimed = together(6, lambda number: claim(database, f"w{number}"))
        (one,) = [(number, run) for number, run in enumerate(claimed) if run is not None]
        assert finish(database, one[1], f"w{one[0]}")
        other = claim(database)
        assert finish(database, other)
        assert {one[1].kind, other.kind} == {"sync", "preview"}


def test_a_dead_owners_run_is_free_at_once_unless_a_write_of_its_is_under_way(database, link_id):
    run_id = request(database, link_id)
    claim(database, "dead")
    with database.write() as tx:
        assert runs.held(tx) == [(run_id, "dead")]
        runs.bury(tx, run_id, "somebody else")
    assert claim(database, "w2") is None
    with database.write() as tx:
        links.set_mappings(tx, link_id, [{"resource": "products"}])
        mapping_id = links.mappings(tx, link_id)[0].id
        tx.execute(sa.insert(intent).values(mapping_id=mapping_id, run_id=run_id, side="remote", key="k", ops=[],
                                            pending={}, at=0))
        runs.bury(tx, run_id, "dead")
        assert runs.held(tx) == [(run_id, "nobody")]
    assert claim(database, "w2") is None
    let_lease_end(database, run_id)
    assert claim(database, "w2").attempt == 2
    with database.write() as tx:
        tx.execute(sa.delete(intent))
        runs.bury(tx, run_id, "w2")
    assert claim(database, "w3").attempt == 3


@pytest.mark.parametrize(("one", "other", "both"), [
    ({"fields": ["price"]}, {"fields": ["title", "price"]},
     {"fields": ["price", "title"], "go_on": False, "everything": False}),
    ({"fields": ["price"]}, {}, {"fields": [], "go_on": False, "everything": False}),
    ({}, {"fields": ["price"]}, {"fields": [], "go_on": False, "everything": False}),
    ({"go_on": True}, {}, {"fields": [], "go_on": True, "everything": False}),
    ({"plan": "of a preview"}, {"everything": True}, {"fields": [], "go_on": False, "everything": True}),
])
def test_two_waiting_syncs_become_one_that_does_what_both_wanted(database, link_id, one, other, both):
    request(database, link_id, **one)
    assert get(database, request(database, link_id, **other)).wanted == both


def test_a_run_whose_lease_ran_out_is_taken_by_another(database, link_id):
    run_id = request(database, link_id)
    first = claim(database, "w1")
    let_lease_end(database, run_id)
    second = claim(database, "w2")
    assert (second.id, second.attempt) == (run_id, 2)
    assert alive(database, first, "w1") is None
    assert not finish(database, first, "w1", "failed")
    assert alive(database, second, "w2") is False
    assert finish(database, second, "w2")


def test_the_same_owner_cannot_go_on_after_its_lease(database, link_id):
    run_id = request(database, link_id)
    claimed = claim(database)
    let_lease_end(database, run_id)
    assert alive(database, claimed) is None


def test_a_lost_run_comes_before_the_queued_one_of_its_link(database, link_id):
    lost = request(database, link_id)
    claim(database)
    queued = request(database, link_id)
    let_lease_end(database, lost)
    again = claim(database, "w2")
    assert again.id == lost
    assert claim(database, "w3") is None
    finish(database, again, "w2")
    assert claim(database, "w3").id == queued


def test_a_run_that_ends_its_process_each_time_is_given_up(database, link_id):
    run_id = request(database, link_id)
    for attempt in range(1, runs.ATTEMPTS + 1):
        assert claim(database).attempt == attempt
        let_lease_end(database, run_id)
    assert claim(database) is None
    given_up = get(database, run_id)
    assert given_up.state == "failed"
    assert "ended before the sync did" in given_up.message
    assert "next sync" in given_up.cure


def test_what_is_given_back_can_be_taken_at_once(database, link_id):
    run_id = request(database, link_id)
    claimed = claim(database, "w1")
    with database.write() as tx:
        runs.give_back(tx, claimed, "w1")
    assert claim(database, "w2").id == run_id


def test_what_is_not_mine_cannot_be_given_back(database, link_id):
    request(database, link_id)
    claimed = claim(database, "w1")
    with database.write() as tx:
        runs.give_back(tx, claimed, "somebody else")
    assert claim(database, "w2") is None
    assert alive(database, claimed, "w1") is False


def test_to_begin_passes_the_queue_and_waits_for_who_is_running(database, link_id):
    queued = request(database, link_id)
    mine = begin(database, link_id)
    assert mine.id != queued
    assert (mine.state, mine.attempt, mine.started_by) == ("running", 1, "Command line")
    assert begin(database, link_id, "another") is None
    assert claim(database) is None
    assert alive(database, mine, "cli") is False
    assert finish(database, mine, "cli")
    assert claim(database).id == queued


def test_to_begin_ends_what_a_dead_process_left(database, link_id):
    left = begin(database, link_id, "killed")
    assert begin(database, link_id) is None
    let_lease_end(database, left.id)
    mine = begin(database, link_id)
    assert mine.id != left.id
    assert get(database, left.id).state == "failed"
    assert alive(database, left, "killed") is None


def test_a_queued_run_is_cancelled_at_once_and_a_running_one_is_asked_to_stop(database, link_id):
    running = request(database, link_id)
    claimed = claim(database)
    queued = request(database, link_id)
    with database.write() as tx:
        assert runs.cancel(tx, link_id, queued)
        assert runs.cancel(tx, link_id, running)
        assert not runs.cancel(tx, link_id + 1, running)
        assert not runs.cancel(tx, link_id, queued)
    assert get(database, queued).state == "cancelled"
    assert get(database, queued).finished_at is not None
    assert alive(database, claimed) is True
    assert finish(database, claimed, state="cancelled")


def test_ended_runs_come_newest_first(database, link_id):
    ids = []
    for _ in range(3):
        ids.append(request(database, link_id))
        finish(database, claim(database))
    with database.read() as tx:
        assert [one.id for one in runs.ended(tx, link_id, limit=2)] == [ids[2], ids[1]]

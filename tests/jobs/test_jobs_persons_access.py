"""Runs on a link without a key of its own: they work with a person's access, wait when it ends, and go on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jobs_helpers import DOCUMENT, Shop

from backend.app import NEEDED_SECONDS
from backend.jobs import perform as performing
from backend.jobs.perform import perform
from backend.secrets import Vault
from backend.settings import Secret
from backend.store import entrusted, runs
from demo.grist import Grist
from demo.grist import create_app as grist_app
from demo.serving import serving
from demo.shopify import Store
from demo.shopify import create_app as store_app

LONG = 900.0


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Iterator[tuple[Shop, Grist]]:
    grist = Grist()
    grist.new_document("Shop", DOCUMENT)
    with serving(store_app(Store(products=3, seed=1))) as store_url, serving(grist_app(grist)) as grist_url:
        shop = Shop(tmp_path, database_url, store_url, grist_url)
        shop.context.settings = replace(shop.context.settings, grist_api_key=Secret())
        shop.context.vault = Vault.from_keys("a-long-secret-key-for-tests")
        yield shop, grist
        shop.database.dispose()


def leave(shop: Shop, grist: Grist, seconds: float, role: str = "owner") -> str:
    token: str = grist.access.token(DOCUMENT, grist.access.person(role))["token"]
    # Whoever looks at the widget has left it; here its end is moved, for nobody waits a quarter of an hour.
    shop.context.leave_access(shop.link, token, time.time() + seconds, "An owner, widget")
    return token


def run(shop: Shop, watch: Any = lambda progress: None) -> int:
    claimed = shop.claim()
    assert claimed is not None
    perform(shop.context, claimed, "w1", watch=watch)
    return claimed.id


def test_a_run_works_with_the_access_that_somebody_left(place: tuple[Shop, Grist]) -> None:
    shop, grist = place
    leave(shop, grist, LONG)
    shop.request()
    assert shop.get(run(shop)).state == "done"


def test_without_anybody_it_waits_and_did_not_fail(place: tuple[Shop, Grist]) -> None:
    shop, _ = place
    shop.request()
    found = shop.get(run(shop))
    assert (found.state, found.finished_at) == ("waiting", None)
    assert found.message is not None
    assert "nobody has" in found.message
    assert shop.claim() is None


def test_it_stops_between_batches_two_minutes_before_the_end_and_goes_on_when_renewed(
        place: tuple[Shop, Grist], monkeypatch: pytest.MonkeyPatch) -> None:
    shop, grist = place
    leave(shop, grist, LONG)
    run_id = shop.request()

    def ends_soon(pulse: Any, progress: dict[str, Any]) -> None:
        if progress["phase"] == "writing":
            pulse._access_until = time.time() + NEEDED_SECONDS - 1
            with shop.database.write() as tx:
                entrusted.forget(tx, shop.link.id, "token")

    claimed = shop.claim()
    assert claimed is not None
    performed(shop, claimed, monkeypatch, ends_soon)
    waiting = shop.get(run_id)
    assert waiting.state == "waiting"
    written = shop.writes()
    assert shop.claim() is None
    leave(shop, grist, LONG)  # somebody opens the widget
    assert shop.get(run_id).state == "queued"
    assert run(shop) == run_id
    done = shop.get(run_id)
    assert (done.state, done.attempt) == ("done", 2)
    assert sum(shop.writes()) > sum(written)


def test_a_renewed_access_is_taken_up_in_the_middle_of_a_run(
        place: tuple[Shop, Grist], monkeypatch: pytest.MonkeyPatch) -> None:
    shop, grist = place
    first = leave(shop, grist, LONG)
    run_id = shop.request()
    renewed: list[str] = []

    def look(pulse: Any, progress: dict[str, Any]) -> None:
        if progress["phase"] == "writing" and not renewed:
            # The old one is good for nothing from here on; whoever looks has left a newer one.
            grist.access._secret = b"another secret of the server"
            renewed.append(leave(shop, grist, 2 * LONG))
            pulse._access_until = time.time() + NEEDED_SECONDS - 1

    claimed = shop.claim()
    assert claimed is not None
    performed(shop, claimed, monkeypatch, look)
    assert shop.get(run_id).state == "done"
    assert renewed
    assert renewed != [first]


def test_access_that_lasts_longer_takes_the_place_of_a_shorter_one_only(place: tuple[Shop, Grist]) -> None:
    shop, grist = place
    long = leave(shop, grist, LONG)
    leave(shop, grist, LONG / 2, "editor")
    assert shop.context.persons_access(shop.link).token == long


def test_access_that_has_ended_is_deleted_at_the_next_start(place: tuple[Shop, Grist]) -> None:
    shop, grist = place
    leave(shop, grist, -1)
    shop.context.check_secrets()
    with shop.database.read() as tx:
        assert entrusted.everything(tx) == []


def test_a_key_takes_the_place_of_a_persons_access(place: tuple[Shop, Grist]) -> None:
    shop, grist = place
    grist.add_key("background", role="editor")
    with shop.database.write() as tx:
        shop.context.keep(tx, shop.link.id, "grist_key", "background", by="An owner")
    assert leave(shop, grist, LONG)
    with shop.database.read() as tx:
        assert [one.name for one in entrusted.everything(tx)] == ["grist_key"]
    shop.request()
    assert shop.get(run(shop)).state == "done"


def test_where_a_sync_is_queued_already_it_does_the_work_of_the_one_that_waits(place: tuple[Shop, Grist]) -> None:
    shop, grist = place
    first = shop.request()
    run(shop)
    second = shop.request()
    assert second != first
    leave(shop, grist, LONG)
    assert (shop.get(first).state, shop.get(second).state) == ("cancelled", "queued")
    with shop.database.read() as tx:
        active = runs.active(tx, shop.link.id)
    assert active is not None
    assert active.id == second


def performed(shop: Shop, claimed: Any, monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    """Performs `claimed`; `act(pulse, progress)` sees each step before it is done, and may turn the run's clock."""
    made: list[Any] = []

    class Pulse(performing._Pulse):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            made.append(self)

    monkeypatch.setattr(performing, "_Pulse", Pulse)
    perform(shop.context, claimed, "w1", watch=lambda progress: act(made[-1], progress))

"""Many changes go to Shopify as files, and whatever happens to a file: no value is lost, nothing is done twice, and the
report says what was done."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from files_helpers import STOPPED, Killed, Shop
from shopify_helpers import counted

from backend.errors import Cancelled, DatabaseAway, LeaseLost, OutcomeUnknown, RetryLater
from backend.shopify import bulk, in_files
from backend.shopify.bulk import START_MUTATION

PRODUCTS = 15


@pytest.fixture
def shop(start: Callable[..., Any], tmp_path: Path) -> Shop:
    return Shop(start(products=PRODUCTS, orders=0), tmp_path)


def settled(shop: Shop, titles: dict[int, Any], lines: int = PRODUCTS) -> None:
    """Both sides hold these titles, each was written once, nothing is open or goes on, and a further run is idle."""
    assert shop.titles() == titles == {row: shop.cell(row) for row in titles}
    assert sorted(row for row, _, _ in shop.history()) == sorted(titles)[:lines]
    assert (shop.conflicts(), shop.refusals(), shop.open_batches(), shop.mutations(*STOPPED)) == ([], [], 0, [])
    before = counted(shop.at)["writes"]
    shop.run()
    assert counted(shop.at)["writes"] == before


def test_many_changes_go_as_one_file_and_the_report_says_so(shop: Shop) -> None:
    titles = shop.retitle()
    before = counted(shop.at)
    report = shop.run()
    [operation] = shop.mutations()
    assert (operation.status, operation.object_count) == ("COMPLETED", PRODUCTS)
    assert counted(shop.at)["points"] - before["points"] < 10 * PRODUCTS
    [note] = [note for note in report.notes if "as files" in note]
    assert note.startswith(f"Products: {PRODUCTS} rows went to Shopify as files. Between the look at what stood there")
    assert report.totals["updated"] == PRODUCTS
    settled(shop, titles)


def test_every_change_stands_in_the_journal_before_the_file_starts(shop: Shop) -> None:
    shop.retitle()
    seen: list[int] = []
    shop.run(shop.once_done(0, lambda: (seen.append(shop.open_batches()), shop.go_on())))
    assert seen == [1]


def test_how_far_a_file_is_shows_in_the_progress(shop: Shop) -> None:
    shop.retitle()
    done: list[int] = []

    def watch(progress: dict[str, Any]) -> None:
        go_on(progress)
        done.append(progress["done"])
        if progress["done"] == 7:
            shop.go_on()

    go_on = shop.once_done(7, lambda: None)
    shop.run(watch)
    assert 7 in done


# --- the process is gone -----------------------------------------------------------------------------


def kill() -> None:
    raise Killed


def ended_before_anything_else(shop: Shop) -> Callable[[dict[str, Any]], None]:
    """Whoever goes on has ended what went on before it compares, and before it writes."""
    def watch(progress: dict[str, Any]) -> None:
        if progress["phase"] in ("reading_grist", "comparing", "writing") and progress.get("mappings"):
            assert shop.mutations(*STOPPED) == [] or progress["phase"] == "writing"
    return watch


@pytest.mark.parametrize("lines", [0, 4, PRODUCTS])
@pytest.mark.parametrize("told", [False, True])
def test_killed_after_the_start_the_next_run_ends_the_file_and_looks(shop: Shop, lines: int, told: bool) -> None:
    shop.store.behaviour.bulk_cancel_keeps_answers = told
    titles = shop.retitle()
    shop.killed(shop.once_done(lines, kill))
    [left] = shop.mutations("RUNNING")
    compared: list[str] = []

    def watch(progress: dict[str, Any]) -> None:
        if progress["phase"] == "comparing" and not compared:
            compared.append(left.status)
            shop.go_on()

    shop.run(watch, owner="w2")
    assert compared == ["CANCELED"]
    assert left.object_count == lines
    settled(shop, titles)


def after_start(connector: Any, act: Callable[[], Any]) -> Any:
    """`act` comes when Shopify has taken a file and nobody has heard its id."""
    run = connector._client.run

    def started(document: str, variables: dict[str, Any], **more: Any) -> Any:
        answer = run(document, variables, **more)
        if document == START_MUTATION:
            act()
        return answer

    connector._client.run = started
    return connector


def test_killed_before_its_id_was_heard_the_file_is_found_by_its_mark(shop: Shop) -> None:
    titles = shop.retitle()
    shop.store.bulks.hold_after = 3
    shop.killed(connector=after_start(shop.connector(), kill))
    [left] = shop.mutations()
    shop.run(lambda progress: shop.go_on() if progress["phase"] == "comparing" else None, owner="w2")
    assert left.status == "CANCELED"
    settled(shop, titles)


def test_a_run_of_other_mappings_ends_the_file_too(start: Callable[..., Any], tmp_path: Path) -> None:
    shop = Shop(start(products=PRODUCTS, orders=0), tmp_path, ("products", "variants"))
    titles = shop.retitle()
    shop.killed(shop.once_done(2, kill))
    shop.run(owner="w2", fields=("price",))
    [left] = shop.mutations()
    assert left.status == "CANCELED"
    shop.go_on()
    shop.run(owner="w3")
    assert shop.titles() == titles


def test_whoever_lost_its_lease_while_it_waits_does_not_go_on(shop: Shop) -> None:
    titles = shop.retitle()
    second = shop.connector()

    def steal() -> None:
        shop.let_lease_end()
        with shop.database.write() as tx:
            from backend.store import runs
            assert runs.claim(tx, "w2") is not None

    with pytest.raises(LeaseLost):
        shop.run(shop.once_done(4, steal))
    [left] = shop.mutations()
    written = counted(shop.at)["writes"]
    assert shop.open_batches() == 1
    assert left.status in ("CANCELING", "CANCELED")
    assert counted(shop.at)["writes"] == written
    shop.go_on()
    shop.let_lease_end()
    shop.run(owner="w3", connector=second)
    settled(shop, titles)


def test_a_database_that_goes_away_meanwhile_leaves_the_file_to_the_next_run(shop: Shop) -> None:
    titles = shop.retitle()

    def away() -> None:
        raise DatabaseAway("The database does not answer.")

    with pytest.raises(DatabaseAway):
        shop.run(shop.once_done(4, away))
    assert shop.open_batches() == 1
    shop.go_on()
    shop.run()
    settled(shop, titles)


def test_a_file_of_another_link_is_left_alone(shop: Shop) -> None:
    titles = shop.retitle()
    shop.killed(shop.once_done(2, kill))
    others = a_file_of_somebody_else(shop)
    shop.run(lambda progress: shop.go_on() if progress["phase"] == "comparing" else None, owner="w2")
    assert [one.status for one in shop.mutations() if one.gid == others] != ["CANCELED"]
    assert shop.titles() == titles


def a_file_of_somebody_else(shop: Shop) -> str:
    """Another link of the same app has a bulk mutation; its id."""
    connector = shop.connector()
    path = connector._bulk._uploaded([{"product": {"id": next(iter(shop.store.products.values())).gid}}])
    text = ("mutation Changes_of_another($product: ProductUpdateInput!) "
            "{ productUpdate(product: $product) { userErrors { message } } }")
    started = connector.run(START_MUTATION, {"mutation": text, "path": path}, writes=True)
    return str(started.data["bulkOperationRunMutation"]["bulkOperation"]["id"])


def test_where_it_does_not_end_nothing_is_settled(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.retitle()
    shop.killed(shop.once_done(2, kill))
    shop.store.behaviour.bulk_start_seconds = 3600  # so long it takes to be cancelled
    monkeypatch.setattr(bulk, "STOPPING_SECONDS", 0.1)
    with pytest.raises(Exception, match="still working off changes of an earlier sync"):
        shop.run(owner="w2")
    assert shop.open_batches() == 1
    assert len(shop.history()) == 0


# --- answers that are lost ----------------------------------------------------------------------------


def test_a_start_whose_answer_was_lost_is_found_and_not_repeated(shop: Shop) -> None:
    titles = shop.retitle()
    shop.at.door("faults", next=[{"when": "StartBulkMutation", "status": 503, "after": True}])
    shop.run()
    assert len(shop.mutations()) == 1
    settled(shop, titles)


def test_a_start_that_was_lost_on_its_way_is_not_repeated_blindly(shop: Shop) -> None:
    titles = shop.retitle()
    shop.at.door("faults", next=[{"when": "StartBulkMutation", "status": 503}])
    with pytest.raises(OutcomeUnknown, match="its answer was lost"):
        shop.run()
    assert shop.mutations() == []
    assert shop.open_batches() == 1
    shop.run()
    assert len(shop.mutations()) == 1
    settled(shop, titles)


@pytest.mark.parametrize("ending", [
    {"after": 5, "code": "INTERNAL_SERVER_ERROR"}, {"after": 5, "code": "TIMEOUT"}, {"after": 0},
    {"after": 5, "status": "EXPIRED"}, {"after": PRODUCTS, "status": "EXPIRED"},
])
def test_lines_without_an_answer_are_settled_by_looking(shop: Shop, ending: dict[str, Any]) -> None:
    titles = shop.retitle()
    shop.store.bulks.fail_next = {"type": "MUTATION", **ending}
    report = shop.run()
    assert len(shop.mutations()) == 1, "after one that failed the rest goes by requests"
    assert report.totals["updated"] == PRODUCTS
    settled(shop, titles)


@pytest.mark.parametrize("left", [0, 1, 700])
def test_a_file_of_answers_that_is_cut_tells_only_of_its_whole_lines(
    shop: Shop, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles = shop.retitle()
    connector = shop.connector()
    download = connector._bulk._files.download

    def cut(url: str, sink: Any) -> None:
        download(url, sink)
        sink.truncate(left)

    monkeypatch.setattr(connector._bulk._files, "download", cut)
    shop.run(connector=connector)
    settled(shop, titles)


def test_answers_that_cannot_be_fetched_are_done_without(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    titles = shop.retitle()
    monkeypatch.setattr(shop.store.bulks, "result_lives", lambda operation: False)
    shop.run()
    settled(shop, titles)


def test_a_file_that_takes_too_long_is_cancelled_and_the_rest_goes_by_requests(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles = shop.retitle()
    shop.store.bulks.hold_after = 6
    monkeypatch.setattr(bulk, "LONGEST_SECONDS", 0.2)
    shop.run()
    [operation] = shop.mutations()
    assert (operation.status, operation.object_count) == ("CANCELED", 6)
    settled(shop, titles)


def test_a_look_afterwards_that_fails_leaves_the_file_to_be_settled_by_the_next_run(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles = shop.retitle()
    connector = shop.connector()
    read = connector.read

    def away(mapping: Any, keys: Any = None) -> Any:
        if shop.mutations("COMPLETED"):
            raise RetryLater("Shopify has trouble (status 503).")
        return read(mapping, keys)

    monkeypatch.setattr(connector, "read", away)
    with pytest.raises(RetryLater):
        shop.run(connector=connector)
    assert (shop.titles(), shop.open_batches()) == (titles, 1)
    shop.run()
    settled(shop, titles)


# --- people -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("told", [False, True])
def test_cancelled_it_ends_the_file_and_keeps_what_was_written(shop: Shop, told: bool) -> None:
    shop.store.behaviour.bulk_cancel_keeps_answers = told
    before, titles = shop.titles(), shop.retitle()
    with pytest.raises(Cancelled) as ended:
        shop.run(shop.once_done(4, shop.cancel))
    [operation] = shop.mutations()
    assert operation.status == "CANCELED"
    written = [row for row, title in shop.titles().items() if title == titles[row]]
    assert len(written) == 4
    assert sorted(row for row, _, _ in shop.history()) == written
    assert ended.value.report.totals["updated"] == 4
    assert all(shop.titles()[row] == before[row] for row in titles if row not in written)
    assert shop.open_batches() == 0
    shop.go_on()
    shop.run()
    settled(shop, titles)


def test_what_moved_before_the_look_is_not_in_the_file(shop: Shop) -> None:
    titles = shop.retitle()
    connector = shop.connector()
    uploaded, upload = [], connector._bulk._uploaded

    def edit(document: str, *args: Any, **more: Any) -> Any:
        if document.startswith("query Reread_products") and not uploaded and shop.history() == []:
            shop.product(1).title = "Typed in Shopify"
        return run(document, *args, **more)

    def count(lines: Any) -> str:
        uploaded.extend(listed := list(lines))
        return upload(listed)

    run = connector._client.run
    connector._bulk._uploaded = count  # type: ignore[method-assign]
    planned: list[Any] = []

    def watch(progress: dict[str, Any]) -> None:
        if progress["phase"] == "writing" and not planned:
            planned.append(True)
            connector._client.run = edit  # type: ignore[method-assign]

    shop.run(watch, connector=connector)
    assert len(uploaded) == PRODUCTS - 1
    [conflict] = shop.conflicts()
    assert (conflict.local, conflict.remote) == (titles[1], "Typed in Shopify")
    assert shop.titles() == titles | {1: "Typed in Shopify"}


def test_what_somebody_types_elsewhere_in_a_thing_while_its_line_waits_is_kept(shop: Shop) -> None:
    titles = shop.retitle()

    def edit() -> None:
        shop.at.door("edit", product={"id": shop.product(3).gid}, set={"vendor": "Typed in Shopify"})
        shop.go_on()

    shop.run(shop.once_done(0, edit))
    shop.run()
    assert shop.product(3).vendor == shop.cell(3, "vendor") == "Typed in Shopify"
    settled(shop, titles)


def test_what_somebody_types_into_the_very_field_before_its_line_is_written_over_and_the_window_is_told(
    shop: Shop
) -> None:
    titles = shop.retitle()

    def edit() -> None:
        shop.product(3).title = "Typed in Shopify"
        shop.go_on()

    report = shop.run(shop.once_done(0, edit))
    [note] = [note for note in report.notes if "as files" in note]
    assert "what somebody changed in the same fields in Shopify in that time was written over" in note
    assert "s; what" in note
    settled(shop, titles)


def test_what_somebody_types_after_its_line_is_found_and_asked_about(shop: Shop) -> None:
    titles = shop.retitle()

    def edit() -> None:
        shop.product(3).title = "Typed in Shopify"
        shop.go_on()

    report = shop.run(shop.once_done(PRODUCTS, edit))
    [conflict] = shop.conflicts()
    assert (conflict.local, conflict.remote) == (titles[3], "Typed in Shopify")
    assert shop.titles() == titles | {3: "Typed in Shopify"}
    assert shop.cell(3) == titles[3]
    assert any("1 rows did not hold what was sent" in note for note in report.notes)


def test_a_thing_that_is_deleted_meanwhile_is_not_counted_as_written(shop: Shop) -> None:
    titles = shop.retitle()
    gone = shop.product(3)

    def remove() -> None:
        shop.store.remove_product(gone)
        shop.go_on()

    shop.run(shop.once_done(PRODUCTS, remove))
    assert sorted(row for row, _, _ in shop.history()) == sorted(titles.keys() - {3})
    assert shop.cell(3) == titles[3]


def test_a_line_that_shopify_refuses_stops_only_its_row(shop: Shop) -> None:
    titles = shop.retitle()
    shop.grist.type("Products", 2, "title", "x" * 300)
    was = shop.product(2).title
    shop.run()
    [refused] = shop.refusals()
    assert (refused.key, refused.field) == (shop.product(2).gid, "title") or refused.key == "2"
    assert "too long" in refused.message
    assert shop.titles() == titles | {2: was}
    assert len(shop.mutations()) == 1


# --- Shopify does not take it ---------------------------------------------------------------------------


def test_while_five_run_already_the_changes_go_by_requests(shop: Shop) -> None:
    titles = shop.retitle()
    shop.store.bulks.hold_after = 0
    others = {a_file_of_somebody_else(shop) for _ in range(5)}
    report = shop.run()
    assert {one.gid for one in shop.mutations(*STOPPED)} == others
    assert not any("as files" in note for note in report.notes)
    shop.go_on()
    until(lambda: not shop.mutations(*STOPPED))
    settled(shop, titles)


def test_an_upload_that_is_refused_leaves_the_changes_to_requests(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles = shop.retitle()
    monkeypatch.setattr(shop.store.bulks.blobs, "signed_rightly", lambda text, signature: False)
    shop.run()
    assert shop.mutations() == []
    settled(shop, titles)


def test_a_look_that_has_grown_old_during_the_upload_is_taken_anew(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles = shop.retitle()
    monkeypatch.setattr(in_files, "OLD_SECONDS", -1.0)
    shop.run()
    assert shop.mutations() == []
    settled(shop, titles)


def test_cancelled_while_changes_go_by_requests_instead_the_rest_stays(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles = shop.retitle()
    monkeypatch.setattr(shop.store.bulks.blobs, "signed_rightly", lambda text, signature: False)

    def watch(progress: dict[str, Any]) -> None:
        if any(shop.titles()[row] == title for row, title in titles.items()) and progress["phase"] == "writing":
            shop.cancel()

    with pytest.raises(Cancelled):
        shop.run(watch)
    assert len(shop.history()) == 10
    shop.run()
    settled(shop, titles)


def test_a_store_of_files_that_does_not_answer_leaves_the_changes_to_requests(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles = shop.retitle()
    connector = shop.connector()
    connector._bulk._files._patience_seconds = 0.05

    def away(*args: Any, **more: Any) -> Any:
        raise requests.ConnectionError

    monkeypatch.setattr(connector._bulk._files.session, "post", away)
    shop.run(connector=connector)
    assert shop.mutations() == []
    settled(shop, titles)


# --- variants --------------------------------------------------------------------------------------------


def test_variants_go_a_line_a_product_and_a_bad_row_stops_only_itself(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    shop = Shop(start(products=PRODUCTS, orders=0), tmp_path, ("products", "variants"))
    rows = shop.grist.rows["Variants"]
    for row in rows:
        shop.grist.type("Variants", row, "price", -1 if row == 2 else 12)
    shop.run()
    [operation] = shop.mutations()
    assert operation.object_count == len({cells["product"] for cells in rows.values()})
    prices = {row: next(one for one in shop.store.variants.values() if one.gid == shop.grist.marks["Variants"][row]
                        ).price for row in rows}
    assert {row for row, price in prices.items() if price == 12} == rows.keys() - {2}
    assert [one.field for one in shop.refusals()] == ["price"]


def until(happened: Callable[[], Any], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)

"""Whole syncs from the command line: what arrives, what is counted, and that nothing is written when it must not be."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from cli_helpers import COMMAND, DOCUMENT, ROOT, Desk

COUNTS = {"created", "updated", "deleted", "unchanged", "conflicts", "refused", "waiting", "proposed_deletions"}


def dump(desk: Desk) -> list[str]:
    """Every row of the database, as SQL."""
    connection = sqlite3.connect(desk.database)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def lines_of(process: subprocess.Popen[str], enough: int, seconds: float = 30) -> list[str]:
    """The first `enough` lines of its standard output; a process that says less in time is ended."""
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        return [process.stdout.readline() for _ in range(enough)]
    finally:
        timer.cancel()


def test_a_second_sync_writes_nothing_and_the_report_counts_what_both_sides_counted(desk):
    first = desk.run("--json")
    assert first.code == 0, first
    assert (first.report["state"], first.report["totals"]["created"]) == ("done", 20)
    assert set(first.report["totals"]) == COUNTS
    counted = desk.counts()
    assert first.report["requests"] == {side: counted[side]["requests"] for side in ("grist", "shopify")}
    assert first.report["points"] == counted["shopify"]["points"]
    assert counted["grist"]["writes"] > 0
    assert counted["shopify"]["writes"] == 0
    assert {row["SKU"] for row in desk.rows("Variants").values()} >= {"LIN-S"}

    desk.reset()
    second = desk.run("--json")
    assert second.code == 0, second
    counted = desk.counts()
    assert (counted["shopify"]["writes"], counted["grist"]["writes"]) == (0, 0)
    assert second.report["requests"] == {side: counted[side]["requests"] for side in ("grist", "shopify")}
    assert second.report["points"] == counted["shopify"]["points"]
    assert second.report["totals"] == dict.fromkeys(COUNTS, 0) | {"unchanged": 20}
    assert first.err == second.err == ""


def test_everything_is_read_where_somebody_says_so(desk):
    """Otherwise a sync asks both sides what changed, and reads nothing where nothing did."""
    assert desk.quick().code == 0
    for _ in range(8):  # what was written a moment ago is told once more by the store
        if desk.quick("--json").report["requests"] == {"grist": 1, "shopify": 1}:
            break
        time.sleep(0.5)
    read = {}
    for name, options in (("changes", []), ("everything", ["--everything"]), ("dry", ["--dry-run", "--everything"])):
        desk.reset()
        done = desk.quick("--json", *options)
        assert done.code == 0, done
        assert done.report["totals"] == dict.fromkeys(COUNTS, 0) | {"unchanged": 20}
        counted = desk.counts()
        read[name] = counted["shopify"]["requests"], counted["grist"]["requests"]
    assert read["changes"] == (1, 1)
    assert min(read["everything"]) > 1
    assert min(read["dry"]) > 1
    assert "\nOnly what changed was read.\n" in desk.quick().out
    assert "\nEverything was read" in desk.quick("--everything").out


def test_both_ways_then_a_conflict_waits(desk):
    desk.quick()
    desk.edit("Variants", 1, Price=77)
    desk.staff(variant={"sku": "LIN-M"}, set={"price": "55.00"})
    done = desk.quick("--json")
    assert done.code == 0, done
    variants = next(one for one in done.report["mappings"] if one["resource"] == "variants")
    assert (variants["updated"], variants["to_shopify"], variants["to_grist"]) == (2, 1, 1)
    prices = {row["SKU"]: row["Price"] for row in desk.rows("Variants").values()}
    assert (prices["LIN-S"], prices["LIN-M"]) == (77, 55)

    desk.edit("Variants", 1, Price=1)
    desk.staff(variant={"sku": "LIN-S"}, set={"price": "2.00"})
    desk.reset()
    waits = desk.quick("--json")
    assert waits.code == 3, waits
    assert waits.report["totals"]["conflicts"] == 1
    counted = desk.counts()
    assert (counted["shopify"]["writes"], counted["grist"]["writes"]) == (0, 0)


def test_a_dry_run_leaves_no_trace_anywhere(desk):
    assert desk.quick("--check").code == 0
    first = desk.run("--dry-run", "--json")
    assert first.code == 0, first
    assert first.report["state"] == "preview"
    assert first.report["plan_total"] == 20
    assert desk.tables() == {"Table1"}
    empty = dump(desk)
    counted = re.compile(r"""INSERT INTO "(alembic_version" |sqlite_sequence" VALUES\('\w+',0\);)""")  # no id was given
    assert not [line for line in empty if line.startswith("INSERT") and not counted.match(line)]

    assert desk.quick().code == 0
    desk.edit("Variants", 1, Price=77)
    desk.staff(variant={"sku": "LIN-M"}, set={"price": "55.00"})
    (desk.folder / "sync.yaml").write_text(
        (desk.folder / "sync.yaml").read_text().replace("cost: Cost", "cost: Cost, barcode: Barcode"))
    before, tables = dump(desk), desk.rows("Variants")
    desk.reset()
    done = desk.quick("--dry-run", "--json")
    assert done.code == 0, done
    counted = desk.counts()
    assert (counted["shopify"]["writes"], counted["grist"]["writes"]) == (0, 0)
    assert (dump(desk), desk.rows("Variants")) == (before, tables)
    prices = {(line["side"], line["before"], line["after"]) for line in done.report["plan"] if line["field"] == "price"}
    assert prices == {("shopify", "42.00", "77.00"), ("grist", "42.00", "55.00")}

    people = desk.quick("--dry-run")
    assert "→ Shopify  Variants  Linen shirt - S  Price: 42.00 → 77.00" in people.out
    assert "Nothing has been written." in people.out


def test_only_the_fields_that_were_named_take_part(desk):
    desk.quick()
    desk.edit("Variants", 1, Price=77, SKU="NEW-S")
    desk.edit("Products", 1, Title="Other")
    one = desk.quick("--fields=price", "--json")
    assert one.report["totals"]["updated"] == 1
    assert [m["resource"] for m in one.report["mappings"]] == ["variants"]
    group = desk.quick("--fields", " inventory , sku ", "--json")
    assert group.report["totals"]["updated"] == 1
    assert {m["resource"] for m in group.report["mappings"]} == {"variants", "inventory", "locations"}
    rest = desk.quick("--json")
    assert rest.report["totals"]["updated"] == 1

    desk.reset()
    unknown = desk.quick("--fields=pricee,title")
    assert unknown.code == 2
    assert "“pricee” is not among the mapped fields. Did you mean price?" in unknown.err
    assert "Known groups are inventory, metadata, price, sku; known fields are address1" in unknown.err
    assert desk.quick("--dry-run", "--fields=pricee").code == 2
    assert desk.quick("--fields=,").code == 2
    assert desk.counts()["shopify"]["writes"] == desk.counts()["grist"]["writes"] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_continuous_prints_a_line_a_run_and_ends_cleanly(desk, number):
    process = desk.start("--mode=continuous", "--interval=5s", "--json")
    lines = lines_of(process, 2 if number == signal.SIGTERM else 1)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert [json.loads(line)["state"] for line in lines] == ["done"] * len(lines)
    assert out == ""
    assert "Stopped. Nothing is half done." in err
    if number == signal.SIGTERM:
        assert json.loads(lines[1])["totals"]["created"] == 0
        assert re.search(r"about [\d,]{6,} calls a day; hosted Grist's free plan allows 5,000", err)
    assert "Traceback" not in err


def test_stopped_in_the_middle_it_finishes_the_batch_and_the_next_run_goes_on(desk):
    desk.faults("grist", *[{"delay_seconds": 0.15}] * 200)
    process = desk.start("--mode=continuous", "--interval=1h", "--json")
    deadline = time.monotonic() + 20
    while desk.tables() == {"Table1"} and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    report = json.loads(out)
    assert report["state"] == "cancelled"
    assert "after the batch in hand" in report["message"]
    assert report["totals"]["created"] < 20
    desk.reset()
    assert desk.quick("--json").code == 0
    assert desk.quick("--json").report["totals"]["unchanged"] == 20
    assert len(desk.rows("Variants")) == 5


def test_a_killed_sync_is_gone_on_with_once_its_lease_has_ended(desk):
    desk.faults("grist", *[{"delay_seconds": 0.15}] * 200)
    process = desk.start("--json")
    deadline = time.monotonic() + 20
    while desk.tables() == {"Table1"} and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.communicate(timeout=20)
    desk.reset()
    connection = sqlite3.connect(desk.database, timeout=10)
    with connection:  # as another machine has it, of which nobody here knows whether it lives
        connection.execute("update run set owner = 'other-boot/1:1:1:x' where state = 'running'")
    waiting = desk.start("--json")
    assert waiting.stderr is not None
    assert "Another sync of this document is running" in waiting.stderr.readline()
    with connection:
        connection.execute("update run set lease_until = 0 where state = 'running'")
    connection.close()
    out, err = waiting.communicate(timeout=30)
    assert waiting.returncode == 0, err
    assert json.loads(out)["state"] == "done"
    assert len(desk.rows("Variants")) == 5
    assert len(desk.rows("Inventory")) == 10


def test_a_sync_that_was_killed_on_this_machine_is_gone_on_with_at_once(desk):
    desk.quick()
    program = "from backend.jobs import owners; print(owners.new_owner())"
    gone = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    connection = sqlite3.connect(desk.database, timeout=10)
    with connection:
        connection.execute("update run set state = 'running', finished_at = null, owner = ?, lease_until = 4e9",
                           [gone.stdout.strip()])
    connection.close()
    done = desk.quick("--json")
    assert (done.code, done.report["state"]) == (0, "done")
    assert "Another sync" not in done.err


def test_two_commands_at_once_run_one_after_the_other(desk):
    desk.quick()
    desk.edit("Variants", 1, Price=77)
    both = [desk.start("--json"), desk.start("--json")]
    reports = [json.loads(process.communicate(timeout=40)[0]) for process in both]
    assert sorted(report["totals"]["updated"] for report in reports) == [0, 1]
    assert desk.counts()["shopify"]["writes"] == 1


@pytest.mark.parametrize(("environment", "coloured"), [({"NO_COLOR": "1"}, False), ({}, True)])
def test_a_terminal_gets_a_bar_and_no_colours_where_none_are_wanted(desk, environment, coloured):
    reading, writing = pty.openpty()
    told = desk.told({"TERM": "xterm-256color", **environment})
    process = subprocess.Popen(COMMAND, cwd=desk.folder, env=told, stdin=writing, stdout=writing, stderr=writing)
    os.close(writing)
    shown = b"".join(iter(lambda: read_on(reading), b""))
    os.close(reading)
    assert process.wait(20) == 0
    assert bool(re.search(rb"\x1b\[[0-9;]*3[0-9][0-9;]*m", shown)) is coloured
    assert b"Reading" in shown
    assert b"Inventory" in shown


def read_on(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # what a terminal says when its other end was closed
        return b""


def test_names_of_the_document_and_store_in_the_file_are_enough(desk):
    config = desk.folder / "sync.yaml"
    config.write_text(f"store: fieldhouse\ndocument: {desk.grist_url}/doc/{DOCUMENT}\n" + config.read_text())
    done = desk.quick("--json", SHOPIFY_STORE=None, GRIST_DOC_ID=None, GRIST_SERVER_URL="http://127.0.0.1:1")
    assert done.code == 0, done

"""The command line's own words: help, usage, exit codes, and that every trouble is a sentence."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from cli_helpers import KEY, SYNC_YAML, TOKEN, Desk, a_desk

from backend import __version__
from backend.config import parse
from backend.shopify.resources import RESOURCES

IMPATIENT = [sys.executable, "-c", f"""
import sys
sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})
from backend import http
http.tenacity.stop_before_delay = lambda seconds: http.tenacity.stop.stop_before_delay(0.3)
from backend.cli import main
main()
"""]
"""The command, giving a service up after a moment instead of a minute."""


@pytest.fixture
def closed(tmp_path: Path) -> Desk:
    """A desk whose store and document are not needed: nobody listens there."""
    return Desk(tmp_path, "http://127.0.0.1:9", "http://127.0.0.1:9")


def test_help_shows_every_option_examples_and_exit_codes(closed):
    done = closed.run("--help")
    assert done.code == 0
    for option in ("mode", "interval", "fields", "config", "dry-run", "json", "init", "check", "go-on", "everything",
                   "version"):
        assert f"--{option}" in done.out
    assert "python shopify_grist_sync.py --mode=continuous --interval=15" in done.out
    assert "4  stopped by a brake" in done.out
    assert done.err == ""


def test_a_shell_completes_options(closed):
    asked = {"_SHOPIFY_GRIST_SYNC_PY_COMPLETE": "bash_complete", "COMP_WORDS": "shopify_grist_sync.py --ev",
             "COMP_CWORD": "1"}
    assert "--everything" in closed.run(**asked).out


def test_version(closed):
    assert __version__ in closed.quick("--version").out


@pytest.mark.parametrize(("arguments", "says"), [
    (["--mode=twice"], "'twice' is not one of 'once', 'continuous'"),
    (["--nonsense"], "--nonsense"),
    (["--interval=15"], "--interval goes with --mode=continuous"),
    (["--mode=continuous", "--interval="], "“” is not an interval. Write minutes, as in 15"),
    (["--mode=continuous", "--interval=4s"], "“4s” is not an interval"),
    (["--fields="], "--fields names no field"),
    (["--fields", " , "], "--fields names no field"),
    (["--config=nothing.yaml"], "nothing.yaml cannot be read"),
    (["extra"], "unexpected extra argument"),
])
def test_wrong_usage_ends_with_2(closed, arguments, says):
    done = closed.quick(*arguments)
    assert done.code == 2, done
    assert says in done.err
    assert done.out == ""


@pytest.mark.parametrize(("environment", "says"), [
    ({"SHOPIFY_STORE": None}, "No Shopify store is named. Set SHOPIFY_STORE"),
    ({"SHOPIFY_STORE": "my shop"}, "my shop"),
    ({"SHOPIFY_ACCESS_TOKEN": None}, "There is no key for the Shopify store. Set SHOPIFY_ACCESS_TOKEN"),
    ({"SHOPIFY_ACCESS_TOKEN": "shpss_a-client-secret"}, "is the app's client secret"),
    ({"GRIST_API_KEY": None}, "There is no key for the Grist document. Set GRIST_API_KEY"),
    ({"GRIST_DOC_ID": None}, "Set GRIST_DOC_ID, or document: in sync.yaml"),
    ({"GRIST_DOC_ID": "https://docs.getgrist.com/ws/12"}, "is the address of a workspace"),
    ({"DATABASE_URL": "mysql://user:hidden-password@host/name"}, "DATABASE_URL is not an address"),
    ({"DYNO": "web.1"}, "The disk of Heroku is wiped"),
    ({"SYNC_INTERVAL": "soon"}, "“soon” is not an interval"),
    ({"SYNC_CONFIG": "other.yaml"}, "other.yaml cannot be read"),
    ({"LOG_LEVEL": "chatty"}, "LOG_LEVEL is “CHATTY”. Write DEBUG, INFO"),
])
def test_wrong_settings_end_with_2(closed, environment, says):
    for arguments in (["--check"], [], ["--dry-run", "--json"]):
        done = closed.quick(*arguments, **{"DATABASE_URL": "sqlite://"} | environment)
        assert done.code == 2, done
        assert says in done.err
        assert "hidden-password" not in done.err
        assert done.out == ""


def test_a_database_that_cannot_be_opened_ends_with_2(closed, tmp_path):
    missing = closed.quick(DATABASE_URL=f"sqlite:///{tmp_path}/no/such/folder/sync.db")
    assert (missing.code, missing.out) == (2, "")
    assert "The database cannot be opened: unable to open database file" in missing.err
    (tmp_path / "text.db").write_text("this is no database, and it is long enough to be seen as none " * 20)
    other = closed.quick(DATABASE_URL=f"sqlite:///{tmp_path}/text.db")
    assert (other.code, other.out) == (2, "")
    assert "file is not a database" in other.err
    nobody = closed.quick(DATABASE_URL="postgres://user:hidden-password@127.0.0.1:9/name?connect_timeout=2")
    assert (nobody.code, nobody.out) == (2, "")
    assert "The database cannot be opened" in nobody.err
    assert "hidden-password" not in nobody.err


def test_a_mistake_in_the_file_is_told_with_file_line_and_column(closed):
    (closed.folder / "sync.yaml").write_text("mappings:\n  - resource: products\n    fields: {tittle: T}\n")
    done = closed.quick()
    assert done.code == 2
    assert done.err.startswith("sync.yaml, line 3, column 14: Products have no field “tittle”. Did you mean title?")
    (closed.folder / "sync.yaml").rename(closed.folder / "mine.yaml")
    assert closed.quick("--config=mine.yaml").err.startswith("mine.yaml, line 3")
    assert closed.quick("--check", SYNC_CONFIG="mine.yaml").err.startswith("mine.yaml, line 3")


def test_without_a_file_it_says_how_to_get_one(closed):
    (closed.folder / "sync.yaml").unlink()
    for arguments in ([], ["--dry-run"]):
        done = closed.quick(*arguments)
        assert done.code == 2
        assert "There is no sync.yaml" in done.err
        assert "--init" in done.err


def test_check_asks_nobody_and_leaves_no_trace(closed):
    done = closed.quick("--check")
    assert (done.code, done.out) == (0, "")
    assert "sync.yaml and the settings are in order." in done.err
    assert not closed.database.exists()
    assert closed.quick("--check", "--fields=pricee").code == 2
    (closed.folder / "sync.yaml").unlink()
    assert "There is no sync.yaml; --init writes one." in closed.quick("--check").err


def test_init_writes_a_file_that_works_and_never_overwrites(desk):
    desk.run()
    (desk.folder / "sync.yaml").unlink()
    desk.reset()
    done = desk.quick("--init", DATABASE_URL=f"sqlite:///{desk.folder}/untouched.db")
    assert done.code == 0, done
    assert done.out == ""
    assert "Wrote sync.yaml" in done.err
    assert not (desk.folder / "untouched.db").exists()
    assert desk.counts()["shopify"]["writes"] == desk.counts()["grist"]["writes"] == 0
    written = (desk.folder / "sync.yaml").read_text("utf-8")
    config = parse(written, RESOURCES)
    mapped = {one["resource"]: one for one in config.mappings}
    assert mapped.keys() >= {"products", "variants", "locations", "inventory"}
    assert mapped["variants"]["fields"]["cost"]["column"] == "Cost"
    synced = desk.quick("--json")
    assert synced.code == 0, synced
    created = {one["resource"]: one["created"] for one in synced.report["mappings"]}
    assert [created[name] for name in ("products", "variants", "locations", "inventory")] == [0] * 4
    again = desk.quick("--json").report["totals"]
    assert (again["created"], again["updated"]) == (0, 0)

    again = desk.quick("--init")
    assert again.code == 2
    assert "sync.yaml exists already" in again.err
    assert (desk.folder / "sync.yaml").read_text("utf-8") == written
    nowhere = desk.quick("--init", "--config=no/such/folder/sync.yaml")
    assert nowhere.code == 2
    assert "cannot be written" in nowhere.err


@pytest.mark.parametrize(("environment", "says"), [
    ({"SHOPIFY_ACCESS_TOKEN": "shpat_" + "0" * 32}, "Shopify"),
    ({"SHOPIFY_ACCESS_TOKEN": None, "SHOPIFY_CLIENT_ID": "nobody", "SHOPIFY_CLIENT_SECRET": "hidden"}, "client id"),
    ({"GRIST_API_KEY": "wrong-key"}, "Grist"),
    ({"GRIST_DOC_ID": "NoSuchDocumentHere1234"}, "document"),
])
@pytest.mark.parametrize("arguments", [["--json"], ["--dry-run", "--json"], ["--init", "--config=new.yaml"]],
                         ids=["sync", "dry run", "init"])
def test_what_a_service_refuses_is_a_sentence_and_ends_with_1(desk, environment, says, arguments):
    done = desk.quick(*arguments, **environment)
    assert done.code in (1, 2), done
    assert says in done.err
    assert not {value for value in environment.values() if value and value in done.err + done.out} - {
        environment.get("GRIST_DOC_ID"), "nobody"}
    if "--json" in arguments:
        assert done.code == 1
        assert done.report["state"] == "failed"
        assert done.report["message"] in done.err
    assert desk.counts()["grist"]["writes"] == 0


@pytest.mark.parametrize("down", ["SHOPIFY_ADMIN_URL", "GRIST_SERVER_URL"])
def test_a_service_that_is_down_is_a_sentence_and_ends_with_1(desk, down):
    done = desk.run("--json", command=IMPATIENT, **{down: "http://127.0.0.1:9"})
    assert done.code == 1, done
    assert done.report["state"] == "failed"
    assert "cannot be reached. Sync again in a minute." in done.err.replace(", or broke off its answer", "")


def test_a_brake_ends_with_4_and_a_look_lets_it_go_on(tmp_path):
    text = SYNC_YAML.replace("    fields: {title", "    delete: {in_shopify: apply}\n    fields: {title", 1)
    with a_desk(tmp_path, products=4, config="brakes: {deletions: 0}\n" + text) as desk:
        desk.quick()
        desk.remove("Products", 1, 2)
        desk.reset()
        braked = desk.quick("--json")
        assert braked.code == 4, braked
        assert braked.report["state"] == "stopped"
        assert "gone from Grist" in braked.err
        assert "gone from Grist" in desk.quick("--dry-run").err
        assert desk.counts()["shopify"]["writes"] == 0
        assert desk.quick("--json", "--go-on").code in (0, 3)
        assert desk.counts()["shopify"]["writes"] > 0


def test_what_libraries_log_stays_out_of_standard_output_and_shows_no_secret(desk):
    done = desk.quick("--json", LOG_LEVEL="DEBUG", LOG_FORMAT="json")
    assert done.report["state"] == "done"
    assert [json.loads(line)["level"] for line in done.err.splitlines()]
    assert TOKEN not in done.err
    assert KEY not in done.err


def test_a_document_of_another_store_is_refused(desk):
    desk.quick()
    for arguments in ([], ["--dry-run"]):
        done = desk.quick(*arguments, SHOPIFY_STORE="another.myshopify.com")
        assert done.code == 2
        assert "connected to fieldhouse.myshopify.com already" in done.err


def test_a_row_that_shopify_refuses_ends_with_3(desk):
    desk.quick()
    desk.edit("Products", 1, Title="x" * 300)
    done = desk.quick("--json")
    assert done.code == 3, done
    assert done.report["totals"]["refused"] == 1

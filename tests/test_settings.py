"""Settings from the environment and `.env`, and that nothing secret in them ever shows itself."""

from __future__ import annotations

import json
import logging
import traceback
from pathlib import Path

import orjson
import pytest

from backend.errors import ConfigError
from backend.settings import Secret, Settings, parse_interval
from backend.store.db import Database, normalise

NO_FILE = Path("there-is-no-such-file.env")
HIDDEN = "shpss_hidden"


def settings(**environ: str) -> Settings:
    return Settings.from_environment(environ, NO_FILE)


def test_without_anything_the_usual_values_stand():
    bare = settings()
    assert (bare.shopify_version, bare.grist_server_url) == ("2026-10", "https://docs.getgrist.com")
    assert bare.database_url == "sqlite:///shopify-grist-sync.db"
    assert not bare.has_shopify
    assert not bare.has_credentials
    assert bare.interval_seconds is None


def test_every_name_of_the_specification_is_read():
    full = settings(
        SHOPIFY_STORE="a.myshopify.com", SHOPIFY_ACCESS_TOKEN="shpat_a", SHOPIFY_API_VERSION="2026-07",
        SHOPIFY_ADMIN_URL="http://127.0.0.1:9292/", GRIST_SERVER_URL="https://grist.example/", GRIST_API_KEY="key",
        GRIST_DOC_ID="abc123", GRIST_WORKSPACE_ID="12", DATABASE_URL="postgresql://u@h/d", SYNC_CONFIG="my.yaml",
        SYNC_INTERVAL="1h", SYNC_REST_SECONDS="2.5", ALLOWED_ORIGINS="https://a.example, https://b.example",
    )
    assert full.has_credentials
    assert full.shopify_token.reveal() == "shpat_a"
    assert (full.shopify_store, full.shopify_version) == ("a.myshopify.com", "2026-07")
    assert full.shopify_admin_url == "http://127.0.0.1:9292"
    assert (full.grist_server_url, full.grist_public_url) == ("https://grist.example", "https://grist.example")
    assert (full.grist_document, full.grist_workspace) == ("abc123", "12")
    assert (full.database_url, full.config_file) == ("postgresql://u@h/d", "my.yaml")
    assert (full.interval_seconds, full.rest_seconds) == (3600, 2.5)
    assert full.allowed_origins == ("https://a.example", "https://b.example")


def test_beside_a_token_key_and_secret_only_sign_webhooks():
    found = settings(SHOPIFY_ACCESS_TOKEN="shpat_a", SHOPIFY_API_KEY="id", SHOPIFY_API_SECRET=HIDDEN)
    assert found.shopify_token.reveal() == "shpat_a"
    assert (found.shopify_client_id, found.shopify_client_secret.reveal()) == ("", "")
    assert found.webhook_secret.reveal() == HIDDEN


def test_alone_key_and_secret_are_client_id_and_secret():
    found = settings(SHOPIFY_API_KEY="id", SHOPIFY_API_SECRET=HIDDEN)
    assert (found.shopify_client_id, found.shopify_client_secret.reveal()) == ("id", HIDDEN)
    assert found.webhook_secret.reveal() == HIDDEN
    assert found.has_shopify


def test_client_id_and_secret_by_their_own_names_come_first():
    found = settings(SHOPIFY_CLIENT_ID="own", SHOPIFY_CLIENT_SECRET="own-secret", SHOPIFY_API_KEY="id",
                     SHOPIFY_API_SECRET=HIDDEN)
    assert (found.shopify_client_id, found.shopify_client_secret.reveal()) == ("own", "own-secret")


@pytest.mark.parametrize("half", [{"SHOPIFY_CLIENT_ID": "id"}, {"SHOPIFY_CLIENT_SECRET": "secret"}])
def test_half_of_a_pair_is_no_credential(half):
    assert not settings(**half).has_shopify


def test_a_dotenv_file_is_read_and_the_environment_wins(tmp_path):
    file = tmp_path / ".env"
    file.write_text("\ufeff# mine\nexport SHOPIFY_STORE=file.myshopify.com\nGRIST_API_KEY='from file'\n", "utf-8")
    found = Settings.from_environment({"SHOPIFY_STORE": "environment.myshopify.com"}, file)
    assert found.shopify_store == "environment.myshopify.com"
    assert found.grist_api_key.reveal() == "from file"


def test_the_file_beside_the_command_is_found(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("GRIST_DOC_ID=abc123\n")
    monkeypatch.chdir(tmp_path)
    assert Settings.from_environment({}).grist_document == "abc123"


def test_a_dollar_in_a_secret_stays_one(tmp_path):
    file = tmp_path / ".env"
    file.write_text("GRIST_API_KEY=a${HOME}b$c\n")
    assert Settings.from_environment({"HOME": "/root"}, file).grist_api_key.reveal() == "a${HOME}b$c"


def test_a_dotenv_file_that_is_no_text_is_named(tmp_path):
    file = tmp_path / ".env"
    file.write_bytes(b"GRIST_API_KEY=\xff\xfe\n")
    with pytest.raises(ConfigError, match="cannot be read"):
        Settings.from_environment({}, file)


@pytest.mark.parametrize("url", ["postgres://u:p@h:5432/d?sslmode=require", "postgresql://u:p@h:5432/d?sslmode=require"])
def test_what_hosts_call_postgres_is_understood(url):
    assert normalise(url) == "postgresql+psycopg://u:p@h:5432/d?sslmode=require"


@pytest.mark.parametrize("url", ["nonsense", "mysql://u:hidden-password@h/d", "oracle://h", "postgresql+nothing://h/d",
                                 "postgresql+psycopg2://h/d", "sqlite+nothing:///x.db"])
def test_another_database_is_refused_in_a_sentence(url):
    with pytest.raises(ConfigError, match="DATABASE_URL is not an address") as caught:
        Database(url)
    assert "hidden-password" not in str(caught.value)


@pytest.mark.parametrize(("host", "name"), [({"DYNO": "web.1"}, "Heroku"), ({"RENDER": "true"}, "Render")])
def test_a_file_is_refused_where_the_disk_is_wiped(host, name):
    with pytest.raises(ConfigError, match=f"The disk of {name} is wiped.*Postgres"):
        settings(**host)
    assert settings(**host, DATABASE_URL="postgres://u@h/d").database_url == "postgres://u@h/d"


@pytest.mark.parametrize(("text", "seconds"), [("15", 900), ("20s", 20), ("15m", 900), (" 1h ", 3600), ("1d", 86_400),
                                               ("5s", 5), ("30d", 2_592_000)])
def test_intervals(text, seconds):
    assert parse_interval(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "4s", "-1", "1.5", "m", "15 min", "1w", "31d", "٣", "9" * 6000])
def test_what_is_no_interval_is_an_error_that_says_what_is(text):
    with pytest.raises(ConfigError, match=r"is not an interval.*20s, 15m, 1h"):
        parse_interval(text)


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", "1e400"])
def test_what_is_no_number_of_seconds_is_an_error(text):
    with pytest.raises(ConfigError, match="SYNC_REST_SECONDS is “"):
        settings(SYNC_REST_SECONDS=text)


def test_a_secret_shows_itself_nowhere(caplog):
    secret = Secret(HIDDEN)
    found = settings(SHOPIFY_API_SECRET=HIDDEN, SHOPIFY_API_KEY="id", GRIST_API_KEY=HIDDEN,
                     DATABASE_URL=f"postgres://user:{HIDDEN}@host/name")
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("backend.test").error("%s %r %s", secret, secret, found, extra={"secret": secret})
    try:
        raise RuntimeError(f"{secret} {secret!r} {secret:>9} {found}")
    except RuntimeError:
        trace = traceback.format_exc()
    shown = [str(secret), repr(secret), f"{secret}", "%s" % secret, "{:s}".format(secret), repr([secret]),  # noqa: UP031, UP032
             repr(found), str(found), trace, caplog.text, json.dumps({"s": secret}, default=str)]
    assert not [text for text in shown if HIDDEN in text]
    assert secret.reveal() == HIDDEN


def test_a_secret_cannot_be_taken_for_text():
    secret = Secret(HIDDEN)
    for misuse in (lambda: "Bearer " + secret, lambda: "".join([secret]), lambda: json.dumps(secret),
                   lambda: orjson.dumps(secret), lambda: secret[0], lambda: secret.encode()):
        with pytest.raises((TypeError, AttributeError)):
            misuse()


def test_a_secret_is_true_and_equal_by_what_it_holds():
    assert Secret("a") == Secret("a") != Secret("b")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != "a"
    assert Secret("a")
    assert not Secret()


def test_when_many_changes_go_as_files_is_said_in_minutes() -> None:
    assert settings(SYNC_FILES_AFTER_MINUTES="2.5").files_after_seconds == 150
    assert settings(SYNC_FILES_AFTER_MINUTES="0").files_after_seconds == 0
    assert settings().files_after_seconds is None
    with pytest.raises(ConfigError, match="no number of minutes"):
        settings(SYNC_FILES_AFTER_MINUTES="soon")


def test_how_often_everything_is_read_is_an_interval_or_off() -> None:
    said = settings(SYNC_AUDIT="6h", SYNC_STOCK_AUDIT="off")
    assert (said.audit_seconds, said.stock_audit_seconds) == (21_600, 0)
    assert settings().audit_seconds is None
    with pytest.raises(ConfigError, match="is not an interval"):
        settings(SYNC_AUDIT="often")

"""Settings, from the environment or a `.env` file beside where the command is run. The environment wins."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from backend.errors import ConfigError

DEFAULT_DATABASE = "sqlite:///shopify-grist-sync.db"
DEFAULT_GRIST = "https://docs.getgrist.com"
DEFAULT_VERSION = "2026-10"
DEFAULT_NOTIFY_HOSTS = ("hooks.slack.com",)
LONGEST_INTERVAL_SECONDS = 30 * 86_400

NAMES = (
    "SHOPIFY_STORE",
    "SHOPIFY_ACCESS_TOKEN",
    "SHOPIFY_CLIENT_ID",
    "SHOPIFY_CLIENT_SECRET",
    "SHOPIFY_API_KEY",
    "SHOPIFY_API_SECRET",
    "SHOPIFY_API_VERSION",
    "SHOPIFY_ADMIN_URL",
    "GRIST_SERVER_URL",
    "GRIST_API_KEY",
    "GRIST_DOC_ID",
    "GRIST_WORKSPACE_ID",
    "GRIST_PUBLIC_URL",
    "DATABASE_URL",
    "SYNC_CONFIG",
    "SYNC_INTERVAL",
    "SYNC_REST_SECONDS",
    "SYNC_AUDIT",
    "SYNC_STOCK_AUDIT",
    "SYNC_FILES_AFTER_MINUTES",
    "ALLOWED_ORIGINS",
    "SHOPIFY_OLD_API_SECRET",
    "PUBLIC_URL",
    "SYNC_AT_ONCE",
    "SYNC_SETTLE_SECONDS",
    "NOTIFY_URL",
    "NOTIFY_MAIL",
    "NOTIFY_AFTER_SECONDS",
    "ALLOW_LOCAL_NOTIFY",
    "SMTP_URL",
    "SMTP_FROM",
    "METRICS_TOKEN",
    "SECRET_KEY",
    "NOTIFY_HOSTS",
)


class Secret:
    """Text that never shows itself in a message, a log, JSON or a traceback. `reveal()` gives it to who needs it.

    Not a `str`, so that nothing that takes text (joining, adding, encoding, JSON) can take it by mistake.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret(•••)"

    __str__ = __repr__

    def __format__(self, _: str) -> str:
        return repr(self)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def reveal(self) -> str:
        return self._text


@dataclass(frozen=True)
class Settings:
    """What a deployment is told. Absent text settings are empty."""

    shopify_store: str = ""
    shopify_token: Secret = field(default=Secret())
    shopify_client_id: str = ""
    shopify_client_secret: Secret = field(default=Secret())
    webhook_secret: Secret = field(default=Secret())
    shopify_version: str = DEFAULT_VERSION
    shopify_admin_url: str = ""
    grist_server_url: str = DEFAULT_GRIST
    grist_public_url: str = ""
    """How browsers reach Grist, where that is another address than the backend uses."""
    grist_api_key: Secret = field(default=Secret())
    grist_document: str = ""
    grist_workspace: str = ""
    database_url: str = field(default=DEFAULT_DATABASE, repr=False)
    """May hold a password, so it is not shown."""
    config_file: str = ""
    interval_seconds: int | None = None
    rest_seconds: float | None = None
    audit_seconds: int | None = None
    """How often everything is read although nothing says that it changed; 0 for never."""
    stock_audit_seconds: int | None = None
    """The same of stock, where Shopify does not tell of it by itself."""
    files_after_seconds: float | None = None
    """How long the points of many changes may take to come back before these go to Shopify as files; 0 for never."""
    allowed_origins: tuple[str, ...] = ()
    old_webhook_secret: Secret = field(default=Secret())
    """Shopify signs with the old secret or the new one while both exist."""
    public_url: str = ""
    """How services on the internet reach this backend; empty where they cannot, and there are no webhooks then."""
    at_once: int = 4
    settle_seconds: float | None = None
    notify_url: Secret = field(default=Secret())
    notify_mails: tuple[str, ...] = ()
    notify_after_seconds: float | None = None
    allow_local_notify: bool = False
    smtp_url: Secret = field(default=Secret())
    smtp_from: str = ""
    metrics_token: Secret = field(default=Secret())
    secret_key: Secret = field(default=Secret())
    """One or several, with commas between, the newest first: what stored secrets are sealed with."""
    notify_hosts: tuple[str, ...] = DEFAULT_NOTIFY_HOSTS
    """Where people may let messages be sent to: no other address that somebody typed is ever called."""
    wiped_disk: bool = False
    """Whether files of this machine are gone after a restart."""

    @property
    def has_shopify(self) -> bool:
        return bool(self.shopify_token or (self.shopify_client_id and self.shopify_client_secret))

    @property
    def has_credentials(self) -> bool:
        return self.has_shopify and bool(self.grist_api_key)

    @classmethod
    def from_environment(cls, environ: Dict[str, str] | None = None, dotenv: Path | None = None) -> Settings:
        """Raises ConfigError for a value that cannot be meant."""
        environ = os.environ if environ is None else environ
        values = {**_read_dotenv(dotenv if dotenv is not None else Path(".env")), **environ}
        said = {name: values.get(name, "").strip() for name in NAMES}
        token, secret = said["SHOPIFY_ACCESS_TOKEN"], said["SHOPIFY_API_SECRET"]
        # Beside an access token the specification's API key and secret only sign webhooks; alone they are the
        # Dev Dashboard's client id and secret.
        client_id = said["SHOPIFY_CLIENT_ID"] or ("" if token else said["SHOPIFY_API_KEY"])
        client_secret = said["SHOPIFY_CLIENT_SECRET"] or ("" if token else secret)
        database = said["DATABASE_URL"] or DEFAULT_DATABASE
        _refuse_wiped_disk(database, values)
        return cls(
            shopify_store=said["SHOPIFY_STORE"],
            shopify_token=Secret(token),
            shopify_client_id=client_id,
            shopify_client_secret=Secret(client_secret),
            webhook_secret=Secret(secret or client_secret),
            shopify_version=said["SHOPIFY_API_VERSION"] or DEFAULT_VERSION,
            shopify_admin_url=said["SHOPIFY_ADMIN_URL"].rstrip("/"),
            grist_server_url=(said["GRIST_SERVER_URL"] or DEFAULT_GRIST).rstrip("/"),
            grist_public_url=(said["GRIST_PUBLIC_URL"] or said["GRIST_SERVER_URL"] or DEFAULT_GRIST).rstrip("/"),
            grist_api_key=Secret(said["GRIST_API_KEY"]),
            grist_document=said["GRIST_DOC_ID"],
            grist_workspace=said["GRIST_WORKSPACE_ID"],
            database_url=database,
            config_file=said["SYNC_CONFIG"],
            interval_seconds=parse_interval(said["SYNC_INTERVAL"]) if said["SYNC_INTERVAL"] else None,
            rest_seconds=_seconds("SYNC_REST_SECONDS", said["SYNC_REST_SECONDS"]),
            audit_seconds=parse_audit(said["SYNC_AUDIT"]) if said["SYNC_AUDIT"] else None,
            stock_audit_seconds=parse_audit(said["SYNC_STOCK_AUDIT"]) if said["SYNC_STOCK_AUDIT"] else None,
            files_after_seconds=_minutes("SYNC_FILES_AFTER_MINUTES", said["SYNC_FILES_AFTER_MINUTES"]),
            allowed_origins=_list(said["ALLOWED_ORIGINS"]),
            old_webhook_secret=Secret(said["SHOPIFY_OLD_API_SECRET"]),
            public_url=_public_url(said["PUBLIC_URL"], values),
            at_once=_at_once(said["SYNC_AT_ONCE"]),
            settle_seconds=_seconds("SYNC_SETTLE_SECONDS", said["SYNC_SETTLE_SECONDS"]),
            notify_url=Secret(said["NOTIFY_URL"]),
            notify_mails=_list(said["NOTIFY_MAIL"]),
            notify_after_seconds=_seconds("NOTIFY_AFTER_SECONDS", said["NOTIFY_AFTER_SECONDS"]),
            allow_local_notify=_is_on(said["ALLOW_LOCAL_NOTIFY"]),
            smtp_url=_smtp_url(said["SMTP_URL"]),
            smtp_from=said["SMTP_FROM"] or "sync@localhost",
            metrics_token=Secret(said["METRICS_TOKEN"]),
            secret_key=Secret(said["SECRET_KEY"]),
            notify_hosts=tuple(h.lower() for h in re.split(r"[\s,]+", said["NOTIFY_HOSTS"]) if h)
            or DEFAULT_NOTIFY_HOSTS,
            wiped_disk=bool(_wiping_host(values)),
        )


def _read_dotenv(file: Path) -> dict[str, str]:
    """What stands in `file`; nothing where there is none. `$` in a secret is a `$`: nothing is put in its place."""
    if not file.is_file():
        return {}
    from dotenv import dotenv_values  # late: where a host sets the environment there is no such file

    try:
        found = dotenv_values(file, interpolate=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{file} cannot be read.", cure="Save it as plain text in UTF-8, readable for whoever runs this."
        ) from error
    return {name: value or "" for name, value in found.items()}


_UNITS = {"": 60, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def parse_interval(text: str) -> int:
    """Seconds from `15` (minutes), `20s`, `15m`, `1h` or `1d`; 5 seconds to 30 days. Raises ConfigError."""
    found = re.fullmatch(r"\s*([0-9]{1,7})\s*([smhd]?)\s*", text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 5 <= seconds <= LONGEST_INTERVAL_SECONDS:
        raise ConfigError(
            f"“{text[:40]}” is not an interval.",
            cure="Write minutes, as in 15, or 20s, 15m, 1h; at least 5s and at most 30d.",
        )
    return seconds


def parse_audit(text: str) -> int:
    """Seconds from an interval, 0 from `off`. Raises ConfigError."""
    return 0 if text.strip().lower() == "off" else parse_interval(text)


def _seconds(name: str, text: str) -> float | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,7}(\.[0-9]+)?", text):
        raise ConfigError(f"{name} is “{text[:40]}”, which is no number of seconds.", cure="Write 30, for example.")
    return float(text)


def _minutes(name: str, text: str) -> float | None:
    """Seconds of minutes, also of none."""
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]+)?", text):
        raise ConfigError(f"{name} is “{text[:40]}”, which is no number of minutes.", cure="Write 5, or 0 for never.")
    return float(text) * 60


def _list(text: str) -> tuple[str, ...]:
    """What stands between blanks and commas."""
    return tuple(one for one in re.split(r"[\s,]+", text) if one)


def _is_on(text: str) -> bool:
    return text.lower() not in ("", "0", "no", "off", "false")


def _public_url(text: str, environ: Dict[str, str]) -> str:
    """As said; else as Render says it. Raises ConfigError for what is no address."""
    url = (text or environ.get("RENDER_EXTERNAL_URL", "")).strip().rstrip("/")
    if url and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url):
        raise ConfigError("PUBLIC_URL is not an address.", cure="Write https://sync.example.com.")
    return url


def _at_once(text: str) -> int:
    if not text:
        return Settings.at_once
    if not re.fullmatch(r"[0-9]{1,2}", text) or not 1 <= int(text) <= 64:
        raise ConfigError(f"SYNC_AT_ONCE is “{text[:40]}”.", cure="Write a number from 1 to 64, 4 for example.")
    return int(text)


def _smtp_url(text: str) -> Secret:
    parts = urlsplit(text)
    if text and (parts.scheme not in ("smtp", "smtps") or not parts.hostname):
        raise ConfigError("SMTP_URL is not the address of a mail server.",
                          cure="Write smtp://user:password@mail.example:587, or smtps://….")
    return Secret(text)


def _refuse_wiped_disk(database: str, environ: Dict[str, str]) -> None:
    host = _wiping_host(environ)
    if host and database.startswith("sqlite"):
        raise ConfigError(
            f"The disk of {host} is wiped at every restart, and what has been agreed between Grist and Shopify "
            "must survive it.",
            cure="Add a Postgres database; its DATABASE_URL is used by itself.",
        )


def _wiping_host(environ: Dict[str, str]) -> str:
    return "Heroku" if environ.get("DYNO") else "Render" if environ.get("RENDER") else ""

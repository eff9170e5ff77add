"""Settings, from the environment or a `.env` file beside where the command is run. The environment wins."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values

from backend.errors import ConfigError, UserError

DEFAULT_DATABASE = "sqlite:///shopify-grist-sync.db"
DEFAULT_GRIST = "https://docs.getgrist.com"
DEFAULT_VERSION = "2026-10"

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
    "ALLOWED_ORIGINS",
)


class Secret(str):
    """Text that never shows itself in a message, a log or a traceback. `reveal()` gives it to who needs it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(•••)"

    __str__ = __repr__

    def __format__(self, _: str) -> str:
        return repr(self)

    def reveal(self) -> str:
        return str.__str__(self)


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
    database_url: str = DEFAULT_DATABASE
    config_file: str = ""
    interval_seconds: int | None = None
    rest_seconds: float | None = None
    allowed_origins: tuple[str, ...] = ()

    @property
    def has_shopify(self) -> bool:
        return bool(self.shopify_token or (self.shopify_client_id and self.shopify_client_secret))

    @property
    def has_credentials(self) -> bool:
        return self.has_shopify and bool(self.grist_api_key)

    @classmethod
    def from_environment(cls, environ: Dict[str, str] | None = None, dotenv: Path | None = None) -> Settings:
        """Raises UserError for a value that cannot be meant."""
        environ = os.environ if environ is None else environ
        file = dotenv if dotenv is not None else Path(".env")
        values = (
            {**{k: v or "" for k, v in dotenv_values(file).items()}, **environ} if file.is_file() else dict(environ)
        )
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
            allowed_origins=tuple(o for o in re.split(r"[\s,]+", said["ALLOWED_ORIGINS"]) if o),
        )


_UNITS = {"": 60, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def parse_interval(text: str) -> int:
    """Seconds from `15` (minutes), `20s`, `15m`, `1h` or `1d`; at least 5 s. Raises ConfigError."""
    found = re.fullmatch(r"\s*(\d+)\s*([smhd]?)\s*", text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if seconds < 5:
        raise ConfigError(
            f"“{text}” is not an interval.", cure="Write minutes, as in 15, or 20s, 15m, 1h; at least 5s."
        )
    return seconds


def _seconds(name: str, text: str) -> float | None:
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        raise ConfigError(
            f"{name} is “{text}”, which is no number of seconds.", cure="Write 30, for example."
        ) from None


def _refuse_wiped_disk(database: str, environ: Dict[str, str]) -> None:
    host = "Heroku" if environ.get("DYNO") else "Render" if environ.get("RENDER") else ""
    if host and database.startswith("sqlite"):
        raise UserError(
            f"The disk of {host} is wiped at every restart, and what has been agreed between Grist and Shopify "
            "must survive it.",
            cure="Add a Postgres database; its DATABASE_URL is used by itself.",
        )

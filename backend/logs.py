"""Logs: one fact a line, on standard error. Nothing secret and nobody's name is ever handed to a logger; what
libraries log of their own is kept to warnings."""

from __future__ import annotations

import logging
import os
import sys

from backend import __version__
from backend.errors import ConfigError


def set_up(level: str | None = None) -> None:
    """Lines for people on a terminal, JSON elsewhere (`LOG_FORMAT=plain|json` decides otherwise).

    `level` is DEBUG, INFO, WARNING or ERROR; without it LOG_LEVEL says, else it is INFO. Raises ConfigError.
    """
    wanted = (level or os.environ.get("LOG_LEVEL") or "INFO").strip().upper()
    if wanted not in logging.getLevelNamesMapping():
        raise ConfigError(f"LOG_LEVEL is “{wanted}”.", cure="Write DEBUG, INFO, WARNING or ERROR.")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(plain=os.environ.get("LOG_FORMAT", "plain" if sys.stderr.isatty() else "json")
                                == "plain"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("backend").setLevel(wanted)
    _tell_sentry(os.environ.get("SENTRY_DSN", "").strip())


class _Lines(logging.Formatter):
    """structlog's, made for the first line: a process that has nothing to say starts without it."""

    def __init__(self, *, plain: bool) -> None:
        super().__init__()
        self._plain = plain
        self._made: logging.Formatter | None = None

    def format(self, record: logging.LogRecord) -> str:
        self._made = self._made or _formatter(plain=self._plain)
        return self._made.format(record)


def _formatter(*, plain: bool) -> logging.Formatter:
    import structlog

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,  # run, link and mapping: jobs/perform.py
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty() and not os.environ.get("NO_COLOR"))
        if plain else structlog.processors.JSONRenderer()
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info, last],
    )


def _tell_sentry(address: str) -> None:
    """Tell Sentry of mistakes of ours, where an address says so. No values go there: neither local variables nor bodies
    of requests, nor who asked. Raises ConfigError where its package is not installed."""
    if not address:
        return
    try:
        import sentry_sdk  # type: ignore[import-not-found]  # nobody needs it who does not ask for it
    except ImportError as error:
        raise ConfigError("SENTRY_DSN is set, and Sentry's package is not installed.",
                          cure="Install it with pip install sentry-sdk, or leave SENTRY_DSN out.") from error
    sentry_sdk.init(
        dsn=address, release=__version__, send_default_pii=False, include_local_variables=False,
        max_request_body_size="never", traces_sample_rate=0.0,
    )

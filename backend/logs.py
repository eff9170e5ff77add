"""Logs: one fact a line, on standard error. Nothing secret and nobody's name is ever handed to a logger; what
libraries log of their own is kept to warnings."""

from __future__ import annotations

import logging
import os
import sys

import structlog

from backend.errors import ConfigError


def set_up(level: str | None = None) -> None:
    """Lines for people on a terminal, JSON elsewhere (`LOG_FORMAT=plain|json` decides otherwise).

    `level` is DEBUG, INFO, WARNING or ERROR; without it LOG_LEVEL says, else it is INFO. Raises ConfigError.
    """
    wanted = (level or os.environ.get("LOG_LEVEL") or "INFO").strip().upper()
    if wanted not in logging.getLevelNamesMapping():
        raise ConfigError(f"LOG_LEVEL is “{wanted}”.", cure="Write DEBUG, INFO, WARNING or ERROR.")
    plain = os.environ.get("LOG_FORMAT", "plain" if sys.stderr.isatty() else "json") == "plain"
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty() and not os.environ.get("NO_COLOR"))
        if plain else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info, last],
    ))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("backend").setLevel(wanted)

"""Logs: one fact a line, on standard error. Nothing secret and nobody's name is ever handed to a logger; what
libraries log of their own is kept to warnings."""

from __future__ import annotations

import logging
import os
import sys

import structlog


def set_up(level: str | None = None) -> None:
    """Lines for people on a terminal, JSON elsewhere (`LOG_FORMAT=plain|json` decides otherwise)."""
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
    logging.getLogger("backend").setLevel(level or os.environ.get("LOG_LEVEL", "INFO").upper())

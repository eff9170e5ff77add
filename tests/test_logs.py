"""The log: JSON on hosts, with run, link and mapping in every line of a run; Sentry only where it is asked for."""

from __future__ import annotations

import json
import logging
import sys
import types

import pytest
import structlog

from backend import logs
from backend.errors import ConfigError


@pytest.fixture(autouse=True)
def log_as_before(monkeypatch: pytest.MonkeyPatch):
    for name in ("LOG_FORMAT", "LOG_LEVEL", "SENTRY_DSN"):
        monkeypatch.delenv(name, raising=False)
    root, ours = logging.getLogger(), logging.getLogger("backend")
    before = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:], root.level, ours.level = before[0], before[1], before[2]


def test_a_line_on_a_host_is_json_with_run_link_and_mapping(monkeypatch, capsys):
    monkeypatch.setenv("LOG_FORMAT", "json")
    logs.set_up()
    with structlog.contextvars.bound_contextvars(run=7, link=3, mapping="Products"):
        logging.getLogger("backend.jobs").info("run %s: %d updated", 7, 12)
    logging.getLogger("backend.jobs").info("outside of any run")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert first["event"] == "run 7: 12 updated"
    assert (first["run"], first["link"], first["mapping"], first["level"]) == (7, 3, "Products", "info")
    assert "run" not in second


def test_sentry_is_not_touched_without_an_address(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    logs.set_up()


def test_sentry_without_its_package_is_told_in_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    monkeypatch.setenv("SENTRY_DSN", "https://key@sentry.example/1")
    with pytest.raises(ConfigError, match=r"not installed.*pip install sentry-sdk"):
        logs.set_up()


def test_sentry_gets_no_values(monkeypatch):
    said = {}
    monkeypatch.setitem(sys.modules, "sentry_sdk", types.SimpleNamespace(init=lambda **more: said.update(more)))
    monkeypatch.setenv("SENTRY_DSN", "https://key@sentry.example/1")
    logs.set_up()
    assert said["dsn"] == "https://key@sentry.example/1"
    assert (said["send_default_pii"], said["include_local_variables"], said["max_request_body_size"]) == (
        False, False, "never")

"""The suite tells every figure: one that fails, or that nothing takes yet, has a reason instead of a value."""

from __future__ import annotations

import pytest

from benchmarks import __main__ as suite
from benchmarks.__main__ import Wanted, figures

TWO = (Wanted("first", "requests", "<=", 2, "one"), Wanted("second", "ratio", ">=", 5, "one"))


def test_what_two_figures_come_from_is_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def take(size: int) -> dict[str, float]:
        sizes.append(size)
        return {"first": 2, "second": 4.5}

    monkeypatch.setitem(suite.SOURCES, "one", take)
    assert list(figures(TWO, 300)) == [
        {"name": "first", "value": 2, "unit": "requests", "target": "<= 2", "ok": True},
        {"name": "second", "value": 4.5, "unit": "ratio", "target": ">= 5", "ok": False},
    ]
    assert sizes == [300]


def test_a_figure_that_cannot_be_taken_is_told_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(size: int) -> dict[str, float]:
        raise AssertionError("a run that should be idle was not")

    monkeypatch.setitem(suite.SOURCES, "one", fail)
    told = list(figures(TWO, 300))
    assert [one["value"] for one in told] == [None, None]
    assert [one["ok"] for one in told] == [False, False]
    assert told[0]["reason"] == "AssertionError: a run that should be idle was not"


def test_a_figure_that_nothing_takes_yet_is_listed() -> None:
    (told,) = figures([Wanted("later", "MB", "<=", 300)], 300)
    assert (told["value"], told["ok"], told["reason"]) == (None, None, suite.UNBUILT)

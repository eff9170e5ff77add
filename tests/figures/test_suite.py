"""The suite tells every figure: one that cannot be taken has a reason instead of a value."""

from __future__ import annotations

import pytest

from benchmarks import __main__ as suite
from benchmarks.__main__ import Wanted, figures
from benchmarks.stage import Tell

TWO = (Wanted("first", "requests", "<=", 2, "one"), Wanted("second", "ratio", ">=", 5, "one"))


def test_what_two_figures_come_from_is_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def take(size: int, tell: Tell) -> dict[str, float]:
        sizes.append(size)
        return {"first": 2, "second": 4.5}

    monkeypatch.setattr(suite, "_measure", {"one": take}.__getitem__)
    assert list(figures(TWO, 300)) == [
        {"name": "first", "value": 2, "unit": "requests", "target": "<= 2", "ok": True},
        {"name": "second", "value": 4.5, "unit": "ratio", "target": ">= 5", "ok": False},
    ]
    assert sizes == [300]


def test_a_figure_that_cannot_be_taken_is_told_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(size: int, tell: Tell) -> dict[str, float]:
        raise AssertionError("a run that should be idle was not")

    monkeypatch.setattr(suite, "_measure", {"one": fail}.__getitem__)
    told = list(figures(TWO, 300))
    assert [one["value"] for one in told] == [None, None]
    assert [one["ok"] for one in told] == [False, False]
    assert told[0]["reason"] == "AssertionError: a run that should be idle was not"


def test_another_figure_may_suffice(monkeypatch: pytest.MonkeyPatch) -> None:
    either = [Wanted("web_p95_during_run", "ratio", "<=", 3, "one", instead="web_p95_ms")]
    for milliseconds, ok in ((20.0, True), (30.0, False)):
        monkeypatch.setattr(suite, "_measure", lambda source, milliseconds=milliseconds: lambda size, tell: {
            "web_p95_during_run": 4.0, "web_p95_ms": milliseconds})
        assert [one["ok"] for one in figures(either, 300)] == [ok]


@pytest.mark.parametrize("source", sorted({wanted.source for wanted in suite.SUITE}))
def test_every_figure_is_taken_by_a_module(source: str) -> None:
    assert (suite.ROOT / "benchmarks" / f"{source}.py").exists()

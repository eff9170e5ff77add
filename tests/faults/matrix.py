"""What is printed in the end: how many steps were covered, and how each fault did against each promise.

    edits                     115/115 steps   …
    fault \\ promise            P1   P2   P3 …
    killed before             657    ·    2 …      · kept in every case, else in how many it was not

The figures travel with the reports of the tests, so that they arrive from every worker of xdist.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import Any

import pytest

PROPERTY = "faults"


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """A hook of pytest, found by its name; nothing is printed where no crash test ran."""
    told = [json.loads(value) for reports in terminalreporter.stats.values() for report in reports
            for name, value in getattr(report, "user_properties", ()) if name == PROPERTY and report.when == "call"]
    if told and not getattr(config, "faults_were_told", False):
        config.faults_were_told = True  # type: ignore[attr-defined]  # this module may be there as two plugins
        terminalreporter.section("every-point crash test")
        for line in lines(told):
            terminalreporter.line(line)


def lines(told: list[dict[str, Any]]) -> list[str]:
    """`told`: one dict a test: chapter, points, fault, steps (numbers that the fault was played at), promises,
    broken {promise: cases}, known {promise: cases}."""
    points = {one["chapter"]: one["points"] for one in told}
    covered: dict[str, set[int]] = defaultdict(set)
    cases: Counter[str] = Counter()
    broken: dict[str, Counter[str]] = defaultdict(Counter)
    for one in told:
        covered[one["chapter"]].update(one["steps"])
        cases[one["fault"]] += one["cases"]
        broken[one["fault"]].update(one["broken"])
        broken[one["fault"]].update(one["known"])
    promises = list(told[0]["promises"])
    out = [f"{chapter:24} {len(covered[chapter])} covered / {number}" for chapter, number in points.items()]
    out.append(f"{'all':24} {sum(map(len, covered.values()))} covered / {sum(points.values())}")
    out.append("")
    out.append("Cases in which a promise was not kept, known bugs and named limits included; · is none.")
    out.append(f"{'fault':26}{'cases':>7}" + "".join(f"{name:>9}" for name in promises))
    for fault, number in cases.items():
        out.append(f"{fault:26}{number:>7}" + "".join(f"{broken[fault][name] or '·':>9}" for name in promises))
    out.append(f"{'all':26}{sum(cases.values()):>7}")
    return out

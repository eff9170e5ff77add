"""What is printed at the end of a run: the seconds of each part of the tests, summed over all processes.

    tests/engine            183 s   412 tests
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """A hook of pytest, found by its name."""
    seconds: Counter[str] = Counter()
    tests: Counter[str] = Counter()
    for report in (one for reports in terminalreporter.stats.values() for one in reports):
        if isinstance(report, pytest.TestReport):
            part = part_of(report.nodeid)
            seconds[part] += report.duration  # type: ignore[assignment]  # a Counter of fractions
            tests[part] += report.when == "call"
    if len(seconds) > 1:
        terminalreporter.section("seconds of each part, all processes together")
        for part, spent in seconds.most_common():
            terminalreporter.line(f"{part:24}{spent:6.0f} s{tests[part]:7} tests")


def part_of(nodeid: str) -> str:
    """`tests/engine/test_a.py::test_b` → `tests/engine`; a file that lies in no folder is a part by itself."""
    place = nodeid.partition("::")[0].split("/")
    return "/".join(place[:2])

"""`python -m benchmarks [--json] [--size N] [--only NAME ...]`: run the suite. One object a figure: name, value, unit,
target, ok; a figure that cannot be taken here has the value null and the reason.

Counts are exact; of times only ratios within one run mean anything, and the load they were taken at is told.
"""

from __future__ import annotations

import argparse
import json
import operator
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from benchmarks.stage import ROOT, Tell

__all__ = ["ROOT", "SUITE", "Wanted", "figures"]
SIZE = 100_000
COMPARED = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A figure: what it is counted in, and its target."""

    name: str
    unit: str
    bound: str
    target: float
    source: str
    """The module that takes it, together with others: its `measure(size, tell)` gives figures by name."""
    instead: str = ""
    """A figure of the same source that suffices where this one misses its target."""

    def told(self, value: float | None, reason: str = "") -> dict[str, Any]:
        ok = value is not None and COMPARED[self.bound](value, self.target)
        said = {"name": self.name, "value": None if value is None else round(value, 4), "unit": self.unit,
                "target": f"{self.bound} {self.target:g}", "ok": ok}
        return said | ({"reason": reason} if reason else {})


SUITE = (
    Wanted("idle_requests", "requests", "<=", 2, "syncing"),
    Wanted("idle_growth", "ratio", "<=", 1.2, "syncing"),
    Wanted("ten_edits_requests", "requests", "<=", 10, "syncing"),
    Wanted("requests_after_ten_edits", "requests", "<=", 10, "syncing"),
    Wanted("ten_edits_vs_audit", "ratio", ">=", 20, "syncing"),
    Wanted("ten_edits_vs_grist_api", "ratio", ">=", 50, "finding"),
    Wanted("audit_vs_floor", "ratio", "<=", 2.5, "floors"),
    Wanted("import_vs_floor", "ratio", "<=", 1.3, "floors"),
    Wanted("peak_mb_100k", "MB", "<=", 300, "memory"),
    Wanted("peak_mb_250k", "MB", "<=", 512, "memory"),
    Wanted("plan_rows_per_second", "rows/s", ">=", 200_000, "planning"),
    Wanted("noop_vs_vdirsyncer", "ratio", ">=", 5, "comparing"),
    Wanted("points_per_change", "ratio", "<=", 1.1, "costing"),
    Wanted("file_points", "share", "<=", 0.1, "filing"),
    Wanted("file_requests", "share", "<=", 0.2, "filing"),
    Wanted("throttle_use", "share", ">=", 0.95, "throttling"),
    Wanted("throttled_answers", "share", "<=", 0.01, "throttling"),
    Wanted("webhook_to_cell_p95", "ms", "<=", 300, "hearing"),
    Wanted("widget_5000_conflicts", "ms", "<=", 50, "drawing"),
    Wanted("widget_scroll_p95", "ms", "<=", 16, "drawing"),
    Wanted("web_p95_during_run", "ratio", "<=", 3, "answering", instead="web_p95_ms"),
    Wanted("web_p95_ms", "ms", "<=", 25, "answering", instead="web_p95_during_run"),
    Wanted("cold_start_vs_imports", "ratio", "<=", 1.3, "starting"),
)
BY_NAME = {wanted.name: wanted for wanted in SUITE}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a figure")
    parser.add_argument("--size", type=int, default=SIZE, help="variants, or rows, of the large figures")
    parser.add_argument("--only", nargs="+", choices=list(BY_NAME), metavar="NAME",
                        help="only these figures")
    options = parser.parse_args()
    suite = [wanted for wanted in SUITE if options.only is None or wanted.name in options.only]
    all_ok = True
    for figure in figures(suite, options.size):
        all_ok &= figure["ok"]
        print(json.dumps(figure) if options.json else _line(figure), flush=True)
    print(f"size {options.size:,}, load {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors", file=sys.stderr)
    return 0 if all_ok else 1


def figures(suite: Iterable[Wanted], size: int) -> Iterable[dict[str, Any]]:
    """Each figure of `suite`; what several of them come from is run once. One that cannot be taken says why."""
    taken: dict[str, dict[str, float] | str] = {}
    for wanted in suite:
        if wanted.source not in taken:
            try:
                taken[wanted.source] = _measure(wanted.source)(size, _tell)
            except Exception as error:  # whatever it is, it is told, and the other figures are still worth having
                taken[wanted.source] = f"{type(error).__name__}: {error}"
        found = taken[wanted.source]
        if isinstance(found, str):
            yield wanted.told(None, found)
            continue
        figure = wanted.told(found[wanted.name])
        other = BY_NAME.get(wanted.instead)
        if not figure["ok"] and other is not None and COMPARED[other.bound](found[other.name], other.target):
            figure |= {"ok": True, "reason": f"{other.name} is {found[other.name]:.4g}"}
        yield figure


def _measure(source: str) -> Callable[[int, Tell], dict[str, float]]:
    """What takes some figures, imported only now: each needs others of the tests' requirements."""
    found: Callable[[int, Tell], dict[str, float]] = import_module(f"benchmarks.{source}").measure
    return found


def _tell(said: str) -> None:
    print(said, file=sys.stderr, flush=True)


def _line(figure: dict[str, Any]) -> str:
    value = "-" if figure["value"] is None else f"{figure['value']:,g}"
    said = "ok" if figure["ok"] else "MISSED" if figure["value"] is not None else "NOT TAKEN"
    return (f"{figure['name']:<26} {value:>12} {figure['unit']:<9} target {figure['target']:<12} {said}"
            f" {figure.get('reason', '')}".rstrip())


if __name__ == "__main__":
    sys.exit(main())

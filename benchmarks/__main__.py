"""`python -m benchmarks [--json]`: run the suite. One object a figure: name, value, unit, target, ok."""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks.planning import rows_per_second
from benchmarks.throttling import throttle_use

PLAN_TARGET = 200_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a figure")
    options = parser.parse_args()
    rate = rows_per_second()
    figures = [{"name": "plan_rows_per_second", "value": round(rate), "unit": "rows/s", "target": f">= {PLAN_TARGET}",
                "ok": rate >= PLAN_TARGET}]
    used, throttled, _ = throttle_use(workers=1, calls=25)
    figures += [{"name": "throttle_use", "value": round(used, 4), "unit": "share", "target": ">= 0.95",
                 "ok": used >= 0.95},
                {"name": "throttled_answers", "value": round(throttled, 4), "unit": "share", "target": "<= 0.01",
                 "ok": throttled <= 0.01}]
    for figure in figures:
        print(json.dumps(figure) if options.json else
              f"{figure['name']:<24} {figure['value']:>12,} {figure['unit']:<8} target {figure['target']:<12} "
              f"{'ok' if figure['ok'] else 'MISSED'}")
    return 0 if all(figure["ok"] for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())

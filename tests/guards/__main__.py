"""Switch the guards off one by one and print which of them a test noticed: `make guards`.

    python -m guards [NAME …] [--jobs 2]

Ends with 1 where a guard could be switched off unnoticed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from .guards import GUARDS
from .running import switch_off


def main() -> int:
    parser = argparse.ArgumentParser(description="Switch guards off one by one.")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    args = parser.parse_args()
    chosen = [one for one in GUARDS if not args.names or one.name in args.names]
    began = time.monotonic()
    survived = []
    width = max(len(one.name) for one in chosen)
    with ThreadPoolExecutor(args.jobs) as pool:
        for guard, outcome in zip(chosen, pool.map(switch_off, chosen), strict=True):
            if not outcome.noticed:
                survived.append(guard.name)
            print(f"{guard.name:{width}}  {'·'.join(guard.promises):12} {outcome.said:9} {outcome.seconds:4.0f} s  "
                  f"{outcome.by}", flush=True)
    print(f"\n{len(chosen) - len(survived)} of {len(chosen)} guards have teeth, in {time.monotonic() - began:.0f} s")
    if survived:
        print("switched off and nobody noticed: " + ", ".join(survived))
    return bool(survived)


if __name__ == "__main__":
    sys.exit(main())

"""`peak_mb_100k`, `peak_mb_250k`: the largest resident size of a process of ours in a first import and in a full audit.

The stand-ins are in this process; each run is done by a process of its own, which tells at its end how large it was
(`VmHWM` of /proc, so on Linux only).

    python -m benchmarks.memory    in that process: does the next run of the database that its environment names
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.stage import Stage, Tell

SIZES = {"peak_mb_100k": 100_000, "peak_mb_250k": 250_000}


def measure(size: int, tell: Tell) -> dict[str, float]:
    """Where less than 100,000 variants are wished for, both are taken of that many, and of two and a half times."""
    return {name: _peak(min(usual, usual * size // SIZES["peak_mb_100k"]), tell) for name, usual in SIZES.items()}


def _peak(variants: int, tell: Tell) -> float:
    # Not in the process that is measured: the stand-ins are no part of ours.
    from benchmarks.stage import linked, shop, twelve_fields_of_variants

    with shop(variants, orders=0) as (store, answers, url), \
            linked(store, answers, url, twelve_fields_of_variants()) as one:
        start = _megabytes(one, [])
        first = _megabytes(one, ["sync"])
        one.settle()
        audit = _megabytes(one, ["sync", "everything"])
        again = _megabytes(one, ["sync", "everything"])
        tell(f"{one.variants:,} variants: {start:.0f} MB before a run, import {first:.0f} MB, first audit {audit:.0f}, "
             f"the next, which recognises, {again:.0f} MB")
        return max(first, audit)


def _megabytes(one: Stage, words: list[str]) -> float:
    done = subprocess.run([sys.executable, "-m", "benchmarks.memory", str(one.link_id), *words], check=True,
                          env=one.environment, capture_output=True, text=True, timeout=3600)
    return float(done.stdout)


def main(link_id: int, words: list[str]) -> None:
    from backend.app import Context
    from backend.jobs.perform import perform
    from backend.settings import Settings
    from backend.store import runs

    context = Context.open(Settings.from_environment(dotenv=Path("no.env")))
    if words:
        with context.database.write() as tx:
            runs.request(tx, link_id, "sync", "benchmark", {"everything": True} if "everything" in words else {})
            claimed = runs.claim(tx, "benchmark")
        assert claimed is not None
        outcome = perform(context, claimed, "benchmark")
        if outcome.error is not None:
            raise outcome.error
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(int(peak.split()[1]) / 1024)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])

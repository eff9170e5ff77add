"""`web_p95_during_run`, `web_p95_ms`: how long the web process takes to answer the widget while its worker reads and
compares everything, over how long it takes while nothing goes on. gunicorn by the Procfile, as a host runs it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from backend.store import runs
from benchmarks.stage import ROOT, Stage, Tell, linked, shop, twelve_fields_of_variants

IDLE_TIMES = 200
PAUSE_SECONDS = 0.01


def measure(size: int, tell: Tell) -> dict[str, float]:
    with shop(size, orders=0) as (store, answers, url), \
            linked(store, answers, url, twelve_fields_of_variants()) as one:
        one.first_sync(tell)
        one.settle()
        # From here on both services have their answers ready: they share the machine with what is measured.
        answers.keeps = one.grist.keeps = True
        one.run(everything=True)
        with _gunicorn(one) as base:
            asked = _Asked(one, base)
            idle = [asked.milliseconds() for _ in range(IDLE_TIMES)]
            with one.context.database.write() as tx:
                run_id = runs.request(tx, one.link_id, "sync", "benchmark", {"everything": True})
            busy = []
            while _goes_on(one, run_id):
                busy.append(asked.milliseconds())
    assert len(busy) >= 20, f"the run was over after {len(busy)} answers: take it of more variants"
    tell(f"answers: idle p95 {_p95(idle):.1f} ms, during a run over {one.variants:,} rows {_p95(busy):.1f} ms "
         f"({len(busy)} of them)")
    return {"web_p95_during_run": _p95(busy) / _p95(idle), "web_p95_ms": _p95(busy)}


class _Asked:
    """The state of the link, as a widget asks for it."""

    def __init__(self, one: Stage, base: str) -> None:
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {one.token()}"
        self.url = f"{base}/api/links/{one.link_id}/state"

    def milliseconds(self) -> float:
        time.sleep(PAUSE_SECONDS)
        began = time.perf_counter()
        self.session.get(self.url, timeout=60).raise_for_status()
        return (time.perf_counter() - began) * 1000


def _goes_on(one: Stage, run_id: int) -> bool:
    with one.context.database.read() as tx:
        found = runs.get(tx, run_id)
    assert found is not None
    assert found.state in ("queued", "running", "done"), found.message
    return found.state != "done"


def _p95(taken: list[float]) -> float:
    return sorted(taken)[int(len(taken) * 0.95)]


@contextmanager
def _gunicorn(one: Stage) -> Iterator[str]:
    """Its address."""
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "jobs")]
    from real_helpers import procfile  # type: ignore[import-not-found]

    with tempfile.TemporaryDirectory(prefix="sync-bench-") as folder:
        told = Path(folder) / "gunicorn.log"
        with told.open("wb") as log:
            process = subprocess.Popen(procfile("web"), env={**one.environment, "HOST": "127.0.0.1", "PORT": "0"},
                                       cwd=ROOT, stderr=log)
        try:
            deadline = time.monotonic() + 60
            while "Listening at: " not in told.read_text():
                assert time.monotonic() < deadline, told.read_text()
                time.sleep(0.05)
            base = told.read_text().partition("Listening at: ")[2].partition(" ")[0]
            while requests.get(f"{base}/readyz", timeout=60).status_code != 200:
                time.sleep(0.1)
            yield base
        finally:
            process.terminate()
            process.wait(60)

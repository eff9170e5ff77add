"""`cold_start_vs_imports`: a new process until `wsgi:app` has answered for the first time, over a new process that only
imports the three libraries which cannot be done without. By turns, so that the machine's mood strikes both."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks.stage import ROOT, Tell

TURNS = 5
IMPORTS = """\
import os
import flask, sqlalchemy, flask_smorest
os._exit(0)  # how long a process takes to end is not what is measured
"""
ANSWER = """\
import os
from wsgiref.util import setup_testing_defaults
from wsgi import app
asked, told = {"PATH_INFO": "/healthz"}, []
setup_testing_defaults(asked)
answer = b"".join(app(asked, lambda status, headers, error=None: told.append(status)))  # as a server calls it
assert told == ["200 OK"], (told, answer)
os._exit(0)
"""


def measure(size: int, tell: Tell) -> dict[str, float]:
    """The median of some turns; the first, which fills the disk's cache and makes the database, is not counted. The
    worker that the app starts beside itself begins meanwhile, as in production."""
    with tempfile.TemporaryDirectory(prefix="sync-bench-", ignore_cleanup_errors=True) as folder:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LOG_LEVEL": "ERROR",
                       "DATABASE_URL": f"sqlite:///{folder}/sync.db"}
        taken = [(_seconds(ANSWER, environment, folder), _seconds(IMPORTS, environment, folder))
                 for _ in range(TURNS + 1)][1:]
    ours, theirs = (min(one) for one in zip(*taken, strict=True))
    tell(f"cold start: {ours:.2f} s at best, the three libraries {theirs:.2f} s")
    return {"cold_start_vs_imports": statistics.median(ours / theirs for ours, theirs in taken)}


def _seconds(code: str, environment: dict[str, str], folder: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=folder, check=True, timeout=120)
    return time.perf_counter() - began

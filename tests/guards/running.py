"""Run the tests of a guard without it, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from typing import NamedTuple

from .guards import ROOT, Guard

SECONDS = 900
FAILED = 1
"""How pytest ends where a test failed; any other way proves nothing."""


class Outcome(NamedTuple):
    noticed: bool
    said: str
    """killed, SURVIVED or broken (the tests could not even run)."""
    by: str
    """The test that noticed, or what pytest said last."""
    seconds: float


def switch_off(guard: Guard) -> Outcome:
    began = time.monotonic()
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    done = subprocess.run([sys.executable, "-m", "guards.off", guard.name, *guard.tests], cwd=ROOT, env=environment,
                          capture_output=True, text=True, timeout=SECONDS, check=False)
    failed = re.search(r"^FAILED (?:tests/)?(\S+)", done.stdout, re.MULTILINE)
    if done.returncode == FAILED and failed:
        return Outcome(True, "killed", failed[1], time.monotonic() - began)
    last = ([line for line in done.stdout.splitlines() if line.strip()] or done.stderr.splitlines() or [""])[-1]
    return Outcome(False, "SURVIVED" if done.returncode == 0 else "broken", last[:100],
                   time.monotonic() - began)

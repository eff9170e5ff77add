"""Runs the widget's own tests (`*.test.js`: state, words, differences) with the Node that Playwright brings."""
from __future__ import annotations

import subprocess
from pathlib import Path

from playwright._impl._driver import compute_driver_executable

HERE = Path(__file__).parent


def test_the_pure_modules_pass_their_own_tests() -> None:
    node = str(compute_driver_executable()[0])
    files = sorted(str(path) for path in HERE.glob("*.test.js"))
    done = subprocess.run([node, "--test", "--test-reporter=tap", *files], capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(files) >= 3

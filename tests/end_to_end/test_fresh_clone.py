"""The README, followed word by word on a fresh clone with a virtual environment of its own: `make fresh`.

It takes most of a minute and asks the package index, as `make run` does for everybody who comes. So it is not among
the tests of `make test`, which CI has to end in a quarter of an hour.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from demo.__main__ import ROOT, _free_port, _wait_for
from demo.grist import Grist
from demo.grist import create_app as grist_app
from demo.serving import serving
from demo.shopify import Store
from demo.shopify import create_app as store_app

DEMO, SUITE = "make run", "make test"
VENV, INSTALL = "python3 -m venv .venv", ".venv/bin/python -m pip install --require-hashes -r requirements.txt"
SERVE = ".venv/bin/python -m gunicorn wsgi:app"
INIT, DRY_RUN, SYNC = (f".venv/bin/python shopify_grist_sync.py{option}" for option in (" --init", " --dry-run", ""))
FOLLOWED = [DEMO, SUITE, VENV, INSTALL, SERVE, INIT, DRY_RUN, SYNC]
MINUTES = 60
pytestmark = pytest.mark.timeout(10 * MINUTES)


def commands_of_the_readme() -> list[str]:
    blocks = re.findall(r"^ *```bash\n(.*?)^ *```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


def test_every_command_of_the_readme_is_followed_here() -> None:
    assert commands_of_the_readme() == FOLLOWED


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fresh") / "shopify-grist-sync"
    if (ROOT / ".git").exists():
        # Whoever owns the checkout: git clones from another person's folder only where it is told to.
        trusted = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
        subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], env=os.environ | trusted, check=True)
    else:  # an unpacked archive
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".venv", "*.db", ".env", "__pycache__"))
    return folder


def environment(**more: str) -> dict[str, str]:
    """What a newcomer's shell has: nothing of ours, and no virtual environment that is already there."""
    ours = re.compile(r"(SHOPIFY|GRIST|SYNC|DATABASE|VIRTUAL_ENV|PYTHON)")
    return {name: value for name, value in os.environ.items() if not ours.match(name)} | more


@contextmanager
def going(command: str, folder: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    """A command that runs until Ctrl-C; every process of it gets the signal, as from a terminal."""
    process = subprocess.Popen(command.split(), cwd=folder, env=environment(**more), text=True, start_new_session=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(30)
        if process.stdout:
            process.stdout.close()


def output_until(process: subprocess.Popen[str], last: str) -> str:
    lines = []
    assert process.stdout
    for line in process.stdout:
        lines.append(line)
        if last in line:
            return "".join(lines)
    raise AssertionError(f"{process.args} ended with {process.wait()}:\n{''.join(lines)}")


def test_make_run_says_what_the_readme_says(clone: Path, capfd: pytest.CaptureFixture[str]) -> None:
    begun = time.monotonic()
    with going(DEMO, clone, DEMO_ANY_PORT="1") as process:
        said = output_until(process, "Ctrl-C ends it.")
        seconds = time.monotonic() - begun
        assert (clone / ".venv" / "bin" / "python").exists()
        assert "First sync of 60 products" in said
        assert "document and store side by side, with a tour of five steps" in said
        opened = re.search(r"^Open +(\S+)$", said, re.MULTILINE)
        assert opened
        assert requests.get(opened[1], timeout=10).ok
        assert len(requests.get(f"{opened[1]}tour", timeout=10).json()["steps"]) == 5
    assert process.returncode in (0, -signal.SIGINT, 130), "Ctrl-C ends it"
    with capfd.disabled():
        print(f"\nmake run, from the clone to the address: {seconds:.0f} s")


def test_make_test_is_lint_and_all_tests(clone: Path) -> None:
    """The suite itself is what CI runs next: to run it here again would show nothing new."""
    planned = subprocess.run([*SUITE.split(), "-n"], cwd=clone, env=environment(), capture_output=True, text=True,
                             check=True).stdout
    for part in ("ruff check .", "mypy", "pytest -n auto"):
        assert part in planned


def test_the_commands_for_an_own_shop(clone: Path) -> None:
    grist = Grist()
    grist.new_document("Shop", "FreshDocument1")
    grist.add_key("fresh-key", role="owner")
    with (serving(store_app(Store(products=5, seed=1))) as store, serving(grist_app(grist)) as document):
        run(VENV, clone)
        run(INSTALL, clone)
        port = _free_port()
        with going(SERVE, clone, PORT=str(port), HOST="127.0.0.1") as process:
            _wait_for(f"http://127.0.0.1:{port}/healthz", process)  # type: ignore[arg-type]
            assert "/widget/" in requests.get(f"http://127.0.0.1:{port}/", timeout=10).text

        (clone / ".env").write_text(
            "SHOPIFY_STORE=fieldhouse.myshopify.com\nSHOPIFY_ACCESS_TOKEN=shpat_demo\n"
            f"GRIST_DOC_ID=FreshDocument1\nGRIST_API_KEY=fresh-key\nGRIST_SERVER_URL={document}\n"
            f"SHOPIFY_ADMIN_URL={store}\n", encoding="utf-8")
        assert "Wrote sync.yaml" in run(INIT, clone)
        assert "Nothing has been written." in run(DRY_RUN, clone)
        assert "Products" not in grist.documents["FreshDocument1"].tables
        said = run(SYNC, clone)
        assert re.search(r"^Products +5 +5 ", said, re.MULTILINE), said
        assert len(grist.documents["FreshDocument1"].table("Products").rows()) == 5


def run(command: str, folder: Path) -> str:
    """What a command said. Its exit code must be 0."""
    done = subprocess.run(command.split(), cwd=folder, env=environment(COLUMNS="120"), capture_output=True, text=True,
                          timeout=5 * MINUTES, check=False)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr

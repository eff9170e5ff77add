"""`noop_vs_vdirsyncer`: a sync of many items with nothing to do, against vdirsyncer's between two folders of as many
cards. Each as its users run it: ours by a worker that is there already, vdirsyncer by its command, of which the time
that it takes to say its version is taken off."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.stage import Tell, linked, shop, twelve_fields_of_variants

ITEMS = 10_000
TURNS = 5
CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:card-{0}\r\nN:Person;Number {0};;;\r\nFN:Number {0} Person\r\nEND:VCARD\r\n"
PAIR = """\
[general]
status_path = "{0}/status/"
[pair cards]
a = "one"
b = "two"
collections = null
[storage one]
type = "filesystem"
path = "{0}/one"
fileext = ".vcf"
[storage two]
type = "filesystem"
path = "{0}/two"
fileext = ".vcf"
"""


def measure(size: int, tell: Tell) -> dict[str, float]:
    items = min(size, ITEMS)
    with tempfile.TemporaryDirectory(prefix="sync-bench-") as name, shop(items, orders=0) as (store, answers, url), \
            linked(store, answers, url, twelve_fields_of_variants()) as one:
        folder = Path(name)
        theirs = _Vdirsyncer(folder, items)
        one.first_sync(tell)
        one.settle()
        turns = [(one.run().seconds, theirs.sync()) for _ in range(TURNS)]
        audit = one.run(everything=True)
        ours, other = (statistics.median(taken) for taken in zip(*turns, strict=True))
        tell(f"nothing to do in {items:,} items: ours {ours * 1000:.0f} ms, vdirsyncer {other * 1000:.0f} ms; a full "
             f"audit of ours {audit.seconds * 1000:.0f} ms")
        return {"noop_vs_vdirsyncer": other / ours}


class _Vdirsyncer:
    def __init__(self, folder: Path, items: int) -> None:
        self.config = folder / "config"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"}
        self.config.write_text(PAIR.format(folder))
        for side in ("one", "two"):
            (folder / side).mkdir()
            for i in range(items):
                (folder / side / f"card-{i}.vcf").write_bytes(CARD.format(i).encode())
        self._seconds("discover", "cards")
        self._seconds("sync")

    def sync(self) -> float:
        """Seconds of one sync with nothing to do, without those of starting the program."""
        began = self._seconds("--version")
        return self._seconds("sync") - began

    def _seconds(self, *words: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "vdirsyncer", "--config", str(self.config), "--verbosity=ERROR", *words],
                       env=self.environment, check=True, timeout=600, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began

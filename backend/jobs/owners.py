"""Who a worker is, told so that others on the same machine can find out for certain that it is dead.

    owner = machine's boot · pid namespace · pid · when the process began · a random part

Only a process of the same boot and namespace can look, and a number that was given to another process is told by
when that one began. Whoever cannot look (another machine, no /proc) knows nothing and waits for the lease.
"""

from __future__ import annotations

import logging
import os
import uuid
from pathlib import Path

from backend.store import runs
from backend.store.db import Database

log = logging.getLogger(__name__)

PROC = Path("/proc")


def place() -> str:
    """Which machine and which namespace of process ids this is; empty where that cannot be told."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink(PROC / "self/ns/pid")
    except OSError:
        return ""
    return f"{boot}/{namespace.partition('[')[2].rstrip(']')}"


def new_owner() -> str:
    """A name for this process as the owner of runs."""
    pid = os.getpid()
    return f"{place()}:{pid}:{_began(pid) or ''}:{uuid.uuid4().hex[:8]}"


def is_dead(owner: str) -> bool:
    """Whether the process of this name is gone for certain."""
    parts = owner.split(":")
    if len(parts) != 4 or not parts[0] or parts[0] != place() or not parts[1].isdigit() or not parts[2]:
        return False
    return _began(int(parts[1])) != parts[2]


def bury(database: Database) -> None:
    """Free the runs of processes that are dead for certain: others need not wait for their leases."""
    with database.read() as tx:
        held = runs.held(tx)
    for run_id, owner in held:
        if is_dead(owner):
            log.warning("the process that did run %s is dead; the run goes on", run_id)
            with database.write() as tx:
                runs.bury(tx, run_id, owner)


def _began(pid: int) -> str | None:
    """When a process began, in ticks since the boot; None for one that is gone or only waits to be buried."""
    try:
        # The name of the program, in brackets, may hold blanks and brackets of its own.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (OSError, IndexError):
        return None
    return None if fields[0] in ("Z", "X") else fields[19]

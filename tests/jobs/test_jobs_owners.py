"""Who is dead for certain, and who only may be."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from backend.jobs import owners


def test_a_living_process_is_not_dead_and_a_killed_one_is():
    program = "from backend.jobs import owners; print(owners.new_owner(), flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True)
    owner = process.stdout.readline().strip()
    assert not owners.is_dead(owner)
    process.kill()
    process.wait()  # until then it is a corpse that nobody has buried, and as dead
    assert owners.is_dead(owner)
    process.stdin.close()
    process.stdout.close()


def test_a_number_that_another_process_got_does_not_bring_an_owner_back():
    place, pid, began, chance = owners.new_owner().split(":")
    assert not owners.is_dead(f"{place}:{pid}:{began}:{chance}")
    assert owners.is_dead(f"{place}:{pid}:{int(began) - 1}:{chance}")


@pytest.mark.parametrize("owner", ["w1", "", "nobody", "cli:host:12", "other-boot/1:1:1:x", f":{os.getpid()}:1:x"],
                         ids=["w1", "nothing", "nobody", "the command line", "another boot", "no place"])
def test_nothing_is_said_of_another_machine(owner):
    assert not owners.is_dead(owner)


def test_where_nothing_can_be_known_nobody_is_dead(monkeypatch, tmp_path):
    owner = owners.new_owner()
    monkeypatch.setattr(owners, "PROC", tmp_path)
    assert not owners.is_dead(owner)
    assert owners.new_owner().startswith(":")

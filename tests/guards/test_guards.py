"""The list of guards is right, and a few of them are switched off at every run of the tests; `make guards` does all."""

from __future__ import annotations

import pytest

from .guards import GUARDS, ROOT, Guard
from .running import switch_off

QUICK = ("unread decides nothing", "a deletion needs a yes")


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_every_guard_is_where_the_list_says(guard: Guard) -> None:
    source = (ROOT / guard.file).read_text()
    compile(guard.without(source), guard.file, "exec")


@pytest.mark.parametrize("name", QUICK)
def test_a_guard_that_is_switched_off_is_noticed(name: str) -> None:
    guard = next(one for one in GUARDS if one.name == name)
    outcome = switch_off(guard)
    assert outcome.noticed, f"{name}: {outcome.said}, {outcome.by}"


def test_there_are_guards_for_every_promise_about_deciding() -> None:
    kept = {promise for guard in GUARDS for promise in guard.promises}
    assert {"P1", "P2", "P3", "P7", "P8", "P9", "P10", "P11", "P12", "P15", "P16", "P17", "P21"} <= kept

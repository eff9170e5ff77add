"""Whatever is recognised by its looks in a random world is as it was agreed: the values that nobody made of it are
those of the base."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

import pytest
from twins import MemoryGrist, MemoryShopify

from backend.core.model import Key, Mapping, Row, Snapshot
from backend.look import Looking
from backend.looks import Looks
from backend.store import base
from backend.work import Work

from .sim import Ground, play
from .story import story

SEEDS = range(8)


@pytest.fixture
def recognised(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many were recognised, by resource. Fails where one of them is not as agreed."""
    return watched(monkeypatch)


def watched(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    counted: Counter[str] = Counter()
    held: dict[tuple[str, str], dict[Key, Row]] = {}

    def remember(twin: type[Any], read: Any) -> None:
        def reading(self: Any, mapping: Mapping, keys: Collection[Key] | None = None,
                    looks: Looks | None = None) -> Snapshot:
            snapshot: Snapshot = read(self, mapping, keys, looks)
            if looks is not None and keys is None:
                of = (lambda key: self._shown(mapping.table, key)) if self.name == "grist" else self.thing
                held[self.name, mapping.name] = {
                    key: self._read_row(mapping, key, of(key)) for key in snapshot.recognised}
            return snapshot

        monkeypatch.setattr(twin, "read", reading)

    for twin in (MemoryGrist, MemoryShopify):
        remember(twin, twin.read)
    by_looks = Looking._by_looks

    def looked(self: Looking, one: Work) -> None:
        held.clear()
        by_looks(self, one)
        rows, things = one.local.recognised, one.remote.recognised
        counted[one.mapping.name] += len(things)
        with self._database.read() as tx:
            pairs = {pair.remote: pair for pair in base.pairs(tx, one.mapping, things={str(key) for key in things})}
        assert {pair.local for pair in pairs.values()} == rows
        assert pairs.keys() == things
        local = Snapshot(rows={key: held["grist", one.mapping.name][key] for key in rows})
        remote = Snapshot(rows={key: held["shopify", one.mapping.name][key] for key in things})
        local = self._directory.canonical_local(one.mapping, local)
        remote = self._directory.canonical_remote(one.mapping, remote)
        for thing, pair in pairs.items():
            assert local.rows[pair.local] == pair.base_local, f"row {pair.local} is not as agreed"
            assert remote.rows[thing] == pair.base_remote, f"{thing} is not as agreed"

    monkeypatch.setattr(Looking, "_by_looks", looked)
    return counted


def test_what_is_recognised_is_as_agreed(stage: Ground, recognised: Counter[str]) -> None:
    for seed in SEEDS:
        ended = play(stage, story(seed))
        assert not any("is not as agreed" in said for lines in ended.broken.values() for said in map(str, lines)), seed
    assert sum(recognised.values()) > 20, recognised

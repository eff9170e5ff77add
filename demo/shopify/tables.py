"""The store's tables: dicts that know their order, so that a page of a long list costs no more than one of a short."""
from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, TypeVar

from .model import Metafield

Thing = TypeVar("Thing")


class Table(dict[int, Thing]):
    """Things by number; `ids()` are the numbers in order. `version` moves with every thing that comes or goes."""

    def __init__(self) -> None:
        super().__init__()
        self._ids: list[int] | None = []
        self.version = 0

    def ids(self) -> list[int]:
        if self._ids is None:
            self._ids = sorted(self)
        return self._ids

    def __setitem__(self, number: int, thing: Thing) -> None:
        if number not in self:
            self.version += 1
            if self._ids is not None:
                if not self._ids or number > self._ids[-1]:
                    self._ids.append(number)
                else:
                    self._ids = None
        super().__setitem__(number, thing)

    def __delitem__(self, number: int) -> None:
        super().__delitem__(number)
        self._gone(number)

    def pop(self, number: int, *default: Any) -> Any:
        if number in self:
            self._gone(number)
        return super().pop(number, *default)

    def clear(self) -> None:
        super().clear()
        self._ids, self.version = [], self.version + 1

    def _gone(self, number: int) -> None:
        self.version += 1
        if self._ids is not None:
            at = bisect_left(self._ids, number)
            if at < len(self._ids) and self._ids[at] == number:
                del self._ids[at]


Key = tuple[str, str, str]  # (the owner's gid, namespace, key)


class MetafieldTable(dict[Key, Metafield]):
    """Metafields by owner, namespace and key; `of(owner)` finds an owner's own without looking at the others'."""

    def __init__(self) -> None:
        super().__init__()
        self._by_owner: dict[str, dict[Key, Metafield]] = {}

    def of(self, owner: str) -> Iterator[Metafield]:
        return iter(self._by_owner.get(owner, {}).values())

    def keys_of(self, owner: str) -> list[Key]:
        return list(self._by_owner.get(owner, ()))

    def __setitem__(self, key: Key, held: Metafield) -> None:
        super().__setitem__(key, held)
        self._by_owner.setdefault(key[0], {})[key] = held

    def __delitem__(self, key: Key) -> None:
        super().__delitem__(key)
        self._forget(key)

    def pop(self, key: Key, *default: Any) -> Any:
        self._forget(key)
        return super().pop(key, *default)

    def clear(self) -> None:
        super().clear()
        self._by_owner.clear()

    def _forget(self, key: Key) -> None:
        mine = self._by_owner.get(key[0])
        if mine is not None:
            mine.pop(key, None)
            if not mine:
                del self._by_owner[key[0]]

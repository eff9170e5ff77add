"""A row by the names of its fields, without a copy of it."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator
from collections.abc import Mapping as Dict

from backend.core.model import Row
from backend.core.values import Value


class Whole(Dict[str, Value]):
    """A row with all its values by name, without a dict of its own: a first sync plans as many as the store has
    things. `places` are the names in the order of the row."""

    __slots__ = ("_places", "_row")

    def __init__(self, places: Dict[str, int], row: Row) -> None:
        self._places, self._row = places, row

    def __getitem__(self, name: str) -> Value:
        return self._row[self._places[name]]

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def items(self) -> ItemsView[str, Value]:
        return dict(zip(self._places, self._row, strict=True)).items()

    def __repr__(self) -> str:
        return repr(dict(self.items()))

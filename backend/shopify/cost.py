"""Shopify's points: what a document costs, what is left, and how long to wait before sending it.

Points run back into a bucket at `restore_rate` a second (facts §3). The formula of a document's cost is not
published, so it is learned: the cost that Shopify worked out for a document stands in each of its answers, and
the next time the same document waits until that much is there. Asking too early costs a refusal and a pause.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SHORTEST_WAIT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Cost:
    """`extensions.cost` of one answer, in points; the rate in points a second."""

    requested: float
    actual: float | None
    available: float
    maximum: float
    restore_rate: float

    @classmethod
    def of(cls, raw: Any) -> Cost | None:
        """None where the answer carries no cost, or not one of this shape."""
        try:
            status = raw["throttleStatus"]
            actual = raw.get("actualQueryCost")
            return cls(float(raw["requestedQueryCost"]), None if actual is None else float(actual),
                       float(status["currentlyAvailable"]), float(status["maximumAvailable"]),
                       float(status["restoreRate"]))
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def wait_seconds(self) -> float:
        """How long until a throttled document can be sent again; at least one second, as Shopify asks."""
        if self.restore_rate <= 0:
            return SHORTEST_WAIT_SECONDS
        return max((self.requested - self.available) / self.restore_rate, SHORTEST_WAIT_SECONDS)


class Governor:
    """Holds a document back while the bucket cannot pay for it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._requested: dict[str, float] = {}
        self._last: Cost | None = None
        self._last_at = 0.0

    def learn(self, document: str, cost: Cost | None) -> None:
        if cost is not None:
            self._requested[document] = cost.requested
            self._last, self._last_at = cost, self._clock()

    def wait_seconds(self, document: str) -> float:
        """0 where the points are there, or nothing is known yet."""
        cost = self._requested.get(document)
        if cost is None or self._last is None or self._last.restore_rate <= 0:
            return 0.0
        last = self._last
        available = min(last.maximum, last.available + (self._clock() - self._last_at) * last.restore_rate)
        # More than the bucket can ever hold is for Shopify to refuse; waiting would never end.
        return max(min(cost, last.maximum) - available, 0.0) / last.restore_rate

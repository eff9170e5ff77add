"""The store's clock: real time until a test sets, freezes or advances it."""
from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Answers `now()` in UTC with whole seconds, as Shopify's DateTime has them."""

    def __init__(self, start: datetime | None = None, *, frozen: bool = False) -> None:
        self._offset = timedelta(0)
        self._advanced_seconds = 0.0
        self._frozen_at: datetime | None = None
        if start is not None:
            self.set(start, frozen=frozen)

    def now(self) -> datetime:
        return self.exact().replace(microsecond=0)

    def exact(self) -> datetime:
        """The moment with its fraction of a second: for lags and expiries, never shown."""
        return self._frozen_at if self._frozen_at is not None else datetime.now(UTC) + self._offset

    def monotonic(self) -> float:
        """Seconds that go on even while the clock is frozen: the rate limit's bucket fills by these."""
        return time.monotonic() + self._advanced_seconds

    def set(self, moment: datetime, *, frozen: bool = False) -> None:
        moment = moment.astimezone(UTC)
        self._offset = moment - datetime.now(UTC)
        self._frozen_at = moment if frozen else None

    def advance(self, seconds: float) -> None:
        self._advanced_seconds += max(0.0, seconds)
        if self._frozen_at is not None:
            self._frozen_at += timedelta(seconds=seconds)
        self._offset += timedelta(seconds=seconds)

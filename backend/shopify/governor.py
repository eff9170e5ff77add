"""Spend a store's points, and never more than it has.

    hold      the document's cost is taken out of what is left, at once, and stays taken while it is under way;
              whoever takes more than is there waits until it has run back, and is then the next in line
    settle    the answer says what it really cost and what the store has: the books follow
    throttled the books were wrong: what the answer says counts, and the same document waits its turn once more

What is left is reckoned from the last answer on and never overdrawn: points run back at `rate` a second (facts §3),
and what is under way counts as spent. All workers of a store share one ledger; it is changed in a moment and locked
by nobody while a request is under way. What a worker held that died is free again after `LOST_SECONDS`, or as soon as
an answer shows that the store has more.

A document's cost is what its last answer said, by its text and the page sizes asked for; at first the most that it
can cost (`cost.weigh`). One that is known to cost more than Shopify takes is not sent at all: TooCostly.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol, TypeVar

from backend.errors import TooCostly
from backend.shopify.cost import DEAREST, Cost, weigh

T = TypeVar("T")

LOST_SECONDS = 120.0
"""After this long a request that nobody settled is taken for lost: a request has 30 seconds, its repeats 60."""
WAIT_TOO_MUCH_SECONDS = 60.0


@dataclass(frozen=True)
class Books:
    """What a store has: `left` points at the moment `at` (seconds), less than nothing where more was promised."""

    left: float = 0.0
    at: float = 0.0
    maximum: float = 0.0
    rate: float = 0.0
    quiet_until: float = 0.0
    """Shopify asked everybody to be quiet until then."""
    held: tuple[tuple[str, float, float], ...] = ()
    """(key, points, until) of each document that is under way or waits for its turn."""

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Books:
        """From plain JSON; an empty object is of a store of which nothing is known."""
        return cls(**{**kept, "held": tuple((str(key), points, until) for key, points, until in kept.get("held", ()))})

    @property
    def known(self) -> bool:
        return self.rate > 0

    def on(self, now: float) -> Books:
        """As they stand at a later moment."""
        back = max(now - self.at, 0.0) * self.rate
        return replace(self, left=min(self.maximum, self.left + back), at=max(now, self.at),
                       held=tuple(one for one in self.held if one[2] > now))

    def plenty(self, points: float, now: float) -> bool:
        """Whether so much is there that nobody needs to know of these points: nothing is written for them."""
        books = self.on(now)
        return not books.held and now >= books.quiet_until and books.left - points >= books.maximum / 2

    def nearly(self, other: Books) -> bool:
        """Whether the difference is not worth writing down."""
        return (self.maximum, self.rate, self.held) == (other.maximum, other.rate, other.held) and (
            abs(self.on(other.at).left - other.left) <= self.maximum / 20 and other.left >= self.maximum / 2)

    def take(self, key: str, points: float, now: float) -> tuple[Books, float]:
        """The books with these points taken, and how many seconds until they are really there."""
        books = self.on(now)
        points = min(points, books.maximum)  # more than it can ever hold is for Shopify to refuse
        left = books.left - points
        wait = max(-left / books.rate if left < 0 else 0.0, books.quiet_until - now, 0.0)
        return replace(books, left=left, held=(*books.held, (key, points, now + wait + LOST_SECONDS))), wait

    def settle(self, key: str, cost: Cost | None, now: float) -> Books:
        """The document under `key` has come back; without `cost` nobody knows what it spent."""
        books = self.on(now) if self.known else self
        mine = sum(points for name, points, _ in books.held if name == key)
        books = replace(books, held=tuple(one for one in books.held if one[0] != key))
        if cost is None:
            return books
        others = sum(points for _, points, _ in books.held)
        left = books.left + mine - (cost.actual or 0.0)
        # Ours knows what is under way and not charged yet, Shopify's what we never heard of; both may be too high.
        left = min(max(left, cost.available - others), cost.available)
        return replace(books, left=left, at=now, maximum=cost.maximum, rate=cost.restore_rate)

    def throttled(self, key: str, cost: Cost, now: float) -> tuple[Books, float]:
        """Refused: what it takes is taken anew from what there really is. And the seconds until that is there."""
        books = self.on(now) if self.known else self
        others = sum(points for name, points, _ in books.held if name != key)
        left = min(books.left, cost.available - others - cost.requested)
        wait = max(-left / cost.restore_rate if cost.restore_rate > 0 else 0.0, cost.wait_seconds())
        held = (*(one for one in books.held if one[0] != key), (key, cost.requested, now + wait + LOST_SECONDS))
        return replace(books, left=left, at=now, maximum=cost.maximum, rate=cost.restore_rate, held=held), wait


class Ledger(Protocol):
    """Where the workers of one store keep their books together, as plain JSON."""

    def change(self, think: Callable[[dict[str, Any], float], tuple[dict[str, Any] | None, T]]) -> T:
        """Read the books, let `think(books, now)` say what they are from then on (None: as they were), and keep that,
        with nobody in between. `now` is the same clock for all workers, in seconds. Returns what `think` says."""
        ...

    def cost(self, document: str) -> float | None:
        """The points that a document cost last time, by its digest."""
        ...

    def note_cost(self, document: str, points: float) -> None:
        ...


class OwnLedger:
    """The books of a process that is alone with its store."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._books: dict[str, Any] = {}
        self._costs: dict[str, float] = {}
        self._clock = clock

    def change(self, think: Callable[[dict[str, Any], float], tuple[dict[str, Any] | None, T]]) -> T:
        books, answer = think(self._books, self._clock())
        self._books = self._books if books is None else books
        return answer

    def cost(self, document: str) -> float | None:
        return self._costs.get(document)

    def note_cost(self, document: str, points: float) -> None:
        self._costs[document] = points


@dataclass(frozen=True, slots=True)
class Hold:
    """Points that are taken for one document."""

    key: str
    document: str
    """Its digest."""


class Governor:
    """One for a client. Not shared between threads; its ledger is."""

    def __init__(
        self, ledger: Ledger, *, sleep: Callable[[float], None] = time.sleep,
        new_key: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._ledger = ledger
        self._sleep = sleep
        self._new_key = new_key
        self._costs: dict[str, float] = {}

    def hurry(self, sleep: Callable[[float], None]) -> None:
        """Wait with `sleep` from here on."""
        self._sleep = sleep

    def restores(self) -> float:
        """How many points come back in a second; 0 while nobody knows."""
        return self._change(lambda books, now: (None, books.rate))

    def hold(self, document: str, variables: dict[str, Any]) -> Hold:
        """Take what a document costs, and return once it may be sent. Raises TooCostly where it never may."""
        digest = digest_of(document, variables)
        points = self._costs.get(digest) or self._ledger.cost(digest)
        if points is not None and points > DEAREST:
            raise TooCostly(f"This request costs {points:.0f} points, and Shopify takes at most {DEAREST}.")
        hold = Hold(self._new_key(), digest)

        def take(books: Books, now: float) -> tuple[Books | None, float]:
            if not books.known or books.plenty(points or DEAREST, now):
                return None, 0.0
            return books.take(hold.key, points or min(weigh(document, variables), DEAREST), now)

        wait = self._change(take)
        if wait > 0:
            self._sleep(wait)
        return hold

    def settle(self, hold: Hold, cost: Cost | None) -> None:
        """The answer is there, or will never be: every hold ends here."""
        if cost is not None:
            self._learn(hold.document, cost.requested)

        def settle(books: Books, now: float) -> tuple[Books | None, None]:
            settled = books.settle(hold.key, cost, now)
            return (None if books.nearly(settled) else settled), None

        self._change(settle)

    def throttled(self, hold: Hold, cost: Cost) -> float:
        """The document was refused and will be sent again; how many seconds from now."""
        self._learn(hold.document, cost.requested)
        return self._change(lambda books, now: books.throttled(hold.key, cost, now))

    def too_costly(self, hold: Hold, points: float) -> None:
        """Shopify refused to work it out at all; it will not be asked again."""
        self._learn(hold.document, points)

    def quiet(self, seconds: float) -> None:
        """Shopify asked for a pause: the other workers of the store keep it, too."""
        self._change(lambda books, now: (
            replace(books, quiet_until=max(books.quiet_until, now + min(seconds, WAIT_TOO_MUCH_SECONDS))), None))

    def _change(self, think: Callable[[Books, float], tuple[Books | None, T]]) -> T:
        def in_json(kept: dict[str, Any], now: float) -> tuple[dict[str, Any] | None, T]:
            books, answer = think(Books.of(kept), now)
            return None if books is None else asdict(books), answer

        return self._ledger.change(in_json)

    def _learn(self, document: str, points: float) -> None:
        if self._costs.get(document) != points:
            self._costs[document] = points
            self._ledger.note_cost(document, points)


def digest_of(document: str, variables: dict[str, Any]) -> str:
    """Names a document by all that its cost depends on: its text, and the numbers among its variables (page sizes)."""
    numbers = sorted(f"{name}={value}" for name, value in variables.items() if isinstance(value, int))
    return hashlib.sha256("\n".join((document, *numbers)).encode()).hexdigest()[:32]

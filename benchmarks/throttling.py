"""`throttle_use`: how much of Shopify's rate limit is used while 20,000 changes are written, on a clock that only moves
when somebody waits. The bucket is the simulated store's, the books are the product's own."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator

from backend.shopify.cost import Cost
from backend.shopify.governor import Governor, OwnLedger
from benchmarks.stage import Tell
from demo.shopify import cost as simulated


class Moment:
    """A clock that only moves when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Service:
    """Shopify's side of the bargain: the bucket of the simulated store, on a clock of its own."""

    def __init__(self, clock: Moment, rate: int) -> None:
        self.clock = clock
        self.bucket = simulated.Bucket(rate, clock)
        self.spent = self.throttled = self.answered = 0

    def answer(self, requested: int, actual: int) -> Cost:
        paid = self.bucket.take(requested)
        self.answered += 1
        if paid:
            self.bucket.give_back(requested - actual)
            self.spent += actual
        else:
            self.throttled += 1
        status = self.bucket.status()
        return Cost(requested, actual if paid else None, status["currentlyAvailable"], status["maximumAvailable"],
                    status["restoreRate"])


def measure(size: int, tell: Tell) -> dict[str, float]:
    used, throttled, _ = throttle_use(workers=1, calls=25)
    return {"throttle_use": used, "throttled_answers": throttled}


def throttle_use(
    *, workers: int, changes: int = 20_000, calls: int = 10, rate: int = 1000, seed: int = 1
) -> tuple[float, float, float]:
    """(share of the restored points that was used, share of THROTTLED answers, seconds), while `workers` write
    `changes`, `calls` in a document, with the delays of a network, from an empty bucket on. Nothing really waits."""
    dice = random.Random(seed)
    clock = Moment()
    service = Service(clock, rate)
    service.bucket.drain()
    ledger = OwnLedger(clock)
    todo = iter(range(0, changes, calls))
    queue: list[tuple[float, int, Iterator[float]]] = []

    def worker() -> Iterator[float]:
        """Yields how many seconds pass before it goes on."""
        waits: list[float] = []
        one = Governor(ledger, sleep=waits.append, new_key=lambda: f"{dice.random()}")
        for _ in todo:
            cheap = dice.choice([0, 0, 0, 3])  # some answers hold less than was asked for
            requested = 11 * calls + cheap
            document = "mutation { " + " ".join(f"m{n}: write {{ one {{ id }} }}" for n in range(calls)) + (
                " x { a { b { c { d } } } } }" if cheap else " }")
            hold = one.hold(document, {})
            yield sum(waits)
            waits.clear()
            while True:
                yield dice.uniform(0.02, 0.08)  # on its way
                cost = service.answer(requested, requested - 10 * cheap)
                yield dice.uniform(0.02, 0.3)  # worked out, and on its way back
                if cost.actual is not None:
                    break
                yield one.throttled(hold, cost)
            one.settle(hold, cost)

    for number in range(workers):
        heapq.heappush(queue, (0.0, number, worker()))
    while queue:
        clock.now, number, running = heapq.heappop(queue)
        wait = next(running, None)
        if wait is not None:
            heapq.heappush(queue, (clock.now + wait, number, running))
    return service.spent / (clock.now * rate), service.throttled / service.answered, clock.now

"""Figures of whole runs, on a synced shop of the wished size and, for growth, on one of a hundredth of it.

    idle     everything mapped (`stage`)
    edits    variants mapped, with twelve fields; what the same edits cost with everything mapped is told besides
"""

from __future__ import annotations

import statistics

from benchmarks.stage import SETTLING_RUNS, Stage, Tell, Took, linked, shop, stage, twelve_fields_of_variants

RUNS = 7
EDITS = 10
TIMER_SECONDS = 60
SMALLER = 100

Figures = dict[str, float]


def measure(size: int, tell: Tell) -> Figures:
    """By name: the figures of runs over about `size` variants. A run whose work proves to be something else than what
    is measured raises AssertionError."""
    with stage(max(10, size // SMALLER), tell=tell) as small:
        small_seconds = _idle_seconds(small, tell)
    with stage(size, tell=tell) as big:
        found: Figures = {"idle_requests": big.run().requests, "idle_growth": _idle_seconds(big, tell) / small_seconds}
        fresh, _ = _ten_edits(big, 0)
        tell(f"ten edits right after the set-up, which made lists of choices longer: {fresh.requests} requests")
        took, after = _ten_edits(big, 1)
        tell(f"ten edits with everything mapped: {_told(took, after)}")
    with shop(size, orders=0) as (store, answers, url), \
            linked(store, answers, url, twelve_fields_of_variants()) as one:
        one.first_sync(tell)
        one.settle()
        first, after = _ten_edits(one, 1)
        tell(f"ten edits with variants mapped: {_told(first, after)}")
        audit = _audit(one)
        tell(f"full audit of them, which recognises: {audit.seconds:.2f} s, the stand-ins {audit.served_seconds:.2f} "
             f"s; {audit.requests} requests")
        second, _ = _ten_edits(one, 2)
        return found | {
            "ten_edits_requests": max(first.requests, second.requests),
            "requests_after_ten_edits": sum(took.requests for took in after),
            "ten_edits_vs_audit": audit.ours / ((first.ours + second.ours) / 2),
        }


def _audit(one: Stage) -> Took:
    """The second of two full audits, of which the first has prepared the answers and shown what is as agreed."""
    services = one.grist, one.shopify
    for service in services:
        service.keeps = True
    one.run(everything=True)
    took = one.run(everything=True)
    for service in services:
        service.keeps = False
        service.kept.clear()
    return took


def _told(took: Took, after: list[Took]) -> str:
    return (f"{took.requests} requests, {took.seconds:.2f} s, the stand-ins {took.served_seconds:.2f} s; {took.paths}; "
            f"the runs after it: {[one.requests for one in after]} requests")


def _idle_seconds(one: Stage, tell: Tell) -> float:
    """Without the time of the stand-ins, which look through all that they hold."""
    taken = [one.run() for _ in range(RUNS)]
    assert all(took.requests <= 2 for took in taken), "a run that should be idle was not"
    ours = statistics.median(took.ours for took in taken)
    tell(f"nothing to do among {one.variants:,} variants: {ours * 1000:.1f} ms, and the stand-ins "
         f"{statistics.median(took.served_seconds for took in taken) * 1000:.1f} ms")
    return ours


def _ten_edits(one: Stage, round_: int) -> tuple[Took, list[Took]]:
    """The run after ten edits in Grist and ten in Shopify, and those until nothing is left to look at, a minute apart
    as a timer begins them."""
    one.edit_grist(EDITS, round_)
    one.edit_shopify(EDITS, round_)
    took = one.run()
    arrived = one.report_of(took, "variants")
    assert arrived.to_shopify >= EDITS, f"only {arrived.to_shopify} of {EDITS} edits went to Shopify"
    assert arrived.to_grist >= EDITS, f"only {arrived.to_grist} of {EDITS} edits went to Grist"
    after = []
    for _ in range(SETTLING_RUNS):
        one.store.clock.advance(TIMER_SECONDS)
        after.append(one.run())
        if after[-1].requests <= 2:
            break
    return took, after

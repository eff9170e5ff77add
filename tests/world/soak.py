"""Play many stories, with all cores: `make soak SEEDS=1000`.

    python -m world.soak 1000 [--from 5000] [--jobs 2]

Prints how many were played, how fast, what came about in them, and for each failure its seed and a shortened story.
Ends with 1 where a promise was broken.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable

from .known import split
from .sim import Ended, Ground, play
from .story import Event, shrunk, story

SHRUNK = 5
"""So many failures are shortened; the others are told by their seed."""
TOLD_SECONDS = 30.0

_ground: Ground | None = None


def ground() -> Ground:
    """One database a process."""
    global _ground
    if _ground is None:
        _ground = Ground()
        # What was imported stays; a story leaves so little behind that walking through all of it takes an eighth.
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
    return _ground


def one(seed: int) -> tuple[int, dict[str, list[str]], set[str], Counter[str], int]:
    """(seed, what is wrong by promise, known bugs that showed, what came about, runs)."""
    events = story(seed)
    ended = play(ground(), events)
    new, old = split(events, ended.broken)
    return seed, new, old, ended.saw, ended.runs


def shortest(seed: object, promise: str, tries: int = 150) -> tuple[tuple[Event, ...], Ended]:
    """The shortest story found that breaks `promise` like that of `seed` does, and how it ends."""
    def fails(events: Iterable[Event]) -> bool:
        tried = tuple(events)
        return promise in split(tried, play(ground(), tried).broken)[0]

    events = shrunk(story(seed), fails, tries)
    return events, play(ground(), events)


def tell(seed: object, promise: str, tries: int = 150) -> str:
    """A failure for people: the seed, the shortened story as events and as sentences, and what it broke."""
    events, ended = shortest(seed, promise, tries)
    broken = [f"  {name}: {what}" for name, whats in ended.broken.items() for what in whats]
    return "\n".join([f"seed {seed}:", *(f"  {event}," for event in events), *(f"  {line}" for line in ended.told),
                      *broken])


def main() -> int:
    parser = argparse.ArgumentParser(description="Play many stories of the world simulator.")
    parser.add_argument("seeds", type=int)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    args = parser.parse_args()
    began = told = time.monotonic()
    saw: Counter[str] = Counter()
    known: Counter[str] = Counter()
    failed: dict[int, dict[str, list[str]]] = {}
    played = runs = 0
    with multiprocessing.get_context("spawn").Pool(args.jobs) as pool:
        for seed, new, old, seen, ran in pool.imap_unordered(one, range(args.first, args.first + args.seeds), 4):
            played, runs = played + 1, runs + ran
            saw.update(seen)
            known.update(old)
            if new:
                failed[seed] = new
                what = "; ".join(f"{name} {whats[0]}" for name, whats in new.items())
                print(f"seed {seed} FAILED: {what}", flush=True)
            if time.monotonic() - told > TOLD_SECONDS:
                told = time.monotonic()
                print(f"{played} of {args.seeds} seeds, {len(failed)} failed, {played / (told - began):.1f} a second",
                      flush=True)
    seconds = time.monotonic() - began
    for seed in sorted(failed)[:SHRUNK]:
        print("\n" + tell(seed, sorted(failed[seed])[0]), flush=True)
    print(f"\n{played} seeds with {runs} runs in {seconds:.0f} s ({played / seconds:.1f} seeds a second), "
          f"{len(failed)} failed")
    print("known bugs that showed: " + (", ".join(f"{name} {number} ×" for name, number in known.items()) or "none"))
    print("what came about: " + ", ".join(f"{name} {number}" for name, number in saw.most_common()))
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())

"""Brakes: what looks like an accident stops a run before it writes anything.

    brake        pulled when
    deletions    more things vanished since the last run than allowed (absolute, or a share of the table)
    empty        a side that held rows holds none
    everything   nearly every row of a large table changed on one side
    restored     the document was set back to an older state
    copied       the document holds the rows of another one that is joined to the same store
    flipping     one field went back and forth between two values three times, so something else changes it too

A brake is a question. A person who has looked says "go on", and that one run goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from itertools import pairwise

from backend.core.model import Delete, Plan, Rule, Side, Snapshot, Update, Why
from backend.core.values import Value

NAMES = {Side.LOCAL: "Grist", Side.REMOTE: "Shopify"}


@dataclass(frozen=True, slots=True)
class Limits:
    """When the brakes pull. Shares are of the pairs of one mapping, from `small` pairs on."""

    deletions: int = 20
    deletions_share: float = 0.25
    changed_share: float = 0.9
    small: int = 20
    """Below this many pairs no share is looked at: two of three is not an accident."""
    empty_from: int = 3
    changed_from: int = 50


@dataclass(frozen=True, slots=True)
class Brake:
    """Which brake, for which table, with the figures, as a sentence."""

    name: str
    resource: str
    message: str
    figures: dict[str, int]


RESTORED = Brake(
    "restored", "",
    "The document was restored to an older state, and syncing now would carry old values to Shopify.", {},
)


FLIPS = 3
"""How often a field may go back and forth between two values within `FLIPS_SECONDS`."""
FLIPS_SECONDS = 6 * 3600.0

Past = Dict[tuple[Side, str, str], Sequence[tuple[Value, Value]]]
"""What was written lately by itself: (side, thing, field) → (before, after), oldest first."""


def copied(label: str, store: str) -> Brake:
    return Brake("copied", label, f"The rows of {label.lower()} belong to another document that is connected to "
                 f"{store}, so this one is a copy of it, and both would write to the same store.", {})


def flips(plan: Plan, past: Past) -> list[Brake]:
    """A brake for each field that this plan would turn back once more. What people chose, and figures that add both
    sides' changes up, may go back and forth as they like."""
    pulled = []
    for op in plan.ops:
        if not isinstance(op, Update):
            continue
        thing = str(op.partner if op.side is Side.LOCAL else op.key)
        for change in op.changes:
            rule = plan.mapping.rule(change.field)
            if change.why in (Why.CHOICE, Why.UNDO) or rule.on_conflict is Rule.MERGE:
                continue
            written = [*past.get((op.side, thing, change.field), ()), (change.before, change.after)][-FLIPS:]
            turns = all(one == tuple(reversed(other)) for one, other in pairwise(written))
            if len(written) == FLIPS and turns and change.before != change.after:
                pulled.append(Brake(
                    "flipping", plan.mapping.name,
                    f"{rule.field.label} of {op.title or plan.mapping.resource.label} went back and forth between two "
                    f"values {FLIPS} times. Something else changes it too.", {"flips": FLIPS},
                ))
    return pulled


def brakes(
    plan: Plan,
    local: Snapshot,
    remote: Snapshot,
    pairs: int,
    limits: Limits,
    known: Set[tuple[Side, str]] = frozenset(),
    emptied: Set[Side] = frozenset(),
    kept: Set[tuple[Side, str]] = frozenset(),
) -> list[Brake]:
    """The brakes that this plan pulls. `pairs` is how many pairs the mapping had; `known` the deletions, by (side to
    delete on, thing), that a person has been shown already, `kept` those they said no to; `emptied` the sides of which
    everything was found gone, key by key."""
    label = plan.mapping.resource.label
    pulled = []
    for side, snapshot in ((Side.LOCAL, local), (Side.REMOTE, remote)):
        name = NAMES[side]
        empty = snapshot.complete and not (snapshot.rows or snapshot.outside or snapshot.recognised)
        apart = sum(where is side.other for where, _ in kept)
        if pairs - apart >= limits.empty_from and (empty or side in emptied):
            pulled.append(Brake(
                "empty", plan.mapping.name,
                f"{label} is empty in {name}, and {pairs} rows were there at the last sync.", {"rows": pairs},
            ))
            continue
        gone = len({(side.other, thing) for thing in _vanished(plan, side.other)} - known)
        allowed = _allowed(pairs, limits)
        if gone > allowed:
            pulled.append(Brake(
                "deletions", plan.mapping.name,
                f"{gone} of {pairs} {label.lower()} are gone from {name}. That is more than the {allowed} you allow.",
                {"gone": gone, "of": pairs, "allowed": allowed},
            ))
        changed = sum(1 for op in plan.on(side.other) if isinstance(op, Update) and _is_news(op))
        if pairs >= limits.changed_from and changed >= limits.changed_share * pairs:
            pulled.append(Brake(
                "everything", plan.mapping.name,
                f"{changed} of {pairs} {label.lower()} changed in {name} since the last sync.",
                {"changed": changed, "of": pairs},
            ))
    return pulled


def _vanished(plan: Plan, side: Side) -> Iterable[str]:
    """The things of which one half is gone, and the other is on `side`."""
    for proposal in plan.proposals:
        if proposal.side is side:
            yield proposal.thing
    for op in plan.on(side):
        whys = {change.why for change in op.changes} if isinstance(op, Update) else {getattr(op, "why", None)}
        if isinstance(op, Update | Delete) and Why.DELETED in whys:
            yield str(op.key if side is Side.REMOTE else op.partner)


def _allowed(pairs: int, limits: Limits) -> int:
    return min(limits.deletions, int(limits.deletions_share * pairs)) if pairs >= limits.small else limits.deletions


def _is_news(op: Update) -> bool:
    return any(change.why is Why.CHANGED for change in op.changes)

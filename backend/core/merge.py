"""Decide one field of one pair. The only place that knows what a conflict is.

"Changed" is asked of each side against its own base, what that side held when both last agreed:

    Grist      Shopify    decision (direction both)
    same       same       nothing
    changed    same       write Shopify
    same       changed    write Grist
    changed    changed    equal now: agree · else the rule: ask, one side, merge, higher, lower
    never agreed          equal: agree · one empty: fill it · else the rule

A field that goes one way takes its source's value; an edit on the other side is put back. A value that
was not read decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Final

from backend.core.model import Choice, FieldRule, Rule, Side, Why
from backend.core.values import LISTS, NUMBERS, UNREAD, Unfit, Value, as_refs, as_tokens, is_empty


class Action(Enum):
    NOTHING = "nothing"
    AGREE = "agree"
    WRITE = "write"
    ASK = "ask"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with one field. `local` and `remote` are the values to write there; UNREAD leaves a side alone."""

    action: Action
    local: Value = UNREAD
    remote: Value = UNREAD
    why: Why = Why.CHANGED
    reason: str = ""
    moved: bool = False


NOTHING: Final = Verdict(Action.NOTHING)
AGREE: Final = Verdict(Action.AGREE)
UNFIT: Final = Verdict(Action.REFUSE)

NEVER_AGREED = "Grist and Shopify held different values when they met."
EMPTY_SOURCE = "This field only goes one way, and its source is empty while the other side is not."
STEP_BACK = "The cell went back to a value from before the last sync, so somebody may have pressed undo."
BELOW_ZERO = "Merging both changes gives {merged}, and stock cannot go below zero."
NOT_MERGEABLE = "One of the two values cannot be merged."


def decide(
    rule: FieldRule,
    base_local: Value,
    base_remote: Value,
    local: Value,
    remote: Value,
    *,
    shown: tuple[Value, ...] = (),
    choice: Choice | None = None,
) -> Verdict:
    """What becomes of one field that both sides have. `shown` is `Pair.shown` of the field."""
    if local is UNREAD or remote is UNREAD:
        return NOTHING
    if local == remote:
        return NOTHING if (base_local, base_remote) == (local, remote) else AGREE
    first = base_local is UNREAD or base_remote is UNREAD
    local_changed, remote_changed = local != base_local, remote != base_remote
    if not first and not local_changed and not remote_changed:
        return NOTHING
    moved = False
    if choice is not None:
        if (choice.local, choice.remote) == (local, remote):
            return _choose(rule, base_local, local, remote, choice)
        moved = True

    to_local, to_remote = rule.may_write(Side.LOCAL), rule.may_write(Side.REMOTE)
    if to_local and to_remote:
        if first:
            verdict = _first(rule, local, remote)
        elif rule.on_conflict is Rule.MERGE and rule.kind in NUMBERS:
            verdict = _merge_number(base_local, local, remote, local_changed, remote_changed, shown)
        elif not remote_changed:
            verdict = _write_remote(local, Why.CHANGED)
        elif not local_changed:
            verdict = Verdict(Action.WRITE, local=remote)
        else:
            verdict = _clash(rule, base_local, local, remote)
    elif to_local or to_remote:
        verdict = _one_way(to_local, first, local, remote, local_changed, remote_changed)
    else:
        return NOTHING
    if moved and verdict.action is Action.ASK:
        return Verdict(Action.ASK, reason=verdict.reason, moved=True)
    return verdict


def merged_value(rule: FieldRule, base_local: Value, local: Value, remote: Value) -> Value:
    """Both sides' changes together, or UNREAD where they cannot be merged. The widget offers it as a choice."""
    if rule.kind in NUMBERS:
        return _sum(base_local, local, remote)
    if rule.kind == "refs":
        return _union_refs(base_local, local, remote)
    return _union(base_local, local, remote) if rule.kind == "list" else UNREAD


def _write_remote(value: Value, why: Why) -> Verdict:
    return UNFIT if isinstance(value, Unfit) else Verdict(Action.WRITE, remote=value, why=why)


def _first(rule: FieldRule, local: Value, remote: Value) -> Verdict:
    if is_empty(local):
        return Verdict(Action.WRITE, local=remote, why=Why.FIRST)
    if is_empty(remote):
        return _write_remote(local, Why.FIRST)
    if rule.on_conflict is Rule.MERGE and rule.kind in LISTS:
        return _both(merged_value(rule, None, local, remote), local, remote)
    verdict = _clash(rule, UNREAD, local, remote)
    return Verdict(Action.ASK, reason=NEVER_AGREED) if verdict.action is Action.ASK else verdict


def _clash(rule: FieldRule, base_local: Value, local: Value, remote: Value) -> Verdict:
    match rule.on_conflict:
        case Rule.SHOPIFY:
            return Verdict(Action.WRITE, local=remote, why=Why.RULE)
        case Rule.GRIST:
            return _write_remote(local, Why.RULE)
        case Rule.HIGHER | Rule.LOWER:
            if not _comparable(local, remote):
                return Verdict(Action.ASK, reason=NOT_MERGEABLE)
            local_wins = (local > remote) == (rule.on_conflict is Rule.HIGHER)  # type: ignore[operator]
            return (
                Verdict(Action.WRITE, remote=local, why=Why.RULE)
                if local_wins
                else Verdict(Action.WRITE, local=remote, why=Why.RULE)
            )
        case Rule.MERGE:
            merged = merged_value(rule, base_local, local, remote)
            return Verdict(Action.ASK, reason=NOT_MERGEABLE) if merged is UNREAD else _both(merged, local, remote)
        case _:
            return Verdict(Action.ASK)


def _merge_number(
    base_local: Value, local: Value, remote: Value, local_changed: bool, remote_changed: bool, shown: tuple[Value, ...]
) -> Verdict:
    if not local_changed:
        return Verdict(Action.WRITE, local=remote)
    if isinstance(local, Unfit):
        return Verdict(Action.ASK, reason=NOT_MERGEABLE) if remote_changed else UNFIT
    if local in shown:
        return Verdict(Action.ASK, reason=STEP_BACK)
    if not remote_changed:
        return _write_remote(local, Why.CHANGED)
    merged = _sum(base_local, local, remote)
    if merged is UNREAD:
        return Verdict(Action.ASK, reason=NOT_MERGEABLE)
    if merged < 0 <= min(local, remote):  # type: ignore[operator,type-var]
        return Verdict(Action.ASK, reason=BELOW_ZERO.format(merged=str(merged).replace("-", "−")))
    return _both(merged, local, remote)


def _one_way(
    to_local: bool, first: bool, local: Value, remote: Value, local_changed: bool, remote_changed: bool
) -> Verdict:
    source, target = (remote, local) if to_local else (local, remote)
    if first and is_empty(source) and not is_empty(target):
        return Verdict(Action.ASK, reason=EMPTY_SOURCE)
    target_changed = local_changed if to_local else remote_changed
    why = Why.FIRST if first else Why.ONE_WAY if target_changed else Why.CHANGED
    return Verdict(Action.WRITE, local=remote, why=why) if to_local else _write_remote(local, why)


def _choose(rule: FieldRule, base_local: Value, local: Value, remote: Value, choice: Choice) -> Verdict:
    wanted = {"grist": local, "shopify": remote, "base": base_local, "value": choice.value}[choice.keep]
    if wanted is UNREAD or isinstance(wanted, Unfit):
        return Verdict(Action.ASK, reason=NOT_MERGEABLE)
    verdict = _both(wanted, local, remote, why=Why.CHOICE)
    to_local = verdict.local if rule.may_write(Side.LOCAL) else UNREAD
    to_remote = verdict.remote if rule.may_write(Side.REMOTE) else UNREAD
    if to_local is UNREAD and to_remote is UNREAD:
        return AGREE  # the side that would have to change is never written: each keeps what it has
    return Verdict(Action.WRITE, local=to_local, remote=to_remote, why=Why.CHOICE)


def _both(merged: Value, local: Value, remote: Value, why: Why = Why.MERGED) -> Verdict:
    return Verdict(
        Action.WRITE,
        local=UNREAD if merged == local else merged,
        remote=UNREAD if merged == remote else merged,
        why=why,
    )


def _sum(base: Value, local: Value, remote: Value) -> Value:
    numbers = [v for v in (base, local, remote) if isinstance(v, int | Decimal) and not isinstance(v, bool)]
    if len(numbers) != 3:
        return UNREAD
    was, mine, theirs = numbers
    return theirs + (mine - was)


def _union(base: Value, local: Value, remote: Value) -> Value:
    if not all(isinstance(v, tuple) or v is None for v in (base, local, remote)):
        return UNREAD
    was, mine, theirs = (_tokens(v) for v in (base, local, remote))
    merged = theirs | {k: v for k, v in mine.items() if k not in was}
    return as_tokens(v for k, v in merged.items() if k in mine or k not in was)


def _union_refs(base: Value, local: Value, remote: Value) -> Value:
    if not all(isinstance(v, tuple) or v is None for v in (base, local, remote)):
        return UNREAD
    was, mine, theirs = (set(v) if isinstance(v, tuple) else set() for v in (base, local, remote))
    return as_refs((mine & theirs) | (mine - was) | (theirs - was))


def _tokens(value: Value) -> dict[str, str]:
    return {token.casefold(): token for token in value if isinstance(token, str)} if isinstance(value, tuple) else {}


def _comparable(local: Value, remote: Value) -> bool:
    numbers = (int, Decimal)
    if isinstance(local, bool) or isinstance(remote, bool):
        return False
    if isinstance(local, numbers) and isinstance(remote, numbers):
        return True
    return isinstance(local, date) and type(local) is type(remote)

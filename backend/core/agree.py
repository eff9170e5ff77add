"""What is agreed after a write. The base moves only to what is certain.

A field agrees at the value that was sent. Where the service stored something else (a handle in lower case, a
trigger formula's result) and that may be carried to the other side, the base stays at what was sent: the
service's own value then stands there as a change like anybody's, and the next look carries it over.

A merge writes both sides, Shopify first. Until Grist has it too, the two agree on what Grist holds and Shopify
counts as changed since: if everything stops right there, the next run carries the merged value over and adds
nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import dataclass, field

from backend.core.model import FieldRule, Mapping, Rule, Side, Update
from backend.core.values import NUMBERS, UNREAD, Value


@dataclass
class Agreed:
    """New bases of one pair, by field. `carry` says that a side's own value waits to be carried over."""

    local: dict[str, Value] = field(default_factory=dict)
    remote: dict[str, Value] = field(default_factory=dict)
    shown: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    carry: bool = False


def after_update(
    mapping: Mapping, op: Update, stored: Dict[str, Value], pending: Dict[str, Value], base_local: Dict[str, Value]
) -> Agreed:
    """After `op` was written and `stored` came back.

    `pending` is what Grist still holds of the fields that the same plan also writes there; `base_local` what
    Grist held at last agreement.
    """
    agreed = Agreed()
    for change in op.changes:
        rule = mapping.rule(change.field)
        now = stored.get(change.field, change.after)
        if change.stays is not UNREAD:
            written, kept = (agreed.remote, agreed.local) if op.side is Side.REMOTE else (agreed.local, agreed.remote)
            written[change.field], kept[change.field] = now, change.stays
            continue
        if op.side is Side.REMOTE:
            value = pending.get(change.field, change.after)
            carry = now != value and rule.may_write(Side.LOCAL)
            agreed.local[change.field] = value
            agreed.remote[change.field] = value if carry else now
            if _adds_up(rule):
                agreed.shown[change.field] = ()
        else:
            carry = now != change.after and rule.may_write(Side.REMOTE)
            agreed.local[change.field] = change.after if carry else now
            agreed.remote[change.field] = change.after
            if _adds_up(rule):
                before = (change.before, base_local.get(change.field, UNREAD))
                agreed.shown[change.field] = tuple(v for v in dict.fromkeys(before) if v is not UNREAD and v != now)
        agreed.carry = agreed.carry or carry
    return agreed


def after_create(mapping: Mapping, side: Side, sent: Dict[str, Value], stored: Dict[str, Value]) -> Agreed:
    """After a thing was made on `side` from `sent`."""
    there = {name: stored.get(name, value) for name, value in sent.items()}
    if there == sent:
        return Agreed(there, dict(there))
    agreed = Agreed()
    made, source = (agreed.local, agreed.remote) if side is Side.LOCAL else (agreed.remote, agreed.local)
    for name, value in sent.items():
        now = stored.get(name, value)
        carry = now != value and mapping.rule(name).may_write(side.other)
        source[name] = value
        made[name] = value if carry else now
        agreed.carry = agreed.carry or carry
    return agreed


def _adds_up(rule: FieldRule) -> bool:
    return rule.on_conflict is Rule.MERGE and rule.kind in NUMBERS

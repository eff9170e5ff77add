"""What a run did, or would do: counts that are true, and the plan line by line. Read by CLI, API and tests."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import asdict, dataclass, field
from typing import Any

from backend.connector import Usage
from backend.core.model import Create, Delete, Mapping, Pair, Plan, Side, Snapshot, Update, Why
from backend.core.questions import told
from backend.core.values import UNREAD, Value, dump

NAMED = 3
"""How many things one sentence names."""
SIDE_NAMES = {Side.LOCAL: "grist", Side.REMOTE: "shopify"}


@dataclass
class MappingReport:
    """The counts of one mapping. Rows, except `to_shopify` and `to_grist`: lines of the history, which
    are cells of rows that were there and whole rows that were made."""

    resource: str
    label: str
    table: str
    rows: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    conflicts: int = 0
    refused: int = 0
    waiting: int = 0
    proposed_deletions: int = 0
    to_shopify: int = 0
    to_grist: int = 0
    paused: str | None = None


@dataclass
class Report:
    """One run. `state` is done, preview, stopped (a brake), cancelled or failed."""

    state: str = "done"
    mappings: list[MappingReport] = field(default_factory=list)
    requests: dict[str, int] = field(default_factory=dict)
    points: float = 0
    seconds: float = 0
    notes: list[str] = field(default_factory=list)
    way: str = ""
    """How it was found out what to look at."""
    message: str | None = None
    cure: str | None = None
    code: str = ""
    """Which kind of error ended it early (`errors.py`), where one did."""
    plan: list[dict[str, Any]] | None = None
    plan_total: int | None = None
    fingerprint: str = ""
    """Of a preview: a mark of its whole plan, by which a sync does exactly that."""
    pairing: list[dict[str, Any]] | None = None
    """Of a preview: how rows and things find each other, one entry a mapping (`meeting`)."""
    found: dict[str, Any] | None = None
    """Of a look (jobs.look): what the store was asked."""
    actions: dict[str, int] = field(default_factory=dict)
    """What was done to orders and drafts: how many by outcome (`backend.actions`)."""
    undone: int = 0
    stays: list[dict[str, Any]] = field(default_factory=list)
    """Of an undo: the lines of the history that were not taken back, {"change", "reason"}."""

    COUNTS = ("created", "updated", "deleted", "unchanged", "conflicts", "refused", "waiting", "proposed_deletions")

    def of(self, mapping: Mapping) -> MappingReport:
        for one in self.mappings:
            if one.resource == mapping.name:
                return one
        one = MappingReport(mapping.name, mapping.resource.label, mapping.table)
        self.mappings.append(one)
        return one

    @property
    def totals(self) -> dict[str, int]:
        return {name: sum(getattr(one, name) for one in self.mappings) for name in self.COUNTS}

    @property
    def waits_for_somebody(self) -> bool:
        totals = self.totals
        paused = any(one.paused for one in self.mappings)
        return paused or bool(totals["conflicts"] or totals["refused"] or totals["proposed_deletions"])

    def used(self, local: Usage, remote: Usage) -> None:
        self.requests = {"grist": local.requests, "shopify": remote.requests}
        self.points = remote.points

    def as_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "state": self.state,
            "totals": self.totals,
            "mappings": [asdict(one) for one in self.mappings],
            "requests": self.requests,
            "points": self.points,
            "seconds": round(self.seconds, 3),
            "notes": self.notes,
            "way": self.way,
        }
        if self.message:
            out |= {"message": self.message, "cure": self.cure, "code": self.code}
        if self.actions:
            out["actions"] = self.actions
        if self.undone or self.stays:
            out |= {"undone": self.undone, "stays": self.stays}
        if self.plan is not None:
            out |= {"plan": self.plan, "plan_total": self.plan_total, "fingerprint": self.fingerprint}
        if self.pairing is not None:
            out["pairing"] = self.pairing
        if self.found is not None:
            out["found"] = self.found
        return out


def plan_lines(plan: Plan) -> Iterable[dict[str, Any]]:
    """What a plan would write, a line a cell; creations and deletions are one line."""
    mapping = plan.mapping
    for op in plan.ops:
        line: dict[str, Any] = {
            "resource": mapping.name,
            "label": mapping.resource.label,
            "table": mapping.table,
            "side": SIDE_NAMES[op.side],
            "title": op.title,
        }
        if isinstance(op, Update):
            row = op.key if op.side is Side.LOCAL else op.partner
            for change in op.changes:
                described = mapping.rule(change.field).field
                yield {
                    **line,
                    "kind": "update",
                    "row": row,
                    "field": change.field,
                    "field_label": described.label,
                    "type": described.kind,
                    "before": show(change.before),
                    "after": show(change.after),
                    "why": change.why.value,
                }
        elif isinstance(op, Create):
            row = op.source if op.side is Side.REMOTE else ""
            yield {
                **line,
                "kind": "create",
                "row": row or None,
                "field": "",
                "field_label": "",
                "type": "text",
                "before": None,
                "after": {name: show(value) for name, value in op.values.items()},
                "why": op.why.value,
            }
        elif isinstance(op, Delete):
            row = op.key if op.side is Side.LOCAL else op.partner
            yield {
                **line,
                "kind": "delete",
                "row": row,
                "field": "",
                "field_label": "",
                "type": "text",
                "before": None,
                "after": None,
                "why": op.why.value,
            }


def changing(plans: Iterable[Plan]) -> dict[tuple[str, str, str], str]:
    """The fields that these plans write of things that both sides have: (table, label of the field, thing) → what
    people call it."""
    return {
        (plan.mapping.table, plan.mapping.rule(change.field).field.label,
         str(op.key if op.side is Side.REMOTE else op.partner)): op.title
        for plan in plans for op in plan.ops if isinstance(op, Update) for change in op.changes
    }


def restless(rounds: Sequence[Dict[tuple[str, str, str], str]]) -> list[str]:
    """One sentence for each field that the last round of a run wrote and an earlier one had written (`changing`):
    something makes another value of it whenever it is written, and it was not chased any further."""
    *earlier, last = rounds
    found: dict[tuple[str, str], list[str]] = {}
    for place, title in last.items():
        if any(place in one for one in earlier):
            found.setdefault(place[:2], []).append(title or place[2].rsplit("/", 1)[-1])
    return [
        f"{field} in {table} changed again after this sync had written it: {named(titles)}. It is left there until the "
        "next sync. A formula that depends on its own result does this, and one that rewrites what Shopify stores; "
        "correct it, or map the field in one direction only."
        for (table, field), titles in sorted(found.items())
    ]


def named(titles: Collection[str]) -> str:
    """The first few of many, in a sentence."""
    shown = sorted(titles)
    more = f" and {len(shown) - NAMED} more" if len(shown) > NAMED else ""
    return ", ".join(shown[:NAMED]) + more


def meeting(plan: Plan, local: Snapshot, remote: Snapshot, pairs: Collection[Pair], most: int) -> dict[str, Any]:
    """How rows and things find each other: {"pairs", "doubles", "only_grist", "only_shopify"}, each {"n", "items"} with
    at most `most` items, and what the sync makes of them: cells it fills, fields it asks about, rows it creates.

    `pairs` are those that had met before.
    """
    mapping = plan.mapping
    asked = [told(mapping, local, remote, one) for one in plan.questions]
    waiting_rows = {row for one in plan.questions for row in one.rows}
    waiting_things = {thing for one in plan.questions for thing in one.things}
    differ: dict[int, int] = {}
    for conflict in plan.conflicts:
        differ[conflict.local_key] = differ.get(conflict.local_key, 0) + 1
    fills = sum(change.why is Why.FIRST for op in plan.ops if isinstance(op, Update) for change in op.changes)
    new = [op for op in plan.ops if isinstance(op, Create)]
    made = {side: {op.source for op in new if op.side is side} for side in Side}
    met = {key for pair in plan.paired for key in pair}
    met_before = {key for pair in pairs for key in (pair.local, pair.remote)}
    rows = [key for key in local.rows if key not in met and key not in met_before and key not in waiting_rows]
    things = [key for key in remote.rows if key not in met and key not in met_before and key not in waiting_things]

    def part(items: list[dict[str, Any]], n: int) -> dict[str, Any]:
        return {"n": n, "items": items[:most]}

    return {
        "resource": mapping.name, "label": mapping.resource.label, "table": mapping.table,
        "rows": len(local.rows), "things": len(remote.rows), "known": len(pairs),
        "pairs": part([{"row": row, "title": local.titles.get(row, ""), "thing": thing,
                        "other": remote.titles.get(thing, ""), "by": plan.matched.get((row, thing), ""),
                        "differ": differ.get(row, 0)} for row, thing in plan.paired[:most]], len(plan.paired)),
        "doubles": part(asked, len(asked)),
        "only_grist": part([{"row": key, "title": local.titles.get(key, ""), "created": key in made[Side.REMOTE]}
                            for key in rows[:most]], len(rows)),
        "only_shopify": part([{"row": None, "thing": key, "title": remote.titles.get(key, ""),
                               "created": key in made[Side.LOCAL]} for key in things[:most]], len(things)),
        "fills": fills, "asks": len(plan.conflicts),
        "creates_grist": len(made[Side.LOCAL]), "creates_shopify": len(made[Side.REMOTE]),
    }


def show(value: Value) -> Any:
    """`value` as JSON for people's eyes."""
    return {"unread": True} if value is UNREAD else dump(value)

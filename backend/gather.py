"""What a run has to look at, so that it costs what changed and not what exists.

    Grist, Shopify    changed() since the checkpoints    ┐
    the inbox         webhooks, unfinished business      ├→  a Scope for each mapping: rows and things
    people            answered conflicts, approvals      ┘
    everything        a first run, an audit, a mapping that was changed, what a crash left open

    nothing in any scope  →  the run ends here, after one request to each side

The checkpoints move when the run has ended, to where the services stood before it read anything. So whatever happens
meanwhile, its own writes among it, is told to the next run; what proves to be as it was agreed costs that one a read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from typing import Any

from backend.connector import Changed, Connector
from backend.core.model import Key, Mapping, Side
from backend.store import base, inbox, journal, links, runs, waiting
from backend.store.db import Database
from backend.work import Scope

TRIES = 3
"""How often what was refused is tried again by itself. After that an edit, an audit or a person makes it try."""
AUDIT_SECONDS = 86_400.0
"""How long runs may go on looking at changes only."""
UNPREPARED = "unprepared"
NAMES = {Side.LOCAL: "grist", Side.REMOTE: "shopify"}


@dataclass
class Gathered:
    """What to look at, by resource, and what to remember once that is done."""

    scopes: dict[str, Scope] = field(default_factory=dict)
    checkpoints: dict[str, Any] = field(default_factory=dict)
    hints: list[int] = field(default_factory=list)
    cut_off: bool = False
    """An earlier run left writes of which nobody knows yet what became."""
    restored: bool = False
    """The document went back to an older state."""
    way: str = ""
    """How it was found out, for the report."""
    unprepared: bool = False
    """Only a connector that is prepared can say: prepare, and gather again."""
    turned: dict[str, set[str]] = field(default_factory=dict)
    """By resource: fields that may be written on a side where the last run that looked at them might not."""
    shopify: Changed | None = None
    """What Shopify said, so that it is not asked twice."""

    @property
    def versions(self) -> dict[str, Any]:
        """Where both sides stood before anything was read: the number of Grist's last bundle, Shopify's moment."""
        grist, shopify = (self.checkpoints.get(side) or {} for side in ("grist", "shopify"))
        return {"grist": grist.get("n"), "shopify": shopify.get("at")}

    @property
    def quiet(self) -> bool:
        return not self.unprepared and all(scope.empty for scope in self.scopes.values())

    @property
    def all_whole(self) -> bool:
        return all(scope.whole for scope in self.scopes.values())


def gather(
    database: Database, link_id: int, mappings: Sequence[Mapping], local: Connector, remote: Connector, *,
    everything: bool = False, audit_seconds: float = AUDIT_SECONDS, before: Gathered | None = None,
    say: Callable[[str], None],
) -> Gathered:
    """Ask everybody what may have changed since the last run. Changes nothing. Raises what `changed` raises. `before`
    is what came of asking when nothing was prepared yet; `say` is told who is asked, who may be away."""
    with database.read() as tx:
        kept = links.checkpoints(tx, link_id)
        hints = inbox.claim(tx, link_id)
        cut_off = journal.count(tx, link_id) > 0
        clock = runs.clock(tx)
    say("reading_grist")
    grist = local.changed(mappings, kept.get("grist"))
    say("reading_shopify")
    shopify = before.shopify if before and before.shopify else remote.changed(mappings, kept.get("shopify"))
    audit = everything or clock - kept.get("audited_at", 0.0) >= audit_seconds
    found = Gathered(
        hints=hints.ids, cut_off=cut_off, restored=grist.why == "restored",
        unprepared=UNPREPARED in (grist.why, shopify.why),
        way=_way(grist, shopify, cut_off=cut_off, audit=audit), shopify=shopify,
    )
    if found.unprepared:
        return found
    heard = {side: _expanded(connector, mappings, hints.keys)
             for side, connector in ((Side.LOCAL, local), (Side.REMOTE, remote))}
    known = kept.get("mappings", {})
    for mapping in mappings:
        looked = known.get(mapping.name, {})
        scope = Scope(rows_known=looked.get("rows_known", False), things_known=looked.get("things_known", False))
        if not (cut_off or audit or looked.get("settings") != settings_of(mapping)):
            scope.rows = _keys(grist, mapping)
            scope.things = _keys(shopify, mapping)
            with database.read() as tx:
                due = waiting.keys_due(tx, mapping.id, TRIES)
                scope.add(due.rows, due.things | base.unmarked(tx, mapping.id))
        for side, (keys, whole) in heard.items():
            _hear(scope, side, keys.get(mapping.name, set()), whole=mapping.name in whole)
        found.scopes[mapping.name] = scope
        ways = looked.get("ways", {})
        found.turned[mapping.name] = {
            name for name, sides in ways_of(mapping).items() if name in ways and not set(sides) <= set(ways[name])}
    found.checkpoints = {
        "grist": grist.checkpoint, "shopify": shopify.checkpoint, "mappings": dict(known),
        "audited_at": clock if found.all_whole else kept.get("audited_at", 0.0),
    }
    return found


def settings_of(mapping: Mapping) -> str:
    """A mark of everything that decides about a mapping's rows: with another one all of them are looked at anew."""
    rules = [(r.name, r.column, r.direction.value, r.on_conflict.value, r.field.write) for r in mapping.fields]
    said = (mapping.table, rules, mapping.match, mapping.filter, mapping.only_where, mapping.create_local,
            mapping.create_remote, mapping.delete_local.value, mapping.delete_remote.value)
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def ways_of(mapping: Mapping) -> dict[str, list[str]]:
    """By field: the sides on which it may be written."""
    return {rule.name: [side.value for side in Side if rule.may_write(side)] for rule in mapping.fields}


def _keys(changed: Changed, mapping: Mapping) -> set[Any] | None:
    """What one side names of a mapping; None for all of it. What may not be read there is not named at all."""
    if changed.keys is None or mapping.name in changed.audit:
        return None
    return set(changed.keys.get(mapping.name, ()))


def _expanded(
    connector: Connector, mappings: Sequence[Mapping], hints: Dict[tuple[Side, str], set[Key]]
) -> tuple[dict[str, set[Key]], set[str]]:
    """The hints of one side as keys by resource, and the resources of which everything may have changed."""
    mine = {resource: keys for (side, resource), keys in hints.items() if side is connector.side}
    whole = {resource for resource, keys in mine.items() if "" in keys}
    if not mine:
        return {}, set()
    keys, more = connector.expand(mappings, {resource: named - {""} for resource, named in mine.items()})
    return keys, whole | more


def _hear(scope: Scope, side: Side, keys: set[Key], *, whole: bool) -> None:
    if whole and side is Side.LOCAL:
        scope.rows = None
    elif whole:
        scope.things = None
    scope.add((key for key in keys if isinstance(key, int)), (key for key in keys if isinstance(key, str)))


def _way(grist: Changed, shopify: Changed, *, cut_off: bool, audit: bool) -> str:
    if cut_off:
        return "Everything was read, for an earlier sync was cut off."
    if grist.keys is None or shopify.keys is None:
        return "Everything was read: " + ", ".join(
            f"{name} {_SAID.get(one.why, one.why)}" for name, one in (("Grist", grist), ("Shopify", shopify))
            if one.keys is None) + "."
    if audit:
        return "Everything was read: it was time for that again."
    many = ", ".join(sorted(grist.audit))
    return f"Only what changed was read; of {many} so much in Grist that all of it was." if many else \
        "Only what changed was read."


_SAID = {
    "first": "is read for the first time",
    "trimmed": "does not keep its history that far back",
    "restored": "went back to an older state",
    "refused": "does not tell the sync's key what changed",
    "remade": "has a mapped table or column that is another one now",
}

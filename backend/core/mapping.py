"""Mappings made from resources, narrowed to chosen fields, and their references told in both sides' words.

A reference is a Shopify gid in every row and plan, whichever side it came from. Grist keeps row ids; the
`Directory` knows which row is which thing and translates at the edges:

    Grist row 7 → "gid://shopify/Product/1"          known pair
    Grist row 9 → LocalRef("products", 9)            a new row, nothing in Shopify yet
    "gid://shopify/Product/5" → row id               when it is written, and only once that row exists

A list of references is told as a whole or not at all: one member that the other side lacks leaves all of it unread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence, Set
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace

from backend.core.model import Create, Direction, Field, FieldRule, Key, Mapping, Resource, Row, Rule, Snapshot, Update
from backend.core.values import REFERENCES, UNREAD, LocalRef, Ref, Unfit, Value, as_refs

Translate = Callable[[str, Value], Value]
"""(target resource, value) → the same reference in other words; None where there are none yet."""


def column_id(label: str) -> str:
    """The Grist column id that a label gets: `Compare at` → `Compare_at`."""
    return re.sub(r"\W+", "_", label).strip("_")


def rule_for(
    described: Field, column: str = "", direction: Direction | None = None, on_conflict: Rule | None = None
) -> FieldRule:
    """The rule of one field: what was configured, else what the field itself suggests."""
    natural = Direction.BOTH if described.writable and not described.opt_in else Direction.TO_GRIST
    return FieldRule(
        described, column or column_id(described.label), direction or natural, on_conflict or described.rule
    )


def choose(mappings: Iterable[Mapping], fields: Iterable[str]) -> list[Mapping]:
    """The mappings that have any of `fields` (names or groups), narrowed to those.

    Raises KeyError with the first name that nothing mapped answers to.
    """
    mappings = list(mappings)
    wanted = set(fields)
    known = {name for m in mappings for rule in m.fields for name in (rule.name, rule.field.group)}
    for name in sorted(wanted - known):
        raise KeyError(name)
    narrowed = []
    for mapping in mappings:
        names = {rule.name for rule in mapping.fields if wanted & {rule.name, rule.field.group}}
        if names:
            narrowed.append(replace(mapping, chosen=frozenset(names)))
    return narrowed


def in_order(mappings: Sequence[Mapping], order: Sequence[str]) -> list[Mapping]:
    """Sorted so that a resource stands after those it refers to, and by `order` otherwise."""
    waiting = sorted(mappings, key=lambda mapping: order.index(mapping.name))
    names = {mapping.name for mapping in waiting}
    sorted_out: list[Mapping] = []
    while waiting:
        done = {mapping.name for mapping in sorted_out}
        ready = [one for one in waiting if targets(one) & names <= done | {one.name}]
        sorted_out.append((ready or waiting)[0])
        waiting.remove(sorted_out[-1])
    return sorted_out


def targets(mapping: Mapping) -> set[str]:
    """The resources that a mapping's references point to."""
    return {rule.field.target for rule in mapping.fields if rule.kind in REFERENCES}


Places = Iterable[tuple[int, str]]
"""(row, thing) of pairs."""


def nowhere(resource: str, rows: Set[int], things: Set[str]) -> Places:
    return ()


@dataclass
class Directory:
    """Which Grist row is which Shopify thing, for all resources of a link.

    `find` is asked once for every row and thing that is not known yet: (resource, rows, things) → the pairs that have
    one of them. Ask for many at once with `look_up`.
    """

    find: Callable[[str, Set[int], Set[str]], Places] = nowhere
    things: dict[str, dict[int, str | None]] = field(default_factory=dict)
    rows: dict[str, dict[str, int | None]] = field(default_factory=dict)
    expected: dict[str, set[str]] = field(default_factory=dict)
    """Things that will have a row once this run has written it."""
    unseen: Callable[[str], bool] = lambda resource: False
    """Whether nobody looks at the rows of a resource now: where one is known to have been, another may be by now."""
    unsure: set[tuple[str, int]] = field(default_factory=set)
    """(resource, row) that a read did not show without proving it gone: nothing is told to refer to it meanwhile."""
    successors: dict[tuple[str, str], str] = field(default_factory=dict)
    """(resource, thing that is gone) → what was made again for its row in this run."""
    arrived: set[str] = field(default_factory=set)
    """The resources of which a row and a thing found each other in this run."""

    def add(self, resource: str, row: int, thing: str) -> None:
        self.arrived.add(resource)
        self.things.setdefault(resource, {})[row] = thing
        self.rows.setdefault(resource, {})[thing] = row

    def drop(self, resource: str, row: int, thing: str) -> None:
        self.things.setdefault(resource, {})[row] = None
        self.rows.setdefault(resource, {})[thing] = None

    def expect(self, resource: str, things: Iterable[str]) -> None:
        self.expected.setdefault(resource, set()).update(things)

    def look_up(self, resource: str, rows: Iterable[int], things: Iterable[str]) -> None:
        """Learn the partners of those that are not known yet, all at once."""
        known_rows, known_things = self.things.setdefault(resource, {}), self.rows.setdefault(resource, {})
        new_rows = {row for row in rows if row not in known_rows}
        new_things = {thing for thing in things if thing not in known_things}
        if not (new_rows or new_things):
            return
        for row, thing in self.find(resource, new_rows, new_things):
            known_rows.setdefault(row, thing)
            known_things.setdefault(thing, row)
        for row in new_rows:
            known_rows.setdefault(row, None)
        for thing in new_things:
            known_things.setdefault(thing, None)

    def thing(self, resource: str, row: int) -> str | None:
        self.look_up(resource, (row,), ())
        return self.things[resource][row]

    def row(self, resource: str, thing: str) -> int | None:
        self.look_up(resource, (), (thing,))
        return self.rows[resource][thing]

    def knows(self, resource: str, thing: str) -> bool:
        return thing in self.expected.get(resource, ()) or self.row(resource, thing) is not None

    # --- reading --------------------------------------------------------------------------------

    def canonical_local(self, mapping: Mapping, snapshot: Snapshot) -> Snapshot:
        """Row ids in reference fields told as gids, or as `LocalRef` where the row has no partner yet."""
        return self._translated(mapping, snapshot, self._from_row)

    def canonical_remote(self, mapping: Mapping, snapshot: Snapshot) -> Snapshot:
        """A gid whose thing has no row, and will not get one, cannot be shown in Grist: it counts as unread."""
        return self._translated(mapping, snapshot, self._from_thing)

    def _from_row(self, target: str, value: Value) -> Value:
        if isinstance(value, tuple):
            return as_refs(self._one_from_row(target, one) for one in value)
        return self._one_from_row(target, value) if isinstance(value, int) else value

    def _one_from_row(self, target: str, one: Ref) -> Ref:
        return (self.thing(target, one) or LocalRef(target, one)) if isinstance(one, int) else one

    def _from_thing(self, target: str, value: Value) -> Value:
        return UNREAD if self.lacking(target, value) else value

    def lacking(self, target: str, value: Value) -> list[str]:
        """The things that `value` refers to which have no row, and will not get one in this run."""
        things = value if isinstance(value, tuple) else (value,)
        return [one for one in things if isinstance(one, str) and not self.knows(target, one)]

    def _translated(self, mapping: Mapping, snapshot: Snapshot, translate: Translate) -> Snapshot:
        places = [(i, rule.field.target) for i, rule in enumerate(mapping.fields) if rule.kind in REFERENCES]
        if not places:
            return snapshot
        for place, target in places:
            cells = [row[place] for row in snapshot.rows.values()]
            held = {one for cell in cells for one in (cell if isinstance(cell, tuple) else (cell,))}
            self.look_up(target, [one for one in held if isinstance(one, int)],
                         [one for one in held if isinstance(one, str)])
        rows: dict[Key, Row] = {}
        for key, row in snapshot.rows.items():
            told = list(row)
            for place, target in places:
                told[place] = translate(target, told[place])
            rows[key] = tuple(told)
        return replace(snapshot, rows=rows)

    # --- writing --------------------------------------------------------------------------------

    def for_local(self, mapping: Mapping, op: Create | Update) -> Create | Update:
        """`op` with gids told as row ids. A reference whose row does not exist (yet), or may not any more, is left
        out."""
        def translate(target: str, one: Ref) -> Ref | None:
            if isinstance(one, LocalRef):
                return one.row
            row = self.row(target, one) if isinstance(one, str) and not self.unseen(target) else None
            return None if row is None or (target, row) in self.unsure else row
        return self._rewritten(mapping, op, translate)

    def for_remote(self, mapping: Mapping, op: Create | Update) -> Create | Update:
        """`op` with new rows told as the gids that they have got meanwhile, and what was made again by its new gid;
        what has none is left out."""
        def translate(target: str, one: Ref) -> Ref | None:
            if isinstance(one, LocalRef):
                return self.thing(target, one.row)
            return self.successors.get((target, one), one) if isinstance(one, str) else one
        return self._rewritten(mapping, op, translate)

    def stored(self, mapping: Mapping, values: Dict[str, Value]) -> dict[str, Value]:
        """A Grist receipt's values, with row ids told as gids."""
        return {
            name: self._from_row(mapping.rule(name).field.target, value)
            if name in mapping.index and mapping.rule(name).kind in REFERENCES else value
            for name, value in values.items()
        }

    def _rewritten(
        self, mapping: Mapping, op: Create | Update, translate: Callable[[str, Ref], Ref | None]
    ) -> Create | Update:
        targets = {rule.name: rule.field.target for rule in mapping.fields if rule.kind in REFERENCES}
        if not targets and isinstance(op, Create):
            return op

        def said(name: str, value: Value) -> Value:
            if name not in targets or value is None or isinstance(value, Unfit):
                return value
            if isinstance(value, tuple):
                found = [translate(targets[name], one) for one in value]
                told = [one for one in found if one is not None]
                return as_refs(told) if len(told) == len(found) else UNREAD
            known = translate(targets[name], value) if isinstance(value, str | int | LocalRef) else None
            return UNREAD if known is None else known

        if isinstance(op, Create):
            values = {name: said(name, value) for name, value in op.values.items()}
            return replace(op, values={name: value for name, value in values.items() if value is not UNREAD})
        changes = [replace(c, before=said(c.field, c.before), after=said(c.field, c.after)) for c in op.changes]
        # A row that has got its partner since the plan was made is the same row: nothing is written there.
        return replace(op, changes=tuple(c for c in changes if c.after is not UNREAD and c.before != c.after))


def default_mapping(resource: Resource, *, fields: Sequence[str] = (), table: str = "") -> Mapping:
    """A mapping that `--init` writes: every field, or those named, into a table named after the resource."""
    chosen = [f for f in resource.fields if not fields or f.name in fields]
    return Mapping(
        resource,
        table or resource.table,
        tuple(rule_for(f) for f in chosen),
        match=tuple(w for w in resource.match if all(any(f.name == p for f in chosen) for p in w.split("+"))),
    )


def why_not_archived(mapping: Mapping) -> tuple[str, str] | None:
    """Why what was deleted in Grist cannot be put aside in Shopify, and what to do; None where it can."""
    if mapping.can_archive:
        return None
    resource = mapping.resource
    field = resource.field(resource.archives[0]) if resource.archives else None
    if field is None:
        return f"{resource.label} cannot be archived in Shopify.", "Write in_shopify: propose."
    return (f"{resource.label} cannot be archived in Shopify where {field.label} is not mapped, or only read from "
            "Shopify.",
            f"Map {field.name} so that it is written to Shopify, or write in_shopify: propose.")

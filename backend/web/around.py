"""What stands around a question: a row with how it stands and its other fields, and what goes along with a deletion.
From what both sides held when they last agreed; nobody is asked and nothing is written.

    deletion in Grist     wait   rows of other tables that refer to it and wait for a yes themselves
                          back   those of them that are put back with it: variants with their product, and their stock
                          lose   rows that stay and lose their reference
    deletion in Shopify   go     things that Shopify deletes with it, and how many pieces of them are in stock
                          lose   rows in Grist that stay and lose their reference
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from backend.core.model import Mapping
from backend.core.values import REFERENCES, dump
from backend.store import base, waiting
from backend.web import standing
from backend.web.sight import Sight
from backend.web.values import Tables

TAKEN_ALONG = {"variants": "product", "inventory": "variant", "draft_order_lines": "draft"}
"""By resource the reference to what takes it along when Shopify deletes that."""
COUNTED = ("available", "onHand")
"""Of which field of a stock level one of them is synced: pieces in stock."""


def row(tx: sa.Connection, known: Tables, eyes: Sight, resource: str, number: int) -> dict[str, Any] | None:
    """ROW: how a row stands, and its mapped fields as Grist held them last, none where it is nothing in Shopify. None
    where its table is not synced, or not for them."""
    mapping_id = known.mapping_id(resource)
    if mapping_id is None or not eyes.row(mapping_id, number):
        return None
    mapping = known.described[mapping_id]
    found = base.pairs(tx, mapping, rows=[number])
    thing = found[0].remote if found else None
    told = {**known.head(mapping_id), "row": number, "title": None, "sku": None,
            "status": standing.status(tx, known, eyes, mapping_id, number, thing), "fields": []}
    if not found:
        return told
    values = mapping.values(found[0].base_local)
    raw = {name: dump(value) for name, value in values.items() if eyes.cell(mapping_id, number, name)}
    known.learn(tx, [(mapping_id, name, one) for name, one in raw.items()], [(mapping_id, found[0].remote)])
    # The name of a row that somebody may not see would stand in a reference to it.
    shown = [name for name in raw if eyes.everything or mapping.rule(name).kind not in REFERENCES]
    titled = mapping.resource.title in shown
    return {**told, "title": known.names.get((resource, found[0].remote)) if titled or eyes.everything else None,
            "sku": raw.get("sku"),
            "fields": [{**known.describe(mapping_id, name), "value": known.value(mapping_id, name, raw[name])}
                       for name in shown]}


@dataclass
class _Along:
    """Of one deletion: how many of which mapping (its id) go, wait, are put back with it or lose their reference."""

    go: Counter[int] = field(default_factory=Counter)
    back: Counter[int] = field(default_factory=Counter)
    wait: Counter[int] = field(default_factory=Counter)
    lose: Counter[int] = field(default_factory=Counter)
    parts: dict[int, set[str]] = field(default_factory=dict)
    """The things that go, or that are put back with it, by mapping."""
    pieces: int = 0
    places: dict[str, None] = field(default_factory=dict)


def along(tx: sa.Connection, known: Tables, eyes: Sight, limit: int) -> dict[str, Any]:
    """ALONG by the number of each deletion that waits."""
    listed = [one for one in waiting.deletions(tx, known.link_id, limit=limit) if one.mapping_id in known.described]
    found = {one.id: _Along() for one in listed}
    waits = {(one.mapping_id, int(one.key)) for one in listed if one.side == "local"}
    for side in ("local", "remote"):
        things: dict[int, dict[str, int]] = {}
        for one in listed:
            if one.side == side:
                things.setdefault(one.mapping_id, {})[one.partner if side == "local" else one.key] = one.id
        for mapping_id, ids in things.items():
            for other, name, thing, target, number in _referring(tx, known, mapping_id, ids):
                told = found[ids[target]]
                belongs = TAKEN_ALONG.get(known.described[other].name) == name
                waiting_too = (other, number) in waits
                if side == "remote" and belongs:
                    told.go[other] += 1
                    told.parts.setdefault(other, set()).add(thing)
                elif number >= 0 and eyes.row(other, number):
                    (told.wait if waiting_too else told.lose)[other] += 1
                    if waiting_too and belongs:
                        told.back[other] += 1
                        told.parts.setdefault(other, set()).add(thing)
    for one in listed:
        if one.side == "remote":
            _stock(tx, known, found[one.id])
        else:
            _stock_back(tx, known, found[one.id], waits, eyes)
    return {"along": {str(number): _told(known, one, eyes) for number, one in found.items()}}


def _referring(tx: sa.Connection, known: Tables, mapping_id: int, ids: dict[str, int]
               ) -> Iterator[tuple[int, str, str, str, int]]:
    """(mapping, field, thing, what it refers to, row) of all that refers to one of these things of a mapping."""
    target = known.described[mapping_id].name
    for other, mapping in known.described.items():
        for name, kind in _references(mapping, target):
            find = base.referring if kind == "ref" else base.listing
            for thing, referred, number in find(tx, other, name, ids):
                yield other, name, thing, referred, number


def _references(mapping: Mapping, target: str) -> list[tuple[str, str]]:
    return [(rule.name, rule.kind) for rule in mapping.fields
            if rule.kind in REFERENCES and rule.field.target == target]


def _stock_back(tx: sa.Connection, known: Tables, told: _Along, waits: set[tuple[int, int]], eyes: Sight) -> None:
    """Levels that are put back with the variants of a product."""
    level_id, variants_id = known.mapping_id("inventory"), known.mapping_id("variants")
    if level_id is None or variants_id not in told.parts or "variant" not in known.described[level_id].index:
        return
    for _, _, number in base.referring(tx, level_id, "variant", told.parts[variants_id]):
        told.back[level_id] += (level_id, number) in waits and eyes.row(level_id, number)


def _stock(tx: sa.Connection, known: Tables, told: _Along) -> None:
    """Levels of what goes, and of the parts of what goes: a product takes its variants' stock along."""
    level_id = known.mapping_id("inventory")
    variants_id = known.mapping_id("variants")
    if level_id is None:
        return
    levels = known.described[level_id]
    counted = next((name for name in COUNTED if name in levels.index), None)
    going = set(told.parts.get(level_id, set()))
    if variants_id in told.parts and "variant" in levels.index:
        more = base.referring(tx, level_id, "variant", told.parts[variants_id])
        told.go[level_id] += len({thing for thing, _, _ in more} - going)
        going |= {thing for thing, _, _ in more}
    if counted is None or not going:
        return
    for pair in base.pairs(tx, levels, rows=(), things=going):
        held = levels.values(pair.base_remote)
        number = held.get(counted)
        if not isinstance(number, int) or number <= 0:
            continue
        told.pieces += number
        if isinstance(place := held.get("location"), str):
            known.learn(tx, [(level_id, "location", place)])
            told.places[known.value(level_id, "location", place)["title"]] = None


def _told(known: Tables, one: _Along, eyes: Sight) -> dict[str, Any]:
    def counts(numbers: Counter[int]) -> list[dict[str, Any]]:
        return [{**{name: known.head(mapping_id)[name] for name in ("resource", "label")}, "n": n}
                for mapping_id in known.described if (n := numbers[mapping_id])]

    # What goes in Shopify is nobody's row: it is told to those from whom nothing is hidden.
    stock = {"n": one.pieces, "places": list(one.places)} if one.pieces and eyes.everything else None
    return {"go": counts(one.go) if eyes.everything else [], "wait": counts(one.wait), "back": counts(one.back),
            "lose": counts(one.lose), "stock": stock}

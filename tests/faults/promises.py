"""What has to be true of a world once faults have stopped and two ordinary runs are over (design §6).

Most of it is one question: is everything as it is where nothing went wrong?
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from engine.world import World
from twins import Written

from backend.core.model import Mapping, Side
from backend.core.values import dump

from .people import KEYLESS
from .story import Stage, State

PROMISES = {
    "P1": "what was typed is on both sides, in a question or in history",
    "P2": "no blind overwrite: stock is what edits and sales add up to",
    "P3": "questions are exactly those that people have to answer",
    "P4": "both sides agree after two runs, on what they agree on without a fault",
    "P5": "a further run writes nothing",
    "P6": "one write a change",
    "P7": "no human is needed",
    "P8": "nothing is created twice",
    "P9": "nothing is deleted without a yes, and every yes and proposal is kept",
    "P10": "nothing is cleared that nobody cleared",
    "P12": "pairs are one to one, and each row holds its Shopify ID",
    "P16": "what somebody keeps apart stays apart",
    "P17": "what is taken back is taken back once, and all of it",
    "history": "every write stands in the history, once",
}

NAMED_BY = {"products": ("handle",), "variants": ("sku",), "locations": ("name",),
            "inventory": ("variant", "location")}
"""By resource: the fields that name a thing on both sides."""
DOUBTFUL = "may have been created in Shopify already"


@dataclass
class Scene:
    """A world in words that do not depend on row ids, gids or the order of things."""

    sides: dict[str, Counter[str]] = field(default_factory=dict)
    names: dict[str, Counter[str]] = field(default_factory=dict)
    stock: dict[str, Any] = field(default_factory=dict)
    conflicts: Counter[str] = field(default_factory=Counter)
    proposals: Counter[str] = field(default_factory=Counter)
    refusals: list[str] = field(default_factory=list)
    open_intents: int = 0
    unpaired: list[str] = field(default_factory=list)
    deleted: Counter[str] = field(default_factory=Counter)
    cleared: set[str] = field(default_factory=set)
    twice: list[str] = field(default_factory=list)
    text: str = ""
    """Everything that is in both sides' cells, in a question, in a refused row or in the history."""
    both: tuple[str, str] = ("", "")
    chosen: str = ""
    """What people answered to questions."""
    written: Counter[str] = field(default_factory=Counter)
    history: Counter[str] = field(default_factory=Counter)
    apart: Counter[str] = field(default_factory=Counter)
    undone: Counter[str] = field(default_factory=Counter)
    """Lines of the history that were taken back."""


def broken(stage: Stage, chapter: str, start: Scene, end: Scene, state: State) -> dict[str, list[str]]:
    """By promise: what is wrong with the world that ordinary runs make of `state`. `start` is how the chapter began,
    `end` how it ends where nothing goes wrong."""
    found: dict[str, list[str]] = {}

    def wrong(promise: str, what: str) -> None:
        found.setdefault(promise, []).append(what)

    first = stage.settle(state)
    second = stage.settle(first.to)
    third = stage.settle(second.to)
    for number, passage in enumerate((first, second, third), 1):
        if passage.error is not None:
            wrong("P7", f"ordinary run {number} ended with {passage.error!r}")
    if third.wrote:
        wrong("P5", "the third run wrote something")
    now = scene(stage, second.to)
    doubts = [one for one in now.refusals if chapter == KEYLESS and DOUBTFUL in one]

    for token in tokens(start.text) - _safe_tokens(now):
        if not (doubts and token in now.both[0]):
            wrong("P1", f"{token} is nowhere")
    for name, expected in end.stock.items():
        if now.stock.get(name) != expected and not (doubts and name not in now.stock):
            wrong("P2", f"stock of {name} is {now.stock.get(name)} instead of {expected}")
    for one in _differ(now.conflicts, end.conflicts):
        wrong("P3", one)
    if not doubts:
        for side in now.sides:
            for one in _differ(now.sides[side], end.sides[side]):
                wrong("P4", f"{side}: {one}")
    for one in now.twice:
        wrong("P6", one)
    for one in set(now.refusals) - set(doubts) - set(end.refusals):
        wrong("P7", f"refused: {one}")
    if now.open_intents and not doubts:
        wrong("P7", f"{now.open_intents} batches are still open")
    for side in now.names:
        for name, number in now.names[side].items():
            if number > max(1, end.names[side][name]):
                wrong("P8", f"{side}: {number} × {name}")
    for one in _differ(now.proposals, end.proposals):
        wrong("P9", f"waits for a yes: {one}")
    for one in _differ(now.deleted, end.deleted):
        wrong("P9", f"deleted: {one}")
    for one in now.cleared - end.cleared:
        wrong("P10", one)
    for one in set(now.unpaired) - set(end.unpaired):
        wrong("P12", one)
    for one in _differ(now.apart, end.apart):
        wrong("P16", one)
    for one in _differ(now.undone, end.undone):
        wrong("P17", f"taken back: {one}")
    for one in _differ(now.history - start.history, now.written):
        if not (chapter == KEYLESS and "missing create" in one):  # found by its handle, and nobody knows who made it
            wrong("history", one)
    return found


def scene(stage: Stage, state: State) -> Scene:
    kept: dict[str, Scene] = stage.__dict__.setdefault("scenes", {})
    if state.fingerprint not in kept:
        kept[state.fingerprint] = _scene(stage.restore(state), stage)
    return kept[state.fingerprint]


def tokens(text: str) -> set[str]:
    return set(re.findall(r"tok\d+", text.casefold()))


def _safe_tokens(now: Scene) -> set[str]:
    return (tokens(now.both[0]) & tokens(now.both[1])) | tokens(now.text)


def _differ(now: Counter[str], expected: Counter[str]) -> Iterable[str]:
    yield from (f"unexpected {one}" for one in (now - expected).elements())
    yield from (f"missing {one}" for one in (expected - now).elements())


# --- looking ------------------------------------------------------------------------------------------


def _scene(world: World, stage: Stage) -> Scene:
    seen = Scene()
    for mapping in world.mappings:
        cells = {f"Grist {row}": _grist_words(world, mapping, row) for row in world.grist.rows.get(mapping.table, {})}
        things = {gid: _shopify_words(world, mapping, gid) for gid in world.shopify.things[mapping.name]}
        for side, rows in (("Grist", cells), ("Shopify", things)):
            seen.sides.setdefault(side, Counter()).update(f"{mapping.name} {words}" for words in rows.values())
            seen.names.setdefault(side, Counter()).update(
                f"{mapping.name} {_name(mapping.name, words)}" for words in rows.values()
                if _name(mapping.name, words) != "None")
            if mapping.name == "inventory":
                seen.stock.update((f"{side} {_name('inventory', one)}", one["available"]) for one in rows.values())
    _look_at_pairs(world, stage, seen)
    _look_at_log(world, seen)
    mapping_of = {one.id: one for one in world.mappings}
    for one in world.conflicts():
        seen.conflicts[f"{mapping_of[one.mapping_id].name} {one.title} {one.field!r}: {one.base!r}, "
                       f"Grist {one.local!r}, Shopify {one.remote!r}{', answered' if one.choice else ''}"] += 1
    for one in world.deletions():
        key = one.key if one.side == Side.REMOTE else one.partner
        seen.proposals[f"{mapping_of[one.mapping_id].name} {one.title or key} in {one.side}"] += 1
    seen.refusals = [f"{mapping_of[one.mapping_id].name} {one.title} {one.message}" for one in world.refusals()
                     if not one.waits]
    seen.both = (json.dumps(list(world.grist.rows.items()), default=str).casefold(),
                 json.dumps(list(world.shopify.things.items()), default=str).casefold())
    seen.chosen = json.dumps([one.choice for one in world.conflicts()], default=str).casefold()
    asked = [(one.base, one.local, one.remote, one.choice) for one in world.conflicts()]
    told = [(one.before, one.after) for one in world.history()]
    seen.text = json.dumps([asked, told, _kept_apart(world)], default=str).casefold()
    for line in world.history():
        key = line.local_key if line.side == Side.LOCAL else line.remote_key
        seen.history[f"{line.kind} {mapping_of[line.mapping_id].name} {key} {line.field}"] += 1
        if line.undone_run is not None:
            seen.undone[f"{line.kind} {mapping_of[line.mapping_id].name} {line.remote_key} {line.field}"] += 1
    seen.apart.update(f"{thing} {field or 'as a whole'}" for thing, field in world.apart())
    return seen


def start_scene(stage: Stage, state: State) -> Scene:
    """Like `scene`, with everything that people have typed as the text."""
    seen = scene(stage, state)
    return Scene(text=" ".join((*seen.both, seen.chosen)), history=seen.history)


def _grist_words(world: World, mapping: Mapping, row: int) -> dict[str, Any]:
    """A row with its references told by name."""
    words: dict[str, Any] = {}
    for rule in mapping.fields:
        value = world.grist.cell(mapping.table, row, rule.name)
        if rule.kind == "ref" and isinstance(value, int):
            target = world.mapping(rule.field.target)
            known = value in world.grist.rows[target.table]
            words[rule.name] = _name(target.name, _grist_words(world, target, value)) if known else f"row {value}?"
        else:
            words[rule.name] = dump(value)
    return words


def _shopify_words(world: World, mapping: Mapping, gid: str) -> dict[str, Any]:
    words: dict[str, Any] = {}
    for name, value in world.shopify.thing(gid).items():
        rule = mapping.rule(name)
        if rule.kind == "ref" and isinstance(value, str) and value in world.shopify.things[rule.field.target]:
            target = world.mapping(rule.field.target)
            words[name] = _name(target.name, _shopify_words(world, target, value))
        else:
            words[name] = dump(value)
    return words


def _name(resource: str, words: dict[str, Any]) -> str:
    return " at ".join(str(words[part]) for part in NAMED_BY[resource])


def _look_at_pairs(world: World, stage: Stage, seen: Scene) -> None:
    raw = sqlite3.connect(stage.path)
    for mapping in world.mappings:
        for side, key in raw.execute("select side, key from deletion where mapping_id = ? and kept", (mapping.id,)):
            if side == Side.REMOTE and not mapping.resource.deletable:
                continue  # nothing is ever deleted there
            seen.apart[f"{mapping.name} {_kept_name(world, mapping, side, key)} is kept in {side}"] += 1
        query = "select local_key, remote_key, marked from pair where mapping_id = ?"
        pairs = raw.execute(query, (mapping.id,)).fetchall()
        marks = world.pairs(mapping.name)
        for mark, number in Counter(marks.values()).items():
            if number > 1:
                seen.unpaired.append(f"{mapping.name} {mark} is named by {number} rows")
        for row, thing, marked in pairs:
            if row in world.grist.rows[mapping.table] and (marks.get(row) != thing or not marked):
                seen.unpaired.append(f"{mapping.name} row {row} is {thing} and says {marks.get(row)}, marked {marked}")
        known = {thing for _, thing, _ in pairs}
        seen.unpaired += [f"{mapping.name} row {row} says {mark}, which has no pair" for row, mark in marks.items()
                          if mark not in known]
    seen.open_intents = raw.execute("select count(*) from intent").fetchone()[0]
    raw.close()


def _kept_apart(world: World) -> list[Any]:
    """What stands in cells and rows that are kept apart, on either side: it is on one of them only, on purpose."""
    found: list[Any] = []
    for thing, name in world.apart():
        shown = [world.shopify.thing(thing)] if thing in world.shopify.all_gids() else []
        shown += [world.grist.rows[mapping.table][row] for mapping in world.mappings
                  for row, mark in world.pairs(mapping.name).items() if mark == thing]
        found += [cells.get(name) if name else list(cells.values()) for cells in shown]
    return found


def _kept_name(world: World, mapping: Mapping, side: str, key: str) -> str:
    """The name of what is kept on one side; its key where it is not there."""
    if side == Side.LOCAL and int(key) in world.grist.rows[mapping.table]:
        return _name(mapping.name, _grist_words(world, mapping, int(key)))
    if side == Side.REMOTE and key in world.shopify.things[mapping.name]:
        return _name(mapping.name, _shopify_words(world, mapping, key))
    return key


def _look_at_log(world: World, seen: Scene) -> None:
    resource_of = {one.table: one.name for one in world.mappings}
    created: set[tuple[str, Any]] = set()
    for log in (world.grist.log, world.shopify.log):
        for one, number in Counter(log).items():
            if number > 1 or (one.kind == "update" and one.before == one.after):
                seen.twice.append(f"{number} × {one}")
        for one in log:
            resource = resource_of.get(one.where, one.where)
            _count_written(one, resource, created, seen)
            if one.kind == "delete":
                seen.deleted[f"{resource} {one.key}"] += 1
            elif one.kind == "update" and one.after is None and one.before is not None:
                seen.cleared.add(f"{resource} {one.key} {one.field} was {one.before!r}")


def _count_written(one: Written, resource: str, created: set[tuple[str, Any]], seen: Scene) -> None:
    if one.kind == "update":
        seen.written[f"update {resource} {one.key} {one.field}"] += 1
    elif one.kind == "delete":
        seen.written[f"delete {resource} {one.key} "] += 1
    elif one.kind == "create" and (resource, one.key) not in created:
        created.add((resource, one.key))
        seen.written[f"create {resource} {one.key} "] += 1

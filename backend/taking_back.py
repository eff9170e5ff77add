"""What an undo writes: the lines of the history are looked up, both sides are read, and `core.undo` decides."""

from __future__ import annotations

from collections.abc import Sequence, Set

from backend.core.mapping import Directory
from backend.core.model import Delete, Mapping, Side
from backend.core.undo import Undo
from backend.core.undo import undo as undo_lines
from backend.core.values import REFERENCES
from backend.look import Looking
from backend.report import Report
from backend.session import Session, UndoWanted
from backend.store import base, changes
from backend.work import Work, thing_of

_REFERRING = {"ref": base.referring, "refs": base.listing}


def undoings(session: Session, wanted: UndoWanted, work: Sequence[Work], directory: Directory, looking: Looking,
             report: Report) -> list[tuple[Work, Undo]]:
    """What an undo writes, by mapping in order of reference, from what both sides show now.

    Looked at backwards: a row goes only where no row that stays refers to it.
    """
    found: list[tuple[Work, Undo]] = []
    removed: dict[str, set[str]] = {}
    with session.database.read() as tx:
        lines_of = {one.mapping.name: changes.to_undo(tx, one.mapping, wanted.changes, wanted.runs) for one in work}
        back = {one.mapping.name: changes.half_back(tx, one.mapping, wanted.changes, wanted.runs) for one in work}
    for name, lines in lines_of.items():
        back[name] |= {line.thing for line in lines if line.kind == "delete" and line.side is Side.LOCAL}
    for one in reversed(work):
        lines = lines_of[one.mapping.name]
        lost = _references_to(session, one.mapping, back)
        if not lines and not lost:
            continue
        looking.some(one, {line.thing for line in lines} | {thing for thing, _, _ in lost})
        one.local = directory.canonical_local(one.mapping, one.local)
        one.remote = directory.canonical_remote(one.mapping, one.remote)
        made = {line.thing: line.id for line in lines if line.kind == "create" and line.side is Side.LOCAL}
        with session.database.read() as tx:
            worked = changes.carried_since(tx, one.mapping, made, {line.id for line in lines})
        referred = _referred(session, one.mapping, made.keys(), removed)
        undoing = undo_lines(one.mapping, lines, one.local, one.remote, list(one.pairs.values()), referred, lost,
                             worked)
        removed[one.mapping.name] = {thing_of(op) for op in undoing.ops if isinstance(op, Delete)}
        report.undone += undoing.lines
        report.stays += [{"change": line, "reason": reason} for line, reason in undoing.stays]
        found.append((one, undoing))
    return found[::-1]


def _references_to(session: Session, mapping: Mapping, back: dict[str, set[str]]) -> list[tuple[str, str, str]]:
    """(thing, field, what it referred to) of the rows of `mapping` that referred to a row which is coming back. Lists
    are not among them: one that names a row without a thing is not told to Shopify, and would wait for ever."""
    with session.database.read() as tx:
        return [(thing, rule.name, target) for rule in mapping.fields
                if rule.kind == "ref" and back.get(rule.field.target)
                for thing, target, _ in base.referring(tx, mapping.id, rule.name, back[rule.field.target])]


def _referred(session: Session, mapping: Mapping, things: Set[str], removed: dict[str, set[str]]) -> set[str]:
    """Those of `things` that a row refers to which an undo does not remove."""
    with session.database.read() as tx:
        return {target for other in session.mappings for rule in other.fields
                if things and rule.kind in REFERENCES and rule.field.target == mapping.name
                for thing, target, row in _REFERRING[rule.kind](tx, other.id, rule.name, things)
                if row >= 0 and thing not in removed.get(other.name, ())}

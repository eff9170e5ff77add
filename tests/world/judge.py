"""What has to be true of a world once faults have stopped and it has settled (design §6)."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from engine.world import World
from twins import Written

from backend.core.model import Direction, Mapping, Pair, Policy, Side
from backend.core.values import UNREAD
from backend.store import base, journal

from .ledger import Ledger, words


@dataclass
class Judge:
    """Looks at what the engine wrote while the story goes on, and at everything in the end."""

    world: World
    ledger: Ledger
    broken: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    crash: Exception | None = None
    unseen: int = 0
    """Values that were overwritten in Shopify before anybody could read them."""
    raced: bool = False
    """Somebody took rows away while a run was under way: it may still have referred to them."""
    late: bool = False
    """A request of an earlier run arrived after it: what it wrote was planned before the last answers."""
    _seen: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))
    _made: list[Written] = field(default_factory=list)

    def wrong(self, promise: str, what: str) -> None:
        self.broken[promise].append(what)

    # --- while it goes on ---------------------------------------------------------------------------------

    def look_at_writes(self) -> None:
        """What was written since the last look: no deletion without a yes, nothing cleared that nobody cleared, nothing
        in a cell that is kept apart."""
        apart = set() if self.late else self.world.apart()
        for side, log in ((Side.LOCAL, self.world.grist.log), (Side.REMOTE, self.world.shopify.log)):
            for one in log[self._seen[side]:]:
                mapping = self._mapping(one.where)
                if one.kind == "delete":
                    self._deleted(side, mapping, one)
                elif one.kind == "update" and one.after is None and one.before is not None:
                    self._cleared(side, mapping, one)
                elif one.kind == "create" and side is Side.REMOTE:
                    self._made.append(one)
                if one.kind == "update" and apart:
                    self._kept_apart(side, mapping, one, apart)
                if one.kind == "update" and one.before == one.after == one.planned:
                    self.wrong("P6", f"{one} changes nothing")
                if one.kind == "update" and one.before != one.planned:
                    self._overwritten(side, one)
            self._seen[side] = len(log)

    def _deleted(self, side: Side, mapping: Mapping, one: Written) -> None:
        # A row whose Shopify ID was never written is known by its number.
        thing = str(one.before or one.key if side is Side.LOCAL else one.key)
        policy = mapping.delete_local if side is Side.LOCAL else mapping.delete_remote
        if (mapping.name, side, thing) not in self.ledger.allowed and policy is not Policy.APPLY:
            self.wrong("P9", f"{mapping.name} {one.key} ({thing}) was deleted in {side}, and nobody had said yes")
        if side is Side.REMOTE:
            # What goes along with a thing is said before the yes; what somebody edits there after it goes along, too.
            parts = [cells for cells in self.world.shopify.removed.values() if thing in cells.values()]
            self.ledger.tokens -= words([*parts])
            # What somebody edits between the last look and the request: Shopify deletes under no condition (P1).
            self.unseen += one.before != one.planned
            self.ledger.tokens -= words(one.before) - words(one.planned)

    def _kept_apart(self, side: Side, mapping: Mapping, one: Written, apart: set[tuple[str, str]]) -> None:
        with self.world.database.read() as tx:
            things = {thing for _, thing in base.places(tx, mapping.id, {int(one.key)}, ())} if (
                side is Side.LOCAL) else {str(one.key)}
        if {(thing, one.field) for thing in things} & apart:
            self.wrong("P16", f"{one} was written, and somebody keeps that cell apart")

    def _overwritten(self, side: Side, one: Written) -> None:
        """A value that nobody had read was written over. Shopify has no conditional writes but for stock and
        metafields: that limit is named (P2), and nobody can keep what it never saw."""
        if side is Side.LOCAL or (one.where, one.field) in self.world.shopify.conditional:
            if one.planned is not UNREAD:
                self.wrong("P2", f"{one} was written over a value that nobody had read")
            return
        self.unseen += 1
        self.ledger.tokens -= words(one.before) - words(one.planned)

    def _cleared(self, side: Side, mapping: Mapping, one: Written) -> None:
        cleared = self.ledger.cleared
        if one.field != "tags" and not {(side.other, mapping.name, one.field), (side, mapping.name, "")} & cleared:
            rule = mapping.rule(one.field)
            if rule.direction is Direction.BOTH and rule.field.writable:
                self.wrong("P10", f"{one} clears what nobody cleared")

    # --- in the end ---------------------------------------------------------------------------------------

    def judge(self) -> None:
        for token in self.ledger.lost():
            self.wrong("P1", f"{token} is nowhere")
        self._stock()
        self._pairs()
        self._doubles()
        self._dangling()
        with self.world.database.read() as tx:
            are_open = journal.count(tx, self.world.link_id)
        if are_open and not self._doubts():
            self.wrong("P7", "batches are still open")
        for one in self.world.conflicts():
            if one.field and one.local == one.remote:
                self.wrong("P3", f"a question about {one.field} of {one.remote_key}: both sides hold {one.local!r}")

    def _stock(self) -> None:
        asked = {one.remote_key for one in self.world.conflicts() if one.field in ("available", "")}
        for level, right in self.ledger.stock.items():
            held = self.world.shopify.things["inventory"].get(level, {}).get("available")
            if level not in asked | self.ledger.doubtful and held is not None and held != right:
                self.wrong("P2", f"stock of {level} is {held} instead of {right}")

    def _pairs(self) -> None:
        """Both sides agree on every field of every pair that nobody is asked about; what has no partner is listed."""
        asked = {(one.mapping_id, one.local_key, one.field) for one in self.world.conflicts()}
        apart = self.world.apart()
        listed = {(one.mapping_id, Side.LOCAL if one.key.isdigit() else Side.REMOTE, one.key, one.field)
                  for one in self.world.refusals()}
        waiting = self._waiting()
        for mapping in self.world.mappings:
            with self.world.database.read() as tx:
                pairs = base.pairs(tx, mapping)
            rows, things = self.world.grist.rows.get(mapping.table, {}), self.world.shopify.things[mapping.name]
            for pair in pairs:
                if pair.local in rows and pair.remote in things:
                    refused = {(mapping.id, Side.LOCAL, str(pair.local), ""),
                               (mapping.id, Side.REMOTE, pair.remote, "")}
                    if refused & listed or self._is_outside(mapping, pair.local, pair.remote):
                        continue
                    if self.world.grist.marks.get(mapping.table, {}).get(pair.local) != pair.remote:
                        self.wrong("P12", f"row {pair.local} of {mapping.table} does not hold {pair.remote}")
                    for rule in mapping.fields:
                        key = mapping.id, pair.local, rule.name
                        if (pair.remote, rule.name) in apart:
                            continue
                        if key not in asked and (mapping.id, Side.LOCAL, str(pair.local), rule.name) not in listed:
                            self._agrees(mapping, pair, rule.name)
                elif (pair.local in rows or pair.remote in things) and (mapping.name, pair.remote) not in waiting:
                    self._half(mapping, pair.local, pair.remote, listed)
                elif pair.local not in rows and pair.remote not in things and not self._is_asked_which(
                        mapping, pair, listed):
                    self.wrong("P12", f"{mapping.name}: a pair of {pair.local} and {pair.remote}, and both are gone")
            self._alone(mapping, {pair.local for pair in pairs}, {pair.remote for pair in pairs}, listed)

    def _is_asked_which(self, mapping: Mapping, pair: Pair, listed: set[Any]) -> bool:
        """Whether somebody is asked which of several rows that hold its Shopify ID is the one."""
        rows = [row for row, mark in self.world.grist.marks.get(mapping.table, {}).items() if mark == pair.remote]
        return len(rows) > 1 and all((mapping.id, Side.LOCAL, str(row), "") in listed for row in rows)

    def _agrees(self, mapping: Mapping, pair: Pair, name: str) -> None:
        rule, row, gid = mapping.rule(name), pair.local, pair.remote
        local, remote = self.world.grist.cell(mapping.table, row, name), self.world.shopify.thing(gid)[name]
        bases = pair.base_local[mapping.index[name]], pair.base_remote[mapping.index[name]]
        if rule.direction is not Direction.BOTH and (gid, name) in self.ledger.chosen and bases == (local, remote):
            return  # somebody chose what one side is to hold, and the other is never written
        if rule.kind == "ref":
            with self.world.database.read() as tx:
                target = self.world.mapping(rule.field.target)
                rows = self.world.grist.rows.get(target.table, {})
                of_row = {row: gid for row, gid in base.keys(tx, target.id) if row in rows}
            if (local is not None and of_row.get(local) is None) or remote not in of_row.values():
                return  # what it refers to has no partner, and is looked at by itself
            local = of_row.get(local) if isinstance(local, int) else local
        if (mapping.table, name) in self.world.grist.formulas and not rule.field.writable:
            return
        if rule.direction is Direction.TO_SHOPIFY and self.world.shopify.spells(mapping, name, local) == remote:
            return  # Shopify has its own spelling, and nothing goes back
        if local != remote and local is not UNREAD:
            self.wrong("P4", f"{name} of row {row} of {mapping.table} is {local!r}, and {remote!r} in {gid}")

    def _half(self, mapping: Mapping, row: int, gid: str, listed: set[Any]) -> None:
        side = Side.LOCAL if row in self.world.grist.rows.get(mapping.table, {}) else Side.REMOTE
        policy = mapping.delete_local if side is Side.LOCAL else mapping.delete_remote
        if side is Side.REMOTE and not mapping.resource.deletable:
            policy = Policy.IGNORE
        if policy is Policy.IGNORE or self._is_outside(mapping, row, gid):
            return
        if (mapping.id, Side.LOCAL, str(row), "") in listed or (gid, mapping.name) in self._blocked():
            return
        if side is Side.REMOTE and self._is_candidate(mapping, gid, listed):
            return
        self.wrong("P9", f"{mapping.name}: of {row} and {gid} one is gone, and nobody is asked about the other")

    def _alone(self, mapping: Mapping, rows: set[int], gids: set[str], listed: set[Any]) -> None:
        for row in self.world.grist.rows.get(mapping.table, {}).keys() - rows:
            told = (mapping.id, Side.LOCAL, str(row)) in {key[:3] for key in listed}
            mark = self.world.grist.marks.get(mapping.table, {}).get(row, "")
            if not told and mapping.create_remote and not self._is_outside(mapping, row, mark):
                self.wrong("P21", f"row {row} of {mapping.table} has no partner, and nobody is told")
        for gid in self.world.shopify.things[mapping.name].keys() - gids:
            held = [row for row, mark in self.world.grist.marks.get(mapping.table, {}).items() if mark == gid]
            if held or self._is_outside(mapping, 0, gid) or self._may_wait(mapping, gid):
                continue
            self.wrong("P4", f"{gid} has no row in {mapping.table}")

    def _may_wait(self, mapping: Mapping, gid: str) -> bool:
        """Whether rows that are listed could be this thing: it is not made a second time beside them."""
        cells = self.world.shopify.thing(gid)
        for witness in mapping.match:
            names = witness.split("+")
            told = [str(cells.get(name)).casefold() for name in names]
            for row in self.world.grist.rows.get(mapping.table, {}):
                if [str(self.world.grist.cell(mapping.table, row, name)).casefold() for name in names] == told:
                    return True
        return False

    def _is_outside(self, mapping: Mapping, row: int, gid: str) -> bool:
        if mapping.only_where and (mapping.table, row) in self.world.grist.unticked:
            return True
        things = self.world.shopify.things[mapping.name]
        if mapping.filter and gid in things and str(things[gid].get("status")).casefold() != "active":
            return True
        return bool((mapping.table, row) in self.world.grist.hidden_rows)

    def _is_candidate(self, mapping: Mapping, gid: str, listed: set[Any]) -> bool:
        """Whether a row that is listed may be this thing: somebody is asked which of several it is."""
        thing = self.world.shopify.thing(gid)
        rows = self.world.grist.rows.get(mapping.table, {})
        return any((mapping.id, Side.LOCAL, str(row), "") in listed and self.world.grist.cell(
            mapping.table, row, witness) == thing[witness] is not None for row in rows for witness in mapping.match)

    def _blocked(self) -> set[tuple[str, str]]:
        """(thing, resource) of what rows that are listed claim to be."""
        found = set()
        listed = {(one.mapping_id, one.key) for one in self.world.refusals()}
        for mapping in self.world.mappings:
            for row, mark in self.world.grist.marks.get(mapping.table, {}).items():
                if (mapping.id, str(row)) in listed:
                    found.add((mark, mapping.name))
        return found

    def _waiting(self) -> set[tuple[str, str]]:
        """(resource, gid) of what waits for a yes, was answered with no, is asked about whole, or left apart."""
        name_of = {one.id: one.name for one in self.world.mappings}
        found = {(name_of[one.mapping_id], one.remote_key) for one in self.world.conflicts() if not one.field}
        found |= {(name, thing) for name in name_of.values() for thing, field in self.world.apart() if not field}
        with self.world.database.read() as tx:
            for row in tx.exec_driver_sql("select mapping_id, side, key, partner from deletion"):
                found.add((name_of[row.mapping_id], row.key if row.side == Side.REMOTE else row.partner))
        return found

    def _doubles(self) -> None:
        """No creation of ours happened twice: no two things that live hold what only one row was told."""
        made: dict[str, set[str]] = defaultdict(set)
        for one in self._made:
            if one.field in ("handle", "sku") and str(one.key) in self.world.shopify.things[one.where]:
                for token in words(one.after) - self.ledger.copied:
                    made[f"{one.where} {token}"].add(str(one.key))
        for what, gids in made.items():
            alive = [gid for things in self.world.shopify.things.values() for gid, cells in things.items()
                     if what.split()[1] in words((cells.get("handle"), cells.get("sku")))]
            if len(gids) > 1 or (len(set(alive)) > 1 and not self.ledger.edited_ids):
                self.wrong("P8", f"{what} was made {len(gids)} times: {sorted(alive)}")
        for mapping in self.world.mappings:
            for gid, number in Counter(self.world.grist.marks.get(mapping.table, {}).values()).items():
                if number > 1 + self.ledger.copies[mapping.table, gid]:
                    self.wrong("P8", f"{number} rows of {mapping.table} hold {gid}")

    def _dangling(self) -> None:
        """No cell refers to a row that is not there: the next row would be given its id, and be meant by it. (A run
        that was under way when the row went may have written that; then it is put right once the id is given away.)"""
        if self.raced:
            return
        for mapping in self.world.mappings:
            for rule in mapping.fields:
                if rule.kind == "ref":
                    there = self.world.grist.rows.get(self.world.mapping(rule.field.target).table, {})
                    for row, cells in self.world.grist.rows.get(mapping.table, {}).items():
                        held = cells.get(rule.name)
                        if isinstance(held, int) and held not in there:
                            self.wrong("P12", f"{rule.name} of row {row} of {mapping.table} refers to row {held}, "
                                              "which is not there")

    # --- looking ------------------------------------------------------------------------------------------

    def _doubts(self) -> bool:
        return any("may have been created" in one.message for one in self.world.refusals())

    def questions(self) -> list[Any]:
        return sorted((one.mapping_id, one.local_key, one.field, json.dumps([one.local, one.remote]))
                      for one in self.world.conflicts())

    def writes(self) -> tuple[int, int]:
        return len(self.world.grist.log), len(self.world.shopify.log)

    def last_written(self, since: tuple[int, int]) -> list[Written]:
        return [*self.world.grist.log[since[0]:], *self.world.shopify.log[since[1]:]]

    def freed_a_name(self, since: tuple[int, int]) -> bool:
        """Whether something that rows and things are paired by was written over."""
        return any(one.kind == "update" and one.field in {name for told in self._mapping(one.where).match
                                                          for name in told.split("+")}
                   for one in self.last_written(since))

    def fingerprint(self) -> str:
        """Everything but the runs themselves."""
        return repr((self.world.stored(), self.world.grist.rows, self.world.grist.marks, self.world.shopify.things))

    def _mapping(self, where: str) -> Mapping:
        return next(one for one in self.world.mappings if where in (one.name, one.table))



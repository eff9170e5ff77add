"""Read what a run has to look at of one mapping, and nothing else.

    scope                     read                                  kept
    everything                both sides whole                      all pairs
    rows and things           those rows; the things of rows that   pairs of which either half is not as it was
                              differ, and those things; the rows    agreed, or that something waits for
                              of things
    one side whole (audit)    that side; of the other the partners  the same
                              of what differs
    everything, by its looks  both sides whole, but values are      the same, and what has no digest
                              made only of what is not recognised

A row or thing without partner may be new: then all others that have none are read too, for one of them may be its
partner. A list proves no absence on Shopify's side: what it lacks is asked by id.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from backend.connector import Connector, Document
from backend.core.mapping import Directory
from backend.core.model import Key, Mapping, Pair, Row, Side, Snapshot
from backend.core.values import UNREAD
from backend.gather import settings_of
from backend.looks import Looks
from backend.store import apart, base, digests, loose, pairing, waiting
from backend.store.db import Database
from backend.store.waiting import Keys
from backend.work import Scope, Work

LOOSE_MOST = 2_000
"""With more candidates than this on one side a whole read is cheaper than asking for each."""

YOUNG = 50_000
"""New objects after which Python's collector looks for cycles in them: a batch has some ten thousand and few cycles."""

Say = Callable[[str, Work], None]
"""Tells how far the run is; raises where it must not go on."""
Read = Callable[[Mapping, set[Any]], Snapshot]


@contextmanager
def without_collecting() -> Iterator[None]:
    """What is read is many small things without cycles, through which Python's collector would walk again and again: a
    fifth of a full audit of 50,000 variants. What is dropped meanwhile is freed all the same."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def collect_seldom() -> None:
    """A run that writes much makes some ten thousand objects a batch, which Python's collector would walk through
    again and again: a sixth of the processor time of a first sync. Holds for the whole process, as it does here."""
    gc.set_threshold(YOUNG)


@dataclass
class _Half:
    """What has been read of one side."""

    connector: Connector
    one: Work
    say: Callable[[], None]
    seen: Snapshot = field(default_factory=lambda: Snapshot(complete=False))
    read: set[Key] = field(default_factory=set)
    left: set[Key] | None = None
    """After a read of everything: what was recognised and not read since, for no values were made of it."""

    def look(self, keys: Iterable[Key]) -> None:
        """Read those of `keys` that were not read yet. A row id below zero is a row that is known to be gone."""
        wanted = {key for key in keys if not (isinstance(key, int) and key < 0)
                  and (key not in self.read if self.left is None else key in self.left)}
        if wanted:
            self.say()
            self.take(self.connector.read(self.one.mapping, wanted), wanted)

    def take(self, seen: Snapshot, keys: Collection[Key]) -> None:
        self.seen = self.seen.merged(seen)
        if self.left is None:
            self.read |= set(keys)
        else:
            self.left -= set(keys)

    def take_whole(self, seen: Snapshot) -> None:
        self.seen, self.left = seen, set(seen.recognised)


class Looking:
    """Reads for one run."""

    def __init__(
        self, database: Database, directory: Directory, local: Document, remote: Connector, say: Say,
    ) -> None:
        self._database = database
        self._directory = directory
        self._local = local
        self._remote = remote
        self._say = say
        self._moved: dict[str, dict[str, set[str]]] = {}
        """By resource: things that differ from what was agreed, whose children may show it, and in which fields; those
        that are gone; and those that were named as changed."""
        self._gone: dict[str, set[str]] = {}
        self._named: dict[str, set[str]] = {}

    def at(self, one: Work, *, recognising: bool = False) -> tuple[str, ...]:
        """Read `one` within its scope. With `recognising` what is read whole is known by its looks where it can be.
        Returns sentences for the report."""
        if not one.scope.whole:
            self._children_of_changed(one)
            if not self._some(one):
                one.scope = Scope()
        if one.scope.whole and recognising and one.mapping.whole and not one.moved:
            self._by_looks(one)
        elif one.scope.whole:
            self.at_all(one)
        return (*one.local.notes, *one.remote.notes)

    def at_all(self, one: Work) -> None:
        """Both sides whole."""
        one.looked_at, one.looks = None, None
        self.rows(one)
        self.things(one)

    def rows(self, one: Work) -> None:
        """Grist whole."""
        self._say("reading_grist", one)
        with self._database.read() as tx:
            one.take_pairs(base.pairs(tx, one.mapping))
        one.local = self._local.read(one.mapping)
        one.scope.rows_known = one.local.complete
        known = {pair.local for pair in one.pairs.values()}
        one.free_rows = _free_rows(one.local, known)

    def things(self, one: Work) -> None:
        """Shopify whole."""
        self._say("reading_shopify", one)
        one.remote = self._whole_store(one, one.pairs)
        one.scope.things_known = one.remote.complete
        one.free_things = {str(key) for key in one.remote.rows if key not in one.pairs}
        one.unread = {thing for thing, pair in one.pairs.items() if _is_hidden(pair, one.local, one.remote)}
        self._note_moved(one)

    def _note_moved(self, one: Work) -> None:
        self._moved[one.mapping.name] = {
            thing: _moved_fields(one.mapping, pair, one.remote) for thing, pair in one.pairs.items()
            if thing in one.remote.rows and _thing_differs(pair, one.remote)}

    def still_stands(self, one: Work) -> None:
        """Read `one` whole after all where its references mean something else than when it was recognised: what they
        name was planned since, and a row may have become another thing."""
        if one.looks is not None and not one.looks.stands(self._things_of):
            self.at_all(one)

    def _things_of(self, resource: str, rows: Collection[int]) -> dict[int, str | None]:
        self._directory.look_up(resource, rows, ())
        return {row: self._directory.thing(resource, row) for row in rows}

    def _by_looks(self, one: Work) -> None:
        """Both sides whole, without making values of pairs that look as they did when they were as agreed. For whatever
        else the plan may need of such a pair it is read by id: where one half of it changed, and where another row
        names its thing by the Shopify ID or a witness. What anything waits for is read in any case."""
        mapping = one.mapping
        with self._database.read() as tx:
            waits = waiting.keys_waiting(tx, mapping.id)
            waits.rows |= pairing.rows_asked(tx, mapping.id)
            waits.things |= {thing for thing, _ in apart.known(tx, mapping.id)}
            known = digests.known(tx, mapping.id)
        if not known.rows:
            self.at_all(one)
            return
        row_of = dict(zip(known.things, known.rows, strict=True))
        agreed: dict[Key, bytes | None] = dict(zip(known.rows, known.of_rows, strict=True))
        waits.rows |= {row_of[thing] for thing in waits.things & row_of.keys()}
        agreed |= dict.fromkeys(waits.rows & agreed.keys())
        settings = settings_of(mapping)
        one.looked_at, one.looks = None, Looks(settings, agreed, self._things_of)
        self._say("reading_grist", one)
        found = self._local.read(mapping, looks=one.looks)
        one.scope.rows_known = found.complete
        one.free_rows = _free_rows(found, agreed)
        one.looks.agreed = agreed = {}  # what is large is let go of as soon as it can be
        self._say("reading_shopify", one)
        looks = Looks(settings, {
            thing: digest for row, thing, digest in zip(known.rows, known.things, known.of_things, strict=True)
            if row in found.recognised})
        del known
        stored = self._whole_store(one, row_of, looks)
        del looks
        one.scope.things_known = stored.complete

        local = _Half(self._local, one, lambda: self._say("reading_grist", one))
        remote = _Half(self._remote, one, lambda: self._say("reading_shopify", one))
        local.take_whole(found)
        remote.take_whole(stored)
        one.free_things = {str(key) for key in stored.rows if key not in row_of}
        others = row_of.keys() - stored.recognised if stored.recognised else None
        del row_of
        self._take_others(one, others, found, stored)
        local.look(pair.local for pair in one.pairs.values())
        self._witnessed(one, local.seen, one.free_rows)
        remote.look(one.pairs.keys())
        local.look(pair.local for pair in one.pairs.values())
        self._strangers(one, local, remote)
        kept = {pair.local for pair in one.pairs.values()}
        one.local = replace(local.seen, recognised=local.seen.recognised - kept)
        one.remote = replace(remote.seen, recognised=remote.seen.recognised - one.pairs.keys())
        one.unread = {thing for thing, pair in one.pairs.items() if _is_hidden(pair, one.local, one.remote)}
        self._note_moved(one)

    def _take_others(self, one: Work, things: set[str] | None, local: Snapshot, remote: Snapshot) -> None:
        """The pairs of these things, of which there may be many; None for all. `local` and `remote` were read of
        them."""
        with self._database.read() as tx:
            few = things if things is not None and len(things) <= LOOSE_MOST else None
            found = base.each_pair(tx, one.mapping, things=few)
            if things is not None and few is None:
                found = (pair for pair in found if pair.remote in things)
            one.take_pairs(_sharing(found, local, remote))

    def some(self, one: Work, things: Collection[str]) -> None:
        """The pairs of `things` by id. Such a read never proves anything about the others."""
        self._read_some(one, things, self._local.read, self._remote.read)

    def some_again(self, one: Work, things: Collection[str]) -> None:
        """`some`, in a run that has looked at them or written them. Where a row is not there any more with its Shopify
        ID, or a thing is gone, and it was there before, the pair is left to the next run, which is told of it: rows
        that were cut and pasted or imported anew are only known by the others."""
        was_local, was_remote = one.local, one.remote
        self._read_some(one, things, self._local.again, self._remote.again)
        left = {thing for thing, pair in one.pairs.items()
                if (thing in one.remote.gone and thing not in was_remote.gone)
                or (pair.local in one.local.gone and not was_local.proves_gone(pair.local))
                or _is_another(pair, one.local)}
        if left:
            one.pairs = {thing: pair for thing, pair in one.pairs.items() if thing not in left}
            one.local = one.local.only({pair.local for pair in one.pairs.values()})
            one.remote = one.remote.only(one.pairs.keys())

    def _read_some(self, one: Work, things: Collection[str], local: Read, remote: Read) -> None:
        self._say("checking", one)
        one.looks = None
        with self._database.read() as tx:
            one.take_pairs(base.pairs(tx, one.mapping, things=things))
        rows = {pair.local for pair in one.pairs.values()}
        one.local = replace(local(one.mapping, rows), complete=False)
        one.remote = replace(remote(one.mapping, set(one.pairs)), complete=False)

    # --- within a scope ---------------------------------------------------------------------------

    def _some(self, one: Work) -> bool:
        """Read within the scope. False where there are so many candidates that only a whole read makes sense."""
        scope, mapping = one.scope, one.mapping
        with self._database.read() as tx:
            if scope.rows is None or scope.things is None:
                found = base.pairs(tx, mapping)
            else:
                found = base.pairs(tx, mapping, scope.rows, scope.things)
            waits = waiting.keys_waiting(tx, mapping.id)
        one.take_pairs(found)
        pairs = one.pairs
        local = _Half(self._local, one, lambda: self._say("reading_grist", one))
        remote = _Half(self._remote, one, lambda: self._say("reading_shopify", one))
        if scope.rows is None:
            local.say()
            whole = self._local.read(mapping)
            scope.rows_known = whole.complete
            at = {pair.local for pair in pairs.values()}
            gone = frozenset(row for row in at if whole.proves_gone(row))
            local.take(replace(whole, gone=gone), whole.rows.keys() | whole.outside | at)
        else:
            whole_store = scope.things is None
            local.look(scope.rows | {pair.local for pair in pairs.values() if not whole_store})
        if scope.things is None:
            remote.say()
            whole = self._whole_store(one, pairs)
            scope.things_known = whole.complete
            remote.take(whole, whole.rows.keys() | whole.outside | whole.gone | pairs.keys())

        strangers = self._whose_marks(one, local)
        pairs = one.pairs
        rows = self._canonical(one, local.seen)
        differs = {pair.remote for pair in pairs.values() if _row_differs(pair, rows)} | strangers
        differs |= {pair.remote for pair in pairs.values() if pair.remote in waits.things or pair.local in waits.rows}
        by_mark = {mark for row, mark in local.seen.marks.items() if mark not in pairs}
        remote.look((scope.things or set()) | differs | by_mark)
        moved = {pair.remote for pair in pairs.values() if _thing_differs(pair, remote.seen)}
        self._moved[mapping.name] = {thing: _moved_fields(mapping, pairs[thing], remote.seen)
                                     for thing in moved if thing in remote.seen.rows}
        self._gone[mapping.name] = {thing for thing in moved if thing not in remote.seen.rows}
        self._named[mapping.name] = scope.things or set()
        kept = {thing: pair for thing, pair in pairs.items() if thing in differs or thing in moved}
        local.look(pair.local for pair in kept.values())
        kept |= self._strangers(one, local, remote)
        pairs = one.pairs

        known_rows = {pair.local for pair in pairs.values()}
        free_rows = _free_rows(local.seen, known_rows)
        free_things = {str(key) for key in remote.seen.rows if key not in pairs}
        candidates = Keys()
        if free_rows or free_things:
            more = self._candidates(one)
            if more is None:
                return False
            candidates = more
            kept |= self._homeless(one) | self._asked(one)
            known_rows |= {pair.local for pair in one.pairs.values()}
            remote.look(one.pairs.keys() & kept.keys())
            local.look(candidates.rows | {pair.local for pair in kept.values()})
            remote.look(candidates.things)
            free_rows |= _free_rows(local.seen.only(candidates.rows), known_rows)
            free_things |= candidates.things & remote.seen.rows.keys()
            named = self._witnessed(one, local.seen, free_rows)
            local.look(pair.local for pair in named.values())
            remote.look(named.keys())
            kept |= named | self._strangers(one, local, remote)
        self._keep(one, kept, local, remote, free_rows, free_things)
        return True

    def _keep(
        self, one: Work, kept: dict[str, Pair], local: _Half, remote: _Half, free_rows: set[int],
        free_things: set[str],
    ) -> None:
        """Leave in `one` what the plan is made of: the pairs that matter, and what has no partner."""
        dropped = one.pairs.keys() - kept.keys()
        scope = one.scope
        unshown = local.read - local.seen.rows.keys() - local.seen.outside - local.seen.gone
        self._directory.unsure |= {(one.mapping.name, row) for row in unshown if isinstance(row, int)}
        one.looked_at = (local.read | remote.read | set(one.pairs)
                         | {pair.local for pair in one.pairs.values()})
        rows = {pair.local for pair in kept.values()} | free_rows | (local.seen.outside & local.read)
        seen = local.seen.only(rows)
        gone = seen.gone | {pair.local for pair in kept.values() if pair.local < 0}
        # A row that is hidden may be what a thing of Shopify looks for.
        one.local = replace(seen, gone=gone, all_loose=scope.rows_known and not unshown)
        one.remote = replace(remote.seen.only(kept.keys() | free_things | remote.seen.outside - dropped),
                             all_loose=scope.things_known)
        one.pairs = kept
        one.free_rows, one.free_things = free_rows, free_things
        one.unread = {thing for thing, pair in kept.items() if _is_hidden(pair, one.local, one.remote)}

    def _whose_marks(self, one: Work, local: _Half) -> set[str]:
        """Pairs that rows name which are not theirs: copies, moved rows, IDs that somebody typed. Their rows are read
        too, which may name others in turn; and whatever rows hold such an ID, with the pairs that they are of, for it
        matters whether it is one, and whose."""
        asked: set[str] = set()
        besides: set[str] = set()
        while named := {mark for row, mark in local.seen.marks.items() if mark not in asked
                        and (mark not in one.pairs or one.pairs[mark].local != row)}:
            unknown = named - one.pairs.keys()
            if unknown:
                with self._database.read() as tx:
                    one.take_pairs([*one.pairs.values(), *base.pairs(tx, one.mapping, things=unknown)])
            known = named & one.pairs.keys()
            local.look(one.pairs[thing].local for thing in known)
            if known and not local.seen.complete:
                marks = local.seen.marks
                known |= {thing for thing, pair in one.pairs.items()
                          if pair.local in marks and marks[pair.local] != thing}
                held = self._local.holding(one.mapping, known)
                rows = {row for rows in held.values() for row in rows}
                with self._database.read() as tx:
                    theirs = [pair for pair in base.pairs(tx, one.mapping, rows) if pair.remote not in one.pairs]
                one.take_pairs([*one.pairs.values(), *theirs])
                besides |= {pair.remote for pair in theirs}
                local.look(rows)
            asked |= named
        return asked & one.pairs.keys() | besides

    def _strangers(self, one: Work, local: _Half, remote: _Half) -> dict[str, Pair]:
        """`_whose_marks`, with their things."""
        things = self._whose_marks(one, local)
        remote.look(things)
        return {thing: one.pairs[thing] for thing in things}

    def _homeless(self, one: Work) -> dict[str, Pair]:
        """Pairs whose rows are gone: a new row may be the one that was."""
        with self._database.read() as tx:
            things = base.homeless(tx, one.mapping.id)
            one.take_pairs([*one.pairs.values(), *base.pairs(tx, one.mapping, things=things - one.pairs.keys())])
        return {thing: one.pairs[thing] for thing in things}

    def _asked(self, one: Work) -> dict[str, Pair]:
        """Pairs of rows that somebody is asked about: such a row may name the thing that looks new."""
        with self._database.read() as tx:
            rows = pairing.rows_asked(tx, one.mapping.id)
            found = base.pairs(tx, one.mapping, rows) if rows else []
        one.take_pairs([*one.pairs.values(), *(pair for pair in found if pair.remote not in one.pairs)])
        return {pair.remote: one.pairs[pair.remote] for pair in found}

    def _witnessed(self, one: Work, seen: Snapshot, free_rows: set[int]) -> dict[str, Pair]:
        """Pairs that a witness of a new row names: it may be a second row of one, and nothing is made for it."""
        mapping = one.mapping
        if not (mapping.create_remote and mapping.resource.creatable):
            return {}
        rows = [row for key, row in self._canonical(one, seen.only(free_rows)).rows.items() if key not in seen.marks]
        things: set[str] = set()
        for witness in mapping.match if rows else ():
            names = witness.split("+")
            values = {name: {str(row[mapping.index[name]]).lower() for row in rows
                             if isinstance(row[mapping.index[name]], str)} for name in names}
            if all(values.values()):
                with self._database.read() as tx:
                    things |= base.holding(tx, mapping.id, values)
        with self._database.read() as tx:
            one.take_pairs([*one.pairs.values(), *base.pairs(tx, mapping, things=things - one.pairs.keys())])
        return {thing: one.pairs[thing] for thing in things}

    def _candidates(self, one: Work) -> Keys | None:
        with self._database.read() as tx:
            if any(loose.count(tx, one.mapping.id, side) > LOOSE_MOST for side in Side):
                return None
            rows, things = (loose.keys(tx, one.mapping.id, side) for side in Side)
        return Keys({key for key in rows if isinstance(key, int)}, {str(key) for key in things})

    def _children_of_changed(self, one: Work) -> None:
        """Add to the scope what no date and no list tells. What Shopify works out of a parent (a variant's display
        name) changes with it; what belonged to something that is gone may be gone; a part that was removed from the
        whole is in no list any more."""
        if one.scope.things is None or not one.references:
            return
        target = one.references[0][1]
        parents = {thing for thing, fields in self._moved.get(target, {}).items() if one.shows(fields)}
        parents |= self._gone.get(target, set())
        if one.mapping.resource.follows:
            parents |= self._named.get(target, set())
            if one.scope.things:
                place = one.mapping.index.get(one.mapping.resource.follows)
                read = self._remote.read(one.mapping, one.scope.things)
                parents |= {str(row[place]) for row in read.rows.values()} if place is not None else set()
        if parents:
            with self._database.read() as tx:
                one.scope.things |= base.children(tx, one.mapping.id, parents)

    def _whole_store(self, one: Work, pairs: Collection[str], looks: Looks | None = None) -> Snapshot:
        seen = self._remote.read(one.mapping, looks=looks)
        unseen = {key for key in pairs if key not in seen.recognised and key not in seen.rows and key not in seen.gone
                  and key not in seen.outside}
        return seen.merged(self._remote.read(one.mapping, unseen)) if unseen else seen

    def _canonical(self, one: Work, seen: Snapshot) -> Snapshot:
        return self._directory.canonical_local(one.mapping, seen)


def _sharing(pairs: Iterable[Pair], local: Snapshot, remote: Snapshot) -> Iterator[Pair]:
    """The same pairs, and of what both sides hold as agreed the values once instead of four times: nearly all that a
    full read finds is like that, and of a large store there is no room for it."""
    rows, things, titles, marks = local.rows, remote.rows, local.titles, local.marks
    for pair in pairs:
        key, thing = pair.local, things.get(pair.remote)
        if thing is not None and rows.get(key) == thing == pair.base_local == pair.base_remote:
            rows[key] = thing
            pair = Pair(key, pair.remote, thing, thing, pair.shown, pair.marked, pair.id)
            if marks.get(key) == pair.remote:
                marks[key] = pair.remote
            if key in titles and titles[key] == remote.titles.get(pair.remote):
                titles[key] = remote.titles[pair.remote]
        yield pair


def _free_rows(seen: Snapshot, known: Collection[Key]) -> set[int]:
    """Rows without partner; of those that a filter leaves out the ones that name a thing, which must not be made."""
    outside = {key for key in seen.outside if key in seen.marks}
    return {key for key in seen.rows.keys() | outside if isinstance(key, int) and key not in known}


def _is_another(pair: Pair, seen: Snapshot) -> bool:
    """Whether the row holds something else than the Shopify ID that was written there, or is still to be."""
    mark = seen.marks.get(pair.local)
    return pair.local in seen.rows and mark != pair.remote and (pair.marked or mark is not None)


def _is_hidden(pair: Pair, local: Snapshot, remote: Snapshot) -> bool:
    """Whether a value was known when both sides agreed and cannot be read now."""
    halves = (local.rows.get(pair.local), pair.base_local), (remote.rows.get(pair.remote), pair.base_remote)
    for row, agreed in halves:
        if row is not None and UNREAD in row and any(
                now is UNREAD and was is not UNREAD for now, was in zip(row, agreed, strict=True)):
            return True
    return False


def _row_differs(pair: Pair, seen: Snapshot) -> bool:
    row: Row | None = seen.rows.get(pair.local)
    if row is None:
        return pair.local in seen.gone or pair.local < 0
    return row != pair.base_local or not pair.marked or seen.marks.get(pair.local) != pair.remote


def _moved_fields(mapping: Mapping, pair: Pair, seen: Snapshot) -> set[str]:
    """The fields in which a thing may differ from what was agreed: those that are not mapped may, too."""
    now = seen.rows[pair.remote]
    mapped = {name for name, i in mapping.index.items() if now[i] != pair.base_remote[i]}
    return mapped | {field.name for field in mapping.resource.fields if field.name not in mapping.index}


def _thing_differs(pair: Pair, seen: Snapshot) -> bool:
    thing = seen.rows.get(pair.remote)
    return pair.remote in seen.gone if thing is None else thing != pair.base_remote

"""Which row is which thing.

Known pairs stand unless the Shopify ID cell of the row says otherwise. What has no partner yet is joined one
to one: by the id in the cell, then by each witness in turn (SKU, barcode, handle …). Where a witness points at
more than one candidate nothing is joined and nothing is created: that row waits for a person.

    known row, its cell is empty or new   … and its values are not those we know → Grist gave a freed id to a new row
                                          … else                                 → left alone, listed
    row without partner, its cell holds   … the id of a pair whose row is gone → the pair moves to this row
                                          … an id that a known pair has   → a copy: left alone, listed
                                          … the id of a thing without row → joined
                                          … an id of nothing              → left alone, listed
                                          … nothing                       → the witnesses decide; where they name
                                                                            a thing that has a row: left alone, listed
    known thing, its row is gone          a witness points at one new row → the pair moves to this row

What waits for a person is a refusal and a `Question`. `decided` holds the answers, by row: the thing that it is,
NEW_ROW where it stands under the freed id of another one, or None where row and candidates are to be kept apart; then
the row is left alone without asking again. An answer that does not fit what stands there now (the thing is gone, or
another row has it) is no answer.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace

from backend.core.model import Key, Mapping, Pair, Question, Refusal, Row, Side, Snapshot
from backend.core.values import UNREAD, Unfit, Value

NEW_ROW = "new"
"""An answer about a row without Shopify ID: the row that was here is gone, and this is another one."""


@dataclass
class Pairing:
    """The outcome. `joined` are new pairs; a row in `blocked` is neither written nor created until a person acts."""

    known: list[Pair] = field(default_factory=list)
    """The known pairs, at the rows where they are now."""
    moved: list[tuple[str, int]] = field(default_factory=list)
    joined: list[tuple[int, str]] = field(default_factory=list)
    matched: dict[tuple[int, str], str] = field(default_factory=dict)
    """By new pair, what joined it: a witness, "id" or "you"."""
    forgotten: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """(thing, fields) of which the agreement is over: the thing lives in another row, which says nothing of them."""
    parted: list[tuple[int, str]] = field(default_factory=list)
    """Known pairs that a person has taken apart: the row is another thing now."""
    blocked: set[Key] = field(default_factory=set)
    refusals: list[Refusal] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def join(self, row: Key, thing: Key, by: str) -> None:
        pair = _row_id(row), str(thing)
        self.joined.append(pair)
        self.matched[pair] = by


def pair_up(mapping: Mapping, local: Snapshot, remote: Snapshot, pairs: Sequence[Pair],
            decided: Dict[int, str | None] | None = None) -> Pairing:
    """Check the known pairs against the Shopify ID cells, and join what has no partner yet."""
    outcome, decided = Pairing(), decided or {}
    odd = _find_known(mapping, local, remote, pairs, decided, outcome)
    row_of = {pair.remote: pair.local for pair in outcome.known}
    _check_known(local, remote, odd, row_of, decided, outcome)

    known_rows = {pair.local for pair in outcome.known}
    rows = {key: row for key, row in local.rows.items() if key not in known_rows}
    homeless = {
        pair.remote: pair for pair in outcome.known
        if pair.remote in remote.rows and pair.local not in local.rows and local.proves_gone(pair.local)
    }
    things = {key: row for key, row in remote.rows.items() if key not in row_of or key in homeless}
    _join_as_decided(rows, things, decided, outcome)
    _join_by_mark(local, rows, things, remote, row_of, outcome)
    things = {key: row for key, row in things.items() if key not in outcome.blocked}  # somebody is asked whose they are
    for witness in mapping.match:
        if not rows or not things:
            break
        _join_by_witness(mapping, witness, local, rows, things, outcome)
    _move_in(mapping, local, homeless, outcome)
    if mapping.create_remote and mapping.resource.creatable:
        free = {key: row for key, row in rows.items() if key not in outcome.blocked}
        _hold_back(mapping, local, remote, free, outcome)
    return outcome


def _hold_back(mapping: Mapping, local: Snapshot, remote: Snapshot, rows: dict[Key, Row], outcome: Pairing) -> None:
    """A new row that a witness says is a thing which has a row already, or of which somebody is asked which row it is:
    it gets neither that one nor one of its own."""
    holders = {pair.remote: pair.local for pair in outcome.known if not local.proves_gone(pair.local)} if rows else {}
    unsure = {key for key in outcome.blocked if isinstance(key, str)} if rows else set()
    living: dict[Key, Row] = {
        key: remote.rows[key] for key in [*holders, *(unsure - holders.keys())] if key in remote.rows}
    for witness in mapping.match if living else ():
        places = [mapping.index[name] for name in witness.split("+")]
        taken = _by_value(living, places)
        for value, keys in _by_value(rows, places).items():
            for key in keys if value in taken else ():
                label = " and ".join(mapping.fields[place].field.label for place in places)
                holder = holders.get(str(taken[value][0]))
                if holder is None:
                    _block(outcome, local, key,
                           f"This new row is not in Shopify: its {label} is that of something there of which it is not "
                           "sure yet which row it is.",
                           f"Answer that first, or give this row another {label}.")
                else:
                    _block(outcome, local, key, f"This new row is not in Shopify: its {label} is that of row {holder}.",
                           f"Give it another {label}, or delete one of the two rows.")
                del rows[key]


def _find_known(
    mapping: Mapping, local: Snapshot, remote: Snapshot, pairs: Sequence[Pair], decided: Dict[int, str | None],
    outcome: Pairing,
) -> list[Pair]:
    """Where each known pair's row is now: Grist gives freed ids away again, and rows are cut and pasted. Returns
    those of which the row does not simply stand there with its Shopify ID."""
    away: list[Pair] = []
    for pair in pairs:  # nearly all of them are at home, in nearly every run
        at_home = local.marks.get(pair.local) == pair.remote and pair.local in local.rows
        (outcome.known if at_home else away).append(pair)
    if not away:
        return []
    odd: list[Pair] = []
    others = _rows_of_others(local, pairs, away)
    known_rows = {pair.local for pair in pairs} - others
    things = {pair.remote for pair in pairs}
    # The ID of what is gone on both sides names nothing, as the next run will see, too.
    things -= {pair.remote for pair in away if pair.remote in remote.gone and local.proves_gone(pair.local)}
    homeless: dict[str, list[int]] = defaultdict(list)
    for key, mark in local.marks.items():
        if key in local.rows and key not in known_rows and isinstance(key, int):
            homeless[mark].append(key)
    for pair in away:
        at = pair.local
        if at in others or (pair.marked and at in local.rows and (
                _is_said_new(at, local, decided) if decided.get(at) else
                local.marks.get(at) not in things and _is_somebody_else(local.rows[at], pair))):
            at = -pair.id
        holders = homeless.get(pair.remote, [])
        gone = at not in local.rows and at not in local.outside and (at < 0 or local.proves_gone(at))
        # Whoever holds the ID is the one, while the row that was to get it has none.
        if gone or (not pair.marked and at not in local.marks and len(holders) == 1):
            # Its id is given away again, so nothing may refer to it any more, in a run that looks elsewhere neither.
            at = holders[0] if len(holders) == 1 else -pair.id or at
            if len(holders) == 1:
                alike, telling = _alike(local.rows[at], pair)
                if telling and not alike:
                    pair = _forgetting_all(mapping, pair, outcome)  # typed into a row that was another thing
                elif alike * 2 < telling:  # … or into a new one, of which nobody has emptied what is not filled in
                    pair = _forgetting_empty(mapping, local.rows[at], pair, outcome)
        if at != pair.local:
            outcome.moved.append((pair.remote, at))
            pair = replace(pair, local=at)
        outcome.known.append(pair)
        odd.append(pair)
    return odd


def _rows_of_others(local: Snapshot, pairs: Sequence[Pair], away: Sequence[Pair]) -> set[int]:
    """Rows of known pairs that are another pair's by now: the Shopify ID is that one's, which stands nowhere else, and
    so are more of the values. So it is where a file is imported over a table: the rows come again under new ids.
    A pair leaves its row only where its own ID is in no row that stays another one's."""
    if not any(pair.local in local.marks for pair in away):
        return set()
    by_thing = {pair.remote: pair for pair in pairs}
    holders: dict[str, list[Key]] = defaultdict(list)
    for key, held in local.marks.items():
        holders[held].append(key)
    left: dict[int, Pair] = {}
    for pair in away:
        mark, row = local.marks.get(pair.local), local.rows.get(pair.local)
        other = by_thing.get(mark) if mark is not None and mark != pair.remote else None
        if other is not None and row is not None and len(holders[other.remote]) == 1:
            alike, telling = _alike(row, other)
            if alike * 2 >= telling and alike > _alike(row, pair)[0]:
                left[pair.local] = pair
    known_rows = {pair.local for pair in pairs} if left else set()
    while stay := {row for row, pair in left.items()
                   if any(key in known_rows and key not in left for key in holders[pair.remote])}:
        left = {row: pair for row, pair in left.items() if row not in stay}
    return set(left)


def _forgetting_all(mapping: Mapping, pair: Pair, outcome: Pairing) -> Pair:
    outcome.forgotten.append((pair.remote, mapping.names))
    nothing = (UNREAD,) * len(mapping.names)
    return replace(pair, base_local=nothing, base_remote=nothing)


def _move_in(mapping: Mapping, local: Snapshot, homeless: Dict[str, Pair], outcome: Pairing) -> None:
    """A thing whose row is gone and that met another one by a witness lives there from now on: a table was imported
    over, or a row was typed anew. What both sides agreed on stays known, but for the cells that are empty in the new
    row: nobody has emptied them, so they are filled as at a first meeting."""
    for row, thing in [pair for pair in outcome.joined if pair[1] in homeless]:
        outcome.joined.remove((row, thing))
        outcome.moved.append((thing, row))
        place = next(i for i, pair in enumerate(outcome.known) if pair.remote == thing)
        outcome.known[place] = _forgetting_empty(mapping, local.rows[row], outcome.known[place], outcome)
        outcome.known[place] = replace(outcome.known[place], local=row, marked=False)


def _forgetting_empty(mapping: Mapping, row: Row, pair: Pair, outcome: Pairing) -> Pair:
    empty = [place for place, value in enumerate(row) if value in (None, False)]
    outcome.forgotten.append((pair.remote, tuple(mapping.names[place] for place in empty)))

    def kept(base: Row) -> Row:
        return tuple(UNREAD if place in empty else value for place, value in enumerate(base))

    return replace(pair, base_local=kept(pair.base_local), base_remote=kept(pair.base_remote))


def _alike(row: Row, pair: Pair) -> tuple[int, int]:
    """How many of the values that were agreed on still stand in the row, and how many of them tell anything."""
    telling = [now == was for now, was in zip(row, pair.base_local, strict=True)
               if was not in (None, UNREAD, False, 0) and now is not UNREAD]
    return sum(telling), len(telling)


def _is_somebody_else(row: Row, pair: Pair) -> bool:
    """Whether nothing that was agreed still stands in the row: then it is another row under a freed id."""
    alike, telling = _alike(row, pair)
    return telling > 0 and alike == 0


def _is_said_new(row: int, local: Snapshot, decided: Dict[int, str | None]) -> bool:
    return decided[row] == NEW_ROW and row not in local.marks


def _check_known(
    local: Snapshot, remote: Snapshot, odd: Sequence[Pair], row_of: dict[str, int], decided: Dict[int, str | None],
    outcome: Pairing,
) -> None:
    """Look at rows that do not hold the Shopify ID of their thing. `row_of` loses the pairs that a person parted."""
    # Things that may be another row's: their own names another thing, and no person has said that it is still theirs.
    stray = {pair.remote for pair in odd if local.proves_gone(pair.local) or (
        local.marks.get(pair.local) not in (None, pair.remote) and decided.get(pair.local) != pair.remote
        and not _is_ours_to_write(pair, local, remote))}
    parted = _parted(odd, local, remote, row_of, decided)
    for pair in odd:
        mark = local.marks.get(pair.local)
        if mark == pair.remote or pair.local not in local.rows or _is_ours_to_write(pair, local, remote):
            continue
        answer = decided.get(pair.local, "")
        if answer == pair.remote:
            outcome.known[outcome.known.index(pair)] = replace(pair, marked=False)  # the ID is written again
            continue
        if pair.remote in parted:
            outcome.known.remove(pair)
            outcome.parted.append((pair.local, pair.remote))
            continue
        outcome.blocked.update((pair.local, pair.remote))
        free = mark in remote.rows and (mark not in row_of or mark in stray)
        if free:
            outcome.blocked.add(str(mark))  # it may be this row's: it gets none of its own meanwhile
        if answer is None:
            continue
        happened = "was emptied" if mark is None else "was changed"
        _block(outcome, local, pair.local,
               f"The Shopify ID of this row {happened}, so it is not sure which thing it is.",
               "Put the Shopify ID back, or delete the row if it is no longer needed.")
        outcome.questions.append(Question("emptied" if mark is None else "changed", (pair.local,),
                                          (mark,) if free and mark else (), of=pair.remote))
    for thing in parted:
        del row_of[thing]


def _is_ours_to_write(pair: Pair, local: Snapshot, remote: Snapshot) -> bool:
    """Whether the cell is empty, or names the thing that this one was made anew for."""
    mark = local.marks.get(pair.local)
    return not pair.marked and mark not in remote.rows and mark not in remote.outside


def _parted(
    odd: Sequence[Pair], local: Snapshot, remote: Snapshot, row_of: Dict[str, int], decided: Dict[int, str | None]
) -> set[str]:
    """The things whose rows are others now, as a person said: those that the IDs in their cells name. That takes a
    thing from no row but one that is said to be another, too: of two rows with swapped IDs both have to be answered."""
    named = {pair.remote: mark for pair in odd if (mark := local.marks.get(pair.local)) is not None
             and mark != pair.remote and mark in remote.rows and decided.get(pair.local) == mark}
    once = Counter(named.values())
    while barred := {thing for thing, mark in named.items() if once[mark] > 1 or (
            mark in row_of and mark not in named and not local.proves_gone(row_of[mark]))}:
        named = {thing: mark for thing, mark in named.items() if thing not in barred}
    return set(named)


def _join_as_decided(
    rows: dict[Key, Row], things: dict[Key, Row], decided: Dict[int, str | None], outcome: Pairing
) -> None:
    """What a person has said of rows without partner. Two rows that were both said to be one thing stay a question."""
    wanted: dict[str, list[int]] = defaultdict(list)
    for row, thing in decided.items():
        if row in rows and thing is None:
            outcome.blocked.add(row)
            del rows[row]
        elif row in rows and thing in things:
            wanted[str(thing)].append(row)
    for thing, several in wanted.items():
        if len(several) == 1:
            outcome.join(several[0], thing, "you")
            del rows[several[0]], things[thing]


def _join_by_mark(
    local: Snapshot, rows: dict[Key, Row], things: dict[Key, Row], remote: Snapshot, row_of: Dict[str, int],
    outcome: Pairing,
) -> None:
    rows_by_mark: dict[str, list[Key]] = defaultdict(list)
    for key in rows:
        if key in local.marks:
            rows_by_mark[local.marks[key]].append(key)
    for mark, keys in rows_by_mark.items():
        for key in keys:
            del rows[key]
        if mark in row_of and not local.proves_gone(row_of[mark]):
            for key in keys:
                _block(outcome, local, key, f"This row is a copy of row {row_of[mark]}: both hold the same Shopify ID.",
                       "Clear the Shopify ID of the copy to make it a new row, or delete the copy.")
                outcome.questions.append(Question("copy", (_row_id(key),), of=mark, holder=row_of[mark]))
        elif len(keys) > 1:
            numbers = ", ".join(str(key) for key in keys)
            for key in keys:
                _block(outcome, local, key, f"Rows {numbers} hold the same Shopify ID.",
                       "Keep the ID in one of them and clear it in the others.")
            outcome.questions.append(Question("twice", _row_ids(keys), (mark,) if mark in things else (), of=mark))
            things.pop(mark, None)
            outcome.blocked.add(mark)
        elif mark in things:
            outcome.join(keys[0], mark, "id")
            del things[mark]
        elif mark in remote.outside:
            outcome.blocked.update(keys)
        else:
            _block(outcome, local, keys[0], "The Shopify ID of this row belongs to nothing that Shopify shows.",
                   "Clear the Shopify ID to make this a new row, or delete the row.")
            outcome.questions.append(Question("stranger", _row_ids(keys), of=mark))


def _join_by_witness(
    mapping: Mapping, witness: str, local: Snapshot, rows: dict[Key, Row], things: dict[Key, Row], outcome: Pairing
) -> None:
    places = [mapping.index[name] for name in witness.split("+")]
    things_by_value = _by_value(things, places)
    rows_by_value = _by_value(rows, places)
    for value, keys in rows_by_value.items():
        candidates = things_by_value.get(value, [])
        if not candidates:
            continue
        if len(keys) == len(candidates) == 1:
            outcome.join(keys[0], candidates[0], witness)
        else:
            label = " and ".join(mapping.fields[place].field.label for place in places)
            for key in keys:
                _block(outcome, local, key,
                       f"{label} is the same on {_count(len(keys), 'row')} and {_count(len(candidates), 'thing')} "
                       "in Shopify, so it is not sure which belongs to which.",
                       f"Make {label} different, or write the Shopify ID into the right row.")
            outcome.blocked.update(candidates)
            things_there = tuple(str(candidate) for candidate in candidates)
            told = tuple(rows[keys[0]][place] for place in places)
            outcome.questions.append(Question("double", _row_ids(keys), things_there, witness, told))
        for key in keys:
            del rows[key]
        for key in candidates:
            del things[key]


def _by_value(rows: Dict[Key, Row], places: Iterable[int]) -> dict[tuple[Value, ...], list[Key]]:
    by_value: dict[tuple[Value, ...], list[Key]] = defaultdict(list)
    for key, row in rows.items():
        value = tuple(_folded(row[place]) for place in places)
        if not any(part is None or part is UNREAD or isinstance(part, Unfit) for part in value):
            by_value[value].append(key)
    return by_value


def _folded(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) and not value.startswith("gid://") else value


def _block(outcome: Pairing, local: Snapshot, key: Key, message: str, cure: str) -> None:
    outcome.blocked.add(key)
    outcome.refusals.append(Refusal(Side.LOCAL, key, message, cure, title=local.titles.get(key, "")))


def _row_id(key: Key) -> int:
    assert isinstance(key, int)
    return key


def _row_ids(keys: Iterable[Key]) -> tuple[int, ...]:
    return tuple(_row_id(key) for key in keys)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

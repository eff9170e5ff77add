"""Large writes: which changes go to Shopify as a file that it works off by itself, and what its answers say of each.

    part      → the changes that may be in a file, thing by thing, and the others
    Size      → how many lines the next file has, learned from the last one
    lines_of  → a line of variables a thing, one text of a mutation for all
    answer_of → what the answer to a line says, by the rules of any other request (`receipts`)
    verified  → held against what stands there once the file has ended

A file takes no points, but a change in it is written some time after the look at what it writes over. So a file is
kept so short that it takes about a minute, and only what costs points for each thing goes into one: never stock and
metafields, which are written over the seen value only, and never what is not the same when it is done twice, or
depends on another change (docs/decisions/0008). Nothing in here talks to anybody.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from backend.core.model import Change, Key, Mapping, Op, Receipt, Snapshot, Update, Why
from backend.core.values import LISTS, UNREAD, Value
from backend.errors import AccessError, InputRefused, SyncError
from backend.shopify.answers import Answer, answer_from
from backend.shopify.known import Known
from backend.shopify.receipts import Outcome, outcome_of, refusal_of
from backend.shopify.resource import METAFIELD, shape
from backend.shopify.writes import Request, narrowed

log = logging.getLogger(__name__)

POINTS, POINTS_A_VARIANT = 10.0, 0.2
"""The least that a mutation costs, and a variant in one (facts §3)."""
FIRST_LINES, MOST_LINES = 100, 1_000
"""The first file is one that takes a minute at two lines a second, for nobody has recorded Shopify's pace."""
FEWEST_LINES = 11
"""One more than a request carries: so the journal tells what may have been a file."""
WINDOW_SECONDS = 60.0
"""How long a file should take at most."""
OLD_SECONDS = 30.0
"""A look that is older when its file is ready to start is taken anew, by requests."""
ROWS_PER_LINE = 250
FREED = ("handle", "email", "phone")
"""No two things may hold the same of these: one must be let go before another takes it, and a file has no order."""
NOT_WHY = (Why.DELETED, Why.UNDO)
"""What archives a thing or takes something back is done with an eye on each."""


@dataclass
class Size:
    """How many lines the next file has. One for a run."""

    lines: int = FIRST_LINES
    ended: bool = False
    """No more files in this run: Shopify did not take one, did not finish it, or is slower than requests are."""

    def learn(self, lines: int, seconds: float, by_request: float) -> None:
        """From a file of `lines` that took `seconds`; `by_request` is how many things a second requests write."""
        if seconds >= WINDOW_SECONDS / 2 and lines / seconds < by_request:
            self.ended = True
        fitting = int(lines * WINDOW_SECONDS / max(seconds, 0.001))
        self.lines = max(FEWEST_LINES, min(MOST_LINES, 4 * self.lines, fitting))


@dataclass(frozen=True)
class Line:
    """One thing's changes, as the request that a line of a file stands for."""

    places: tuple[int, ...]
    """Positions in the batch, in the order of the request's ops."""
    request: Request


def part(mapping: Mapping, ops: Sequence[Op], known: Known) -> tuple[list[list[Op]], list[Op]]:
    """(what may be in a file, by thing; the rest). A thing is there once, with no more rows than a line takes."""
    things: dict[str, list[Op]] = {}
    rest: list[Op] = []
    seen: set[Key] = set()
    for op in ops:
        thing = _line_of(mapping, op, known) if _may_be_filed(mapping, op) else None
        if thing is None or not isinstance(op, Update) or op.key in seen or len(
                things.get(thing, ())) == ROWS_PER_LINE:
            rest.append(op)
        else:
            things.setdefault(thing, []).append(op)
            seen.add(op.key)
    return list(things.values()), rest


def points_of(things: Sequence[Sequence[Op]], mapping: Mapping) -> float:
    """What these cost at least as requests."""
    each = POINTS_A_VARIANT if shape(mapping).writer == "variants" else 0.0
    return sum(POINTS + each * len(ops) for ops in things)


def name_of(key: str) -> str:
    """The name of the mutation that a batch goes by: it tells which operation at Shopify is that batch."""
    return "Changes_" + re.sub(r"\W", "_", key)


def mark_of(key: str) -> str:
    """How the text of a batch's mutation is told from those of all others."""
    return f"{name_of(key)}("


def lines_of(
    mapping: Mapping, ops: Sequence[Op], known: Known, key: str, request_for: Callable[[Mapping, Sequence[Op]], Request]
) -> list[Line]:
    """A line for each thing. What it returns is no more than was written, for a bulk mutation may hold one list only.

    A request that has not just one mutation is there as well, without a text to be run in bulk."""
    narrow = replace(narrowed(mapping, ops), filter="")
    places: dict[str, list[int]] = {}
    for place, op in enumerate(ops):
        places.setdefault(_line_of(mapping, op, known) or f"{place}", []).append(place)
    return [Line(tuple(those), _alone(request_for(narrow, [ops[place] for place in those]), name_of(key)))
            for those in places.values()]


def answer_of(line: Line, said: dict[str, Any] | None, decimals: int, label: str) -> tuple[Outcome, AccessError | None]:
    """What the answer to a line says: receipts by position in the line's ops; none for those of which nothing is
    known. And the right that is missing for all of this kind, where one is."""
    request = line.request
    if not request.calls:
        return outcome_of(request, Answer({}), decimals), None
    known = Outcome(dict(request.refused))
    if said is None:
        return known, None
    try:
        answer = answer_from(200, {}, orjson.dumps({name: said[name] for name in ("data", "errors") if name in said}),
                             writes=True)
        outcome = outcome_of(request, answer, decimals)
    except AccessError as error:
        return known, error
    except InputRefused as error:
        if len(request.ops) == 1:
            known.receipts[0] = Receipt(request.ops[0], refusal=refusal_of(request.ops[0], error.message, label=label))
        return known, None
    except SyncError as error:
        log.warning("shopify: an answer in a file says nothing that is understood: %s", error.message)
        return known, None
    return outcome, None


def verified(mapping: Mapping, op: Op, receipt: Receipt | None, now: Snapshot,
             spells: Callable[[str, Value], Value]) -> Receipt:
    """`receipt` (None: no answer) held against what stands there after the file has ended for certain.

    What does not hold what was written, because a person edited it since, is stale like any value that moved. Without
    an answer what stands there decides: as sent, it is done; else it is looked at again.
    """
    if not isinstance(op, Update):
        raise TypeError(f"A file holds updates only, not {op!r}.")
    if receipt is not None and not receipt.done:
        return receipt
    if op.key not in now.rows:
        return Receipt(op, op.key, stale=True)
    row = mapping.values(now.rows[op.key])
    told = receipt.stored if receipt is not None else {}
    stands = {change.field: told.get(change.field, row.get(change.field, UNREAD)) for change in op.changes
              if _stands(change, row.get(change.field, UNREAD), receipt, spells)}
    if len(stands) == len(op.changes):
        return Receipt(op, op.key, {**row, **stands})
    unseen = receipt is None and any(change.field not in row for change in op.changes)
    return Receipt(op, op.key, stands, stale=not unseen, unclear=unseen)


def _stands(change: Change, now: Value, receipt: Receipt | None, spells: Callable[[str, Value], Value]) -> bool:
    """Whether a field holds what was written, as far as may be seen; `now` is UNREAD where it may not."""
    if receipt is None:
        return now is not UNREAD and now in (change.after, spells(change.field, change.after))
    return now is UNREAD or now in (receipt.stored.get(change.field, change.after), change.after)


@dataclass(frozen=True)
class Filed:
    """What went as files of one kind in a run, for the report."""

    rows: int = 0
    seconds: float = 0.0
    """The longest time between the look at a file's values and its end."""
    moved: int = 0

    def told(self, label: str) -> str:
        sentence = (f"{label}: {self.rows} rows went to Shopify as files. Between the look at what stood there and the "
                    f"end of a file lay up to {math.ceil(self.seconds)} s; what somebody changed in the same fields in "
                    "Shopify in that time was written over.")
        if self.moved:
            sentence += f" Afterwards {self.moved} rows did not hold what was sent, and were looked at again."
        return sentence


def _may_be_filed(mapping: Mapping, op: Op) -> bool:
    resource = shape(mapping)
    if not isinstance(op, Update) or resource.writer == "stock" or resource.newest or (
            resource.writer == "one" and resource.update is None):
        return False
    wholes = tuple(f"{whole.write}." for whole in resource.together)
    return all(change.why not in NOT_WHY and _is_plain(mapping, change.field, wholes) for change in op.changes)


def _is_plain(mapping: Mapping, name: str, wholes: tuple[str, ...]) -> bool:
    """Whether a field is written by its own value alone, in the mutation that writes its thing."""
    rule = mapping.rule(name)
    return not (name.startswith(METAFIELD) or name in FREED or rule.kind in LISTS
                or rule.field.write.startswith(("@", *wholes)))


def _line_of(mapping: Mapping, op: Op, known: Known) -> str | None:
    """What a line is about: the thing, or the product of a variant."""
    key = str(getattr(op, "key", ""))
    return known.products.get(key) if shape(mapping).writer == "variants" else key


def _alone(request: Request, name: str) -> Request:
    """The request as the text of a bulk mutation: named, and its one mutation without an alias, for whether Shopify
    takes one there nobody has recorded."""
    if len(request.calls) != 1:
        return request
    [call] = request.calls
    text = request.document.replace(f"mutation Write_{request.mapping.name}(", f"mutation {name}(", 1)
    return replace(request, document=text.replace(f"{call.alias}: {call.verb}(", f"{call.verb}(", 1),
                   calls=(replace(call, alias=call.verb),))


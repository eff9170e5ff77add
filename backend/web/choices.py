"""Take a person's answers to conflicts: each is good only for the values it was made on, and only where it fits.

A good one is kept for the next sync, also where others in the same request moved or do not fit. "Keep apart" needs no
sync: from now on the cell takes no part in any.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from backend.core.model import FieldRule
from backend.core.values import NUMBERS, REFERENCES, UNREAD, Kind, Unfit, Value, canonical, dump, load
from backend.store import apart, waiting
from backend.store.waiting import OpenConflict
from backend.web.values import Tables, in_words
from backend.web.waiting import look_up, merge, rule_of, sides

NAMES = {"grist": "Grist", "shopify": "Shopify"}
LONGEST_QUOTE = 60
_NUMBER = re.compile(r"[+-]?(\d{1,18}(\.\d{0,12})?|\.\d{1,12})")
"""What a shop can mean by a number. `1e999999999` is one too, and would keep the machine busy for days."""

_EXPECTED: dict[Kind, tuple[str, str]] = {
    "text": ("is not text", "Type words."),
    "html": ("is not text", "Type words, with or without HTML."),
    "choice": ("is not text", "Choose one of the values of the field."),
    "integer": ("is not a whole number", "Type a whole number, for example 12."),
    "decimal": ("is not a number", "Type a number, for example 1.5."),
    "money": ("is not a number", "Type a price, for example 40.00."),
    "boolean": ("is neither yes nor no", "Choose Yes or No."),
    "date": ("is not a date", "Type a date, for example 2026-12-01."),
    "datetime": ("is not a date with a time", "Type date, time and zone, for example 2026-12-01T14:00:00Z."),
    "list": ("is not a list of words", "Type words with commas between them."),
    "ref": ("refers to nothing in that table", "Choose the row in Grist and sync again."),
    "refs": ("refers to nothing in that table", "Choose the rows in Grist and sync again."),
}


@dataclass
class Taken:
    """What became of each answer, as the API tells it."""

    applied: list[int]
    apart: list[int]
    moved: list[dict[str, Any]]
    invalid: list[dict[str, Any]]


class Unfitting(Exception):
    """An answer that cannot be kept, and why."""

    def __init__(self, message: str, cure: str) -> None:
        super().__init__(message)
        self.message, self.cure = message, cure


def take(tx: sa.Connection, known: Tables, wanted: list[dict[str, Any]], decimals: int, by: str,
         sees: Callable[[OpenConflict], bool] = lambda one: True, tried: Dict[int, Any] | None = None) -> Taken:
    """Keep those of `wanted` (see schemas.Choice) that are good. `decimals` is how many the shop's currency has;
    `sees` says which conflicts this person may read, for an answer to another would tell its values; `tried` what
    became of answers that were written with the person's own token (own_hand.Tried), by conflict."""
    taken = Taken([], [], [], [])
    found = waiting.conflicts_by_id(tx, known.ids, [one["conflict"] for one in wanted])
    look_up(tx, known, list(found.values()))
    for one in wanted:
        number = one["conflict"]
        open_now = found.get(number)
        if open_now is not None and not sees(open_now):
            taken.invalid.append({"conflict": number, "message": "You do not see what this conflict is about.",
                                  "cure": "Ask an owner of the document to answer it."})
            continue
        if open_now is None:
            taken.invalid.append({"conflict": number, "message": "This conflict is settled already.",
                                  "cure": "Nothing to do: the list is read again."})
            continue
        now = sides(known, open_now)
        if not same(one["seen"], now):
            taken.moved.append({"conflict": number, **now})
            continue
        try:
            keep, value = judged(known, open_now, one, decimals)
        except Unfitting as error:
            taken.invalid.append({"conflict": number, "message": error.message, "cure": error.cure})
            continue
        if keep == "apart":
            apart.keep(tx, open_now, by)
            taken.apart.append(number)
            continue
        local, own = open_now.local, (tried or {}).get(number)
        if own is not None and own.refused:
            taken.invalid.append({"conflict": number, "message": own.refused, "cure": own.cure})
            continue
        if own is not None:  # it stands in the cell already, so Grist's value is what is kept
            keep, value, local = "grist", None, own.local
            waiting.edited(tx, number, local)
        waiting.choose(tx, number, {"keep": keep, "value": dump(value), "local": local, "remote": open_now.remote,
                                    "by": by})
        taken.applied.append(number)
    return taken


def judged(known: Tables, one: OpenConflict, wanted: dict[str, Any], decimals: int) -> tuple[str, Value]:
    """(keep, value) as they are kept. Raises Unfitting."""
    keep = wanted["keep"]
    if not one.field:
        if keep in NAMES or keep == "apart":
            return keep, None
        raise Unfitting("A row that is gone on one side can only be deleted or created again.",
                        "Keep Grist, keep Shopify, or leave both as they are.")
    rule = rule_of(known, one)
    if rule is None:
        raise Unfitting("This field is not synced any more.", "Nothing to do: the next sync closes the conflict.")
    if keep == "apart":
        return keep, None
    if keep == "value":
        return "value", _typed(rule, wanted.get("value"), decimals)
    if keep == "merge":
        merged = merge(known, one)
        if merged is UNREAD:
            raise Unfitting("These two values cannot be merged.", "Keep one of the two, or type the value.")
        return "value", merged
    if keep == "base":
        if not one.base_known:
            raise Unfitting("It is not known what Grist and Shopify last agreed on here.",
                            "Keep one of the two, or type the value.")
        kept = load(rule.kind, one.base)
    else:
        kept = load(rule.kind, one.local if keep == "grist" else one.remote)
    if isinstance(kept, Unfit):
        raise _no(rule, kept.text, decimals)
    return keep, None


def _typed(rule: FieldRule, raw: Any, decimals: int) -> Value:
    """A typed value in its canonical form. Raises Unfitting."""
    if rule.kind in REFERENCES:
        raise Unfitting(f"{rule.field.label} refers to another row, which cannot be typed.",
                        "Keep one of the two, or choose the row in Grist and sync again.")
    if rule.kind in NUMBERS and raw is not None and not _is_number(raw):
        raise _no(rule, raw, decimals)
    value = canonical(rule.kind, raw, decimals=decimals)
    if isinstance(value, Unfit):
        raise _no(rule, raw, decimals)
    if rule.field.choices and value is not None and value not in rule.field.choices:
        raise Unfitting(f"“{_quoted(value)}” is not one of {', '.join(rule.field.choices)}.", "Choose one of them.")
    if rule.field.required and value is None:
        raise Unfitting(f"{rule.field.label} cannot be empty in Shopify.", f"Type a value for {rule.field.label}.")
    return value


def _is_number(raw: Any) -> bool:
    if isinstance(raw, str):
        return not raw.strip() or _NUMBER.fullmatch(raw.strip()) is not None
    return isinstance(raw, int | float) and not isinstance(raw, bool) and abs(raw) < 10 ** 18


def _no(rule: FieldRule, raw: Any, decimals: int) -> Unfitting:
    said, cure = _EXPECTED[rule.kind]
    if rule.kind == "money":
        cure = f"Type a price, for example {40:.{decimals}f}."
    return Unfitting(f"“{_quoted(raw)}” {said}.", cure)


def _quoted(raw: Any) -> str:
    text = in_words(raw)
    return text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE - 1] + "…"


def same(seen: Any, now: Any) -> bool:
    """Whether what an answer was made on is what stands there now."""
    return orjson.dumps(seen, option=orjson.OPT_SORT_KEYS) == orjson.dumps(now, option=orjson.OPT_SORT_KEYS)

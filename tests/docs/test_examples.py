"""The examples of docs/rules.md do what the page says: each line goes through the code that decides."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from backend.core.merge import Action, Verdict, decide
from backend.core.model import Direction, Field, FieldRule, Rule
from backend.core.values import UNREAD, Value, canonical

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules.md"
NUMBER = Field("price", "money", "Price", "price", path="price", write="price")
LIST = Field("tags", "list", "Tags", "metadata", path="tags", write="tags")


@cache
def table(heading: str) -> list[list[str]]:
    """The lines of the first table under a heading, without its head."""
    section = PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    first = re.search(r"(?:^\|.*\n)+", section, flags=re.MULTILINE)
    assert first, heading
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in first[0].splitlines()[2:]]


def value_of(cell: str, field: Field = NUMBER) -> Value:
    text = cell.replace("**", "")
    return None if text == "*empty*" else canonical(field.kind, text)


def rule(field: Field, on_conflict: Rule) -> FieldRule:
    return FieldRule(field, field.label, Direction.BOTH, on_conflict)


def told(verdict: Verdict) -> str:
    """A verdict in the words of the page."""
    match verdict.action:
        case Action.NOTHING:
            return "nothing"
        case Action.AGREE:
            return "agrees"
        case Action.ASK:
            return "the rule decides"
    side, value = ("Shopify", verdict.remote) if verdict.remote is not UNREAD else ("Grist", verdict.local)
    return f"empties it in {side}" if value is None else f"writes {Decimal(str(value)).normalize():f} to {side}"


@pytest.mark.parametrize("line", table("One field, both ways"), ids=" ".join)
def test_one_field_both_ways(line: list[str]) -> None:
    agreed, grist, shopify, does = line
    verdict = decide(rule(NUMBER, Rule.ASK), value_of(agreed), value_of(agreed), value_of(grist), value_of(shopify))
    said = "agrees" if "both agree" in does else does.partition(":")[0].partition(",")[0]
    assert told(verdict) == said


@pytest.mark.parametrize("line", table("When both changed"), ids=" ".join)
def test_every_rule_when_both_changed(line: list[str]) -> None:
    on_conflict, does = Rule(line[0].strip("`")), line[1]
    agreed, grist, shopify = (Decimal(f"{number}.00") for number in (20, 25, 18))
    verdict = decide(rule(NUMBER, on_conflict), agreed, agreed, grist, shopify)
    if on_conflict is Rule.ASK:
        assert verdict.action is Action.ASK
        assert does.startswith("a conflict")
        return
    wanted = Decimal(f"{does.partition(' ')[0]}.00")
    assert wanted == (shopify if verdict.remote is UNREAD else verdict.remote)
    assert wanted == (grist if verdict.local is UNREAD else verdict.local)


def test_every_rule_has_its_line() -> None:
    assert [Rule(line[0].strip("`")) for line in table("When both changed")] == [
        Rule.ASK, Rule.SHOPIFY, Rule.GRIST, Rule.HIGHER, Rule.LOWER, Rule.MERGE]
    assert len(Rule) == 6


@pytest.mark.parametrize("line", table("Lists"), ids=" ".join)
def test_lists_take_both_sides_changes(line: list[str]) -> None:
    agreed, grist, shopify, both = (value_of(cell, LIST) for cell in line)
    verdict = decide(rule(LIST, Rule.MERGE), agreed, agreed, grist, shopify)
    assert both == (shopify if verdict.remote is UNREAD else verdict.remote)
    assert both == (grist if verdict.local is UNREAD else verdict.local)


@pytest.mark.parametrize("line", [line for line in table("First meeting") if line[0] != "linen"], ids=" ".join)
def test_a_first_meeting(line: list[str]) -> None:
    grist, shopify, does = line
    verdict = decide(rule(NUMBER, Rule.ASK), UNREAD, UNREAD, value_of(grist), value_of(shopify))
    assert told(verdict) == does.partition(";")[0].partition(",")[0]


def test_stock_as_the_page_tells_it() -> None:
    """Agreed 10, typed 15, sold 2; then back to 10 or 15 after the merge."""
    stock = rule(Field("available", "integer", "Available", "inventory", path="a", write="a"), Rule.MERGE)
    merged = decide(stock, 10, 10, 15, 8)
    assert (merged.local, merged.remote) == (13, 13)
    for undone in (10, 15):
        assert decide(stock, 13, 13, undone, 13, shown=(10, 15)).action is Action.ASK

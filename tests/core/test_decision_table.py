"""The decision table of the product, written as a table and tested as one.

First by hand, as a person would read it; then every combination against the sentences of the specification.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import product

import pytest

from backend.core.merge import BELOW_ZERO, EMPTY_SOURCE, NEVER_AGREED, NOT_MERGEABLE, STEP_BACK
from backend.core.model import Choice, Direction, Mapping, Pair, Plan, Policy, Rule, Side, Snapshot, Why
from backend.core.plan import plan
from backend.core.values import UNREAD, LocalRef, Unfit, Value

from .small import PRODUCT, ROW, THING, grist, mapping, pair, rule, shopify, thing, told

NUMBERS = {"v0": 10, "v1": 15, "v2": 8}
RULES = ("ask", "shopify", "grist", "merge", "higher", "lower")

# Stock: v0 is 10, v1 is 15, v2 is 8. Where one word stands, every rule decides the same.
# One word a rule:          ask    shopify   grist    merge      higher   lower
BOTH_WAYS = """
base Grist Shopify
v0   v0    v0            | -
v0   v1    v0            | S15
v0   v2    v0            | S8
v0   v0    v1            | G15
v0   v0    v2            | G8
v0   v1    v1            | agree
v0   v2    v2            | agree
v0   v1    v2            | ask    G8        S15      G13,S13    S15      G8
v0   v2    v1            | ask    G15       S8       G13,S13    G15      S8
-    v1    v1            | agree,join,mark
-    v1    v2            | ask,join,mark G8,join,mark S15,join,mark ask,join,mark S15,join,mark G8,join,mark
-    v2    v1            | ask,join,mark G15,join,mark S8,join,mark ask,join,mark G15,join,mark S8,join,mark
-    v1    -             | +S
-    -     v1            | +G
-    -     -             | -
v0   v0    -             | -G?
v0   v1    -             | ask,row
v0   -     v0            | -S?
v0   -     v1            | ask,row
v0   -     -             | part
"""

TO_GRIST = """
base Grist Shopify
v0   v0    v0            | -
v0   v1    v0            | G10
v0   v0    v1            | G15
v0   v1    v1            | agree
v0   v1    v2            | G8
v0   v2    v1            | G15
-    v1    v1            | agree,join,mark
-    v1    v2            | G8,join,mark
-    -     v1            | +G
v0   v0    -             | -G?
v0   -     v0            | -S?
v0   -     v1            | ask,row
v0   -     -             | part
"""

TO_SHOPIFY = """
base Grist Shopify
v0   v0    v0            | -
v0   v1    v0            | S15
v0   v0    v1            | S10
v0   v1    v1            | agree
v0   v1    v2            | S15
v0   v2    v1            | S8
-    v1    v1            | agree,join,mark
-    v1    v2            | S15,join,mark
-    v1    -             | +S
v0   v0    -             | -G?
v0   v1    -             | ask,row
v0   -     v0            | -S?
v0   -     -             | part
"""


def read_table(text: str, direction: str) -> list[tuple[str, str, str, str, str, list[str]]]:
    """(direction, rule, base, Grist, Shopify, expected words) of every line and rule of a table."""
    rows = []
    for line in text.strip().splitlines()[1:]:
        left, right = line.split("|")
        base, local, remote = left.split()
        cells = right.split()
        for number, name in enumerate(RULES):
            cell = cells[number] if len(cells) > 1 else cells[0]
            words = cell.replace("ask,row", "ask row").split(",")
            rows.append((direction, name, base, local, remote, sorted(w for w in words if w != "-")))
    return rows


TABLE = [*read_table(BOTH_WAYS, "both"), *read_table(TO_GRIST, "to_grist"), *read_table(TO_SHOPIFY, "to_shopify")]


@pytest.mark.parametrize(("direction", "on_conflict", "base", "local", "remote", "expected"), TABLE)
def test_the_table_by_hand(
    direction: str, on_conflict: str, base: str, local: str, remote: str, expected: list[str]
) -> None:
    assert told(decide_row(direction, on_conflict, base, local, remote)) == expected


def decide_row(
    direction: str, on_conflict: str, base: str, local: str, remote: str, delete_local: str = "propose",
    delete_remote: str = "propose",
) -> Plan:
    """The plan for one row with one field, each of the three as `-` (absent) or the name of a value."""
    mapped = replace(
        mapping(rule("stock", Direction(direction), Rule(on_conflict)), delete_local=Policy(delete_local),
                delete_remote=Policy(delete_remote)),
        resource=replace(PRODUCT, fields=tuple(replace(one, required=False) for one in PRODUCT.fields)),
    )
    pairs = [] if base == "-" else [pair(mapped, {"stock": NUMBERS[base]})]
    rows = {} if local == "-" else {ROW: {"stock": NUMBERS[local]}}
    things = {} if remote == "-" else {1: {"stock": NUMBERS[remote]}}
    here = grist(mapped, rows, marked=base != "-")
    if base == "-" and local != "-" and remote != "-":
        return joined(mapped, rows[ROW]["stock"], things[1]["stock"])
    return plan(mapped, here, shopify(mapped, things, gone=() if remote != "-" or base == "-" else (1,)), pairs)


def joined(mapped: Mapping, local: Value, remote: Value) -> Plan:
    """A first meeting. A title finds the two; it is taken out again so that only the one field is told."""
    named = mapping(rule("title"), *mapped.fields, match=("title",))
    found = plan(named, grist(named, {ROW: {"title": "Mug", mapped.names[0]: local}}, marked=False),
                 shopify(named, {1: {"title": "Mug", mapped.names[0]: remote}}), [])
    without_title = [
        replace(one, local={name: value for name, value in one.local.items() if name != "title"})
        for one in found.agreements if one.local.keys() - {"title"}
    ]
    return replace(found, mapping=mapped, agreements=tuple(without_title))


# --- every combination, against the sentences -----------------------------------------------------


def by_the_sentences(
    direction: str, on_conflict: str, base: str, local: str, remote: str, delete_local: str, delete_remote: str
) -> list[str]:
    """What the specification says of one row, written without looking at the code. The base is what both held."""
    here, there = local != "-", remote != "-"
    if base == "-":  # never met
        if here and there:
            return sorted([*of_one_field(direction, on_conflict, None, local, remote), "join", "mark"])
        return ["+S"] if here else ["+G"] if there else []
    if not here and not there:
        return ["part"]
    if here and there:
        return of_one_field(direction, on_conflict, base, local, remote)
    # Deleted on one side. "A deletion against an edit is a conflict", where deletions are followed at all. What a
    # person writes into a cell that only ever comes from Shopify is put back, so it is no edit.
    policy = delete_local if here else delete_remote
    left = local if here else remote
    edited = left != base and not (here and direction == "to_grist")
    target = "G" if here else "S"
    if policy == "ignore":
        return []
    if edited:
        return ["ask row"]
    return [f"-{target}"] if policy == "apply" else [f"-{target}?"]


def of_one_field(direction: str, on_conflict: str, base: str | None, local: str, remote: str) -> list[str]:
    mine, theirs, was = NUMBERS[local], NUMBERS[remote], NUMBERS[base] if base else None
    if mine == theirs:
        return [] if mine == was else ["agree"]
    if direction == "to_grist":  # "takes its source's value; an edit on the other side is put back"
        return [f"G{theirs}"]
    if direction == "to_shopify":
        return [f"S{mine}"]
    if mine == was:
        return [f"G{theirs}"]
    if theirs == was:
        return [f"S{mine}"]
    wins = {  # both changed, differently
        "ask": None, "shopify": theirs, "grist": mine, "higher": max(mine, theirs), "lower": min(mine, theirs),
        "merge": None if was is None else was + (mine - was) + (theirs - was),
    }[on_conflict]
    if wins is None:
        return ["ask"]
    return sorted([f"G{wins}"] * (wins != mine) + [f"S{wins}"] * (wins != theirs))


@pytest.mark.parametrize("direction", ["both", "to_grist", "to_shopify"])
@pytest.mark.parametrize("on_conflict", RULES)
def test_every_combination_is_as_the_sentences_say(direction: str, on_conflict: str) -> None:
    states = ("-", "v0", "v1", "v2")
    policies = ("propose", "ignore", "apply")
    wrong = []
    for base, local, remote, delete_local, delete_remote in product(states, states, states, policies, policies):
        if base != "-" and "-" not in (local, remote) and (delete_local, delete_remote) != ("propose", "propose"):
            continue
        case = (direction, on_conflict, base, local, remote, delete_local, delete_remote)
        said = told(decide_row(*case))
        if said != by_the_sentences(*case):
            wrong.append((case, said, by_the_sentences(*case)))
    assert not wrong


def test_the_tables_by_hand_agree_with_the_sentences() -> None:
    """Two ways of writing the same thing down: a slip in either shows here."""
    for direction, on_conflict, base, local, remote, expected in TABLE:
        said = by_the_sentences(direction, on_conflict, base, local, remote, "propose", "propose")
        assert expected == said, (direction, on_conflict, base, local, remote)


# --- two fields: one conflicts, the other flows -----------------------------------------------------


@pytest.mark.parametrize(("local", "remote", "expected"), [
    (("Mug", 15), ("Cup", 8), ["ask stock", "ask title"]),
    (("Mug", 15), ("Cup", 10), ["S stock=15", "ask title"]),
    (("Mug", 10), ("Cup", 8), ["G stock=8", "ask title"]),
    (("Mug", 8), ("Cup", 8), ["agree stock", "ask title"]),
    (("Mug", 10), ("Jar", 8), ["G stock=8", "S title=Mug"]),
    (("Jar", 15), ("Cup", 8), ["G title=Cup", "ask stock"]),
    (("Jar", 10), ("Jar", 10), []),
    (("Mug", 15), ("Mug", 15), ["agree stock", "agree title"]),
])
def test_fields_are_decided_one_by_one(local: tuple, remote: tuple, expected: list[str]) -> None:
    mapped = mapping("title", rule("stock", on_conflict=Rule.ASK))
    found = plan(mapped, grist(mapped, {ROW: dict(zip(mapped.names, local, strict=True))}),
                 shopify(mapped, {1: dict(zip(mapped.names, remote, strict=True))}),
                 [pair(mapped, {"title": "Jar", "stock": 10})])
    assert told(found) == expected


def test_a_conflict_shows_the_three_values_and_the_title() -> None:
    mapped = mapping("stock")
    (conflict,) = both_changed(mapped, 10, 15, 8, titles={THING: "Blue mug"}).conflicts
    assert (conflict.local_key, conflict.remote_key, conflict.field) == (ROW, THING, "stock")
    assert (conflict.base, conflict.local, conflict.remote) == (10, 15, 8)
    assert (conflict.title, conflict.reason, conflict.deleted) == ("Blue mug", "", None)


def both_changed(mapped: Mapping, base: Value, local: Value, remote: Value, *, titles: dict | None = None,
                 choices: dict | None = None, shown: tuple[Value, ...] = ()) -> Plan:
    """One pair with one field that agreed on `base`."""
    name = mapped.names[0]
    return plan(mapped, grist(mapped, {ROW: {name: local}}), shopify(mapped, {1: {name: remote}}, titles=titles or {}),
                [pair(mapped, {name: base}, shown={name: shown} if shown else {})], choices=choices)


# --- empty, unread, unfit, references -----------------------------------------------------------------


@pytest.mark.parametrize(("direction", "local", "remote", "expected"), [
    ("both", None, "Cup", ["GCup"]),
    ("both", "Mug", None, ["SMug"]),
    ("both", None, None, ["agree"]),
    ("both", "Mug", "Cup", ["ask"]),
    ("to_grist", None, "Cup", ["GCup"]),
    ("to_grist", "Mug", "Cup", ["GCup"]),
    ("to_grist", "Mug", None, ["ask"]),
    ("to_shopify", "Mug", None, ["SMug"]),
    ("to_shopify", None, "Cup", ["ask"]),
])
def test_at_a_first_meeting_an_empty_cell_is_filled_and_never_empties(
    direction: str, local: Value, remote: Value, expected: list[str]
) -> None:
    found = joined(mapping(rule("sku", Direction(direction))), local, remote)
    assert told(found) == sorted([*expected, "join", "mark"])


def test_a_first_meeting_says_why_it_asks() -> None:
    assert joined(mapping("sku"), "a", "b").conflicts[0].reason == NEVER_AGREED
    one_way = mapping(rule("sku", Direction.TO_SHOPIFY))
    assert joined(one_way, None, "b").conflicts[0].reason == EMPTY_SOURCE


def test_after_the_first_meeting_emptying_a_cell_is_a_change_like_any_other() -> None:
    assert told(both_changed(mapping("sku"), "a", None, "a")) == ["Sempty"]
    assert told(both_changed(mapping("sku"), "a", "a", None)) == ["Gempty"]
    assert told(both_changed(mapping("sku"), "a", None, "b")) == ["ask"]


@pytest.mark.parametrize("on_conflict", RULES)
@pytest.mark.parametrize("direction", ["both", "to_grist", "to_shopify"])
@pytest.mark.parametrize(("base", "local", "remote"), [
    (10, UNREAD, 8), (10, 15, UNREAD), (10, UNREAD, UNREAD), (10, UNREAD, None), (10, None, UNREAD),
    (UNREAD, UNREAD, 8), (UNREAD, 15, UNREAD),
])
def test_a_value_that_was_not_read_decides_nothing(
    on_conflict: str, direction: str, base: Value, local: Value, remote: Value
) -> None:
    mapped = mapping(rule("stock", Direction(direction), Rule(on_conflict)))
    assert told(both_changed(mapped, base, local, remote)) == []


@pytest.mark.parametrize(("direction", "on_conflict", "remote", "expected"), [
    ("both", "ask", 10, ["no stock"]),
    ("both", "merge", 10, ["no stock"]),
    ("both", "grist", 8, ["no stock"]),
    ("both", "ask", 8, ["ask stock"]),
    ("both", "merge", 8, ["ask stock"]),
    ("both", "higher", 8, ["ask stock"]),
    ("both", "shopify", 8, ["G stock=8"]),
    ("to_shopify", "ask", 10, ["no stock"]),
    ("to_grist", "ask", 10, ["G stock=10"]),
])
def test_text_in_a_column_of_numbers_is_never_sent(
    direction: str, on_conflict: str, remote: int, expected: list[str]
) -> None:
    mapped = mapping("title", rule("stock", Direction(direction), Rule(on_conflict)))
    found = plan(mapped, grist(mapped, {ROW: {"title": "New", "stock": Unfit("about ten")}}),
                 shopify(mapped, {1: {"title": "Old", "stock": remote}}),
                 [pair(mapped, {"title": "Old", "stock": 10})])
    assert told(found) == sorted([*expected, "S title=New"])
    for refusal in found.refusals:
        assert "about ten" in refusal.message
        assert refusal.cure


def test_a_row_that_is_new_in_grist_keeps_its_reference() -> None:
    mapped = mapping("title", "maker")
    found = plan(mapped, grist(mapped, {ROW: {"title": "Mug", "maker": LocalRef("makers", 9)}}, marked=False),
                 shopify(mapped), [])
    (create,) = found.ops
    assert dict(create.values) == {"title": "Mug", "maker": LocalRef("makers", 9)}


def test_a_reference_to_a_new_row_is_a_change() -> None:
    mapped = mapping("maker")
    found = both_changed(mapped, "gid://shopify/Maker/1", LocalRef("makers", 9), "gid://shopify/Maker/1")
    assert found.ops[0].values == {"maker": LocalRef("makers", 9)}


@pytest.mark.parametrize("on_conflict", RULES)
@pytest.mark.parametrize(("base", "local", "remote", "expected"), [
    (10, 15, 10, ["S15"]), (10, 10, 8, ["S10"]), (10, 15, 8, ["S15"]), (10, 8, 8, ["agree"]),
])
def test_a_formula_column_feeds_shopify_and_is_never_written(
    on_conflict: str, base: int, local: int, remote: int, expected: list[str]
) -> None:
    mapped = mapping(rule("stock", Direction.BOTH, Rule(on_conflict), source_only=True))
    assert told(both_changed(mapped, base, local, remote)) == expected


def test_a_formula_over_a_field_that_shopify_computes_goes_nowhere() -> None:
    mapped = mapping(rule("total", source_only=True))
    assert told(both_changed(mapped, 10, 15, 8)) == []


def test_a_computed_field_is_never_sent_whatever_the_mapping_says() -> None:
    mapped = mapping(rule("total", Direction.BOTH, Rule.GRIST))
    assert told(both_changed(mapped, 10, 15, 10)) == ["G10"]
    assert told(both_changed(mapped, 10, 15, 8)) == ["G8"]


# --- merging ------------------------------------------------------------------------------------------

MERGED_STOCK = mapping(rule("stock", on_conflict=Rule.MERGE))
MERGED_TAGS = mapping(rule("tags", on_conflict=Rule.MERGE))


@pytest.mark.parametrize(("base", "local", "remote", "shown", "expected", "reason"), [
    (10, 15, 8, (), ["G13", "S13"], ""),
    (10, 15, 12, (), ["G17", "S17"], ""),
    (10, 8, 12, (), ["G10", "S10"], ""),               # −2 and +2: 10 again, and neither side holds it
    (2, 1, 0, (), ["ask"], "−1"),                      # the last two: one taken by hand, two sold
    (2, 5, -1, (), ["G2", "S2"], ""),
    (-3, -5, -4, (), ["G-6", "S-6"], ""),              # oversold already: below zero is nothing new
    (13, 15, 13, (15, 10), ["ask"], STEP_BACK),        # the cell showed 15 and 10 before the merge wrote 13
    (13, 10, 13, (15, 10), ["ask"], STEP_BACK),
    (13, 15, 12, (15, 10), ["ask"], STEP_BACK),
    (13, 16, 13, (15, 10), ["S16"], ""),
    (13, 13, 12, (15, 10), ["G12"], ""),
    (None, 5, 8, (), ["ask"], NOT_MERGEABLE),
    (10, None, 8, (), ["ask"], NOT_MERGEABLE),
    (10, 15, None, (), ["ask"], NOT_MERGEABLE),
    (10, None, 10, (), ["Sempty"], ""),
])
def test_a_number_merges_by_the_difference_a_person_made(
    base: Value, local: Value, remote: Value, shown: tuple, expected: list[str], reason: str
) -> None:
    found = both_changed(MERGED_STOCK, base, local, remote, shown=shown)
    assert told(found) == expected
    if expected == ["ask"]:
        assert reason in found.conflicts[0].reason
    if reason == "−1":
        assert found.conflicts[0].reason == BELOW_ZERO.format(merged="−1")


@pytest.mark.parametrize(("base", "local", "remote", "expected"), [
    (("a", "b"), ("a", "b", "c"), ("a", "b", "d"), ["Ga+b+c+d", "Sa+b+c+d"]),
    (("a", "b"), ("a",), ("b",), ["Gempty", "Sempty"]),
    (("a", "b"), ("a",), ("a", "b", "c"), ["Ga+c", "Sa+c"]),
    (("a",), ("A", "b"), ("a", "c"), ["Ga+b+c", "Sa+b+c"]),   # case alone is no new tag
    (("a",), None, ("a", "b"), ["Gb", "Sb"]),
    (None, ("a",), ("b",), ["Ga+b", "Sa+b"]),
    (("a",), ("a", "b"), ("a", "b", "c"), ["Ga+b+c"]),
])
def test_lists_take_both_sides_additions_and_removals(
    base: Value, local: Value, remote: Value, expected: list[str]
) -> None:
    assert told(both_changed(MERGED_TAGS, base, local, remote)) == expected


def test_lists_that_meet_for_the_first_time_are_united() -> None:
    assert told(joined(MERGED_TAGS, ("a", "b"), ("b", "c"))) == ["Ga+b+c", "Sa+b+c", "join", "mark"]


def test_text_cannot_be_merged_so_it_asks() -> None:
    mapped = mapping(rule("sku", on_conflict=Rule.MERGE))
    assert told(both_changed(mapped, "a", "b", "c")) == ["ask"]


@pytest.mark.parametrize("on_conflict", [Rule.HIGHER, Rule.LOWER])
def test_what_cannot_be_compared_asks(on_conflict: Rule) -> None:
    assert told(both_changed(mapping(rule("sku", on_conflict=on_conflict)), "a", "b", "c")) == ["ask"]
    assert told(both_changed(mapping(rule("stock", on_conflict=on_conflict)), 1, None, 3)) == ["ask"]


def test_money_is_compared_as_money() -> None:
    mapped = mapping(rule("price", on_conflict=Rule.HIGHER))
    assert told(both_changed(mapped, Decimal("9.00"), Decimal("10.00"), Decimal("9.50"))) == ["S10.00"]
    assert told(both_changed(mapped, Decimal("9.00"), Decimal("9.0"), Decimal("9.00"))) == []


# --- choices --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("keep", "value", "expected"), [
    ("grist", None, ["S15"]), ("shopify", None, ["G8"]), ("base", None, ["G10", "S10"]),
    ("value", 12, ["G12", "S12"]), ("value", 15, ["S15"]), ("value", None, ["Gempty", "Sempty"]),
])
def test_a_choice_decides_the_values_it_was_made_on(keep: str, value: Value, expected: list[str]) -> None:
    choice = Choice(keep, 15, 8, value)
    found = both_changed(mapping("stock"), 10, 15, 8, choices={(ROW, "stock"): choice})
    assert told(found) == expected
    assert {change.why for op in found.ops for change in op.changes} == {Why.CHOICE}


@pytest.mark.parametrize("keep", ["grist", "shopify", "base", "value"])
@pytest.mark.parametrize(("local", "remote"), [(16, 8), (15, 7), (16, 7)])
def test_a_choice_made_on_other_values_is_not_applied_and_says_so(keep: str, local: int, remote: int) -> None:
    choice = Choice(keep, 15, 8, 99)
    found = both_changed(mapping("stock"), 10, local, remote, choices={(ROW, "stock"): choice})
    assert told(found) == ["ask"]
    assert found.conflicts[0].moved


def test_a_choice_that_time_has_answered_is_dropped() -> None:
    choice = Choice("grist", 15, 8)
    assert told(both_changed(mapping("stock"), 10, 8, 8, choices={(ROW, "stock"): choice})) == ["agree"]
    assert told(both_changed(mapping("stock"), 10, 15, 10, choices={(ROW, "stock"): choice})) == ["S15"]


def test_a_choice_settles_a_step_back_and_a_merge_below_zero() -> None:
    back = both_changed(MERGED_STOCK, 13, 15, 13, shown=(15, 10), choices={(ROW, "stock"): Choice("grist", 15, 13)})
    assert told(back) == ["S15"]
    below = both_changed(MERGED_STOCK, 2, 1, 0, choices={(ROW, "stock"): Choice("value", 1, 0, 0)})
    assert told(below) == ["G0"]


def test_text_that_does_not_fit_cannot_be_chosen_for_shopify() -> None:
    choice = Choice("grist", Unfit("ten"), 8)
    found = both_changed(mapping("stock"), 10, Unfit("ten"), 8, choices={(ROW, "stock"): choice})
    assert told(found) == ["ask"]


def test_a_base_that_nobody_knows_cannot_be_chosen() -> None:
    choice = Choice("base", 15, 8)
    assert told(both_changed(mapping("stock"), UNREAD, 15, 8, choices={(ROW, "stock"): choice})) == ["ask"]


def test_a_choice_never_writes_the_wrong_way() -> None:
    mapped = mapping(rule("sku", Direction.TO_SHOPIFY))
    kept = both_changed(mapped, UNREAD, None, "b", choices={(ROW, "sku"): Choice("shopify", None, "b")})
    assert told(kept) == ["agree"], "each keeps what it has"
    sent = both_changed(mapped, UNREAD, None, "b", choices={(ROW, "sku"): Choice("grist", None, "b")})
    assert told(sent) == ["Sempty"]
    mapped = mapping(rule("sku", Direction.TO_GRIST))
    kept = both_changed(mapped, UNREAD, "a", "b", choices={(ROW, "sku"): Choice("grist", "a", "b")})
    assert told(kept) == ["agree"]
    taken = both_changed(mapped, UNREAD, "a", "b", choices={(ROW, "sku"): Choice("shopify", "a", "b")})
    assert {op.side for op in taken.ops} == {Side.LOCAL}


# --- whole rows -----------------------------------------------------------------------------------------


def whole_row(where: Side, left: int, *, choice: Choice | None = None, approved: frozenset = frozenset(),
              put_back: frozenset = frozenset(), delete: Policy = Policy.PROPOSE) -> Plan:
    """A pair that agreed on 10 pieces; gone on `where`, `left` pieces on the other side."""
    mapped = mapping("title", rule("stock"), delete_local=delete, delete_remote=delete)
    held = {"title": "Mug", "stock": left}
    known = [pair(mapped, {"title": "Mug", "stock": 10})]
    choices = {(ROW, ""): choice} if choice else None
    if where is Side.LOCAL:
        return plan(mapped, grist(mapped), shopify(mapped, {1: held}), known, choices=choices, approved=approved,
                    put_back=put_back)
    return plan(mapped, grist(mapped, {ROW: held}), shopify(mapped, gone=(1,)), known, choices=choices,
                approved=approved, put_back=put_back)


def test_a_deletion_against_an_edit_is_a_conflict_that_lists_the_edits() -> None:
    (conflict,) = whole_row(Side.LOCAL, 12).conflicts
    assert (conflict.deleted, conflict.local, conflict.remote) == (Side.LOCAL, None, ("stock=12",))
    assert [(edit.field, edit.before, edit.after) for edit in conflict.edits] == [("stock", 10, 12)]
    (conflict,) = whole_row(Side.REMOTE, 12).conflicts
    assert (conflict.deleted, conflict.local, conflict.remote) == (Side.REMOTE, ("stock=12",), None)


@pytest.mark.parametrize(("where", "keep", "expected"), [
    (Side.LOCAL, "shopify", ["+G"]), (Side.LOCAL, "grist", ["-S"]),
    (Side.REMOTE, "grist", ["+S"]), (Side.REMOTE, "shopify", ["-G"]),
])
def test_a_choice_on_a_whole_row_makes_it_again_or_deletes_it(where: Side, keep: str, expected: list[str]) -> None:
    seen = (None, ("stock=12",)) if where is Side.LOCAL else (("stock=12",), None)
    found = whole_row(where, 12, choice=Choice(keep, *seen))
    assert told(found) == expected
    assert found.ops[0].why is Why.CHOICE


@pytest.mark.parametrize("keep", ["grist", "shopify"])
def test_a_choice_on_a_row_that_was_edited_again_is_not_applied(keep: str) -> None:
    found = whole_row(Side.LOCAL, 13, choice=Choice(keep, None, ("stock=12",)))
    assert told(found) == ["ask row"]
    assert found.conflicts[0].moved


@pytest.mark.parametrize("keep", ["base", "value"])
def test_a_choice_that_means_nothing_for_a_whole_row_deletes_nothing(keep: str) -> None:
    assert told(whole_row(Side.REMOTE, 12, choice=Choice(keep, ("stock=12",), None))) == ["ask row"]


def test_a_yes_to_a_deletion_is_no_yes_to_losing_an_edit() -> None:
    assert told(whole_row(Side.LOCAL, 10, approved=frozenset({(Side.REMOTE, THING)}))) == ["-S"]
    assert told(whole_row(Side.REMOTE, 10, approved=frozenset({(Side.LOCAL, THING)}))) == ["-G"]
    assert told(whole_row(Side.LOCAL, 12, approved=frozenset({(Side.REMOTE, THING)}))) == ["ask row"]
    assert told(whole_row(Side.LOCAL, 12, delete=Policy.APPLY)) == ["ask row"]


def test_a_choice_is_for_its_own_thing_only() -> None:
    """Grist gives row ids away again: the row that was asked about is another thing's by now, with the same values."""
    choice = Choice("grist", None, ("stock=12",), of=thing(2))
    assert told(whole_row(Side.LOCAL, 12, choice=choice)) == ["ask row"]
    assert told(whole_row(Side.LOCAL, 12, choice=replace(choice, of=THING))) != ["ask row"]


def test_a_yes_counts_for_its_own_side_and_thing_only() -> None:
    assert told(whole_row(Side.LOCAL, 10, approved=frozenset({(Side.LOCAL, THING)}))) == ["-S?"]
    assert told(whole_row(Side.LOCAL, 10, approved=frozenset({(Side.REMOTE, thing(2))}))) == ["-S?"]


@pytest.mark.parametrize(("where", "left", "expected"), [
    (Side.LOCAL, 10, ["+G"]), (Side.REMOTE, 10, ["+S"]), (Side.LOCAL, 12, ["+G"]), (Side.REMOTE, 12, ["+S"])])
def test_a_deletion_is_answered_by_making_the_other_half_again(where: Side, left: int, expected: list[str]) -> None:
    half = (where.other, THING)
    found = whole_row(where, left, put_back=frozenset({half}))
    assert told(found) == expected
    assert found.ops[0].why is Why.CHOICE
    another = frozenset({(half[0], thing(2))})
    assert told(whole_row(where, 10, put_back=another)) == ["-G?" if half[0] is Side.LOCAL else "-S?"]


def test_what_cannot_be_made_in_shopify_is_not_put_back_there() -> None:
    fixed = replace(mapping("stock"), resource=replace(PRODUCT, creatable=False))
    found = plan(fixed, grist(fixed, {ROW: {"stock": 10}}), shopify(fixed, gone=(1,)), [pair(fixed, {"stock": 10})],
                 put_back=frozenset({(Side.LOCAL, THING)}))
    assert told(found) == ["-G?"]


def test_a_cell_that_is_kept_apart_decides_nothing() -> None:
    mapped = mapping("title", "stock")
    known = [pair(mapped, {"title": "Mug", "stock": 10})]
    sides = grist(mapped, {ROW: {"title": "Cup", "stock": 12}}), shopify(mapped, {1: {"title": "Mug", "stock": 10}})
    assert len(plan(mapped, *sides, known).ops[0].changes) == 2
    [op] = plan(mapped, *sides, known, apart=frozenset({(THING, "title")})).ops
    assert [change.field for change in op.changes] == ["stock"]


def test_what_shopify_cannot_delete_is_left_there() -> None:
    fixed = replace(mapping("stock", delete_remote=Policy.APPLY), resource=replace(PRODUCT, deletable=False))
    assert told(plan(fixed, grist(fixed), shopify(fixed, {1: {"stock": 10}}), [pair(fixed, {"stock": 10})])) == []


def test_computed_fields_are_nobodys_edits() -> None:
    mapped = mapping("title", "total")
    known = [pair(mapped, {"title": "Mug", "total": 10})]
    assert told(plan(mapped, grist(mapped), shopify(mapped, {1: {"title": "Mug", "total": 3}}), known)) == ["-S?"]


# --- what was not seen, not complete, outside --------------------------------------------------------------


@pytest.mark.parametrize(("local_complete", "gone", "expected"), [
    (True, (), []), (True, (1,), ["-G?"]), (False, (1,), ["-G?"]),
])
def test_no_list_proves_absence_in_shopify(local_complete: bool, gone: tuple, expected: list[str]) -> None:
    mapped = mapping("stock", create_remote=False)
    found = plan(mapped, grist(mapped, {ROW: {"stock": 10}}, complete=local_complete),
                 shopify(mapped, gone=gone), [pair(mapped, {"stock": 10})])
    assert told(found) == expected


def test_a_row_merely_unseen_in_grist_is_not_deleted() -> None:
    mapped = mapping("stock")
    held = shopify(mapped, {1: {"stock": 10}})
    assert told(plan(mapped, grist(mapped, complete=False), held, [pair(mapped, {"stock": 10})])) == []
    proven = grist(mapped, complete=False, gone=frozenset({ROW}))
    assert told(plan(mapped, proven, held, [pair(mapped, {"stock": 10})])) == ["-S?"]


def test_one_half_gone_and_the_other_unseen_ends_nothing() -> None:
    mapped = mapping("stock")
    known = [pair(mapped, {"stock": 10})]
    assert told(plan(mapped, grist(mapped), shopify(mapped), known)) == []
    assert told(plan(mapped, grist(mapped, complete=False), shopify(mapped, gone=(1,)), known)) == []


@pytest.mark.parametrize(("rows", "things", "local_complete", "remote_complete", "expected"), [
    ({1: "Mug"}, {}, True, True, ["+S"]),
    ({1: "Mug"}, {}, True, False, []),
    ({1: "Mug"}, {}, False, True, ["+S"]),
    ({}, {2: "Cup"}, True, True, ["+G"]),
    ({}, {2: "Cup"}, True, False, ["+G"]),
    ({}, {2: "Cup"}, False, True, []),
])
def test_nothing_is_created_beside_a_list_that_is_not_complete(
    rows: dict, things: dict, local_complete: bool, remote_complete: bool, expected: list[str]
) -> None:
    """A new row needs all of Shopify to be sure that nothing there matches it, and the other way round."""
    mapped = mapping("title", match=("title",))
    found = plan(mapped, grist(mapped, {k: {"title": v} for k, v in rows.items()}, marked=False,
                               complete=local_complete),
                 shopify(mapped, {k: {"title": v} for k, v in things.items()}, complete=remote_complete), [])
    assert told(found) == expected


@pytest.mark.parametrize("complete", [True, False])
def test_incomplete_reads_still_update(complete: bool) -> None:
    mapped = mapping("stock")
    found = plan(mapped, grist(mapped, {1: {"stock": 15}}, complete=complete),
                 shopify(mapped, {1: {"stock": 10}}, complete=complete), [pair(mapped, {"stock": 10})])
    assert told(found) == ["S15"]


def test_what_a_filter_leaves_out_is_neither_written_nor_taken_for_deleted() -> None:
    mapped = mapping("stock")
    known = [pair(mapped, {"stock": 10})]
    row_out = grist(mapped, outside=frozenset({ROW}))
    assert told(plan(mapped, row_out, shopify(mapped, {1: {"stock": 8}}), known)) == []
    thing_out = shopify(mapped, outside=frozenset({THING}))
    assert told(plan(mapped, grist(mapped, {ROW: {"stock": 15}}), thing_out, known)) == []
    assert told(plan(mapped, row_out, shopify(mapped, gone=(1,)), known)) == []


# --- creating -----------------------------------------------------------------------------------------------


def test_nothing_is_created_where_the_mapping_does_not_say_so() -> None:
    mapped = mapping("title", create_local=False, create_remote=False)
    assert told(plan(mapped, grist(mapped, {1: {"title": "Mug"}}, marked=False),
                     shopify(mapped, {2: {"title": "Cup"}}), [])) == []


def test_a_new_row_waits_until_its_required_fields_are_filled() -> None:
    mapped = mapping("title", "stock")
    found = plan(mapped, grist(mapped, {1: {"title": None, "stock": 3}}, marked=False), shopify(mapped), [])
    assert told(found) == ["wait"]
    assert "Title" in found.refusals[0].message


def test_a_new_row_rests() -> None:
    mapped = mapping("title")
    rows = grist(mapped, {1: {"title": "Mug"}, 2: {"title": "Cup"}}, marked=False)
    found = plan(mapped, rows, shopify(mapped), [], resting={1})
    assert told(found) == ["+S", "wait"]
    assert found.ops[0].source == 2


def test_a_new_row_with_text_that_does_not_fit_is_refused_whole() -> None:
    mapped = mapping("title", "stock")
    found = plan(mapped, grist(mapped, {1: {"title": "Mug", "stock": Unfit("ten")}}, marked=False),
                 shopify(mapped), [])
    assert told(found) == ["no stock"]


def test_a_creation_in_shopify_sends_what_may_go_there() -> None:
    mapped = mapping("title", rule("sku", Direction.TO_GRIST), "stock", "total", "tags",
                     rule("price", source_only=True))
    values = {"title": "Mug", "sku": "m1", "stock": 3, "total": 9, "tags": None, "price": Decimal("4.00")}
    (create,) = plan(mapped, grist(mapped, {1: values}, marked=False), shopify(mapped), []).ops
    assert dict(create.values) == {"title": "Mug", "stock": 3, "price": Decimal("4.00")}


def test_a_creation_sends_fields_that_are_given_on_create_only() -> None:
    """Options of a variant and its product: Shopify takes them once, then computes them."""
    mapped = mapping("title", "option")
    (create,) = plan(mapped, grist(mapped, {1: {"title": "Mug", "option": "Blue"}}, marked=False),
                     shopify(mapped), []).ops
    assert dict(create.values) == {"title": "Mug", "option": "Blue"}


def test_a_creation_in_grist_writes_no_formula_and_nothing_unread() -> None:
    mapped = mapping("title", rule("price", source_only=True), "total", "stock")
    values = {"title": "Mug", "price": Decimal("4.00"), "total": 9, "stock": UNREAD}
    (create,) = plan(mapped, grist(mapped), shopify(mapped, {1: values}), []).ops
    assert dict(create.values) == {"title": "Mug", "total": 9}


# --- a run over some fields ------------------------------------------------------------------------------------


def test_a_run_over_some_fields_touches_no_other_and_neither_creates_nor_deletes() -> None:
    mapped = replace(mapping("title", "stock", delete_local=Policy.APPLY, delete_remote=Policy.APPLY),
                     chosen=frozenset({"stock"}))
    known = [pair(mapped, {"title": "Mug", "stock": 10}, row=n, thing=thing(n)) for n in (1, 2, 3)]
    found = plan(
        mapped,
        grist(mapped, {1: {"title": "Cup", "stock": 15}, 2: {"title": "Mug", "stock": 10},
                       9: {"title": "New", "stock": 1}}, marks={1: thing(1), 2: thing(2)}),
        shopify(mapped, {1: {"title": "Mug", "stock": 10}, 3: {"title": "Mug", "stock": 10},
                         8: {"title": "Other", "stock": 1}}, gone=(2,)),
        known,
    )
    assert told(found) == ["S stock=15"]


# --- counts ------------------------------------------------------------------------------------------------------


def test_what_did_not_change_is_counted_and_not_planned() -> None:
    mapped = mapping("stock")
    known = [pair(mapped, {"stock": n}, row=n, thing=thing(n)) for n in (1, 2, 3)]
    rows = {n: {"stock": n} for n in (1, 2, 3)}
    found = plan(mapped, grist(mapped, rows), shopify(mapped, rows | {3: {"stock": 9}}), known)
    assert (found.unchanged, found.rows, told(found)) == (2, 3, ["G9"])


def test_bases_that_differ_by_service_are_no_change() -> None:
    """Each side is asked against its own base: what Shopify spells differently is no edit."""
    mapped = mapping("title")
    known = [Pair(ROW, THING, mapped.row({"title": "Mug "}), mapped.row({"title": "mug"}))]
    assert told(plan(mapped, grist(mapped, {1: {"title": "Mug "}}), shopify(mapped, {1: {"title": "mug"}}),
                     known)) == []


def test_an_empty_document_and_an_empty_store_make_an_empty_plan() -> None:
    mapped = mapping("title")
    found = plan(mapped, Snapshot(), Snapshot(), [])
    assert found.empty
    assert told(found) == []

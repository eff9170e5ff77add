"""A small resource and short ways to say "this row here, that thing there", for the tests of the core."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Dict
from dataclasses import replace
from typing import Any

from backend.core.mapping import rule_for
from backend.core.model import (
    Agreement,
    Conflict,
    Create,
    Delete,
    Direction,
    Field,
    FieldRule,
    Mapping,
    Mark,
    Op,
    Pair,
    Plan,
    Proposal,
    Resource,
    Row,
    Rule,
    Snapshot,
    Update,
)
from backend.core.values import UNREAD, Value, dump

PRODUCT = Resource(
    name="products", label="Products", table="Products", type="Product", match=("sku", "title"), title="title",
    scopes=("read_products",), creatable=True, deletable=True,
    fields=(
        Field("title", "text", "Title", "metadata", write="title", required=True),
        Field("sku", "text", "SKU", "sku", write="sku"),
        Field("stock", "integer", "Stock", "inventory", write="stock"),
        Field("tags", "list", "Tags", "metadata", write="tags"),
        Field("price", "money", "Price", "price", write="price"),
        Field("total", "integer", "Total", "inventory"),
        Field("option", "text", "Option", "metadata", on_create="option"),
        Field("maker", "ref", "Maker", "metadata", write="maker", target="makers"),
    ),
)

ROW, THING = 1, "gid://shopify/Product/1"


def rule(name: str, direction: Direction | None = None, on_conflict: Rule | None = None, **more: Any) -> FieldRule:
    described = PRODUCT.field(name)
    assert described is not None
    return replace(rule_for(described, direction=direction, on_conflict=on_conflict), **more)


def mapping(*rules: FieldRule | str, **more: Any) -> Mapping:
    """A mapping of the small resource with these fields. Nothing is matched unless `match` is given."""
    rules = tuple(rule(one) if isinstance(one, str) else one for one in rules)
    return Mapping(PRODUCT, "Products", rules, **{"match": (), "create_remote": True, **more})


def pair(mapped: Mapping, local: Dict[str, Value], remote: Dict[str, Value] | None = None, *, row: int = ROW,
         thing: str = THING, **more: Any) -> Pair:
    """A pair that agreed on `local` and (where the services spell it differently) `remote`."""
    return Pair(row, thing, mapped.row(local), mapped.row(local if remote is None else remote), **more)


def grist(mapped: Mapping, rows: Dict[int, Dict[str, Value]] | None = None, *, marked: bool = True,
          **more: Any) -> Snapshot:
    """What Grist holds. Row n belongs to thing n, and says so in its Shopify ID cell where `marked`."""
    found = {key: mapped.row(values) for key, values in (rows or {}).items()}
    marks = {key: thing(key) for key in found} if marked else {}
    return Snapshot(rows=dict(found), **{"marks": dict(marks), **more})


def shopify(mapped: Mapping, things: Dict[int, Dict[str, Value]] | None = None, *, gone: Iterable[int] = (),
            **more: Any) -> Snapshot:
    """What Shopify holds, things named by number. `gone` are proven absent."""
    found: dict[Any, Row] = {thing(key): mapped.row(values) for key, values in (things or {}).items()}
    return Snapshot(rows=found, **{"gone": frozenset(thing(key) for key in gone), **more})


def thing(number: int) -> str:
    return f"gid://shopify/Product/{number}"


def told(plan: Plan) -> list[str]:
    """Everything a plan decides, one short word each, sorted. `G` is Grist, `S` is Shopify.

        S15         write 15 to Shopify (of several fields: S stock=15)
        +S          create in Shopify       -S       delete in Shopify      -S?   propose to
        ask         a conflict on a field   ask row  a conflict on a whole row
        agree       the base moves without a write
        join, mark, part                    a new pair, its Shopify ID, a pair that ends
        wait, no    a row that waits, a refusal
    """
    many = len(plan.mapping.fields) > 1
    words = [word for op in plan.ops for word in _op(op, many)]
    words += [_conflict(one, many) for one in plan.conflicts]
    words += [word for one in plan.agreements for word in _agreement(one, many)]
    words += [f"-{_side(one)}?" for one in plan.proposals]
    words += ["wait" if one.waits else f"no {one.field}".strip() for one in plan.refusals]
    words += ["join" for _ in plan.paired] + ["part" for _ in plan.dissolved]
    return sorted(words)


def _op(op: Op, many: bool) -> list[str]:
    side = _side(op)
    if isinstance(op, Update):
        return [f"{side} {one.field}={_word(one.after)}" if many else f"{side}{_word(one.after)}"
                for one in op.changes]
    if isinstance(op, Mark):
        return ["mark"]
    return [f"{'+' if isinstance(op, Create) else '-'}{side}"]


def _conflict(one: Conflict, many: bool) -> str:
    if not one.field:
        return "ask row"
    return f"ask {one.field}" if many else "ask"


def _agreement(one: Agreement, many: bool) -> list[str]:
    return [f"agree {name}" for name in one.local] if many else ["agree"]


def _side(one: Create | Update | Delete | Proposal | Mark) -> str:
    return "G" if one.side == "local" else "S"


def _word(value: Value) -> str:
    if value is UNREAD:
        return "unread"
    said = dump(value)
    return "+".join(said) if isinstance(said, list) else "empty" if said is None else str(said)

"""Turn ops into Grist's user actions, and cut them into bundles. Pure: nothing in here talks to anybody.

    Create → BulkAddRecord (with the Shopify ID, and the toggle on)      Delete → BulkRemoveRecord
    Update → BulkAddOrUpdateRecord that only updates, and only rows       Mark   → the same, of the Shopify ID
             that still hold what was seen (`conditions`); for lists
             and where that cannot be had BulkUpdateRecord, by the set of columns
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from backend.core.model import Create, Delete, FieldRule, Key, Mark, Op, Refusal, Side, Update
from backend.core.values import Value
from backend.grist.binding import Bound
from backend.grist.cells import Unstorable, writer
from backend.grist.schema import Column

BODY_BYTES = 900_000
"""Grist refuses a body over 1 MB."""
ID_BYTES = 120
"""Room for the ids of a row and its thing, and for number cells that are sent empty."""
ROWS_A_BUNDLE = 2_000
CONDITIONAL = "BulkAddOrUpdateRecord"
CHOICE_BYTES = 100_000
"""Room kept for the choices that a bundle may add to its columns."""


@dataclass
class Item:
    """One op on its way: its place in the batch and its cells by colId."""

    position: int
    op: Op
    cells: dict[str, Any] = field(default_factory=dict)
    expected: dict[str, Any] | None = None
    """What its row must still hold for anything to be written, by colId; None where that is not asked of Grist."""


@dataclass(frozen=True, slots=True)
class Action:
    """One user action and the items it carries out, row by row."""

    action: list[Any]
    items: tuple[Item, ...]

    def rows(self, answer: Any) -> dict[int, int]:
        """By position: the row that each item made or was about. `answer` is Grist's to the action."""
        made = isinstance(self.items[0].op, Create)
        return {item.position: answer[i] if made else row_of(item.op) for i, item in enumerate(self.items)}

    def missed(self, answer: Any) -> list[Item]:
        """The items whose rows did not hold any more what they were to hold: nothing of this action was written
        there."""
        if self.action[0] != CONDITIONAL:
            return []
        return [item for item, found in zip(self.items, answer["recordIds"], strict=True) if not found]


def cut(ops: Sequence[Op]) -> Iterator[list[Op]]:
    """Creates, updates by their set of columns, marks, deletes: as many in a bundle as its body carries."""
    batch: list[Op] = []
    size = 0
    for op in sorted(ops, key=_order):
        weight = _weight(op)
        if batch and (len(batch) >= ROWS_A_BUNDLE or size + weight > BODY_BYTES - CHOICE_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(op)
        size += weight
    if batch:
        yield batch


class CellMaker:
    """Makes the cells of ops of one bound mapping. Which column a field goes to is asked once for all of a batch."""

    def __init__(self, bound: Bound) -> None:
        self._bound = bound
        self._places: dict[tuple[str, bool], tuple[str, Callable[[Value], Any]]] = {}
        # A new row's number cells start at 0 in Grist; nobody has said 0.
        self._from_zero = [column.id for column in bound.columns.values()
                           if column.pure in ("Numeric", "Int") and not column.formula]

    def cells(self, op: Op) -> dict[str, Any]:
        """The cells by colId that `op` writes.

        Raises Unstorable where a column cannot hold its value, ValueError (a bug) for a column that must not be
        written.
        """
        if isinstance(op, Delete):
            return {}
        bound = self._bound
        assert bound.id_column is not None  # prepare makes it in every table
        if isinstance(op, Mark):
            return {bound.id_column.id: op.partner}
        cells: dict[str, Any] = {}
        new = isinstance(op, Create)
        for name, value in op.values.items():
            column_id, cell_of = self._places.get((name, new)) or self._place(name, new)
            try:
                cells[column_id] = cell_of(value)
            except Unstorable as error:
                raise Unstorable(f"{bound.mapping.rule(name).field.label}: {error}") from None
        if isinstance(op, Create):
            for column_id in self._from_zero:
                cells.setdefault(column_id, None)
            cells[bound.id_column.id] = str(op.source)
            if bound.toggle and not bound.toggle.is_formula:
                cells[bound.toggle.id] = True
        return cells

    def _place(self, name: str, new: bool) -> tuple[str, Callable[[Value], Any]]:
        column = writable(self._bound, name, new=new)
        found = self._places[name, new] = column.id, writer(column.type)
        return found


def writable(bound: Bound, name: str, *, new: bool = False) -> Column:
    """The column of a field that may be written; in a `new` row also that of a field which only goes to Shopify, for
    nobody has said anything there. Raises ValueError (a bug in the plan) for any other."""
    rule: FieldRule | None = bound.mapping.fields[bound.mapping.index[name]] if name in bound.mapping.index else None
    column = bound.columns.get(name)
    if rule is None or column is None:
        raise ValueError(f"{name!r} is not mapped to a column of {bound.table!r}")
    if column.is_formula or not (new or rule.may_write(Side.LOCAL)):
        raise ValueError(f"column {column.id!r} of {bound.table!r} must not be written")
    return column


def actions(table: str, items: Iterable[Item]) -> list[Action]:
    """The user actions that carry out `items`, in the order creates, updates and marks, deletes."""
    adds: dict[tuple[str, ...], list[Item]] = {}
    updates: dict[tuple[tuple[str, ...], int], list[Item]] = {}
    times: Counter[tuple[tuple[str, ...], int]] = Counter()
    removals: list[Item] = []
    for item in items:
        columns = tuple(sorted(item.cells))
        if isinstance(item.op, Delete):
            removals.append(item)
        elif isinstance(item.op, Create):
            adds.setdefault(columns, []).append(item)
        else:  # Grist takes no row twice in one conditional action
            updates.setdefault((columns, times[columns, row_of(item.op)]), []).append(item)
            times[columns, row_of(item.op)] += 1
    _expect_own(updates.values())
    made = [
        Action(["BulkAddRecord", table, [None] * len(group), _by_column(columns, group)], tuple(group))
        for columns, group in adds.items()
    ]
    for (columns, _), group in updates.items():
        made += _updates(table, columns, group)
    if removals:
        made.append(Action(["BulkRemoveRecord", table, [row_of(item.op) for item in removals]], tuple(removals)))
    return made


def _expect_own(groups: Iterable[list[Item]]) -> None:
    """A row that is written twice in one bundle holds, the second time, what was written the first."""
    written: dict[int, dict[str, Any]] = {}
    for item in itertools.chain.from_iterable(groups):
        before = written.setdefault(row_of(item.op), {})
        if item.expected is not None:
            item.expected = {column: before.get(column, cell) for column, cell in item.expected.items()}
        before.update(item.cells)


def _updates(table: str, columns: tuple[str, ...], group: list[Item]) -> list[Action]:
    """Items that write the same columns, no row twice: what Grist does under a condition, and what it only does."""
    made = []
    plain = [item for item in group if item.expected is None]
    if plain and columns:
        made.append(_plain_update(table, columns, plain))
    checked = [(item, item.expected) for item in group if item.expected is not None]
    if not checked:
        return made
    items, wanted = [item for item, _ in checked], sorted(checked[0][1])
    scalars = tuple(column for column in columns if column in wanted)
    lists = tuple(column for column in columns if column not in wanted)
    if scalars:
        require = {"id": [row_of(item.op) for item in items]}
        require |= {column: [expected[column] for _, expected in checked] for column in wanted}
        made.append(Action([CONDITIONAL, table, require, _by_column(scalars, items), {"add": False}], tuple(items)))
    if lists:
        made.append(_plain_update(table, lists, items))
    return made


def _plain_update(table: str, columns: tuple[str, ...], group: list[Item]) -> Action:
    rows = [row_of(item.op) for item in group]
    return Action(["BulkUpdateRecord", table, rows, _by_column(columns, group)], tuple(group))


def new_choices(columns: Iterable[Column], items: Iterable[Item]) -> dict[str, list[str]]:
    """By colId: what is written to a choice column and is not among its choices yet, in order of appearance."""
    found: dict[str, dict[str, None]] = {}
    known = {c.id: set(c.options.get("choices") or ()) for c in columns if c.pure in ("Choice", "ChoiceList")}
    for item in items:
        for name, cell in item.cells.items():
            if name not in known or not cell:
                continue
            for word in cell[1:] if isinstance(cell, list) else [cell]:
                if word not in known[name]:
                    found.setdefault(name, {})[word] = None
    return {name: list(words) for name, words in found.items()}


def longer_list(column: Column, words: Sequence[str]) -> Column:
    """The column with `words` after its choices; those that exist keep their order and colours."""
    choices = list(column.options.get("choices") or [])
    return replace(column, options=column.options | {"choices": choices + [w for w in words if w not in choices]})


def choice_action(column: Column) -> list[Any]:
    options = orjson.dumps(column.options).decode()
    return ["UpdateRecord", "_grist_Tables_column", column.ref, {"widgetOptions": options}]


def refusal(op: Op, message: str, cure: str, field: str = "") -> Refusal:
    return Refusal(Side.LOCAL, key_of(op), message, cure, field=field, title=op.title)


def key_of(op: Op) -> Key:
    return op.source if isinstance(op, Create) else op.key


def row_of(op: Op) -> int:
    """The row id of an op on an existing row."""
    key = key_of(op)
    if isinstance(op, Create) or not isinstance(key, int):
        raise ValueError(f"{op!r} is about no row of Grist")
    return key


def _by_column(columns: tuple[str, ...], items: list[Item]) -> dict[str, list[Any]]:
    return {name: [item.cells[name] for item in items] for name in columns}


def _order(op: Op) -> tuple[int, tuple[str, ...]]:
    if isinstance(op, Update):
        return 1, tuple(sorted(change.field for change in op.changes))
    return {Create: 0, Mark: 2, Delete: 3}[type(op)], ()


def _weight(op: Op) -> int:
    """About how many bytes the op takes in a body; field names are counted a row, which is on the safe side."""
    try:
        return ID_BYTES if isinstance(op, Delete | Mark) else len(
            orjson.dumps(dict(op.values.items()), default=str)) + ID_BYTES
    except orjson.JSONEncodeError:  # a number that no column can hold: it is refused where it is written
        return ID_BYTES

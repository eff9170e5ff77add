"""Formulas as far as a stand-in needs them: plain expressions over `$Column`, worked out without Python's eval.

Arithmetic, comparison, `a if b else c`, and/or/not, text joining, a handful of functions (`NOW`, `TODAY`, `IF`,
`ROUND`, `UPPER`, `LOWER`, `len`, `str` …) and text methods (`.upper()`), and cells of a referenced row
(`$Product.Title`). The text is read by `ast` and turned into closures; anything else is a SyntaxError in the cell.
"""
from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

LONGEST_TEXT = 100_000
Evaluate = Callable[[Any], Any]


class Unfitting(str):
    """Text in a column of another type, as a formula sees it: it can be shown and compared, not calculated with."""


@dataclass(frozen=True)
class Formula:
    """A formula that was read: `run(scope)` works it out; `paths` are the cells it looks at, as names after `$`.

    `scope` needs a method `cell(names)` (the value of `$a.b` for names ("a", "b")) and `name(word)` for `user`,
    `value` and the like. Errors of a calculation come out as Python's own (TypeError, ZeroDivisionError …).
    """
    run: Evaluate
    paths: tuple[tuple[str, ...], ...]


@lru_cache(maxsize=1024)
def read(text: str) -> Formula:
    """Read a formula's text. What cannot be read gives a formula that always raises SyntaxError."""
    source = re.sub(r"\$(?=[A-Za-z_])", "rec.", text.strip())
    source = re.sub(r"^return\s+", "", source)
    reader = _Reader()
    try:
        run = reader.closure(ast.parse(source, mode="eval").body)
    except SyntaxError as error:
        return Formula(_always_raise(str(error)), ())
    return Formula(run, tuple(dict.fromkeys(reader.paths)))


def rule_tree(text: str) -> Any:
    """An access rule's condition as the tree that Grist stores beside it: `["Eq", ["Attr", …], ["Const", …]]`."""
    source = re.sub(r"\$(?=[A-Za-z_])", "rec.", text.strip())
    return _tree(ast.parse(source, mode="eval").body)


def _always_raise(message: str) -> Evaluate:
    def run(_scope: Any) -> Any:
        raise SyntaxError(message)
    return run


def _no_text_that_fits_nowhere(*values: Any) -> None:
    for value in values:
        if isinstance(value, Unfitting):
            raise TypeError("a cell holds text that does not fit its column")


def _times(left: Any, right: Any) -> Any:
    for text, number in ((left, right), (right, left)):
        if isinstance(text, str) and isinstance(number, int) and len(text) * number > LONGEST_TEXT:
            raise MemoryError("text too long")
    return left * right


def _power(left: Any, right: Any) -> Any:
    if isinstance(right, (int, float)) and abs(right) > 100:
        raise OverflowError("exponent too large")
    return left ** right


_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: _times, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: _power,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.In: lambda one, many: one in many, ast.NotIn: lambda one, many: one not in many,
    ast.Is: operator.is_, ast.IsNot: operator.is_not,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_,
}
_METHODS = ("upper", "lower", "strip", "title", "startswith", "endswith", "replace", "lstrip", "rstrip")


def _round(number: float, digits: float = 0) -> float:
    """Rounds halves away from zero, as spreadsheets do."""
    factor = 10.0 ** int(digits)
    return (int(abs(number) * factor + 0.5) / factor) * (1 if number >= 0 else -1)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "NOW": lambda: datetime.now(UTC), "TODAY": lambda: datetime.now(UTC).date(), "ROUND": _round,
    "UPPER": lambda text: text.upper(), "LOWER": lambda text: text.lower(), "TRIM": lambda text: " ".join(text.split()),
    "LEN": len, "CONCATENATE": lambda *parts: "".join(str(part) for part in parts), "ABS": abs, "MIN": min,
    "MAX": max, "SUM": lambda *numbers: sum(numbers), "DATE": date, "len": len, "str": str, "float": float,
    "int": int, "abs": abs, "min": min, "max": max, "round": round, "bool": bool,
}


class _Reader:
    """Turns a syntax tree into closures, gathering the cells it looks at."""

    def __init__(self) -> None:
        self.paths: list[tuple[str, ...]] = []

    def closure(self, node: ast.expr) -> Evaluate:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise SyntaxError(f"{type(node).__name__} is not supported in formulas here")
        return method(node)  # type: ignore[no-any-return]

    def _constant(self, node: ast.Constant) -> Evaluate:
        value = node.value
        return lambda _scope: value

    def _name(self, node: ast.Name) -> Evaluate:
        word = node.id
        if word == "rec":
            raise SyntaxError("rec stands only before a column")
        return lambda scope: scope.name(word)

    def _attribute(self, node: ast.Attribute) -> Evaluate:
        names: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            names.append(inner.attr)
            inner = inner.value
        path = tuple(reversed(names))
        if not isinstance(inner, ast.Name) or any(name.startswith("_") for name in path):
            raise SyntaxError("only columns have attributes here")
        if inner.id != "rec":
            return _read_name(inner.id, path)
        self.paths.append(path)
        return lambda scope: scope.cell(path)

    def _binop(self, node: ast.BinOp) -> Evaluate:
        calculate = _ARITHMETIC.get(type(node.op))
        if calculate is None:
            raise SyntaxError(f"{type(node.op).__name__} is not supported in formulas here")
        left, right = self.closure(node.left), self.closure(node.right)

        def run(scope: Any) -> Any:
            one, two = left(scope), right(scope)
            _no_text_that_fits_nowhere(one, two)
            return calculate(one, two)
        return run

    def _unaryop(self, node: ast.UnaryOp) -> Evaluate:
        calculate = _UNARY.get(type(node.op))
        if calculate is None:
            raise SyntaxError(f"{type(node.op).__name__} is not supported in formulas here")
        operand = self.closure(node.operand)
        return lambda scope: calculate(operand(scope))

    def _boolop(self, node: ast.BoolOp) -> Evaluate:
        parts = [self.closure(value) for value in node.values]
        stops_at = isinstance(node.op, ast.Or)

        def run(scope: Any) -> Any:
            value = None
            for part in parts:
                value = part(scope)
                if bool(value) is stops_at:
                    break
            return value
        return run

    def _compare(self, node: ast.Compare) -> Evaluate:
        first = self.closure(node.left)
        steps = [(_COMPARISONS[type(op)], self.closure(other))
                 for op, other in zip(node.ops, node.comparators, strict=True)]

        def run(scope: Any) -> Any:
            left = first(scope)
            for holds, other in steps:
                right = other(scope)
                if not holds(left, right):
                    return False
                left = right
            return True
        return run

    def _ifexp(self, node: ast.IfExp) -> Evaluate:
        test, yes, no = self.closure(node.test), self.closure(node.body), self.closure(node.orelse)
        return lambda scope: yes(scope) if test(scope) else no(scope)

    def _list(self, node: ast.List | ast.Tuple) -> Evaluate:
        items = [self.closure(item) for item in node.elts]
        return lambda scope: [item(scope) for item in items]

    _tuple = _list

    def _joinedstr(self, node: ast.JoinedStr) -> Evaluate:
        parts = [self.closure(part.value if isinstance(part, ast.FormattedValue) else part) for part in node.values]
        return lambda scope: "".join(str(part(scope)) for part in parts)

    def _call(self, node: ast.Call) -> Evaluate:
        if node.keywords:
            raise SyntaxError("named arguments are not supported in formulas here")
        if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
            method, text = node.func.attr, self.closure(node.func.value)
            inputs = [self.closure(argument) for argument in node.args]
            return lambda scope: getattr(_as_text(text(scope)), method)(*(item(scope) for item in inputs))
        if not isinstance(node.func, ast.Name):
            raise SyntaxError("only plain functions can be called here")
        arguments = [self.closure(argument) for argument in node.args]
        if node.func.id == "IF" and len(arguments) == 3:
            test, yes, no = arguments
            return lambda scope: yes(scope) if test(scope) else no(scope)
        function = _FUNCTIONS.get(node.func.id)
        if function is None:
            raise SyntaxError(f"the function {node.func.id} is not supported in formulas here")
        return lambda scope: function(*(argument(scope) for argument in arguments))


def _read_name(word: str, path: tuple[str, ...]) -> Evaluate:
    def run(scope: Any) -> Any:
        value = scope.name(word)
        for name in path:
            value = value[name]
        return value
    return run


def _as_text(value: Any) -> str:
    if not isinstance(value, str):
        raise AttributeError(f"'{type(value).__name__}' object has no such attribute")
    return value


def _tree(node: ast.expr) -> Any:
    if isinstance(node, ast.BoolOp):
        return [type(node.op).__name__, *(_tree(value) for value in node.values)]
    if isinstance(node, ast.BinOp):
        return [type(node.op).__name__, _tree(node.left), _tree(node.right)]
    if isinstance(node, ast.UnaryOp):
        return [type(node.op).__name__, _tree(node.operand)]
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return [type(node.ops[0]).__name__, _tree(node.left), _tree(node.comparators[0])]
    if isinstance(node, ast.Constant):
        return ["Const", node.value]
    if isinstance(node, ast.Name):
        return ["Name", node.id]
    if isinstance(node, ast.Attribute):
        return ["Attr", _tree(node.value), node.attr]
    if isinstance(node, (ast.List, ast.Tuple)):
        return ["List", *(_tree(item) for item in node.elts)]
    raise SyntaxError(f"Unsupported syntax in an access rule: {type(node).__name__}")

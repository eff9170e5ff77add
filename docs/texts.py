"""Every text that a person can meet, in one list, to be read in one sitting: `python docs/texts.py`.

    widget     widget/i18n/en*.json
    sentences  what backend/ can say: errors with their cures, reasons, notes, brakes, words of the command line
    log        what is logged at INFO and above

A text is found by its looks: in the backend, whatever is written like a sentence and is no docstring. What the program
puts into it stands as "…". tests/docs holds that none of them speaks of the insides.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOUD = {"info", "warning", "error", "exception", "critical"}


def main() -> None:
    for heading, texts in (("Widget", widget()), ("Sentences", sentences()), ("Log", log())):
        print(f"\n# {heading}\n")
        for where, text in sorted(set(texts)):
            print(f"{where}: {text}")


def widget() -> Iterator[tuple[str, str]]:
    """(key, text) of each string of the widget, in English."""
    for path in sorted((ROOT / "widget" / "i18n").glob("en*.json")):
        yield from _strings(json.loads(path.read_text(encoding="utf-8")), "")


def _strings(inside: object, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(inside, dict):
        for name, one in inside.items():
            yield from _strings(one, f"{key}.{name}".strip("."))
    else:
        yield key, str(inside)


def sentences() -> Iterator[tuple[str, str]]:
    """(module, sentence) of everything in backend/ that reads like one."""
    for where, found in _modules():
        yield from ((where, text) for text in found.texts if re.match(r"\W*[A-Z…].*\w .*\w[.…:]$", text))


def log() -> Iterator[tuple[str, str]]:
    """(module, line) of what is logged at INFO and above; `%s` stands for what is filled in."""
    for where, found in _modules():
        yield from ((where, line) for line in found.lines if line != "%s")


@cache
def _modules() -> tuple[tuple[str, _Texts], ...]:
    paths = [path for path in sorted((ROOT / "backend").rglob("*.py")) if "migrations" not in path.parts]
    return tuple((str(path.relative_to(ROOT / "backend")), _Texts(path)) for path in paths)


class _Texts(ast.NodeVisitor):
    """The texts of one module, each whole: its parts are not looked at again. `lines` are those that are logged."""

    def __init__(self, path: Path) -> None:
        self.texts: list[str] = []
        self.lines: list[str] = []
        self.visit(ast.parse(path.read_text(encoding="utf-8")))

    def generic_visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return  # a docstring
        if text := _text(node):
            self.texts.append(text)
        else:
            super().generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        match node.func:
            case ast.Attribute(value=ast.Name(id="log"), attr=name):
                if name in LOUD and node.args and (text := _text(node.args[0])):
                    self.lines.append(text)
            case _:
                self.generic_visit(node)


def _text(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) or "…" for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right) if _text(left) or _text(right):
            return (_text(left) or "…") + (_text(right) or "…")
        case _:
            return ""


if __name__ == "__main__":
    main()

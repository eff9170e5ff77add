"""What the product can say when something is wrong, read from its source: for docs/troubleshooting.md.

    raise UserError("The column {column} …", cure="Set …")  →  Said("Grist", "", "The column … …", "Set …")

Only what is written out at the place can be read there. A sentence that is handed on (a service's own words) is not
one of ours. What the program puts into a sentence stands as "…".
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend import errors

BACKEND = Path(__file__).resolve().parents[1] / "backend"
PLACES = {
    "shopify": "Shopify", "grist": "Grist", "core": "A sync", "store": "The database", "jobs": "A sync",
    "web": "The widget and the API",
}
"""By folder of backend/. What lies above them is about settings, `sync.yaml` or a sync as a whole."""
SETTINGS = ("app.py", "cli.py", "commands.py", "config.py", "config_mistakes.py", "config_text.py", "init.py",
            "secrets.py", "settings.py", "logs.py", "forget.py")
ELSEWHERE, ABOUT_SETTINGS = "A sync", "Settings and sync.yaml"
CLASSES = {name for name, one in vars(errors).items() if inspect.isclass(one) and issubclass(one, errors.SyncError)}
SILENT = {"TooCostly", "InputRefused", "LeaseLost", "TokenRefused"}
"""Nobody meets these: the code that raises them has another that answers."""


@dataclass(frozen=True, order=True)
class Said:
    place: str
    message: str
    cure: str


def everything() -> list[Said]:
    """All of it, by place and in the order of the alphabet, each once."""
    return sorted({said for path in sorted(BACKEND.rglob("*.py")) for said in _of(path)})


def _of(path: Path) -> Iterator[Said]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    known = {target.id: node.value for node in tree.body if isinstance(node, ast.Assign)
             for target in node.targets if isinstance(target, ast.Name)}
    names = _classes(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := _name(node.func)) in names:
            found = _said(node, name, known)
            if found is not None:
                yield Said(_place(path), *found)


def _classes(tree: ast.Module) -> set[str]:
    """The names of errors that this module can raise: those of errors.py, and its own that are made of them."""
    names = (CLASSES - SILENT) | {"Refused", "Brake"}
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and {_name(base) for base in node.bases} & names:
            names.add(node.name)
    return names


def _said(call: ast.Call, name: str, known: dict[str, ast.expr]) -> tuple[str, str] | None:
    """Message and cure as far as they are written out here; None where the message is somebody else's."""
    named = {one.arg: one.value for one in call.keywords}
    if name == "Refused":
        places = dict(zip(("message", "cure"), call.args[2:], strict=False))
    elif name == "Brake":
        places = dict(zip(("message",), call.args[2:], strict=False))
    else:
        places = dict(zip(("message", "cure"), call.args, strict=False))
    places.update({one: named[one] for one in ("message", "cure") if one in named})
    message = _text(places.get("message"), known)
    if not message or not message.strip("… ."):
        return None
    return message, _text(places.get("cure"), known)


def _text(node: ast.expr | None, known: dict[str, ast.expr]) -> str:
    match node:
        case None:
            return ""
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part, known) for part in parts)
        case ast.FormattedValue():
            return "…"
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text(left, known) + _text(right, known)
        case ast.Name(id=name) if name in known:
            return _text(known[name], {})
        case _:
            return "…"


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _place(path: Path) -> str:
    inside = path.relative_to(BACKEND)
    if len(inside.parts) > 1:
        return PLACES[inside.parts[0]]
    return ABOUT_SETTINGS if inside.name in SETTINGS else ELSEWHERE

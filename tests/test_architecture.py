"""The picture of the design, held by reading the imports:

    faces: web · jobs · cli  →  engine  →  connectors (shopify, grist) and store  →  core
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BACKEND = sorted((ROOT / "backend").rglob("*.py"))
WIDGET = [path for path in sorted((ROOT / "widget").rglob("*.js")) if "vendor" not in path.parts]

LONGEST = 600
"""Lines of one module. Above it, a part of it wants a name of its own."""

MAY_KNOW = {
    # part of backend → the other parts that it may import. What is not a part stands for itself: backend/http.py.
    "core": set(),
    "errors": set(),
    "logs": {"errors", "__version__"},
    "looks": {"core"},
    "usual": set(),
    "connector": {"core", "looks"},
    "report": {"core", "connector"},
    "asking": set(),
    "http": {"asking", "errors"},
    "store": {"core", "errors"},
    "migrate": {"store", "settings", "errors"},
    "shopify": {"core", "connector", "errors", "http", "looks", "usual"},
    "grist": {"core", "connector", "errors", "http", "looks"},
    "engine": {"core", "connector", "errors", "report", "store", "work", "session", "gather", "look", "remember",
               "recover", "taking_back", "checkpoints", "listed", "worded", "ripples"},
    "listed": {"core", "connector", "work"},
    "ripples": {"core", "session", "store", "work"},
    "worded": {"core", "connector", "work", "listed"},
    "session": {"core", "connector", "store", "gather", "usual"},
    "gather": {"core", "connector", "store", "work"},
    "look": {"core", "connector", "gather", "looks", "store", "work"},
    "checkpoints": {"core", "gather", "session", "store", "work"},
    "taking_back": {"core", "look", "report", "session", "store", "work"},
    "work": {"core", "looks"},
    "remember": {"core", "report", "store", "work"},
    "recover": {"core", "connector", "errors", "store", "work", "remember"},
}
"""The faces and what serves them (cli, web, jobs, app, config, init, settings) are bound by the rules further down."""

IMPURE = {
    "asyncio", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random", "requests", "secrets", "shutil",
    "signal", "socket", "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid",
}
"""Clocks, chance and the outside world: handed in by the caller, never fetched by the core."""


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports anywhere in it, by its full name: `backend.core.model.Pair` counts too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{shown(path)} line {node.lineno}: write imports from `backend` on, in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part(path: Path) -> str:
    """`backend/store/base.py` → store, `backend/http.py` → http."""
    return path.relative_to(ROOT / "backend").parts[0].removesuffix(".py")


def parts_known(path: Path) -> set[str]:
    """The other parts of backend that a file imports."""
    known = {name.split(".")[1] for name in imported(path) if name.startswith("backend.")}
    return known - {part(path)}


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", BACKEND, ids=shown)
def test_imports_point_one_way(path: Path) -> None:
    allowed = MAY_KNOW.get(part(path))
    if allowed is not None:
        assert parts_known(path) <= allowed


def test_the_connectors_know_nothing_of_each_other() -> None:
    for path in BACKEND:
        if part(path) in ("shopify", "grist"):
            assert not parts_known(path) & {"shopify", "grist", "store", "engine"}, shown(path)


def test_only_app_knows_everybody() -> None:
    """Both connectors and the store meet in one place, in the session of a run."""
    everybody = {"shopify", "grist", "store", "session"}
    assert {shown(path) for path in BACKEND if parts_known(path) >= everybody} == {"backend/app.py"}


def test_only_what_joins_or_suggests_mappings_knows_both_services() -> None:
    both = {shown(path) for path in BACKEND if parts_known(path) >= {"shopify", "grist"}}
    assert both <= {"backend/app.py", "backend/init.py"}


def test_nothing_behind_the_faces_knows_a_face() -> None:
    faces = {"web", "jobs", "cli", "app"}
    for path in BACKEND:
        if part(path) in {*MAY_KNOW, "config", "settings"}:
            assert not parts_known(path) & faces, shown(path)


@pytest.mark.parametrize("path", [path for path in BACKEND if part(path) == "core"], ids=shown)
def test_the_core_is_pure(path: Path) -> None:
    for name in imported(path):
        top = name.split(".")[0]
        assert top in sys.stdlib_module_names or name.startswith("backend.core"), name
        assert top not in IMPURE, f"the caller hands in what {top} would fetch"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert not re.search(r"\b(now|utcnow|today)$|^(open|print|input|exec|eval)$", called), called


def names_used(path: Path, module: str) -> set[str]:
    """What a file uses of a foreign module: `sa.Connection` → Connection, by whatever short name it has here."""
    known_as = {alias.asname or alias.name for node in ast.walk(tree(path)) if isinstance(node, ast.Import)
                for alias in node.names if alias.name == module}
    taken = {name.removeprefix(f"{module}.") for name in imported(path) if name.startswith(f"{module}.")}
    return taken | {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)
                    and isinstance(node.value, ast.Name) and node.value.id in known_as}


@pytest.mark.parametrize("path", [path for path in BACKEND if part(path) != "store"], ids=shown)
def test_sql_lives_in_the_store(path: Path) -> None:
    """Others hand a transaction on and may say that it is one; what is asked in it is a function of the store."""
    assert names_used(path, "sqlalchemy") <= {"Connection"}
    assert not any(re.match(r"(alembic|sqlite3|psycopg)\b", name) for name in imported(path))


@pytest.mark.parametrize("path", [path for path in BACKEND if shown(path) != "backend/http.py"], ids=shown)
def test_requests_are_made_in_one_place(path: Path) -> None:
    """Timeouts, and whether to try again, are decided once. Others explain the answers that they are handed."""
    assert names_used(path, "requests") <= {"Response"}
    others = ("urllib.request", "http.client", "httpx", "aiohttp", "urllib3")
    assert not [name for name in imported(path) if name.startswith(others)]


def test_the_entrances_only_open_the_door() -> None:
    for name in ("wsgi.py", "shopify_grist_sync.py"):
        path = ROOT / name
        if path.exists():
            behind = {"core", "engine", "store", "shopify", "grist"}
            assert not {one.split(".")[1] for one in imported(path) if one.startswith("backend.")} & behind, name


def test_the_product_does_not_know_its_demo_or_its_tests() -> None:
    for path in BACKEND:
        assert not [name for name in imported(path) if name.split(".")[0] in ("demo", "tests")], shown(path)


def test_no_module_is_longer_than_a_person_can_hold() -> None:
    long = {shown(path): lines for path in BACKEND if (lines := len(path.read_text().splitlines())) > LONGEST}
    assert not long


def test_every_module_says_what_it_is_for() -> None:
    silent = [shown(path) for path in BACKEND
              if path.read_text().strip() and "versions" not in path.parts and not ast.get_docstring(tree(path))]
    assert not silent


# --- the widget ------------------------------------------------------------------------------------


def code(path: Path) -> str:
    """A script without its comments."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
    return re.sub(r"(?m)(^|\s)//.*$", "", text)


def test_only_one_file_of_the_widget_touches_grist() -> None:
    """The plugin API is a global named grist; the others may hold what `connect()` of grist.js gave them."""
    plugin = r"(window|globalThis)\.grist\b|(?<![\w.$\"'/-])grist\s*(\?\.|\.)\s*(ready|on[A-Z]\w*|docApi|get[A-Z]\w*|" \
             r"setCursorPos|setSelectedRows|widgetApi|viewApi|rpc|fetchSelected\w*)\b"
    users = {path.name for path in WIDGET if re.search(plugin, code(path))}
    assert users <= {"grist.js"}


def test_only_one_file_of_the_widget_fetches() -> None:
    users = {path.name for path in WIDGET
             if re.search(r"(?<![\w.$])(window\.|globalThis\.)?fetch\s*\(|XMLHttpRequest|sendBeacon", code(path))}
    assert users <= {"api.js"}


@pytest.mark.parametrize("name", ["state.js", "format.js"])
def test_the_pure_files_of_the_widget_touch_no_page(name: str) -> None:
    for path in WIDGET:
        if path.name == name:
            assert not re.search(r"(?<![\w.$])(window|document|localStorage|setTimeout)\b", code(path)), name

"""The pages are true: links lead somewhere, everything that can be set is described, commands and tests exist."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from backend import cli, config, errors
from backend.cli import main
from backend.report import MappingReport, Report
from backend.settings import NAMES, Settings
from backend.shopify.resources import RESOURCES
from backend.store.db import Database
from backend.web import create_app, metrics
from backend.web.headers import PROXIED_HOSTS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose_of(path: Path) -> str:
    """The page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```", "", text_of(path), flags=re.DOTALL | re.MULTILINE)


# --- links ----------------------------------------------------------------------------------------


def anchors_of(path: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    heads = re.findall(r"^#+ +(.+)$", prose_of(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", head)).lower().replace(" ", "-")
            for head in heads}


def links_of(path: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", prose_of(path))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_inner_link_is_dead(page: Path) -> None:
    dead = []
    for link in links_of(page):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        if not path.is_file() or (anchor and anchor not in anchors_of(path)):
            dead.append(link)
    assert dead == []


def test_every_page_is_reached_from_the_first_ones() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        targets = ((page.parent / link.partition("#")[0]).resolve() for link in links_of(page) if ":" not in link)
        waiting += [target for target in targets if target.suffix == ".md" and target.is_file()]
    assert [name_of(page) for page in PAGES if page not in reached] == []


# --- what can be set ------------------------------------------------------------------------------


def in_code(path: Path) -> set[str]:
    """What stands between backticks on a page."""
    return set(re.findall(r"`([^`\n]+)`", prose_of(path)))


def test_every_setting_is_described() -> None:
    assert [name for name in NAMES if name not in in_code(DOCS / "configuration.md")] == []


def read_from_the_environment() -> Iterator[str]:
    for path in [*(ROOT / "backend").rglob("*.py"), ROOT / "gunicorn.conf.py"]:
        yield from re.findall(r"environ(?:\.get\(|\[)\s*[\"']([A-Z_]+)", text_of(path))
    yield from PROXIED_HOSTS


def test_every_variable_that_the_code_reads_is_described() -> None:
    assert sorted(set(read_from_the_environment()) - in_code(DOCS / "configuration.md")) == []


def test_every_option_of_the_command_line_is_described() -> None:
    described = text_of(DOCS / "cli.md")
    options = [option for parameter in main.params for option in parameter.opts]
    assert [option for option in options if option not in described] == []


def test_every_exit_code_and_key_of_a_report_is_described() -> None:
    page = text_of(DOCS / "cli.md")
    codes = re.findall(r"^\| (\d) \|", page, flags=re.MULTILINE)
    assert [int(code) for code in codes] == [cli.DONE, cli.FAILED, cli.WRONG_USAGE, cli.WAITS, cli.BRAKED]
    table = MappingReport("variants", "Variants", "Variants")
    report = Report(mappings=[table], message="Stopped.", plan=[], pairing=[], actions={"done": 1}).as_json()
    assert sorted((report.keys() | asdict(table).keys()) - in_code(DOCS / "cli.md")) == []


def test_every_key_of_the_configuration_is_described() -> None:
    schemas = (config._File, config._Audit, config._Brakes, config._Mapping, config._FieldRule)
    keys = {field.data_key or name for schema in schemas for name, field in schema().fields.items()}
    assert sorted(keys - in_code(DOCS / "mapping.md")) == []


def test_every_resource_and_field_is_described() -> None:
    page = text_of(DOCS / "mapping.md")
    for resource in RESOURCES.values():
        section = page.partition(f"### `{resource.name}`\n")[2].partition("\n### ")[0]
        assert section, resource.name
        assert [field.name for field in resource.fields if f"| `{field.name}` |" not in section] == []


def test_every_metric_is_described(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/metrics.db")
    database.migrate()
    stored = {family.name for family in metrics._Stored(database).collect()}
    here = {family.name for family in metrics.own().registry.collect()}
    assert len(stored) > 15
    assert sorted((stored | here) - in_code(DOCS / "deploy.md")) == []


def test_every_error_has_its_cure_on_the_page() -> None:
    """Sentences from all over the code, and how an error is known in a report."""
    page = text_of(DOCS / "troubleshooting.md")
    for words in ("Grist does not accept the API key.", "There is no key for the Shopify store.",
                  "went back and forth between two", "Only … of the document may do this.",
                  "Something changed since this preview, so no row was written."):
        assert words in page
    codes = {one.code for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.SyncError)}
    assert sorted(codes - in_code(DOCS / "troubleshooting.md") - {errors.SyncError.code}) == []


def test_every_address_is_described(tmp_path: Path) -> None:
    described = text_of(DOCS / "api.md")
    app = create_app(Settings(database_url=f"sqlite:///{tmp_path}/api.db"), None, start_worker=False)
    paths = {re.sub(r"<[^>]*>", "<>", rule.rule) for rule in app.url_map.iter_rules()
             if rule.endpoint != "static" and "<path:" not in rule.rule}
    known = {re.sub(r"<\w+>|\{\w+\}", "<>", one) for one in re.findall(r"/[\w/<>{}.-]*", described)}
    known |= {one.replace("/", "/api/links/<>/", 1) for one in known}
    assert len(paths) > 30
    assert sorted(path for path in paths if path not in known and path.rstrip("/") not in known) == []


# --- what is generated ----------------------------------------------------------------------------


def module_of(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    return module_of("generate")


@pytest.fixture(scope="module")
def texts() -> ModuleType:
    return module_of("texts")


def test_generated_parts_are_up_to_date(generate: ModuleType) -> None:
    stale = [page.name for page in generate.pages() if text_of(page) != generate.generated(page)]
    assert stale == [], "run: python docs/generate.py"


def test_every_part_that_is_written_has_its_place(generate: ModuleType) -> None:
    placed = {name for page in generate.pages() for name in re.findall(r"<!-- begin: (\w+) -->", text_of(page))}
    assert placed == set(generate.PARTS)


def test_the_settings_that_are_described_are_those_that_are_read(generate: ModuleType) -> None:
    assert tuple(generate.SETTINGS) == NAMES


# --- commands and names ---------------------------------------------------------------------------


def commands() -> list[str]:
    """The lines of all `bash` blocks on all pages."""
    return [line.strip() for page in PAGES
            for block in re.findall(r"^ *```bash\n(.*?)^ *```", text_of(page), flags=re.DOTALL | re.MULTILINE)
            for line in block.splitlines() if line.strip()]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), flags=re.MULTILINE))


def test_every_make_target_that_is_named_exists() -> None:
    named = {target for page in PAGES for target in re.findall(r"`?\bmake ([a-z]+)`", text_of(page))}
    named |= {line.split()[1] for line in commands() if line.startswith("make ")}
    assert named >= {"run", "test"}
    assert named <= targets()


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_a_command_names_what_is_there(command: str) -> None:
    words = [word for word in shlex.split(command, comments=True) if "=" not in word or word.startswith("-")]
    if words[0] == "make":
        assert set(words[1:]) <= targets()
        return
    assert words[0] in ("python", "python3", ".venv/bin/python"), "a kind of command that nobody checks"
    files = [word for word in words[1:] if re.search(r"\.(py|txt|yaml)$", word)]
    assert [file for file in files if not (ROOT / file).is_file()] == []
    if "shopify_grist_sync.py" in words:
        known = {option for parameter in main.params for option in parameter.opts} | {"--help"}
        given = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert given <= known


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_a_page_names_exist(page: Path) -> None:
    named = {one for one in in_code(page) if re.fullmatch(r"(backend|demo|docs|tests|widget)/[\w./-]+", one)}
    assert sorted(one for one in named if not (ROOT / one).exists()) == []


def test_the_modules_that_the_architecture_names_exist() -> None:
    """In a line about a folder of the backend, every single word in code is one of its modules."""
    lines = re.findall(r"^\| `(backend/\w+)/` \| (.+) \|$", text_of(DOCS / "architecture.md"), flags=re.MULTILINE)
    assert len(lines) >= 6
    for folder, said in lines:
        names = {one.rstrip("/") for one in re.findall(r"`([a-z_]+/?)`", said)}
        assert [one for one in names if not list((ROOT / folder).glob(f"{one}*"))] == [], folder
        modules = {path.stem for path in (ROOT / folder).glob("*.py")} - {"__init__"}
        assert sorted(modules - names) == [], f"{folder}: the page leaves these out"


def test_the_architecture_names_every_module_above_the_folders() -> None:
    page = text_of(DOCS / "architecture.md")
    modules = {path.name for path in (ROOT / "backend").glob("*.py")} - {"__init__.py"}
    assert sorted(name for name in modules if name not in page and f"`{name[:-3]}`" not in page) == []


def test_the_picture_of_the_architecture_is_the_one_that_is_held() -> None:
    """The drawing stands word by word where the imports are read."""
    drawn = re.search(r"```\n(faces: .+)\n```", text_of(DOCS / "architecture.md"))
    assert drawn
    assert drawn[1] in text_of(ROOT / "tests" / "test_architecture.py")


def test_every_decision_has_a_number_of_its_own() -> None:
    pages = sorted((DOCS / "decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    assert [page.name for page in pages if not text_of(page).startswith(f"# {page.name[:4]} ")] == []


# --- promises -------------------------------------------------------------------------------------


@cache
def known_tests() -> set[str]:
    """Every test under tests/."""
    return {name for path in (ROOT / "tests").rglob("test_*.py")
            for name in re.findall(r"^ *def (test_\w+)", text_of(path), flags=re.MULTILINE)}


def test_every_promise_has_its_section() -> None:
    heads = re.findall(r"^## P(\d+) .*\((?:held|partly|not yet)", text_of(DOCS / "promises.md"), flags=re.MULTILINE)
    assert [int(number) for number in heads] == list(range(1, 22))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_test_that_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"`(test_\w+)`", prose_of(page)))
    assert sorted(named - known_tests()) == []


@pytest.mark.parametrize("promise", [
    section for section in re.split(r"^## ", text_of(DOCS / "promises.md"), flags=re.MULTILINE)[1:]
    if re.match(r"P\d+ .*\((held|partly)", section)
], ids=lambda section: section.split(" ", 1)[0])
def test_what_is_called_held_names_tests_and_code(promise: str) -> None:
    assert re.search(r"`test_\w+`", promise)
    assert re.search(r"`backend/[\w/.]+`", promise)


# --- pictures -------------------------------------------------------------------------------------


def test_pictures_are_small_enough_to_load() -> None:
    pictures = sorted((DOCS / "pictures").glob("*.png"))
    assert pictures
    assert [picture.name for picture in pictures if picture.stat().st_size > 150_000] == []


def test_pages_are_kept_apart_from_this_machine() -> None:
    for page in PAGES:
        assert not re.search(r"/(work|tmp|root|home)/", text_of(page)), page


# --- what is said ---------------------------------------------------------------------------------

INSIDES = ("bundle", "snapshot", "changeset", "receipt", "intent", "checkpoint", "lease", "fingerprint", "backend",
           "inbox", "upsert", "idempotent", "ops", "gid", "null", "traceback", "exception", "payload", "unread",
           "unfit")
"""Words of the code. Whoever keeps a shop need not know them."""
TOLD_IN_CODE = {
    "Field may not be null.",  # marshmallow's, which is replaced by a sentence of ours
}


def test_no_text_speaks_of_the_insides(texts: ModuleType) -> None:
    """The list of all texts is `python docs/texts.py`; a command that is named (`python -m backend.…`) is no word."""
    everything = [*texts.widget(), *texts.sentences(), *texts.log()]
    assert len(everything) > 1500
    word = re.compile(rf"(?<![.\w-])({'|'.join(INSIDES)})s?(?![.\w])", re.IGNORECASE)
    assert [(where, text) for where, text in everything
            if word.search(text.replace("python -m backend", "")) and text not in TOLD_IN_CODE] == []

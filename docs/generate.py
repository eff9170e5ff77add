"""Write the parts of these pages that are copied from the code: `python docs/generate.py`.

    docs/mapping.md   fields of every resource, kinds of values     backend/shopify/resources, backend/grist/schema.py
    docs/shopify.md   access scopes of every resource               backend/shopify/resources
    docs/configuration.md  settings, keys of sync.yaml              backend/settings.py, backend/config.py
    docs/deploy.md    metrics                                       web/metrics.py, store/health.py
    docs/api.md       every address                                 backend/web, by way of its OpenAPI description
    docs/promises.md  tests that are expected to fail               tests/
    docs/troubleshooting.md  every message with its cure            backend/ (docs/said.py), backend/shopify/cures.py

A part stands between `<!-- begin: name -->` and `<!-- end: name -->`. With --check nothing is written, and the exit
code is 1 where a page is out of date; tests/docs does the same.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS.parent), str(DOCS)]

import marshmallow  # noqa: E402
import said  # noqa: E402
from marshmallow import Schema  # noqa: E402

from backend import config, errors, settings  # noqa: E402
from backend.core.guard import Limits  # noqa: E402
from backend.core.mapping import rule_for  # noqa: E402
from backend.core.model import Direction, Field, Rule  # noqa: E402
from backend.core.values import KINDS, Kind  # noqa: E402
from backend.grist.schema import FEEDING, FITTING  # noqa: E402
from backend.shopify.cures import CURES, OTHERWISE  # noqa: E402
from backend.shopify.resources import RESOURCES  # noqa: E402
from backend.store.health import whole_queue  # noqa: E402
from backend.usual import FILES_AFTER_SECONDS, REST_SECONDS  # noqa: E402
from backend.web import create_app  # noqa: E402
from backend.web import metrics as measured  # noqa: E402

SETTINGS = {
    "SHOPIFY_STORE": ("the store, `my-shop.myshopify.com`", "`store:` of sync.yaml"),
    "SHOPIFY_ACCESS_TOKEN": ("an Admin API token of a custom app, `shpat_…`", ""),
    "SHOPIFY_CLIENT_ID": ("client id of an app of the Dev Dashboard; instead of a token", ""),
    "SHOPIFY_CLIENT_SECRET": ("its client secret", ""),
    "SHOPIFY_API_KEY": ("another name for the client id; not used beside an access token", ""),
    "SHOPIFY_API_SECRET": ("another name for the client secret; beside an access token it only signs webhooks", ""),
    "SHOPIFY_API_VERSION": ("version of Shopify's Admin API", f"`{settings.DEFAULT_VERSION}`"),
    "SHOPIFY_ADMIN_URL": ("another address that answers in the store's place: a simulated store", ""),
    "GRIST_SERVER_URL": ("address of the Grist server", f"`{settings.DEFAULT_GRIST}`"),
    "GRIST_API_KEY": ("API key of somebody who may edit the document", ""),
    "GRIST_DOC_ID": ("the document: its id, or its address", "`document:` of sync.yaml"),
    "GRIST_WORKSPACE_ID": ("number of the workspace where the command line makes a document if none is named", ""),
    "GRIST_PUBLIC_URL": ("how browsers reach Grist, where that is another address", "`GRIST_SERVER_URL`"),
    "DATABASE_URL": ("where what was agreed is kept: SQLite or Postgres", f"`{settings.DEFAULT_DATABASE}`"),
    "SYNC_CONFIG": ("the configuration file", "`sync.yaml`, where there is one"),
    "SYNC_INTERVAL": ("the timer: minutes, or `20s`, `15m`, `1h`; `interval:` of sync.yaml comes first", "no timer"),
    "SYNC_REST_SECONDS": (
        "how long a new row in Grist stays untouched before it is created in Shopify; comes before `rest_seconds:`",
        f"`{REST_SECONDS:.0f}`"),
    "SYNC_AUDIT": (
        "how often a sync reads everything although nobody says that it changed (`1d`, `6h`, `off`); comes before "
        "`audit:`", "`1d`"),
    "SYNC_STOCK_AUDIT": (
        "the same for the stock of a large store, while Shopify does not tell of stock by itself", "`15m`"),
    "SYNC_FILES_AFTER_MINUTES": (
        "how many minutes the points of many changes may take to come back before these go to Shopify as files; `0` "
        "for never; comes before `files_after_minutes:`", f"`{FILES_AFTER_SECONDS / 60:.0f}`"),
    "ALLOWED_ORIGINS": ("other sites that may call the API, with blanks or commas between", "none"),
    "SHOPIFY_OLD_API_SECRET": ("the secret before the last change: Shopify signs webhooks with either for a while", ""),
    "PUBLIC_URL": ("the backend's https address as the internet sees it, for webhooks; Render's own is known",
                   "no webhooks"),
    "SYNC_AT_ONCE": ("how many links one worker process syncs at the same time, 1 to 64",
                     f"`{settings.Settings.at_once}`"),
    "SYNC_SETTLE_SECONDS": ("how long it is waited after a webhook for more of them", "`0.2`"),
    "NOTIFY_URL": ("an address that takes messages as Slack does, `{\"text\": …}`", "no messages"),
    "NOTIFY_MAIL": ("who gets mail of what failed or waits, with blanks or commas between", "nobody"),
    "NOTIFY_AFTER_SECONDS": ("how long conflicts, deletions and refused rows are gathered before somebody is told",
                             "`30`"),
    "ALLOW_LOCAL_NOTIFY": ("`yes`: messages may go to addresses without https and in your own network", "no"),
    "SMTP_URL": ("the mail server: `smtp://user:password@host:587` or `smtps://…`", "no mail"),
    "SMTP_FROM": ("the sender of mails", "`sync@localhost`"),
    "METRICS_TOKEN": ("who sends it as a bearer token may read `/metrics`", "only this machine may"),
    "SECRET_KEY": (
        "what stored keys are sealed with: a long random text; several with commas, the newest first",
        "SQLite: a file beside it; elsewhere no keys are kept"),
    "NOTIFY_HOSTS": ("where people may let messages be sent to", "`hooks.slack.com`"),
}
"""By name: what it holds, and what stands where it is left out."""

WAYS = {Direction.BOTH: "both", Direction.TO_GRIST: "to Grist", Direction.TO_SHOPIFY: "to Shopify"}

KIND_NOTES: dict[Kind, str] = {
    "text": "white space around it does not count; \"\" is empty",
    "html": "kinds of line ends do not count; \"\" is empty",
    "choice": "",
    "integer": "3 and 3.0 are the same",
    "decimal": "1.5 and 1.50 are the same",
    "money": "rounded half-up to the decimals of the store's currency before it is compared or sent",
    "boolean": "empty is off",
    "date": "",
    "datetime": "the same moment in two zones is the same; whole seconds",
    "list": "order, doubles and case of doubles do not count",
    "ref": "the row of the other table",
    "refs": "order and doubles do not count",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where a page is out of date")
    check = parser.parse_args().check
    stale = [path for path in pages() if path.read_text(encoding="utf-8") != generated(path)]
    for path in stale:
        print(f"{path.name} {'is out of date' if check else 'was brought up to date'}")
        if not check:
            path.write_text(generated(path), encoding="utf-8")
    return 1 if check and stale else 0


def pages() -> list[Path]:
    """The pages that hold a generated part."""
    return [path for path in sorted(DOCS.glob("*.md")) if "<!-- begin: " in path.read_text(encoding="utf-8")]


def generated(path: Path) -> str:
    """The page as it should be. Raises KeyError for a part that nothing writes."""
    text = path.read_text(encoding="utf-8")
    return re.sub(
        r"(<!-- begin: (\w+) -->\n).*?(<!-- end: \2 -->)",
        lambda part: f"{part[1]}\n{PARTS[part[2]]()}\n{part[3]}", text, flags=re.DOTALL,
    )


def fields() -> str:
    """One table a resource: every field, the column that is made for it, and its usual rules."""
    parts = []
    for resource in RESOURCES.values():
        abilities = [f"table `{resource.table}`", f"rows meet by {_or(resource.match)}"]
        abilities.append("new rows can be created in Shopify" if resource.creatable else "never created from Grist")
        abilities.append("can be deleted in Shopify" if resource.deletable else "never deleted in Shopify")
        abilities.append("takes a `filter`" if resource.search else "takes no `filter`")
        rows = [(f"`{f.name}`", f"`{rule_for(f).column}`", f.kind, _ways(f), f.group, _notes(f))
                for f in resource.fields]
        sentence = "; ".join(abilities)
        parts.append(f"### `{resource.name}`\n\n{sentence[:1].upper()}{sentence[1:]}.\n\n"
                     + _table(("field", "column", "kind", "ways", "group", "notes"), rows))
    return "\n".join(parts)


def kinds() -> str:
    rows = [
        (kind, FITTING[kind][0], ", ".join(FITTING[kind][1:]) or "–",
         ", ".join(one for one in FEEDING[kind] if one not in FITTING[kind]) or "–", KIND_NOTES[kind])
        for kind in KINDS
    ]
    heads = ("kind", "column that is made", "also fits", "a formula may also be", "what counts as the same")
    return _table(heads, rows)


def brakes() -> str:
    limits = Limits()
    return _table(("key", "a sync stops when", "usual"), [
        ("`deletions`", "more rows than this are gone from one side since the last sync", str(limits.deletions)),
        ("`deletions_share`", f"… or more than this share of a table of {limits.small} rows or more",
         str(limits.deletions_share)),
        ("`changed_share`", f"this share or more of a table of {limits.changed_from} rows or more changed on one side",
         str(limits.changed_share)),
        ("–", f"a side is empty that had {limits.empty_from} rows or more", "always"),
    ])


def scopes() -> str:
    rows = []
    for one in RESOURCES.values():
        rows.append((f"`{one.name}`", _codes(one.scopes), _codes(one.write_scopes) or "never written"))
        for right in one.rights:
            names = _codes(field.name for field in one.fields if right.covers(field))
            rows.append((f"`{one.name}`: {names}", _or(right.read) if right.read else "–", _or(right.write)))
    return _table(("resource", "to read", "to write"), rows)


def environment() -> str:
    rows = [(f"`{name}`", holds, otherwise or "–") for name, (holds, otherwise) in SETTINGS.items()]
    return _table(("setting", "holds", "left out"), rows)


def keys() -> str:
    """Every key of sync.yaml by its way there, what it takes, and what stands where it is left out."""
    return _table(("key", "takes", "left out"), _keys(config._File(), ""))


def _keys(schema: Schema, above: str) -> Iterator[tuple[str, str, str]]:
    for name, one in schema.fields.items():
        key = f"{above}{one.data_key or name}"
        inner = one.inner if isinstance(one, marshmallow.fields.List) else one
        if isinstance(inner, marshmallow.fields.Nested):
            yield from _keys(inner.schema, f"{key}[]." if inner is not one else f"{key}.")
        else:
            yield f"`{key}`", _takes(one), _left_out(one)
            if key.endswith(".fields"):
                yield from _keys(config._FieldRule(), f"{key}.<name>.")


def _takes(field: marshmallow.fields.Field[Any]) -> str:
    for check in field.validators:
        if isinstance(check, marshmallow.validate.OneOf):
            return _codes(check.choices)
        if isinstance(check, marshmallow.validate.Range):
            return f"a number, {check.min} to {check.max}" if check.max is not None else f"a number from {check.min}"
    kinds = {"Boolean": "`true` or `false`", "List": "a list of names", "Raw": "a time",
             "Dict": "a column's name for each field, or the keys below"}
    return kinds.get(type(field).__name__, "text")


def _left_out(field: marshmallow.fields.Field[Any]) -> str:
    if field.required:
        return "it is needed"
    usual = field.load_default
    if usual is marshmallow.missing or callable(usual) or usual == "":
        return "–"
    return f"`{str(usual).lower() if isinstance(usual, bool) else usual}`"


def addresses() -> str:
    """Every operation of the API as the service itself describes it."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(settings.Settings(database_url=f"sqlite:///{folder}/none.db"), None, start_worker=False)
        described = app.test_client().get("/docs/openapi.json").get_json()
    rows = [(f"`{method.upper()} {path.removeprefix('/api')}`", what["summary"]) for path, here in
            described["paths"].items() for method, what in here.items() if method in METHODS]
    return _table(("address below `/api`", "what it does"), rows)


METHODS = ("get", "post", "put", "delete")


def metrics() -> str:
    """Every figure at /metrics. Prometheus adds `_total` to what only grows, `_bucket` and the like to histograms."""
    rows = [(f"`{name}`", "sum", text, _codes(labels)) for name, text, labels in measured._SUMS.values()]
    rows += [(f"`{one.name}`", one.type, one.documentation, _codes(labels)) for one, labels in _own_metrics()]
    rows += [(f"`sync_{name}`", "now", text, "") for name, text in _queue_metrics()]
    return _table(("name", "kind", "says", "labels"), [(*row[:3], row[3] or "–") for row in rows])


def _own_metrics() -> Iterator[tuple[Any, Sequence[str]]]:
    own = measured.own()
    for one in (own.hooks, own.hook_seconds, own.pages):
        family = next(iter(one.describe()))
        yield family, one._labelnames


def _queue_metrics() -> Iterator[tuple[str, str]]:
    """Name and meaning, from the code that counts them: to count them takes a database."""
    tree = ast.parse(inspect.getsource(whole_queue))
    told = next(node for node in ast.walk(tree) if isinstance(node, ast.Dict))
    for key, value in zip(told.keys, told.values, strict=True):
        assert isinstance(value, ast.Tuple)
        assert key is not None
        yield ast.literal_eval(key), ast.literal_eval(value.elts[1])


ACTS = (
    (errors.Cancelled, "nobody: somebody or something wanted the run to end there"),
    (errors.RetryLater, "the clock: it is tried again by itself"),
    (errors.UserError, "a person: the message says what to do"),
    (errors.SyncError, "nobody: the sync answers it itself"),
)


def kinds_of_errors() -> str:
    rows = []
    for name, one in vars(errors).items():
        if name in said.CLASSES - {"SyncError"} and "code" in vars(one):
            acts = next(text for kind, text in ACTS if issubclass(one, kind))
            rows.append((f"`{one.code}`", (inspect.getdoc(one) or "").split("\n")[0], acts))
    return _table(("code", "what it is", "who acts next"), rows)


def messages() -> str:
    everything = said.everything()
    parts = []
    for place in dict.fromkeys((said.ABOUT_SETTINGS, "Grist", "Shopify", said.ELSEWHERE, *said.PLACES.values())):
        rows = [(_plain(one.message), _plain(one.cure) or "–") for one in everything if one.place == place]
        if rows:
            parts.append(f"### {place}\n\n" + _table(("message", "what to do"), rows))
    return "\n".join(parts)


def cures() -> str:
    rows = [(f"`{pattern.replace('|', '` or `')}`", cure) for pattern, cure in CURES]
    return _table(("Shopify's words", "what to do"), [*rows, ("anything else", OTHERWISE)])


def _plain(text: str) -> str:
    """Text as it is, whatever Markdown would make of it."""
    return re.sub(r"([*_<>`\[\]\\])", r"\\\1", text)


def gaps() -> str:
    lines = [f"- `{name}`: {reason}\n" for name, reason in sorted(expected_to_fail())]
    return "".join(lines) or "There are none today.\n"


PARTS: dict[str, Callable[[], str]] = {
    "fields": fields, "kinds": kinds, "brakes": brakes, "scopes": scopes, "environment": environment, "gaps": gaps,
    "keys": keys, "addresses": addresses, "metrics": metrics, "errors": kinds_of_errors, "messages": messages,
    "cures": cures,
}


def expected_to_fail() -> Iterator[tuple[str, str]]:
    """(name, reason) of the tests of the product's behaviour that are marked so. How the code is laid out, which
    tests/test_architecture.py looks at, is nobody's promise."""
    for path in sorted((DOCS.parent / "tests").glob("*/known.py")):
        yield from (("test_a_known_bug_is_mended", reason) for reason in _known_bugs(path))
    for path in sorted((DOCS.parent / "tests").glob("*/**/test_*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "xfail" in text else ():
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield from ((node.name, reason) for mark in node.decorator_list if (reason := _why(mark)))


def _known_bugs(path: Path) -> Iterator[str]:
    """The names in a list KNOWN of bugs; the limits of promises, which stand in it too, are no bugs."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if (isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "KNOWN"
                and isinstance(node.value, ast.Tuple)):
            yield from (str(ast.literal_eval(one.args[0])) for one in node.value.elts if isinstance(one, ast.Call))


def _why(mark: ast.expr) -> str:
    """The reason of an xfail mark; "" for any other mark."""
    if not isinstance(mark, ast.Call) or not ast.unparse(mark.func).endswith("mark.xfail"):
        return ""
    given = [ast.literal_eval(one.value) for one in mark.keywords if one.arg == "reason"]
    return str(given[0]) if given else "no reason is given"


def _ways(field: Field) -> str:
    if not field.writable and field.on_create:
        return "to Grist; to Shopify on creation only"
    if field.opt_in:
        return "to Grist, unless `direction: both` is written"
    return WAYS[rule_for(field).direction]


def _notes(field: Field) -> str:
    notes = []
    if field.required:
        notes.append("nothing is created without it")
    if field.target:
        notes.append(f"refers to `{field.target}`")
    if field.rule is not Rule.ASK:
        notes.append(f"usual rule `{field.rule.value}`")
    if field.choices:
        notes.append(", ".join(field.choices))
    return "; ".join(notes)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _or(names: Sequence[str]) -> str:
    return ", then ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.exit(main())

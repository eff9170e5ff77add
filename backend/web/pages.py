"""Pages for people and probes: the first page, the widget's files, the API's description, and how the service is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, json, render_template_string, request
from werkzeug.wrappers import Response as BaseResponse

from backend import __version__
from backend.errors import DatabaseAway
from backend.store import links, workers
from backend.web import files
from backend.web.answers import answer
from backend.web.description import description
from backend.web.service import Service, service

WIDGET = Path(__file__).resolve().parents[2] / "widget"
PLUGIN_API = "__GRIST_PLUGIN_API__"

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem; color: #262633; }
h1 { font-size: 1.25rem; } h2 { font-size: 1.05rem; }
code, td:first-child { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
td { padding: .15rem 1rem .15rem 0; vertical-align: top; }
.trouble { border-left: 3px solid #d0021b; padding-left: .75rem; }
"""

_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title><style>{{ style|safe }}</style></head><body><h1>{{ title }}</h1>
"""

_FIRST = """
{% if trouble %}<p class="trouble">{{ trouble.message }} {{ trouble.cure }}</p>
{% elif configured %}<p>A store and a document are connected.</p>
{% else %}<p>No store is connected to a document yet.</p>{% endif %}
<p>To see and steer the sync inside Grist: add a custom widget to a page of the document, choose a custom URL, give it
full document access, and paste</p>
<p><code>{{ widget }}</code></p>
<h2>How it is</h2>
<table>
<tr><td>alive</td><td><a href="healthz">healthz</a></td></tr>
<tr><td>ready</td><td><a href="readyz">readyz</a>: database and tables</td></tr>
<tr><td>syncs</td><td>{% if workers is none %}the database does not answer{% elif workers %}{{ workers }}
process{{ "" if workers == 1 else "es" }} at work{% else %}nobody does them now: is a worker running?{% endif %}
</td></tr>
<tr><td>webhooks</td><td>{% if public %}come to {{ public }}/hooks{% else %}none: PUBLIC_URL is not set, so changes are
found by the timer and the button{% endif %}</td></tr>
</table>
<p><a href="docs">The API</a> · version {{ version }}</p></body></html>
"""

_DOCS = """
<p>Every request below /api carries a Grist access token: <code>Authorization: Bearer …</code>. Every answer from 400 on
has the shape <code>{"code", "message", "cure", "details"}</code>. In full, as OpenAPI 3.1:
<a href="docs/openapi.json">openapi.json</a></p>
<table>{% for one in operations %}
<tr><td>{{ one.method }} {{ one.path }}</td><td>{{ one.summary }}</td></tr>{% endfor %}</table></body></html>
"""

bp = Blueprint("pages", __name__)


@bp.get("/")
def first_page() -> str:
    here = service()
    return page(_FIRST, "Shopify–Grist Sync", widget=f"{request.url_root}widget/", trouble=here.trouble,
                 configured=here.configured or _has_link(here), version=__version__,
                 workers=_workers(here), public=here.context.settings.public_url)


@bp.get("/docs")
def docs() -> str:
    paths: dict[str, Any] = description()["paths"]
    operations = [
        {"method": method.upper(), "path": path, "summary": operation.get("summary", "")}
        for path, methods in paths.items() for method, operation in methods.items() if method in ("get", "post")
    ]
    return page(_DOCS, "The API of Shopify–Grist Sync", operations=operations)


@bp.get("/docs/openapi.json")
def openapi() -> Response:
    return Response(json.dumps(description(), indent=2, sort_keys=False), mimetype="application/json")


@bp.get("/widget/")
def widget_page() -> Response:
    text = (WIDGET / "index.html").read_text(encoding="utf-8")
    settings = service().context.settings
    grist = settings.grist_public_url or settings.grist_server_url
    response = Response(text.replace(PLUGIN_API, f"{grist}/grist-plugin-api.js"), mimetype="text/html")
    response.headers["Cache-Control"] = "no-cache"
    return response


@bp.get("/widget/<path:name>")
def widget_file(name: str) -> BaseResponse:
    return files.send(WIDGET, name)


@bp.get("/healthz")
def is_alive() -> Response:
    return answer({"status": "alive"})


@bp.get("/readyz")
def is_ready() -> Response:
    """503 while the database does not answer, or its tables are not those of this version."""
    here = service()
    try:
        there, known = here.database.revision()
    except Exception as error:
        # Whatever the database says: a probe wants to know that it cannot be used, and the log says why.
        current_app.logger.warning("not ready: %s", type(error).__name__)
        return answer({"code": "not_ready", "message": "The database does not answer.",
                       "cure": "Check DATABASE_URL and the database.", "details": {}}, 503)
    if there != known:
        return answer({"code": "not_migrated", "message": "The database has the tables of another version.",
                       "cure": "Run python -m backend.migrate with this version.",
                       "details": {"there": there, "known": known}}, 503)
    return answer({"status": "ready"})


def _workers(here: Service) -> int | None:
    """None where the database cannot be asked."""
    try:
        with here.database.read() as tx:
            return workers.count(tx)
    except DatabaseAway:
        return None


def _has_link(here: Service) -> bool:
    with here.database.read() as tx:
        return bool(links.all_links(tx))


def page(body: str, title: str, **values: Any) -> str:
    """A plain page with this body."""
    return render_template_string(_FRAME + body, title=title, style=STYLE, **values)

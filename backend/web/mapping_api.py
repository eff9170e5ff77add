"""The part of the API that sets up and changes a mapping: what can be mapped, the mapping itself, what a draft of it
would do, the same as YAML, and pairs that a person has to confirm.

Nothing of a draft is kept: the widget holds it, and what it would do is worked out by a run that writes nothing.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from flask import Response, request

from backend import config, config_text
from backend.config import MAX_BYTES
from backend.core.model import Side
from backend.errors import ConfigError
from backend.grist.client import GristClient
from backend.grist.schema import parse_columns, parse_tables
from backend.store import base, inbox, links, pairing, runs
from backend.store.db import Transaction
from backend.web import mapping, pairs, schemas
from backend.web.access import needs, patience
from backend.web.answers import answer, polled
from backend.web.api import LINK, bp
from backend.web.errors import Refused
from backend.web.service import Service, link, service, sight, visitor
from backend.web.values import tables as known_tables

MOST_TABLES = 100
Settings = dict[str, Any]


@bp.get(f"{LINK}/resources")
@bp.response(200, description="Every resource: fields, counts, missing scopes")
def list_resources() -> Response:
    """What can be mapped. Counts, scopes and metafields are as the last look at the store found them."""
    here = service()
    with here.database.read() as tx:
        look, aside = runs.newest_look(tx, link().id), runs.active(tx, link().id, aside=True)
    running = aside if aside and aside.kind == "look" else None
    return polled(mapping.resources(here.context.resources, look, running))


@bp.post(f"{LINK}/look")
@bp.arguments(schemas.LookWanted)
@bp.response(202, description="Queued: the id of the run whose report holds what was found")
def look_at_store(asked: dict[str, Any]) -> Response:
    """Ask the store anew what there is to map, or how many things a filter leaves."""
    wanted = {}
    if "resource" in asked:
        if asked["resource"] not in service().context.resources:
            raise Refused(422, "config_error", f"There is no resource “{asked['resource']}”.", "Choose another one.")
        wanted = {"count": asked}
    return answer({"id": service().start(link(), "look", visitor().by("Mapping"), wanted)}, 202)


@bp.get(f"{LINK}/tables")
@bp.response(200, description="The document's tables with columns, and which suit which resource")
def list_tables() -> Response:
    """The tables that the person's own token sees, with suggestions for each resource."""
    here, who = service(), visitor()
    client = GristClient(here.server_url, who.document, token=who.token, sleep=patience())
    names = [table.id for table in parse_tables(client.tables()) if not table.is_summary][:MOST_TABLES]
    columns = {name: parse_columns(client.columns(name)) for name in names}
    return polled(mapping.tables(columns, here.context.resources))


@bp.get(f"{LINK}/mappings")
@bp.response(200, description="The mappings as in sync.yaml, and their version")
def read_mappings() -> Response:
    """The mappings as they are. `version` is what If-Match takes."""
    with service().database.read() as tx:
        return polled(_told(tx))


@bp.put(f"{LINK}/mappings")
@bp.arguments(schemas.MappingsSaid)
@bp.response(200, description="The mappings as they are now")
def save_mappings(said: dict[str, Any]) -> Response:
    """Make the mappings these. Checked as sync.yaml is; If-Match says which version was changed."""
    wanted = _checked(said["mappings"])
    with service().database.write() as tx:
        _not_moved(tx)
        _store(tx, wanted, said["decided"])
        return answer(_told(tx))


@bp.post(f"{LINK}/mappings/effect")
@bp.arguments(schemas.MappingsSaid)
@bp.response(202, description="Queued: the id of the run that works out what the draft would do")
def preview_mappings(said: dict[str, Any]) -> Response:
    """What the next sync would write if the mappings were these. Nothing is kept."""
    wanted = {"mappings": _checked(said["mappings"]), "decided": said["decided"]}
    return answer({"id": service().start(link(), "draft", visitor().by("Mapping"), wanted)}, 202)


@bp.get(f"{LINK}/config.yaml")
@bp.response(200, description="The mappings as sync.yaml", content_type="text/yaml")
def export_config() -> Response:
    """The mappings as a file that sync.yaml can be."""
    here, found = service(), link()
    with here.database.read() as tx:
        current = _current(tx)
    text = config_text.as_text(found.store, f"{found.server_url}/doc/{found.document}", current, here.context.resources)
    response = Response(text, mimetype="text/yaml")
    response.headers["Content-Disposition"] = "attachment; filename=sync.yaml"
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.put(f"{LINK}/config.yaml")
@bp.arguments(schemas.ImportAsked, location="query")
@bp.response(200, description="What changes, or what is wrong and where")
def import_config(asked: dict[str, Any]) -> Response:
    """Take the mappings of a file. With `preview` only what would change is told."""
    here = service()
    request.max_content_length = MAX_BYTES
    try:
        said = config.parse(request.get_data(cache=False), here.context.resources)
    except ConfigError as error:
        problem = {"message": error.message, "cure": error.cure, "line": error.line, "column": error.column}
        if asked["preview"]:
            return answer({"changes": [], "problems": [problem]})
        raise Refused(422, "config_error", error.message, error.cure, line=error.line, column=error.column) from error
    with here.database.write() as tx:
        _not_fixed(here)
        changes = mapping.differences(_current(tx), said.mappings, here.context.resources)
        if not asked["preview"]:
            _store(tx, said.mappings, [])
    if said.store and said.store != link().store:
        changes.append(f"The file names {said.store}. Only its mappings are taken; the store stays {link().store}.")
    return answer({"changes": changes, "problems": []})


# --- pairs ------------------------------------------------------------------------------------------


@bp.get(f"{LINK}/pairs")
@bp.response(200, description="Questions about pairs, and the rows that are kept apart")
def list_pairs() -> Response:
    """Which row is which thing, where a person has to say it. Polled."""
    here = service()
    with here.database.read() as tx:
        known = known_tables(tx, link().id, here.context.resources)
        told = pairs.told(known, pairing.questions(tx, known.ids), pairing.kept_apart(tx, known.ids))
    if not sight(known).everything:
        return polled({"questions": [], "apart": [], "hidden": len(told["questions"])})
    return polled({**told, "hidden": 0})


@bp.post(f"{LINK}/pairs")
@bp.arguments(schemas.PairsAnswered)
@bp.response(202, description="What was taken, and the run that does it")
@needs("editor")
def answer_pairs(said: dict[str, Any]) -> Response:
    """Say which row is which thing. An answer is good for the rows as the question showed them."""
    here = service()
    with here.database.read() as tx:
        known = known_tables(tx, link().id, here.context.resources)
    if not sight(known).everything:
        raise Refused(403, "role", "Parts of this document are hidden from you, and a pair might be made there.",
                      "Ask an owner of the document to answer.")
    by = visitor().by("in the widget")
    with here.database.write() as tx:
        open_now = {one.id: one for one in pairing.questions(tx, known.ids, limit=schemas.LARGEST_ID)}
        taken, gone = pairs.answers(open_now, said["answers"], by)
        pairing.answer(tx, taken)
        done = [open_now[one["question"]] for one in said["answers"] if one["question"] in open_now]
        pairing.answered(tx, [one.id for one in done])
        again = pairs.rows_again(known, said["ask_again"])
        asked = pairing.ask_again(tx, link().id, again)
        for side, hints in pairs.hints(known, done, again).items():
            inbox.note(tx, link().id, side, hints)
    run = here.start(link(), "sync", visitor().by("Pairs")) if taken or asked else None
    return answer({"run": run, "answered": [one.id for one in done], "gone": gone}, 202)


# --- helpers ----------------------------------------------------------------------------------------


def _current(tx: Transaction) -> list[Settings]:
    order = list(service().context.resources)
    found = [one.settings for one in links.mappings(tx, link().id)
             if not one.settings.get("off") and one.resource in order]
    return sorted(found, key=lambda one: order.index(one["resource"]))


def _told(tx: Transaction) -> dict[str, Any]:
    here, current = service(), _current(tx)
    stored = {one.resource: one for one in links.mappings(tx, link().id)}
    return {
        "mappings": current, "version": _version(current), "fixed": here.fixed_link == link().id,
        "about": {one["resource"]: {
            "pairs": base.count(tx, stored[one["resource"]].id)[0], "rows": stored[one["resource"]].rows,
            "paused": stored[one["resource"]].paused,
            "columns": {name: column["colId"] for name, column in
                        stored[one["resource"]].binding.get("columns", {}).items()},
            "table": stored[one["resource"]].binding.get("table") or one["table"],
        } for one in current},
        "defaults": mapping.defaults(here.context.resources),
    }


def _version(current: list[Settings]) -> str:
    return hashlib.sha256(orjson.dumps(current, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def _checked(said: list[Settings]) -> list[Settings]:
    """The mappings with all that they leave out filled in. Raises Refused (422) with the path of the first mistake."""
    try:
        return config.check({"mappings": said}, service().context.resources).mappings
    except ConfigError as error:
        raise Refused(422, "config_error", error.message, error.cure, path=list(error.path)) from error


def _not_fixed(here: Service) -> None:
    if here.fixed_link == link().id:
        raise Refused(409, "fixed", "This mapping comes from sync.yaml.",
                      "Change it there, or start the sync service without it to change the mapping here.")


def _not_moved(tx: Transaction) -> None:
    """Raises Refused where the mapping is not the one that was changed."""
    _not_fixed(service())
    if not request.if_match:
        raise Refused(428, "no_version", "This request does not say which version of the mapping it changes.",
                      "Send the version that was read as If-Match.")
    if not request.if_match.contains(_version(_current(tx))):
        raise Refused(412, "moved", "The mapping was changed meanwhile, by somebody else or in another window.",
                      "Look at it as it is now; your changes are kept until you discard them.")


def _store(tx: Transaction, wanted: list[Settings], decided: list[dict[str, Any]]) -> None:
    """Keep mappings, and answers about their pairs. What is new or another one is looked at whole by the next run."""
    changed = mapping.changed_resources(_current(tx), wanted)
    links.set_mappings(tx, link().id, wanted)
    ids = {one.resource: one.id for one in links.mappings(tx, link().id)}
    by = visitor().by("in the widget")
    pairing.answer(tx, [pairing.Answer(ids[one["resource"]], one["row"], one["thing"], one["looks"], "", by)
                        for one in decided if one["resource"] in ids])
    inbox.note(tx, link().id, Side.LOCAL, [(name, "") for name in changed])
    inbox.note(tx, link().id, Side.REMOTE, [(name, "") for name in changed])

"""The HTTP API between widget and backend. A view loads, calls and answers; whoever asks was checked before.

Work is never done here: a POST queues a run, and the worker does it.
"""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, g, request
from flask_smorest import Blueprint

from backend import __version__
from backend.core.model import Side
from backend.store import apart, base, inbox, options, runs
from backend.store import waiting as waiting_store
from backend.store.links import Link
from backend.web import around, choices, own_hand, pairs, schemas, state, waiting
from backend.web.access import check, needed_role, needs
from backend.web.answers import answer, polled
from backend.web.errors import Refused
from backend.web.service import link, service, sight, visitor
from backend.web.values import Tables, tables

CHOICES_BYTES = 1_048_576
"""Choices carry the values they were made on, and a product's description may be long."""

bp = Blueprint("api", __name__, url_prefix="/api", description="Every request carries a Grist access token.")
bp.ARGUMENTS_PARSER = schemas.StrictParser()

LINK = f"/links/<int(max={schemas.LARGEST_ID}):link>"
RUN = f"{LINK}/runs/<int(max={schemas.LARGEST_ID}):run_id>"


@bp.url_value_preprocessor
def _take_link(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    g.link_id = values.pop("link", None) if values else None


@bp.before_request
def _gate() -> None:
    if request.method == "OPTIONS":
        return
    here = service()
    g.visitor = here.gate.visitor(here.database, here.server_url, request.headers.get("Authorization"))
    view = current_app.view_functions[request.endpoint or ""]
    check(g.visitor, g.link_id, needed_role(view, request.method))
    if request.endpoint == f"{bp.name}.{choose.__name__}":
        request.max_content_length = CHOICES_BYTES


@bp.get("/session")
@bp.response(200, description="Who asks, and the document's link")
def session() -> Response:
    """Who asks, and which store the document is joined to."""
    here, who = service(), visitor()
    body: dict[str, Any] = {"role": who.role, "document": who.document, "version": __version__,
                            "link": _link(who.link) if who.link else None}
    if who.link is not None and who.role != "owner":
        body["owners"] = list(here.owners.names(who.link))
    if who.link is None:
        copied = here.original(who)
        body["message"] = _why_no_link(here.trouble)
        body["before"] = who.former.store if who.former else None
        body["copy"] = {"store": copied.store, "configured": copied.configured} if copied else None
    return polled(body)


@bp.get(f"{LINK}/state")
@bp.response(200, description="Status, counts, the run going on, the last run, the tables")
def read_state() -> Response:
    """How the link is now. Polled."""
    here = service()
    with here.database.read() as tx:
        told = state.state(tx, link(), tables(tx, link().id, here.context.resources))
        told |= state.ahead(tx, link(), link().id in here.context.unattended(tx, [link().id]))
    if told["run"]:
        here.leave_access(link())
    return polled(told)


@bp.get(f"{LINK}/runs")
@bp.arguments(schemas.RunsAsked, location="query")
@bp.response(200, description="The newest runs that have ended")
def list_runs(asked: dict[str, Any]) -> Response:
    """Runs that have ended, the newest first."""
    with service().database.read() as tx:
        return polled({"runs": [state.ended(run) for run in runs.ended(tx, link().id, limit=asked["limit"])]})


@bp.post(f"{LINK}/runs")
@bp.arguments(schemas.RunWanted)
@bp.response(202, description="Queued: the run's id")
@needs("editor")
def start_run(wanted: dict[str, Any]) -> Response:
    """Queue a sync or a preview. Where a sync is queued already, that one answers; a preview has to wait for it."""
    kind = wanted["kind"]
    more: dict[str, Any] = {name: True for name in ("go_on", "everything") if wanted[name]}
    if wanted["preview"]:
        more["plan"] = _previewed(wanted["preview"])
    if wanted["row"]:
        _look_at(**wanted["row"])
    button = "Sync anyway" if "go_on" in more else "Sync button" if kind == "sync" else "Preview button"
    return answer({"id": service().start(link(), kind, visitor().by(button), more)}, 202)


def _look_at(resource: str, row: int) -> None:
    """The next run reads this row on both sides, whatever has changed. Raises Refused (404) where it is not synced."""
    here = service()
    with here.database.write() as tx:
        known = tables(tx, link().id, here.context.resources)
        mapping_id = known.mapping_id(resource)
        if mapping_id is None:
            raise Refused(404, "not_found", "This table is not synced with Shopify.", "Map it first.")
        inbox.note(tx, link().id, Side.LOCAL, [(resource, row)])
        things = [thing for _, thing in base.places(tx, mapping_id, [row], [])]
        inbox.note(tx, link().id, Side.REMOTE, [(resource, thing) for thing in things])


def _previewed(run_id: int) -> str:
    """The fingerprint of a preview of this link."""
    with service().database.read() as tx:
        run = runs.get(tx, run_id)
    if run is None or run.link_id != link().id or run.kind != "preview" or not (run.report or {}).get("fingerprint"):
        raise _no_such_run()
    return str((run.report or {})["fingerprint"])


@bp.post(f"{LINK}/undo")
@bp.arguments(schemas.UndoWanted)
@bp.response(202, description="Queued: the id of the run that undoes, or that only says what it would do")
@needs("editor")
def undo(wanted: dict[str, Any]) -> Response:
    """Take back lines of the history, or all lines of these syncs; with `preview`, only say what that would write."""
    here = service()
    with here.database.read() as tx:
        known = tables(tx, link().id, here.context.resources)
    if not sight(known).everything:
        raise Refused(403, "role", "Parts of this document are hidden from you, and an undo might write there.",
                      "Ask an owner of the document to undo it.")
    kind = "preview" if wanted.pop("preview") else "sync"
    return answer({"id": here.start(link(), kind, visitor().by("Undo button"), wanted)}, 202)


@bp.get(RUN)
@bp.response(200, description="The run with its report; a preview's report holds its plan")
def read_run(run_id: int) -> Response:
    """One run, with its report once it has ended."""
    here = service()
    with here.database.read() as tx:
        run = runs.get(tx, run_id)
        if run is None or run.link_id != link().id or (run.kind in runs.ASIDE and not visitor().may("owner")):
            raise _no_such_run()
        known = tables(tx, link().id, here.context.resources)
        known.learn(tx, state.plan_cells(run, known))
    told = state.report(run, known)
    if "plan" in told["report"]:
        told["report"]["plan"] = sight(known).of(told["report"]["plan"])
    if "pairing" in told["report"]:
        eyes = sight(known).everything
        told["report"]["pairing"] = pairs.in_report(told["report"]["pairing"], here.context.resources) if eyes else []
    return polled(told)


@bp.post(f"{RUN}/cancel")
@bp.response(202, description="It stops after the batch in hand")
@needs("editor")
def cancel_run(run_id: int) -> Response:
    """Stop a run after the batch in hand; what is written stays."""
    with service().database.write() as tx:
        run = runs.get(tx, run_id)
        if run is None or run.link_id != link().id:
            raise _no_such_run()
        if not runs.cancel(tx, link().id, run_id):
            raise Refused(409, "run_ended", "This sync has ended already.", "Nothing to do.")
    return answer({"id": run_id}, 202)


@bp.get(f"{LINK}/conflicts")
@bp.arguments(schemas.ConflictsAsked, location="query")
@bp.response(200, description="A page of open conflicts")
def list_conflicts(asked: dict[str, Any]) -> Response:
    """Open conflicts, a page at a time. Polled."""
    here = service()
    with here.database.read() as tx:
        known = tables(tx, link().id, here.context.resources)
        told = waiting.conflicts(tx, known, asked["after"], asked["limit"])
    return polled({**told, "conflicts": sight(known).of(told["conflicts"])})


@bp.post(f"{LINK}/choices")
@bp.arguments(schemas.ChoicesMade)
@bp.response(202, description="What became of each, and the run that applies them")
@needs("editor")
def choose(made: dict[str, Any]) -> Response:
    """Answer conflicts. Each answer is kept only if both sides still hold what it was made on."""
    here = service()
    with here.database.read() as tx:
        known = tables(tx, link().id, here.context.resources)
        open_now = waiting_store.conflicts_by_id(tx, known.ids, [one["conflict"] for one in made["choices"]])
        waiting.look_up(tx, known, list(open_now.values()))
    eyes, who, decimals = sight(known), visitor(), link().shop.get("decimals", 2)
    seen = {number: one for number, one in open_now.items() if eyes.conflict(one)}
    tried = {} if eyes.everything else own_hand.write(
        here.hand_of(who.document, who.token), known, seen, made["choices"], decimals)
    with here.database.write() as tx:
        known = tables(tx, link().id, here.context.resources)
        taken = choices.take(tx, known, made["choices"], decimals, who.by("in the widget"), lambda one: one.id in seen,
                             tried)
    run = here.start(link(), "sync", visitor().by("Apply button")) if taken.applied else None
    return answer({"applied": taken.applied, "apart": taken.apart, "moved": taken.moved, "invalid": taken.invalid,
                   "run": run}, 202)


@bp.get(f"{LINK}/apart")
@bp.arguments(schemas.ListAsked, location="query")
@bp.response(200, description="What is kept apart")
def list_apart(asked: dict[str, Any]) -> Response:
    """What somebody has taken out of the sync. Polled."""
    here = service()
    with here.database.read() as tx:
        known = tables(tx, link().id, here.context.resources)
        told = waiting.kept_apart(tx, known, asked["limit"])
    return polled({**told, "apart": sight(known).of(told["apart"])})


@bp.post(f"{LINK}/apart")
@bp.arguments(schemas.AskAgain)
@bp.response(202, description="The run that looks at them")
@needs("editor")
def ask_again(wanted: dict[str, Any]) -> Response:
    """Let these cells and rows take part again: a sync looks at them now, and asks where both sides differ."""
    here = service()
    with here.database.read() as tx:
        known = tables(tx, link().id, here.context.resources)
        told = waiting.kept_apart(tx, known, schemas.LARGEST_ID)["apart"]
    seen = {one["id"] for one in sight(known).of(told)}
    with here.database.write() as tx:
        found = apart.ask_again(tx, known.ids, sorted(seen.intersection(wanted["ask_again"])))
        hints = [(known.described[mapping_id].name, thing) for mapping_id, thing in found]
        inbox.note(tx, link().id, Side.REMOTE, hints)
    run = here.start(link(), "sync", visitor().by("Ask again")) if found else None
    return answer({"run": run}, 202)


@bp.get(f"{LINK}/refused")
@bp.arguments(schemas.ListAsked, location="query")
@bp.response(200, description="Rows that were left alone, with cause and cure")
def list_refused(asked: dict[str, Any]) -> Response:
    """Rows that Shopify or Grist did not take, or that wait. Polled."""
    here = service()
    with here.database.read() as tx:
        known = tables(tx, link().id, here.context.resources)
        told = waiting.refused(tx, known, asked["limit"])
    return polled({**told, "refused": sight(known).of(told["refused"])})


@bp.get(f"{LINK}/deletions")
@bp.arguments(schemas.ListAsked, location="query")
@bp.response(200, description="Deletions that wait for an answer")
def list_deletions(asked: dict[str, Any]) -> Response:
    """Deletions that wait for a yes. Polled."""
    here = service()
    with here.database.read() as tx:
        known = tables(tx, link().id, here.context.resources)
        told = waiting.deletions(tx, known, asked["limit"])
    return polled({**told, "deletions": sight(known).of(told["deletions"])})


@bp.get(f"{LINK}/deletions/along")
@bp.arguments(schemas.ListAsked, location="query")
@bp.response(200, description="What goes along with each deletion that waits, in numbers")
def list_along(asked: dict[str, Any]) -> Response:
    """What would go along with each deletion that waits, wait as well, or lose its reference."""
    here = service()
    with here.database.read() as tx:
        known = tables(tx, link().id, here.context.resources)
        told = around.along(tx, known, sight(known), asked["limit"])
    return polled(told)


@bp.get(f"{LINK}/row")
@bp.arguments(schemas.RowAsked, location="query")
@bp.response(200, description="How one row stands, and its mapped fields")
def show_row(asked: dict[str, Any]) -> Response:
    """How the row stands that is chosen in Grist, and its fields as Grist held them when both sides last agreed."""
    here = service()
    with here.database.read() as tx:
        known = tables(tx, link().id, here.context.resources)
        told = around.row(tx, known, sight(known), asked["resource"], asked["row"])
    if told is None:
        raise Refused(404, "no_such_row", "There is no such row here that is synced.", "Nothing to do.")
    return polled(told)


@bp.post(f"{LINK}/deletions")
@bp.arguments(schemas.DeletionsAnswered)
@bp.response(202, description="The run that deletes, where something was approved")
@needs("editor")
def answer_deletions(answered: dict[str, Any]) -> Response:
    """Approve exactly these deletions, keep these things where they are, or make again what is gone."""
    here = service()
    with here.database.read() as tx:
        known = tables(tx, link().id, here.context.resources)
        listed = waiting.deletions(tx, known, schemas.LARGEST_ID)["deletions"]
    seen = {one["id"]: one for one in sight(known).of(listed)}
    [(said, ids)] = answered.items()
    ids = [one for one in sorted(set(ids)) if one in seen and (said != "put_back" or seen[one]["may_put_back"])]
    by = visitor().by("in the widget")
    with here.database.write() as tx:
        if said == "put_back" and not waiting_store.put_back_with(tx, link().id, ids) <= seen.keys():
            raise Refused(403, "role",
                          "Rows that belong to it would be put back with it, and they are hidden from you.",
                          "Ask an owner of the document to put it back.")
        if said == "keep":
            waiting_store.keep_deletions(tx, link().id, ids)
            return answer({"run": None}, 202)
        take = waiting_store.approve_deletions if said == "approve" else waiting_store.put_back
        taken = take(tx, link().id, ids, by)
    button = "Delete button" if said == "approve" else "Put back button"
    run = here.start(link(), "sync", visitor().by(button)) if taken else None
    return answer({"run": run}, 202)


@bp.get(f"{LINK}/changes")
@bp.arguments(schemas.ChangesAsked, location="query")
@bp.response(200, description="A page of what was written")
def list_changes(asked: dict[str, Any]) -> Response:
    """What was written, the newest first. Polled."""
    here = service()
    with here.database.read() as tx:
        known = tables(tx, link().id, here.context.resources)
        told = waiting.changes(tx, known, asked["before"], asked["limit"], _row_asked(known, asked))
    return polled({**told, "changes": sight(known).of(told["changes"])})


def _row_asked(known: Tables, asked: dict[str, Any]) -> tuple[int, int] | None:
    """(mapping id, row) of the one row that is asked for; None where all are."""
    if asked["resource"] is None:
        return None
    mapping_id = known.mapping_id(asked["resource"])
    if mapping_id is None:
        raise Refused(404, "no_such_row", "There is no such row here that is synced.", "Nothing to do.")
    return mapping_id, asked["row"]


def _link(found: Link) -> dict[str, Any]:
    shop, chosen = found.shop, options.of(found)
    # Before the first sync nothing is known of the shop but its address.
    return {"id": found.id, "store": found.store,
            "shop": {"name": shop.get("name") or found.store, "currency": shop.get("currency"),
                     "timezone": shop.get("timezone")},
            "first_run": chosen.first_run, "language": chosen.language, "letters": chosen.letters}


def _why_no_link(trouble: Any) -> dict[str, str]:
    if trouble is not None:
        return {"message": trouble.message, "cure": trouble.cure}
    return {"message": "No store is connected to this document yet.",
            "cure": "An owner of the document connects one in the widget."}


def _no_such_run() -> Refused:
    return Refused(404, "not_found", "There is no such sync in this document.", "Reload the page in Grist.")

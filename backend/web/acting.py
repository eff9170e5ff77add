"""Actions on orders and drafts, as the widget asks for them: what may be done, what it would do, what became of it.

    POST actions/preview   rows (and an action)   → what may be done to each, and the effect in words
    POST actions           the same, with what was seen of each row → 202, the run that does it
    GET  actions                                   → what was done, the newest first
    POST actions/<id>      a person looked whether one of them happened

A preview asks Shopify two questions and writes nothing. What is done later is exactly what was shown: a thing that
moved since is left alone. Whoever sees only parts of the document cannot act: an order shows more than its row does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from backend.shopify.actions import ACTIONS, Action, Actor, Step, Thing, digest, lines_of, of_resource
from backend.store import actions
from backend.store.actions import Deed
from backend.web.access import needs, patience
from backend.web.answers import answer, moment, polled
from backend.web.api import LINK, bp
from backend.web.errors import Refused
from backend.web.schemas import LARGEST_ID, ListAsked, _id
from backend.web.service import link, service, sight, visitor
from backend.web.values import Tables, tables

if TYPE_CHECKING:
    from backend.shopify.connector import ShopifyConnector

ROWS_AT_ONCE = 50
LONGEST_TEXT = 5_000

Rows = list[tuple[int, str]]
"""(row, thing), in the order they were asked for."""


class _Line(Schema):
    line = fields.String(required=True, validate=validate.Length(1, 200))
    quantity = fields.Integer(required=True, strict=True, validate=validate.Range(1, LARGEST_ID))


class _Tracking(Schema):
    number = fields.String(validate=validate.Length(max=255))
    company = fields.String(validate=validate.Length(max=255))
    url = fields.Url(schemes={"http", "https"})


def _flag() -> fields.Boolean:
    return fields.Boolean(load_default=False, truthy={True}, falsy={False})


class _Options(Schema):
    lines = fields.List(fields.Nested(_Line), validate=validate.Length(1, 500))
    tracking = fields.Nested(_Tracking)
    notify = _flag()
    reason = fields.String(validate=validate.OneOf(["CUSTOMER", "DECLINED", "FRAUD", "INVENTORY", "OTHER", "STAFF"]))
    restock = _flag()
    refund = _flag()
    staff_note = fields.String(validate=validate.Length(max=255))
    subject = fields.String(validate=validate.Length(max=255))
    message = fields.String(validate=validate.Length(max=LONGEST_TEXT))


class ActionsPreviewed(Schema):
    resource = fields.String(required=True, validate=validate.OneOf(["orders", "draft_orders"]))
    rows = fields.List(_id(), required=True, validate=validate.Length(1, ROWS_AT_ONCE))
    action = fields.String(validate=validate.OneOf(list(ACTIONS)))
    options = fields.Nested(_Options, load_default=dict)

    @validates_schema
    def _fits(self, data: dict[str, Any], **_: Any) -> None:
        name = data.get("action")
        if name and ACTIONS[name].resource != data["resource"]:
            raise ValidationError("This cannot be done to these rows.", "action")
        if len(set(data["rows"])) < len(data["rows"]):
            raise ValidationError("A row is named twice.", "rows")
        if data["options"].get("lines") and len(data["rows"]) > 1:
            raise ValidationError("Lines are chosen of one order only.", "options")


class ActionsWanted(ActionsPreviewed):
    action = fields.String(required=True, validate=validate.OneOf(list(ACTIONS)))
    seen = fields.Dict(keys=fields.Integer(), values=fields.String(validate=validate.Length(1, 64)), required=True,
                       metadata={"description": "By row: `seen` of the preview that somebody said yes to."})


class Looked(Schema):
    happened = fields.Boolean(required=True, truthy={True}, falsy={False})


@bp.post(f"{LINK}/actions/preview")
@bp.arguments(ActionsPreviewed)
@bp.response(200, description="What may be done to each row, and what the action would do")
@needs("editor")
def preview_actions(wanted: dict[str, Any]) -> Response:
    """What may be done to these rows now; with `action`, its effect in words. Writes nothing."""
    known, mapping_id = _mapped(wanted["resource"])
    actor, rows, things = _look(known, mapping_id, wanted)
    told = [_told(actor, known, mapping_id, wanted, row, thing, things.get(thing)) for row, thing in rows]
    chosen = ACTIONS.get(wanted.get("action", ""))
    return answer({"rows": told, "final": chosen.final if chosen else ""})


@bp.post(f"{LINK}/actions")
@bp.arguments(ActionsWanted)
@bp.response(202, description="Queued: the run that does it")
@needs("editor")
def start_actions(wanted: dict[str, Any]) -> Response:
    """Do exactly what the preview showed, once. Where anything moved since, nothing of it is done (409)."""
    here, action = service(), ACTIONS[wanted["action"]]
    known, mapping_id = _mapped(wanted["resource"])
    actor, rows, things = _look(known, mapping_id, wanted)
    by, deeds = visitor().by(f"{action.label} button"), []
    for row, key in rows:
        thing = things.get(key)
        if thing is None or digest(thing) != wanted["seen"].get(row):
            raise Refused(409, "moved", "Something changed in Shopify since you looked. Nothing was done.",
                          "Look at it again, and confirm once more if it is still meant.")
        for step in _steps(actor, action, thing, wanted["options"]):
            deeds.append({"mapping_id": mapping_id, "name": action.name, "thing": key, "title": str(thing["name"]),
                          "local_key": row, "input": step.variables, "before": step.before,
                          "effect": list(step.effect), "digest": step.digest, "started_by": by})
    with here.database.write() as tx:
        busy = {deed.thing for deed in actions.page(tx, link().id) if deed.state in ("wanted", "sent", "open", "maybe")}
        for deed in deeds:
            if deed["thing"] in busy:
                raise Refused(409, "unsettled", f"Something that was done to {deed['title']} before is not settled "
                              "yet. Nothing was done.", "See below what became of it, then look again.")
        actions.want(tx, deeds)
    return answer({"id": here.start(link(), "action", by)}, 202)


@bp.get(f"{LINK}/actions")
@bp.arguments(ListAsked, location="query")
@bp.response(200, description="What was done to orders and drafts, what nobody is sure of first")
def list_actions(asked: dict[str, Any]) -> Response:
    """What was done, and what became of it. Polled."""
    here = service()
    with here.database.read() as tx:
        known = tables(tx, link().id, here.context.resources)
        page = [deed for deed in actions.page(tx, link().id, limit=asked["limit"])
                if deed.mapping_id in known.described]
        unsure = actions.count_maybe(tx, link().id)
    told = [_deed(known, deed) for deed in page]
    return polled({"actions": told if sight(known).everything else [], "maybe": unsure})


@bp.post(f"{LINK}/actions/<int(max={LARGEST_ID}):number>")
@bp.arguments(Looked)
@bp.response(202, description="Kept")
@needs("editor")
def settle_action(looked: dict[str, Any], number: int) -> Response:
    """Say whether one that may have happened did. It is never done again by this."""
    with service().database.write() as tx:
        if not actions.say(tx, link().id, number, happened=looked["happened"], by=visitor().by("in the widget")):
            raise Refused(404, "not_found", "There is no such action that waits for an answer.", "Reload the page.")
    return answer({"id": number}, 202)


# --- how they look --------------------------------------------------------------------------------


def _mapped(resource: str) -> tuple[Tables, int]:
    """The tables and the mapping of a resource. Raises Refused where it is not mapped or parts of it are hidden."""
    here = service()
    with here.database.read() as tx:
        known = tables(tx, link().id, here.context.resources)
    mapping_id = known.mapping_id(resource)
    if mapping_id is None:
        raise Refused(404, "not_found", "This table is not synced with Shopify.", "Map it first.")
    if not sight(known).everything:
        raise Refused(403, "role", "Parts of this document are hidden from you, and an order shows more than its row.",
                      "Ask an owner of the document to do it.")
    return known, mapping_id


def _look(known: Tables, mapping_id: int, wanted: dict[str, Any]) -> tuple[Actor, Rows, dict[str, Thing]]:
    here = service()
    with here.database.read() as tx:
        paired = actions.things(tx, mapping_id, wanted["rows"])
    rows = [(row, paired[row]) for row in wanted["rows"] if row in paired]
    if len(rows) < len(wanted["rows"]):
        raise Refused(409, "not_synced", "Not every chosen row is in Shopify yet.", "Sync first, then choose again.")
    actor = _connector().acting()
    return actor, rows, actor.look(wanted["resource"], [thing for _, thing in rows])


def _connector() -> ShopifyConnector:
    """The store, asked by a page that waits: it gives up soon."""
    connector = service().context.shopify(link())
    connector.hurry(patience())
    return connector


def _told(actor: Actor, known: Tables, mapping_id: int, wanted: dict[str, Any], row: int, key: str,
          thing: Thing | None) -> dict[str, Any]:
    """One row: what may be done to it and why not, its lines, and the effect of the chosen action."""
    head = {**known.head(mapping_id), "row": row}
    if thing is None:
        return {**head, "title": "", "seen": "", "may": [], "lines": [], "effect": [],
                "why": "It is no longer in Shopify."}
    may = []
    for action in of_resource(wanted["resource"]):
        lacking = actor.lacks(action)
        why = f"The app lacks the access scope {lacking}." if lacking else action.bars(thing)
        may.append({"action": action.name, "label": action.label, "may": not why, "why": why, "final": action.final})
    lines = [{name: line[name] for name in ("line", "name", "sku", "remaining", "place")} for line in lines_of(thing)] \
        if wanted["resource"] == "orders" else []
    told = {**head, "title": str(thing["name"]), "seen": digest(thing), "may": may, "lines": lines, "effect": [],
            "why": ""}
    chosen = ACTIONS.get(wanted.get("action", ""))
    if chosen is not None:
        try:
            steps = _steps(actor, chosen, thing, wanted["options"])
            told["effect"] = [words for step in steps for words in step.effect]
        except Refused as refused:
            told["why"] = refused.message
    return told


def _steps(actor: Actor, action: Action, thing: Thing, options: dict[str, Any]) -> list[Step]:
    """Raises Refused, in words, where the action may not be done like this."""
    lacking = actor.lacks(action)
    bar = f"The app lacks the access scope {lacking}." if lacking else action.bars(thing)
    if bar:
        raise Refused(409, "barred", bar, "Nothing was done.")
    try:
        return action.steps(thing, options)
    except ValueError as error:
        raise Refused(422, "options", str(error), "Look at the lines again, and choose once more.") from error


def _deed(known: Tables, deed: Deed) -> dict[str, Any]:
    return {"id": deed.id, **known.head(deed.mapping_id), "row": deed.local_key, "title": deed.title,
            "action": deed.name, "label": ACTIONS[deed.name].label, "effect": deed.effect, "state": deed.state,
            "message": deed.message, "cure": deed.cure, "by": deed.started_by, "asked_at": moment(deed.asked_at),
            "ended_at": moment(deed.ended_at), "run": deed.run_id}

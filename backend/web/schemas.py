"""What requests may say. Checked here, at the door; whatever passes fits the database and the clock."""

from __future__ import annotations

from typing import Any

import flask
import orjson
from flask_smorest.arguments import FlaskParser
from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from backend.store.options import NOTICES

LARGEST_ID = 2_147_483_647
MOST_AT_ONCE = 1_000
MOST_LISTED = 5_000
"""Lines of one list, where somebody wants to see all of it."""
LARGEST_DRAFT_BYTES = 16_384


class StrictParser(FlaskParser):  # type: ignore[misc]
    """Reads JSON as the standard says: no NaN, no half characters, no numbers of a million digits."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "query": RAISE}  # noqa: RUF012

    def _raw_load_json(self, req: flask.Request) -> Any:
        if not req.is_json:
            flask.abort(415)
        try:
            return orjson.loads(req.get_data(cache=True))
        except orjson.JSONDecodeError:
            flask.abort(400)


def _id(**more: Any) -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(1, LARGEST_ID), **more)


def _limit(usual: int) -> fields.Integer:
    return fields.Integer(load_default=usual, validate=validate.Range(1, MOST_AT_ONCE))


class RunsAsked(Schema):
    limit = _limit(20)


class ListAsked(Schema):
    limit = fields.Integer(load_default=200, validate=validate.Range(1, MOST_LISTED))


class ConflictsAsked(Schema):
    limit = _limit(200)
    after = fields.Integer(load_default=0, validate=validate.Range(0, LARGEST_ID))


class ChangesAsked(Schema):
    limit = _limit(100)
    before = fields.Integer(load_default=None, validate=validate.Range(1, LARGEST_ID))
    resource = fields.String(load_default=None, validate=validate.Length(1, 100), metadata={
        "description": "Together with `row`: only what was written to that row."})
    row = fields.Integer(load_default=None, validate=validate.Range(1, LARGEST_ID))

    @validates_schema
    def _both(self, data: dict[str, Any], **_: Any) -> None:
        if (data["resource"] is None) != (data["row"] is None):
            raise ValidationError("Say the resource and the row, or neither.", "row")


class RowWanted(Schema):
    resource = fields.String(required=True, validate=validate.Length(1, 100))
    row = _id(required=True)


class RowAsked(Schema):
    resource = fields.String(required=True, validate=validate.Length(1, 100))
    row = fields.Integer(required=True, validate=validate.Range(1, LARGEST_ID))


class RunWanted(Schema):
    kind = fields.String(required=True, validate=validate.OneOf(["sync", "preview"]))
    go_on = fields.Boolean(load_default=False, truthy={True}, falsy={False}, metadata={
        "description": "Somebody has looked at what a brake stopped: this one sync goes on."})
    everything = fields.Boolean(load_default=False, truthy={True}, falsy={False}, metadata={
        "description": "Read everything again, not only what changed."})
    preview = _id(load_default=None, allow_none=True, metadata={
        "description": "A preview that has ended: the sync does exactly that, or nothing where something moved."})
    row = fields.Nested(RowWanted, load_default=None, allow_none=True, metadata={
        "description": "A row that the sync reads on both sides in any case, besides what changed."})

    @validates_schema
    def _only_a_sync_goes_on(self, data: dict[str, Any], **_: Any) -> None:
        for name in ("go_on", "preview", "row"):
            if data[name] and data["kind"] != "sync":
                raise ValidationError("Only a sync can do that.", name)


class UndoWanted(Schema):
    """Lines of the history by id, or all lines of these runs."""

    changes = fields.List(_id(), validate=validate.Length(1, MOST_AT_ONCE))
    runs = fields.List(_id(), validate=validate.Length(1, MOST_AT_ONCE))
    preview = fields.Boolean(load_default=False, truthy={True}, falsy={False}, metadata={
        "description": "Only say what would be written and what would stay."})

    @validates_schema
    def _one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        if ("changes" in data) == ("runs" in data):
            raise ValidationError("Say either which changes or which syncs to undo.")


class _Seen(Schema):
    grist = fields.Raw(required=True, allow_none=True)
    shopify = fields.Raw(required=True, allow_none=True)


class _Choice(Schema):
    conflict = _id(required=True)
    keep = fields.String(required=True, validate=validate.OneOf(
        ["grist", "shopify", "base", "value", "merge", "apart"]))
    value = fields.Raw(allow_none=True)
    seen = fields.Nested(_Seen, required=True)

    @validates_schema
    def _has_value(self, data: dict[str, Any], **_: Any) -> None:
        if data["keep"] == "value" and "value" not in data:
            raise ValidationError("A typed value is missing.", "value")


class ChoicesMade(Schema):
    choices = fields.List(fields.Nested(_Choice), required=True, validate=validate.Length(1, MOST_AT_ONCE))

    @validates_schema
    def _once_each(self, data: dict[str, Any], **_: Any) -> None:
        ids = [one["conflict"] for one in data["choices"]]
        if len(set(ids)) < len(ids):
            raise ValidationError("A conflict is answered twice.", "choices")


class DeletionsAnswered(Schema):
    approve = fields.List(_id(), validate=validate.Length(1, MOST_AT_ONCE))
    keep = fields.List(_id(), validate=validate.Length(1, MOST_AT_ONCE))
    put_back = fields.List(_id(), validate=validate.Length(1, MOST_AT_ONCE))

    @validates_schema
    def _one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        if len(data) != 1:
            raise ValidationError("Say either which deletions to approve, which to keep or what to put back.")


class AskAgain(Schema):
    """What is kept apart, by its ids: from now on it takes part in the sync again."""

    ask_again = fields.List(_id(), required=True, validate=validate.Length(1, MOST_AT_ONCE))


class _Decided(Schema):
    """What somebody said of one row that they saw in a preview: the thing that it is, "new" for a new row where another
    one was, or null for kept apart."""

    resource = fields.String(required=True, validate=validate.Length(1, 100))
    row = _id(required=True)
    thing = fields.String(required=True, allow_none=True, validate=validate.Length(1, 300))
    looks = fields.String(required=True, validate=validate.Length(1, 64))


class MappingsSaid(Schema):
    """Mappings as in `sync.yaml`; what is wrong is told by path. `decided` are answers to a preview's doubles."""

    mappings = fields.List(fields.Dict(), required=True, validate=validate.Length(1, 100))
    decided = fields.List(fields.Nested(_Decided), load_default=list, validate=validate.Length(max=MOST_AT_ONCE))


class LookWanted(Schema):
    """Without a resource: everything. With one: how many things its filter leaves."""

    resource = fields.String(validate=validate.Length(1, 100))
    filter = fields.String(load_default="", validate=validate.Length(max=1_000))


class _PairAnswer(Schema):
    question = _id(required=True)
    rows = fields.Dict(required=True, keys=fields.String(validate=validate.Regexp(r"^[1-9]\d{0,9}$")),
                       values=fields.String(allow_none=True, validate=validate.Length(1, 300)),
                       validate=validate.Length(min=1, max=MOST_AT_ONCE))


class _Apart(Schema):
    resource = fields.String(required=True, validate=validate.Length(1, 100))
    row = _id(required=True)


class PairsAnswered(Schema):
    """Answers to questions, by row: the thing that it is, "new" where a Shopify ID was emptied and the row is a new one
    where another one was, or null for kept apart; or rows to be asked about again."""

    answers = fields.List(fields.Nested(_PairAnswer), load_default=list, validate=validate.Length(max=MOST_AT_ONCE))
    ask_again = fields.List(fields.Nested(_Apart), load_default=list, validate=validate.Length(max=MOST_AT_ONCE))

    @validates_schema
    def _says_something(self, data: dict[str, Any], **_: Any) -> None:
        if not data["answers"] and not data["ask_again"]:
            raise ValidationError("Say at least one answer.")


class ImportAsked(Schema):
    preview = fields.Boolean(load_default=False, metadata={"description": "Only say what would change."})


class NewStoreKey(Schema):
    """A store's key: client id and secret of an app, or an Admin token."""

    store = fields.String(validate=validate.Length(1, 300))
    client_id = fields.String(validate=validate.Length(1, 200))
    client_secret = fields.String(validate=validate.Length(1, 500), metadata={"format": "password"})
    token = fields.String(validate=validate.Length(1, 500), metadata={"format": "password"})

    @validates_schema
    def _one_way(self, data: dict[str, Any], **_: Any) -> None:
        if ("token" in data) == ("client_id" in data) or ("client_id" in data) != ("client_secret" in data):
            raise ValidationError("Send either client_id and client_secret, or token.")


class StoreKey(NewStoreKey):
    store = fields.String(required=True, validate=validate.Length(1, 300))


class GristKey(Schema):
    key = fields.String(required=True, metadata={"format": "password"}, validate=validate.Regexp(
        r"\s*[\x21-\x7e]{8,200}\s*\Z", error="This is no API key."))


class NotifyUrl(Schema):
    url = fields.String(required=True, validate=validate.Length(1, 2000), metadata={"format": "password"})


class KeyWanted(Schema):
    name = fields.String(required=True, validate=[
        validate.Length(1, 60), validate.Regexp(r"\s*[^\s\x00-\x1f][^\x00-\x1f]*\Z", error="The key needs a name.")])


def _bool() -> fields.Boolean:
    return fields.Boolean(truthy={True}, falsy={False})


def _share() -> fields.Float:
    return fields.Float(validate=validate.Range(0.01, 1))


class _Quiet(Schema):
    from_ = fields.String(required=True, data_key="from", attribute="from", validate=validate.Regexp(
        r"([01][0-9]|2[0-3]):[0-5][0-9]\Z", error="Write a time of the day, 22:00 for example."))
    to = fields.String(required=True, validate=validate.Regexp(
        r"([01][0-9]|2[0-3]):[0-5][0-9]\Z", error="Write a time of the day, 06:00 for example."))


class _Brakes(Schema):
    deletions = fields.Integer(strict=True, validate=validate.Range(0, 1_000_000))
    deletions_share = _share()
    changed_share = _share()


class _FirstRun(Schema):
    step = fields.String(required=True, validate=validate.OneOf(["resources", "tables", "preview"]))
    draft = fields.Dict(keys=fields.String())

    @validates_schema
    def _bounded(self, data: dict[str, Any], **_: Any) -> None:
        if len(orjson.dumps(data.get("draft", {}))) > LARGEST_DRAFT_BYTES:
            raise ValidationError("This draft is too long.", "draft")


class SettingsWanted(Schema):
    """Some of a link's settings; null for a timer, quiet hours or the first run that are to end."""

    interval_seconds = fields.Integer(strict=True, allow_none=True, validate=validate.Range(5, 30 * 86_400))
    paused = _bool()
    quiet = fields.Nested(_Quiet, allow_none=True)
    realtime = _bool()
    settle_seconds = fields.Float(validate=validate.Range(0, 60))
    brakes = fields.Nested(_Brakes)
    rest_seconds = fields.Float(validate=validate.Range(0, 86_400))
    audit_hours = fields.Float(validate=validate.Range(1, 24 * 30))
    history_days = fields.Integer(strict=True, validate=validate.Range(1, 3_650))
    mails = fields.List(fields.String(validate=validate.Regexp(
        r"[^\s@,;<>\x00-\x1f]{1,64}@[^\s@,;<>\x00-\x1f]{3,190}\Z", error="This is no mail address.")),
        validate=validate.Length(0, 10))
    notices = fields.List(fields.String(validate=validate.OneOf(NOTICES)), validate=validate.Length(0, 10))
    language = fields.String(validate=validate.Regexp(r"([a-z]{2})?\Z", error="Write two letters, de for example."))
    letters = _bool()
    sync_log = _bool()
    status_column = _bool()
    grist_calls_a_day = fields.Integer(strict=True, allow_none=True, validate=validate.Range(100, 10_000_000))
    first_run = fields.Nested(_FirstRun, allow_none=True)


class Error(Schema):
    """The shape of every answer from 400 on."""

    code = fields.String(required=True)
    message = fields.String(required=True, metadata={"description": "What happened, to which thing."})
    cure = fields.String(required=True, metadata={"description": "What to do; may be empty."})
    details = fields.Dict(required=True)

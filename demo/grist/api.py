"""The REST endpoints of one document: `/api/docs/{doc}/…`, with Grist's bodies, statuses and words.

Facts: the recordings in tests/fixtures/grist. A refusal of the data engine comes out in two ways, as in Grist: raw
with status 500 from `apply`, and reworded with 400 or 404 from the endpoints for records, columns and tables.
"""
from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn

from flask import Blueprint, Request, Response, g, request

from demo.grist import rules, sql
from demo.grist.access import Refused, require
from demo.grist.cells import is_error, typed
from demo.grist.document import Applied, Document
from demo.grist.history import UnknownState
from demo.grist.payloads import checked_list, yes
from demo.grist.reading import Columns, order_of, read_table
from demo.grist.replies import answer
from demo.grist.schema import is_metadata, is_visible
from demo.grist.service import Grist
from demo.grist.summary import SAMPLE_ROWS
from demo.grist.tables import SandboxError

Json = Any


def document_blueprint(grist: Grist) -> Blueprint:
    """The endpoints of a document. `g.document` and `g.caller` are set before they run (see `app`)."""
    bp = Blueprint("document", __name__, url_prefix="/api/docs/<doc_id>")

    @bp.url_value_preprocessor
    def _drop_doc_id(_endpoint: str | None, values: dict[str, Any] | None) -> None:
        if values:
            values.pop("doc_id", None)

    _rows(bp)
    _columns(bp)
    _tables(bp)
    _bundles_and_states(bp)
    _webhooks(bp, grist)
    return bp


def _rows(bp: Blueprint) -> None:
    @bp.get("/tables/<table_id>/data")
    def data(table_id: str) -> Response:
        rows, columns = _read(table_id, _query_filter(request), request.args)
        return answer({"id": rows, **{name: cells for name, (_, cells) in columns.items()}})

    @bp.get("/tables/<table_id>/records")
    def records(table_id: str) -> Response:
        return answer({"records": _records(table_id, _query_filter(request), request.args)})

    @bp.post("/tables/<table_id>/records/list")
    def listed_records(table_id: str) -> Response:
        body = _body()
        return answer({"records": _records(table_id, body.get("filter") or {}, body)})

    @bp.post("/tables/<table_id>/records")
    def add_records(table_id: str) -> Response:
        listed = checked_list(_body(), "NewRecord", ())
        values = _by_column(listed)
        applied = _write(table_id, values, [["BulkAddRecord", table_id, [None] * len(listed), values]])
        return answer({"records": [{"id": row} for row in applied.values[0]]})

    @bp.patch("/tables/<table_id>/records")
    def change_records(table_id: str) -> Response:
        listed = checked_list(_body(), "Record", ("id", "fields"))
        if any(set(record["fields"]) != set(listed[0]["fields"]) for record in listed):
            raise Refused(400, "PATCH requires all records to have same fields")
        values = _by_column(listed)
        _write(table_id, values, [["BulkUpdateRecord", table_id, [record["id"] for record in listed], values]])
        return answer(None)

    @bp.put("/tables/<table_id>/records")
    def put_records(table_id: str) -> Response:
        listed = checked_list(_body(), "AddOrUpdateRecord", ("require",))
        return answer(_put_records(table_id, listed))

    @bp.post("/tables/<table_id>/records/delete")
    @bp.post("/tables/<table_id>/data/delete")
    def remove_records(table_id: str) -> Response:
        _write(table_id, (), [["BulkRemoveRecord", table_id, _body_list()]])
        return answer(None)

    @bp.post("/tables/<table_id>/data")
    def add_data(table_id: str) -> Response:
        values = _body()
        count = len(next(iter(values.values()), []))
        return answer(_write(table_id, values, [["BulkAddRecord", table_id, [None] * count, values]]).values[0])

    @bp.patch("/tables/<table_id>/data")
    def change_data(table_id: str) -> Response:
        values = _body()
        rows = values.pop("id", [])
        _write(table_id, values, [["BulkUpdateRecord", table_id, rows, values]])
        return answer(None)


def _columns(bp: Blueprint) -> None:
    @bp.get("/tables/<table_id>/columns")
    def columns(table_id: str) -> Response:
        document = _reader()
        _known_table(document, table_id)
        unseen = rules.hidden(document, table_id, g.caller.user)
        listed = document.columns(table_id, hidden=yes(request.args.get("hidden")))
        return answer({"columns": [column for column in listed if column["id"] not in unseen.columns]})

    @bp.post("/tables/<table_id>/columns")
    def add_columns(table_id: str) -> Response:
        _known_table(_writer(), table_id)
        listed = _checked_list("columns", "NewColumn")
        applied = _apply_reworded(table_id, (), [["AddVisibleColumn", table_id, column.get("id"),
                                                  column.get("fields") or {}] for column in listed])
        return answer({"columns": [{"id": added["colId"]} for added in applied.values]})

    @bp.patch("/tables/<table_id>/columns")
    def change_columns(table_id: str) -> Response:
        document = _writer()
        _known_table(document, table_id)
        refs = _column_refs(document, table_id)
        actions = []
        for column in _checked_list("columns", "Record"):
            if column.get("id") not in refs:
                raise Refused(404, f'Column not found "{column.get("id")}"')
            actions.append(["UpdateRecord", "_grist_Tables_column", refs[column["id"]], column.get("fields") or {}])
        _apply_reworded("_grist_Tables_column", (), _together(actions))
        return answer(None)

    @bp.put("/tables/<table_id>/columns")
    def put_columns(table_id: str) -> Response:
        document = _writer()
        _known_table(document, table_id)
        refs = _column_refs(document, table_id)
        listed = _checked_list("columns", "RecordWithStringId")
        changes = [["UpdateRecord", "_grist_Tables_column", refs[column["id"]], column.get("fields") or {}]
                   for column in listed if column["id"] in refs]
        additions = [["AddVisibleColumn", table_id, column["id"], column.get("fields") or {}]
                     for column in listed if column["id"] not in refs]
        actions = [*([] if yes(request.args.get("noupdate")) else changes),
                   *([] if yes(request.args.get("noadd")) else additions)]
        if yes(request.args.get("replaceall")):
            kept = {column["id"] for column in listed}
            shown = [column["id"] for column in document.columns(table_id)]
            actions.append(["BulkRemoveRecord", "_grist_Tables_column",
                            [refs[col_id] for col_id in shown if col_id not in kept]])
        _apply_reworded(table_id, (), actions)
        return answer(None)

    @bp.delete("/tables/<table_id>/columns/<col_id>")
    def remove_column(table_id: str, col_id: str) -> Response:
        _writer()
        _apply_reworded(table_id, (col_id,), [["RemoveColumn", table_id, col_id]])
        return answer(None)


def _tables(bp: Blueprint) -> None:
    @bp.get("/tables")
    def tables() -> Response:
        document = _reader()
        metadata = document.tables["_grist_Tables"]
        listed = []
        for row in metadata.row_ids:
            fields = metadata.row(row)
            table_id = fields.pop("tableId")
            if not rules.hidden(document, table_id, g.caller.user).everything:
                listed.append({"id": table_id, "fields": {"tableRef": fields.pop("id"), **fields}})
        return answer({"tables": listed})

    @bp.post("/tables")
    def add_tables() -> Response:
        _writer()
        actions = [["AddTable", table.get("id"), [{**(column.get("fields") or {}), "id": column.get("id")}
                                                  for column in table.get("columns") or []]]
                   for table in _checked_list("tables", "TablePost", ("columns",))]
        applied = _apply(actions)
        return answer({"tables": [{"id": added["table_id"]} for added in applied.values]})

    @bp.patch("/tables")
    def change_tables() -> Response:
        document = _writer()
        actions = []
        for table in _checked_list("tables", "RecordWithStringId"):
            ref = document.table_ref(table.get("id") or "")
            if ref is None:
                raise Refused(404, f'Table not found "{table.get("id")}"')
            actions.append(["UpdateRecord", "_grist_Tables", ref, table.get("fields") or {}])
        _apply_reworded("_grist_Tables", (), _together(actions))
        return answer(None)


def _bundles_and_states(bp: Blueprint) -> None:
    @bp.post("/apply")
    def apply() -> Response:
        _writer()
        actions = request.get_json(silent=True)
        if not isinstance(actions, list):
            raise Refused(400, "Invalid payload", details={"userError": "Error: body is not an array"})
        return answer(_apply(actions, parse_text=not yes(request.args.get("noparse"))).answer())

    @bp.get("/states")
    def states() -> Response:
        return answer({"states": _reader().history.states()})

    @bp.post("/states/remove")
    def remove_states() -> Response:
        document = _reader()
        require(g.caller, "owner")
        keep = _body().get("keep")
        if not isinstance(keep, int) or isinstance(keep, bool) or keep < 1:
            raise Refused(400, "keep parameter should be an integer: " + json.dumps(keep))
        document.history.trim(keep)
        return answer(None)

    @bp.get("/compare")
    def compare() -> Response:
        document = _reader()
        _refuse_partial_readers(document, "insufficient access")
        try:
            compared = document.history.compare(request.args.get("left", "HEAD"), request.args.get("right", "HEAD"),
                                                _max_rows(request.args.get("maxRows")))
        except (UnknownState, ValueError) as error:
            raise Refused(500, str(error)) from error
        return answer(compared)

    @bp.get("/sql")
    def ask() -> Response:
        return _ask(request.args.get("q") or "", [])

    @bp.post("/sql")
    def ask_with_arguments() -> Response:
        body = _body()
        if not isinstance(body.get("sql"), str):
            raise Refused(400, "Invalid payload", details={"userError": "Error: body.sql is missing"})
        return _ask(body["sql"], body.get("args") or [])


def _ask(statement: str, arguments: list[Any]) -> Response:
    document = _reader()
    _refuse_partial_readers(document, "insufficient document access")
    return answer(sql.select(document, statement, arguments))


def _webhooks(bp: Blueprint, grist: Grist) -> None:
    @bp.get("/webhooks")
    def webhooks() -> Response:
        require(g.caller, "owner")
        return answer({"webhooks": grist.webhooks(g.document).listed()})

    @bp.post("/webhooks")
    def add_webhooks() -> Response:
        require(g.caller, "owner")
        listed = _checked_list("webhooks", "Webhook", ("fields",))
        made = [{"id": grist.webhooks(g.document).create(hook["fields"])} for hook in listed]
        g.modified = True
        return answer({"webhooks": made})

    @bp.patch("/webhooks/<hook_id>")
    def change_webhook(hook_id: str) -> Response:
        require(g.caller, "owner")
        grist.webhooks(g.document).update(hook_id, _body())
        g.modified = True
        return answer({"success": True})

    @bp.delete("/webhooks/queue")
    def clear_queue() -> Response:
        require(g.caller, "owner")
        grist.webhooks(g.document).clear_queue()
        return answer({"success": True})

    @bp.delete("/webhooks/<hook_id>")
    def remove_webhook(hook_id: str) -> Response:
        require(g.caller, "owner")
        grist.webhooks(g.document).delete(hook_id)
        g.modified = True
        return answer({"success": True})


# Reading

def _read(table_id: str, wanted: dict[str, Any], options: Any) -> tuple[list[int], Columns]:
    document = _reader()
    if any(not isinstance(values, list) for values in wanted.values()):
        raise Refused(400, "Invalid query: filter values must be arrays")
    try:
        rows, columns = read_table(document, g.caller, table_id, wanted)
    except SandboxError as error:
        _reword(error, table_id, ())
    order = order_of(rows, columns, options.get("sort") or request.headers.get("X-Sort"))
    limit = options.get("limit") or request.headers.get("X-Limit")
    if limit:
        order = (order if order is not None else list(range(len(rows))))[:int(limit)]
    if order is not None:
        rows = [rows[index] for index in order]
        columns = {name: (kind, [cells[index] for index in order]) for name, (kind, cells) in columns.items()}
    if options.get("cellFormat") == "typed":
        columns = {name: (kind, [typed(cell, kind) for cell in cells]) for name, (kind, cells) in columns.items()}
    return rows, columns


def _records(table_id: str, wanted: dict[str, Any], options: Any) -> list[dict[str, Any]]:
    rows, columns = _read(table_id, wanted, options)
    hidden, is_typed = yes(options.get("hidden")), options.get("cellFormat") == "typed"
    shown = {name: cells for name, (_, cells) in columns.items() if hidden or is_visible(name)}
    records = []
    for index, row in enumerate(rows):
        fields = {name: cells[index] for name, cells in shown.items()}
        record: dict[str, Any] = {"id": row, "fields": fields}
        if not is_typed:
            errors = {name: cell[1] for name, cell in fields.items() if is_error(cell)}
            if errors:
                fields.update(dict.fromkeys(errors))
                record["errors"] = errors
        records.append(record)
    return records


def _query_filter(req: Request) -> dict[str, Any]:
    text = req.args.get("filter")
    if not text:
        return {}
    try:
        wanted = json.loads(text)
    except ValueError as error:
        raise Refused(500, f"Unexpected token in JSON: {error}") from error
    return wanted if isinstance(wanted, dict) else {}


# Writing

def _put_records(table_id: str, listed: list[dict[str, Any]]) -> dict[str, Any]:
    """Upsert in groups of equal columns, since one action cannot leave a cell of some rows alone."""
    options = {"add": not yes(request.args.get("noadd")), "update": not yes(request.args.get("noupdate")),
               "on_many": request.args.get("onmany", "first"),
               "allow_empty_require": yes(request.args.get("allow_empty_require"))}
    groups: dict[str, list[int]] = {}
    for index, record in enumerate(listed):
        key = ",".join(sorted(record["require"])) + ":" + ",".join(sorted(record.get("fields") or {}))
        groups.setdefault(key, []).append(index)
    ordered = [groups[key] for key in sorted(groups)]
    actions = []
    for indexes in ordered:
        first = listed[indexes[0]]
        actions.append(["BulkAddOrUpdateRecord", table_id,
                        {key: [listed[index]["require"].get(key) for index in indexes]
                         for key in sorted(first["require"])},
                        {key: [listed[index]["fields"].get(key) for index in indexes]
                         for key in sorted(first.get("fields") or {})}, options])
    named = {key for record in listed for key in [*record["require"], *(record.get("fields") or {})]}
    applied = _write(table_id, named, actions)
    result: dict[str, list[Any]] = {"recordIds": [[] for _ in listed], "addRecordIds": [], "updateRecordIds": []}
    for indexes, found in zip(ordered, applied.values, strict=True):
        for index, rows in zip(indexes, found["recordIds"], strict=True):
            result["recordIds"][index] = rows
        result["addRecordIds"].extend(found["addRecordIds"])
        result["updateRecordIds"].extend(found["updateRecordIds"])
    return result


def _write(table_id: str, named: Iterable[str], actions: list[Json]) -> Applied:
    _writer()
    return _apply_reworded(table_id, named, actions, parse_text=not yes(request.args.get("noparse")))


def _apply(actions: list[Json], *, parse_text: bool = False) -> Applied:
    document: Document = g.document
    if not g.caller.may("owner") and any(
            isinstance(action, list) and len(action) > 1 and str(action[1]).startswith("_grist_ACL")
            for action in actions):
        raise Refused(403, "Only owners can modify access rules")
    if any(isinstance(action, list) and _builds(action) for action in actions) and rules.denies_structure(
            document, g.caller.user):
        raise Refused(403, "Blocked by full structure access rules", details={"memos": []})
    applied = document.apply(actions, user=g.caller.name, parse_text=parse_text, user_info=g.caller.user)
    g.modified = applied.modified
    return applied


def _builds(action: list[Any]) -> bool:
    """Whether a user action changes tables or columns."""
    return len(action) > 1 and (str(action[0]).endswith(("Column", "Table")) or action[1] == "_grist_Tables_column")


def _apply_reworded(table_id: str, named: Iterable[str], actions: list[Json], *, parse_text: bool = False) -> Applied:
    try:
        return _apply(actions, parse_text=parse_text)
    except SandboxError as error:
        _reword(error, table_id, named)


def _reword(error: SandboxError, table_id: str, named: Iterable[str]) -> NoReturn:
    """A refusal of the data engine as the endpoints for records and columns tell it."""
    message, named = str(error), set(named)
    if row := re.search(r"non-existent record #(\d+)", message):
        raise Refused(400, f"Invalid row id {row[1]}")
    if missing := re.search(r"(?:KeyError '|No such table: |No such column: )([\w.]+)", message):
        name = missing[1]
        if name == table_id:
            raise Refused(404, f'Table not found "{table_id}"')
        if name in named:
            raise Refused(400, f'Invalid column "{name}"')
        if name.removeprefix(f"{table_id}.") in named:
            raise Refused(404, f'Table or column not found "{name}"')
    raise Refused(400, f"Error manipulating data: {message}")


def _together(actions: list[Json]) -> list[Json]:
    """Updates of equal fields as one bulk action, so that names are chosen for all of them at once."""
    if len(actions) < 2 or any(set(action[3]) != set(actions[0][3]) for action in actions):
        if len(actions) > 1:
            raise Refused(400, "PATCH requires all records to have same fields")
        return actions
    return [["BulkUpdateRecord", actions[0][1], [action[2] for action in actions],
             {key: [action[3][key] for action in actions] for key in actions[0][3]}]]


def _by_column(records: list[dict[str, Any]]) -> dict[str, list[Any]]:
    named = dict.fromkeys(key for record in records for key in record.get("fields") or {})
    return {key: [(record.get("fields") or {}).get(key) for record in records] for key in named}


def _column_refs(document: Document, table_id: str) -> dict[str, int]:
    return {column["id"]: column["fields"]["colRef"] for column in document.columns(table_id, hidden=True)}


# At the door

def _reader() -> Document:
    require(g.caller, "viewer")
    document: Document = g.document
    return document


def _writer() -> Document:
    document = _reader()
    require(g.caller, "editor")
    return document


def _refuse_partial_readers(document: Document, message: str) -> None:
    if not g.caller.may("owner") and (
            rules.hides_anything(document, g.caller.user) or rules.denies_structure(document, g.caller.user)):
        raise Refused(403, message)


def _known_table(document: Document, table_id: str) -> None:
    if table_id not in document.tables or is_metadata(table_id):
        raise Refused(404, f'Table not found "{table_id}"')


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refused(400, "Invalid payload", details={"userError": "Error: body is not an object"})
    return body


def _body_list() -> list[int]:
    body = request.get_json(silent=True)
    rows = body if isinstance(body, list) else [body]
    if any(not isinstance(row, int) or isinstance(row, bool) for row in rows):
        raise Refused(400, "Invalid payload", details={"userError": "Error: body is not a list of row ids"})
    return list(rows)


def _checked_list(name: str, kind: str, needed: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    return checked_list(_body(), kind, needed, name)


def _max_rows(text: str | None) -> int | None:
    if text is None:
        return SAMPLE_ROWS
    if text == "null":
        return None
    if not text.isdigit() or int(text) < 1:
        raise Refused(400, f"maxRows parameter should be an integer: {text}")
    return int(text)

"""Grist's REST API for one document: what can be asked, and what its answers mean to an owner.

Facts: recorded exchanges with Grist 1.7.17. Only `apply` and webhooks change anything. `apply` refuses with a
500 whose text starts with `[Sandbox]`: the bundle was undone whole, so nothing was written. Any other 500 of it leaves
the outcome open.

The key and the widget's token never leave this module: requests' own exceptions hold the address, and with it the
token, so they are cut off from the errors that are raised.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from backend.errors import AccessError, BundleRefused, OutcomeUnknown, RetryLater, SyncError, UserError

if TYPE_CHECKING:
    import requests

READ_TIMEOUT_SECONDS = 90.0
"""A table of 100,000 rows takes seconds, and longer while formulas are worked out."""
IDS_AT_ONCE = 5_000
DAY_IS_FULL_SECONDS = 3_600.0
AWAY_SECONDS = 900.0
"""A document in the trash, switched off or in recovery mode comes back when somebody brings it back: asked for again
after this long, and not before."""


@dataclass(frozen=True, slots=True)
class State:
    """One state of the document: its number and the hash of everything in it."""

    n: int
    h: str


@dataclass(frozen=True, slots=True)
class Applied:
    """The answer to a bundle. `state` is the document's state right after it."""

    state: State
    values: list[Any]
    """One for each action; new row ids for `BulkAddRecord`."""
    changed: bool


class GristClient:
    """One document. Not shared between threads. Every method raises the errors of `explain`."""

    def __init__(
        self,
        server_url: str,
        document: str,
        *,
        api_key: str | None = None,
        token: str | None = None,
        count: Callable[[], None] = lambda: None,
        count_write: Callable[[], None] = lambda: None,
        wrote: Callable[[Sequence[Any], Applied], None] = lambda actions, applied: None,
        sleep: Callable[[float], None] = time.sleep,
        patience_seconds: float | None = None,
    ) -> None:
        from backend.http import Http  # late: the web process starts without it

        self._root = f"{server_url.rstrip('/')}/api/docs/{quote(document, safe='~')}"
        self._count_write = count_write
        self._wrote = wrote
        if token:
            _hide_tokens_from_logs()
        self._http = Http(
            "Grist",
            headers={"Authorization": f"Bearer {api_key}"} if api_key and not token else {},
            params={"auth": token} if token else {},
            explain=explain,
            count=count,
            sleep=sleep,
            patience_seconds=patience_seconds,
        )

    def __repr__(self) -> str:
        return f"GristClient({self._root!r})"

    def renew(self, token: str) -> None:
        """Go on with a newer token of the widget."""
        self._http.session.params = {"auth": token}

    def watch(self, before_write: Callable[[], None]) -> None:
        """Call `before_write` before a bundle that had to wait."""
        self._http.before_write = before_write

    def tables(self) -> list[dict[str, Any]]:
        """`[{"id", "fields": {"tableRef", "summarySourceTable", …}}]`"""
        answer: list[dict[str, Any]] = self._get("/tables")["tables"]
        return answer

    def columns(self, table: str) -> list[dict[str, Any]]:
        """`[{"id", "fields": {"colRef", "label", "type", "isFormula", "formula", "widgetOptions", …}}]`"""
        answer: list[dict[str, Any]] = self._get(f"/tables/{quote(table)}/columns")["columns"]
        return answer

    def data(self, table: str) -> dict[str, list[Any]]:
        """All rows by column, with their ids under `id`; one reading, so of one moment."""
        answer: dict[str, list[Any]] = self._get(f"/tables/{quote(table)}/data", timeout_seconds=READ_TIMEOUT_SECONDS)
        return answer

    def records(
        self, table: str, values: Collection[Any], column: str = "id"
    ) -> dict[int, dict[str, Any]]:
        """Cells by row id and column, typed (`["E", …]` for an error), of the rows that hold one of `values` in
        `column`; a row that is not there is not in it."""
        found: dict[int, dict[str, Any]] = {}
        for part in _parts(sorted(values), IDS_AT_ONCE):
            body = {"filter": {column: part}, "cellFormat": "typed"}
            answer = self._post(f"/tables/{quote(table)}/records/list", body, safe=True)
            for record in answer["records"]:
                errors = {column: ["E", name] for column, name in (record.get("errors") or {}).items()}
                found[record["id"]] = record["fields"] | errors
        return found

    def texts(self, table: str, column: str) -> dict[int, str]:
        """By row: what stands in a text column; "" without one. Asked by SQL, which sends nothing else along; where
        access rules do not allow that, with all columns."""
        what = f', "{_name(column)}" as t' if column else ""
        try:
            answer = self._post("/sql", {"sql": f'select id{what} from "{_name(table)}"'}, safe=True)
            return {int(one["fields"]["id"]): str(one["fields"].get("t") or "") for one in answer["records"]}
        except RetryLater:
            raise
        except UserError:
            pass
        data = self.data(table)
        cells = data[column] if column else [""] * len(data["id"])
        return {row: str(text or "") for row, text in zip(data["id"], cells, strict=True)}

    def first_records(self, table: str, limit: int) -> dict[int, dict[str, Any]]:
        """Cells of the first rows, by row id."""
        answer = self._get(f"/tables/{quote(table)}/records", params={"limit": str(limit)})
        return {record["id"]: record["fields"] for record in answer["records"]}

    def count_rows(self, table: str) -> int:
        """As SQL sees it: access rules hide nothing from it, or it is refused (AccessError)."""
        answer = self._post("/sql", {"sql": f'select count(*) as n from "{_name(table)}"'}, safe=True)
        return int(answer["records"][0]["fields"]["n"])

    def existing(self, table: str, row_ids: Collection[int]) -> set[int]:
        """Which of these rows exist, as SQL sees it."""
        there: set[int] = set()
        for part in _parts(sorted(row_ids), IDS_AT_ONCE):
            ids = ", ".join(str(int(row)) for row in part)
            answer = self._post("/sql", {"sql": f'select id from "{_name(table)}" where id in ({ids})'}, safe=True)
            there.update(int(record["fields"]["id"]) for record in answer["records"])
        return there

    def states(self) -> list[State]:
        """Newest first."""
        return [State(state["n"], state["h"]) for state in self._get("/states")["states"]]

    def newest(self) -> State:
        return next(iter(self.states()), State(0, ""))

    def compare(self, left: str, right: str = "HEAD") -> dict[str, Any]:
        """What changed from one state to another, with all cells: `{"tableRenames", "tableDeltas"}`.

        Raises AccessError for a reader who may not see everything, UserError for a state that is not kept any more.
        """
        params = {"left": left, "right": right, "maxRows": "null"}
        answer: dict[str, Any] = self._get("/compare", params=params)["details"]["rightChanges"]
        return answer

    def apply(self, actions: Sequence[Any]) -> Applied:
        """Do all of `actions` or none. Raises BundleRefused where none was done, OutcomeUnknown where nobody knows."""
        answer = self._post("/apply", actions, safe=False, params={"noparse": "1"})
        if answer["isModification"]:
            self._count_write()
        state = State(answer["actionNum"], answer["actionHash"] or "")
        applied = Applied(state, answer["retValues"], answer["isModification"])
        self._wrote(actions, applied)
        return applied

    def access(self) -> dict[str, Any]:
        """Who the document is shared with: {"maxInheritedRole", "users": [{"name", "access", "parentAccess"}]}."""
        return dict(self._get("/access"))

    def webhooks(self) -> list[dict[str, Any]]:
        """Only an owner may ask."""
        answer: list[dict[str, Any]] = self._get("/webhooks")["webhooks"]
        return answer

    def add_webhook(self, fields: dict[str, Any]) -> str:
        """Make a webhook of `{"tableId", "url", "eventTypes", …}`; returns its id. Only an owner may."""
        answer = self._post("/webhooks", {"webhooks": [{"fields": fields}]}, safe=False)
        return str(answer["webhooks"][0]["id"])

    def change_webhook(self, hook_id: str, fields: dict[str, Any]) -> None:
        self._send("PATCH", f"/webhooks/{quote(hook_id)}", safe=True, body=orjson.dumps(fields))

    def remove_webhook(self, hook_id: str) -> None:
        self._send("DELETE", f"/webhooks/{quote(hook_id)}", safe=True)

    def _get(self, path: str, *, params: dict[str, str] | None = None, timeout_seconds: float = 30.0) -> Any:
        return self._send("GET", path, safe=True, params=params, timeout_seconds=timeout_seconds)

    def _post(self, path: str, body: Any, *, safe: bool, params: dict[str, str] | None = None) -> Any:
        return self._send("POST", path, safe=safe, body=orjson.dumps(body), params=params)

    def _send(self, method: str, path: str, *, safe: bool, **arguments: Any) -> Any:
        headers = {"Content-Type": "application/json"}
        try:
            response = self._http.send(method, self._root + path, safe=safe, headers=headers, **arguments)
        except SyncError as error:
            error.__cause__ = error.__context__ = None  # requests' exception holds the address, and with it the token
            raise error from None
        try:
            return orjson.loads(response.content)
        except orjson.JSONDecodeError:
            raise _not_grist() from None


def explain(response: requests.Response) -> None:
    """Turns every answer but a good one into one of our errors, in an owner's words.

    Facts: recorded exchanges of Grist 1.7.17, and grist-core for the document in the trash, disabled or over its quota.
    """
    status = response.status_code
    if status < 300:
        return
    said = _said(response)
    writes = (response.request.path_url or "").split("?")[0].endswith("/apply")
    if said is None and status < 500:
        raise _not_grist()
    said = said or ""
    if status == 429:
        raise _too_many(said, response)
    if status == 401:
        raise _unknown_caller(response)
    if said.startswith("[Sandbox]") or "Blocked by" in said:
        raise BundleRefused(said, plain(said)) if writes else UserError(
            f"Grist refused to answer: {plain(said)}", cure="Check the document's access rules and formulas."
        )
    if status == 403:
        raise _forbidden(said)
    if status == 404:
        raise _not_found(said)
    if status == 413:
        raise BundleRefused(said, "too large: Grist takes at most 1 MB at once") if writes else UserError(
            "Grist refused a request as too large.",
            cure="Shorten the longest texts, or let fewer rows take part (only_where).",
        )
    if status < 500:
        raise UserError(f"Grist did not understand a request: {plain(said)}", cure="Check the document's address.")
    if "Cannot read hash" in said:
        raise UserError("Grist does not keep that state of the document any more.", cure="Read the whole table.")
    if writes:
        raise OutcomeUnknown(
            "Grist failed while it took a change, so the change may have happened.",
            cure="The next sync looks before it does anything else.",
        )
    raise RetryLater("Grist cannot answer now.", cure="It is tried again by itself.")


def plain(said: str) -> str:
    """What Grist said without the names of its Python classes."""
    text = re.sub(r"^(Error manipulating data: )?\[Sandbox\]\s*", "", said).strip()
    text = re.sub(r"^(\w+Error|\w+Exception)\s+", "", text)
    text = re.sub(r"^docactions\.\[?(Bulk)?\]?(\w+)Record for", "a change to", text)
    return (text or "no reason given")[:300]


def _said(response: requests.Response) -> str | None:
    """The `error` of a JSON answer; None where it is no JSON (a proxy's page, another server)."""
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return None
    return str(body.get("error", "")) if isinstance(body, dict) else ""


def _not_grist() -> UserError:
    return UserError(
        "The server did not answer as Grist does.",
        cure="Check the server's address; it is the beginning of the document's address in the browser.",
    )


def _too_many(said: str, response: requests.Response) -> RetryLater:
    asked = response.headers.get("Retry-After", "")
    if "daily" in said.lower():
        return RetryLater(
            "The document has used up the API calls of its Grist plan for today.",
            cure="It is tried again later by itself; sync less often, or take a larger plan.",
            retry_after=float(asked) if asked.isdigit() else DAY_IS_FULL_SECONDS,
        )
    return RetryLater(
        "Grist is busy with other requests for this document.",
        cure="It is tried again by itself.",
        retry_after=float(asked) if asked.isdigit() else None,
    )


def _unknown_caller(response: requests.Response) -> AccessError:
    if "Authorization" in response.request.headers:
        return AccessError(
            "Grist does not accept the API key.",
            cure="Make a new one in Grist (Profile settings, API) and enter it in the connection, or in GRIST_API_KEY.",
        )
    return AccessError("The page's access to the document has ended.", cure="Reload the page in Grist.")


def _forbidden(said: str) -> AccessError | RetryLater:
    if "disabled" in said:
        return RetryLater(
            f"Grist has switched off: {said}.",
            cure="Ask the administrator of the Grist server to switch it on again; the sync goes on by itself.",
            retry_after=AWAY_SECONDS,
        )
    if "recovery" in said:
        return RetryLater(
            "The document is in recovery mode, in which nothing is written.",
            cure="Repair its access rules and reload it; the sync goes on by itself.", retry_after=AWAY_SECONDS,
        )
    needs = "an editor" if "write" in said.lower() else "an owner" if "owner" in said.lower() else "a reader"
    return AccessError(
        f"Grist does not let this key do that ({said}).",
        cure=f"Share the document with the key's user as {needs} who may see all rows and columns, or use another key.",
    )


def _not_found(said: str) -> UserError | RetryLater:
    if "deleted" in said:
        return RetryLater(
            "The Grist document is in the trash.",
            cure="Restore it in Grist, and the sync goes on by itself; or connect another one.",
            retry_after=AWAY_SECONDS,
        )
    if "Table not found" in said:
        return UserError(
            f"{said}: it was removed, renamed, or access rules hide it.", cure="Sync again, or check the mapping."
        )
    return UserError(
        f"Grist has no such document ({said}).", cure="Copy the document's address from the browser once more."
    )


def _name(table: str) -> str:
    if not table.isidentifier():
        raise ValueError(f"{table!r} is no name of a Grist table")
    return table


def _parts(ids: list[int], size: int) -> list[list[int]]:
    return [ids[i:i + size] for i in range(0, len(ids), size)]


class _TokenFilter(logging.Filter):
    """urllib3 logs the address of each request at debug level, and the widget's token is part of it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_without_token(arg) if isinstance(arg, str) else arg for arg in record.args)
        return True


def _without_token(text: str) -> str:
    return re.sub(r"([?&]auth=)[^&\s\"']+", r"\1…", text)


def _hide_tokens_from_logs() -> None:
    logger = logging.getLogger("urllib3.connectionpool")
    if not any(isinstance(known, _TokenFilter) for known in logger.filters):
        logger.addFilter(_TokenFilter())

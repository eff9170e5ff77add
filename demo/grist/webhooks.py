"""Grist's own webhooks: lists of new and changed rows, posted to an address that an owner named.

The trigger is a row of `_grist_Triggers`, so making one is a state like any other; address and authorization stay
outside the document. Recording: `webhooks`. There is no event for a removed row.
"""
from __future__ import annotations

import json
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from demo.grist.access import Refused
from demo.grist.document import Document
from demo.grist.history import State
from demo.grist.tables import bulk

EVENTS = ("add", "update")
QUEUE_LIMIT = 1_000
TIMEOUT_SECONDS = 5
ATTEMPTS = 3
Fields = dict[str, Any]


@dataclass
class _Hook:
    """What Grist keeps about a webhook outside the document, and how its deliveries went."""
    hook_id: str
    url: str
    authorization: str
    unsubscribe_key: str = field(default_factory=lambda: str(uuid.uuid4()))
    waiting: deque[dict[str, Any]] = field(default_factory=deque)
    usage: dict[str, Any] = field(default_factory=lambda: {
        "status": "idle", "numWaiting": 0, "updatedTime": None, "lastEventBatch": None, "lastSuccessTime": None,
        "lastFailureTime": None, "lastErrorMessage": None, "lastHttpStatus": None})


class Webhooks:
    """The webhooks of one document. `allowed_hosts`: the receivers that this server may call.

    Deliveries go out of a background thread, `delay` seconds after a change so that quick ones travel together.
    """

    def __init__(self, document: Document, allowed_hosts: tuple[str, ...], delay: float) -> None:
        self._document, self._allowed, self._delay = document, allowed_hosts, delay
        self._hooks: dict[str, _Hook] = {}
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        document.on_change.append(self._note)

    def listed(self) -> list[dict[str, Any]]:
        with self._document.lock, self._wake:
            return [{"id": hook.hook_id, "fields": self._fields(hook, row),
                     "usage": {**hook.usage, "numWaiting": len(hook.waiting)}}
                    for hook in self._hooks.values() if (row := self._trigger(hook.hook_id))]

    def create(self, fields: Fields) -> str:
        """Make a webhook; returns its id. Raises Refused."""
        _check_events(fields)
        for key in ("url", "eventTypes"):
            if key not in fields:
                raise Refused(400, "Invalid payload", details={"userError": f"Error: fields.{key} is missing"})
        stored = self._stored(fields)
        self._check_url(fields["url"])
        if "tableRef" not in stored:
            raise Refused(400, "tableId is required")
        hook = _Hook(str(uuid.uuid4()), fields["url"], fields.get("authorization") or "")
        with self._wake:
            self._hooks[hook.hook_id] = hook
        self._document.apply([["AddRecord", "_grist_Triggers", None, {
            "enabled": True, **stored, "actions": json.dumps([{"type": "webhook", "id": hook.hook_id}])}]])
        return hook.hook_id

    def update(self, hook_id: str, fields: Fields) -> None:
        hook, row = self._known(hook_id)
        _check_events(fields)
        if "url" in fields:
            self._check_url(fields["url"])
            hook.url = fields["url"]
        if "authorization" in fields:
            hook.authorization = fields["authorization"] or ""
        changes = self._stored(fields)
        if changes:
            self._document.apply([["UpdateRecord", "_grist_Triggers", row, changes]])

    def delete(self, hook_id: str) -> None:
        _, row = self._known(hook_id)
        with self._wake:
            del self._hooks[hook_id]
        self._document.apply([["RemoveRecord", "_grist_Triggers", row]])

    def clear_queue(self) -> None:
        with self._wake:
            for hook in self._hooks.values():
                hook.waiting.clear()

    def _known(self, hook_id: str) -> tuple[_Hook, int]:
        hook, row = self._hooks.get(hook_id), self._trigger(hook_id)
        if hook is None or row is None:
            raise Refused(404, f'Webhook not found "{hook_id}"')
        return hook, row

    def _trigger(self, hook_id: str) -> int | None:
        triggers = self._document.tables["_grist_Triggers"]
        return next((row for row in triggers.row_ids if hook_id in (triggers.column("actions").get(row) or "")), None)

    def _check_url(self, url: str) -> None:
        if urlsplit(url).hostname not in self._allowed:
            raise Refused(403, "Provided url is forbidden")

    def _stored(self, fields: Fields) -> dict[str, Any]:
        """The fields as the trigger's row keeps them. Columns are taken only beside a table, as in Grist."""
        stored: dict[str, Any] = {}
        if "eventTypes" in fields:
            if not fields["eventTypes"]:
                raise Refused(400, "eventTypes must be a non-empty array")
            stored["eventTypes"] = ["L", *fields["eventTypes"]]
        if "tableId" in fields:
            ref = self._document.table_ref(fields["tableId"])
            if ref is None:
                raise Refused(404, f'Table not found "{fields["tableId"]}"')
            stored["tableRef"] = ref
            watched = [self._col_ref(fields["tableId"], col_id) for col_id in fields.get("watchedColIds") or []]
            stored["watchedColRefList"] = ["L", *watched] if watched else None
            ready = fields.get("isReadyColumn")
            stored["isReadyColRef"] = self._col_ref(fields["tableId"], ready) if ready else 0
        for theirs, ours in (("name", "label"), ("memo", "memo"), ("enabled", "enabled")):
            if theirs in fields:
                stored[ours] = fields[theirs]
        return stored

    def _col_ref(self, table_id: str, col_id: str) -> int:
        for column in self._document.columns(table_id, hidden=True):
            if column["id"] == col_id:
                return int(column["fields"]["colRef"])
        raise Refused(404, f'Column not found "{col_id}"')

    def _fields(self, hook: _Hook, row: int) -> Fields:
        trigger = self._document.tables["_grist_Triggers"].row(row)
        return {
            "url": hook.url, "authorization": hook.authorization, "unsubscribeKey": hook.unsubscribe_key,
            "eventTypes": (trigger["eventTypes"] or ["L"])[1:],
            "isReadyColumn": self._col_id(trigger["isReadyColRef"]),
            "watchedColIds": [self._col_id(ref) for ref in (trigger["watchedColRefList"] or ["L"])[1:]],
            "tableId": self._document.tables["_grist_Tables"].column("tableId").get(trigger["tableRef"]),
            "enabled": trigger["enabled"], "name": trigger["label"], "memo": trigger["memo"],
        }

    def _col_id(self, ref: int) -> str | None:
        return self._document.tables["_grist_Tables_column"].column("colId").get(ref) if ref else None

    def _note(self, state: State) -> None:
        """Queue the rows that a bundle added or changed, for each webhook that wants them."""
        if not self._hooks:
            return
        with self._document.lock, self._wake:
            for hook in self._hooks.values():
                row = self._trigger(hook.hook_id)
                fields = self._fields(hook, row) if row else {}
                if fields.get("enabled") and fields["tableId"] in self._document.tables:
                    self._queue(hook, fields, state)
            if any(hook.waiting for hook in self._hooks.values()):
                self._start()
                self._wake.notify_all()

    def _queue(self, hook: _Hook, fields: Fields, state: State) -> None:
        added: set[int] = set()
        changed: dict[int, set[str]] = {}
        for verb, table_id, *rest in map(bulk, state.stored):
            if table_id != fields["tableId"] or verb not in ("BulkAddRecord", "BulkUpdateRecord"):
                continue
            if verb == "BulkAddRecord":
                added.update(rest[0])
            for row in rest[0]:
                changed.setdefault(row, set()).update(rest[1])
        table = self._document.tables[fields["tableId"]]
        for row in sorted(changed):
            event = "add" if row in added else "update"
            watched = fields["watchedColIds"]
            ready = fields["isReadyColumn"]
            if (row not in table.rows or event not in fields["eventTypes"]
                    or (event == "update" and watched and not changed[row].intersection(watched))
                    or (ready and not table.column(ready).get(row))):
                continue
            if len(hook.waiting) < QUEUE_LIMIT:
                hook.waiting.append(table.row(row))

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._deliver_forever, daemon=True, name="grist-webhooks")
            self._thread.start()

    def _deliver_forever(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: any(hook.waiting for hook in self._hooks.values()))
            time.sleep(self._delay)
            for hook in list(self._hooks.values()):
                with self._wake:
                    batch = list(hook.waiting)
                    hook.waiting.clear()
                if batch:
                    self._deliver(hook, batch)

    def _deliver(self, hook: _Hook, batch: list[dict[str, Any]]) -> None:
        headers = {"Content-Type": "application/json"}
        if hook.authorization:
            headers["Authorization"] = hook.authorization
        status, problem, attempts = None, None, 0
        while attempts < ATTEMPTS:
            attempts += 1
            try:
                answer = requests.post(hook.url, json=batch, headers=headers, timeout=TIMEOUT_SECONDS)
                status, problem = answer.status_code, None if answer.ok else answer.text[:200]
            except requests.RequestException as error:
                status, problem = None, str(error)
            if problem is None:
                break
            time.sleep(self._delay)
        now = int(time.time() * 1000)
        with self._wake:
            hook.usage.update({
                "status": "idle" if problem is None else "error", "updatedTime": now, "lastHttpStatus": status,
                "lastErrorMessage": problem,
                ("lastSuccessTime" if problem is None else "lastFailureTime"): now,
                "lastEventBatch": {"status": "success" if problem is None else "failure", "httpStatus": status,
                                   "errorMessage": problem, "size": len(batch), "attempts": attempts}})


def _check_events(fields: Fields) -> None:
    for index, event in enumerate(fields.get("eventTypes") or []):
        if event not in EVENTS:
            raise Refused(400, "Invalid payload", details={"userError": (
                "Error: value.webhooks[0] is not a Webhook; value.webhooks[0].fields is not a WebhookFields; "
                f'value.webhooks[0].fields.eventTypes[{index}] is none of "add", "update"')})

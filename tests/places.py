"""A document to test against, seen as a person sees it: one of the stand-in, or one of a real Grist.

With GRIST_TEST_URL and GRIST_TEST_KEY in the environment the same tests run against a real Grist.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import requests
from flask import Flask
from requests.adapters import BaseAdapter, HTTPAdapter

from backend.grist.access import create_document
from backend.grist.connector import GristConnector
from demo.grist import Grist, create_app
from demo.serving import serving

KEY = "key-of-owner"
HERE = "http://grist.test"
"""The address of a stand-in that no port leads to."""


class Inside(BaseAdapter):
    """Carries requests to an application in this process."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self._client = app.test_client(use_cookies=False)

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        told = self._client.open(parts.path, method=request.method, query_string=parts.query, data=request.body,
                                 headers=list(request.headers.items()))
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = told.status_code, request, str(request.url)
        answer._content, answer._content_consumed = told.data, True  # type: ignore[attr-defined]
        answer.headers.update(told.headers)
        return answer

    def close(self) -> None:
        """Nothing is open."""


class Place:
    """One document. `act` does what a person would do; nothing of ours is in between."""

    def __init__(self, url: str, doc_id: str, key: str, grist: Grist | None = None,
                 carrier: BaseAdapter | None = None) -> None:
        """`grist` where it is the stand-in's, `carrier` where no port leads to it."""
        self.url, self.doc_id, self.key, self.grist = url, doc_id, key, grist
        self.carrier = carrier or HTTPAdapter()
        self._session = requests.Session()
        self._session.mount(url, self.carrier)

    def connector(self, **options: Any) -> GristConnector:
        options.setdefault("api_key", self.key)
        options.setdefault("sleep", lambda seconds: None)
        return GristConnector(self.url, self.doc_id, **options)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"}
        response = self._session.request(
            method, f"{self.url}/api/docs/{self.doc_id}{path}", json=body, headers=headers, timeout=60
        )
        assert response.status_code == 200, response.text
        return response.json()

    def act(self, *actions: Any) -> list[Any]:
        return self.call("POST", "/apply", list(actions))["retValues"]

    def rows(self, table: str) -> dict[int, dict[str, Any]]:
        return {r["id"]: r["fields"] for r in self.call("GET", f"/tables/{table}/records")["records"]}

    def columns(self, table: str) -> dict[str, dict[str, Any]]:
        return {c["id"]: c["fields"] for c in self.call("GET", f"/tables/{table}/columns")["columns"]}

    def states(self) -> int:
        return len(self.call("GET", "/states")["states"])

    def share(self, email: str, role: str) -> None:
        """Let somebody into the document of a real Grist, and wait until it has noticed."""
        headers = {"Authorization": f"Bearer {self.key}"}
        requests.patch(f"{self.url}/api/docs/{self.doc_id}/access", json={"delta": {"users": {email: role}}},
                       headers=headers, timeout=60).raise_for_status()
        time.sleep(6)  # it remembers for some seconds who may do what, and tells nobody when it forgets

    def put_away(self, state: str, *, away: bool) -> None:
        """Put the document into the trash ("trashed"), switch it off ("disabled"), or into "recovery" mode, or back."""
        if self.grist is not None:
            setattr(self.grist.documents[self.doc_id], state, away)
            return
        verb, body = {"trashed": ("remove" if away else "unremove", None),
                      "disabled": ("disable" if away else "enable", None),
                      "recovery": ("recover", {"recoveryMode": away})}[state]
        url, headers = f"{self.url}/api/docs/{self.doc_id}", {"Authorization": f"Bearer {self.key}"}
        requests.post(f"{url}/{verb}", json=body, headers=headers, timeout=60).raise_for_status()
        until = time.monotonic() + 30
        while state != "recovery" and requests.get(f"{url}/tables", headers=headers, timeout=60).ok is away:
            assert time.monotonic() < until, f"the document did not become {state}"
            time.sleep(0.5)  # a real Grist remembers for some seconds how a document was

    def copied(self) -> str:
        """The id of a copy of the document, with its history."""
        if self.grist is not None:
            made = Place(self.url, self.grist.new_document("copy").doc_id, self.key, self.grist)
            for table in [one["id"] for one in self.call("GET", "/tables")["tables"]][1:]:
                columns = [{"id": name, "type": about["type"], "isFormula": False}
                           for name, about in self.columns(table).items()]
                rows = self.rows(table)
                cells = {one["id"]: [row[one["id"]] for row in rows.values()] for one in columns}
                made.act(["AddTable", table, columns], ["BulkAddRecord", table, list(rows), cells])
            return made.doc_id
        headers = {"Authorization": f"Bearer {self.key}"}
        workspace = requests.get(f"{self.url}/api/docs/{self.doc_id}", headers=headers, timeout=60).json()["workspace"]
        return str(requests.post(f"{self.url}/api/docs/{self.doc_id}/copy", headers=headers, timeout=60, json={
            "workspaceId": workspace["id"], "documentName": "copy"}).json())

    def forked(self) -> str:
        """The id of a fork of the document, as somebody gets who tries changes on a copy; of a real Grist only."""
        headers = {"Authorization": f"Bearer {self.key}"}
        made = requests.post(f"{self.url}/api/docs/{self.doc_id}/fork", headers=headers, timeout=60).json()
        return str(made["docId"])

    def go_back_to(self, copy: str) -> None:
        """Replace the document by an older state of it, as a restored snapshot does."""
        headers = {"Authorization": f"Bearer {self.key}"}
        requests.post(f"{self.url}/api/docs/{self.doc_id}/replace", json={"sourceDocId": copy}, headers=headers,
                      timeout=60).raise_for_status()

    def remove(self, doc_id: str) -> None:
        if self.grist is None:
            headers = {"Authorization": f"Bearer {self.key}"}
            requests.delete(f"{self.url}/api/docs/{doc_id}", headers=headers, timeout=60)

    def fault(self, **fault: Any) -> None:
        requests.post(f"{self.url}/__control/faults", json={"next": [fault]}, timeout=5)


@contextmanager
def a_place(*, inside: bool = False) -> Iterator[Place]:
    """A new document; `inside` of this process where it is the stand-in's, for which no port is needed."""
    real, key = os.environ.get("GRIST_TEST_URL"), os.environ.get("GRIST_TEST_KEY")
    if real and key:
        place = Place(real, create_document(real, key, _workspace(real, key), "test of the connector"), key)
        yield place
        place.remove(place.doc_id)
        return
    if inside:
        grist, carrier = _inside()
        document = grist.new_document("Shop")
        yield Place(HERE, document.doc_id, KEY, grist, carrier)
        grist.remove(document.doc_id)
        return
    grist = Grist()
    document = grist.new_document("Shop")
    grist.add_key(KEY)
    with serving(create_app(grist)) as url:
        yield Place(url, document.doc_id, KEY, grist)


@cache
def _workspace(url: str, key: str) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    found = requests.get(f"{url}/api/orgs/current/workspaces", headers=headers, timeout=60).json()
    return int(found[0]["id"])


@cache
def _inside() -> tuple[Grist, Inside]:
    """One server for all documents of this process."""
    grist = Grist()
    grist.add_key(KEY)
    return grist, Inside(create_app(grist))

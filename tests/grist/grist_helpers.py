"""A document to test against, seen as a person sees it, and mappings in one line.

With GRIST_TEST_URL and GRIST_TEST_KEY in the environment the same tests run against a real Grist.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import requests

from backend.core.model import Change, Direction, FieldRule, Mapping, Resource, Rule, Side, Update, Why
from backend.grist import GristConnector, create_document
from backend.shopify.resources import RESOURCES
from demo.grist import Grist, create_app
from demo.serving import serving

KEY = "key-of-owner"
PRODUCT = "gid://shopify/Product/{}"


class Place:
    """One document. `act` does what a person would do; nothing of ours is in between."""

    def __init__(self, url: str, doc_id: str, key: str, grist: Grist | None = None) -> None:
        self.url, self.doc_id, self.key, self.grist = url, doc_id, key, grist

    def connector(self, **options: Any) -> GristConnector:
        options.setdefault("api_key", self.key)
        options.setdefault("sleep", lambda seconds: None)
        return GristConnector(self.url, self.doc_id, **options)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"}
        response = requests.request(
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
def a_place() -> Iterator[Place]:
    real, key = os.environ.get("GRIST_TEST_URL"), os.environ.get("GRIST_TEST_KEY")
    if real and key:
        headers = {"Authorization": f"Bearer {key}"}
        workspace = requests.get(f"{real}/api/orgs/current/workspaces", headers=headers, timeout=60).json()[0]["id"]
        doc_id = create_document(real, key, workspace, "test of the connector")
        place = Place(real, doc_id, key)
        yield place
        place.remove(doc_id)
        return
    grist = Grist()
    document = grist.new_document("Shop")
    grist.add_key(KEY)
    with serving(create_app(grist)) as url:
        yield Place(url, document.doc_id, KEY, grist)


def mapping(resource: str | Resource, *fields: str, table: str = "", **options: Any) -> Mapping:
    """`mapping("products", "title", "vendor=Brand")`: fields with their column, else the id that their label makes."""
    known = RESOURCES[resource] if isinstance(resource, str) else resource
    rules = []
    for text in fields:
        name, _, column = text.partition("=")
        field = known.field(name)
        assert field is not None, name
        direction = Direction.BOTH if field.writable else Direction.TO_GRIST
        rules.append(FieldRule(field, column or field.label.replace(" ", "_"), direction, Rule.ASK))
    return Mapping(known, table or known.table, tuple(rules), known.match, **options)


def rule(mapping: Mapping, name: str, **changes: Any) -> Mapping:
    return mapping.with_fields(replace(r, **changes) if r.name == name else r for r in mapping.fields)


def update(key: int, partner: str, **changes: tuple[Any, Any]) -> Update:
    """`update(1, gid, title=("A", "B"))`: from what stands there to what will."""
    return Update(Side.LOCAL, key, partner, tuple(
        Change(name, before, after, Why.CHANGED) for name, (before, after) in changes.items()
    ))


def after_next(target: Any, name: str, do: Callable[[], Any]) -> None:
    """Let `do` happen once, right after the next call of `target.name` was answered."""
    original = getattr(target, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        setattr(target, name, original)
        answer = original(*args, **kwargs)
        do()
        return answer

    setattr(target, name, wrapped)


def before_next(target: Any, name: str, do: Callable[[], Any]) -> None:
    """Let `do` happen once, right before the next call of `target.name`."""
    original = getattr(target, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        setattr(target, name, original)
        do()
        return original(*args, **kwargs)

    setattr(target, name, wrapped)

"""Who may do what in a document, asked without side effects; and making a document."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import orjson

from backend.errors import AccessError, BundleRefused, SyncError, UserError
from backend.grist.client import GristClient, explain
from backend.grist.schema import ID_COLUMN

_WORKSPACE_CURE = "The number of a workspace stands in its address: …/ws/12. Check GRIST_WORKSPACE_ID."

Role = Literal["owner", "editor", "viewer"]


def probe_role(
    server_url: str, document: str, token: str, *, sleep: Callable[[float], None] = time.sleep
) -> Role | None:
    """What the holder of a widget's token may do in the document; None where it opens nothing.

    `server_url` is the configured Grist server, never an address that a client sent. An empty bundle writes
    nothing and is allowed to editors; only owners may list webhooks (facts: recorded probes of roles).
    Raises RetryLater where Grist cannot be asked, UserError where there is no such document.
    """
    client = GristClient(server_url, document, token=token, sleep=sleep)
    try:
        client.tables()
    except AccessError:
        return None
    try:
        client.apply([])
    except AccessError:
        return "viewer"
    try:
        client.webhooks()
    except AccessError:
        return "editor"
    return "owner"


def owner_names(server_url: str, document: str, key: str, *, sleep: Callable[[float], None] = time.sleep
                ) -> tuple[str, ...]:
    """The names of those who own the document, where `key` is one of theirs. Raises AccessError for others'."""
    answer = GristClient(server_url, document, api_key=key, sleep=sleep).access()
    inherited = answer.get("maxInheritedRole") == "owners"
    return tuple(user["name"] for user in answer.get("users", ()) if user.get("name") and (
        user.get("access") == "owners" or (inherited and user.get("parentAccess") == "owners")))


@dataclass(frozen=True, slots=True)
class KeyRights:
    """What an API key (a person's, or a service account's) may do in a document. `sees_all` is False where access rules
    may hide something from it, `builds` where they keep it from changing tables and columns."""

    role: Role
    sees_all: bool
    builds: bool = True

    @property
    def blocked(self) -> tuple[str, ...]:
        """A sentence for each thing that cannot be done with it, and what that means for the sync."""
        if self.role == "viewer":
            return (BLOCKED["viewer"],)
        lacking = [("editor", self.role == "owner"), ("structure", self.builds), ("hidden", self.sees_all)]
        return tuple(BLOCKED[name] for name, may in lacking if not may)


BLOCKED = {
    "viewer": "The key may only read the document, so nothing can be synced with it.",
    "editor": "The key is not an owner's, so Grist cannot be told to report changes by webhooks: changes in Grist are "
              "found by the timer.",
    "structure": "Access rules keep the key from changing tables and columns: what is missing has to be made by hand, "
                 "and new choices are not added to the lists of columns.",
    "hidden": "Access rules may hide rows or columns from the key: what it does not see is not synced, nothing is "
              "created or deleted, and each sync reads everything.",
}
PROBE = "No_such_column_of_the_sync"
"""Asked to give this column a formula, Grist looks at the right to change the structure first, and then finds no
column: nothing is done, and no state of the document is made (tried with 1.7.17)."""


def probe_key(
    server_url: str, document: str, api_key: str, *, sleep: Callable[[float], None] = time.sleep
) -> KeyRights:
    """What the holder of an API key may do, asked without side effects. Raises AccessError where the key opens
    nothing, UserError where there is no such document, RetryLater where Grist cannot be asked."""
    client = GristClient(server_url, document, api_key=api_key, sleep=sleep)
    tables = [table["id"] for table in client.tables() if not table["fields"].get("summarySourceTable")]
    role: Role = "viewer"
    for higher, ask in (("editor", lambda: client.apply([])), ("owner", client.webhooks)):
        try:
            ask()
        except AccessError:
            break
        role = "editor" if higher == "editor" else "owner"
    try:
        for table in tables[:1]:
            client.count_rows(table)
        sees_all = True
    except UserError:
        sees_all = False
    return KeyRights(role, sees_all, role != "viewer" and _builds(client, tables))


def _builds(client: GristClient, tables: list[str]) -> bool:
    for table in tables[:1]:
        try:
            client.apply([["ModifyColumn", table, PROBE, {"formula": "1"}]])
        except BundleRefused as error:
            return "Blocked by" not in error.said
    return True


COPIED_ROWS = 5


def marked_rows(
    server_url: str, document: str, token: str, *, sleep: Callable[[float], None] = time.sleep
) -> list[tuple[int, str]]:
    """Some (row, Shopify id) of a document that has our column already: it is a copy of another one. Empty where no
    table has it. Reads with the token of whoever asks."""
    client = GristClient(server_url, document, token=token, sleep=sleep)
    for table in client.tables():
        name = str(table["id"])
        if table["fields"].get("summarySourceTable") or ID_COLUMN not in {one["id"] for one in client.columns(name)}:
            continue
        found = [(row, cells[ID_COLUMN]) for row, cells in client.first_records(name, COPIED_ROWS).items()
                 if isinstance(cells.get(ID_COLUMN), str) and cells[ID_COLUMN].startswith("gid://")]
        if found:
            return found
    return []


def create_document(
    server_url: str,
    api_key: str,
    workspace_id: int | str,
    name: str,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """The id of a new, empty document in a workspace. Raises UserError where the workspace is not known."""
    from backend.http import Http  # late: the web process starts without it

    http = Http("Grist", headers={"Authorization": f"Bearer {api_key}"}, explain=explain, sleep=sleep)
    if not str(workspace_id).isdigit():
        raise UserError(f"{workspace_id!r} is not the number of a Grist workspace.", cure=_WORKSPACE_CURE)
    url = f"{server_url.rstrip('/')}/api/workspaces/{workspace_id}/docs"
    headers = {"Content-Type": "application/json"}
    try:
        response = http.send("POST", url, safe=False, body=orjson.dumps({"name": name}), headers=headers)
    except AccessError:
        raise
    except UserError as error:
        raise UserError(
            f"No document could be made in Grist's workspace {workspace_id}: {error.message}",
            cure=_WORKSPACE_CURE,
        ) from None
    except SyncError as error:
        error.__cause__ = error.__context__ = None
        raise error from None
    return str(orjson.loads(response.content))

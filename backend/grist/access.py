"""Who may do what in a document, asked without side effects; and making a document."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import orjson

from backend.errors import AccessError, SyncError, UserError
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
    """What an API key may do in a document. `sees_all` is False where access rules hide something from it."""

    role: Role
    sees_all: bool


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
    except UserError:
        return KeyRights(role, False)
    return KeyRights(role, True)


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

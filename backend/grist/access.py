"""Who may do what in a document, asked without side effects; and making a document."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import orjson

from backend.errors import AccessError, SyncError, UserError
from backend.grist.client import GristClient, explain
from backend.http import Http

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


def create_document(
    server_url: str,
    api_key: str,
    workspace_id: int | str,
    name: str,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """The id of a new, empty document in a workspace. Raises UserError where the workspace is not known."""
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

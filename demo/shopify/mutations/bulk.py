"""Starting and cancelling bulk operations, and the addresses for their uploads (facts §4)."""
from __future__ import annotations

import base64
import json
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from ..bulk.blobs import LARGEST_UPLOAD
from ..bulk.documents import mutation_errors, query_errors
from ..bulk.operations import AT_A_TIME
from ..context import Context
from ..errors import invalid_id, user_error
from ..ids import kind_of, number_of
from .base import UserErrors, mutation

_BUCKET = "shopify-staged-uploads"


@mutation("bulkOperationRunQuery")
def run_query(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    errors = query_errors(arguments["query"]) or _too_many(context, "QUERY")
    if errors:
        return {"bulkOperation": None, "userErrors": errors}
    return {"userErrors": [], "bulkOperation": context.store.bulks.start(
        "QUERY", arguments["query"], grouped=bool(arguments.get("groupObjects")), version=context.version)}


@mutation("bulkOperationRunMutation")
def run_mutation(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    errors = (_identifier_errors(arguments.get("clientIdentifier")) or mutation_errors(arguments["mutation"])
              or _file_errors(context, arguments["stagedUploadPath"]) or _too_many(context, "MUTATION"))
    if errors:
        return {"bulkOperation": None, "userErrors": errors}
    return {"userErrors": [], "bulkOperation": context.store.bulks.start(
        "MUTATION", arguments["mutation"], upload_key=arguments["stagedUploadPath"], grouped=True,
        version=context.version)}


def _identifier_errors(text: str | None) -> UserErrors:
    if text is not None and len(text) < 10:
        return [user_error(["clientIdentifier"], "is too short (minimum is 10 characters)", "INVALID_MUTATION")]
    if text is not None and len(text) > 255:
        return [user_error(["clientIdentifier"], "is too long (maximum is 255 characters)", "INVALID_MUTATION")]
    return []


def _file_errors(context: Context, key: str) -> UserErrors:
    path = context.store.bulks.blobs.find(key)
    if path is None:
        return [user_error(None, "The JSONL file could not be found. Try uploading the file again, and check that "
                                 "you've entered the URL correctly for the stagedUploadPath mutation argument.",
                           "NO_SUCH_FILE")]
    size = path.stat().st_size
    if size == 0:
        return [user_error(None, "The input file is empty.", "INVALID_STAGED_UPLOAD_FILE")]
    if size > LARGEST_UPLOAD:
        return [user_error(None, "The input file size exceeds the maximum allowed size of 100 MB.",
                           "INVALID_STAGED_UPLOAD_FILE")]
    return []


def _too_many(context: Context, type_: str) -> UserErrors:
    running = context.store.bulks.unfinished(type_)
    if len(running) < AT_A_TIME:
        return []
    return [user_error(None, f"A bulk {type_.lower()} operation for this app and shop is already in progress: "
                             f"{', '.join(each.gid for each in running)}.", "OPERATION_IN_PROGRESS")]


@mutation("bulkOperationCancel")
def cancel(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    if kind_of(arguments["id"]) != "BulkOperation":
        raise invalid_id(arguments["id"])
    operation = context.store.bulks.held.get(number_of(arguments["id"]) or 0)
    if operation is None:
        return {"bulkOperation": None, "userErrors": [user_error(["id"], "Bulk operation does not exist")]}
    if not context.store.bulks.cancel(operation):
        return {"bulkOperation": operation, "userErrors": [user_error(
            None, f"A bulk operation cannot be canceled when it is {operation.status.lower()}")]}
    return {"bulkOperation": operation, "userErrors": []}


@mutation("stagedUploadsCreate")
def staged_uploads(source: Any, arguments: dict[str, Any], context: Context) -> dict[str, Any]:
    return {"stagedTargets": [_target(context, each) for each in arguments["input"]], "userErrors": []}


def _target(context: Context, given: dict[str, Any]) -> dict[str, Any]:
    """Where one file is to be sent, and with which form fields."""
    store, now = context.store, context.store.now()
    folder = "bulk" if given["resource"] == "BULK_MUTATION_VARIABLES" else "files"
    key = f"tmp/{store.shop.id}/{folder}/{uuid.uuid4()}/{given['filename']}"
    store.bulks.blobs.promised.add(key)
    host = f"{context.base_url}/staged-uploads/" if context.base_url else f"https://{_BUCKET}.storage.googleapis.com/"
    date, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    credential = f"merchant-assets@{store.shop.domain}/{day}/auto/storage/goog4_request"
    signature = store.bulks.blobs.signature(key)
    if given.get("httpMethod") == "POST":
        rules = [{"Content-Type": given["mimeType"]}, {"success_action_status": "201"}, {"acl": "private"},
                 ["content-length-range", 1, LARGEST_UPLOAD], {"bucket": _BUCKET}, {"key": key},
                 {"x-goog-date": date}, {"x-goog-credential": credential},
                 {"x-goog-algorithm": "GOOG4-RSA-SHA256"}]
        policy = {"conditions": rules, "expiration": (now + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")}
        fields = {"Content-Type": given["mimeType"], "success_action_status": "201", "acl": "private", "key": key,
                  "x-goog-date": date, "x-goog-credential": credential, "x-goog-algorithm": "GOOG4-RSA-SHA256",
                  "x-goog-signature": signature,
                  "policy": base64.b64encode(json.dumps(policy, separators=(",", ":")).encode()).decode()}
        url = resource = host
        if folder != "bulk":
            resource = f"{host}{quote(key)}"
    else:
        fields = {"content_type": given["mimeType"], "acl": "private"}
        url = resource = (f"{host}{quote(key)}?X-Goog-Algorithm=GOOG4-RSA-SHA256"
                          f"&X-Goog-Credential={quote(credential, '')}&X-Goog-Date={date}"
                          "&X-Goog-Expires=604800&X-Goog-SignedHeaders=host"
                          f"&X-Goog-Signature={signature}")
    return {"__typename": "StagedMediaUploadTarget", "url": url, "resourceUrl": resource,
            "parameters": [{"name": name, "value": value} for name, value in fields.items()]}

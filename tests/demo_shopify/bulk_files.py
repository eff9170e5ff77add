"""Bulk operations in replays: the uploads that a recording tells of, and how far its operations had come."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from demo.shopify import Store
from demo.shopify.ids import number_of

from .recordings import Step


def upload(store: Store, recording: Any, step: Step, variables: dict[str, Any]) -> None:
    """Put the file of a bulk mutation where the recorder had put it, with the size or text that it tells of."""
    payload = (step.body.get("data") or {}).get("bulkOperationRunMutation")
    key = variables.get("path") or variables.get("stagedUploadPath")
    if not isinstance(payload, dict) or not isinstance(key, str) or store.bulks.blobs.find(key) is not None:
        return
    codes = {each.get("code") for each in payload.get("userErrors") or ()}
    if "NO_SUCH_FILE" in codes:
        return
    filename = key.rsplit("/", 1)[-1]
    told = next((each for each in _uploads(recording) if filename in each[0]), ("", "{}\n", None))
    store.bulks.blobs.put(key, told[1].encode())
    if told[2] is not None:
        with store.bulks.blobs.path(key).open("r+b") as file:
            file.truncate(told[2])


def _uploads(value: Any) -> Iterator[tuple[str, str, int | None]]:
    """(the request's text with the file's name, what was uploaded, how long it was) wherever a recording tells it."""
    if isinstance(value, list):
        for entry in value:
            yield from _uploads(entry)
    elif isinstance(value, dict):
        for key, entry in value.items():
            told = value.get(key.replace("stagedUpload", "upload").replace("StagedUpload", "Upload"))
            if "tagedUpload" in key and isinstance(entry, dict) and isinstance(told, dict) and told is not entry:
                size = told.get("sizeBytes")
                yield str(entry), value.get("uploadContent") or "{}\n", size
            yield from _uploads(entry)


def reach(store: Store, data: Any, bound: dict[str, str]) -> None:
    """Let operations come as far as the answer that is expected next shows them."""
    for shown in _operations(data):
        if not store.products and str(shown.get("objectCount", "0")) != "0":
            store.add_default_variant(store.add_product("Something to be found"))
        operation = store.bulks.held.get(number_of(bound.get(shown["id"], shown["id"])) or 0)
        if operation is None or operation.adopted or operation.status == shown.get("status"):
            continue
        wanted = shown.get("status")
        if wanted in ("RUNNING", "COMPLETED", "FAILED", "CANCELED") and operation.status != "COMPLETED":
            operation.due = 0.0
            if wanted == "RUNNING":
                operation.status = "RUNNING" if operation.status == "CREATED" else operation.status
                operation.due = store.clock.monotonic() + 3600
                operation.work = operation.work or iter(())
                operation.out = operation.out or store.bulks.blobs.path(operation.result_key).open("wb")
            else:
                if operation.status == "RUNNING" and wanted == "COMPLETED":
                    operation.status = "CREATED"
                store.bulks.look()


def _operations(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for entry in value:
            yield from _operations(entry)
    elif isinstance(value, dict):
        if str(value.get("id")).startswith("gid://shopify/BulkOperation/"):
            yield value
        for entry in value.values():
            yield from _operations(entry)

"""Read recorded exchanges with a real store: whatever the layout of a file, a list of steps comes out.

The recordings belong to somebody else and are not in this repository: they are looked for under SHARED_DIR, or in
`shared` beside the checkout.
"""
from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = Any


@dataclass(frozen=True)
class Step:
    """One request and its answer. `query` is None where the recording has no text of the request."""

    path: str
    query: str | None
    variables: dict[str, Any]
    operation_name: str | None
    status: int
    body: dict[str, Any]
    upstream: bool = False  # a further request, made at another moment than its place in the file says


@dataclass(frozen=True)
class Recording:
    name: str  # 2026-04/products/product-create-parity
    version: str
    store_domain: str
    whole: Json  # the file
    steps: tuple[Step, ...]


def folder() -> Path | None:
    """Where the recordings lie, None when they are not at hand."""
    shared = Path(os.environ.get("SHARED_DIR") or Path(__file__).resolve().parents[3] / "shared")
    found = shared / "fixtures" / "shopify"
    return found if found.is_dir() else None


def names(*patterns: str) -> list[str]:
    """The recordings whose path (without .json) matches one of the patterns, sorted."""
    root = folder()
    if root is None:
        return []
    return sorted({path.relative_to(root).with_suffix("").as_posix()
                   for pattern in patterns for path in root.glob(f"{pattern}.json")})


def read(name: str) -> Recording:
    root = folder()
    assert root is not None, "the recordings are not at hand"
    held = json.loads((root / f"{name}.json").read_text())
    steps = tuple(_steps(held, "", upstream=False))
    return Recording(name=name, version=name.split("/")[0], steps=steps, whole=held,
                     store_domain=held.get("storeDomain") or "very-big-test-store.myshopify.com")


# The operations of a document, by their first word.
_OPERATION = re.compile(r"^[ \t]*(?:query|mutation)(?:[ \t]+\w+)?\s*[({@]", re.MULTILINE)
# What was done before the request that it stands beside.
_BEFORE = re.compile(r"(setup|create|before|preMutation\w*)$")


def _steps(value: Json, path: str, *, upstream: bool) -> Iterator[Step]:
    if isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _steps(entry, f"{path}/{index}", upstream=upstream)
        return
    if not isinstance(value, dict):
        return
    step = _step(value, path, upstream)
    first = [key for key in value if _BEFORE.match(key)]
    for key in [*first, None, *(key for key in value if key not in first)]:
        if key is None:
            if step is not None:
                yield step
            continue
        entry = value[key]
        if key in ("expected", "request") or (step is not None and key in ("response", "result", "data", "payload")):
            continue
        inner = f"{path}/{key}"
        body = _body(entry) if isinstance(entry, dict) and {"data", "errors"} & set(entry) else None
        if body is not None and isinstance(entry, dict) and not _has_request(entry):
            # a bare answer; its variables may stand beside it
            variables = value.get(f"{key}Variables") or entry.get("requestVariables") or {}
            yield Step(inner, None, variables, None, 200, body, upstream)
        else:
            yield from _steps(entry, inner, upstream=upstream or key == "upstreamCalls")


def _step(value: dict[str, Any], path: str, upstream: bool) -> Step | None:
    if not _has_request(value) and "response" not in value and "result" not in value:
        return None
    request = value.get("request") if isinstance(value.get("request"), dict) else {}
    assert isinstance(request, dict)
    answer = value.get("response", value.get("result", value))
    body = _body(answer)
    if body is None:
        return None
    text = next((held for source in (value, request) for held in (source.get("query"), source.get("document"))
                 if isinstance(held, str) and "{" in held), None)
    variables = value.get("variables", request.get("variables")) or {}
    status = answer.get("status", value.get("status", 200)) if isinstance(answer, dict) else 200
    name = value.get("operationName") if "operationName" in value and not upstream else None
    if name and text is not None and len(_OPERATION.findall(text)) == 1 and not re.search(rf"\b{name}\b", text):
        name = None  # the recorder's own label: the only operation of the text has another name
    return Step(path, text, variables if isinstance(variables, dict) else {}, name,
                status if isinstance(status, int) else 200, body, upstream)


def _has_request(value: dict[str, Any]) -> bool:
    request = value.get("request") if isinstance(value.get("request"), dict) else {}
    assert isinstance(request, dict)
    return any(isinstance(source.get(key), str) and "{" in source[key] for source in (value, request)
               for key in ("query", "document"))


def _body(answer: Json) -> dict[str, Any] | None:
    """The HTTP body, taken out of the wrappings that the recordings have."""
    for _ in range(3):
        if not isinstance(answer, dict):
            return None
        errors = answer.get("errors")
        if isinstance(answer.get("data"), dict) or (isinstance(errors, list) and errors
                                                    and isinstance(errors[0], dict) and "message" in errors[0]):
            return {key: answer[key] for key in ("data", "errors", "extensions") if key in answer}
        answer = answer.get("payload", answer.get("body", answer.get("response")))
    return None

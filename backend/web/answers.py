"""Every JSON answer is made here, with an ETag where somebody polls: what has not changed is not sent again."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Response, request


def answer(body: Any, status: int = 200) -> Response:
    # marshmallow names the place in a list by its number: {"choices": {0: …}}.
    response = Response(orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS), status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def polled(body: dict[str, Any]) -> Response:
    """`body` with its ETag, or 304 where the caller holds the same already. The clock (`now`) is no news."""
    response = answer(body)
    lasting = {name: value for name, value in body.items() if name != "now"}
    response.set_etag(hashlib.sha256(orjson.dumps(lasting, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32])
    response.make_conditional(request)
    return response


def moment(seconds: float | None) -> str | None:
    """Seconds since 1970 as `2026-11-23T14:20:00Z`."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

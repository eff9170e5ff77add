"""One shape for everything that is not a good answer, whatever went wrong and wherever:

    {"code": "…", "message": "what happened, to which thing", "cure": "what to do", "details": {}}

The class of one of our errors decides its status: a person must act → 422 (403 where a right is missing), the clock
must → 503 with Retry-After, a developer must → 500.
"""

from __future__ import annotations

import logging
import math
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from backend.errors import AccessError, RetryLater, SyncError, UserError
from backend.web.answers import answer

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0

_WORDS = {
    400: ("This request could not be read.", "Send JSON as the page at /docs describes it."),
    404: ("There is nothing at this address.", "Check the address; the page at /docs lists what there is."),
    405: ("This address does not take a {method} request.", "The page at /docs lists what each address takes."),
    413: ("This request is too large.", "Send fewer things at once."),
    415: ("This request is not JSON.", "Send it with Content-Type: application/json."),
    422: ("This request does not say what it should.", "The page at /docs describes it."),
}


class Refused(Exception):
    """A request that is answered with an error: its status, and what is told."""

    def __init__(self, status: int, code: str, message: str, cure: str = "", **details: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.cure, self.details = status, code, message, cure, details


def handle_errors(app: Flask) -> None:
    """Answer every error of `app` in the one shape."""
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Refused, _of_refused)
    app.register_error_handler(SyncError, _of_ours)
    app.register_error_handler(Exception, _of_a_mistake)


def error_answer(status: int, code: str, message: str, cure: str = "", details: dict[str, Any] | None = None
                 ) -> Response:
    found = answer({"code": code, "message": message, "cure": cure, "details": details or {}}, status)
    if status == 401:
        found.headers["WWW-Authenticate"] = "Bearer"
    return found


def _of_http(error: HTTPException) -> Response:
    """An error of Flask, or of a schema that a request did not fit."""
    status = error.code or 500
    message, cure = _WORDS.get(status, (error.description or error.name, ""))
    details: dict[str, Any] = {}
    fields = getattr(error, "data", {}).get("messages", {})
    if fields and status == 422:
        path, said = _first(fields)
        message, details = f"“{path}”: {said}" if path else said, {"fields": fields}
    found = error_answer(status, error.name.lower().replace(" ", "_"), message.format(method=request.method)
                         if status == 405 else message, cure, details)
    for name, value in error.get_headers(request.environ):
        if name in ("Allow", "Retry-After"):
            found.headers[name] = value
    return found


def _of_refused(error: Refused) -> Response:
    found = error_answer(error.status, error.code, error.message, error.cure, error.details)
    if error.status == 429:
        found.headers["Retry-After"] = str(math.ceil(error.details["retry_after"]))
    return found


def _of_ours(error: SyncError) -> Response:
    if isinstance(error, RetryLater):
        found = error_answer(503, error.code, error.message, error.cure)
        found.headers["Retry-After"] = str(math.ceil(error.retry_after or RETRY_SECONDS))
        return found
    if isinstance(error, UserError):
        return error_answer(403 if isinstance(error, AccessError) else 422, error.code, error.message, error.cure)
    return _of_a_mistake(error)


def _of_a_mistake(error: Exception) -> Response:
    log.error("%s %s failed by a mistake of ours", request.method, request.path, exc_info=error)
    return error_answer(500, "mistake", "The sync service made a mistake of its own; nothing was changed by it.",
                        "Try again. If it stays, report it with the service's log.")


def _first(messages: Any) -> tuple[str, str]:
    """Path and text of the first of marshmallow's messages, without the place (`json`, `query`) it came from."""
    path: list[str] = []
    while isinstance(messages, dict):
        key = next(iter(messages))
        path.append(str(key))
        messages = messages[key]
    said = messages[0] if isinstance(messages, list) and messages else messages
    return ".".join(part for part in path[1:] if part != "_schema"), str(said)

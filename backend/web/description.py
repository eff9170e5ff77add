"""What the API takes and tells, as OpenAPI 3.1. It is made when somebody first reads it: that takes longer than all
else of making the app, which hardly ever needs it."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Flask
from flask_smorest import Api

from backend import __version__
from backend.web import aside, schemas
from backend.web.api import bp

_TOKENS = {
    "components": {"securitySchemes": {"grist": {
        "type": "http", "scheme": "bearer", "description": "A Grist document's access token"}}},
    "security": [{"grist": []}],
}
_ASKED = {"description": "Not yet: Shopify or Grist is being asked; the answer will be at /api/asked/{asked}",
          "content": {"application/json": {"schema": {"type": "object", "properties": {"asked": {"type": "string"}}}}}}


@cache
def description() -> dict[str, Any]:
    """The document. flask-smorest makes it of the views of an app: of one that serves nobody, and does nothing else."""
    app = Flask(__name__, static_folder=None)
    app.config.update(API_TITLE="Shopify–Grist Sync", API_VERSION=__version__, OPENAPI_VERSION="3.1.0")
    described = _Api(app, spec_kwargs=_TOKENS)
    for blueprint in (bp, aside.bp):
        described.register_blueprint(blueprint)
    found: dict[str, Any] = described.spec.to_dict()
    _say_that_it_may_take_a_while(found)
    return found


class _Api(Api):  # type: ignore[misc]
    """flask-smorest, with our shape of errors instead of its own."""

    ERROR_SCHEMA = schemas.Error


def _say_that_it_may_take_a_while(found: dict[str, Any]) -> None:
    """Every answer of the API may be this one first."""
    for operations in found["paths"].values():
        for operation in operations.values():
            if "responses" in operation:
                operation["responses"].setdefault("202", _ASKED)

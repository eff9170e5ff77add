"""The two kinds of trouble that Shopify answers with status 200 (facts §2).

A `TopLevelError` says that the document, the rights or the server are the problem: it lands in `errors`.
A user error says that the input is the problem: it lands in the payload's `userErrors`.
"""
from __future__ import annotations

from typing import Any

from graphql import GraphQLError, Node


class TopLevelError(GraphQLError):
    """Raised by a resolver: its field becomes null and the message stands in `errors` with the field's path."""

    def __init__(self, message: str, code: str | None, *, nodes: list[Node] | None = None, **extensions: Any) -> None:
        super().__init__(message, nodes=nodes, extensions={**extensions, **({"code": code} if code else {})})


class BrokeDown(Exception):
    """Shopify failed over the whole request: no data at all, and an error without a place."""


class RequestRefused(Exception):
    """The request ends before it runs: `errors` holds ready-made entries, there is no `data`.

    `costed` says whether the answer still carries the cost, as MAX_INPUT_SIZE_EXCEEDED and THROTTLED do.
    """

    def __init__(self, errors: list[dict[str, Any]], *, costed: bool = False) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors
        self.costed = costed


def user_error(field: list[str] | None, message: str, code: str | None = None) -> dict[str, Any]:
    """One entry of `userErrors`; the code is shown only where the payload's type has one."""
    return {"field": field, "message": message, "code": code, "elementIndex": None}


def not_simulated(type_name: str, field_name: str) -> TopLevelError:
    """For what Shopify's schema has and this store does not: an error, never a silent null."""
    return TopLevelError(
        f"The simulated store does not know {type_name}.{field_name}. It is in Shopify's schema, but nothing "
        "stands behind it here: leave it out of the query, or teach demo/shopify about it.",
        "NOT_SIMULATED", typeName=type_name, fieldName=field_name)


def invalid_id(text: str) -> TopLevelError:
    return TopLevelError(f"Invalid id: {text}", "RESOURCE_NOT_FOUND")


def bad_request(message: str) -> TopLevelError:
    return TopLevelError(message, "BAD_REQUEST")


def invalid_arguments(message: str, nodes: list[Node] | None = None) -> TopLevelError:
    """`nodes` are the places that the error points to, when they are more than the field itself."""
    return TopLevelError(message, "INVALID_FIELD_ARGUMENTS", nodes=nodes)

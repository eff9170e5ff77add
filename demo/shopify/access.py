"""Scopes: what the token may do, and the error that names what it may not (facts §1, §2)."""
from __future__ import annotations

from collections.abc import Iterable

from .errors import TopLevelError


def denied(field: str, required: str) -> TopLevelError:
    """ACCESS_DENIED for one field; the other fields of the document are still answered."""
    return TopLevelError(f"Access denied for {field} field. Required access: {required}", "ACCESS_DENIED",
                         documentation="https://shopify.dev/api/usage/access-scopes", requiredAccess=required)


def expanded(scopes: Iterable[str]) -> list[str]:
    """Every scope with what it implies: `write_products` brings `read_products`."""
    found: list[str] = []
    for scope in scopes:
        for each in (scope.replace("write_", "read_", 1), scope) if scope.startswith("write_") else (scope,):
            if each not in found:
                found.append(each)
    return found

"""What the token may see and do: scopes and protected customer data (facts §1, §2).

Shopify's schema says of types and fields which access they need, and which fields are protected; what is refused is
null with an entry in `errors`, and the rest of the document is answered.
"""
from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from .errors import TopLevelError

_UNAPPROVED = ("This app is not approved to access the {} object. See "
               "https://partners.shopify.com/1/apps/1/customer_data for more details.")


def denied(field: str, required: str) -> TopLevelError:
    """ACCESS_DENIED for one field; the other fields of the document are still answered."""
    return TopLevelError(f"Access denied for {field} field. Required access: {required}", "ACCESS_DENIED",
                         documentation="https://shopify.dev/api/usage/access-scopes", requiredAccess=required)


def unapproved(type_name: str, *, with_code: bool) -> TopLevelError:
    """Protected customer data without approval."""
    return TopLevelError(_UNAPPROVED.format(type_name), "ACCESS_DENIED" if with_code else None)


def expanded(scopes: Iterable[str]) -> list[str]:
    """Every scope with what it implies: `write_products` brings `read_products`."""
    found: list[str] = []
    for scope in scopes:
        for each in (scope.replace("write_", "read_", 1), scope) if scope.startswith("write_") else (scope,):
            if each not in found:
                found.append(each)
    return found


@dataclass(frozen=True)
class Required:
    """What a field asks for: one of the first scopes and all of the others; and Shopify's sentence about it."""

    one_of: frozenset[str]
    besides: frozenset[str]
    sentence: str

    def met_by(self, granted: frozenset[str]) -> bool:
        return bool(self.one_of & granted or not self.one_of) and self.besides <= granted


def required(type_name: str, field_name: str) -> Required | None:
    """What the token needs for a field; None when it needs nothing."""
    return _table()[0].get((type_name, field_name))


def protected(type_name: str, field_name: str) -> bool:
    """Whether the field holds protected customer data of level 2: names, addresses, phones, e-mails."""
    return (type_name, field_name) in _table()[1]


@cache
def _table() -> tuple[dict[tuple[str, str], Required], frozenset[tuple[str, str]]]:
    from .schema import introspection
    types = {each["name"]: each for each in introspection()["data"]["__schema"]["types"]}
    needed: dict[tuple[str, str], Required] = {}
    hidden = set()
    for name, type_ in types.items():
        for field in type_.get("fields") or ():
            if field.get("isProtected"):
                hidden.add((name, field["name"]))
            said = field.get("requiredAccess")
            if not said and name != "Mutation":
                target = field["type"]
                while target.get("ofType"):
                    target = target["ofType"]
                node = types.get(target["name"].removesuffix("Connection"), {})
                said = node.get("requiredAccess")
            first, _, also = (said or "").partition(" Also: ")
            scopes = frozenset(re.findall(r"`((?:read|write)_\w+)`", first) if "access scope" in first else ())
            besides = frozenset(re.findall(r"^Requires `((?:read|write)_\w+)` scope", also))
            if (scopes or besides) and (
                    name in ("Mutation", "QueryRoot") or not name.endswith(("Payload", "Connection", "Edge"))):
                needed[name, field["name"]] = Required(scopes, besides, said)
    return needed, frozenset(hidden)

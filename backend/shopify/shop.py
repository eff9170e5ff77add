"""What a store says of itself and of what the app may do in it: its money, its clock, its scopes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.shopify.answers import Answer

DECIMALS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV",
                     "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Currencies that do not have two decimals (ISO 4217)."""

INSTEAD = {"read_locations": "read_inventory"}
"""Scopes in whose place another will do (facts §1)."""


@dataclass(frozen=True, slots=True)
class Shop:
    """The store as it describes itself."""

    name: str
    currency: str
    timezone: str
    weight_unit: str
    domain: str

    @property
    def decimals(self) -> int:
        return DECIMALS.get(self.currency, 2)


def shop_from(answer: Answer) -> Shop:
    """From an answer to `documents.ABOUT`. Raises AccessError, RetryLater."""
    shop = answer.root("shop", "the store's settings")
    return Shop(str(shop["name"]), str(shop["currencyCode"]), str(shop["ianaTimezone"]), str(shop["weightUnit"]),
                str(shop["myshopifyDomain"]))


def scopes_from(answer: Answer) -> frozenset[str] | None:
    """What the token may do, with the reading that each writing implies; None where Shopify does not tell."""
    installation = answer.data.get("currentAppInstallation")
    if not isinstance(installation, dict) or not isinstance(installation.get("accessScopes"), list):
        return None
    handles = {str(scope["handle"]) for scope in installation["accessScopes"]}
    return frozenset(handles | {f"read_{handle.removeprefix('write_')}" for handle in handles
                                if handle.startswith("write_")})


def lacking(wanted: Sequence[str], scopes: frozenset[str] | None) -> list[str]:
    """Those of `wanted` that are not there, nor what will do in their place. Nothing where nobody knows."""
    return [] if scopes is None else [
        scope for scope in wanted if scope not in scopes and INSTEAD.get(scope) not in scopes]

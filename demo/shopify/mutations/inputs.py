"""What several mutations take: tags, prices, inventory items, as they are checked and as they echo (facts §5, §12)."""
from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ..model import Item

PRICE_LIMIT = Decimal(10) ** 18
# Codes that Shopify's enum has but that are no country.
_NO_COUNTRY = {"ZZ"}


def clean_tags(tags: Iterable[str], *, split: bool = True) -> list[str]:
    """Trimmed, the first spelling of each, sorted ignoring case; blank ones fall away."""
    kept: dict[str, str] = {}
    for text in tags:
        for tag in text.split(",") if split else [text]:
            tag = tag.strip()
            if tag:
                kept.setdefault(tag.lower(), tag)
    return sorted(kept.values(), key=lambda tag: (tag.lower(), tag))


def amount(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def item_errors(given: dict[str, Any]) -> list[tuple[list[str], str, str]]:
    """What is wrong with an InventoryItemInput: (path below it, message's end, kind). The callers' words differ."""
    found = []
    cost = amount(given.get("cost"))
    if cost is not None and cost < 0:
        found.append((["cost"], "must be greater than or equal to 0", "GREATER_THAN_OR_EQUAL_TO"))
    if cost is not None and cost >= PRICE_LIMIT:
        found.append((["cost"], "must be less than 1000000000000000000", "INVALID_INPUT"))
    if given.get("sku") is not None and len(given["sku"]) > 255:
        found.append((["sku"], "is too long (maximum is 255 characters)", "TOO_LONG"))
    weight = (given.get("measurement") or {}).get("weight")
    if weight and weight["value"] < 0:
        unit = {"KILOGRAMS": "kg", "GRAMS": "g", "POUNDS": "lb", "OUNCES": "oz"}[weight["unit"]]
        found.append((["measurement", "weight"],
                      f"Measurement weight value {weight['value']:g} {unit} must be >= 0 {unit}", "INVALID"))
    if given.get("countryCodeOfOrigin") in _NO_COUNTRY:
        found.append((["countryCodeOfOrigin"], "Country code of origin is invalid", "INVALID"))
    code = given.get("harmonizedSystemCode")
    if code and not re.fullmatch(r"\d{6,13}", _digits(code)):
        found.append((["harmonizedSystemCode"],
                      "Harmonized system code must be a number between six and thirteen digits", "INVALID"))
    return found


def write_item(item: Item, given: dict[str, Any], *, empty_becomes_null: bool) -> None:
    """Write a checked InventoryItemInput; what is left out stays."""
    if "sku" in given:
        item.sku = empty_as(given["sku"], empty_becomes_null)
    if "cost" in given:
        item.cost = amount(given["cost"])
    if given.get("tracked") is not None:
        item.tracked = given["tracked"]
    if given.get("requiresShipping") is not None:
        item.requires_shipping = given["requiresShipping"]
    if "countryCodeOfOrigin" in given:
        item.country_code_of_origin = given["countryCodeOfOrigin"]
    if "provinceCodeOfOrigin" in given:
        item.province_code_of_origin = given["provinceCodeOfOrigin"]
    if "harmonizedSystemCode" in given:
        code = given["harmonizedSystemCode"]
        item.harmonized_system_code = _digits(code) if code else None
    if given.get("countryHarmonizedSystemCodes") is not None:
        item.country_codes = [dict(row) for row in given["countryHarmonizedSystemCodes"]]
    weight = (given.get("measurement") or {}).get("weight")
    if weight:
        item.weight_value, item.weight_unit = weight["value"], weight["unit"]


def empty_as(text: str | None, empty_becomes_null: bool) -> str | None:
    return None if text == "" and empty_becomes_null else text


def _digits(code: str) -> str:
    return re.sub(r"[.\s-]", "", code)

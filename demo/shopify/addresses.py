"""Mailing addresses: what is refused, how they are stored, how they are shown (facts §12).

An address is a dict with the names of Shopify's MailingAddress; what is only worked out (name, formatted area) is
added by `shown`.
"""
from __future__ import annotations

import re
from typing import Any

from .geography import country_code, country_name, province_code, province_name
from .phones import e164

PARTS = ("firstName", "lastName", "company", "address1", "address2", "city", "zip", "phone")
_NAMES = {"firstName": "First name", "lastName": "Last name", "provinceCode": "Province code"}
_EMOJI = re.compile("[\U0001f300-\U0001faff\U00002600-\U000027bf]")


def problems(given: dict[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with a MailingAddressInput: (part, message)."""
    found = []
    for part in (*PARTS, "country", "province"):
        text = given.get(part) or ""
        name = _NAMES.get(part, part.capitalize())
        if len(text.strip()) > 255:
            found.append((part, f"{name} is too long (maximum is 255 characters)"))
        elif re.search(r"<[^>]+>", text):
            found.append((part, f"{name} cannot contain HTML tags"))
        elif re.search(r"https?://|www\.", text, re.IGNORECASE):
            found.append((part, f"{name} cannot contain URL"))
        elif _EMOJI.search(text):
            found.append((part, f"{name} cannot contain emojis"))
    return found


def is_blank(given: dict[str, Any]) -> bool:
    return not any(str(value or "").strip() for key, value in given.items() if key != "id")


def stored(given: dict[str, Any], before: dict[str, Any] | None = None) -> dict[str, Any]:
    """The address after an input: trimmed, blanks null, country and province by name and code; the rest stays."""
    address = dict.fromkeys((*PARTS, "country", "countryCodeV2", "province", "provinceCode"))
    address |= before or {}
    for part in PARTS:
        if part in given:
            address[part] = (given[part] or "").strip() or None
    code = given.get("countryCode") or (country_code(given["country"]) if given.get("country") else None)
    if code:
        address["countryCodeV2"], address["country"] = code, country_name(code)
    if given.get("provinceCode") or given.get("province"):
        held = address["countryCodeV2"] or ""
        code = given.get("provinceCode") or province_code(held, given["province"])
        name = province_name(held, code) if code else given.get("province")
        address["provinceCode"], address["province"] = code, name
    if address["phone"]:
        address["phone"] = e164(address["phone"], address["countryCodeV2"]) or address["phone"]
    return address


def shown(address: dict[str, Any], global_id: str) -> dict[str, Any]:
    """The MailingAddress as it is read."""
    name = " ".join(part for part in (address.get("firstName"), address.get("lastName")) if part) or None
    place = " ".join(part for part in (address.get("city"), address.get("provinceCode")) if part)
    area = ", ".join(part for part in (place, address.get("country")) if part) or None
    street = [address.get("address1"), address.get("address2")]
    town = " ".join(part for part in (address.get("city"), address.get("provinceCode"), address.get("zip")) if part)
    return {"__typename": "MailingAddress", "validationResultSummary": None, "timeZone": None, "latitude": None,
            "longitude": None, "coordinatesValidated": False, **address, "id": global_id, "name": name,
            "countryCode": address.get("countryCodeV2"), "formattedArea": address.get("formattedArea", area),
            "formatted": [part for part in (*street, town, address.get("country")) if part]}

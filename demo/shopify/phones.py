"""Phone numbers as Shopify keeps them: E.164 where the country is known."""
from __future__ import annotations

import re

_DIAL = {"US": "1", "CA": "1", "NO": "47", "SE": "46", "DK": "45", "FI": "358", "GB": "44", "IE": "353", "DE": "49",
         "FR": "33", "NL": "31", "BE": "32", "ES": "34", "IT": "39", "CH": "41", "AT": "43", "PL": "48", "PT": "351",
         "AU": "61", "NZ": "64", "JP": "81", "IS": "354"}
_SIGNS = re.compile(r"[\s().-]")


def e164(text: str, country: str | None) -> str | None:
    """`(613) 555-1212` in CA → `+16135551212`; None when it is no number or nobody knows the country."""
    plain = _SIGNS.sub("", text.strip())
    if re.fullmatch(r"\+\d{4,15}", plain):
        return plain
    if not re.fullmatch(r"\d{4,15}", plain):
        return None
    code = _DIAL.get(country or "")
    if code is None:
        return None
    if code == "1" and len(plain) == 11 and plain.startswith("1"):
        return f"+{plain}"
    return f"+{code}{plain.lstrip('0') if code != '1' else plain}"


def is_number(text: str) -> bool:
    """Whether a customer may have it: seven to fifteen digits, with or without a plus and the usual signs."""
    return re.fullmatch(r"\+?\d{7,15}", _SIGNS.sub("", text.strip())) is not None


def readable(number: str) -> str:
    """As a nameless customer is called: `+1 415-810-3301`."""
    match = re.fullmatch(r"\+1(\d{3})(\d{3})(\d{4})", number)
    return f"+1 {match[1]}-{match[2]}-{match[3]}" if match else number

"""The types of metafields: what a value must look like, how it is stored, how it reads as JSON (facts §7)."""
from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Any

from .ids import is_global_id

MEASURES = {
    "antenna_gain", "area", "battery_charge_capacity", "battery_energy_capacity", "capacitance", "concentration",
    "data_storage_capacity", "data_transfer_rate", "dimension", "display_density", "distance", "duration",
    "electric_current", "electrical_resistance", "energy", "frequency", "illuminance", "inductance", "luminous_flux",
    "mass_flow_rate", "power", "pressure", "resolution", "rotational_speed", "sound_level", "speed", "temperature",
    "thermal_power", "voltage", "volume", "volumetric_flow_rate", "weight"}
TEXTS = {"single_line_text_field", "multi_line_text_field", "rich_text_field"}
_REFERENCES = {"product_reference", "variant_reference", "collection_reference", "customer_reference",
               "company_reference", "file_reference", "metaobject_reference", "mixed_reference", "order_reference",
               "page_reference", "article_reference", "product_taxonomy_value_reference"}
_SINGLE = MEASURES | TEXTS | _REFERENCES | {
    "boolean", "color", "date", "date_time", "id", "json", "language", "link", "money", "number_decimal",
    "number_integer", "rating", "url"}
_NO_LIST = {"id", "json", "language", "money", "rich_text_field"}
_SCHEMES = ("http", "https", "mailto", "sms", "tel")
# In lists jsonValue shows these units in short; the others in lower case.
_SHORT_UNITS = {
    "dimension": {"CENTIMETERS": "cm", "MILLIMETERS": "mm", "METERS": "m", "INCHES": "in", "FEET": "ft",
                  "YARDS": "yd"},
    "volume": {"MILLILITERS": "ml", "CENTILITERS": "cl", "LITERS": "l", "CUBIC_METERS": "m3",
               "FLUID_OUNCES": "us_fl_oz", "PINTS": "us_pt", "QUARTS": "us_qt", "GALLONS": "us_gal",
               "IMPERIAL_FLUID_OUNCES": "imp_fl_oz",
               "IMPERIAL_PINTS": "imp_pt", "IMPERIAL_QUARTS": "imp_qt", "IMPERIAL_GALLONS": "imp_gal"},
    "weight": {"KILOGRAMS": "kg", "GRAMS": "g", "POUNDS": "lb", "OUNCES": "oz"}}


class Refused(ValueError):
    """The value does not fit; the message is Shopify's."""


def known(type_name: str) -> bool:
    single = type_name.removeprefix("list.")
    return single in _SINGLE and (single == type_name or single not in _NO_LIST)


def all_types() -> list[str]:
    return sorted([*_SINGLE, *(f"list.{name}" for name in _SINGLE - _NO_LIST)])


def category_of(type_name: str) -> str:
    single = type_name.removeprefix("list.")
    if single in MEASURES:
        return "MEASUREMENT"
    if single in _REFERENCES:
        return "REFERENCE"
    return {"boolean": "TRUE_FALSE", "color": "COLOR", "rating": "RATING", "date": "DATE_TIME",
            "date_time": "DATE_TIME", "money": "MONEY", "number_integer": "NUMBER", "number_decimal": "NUMBER",
            "json": "JSON", "url": "URL", "link": "LINK", "id": "ID", "language": "LANGUAGE"}.get(single, "TEXT")


def stored(type_name: str, value: str, currency: str) -> str:
    """The value as Shopify keeps it. Raises Refused with Shopify's sentence when it does not fit the type."""
    if not value.strip():
        raise Refused("Value can't be blank.")
    if not type_name.startswith("list."):
        return _single(type_name, value, currency)
    single = type_name.removeprefix("list.")
    try:
        entries = json.loads(value)
    except ValueError as error:
        raise Refused("Value must be a list.") from error
    if not isinstance(entries, list):
        raise Refused("Value must be a list.")
    kept = [_single(single, entry if isinstance(entry, str) else json.dumps(entry), currency) for entry in entries]
    if single in MEASURES | {"rating", "link"}:
        return "[" + ",".join(kept) + "]"
    if single == "number_integer":
        return "[" + ",".join(kept) + "]"
    if single == "boolean":
        return "[" + ",".join(kept) + "]"
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def json_value(type_name: str, value: str) -> Any:
    """How `jsonValue` shows a stored value; a false boolean really comes as the text "false"."""
    single = type_name.removeprefix("list.")
    if type_name.startswith("list."):
        entries = json.loads(value)
        if single in MEASURES:
            return [{"value": _plain(entry["value"]), "unit": _short(single, entry["unit"])} for entry in entries]
        return entries
    if single in MEASURES:
        held = json.loads(value)
        return {"value": _plain(held["value"]), "unit": held["unit"]}
    if single == "boolean":
        return True if value == "true" else "false"
    if single == "number_integer":
        return int(value)
    if single in ("json", "money", "rating", "rich_text_field", "link"):
        return json.loads(value)
    return value


def _single(name: str, value: str, currency: str) -> str:
    check = {"boolean": _boolean, "number_integer": _integer, "number_decimal": _decimal, "date": _date,
             "date_time": _date_time, "url": _url, "color": _color, "json": _json, "rich_text_field": _json,
             "rating": _rating, "link": _compact}.get(name)
    if name in MEASURES:
        return _measure(value)
    if name == "money":
        return _money(value, currency)
    if name in _REFERENCES:
        return _reference(value)
    if name == "single_line_text_field" and "\n" in value:
        raise Refused("Value must be a single line text string.")
    return check(value) if check else value


def _boolean(value: str) -> str:
    text = value.strip().lower()
    if text not in ("true", "t", "1", "false", "f", "0"):
        raise Refused("Value must be true or false.")
    return "true" if text in ("true", "t", "1") else "false"


def _integer(value: str) -> str:
    if not re.fullmatch(r"-?\d+(\.0+)?", value.strip()):
        raise Refused("Value must be an integer.")
    number = int(value.strip().split(".")[0])
    if abs(number) > 2**53 - 1:
        raise Refused(f"Value must be within +/-{2**53 - 1}.")
    return str(number)


def _decimal(value: str) -> str:
    try:
        number = Decimal(value.strip())
    except InvalidOperation as error:
        raise Refused("Value must be a decimal.") from error
    exponent = number.as_tuple().exponent
    if isinstance(exponent, str):
        raise Refused("Value must be a decimal.")
    if exponent < -9:
        number = number.quantize(Decimal("1e-9"), rounding=ROUND_DOWN)
    text = f"{number:f}"
    return text if "." in text else f"{text}.0"


def _date(value: str) -> str:
    try:
        return date.fromisoformat(value.strip()).isoformat()
    except ValueError as error:
        raise Refused("Value must be in “YYYY-MM-DD” format. For example: 2022-06-01") from error


def _date_time(value: str) -> str:
    try:
        if "T" not in value:
            raise ValueError(value)
        moment = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
    except ValueError as error:
        raise Refused("Value must be in “YYYY-MM-DDTHH:MM:SS” format. For example: 2022-06-01T15:30:00") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="seconds")


def _url(value: str) -> str:
    scheme = value.split(":", 1)[0].lower() if re.match(r"^[A-Za-z][A-Za-z0-9+.-]*:", value) else ""
    if not scheme:
        listed = ", ".join(f'"{name}"' for name in _SCHEMES)
        raise Refused("Value cannot have an empty scheme (protocol), must include one of the following URL schemes: "
                      f"[{listed}].'")
    if scheme not in _SCHEMES:
        raise Refused(f"Value must be one of the following URL schemes: {', '.join(_SCHEMES)}.")
    return value


def _color(value: str) -> str:
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", value.strip()):
        raise Refused("Value must be a hex color.")
    return value


def _json(value: str) -> str:
    try:
        json.loads(value)
    except ValueError as error:
        raise Refused("Value is invalid JSON.") from error
    return value


def _compact(value: str) -> str:
    return json.dumps(json.loads(_json(value)), ensure_ascii=False, separators=(",", ":"))


def _rating(value: str) -> str:
    held = _object(value, "Value must be a stringified JSON object with value, scale_min and scale_max fields.")
    return json.dumps({key: held.get(key) for key in ("scale_min", "scale_max", "value")}, separators=(",", ":"))


def _measure(value: str) -> str:
    held = _object(value, "Value must be a stringified JSON object with a value and a unit.")
    try:
        number = float(held["value"])
        unit = str(held["unit"])
    except (KeyError, TypeError, ValueError) as error:
        raise Refused("Value must be a stringified JSON object with a value and a unit.") from error
    return json.dumps({"value": number, "unit": unit.upper()}, separators=(",", ":"))


def _money(value: str, currency: str) -> str:
    held = _object(value, "Value must be a stringified JSON object with amount (numeric) and currency_code (string "
                          "matching the shop's currency) fields.")
    code = held.get("currency_code")
    try:
        amount = Decimal(str(held.get("amount")))
    except InvalidOperation as error:
        raise Refused("Value must have a numeric amount.") from error
    if not code:
        raise Refused("Value must have a currency code.")
    if abs(amount) > Decimal(10) ** 18:
        raise Refused("Value must be within +/-1000000000000000000.")
    if not re.fullmatch(r"[A-Z]{3}", str(code)) or code in ("ZZZ", "XXX"):
        raise Refused(f"Value contains an invalid currency, {code}.")
    if code != currency:
        raise Refused("Value must match the currency of the shop.")
    return value


def _object(value: str, sentence: str) -> dict[str, Any]:
    try:
        held = json.loads(value)
    except ValueError as error:
        raise Refused(sentence) from error
    if not isinstance(held, dict):
        raise Refused(sentence)
    return held


def _reference(value: str) -> str:
    if not is_global_id(value):
        raise Refused("Value must be a valid global id.")
    return value


def _plain(number: float) -> float | int:
    return int(number) if float(number).is_integer() else number


def _short(single: str, unit: str) -> str:
    return _SHORT_UNITS.get(single, {}).get(unit, unit.lower())
